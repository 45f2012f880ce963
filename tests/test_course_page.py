"""What the page beside the lessons promises to each course is true."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.checking.convention import Course

PAGE = (Path(__file__).parent.parent / "notebooks/courses.md").read_text("utf-8")
TOP, *REST = re.split(r"^## ", PAGE, flags=re.MULTILINE)
SECTIONS = {name: text for name, _, text in (each.partition("\n") for each in REST)}
OPTIONS = [
    re.findall(r"`([^`]+)`", say)
    for say in re.findall(r"^\|.*\| ([^|]+) \|$", TOP.partition("| say |")[2], re.MULTILINE)
]


def parts_of(name):
    """Return the code of a section; what to change there to what; and what is said then."""
    (code,) = re.findall(r"```python\n(.*?)```", SECTIONS[name], re.DOTALL)
    (change,) = re.findall(
        r"^Change `(.+)` to `(.+)`: `(.+?)`(.*)\.$", SECTIONS[name], re.MULTILINE
    )
    return code, *change


def report_of(code):
    space = {"np": np, "bp": bp}
    exec(code, space)
    return space["report"]


@pytest.mark.parametrize("name", nonempty(SECTIONS))
def test_the_right_pass_is_accepted_and_the_wrong_line_is_named(name):
    code, right, wrong, parameter, said = parts_of(name)
    assert code.count(right) == 1
    assert report_of(code).ok
    report = report_of(code.replace(right, wrong))
    assert not report.ok
    assert report.findings[0].parameter == parameter
    titles = re.findall("“(.+?)”", said)
    assert bool(titles) == ("check_backward" in code)
    messages = "\n".join(finding.message for finding in report.findings)
    assert [title for title in titles if f"“{title}”" not in messages] == []
    assert not titles or f"“{titles[0]}”" in report.findings[0].message


def test_each_section_has_its_row_and_each_link_its_section():
    def anchor(heading):
        return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")

    rows = re.findall(r"^\| \[(.+?)\]\(#(.+?)\) \|", TOP, re.MULTILINE)
    *courses, layer, other = SECTIONS
    assert rows == [(name, anchor(name)) for name in courses]
    assert len(rows) == 17
    assert f"(#{anchor(layer)})" in TOP
    assert f"(#{anchor(other)})" in TOP


def chosen(row):
    """Return the options that a row of the second table has, a choice at a time."""
    key = None
    for text in row:
        if "=" in text:
            options = eval(f"dict({text})")
            key = [*options][-1]
            yield options
        else:
            yield {key: eval(text)}


@pytest.mark.parametrize("row", nonempty(OPTIONS), ids=lambda row: row[0])
def test_what_the_page_says_can_be_said(row):
    courses = [Course(**{"samples": "rows"} | options) for options in chosen(row)]
    assert len(set(courses)) == len(courses) > 0


def test_every_option_that_a_course_needs_is_on_the_page():
    options = set(inspect.signature(bp.check_backward).parameters)
    said = {option for row in OPTIONS for options in chosen(row) for option in options}
    assert said == options - {"backward", "hints", "seed", "seconds"}

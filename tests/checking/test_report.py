"""What a report says of wrong lines, and who gets to read it."""

import copy
import json
import linecache
import pickle
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.report import Checked, Finding, Report
from backprop_nb.tracing.source import Source

CELL = """\
def gradient(w, x):
    error = w * x
    return 2 * error * x, 2 * error * x
"""
MARKED = """\
  3 |     return 2 * error * x, 2 * error * x
                                ^^^^^^^^^^^^^"""


def f(w, x):
    return np.sum((w * x) ** 2)


def from_cell(text):
    """The gradient function of a cell, compiled as a grader's kernel does it."""
    name = f"<cell {hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    names = {"np": np}
    exec(compile(text, name, "exec"), names)
    return names["gradient"]


@pytest.fixture(scope="module")
def reports():
    gradient = from_cell(CELL)
    args = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    return {
        hints: bp.check_gradient(f, gradient, *args, hints=hints)
        for hints in ("none", "vague", "clear", "plain")
    }


def finding(line, number=1, rank=1, expression="a + 1"):
    text = "\n".join(["def f(a):", *(f"    b = {expression}" for _ in range(9))])
    place = Source(expression, "cell", (line, 8), (line, 8 + len(expression)), (1, 10), text)
    return Finding(
        "wrong_line", "da", rank, f"Line {line}, {expression}.", line=line, source=place,
        number=number, proved=True,
    )  # fmt: skip


def report_of(*findings):
    wrong = Checked("da", False, 1.0, (), np.array(1.0), np.array(2.0))
    return Report("f", (wrong,), findings)


@pytest.mark.parametrize("hints", ["clear", "plain"])
def test_the_text_shows_the_line_with_its_number_and_carets_below_the_expression(reports, hints):
    assert MARKED in str(reports[hints])


@pytest.mark.parametrize("hints", ["none", "vague"])
def test_no_line_is_given_away_below_clear(reports, hints):
    report = reports[hints]
    assert "^" not in str(report)
    assert "error" not in str(report).lower()
    assert not any(each.line or each.source or each.place for each in report.findings)


def test_the_repair_is_said_with_plain_hints_only(reports):
    assert "w in place of x" in str(reports["plain"])
    assert "w in place of x" not in str(reports["clear"])
    assert reports["clear"].findings[0].expected is None


def test_the_text_has_the_two_numbers_that_differ_most_once_with_plain_hints_only(reports):
    plain = reports["plain"]
    assert "dx[1] is 64, expected 32" in str(plain)
    assert "gives" not in str(plain)  # a line that gives the very gradient
    [found] = plain.findings
    another = replace(plain, findings=(replace(found, given=2 * found.given),))
    assert "What is marked gives 128 at [1], and should give 32." in str(another)
    assert "gives" not in str(reports["clear"])


@pytest.mark.parametrize(
    ("given", "expected", "said"),
    [
        (2.0, -3.0, "2, and should give -3"),
        (np.ones((2, 3)), np.ones(3), "shape (2, 3), and should give (3,)"),
        ([1.0, np.nan], [0.0, 0.0], "nan at [1], and should give 0"),
        ([-0.0, 1.0], [5.0, 1.0], "0 at [0], and should give 5"),
        ([[True]], [[False]], "1 at [0, 0], and should give 0"),
    ],
)
def test_what_differs_most_is_said(given, expected, said):
    each = replace(finding(3), given=np.array(given), expected=np.array(expected))
    assert each.difference == f"What is marked gives {said}."


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.zeros(0), np.zeros(0)),
        (np.ones((2, 3)), np.zeros(0)),
        (np.array("a"), np.array("b")),
        (np.ones(2), None),
    ],
)
def test_where_there_are_no_numbers_none_is_said(given, expected):
    assert replace(finding(3), given=given, expected=expected).difference == ""


def test_who_grades_reads_the_line(reports):
    """pytest, nbgrader and otter show the text of what was raised."""
    report = reports["plain"]
    with pytest.raises(AssertionError) as raised:
        report.raise_if_wrong()
    assert str(raised.value) == str(report)
    assert MARKED in str(raised.value)
    assert report.score == 0.5
    first = json.loads(json.dumps(report.to_dict()))["findings"][0]
    assert (first["line"], first["source"], first["number"]) == (3, "2 * error * x", 1)


def test_a_report_can_be_sent_to_another_process_without_its_graph(reports):
    report = reports["plain"]
    assert report.graph is not None
    sent = pickle.loads(pickle.dumps(report))
    assert str(sent) == str(report)
    assert sent.graph is None
    assert copy.copy(report).findings[0].place.block == (1, 3)


def test_alternatives_are_joined_by_or():
    report = report_of(finding(3), finding(5), finding(3, expression="a + 2"))
    said = "As far as this can be told, the mistake is in either line 3 or line 5."
    assert report.choice == said
    assert report.choice in str(report)


def test_two_mistakes_are_joined_by_and():
    report = report_of(finding(3), finding(5, number=2), finding(6, number=2))
    assert report.choice == (
        "There seem to be 2 mistakes: one in line 3, and one in either line 5 or line 6."
    )
    report = report_of(finding(3), finding(3, expression="a + 2", number=2))
    assert report.choice == "There seem to be 2 mistakes: both in line 3."


@pytest.mark.parametrize(
    "findings",
    [
        (),
        (finding(3),),
        (finding(3), finding(5, rank=2)),
        (finding(3), finding(3, expression="a + 2")),
        (Finding("a", "da", 1, "A."), Finding("b", "da", 1, "B.")),
    ],
)
def test_where_there_is_nothing_to_choose_nothing_is_said(findings):
    assert report_of(*findings).choice == ""


def test_without_a_known_text_the_message_stands_alone():
    known = finding(3)
    bare = replace(known, source="a + 1")
    assert len(str(report_of(known)).splitlines()) == len(str(report_of(bare)).splitlines()) + 2


def test_both_of_two_mistakes_are_shown_and_neither_is_said_to_be_the_only_one():
    gradient = from_cell(
        "def gradient(w, x, v):\n"
        "    e = w * x\n"
        "    dw = e * x\n"
        "    dv = 3 * np.cos(v)\n"
        "    return dw, 2 * e * w, dv\n"
    )

    def loss(w, x, v):
        return np.sum((w * x) ** 2) + np.sum(np.sin(v))

    args = np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([0.3, 0.4, 0.5])
    report = bp.check_gradient(loss, gradient, *args)
    text = " ".join(str(report).split())
    assert report.choice.startswith("There seem to be 2 mistakes: ")
    assert {each.number for each in report.findings if each.line in (3, 4)} == {1, 2}
    assert "one in line 4, and one in line 3" in text
    assert "With it, every gradient is right." not in text
    vague = str(bp.check_gradient(loss, gradient, *args, hints="vague"))
    assert "Two expressions together explain all that is wrong." in vague


@pytest.mark.parametrize("factor", [1 + 3e-6, 0.99995345, 2.0001, -1.00001, 0.500004, 5 / 7, -1e-3])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e12])
def test_a_number_that_is_wrong_never_reads_as_the_right_one(factor, scale):
    right = np.array([1.0, 2.0, -3.0]) * scale
    report = bp.check_gradient(lambda x: x @ right, right * factor, np.ones(3))
    (finding,) = report.findings
    one, other = re.search(r"is (\S+), expected (\S+) ", str(report)).groups()
    assert one != other
    said = float(Fraction(re.search(r"is (\S+) times", finding.message)[1].replace("−", "-")))
    assert said not in (1, -1, 2, 0.5)
    assert said == pytest.approx(factor, rel=1e-3)


@pytest.mark.parametrize("factor", [1 + 3e-6, 1.9459, 1 / 7.0001, 60_000.02, 12_345_678.5])
def test_a_number_to_multiply_by_makes_the_gradient_right(factor):
    x = np.array([1.1, 2.3])

    def f(x):
        return np.sum(x**2) * factor

    def gradient(x):
        return 2 * x

    (finding,) = bp.check_gradient(f, gradient, x).findings
    number = eval(re.fullmatch("multiply it by (.*)", finding.repair)[1])
    assert bp.check_gradient(f, gradient(x) * number, x).ok

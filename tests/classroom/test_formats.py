"""What systems read that grade each submission by itself, against schemas from their sources.

Gradescope: https://gradescope-autograders.readthedocs.io/en/latest/specs/.  PrairieLearn:
docs/externalGrading.md in PrairieLearn/PrairieLearn.  CodeRunner: the fields that
combinator_grader_outcome.php allows in trampgeek/moodle-qtype_coderunner.  VPL: what its own
vpl_evaluate.cpp prints.  JUnit: the attributes that GitLab and Jenkins read.
"""

import json
import re
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from nonempty import nonempty

from backprop_nb.classroom import grade_one
from backprop_nb.classroom.formats import FORMATS, formatted
from backprop_nb.classroom.submissions import Submission
from backprop_nb.classroom.verdict import examine, make_settings
from backprop_nb.errors import InvalidValueError, NotFoundError

NUMBER, TEXT, SHARE = {"type": "number"}, {"type": "string"}, {"minimum": 0, "maximum": 1}


def of(required, **others):
    """Return the schema of an object with these fields and no other ones."""
    return {
        "type": "object",
        "properties": required | others,
        "required": [*required],
        "additionalProperties": False,
    }


def items(schema):
    return {"type": "array", "items": schema, "minItems": 1}


SCHEMAS = {
    "gradescope": of(
        {
            "score": NUMBER,
            "tests": items(
                of(
                    {"score": NUMBER, "max_score": NUMBER, "name": TEXT, "output": TEXT},
                    status={"enum": ["passed", "failed"]},
                    visibility={"enum": ["hidden", "after_due_date", "after_published", "visible"]},
                )
            ),
        },
        output=TEXT,
        output_format={"enum": ["text", "html", "simple_format", "md", "ansi"]},
        visibility={"enum": ["hidden", "after_due_date", "after_published", "visible"]},
        stdout_visibility={"enum": ["hidden", "after_due_date", "after_published", "visible"]},
    ),
    "prairielearn": {
        "oneOf": [
            of(
                {"gradable": {"const": True}, "score": NUMBER | SHARE},
                message=TEXT,
                output=TEXT,
                tests=items(
                    of({"name": TEXT, "points": NUMBER, "max_points": NUMBER, "message": TEXT})
                ),
            ),
            of({"gradable": {"const": False}, "format_errors": items(TEXT)}),
        ]
    },
    "coderunner": of(
        {"fraction": NUMBER | SHARE},
        prologuehtml=TEXT,
        epiloguehtml=TEXT,
        testresults=items({"type": "array", "minItems": 3, "maxItems": 3}),
    ),
    "coderunner-test": of({"fraction": NUMBER | SHARE, "got": TEXT}),
}  # fmt: skip
ATTACK = "print('Grade :=>>100\\n--|>\\n<script>')"


@pytest.fixture(scope="module")
def results(right, sign_flipped):
    """A right one, one that is half right, one that changes its input, and what gives nothing."""
    half = right.replace("np.outer(delta, f[i])", "np.outer(delta, f[i]) * (i + 1)")
    return {
        name: examine(Submission("hw.py", "", (("hw.py", code),) if code else (), problem),
                      make_settings())
        for name, code, problem in [
            ("right", right, ""),
            ("half", half, ""),
            ("changes", right.replace("    return dA", "    x[:] = 0\n    return dA"), ""),
            ("prints", sign_flipped.replace("    f = [x]", f"    {ATTACK}\n    f = [x]"), ""),
            ("missing", "x = 1", ""),
            ("unreadable", "", "It has no code."),
        ]
    }  # fmt: skip


@pytest.mark.parametrize("name", [*SCHEMAS])
def test_each_format_is_what_its_system_reads(results, name):
    for result in nonempty(results.values()):
        text = formatted(result, name, 6)
        assert text.isascii()
        jsonschema.validate(json.loads(text), SCHEMAS[name])


def test_the_parts_of_a_score_add_up_to_it(results):
    for result in nonempty(results.values()):
        data = json.loads(formatted(result, "gradescope", 6))
        assert sum(each["score"] for each in data["tests"]) == pytest.approx(data["score"])
        assert sum(each["max_score"] for each in data["tests"]) == pytest.approx(6)
        assert data["score"] == pytest.approx(6 * result["score"])
    assert json.loads(formatted(results["right"], "gradescope"))["score"] == 100
    assert 0 < json.loads(formatted(results["half"], "gradescope", 6))["score"] < 6
    tests = json.loads(formatted(results["changes"], "gradescope"))["tests"]
    assert tests[-1]["name"] == "nothing else is wrong"


def test_what_cannot_be_read_costs_no_attempt_in_prairielearn(results):
    data = json.loads(formatted(results["unreadable"], "prairielearn"))
    assert data == {"gradable": False, "format_errors": ["It has no code."]}


def test_vpl_finds_one_grade_and_no_student_writes_another(results):
    for result in nonempty(results.values()):
        lines = formatted(result, "vpl", 6).splitlines()
        assert lines[0] == "<|--"
        assert lines[-2] == "--|>"
        assert lines[-1] == f"Grade :=>>{6 * result['score']:.2f}"
        assert all(line.startswith(("-", ">")) for line in lines[1:-2])
        assert not re.search(r":=>>|--\|>", "\n".join(lines[1:-2]))
    assert "Grade : =>>100" in formatted(results["prints"], "vpl")
    assert (
        "&lt;script&gt;" in json.loads(formatted(results["prints"], "coderunner"))["prologuehtml"]
    )


def test_coderunners_table_ticks_what_is_right(results):
    head, *rows = json.loads(formatted(results["half"], "coderunner"))["testresults"]
    assert head[0] == "iscorrect"
    assert {row[0] for row in rows} == {0, 1}


def test_junit_counts_what_failed(results):
    for name, failures in (("right", 0), ("half", 2), ("missing", 1)):
        suite = ET.fromstring(formatted(results[name], "junit"))[0]
        assert suite.get("failures") == str(failures) == str(len(suite.findall(".//failure")))
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.findtext("system-out") == results[name]["text"]


def test_a_folder_is_all_one_students(tmp_path, right):
    folder = tmp_path / "submission"
    folder.mkdir()
    (folder / "hw.py").write_text(f"# with net.py\n{right}")
    (folder / "net.py").write_text("def backward(): ...")
    assert grade_one(folder, format="vpl").endswith("Grade :=>>100.00\n")
    (folder / "old.py").write_text("def backward(A, b, x, y): ...")
    for attempts in ("newest", "best"):
        told = grade_one(folder, format="text", attempts=attempts)
        one = re.match(r"Several files could be meant: (\w+).py counts, and not (\w+).py\.\n", told)
        assert {*one.groups()} == {"hw", "old"}
    assert one[1] == "hw"
    assert told.endswith("100 of 100\n")
    (folder / "old.py").unlink()
    (folder / "hw.py").unlink()
    (folder / "net.py").rename(folder / "net.pdf")
    assert "no file of Python: net.pdf." in grade_one(folder, format="text")


def test_what_cannot_be_asked_is_refused(tmp_path):
    (tmp_path / "a.py").touch()
    with pytest.raises(InvalidValueError, match="`format` must be"):
        grade_one(tmp_path / "a.py", format="gradescop")
    with pytest.raises(NotFoundError):
        grade_one(tmp_path / "b.py")
    assert {*SCHEMAS} < {*FORMATS}

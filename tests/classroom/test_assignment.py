"""What a teacher's call says on the course is read, and never run."""

import json

import pytest

from backprop_nb.classroom.assignment import options_in
from backprop_nb.classroom.grading import grade
from backprop_nb.errors import InvalidValueError, NotFoundError


@pytest.fixture
def said(tmp_path):
    """Return what is read from a file with some text in it."""

    def read(text, name="assignment.py"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return options_in(file)

    return read


@pytest.mark.parametrize(
    "call", ["bp.check_backward", "check_backward", "backprop_nb.checking.check_backward"]
)
def test_a_call_is_found_by_whatever_name(said, call):
    text = f"def test():\n    {call}(grads, names=[['a', 'b'], ['c', 'd']], l2=-1).raise_if_wrong()"
    assert said(text) == {"names": [["a", "b"], ["c", "d"]], "l2": -1, "function": "grads"}


def test_what_grading_has_of_its_own_is_left_out(said):
    text = "bp.check_backward(model.grad, hints='vague', seed=3, seconds=1, half=True)"
    assert said(text) == {"half": True}


def test_a_notebook_is_read_with_its_magics(said):
    sources = ["%matplotlib inline", "!ls", "check_backward(backward=mine, samples='rows')"]
    cells = [{"cell_type": "code", "source": each} for each in sources]
    notebook = json.dumps({"cells": [*cells, {"cell_type": "markdown", "source": "check"}]})
    assert said(notebook, "a.ipynb") == {"samples": "rows", "function": "mine"}


def test_calls_that_differ_in_hints_and_seeds_say_one_thing(said):
    one = "check_backward(backward, samples='rows', hints='vague')"
    other = "check_backward(backward, samples='rows', seed=68)"
    assert said(f"{one}\n{other}") == {"samples": "rows", "function": "backward"}
    with pytest.raises(InvalidValueError, match="two calls that say different things"):
        said(f"{one}\n{other.replace('rows', 'columns')}")


def test_nothing_in_the_file_runs(said):
    assert said("raise SystemExit\ncheck_backward(f)") == {"function": "f"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("check_backward(f, samples=WAY)", "samples=WAY"),
        ("check_backward(f, l2=1 / 2)", "l2=1 / 2"),
        ("check_backward(f, **options)", r"\*\*options"),
        ("# a page\n\nof text", "not Python"),
        ("", "no code"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_was_given(said, text, words):
    with pytest.raises(InvalidValueError, match=words):
        said(text)


def test_a_file_without_a_call_or_no_file_is_refused(said, tmp_path):
    with pytest.raises(NotFoundError, match="no call that says"):
        said("print('check_backward')")
    with pytest.raises(NotFoundError, match="`course` must be a file"):
        options_in(tmp_path)


def test_a_class_is_graded_by_its_assignment_and_an_option_wins(tmp_path, right):
    assignment, folder = tmp_path / "assignment.py", tmp_path / "in"
    assignment.write_text("check_backward(backward, half=True)", encoding="utf-8")
    folder.mkdir()
    (folder / "ada.py").write_text(right, encoding="utf-8")
    quietly = {"scheduler": "threads", "progress": False, "course": assignment}
    halved = grade(folder, tmp_path / "out", **quietly)
    whole = grade(folder, tmp_path / "out", half=False, **quietly)
    assert (halved.summary["right"], whole.summary["right"], whole.kept) == (0, 1, 0)

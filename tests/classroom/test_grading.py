"""A class from a folder to its summary; the second run grades what has changed."""

import json
import re
from unittest import mock

import pytest
from nonempty import nonempty

from backprop_nb.classroom import grade, grading
from backprop_nb.errors import InvalidValueError, NotFoundError

QUIETLY = {"scheduler": "threads", "workers": 1, "progress": False}


@pytest.fixture
def folder(tmp_path, right, sign_flipped):
    folder = tmp_path / "submissions"
    (folder / "bob").mkdir(parents=True)
    (folder / "ada.py").write_text(right)
    (folder / "bob/bob.py").write_text(sign_flipped)
    (folder / "eve.py").write_text("x = ")
    return folder


def test_everything_that_was_promised_is_written(folder, tmp_path):
    out = tmp_path / "out"
    graded = grade(folder, out, **QUIETLY)
    files = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert {each for each in files if not each.startswith("results/")} == {
        "summary.json",
        "summary.csv",
        "summary.html",
        *(
            f"feedback/{name}.{ending}"
            for name in ("ada.py", "bob/bob.py", "eve.py")
            for ending in ("txt", "html")
        ),
    }
    assert len(list((out / "results").iterdir())) == 3
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == graded.summary
    assert "right, all 6 gradients" in (out / "feedback/ada.py.txt").read_text(encoding="utf-8")
    assert "eve.py raised SyntaxError" in (out / "feedback/eve.py.txt").read_text(encoding="utf-8")
    assert "33 % (1 of 3) have every gradient right." in str(graded)


def test_a_class_that_forgot_a_factor_at_one_layer_reads_so_everywhere(tmp_path, right):
    """In the sentence, in the heat map, in the table, and in each student's feedback."""
    folder, out = tmp_path / "submissions", tmp_path / "out"
    folder.mkdir()
    slope = "f[i] * (1 - f[i])"
    assert right.count(slope) == 1
    # σ′ at layer i is multiplied to δ on the way through A[i].
    sources = [
        *[right] * 2,
        *[right.replace(slope, f"(1 if i == 1 else {slope})")] * 4,
        right.replace(slope, f"(1 if i == 2 else {slope})"),
        right.replace(slope, "1"),
    ]
    for k, source in enumerate(sources):
        (folder / f"s{k}.py").write_text(source)
    graded = grade(folder, out, with_names=True, **QUIETLY)
    assert graded.summary["sentences"] == [
        "25 % (2 of 8) have every gradient right.",
        "50 % (4 of 8): σ′ is missing at layer 1.",
        "12 % (1 of 8): σ′ is missing at layer 2.",
        "12 % (1 of 8): σ′ is missing in the hidden layers.",
    ]
    page = (out / "summary.html").read_text(encoding="utf-8")
    some, every = re.findall(r'<tr><th scope="row">(σ′ is missing .*?)</tr>', page, re.DOTALL)
    assert re.findall(r"<b>(\d)</b>|>(0)<", some) == [("4", ""), ("1", ""), ("", "0"), ("5", "")]
    assert re.findall(r"<b>(\d)</b>|>(0)<", every) == [("1", ""), ("1", ""), ("", "0"), ("1", "")]
    assert page.count("<td>σ′ is missing at layer 1</td>") == 4
    feedback = (out / "feedback/s2.py.txt").read_text(encoding="utf-8")
    assert "dA[0]: consistent with “σ′ is missing at layer 1”" in feedback


def test_a_second_run_grades_what_has_changed_and_forced_it_grades_all(folder, tmp_path, right):
    out = tmp_path / "out"
    assert grade(folder, out, **QUIETLY).new == 3
    again = grade(folder, out, **QUIETLY)
    assert (again.new, again.kept) == (0, 3)
    (folder / "eve.py").write_text(right)
    changed = grade(folder, out, **QUIETLY)
    assert (changed.new, changed.kept, changed.summary["right"]) == (1, 2, 2)
    assert grade(folder, out, force=True, **QUIETLY).new == 3


def test_two_runs_give_the_same_bytes(folder, tmp_path):
    for out in ("one", "two"):
        grade(folder, tmp_path / out, with_names=True, **QUIETLY)
    for path in nonempty((tmp_path / "one").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")
                                     ).read_bytes()  # fmt: skip


def test_two_runs_into_one_folder_at_once_are_refused(folder, tmp_path):
    out = tmp_path / "out"

    def meanwhile(*arguments):
        with pytest.raises(InvalidValueError, match="Another run") as caught:
            grade(folder, out, **QUIETLY)
        assert "another folder" in caught.value.instead
        yield from run(*arguments)

    run = grading.run
    with mock.patch.object(grading, "run", meanwhile):
        assert grade(folder, out, **QUIETLY).new == 3
    assert grade(folder, out, **QUIETLY).kept == 3


def test_a_place_where_nothing_can_be_written_is_told_before_anything_runs(folder):
    with pytest.raises(InvalidValueError, match="it is a file") as caught:
        grade(folder, folder / "ada.py", **QUIETLY)
    assert caught.value.given
    with pytest.raises(InvalidValueError, match="`out` must be a folder to write in"):
        grade(folder, "/proc/nowhere", **QUIETLY)


def test_an_interrupt_keeps_what_is_done(folder, tmp_path):
    out = tmp_path / "out"

    def interrupted(*arguments):
        for k, each in enumerate(run(*arguments)):
            if k == 2:
                raise KeyboardInterrupt
            yield each

    run = grading.run
    with mock.patch.object(grading, "run", interrupted), pytest.raises(KeyboardInterrupt):
        grade(folder, out, **QUIETLY)
    assert len(list((out / "results").iterdir())) == 2
    assert grade(folder, out, **QUIETLY).new == 1


def test_what_could_not_be_graded_is_named_and_tried_again(folder, tmp_path):
    out = tmp_path / "out"

    def failing(*_):
        yield 1, "OSError: no room"

    with mock.patch.object(grading, "run", failing):
        graded = grade(folder, out, **QUIETLY)
    assert graded.lost == {"bob/bob.py": "OSError: no room"}
    assert "Not graded: 1." in str(graded)
    page = (out / "summary.html").read_text(encoding="utf-8")
    assert "Not included, because they have no result yet: 1." in page
    assert grade(folder, out, **QUIETLY).new == 3


def test_results_inside_of_the_submissions_are_no_submissions(folder):
    assert grade(folder, folder / "out", **QUIETLY).new == 3
    assert grade(folder, folder / "out", **QUIETLY).kept == 3


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("samples", "row", '`samples` must be "single", "column", "rows" or "columns".'),
        ("hints", "all", '`hints` must be "none", "vague", "clear" or "plain".'),
        ("layers", 0, "`layers` must be at least 1."),
        ("layers", 99, "`layers` must be at most 20."),
        ("seed", -1, "`seed` must be at least 0."),
        ("timeout", 0, "`timeout` must be above 0 and at most 86400 seconds, a day."),
        ("memory", 10, "`memory` must be at least 256 megabytes: Python and NumPy need them."),
        ("workers", 0, "`workers` must be at least 1."),
        ("function", "my function", "`function` must be the name of a function."),
    ],
)
def test_an_option_that_cannot_be_is_refused_before_anything_runs(
    folder, tmp_path, option, value, problem
):
    with pytest.raises(InvalidValueError) as caught:
        grade(folder, tmp_path / "out", **QUIETLY | {option: value})
    assert caught.value.problem == problem
    assert repr(value) in caught.value.given
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(NotFoundError, match="`submissions` must be a folder"):
        grade(tmp_path / "nowhere", tmp_path / "out", **QUIETLY)

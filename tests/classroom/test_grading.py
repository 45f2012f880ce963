"""A class from a folder to its summary; the second run grades what has changed."""

import json
import re
import zipfile
from unittest import mock

import pytest
from nonempty import nonempty

from backprop_nb.classroom import grade, grade_one, grading
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
        "grades/grades.csv",
        *(
            f"feedback/{name}.{ending}"
            for name in ("ada.py", "bob/bob.py", "eve.py")
            for ending in ("txt", "html")
        ),
    }
    assert len(list(out.glob("results/*.json"))) == 3
    assert json.loads((out / "summary.json").read_text(encoding="utf-8")) == graded.summary
    assert "right, all 6 gradients" in (out / "feedback/ada.py.txt").read_text(encoding="utf-8")
    assert "eve.py raised SyntaxError" in (out / "feedback/eve.py.txt").read_text(encoding="utf-8")
    assert "33 % (1 of 3) have every gradient right." in str(graded)


PACKAGES = [
    {"hw/__init__.py": "", "hw/a.py": "from hw.b import backward", "hw/b.py": "{}"},
    {"hw/__init__.py": "", "hw/a.py": "from .b import backward", "hw/b.py": "{}"},
    {"src/hw/a.py": "from hw.b import backward", "src/hw/b.py": "{}"},
    {"src/hw/a.py": "from src.hw.b import backward", "src/hw/b.py": "{}"},
    {"hw/a.py": "from ..net.b import backward", "net/__init__.py": "", "net/b.py": "{}"},
    {"__init__.py": "", "a.py": "from .b import backward", "b.py": "{}"},
    {"a.py": "from hw.b import backward", "hw/__init__.py": "from .b import *", "hw/b.py": "{}"},
    {"hw/__init__.py": "from .b import backward", "hw/b.py": "{}"},
]


@pytest.mark.parametrize("files", PACKAGES)
def test_a_package_is_imported_as_its_student_does(tmp_path, right, files):
    archive = tmp_path / "ada.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text.replace("{}", right))
    assert json.loads(grade_one(archive, format="gradescope"))["score"] == 100


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
    assert page.count(">σ′ is missing at layer 1</td>") == 4
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


def test_what_is_withdrawn_leaves_nothing_behind(folder, tmp_path):
    out = tmp_path / "out"
    grade(folder, out, **QUIETLY)
    (folder / "ada.py").unlink()
    (out / "results/other.json").write_text('{"submission": "../../in/bob/bob.py"}')
    assert grade(folder, out, **QUIETLY).summary["students"] == 2
    assert not [*out.glob("feedback/ada*")]
    assert len([*out.glob("results/*.json")]) == 2
    assert (folder / "bob/bob.py").is_file()


def test_a_class_as_moodle_delivers_it_goes_back_with_points_and_feedback(tmp_path, right):
    folder, out = tmp_path / "in", tmp_path / "out"
    wrong = right.replace("np.outer(delta, f[i])", "np.outer(delta, f[i]) * (1 + i)")
    label = "_assignsubmission_file_"
    for name, files in {
        f"Ada L_11{label}": {"hw.py": f"# with tools.py\n{right}", "tools.py": ""},
        f"Bob B_12{label}": {"hw.py": right, "hw(1).py": wrong},
        f"Carl C_13{label}": {"hw.pdf": ""},
        f"Eve E_99{label}": {"hw.py": "x ="},
    }.items():
        (folder / name).mkdir(parents=True)
        for file, text in files.items():
            (folder / name / file).write_text(text)
    sheet = (
        "Identifier,Full name,Status,Grade,Maximum Grade,Last modified (grade)\n"
        "Participant 11,Ada Lovelace,Submitted,,6.00,-\n"
        "Participant 12,Bob B,Submitted,,6.00,-\n"
        "Participant 13,Carl C,Submitted,,6.00,-\n"
        "Participant 14,Dora D,No submission,,6.00,-\n"
    )
    roster = tmp_path / "worksheet.csv"
    roster.write_text(sheet, encoding="utf-8-sig")
    graded = grade(folder, out, points=6, roster=roster, **QUIETLY)
    filled = sheet.replace("Ada Lovelace,Submitted,", "Ada Lovelace,Submitted,6").replace(
        "Bob B,Submitted,", "Bob B,Submitted,4"
    )
    assert (out / "grades/moodle.csv").read_text(encoding="utf-8-sig") == filled
    lines = (out / "grades/grades.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.partition("file_/")[2] or line for line in lines[1:4]] == [
        "hw.py,6,6,right,",
        'hw(1).py,4,6,"Wrong, and no mistake of the catalogue",',
        "13,Carl C,,,6,nothing to grade,There is no notebook and no file of Python: hw.pdf.",
    ]
    assert lines[4] == "14,Dora D,,,6,nothing handed in,Nothing handed in."
    assert lines[5].endswith("An error stops the code before the function is defined. "
                             "Not in the roster.")  # fmt: skip
    with zipfile.ZipFile(out / "grades/moodle-feedback.zip") as archive:
        names = archive.namelist()
        assert "right, all 6 gradients" in archive.read(names[0]).decode()
    assert names == [f"{who}_assignfeedback_file_/feedback.html"
                     for who in ("Ada L_11", "Bob B_12", "Eve E_99")]  # fmt: skip
    assert graded.summary["students"] == 3
    assert "\n4 handed in, 3 graded.\n" in str(graded)
    assert '<p class="muted">4 handed in, 3 graded.</p>' in (out / "summary.html").read_text()
    assert [each["why"] for each in graded.summary["left_out"]] == [
        "A helper that another file imports",
        "An older attempt",
        "Neither a notebook nor Python",
    ]
    assert "To be looked at by hand: 3." in str(graded)
    assert "Ada" not in (out / "summary.html").read_text(encoding="utf-8")


def test_the_best_of_several_attempts_counts_if_that_is_the_rule(tmp_path, right, sign_flipped):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "ada.py").write_text(right)
    (folder / "ada(1).py").write_text(sign_flipped)
    newest = grade(folder, tmp_path / "one", **QUIETLY)
    best = grade(folder, tmp_path / "two", attempts="best", **QUIETLY)
    for graded, right_ones in ((newest, 0), (best, 1)):
        assert (graded.summary["students"], graded.summary["right"]) == (1, right_ones)
    assert best.new == 2


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
    assert len(list(out.glob("results/*.json"))) == 2
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
        ("points", 0, "`points` must be a positive number."),
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
    with pytest.raises(NotFoundError, match=r"There is no file.*nowhere"):
        grade(tmp_path / "nowhere", tmp_path / "out", **QUIETLY)

"""The real otter makes the student's version from the same source, and grades as nbgrader does."""

import json
import math
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from nonempty import nonempty

pytestmark = pytest.mark.slow

STUDENT = 'student = "teacher"'

# What ``otter run`` calls, for one submission after the other without starting anew.
AT_THE_SAME_TIME = 2
RUN = """
import json, sys
from otter.run import main
for student in sys.argv[2:]:
    try:
        results = main(f"{student}.ipynb", autograder=sys.argv[1], output_dir=None, no_logo=True)
        files = results.results.items()
        scores = {name: each.score for name, each in files}
        said = {name: [case.message for case in each.test_case_results] for name, each in files}
    except Exception:
        scores = said = None
    with open(f"{student}.json", "w") as file:
        json.dump([scores, said], file)
"""


@pytest.fixture(scope="module")
def assigned(tmp_path_factory, environment, make_otter):
    """The folder in which ``otter assign`` has worked.

    The correct submission shows that the solutions pass, so they are not run here too.
    """
    folder = tmp_path_factory.mktemp("otter")
    make_otter.main(str(folder / "backprop.ipynb"))
    command = [sys.executable, "-m", "otter", "assign", "--no-run-tests"]
    command += ["backprop.ipynb", "dist"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def graded(assigned, environment, submissions, solutions):
    """For each student the points by question, and what each test case says."""
    for student, answers in submissions.items():
        notebook = nbformat.read(assigned / "dist/student/backprop.ipynb", as_version=4)
        cells = [c for c in notebook.cells if "otter_answer_cell" in c.metadata.get("tags", [])]
        for question, cell in zip(solutions, cells, strict=True):
            cell.source = answers.get(question, cell.source)
        for cell in notebook.cells:
            cell.source = cell.source.replace(STUDENT, f'student = "{student}"')
        nbformat.write(notebook, assigned / f"{student}.ipynb")
    [autograder] = (assigned / "dist/autograder").glob("*.zip")
    command = [sys.executable, "-c", RUN, str(autograder)]
    running = [
        subprocess.Popen(
            [*command, *list(submissions)[k::AT_THE_SAME_TIME]],
            cwd=assigned,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for k in range(AT_THE_SAME_TIME)
    ]
    assert [process.wait() for process in running] == [0] * AT_THE_SAME_TIME
    return {
        student: json.loads((assigned / f"{student}.json").read_text(encoding="utf-8"))
        for student in submissions
    }


def test_the_students_version_has_neither_solutions_nor_hidden_tests(assigned):
    text = (assigned / "dist/student/backprop.ipynb").read_text(encoding="utf-8")
    for secret in ("SOLUTION", "somebody else", "seed=68", "np.outer(delta"):
        assert secret not in text
    assert not any(cell.get("outputs") for cell in nbformat.reads(text, as_version=4).cells)
    with_all = (assigned / "dist/autograder/backprop.ipynb").read_text(encoding="utf-8")
    assert "seed=68" in with_all


def test_the_scores_are_those_of_the_package_and_so_those_of_nbgrader(graded, scores):
    for student, expected in nonempty(scores.items()):
        # Whole points only: what is lost for changed arguments is rounded up to one.
        whole = expected and {name: math.floor(points) for name, points in expected.items()}
        assert graded[student][0] == whole, student


def test_a_student_reads_the_report_and_what_a_function_did(graded):
    shown = graded["wrong"][1]["backward"][0]
    assert "AssertionError: backward: 2 of 6 gradients right.\n" in shown
    assert "The last\nlayer is right." in shown
    assert "ZeroDivisionError: division by zero" in graded["wrong"][1]["loss"][0]
    assert "still running after 2 s" in graded["endless"][1]["forward"][0]
    assert "OutOfTime: no answer after 1 s" in graded["endless"][1]["backward"][0]
    assert "ended by the signal SIGSEGV" in graded["crashing"][1]["sigmoid"][0]
    assert "ended with exit code 1" in graded["crashing"][1]["backward"][0]


def test_every_point_of_the_notebook_is_one_of_otters(source, make_otter):
    points = {}
    for cell in source.cells:
        about = cell.metadata.get("nbgrader", {})
        if about.get("grade") and not about["solution"]:
            cases = list(make_otter.cases(cell.source, about["points"]))
            points[about["grade_id"]] = sum("points: 1\n" in case for case in cases)
            assert points[about["grade_id"]] == about["points"]
            # The same numbers give the same points in both, to the last digit.
            for score in [k / about["points"] for k in range(int(about["points"]) + 1)]:
                assert (about["points"] * score).is_integer()
    assert sum(points.values()) == 26


def test_a_check_that_raises_for_the_hidden_numbers_gives_no_point(make_otter):
    hidden = "### BEGIN HIDDEN TESTS\nreport = given(1)\n### END HIDDEN TESTS\n"
    cases = make_otter.cases(f"report = given(0)\n{hidden}2 * report.score", 2)
    space = {}
    for case in cases:
        exec(case.split("# END TEST CONFIG\n")[1], space)

    def given(number):
        if number:
            raise ZeroDivisionError
        return SimpleNamespace(ok=True, score=1.0)

    space["shown"](given)
    with pytest.raises(ZeroDivisionError):
        space["with_other_numbers"](given)
    for point in ("point_1", "point_2"):
        with pytest.raises(NameError):
            space[point]()


@pytest.mark.parametrize("last", ["5 * report.score", "report.score", "6 * score"])
def test_a_test_that_does_not_end_with_its_points_is_refused(make_otter, last):
    with pytest.raises(ValueError, match=r"ends with 6 \* report\.score"):
        list(make_otter.cases(f"report = 1\n{last}", 6))

"""The real nbgrader makes the student's version, grades submissions and writes feedback."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[2] / "notebooks" / "assignment" / "backprop.ipynb"
STUDENT = 'student = "teacher"'


@pytest.fixture(scope="module")
def course(tmp_path_factory, environment):
    """A course whose assignment has been generated; it runs nbgrader."""
    folder = tmp_path_factory.mktemp("course")
    place = folder / "source" / "backprop"
    place.mkdir(parents=True)
    shutil.copy(SOURCE, place)
    course = Course(folder, environment)
    course.nbgrader("generate_assignment")
    return course


class Course:
    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment

    def nbgrader(self, command, check=True):
        """Run a command of nbgrader's on the assignment."""
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", command, "backprop"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    @property
    def released(self):
        return nbformat.read(self.folder / "release/backprop/backprop.ipynb", as_version=4)

    def hand_in(self, student, answers):
        notebook = self.released
        for cell in notebook.cells:
            cell.source = cell.source.replace(STUDENT, f'student = "{student}"')
            question = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(question, cell.source)
        path = self.folder / "submitted" / student / "backprop" / "backprop.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def graded(course, submissions):
    """The course after autograding; and what nbgrader said to it."""
    for student, answers in submissions.items():
        course.hand_in(student, answers)
    said = course.nbgrader("autograde", check=False).stderr
    course.nbgrader("generate_feedback")
    return course, said


def test_the_students_version_has_neither_solutions_nor_hidden_tests(course, source):
    text = "\n".join(cell.source for cell in course.released.cells)
    assert "BEGIN" not in text
    assert "somebody else" not in text
    assert "seed=68" not in text
    assert text.count("NotImplementedError") == 7
    assert len(course.released.cells) == len(source.cells)
    assert not any(cell.get("outputs") for cell in course.released.cells)


def test_the_scores_are_those_of_the_package(graded, submissions, scores):
    from nbgrader.api import Gradebook

    course, _ = graded
    got = {}
    with Gradebook(f"sqlite:///{course.folder / 'gradebook.db'}") as gradebook:
        assert gradebook.find_assignment("backprop").max_score == 30
        for student in scores:
            notebook = gradebook.find_submission_notebook("backprop", "backprop", student)
            points = {grade.name: grade.auto_score for grade in notebook.grades}
            # An answer that was not touched needs no reading.
            reflection = points.pop("reflection")
            assert reflection == (0.0 if student in ("empty", "replacing") else None)
            graded = {name.removeprefix("test-"): score for name, score in points.items()}
            got[student] = None if set(graded.values()) == {None} else graded
    for student, expected in scores.items():
        assert got[student] == (expected and pytest.approx(expected)), student


def test_a_kernel_that_ends_is_said_and_hurts_nobody_else(graded, submissions):
    course, said = graded
    assert "for student 'leaving'" in said
    there = (course.folder / "autograded").glob("*/backprop/backprop.ipynb")
    assert {path.parts[-3] for path in there} == set(submissions) - {"leaving"}


def test_the_feedback_holds_the_report_and_not_the_solution(graded):
    course, _ = graded
    pages = {
        path.parts[-3]: path.read_text(encoding="utf-8")
        for path in (course.folder / "feedback").glob("*/backprop/backprop.html")
    }
    assert "The last layer is right." in pages["wrong"]
    assert "backward: 2 of 6 gradients right" in pages["wrong"]
    assert "OutOfTime: no answer after 1 s" in pages["endless"]
    assert "still running after 2 s" in pages["endless"]
    assert "ZeroDivisionError" in pages["wrong"]
    assert "the process ended with exit code 1" in pages["crashing"]
    assert "the process ended by the signal SIGSEGV" in pages["crashing"]
    assert "backward: right, all 6 gradients" in pages["correct"]

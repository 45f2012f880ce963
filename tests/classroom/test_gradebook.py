"""Tables and zips that Moodle, Canvas and Blackboard take."""

import csv
import io
import re
import zipfile

import pytest
from nonempty import nonempty

from backprop_nb.classroom.gradebook import COLUMN, Line, as_csv, files_for, filled
from backprop_nb.classroom.owners import Student
from backprop_nb.classroom.roster import Roster
from backprop_nb.errors import InvalidValueError

ADA = Student("11", "Ada Lovelace", "moodle", "Ada Lovelace_11_")
BOB = Student("12", "bellbob", "canvas", "bellbob_LATE_12_900_")
EVE = Student("eve", "Eve van Dyk", "blackboard", "HW_eve_attempt_2026-01-02-13-14-15")


@pytest.fixture
def lines(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>right</p>")
    return [Line(each, "hw.py", "5.5", "right", feedback=page, row=k)
            for k, each in enumerate([ADA, BOB, EVE])]  # fmt: skip


def table(data):
    return [*csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))]


def test_each_platform_gets_the_columns_by_which_it_knows_a_student(lines):
    """As their importers ask for them: Moodle's by name, Canvas' ID, Blackboard's user name."""
    files = dict(files_for(lines, "6", None, COLUMN))
    head, row = table(files["moodle.csv"])
    assert {"Identifier", "Grade", "Last modified (grade)"} <= {*head}
    assert (row[0], row[head.index("Grade")]) == ("Participant 11", "5.5")
    head, possible, row = table(files["canvas.csv"])
    assert head == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", COLUMN]
    assert (possible[0].strip(), possible[-1]) == ("Points Possible", "6")
    assert (row[1], row[-1]) == ("12", "5.5")
    head, row = table(files["blackboard.csv"])
    assert row == ["Dyk", "Eve van", "eve", "5.5"]
    assert len(table(files["grades.csv"])) == 4


def test_feedback_has_the_names_by_which_platforms_know_a_student(lines):
    files = dict(files_for(lines, "6", None, COLUMN))
    names = {
        platform: zipfile.ZipFile(io.BytesIO(files[f"{platform}-feedback.zip"])).namelist()
        for platform in ("moodle", "canvas")
    }
    # Moodle: full name, number, kind and name of the plugin, between underscores.
    ((folder, _),) = (name.split("/") for name in names["moodle"])
    assert folder.split("_", 4) == ["Ada Lovelace", "11", "assignfeedback", "file", ""]
    # Canvas: the first two numbers between underscores are the student and the attachment.
    (name,) = names["canvas"]
    assert [each for each in name.split("_") if re.fullmatch(r"\d+", each)] == ["12", "900"]
    assert "blackboard-feedback.zip" not in files
    assert files == dict(files_for(lines, "6", None, COLUMN))


@pytest.mark.parametrize(
    ("header", "column", "where"),
    [
        (("Identifier", "Grade", "Maximum Grade"), COLUMN, 1),
        (("Teilnehmer", "Identifier", "Bewertung", "Grade"), "Grade", 3),
        (("Student", "ID", "Section", "HW (7)"), COLUMN, 3),
        (("Student", "ID", "Section", "HW (7)", "Quiz (8)"), "Quiz (8)", 4),
        (("Student", "ID", "Section"), COLUMN, 3),
        (("Username", "HW [Total Pts: 6 Score] |77"), COLUMN, 1),
        (("id", "name"), COLUMN, 2),
        (("id", "name", "points"), "points", 2),
    ],
)
def test_a_list_comes_back_with_the_points_and_is_otherwise_as_it_was(header, column, where):
    rows = (tuple(f"=a{k}" for k in range(len(header))), ("x",) * len(header))
    head, first, second = filled(Roster(header, rows), [Line(ADA, points="6", row=0)], column)
    assert head[where] == (header[where] if where < len(header) else column)
    assert (first[where], second[where]) == ("6", "x" if where < len(header) else "")
    assert [cell for k, cell in enumerate(first) if k != where] == [
        cell for k, cell in enumerate(rows[0]) if k != where
    ]


def test_who_has_no_points_keeps_what_is_there():
    roster = Roster(("Identifier", "Grade"), (("Participant 11", "4"),))
    assert filled(roster, [Line(ADA, row=0)], COLUMN)[1] == ["Participant 11", "4"]


@pytest.mark.parametrize("column", [COLUMN, "HW 3"])
def test_a_column_that_is_not_clear_is_asked_for(column):
    roster = Roster(("Student", "Section", "HW (7)", "Quiz (8)"), (("Ada", "A", "", ""),))
    with pytest.raises(InvalidValueError) as caught:
        filled(roster, [], column)
    assert "'HW (7)' or 'Quiz (8)'" in caught.value.expected


def test_a_spreadsheet_finds_no_formula_in_what_a_student_has_named():
    cells = ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "\tx"]
    (row,) = table(as_csv([cells]))
    for given, written in nonempty(zip(cells, row, strict=True)):
        assert written == f"'{given}"
    assert table(as_csv([["-", "a,b", "5"]])) == [["-", "a,b", "5"]]

"""A list of the class: whose it is, and who in it a file is from."""

import pytest

from backprop_nb.classroom.owners import Student
from backprop_nb.classroom.roster import read_roster
from backprop_nb.errors import InvalidValueError, NotFoundError

MOODLE = """Identifier,Full name,ID number,Grade
Participant 11,Ada Lovelace,12,
Participant 12,Bob Bell,11,
"""
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,HW 1 (77)
    Points Possible,,,,,6
"Lovelace, Ada",11,s11,alove,A,
"Bell, Bob",12,s12,bbell,A,
"Student, Test",99,,x,A,
"""
BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"HW [Total Pts: 6] |77"\nLovelace\tAda\ta_l\t\n'
)
OWN = (
    "name;email\nAda Lovelace;ada@uni.example\nBob Bell;bob@uni.example\nBob Bell;b2@uni.example\n"
)


def roster(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "roster.csv"
    path.write_text(text, encoding=encoding)
    return read_roster(path)


@pytest.mark.parametrize(
    ("text", "platform", "keys"),
    [
        (MOODLE, "moodle", ["11", "12"]),
        (CANVAS, "canvas", ["11", "12"]),
        (BLACKBOARD, "blackboard", ["a_l"]),
        (OWN, "", ["ada@uni.example", "bob@uni.example", "b2@uni.example"]),
    ],
)
def test_whose_it_is_and_who_is_in_it(tmp_path, text, platform, keys):
    read = roster(tmp_path, text)
    assert read.platform == platform
    assert [person.key for _, person in read.people()] == keys


@pytest.mark.parametrize(
    ("text", "student", "rows"),
    [
        (MOODLE, Student("11", "A. L."), {0}),  # not Bob, who has 11 in another column
        (MOODLE, Student("ada lovelace"), {0}),
        (CANVAS, Student("12", "bellbob"), {2}),
        (CANVAS, Student("lovelaceada"), {1}),
        (CANVAS, Student("alove"), {1}),
        (BLACKBOARD, Student("a_l"), {0}),
        (OWN, Student("ada"), {0}),
        (OWN, Student("Lovelace_Ada"), {0}),
        (OWN, Student("b2"), {2}),
        (OWN, Student("Bob Bell"), {1, 2}),
        (OWN, Student("carl"), set()),
    ],
)
def test_who_a_file_is_from(tmp_path, text, student, rows):
    assert roster(tmp_path, text).find(student) == rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_it_is_read_as_spreadsheets_write_it(tmp_path, encoding):
    read = roster(tmp_path, "id,name\n1,Zoë\n2\n", encoding)
    assert [person.name for _, person in read.people()] == ["Zoë", ""]
    assert read.rows[1] == ("2", "")


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(NotFoundError, match=r"There is no file.*nowhere"):
        read_roster(tmp_path / "nowhere.csv")
    for text in ("", "name\nAda\n", "id,name\n"):
        with pytest.raises(InvalidValueError, match="`roster` must be a table"):
            roster(tmp_path, text)

"""A line for every student, whatever became of what was handed in, and why to look at it."""

from pathlib import Path

import pytest

from backprop_nb.checking.convention import Course
from backprop_nb.classroom.attempts import Gathered, HandedIn
from backprop_nb.classroom.owners import Student
from backprop_nb.classroom.roster import Roster
from backprop_nb.classroom.sheet import check_points, sheet
from backprop_nb.errors import InvalidValueError

OUT = Path("out")
UNREADABLE = "The file cannot be read, or has no code"


def handed_in(*pairs, **parts):
    """Return files, each with its student."""
    files = (HandedIn(name, Student(key), Path(name), Path(), name) for name, key in pairs)
    return Gathered(tuple(files), **parts)


def result(name, score, outcome="answered"):
    return {
        "submission": name,
        "score": score,
        "ok": score == 1,
        "outcome": outcome,
        "findings": [],
        "borrowed": [],
        "feedback": f"feedback/{name}.html",
    }


def lines_of(given, results, lost=(), roster=None):
    _, lines = sheet(given, results, dict(lost), roster, 6, Course(), OUT)
    return [(each.student.key, each.file, each.points, each.said, each.look) for each in lines]


def test_the_best_of_a_students_results_counts_and_of_equal_ones_the_first():
    given = handed_in(("a.py", "ada"), ("b.py", "ada"), ("c.py", "ada"))
    scores = {"a.py": 0.5, "b.py": 1.0, "c.py": 1.0}
    counting, (line,) = sheet(
        given, [result(*each) for each in scores.items()], {}, None, 6, Course(), OUT
    )
    assert [each["submission"] for each in counting] == ["b.py"]
    assert (line.file, line.points, line.said) == ("b.py", "6", "right")
    assert line.feedback == OUT / "feedback/b.py.html"


def test_nobody_vanishes_and_it_says_who_is_to_be_looked_at():
    given = handed_in(
        ("a.py", "ada"), ("b.py", "bob"), ("c.py", "cy"),
        without={Student("dan"): "No code."}, unsure={"a.py": "It has no name."},
    )  # fmt: skip
    results = [result("a.py", 1), result("b.py", 0, "unreadable")]
    assert lines_of(given, results, {"c.py": "OSError: no room"}) == [
        ("ada", "a.py", "6", "right", "It has no name."),
        ("bob", "b.py", "", UNREADABLE, f"{UNREADABLE}."),
        ("cy", "c.py", "", "", "No result: OSError: no room"),
        ("dan", "", "", "nothing to grade", "No code."),
    ]


def test_the_same_file_of_two_students_is_noted_and_an_unchanged_one_is_not(tmp_path):
    texts = {"a": "one", "b": "one", "c": "two", "d": "blank", "e": "blank", "f": "one"}
    for key, text in texts.items():
        (tmp_path / key).write_text(text)
    owners = {key: key for key in texts} | {"f": "a"}  # another attempt
    given = Gathered(
        tuple(HandedIn(k, Student(owners[k]), tmp_path / k, tmp_path, k) for k in texts)
    )
    blank = {"outcome": "answered", "findings": [{"mistake": "not_written", "rank": 1}]}
    results = [
        result(key, 0.5) | ({"parameters": [], **blank} if text == "blank" else {})
        for key, text in texts.items()
    ]
    same = "The same file was handed in by others: {}."
    looks = {line[0]: line[-1] for line in lines_of(given, results)}
    assert looks == {"a": same.format("b"), "b": same.format("a"), "c": "", "d": "", "e": ""}


def test_what_was_graded_before_is_not_asked_for_by_what_was_lost_now():
    given = handed_in(("a.py", "ada"), ("b.py", "ada"))
    found = lines_of(given, [result("a.py", 1)], {"b.py": "OSError: no room"})
    assert found == [("ada", "a.py", "6", "right", "")]


def test_a_roster_has_who_has_handed_in_nothing_and_who_is_not_in_it():
    roster = Roster(("id", "name"), (("ada", "Ada L."), ("bob", "Bob"), ("cy", "Cy")))
    given = handed_in(("a.py", "ada"), ("b.py", "bob"), ("x.py", "xenia"), ("c.py", "bob"))
    results = [result(f"{name}.py", 1) for name in "abx"]
    assert [line[:1] + line[3:] for line in lines_of(given, results, {}, roster)] == [
        ("xenia", "right", "Not in the roster."),  # whose name is not known
        ("ada", "right", ""),
        ("bob", "right", ""),
        ("cy", "nothing handed in", "Nothing handed in."),
    ]


def test_two_that_may_be_the_same_person_are_looked_at():
    roster = Roster(("id", "name"), (("ada", "Ada"), ("bob", "Bob")))
    given = handed_in(("a.py", "ada"), ("b.py", "Ada"))
    looks = [
        line[-1] for line in lines_of(given, [result("a.py", 1), result("b.py", 1)], (), roster)
    ]
    assert looks.count("Several are Ada (ada) of the roster.") == 2
    assert looks[-1] == "Nothing handed in."


def test_who_stands_in_a_roster_twice_is_no_stranger_and_has_handed_in_something():
    roster = Roster(("id", "name"), (("ada", "Ada"), ("ada", "Ada"), ("bob", "Bob")))
    given = handed_in(("a.py", "ada"), ("b.py", "bob"))
    results = [result("a.py", 1), result("b.py", 1)]
    assert [line[:1] + line[3:] for line in lines_of(given, results, {}, roster)] == [
        ("ada", "right", "Several lines of the roster could be meant."),
        *[("ada", "perhaps ada", "Perhaps ada.")] * 2,
        ("bob", "right", ""),
    ]


@pytest.mark.parametrize("points", [0, -1, 1e6, float("nan")])
def test_points_that_cannot_be_are_refused(points):
    with pytest.raises(InvalidValueError):
        check_points(points)

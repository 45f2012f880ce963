"""That nobody is taken for somebody else, and that attempts are not taken for people."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backprop_nb.classroom.attempts import class_of
from backprop_nb.classroom.owners import File, Owner, unwrapped, without_mark

LETTERS = "abcdeosv"


def owned(names, layout=None):
    """Return the files that are called so, each with its student."""
    files = [File(each, Path(each), Path(), tuple(each.split("/"))) for each in names]
    files, _ = unwrapped(files)
    owner = Owner(files, layout, apart=False)
    return [owner.of(each) for each in files]


def students(names):
    return [each.student.key for each in owned(names)]


@pytest.mark.parametrize(
    ("stem", "rest"),
    [
        *[(each, each) for each in (
            *("20211001", "20199999", "2021101234", "202110121030", "2021-10-01"),
            *("v1", "v12345", "s20211001", "ada_20211301", "ada_2021101234", "ada_v12345"),
            *("20211001_20251102", "attempt_1", "(1)", "_old", "student(12345)", "hw_v2.1"),
            *("max-copiers", "pere-copieur", "ann-Copyright", "eve-v1ktor"))],
        *[(each, "ada") for each in (
            *("2025-11-02_ada", "20251102_ada", "ada_20251102", "ada 2025-11-02 10:30", "ada_v2"),
            *("ada_2025-11-02T10h30m05s", "ada_2025-11-02T10:30:05Z"),
            *("ada (2)", "ada(10)", "ada-Copy1", "ada - Copy (2)"),
            *("ada - Kopie", "ada-copie", "ada_attempt_2", "ada-versuch3", "v2_ada", "ada_old"))],
        ("20211001 (2)", "20211001"), ("20211001-Copy1", "20211001"), ("v12345_v2", "v12345"),
        ("hw_2025-11-02_ada", "hw_ada"), ("12345678_20251102", "12345678"),
        ("20211001_2025-11-02", "20211001"),
    ],
)  # fmt: skip
def test_a_mark_is_whole_and_leaves_a_name(stem, rest):
    assert without_mark(stem)[0] == rest


@pytest.mark.parametrize(
    ("stem", "rest", "age"),
    [
        ("20251102", "", ("20251102", 0)),
        ("hw20251102", "hw", ("20251102", 0)),
        ("v12", "", ("", 12)),
        ("attempt_3", "", ("", 3)),
        ("20259999", "20259999", ("", 0)),
    ],
)
def test_in_a_students_own_folder_a_mark_may_be_all_there_is(stem, rest, age):
    assert without_mark(stem, own=True) == (rest, age)


@pytest.mark.parametrize(
    "names",
    [
        ["20211001", "20211102", "20210915", "20199999"],
        ["v12345", "v12346", "v777"],
        ["v1", "v2", "v3"],
        ["2021101234", "2022110534", "2022110535"],
        ["s20211001", "s20211102"],
        ["hw_20211001", "hw_20211102", "hw_20199999"],
        ["hw_20211001", "hw_20211102", "hw_1234567"],
        ["20211001_20251102", "20211102_20251102"],
        ["max-copiers", "max-copirs", "maxrs"],
        ["ada(12345)", "ada(12346)"],
    ],
)
@pytest.mark.parametrize("path", ["{}.py", "{}/backprop.py", "hw/{}/backprop.py"])
def test_whose_names_look_like_marks_are_people(names, path):
    assert len({*students([path.format(each) for each in names])}) == len(names)


WORDS = st.text(LETTERS, min_size=1, max_size=6)
DIGITS = st.text("012", min_size=1, max_size=10) | st.dates().map("{:%Y%m%d}".format)
PLAIN = st.one_of(
    *(WORDS, DIGITS, st.tuples(st.sampled_from("svx"), DIGITS).map("".join)),
    *(st.tuples(WORDS, st.sampled_from(["", ".", "_", "-"]), WORDS).map("".join),),
    st.tuples(WORDS, WORDS, DIGITS).map(lambda each: f"{each[0]}.{each[1]}{each[2]}"),
)
"""User names and students' numbers."""


@given(st.lists(PLAIN, min_size=2, max_size=8, unique=True))
@example(["20211001", "20211102"])
@example(["v12345", "v777"])
@example(["2022110534", "2022110535"])
@pytest.mark.parametrize("path", ["{}.py", "{}/hw.py", "class/{}/hw.py"])
def test_nobodys_name_or_number_is_taken_for_that_of_another(path, names):
    found = students([path.format(each) for each in names])
    assert found == names


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (["hw_1_ada.py", "bob.py"], ["hw_1_ada", "bob"]),
        (["hw_1_ada.py"], ["hw_1_ada"]),
        (["smith_123_hw3.py", "bell_124_hw3.py", "x.pdf"], ["123", "124", "x"]),
        (["x_1_5_hw.py", "y.pdf"], ["1", "y"]),
        (["12345678_20251102.py", "12345678_20251109.py"], ["12345678", "12345678"]),
        (["2025-11-02_ada.py", "ada_20251109.py", "ada.py"], ["ada"] * 3),
        (["20211001.py", "20211001 (2).py", "20211001-Copy1.py"], ["20211001"] * 3),
        (["hw_20211001.py", "hw_20211001(2).py", "hw_20219999.py"],
         ["hw_20211001", "hw_20211001", "hw_20219999"]),
        (["ada/attempt_1/hw.py", "ada/attempt_2/hw.py"], ["ada", "ada"]),
        (["ada/2025-11-02/hw.py", "ada/2025-11-09/hw.py"], ["ada", "ada"]),
        (["ada/hw/x.py", "ada/hw (2)/x.py"], ["ada", "ada"]),
        (["jan_bak.py", "jan_old.py", "jan_nowak.py"], ["jan_bak", "jan_old", "jan_nowak"]),
        (["jan_bak.py", "jan_v2.py"], ["jan", "jan"]),
    ],
)  # fmt: skip
def test_attempts_are_of_one_student_and_homework_is_nobody(names, keys):
    assert students(names) == keys


@pytest.mark.parametrize(
    ("names", "is_told"),
    [
        (["hw_20211001.py", "hw_20211102.py"], True),
        (["hw/20211001.py", "hw/20211102.py"], True),
        (["hw/v101.py", "hw/v102.py"], True),
        (["hw/s20211001.py", "hw/s20211102.py"], True),
        (["hw/20211001/x.py", "hw/20211102/x.py", "hw/readme.txt"], True),
        (["tom.py", "tom_bak.py"], True),
        (["ada/hw.py", "ada/hw_bak.py"], False),
        (["ada_2025-11-02.py", "ada_2025-11-09.py"], False),
        (["ada_v1.py", "ada_v2.py"], False),
        (["ada/hw_20251102.py", "ada/hw_20251109.py"], False),
        (["ada/attempt_1/hw.py", "ada/attempt_2/hw.py"], False),
    ],
)
@pytest.mark.parametrize("attempts", ["newest", "first", "best"])
def test_attempts_that_only_a_number_tells_apart_are_to_be_looked_at(names, is_told, attempts):
    found = class_of(owned(names), "backward", "*", attempts)
    assert {*found.unsure} == ({each.name for each in found.submissions} if is_told else set())
    for one, text in found.unsure.items():
        (other,) = {*names[:2]} - {one}
        assert text == f"Several files could be meant: {one} counts, and not {other}."

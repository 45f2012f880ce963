"""Whose a file is, which of a student's files counts, and that nothing vanishes."""

import zipfile

import pytest

from backprop_nb.classroom.attempts import MAX_BESIDE
from backprop_nb.classroom.gather import gathered
from backprop_nb.errors import InvalidValueError, NotFoundError

CODE = "def backward(): ...\n"
MOODLE, CANVAS = "Ada L_11_assignsubmission_file", "lovelaceada"
FIRST, LATER = (f"HW_1_a_l_attempt_2026-01-0{day}-13-14-15" for day in (2, 3))


def lay(folder, files):
    """Write files by their paths; a dict is a zip, and names alone are code."""
    for name, content in files.items() if isinstance(files, dict) else dict.fromkeys(
        files, CODE
    ).items():  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            with zipfile.ZipFile(path, "w") as archive:
                for each, text in content.items():
                    archive.writestr(each, text)
        else:
            path.write_text(content)


def look(folder, files, **options):
    """Return what counts, as (student, name, names beside), with all else that is said."""
    lay(folder, files)
    with gathered(folder, **options) as found:
        counting = {
            str(each.student): (each.name, [name for name, _ in each.beside])
            for each in found.submissions
        }
        without = {str(each): why for each, why in found.without.items()}
        return counting, found.left_out, without, found.unsure


@pytest.mark.parametrize(
    ("files", "students"),
    [
        (["ada.py", "bob.ipynb"], {"ada": "ada.py", "bob": "bob.ipynb"}),
        (["ada/a1/hw.ipynb", "b/.ipynb_checkpoints/x.py", "b/h.py"],
         {"ada": "ada/a1/hw.ipynb", "b": "b/h.py"}),
        ([f"{MOODLE}_/hw.py", "Bob_12_assignsubmission_file/hw.py"],
         {"Ada L (11)": f"{MOODLE}_/hw.py", "Bob (12)": "Bob_12_assignsubmission_file/hw.py"}),
        ([f"{MOODLE}_hw.py"], {"Ada L (11)": f"{MOODLE}_hw.py"}),
        ([f"{CANVAS}_11_900_hw.py", "bob_LATE_12_901_hw-1.py"],
         {"lovelaceada (11)": f"{CANVAS}_11_900_hw.py", "bob (12)": "bob_LATE_12_901_hw-1.py"}),
        (["test_user_12_assignsubmission_file_/hw.py", f"{MOODLE}_/hw.py"],
         {"test_user (12)": "test_user_12_assignsubmission_file_/hw.py",
          "Ada L (11)": f"{MOODLE}_/hw.py"}),
        (["ada_l_LATE_11_900_hw.py", "bob_12_901_hw.py"],
         {"ada_l (11)": "ada_l_LATE_11_900_hw.py", "bob (12)": "bob_12_901_hw.py"}),
        (["anon_x7Gk2_900_hw.py", "anon_x7Gk2_901_hw-1.py", "LATE_anon_123Ab_902_hw.py",
          "anon_B3c4D_text.html"],
         {"anon (x7Gk2)": "anon_x7Gk2_901_hw-1.py", "anon (123Ab)": "LATE_anon_123Ab_902_hw.py"}),
        (["smith_123_hw3.py", "bell_124_hw3.py"],
         {"smith (123)": "smith_123_hw3.py", "bell (124)": "bell_124_hw3.py"}),
        *[(files, {name.removesuffix(".py"): name for name in files}) for files in
          (["hw_1_ada.py", "hw_1_bob.py"], ["lab_3_2_ada.py", "lab_3_2_bob.py"],
           ["hw_1_ada.py", "hw_2_bob.py"], ["ada_1_hw.py", "bob_1_hw.py"],
           ["my_lab_3_2_ada.py", "my_lab_3_2_bob.py"])],
        ([f"{FIRST}_hw.py"], {"l": f"{FIRST}_hw.py"}),
        ({f"{FIRST}_hw.py": CODE, f"{FIRST}.txt": "Name: Ada L (a_l)\nAssignment: HW_1\n"},
         {"Ada L (a_l)": f"{FIRST}_hw.py"}),
        (["hw1/ada/hw.py", "hw1/bob/hw.py"], {"ada": "hw1/ada/hw.py", "bob": "hw1/bob/hw.py"}),
        ([f"all/{MOODLE}_/hw.py"], {"Ada L (11)": f"all/{MOODLE}_/hw.py"}),
        ({"ada.zip": {"x/hw.py": CODE}, "bob.py": CODE},
         {"ada": "ada.zip/x/hw.py", "bob": "bob.py"}),
        ({"up.zip": {f"{MOODLE}_/hw.zip": "", f"{MOODLE}_/hw.py": CODE}},
         {"Ada L (11)": f"up.zip/{MOODLE}_/hw.py"}),
    ],
)  # fmt: skip
def test_whose_it_is_shows_in_the_path(tmp_path, files, students):
    counting, *_ = look(tmp_path, files)
    assert {student: name for student, (name, _) in counting.items()} == students


@pytest.mark.parametrize(
    ("files", "newest", "first"),
    [
        (["a/hw.py", "a/hw(1).py", "a/hw(10).py", "a/hw(9).py"], "a/hw(10).py", "a/hw.py"),
        (["hw.py", "hw (1).py"], "hw (1).py", "hw.py"),
        (["a/hw.ipynb", "a/hw-Copy1.ipynb"], "a/hw-Copy1.ipynb", "a/hw.ipynb"),
        (["a/hw - Copy (2).py", "a/hw - Copy.py", "a/hw.py"], "a/hw - Copy (2).py", "a/hw.py"),
        (["a/hw.py", "a/hw-checkpoint.py"], "a/hw.py", "a/hw-checkpoint.py"),
        (["a/hw.py", "a/hw_old.py"], "a/hw.py", "a/hw_old.py"),
        (["a/hw_2026-01-02.py", "a/hw_20251231.py"], "a/hw_2026-01-02.py", "a/hw_20251231.py"),
        (["a/hw 2026-01-02 10:00.py", "a/hw 2026-01-02 09:30.py"],
         "a/hw 2026-01-02 10:00.py", "a/hw 2026-01-02 09:30.py"),
        (["a/attempt_1/hw.py", "a/attempt_2/hw.py"], "a/attempt_2/hw.py", "a/attempt_1/hw.py"),
        (["a/hw_v1.py", "a/hw_v2.py"], "a/hw_v2.py", "a/hw_v1.py"),
        (["x_1_5_hw.py", "x_1_7_hw-1.py"], "x_1_7_hw-1.py", "x_1_5_hw.py"),
        ([f"{FIRST}_hw.py", f"{LATER}_other.py"], f"{LATER}_other.py", f"{FIRST}_hw.py"),
    ],
)  # fmt: skip
def test_of_several_attempts_the_newest_counts_or_the_first(tmp_path, files, newest, first):
    ((name, _),) = look(tmp_path, files)[0].values()
    assert name == newest
    counting, left_out, _, unsure = look(tmp_path, files, attempts="first")
    assert [name for name, _ in counting.values()] == [first]
    assert {*left_out} == {*files} - {first}
    assert {*unsure} == (
        {"hw.py"} if "hw (1).py" in files else set()
    )  # alone, and maybe two people's


def test_where_the_best_counts_all_are_graded_and_alike_names_need_not_be_one_students(tmp_path):
    files = ["hw.py", "hw(1).py", "hw(2).py"]
    lay(tmp_path, files)
    for attempts, students in (("best", {"hw"}), ("all", {"hw", "hw(1)", "hw(2)"})):
        with gathered(tmp_path, attempts=attempts) as found:
            assert {str(each.student) for each in found.submissions} == students
            assert {each.name for each in found.submissions} == {*files}


@pytest.mark.parametrize(
    "uses",
    [
        "import net",
        "from net import relu",
        "import numpy as np, net as n",
        '{"source": ["x = 1\\n", "from net import relu\\n"]}',
        "%run net.py",
    ],
)
def test_a_helper_is_beside_and_is_no_submission(tmp_path, uses):
    counting, left_out, _, unsure = look(
        tmp_path, {"a/hw.ipynb": f"{uses}\n{CODE}", "a/net.py": CODE, "a/data/x.csv": "1"}
    )
    assert counting == {"a": ("a/hw.ipynb", ["data/x.csv", "net.py"])}
    assert left_out == {"a/net.py": "A helper that another file imports."}
    assert unsure == {}


def test_a_platforms_prefix_is_taken_from_what_lies_beside(tmp_path):
    names = [f"{CANVAS}_11_1_hw.py", f"{CANVAS}_11_2_util.py", f"{CANVAS}_11_3_data-1.csv"]
    lay(tmp_path, dict.fromkeys(names, "x = 1") | {names[0]: CODE})
    with gathered(tmp_path) as found:
        (one,) = found.submissions
    assert one.place == "hw.py"
    assert {name for name, _ in one.beside} == {"util.py", "data-1.csv", "data.csv"}


def test_a_function_that_only_a_helper_has_is_asked_there(tmp_path):
    files = {"a/plots.ipynb": "import net\nnet.show()", "a/net.py": CODE}
    assert look(tmp_path, files)[0]["a"][0] == "a/net.py"


@pytest.mark.parametrize(
    ("others", "count", "is_told"),
    [([], 30, True), ([], 2, True), (["ada.py"], 5, True), (["ada.py"], 3, False)],
)
def test_a_class_whose_files_are_called_alike_is_told(tmp_path, others, count, is_told):
    files = [*others, *(f"hw ({k}).py" for k in range(1, count + 1))]
    newest = f"hw ({count}).py"
    _, _, _, unsure = look(tmp_path, files)
    told = (
        f"{count} files count as one student's attempts, as they are called alike; "
        "with --attempts all each is a student's."
    )
    assert unsure == ({newest: told} if is_told else {})
    counting, _, _, unsure = look(tmp_path, [], attempts="all")
    assert (len(counting), unsure) == (len(files), {})


@pytest.mark.parametrize(("others", "is_told"), [("def backward(): 1\n", True), (CODE, False)])
def test_attempts_of_which_none_is_newer_are_to_be_looked_at(tmp_path, others, is_told):
    files = {"a/lu (2).py": CODE, "a/lu(2).py": others, "a/lu.py": CODE, "a/lu_v2.py": CODE}
    counting, _, _, unsure = look(tmp_path, files)
    told = "Several files could be meant: a/lu_v2.py counts, and not a/lu(2).py."
    assert counting["a"][0] == "a/lu_v2.py"
    assert unsure == ({"a/lu_v2.py": told} if is_told else {})


def test_what_lies_beside_in_an_older_attempt_does_not(tmp_path):
    files = {f"{FIRST}_hw.py": CODE, f"{FIRST}_a.csv": "1", f"{LATER}_hw.py": CODE}
    assert look(tmp_path, files)[0] == {"l": (f"{LATER}_hw.py", [])}


def test_a_student_is_one_whatever_the_receipts_of_the_attempts_say(tmp_path):
    files = {f"HW_ada_attempt_2026-01-0{day}-13-14-15_hw.py": CODE for day in (2, 3)}
    receipt = {"HW_ada_attempt_2026-01-02-13-14-15.txt": "Name: Ada L (ada)\n"}
    counting, left_out, *_ = look(tmp_path, files | receipt)
    assert counting == {"Ada L (ada)": ("HW_ada_attempt_2026-01-03-13-14-15_hw.py", [])}
    assert len(left_out) == 1


def test_among_files_of_many_students_helpers_and_data_are_for_all(tmp_path):
    files = {
        "ada.py": f"import tools_v2\n{CODE}",
        "bob.py": CODE,
        "tools_v2.py": "",
        "iris.csv": "",
    }
    counting, _, without, _ = look(tmp_path, files)
    beside = ["iris.csv", "tools.py", "tools_v2.py"]
    assert counting == {name: (f"{name}.py", beside) for name in ("ada", "bob")}
    assert without == {}


def test_nobody_gets_the_solution_of_a_neighbour(tmp_path):
    files = {"ada.py": CODE, "bob.py": "from ada import backward"}
    assert look(tmp_path, files)[0] == {"ada": ("ada.py", []), "bob": ("bob.py", [])}


def test_a_file_without_an_ending_that_is_called_as_a_version_lies_beside(tmp_path):
    files = {"a/hw.py": CODE, "a/v2": "", "b/hw.py": CODE}
    assert look(tmp_path, files)[0]["a"] == ("a/hw.py", ["v2"])


def test_numbers_that_look_like_dates_are_all_graded(tmp_path):
    names = ["20211001", "20211102", "20210915", "20199999", "v777"]
    counting, *others = look(tmp_path, [f"{each}.py" for each in names])
    assert counting == {each: (f"{each}.py", []) for each in names}
    assert others == [{}, {}, {}]


def test_who_has_nothing_to_grade_is_named_with_the_reason(tmp_path):
    (tmp_path / "eve").mkdir()
    files = {
        "ada/hw.py": CODE,
        "bob/hw.pdf": "",
        "carl/hw.zip": "no zip",
        "dora/hw.zip": {"../hw.py": CODE},
    }
    counting, left_out, without, _ = look(tmp_path, files)
    assert [*counting] == ["ada"]
    assert without == {
        "bob": "There is no notebook and no file of Python: hw.pdf.",
        "carl": "It is damaged, or no zip: carl/hw.zip.",
        "dora": "Its path leads out of the zip: dora/hw.zip/../hw.py.",
        "eve": "The folder is empty: eve.",
    }
    assert {*left_out} == {"bob/hw.pdf", "carl/hw.zip", "dora/hw.zip/../hw.py"}


@pytest.mark.parametrize(
    ("platform", "name"),
    [("moodle", "A_1_assignsubmission_onlinetext_/onlinetext.html"), ("canvas", "a_1_text.html")],
)
def test_a_text_typed_into_a_form_is_nothing_to_grade(tmp_path, platform, name):
    lay(tmp_path, [name])
    with gathered(tmp_path) as found:
        ((student, why),) = found.without.items()
    assert (student.platform, student.key) == (platform, "1")
    assert why.endswith(".html.")


def test_two_files_that_could_both_be_meant_are_told(tmp_path):
    counting, left_out, _, unsure = look(tmp_path, ["a/one.py", "a/two.ipynb", "a/two.pdf"])
    assert counting["a"][0] == "a/two.ipynb"
    assert left_out == {"a/one.py": "Another file of the same student counts: a/two.ipynb."}
    assert unsure == {
        "a/two.ipynb": "Several files could be meant: a/two.ipynb counts, and not a/one.py."
    }


def test_a_pattern_and_a_layout_say_what_is_meant(tmp_path):
    files = ["s1/ada.py", "s1/bob.py", "s2/carl.py"]
    assert {*look(tmp_path, files, layout="files")[0]} == {"s1/ada", "s1/bob", "s2/carl"}
    counting, left_out, without, _ = look(tmp_path, files, pattern="s1/b*")
    assert counting == {"s1": ("s1/bob.py", ["ada.py"])}
    assert left_out == dict.fromkeys(["s1/ada.py", "s2/carl.py"], "It does not match the pattern.")
    assert without == {"s2": "There is no notebook that matches the pattern: carl.py."}


def test_a_zip_and_a_single_file_are_taken_as_they_are(tmp_path):
    lay(tmp_path, {"hw.zip": {f"{MOODLE}_/hw.py": CODE}, "one/ada.py": CODE, "one/x.csv": ""})
    with gathered(tmp_path / "hw.zip") as found:
        assert [str(each.student) for each in found.submissions] == ["Ada L (11)"]
        assert found.submissions[0].file.read_text() == CODE
    assert not found.submissions[0].file.exists()
    with gathered(tmp_path / "one/ada.py") as found:
        (one,) = found.submissions
    assert (str(one.student), one.place, [name for name, _ in one.beside]) == (
        *("ada", "ada.py"),
        ["x.csv"],
    )


def test_what_lies_beside_changes_the_digest(tmp_path):
    lay(tmp_path, {"a/hw.py": CODE, "a/x.csv": "1"})
    digests = set()
    for text in ("1", "2"):
        lay(tmp_path, {"a/x.csv": text})
        with gathered(tmp_path) as found:
            digests.add(found.submissions[0].digest())
    assert len(digests) == 2


def test_a_script_that_was_exported_from_a_notebook_is_not_another_attempt(tmp_path):
    for attempts in ("newest", "first"):
        counting, left_out, _, unsure = look(tmp_path, ["a/hw.ipynb", "a/hw.py"], attempts=attempts)
        assert counting["a"][0] == "a/hw.ipynb"
        assert left_out == {"a/hw.py": "A notebook of the same name counts."}
        assert unsure == {}


def test_two_names_that_are_one_as_text_are_both_there(tmp_path):
    lay(tmp_path, ["a\nb.py", "a\\nb.py"])
    with gathered(tmp_path) as found:
        assert len({each.name for each in found.submissions}) == 2


def test_what_is_too_large_or_leads_elsewhere_stays_away(tmp_path):
    lay(tmp_path / "in", {"a/hw.py": CODE, "a/s.csv": "", "b/hw.py": CODE})
    with (tmp_path / "in/a/large.npy").open("wb") as stream:
        stream.truncate(MAX_BESIDE + 1)
    (tmp_path / "secret.csv").touch()
    (tmp_path / "in/a/link.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "in/b/other").symlink_to(tmp_path / "in/a")
    counting, left_out, *_ = look(tmp_path / "in", {})
    assert counting == {"a": ("a/hw.py", ["s.csv"]), "b": ("b/hw.py", [])}
    assert {*left_out} == {"a/large.npy", "b/other"}


def test_an_empty_folder_and_an_option_that_cannot_be_are_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(NotFoundError), gathered(folder):
            pass
    for option in ("attempts", "layout"):
        with pytest.raises(InvalidValueError, match=option), gathered(tmp_path, **{option: "x"}):
            pass
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(InvalidValueError, match="no zip"), gathered(tmp_path / "x.zip"):
        pass

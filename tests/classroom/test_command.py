"""The command `grade`: its options are those of the function, and a typo is answered."""

import inspect
import subprocess
import sys
import zipfile
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from backprop_nb.__main__ import DONE, INCOMPLETE, INTERRUPTED, WRONG_USE, main, parser
from backprop_nb.checking.convention import Course
from backprop_nb.classroom import command
from backprop_nb.classroom.grading import grade
from backprop_nb.classroom.verdict import make_settings


def options(*words):
    return vars(parser().parse_args(["grade", "in", "--out", "out", *words]))


def test_what_is_not_given_is_left_to_the_function():
    assert options() == {"command": "grade", "submissions": "in", "out": "out"}


def test_every_option_is_an_argument_of_the_function_and_says_its_default(capsys):
    known = inspect.signature(grade).parameters | inspect.signature(make_settings).parameters
    known |= inspect.signature(Course).parameters
    chosen = [each for each in known if get_origin(get_type_hints(Course).get(each)) is Literal]
    with pytest.raises(SystemExit):
        main(["grade", "--help"])
    help_text = capsys.readouterr().out
    for name, parameter in known.items():
        if parameter.kind is not parameter.VAR_KEYWORD and name not in {"progress", "submissions"}:
            assert f"--{name.replace('_', '-')} " in help_text.replace("]", " ")
            if name in chosen:
                choices = get_args(get_type_hints(Course)[name])
                assert f"{{{','.join(choices)}}}" in help_text
            if parameter.default not in (None, False, "*", inspect.Parameter.empty):
                assert f"({parameter.default:g})" in help_text or (
                    f"({parameter.default})" in help_text
                ) if isinstance(parameter.default, int | float) else (
                    f"({parameter.default})" in help_text
                )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--widths", "3,4,2"], (3, 4, 2)),
        (["--names", "('w{i}', 'b{i}')"], ("w{i}", "b{i}")),
        (["--names", "syn{i-1}"], "syn{i-1}"),
        (["--bias", "False"], False),
        (["--bias", "flat"], "flat"),
        (["--l2", "0.1"], 0.1),
        (["--l2-factor", "1/2N"], "1/2N"),
        (["--calls", "x y parameters l2"], "x y parameters l2"),
        (["--labels"], True),
    ],
)
def test_an_option_of_a_course_is_what_python_would_say(words, value):
    assert options(*words)[words[0][2:].replace("-", "_")] == value


def test_it_grades_and_says_what_it_found(tmp_path, right, capsys):
    (tmp_path / "ada.py").write_text(right)
    code = main(["grade", str(tmp_path), "--out", str(tmp_path / "out"), "--scheduler", "threads"])
    assert code == DONE
    assert "100 % (1 of 1) have every gradient right." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--sampels", "rows"], "did you mean --samples?"),
        (["--timout=3"], "did you mean --timeout?"),
        (["--samples", "row"], "choose from"),
        (["--layers", "three"], "invalid int value"),
        (["--workrs", "2"], "did you mean --workers?"),
        (["--xyz"], "--xyz is not an option"),
        (["--activation", "softmx"], "choose from"),
        (["--names"], "expected one argument"),
    ],
)
def test_a_typo_is_answered(words, answer, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["grade", "in", "--out", "out", *words])
    assert caught.value.code == WRONG_USE
    assert answer in capsys.readouterr().err


def test_an_error_of_the_package_is_a_message_and_no_traceback(tmp_path, capsys):
    assert main(["grade", str(tmp_path / "no"), "--out", str(tmp_path)]) == WRONG_USE
    assert "a folder, a zip, or a file as `submissions`" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--out", "out"], ["--format", "vpl"]])
def test_a_path_with_nothing_there_is_told_with_the_one_that_is_near(
    more, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "submissions").mkdir()
    assert main(["grade", "submision", *more]) == WRONG_USE
    said = capsys.readouterr().err
    assert f"There is no file and no folder 'submision' in {tmp_path}." in said
    assert "instead:  submissions\n" in said
    assert main(["grade", "submissions", "--course", "no.py", "--out", "out"]) == WRONG_USE
    assert f"There is no file and no folder 'no.py' in {tmp_path}." in capsys.readouterr().err


def test_what_is_neither_a_notebook_nor_python_is_not_run(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("Please mark me kindly.")
    assert main(["grade", str(tmp_path / "notes.txt")]) == DONE
    assert "notes.txt is neither a notebook nor Python." in capsys.readouterr().out


def test_an_empty_folder_and_an_empty_zip_are_called_what_they_are(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    zipfile.ZipFile(tmp_path / "empty.zip", "w").close()
    for name, kind in (("empty", "folder"), ("empty.zip", "zip")):
        out = str(tmp_path / "out")
        assert main(["grade", str(tmp_path / name), "--out", out]) == WRONG_USE
        said = capsys.readouterr().err
        assert f"This {kind} has no submissions." in said
        assert "pattern" not in said


def packed(folder, **files):
    archive = folder / "handed-in.zip"
    with zipfile.ZipFile(archive, "w") as whole:
        for name, text in files.items():
            whole.writestr(name, text)
    return str(archive)


@pytest.mark.parametrize(
    "others",
    [
        {"Ben Ek_12_assignsubmission_file_/hw.py": "x = 1"},
        {"Ben Ek_12_assignsubmission_file_/hw.pdf": "a scan"},
        {"Ben Ek_12_assignsubmission_file_hw.py": "x = 1"},
    ],
)
def test_a_zip_of_a_class_asks_for_a_folder_and_says_how_many_there_are(
    others, tmp_path, right, capsys
):
    mine = {"Ada Lind_11_assignsubmission_file_/hw.py": right}
    archive = packed(tmp_path, **mine, **others)
    assert main(["grade", archive]) == WRONG_USE
    said = capsys.readouterr()
    assert said.out == ""
    assert "This zip is a class: it has files of 2 students." in said.err
    assert "--out DIR" in said.err
    assert "--format text" in said.err
    assert main(["grade", archive, "--format", "text"]) == DONE


@pytest.mark.parametrize(
    "files",
    [
        {"hw.py": "from helper import y\n", "helper.py": "y = 1"},
        {"hw.py": "", "scan.pdf": "no code"},
        {"work/hw.py": "", "work/old/hw.py": "y = 1"},
        {"Ada Lind_11_assignsubmission_file_/hw.py": ""},
    ],
)
def test_a_zip_of_one_student_is_graded_without_a_folder(files, tmp_path, right, capsys):
    archive = packed(tmp_path, **{
        name: text + right * name.endswith("hw.py") for name, text in files.items()
    })  # fmt: skip
    assert main(["grade", archive]) == DONE
    assert "100 of 100" in capsys.readouterr().out


def test_a_full_disk_is_a_message_and_no_traceback(monkeypatch, capsys):
    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(command, "grade", full)
    assert main(["grade", "in", "--out", "out"]) == INCOMPLETE
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert "What is done is kept" in said


def test_windows_is_refused_with_a_message(tmp_path):
    """There the modules ``resource`` and ``fcntl`` do not exist, and none of ours may need them."""
    code = (
        "import runpy, sys\n"
        "sys.modules.update(resource=None, fcntl=None)\n"
        "from backprop_nb.classroom import command\n"
        "sys.platform = 'win32'\n"
        f"sys.argv[1:] = ['grade', {str(tmp_path)!r}, '--out', 'out']\n"
        "runpy.run_module('backprop_nb', run_name='__main__')"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == WRONG_USE
    assert "cannot be isolated on Windows" in run.stderr


def test_an_interrupt_has_a_code_of_its_own(monkeypatch, capsys):
    def interrupted(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "grade", interrupted)
    assert main(["grade", "in", "--out", "out"]) == INTERRUPTED
    assert "What is done is kept" in capsys.readouterr().err


def test_limits_that_do_not_hold_here_are_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "absent", lambda: ("No limit on memory here.",))
    main(["grade", str(tmp_path), "--out", str(tmp_path / "out")])
    assert "Note: No limit on memory here." in capsys.readouterr().err

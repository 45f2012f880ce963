"""The course in a folder of one's own: from a wheel too, and never over what somebody wrote."""

import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest
from hatchling.builders.wheel import WheelBuilder
from nbformat.sign import NotebookNotary
from nonempty import nonempty

from backprop_nb.__main__ import DONE, WRONG_USE, main
from backprop_nb.course import notebooks
from backprop_nb.course.notebooks import files, lessons, source, write

ROOT = Path(__file__).parent.parent.parent
WITHIN = "backprop_nb/course/lessons/"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, made of this checkout as it is."""
    [built] = WheelBuilder(str(ROOT)).build(
        directory=str(tmp_path_factory.mktemp("dist")), versions=["standard"]
    )
    return Path(built)


def as_written(folder):
    """Return what every file in a folder holds, by its path there."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in nonempty(found)}


def held(paths):
    return {path.relative_to(source()).as_posix(): path.read_bytes() for path in paths}


COURSE, WHOLE = held(files()), held(files(assignment=True))


def test_the_course_is_the_lessons_and_for_a_teacher_the_assignment():
    names = {path.name for path in ROOT.glob("notebooks/*.ipynb")}
    assignment = {f"assignment/{path.name}" for path in ROOT.glob("notebooks/assignment/*.*")}
    assert len(names) >= 7
    assert len(assignment) >= 4
    assert set(COURSE) == names | {"LICENSE", "courses.md"}
    assert set(WHOLE) == set(COURSE) | assignment
    assert [path.name for path in lessons()] == sorted(names)


# --- the wheel ------------------------------------------------------------------


def test_the_wheel_carries_the_course_and_what_belongs_to_the_package(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    course = {name.removeprefix(WITHIN): text for name, text in held.items() if WITHIN in name}
    assert course == WHOLE
    package = {p for p in (ROOT / "backprop_nb").rglob("*") if p.is_file()}
    own = {p.relative_to(ROOT).as_posix() for p in package if "__pycache__" not in p.parts}
    others = {name for name in held if ".dist-info/" not in name} - own
    assert others == {WITHIN + name for name in WHOLE}
    assert own <= set(held)


def test_a_checkout_is_installed_without_copies(tmp_path):
    [built] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["editable"])
    with zipfile.ZipFile(built) as archive:
        [place] = [name for name in archive.namelist() if ".dist-info/" not in name]
        assert archive.read(place).decode().strip() == str(ROOT)


def test_it_works_from_the_wheel_outside_of_the_repository(wheel, tmp_path):
    place = tmp_path / "env"
    venv.create(place)  # without pip: a wheel is an archive to be unpacked
    python = place / "bin/python"
    folder = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    shutil.unpack_archive(wheel, folder, "zip")
    others = [path for path in sys.path if path.endswith("site-packages")]
    Path(folder, "others.pth").write_text("\n".join(others), encoding="utf-8")
    run = subprocess.run(
        [python, "-I", "-m", "backprop_nb", "notebooks", "course"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == DONE, run.stderr
    assert as_written(tmp_path / "course") == COURSE


# --- what is written, and what is not --------------------------------------------


def test_everything_is_written_and_the_next_step_is_told(tmp_path, capsys):
    folder = tmp_path / "a b" / "new"
    assert main(["notebooks", str(folder)]) == DONE
    assert as_written(folder) == COURSE
    said = capsys.readouterr().out
    assert f"{len(COURSE)} files written" in said
    assert f"backprop-nb lab '{folder}'" in said


def test_the_solutions_are_written_for_who_asks_for_the_assignment_alone(tmp_path):
    main(["notebooks", str(tmp_path)])
    links = re.compile(r"\]\((?!http|#)([^)#\s]+)")
    for path in nonempty(tmp_path.glob("*.*")):
        text = path.read_text("utf-8")
        assert "BEGIN SOLUTION" not in text
        cells = nbformat.reads(text, as_version=4).cells if path.suffix == ".ipynb" else ()
        for target in links.findall("\n".join(each.source for each in cells) or text):
            assert (tmp_path / target).is_file(), (path.name, target)
    assert main(["notebooks", str(tmp_path), "--assignment"]) == DONE
    assert as_written(tmp_path) == WHOLE


def test_a_changed_file_is_kept_and_named_and_a_missing_one_comes_back(tmp_path, capsys):
    write(tmp_path, assignment=True)
    mine = tmp_path / "02_training.ipynb"
    mine.write_text("my own", encoding="utf-8")
    (tmp_path / "assignment/README.md").write_text("mine too", encoding="utf-8")
    (tmp_path / "LICENSE").unlink()
    (tmp_path / "notes.txt").write_text("not of the course", encoding="utf-8")
    assert main(["notebooks", str(tmp_path), "--assignment"]) == DONE
    said = capsys.readouterr().out
    assert f"1 file written, {len(WHOLE) - 3} already there." in said
    assert "differs from the course's: 02_training.ipynb and assignment/README.md." in said
    after = as_written(tmp_path)
    assert after.pop("notes.txt") == b"not of the course"
    changed = {name for name in WHOLE if after[name] != WHOLE[name]}
    assert changed == {"02_training.ipynb", "assignment/README.md"}


def test_the_advice_for_a_kept_file_works(tmp_path, capsys):
    mine = tmp_path / "00_start_here.ipynb"
    mine.write_text("my own", encoding="utf-8")
    main(["notebooks", str(tmp_path)])
    assert "rename yours and run the same command again" in capsys.readouterr().out
    mine.rename(tmp_path / "mine.ipynb")
    main(["notebooks", str(tmp_path)])
    assert "Kept" not in capsys.readouterr().out
    assert as_written(tmp_path) == COURSE | {"mine.ipynb": b"my own"}


def test_a_folder_in_the_place_of_a_lesson_is_kept(tmp_path):
    (tmp_path / "01_derivation.ipynb").mkdir()
    assert write(tmp_path).kept == [Path("01_derivation.ipynb")]


def is_a_file(folder):
    folder.write_text("I am a file")


def has_a_file_above(folder):
    folder.parent.rmdir()
    folder.parent.write_text("I am a file")


def has_a_file_for_a_folder(folder):
    folder.mkdir()
    (folder / "assignment").write_text("I am a file")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (is_a_file, "`DIR` must be a folder."),
        (has_a_file_above, "cannot be written to"),
        (has_a_file_for_a_folder, "cannot be written to"),
    ],
)
def test_a_folder_that_is_none_is_refused_in_words(tmp_path, spoil, problem, capsys):
    folder = tmp_path / "in" / "course"
    folder.parent.mkdir()
    spoil(folder)
    assert main(["notebooks", str(folder), "--assignment"]) == WRONG_USE
    said = capsys.readouterr().err
    assert problem in said
    assert str(folder) in said
    assert "instead:" in said


def test_what_the_system_forbids_is_told_with_its_reason(tmp_path, monkeypatch, capsys):
    def forbidden(target, content):
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(notebooks, "write_file", forbidden)
    assert main(["notebooks", str(tmp_path)]) == WRONG_USE
    assert f"Permission denied: {tmp_path / '00_start_here.ipynb'}" in capsys.readouterr().err


def test_a_home_folder_that_the_shell_left_as_it_is_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert main(["notebooks", "~/course"]) == DONE
    assert as_written(tmp_path / "course") == COURSE


# --- whom Jupyter trusts --------------------------------------------------------


def trusted(folder, data):
    """Return the names of the notebooks in a folder that the Jupyter of these data trusts."""
    notary = NotebookNotary(data_dir=str(data))
    found = [
        path.name
        for path in nonempty(sorted(folder.glob("*.ipynb")))
        if notary.check_signature(nbformat.read(path, as_version=4))
    ]
    notary.store.close()
    return found


def test_the_course_is_trusted_and_what_somebody_wrote_is_not(tmp_path, jupyters_data):
    names = [path.name for path in lessons()]
    own = nbformat.read(lessons()[1], as_version=4)
    own.cells[0].source = "another"
    nbformat.write(own, tmp_path / names[1])
    write(tmp_path)
    assert not jupyters_data.exists()
    assert trusted(tmp_path, jupyters_data.parent) == []
    assert main(["notebooks", str(tmp_path)]) == DONE
    assert trusted(tmp_path, jupyters_data) == [names[0], *names[2:]]


def test_where_jupyter_keeps_nothing_the_course_is_written_all_the_same(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "file" / "data"))
    assert main(["notebooks", str(tmp_path / "here")]) == DONE
    monkeypatch.setattr(notebooks.importlib.util, "find_spec", {}.get)
    assert main(["notebooks", str(tmp_path / "there")]) == DONE
    assert as_written(tmp_path / "here") == as_written(tmp_path / "there") == COURSE
    assert capsys.readouterr().err == ""

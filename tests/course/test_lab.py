"""``backprop-nb lab``: what it starts JupyterLab with, and what it says when it cannot.

That a browser then shows the lesson is tested in ``tests/browser/test_course.py``.
"""

import importlib.util
import sys

import nbformat
import pytest
from jupyterlab.labapp import LabApp
from nbformat.sign import NotebookNotary

from backprop_nb.__main__ import DONE, WRONG_USE, main
from backprop_nb.course.notebooks import lessons

FIRST = lessons()[0]


@pytest.fixture
def started(monkeypatch, tmp_path):
    """What JupyterLab was started with, in a folder that nothing is in."""
    calls = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(LabApp, "launch_instance", calls.append)
    return calls


def test_the_notebooks_are_written_and_the_first_is_what_is_opened(
    started, tmp_path, capsys, jupyters_data
):
    assert main(["lab"]) == DONE
    place = tmp_path / "backprop"
    assert (place / FIRST.name).read_bytes() == FIRST.read_bytes()
    assert str(place) in capsys.readouterr().out
    root, address = f"--ServerApp.root_dir={place}", f"--LabApp.default_url=/lab/tree/{FIRST.name}"
    assert started == [[root, address]]
    notary = NotebookNotary(data_dir=str(jupyters_data))
    assert notary.check_signature(nbformat.read(place / FIRST.name, as_version=4))
    notary.store.close()


def test_a_folder_that_has_the_lesson_is_left_as_it_is(started, tmp_path, capsys):
    (tmp_path / FIRST.name).write_text("my own", encoding="utf-8")
    assert main(["lab", "."]) == DONE
    assert [path.name for path in tmp_path.iterdir()] == [FIRST.name]
    assert (tmp_path / FIRST.name).read_text(encoding="utf-8") == "my own"
    assert capsys.readouterr().out == ""
    assert len(started) == 1


def test_options_of_jupyterlab_reach_it(started):
    main(["lab", "--jupyter=--no-browser --notebook-dir='a b'"])
    assert started[0][2:] == ["--no-browser", "--notebook-dir=a b"]


def test_a_lesson_in_the_place_of_the_folder_gets_the_command_that_opens_it(started, capsys):
    main(["lab"])
    assert main(["lab", f"backprop/{FIRST.name}"]) == WRONG_USE
    assert f"instead:  jupyter lab backprop/{FIRST.name}" in capsys.readouterr().err
    assert len(started) == 1


def test_a_notebook_that_is_nowhere_is_no_folder_to_be_made(started, tmp_path, capsys):
    assert main(["lab", "my course/first.ipynb"]) == WRONG_USE
    said = capsys.readouterr().err
    assert "`DIR` must be a folder." in said
    assert "instead:  nothing is there; backprop-nb lab 'my course'" in said
    assert list(tmp_path.iterdir()) == started == []


def test_what_is_missing_is_told_with_the_command_that_installs_it(
    started, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(importlib.util, "find_spec", {}.get)
    assert main(["lab"]) == WRONG_USE
    said = capsys.readouterr().err
    assert "This Python has no JupyterLab." in said
    assert sys.executable in said
    assert 'python -m pip install "backprop-nb[lab]"' in said
    assert started == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--jupyter=--port='8888"], "--jupyter"),
        (
            ["--no-browser"],
            'not an option; for one of JupyterLab\'s write --jupyter="--no-browser"',
        ),
        (["--port=9000"], '--jupyter="--port=9000"'),
        (["--jupiter=x"], "did you mean --jupyter?"),
        (["one", "two"], "two is not an option"),
    ],
)
def test_a_typo_is_answered(started, words, answer, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["lab", *words])
    assert caught.value.code == WRONG_USE
    assert answer in capsys.readouterr().err
    assert started == []

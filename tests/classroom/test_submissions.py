"""Which files are submissions, and what code is taken out of them."""

import json
import os

import pytest

from backprop_nb.classroom.submissions import MAX_CODE, name_of, python_of, read


def notebook(*cells):
    return json.dumps({"cells": [{"cell_type": kind, "source": source} for kind, source in cells]})


def one(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, folder)


def test_a_notebook_gives_its_code_cells_with_their_numbers(tmp_path):
    text = notebook(("markdown", "# A"), ("code", ["x = 1\n", "y = 2"]), ("code", "%pylab\nz = 3"))
    cells = one(tmp_path, "a.ipynb", text).cells
    assert cells == (("cell 2", "x = 1\ny = 2"), ("cell 3", "pass\nz = 3"))


def test_the_old_format_of_notebooks_is_read(tmp_path):
    text = json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": "x = 1"}]}]})
    assert one(tmp_path, "a.ipynb", text).cells == (("cell 1", "x = 1"),)


NO_NOTEBOOK = "cannot be read as a notebook"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.py", b"", "no code"),
        ("a.py", b"\xff\xfe\x00x", "UTF-8"),
        ("a.py", b"#" * (MAX_CODE + 1), "characters"),
        ("a.ipynb", b"not json", NO_NOTEBOOK),
        ("a.ipynb", b"[" * 100_000, NO_NOTEBOOK),
        ("a.ipynb", b'{"cells": 3}', NO_NOTEBOOK),
        (
            "a.ipynb",
            b'{"cells": [{"cell_type": "code", "source": [3]}]}',
            NO_NOTEBOOK,
        ),
        ("a.ipynb", b'{"cells": []}', "no code"),
    ],
)
def test_what_has_no_code_says_why(tmp_path, name, content, words):
    submission = one(tmp_path, name, content)
    assert submission.cells == ()
    assert words in submission.problem


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    folder, secret = tmp_path / "in", tmp_path / "secret.py"
    folder.mkdir()
    secret.write_text("x = 1")
    (folder / "a.py").symlink_to(secret)
    submission = read(folder / "a.py", folder)
    assert "links to a place outside" in submission.problem
    assert submission.cells == ()


def test_links_in_a_circle_harm_nobody(tmp_path):
    (tmp_path / "a.py").symlink_to(tmp_path / "b.py")
    (tmp_path / "b.py").symlink_to(tmp_path / "a.py")
    problems = [read(tmp_path / name, tmp_path).problem for name in ("a.py", "b.py")]
    assert [each[:18] for each in problems] == ["It cannot be read:"] * 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.py")
    assert "not an ordinary file" in read(tmp_path / "a.py", tmp_path).problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"\xff.py", "\\xff.py"),
        (b"a\nb\x1b[31m.py", "a\\nb\\x1b[31m.py"),
        ("a\u202eyp.b.py".encode(), "a\\u202eyp.b.py"),
        ("Zoë.py".encode(), "Zoë.py"),
    ],
)
def test_a_name_that_is_no_text_or_would_steer_a_terminal_has_escapes(tmp_path, name, text):
    path = tmp_path / os.fsdecode(name)
    path.touch()
    assert name_of(path, tmp_path) == text


def test_a_change_shows_in_the_digest(tmp_path):
    assert one(tmp_path, "a.py", "x = 1").digest != one(tmp_path, "a.py", "x = 2").digest


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("x = (7\n% 3)", "x = (7\n% 3)"),
        ("'''\n%matplotlib\n'''", "'''\n%matplotlib\n'''"),
        ("%load_ext a\nx = 1", "pass\nx = 1"),
        ("if x:\n    !ls", "if x:\n    pass"),
        ("files = !ls\nx = 1", "files = None\nx = 1"),
        ("?print\nnp.sum??", "pass\npass"),
        ("\n%%time\nx = 1", "\npass\nx = 1"),
        ("%%writefile a.py\nx = 1", ""),
        ("def f(:", "def f(:"),
    ],
)
def test_what_only_ipython_understands_does_nothing(cell, python):
    assert python_of(cell) == python

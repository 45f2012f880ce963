"""Which files are submissions, and what code is taken out of them."""

import json
import os

import pytest

from backprop_nb.classroom import submissions
from backprop_nb.classroom.submissions import MAX_CODE, name_of, read


def notebook(*cells):
    return json.dumps({"cells": [{"cell_type": kind, "source": source} for kind, source in cells]})


def one(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, folder)


def test_a_notebook_gives_its_code_cells_with_their_numbers(tmp_path):
    text = notebook(("markdown", "# A"), ("code", ["x = 1\n", "y = 2"]), ("code", "%pylab\nz = 3"))
    cells = one(tmp_path, "a.ipynb", text).cells
    assert cells == (("cell 2", "x = 1\ny = 2"), ("cell 3", "%pylab\nz = 3"))


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


def test_a_file_is_read_in_the_encoding_that_it_names(tmp_path):
    text = "# -*- coding: {} -*-\nname = 'Zoë'\n"
    for encoding in ("latin-1", "cp1252", "utf-8"):
        data = text.format(encoding).encode(encoding)
        assert one(tmp_path, "a.py", data).cells[0][1] == text.format(encoding)
    data = b"\xef\xbb\xbfx = 1\r\ny = 2\r"
    assert one(tmp_path, "a.py", data).cells == (("a.py", "x = 1\ny = 2\n"),)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"# coding: klingon\nx = 1", "unknown encoding: klingon"),
        (b"x = '\xeb'", "not text in UTF-8, and names no other"),
        (b"#\n#\n#\nx = '\xeb'", "not text in UTF-8"),
        ("x = 1".encode("utf-16"), "not text in UTF-8"),
    ],
)
def test_a_file_in_no_encoding_says_so(tmp_path, data, words):
    assert words in one(tmp_path, "a.py", data).problem


def test_the_pictures_of_a_notebook_do_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "MAX_BYTES", 1000)
    picture = "iVBORw0KGgo" * 100
    source = ['x = {"outputs": [1]}\n', '"outputs"\n', "y = ']}' \\\n"]
    cells = [
        {"cell_type": "code", "outputs": [{"data": {"image/png": picture}, "a": "\\"}],
         "source": source, "metadata": {}},
        {"cell_type": "markdown", "attachments": {"a.png": {"image/png": picture}}, "source": ""},
        {"cell_type": "code", "outputs": [], "source": "z = 3"},
    ]  # fmt: skip
    text = json.dumps({"metadata": {"widgets": {"state": {}}}, "cells": cells})
    assert len(text) > 1000
    submission = one(tmp_path, "a.ipynb", text)
    assert submission.cells == (("cell 1", "".join(source)), ("cell 3", "z = 3"))
    cells[1]["source"] = picture
    assert "without its outputs" in one(tmp_path, "a.ipynb", json.dumps({"cells": cells})).problem


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({"kernelspec": {"name": "ir", "language": "R"}}, "R"),
        ({"language_info": {"name": "julia"}}, "julia"),
        ({"kernelspec": {"name": "python3", "language": "python"}}, ""),
        ({"language_info": {"name": "ipython"}}, ""),
        ({"kernelspec": {"name": "own"}}, ""),
        ({"kernelspec": None, "language_info": {"name": 3}}, ""),
        ([], ""),
    ],
)
def test_a_notebook_in_another_language_is_named_as_one(tmp_path, metadata, language):
    path = tmp_path / "hw.ipynb"
    cells = [{"cell_type": "code", "source": "x <- 1"}]
    path.write_text(json.dumps({"cells": cells, "metadata": metadata}))
    expected = f"It is a notebook in {language}, not in Python." if language else ""
    assert read(path, tmp_path).problem == expected

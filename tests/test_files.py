"""A file is written whole or not at all."""

import pytest

from backprop_nb.files import written_whole


def write_half(file):
    with written_whole(file) as stream:
        stream.write(b"half of the n")
        raise KeyboardInterrupt


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "page.html"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_half(file)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_finished_write_replaces_the_old_file(tmp_path):
    file = tmp_path / "page.html"
    file.write_text("old")
    with written_whole(file) as stream:
        stream.write(b"new")
    assert file.read_text() == "new"
    assert list(tmp_path.iterdir()) == [file]

"""A file is written whole or not at all."""

import pytest

from backprop_nb.errors import InvalidValueError
from backprop_nb.files import check_replaceable, folder_written_whole, written_whole


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


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    for check in (
        lambda path: written_whole(path).__enter__(),
        lambda p: check_replaceable(p, bool),
    ):
        with pytest.raises(FileNotFoundError, match="No such folder") as caught:
            check(tmp_path / "nowhere" / "page.html")
        assert caught.value.filename == str(tmp_path / "nowhere")


# --- a folder -----------------------------------------------------------------


def write_folder(path, names, problem=None):
    with folder_written_whole(path) as folder:
        for name in names:
            (folder / name).write_text("new")
        if problem is not None:
            raise problem


def names(path):
    return sorted(each.name for each in path.iterdir())


def test_a_finished_folder_takes_the_place_of_the_old_one(tmp_path):
    write_folder(tmp_path / "steps", ["0.svg", "1.svg", "2.svg"])
    write_folder(tmp_path / "steps", ["0.svg"])
    assert names(tmp_path) == ["steps"]
    assert names(tmp_path / "steps") == ["0.svg"]


def test_an_interrupted_folder_leaves_the_old_one_and_nothing_else(tmp_path):
    write_folder(tmp_path / "steps", ["0.svg", "1.svg"])
    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "steps", ["2.svg"], KeyboardInterrupt())
    assert names(tmp_path) == ["steps"]
    assert names(tmp_path / "steps") == ["0.svg", "1.svg"]


@pytest.mark.parametrize("other", ["thesis.tex", ".git"])
def test_what_somebody_else_has_put_into_a_folder_is_not_lost(tmp_path, other):
    folder = tmp_path / "steps"
    write_folder(folder, ["0.svg", other])
    with pytest.raises(InvalidValueError, match="would be lost") as caught:
        check_replaceable(folder, lambda name: name.endswith(".svg"))
    assert other in caught.value.given
    (folder / other).unlink()
    check_replaceable(folder, lambda name: name.endswith(".svg"))
    assert names(folder) == ["0.svg"]


def test_a_file_is_not_taken_for_a_folder(tmp_path):
    (tmp_path / "steps").write_text("mine")
    with pytest.raises(InvalidValueError, match="would be lost"):
        check_replaceable(tmp_path / "steps", bool)

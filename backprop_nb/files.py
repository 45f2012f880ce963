"""Files that are written whole or not at all."""

from __future__ import annotations

import difflib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from backprop_nb.errors import InvalidValueError, NotFoundError


def nothing_at(path: Path, option: str, expected: str) -> NotFoundError:
    """Return the error for an option whose path leads to nothing, or to something else.

    >>> print(nothing_at(Path("/no/ada.py"), "course", "a file"))
    There is no file and no folder '/no/ada.py'.
      expected: a file as `course`
    """
    folder = path.parent
    names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    near = difflib.get_close_matches(path.name, names, 1)
    place = "" if path.is_absolute() else f" in {Path.cwd()}"
    if path.exists():
        return NotFoundError(f"`{option}` must be {expected}.", given=str(path))
    return NotFoundError(
        f"There is no file and no folder {str(path)!r}{place}.",
        expected=f"{expected} as `{option}`",
        instead=str(folder / near[0]) if near else None,
    )


def with_ending(path: str | os.PathLike[str], ending: str) -> Path:
    """Return ``path`` with ``ending`` added unless it is there.

    >>> with_ending("iris.2", ".npz").name, with_ending("iris.npz", ".npz").name
    ('iris.2.npz', 'iris.npz')
    """
    path = Path(path)
    return path if path.suffix == ending else path.with_name(f"{path.name}{ending}")


def check_folder(path: Path) -> None:
    """Raise FileNotFoundError unless the folder exists that ``path`` is to be written into."""
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(path.parent))


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing; if the writing is interrupted, the old file stays."""
    check_folder(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as stream:
            yield stream
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def write(path: Path, content: bytes) -> None:
    """Write a file whole, with the folders that it needs."""
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as stream:
        stream.write(content)


def check_replaceable(path: Path, is_ours: Callable[[str], bool]) -> None:
    """Raise unless a folder may be written at ``path``: a new one, or one that holds only ours.

    Raises
    ------
    FileNotFoundError
        If the folder around it does not exist.
    InvalidValueError
        If a file is there, or a folder with what somebody else has put into it.
    """
    check_folder(path)
    found = sorted(each.name for each in path.iterdir()) if path.is_dir() else []
    others = [name for name in found if not is_ours(name)]
    if others or path.is_file():
        what = f"a folder with {others[0]} in it" if others else "a file"
        raise InvalidValueError(
            "What is there already would be lost.",
            given=f"{path}, which is {what}",
            expected="the name of a new folder, or of one that an earlier export has written",
        )


@contextmanager
def folder_written_whole(path: Path) -> Iterator[Path]:
    """Give a folder to write into, which then takes the place of the one at ``path``.

    If the writing is interrupted, the old one stays.  Whether it may be replaced,
    :func:`check_replaceable` says.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.mkdir()
    try:
        yield unfinished
        if path.exists():
            shutil.rmtree(path)
        unfinished.replace(path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)

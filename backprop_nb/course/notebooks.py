"""The command ``backprop-nb notebooks``: the course in a folder of one's own."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shlex
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from backprop_nb.errors import InvalidValueError, counted, in_words, must_be
from backprop_nb.files import write as write_file

OPTIONS = ("--assignment",)


def source() -> Path:
    """Return the folder of the course: in a wheel within this wing, in a checkout at the top."""
    within = Path(__file__).parent / "lessons"
    return within if within.is_dir() else Path(__file__).parents[2] / "notebooks"


def lessons() -> list[Path]:
    """Return the lessons, the first one first.

    Examples
    --------
    >>> lessons()[0].name
    '00_start_here.ipynb'
    """
    return sorted(source().glob("[0-9]*.ipynb"))


def files(assignment: bool = False) -> list[Path]:
    """Return every file that a learner gets; with the assignment, which has its solutions, too."""
    teachers = sorted(source().glob("assignment/*.*")) if assignment else []
    return [*lessons(), source() / "courses.md", source() / "LICENSE", *teachers]


def quoted(path: str, on_windows: bool = os.name == "nt") -> str:
    """Return a path as it is typed in a shell.

    Examples
    --------
    >>> quoted("my course", on_windows=False), quoted("my course", on_windows=True)
    ("'my course'", '"my course"')
    """
    return subprocess.list2cmdline([path]) if on_windows else shlex.quote(path)


def no_folder(path: Path) -> bool:
    """Whether a path is that of a file, or would be: a notebook's name is not a folder's.

    Examples
    --------
    >>> no_folder(Path("my_course")), no_folder(Path("my_notebook.ipynb"))
    (False, True)
    """
    return path.is_file() or (path.suffix == ".ipynb" and not path.is_dir())


class Written(NamedTuple):
    """What became of each file of the course, by its path in the folder."""

    new: list[Path]
    same: list[Path]
    kept: list[Path]

    def __str__(self) -> str:
        said = [f"{counted(len(self.new), 'file')} written, {len(self.same)} already there."]
        if self.kept:
            names = in_words([str(path) for path in self.kept])
            said += [
                f"Kept, because what is there differs from the course's: {names}.",
                "To get the course's, rename yours and run the same command again.",
            ]
        return "\n".join(said)


def write(folder: str | Path, assignment: bool = False) -> Written:
    """Write the course into a folder, and leave every file that is there as it is.

    Parameters
    ----------
    folder
        Where to; it is made if it does not exist.
    assignment
        Whether what is the teacher's is written, too.

    Raises
    ------
    InvalidValueError
        If the folder is a file, has a notebook's name, or cannot be written.
    """
    folder = Path(folder).expanduser()
    if no_folder(folder):
        raise must_be("a folder", "DIR", str(folder), instead="the name of one, or a new name")
    written = Written([], [], [])
    try:
        for path in files(assignment):
            name, content = path.relative_to(source()), path.read_bytes()
            target = folder / name
            if not target.exists():
                write_file(target, content)
                written.new.append(name)
            elif target.is_file() and target.read_bytes() == content:
                written.same.append(name)
            else:
                written.kept.append(name)
    except OSError as error:
        raise InvalidValueError(
            f"The notebooks cannot be written to {folder}.",
            given=f"{error.strerror}: {error.filename}",
            expected="a folder that you may write to, with room for them",
            instead="backprop-nb notebooks, and the name of a folder of your own",
        ) from error
    return written


def trust(folder: Path, written: Written) -> None:
    """Let this reader's Jupyter show what the course's own notebooks hold, as those they run.

    Otherwise JupyterLab trusts a notebook only when each of its cells has been run, and brings no
    saved view back before.  Without Jupyter, or where its folder cannot be written, nothing is lost
    but that.
    """
    if not all(importlib.util.find_spec(each) for each in ("nbformat", "jupyter_core")):
        return
    import nbformat
    from jupyter_core.paths import jupyter_data_dir
    from nbformat.sign import NotebookNotary

    with suppress(OSError, sqlite3.Error):
        (place := Path(jupyter_data_dir())).mkdir(mode=0o700, parents=True, exist_ok=True)
        notary = NotebookNotary(data_dir=str(place))
        try:
            for name in [*written.new, *written.same]:
                if name.suffix == ".ipynb":
                    notary.sign(nbformat.read(folder / name, as_version=4))
        finally:
            notary.store.close()


def add_with(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command's own parser."""
    one = add_parser(
        "notebooks",
        help="write the lessons into a folder",
        description="Write the lessons into a folder. A file that is there and differs is kept.",
        allow_abbrev=False,
    )
    one.add_argument("folder", metavar="DIR", help="the folder; it is made if it does not exist")
    one.add_argument(
        "--assignment",
        action="store_true",
        help="write the teacher's assignment with its solutions, too",
    )


def run(folder: str, assignment: bool) -> int:
    """Write the course, say which files were kept, and how to go on."""
    written = write(folder, assignment)
    trust(Path(folder).expanduser(), written)
    print(f"{written}\nTo open the first lesson: backprop-nb lab {quoted(folder)}")
    return 0

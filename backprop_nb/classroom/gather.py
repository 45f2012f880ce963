"""Who has handed in what: a folder, a zip or a file, as a learning platform delivers it.

``owners.py`` says whose each file is, ``attempts.py`` which of them counts.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from backprop_nb.classroom.archives import unpack
from backprop_nb.classroom.attempts import Gathered, HandedIn, bounded, class_of
from backprop_nb.classroom.owners import LAYOUTS, ONE, File, Owner, Student, unwrapped, without_mark
from backprop_nb.classroom.submissions import ENDINGS, as_text
from backprop_nb.errors import InvalidValueError, NotFoundError
from backprop_nb.files import nothing_at
from backprop_nb.meant import one_of

Attempts: TypeAlias = Literal["newest", "first", "best", "all"]
"""Which of several attempts counts; with ``"all"`` each is that of somebody else."""
ATTEMPTS: Final = get_args(Attempts)

_IGNORED: Final = {"__pycache__", "__MACOSX", "Thumbs.db", "desktop.ini", "site-packages"}


@contextmanager
def gathered(
    path: str | os.PathLike[str],
    *,
    function: str = "backward",
    pattern: str = "*",
    attempts: str = "newest",
    layout: str | None = None,
    apart: str | os.PathLike[str] | None = None,
) -> Iterator[Gathered]:
    """Find out who has handed in what; what was in zips is there until the context ends.

    Parameters
    ----------
    path
        A folder, a zip, or one file.
    function
        The name that is asked for.
    pattern
        As of a shell, for the paths in the folder that may be graded: ``"*/backprop.ipynb"``.
    attempts
        Which of several counts: ``"newest"``, ``"first"``, ``"best"`` (all are in the class), or
        ``"all"``, for files that are called alike and are not of one student.
    layout
        ``"moodle"``, ``"canvas"``, ``"blackboard"``, ``"folders"``, ``"files"``, or ``"one"``
        where all of it is one student's; None looks.
    apart
        A folder that does not belong to it, such as that of the results.

    Raises ``NotFoundError``: there is nothing there.
    Raises ``InvalidValueError``: an option that cannot be.
    """
    one_of("attempts", attempts, ATTEMPTS)
    if layout is not None:
        one_of("layout", layout, LAYOUTS)
    source = Path(path)
    with tempfile.TemporaryDirectory(prefix="backprop-nb-") as place:
        finder = _Finder(Path(place), None if apart is None else Path(apart))
        if source.is_dir():
            files = [*finder.in_folder(source, source, ())]
        elif source.suffix.lower() == ".zip" and source.is_file():
            files = [*finder.in_zip(source, ())]
            if not files and finder.left_out:
                why = next(iter(finder.left_out.values()))
                raise InvalidValueError(f"This zip cannot be read. {why}", given=str(source))
        elif source.is_file():
            yield Gathered((_alone(source),))
            return
        else:
            raise nothing_at(source, "submissions", "a folder, a zip, or a file")
        whole = _class_in(files, finder, layout, function, pattern, attempts)
        if not (whole.submissions or whole.without):
            raise NotFoundError(
                f"This {'folder' if source.is_dir() else 'zip'} has no submissions.",
                given=f"{source}{'' if pattern == '*' else f', pattern {pattern!r}'}",
                expected=f"files that end in {' or '.join(ENDINGS)}",
            )
        yield whole


def _class_in(
    files: list[File],
    finder: _Finder,
    layout: str | None,
    function: str,
    pattern: str,
    attempts: str,
) -> Gathered:
    files, depth = (files, 0) if layout == ONE else unwrapped(files)
    owner = Owner(files, layout, apart=attempts == "all")
    whole = class_of([owner.of(each) for each in files], function, pattern, attempts)
    having = {each.student for each in whole.submissions} | {*whole.without}
    # A zip that cannot be read is somebody's, and so is an empty folder.
    empty = {"/".join(parts): "The folder is empty." for parts in finder.empty}
    for name, why in (finder.left_out | empty).items():
        parts = [*name.split("/")[depth:], *([""] if name in empty else [])]
        student = owner.of(File(name, Path(name), Path(), tuple(parts))).student
        if student not in having:
            whole.without.setdefault(student, f"{why[:-1]}: {name}.")
    whole.left_out.update(finder.left_out)
    return whole


class _Finder:
    """Walks through folders and zips."""

    def __init__(self, place: Path, apart: Path | None) -> None:
        self.place = place
        self.left_out: dict[str, str] = {}
        self.apart = apart and apart.resolve()
        self.empty: list[tuple[str, ...]] = []
        self._zips = 0
        self._taken: set[tuple[str, ...]] = set()

    def in_folder(self, folder: Path, root: Path, parts: tuple[str, ...]) -> Iterator[File]:
        try:
            entries = sorted(os.scandir(folder), key=lambda each: each.name)
        except OSError as error:
            self.left_out["/".join(parts)] = f"The folder cannot be read: {error.strerror}."
            return
        shown = [each for each in entries if not _is_ignored(each.name)]
        if parts and not shown:
            self.empty.append(parts)
        for entry in shown:
            path, inside = Path(entry.path), (*parts, as_text(entry.name))
            if inside in self._taken:  # two names can be one when they are made text
                inside = (*parts, f"another {inside[-1]}")
            self._taken.add(inside)
            if self.apart and entry.is_dir() and path.resolve() == self.apart:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self.in_folder(path, root, inside)
            elif entry.is_symlink() and path.is_dir():
                self.left_out["/".join(inside)] = "A link to a folder, which is not followed."
            elif path.suffix.lower() == ".zip" and entry.is_file():
                yield from self.in_zip(path, inside)
            else:
                yield File("/".join(inside), path, root, inside)

    def in_zip(self, path: Path, parts: tuple[str, ...]) -> Iterator[File]:
        self._zips += 1
        folder = self.place / str(self._zips)
        name = "/".join(parts) or as_text(path.name)
        try:
            refused = unpack(path, folder)
        except InvalidValueError as error:
            self.left_out[name] = error.problem
            return
        self.left_out.update({f"{name}/{as_text(each)}": why for each, why in refused.items()})
        yield from self.in_folder(folder, folder, parts)


def _is_ignored(name: str) -> bool:
    return name.startswith((".", "~$")) or name in _IGNORED


def _alone(path: Path) -> HandedIn:
    """Return one file by itself, with what lies beside it."""
    root = path.parent
    others = sorted(
        each
        for each in root.iterdir()
        if each.is_file() and each != path and not _is_ignored(each.name)
    )
    beside, _ = bounded((as_text(each.name), each) for each in others)
    stem, _ = without_mark(path.stem)
    name = as_text(path.name)
    return HandedIn(name, Student(as_text(stem)), path, root, name, beside)

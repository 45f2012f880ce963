"""Who has handed in what: a folder, a zip or a file, as a learning platform delivers it.

**Whose a file is** shows in its path.  Moodle, Canvas and Blackboard have patterns of their own;
elsewhere the first folder is the student's (``ada/backprop/hw.ipynb``), and a file that is in
none is called as its student (``ada.py``).

**Which of a student's files counts.**  One that another one imports is a helper.  Of the rest,
those count that define the function asked for; of several attempts (``hw(1).ipynb``,
``hw-Copy1.ipynb``, Canvas' ``hw-1.ipynb``, a date in the name, Blackboard's time; ``hw-old.ipynb``
and Jupyter's ``hw-checkpoint.ipynb`` are the oldest) the newest; of what is left the first,
notebooks before files of Python.

**What lies beside it** is there when it runs, under the name that the student gave it.  What is
left out is listed, with the reason.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final, Literal, TypeAlias, get_args

from backprop_nb.classroom.archives import unpack
from backprop_nb.classroom.submissions import ENDINGS, as_text
from backprop_nb.errors import InvalidValueError, NotFoundError
from backprop_nb.files import nothing_at
from backprop_nb.network.validation import one_of

Attempts: TypeAlias = Literal["newest", "first", "best", "all"]
"""Which of several attempts counts; with ``"all"`` each is that of somebody else."""
ATTEMPTS: Final = get_args(Attempts)

MAX_BESIDE: Final = 64_000_000
"""Bytes of what lies beside a submission."""
MAX_LOOKED_AT: Final = 4_000_000
"""Bytes of a file in which imports and definitions are looked for."""

_IGNORED: Final = {"__pycache__", "__MACOSX", "Thumbs.db", "desktop.ini", "site-packages"}
_DATA: Final = {
    *(".csv", ".tsv", ".txt", ".dat", ".npy", ".npz", ".json", ".mat", ".h5", ".pkl", ".gz"),
    *(".png", ".jpg", ".jpeg", ".svg", ".toml", ".yaml", ".yml"),
}
"""In a folder of many students' files, these are for all of them."""


@dataclass(frozen=True)
class Student:
    """Somebody who hands in.

    Attributes
    ----------
    key : str
        What tells students apart: the platform's number or user name, else a folder's name
        or a file's.
    name : str
        For people to read, as far as it is known.
    platform : str
        ``"moodle"``, ``"canvas"``, ``"blackboard"``, or empty.
    label : str
        How the platform's files of this student begin.
    """

    key: str
    name: str = field(default="", compare=False)
    platform: str = ""
    label: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.name} ({self.key})" if self.name and self.name != self.key else self.key


@dataclass(frozen=True)
class HandedIn:
    """What of a student's is graded.

    Attributes
    ----------
    name : str
        Its path in the folder, with ``/``; no other one has it.
    student : Student
    file : Path
        To be read.
    root : Path
        What a link leads to outside of it is not read.
    place : str
        The path of the file in the student's own folder, with ``/``.
    beside : tuple of pairs
        What else belongs into that folder: for each file its path there, and where it is.
    """

    name: str
    student: Student
    file: Path
    root: Path
    place: str
    beside: tuple[tuple[str, Path], ...] = ()

    def digest(self) -> str:
        """Return what changes with what lies beside it; empty where nothing does."""
        whole = hashlib.sha256()
        for name, path in self.beside:
            data = path.read_bytes() if path.is_file() else b""
            whole.update(f"{name}\0{len(data)}\0".encode("utf-8", "replace") + data)
        return whole.hexdigest() if self.beside else ""


@dataclass(frozen=True)
class Gathered:
    """A class.

    Attributes
    ----------
    submissions : tuple of HandedIn
        In the order of their names; several of one student with ``"best"`` alone.
    left_out : dict
        Why, for each file that was not looked at.
    without : dict
        Why, for each student of whom there is nothing to grade.
    unsure : dict
        By name: why somebody should look whether this is the file that is meant.
    """

    submissions: tuple[HandedIn, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    without: dict[Student, str] = field(default_factory=dict)
    unsure: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _File:
    """A file, and what its path says."""

    name: str
    path: Path
    root: Path
    parts: tuple[str, ...]
    student: Student = Student("")
    attempt: str = ""
    place: str = ""
    shared: bool = False
    """Whether it lies among those of many students."""

    @property
    def is_code(self) -> bool:
        return self.path.suffix.lower() in ENDINGS


# --- the patterns of platforms ---------------------------------------------------------------

_MOODLE: Final = re.compile(
    r"(?P<label>(?P<name>.+?)_(?P<key>\d+)_)assign(?:submission|feedback)_"
    r"(?:file|onlinetext)_?(?P<place>.*)"
)
_CANVAS: Final = re.compile(
    r"(?P<label>(?:LATE_(?=anon_))?(?P<name>[^_]+|.+?(?=_(?:LATE_)?\d+_\d+_))_(?:LATE_)?"
    r"(?P<key>\d+|(?<=anon_)[^\W_]{5})_"
    r"(?:(?P<file>\d+)_)?)(?P<place>.+)"
)
_BLACKBOARD: Final = re.compile(
    r"(?P<label>.+?_(?P<key>[^_]+)_attempt_(?P<attempt>\d{4}(?:-\d\d){5}))(?:_(?P<place>.+)|\.txt)"
)
PLATFORMS: Final = {"blackboard": _BLACKBOARD, "moodle": _MOODLE, "canvas": _CANVAS}
"""What the name of a folder or file looks like that a platform has made, the narrowest first."""

ONE: Final = "one"
LAYOUTS: Final = (*PLATFORMS, "folders", "files", ONE)

_RECEIPT: Final = re.compile(r"^Name: (?P<name>.*?) \((?P<key>[^()\n]+)\)\s*$", re.MULTILINE)

# What makes a name that of an attempt.  Of a number the larger is newer, of a date the later.
_DATE: Final = re.compile(
    r"[-_ ]?(\d{4})-?([01]\d)-?([0-3]\d)"
    r"(?:[-_T ]*([0-2]\d)[-:_.h]?([0-5]\d)(?:[-:_.m]?([0-5]\d))?)?"
)
_MARKS: Final = (
    re.compile(r"(?: -|-)[ ]?(?:Copy|Kopie|copie|copia) ?\(?(\d*)\)?"),
    re.compile(r" ?\((\d+)\)"),
    re.compile(r"(?:^|[-_ ])(?:attempt|versuch|v)[-_ ]?(\d+)", re.IGNORECASE),
)
_EARLIER: Final = re.compile(r"[-_ .](?:checkpoint|old|backup|bak|template)$", re.IGNORECASE)
_CANVAS_MARK: Final = re.compile(r"-(\d+)$")


def _without_mark(stem: str, platform: str = "") -> tuple[str, tuple[str, int]]:
    """Return a file's stem without what makes it an attempt, and what orders attempts.

    >>> _without_mark("hw(2)"), _without_mark("hw-Copy1"), _without_mark("hw-1", "canvas")
    (('hw', ('', 2)), ('hw', ('', 1)), ('hw', ('', 1)))
    >>> _without_mark("hw_2026-01-02"), _without_mark("hw-1"), _without_mark("hw-checkpoint")
    (('hw', ('20260102', 0)), ('hw-1', ('', 0)), ('hw', ('', -1)))
    """
    if found := _EARLIER.search(stem):
        return stem[: found.start()], ("", -1)
    date, number = "", 0
    if found := _DATE.search(stem):
        date = "".join(each or "" for each in found.groups())
        stem = stem[: found.start()] + stem[found.end() :]
    for mark in (*_MARKS, *([_CANVAS_MARK] if platform == "canvas" else ())):
        if found := mark.search(stem):
            number = int(found[1] or 1)
            stem = stem[: found.start()] + stem[found.end() :]
            break
    return stem, (date, number)


# --- from a path to a class ------------------------------------------------------------------


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

    Raises
    ------
    NotFoundError
        There is nothing there.
    InvalidValueError
        An option that cannot be.
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
    files: list[_File],
    finder: _Finder,
    layout: str | None,
    function: str,
    pattern: str,
    attempts: str,
) -> Gathered:
    files, depth = (files, 0) if layout == ONE else _unwrapped(files)
    owner = _Owner(files, layout, apart=attempts == "all")
    whole = _class_of([owner.of(each) for each in files], function, pattern, attempts)
    having = {each.student for each in whole.submissions} | {*whole.without}
    # A zip that cannot be read is somebody's, and so is an empty folder.
    empty = {"/".join(parts): "The folder is empty." for parts in finder.empty}
    for name, why in (finder.left_out | empty).items():
        parts = [*name.split("/")[depth:], *([""] if name in empty else [])]
        student = owner.of(_File(name, Path(name), Path(), tuple(parts))).student
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

    def in_folder(self, folder: Path, root: Path, parts: tuple[str, ...]) -> Iterator[_File]:
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
                yield _File("/".join(inside), path, root, inside)

    def in_zip(self, path: Path, parts: tuple[str, ...]) -> Iterator[_File]:
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
    beside, _ = _bounded((as_text(each.name), each) for each in others)
    stem, _ = _without_mark(path.stem)
    name = as_text(path.name)
    return HandedIn(name, Student(as_text(stem)), path, root, name, beside)


def _unwrapped(files: list[_File]) -> tuple[list[_File], int]:
    """Take off the folders that everything is in and that belong to nobody, and count them."""
    depth = 0
    while files and len({each.parts[0] for each in files}) == 1:
        inside = {_without_mark(each.parts[1])[0] for each in files if len(each.parts) > 2}
        flat = [each.parts[1] for each in files if len(each.parts) == 2]
        names = [*inside, *flat]
        by_platform = names and 2 * max(_matching(names).values(), default=0) >= len(names)
        if _platform_of(files[0].parts[0]) or not (by_platform or (len(inside) > 1 and not flat)):
            break
        files = [replace(each, parts=each.parts[1:]) for each in files]
        depth += 1
    return files, depth


def _platform_of(name: str) -> str:
    return next((key for key, each in PLATFORMS.items() if each.fullmatch(name)), "")


def _matching(names: Iterable[str]) -> dict[str, int]:
    """Return how many names are made as a platform makes them."""
    found: dict[str, list[re.Match[str]]] = defaultdict(list)
    for name in names:
        for platform, each in PLATFORMS.items():
            if match := each.fullmatch(name):
                found[platform].append(match)
                break
    if not _are_people(found["canvas"]):
        del found["canvas"]
    return {platform: len(each) for platform, each in found.items()}


def _are_people(canvas: Sequence[re.Match[str]]) -> bool:
    """Whether a name and a number stand for a student, and not for the homework: hw_1_ada.py.

    A number of Canvas' is that of one student, and it gives each file a number of its own.
    """
    files = {each["file"] for each in canvas if each["file"]}
    typed = sum(each["place"] in ("text.html", "link.html") for each in canvas)
    names = {each["name"] for each in canvas}
    students = {(each["name"], each["key"]) for each in canvas}
    is_one_to_one = len(students) == len({each["key"] for each in canvas})
    return is_one_to_one and (
        len(names) > 1 or len(files) + typed == len(canvas) or len(canvas) == 1
    )


# --- whose it is ------------------------------------------------------------------------------


class _Owner:
    """Knows whose a file is, and where it lies in the student's own folder."""

    def __init__(self, files: Sequence[_File], layout: str | None, apart: bool) -> None:
        tops = {each.parts[0] for each in files}
        counts = _matching(tops)
        best = max(counts, key=lambda each: counts[each], default="folders")
        self.layout = layout or (best if 2 * counts.get(best, 0) >= len(tops) else "folders")
        self.apart = apart
        self.receipts = _receipts(files) if self.layout == "blackboard" else {}
        self.names = {each.key: each.name for each in self.receipts.values()}

    def of(self, file: _File) -> _File:
        """Return a file with what is known."""
        if self.layout == ONE:
            return replace(file, student=Student(ONE), place=file.name)
        pattern = PLATFORMS.get(self.layout)
        found = pattern and pattern.fullmatch(file.parts[0])
        if not found:
            return self._elsewhere(file)
        said = found.groupdict()
        label = said["label"]
        student = self.receipts.get(label) or Student(
            said["key"], said.get("name") or self.names.get(said["key"], ""), self.layout, label
        )
        place = "/".join(filter(None, [said["place"], *file.parts[1:]]))
        return replace(file, student=student, attempt=said.get("attempt") or "", place=place)

    def _elsewhere(self, file: _File) -> _File:
        """Return a file whose path follows no platform: of a folder's student, or of its own."""
        *folders, last = file.parts
        if folders and self.layout != "files":
            student = Student(_without_ending(file.parts[0], ".zip"))
            return replace(file, student=student, place="/".join(file.parts[1:]))
        stem = PurePosixPath(last).stem
        key = stem if self.apart else _without_mark(stem)[0]
        student = Student("/".join([*folders, key]))
        return replace(file, student=student, place=last, shared=True)


def _receipts(files: Sequence[_File]) -> dict[str, Student]:
    """Return who is who in Blackboard's receipts, which lie beside what was handed in."""
    receipts = {}
    for each in files:
        found = _BLACKBOARD.fullmatch(each.parts[0])
        if found and not found["place"] and (said := _RECEIPT.search(_looked_at(each.path))):
            label = found["label"]
            receipts[label] = Student(said["key"], said["name"], "blackboard", label)
    return receipts


def _without_ending(name: str, ending: str) -> str:
    return name[: -len(ending)] if name.lower().endswith(ending) else name


# --- which of them counts ---------------------------------------------------------------------


def _class_of(files: Sequence[_File], function: str, pattern: str, attempts: str) -> Gathered:
    files, shared = _shared(files, function)
    folders: dict[Student, list[_File]] = defaultdict(list)
    for each in files:
        folders[each.student].append(each)
    chosen: list[HandedIn] = []
    left_out: dict[str, str] = {}
    without: dict[Student, str] = {}
    unsure: dict[str, str] = {}
    for student, own in folders.items():
        code = [each for each in own if each.is_code and fnmatchcase(each.name, pattern)]
        others = {each.name: "It does not match the pattern." for each in own
                  if each.is_code and each not in code}  # fmt: skip
        left_out.update(others)
        if not code:
            names = ", ".join(each.place or each.name for each in own[:5])
            what = "that matches the pattern" if others else "and no file of Python"
            without[student] = f"There is no notebook {what}: {names}."
            left_out.update({each.name: "Neither a notebook nor Python." for each in own
                             if not each.is_code})  # fmt: skip
            continue
        counting, others = _counting(code, function, attempts)
        left_out.update(others)
        for each in counting:
            beside, too_large = _beside(each, own, shared)
            left_out.update(too_large)
            chosen.append(
                HandedIn(each.name, each.student, each.path, each.root, each.place, beside)
            )
        too = [name for name, why in others.items() if why.startswith(_ANOTHER)]
        if too:
            unsure[counting[0].name] = several_meant(counting[0].name, too)
    chosen.sort(key=lambda each: each.name)
    return Gathered(tuple(chosen), left_out, without, unsure)


def several_meant(one: str, others: Sequence[str]) -> str:
    """Say which of several files counts.

    >>> several_meant("hw.py", ["old.py"])
    'Several files could be meant: hw.py counts, and not old.py.'
    """
    return f"Several files could be meant: {one} counts, and not {', '.join(others)}."


_ANOTHER: Final = "Another file of the same student counts"


def _shared(files: Sequence[_File], function: str) -> tuple[list[_File], list[_File]]:
    """Take out what is for all whose files lie in one folder: helpers and data."""
    flat = [each for each in files if each.shared]
    code = [each for each in flat if each.is_code]
    if len(code) < 2:
        return [*files], []
    maybe = [
        each
        for each in code
        if each.path.suffix == ".py" and not _defines(_looked_at(each.path), function)
    ]
    stems = {module: each.name for each in maybe for module in _modules_of(each)}
    helpers = {
        stems[used]
        for one in (code if maybe else ())
        for used in _used(_looked_at(one.path)) & stems.keys()
        if stems[used] != one.name
    }
    shared = [e for e in flat if e.name in helpers or e.path.suffix.lower() in _DATA]
    names = {each.name for each in shared}
    return [each for each in files if each.name not in names], shared


def _counting(
    code: list[_File], function: str, attempts: str
) -> tuple[list[_File], dict[str, str]]:
    """Return which files of a student count, and why the others do not."""
    if len(code) == 1:
        return code, {}
    texts = {each.name: _looked_at(each.path) for each in code}
    others: dict[str, str] = {}

    def keep(files: list[_File], fits: Callable[[_File], bool], why: str) -> list[_File]:
        kept = [each for each in files if fits(each)]
        if kept:
            others.update({each.name: why for each in files if each not in kept})
        return kept or files

    used = {each.name: _used(texts[each.name]) for each in code}
    helpers = {
        each.name
        for each in code
        if each.path.suffix == ".py"
        and any(_modules_of(each) & used[o.name] for o in code
                if o is not each and _together(o, each))
    }  # fmt: skip
    has = {each.name for each in code if _has(texts[each.name], function)}
    main = [each for each in code if each.name not in helpers]
    if has and not any(each.name in has for each in main):
        main = code  # then it is in a helper
    others.update({each.name: "A helper that another file imports." for each in code
                   if each not in main})  # fmt: skip
    main = keep(main, lambda each: each.name in has, f"It does not define {function}.")
    notebooks = {(_base(e), _age(e)[:-1]) for e in main if e.path.suffix == ".ipynb"}
    main = keep(
        main,
        lambda e: e.path.suffix == ".ipynb" or (_base(e), _age(e)[:-1]) not in notebooks,
        "A notebook of the same name counts.",
    )
    if attempts == "best":
        return main, others
    order = sorted(main, key=lambda each: _age(each))
    best = order[0] if attempts == "first" else order[-1]
    which = "A later" if attempts == "first" else "An older"
    main = keep(main, lambda each: each.attempt == best.attempt, f"{which} attempt.")
    latest = {}
    for each in order if attempts != "first" else reversed(order):
        latest[_base(each)] = each
    main = keep(main, lambda each: latest[_base(each)] is each, f"{which} attempt.")
    main.sort(key=lambda each: (each.path.suffix != ".ipynb", each.name.count("/"), each.name))
    others.update({each.name: f"{_ANOTHER}: {main[0].name}." for each in main[1:]})
    return main[:1], others


def _age(file: _File) -> tuple[str, str, int, str]:
    """Return what orders attempts, the oldest first."""
    platform, parts = file.student.platform, file.place.split("/")
    marks = [_without_mark(PurePosixPath(part).stem, platform)[1] for part in parts]
    return (file.attempt, max(date for date, _ in marks), max(n for _, n in marks), file.name)


def _base(file: _File) -> str:
    """Return what attempts at the same have in common."""
    platform, parts = file.student.platform, file.place.split("/")
    return "/".join(_without_mark(PurePosixPath(part).stem, platform)[0] for part in parts)


def _together(one: _File, other: _File) -> bool:
    return one.attempt == other.attempt


def _looked_at(path: Path) -> str:
    """Return the text of a file, as far as it is looked at."""
    try:
        if not path.is_file():  # a named pipe would be waited for
            return ""
        with path.open("rb") as stream:
            return stream.read(MAX_LOOKED_AT).decode("utf-8", "replace")
    except OSError:
        return ""


_USES: Final = re.compile(
    r"""(?:^|\\n|[\n";:])[ \t]*(?:from[ \t]+\.?([\w.]+)[ \t]+import\b|import[ \t]+([\w., \t]+))"""
    r"""|(?<![\w/])([\w-]+)\.py\b"""
)


def _used(text: str) -> set[str]:
    r"""Return the modules that a text imports, and the files that it names.

    >>> sorted(_used("import numpy as np, net\nfrom .lib.act import relu\n%run util.py"))
    ['act', 'lib', 'net', 'numpy', 'util']
    """
    used: set[str] = set()
    for found in _USES.finditer(text):
        module, modules, file = found.groups()
        for each in (modules or module or file).split(","):
            used.update(each.split()[0].split(".") if each.split() else ())
    return used


def _modules_of(file: _File) -> set[str]:
    """Return by which names a file can be imported."""
    stem = PurePosixPath(file.place).stem
    return {stem, _without_mark(stem, file.student.platform)[0]}


def _defines(text: str, function: str) -> bool:
    return re.search(rf"\bdef\s+{function}\b|\b{function}\s*=[^=]", text) is not None


def _has(text: str, function: str) -> bool:
    """Whether a file may have a function: its own, or imported."""
    imported = rf"\bimport\b[^\n\\]*\b{function}\b|\bimport\s+\*|\bas\s+{function}\b"
    return _defines(text, function) or re.search(imported, text) is not None


# --- what lies beside it ----------------------------------------------------------------------


def _beside(
    file: _File, own: Sequence[_File], shared: Sequence[_File]
) -> tuple[tuple[tuple[str, Path], ...], dict[str, str]]:
    """Return what belongs into the folder of a file, and what is too large for it."""
    files: dict[str, Path] = {}
    names: dict[Path, str] = {}
    for each in sorted([*shared, *own], key=_age):
        if each is file or not each.place or not (_together(each, file) or each in shared):
            continue
        if not each.path.is_file() or not each.path.resolve().is_relative_to(each.root.resolve()):
            continue
        place = PurePosixPath(each.place)
        stem, _ = _without_mark(place.stem, each.student.platform)
        for name in dict.fromkeys([each.place, str(place.with_name(stem + place.suffix))]):
            if name != file.place:
                files[name] = each.path
        names[each.path] = each.name
    kept, too_large = _bounded(sorted(files.items()))
    why = f"With it, more than {MAX_BESIDE // 1_000_000} MB would lie beside the submission."
    return kept, {names[path]: why for path in too_large}


def _bounded(
    files: Iterable[tuple[str, Path]],
) -> tuple[tuple[tuple[str, Path], ...], list[Path]]:
    """Return as many files as fit, and those that do not."""
    kept, too_large, total = [], [], 0
    for name, path in files:
        size = path.stat().st_size
        if total + size > MAX_BESIDE:
            too_large.append(path)
        else:
            total += size
            kept.append((name, path))
    return tuple(kept), too_large

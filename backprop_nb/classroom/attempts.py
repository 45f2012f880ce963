"""Which of a student's files counts, and what lies beside it.

One that another one imports is a helper.  Of the rest, those count that define the function asked
for; of several attempts (``hw(1).ipynb``, ``hw-Copy1.ipynb``, Canvas' ``hw-1.ipynb``, a date in
the name, Blackboard's time; ``hw-old.ipynb`` and Jupyter's ``hw-checkpoint.ipynb`` are the oldest)
the newest; of what is left the first, notebooks before files of Python.

What lies beside it is there when it runs, under the name that the student gave it.  What is left
out is listed, with the reason.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Final

from backprop_nb.classroom.owners import (
    File,
    Student,
    may_be_a_number,
    may_be_a_surname,
    may_be_others,
    without_mark,
)

MAX_BESIDE: Final = 64_000_000
"""Bytes of what lies beside a submission."""

_FEW, _FEW_ALONE = 5, 2
"""So many attempts are plainly one student's in a folder of many, or where nobody else is."""

_FEW_COPIES, _FEW_COPIES_ALONE = 3, 1
"""As above where a browser may have numbered them: it does that to files of many students, too."""
_COPY: Final = re.compile(r"\(\d+\)$")

_DATA: Final = {
    *(".csv", ".tsv", ".txt", ".dat", ".npy", ".npz", ".json", ".mat", ".h5", ".pkl", ".gz"),
    *(".png", ".jpg", ".jpeg", ".svg", ".toml", ".yaml", ".yml"),
}
"""In a folder of many students' files, these are for all of them."""


@dataclass(frozen=True)
class HandedIn:
    """What of a student's is graded."""

    name: str
    """Its path in the folder, with ``/``; no other one has it."""
    student: Student
    file: Path
    """To be read."""
    root: Path
    """What a link leads to outside of it is not read."""
    place: str
    """The path of the file in the student's own folder, with ``/``."""
    beside: tuple[tuple[str, Path], ...] = ()
    """What else belongs into that folder: for each file its path there, and where it is."""

    def digest(self) -> str:
        """Return what changes with what lies beside it; empty where nothing does."""
        whole = hashlib.sha256()
        for name, path in self.beside:
            data = path.read_bytes() if path.is_file() else b""
            whole.update(f"{name}\0{len(data)}\0".encode("utf-8", "replace") + data)
        return whole.hexdigest() if self.beside else ""

    def content(self) -> str:
        """Return what is the same for two files of the same bytes."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest() if self.file.is_file() else ""


@dataclass(frozen=True)
class Gathered:
    """A class."""

    submissions: tuple[HandedIn, ...] = ()
    """In the order of their names; several of one student with ``"best"`` alone."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Why, for each file that was not looked at."""
    without: dict[Student, str] = field(default_factory=dict)
    """Why, for each student of whom there is nothing to grade."""
    unsure: dict[str, str] = field(default_factory=dict)
    """By name: why somebody should look whether this is the file that is meant."""


def class_of(files: Sequence[File], function: str, pattern: str, attempts: str) -> Gathered:
    """Return what of the files of a class is graded, and why the rest is not."""
    files, shared = _shared(files, function)
    folders: dict[Student, list[File]] = defaultdict(list)
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
        alone = all(each.student == student for each in files)
        is_copied = any(_COPY.search(each.stem) for each in code)
        few, few_alone = (_FEW_COPIES, _FEW_COPIES_ALONE) if is_copied else (_FEW, _FEW_ALONE)
        for each in counting:
            if too := [*_too(each, code, others)]:
                unsure[each.name] = several_meant(each.name, too)
            elif each.shared and len(code) > (few_alone if alone else few):
                unsure[each.name] = (
                    f"{len(code)} files count as one student's attempts, as they are called alike; "
                    "with --attempts all each is a student's."
                )
    chosen.sort(key=lambda each: each.name)
    return Gathered(tuple(chosen), left_out, without, unsure)


def several_meant(one: str, others: Sequence[str]) -> str:
    """Say which of several files counts.

    >>> several_meant("hw.py", ["old.py"])
    'Several files could be meant: hw.py counts, and not old.py.'
    """
    return f"Several files could be meant: {one} counts, and not {', '.join(others)}."


def _too(one: File, code: Sequence[File], others: Mapping[str, str]) -> Iterator[str]:
    """Yield what could be meant as well: other files, and what may be somebody else's."""
    for each in code:
        why = others.get(each.name, "")
        is_tie = why.endswith("attempt.") and _is_as_old(one, each)
        if is_tie or why.startswith(_ANOTHER) or _may_be_two_peoples(one, each):
            yield each.name


def _is_as_old(one: File, other: File) -> bool:
    """Whether nothing says which of two attempts, which are not the same, is newer."""
    ages = [(_base(each), _age(each)[:-1], each.path.suffix) for each in (one, other)]
    return ages[0] == ages[1] and one.text != other.text


def _may_be_two_peoples(one: File, other: File) -> bool:
    """Whether nothing but numbers tells two files apart, which may be those of two students."""
    if one.student.platform:
        return False
    if one.shared and may_be_a_surname(one.stem) != may_be_a_surname(other.stem):
        return True
    doubt = may_be_a_number if one.shared else may_be_others
    pairs = zip(_stems(one), _stems(other), strict=False)
    return any(mine != theirs and doubt(mine) and doubt(theirs) for mine, theirs in pairs)


_ANOTHER: Final = "Another file of the same student counts"


def _shared(files: Sequence[File], function: str) -> tuple[list[File], list[File]]:
    """Take out what is for all whose files lie in one folder: helpers and data."""
    flat = [each for each in files if each.shared]
    code = [each for each in flat if each.is_code]
    if len(code) < 2:
        return [*files], []
    maybe = [
        each for each in code if each.path.suffix == ".py" and not _defines(each.text, function)
    ]
    stems = {module: each.name for each in maybe for module in _modules_of(each)}
    helpers = {
        stems[used]
        for one in (code if maybe else ())
        for used in _used(one.text) & stems.keys()
        if stems[used] != one.name
    }
    shared = [e for e in flat if e.name in helpers or e.path.suffix.lower() in _DATA]
    names = {each.name for each in shared}
    return [each for each in files if each.name not in names], shared


def _counting(code: list[File], function: str, attempts: str) -> tuple[list[File], dict[str, str]]:
    """Return which files of a student count, and why the others do not."""
    if len(code) == 1:
        return code, {}
    texts = {each.name: each.text for each in code}
    others: dict[str, str] = {}

    def keep(files: list[File], fits: Callable[[File], bool], why: str) -> list[File]:
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
                if o is not each and o.attempt == each.attempt)
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


def _age(file: File) -> tuple[str, str, int, str]:
    """Return what orders attempts, the oldest first."""
    marks = [_unmarked(file, stem)[1] for stem in _stems(file)]
    return (file.attempt, max(date for date, _ in marks), max(n for _, n in marks), file.name)


def _base(file: File) -> str:
    """Return what attempts at the same have in common."""
    return "/".join(_unmarked(file, stem)[0] for stem in _stems(file))


def _stems(file: File) -> list[str]:
    return [PurePosixPath(part).stem for part in file.place.split("/")]


def _unmarked(file: File, stem: str) -> tuple[str, tuple[str, int]]:
    return without_mark(stem, file.student.platform, own=not file.shared)


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


def _modules_of(file: File) -> set[str]:
    """Return by which names a file can be imported."""
    stem = PurePosixPath(file.place).stem
    return {stem, _unmarked(file, stem)[0]}


def _defines(text: str, function: str) -> bool:
    return re.search(rf"\bdef\s+{function}\b|\b{function}\s*=[^=]", text) is not None


def _has(text: str, function: str) -> bool:
    """Whether a file may have a function: its own, or imported."""
    imported = rf"\bimport\b[^\n\\]*\b{function}\b|\bimport\s+\*|\bas\s+{function}\b"
    return _defines(text, function) or re.search(imported, text) is not None


# --- what lies beside it ----------------------------------------------------------------------


def _beside(
    file: File, own: Sequence[File], shared: Sequence[File]
) -> tuple[tuple[tuple[str, Path], ...], dict[str, str]]:
    """Return what belongs into the folder of a file, and what is too large for it."""
    files: dict[str, Path] = {}
    names: dict[Path, str] = {}
    for each in sorted([*shared, *own], key=_age):
        if each is file or not each.place or not (each.attempt == file.attempt or each in shared):
            continue
        if not each.path.is_file() or not each.path.resolve().is_relative_to(each.root.resolve()):
            continue
        place = PurePosixPath(each.place)
        stem = _unmarked(each, place.stem)[0] or place.stem
        for name in dict.fromkeys([each.place, str(place.with_name(stem + place.suffix))]):
            if name != file.place:
                files[name] = each.path
        names[each.path] = each.name
    kept, too_large = bounded(sorted(files.items()))
    why = f"With it, more than {MAX_BESIDE // 1_000_000} MB would lie beside the submission."
    return kept, {names[path]: why for path in too_large}


def bounded(
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

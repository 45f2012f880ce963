"""Whose a file is: what its path says, as a learning platform writes it.

Moodle, Canvas and Blackboard have patterns of their own; elsewhere the first folder is the
student's (``ada/backprop/hw.ipynb``), and a file that is in none is called as its student
(``ada.py``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Final

from backprop_nb.classroom.submissions import ENDINGS

MAX_LOOKED_AT: Final = 4_000_000
"""Bytes of a file in which imports and definitions are looked for."""


@dataclass(frozen=True)
class Student:
    """Somebody who hands in."""

    key: str
    """What tells students apart: the platform's number or user name, else a folder's name or a
    file's."""
    name: str = field(default="", compare=False)
    """For people to read, as far as it is known."""
    platform: str = ""
    """``"moodle"``, ``"canvas"``, ``"blackboard"``, or empty."""
    label: str = field(default="", compare=False)
    """How the platform's files of this student begin."""

    def __str__(self) -> str:
        return f"{self.name} ({self.key})" if self.name and self.name != self.key else self.key


@dataclass(frozen=True)
class File:
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
        """Whether it is a notebook or Python."""
        return self.path.suffix.lower() in ENDINGS

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        return PurePosixPath(self.parts[-1]).stem

    @property
    def text(self) -> str:
        """Its text, as far as it is looked at; empty where it cannot be read."""
        try:
            if not self.path.is_file():  # a named pipe would be waited for
                return ""
            with self.path.open("rb") as stream:
                return stream.read(MAX_LOOKED_AT).decode("utf-8", "replace")
        except OSError:
            return ""


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
_WHEN: Final = (
    r"(?P<year>20\d\d)(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
    r"(?:(?![-_T ]*20\d\d-\d\d-\d\d(?!\d))"  # that is the date, and no time
    r"[-_T ]*(?P<hour>[0-2]\d)[-:_.h]?(?P<minute>[0-5]\d)"
    r"(?:[-:_.m]?(?P<second>[0-5]\d))?[sZ]?)?"
)
_DATE: Final = re.compile(rf"(?:[-_ ]|(?<![^\W_])){_WHEN}(?![^\W_])")
_MARKS: Final = (
    re.compile(r"(?: -|-)[ ]?(?:Copy|Kopie|copie|copia) ?(?:\((\d+)\)|(\d*))(?![^\W_])"),
    re.compile(r" ?\((\d{1,3})\)"),
    re.compile(
        r"(?:^|[-_ ])(?:(?:attempt|versuch)[-_ ]?(\d{1,3})|v[-_ ]?(\d{1,2}))(?![^\W_]|\.\d)",
        re.IGNORECASE,
    ),
)
_EARLIER: Final = re.compile(r"(?<=.)[-_ .](?:checkpoint|old|backup|bak|template)$", re.IGNORECASE)
_CANVAS_MARK: Final = re.compile(r"-(\d+)$")

# In a folder of one student's, nobody else's number is meant, and a name may be nothing else.
_OWN_DATE: Final = re.compile(rf"[-_ ]?(?<!\d){_WHEN}(?!\d)")
_OWN_MARK: Final = re.compile(r"(?:^|[-_ ])v[-_ ]?(\d+)", re.IGNORECASE)
_ATTEMPT: Final = re.compile(
    r"(?:attempt|versuch)[-_ ]?\d+|20\d\d-\d\d-\d\d(?!\d).*", re.IGNORECASE
)
"""A name that is that of an attempt, and nobody's number."""


def without_mark(
    stem: str, platform: str = "", *, own: bool = False, dated: bool = True
) -> tuple[str, tuple[str, int]]:
    """Return a file's stem without what makes it an attempt, and what orders attempts.

    Parameters
    ----------
    stem
    platform
        Canvas counts with marks of its own.
    own
        Whether it lies in a student's own folder.  Elsewhere a number may be somebody's: what
        is nothing but a number or a mark stays as it is.
    dated
        Whether a date is looked for.

    >>> without_mark("hw(2)"), without_mark("hw-Copy1"), without_mark("hw-1", "canvas")
    (('hw', ('', 2)), ('hw', ('', 1)), ('hw', ('', 1)))
    >>> without_mark("hw_2026-01-02"), without_mark("hw-1"), without_mark("hw-checkpoint")
    (('hw', ('20260102', 0)), ('hw-1', ('', 0)), ('hw', ('', -1)))
    >>> without_mark("20260102"), without_mark("v12"), without_mark("v12", own=True)
    (('20260102', ('', 0)), ('v12', ('', 0)), ('', ('', 12)))
    """
    if found := _EARLIER.search(stem):
        return stem[: found.start()], ("", -1)
    rest, number = _without_number(stem, _MARKS, own=own)
    digits = ""
    if dated and (found := _date_in(rest, own=own)) and (cut := _cut(rest, found, own=own)) != rest:
        rest, digits = cut, "".join(filter(None, found.group(*_TIMES)))
    if not number:  # these not before, as they would take a year or a day for it
        marks = [*([_OWN_MARK] if own else []), *([_CANVAS_MARK] if platform == "canvas" else [])]
        rest, number = _without_number(rest, marks, own=own)
    return rest, (digits, number)


_TIMES: Final = ("year", "month", "day", "hour", "minute", "second")


def _date_in(stem: str, *, own: bool = False) -> re.Match[str] | None:
    """Return where a date stands; None where two do, of which one is a number of somebody's."""
    found = [each for each in (_OWN_DATE if own else _DATE).finditer(stem) if _is_date(each)]
    found = [each for each in found if each["dash"]] or found  # which is no number
    return found[0] if found and (own or len(found) == 1) else None


def _is_date(found: re.Match[str]) -> bool:
    try:
        return bool(date(*(int(each) for each in found.group("year", "month", "day"))))
    except ValueError:
        return False


def _without_number(stem: str, marks: Iterable[re.Pattern[str]], *, own: bool) -> tuple[str, int]:
    for mark in marks:
        if (found := mark.search(stem)) and (rest := _cut(stem, found, own=own)) != stem:
            return rest, int(next(filter(None, found.groups()), 1))
    return stem, 0


def _cut(stem: str, found: re.Match[str], *, own: bool) -> str:
    """Take something out, unless it is all that there is."""
    before, after = stem[: found.start()], stem[found.end() :]
    rest = before + after if before else after.lstrip("-_ ")
    return rest if own or rest.strip("-_ .()") else stem


def _numbers(stem: str) -> Iterator[tuple[tuple[str, str], bool]]:
    """Yield for each number what stands around it, and whether it may be a date."""
    stem, _ = without_mark(stem, dated=False)
    for found in re.finditer(r"(?<!\d)\d{5,}(?!\d)", stem):
        when = _DATE.fullmatch(found[0])
        around = stem[: found.start()], stem[found.end() :]
        yield around, when is not None and _is_date(when)


def may_be_a_number(stem: str) -> bool:
    """Whether the date in a name may be a student's number as well: hw_20211001."""
    found = _date_in(stem)
    return found is not None and not found["dash"]


def may_be_a_surname(stem: str) -> bool:
    """Whether a name may be that of a backup, and of somebody as well: jan_bak, ann_old."""
    return re.search(r"[-_ .](?:old|bak)$", stem, re.IGNORECASE) is not None


def may_be_others(stem: str) -> bool:
    """Whether a name is an attempt's only in the folder of a student: 20211001, v12.

    >>> [may_be_others(each) for each in ("20211001", "v12", "s20211001", "attempt_1", "hw_v2")]
    [True, True, True, False, False]
    """
    return not _ATTEMPT.fullmatch(stem) and without_mark(stem, own=True) != without_mark(stem)


def unwrapped(files: list[File]) -> tuple[list[File], int]:
    """Take off the folders that everything is in and that belong to nobody, and count them."""
    depth = 0
    while files and len({each.parts[0] for each in files}) == 1:
        inside = {_without_attempt(each.parts[1]) for each in files if len(each.parts) > 2}
        flat = [each.parts[1] for each in files if len(each.parts) == 2]
        names = [*inside, *flat]
        by_platform = names and 2 * max(_matching(names).values(), default=0) >= len(names)
        if _platform_of(files[0].parts[0]) or not (by_platform or (len(inside) > 1 and not flat)):
            break
        files = [replace(each, parts=each.parts[1:]) for each in files]
        depth += 1
    return files, depth


def _without_attempt(folder: str) -> str:
    """Return what folders of one student's attempts have in common."""
    if _ATTEMPT.fullmatch(folder):
        return ""
    return folder if may_be_a_number(folder) else without_mark(folder)[0]


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
    return is_one_to_one and (len(names) > 1 or len(files) + typed == len(canvas))


# --- whose it is ------------------------------------------------------------------------------


class Owner:
    """Knows whose a file is, and where it lies in the student's own folder."""

    def __init__(self, files: Sequence[File], layout: str | None, apart: bool) -> None:
        tops = {each.parts[0] for each in files}
        counts = _matching(tops)
        best = max(counts, key=lambda each: counts[each], default="folders")
        self.layout = layout or (best if 2 * counts.get(best, 0) >= len(tops) else "folders")
        self.apart = apart
        numbers = [each for file in files for each in _numbers(file.stem)]
        self.numbers = {around for around, is_dated in numbers if not is_dated}
        certain = [each.stem for each in files if not may_be_a_surname(each.stem)]
        self.keys = {without_mark(stem)[0] for stem in certain}
        self.receipts = _receipts(files) if self.layout == "blackboard" else {}
        self.names = {each.key: each.name for each in self.receipts.values()}

    def of(self, file: File) -> File:
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

    def _elsewhere(self, file: File) -> File:
        """Return a file whose path follows no platform: of a folder's student, or of its own."""
        *folders, last = file.parts
        if folders and self.layout != "files":
            student = Student(_without_ending(file.parts[0], ".zip"))
            return replace(file, student=student, place="/".join(file.parts[1:]))
        key = file.stem
        if not self.apart:
            # What is a date by chance stands where others have numbers that are none.
            dates = {around for around, is_dated in _numbers(key) if is_dated}
            key, _ = without_mark(key, dated=not dates & self.numbers)
            if may_be_a_surname(file.stem) and key not in self.keys:
                key = file.stem
        student = Student("/".join([*folders, key]))
        return replace(file, student=student, place=last, shared=True)


def _receipts(files: Sequence[File]) -> dict[str, Student]:
    """Return who is who in Blackboard's receipts, which lie beside what was handed in."""
    receipts = {}
    for each in files:
        found = _BLACKBOARD.fullmatch(each.parts[0])
        if found and not found["place"] and (said := _RECEIPT.search(each.text)):
            label = found["label"]
            receipts[label] = Student(said["key"], said["name"], "blackboard", label)
    return receipts


def _without_ending(name: str, ending: str) -> str:
    return name[: -len(ending)] if name.lower().endswith(ending) else name

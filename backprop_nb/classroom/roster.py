"""A list of the class, as a CSV that a platform or a teacher has written."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from backprop_nb.classroom.owners import Student
from backprop_nb.errors import InvalidValueError
from backprop_nb.files import nothing_at

_MOODLE_ID: Final = re.compile(r"\D+(\d+)")
_NAMES: Final = ("full name", "name", "student", "student name", "vollständiger name")
_FIRST: Final = ("first name", "firstname", "given name", "vorname")
_LAST: Final = ("last name", "lastname", "surname", "family name", "nachname")
_SKIPPED: Final = ("points possible", "student, test")
"""Rows that Canvas has in its gradebook, and that are nobody."""


@dataclass(frozen=True)
class Roster:
    """The rows of a class."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """As wide as the header."""

    @cached_property
    def _heads(self) -> list[str]:
        return [each.strip().casefold() for each in self.header]

    def column(self, *names: str) -> int | None:
        """Return the first column that is called so, in whatever case; None if there is none."""
        heads = self._heads
        return next((heads.index(each.casefold()) for each in names if each.casefold() in heads),
                    None)  # fmt: skip

    @property
    def platform(self) -> str:
        """Whose it is, by its columns; empty if a teacher has written it."""
        if self.column("identifier") is not None and self.column("grade") is not None:
            return "moodle"
        if self.column("student") is not None and self.column("section") is not None:
            return "canvas"
        return "blackboard" if self.column("username") is not None else ""

    def people(self) -> Iterator[tuple[int, Student]]:
        """Yield everybody in it, with the number of the row."""
        for number, row in enumerate(self.rows):
            name = self.name(row)
            if any(each.strip() for each in row) and not name.casefold().startswith(_SKIPPED):
                yield number, Student(self._key(row) or name, name, self.platform)

    def name(self, row: Sequence[str]) -> str:
        """Return the name in a row, as well as it has one."""
        whole = self.column(*_NAMES)
        if whole is not None:
            return row[whole].strip()
        parts = [row[k].strip() for k in (self.column(*_FIRST), self.column(*_LAST))
                 if k is not None]  # fmt: skip
        return " ".join(filter(None, parts))

    def _key(self, row: Sequence[str]) -> str:
        names = ("identifier", "id", "username", "sis login id", "login", "user", "email",
                 "email address", "key", "student id")  # fmt: skip
        column = self.column(*names)
        text = row[column if column is not None else 0].strip()
        found = _MOODLE_ID.fullmatch(text) if self.platform == "moodle" else None
        return found[1] if found else text

    @cached_property
    def _keys(self) -> dict[str, list[int]]:
        """For each key, the rows that have it."""
        keys: dict[str, list[int]] = defaultdict(list)
        for number, person in self.people():
            keys[person.key].append(number)
        return keys

    @cached_property
    def _said(self) -> dict[str, set[int]]:
        """For whatever may tell who somebody is, the rows in which it stands."""
        said: dict[str, set[int]] = defaultdict(set)
        for number, person in self.people():
            row = self.rows[number]
            texts = {*row, person.key, person.name, *(each.partition("@")[0] for each in row)}
            for text in texts:
                said[_folded(text)].add(number)
            # Canvas' files begin with the last name and the first one, without anything between.
            last, comma, first = person.name.partition(",")
            words = [last, first] if comma else person.name.split()[::-1]
            said["".join(_folded(each) for each in words)].add(number)
        said.pop("", None)
        return said

    def find(self, student: Student) -> set[int]:
        """Return the row of a student; several if it could be each of them."""
        known = [self._said.get(_folded(each), set()) for each in (student.key, student.name)]
        every = [{*self._keys.get(student.key, ())}, *known]
        return next((rows for rows in every if len(rows) == 1), set().union(*every))


def _folded(text: str) -> str:
    """Return what is left of a text without case, spaces and signs.

    >>> _folded("Lovelace, Ada"), _folded("s-0042")
    ('lovelaceada', 's0042')
    """
    return re.sub(r"[\W_]", "", text.casefold())


def read_roster(path: str | Path) -> Roster:
    """Read a list of the class.

    Raises ``NotFoundError``: there is no such file.
    Raises ``InvalidValueError``: it is no table with a line of heads.
    """
    file = Path(path)
    if not file.is_file():
        raise nothing_at(file, "roster", "a file")
    data = file.read_bytes()
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")  # as spreadsheets on Windows write it
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    table = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    if len(table) < 2 or len(table[0]) < 2 or "\0" in text:
        raise InvalidValueError(
            "`roster` must be a table with a line of heads, and a line for each student.",
            given=f"roster={str(path)!r}",
            expected="a CSV, such as Moodle's grading worksheet, or with the heads id,name",
        )
    header, *rows = table
    width = len(header)
    return Roster(header, tuple((*row, *[""] * width)[:width] for row in rows))

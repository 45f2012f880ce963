"""The points of a class: a table for the teacher, and files for Moodle, Canvas and Blackboard.

``grades.csv`` has a line for each student.  A platform's own list of the class, given as
``roster``, comes back with the points filled in; otherwise the columns are those that the
platform needs to know a student.  The feedback is packed as the platform takes it.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from backprop_nb.classroom.owners import Student
from backprop_nb.classroom.roster import Roster
from backprop_nb.errors import InvalidValueError

COLUMN: Final = "Backpropagation"
FULL: Final = 100.0
"""What full marks are unless somebody says so."""
_DATED: Final = (1980, 1, 1, 0, 0, 0)
"""Of what is in a zip: the same feedback gives the same bytes."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")

Table: TypeAlias = list[list[str]]


@dataclass(frozen=True)
class Line:
    """What a student gets."""

    student: Student
    file: str = ""
    """What was graded; empty if nothing was."""
    points: str = ""
    """As it is written; empty where nothing could be judged."""
    said: str = ""
    """What came of it, in a few words."""
    look: str = ""
    """Why somebody should look at it; empty if nobody needs to."""
    feedback: Path | None = None
    """The page."""
    row: int | None = None
    """The student's row in the roster."""


def grades(lines: Iterable[Line], out_of: str) -> Table:
    """Return a line for each student, for the teacher."""
    head = ["student", "name", "file", "points", "out of", "result", "to be looked at"]
    body = [
        [each.student.key, each.student.name, each.file, each.points, out_of, each.said, each.look]
        for each in lines
    ]
    return [head, *body]


# --- what platforms read ----------------------------------------------------------------------


def _moodle(lines: Sequence[Line], out_of: str, column: str) -> Table:
    # Its importer asks for these three by name, and takes - for never graded.
    return [
        ["Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)"],
        *([f"Participant {e.student.key}", e.student.name, e.points, out_of, "-"] for e in lines),
    ]


def _canvas(lines: Sequence[Line], out_of: str, column: str) -> Table:
    ids = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    return [
        [*ids, column],
        ["    Points Possible", "", "", "", "", out_of],
        *([e.student.name, e.student.key, "", "", "", e.points] for e in lines),
    ]


def _blackboard(lines: Sequence[Line], out_of: str, column: str) -> Table:
    rows = []
    for each in lines:
        first, _, last = each.student.name.rpartition(" ")
        rows.append([last, first, each.student.key, each.points])
    return [["Last Name", "First Name", "Username", column], *rows]


PLATFORMS: Final[Mapping[str, Callable[[Sequence[Line], str, str], Table]]] = {
    "moodle": _moodle,
    "canvas": _canvas,
    "blackboard": _blackboard,
}
"""For each platform, the table that it imports where there is no list of the class."""

_COLUMNS: Final = {
    "moodle": re.compile(r"grade|bewertung|calificación|note|valutazione|cijfer", re.IGNORECASE),
    "canvas": re.compile(r".* \(\d+\)"),
    "blackboard": re.compile(r".*\|\s*\d+"),
}
"""What the column for points is called in a platform's own list."""


def filled(roster: Roster, lines: Iterable[Line], column: str) -> Table:
    """Return a list of the class with the points filled in; whoever has none keeps what is there.

    Raises ``InvalidValueError``: it is not clear which column is meant.
    """
    where = _column_of(roster, column)
    table = [[*roster.header], *([*row] for row in roster.rows)]
    if where is None:
        where = len(roster.header)
        for row, cell in zip(table, [column] + [""] * len(roster.rows), strict=True):
            row.append(cell)
    for each in lines:
        if each.row is not None and each.points:
            table[each.row + 1][where] = each.points
    return table


def _column_of(roster: Roster, column: str) -> int | None:
    """Return where the points go; None if a new column is to be made."""
    named = roster.column(column)
    if named is not None or roster.platform not in _COLUMNS:
        return named
    pattern = _COLUMNS[roster.platform]
    fitting = [k for k, head in enumerate(roster.header) if pattern.fullmatch(head.strip())]
    if len(fitting) > 1 or (column != COLUMN and fitting):
        raise InvalidValueError(
            "`column` must be a column of the roster.",
            given=f"column={column!r}",
            expected=" or ".join(repr(roster.header[k]) for k in fitting),
        )
    return fitting[0] if fitting else None


# --- feedback to upload -----------------------------------------------------------------------

_PLACES: Final = {
    "moodle": lambda line: f"{line.student.label}assignfeedback_file_/feedback.html",
    "canvas": lambda line: f"{line.student.label}feedback.html",
}
"""Where a student's feedback lies in the zip that a platform takes."""


def feedback_zip(platform: str, lines: Iterable[Line]) -> bytes:
    """Return the feedback of a class as a platform takes it; empty if it takes none."""
    place = _PLACES.get(platform)
    pages = [each for each in lines if each.feedback and each.student.label] if place else []
    if place is None or not pages:
        return b""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in pages:
            assert each.feedback is not None
            archive.writestr(zipfile.ZipInfo(place(each), _DATED), each.feedback.read_bytes(),
                             zipfile.ZIP_DEFLATED)  # fmt: skip
    return stream.getvalue()


# --- tables as text ---------------------------------------------------------------------------


def as_csv(table: Iterable[Sequence[object]], own: bool = True) -> bytes:
    """Return a table as CSV.

    A text that a spreadsheet would take for a formula gets an apostrophe in front, unless the
    table is a platform's own, which has to come back as it was.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([harmless(cell) if own else cell for cell in row] for row in table)
    return stream.getvalue().encode("utf-8-sig", "xmlcharrefreplace")


def harmless(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula.

    >>> harmless("=cmd|' /C calc'!A0"), harmless("-"), harmless(-1.5)
    ("'=cmd|' /C calc'!A0", '-', -1.5)
    """
    is_formula = isinstance(value, str) and value.startswith(_FORMULA) and value != "-"
    return f"'{value}" if is_formula else value


def files_for(
    lines: Sequence[Line], out_of: str, roster: Roster | None, column: str
) -> Iterator[tuple[str, bytes]]:
    """Yield the files for the teacher and the platforms, each with its name."""
    yield "grades.csv", as_csv(grades(lines, out_of))
    if roster is not None:
        name = f"{roster.platform}.csv" if roster.platform else "roster.csv"
        yield name, as_csv(filled(roster, lines, column), own=False)
    for platform, table in PLATFORMS.items():
        theirs = [each for each in lines if each.student.platform == platform]
        if theirs and (roster is None or roster.platform != platform):
            yield f"{platform}.csv", as_csv(table(theirs, out_of, column))
        if theirs and (zipped := feedback_zip(platform, theirs)):
            yield f"{platform}-feedback.zip", zipped

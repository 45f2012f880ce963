"""From results to a line for each student: what counts, points, and who is to be looked at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from backprop_nb.checking.convention import Course
from backprop_nb.classroom.attempts import Gathered
from backprop_nb.classroom.gradebook import Line
from backprop_nb.classroom.owners import Student
from backprop_nb.classroom.roster import Roster
from backprop_nb.classroom.summary import Result, called, mistakes_of, points_of
from backprop_nb.errors import must_be

_NAMED: Final = 5
"""So many students are named whose file is the same."""

_UNJUDGED: Final = ("unreadable", "no function", "stopped", "too slow", "ended", "borrowed")
"""The outcomes in which no gradient was compared: somebody should see why."""


def check_points(points: float | None) -> None:
    """Raise ``InvalidValueError`` unless it can be what full marks are."""
    if points is not None and not 0 < points < 1e6:
        raise must_be("a positive number", "points", points)


def sheet(
    handed_in: Gathered,
    results: Sequence[Result],
    lost: Mapping[str, str],
    roster: Roster | None,
    points: float,
    course: Course,
    folder: Path,
) -> tuple[list[Result], list[Line]]:
    """Return the result of each student that counts, and a line for every student.

    Of several results of one student the best counts; of those that are equal the first.
    """
    by_name = {each["submission"]: each for each in results}
    own: dict[Student, list[Result]] = defaultdict(list)
    for each in handed_in.submissions:
        if each.name in by_name:
            own[each.student].append(by_name[each.name])
    counting = [max(several, key=lambda result: result["score"]) for several in own.values()]
    lines = [
        Line(each.student, each.name, look=f"No result: {lost[each.name]}")
        for each in handed_in.submissions
        if each.name in lost and each.student not in own
    ]
    alike = _alike(handed_in)
    for student, result in zip(own, counting, strict=True):
        others = alike[result["submission"]]
        lines.append(_line(student, result, others, handed_in, points, course, folder))
    counting = [
        {**result, "student": str(student)} for student, result in zip(own, counting, strict=True)
    ]
    lines += [Line(student, said="nothing to grade", look=why)
              for student, why in handed_in.without.items()]  # fmt: skip
    if roster is not None:
        lines = [*_listed(lines, roster)]
    lines.sort(key=lambda each: (each.student.name.casefold(), each.student.key, each.file))
    return counting, lines


def _alike(handed_in: Gathered) -> dict[str, list[str]]:
    """Return for each submission the other students who have handed in the same file."""
    having: dict[str, dict[Student, None]] = defaultdict(dict)
    contents = [each.content() for each in handed_in.submissions]
    for each, content in zip(handed_in.submissions, contents, strict=True):
        having[content][each.student] = None
    return {
        each.name: [str(other) for other in having[content] if content and other != each.student]
        for each, content in zip(handed_in.submissions, contents, strict=True)
    }


def _line(
    student: Student,
    result: Result,
    alike: Sequence[str],
    handed_in: Gathered,
    points: float,
    course: Course,
    folder: Path,
) -> Line:
    given = points_of(result, points)
    titles = [called(each, course) for each in mistakes_of(result).values()]
    unjudged = result["outcome"] in _UNJUDGED
    looks = [f"{titles[0]}."] if unjudged else []
    looks += [each for each in [handed_in.unsure.get(result["submission"])] if each]
    if alike and not unjudged and "not_written" not in mistakes_of(result):  # as it was given out
        names = ", ".join(alike[:_NAMED])
        more = f" and {len(alike) - _NAMED} more" if len(alike) > _NAMED else ""
        looks.append(f"The same file was handed in by others: {names}{more}.")
    if signs := result.get("borrowed"):
        looks.append(f"It may not be their own work: {' '.join(signs)}")
    return Line(
        student,
        result["submission"],
        "" if given is None else f"{given:g}",
        "right" if result["ok"] else "; ".join(titles),
        " ".join(looks),
        folder / result["feedback"],
    )


def _listed(lines: Sequence[Line], roster: Roster) -> Iterator[Line]:
    """Yield lines with their rows of the roster, and a line for whoever has handed in nothing."""
    found = [roster.find(each.student) for each in lines]
    often = Counter(row for rows in found if len(rows) == 1 for row in rows)
    people: dict[int, Student] = dict(roster.people())
    for each, rows in zip(lines, found, strict=True):
        row = min(rows, default=0)
        if not rows:
            yield _looked_at(each, "Not in the roster.")
        elif len(rows) > 1:
            yield _looked_at(each, "Several lines of the roster could be meant.")
        elif often[row] > 1:
            yield _looked_at(each, f"Several are {people[row]} of the roster.")
        else:
            known = replace(each.student, name=people[row].name or each.student.name)
            yield replace(each, student=known, row=row)
    for number, person in people.items():
        if number not in often:
            maybe = [str(lines[k].student) for k, rows in enumerate(found) if number in rows]
            what = f"perhaps {' or '.join(maybe)}" if maybe else "nothing handed in"
            yield Line(person, said=what, look=f"{what[0].upper()}{what[1:]}.", row=number)


def _looked_at(line: Line, why: str) -> Line:
    return replace(line, look=" ".join(filter(None, [line.look, why])))

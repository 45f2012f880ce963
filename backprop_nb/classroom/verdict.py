"""One submission, from its code to its result."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from backprop_nb.checking.asking import Answers
from backprop_nb.checking.convention import Course
from backprop_nb.checking.diagnosis import judge
from backprop_nb.checking.packing import check_calls
from backprop_nb.checking.report import SHOWS_LINE, Finding, Hints, Report, check_hints
from backprop_nb.checking.wording import spoken_report
from backprop_nb.checking.wrong_line import with_line
from backprop_nb.classroom.borrowed import borrowed, differenced
from backprop_nb.classroom.host import KEPT, Reply, ask
from backprop_nb.classroom.limits import Limits
from backprop_nb.classroom.submissions import Submission
from backprop_nb.errors import InvalidValueError, UnsupportedError
from backprop_nb.views.report import report_html

MAX_LAYERS = 20
_KINDS = {
    "no function": "missing_gradient",
    "unreadable": "missing_gradient",
    "borrowed": "borrowed_gradient",
}
"""What is found where an outcome is no answer, if it is nothing that was raised."""


class Unanswered(Report):
    """The report on a submission that gave nothing to compare: one finding says why."""

    @property
    def ok(self) -> bool:
        """Not right."""
        return False

    @property
    def headline(self) -> str:
        """That there is nothing to compare, in one line."""
        return f"{self.subject}: no gradients to check."


@dataclass(frozen=True)
class GradingSettings:
    """All that a result depends on besides the submission itself.

    Raises ``InvalidValueError``: one of them is none.
    Raises ``UnsupportedError``: this system cannot copy a process.
    """

    course: Course = field(default_factory=Course)
    hints: Hints = "plain"
    function: str = "backward"
    """The name of the function to take out of a submission."""
    limits: Limits = field(default_factory=Limits)
    own_work: bool = False
    """Whether a gradient that a library or differences have computed is worth nothing."""

    def __post_init__(self) -> None:
        if sys.platform == "win32":
            raise UnsupportedError(
                "Submissions cannot be isolated on Windows.",
                expected="Linux or macOS",
                instead="the same command in the Windows Subsystem for Linux, or in a container",
            )
        check_hints(self.hints)
        layers = self.course.layers
        if layers > MAX_LAYERS:
            raise InvalidValueError(
                f"`layers` must be at most {MAX_LAYERS}.", given=f"layers={layers}"
            )
        if not self.function.isidentifier():
            raise InvalidValueError(
                "`function` must be the name of a function.", given=f"function={self.function!r}"
            )

    def with_seed(self, seed: int) -> GradingSettings:
        """Return the same with other networks and data."""
        return replace(self, course=replace(self.course, seed=seed))

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON can hold them."""
        return _as_dict(self)


_as_dict = cache(asdict)


def make_settings(
    *,
    hints: Any = "plain",
    function: str = "backward",
    timeout: float = 10.0,
    memory: int = 1024,
    own_work: bool = False,
    **course: Any,
) -> GradingSettings:
    """Return the settings that these options, and those of a course, stand for.

    Raises ``InvalidValueError``: a value that cannot be.
    Raises ``UnsupportedError``: an option that does not exist.
    """
    known = [each.name for each in fields(Course)]
    for name in course:
        if name not in known:
            raise _no_option(name, [*known, *inspect.signature(make_settings).parameters])
    chosen = Course(**course)
    check_calls(chosen)
    return GradingSettings(chosen, hints, function, Limits(float(timeout), memory), own_work)


def _no_option(name: str, known: Sequence[str]) -> UnsupportedError:
    close = difflib.get_close_matches(name, known, n=1)
    return UnsupportedError(
        f"There is no option `{name}`.",
        given=f"{name}=…",
        expected="an option of check_backward, or function, timeout, memory, own_work",
        instead=f"{close[0]}=…" if close else "",
    )


def examine(submission: Submission, settings: GradingSettings) -> dict[str, Any]:
    """Return the result of one submission, as JSON can hold it.

    It has ``outcome``, what :meth:`Report.to_dict` has, and the report as ``text`` and ``html``.
    """
    if submission.problem:
        return result_of(Reply("unreadable", problem=submission.problem), settings)
    reply = ask(
        submission.cells,
        settings.function,
        settings.course,
        settings.limits,
        settings.hints,
        file=submission.place or PurePosixPath(submission.name).name,
        beside=submission.beside,
    )
    return result_of(reply, settings, (*submission.cells, *_modules_beside(submission)))


def _modules_beside(submission: Submission) -> Iterator[tuple[str, str]]:
    """Yield the modules of a student's own that may be imported, as far as they can be read."""
    for name, path in submission.beside:
        if name.endswith(".py"):
            with contextlib.suppress(OSError, ValueError):
                yield name, Path(path).read_text(encoding="utf-8")


def result_of(
    reply: Reply, settings: GradingSettings, cells: Sequence[tuple[str, str]] = ()
) -> dict[str, Any]:
    """Return the result that belongs to what a submission of these cells replied."""
    report = report_on(reply, settings)
    signs = (*borrowed(cells, settings.function), *differenced(report)) if reply.answers else ()
    if signs and settings.own_work:
        reply = Reply("borrowed", problem=f"{' '.join(signs)} It is to be your own work.")
        report = report_on(reply, settings)
    elif signs:
        report = replace(report, notes=(*report.notes, *signs))
    return {
        "outcome": reply.outcome,
        **_said(report),
        "borrowed": list(signs),
    }


def report_on(reply: Reply, settings: GradingSettings) -> Report:
    """Return the report on what a submission replied, its answers or why there are none."""
    notes = reply.notes
    if reply.answers is not None:
        report = _judged(reply.answers, settings)
        if settings.hints in SHOWS_LINE:
            report = with_line(report, reply.line, settings.course)
            notes += _cell_of(report)
    else:
        kind = _KINDS.get(reply.outcome, "raised_exception")
        last = f"dA[{settings.course.layers - 1}]"  # the first that a backward pass comes to
        finding = Finding(kind, last, 1, reply.problem)
        report = Unanswered(settings.function, (), (finding,), hints=settings.hints)
        report = spoken_report(report, settings.course, [reply.problem])
    return replace(report, notes=(*report.notes, *notes)) if notes else report


@lru_cache(KEPT)
def _judged(answers: Answers, settings: GradingSettings) -> Report:
    """Return the report on answers, which those share whose gradients are the same."""
    report = judge(answers, settings.course, settings.hints)
    return replace(report, subject=settings.function)


@lru_cache(KEPT)
def _said(report: Report) -> dict[str, Any]:
    """Return what a result says of a report; nobody changes it, as it may be that of many."""
    return {
        **report.to_dict(),
        "line": _line(report),
        "text": str(report),
        "html": report_html(report),
    }


def _line(report: Report) -> dict[str, Any] | None:
    """Return where the first wrong quantity stands, as JSON can hold it; None if not known."""
    found = next((each for each in report.findings if each.place is not None), None)
    if found is None or found.place is None:
        return None
    first = found.place.start[0]
    return {
        "cell": found.place.filename,
        "number": first,
        "text": " ".join(found.place.around.split("\n")[first - 1].split()),
        "quantity": found.quantity,
    }


def _cell_of(report: Report) -> tuple[str, ...]:
    """Say in which cell of a notebook the wrong line is."""
    line = _line(report)
    if line is None or not line["cell"].startswith("cell "):
        return ()
    return (f"Line {line['number']} is that of {line['cell']} of the notebook.",)

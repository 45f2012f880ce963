"""One submission, from its code to its result."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from backprop_nb.checking.convention import Course
from backprop_nb.checking.diagnosis import judge
from backprop_nb.checking.report import Finding, Hints, Report, check_hints
from backprop_nb.classroom.host import Asked, ask
from backprop_nb.classroom.limits import Limits
from backprop_nb.errors import InvalidValueError, UnsupportedError
from backprop_nb.views.report import report_html

LEAST_MEMORY = 256
"""Megabytes that Python and NumPy need."""

# What the finding is called where there are no answers.
_KINDS = {"no function": "missing_gradient", "unreadable": "missing_gradient"}


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
class Settings:
    """All that a result depends on besides the submission itself.

    Attributes
    ----------
    course : Course
    hints : str
    function : str
        The name of the function to take out of a submission.
    limits : Limits
    """

    course: Course = field(default_factory=Course)
    hints: Hints = "plain"
    function: str = "backward"
    limits: Limits = field(default_factory=lambda: Limits(10.0, 1024))

    def to_dict(self) -> dict[str, Any]:
        """Return them as JSON can hold them."""
        return asdict(self)


def make_settings(
    *,
    samples: Any = "single",
    reduction: Any = "mean",
    half: bool = False,
    layers: int = 3,
    seed: int = 0,
    hints: Any = "plain",
    function: str = "backward",
    timeout: float = 10.0,
    memory: int = 1024,
) -> Settings:
    """Return the settings, or say which of them there is not.

    Raises
    ------
    InvalidValueError
    UnsupportedError
        This system cannot copy a process.
    """
    if sys.platform == "win32":
        raise UnsupportedError(
            "Submissions cannot be isolated on Windows.",
            expected="Linux or macOS",
            instead="the same command in the Windows Subsystem for Linux, or in a container",
        )
    check_hints(hints)
    for name, value, right, expected in [
        ("layers", layers, 1 <= layers <= 20, "1 to 20"),
        ("timeout", timeout, 0 < timeout <= 86_400, "seconds, more than 0 and at most a day"),
        ("memory", memory, memory >= LEAST_MEMORY, f"megabytes, {LEAST_MEMORY} or more"),
        ("function", function, function.isidentifier(), "the name of a function"),
    ]:
        if not right:
            raise InvalidValueError(
                f"There is no such {name}.", given=f"{name}={value!r}", expected=expected
            )
    course = Course(samples, reduction, half, layers, seed)
    return Settings(course, hints, function, Limits(float(timeout), memory))


def examine(cells: Sequence[tuple[str, str]], problem: str, settings: Settings) -> dict[str, Any]:
    """Return the result of one submission, as JSON can hold it.

    Parameters
    ----------
    cells
        Its code.
    problem
        Why there is none; empty if there is.
    settings

    Returns
    -------
    dict
        ``outcome``, what :meth:`Report.to_dict` has, and the report as ``text`` and ``html``.
    """
    if problem:
        asked = Asked("unreadable", problem=problem)
    else:
        asked = ask(cells, settings.function, settings.course, settings.limits)
    return result_of(asked, settings)


def result_of(asked: Asked, settings: Settings) -> dict[str, Any]:
    """Return the result that belongs to what came of asking."""
    report = _report(asked, settings)
    report = replace(report, subject=settings.function, notes=(*report.notes, *asked.notes))
    return {
        "outcome": asked.outcome,
        **report.to_dict(),
        "text": str(report),
        "html": report_html(report),
    }


def _report(asked: Asked, settings: Settings) -> Report:
    if asked.answers is not None:
        return judge(asked.answers, settings.course, settings.hints)
    kind = _KINDS.get(asked.outcome, "raised_exception")
    last = f"dA[{settings.course.layers - 1}]"  # the first that a backward pass comes to
    return Unanswered("", (), (Finding(kind, last, 1, asked.problem),), hints=settings.hints)

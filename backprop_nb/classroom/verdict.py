"""One submission, from its code to its result."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from backprop_nb.checking.convention import Course
from backprop_nb.checking.diagnosis import judge
from backprop_nb.checking.report import Finding, Hints, Report, check_hints
from backprop_nb.classroom.host import Reply, ask
from backprop_nb.classroom.limits import Limits
from backprop_nb.classroom.submissions import Submission
from backprop_nb.errors import InvalidValueError, UnsupportedError
from backprop_nb.views.report import report_html

MAX_LAYERS = 20
_MISSING = ("no function", "unreadable")
"""The outcomes in which no gradient was asked for."""


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

    Attributes
    ----------
    course : Course
    hints : str
    function : str
        The name of the function to take out of a submission.
    limits : Limits

    Raises
    ------
    InvalidValueError
        One of them is none.
    UnsupportedError
        This system cannot copy a process.
    """

    course: Course = field(default_factory=Course)
    hints: Hints = "plain"
    function: str = "backward"
    limits: Limits = field(default_factory=Limits)

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
) -> GradingSettings:
    """Return the settings that these options stand for; they raise for what cannot be."""
    course = Course(samples, reduction, half, layers=layers, seed=seed)
    return GradingSettings(course, hints, function, Limits(float(timeout), memory))


def examine(submission: Submission, settings: GradingSettings) -> dict[str, Any]:
    """Return the result of one submission, as JSON can hold it.

    It has ``outcome``, what :meth:`Report.to_dict` has, and the report as ``text`` and ``html``.
    """
    if submission.problem:
        return result_of(Reply("unreadable", problem=submission.problem), settings)
    reply = ask(submission.cells, settings.function, settings.course, settings.limits)
    return result_of(reply, settings)


def result_of(reply: Reply, settings: GradingSettings) -> dict[str, Any]:
    """Return the result that belongs to what a submission replied."""
    report = report_on(reply, settings)
    return {
        "outcome": reply.outcome,
        **report.to_dict(),
        "text": str(report),
        "html": report_html(report),
    }


def report_on(reply: Reply, settings: GradingSettings) -> Report:
    """Return the report on what a submission replied, its answers or why there are none."""
    if reply.answers is not None:
        report = judge(reply.answers, settings.course, settings.hints)
    else:
        kind = "missing_gradient" if reply.outcome in _MISSING else "raised_exception"
        last = f"dA[{settings.course.layers - 1}]"  # the first that a backward pass comes to
        finding = Finding(kind, last, 1, reply.problem)
        report = Unanswered("", (), (finding,), hints=settings.hints)
    return replace(report, subject=settings.function, notes=(*report.notes, *reply.notes))

"""Which mistake a backward pass contains: the search through the catalogue.

Every mistake of the catalogue, and every pair of them, is itself a backward pass.
The one whose gradients a submission reproduces, to the last digits and on
networks that have nothing to do with each other, is what the submission does.
Where several do, all are named; where none does, that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.mistakes import MISTAKES, Mistake, find, make_backward
from backprop_nb.checking.numeric import compare
from backprop_nb.checking.probes import Answer, Answers, Probe, gather, make_probes
from backprop_nb.checking.recipe import Reduction, Samples, Setting
from backprop_nb.checking.report import Checked, Finding, Hints, Report, checked_hints
from backprop_nb.errors import InvalidValueError, UnsupportedError

Array: TypeAlias = NDArray[Any]
Gradients: TypeAlias = dict[str, Array]
"""The gradients of one network by name, dA[0], db[0], …"""

SUBJECT = "backward"
_IN_ORDER = "in the order of the backward pass"
_TIES = 3
"""So many explanations that are equally good are named at most."""


@dataclass(frozen=True)
class Course:
    """How a course writes the pass: what is asked, and what is right.

    Attributes
    ----------
    samples, reduction, half
        As of :func:`check_backward`.
    layers : int
        K, of the networks that are asked about.
    seed : int
    """

    samples: Samples = "single"
    reduction: Reduction = "mean"
    half: bool = False
    layers: int = 3
    seed: int = 0

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The networks that a submission is asked about."""
        return _probes(self)


@cache
def _probes(course: Course) -> tuple[Probe, ...]:
    return make_probes(course.samples, course.seed, course.layers)


def check_backward(
    backward: Callable[..., Any],
    *,
    samples: Samples = "single",
    reduction: Reduction = "mean",
    half: bool = False,
    hints: Hints = "plain",
    seed: int = 0,
    layers: int = 3,
    seconds: float | None = None,
) -> Report:
    """Check a backward pass of the document's network, and say which mistake it contains.

    Parameters
    ----------
    backward : callable
        ``backward(A, b, x, y) -> (dA, db)``: lists of the weights and of the biases,
        input and target; it returns a list of the gradients of each.  It is called
        by position, several times, and may be any callable.
    samples : "single", "rows" or "columns"
        How data are laid out.  ``"single"``: x (n_0,), y (n_K,), b[i] (n_{i+1},).
        ``"rows"``: x (N, n_0), y (N, n_K), b[i] (n_{i+1},).  ``"columns"``: x (n_0, N),
        y (n_K, N), b[i] (n_{i+1}, 1).
    reduction : "mean" or "sum"
        Of the loss over the samples.
    half : bool
        Whether the loss is ½‖y − f_K‖², and not the document's ‖y − f_K‖².
    hints : "none", "vague", "clear" or "plain"
        How much the report gives away: which gradients are wrong; a first hint, with
        the numbers that were given; a second one, with the quantity that is wrong
        first; the mistake itself, with the numbers that were expected.
    seed : int
        Of the networks and the data, so that nobody can write for just these.
    layers : int
        K, of the networks that are asked about.
    seconds : float, optional
        How long one call of ``backward`` may take; then it is stopped, and the report
        says so.  Without it an endless loop has no end.  The limit holds in the main
        thread of a Unix system, between two steps of Python.

    Returns
    -------
    Report
        Per gradient whether it is right, and which mistakes, or pairs of them, explain
        what is wrong, the best first.  What ``backward`` raises is in the report too.

    Raises
    ------
    UnsupportedError
        ``backward`` cannot be called.
    InvalidValueError
        There is no such convention or level of hints, or no such number of seconds.

    Notes
    -----
    The pass runs in this process, with all that it may do.  A submission that nobody
    trusts belongs into one of its own: see the command ``backprop-nb grade``.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> def backward(A, b, x, y):
    ...     f = [x]
    ...     for A_i, b_i in zip(A, b):
    ...         f.append(bp.sigmoid(A_i @ f[-1] + b_i))
    ...     delta = (f[-1] - y) * f[-1] * (1 - f[-1])  # and where is the 2?
    ...     dA, db = [], []
    ...     for i in reversed(range(len(A))):
    ...         dA.insert(0, np.outer(delta, f[i]))
    ...         db.insert(0, delta)
    ...         delta = A[i].T @ delta * f[i] * (1 - f[i])
    ...     return dA, db
    >>> report = bp.check_backward(backward)
    >>> report.score, report.findings[0].mistake
    (0.0, 'missing_factor_2')
    """
    if not callable(backward):
        raise UnsupportedError(
            "There is nothing to call.",
            given=f"{type(backward).__name__}",
            expected="a function backward(A, b, x, y) that returns (dA, db)",
        )
    checked_hints(hints)
    if seconds is not None and not seconds > 0:
        raise InvalidValueError(
            "This is no length of time.", given=f"seconds={seconds!r}", expected="more than 0"
        )
    course = checked_course(samples, reduction, half, layers, seed)
    return judge(gather(backward, course.probes, seconds), course, hints)


def checked_course(
    samples: Any, reduction: Any, half: Any, layers: int = 3, seed: int = 0
) -> Course:
    """Return the conventions of a course, or say which of them there is not."""
    for name, value, known in [
        ("samples", samples, ("single", "rows", "columns")),
        ("reduction", reduction, ("mean", "sum")),
        ("half", half, (False, True)),
    ]:
        if value not in known:
            raise InvalidValueError(
                f"There is no such convention of {name}.",
                given=f"{name}={value!r}",
                expected=" or ".join(map(repr, known)),
            )
    return Course(samples, reduction, bool(half), layers, seed)


# --- judging ------------------------------------------------------------------


def judge(answers: Answers, course: Course, hints: Hints = "plain") -> Report:
    """Return the report on what a backward pass answered to the probes of a course."""
    return _Judge(answers, course, hints).report()


class _Judge:
    """Holds the right gradients beside the given ones."""

    def __init__(self, answers: Answers, course: Course, hints: Hints) -> None:
        self.course, self.hints, self.printed = course, hints, answers.printed
        self.repeats = answers.repeats
        self.all = answers.answers
        # What is kept from call to call spoils all but the first, which alone counts then.
        self.answers = self.all if self.repeats else self.all[:1]
        self.right = _gradients(course, ())
        self.names = list(self.right[0])

    def report(self) -> Report:
        parameters = tuple(self._verdict(name) for name in self.names)
        wrong = [each.name for each in parameters if not each.ok]
        findings = tuple(self._findings(parameters)) if wrong else ()
        return Report(
            SUBJECT,
            parameters,
            findings,
            tuple(self._offences()),
            self._notes(),
            self.printed,
            self.hints,
        )

    def _verdict(self, name: str) -> Checked:
        """Return a parameter on the first probe on which it is wrong, else on the first."""
        verdicts = [
            _compare(name, answer, right[name])
            for answer, right in zip(self.answers, self.right, strict=False)
        ]
        return next((each for each in verdicts if not each.ok), verdicts[0])

    # -- explaining ----------------------------------------------------------

    def _findings(self, parameters: Sequence[Checked]) -> Iterator[Finding]:
        explanations = self._explanations()
        named: set[str] = set()
        for mistakes in explanations[:_TIES]:
            for mistake in mistakes:
                if mistake.id not in named:
                    yield self._finding(mistake, mistakes, explanations)
                named.add(mistake.id)
        rank = 2 if explanations else 1
        failures = [answer for answer in self.answers if answer.failure]
        if failures:
            yield self._failed(failures[0], rank)
        else:
            yield from self._faults(parameters, rank, explained=bool(explanations))

    def _explanations(self) -> list[tuple[Mistake, ...]]:
        """Return the mistakes that explain everything; pairs only where no single one does."""
        if not any(map(self._has_wrong_values, range(len(self.answers)))):
            return []  # what is missing, and nothing else, is no mistake in the values
        for candidates in (_singles(self.course), _pairs(self.course)):
            found = [each for each in candidates if self._explains(each)]
            if found:
                return found
        return []

    def _explains(self, mistakes: tuple[Mistake, ...]) -> bool:
        """Whether a submission does what a pass with these mistakes does, wherever that can be."""
        rate = self._learning_rate(mistakes)
        seen = False
        for k, answer in enumerate(self.answers):
            expected = _gradients(self.course, tuple(each.id for each in mistakes), rate)[k]
            if not expected:  # it cannot be made here, so the submission must not be right either
                if not answer.failure and self._all_right(k):
                    return False
            elif answer.failure or not self._agree(answer, expected):
                return False
            else:
                seen = True
        return seen

    def _agree(self, answer: Answer, expected: Gradients) -> bool:
        """Whether all gradients that are there are the expected ones, and some are there."""
        given = {name: _given(name, answer) for name in self.names}
        there = {name: array for name, array in given.items() if array is not None}
        return bool(there) and all(
            compare(name, _laid_out(array, expected[name]), expected[name]).ok
            for name, array in there.items()
        )

    def _all_right(self, k: int) -> bool:
        return all(_compare(name, self.answers[k], self.right[k][name]).ok for name in self.names)

    def _has_wrong_values(self, k: int) -> bool:
        """Whether a gradient is there that has other numbers than the right one."""
        answer = self.answers[k]
        given = {name: _given(name, answer) for name in self.names}
        return any(
            array is not None
            and not compare(name, _laid_out(array, self.right[k][name]), self.right[k][name]).ok
            for name, array in given.items()
        )

    def _learning_rate(self, mistakes: tuple[Mistake, ...]) -> float | None:
        """Return the step that a pass must have taken if it updates weights before their use."""
        if not any(each.id == "updated_before_use" for each in mistakes):
            return None
        others = tuple(each.id for each in mistakes if each.id != "updated_before_use")
        for k, answer in enumerate(self.answers):
            rate = _fitted_rate(self.course, others, k, answer)
            if rate is not None:
                return rate
        return None

    # -- saying --------------------------------------------------------------

    def _finding(
        self,
        mistake: Mistake,
        together: Sequence[Mistake],
        explanations: Sequence[Sequence[Mistake]],
    ) -> Finding:
        parameter = self._first_spoiled(mistake)
        others = [each for each in together if each is not mistake]
        ties = [each for each in explanations if each is not together]
        wrong = f"{parameter} is the first gradient that is wrong, {_IN_ORDER}."
        text = message(mistake, parameter, others, ties, self.hints, wrong)
        return Finding(mistake.id, parameter, 1, text)

    def _first_spoiled(self, mistake: Mistake) -> str:
        """Return the first gradient, in the order of the backward pass, that a mistake changes."""
        for k, expected in enumerate(_gradients(self.course, (mistake.id,))):
            if expected:
                for name in _backward_order(self.names):
                    if not compare(name, expected[name], self.right[k][name]).ok:
                        return name
        return _backward_order(self.names)[0]

    def _failed(self, answer: Answer, rank: int) -> Finding:
        kind = "raised_exception" if answer.raised else "missing_gradient"
        first = _backward_order(self.names)[0]
        where = self.all.index(answer)
        widths = " → ".join(map(str, self.course.probes[where].widths))
        return Finding(
            kind, first, rank, f"{first} and all others: {answer.failure}, with layers {widths}."
        )

    def _faults(
        self, parameters: Sequence[Checked], rank: int, explained: bool
    ) -> Iterator[Finding]:
        """Say what shows without the catalogue; of values that nothing explains, the first."""
        by_name = {each.name: each for each in parameters}
        for name in _backward_order(self.names):
            checked = by_name[name]
            if checked.ok:
                continue
            kind, text = _plain_fault(checked)
            if kind != "not_recognised":
                if not explained or checked.given is None:
                    yield Finding(kind, name, rank, text)
            elif not explained:
                yield Finding(kind, name, rank, text)
                return  # what comes after it may follow from it

    def _offences(self) -> Iterator[Finding]:
        changed = list(dict.fromkeys(name for each in self.all for name in each.modified))
        if changed:
            names = " and ".join(changed)
            text = f"It changes what it was given: {names}. {find('input_modified').hints[1]}"
            yield Finding("input_modified", changed[0], 1, text)
        if not self.repeats:
            first = next(
                (
                    name
                    for name in _backward_order(self.names)
                    if not _same_given(name, self.all[0], self.all[1])
                ),
                self.names[0],
            )
            text = (
                "Called again with the same arguments it gives something else, in "
                f"{first} for one: it keeps something between calls, or draws random numbers. "
                "The gradients are judged by the first call."
            )
            yield Finding("state_kept_between_calls", first, 1, text)

    def _notes(self) -> tuple[str, ...]:
        single = sorted(
            name
            for name in self.names
            if (array := _given(name, self.answers[0])) is not None and array.dtype.itemsize < 8
        )
        if not single:
            return ()
        return (
            f"{', '.join(single)}: computed in a precision below float64, and judged to that "
            "precision.",
        )


def message(
    mistake: Mistake,
    parameter: str,
    others: Sequence[Mistake],
    ties: Sequence[Sequence[Mistake]],
    hints: Hints,
    wrong: str,
) -> str:
    """Say a mistake, as plainly as the hints allow, with what it cannot be told from.

    ``wrong`` is the sentence on what is wrong first, which is always said; ``others``
    are the mistakes that it is made together with.
    """
    if hints == "none":
        return wrong
    if hints == "vague":
        return f"{wrong} {mistake.hints[0]}"
    if hints == "clear":
        first = f"The first quantity that is wrong is {mistake.first.title}."
        return f"{wrong} {first} {mistake.hints[1]}"
    together = f", together with {_titles(others)}" if others else ""
    equation = f" It breaks equation [{mistake.equation}]." if mistake.equation else ""
    either = [_titles(each) for each in ties[:_TIES]]
    same = (
        f" The gradients are just as consistent with {' or with '.join(either)}." if either else ""
    )
    return (
        f"{parameter}: consistent with “{mistake.title}”{together}. "
        f"{mistake.explanation}{equation}{same}"
    )


def _titles(mistakes: Sequence[Mistake]) -> str:
    return " and ".join(f"“{each.title}”" for each in mistakes)


def _plain_fault(checked: Checked) -> tuple[str, str]:
    """Return the kind of a fault that shows without any catalogue, and a sentence on it."""
    name, given, expected = checked.name, checked.given, checked.expected
    if given is None:
        kind = "missing_gradient" if checked.remark == "there is none" else "wrong_shape"
        return kind, f"{name}: {checked.remark}."
    if given.shape != expected.shape:
        laid_out = _laid_out(given, expected)
        if compare(name, laid_out, expected).ok:
            return "wrong_shape", f"{name}: {checked.remark}. The numbers themselves are right."
        if given.ndim == 2 and compare(name, given.T, expected).ok:
            return "wrong_shape", f"{name}: {checked.remark}. Its transpose would be right."
        return "wrong_shape", f"{name}: {checked.remark}."
    if not np.isfinite(given).all():
        return "not_finite", f"{name} has entries that are not finite, such as {checked.place}."
    return (
        "not_recognised",
        f"{name} is the first gradient that is wrong, {_IN_ORDER}. "
        "No mistake of the catalogue, and no pair of them, explains it.",
    )


# --- the gradients of the catalogue ---------------------------------------------


@cache
def _gradients(
    course: Course, mistakes: tuple[str, ...], learning_rate: float | None = None
) -> tuple[Gradients, ...]:
    """Return the gradients that a pass with some mistakes gives on each probe.

    They are empty on a probe on which one of the mistakes cannot be made.
    """
    backward = make_backward(
        *mistakes,
        samples=course.samples,
        reduction=course.reduction,
        half=course.half,
        **({} if learning_rate is None else {"learning_rate": learning_rate}),
    )
    return tuple(_gradients_on(probe, course, mistakes, backward) for probe in course.probes)


def _gradients_on(
    probe: Probe, course: Course, mistakes: Sequence[str], backward: Callable[..., Any]
) -> Gradients:
    if not all(find(each).applies(_setting(course, probe)) for each in mistakes):
        return {}
    x = probe.x.copy()  # one of the mistakes is to change it
    try:
        return _named(*backward(probe.A, probe.b, x, probe.y))
    except ValueError:  # each can be made here, but not both: shapes do not fit
        return {}


def _setting(course: Course, probe: Probe) -> Setting:
    return Setting(probe.widths, probe.N, course.reduction, course.half)


def _named(dA: Sequence[Array], db: Sequence[Array]) -> Gradients:
    named: Gradients = {}
    for i, (dA_i, db_i) in enumerate(zip(dA, db, strict=True)):
        named[f"dA[{i}]"], named[f"db[{i}]"] = dA_i, db_i
    return named


@cache
def _singles(course: Course) -> tuple[tuple[Mistake, ...], ...]:
    """Return the mistakes that can be made in a course, and change something on a first call."""
    settings = [_setting(course, probe) for probe in course.probes]
    return tuple(
        (mistake,)
        for mistake in MISTAKES
        if any(map(mistake.applies, settings)) and _changes(course, (mistake,))
    )


@cache
def _pairs(course: Course) -> tuple[tuple[Mistake, ...], ...]:
    """Return the pairs that combine and do not cancel."""
    singles = [mistake for (mistake,) in _singles(course)]
    pairs = (pair for pair in combinations(singles, 2) if pair[0].combines_with(pair[1]))
    return tuple(pair for pair in pairs if _changes(course, pair))


def _changes(course: Course, mistakes: tuple[Mistake, ...]) -> bool:
    """Whether a pass with these mistakes is wrong anywhere."""
    given = _gradients(course, tuple(each.id for each in mistakes))
    return any(
        not compare(name, one[name], right[name]).ok
        for one, right in zip(given, _gradients(course, ()), strict=True)
        for name in one
    )


def _fitted_rate(course: Course, mistakes: tuple[str, ...], k: int, answer: Answer) -> float | None:
    """Return the learning rate with which an early update explains δ two layers from the end.

    There the gradient is linear in it, so two rates tell all.
    """
    name = f"db[{course.layers - 2}]"
    given = _given(name, answer) if course.layers > 1 else None
    ids = (*mistakes, "updated_before_use")
    low, high = (_gradients(course, ids, rate)[k].get(name) for rate in (0.0, 1.0))
    if given is None or low is None or high is None or given.size != low.size:
        return None
    way = (high - low).ravel()
    rate = float((given.ravel() - low.ravel()) @ way / (way @ way)) if way.any() else 0.0
    # Rounded, as a learning rate is a round number; and what is none is refused later.
    return float(f"{rate:.6g}") if 1e-6 < abs(rate) < 1e3 else None


# --- small helpers ----------------------------------------------------------------


def _backward_order(names: Sequence[str]) -> list[str]:
    """Return the names dA[0], db[0], dA[1], … as dA[K−1], db[K−1], dA[K−2], … instead."""
    pairs = [names[k : k + 2] for k in range(0, len(names), 2)]
    return [name for pair in reversed(pairs) for name in pair]


def _given(name: str, answer: Answer) -> Array | None:
    gradients = answer.dA if name.startswith("dA") else answer.db
    return gradients[int(name[3:-1])] if gradients else None


def _same_given(name: str, one: Answer, other: Answer) -> bool:
    first, second = _given(name, one), _given(name, other)
    if first is None or second is None:
        return first is second
    return first.shape == second.shape and first.tobytes() == second.tobytes()


def _compare(name: str, answer: Answer, right: Array) -> Checked:
    remark = answer.failure or answer.odd.get(name, "")
    if remark:
        return Checked(name, False, np.inf, None, None, right, remark)
    return compare(name, _given(name, answer), right)


def _laid_out(array: Array, like: Array) -> Array:
    """Return an array in the shape of another one if they differ only in axes of length 1."""
    if array.shape != like.shape and array.squeeze().shape == like.squeeze().shape:
        return array.reshape(like.shape)
    return array

"""Which mistake a backward pass contains: the search through the catalogue.

Every mistake of the catalogue, and every pair of them, is itself a backward pass.
The one whose gradients a submission reproduces, to the last digits and on
networks that have nothing to do with each other, is what the submission does.
Where several do, all are named; where none does, that is said.

A mistake may be made at some layers and not at others.  There are too many ways to
do so to try them all, and no need: the gradients of a layer depend on the layers
above it only.  So the layers are gone through from the last to the first, and at
each it shows whether the mistake is made there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import chain, combinations, islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.arrays import is_empty, is_narrow, laid_out
from backprop_nb.checking.mistakes import MISTAKES, Mistake, Slip, in_words, with_slips
from backprop_nb.checking.numeric import agrees, compare, factor_in_words, factor_of, fault_of
from backprop_nb.checking.probes import Answer, Answers, Probe, gather, make_probes
from backprop_nb.checking.process import apart
from backprop_nb.checking.recipe import Reduction, Samples, Setting
from backprop_nb.checking.report import Checked, Finding, Hints, Report, checked_hints
from backprop_nb.errors import EndedError, InvalidValueError, UnsupportedError

Array: TypeAlias = NDArray[Any]
Gradients: TypeAlias = dict[str, Array]
"""The gradients of one network by name, dA[0], db[0], …"""
Slips: TypeAlias = tuple[Slip, ...]

SUBJECT = "backward"
_IN_ORDER = "in the order of the backward pass"
_STARTING = 5.0
"""Seconds for a busy machine to make a copy of a process."""
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
        says so.  Without it an endless loop has no end.  On Linux the calls are then made
        in a copy of this process, so that ``backward`` may crash as well; elsewhere the
        limit holds in the main thread of a Unix system, between two steps of Python.

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
    if seconds is None:
        return judge(gather(backward, course.probes), course, hints)
    # Each call has its limit; the whole has one as well, as not every call can be stopped.
    together = (len(course.probes) + 1) * seconds + _STARTING
    try:
        answers = apart(gather, backward, course.probes, seconds, seconds=together)
    except EndedError as error:
        return _without_answers(course, hints, error)
    return judge(answers, course, hints)


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


def _without_answers(course: Course, hints: Hints, error: EndedError) -> Report:
    """Return the report on a backward pass of which nothing is left to be judged."""
    nothing = (None,) * course.layers
    none = Answer(nothing, nothing, failure="there is none")
    report = judge(Answers((none,) * len(course.probes), none), course, hints)
    first = report.findings[0].parameter
    text = f"{first} and all others: {error.given}."
    return replace(report, findings=(Finding("raised_exception", first, 1, text),))


# --- judging ------------------------------------------------------------------


def judge(answers: Answers, course: Course, hints: Hints = "plain") -> Report:
    """Return the report on what a backward pass answered to the probes of a course."""
    with np.errstate(all="ignore"):  # 1e308 is an answer too
        return _Judge(answers, course, hints).report()


class _Judge:
    """Holds the right gradients beside the given ones."""

    def __init__(self, answers: Answers, course: Course, hints: Hints) -> None:
        self.course, self.hints, self.printed = course, hints, answers.printed
        self.repeats, self.again = answers.repeats, answers.again
        self.all = answers.answers
        # What is kept from call to call spoils all but the first, which alone counts then.
        self.answers = self.all if self.repeats else self.all[:1]
        self.right = [_gradients(course, k, ()) for k in range(len(course.probes))]
        self.names = list(self.right[0])
        self.there = list(map(self._present, range(len(self.answers))))

    def _present(self, k: int) -> Gradients:
        """Return what was given on a probe, without what is zero and should not be."""
        given = {name: _given(name, self.answers[k]) for name in self.names}
        return {
            name: array
            for name, array in given.items()
            if array is not None and not is_empty(array, self.right[k][name])
        }

    def report(self) -> Report:
        parameters = tuple(self._verdict(name) for name in self.names)
        wrong = [each.name for each in parameters if not each.ok]
        findings = tuple(self._findings(parameters)) if wrong else ()
        return Report(
            SUBJECT,
            parameters,
            findings,
            tuple(self._offences()),
            self._notes(parameters),
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
        said: dict[str, str] = {}
        for slips in explanations[:_TIES]:
            for slip in sorted(slips, key=self._place):
                if slip.mistake.id not in said:
                    finding = self._finding(slip, slips, explanations, said)
                    said[finding.mistake] = finding.parameter
                    yield finding
        rank = 2 if explanations else 1
        failures = [answer for answer in self.answers if answer.failure]
        if failures:
            yield self._failed(failures[0], rank)
        else:
            yield from self._faults(parameters, rank, explained=bool(explanations))

    def _explanations(self) -> list[Slips]:
        """Return the mistakes that explain everything, in as few words as possible.

        That is one mistake before two, and at all of its layers before some of them.
        """
        if not any(map(self._has_wrong_values, range(len(self.answers)))):
            return []  # what is missing, and nothing else, is no mistake in the values
        for find_in in (_singles, self._single_at_some, _pairs, self._pairs_at_some):
            found = [each for each in find_in(self.course) if self._explains(each)]
            if found:
                return found
        return []

    def _single_at_some(self, course: Course) -> Iterator[Slips]:
        return self._placed_best((each,) for each in _local(course))

    def _pairs_at_some(self, course: Course) -> Iterator[Slips]:
        local = _local(course)
        others = [each for each in _whole(course) if each not in local]
        mixed = ((one, two) for one in local for two in others if one.combines_with(two))
        return self._placed_best(chain(combinations(local, 2), mixed))

    def _placed_best(self, groups: Iterable[tuple[Mistake, ...]]) -> Iterator[Slips]:
        """Yield mistakes with the first choice of their layers that explains everything, if any."""
        for mistakes in groups:
            yield from islice(filter(self._explains, self._placed(mistakes)), 1)

    def _placed(self, mistakes: Sequence[Mistake]) -> Iterator[Slips]:
        """Yield at which layers mistakes must be made to give what was given on one probe.

        Those that have one place only are made there.
        """
        # With equal widths every mistake can be made, and shows in the values.
        k = min(
            (k for k, answer in enumerate(self.answers) if not answer.failure),
            key=lambda k: len(set(self.course.probes[k].widths)),
        )
        local = [each for each in mistakes if each in _local(self.course)]
        fixed = tuple(Slip(each) for each in mistakes if each not in local)
        yield from self._placed_from(self.course.layers, fixed, dict.fromkeys(local, ()), k)

    def _placed_from(
        self, layer: int, fixed: Slips, made: dict[Mistake, tuple[int, ...]], k: int
    ) -> Iterator[Slips]:
        """Go on from a layer down, with the layers above it where ``made`` says."""
        if layer == 0:
            if all(made.values()):
                yield fixed + _as_slips(made)
            return
        here = [each for each in made if layer in each.layers(self.course.layers)]
        for some in chain.from_iterable(combinations(here, n) for n in range(len(here) + 1)):
            if len(some) == 2 and not some[0].combines_with(some[1]):
                continue
            now = {each: (layer, *at) if each in some else at for each, at in made.items()}
            if self._fits_at(layer, fixed + _as_slips(now), k):
                yield from self._placed_from(layer - 1, fixed, now, k)

    def _fits_at(self, layer: int, slips: Slips, k: int) -> bool:
        """Whether the gradients of a layer are on a probe what these mistakes make them."""
        expected = _gradients(self.course, k, slips, self._learning_rate(slips))
        names = [f"d{each}[{layer - 1}]" for each in "bA"]
        return bool(expected) and self._agree(k, expected, names)

    def _explains(self, slips: Slips) -> bool:
        """Whether a submission does what a pass with these mistakes does, wherever that can be."""
        rate = self._learning_rate(slips)
        seen = False
        for k, answer in enumerate(self.answers):
            expected = _gradients(self.course, k, slips, rate)
            if not expected:  # it cannot be made here, so the submission must not be right either
                if not answer.failure and self._all_right(k):
                    return False
            elif answer.failure or not self.there[k] or not self._agree(k, expected, expected):
                return False
            else:
                seen = True
        return seen

    def _agree(self, k: int, expected: Gradients, names: Iterable[str]) -> bool:
        """Whether of the named gradients those that are there are the expected ones."""
        there = self.there[k]
        return all(_same_values(there[name], expected[name]) for name in names if name in there)

    def _all_right(self, k: int) -> bool:
        return all(_compare(name, self.answers[k], self.right[k][name]).ok for name in self.names)

    def _has_wrong_values(self, k: int) -> bool:
        """Whether a gradient is there that has other numbers than the right one."""
        return not self._agree(k, self.right[k], self.names)

    def _learning_rate(self, slips: Slips) -> float | None:
        """Return the step that a pass must have taken if it updates weights before their use."""
        early = [each for each in slips if each.mistake.id == _EARLY]
        if not early:
            return None
        at = early[0].made_at(self.course.layers)[-1]
        for k, given in enumerate(self.there):
            rate = _fitted_rate(self.course, slips, k, f"db[{at - 1}]", given)
            if rate is not None:
                return rate
        return None

    # -- saying --------------------------------------------------------------

    def _finding(
        self,
        slip: Slip,
        together: Slips,
        explanations: Sequence[Slips],
        said: Mapping[str, str],
    ) -> Finding:
        """Say a mistake, after those that have been said: by their ids their parameters."""
        parameter = self._first_spoiled(slip)
        others = [each for each in together if each is not slip]
        ties = [each for each in explanations if each is not together]
        wrong = self._lead(parameter, said, instead=together is not explanations[0])
        K = self.course.layers
        text = message(slip, K, parameter, others, ties, self.hints, wrong, first=not said)
        return Finding(slip.mistake.id, parameter, 1, text, slip.made_at(K))

    def _lead(self, parameter: str, said: Mapping[str, str], instead: bool) -> str:
        """Say what is wrong first, or what a mistake makes wrong that is made too, or instead."""
        first = next(iter(said.values()), parameter)
        if not said or (self.hints == "none" and parameter == first):
            return f"{parameter} is the first gradient that is wrong, {_IN_ORDER}."
        if self.hints == "none":  # not even that there are two mistakes
            return f"{parameter} is wrong, too."
        mistake = "Or it is another mistake" if instead else "There is a second mistake"
        return f"{mistake}: {parameter} is the first gradient that it makes wrong."

    def _place(self, slip: Slip) -> int:
        """Return where a mistake shows first, counted in the order of the backward pass."""
        return _backward_order(self.names).index(self._first_spoiled(slip))

    def _first_spoiled(self, slip: Slip) -> str:
        """Return the first gradient, in the order of the backward pass, that a mistake changes."""
        for k, right in enumerate(self.right):
            expected = _gradients(self.course, k, (slip,))
            for name in _backward_order(self.names):
                if expected and not _same_values(expected[name], right[name], shape=True):
                    return name
        return _backward_order(self.names)[0]

    def _failed(self, answer: Answer, rank: int) -> Finding:
        kind = "raised_exception" if answer.raised else "missing_gradient"
        first = _backward_order(self.names)[0]
        where = ""
        if not all(each.failure for each in self.answers):
            widths = in_words([*map(str, self.course.probes[self.all.index(answer)].widths)])
            where = f" So it does with layers of {widths} units, and with others it does not."
        return Finding(kind, first, rank, f"{first} and all others: {answer.failure}.{where}")

    def _faults(
        self, parameters: Sequence[Checked], rank: int, explained: bool
    ) -> Iterator[Finding]:
        """Say what shows without the catalogue; of values that nothing explains, the first."""
        by_name = {each.name: each for each in parameters}
        wrong = [by_name[each] for each in _backward_order(self.names) if not by_name[each].ok]
        if not explained and (text := self._misplaced(wrong)):
            yield Finding("wrong_shape", wrong[0].name, rank, text)
            return
        groups: dict[tuple[str, str], list[Checked]] = {}
        for checked in wrong:
            if not (explained and self._is_explained(checked)):
                groups.setdefault(fault_of(checked), []).append(checked)
        for (kind, reason), group in groups.items():
            text = _plain_fault(reason, group, self.hints)
            if kind == "not_recognised":
                text += self._where_to_look(group[0], by_name)
            layers = () if kind == "not_recognised" else _layers_of(group)
            yield Finding(kind, group[0].name, rank, text, layers)

    def _is_explained(self, checked: Checked) -> bool:
        """Whether a mistake in the values, that was found, accounts for a gradient too."""
        # It may be one that has other shapes; but one axis more or less is none of them.
        given, expected = checked.given, checked.expected
        return (
            given is not None
            and not is_empty(given, expected)
            and (given.shape == expected.shape or given.squeeze().shape != expected.squeeze().shape)
        )

    def _misplaced(self, wrong: Sequence[Checked]) -> str:
        """Say that the two lists have changed places, or run the wrong way, if so."""
        first = wrong[0].name
        swapped = {name: f"d{'b' if name[1] == 'A' else 'A'}{name[2:]}" for name in self.names}
        turned = {
            name: f"{name[:3]}{self.course.layers - 1 - int(name[3:-1])}]" for name in swapped
        }
        if self._fit_as(swapped):
            return f"{first} and all others: dA and db have changed places. Return (dA, db)."
        if any(turned[each] != each for each in turned) and self._fit_as(turned):
            return (
                f"{first} and others: the lists run backwards, from the last layer to the first. "
                "dA[0] and db[0] are the gradients of A[0] and b[0]."
            )
        return ""

    def _fit_as(self, other: Mapping[str, str]) -> bool:
        """Whether the gradients would be right by other names."""
        return all(
            name in there and _same_values(there[name], right[other[name]], shape=True)
            for there, right in zip(self.there, self.right, strict=False)
            for name in self.names
        )

    def _where_to_look(self, checked: Checked, by_name: Mapping[str, Checked]) -> str:
        """Say what is right about the first gradient that is wrong, and what it is made of."""
        if self.hints not in ("clear", "plain"):
            return ""
        name, i = checked.name, int(checked.name[3:-1])
        part = "b" if name[1] == "A" else "A"
        twin, delta = f"d{part}[{i}]", f"δ_{i + 1}"
        if by_name[twin].ok:
            look = f" {twin} is right, and so is {delta}: look at how {name} is made of {delta}."
        elif i == self.course.layers - 1:
            look = f" {twin} is wrong too: look at {delta}, with which the way back begins."
        else:
            look = (
                f" {twin} is wrong too, and the layers above are right: look at how {delta} is "
                f"made of δ_{i + 2}."
            )
        factor = None
        if self.hints == "plain" and checked.given is not None:
            factor = factor_of(checked.given, checked.expected)
        return look if factor is None else f" It {factor_in_words(factor)}.{look}"

    def _offences(self) -> Iterator[Finding]:
        changed = list(dict.fromkeys(name for each in self.all for name in each.modified))
        if changed:
            names = in_words(changed)
            are = "are" if len(changed) > 1 else "is"
            text = (
                f"It changes what it was given: {names} {are} not as before the call. "
                "x = x - 1 makes a new array; x -= 1 and x[0] = 1 write into the caller's."
            )
            yield Finding("input_modified", changed[0], 1, text)
        if not self.repeats:
            yield self._unsteady()
        for name in ("dA", "db"):
            odd = next((each.odd[name] for each in self.answers if name in each.odd), None)
            if odd:
                last = f"{name}[{self.course.layers - 1}]"
                text = f"{name} {odd}, and should have one for each layer, up to {last}."
                yield Finding("wrong_shape", last, 1, text)

    def _unsteady(self) -> Finding:
        """Say how the answer to the first probe changed when it was asked again."""
        one, two = self.all[0], self.again
        name = next(
            (each for each in _backward_order(self.names) if not _same_given(each, one, two)),
            self.names[-2],
        )
        first, second = _given(name, one), _given(name, two)
        what = "it keeps something between calls, or draws random numbers"
        if first is not None and second is not None and agrees(second, 2 * first):
            what = "it is twice the first one, as if the last call's were still in it"
        text = (
            f"Called again with the same arguments it gives another {name}: {what}. "
            "Judged is the first call."
        )
        return Finding("state_kept_between_calls", name, 1, text)

    def _notes(self, parameters: Sequence[Checked]) -> tuple[str, ...]:
        given = {name: _given(name, self.answers[0]) for name in self.names}
        narrow = [name for name, array in given.items() if array is not None and is_narrow(array)]
        single = [each.name for each in parameters if each.remark.endswith("float32")]
        names = [name for name in self.names if name in (*narrow, *single)]
        if not names:
            return ()
        return (
            f"{in_words(names)}: computed in a precision below float64, and judged to that of "
            "float32.",
        )


def message(
    slip: Slip,
    K: int,
    parameter: str,
    others: Sequence[Slip],
    ties: Sequence[Slips],
    hints: Hints,
    wrong: str,
    first: bool = True,
) -> str:
    """Say a mistake, as plainly as the hints allow, with what it cannot be told from.

    ``wrong`` is the sentence on what is wrong first, which is always said; ``others``
    are the mistakes that it is made together with, and K is the number of layers.
    ``first`` is whether what it makes wrong is the first that is wrong at all.
    """
    mistake, whole = slip.mistake, slip.is_whole(K)
    if hints == "none":
        return wrong
    # A hint says what is right, too, and that is not so where another mistake is made.
    alone = "A hint for this one alone: " if others else ""
    if hints == "vague":
        return f"{wrong} {alone}{mistake.hints[0] if whole else _UNLIKE}"
    what = "that is wrong" if first else "that it makes wrong"
    if hints == "clear":
        quantity = mistake.first.title if whole else slip.symbols(K)
        hint = mistake.hints[1] if whole else _COMPARE
        return f"{wrong} The first quantity {what} is {quantity}. {alone}{hint}"
    together = f", together with {_titles(others, K)}" if others else ""
    quantity = mistake.first.title if whole else f"{slip.symbols(K)}; the other layers do it right"
    equation = f" It breaks equation [{mistake.equation}]." if mistake.equation else ""
    either = [_titles(each, K) for each in ties[:_TIES]]
    same = (
        f" The gradients are just as consistent with {' or with '.join(either)}." if either else ""
    )
    begins = "Wrong first" if first else "What it makes wrong first"
    return (
        f"{parameter}: consistent with “{slip.title(K)}”{together}. {begins}, {_IN_ORDER}: "
        f"{quantity}. {mistake.explanation}{equation}{same}"
    )


# Of a mistake that is made at some layers only.
_UNLIKE = "Not all layers are treated alike. Which of them is the odd one out?"
_COMPARE = "At the other layers the same is right: what is different here?"


def _titles(slips: Sequence[Slip], K: int) -> str:
    return " and ".join(f"“{each.title(K)}”" for each in slips)


def _plain_fault(reason: str, group: Sequence[Checked], hints: Hints) -> str:
    """Return a sentence on the first of some gradients that have one fault, and on the others."""
    first, *rest = group
    name, kind = first.name, fault_of(first)[0]
    if kind == "not_recognised":
        return (
            f"{name} is the first gradient that is wrong, {_IN_ORDER}. None of the mistakes that "
            "are often made explains it, and no two of them."
        )
    text = f"{name}: {first.remark}."
    if kind == "missing_gradient" and reason:
        text = f"{name} {reason}."
    elif kind == "not_finite" and first.given is not None:
        what = f": {first.place} is {first.given[first.worst]}" if hints != "none" else ""
        text = f"{name} has entries that are not finite{what}."
    elif reason and hints != "none":
        text += f" {reason}"
    also = in_words([each.name for each in rest]) if rest else ""
    return f"{text} The same is wrong with {also}." if rest else text


def _layers_of(group: Sequence[Checked]) -> tuple[int, ...]:
    """Return the layers of some gradients."""
    return tuple(sorted({int(each.name[3:-1]) + 1 for each in group}))


# --- the gradients of the catalogue ---------------------------------------------


_EARLY = "updated_before_use"


@lru_cache(maxsize=20_000)
def _gradients(
    course: Course, k: int, slips: Slips, learning_rate: float | None = None
) -> Gradients:
    """Return the gradients that a pass with some mistakes gives on one probe.

    They are empty where one of the mistakes cannot be made.
    """
    probe = course.probes[k]
    setting = Setting(probe.widths, probe.N, course.reduction, course.half)
    if not all(each.mistake.applies(setting) for each in slips):
        return {}
    backward = with_slips(
        slips,
        samples=course.samples,
        reduction=course.reduction,
        half=course.half,
        **({} if learning_rate is None else {"learning_rate": learning_rate}),
    )
    x = probe.x.copy()  # one of the mistakes is to change it
    try:
        dA, db = backward(probe.A, probe.b, x, probe.y)
    except ValueError:  # each can be made here, but not both: shapes do not fit
        return {}
    named: Gradients = {}
    for i, (dA_i, db_i) in enumerate(zip(dA, db, strict=True)):
        named[f"dA[{i}]"], named[f"db[{i}]"] = dA_i, db_i
    return named


@cache
def _singles(course: Course) -> tuple[Slips, ...]:
    """Return the mistakes that can be made in a course, and change something on a first call."""
    return tuple((slip,) for slip in map(Slip, MISTAKES) if _changes(course, (slip,)))


def _whole(course: Course) -> list[Mistake]:
    return [slip.mistake for (slip,) in _singles(course)]


@cache
def _local(course: Course) -> tuple[Mistake, ...]:
    """Return the mistakes that can be made at some of their layers only.

    A mistake that is two others made together is not among them, as they are.
    """
    whole = _whole(course)
    sums = {
        frozenset({*one.changes.items(), *two.changes.items()})
        for one, two in combinations(whole, 2)
    }
    return tuple(
        each
        for each in whole
        if len(each.layers(course.layers)) > 1 and frozenset(each.changes.items()) not in sums
    )


@cache
def _pairs(course: Course) -> tuple[Slips, ...]:
    """Return the pairs that combine and do not cancel."""
    pairs = combinations(_whole(course), 2)
    slips = ((Slip(one), Slip(two)) for one, two in pairs if one.combines_with(two))
    return tuple(pair for pair in slips if _changes(course, pair))


def _changes(course: Course, slips: Slips) -> bool:
    """Whether a pass with these mistakes is wrong anywhere."""
    for k in range(len(course.probes)):
        right, wrong = _gradients(course, k, ()), _gradients(course, k, slips)
        if any(not _same_values(wrong[name], right[name], shape=True) for name in wrong):
            return True
    return False


def _as_slips(made: Mapping[Mistake, tuple[int, ...]]) -> Slips:
    return tuple(Slip(mistake, at) for mistake, at in made.items() if at)


def _fitted_rate(course: Course, slips: Slips, k: int, name: str, there: Gradients) -> float | None:
    """Return the learning rate with which an early update explains the first gradient it spoils.

    That is linear in the rate, so two rates tell all.
    """
    given = there.get(name)
    low, high = (_gradients(course, k, slips, rate).get(name) for rate in (0.0, 1.0))
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
    remark = answer.odd.get(name, "")
    if answer.failure:  # which is told in full once, and not with every gradient
        raised = answer.failure.split(":")[0].split(" (")[0]
        remark = f"there is none: {raised}" if answer.raised else "there is none"
    if remark:
        return Checked(name, False, np.inf, None, None, right, remark)
    return compare(name, _given(name, answer), right)


def _same_values(array: Array, expected: Array, *, shape: bool = False) -> bool:
    """Whether two gradients are the same, perhaps up to axes of length 1."""
    return agrees(array if shape else laid_out(array, expected), expected)

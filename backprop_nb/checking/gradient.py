"""The check of any gradient of any function: how its report is made."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backprop_nb.checking.compare import MISSING, has_coarse_products, is_empty
from backprop_nb.checking.given import GivenGradient
from backprop_nb.checking.judging import at_kinks, beside
from backprop_nb.checking.lengths import count_in_words
from backprop_nb.checking.limits import OutOfTime, check_seconds, quiet
from backprop_nb.checking.lines.blame import Fault
from backprop_nb.checking.lines.locate import Search
from backprop_nb.checking.lines.unwritten import half_written
from backprop_nb.checking.matching import Matched, Unmatched
from backprop_nb.checking.misnamed import with_name_meant
from backprop_nb.checking.report import (
    NOT_KNOWN,
    NOT_WRITTEN,
    SHOWS_LINE,
    Checked,
    Finding,
    Hints,
    Report,
    check_hints,
)
from backprop_nb.checking.told import (
    ORDER,
    about_data,
    about_loss,
    about_order,
    coarse,
    explain,
    fault_sentence,
    is_known,
    mistake_of,
    or_data,
)
from backprop_nb.checking.unexplained import (
    changed_in_words,
    common_factor,
    spoilt_in_words,
    step_in_words,
    updated_in_words,
)
from backprop_nb.meant import suggesting


@suggesting
def check_gradient(
    f: Callable[..., Any],
    gradient: Any,
    *args: Any,
    hints: Hints = "plain",
    seconds: float | None = None,
) -> Report:
    """Check a gradient of ``f``, and say at which line a wrong one goes wrong.

    The tracer *and* central differences judge.

    Parameters
    ----------
    f
        A function in NumPy that returns a single number.
    gradient
        What to check: a function that returns the gradients when it is called with ``args``,
        or the gradients themselves.  One gradient for each argument, in the structure of the
        arguments; or in a dict with their names (``dW1``, ``grad_W1``), as a pair
        (loss, gradients), as one flat vector of all of them.
    *args
        The arguments of ``f``: numbers, arrays, or lists, tuples and dicts of them.  Labels
        and data for which there is no gradient are not asked for one.  Arrays of other
        libraries become NumPy's; those of Dask are computed as a whole, which must fit in memory.
    hints : "none", "vague", "clear" or "plain"
        How much the report gives away: which gradients are wrong; how; the line; the line,
        what should stand there and how to repair it.
    seconds : float, optional
        How long one call of ``gradient`` may take; then it is stopped, and the report says in
        which line.  Without it an endless loop has no end, other than an interrupt.  The limit
        holds in the main thread of a Unix system, between two steps of Python.

    Returns
    -------
    Report
        Per parameter whether its gradient is right, the largest relative error and
        where it lies.  ``report.findings`` come best first.  A gradient in float32 counts as
        right if it is right to that precision, with a remark.  One of another library that
        is off as products in TF32 are counts as wrong; the finding says how to tell.

    Raises
    ------
    ShapeError, UnsupportedError
        If ``f`` or its arguments are none that have a gradient, as of an ``f`` that draws
        random numbers at each call; or if nobody can tell of a gradient, as central differences
        alone cannot beside a huge loss, and none is known to be wrong.  What is wrong with
        ``gradient`` never raises; the report says it.
    InvalidValueError
        An unknown level of hints, or `seconds` that is not positive.

    Notes
    -----
    A wrong line is found by writing one line after the other otherwise, as a person would, and
    by putting the right quantity in the place of one expression after the other.  Each time the
    gradient function is run again: where all gradients come out right, here and at other
    arguments, no other line explains it as well, and nothing that its line reads may be wrong
    itself, the expression is *proved* to be what is wrong.  A function that may write into files
    is not run with other lines.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> def f(w, x):
    ...     return np.sum((w * x) ** 2)
    >>> w, x = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    >>> print(bp.check_gradient(f, (2 * w * x**2, -2 * w**2 * x), w, x))
    f: 1 of 2 gradients right.
      dw  right
      dx  wrong: dx[1] is -32, expected 32 (relative error 2)
    <BLANKLINE>
    dx has the opposite sign: it is −1 times the right one.
    >>> def gradient(w, x):
    ...     error = w * x
    ...     dw = 2 * error * x
    ...     return dw, error * w
    >>> finding = bp.check_gradient(f, gradient, w, x).findings[0]
    >>> finding.source, finding.repair, finding.proved
    ('error * w', 'multiply it by 2', True)
    """
    check_hints(hints)
    check_seconds(seconds)
    form = "bp.check_gradient({f}, gradient, {args})"
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a grader a line on standard error costs all points
        given = GivenGradient(f, gradient, args, form, seconds)
        with quiet():  # what is printed has been printed, and f is called for every entry
            return _Check(given, hints).report()


class WrongLines:
    """The lines of a gradient function that explain what is wrong: one alone, or several.

    What it prints has been printed before.  It may return the list of the biases' gradients
    before that of the weights'.  In ``lines`` alone is looked for them, if there are any.  What is
    to be written there must be right ``elsewhere``, too: for losses and arguments of other sizes.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        gradient: Callable[..., Any],
        args: Sequence[Any],
        hints: Hints,
        biases_first: bool = False,
        lines: Collection[int] = (),
        elsewhere: Sequence[tuple[Callable[..., Any], Sequence[Any]]] = (),
    ) -> None:
        with quiet():
            given, *others = (
                GivenGradient(loss, gradient, there, "", biases_first=biases_first)
                for loss, there in ((f, args), *elsewhere)
            )
        self._check = _Check(given, hints, frozenset(lines), others)
        self.is_right = False  # as far as is known

    def found(self, alone: bool) -> list[Finding]:
        """Return the lines that each alone explain it, or also those that do so together."""
        self._check.alone = alone
        with quiet():
            report = self._check.report()
        self.is_right = report.ok
        return [e for e in report.findings if e.mistake == "wrong_line" and e.line]


class _Check:
    """The report on a gradient that is given.

    Where its lines are all that is asked for, ``only`` says in which to look, or has none; and
    ``alone`` leaves out those of which only several together explain what is wrong.
    """

    alone = False

    def __init__(
        self,
        given: GivenGradient,
        hints: Hints,
        only: frozenset[int] | None = None,
        elsewhere: Sequence[GivenGradient] = (),
    ) -> None:
        self.given, self.hints, self.only, self.elsewhere = given, hints, only, elsewhere
        self._searches: dict[tuple[int, ...], Search] = {}
        self.subject = getattr(given.f, "__name__", type(given.f).__name__)

    def report(self) -> Report:
        given, found = self.given, self.given.matched
        if given.is_frame and (given.failure or isinstance(found, Unmatched)):
            report = self._of_none(NOT_WRITTEN)
        elif given.failure:
            report = self._failed()
        elif isinstance(found, Unmatched):
            finding = Finding("not_matched", given.names[0], 1, found.sentence)
            report = replace(self._of_none(MISSING), findings=(finding,))
        else:
            report = self._compared(found)
        if given.changed:
            report = replace(report, notes=(*report.notes, changed_in_words(given.changed)))
        if given.spoilt:
            report = replace(report, notes=(*report.notes, spoilt_in_words(given.spoilt)))
        return half_written(report, given.dots) if given.is_frame and not report.ok else report

    def _of_none(self, remark: str) -> Report:
        """Return the report on gradients of which none can be compared."""
        judged = self.given.judged
        pairs = zip(self.given.names, judged.gradients, strict=True)
        parameters = tuple(Checked.wrong(*pair, remark) for pair in pairs)
        return Report(self.subject, parameters, notes=judged.notes, hints=self.hints)

    def _compared(self, matched: Matched) -> Report:
        """Return the report on the gradients that were found in an answer."""
        given, hints, judged = self.given, self.hints, self.given.judged
        found = [matched.leaves[at] for at in given.point.places]
        pairs = zip(given.names, found, judged.gradients, judged.roundings, strict=True)
        parameters = tuple(at_kinks(beside(*each), given.point, k) for k, each in enumerate(pairs))
        parameters = tuple(
            replace(each, ok=False, remark=NOT_KNOWN) if k in judged.unknown else each
            for k, each in enumerate(parameters)
        )
        for at, advice in matched.misspelt.items():
            k = given.point.places.index(at)
            missing = replace(parameters[k], remark=f"{MISSING}; {advice}")
            parameters = (*parameters[:k], missing, *parameters[k + 1 :])
        report = Report(self.subject, parameters, notes=judged.notes, hints=hints)
        wrong = [k for k, each in enumerate(parameters) if not (each.ok or each.is_open)]
        if wrong and all(has_coarse_products(found[k], parameters[k]) for k in wrong):
            return replace(report, findings=(coarse([parameters[k] for k in wrong], hints),))
        notes = (*judged.notes, *about_data(given), *about_order(given), *about_loss(given, hints))
        alike = self._alike(parameters) if hints != "none" else []
        others_right = all(each.ok for each in parameters if each.given is not None)
        findings = alike or [
            self._as_length(k, or_data(given, k, self._explained(k, parameters), others_right))
            for k in wrong
        ]
        if report.ok and (again := given.differs_again()):
            k, text = again
            finding = Finding("state_kept_between_calls", parameters[k].name, 1, text)
            report = replace(report, offences=(finding,))
        graph = None
        if findings and callable(given.gradient):
            findings = self._with_lines(findings, parameters, bool(alike))
            graph = given.graph(given.names.index(findings[0].parameter))
        return replace(report, findings=tuple(findings), notes=notes, graph=graph)

    def _explained(self, k: int, parameters: Sequence[Checked]) -> Finding:
        """Say what is wrong with one parameter; of a large one not all entries are known."""
        finding = explain(parameters[k], parameters, self.hints)
        if k not in self.given.judged.looked_into or " entries" not in finding.message:
            return finding
        at_least = f"{parameters[k].name} is wrong in this entry at least: {parameters[k].place}."
        return replace(finding, message=at_least)

    def _failed(self) -> Report:
        """Return the report on a function that has given nothing: where that is, and why."""
        first, raised, failure = self.given.names[0], self.given.raised, self.given.failure
        is_misnamed = False
        if callable(self.given.gradient):
            which, right = self.given.point.places, self.given.judged.gradients
            asked = self.given.gradients(which), self.given.args, right
            failure, is_misnamed = with_name_meant(failure, *asked)
        at = raised.start[0] if raised is not None and self.hints in SHOWS_LINE else None
        short = failure.partition(":")[0]  # the finding has the rest
        report = self._of_none(f"{short} in line {at}" if at else short)
        # The lines that, written otherwise, give all gradients where there are none.  Nobody who
        # mistypes a name means to write another line.
        is_sought = callable(self.given.gradient) and not is_misnamed
        faults = self._found(self.given.point.places) if is_sought else []
        lines = self._lines(faults, report.parameters)
        finding = Finding("raised_exception", first, 1 + bool(lines), f"{first}: {failure}.")
        if raised is not None and at:
            text = " ".join(raised.split())
            message = f"{finding.message} It was stopped in line {at}, {text}."
            if failure.startswith("it "):
                line = f"{'So line' if lines else 'Line'} {at}, {text},"
                message = f"{failure.replace('it', line, 1)}."
            if not lines:
                finding = replace(finding, message=message, line=at, source=raised)
            elif at in [each.line for each in lines]:  # which is named already
                finding = replace(finding, message=f"I{failure[1:]}.")
            else:  # this line may be right
                finding = replace(finding, message=message)
        return replace(report, findings=(*lines, finding))

    # --- what is wrong with the values ---

    def _alike(self, parameters: Sequence[Checked]) -> list[Finding]:
        """Say what all gradients are, if there are several and it is the same for all."""
        wrong = [each for each in parameters if not (each.ok or each.is_open)]
        given = [each.given for each in wrong if each.given is not None]
        expected = [each.expected for each in parameters]
        if len(given) < len(parameters) or any(map(is_empty, given, expected)):
            return []
        point, first = self.given.point, parameters[0].name
        factor = common_factor(given, expected)
        kind, words = "update_returned", ""
        if factor is None:
            words = updated_in_words(given, expected, point.leaves, point.names[0])
        elif len(parameters) > 1 or -1 < factor < 0:
            told = self.given.length_behind(factor, point.places)
            kind, words = told[0] or mistake_of(factor), told[1] or step_in_words(factor)
        lead = "Like all others, " if len(parameters) > 1 else ""
        return [Finding(kind, first, 1, f"{lead}{first} {words}.")] if words else []

    def _as_length(self, k: int, finding: Finding) -> Finding:
        """Say of a gradient that is a multiple of the right one which length that stands for."""
        if self.hints == "none" or finding.message.endswith(ORDER):
            return finding
        if self.only is not None and finding.mistake != "step_returned":
            return finding  # whose words nobody reads
        which = [self.given.point.places[k]]
        factor = self.given.factor(which)
        kind, words = self.given.length_behind(factor, which) if factor else ("", "")
        if not words:
            return finding
        kind = kind or finding.mistake
        return replace(finding, mistake=kind, message=f"{finding.parameter} {words}.")

    # --- the line ---

    def _with_lines(
        self, findings: Sequence[Finding], parameters: Sequence[Checked], are_alike: bool
    ) -> list[Finding]:
        """Return what is said of lines, and of the values that no line explains."""
        # No line is wrong where gradients are put to use too early.
        faults = [] if findings[0].mistake == "update_returned" else self._faults()
        # Of a step any line could be said to scale it, of another order any to be wrong.
        is_turned = all(each.message.endswith(ORDER) for each in findings)
        is_step, is_one = findings[0].mistake == "step_returned", len(faults) == 1
        if is_turned or is_step:
            other = is_step and is_one and not is_turned  # as y - f for 2 * (f - y)
            faults = [e for e in faults if e.proved or (other and not e.lacks_a_factor)]
        lines = self._lines(faults, parameters)
        # That nothing simple explains a gradient is no news beside the line that does.
        explained = {parameters[k].name for each in faults for k in each.spoils}
        counts = [each for each in faults if each.proved and each.counts]
        counted = {parameters[k].name for each in counts for k in each.spoils}
        rest = [
            replace(each, rank=each.rank + bool(lines))
            for each in findings
            if are_alike
            or not (each.parameter in explained and lines and is_known(each, parameters))
            # Nor is a guess at a factor beside the count that is known to be wrong.
            if not (lines and each.parameter in counted and ": perhaps " in each.message)
        ]
        if not any(each.parameter in explained and "number of" in each.message for each in rest):
            lines = [self._with_counts(each) for each in lines]
        return [*lines, *rest]

    def _with_counts(self, line: Finding) -> Finding:
        """Say what the number counts by which a line should be multiplied."""
        found = re.search(r"(?:multiply|divide) it by −?(?:1/)?(\d+)$", line.repair)
        n = int(found[1]) if found else 0
        if n < 3 or n not in self.given.lengths.values():  # a 2 is rather one of the formula
            return line
        counts = count_in_words(n, self.given.lengths)
        return replace(line, message=f"{line.message} {counts}.")

    def _faults(self) -> list[Fault]:
        """Return the lines that are wrong."""
        assert isinstance(self.given.matched, Matched)
        every, found = self.given.point.places, self.given.matched
        given = [at for at in every if found.gradient(at) is not None]
        if len(given) < len(every) and not self.given.is_frame:
            faults = self._found(every)
            if faults:
                return faults
        faults = self._found(given, self.alone)
        order = [every.index(at) for at in given]
        return [replace(each, spoils=tuple(order[k] for k in each.spoils)) for each in faults]

    def _found(self, which: Sequence[int], alone: bool = False) -> list[Fault]:
        """Return the lines that are wrong by the gradients by some leaves."""
        given, key = self.given, tuple(which)
        try:
            if key not in self._searches:
                gradients = given.gradients(which)
                there = [(each.f, each.gradients(which), each.args) for each in self.elsewhere]
                asked = given.f, gradients, given.args, which, self.only or ()
                self._searches[key] = Search(*asked, there)
            return self._searches[key].faults(alone)
        except OutOfTime:  # at other arguments, or as before
            return []

    def _lines(self, faults: Sequence[Fault], parameters: Sequence[Checked]) -> list[Finding]:
        """Return what is said of lines, as far as the hints allow."""
        several = any(each.number > 1 for each in faults)
        lines = [self._line(each, parameters, several) for each in faults]
        return [each for each in lines if each.message]

    def _line(self, fault: Fault, parameters: Sequence[Checked], several: bool) -> Finding:
        first = parameters[fault.spoils[0] if fault.spoils else 0].name
        fault = replace(fault, quantity=self.given.as_read(fault.quantity))
        message = fault_sentence(fault, self.hints, several)
        found = Finding("wrong_line", first, 1, message)
        if self.hints not in SHOWS_LINE:
            return found
        shown = ["line", "proved", "number", *(["given", "of"] if fault.has_values else [])]
        if self.hints == "plain":
            shown += ["quantity", "repair", *(["expected"] if fault.has_values else [])]
        return replace(found, source=fault.source or "", **{k: getattr(fault, k) for k in shown})

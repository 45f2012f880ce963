"""The check of any gradient of any function, by the tracer and by central differences."""

from __future__ import annotations

import functools
import io
import itertools
import re
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.checking.asking import OutOfTime, TimeLimit, check_seconds, quiet, said_of
from backprop_nb.checking.compare import (
    MISSING,
    TOLERANCE,
    TOLERANCE_FLOAT32,
    Array,
    agrees,
    changed,
    compare,
    factor_in_words,
    factor_of,
    fault_in_words,
    fault_of,
    has_coarse_products,
    is_empty,
    which_entries,
    wrong_entries,
)
from backprop_nb.checking.differences import (
    DIRECTIONS,
    LOOKED_AT,
    Point,
    argument_names,
    in_brackets,
)
from backprop_nb.checking.lengths import (
    READINGS,
    count_in_words,
    length_behind,
    lengths,
    longer,
)
from backprop_nb.checking.lines.followed import (
    keeping_traces,
    plain_answer,
    traceable_leaves,
    traced,
    without_callers,
)
from backprop_nb.checking.lines.locate import Fault, find_faults
from backprop_nb.checking.lines.program import is_students
from backprop_nb.checking.lines.unwritten import half_written, unwritten
from backprop_nb.checking.matching import (
    INPUTS,
    TARGETS,
    Matched,
    Unmatched,
    form_of,
    likely_data,
    match,
)
from backprop_nb.checking.report import (
    NOT_WRITTEN,
    SHOWS_LINE,
    Checked,
    Finding,
    Hints,
    Report,
    check_hints,
)
from backprop_nb.checking.unexplained import (
    changed_in_words,
    common_factor,
    loss_in_words,
    step_in_words,
    updated_in_words,
)
from backprop_nb.checking.wording import renamed
from backprop_nb.errors import BackpropError, InvalidValueError, in_words
from backprop_nb.meant import suggesting
from backprop_nb.tracing import Graph, calling, pytree
from backprop_nb.tracing.libraries import to_write
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.tracing.source import Source, links, locate
from backprop_nb.tracing.tape import is_live

_EACH_ENTRY = 3000
"""So many entries of an array are moved one by one where no other judge is."""


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
        and data for which there is no gradient are not asked for one.
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
        random numbers at each call.  What is wrong with
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
      dx  wrong: dx[1] is -32, expected 32 (largest relative error 2)
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
        return _Check(f, gradient, args, form, hints, seconds=seconds).report()


def wrong_lines(
    f: Callable[..., Any],
    gradient: Callable[..., Any],
    args: Sequence[Any],
    hints: Hints,
    alone: bool,
    biases_first: bool = False,
) -> list[Finding]:
    """Return the lines of a gradient function that explain what is wrong, each alone or not.

    What it prints has been printed before.  It may return the list of the biases' gradients
    before that of the weights'.
    """
    with quiet(io.StringIO()):
        report = _Check(f, gradient, args, "", hints, alone, biases_first=biases_first).report()
    return [each for each in report.findings if each.mistake == "wrong_line" and each.line]


class _Check:
    """A gradient beside the right one.

    ``alone`` leaves out lines of which only several together explain what is wrong.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        gradient: Any,
        args: Sequence[Any],
        form: str,
        hints: Hints,
        alone: bool = False,
        seconds: float | None = None,
        biases_first: bool = False,
    ) -> None:
        self.hints, self.alone, self.biases_first = hints, alone, biases_first
        calling.check_callable(f, form)
        f = keeping_traces(f)
        self.f, self.gradient, self.args = f, gradient, args
        self.subject = getattr(f, "__name__", type(f).__name__)
        if not pytree.flatten(list(args)):
            raise InvalidValueError(
                "There is nothing to differentiate by.",
                given="no numbers after f and its gradient",
                instead=calling.right_call(f, form),
            )
        self.argument_names = argument_names(f, args)
        is_limited = seconds is not None and callable(gradient)
        self.called = TimeLimit(gradient, seconds or 0.0) if is_limited else gradient
        answer, self.failure, self.raised, after = _given(self.called, args)
        self.changed = [
            name
            for own, now, before in zip(self.argument_names, after, args, strict=True)
            for name in changed(now, before, own)
        ]
        self.answer = answer
        self.dots = unwritten(gradient)
        self.is_frame = bool(self.dots) or answer is ...
        found = self._match(answer)
        if self._is_without_shape(found, answer, form):
            found = self._match(answer, data=False)
        self.matched = found
        is_absent = self.failure or self.is_frame or answer is None
        likely = likely_data(args, self.argument_names) if is_absent else _exact(args)
        data = found.data if isinstance(found, Matched) else likely
        self.point = Point(f, args, form, data)
        spelled = found.spelled if isinstance(found, Matched) else ()
        said = [spelled[at] if spelled else "" for at in self.point.places]
        self.names = gradient_names(self.point.names, said)

    def _is_without_shape(self, found: Matched | Unmatched, answer: Any, form: str) -> bool:
        """Whether a number in the place of a gradient was taken for a loss, and is none."""
        if not isinstance(found, Matched) or found.loss is None or len(answer) < len(self.args):
            return False
        if not any(answer[k] is found.loss for k in found.data):
            return False
        value = Point(self.f, self.args, form, found.data).value()
        return not np.isclose(float(np.asarray(found.loss)), value, rtol=1e-6)

    def _match(self, answer: Any, data: bool = True) -> Matched | Unmatched:
        read = functools.partial(match, arguments=self.args, names=self.argument_names, data=data)
        answer = weights_first(answer) if self.biases_first else answer
        found = read(answer)
        if isinstance(found, Unmatched) and isinstance(answer, list | tuple) and answer:
            missing = len(self.args) - len(answer)
            longer = read([*answer, *[None] * missing])
            return longer if missing > 0 else found
        return found

    def report(self) -> Report:
        is_empty = self.is_frame and (self.failure or isinstance(self.matched, Unmatched))
        if is_empty:
            report = self._of_none([NOT_WRITTEN] * len(self.names), [])
        elif self.failure:
            report = self._failed()
        elif isinstance(self.matched, Unmatched):
            finding = Finding("not_matched", self.names[0], 1, self.matched.sentence)
            report = self._of_none([MISSING] * len(self.names), [finding])
        else:
            report = self._compared([self.matched.leaves[at] for at in self.point.places])
        if self.changed:
            report = replace(report, notes=(*report.notes, changed_in_words(self.changed)))
        return half_written(report, self.dots) if self.is_frame and not report.ok else report

    @cached_property
    def judged(self) -> Judged:
        """The right gradients, and what the judges disagree on."""
        found = self.matched.leaves if isinstance(self.matched, Matched) else None
        given = [found[at] if found else None for at in self.point.places]
        return _judged(self.point, given)

    def _of_none(self, remarks: Sequence[str], findings: Sequence[Finding]) -> Report:
        """Return the report on gradients of which none can be compared."""
        expected = self.judged.gradients
        parameters = tuple(map(Checked.wrong, self.names, expected, remarks))
        notes = self.judged.notes
        return Report(self.subject, parameters, tuple(findings), notes=notes, hints=self.hints)

    def _compared(self, found: Sequence[Any]) -> Report:
        """Return the report on the gradients that were found in an answer."""
        names, hints = self.names, self.hints
        notes = self.judged.notes
        parameters = tuple(
            _at_kinks(checked, self.point, k)
            for k, checked in enumerate(map(_beside, names, found, *self.judged[::2]))
        )
        report = Report(self.subject, parameters, notes=notes, hints=hints)
        wrong = [k for k, each in enumerate(parameters) if not each.ok]
        if wrong and all(has_coarse_products(found[k], parameters[k]) for k in wrong):
            return replace(report, findings=(_coarse([parameters[k] for k in wrong], hints),))
        notes = (*notes, *self._about_data(), *self._about_order(), *self._about_loss())
        alike = self._alike(parameters) if hints != "none" else []
        others_right = all(each.ok for each in parameters if each.given is not None)
        findings = alike or [
            self._as_length(k, self._bound(k, self._explained(k, parameters), others_right))
            for k in wrong
        ]
        graph = None
        if findings and callable(self.gradient):
            # No line is wrong where gradients are put to use too early.
            is_updated = findings[0].mistake == "update_returned"
            faults = [] if is_updated else self._faults()
            lines = self._lines(faults, parameters)
            # Of a step any line could be said to scale it, of another order any to be wrong.
            is_turned = all(each.message.endswith(_ORDER) for each in findings)
            if is_turned or findings[0].mistake == "step_returned":
                lines = [each for each in lines if each.proved]
            # That nothing simple explains a gradient is no news beside the line that does.
            explained = {parameters[k].name for each in faults for k in each.spoils}
            rest = [
                replace(each, rank=each.rank + bool(lines))
                for each in findings
                if alike
                or not (each.parameter in explained and lines and _is_known(each, parameters))
            ]
            if not any(
                each.parameter in explained and "number of" in each.message for each in rest
            ):
                lines = [self._with_counts(each) for each in lines]
            findings = [*lines, *rest]
            graph = self._graph(names.index(findings[0].parameter))
        return replace(report, findings=tuple(findings), notes=notes, graph=graph)

    def _explained(self, k: int, parameters: Sequence[Checked]) -> Finding:
        """Say what is wrong with one parameter; of a large one not all entries are known."""
        finding = _explain(parameters[k], parameters, self.hints)
        if k not in self.judged.looked_into or " entries" not in finding.message:
            return finding
        at_least = f"{parameters[k].name} is wrong in this entry at least: {parameters[k].place}."
        return replace(finding, message=at_least)

    def _failed(self) -> Report:
        """Return the report on a function that has given nothing: where that is, and why."""
        first, raised = self.names[0], self.raised
        at = raised.start[0] if raised is not None and self.hints in SHOWS_LINE else None
        short = self.failure.partition(":")[0]  # the finding has the rest
        remark = f"{short} in line {at}" if at else short
        report = self._of_none([remark] * len(self.names), [])
        # The lines that, written otherwise, give all gradients where there are none.
        faults = self._found(self.point.places) if callable(self.gradient) else []
        lines = self._lines(faults, report.parameters)
        finding = Finding("raised_exception", first, 1 + bool(lines), f"{first}: {self.failure}.")
        if raised is not None and at:
            text = " ".join(raised.split())
            message = f"{finding.message} It was stopped in line {at}, {text}."
            if self.failure.startswith("it "):
                line = f"{'So line' if lines else 'Line'} {at}, {text},"
                message = f"{self.failure.replace('it', line, 1)}."
            if not lines:
                finding = replace(finding, message=message, line=at, source=raised)
            elif at in [each.line for each in lines]:  # which is named already
                finding = replace(finding, message=f"I{self.failure[1:]}.")
            else:  # this line may be right
                finding = replace(finding, message=message)
        return replace(report, findings=(*lines, finding))

    def _alike(self, parameters: Sequence[Checked]) -> list[Finding]:
        """Say what all gradients are, if there are several and it is the same for all."""
        given = [each.given for each in parameters if each.given is not None and not each.ok]
        expected = [each.expected for each in parameters]
        if len(given) < len(parameters) or any(
            is_empty(*each) for each in zip(given, expected, strict=True)
        ):
            return []
        first, at = parameters[0].name, self.point.names[0]
        factor = common_factor(given, expected)
        kind, words = "update_returned", ""
        if factor is None:
            words = updated_in_words(given, expected, self.point.leaves, at)
        elif len(parameters) > 1 or -1 < factor < 0:
            kind, words = _mistake_of(factor), step_in_words(factor)
            told = self._length_behind(factor, self.point.places)
            kind, words = told[0] or kind, told[1] or words
        lead = "Like all others, " if len(parameters) > 1 else ""
        return [Finding(kind, first, 1, f"{lead}{first} {words}.")] if words else []

    def _as_length(self, k: int, finding: Finding) -> Finding:
        """Say of a gradient that is a multiple of the right one which length that stands for."""
        if self.hints == "none" or finding.message.endswith(_ORDER):
            return finding
        factor = self._factor([self.point.places[k]])
        kind, words = self._length_behind(factor, [self.point.places[k]]) if factor else ("", "")
        if not words:
            return finding
        kind = kind or finding.mistake
        return replace(finding, mistake=kind, message=f"{finding.parameter} {words}.")

    def _factor(self, which: Sequence[int]) -> float | None:
        """Return how many times the right gradients by some leaves the given ones are, if all are.

        Of a single number there is always such a factor.
        """
        if not isinstance(self.matched, Matched):
            return None
        right = dict(zip(self.point.places, self.judged.gradients, strict=True))
        found = [compare("", self.matched.leaves[at], right[at]) for at in which]
        given = [each.given for each in found if each.worst is not None and each.given is not None]
        expected = [each.expected for each in found]
        if len(given) < len(found) or not all(np.isfinite(each).all() for each in given):
            return None
        if [each.size for each in expected] == [1]:
            return float((given[0] / expected[0]).item()) if expected[0].all() else None
        return common_factor(given, expected)

    def _length_behind(self, factor: float, which: Sequence[int]) -> tuple[str, str]:
        """Return a mistake, and what is said of it, if a factor stands for a length; or else ""."""
        fitting = itertools.product(READINGS, self._lengths.values())
        if not any(reading.fits(factor, n) for reading, n in fitting):
            return "", ""
        elsewhere = [(each._lengths, each._factor(which)) for each in self._longer]
        sizes = [self.point.leaves[self.point.places.index(at)].size for at in which]
        return length_behind(factor, self._lengths, elsewhere, is_one_number=sizes == [1])

    def _with_counts(self, line: Finding) -> Finding:
        """Say what the number counts by which a line should be multiplied."""
        found = re.search(r"(?:multiply|divide) it by −?(?:1/)?(\d+)$", line.repair)
        n = int(found[1]) if found else 0
        if n < 3 or n not in self._lengths.values():  # a 2 is rather one of the formula
            return line
        counts = count_in_words(n, self._lengths)
        return replace(line, message=f"{line.message} {counts}.")

    @cached_property
    def _lengths(self) -> dict[str, int]:
        """The lengths of the arguments, and of what else the function names."""
        leaves = pytree.flatten(list(self.args))
        named: list[tuple[str, Any]] = [*zip(self._paths, leaves, strict=True)]
        try:
            which = traceable_leaves(leaves, self.point.places)
            graph = traced(self.f, self.args, which)
        except Exception:  # the tracer cannot follow it
            return lengths(named)
        nodes = zip(graph.nodes, graph.records, strict=True)
        named += [
            (node.name, record.value)
            for node, record in nodes
            if (node.op and node.index in graph.named)
            or (node.op == CONSTANT and f"{node.source}".isidentifier())
        ]
        return lengths(named)

    @cached_property
    def _longer(self) -> list[_Check]:
        """The check with arguments of another length each, where that can be."""
        found = list[_Check]()
        for args in longer(self.args) if callable(self.gradient) else ():
            try:
                with quiet(io.StringIO()):
                    check = _Check(self.f, self.called, args, "", self.hints)
                    found += [check] if check.judged else []
            except (Exception, OutOfTime):  # they have these lengths alone
                continue
        return found

    def _about_loss(self) -> tuple[str, ...]:
        """Say that the loss that is returned beside the gradients is another one, if so."""
        assert isinstance(self.matched, Matched)
        if self.matched.loss is None:
            return ()
        given = float(np.asarray(self.matched.loss))
        words = loss_in_words([given], [self.point.value()], [{}], self.hints)
        return (words,) if words else ()

    def _graph(self, k: int) -> Graph | None:
        """Return the trace of the gradient function up to one gradient; None if there is none."""
        leaves = pytree.flatten(list(self.args))
        gradients = self._gradients([self.point.places[k]])
        gradient = functools.wraps(self.gradient)(lambda *args: gradients(*args)[0])
        try:
            graph = traced(gradient, self.args, traceable_leaves(leaves, self.point.places))
        except (Exception, OutOfTime):  # whatever the student's function does
            return None
        callers = (self._graph, traced)  # they call the student's function, and show nothing
        return without_callers(graph, [each.__code__.co_filename for each in callers])

    def _bound(self, k: int, finding: Finding, others_right: bool) -> Finding:
        """Add to what is said of a missing gradient what to do if its argument is data."""
        if finding.mistake != "missing_gradient" or finding.message[-11:] != "is missing.":
            return finding
        kept = [name for j, name in enumerate(self.argument_names) if j not in self._without()]
        if not kept or len(kept) == len(self.argument_names):
            return finding
        given, everything = ", ".join(kept), ", ".join(self.argument_names)
        name = self.point.names[k]
        alone = len(kept) == len(self.argument_names) - 1 and others_right
        found = f"{finding.message[:-1]}, and all others are right."
        advice = (
            f" Return it, too; or if {name} is data, by which nobody differentiates, hand the two "
            f"functions over without it: lambda {given}: {calling.function_name(self.f)}"
            f"({everything})."
        )
        return replace(finding, message=(found if alone else finding.message) + advice)

    def _about_data(self) -> tuple[str, ...]:
        """Say by what the gradients are, if an input without a target was taken for data."""
        assert isinstance(self.matched, Matched)
        data = [self.argument_names[k] for k in self.matched.data]
        if TARGETS.intersection(data) or not INPUTS.intersection(data):
            return ()
        kept = [each for each in self.argument_names if each not in data]
        count = "counts" if len(data) == 1 else "count"
        return (f"These are the gradients by {in_words(kept)}; {in_words(data)} {count} as data.",)

    def _about_order(self) -> tuple[str, ...]:
        """Say in which order the gradients came, if shapes alone told which is which."""
        assert isinstance(self.matched, Matched)
        leaves = self.matched.leaves
        known = {id(leaves[k]): name for k, name in zip(self.point.places, self.names, strict=True)}
        came = [known[id(each)] for each in pytree.flatten(self.answer) if id(each) in known]
        if any(self.matched.spelled) or came == self.names or sorted(came) != sorted(self.names):
            return ()
        came_as = f"The gradients came as {in_words(came)}, in another order than the arguments"
        return (f"{came_as}; their shapes told which is which.",)

    def _without(self) -> set[int]:
        """Return the arguments that have no gradient."""
        assert isinstance(self.matched, Matched)
        found, leaves = set[int](), iter(self.matched.leaves)
        for k, tree in enumerate(self.args):
            if all(next(leaves) is None for _ in pytree.flatten(tree)):
                found.add(k)
        return found

    def _faults(self) -> list[Fault]:
        """Return the lines that are wrong."""
        assert isinstance(self.matched, Matched)
        every = self.point.places
        given = [at for at in every if _given_leaf(self.matched, at) is not None]
        if len(given) < len(every) and not self.is_frame:
            faults = self._found(every)
            if faults:
                return faults
        faults = self._found(given, self.alone)
        order = [every.index(at) for at in given]
        return [replace(each, spoils=tuple(order[k] for k in each.spoils)) for each in faults]

    def _found(self, which: Sequence[int], alone: bool = False) -> list[Fault]:
        """Return the lines that are wrong by the gradients by some leaves."""
        try:
            return find_faults(self.f, self._gradients(which), self.args, which, alone)
        except OutOfTime:  # at other arguments, or as before
            return []

    def _lines(self, faults: Sequence[Fault], parameters: Sequence[Checked]) -> list[Finding]:
        """Return what is said of lines, as far as the hints allow."""
        several = any(each.number > 1 for each in faults)
        lines = [self._line(each, parameters, several) for each in faults]
        return [each for each in lines if each.message]

    def _gradients(self, which: Sequence[int]) -> Callable[..., list[Any]]:
        """Return the function that gives the gradients by some leaves, as it made them."""
        # How an answer is built tells how it is read; the reading takes longer than a pass.
        known: dict[Hashable, list[int | None]] = {}
        unmatched: dict[Hashable, str] = {}

        @functools.wraps(self.gradient)
        def gradients(*args: Any) -> list[Any]:
            answer = self.called(*args)
            form, leaves = form_of(answer)
            if form in known and not any(map(is_live, leaves)):
                return [None if k is None else leaves[k] for k in known[form]]
            plain, own = plain_answer(answer)
            form, leaves = form_of(plain)
            if form not in known:
                found = None if form in unmatched else self._match(plain)
                if not isinstance(found, Matched):
                    unmatched.setdefault(form, found.sentence if found is not None else "")
                    raise InvalidValueError(unmatched[form])
                places = {id(leaf): k for k, leaf in enumerate(leaves) if leaf is not None}
                wanted = [_given_leaf(found, at) for at in which]
                if any(leaf is not None and id(leaf) not in places for leaf in wanted):
                    return [own(leaf) for leaf in wanted]  # it is cut out of a vector
                known[form] = [None if leaf is None else places[id(leaf)] for leaf in wanted]
            return [None if k is None else own(leaves[k]) for k in known[form]]

        return gradients

    def _line(self, fault: Fault, parameters: Sequence[Checked], several: bool) -> Finding:
        first = parameters[fault.spoils[0] if fault.spoils else 0].name
        fault = replace(fault, quantity=self._as_read(fault.quantity))
        message = fault_sentence(fault, self.hints, several)
        found = Finding("wrong_line", first, fault.rank, message)
        if self.hints not in SHOWS_LINE:
            return found
        found = replace(
            found,
            line=fault.line,
            source=fault.source or "",
            proved=fault.proved,
            given=fault.given,
            number=fault.number,
        )
        if self.hints == "clear":
            return found
        return replace(found, quantity=fault.quantity, repair=fault.repair, expected=fault.expected)

    def _as_read(self, quantity: str) -> str:
        """Return a quantity with arguments as they are read in place of the tracer's names.

        In an expression of the learner's, a name like one of these may be another thing.
        """
        if "(" in quantity:
            return quantity
        traced_as: list[str] = []
        for name, tree in zip(self.argument_names, self.args, strict=True):
            pytree.rebuild(tree, lambda name, _: traced_as.append(name), name)
        return renamed(quantity, dict(zip(traced_as, self._paths, strict=True)))

    @cached_property
    def _paths(self) -> list[str]:
        """How the leaves of the arguments are read."""
        return [
            f"{name}{in_brackets(path)}"
            for name, tree in zip(self.argument_names, self.args, strict=True)
            for path, _ in pytree.paths(tree)
        ]


def weights_first(answer: Any) -> Any:
    """Return an answer, a loss beside it or not, with its two lists exchanged.

    >>> weights_first((0.5, ["db"], ["dW"])), weights_first((["db"], ["dW"]))
    ((0.5, ['dW'], ['db']), (['dW'], ['db']))
    """
    if not isinstance(answer, list | tuple):
        return answer
    lists = [each for each in answer if isinstance(each, list | tuple)]
    if len(lists) == 2:
        return tuple(lists.pop() if isinstance(each, list | tuple) else each for each in answer)
    return tuple(weights_first(each) for each in answer) if len(lists) == 1 else answer


def gradient_names(names: Sequence[str], said: Sequence[str]) -> list[str]:
    """Return what gradients are called: as the answer does, or after their parameters.

    A parameter in a dict has the name of its key, if no other one has.

    >>> gradient_names(['p["W1"]', 'p["b1"]', "x[0]"], ["W1", "grad_b1", ""])
    ['dW1', 'grad_b1', 'dx[0]']
    """
    keys = [re.sub(r'.*\["(\w+)"\]$', r"\1", name) for name in names]
    alone = [key if keys.count(key) == 1 else name for key, name in zip(keys, names, strict=True)]
    return [
        own if own and own not in (key, name) and said.count(own) == 1 else f"d{short}"
        for own, key, name, short in zip(said, keys, names, alone, strict=True)
    ]


def _given_leaf(found: Matched, at: int) -> Any:
    """Return a gradient that was handed over; None for dots, too."""
    leaf = found.leaves[at]
    return None if leaf is ... else leaf


def _is_known(finding: Finding, parameters: Sequence[Checked]) -> bool:
    """Whether a finding says no more than that a gradient is wrong, or than the table does."""
    in_table = {f"{each.name}: {each.remark}." for each in parameters}
    return finding.mistake == "not_recognised" or finding.message in in_table


def fault_sentence(fault: Fault, hints: Hints, several: bool = False) -> str:
    """Say which line is wrong, and what makes it right, as far as the hints allow.

    ``several`` says whether there are other mistakes beside it.
    """
    if hints == "none":
        return ""
    if hints == "vague":
        if several:
            return "Two expressions together explain all that is wrong."
        if not fault.proved:
            return "One line seems to be where it goes wrong first."
        return "One expression explains all that is wrong."
    text = f"Line {fault.line}, {' '.join((fault.source or '').split())}:"
    wrong = "this is where it goes wrong first" if fault.proved else "it seems to go wrong here"
    if hints == "clear":
        return f"{text} {wrong}."
    should = "should be" if fault.proved else "should probably be"
    text += f" this {should} {fault.quantity}" if fault.quantity else f" {wrong}"
    text += f"; {fault.repair}." if fault.repair else "."
    if not (fault.proved or several):
        return text
    return f"{text} With {'both mended' if several else 'it'}, every gradient is right."


def _exact(args: Sequence[Any]) -> tuple[int, ...]:
    """Return which arguments are labels, flags or text."""
    return tuple(
        k
        for k, each in enumerate(args)
        if all(
            isinstance(leaf, bool | str | None)
            or (np.ndim(leaf) and np.asarray(leaf).dtype.kind not in "fc")
            for leaf in pytree.flatten(each)
        )
    )


class Judged(NamedTuple):
    """The right gradients, and what to know of them."""

    gradients: list[Array]
    notes: tuple[str, ...]
    roundings: list[Array]
    """How far off each entry may be."""
    looked_into: tuple[int, ...] = ()
    """Those of which some entries alone were looked at one by one."""


def _judged(point: Point, given: Sequence[Any]) -> Judged:
    """Return the right gradients, by the tracer if it can."""
    value = point.value()
    try:
        gradients = point.traced_gradients()
    except Exception as error:  # of another library, too: as it is, the function has a value
        why = "The tracer cannot follow this function, so central differences alone judge."
        reason = error.problem if isinstance(error, BackpropError) else said_of(error, None)
        return _by_differences_alone(point, given, f"{why} {reason}")
    if not any(each.any() for each in gradients):
        point.check_that_it_is_not_rounded()
    notes = tuple(_disagreements(point, gradients))
    if not np.isfinite(value):
        notes = (f"The function is {value} here, and what changes that says nothing.",)
    return Judged(gradients, notes, [np.zeros(each.shape) for each in gradients])


def _by_differences_alone(point: Point, given: Sequence[Any], why: str) -> Judged:
    point.check_that_it_is_not_rounded()
    found = [_by_differences(point, k, each) for k, each in enumerate(given)]
    slopes, roundings, notes = zip(*found, strict=True)
    large = tuple(k for k, each in enumerate(point.leaves) if each.size > _EACH_ENTRY)
    return Judged([*slopes], (why, *filter(None, notes)), [*roundings], large)


def _by_differences(point: Point, k: int, given: Any) -> tuple[Array, Array, str]:
    """Return the right gradient, how far it may be off, and what to know of it."""
    leaf, values = point.leaves[k], compare("", given, point.leaves[k]).given
    if values is None or values.shape != leaf.shape or not np.isfinite(values).all():
        return *point.slopes_and_rounding(k), ""
    name = point.names[k]
    if point.is_narrow and point.agrees_along(k, values):
        note = (
            f"The loss is computed in float32, so {name} was judged along {4 * DIRECTIONS} "
            "directions, to 5 %."
        )
        return values, np.zeros(leaf.shape), note
    if leaf.size > _EACH_ENTRY:
        slopes, rounding = point.slopes_beside(k, values)
        note = (
            f"{name} has {leaf.size:,} entries: {LOOKED_AT} were looked at one by one, "
            f"and all of them together along {DIRECTIONS} directions."
        )
    else:
        slopes, rounding = point.slopes_and_rounding(k)
        least = float(rounding.max(initial=0.0))
        is_rough = least > 1e-5 * float(np.abs(slopes).max(initial=0.0)) and values.any()
        known = f"known to ±{least:.1g} only, beside a loss of {point.value():.3g}"
        note = f"The slopes by {name} are {known}." if is_rough else ""
    return _nearest_multiple(values, slopes, rounding), rounding, note


def _nearest_multiple(values: Array, slopes: Array, rounding: Array) -> Array:
    """Return the slopes as what given values are a multiple of, if they cannot be told from it."""
    fitted = float(np.sum(values * slopes)) / (float(np.sum(slopes**2)) or 1.0)
    if not np.isfinite(fitted):
        return slopes
    size = np.abs(slopes).max(initial=0.0)
    for factor in (1.0, -1.0, 2.0, 0.5, float(round(fitted)), fitted):
        is_sharp = factor == 1.0 or rounding.max(initial=0.0) <= 1e-3 * size
        near = rounding + TOLERANCE * np.abs(slopes)
        if factor and is_sharp and np.all(np.abs(values / factor - slopes) <= near):
            return values / factor
    return slopes


def _beside(name: str, given: Any, expected: Array, rounding: Array) -> Checked:
    """Compare a gradient with the right one, as far as this is known."""
    checked = compare(name, given, expected)
    values = checked.given
    if checked.ok or values is None or values.shape != expected.shape or not rounding.any():
        return checked
    near = np.abs(values - expected) <= rounding
    return compare(name, given, np.where(near, values, expected))


def _disagreements(point: Point, gradients: Sequence[Array]) -> Iterator[str]:
    """Yield where the tracer and central differences do not agree.

    Of an array with many entries they are compared along some random directions.
    """
    for k, (name, gradient) in enumerate(zip(point.names, gradients, strict=True)):
        if gradient.size <= LOOKED_AT:
            one, (other, rounding) = gradient, point.slopes_and_rounding(k)
            size = max(float(np.abs(one).max(initial=0)), 1e-6)
        else:
            random = np.random.default_rng(k)
            ways = random.choice([-1.0, 1.0], (DIRECTIONS, *gradient.shape))
            one = np.array([np.sum(gradient * way) for way in ways])
            found = [point.slope_along(k, way) for way in ways]
            other, rounding = np.array(found).T
            size = max(float(np.linalg.norm(gradient)), 1e-6)
        if not np.all(np.abs(one - other) <= 1e-4 * size + rounding):
            yield (
                f"The tracer and central differences do not agree on the slope by {name}: there "
                "may be a kink or a jump within the step, or a sharp bend. The tracer's value is "
                "taken."
            )


def _at_kinks(checked: Checked, point: Point, k: int) -> Checked:
    """Count a gradient as right whose wrong entries all are slopes that a kink has."""
    given, expected = checked.given, checked.expected
    if checked.ok or given is None or given.shape != expected.shape:
        return checked
    wrong = wrong_entries(given, expected)
    for index in wrong:
        low, high = point.sides(k, index)
        room = TOLERANCE_FLOAT32 * max(abs(low), abs(high))
        if not (low < high and low - room <= given[index] <= high + room):
            return checked
    place = replace(checked, name=point.names[k], worst=wrong[0]).place
    remark = f"{place} is at a kink, where any slope between those of its two sides will do"
    return replace(checked, ok=True, remark=remark)


def _given(gradient: Any, args: Sequence[Any]) -> tuple[Any, str, Source | None, Sequence[Any]]:
    """Return what is to be checked, or what its function failed with and where; and its arguments.

    These are copies, as the call leaves them.
    """
    if not callable(gradient):
        return gradient, "", None, args

    def copied(_: str, leaf: Any) -> Any:
        # Python's own numbers have no end, where those of NumPy begin again.
        return leaf if type(leaf) is int else np.array(leaf)[()]

    copies = pytree.rebuild(list(args), copied)
    try:
        return gradient(*copies), "", None, copies
    except KeyboardInterrupt as error:
        error.add_note(
            "The gradient function was running; with seconds=10 it is stopped by itself."
        )
        raise
    except OutOfTime as error:
        return None, str(error), _place(error)[0], copies
    except BaseException as error:  # sys.exit too; the report says what went wrong
        place, said = _place(error)
        if instead := to_write(error):
            said += f"; write {instead}"
        why = f"it raised {type(error).__name__}: {said}".rstrip(": ")
        return None, why, place, copies


def _mistake_of(factor: float) -> str:
    """Return what a wrong factor alone gives away."""
    if -1 < factor < 0:
        return "step_returned"
    return {-1.0: "sign_flipped", 0.5: "missing_factor_2", 2.0: "extra_factor_2"}.get(
        factor, "not_recognised"
    )


def _place(error: BaseException) -> tuple[Source | None, str]:
    """Return the student's expression that raised, and what the error says."""
    steps = [link for link in links(error) if is_students(link.tb_frame)]
    place = locate(steps[-1].tb_frame.f_code, steps[-1].tb_lasti) if steps else None
    return place.source() if place else None, said_of(error, steps[-1] if steps else None)


# --- what is wrong with one of them -----------------------------------------


def _coarse(wrong: Sequence[Checked], hints: Hints) -> Finding:
    """Say that gradients are as far off as products in TF32 or bfloat16, and how to tell."""
    first = wrong[0].name
    names, verb = in_words([each.name for each in wrong]), "is" if len(wrong) == 1 else "are"
    if hints == "none":
        return Finding("coarse_products", first, 1, f"{names} {verb} wrong.")
    off = max(each.error for each in wrong)
    text = (
        f"{names} {verb} off by {off:.1g} at most, with both signs. So are products of float32 "
        "that a library rounds to TF32 or bfloat16, as JAX does on a GPU and on a TPU: then "
        "the gradient is right to the precision that such products have. To know, compute it "
        'again after jax.config.update("jax_default_matmul_precision", "highest"), or with '
        "torch.backends.cuda.matmul.allow_tf32 = False. What is off then is wrong."
    )
    return Finding("coarse_products", first, 1, text)


_ORDER = ": the order is that of the arguments."


def _is_that_of(other: Checked, given: Array | None) -> bool:
    """Whether what was given is the gradient by another parameter, whose own is wrong, too."""
    return given is not None and not other.ok and agrees(given, other.expected)


def _explain(checked: Checked, parameters: Sequence[Checked], hints: Hints) -> Finding:
    """Say what is wrong with one parameter, as far as that shows in its values alone."""
    name, given, expected = checked.name, checked.given, checked.expected
    kind, reason = fault_of(checked)
    right_as = next((each.name for each in parameters if _is_that_of(each, given)), "")
    order = f"would be right as {right_as}{_ORDER}"
    if right_as and kind == "wrong_shape":
        reason = f"It {order}"
    text = fault_in_words(checked, kind, reason)
    if given is not None and kind == "not_recognised":
        factor = factor_of(given, expected)
        if right_as:
            text = f"{name} {order}"
        elif factor is None:
            text = which_entries(checked, wrong_entries(given, expected))
        else:
            kind = _mistake_of(factor)
            text = f"{name} {factor_in_words(factor)}."
    return Finding(kind, name, 1, f"{name} is wrong." if hints == "none" else text)

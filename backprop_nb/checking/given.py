"""A gradient as it is given: called, read by its arguments, and put beside the right one."""

from __future__ import annotations

import functools
import inspect
import itertools
import re
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from backprop_nb.checking.compare import agrees, changed, compare
from backprop_nb.checking.differences import Point, parameter_names
from backprop_nb.checking.judging import Judged, judge
from backprop_nb.checking.leaves import form_of
from backprop_nb.checking.lengths import READINGS, length_behind, lengths, longer
from backprop_nb.checking.limits import OutOfTime, TimeLimit, quiet
from backprop_nb.checking.lines.followed import (
    keeping_traces,
    plain_answer,
    traceable_leaves,
    traced,
    without_callers,
)
from backprop_nb.checking.lines.known import Known
from backprop_nb.checking.lines.program import may_write
from backprop_nb.checking.lines.unwritten import unwritten
from backprop_nb.checking.matching import Matched, Unmatched, likely_data, match
from backprop_nb.checking.raised import error_in_words, last_step, source_of
from backprop_nb.checking.unexplained import common_factor, fails_again_in_words, unsteady_in_words
from backprop_nb.checking.wording import renamed
from backprop_nb.errors import InvalidValueError
from backprop_nb.tracing import Graph, calling, pytree
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.tracing.source import Source
from backprop_nb.tracing.tape import is_live


class GivenGradient:
    """A gradient of f, or the function that returns it, at some arguments.

    Attributes
    ----------
    argument_names : list of str
    spoilt : list of str
        The names of what f reads beside its arguments and the gradient writes into.
    called
        What was given, with the limit of its time, if it has one.
    answer, failure, raised
        What it returned; or why there is nothing, and the expression that raised.
    changed : list of str
        The arguments that it left otherwise.
    dots, is_frame
        Where ``...`` still stands in it, and whether it is unwritten or half-written.
    matched
        The answer read by the arguments, or what is to be said if it cannot be.
    point
        Where f is differentiated, by the arguments that are no data.
    names : list of str
        Of the gradients.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        gradient: Any,
        args: Sequence[Any],
        form: str,
        seconds: float | None = None,
        biases_first: bool = False,
    ) -> None:
        self.biases_first = biases_first
        calling.check_callable(f, form)
        f = keeping_traces(f)
        self.f, self.gradient, self.args = f, gradient, args
        if not pytree.flatten(list(args)):
            raise InvalidValueError(
                "There is nothing to differentiate by.",
                given="no numbers after f and its gradient",
                instead=calling.right_call(f, form),
            )
        self.argument_names = parameter_names(f, args)
        is_limited = seconds is not None and callable(gradient)
        self.called = TimeLimit(gradient, seconds or 0.0) if is_limited else gradient
        captured = _Captured(f) if callable(gradient) else None
        losses = [self._loss(), self._loss()] if callable(gradient) else []
        answer, self.failure, self.raised, after = _given(self.called, args)
        self.spoilt = captured.put_back() if captured is not None else []
        if captured is not None and self.spoilt:
            self.called = captured.left_alone(self.called)
        if losses and losses[0] is not None and _same(*losses):
            self._refuse_other_loss(losses[0])
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

    def _loss(self) -> float | None:
        """Return the loss as it is now, or None where it cannot be told."""
        with quiet():
            value, *_ = _given(self.f, self.args)
        return float(value) if np.ndim(value) == 0 and isinstance(value, _NUMBERS) else None

    def _refuse_other_loss(self, before: float) -> None:
        """Raise if the gradient has changed what the loss reads: it would be judged by that."""
        now = self._loss()
        if not _same(before, now):
            after = "nothing" if now is None else f"{now:.6g}"
            raise InvalidValueError(
                "The gradient function changes what the loss reads, so nothing can be checked.",
                given=f"a loss of {before:.6g} before its call, and of "
                f"{after} for the same arguments after it",
                expected="data that stay as they are",
                instead="a copy to write into, such as x = x.copy(), and the data made anew",
            )

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

    def differs_again(self) -> tuple[int, str] | None:
        """Return which gradient is another one at a second call, and what is said of it, if any.

        What it prints has been printed; one that may write into files is not called again.
        """
        if not callable(self.gradient) or may_write(self.gradient):
            return None
        first = self.matched.leaves if isinstance(self.matched, Matched) else []
        kept = [np.array(each) if isinstance(each, np.ndarray) else each for each in first]
        self._loss()  # whose values a backward pass may read, and the last ones were others
        with quiet():
            answer, failure, *_ = _given(self.called, self.args)
            found = None if failure else self._match(answer)
        again = found.leaves if isinstance(found, Matched) else []
        now = [np.array(each) if isinstance(each, np.ndarray) else each for each in again]
        for each, was in zip(first, kept, strict=True):  # it may give the same array at each call
            if isinstance(each, np.ndarray) and each.flags.writeable:
                each[...] = was
        if len(now) != len(kept):
            return 0, fails_again_in_words(failure)
        for k, at in enumerate(self.point.places):
            one, other = (np.asarray(each[at], float) for each in (kept, now))
            if one.shape != other.shape or not agrees(other, one):
                is_doubled = one.shape == other.shape and agrees(other, 2 * one)
                return k, unsteady_in_words(self.names[k], is_doubled)
        return None

    @cached_property
    def judged(self) -> Judged:
        """The right gradients, and what the judges disagree on."""
        found = self.matched.leaves if isinstance(self.matched, Matched) else None
        given = [found[at] if found else None for at in self.point.places]
        return judge(self.point, given)

    def gradients(self, which: Sequence[int]) -> Callable[..., list[Any]]:
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
                wanted = [found.gradient(at) for at in which]
                if any(leaf is not None and id(leaf) not in places for leaf in wanted):
                    return [own(leaf) for leaf in wanted]  # it is cut out of a vector
                known[form] = [None if leaf is None else places[id(leaf)] for leaf in wanted]
            return [None if k is None else own(leaves[k]) for k in known[form]]

        return gradients

    def graph(self, k: int) -> Graph | None:
        """Return the trace of the gradient function up to one gradient; None if there is none."""
        leaves = pytree.flatten(list(self.args))
        gradients = self.gradients([self.point.places[k]])
        gradient = functools.wraps(self.gradient)(lambda *args: gradients(*args)[0])
        try:
            graph = traced(gradient, self.args, traceable_leaves(leaves, self.point.places))
        except (Exception, OutOfTime):  # whatever the student's function does
            return None
        callers = (self.graph, traced)  # they call the student's function, and show nothing
        return without_callers(graph, [each.__code__.co_filename for each in callers])

    def without(self) -> set[int]:
        """Return the arguments that have no gradient, not even under a misspelt key."""
        assert isinstance(self.matched, Matched)
        found, leaves, told = set[int](), enumerate(self.matched.leaves), self.matched.misspelt
        for k, tree in enumerate(self.args):
            own = [next(leaves) for _ in pytree.flatten(tree)]
            if all(leaf is None and at not in told for at, leaf in own):
                found.add(k)
        return found

    def as_read(self, quantity: str) -> str:
        """Return a quantity with arguments as they are read in place of the tracer's names.

        In an expression of the learner's, a name like one of these may be another thing.
        """
        if "(" in quantity:
            return quantity
        traced_as: list[str] = []
        for name, tree in zip(self.argument_names, self.args, strict=True):
            pytree.rebuild(tree, lambda name, _: traced_as.append(name), name)
        return renamed(quantity, dict(zip(traced_as, self.paths, strict=True)))

    def factor(self, which: Sequence[int]) -> float | None:
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

    def length_behind(self, factor: float, which: Sequence[int]) -> tuple[str, str]:
        """Return a mistake, and what is said of it, if a factor stands for a length; or else ""."""
        fitting = itertools.product(READINGS, self.lengths.values())
        if not any(reading.fits(factor, n) for reading, n in fitting):
            return "", ""
        elsewhere = [(each.lengths, each.factor(which)) for each in self._longer]
        sizes = [self.point.leaves[self.point.places.index(at)].size for at in which]
        averaged = None if self._trace is None else Known(self._trace).averaged
        return length_behind(factor, self.lengths, elsewhere, sizes == [1], averaged)

    @cached_property
    def lengths(self) -> dict[str, int]:
        """The lengths of the arguments, and of what else the function names."""
        leaves, graph = pytree.flatten(list(self.args)), self._trace
        named: list[tuple[str, Any]] = [*zip(self.paths, leaves, strict=True)]
        if graph is None:
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
    def _trace(self) -> Trace | None:
        """What the function computes; None if the tracer cannot follow it."""
        try:
            which = traceable_leaves(pytree.flatten(list(self.args)), self.point.places)
            return traced(self.f, self.args, which)
        except Exception:  # whatever it does
            return None

    @cached_property
    def _longer(self) -> list[GivenGradient]:
        """The check with arguments of another length each, where that can be."""
        found = list[GivenGradient]()
        for args in longer(self.args) if callable(self.gradient) else ():
            try:
                with quiet():
                    other = GivenGradient(self.f, self.called, args, "")
                    found += [other] if other.judged else []
            except (Exception, OutOfTime):  # they have these lengths alone
                continue
        return found

    @cached_property
    def paths(self) -> list[str]:
        """How the leaves of the arguments are read."""
        pairs = zip(self.argument_names, self.args, strict=True)
        return [read_as for pair in pairs for read_as, _ in pytree.entries(*pair)]


_MOST_BYTES = 2**25
"""A larger array is not copied, to see whether somebody writes into it."""


class _Captured:
    """The arrays that a function reads beside its arguments, such as a notebook's data."""

    def __init__(self, f: Callable[..., Any]) -> None:
        function = inspect.unwrap(f)
        code = getattr(function, "__code__", None)
        names = inspect.getclosurevars(function) if inspect.isfunction(function) else None
        found = {**names.globals, **names.nonlocals} if names and code else {}
        self.arrays = {
            name: (each, each.copy())
            for name, each in found.items()
            if isinstance(each, np.ndarray)
            and each.dtype.kind in "fiub"
            and each.flags.writeable
            and each.nbytes <= _MOST_BYTES
        }

    def put_back(self) -> list[str]:
        """Have them as they were, and return the names of those that were not."""
        other = [
            name
            for name, (array, was) in self.arrays.items()
            if not np.array_equal(array, was, equal_nan=True)
        ]
        for name in other:
            array, was = self.arrays[name]
            array[...] = was
        return other

    def left_alone(self, called: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function after which they are as they were."""

        @functools.wraps(called)
        def leaving(*args: Any) -> Any:
            try:
                return called(*args)
            finally:
                self.put_back()

        return leaving


_NUMBERS = (int, float, np.number, np.ndarray)


def _same(one: float | None, other: float | None) -> bool:
    """Whether a function has given the same number twice."""
    if one is None or other is None:
        return one is other
    return bool(np.isclose(one, other, rtol=1e-12, atol=0, equal_nan=True))


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
        return None, str(error), source_of(last_step(error)), copies
    except BaseException as error:  # sys.exit too; the report says what went wrong
        last = last_step(error)
        return None, error_in_words(error, last), source_of(last), copies


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

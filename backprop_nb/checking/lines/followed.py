"""A gradient function as data: every quantity that it computes, to be computed again with changes.

A student's gradient function is plain NumPy, so it can be traced as a loss can.  What it
computed is then known line by line, and the rest of it can be replayed with another
quantity in the place of one.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.lines.aliases import aliased
from backprop_nb.checking.lines.watch import Watch
from backprop_nb.tracing import pytree
from backprop_nb.tracing.api import Graph
from backprop_nb.tracing.record import Record, Scope
from backprop_nb.tracing.tape import Recorded, is_live, plain, position, written
from backprop_nb.tracing.tracer import record

Array: TypeAlias = NDArray[Any]
Change: TypeAlias = Callable[[Sequence[Any]], Any]
"""From the values of all records up to one, the value that stands in its place."""


_ENTRIES = 2000
"""So many entries take as long as one step on a small array."""

_LARGE = 5_000
"""Arguments with more entries are cut down."""
_LONG, _SHORT = 12, 5
"""A longer axis is cut down, to so many entries or a few more."""


class Opaque:
    """An argument that the tracer is to leave alone, such as labels."""

    def __init__(self, value: Any) -> None:
        self.value = value


def traced(
    f: Callable[..., Any], args: Sequence[Any], which: Collection[int], watched: bool = False
) -> Graph:
    """Return the trace of a function of whose arguments some leaves alone are traced.

    If it is watched, what its lines hand on has records, too.
    """
    position = itertools.count()
    shut = pytree.rebuild(
        list(args), lambda _, leaf: leaf if next(position) in which else Opaque(leaf)
    )

    watch, values = Watch(), list[Any]()

    @functools.wraps(f)
    def opened(*given: Any) -> Any:
        own = pytree.rebuild(list(given), lambda _, leaf: _opened(leaf))
        live = [leaf for leaf in pytree.flatten(own) if is_live(leaf)]
        if not (watched and live) or watch.calls:  # it is called again, to compare
            return f(*own)
        watch.clock, watch.mark = lambda: len(written(live[0])), _position
        result = watch.run(f, *own)
        values.extend(each.value for each in written(live[0]))
        return result

    trace = record(opened, shut, {}, Graph)
    return aliased(trace, watch, values) if values else trace


def moved(args: Sequence[Any], which: Collection[int], by: float = 0.1, seed: int = 7) -> list[Any]:
    """Return arguments with some leaves moved a little, and copies of the others."""
    random, position = np.random.default_rng(seed), itertools.count()

    def move(_: str, leaf: Any) -> Any:
        if next(position) not in which:
            return leaf.copy() if isinstance(leaf, np.ndarray) else leaf
        return (np.asarray(leaf) * (1 + by * random.uniform(-1, 1, np.shape(leaf))))[()]

    return list(pytree.rebuild(list(args), move))


def shortened(args: Sequence[Any]) -> list[Any] | None:
    """Return arguments of which each long axis is cut down; ``None`` where none is long.

    Axes of one length have one length again, and keep the entries that are largest: the pixels
    at the border of an image are all zero.
    """
    arrays = [leaf for leaf in pytree.flatten(list(args)) if isinstance(leaf, np.ndarray)]
    weights: dict[int, Array] = {}
    for array in arrays:
        size = np.abs(array) if array.dtype.kind == "f" else np.zeros(array.shape)
        for axis, length in enumerate(array.shape):
            entries = np.moveaxis(size, axis, 0).reshape(length, -1).sum(axis=1)
            weights[length] = weights.get(length, 0.0) + entries / (entries.sum() or 1.0)
    free = (n for n in itertools.count(_SHORT) if n not in weights)
    order = {n: np.argsort(-weights[n], kind="stable") for n in sorted(weights) if n > _LONG}
    kept = {length: np.sort(each[: next(free)]) for length, each in order.items()}

    def cut(_: str, leaf: Any) -> Any:
        if not (isinstance(leaf, np.ndarray) and leaf.ndim):
            return leaf
        return leaf[np.ix_(*(kept.get(n, range(n)) for n in leaf.shape))]

    is_large = sum(array.size for array in arrays) > _LARGE
    return list(pytree.rebuild(list(args), cut)) if is_large else None


def _position(value: Any) -> int | None:
    """Return which record has made a value; ``None`` for what is not recorded, or not yet."""
    if is_live(value) and not issubclass(type(value), Recorded):
        value = value.now()
    return position(value)


def without_callers(graph: Graph, files: Collection[str]) -> Graph:
    """Return a trace that does not tell of the calls through some files around all others."""
    known: dict[Scope, Scope | None] = {}

    def inner(scope: Scope | None) -> Scope | None:
        if scope is None:
            return None
        if scope not in known:
            around = inner(scope.parent)
            outermost = around is None and scope.code.co_filename in files
            known[scope] = None if outermost else replace(scope, parent=around)
        return known[scope]

    records = tuple(each._replace(scope=inner(each.scope)) for each in graph.records)
    return replace(graph, records=records)


def _opened(leaf: Any) -> Any:
    return leaf.value if type(leaf) is Opaque else leaf


def plain_answer(answer: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return an answer with plain arrays for traced values, and the way back from each.

    What is cut out of one of them, as out of a flat vector, is cut out of the traced value.
    """
    known: dict[int, tuple[Any, Any]] = {}

    def shown(_: str, leaf: Any) -> Any:
        leaf = leaf.now() if is_live(leaf) else leaf
        if is_live(leaf) or isinstance(leaf, np.ndarray | np.generic | float):
            value = np.array(plain(leaf))  # each its own, where one is handed over twice
            known[id(value)] = (value, leaf)
            return value
        if hasattr(leaf, "__dict__") and not callable(leaf) and not hasattr(leaf, "dtype"):
            return SimpleNamespace(**pytree.rebuild(vars(leaf), shown))
        return leaf

    def traced(leaf: Any) -> Any:
        if id(leaf) in known:
            return known[id(leaf)][1]
        for value, own in known.values():
            if isinstance(leaf, np.ndarray) and np.shares_memory(leaf, value):
                start = (leaf.ctypes.data - value.ctypes.data) // value.itemsize
                return np.reshape(np.ravel(own)[start : start + leaf.size], leaf.shape)
        return leaf

    return pytree.rebuild(answer, shown), traced


class Followed:
    """What a gradient function computed, and which of it are the gradients.

    Parameters
    ----------
    gradient
        Returns a list of arrays, the gradients.
    args
        What it is called with.
    which
        The leaves of the arguments that are traced.

    Attributes
    ----------
    trace
        Its output is all gradients, one behind the other.
    leaves
        The position of each gradient among the records.
    costs
        How long each record takes to be computed again, in steps on small arrays.
    ends
        By such a position which gradients it is.
    """

    def __init__(
        self,
        gradient: Callable[..., Sequence[Any]],
        args: Sequence[Any],
        which: Collection[int],
    ) -> None:
        @functools.wraps(gradient)
        def flat(*given: Any) -> Any:
            return np.concatenate([np.ravel(np.atleast_1d(each)) for each in gradient(*given)])

        self.trace = traced(flat, args, which, watched=True)
        self.records = self.trace.records
        self.leaves = [self._leaf(each) for each in self._ends()]
        self.values = [each.value for each in self.records]
        # What is needed for the gradients, and not only to lay them one behind the other.
        self.children: list[list[int]] = [[] for _ in self.records]
        needed, pending = set[int](), list(self.leaves)
        while pending:
            index = pending.pop()
            if index not in needed:
                needed.add(index)
                for parent in {each for each in self.records[index].parents if each is not None}:
                    self.children[parent].append(index)
                    pending.append(parent)
        self.costs = [
            1 + (np.size(each.value) + sum(map(np.size, each.args))) // _ENTRIES
            for each in self.records
        ]
        self.ends: dict[int, list[int]] = {}
        for j, leaf in enumerate(self.leaves):
            self.ends.setdefault(leaf, []).append(j)
        self._downstream: dict[tuple[int, ...], list[int]] = {}

    def _ends(self) -> Sequence[int]:
        output = self.records[self.trace.output_index]
        return [parent for parent in output.parents if parent is not None]

    def _leaf(self, index: int) -> int:
        """Return the gradient that a flat piece of the output was made from."""
        for _ in range(2):  # ravel, atleast_1d
            record = self.records[index]
            name = getattr(record.row, "name", "")
            if name in ("ravel", "atleast_1d") and record.parents[0] is not None:
                index = record.parents[0]
        return index

    def gradients(self, values: Sequence[Any] | None = None) -> list[Any]:
        """Return the gradients, given the values of all records."""
        values = self.values if values is None else values
        return [values[each] for each in self.leaves]

    def downstream(self, starts: Sequence[int]) -> list[int]:
        """Return the records that are computed from some others, those included, in order."""
        key = tuple(starts)
        if key not in self._downstream:
            self._downstream[key] = self._reached(key)
        return self._downstream[key]

    def _reached(self, starts: tuple[int, ...]) -> list[int]:
        seen = set(starts)
        pending = list(starts)
        while pending:
            for child in self.children[pending.pop()]:
                if child not in seen:
                    seen.add(child)
                    pending.append(child)
        return sorted(seen)

    def replay(
        self, changes: Mapping[int, Change], values: Sequence[Any] | None = None
    ) -> list[Any]:
        """Return the values of all records with some of them changed.

        ``values`` are those of an earlier replay, whose changes are kept.
        """
        new = list(self.values if values is None else values)
        for index in self.downstream(list(changes)):
            change = changes.get(index)
            new[index] = change(new) if change else computed(self.records[index], new)
        return new


def computed(record: Record, values: Sequence[Any]) -> Any:
    """Return what a record computes from other values of the records before it."""
    if not hasattr(record.row, "call"):  # an input, or a constant
        return record.value
    return record.row.call(*operands_of(record, values), **record.keywords)


def operands_of(record: Record, values: Sequence[Any]) -> list[Any]:
    """Return the operands of a record, given the values of the others."""
    return [
        arg if parent is None else values[parent]
        for arg, parent in zip(record.args, record.parents, strict=True)
    ]

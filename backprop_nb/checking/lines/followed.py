"""A function traced by some of its arguments alone, and its answers as plain arrays."""

from __future__ import annotations

import builtins
import dis
import functools
import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_nb.tracing import pytree
from backprop_nb.tracing.api import Graph
from backprop_nb.tracing.record import Scope
from backprop_nb.tracing.tape import is_live, plain
from backprop_nb.tracing.tracer import record

Array: TypeAlias = NDArray[Any]

_LARGE = 5_000
"""Arguments with more entries are cut down."""
_LONG, _SHORT = 12, 5
"""A longer axis is cut down, to so many entries or a few more."""


class Opaque:
    """An argument that the tracer is to leave alone, such as labels."""

    def __init__(self, value: Any) -> None:
        self.value = value


def traced(f: Callable[..., Any], args: Sequence[Any], which: Collection[int]) -> Graph:
    """Return the trace of a function of whose arguments some leaves alone are traced."""
    position = itertools.count()
    shut = pytree.rebuild(
        list(args), lambda _, leaf: leaf if next(position) in which else Opaque(leaf)
    )

    def open_leaf(_: str, leaf: Any) -> Any:
        return leaf.value if type(leaf) is Opaque else leaf

    @functools.wraps(f)
    def opened(*given: Any) -> Any:
        return f(*pytree.rebuild(list(given), open_leaf))

    return record(opened, shut, {}, Graph)


def keeping_traces(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose own calls of float() leave a traced number as it is.

    Many a loss ends in ``return float(...)``, which as such would be the end of its trace.

    >>> def loss(x):
    ...     return float(x * x)
    >>> traced(keeping_traces(loss), [3.0], {0}).backward().gradients
    (np.float64(6.0),)
    """
    if not isinstance(f, FunctionType) or "float" in f.__globals__ or not _calls_float(f.__code__):
        return f
    # Its globals stay the same dict; only where it looks for what is built in is another one.
    known, usual = f.__globals__, f.__globals__.get("__builtins__", builtins)
    known["__builtins__"] = vars(builtins) | {"float": _float}
    try:
        own = FunctionType(f.__code__, known, f.__name__, f.__defaults__, f.__closure__)
    finally:
        known["__builtins__"] = usual
    own.__kwdefaults__ = f.__kwdefaults__
    return functools.update_wrapper(own, f)


def _calls_float(code: CodeType) -> bool:
    """Whether the name float is there to be called, and for nothing else."""
    uses = [each for each in dis.get_instructions(code) if each.argval == "float"]
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    # The lowest bit of the argument tells that a call follows.
    called = all(each.opname == "LOAD_GLOBAL" and (each.arg or 0) & 1 for each in uses)
    return bool(uses) and called and not any("float" in each.co_names for each in inner)


def _float(x: Any = 0.0) -> Any:
    return np.reshape(x, ()) if is_live(x) else float(x)


def traceable_leaves(leaves: Sequence[Any], wrt: Collection[int]) -> set[int]:
    """Return the positions of the leaves of some arguments that are traced: floats alone."""
    return {k for k, leaf in enumerate(leaves) if k in wrt or is_float(leaf)}


def is_float(leaf: Any) -> bool:
    """Whether a leaf holds floats; integers are counts, sizes or labels."""
    return isinstance(leaf, float) or getattr(getattr(leaf, "dtype", None), "kind", "") == "f"


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

"""Whether a function computes the same again.

One that draws random numbers does not, and one that counts its calls, or reads a clock.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import random
import sys
from collections import deque
from types import CodeType, FunctionType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT, Record, Scope

_DRAWING = frozenset(
    {
        *("random", "rand", "randn", "randint", "random_sample", "ranf", "sample", "choice"),
        *("bytes", "shuffle", "permutation", "permuted", "integers", "uniform", "normal"),
        *("standard_normal", "binomial", "bernoulli", "multinomial", "poisson", "exponential"),
        *("beta", "gamma", "laplace", "logistic", "lognormal", "multivariate_normal", "gauss"),
        *("dirichlet", "rvs", "default_rng", "RandomState", "geometric", "triangular"),
    }
)
"""What the functions that draw random numbers are called, in NumPy and elsewhere."""


_MOVING = frozenset(
    {
        *("time", "time_ns", "perf_counter", "perf_counter_ns", "monotonic", "process_time"),
        *("now", "today", "next", "__next__", "send", "read", "readline"),
    }
)
"""What the functions are called that return something else every time."""

_MUTATING = frozenset(
    {
        *("append", "extend", "insert", "pop", "popleft", "popitem", "appendleft", "rotate"),
        *("update", "setdefault", "add", "remove", "discard", "clear", "fill"),
    }
)
"""What the methods are called that change a list, a dict, a set or an array."""

_CONTAINERS = (list, dict, set, deque, np.ndarray)


_KNOWN: WeakKeyDictionary[Trace, bool] = WeakKeyDictionary()


def is_impure(trace: Trace) -> bool:
    """Whether the trace holds values that another run of the function would not have.

    Those that :func:`backprop_nb.stop_gradient` took out are such values; and if the
    code names a function that draws random numbers, or writes to what outlives the call,
    it is run once more to see, or twice.
    """
    if trace.again is None:
        return False
    if trace not in _KNOWN:
        _KNOWN[trace] = trace.is_stopped or (_differs(trace, _runs(trace)))
    return _KNOWN[trace]


def _runs(trace: Trace) -> int:
    """Return how many further runs it takes to see: what is drawn may be the same by chance."""
    known = _known_to(trace.again.f)
    codes = _codes(trace, known)
    values = [
        known[name]
        for code in codes
        for name in (*code.co_names, *code.co_freevars)
        if name in known
    ]
    is_drawn = any(_DRAWING & {*code.co_names} for code in codes)
    if is_drawn or any(_generator_of(value) is not None for value in values):
        return 2
    is_held = any(isinstance(value, _CONTAINERS) for value in values)
    return int(any(_MOVING & {*code.co_names} or _keeps(code, is_held) for code in codes))


def _codes(trace: Trace, known: dict[str, Any]) -> set[CodeType]:
    """Return the code that recorded something, and that of the functions which it names."""
    codes: set[CodeType] = set()
    scopes: set[Scope] = set()
    for record in trace.records:
        scope = record.scope
        while scope is not None and scope not in scopes:
            scopes.add(scope)
            codes.add(scope.code)
            scope = scope.parent
    pending = [*codes]
    while pending:
        code = pending.pop()
        for name in {*code.co_names, *code.co_freevars} & known.keys():
            function = known[name]
            if not isinstance(function, FunctionType) or function.__code__ in codes:
                continue
            if function.__code__.co_filename == code.co_filename:
                codes.add(function.__code__)
                pending.append(function.__code__)
    return codes


@functools.lru_cache(maxsize=4096)
def _keeps(code: CodeType, is_held: bool) -> bool:
    """Whether code writes to what outlives its call, as far as that can be seen.

    ``is_held`` says whether it knows a list, or the like, from outside.
    """
    is_held = is_held or code.co_varnames[:1] == ("self",)
    if is_held and _MUTATING & {*code.co_names}:
        return True
    for each in dis.get_instructions(code):
        if each.opname in ("STORE_GLOBAL", "STORE_ATTR"):
            return True
        if each.opname == "STORE_DEREF" and each.argval in code.co_freevars:
            return True
        if each.opname == "STORE_SUBSCR" and is_held:
            return True
    return False


def _known_to(f: Any) -> dict[str, Any]:
    """Return what a function finds by name: globals, what is around it, its object's state."""
    f = getattr(f, "__func__", f)
    names = getattr(getattr(f, "__code__", None), "co_freevars", ())
    around = {}
    for name, cell in zip(names, getattr(f, "__closure__", None) or (), strict=False):
        with contextlib.suppress(ValueError):  # an empty cell
            around[name] = cell.cell_contents
    return {**getattr(f, "__globals__", {}), **around}


def _generator_of(value: Any) -> Any:
    """Return the generator that a value is, or draws from."""
    owner = getattr(value, "__self__", value)
    kinds = (np.random.Generator, np.random.RandomState, random.Random)
    return owner if isinstance(owner, kinds) else None


def _differs(trace: Trace, runs: int) -> bool:
    """Whether one of some further runs on the same arguments draws, or captures other values."""
    if not runs:
        return False
    legacy, python = np.random.get_state(), random.getstate()
    inputs = trace.restore([node.value for node in trace.inputs])
    try:
        for _ in range(runs):
            other = trace.again(inputs)
            if not _is_same_trace(trace, other):
                return True
        return repr(np.random.get_state()) != repr(legacy) or random.getstate() != python
    finally:
        np.random.set_state(legacy)
        random.setstate(python)


def _is_same_trace(first: Trace, other: Trace) -> bool:
    """Whether two traces are the same calls, of the same numbers."""
    if len(first.records) != len(other.records):
        return False
    with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
        return all(map(_is_same, first.records, other.records))


def _is_same(one: Record, two: Record) -> bool:
    is_same = one.row is two.row and repr(one.keywords) == repr(two.keywords)
    same_constant = one.row is not CONSTANT or _same(one.value, two.value)
    return is_same and same_constant and _same_literals(one, two)


def _same_literals(one: Record, two: Record) -> bool:
    return one.parents == two.parents and all(
        parent is not None or _same(x, y)
        for parent, x, y in zip(one.parents, one.args, two.args, strict=True)
    )


def _same(first: object, other: object) -> bool:
    return bool(np.array_equal(np.asarray(first), np.asarray(other), equal_nan=True))

"""Whether a function computes the same again.

One that draws random numbers does not, and one that counts its calls, or reads a clock.
"""

from __future__ import annotations

import random
import sys
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from backprop_nb.tracing import pytree
from backprop_nb.tracing.graph import TRACED, Trace
from backprop_nb.tracing.record import CONSTANT, Record

RUNS = 2
"""So many further runs: what is drawn may be the same once by chance."""

_KNOWN: WeakKeyDictionary[Trace, bool] = WeakKeyDictionary()


def is_impure(trace: Trace) -> bool:
    """Whether the trace holds values that another run of the function would not have.

    Those that :func:`backprop_nb.stop_gradient` took out are such values.  Whether others
    are cannot be seen from the code, which may call anything; so it runs again.
    """
    if trace.again is None:
        return False
    if trace not in _KNOWN:
        _KNOWN[trace] = trace.is_stopped or _differs(trace)
    return _KNOWN[trace]


def _differs(trace: Trace) -> bool:
    """Whether a further run on the same arguments draws, or captures other values."""
    legacy, python = np.random.get_state(), random.getstate()
    values = iter([node.value for node in trace.inputs])
    inputs = pytree.rebuild(trace.given, lambda _, leaf: next(values) if leaf is TRACED else leaf)
    try:
        for _ in range(RUNS):
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
    is_same = one.row is two.row and (
        one.keywords is two.keywords or repr(one.keywords) == repr(two.keywords)
    )
    same_constant = one.row is not CONSTANT or _same(one.value, two.value)
    return is_same and same_constant and _same_literals(one, two)


def _same_literals(one: Record, two: Record) -> bool:
    return one.parents == two.parents and all(
        parent is not None or _same(x, y)
        for parent, x, y in zip(one.parents, one.args, two.args, strict=True)
    )


def _same(first: Any, other: Any) -> bool:
    if isinstance(first, float) and isinstance(other, float):  # the most frequent, in no time
        return first == other or (first != first and other != other)
    return bool(np.array_equal(np.asarray(first), np.asarray(other), equal_nan=True))

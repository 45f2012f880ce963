"""Whether a function computes the same again.

One that draws random numbers does not, and one that counts its calls, or reads a clock.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pickle import dumps
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from backprop_nb.errors import UnsupportedError
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
    """Whether further runs on the same arguments draw, or have other values each time.

    Those that agree with each other, but not with the trace, have found that something
    captured has changed since: the trace stays what it was.
    """
    with global_draws() as has_drawn:
        first = _run_again(trace)
        runs = RUNS if _is_same_trace(trace, first) else 5 * RUNS
        if not all(_is_same_trace(first, _run_again(trace)) for _ in range(runs - 1)):
            return True
        return has_drawn()


@contextmanager
def silence() -> Iterator[None]:
    """Run a function again without a word: what it says, it has said."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        yield


@contextmanager
def global_draws() -> Iterator[Callable[[], bool]]:
    """Put the global generators back afterwards; the function that is given says if one drew."""
    import random  # loaded here, as few programs are asked whether they draw

    legacy, python = np.random.get_state(), random.getstate()

    def has_drawn() -> bool:
        # The state of NumPy is an array in a tuple, or in a dict, which takes long to print.
        return dumps(np.random.get_state()) != dumps(legacy) or random.getstate() != python

    try:
        yield has_drawn
    finally:
        np.random.set_state(legacy)
        random.setstate(python)


def _run_again(trace: Trace) -> Trace:
    found = [node.value for node in trace.inputs]
    for position, kind in trace.again.given.items():
        if isinstance(found[position], np.generic):  # and not of a trace around this one
            found[position] = kind(found[position])
    values = iter(found)
    inputs = pytree.rebuild(trace.given, lambda _, leaf: next(values) if leaf is TRACED else leaf)
    with silence():
        again: Trace = trace.again(inputs)
    return again


def traced_again(trace: Trace, args: Sequence[Any]) -> Trace:
    """Trace the function on arguments for which it decides otherwise.

    Raises
    ------
    UnsupportedError
        If what it captures has changed since: the new path would be of another function.
    """
    new: Trace = trace.again(args)
    if not is_impure(trace) and not _is_same_trace(trace, _run_again(trace)):
        raise UnsupportedError(
            f"{trace.function_name} decides otherwise for these arguments, and what it captures "
            "has changed since it was traced.",
            instead=f"bp.trace({trace.function_name}, …) again, or an argument for what changes",
        )
    return new


def _is_same_trace(first: Trace, other: Trace) -> bool:
    """Whether two traces are the same calls, of the same numbers."""
    if len(first.records) != len(other.records):
        return False
    with np.printoptions(threshold=sys.maxsize, floatmode="unique"):
        return all(map(_is_same, first.records, other.records))


def _is_same(one: Record, two: Record) -> bool:
    if one.row is not two.row or one.parents != two.parents:
        return False
    if one.row is CONSTANT and not _same(one.value, two.value):
        return False
    literals = (k for k, parent in enumerate(one.parents) if parent is None)
    return all(_same(one.args[k], two.args[k]) for k in literals) and (
        one.keywords is two.keywords or repr(one.keywords) == repr(two.keywords)
    )


def _same(first: Any, other: Any) -> bool:
    if isinstance(first, float) and isinstance(other, float):  # the most frequent, in no time
        return first == other or (first != first and other != other)
    return bool(np.array_equal(np.asarray(first), np.asarray(other), equal_nan=True))

"""Whether a function computes the same again: one that draws random numbers does not."""

from __future__ import annotations

import contextlib
import random
import sys
from types import CodeType
from typing import Any

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


def is_impure(trace: Trace) -> bool:
    """Whether the trace holds values that another run of the function would not have.

    Those that :func:`backprop_nb.stop_gradient` took out are such values; and if the
    code names a function that draws random numbers, it is run once more to see.
    """
    if trace.again is None:
        return False
    return trace.is_stopped or (_may_draw(trace) and _differs(trace))


def _may_draw(trace: Trace) -> bool:
    """Whether something that draws random numbers is named where values were recorded."""
    codes: set[CodeType] = set()
    scopes: set[Scope] = set()
    for record in trace.records:
        scope = record.scope
        while scope is not None and scope not in scopes:
            scopes.add(scope)
            codes.add(scope.code)
            scope = scope.parent
    if any(_DRAWING & {*code.co_names} for code in codes):
        return True
    names = {name for code in codes for name in (*code.co_names, *code.co_freevars)}
    known = _known_to(trace.again.f)
    return any(_generator_of(known[name]) is not None for name in names & known.keys())


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


def _differs(trace: Trace) -> bool:
    """Whether a further run on the same arguments draws, or captures other values."""
    legacy, python = np.random.get_state(), random.getstate()
    inputs = trace.restore([node.value for node in trace.inputs])
    try:
        for _ in range(2):  # what is drawn may be the same by chance
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

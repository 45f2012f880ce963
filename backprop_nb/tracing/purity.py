"""Whether a function computes the same again: one that draws random numbers does not."""

from __future__ import annotations

from types import CodeType

import numpy as np

from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT, Scope

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
    return any(_DRAWING & {*code.co_names} for code in codes)


def _differs(trace: Trace) -> bool:
    """Whether a second run on the same arguments captures other arrays."""
    state = np.random.get_state()
    try:
        second = trace.again(trace.restore([node.value for node in trace.inputs]))
    finally:
        np.random.set_state(state)
    return not all(
        first.row is other.row and (first.row is not CONSTANT or _same(first.value, other.value))
        for first, other in zip(trace.records, second.records, strict=False)
    )


def _same(first: object, other: object) -> bool:
    return bool(np.array_equal(np.asarray(first), np.asarray(other), equal_nan=True))

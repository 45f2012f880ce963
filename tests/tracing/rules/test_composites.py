"""Functions that are others under another name, or a line of others."""

import numpy as np
import pytest
from nonempty import nonempty
from rule_checks import MadeTests, RefusedTests

from backprop_nb.tracing import trace
from backprop_nb.tracing.rules import COMPOSITES, OTHER_FORMS
from backprop_nb.tracing.rules.row import full_name, parameters_of, signature_of

V = np.array([0.3, -1.2, 0.8, 2.1])
M = np.array([[1.5, -0.5, 2.0, 0.25], [0.75, -2.0, 1.0, -1.25], [-0.1, 0.9, -1.5, 2.5]])
W = np.array([0.7, -0.4])
POSITIVE = np.array([0.2, 0.9, 0.5])

ONE = np.array(0.6)

MADE = {
    "atleast_1d": (lambda x, y: np.multiply(*np.atleast_1d(x, y)), V, ONE),
    "atleast_2d": (lambda x, y: np.matmul(*np.atleast_2d(y, x)), V, ONE),
    "atleast_3d": (lambda x, y: np.multiply(*np.atleast_3d(x, y)), V, M[:1]),
    "cov": (np.cov, M),
    "cov of two": (np.cov, V, M[0]),
    "cov of columns": (lambda x: np.cov(x, rowvar=False, bias=True), M),
    "cov less none": (lambda x, y: np.cov(x, y, ddof=0), M, V),
    "corrcoef": (np.corrcoef, M),
    "corrcoef of columns": (lambda x, y: np.corrcoef(x, y, rowvar=False), M, POSITIVE),
    "diff from a number": (lambda x, y: np.diff(x, prepend=y), V, ONE),
    "diff to a vector": (lambda x, y: np.diff(x, append=y), V, M[0]),
    "diff with both ends": (lambda x, y: np.diff(x, 2, 0, 0.0, y), M, M[:1]),
    "reshape and copy": (lambda x: np.reshape(x, (2, 2), copy=True), V),
    "copysign": (lambda x: np.copysign(x, M[0]), V),
    "ldexp": (lambda x: np.ldexp(x, [1, 2, 0, -1]), V),
    "modf": (lambda x: np.modf(x)[0], V),
    "real": (np.real, V),
    "conjugate": (np.conj, V),
    "real_if_close": (np.real_if_close, V),
    "angle": (lambda x: x * np.angle(x), V),
    "angle in degrees": (lambda x: x * np.angle(x, deg=True), V),
    "imag": (lambda x: x + np.imag(x), V),
    "emath.sqrt": (np.emath.sqrt, POSITIVE),
    "emath.log": (np.emath.log, POSITIVE),
    "emath.log2": (np.emath.log2, POSITIVE),
    "emath.log10": (np.emath.log10, POSITIVE),
    "emath.logn": (lambda x: np.emath.logn(2.0, x), POSITIVE),
    "emath.logn, the base by name": (lambda n, x: np.emath.logn(x=x, n=n), 1 + POSITIVE, POSITIVE),
    "emath.power": (lambda x: np.emath.power(x, 2.5), POSITIVE),
    "emath.power, the power by name": (lambda x, p: np.emath.power(x, p=p), POSITIVE, POSITIVE),
    "emath.arcsin": (np.emath.arcsin, POSITIVE),
    "emath.arccos": (np.emath.arccos, POSITIVE),
    "emath.arctanh": (np.emath.arctanh, POSITIVE),
    "row_stack": (lambda x: np.vstack([x, x], dtype=None, casting="same_kind"), V),
    "meshgrid": (lambda x, y: np.meshgrid(x, y)[0] * np.meshgrid(x, y, indexing="ij")[1].T, V, W),
    "meshgrid, sparse": (lambda x, y: np.add(*np.meshgrid(x, y, sparse=True)), V, W),
    "broadcast_arrays": (lambda x, y: np.multiply(*np.broadcast_arrays(x, y[:, None])), V, W),
    "full_like": (lambda x, y: np.full_like(x, y[1]) * np.full_like(x, 2.0) * x, V, W),
    "copy": (lambda x, y: np.copy(x) * y[1], V, W),
    "unstack": (lambda x, y: np.multiply(*np.unstack(np.outer(x, y), axis=1)), V, W),
}
if hasattr(np, "matvec"):  # not before NumPy 2.2
    MADE |= {
        "matvec": (lambda A, x: np.matvec(np.stack([A, 2 * A]), np.stack([x, -x])[:, None]), M, V),
        "matvec of one vector": (lambda A, x: np.matvec(A, x), M, V),
        "vecmat": (lambda x, A: np.vecmat(np.outer(W, x), A), POSITIVE, M),
    }
REFUSED = {
    "sqrt": (lambda x: np.emath.sqrt(x), V, "np.emath.sqrt cannot be traced with these"),
    "by name": (lambda x: np.emath.sqrt(x=x), V, "np.emath.sqrt cannot be traced with these"),
    "log": (lambda x: np.emath.log(x), V, "np.emath.log cannot be traced with these"),
    "power": (lambda x: np.emath.power(x, 0.5), V, "np.emath.power cannot be traced with these"),
    "in another order": (lambda x: np.emath.power(p=0.5, x=x), V, "arguments with a real result"),
    "arcsin": (lambda x: np.emath.arcsin(x), V, "np.emath.arcsin cannot be traced with these"),
    "weights": (lambda x: np.cov(x, fweights=[1, 2, 1, 1]), V, "no weights and no dtype"),
    "dtype": (lambda x: np.cov(x, dtype=np.float32), V, "no weights and no dtype"),
}


class TestMade(MadeTests):
    """The tests that calls made of others share."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


@pytest.mark.parametrize("function", {**COMPOSITES, **OTHER_FORMS}, ids=full_name)
def test_what_a_function_needs_may_be_given_by_name(function):
    needed = [each for each in parameters_of(function).values() if each.default is each.empty]
    by_place = [each.name for each in needed if each.kind is each.POSITIONAL_ONLY]
    by_name = [each.name for each in needed if each.kind is each.POSITIONAL_OR_KEYWORD]
    for made in nonempty([t[function] for t in (COMPOSITES, OTHER_FORMS) if function in t]):
        assert signature_of(made).bind(*by_place, **dict.fromkeys(by_name))


def test_where_with_a_condition_alone_gives_positions():
    def f(x):
        return sum(i * x[i] ** 2 for i in np.where(x > 0)[0])

    x = np.array([1.0, -2.0, 3.0])
    graph = trace(f, x)
    call = graph.compile()
    for other in (x, -x, np.abs(x)):
        assert graph.evaluate(other) == call(other)[0] == f(other)

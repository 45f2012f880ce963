"""Functions that are others under another name, or a line of others."""

import numpy as np
import pytest
from nonempty import nonempty
from rule_checks import assert_differentiable

from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing import trace
from backprop_nb.tracing.rules import COMPOSITES, OTHER_FORMS
from backprop_nb.tracing.rules.row import full_name, parameters_of, signature_of

V = np.array([0.3, -1.2, 0.8, 2.1])
M = np.array([[1.5, -0.5, 2.0, 0.25], [0.75, -2.0, 1.0, -1.25], [-0.1, 0.9, -1.5, 2.5]])
POSITIVE = np.array([0.2, 0.9, 0.5])
ONE = np.array(0.6)

DIFFERENTIABLE = {
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
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_a_function_is_differentiated_as_the_line_that_it_stands_for(name):
    assert_differentiable(*DIFFERENTIABLE[name])


@pytest.mark.parametrize("function", {**COMPOSITES, **OTHER_FORMS}, ids=full_name)
def test_what_a_function_needs_may_be_given_by_name(function):
    needed = [each for each in parameters_of(function).values() if each.default is each.empty]
    by_place = [each.name for each in needed if each.kind is each.POSITIONAL_ONLY]
    by_name = [each.name for each in needed if each.kind is each.POSITIONAL_OR_KEYWORD]
    for made in nonempty([t[function] for t in (COMPOSITES, OTHER_FORMS) if function in t]):
        assert signature_of(made).bind(*by_place, **dict.fromkeys(by_name))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.emath.sqrt(x),
        lambda x: np.emath.sqrt(x=x),
        lambda x: np.emath.log(x),
        lambda x: np.emath.power(x, 0.5),
        lambda x: np.emath.power(p=0.5, x=x),
        lambda x: np.emath.arcsin(x),
        lambda x: np.cov(x, fweights=[1, 2, 1, 1]),
        lambda x: np.cov(x, dtype=np.float32),
    ],
    ids=["sqrt", "by name", "log", "power", "in another order", "arcsin", "weights", "dtype"],
)
def test_what_is_complex_and_what_nobody_writes_is_refused(f):
    match = r"np\.(emath\.\w+|cov) cannot be traced with these"
    with pytest.raises(UnsupportedError, match=match) as caught:
        trace(f, V)
    assert "test_composites.py" in str(caught.value)


def test_where_with_a_condition_alone_gives_positions():
    def f(x):
        return sum(i * x[i] ** 2 for i in np.where(x > 0)[0])

    x = np.array([1.0, -2.0, 3.0])
    graph = trace(f, x)
    call = graph.compile()
    for other in (x, -x, np.abs(x)):
        assert graph.evaluate(other) == call(other)[0] == f(other)

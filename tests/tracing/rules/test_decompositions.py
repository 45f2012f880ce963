"""Factors of matrices, and the norms, systems and powers that are made of others."""

import warnings

import numpy as np
import pytest
from nonempty import nonempty
from rule_checks import (
    MadeTests,
    RefusedTests,
    RowTests,
    assert_differentiable,
    case,
    gradient,
    ways,
)

from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing import trace

SQUARES = [case((2, 2)), case((3, 3)), case((4, 2, 2))]
SHAPES = [case((3, 3)), case((4, 3)), case((3, 4)), case((2, 4, 3))]


def each_output(cases, count):
    return [case(*each.arguments, output=k, **each.options) for each in cases for k in range(count)]


CASES = {
    "cholesky": [*SQUARES, case((3, 3), upper=True)],
    "eigh": each_output([*SQUARES, case((3, 3), UPLO="U")], 2),
    "eigvalsh": [*SQUARES, case((3, 3), UPLO="U")],
    "svd": [
        *each_output([case(*each.arguments, full_matrices=False) for each in SHAPES], 3),
        *each_output([case((3, 3))], 3),
    ],
    "svdvals": SHAPES,
    "qr": each_output([case((3, 3)), case((4, 3)), case((2, 4, 3))], 2),
    "pinv": [*SHAPES, case((4, 3), rcond=1e-10)],
}

# Ways to write one and the same call.
FORMS = {
    "cholesky": ways(np.linalg.cholesky, on=lambda x: (x @ x.T,)),
    "eigh": [
        lambda x: np.linalg.eigh(x @ x.T)[0],
        lambda x: np.linalg.eigh(a=x @ x.T, UPLO="L").eigenvalues,
    ],
    "eigvalsh": ways(np.linalg.eigvalsh, on=lambda x: (x @ x.T,)),
    "svd": [
        lambda x: np.linalg.svd(x, False)[1],
        lambda x: np.linalg.svd(a=x, full_matrices=False).S,
    ],
    "svdvals": [lambda x: np.linalg.svdvals(x), lambda x: np.linalg.svd(x, compute_uv=False)],
    "qr": [lambda x: np.linalg.qr(x.T).R, lambda x: np.linalg.qr(a=x.T, mode="reduced")[1]],
    "pinv": ways(np.linalg.pinv, rcond=1e-9),
}

# Functions that are not called with one array after the other.
CALLED = {
    "eigh": lambda x, output, **options: np.linalg.eigh(x, **options)[output],
    "svd": lambda x, output, **options: np.linalg.svd(x, **options)[output],
    "qr": lambda x, output: np.linalg.qr(x)[output],
}

RNG = np.random.default_rng(4)
X, S, C = (RNG.normal(size=shape) for shape in [(3, 4), (3, 3), (2, 3, 3)])
V, W = RNG.normal(size=4), RNG.normal(size=3)


class TestRows(RowTests):
    """The tests that every row shares."""


# --- the stated conventions ---------------------------------------------------------


def test_the_slope_of_an_eigenvalue_is_the_outer_product_of_its_vector():
    A = S + S.T
    vector = np.linalg.eigh(A)[1][:, -1]
    found = gradient(lambda A: np.linalg.eigvalsh(A)[-1], A)
    np.testing.assert_allclose(found, np.outer(vector, vector))


@pytest.mark.parametrize(
    "f",
    [
        lambda A: np.sum(np.linalg.cholesky(A)),
        lambda A: np.linalg.eigvalsh(A)[0],
        lambda A: np.linalg.eigh(A)[1][0, 1],
    ],
    ids=["cholesky", "eigenvalue", "eigenvector"],
)
def test_the_slope_by_a_symmetric_matrix_is_symmetric(f):
    found = gradient(f, S @ S.T + np.eye(3))
    np.testing.assert_allclose(found, found.T)


# --- norms ---------------------------------------------------------------------------

ORDERS = [None, 1, -1, 2, -2, np.inf, -np.inf, "fro", "f", "nuc"]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_every_norm_of_a_matrix(order):
    assert_differentiable(lambda a: np.linalg.norm(a, order), X)
    assert_differentiable(lambda a: np.linalg.norm(a, order, axis=(-1, 0), keepdims=True), C)
    if order != "f":  # NumPy's own spelling is not one of the array API
        assert_differentiable(lambda a: np.linalg.matrix_norm(a, ord=order), C)


@pytest.mark.parametrize("order", [None, 1, 2, 3, 1.5, 0.5, -1, -2.5, np.inf, -np.inf])
def test_every_norm_of_a_vector(order):
    second = 2 if order is None else order
    v, x, c = (each + 0.5 * np.sign(each) for each in (V, X, C))  # well away from 0
    assert_differentiable(lambda x: np.linalg.norm(x, order), v)
    assert_differentiable(lambda x: np.linalg.norm(x, order, axis=0, keepdims=True), x)
    assert_differentiable(lambda x: np.linalg.vector_norm(x, keepdims=True, ord=second), x)
    assert_differentiable(
        lambda x: np.linalg.vector_norm(x, axis=(0, 2), keepdims=True, ord=second), c
    )


def test_the_number_of_entries_that_are_not_0_has_the_slope_0():
    graph = trace(lambda x: np.linalg.norm(x, 0), V)
    assert graph.value == 4.0
    assert graph.backward().gradients[0].tolist() == [0.0] * 4


def test_a_norm_has_the_gradient_0_at_0_whatever_its_order():
    for order in nonempty([None, 2, 3, 1.5, np.inf, -np.inf]):
        found = gradient(lambda x, order=order: np.linalg.norm(x, order), np.zeros(3))
        assert found.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("p", [None, 1, -1, 2, -2, np.inf, "fro", "nuc"], ids=str)
def test_every_condition_number(p):
    assert_differentiable(lambda a: np.linalg.cond(a, p), S)
    assert_differentiable(lambda a: np.linalg.cond(a, p), C)


# --- systems, powers and products ------------------------------------------------------

BOX = RNG.normal(size=(2, 3, 6))
MADE = {
    "lstsq": (lambda a, b: np.linalg.lstsq(a, b)[0], X.T, V),
    "lstsq of whole numbers": (lambda b: np.linalg.lstsq([[1, 0], [1, 1], [1, 3]], b)[0], W[:3]),
    "lstsq of rows": (lambda a, b: np.linalg.lstsq(a, b)[0], X, W),
    "lstsq of several": (lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0], X.T, X.T[:, :2]),
    "lstsq's residuals": (lambda a, b: np.linalg.lstsq(a, b)[1], X.T, V),
    "lstsq's values": (lambda a: np.linalg.lstsq(a, V, rcond=1e-9)[3], X.T),
    **{
        f"matrix_power {n}": (lambda a, n=n: np.linalg.matrix_power(a, n), C)
        for n in (1, 2, 3, 4, 5, 7, -1, -3)
    },
    "multi_dot": (lambda a, b: np.linalg.multi_dot([a, b]), X, X.T),
    "multi_dot of five": (
        lambda a, b, c, d, w: np.linalg.multi_dot([a, b, c, d, w]),
        *(X, X.T, S, X, V),
    ),
    "multi_dot of ends": (lambda v, a, w: np.linalg.multi_dot([v, a, w]), W, X, V),
    "multi_dot from a row": (lambda v, a, b: np.linalg.multi_dot([v, a, b]), W, S, X),
    "tensorinv": (np.linalg.tensorinv, BOX),
    "tensorsolve": (np.linalg.tensorsolve, BOX, BOX[:, :, 0]),
    "qr's R": (lambda a: np.linalg.qr(a, mode="r"), X.T),
    # of a symmetric matrix that is computed
    "cholesky": (lambda x: np.linalg.cholesky(x @ x.T + np.eye(3)), X),
    "eigenvectors": (lambda x: np.linalg.eigh(x @ x.T)[1], X),
    "eigenvalues": (lambda x: np.linalg.eigh(x @ x.T, "U")[0], X),
}
REFUSED = {
    "full": (lambda a: np.linalg.svd(a)[0], X, "full_matrices=False"),
    "svd": (lambda a: np.linalg.svd(a @ a.T, hermitian=True)[0], X, "hermitian=False"),
    "pinv": (lambda a: np.linalg.pinv(a @ a.T, hermitian=True), X, "hermitian=False"),
    "cut": (lambda a: np.linalg.pinv(a, rcond=0.5), X, "up to a share of 1e-06"),
    "by rtol": (lambda a: np.linalg.pinv(a, rtol=np.array(0.5)), X, "up to a share of 1e-06"),
    "wide": (lambda a: np.linalg.qr(a), X, "no fewer rows than columns"),
    "complete": (lambda a: np.linalg.qr(a.T, mode="complete"), X, "mode='reduced'"),
    "order": (lambda a: np.linalg.norm(a, 3), X, "ord=1, -1, 2"),
    "one": (lambda a: np.linalg.multi_dot([a]), X, "two arrays or more"),
    "axes": (lambda a: np.linalg.tensorsolve(a @ a.T, a[:, 0], axes=(1,)), X, "axes=None"),
}


class TestMade(MadeTests):
    """The tests that calls made of others share."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


def test_the_zeroth_power_is_the_identity():
    graph = trace(lambda a: np.linalg.matrix_power(a, 0) @ a, C)
    np.testing.assert_array_equal(graph.value, C)


def test_multi_dot_takes_the_order_that_numpy_takes():
    a, b, c = np.ones((10, 2)), np.ones((2, 10)), np.ones((10, 1))
    graph = trace(lambda a, b, c: np.linalg.multi_dot([a, b, c]), a, b, c)
    assert [node.shape for node in graph.nodes[3:]] == [(2, 1), (10, 1)]


def test_a_cross_product_in_the_plane_is_as_numpy_has_it():
    calls = [
        (np.cross, X[:, :2], X[:, 2:]),
        (np.cross, X[:, :2], X[:, :3]),
        (lambda a, b: np.cross(a, b, axis=0), X[:2], X),
    ]
    for f, *inputs in nonempty(calls):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                f(*inputs)
        except ValueError:  # newer versions of NumPy have none any more
            with pytest.raises(UnsupportedError, match="vectors of 3 entries"):
                trace(f, *inputs)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                assert_differentiable(f, *inputs)

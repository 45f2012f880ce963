"""Determinants, of singular matrices too, and their logarithms."""

import itertools

import numpy as np
import pytest
from rule_checks import RowTests, case, ways

import backprop_nb as bp
from backprop_nb.tracing import trace
from backprop_nb.tracing.rules.determinants import cofactors, cofactors_along

CASES = {
    "det": [case((2, 2)), case((3, 3)), case((4, 2, 2)), case((1, 1))],
    "slogdet": [case((2, 2), output=1), case((3, 3), output=1), case((4, 2, 2), output=1)],
    "cofactors": [case((2, 2)), case((3, 3)), case((4, 2, 2)), case((1, 1))],
    "cofactors_along": [
        case((2, 2), (2, 2)),
        case((3, 3), (3, 3)),
        case((4, 2, 2), (4, 2, 2)),
        case((4, 4), (4, 4)),
    ],
}

# Ways to write one and the same call.
FORMS = {
    "det": ways(np.linalg.det, on=lambda x: (x[:, :2],)),
    "slogdet": [
        lambda x: np.linalg.slogdet(x[:, :2])[1],
        lambda x: np.linalg.slogdet(a=x[:, :2]).logabsdet,
    ],
    "cofactors": ways(cofactors, on=lambda x: (x[:, :2],)),
    "cofactors_along": ways(cofactors_along, of=2, on=lambda x, d: (x[:, :2], d[:, :2])),
}

# Functions that are not called with one array after the other.
CALLED = {
    "slogdet": lambda x, output: np.linalg.slogdet(x)[output],
}


class TestRows(RowTests):
    """The tests that every row shares."""


def test_a_matrix_without_entries_has_a_gradient_without_entries():
    graph = trace(np.linalg.det, np.zeros((0, 0)))
    assert graph.value == 1.0
    assert graph.backward().gradients[0].shape == (0, 0)


def minors(x):
    """Return the cofactors one by one, from the determinants of what is left."""
    n = len(x)
    found = np.empty((n, n))
    for i, j in itertools.product(range(n), repeat=2):
        left = np.delete(np.delete(x, i, axis=0), j, axis=1)
        found[i, j] = (-1) ** (i + j) * np.linalg.det(left)
    return found


def of_rank(n, rank, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n))


SINGULAR = [
    np.array([[1.0, 2.0], [2.0, 4.0]]),
    np.zeros((2, 2)),
    np.ones((3, 3)),
    of_rank(3, 2),
    of_rank(4, 3),
    of_rank(4, 2),
    np.diag([0.0, 1.0, -1e-9]),
]


@pytest.mark.parametrize("x", SINGULAR, ids=range(len(SINGULAR)))
def test_a_singular_matrix_has_its_cofactors_for_a_slope(x):
    graph = trace(np.linalg.det, x)
    [found] = graph.backward().gradients
    np.testing.assert_allclose(found, minors(x), atol=1e-13)
    tangent = np.random.default_rng(1).normal(size=x.shape)
    np.testing.assert_allclose(
        bp.jvp(np.linalg.det, (x,), (tangent,))[1], np.sum(found * tangent), atol=1e-13
    )
    value, [compiled] = graph.compile()(x)
    np.testing.assert_allclose(value, graph.value, atol=1e-13)
    np.testing.assert_allclose(compiled, found, atol=1e-13)
    assert "d_det" in graph.describe()


def test_a_student_who_is_right_at_a_singular_matrix_is_right():
    assert bp.check_gradient(np.linalg.det, minors, SINGULAR[0]).ok


@pytest.mark.parametrize("x", SINGULAR, ids=range(len(SINGULAR)))
def test_the_hessian_at_a_singular_matrix_is_right(x):
    hessian = bp.jacobian(bp.grad(np.linalg.det))(x)
    measured = np.empty(hessian.shape)
    step = 1e-3
    for i, j in itertools.product(range(len(x)), repeat=2):
        unit = np.zeros(x.shape)
        unit[i, j] = step
        # The cofactors are polynomials of a low degree, so that the step may be large.
        measured[..., i, j] = (minors(x + unit) - minors(x - unit)) / (2 * step)
    np.testing.assert_allclose(hessian, measured, atol=1e-9)


def test_the_third_derivative_is_right():
    x = np.random.default_rng(2).normal(size=(3, 3))
    third = bp.jacobian(bp.jacobian(bp.grad(np.linalg.det)))(x)
    # The determinant of 3 by 3 is a sum over permutations of products of three entries.
    assert third[0, 0, 1, 1, 2, 2] == pytest.approx(1.0)
    assert third[0, 1, 1, 0, 2, 2] == pytest.approx(-1.0)
    assert third[0, 0, 0, 1, 2, 2] == pytest.approx(0.0, abs=1e-12)


def test_slogdet_gives_its_named_pair_and_only_the_logarithm_has_a_slope():
    A = np.array([[2.0, 1.0], [0.0, -3.0]])
    graph = trace(lambda A: np.linalg.slogdet(A).logabsdet, A)
    np.testing.assert_allclose(graph.backward().gradients[0], np.linalg.inv(A).T)
    sign = trace(lambda A: np.linalg.slogdet(A)[0], A)
    assert sign.value == -1
    np.testing.assert_array_equal(sign.backward().gradients[0], np.zeros((2, 2)))


def log_volume(A):
    return np.linalg.slogdet(A).logabsdet


@pytest.mark.filterwarnings("ignore::backprop_nb.errors.BackpropWarning")
@pytest.mark.parametrize(
    "ask",
    [
        lambda graph: graph.backward(),
        lambda graph: graph.to_numpy(),
        lambda graph: graph.describe(),
        lambda graph: bp.jvp(log_volume, (np.ones((2, 2)),), (np.ones((2, 2)),)),
        lambda graph: bp.grad(log_volume)(np.ones((2, 2))),
    ],
    ids=["backward", "to_numpy", "describe", "jvp", "grad"],
)
def test_the_logarithm_of_a_singular_matrix_has_no_gradient(ask):
    graph = trace(log_volume, np.ones((2, 2)))
    with pytest.raises(bp.BackpropError, match=r"np.linalg.slogdet.*Singular matrix") as caught:
        ask(graph)
    assert isinstance(caught.value, ValueError)
    assert "return np.linalg.slogdet(A).logabsdet" in str(caught.value)
    assert "an invertible square matrix" in str(caught.value)

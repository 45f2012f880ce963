"""Running products with zeros, and Horner's scheme behind them."""

import numpy as np
import pytest

from backprop_nb.tracing import trace
from backprop_nb.tracing.rules.running import horner


def jacobian(f, x):
    graph = trace(f, x)
    return np.array([graph.backward(row).gradients[0] for row in np.eye(graph.value.size)])


def written_out(x):
    """Return the slopes of all running products: each is the product without one entry."""
    n = len(x)
    return np.array(
        [[np.prod(np.delete(x[: k + 1], i)) if i <= k else 0.0 for i in range(n)] for k in range(n)]
    )


@pytest.mark.parametrize("zeros", [(), (0,), (2,), (1, 3), (0, 1, 2, 3)])
def test_the_slopes_of_running_products_are_exact_whatever_is_zero(zeros):
    x = np.array([2.0, -3.0, 0.5, 4.0])
    x[list(zeros)] = 0.0
    np.testing.assert_array_equal(jacobian(np.cumprod, x), written_out(x))


def test_second_derivatives_of_running_products_are_exact_at_two_zeros():
    x = np.array([0.0, 3.0, 0.0, 5.0])
    second = jacobian(lambda x: trace(lambda x: np.cumprod(x)[-1], x).backward().gradients[0], x)
    expected = [[np.prod(np.delete(x, [i, j])) * (i != j) for j in range(4)] for i in range(4)]
    np.testing.assert_array_equal(second, expected)


def test_horners_scheme_evaluates_a_polynomial():
    x, coefficients = 3.0, np.array([1.0, -2.0, 0.5, 4.0])
    found = horner(np.full(3, x), coefficients, axis=0)
    assert found[0] == np.polynomial.Polynomial(coefficients)(x)
    assert coefficients.tolist() == [1.0, -2.0, 0.5, 4.0]


def test_running_sums_and_differences_undo_each_other_on_the_way_back_too():
    x = np.array([1.0, 4.0, 9.0, 16.0])
    np.testing.assert_array_equal(jacobian(lambda x: np.diff(np.cumsum(x)), x), np.eye(4)[1:])

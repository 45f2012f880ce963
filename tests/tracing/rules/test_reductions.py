"""Sums, products with zeros, spreads, averages, and running ones."""

import itertools

import numpy as np
import pytest
from nonempty import nonempty
from rule_checks import ONE_ARGUMENT, REDUCTION, RefusedTests, RowTests, case, gradient, ways

from backprop_nb.tracing import trace
from backprop_nb.tracing.rules.reductions import horner

SPREADS = [
    case((3,)),
    case((2, 3)),
    *(case((4, 3, 5), axis=axis) for axis in (0, -1, (0, 2), (-1, 0))),
    case((2, 3), ddof=1),
    case((2, 3), axis=1, ddof=1, keepdims=True),
    case((2, 3, 4), axis=(2, 0), correction=1),
]
RUNNING = [
    *ONE_ARGUMENT,
    *(case((2, 3, 4), axis=axis) for axis in (0, 1, -1)),
    case((5,), axis=0),
    case((1,)),
]
CASES = {
    **dict.fromkeys(["sum", "mean", "nansum", "nanmean"], REDUCTION),
    **dict.fromkeys(["var", "std"], SPREADS),
    **dict.fromkeys(["cumsum", "cumprod"], RUNNING),
    "prod": [
        *REDUCTION,
        case((0, 2), axis=1),
        case((2, 0)),
        case((3,), axis=(0,)),
        case((3,), axis=()),
        case((2, 3), axis=np.int64(1)),
    ],
    "logaddexp.reduce": [
        case((3,)),
        case((2, 3)),
        case((2, 3), axis=None),
        case((2, 3), axis=1, keepdims=True),
        case((2, 3, 4), axis=(0, -1)),
    ],
    "horner": [
        case((2,), (3,), axis=0),
        case((0,), (1,), axis=0),
        case((2, 2), (3, 2), axis=0),
        case((2, 3), (2, 4), axis=1),
    ],
    "diff": [
        case((4,)),
        case((1,)),
        case((4,), n=2),
        case((4,), n=0),
        case((2,), n=3),
        case((3, 4)),
        case((3, 4), axis=0),
        case((3, 4, 2), n=3, axis=1),
    ],
    "average": [
        case((3,)),
        case((2, 3), axis=0),
        case((2, 3), (2, 3)),
        case((3,), (3,)),
        case((3,), [1.0, 2.0, 3.0]),
        case((2, 3), (2, 3), axis=1),
        case((2, 3), (3,), axis=1),
        case((2, 3), (2,), axis=0, keepdims=True),
        case((2, 3, 4), (4, 2), axis=(2, 0)),
        case((2, 3, 4), (3,), axis=-2),
    ],
}

# Ways to write one and the same call.
FORMS = {
    **{f.__name__: ways(f, axis=0) for f in (np.sum, np.mean, np.prod, np.nansum, np.nanmean)},
    **{f.__name__: ways(f, axis=0) for f in (np.cumsum, np.cumprod)},
    **{f.__name__: ways(f, axis=0, ddof=1) for f in (np.var, np.std)},
    "logaddexp.reduce": [
        lambda x: np.logaddexp.reduce(x, 1),
        lambda x: np.logaddexp.reduce(x, axis=1, dtype=None, out=None, keepdims=False),
    ],
    "horner": ways(horner, of=2, on=lambda x, y: (x[1:], y), axis=0),
    "diff": ways(np.diff, n=2, axis=0),
    "average": [
        lambda x, y: np.average(x, 0, y),
        lambda x, y: np.average(x, axis=0, weights=y),
        lambda x, y: np.average(a=x, weights=y, axis=0, returned=False, keepdims=False),
    ],
}

# Functions that are not called with one array after the other.
CALLED = {
    "average": lambda x, weights=None, **options: np.average(x, weights=weights, **options),
    "logaddexp.reduce": lambda x, **options: np.logaddexp.reduce(x, **options),
}


OUTSIDE, TWO = np.zeros(2), np.array([1.0, 2.0])
REFUSED = {
    "nansum initial": (lambda x: np.nansum(x, initial=2.0), TWO, "np.nansum"),
    "average returned": (lambda x: np.average(x, returned=True)[0], TWO, "np.average"),
    "nan_to_num copy": (lambda x: np.nan_to_num(x, copy=False)[0], TWO, "np.nan_to_num"),
    "nan_to_num second": (lambda x: np.nan_to_num(x, False)[0], TWO, "np.nan_to_num"),
    "sum out": (lambda x: np.sum(x, out=OUTSIDE[0, ...]), TWO, "np.sum"),
    "clip out": (lambda x: x.clip(0.0, 1.0, out=OUTSIDE)[0], TWO, "np.clip"),
}


class TestRows(RowTests):
    """The tests that every row shares."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


def product_of_the_others(x):
    return [np.prod(np.delete(x, i)) for i in range(len(x))]


@pytest.mark.parametrize("zeros", [(), (1,), (0, 3), (0, 1, 2, 3)])
def test_the_slope_of_a_product_is_exact_whatever_is_zero(zeros):
    x = np.array([2.0, -3.0, 0.5, 4.0])
    x[list(zeros)] = 0.0
    np.testing.assert_array_equal(gradient(np.prod, x), product_of_the_others(x))


def test_a_product_over_an_axis_does_not_mix_the_rows():
    x = np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 5.0], [1.0, 2.0, 3.0]])
    found = gradient(lambda x: np.sum(np.prod(x, axis=1)), x)
    np.testing.assert_array_equal(found, [product_of_the_others(row) for row in x])


def test_second_derivatives_of_a_product_are_exact_at_two_zeros():
    x = np.array([0.0, 3.0, 0.0, 5.0])

    def slope(x, i):
        return trace(np.prod, x).backward().gradients[0][i]

    for i, j in nonempty(itertools.permutations(range(4), 2)):
        second = trace(lambda x, i=i: slope(x, i), x).backward().gradients[0]
        others = [x[k] for k in range(4) if k not in (i, j)]
        assert second[j] == np.prod(others)
        assert second[i] == 0.0


@pytest.mark.parametrize("options", [{"ddof": 1}, {"correction": 1}])
def test_the_sample_variance_divides_by_one_less(options):
    x = np.array([1.0, 2.0, 6.0])
    np.testing.assert_allclose(gradient(lambda x: np.var(x, **options), x), x - 3.0)


@pytest.mark.parametrize("name", ["nansum", "nanmean"])
def test_nan_counts_as_absent_and_receives_nothing(name):
    f, plain = getattr(np, name), getattr(np, name.removeprefix("nan"))
    x = np.array([1.0, np.nan, 3.0])
    found = gradient(f, x)
    assert found[1] == 0.0
    assert found[[0, 2]].tolist() == gradient(plain, x[[0, 2]]).tolist()


def test_a_weighted_average_is_the_one_written_out():
    x, w = np.array([[1.0, 4.0], [2.0, 8.0]]), np.array([1.0, 3.0])

    def written_out(x, w):
        return np.sum(np.sum(x * w, axis=1) / np.sum(w))

    found = trace(lambda x, w: np.sum(np.average(x, axis=1, weights=w)), x, w).backward()
    expected = trace(written_out, x, w).backward()
    for each, other in nonempty(zip(found.gradients, expected.gradients, strict=True)):
        np.testing.assert_allclose(each, other)


def test_a_log_of_a_sum_of_zeros_receives_nothing_back():
    x = np.array([[-np.inf, -np.inf], [0.0, -np.inf]])
    found = gradient(lambda x: np.logaddexp.reduce(x, axis=1)[1], x)
    np.testing.assert_array_equal(found, [[0.0, 0.0], [1.0, 0.0]])
    assert (
        "np.logaddexp.reduce(x, axis=1)"
        in trace(lambda x: np.sum(np.logaddexp.reduce(x, axis=1)), np.eye(2)).to_numpy()
    )


def test_a_trace_of_a_stack_of_matrices_counts_every_diagonal_entry_once():
    x = np.arange(12.0).reshape(2, 2, 3)
    found = gradient(lambda x: np.sum(np.linalg.trace(x)), x)
    np.testing.assert_array_equal(found, np.broadcast_to(np.eye(2, 3), x.shape))


def test_a_product_of_numbers_that_are_not_0_yet_may_meet_0_in_a_compiled_graph():
    f = trace(np.prod, np.array([1.0, 2.0, 3.0])).compile()
    value, [x] = f(np.array([0.0, 2.0, 3.0]))
    assert value == 0.0
    assert x.tolist() == [6.0, 0.0, 0.0]


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

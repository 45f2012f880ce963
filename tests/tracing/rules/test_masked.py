"""Folds over some of the entries: masks, first values, types, and NaN left out."""

import operator
from contextlib import nullcontext

import numpy as np
import pytest
from rule_checks import RefusedTests, assert_differentiable

from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing import trace

X = np.array([[1.5, -0.5, 2.0, 0.25], [0.75, -2.0, 1.0, -1.25], [-0.1, 0.9, -1.5, 2.5]])
MASK = np.array([[True, False, True, True], [True, True, False, True], [True, True, True, False]])
COLUMN = np.array([[True], [False], [True]])

FOLDS = {name: getattr(np, name) for name in ("sum", "prod", "mean", "var", "std")}
EXTREMES = {"max": np.max, "min": np.min}


REFUSED = {
    "no first value": (lambda x: np.max(x, where=MASK), X, "initial= beside where="),
    "more axes": (lambda x: np.sum(x[0], where=MASK), X, "no more axes than the array"),
    "first values": (lambda x: np.max(x, axis=0, initial=np.zeros(4)), X, "one number as initial"),
    "nan and a mask": (lambda x: np.nanvar(x, where=MASK), X, "np.nanvar"),
    "mean": (lambda x: np.var(x, mean=0.0), X, "np.var cannot be traced with `mean`"),
}


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


@pytest.mark.parametrize("name", FOLDS)
@pytest.mark.parametrize(
    ("mask", "axis"), [(MASK, 0), (COLUMN, 0), (MASK[0], 1)], ids=["all", "rows", "columns"]
)
def test_only_the_entries_of_a_mask_count(name, mask, axis):
    f = FOLDS[name]
    assert_differentiable(lambda x: f(x, where=mask), X)
    assert_differentiable(lambda x: f(x, axis=axis, where=mask, keepdims=True), X)


@pytest.mark.parametrize("name", FOLDS)
def test_the_methods_take_a_mask_too(name):
    assert_differentiable(lambda x: getattr(x, name)(axis=0, where=MASK), X)


@pytest.mark.parametrize("name", ["var", "std"])
def test_a_spread_divides_by_the_count_of_the_mask(name):
    f = FOLDS[name]
    assert_differentiable(lambda x: f(x, axis=1, ddof=1, where=MASK), X)
    assert_differentiable(lambda x: f(x, correction=1, where=MASK), X)


@pytest.mark.parametrize("name", ["sum", "prod", *EXTREMES])
def test_a_first_value_is_an_argument_like_others(name):
    f = getattr(np, name)
    assert_differentiable(lambda x, first: f(x, initial=first), X, np.array(0.3))
    assert_differentiable(lambda x, first: f(x, axis=1, initial=first), X, np.array(9.0))
    assert_differentiable(lambda x: f(x, axis=0, initial=0.3, where=MASK), X)
    assert_differentiable(lambda x: f(x, 0, initial=0.3, keepdims=True), X)


def test_the_largest_of_nothing_is_the_first_value():
    graph = trace(lambda x: np.sum(np.max(x, axis=1, initial=-9.0)) + np.sum(x), np.zeros((2, 0)))
    assert graph.value == -18.0


@pytest.mark.parametrize("name", FOLDS)
def test_a_type_to_compute_in_is_followed(name):
    f = FOLDS[name]
    assert_differentiable(lambda x: f(x, dtype=np.float64), X)
    graph = trace(lambda x: f(x, axis=0, dtype=np.float32), X)
    assert graph.value.dtype == np.float32
    np.testing.assert_allclose(graph.value, f(X, axis=0, dtype=np.float32), rtol=1e-6)


def test_running_sums_and_products_follow_a_type():
    assert_differentiable(lambda x: np.cumsum(x, 0, dtype=np.float64), X)
    assert trace(lambda x: np.cumprod(x, dtype=np.float32), X).value.dtype == np.float32


def with_gaps(x):
    return np.where(MASK, x, np.nan)


@pytest.mark.parametrize(
    "name", ["nanmax", "nanmin", "nanprod", "nanvar", "nanstd", "nancumsum", "nancumprod"]
)
def test_nan_is_left_out(name):
    f = getattr(np, name)
    assert_differentiable(lambda x: f(with_gaps(x)), X)
    assert_differentiable(lambda x: f(with_gaps(x), 1), X)
    assert_differentiable(lambda x: f(with_gaps(x), axis=0), X)


def test_an_extreme_of_nothing_but_nan_is_nan():
    x = np.array([[1.0, 2.0], [np.nan, np.nan]])
    with (
        pytest.warns(UserWarning, match="not finite"),
        pytest.warns(RuntimeWarning, match="All-NaN"),  # as without a trace
    ):
        graph = trace(lambda x: np.nanmax(x, axis=1), x)
    np.testing.assert_array_equal(graph.value, [2.0, np.nan])
    [gradient] = graph.backward(np.array([1.0, 0.0])).gradients
    np.testing.assert_array_equal(gradient, [[0.0, 1.0], [0.0, 0.0]])


@pytest.mark.parametrize("f", [np.nanmax, np.nanmin])
def test_an_extreme_beside_nan_is_one_node_and_no_decision(f):
    x = np.array([[1.0, np.nan, 3.0], [3.0, 2.0, np.nan]])
    graph = trace(lambda x: np.sum(f(x, axis=1) ** 2), x)
    assert [node.op for node in graph.nodes[1:]] == [f.__name__, "power", "sum"]
    assert graph.guards == ()
    one_of_two = trace(lambda x: f(x), np.array([2.0, np.nan, 2.0])).backward()
    assert one_of_two.gradients[0].tolist() == [0.5, 0.0, 0.5]


def test_an_extreme_beside_nan_takes_a_mask_and_a_first_value():
    x = np.array([1.0, np.nan, 5.0, 3.0])
    f = lambda x: np.nanmax(x, where=x < 4, initial=0.0) * np.nanmin(x, initial=0.5)  # noqa: E731
    graph = trace(f, x)
    assert graph.value == f(x) == 1.5
    assert graph.backward().gradients[0].tolist() == [0.0, 0.0, 0.0, 0.5]


@pytest.mark.parametrize("dtype", [int, "int32", np.int8, np.uint8, bool, "f2", np.float32, float])
@pytest.mark.parametrize(
    "name",
    [
        *("sum", "prod", "mean", "var", "std", "cumsum", "cumprod"),
        *("nanprod", "nanvar", "nanstd", "nancumsum"),
        *("add.reduce", "add.accumulate", "multiply.reduce", "add.reduceat"),
    ],
)
def test_a_result_has_the_type_that_was_asked_for(name, dtype):
    function, more = operator.attrgetter(name)(np), [[0, 2]] if name.endswith("at") else []
    x = np.array([1.7, 2.9, -1.2, 60.6])
    is_refused = name.endswith(("mean", "var", "std")) and np.dtype(dtype).kind != "f"
    with pytest.raises(UnsupportedError, match="float type") if is_refused else nullcontext():
        value = trace(lambda x: function(x, *more, dtype=dtype), x).value
        right = function(x, *more, dtype=dtype)
        assert np.asarray(value).dtype == right.dtype
        np.testing.assert_allclose(value, right, rtol=4e-3 if right.dtype == "f2" else 1e-6)

"""The median and quantiles by every method, over any axes, and where NaN is left out."""

import numpy as np
import pytest
from rule_checks import RowTests, assert_differentiable, case, ways

from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing import trace

CASES = {
    "median": [
        case((3,)),
        case((4,)),
        case((2, 3)),
        case((2, 3, 4), axis=0),
        case((2, 3, 4), axis=-1),
        case((2, 3, 4), axis=(2, 0)),
        case((2, 3), axis=1, keepdims=True),
        case((2, 3), keepdims=True),
    ],
    "quantile": [
        case((5,), q=0.5),
        case((5,), q=0.3),
        case((5,), q=1.0),
        case((2, 3), q=0.3),
        case((4, 3), q=0.3, axis=0),
        case((4, 3), q=(0.2, 0.9), axis=0),
        case((4, 3), q=((0.2, 0.9), (0.5, 0.0)), axis=-1, keepdims=True),
        case((4, 3, 2), q=0.6, axis=(2, 0)),
        case((5,), q=0.3, method="lower"),
        case((5,), q=0.3, method="median_unbiased"),
    ],
}

# Ways to write one and the same call.
FORMS = {
    "median": ways(np.median, axis=1),
    "quantile": [*ways(np.quantile, q=0.25, axis=1), lambda x: np.percentile(x, 25, axis=1)],
}

METHODS = [
    *("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf"),
    *("hazen", "weibull", "linear", "median_unbiased", "normal_unbiased"),
    *("lower", "higher", "midpoint", "nearest"),
]
X = np.array([[1.5, -0.5, 2.0, 0.25], [0.75, -2.0, 1.0, -1.25], [-0.1, 0.9, -1.5, 2.5]])
MASK = np.array([[True, False, True, True], [True, True, False, True], [True, True, True, False]])


class TestRows(RowTests):
    """The tests that every row shares."""


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_numpys_has_its_slope(method):
    assert_differentiable(lambda x: np.quantile(x, 0.3, method=method), X)
    assert_differentiable(lambda x: np.percentile(x, [20, 77], axis=0, method=method), X)


def test_a_quantile_between_two_entries_shares_its_adjoint_among_them():
    found = trace(lambda x: np.quantile(x, 0.3), np.array([5.0, 1.0, 4.0])).backward()
    np.testing.assert_allclose(found.gradients[0], [0.0, 0.4, 0.6])


def test_q_can_be_traced_too():
    assert_differentiable(lambda x, q: np.quantile(x, q), X, np.array([0.3, 0.7]))
    assert_differentiable(lambda x, q: np.percentile(x[0], q), X, np.array(41.0))
    with pytest.raises(UnsupportedError, match=r"np\.quantile cannot be traced"):
        trace(lambda x, q: np.quantile(x, q, axis=0), X, 0.5)


@pytest.mark.parametrize(
    "f",
    [
        np.nanmedian,
        lambda x, **options: np.nanquantile(x, 0.4, **options),
        lambda x, **options: np.nanpercentile(x, 40, **options),
    ],
    ids=["nanmedian", "nanquantile", "nanpercentile"],
)
def test_nan_is_left_out(f):
    assert_differentiable(lambda x: f(np.where(MASK, x, np.nan)), X)
    assert_differentiable(lambda x: f(np.where(MASK, x, np.nan), axis=0, keepdims=True), X)


def test_an_equal_entry_beside_the_median_is_a_tie():
    def marks(*x):
        return [mark.kind for mark in trace(np.median, np.array(x)).output.health]

    assert marks(1.0, 2.0, 2.0) == marks(1.0, 1.0, 2.0) == ["tie"]
    assert marks(1.0, 2.0, 2.0, 3.0) == marks(1.0, 2.0, 3.0) == []


def test_weights_are_refused():
    with pytest.raises(UnsupportedError, match=r"np\.quantile cannot be traced with `weights`"):
        trace(lambda x: np.quantile(x, 0.5, weights=np.abs(x), method="inverted_cdf"), X)

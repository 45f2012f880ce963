"""Ties and bounds: the rows, where the slope is a convention, and NaN."""

import numpy as np
import pytest
from rule_checks import BROADCAST, MASK, REDUCTION, RowTests, case, ways

import backprop_nb as bp
from backprop_nb.tracing import trace

CASES = {
    **dict.fromkeys(["maximum", "minimum", "fmax", "fmin"], BROADCAST),
    **dict.fromkeys(["max", "min", "nanmax", "nanmin", "ptp"], REDUCTION),
    "clip": [
        case((), (), ()),
        case((2, 3), -1.0, 1.0),
        case((2, 3), (3,), (2, 1)),
        case((3,), (2, 3), 1.0),
        case((1,), -1.0, (2, 3)),
        case((3,), None, 1.0),
        case((3,), -1.0, None),
        case((3,), 2.0, -1.0),
    ],
    "where": [
        case((), (), ()),
        case((3,), (3,), (3,)),
        case((3,), (), (3,)),
        case((3,), (3,), ()),
        case((3,), (), ()),
        case((), (3,), (2, 1)),
        case((2, 1), (3,), (1, 3)),
        case((2, 3), (2, 3), 0.0),
        case((2, 3), -1.0, ()),
    ],
    "select": [
        case(MASK, (3,), (), conditions=1),
        case(MASK, (3,), 0, conditions=1),
        case(MASK, ~MASK, (3,), (2, 3), 1.0, conditions=2),
        case(MASK, MASK, (2, 1), 0.0, (), conditions=2),
    ],
}

# Ways to write one and the same call.
FORMS = {
    **{f.__name__: ways(f, of=2) for f in (np.maximum, np.minimum, np.fmax, np.fmin)},
    "max": [*ways(np.max, axis=0), lambda x: np.amax(x, axis=0)],
    "min": [*ways(np.min, axis=0), lambda x: np.amin(x, axis=0)],
    **{f.__name__: ways(f, axis=0) for f in (np.nanmax, np.nanmin, np.ptp)},
    "clip": [
        lambda x: np.clip(x, -1.0, 1.0),
        lambda x: np.clip(x, a_min=-1.0, a_max=1.0),
        lambda x: np.clip(a=x, a_max=1.0, a_min=-1.0),
        lambda x: x.clip(-1.0, 1.0),
        lambda x: x.clip(max=1.0, min=-1.0),
    ],
    "where": [lambda x, y: np.where(np.ones(3, bool), x, y)],
    "select": [
        lambda x, y: np.select([MASK, ~MASK], [x, y], 0),
        lambda x, y: np.select((MASK, ~MASK), (x, y)),
        lambda x, y: np.select(condlist=[MASK, ~MASK], choicelist=[x, y], default=0),
    ],
}

# Functions that are not called with one array after the other.
CALLED = {
    "select": lambda *arrays, conditions: np.select(
        list(arrays[:conditions]), list(arrays[conditions:-1]), arrays[-1]
    ),
}


class TestRows(RowTests):
    """The tests that every row shares."""


def gradients(f, *args):
    return trace(lambda *x: np.sum(f(*x)), *args).backward().gradients


@pytest.mark.parametrize("f", [np.fmax, np.fmin])
def test_a_number_beside_nan_receives_everything(f):
    x, y = gradients(f, np.array([np.nan, 1.0]), np.array([2.0, np.nan]))
    assert x.tolist() == [0.0, 1.0]
    assert y.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("f", [np.max, np.min])
def test_all_entries_that_tie_over_an_axis_share_equally(f):
    sign = 1.0 if f is np.max else -1.0
    x = sign * np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    [over_rows] = gradients(lambda x: f(x, axis=1), x)
    np.testing.assert_allclose(over_rows, [[0, 1 / 2, 1 / 2], [1 / 3, 1 / 3, 1 / 3]])
    [over_all] = gradients(f, x)
    np.testing.assert_allclose(over_all, [[0, 1 / 2, 1 / 2], [0, 0, 0]])


def test_clipping_passes_what_lies_on_a_bound():
    x = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    low, high = np.full(5, -1.0), np.full(5, 1.0)
    to_x, to_low, to_high = gradients(np.clip, x, low, high)
    assert to_x.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]
    assert to_low.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert to_high.tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_the_upper_of_two_crossed_bounds_wins_as_it_does_in_numpy():
    x = np.array([-2.0, 0.0, 2.0])
    to_x, to_low, to_high = gradients(np.clip, x, np.full(3, 1.0), np.full(3, -1.0))
    assert to_x.tolist() == to_low.tolist() == [0.0, 0.0, 0.0]
    assert to_high.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.clip(x, 0.0, None), [0.0, 1.0, 1.0]),
        (lambda x: np.clip(x, None, 1.0), [1.0, 1.0, 0.0]),
        (lambda x: x.clip(0.0), [0.0, 1.0, 1.0]),
        (lambda x: x.clip(max=1.0), [1.0, 1.0, 0.0]),
        (lambda x: np.clip(x, max=1.0, min=0.0), [0.0, 1.0, 0.0]),
    ],
)
def test_a_bound_may_be_left_out(f, expected):
    x = np.array([-1.0, 0.5, 2.0])
    graph = trace(lambda x: np.sum(f(x)), x)
    assert graph.nodes[1].op == "clip"
    assert graph.backward().gradients[0].tolist() == expected


def test_the_largest_entry_is_a_factor_like_any_other():
    [x] = gradients(lambda x: x * np.max(x), np.array([1.0, 3.0]))
    assert x.tolist() == [3.0, 7.0]  # of (x₀ + x₁) x₁


def test_new_numbers_choose_anew_in_a_compiled_graph():
    f = trace(lambda x: np.max(x) + np.sum(np.maximum(x, 2.0)), np.array([1.0, 3.0])).compile()
    value, [x] = f(np.array([4.0, 0.5]))
    assert value == 10.0
    assert x.tolist() == [2.0, 0.0]


def test_where_both_bounds_meet_the_entry_decides_nothing():
    x, low, high = gradients(np.clip, np.array([1.0, 2.0, 3.0]), np.full(3, 2.0), np.full(3, 2.0))
    assert (x.tolist(), low.tolist(), high.tolist()) == ([0.0] * 3, [0.5] * 3, [0.5] * 3)
    for bounds in ((2.0, 2.0), (3.0, 2.0)):
        [x] = gradients(lambda x, bounds=bounds: np.clip(x, *bounds), np.array([1.0, 2.0, 3.0]))
        assert x.tolist() == [0.0] * 3


WITH_NAN = np.array([[1.0, np.nan, 2.0], [1.0, 3.0, 2.0]])


@pytest.mark.filterwarnings("ignore::backprop_nb.errors.BackpropWarning")
@pytest.mark.parametrize(
    "f",
    [
        *(np.max, np.min, np.ptp, np.maximum, np.minimum, np.fmax, np.fmin, np.sort),
        *(np.cumsum, np.prod, np.mean, np.std, np.linalg.norm),
    ],
)
def test_nan_is_said_by_no_one_else_and_the_same_forward_and_back(f):
    """NumPy's own warnings are errors in the tests."""
    if isinstance(f, np.ufunc):

        def of_x(x):
            return np.sum(f(x, 1.5))
    elif f is np.linalg.norm:

        def of_x(x):
            return np.sum(f(x, np.inf, axis=1))
    else:

        def of_x(x):
            return np.sum(f(x, axis=1))

    [slope] = trace(of_x, WITH_NAN).backward().gradients
    tangent = np.random.default_rng(0).normal(size=(2, 3))
    np.testing.assert_allclose(bp.jvp(of_x, (WITH_NAN,), (tangent,))[1], np.sum(slope * tangent))

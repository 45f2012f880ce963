"""Convolution, interpolation, areas, slopes, grids, and functions that are handed over."""

import numpy as np
import pytest
from rule_checks import MadeTests, RefusedTests, RowTests, assert_same, case, ways

from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing import trace

CASES = {
    "convolve": [
        case((4,), (3,)),
        case((3,), (4,)),
        case((1,), (3,)),
        case((), (3,)),
        *(case((5,), (3,), mode=mode) for mode in ("same", "valid")),
        *(case((2,), (5,), mode=mode) for mode in ("same", "valid")),
        case((4,), (4,), mode="same"),
        case((6,), (2,), mode="same"),
        case((4,), [1.0, -2.0, 1.0]),
    ],
}

# Ways to write one and the same call.
FORMS = {
    "convolve": ways(np.convolve, of=2, on=lambda x, y: (x[0], y[1]), mode="same"),
}

X = np.array([[1.5, -0.5, 2.0, 0.25], [0.75, -2.0, 1.0, -1.25], [-0.1, 0.9, -1.5, 2.5]])
V = np.array([0.3, -1.2, 0.8, 2.1, -0.4])
AT = np.array([0.5, 1.2, 2.1, 3.3, 4.7])
WANTED = np.array([0.1, 0.7, 1.3, 3.9, 4.6, 5.5])
ONE, THREE = np.array(1.0), np.array(3.0)


# --- each as a function of all that it may be differentiated by -----------------------

MADE = {
    "correlate": (np.correlate, V, V[:2]),
    "correlate full": (lambda a, v: np.correlate(a, v, "full"), V[:2], V),
    "correlate same": (lambda a, v: np.correlate(a, v, mode="same"), V[:2], V),
    "interp": (lambda x, at, f: np.interp(x, np.sort(at), f), WANTED, AT, V),
    "interp with ends": (lambda x, f: np.interp(x, AT, f, left=0.5, right=1.0), WANTED, V),
    "interp of a number": (lambda x: np.interp(x, AT, V), ONE),
    "interp of lists": (lambda f: np.interp([1.0, 2.5], [0.5, 1.5, 3.0], f), V[:3]),
    "interp of one point": (lambda x: np.interp(x, [1.0], [2.0]) * x, WANTED),
    "interp periodic": (lambda x, f: np.interp(x, AT[:4], f, period=4.0), WANTED, V[:4]),
    "trapezoid": (np.trapezoid, V, AT),
    "trapezoid of a step": (lambda y, h: np.trapezoid(y, dx=h, axis=0), X, ONE),
    "trapezoid of rows": (lambda y, x: np.trapezoid(y, x, axis=0), X, AT[:3]),
    "trapezoid of places": (np.trapezoid, X, np.cumsum(np.abs(X), axis=1)),
    "trapezoid of a list": (lambda x: np.trapezoid([1.0, 2.0, 4.0], x), AT[:3]),
    "gradient": (np.gradient, V),
    "gradient by a step": (np.gradient, V, ONE),
    "gradient by places": (np.gradient, V, AT),
    "gradient of order 2": (lambda v, h: np.gradient(v, h, edge_order=2), V, THREE),
    "gradient by places of order 2": (lambda v, x: np.gradient(v, x, edge_order=2), V, AT),
    "gradient along rows": (lambda x: np.gradient(x)[0], X),
    "gradient along columns": (lambda x: np.gradient(x)[1], X),
    "gradient along one axis": (lambda x: np.gradient(x, axis=-1), X),
    "gradient of two kinds": (lambda x, at: np.gradient(x, 2.0, at)[1], X, AT[:4]),
    "linspace": (np.linspace, ONE, THREE),
    "linspace open": (lambda a, b: np.linspace(a, b, 5, endpoint=False), ONE, THREE),
    "linspace of one": (lambda a, b: np.linspace(a, b, 1), ONE, THREE),
    "linspace to": (lambda b: np.linspace(0, b, 4), THREE),
    "linspace of vectors": (lambda a: np.linspace(a, [1.0, 2.0], 4, axis=-1), V[:2]),
    "linspace's step": (lambda a, b: np.linspace(a, b, 4, retstep=True)[1], ONE, THREE),
    "logspace": (lambda a, b: np.logspace(a, b, 4), ONE, THREE),
    "logspace by base": (lambda a, base: np.logspace(a, 2.0, 4, base=base), ONE, THREE),
    "geomspace": (lambda a, b: np.geomspace(a, b, 5), ONE, THREE),
    "geomspace open": (lambda a, b: np.geomspace(a, b, 5, endpoint=False), ONE, THREE),
    "geomspace below 0": (lambda a, b: np.geomspace(a, b, 4, axis=-1), -AT[:2], -AT[2:4]),
    "cumulative_sum": (np.cumulative_sum, V),
    "cumulative_sum and 0": (lambda x: np.cumulative_sum(x, axis=1, include_initial=True), X),
    "cumulative_prod": (lambda x: np.cumulative_prod(x, axis=0, include_initial=True), X),
    "apply_along_axis": (lambda x: np.apply_along_axis(np.sum, 0, x), X),
    "apply to rows": (lambda x: np.apply_along_axis(np.cumsum, 1, x), X),
    "apply and grow": (lambda x: np.apply_along_axis(lambda r: np.outer(r, r), 0, x), X),
    "apply with more": (lambda x: np.apply_along_axis(lambda r, k: r * k, -1, x, 2.0), X),
    "apply_over_axes": (lambda x: np.apply_over_axes(np.sum, x, [0, 1]), X),
    "vectorize": (lambda x: np.vectorize(lambda v: v * np.sin(v))(x), X),
    "vectorize by cases": (np.vectorize(lambda v: v**2 if v > 0 else -v), X),
    "vectorize two": (lambda x, y: np.vectorize(lambda a, b: a * b, otypes=[float])(x, y), X, ONE),
    "vectorize to two": (lambda x: np.vectorize(lambda v: (v, v * v))(x)[1], V),
    "piecewise": (lambda x: np.piecewise(x, [x < 0, x >= 0.5], [np.sin, np.exp, 3.0]), X),
    "piecewise of one": (lambda x: np.piecewise(x, x < 0, [np.sin, np.cos]), V),
    "piecewise of numbers": (lambda x: np.piecewise(x, [x < 0, x > 0], [-1, 1]) * x, V),
    "piecewise of a group": (
        lambda x: np.piecewise(x, [x < 0], [np.sin, lambda v: v - np.mean(v)]),
        V,
    ),
    "piecewise of a number": (lambda x: np.piecewise(x, [x < 0, x >= 0], [np.sin, np.cos]), ONE),
    "piecewise and nothing": (lambda x: np.piecewise(x, [x < -9.0], [np.log, np.cos]), V),
}
EXCLUDING = np.vectorize(lambda v, k: v * k, excluded=["k"])
BASES = [2.0, 3.0, 4.0, 5.0]
DESCENDING = r"xp\[0\] = 4.7, and xp\[1\] = 3.3\n.*ascends.*\n.*\(x, xp\[::-1\], fp\[::-1\]\)"
REFUSED = {
    "descending": (lambda x: np.interp(x, AT[::-1], V), X, DESCENDING),
    "descending list": (lambda x: np.interp(x, [*AT[::-1]], [*V]), X, DESCENDING),
    "descending, traced": (lambda at: np.interp(1.0, at, V), AT[::-1].copy(), DESCENDING),
    "disorder": (
        lambda x: np.interp(x, [0.0, 2, 1], V[:3]),
        X,
        r"xp\[2\] = 1\n.*\n.*np.argsort\(xp",
    ),
    "no place": (lambda x: np.interp(x, [0.0, np.nan], V[:2]), X, r"xp\[1\] = nan\n.*\n +at"),
    "steps": (lambda x: np.gradient(x, 1.0, 2.0, 3.0), X, "one spacing for each axis"),
    "places": (lambda x: np.gradient(x, AT), X, "one spacing for each axis"),
    "few": (lambda x: np.gradient(x[:1], axis=0), X, "more than edge_order entries"),
    "axis": (lambda x: np.cumulative_sum(x), X, "an axis, where there are several"),
    "signs": (lambda x: np.geomspace(x[0, 0], x[0, 1], 3), X, "two ends of one sign"),
    "bases": (lambda x: np.logspace(x[0], x[1], 3, base=BASES), X, "one base"),
    "functions": (lambda x: np.piecewise(x, [x > 0], [np.sin] * 3), X, "one function for each"),
    "rows": (lambda x: np.apply_along_axis(np.sum, 0, x[:, :0]), X, "at least one row"),
    "signature": (lambda x: np.vectorize(np.sum, signature="(n)->()")(x), X, "no signature"),
    "excluded": (lambda x: EXCLUDING(x, k=2.0), X, "nothing excluded"),
}


class TestRows(RowTests):
    """The tests that every row shares."""


class TestMade(MadeTests):
    """The tests that calls made of others share."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


INF = np.inf
BESIDE = {
    "two that are low": ([0.0, 1.0, 2.0], [-INF, -INF, 0.0]),
    "one that is high": ([0.0, 1.0, 2.0], [0.0, INF, 1.0]),
    "one after the other": ([0.0, 1.0, 2.0], [1.0, -INF, INF]),
    "all": ([0.0, 1.0, 2.0], [INF, INF, INF]),
    "no number": ([0.0, 1.0, 2.0], [1.0, np.nan, 1.0]),
    "far places": ([-INF, 1.0, INF], [1.0, 2.0, 3.0]),
    "far places of one height": ([-INF, 0.0, INF], [2.0, 2.0, 2.0]),
    "a step at the end": ([0.0, 2.0, 2.0], [1.0, 2.0, 3.0]),
}


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.filterwarnings("ignore:invalid value", "ignore:divide by zero")
@pytest.mark.filterwarnings("ignore::backprop_nb.errors.BackpropWarning")
def test_beside_infinities_a_line_is_where_numpy_has_it(name):
    x = np.array([-INF, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, INF, np.nan])
    at, heights = map(np.array, BESIDE[name])
    right = np.interp(x, at, heights)
    assert_same(trace(lambda x: np.interp(x, at, heights), x).value, right)
    assert_same(trace(lambda x: np.interp(x, at.tolist(), heights.tolist()), x).value, right)
    graph = trace(lambda at, heights: np.interp(x, at, heights), np.arange(3.0), np.ones(3))
    assert_same(graph.evaluate(at, heights), right)


def test_what_is_written_in_place_of_points_that_do_not_ascend_is_numpys():
    xp, fp = np.array([3.0, 1.0, 2.0]), [5.0, 7.0, 6.0]
    graph = trace(lambda x: np.interp(x, np.sort(xp), np.take(fp, np.argsort(xp))), 1.25)
    assert graph.value == 6.75
    graph = trace(lambda xp: np.interp(1.25, np.sort(xp), np.take(fp, np.argsort(xp))), xp)
    assert graph.value == 6.75


def test_traced_points_that_cease_to_ascend_have_no_value():
    graph = trace(lambda at: np.interp(1.0, at, V), AT)
    assert graph.value == graph.evaluate(AT) == np.interp(1.0, AT, V)
    assert np.isnan(graph.evaluate(AT[::-1]))


def test_the_ends_of_a_grid_are_exact():
    a, b = np.array(0.1), np.array(0.7)
    for f in (np.linspace, np.geomspace):
        found = trace(lambda a, b, f=f: f(a, b, 7), a, b).value
        assert found[[0, -1]].tolist() == [0.1, 0.7]
        np.testing.assert_allclose(found, f(a, b, 7), rtol=1e-14)


def test_types_are_followed():
    graph = trace(lambda a: np.linspace(a, 2.0, 3, dtype=np.float32), 1.0)
    assert graph.value.dtype == np.float32
    graph = trace(lambda x: np.cumulative_sum(x, dtype=np.float32), V)
    assert graph.value.dtype == np.float32


def test_an_error_of_a_function_that_is_handed_over_is_its_own():
    def broken(row):
        return row.shape + None

    with pytest.raises(TypeError, match="concatenate") as caught:
        trace(lambda x: np.apply_along_axis(broken, 0, x), X)
    assert not isinstance(caught.value, UnsupportedError)

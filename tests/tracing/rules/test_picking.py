"""Entries that are chosen, left out, inserted or repeated."""

import numpy as np
import pytest
from nonempty import nonempty
from rule_checks import MadeTests, RefusedTests

from backprop_nb.errors import BackpropError, ShapeError
from backprop_nb.tracing import trace

V = np.array([0.3, -1.2, 0.8, 2.1])
M = np.array([[1.5, -0.5, 2.0, 0.25], [0.75, -2.0, 1.0, -1.25], [-0.1, 0.9, -1.5, 2.5]])
ONE = np.array(0.6)
MASK = np.array([True, False, True, True])

GROUPS = np.array([2.0, 1.0, 2.0, 3.0])


def weighed(values, counts):
    return values * counts


MADE = {
    "bincount": (lambda w: np.bincount([0, 2, 0, 1], w), V),
    "bincount to a length": (lambda w: np.bincount([0, 2, 0, 1], weights=w, minlength=6), V),
    "choose": (lambda a, b: np.choose([0, 1, 1, 0], [a, b]), V, M[0]),
    "choose and stretch": (lambda a, b: np.choose([[0], [1]], [a, b]), V, ONE),
    "choose by a mask": (lambda a, b: np.choose(a > 0.5, [a, b]), V, M[0]),
    "choose by clipping": (lambda a: np.choose([-1, 7, 1, 0], [a, 2 * a], mode="clip"), V),
    "choose by wrapping": (lambda a: np.choose([-1, 7, 1, 0], [a, 2 * a], mode="wrap"), V),
    "compress": (lambda x: np.compress(MASK, x, axis=1), M),
    "compress the first": (lambda x: np.compress([False, True], x), V),
    "extract": (lambda x: np.extract(MASK, x), V),
    "extract what is large": (lambda x: np.extract(x > 0.5, x), M),
    "delete": (lambda x: np.delete(x, 1), M),
    "delete rows": (lambda x: np.delete(x, [0, 2], axis=0), M),
    "delete a slice": (lambda x: np.delete(x, slice(1, 3), axis=-1), M),
    "insert": (lambda x, y: np.insert(x, 1, y), V, ONE),
    "insert several": (lambda x, y: np.insert(x, 1, y), V, M[0]),
    "insert in places": (lambda x, y: np.insert(x, [1, 3], y), V, M[0, :2]),
    "insert one in places": (lambda x, y: np.insert(x, [1, 3], y), V, ONE),
    "insert in a slice": (lambda x: np.insert(x, slice(0, 2), 9.0), V),
    "insert a column": (lambda x, y: np.insert(x, 1, y, axis=1), M, V[:3]),
    "insert a row": (lambda x, y: np.insert(x, -1, y, axis=0), M, V),
    "insert a number as a row": (lambda x: np.insert(x, 2, 5.0, axis=0), M),
    "insert columns": (lambda x, y: np.insert(x, [0, 2], y, axis=1), M, M[:, :2]),
    "resize": (lambda x: np.resize(x, (2, 3)), V),
    "resize to fewer": (lambda x: np.resize(x, 2), M),
    "diagflat": (np.diagflat, M[:2, :2]),
    "diagflat beside": (lambda x: np.diagflat(x, k=-1), V),
    "ediff1d": (np.ediff1d, M),
    "ediff1d with ends": (lambda x, end: np.ediff1d(x, to_end=end, to_begin=[1.0, 2.0]), V, ONE),
    "unique": (lambda x: np.unique(np.concatenate([x, x[:2]])), V),
    "unique, once": (lambda x: np.unique(np.append(x, x[1]), return_index=True)[0], V),
    "unique, weighed by counts": (
        lambda x: weighed(*np.unique(GROUPS * x[0], return_counts=True)),
        V,
    ),
    "unique_values": (lambda x: np.unique_values(x), V),
    "union1d": (np.union1d, V, M[0]),
    "setdiff1d": (lambda x: np.setdiff1d(np.append(x, x[1]), x[2:3]), V),
    "intersect1d": (lambda x: np.intersect1d(np.append(x, x[2]), x[[2, 0]]), V),
    "setxor1d": (lambda x, y: np.setxor1d(x, np.append(y, x[0])), V, M[0]),
    "ix_": (lambda x: x[np.ix_(x[:, 0] > 0, [2, 0])], M),
    "ix_ of places": (lambda x: x[np.ix_(np.argsort(x[:, 1]), np.flatnonzero(x[0] < 1))], M),
    "histogram of weights": (lambda w: np.histogram(V, 3, weights=w)[0], M[0]),
    "histogram of weights, edges": (lambda w: np.histogram(M, [-3.0, 0.1, 2], weights=w)[0], M),
    "histogram, edges": (lambda x: np.histogram(x, bins=3)[1], M),
    "histogram, bin edges": (lambda x: np.histogram_bin_edges(x, 4), V),
    "histogram, density": (lambda x: np.histogram(x, 5, density=True)[0], M),
    "histogram, range": (lambda x: x[0, 1:] * np.histogram(x, 3, (-1.0, 1.1))[0], M),
}
REFUSED = {
    "index": (lambda x: np.unique(x, return_index=True, axis=0)[0], M, "np.unique cannot be"),
    "axis": (lambda x: np.unique(x, axis=0), M, "np.unique cannot be traced"),
    "places of both": (
        lambda x: np.intersect1d(x, x, return_indices=True)[0],
        V,
        r"no indices, which np\.flatnonzero\(np\.isin\(ar1, ar2\)\) gives",
    ),
    "a matrix of places": (lambda x: x[np.ix_(x > 0)], M, "one sequence for each axis"),
}


class TestMade(MadeTests):
    """The tests that calls made of others share."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


@pytest.mark.parametrize(
    ("chosen", "mode", "said"),
    [
        (np.array([-1, 0, 1, 0]), "raise", "a number from 0 to 1"),
        (np.array([0, 2, 1, 0]), "raise", "a number from 0 to 1"),
        (np.array([0, 1, 1, 0]), "raisin", "mode='raise', 'wrap' or 'clip'"),
        (V, "raise", "whole numbers"),
    ],
    ids=["below", "above", "unknown mode", "floats"],
)
def test_a_choice_that_numpy_refuses_is_refused(chosen, mode, said):
    with pytest.raises((TypeError, ValueError)):
        np.choose(chosen, [V, V], mode=mode)
    with pytest.raises(BackpropError, match=rf"np\.choose[\s\S]*{said}") as caught:
        trace(lambda x: np.choose(chosen, [x, 2 * x], mode=mode), V)
    assert "test_picking.py" in str(caught.value)


def test_a_traced_choice_is_looked_at_each_time():
    def f(x):
        return np.choose(np.argmax(x) - 1, [x[0], x[1] ** 2])

    call = trace(f, V[:3]).compile()
    assert call(np.array([1.0, 3.0, 2.0]))[0] == 1.0
    with pytest.raises(ShapeError, match=r"np\.choose does not fit"):
        call(np.array([3.0, 1.0, 2.0]))


COUNTED = {
    "counts": lambda x: np.unique(np.sign(x), return_counts=True),
    "inverse": lambda x: np.unique(np.round(x), return_inverse=True),
    "index": lambda x: np.unique(np.round(x), return_index=True),
    "all three": lambda x: np.unique(np.round(x), True, True, True),
    "of labels": lambda x: np.unique(np.argmax(x, axis=0), return_counts=True),
    "unique_counts": lambda x: np.unique_counts(np.sign(x)),
    "unique_inverse": lambda x: np.unique_inverse(np.sign(x)),
    "unique_all": lambda x: np.unique_all(np.sign(x)),
    "histogram": lambda x: np.histogram(x, bins=5),
    "histogram, edges": lambda x: np.histogram(x, bins=[-2.0, 0, 0.75, 3]),
    "histogram, range": lambda x: np.histogram(x, 4, range=(-1, 2)),
    "histogram of equal values": lambda x: np.histogram(np.sign(np.abs(x)), bins=3),
    "histogram of labels": lambda x: np.histogram(np.argmax(x, axis=0), bins=3),
}


@pytest.mark.parametrize("f", COUNTED.values(), ids=COUNTED)
def test_what_is_counted_is_what_numpy_counts_and_counted_anew(f):
    def named(x):
        found = f(x)
        kinds.append((type(found), [(np.shape(each), each.dtype.kind) for each in found]))
        first = found[0] * 1.0
        places = [np.arange(1.0, each.size + 1).reshape(each.shape) for each in found[1:]]
        rest = [np.sum(each * place) for each, place in zip(found[1:], places, strict=True)]
        return np.sum(first**2) + sum(rest) + np.sum(x)

    kinds = []
    graph = trace(named, M)
    assert graph.value == pytest.approx(named(M), rel=1e-13)
    assert nonempty(kinds) == [kinds[-1]] * len(kinds)
    call = graph.compile()
    for other in (M, -M, M[::-1] * 1.25):
        assert graph.evaluate(other) == pytest.approx(named(other), rel=1e-13)
        assert call(other)[0] == pytest.approx(named(other), rel=1e-13)


def test_numbers_are_counted_anew():
    def f(x):
        counts = np.bincount(np.greater(x, 0).astype(int), minlength=3)
        return np.sum(counts * np.arange(3.0) * x[:3]) + counts[1]

    graph = trace(f, V)
    call = graph.compile()
    for other in (V, -V, np.abs(V)):
        assert graph.evaluate(other) == call(other)[0] == f(other)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.delete(x, np.argmax(x)),
        lambda x: np.delete(x, x < 0.5),
        lambda x: np.insert(x, np.argmax(x), 0.0),
    ],
    ids=["delete", "delete by a mask", "insert"],
)
def test_a_traced_position_is_a_decision(f):
    x, other = np.array([1.0, 0.3, 3.0]), np.array([2.0, 5.0, 0.1])

    def weighed(x):
        y = f(x)
        return np.sum(y * np.arange(1.0, len(y) + 1))

    graph = trace(weighed, x)
    assert graph.guards
    for each in nonempty([x, other]):
        assert graph.evaluate(each) == weighed(each)
        assert graph.compile()(each)[0] == weighed(each)

"""Functions that change their first argument, against NumPy's own."""

import numpy as np
import pytest
from rule_checks import RefusedTests, assert_differentiable

from backprop_nb.tracing import trace
from backprop_nb.tracing.rules.changes import CHANGES

X = np.array([[1.5, -0.5, 2.5], [0.25, 3.5, -2.0], [1.0, 2.0, 0.75]])
MASK = X > 0.5

CALLS = {
    "fill_diagonal": [
        lambda a, x: np.fill_diagonal(a, x[0]),
        lambda a, x: np.fill_diagonal(a, x[0, 0]),
        lambda a, x: np.fill_diagonal(a[:2], 7.0),
        lambda a, x: np.fill_diagonal(a, val=x[2]),
        lambda a, x: np.fill_diagonal(a, x[:2]),
        lambda a, x: np.fill_diagonal(a, x[:1, :2]),
        lambda a, x: np.fill_diagonal(a, x[:, :0]),
    ],
    "put": [
        lambda a, x: np.put(a, [0, 4], x[0, :2]),
        lambda a, x: np.put(a, [-1, 1], x[0, 0]),
        lambda a, x: np.put(a, 3, x[1, 1]),
        lambda a, x: np.put(a, np.array([2, 2]), x[1, :2]),
        lambda a, x: a.put([0, 4], x[0, :2]),
        lambda a, x: np.put(a, [0, 4], [x[0, 0], x[1, 1]]),
        lambda a, x: np.put(a, [0, 1, 2], [1.0, x[0, 0]]),
        lambda a, x: np.put(a, [0, 8, 1], x[:, 0] * x[:, 1], mode="clip"),
        lambda a, x: np.put(a, [0, 20, -1], x[0], mode="wrap"),
        lambda a, x: np.put(a, [0, 20, -7], x[0], mode="clip"),
        lambda a, x: np.put(a, [1, 2], []),
    ],
    "place": [
        lambda a, x: np.place(a, MASK, x),
        lambda a, x: np.place(a, MASK, [x[0, 0], 2.0]),
        lambda a, x: np.place(a, x > 0.9, x[1, 1]),
        lambda a, x: np.place(a, x > 0.9, x[:, 2]),
    ],
    "copyto": [
        lambda a, x: np.copyto(a, [x[0, 0], 1.0, x[1, 1]]),
        lambda a, x: np.copyto(a, x * x),
        lambda a, x: np.copyto(a, x[0]),
        lambda a, x: np.copyto(a, 3.0, where=MASK),
        lambda a, x: np.copyto(a[0], x[1], where=x[2] > 0.9),
    ],
    "putmask": [
        lambda a, x: np.putmask(a, MASK, x[0, 0]),
        lambda a, x: np.putmask(a, MASK, x * x),
        lambda a, x: np.putmask(a, x > 0.9, 0.5),
        lambda a, x: np.putmask(a, MASK, [x[0, 0], 2.0]),
    ],
    "put_along_axis": [
        lambda a, x: np.put_along_axis(a, np.array([[2], [0], [1]]), x[:, :1], 1),
        lambda a, x: np.put_along_axis(a, np.argmax(x, axis=0)[None], x[:1], 0),
        lambda a, x: np.put_along_axis(a, np.array([1, 5]), x[0, 0], None),
    ],
    "add.at": [
        lambda a, x: np.add.at(a, [0, 0, 1], x),
        lambda a, x: np.add.at(a, (slice(None), [0, 0]), x[0, 0]),
        lambda a, x: np.add.at(a, MASK, 2.0),
        lambda a, x: np.add.at(a[1], np.array([2, 2]), x[0, :2]),
        lambda a, x: np.add.at(a, ([0, 0], [1, 1]), x[2, :2]),
        # In the type of the target: truth values are counted, and small types go on.
        lambda a, x: np.add.at(a, [0, 0, 1], x > 0.9),
        lambda a, x: np.add.at(a[0], (x > 0.9).astype(int), True),
        lambda a, x: np.add.at(a, [0] * 300, (x[0] > 0.9).astype(np.uint8)),
        lambda a, x: np.add.at(a, [0] * 300, (x[0] > 0.9).astype(np.int8)),
        lambda a, x: np.add.at(a, [1] * 40, (0.1 * (x[1] > 0.1)).astype(np.float16)),
        lambda a, x: np.add.at(a[1], np.argmax(x, axis=0), np.full(3, 0.1, np.float32)),
        lambda a, x: np.add.at(a[0], [0, 0, 2], [x[0, 0], True, x[1, 1]]),
    ],
    "subtract.at": [
        lambda a, x: np.subtract.at(a, [0, 0], x[1]),
        lambda a, x: np.subtract.at(a, [0, 0, 1], x > 0.9),
        lambda a, x: np.subtract.at(a, [0] * 300, (x[0] > 0.9).astype(np.uint8)),
        lambda a, x: np.subtract.at(a[0], np.argmax(x, axis=0), [1.0, 2.0, 3.0]),
        lambda a, x: np.subtract.at(a[0], [0, 0, 2], [x[0, 0], True, x[1, 1]]),
    ],
    "another ufunc.at": [
        lambda a, x: np.maximum.at(a, [0, 0, 1], 0.9 * x + 0.1),
        lambda a, x: np.minimum.at(a, (slice(None), [0, 0]), x[0, 0] - 2.0),
        lambda a, x: np.multiply.at(a, [1, 1], x[:2] + 3.0),
        lambda a, x: np.multiply.at(a, 0, 2.0),
        lambda a, x: np.divide.at(a[1], np.array([2, 0]), x[0, :2]),
        lambda a, x: np.multiply.at(a, MASK, x[0, 1]),
        lambda a, x: np.negative.at(a, [0, 0, 1]),
        lambda a, x: np.sin.at(a[2], [0, 1]),
        lambda a, x: np.logaddexp.at(a, (np.argmax(x, axis=0), [0, 1, 2]), x[0]),
        lambda a, x: np.multiply.at(a[0], [0, 2, 2], [x[0, 0], 2.0, x[1, 1]]),
    ],
}
EVERY = [(name, k) for name, calls in CALLS.items() for k in range(len(calls))]
REFUSED = {
    "wrap": (lambda x: np.fill_diagonal(x, 1.0, wrap=True), X, "np.fill_diagonal"),
    "spacing.at": (lambda x: np.spacing.at(x, [0, 0]), X, "np.spacing"),
    "mode": (lambda x: np.put(x, [0, 1], 1.0, mode="raisin"), X, "'wrap' or 'clip'"),
}


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


def test_every_function_has_calls():
    names = {f.__name__ for f in CHANGES}
    assert names == {name for name in CALLS if not name.endswith(".at")}


@pytest.mark.parametrize(("name", "k"), EVERY)
def test_a_call_changes_an_array_of_zeros_as_numpy_does(name, k):
    def f(x):
        a = np.zeros((3, 3))
        CALLS[name][k](a, x)
        return a * a + x

    assert_differentiable(f, X)


@pytest.mark.parametrize(("name", "k"), EVERY)
def test_a_call_changes_a_traced_array_and_its_views_as_numpy_does(name, k):
    def f(x):
        a = x * 1
        view = a.T
        CALLS[name][k](a, x)
        return a * view

    assert_differentiable(f, X)


def test_a_position_outside_is_an_error_as_it_is_in_numpy():
    def f(x):
        a = x * 1
        np.put(a, [9], 1.0)
        return a

    with pytest.raises(IndexError):
        f(X.copy())
    with pytest.raises(IndexError):
        trace(f, X)

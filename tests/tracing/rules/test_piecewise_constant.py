"""Functions without a slope: recorded and computed anew, but no gradient flows through them."""

import math

import numpy as np
import pytest

from backprop_nb.tracing import trace
from backprop_nb.tracing.tape import plain

X = np.array([[1.5, -0.5, 2.5], [0.0, 3.5, -2.0]])

CALLS = {
    "==": lambda x: x == 1.5,
    "!=": lambda x: x != 1.5,
    "<": lambda x: x < 0.5,
    "<=": lambda x: x <= 1.5,
    ">": lambda x: x > x[0],
    ">=": lambda x: x >= X[0],
    "array < traced": lambda x: np.less(X[0], x),
    "np.less": lambda x: np.less(x, 0.5),
    "np.logical_and": lambda x: np.logical_and(x > 0, x < 2),
    "&": lambda x: (x > 0) & (x < 2),
    "np.isnan": lambda x: np.isnan(x),
    "np.isin": lambda x: np.isin(x, [1.5, 0.0]),
    "np.array_equal": lambda x: np.array_equal(x, X) * np.ones(2),
    "np.searchsorted": lambda x: np.searchsorted(np.arange(3.0), x),
    "np.digitize": lambda x: np.digitize(x, [0.0, 1.0]),
    "np.fix": lambda x: np.fix(x),
    "np.around": lambda x: np.around(x, 1),
    "np.trunc": lambda x: np.trunc(x),
    "np.argwhere": lambda x: np.argwhere(x > 0),
    "np.unravel_index": lambda x: np.unravel_index(np.argmax(x), x.shape)[1],
    "np.ravel_multi_index": lambda x: np.ravel_multi_index(np.nonzero(x), (2, 3)),
    "np.flatnonzero": lambda x: np.flatnonzero(x),
    "np.nanargmax": lambda x: np.nanargmax(x),
    "np.linalg.matrix_rank": lambda x: np.linalg.matrix_rank(x),
    ".argmax": lambda x: x.argmax(axis=0),
    ".argmin": lambda x: x.argmin(1),
    ".argsort": lambda x: x.argsort(axis=0),
    ".round": lambda x: x.round(1),
    ".any": lambda x: x.any(axis=0),
    ".all": lambda x: x.all(),
    ".nonzero": lambda x: x.nonzero()[1],
    ".searchsorted": lambda x: x[0, :2].searchsorted(0.0),
    "np.any": lambda x: np.any(x > 3),
    "np.all": lambda x: np.all(x),
    "np.sign": lambda x: np.sign(x),
    "np.floor": lambda x: np.floor(x),
    "//": lambda x: x // 2,
    "2 //": lambda x: 7 // (x + 9),
    "np.round": lambda x: np.round(x, 1),
    "np.argmax": lambda x: np.argmax(x, axis=1),
    "np.argsort": lambda x: np.argsort(x),
    "np.nonzero": lambda x: np.nonzero(x)[0],
    "astype(int)": lambda x: x.astype(int),
    "astype(bool)": lambda x: x.astype("bool"),
    "int(x)": lambda x: x[0].astype(int)[1],
}

PLAIN = {
    "np.shape": lambda x: np.shape(x),
    "np.size": lambda x: np.size(x),
    "np.ndim": lambda x: np.ndim(x),
    "len": lambda x: len(x),
    "shape": lambda x: (x.shape, x.ndim, x.size, x.dtype),
    "repr": lambda x: np.array_str(x),
    "format": lambda x: f"{x[0, 0]:.2f}",
    "str": lambda x: str(x),
}


# NumPy 2.5 would have np.trunc in place of np.fix; courses still use both.
@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", CALLS)
def test_a_piecewise_constant_call_is_recorded_and_lets_no_gradient_through(name):
    call = CALLS[name]

    def f(x):
        found = call(x)
        seen.append(plain(found))
        return np.sum(x * 2) + 1.5 * np.sum(found)

    seen = []
    graph = trace(f, X)
    [found] = seen
    assert isinstance(found, np.ndarray | np.generic)
    np.testing.assert_array_equal(found, call(X), strict=True)
    assert graph.value == np.sum(X * 2) + 1.5 * np.sum(call(X))
    np.testing.assert_array_equal(graph.backward().gradients[0], np.full_like(X, 2.0))


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", CALLS)
def test_a_piecewise_constant_call_is_computed_anew_on_other_arguments(name):
    call = CALLS[name]

    def f(x):
        return np.sum(x * x) + np.sum(call(x) * 1.5)

    other = np.array([[-0.7, 2.2, 0.0], [1.5, -3.1, 4.6]])
    graph = trace(f, X)
    printed = {}
    exec(graph.to_numpy(), printed)
    assert graph.evaluate(other) == f(other)
    runs = [graph.compile(), printed[f"{graph.function_name}_and_gradient"]]
    if np.shape(call(X)) != np.shape(call(other)):  # how many are found is a decision
        with pytest.raises(ValueError, match="line"):
            runs.pop()(other)
    for run in runs:
        found, [gradient] = run(other)
        np.testing.assert_allclose(found, f(other), rtol=1e-15)
        np.testing.assert_array_equal(gradient, 2 * other)


@pytest.mark.parametrize("name", PLAIN)
def test_what_does_not_depend_on_the_entries_is_plain(name):
    seen = []

    def f(x):
        seen.append(PLAIN[name](x))
        return np.sum(x)

    graph = trace(f, X)
    [found], expected = seen, PLAIN[name](X)
    assert isinstance(found, type(expected))
    assert found == expected
    assert {node.op for node in graph.nodes} <= {None, "getitem", "sum"}


def test_branches_and_masks_see_the_numbers():
    def f(x):
        if x[0] > 0 and math.isfinite(len(x)):
            return np.sum(x[x > 0])
        return np.sum(x)

    positive, negative = np.array([1.0, -2.0, 3.0]), np.array([-1.0, -2.0, 3.0])
    for traced, other in ((positive, negative), (negative, positive)):
        graph = trace(f, traced)
        assert graph.value == f(traced)
        assert graph.evaluate(other) == f(other)
        assert graph.compile()(other)[0] == f(other)


def test_what_only_a_decision_needs_is_no_node():
    def f(x):
        return x * 2 if np.argmax(x) > 1 and np.any(x > 2) else x * 3

    assert [node.op for node in trace(f, np.arange(1.0, 4.0)).nodes] == [None, "multiply"]


def test_steps_are_taken_as_counts_and_positions_where_python_needs_them():
    def f(x):
        total, place = 0.0, int(np.argmax(x))
        for k in range(int(np.floor(x[0]))):
            total = total + x[k] * (k + 1)
        return total + x[place] ** 2 + [10.0, 20.0, 30.0][np.argmin(x)] + WEIGHTS[place] * x[0]

    for traced, other in ((THREE, TWO), (TWO, THREE)):
        graph = trace(f, traced)
        run = graph.compile()
        for x in (traced, other, traced):
            assert graph.evaluate(x) == f(x)
            value, [gradient] = run(x)
            assert value == f(x)
            np.testing.assert_array_equal(gradient, trace(f, x).backward().gradients[0])


WEIGHTS = np.array([3.0, 5.0, 7.0])
THREE, TWO = np.array([3.5, 1.0, 4.0]), np.array([2.5, 3.0, 0.5])


def test_a_flat_result_may_go_to_a_plain_array():
    place = np.zeros(3)

    def f(x):
        place[:] = np.floor(x)
        return np.sum(x)

    trace(f, np.array([1.5, 2.5, -0.5]))
    np.testing.assert_array_equal(place, [1.0, 2.0, -1.0])

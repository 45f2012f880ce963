"""Functions without a slope: inside a trace they give plain values and no node."""

import math

import numpy as np
import pytest

from backprop_nb.tracing import trace
from backprop_nb.tracing.rules import PLAIN_FUNCTIONS, TABLE

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
    "np.array_equal": lambda x: np.array_equal(x, X),
    "np.searchsorted": lambda x: np.searchsorted(np.arange(3.0), x),
    "np.digitize": lambda x: np.digitize(x, [0.0, 1.0]),
    "np.fix": lambda x: np.fix(x),
    "np.around": lambda x: np.around(x, 1),
    "np.trunc": lambda x: np.trunc(x),
    "np.argwhere": lambda x: np.argwhere(x > 0),
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
    "np.shape": lambda x: np.shape(x),
    "np.size": lambda x: np.size(x),
    "np.zeros_like": lambda x: np.zeros_like(x),
    "np.ones_like": lambda x: np.ones_like(x, dtype=np.float32),
    "astype(int)": lambda x: x.astype(int),
    "astype(bool)": lambda x: x.astype("bool"),
    "len": lambda x: len(x),
    "shape": lambda x: (x.shape, x.ndim, x.size, x.dtype),
    "repr": lambda x: np.array_str(x),
    "format": lambda x: f"{x[0, 0]:.2f}",
    "str": lambda x: str(x),
    "round": lambda x: round(x[0, 0]),
}


# NumPy 2.5 would have np.trunc in place of np.fix; courses still use both.
@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", CALLS)
def test_a_piecewise_constant_call_gives_numpys_plain_answer_and_no_node(name):
    seen = []

    def f(x):
        seen.append(CALLS[name](x))
        return x[0, 0]

    graph = trace(f, X)
    [found], expected = seen, CALLS[name](X)
    assert type(found) is type(expected)
    np.testing.assert_equal(found, expected)
    assert {node.op for node in graph.nodes} <= {None, "getitem", "add"}


def test_branches_and_masks_see_the_numbers():
    def f(x):
        if x[0] > 0 and math.isfinite(len(x)):
            return np.sum(x[x > 0])
        return np.sum(x)

    assert trace(f, np.array([1.0, -2.0, 3.0])).value == 4.0
    assert trace(f, np.array([-1.0, -2.0, 3.0])).value == 0.0


def test_no_function_is_both_flat_and_differentiable():
    assert not PLAIN_FUNCTIONS & TABLE.keys()


def test_a_flat_result_may_go_to_a_plain_array():
    place = np.zeros(3)

    def f(x):
        np.floor(x, out=place)
        return np.sum(x)

    trace(f, np.array([1.5, 2.5, -0.5]))
    np.testing.assert_array_equal(place, [1.0, 2.0, -1.0])

"""Shapes: what courses squeeze, select and cast, in the printed program too."""

import numpy as np
import pytest

from backprop_nb.errors import InPlaceError
from backprop_nb.tracing import trace


@pytest.mark.parametrize(
    "f",
    [
        lambda y: np.squeeze(-(y.T @ y) / 3),
        lambda y: (y.T @ y).squeeze(),
        lambda y: (y.T @ y).reshape(()),
    ],
    ids=["function", "method", "reshape"],
)
def test_a_loss_of_shape_1_1_that_is_squeezed_compiles(f):
    graph = trace(f, np.arange(3.0).reshape(3, 1))
    value, (d_y,) = graph.compile()(np.arange(3.0).reshape(3, 1))
    np.testing.assert_array_equal(value, graph.value)
    np.testing.assert_array_equal(d_y, graph.backward().gradients[0])


def test_the_first_true_condition_of_select_wins():
    def f(x):
        return np.select([x > 2, x > 1], [x**2, 10 * x], -x)

    x = np.array([0.5, 1.5, 2.5])
    graph = trace(f, x)
    np.testing.assert_array_equal(graph.value, f(x))
    np.testing.assert_array_equal(graph.backward(np.ones(3)).gradients[0], [-1.0, 10.0, 5.0])


def test_select_keeps_float32_beside_plain_numbers():
    graph = trace(lambda x: np.select([x > 0], [x], 0.0), np.ones(2, np.float32))
    assert graph.value.dtype == np.float32
    assert graph.backward(np.ones(2)).gradients[0].dtype == np.float32


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.squeeze(x[None]),
        lambda x: np.atleast_2d(x),
        lambda x: np.moveaxis(x[None], 0, 1),
        lambda x: np.flip(x),
        lambda x: x[None].mT,
        lambda x: np.diagonal(x[None]),
    ],
    ids=["squeeze", "atleast_2d", "moveaxis", "flip", "mT", "diagonal"],
)
def test_a_view_of_another_array_cannot_be_changed_in_place(f):
    def change(x):
        y = x * 1
        view = f(y)
        view += 1
        return y

    with pytest.raises(InPlaceError, match="of which a view exists"):
        trace(change, np.ones(3))


@pytest.mark.skipif(not hasattr(np, "astype"), reason="np.astype came with NumPy 2.1")
def test_the_function_astype_is_the_method():
    graph = trace(lambda x: np.astype(x, np.float32) * 2, np.ones(2))
    assert [node.op for node in graph.nodes][1:] == ["astype", "multiply"]
    assert graph.value.dtype == np.float32

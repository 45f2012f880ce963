"""Assignment in place, as a function that leaves its argument alone."""

import numpy as np
import pytest
from rule_checks import MASK, RowTests, assert_differentiable, case

from backprop_nb.errors import ShapeError
from backprop_nb.tracing import trace
from backprop_nb.tracing.rules.assignment import assigned

TWICE = np.array([0, 2, 0])

CASES = {
    "assigned": [
        case((3,), (), at=[1]),
        case((3,), (3,), at=[...]),
        case((3,), (2,), at=[slice(1, None)]),
        case((2, 3), (3,), at=[0]),
        case((2, 3), (), at=[(slice(None), 1)]),
        case((2, 3), (3,), at=[slice(None)]),
        case((2, 3), (2, 1), at=[(..., slice(None, None, -2))]),
        case((3,), (3,), at=[TWICE]),
        case((2, 3), (2, 3), at=[(slice(None), TWICE)]),
        case((3,), (2,), at=[MASK]),
        case((3,), (), (), at=[0, 2]),
        case((4, 2), (2,), (1,), at=[1, (slice(2, None), 0)]),
        case((3,), 2.0, at=[1]),
        case((0, 2), (2,), at=[slice(None)]),
        # NumPy takes more axes than there is room for, if they are of length 1.
        case((2, 3), (1, 3), at=[0]),
        case((2, 3), (1, 1, 1), at=[0]),
        case((2, 3), (1, 2, 3), at=[...]),
        case((2, 3), (1, 1, 3), at=[slice(1, None)]),
        case((3,), (1, 3), at=[TWICE]),
    ],
}

FORMS = {
    "assigned": [
        lambda x, y: assigned(x, y, at=[...]),
        lambda x, y: assigned(x, y, at=(...,)),
    ],
}


class TestRows(RowTests):
    """The tests that every row shares."""


def test_the_argument_stays_as_it_was():
    x = np.zeros(3)
    assert assigned(x, 5.0, at=[1]).tolist() == [0.0, 5.0, 0.0]
    assert x.tolist() == [0.0, 0.0, 0.0]


def test_of_positions_named_twice_the_last_one_receives_the_adjoint():
    graph = trace(lambda x, y: assigned(x, y, at=[TWICE]), np.zeros(3), np.ones(3))
    [x, y] = graph.backward(np.array([1.0, 10.0, 100.0])).gradients
    assert (x.tolist(), y.tolist()) == ([0.0, 10.0, 0.0], [0.0, 100.0, 1.0])


def test_a_stretched_value_receives_the_sum():
    graph = trace(lambda x, y: assigned(x, y, at=[...]), np.zeros((2, 3)), np.ones(3))
    [x, y] = graph.backward(np.ones((2, 3))).gradients
    np.testing.assert_array_equal(x, 0.0)
    np.testing.assert_array_equal(y, 2.0)


def test_a_row_of_a_matrix_product_receives_an_adjoint_of_its_own_shape():
    def rows(x, W):
        out = np.zeros((2, 3))
        for k in range(2):
            out[k] = x[k : k + 1] @ W  # of shape (1, 3)
        return np.sin(out)

    rng = np.random.default_rng(0)
    assert_differentiable(rows, rng.normal(size=(2, 2)), rng.normal(size=(2, 3)))


def test_an_array_without_axes_is_assigned_to_by_a_mask():
    def positive(x):
        largest = np.zeros(np.max(x).shape)
        largest[...] = np.max(x)
        largest[largest < 0] = 0.0
        return largest * 3.0

    assert_differentiable(positive, np.array([1.0, -2.0]))
    assert_differentiable(positive, np.array([-1.0, -2.0]))


def test_a_recorded_mask_and_recorded_positions():
    def masked(x):
        return assigned(x, x[::-1] ** 2, at=[x > 0]) if np.sum(x > 0) == 3 else x * 0

    def placed(x):
        return assigned(x, x[0] * x[1], at=[np.argmax(x)])

    assert_differentiable(placed, np.array([0.5, 2.0, -1.0]))
    assert_differentiable(masked, np.array([0.5, 2.0, 1.0]))


def test_what_does_not_fit_is_said():
    with pytest.raises(ShapeError, match="expected: a value that fits into the entries"):
        trace(lambda x: assigned(x, x, at=[slice(1, None)]), np.ones(3))


def test_what_a_mask_keeps_is_one_line_on_the_way_back():
    def leaky(x):
        h = x * 2
        h[h < 0] *= 0.1
        return np.sum(h**2)

    def hinge(x):
        h = x * 2
        h[h < 0] = 0
        return np.sum(h**2)

    x = np.array([[0.5, -2.0], [-1.0, 3.0]])
    assert "d_h1 = np.where(v1, 0.0, d_h2)\n" in trace(hinge, x).to_numpy()
    assert "np.where(v1, 0.0, d_h2) + scatter_add(" in trace(leaky, x).to_numpy()
    for f in (leaky, hinge):
        assert_differentiable(f, x)
        single = trace(f, x.astype("f")).compile()(x.astype("f"))
        assert single[1][0].dtype == np.float32

"""Norms at their kinks, and inverses."""

import numpy as np
import pytest
from nonempty import nonempty
from rule_checks import RowTests, case, gradient, ways

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import trace

CASES = {
    "norm": [
        case((3,)),
        case((2, 3)),
        case((2, 3, 4)),
        case((3,), ord=2),
        case((3,), ord=1),
        case((3,), ord=np.inf),
        case((2, 3), ord="fro"),
        case((2, 3), axis=1),
        case((2, 3), ord=1, axis=0),
        case((2, 3), ord=np.inf, axis=-1, keepdims=True),
        case((2, 3, 4), axis=(0, 2)),
        case((2, 3), keepdims=True),
    ],
    "inv": [case((2, 2)), case((3, 3)), case((4, 2, 2))],
    "solve": [
        case((2, 2), (2,)),
        case((2, 2), (2, 3)),
        case((4, 2, 2), (2,)),
        case((4, 2, 2), (4, 2, 3)),
        case((4, 2, 2), (2, 3)),
        case((2, 2), (4, 2, 3)),
    ],
}

# Ways to write one and the same call.
FORMS = {
    "norm": ways(np.linalg.norm, ord=2, axis=1, keepdims=True),
    "inv": ways(np.linalg.inv, on=lambda x: (x[:, :2],)),
    "solve": ways(np.linalg.solve, of=2, on=lambda x, y: (x[:, :2], y)),
}


class TestRows(RowTests):
    """The tests that every row shares."""


def test_one_row_of_zeros_leaves_the_norms_of_the_others_alone():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    found = gradient(lambda x: np.sum(np.linalg.norm(x, axis=1)), x)
    np.testing.assert_allclose(found, [[0.0, 0.0], [0.6, 0.8]])


@pytest.mark.parametrize("f", [np.linalg.inv, lambda A: np.linalg.solve(A, A[0])])
def test_a_singular_matrix_is_said_to_be_singular(f):
    with pytest.raises(BackpropError, match="Singular matrix"):
        trace(f, np.ones((2, 2)))


def test_the_functions_of_linalg_that_have_a_twin_are_recorded_as_it():
    x = np.arange(6.0).reshape(2, 3)
    twins = {
        "matmul": lambda x: np.linalg.matmul(x, x.T),
        "outer": lambda x: np.linalg.outer(x[0], x[1]),
        "cross": lambda x: np.linalg.cross(x[0], x[1]),
        "diagonal": lambda x: np.linalg.diagonal(x, offset=1),
        "norm": lambda x: np.linalg.matrix_norm(x, keepdims=True),
        "norm of a vector": lambda x: np.linalg.vector_norm(x, axis=1, ord=1),
        "norm of all": lambda x: np.linalg.vector_norm(x),
    }
    for name, f in nonempty(twins.items()):
        graph = trace(f, x)
        assert graph.output.op == name.split()[0]
        np.testing.assert_array_equal(graph.value, f(x))


def test_a_twin_refuses_what_numpy_refuses():
    with pytest.raises(TypeError, match=r"np\.linalg\.outer cannot be traced"):
        trace(lambda x: np.linalg.outer(x, x), np.ones((2, 3)))

"""Lists of traced values as the arrays that they stand for."""

import functools

import numpy as np
import pytest
from rule_checks import RowTests, assert_differentiable, case

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import trace
from backprop_nb.tracing.rules.lists import ARRAY, Nested

X = np.array([[1.5, -0.5, 2.5], [0.25, 3.5, -2.0]])


def plan(*arrays, plan):
    return np.array(plan(*arrays))


CASES = {
    "array": [
        case((), (), plan=lambda a, b: [a, b]),
        case((), (), plan=lambda a, b: [[a, 1.0], [2.0, b]]),
        case((3,), (3,), plan=lambda a, b: [a, b]),
        case((), (), (), plan=lambda a, b, c: (a, (b, c)[1], b)),
        case((2, 3), plan=lambda a: [a]),
        case((), plan=lambda a: [[[a]]]),
        case((), 2.0, plan=lambda a, b: [a, b]),
    ],
}

FORMS = {
    "array": [
        lambda x, y: np.array([x, y]),
        lambda x, y: np.array((x, y)),
        lambda x, y: np.asarray([x, y]),
        lambda x, y: np.array(object=[x, y]) if False else np.asanyarray([x, y]),
    ],
}

CALLED = {"array": plan}


class TestRows(RowTests):
    """The tests that every row shares."""


def grown(x):
    values = []
    for row in x:
        for v in row:
            values.append(v * v if not values else v + values[-1])
    return np.array(values)


WRITTEN = {
    "grown in a loop": grown,
    "comprehension": lambda x: np.array([[v * v for v in row] for row in x]),
    "np.sum of a list": lambda x: np.sum([v**2 for v in x[0]]),
    "np.sum, axis": lambda x: np.sum([row * k for k, row in enumerate(x)], axis=0),
    "np.mean": lambda x: np.mean([x[0, 0], x[1, 1] ** 2]),
    "np.max": lambda x: np.max([x[0, 0], x[1, 1], 0.0]) * np.argmax([x[0, 0], x[1, 1]]),
    "np.dot": lambda x: np.dot([x[0, 0], 2.0, x[1, 1]], x[0]),
    "np.stack": lambda x: np.stack([x[0], x[1] ** 2], axis=1),
    "np.concatenate": lambda x: np.concatenate([[x[0, 0]], x[1], [1.0]]),
    "np.c_": lambda x: np.c_[x, np.ones(2), x[:, 0] ** 2],
    "np.r_": lambda x: np.r_[x[0], 1.0, x[1, 0] ** 2, [2.0, 3.0]],
    "np.append": lambda x: np.append(np.append([], x[0]), x[1, 1] ** 2),
    "np.vstack": lambda x: np.vstack([x, [x[0, 0], 1.0, 2.0]]),
    "one twice": lambda x: np.array([x[0], x[1], x[0]]) ** 2,
    "np.atleast_1d": lambda x: np.concatenate(np.atleast_1d(x[0, 0], x[0])),
    "operand": lambda x: x[0] * np.array([x[1, 0], 1.0, 2.0]) + np.asarray([1.0, 2.0, x[0, 0]]),
    "prepared rows": lambda x: np.array([np.zeros(3), x[0]]) + np.array([[1.0, 2.0, x[1, 0]]] * 2),
    "sum of Python's": lambda x: np.array(sum([row**2 for row in x])),
    "dtype": lambda x: np.array([x[0, 0], 2], dtype=float) ** 2,
    "reduce": lambda x: np.array(functools.reduce(lambda a, b: a * b, list(x[0]))),
    "min of Python's": lambda x: np.array([min(x[0]), max(x[1])]),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_list_stands_for_the_array(name):
    assert_differentiable(WRITTEN[name], X)


def test_it_is_one_node_that_prints_as_it_was_written():
    graph = trace(lambda x: np.sum(np.array([x[0], 1.0, x[2] * x[1]]) ** 2), np.arange(1.0, 4.0))
    assert [node.op for node in graph.nodes].count("array") == 1
    assert "np.array([" in graph.to_numpy()


def test_the_array_can_be_assigned_to():
    def f(x):
        made = np.array([x[0, 0], 2.0, 3.0])
        made[1] = x[1, 1]
        made *= made
        return made

    assert_differentiable(f, X)


def test_where_each_array_stands():
    nested = Nested([[1.0, 2.0], 3.0])
    assert nested.paths == {}
    assert repr(nested) == "[[1.0, 2.0], 3.0]"
    assert ARRAY.function.__name__ == "array"


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.array([x[0], x[:1]]),
        lambda x: np.array([x[0, 0]], dtype=int),
        lambda x: np.array([x[0, 0]], dtype=object),
        lambda x: np.array([x[0, 0], "one"]),
        lambda x: np.array([x[0, 0], 1j]),
    ],
    ids=["ragged", "int", "object", "text", "complex"],
)
def test_what_is_no_array_of_floats_is_refused_at_the_line(f):
    with pytest.raises(BackpropError, match=r"test_lists\.py"):
        trace(f, X)

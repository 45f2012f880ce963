"""Lists of traced values as the arrays that they stand for."""

import functools

import numpy as np
from rule_checks import MadeTests, RefusedTests, RowTests, case

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


def assigned(x):
    made = np.array([x[0, 0], 2.0, 3.0])
    made[1] = x[1, 1]
    made *= made
    return made


def grown(x):
    values = []
    for row in x:
        for v in row:
            values.append(v * v if not values else v + values[-1])
    return np.array(values)


MADE = {
    "grown in a loop": (grown, X),
    "assigned to": (assigned, X),
    "comprehension": (lambda x: np.array([[v * v for v in row] for row in x]), X),
    "np.sum of a list": (lambda x: np.sum([v**2 for v in x[0]]), X),
    "np.sum, axis": (lambda x: np.sum([row * k for k, row in enumerate(x)], axis=0), X),
    "np.mean": (lambda x: np.mean([x[0, 0], x[1, 1] ** 2]), X),
    "np.max": (lambda x: np.max([x[0, 0], x[1, 1], 0.0]) * np.argmax([x[0, 0], x[1, 1]]), X),
    "np.dot": (lambda x: np.dot([x[0, 0], 2.0, x[1, 1]], x[0]), X),
    "np.stack": (lambda x: np.stack([x[0], x[1] ** 2], axis=1), X),
    "np.concatenate": (lambda x: np.concatenate([[x[0, 0]], x[1], [1.0]]), X),
    "np.c_": (lambda x: np.c_[x, np.ones(2), x[:, 0] ** 2], X),
    "np.r_": (lambda x: np.r_[x[0], 1.0, x[1, 0] ** 2, [2.0, 3.0]], X),
    "np.append": (lambda x: np.append(np.append([], x[0]), x[1, 1] ** 2), X),
    "np.vstack": (lambda x: np.vstack([x, [x[0, 0], 1.0, 2.0]]), X),
    "one twice": (lambda x: np.array([x[0], x[1], x[0]]) ** 2, X),
    "np.atleast_1d": (lambda x: np.concatenate(np.atleast_1d(x[0, 0], x[0])), X),
    "operand": (
        lambda x: x[0] * np.array([x[1, 0], 1.0, 2.0]) + np.asarray([1.0, 2.0, x[0, 0]]),
        X,
    ),
    "prepared rows": (
        lambda x: np.array([np.zeros(3), x[0]]) + np.array([[1.0, 2.0, x[1, 0]]] * 2),
        X,
    ),
    "sum of Python's": (lambda x: np.array(sum([row**2 for row in x])), X),
    "dtype": (lambda x: np.array([x[0, 0], 2], dtype=float) ** 2, X),
    "reduce": (lambda x: np.array(functools.reduce(lambda a, b: a * b, list(x[0]))), X),
    "min of Python's": (lambda x: np.array([min(x[0]), max(x[1])]), X),
}
REFUSED = {
    "ragged": (lambda x: np.array([x[0], x[:1]]), X, "np.array does not fit"),
    "int": (lambda x: np.array([x[0, 0]], dtype=int), X, "np.array with these arguments"),
    "object": (lambda x: np.array([x[0, 0]], dtype=object), X, "np.array with these arguments"),
    "text": (lambda x: np.array([x[0, 0], "one"]), X, "np.array with these arguments"),
    "complex": (lambda x: np.array([x[0, 0], 1j]), X, "np.array with these arguments"),
}


class TestRows(RowTests):
    """The tests that every row shares."""


class TestMade(MadeTests):
    """The tests that calls made of others share."""


class TestRefused(RefusedTests):
    """The tests that refused calls share."""


def test_it_is_one_node_that_prints_as_it_was_written():
    graph = trace(lambda x: np.sum(np.array([x[0], 1.0, x[2] * x[1]]) ** 2), np.arange(1.0, 4.0))
    assert [node.op for node in graph.nodes].count("array") == 1
    assert "np.array([" in graph.to_numpy()


def test_where_each_array_stands():
    nested = Nested([[1.0, 2.0], 3.0])
    assert nested.paths == {}
    assert repr(nested) == "[[1.0, 2.0], 3.0]"
    assert ARRAY.function.__name__ == "array"

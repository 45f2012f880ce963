import ast

import numpy as np
import pytest

from backprop_nb.checking.lines.program import blocks
from backprop_nb.checking.lines.rewrites import additions, rewrites
from backprop_nb.checking.lines.scope import Scope, computes_only


def slope(z):
    return 1 - np.tanh(z) ** 2


def student(W, x, sums):
    z = W @ x
    a = np.tanh(z)
    d = W.T @ a
    zs = [z, a]
    for k in range(1, 2):
        d = zs[-1] - zs[k]
    sums["d"] = d
    return np.sum(d * a, axis=0)


ARGUMENTS = [np.eye(2), np.ones(2), {}]


def written(ways, line):
    """Return how a line can be written."""
    [block] = blocks(student, ARGUMENTS)
    scope = Scope(block, ["slope"], {2.0: "2"})
    first = block.node.lineno
    [statement] = [each for each in block.statements if each.lineno == first + line]
    return {ast.unparse(each.way) for each in ways(scope, statement)}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (1, "z = x @ W"),
        (1, "z = W.T @ x"),
        (1, "z = W * x"),
        (1, "z = W @ z"),
        (2, "a = z"),
        (2, "a = np.exp(z)"),
        (2, "a = slope(z)"),
        (2, "a = np.tanh(-z)"),
        (3, "d = W @ a"),
        (5, "range(0, 2)"),
        (6, "d = zs[k] - zs[k]"),
        (6, "d = zs[-1] + zs[k]"),
        (6, "d = zs[-1] - zs[k - 1]"),
        (6, "d += zs[-1] - zs[k]"),
        (6, "d = zs[-1]"),
        (8, "return np.sum(d * a, axis=1)"),
        (8, "return np.mean(d * a, axis=0)"),
    ],
)
def test_a_line_is_written_as_a_person_would(line, text):
    assert text in written(rewrites, line)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (3, "d = (W.T @ a) * slope(z)"),
        (3, "d = (W.T @ a) * (1 - a ** 2)"),
        (3, "d = (W.T @ a) * 2.0"),
        (2, "a = np.tanh(z) + x"),
    ],
)
def test_what_is_missing_is_taken_from_what_is_there(line, text):
    text = ast.unparse(ast.parse(text))
    assert text in written(additions, line)


def test_only_arrays_that_fit_are_added():
    assert not any("+ W" in each for each in written(additions, 2))


def shouts(z):
    print(z)
    return z


def through_a_helper(z):
    return slope(z) * 2


@pytest.mark.parametrize(
    ("function", "expected"), [(slope, True), (through_a_helper, True), (shouts, False)]
)
def test_a_function_that_did_not_run_is_tried_if_it_is_nothing_but_formulas(function, expected):
    assert computes_only(function) == expected

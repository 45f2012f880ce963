"""What is true in the place of what is wrong: found wherever a function can be run."""

import math

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.lines.followed import traced
from backprop_nb.checking.lines.known import Known
from backprop_nb.checking.lines.quantities import Quantities
from backprop_nb.checking.lines.runs import Runs, Trial

rng = np.random.default_rng(0)
X, T = rng.standard_normal((5, 2)), rng.standard_normal((5, 2))
ARGS = [rng.standard_normal(shape) for shape in ((2, 3), (3, 2))]
OTHER = [rng.standard_normal(shape) for shape in ((2, 3), (3, 2))]


def loss(W1, W2):
    h = np.tanh(X @ W1)
    return np.sum((h @ W2 - T) ** 2)


def right(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 - T)
    return [X.T @ (e @ W2.T * (1 - h**2)), h.T @ e]


def odd_error(W1, W2):
    h = np.tanh(X @ W1)
    e = np.cos(h @ W2) + np.cumsum(T)[0]
    d = e @ W2.T * (1 - h**2)
    return [X.T @ d, h.T @ e]


def odd_slope(W1, W2):
    h = np.array([[math.tanh(each) for each in row] for row in X @ W1])
    e = 2 * (h @ W2 - T)
    d = np.sin(e @ W2.T)
    dW1 = X.T @ d
    return [dW1, h.T @ e]


def half_error(W1, W2):
    h = np.tanh(X @ W1)
    e = np.cos(h @ W2)
    return [2 * X.T @ (e @ W2.T * (1 - h**2)), 2 * h.T @ e]


def changed_in_place(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2)
    e -= np.exp(T)
    return [X.T @ (e @ W2.T * (1 - h**2)), h.T @ e]


def in_rounds(W1, W2):
    dW1, dW2 = np.zeros_like(W1), np.zeros_like(W2)
    for x, t in zip(X, T, strict=True):
        h = np.tanh(x @ W1)
        e = np.cos(h @ W2 - t)
        dW1 += np.outer(x, W2 @ e * (1 - h**2))
        dW2 += np.outer(h, e)
    return [dW1, dW2]


def cosine_for_slope(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 - T)
    d = e @ W2.T * np.cos(h)
    return [X.T @ d, h.T @ e]


def twice(W1, W2):
    h = np.tanh(X @ W1)
    e = 2 * (h @ W2 - T)
    d = e @ W2.T * (1 - h**2)
    dW1 = np.sin(X.T @ d)
    dW2 = np.cos(h.T @ e)
    return [dW1, dW2]


def quantities(gradient):
    """Return the search in a function at two choices of its arguments."""
    knowns = [Known(traced(loss, args, {0, 1})) for args in (ARGS, OTHER)]
    here, other = (
        Trial(args, known.adjoints[:2]) for args, known in zip((ARGS, OTHER), knowns, strict=True)
    )
    return Quantities(Runs(gradient, here, [other], {}), knowns, (knowns[0], here))


def told(gradient, meant):
    """Return the line of an expression from that of its function, and what it should give."""
    known = Known(traced(loss, ARGS, {0, 1}))
    return meant.slot.line - gradient.__code__.co_firstlineno, known.symbol(meant.piece.key)


@pytest.mark.parametrize(
    ("gradient", "line", "symbols"),
    [
        (odd_error, 2, {"∂L/∂(h @ W2)", "∂L/∂(h @ W2 - T)"}),
        (odd_slope, 3, {"∂L/∂(X @ W1)"}),
        (half_error, 2, {"∂L/∂(h @ W2)", "∂L/∂(h @ W2 - T)", "h @ W2 - T"}),
        (changed_in_place, 3, {"∂L/∂(h @ W2)", "∂L/∂(h @ W2 - T)"}),
        (in_rounds, 4, {"∂L/∂(h @ W2)", "∂L/∂(h @ W2 - T)"}),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_the_first_that_is_wrong_costs_least_and_is_named(gradient, line, symbols):
    found = sorted(quantities(gradient).alone(), key=lambda each: each.cost)
    its, symbol = told(gradient, found[0])
    assert its == line
    assert symbol in symbols
    assert found[0].is_first
    assert found[0].fixed == {0, 1} - ({1} if gradient is odd_slope else set())
    assert not np.allclose(found[0].given, found[0].expected)


def test_with_few_runs_what_gives_something_true_has_to_wait():
    search, hurried = quantities(cosine_for_slope), quantities(cosine_for_slope)
    hurried.runs.max_runs = 60
    lines, in_few = ([each.slot.line for each in found.alone()] for found in (search, hurried))
    assert in_few == lines != []


def test_what_follows_is_not_the_first():
    later = [each for each in quantities(odd_slope).alone() if told(odd_slope, each)[0] > 3]
    assert later
    assert not any(each.is_first for each in later)


def test_a_likely_factor_goes_with_a_quantity():
    [best, *_] = sorted(quantities(half_error).alone(), key=lambda each: each.cost)
    known = Known(traced(loss, ARGS, {0, 1}))
    np.testing.assert_allclose(
        2 * best.expected, known.arrays[best.piece.key] * known.numbers[best.piece.factor] * 2
    )
    np.testing.assert_allclose(best.expected, np.tanh(X @ ARGS[0]) @ ARGS[1] - T)


def test_two_expressions_are_each_the_first_of_a_gradient():
    assert quantities(twice).alone() == []
    ways = quantities(twice).pairs()
    assert ways
    assert {told(twice, each)[0] for each in ways[0]} == {4, 5}
    assert {each.fixed for each in ways[0]} == {frozenset({0}), frozenset({1})}


def test_nothing_is_meant_otherwise_where_all_is_right():
    assert quantities(right).alone() == []


def test_the_function_is_as_before():
    code = odd_error.__code__
    quantities(odd_error).alone()
    assert odd_error.__code__ is code


def test_a_quantity_explains_what_a_line_written_otherwise_leaves():
    x, y = np.random.default_rng(2).normal(size=(2, 5, 3))

    def loss(w, b):
        return np.mean((x @ w + b - y[:, 0]) ** 2)

    def gradient(w, b):
        prediction = np.full(len(x), b)
        for j in range(len(w)):
            prediction = w[j] * x[:, j]
        slope = 2 * (prediction - y[:, 0]) / len(x)
        db = slope[0]
        return x.T @ slope, db

    first = gradient.__code__.co_firstlineno
    report = bp.check_gradient(loss, gradient, np.array([0.4, -1.1, 0.7]), 0.3)
    told = {each.line - first: each for each in report.findings if each.line is not None}
    assert told[3].repair == "write += in place of ="
    assert told[5].quantity == "∂L/∂b"

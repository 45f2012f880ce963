"""Functions that compute something else when they run again are found; others are not."""

import itertools
import random
import sys
import time

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.tracing.purity import is_impure

X = np.array([[1.5, -0.5, 2.5], [0.25, 3.5, -2.0]])
RNG = np.random.default_rng(1)
DRAW = np.random.default_rng(2).standard_normal


def with_a_generator_around():
    rng = np.random.default_rng(3)
    return lambda x: np.sum(x * rng.random(x.shape))


DRAWING = {
    "legacy": lambda x: np.sum(x * (np.random.rand(*x.shape) < 0.5)),
    "Python's": lambda x: x[0, 0] * random.random(),
    "position": lambda x: x[random.randint(0, 1), 0],
    "decision": lambda x: np.sum(x) if random.random() < 0.5 else np.sum(x * 2),
    "generator": lambda x: np.sum(x * RNG.random(x.shape)),
    "its method": lambda x: np.sum(x * DRAW(x.shape)),
    "generator around": with_a_generator_around(),
    "without a seed": lambda x: np.sum(x * np.random.default_rng().random(x.shape)),
    "stopped": lambda x: np.sum(x * bp.stop_gradient(x)),
}


history, numbers = [], itertools.count()


def growing(x):
    history.append(1.0)
    return np.sum(x) * len(history)


class Counter:
    def __init__(self):
        self.calls, self.mean = 0, np.zeros(3)

    def step(self, x):
        self.calls += 1
        return np.sum(x * self.calls)

    def averaged(self, x):
        self.mean *= 0.9
        self.mean += 0.1
        return np.sum(x * self.mean)


# Wherever it is kept: the function runs again, and its code is not looked at.
KEEPING = {
    "list": growing,
    "iterator": lambda x: np.sum(x) * next(numbers),
    "clock": lambda x: np.sum(x) * time.perf_counter_ns(),
    "attribute": Counter().step,
    "running mean": Counter().averaged,
    "generator": with_a_generator_around(),
}


class Cache:
    weights = None

    def __call__(self, x):
        if self.weights is None:
            self.weights = np.ones(3)
        self.z = x * self.weights
        return np.sum(self.z**2)


class Buffered:
    def __call__(self, x):
        self.out = np.empty((2, 3))
        self.out[0] = x[0]
        self.out[1] = x[1] * np.empty_like(x[1]).shape[0]
        return np.sum(self.out**2)


def logged(x):
    history.append("a line")
    return np.sum(x)


REPEATABLE = {
    "kept for later": Cache(),
    "logged": logged,
    "not filled at first": Buffered(),
    "filled": lambda x: np.sum(np.array([row.append(v) or v for row in [[]] for v in x[0]])),
    "arithmetic": lambda x: np.sum(x**2),
    "seeded": lambda x: np.sum(x * np.random.default_rng(0).random(x.shape)),
    "seeded permutation": lambda x: x.ravel()[np.random.RandomState(0).permutation(6)] @ X.ravel(),
    "masks": lambda x: np.sum(x[x > 0]),
    "assignments": lambda x: np.sum(np.add(x, 1, out=np.zeros((2, 3))) ** 2),
}


@pytest.mark.parametrize("name", DRAWING)
def test_a_function_that_draws_is_found(name):
    assert is_impure(bp.trace(DRAWING[name], X))


@pytest.mark.parametrize("name", KEEPING)
def test_a_function_that_keeps_something_is_never_replayed(name):
    graph = bp.trace(KEEPING[name], X)
    why = "keeps values from run to run|holds what bp.stop_gradient took out"
    with pytest.warns(bp.BackpropWarning, match=why):
        compiled = graph.compile()
    values = [compiled(X)[0] for _ in range(3)]
    assert len({float(value) for value in values}) == 3


@pytest.mark.parametrize("name", REPEATABLE)
def test_a_function_that_computes_the_same_again_is_not(name):
    assert not is_impure(bp.trace(REPEATABLE[name], X))


def test_looking_draws_nothing_from_the_global_generators():
    graph = bp.trace(DRAWING["legacy"], X)
    before = np.random.get_state()[1].tolist(), random.getstate()
    assert is_impure(graph)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


def test_evaluate_never_replays_what_was_drawn():
    graph = bp.trace(DRAWING["generator"], X)
    assert len({float(graph.evaluate(X)) for _ in range(4)}) == 4


def test_a_rule_that_was_traced_is_repeatable():
    graph = bp.trace(np.sum, X)
    [step] = graph.backward().steps
    assert not is_impure(step.contributions[0].explain().traced)


def test_printed_source_says_that_what_was_drawn_is_that_of_the_trace():
    def f(x):
        return np.sum(x * np.random.rand(3))

    assert "# What is drawn at random" in bp.trace(f, np.ones(3)).to_numpy()
    assert "drawn" not in bp.trace(lambda x: np.sum(x), np.ones(3)).to_numpy()


def test_printed_source_says_that_what_was_taken_out_is_that_of_the_trace():
    text = bp.trace(lambda x: x * bp.stop_gradient(x), 3.0).to_numpy()
    assert "# What bp.stop_gradient took out has its value at the traced arguments" in text
    assert "# graph.evaluate and graph.compile compute it anew." in text
    assert "stop_gradient" not in bp.trace(lambda x: x * 3.0, 3.0).to_numpy()


# --- captured values that change later ----------------------------------------------------


def test_what_is_captured_and_changes_later_does_not_change_the_trace():
    captured, scale = np.array([1.0, 2.0, 3.0]), [2.0]

    def f(x):
        return np.sum(x * captured) * scale[0] if x[0] > 0 else np.sum(x + captured)

    graph = bp.trace(f, np.ones(3))
    assert graph.value == 12.0
    captured *= 10
    scale[0] = 7.0
    assert graph.evaluate(2 * np.ones(3)) == 24.0
    value, [gradient] = graph.compile()(2 * np.ones(3))  # and warns of nothing
    assert value == 24.0
    assert gradient.tolist() == graph.backward().gradients[0].tolist() == [2.0, 4.0, 6.0]
    for run in (graph.evaluate, graph.compile()):
        with pytest.raises(bp.UnsupportedError, match="has changed since it was traced"):
            run(-np.ones(3))
    assert bp.trace(f, np.ones(3)).evaluate(-np.ones(3)) == 57.0


def test_what_a_function_prints_is_printed_once(capsys):
    def f(x):
        print("called")
        print("called", file=sys.stderr)
        return np.sum(x**2)

    graph = bp.trace(f, np.ones(3))
    graph.to_numpy()
    graph.compile()
    graph.describe()
    assert capsys.readouterr() == ("called\n", "called\n")

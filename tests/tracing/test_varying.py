"""How many entries a mask picks is a decision only where something depends on it."""

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp

A, B = np.array([1.0, -2.0, 3.0, -1.0]), np.array([-1.0, -2.0, -3.0, 4.0])


def scaled(x):
    y = x * 1
    y[y < 0] *= 0.1
    return np.sum(y**2)


def taken_and_put_back(x):
    y = x * 2
    y[y > 0] = np.tanh(y[y > 0]) + 1.0
    return np.sum(y**3)


def mean(x):
    return np.mean(x[x > 0]) + np.sum(x)


def counted(x):
    y = x * 1
    part = y[y < 0]
    count = part.size
    y[y < 0] = part * 0.1
    return np.sum(y) * count


def unused(x):
    part = x[x < 0]
    return np.sum(x**2) * len(part)


@pytest.mark.parametrize("f", [scaled, taken_and_put_back])
def test_no_decision_where_the_entries_go_back_to_their_places(f):
    graph = bp.trace(f, A)
    assert graph.guards == ()
    printed = {}
    exec(graph.to_numpy(), printed)
    for program in nonempty([graph.compile(), printed[f"{f.__name__}_and_gradient"]]):
        value, [gradient] = program(B)
        assert value == pytest.approx(f(B))
        np.testing.assert_allclose(gradient, bp.grad(f)(B))


@pytest.mark.parametrize("f", [mean, counted, unused])
def test_a_decision_where_something_depends_on_how_many_there_are(f):
    graph = bp.trace(f, A)
    assert [guard.asked for guard in graph.guards].count("shape") >= 1
    assert graph.evaluate(B) == pytest.approx(f(B))
    value, [gradient] = graph.compile()(B)
    assert value == pytest.approx(f(B))
    np.testing.assert_allclose(gradient, bp.grad(f)(B))

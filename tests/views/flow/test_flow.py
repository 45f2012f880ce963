"""How large the gradient is in each layer: exact factors, true bounds."""

import math
from itertools import product

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.flow.flow import Flow, norm

x = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -1.0]])
y = np.array([[1.0, 0.0], [0.0, 1.0]])


def network(activation="sigmoid", loss="squared error", scale=1.0):
    return bp.Network((3, 4, 5, 4, 2), seed=1, scale=scale, activation=activation, loss=loss)


@pytest.mark.parametrize(
    ("activation", "loss", "rows"),
    [*product(["sigmoid", "tanh", "relu", "identity"], ["squared error", "cross-entropy"], (0, 2))],
)
def test_the_factors_lead_exactly_from_norm_to_norm_and_keep_their_bounds(activation, loss, rows):
    net = network(activation, loss)
    data = (x, y) if rows else (x[0], y[0])
    found = Flow(net, *data)
    delta = net.backward(*data).delta
    for step in found.through_layers:
        i = step.layer
        assert step.before == pytest.approx(np.linalg.norm(delta[i + 1]), rel=1e-14)
        assert step.after == pytest.approx(np.linalg.norm(delta[i]), rel=1e-14)
        assert step.before * step.times_A * step.times_slope == pytest.approx(step.after, rel=1e-13)
        assert step.times_A <= step.spectral * (1 + 1e-12)
        assert step.times_slope <= step.largest * (1 + 1e-12)
        assert step.largest <= step.steepest
        assert step.steepest * step.times_saturation == pytest.approx(step.times_slope, rel=1e-14)
    assert [step.layer for step in found.through_layers] == [3, 2, 1]


def test_of_the_last_layer_the_slope_alone_stands_between_loss_and_delta():
    found = Flow(network(), x, y)
    last = found.steps[0]
    assert last.before == pytest.approx(np.linalg.norm(2 / 2 * (found.forward.f[4] - y)))
    assert last.before * last.times_slope == pytest.approx(found.norms[4], rel=1e-14)
    assert math.isnan(last.spectral)
    # With the cross-entropy no slope does.
    assert Flow(network(loss="cross-entropy"), x, y).steps[0].layer == 3


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_the_norms_are_those_of_the_tracer(activation):
    net = network(activation)
    gradients = net.trace(x, y).backward().gradients
    found = Flow(net, x, y)
    assert len(found.theta_norms) == net.K
    for i, theta_norm in enumerate(found.theta_norms):
        both = np.concatenate([np.ravel(gradients[0][i]), gradients[1][i]])
        assert theta_norm == pytest.approx(np.linalg.norm(both), rel=1e-12)


def test_a_gradient_that_has_died_has_no_factor():
    net = network("relu")
    net.b[1] = np.full(5, -100.0)  # no unit of layer 2 has a slope,
    net.b[2] = np.ones(4)  # and those of layer 3 have one
    found = Flow(net, x, y)
    second, first = found.steps[-2:]
    assert (second.after, second.times_slope) == (0.0, 0.0)
    assert math.isnan(first.times_A)
    assert math.isnan(first.times_slope)


def test_norms_too_small_to_be_squared_are_not_zero():
    assert norm(np.array([[3e-200], [4e-200]])) == pytest.approx(5e-200)
    assert norm(np.zeros(3)) == 0.0
    assert norm(np.array([1.0, np.inf])) == math.inf


def test_every_step_of_the_replay_has_one_thing_to_show():
    found = Flow(network(), x, y)
    back = [found.step_back_to(i) for i in range(found.K, 0, -1)]
    assert [*range(found.K + 1), found.loss_step, *back] == list(range(found.last_step + 1))

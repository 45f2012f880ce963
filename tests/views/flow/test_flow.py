"""How large the gradient is in each layer: exact factors, true bounds, the loss along a weight."""

import math
from itertools import product

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.flow.flow import Parameter, flow, losses_along, norm, parameter_named

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
    found = flow(net, *data)
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
    found = flow(network(), x, y)
    last = found.steps[0]
    assert last.before == pytest.approx(np.linalg.norm(2 / 2 * (found.forward.f[4] - y)))
    assert last.before * last.times_slope == pytest.approx(found.norms[4], rel=1e-14)
    assert math.isnan(last.spectral)
    # With the cross-entropy no slope does.
    assert flow(network(loss="cross-entropy"), x, y).steps[0].layer == 3


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_the_norms_are_those_of_the_tracer(activation):
    net = network(activation)
    gradients = net.trace(x, y).backward().gradients
    found = flow(net, x, y)
    for i, theta_norm in enumerate(found.theta_norms):
        both = np.concatenate([np.ravel(gradients[0][i]), gradients[1][i]])
        assert theta_norm == pytest.approx(np.linalg.norm(both), rel=1e-12)


def test_a_gradient_that_has_died_has_no_factor():
    net = network("relu")
    net.b[1] = np.full(5, -100.0)  # no unit of layer 2 has a slope,
    net.b[2] = np.ones(4)  # and those of layer 3 have one
    found = flow(net, x, y)
    second, first = found.steps[-2:]
    assert (second.after, second.times_slope) == (0.0, 0.0)
    assert math.isnan(first.times_A)
    assert math.isnan(first.times_slope)


def test_norms_too_small_to_be_squared_are_not_zero():
    assert norm(np.array([[3e-200], [4e-200]])) == pytest.approx(5e-200)
    assert norm(np.zeros(3)) == 0.0
    assert norm(np.array([1.0, np.inf])) == math.inf


@pytest.mark.parametrize("parameter", [Parameter(1, 2, 3), Parameter(2, 0)])
def test_losses_along_a_parameter_are_those_of_the_moved_network(parameter):
    net = network()
    before = [a.copy() for a in (*net.A, *net.b)]
    epsilons = [-1.0, 0.0, 0.25]
    found = losses_along(net, x, y, parameter, epsilons)
    for now, then in zip((*net.A, *net.b), before, strict=True):
        np.testing.assert_array_equal(now, then)
    for epsilon, loss in zip(epsilons, found, strict=True):
        moved = network()
        parameter.set(moved, parameter.of(moved.A, moved.b) + epsilon)
        assert loss == moved.loss(x, y)


def test_its_slope_is_the_central_difference():
    net = network("tanh")
    gradient = net.backward(x, y)
    for parameter in (Parameter(0, 1, 2), Parameter(3, 1, 0), Parameter(0, 3)):
        low, high = losses_along(net, x, y, parameter, [-1e-5, 1e-5])
        slope = parameter.of(gradient.A, gradient.b)
        assert (high - low) / 2e-5 == pytest.approx(slope, rel=1e-6)


def test_the_network_is_as_before_even_if_the_loss_fails():
    net = network()
    value = net.A[0][0, 0]
    with pytest.raises(bp.ShapeError):
        losses_along(net, x[:, :2], y, Parameter(0, 0, 0), [1.0])
    assert net.A[0][0, 0] == value


@pytest.mark.parametrize(
    "name", ["A_1[2, 3]", "A1[2,3]", " A_1[ 2 , 3 ] ", (1, 2, 3), [np.int64(1), 2, 3]]
)
def test_a_weight_may_be_named_in_many_ways(name):
    assert parameter_named(network(), name) == Parameter(1, 2, 3)


@pytest.mark.parametrize(
    "name", ["w", "", "A_1[2]", "b_1[2, 3]", 3, None, (1,), (1, -1), (1, 0.5), (True, 0)]
)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(bp.NotFoundError) as caught:
        parameter_named(network(), name)
    assert str(caught.value) == (
        "That is not the name of a weight or a bias.\n"
        f"  given:    {name!r}\n"
        '  expected: "A_1[0, 2]" or (1, 0, 2) for a weight, "b_1[0]" or (1, 0) for a bias'
    )


def test_a_parameter_that_does_not_exist_is_refused_with_what_there_is():
    with pytest.raises(bp.NotFoundError) as caught:
        parameter_named(network(), "A_1[0, 4]")
    assert str(caught.value) == (
        "This network has no A_1[0, 4].\n"
        "  given:    'A_1[0, 4]'\n"
        "  expected: an entry of A_1, of shape (5, 4), counted from 0"
    )
    with pytest.raises(bp.NotFoundError, match=r"no b_4\[0\]") as caught:
        parameter_named(network(), (4, 0))
    assert caught.value.expected == "A_0 to A_3, or b_0 to b_3"

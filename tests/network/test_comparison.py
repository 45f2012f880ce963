"""The networks of the two comparisons, against the sigmoid network, differences and the tracer."""

import numpy as np
import pytest

from backprop_nb.errors import InvalidValueError
from backprop_nb.network import ComparisonNetwork, SigmoidNetwork
from backprop_nb.network.comparison import ACTIVATIONS, LOSSES
from backprop_nb.network.theta import flatten, unflatten

KINDS = [(activation, loss) for activation in ACTIVATIONS for loss in LOSSES]


def example(activation, loss, rows=None, widths=(4, 3, 3, 2)):
    rng = np.random.default_rng(5)
    net = ComparisonNetwork(widths, seed=2, scale=1.0, activation=activation, loss=loss)
    net.b = [rng.normal(size=b.shape) for b in net.b]
    lead = () if rows is None else (rows,)
    return net, rng.normal(size=(*lead, widths[0])), rng.uniform(size=(*lead, widths[-1]))


@pytest.mark.parametrize("rows", [None, 1, 6])
def test_with_the_documents_choices_it_is_the_sigmoid_network(rows):
    net, x, y = example("sigmoid", "squared error", rows)
    same = SigmoidNetwork.from_parameters(net.A, net.b)
    assert net.loss(x, y) == same.loss(x, y)
    ours, theirs = net.backward(x, y), same.backward(x, y)
    assert all(map(np.array_equal, ours.A + ours.b, theirs.A + theirs.b))
    assert net.forward(x).z[2].tolist() == same.forward(x).z[2].tolist()


@pytest.mark.parametrize("rows", [None, 6])
@pytest.mark.parametrize(("activation", "loss"), KINDS)
def test_the_gradient_is_that_of_central_differences(activation, loss, rows):
    net, x, y = example(activation, loss, rows)
    gradient = net.backward(x, y)
    theta, h = flatten(net.A, net.b), 1e-6
    slopes = np.empty_like(theta)
    for k in range(theta.size):
        losses = []
        for nudge in (h, -h):
            nudged = theta.copy()
            nudged[k] += nudge
            net.A, net.b = unflatten(nudged, net.widths)
            losses.append(net.loss(x, y))
        slopes[k] = (losses[0] - losses[1]) / (2 * h)
    np.testing.assert_allclose(flatten(gradient.A, gradient.b), slopes, atol=1e-8)


@pytest.mark.parametrize("rows", [None, 6])
@pytest.mark.parametrize(("activation", "loss"), KINDS)
def test_the_tracer_finds_the_same(activation, loss, rows):
    net, x, y = example(activation, loss, rows)
    graph = net.trace(x, y)
    dA, db = graph.backward().gradients
    gradient = net.backward(x, y)
    assert float(graph.value) == pytest.approx(net.loss(x, y), rel=1e-13)
    np.testing.assert_allclose(flatten(dA, db), flatten(gradient.A, gradient.b), atol=1e-14)


@pytest.mark.parametrize(("activation", "loss"), KINDS)
def test_loss_and_gradient_are_those_of_loss_and_backward(activation, loss):
    net, x, y = example(activation, loss, 6)
    value, gradient = net.loss_and_gradient(x, y)
    plain = net.backward(x, y)
    assert value == net.loss(x, y)
    assert all(map(np.array_equal, gradient.A + gradient.b, plain.A + plain.b))


def test_the_cross_entropy_is_stable_however_wrong_a_saturated_output():
    net = ComparisonNetwork.from_parameters([[[1000.0]]], [[0]], loss="cross-entropy")
    assert net.loss([1], [0]) == 1000
    assert net.backward([1], [0]).delta[1] == 1


def test_a_saturated_wrong_output_learns_with_the_cross_entropy_alone():
    """The lesson on slow learning: σ′ is in one δ_K and not in the other."""
    A, b = [[[10.0]]], [[0.0]]
    squared = ComparisonNetwork.from_parameters(A, b).backward([1], [0]).A[0].item()
    entropy = ComparisonNetwork.from_parameters(A, b, loss="cross-entropy")
    assert squared < 1e-4
    assert entropy.backward([1], [0]).A[0].item() == pytest.approx(1, abs=1e-4)


def test_gradients_vanish_through_sigmoids_and_not_through_the_others():
    widths, x, y = (20,) * 12, np.linspace(-1, 1, 20), np.ones(20)

    def first_to_last(activation):
        dA = ComparisonNetwork(widths, seed=0, activation=activation).backward(x, y).A
        return np.linalg.norm(dA[0]) / np.linalg.norm(dA[-1])

    assert first_to_last("sigmoid") < 1e-5
    assert min(map(first_to_last, ("tanh", "relu", "identity"))) > 0.1


def test_saturation_is_measured_by_the_slope_of_each_activation():
    A, b = [[[5.0], [0.1], [-5.0]], np.zeros((1, 3))], [np.zeros(3), [0]]
    shares = {
        name: ComparisonNetwork.from_parameters(A, b, activation=name).saturation([1])[0]
        for name in ACTIVATIONS
    }
    assert shares == pytest.approx({"sigmoid": 2 / 3, "tanh": 2 / 3, "relu": 1 / 3, "identity": 0})


def test_it_trains_like_any_network():
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])
    net = ComparisonNetwork((2, 8, 1), seed=1, activation="tanh", loss="cross-entropy")
    net.fit(x, y, learning_rate=0.5, epochs=300, momentum=0.9, seed=0, progress=False)
    assert net(x).round().ravel().tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            {"activation": "elu"},
            "There is no such activation.\n"
            "  given:    activation = 'elu'\n"
            '  expected: "sigmoid", "tanh", "relu", "identity"',
        ),
        (
            {"loss": "hinge"},
            "There is no such loss.\n"
            "  given:    loss = 'hinge'\n"
            '  expected: "squared error", "cross-entropy"',
        ),
    ],
)
def test_an_unknown_choice_is_refused(options, expected):
    with pytest.raises(InvalidValueError) as caught:
        ComparisonNetwork((2, 1), **options)
    assert str(caught.value) == expected


def test_the_cross_entropy_refuses_targets_that_are_no_probabilities():
    net = ComparisonNetwork((2, 1), loss="cross-entropy")
    with pytest.raises(InvalidValueError) as caught:
        net.loss([[1, 2], [3, 4]], [[2], [-1]])
    assert str(caught.value) == (
        "The cross-entropy compares probabilities.\n"
        "  given:    y from -1 to 2\n"
        "  expected: y from 0 to 1"
    )


def test_repr_names_the_choices():
    net = ComparisonNetwork((2, 1), activation="tanh")
    expected = "ComparisonNetwork(widths=(2, 1), activation='tanh', loss='squared error')"
    assert repr(net) == expected

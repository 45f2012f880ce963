"""The loss along a weight: what is drawn and printed are the library's losses."""

import copy
import math

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.views.flow import weight_curve as module
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.parameter import Parameter, parameters
from backprop_nb.views.flow.weight_curve import curve_data, marks_at, places, weight_curve
from backprop_nb.views.numbers import long

x, y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0])
net = bp.SigmoidNetwork((3, 4, 4, 2), seed=0)
WEIGHT = Parameter(1, 2, 3)


def curve(parameter=WEIGHT, epsilon=0.0):
    return weight_curve(Flow(net, x, y), parameter, epsilon)


def test_losses_and_changes_are_those_of_a_network_with_the_moved_weight():
    found = curve(epsilon=0.3)
    data = curve_data(found)
    now = net.loss(x, y)
    for epsilon, loss, change, texts in zip(
        found.epsilons, found.losses, found.changes(), data["texts"], strict=True
    ):
        moved = bp.SigmoidNetwork.from_parameters(net.A, net.b)
        WEIGHT.set(moved.A, moved.b, net.A[1][2, 3] + epsilon)
        assert loss == moved.loss(x, y)
        assert change == loss - now
        linear = net.backward(x, y).A[1][2, 3] * epsilon
        wanted = (net.A[1][2, 3] + epsilon, epsilon, loss, change, linear, change - linear)
        assert list(texts.values()) == [long(each) for each in wanted]
    assert 0.3 in found.epsilons


def test_the_difference_shrinks_like_epsilon_squared():
    found = curve()
    wrong = {
        epsilon: abs(change - line)
        for epsilon, change, line in zip(
            found.epsilons, found.changes(), found.linear(), strict=True
        )
    }
    small = found.epsilons[found.epsilons.index(0.0) + 1]
    assert wrong[2 * small] / wrong[small] == pytest.approx(4, rel=0.1)
    assert wrong[0.0] == 0


def test_the_places_reach_across_zero_and_to_whatever_is_asked_for():
    assert places(-7.0)[-1] == 8.0
    assert places(0.0, 5.0)[-1] == 5.0
    assert len(places(0.0, -5.0)) == 33
    assert places(math.nan)[-1] == 2.0


def test_the_marks_move_with_the_weight_and_stand_at_its_present_value_first():
    found = curve(epsilon=0.3)
    data = curve_data(found)
    shapes = {s["key"]: s for s in data["picture"]["shapes"] if "key" in s}
    for key, place in marks_at(data["places"][found.epsilons.index(0.0)], data["base"]).items():
        assert place.items() <= shapes[key].items()
    across = [place[0] for place in data["places"]]
    assert across == sorted(across)
    assert len(across) == len(data["epsilons"]) == len(data["texts"])


def test_a_mark_is_a_line_with_a_dot_at_its_end():
    assert marks_at([100.2, 30.0, 50.0], 80.0) == {
        "mark:tangent-line": {"points": [[104.2, 80.0], [104.2, 50.0]]},
        "mark:line": {"points": [[100.2, 80.0], [100.2, 30.0]]},
        "mark:tangent": {"centre": [104.2, 50.0]},
        "mark:dot": {"centre": [100.2, 30.0]},
    }


@pytest.mark.parametrize("most", [1, 2**22])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("output", ["softmax", "identity"])
def test_the_losses_of_a_batch_are_the_networks(output, bias, most, monkeypatch):
    monkeypatch.setattr(module, "_MOST", most)
    of = bp.Network((3, 4, 4, 2), seed=1, activation="relu", output=output, bias=bias)
    of.A[0][1] = 0  # a unit that is off, where no weight behind it changes anything
    data = (np.stack([x, -x]), np.stack([y, 1 - y]))
    flow = Flow(of, *data)
    for parameter in nonempty(parameters(of)):
        found, own = weight_curve(flow, parameter), copy.deepcopy(of)
        for epsilon, loss in zip(found.epsilons, found.losses, strict=True):
            parameter.set(own.A, own.b, parameter.of(of.A, of.b) + epsilon)
            assert loss == pytest.approx(own.loss(*data), rel=1e-14)
    assert set(weight_curve(flow, Parameter(1, 0, 1)).changes()) == {0.0}


@pytest.mark.parametrize("scale", [0.0, 1e-4, 50.0])
def test_a_loss_that_hardly_moves_gives_a_readable_axis(scale):
    flat = bp.SigmoidNetwork((3, 4, 4, 4, 4, 2), seed=0, scale=scale)
    picture = curve_data(weight_curve(Flow(flat, x, y), Parameter(0, 0, 0)))["picture"]
    ticks = [s["text"] for s in picture["shapes"] if s["kind"] == "text" and s["anchor"] == "end"]
    assert len(ticks) == len(set(ticks))
    for shape in picture["shapes"]:
        for a, b in shape.get("points", []):
            assert -0.1 <= a <= picture["width"] + 0.1
            assert -0.1 <= b <= picture["height"] + 0.1


def forward(A, b, hidden):
    """The network's output, written anew in plain NumPy."""
    f = x
    for i, (A_i, b_i) in enumerate(zip(A, b, strict=True)):
        z = A_i @ f + b_i
        f = hidden(z) if i + 1 < len(A) else 1 / (1 + np.exp(-z))
    return f


def squared(f):
    return np.sum((y - f) ** 2)


def cross_entropy(f):
    return -np.sum(y * np.log(f) + (1 - y) * np.log(1 - f))


@pytest.mark.parametrize(
    ("activation", "hidden"), [("sigmoid", lambda z: 1 / (1 + np.exp(-z))), ("tanh", np.tanh)]
)
@pytest.mark.parametrize(
    ("name", "loss"), [("squared error", squared), ("cross-entropy", cross_entropy)]
)
def test_every_change_and_slope_is_that_of_a_loss_written_anew(activation, hidden, name, loss):
    of = bp.Network((3, 4, 4, 2), seed=2, activation=activation, loss=name)
    flow = Flow(of, x, y)

    def moved(parameter, epsilon):
        A, b = ([each.copy() for each in both] for both in (of.A, of.b))
        entry = (parameter.j,) if parameter.k is None else (parameter.j, parameter.k)
        (b if parameter.k is None else A)[parameter.i][entry] += epsilon
        return loss(forward(A, b, hidden))

    for parameter in nonempty(parameters(of)):
        found = weight_curve(flow, parameter)
        central = (moved(parameter, 1e-5) - moved(parameter, -1e-5)) / 2e-5
        assert found.slope == pytest.approx(central, rel=1e-6, abs=1e-9)
        wanted = [moved(parameter, e) - moved(parameter, 0) for e in found.epsilons]
        assert found.changes() == pytest.approx(wanted, abs=1e-12)
        assert found.linear() == pytest.approx([central * e for e in found.epsilons], abs=1e-8)

"""The network with what flows through it: every number where it belongs, from its step on."""

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.network import edge_picture, flow_layout, unit_picture
from backprop_nb.views.numbers import short
from backprop_nb.views.picture import at_step

x = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -1.0]])
y = np.array([[1.0, 0.0], [0.0, 1.0]])
net = bp.SigmoidNetwork((3, 4, 5, 2), seed=0)
whole = Flow(net, x, y)


def units(row):
    return unit_picture(flow_layout(net.widths), Flow(net, x, y, row), "alt").data()


def texts(picture, step):
    return [s["text"] for s in at_step(picture, step)["shapes"] if s["kind"] == "text"]


@pytest.mark.parametrize("row", [0, 1])
def test_the_units_show_f_and_delta_of_the_row_once_they_are_known(row):
    picture = units(row)
    forward, delta = net.forward(x), net.backward(x, y).delta
    for i in range(1, 4):
        for j, value in enumerate(forward.f[i][row]):
            unit = next(s for s in picture["shapes"] if s.get("key") == f"f:{i}:{j}")
            assert unit["since"] == i
            pill = next(s for s in picture["shapes"] if s.get("key") == f"delta:{i}:{j}")
            assert pill["since"] == whole.step_back_to(i)
            assert np.sign(pill["fill"][1]) == np.sign(delta[i][row, j])
            assert short(value) in texts(picture, i)
            assert short(delta[i][row, j]) in texts(picture, whole.step_back_to(i))
    assert f"L {short(net.loss(x, y))}" in texts(picture, whole.loss_step)
    assert not any(text.startswith("L ") for text in texts(picture, whole.loss_step - 1))
    assert "y 1" in texts(picture, 0)


def test_until_it_is_known_a_unit_is_an_empty_place():
    picture = units(0)
    for step in nonempty(range(whole.last_step + 1)):
        circles = [s for s in at_step(picture, step)["shapes"] if s["kind"] == "circle"]
        assert len(circles) == sum(net.widths)


def test_at_each_step_one_arrow_says_which_way():
    picture = units(0)
    ways = [
        [s["key"] for s in at_step(picture, step)["shapes"] if s.get("key", "").startswith("way")]
        for step in range(whole.last_step + 1)
    ]
    assert ways == [[], *[["way:forward"]] * 4, *[["way:backward"]] * 3]


def test_edges_show_every_gradient_from_its_step_on():
    gradient = net.backward(x, y)
    layout = flow_layout(net.widths)
    picture = edge_picture(layout, whole, "adjoint")
    edges = {s["key"]: s for s in picture.shapes if "key" in s}
    for i, dA in enumerate(gradient.A):
        for (j, k), entry in np.ndenumerate(dA):
            edge = edges[f"A:{i}:{j}:{k}"]
            assert edge["since"] == whole.step_back_to(i + 1)
            assert ("dash" in edge) == (entry < 0)
    weights = edge_picture(layout, whole, "value")
    assert all(s.get("since", 0) == 0 for s in weights.shapes)
    assert sum(net.widths[i] * net.widths[i + 1] for i in range(3)) == len(edges)


def test_all_networks_up_to_eight_layers_are_equally_wide():
    sizes = {(flow_layout((3, *(n,) * K, 2)).width) for n in (1, 5) for K in (1, 7)}
    assert len(sizes) == 1
    assert len({flow_layout((3, *(n,) * 7, 2)).height for n in (1, 5)}) == 1

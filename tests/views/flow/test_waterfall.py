"""The bars lead exactly from ‖δ‖ to ‖δ‖, and the verdict names what is to blame."""

import math

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.flow.flow import flow
from backprop_nb.views.flow.network import flow_layout
from backprop_nb.views.flow.steps import Moments
from backprop_nb.views.flow.waterfall import verdict, waterfall_picture

x, y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0])
DEEP = (3, *(5,) * 8, 2)


def network(scale=None, activation="sigmoid", widths=DEEP, **options):
    return bp.Network(widths, seed=0, scale=scale, activation=activation, **options)


def shapes(net):
    picture = waterfall_picture(flow(net, x, y), flow_layout(net.widths))
    return {shape["key"]: shape for shape in picture.shapes if "key" in shape}, picture


@pytest.mark.parametrize(
    ("scale", "activation"), [(None, "sigmoid"), (4.0, "sigmoid"), (1, "relu")]
)
def test_the_bars_of_a_layer_fill_the_way_between_its_dots(scale, activation):
    net = network(scale, activation)
    found = flow(net, x, y)
    by_key, _ = shapes(net)

    def signed(key, factor):
        height = by_key[key]["box"][3] if key in by_key else 0.0
        return math.copysign(height, factor - 1)  # a factor below 1 leads down

    for step in found.through_layers:
        i = step.layer
        way = by_key[f"norm:{i}"]["centre"][1] - by_key[f"norm:{i + 1}"]["centre"][1]
        bars = (
            signed(f"A:{i}", step.times_A)
            + signed(f"steepest:{i}", step.steepest)
            + signed(f"saturation:{i}", step.times_saturation)
        )
        assert way == pytest.approx(-bars, abs=0.4)  # each is rounded to a tenth of a pixel


def test_a_bar_is_as_long_as_its_factor_on_the_axis():
    net = network()
    by_key, _ = shapes(net)
    steps = {step.layer: step for step in flow(net, x, y).steps}
    quarter = by_key["steepest:3"]["box"][3]  # a factor of ¼
    for i in range(1, 9):
        assert by_key[f"steepest:{i}"]["box"][3] == pytest.approx(quarter, abs=0.11)
        expected = quarter * math.log(steps[i].times_saturation) / math.log(0.25)
        assert by_key[f"saturation:{i}"]["box"][3] == pytest.approx(expected, abs=0.2)


def test_the_factors_beside_the_bars_are_rounded_once():
    net = network(4.0)
    _, picture = shapes(net)
    shown = [
        s["text"]
        for s in picture.shapes
        if s.get("text", "").startswith("×") and "e" not in s["text"] and " " not in s["text"]
    ]
    steps = flow(net, x, y).steps
    every = [factor for step in steps for factor in (step.times_A, step.times_slope)]
    wanted = {f"{factor:.2g}" if factor >= 1 else f"{factor:.2f}" for factor in every}
    assert shown
    assert {text[1:] for text in shown} <= wanted


def test_a_bar_stands_below_the_units_it_belongs_to_and_comes_with_its_step():
    net = network()
    layout, moments = flow_layout(net.widths), Moments(net.K)
    by_key, picture = shapes(net)
    for i in range(1, net.K + 1):
        assert by_key[f"norm:{i}"]["centre"][0] == pytest.approx(layout.x(i), abs=0.06)
        assert by_key[f"norm:{i}"]["since"] == moments.backward(i)
        assert by_key[f"steepest:{i}"]["since"] == moments.backward(i)
        left, _, width, _ = by_key[f"steepest:{i}"]["box"]
        assert layout.x(i) < left
        assert i == net.K or left + width < by_key[f"A:{i}"]["box"][0]
    texts = [shape["text"] for shape in picture.shapes if shape["kind"] == "text"]
    assert "× σ′ at its steepest: ¼" in texts


@pytest.mark.parametrize("widths", [DEEP, (3, 2), (3, 4, 2)])
@pytest.mark.parametrize("scale", [0.01, 1.0, 8.0])
def test_every_bar_lies_inside_the_picture(widths, scale):
    _, picture = shapes(network(scale, widths=widths))
    for shape in picture.shapes:
        points = shape.get("points", [])
        if "box" in shape:
            left, top, width, height = shape["box"]
            points = [(left, top), (left + width, top + height)]
        for a, b in points:
            assert -0.1 <= a <= picture.width + 0.1
            assert -0.1 <= b <= picture.height + 0.1


@pytest.mark.parametrize(
    ("net", "words", "blame"),
    [
        (network(), "vanishes", "The slope σ′ is to blame: it is at most ¼."),
        (network(6.0), "vanishes", "Saturation is to blame: σ′ is far below ¼."),
        (network(0.1, "identity"), "vanishes", "The matrices A are to blame: they shrink it."),
        (
            network(3.0, "identity", loss="cross-entropy"),
            "explodes",
            "The matrices A are to blame: they stretch it.",
        ),
        (network(2.0, "tanh", (3, 4, 2)), "arrives", ""),
    ],
)
def test_the_verdict_names_what_is_to_blame(net, words, blame):
    found = flow(net, x, y)
    said = verdict(found)
    assert said.text.startswith(f"The gradient {words}: ")
    assert said.text.endswith(blame)
    assert said.ratio == pytest.approx(found.norms[1] / found.norms[net.K])
    assert math.prod(said.factors.values()) == pytest.approx(said.ratio, rel=1e-12)


def test_a_gradient_that_dies_or_never_begins_is_said():
    net = network(1.0, "relu", (3, 4, 4, 2))
    net.b[1] = np.full(4, -100.0)
    said = verdict(flow(net, x, y))
    assert said.text == (
        "The gradient dies: δ₂ is 0, because σ′(z₂) is 0 wherever something arrives."
    )
    net.A[2] = np.zeros((2, 4))
    said = verdict(flow(net, x, y))
    assert said.text == "The gradient dies: δ₂ is 0, because A₂ lets nothing through."
    flat = network(0, widths=(3, 2, 2))
    assert verdict(flow(flat, x, [0.5, 0.5])).text.startswith("δ₂ is 0, so nothing goes back: ")
    assert "one layer" in verdict(flow(network(widths=(3, 2)), x, y)).text
    for net in (flat, network(0, "relu", (3, 4, 4, 2))):
        waterfall_picture(flow(net, x, [0.5, 0.5]), flow_layout(net.widths))

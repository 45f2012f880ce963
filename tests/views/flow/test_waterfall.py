"""The bars lead exactly from ‖δ‖ to ‖δ‖."""

import math
from dataclasses import replace

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.network import flow_layout
from backprop_nb.views.flow.waterfall import waterfall_picture

x, y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0])
DEEP = (3, *(5,) * 8, 2)


def network(scale=None, activation="sigmoid", widths=DEEP, **options):
    return bp.Network(widths, seed=0, scale=scale, activation=activation, **options)


def shapes(net):
    picture = waterfall_picture(Flow(net, x, y), flow_layout(net.widths), "alt")
    return {shape["key"]: shape for shape in picture.shapes if "key" in shape}, picture


@pytest.mark.parametrize(
    ("scale", "activation"), [(None, "sigmoid"), (4.0, "sigmoid"), (1, "relu")]
)
def test_the_bars_of_a_layer_fill_the_way_between_its_dots(scale, activation):
    net = network(scale, activation)
    found = Flow(net, x, y)
    by_key, _ = shapes(net)

    def signed(key, factor):
        height = by_key[key]["box"][3] if key in by_key else 0.0
        return math.copysign(height, factor - 1)  # a factor below 1 leads down

    for step in nonempty(found.through_layers):
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
    steps = {step.layer: step for step in Flow(net, x, y).steps}
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
    steps = Flow(net, x, y).steps
    every = [factor for step in steps for factor in (step.times_A, step.times_slope)]
    wanted = {
        f"{factor:.1f}" if 0.995 <= factor < 9.95 else f"{factor:{'.2g' if factor > 1 else '.2f'}}"
        for factor in every
    }
    assert shown
    assert {text[1:] for text in shown} <= wanted


def test_a_bar_stands_below_the_units_it_belongs_to_and_comes_with_its_step():
    net = network()
    layout, found = flow_layout(net.widths), Flow(net, x, y)
    by_key, _ = shapes(net)
    for i in nonempty(range(1, net.K + 1)):
        assert by_key[f"norm:{i}"]["centre"][0] == pytest.approx(layout.x(i), abs=0.06)
        assert by_key[f"norm:{i}"]["since"] == found.step_back_to(i)
        assert by_key[f"steepest:{i}"]["since"] == found.step_back_to(i)
        left, _, width, _ = by_key[f"steepest:{i}"]["box"]
        assert layout.x(i) < left
        assert i == net.K or left + width < by_key[f"A:{i}"]["box"][0]


@pytest.mark.parametrize("widths", [DEEP, (3, 2), (3, 4, 2)])
@pytest.mark.parametrize("scale", [0.01, 1.0, 8.0])
def test_every_bar_lies_inside_the_picture(widths, scale):
    _, picture = shapes(network(scale, widths=widths))
    for a, b in nonempty(point for shape in picture.shapes for point in corners(shape)):
        assert -0.1 <= a <= picture.width + 0.1
        assert -0.1 <= b <= picture.height + 0.1


def corners(shape):
    if "box" not in shape:
        return shape.get("points", [])
    left, top, width, height = shape["box"]
    return [(left, top), (left + width, top + height)]


def test_a_gradient_that_never_begins_has_no_bars():
    for net in (network(0, widths=(3, 2, 2)), network(0, "relu", (3, 4, 4, 2))):
        found = Flow(net, x, np.array([0.5, 0.5]))
        picture = waterfall_picture(found, flow_layout(net.widths), "alt")
        keys = [shape["key"] for shape in picture.shapes if "key" in shape]
        assert not [key for key in keys if key.startswith(("A", "steepest", "saturation"))]


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("part", ["between", "after"])
def test_a_product_that_overflows_as_infinity_or_nan_has_a_picture(part, number):
    # Which of the two it is depends on how a library adds up its products.
    net = network(widths=(3, 4, 4, 2))
    found = Flow(net, x, y)
    found.steps[1] = replace(found.steps[1], **{part: number})
    picture = waterfall_picture(found, flow_layout(net.widths), "alt")
    keys = {shape["key"] for shape in picture.shapes if "key" in shape}
    assert ("A:2" in keys) == (number == math.inf)
    assert "saturation:1" in keys

"""The explorer of the sigmoid: its numbers are the network's, its shapes lie where they should."""

import json

import numpy as np
import pytest
from nonempty import nonempty
from snapshots import shapes

from backprop_nb.network import sigma, sigma_prime
from backprop_nb.tracing.rules.row import SATURATED
from backprop_nb.views.numbers import long
from backprop_nb.views.sigmoid import scene as scenes


@pytest.fixture(scope="module")
def scene():
    return scenes.sigmoid_scene()


def test_the_numbers_are_the_networks(scene):
    places = scene["curves"]["sigmoid"]["places"]
    f = sigma(scenes.PLACES)
    assert scene["z"] == [long(z) for z in scenes.PLACES]
    assert places["value"] == [long(v) for v in f]
    assert places["slope"] == [long(v) for v in f * (1 - f)]
    assert places["powers"][70] == [long((f[70] * (1 - f[70])) ** n) for n in range(1, 11)]


def test_the_maximum_is_a_quarter_at_zero(scene):
    places = scene["curves"]["sigmoid"]["places"]
    middle = scenes.index_of(0)
    assert (scene["z"][middle], places["slope"][middle]) == ("0", "0.25")
    assert places["share"][middle] == "100 %"
    assert scene["curves"]["sigmoid"]["bestTexts"][1] == "0.0625"


@pytest.mark.parametrize("activation", scenes.CURVES)
def test_saturated_is_what_the_network_calls_so(activation):
    samples = scenes.Samples(activation)
    shares = samples.slope / samples.steepest
    np.testing.assert_array_equal(samples.saturated, shares < SATURATED)
    inside = np.zeros(len(scenes.PLACES), dtype=bool)
    for low, high in samples.bands:
        inside |= np.clip(scenes.PLACES, low, high) == scenes.PLACES
    np.testing.assert_array_equal(inside, samples.saturated)


def test_the_sigmoids_bands_end_where_its_slope_is_a_fifth_of_a_quarter():
    (_, left), (right, _) = scenes.Samples("sigmoid").bands
    for z in (left, right):
        assert sigma_prime(z) == pytest.approx(SATURATED / 4, abs=1e-4)


@pytest.mark.parametrize("activation", scenes.CURVES)
def test_no_text_stands_where_the_line_at_z_goes(activation):
    picture, chart = scenes.curve_picture(scenes.Samples(activation), 0)
    left, top, _, height = chart.plot
    texts = [shape for shape in picture.shapes if shape["kind"] == "text"]
    (label,) = [shape for shape in texts if shape["text"].startswith("slope at most ")]
    assert label["at"][1] < top - 6
    for shape in texts:
        x, y = shape["at"]
        assert x < left or not top - 6 < y < top + height, shape["text"]


@pytest.mark.parametrize("activation", scenes.CURVES)
@pytest.mark.parametrize("z", [-6, -1.3, 0.4, 6])
def test_the_tangent_has_the_slope_and_touches_the_curve(activation, z):
    samples, k = scenes.Samples(activation), scenes.index_of(z)
    _, chart = scenes.curve_picture(samples, k)
    left, top, width, height = chart.plot
    (x0, y0), (x1, y1) = scenes._tangent(chart, z, samples.value[k], samples.slope[k])
    assert left - 1e-9 <= x0 < x1 <= left + width + 1e-9
    assert top - 1e-9 <= min(y0, y1) <= max(y0, y1) <= top + height + 1e-9
    per_x = (chart.x.high - chart.x.low) / width
    per_y = (chart.y.high - chart.y.low) / height
    assert (y0 - y1) * per_y / ((x1 - x0) * per_x) == pytest.approx(samples.slope[k])


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_the_axis_of_the_powers_goes_as_far_as_they_do(scene, activation):
    curve = scene["curves"][activation]
    height = curve["pictures"][1]["height"]
    for path in nonempty(curve["places"]["path"]):
        assert len(path) == scenes.UNITS
        assert max(y for _, y in path) < height - 50  # above the axis and its numbers
    assert scene["curves"]["sigmoid"]["places"]["powers"][scenes.index_of(6)][9] == "8.334e−27"


def test_a_relu_at_rest_passes_nothing(scene):
    places = scene["curves"]["relu"]["places"]
    at_rest = scenes.index_of(-1)
    assert places["path"][at_rest] == []
    assert (places["slope"][at_rest], places["saturated"][at_rest]) == ("0", True)


def test_the_scene_is_plain_and_small(scene):
    assert len(json.dumps(scene, allow_nan=False)) < 180_000


def test_the_static_picture_and_the_live_one_put_their_marks_in_the_same_places(scene):
    samples, k = scenes.Samples("sigmoid"), scenes.index_of(-2.5)
    places = scene["curves"]["sigmoid"]["places"]
    picture, _ = scenes.curve_picture(samples, k)
    effect, _ = scenes.effect_picture(samples, k, 3)
    shapes = {s["key"]: s for s in picture.shapes + effect.shapes if "key" in s}
    assert [shapes["value"]["centre"], shapes["slope"]["centre"]] == places["dots"][k]
    assert shapes["tangent"]["points"] == places["tangent"][k]
    assert shapes["bar"]["box"][2] == places["bar"][k]
    assert shapes["powers"]["points"] == places["path"][k]
    assert shapes["power:3"]["centre"] == places["path"][k][2]


@pytest.mark.parametrize("activation", scenes.CURVES)
def test_a_view_finds_every_shape_that_it_moves(scene, activation):
    shapes = [s for p in scene["curves"][activation]["pictures"] for s in p["shapes"]]
    keys = {shape.get("key") for shape in shapes}
    assert {"at", "tangent", "value", "slope", "bar", "powers", "power:1", "layers"} <= keys
    assert all(shape["points"] for shape in shapes if shape["kind"] == "line")


def snapshot(scene):
    """What is to be seen of each activation, and what moves at some of its places."""
    for name, curve in scene["curves"].items():
        yield f"{name}: {curve['alt']}"
        for picture in curve["pictures"]:
            yield from shapes(picture)
        for k in range(0, len(scene["z"]), 20):
            at = {part: values[k] for part, values in curve["places"].items()}
            dots = [[round(x, -1) for x in dot] for dot in at["dots"]]
            yield (
                f"z = {scene['z'][k]}: {at['value']}, {at['slope']}, {at['share']}, dots {dots}, "
                f"bar {at['bar']:.0f}, {len(at['path'])} powers, last {at['powers'][-1]}"
            )


def test_the_scene_is_what_it_was(scene, same_as_before):
    same_as_before("scene", snapshot(scene))

"""The chain rule as plain data: every number is the library's, and nothing too large is built."""

import json
import re

import numpy as np
import pytest
from nonempty import nonempty
from snapshots import shapes

from backprop_nb import SigmoidNetwork
from backprop_nb.network.jacobians import Jacobian
from backprop_nb.views import numbers
from backprop_nb.views.chain.cost_picture import cost_axis, cost_picture, paid
from backprop_nb.views.chain.matrices import lit_by
from backprop_nb.views.chain.scene import PICTURES, Sample, chain_scene, why_never_built


def made(widths, seed=0):
    random = np.random.default_rng(seed)
    net = SigmoidNetwork(widths, seed=seed)
    return Sample(net, random.standard_normal(widths[0]), random.random(widths[-1]))


@pytest.fixture(scope="module")
def sample():
    return made((3, 4, 2, 2))


@pytest.fixture(scope="module")
def scene(sample):
    return chain_scene(sample, 0)


def texts(matrix):
    return re.split("[,;] ", matrix["numbers"]["words"].strip("[]"))


def longs(array):
    return [numbers.long(x) for x in np.ravel(array)]


def test_it_is_plain_data(scene):
    assert json.loads(json.dumps(scene, allow_nan=False)) == scene


@pytest.mark.parametrize("i", [0, 1, 2])
def test_every_factor_has_the_librarys_symbol_shape_and_numbers(sample, scene, i):
    chain = sample.chain(i)
    shown = [scene["matrices"][name] for name in scene["chains"][str(i)]["factors"]]
    for factor, matrix in nonempty(zip(chain.factors, shown, strict=True)):
        assert matrix["name"] == factor.symbol
        assert matrix["shape"] == f"{factor.shape[0]} × {factor.shape[1]}"
        assert matrix["layout"] == factor.layout
        assert texts(matrix) == longs(factor.matrix[:8, :12])


@pytest.mark.parametrize("i", [0, 1, 2])
@pytest.mark.parametrize("side", ["left", "right"])
def test_each_step_multiplies_two_matrices_at_the_librarys_cost(sample, scene, i, side):
    partial = sample.chain(i).partial_products(side)
    frames = scene["chains"][str(i)]["frames"][side]
    assert len(frames) == len(partial) + 1
    for before, product, frame in zip(partial, partial[1:], frames[1:], strict=False):
        (line,) = frame["lines"]
        first, dot, second, equals, result = line["items"]
        assert (dot, equals, result) == ("·", "=", product.symbol)
        assert (first if side == "left" else second) == before.symbol
        sizes = [scene["matrices"][name]["shape"] for name in (first, second, result)]
        (rows, inner), (again, columns), whole = [size.split(" × ") for size in sizes]
        assert inner == again
        assert whole == [rows, columns]
        assert int(rows) * int(inner) * int(columns) == product.cost
        assert frame["paid"] == paid(sample.chain(i), side, product.total)
        assert f"{product.total:,} so far" in frame["notes"][-1]
        assert texts(scene["matrices"][result]) == longs(product.matrix[:8, :12])


def test_at_the_end_the_product_is_what_backward_finds(sample, scene):
    gradient = sample.net.backward(sample.x, sample.y)
    for i in range(3):
        frame = scene["chains"][str(i)]["frames"]["right"][-1]
        own, theirs = frame["lines"]
        for names in (own["items"], theirs["items"]):
            assert texts(scene["matrices"][names[0]]) == longs(gradient.A[i])
            assert texts(scene["matrices"][names[1]]) == longs(gradient.b[i])
        assert "Largest difference: < 1e-12." in frame["words"]


def test_a_wrong_product_would_be_told(sample, monkeypatch):
    built = Jacobian.matrix.func
    monkeypatch.setattr(Jacobian, "matrix", property(lambda factor: 1.1 * built(factor)))
    frame = chain_scene(sample, 1)["chains"]["1"]["frames"]["left"][-1]
    assert "< 1e-12" not in frame["words"]


def test_the_steps_to_code_hold_a_row_and_the_column_of_the_code(sample, scene):
    steps = sample.chain(0).transposes().steps
    shown = scene["chains"]["0"]
    assert shown["code"] == [step.statement for step in steps]
    for step, frame in zip(steps, shown["frames"]["transposes"], strict=True):
        rule, code = frame["lines"]
        assert texts(scene["matrices"][rule["items"][-1]]) == longs(step.row)[:12]
        assert code["title"] == step.statement
        assert texts(scene["matrices"][code["items"][-1]]) == longs(step.value)
        assert frame["notes"] == [step.why, "Largest difference: < 1e-12."]


def test_a_transpose_is_a_matrix_times_a_column(sample, scene):
    frame = scene["chains"]["0"]["frames"]["transposes"][2]
    assert frame["lines"][0]["items"] == ["∂L/∂z_3", "·", "∂z_3/∂f_2", "=", "∂L/∂f_2"]
    transpose, _, delta, _, g = frame["lines"][1]["items"]
    matrices = scene["matrices"]
    assert texts(matrices[transpose]) == longs(sample.net.A[2].T)
    assert matrices[delta]["shape"] == "2 × 1"
    assert texts(matrices[g]) == texts(matrices["∂L/∂f_2"])


def test_a_factor_lights_its_layers_and_the_weights_between_them():
    assert lit_by("L", "f_3", 3) == ["f:3", "layer:3", "L"]
    assert lit_by("f_3", "f_2", 3)[0] == "A:2"
    assert set(lit_by("f_3", "θ_1", 3)) >= {"A:1", "A:2", "theta:1", "f:1", "f:3"}
    assert "A:0" not in lit_by("z_1", "b_0", 3)


def test_the_parts_that_a_factor_lights_are_in_the_picture(scene):
    keys = {shape["key"] for shape in scene["network"]["shapes"] if "key" in shape}
    for matrix in nonempty(scene["matrices"].values()):
        for start in nonempty(matrix["lit"]):
            assert any(key == start or key.startswith(f"{start}:") for key in keys), start


def test_derivatives_of_the_loss_have_the_colours_of_gradients(scene):
    for name, matrix in nonempty(scene["matrices"].items()):
        if name.startswith("∂"):
            assert matrix["family"] == ("adjoint" if name.startswith("∂L/") else "value")


# --- networks that are large --------------------------------------------------


def test_of_a_large_network_nothing_large_is_built(monkeypatch):
    largest = []
    built = Jacobian.matrix.func

    def watched(factor):
        largest.append(factor.entries)
        return built(factor)

    monkeypatch.setattr(Jacobian, "matrix", property(watched))
    sample = made(PICTURES)
    scene = chain_scene(sample, 0)
    assert max(largest) <= 2**20
    assert len(json.dumps(scene)) < 250_000
    factor = scene["matrices"]["∂f_1/∂θ_0"]
    assert factor["numbers"] is None
    assert "Not built here: 12,861,440 entries would fill 103 MB in float64." in factor["notes"]
    frame = scene["chains"]["0"]["frames"]["left"][-1]
    assert "nothing was multiplied" in frame["words"]
    assert sample.chain(0).cost_from_left == 12_870_272
    assert "12,870,272 multiplications from the left" in frame["words"]
    gradient = sample.net.backward(sample.x, sample.y)
    shown = scene["matrices"][frame["lines"][0]["items"][0]]
    assert texts(shown) == longs(gradient.A[0][:8, :12])


def test_where_only_a_partial_product_is_too_large_nothing_false_is_compared():
    # ∂f_1/∂θ_0 and ∂f_2/∂f_1 are small enough, but their product is not.
    sample = made((1, 4, 140_000, 1))
    frames = chain_scene(sample, 0)["chains"]["0"]["frames"]["right"]
    assert "nothing was multiplied" in frames[-1]["words"]


def test_a_layer_too_wide_for_the_steps_to_code_is_told(monkeypatch):
    scene = chain_scene(made((2, 1100, 1)), 0)
    (frame,) = scene["chains"]["0"]["frames"]["transposes"]
    assert "too large to be built" in frame["words"]
    assert scene["chains"]["0"]["code"] == []


def test_many_layers_go_to_the_browser_one_by_one():
    sample = made((32,) * 13)
    scene = chain_scene(sample, 0)
    assert scene["complete"] is False
    assert list(scene["chains"]) == ["0"]
    assert list(chain_scene(sample, 7)["chains"]) == ["7"]


# --- costs ------------------------------------------------------------------


def test_the_reasons_are_numbers_of_this_network(sample):
    chain = sample.chain(0)
    entries = sum(factor.entries for factor in chain.factors)
    zeros = int(np.sum(chain.factors[-1].matrix == 0))
    first, memory, large, last = why_never_built(chain)
    assert f"{entries} entries, {zeros} of them forced zeros" in first
    assert f"{8 * entries} bytes" in memory
    assert "784-128-64-10" in large
    assert f"{chain.cost_of_backward} multiplications" in last


def test_the_large_network_is_not_compared_with_itself():
    assert len(why_never_built(made(PICTURES).chain(0))) == 3


def test_bars_are_as_long_as_their_costs(sample):
    chain = sample.chain(0)
    assert not cost_axis(chain).log
    bars = [s for s in cost_picture(chain).shapes if s["kind"] == "rect" and "stroke" in s]
    widths = [bar["box"][2] for bar in bars]
    costs = [chain.cost_from_left, chain.cost_from_right, chain.cost_of_backward]
    assert np.allclose(np.divide(widths, max(widths)), np.divide(costs, max(costs)), atol=0.01)


def test_what_is_paid_fills_a_bar_up_to_its_outline(sample):
    chain = sample.chain(0)
    picture = cost_picture(chain)
    outlines = [s for s in picture.shapes if s["kind"] == "rect" and "stroke" in s]
    for side, outline, total in zip(
        ("left", "right"), outlines, (chain.cost_from_left, chain.cost_from_right), strict=False
    ):
        nothing, half, all_of_it = (paid(chain, side, part) for part in (0, total // 2, total))
        assert nothing[f"run:{side}"]["box"][2] == 0
        assert half[f"run:{side}"]["box"][2] == pytest.approx(outline["box"][2] / 2, abs=1)
        assert all_of_it[f"run:{side}"]["box"] == outline["box"]
        assert half[f"count:{side}"]["text"] == f"{total // 2:,} of {total:,}"
        assert all_of_it[f"count:{side}"]["text"] == f"{total:,}"


def test_costs_far_apart_are_on_a_log_scale_and_it_says_so():
    chain = made(PICTURES).chain(0)
    assert cost_axis(chain).log
    shown = [shape["text"] for shape in cost_picture(chain).shapes if shape["kind"] == "text"]
    assert shown[0].endswith("log scale")
    assert {"12,870,272", "888,444,160", "109,184"} <= set(shown)


def snapshot(scene):
    """What is to be seen of a chain rule, each matrix in a line or two."""
    for name in ("alt", "batch", "complete", "wide", "legend"):
        yield f"{name}: {scene[name]}"
    yield from shapes(scene["network"])
    for matrix in scene["matrices"].values():
        picture = matrix["picture"]
        heat, *marks = picture["shapes"]
        drawn = f"{heat['heats']} and {len(marks)} marks, {picture['width']:g} wide"
        yield f"{matrix['words']}, {matrix['family']}, {matrix['layout'] or 'no factor'}, {drawn}"
        yield f"  lights {', '.join(matrix['lit'])}"
    yield from map(str, scene["matrices"]["∂f_1/∂θ_0"]["picture"]["shapes"])
    chain = scene["chains"]["0"]
    yield f"{chain['name']} = {' · '.join(chain['factors'])}"
    yield from shapes(chain["costs"])
    yield from (*chain["why"], *chain["code"])
    for way, frames in chain["frames"].items():
        for number, frame in enumerate(frames):
            lines = [f"{line['title']} {' '.join(line['items'])}" for line in frame["lines"]]
            yield f"{way} {number}: {' | '.join([*lines, frame['words'], *frame['paid']])}"


def test_the_scene_is_what_it_was(same_as_before):
    net = SigmoidNetwork.from_parameters([[[0.5, -1.0]], [[2.0]]], [[0.25], [-0.5]])
    scene = chain_scene(Sample(net, np.array([1.0, 0.5]), np.array([1.0])), 0)
    same_as_before("scene", snapshot(scene))

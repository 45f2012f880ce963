"""One scene for picture, numbers and text: plain data, and every number the library's."""

import json

import numpy as np
import pytest
from nonempty import nonempty
from snapshots import cut_off, shapes, texts

import backprop_nb as bp
from backprop_nb.views.flow.figure import flow_pictures
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.parameter import Parameter, parameter_named, parameters
from backprop_nb.views.flow.scene import COLUMNS, flow_curve, flow_scene
from backprop_nb.views.flow.words import describe_flow
from backprop_nb.views.numbers import long

x = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -1.0]])
y = np.array([[1.0, 0.0], [0.0, 1.0]])
net = bp.Network((3, 4, 5, 2), seed=0, activation="tanh")


def flow(row=None, network=net):
    return Flow(network, x[0], y[0]) if row is None else Flow(network, x, y, row)


NETWORKS = [
    net,
    bp.SigmoidNetwork((3, 2), seed=0),
    bp.SigmoidNetwork((3, 4, 2), scale=0),
    bp.Network((3, 4, 4, 2), seed=0, activation="relu", loss="cross-entropy"),
    bp.Network((3, 4, 4, 2), scale=0, activation="relu"),
    bp.Network((3, *(8,) * 12, 2), seed=0, scale=500.0, activation="identity"),
    bp.SigmoidNetwork((3, *(4,) * 40, 2), seed=0, scale=0.01),
]


@pytest.mark.parametrize("network", NETWORKS, ids=range(len(NETWORKS)))
@pytest.mark.parametrize("row", [None, 1])
def test_any_network_gives_plain_data_a_figure_and_words(network, row):
    found = flow(row, network)
    scene, parameter = flow_scene(found), Parameter(0, 1, 2)
    curve = flow_curve(found, parameter)
    assert json.loads(json.dumps([scene, curve], allow_nan=False))
    assert len(scene["frames"]) == 2 * network.K + 2
    assert all(len(line["cells"]) + 1 == len(COLUMNS) for line in scene["table"]["rows"])
    assert describe_flow(found, parameter)
    for edges in ("weight", "gradient"):
        rows = flow_pictures(scene, curve["picture"], edges, parameter, network.K)
        assert [len(row) for row in rows] == [2, 2]


@pytest.mark.parametrize(
    ("scale", "activation", "target"),
    [(1e-300, "sigmoid", 0.5), (1e12, "relu", -1.234e12), (1e-100, "identity", -1.234e-100)],
)
def test_no_number_is_cut_off_at_any_setting(scale, activation, target):
    network = bp.Network((3, 4, 4, 2), seed=0, activation=activation, output="identity")
    network.A = [scale * each for each in network.A]
    found = Flow(network, x[0], np.full(2, target))
    scene, curve = flow_scene(found), flow_curve(found, Parameter(1, 0, 0))
    pictures = [scene["units"], *scene["edges"].values(), scene["waterfall"], curve["picture"]]
    assert [list(cut_off(picture)) for picture in pictures] == [[]] * 5
    assert "NaN" not in describe_flow(found, Parameter(1, 0, 0))


def test_words_and_view_say_where_the_way_back_starts():
    for network, symbol in ((net, "‖∂L/∂f₃‖"), (NETWORKS[3], "‖δ₃‖")):
        found = flow(network=network)
        scene = flow_scene(found)
        start = scene["verdict"]["start"]
        assert start.startswith(f"It starts as {symbol} = {long(found.steps[0].before)}")
        assert start in describe_flow(found, Parameter(0, 0, 0)).splitlines()
        assert start in scene["frames"][found.step_back_to(3)]["watch"]
        drawn = [each["text"] for each in texts(scene["waterfall"])]
        assert ("‖∂L/∂f‖" in drawn) == ("∂" in symbol)  # where the first bar begins


def told_of(scene, name):
    """What is printed of a parameter that is drawn."""
    told = scene["parameters"][name]
    return {**told, "facts": [scene["facts"][k] for k in told["facts"]]}


def facts(told):
    return {fact["name"]: (fact["text"], fact["since"]) for fact in told["facts"]}


@pytest.mark.parametrize("row", [None, 0, 1])
def test_every_printed_number_is_the_librarys(row):
    printed = flow_scene(flow(row))
    data = (x[0], y[0]) if row is None else (x, y)
    forward, gradient = net.forward(data[0]), net.backward(*data)
    of_row = (lambda a: a) if row is None else (lambda a: a[row])
    tracer = net.trace(*data).backward().gradients
    assert list(printed["parameters"]) == [str(each) for each in parameters(net)]
    assert len(set(map(str, printed["facts"]))) == len(printed["facts"])  # units share theirs
    for parameter in parameters(net):
        i, j, k = parameter.i, parameter.j, parameter.k
        of, layer, back = f"{'₁₂₃'[i]}[{j}]", i + 1, 7 - i
        z, f, delta = (of_row(each[layer])[j] for each in (forward.z, forward.f, gradient.delta))
        slope, sign = (1 - f**2, "tanh") if layer < 3 else (f * (1 - f), "σ")
        wanted = {
            f"z{of}": (z, layer),
            f"f{of}": (f, layer),
            f"{sign}′(z)": (slope, layer),
            f"δ{of}": (delta, back),
            f"b{'₀₁₂'[i]}[{j}]": (net.b[i][j], 0),
        }
        if k is not None:
            source = f"f{'₀₁₂'[i]}[{k}]" if i else f"x[{k}]"
            wanted |= {
                parameter.symbol: (net.A[i][j, k], 0),
                source: (of_row(forward.f[i])[k], i),
                f"∂L/∂b{'₀₁₂'[i]}[{j}]": (tracer[1][i][j], back),
            }
        told = told_of(printed, str(parameter))
        assert told == flow_curve(flow(row), parameter)["about"]
        expected = {name: (long(float(number)), since) for name, (number, since) in wanted.items()}
        assert facts(told) == expected
        assert told["value"] == long(parameter.of(net.A, net.b))
        assert told["slope"] == long(parameter.of(*tracer))
        assert told["since"] == back


def test_a_gradient_is_told_as_a_product_of_a_batch_as_a_sum():
    single = told_of(flow_scene(flow()), "A_1[2, 3]")
    assert single["rule"] == "∂L/∂A₁[2, 3] = δ₂[2] · f₁[3] = "
    known = facts(single)
    assert single["worked"] == f"{known['δ₂[2]'][0]} · {known['f₁[3]'][0]} = "
    batch = flow_scene(flow(1))["parameters"]
    assert batch["A_0[2, 1]"]["rule"] == "∂L/∂A₀[2, 1] = Σ δ₁[2] · x[1] = "
    assert batch["b_0[2]"]["rule"] == "∂L/∂b₀[2] = Σ δ₁[2] = "
    assert batch["A_0[2, 1]"]["worked"] == ""


def test_what_is_not_drawn_is_printed_when_it_is_chosen():
    wide = bp.SigmoidNetwork((30, 20, 2), seed=0)
    found = Flow(wide, np.ones(30), y[0])
    assert "A_0[12, 25]" not in flow_scene(found)["parameters"]
    told = flow_curve(found, Parameter(0, 12, 25))["about"]
    assert told["value"] == long(float(wide.A[0][12, 25]))
    assert {"x[25]", "f₁[12]", "b₀[12]"} < set(facts(told))


def test_the_table_goes_back_layer_by_layer():
    found = flow()
    rows = flow_scene(found)["table"]["rows"]
    assert [row["layer"] for row in rows] == [3, 2, 1]
    for row, step in zip(rows, found.steps, strict=True):
        norm, A, spectral, slope, largest, saturation, theta = row["cells"]
        assert norm == long(step.after)
        assert theta == long(found.theta_norms[step.layer - 1])
        assert (slope, largest, saturation) == (
            long(step.times_slope),
            long(step.largest),
            long(step.times_saturation),
        )
        if step.layer < 3:
            assert (A, spectral) == (long(step.times_A), long(step.spectral))
        else:
            assert A == spectral == "–"


def test_the_words_hold_every_number_of_every_layer_and_the_moved_weight():
    found = flow(1)
    text = describe_flow(found, Parameter(1, 2, 3), 0.3)
    assert "3-4-5-2, tanh, 2 inputs" in text.splitlines()[0]
    assert "The units show input 1 of the batch" in text
    scene = flow_scene(found)
    assert scene["verdict"]["text"] in text
    for row in scene["table"]["rows"]:
        for cell in row["cells"]:
            assert cell in text
    assert scene["parameters"]
    for name, told in scene["parameters"].items():
        assert told["value"] in text, name
        assert told["slope"] in text, name
    for fact in nonempty(scene["facts"]):
        assert fact["text"] in text, fact["name"]
    curve = flow_curve(found, Parameter(1, 2, 3), 0.3)
    moved = next(texts for texts in curve["texts"] if texts["epsilon"] == "0.3")
    assert list(moved.values())[1:] == next(
        line.split() for line in text.splitlines() if line.split()[:1] == ["0.3"]
    )


def test_the_figure_marks_the_chosen_edge_and_nothing_for_a_bias():
    scene = flow_scene(flow())
    for selected, count in (("A_1[2, 3]", 1), ("b_1[2]", 0)):
        parameter = parameter_named(net, selected)
        curve = flow_curve(flow(), parameter)["picture"]
        rows = flow_pictures(scene, curve, "weight", parameter, 7)
        marks = [s for s in rows[0][0]["shapes"] if s.get("width") == 9.0]
        assert len(marks) == count
    edge = next(s for s in scene["edges"]["weight"]["shapes"] if s.get("key") == "A:1:2:3")
    rows = flow_pictures(scene, curve, "gradient", Parameter(1, 2, 3), 0)
    assert [s["points"] for s in rows[0][0]["shapes"] if s.get("width") == 9.0] == [edge["points"]]


def snapshot(scene, curve):
    """What is to be seen of a scene."""
    yield from shapes(scene["units"])
    yield from shapes(scene["edges"]["gradient"])
    yield from shapes(scene["waterfall"])
    signs = scene["legend"]
    for sign in nonempty([*signs["units"], *signs["edges"]["gradient"], *signs["bars"]]):
        yield f"{sign['kind']}: {sign['text']}"
    yield from shapes(curve["picture"])
    yield " | ".join([scene["verdict"]["text"], scene["verdict"]["ratio"]])
    for number, frame in enumerate(scene["frames"]):
        yield f"{number} {frame['phase']}: {frame['words']} {frame['watch']}"
    for row in scene["table"]["rows"]:
        yield f"layer {row['layer']}: " + ", ".join(row["cells"])
    for moved in curve["texts"][:: len(curve["texts"]) // 4]:
        yield "moved: " + ", ".join(moved.values())


def test_the_scene_is_what_it_was(same_as_before):
    small = bp.SigmoidNetwork((2, 3, 1), seed=0)
    found = Flow(small, np.array([0.5, -1.0]), np.array([1.0]))
    curve = flow_curve(found, Parameter(0, 1, 1))
    same_as_before("scene", snapshot(flow_scene(found), curve))


def test_before_the_end_it_says_what_to_watch_for_and_never_what_comes():
    found = flow()
    *before, _ = flow_scene(found)["frames"]
    assert "near −1 and near 1 a unit is saturated" in before[0]["watch"]
    assert before[-1]["watch"].startswith("So far: ‖δ₂‖ is ")
    for frame in before:
        assert long(found.norms[1] / found.norms[3]) not in frame["watch"]
    scene = flow_scene(found)
    rows = flow_pictures(scene, {"shapes": []}, "weight", Parameter(0, 0, 0), 0)
    texts = [shape.get("text", "") for shape in rows[0][1]["shapes"]]
    assert texts[0].startswith("Watch the units")
    assert not any("The gradient " in text for text in texts)


def test_a_gradient_that_is_zero_has_no_factors_to_print():
    dead = bp.Network((3, 4, 4, 2), seed=0, scale=1e3, activation="relu")
    target = dead(x[0])
    scene = flow_scene(Flow(dead, x[0], target))
    assert scene["table"]["rows"][1]["cells"][:2] == ["0", "–"]
    assert "NaN" not in str([scene["table"], [frame["words"] for frame in scene["frames"]]])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("loss", ["squared error", "cross-entropy"])
@pytest.mark.parametrize("output", ["sigmoid", "identity", "softmax"])
def test_every_output_is_shown_with_its_own_formulas(output, loss, bias):
    if (output, loss) == ("identity", "cross-entropy"):
        return
    net = bp.Network(
        (2, 3, 2), seed=0, activation="leaky relu", output=output, loss=loss, bias=bias
    )
    found = Flow(net, np.array([1.0, -2.0]), np.array([0.0, 1.0]))
    scene, text = flow_scene(found), describe_flow(found, Parameter(0, 0, 0))
    sign = {"sigmoid": "σ", "identity": "id", "softmax": "softmax"}[output]
    shown = facts(told_of(scene, "A_0[0, 0]")) | facts(told_of(scene, "A_1[0, 0]"))
    assert {"lrelu′(z)", f"{sign}′(z)"} <= set(shown)
    assert f"f₂ = {sign}(z)" in text
    assert ("no bias" in text) != bias
    assert ("b₀" in text) == bias
    assert any(name.startswith("b") for name in scene["parameters"]) == bias
    layers = [row["layer"] for row in scene["table"]["rows"] if row["cells"][3] != "–"]
    assert layers == (
        [2, 1]
        if (output, loss) in {("sigmoid", "squared error"), ("identity", "squared error")}
        else [1]
    )

"""One scene for picture, numbers and text: plain data, and every number the library's."""

import json

import numpy as np
import pytest
from snapshots import shapes

import backprop_nb as bp
from backprop_nb.views.flow.flow import Parameter, parameter_named
from backprop_nb.views.flow.scene import (
    COLUMNS,
    Passes,
    curve_scene,
    describe_flow,
    flow_scene,
    parameters,
    still_pictures,
)
from backprop_nb.views.numbers import long

x = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -1.0]])
y = np.array([[1.0, 0.0], [0.0, 1.0]])
net = bp.Network((3, 4, 5, 2), seed=0, activation="tanh")


def passes(row=None, network=net):
    return Passes(network, x[0], y[0]) if row is None else Passes(network, x, y, row)


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
    found = passes(row, network)
    scene, parameter = flow_scene(found), Parameter(0, 1, 2)
    curve = curve_scene(found, parameter)
    assert json.loads(json.dumps([scene, curve], allow_nan=False))
    assert len(scene["frames"]) == 2 * network.K + 2
    assert all(len(line["cells"]) + 1 == len(COLUMNS) for line in scene["table"]["rows"])
    assert describe_flow(found, parameter)
    for edges in ("weight", "gradient"):
        rows = still_pictures(
            scene, curve["picture"], edges=edges, selected=str(parameter), step=network.K
        )
        assert [len(row) for row in rows] == [2, 2]


@pytest.mark.parametrize("row", [None, 0, 1])
def test_every_printed_number_is_the_librarys(row):
    printed = flow_scene(passes(row))["numbers"]
    data = (x[0], y[0]) if row is None else (x, y)
    forward, gradient = net.forward(data[0]), net.backward(*data)
    of_row = (lambda a: a) if row is None else (lambda a: a[row])
    tracer = net.trace(*data).backward().gradients
    for i in range(1, 4):
        z, f, delta = (of_row(each[i]) for each in (forward.z, forward.f, gradient.delta))
        slope = 1 - f**2 if i < 3 else f * (1 - f)
        for j in range(net.widths[i]):
            wanted = [long(float(each[j])) for each in (z, f, slope, delta)]
            assert printed[f"f:{i}:{j}"] == wanted
            assert printed[f"b:{i - 1}:{j}"][1] == long(float(tracer[1][i - 1][j]))
            for k in range(net.widths[i - 1]):
                value, entry = net.A[i - 1][j, k], tracer[0][i - 1][j, k]
                assert printed[f"A:{i - 1}:{j}:{k}"] == [long(float(value)), long(float(entry))]


def test_what_is_not_drawn_is_printed_when_it_is_chosen():
    wide = bp.SigmoidNetwork((30, 20, 2), seed=0)
    found = Passes(wide, np.ones(30), y[0])
    assert "A:0:12:25" not in flow_scene(found)["numbers"]
    printed = curve_scene(found, Parameter(0, 12, 25))["numbers"]
    assert printed["A:0:12:25"][0] == long(float(wide.A[0][12, 25]))
    assert {"f:0:25", "f:1:12", "b:0:12"} < set(printed)


def test_the_table_goes_back_layer_by_layer():
    found = passes()
    rows = flow_scene(found)["table"]["rows"]
    assert [row["layer"] for row in rows] == [3, 2, 1]
    for row, step in zip(rows, found.flow.steps, strict=True):
        norm, A, spectral, slope, largest, saturation, theta = row["cells"]
        assert norm == long(step.after)
        assert theta == long(found.flow.theta_norms[step.layer - 1])
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
    found = passes(1)
    text = describe_flow(found, Parameter(1, 2, 3), 0.3)
    assert "3-4-5-2, tanh, 2 inputs" in text.splitlines()[0]
    assert "The units show input 1 of the batch" in text
    scene = flow_scene(found)
    assert scene["verdict"]["text"] in text
    for row in scene["table"]["rows"]:
        for cell in row["cells"]:
            assert cell in text
    for key, printed in scene["numbers"].items():
        for number in printed:
            assert number in text, key
    curve = curve_scene(found, Parameter(1, 2, 3), 0.3)
    moved = next(texts for texts in curve["texts"] if texts[1] == "0.3")
    assert moved[1:] == next(
        line.split() for line in text.splitlines() if line.split()[:1] == ["0.3"]
    )


def test_every_parameter_has_a_name_that_leads_back_to_it():
    every = list(parameters(net))
    assert len(every) == sum(a.size for a in (*net.A, *net.b))
    assert [parameter_named(net, str(each)) for each in every] == every


def test_the_figure_marks_the_chosen_edge_and_nothing_for_a_bias():
    scene = flow_scene(passes())
    for selected, count in (("A_1[2, 3]", 1), ("b_1[2]", 0)):
        parameter = parameter_named(net, selected)
        curve = curve_scene(passes(), parameter)["picture"]
        rows = still_pictures(scene, curve, edges="weight", selected=selected, step=7)
        marks = [s for s in rows[0][0]["shapes"] if s.get("width") == 9.0]
        assert len(marks) == count
    edge = next(s for s in scene["edges"]["weight"]["shapes"] if s.get("key") == "A:1:2:3")
    rows = still_pictures(scene, curve, edges="gradient", selected="A_1[2, 3]", step=0)
    assert [s["points"] for s in rows[0][0]["shapes"] if s.get("width") == 9.0] == [edge["points"]]


def snapshot(scene, curve):
    """What is to be seen of a scene."""
    yield from shapes(scene["units"])
    yield from shapes(scene["edges"]["gradient"])
    yield from shapes(scene["waterfall"])
    yield from shapes(curve["picture"])
    yield " | ".join([scene["verdict"]["text"], scene["verdict"]["ratio"]])
    for number, frame in enumerate(scene["frames"]):
        yield f"{number} {frame['phase']}: {frame['words']} {frame['watch']}"
    for row in scene["table"]["rows"]:
        yield f"layer {row['layer']}: " + ", ".join(row["cells"])
    for texts in curve["texts"][:: len(curve["texts"]) // 4]:
        yield "moved: " + ", ".join(texts)


def test_the_scene_is_what_it_was(same_as_before):
    small = bp.SigmoidNetwork((2, 3, 1), seed=0)
    found = Passes(small, np.array([0.5, -1.0]), np.array([1.0]))
    curve = curve_scene(found, Parameter(0, 1, 1))
    same_as_before("scene", list(snapshot(flow_scene(found), curve)))


def test_before_the_end_it_says_what_to_watch_for_and_never_what_comes():
    found = passes()
    *before, _ = flow_scene(found)["frames"]
    assert "near −1 and near 1 a unit is saturated" in before[0]["watch"]
    assert before[-1]["watch"].startswith("So far: ‖δ₂‖ is ")
    for frame in before:
        assert long(found.flow.norms[1] / found.flow.norms[3]) not in frame["watch"]
    rows = still_pictures(
        flow_scene(found), {"shapes": []}, edges="weight", selected="A_0[0, 0]", step=0
    )
    texts = [shape.get("text", "") for shape in rows[0][1]["shapes"]]
    assert texts[0].startswith("Watch the units")
    assert not any("The gradient " in text for text in texts)


def test_a_gradient_that_is_zero_has_no_factors_to_print():
    dead = bp.Network((3, 4, 4, 2), seed=0, scale=1e3, activation="relu")
    target = dead(x[0])
    scene = flow_scene(Passes(dead, x[0], target))
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
    passes = Passes(net, np.array([1.0, -2.0]), np.array([0.0, 1.0]))
    scene, text = flow_scene(passes), describe_flow(passes, Parameter(0, 0, 0))
    sign = {"sigmoid": "σ", "identity": "id", "softmax": "softmax"}[output]
    assert scene["signs"] == ["lrelu", sign]
    assert f"f₂ = {sign}(z)" in text
    assert ("no bias" in text) != bias
    assert ("b₀" in text) == bias
    assert any(key.startswith("b:") for key in scene["numbers"]) == bias
    layers = [row["layer"] for row in scene["table"]["rows"] if row["cells"][3] != "–"]
    assert layers == (
        [2, 1]
        if (output, loss) in {("sigmoid", "squared error"), ("identity", "squared error")}
        else [1]
    )

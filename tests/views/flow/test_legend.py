"""What the signs mean: every one that is drawn, none that is not."""

import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.legend import legend, with_legend
from backprop_nb.views.flow.network import edge_picture, flow_layout, unit_picture
from backprop_nb.views.flow.waterfall import waterfall_picture

x, y = [0.5, -1.0, 2.0], [1.0, 0.0]


def flow(activation="sigmoid", output="sigmoid"):
    return Flow(bp.Network((3, 4, 4, 2), seed=0, activation=activation, output=output), x, y)


@pytest.mark.parametrize(
    ("activation", "output", "slopes"),
    [
        ("sigmoid", "sigmoid", ["× σ′ at its steepest: ¼", "what σ′ lacks to that: saturation"]),
        ("tanh", "sigmoid", ["× σ′ at its steepest: 1 or ¼", "what σ′ lacks to that: saturation"]),
        ("relu", "identity", ["× σ′, which is at most 1: saturation"]),
    ],
)
def test_the_bars_are_named_as_they_are_drawn(activation, output, slopes):
    found = flow(activation, output)
    signs = legend(found)["bars"]
    texts = [sign["text"] for sign in signs if sign["kind"] in ("steepest", "saturation")]
    assert texts == slopes
    drawn = waterfall_picture(found, flow_layout(found.net.widths), "alt")
    kinds = {shape["key"].split(":")[0] for shape in drawn.shapes if "key" in shape}
    assert kinds <= {sign["kind"] for sign in signs}


def test_the_edges_have_a_scale_of_their_own_for_weights_and_for_gradients():
    edges = legend(flow())["edges"]
    assert edges["weight"][0]["text"].startswith("edge: weight ")
    assert edges["gradient"][0]["text"].startswith("edge: ∂L/∂A ")
    assert [signs[0]["kind"] for signs in edges.values()] == ["value", "adjoint"]


def test_on_paper_all_of_it_stands_below_the_picture():
    found, layout = flow(), flow_layout((3, 4, 4, 2))
    signs = legend(found)
    every = [signs["units"], signs["edges"]["gradient"], signs["bars"][:3], signs["bars"][3:]]
    edges, units = edge_picture(layout, found, "adjoint"), unit_picture(layout, found, "alt")
    picture = with_legend({**units.data(), "shapes": edges.shapes}, every)
    below = [shape for shape in picture["shapes"] if shape["kind"] == "text"]
    assert [shape["text"] for shape in below] == [s["text"] for row in every for s in row]
    for shape in nonempty(below):
        assert units.height < shape["at"][1] < picture["height"] - 6

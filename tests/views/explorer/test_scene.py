"""The scene is the trace: every number in it is the library's."""

import json

import numpy as np
import pytest
from frame_words import frame_words
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.views.explorer.description import alt_text, describe_graph
from backprop_nb.views.explorer.geometry import geometry
from backprop_nb.views.explorer.scene import ROOM, GraphScene, graph_scene
from backprop_nb.views.numbers import unpacked_heats, words


def layer(A, b, x):
    z = A @ x + b
    return bp.sigmoid(z)


def network_loss(A, b, x):
    f = x
    for i in range(2):
        f = layer(A[i], b[i], f)
    return np.sum((1.0 - f) ** 2)


def fan_out(x):
    u = x**2
    v = u + np.exp(u)
    return np.sqrt(v) + np.cos(v)


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    A = [rng.normal(size=(3, 2)), rng.normal(size=(2, 3))]
    return bp.trace(network_loss, A, [rng.normal(size=3), rng.normal(size=2)], np.ones(2))


@pytest.fixture
def fan():
    return bp.trace(fan_out, 0.7)


scene_of = graph_scene


def test_every_value_and_adjoint_is_the_graphs(network):
    backward = network.backward()
    scene = scene_of(network)
    for node, shown in nonempty(zip(network.nodes, scene["nodes"], strict=True)):
        assert scene["tensors"][shown["value"]]["words"] == words(node.value)
        assert scene["tensors"][shown["adjoint"]]["words"] == words(backward.adjoint(node))


def test_the_replay_has_one_frame_a_call_and_one_a_step(network):
    backward = network.backward()
    operations = [node for node in network.nodes if node.op]
    phases = [frame["phase"] for frame in scene_of(network)["frames"]]
    assert phases == (
        ["start"] + ["forward"] * len(operations) + ["seed"] + ["backward"] * len(backward.steps)
    )


def test_contributions_add_up_to_the_adjoint(fan):
    scene = scene_of(fan)
    given = [one for frame in scene["frames"] for one in frame["contributions"]]
    to_v = [one for one in given if fan.nodes[one["parent"]].name == "v"]
    assert [one["arrival"] for one in to_v] == [1, 2]
    assert {one["arrivals"] for one in to_v} == {2}
    assert scene["tensors"][to_v[-1]["total"]]["words"] == words(fan.backward().adjoint("v"))
    assert [one["line"].split(" ")[1] for one in to_v] == ["=", "+="]


def test_a_contribution_travels_along_the_edge_it_came_by(network):
    scene = scene_of(network)
    travels = ((frame["node"], one) for frame in scene["frames"] for one in frame["contributions"])
    for node, one in nonempty(travels):
        edge = scene["edges"][one["edge"]]
        assert (edge["tail"], edge["head"]) == (one["parent"], node)


def test_the_factors_of_a_rule_multiply_to_the_contribution(network):
    scene = scene_of(network)
    tensors = scene["tensors"]
    products = [one for frame in scene["frames"] for one in frame["contributions"]]
    assert {"⊗", "@"} <= {one["symbol"] for one in products}
    for one in products:
        factors = [tensors[factor["value"]] for factor in one["factors"]]
        if one["symbol"] == "⊗":
            assert tensors[one["value"]]["rows"] == len(unpacked_heats(factors[0]["heat"]))
            assert tensors[one["value"]]["columns"] == len(unpacked_heats(factors[1]["heat"]))
        if one["symbol"] == "@":
            assert factors[1]["columns"] == 1  # a column, as in A.T @ d


def test_every_function_of_the_trace_is_shown_once(network):
    names = [block["lines"][0][0]["text"].split("(")[0] for block in scene_of(network)["code"]]
    assert sorted(names) == ["def layer", "def network_loss"]


def test_function_calls_become_groups(network):
    assert [group["name"] for group in scene_of(network)["groups"]] == ["layer 1", "layer 2"]


def test_a_scene_is_plain_json_without_nan(network):
    json.dumps(scene_of(network), allow_nan=False)


def test_a_graph_without_source_has_no_code():
    space = {"np": np}
    exec("f = lambda x: np.sum(x * x)", space)
    scene = scene_of(bp.trace(space["f"], np.ones(2)))
    assert scene["code"] == []
    assert {node["line"] for node in scene["nodes"]} == {None}


def test_the_text_twin_tells_every_value_and_every_contribution(fan):
    text = describe_graph(fan)
    for node in fan.nodes:
        assert f"  {node.name} = " in text
        assert words(node.value) in text
    for step in fan.backward().steps:
        for one in step.contributions:
            assert f"{one.rule}: {words(one.value)}" in text
    assert "d_v += d_v2 / (2 * v2)" in text


def test_a_graph_with_an_array_output_is_shown_forward_alone():
    graph = bp.trace(lambda x: x * 2.0 + 1.0, np.ones(3))
    note = (
        "The output v2 has shape (3,). A backward pass starts from a single number, "
        "or needs a seed: graph.backward(seed=…)."
    )
    assert graph.describe().partition("\nBackward\n")[2].split() == note.split()
    scene = graph_scene(graph)
    assert [frame["phase"] for frame in scene["frames"]] == ["start", "forward", "forward"]
    assert (scene["note"], scene["cost"], scene["legend"]["adjoint"]) == (note, None, "")
    assert {node["adjoint"] for node in scene["nodes"]} == {None}
    assert alt_text(graph).endswith("from the input x to v2 of shape (3,).")


def test_an_array_that_occurs_again_is_there_once(network):
    tensors = [json.dumps(tensor) for tensor in scene_of(network)["tensors"]]
    assert len(tensors) == len(set(tensors))


def test_the_alt_text_is_one_sentence(fan):
    assert alt_text(fan) == (
        "Computation graph of fan_out with 7 nodes, from the input x to fan_out = 0.9328."
    )


def test_an_output_that_is_an_input_or_a_constant_still_has_a_scene():
    assert scene_of(bp.trace(lambda x: x, 2.0))["frames"][-1]["phase"] == "seed"
    graph = bp.trace(lambda x: 3.0, 2.0)
    with pytest.warns(bp.BackpropWarning, match="does not depend on x"):
        assert scene_of(graph)["frames"][-1]["phase"] == "start"


def unhealthy(x):
    r = np.maximum(x, 0.0)
    s = bp.sigmoid(8.0 * r)
    return np.sum(s) + np.abs(np.sum(x))


@pytest.fixture
def marked():
    return bp.trace(unhealthy, np.array([0.0, -1.0, 1.0]))


def test_a_mark_is_on_the_card_in_the_legend_and_in_the_words(marked):
    scene = scene_of(marked)
    for node, shown in zip(marked.nodes, scene["nodes"], strict=True):
        assert [mark["text"] for mark in shown["marks"]] == list(map(str, node.health))
        for mark in shown["marks"]:
            assert scene["marks"][mark["style"]]["legend"] == mark["text"].split(":")[0]
    assert [style["legend"] for style in scene["marks"]] == ["saturated", "kink", "tie"]
    spoken = [frame_words(scene, step) for step in range(len(scene["frames"]))]
    assert sum("Tie: x and 0.0 are equal in 1 of 3 entries" in each for each in spoken) == 2


def test_the_text_twin_has_a_line_under_a_node_with_a_mark(marked):
    lines = describe_graph(marked).splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("  r = "))
    assert lines[at + 1] == f"    {marked.node('r').health[0]}"


def test_a_healthy_scene_knows_nothing_of_marks(fan):
    scene = scene_of(fan)
    assert scene["marks"] == []
    assert not any(node["marks"] for node in scene["nodes"])


def test_a_scene_with_nan_is_plain_json_without_nan():
    with np.errstate(all="ignore"), pytest.warns(bp.BackpropWarning, match="u is the first node"):
        graph = bp.trace(lambda x: (u := np.log(x)) - u, 0.0)
    with np.errstate(all="ignore"):
        scene = scene_of(graph)
    json.dumps(scene, allow_nan=False)
    assert [style["legend"] for style in scene["marks"]] == ["NaN or ∞ appears first"]


def snapshot(scene):
    """What is to be seen of a scene, place and size rounded to ten pixels."""
    places = geometry(scene, [])
    rounded = [[round(x, -1) for x in card["box"]] for card in places["cards"]]
    yield scene["alt"]
    for node, box in zip(scene["nodes"], rounded, strict=True):
        left, top, width, height = map(int, box)
        made = node["text"] or node["kind"]
        yield f"{width} x {height} at {left}, {top}: {node['name']} = {made}"
        for family in ("value", "adjoint"):
            tensor = scene["tensors"][node[family]]
            heat = ", ".join(f"{each:.1f}" for each in unpacked_heats(tensor["heat"]))
            yield f"    {family} {tensor['words']}, heat {heat}"
    for edge in places["edges"]:
        yield " -> ".join(scene["nodes"][edge[end]]["name"] for end in ("tail", "head"))
    for number, frame in enumerate(scene["frames"]):
        yield f"{number} {frame['phase']}: {frame_words(scene, number)}"
        for one in frame["contributions"]:
            of = f"{one['arrival']} of {one['arrivals']}"
            yield f"    {one['line']}, {of}, so far {scene['tensors'][one['total']]['words']}"


def test_the_scene_is_what_it_was(fan, same_as_before):
    same_as_before("scene", snapshot(scene_of(fan)))


def test_a_node_through_which_no_gradient_flows_has_no_adjoint():
    graph = bp.trace(lambda x: np.sum(np.where(x > 0, x, 0.1 * x)), np.array([1.0, -2.0]))
    nodes = graph_scene(graph)["nodes"]
    assert [node["adjoint"] is None for node in nodes] == [not carries for carries in graph.carries]
    assert [node["symbol"] for node in nodes if node["adjoint"] is None] == [">"]


def test_an_array_without_entries_is_shown_as_such():
    graph = bp.trace(lambda x: np.sum(x) + np.sum(x[:, :0]), np.ones((3, 2)))
    scene = scene_of(graph)
    empty = scene["tensors"][scene["nodes"][2]["value"]]
    assert (empty["shape"], empty["words"], empty["heat"]) == ("(3, 0)", "[]", "")


def told(scene):
    """What is said of nodes and steps, whatever the numbers of the arrays."""
    lines = [[given["line"] for given in frame["contributions"]] for frame in scene["frames"]]
    questions = [[given["ask"] for given in frame["contributions"]] for frame in scene["frames"]]
    nodes = [(node["text"], node["names"], node["source"]) for node in scene["nodes"]]
    return [frame_words(scene, step) for step in range(len(lines))], lines, questions, nodes


def test_of_a_large_graph_all_is_said_once_all_is_told(network):
    scene = GraphScene(network, in_full=False)
    words, lines, _, nodes = told(scene.data)
    assert {*words, *(line for each in lines for line in each)} == {""}
    assert {node[0] for node in nodes} == {""}
    for steps in range(0, len(words), 3), range(len(words)):
        scene.tell(steps, range(len(nodes)))
    assert told(scene.data) == told(scene_of(network))
    assert scene.tell(range(len(words))) is None


def test_what_had_reached_the_node_of_a_step_is_told_with_it(fan):
    scene = GraphScene(fan, in_full=False)
    last = len(scene.data["frames"]) - 1
    scene.tell([last])
    said = [k for k, frame in enumerate(scene.data["frames"]) if frame["words"]]
    assert said == [last - 2, last - 1, last]  # u has received from np.exp(u) and from u + …


def test_of_a_call_with_very_many_arrays_the_first_contributions_are_told():
    graph = bp.trace(lambda x: np.sum(np.stack([x * k for k in range(ROOM + 5)])), 2.0)
    scene = GraphScene(graph, in_full=False)
    step = next(k for k, f in enumerate(scene.data["frames"]) if len(f["contributions"]) > ROOM)
    scene.tell([step])
    lines = [given["line"] for given in scene.data["frames"][step]["contributions"]]
    assert [bool(line) for line in lines] == [True] * ROOM + [False] * 5
    assert frame_words(scene.data, step).endswith("; and 5 more receive theirs.")
    node = scene.data["nodes"][scene.data["frames"][step]["node"]]
    assert (node["text"], node["formula"]) == ("stack of 65 values", None)

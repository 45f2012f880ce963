"""The scene is the trace: every number in it is the library's."""

import json
import linecache

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.explorer.geometry import geometry
from backprop_nb.views.explorer.scene import alt_text, comments, describe_graph, graph_scene
from backprop_nb.views.numbers import long, tensor_words, words


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


def scene_of(graph):
    return graph_scene(graph, graph.backward())


def texts(value):
    return [long(x) for x in np.ravel(value)]


def test_every_value_and_adjoint_is_the_graphs(network):
    backward = network.backward()
    for node, shown in zip(network.nodes, scene_of(network)["nodes"], strict=True):
        assert shown["value"]["long"] == texts(node.value)
        assert shown["adjoint"]["long"] == texts(backward.adjoint(node))


def test_the_replay_has_one_frame_a_call_and_one_a_step(network):
    backward = network.backward()
    operations = [node for node in network.nodes if node.op]
    phases = [frame["phase"] for frame in scene_of(network)["frames"]]
    assert phases == (
        ["start"] + ["forward"] * len(operations) + ["seed"] + ["backward"] * len(backward.steps)
    )


def test_contributions_add_up_to_the_adjoint(fan):
    gifts = [gift for frame in scene_of(fan)["frames"] for gift in frame["gifts"]]
    to_v = [gift for gift in gifts if fan.nodes[gift["parent"]].name == "v"]
    assert [gift["arrival"] for gift in to_v] == [1, 2]
    assert {gift["arrivals"] for gift in to_v} == {2}
    assert to_v[-1]["sum"]["long"] == texts(fan.backward().adjoint("v"))
    assert [gift["line"].split(" ")[1] for gift in to_v] == ["=", "+="]


def test_a_gift_travels_along_the_edge_it_came_by(network):
    scene = scene_of(network)
    for frame in scene["frames"]:
        for gift in frame["gifts"]:
            edge = scene["edges"][gift["edge"]]
            assert (edge["tail"], edge["head"]) == (gift["parent"], frame["node"])


def test_the_factors_of_a_rule_multiply_to_the_contribution(network):
    for frame in scene_of(network)["frames"]:
        for gift in frame["gifts"]:
            if gift["symbol"] == "⊗":
                left, right = (np.array(f["value"]["long"]) for f in gift["factors"])
                assert gift["value"]["rows"] == len(left)
                assert gift["value"]["columns"] == len(right)
            if gift["symbol"] == "@":
                assert gift["factors"][1]["value"]["columns"] == 1  # a column, as in A.T @ d


def test_the_code_marks_the_exact_expression(network):
    scene = scene_of(network)
    for node in scene["nodes"]:
        if node["code"] is None:
            continue
        lines = scene["code"][node["code"]["block"]]["lines"]
        (line, start), (end_line, end) = node["code"]["start"], node["code"]["end"]
        assert line == end_line
        assert lines[line][start:end] == node["source"]


def test_every_function_of_the_trace_is_shown_once(network):
    names = [block["lines"][0].split("(")[0] for block in scene_of(network)["code"]]
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
    assert all(node["code"] is None for node in scene["nodes"])


def test_indented_code_is_shown_from_its_own_margin(tmp_path):
    script = tmp_path / "indented.py"
    script.write_text("if True:\n    def f(x):\n        return x * x\n", encoding="utf-8")
    space = {}
    exec(compile(script.read_text(), str(script), "exec"), space)
    scene = scene_of(bp.trace(space["f"], 2.0))
    assert scene["code"][0]["lines"] == ["def f(x):", "    return x * x"]
    assert scene["nodes"][1]["code"]["start"] == [1, 11]
    linecache.clearcache()


def test_the_text_twin_tells_every_value_and_every_contribution(fan):
    text = describe_graph(fan)
    for node in fan.nodes:
        assert f"  {node.name} = " in text
        assert words(node.value) in text
    for step in fan.backward().steps:
        for gift in step.contributions:
            assert f"{gift.rule}: {words(gift.value)}" in text
    assert "d_v += d_v2 / (2 * v2)" in text


def test_a_graph_with_a_vector_output_has_a_text_twin_too():
    text = describe_graph(bp.trace(lambda x: x * 2.0, np.ones(3)))
    assert "Forward" in text
    assert "Backward" not in text


def test_the_alt_text_is_one_sentence(fan):
    assert alt_text(fan) == (
        "Computation graph of fan_out with 7 nodes, from the inputs x to fan_out = 0.9328."
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
        assert [mark["text"] for mark in shown.get("marks", ())] == list(map(str, node.health))
        for mark in shown.get("marks", ()):
            assert scene["marks"][mark["look"]]["legend"] == mark["text"].split(":")[0]
    assert [look["legend"] for look in scene["marks"]] == ["saturated", "kink", "tie"]
    spoken = [frame["words"] for frame in scene["frames"]]
    assert sum("Tie: x and 0.0 are equal in 1 of 3 entries" in words for words in spoken) == 2


def test_the_text_twin_has_a_line_under_a_node_with_a_mark(marked):
    lines = describe_graph(marked).splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("  r = "))
    assert lines[at + 1] == f"    {marked.node('r').health[0]}"


def test_a_healthy_scene_knows_nothing_of_marks(fan):
    scene = scene_of(fan)
    assert "marks" not in scene
    assert not any("marks" in node for node in scene["nodes"])


def test_a_scene_with_nan_is_plain_json_without_nan():
    with np.errstate(all="ignore"), pytest.warns(bp.BackpropWarning, match="u is the first node"):
        graph = bp.trace(lambda x: (u := np.log(x)) - u, 0.0)
    with np.errstate(all="ignore"):
        scene = scene_of(graph)
    json.dumps(scene, allow_nan=False)
    assert [look["legend"] for look in scene["marks"]] == ["NaN or ∞ appears first"]


def test_comments_are_told_from_code_and_from_texts():
    lines = ["def f(x):", "    # a line of its own", "    return g(x, '#')  # é and the rest"]
    assert comments(lines) == [(1, 4), (2, 22)]
    assert comments(["x = (  # never closed"]) == []


def test_a_block_of_code_knows_its_comments(fan):
    def loss(x):
        return np.sum(
            x * x  # of all
        )

    (block,) = scene_of(bp.trace(loss, np.ones(2)))["code"]
    ((line, column),) = block["comments"]
    assert block["lines"][line][column:] == "# of all"
    assert scene_of(fan)["code"][0]["comments"] == []


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
            heat = ", ".join(f"{each:.1f}" for each in node[family]["heat"])
            yield f"    {family} {tensor_words(node[family])}, heat {heat}"
    for edge in places["edges"]:
        yield " -> ".join(scene["nodes"][edge[end]]["name"] for end in ("tail", "head"))
    for number, frame in enumerate(scene["frames"]):
        yield f"{number} {frame['phase']}: {frame['words']}"
        for gift in frame["gifts"]:
            of = f"{gift['arrival']} of {gift['arrivals']}"
            yield f"    {gift['line']}, {of}, so far {tensor_words(gift['sum'])}"


def test_the_scene_is_what_it_was(fan, same_as_before):
    same_as_before("scene", "\n".join(snapshot(scene_of(fan))))

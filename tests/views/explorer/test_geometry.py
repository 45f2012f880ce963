"""Where things lie when groups are folded: nothing is lost, nothing is shown twice."""

import json
from itertools import combinations

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.explorer.description import describe_graph
from backprop_nb.views.explorer.geometry import cards_of, check_folded, geometry
from backprop_nb.views.explorer.scene import graph_scene


def layer(A, b, x):
    z = A @ x + b
    return bp.sigmoid(z)


def block(A, b, x):
    return layer(A, b, layer(A, b, x))


def loss(A, b, x):
    return np.sum(block(A, b, block(A, b, x)) * x)


@pytest.fixture(scope="module")
def graph():
    return bp.trace(loss, np.eye(2), np.ones(2), np.ones(2))


@pytest.fixture(scope="module")
def scene(graph):
    return graph_scene(graph)


STATES = [[], ["block 1"], ["layer 1"], ["block 1", "layer 1", "layer 4"], ["block 1", "block 2"]]


@pytest.mark.parametrize("folded", STATES)
def test_every_edge_is_drawn_once_or_inside_a_folded_card(scene, folded):
    places = geometry(scene, folded)
    drawn = [k for edge in places["edges"] for k in edge["of"]]
    assert len(drawn) == len(set(drawn))
    if not folded:
        assert sorted(drawn) == list(range(len(scene["edges"])))
    for edge in places["edges"]:
        for k in edge["of"]:
            ends = scene["edges"][k]
            assert places["card_of"][ends["tail"]] == edge["tail"]
            assert places["card_of"][ends["head"]] == edge["head"]


@pytest.mark.parametrize("folded", STATES)
def test_no_two_cards_overlap_and_open_groups_hold_theirs(scene, folded):
    places = geometry(scene, folded)
    for (a, b, w, h), (c, d, v, g) in combinations([card["box"] for card in places["cards"]], 2):
        assert a + w <= c or c + v <= a or b + h <= d or d + g <= b
    groups = {scene["groups"][group["group"]]["id"]: group["box"] for group in places["groups"]}
    inside = {"layer 1", "layer 2"} if "block 1" in folded else set()
    inside |= {"layer 3", "layer 4"} if "block 2" in folded else set()
    assert set(groups) == {group["id"] for group in scene["groups"]} - set(folded) - inside
    for card in places["cards"]:
        if card["group"] is not None or scene["nodes"][card["node"]]["group"] is None:
            continue
        left, top, width, height = groups[
            scene["groups"][scene["nodes"][card["node"]]["group"]]["id"]
        ]
        x, y, w, h = card["box"]
        assert left <= x <= x + w <= left + width
        assert top <= y <= y + h <= top + height


def test_edges_into_a_folded_group_are_merged(scene):
    places = geometry(scene, ["block 1", "block 2"])
    pairs = [(edge["tail"], edge["head"]) for edge in places["edges"]]
    assert len(pairs) == len(set(pairs))
    # A and b each go into two layers of each block.
    assert sum(len(edge["of"]) == 2 for edge in places["edges"]) == 4


def test_a_group_says_how_many_nodes_it_has_and_which_is_its_result(scene, graph):
    group = scene["groups"][0]
    assert (group["id"], group["size"]) == ("block 1", 6)
    members = [n.index for n in graph.nodes if n.scope and n.scope[0] == "block 1"]
    assert group["output"] == max(members)


def test_the_count_of_cards_is_that_of_the_geometry(scene):
    for folded in STATES:
        cards, card_of = cards_of(scene, folded)
        places = geometry(scene, folded)
        assert len(cards) == len(places["cards"])
        assert places["card_of"] == card_of
        assert set(card_of) == set(range(len(cards)))


def test_a_geometry_is_plain_json_and_the_same_every_time(scene):
    once = json.dumps(geometry(scene, ["block 1"]))
    assert json.dumps(geometry(scene, ["block 1"])) == once
    assert json.loads(once) == geometry(scene, ["block 1"])


def test_an_unknown_group_is_refused_with_those_that_there_are(scene):
    with pytest.raises(bp.NotFoundError) as caught:
        check_folded(scene, ["layer 9"])
    assert str(caught.value) == (
        "The graph has no group 'layer 9'.\n"
        "  expected: some of 'block 1', 'block 2', 'layer 1', 'layer 2', 'layer 3', 'layer 4'"
    )
    flat = bp.trace(lambda x: x**2, 3.0)
    with pytest.raises(bp.NotFoundError, match="no group 'f'") as caught:
        check_folded(graph_scene(flat), ["f"])
    assert caught.value.expected == "an empty list: this graph has no groups"


def test_the_order_in_which_groups_are_named_does_not_matter(scene):
    assert check_folded(scene, ["layer 1", "block 1", "layer 1"]) == ["block 1", "layer 1"]


def test_the_text_twin_sums_a_folded_group_up(graph):
    text = describe_graph(graph, ["block 1", "block 2"])
    result = next(n for n in reversed(graph.nodes) if n.scope[:1] == ("block 1",))
    assert f"  [block 1] 6 nodes, folded; the last is {result.name}, (2,): " in text
    assert f"d_{result.name} " in text  # it crosses the border of block 2
    inner = next(n for n in graph.nodes if n.scope[:1] == ("block 1",))
    assert f"  {inner.name} = " not in text
    assert f"d_{inner.name} " not in text
    assert describe_graph(graph, []) == graph.describe()


def test_a_mark_inside_a_folded_group_shows_on_its_card():
    def kinked(x):
        return np.abs(x)

    graph = bp.trace(lambda x: kinked(x) + x, 0.0)
    scene = graph_scene(graph)
    card = next(c for c in geometry(scene, ["kinked"])["cards"] if c["group"] is not None)
    assert [mark["text"] for mark in card["marks"]] == [f"kink: {graph.nodes[1].name}"]
    assert card["marks"][0]["nodes"] == [1]

"""What a page takes along for those who fold and open groups without a kernel."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.explorer.folding import near_states
from backprop_nb.views.explorer.geometry import geometry, shown_groups
from backprop_nb.views.explorer.scene import graph_scene


def layer(A, x):
    return bp.sigmoid(A @ x)


def block(A, x):
    return layer(A, layer(A, x))


@pytest.fixture(scope="module")
def scene():
    return graph_scene(bp.trace(lambda A, x: np.sum(block(A, block(A, x))), np.eye(2), np.ones(2)))


def states_of(scene, start=()):
    return near_states(scene, start, lambda folded: geometry(scene, folded))


def test_what_shows_is_in_no_folded_group(scene):
    assert [group["id"] for group in scene["groups"]] == [
        "block 1",
        "block 2",
        "layer 1",
        "layer 2",
        "layer 3",
        "layer 4",
    ]
    assert shown_groups(scene, []) == dict.fromkeys(range(6), False)
    assert shown_groups(scene, ["block 1", "layer 1", "layer 3"]) == {
        0: True,
        1: False,
        4: True,
        5: False,
    }


def test_no_picture_is_taken_along_twice_and_the_first_is_the_one_that_shows(scene):
    states = states_of(scene, ("block 1",))
    assert states[0]["geometry"]["folded"] == ["block 1"]
    shown = [shown_groups(scene, state["geometry"]["folded"]) for state in states]
    assert len(shown) == 25  # a block is one card, or each of its two layers is open or folded
    assert not any(each in shown[:k] for k, each in enumerate(shown))


def test_to_turn_a_group_over_leads_to_a_picture_in_which_it_is_turned(scene):
    states = states_of(scene)
    numbers = {group["id"]: k for k, group in enumerate(scene["groups"])}
    turns = 0
    for state in states:
        now = shown_groups(scene, state["geometry"]["folded"])
        assert set(state["turned"]) == {scene["groups"][k]["id"] for k in now}
        for group, target in state["turned"].items():
            then = shown_groups(scene, states[target]["geometry"]["folded"])
            assert then[numbers[group]] is not now[numbers[group]]
            turns += 1
    assert turns > len(states)


def test_where_there_is_no_room_for_a_picture_the_nearest_is_taken(scene, monkeypatch):
    cards = len(geometry(scene, [])["cards"])
    monkeypatch.setattr("backprop_nb.views.explorer.folding._MAX_CARDS", 3 * cards)
    states = states_of(scene)
    folded = [state["geometry"]["folded"] for state in states]
    assert 1 < len(folded) < 25
    # To open one block where all is folded would leave its layers folded: they are open here.
    all_folded = next(state for state in states if len(state["geometry"]["folded"]) == 6)
    assert folded[all_folded["turned"]["block 1"]] == ["block 2"]


def test_what_one_turn_leads_to_comes_before_all_open(scene, monkeypatch):
    start = tuple(group["id"] for group in scene["groups"])
    turned = [[group for group in start if group != opened] for opened in ("block 1", "block 2")]
    room = [sum(len(geometry(scene, each)["cards"]) for each in some) for some in (turned, [[]])]
    first = len(geometry(scene, start)["cards"])
    monkeypatch.setattr("backprop_nb.views.explorer.folding._MAX_CARDS", first + max(room))
    folded = [state["geometry"]["folded"] for state in states_of(scene, start)]
    assert folded[:3] == [list(start), *turned]

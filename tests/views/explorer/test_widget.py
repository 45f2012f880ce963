"""``GraphExplorer``: state in traits, refusals that change nothing, and what stands in for it."""

import copy
import tracemalloc
from functools import partial

import numpy as np
import pytest
from nonempty import nonempty
from snapshots import drawn

import backprop_nb as bp
from backprop_nb.views.explorer.folding import stops
from backprop_nb.views.explorer.scene import graph_scene


def f(x):
    u = x**2
    return u + x


@pytest.fixture
def explorer():
    return bp.trace(f, 3.0).explore()


def test_it_starts_before_anything_is_computed(explorer):
    assert (explorer.step, explorer.selected, explorer.playing) == (0, "", False)
    assert explorer.last_step == len(explorer.scene["frames"]) - 1


def test_the_scene_is_the_graphs(explorer):
    assert explorer.scene == graph_scene(explorer.graph)


def test_what_is_asked_is_not_told_by_the_picture_that_stands_in(explorer):
    def numbers():
        return set(drawn(explorer.static_figure()))

    explorer.step = 2  # after the way forward
    assert {"9", "12", "7"} <= numbers()  # u, the result, and what x receives in the end
    explorer.predict = "value"
    assert {"9", "12"} <= numbers()
    assert "7" not in numbers()


def test_another_prediction_begins_anew(explorer):
    assert (explorer.predict, explorer.score) == ("off", {"right": 0, "asked": 0})
    explorer.predict = "value"
    explorer.predictions = {"3.0": {"tries": 1, "done": "right"}}
    explorer.score = {"right": 1, "asked": 1}
    explorer.predict = "shape"
    assert (explorer.predictions, explorer.score) == ({}, {"right": 0, "asked": 0})
    assert bp.trace(f, 3.0).explore(predict="sign").predict == "sign"


def test_a_graph_with_an_array_output_shows_its_forward_pass():
    graph = bp.trace(lambda x: x * 2.0, np.ones(3))
    data, metadata = graph._repr_mimebundle_()  # the last line of a cell
    assert data["text/plain"] == "GraphExplorer(<lambda>, 2 nodes, step 0 of 1)"
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == graph.draw().alt
    shown = drawn(graph.draw())
    assert graph.explore().scene["note"] in shown
    assert not any(text.startswith("adjoint") for text in shown)


def test_the_text_twin_and_the_figure_are_the_graphs(explorer):
    assert explorer.describe() == explorer.graph.describe()
    assert explorer.draw().alt == explorer.graph.draw().alt


def square(x):
    return x**2 + 1.0


def twice(x):
    return square(square(x))


def loop(x):
    for _ in range(100):
        x = x * 1.01
    return x


def test_a_small_graph_begins_open_and_a_large_one_folded():
    assert bp.trace(twice, 3.0).explore().folded == []
    explorer = bp.trace(loop, 3.0).explore()
    assert explorer.folded == explorer.groups
    assert len(explorer.geometry["cards"]) <= 60


def test_folding_changes_the_geometry_and_nothing_else():
    explorer = bp.trace(twice, 3.0).explore()
    changed = []
    explorer.observe(lambda change: changed.append(change["name"]))
    scene, open_places = explorer.scene, explorer.geometry
    explorer.folded = ["square 1"]
    assert set(changed) == {"folded", "geometry"}
    assert explorer.scene is scene
    assert explorer.geometry["folded"] == ["square 1"]
    explorer.folded = []
    assert explorer.geometry == open_places


def test_it_can_begin_folded_but_a_group_that_does_not_exist_is_refused_and_nothing_changes():
    explorer = bp.trace(twice, 3.0).explore(folded=["square 2"])
    places = explorer.geometry
    for make in (partial(setattr, explorer, "folded"), lambda folded: explorer.draw(folded=folded)):
        with pytest.raises(bp.NotFoundError) as caught:
            make(["cube"])
        assert str(caught.value) == (
            "The graph has no group 'cube'.\n  expected: some of 'square 1', 'square 2'"
        )
        assert explorer.folded == explorer.geometry["folded"] == ["square 2"]
        assert explorer.geometry is places
    with pytest.raises(bp.NotFoundError, match="no group 'cube'"):
        bp.trace(twice, 3.0).explore(folded=["cube"])


def test_figure_alt_text_and_words_follow_what_is_folded():
    explorer = bp.trace(twice, 3.0).explore(folded=["square 1"])
    shown = drawn(explorer.draw())
    assert "square 1" in shown
    assert "2 nodes" in shown
    assert "1 group is folded" in explorer.draw().alt
    assert explorer.draw(folded=[]).alt == explorer.scene["alt"]
    assert explorer._repr_mimebundle_()[1]["image/png"]["alt"] == explorer.draw().alt
    assert "[square 1] 2 nodes, folded" in explorer.describe()


def test_a_page_takes_along_what_can_be_reached_by_turning_groups():
    explorer = bp.trace(twice, 3.0).explore()
    states = explorer._own_state()["states"]
    one, two = "square 1", "square 2"
    assert [state["geometry"]["folded"] for state in states] == [[], [one, two], [one], [two]]
    turned = [(2, 3), (3, 2), (0, 1), (1, 0)]
    assert [state["turned"] for state in states] == [{one: a, two: b} for a, b in turned]


def test_a_page_of_a_large_graph_takes_along_only_so_much():
    places = [state["geometry"] for state in bp.trace(loop, 3.0).explore()._own_state()["states"]]
    assert sum(len(place["cards"]) for place in places) <= 1500
    assert {len(place["folded"]) for place in places} >= {0, len(places[0]["folded"])}


@pytest.fixture
def large(monkeypatch):
    monkeypatch.setattr("backprop_nb.views.explorer.scene.TOLD", 100)
    return bp.trace(loop, 3.0).explore()


def said(explorer):
    return {k for k, frame in enumerate(explorer.scene["frames"]) if frame["words"]}


def as_in_the_page(scene, told):
    """What fillIn in steps.mjs makes of a scene."""
    for number, node in told["nodes"].items():
        scene["nodes"][int(number)] = node
    for number, frame in told["frames"].items():
        scene["frames"][int(number)] = frame
    for name, after in zip(("tensors", "shapes"), told["after"], strict=True):
        scene[name] = [*scene[name][:after], *told[name]]
    return scene


def test_of_a_large_graph_what_is_folded_away_is_told_when_it_is_opened(large):
    stops = set(large._stops())
    assert stops <= said(large)
    assert len(said(large)) < large.last_step / 2
    assert large.told == {}
    page = copy.deepcopy(large.scene)
    for _ in range(2):
        large.folded = [group for group in large.folded if group != large.folded[0]]
        assert set(large._stops()) <= said(large)
    assert as_in_the_page(page, large.told) == large.scene


def test_of_a_large_graph_the_step_and_the_node_that_are_asked_for_are_told(large):
    page = copy.deepcopy(large.scene)
    inside = min(set(range(large.last_step)) - said(large))
    large.step = inside
    assert inside in said(large)
    hidden = next(node for node in reversed(large.scene["nodes"]) if not node["text"])
    large.selected = hidden["name"]
    assert hidden["text"]
    assert as_in_the_page(page, large.told) == large.scene


def sum_at(scene, node, step):
    """The words of what has arrived at a node by a step, as a card shows it."""
    frames = scene["frames"][: step + 1]
    all_given = [given for frame in frames for given in frame["contributions"]]
    last = next((given for given in reversed(all_given) if given["parent"] == node), None)
    return last and scene["tensors"][last["total"]]["words"]


def test_of_a_large_graph_the_sums_on_cards_are_known_at_every_step(monkeypatch):
    monkeypatch.setattr("backprop_nb.views.explorer.scene.TOLD", 100)

    def recurrence(h, w):
        for _ in range(100):
            h = w * np.tanh(np.sin(h))
        return h

    explorer = bp.trace(recurrence, 0.5, 1.1).explore()
    whole = graph_scene(explorer.graph)
    shown = {card["node"] for card in explorer.geometry["cards"]} - {None}
    inside = min(set(range(300, explorer.last_step)) - said(explorer))
    for step in nonempty([*explorer._stops(), inside]):
        explorer.step = step
        for node in nonempty(shown):
            assert sum_at(explorer.scene, node, step) == sum_at(whole, node, step)


def test_the_rows_of_an_array_are_not_kept_as_an_array_each(monkeypatch):
    monkeypatch.setattr("backprop_nb.views.explorer.scene.TOLD", 10)

    def peak(rows, ask):
        graph = bp.trace(lambda x: sum(np.sum(row) for row in x), np.ones((rows, 200)))
        tracemalloc.start()
        _ = ask(graph)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most / rows

    for ask in nonempty([lambda graph: str(graph.describe()), bp.Graph.explore, bp.Graph.draw]):
        peak(10, ask)  # what is done once is done
        assert peak(80, ask) < 1.6 * peak(20, ask)


def test_a_page_of_a_large_graph_tells_of_all_that_can_be_opened_there(large):
    state = large._own_state()
    for each in state["states"]:
        assert set(stops(state["scene"], each["geometry"])) <= said(large)
    assert state["told"] == {}  # the scene has it
    assert large.told["frames"]  # and so has the notebook's own view


def test_of_more_cards_than_can_be_read_the_still_shows_fewer():
    net = bp.SigmoidNetwork((3,) * 34, seed=0)
    explorer = net.trace(np.ones(3), np.zeros(3)).explore(folded=[])
    still = explorer.static_figure()
    assert "folded to one card" in still.alt
    assert still.axes[0].texts
    assert "folded" not in explorer.draw().alt  # who asks for all of it gets it

"""``GraphExplorer``: state in traits, refusals that change nothing, and what stands in for it."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.scene import graph_scene


def f(x):
    u = x**2
    return u + x


@pytest.fixture
def explorer():
    return bp.trace(f, 3.0).explore()


def test_it_starts_before_anything_is_computed(explorer):
    assert (explorer.step, explorer.selected, explorer.playing) == (0, "", False)
    assert explorer.last_step == len(explorer.scene["frames"]) - 1


def test_a_program_can_do_what_a_mouse_can(explorer):
    explorer.step = explorer.last_step
    explorer.selected = "u"
    explorer.playing = True
    assert (explorer.step, explorer.selected, explorer.playing) == (explorer.last_step, "u", True)


def test_the_scene_is_the_graphs(explorer):
    assert explorer.scene == graph_scene(explorer.graph, explorer.graph.backward())


@pytest.mark.parametrize("step", [-1, 99])
def test_a_step_that_does_not_exist_is_refused_and_nothing_changes(explorer, step):
    explorer.step = 2
    with pytest.raises(bp.InvalidValueError) as caught:
        explorer.step = step
    assert str(caught.value) == (
        f"There is no such step.\n  given:    step {step}\n  expected: a step from 0 to 5"
    )
    assert explorer.step == 2


def test_a_node_that_does_not_exist_is_refused_and_nothing_changes(explorer):
    with pytest.raises(bp.NotFoundError, match="no node 'w'"):
        explorer.selected = "w"
    assert explorer.selected == ""


def test_the_first_step_is_checked_too():
    with pytest.raises(bp.InvalidValueError, match="no such step"):
        bp.trace(f, 3.0).explore(step=99)


def test_a_graph_with_a_vector_output_is_refused_with_advice():
    with pytest.raises(bp.ShapeError, match="not a single number") as caught:
        bp.trace(lambda x: x * 2.0, np.ones(3)).explore()
    assert "np.sum" in caught.value.instead


def test_the_repr_is_the_same_in_every_process(explorer):
    assert repr(explorer) == "GraphExplorer(f, 3 nodes, step 0 of 5)"


def test_a_picture_and_a_text_are_stored_beside_the_live_view(explorer):
    data, metadata = explorer._repr_mimebundle_()
    assert set(data) == {
        "application/vnd.jupyter.widget-view+json",
        "image/png",
        "text/plain",
    }
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == repr(explorer)
    assert metadata["image/png"]["alt"] == explorer.scene["alt"]


def test_a_graph_as_the_last_line_of_a_cell_shows_the_explorer():
    data, _ = bp.trace(f, 3.0)._repr_mimebundle_()
    assert data["text/plain"] == "GraphExplorer(f, 3 nodes, step 0 of 5)"


def test_the_text_twin_and_the_figure_are_the_graphs(explorer):
    assert explorer.describe() == explorer.graph.describe()
    assert explorer.draw().alt == explorer.graph.draw().alt


def test_it_is_offered_at_the_top_level():
    assert bp.GraphExplorer is bp.widgets.GraphExplorer
    assert "GraphExplorer" in dir(bp)
    with pytest.raises(AttributeError, match="no attribute 'GraphExporer'"):
        _ = bp.GraphExporer

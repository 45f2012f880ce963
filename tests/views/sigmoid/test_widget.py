"""``SigmoidExplorer``: state in traits, refusals that change nothing, and what stands in for it."""

import numpy as np
import pytest

import backprop_nb as bp


@pytest.fixture
def explorer():
    return bp.SigmoidExplorer()


def test_it_begins_at_the_steepest_place(explorer):
    assert (explorer.z, explorer.layers, explorer.activation) == (0.0, 5, "sigmoid")


def test_a_program_can_do_what_a_mouse_can(explorer):
    explorer.z, explorer.layers, explorer.activation = -2, 10, "tanh"
    assert repr(explorer) == "SigmoidExplorer(tanh, z = −2, layers = 10)"


@pytest.mark.parametrize(("z", "kept"), [(1.234, 1.2), (np.float32(-0.26), -0.3), (6, 6.0)])
def test_z_is_kept_in_tenths_as_the_slider_has_them(explorer, z, kept):
    explorer.z = z
    assert explorer.z == kept
    assert type(explorer.z) is float


def test_what_is_done_to_the_scene_of_one_does_not_reach_another(explorer):
    explorer.scene["curves"].clear()
    assert list(bp.SigmoidExplorer().scene["curves"]) == ["sigmoid", "tanh", "relu"]


def test_the_text_twin_says_what_ten_units_leave():
    text = bp.SigmoidExplorer(z=3, layers=10).describe()
    assert "Saturated: the slope is below 20 % of its maximum." in text
    assert "n = 10: 3.541e−14, at best 9.537e−7" in text


def test_the_figure_is_that_of_this_place(explorer):
    explorer.z = 1.5
    assert explorer.draw(theme="dark").alt == explorer.describe().splitlines()[0]
    assert explorer.draw().alt.startswith("At z = 1.5: σ(z) = 0.8176, σ′(z) = 0.1491, 59.7 %")


def test_there_is_a_figure_of_a_relu_at_rest_too():
    assert "relu′(z) = 0, 0 %" in bp.SigmoidExplorer(z=-1, activation="relu").draw().alt

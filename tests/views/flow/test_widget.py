"""``GradientFlow``: state in traits, refusals that change nothing, and the given network kept."""

import numpy as np
import pytest
from snapshots import drawn

import backprop_nb as bp
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.parameter import Parameter, parameters
from backprop_nb.views.flow.scene import flow_scene
from backprop_nb.views.flow.words import describe_flow

x = np.array([[0.5, -1.0, 2.0], [1.0, 0.0, -1.0]])
y = np.array([[1.0, 0.0], [0.0, 1.0]])

TRAITS = (
    *("depth", "width", "scale", "activation", "seed", "row", "input", "edges"),
    *("selected", "weight", "epsilon", "step", "given", "scene", "curves"),
)


def state(view):
    return {name: getattr(view, name) for name in TRAITS}


@pytest.fixture
def net():
    return bp.SigmoidNetwork((3, 4, 5, 2), seed=3)


@pytest.fixture
def view(net):
    return bp.GradientFlow(net, x, y)


def test_by_default_the_gradient_vanishes_and_all_is_known():
    view = bp.GradientFlow()
    assert view.step == view.last_step == 17
    assert view.scene["verdict"]["text"].startswith("The gradient vanishes: ")
    assert (view.depth, view.width, view.scale, view.activation) == (8, 4, 1.0, "sigmoid")
    assert view.given


def test_the_sliders_say_how_a_given_network_is(view, net):
    weights = np.concatenate([a.ravel() for a in net.A])
    assert (view.depth, view.width, view.activation) == (3, 5, "sigmoid")
    assert view.scale == pytest.approx(np.sqrt(np.mean(weights**2)), rel=1e-2)
    assert view.scene == flow_scene(Flow(net, x, y))
    assert view.weight == net.A[0][0, 0]


def test_the_given_network_and_data_are_never_modified(view, net):
    before = [a.copy() for a in (*net.A, *net.b, x, y)]
    view.weight = 3.0
    view.input = [1, 2, 3]
    view.given = True
    view.weight = 4.0
    view.depth = 2
    for now, then in zip((*net.A, *net.b, x, y), before, strict=True):
        np.testing.assert_array_equal(now, then)
    net.A[0][0, 0] = 99.0  # and what becomes of it later does not matter here
    view.given = True
    assert view.weight == before[0][0, 0]


def test_a_slider_draws_a_network_that_anybody_can_draw(view):
    view.depth, view.width, view.scale, view.seed = 4, 6, 2.0, 7
    view.activation = "tanh"
    drawn = bp.Network((3, 6, 6, 6, 2), seed=7, scale=2.0, activation="tanh")
    assert view.scene == flow_scene(Flow(drawn, x, y))
    assert not view.given
    assert view.step == view.last_step == 9


def test_one_press_leads_back_to_what_was_given(view):
    before = state(view)
    view.activation, view.depth, view.input = "relu", 6, [9, 9, 9]
    view.given = True
    assert state(view) == before | {"seed": view.seed}


def test_the_loss_of_a_given_network_stays_when_another_is_drawn():
    net = bp.Network((3, 4, 2), seed=0, loss="cross-entropy")
    view = bp.GradientFlow(net, x, y, depth=3)
    assert "cross-entropy" in repr(view)


def test_a_weight_can_be_chosen_moved_and_kept(view, net):
    view.selected = (1, 2, 3)
    assert view.selected == "A_1[2, 3]"
    assert view.weight == net.A[1][2, 3]
    view.epsilon = 0.3
    assert 0.3 in view.curves["A_1[2, 3]"]["epsilons"]
    view.weight += view.epsilon
    moved = bp.SigmoidNetwork.from_parameters(net.A, net.b)
    moved.A[1][2, 3] += 0.3
    assert view.scene == flow_scene(Flow(moved, x, y))
    assert (view.epsilon, view.selected, view.given) == (0.0, "A_1[2, 3]", False)
    view.selected = "b_0[1]"
    assert (view.weight, view.epsilon) == (0.0, 0.0)
    assert list(view.curves) == ["b_0[1]"]


def test_a_place_that_came_with_the_curve_needs_nothing_new(view):
    curves = view.curves
    view.epsilon = curves["A_0[0, 0]"]["epsilons"][3]
    assert view.curves is curves


def test_a_weight_that_no_longer_exists_is_let_go(view):
    view.selected = "A_2[1, 4]"
    view.width = 3
    assert view.selected == "A_0[0, 0]"
    view.selected = "A_1[2, 2]"
    view.scale = 0.5
    assert view.selected == "A_1[2, 2]"


def test_the_input_of_one_row_can_be_changed(view, net):
    view.row = 1
    assert view.input == x[1].tolist()
    view.input = (1, 2, 3)
    changed = x.copy()
    changed[1] = [1, 2, 3]
    assert view.scene == flow_scene(Flow(net, changed, y, 1))
    view.row = 0
    assert view.input == x[0].tolist()


def test_a_step_in_the_middle_stays_where_it_is(view):
    view.step = 4
    view.scale = 2.0
    assert view.step == 4
    view.depth = 1
    assert view.step == view.last_step == 3


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("net", None, None), bp.ShapeError, "`x` is missing: without it there is no gradient."),
        (("net", x, None), bp.ShapeError, "`y` is missing"),
        ((None, x, y), bp.ShapeError, "`x` and `y` are given without a network that they fit."),
        ((3, x, y), bp.UnsupportedError, "`net` must be a network of this package."),
        (("net", x[:, :2], y), bp.ShapeError, "`x` has 2 columns, `A[0]` expects 3."),
    ],
)
def test_what_does_not_fit_is_refused(net, arguments, error, words):
    given = [net if each == "net" else each for each in arguments[:1]] + list(arguments[1:])
    with pytest.raises(error) as caught:
        bp.GradientFlow(*given)
    assert str(caught.value).startswith(words)


def test_a_weight_that_is_asked_for_is_shown_from_the_start(net):
    assert not bp.GradientFlow().more
    view = bp.GradientFlow(selected="A_1[0, 1]")
    assert (view.more, view.detail) == (True, "one weight")
    assert not bp.GradientFlow(selected="A_1[0, 1]", more=False).more
    with pytest.raises(bp.InvalidValueError, match="`more` must be True or False"):
        bp.GradientFlow(more=1)


def test_a_network_of_any_scale_can_be_given():
    net = bp.Network((2, 3, 1), seed=0, activation="relu", output="identity")
    net.A = [1e12 * A for A in net.A]
    assert bp.GradientFlow(net, [1, 2], [0]).scale > 1e11
    with pytest.raises(bp.InvalidValueError, match="from 0 to 1000"):
        bp.GradientFlow(scale=1001)


def test_the_state_may_come_in_any_order_and_from_the_browser():
    view = bp.GradientFlow(step=2, epsilon=1.0, selected="A_3[1, 1]", width=3, depth=5)
    assert (view.step, view.epsilon, view.selected) == (2, 1.0, "A_3[1, 1]")
    view.set_state({"depth": 2, "edges": "gradient"})
    assert (view.depth, view.edges, view.last_step) == (2, "gradient", 5)
    assert len(view.scene["table"]["rows"]) == 2


def test_float32_is_seen_in_double_precision(net):
    single = bp.SigmoidNetwork.from_parameters(
        [a.astype("float32") for a in net.A], [b.astype("float32") for b in net.b]
    )
    view = bp.GradientFlow(single, x.astype("float32"), y.astype("float32"))
    texts = view.curves["A_0[0, 0]"]["texts"]
    changes = [float(each["difference"].replace("−", "-")) for each in texts]
    assert abs(changes[17]) < abs(changes[18]) < abs(changes[20])


def test_the_words_and_the_figure_show_the_present_state(view):
    view.selected, view.epsilon = "A_1[2, 3]", 0.3
    assert view.describe() == describe_flow(Flow(view._flow.net, x, y), Parameter(1, 2, 3), 0.3)
    figure = view.draw(theme="dark", step=0)
    assert figure.alt == view.scene["alt"]
    shown = drawn(figure)
    assert "layer 1" not in shown
    assert "layer 1" in drawn(view.static_figure())
    with pytest.raises(bp.InvalidValueError, match="`step` must be an integer from 0 to 7"):
        view.draw(step=99)


def test_a_page_carries_the_curve_of_every_weight_unless_there_are_too_many(view):
    names = {str(each) for each in parameters(view._flow.net)}
    assert set(view._own_state()["curves"]) == names
    assert list(view.curves) == ["A_0[0, 0]"]
    view.width, view.depth = 8, 6
    assert list(view._own_state()["curves"]) == ["A_0[0, 0]"]


@pytest.mark.slow
def test_the_page_is_small_for_all_its_curves(tmp_path):
    page = bp.GradientFlow().to_html(tmp_path / "page").read_bytes()
    assert len(page) < 750_000  # the curves of 146 weights are 1 MB as plain JSON

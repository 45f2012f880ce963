"""``ChainRule``: state in traits, refusals that change nothing, and what stands in for it."""

import numpy as np
import pytest

import backprop_nb as bp

X = np.array([[1.0, 2.0], [0.5, -1.0], [0.0, 0.3]])
Y = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])


@pytest.fixture
def net():
    return bp.SigmoidNetwork((2, 3, 2), seed=0)


@pytest.fixture
def rule(net):
    return bp.ChainRule(net, X[0], Y[0])


def test_it_starts_with_the_first_layer_from_the_left(rule):
    assert (rule.i, rule.side, rule.section, rule.step) == (0, "left", "product", 0)
    assert rule.last_step == 3


def test_a_program_can_do_what_a_mouse_can(rule):
    rule.step = rule.last_step
    rule.side = "right"
    assert rule.step == 3  # both sides have as many steps
    rule.selected = "∂f_2/∂f_1"
    rule.i = 1
    assert (rule.step, rule.last_step, rule.selected) == (2, 2, "")
    rule.section = "transposes"
    assert (rule.step, rule.last_step) == (0, 3)
    rule.selected = "∂z_2/∂A_1"
    rule.playing = True


def test_it_can_be_made_at_any_moment(net):
    rule = bp.ChainRule(net, X[0], Y[0], i=0, section="transposes", step=2, selected="∂z_2/∂f_1")
    assert repr(rule) == "ChainRule(widths (2, 3, 2), i=0, transposes, step 2 of 5)"
    assert rule.selected == "∂z_2/∂f_1"


def test_data_that_do_not_fit_are_refused(net):
    with pytest.raises(bp.ShapeError):
        bp.ChainRule(net, [1.0, 2.0, 3.0], Y[0])
    with pytest.raises(bp.ShapeError):
        bp.ChainRule(net, X[0], [1.0])


@pytest.mark.parametrize("net", [bp.Network((2, 3, 2), activation="tanh"), "a network"])
def test_another_network_is_refused(net):
    with pytest.raises(bp.UnsupportedError, match="the document's network") as caught:
        bp.ChainRule(net, X[0], Y[0])
    assert caught.value.expected == "a SigmoidNetwork"


def test_a_row_of_a_batch_is_chosen(net):
    rule = bp.ChainRule(net, X, Y, row=1)
    assert rule.scene["batch"].startswith("Row 1 of a batch of 3;")
    rule.row = 2
    assert np.array_equal(rule.chain.f[0], X[2])
    assert rule.scene["matrices"]["∂L/∂f_2"]["numbers"]["words"] == bp.views.numbers.words(
        rule.chain.factors[0].matrix
    )
    assert repr(rule) == "ChainRule(widths (2, 3, 2), i=0, row 2, from the left, step 0 of 3)"
    with pytest.raises(bp.InvalidValueError, match="`row` must be an integer from 0 to 2"):
        rule.row = 3


def test_later_training_does_not_reach_it(net):
    rule = bp.ChainRule(net, X, Y)
    before = rule.scene["matrices"]["∂L/∂f_2"]
    net.A[0][:] = 5.0
    rule.row = 1
    rule.row = 0
    assert rule.scene["matrices"]["∂L/∂f_2"] == before


def test_of_a_large_network_the_chosen_chain_alone_is_in_the_scene():
    net = bp.SigmoidNetwork((32,) * 13, seed=0)
    rule = bp.ChainRule(net, np.zeros(32), np.zeros(32), i=11)
    assert list(rule.scene["chains"]) == ["11"]
    rule.i = 9
    assert list(rule.scene["chains"]) == ["9"]
    with rule.hold_trait_notifications():
        rule.i, rule.step = 3, 10
    assert (rule.i, rule.step, list(rule.scene["chains"])) == (3, 10, ["3"])


def test_float32_stays_float32(net):
    small = bp.SigmoidNetwork.from_parameters(
        [a.astype(np.float32) for a in net.A], [b.astype(np.float32) for b in net.b]
    )
    rule = bp.ChainRule(small, X[0], Y[0])
    assert rule.chain.factors[0].dtype == np.float32
    assert "< 1e-4" in rule.scene["chains"]["0"]["frames"]["left"][-1]["words"]


def test_the_text_twin_follows_i_and_side(rule):
    left = rule.describe()
    rule.side = "right"
    assert "The product from the right:" in rule.describe()
    assert "The product from the left:" in left
    rule.i = 1
    assert "∂f_2/∂θ_1" in rule.describe()

"""The static figure of the chain rule: the same scene on paper."""

import matplotlib.colors as colors
import pytest
from snapshots import drawn

import backprop_nb as bp
from backprop_nb.views.chain.figure import fraction
from backprop_nb.views.palette import THEMES
from backprop_nb.views.picture import Picture

NET = bp.SigmoidNetwork((2, 3, 2), seed=0)


@pytest.fixture(scope="module")
def rule():
    return bp.ChainRule(NET, [1, 2], [0, 1])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_shows_equation_shapes_numbers_and_costs(rule, theme):
    figure = rule.draw(side="right", step=2, theme=theme)
    shown = drawn(figure)
    assert "Equation [chain-general], i = 0" in shown
    assert {"1 × 2", "2 × 3", "3 × 9", "2 × 9", "33", "72", "12"} <= set(shown)
    assert any("18 = 18" in text or "18 multiplications" in text for text in shown)
    assert colors.to_hex(figure.get_facecolor()) == THEMES[theme]["paper"]
    assert figure.alt == rule.scene["alt"]


def test_the_steps_to_code_show_the_transpose(rule):
    shown = drawn(rule.draw(section="transposes", step=2))
    assert {"g = A[1].T @ delta[2]", "A[1].T", "delta[2]", "3 × 2", "2 × 1", "3 × 1"} <= set(shown)


def test_the_bar_is_as_long_as_what_is_paid(rule):
    def run(step):
        blue = THEMES["light"]["forward"]
        (bar,) = (
            patch.get_width()
            for patch in rule.draw(side="right", step=step).axes[0].patches
            if colors.to_hex(patch.get_facecolor()) == blue and patch.get_height() == 16
        )
        return bar

    assert run(0) == 0
    assert run(2) == pytest.approx(run(1) * 72 / 54, abs=0.1)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"i": 5}, bp.NotFoundError, "no θ_5"),
        ({"side": "up"}, bp.InvalidValueError, '`side` must be "left" or "right"'),
        ({"section": "all"}, bp.InvalidValueError, '`section` must be "product" or "transposes"'),
        ({"step": 9}, bp.InvalidValueError, "`step` must be an integer from 0 to 3"),
        ({"theme": "blue"}, bp.InvalidValueError, "`theme` must be"),
    ],
)
def test_what_does_not_exist_is_refused(rule, options, error, words):
    with pytest.raises(error, match=words):
        rule.draw(**options)


def test_a_fraction_has_a_bar_between_its_names():
    picture = Picture(60, 60)
    fraction(picture, (0, 30), "∂f_12/∂θ_11")
    above, below, bar = picture.shapes
    assert (above["text"], above["sub"], below["text"], below["sub"]) == ("∂f", "12", "∂θ", "11")
    assert above["at"][1] < bar["points"][0][1] < below["at"][1]

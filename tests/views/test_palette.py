"""Every text can be read: WCAG 2.2 AA, in both themes, on every colour it can stand on."""

import pytest

from backprop_nb.views.palette import DARK, LIGHT, THEMES, contrast, diverging, ink

PLAIN_TEXT = ["text", "muted", "forward", "backward"]
POSITIONS = [k / 50 for k in range(-50, 51)]


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("paper", ["paper", "card", "panel"])
@pytest.mark.parametrize("role", PLAIN_TEXT)
def test_text_has_contrast_on_every_ground(theme, paper, role):
    assert contrast(theme[role], theme[paper]) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("family", ["value", "adjoint"])
def test_numbers_in_cells_have_contrast_at_every_heat(theme, family):
    grounds = [diverging(theme, family, position) for position in POSITIONS]
    assert min(contrast(ink(ground), ground) for ground in grounds) >= 4.5


def test_both_themes_name_the_same_roles():
    assert LIGHT.keys() == DARK.keys()
    assert set(THEMES) == {"light", "dark"}


def test_zero_is_a_neutral_grey():
    for theme in (LIGHT, DARK):
        for family in ("value", "adjoint"):
            grey = diverging(theme, family, 0.0)
            channels = [int(grey[i : i + 2], 16) for i in (1, 3, 5)]
            assert max(channels) - min(channels) <= 16


def test_a_position_beyond_the_ends_is_the_end():
    assert diverging(LIGHT, "value", 7.0) == LIGHT["value-positive"]
    assert diverging(LIGHT, "value", -7.0) == LIGHT["value-negative"]

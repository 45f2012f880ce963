"""The style sheet carries the palette, and nothing in it is fetched."""

import re

import pytest

from backprop_nb.views.scene.palette import DARK, LIGHT
from backprop_nb.views.widgets.style import module, style_sheet


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_of_the_palette_is_a_custom_property(theme):
    sheet = style_sheet()
    for role, colour in theme.items():
        assert re.search(rf"--bpnb-{role}: (var\(--jp-[\w-]+, )?{colour}\)?;", sheet)


def test_every_custom_property_that_is_used_is_defined():
    text = style_sheet() + module()
    # view.mjs builds --bpnb-<family>-<end> out of these parts.
    used = set(re.findall(r"var\(--bpnb-([\w-]+)[,)]", text))
    defined = set(re.findall(r"--bpnb-([\w-]+):", text))
    assert used <= defined


def test_every_class_that_the_view_sets_has_a_rule():
    classes = set(re.findall(r'class: "(bpnb-[\w-]+)"', module()))
    assert classes
    assert {name for name in classes if f".{name}" not in style_sheet()} <= {"bpnb-codes"}


def test_nothing_is_fetched():
    for text in (module(), style_sheet()):
        without_namespaces = re.sub(r"http://www\.w3\.org/\S+", "", text)
        assert not re.search(
            r"https?://|@import|url\(|\bfetch\(|\bimport\b.*from", without_namespaces
        )


def test_the_view_never_writes_markup():
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", module())


def test_the_view_stays_small():
    # Every instance of a widget carries the module in its state.
    assert len(module().encode()) < 40_000

"""Badges are told apart by shape, lie on their card's edge, and are seen in both themes."""

import pytest

from backprop_nb.tracing.health import NOT_FINITE, Mark
from backprop_nb.tracing.stretching import BROADCAST
from backprop_nb.views.explorer.badges import row, style_of, styles_of, words
from backprop_nb.views.palette import DARK, LIGHT, contrast

ALL = [
    Mark("tie", "a"),
    Mark("kink", "b"),
    Mark("saturated", "c"),
    Mark(NOT_FINITE, "d", handed_on=True),
    Mark(NOT_FINITE, "e"),
    Mark(BROADCAST, "f"),
]


def test_no_two_kinds_differ_by_colour_alone():
    solid = [style_of(mark) for mark in ALL if not mark.handed_on]
    shapes = [(tuple(each["outline"]), tuple(map(tuple, each["sign"]))) for each in solid]
    assert len(set(shapes)) == len(shapes)
    # What is handed on is the same badge, hollow.
    first, later = style_of(ALL[4]), style_of(ALL[3])
    assert later == first | {key: later[key] for key in ("legend", "ground", "ink")}
    assert (first["ground"], later["ground"]) == ("alarm", "card")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("mark", ALL, ids=str)
def test_a_badge_has_contrast(theme, mark):
    ground, ink, rim = (theme[style_of(mark)[part]] for part in ("ground", "ink", "rim"))
    assert contrast(ink, ground) >= 4.5
    # Its ground or its rim stands out from all that a badge can lie on.
    for below in ("card", "panel", "paper"):
        assert max(contrast(ground, theme[below]), contrast(rim, theme[below])) >= 4.5


def test_the_legend_has_each_style_once_and_in_one_order():
    found = styles_of([*ALL, *ALL])
    assert [each["legend"] for each in found] == [
        "saturated",
        "kink",
        "tie",
        "broadcast of both",
        "NaN or ∞ appears first",
        "NaN or ∞ handed on",
    ]


def test_badges_stand_side_by_side_in_the_middle_of_the_edge():
    (left, top, width, _), (second, _, _, _) = row(2, 106.0)
    assert second >= left + width
    assert left == pytest.approx(106.0 - second - width)
    assert top < 0


def test_no_mark_has_no_words():
    assert words([]) == ""

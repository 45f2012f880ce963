"""How health marks look: one badge style for each kind, the same on paper and on the page.

A badge is told by its outline and the sign in it; its colour comes on top.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from backprop_nb.tracing.health import NOT_FINITE, Mark

SIZE = 16.0
"""Width and height of a badge in pixels."""
GAP = 3.0
"""The room between two badges."""
ABOVE = 10.0
"""How far badges rise above the upper edge of their card, clear of the texts in it."""

Line = list[tuple[float, float]]
"""Points in a square from (0, 0) to (1, 1); the y axis points down."""


@dataclass(frozen=True, slots=True)
class BadgeStyle:
    """The badge of one kind of mark.

    Attributes
    ----------
    legend
        What the legend says.
    ground, ink, rim
        Roles of the palette: the inside, the sign, the outline.
    outline
        The shape of the badge.
    sign
        The lines in it.
    """

    legend: str
    ground: str
    ink: str
    rim: str
    outline: Line
    sign: list[Line]


_ANGLES = [math.pi * k / 16 for k in range(32)]
_CIRCLE = [(round(0.5 + math.cos(a) / 2, 3), round(0.5 + math.sin(a) / 2, 3)) for a in _ANGLES]
_DIAMOND = [(0.5, -0.06), (1.06, 0.5), (0.5, 1.06), (-0.06, 0.5)]
_NOTE = ("note", "note-ink", "note-ink", _CIRCLE)
_EXCLAMATION = [[(0.5, 0.2), (0.5, 0.52)], [(0.5, 0.74), (0.5, 0.78)]]

# The signs are small pictures of the function there: flat at both ends, a corner, two equals.
STYLES = {
    ("saturated", False): BadgeStyle(
        "saturated", *_NOTE, [[(0.2, 0.68), (0.4, 0.68), (0.6, 0.32), (0.8, 0.32)]]
    ),
    ("kink", False): BadgeStyle("kink", *_NOTE, [[(0.24, 0.34), (0.5, 0.68), (0.76, 0.34)]]),
    ("tie", False): BadgeStyle(
        "tie", *_NOTE, [[(0.27, 0.4), (0.73, 0.4)], [(0.27, 0.6), (0.73, 0.6)]]
    ),
    (NOT_FINITE, False): BadgeStyle(
        "NaN or ∞ appears first", "alarm", "alarm-ink", "alarm", _DIAMOND, _EXCLAMATION
    ),
    (NOT_FINITE, True): BadgeStyle(
        "NaN or ∞ handed on", "card", "alarm", "alarm", _DIAMOND, _EXCLAMATION
    ),
}
"""The styles in the order of the legend, by the kind of a mark and whether it was handed on."""


def style_of(mark: Mark) -> BadgeStyle:
    """Return how a mark is drawn."""
    return STYLES[mark.kind, mark.handed_on]


def styles_of(marks: Iterable[Mark]) -> list[BadgeStyle]:
    """Return the styles that occur among marks, each once, in the order of the legend."""
    found = [style_of(mark) for mark in marks]
    return [style for style in STYLES.values() if style in found]


def row(count: int, width: float) -> list[list[float]]:
    """Return the boxes of so many badges, in the middle of the upper edge of a card."""
    left = (width - count * (SIZE + GAP) + GAP) / 2
    return [[left + k * (SIZE + GAP), -ABOVE, SIZE, SIZE] for k in range(count)]


def words(marks: Iterable[Mark]) -> str:
    """Return marks as sentences that follow another one.

    >>> words([Mark("tie", "x and y are equal")])
    ' Tie: x and y are equal.'
    """
    return "".join(f" {mark.kind.capitalize()}: {mark.text}." for mark in marks)

"""How health marks look: one badge style for each kind, the same on paper and on the page.

A badge is told by its outline and the sign in it; its colour comes on top.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from backprop_nb.tracing.health import NOT_FINITE, Mark
from backprop_nb.tracing.stretching import BROADCAST
from backprop_nb.views.explorer.schema import BadgeStyle

SIZE = 16.0
"""Width and height of a badge in pixels."""
GAP = 3.0
"""The room between two badges."""
ABOVE = 10.0
"""How far badges rise above the upper edge of their card, clear of the texts in it."""

_ANGLES = [math.pi * k / 16 for k in range(32)]
_CIRCLE = [(round(0.5 + math.cos(a) / 2, 3), round(0.5 + math.sin(a) / 2, 3)) for a in _ANGLES]
_DIAMOND = [(0.5, -0.06), (1.06, 0.5), (0.5, 1.06), (-0.06, 0.5)]
_EXCLAMATION = [[(0.5, 0.2), (0.5, 0.52)], [(0.5, 0.74), (0.5, 0.78)]]


def _note(legend: str, *sign: list[tuple[float, float]]) -> BadgeStyle:
    return BadgeStyle(
        legend=legend, ground="note", ink="note-ink", rim="note-ink", outline=_CIRCLE, sign=sign
    )


def _alarm(legend: str, ground: str, ink: str) -> BadgeStyle:
    return BadgeStyle(
        legend=legend, ground=ground, ink=ink, rim="alarm", outline=_DIAMOND, sign=_EXCLAMATION
    )


# The signs are small pictures of the function there: flat at both ends, a corner, two equals;
# of a broadcast the two that were stretched, a row and a column.
STYLES = {
    ("saturated", False): _note("saturated", [(0.2, 0.68), (0.4, 0.68), (0.6, 0.32), (0.8, 0.32)]),
    ("kink", False): _note("kink", [(0.24, 0.34), (0.5, 0.68), (0.76, 0.34)]),
    ("tie", False): _note("tie", [(0.27, 0.4), (0.73, 0.4)], [(0.27, 0.6), (0.73, 0.6)]),
    (BROADCAST, False): _note(
        "broadcast of both", [(0.3, 0.3), (0.76, 0.3)], [(0.3, 0.3), (0.3, 0.76)]
    ),
    (NOT_FINITE, False): _alarm("NaN or ∞ appears first", "alarm", "alarm-ink"),
    (NOT_FINITE, True): _alarm("NaN or ∞ handed on", "card", "alarm"),
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

"""How health marks look: one badge for each kind, the same on paper and on the page.

A badge is told by its outline and the sign in it; its colour comes on top.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from backprop_nb.tracing.health import NOT_FINITE, Mark

BADGE = 16.0
"""Width and height of a badge in pixels."""
GAP = 3.0
"""The room between two badges."""
ABOVE = 10.0
"""How far badges rise above the upper edge of their card, clear of the texts in it."""

Line = list[tuple[float, float]]
"""Points in a square from (0, 0) to (1, 1); the y axis points down."""


@dataclass(frozen=True, slots=True)
class Look:
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
_ORIGIN = Look("NaN or ∞ appears first", "alarm", "alarm-ink", "alarm", _DIAMOND, _EXCLAMATION)
_HANDED_ON = Look("NaN or ∞ handed on", "card", "alarm", "alarm", _DIAMOND, _EXCLAMATION)

# The signs are small pictures of the function there: flat at both ends, a corner, two equals.
_LOOKS = {
    "saturated": Look("saturated", *_NOTE, [[(0.2, 0.68), (0.4, 0.68), (0.6, 0.32), (0.8, 0.32)]]),
    "kink": Look("kink", *_NOTE, [[(0.24, 0.34), (0.5, 0.68), (0.76, 0.34)]]),
    "tie": Look("tie", *_NOTE, [[(0.27, 0.4), (0.73, 0.4)], [(0.27, 0.6), (0.73, 0.6)]]),
    NOT_FINITE: _ORIGIN,
}


def look(mark: Mark) -> Look:
    """Return how a mark is drawn."""
    return _HANDED_ON if mark.handed_on else _LOOKS[mark.kind]


def looks(marks: Iterable[Mark]) -> list[Look]:
    """Return the looks that occur among marks, each once, in the order of the legend."""
    found = [look(mark) for mark in marks]
    return [each for each in (*_LOOKS.values(), _HANDED_ON) if each in found]


def legend(used: Sequence[Look]) -> list[dict[str, Any]]:
    """Return looks as plain data."""
    return [asdict(each) for each in used]


def badges(marks: Sequence[Mark], used: Sequence[Look], width: float) -> list[dict[str, Any]]:
    """Return a node's marks as plain data: the text, the look's number, where on the card.

    They stand side by side in the middle of its upper edge, which is ``width`` long.
    """
    return [
        {"text": str(mark), "look": used.index(look(mark)), "box": row(k, len(marks), width)}
        for k, mark in enumerate(marks)
    ]


def row(number: int, count: int, width: float) -> list[float]:
    """Return the box of one of so many badges above a card of a given width."""
    left = (width - count * (BADGE + GAP) + GAP) / 2
    return [left + number * (BADGE + GAP), -ABOVE, BADGE, BADGE]


def words(marks: Iterable[Mark]) -> str:
    """Return marks as sentences that follow another one.

    >>> words([Mark("tie", "x and y are equal")])
    ' Tie: x and y are equal.'
    """
    return "".join(f" {mark.kind.capitalize()}: {mark.text}." for mark in marks)

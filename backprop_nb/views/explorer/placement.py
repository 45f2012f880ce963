"""Where everything of a picture lies: what a layout returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, width, height."""
Group = tuple[int | None, Sequence[int]]
"""The position of the group around it, and the nodes that are in it and in no group inside it."""

MARGIN = 14
"""Between the border of a group and what is in it, in pixels."""
NODE_GAP = 15.84
COLUMN_GAP = 21.6
"""Between two nodes above each other, and between two columns."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies, in pixels from the top left corner."""

    width: float
    height: float
    """The size of the whole picture."""
    nodes: list[Box]
    """The box of each node."""
    edges: list[list[Point]]
    """For each edge the control points of a cubic Bézier path, end to end."""
    groups: list[Box]
    """The box of each group."""

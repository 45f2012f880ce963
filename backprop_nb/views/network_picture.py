"""A network as layers of units, with an edge for every weight: a grid needs no layout engine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from backprop_nb.views import numbers
from backprop_nb.views.numbers import Scale
from backprop_nb.views.picture import Picture, Point
from backprop_nb.views.schema import Family

SHOWN = 8
"""So many units of a layer are drawn at most, unless told otherwise; of a wider one, the first
and the last."""
RADIUS = 15.0
PITCH = 40.0
"""From the middle of a unit to that of the next one below."""
HEADER = 34.0
_DASH = (5.0, 3.0)
"""A negative weight is dashed, so that its colour is not alone."""
_FAINTEST = 0.12


@dataclass(frozen=True)
class NetworkLayout:
    """Where the units lie."""

    widths: tuple[int, ...]
    """The units of each layer, n_0, …, n_K."""
    units: tuple[dict[int, Point], ...]
    """For each layer, from the index of a unit that is drawn to where its middle is."""
    width: float
    height: float
    """The size of the whole."""
    shown: int = SHOWN
    """So many units of a layer are drawn at most."""

    def x(self, i: int) -> float:
        """Return where layer ``i`` stands."""
        return next(iter(self.units[i].values()))[0]

    @cached_property
    def edges(self) -> list[list[tuple[int, int, Sequence[Point]]]]:
        """For each A_i, of the entries that are drawn row, column, and from where to where."""
        return [
            [
                (j, k, (_beside(start, end), _beside(end, start)))
                for j, end in ends.items()
                for k, start in starts.items()
            ]
            for starts, ends in pairwise(self.units)
        ]


def network_layout(
    widths: Sequence[int],
    *,
    width: float = 640.0,
    margin: float = 36.0,
    slots: int = 1,
    shown: int = SHOWN,
) -> NetworkLayout:
    """Return a grid of units: layers from left to right, units from top to bottom.

    Parameters
    ----------
    widths
        The units of each layer, n_0, …, n_K.
    width, margin
        The size from side to side, and how far from the sides the first and the last layer are.
    slots
        There is room for so many units at least, whatever the widths are; fewer
        stand a little further apart.
    shown
        So many units of a layer are drawn at most, the last one among them.

    >>> layout = network_layout((2, 20, 1), width=400)
    >>> [list(layer) for layer in layout.units]
    [[0, 1], [0, 1, 2, 3, 4, 5, 19], [0]]
    """
    counts = [min(n, shown) for n in widths]
    room = max(slots, *counts) * PITCH
    pitch = min(1.4 * PITCH, room / max(counts))
    height = HEADER + room + 8
    middle = HEADER + (room + 8) / 2
    step = (width - 2 * margin) / max(len(widths) - 1, 1)
    layers = []
    for i, (n, count) in enumerate(zip(widths, counts, strict=True)):
        top = middle - (count - 1) * pitch / 2
        # The last slot but one of a layer that is too wide stays free for an ellipsis.
        rows = {j: j for j in range(n)} if n <= shown else {j: j for j in range(shown - 2)}
        rows[n - 1] = count - 1
        layers.append({j: (margin + i * step, top + row * pitch) for j, row in rows.items()})
    return NetworkLayout(tuple(widths), tuple(layers), width, height, shown)


def draw_edges(
    picture: Picture,
    layout: NetworkLayout,
    weights: Sequence[Any],
    scale: Scale,
    family: Family = "value",
    *,
    only: Iterable[int] | None = None,
) -> None:
    """Add an edge for each entry of A_0, …, A_{K−1}, or of their gradients.

    Sign is colour and dash, size is width and colour.  The key of the entry in
    row ``j`` and column ``k`` of A_i is ``"A:i:j:k"``.  With ``only``, the edges
    of these A_i alone.
    """
    edges = [
        (numbers.heat(A[j][k], scale), ends, f"A:{i}:{j}:{k}")
        for i in (range(len(weights)) if only is None else only)
        for A in [np.asarray(weights[i], dtype=float).tolist()]
        for j, k, ends in layout.edges[i]
    ]
    # The strong ones on top.
    for heat, ends, key in sorted(edges, key=lambda edge: abs(edge[0])):
        picture.line(ends, key=key, **edge_look(heat, family))


def edge_look(heat: float, family: Family = "value") -> dict[str, Any]:
    """Return how an edge is drawn: its stroke, its width and its dash.

    >>> edge_look(-0.5)
    {'stroke': ('value', -0.5), 'width': 2.4, 'dash': (5.0, 3.0)}
    """
    seen = heat if abs(heat) >= _FAINTEST else math.copysign(_FAINTEST, heat)
    return {
        "stroke": (family, float(seen)),
        "width": round(0.8 + 3.2 * abs(heat), 1),
        "dash": _DASH if heat < 0 else (),
    }


def _beside(centre: Point, other: Point) -> Point:
    """Return where an edge to ``other`` leaves a unit."""
    dx, dy = other[0] - centre[0], other[1] - centre[1]
    length = math.hypot(dx, dy) or 1.0
    return centre[0] + dx / length * RADIUS, centre[1] + dy / length * RADIUS


def draw_units(
    picture: Picture,
    layout: NetworkLayout,
    values: Sequence[Any],
    scale: Scale,
    *,
    only: Iterable[int] | None = None,
) -> None:
    """Add the units, each with its number; the key of unit ``j`` of layer i is ``"f:i:j"``.

    With ``only``, the units of these layers alone.
    """
    layers = range(len(layout.units)) if only is None else list(only)
    for i in layers:
        for j, centre in layout.units[i].items():
            number, key = float(values[i][j]), f"f:{i}:{j}"
            colour, text = ("value", numbers.heat(number, scale)), numbers.short(number)
            picture.circle(centre, RADIUS, fill=colour, stroke="line", width=1.2, key=key)
            size = 10.5 if len(text) < 5 else 9.0
            picture.text(centre, text, on=colour, size=size, anchor="middle", key=key)
    draw_ellipses(picture, layout, layers)


def draw_ellipses(picture: Picture, layout: NetworkLayout, layers: Iterable[int]) -> None:
    """Say how many units of some layers are left out, where the first of them would be."""
    for i in layers:
        if (n := layout.widths[i]) > layout.shown:
            x, last = layout.units[i][layout.shown - 3]
            text, at = f"⋮ {n - layout.shown + 1} more", (x, last + PITCH)
            picture.text(at, text, fill="muted", size=10.5, anchor="middle", key=f"f:{i}")


def draw_headers(picture: Picture, layout: NetworkLayout) -> None:
    """Name the layers x, f_1, …, f_K, and between them the parameters θ_0, …, θ_{K−1}."""
    K = len(layout.widths) - 1
    for i in range(K + 1):
        text, sub, at = ("f" if i else "x"), (str(i) if i else ""), (layout.x(i), 12.0)
        picture.text(at, text, sub=sub, italic=True, size=15, anchor="middle", key=f"layer:{i}")
    for i in range(K):
        at = ((layout.x(i) + layout.x(i + 1)) / 2, 12.0)
        picture.text(
            at, "θ", sub=str(i), italic=True, fill="muted", size=13, anchor="middle",
            key=f"theta:{i}",
        )  # fmt: skip

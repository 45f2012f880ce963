"""The network with what flows through it: units with f and δ, edges with weight or gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_nb.views import numbers
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.steps import Moments
from backprop_nb.views.network_picture import (
    NetworkLayout,
    draw_edges,
    draw_headers,
    draw_units,
    network_layout,
)
from backprop_nb.views.numbers import Scale, fit_scale
from backprop_nb.views.picture import Picture, Point

MARGIN = 54.0
_COLUMN = 64.0
_NARROWEST = 620.0
_LEGEND = 46.0
_SLOTS = 6
_PILL = (37.0, 13.0)
_LONG_PILL = 44.0
_ARROW_Y = 26.0


def flow_layout(widths: Sequence[int]) -> NetworkLayout:
    """Return where the units lie: as wide for two layers as for eight, so that nothing jumps."""
    width = max(_NARROWEST, 2 * MARGIN + _COLUMN * (len(widths) - 1))
    return network_layout(widths, width=width, margin=MARGIN, slots=_SLOTS)


@dataclass(frozen=True)
class Row:
    """What the units show: the values of one input."""

    f: list[Any]
    delta: dict[int, Any]
    target: Any

    @classmethod
    def of(cls, flow: Flow, y: Any, row: int) -> Row:
        """Return one row of a batch; of a single input there is only one."""
        delta = {i: np.atleast_2d(each)[row] for i, each in flow.gradient.delta.items()}
        f = [np.atleast_2d(each)[row] for each in flow.forward.f]
        return cls(f, delta, np.atleast_2d(y)[row])


def unit_picture(layout: NetworkLayout, row: Row, flow: Flow, alt: str) -> Picture:
    """Return the units, each with f and below it δ, the names of the layers, and the legend."""
    K = len(layout.widths) - 1
    moments = Moments(K)
    picture = Picture(layout.width, layout.height + _LEGEND, alt)
    draw_headers(picture, layout)
    values, adjoints = fit_scale(row.f), fit_scale(row.delta.values(), log=True)
    for i in range(K + 1):
        if i:
            _draw_places(picture, layout, i, until=moments.forward(i) - 1)
        with picture.during(moments.forward(i)):
            draw_units(picture, layout, row.f, values, only=(i,))
        if i:
            with picture.during(moments.backward(i)):
                _draw_deltas(picture, layout, i, row.delta[i], adjoints)
    _draw_end(picture, layout, row.target, flow.loss, moments)
    _draw_arrows(picture, layout, moments)
    left = 24.0
    x = _ramp(picture, (left, layout.height + 12), "value", f"unit: f {values.text}")
    _ramp(picture, (x, layout.height + 12), "adjoint", f"below it: δ {adjoints.text}")
    return picture


def edge_picture(
    layout: NetworkLayout, values: Sequence[Any], family: Any, what: str, *, known: bool
) -> Picture:
    """Return the edges with their legend.

    Parameters
    ----------
    layout
        Where the units lie.
    values
        A_0, …, A_{K−1}, or their gradients.
    family
        ``"value"`` or ``"adjoint"``.
    what
        What the legend calls them.
    known
        Whether they are there from the start, or from the moment on at which
        the backward pass has come to them.
    """
    picture = Picture(layout.width, layout.height + _LEGEND)
    moments = Moments(len(values))
    scale = fit_scale(values, log=family == "adjoint")
    for i in range(len(values)):
        with picture.during(0 if known else moments.backward(i + 1)):
            draw_edges(picture, layout, values, scale, family, only=(i,))
    at = (24.0, layout.height + 32)
    x = _ramp(picture, at, family, f"edge: {what} {scale.text}")
    picture.line([(x, at[1]), (x + 26, at[1])], stroke=(family, -1.0), width=2.4, dash=(5, 3))
    picture.text((x + 32, at[1]), "negative", fill="muted", size=11)
    return picture


def _draw_places(picture: Picture, layout: NetworkLayout, i: int, until: int) -> None:
    """Add the units of a layer that is not computed yet, as empty places."""
    with picture.during(0, until):
        for centre in layout.units[i].values():
            picture.circle(centre, 15, fill="panel", stroke="line", width=1.2, dash=(2, 3))


def _draw_deltas(picture: Picture, layout: NetworkLayout, i: int, delta: Any, scale: Scale) -> None:
    for j, (x, y) in layout.units[i].items():
        number = float(delta[j])
        fill = ("adjoint", numbers.heat(number, scale))
        text = numbers.short(number)
        width, height = _PILL if len(text) < 6 else (_LONG_PILL, _PILL[1])
        box = (x - width / 2, y + 9, width, height)
        picture.rect(box, fill=fill, stroke="paper", width=1, radius=6, key=f"delta:{i}:{j}")
        picture.text((x, y + 9 + height / 2), text, on=fill, size=10.5, anchor="middle")


def _draw_end(
    picture: Picture, layout: NetworkLayout, target: Any, loss: float, moments: Moments
) -> None:
    """Add the target beside the outputs, and the loss."""
    K = moments.K
    for j, (x, y) in layout.units[K].items():
        text = f"y {numbers.short(float(target[j]))}"
        picture.text((x + 18, y), text, fill="muted", size=10)
    with picture.during(moments.loss):
        at = (layout.x(K) + 16, 12.0)
        picture.text(at, f"L {numbers.short(loss)}", bold=True, size=11, key="loss")


def _draw_arrows(picture: Picture, layout: NetworkLayout, moments: Moments) -> None:
    """Add, for each step, an arrow that says where the numbers of this step come from."""
    K, end = moments.K, layout.width - 14
    for i in range(1, K + 1):
        step = moments.forward(i)
        _arrow(picture, layout.x(i - 1) + 12, layout.x(i) - 12, "forward", step)
    _arrow(picture, layout.x(K) + 12, end, "forward", moments.loss)
    _arrow(picture, end, layout.x(K) + 12, "backward", moments.backward(K))
    for i in range(1, K):
        step = moments.backward(i)
        _arrow(picture, layout.x(i + 1) - 12, layout.x(i) + 12, "backward", step)


def _arrow(picture: Picture, start: float, end: float, role: str, step: int) -> None:
    y, back = _ARROW_Y, -7.0 if end > start else 7.0
    with picture.during(step, step):
        picture.line([(start, y), (end, y)], stroke=role, width=2, dash=(6, 4), key=f"way:{role}")
        head = [(end, y), (end + back, y - 4), (end + back, y + 4)]
        picture.line(head, fill=role, close=True)


def _ramp(picture: Picture, at: Point, family: Any, text: str) -> float:
    """Add a family's scale with what it stands for; return where the next one may begin."""
    x, y = at
    for k in range(9):
        picture.rect((x + 5 * k, y - 5, 5.4, 10), fill=(family, -1 + k / 4))
    picture.text((x + 52, y), text, fill="muted", size=11)
    return x + 52 + 6.2 * len(text) + 20

"""The network with what flows through it: units with f and δ, edges with weight or gradient."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise, product
from typing import Any

import numpy as np

from backprop_nb.views import numbers
from backprop_nb.views.chart import text_width
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.legend import delta_scale, edge_scale, unit_scale
from backprop_nb.views.network_picture import (
    NetworkLayout,
    draw_edges,
    draw_headers,
    draw_units,
    network_layout,
)
from backprop_nb.views.numbers import Scale
from backprop_nb.views.picture import Picture
from backprop_nb.views.schema import Family

MARGIN = 54.0
_COLUMN = 64.0
_NARROWEST = 620.0
_SLOTS = 5
_PILL = (41.0, 13.0)
_LONG_PILL = 50.0
_ARROW_Y = 26.0


@lru_cache(maxsize=16)
def flow_layout(widths: tuple[int, ...]) -> NetworkLayout:
    """Return where the units lie: as wide for two layers as for eight, so that nothing jumps."""
    width = max(_NARROWEST, 2 * MARGIN + _COLUMN * (len(widths) - 1))
    return network_layout(widths, width=width, margin=MARGIN, slots=_SLOTS)


def unit_picture(layout: NetworkLayout, flow: Flow, alt: str) -> Picture:
    """Return the units, each with f and below it δ, and the names of the layers."""
    picture = Picture(layout.width, layout.height, alt)
    draw_headers(picture, layout)
    f = [flow.shown(each) for each in flow.forward.f]
    delta = {i: flow.shown(each) for i, each in flow.gradient.delta.items()}
    values, adjoints = unit_scale(flow), delta_scale(flow)
    for i in range(flow.K + 1):
        with picture.during(0, i - 1):  # where a unit is not computed yet there is an empty place
            for centre in layout.units[i].values() if i else ():
                picture.circle(centre, 15, fill="panel", stroke="line", width=1.2, dash=(2, 3))
        with picture.during(i):
            draw_units(picture, layout, f, values, only=(i,))
        if i:
            with picture.during(flow.step_back_to(i)):
                _draw_deltas(picture, layout, i, delta[i], adjoints)
    _draw_end(picture, layout, flow)
    _draw_arrows(picture, layout, flow)
    return picture


def edge_picture(layout: NetworkLayout, flow: Flow, family: Family) -> Picture:
    """Return the edges, above a faint line for each that is not known yet.

    Weights (``"value"``) are there from the start, their gradients (``"adjoint"``) from the
    step on at which the backward pass has come to them.
    """
    picture = Picture(layout.width, layout.height)
    known, scale = family == "value", edge_scale(flow, family)
    values = flow.net.A if known else flow.gradient.A
    for starts, ends in pairwise(layout.units):  # one line there and back; the units are above it
        there_and_back = [at for pair in product(starts.values(), ends.values()) for at in pair]
        picture.line(there_and_back, stroke="line", width=0.8)
    for i in range(flow.K):
        with picture.during(0 if known else flow.step_back_to(i + 1)):
            draw_edges(picture, layout, values, scale, family, only=(i,))
    return picture


def _draw_deltas(picture: Picture, layout: NetworkLayout, i: int, delta: Any, scale: Scale) -> None:
    for j, (x, y) in layout.units[i].items():
        number = float(delta[j])
        fill = ("adjoint", numbers.heat(number, scale))
        text = numbers.short(number)
        width, height = _PILL if len(text) < 6 else (_LONG_PILL, _PILL[1])
        box = (x - width / 2, y + 9, width, height)
        picture.rect(box, fill=fill, stroke="paper", width=1, radius=6, key=f"delta:{i}:{j}")
        picture.text((x, y + 9 + height / 2), text, on=fill, size=10.5, anchor="middle")


def _draw_end(picture: Picture, layout: NetworkLayout, flow: Flow) -> None:
    """Add the target beside the outputs, and the loss."""
    target = np.atleast_2d(flow.y)[flow.row]
    for j, (x, y) in layout.units[flow.K].items():
        text = f"y {numbers.short(float(target[j]))}"
        at = (min(x + 18, layout.width - text_width(text, 10)), y)
        picture.text(at, text, fill="muted", size=10)
    with picture.during(flow.loss_step):
        at = (layout.width - 1, 12.0)
        text = f"L {numbers.short(flow.loss)}"
        picture.text(at, text, bold=True, size=11, anchor="end", key="loss")


def _draw_arrows(picture: Picture, layout: NetworkLayout, flow: Flow) -> None:
    """Add, for each step, an arrow that says where the numbers of this step come from."""
    end = layout.width - 14
    places = [layout.x(i) for i in range(flow.K + 1)] + [end + 12]
    for i in range(1, flow.K + 2):
        left, right = places[i - 1] + 12, places[i] - 12
        _arrow(picture, left, right, "forward", i)
        if i <= flow.K:
            back = (places[i + 1] - 12, places[i] + 12)
            _arrow(picture, *back, "backward", flow.step_back_to(i))


def _arrow(picture: Picture, start: float, end: float, role: str, step: int) -> None:
    y, back = _ARROW_Y, -7.0 if end > start else 7.0
    with picture.during(step, step):
        picture.line([(start, y), (end, y)], stroke=role, width=2, dash=(6, 4), key=f"way:{role}")
        head = [(end, y), (end + back, y - 4), (end + back, y + 4)]
        picture.line(head, fill=role, close=True)

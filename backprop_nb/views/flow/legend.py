"""What the signs in the network and in the bars mean: as data for a page, drawn on paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from backprop_nb.views import numbers
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.schema import FlowLegend, FlowSign
from backprop_nb.views.numbers import Scale, fit_scale
from backprop_nb.views.picture import Picture
from backprop_nb.views.schema import Family

COLOURS = {"A": "forward", "steepest": "note", "saturation": "alarm"}
"""Of the bars, by the factor that one stands for."""
_RAMP, _LINE, _SWATCH, _PITCH = 45.0, 26.0, 14.0, 20.0


def legend(flow: Flow) -> FlowLegend:
    """Return the signs of the units, of the edges by what they show, and of the bars."""
    return {
        "units": [
            {"kind": "value", "text": f"unit: f {unit_scale(flow).text}"},
            {"kind": "adjoint", "text": f"below it: δ {delta_scale(flow).text}"},
        ],
        "edges": {"weight": _edges(flow, "value"), "gradient": _edges(flow, "adjoint")},
        "bars": list(_bars(flow)),
    }


def unit_scale(flow: Flow) -> Scale:
    """Return the scale of the f that the units show."""
    return fit_scale([flow.shown(each) for each in flow.forward.f])


def delta_scale(flow: Flow) -> Scale:
    """Return the scale of the δ that the units show."""
    return fit_scale([flow.shown(each) for each in flow.gradient.delta.values()], log=True)


def edge_scale(flow: Flow, family: Family) -> Scale:
    """Return the scale of the weights, or of their gradients."""
    return fit_scale(flow.net.A) if family == "value" else fit_scale(flow.gradient.A, log=True)


def _edges(flow: Flow, family: Family) -> list[FlowSign]:
    what = "weight" if family == "value" else "∂L/∂A"
    return [
        {"kind": family, "text": f"edge: {what} {edge_scale(flow, family).text}"},
        {"kind": "negative", "text": "negative"},
    ]


def _bars(flow: Flow) -> Iterator[FlowSign]:
    yield {"kind": "A", "text": "× A: ‖Aᵀδ‖ / ‖δ‖"}
    if any(step.steepest < 1 for step in flow.steps):
        yield {"kind": "steepest", "text": f"× σ′ at its steepest: {steepest_text(flow)}"}
        yield {"kind": "saturation", "text": "what σ′ lacks to that: saturation"}
    else:
        yield {"kind": "saturation", "text": "× σ′, which is at most 1: saturation"}
    yield {"kind": "norm", "text": "‖δ‖ = ‖∂L/∂z‖"}
    text = "no bar can end above its line: ‖A‖₂ and the largest σ′ of the layer"
    yield {"kind": "bound", "text": text}


def steepest_text(flow: Flow) -> str:
    """Return the largest slopes there are, which a network may have two of."""
    found = sorted({step.steepest for step in flow.steps}, reverse=True)
    texts = {0.25: "¼", 1.0: "1"}
    return " or ".join(texts.get(each, numbers.short(each)) for each in found) or "1"


def with_legend(picture: Mapping[str, Any], rows: Sequence[Sequence[FlowSign]]) -> dict[str, Any]:
    """Return a picture, for paper, with rows of signs below it."""
    below = Picture(picture["width"], picture["height"] + 6 + _PITCH * len(rows))
    for number, row in enumerate(rows):
        x, y = 24.0, picture["height"] + 12 + _PITCH * number
        for sign in row:
            x = _draw(below, x, y, sign)
    shapes = [*picture["shapes"], *below.shapes]
    return {**picture, "height": below.height, "shapes": shapes}


def _draw(picture: Picture, x: float, y: float, sign: FlowSign) -> float:
    """Add a sign and what it means; return where the next one may begin."""
    kind, text = sign["kind"], sign["text"]
    wide = _RAMP if kind in ("value", "adjoint") else _LINE if kind == "negative" else _SWATCH
    if kind == "value" or kind == "adjoint":
        picture.heat((x, y - 5, wide, 10), 9, [-1 + k / 4 for k in range(9)], kind, gap=0)
    elif kind == "negative":
        family: Family = "value"
        picture.line([(x, y), (x + wide, y)], stroke=(family, -1.0), width=2.4, dash=(5, 3))
    elif kind == "norm":
        picture.circle((x + wide / 2, y), 4.5, fill="backward")
    elif kind == "bound":
        picture.line([(x, y), (x + wide, y)], stroke="text", width=1.6)
    else:
        picture.rect((x, y - 5, wide, 10), fill=COLOURS[kind], stroke="muted", width=0.8)
        if kind == "saturation":
            picture.line([(x, y), (x + wide, y)], stroke="paper", width=1.2)
    picture.text((x + wide + 6, y), text, fill="muted", size=11)
    return x + wide + 6 + 6.1 * len(text) + 16

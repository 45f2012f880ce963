"""The gradient's flow as pictures for paper: network and table, bars and curve."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from backprop_nb.views.flow.legend import with_legend
from backprop_nb.views.flow.parameter import Parameter
from backprop_nb.views.flow.schema import FlowScene
from backprop_nb.views.picture import Picture, at_step

WIDTH = 430.0
COLUMNS = (4.0, 100.0, 148.0, 198.0, 250.0, 300.0, 360.0, WIDTH)
"""Where a column of the table begins, the first, or ends, all others."""
HEADS = ("", "‖δ‖", "× A", "≤ ‖A‖₂", "× σ′", "≤ max", "saturation", "‖∂L/∂θ‖")
_CHARACTERS = 62


def flow_pictures(
    scene: FlowScene, curve: Mapping[str, Any], edges: str, selected: Parameter, step: int
) -> list[list[Mapping[str, Any]]]:
    """Return the pictures of a figure in rows: network and table, waterfall and curve."""
    units, lines, signs = scene["units"], scene["edges"][edges], scene["legend"]
    shapes = [*_chosen(lines, selected), *lines["shapes"], *units["shapes"]]
    network = with_legend({**units, "shapes": shapes}, [signs["units"], signs["edges"][edges]])
    bars = with_legend(scene["waterfall"], [signs["bars"][:-2], signs["bars"][-2:]])
    rows = [
        [network, _table(scene, step, network["height"]).data()],
        [bars, curve],
    ]
    return [[at_step(picture, step) for picture in row] for row in rows]


def _chosen(edges: Mapping[str, Any], selected: Parameter) -> list[dict[str, Any]]:
    """Return a broad line below the edge that is chosen."""
    key = ":".join(map(str, (selected.letter, selected.i, *selected.entry)))
    found = [shape["points"] for shape in edges["shapes"] if shape.get("key") == key]
    return [{"kind": "line", "points": each, "stroke": "note", "width": 9.0} for each in found]


def _table(scene: FlowScene, step: int, height: float) -> Picture:
    """Return what there is to say, and the table."""
    rows, found = scene["table"]["rows"], scene["verdict"]
    picture, y = Picture(WIDTH, height), 14.0
    at_end = step == len(scene["frames"]) - 1
    said = found["text"] if at_end else scene["frames"][step]["watch"]
    for line in textwrap.wrap(said, _CHARACTERS, break_on_hyphens=False):
        picture.text((4, y), line, bold=at_end, size=12)
        y += 18
    if at_end and found["factors"]:
        factors = " × ".join(factor["text"] for factor in found["factors"])
        for text in (found["ratio"], f"= {factors}"):
            picture.text((4, y), text, fill="muted", size=11)
            y += 17
    y += 10
    pitch = min(20.0, (picture.height - y - 20) / max(len(rows), 1))
    _line(picture, y, HEADS, "muted")
    for number, row in enumerate(rows, start=1):
        with picture.during(row["since"]):
            cells = [f"layer {row['layer']}", *row["cells"]]
            _line(picture, y + 4 + number * pitch, cells, "text")
    return picture


def _line(picture: Picture, y: float, cells: Sequence[str], fill: str) -> None:
    for x, cell in zip(COLUMNS, cells, strict=True):
        if cell:
            picture.text((x, y), cell, fill=fill, size=10, anchor="end" if x > 4 else "start")

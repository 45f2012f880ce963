"""A training in the plane as pictures: what stays, what changes from frame to frame, its curves.

``Stage.scene`` is what stays as long as data and network do: the points, the units,
the edges.  ``Stage.frame`` is the training at one epoch, small enough to be sent many
times a second and kept many times over.  ``curves`` is what has happened so far: charts,
which stay as long as their axes do, and the lines in them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
from contourpy import contour_generator

from backprop_nb import display
from backprop_nb.errors import InvalidValueError
from backprop_nb.network.validation import FloatArray
from backprop_nb.views import network_picture as network
from backprop_nb.views.chart import Axis, Chart, Series, legend, round_up, some, span
from backprop_nb.views.numbers import Scale, long, short, subscript
from backprop_nb.views.picture import (
    SOLID,
    Box,
    Colour,
    Picture,
    Point,
    heat_levels,
    packed,
    unpacked,
)
from backprop_nb.views.playground.schema import (
    PlaygroundCurves,
    PlaygroundFrame,
    PlaygroundPictures,
)
from backprop_nb.views.playground.training import Measure, WatchedTraining
from backprop_nb.views.schema import PictureData

CELLS: Final = 48
"""The output is sampled on so many times so many places."""
_TILE = 3
"""The map of a hidden unit takes every third of them."""
_STRONGEST: Final = 0.62
"""The heat of an output of 1; stronger is left for the points on top of it."""
LEVELS: Final = 20
"""An edge has one of so many strengths."""
_HALF = 0.5

_PLANE = (490.0, 500.0)
MAP: Box = (46.0, 26.0, 432.0, 432.0)
_NETWORK = (700.0, 500.0)
_FLOOR, _TALLEST = 440.0, 54.0
_LOWEST, _HIGHEST = 1e-6, 1.0
"""The ends of the bars of the gradient norms."""
_CHART = (400.0, 222.0)
_FARTHEST = 1e300
"""Sums and differences of larger numbers are infinite."""
_POINTS_OF_A_CURVE = 64
_NAMED = 5
_DASHES: tuple[tuple[float, ...], ...] = (SOLID, (7, 3), (2, 2.5), (7, 2.5, 1.5, 2.5))


class Stage:
    """Where a training is shown: the plane around its data, the network's units and edges."""

    def __init__(self, run: WatchedTraining) -> None:
        self.run = run
        self.axes = _axes(np.vstack([run.data.x, run.held_out.x]))
        self.grid = _grid(*self.axes)
        self.layout = network.network_layout(
            run.net.widths, width=_NETWORK[0], margin=40, slots=network.SHOWN
        )
        self.units = [(i, j) for i, layer in enumerate(self.layout.units) for j in layer]
        self.edges = [
            (i, j, k)
            for i in range(run.net.K)
            for j in self.layout.units[i + 1]
            for k in self.layout.units[i]
        ]
        self.alt = (
            f"A network of widths {run.net.widths} learns to tell two classes of points in the "
            f"plane apart: {len(run.data.x)} to train on, {len(run.held_out.x)} held out."
        )

    def scene(self) -> PlaygroundPictures:
        """Return what stays as long as data and network do."""
        first = self.frame(self.run.measures[0], 0)
        return {
            "alt": self.alt,
            "plane": self.plane_picture(first).data(),
            "network": self.network_picture(first).data(),
            "units": [f"unit:{i}:{j}" for i, j in self.units],
            "edges": [f"A:{i}:{j}:{k}" for i, j, k in self.edges],
            "edgeStyles": [
                network.edge_look(level / LEVELS) for level in range(-LEVELS, LEVELS + 1)
            ],
            "bars": [f"bar:{i}" for i in range(self.run.net.K)],
            "floor": _FLOOR,
            "legend": _legend(),
        }

    # -- one epoch

    def frame(self, measure: Measure, epoch: int) -> PlaygroundFrame:
        """Return the training at an epoch, with the weights as they are now."""
        with np.errstate(all="ignore"):
            outputs = self.run.net.forward(self.grid).f
        f_K = outputs[-1][:, 0].reshape(CELLS, CELLS)
        strongest = max((float(np.abs(A_i).max()) for A_i in self.run.net.A), default=0.0)
        high = round_up(strongest) if math.isfinite(strongest) else 1.0
        return {
            "epoch": epoch,
            "map": packed(heat_levels(_STRONGEST * (2 * f_K - 1))),
            "tiles": [self._tile(outputs[i][:, j], i) for i, j in self.units],
            "boundary": _boundary(f_K),
            "edges": [_level(self.run.net.A[i][j, k], high) for i, j, k in self.edges],
            "weights": f"weight {Scale(high, high).text}",
            "norms": [short(norm) for norm in measure.norms],
            "bars": [_bar(norm) for norm in measure.norms],
            "saturated": [_percent(share) for share in measure.saturation],
            "loss": long(measure.loss),
            "heldOut": long(measure.held_out),
            "accuracy": _percent(measure.accuracy),
            "heldOutAccuracy": _percent(measure.held_out_accuracy),
            "words": _words(measure, epoch),
        }

    def _tile(self, f: FloatArray, i: int) -> str:
        """Return the map of one unit's output; the middle of its range is neutral."""
        f = f.reshape(CELLS, CELLS)[1::_TILE, 1::_TILE]
        sigmoid = self.run.net.activation == "sigmoid"
        if i == self.run.net.K or (i > 0 and sigmoid):
            f = 2 * f - 1
        else:
            f = f / max(float(np.abs(f).max()), 1e-12)
        return packed(heat_levels(_STRONGEST * f))

    # -- the pictures

    def plane_picture(self, frame: PlaygroundFrame) -> Picture:
        """Return the output over the plane, and the points on it."""
        picture = Picture(*_PLANE, self.alt)
        title = "the output over the plane; on the line it is ½"
        across, up = self.axes
        # Lines from side to side would lie on top of the map.
        chart = Chart(
            picture, (0, 0, _PLANE[0], _PLANE[1] - 4), title, across, replace(up, bare=True)
        )
        picture.field(MAP, unpacked(frame["map"], CELLS), key="map")
        picture.rect(MAP, stroke="line")
        left, top, width, height = MAP
        for value in up.ticks():
            at = left - 6, chart.at(across.low, value)[1]
            picture.text(at, short(value), fill="muted", size=10.5, anchor="end")
        below = (left + width / 2, top + height + 30)
        picture.text(below, "x", sub="1", italic=True, anchor="middle")
        picture.text((10, top + height / 2 - 16), "x", sub="2", italic=True)
        # The first line has the key by which a view finds it, and is only a dot.
        picture.line([(0, 0)], stroke="text", width=1.8, key="boundary")
        for line in along(frame["boundary"]):
            picture.line(line, stroke="text", width=1.8)
        for rows, held_out in [(self.run.data, False), (self.run.held_out, True)]:
            for x, y in zip(rows.x, rows.y, strict=True):
                _point(picture, chart.at(x[0], x[1]), bool(y[0]), held_out)
        return picture

    def network_picture(self, frame: PlaygroundFrame) -> Picture:
        """Return the network: its weights, what each unit makes of the plane, the gradient."""
        picture = Picture(*_NETWORK)
        network.draw_headers(picture, self.layout)
        matrices = [np.zeros(A_i.shape) for A_i in self.run.net.A]
        for (i, j, k), level in zip(self.edges, frame["edges"], strict=True):
            matrices[i][j, k] = level / LEVELS
        network.draw_edges(picture, self.layout, matrices, Scale(1.0, 1.0))
        for (i, j), tile in zip(self.units, frame["tiles"], strict=True):
            self._unit(picture, i, j, tile)
        network.draw_ellipses(picture, self.layout, range(len(self.layout.units)))
        self._gradients(picture, frame)
        self._saturation(picture, frame)
        return picture

    def _unit(self, picture: Picture, i: int, j: int, tile: str) -> None:
        x, y = self.layout.units[i][j]
        side = 2 * network.RADIUS
        box = (x - side / 2, y - side / 2, side, side)
        picture.field(box, unpacked(tile, CELLS // _TILE), key=f"unit:{i}:{j}")
        picture.rect(box, stroke="edge", width=1.2, radius=2)

    def _gradients(self, picture: Picture, frame: PlaygroundFrame) -> None:
        title = "gradient ‖∂L/∂θᵢ‖, log scale from 10⁻⁶ to 1"
        picture.text((4, _FLOOR - _TALLEST - 12), title, bold=True)
        picture.line([(4, _FLOOR), (_NETWORK[0] - 4, _FLOOR)], stroke="line", width=1)
        for i, (bar, norm) in enumerate(zip(frame["bars"], frame["norms"], strict=True)):
            x = (self.layout.x(i) + self.layout.x(i + 1)) / 2
            box = (x - 9, _FLOOR - bar, 18, bar)
            picture.rect(box, fill="adjoint-positive", key=f"bar:{i}")
            picture.text((x, _FLOOR + 10), norm, size=11, anchor="middle", key=f"norm:{i}")

    def _saturation(self, picture: Picture, frame: PlaygroundFrame) -> None:
        picture.text((4, _FLOOR + 32), "saturated units", bold=True)
        for i, share in enumerate(frame["saturated"]):
            at = (self.layout.x(i + 1), _FLOOR + 48)
            picture.text(at, share, size=11, anchor="middle", key=f"saturated:{i}")


def _axes(x: FloatArray) -> tuple[Axis, Axis]:
    """Return the axes of a square around points, with some room."""
    if float(np.abs(x).max()) > _FARTHEST:
        raise InvalidValueError(
            "The points are too far apart to be drawn.",
            given=f"x with {long(float(np.abs(x).max()))} in it",
            expected=f"numbers up to {long(_FARTHEST)}",
            instead="(x / np.abs(x).max(), y)",
        )
    middle = (x.max(axis=0) + x.min(axis=0)) / 2
    reach = max(1.08 * float((x.max(axis=0) - x.min(axis=0)).max()) / 2, 1e-9)
    across, up = (Axis("", float(at - reach), float(at + reach)) for at in middle)
    return across, up


def _grid(across: Axis, up: Axis) -> FloatArray:
    """Return the middles of the cells of the map, the top row first."""
    share = (np.arange(CELLS) + 0.5) / CELLS
    x_1 = across.low + share * (across.high - across.low)
    x_2 = up.high - share * (up.high - up.low)
    return np.stack(np.meshgrid(x_1, x_2), axis=-1).reshape(-1, 2)


def _boundary(f_K: FloatArray) -> str:
    """Return the lines of the map on which f_K = ½."""
    left, top, width, _ = MAP
    places = (np.arange(CELLS) + 0.5) * (width / CELLS)
    lines = contour_generator(left + places, top + places, np.ma.masked_invalid(f_K)).lines(_HALF)
    return path(np.asarray(line).tolist() for line in lines)


def _point(picture: Picture, at: Point, one: bool, held_out: bool) -> None:
    """Add a point: circle or square by class, hollow if it is held out."""
    colour = "value-positive" if one else "value-negative"
    style: dict[str, Any] = (
        {"fill": "paper", "stroke": colour, "width": 1.6}
        if held_out
        else {"fill": colour, "stroke": "paper", "width": 0.9}
    )
    x, y = at
    if one:
        picture.circle(at, 4.2 if not held_out else 3.6, **style)
    else:
        side = 7.6 if not held_out else 6.6
        picture.rect((x - side / 2, y - side / 2, side, side), **style)


def _legend() -> PictureData:
    """Return the legend of the points as a small picture."""
    picture = Picture(428, 20)
    x = 8.0
    for one, held_out, text in [
        (True, False, "class 1"),
        (False, False, "class 0"),
        (True, True, "held out, class 1"),
        (False, True, "held out, class 0"),
    ]:
        _point(picture, (x, 10), one, held_out)
        picture.text((x + 10, 10), text, fill="muted", size=11.5)
        x += 34 + 6.4 * len(text)
    return picture.data()


def _level(weight: float, high: float) -> int:
    """Return the strength of an edge; NaN has none."""
    heat = float(weight) / high
    return round(LEVELS * min(max(heat, -1.0), 1.0)) if math.isfinite(heat) else 0


def _bar(norm: float) -> float:
    """Return the height of the bar of a gradient norm."""
    share = Axis("", _LOWEST, _HIGHEST, log=True).place(norm) if norm > 0 else 0.0
    return round(_TALLEST * share, 1)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _words(measure: Measure, epoch: int) -> str:
    return (
        f"Epoch {epoch}: loss {long(measure.loss)}, held out {long(measure.held_out)}; "
        f"accuracy {_percent(measure.accuracy)}, held out {_percent(measure.held_out_accuracy)}."
    )


# --- what has happened so far ------------------------------------------------


def path(lines: Iterable[Iterable[Point]]) -> str:
    """Return lines as text, which is sent faster than numbers: the ``d`` of an SVG path.

    >>> path([[(1, 2), (2.5, 3.04)], [(0, 0)]])
    'M1 2 2.5 3M0 0'
    """
    return "".join("M" + " ".join(f"{round(n, 1):g}" for at in line for n in at) for line in lines)


def along(text: str) -> list[list[Point]]:
    """Return the lines of a path.

    >>> along("M1 2 2.5 3M0 0")
    [[(1.0, 2.0), (2.5, 3.0)], [(0.0, 0.0)]]
    """
    lines = [[float(number) for number in line.split()] for line in text.split("M")[1:]]
    return [list(zip(line[::2], line[1::2], strict=True)) for line in lines]


def curves(measures: Sequence[Measure]) -> tuple[PlaygroundCurves, dict[str, str]]:
    """Return the charts of a training, and by their keys the paths of the lines in them.

    The axis of epochs grows in leaps, so that a growing curve stays where it is,
    and charts need not be sent again for every epoch.
    """
    last = len(measures) - 1
    stride = 1
    while last / stride > _POINTS_OF_A_CURVE:
        stride *= 2
    epochs = sorted({*range(0, last, stride), last})
    kept = [measures[epoch] for epoch in epochs]
    axis = Axis("epoch", 0, round_up(max(last, 50)))
    pictures: list[PictureData] = []
    lines: dict[str, str] = {}
    for make in (_losses, _norms, _shares):
        title, alt, y, series = make(epochs, kept)
        styles = tuple((each.name, each.stroke, tuple(each.dash)) for each in series)
        chart = _chart(title, alt, axis, y, styles)
        lines |= {f"{title}: {each.name}": path(chart.along(each)) for each in series}
        pictures.append(chart.picture.data())
    left, _, width, _ = chart.plot
    return {"pictures": pictures, "plot": [left, width], "last": axis.high}, lines


@lru_cache(maxsize=64)
def _chart(title: str, alt: str, x: Axis, y: Axis, styles: tuple[_Style, ...]) -> Chart:
    """Return a chart whose lines are there, under their keys, but lead nowhere yet."""
    picture = Picture(*_CHART, alt)
    chart = Chart(picture, (0, 0, _CHART[0], _CHART[1] - 22), title, x, y)
    entries = [Series(name, [0], [y.low], stroke, dash) for name, stroke, dash in styles]
    for each in entries:
        chart.add(replace(each, key=f"{title}: {each.name}"))
    chart.rule(x=0, stroke="text", dash=SOLID, key="now")
    named = [entries[i] for i in some(len(entries), _NAMED)]
    legend(picture, (46, _CHART[1] - 10), named, gap=14)
    return chart


_Style = tuple[str, Colour, tuple[float, ...]]
"""A line's name, stroke and dash."""


def curve_pictures(
    curves: Mapping[str, Any], lines: Mapping[str, str], shown: int
) -> list[dict[str, Any]]:
    """Return the charts with their lines, and one at the epoch that is shown."""
    left, width = curves["plot"]
    now = left + width * shown / curves["last"]

    def drawn(shape: dict[str, Any]) -> list[dict[str, Any]]:
        key = shape.get("key", "")
        if key == "now":
            return [{**shape, "points": [[now, y] for _, y in shape["points"]]}]
        if key in lines:
            return [{**shape, "points": points} for points in along(lines[key])]
        return [shape]

    return [
        {**picture, "shapes": [each for shape in picture["shapes"] for each in drawn(shape)]}
        for picture in curves["pictures"]
    ]


_Chart = tuple[str, str, Axis, list[Series]]
"""Title, text alternative, upright axis and lines."""


def _losses(epochs: Sequence[int], measures: Sequence[Measure]) -> _Chart:
    lines = [
        ("training", [m.loss for m in measures], "value-positive", _DASHES[0]),
        ("held out", [m.held_out for m in measures], "value-negative", _DASHES[1]),
    ]
    highest = span([number for _, values, _, _ in lines for number in values], room=0)[1]
    series = [Series(name, epochs, values, stroke, dash) for name, values, stroke, dash in lines]
    alt = "The loss on the rows to train on and on those held out, epoch by epoch."
    return "loss", alt, Axis("", 0, round_up(highest)), series


def _norms(epochs: Sequence[int], measures: Sequence[Measure]) -> _Chart:
    values = np.array([m.norms for m in measures])
    series = _layers(epochs, values, "adjoint", lambda i: f"θ{subscript(i)}")
    low, high = span(values.ravel().tolist(), log=True)
    alt = "The norm of the gradient of each layer, epoch by epoch."
    y = Axis("log scale", min(low, high / 100), high, log=True)
    return "gradient ‖∂L/∂θᵢ‖", alt, y, series


def _shares(epochs: Sequence[int], measures: Sequence[Measure]) -> _Chart:
    values = np.array([m.saturation for m in measures])
    series = _layers(epochs, values, "value", lambda i: f"f{subscript(i + 1)}")
    alt = "The share of saturated outputs of each layer, epoch by epoch."
    return "saturated share of a layer’s outputs", alt, Axis("", 0, 1), series


def _layers(
    epochs: Sequence[int], values: FloatArray, family: str, name: Callable[[int], str]
) -> list[Series]:
    """Return one line a layer, from a pale first to a strong last."""
    K = values.shape[1]
    return [
        Series(
            name(i),
            epochs,
            values[:, i].tolist(),
            (family, 0.45 + 0.55 * i / (K - 1) if K > 1 else 1.0),
            _DASHES[i % len(_DASHES)],
        )
        for i in range(K)
    ]


# --- the text twin -----------------------------------------------------------


def describe_run(run: WatchedTraining, epoch: int) -> str:
    """Return the text twin of a training at one of its epochs."""
    measure = run.measures[epoch]
    layers = range(run.net.K)
    about = (
        f"Network of widths {run.net.widths}; {len(run.data.x)} points to train on, "
        f"{len(run.held_out.x)} held out."
    )
    lines = [display.folded([about, _words(measure, epoch)]), "layer  ‖∂L/∂θ_i‖  saturated"]
    lines += [
        f"{i + 1:5}  {long(measure.norms[i]):>9}  {_percent(measure.saturation[i]):>9}"
        for i in layers
    ]
    return "\n".join(lines)

"""Lines over two axes, as shapes of a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb.views import numbers
from backprop_nb.views.picture import SOLID, Box, Colour, Picture, Point

LEFT, TOP, RIGHT, BOTTOM = 46.0, 26.0, 12.0, 38.0
"""Room around the plot for the numbers, the title and the labels."""


@dataclass(frozen=True)
class Axis:
    """One axis: what it shows, from where to where, straight or logarithmic."""

    label: str
    """What the numbers are."""
    low: float
    high: float
    """The ends; both positive on a logarithmic axis."""
    log: bool = False
    """Whether each decade takes the same room."""
    bare: bool = False
    """Whether it goes without numbers, since something else names its places."""
    whole: bool = False
    """Whether there is nothing between two integers."""

    def place(self, value: float) -> float:
        """Return where a value lies, from 0 at ``low`` to 1 at ``high``, kept between the two.

        >>> Axis("z", -4, 4).place(2), Axis("norm", 1e-4, 1, log=True).place(0.01)
        (0.75, 0.5)
        """
        if self.log:
            value, low, high = (_log10(each) for each in (value, self.low, self.high))
        else:
            low, high = self.low, self.high
        share = (value - low) / (high - low) if high > low else 0.5
        return min(max(share, 0.0), 1.0)

    def ticks(self, count: int = 5) -> list[float]:
        """Return round numbers between the ends, about so many.

        >>> Axis("epoch", 0, 200).ticks()
        [0.0, 50.0, 100.0, 150.0, 200.0]
        >>> Axis("norm", 1e-4, 1, log=True).ticks(3)
        [0.0001, 0.01, 1.0]
        """
        if self.bare:
            return []
        if self.log:
            first, last = math.ceil(_log10(self.low) - 1e-9), math.floor(_log10(self.high) + 1e-9)
            every = max(1, math.ceil((last - first) / max(count - 1, 1)))
            return [10.0**power for power in range(first, last + 1, every)]
        step = round_up((self.high - self.low) / max(count - 1, 1), room=1e-3)
        if self.whole:
            step = max(step, 1.0)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [k * step + 0.0 for k in range(first, last + 1)]


def _log10(value: float) -> float:
    return math.log10(max(value, 1e-300))


def round_up(number: float, room: float = 1e-9) -> float:
    """Return 1, 2 or 5 times a power of ten, the next that is not below, or by ``room`` only.

    >>> [round_up(x) for x in (0.3, 1.0, 37, 60)]
    [0.5, 1.0, 50.0, 100.0]
    """
    if number <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(number))
    return next(k * power for k in (1.0, 2.0, 5.0, 10.0) if k * power >= number * (1 - room))


def some(count: int, most: int) -> list[int]:
    """Return some of so many numbers, evenly: the first and the last among them.

    >>> some(3, 5), some(9, 5)
    ([0, 1, 2], [0, 2, 4, 6, 8])
    """
    return sorted({round(i) for i in np.linspace(0, count - 1, min(count, most))})


@dataclass(frozen=True)
class Series:
    """A line: its name in the legend, with a subscript, its points, and how it looks."""

    name: str
    x: ArrayLike
    y: ArrayLike
    stroke: Colour
    dash: Sequence[float] = SOLID
    width: float = 1.8
    key: str = ""
    sub: str = ""


class Chart:
    """A plot inside ``box`` of a picture, to which lines and dots are added.

    ``bands`` are ranges of x that lie shaded behind everything.

    >>> picture = Picture(320, 200)
    >>> chart = Chart(picture, (0, 0, 320, 200), "σ(z)", Axis("z", -4, 4), Axis("", 0, 1))
    >>> chart.at(0, 0.5)
    (177.0, 94.0)
    """

    def __init__(
        self,
        picture: Picture,
        box: Box,
        title: str,
        x: Axis,
        y: Axis,
        bands: Sequence[tuple[float, float]] = (),
    ) -> None:
        left, top, width, height = box
        self.picture, self.x, self.y = picture, x, y
        self.plot: Box = (left + LEFT, top + TOP, width - LEFT - RIGHT, height - TOP - BOTTOM)
        for low, high in bands:
            (start, above), (end, below) = self.at(low, y.high), self.at(high, y.low)
            picture.rect((start, above, end - start, below - above), fill="value-zero")
        picture.text((left + 4, top + 10), title, bold=True, size=12)
        self._axes()

    def at(self, x: float, y: float) -> Point:
        """Return where a pair of values lies in the picture."""
        left, top, width, height = self.plot
        return left + self.x.place(x) * width, top + (1 - self.y.place(y)) * height

    @property
    def x_ticks(self) -> list[float]:
        """The numbers that stand below the plot."""
        count = max(4, round(self.plot[2] / 60))
        ticks = self.x.ticks(count)  # of which one alone would not tell the scale
        return ticks if self.x.bare or len(ticks) > 1 else self.x.ticks(count + 2)

    def add(self, series: Series) -> None:
        """Add a line; a break in the numbers (NaN, infinity) breaks the line."""
        for k, piece in enumerate(self.along(series)):
            self.picture.line(
                piece,
                stroke=series.stroke,
                width=series.width,
                dash=series.dash,
                key=series.key if k == 0 else "",
            )

    def along(self, series: Series) -> list[list[Point]]:
        """Return where the pieces of a line go."""
        return [[self.at(x, y) for x, y in piece] for piece in _pieces(series.x, series.y)]

    def dot(self, x: float, y: float, fill: Colour, *, radius: float = 4.5, key: str = "") -> None:
        """Add a dot with a rim, so that it stands out from its line."""
        self.picture.circle(self.at(x, y), radius, fill=fill, stroke="paper", width=1.5, key=key)

    def rule(self, *, x: float | None = None, y: float | None = None, stroke: Colour = "muted",
             dash: Sequence[float] = (3, 3), key: str = "") -> None:  # fmt: skip
        """Add a thin line across the plot at one value."""
        left, top, width, height = self.plot
        if x is not None:
            at = self.at(x, self.y.low)[0]
            ends = [(at, top), (at, top + height)]
        else:
            at = self.at(self.x.low, self.y.low if y is None else y)[1]
            ends = [(left, at), (left + width, at)]
        self.picture.line(ends, stroke=stroke, width=1, dash=dash, key=key)

    def _axes(self) -> None:
        left, top, width, height = self.plot
        bottom = top + height
        for value in self.y.ticks(4):
            y = self.at(self.x.low, value)[1]
            self.picture.line([(left, y), (left + width, y)], stroke="line", width=0.6)
            text = numbers.short(value)
            self.picture.text((left - 6, y), text, fill="muted", size=10.5, anchor="end")
        for value in self.x_ticks:
            x = self.at(value, self.y.low)[0]
            self.picture.line([(x, bottom), (x, bottom + 4)], stroke="muted", width=1)
            text = numbers.short(value)
            self.picture.text((x, bottom + 12), text, fill="muted", size=10.5, anchor="middle")
        self.picture.line(
            [(left, top), (left, bottom), (left + width, bottom)], stroke="muted", width=1
        )
        if self.x.label:
            label = (left + width / 2, bottom + 27)
            self.picture.text(label, self.x.label, fill="muted", size=11, anchor="middle")
        if self.y.label:
            self.picture.text(
                (left + width, top - 16), self.y.label, fill="muted", size=11, anchor="end"
            )


def _pieces(x: ArrayLike, y: ArrayLike) -> list[list[Point]]:
    points = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    breaks = np.flatnonzero(~np.isfinite(points).all(axis=1))
    pieces = np.split(points, breaks)
    finite = (piece[np.isfinite(piece).all(axis=1)] for piece in pieces)
    return [[(float(a), float(b)) for a, b in piece] for piece in finite if len(piece)]


def legend(picture: Picture, at: Point, entries: Sequence[Series], gap: float = 18.0) -> float:
    """Add the names of lines side by side, each behind a piece of it; return where they end."""
    x, y = at
    for entry in entries:
        picture.line(
            [(x, y), (x + 22, y)], stroke=entry.stroke, width=entry.width + 0.6, dash=entry.dash
        )
        picture.text((x + 28, y), entry.name, sub=entry.sub, fill="muted", size=11)
        x += 28 + text_width(entry.name, 11) + gap
    return x


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is, in pixels, on the safe side.

    >>> text_width("value", 12)
    36.0
    """
    return 0.6 * size * len(text)


def span(values: ArrayLike, *, log: bool = False, room: float = 0.06) -> tuple[float, float]:
    """Return the ends of an axis that shows all finite values with some room around them.

    >>> span([0.0, 1.0], room=0.1)
    (-0.1, 1.1)
    >>> span([0.02, 3.0], log=True)
    (0.01, 10.0)
    """
    array = np.asarray(values, dtype=float).ravel()
    array = array[np.isfinite(array) & ((array > 0) | (not log))]
    if not array.size:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = float(array.min()), float(array.max())
    if log:
        low, high = 10.0 ** math.floor(_log10(low)), 10.0 ** math.ceil(_log10(high))
        return (low, high) if high > low else (low / 10, high)
    spread = high - low or abs(high) or 1.0
    return low - room * spread, high + room * spread

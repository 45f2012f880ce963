"""A picture as a list of shapes in plain data, which the browser and matplotlib both draw.

Everything is in pixels; the y axis points down.  A colour is a role of the
palette, such as ``"text"``, or a heat: a family and where on its scale from -1
to 1, such as ``("adjoint", -0.4)``.  A shape that a view wants to find again
has a ``key``.  ``schema.py`` says which shapes there are and what each has.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from backprop_nb.views.schema import PictureData

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, width, height."""
Colour = str | tuple[str, float]

SOLID: tuple[float, ...] = ()


class Outline(TypedDict, total=False):
    """How a shape is drawn: what fills it, the line around it, and its key."""

    fill: Colour | None
    stroke: Colour | None
    width: float
    dash: Sequence[float]
    key: str


class Picture:
    """A surface of ``width`` × ``height`` pixels, to which shapes are added from back to front.

    Attributes
    ----------
    alt
        What stands for the picture where it cannot be seen.
    shapes
        The shapes as plain data.

    >>> picture = Picture(100, 50, "A line.")
    >>> picture.line([(0, 0), (100, 50)], stroke="text", dash=(4, 2), key="diagonal")
    >>> picture.shapes[0]["points"], picture.shapes[0]["key"]
    ([[0, 0], [100, 50]], 'diagonal')
    """

    def __init__(self, width: float, height: float, alt: str = "") -> None:
        self.width, self.height, self.alt = width, height, alt
        self.shapes: list[Any] = []
        self._when: dict[str, int] = {}

    @contextmanager
    def during(self, since: int, until: int | None = None) -> Iterator[None]:
        """Let what is added inside be seen from one step of a replay on, or until another one."""
        before = self._when
        self._when = {"since": since} | ({} if until is None else {"until": until})
        try:
            yield
        finally:
            self._when = before

    def line(
        self, points: Iterable[Point], *, close: bool = False, **outline: Unpack[Outline]
    ) -> None:
        """Add straight lines from point to point, which may enclose an area."""
        self._add("line", points=_points(points), close=close, **{"width": 1.5, **outline})

    def curve(self, points: Iterable[Sequence[float]], **outline: Unpack[Outline]) -> None:
        """Add cubic Bézier curves, end to end, through their control points."""
        self._add("curve", points=_points(points), **{"width": 1.5, **outline})

    def rect(self, box: Sequence[float], *, radius: float = 0, **outline: Unpack[Outline]) -> None:
        """Add a rectangle, with round corners if there is a ``radius``."""
        self._add("rect", box=_pixels(box), radius=radius, **{"width": 1.0, **outline})

    def circle(self, centre: Point, radius: float, **outline: Unpack[Outline]) -> None:
        """Add a circle."""
        at, size = _pixels(centre), _pixel(radius)
        self._add("circle", centre=at, radius=size, **{"width": 1.0, **outline})

    def field(self, box: Box, levels: NDArray[np.uint8], *, key: str = "") -> None:
        """Add a smooth field of values: :func:`heat_levels` of its cells, the first row on top."""
        self._add(
            "field",
            box=_pixels(box),
            rows=levels.shape[0],
            columns=levels.shape[1],
            family="value",
            levels=packed(levels),
            key=key,
        )

    def text(
        self,
        at: Point,
        text: str,
        *,
        sub: str = "",
        fill: Colour = "text",
        on: Colour | None = None,
        size: float = 12.0,
        anchor: str = "start",
        italic: bool = False,
        bold: bool = False,
        turned: bool = False,
        key: str = "",
    ) -> None:
        """Add a line of text, whose middle is at the height of ``at``, with a subscript behind it.

        It begins there, or has its middle or its ``"end"`` there, as ``anchor`` says.  What stands
        ``on`` a coloured shape is black or white, whichever can be read there; what is ``italic``
        is a symbol of a formula, and what is ``turned`` is read from the bottom to the top.
        """
        looks = {"italic": italic, "bold": bold, "turned": turned, "fill": fill, "key": key}
        self._add(
            "text", at=_pixels(at), text=text, sub=sub, on=on, size=size, anchor=anchor, **looks
        )

    def heat(
        self,
        box: Box,
        columns: int,
        heats: Sequence[float],
        family: str,
        *,
        texts: Sequence[str] = (),
        gap: float = 1.0,
        size: float = 10.0,
    ) -> None:
        """Add a heat map: cells row by row, each on its family's scale, with numbers if there are.

        The heats are those of :func:`~backprop_nb.views.numbers.heat`.  There are none or as many
        ``texts`` of a ``size`` in the middle of the cells, which are a ``gap`` apart.

        >>> picture = Picture(40, 20)
        >>> picture.heat((0, 0, 40, 20), 2, [0.5, -1.0], "adjoint")
        >>> picture.shapes[0]["heats"]
        [0.5, -1]
        """
        self._add(
            "heat",
            box=_pixels(box),
            columns=columns,
            heats=[_short(heat, 2) for heat in heats],  # more than that no eye can tell apart
            family=family,
            gap=gap,
            texts=list(texts),
            size=size if texts else 0,
        )

    def place(self, other: Mapping[str, Any], at: Point) -> None:
        """Add the shapes of another picture's data, its top left corner at ``at``.

        >>> small, large = Picture(10, 10), Picture(100, 50)
        >>> small.circle((5, 5), 5)
        >>> large.place(small.data(), (20, 30))
        >>> large.shapes[0]["centre"]
        [25, 35]
        """
        dx, dy = at
        for shape in other["shapes"]:
            moved = dict(shape)
            for name in {"at", "centre", "box"} & shape.keys():
                x, y, *size = shape[name]
                moved[name] = [_pixel(x + dx), _pixel(y + dy), *size]
            if "points" in shape:
                moved["points"] = _points((x + dx, y + dy) for x, y in shape["points"])
            self.shapes.append(moved)

    def _add(self, kind: str, **shape: Any) -> None:
        # What is absent is false, empty or none; most of a shape is.
        shown = {
            name: value if type(value) is not tuple else _listed(name, value)
            for name, value in shape.items()
            if value
        }
        self.shapes.append({"kind": kind, **shown, **self._when})

    def data(self) -> PictureData:
        """Return the picture as plain data."""
        return {
            "width": _pixel(self.width),
            "height": _pixel(self.height),
            "alt": self.alt,
            "shapes": self.shapes,
        }


def cut(picture: PictureData, places: Sequence[float], widest: float) -> list[PictureData]:
    """Cut a picture from top to bottom, so that it can go on below like a line of text.

    It may be cut at some places, from left to right; if they are enough no piece is wider.

    >>> picture = Picture(100, 10)
    >>> picture.line([(0, 5), (100, 5)])
    >>> [(each["width"], each["shapes"][0]["points"]) for each in cut(picture.data(), [30, 60], 70)]
    [(60, [[0, 0], [100, 0]]), (40, [[-60, 0], [40, 0]])]
    """
    ends = [0.0]
    for place, following in pairwise([*places, picture["width"]]):
        if following - ends[-1] > widest:
            ends.append(place)
    pieces = []
    for left, right in pairwise([*ends, picture["width"]]):
        shapes = [
            each
            for each in picture["shapes"]
            if (reach := _reach(each))[0] < right and reach[2] > left
        ]
        top = min((_reach(each)[1] for each in shapes), default=0.0)
        bottom = max((_reach(each)[3] for each in shapes), default=0.0)
        piece = Picture(right - left, bottom - top)
        piece.place({"shapes": shapes}, (-left, -top))
        data = piece.data()
        data["cut"] = True
        pieces.append(data)
    return pieces


def _reach(shape: Mapping[str, Any]) -> Box:
    """Return the left, top, right and bottom end of a shape; a text is where it begins."""
    if "box" in shape:
        x, y, width, height = shape["box"]
        return x, y, x + width, y + height
    size = shape.get("radius", 0)
    points = shape.get("points") or [shape.get("centre") or shape["at"]]
    xs, ys = zip(*points, strict=True)
    return min(xs) - size, min(ys) - size, max(xs) + size, max(ys) + size


def heat_levels(heats: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return heats from -1 to 1 as bytes from 0 to 255; NaN is neutral.

    >>> heat_levels(np.array([-1.0, 0.0, 1.0, 7.0, np.nan])).tolist()
    [0, 128, 255, 255, 128]
    """
    clipped = np.nan_to_num(heats.clip(-1, 1))
    levels: NDArray[np.uint8] = np.rint(127.5 + 127.5 * clipped).astype(np.uint8)
    return levels


def packed(levels: NDArray[np.uint8]) -> str:
    """Return bytes as text, row by row, which JSON can carry.

    >>> unpacked(packed(np.array([[1, 2, 3]], dtype=np.uint8)), 1).tolist()
    [[1, 2, 3]]
    """
    return base64.b64encode(np.ascontiguousarray(levels).tobytes()).decode("ascii")


def unpacked(text: str, rows: int) -> NDArray[np.uint8]:
    """Return the bytes of a text as so many rows."""
    return np.frombuffer(base64.b64decode(text), dtype=np.uint8).reshape(rows, -1)


def at_step(picture: Mapping[str, Any], step: int) -> dict[str, Any]:
    """Return a picture's data with what is to be seen at one step of a replay.

    >>> picture = Picture(100, 50)
    >>> with picture.during(since=2, until=3):
    ...     picture.circle((10, 10), 5, key="passing")
    >>> [len(at_step(picture.data(), step)["shapes"]) for step in range(5)]
    [0, 0, 1, 1, 0]
    """
    shapes = [
        shape
        for shape in picture["shapes"]
        if shape.get("since", step) <= step <= shape.get("until", step)
    ]
    return {**picture, "shapes": shapes}


def patched(picture: Mapping[str, Any], patch: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a picture at a step of a replay, as plain data.

    The patch has by the key of a shape what is different of it; ``cut`` is how many of a line's
    points are there by now.

    >>> picture = Picture(100, 50)
    >>> picture.line([(0, 0), (50, 25), (100, 50)], key="loss")
    >>> patched(picture.data(), {"loss": {"cut": 2}})["shapes"][0]["points"]
    [[0, 0], [50, 25]]
    """
    shapes = [_patched(shape, patch.get(shape.get("key", ""), {})) for shape in picture["shapes"]]
    return {**picture, "shapes": shapes}


def _patched(shape: dict[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    cut = change.get("cut")
    points = {} if cut is None else {"points": shape["points"][:cut]}
    return {**shape, **change, **points}


def _short(number: float, digits: int) -> float:
    """Return a number with few decimals: shorter as JSON, and the same on every machine."""
    rounded = round(float(number), digits)
    return int(rounded) if rounded == int(rounded) else rounded


@lru_cache(maxsize=2**14)  # a view draws at the same places again and again, and to round is slow
def _pixel(number: float) -> float:
    return _short(number, 1)


def _pixels(numbers: Iterable[float]) -> list[float]:
    return [_pixel(number) for number in numbers]


def _points(points: Iterable[Sequence[float]]) -> list[list[float]]:
    return _kept(points) if type(points) is tuple else [_pixels(point) for point in points]


@lru_cache(maxsize=2**12)
def _kept(points: tuple[Sequence[float], ...]) -> list[list[float]]:
    """Return points of an edge that stays where it is, whatever its weight."""
    return [_pixels(point) for point in points]


def _listed(name: str, value: tuple[Any, ...]) -> list[Any]:
    return list(value) if name == "dash" else [value[0], round(value[1], 3)]

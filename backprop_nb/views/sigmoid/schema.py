"""What ``SigmoidExplorer`` is handed: see ``views/schema.py``."""

from collections.abc import Sequence
from typing import TypedDict

from backprop_nb.views.schema import Element, PictureData, Point


class SigmoidPlaces(TypedDict):
    """What moves with z: for each place on the grid one entry."""

    value: Sequence[str]
    slope: Sequence[str]
    share: Sequence[str]
    saturated: Sequence[bool]
    dots: Sequence[Sequence[Point]]
    """On the curve, and on that of the slope."""
    tangent: Sequence[Sequence[Point]]
    bar: Sequence[float]
    path: Sequence[Sequence[Point]]
    """Through the powers that are not 0."""
    powers: Sequence[Sequence[str]]


class SigmoidCurve(TypedDict):
    """One activation: its pictures at a place where nothing is missing, and what moves in them."""

    name: str
    slopeName: str
    best: str
    formulas: Sequence[Element]
    alt: str
    pictures: Sequence[PictureData]
    plot: Sequence[float]
    """Left and width of the plot."""
    across: Sequence[float]
    """The x of each number of units."""
    bestTexts: Sequence[str]
    places: SigmoidPlaces


class SigmoidScene(TypedDict):
    """What ``SigmoidExplorer`` shows, for each activation."""

    low: float
    high: float
    perOne: int
    units: int
    z: Sequence[str]
    curves: dict[str, SigmoidCurve]

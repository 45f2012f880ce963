"""What ``Playground`` is handed: see ``views/schema.py``."""

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

from backprop_nb.views.schema import PictureData


class PlaygroundPictures(TypedDict):
    """What of a training stays as long as data and network do."""

    alt: str
    plane: PictureData
    network: PictureData
    units: Sequence[str]
    """The keys of the fields of the units; in this order a frame has their tiles."""
    edges: Sequence[str]
    """The keys of the edges; in this order a frame has their levels."""
    edgeStyles: Sequence[dict[str, Any]]
    """Stroke, width and dash of each level, from the most negative."""
    bars: Sequence[str]
    floor: float
    """The y on which the bars stand."""
    legend: PictureData


class PlaygroundScene(PlaygroundPictures):
    """What ``Playground`` shows besides its frames and curves."""

    options: dict[str, Sequence[Any]]
    """By the name of a setting what can be chosen."""


class PlaygroundFrame(TypedDict):
    """A training at one epoch; the map and the tiles are bytes as Base64."""

    epoch: int
    map: str
    tiles: Sequence[str]
    boundary: str
    """The lines on which the output is ½, as the ``d`` of an SVG path."""
    edges: Sequence[int]
    weights: str
    norms: Sequence[str]
    bars: Sequence[float]
    saturated: Sequence[str]
    loss: str
    heldOut: str
    accuracy: str
    heldOutAccuracy: str
    words: str
    serial: NotRequired[int]
    """So many frames there have been."""
    run: NotRequired[int]
    """So many trainings there have been."""


class PlaygroundCurves(TypedDict):
    """The charts of a training; their lines come apart, by their keys, as SVG paths."""

    pictures: Sequence[PictureData]
    plot: Sequence[float]
    """Left and width of the plots."""
    last: float
    """The last epoch of their axis."""

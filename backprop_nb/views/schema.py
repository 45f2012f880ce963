"""What Python hands to the browser: the contract between the scenes and the ES modules.

Here stands what the views share; what one of them is handed stands in its room, in a
``schema.py`` of its own.  A scene is plain data that JSON can hold; a tuple is an array there.
A key that is ``NotRequired`` may be absent: then the thing is false, empty or none.
"""

# No postponed annotations here: with them Python 3.11 would not see what is NotRequired.
from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict

Element = list[Any]
"""An element of a formula: ``[tag, text, attributes, children]``; the children are elements.

What is empty at the end is left out.
"""

Formula = list[Any]
"""The number of a formula's shape, and the texts in its gaps."""

FormulaShape = tuple[str | int, ...]
"""An element as JSON, cut at its gaps: between the pieces, which of the texts belongs there."""

Family = Literal["value", "adjoint"]
"""The two scales of colours: values and weights, or gradients."""

Colour = str | Sequence[Any]
"""A role of the palette, or a heat: a family and where on its scale, from -1 to 1."""

Point = Sequence[float]
"""x and y in pixels; the y axis points down."""

Box = Sequence[float]
"""Left, top, width, height."""


class Part(TypedDict):
    """What every shape of a picture may have."""

    key: NotRequired[str]
    """By which a view finds it again."""
    since: NotRequired[int]
    """The first step of a replay at which it is there."""
    until: NotRequired[int]
    """The last one."""


class Outlined(Part):
    """A shape with a line around it, and something in it."""

    fill: NotRequired[Colour]
    stroke: NotRequired[Colour]
    width: NotRequired[float]
    dash: NotRequired[Sequence[float]]


class LineShape(Outlined):
    """Straight lines from point to point."""

    kind: Literal["line"]
    points: NotRequired[Sequence[Point]]
    close: NotRequired[bool]


class CurveShape(Outlined):
    """Cubic Bézier curves, end to end, through their control points."""

    kind: Literal["curve"]
    points: Sequence[Point]


class RectShape(Outlined):
    """A rectangle, with round corners if there is a radius."""

    kind: Literal["rect"]
    box: Box
    radius: NotRequired[float]


class CircleShape(Outlined):
    """A circle."""

    kind: Literal["circle"]
    centre: Point
    radius: NotRequired[float]


class TextShape(Part):
    """A line of text, whose middle is at the height of ``at``."""

    kind: Literal["text"]
    at: Point
    text: NotRequired[str]
    sub: NotRequired[str]
    fill: NotRequired[Colour]
    on: NotRequired[Colour]
    size: float
    anchor: Literal["start", "middle", "end"]
    italic: NotRequired[bool]
    bold: NotRequired[bool]
    turned: NotRequired[bool]


class HeatShape(Part):
    """Cells row by row, each on its family's scale, with a text in it if there are texts."""

    kind: Literal["heat"]
    box: Box
    columns: int
    heats: NotRequired[Sequence[float]]
    family: Family
    gap: NotRequired[float]
    texts: NotRequired[Sequence[str]]
    size: NotRequired[float]


class FieldShape(Part):
    """A smooth field of heat: one byte for each cell, as Base64."""

    kind: Literal["field"]
    box: Box
    rows: int
    columns: int
    family: Family
    levels: str


Shape = LineShape | CurveShape | RectShape | CircleShape | TextShape | HeatShape | FieldShape


class PictureData(TypedDict):
    """A surface in pixels and its shapes, from back to front; see ``views/picture.py``."""

    width: float
    height: float
    alt: str
    shapes: Sequence[Shape]
    cut: NotRequired[bool]
    """Whether shapes end at its border, beyond which they go on in another picture."""


Patch = dict[str, dict[str, Any]]
"""By the key of a shape what is different of it at a step; see ``picture.patched``."""


class HeatMap(TypedDict):
    """A large array, as few enough cells to be seen at once."""

    rows: int
    columns: int
    block: Sequence[int]
    """A cell stands for so many rows and columns of the array."""
    heat: str
    """The heat of each cell in thousandths, two bytes each, as Base64."""
    long: Sequence[str]
    """The number of each cell; empty if they did not come along."""


class Tensor(TypedDict):
    """An array as a reader sees it: its first entries, and a map of all if there are more."""

    shape: str
    single: bool
    rows: int
    columns: int
    heat: str
    """The heat of each entry in thousandths, two bytes each, as Base64."""
    short: Sequence[str]
    """The entries, as short as a card needs them; empty where it has no room for them."""
    words: str
    """The entries as they are read out, from which ``entriesOf`` in arrays.mjs takes each."""
    map: HeatMap | None

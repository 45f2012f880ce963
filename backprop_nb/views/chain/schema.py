"""What ``ChainRule`` is handed: see ``views/schema.py``."""

from collections.abc import Sequence
from typing import TypedDict

from backprop_nb.views.schema import Element, Family, Patch, PictureData, Tensor


class ChainMatrix(TypedDict):
    """A matrix, as a heat map and in words."""

    name: str
    math: Element
    family: Family
    shape: str
    words: str
    lit: Sequence[str]
    """The beginnings of the keys of what it has to do with in the network."""
    picture: PictureData
    numbers: Tensor | None
    """None where it is not built."""
    layout: str
    """What stands in row r and column c; empty unless it is a factor."""
    notes: Sequence[str]


class ChainLine(TypedDict):
    """Names of matrices, and signs between them."""

    title: str
    items: Sequence[str]


class ChainFrame(TypedDict):
    """A step of the product, or of the way to the code."""

    words: str
    title: Sequence[str]
    lines: Sequence[ChainLine]
    notes: Sequence[str]
    paid: Patch
    """Of the picture of the costs; empty on the way to the code."""


class ChainProduct(TypedDict):
    """The chain of one θ_i; factors and steps are names of matrices."""

    name: str
    math: Element
    factors: Sequence[str]
    steps: Sequence[str]
    code: Sequence[str]
    costs: PictureData
    why: Sequence[str]
    introduction: str
    frames: dict[str, Sequence[ChainFrame]]
    """By "left", "right" and "transposes"."""


class ChainScene(TypedDict):
    """What ``ChainRule`` shows."""

    alt: str
    K: int
    row: int
    rows: int
    """Of the batch; 0 of a single input."""
    batch: str
    """Which row it is, and what is too large for its type."""
    complete: bool
    """Whether the chains of all θ_i are here."""
    equation: Element
    network: PictureData
    matrices: dict[str, ChainMatrix]
    chains: dict[str, ChainProduct]
    wide: bool
    """Whether the factors need all the room from side to side."""
    legend: dict[str, str]

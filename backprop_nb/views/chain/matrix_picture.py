"""A matrix as a heat map whose sides are as long as its shape says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from backprop_nb.views import numbers
from backprop_nb.views.chart import text_width
from backprop_nb.views.numbers import Scale
from backprop_nb.views.picture import Picture
from backprop_nb.views.schema import Family

LARGEST_CELL, SMALLEST_CELL = 34.0, 5.0
ROOM, WIDEST, TALLEST = 1130.0, 690.0, 300.0
"""For matrices side by side, and for a single one, in pixels."""
LONGEST, SHORTEST = 320.0, 14.0
"""Of sides that are not drawn in proportion."""
POOLED = 6.0
"""The cells of a matrix that is too large to show each of its entries, in pixels."""
BRACKET = 6.0
BRACE = 20.0
_TEXT = 10.0


@dataclass(frozen=True)
class Lengths:
    """How long a side of n entries is drawn.

    The same n is always as long, so that one sees which matrices fit: the
    columns of one are the rows of the next.
    """

    cell: float
    """The pixels of an entry, or 0 where a side is not drawn in proportion."""
    power: float = 1.0
    """There, by which power of n a length grows."""

    def __call__(self, n: int) -> float:
        """Return the length of a side of ``n`` entries, in pixels.

        >>> Lengths(20)(3), round(Lengths(0, 0.5)(100))
        (60, 140)
        """
        return n * self.cell if self.cell else SHORTEST * float(n) ** self.power

    def cells(self, n: int) -> int:
        """Return how many cells stand along a side of ``n`` entries."""
        return n if self.cell else max(1, min(n, round(self(n) / POOLED)))

    @property
    def text(self) -> str:
        """What a legend says of the sizes."""
        if self.cell:
            return "one cell an entry"
        return (
            "a longer side is drawn longer, but not in proportion; a cell shows the largest of "
            "its entries"
        )


def fit_lengths(widest: int, tallest: int, together: int) -> Lengths:
    """Return lengths for matrices of so many columns and rows, and so many columns side by side.

    >>> fit_lengths(9, 3, 14)
    Lengths(cell=34.0, power=1.0)
    >>> fit_lengths(72, 8, 152)
    Lengths(cell=7.0, power=1.0)
    >>> fit_lengths(100_480, 128, 200_000).cell
    0.0
    """
    cell = min(LARGEST_CELL, WIDEST / widest, TALLEST / tallest)
    if cell < LARGEST_CELL:  # else there is room for numbers, which is worth a second row
        cell = min(cell, ROOM / together)
    if cell >= SMALLEST_CELL:
        return Lengths(float(math.floor(cell)))
    longest = max(widest, tallest, 2)
    return Lengths(0.0, math.log(LONGEST / SHORTEST) / math.log(longest))


def matrix_picture(
    array: NDArray[Any] | None,
    shape: tuple[int, int],
    lengths: Lengths,
    scale: Scale,
    family: Family,
    theta: tuple[int, int, int] | None = None,
) -> Picture:
    """Return a matrix in brackets, as a heat map or, where it is not built, as an outline.

    Below a derivative by θ_i stands which columns are whose; ``theta`` is i, n_{i+1} and n_i.

    >>> import numpy as np
    >>> picture = matrix_picture(np.eye(2), (2, 2), Lengths(20), Scale(1, 1), "value")
    >>> picture.width, picture.height, picture.shapes[0]["texts"]
    (52.0, 40.0, ['1', '0', '0', '1'])
    """
    width, height = lengths(shape[1]), lengths(shape[0])
    picture = Picture(width + 2 * BRACKET, height + (BRACE if theta else 0.0))
    if array is None:
        _outline(picture, width, height, family, theta if shape[0] > 1 else None)
    else:
        _heat(picture, array, lengths, scale, family)
    for x, inward in ((1.0, 4.0), (width + 2 * BRACKET - 1, -4.0)):
        bracket = [(x + inward, 0.5), (x, 0.5), (x, height - 0.5), (x + inward, height - 0.5)]
        picture.line(bracket, stroke="muted", width=1.2)
    if theta:
        _name_columns(picture, width, height, lengths.cell, theta)
    return picture


def _heat(
    picture: Picture, array: NDArray[Any], lengths: Lengths, scale: Scale, family: Family
) -> None:
    counts, table = [lengths.cells(n) for n in array.shape], array
    pooled = counts != [*array.shape]
    if pooled:
        rows, columns = (
            [n * k // count for k in range(count)]
            for n, count in zip(array.shape, counts, strict=True)
        )
        table = numbers.pooled(array, rows, columns)
    # A narrow cell has room for an exponent with the short sign.
    texts = [numbers.short(x).replace(f"e{numbers.MINUS}", "e-") for x in table.ravel().tolist()]
    fits = not pooled and max(text_width(text, _TEXT) for text in texts) <= lengths(1) - 2
    width, height = lengths(array.shape[1]), lengths(array.shape[0])
    picture.heat(
        (BRACKET, 0.0, width, height),
        counts[1],
        numbers.heats(table.ravel(), scale),
        family,
        texts=texts if fits else (),
        gap=1.0 if width / counts[1] >= SMALLEST_CELL else 0.0,
        size=_TEXT,
    )


def _outline(
    picture: Picture,
    width: float,
    height: float,
    family: Family,
    theta: tuple[int, int, int] | None,
) -> None:
    """Draw the place of a matrix that is not built, and where its entries would not be zero."""
    picture.rect((BRACKET, 0, width, height), fill=(family, 0.0))
    at, anchor = (BRACKET + width / 2, height / 2), "middle"
    if theta:
        n_in = theta[2]
        weights = width * n_in / (n_in + 1)
        picture.line([(BRACKET, 0), (BRACKET + weights, height)], stroke="muted", width=2)
        at, anchor = (BRACKET + width - 6, 12.0), "end"
    if width >= 60 and height >= 14:
        picture.text(at, "not built", fill="muted", size=11, anchor=anchor)


def _name_columns(
    picture: Picture, width: float, top: float, cell: float, theta: tuple[int, int, int]
) -> None:
    """Say below which columns belong to A_i, row by row, and which to b_i."""
    i, n_out, n_in = theta
    middle, end = BRACKET + width * n_in / (n_in + 1), BRACKET + width
    if end - middle < 8:  # no room to name b_i by itself
        _brace(picture, BRACKET, end, top, "θ", i)
        return
    _brace(picture, BRACKET, middle - 2, top, "A", i)
    _brace(picture, middle + 1, end, top, "b", i)
    if cell >= 8:
        for r in range(1, n_out + 1):
            x = BRACKET + r * n_in * cell - 0.5
            picture.line([(x, 0), (x, top)], stroke="muted", width=1.0)


def _brace(picture: Picture, left: float, right: float, top: float, name: str, i: int) -> None:
    points = [(left, top + 3), (left, top + 6), (right, top + 6), (right, top + 3)]
    picture.line(points, stroke="muted", width=1)
    at = ((left + right) / 2, top + 13)
    picture.text(at, name, sub=str(i), italic=True, size=11, anchor="middle", fill="muted")

"""A matrix as a heat map whose sides are as long as its shape says, and its name as a fraction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_nb.views import numbers
from backprop_nb.views.numbers import Scale
from backprop_nb.views.picture import Picture, Point

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
_DIGIT, _OTHERS = 0.64, {".": 0.33, "-": 0.4, numbers.MINUS: 0.84}
"""How wide a digit and the other characters are in a wide font, in heights of the text."""


@dataclass(frozen=True)
class Lengths:
    """How long a side of n entries is drawn.

    The same n is always as long, so that one sees which matrices fit: the
    columns of one are the rows of the next.

    Attributes
    ----------
    cell
        The pixels of an entry, or 0 where a side is not drawn in proportion.
    power
        There, by which power of n a length grows.
    """

    cell: float
    power: float = 1.0

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
        return "a longer side is drawn longer, but not in proportion; a cell shows the largest " \
            "of its entries"  # fmt: skip


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


@dataclass(frozen=True)
class Matrix:
    """What a picture of a matrix is made from.

    Attributes
    ----------
    shape
        Rows and columns.
    array
        Its entries, or None where it is not built.
    family
        ``"value"`` or ``"adjoint"``.
    theta
        Of a derivative by θ_i: i, n_{i+1} and n_i, so that the columns can be told apart.
    """

    shape: tuple[int, int]
    array: NDArray[Any] | None
    family: str
    theta: tuple[int, int, int] | None = None


def matrix_picture(matrix: Matrix, lengths: Lengths, scale: Scale) -> Picture:
    """Return a matrix in brackets, as a heat map or, where it is not built, as an outline.

    Examples
    --------
    >>> eye = Matrix((2, 2), np.eye(2), "value")
    >>> picture = matrix_picture(eye, Lengths(20), Scale(1, 1))
    >>> picture.width, picture.height, picture.shapes[0]["texts"]
    (52.0, 40.0, ['1', '0', '0', '1'])
    """
    rows, columns = matrix.shape
    width, height = lengths(columns), lengths(rows)
    below = BRACE if matrix.theta else 0.0
    picture = Picture(width + 2 * BRACKET, height + below)
    if matrix.array is None:
        _outline(picture, matrix, width, height)
    else:
        _heat(picture, matrix, lengths, scale)
    _brackets(picture, width, height)
    if matrix.theta:
        _columns(picture, matrix, matrix.theta, lengths)
    return picture


def _heat(picture: Picture, matrix: Matrix, lengths: Lengths, scale: Scale) -> None:
    assert matrix.array is not None
    counts = tuple(lengths.cells(n) for n in matrix.shape)
    table = matrix.array
    if counts != matrix.shape:
        starts = (
            np.linspace(0, n, k, endpoint=False) for n, k in zip(matrix.shape, counts, strict=True)
        )
        table = numbers.pooled(table, *(each.astype(int).tolist() for each in starts))
    entries = table.ravel().tolist()
    box = (BRACKET, 0.0, lengths(matrix.shape[1]), lengths(matrix.shape[0]))
    texts = [_cell_text(entry) for entry in entries]
    fits = counts == matrix.shape and max(map(_text_width, texts)) <= lengths(1) - 2
    picture.heat(
        box,
        counts[1],
        [numbers.heat(entry, scale) for entry in entries],
        matrix.family,
        texts=texts if fits else (),
        gap=1.0 if box[2] / counts[1] >= SMALLEST_CELL else 0.0,
        size=_TEXT,
    )


def _cell_text(number: float) -> str:
    """Return a number for a narrow cell: an exponent has the short sign."""
    return numbers.short(number).replace(f"e{numbers.MINUS}", "e-")


def _text_width(text: str) -> float:
    """Return how wide a number in a cell is at most."""
    return _TEXT * sum(_OTHERS.get(character, _DIGIT) for character in text)


def _outline(picture: Picture, matrix: Matrix, width: float, height: float) -> None:
    """Draw the place of a matrix that is not built, and where its entries would not be zero."""
    picture.rect((BRACKET, 0, width, height), fill=(matrix.family, 0.0))
    if matrix.theta and matrix.shape[0] > 1:
        n_in = matrix.theta[2]
        weights = width * n_in / (n_in + 1)
        picture.line([(BRACKET, 0), (BRACKET + weights, height)], stroke="muted", width=2)
    at = (BRACKET + width - 6, 12) if matrix.theta else (BRACKET + width / 2, height / 2)
    if width >= 60 and height >= 14:
        anchor = "end" if matrix.theta else "middle"
        picture.text(at, "not built", fill="muted", size=11, anchor=anchor)


def _brackets(picture: Picture, width: float, height: float) -> None:
    for x, inward in ((1.0, 4.0), (width + 2 * BRACKET - 1, -4.0)):
        picture.line(
            [(x + inward, 0.5), (x, 0.5), (x, height - 0.5), (x + inward, height - 0.5)],
            stroke="muted", width=1.2,
        )  # fmt: skip


def _columns(
    picture: Picture, matrix: Matrix, theta: tuple[int, int, int], lengths: Lengths
) -> None:
    """Say below which columns belong to A_i, row by row, and which to b_i."""
    i, n_out, n_in = theta
    top, width = lengths(matrix.shape[0]), lengths(matrix.shape[1])
    share = n_out * n_in / (n_out * n_in + n_out)
    middle = BRACKET + share * width
    if width - share * width < 8:  # no room to name b_i by itself
        _brace(picture, BRACKET, BRACKET + width, top, "θ", i)
        return
    _brace(picture, BRACKET, middle - 2, top, "A", i)
    _brace(picture, middle + 1, BRACKET + width, top, "b", i)
    if lengths.cell >= 8:
        for r in range(1, n_out + 1):
            x = BRACKET + r * n_in * lengths.cell - 0.5
            picture.line([(x, 0), (x, top)], stroke="muted", width=1.0)


def _brace(picture: Picture, left: float, right: float, top: float, name: str, i: int) -> None:
    points = [(left, top + 3), (left, top + 6), (right, top + 6), (right, top + 3)]
    picture.line(points, stroke="muted", width=1)
    at = ((left + right) / 2, top + 13)
    picture.text(at, name, sub=str(i), italic=True, size=11, anchor="middle", fill="muted")


def fraction(picture: Picture, at: Point, above: str, below: str, *, size: float = 15.0) -> float:
    """Add a derivative such as ∂f_2/∂f_1 with its bar at the height of ``at``; return its width.

    >>> picture = Picture(60, 40)
    >>> fraction(picture, (0, 20), "f_2", "f_1")
    30.0
    >>> [shape.get("text") for shape in picture.shapes]
    ['∂f', '∂f', None]
    """
    x, y = at
    width = 2.0 * size
    for name, shift in ((above, -0.72 * size), (below, 0.72 * size)):
        letter, _, index = name.partition("_")
        middle = (x + width / 2, y + shift)
        text = f"∂{letter}"
        picture.text(middle, text, sub=index, italic=True, size=size, anchor="middle")
    picture.line([(x, y), (x + width, y)], stroke="text", width=1)
    return width


def side_by_side(
    pictures: Sequence[Picture], gap: float = 8.0, align: float = 0.5
) -> tuple[list[Point], float, float]:
    """Return where pictures lie in a row, and the size of the row.

    >>> side_by_side([Picture(10, 20), Picture(10, 10)])
    ([(0.0, 0.0), (18.0, 5.0)], 28.0, 20)
    """
    height = max(picture.height for picture in pictures)
    places, x = [], 0.0
    for picture in pictures:
        places.append((x, align * (height - picture.height)))
        x += picture.width + gap
    return places, x - gap, height

"""Where a sampled function crosses a level: the line of a map."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_nb.network.validation import FloatArray

IntArray = NDArray[np.integer[Any]]
Place = tuple[int, int]


def contour(values: FloatArray, level: float) -> FloatArray:
    """Return the pieces of the line on which a function has a value.

    Each square of four neighbours is cut into two triangles.  The function is
    taken to be linear in a triangle, so that it crosses the level along a straight
    line, or not at all.

    Parameters
    ----------
    values : array of shape (rows, columns)
        The function on a grid; NaN crosses nothing.
    level
        The value.

    Returns
    -------
    array of shape (pieces, 2, 2)
        For each piece its two ends, each a column and a row.

    Examples
    --------
    >>> contour(np.array([[0.0, 1.0], [0.0, 1.0]]), 0.25).tolist()
    [[[0.25, 0.0], [0.25, 0.25]], [[0.25, 1.0], [0.25, 0.25]]]
    """
    rows, columns = values.shape
    height = values.ravel() - level
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (part.ravel() for part in _corners(index))
    triangles = np.concatenate([np.stack([a, b, d], axis=1), np.stack([a, d, c], axis=1)])
    above = height[triangles] > 0
    known = np.isfinite(height[triangles]).all(axis=1)
    crossed = known & (above.any(axis=1) != above.all(axis=1))
    triangles, above = triangles[crossed], above[crossed]
    # The corner that is alone on its side of the level, and the other two.
    alone = np.argmax(above == (above.sum(axis=1, keepdims=True) == 1), axis=1)
    turn = (alone[:, None] + np.arange(3)) % 3
    corner, left, right = np.take_along_axis(triangles, turn, axis=1).T
    ends = [_crossing(height, corner, other, columns) for other in (left, right)]
    return np.stack(ends, axis=1)


def _corners(index: IntArray) -> tuple[IntArray, ...]:
    return index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]


def _crossing(height: FloatArray, start: IntArray, end: IntArray, columns: int) -> FloatArray:
    share = height[start] / (height[start] - height[end])
    ends = [np.stack([at % columns, at // columns], axis=1) for at in (start, end)]
    crossing: FloatArray = ends[0] + share[:, None] * (ends[1] - ends[0])
    return crossing


def chained(pieces: Iterable[tuple[Place, Place]]) -> list[list[Place]]:
    """Return lines made of pieces that have an end in common.

    A line ends where no piece goes on; one that comes back to its start is closed.

    Examples
    --------
    >>> chained([((0, 0), (1, 0)), ((2, 0), (1, 0)), ((5, 5), (6, 6)), ((3, 3), (3, 3))])
    [[(0, 0), (1, 0), (2, 0)], [(5, 5), (6, 6)]]
    """
    beyond: dict[Place, list[Place]] = {}
    for start, end in pieces:
        if start != end:
            beyond.setdefault(start, []).append(end)
            beyond.setdefault(end, []).append(start)
    # Open lines first, from one of their ends; what is left then are closed ones.
    ends = [place for place, others in beyond.items() if len(others) == 1]
    lines = [_walk(beyond, place) for place in [*ends, *beyond]]
    return [line for line in lines if len(line) > 1]


def _walk(beyond: dict[Place, list[Place]], place: Place) -> list[Place]:
    """Return the places along the pieces from a place, and use the pieces up."""
    line = [place]
    while beyond[place]:
        following = beyond[place].pop()
        beyond[following].remove(place)
        line.append(following)
        place = following
    return line

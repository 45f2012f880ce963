"""Small sets of points in the plane, in two classes, to watch a network learn them.

Each set is drawn at random from a seed, and lies in the square from −2 to 2,
about; so its coordinates have the size that a network's inputs should have.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from backprop_nb.errors import must_be
from backprop_nb.meant import one_of
from backprop_nb.network import validation
from backprop_nb.network.validation import FloatArray
from backprop_nb.views.state import is_whole

REACH: Final = 2.0
"""Without noise, every coordinate is between −2 and 2."""

Generator = np.random.Generator
Maker = Callable[[FloatArray, Generator], FloatArray]
"""From the classes, 0 or 1, of the points to their places without noise."""


def _blobs(y: FloatArray, random: Generator) -> FloatArray:
    """Two round clouds, which a straight line tells apart."""
    return np.where(y, 0.9, -0.9) + 0.35 * random.standard_normal((len(y), 2)).clip(-3, 3)


def _xor(y: FloatArray, random: Generator) -> FloatArray:
    """Four squares; class 1 is where the coordinates have different signs."""
    sides = random.choice([-1.0, 1.0], size=(len(y), 1))
    signs = np.hstack([sides, np.where(y, -sides, sides)])
    return signs * random.uniform(0.25, 1.8, size=(len(y), 2))


def _circles(y: FloatArray, random: Generator) -> FloatArray:
    """A disc of class 1 inside a ring of class 0."""
    radius = np.where(y, 0.9 * np.sqrt(random.random(y.shape)), random.uniform(1.4, 1.9, y.shape))
    return _polar(radius, 2 * math.pi * random.random(y.shape))


def _moons(y: FloatArray, random: Generator) -> FloatArray:
    """Two half circles that reach into one another."""
    arc = _polar(np.ones_like(y), math.pi * random.random(y.shape))
    return np.where(y, -1.25, 1.25) * (arc - [0.5, 0.25])


def _spiral(y: FloatArray, random: Generator) -> FloatArray:
    """Two arms, each of one and a half turns."""
    along = np.sqrt(random.uniform(0.02, 1, y.shape))
    return _polar(1.9 * along, 3 * math.pi * along + math.pi * y)


def _polar(radius: FloatArray, angle: FloatArray) -> FloatArray:
    return np.hstack([radius * np.cos(angle), radius * np.sin(angle)])


PLANE_DATA: Final[dict[str, Maker]] = {
    "blobs": _blobs,
    "xor": _xor,
    "circles": _circles,
    "moons": _moons,
    "spiral": _spiral,
}
"""From the easiest to the hardest."""


def plane_data(
    name: str, points: int = 200, *, noise: float = 0.1, seed: Any = 0
) -> tuple[FloatArray, FloatArray]:
    """Return points in the plane and their classes.

    Parameters
    ----------
    name
        ``"blobs"``, ``"xor"``, ``"circles"``, ``"moons"`` or ``"spiral"``.
    points
        How many, at least 2; half of them are of class 1.
    noise
        The standard deviation by which a point is moved from its place.
    seed
        Where the random numbers come from.

    Returns
    -------
    x : array of shape (points, 2)
    y : array of shape (points, 1)
        0 or 1, in an order without meaning.

    Raises ``InvalidValueError``: no such data, too few points, a noise that is negative or not
    finite.

    >>> x, y = plane_data("circles", 100, noise=0, seed=0)
    >>> x.shape, int(y.sum())
    ((100, 2), 50)
    >>> bool((np.hypot(*x.T) < 1).tolist() == (y[:, 0] == 1).tolist())
    True
    """
    one_of("data", name, PLANE_DATA)
    if not is_whole(points, 2):
        raise must_be("an integer, 2 or more", "points", points)
    if not 0 <= noise < math.inf:
        raise must_be("a finite number that is not negative", "noise", noise)
    random = validation.checked_generator(seed)
    y = random.permutation(np.arange(points) % 2).astype(float)[:, None]
    x = PLANE_DATA[name](y, random)
    return x + noise * random.standard_normal(x.shape), y

"""The data of the lessons, so that a lesson needs neither a network nor another library.

Both sets are of the UCI Machine Learning Repository, in the form in which scikit-learn has them,
number for number, and under the names that it gives them.  They are licensed under CC BY 4.0.

- Iris: R. A. Fisher (1936), https://doi.org/10.24432/C56C76.
- Digits: E. Alpaydin and C. Kaynak (1998), *Optical Recognition of Handwritten Digits*, the test
  set, https://doi.org/10.24432/C50P49.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["QUESTIONS", "Digits", "Iris", "load_digits", "load_iris"]

QUESTIONS = Path(__file__).parent / "questions"
"""Where the answers to the questions of the lessons are, a file for each lesson."""


class Iris(NamedTuple):
    """Flowers of three species of iris, 50 of each."""

    data: NDArray[np.float64]
    """A flower a row, (150, 4): its measurements in cm."""
    target: NDArray[np.int64]
    """The species, (150,): 0, 1 or 2."""
    feature_names: tuple[str, ...]
    """What the columns of `data` are."""
    target_names: tuple[str, ...]
    """What the species are called."""


class Digits(NamedTuple):
    """Digits, written by hand by thirteen people."""

    data: NDArray[np.float64]
    """A digit a row, (1797, 64): points from 0, no ink, to 16, full ink."""
    target: NDArray[np.int64]
    """Which digit it is, (1797,): 0 to 9."""
    images: NDArray[np.float64]
    """The same points as pictures, (1797, 8, 8)."""


def load_iris() -> Iris:
    """Return the measurements of 150 flowers, and their species.

    Examples
    --------
    >>> iris = load_iris()
    >>> iris.data[0].tolist(), iris.target_names[iris.target[0]]
    ([5.1, 3.5, 1.4, 0.2], 'setosa')
    """
    parts = ("sepal length", "sepal width", "petal length", "petal width")
    with np.load(Path(__file__).with_name("iris.npz")) as stored:
        return Iris(
            stored["tenths"] / 10,
            stored["target"].astype(np.int64),
            tuple(f"{part} (cm)" for part in parts),
            ("setosa", "versicolor", "virginica"),
        )


def load_digits() -> Digits:
    """Return 1797 handwritten digits, and which ones they are.

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.data.shape, digits.target[:3].tolist(), digits.images[0, 2].tolist()
    ((1797, 64), [0, 1, 2], [0.0, 3.0, 15.0, 2.0, 0.0, 11.0, 8.0, 0.0])
    """
    with np.load(Path(__file__).with_name("digits.npz")) as stored:
        data = stored["data"].astype(np.float64)
        return Digits(data, stored["target"].astype(np.int64), data.reshape(-1, 8, 8))

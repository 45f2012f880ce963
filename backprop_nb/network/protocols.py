"""What training asks of a network and of data, whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np

from backprop_nb.network.validation import FloatArray

BatchSize: TypeAlias = int | Literal["auto"] | None
"""How many rows a step takes; see :meth:`backprop_nb.Network.fit`."""

BatchStep: TypeAlias = Callable[[float], tuple[float, FloatArray, int]]
"""From the learning rate η to a batch's loss, η times its gradient as one vector, and its number
of rows, as the network is now."""


class Sample(NamedTuple):
    """A few rows of the data, to look at before training and after each epoch.

    Attributes
    ----------
    x, y : of shape (S, n_0) and (S, n_K)
    targets : all targets that are in memory, `y` among them
    """

    x: FloatArray
    y: FloatArray
    targets: FloatArray


class Data(Protocol):
    """What training needs to know of the data, wherever they are."""

    dtype: np.dtype[Any]
    """In which the network computes."""

    def check(self) -> None:
        """Raise if there is NaN or infinity in what may have been used unseen."""
        ...

    def steps(self, random: np.random.Generator) -> Iterator[BatchStep]:
        """Yield the steps of one epoch, in an order drawn from `random`."""
        ...

    def loss(self) -> float:
        """Return the network's loss over all rows."""
        ...

    def sample(self) -> Sample:
        """Return a few rows, read once."""
        ...

    def split(self, share: float, seed: Any) -> tuple[Data, Data]:
        """Return the rows to train on and the rows to hold out."""
        ...

"""A training that is watched: taken epoch by epoch, and measured after each.

:class:`WatchedTraining` uses the gradient descent of :mod:`backprop_nb.network.training`.
What it measures is all of one moment, the weights as they are then, and over
all rows: so a loss, a gradient and a picture of the output belong together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb.errors import DivergenceError, InvalidValueError
from backprop_nb.network import Network
from backprop_nb.network.history import History
from backprop_nb.network.training import ArrayData, Descent, FitOptions, data_of
from backprop_nb.network.validation import FloatArray

HELD_OUT = 0.3
"""The share of the rows from which nothing is learned."""


@dataclass(frozen=True)
class Setup:
    """What a run begins with; the same setup gives the same run.

    Attributes
    ----------
    widths, activation, loss
        The network; see :class:`backprop_nb.Network`.
    seed
        Where the initial weights, the held-out rows and the order of the rows come from.
    learning_rate, batch_size
        As for :meth:`backprop_nb.Network.fit`; a run can change them on its way.
    """

    widths: Sequence[int]
    activation: Any = "sigmoid"
    loss: Any = "squared error"
    seed: int = 0
    learning_rate: float = 0.5
    batch_size: int | None = 32

    def network(self) -> Network:
        """Return the network with its initial weights."""
        return Network(self.widths, self.seed, activation=self.activation, loss=self.loss)

    def options(self) -> FitOptions:
        """Return how to train, checked."""
        return FitOptions(self.learning_rate, 1, self.batch_size, 0.0, None, self.seed, False)


@dataclass(frozen=True)
class Measure:
    """The state of training at one moment, with the weights as they are then.

    Attributes
    ----------
    loss, accuracy
        Over the rows to train on; accuracy is the share of the outputs on the right side of ½.
    held_out, held_out_accuracy
        The same over the rows held out.
    norms : array of shape (K,)
        ‖∂L/∂θ_i‖ of each layer.
    saturation : array of shape (K,)
        The share of each layer's outputs that are saturated.
    """

    loss: float
    accuracy: float
    held_out: float
    held_out_accuracy: float
    norms: FloatArray
    saturation: FloatArray


class WatchedTraining:
    """One training of one network on data of two classes, taken epoch by epoch.

    Parameters
    ----------
    x : array_like of shape (N, n_0)
    y : array_like of shape (N, 1)
        0 or 1.
    setup
        The network, and how to train it.

    Attributes
    ----------
    net
        The network as it is now.
    data, held_out
        The rows to train on and the rows held out: each has ``x`` and ``y``.
    measures
        One :class:`Measure` for every epoch, the first one before any.

    Examples
    --------
    >>> from backprop_nb.views.playground.plane_data import plane_data
    >>> run = WatchedTraining(*plane_data("blobs", seed=0), Setup((2, 3, 1), learning_rate=2))
    >>> for _ in range(20):
    ...     run.advance()
    >>> run.epoch, run.measures[-1].held_out_accuracy
    (20, 1.0)
    """

    def __init__(self, x: ArrayLike, y: ArrayLike, setup: Setup) -> None:
        self.net = setup.network()
        rows = data_of(self.net, x, y, setup.batch_size)
        if not isinstance(rows, ArrayData):
            raise InvalidValueError(
                "These data are in chunks.", given="Dask arrays", expected="arrays in memory"
            )
        if not np.isin(rows.y, [0, 1]).all():
            raise InvalidValueError(
                "y has other values than two classes.",
                given=f"y from {rows.y.min():g} to {rows.y.max():g}",
                expected="0 or 1 for each row",
            )
        self.data, self.held_out = rows.split(HELD_OUT, setup.seed)
        self._descent = Descent(self.net, self.data, self.held_out, setup.options())
        self._descent.take_over()
        self._problem: DivergenceError | None = None
        self.measures = [self._measure()]

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.measures) - 1

    @property
    def ended(self) -> bool:
        """Whether training has lost its sense; see :class:`DivergenceError`."""
        return self._problem is not None

    @property
    def history(self) -> History:
        """What the descent itself has recorded."""
        return self._descent.history

    def change(self, learning_rate: float, batch_size: int | None) -> None:
        """Go on in other steps."""
        self._descent.options = replace(
            self._descent.options, learning_rate=learning_rate, batch_size=batch_size
        )
        self.data.size = batch_size

    def advance(self) -> None:
        """Train for one epoch.

        Raises
        ------
        DivergenceError
            Training has lost its sense.  The network has its best parameters back,
            the run has ended, and any further epoch raises the same.
        """
        if self._problem:
            raise self._problem
        try:
            self._descent.epoch()
        except DivergenceError as problem:
            self._problem = problem
            raise
        self.measures.append(self._measure())

    @np.errstate(all="ignore")
    def _measure(self) -> Measure:
        loss, gradient = self.net.loss_and_gradient(self.data.x, self.data.y)
        pairs = zip(gradient.A, gradient.b, strict=True)
        return Measure(
            loss,
            self._accuracy(self.data),
            self.held_out.loss(),
            self._accuracy(self.held_out),
            np.array([np.sqrt(np.sum(dA**2) + np.sum(db**2)) for dA, db in pairs]),
            self.net.saturation(self._descent.sample),
        )

    def _accuracy(self, rows: ArrayData) -> float:
        return float(np.mean((self.net(rows.x) > 0.5) == rows.y))

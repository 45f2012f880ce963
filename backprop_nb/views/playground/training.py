"""A training that is watched: taken epoch by epoch, and measured after each.

:class:`WatchedTraining` uses the gradient descent of :mod:`backprop_nb.network.training`.
What it measures is all of one moment, the weights as they are then, and over
all rows: so a loss, a gradient and a picture of the output belong together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
class Measure:
    """The state of training at one moment, with the weights as they are then."""

    loss: float
    accuracy: float
    """Over the rows to train on; accuracy is the share of the outputs on the right side of ½."""
    held_out: float
    held_out_accuracy: float
    """The same over the rows held out."""
    norms: FloatArray
    """‖∂L/∂θ_i‖ of each layer, of shape (K,)."""
    saturation: FloatArray
    """The share of each layer's outputs that are saturated, of shape (K,)."""


class WatchedTraining:
    """One training of one network on data of two classes, taken epoch by epoch.

    Parameters
    ----------
    net
        It is trained in place.
    x : array_like of shape (N, n_0)
    y : array_like of shape (N, 1)
        0 or 1.
    learning_rate, batch_size, seed
        As for :meth:`backprop_nb.Network.fit`; the seed also draws the rows held out.

    Attributes
    ----------
    data, held_out
        The rows to train on and the rows held out: each has ``x`` and ``y``.
    measures
        One :class:`Measure` for every epoch, the first one before any.

    >>> from backprop_nb.views.playground.plane_data import plane_data
    >>> net = Network((2, 3, 1), seed=0)
    >>> run = WatchedTraining(net, *plane_data("blobs", seed=0), learning_rate=2)
    >>> for _ in range(20):
    ...     run.advance()
    >>> run.epoch, run.measures[-1].held_out_accuracy
    (20, 1.0)
    """

    def __init__(
        self,
        net: Network,
        x: ArrayLike,
        y: ArrayLike,
        *,
        learning_rate: float = 0.5,
        batch_size: int | None = 32,
        seed: int = 0,
    ) -> None:
        self.net = net
        rows = data_of(net, x, y, batch_size)
        if not isinstance(rows, ArrayData):
            raise InvalidValueError("`x` and `y` must be arrays in memory.", given="Dask arrays")
        if not np.isin(rows.y, [0, 1]).all():
            raise InvalidValueError(
                "`y` must be 0 or 1 in each row.",
                given=f"y from {rows.y.min():g} to {rows.y.max():g}",
            )
        self.data, self.held_out = rows.split(HELD_OUT, seed)
        options = FitOptions(learning_rate, 1, batch_size, 0.0, None, seed, False)
        self._descent = Descent(net, self.data, self.held_out, options)
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

        Raises ``DivergenceError``: training has lost its sense.  The network has its best
        parameters back, the run has ended, and any further epoch raises the same.
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
            self.net.saturation(self._descent.sample.x),
        )

    def _accuracy(self, rows: ArrayData) -> float:
        return float(np.mean((self.net(rows.x) > 0.5) == rows.y))

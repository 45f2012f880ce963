"""What training records: a line per epoch, as numbers, as text and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from backprop_nb import display
from backprop_nb.meant import Suggesting
from backprop_nb.network.tables import text_table
from backprop_nb.network.validation import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLE = 256
"""So many rows tell how saturated each layer is."""

_ROWS = 12
"""So many epochs at most are listed in the text."""


class History(Suggesting):
    """One number, or one per layer, for every epoch that was trained.

    A history left as a cell's last line draws itself.

    Attributes
    ----------
    loss : array of shape (epochs,)
        The mean loss over the epoch's rows, each as it was met.
    validation_loss : array of shape (epochs,), or None
        The loss on the rows held out, at the end of the epoch.
    gradient_norms : array of shape (epochs, K)
        ‖∂L/∂θ_i‖ for each layer, the mean over the epoch's rows; from the thousandth step of an
        epoch on over some of them, evenly spaced.
    saturation : array of shape (epochs, K)
        The share of each layer's outputs where σ′ is below a fifth of its
        maximum, at the end of the epoch, over at most 256 rows.
    epochs : int
    stopped : str
        Why training ended.
    seconds : float

    Examples
    --------
    >>> from backprop_nb import SigmoidNetwork
    >>> net = SigmoidNetwork((2, 3, 1), seed=0)
    >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [0], [0], [1]]
    >>> history = net.fit(x, y, learning_rate=2, epochs=50, progress=False)
    >>> history.loss.shape, history.gradient_norms.shape
    ((50,), (50, 2))
    >>> bool(history.loss[-1] < history.loss[0])
    True
    """

    def __init__(self, widths: Sequence[int], learning_rate: float) -> None:
        self.widths = tuple(widths)
        self.learning_rate = learning_rate
        self.stopped = "all epochs done"
        self.seconds = 0.0
        self._loss: list[float] = []
        self._validation_loss: list[float] = []
        self._gradient_norms: list[FloatArray] = []
        self._saturation: list[FloatArray] = []
        self._best = 0

    def add(
        self,
        loss: float,
        gradient_norms: FloatArray,
        saturation: FloatArray,
        validation_loss: float | None = None,
    ) -> None:
        """Record one epoch."""
        self._loss.append(loss)
        self._gradient_norms.append(gradient_norms)
        self._saturation.append(saturation)
        if validation_loss is not None:
            self._validation_loss.append(validation_loss)
        # Found epoch by epoch: a long training must not get slower and slower.
        if self._watched[-1] < self._watched[self._best]:
            self._best = self.epochs - 1

    @property
    def epochs(self) -> int:
        """The number of epochs that were finished."""
        return len(self._loss)

    @property
    def loss(self) -> FloatArray:
        """The mean loss of each epoch."""
        return np.array(self._loss)

    @property
    def validation_loss(self) -> FloatArray | None:
        """The loss on the rows held out, after each epoch."""
        return np.array(self._validation_loss) if self._validation_loss else None

    @property
    def gradient_norms(self) -> FloatArray:
        """‖∂L/∂θ_i‖ of each epoch and layer."""
        return np.array(self._gradient_norms).reshape(-1, len(self.widths) - 1)

    @property
    def saturation(self) -> FloatArray:
        """The saturated share of each layer, after each epoch."""
        return np.array(self._saturation).reshape(-1, len(self.widths) - 1)

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the lowest loss: on the rows held out, if there are."""
        return self._best + 1

    @property
    def _watched(self) -> list[float]:
        return self._validation_loss or self._loss

    def is_best(self) -> bool:
        """Return whether no epoch was better than the last."""
        return self.best_epoch == self.epochs

    def epochs_since_best(self) -> int:
        """Return how long the loss has not been better."""
        return self.epochs - self.best_epoch

    def latest(self) -> dict[str, str]:
        """Return the last epoch's losses as short texts, for a progress bar."""
        losses = {"loss": self._loss, "validation": self._validation_loss}
        return {name: f"{values[-1]:.4g}" for name, values in losses.items() if values}

    def __repr__(self) -> str:
        if not self.epochs:
            return f"History(epochs=0, {self.stopped})"
        change = f"loss {self._loss[0]:.3g} → {self._loss[-1]:.3g}"
        return f"History(epochs={self.epochs}, {change}, {self.stopped})"

    @display.words
    def describe(self) -> str:
        """Return the record as text: the twin of the picture.

        Examples
        --------
        >>> history = History((2, 3, 1), learning_rate=0.5)
        >>> history.add(0.5, np.array([0.01, 0.2]), np.array([0.0, 0.25]), 0.6)
        >>> print(history.describe())
        epoch      loss  validation  ‖∂L/∂θ_0‖  ‖∂L/∂θ_1‖  saturated 1  saturated 2
            1       0.5         0.6       0.01        0.2          0 %         25 %
        all epochs done, lowest loss after epoch 1.
        """
        if not self.epochs:
            return f"No epoch was finished: {self.stopped}."
        layers = range(len(self.widths) - 1)
        heads = ["epoch", "loss".rjust(8)]
        heads += ["validation"] if self._validation_loss else []
        heads += [f"‖∂L/∂θ_{i}‖" for i in layers] + [f"saturated {i + 1}" for i in layers]
        rows = [heads]
        for epoch in self._listed():
            cells = [str(epoch + 1), f"{self._loss[epoch]:.3g}"]
            cells += [f"{self._validation_loss[epoch]:.3g}"] if self._validation_loss else []
            cells += [f"{norm:.3g}" for norm in self._gradient_norms[epoch]]
            cells += [f"{share:.0%}".replace("%", " %") for share in self._saturation[epoch]]
            rows.append(cells)
        table = text_table(rows, ">" * len(heads))
        when = "after" if self._validation_loss else "in"
        return f"{table}\n{self.stopped}, lowest loss {when} epoch {self.best_epoch}."

    def _listed(self) -> list[int]:
        """Return the epochs to list: evenly spaced, the first and the last among them."""
        return sorted({int(e) for e in np.linspace(0, self.epochs - 1, _ROWS).round()})

    def draw(self, *, theme: Literal["light", "dark"] = "light") -> Figure:
        """Return the record as a matplotlib figure: loss, gradient norms, saturation.

        Parameters
        ----------
        theme : "light" or "dark"

        Returns
        -------
        Figure
            A matplotlib figure with an ``alt`` text.
        """
        figure: Figure = display.draw(self, theme=theme)
        return figure

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        if not self.epochs:
            return {"text/plain": repr(self)}, {}
        data, metadata = display.draw(self)._repr_mimebundle_(**kwargs)
        return data | {"text/plain": self.describe()}, metadata

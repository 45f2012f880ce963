"""What training asks of a network: its parameters, its choices, and data that fit both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop_nb.meant import Suggesting
from backprop_nb.network import validation
from backprop_nb.network.activations import OUTPUTS, Activation, ActivationName, OutputName
from backprop_nb.network.fast import FastPass
from backprop_nb.network.general import GeneralPasses
from backprop_nb.network.losses import LossName
from backprop_nb.network.passes import Forward
from backprop_nb.network.validation import FloatArray, Watch
from backprop_nb.tracing.rules.row import SATURATED


class Parameters(Suggesting):
    """The parameters of a network, how they are computed with, and what fits them."""

    A: list[FloatArray]
    b: list[FloatArray]
    widths: tuple[int, ...]
    takes_dtype: bool = False
    """Whether the parameters become float32 with the first data to learn from, if they are."""
    compute: FastPass
    """From checked A, b, x and y to the loss and its gradient, as training asks for them."""
    _passes: GeneralPasses

    @property
    def K(self) -> int:
        """The number of layers."""
        return len(self.widths) - 1

    @property
    def activation(self) -> ActivationName:
        """What the hidden layers apply."""
        return self._passes.activation

    @property
    def output(self) -> OutputName:
        """What the last layer applies."""
        return self._passes.output

    @property
    def loss_name(self) -> LossName:
        """The loss; ``loss`` is the method that computes it."""
        return self._passes.loss_name

    @property
    def bias(self) -> bool:
        """Whether there are any b_i."""
        return self._passes.bias

    @property
    def activations(self) -> list[Activation]:
        """What each of the K layers applies, as a row of its table."""
        return self._passes.layers(self.K)

    def forward(self, x: ArrayLike) -> Forward:
        """Return every value on the way: f_i = σ(z_i), z_i = A_{i−1} f_{i−1} + b_{i−1}.

        Parameters
        ----------
        x : array_like of shape (n_0,) or (N, n_0)

        Examples
        --------
        >>> from backprop_nb import Network
        >>> net = Network((4, 3, 1), seed=0)
        >>> forward = net.forward(np.ones((10, 4)))
        >>> [f_i.shape for f_i in forward.f]
        [(10, 4), (10, 3), (10, 1)]
        >>> bool(np.allclose(forward.f[2], 1 / (1 + np.exp(-forward.z[2]))))
        True
        """
        A, b = self.parameters()
        x = validation.checked_input(x, A)
        return self._passes.forward(A, b, x.copy())  # f[0] must not follow a later change of x

    def saturation(self, x: ArrayLike) -> FloatArray:
        """Return the share of each layer's outputs that are saturated, of shape (K,).

        Saturated means that the slope is less than a fifth of the largest that the
        activation has, for σ ¼: there the gradient hardly passes.

        Parameters
        ----------
        x : array_like of shape (n_0,) or (N, n_0)

        Examples
        --------
        >>> from backprop_nb import Network
        >>> net = Network.from_parameters(A=[[[1], [10]]], b=[[0, 0]])
        >>> net.saturation([1])
        array([0.5])
        """
        A, b = self.parameters()
        return self.saturated(A, b, validation.checked_input(x, A))

    def saturated(
        self, A: Sequence[FloatArray], b: Sequence[FloatArray], x: FloatArray
    ) -> FloatArray:
        """Return the same of arrays that fit."""
        layers = zip(self.activations, self._passes.forward(A, b, x).f[1:], strict=True)
        flat = [a.slope(f) < SATURATED * a.steepest for a, f in layers]
        return np.array([np.count_nonzero(each) / each.size for each in flat])

    def parameters(self) -> tuple[list[FloatArray], list[FloatArray]]:
        """Return ``A`` and ``b``, of one dtype, once they fit the widths."""
        return validation.used_parameters(self.A, self.b, self.widths, self.bias)

    def checked(
        self,
        x: ArrayLike,
        y: ArrayLike,
        names: tuple[str, str] = ("x", "y"),
        watch: Watch | None = None,
    ) -> tuple[list[FloatArray], list[FloatArray], FloatArray, FloatArray]:
        """Return A, b, x and y as arrays of one dtype that fit together.

        ``names`` are what a message calls x and y; ``watch`` says what to do about
        NaN and infinity, by default to warn.
        """
        A, b, x, y = self.stored(x, y, names, watch)
        return A, b, validation.converted(x, A[0].dtype), validation.converted(y, A[0].dtype)

    def stored(
        self,
        x: ArrayLike,
        y: ArrayLike,
        names: tuple[str, str] = ("x", "y"),
        watch: Watch | None = None,
    ) -> tuple[list[FloatArray], list[FloatArray], FloatArray, FloatArray]:
        """Return the same, but x and y in the dtypes that they have."""
        A, b = self.parameters()
        x = validation.stored_input(x, A, names[0], watch)
        y = validation.stored_target(y, x, A, names, watch)
        self.check_probable(y, names[1])
        return A, b, x, y

    def check_probable(self, y: FloatArray, name: str = "y") -> None:
        """Raise unless `y` can be judged by the cross-entropy, if that is the loss."""
        if self.loss_name == "cross-entropy":
            validation.check_probabilities(y, name, OUTPUTS[self.output].adds_up)

    def checked_data(
        self, x: ArrayLike, y: ArrayLike, names: tuple[str, str], dtype: DTypeLike | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return x and y as they are, once they can be learned from, if x is finite."""
        A, _ = self.parameters()
        x, y = validation.checked_data(x, y, A, names, dtype or self.dtype_for(x))
        self.check_probable(y, names[1])
        return x, y

    def dtype_for(self, x: Any) -> np.dtype[Any]:
        """Return the dtype in which it is trained on `x`: its own, or float32 as `x` is."""
        (first, *_), _ = self.parameters()
        dtype: Any = getattr(x, "dtype", None)
        narrow = getattr(dtype, "kind", "") == "f" and dtype.itemsize <= 4  # in any order of bytes
        return np.dtype(np.float32) if self.takes_dtype and narrow else first.dtype

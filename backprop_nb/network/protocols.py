"""What training asks of a network and of data, whatever they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb.network.activations import Activation, ActivationName, OutputName
from backprop_nb.network.fast import PassResult
from backprop_nb.network.losses import LossName
from backprop_nb.network.validation import FloatArray, Watch

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


class Trainable(Protocol):
    """A network whose parameters can be read, assigned and learned."""

    A: list[FloatArray]
    b: list[FloatArray]
    widths: tuple[int, ...]
    takes_dtype: bool
    """Whether its parameters become float32 if the data are."""

    @property
    def compute(self) -> Callable[..., PassResult]:
        """From checked A, b, x, y and N to sums over the rows, divided by `N`, into arrays."""
        ...

    @property
    def activation(self) -> ActivationName:
        """What the hidden layers apply."""
        ...

    @property
    def output(self) -> OutputName:
        """What the last layer applies."""
        ...

    @property
    def loss_name(self) -> LossName:
        """What it minimises."""
        ...

    @property
    def bias(self) -> bool:
        """Whether there are any b_i."""
        ...

    @property
    def activations(self) -> list[Activation]:
        """What each layer applies, as a row of its table."""
        ...

    def parameters(self) -> tuple[list[FloatArray], list[FloatArray]]:
        """Return `A` and `b`, of one dtype, once they fit the widths."""
        ...

    def checked(
        self,
        x: ArrayLike,
        y: ArrayLike,
        names: tuple[str, str] = ("x", "y"),
        watch: Watch | None = None,
    ) -> tuple[list[FloatArray], list[FloatArray], FloatArray, FloatArray]:
        """Return A, b, x and y as arrays of one dtype that fit together."""
        ...

    def dtype_for(self, x: Any) -> np.dtype[Any]:
        """Return the dtype in which it is trained on `x`."""
        ...

    def checked_data(
        self, x: ArrayLike, y: ArrayLike, names: tuple[str, str]
    ) -> tuple[FloatArray, FloatArray]:
        """Return x and y as they are, once they can be learned from."""
        ...

    def saturation(self, x: ArrayLike) -> FloatArray:
        """Return the share of each layer's outputs that are saturated."""
        ...


class Data(Protocol):
    """What training needs to know of the data, wherever they are."""

    dtype: np.dtype[Any]
    """In which the network computes."""

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

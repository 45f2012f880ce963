"""The passes of any network: what ``passes.py`` is for the document, with more to choose from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backprop_nb.network.activations import (
    ACTIVATIONS,
    OUTPUTS,
    Activation,
    ActivationName,
    OutputName,
)
from backprop_nb.network.losses import LOSSES, LossName
from backprop_nb.network.passes import (
    Forward,
    Gradient,
    PerLayer,
    backward_pass,
    forward_pass,
    squared_error,
    sum_of_outer,
    sum_of_rows,
)
from backprop_nb.network.validation import FloatArray, converted

IN_CACHE = 2**16
"""So many activations, in units times rows, still lie close to the processor, in its cache."""

_FULL_ROWS = 1024
"""A block of a wide network has so many rows, or its products would be slow ..."""

_MAX_ACTIVATIONS = 2**22
"""... unless that is more than so many activations."""


def most_rows(units: int) -> int:
    """Return how many rows a pass through so many units takes at once.

    >>> most_rows(40), most_rows(3000)
    (1638, 1024)
    """
    return max(IN_CACHE // units, min(_FULL_ROWS, _MAX_ACTIVATIONS // units), 1)


@dataclass(frozen=True, eq=False, repr=False)
class GeneralPasses:
    """The passes for an activation, an output, a loss, with a bias or without.

    Examples
    --------
    >>> passes = GeneralPasses("relu", "identity", "squared error", bias=False)
    >>> A, x, y = [np.array([[2.0]]), np.array([[3.0]])], np.array([1.0]), np.array([5.0])
    >>> forward = passes.forward(A, [], x)
    >>> forward.f[2], passes.loss(forward, y), passes.backward(A, forward, y).A[0]
    (array([6.]), 1.0, array([[6.]]))
    """

    activation: ActivationName
    output: OutputName
    loss_name: LossName
    bias: bool

    def layers(self, K: int) -> list[Activation]:
        """Return what each of K layers applies."""
        return [ACTIVATIONS[self.activation]] * (K - 1) + [OUTPUTS[self.output]]

    def forward(self, A: Sequence[FloatArray], b: Sequence[FloatArray], x: FloatArray) -> Forward:
        """Return every f_i and z_i."""
        f, z = [x], PerLayer()
        for i, activation in enumerate(self.layers(len(A)), start=1):
            z[i] = f[i - 1] @ A[i - 1].T
            if self.bias:
                z[i] = z[i] + b[i - 1]
            f.append(activation.of(z[i]))
        return Forward(tuple(f), z)

    def outputs(
        self, A: Sequence[FloatArray], b: Sequence[FloatArray], x: FloatArray
    ) -> FloatArray:
        """Return f_K alone, of many rows a block at a time."""
        parts = [self.forward(A, b, *block).f[-1] for block in _blocks(A, x)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def mean_loss(
        self, A: Sequence[FloatArray], b: Sequence[FloatArray], x: FloatArray, y: FloatArray
    ) -> float:
        """Return the loss of x and y, of many rows a block at a time."""
        losses = [(self.loss(self.forward(A, b, x), y), len(y)) for x, y in _blocks(A, x, y)]
        return losses[0][0] if len(losses) == 1 else sum(n * loss for loss, n in losses) / len(y)

    def loss(self, forward: Forward, y: FloatArray) -> float:
        """Return the loss, of a batch the mean over its rows."""
        z_K = forward.z[len(forward.z)]
        return float(np.mean(LOSSES[self.loss_name].rows(z_K, y, OUTPUTS[self.output])))

    def backward(self, A: Sequence[FloatArray], forward: Forward, y: FloatArray) -> Gradient:
        """Return ∂L/∂θ_i for every i."""
        f, K = forward.f, len(A)
        N = len(y) if y.ndim == 2 else 1
        delta = PerLayer({K: LOSSES[self.loss_name].delta(f[K], y, OUTPUTS[self.output]) / N})
        hidden = ACTIVATIONS[self.activation]
        for i in reversed(range(1, K)):
            delta[i] = hidden.backward(delta[i + 1] @ A[i], f[i])
        dA = [sum_of_outer(delta[i + 1], f[i]) for i in range(K)]
        db = [sum_of_rows(delta[i + 1]) for i in range(K)] if self.bias else []
        return Gradient(tuple(dA), tuple(db), PerLayer(sorted(delta.items())))


def _blocks(A: Sequence[FloatArray], *data: FloatArray) -> Iterator[tuple[FloatArray, ...]]:
    """Yield the rows of data that go through the layers together, in the dtype of these."""
    most, dtype, first = most_rows(sum(map(len, A))), A[0].dtype, data[0]
    if first.ndim == 1 or len(first) <= most:
        yield tuple(converted(each, dtype) for each in data)
        return
    for start in range(0, len(first), most):
        yield tuple(converted(each[start : start + most], dtype) for each in data)


DOCUMENT: tuple[ActivationName, OutputName, LossName, bool] = (
    "sigmoid",
    "sigmoid",
    "squared error",
    True,
)
"""The document's activation, output, loss, and whether it has a bias."""


class DocumentPasses(GeneralPasses):
    """The document's own choices, for which its transcript is there to be called."""

    def forward(self, A: Sequence[FloatArray], b: Sequence[FloatArray], x: FloatArray) -> Forward:
        """Return every f_i and z_i."""
        return forward_pass(A, b, x)

    def loss(self, forward: Forward, y: FloatArray) -> float:
        """Return the loss, of a batch the mean over its rows."""
        return squared_error(y, forward.f[-1])

    def backward(self, A: Sequence[FloatArray], forward: Forward, y: FloatArray) -> Gradient:
        """Return ∂L/∂θ_i for every i."""
        return backward_pass(A, forward.f, y)

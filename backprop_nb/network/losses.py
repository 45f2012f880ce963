"""How far an output is from its target, and what that makes of ∂L/∂z_K: a row for each loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from backprop_nb.network.activations import OUTPUTS, Activation, CrossEntropy
from backprop_nb.network.validation import FloatArray

LossName: TypeAlias = Literal["squared error", "cross-entropy"]


@dataclass(frozen=True, eq=False, repr=False)
class Loss:
    """A loss of each row; that of a batch is the mean.

    Attributes
    ----------
    rows : from z_K, the target y and the output's activation to the loss of each row
    latex : from the name of the output and its activation to a formula
    delta : from f_K, y and the output's activation to ∂L/∂z_K
    outputs : the names of the outputs that it can judge
    """

    rows: Callable[[Any, Any, Activation], Any]
    latex: Callable[[str, Activation], str]
    delta: Callable[[FloatArray, FloatArray, Activation], FloatArray]
    outputs: tuple[str, ...]


def _squared_error(z: Any, y: Any, output: Activation) -> Any:
    f = output.of(z)
    return np.sum((y - f) ** 2, axis=-1)


def _delta_of_squared_error(f: FloatArray, y: FloatArray, output: Activation) -> FloatArray:
    return output.backward(2 * (f - y), f)


def _cross_entropy(z: Any, y: Any, output: Activation) -> Any:
    return _of(output).rows(z, y)


def _delta_of_cross_entropy(f: FloatArray, y: FloatArray, output: Activation) -> FloatArray:
    return f - y  # the slope cancels: that is why it learns faster


def _of(output: Activation) -> CrossEntropy:
    assert output.cross_entropy is not None, "a network refuses such an output"
    return output.cross_entropy


LOSSES: dict[str, Loss] = {
    "squared error": Loss(
        _squared_error,
        lambda f, output: rf"\Vert y - {f} \Vert^2",
        _delta_of_squared_error,
        tuple(OUTPUTS),
    ),
    "cross-entropy": Loss(
        _cross_entropy,
        lambda f, output: _of(output).latex.format(f=f),
        _delta_of_cross_entropy,
        tuple(name for name, output in OUTPUTS.items() if output.cross_entropy),
    ),
}

"""What a unit makes of its pre-activation z, and of a gradient that comes back: a row each.

A row computes with NumPy functions alone, so it works on plain and on traced
arrays; where the two should differ, :meth:`Activation.for_tracer` knows the other form.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from backprop_nb.network.passes import sigma, sigma_slope
from backprop_nb.network.validation import FloatArray

ActivationName: TypeAlias = Literal["sigmoid", "tanh", "relu", "leaky relu", "identity"]
OutputName: TypeAlias = ActivationName | Literal["softmax"]

LEAK = 0.01
"""The slope of the leaky ReLU below 0."""


class CrossEntropy(NamedTuple):
    """How surprising the target is, if the output is taken for its probability."""

    rows: Callable[[Any, Any], Any]
    """From z and y to one number for each row; an f that rounds to 0 has no logarithm."""
    latex: str
    """The sum of the terms, with f for the output."""


@dataclass(frozen=True, eq=False, repr=False)
class Activation:
    """What a layer does with its pre-activations.

    Attributes
    ----------
    sign : its name in a formula, as text
    symbol : the same as LaTeX; empty for the identity
    of : from z to f
    slope : from f to the derivative ∂f/∂z, entry by entry
    steepest : the largest slope there is
    reach : the bounds of f, which it may only come near to
    cross_entropy : that of an output which is a probability; None if it is none
    adds_up : whether the entries of f are the probabilities of one distribution
    """

    sign: str
    symbol: str
    of: Callable[[Any], Any]
    slope: Callable[[FloatArray], FloatArray]
    steepest: float
    reach: tuple[float, float] = (-math.inf, math.inf)
    cross_entropy: CrossEntropy | None = None
    adds_up: bool = False

    def backward(self, g: FloatArray, f: FloatArray) -> FloatArray:
        """Return ∂L/∂z from g = ∂L/∂f.

        >>> ACTIVATIONS["tanh"].backward(np.array([2.0, 2.0]), np.array([0.0, 0.5]))
        array([2. , 1.5])
        """
        if self.adds_up:  # ∂f/∂z = diag(f) − f fᵀ
            through: FloatArray = f * (g - np.sum(g * f, axis=-1, keepdims=True))
            return through
        return g * self.slope(f)

    def for_tracer(self) -> Activation:
        """Return the same activation, in the form that is traced."""
        if self.of is not sigma:
            return self
        from backprop_nb.tracing.rules import sigmoid  # all rules, which nobody else here needs

        return replace(self, of=sigmoid)


def softmax(z: Any) -> Any:
    """Return e^z, divided in each row by its sum.

    >>> softmax(np.array([0.0, 0.0])), softmax(np.array([1000.0, 0.0]))
    (array([0.5, 0.5]), array([1., 0.]))
    """
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def relu(z: Any) -> Any:
    """Return max(z, 0)."""
    return np.where(z <= 0, 0, z)


def leaky_relu(z: Any) -> Any:
    """Return z where it is positive, and a hundredth of it elsewhere."""
    return np.where(z <= 0, LEAK * z, z)


def _of_sigmoid(z: Any, y: Any) -> Any:
    # −ln σ(z) = ln(1 + e^z) − z and −ln(1 − σ(z)) = ln(1 + e^z).
    return np.sum(np.logaddexp(0, z) - y * z, axis=-1)


def _of_softmax(z: Any, y: Any) -> Any:
    # −Σ y ln f = ln Σ e^z − Σ y z, since y adds up to 1; the largest z cancels.
    z = z - np.max(z, axis=-1, keepdims=True)
    return np.log(np.sum(np.exp(z), axis=-1)) - np.sum(y * z, axis=-1)


# At the kink, z = 0, the slope is that of the left side.
ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(
        "σ",
        r"\sigma",
        sigma,
        sigma_slope,
        0.25,
        (0, 1),
        CrossEntropy(_of_sigmoid, r"- \sum_j y_j \ln {f} + (1 - y_j) \ln (1 - {f})"),
    ),
    "tanh": Activation("tanh", r"\tanh", np.tanh, lambda f: 1 - f**2, 1.0, (-1, 1)),
    "relu": Activation(
        "relu",
        r"\mathrm{relu}",
        relu,
        lambda f: (f > 0).astype(f.dtype),
        1.0,
        (0, math.inf),
    ),
    "leaky relu": Activation(
        "lrelu",
        r"\mathrm{lrelu}",
        leaky_relu,
        lambda f: np.where(f > 0, 1, LEAK).astype(f.dtype),
        1.0,
    ),
    "identity": Activation("id", "", lambda z: z, np.ones_like, 1.0),
}
"""What any layer can apply."""

OUTPUTS: dict[str, Activation] = ACTIVATIONS | {
    # The slope is the diagonal of ∂f/∂z: what a unit's own z does to its f.
    "softmax": Activation(
        "softmax",
        r"\mathrm{softmax}",
        softmax,
        sigma_slope,
        0.25,
        (0, 1),
        cross_entropy=CrossEntropy(_of_softmax, r"- \sum_j y_j \ln {f}"),
        adds_up=True,
    )
}
"""What the last layer can apply."""

"""How large the gradient is in each layer, and what makes it shrink or grow on its way back.

From one layer to the one before, the backward pass multiplies twice:

    δ_i = A_iᵀ δ_{i+1} ⊙ σ′(z_i).

So ‖δ_i‖ is ‖δ_{i+1}‖ times two factors, ‖A_iᵀ δ_{i+1}‖ / ‖δ_{i+1}‖ and
‖δ_i‖ / ‖A_iᵀ δ_{i+1}‖, and that is an identity, not an estimate.  The first is
at most the spectral norm ‖A_i‖₂, the second at most max σ′(z_i), which for the
sigmoid is at most ¼.  What the second lacks to the steepest slope that there is
goes to the account of saturation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from backprop_nb.network import Network
from backprop_nb.network.validation import FloatArray
from backprop_nb.views.overflow import quietly, too_large


@dataclass(frozen=True)
class StepBack:
    """From ‖δ_{i+1}‖ to ‖δ_i‖ in two factors; for the last layer from ‖∂L/∂f_K‖ in one."""

    layer: int
    """The i of the δ_i at which it arrives."""
    before: float
    """‖δ_{i+1}‖, for the last layer ‖∂L/∂f_K‖."""
    between: float
    """‖A_iᵀ δ_{i+1}‖, for the last layer the same as ``before``."""
    after: float
    spectral: float
    """‖A_i‖₂, the most that ``times_A`` can be; NaN for the last layer."""
    largest: float
    """max σ′(z_i), the most that ``times_slope`` can be."""
    steepest: float
    """The largest slope that the activation has anywhere, ¼ for the sigmoid."""

    @property
    def times_A(self) -> float:
        """What A_iᵀ multiplies the norm with; NaN if nothing arrives."""
        return _ratio(self.between, self.before)

    @property
    def times_slope(self) -> float:
        """What σ′(z_i) multiplies the norm with: ``steepest`` times ``times_saturation``."""
        return _ratio(self.after, self.between)

    @property
    def times_saturation(self) -> float:
        """What the slopes lack to the steepest one, at most 1."""
        return self.times_slope / self.steepest


class Flow:
    """A network, x and y, and the two passes through it: what all is made from that a view shows.

    The replay has a step for each thing that becomes known: f_i at step i, then the
    loss, then δ_K, …, δ_1, each with the gradient of the parameters before it.

    Parameters
    ----------
    net : Network
    x, y : arrays, one input or a batch
    row : which input of a batch the units show

    Attributes
    ----------
    slopes : dict
        ``slopes[i]`` is σ′(z_i).
    norms : dict
        ``norms[i]`` is ‖δ_i‖; in a batch that of the matrix with one row per input.
    theta_norms : list
        ``theta_norms[i]`` is ‖∂L/∂θ_i‖, over A_i and b_i together.
    too_large : str
        What is said of numbers that are not finite; empty if all are.
    steps : list of StepBack
        From the last layer back to the first.  It begins one layer later where
        δ_K has no factor σ′: with the cross-entropy, and behind a softmax.

    >>> flow = Flow(Network((3, 4, 4, 1), seed=0), [1, 2, 3], [1])
    >>> for step in flow.steps:
    ...     print(f"δ_{step.layer}: × {step.times_A:.3f} × {step.times_slope:.3f}")
    δ_3: × 1.000 × 0.240
    δ_2: × 0.727 × 0.237
    δ_1: × 0.910 × 0.237
    >>> flow.loss_step, [flow.step_back_to(i) for i in (3, 2, 1)], flow.last_step
    (4, [5, 6, 7], 7)
    """

    def __init__(self, net: Network, x: Any, y: Any, row: int = 0) -> None:
        self.net, self.x, self.y, self.row = net, x, y, row
        self.K, self.rows = net.K, 1 if np.ndim(x) == 1 else len(x)
        with quietly():
            self.forward, self.gradient = net.forward(x), net.backward(x, y)
            self.loss = net.loss(x, y)
            self._measure()
        self.too_large = too_large(net, self.forward, self.loss, self.gradient)

    def _measure(self) -> None:
        net = self.net
        self.slopes = {
            i: activation.slope(self.forward.f[i])
            for i, activation in enumerate(net.activations, start=1)
        }
        self.norms = {i: norm(delta) for i, delta in self.gradient.delta.items()}
        biases = self.gradient.b or [np.zeros(1)] * self.K
        pairs = zip(self.gradient.A, biases, strict=True)
        self.theta_norms = [math.hypot(norm(a), norm(c)) for a, c in pairs]
        self.steps = list(self._steps())

    def _steps(self) -> Iterator[StepBack]:
        net, f_K, slopes = self.net, self.forward.f[self.K], self.slopes
        steepest = [activation.steepest for activation in net.activations]
        if has_slope_at_output(net):
            start = norm(2 / self.rows * (f_K - np.asarray(self.y)))  # ∂L/∂f_K
            largest = float(slopes[self.K].max())
            after = self.norms[self.K]
            yield StepBack(self.K, start, start, after, math.nan, largest, steepest[-1])
        for i in range(self.K - 1, 0, -1):
            yield StepBack(
                layer=i,
                before=self.norms[i + 1],
                between=norm(self.gradient.delta[i + 1] @ net.A[i]),
                after=self.norms[i],
                spectral=spectral_norm(net.A[i]),
                largest=float(slopes[i].max()),
                steepest=steepest[i - 1],
            )

    @property
    def through_layers(self) -> list[StepBack]:
        """The steps that lead from δ_K to δ_1, each through an A and a σ′."""
        return [step for step in self.steps if step.layer < self.K]

    @property
    def about(self) -> str:
        """The network and its data, in a few words."""
        net = self.net
        more = f", {net.output} at the output" if net.output != "sigmoid" else ""
        more += ", cross-entropy" if net.loss_name == "cross-entropy" else ""
        more += "" if net.bias else ", no bias"
        inputs = "one input" if self.rows == 1 else f"{self.rows} inputs"
        return f"{'-'.join(map(str, net.widths))}, {net.activation}{more}, {inputs}"

    @cached_property
    def units(self) -> dict[int, list[tuple[float, float, float, float]]]:
        """By layer, z, f, σ′(z) and δ of each unit, in the row that is shown."""
        z, f, delta = self.forward.z, self.forward.f, self.gradient.delta
        of_layer = {i: (z[i], f[i], self.slopes[i], delta[i]) for i in range(1, self.K + 1)}
        return {
            i: list(zip(*(self.shown(each).tolist() for each in arrays), strict=True))
            for i, arrays in of_layer.items()
        }

    def shown(self, array: Any) -> FloatArray:
        """Return the row of an array of the passes that the units show."""
        row: FloatArray = np.atleast_2d(array)[self.row]
        return row

    @property
    def loss_step(self) -> int:
        """The step of the replay at which the loss is known."""
        return self.K + 1

    def step_back_to(self, i: int) -> int:
        """Return the step of the replay at which δ_i and ∂L/∂θ_{i−1} are known."""
        return 2 * self.K + 2 - i

    @property
    def last_step(self) -> int:
        """The step of the replay at which all is known."""
        return self.step_back_to(1)


def has_slope_at_output(net: Network) -> bool:
    """Return whether δ_K is ∂L/∂f_K times the slope, entry by entry."""
    return net.loss_name == "squared error" and not net.activations[-1].adds_up


def norm(array: FloatArray) -> float:
    """Return the Euclidean norm of all entries, also of those too small to be squared.

    >>> norm(np.array([3e-200, 4e-200]))
    5e-200
    """
    largest = float(np.abs(array).max())
    if largest == 0 or not math.isfinite(largest):
        return largest
    return largest * float(np.linalg.norm(np.ravel(array / largest)))


def spectral_norm(A: FloatArray) -> float:
    """Return ‖A‖₂, the most that A can stretch a vector; NaN unless A is finite."""
    return float(np.linalg.norm(A, 2)) if np.isfinite(A).all() else math.nan


def _ratio(after: float, before: float) -> float:
    return after / before if before else math.nan

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
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb.errors import NotFoundError
from backprop_nb.network import Network
from backprop_nb.network.passes import Forward, Gradient, PerLayer
from backprop_nb.network.validation import FloatArray


@dataclass(frozen=True)
class StepBack:
    """From ‖δ_{i+1}‖ to ‖δ_i‖ in two factors; for the last layer from ‖∂L/∂f_K‖ in one.

    Attributes
    ----------
    layer : the i of the δ_i at which it arrives
    before : ‖δ_{i+1}‖, for the last layer ‖∂L/∂f_K‖
    between : ‖A_iᵀ δ_{i+1}‖, for the last layer the same as ``before``
    after : ‖δ_i‖
    spectral : ‖A_i‖₂, the most that ``times_A`` can be; NaN for the last layer
    largest : max σ′(z_i), the most that ``times_slope`` can be
    steepest : the largest slope that the activation has anywhere, ¼ for the sigmoid
    """

    layer: int
    before: float
    between: float
    after: float
    spectral: float
    largest: float
    steepest: float

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


@dataclass(frozen=True, eq=False)
class Flow:
    """A forward and a backward pass, with the size of the gradient on its way back.

    Attributes
    ----------
    forward : Forward
    gradient : Gradient
    loss : float
    slopes : PerLayer
        ``slopes[i]`` is σ′(z_i).
    norms : dict
        ``norms[i]`` is ‖δ_i‖; in a batch that of the matrix with one row per input.
    theta_norms : tuple
        ``theta_norms[i]`` is ‖∂L/∂θ_i‖, over A_i and b_i together.
    steps : tuple of StepBack
        From the last layer back to the first.  It begins one layer later where
        δ_K has no factor σ′: with the cross-entropy, and behind a softmax.
    """

    forward: Forward
    gradient: Gradient
    loss: float
    slopes: PerLayer
    norms: dict[int, float]
    theta_norms: tuple[float, ...]
    steps: tuple[StepBack, ...]

    @property
    def through_layers(self) -> tuple[StepBack, ...]:
        """The steps that lead from δ_K to δ_1, each through an A and a σ′."""
        K = len(self.theta_norms)
        return tuple(step for step in self.steps if step.layer < K)


def flow(net: Network, x: ArrayLike, y: ArrayLike) -> Flow:
    """Return the two passes and how the gradient changes from layer to layer.

    Parameters
    ----------
    net : Network
    x : array_like of shape (n_0,) or (N, n_0)
    y : array_like of shape (n_K,) or (N, n_K)

    Examples
    --------
    >>> net = Network((3, 4, 4, 1), seed=0)
    >>> for step in flow(net, [1, 2, 3], [1]).steps:
    ...     print(f"δ_{step.layer}: × {step.times_A:.3f} × {step.times_slope:.3f}")
    δ_3: × 1.000 × 0.240
    δ_2: × 0.727 × 0.237
    δ_1: × 0.910 × 0.237
    """
    forward, gradient, loss = net.forward(x), net.backward(x, y), net.loss(x, y)
    activations, K = net.activations, net.K
    slopes = PerLayer({i: activations[i - 1].slope(forward.f[i]) for i in range(1, K + 1)})
    norms = {i: norm(delta) for i, delta in gradient.delta.items()}
    steps = []
    if has_slope_at_output(net):
        y = np.asarray(y, dtype=forward.f[K].dtype)
        rows = 1 if forward.f[K].ndim == 1 else len(forward.f[K])
        start = norm(2 / rows * (forward.f[K] - y))  # ∂L/∂f_K
        most = float(slopes[K].max())
        steepest = activations[-1].steepest
        steps.append(StepBack(K, start, start, norms[K], math.nan, most, steepest))
    for i in reversed(range(1, K)):
        between = norm(gradient.delta[i + 1] @ net.A[i])
        spectral, largest = spectral_norm(net.A[i]), float(slopes[i].max())
        steepest = activations[i - 1].steepest
        steps.append(StepBack(i, norms[i + 1], between, norms[i], spectral, largest, steepest))
    biases = gradient.b or [np.zeros(1)] * K
    theta_norms = tuple(
        math.hypot(norm(a), norm(c)) for a, c in zip(gradient.A, biases, strict=True)
    )
    return Flow(forward, gradient, loss, slopes, norms, theta_norms, tuple(steps))


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


# --- one parameter ------------------------------------------------------------


@dataclass(frozen=True)
class Parameter:
    """One number of θ: the entry in row j and column k of A_i, or, without a k, entry j of b_i.

    >>> str(Parameter(1, 0, 2)), str(Parameter(1, 0))
    ('A_1[0, 2]', 'b_1[0]')
    """

    i: int
    j: int
    k: int | None = None

    def __str__(self) -> str:
        entry = f"[{self.j}]" if self.k is None else f"[{self.j}, {self.k}]"
        return f"{'b' if self.k is None else 'A'}_{self.i}{entry}"

    def of(self, A: Sequence[FloatArray], b: Sequence[FloatArray]) -> float:
        """Return this entry of ``A`` and ``b``, which may be a gradient's."""
        return float(b[self.i][self.j] if self.k is None else A[self.i][self.j, self.k])

    def set(self, net: Network, value: float) -> None:
        """Write a value into the network."""
        if self.k is None:
            net.b[self.i][self.j] = value
        else:
            net.A[self.i][self.j, self.k] = value


_NAME = re.compile(r"\s*(?:A_?(\d+)\[\s*(\d+)\s*,\s*(\d+)\s*\]|b_?(\d+)\[\s*(\d+)\s*\])\s*")


def parameter_named(net: Network, name: object) -> Parameter:
    """Return the parameter with a name such as ``"A_1[0, 2]"``, or a tuple such as ``(1, 0, 2)``.

    Raises
    ------
    NotFoundError
        If the network has no such parameter.

    Examples
    --------
    >>> net = Network((2, 3, 1))
    >>> parameter_named(net, "A_1[0, 2]"), parameter_named(net, (0, 2))
    (Parameter(i=1, j=0, k=2), Parameter(i=0, j=2, k=None))
    """
    found = _parsed(name)
    if found is None:
        raise NotFoundError(
            "That is not the name of a weight or a bias.",
            given=repr(name),
            expected='"A_1[0, 2]" or (1, 0, 2) for a weight, "b_1[0]" or (1, 0) for a bias',
        )
    if found.i >= net.K:
        raise NotFoundError(
            f"This network has no {found}.",
            given=repr(name),
            expected=f"A_0 to A_{net.K - 1}, or b_0 to b_{net.K - 1}",
        )
    if found.k is None and not net.bias:
        raise NotFoundError(
            "This network has no biases.", given=repr(name), expected="a weight, such as A_0[0, 0]"
        )
    rows, columns = net.A[found.i].shape
    if found.j >= rows or (found.k or 0) >= columns:
        shape = (rows,) if found.k is None else (rows, columns)
        raise NotFoundError(
            f"This network has no {found}.",
            given=repr(name),
            expected=f"an entry of {'b' if found.k is None else 'A'}_{found.i}, of shape {shape}, "
            "counted from 0",
        )
    return found


def _parsed(name: object) -> Parameter | None:
    if isinstance(name, (tuple, list)):
        if len(name) not in (2, 3) or not all(
            isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 0 for n in name
        ):
            return None
        return Parameter(*map(int, name))
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        return None
    i, j, k, bias_i, bias_j = match.groups()
    return Parameter(int(bias_i), int(bias_j)) if i is None else Parameter(int(i), int(j), int(k))


def losses_along(
    net: Network,
    x: ArrayLike,
    y: ArrayLike,
    parameter: Parameter,
    epsilons: Sequence[float],
) -> list[float]:
    """Return the loss with one parameter moved by each of ``epsilons``; the network is as before.

    Examples
    --------
    >>> net = Network((1, 1), scale=0)
    >>> losses_along(net, [1.0], [1.0], Parameter(0, 0, 0), [0.0, 1000.0])
    [0.25, 0.0]
    """
    start = parameter.of(net.A, net.b)
    losses = []
    with _restored(net, parameter):
        for epsilon in epsilons:
            parameter.set(net, start + epsilon)
            losses.append(net.loss(x, y))
    return losses


@contextmanager
def _restored(net: Network, parameter: Parameter) -> Iterator[None]:
    start = parameter.of(net.A, net.b)
    try:
        yield
    finally:
        parameter.set(net, start)

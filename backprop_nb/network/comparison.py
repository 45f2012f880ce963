"""Another activation, another loss: for two lessons that need something to compare with.

The package's network is the sigmoid network.  Two of its weaknesses show only
beside another: through many layers its gradients vanish, since σ′ ≤ ¼; and an
output that is wrong and saturated learns slowly, since ∂L/∂z_K carries σ′(z_K).
:class:`ComparisonNetwork` has the same interface, and changes just that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb.errors import InvalidValueError
from backprop_nb.network import validation
from backprop_nb.network.fast import Result
from backprop_nb.network.passes import (
    Forward,
    Gradient,
    PerLayer,
    sigma,
    sigma_prime,
    squared_error,
    sum_of_outer,
    sum_of_rows,
)
from backprop_nb.network.sigmoid import SigmoidNetwork
from backprop_nb.network.validation import FloatArray
from backprop_nb.network.written import comparison_loss

if TYPE_CHECKING:
    from backprop_nb.tracing import Graph

ActivationName: TypeAlias = Literal["sigmoid", "tanh", "relu", "identity"]
LossName: TypeAlias = Literal["squared error", "cross-entropy"]


@dataclass(frozen=True)
class Activation:
    """What a unit does with its pre-activation z.

    Attributes
    ----------
    of : from z to f
    slope : from f to the derivative ∂f/∂z
    steepest : the largest slope there is
    """

    of: Callable[[Any], Any]
    slope: Callable[[FloatArray], FloatArray]
    steepest: float


ACTIVATIONS: dict[str, Activation] = {
    "sigmoid": Activation(sigma, sigma_prime, 0.25),
    "tanh": Activation(np.tanh, lambda f: 1 - f**2, 1.0),
    # At the kink, z = 0, the slope is taken to be 0.
    "relu": Activation(lambda z: np.maximum(z, 0), lambda f: (f > 0).astype(f.dtype), 1.0),
    "identity": Activation(lambda z: z + 0, np.ones_like, 1.0),
}

LOSSES = ("squared error", "cross-entropy")


class ComparisonNetwork(SigmoidNetwork):
    """The sigmoid network with another activation in its hidden layers, or another loss.

    The output layer keeps σ, so outputs stay between 0 and 1 and can be compared.
    All methods are those of :class:`SigmoidNetwork`; only the explicit plain pass
    computes the gradient, so speed is not its purpose.

    Parameters
    ----------
    widths, seed, scale
        As for :class:`SigmoidNetwork`.
    activation : "sigmoid", "tanh", "relu" or "identity"
        What the hidden layers apply to z.
    loss : "squared error" or "cross-entropy"
        The document's ‖y − f_K‖², or −Σ y ln f_K + (1 − y) ln(1 − f_K), the
        cross-entropy of an output between 0 and 1.  Both the mean over rows.

    Raises
    ------
    InvalidValueError
        No such activation or loss; for the cross-entropy a target outside 0 to 1.

    Examples
    --------
    Ten layers in, the gradient of the sigmoid network has all but vanished.

    >>> widths, x, y = (10,) * 11, np.linspace(-1, 1, 10), np.ones(10)
    >>> for activation in ("sigmoid", "tanh"):
    ...     net = ComparisonNetwork(widths, seed=0, activation=activation)
    ...     dA = net.backward(x, y).A
    ...     print(f"{activation:8} {np.linalg.norm(dA[0]) / np.linalg.norm(dA[-1]):.0e}")
    sigmoid  2e-06
    tanh     3e+00
    """

    def __init__(
        self,
        widths: Iterable[int],
        seed: int | np.random.Generator | None = None,
        scale: float | Literal["xavier", "document"] | None = None,
        *,
        activation: ActivationName = "sigmoid",
        loss: LossName = "squared error",
    ) -> None:
        super().__init__(widths, seed, scale)
        self._choose(activation, loss)

    def _choose(self, activation: str, loss: str) -> None:
        for name, value, known in [
            ("activation", activation, list(ACTIVATIONS)),
            ("loss", loss, list(LOSSES)),
        ]:
            if value not in known:
                raise InvalidValueError(
                    f"There is no such {name}.",
                    given=f"{name} = {value!r}",
                    expected=", ".join(f'"{each}"' for each in known),
                )
        self.activation, self.loss_name = activation, loss
        self._fast = PlainPass(self)

    @classmethod
    def from_parameters(
        cls,
        A: Iterable[ArrayLike],
        b: Iterable[ArrayLike],
        *,
        activation: ActivationName = "sigmoid",
        loss: LossName = "squared error",
    ) -> ComparisonNetwork:
        """Return the network with these parameters, copied; see the sigmoid network's."""
        net = super().from_parameters(A, b)
        net._choose(activation, loss)
        return net

    def __repr__(self) -> str:
        return (
            f"ComparisonNetwork(widths={self.widths}, activation={self.activation!r}, "
            f"loss={self.loss_name!r})"
        )

    def _layers(self) -> list[Activation]:
        """The activation of each layer: σ at the output."""
        return [ACTIVATIONS[self.activation]] * (self.K - 1) + [ACTIVATIONS["sigmoid"]]

    def forward(self, x: ArrayLike) -> Forward:
        """Return every value on the way, f_i and z_i."""
        A, b = self._parameters()
        x = validation.checked_input(x, A)
        return self._forward(A, b, x.copy())

    def loss(self, x: ArrayLike, y: ArrayLike) -> float:
        """Return the loss, for a batch the mean over its rows."""
        A, b, x, y = self._checked(x, y)
        return self._loss(self._forward(A, b, x), y)

    def backward(self, x: ArrayLike, y: ArrayLike) -> Gradient:
        """Return the gradient, with ``A[i]``, ``b[i]`` and ``delta[i]``."""
        A, b, x, y = self._checked(x, y)
        return self._backward(A, self._forward(A, b, x), y)

    def trace(self, x: ArrayLike, y: ArrayLike) -> Graph:
        """Return the computation graph of the loss as a function of ``A`` and ``b``."""
        from backprop_nb.tracing import sigmoid, trace

        A, b, x, y = self._checked(x, y)
        # As one node, where the plain σ of this package would be several.
        hidden = sigmoid if self.activation == "sigmoid" else ACTIVATIONS[self.activation].of
        loss = comparison_loss(x, y, hidden, sigmoid, self.loss_name == "cross-entropy")
        return trace(loss, A, b)

    def _forward(self, A: Sequence[FloatArray], b: Sequence[FloatArray], x: FloatArray) -> Forward:
        f, z = [x], PerLayer()
        for i, activation in enumerate(self._layers(), start=1):
            z[i] = f[i - 1] @ A[i - 1].T + b[i - 1]
            f.append(activation.of(z[i]))
        return Forward(tuple(f), z)

    def _loss(self, forward: Forward, y: FloatArray) -> float:
        if self.loss_name == "squared error":
            return squared_error(y, forward.f[-1])
        z = forward.z[self.K]
        # −ln σ(z) = ln(1 + e^z) − z and −ln(1 − σ(z)) = ln(1 + e^z), without ln 0.
        return float(np.mean(np.sum(np.logaddexp(0, z) - y * z, axis=-1)))

    def _backward(self, A: Sequence[FloatArray], forward: Forward, y: FloatArray) -> Gradient:
        f, K = forward.f, self.K
        N = len(y) if y.ndim == 2 else 1
        slopes = [activation.slope for activation in self._layers()]
        delta = PerLayer()
        if self.loss_name == "squared error":
            delta[K] = 2 / N * (f[K] - y) * sigma_prime(f[K])
        else:
            delta[K] = (f[K] - y) / N  # σ′ cancels: that is why it learns faster
        for i in reversed(range(1, K)):
            delta[i] = (delta[i + 1] @ A[i]) * slopes[i - 1](f[i])
        dA = [sum_of_outer(delta[i + 1], f[i]) for i in range(K)]
        db = [sum_of_rows(delta[i + 1]) for i in range(K)]
        return Gradient(tuple(dA), tuple(db), PerLayer(sorted(delta.items())))

    def _slopes(self, x: ArrayLike) -> list[FloatArray]:
        activations = self._layers()
        outputs = self.forward(x).f[1:]
        return [a.slope(f_i) / a.steepest for a, f_i in zip(activations, outputs, strict=True)]

    def _checked(
        self,
        x: ArrayLike,
        y: ArrayLike,
        names: tuple[str, str] = ("x", "y"),
        unless_finite: Callable[[str, FloatArray], None] = validation.warn_unless_finite,
    ) -> tuple[list[FloatArray], list[FloatArray], FloatArray, FloatArray]:
        A, b, x, y = super()._checked(x, y, names, unless_finite)
        if self._refuses(y):
            raise InvalidValueError(
                "The cross-entropy compares probabilities.",
                given=f"{names[1]} from {y.min():g} to {y.max():g}",
                expected=f"{names[1]} from 0 to 1",
            )
        return A, b, x, y

    def _refuses(self, y: FloatArray) -> bool:
        return self.loss_name == "cross-entropy" and bool(y.min() < 0 or y.max() > 1)

    def _about(self) -> dict[str, str]:
        return super()._about() | {"activation": self.activation, "loss": self.loss_name}

    @classmethod
    def _restored(cls, A: Any, b: Any, about: dict[str, str], path: Any) -> ComparisonNetwork:
        net = super()._restored(A, b, about, path)
        net._choose(about["activation"], about["loss"])
        return net


class PlainPass:
    """What :class:`FastPass` is to the sigmoid network: the same call, the plain pass."""

    def __init__(self, net: ComparisonNetwork) -> None:
        self._net = net

    def fits(self, A: Any, b: Any, x: Any, y: Any) -> bool:
        """Return False: here nothing is gained by skipping the checks."""
        return False

    def remember(self, A: Any, b: Any) -> None:
        """Do nothing."""

    def __call__(
        self,
        A: Sequence[FloatArray],
        b: Sequence[FloatArray],
        x: FloatArray,
        y: FloatArray,
        N: int | None = None,
    ) -> Result:
        """Return the loss and its gradient: sums over the rows, divided by `N`."""
        forward = self._net._forward(A, b, x)
        rows = 1 if x.ndim == 1 else len(x)
        share = rows / (N or rows)
        loss = share * self._net._loss(forward, y)
        gradient = self._net._backward(A, forward, y)
        dA, db = [share * a for a in gradient.A], [share * c for c in gradient.b]
        fine = np.isfinite(loss) and np.isfinite(x).all() and not self._net._refuses(y)
        return loss, dA, db, bool(fine)

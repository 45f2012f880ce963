"""Gradient descent: from a network and data to better parameters, and how it went.

Each step moves every parameter against its gradient,

    v ← μ v − η ∂L/∂θ,    θ ← θ + v,

with the learning rate η and the momentum μ (Polyak, 1964; 0 leaves plain
gradient descent).  The gradient is that of the loss over a batch of rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from tqdm.auto import tqdm

from backprop_nb.errors import DivergenceError, InvalidValueError
from backprop_nb.network import validation
from backprop_nb.network.history import History
from backprop_nb.network.theta import flatten, layers, unflatten
from backprop_nb.network.validation import FloatArray

if TYPE_CHECKING:
    from backprop_nb.network.sigmoid import SigmoidNetwork

Step: TypeAlias = Callable[[list[FloatArray], list[FloatArray]], tuple[float, FloatArray, int]]
"""From ``A`` and ``b`` to a batch's loss, its gradient as one vector, its number of rows."""

SAMPLE = 256
"""So many rows, evenly spaced, tell how saturated each layer is."""

_STUCK = 1e-9
"""A gradient that has shrunk to this share of its first length moves nothing any more."""


class Data(Protocol):
    """What training needs to know of the data, wherever they are."""

    def steps(self, random: np.random.Generator) -> Iterator[Step]:
        """Yield the steps of one epoch, in an order drawn from `random`."""
        ...

    def loss(self) -> float:
        """Return the network's loss over all rows."""
        ...

    def sample(self) -> FloatArray:
        """Return a few rows of x."""
        ...

    def split(self, share: float, seed: Any) -> tuple[Data, Data]:
        """Return the rows to train on and the rows to hold out."""
        ...


@dataclass(frozen=True)
class Settings:
    """How to train; see :meth:`SigmoidNetwork.fit`."""

    learning_rate: float
    epochs: int
    batch_size: int | None
    momentum: float
    patience: int | None
    seed: int | np.random.Generator | None
    progress: bool

    def __post_init__(self) -> None:
        _check("learning_rate", self.learning_rate, "a positive number", lambda v: 0 < v < math.inf)
        _check("momentum", self.momentum, "a number from 0 up to, but not including, 1", _is_share)
        _check("epochs", self.epochs, "a positive integer", _is_count)
        for name in ("batch_size", "patience"):
            if getattr(self, name) is not None:
                _check(name, getattr(self, name), "a positive integer, or None", _is_count)
        validation.checked_generator(self.seed)


def _check(name: str, value: Any, expected: str, allowed: Callable[[Any], bool]) -> None:
    try:
        fine = not isinstance(value, bool) and bool(allowed(value))
    except (TypeError, ValueError):
        fine = False
    if not fine:
        raise InvalidValueError(
            f"{name} is not {expected}.", given=f"{name} = {value!r}", expected=expected
        )


def _is_share(value: Any) -> bool:
    return bool(0 <= value < 1)


def _is_part(value: Any) -> bool:
    return bool(0 < value < 1)


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and bool(value > 0)


# --- data in memory ----------------------------------------------------------


class Rows:
    """Data in memory: shuffled rows, `size` at a time; without it all of them."""

    def __init__(self, net: SigmoidNetwork, x: FloatArray, y: FloatArray, size: int | None) -> None:
        self.net, self.x, self.y, self.size = net, np.atleast_2d(x), np.atleast_2d(y), size

    def steps(self, random: np.random.Generator) -> Iterator[Step]:
        """Yield the steps of one epoch."""
        N = len(self.x)
        if self.size is None or self.size >= N:
            yield partial(self._step, x=self.x, y=self.y)
            return
        order = random.permutation(N)
        for start in range(0, N, self.size):
            rows = order[start : start + self.size]
            yield partial(self._step, x=self.x[rows], y=self.y[rows])

    def _step(
        self, A: list[FloatArray], b: list[FloatArray], x: FloatArray, y: FloatArray
    ) -> tuple[float, FloatArray, int]:
        loss, dA, db, _ = self.net._fast(A, b, x, y)
        return loss, flatten(dA, db), len(x)

    def loss(self) -> float:
        """Return the network's loss over all rows."""
        return self.net._fast(self.net.A, self.net.b, self.x, self.y)[0]

    def sample(self) -> FloatArray:
        """Return some rows of x, evenly spaced."""
        return self.x[:: -(-len(self.x) // SAMPLE)]

    def split(self, share: float, seed: Any) -> tuple[Rows, Rows]:
        """Return the rows to train on and the rows to hold out, drawn at random."""
        N = len(self.x)
        if N < 2:
            raise InvalidValueError(
                "One row cannot be split into rows to train on and rows to hold out.",
                given=f"validation = {share!r}, x of shape {self.x.shape}",
                expected="at least two rows",
                instead="validation=(other_x, other_y)",
            )
        order = validation.checked_generator(seed).permutation(N)
        held_out = min(max(1, round(share * N)), N - 1)
        rest, kept = order[:held_out], order[held_out:]
        return (
            Rows(self.net, self.x[kept], self.y[kept], self.size),
            Rows(self.net, self.x[rest], self.y[rest], None),
        )


# --- gradient descent --------------------------------------------------------


@dataclass
class Descent:
    """One training: θ as a vector, of which the network's parameters are views."""

    net: SigmoidNetwork
    data: Data
    held_out: Data | None
    settings: Settings
    theta: FloatArray = field(init=False)
    best: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.theta = flatten(*self.net._parameters())
        self.sample = self.data.sample()
        self.best = self.theta.copy()
        self.velocity = np.zeros_like(self.theta)
        self.layers = layers(self.net.widths)
        self.history = History(self.net.widths, self.settings.learning_rate)

    def run(self) -> History:
        """Train, and return the record; the network has what was learned, come what may."""
        self.net.A, self.net.b = unflatten(self.theta, self.net.widths)
        random = np.random.default_rng(self.settings.seed)
        start = time.perf_counter()
        try:
            with tqdm(total=self.settings.epochs, unit="epoch", **_bar(self.settings)) as bar:
                for _ in range(self.settings.epochs):
                    self._epoch(random)
                    bar.update()
                    bar.set_postfix(self.history.latest(), refresh=False)
                    if self._is_enough():
                        break
            if self.settings.patience is not None:
                self.theta[:] = self.best
        except KeyboardInterrupt:
            self.history.stopped = "interrupted"
        finally:
            self.history.seconds = time.perf_counter() - start
        return self.history

    def _epoch(self, random: np.random.Generator) -> None:
        losses, norms, rows = 0.0, np.zeros(len(self.layers)), 0
        with np.errstate(all="ignore"):  # a number out of range is reported below, by its layer
            for step in self.data.steps(random):
                loss, gradient, n = step(self.net.A, self.net.b)
                losses, rows = losses + n * loss, rows + n
                norms += [n * np.linalg.norm(gradient[layer]) for layer in self.layers]
                if not math.isfinite(norms.sum() + losses):
                    break
                self._move(gradient)
        held_out = self.held_out.loss() if self.held_out else None
        shares = self.net.saturation(self.sample)
        self.history.add(losses / rows, norms / rows, shares, held_out)
        self._stop_if_senseless()
        if self.history.is_best():
            self.best[:] = self.theta

    def _move(self, gradient: FloatArray) -> None:
        """Take one step.  θ changes in one operation, so an interrupt never halves it."""
        gradient *= self.settings.learning_rate
        self.velocity *= self.settings.momentum
        self.velocity -= gradient
        self.theta += self.velocity

    def _is_enough(self) -> bool:
        patience = self.settings.patience
        if patience is None or self.history.epochs_since_best() < patience:
            return False
        self.history.stopped = f"no better for {patience} epochs"
        return True

    def _stop_if_senseless(self) -> None:
        """Raise if NaN has appeared or no gradient is left, with the best parameters put back."""
        problem = _not_finite(self.history, self.net) or _stuck(self.history)
        if problem is None:
            return
        self.theta[:] = self.best
        rate = self.settings.learning_rate
        error = DivergenceError(
            problem,
            given=f"learning_rate = {rate:g}, epoch {self.history.epochs}",
            expected="numbers that stay finite, and a gradient that moves them",
            instead=f"learning_rate={rate / 10:g}; the network has its best parameters back",
        )
        error.history = self.history
        self.history.stopped = "diverged"
        raise error


def _bar(settings: Settings) -> dict[str, Any]:
    return {"disable": not settings.progress, "desc": "fit"}


def _not_finite(history: History, net: SigmoidNetwork) -> str | None:
    """Return what to say of NaN or infinity, naming the first place where it stands."""
    for i, (A_i, b_i) in enumerate(zip(net.A, net.b, strict=True)):
        for name, array in [(f"A[{i}]", A_i), (f"b[{i}]", b_i)]:
            if not np.isfinite(array).all():
                return (
                    f"Training diverged at layer {i + 1}: {name} is no longer finite. "
                    "The likely cause is a learning rate that is too large."
                )
    norms = history.gradient_norms[-1]
    for i in reversed(range(len(norms))):
        if not math.isfinite(norms[i]):
            return (
                f"Training diverged at layer {i + 1}: its gradient is not finite. "
                "The likely cause are numbers in x or in the weights that are far too large."
            )
    if not math.isfinite(history.loss[-1]):
        return (
            f"Training diverged at layer {len(norms)}, the output: the loss is "
            f"{history.loss[-1]}. The likely cause are targets y that are far too large."
        )
    return None


def _stuck(history: History) -> str | None:
    """Return what to say if saturation has left no gradient, and the loss is no better for it."""
    norms, shares = history.gradient_norms, history.saturation[-1]
    layer = int(np.argmax(shares))
    vanished = norms[-1].max() <= _STUCK * norms[0].max()
    if not (vanished and shares[layer] > 0.99 and history.loss[-1] > 0.5 * history.loss[0]):
        return None
    return (
        f"Training is stuck at layer {layer + 1}: {shares[layer]:.0%} of its units are saturated, "
        "so σ′ ≈ 0 and no gradient is left. The likely cause is a learning rate, weights or "
        "inputs that are too large."
    )


# --- the door ----------------------------------------------------------------


def train(
    net: SigmoidNetwork, x: ArrayLike, y: ArrayLike, held_out: Any, settings: Settings
) -> History:
    """Train a network; see :meth:`SigmoidNetwork.fit`, which this is."""
    if held_out is None:
        return Descent(net, data_of(net, x, y, settings.batch_size), None, settings).run()
    if isinstance(held_out, (tuple, list)) and len(held_out) == 2:
        names = ("validation[0]", "validation[1]")
        rest = data_of(net, held_out[0], held_out[1], None, names)
        return Descent(net, data_of(net, x, y, settings.batch_size), rest, settings).run()
    _check("validation", held_out, "a share between 0 and 1, or a pair (x, y)", _is_part)
    kept, rest = data_of(net, x, y, settings.batch_size).split(held_out, settings.seed)
    return Descent(net, kept, rest, settings).run()


def data_of(
    net: SigmoidNetwork,
    x: ArrayLike,
    y: ArrayLike,
    batch_size: int | None,
    names: tuple[str, str] = ("x", "y"),
) -> Data:
    """Return data that fit the network, and refuse NaN: one would spread to every parameter."""
    if validation.is_chunked(x, y):
        return _chunks(net, x, y, batch_size, names)
    _, _, x, y = net._checked(x, y, names, validation.refuse_unless_finite)
    return Rows(net, x, y, batch_size)


def _chunks(
    net: SigmoidNetwork, x: Any, y: Any, batch_size: int | None, names: tuple[str, str]
) -> Data:
    from backprop_nb.network.chunks import Chunks

    return Chunks(net, x, y, batch_size, names)

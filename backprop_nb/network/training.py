"""Gradient descent: from a network and data to better parameters, and how it went.

Each step moves every parameter against its gradient,

    v ← μ v − η ∂L/∂θ,    θ ← θ + v,

with the learning rate η and the momentum μ (Polyak, 1964; 0 leaves plain
gradient descent).  The gradient is that of the loss over a batch of rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from operator import is_
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from backprop_nb.display import progress_bar
from backprop_nb.errors import DivergenceError, InvalidValueError, ShapeError, must_be
from backprop_nb.network import validation
from backprop_nb.network.history import SAMPLE, History
from backprop_nb.network.prospects import warn_of_prospects
from backprop_nb.network.protocols import Sample
from backprop_nb.network.theta import flatten, layers, unflatten
from backprop_nb.network.validation import FloatArray

if TYPE_CHECKING:
    from backprop_nb.network.base import Parameters
    from backprop_nb.network.chunks import Chunks
    from backprop_nb.network.fast import BoundPass
    from backprop_nb.network.protocols import BatchSize, BatchStep, Data

_STUCK_SHARE = 0.99
"""A layer whose outputs are saturated to more than this share passes no gradient."""

_VANISHED = 1e-9
"""A gradient below this share of the loss moves nothing.

Near a minimum both shrink alike; far from one, only saturation does that.
"""


_SMALLEST_RATE = 1e-30

_MEASURED = 1000
"""So many steps of an epoch have the norms of their gradients taken, then every second, of the next
as many every third, and so on: each would take a small network a seventh of its time."""

_USUAL_SIZE = 32
"""So many rows a step takes of arrays in memory, if nothing is said."""


@dataclass(frozen=True, eq=False, repr=False)
class FitOptions:
    """How to train; see :meth:`backprop_nb.Network.fit`."""

    learning_rate: float
    epochs: int
    batch_size: BatchSize
    momentum: float
    patience: int | None
    seed: int | np.random.Generator | None
    progress: bool

    def __post_init__(self) -> None:
        _check("learning_rate", self.learning_rate, "a positive number", lambda v: 0 < v < math.inf)
        # The loss and the gradient are computed times η, and divided by it when they are told.
        least = f"{_SMALLEST_RATE:g} or more"
        _check("learning_rate", self.learning_rate, least, lambda v: v >= _SMALLEST_RATE)
        _check("momentum", self.momentum, "a number from 0 to less than 1", lambda v: 0 <= v < 1)
        _check("epochs", self.epochs, "a positive integer", _is_count)
        count = "a positive integer, or None"
        _check("patience", self.patience, count, lambda v: v is None or _is_count(v))
        size, count = self.batch_size, f'"auto", {count}'
        _check("batch_size", size, count, lambda v: v is None or v == "auto" or _is_count(v))
        validation.checked_generator(self.seed)


def _check(name: str, value: Any, expected: str, allowed: Callable[[Any], Any]) -> None:
    try:
        fine = np.ndim(value) == 0 and not isinstance(value, bool) and allowed(value)
    except (TypeError, ValueError):
        fine = False
    if not fine:
        raise must_be(expected, name, value)


def _is_count(value: Any) -> bool:
    return isinstance(value, (int, np.integer)) and bool(value > 0)


# --- data in memory ----------------------------------------------------------

_GATHERED = 2**19
"""So many bytes of shuffled rows are gathered at once, which is quicker than batch by batch."""


RowNumbers: TypeAlias = NDArray[np.integer[Any]]


class ArrayData:
    """Data in memory: shuffled rows, `size` at a time; without it all of them.

    The data stay as they are; what a step uses is gathered in the network's dtype.

    Parameters
    ----------
    net : Parameters
    x, y : arrays of shape (N, n_0) and (N, n_K), or of one row
    size : int or None
    rows : array of int, optional
        Which rows there are, if not all of them.
    name : str
        What `x` is called.
    dtype : optional
        In which the network will compute, if not as `x` says.
    """

    def __init__(
        self,
        net: Parameters,
        x: FloatArray,
        y: FloatArray,
        size: int | None,
        rows: RowNumbers | None = None,
        name: str = "x",
        dtype: DTypeLike | None = None,
    ) -> None:
        self.net, self._x, self._y, self.size = net, np.atleast_2d(x), np.atleast_2d(y), size
        self._rows, self._name = rows, name
        self.N = len(self._x if rows is None else rows)
        self.dtype = np.dtype(dtype) if dtype else net.dtype_for(x)
        self._passes: dict[int, BoundPass] = {}
        self._bound_to: list[Any] = [None] * 2 * net.K

    @property
    def x(self) -> FloatArray:
        """The inputs of these rows."""
        return self._x if self._rows is None else self._x[self._rows]

    @property
    def y(self) -> FloatArray:
        """The targets of these rows."""
        return self._y if self._rows is None else self._y[self._rows]

    def check(self) -> None:
        """Raise if there is NaN or infinity in x; to look for it takes as long as to gather x.

        So training looks once its numbers are not finite, as they cannot be then:
        ∂L/∂A_0 is a sum of products of x.
        """
        validation.refuse_unless_finite(self._name, self._x, self.dtype)

    def steps(self, random: np.random.Generator) -> Iterator[BatchStep]:
        """Yield the steps of one epoch."""
        size = self.size
        if size is None or size >= self.N:
            yield self._step_of_all
            return
        order = random.permutation(self._order)
        steps: dict[int, list[BatchStep]] = {}
        for x, y in self._blocks(order, size):
            if len(x) not in steps:  # blocks of one length lie in the same memory
                steps[len(x)] = list(self._steps_of(x, y, size))
            yield from steps[len(x)]

    def _steps_of(self, x: FloatArray, y: FloatArray, size: int) -> Iterator[BatchStep]:
        """Yield the steps of a block, `size` rows at a time."""
        for start in range(0, len(x), size):
            batch = x[start : start + size], y[start : start + size]
            N = len(batch[0])
            yield partial(_step, *batch, N, self._pass(N), self._gradient[0])

    def _pass(self, rows: int) -> BoundPass:
        """Return the pass of so many rows, made anew only for other parameters."""
        net, parameters = self.net, [*self.net.A, *self.net.b]
        if not all(map(is_, parameters, self._bound_to)):
            self._bound_to = parameters
            self._passes.clear()
        if rows not in self._passes:
            self._passes[rows] = net.compute.bound(net.A, net.b, rows, self._gradient[1])
        return self._passes[rows]

    def _step_of_all(self, rate: float) -> tuple[float, FloatArray, int]:
        net, (gradient, into) = self.net, self._gradient
        run = partial(net.compute, net.A, net.b, into=into)
        if self._is_whole:
            return _step(self._x, self._y, self.N, run, gradient, rate)
        losses, total = 0.0, np.zeros_like(gradient)
        for x, y in self._blocks():
            losses += _step(x, y, self.N, run, gradient, rate)[0]
            total += gradient
        return losses, total, self.N

    @cached_property
    def _gradient(self) -> tuple[FloatArray, list[FloatArray]]:
        """The gradient of a step as one vector, and its parts as views of it."""
        net = self.net
        flat = np.empty_like(flatten(net.A, net.b))
        dA, db = unflatten(flat, net.widths, bool(net.b))
        return flat, dA + db

    @property
    def _order(self) -> RowNumbers:
        """The numbers of these rows, in as few bytes as they need: rows may be few numbers."""
        if self._rows is not None:
            return self._rows
        return np.arange(self.N, dtype=np.min_scalar_type(self.N))

    @property
    def _is_whole(self) -> bool:
        """Whether the arrays can be used as they are."""
        return self._rows is None and self._x.dtype == self._y.dtype == self.net.A[0].dtype

    def _blocks(
        self, order: RowNumbers | None = None, size: int = 1
    ) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield rows, in the network's dtype and a multiple of `size` at a time.

        A block is in the memory of the last one: use it before the next.
        """
        if order is None:
            order = self._order
        dtype = self.net.A[0].dtype
        bytes_a_row = dtype.itemsize * (self._x.shape[1] + self._y.shape[1])
        at_once = min(size * max(1, _GATHERED // (size * bytes_a_row)), len(order))
        buffers = [np.empty((at_once, each.shape[1]), dtype) for each in (self._x, self._y)]
        for start in range(0, len(order), at_once):
            rows = order[start : start + at_once]
            x, y = (
                _gathered(each, rows, buffer[: len(rows)])
                for each, buffer in zip((self._x, self._y), buffers, strict=True)
            )
            yield x, y

    def loss(self) -> float:
        """Return the network's loss over all rows."""
        net, N = self.net, self.N
        if self._is_whole:
            return net.compute(net.A, net.b, self._x, self._y)[0]
        return sum(net.compute(net.A, net.b, x, y, N)[0] for x, y in self._blocks())

    def sample(self) -> Sample:
        """Return some rows, evenly spaced, and all targets as they are: those held out, too."""
        step = -(-self.N // SAMPLE)
        rows = slice(None, None, step) if self._rows is None else self._rows[::step]
        x, y = (each[rows].astype(self.dtype, copy=False) for each in (self._x, self._y))
        if not np.isfinite(x).all():
            self.check()
        return Sample(x, y, self._y)

    def split(self, share: float, seed: Any) -> tuple[ArrayData, ArrayData]:
        """Return the rows to train on and the rows to hold out, drawn at random."""
        if self.N < 2:
            raise InvalidValueError(
                "One row cannot be split into rows to train on and rows to hold out.",
                given=f"validation = {share!r}, x of shape {self.x.shape}",
                expected="at least two rows",
                instead="validation=(other_x, other_y)",
            )
        self.check()  # the rows that are held out have no gradient
        order = validation.checked_generator(seed).permutation(self._order)
        held_out = min(max(1, round(share * self.N)), self.N - 1)
        rest, used = order[:held_out], order[held_out:]
        return (
            ArrayData(self.net, self._x, self._y, self.size, used),
            ArrayData(self.net, self._x, self._y, None, rest),
        )


def _step(
    x: FloatArray, y: FloatArray, N: int, run: BoundPass, gradient: FloatArray, rate: float
) -> tuple[float, FloatArray, int]:
    # Divided by N/η in place of N, the gradient is the step, and needs no product more.
    return run(x, y, N / rate)[0] / rate, gradient, N


def _gathered(array: FloatArray, rows: RowNumbers, into: FloatArray) -> FloatArray:
    """Return some rows of an array, in memory that is there."""
    if array.dtype == into.dtype and array.flags.c_contiguous:  # of others NumPy copies all
        # The rows are there: "clip" is for NumPy, which would copy to be able to refuse.
        return np.take(array, rows, axis=0, out=into, mode="clip")
    into[...] = array[rows]
    return into


# --- gradient descent --------------------------------------------------------

_AWAKE = 8192
"""With more numbers at once, OpenBLAS wakes its threads for a dot product in float64, which takes
longer than the product, and on a busy machine many times as long."""

_SQUARES = 1e-30
"""A smaller sum of squares may lack some that float32 has rounded to 0."""


class Norms:
    """The norm of each layer's part of a vector, and of the same vector after it has changed."""

    def __init__(self, layers: list[slice]) -> None:
        self._layers = layers
        self._vector: FloatArray | None = None

    def __call__(self, vector: FloatArray) -> list[float]:
        """Return ‖v‖ of each part v, in float32 too where the squares are nearly 0.

        >>> norms = Norms([slice(0, 2), slice(2, 3)])
        >>> [f"{norm:g}" for norm in norms(np.array([3e-30, 4e-30, 5], np.float32))]
        ['5e-30', '5']
        """
        if vector is not self._vector:
            self._vector, self._parts = vector, list(self._parts_of(vector))
        squares = [0.0] * len(self._layers)
        for i, dot, part in self._parts:
            squares[i] += float(dot(part))
        if min(squares) < _SQUARES and vector.dtype == np.float32:
            layers = [vector[layer] for layer in self._layers]
            return list(map(_norm_of_little, layers, squares))
        return list(map(math.sqrt, squares))

    def _parts_of(
        self, vector: FloatArray
    ) -> Iterator[tuple[int, Callable[[FloatArray], Any], FloatArray]]:
        most = _AWAKE if vector.dtype == np.float64 else len(vector)
        for i, layer in enumerate(self._layers):
            for start in range(layer.start, layer.stop, most):
                part = vector[start : min(start + most, layer.stop)]
                yield i, part.dot, part


def _norm_of_little(vector: FloatArray, square: float) -> float:
    """Return the norm of a vector whose sum of squares, as computed, may lack some."""
    if square < _SQUARES and vector.any():
        return float(np.linalg.norm(vector.astype(float)))
    return math.sqrt(square)


class Descent:
    """One training: θ as a vector, of which the network's parameters become views.

    Either :meth:`run` does all of it, or :meth:`take_over` and then :meth:`epoch`,
    as often as one likes, do the same one epoch at a time.
    """

    @np.errstate(all="ignore")  # NaN and infinity are reported by the first epoch
    def __init__(
        self, net: Parameters, data: Data, held_out: Data | None, options: FitOptions
    ) -> None:
        self.net, self.data, self.held_out, self.options = net, data, held_out, options
        self.theta = flatten(*net.parameters()).astype(data.dtype, copy=False)
        self.sample = data.sample()
        self.initially = net.saturation(self.sample.x)
        self.best, self.proven = self.theta.copy(), self.theta.copy()
        self.velocity = np.zeros_like(self.theta)
        self.norms = Norms(layers(net.widths, bool(net.b)))
        self.history = History(net.widths, options.learning_rate)
        self.random = np.random.default_rng(options.seed)

    def take_over(self) -> None:
        """Let the network's parameters be views of θ, whose dtype it keeps from now on."""
        self.net.takes_dtype = False
        self.net.A, self.net.b = unflatten(self.theta, self.net.widths, bool(self.net.b))

    def run(self) -> History:
        """Train, and return the record; the network has what was learned, come what may.

        But for data that are refused: chunks are checked as they are met.
        """
        net, drawn = self.net, self.random.bit_generator.state
        before = net.A, net.b, net.takes_dtype
        self.take_over()
        start = time.perf_counter()
        try:
            progress = self.options.progress
            with progress_bar(self.options.epochs, shown=progress, unit="epoch", desc="fit") as bar:
                self._epochs(bar)
            if self.options.patience is not None and not self.history.is_best():
                self.theta[:] = self.best
        except KeyboardInterrupt:
            self.history.stopped = "interrupted"
        except (InvalidValueError, ShapeError):
            net.A, net.b, net.takes_dtype = before
            self.random.bit_generator.state = drawn
            raise
        finally:
            self.history.seconds = time.perf_counter() - start
        return self.history

    def _epochs(self, bar: Any) -> None:
        """Train to the end; a bar that ends before says why, or it would look as if it went on."""
        options = self.options
        try:
            while self.history.epochs < options.epochs and not self._is_enough():
                self.epoch()
                bar.update()
                if options.progress:
                    bar.set_postfix(self.history.latest(), refresh=False)
        except KeyboardInterrupt:
            self.history.stopped = "interrupted"
            raise
        except (InvalidValueError, ShapeError):
            self.history.stopped = "data refused"
            raise
        finally:
            if options.progress and self.history.epochs < options.epochs:
                bar.set_postfix_str(self.history.stopped)

    @np.errstate(all="ignore")  # numbers out of range are reported by their layer
    def epoch(self) -> None:
        """Use every row once, and record it.

        Raises
        ------
        DivergenceError
            NaN or infinity have appeared, or no gradient is left; the best
            parameters are put back.
        """
        losses, sums, rows, measured, taken = 0.0, [0.0] * len(self.net.A), 0, 0, 0
        before, rate = self.theta.copy(), self.options.learning_rate
        for step in self.data.steps(self.random):
            loss, change, n = step(rate)
            losses += n * loss
            rows += n
            every = 1 + taken // _MEASURED
            if taken % every == 0:
                measured += every * n
                for i, norm in enumerate(self.norms(change)):
                    sums[i] += every * n * norm
            taken += 1
            if not math.isfinite(sum(sums) + losses):
                break
            if n:  # chunks may turn out to be empty
                self._move(change)
        held_out = self.held_out.loss() if self.held_out else None
        loss, norms = losses / rows, np.array(sums) / (measured * rate)
        shares = self.net.saturated(self.net.A, self.net.b, self.sample.x)
        self.history.add(loss, norms, shares, held_out)
        if not (math.isfinite(loss + sum(sums)) and np.isfinite(self.theta).all()):
            self.data.check()
            raise self._without_sense(_not_finite(self.net, norms))
        if problem := _stuck(self.net, loss, norms, shares):
            raise self._without_sense(problem)
        if self.history.is_best():
            # The loss on the rows held out is that of θ now.  The other was met on the way: that of
            # a single step is that of θ before, and after many steps θ may be about to diverge.
            self.best[:] = self.theta if self.held_out or taken > 1 else before
            self.proven[:] = self.theta if self.held_out else before

    def _move(self, change: FloatArray) -> None:
        """Take one step.  θ changes in one operation, so an interrupt never halves it."""
        if self.options.momentum == 0:
            self.theta -= change
            return
        self.velocity *= self.options.momentum
        self.velocity -= change
        self.theta += self.velocity

    def _is_enough(self) -> bool:
        patience = self.options.patience
        if patience is None or self.history.epochs_since_best() < patience:
            return False
        self.history.stopped = f"no better for {patience} epochs"
        return True

    def _without_sense(self, problem: str) -> DivergenceError:
        """Return the error for NaN, or no gradient left; put the best parameters back."""
        self.history.stopped = "diverged"
        self.theta[:] = self.proven
        cause, instead = self._cause()
        error = DivergenceError(
            f"{problem} Likely cause: {cause}.",
            given=f"learning_rate = {self.options.learning_rate:g}, "
            f"stopped in epoch {self.history.epochs}",
            expected="finite numbers, and a gradient that moves them",
            instead=f"{instead}; the network has its best parameters back",
        )
        error.history = self.history
        return error

    def _cause(self) -> tuple[str, str]:
        """Return the likely cause, and what to write instead, with the best parameters back."""
        if not np.isfinite(self.theta).all():
            return "a parameter was NaN or infinite before the first step", "a new network"
        if not math.isfinite(self.data.loss()):
            cause = f"numbers so large that {self.theta.dtype} has no loss of them"
            return cause, "x and y scaled to about −1 to 1"
        if self.initially.max() <= _STUCK_SHARE:
            rate = min(self.options.learning_rate / 10, 1)
            return "the learning rate is too large", f"learning_rate={rate:g}"
        layer = int(self.initially.argmax()) + 1
        low, high = self.net.activations[layer - 1].reach
        if math.isinf(low):
            cause = f"every unit of layer {layer} was below the kink of its leaky ReLU"
            return cause, "other initial weights"
        if math.isinf(high):
            cause = f"every unit of layer {layer} was 0 from the start, where ReLU is flat"
            return cause, "other initial weights, or a leaky ReLU"
        cause = f"layer {layer} was saturated from the start: inputs or weights too large"
        return cause, "x scaled to about −1 to 1, or a smaller scale of the initial weights"


def _not_finite(net: Parameters, norms: FloatArray) -> str:
    """Return what to say of NaN or infinity, naming the first place where it stands."""
    for name, array in validation.named(net.A, net.b):
        if not np.isfinite(array).all():
            layer = int(name[2:-1]) + 1
            return f"Training diverged at layer {layer}: `{name}` is no longer finite."
    # The gradient comes from the output down, so the last such layer was the first.
    broken = np.flatnonzero(~np.isfinite(norms))
    if broken.size:
        return (
            f"Training diverged at layer {broken[-1] + 1}: its gradient, or the step along it, is "
            "not finite."
        )
    return f"Training diverged at layer {len(net.A)}, the output: the loss is not finite."


def _stuck(net: Parameters, loss: float, norms: FloatArray, shares: FloatArray) -> str | None:
    """Return what to say if the error is large, and saturation has left no gradient."""
    layer = int(np.argmax(shares))
    if shares[layer] <= _STUCK_SHARE or norms.max() > _VANISHED * loss or loss == 0:
        return None
    return (
        f"Training is stuck at layer {layer + 1}: {100 * shares[layer]:.0f} % of its outputs are "
        f"saturated, so {net.activations[layer].sign}′ ≈ 0 and no gradient is left."
    )


# --- from a network and data to a training ------------------------------------


def train(
    net: Parameters, x: ArrayLike, y: ArrayLike, held_out: Any, options: FitOptions
) -> History:
    """Train a network; see :meth:`backprop_nb.Network.fit`, which this is."""
    data, rest = data_of(net, x, y, options.batch_size), None
    if isinstance(held_out, (tuple, list)) and len(held_out) == 2:
        names = ("validation[0]", "validation[1]")
        rest = data_of(net, held_out[0], held_out[1], None, names, data.dtype)
        rest.check()
    elif held_out is not None:
        expected = "a share between 0 and 1, or a pair (x, y)"
        _check("validation", held_out, expected, lambda share: 0 < share < 1)
        data, rest = data.split(held_out, options.seed)
    descent = Descent(net, data, rest, options)
    warn_of_prospects(net, descent.sample, descent.initially, (x, y))
    return descent.run()


def data_of(
    net: Parameters,
    x: ArrayLike,
    y: ArrayLike,
    batch_size: BatchSize,
    names: tuple[str, str] = ("x", "y"),
    dtype: DTypeLike | None = None,
) -> Data:
    """Return data that fit the network, in which NaN and infinity of x may be yet to be found.

    ``dtype`` is that in which the network will compute, if `x` does not tell it.
    """
    if validation.is_chunked(x, y):
        return chunks_of(net, x, y, batch_size, names)
    size = _USUAL_SIZE if batch_size == "auto" else batch_size
    x, y = net.checked_data(x, y, names, dtype)
    data = ArrayData(net, x, y, size, name=names[0], dtype=dtype)
    if len(net.A[0]) == 1:  # a product by a single 0 is skipped, and infinity with it
        data.check()
    return data


def chunks_of(
    net: Parameters,
    x: Any,
    y: Any,
    batch_size: BatchSize = None,
    names: tuple[str, str] = ("x", "y"),
) -> Chunks:
    """Return Dask arrays as data; Dask is loaded on this first use."""
    from backprop_nb.network.chunks import Chunks

    return Chunks(net, x, y, batch_size, names)


def outputs_of(
    of: Callable[..., FloatArray], A: Sequence[FloatArray], b: Sequence[FloatArray], x: Any
) -> Any:
    """Return the outputs of a Dask array as one; Dask is loaded on this first use."""
    from backprop_nb.network.chunks import outputs

    return outputs(of, A, b, x)

"""More data than memory: Dask arrays, a chunk of rows at a time.

The loss of a batch is a mean over its rows, so its gradient is a sum of sums:
each chunk's is computed where the chunk lies, and only numbers as many as the
network has parameters travel.  On a cluster (the active
``dask.distributed.Client``) or on this machine's threads, Dask decides what
runs where, and runs again what a lost worker has taken with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import dask.array as da
import numpy as np
from dask.base import compute, get_scheduler
from dask.core import flatten as each_of
from dask.delayed import Delayed, delayed
from dask.optimization import cull

from backprop_nb.errors import BackpropError, InvalidValueError, ShapeError, UnsupportedError
from backprop_nb.network import validation
from backprop_nb.network.base import Parameters
from backprop_nb.network.history import SAMPLE
from backprop_nb.network.protocols import BatchSize, BatchStep, Sample
from backprop_nb.network.theta import flatten, unflatten
from backprop_nb.network.validation import FloatArray, Watch

_TOGETHER = 8
"""The sums of so many chunks are added by one task, and make a step if nothing is said ..."""

_MOST_SUMS = 64
"""... unless there would be more than so many to add here."""

# --- what runs where the chunks lie ------------------------------------------


class Sums(NamedTuple):
    """What a chunk, or several, add to the whole: sums over rows, not means."""

    loss: float
    gradient: FloatArray
    rows: int
    bad: tuple[int, ...] = ()
    """The chunks that a network would refuse, or warn of, by number."""


def chunk_sums(net: Parameters, k: int, x: Any, y: Any) -> Sums:
    """Return the sums of chunk number `k`."""
    A, b = net.parameters()
    with np.errstate(all="ignore"):  # NaN and infinity are reported by their place
        x, y = (np.atleast_2d(np.asarray(rows, A[0].dtype)) for rows in (x, y))
        fits = x.shape == (len(x), net.widths[0]) and y.shape == (len(x), net.widths[-1])
        if len(x) == 0 or not fits:
            nothing = np.zeros_like(flatten(A, b))
            return Sums(0.0, nothing, 0, () if fits else (k,))
        loss, dA, db, fine = net.compute(A, b, x, y, 1)
    bad = () if fine or _is_allowed(net, x, y) else (k,)
    return Sums(loss, flatten(dA, db), len(x), bad)


def _is_allowed(net: Parameters, x: FloatArray, y: FloatArray) -> bool:
    try:
        net.checked(x, y, watch=validation.refuse_unless_finite)
    except BackpropError:
        return False
    return True


def add_sums(parts: Sequence[Sums]) -> Sums:
    """Return the sum of sums."""
    losses, gradients, rows, bad = zip(*parts, strict=True)
    return Sums(sum(losses), np.sum(gradients, axis=0), sum(rows), sum(bad, ()))


# --- data in chunks ----------------------------------------------------------


class Chunks:
    """Data in chunks of rows, for one network, whose widths they must fit.

    At least one of `x` and `y` is a Dask array; the other is cut alike.  A step takes
    the fewest chunks that hold `size` rows; or, by default, eight; or all.
    """

    def __init__(
        self,
        net: Parameters,
        x: Any,
        y: Any,
        size: BatchSize = None,
        names: tuple[str, str] = ("x", "y"),
    ) -> None:
        self.net, self.size, self.names = net, size, names
        written = y
        x, y = (_as_array(name, value) for name, value in zip(names, (x, y), strict=True))
        A, _ = net.parameters()
        validation.check_input_shape(x, A, names[0])
        validation.check_target_shape(y, x, A, names, written)
        x, y = (array[None] if array.ndim == 1 else array for array in (x, y))
        x, y = _cut_alike(x, y, names)
        self.dtype = net.dtype_for(x)
        known = not validation.has_unknown_length(x, y)
        self.rows: list[float] = list(x.chunks[0]) if known else [math.nan] * x.numblocks[0]
        self.pairs = list(zip(_chunks_of(x), _chunks_of(y), strict=True))

    # --- what training asks for ---

    def check(self) -> None:
        """Do nothing: each chunk is checked where it lies, as it is met."""

    def steps(self, random: np.random.Generator) -> Iterator[BatchStep]:
        """Yield the steps of one epoch: whole chunks, in an order drawn from `random`."""
        if self.size is None:
            yield partial(self._step, range(len(self.pairs)))
            return
        n = len(self.pairs)
        lengths, enough = ([1] * n, _TOGETHER) if self.size == "auto" else (self.rows, self.size)
        together: list[int] = []
        rows = 0.0
        for k in random.permutation(n).tolist():
            together.append(k)
            rows += lengths[k]
            if not rows < enough:  # a chunk of unknown length, NaN, is long enough
                yield partial(self._step, together)
                together, rows = [], 0.0
        if together:
            yield partial(self._step, together)

    def _step(self, chunks: Sequence[int], rate: float) -> tuple[float, FloatArray, int]:
        sums = self.sums(chunks, validation.refuse_unless_finite)
        rows = max(1, sums.rows)
        return sums.loss / rows, sums.gradient * (rate / rows), sums.rows

    def loss(self, watch: Watch = validation.refuse_unless_finite) -> float:
        """Return the network's loss over all rows."""
        return self._over_all(watch)[0]

    def loss_and_gradient(self) -> tuple[float, list[FloatArray], list[FloatArray]]:
        """Return the loss over all rows and its gradient; warn of NaN and infinity."""
        loss, gradient = self._over_all(validation.warn_unless_finite)
        return loss, *unflatten(gradient, self.net.widths, bool(self.net.b))

    def _over_all(self, watch: Watch) -> tuple[float, FloatArray]:
        sums = self.sums(range(len(self.pairs)), watch)
        if sums.rows == 0:
            raise self._nothing()
        loss = sums.loss / sums.rows
        if watch is validation.warn_unless_finite and not sums.bad:
            validation.warn_of_overflow(loss, sums.gradient.dtype)
        return loss, sums.gradient / sums.rows

    def sample(self) -> Sample:
        """Return the first rows of the first chunk that has any."""
        for k, (x, y) in enumerate(self.pairs):
            first, targets = (
                np.asarray(rows, self.net.A[0].dtype) for rows in compute(x[:SAMPLE], y[:SAMPLE])
            )
            if len(first):
                if not np.isfinite(first).all():
                    self._check_chunk(k, validation.refuse_unless_finite)
                return Sample(first, targets, targets)
        raise self._nothing()

    def split(self, share: float, seed: Any) -> tuple[Chunks, Chunks]:
        """Say what to write: rows cannot be drawn from chunks without reading them all."""
        raise InvalidValueError(
            "`validation` cannot be a share of a Dask array.",
            given=f"validation = {share!r}",
            expected="other rows, as a pair",
            instead="validation=(x[:n], y[:n]), and x[n:], y[n:] to train on",
        )

    # --- the sums ---

    def sums(self, chunks: Sequence[int], watch: Watch) -> Sums:
        """Return the sums over some of the chunks, once the data in them are allowed."""
        # A task of its own: the graph holds the parameters once, not once per chunk.
        net = delayed(self.net, pure=False)
        one, add = (delayed(function, pure=False) for function in (chunk_sums, add_sums))
        size = max(_TOGETHER, -(-len(chunks) // _MOST_SUMS))
        groups = (chunks[k : k + size] for k in range(0, len(chunks), size))
        parts = [add([one(net, k, *self.pairs[k]) for k in group]) for group in groups]
        sums = add_sums(_results(parts))
        if sums.bad:
            self._check_chunk(min(sums.bad), watch)
        return sums

    def _check_chunk(self, k: int, watch: Watch) -> None:
        """Fetch a chunk, and say of it what is said of data in memory."""
        x, y = compute(*self.pairs[k])
        start = sum(self.rows[:k])
        stop = start + self.rows[k]
        rows = f".blocks[{k}]" if math.isnan(stop) else f"[{start}:{stop}]"
        names = self.names[0] + rows, self.names[1] + rows
        self.net.checked(x, y, names, watch)

    def _nothing(self) -> InvalidValueError:
        return InvalidValueError(
            f"`{self.names[0]}` is empty.",
            given=f"{self.names[0]} of {len(self.pairs)} chunks without rows",
            expected="at least one row",
        )


def _results(tasks: list[Any]) -> Sequence[Any]:
    """Return what the tasks return, each fetched once it is there, so that no worker loses it."""
    client = getattr(get_scheduler(), "__self__", None)  # that of a cluster, if there is one
    if client is None:
        results: Sequence[Any] = compute(*tasks)
        return results
    from distributed import as_completed

    futures, found = client.compute(tasks), {}
    try:
        for future, result in as_completed(futures, with_results=True):
            found[future.key] = result
            future.release()
    finally:
        for future in futures:
            future.release()
    return [found[future.key] for future in futures]


# --- the outputs ---


def outputs(
    of: Callable[..., FloatArray], A: Sequence[FloatArray], b: Sequence[FloatArray], x: Any
) -> Any:
    """Return f_K(θ, x) as a Dask array, in the chunks of rows of `x`, with the parameters of now.

    `of` computes it of rows in memory.
    """
    x = _as_array("x", x)
    validation.check_input_shape(x, A)
    rows = x[None] if x.ndim == 1 else x
    theta = delayed(([A_i.copy() for A_i in A], [b_i.copy() for b_i in b]), pure=False)
    shape = {"chunks": (rows.chunks[0], (len(A[-1]),)), "meta": np.empty((0, 0), A[0].dtype)}
    f_K = rows.rechunk({1: -1}).map_blocks(_outputs_of_chunk, of, theta, **shape)
    return f_K if rows is x else f_K[0]


def _outputs_of_chunk(x: Any, of: Callable[..., FloatArray], theta: tuple[Any, Any]) -> FloatArray:
    A, b = theta
    with np.errstate(all="ignore"):
        return of(A, b, np.asarray(x, A[0].dtype))


# --- arrays of Dask ---


def _as_array(name: str, value: Any) -> Any:
    """Return a Dask array of real numbers as it is, and what is in memory as a NumPy array."""
    if not validation.is_chunked(value):
        array: Any = np.atleast_1d(validation.as_floats(name, value))
    elif isinstance(value, da.Array):
        array = value if value.ndim else value[None]
        validation.check_real(name, array, f"{name}.astype(float)")
    else:
        raise UnsupportedError(
            f"`{name}` must be an array.",
            given=f"{name} of type {type(value).__name__}",
            expected="a Dask array, or data in memory",
            instead=f"{name}.to_dask_array()" if hasattr(type(value), "to_dask_array") else None,
        )
    validation.check_observations(name, array)
    return array


def _cut_alike(x: Any, y: Any, names: tuple[str, str]) -> tuple[da.Array, da.Array]:
    """Return x and y as Dask arrays, the same whole rows in each chunk."""
    if not validation.has_unknown_length(x, y):
        rows = (x if isinstance(x, da.Array) else y).chunks[0]
        return _cut(x, rows), _cut(y, rows)
    blocks = [each.numblocks[0] if isinstance(each, da.Array) else 0 for each in (x, y)]
    if blocks[0] == blocks[1]:
        return x.rechunk({1: -1}), y.rechunk({1: -1})
    raise ShapeError(
        f"`{names[0]}` and `{names[1]}` cannot be cut alike, since the lengths of chunks are "
        "unknown.",
        given=", ".join(
            f"{name} of shape {each.shape} {f'in {n} chunks' if n else 'in memory'}"
            for name, each, n in zip(names, (x, y), blocks, strict=True)
        ),
        expected="known lengths, or the same chunks of rows in both",
        instead=" and ".join(
            f"{name}.compute_chunk_sizes()"
            for name, each in zip(names, (x, y), strict=True)
            if validation.has_unknown_length(each)
        ),
    )


def _cut(array: Any, rows: tuple[int, ...]) -> Any:
    if isinstance(array, da.Array):
        return array.rechunk((rows, -1))
    return da.from_array(array, (rows, -1), name=False)  # no name: it would be a hash of all of it


def _chunks_of(array: da.Array) -> list[Any]:
    """Return each chunk with the tasks that make it, and no others."""
    tasks = dict(array.__dask_graph__())
    return [Delayed(key, cull(tasks, [key])[0]) for key in each_of(array.__dask_keys__())]

"""More data than memory: Dask arrays, a chunk of rows at a time.

The loss of a batch is a mean over its rows, so its gradient is a sum of sums:
each chunk's is computed where the chunk lies, and only numbers as many as the
network has parameters travel.  On a cluster (the active
``dask.distributed.Client``) or on this machine's threads, Dask decides what
runs where, and runs again what a lost worker has taken with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import dask.array as da
import numpy as np
from dask.base import compute
from dask.delayed import delayed

from backprop_nb.errors import InvalidValueError, ShapeError, warn
from backprop_nb.network import validation
from backprop_nb.network.theta import flatten, unflatten
from backprop_nb.network.validation import FloatArray

if TYPE_CHECKING:
    from backprop_nb.network.fast import Pass
    from backprop_nb.network.sigmoid import SigmoidNetwork

_FAN_IN = 8
"""So many chunks' sums are added by one task."""


class Sums(NamedTuple):
    """What a chunk, or several, add to the whole: sums over rows, not means."""

    loss: float
    gradient: FloatArray
    rows: int
    bad: tuple[int, ...]
    """The chunks with NaN or infinity in them, by number."""


def chunk_sums(
    fast: Pass, theta: FloatArray, widths: Sequence[int], k: int, x: Any, y: Any
) -> Sums:
    """Return the sums of chunk number `k`, where it lies."""
    x, y = (np.asarray(rows, theta.dtype) for rows in (x, y))
    if len(x) != len(y):
        raise ShapeError(
            f"Chunk {k} of x has {len(x)} rows, that of y has {len(y)}.",
            given=f"x of shape {x.shape}, y of shape {y.shape} in chunk {k}",
            expected="one target per row",
        )
    if len(x) == 0:
        return Sums(0.0, np.zeros_like(theta), 0, ())
    loss, dA, db, finite = fast(*unflatten(theta, widths), x, y, 1)
    return Sums(loss, flatten(dA, db), len(x), () if finite else (k,))


def add_sums(parts: Sequence[Sums]) -> Sums:
    """Return the sum of sums."""
    losses, gradients, rows, bad = zip(*parts, strict=True)
    return Sums(sum(losses), np.sum(gradients, axis=0), sum(rows), sum(bad, ()))


class Chunks:
    """Data in chunks of rows, for one network.

    Parameters
    ----------
    net
        The network the data are for; they are checked against its widths.
    x, y
        Arrays, at least one of them a Dask array; the other is cut alike.
    size
        A step takes the fewest chunks that hold so many rows; None takes all.
    names
        What to call x and y in a message.
    """

    def __init__(
        self,
        net: SigmoidNetwork,
        x: Any,
        y: Any,
        size: int | None = None,
        names: tuple[str, str] = ("x", "y"),
    ) -> None:
        self.net, self.size, self.names = net, size, names
        x, y = (self._with_columns(*each) for each in zip(names, (x, y), (0, -1), strict=True))
        x, y = self._cut_alike(x, y)
        self.pairs = list(zip(x.to_delayed().ravel(), y.to_delayed().ravel(), strict=True))
        self.rows: list[float] = list(x.chunks[0])

    def _with_columns(self, name: str, array: Any, layer: int) -> Any:
        """Return the array as a Dask array with whole rows, once its columns fit."""
        array = array if validation.is_chunked(array) else da.from_array(np.asarray(array))
        n = self.net.widths[layer]
        if array.ndim != 2 or array.shape[1] != n:
            raise ShapeError(
                f"{name} does not fit this network of widths {self.net.widths}.",
                given=f"{name} of shape {array.shape}",
                expected=f"{name} of shape (N, {n}), one row per "
                + ("input" if layer == 0 else "target"),
            )
        if array.dtype.kind not in "fbiu":
            validation.as_floats(name, np.empty(0, array.dtype))  # which says what is wrong
        return array.rechunk({1: -1})

    def _cut_alike(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return x and y with the same rows in each chunk, if their lengths are known."""
        known = not np.isnan([*x.chunks[0], *y.chunks[0]]).any()
        fits = len(x) == len(y) if known else x.numblocks[0] == y.numblocks[0]
        if not fits:
            x_name, y_name = self.names
            raise ShapeError(
                f"{x_name} and {y_name} do not have the same rows.",
                given=f"{x_name} of shape {x.shape} in {x.numblocks[0]} chunks, "
                f"{y_name} of shape {y.shape} in {y.numblocks[0]} chunks",
                expected="one target per row",
            )
        if known and len(x) == 0:
            raise InvalidValueError(
                f"{self.names[0]} is empty.",
                given=f"{self.names[0]} of shape {x.shape}",
                expected="at least one row",
            )
        return x, y.rechunk({0: x.chunks[0]}) if known else y

    # --- what training asks for ---

    def steps(self, random: np.random.Generator) -> Iterator[Any]:
        """Yield the steps of one epoch: whole chunks, in an order drawn from `random`."""
        if self.size is None:
            yield partial(self._step, list(range(len(self.pairs))))
            return
        together: list[int] = []
        for k in random.permutation(len(self.pairs)).tolist():
            together.append(k)
            # A chunk of unknown length counts as long enough.
            if not sum(self.rows[j] for j in together) < self.size:
                yield partial(self._step, together)
                together = []
        if together:
            yield partial(self._step, together)

    def _step(
        self, chunks: list[int], A: list[FloatArray], b: list[FloatArray]
    ) -> tuple[float, FloatArray, int]:
        sums = self.sums(chunks, A, b)
        self._refuse_bad(sums)
        rows = max(1, sums.rows)
        return sums.loss / rows, sums.gradient / np.asarray(rows, sums.gradient.dtype), sums.rows

    def loss(self) -> float:
        """Return the network's loss over all rows."""
        sums = self.sums(range(len(self.pairs)), self.net.A, self.net.b)
        return sums.loss / max(1, sums.rows)

    def sample(self) -> FloatArray:
        """Return the first rows of the first chunk that has any."""
        for x, _ in self.pairs:
            (rows,) = compute(x[:256])
            if len(rows):
                found: FloatArray = np.asarray(rows, self.net.A[0].dtype)
                return found
        raise self._nothing()

    def split(self, share: float, seed: Any) -> tuple[Chunks, Chunks]:
        """Say what to write: rows cannot be drawn from chunks without reading them all."""
        raise InvalidValueError(
            "A share of a Dask array cannot be held out.",
            given=f"validation = {share!r}",
            expected="other rows, as a pair",
            instead="validation=(x[:n], y[:n]), and x[n:], y[n:] to train on",
        )

    # --- the sums ---

    def sums(self, chunks: Sequence[int], A: list[FloatArray], b: list[FloatArray]) -> Sums:
        """Return the sums over some of the chunks."""
        theta = delayed(flatten(A, b), pure=False)
        one = delayed(chunk_sums, pure=False)
        fast, widths = self.net._fast, self.net.widths
        level = [one(fast, theta, widths, k, *self.pairs[k]) for k in chunks]
        add = delayed(add_sums, pure=False)
        while len(level) > 1:
            level = [add(level[k : k + _FAN_IN]) for k in range(0, len(level), _FAN_IN)]
        sums: Sums = compute(level[0])[0]
        if sums.rows == 0 and len(chunks) == len(self.pairs):
            raise self._nothing()
        return sums

    def _nothing(self) -> InvalidValueError:
        return InvalidValueError(
            f"{self.names[0]} is empty.",
            given=f"{len(self.pairs)} chunks without rows",
            expected="at least one row",
        )

    def _refuse_bad(self, sums: Sums) -> None:
        if sums.bad and np.isfinite(flatten(self.net.A, self.net.b)).all():
            k = min(sums.bad)
            x, y = self.names
            raise InvalidValueError(
                f"Chunk {k} of {x} or {y} holds NaN or infinity: one step, and every parameter "
                "would be.",
                given=f"{len(sums.bad)} such chunks of {len(self.pairs)}",
                expected="finite numbers",
                instead=f"look at {x}.blocks[{k}] and {y}.blocks[{k}]",
            )


def loss_and_gradient(
    net: SigmoidNetwork, x: Any, y: Any
) -> tuple[float, list[FloatArray], list[FloatArray]]:
    """Return the loss and its gradient over all chunks; see the network's method."""
    A, b = net._parameters()
    data = Chunks(net, x, y)
    sums = data.sums(range(len(data.pairs)), A, b)
    if sums.bad:
        warn(
            f"Chunk {min(sums.bad)} of x or y holds NaN or infinity: "
            "what is computed from it means nothing."
        )
    gradient = sums.gradient / np.asarray(sums.rows, sums.gradient.dtype)
    return sums.loss / sums.rows, *unflatten(gradient, net.widths)

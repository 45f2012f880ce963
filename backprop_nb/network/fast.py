"""The backward pass at full speed: the plain one's numbers, in buffers that are used again.

The pass to read is :func:`backprop_nb.network.passes.backward_pass`.  This one
does the same sums with less around them, and a test pins it to the other:

- every f_i, every slope and every δ_i is written into a buffer from the last call;
- the slopes of all hidden layers are computed at once, since their buffers lie side by side;
- where these are too large for the cache, a few rows go through all that is done with each number;
- which calls there are is settled once, for as long as the parameters are the same arrays;
- 1 / (1 + e^(−z)) is taken as it stands: where e^(−z) is too large for a float
  it is infinite, and 1 / ∞ = 0 is what σ rounds to there;
- a batch too large for the buffers goes through them in blocks of rows.

What is returned is never a buffer, so a later call changes no earlier result, unless
the caller hands over arrays for the gradient, as training does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, pairwise
from math import isfinite
from operator import is_
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from backprop_nb.network.activations import LEAK
from backprop_nb.network.general import IN_CACHE, GeneralPasses, most_rows
from backprop_nb.network.validation import FloatArray, converted

PassResult: TypeAlias = tuple[float, list[FloatArray], list[FloatArray], bool]
"""The loss, its gradient for every ``A[i]`` and ``b[i]``, and whether there is no reason to check
`x` and `y`: all of it is free of NaN and infinity, and no probabilities are asked for."""

Into: TypeAlias = list[FloatArray]
"""Arrays for the gradient for every ``A[i]``, then every ``b[i]``, to be written into."""

BoundPass: TypeAlias = Callable[[FloatArray, FloatArray, float], tuple[Any, ...]]
"""From x, y and N to the loss, which comes first; the gradient lies where it was asked for."""

Call: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]
"""What is called, and with which arguments."""

_THREADED = 2**18
"""From so many numbers on OpenBLAS wakes its threads for a sum, which takes longer than the sum."""

_REPEATED = 2**12
"""Up to so many numbers b is written for every row by a product, since NumPy takes three times as
long for two arrays of different shapes as for two of one."""

_QUIET = partial(np.errstate, all="ignore")
"""Under- and overflow are what is wanted of e^(−z), see above.  NaN and infinity in the data are
for the caller to report, with their place."""

_TOGETHER = 2**15
"""Of so many numbers two arrays and the next to be read lie in the cache of one processor."""

_MAX_BUFFERS = 4
"""Buffers for so many different numbers of rows are stored."""


class FastPass:
    """The loss and its gradient, for one network's widths and choices.

    Safe in threads: a call takes its buffers out of the store and puts them back.

    Parameters
    ----------
    widths : tuple of int
    passes : GeneralPasses
        The plain ones, whose activation, output, loss and bias these are.

    Examples
    --------
    >>> passes = GeneralPasses("sigmoid", "sigmoid", "squared error", bias=True)
    >>> A, b, x, y = [np.array([[0.0]])], [np.array([0.0])], np.array([3.0]), np.array([1.0])
    >>> FastPass((1, 1), passes)(A, b, x, y)
    (0.25, [array([[-0.75]])], [array([-0.25])], True)
    """

    def __init__(self, widths: tuple[int, ...], passes: GeneralPasses) -> None:
        self._widths, self._passes = widths, passes
        self._n_0, self._n_K = widths[0], widths[-1]
        self.max_rows = most_rows(sum(widths[1:]))
        self._store: dict[tuple[int, Any], Buffers] = {}
        self._seen: tuple[list[FloatArray], list[FloatArray]] = ([], [])

    def __reduce__(self) -> tuple[Any, ...]:
        return FastPass, (self._widths, self._passes)  # a copy starts with buffers of its own

    def remember(self, A: Iterable[FloatArray], b: Iterable[FloatArray]) -> None:
        """Note that these very arrays fit the widths and have one dtype."""
        self._seen = (list(A), list(b))

    def fits(self, A: Any, b: Any, x: Any, y: Any) -> bool:
        """Return whether a call can do without the checks, which would find nothing.

        That is so if the parameters are the ones remembered, and `x` and `y`
        are arrays of their dtype and of shapes that fit.
        """
        seen_A, seen_b = self._seen
        if not (
            type(A) is type(b) is list
            and len(A) == len(seen_A)
            and len(b) == len(seen_b)
            and all(map(is_, A, seen_A))
            and all(map(is_, b, seen_b))
            and type(x) is type(y) is np.ndarray
            and x.dtype == y.dtype == A[0].dtype
        ):
            return False
        if x.ndim == 2:
            rows = len(x)
            return x.shape[1] == self._n_0 and y.shape == (rows, self._n_K) and rows > 0
        return bool(x.shape == (self._n_0,) and y.shape == (self._n_K,))

    def __call__(
        self,
        A: Sequence[FloatArray],
        b: Sequence[FloatArray],
        x: FloatArray,
        y: FloatArray,
        N: float | None = None,
        into: Into | None = None,
    ) -> PassResult:
        """Return the loss and its gradient from arrays that fit: sums over rows, divided by `N`.

        `N` is the number of rows the mean is taken over, if there are others than these.
        The gradient is written `into` arrays, if there are any; then what is out of range
        is not kept quiet here, and `x` and `y` count as checked.
        """
        rows = 1 if x.ndim == 1 else len(x)
        N = N or rows
        if rows > self.max_rows:
            return self._in_blocks(A, b, x, y, N, into)
        if rows == 1 and x.ndim == 2:
            x, y = x[0], y[0]
        key = (rows, x.dtype)
        buffers = self._store.pop(key, None) or Buffers(self._widths, rows, x.dtype, self._passes)
        buffers.bind(A, b, into)
        if into is None:
            with _QUIET():
                loss, gradient = buffers.run(x, y, N)
                # Infinity in x reaches every row of ∂L/∂A_0, a sum of products of x, but a product
                # by a single 0 is skipped.  One row instead of x saves a large network 2%.
                tell = x.ravel("K") if self._widths[1] == 1 else gradient[0][0]
                finite = not buffers.surprise and isfinite(loss + tell.dot(tell))
        else:
            (loss, gradient), finite = buffers.run(x, y, N), False
        if len(self._store) >= _MAX_BUFFERS:
            self._store.clear()
        self._store[key] = buffers
        return loss, gradient[: len(A)], gradient[len(A) :], finite

    def of_stored(
        self, A: Sequence[FloatArray], b: Sequence[FloatArray], x: FloatArray, y: FloatArray
    ) -> tuple[float, list[FloatArray], list[FloatArray]]:
        """Return the same of data in any dtype, of which there is no copy but of some rows."""
        x, y = np.atleast_2d(x, y)
        return self._in_blocks(A, b, x, y, len(x), None)[:3]

    def bound(
        self, A: Sequence[FloatArray], b: Sequence[FloatArray], rows: int, into: Into
    ) -> BoundPass:
        """Return the pass of a batch of `rows` rows with these very arrays, in its own buffers.

        What a call looks up is settled: with few rows that is a sixth of its time.
        """
        if rows > self.max_rows:
            return partial(self, A, b, into=into)
        buffers = Buffers(self._widths, rows, A[0].dtype, self._passes)
        buffers.bind(A, b, into)
        if rows == 1:
            return lambda x, y, N: buffers.run(x[0], y[0], N)
        return buffers.run

    def _in_blocks(
        self,
        A: Sequence[FloatArray],
        b: Sequence[FloatArray],
        x: FloatArray,
        y: FloatArray,
        N: float,
        into: Into | None,
    ) -> PassResult:
        blocks = (slice(k, k + self.max_rows) for k in range(0, len(x), self.max_rows))
        dtype = A[0].dtype
        batches = ((converted(x[rows], dtype), converted(y[rows], dtype)) for rows in blocks)
        loss, dA, db, finite = self(A, b, *next(batches), N, into)
        for part_x, part_y in batches:
            part, dA_part, db_part, finite_part = self(A, b, part_x, part_y, N)
            loss, finite = loss + part, finite and finite_part
            for total, more in zip(dA + db, dA_part + db_part, strict=True):
                total += more
        return loss, dA, db, finite


class LayerRows(NamedTuple):
    """Some rows of a layer's buffers; `z` and `spare` may be those of other rows, too."""

    f: FloatArray
    delta: FloatArray
    z: FloatArray
    spare: FloatArray


class Buffers:
    """All that a pass over `rows` rows writes, side by side layer after layer, and its calls.

    ``f[i]``, ``slope[i]`` and ``delta[i]`` belong to layer i + 1 of the document.
    They are vectors for one row, so that a product is one of a matrix and a
    vector, and (rows, n) for more.  Until its slope and its δ are known, a layer has
    its pre-activations in their place.
    """

    def __init__(self, widths: Sequence[int], rows: int, dtype: Any, passes: GeneralPasses) -> None:
        ends = list(accumulate((rows * n for n in widths[1:]), initial=0))
        self.all_f, self.all_slope, self.all_delta = np.empty((3, ends[-1]), dtype)
        self.f, self.slope, self.delta = (
            [
                flat[start:end].reshape((rows, n) if rows > 1 else n)
                for (start, end), n in zip(pairwise(ends), widths[1:], strict=True)
            ]
            for flat in (self.all_f, self.all_slope, self.all_delta)
        )
        self.hidden, self.last = slice(ends[-2]), slice(ends[-2], None)
        self.last_delta, self.last_slope = self.all_delta[self.last], self.all_slope[self.last]
        # The same memory, always with one row per input: for the outer products.
        self.f_rows = [f.reshape(rows, -1) for f in self.f]
        self.delta_rows = [delta.reshape(rows, -1) for delta in self.delta]
        self.single = rows == 1
        self.ones = np.ones(rows, dtype)
        # Without a dimension: NumPy is quicker with these than with numbers.
        self.zero, self.one, self.leak, self.factor = (
            np.array(number, dtype) for number in (0, 1, LEAK, 0)
        )
        self.names = [*[passes.activation] * (len(self.f) - 1), passes.output]
        self.bias, self.surprise = passes.bias, passes.loss_name == "cross-entropy"
        self.repeated = [rows > 1 and f.size <= _REPEATED for f in self.f]
        self.top, self.total = np.empty((2, *self.f[-1].shape[:-1], 1), dtype)
        self.in_cache = ends[-1] <= IN_CACHE
        self.rows = [list(self._rows(i)) for i in range(len(self.f))]
        self.layers = [
            [list(self._layer(i, part)) for part in of] for i, of in enumerate(self.rows)
        ]
        self.slopes = list(self._slopes()) if self.in_cache else []
        self.parameters: list[FloatArray] = []
        self.into: Into | None = None

    def _rows(self, i: int) -> Iterator[LayerRows]:
        """Yield the rows of a layer that are computed together, from their products on."""
        f, delta, spare = self.f[i], self.delta[i], self.slope[i]
        all_needed = f is self.f[-1] and (self.surprise or self.names[i] == "softmax")
        if self.in_cache or self.single or all_needed:
            yield LayerRows(f, delta, delta, spare)
            return
        size = max(1, _TOGETHER // f.shape[-1])
        for start in range(0, len(f), size):
            part = f[start : start + size]
            n = len(part)
            yield LayerRows(part, delta[start : start + n], delta[:n], spare[:n])

    def bind(self, A: Sequence[FloatArray], b: Sequence[FloatArray], into: Into | None) -> None:
        """Settle the calls of a pass with these very arrays, whatever will stand in them.

        To look them up at each pass would take a small network a sixth of its time.
        A list of arrays to write into keeps the arrays that it has.
        """
        parameters, bound = [*A, *b], self.parameters
        same = len(parameters) == len(bound) and all(map(is_, parameters, bound))
        if same and into is self.into:
            return
        self.parameters, self.into = parameters, into
        self.forward, self.backward = self._forward(A, b), self._backward(A)
        self.gradient = self._gradient(into)

    def _forward(self, A: Sequence[FloatArray], b: Sequence[FloatArray]) -> list[Call]:
        """Return the calls from A_0 x on."""
        self.A_0_T = A[0].T
        calls: list[Call] = []
        for i in range(len(self.f)):
            if i > 0:
                calls.append((self.f[i - 1].dot, (A[i].T, self.f[i])))
            calls += self._to_f(i, b[i] if self.bias else None)
        return calls + self.slopes

    def _to_f(self, i: int, b_i: FloatArray | None) -> Iterator[Call]:
        """Yield the calls from A f over z = A f + b, which for σ is −z, to f.

        ``a.dot(b)`` does what ``a @ b`` does, at half the cost for a small layer.
        """
        sign = -1 if self.names[i] == "sigmoid" else 1
        signed, biased = (np.negative, np.subtract) if sign < 0 else (np.positive, np.add)
        if b_i is not None:
            signed_b = self.slope[i] if self.repeated[i] else np.empty_like(b_i)
            if self.repeated[i]:
                yield (sign * self.ones[:, None]).dot, (b_i[None], signed_b)
            else:
                yield signed, (b_i, signed_b)
        for rows, calls in zip(self.rows[i], self.layers[i], strict=True):
            if b_i is None:
                yield signed, (rows.f, rows.z)
            else:
                yield biased, (signed_b, rows.f, rows.z)
            yield from calls

    def _layer(self, i: int, rows: LayerRows) -> Iterator[Call]:
        """Yield the calls from z to f, and for σ from −z; see ``activations.py`` for what they do.

        Few calls write where they read: for a single number NumPy would make a
        copy first.  ``1 / a`` does what ``np.reciprocal(a)`` does, at half the cost for a large
        layer.
        """
        f, _, z, spare = rows
        match self.names[i]:
            case "sigmoid":
                if self.surprise and i == len(self.f) - 1:
                    yield np.negative, (z, spare)  # z itself, for the loss
                yield np.exp, (z, f)
                yield np.add, (f, self.one, z)
                yield np.divide, (self.one, z, f)  # σ(z) = 1 / (1 + e^(−z))
            case "tanh":
                yield np.tanh, (z, f)
            case "relu":
                yield partial(np.maximum, out=f), (z, self.zero)
            case "leaky relu":
                yield np.multiply, (z, self.leak, spare)
                yield partial(np.maximum, out=f), (z, spare)
            case "identity":
                yield np.positive, (z, f)
            case "softmax":
                yield np.maximum.reduce, (z, -1, None, self.top, True)
                yield np.subtract, (z, self.top, spare)  # stays there, for the loss
                yield np.exp, (spare, z)
                yield self._total(z)
                yield np.divide, (z, self.total, f)

    def _total(self, of: FloatArray) -> Call:
        """Return the call for the sum of each row of the output layer."""
        if of.size < _THREADED:
            total = self.total.reshape(of.shape[:-1])
            return of.dot, (np.ones(of.shape[-1], of.dtype), total)
        return np.add.reduce, (of, -1, None, self.total, True)

    def _slopes(self) -> Iterator[Call]:
        """Yield the calls for ∂f/∂z, at once for all layers that apply the same."""
        *hidden, output = self.names
        if not self.surprise and {output} == {*hidden, output}:
            yield from self._slope(output, self.all_f, self.all_slope)
            return
        if hidden:
            yield from self._slope(hidden[0], self.all_f[self.hidden], self.all_slope[self.hidden])
        if not self.surprise:
            yield from self._slope(output, self.all_f[self.last], self.last_slope)

    def _slope(self, name: str, f: FloatArray, slope: FloatArray) -> Iterator[Call]:
        if name == "sigmoid":
            yield np.subtract, (self.one, f, slope)
            yield np.multiply, (slope, f, slope)  # σ′ = f (1 − f)
        elif name == "tanh":
            yield np.multiply, (f, f, slope)
            yield np.subtract, (self.one, slope, slope)
        elif name in ("relu", "leaky relu"):
            yield np.greater, (f, self.zero, slope)
        if name == "leaky relu":
            yield partial(np.maximum, out=slope), (slope, self.leak)

    def _backward(self, A: Sequence[FloatArray]) -> list[Call]:
        """Return the calls from f_K − y down to every δ."""
        calls = list(self._last_delta())
        for i in range(len(A) - 1, 0, -1):
            calls.append((self.delta[i].dot, (A[i], self.delta[i - 1])))
            for rows in self.rows[i - 1]:
                calls += self._sloped(i - 1, rows)
        return calls

    def _sloped(self, i: int, rows: LayerRows) -> Iterator[Call]:
        """Yield the calls from what comes back to δ, the product with ∂f/∂z."""
        if self.names[i] != "identity":
            if not self.in_cache:
                yield from self._slope(self.names[i], rows.f, rows.spare)
            yield np.multiply, (rows.delta, rows.spare, rows.delta)

    def _last_delta(self) -> Iterator[Call]:
        """Yield the calls from f_K − y to δ_K; the slope cancels in the cross-entropy."""
        f, slope, delta = self.f[-1], self.slope[-1], self.delta[-1]
        if self.surprise or self.names[-1] == "identity":
            yield np.multiply, (delta, self.factor, delta)
        elif self.names[-1] == "softmax":  # ∂f/∂z = diag(f) − f fᵀ
            yield np.multiply, (delta, self.factor, slope)
            yield np.multiply, (slope, f, delta)
            yield self._total(delta)
            yield np.subtract, (slope, self.total, slope)
            yield np.multiply, (slope, f, delta)
        elif self.in_cache:
            yield np.multiply, (delta, self.factor, f)
            yield np.multiply, (f, slope, delta)
        else:
            for rows in self.rows[-1]:
                yield np.multiply, (rows.delta, self.factor, rows.delta)
                yield from self._sloped(-1, rows)

    def _gradient(self, into: Into | None) -> list[Call]:
        """Return the calls for the gradient of all but A_0; settle where it goes, if anywhere."""
        K = len(self.f)
        outs: Sequence[Any] = into or [None] * (K + K * self.bias)
        columns = [delta.T for delta in self.delta_rows]
        self.times_x, self.dA_0 = columns[0].dot, outs[0]
        calls: list[Call] = [
            (column.dot, (f, out))
            for column, f, out in zip(columns[1:], self.f_rows[:-1], outs[1:K], strict=True)
        ]
        return calls + [self._sum(i, out) for i, out in enumerate(outs[K:])]

    def _sum(self, i: int, out: FloatArray | None) -> Call:
        """Return the call for the sum of δ over the rows."""
        rows = self.delta_rows[i]
        if self.single and out is None:
            return self.delta[i].copy, ()
        if rows.size < _THREADED:
            return self.ones.dot, (rows, out)
        return np.add.reduce, (rows, 0, None, out)

    def run(self, x: FloatArray, y: FloatArray, N: float) -> tuple[float, list[Any]]:
        """Return the loss and its gradient: sums over the rows, divided by `N`."""
        x.dot(self.A_0_T, self.f[0])
        for call, arguments in self.forward:
            call(*arguments)
        np.subtract(self.f[-1], y, self.delta[-1])
        if self.surprise:
            loss = self._surprise(y) / N
            self.factor[()] = 1 / N
        else:
            loss = float(self.last_delta.dot(self.last_delta)) / N
            self.factor[()] = 2 / N
        for call, arguments in self.backward:
            call(*arguments)
        dA_0 = self.times_x(x[None] if self.single else x, self.dA_0)
        return loss, [dA_0, *[call(*arguments) for call, arguments in self.gradient]]

    def _surprise(self, y: FloatArray) -> float:
        """Return the cross-entropy from z, which is in the place of the output's slope."""
        z = self.slope[-1]
        if self.names[-1] == "softmax":
            possible = self.ones.dot(np.log(self.total.ravel()))
        else:
            possible = np.logaddexp(0, z).sum()
        return float(possible) - float(self.last_slope.dot(y.ravel()))

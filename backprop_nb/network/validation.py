"""What fits a network and what does not, said at the door.

Each function takes what a user gave, returns it as arrays the network can
compute with, and raises before anything is changed.  A message names the
argument or the parameter (``x``, ``y``, ``A[1]``, ``b[0]``), both shapes, and
what to write instead.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from backprop_nb.errors import (
    DetachedError,
    InvalidValueError,
    NotFoundError,
    ShapeError,
    UnsupportedError,
    warn,
)

FloatArray: TypeAlias = NDArray[np.floating[Any]]

AnyArray: TypeAlias = Any
"""A NumPy or Dask array: only its shape and dtype are looked at."""

# --- widths and scale -------------------------------------------------------


def checked_widths(widths: Iterable[int], *rest: object) -> tuple[int, ...]:
    """Return (n_0, ..., n_K) as a tuple of positive integers, K >= 1.

    ``rest`` is what was given after `widths`: the other widths, if the brackets
    round all of them were forgotten.
    """
    expected = "the width of every layer, input first: at least two positive integers"
    try:
        counts = tuple(widths) if not isinstance(widths, str) else None
    except TypeError:
        counts = None
    if counts is None:
        typed = [n for n in (widths, *rest) if isinstance(n, int)] or [4]
        raise UnsupportedError(
            "widths is not a sequence.",
            given=f"widths = {widths!r}",
            expected=expected,
            instead=_in_brackets(typed),
        )
    if len(counts) < 2:
        raise InvalidValueError(
            "A network needs an input and at least one layer.",
            given=f"widths = {counts!r}",
            expected=expected,
            instead=_in_brackets(counts or [4]),
        )
    return tuple(_checked_width(f"widths[{i}]", n) for i, n in enumerate(counts))


def _in_brackets(typed: Sequence[object]) -> str:
    """Return the network that was meant; one unit follows if only the inputs were given."""
    return f"SigmoidNetwork({(*typed, 1) if len(typed) == 1 else tuple(typed)})"


def _checked_width(name: str, n: object) -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise UnsupportedError(
            f"{name} is not an integer.",
            given=f"{name} = {n!r}",
            expected="a positive integer",
            instead=n if isinstance(n, str) and n.isdecimal() else None,
        )
    if n < 1:
        raise InvalidValueError(
            f"{name} is {n}: a layer without units has nothing to compute.",
            given=f"{name} = {n}",
            expected="a positive integer",
        )
    return int(n)


def checked_scale(scale: float | str | None, n_in: int, n_out: int) -> float:
    """Return the standard deviation of a layer's initial weights: finite, not negative."""
    if scale is None or scale == "xavier":
        return math.sqrt(2 / (n_in + n_out))
    if scale == "document":
        return 1.0
    is_number = isinstance(scale, numbers.Real) and not isinstance(scale, bool)
    if not is_number or not (0 <= float(scale) < math.inf):
        raise InvalidValueError(
            "scale is not a standard deviation.",
            given=f"scale = {scale!r}",
            expected='"xavier", "document", or a finite number that is not negative',
        )
    return float(scale)


def checked_generator(seed: Any) -> np.random.Generator:
    """Return the random generator that `seed` stands for."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise InvalidValueError(
            "seed does not start a random generator.",
            given=f"seed = {seed!r}",
            expected="None, an integer that is not negative, or a numpy.random.Generator",
        ) from None


# --- parameters -------------------------------------------------------------


def new_parameters(
    A: Iterable[ArrayLike], b: Iterable[ArrayLike]
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return copies of `A` and `b`, of one dtype, once every pair of them fits."""
    weights, biases = _as_list("A", A), _as_list("b", b)
    if not weights or len(weights) != len(biases):
        raise ShapeError(
            "A and b do not belong together.",
            given=f"{len(weights)} in A, {len(biases)} in b",
            expected="one A[i] and one b[i] for each of the layers, at least one layer",
        )
    for i in range(len(weights)):
        _check_parameter(f"A[{i}]", weights[i], _MATRIX)
        _check_parameter(f"b[{i}]", biases[i], _VECTOR)
        _check_pair(weights, biases, i)
    for name, array in _named(weights, biases):
        warn_unless_finite(name, array)
    dtype = np.result_type(*weights, *biases)
    return [a.astype(dtype) for a in weights], [c.astype(dtype) for c in biases]


def widths_of(A: Sequence[FloatArray]) -> tuple[int, ...]:
    """Return (n_0, ..., n_K), read from shapes that are known to fit."""
    return (A[0].shape[1], *(a.shape[0] for a in A))


def used_parameters(
    A: Sequence[ArrayLike], b: Sequence[ArrayLike], widths: Sequence[int]
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return a network's own `A` and `b`, which its user may have assigned.

    Nothing is copied as long as all are float arrays of one dtype.
    """
    K = len(widths) - 1
    weights, biases = _as_list("A", A), _as_list("b", b)
    if not len(weights) == len(biases) == K:
        raise ShapeError(
            f"A network of widths {tuple(widths)} has A[0] to A[{K - 1}], and b[0] to b[{K - 1}].",
            given=f"{len(weights)} in A, {len(biases)} in b",
            expected=f"{K} in each",
        )
    for i in range(K):
        _check_assigned(f"A[{i}]", weights[i], (widths[i + 1], widths[i]), widths)
        _check_assigned(f"b[{i}]", biases[i], (widths[i + 1],), widths)
    dtype = np.result_type(*weights, *biases)
    return (
        [a.astype(dtype, copy=False) for a in weights],
        [c.astype(dtype, copy=False) for c in biases],
    )


def _named(A: Sequence[FloatArray], b: Sequence[FloatArray]) -> Iterable[tuple[str, FloatArray]]:
    for i in range(len(A)):
        yield f"A[{i}]", A[i]
        yield f"b[{i}]", b[i]


def _as_list(name: str, values: Iterable[ArrayLike]) -> list[FloatArray]:
    if not isinstance(values, Iterable):
        raise UnsupportedError(
            f"{name} is not a list.",
            given=f"{name} = {values!r}",
            expected="a list with one array per layer",
            instead=f"[{name}]",
        )
    return [as_floats(f"{name}[{i}]", value) for i, value in enumerate(values)]


# What a parameter must be: its number of dimensions, and how to say it.
_MATRIX = (2, "a matrix", "a matrix with one row per unit of the layer")
_VECTOR = (1, "a vector", "a vector with one entry per unit of the layer")


def _check_parameter(name: str, array: FloatArray, what: tuple[int, str, str]) -> None:
    ndim, kind, expected = what
    if array.ndim != ndim:
        flat = _rearranged(name, array, (array.size,)) if ndim == 1 else None
        forgot_list = "[A] and [b], for a network of one layer" if array.ndim == 1 else None
        raise ShapeError(
            f"{name} is not {kind}.",
            given=f"{name} of shape {array.shape}",
            expected=expected,
            instead=flat or forgot_list,
        )
    if array.size == 0:
        raise InvalidValueError(
            f"{name} is empty: a layer without units has nothing to compute.",
            given=f"{name} of shape {array.shape}",
            expected="at least one unit in every layer",
        )


def _check_pair(A: Sequence[FloatArray], b: Sequence[FloatArray], i: int) -> None:
    """A_i maps the n_i outputs of the layer before, and b_i adds to its n_{i+1} rows."""
    rows, columns = A[i].shape
    if len(b[i]) != rows:
        raise ShapeError(
            f"b[{i}] does not fit A[{i}]: b[{i}] has {_count(len(b[i]), 'entry')}, "
            f"A[{i}] has {_count(rows, 'row')}.",
            given=f"b[{i}] of shape {b[i].shape}, A[{i}] of shape {A[i].shape}",
            expected=f"b[{i}] of shape {(rows,)}, or A[{i}] of shape {(len(b[i]), columns)}",
        )
    if i > 0 and columns != len(A[i - 1]):
        raise ShapeError(
            f"A[{i}] does not fit A[{i - 1}]: A[{i}] has {_count(columns, 'column')}, "
            f"A[{i - 1}] has {_count(len(A[i - 1]), 'row')}.",
            given=f"A[{i}] of shape {A[i].shape}, A[{i - 1}] of shape {A[i - 1].shape}",
            expected=f"A[{i}] of shape {(rows, len(A[i - 1]))}",
        )


def _check_assigned(
    name: str, array: FloatArray, shape: tuple[int, ...], widths: Sequence[int]
) -> None:
    if array.shape != shape:
        raise ShapeError(
            f"{name} does not fit this network of widths {tuple(widths)}.",
            given=f"{name} of shape {array.shape}",
            expected=f"{name} of shape {shape}",
            instead=_rearranged(name, array, shape),
        )


# --- inputs and targets -----------------------------------------------------


def checked_input(
    x: ArrayLike,
    A: Sequence[FloatArray],
    name: str = "x",
    unless_finite: Callable[[str, FloatArray], None] | None = None,
) -> FloatArray:
    """Return `x`, one input or one input per row, in the parameters' dtype."""
    rows = _as_observations(name, x, A[0].dtype)
    check_input_shape(rows, A, name)
    (unless_finite or warn_unless_finite)(name, rows)
    return rows


def check_input_shape(x: AnyArray, A: Sequence[FloatArray], name: str = "x") -> None:
    """Raise ``ShapeError`` unless each input has an entry per column of A_0."""
    n_0 = A[0].shape[1]
    if x.shape[-1] != n_0:
        raise ShapeError(
            f"{name} has {_width(x)}, A[0] expects {n_0}.",
            given=f"{name} of shape {x.shape}, A[0] of shape {A[0].shape}",
            expected=f"{name} of shape ({n_0},), or (N, {n_0}) with one input per row",
            instead=_rearranged(name, x, (n_0,)) or _rearranged(name, x, (x.size // n_0, n_0)),
        )


def checked_target(
    y: ArrayLike,
    x: FloatArray,
    A: Sequence[FloatArray],
    names: tuple[str, str] = ("x", "y"),
    unless_finite: Callable[[str, FloatArray], None] | None = None,
) -> FloatArray:
    """Return `y`, shaped like the network's output for the checked `x`."""
    target = _as_observations(names[1], y, A[-1].dtype)
    check_target_shape(target, x, A, names)
    (unless_finite or warn_unless_finite)(names[1], target)
    return target


def check_target_shape(
    y: AnyArray, x: AnyArray, A: Sequence[FloatArray], names: tuple[str, str] = ("x", "y")
) -> None:
    """Raise ``ShapeError`` unless `y` has the shape of the network's output for `x`."""
    x_name, name = names
    last = len(A) - 1
    n_K = len(A[last])
    expected = (*x.shape[:-1], n_K)
    given = f"{name} of shape {y.shape}, {x_name} of shape {x.shape}"
    if y.ndim != x.ndim:
        problem = f"{x_name} is {_kind(x, 'input')}, {name} is {_kind(y, 'target')}."
    elif y.shape[-1] != n_K:
        problem = f"{name} has {_width(y)}, A[{last}] gives {n_K}."
        given += f", A[{last}] of shape {A[last].shape}"
    elif y.shape != expected and not has_unknown_length(x, y):
        problem = f"{x_name} has {_count(x.shape[0], 'row')}, {name} has "
        problem += f"{_count(y.shape[0], 'row')}."
    else:
        return
    raise ShapeError(
        problem,
        given=given,
        expected=f"{name} of shape {expected}" + (", one target per row" if x.ndim == 2 else ""),
        instead=_rearranged(name, y, expected),
    )


def is_chunked(*values: object) -> bool:
    """Return whether one of them is of Dask.  Dask itself is not loaded for it."""
    return any(type(value).__module__.startswith("dask.") for value in values)


def has_unknown_length(*arrays: AnyArray) -> bool:
    """Return whether one of them has a shape with a number that only Dask's chunks will tell."""
    return any(math.isnan(n) for array in arrays for n in array.shape)


def check_single(x: FloatArray, y: FloatArray) -> None:
    """Raise ``ShapeError`` if the checked `x` and `y` are a batch."""
    if x.ndim == 2:
        raise ShapeError(
            f"x is {_kind(x, 'input')}, and a chain is that of a single input.",
            given=f"x of shape {x.shape}, y of shape {y.shape}",
            expected=f"x of shape {x.shape[1:]}, y of shape {y.shape[1:]}",
            instead="x[0], y[0]",
        )


def checked_layer(i: object, K: int) -> int:
    """Return the index i of a θ_i, one of 0, ..., K−1."""
    expected = f"i from 0 to {K - 1}, numbered as in the document" if K > 1 else "i = 0"
    if isinstance(i, bool) or not isinstance(i, (int, np.integer)):
        raise UnsupportedError("i is not an integer.", given=f"i = {i!r}", expected=expected)
    if not 0 <= i < K:
        raise NotFoundError(
            f"A network of {_count(K, 'layer')} has no θ_{i}.",
            given=f"i = {i}",
            expected=expected,
        )
    return int(i)


def _as_observations(name: str, value: ArrayLike, dtype: DTypeLike) -> FloatArray:
    # A number too large for float32 becomes infinite here, and is reported as such.
    with np.errstate(over="ignore"):
        array = np.atleast_1d(as_floats(name, value)).astype(dtype, copy=False)
    check_observations(name, array)
    return array


def check_observations(name: str, array: AnyArray) -> None:
    """Raise unless `array` is a vector, or a matrix with rows, of any length but 0."""
    if array.size == 0:
        raise InvalidValueError(
            f"{name} is empty.",
            given=f"{name} of shape {array.shape}",
            expected="at least one row",
        )
    if array.ndim > 2:
        raise ShapeError(
            f"{name} has {array.ndim} dimensions.",
            given=f"{name} of shape {array.shape}",
            expected="one vector, or a matrix with one vector per row",
            instead=f"{name}.reshape({array.shape[0]}, -1)",
        )


# --- any array --------------------------------------------------------------


def as_floats(name: str, value: ArrayLike) -> FloatArray:
    """Return `value` as a float array: integers become float, float32 stays float32."""
    try:
        array = np.asarray(value)
    except DetachedError as error:
        raise UnsupportedError(
            "A network computes with plain numbers, so a trace of its methods sees nothing.",
            given=f"{name} as a traced value",
            instead="net.trace(x, y), which traces the network's loss",
        ) from error
    except ValueError as error:
        raise ShapeError(
            f"{name} is not rectangular.",
            given=f"{name} with rows of different lengths",
            expected="rows of one length",
        ) from error
    check_real(name, array, f"np.array({name}, dtype=float)")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def check_real(name: str, array: AnyArray, converted: str) -> None:
    """Raise ``UnsupportedError`` unless `array` holds integers or floats."""
    if array.dtype.kind not in "fbiu":
        raise UnsupportedError(
            f"{name} does not hold real numbers.",
            given=f"{name} of dtype {array.dtype}",
            expected="integers or floats",
            instead=f"{name}.real" if array.dtype.kind == "c" else converted,
        )


def warn_unless_finite(name: str, array: FloatArray) -> None:
    """Warn of NaN or infinity in data to compute with."""
    if (place := _not_finite(name, array)) is not None:
        warn(f"{place}: what is computed from it means nothing.")


def refuse_unless_finite(name: str, array: FloatArray) -> None:
    """Raise if there is NaN or infinity in data to learn from."""
    if (place := _not_finite(name, array)) is not None:
        raise InvalidValueError(
            f"{place}: one step, and every parameter would be.",
            given=f"{name} of shape {array.shape}, {int((~np.isfinite(array)).sum())} not finite",
            expected="finite numbers",
            instead=f"np.isfinite({name}).all(axis=-1) tells which rows to keep",
        )


def _not_finite(name: str, array: FloatArray) -> str | None:
    """Return the first place with NaN or infinity, and what stands there."""
    finite = np.isfinite(array)
    if finite.all():
        return None
    where = np.unravel_index(int(np.argmin(finite)), array.shape)
    return f"{name}[{', '.join(str(i) for i in where)}] is {array[where]}"


# --- words ------------------------------------------------------------------


def _count(n: int, noun: str) -> str:
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{n} {noun if n == 1 else plural}"


def _width(array: AnyArray) -> str:
    return _count(array.shape[-1], "entry" if array.ndim == 1 else "column")


def _kind(array: AnyArray, noun: str) -> str:
    return f"a single {noun}" if array.ndim == 1 else f"a batch of {_count(array.shape[0], 'row')}"


def _rearranged(name: str, array: AnyArray, shape: tuple[int, ...]) -> str | None:
    """Return the expression that gives `array` the `shape`, if there is an obvious one."""
    if array.T.shape == shape:
        return f"{name}.T"
    if math.isnan(array.size) and array.ndim == 1 and shape[1:] == (1,):
        return f"{name}[:, None]"  # an unknown length cannot be reshaped
    if array.size != math.prod(shape) or array.size not in array.shape:
        return None
    return f"{name}.ravel()" if len(shape) == 1 else f"{name}.reshape(-1, {shape[1]})"

"""What fits a network and what does not, said where it comes in.

Each function takes what a user gave, returns it as arrays the network can
compute with, and raises before anything is changed.  A message names the
argument or the parameter (``x``, ``y``, ``A[1]``, ``b[0]``), both shapes, and
what to write instead.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from backprop_nb.errors import (
    DetachedError,
    InvalidValueError,
    NotFoundError,
    ShapeError,
    UnsupportedError,
    must_be,
    warn,
)

FloatArray: TypeAlias = NDArray[np.floating[Any]]

AnyArray: TypeAlias = Any
"""A NumPy or Dask array: only its shape and dtype are looked at."""

Watch: TypeAlias = Callable[[str, FloatArray, DTypeLike], None]
"""What to do about NaN and infinity in an array, in the dtype that is used:
:func:`warn_unless_finite` or :func:`refuse_unless_finite`."""

# --- widths and scale ----------------------------------------------


def checked_widths(widths: Iterable[int], *rest: object, kind: str) -> tuple[int, ...]:
    """Return (n_0, ..., n_K) as a tuple of positive integers, K >= 1.

    ``rest`` is what was given after `widths`: the other widths, if the brackets
    round all of them were forgotten.  `kind` is the name of the network's class.
    """
    expected = "the width of every layer, input first: at least two positive integers"
    given = f"widths = {widths!r}"
    if isinstance(widths, str) or not isinstance(widths, Iterable):
        instead = _in_brackets(kind, [n for n in (widths, *rest) if isinstance(n, int) and n > 0])
        problem = "`widths` must be a sequence."
        raise UnsupportedError(problem, given=given, expected=expected, instead=instead)
    counts = tuple(widths)
    if len(counts) < 2:
        problem = "A network needs an input and at least one layer."
        instead = _in_brackets(kind, counts)
        raise InvalidValueError(problem, given=given, expected=expected, instead=instead)
    return tuple(_checked_width(f"widths[{i}]", n) for i, n in enumerate(counts))


def _in_brackets(kind: str, typed: Sequence[object]) -> str:
    """Return the network that was meant; one unit follows if only the inputs were given."""
    return f"{kind}({tuple(typed) if len(typed) > 1 else (*(typed or [4]), 1)})"


def _checked_width(name: str, n: object) -> int:
    if not isinstance(n, (int, np.integer)) or isinstance(n, bool):
        raise UnsupportedError(
            f"`{name}` must be a positive integer.",
            given=f"{name} = {n!r}",
            instead=n if isinstance(n, str) and n.isdecimal() else None,
        )
    if n < 1:
        raise InvalidValueError(
            f"`{name}` is {n}: a layer without units has nothing to compute.",
            given=f"{name} = {n}",
            expected="a positive integer",
        )
    return int(n)


def usual_deviation(n_in: int, n_out: int) -> float:
    """Return the standard deviation of weights that neither swell nor shrink what passes."""
    return math.sqrt(2 / (n_in + n_out))


def checked_scale(scale: float | str | None, n_in: int, n_out: int) -> float:
    """Return the standard deviation of a layer's initial weights: finite, not negative."""
    if scale is None or scale == "xavier":
        return usual_deviation(n_in, n_out)
    if scale == "document":
        return 1.0
    is_number = isinstance(scale, numbers.Real) and not isinstance(scale, bool)
    if not is_number or not (0 <= float(scale) < math.inf):
        expected = '"xavier", "document", or a finite number that is not negative'
        raise must_be(expected, "scale", scale)
    return float(scale)


def checked_generator(seed: Any) -> np.random.Generator:
    """Return the random generator that `seed` stands for."""
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError):
        expected = "None, an integer that is not negative, or a numpy.random.Generator"
        raise must_be(expected, "seed", seed) from None


def checked_dtype(dtype: Any) -> np.dtype[Any]:
    """Return the dtype of parameters: float64, unless it is float32 that is asked for."""
    try:
        found = np.dtype(np.float64 if dtype is None else dtype)
    except TypeError:
        found = np.dtype(object)
    if found not in (np.float64, np.float32):
        raise must_be("float64 or float32", "dtype", dtype)
    return found


def checked_layer(i: object, K: int) -> int:
    """Return the index i of a θ_i, one of 0, ..., K−1."""
    expected = f"i from 0 to {K - 1}, numbered as in the document" if K > 1 else "i = 0"
    if not isinstance(i, (int, np.integer)) or isinstance(i, bool):
        raise UnsupportedError("`i` must be an integer.", given=f"i = {i!r}", expected=expected)
    if not 0 <= i < K:
        raise NotFoundError(
            f"A network of {_count(K, 'layer')} has no θ_{i}.", given=f"i = {i}", expected=expected
        )
    return int(i)


# --- parameters -------------------------------------------------------------


def new_parameters(
    A: Iterable[ArrayLike], b: Iterable[ArrayLike]
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return copies of `A` and `b`, of one dtype, once they fit; without a bias `b` is empty."""
    weights, biases = _as_list("A", A), _as_list("b", b)
    if not weights or len(biases) not in (0, len(weights)):
        raise ShapeError(
            "`A` and `b` must hold one array for each layer.",
            given=f"{len(weights)} in A, {len(biases)} in b",
            expected="as many in both, at least one",
        )
    for i, A_i in enumerate(weights):
        _check_kind(f"A[{i}]", A_i, 2, "a matrix with one row per unit of the layer")
        if i > 0:
            shape = (len(A_i), len(weights[i - 1]))
            _check_shape(f"A[{i}]", A_i, shape, f"`A[{i - 1}]`", weights[i - 1])
    for i, b_i in enumerate(biases):
        _check_kind(f"b[{i}]", b_i, 1, "a vector with one entry per unit of the layer")
        _check_shape(f"b[{i}]", b_i, (len(weights[i]),), f"`A[{i}]`", weights[i])
    for name, array in named(weights, biases):
        warn_unless_finite(name, array, array.dtype)
    dtype = np.result_type(*weights, *biases)
    return [a.astype(dtype) for a in weights], [c.astype(dtype) for c in biases]


def used_parameters(
    A: Sequence[ArrayLike], b: Sequence[ArrayLike], widths: Sequence[int], bias: bool = True
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return a network's own `A` and `b`, which its user may have assigned.

    Nothing is copied as long as all are float arrays of one dtype.
    """
    K = len(widths) - 1
    weights, biases = _as_list("A", A), _as_list("b", b)
    if len(weights) != K or len(biases) != K * bias:
        raise ShapeError(
            f"A network of widths {tuple(widths)} has `A[0]` to `A[{K - 1}]`, and "
            + (f"`b[0]` to `b[{K - 1}]`." if bias else "this one has no bias."),
            given=f"{len(weights)} in A, {len(biases)} in b",
            expected=f"{K} in each" if bias else f"{K} in A, none in b",
        )
    owner = f"this network of widths {tuple(widths)}"
    for i, A_i in enumerate(weights):
        _check_shape(f"A[{i}]", A_i, (widths[i + 1], widths[i]), owner)
    for i, b_i in enumerate(biases):
        _check_shape(f"b[{i}]", b_i, (widths[i + 1],), owner)
    dtype = np.result_type(*weights, *biases)
    return (
        [a.astype(dtype, copy=False) for a in weights],
        [c.astype(dtype, copy=False) for c in biases],
    )


def named(A: Sequence[FloatArray], b: Sequence[FloatArray]) -> Iterator[tuple[str, FloatArray]]:
    """Yield every parameter with its name, such as ``A[0]``, layer by layer."""
    for i, A_i in enumerate(A):
        yield f"A[{i}]", A_i
        if b:
            yield f"b[{i}]", b[i]


def _as_list(name: str, values: Iterable[ArrayLike]) -> list[FloatArray]:
    if not isinstance(values, Iterable):
        raise UnsupportedError(
            f"`{name}` must be a list.",
            given=f"{name} = {values!r}",
            expected="a list with one array per layer",
            instead=f"[{name}]",
        )
    return [as_floats(f"{name}[{i}]", value) for i, value in enumerate(values)]


def _check_kind(name: str, array: FloatArray, ndim: int, expected: str) -> None:
    """Raise unless a parameter has so many dimensions, and units."""
    if array.ndim != ndim:
        flat = _rearranged(name, array, (array.size,)) if ndim == 1 else None
        forgot_list = "[A] and [b], for a network of one layer" if array.ndim == 1 else None
        problem = f"`{name}` must be {'a matrix' if ndim == 2 else 'a vector'}."
        raise _misfit(problem, {name: array}, expected, flat or forgot_list)
    if array.size == 0:
        raise InvalidValueError(
            f"`{name}` is empty: a layer without units has nothing to compute.",
            given=f"{name} of shape {array.shape}",
            expected="at least one unit in every layer",
        )


def _check_shape(
    name: str,
    array: FloatArray,
    shape: tuple[int, ...],
    owner: str,
    other: FloatArray | None = None,
) -> None:
    """Raise unless a parameter has the shape that another one, or the network, asks for."""
    if array.shape != shape:
        arrays = {name: array} if other is None else {name: array, owner.strip("`"): other}
        expected, instead = f"{name} of shape {shape}", _rearranged(name, array, shape)
        if other is not None and array.ndim == 2 and len(array) == other.shape[1]:
            instead = instead or "[W.T for W in A], if a layer is x @ W"
        raise _misfit(f"`{name}` does not fit {owner}.", arrays, expected, instead)


def _misfit(
    problem: str, arrays: Mapping[str, AnyArray], expected: str, instead: str | None
) -> ShapeError:
    """Return the error for arrays that do not fit, with the shape of each."""
    given = ", ".join(f"{name} of shape {array.shape}" for name, array in arrays.items())
    return ShapeError(problem, given=given, expected=expected, instead=instead)


# --- inputs and targets -----------------------------------------------------


def checked_input(
    x: ArrayLike, A: Sequence[FloatArray], name: str = "x", watch: Watch | None = None
) -> FloatArray:
    """Return `x`, one input or one input per row, in the parameters' dtype."""
    return converted(stored_input(x, A, name, watch), A[0].dtype)


def stored_input(
    x: ArrayLike, A: Sequence[FloatArray], name: str = "x", watch: Watch | None = None
) -> FloatArray:
    """Return the same in the dtype that it has, of which a copy may not fit into memory."""
    rows = _as_observations(name, x)
    check_input_shape(rows, A, name)
    (watch or warn_unless_finite)(name, rows, A[0].dtype)
    return rows


def check_input_shape(x: AnyArray, A: Sequence[FloatArray], name: str = "x") -> None:
    """Raise ``ShapeError`` unless each input has an entry per column of A_0."""
    n_0 = A[0].shape[1]
    if x.shape[-1] != n_0:
        raise _misfit(
            f"`{name}` has {_width(x)}, `A[0]` expects {n_0}.",
            {name: x, "A[0]": A[0]},
            f"{name} of shape ({n_0},), or (N, {n_0}) with one input per row",
            _rearranged(name, x, (n_0,)) or _rearranged(name, x, (x.size // n_0, n_0)),
        )


def checked_target(
    y: ArrayLike,
    x: FloatArray,
    A: Sequence[FloatArray],
    names: tuple[str, str] = ("x", "y"),
    watch: Watch | None = None,
) -> FloatArray:
    """Return `y`, shaped like the network's output for the checked `x`, in that dtype."""
    return converted(stored_target(y, x, A, names, watch), A[0].dtype)


def stored_target(
    y: ArrayLike,
    x: FloatArray,
    A: Sequence[FloatArray],
    names: tuple[str, str] = ("x", "y"),
    watch: Watch | None = None,
) -> FloatArray:
    """Return the same in the dtype that it has."""
    target = _as_observations(names[1], y)
    check_target_shape(target, x, A, names, y)
    (watch or warn_unless_finite)(names[1], target, A[0].dtype)
    return target


def check_target_shape(
    y: AnyArray,
    x: AnyArray,
    A: Sequence[FloatArray],
    names: tuple[str, str] = ("x", "y"),
    written: Any = None,
) -> None:
    """Raise ``ShapeError`` unless `y` has the shape of the network's output for `x`.

    ``written`` is what the user gave for `y`, and tells how to convert that.
    """
    x_name, name = names
    last = len(A) - 1
    n_K = len(A[last])
    expected = (*x.shape[:-1], n_K)
    arrays = {name: y, x_name: x}
    if y.ndim != x.ndim:
        problem = f"`{x_name}` is {_kind(x, 'input')}, `{name}` is {_kind(y, 'target')}."
    elif y.shape[-1] != n_K:
        problem = f"`{name}` has {_width(y)}, `A[{last}]` gives {n_K}."
        arrays[f"A[{last}]"] = A[last]
    elif y.shape != expected and not has_unknown_length(x, y):
        problem = f"`{x_name}` has {_count(x.shape[0], 'row')}, `{name}` has "
        problem += f"{_count(y.shape[0], 'row')}."
    else:
        return
    per_row = ", one target per row" if x.ndim == 2 else ""
    instead = _rearranged(name, y, expected) or _one_hot(name, y, expected, written)
    raise _misfit(problem, arrays, f"{name} of shape {expected}{per_row}", instead)


def _one_hot(name: str, y: AnyArray, shape: tuple[int, ...], written: Any) -> str | None:
    """Return the targets of each class, if `y` looks like one number of a class per row."""
    rows, classes = math.prod(shape[:-1]), shape[-1]
    if classes < 2 or y.size != rows:
        return None
    if is_chunked(y):  # whose numbers are not known, but their dtype is
        if y.dtype.kind not in "iu":
            return None
        first = 0
    else:
        first = 0 if y.max() < classes else 1
        if not (y.min() >= first and y.max() < classes + first and (y == np.rint(y)).all()):
            return None
    one_hot = one_hot_of(name, classes, first, written, is_single=len(shape) == 1)
    return f"{one_hot}, if {name} holds the number of a class{' per row' if shape[1:] else ''}"


def one_hot_of(name: str, classes: int, first: int, written: Any, is_single: bool = False) -> str:
    """Return what to write for a row for each of the numbers of classes that were written.

    >>> one_hot_of("y", 3, 0, np.array([0, 2])), one_hot_of("y", 3, 1, [[1.0], [3.0]])
    ('np.eye(3)[y]', 'np.eye(3)[np.ravel(y).astype(int) - 1]')
    """
    if is_chunked(written):
        numbers = f"1, {classes + 1}" if first else f"{classes}"
        return f"{name}{'[:, None]' if written.ndim == 1 else ''} == np.arange({numbers})"
    array = np.asarray(written)
    if is_single:
        index = f"int({name}{'[0]' * array.ndim})"
    elif array.ndim == 1 and array.dtype.kind in "iu" and (hasattr(written, "dtype") or not first):
        index = name
    else:
        index = f"np.ravel({name}).astype(int)"
    return f"np.eye({classes})[{index}{' - 1' if first else ''}]"


def check_probabilities(y: FloatArray, name: str, add_up: bool) -> None:
    """Raise unless `y` is between 0 and 1, and each row adds up to 1 if that is asked for."""
    if y.min() < 0 or y.max() > 1:
        raise InvalidValueError(
            f"`{name}` must hold probabilities: the cross-entropy compares them.",
            given=f"{name} from {y.min():g} to {y.max():g}",
            expected=f"{name} from 0 to 1",
        )
    sums = np.atleast_1d(y.sum(axis=-1, dtype=float))
    # Targets often come as float32, whatever the network computes in.
    room = max(1e-5, np.finfo(y.dtype).eps if y.dtype.kind == "f" else 0.0)
    if add_up and (off := np.abs(sums - 1)).max() > room:
        row = f"row {off.argmax()} of {name}" if y.ndim == 2 else name
        raise InvalidValueError(
            f"`{name}` must add up to 1{' in each row' if y.ndim == 2 else ''}, as the output "
            "of a softmax does.",
            given=f"{row} adds up to {sums[off.argmax()]:g}",
            expected="the probability of each class, such as a single 1 for the right one",
            instead='output="sigmoid", if an input may belong to several classes',
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
        problem = f"`x` is {_kind(x, 'input')}, and a chain is that of a single input."
        expected = f"x of shape {x.shape[1:]}, y of shape {y.shape[1:]}"
        raise _misfit(problem, {"x": x, "y": y}, expected, "x[0], y[0]")


def checked_data(
    x: ArrayLike, y: ArrayLike, A: Sequence[FloatArray], names: tuple[str, str], dtype: DTypeLike
) -> tuple[FloatArray, FloatArray]:
    """Return x and y as they are, integers too, once they fit and y is finite in a dtype."""
    rows, targets = (
        _as_observations(name, value) for name, value in zip(names, (x, y), strict=True)
    )
    check_input_shape(rows, A, names[0])
    check_target_shape(targets, rows, A, names, y)
    refuse_unless_finite(names[1], targets, dtype)
    return rows, targets


def _as_observations(name: str, value: ArrayLike) -> FloatArray:
    array = np.atleast_1d(as_numbers(name, value))
    check_observations(name, array)
    return array


def check_observations(name: str, array: AnyArray) -> None:
    """Raise unless `array` is a vector, or a matrix with rows, of any length but 0."""
    if array.size == 0:
        raise InvalidValueError(
            f"`{name}` is empty.",
            given=f"{name} of shape {array.shape}",
            expected="at least one row",
        )
    if array.ndim > 2:
        raise ShapeError(
            f"`{name}` has {array.ndim} dimensions.",
            given=f"{name} of shape {array.shape}",
            expected="one vector, or a matrix with one vector per row",
            instead=f"{name}.reshape({array.shape[0]}, -1)",
        )


# --- any array --------------------------------------------------------------


def as_floats(name: str, value: ArrayLike) -> FloatArray:
    """Return `value` as a float array: integers become float, float32 stays float32."""
    array = as_numbers(name, value)
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def as_numbers(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return `value` as an array of real numbers, whatever their dtype."""
    if is_chunked(value):
        raise UnsupportedError(
            f"`{name}` may be larger than memory, and this needs all of it there.",
            given=f"{name} of type {type(value).__module__}.{type(value).__name__}",
            expected="an array in memory",
            instead=f"{name}.compute(), if it fits; net(x), net.loss(x, y), "
            "net.loss_and_gradient(x, y) and net.fit(x, y) go through it chunk by chunk",
        )
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
            f"`{name}` is not rectangular.",
            given=f"{name} with rows of different lengths",
            expected="rows of one length",
        ) from error
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise InvalidValueError(
            f"`{name}` has masked entries, of which a network knows nothing.",
            given=f"{name} of shape {array.shape}, {int(np.ma.getmaskarray(value).sum())} masked",
            expected="a number in every entry",
            instead=f"{name}.filled({name}.mean()), or leave out the rows that have them",
        )
    if array.dtype.kind not in "fbiu":
        check_real(name, array, None if array.dtype.kind == "c" else _in_floats(name, value, array))
    return array


def _in_floats(name: str, value: Any, array: AnyArray) -> str | None:
    """Return what to write for numbers that lie in something else, if that is known."""
    if hasattr(value, "toarray"):
        return f"{name}.toarray()"
    if isinstance(value, Iterator):
        return f"np.array(list({name}))"
    try:
        np.array(value, dtype=float)
    except (TypeError, ValueError):
        if hasattr(value, "select_dtypes"):  # a table of pandas, with columns of text
            return f'{name}.select_dtypes("number")'
        if array.ndim != 1 or not all(isinstance(each, str) for each in array):
            return None
        numbers = f"np.unique({name}, return_inverse=True)[1]"
        return f"np.eye({len(set(array))})[{numbers}], if {name} holds the name of a class per row"
    return f"np.array({name}, dtype=float)"


def check_real(name: str, array: AnyArray, converted: str | None) -> None:
    """Raise ``UnsupportedError`` unless `array` holds integers or floats."""
    if array.dtype.kind not in "fbiu":
        raise UnsupportedError(
            f"`{name}` must hold real numbers.",
            given=f"{name} of dtype {array.dtype}",
            expected="integers or floats",
            instead=f"{name}.real" if array.dtype.kind == "c" else converted,
        )


def warn_unless_finite(name: str, array: FloatArray, dtype: DTypeLike) -> None:
    """Warn of NaN or infinity in data to compute with, in the dtype that is used."""
    if (place := _not_finite(name, array, dtype)) is not None:
        warn(f"{place}: what is computed from it means nothing.")


def refuse_unless_finite(name: str, array: FloatArray, dtype: DTypeLike) -> None:
    """Raise if there is NaN or infinity in data to learn from, in the dtype that is used."""
    if (place := _not_finite(name, array, dtype)) is not None:
        finite = np.isfinite(converted(array, dtype))
        raise InvalidValueError(
            f"{place}: nothing can be learned from it, or judged by it.",
            given=f"{name} of shape {array.shape}, {int((~finite).sum())} not finite",
            expected="finite numbers",
            instead=f"np.isfinite({name}).all(axis=-1) tells which rows to use",
        )


def warn_of_overflow(loss: float, dtype: DTypeLike, *data: FloatArray) -> None:
    """Warn of a loss that is infinite, of data that are not."""
    if math.isinf(loss) and all(np.isfinite(array).all() for array in data):
        large = f"numbers so large that {dtype} has no loss of them"
        warn(f"The loss is {loss}: {large}.\n  instead:  x and y scaled to about −1 to 1")


_AT_ONCE = 2**18
"""So many numbers are looked at together: the data may be half of the memory."""


def _not_finite(name: str, array: FloatArray, dtype: DTypeLike) -> str | None:
    """Return the first place with NaN or infinity, and what stands there."""
    if array.dtype.kind != "f":
        return None
    rows = max(1, _AT_ONCE // max(1, array[:1].size))
    for start in range(0, len(array), rows):
        part = converted(array[start : start + rows], dtype)
        if _adds_up(part):
            continue
        finite = np.isfinite(part)
        if not finite.all():
            where = np.unravel_index(int(np.argmin(finite)), part.shape)
            first, *others = where
            place = ", ".join(str(i) for i in (first + start, *others))
            return f"`{name}[{place}]` is {part[where]}"
    return None


def _adds_up(array: FloatArray) -> bool:
    """Whether the sum of squares is finite: then so are all entries, and it is soon known."""
    flat = array.ravel("K")
    with np.errstate(all="ignore"):
        return math.isfinite(flat.dot(flat))


def converted(array: FloatArray, dtype: DTypeLike) -> FloatArray:
    """Return an array in another dtype: in float32 too large a number is infinite."""
    with np.errstate(over="ignore"):  # and reported as such
        return array.astype(dtype, copy=False)


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

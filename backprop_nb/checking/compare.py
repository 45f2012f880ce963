"""One gradient beside the right one: whether they agree, and how a wrong one differs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.report import NOT_WRITTEN, Checked, Hints, in_digits, simply
from backprop_nb.tracing import pytree

Array: TypeAlias = NDArray[Any]

TOLERANCE = 1e-6
"""A gradient counts as right if no entry is further off, relative to its own size ..."""
TOLERANCE_FLOAT32 = 1e-4
"""... or further than this, if it was computed in float32."""
_SMALLEST = 1e-2
"""An entry counts as no smaller than so much of the largest, of which it may have the rounding."""

MISSING = "it is missing"
_KINDS = {"U": "text", "S": "bytes", "c": "complex numbers", "O": "objects"}

# --- one array --------------------------------------------------------------


def is_real(array: Array) -> bool:
    """Whether it is made of real numbers."""
    return array.dtype.kind in "fiub"


def not_real(array: Array) -> str:
    """Say what an array is made of that has no real numbers in it.

    >>> not_real(np.array(["0.5"]))
    'not made of real numbers, but of text'
    """
    return f"not made of real numbers, but of {_KINDS.get(array.dtype.kind, array.dtype)}"


def is_narrow(array: Array) -> bool:
    """Whether it has floats of fewer digits than float64."""
    return array.dtype.kind == "f" and array.dtype.itemsize < 8


def is_empty(array: Array, right: Array) -> bool:
    """Whether it is nothing but zeros, and should not be."""
    return bool(array.size) and not array.any() and bool(right.any())


def reshaped(array: Array, shape: tuple[int, ...]) -> Array:
    """Return it in a shape from which it differs only in axes of length 1, if so.

    >>> reshaped(np.ones((3, 1)), (3,)).shape, reshaped(np.ones(2), (3,)).shape
    ((3,), (2,))
    """
    if array.shape != shape and array.squeeze().shape == tuple(n for n in shape if n != 1):
        return array.reshape(shape)
    return array


# --- two arrays -------------------------------------------------------------


def compare(name: str, given: Any, expected: Array) -> Checked:
    """Compare one gradient with the right one: its shape first, then its values.

    Examples
    --------
    >>> compare("dx", [1.0, 2.5], np.array([1.0, 2.0]))
    Checked(dx, wrong, error 0.25)
    """
    if given is None:
        return Checked.wrong(name, expected, MISSING)
    if given is ...:
        return Checked.wrong(name, expected, NOT_WRITTEN)
    try:
        array = np.asarray(float(given) if type(given) is int else given)
    except Exception as raised:  # whatever a student's object does
        return Checked.wrong(name, expected, f"not an array ({type(raised).__name__})")
    if not is_real(array):
        return Checked.wrong(name, expected, not_real(array))
    if array.shape != expected.shape:
        remark = f"its shape is {array.shape}, expected {expected.shape}"
        return Checked.wrong(name, expected, remark, array)
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        worst = tuple(map(int, np.argwhere(~np.isfinite(values))[0]))
        return Checked.wrong(name, expected, "not finite", values, worst)
    if not values.size:
        return Checked(name, True, 0.0, None, values, expected)
    errors = _errors(values, expected)
    worst = tuple(map(int, np.unravel_index(errors.argmax(), errors.shape)))
    error = float(errors.max())
    ok = _tolerated(array, error)
    remark = ""
    if ok and (is_narrow(array) or error > TOLERANCE):
        remark = f"to the precision of {array.dtype if is_narrow(array) else 'float32'}"
    return Checked(name, ok, error, worst, values, expected, remark)


def agrees(array: Array, expected: Array) -> bool:
    """Return what :func:`compare` says of an array of real numbers, without the rest of it."""
    if array.shape != expected.shape:
        return False
    if not array.size:
        return True
    return _tolerated(array, float(_errors(array, expected).max()))


def same_numbers(array: Array, expected: Array) -> bool:
    """Whether two gradients agree, perhaps but for axes of length 1."""
    return agrees(reshaped(array, expected.shape), expected)


def _errors(values: Array, expected: Array) -> Array:
    """Return the error of each entry, of a small one relative to itself.

    Not so where float32 may have rounded it: beside the largest there is less left of it.
    """
    with np.errstate(over="ignore"):
        differences: Array = np.abs(values - expected)
        errors: Array = differences / _size(expected)
        if errors.max() <= TOLERANCE:
            errors = differences / _sizes(expected)
    return errors


def _size(expected: Array) -> float:
    """Return the largest entry; 1 if all of them are zero."""
    return float(np.abs(expected).max(initial=0.0)) or 1.0


def _sizes(expected: Array) -> Array:
    """Return what the error of each entry is relative to.

    >>> print(_sizes(np.array([200.0, -30.0, 0.5])))
    [200.  30.   2.]
    """
    return np.maximum(np.abs(expected), _SMALLEST * _size(expected))


def _tolerated(array: Array, error: float) -> bool:
    """Whether an error is no more than that of the precision that a gradient was computed in."""
    if error <= TOLERANCE:
        return True
    return error <= TOLERANCE_FLOAT32 and (is_narrow(array) or _fits_float32(array))


def _fits_float32(array: Array) -> bool:
    """Whether numbers were computed in float32, even if they were put into a wider array.

    Whole numbers do not show it, and no halves: those were rounded, or are exact.
    """
    with np.errstate(over="ignore"):
        narrow = array.astype(np.float32)
        parts = narrow * 64.0
    return bool(np.any(parts != np.round(parts))) and bool(np.all(narrow == array))


COARSE_PRODUCTS = 5e-3
"""What is further off than this no rounding of the factors explains."""


def has_coarse_products(given: Any, checked: Checked) -> bool:
    """Whether a wrong gradient may be a right one whose products were rounded coarsely.

    On a GPU, JAX multiplies matrices of float32 in TF32, with 10 bits of each factor, and on
    a TPU in bfloat16.  Such errors are small, of both signs, and no multiple of the gradient.
    NumPy does nothing of the kind.
    """
    values, expected = checked.given, checked.expected
    if values is None or isinstance(given, np.ndarray | np.generic):
        return False
    if not hasattr(type(given), "__array__") or not is_narrow(np.asarray(given)):
        return False
    off = values - expected if values.shape == expected.shape else np.zeros(1)
    slant = abs(float(np.sum(off * expected))) / (float(np.sum(expected**2)) or 1.0)
    both = float(off.min(initial=0.0)) < 0 < float(off.max(initial=0.0))
    small = float(np.abs(off).max(initial=0.0)) <= COARSE_PRODUCTS * _size(expected)
    return both and small and slant <= TOLERANCE_FLOAT32 * 10


def changed(after: Any, before: Any, name: str) -> list[str]:
    """Return which arrays of an argument are not as they were; all of it, if others are in it.

    >>> changed({"W": [1.0], "b": 2.0}, {"W": [3.0], "b": 2.0}, "p"), changed([], [1.0], "x")
    (['p_W0'], ['the list x'])
    """
    names: list[str] = []
    pytree.rebuild(before, lambda leaf, _: names.append(leaf), name)
    now, were = pytree.flatten(after), pytree.flatten(before)
    if len(now) != len(were):
        return [f"the {type(before).__name__} {name}"]
    # Their bytes: NaN is as it was.
    return [
        each
        for each, one, other in zip(names, now, were, strict=True)
        if one is not other and np.asarray(one).tobytes() != np.asarray(other).tobytes()
    ]


# --- how a wrong one differs ------------------------------------------------

_FACTORS = {
    -1.0: "has the opposite sign: it is −1 times the right one",
    0.5: "is half of the right one",
    2.0: "is twice the right one",
}


def factor_of(given: Array, expected: Array) -> float | None:
    """Return how many times the right gradient a wrong one is, if it is so in every entry."""
    for factor in _FACTORS:
        if agrees(given / factor, expected):
            return factor
    size = float(np.sum(expected**2))
    if expected.size < 2 or not size:  # one number is always a multiple of another
        return None
    factor = float(np.sum(given * expected)) / size
    return factor if factor and agrees(given / factor, expected) else None


def is_plain(factor: float) -> bool:
    """Whether a factor stands for itself: a 2 or a sign too many, or forgotten.

    >>> is_plain(-2.0000000000000004), is_plain(-0.1)
    (True, False)
    """
    return any(math.isclose(abs(factor), plain, rel_tol=TOLERANCE) for plain in (0.5, 1.0, 2.0))


def factor_in_words(factor: float) -> str:
    """Say that a gradient is a multiple of the right one.

    >>> factor_in_words(0.5), factor_in_words(-3.0)
    ('is half of the right one', 'is −3 times the right one')
    """
    return _FACTORS.get(factor, f"is {times(factor)} times the right one")


def times(factor: float) -> str:
    """Return how many times something is another.

    >>> times(1 / 30), times(-3.0), times(0.1), times(0.2955)
    ('1/30', '−3', '0.1', '0.2955')
    """
    return simply(factor, signed(factor), 1e-5).replace("-", "−")


def signed(factor: float) -> str:
    """Return a factor with its sign, and with enough digits to tell it from 1, 2 and 1/2.

    >>> signed(-1 / 3), signed(1.0000123), signed(3.0000001)
    ('−0.3333', '1.000012', '3')
    """
    off = max(abs(2 * factor - round(2 * factor)) / 20, 1e-6 * abs(factor))
    return in_digits(factor, off, least=4).replace("-", "−")


def wrong_entries(given: Array, expected: Array) -> list[tuple[int, ...]]:
    """Return the indices of the entries that are off by more than the tolerance."""
    off = ~(_errors(given, expected) < TOLERANCE)
    return [tuple(map(int, each)) for each in np.argwhere(off)]


def fault_of(checked: Checked) -> tuple[str, str]:
    """Return the kind of fault that shows in a single gradient, and what to say about it."""
    given, expected = checked.given, checked.expected
    if given is None:
        missing = checked.remark.startswith(MISSING)
        return ("missing_gradient" if missing else "wrong_shape"), ""
    if given.shape != expected.shape:
        if same_numbers(given, expected):
            return "wrong_shape", "The numbers are right, and only the shape differs."
        if given.ndim == 2 and agrees(given.T, expected):
            return "wrong_shape", "Its transpose would be right."
        return "wrong_shape", ""
    if not np.isfinite(given).all():
        return "not_finite", ""
    if is_empty(given, expected):
        return (
            "missing_gradient",
            "is zero everywhere: nothing has been put into it, or it adds up to 0",
        )
    return "not_recognised", ""


def fault_in_words(checked: Checked, kind: str, reason: str, hints: Hints = "plain") -> str:
    """Say a fault that shows in a single gradient, with no more than the hints allow."""
    name = checked.name
    if kind == "missing_gradient" and reason:
        return f"{name} {reason}."
    if kind == "not_finite" and checked.given is not None:
        what = f": {checked.place} is {checked.given[checked.worst]}" if hints != "none" else ""
        return f"{name} has entries that are not finite{what}."
    text = f"{name}: {checked.remark}."
    return f"{text} {reason}" if reason and hints != "none" else text


def which_entries(checked: Checked, wrong: Sequence[tuple[int, ...]]) -> str:
    """Say how many entries are wrong, and where if they lie together."""
    name, size = checked.name, checked.expected.size
    if len(wrong) == size:
        all_of_it = "in every entry" if size > 1 else "from the right one"
        return f"{name} differs {all_of_it}; no simple factor explains it."
    if len(wrong) == 1:
        return f"{name} is right but for one of its {size} entries, {checked.place}."
    where = ""
    for axis, line in enumerate(("row", "column")):
        lines = {index[axis] for index in wrong if len(index) == 2}
        if len(lines) == 1:
            where = f", all of them in {line} {lines.pop()}"
    return f"{name} is wrong in {len(wrong)} of its {size} entries{where}."

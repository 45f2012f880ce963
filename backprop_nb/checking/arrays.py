"""What can be said of one array that is handed in as a gradient."""

from __future__ import annotations

from typing import Any, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

_KINDS = {"U": "text", "S": "bytes", "c": "complex numbers", "O": "objects"}


def is_real(array: Array) -> bool:
    """Whether it is made of real numbers."""
    return array.dtype.kind in "fiub"


def not_real(array: Array) -> str:
    """Say what an array is made of that has no real numbers in it.

    >>> import numpy as np
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


def laid_out(array: Array, like: Array) -> Array:
    """Return it in the shape of another one if they differ only in axes of length 1.

    >>> import numpy as np
    >>> laid_out(np.ones((3, 1)), np.ones(3)).shape, laid_out(np.ones(2), np.ones(3)).shape
    ((3,), (2,))
    """
    if array.shape != like.shape and array.squeeze().shape == like.squeeze().shape:
        return array.reshape(like.shape)
    return array

"""NaN that can be told from every other NaN: what bears a number.

The bits of a NaN that say nothing are carried along by copies, sums and products, and
survive float32.  So what was computed from such a NaN is known by its own bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_MARK = np.uint64(0x7FFDAC0000000000)
_SIGN = np.uint64(2**63)
_SHIFT = np.uint64(29)  # as many bits does float32 lose
_COUNT = 2**13


def marked(number: int) -> np.float64:
    """Return a NaN that bears a number; those from 8191 on bear that one."""
    bits = _MARK | (np.uint64(min(number, _COUNT - 1)) << _SHIFT)
    nan: np.float64 = bits.view(np.float64)
    return nan


def number_in(value: Any) -> int | None:
    """Return a number that a NaN in an array bears, ``None`` if none does."""
    if value.dtype.kind != "f" or not np.any(np.isnan(value)):
        return None
    bits = np.atleast_1d(value).astype(np.float64).view(np.uint64)
    numbers = ((bits & ~_SIGN) ^ _MARK) >> _SHIFT
    found = numbers[numbers < _COUNT]
    return int(found[0]) if found.size else None

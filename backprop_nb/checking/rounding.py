"""Gradients that are zero, and that a computer gives as rounding.

A bias in front of a batch normalisation changes nothing, and neither does one that a softmax's
scores have in common.  Its gradient is computed as 1e-17, and a right pass has other digits there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop_nb.checking.lines.followed import Array, moved, traced
from backprop_nb.tracing import pytree

_TINY = 1e-10
"""What is smaller than this, beside the largest gradient or 1, may be rounding."""
_LAST_DIGITS = 1e-13
_TRIES = 3  # few digits may come out alike


def gradients_by(f: Callable[..., Any], args: Sequence[Any], which: Sequence[int]) -> list[Array]:
    """Return the tracer's gradients by some leaves of the arguments."""
    leaves = pytree.flatten(list(traced(f, args, which).backward().gradients))
    return [np.asarray(leaves[k], np.float64) for k in which]


def without_rounding(
    gradients: Sequence[Array], f: Callable[..., Any], args: Sequence[Any], which: Sequence[int]
) -> list[Array]:
    """Return gradients by some leaves, with zeros for those that are nothing but rounding.

    Where the last digits of the arguments change, these become other numbers altogether; a
    gradient that is merely small does not.

    Examples
    --------
    >>> def f(scores, shift):
    ...     p = np.exp(scores + shift)
    ...     return np.log(p / np.sum(p))[1]
    >>> args = [np.array([0.3, 0.1, 0.9]), 0.7]
    >>> d_scores, d_shift = without_rounding(gradients_by(f, args, [0, 1]), f, args, [0, 1])
    >>> print(d_shift)
    0.0
    """
    sizes = [float(np.abs(each).max(initial=0.0)) for each in gradients]
    tiny = [k for k, size in enumerate(sizes) if 0 < size < _TINY * max(1.0, *sizes)]
    found = list(gradients)
    for seed in range(_TRIES if tiny else 0):
        nearby = gradients_by(f, moved(args, which, _LAST_DIGITS, seed), which)
        for k in tiny:
            if np.abs(nearby[k] - gradients[k]).max() > 1e-3 * sizes[k]:
                found[k] = np.zeros_like(gradients[k])
    return found

"""θ = {A_0, b_0, …, A_{K−1}, b_{K−1}} as one vector, for a step of all parameters at once.

Of a network without a bias it holds the A_i alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from backprop_nb.network.validation import FloatArray


def flatten(A: Sequence[FloatArray], b: Sequence[FloatArray]) -> FloatArray:
    """Return A_0 row by row, b_0, A_1 row by row, b_1, ... as one new vector.

    >>> flatten([np.array([[1.0, 2.0], [3.0, 4.0]])], [np.array([5.0, 6.0])])
    array([1., 2., 3., 4., 5., 6.])
    """
    pairs = zip(A, b, strict=True) if b else zip(A, strict=True)
    return np.concatenate([part.ravel() for pair in pairs for part in pair])


def layers(widths: Sequence[int], bias: bool = True) -> list[slice]:
    """Return where each θ_i = (A_i, b_i) lies in the vector.

    >>> layers((4, 3, 1))
    [slice(0, 15, None), slice(15, 19, None)]
    """
    ends = np.cumsum([0, *(m * (n + bias) for n, m in pairwise(widths))]).tolist()
    return [slice(start, end) for start, end in pairwise(ends)]


def unflatten(
    theta: FloatArray, widths: Sequence[int], bias: bool = True
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Return the ``A[i]`` and ``b[i]`` of a vector, as views of it.

    >>> theta = np.arange(1.0, 7.0)
    >>> A, b = unflatten(theta, (2, 2))
    >>> A[0][0, 0] = 10
    >>> theta, b
    (array([10.,  2.,  3.,  4.,  5.,  6.]), [array([5., 6.])])
    """
    A, b = [], []
    for (n, m), layer in zip(pairwise(widths), layers(widths, bias), strict=True):
        part = theta[layer]
        A.append(part[: m * n].reshape(m, n))
        if bias:
            b.append(part[m * n :])
    return A, b

"""Functions that are flat almost everywhere: they give plain arrays, never nodes.

A comparison, a sign or an index of the largest entry does not change under a
small change of its argument, so no gradient flows through it.  Because the
result is an ordinary array, ``if``, masks and loops over shapes just work.
"""

from __future__ import annotations

import numpy as np

PLAIN_FUNCTIONS = frozenset(
    {
        # comparisons and logic
        np.equal,
        np.not_equal,
        np.less,
        np.less_equal,
        np.greater,
        np.greater_equal,
        np.logical_and,
        np.logical_or,
        np.logical_not,
        np.logical_xor,
        np.isnan,
        np.isfinite,
        np.isinf,
        np.signbit,
        np.allclose,
        np.isclose,
        np.array_equal,
        np.any,
        np.all,
        # steps
        np.sign,
        np.floor,
        np.ceil,
        np.trunc,
        np.rint,
        np.round,
        # positions and shapes
        np.argmax,
        np.argmin,
        np.argsort,
        np.nonzero,
        np.count_nonzero,
        np.shape,
        np.ndim,
        np.size,
        np.iscomplexobj,
        np.isrealobj,
        np.result_type,
        # new arrays of the same shape
        np.zeros_like,
        np.ones_like,
        np.empty_like,
        # text
        np.array_repr,
        np.array_str,
        np.array2string,
    }
)

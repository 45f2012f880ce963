"""Functions that are flat almost everywhere: they give plain arrays, never nodes.

A comparison, a sign or an index of the largest entry does not change under a
small change of its argument, so no gradient flows through it.  Because the
result is an ordinary array, ``if``, masks and loops over shapes just work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import Row, row
from backprop_nb.tracing.rules.template import LOOSE, POWER, PRODUCT, SUM, Template, infix


def _comparison(function: np.ufunc, operator: str, sign: str, latex: str) -> Row:
    return row(
        function,
        None,
        None,
        numpy=Template(f"#1 {sign} #2", LOOSE, (SUM,)),
        latex=Template(f"#1 {latex} #2", LOOSE, (SUM,)),
        symbol=sign,
        operator=operator,
    )


ROWS = (
    _comparison(np.equal, "eq", "==", "="),
    _comparison(np.not_equal, "ne", "!=", r"\neq"),
    _comparison(np.less, "lt", "<", "<"),
    _comparison(np.less_equal, "le", "<=", r"\leq"),
    _comparison(np.greater, "gt", ">", ">"),
    _comparison(np.greater_equal, "ge", ">=", r"\geq"),
    row(np.logical_and, None, None, latex=Template(r"#1 \wedge #2", LOOSE, (SUM,)), symbol="and"),
    row(np.logical_or, None, None, latex=Template(r"#1 \vee #2", LOOSE, (SUM,)), symbol="or"),
    row(np.logical_not, None, latex=Template(r"\neg #1", LOOSE, (POWER,)), symbol="not"),
    row(np.isnan, None),
    row(np.isfinite, None, symbol="isfinite"),
    row(np.sign, None),
    row(np.trunc, None),
    row(
        np.floor_divide,
        None,
        None,
        numpy=infix("#1 // #2", PRODUCT),
        latex=Template(r"\lfloor #1 / #2 \rfloor", operands=(PRODUCT, POWER)),
        symbol="//",
        operator="floordiv",
    ),
    row(np.argsort, None),
)
"""Those that rules use, with all it takes to print a rule that computes them anew."""

OTHERS = (
    # tests of entries
    *(np.logical_xor, np.isinf, np.isposinf, np.isneginf, np.isreal, np.iscomplex, np.signbit),
    *(np.allclose, np.isclose, np.array_equal, np.array_equiv, np.isin, np.any, np.all),
    # steps
    *(np.floor, np.ceil, np.fix, np.rint, np.round, np.around),
    # positions and shapes
    *(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argpartition, np.argwhere),
    *(np.flatnonzero, np.lexsort, np.searchsorted, np.digitize, np.nonzero, np.count_nonzero),
    *(np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type),
    *(np.common_type, np.may_share_memory, np.shares_memory, np.linalg.matrix_rank),
    # new arrays of the same shape
    *(np.zeros_like, np.ones_like, np.empty_like),
    # text
    *(np.array_repr, np.array_str, np.array2string),
)

PLAIN_FUNCTIONS: frozenset[Callable[..., Any]] = frozenset(
    {*OTHERS, *(each.function for each in ROWS)}
)

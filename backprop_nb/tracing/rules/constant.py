"""Functions that are flat almost everywhere: they give plain arrays, never nodes.

A comparison, a sign or an index of the largest entry does not change under a
small change of its argument, so no gradient flows through it.  Because the
result is an ordinary array, ``if``, masks and loops over shapes just work.
"""

from __future__ import annotations

import numpy as np

from backprop_nb.tracing.rules.row import REAL, Binding, Form, Row, call

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
        np.isposinf,
        np.isneginf,
        np.isreal,
        np.iscomplex,
        np.signbit,
        np.allclose,
        np.isclose,
        np.array_equal,
        np.array_equiv,
        np.isin,
        np.any,
        np.all,
        # steps
        np.sign,
        np.floor,
        np.floor_divide,
        np.ceil,
        np.trunc,
        np.fix,
        np.rint,
        np.round,
        np.around,
        np.heaviside,
        # positions and shapes
        np.argmax,
        np.argmin,
        np.nanargmax,
        np.nanargmin,
        np.argsort,
        np.argpartition,
        np.argwhere,
        np.flatnonzero,
        np.lexsort,
        np.searchsorted,
        np.digitize,
        np.nonzero,
        np.count_nonzero,
        np.shape,
        np.ndim,
        np.size,
        np.iscomplexobj,
        np.isrealobj,
        np.result_type,
        np.common_type,
        np.may_share_memory,
        np.shares_memory,
        np.linalg.matrix_rank,
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


def _infix(function: np.ufunc, numpy: str, latex: str) -> Row:
    needs = (Binding.SUM, Binding.SUM)
    return Row(
        function,
        (None, None),
        numpy=Form(f"#1 {numpy} #2", Binding.LOOSE, needs),
        latex=Form(f"#1 {latex} #2", Binding.LOOSE, needs),
        symbol=numpy,
        domain=(REAL, REAL),
    )


_ROWS = (
    _infix(np.equal, "==", "="),
    _infix(np.not_equal, "!=", r"\neq"),
    _infix(np.less, "<", "<"),
    _infix(np.less_equal, "<=", r"\leq"),
    _infix(np.greater, ">", ">"),
    _infix(np.greater_equal, ">=", r"\geq"),
    Row(
        np.logical_and,
        (None, None),
        numpy=call("np.logical_and"),
        latex=Form(r"#1 \wedge #2", Binding.LOOSE, (Binding.SUM,)),
        symbol="and",
        domain=(REAL, REAL),
    ),
    Row(
        np.logical_or,
        (None, None),
        numpy=call("np.logical_or"),
        latex=Form(r"#1 \vee #2", Binding.LOOSE, (Binding.SUM,)),
        symbol="or",
        domain=(REAL, REAL),
    ),
    Row(
        np.logical_not,
        (None,),
        numpy=call("np.logical_not"),
        latex=Form(r"\neg #1", Binding.LOOSE, (Binding.POWER,)),
        symbol="not",
    ),
    Row(
        np.isnan,
        (None,),
        numpy=call("np.isnan"),
        latex=Form(r"\mathrm{isnan}(#1)"),
        symbol="isnan",
    ),
    Row(
        np.isfinite,
        (None,),
        numpy=call("np.isfinite"),
        latex=Form(r"\mathrm{isfinite}(#1)"),
        symbol="isfinite",
    ),
    Row(
        np.floor_divide,
        (None, None),
        numpy=Form("#1 // #2", Binding.PRODUCT, (Binding.PRODUCT, Binding.UNARY)),
        latex=Form(r"\lfloor #1 / #2 \rfloor", needs=(Binding.PRODUCT, Binding.POWER)),
        symbol="//",
        domain=(REAL, REAL),
    ),
    Row(
        np.trunc,
        (None,),
        numpy=call("np.trunc"),
        latex=Form(r"\mathrm{trunc}(#1)"),
        symbol="trunc",
    ),
    Row(
        np.argsort,
        (None,),
        numpy=call("np.argsort"),
        latex=Form(r"\mathrm{argsort}(#1)"),
        symbol="argsort",
        signature=("a", "axis", "kind"),
    ),
    Row(
        np.sign,
        (None,),
        numpy=call("np.sign"),
        latex=Form(r"\mathrm{sign}(#1)"),
        symbol="sign",
    ),
)

STEPS = {row.function: row for row in _ROWS}
"""The step functions that rules use, so that a printed rule computes them anew."""

"""Functions that are flat almost everywhere: recorded, but no gradient flows through them.

A comparison, a sign or an index of the largest entry does not change under a
small change of its argument.  It is recorded all the same, because the computation
on other arguments needs it anew: ``np.where(x > 0, x, 0.1 * x)`` has another mask there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.form import Form, take_apart
from backprop_nb.tracing.rules.row import Row, full_name, row
from backprop_nb.tracing.rules.template import (
    LOOSE,
    POWER,
    PRODUCT,
    SUM,
    UNARY,
    Template,
    infix,
)


def _infix(function: np.ufunc, operator: str, sign: str, latex: str) -> Row:
    """Return the row of a comparison, or of an operator that joins masks."""
    return row(
        function,
        None,
        None,
        numpy=Template(f"#1 {sign} #2", LOOSE, (SUM,)),
        latex=Template(f"#1 {latex} #2", LOOSE, (SUM,)),
        symbol=sign,
        operator=operator,
    )


def recorded_call(function: Callable[..., Any], **facts: Any) -> Row:
    """Return the row of a call that prints as it was written, wherever its arrays stand."""

    def bind(*args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        arrays, form = take_apart(args, kwargs)
        return arrays, {"form": form}

    def compute(*arrays: Any, form: Form, output: int | None = None) -> Any:
        args, kwargs = form.filled(arrays)
        value = function(*args, **kwargs)
        if type(value) in (bool, int):  # np.array_equal, np.count_nonzero
            return np.asarray(value)[()]
        return value if output is None else value[output]

    def numpy(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        form: Form = keywords["form"]
        text = f"{full_name(function)}({form.text(arguments)})"
        return f"{text}[{keywords['output']}]" if "output" in keywords else text

    return row(function, numpy=numpy, bind=bind, compute=compute, **facts)


ROWS = (
    _infix(np.equal, "eq", "==", "="),
    _infix(np.not_equal, "ne", "!=", r"\neq"),
    _infix(np.less, "lt", "<", "<"),
    _infix(np.less_equal, "le", "<=", r"\leq"),
    _infix(np.greater, "gt", ">", ">"),
    _infix(np.greater_equal, "ge", ">=", r"\geq"),
    _infix(np.bitwise_and, "and", "&", r"\wedge"),
    _infix(np.bitwise_or, "or", "|", r"\vee"),
    _infix(np.bitwise_xor, "xor", "^", r"\oplus"),
    row(
        np.invert,
        None,
        numpy=Template("~#1", UNARY, (UNARY,)),
        latex=Template(r"\neg #1", UNARY, (POWER,)),
        symbol="not",
        operator="invert",
    ),
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
    *(
        recorded_call(function)
        for function in (
            # tests of entries
            *(np.logical_xor, np.isinf, np.isposinf, np.isneginf, np.isreal, np.iscomplex),
            *(np.signbit, np.allclose, np.isclose, np.array_equal, np.array_equiv, np.isin),
            *(np.any, np.all),
            # steps
            *(np.floor, np.ceil, np.fix, np.rint, np.round, np.around),
            # positions
            *(np.argmax, np.argmin, np.nanargmax, np.nanargmin, np.argpartition, np.lexsort),
            *(np.searchsorted, np.digitize, np.count_nonzero, np.linalg.matrix_rank),
            np.ravel_multi_index,
        )
    ),
    recorded_call(np.argwhere, shape_varies=True),
    recorded_call(np.flatnonzero, shape_varies=True),
    recorded_call(np.unravel_index, outputs=True),
    recorded_call(np.nonzero, outputs=True, shape_varies=True),
)

PLAIN_FUNCTIONS: frozenset[Callable[..., Any]] = frozenset(
    {
        # of shapes and types, which are those of the trace
        *(np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.result_type),
        *(np.common_type, np.may_share_memory, np.shares_memory, np.einsum_path),
        *(np.diag_indices_from, np.tril_indices_from, np.triu_indices_from),
        # new arrays of the same shape
        *(np.zeros_like, np.ones_like, np.empty_like),
    }
)
"""Answered with plain Python: nothing that depends on the entries."""

TEXTS: frozenset[Callable[..., Any]] = frozenset({np.array_repr, np.array_str, np.array2string})
"""What makes text of an array."""

"""In which type of numbers a call computes: NumPy's rule, which no two libraries share.

Whole numbers beside float32 are float64 in NumPy and float32 elsewhere, and so is a single
number of PyTorch's beside an array; some products take no two types at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.emit.algebra import Expression
from backprop_nb.tracing.rules.adding import count_of_values
from backprop_nb.tracing.rules.row import full_name

_ONE_VALUE = ("getitem", "take_along_axis", "add_along_axis", "scatter_add")
"""Their first array is computed with; what follows says where."""


def computed_in(call: Expression) -> list[np.dtype[Any] | None]:
    """Return for each operand the type that NumPy takes it in, if it has another one."""
    assert call.row is not None
    wanted: np.dtype[Any] | None = None
    values = _values(call)
    if call.value.dtype.kind == "f":
        wanted = call.value.dtype
    elif isinstance(call.row.function, np.ufunc):
        given = [each.value if each.is_number else each.value.dtype for each in values]
        wanted = np.result_type(*given)
    types: list[np.dtype[Any] | None] = [None] * len(call.operands)
    if wanted is not None and full_name(call.row.function) != "astype":
        taken = {id(each) for each in values if each.is_number or each.value.dtype != wanted}
        types = [wanted if id(each) in taken else None for each in call.operands]
    if call.row.function is np.where and np.asarray(call.operands[0].value).dtype != bool:
        types[0] = np.dtype(bool)  # a mask of numbers, which PyTorch does not take
    return types


def _values(call: Expression) -> Sequence[Expression]:
    """Return the operands that are computed with, and not those that only choose."""
    assert call.row is not None
    name = full_name(call.row.function).removeprefix("np.")
    if name in _ONE_VALUE:
        return call.operands[:1]
    if name == "assigned":
        return call.operands[: 1 + len(call.keywords["at"])]
    if name == "added_at":
        return call.operands[: count_of_values(call.keywords)]
    if name == "where":
        return call.operands[1:]
    if name == "select":
        return call.operands[len(call.operands) // 2 :]
    return call.operands

"""``reduce``, ``accumulate``, ``reduceat`` and ``outer`` of a ufunc, as calls of the ufunc itself.

Where NumPy has a function for it, that is what is called: ``np.add.reduce`` is a sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.masked import as_type, is_given
from backprop_nb.tracing.rules.reductions import log_sum_exp
from backprop_nb.tracing.rules.row import RefusedError, rows_along


def _log_sum_exp(
    array: Any, axis: Any, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Any:
    array = array if where is True else np.where(where, array, -np.inf)
    found = log_sum_exp(array, axis=axis, keepdims=keepdims)
    return found if initial is None else np.logaddexp(found, initial)


_REDUCE: dict[np.ufunc, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
    np.logaddexp: _log_sum_exp,
}
_ACCUMULATE: dict[np.ufunc, Callable[..., Any]] = {np.add: np.cumsum, np.multiply: np.cumprod}

BY_MACHINE = frozenset({np.power, np.arctan2})
"""Folded, these depend on the machine: ``np.power.reduce([2, 3, 2.])`` is 64, or 4 with AVX-512."""


def _reduce(
    ufunc: np.ufunc,
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = np._NoValue,
    where: Any = True,
) -> Any:
    """``f(f(f(x[0], x[1]), x[2]), …)``, from the start of an axis to its end."""
    _check_binary(ufunc)
    if dtype is not None:
        whole = _reduce(ufunc, as_type(array, dtype), axis, None, keepdims, initial, where)
        return as_type(whole, dtype)
    if np.ndim(array) == 0:
        axis = None
    identity = None if initial is None else ufunc.identity
    if where is not True and identity is None and not is_given(initial):
        raise RefusedError("initial= beside where=, for where no entry is chosen")
    if where is not True and isinstance(array, np.ndarray | np.generic):
        # A traced mask beside a plain array, of which NumPy's function does not ask us.
        array, where = np.where(where, array, initial if identity is None else identity), True
    if ufunc in _REDUCE and (initial is not None or np.size(array)):
        options = {"keepdims": True} if keepdims else {}
        options |= {"initial": initial} if is_given(initial) else {}
        options |= {} if where is True else {"where": where}
        return _REDUCE[ufunc](array, axis=axis, **options)
    if ufunc in BY_MACHINE:
        raise RefusedError("a loop over the entries: NumPy's own result depends on the machine")
    several = (np.ndim(axis) and len(axis) > 1) or (axis is None and np.ndim(array) > 1)
    if several and ufunc.identity is None and ufunc not in (np.fmax, np.fmin):
        raise RefusedError("one axis, since the order of the entries matters")
    rows = rows_along(_as_results(ufunc, array), axis)
    counts = None
    if where is not True:
        counts = rows_along(np.broadcast_to(where, np.shape(array)), axis).values
    start = initial if is_given(initial) else None
    if start is None and counts is not None:
        start = identity
    columns = [rows.values[:, k] for k in range(np.shape(rows.values)[1])]
    if start is None and not columns:
        if identity is None:
            raise RefusedError("at least one entry along the axis")
        start = identity
    result = (
        np.broadcast_to(start, np.shape(rows.values)[:1]) if start is not None else columns.pop(0)
    )
    for k, column in enumerate(columns):
        after = ufunc(result, column)
        result = after if counts is None else np.where(counts[:, k], after, result)
    return rows.one_each(result, keepdims)


def _accumulate(ufunc: np.ufunc, array: Any, axis: int = 0, dtype: Any = None) -> Any:
    """All intermediate results of a reduction."""
    _check_binary(ufunc)
    if dtype is not None:
        return as_type(_accumulate(ufunc, as_type(array, dtype), axis), dtype)
    if ufunc in _ACCUMULATE:
        return _ACCUMULATE[ufunc](array, axis=axis)
    rows = _as_results(ufunc, np.moveaxis(array, axis, 0))
    results = [rows[k] for k in range(min(1, len(rows)))]
    for k in range(1, len(rows)):
        results.append(ufunc(results[-1], rows[k]))
    return np.stack(results, axis=axis) if results else array


def _reduceat(ufunc: np.ufunc, array: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    """One reduction from each index to the next; where that is not further on, one entry."""
    _check_binary(ufunc)
    if dtype is not None:
        return as_type(_reduceat(ufunc, as_type(array, dtype), indices, axis), dtype)
    rows = _as_results(ufunc, np.moveaxis(array, axis, 0))
    starts = [int(k) for k in indices]
    parts = [
        _reduce(ufunc, rows[start:stop]) if start < stop else rows[start]
        for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True)
    ]
    return np.stack(parts, axis=axis)


def _outer(ufunc: np.ufunc, x: Any, y: Any, **options: Any) -> Any:
    """The ufunc of every pair of entries."""
    _check_binary(ufunc)
    if np.ndim(x) and np.ndim(y):
        x = np.reshape(x, (*np.shape(x), *(1,) * np.ndim(y)))
    return ufunc(x, y, **options)


def _as_results(ufunc: np.ufunc, x: Any) -> Any:
    """Return ``x`` as what a result is: a ufunc that tells true from false folds those."""
    if ufunc in (np.logical_and, np.logical_or, np.logical_xor):
        return np.not_equal(x, 0)
    if "dd->?" in ufunc.types:
        raise RefusedError("numbers for a result, and no truth values")
    return x


def _check_binary(ufunc: np.ufunc) -> None:
    if ufunc.nin != 2 or ufunc.nout != 1 or ufunc.signature is not None:
        raise RefusedError("a function of two numbers that returns one")


UFUNC_METHODS: dict[str, Callable[..., Any]] = {
    "reduce": _reduce,
    "accumulate": _accumulate,
    "reduceat": _reduceat,
    "outer": _outer,
}
"""The methods by name, called as ``method(ufunc, *args, **options)``."""

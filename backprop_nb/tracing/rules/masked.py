"""Folding only some of the entries: ``where=``, ``initial=``, ``dtype=``, and NaN left out.

A row knows the plain call.  What is here says the other forms by it: an entry that does
not count is replaced by what changes nothing, 0 in a sum and 1 in a product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import RefusedError, rows_along

Composite = Callable[..., Any]


def is_given(value: Any, *defaults: Any) -> bool:
    """Whether an option has a value of its own."""
    return not any(value is default for default in (np._NoValue, None, *defaults))


def _kept(keepdims: Any) -> bool:
    return keepdims is not np._NoValue and bool(keepdims)


def _only(a: Any, where: Any, other: Any) -> Any:
    """Return ``a`` with ``other`` in place of the entries that do not count."""
    if not is_given(where, True):
        return a
    if np.ndim(where) > np.ndim(a):
        raise RefusedError("a mask with no more axes than the array")
    return np.where(where, a, other)


def as_type(a: Any, dtype: Any) -> Any:
    """Return ``a`` in the type that was asked for, if one was."""
    if isinstance(dtype, int):
        raise RefusedError("axis=(…, …) for several axes")
    return a if dtype is None or np.result_type(a) == dtype else np.astype(a, dtype)


def _as_float(a: Any, dtype: Any) -> Any:
    """Return ``a`` in the type that was asked for, in which a mean is no whole number."""
    a = as_type(a, dtype)
    if np.dtype(dtype).kind != "f":
        raise RefusedError("a float type as dtype=")
    return a


def _float_of(a: Any) -> Any:
    """Return the float type of an array, in which its mean is; ``None`` for whole numbers."""
    dtype = np.result_type(a)
    return dtype if dtype.kind == "f" else None


def _fold(function: Composite, combine: Composite, nothing: Any) -> Composite:
    """Return the other forms of a function that folds entries by ``combine``.

    ``nothing`` is what changes nothing there; where no such number exists, it is ``None``.
    """

    def form(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        keepdims: Any = np._NoValue,
        initial: Any = np._NoValue,
        where: Any = np._NoValue,
    ) -> Any:
        special = dtype is not None or is_given(initial) or is_given(where, True)
        if out is not None or not special:
            return NotImplemented
        first = initial if nothing is None else nothing
        if is_given(where, True) and not is_given(first):
            raise RefusedError("initial= beside where=, for where no entry is chosen")
        if is_given(initial) and np.ndim(initial):
            raise RefusedError("one number as initial=")
        a = as_type(a, dtype)
        if nothing is None and np.size(a) == 0:  # a sum of no entries has the right shape
            return np.sum(a, axis=axis, keepdims=_kept(keepdims)) + initial
        folded = function(_only(a, where, first), axis=axis, keepdims=_kept(keepdims))
        return as_type(combine(folded, initial) if is_given(initial) else folded, dtype)

    return form


def _extreme(function: Composite, combine: Composite) -> Composite:
    fold = _fold(function, combine, None)

    def form(a: Any, axis: Any = None, out: Any = None, *args: Any, **options: Any) -> Any:
        return fold(a, axis, None, out, *args, **options)

    return form


def _mean(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: Any = np._NoValue,
    *,
    where: Any = np._NoValue,
) -> Any:
    if out is not None or (dtype is None and not is_given(where, True)):
        return NotImplemented
    a, kept = _as_float(a, dtype), _kept(keepdims)
    if not is_given(where, True):
        return np.mean(a, axis=axis, keepdims=kept)
    total = np.sum(_only(a, where, 0.0), axis=axis, keepdims=kept)
    return as_type(total / _count(a, axis, kept, where), dtype or _float_of(a))


def _count(a: Any, axis: Any, keepdims: bool, where: Any) -> Any:
    """Return how many entries count."""
    return np.sum(np.broadcast_to(where, np.shape(a)), axis=axis, keepdims=keepdims)


def _spread(function: Composite, grown: Composite) -> Composite:
    """Return the other forms of a variance or a standard deviation.

    Entries that do not count are put on the mean, where they add nothing; ``grown`` is
    by how much the others are spread for it, as a function of the ratio of the counts.
    """

    def form(
        a: Any,
        axis: Any = None,
        dtype: Any = None,
        out: Any = None,
        ddof: Any = 0,
        keepdims: Any = np._NoValue,
        *,
        where: Any = np._NoValue,
        mean: Any = np._NoValue,
        correction: Any = np._NoValue,
    ) -> Any:
        special = dtype is not None or is_given(where, True)
        if out is not None or is_given(mean) or not special:
            return NotImplemented
        a, kept = _as_float(a, dtype), _kept(keepdims)
        less = correction if is_given(correction) else ddof
        if not is_given(where, True):
            return function(a, axis=axis, ddof=less, keepdims=kept)
        mean = _mean(a, axis, keepdims=True, where=where)
        spread = function(_only(a, where, mean), axis=axis, keepdims=kept)
        count = _count(a, axis, kept, where)
        return as_type(
            spread * grown(np.size(a) // max(np.size(spread), 1) / (count - less)),
            dtype or _float_of(a),
        )

    return form


def _running(function: Composite) -> Composite:
    """Return the form of a running sum or product that has a type to compute in."""

    def form(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        if dtype is None or out is not None:
            return NotImplemented
        return as_type(function(as_type(a, dtype), axis=axis), dtype)

    return form


# --- NaN left out -----------------------------------------------------------------


def _there(a: Any) -> Any:
    return np.logical_not(np.isnan(a))


def _nan_extreme(function: Composite, worst: float) -> Composite:
    def form(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = np._NoValue, **options: Any
    ) -> Any:
        if out is not None or not any(is_given(each, True) for each in options.values()):
            return NotImplemented
        missing = np.isnan(a)
        found = function(
            np.where(missing, worst, a), axis=axis, keepdims=_kept(keepdims), **options
        )
        none = np.all(missing, axis=axis, keepdims=_kept(keepdims))
        return np.where(none, np.nan, found) if np.any(none) else found

    return form


def _nan_fold(function: Composite, nothing: float) -> Composite:
    def composite(a: Any, *args: Any, **options: Any) -> Any:
        return function(np.where(np.isnan(a), nothing, a), *args, **options)

    return composite


def _nan_spread(function: Composite) -> Composite:
    def composite(a: Any, *args: Any, **options: Any) -> Any:
        if is_given(options.pop("where", True), True):
            raise RefusedError("no where= in a function that chooses the entries itself")
        return function(a, *args, **options, where=_there(a))

    return composite


def _nan_rows(function: Composite) -> Composite:
    """Return the function of each row's entries that are not NaN."""

    def composite(
        a: Any,
        *q: Any,
        axis: Any = None,
        keepdims: Any = np._NoValue,
        overwrite_input: bool = False,
        **options: Any,
    ) -> Any:
        if len(q) > 1 or np.ndim(options.get("q", q[0] if q else 0.0)):
            raise RefusedError("one q, and the axis by its name")
        rows = rows_along(a, axis)
        each = [function(row[_there(row)], *q, **options) for row in rows.values]
        return rows.one_each(np.stack(each), _kept(keepdims))

    return composite


def _positional_axis(composite: Composite) -> Composite:
    """Let the axis stand second, where no ``q`` does."""
    return lambda a, axis=None, **options: composite(a, axis=axis, **options)


COMPOSITES: dict[Callable[..., Any], Composite] = {
    np.nanprod: _nan_fold(np.prod, 1.0),
    np.nancumsum: _nan_fold(np.cumsum, 0.0),
    np.nancumprod: _nan_fold(np.cumprod, 1.0),
    np.nanvar: _nan_spread(np.var),
    np.nanstd: _nan_spread(np.std),
    np.nanmedian: _positional_axis(_nan_rows(np.median)),
    np.nanquantile: _nan_rows(np.quantile),
    np.nanpercentile: _nan_rows(np.percentile),
}

OTHER_FORMS: dict[Callable[..., Any], Composite] = {
    np.sum: _fold(np.sum, np.add, 0.0),
    np.prod: _fold(np.prod, np.multiply, 1.0),
    np.max: _extreme(np.max, np.maximum),
    np.min: _extreme(np.min, np.minimum),
    np.mean: _mean,
    np.var: _spread(np.var, np.positive),
    np.std: _spread(np.std, np.sqrt),
    np.cumsum: _running(np.cumsum),
    np.cumprod: _running(np.cumprod),
    np.nanmax: _nan_extreme(np.max, -np.inf),
    np.nanmin: _nan_extreme(np.min, np.inf),
}
"""What to do where a call has options that its row does not take, else ``NotImplemented``."""

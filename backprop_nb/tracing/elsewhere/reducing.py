"""Sums, means and orders along axes, in what the Array API has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backprop_nb.tracing.elsewhere.library import Library
from backprop_nb.tracing.emit.algebra import Expression

Call = Callable[..., Any]


def _axes(call: Expression, default: int | None = None) -> tuple[int, ...]:
    """Return the axes that a call goes along."""
    ndim, axis = len(call.operands[0].shape), call.keywords.get("axis", default)
    if axis is None:
        return tuple(range(ndim))
    return tuple(int(k) % ndim for k in (axis if isinstance(axis, tuple) else (axis,)))


def _kept(call: Expression) -> bool:
    return bool(call.keywords.get("keepdims", False))


def _reduced(name: str) -> Callable[[Library, Expression], Call]:
    def build(library: Library, call: Expression) -> Call:
        axes, keepdims = _axes(call), _kept(call)
        reduce = library.get(name)
        if not axes:  # which libraries take for all of them
            return lambda x: library.as_type(x, call.value.dtype)
        if name == "prod":  # of one axis only, in some libraries
            return lambda x: _one_by_one(reduce, x, axes, keepdims)
        return lambda x: reduce(x, axis=axes, keepdims=keepdims)

    return build


def _one_by_one(reduce: Call, x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    for axis in sorted(axes, reverse=True):  # the others keep their numbers
        x = reduce(x, axis=axis, keepdims=keepdims)
    return x


def _variance(library: Library, call: Expression) -> Call:
    axes, keepdims = _axes(call), _kept(call)
    less = call.keywords.get("ddof", call.keywords.get("correction", 0))
    count = math.prod(call.operands[0].shape[k] for k in axes)
    total, mean = library.get("sum"), library.get("mean")

    def variance(x: Any) -> Any:
        if not axes:  # which libraries take for all of them
            return (x - x) / float(count - less)
        apart = x - mean(x, axis=axes, keepdims=True)
        return total(apart * apart, axis=axes, keepdims=keepdims) / float(count - less)

    return variance


def _deviation(library: Library, call: Expression) -> Call:
    variance, root = _variance(library, call), library.get("sqrt")
    return lambda x: root(variance(x))


def _spread(library: Library, call: Expression) -> Call:
    largest, smallest = _reduced("max")(library, call), _reduced("min")(library, call)
    return lambda x: largest(x) - smallest(x)


def _without_nan(mean: bool) -> Callable[[Library, Expression], Call]:
    def build(library: Library, call: Expression) -> Call:
        total, where, is_nan = _reduced("sum")(library, call), *map(library.get, ("where", "isnan"))

        def reduce(x: Any) -> Any:
            missing = is_nan(x)
            found = total(where(missing, _zeros(library, x), x))
            if not mean:
                return found
            return found / total(where(missing, _zeros(library, x), _zeros(library, x) + 1.0))

        return reduce

    return build


def _extreme_number(name: str, worst: float) -> Callable[[Library, Expression], Call]:
    def build(library: Library, call: Expression) -> Call:
        if not _axes(call):  # of one number, which may be NaN
            return lambda x: x
        reduce, every = _reduced(name)(library, call), _reduced("all")(library, call)
        where, is_nan = library.get("where"), library.get("isnan")
        least, nan = (library.array(each, call.value.dtype) for each in (worst, math.nan))

        def extreme(x: Any) -> Any:
            missing = is_nan(x)
            return where(every(missing), nan, reduce(where(missing, least, x)))

        return extreme

    return build


def _zeros(library: Library, x: Any) -> Any:
    return library.get("zeros_like")(x)


def _average(library: Library, call: Expression) -> Call:
    mean = _reduced("mean")(library, call)
    if len(call.operands) == 1:
        return mean
    axes, keepdims, total = _axes(call), _kept(call), library.get("sum")
    shape = call.operands[0].shape
    axis = call.keywords.get("axis")
    named = axis if isinstance(axis, tuple) else axes
    order = tuple(int(k) for k in np.argsort([k % len(shape) for k in named]))
    lengths = tuple(n if k in axes else 1 for k, n in enumerate(shape))
    reshape, permute = library.get("reshape"), library.get("permute_dims", "transpose")
    stretch = library.get("broadcast_to")

    def average(x: Any, weights: Any) -> Any:
        if tuple(weights.shape) != shape:
            turned = permute(weights, order) if len(order) > 1 else weights
            weights = stretch(reshape(turned, lengths), shape)
        above = total(x * weights, axis=axes, keepdims=keepdims)
        return above / total(weights, axis=axes, keepdims=keepdims)

    return average


def _log_sum_exp(library: Library, call: Expression) -> Call:
    axes, keepdims = _axes(call, default=0), _kept(call)
    largest, total = library.get("max"), library.get("sum")
    exp, log, where = map(library.get, ("exp", "log", "where"))
    is_finite = library.get("isfinite")

    def reduce(x: Any) -> Any:
        top = largest(x, axis=axes, keepdims=True)
        top = where(is_finite(top), top, _zeros(library, top))
        found = log(total(exp(x - top), axis=axes, keepdims=True)) + top
        return found if keepdims else library.get("squeeze")(found, axis=axes)

    return reduce


# --- along one axis ---------------------------------------------------------------------


def _along(*names: str, default: int | None = None) -> Callable[[Library, Expression], Call]:
    """Return what builds a function of one axis, or of all entries one after the other.

    ``np.argsort`` keeps the order of equal entries unless it is told otherwise.
    """

    def build(library: Library, call: Expression) -> Call:
        go, axis = library.get(*names), call.keywords.get("axis", default)
        ndim = len(call.operands[0].shape)
        if axis is None or not ndim:
            return lambda x: go(library.flat(x), axis=0)
        return lambda x: go(x, axis=axis % ndim)

    return build


# --- in order ---------------------------------------------------------------------------


def _between(library: Library, call: Expression, places: np.ndarray[Any, Any]) -> Call:
    """Return what lies at places, between two entries perhaps, of each row in order."""
    axes, shape = _axes(call), call.operands[0].shape
    kept = tuple(k for k in range(len(shape)) if k not in axes)
    rows = (*(shape[k] for k in kept), math.prod(shape[k] for k in axes))
    lower = np.floor(places).astype(int)
    # A median between two is their mean; a quantile of infinity beside a number is NaN in NumPy.
    next_one = lower + 1 if "q" in call.keywords else np.ceil(places).astype(int)
    upper, share = np.minimum(next_one, rows[-1] - 1), places - lower
    sort, reshape = library.get("sort"), library.get("reshape")
    permute = library.get("permute_dims", "transpose")
    is_nan, any_of, where = map(library.get, ("isnan", "any", "where"))
    first = np.arange(math.prod(rows[:-1])).reshape(rows[:-1]) * rows[-1]
    # The axes of the quantiles come first in the result.
    sources = [np.asarray(np.add.outer(each, first)) for each in (lower, upper)]
    shares = library.array(
        share.reshape(share.shape + (1,) * first.ndim).astype(call.operands[0].value.dtype)
    )
    result = call.shape

    def reduce(x: Any) -> Any:
        turned = (
            permute(x, (*kept, *axes)) if kept and (*kept, *axes) != tuple(range(x.ndim)) else x
        )
        ordered = library.flat(sort(reshape(turned, rows), axis=-1))
        low, high = (library.taken(ordered, each) for each in sources)
        found = low + (high - low) * shares
        missing = any_of(is_nan(reshape(turned, rows)), axis=-1)
        return reshape(where(missing, found * math.nan, found), result)

    return reduce


def _quantile(library: Library, call: Expression) -> Call:
    """Return what gives a quantile; without a number of its own it is the median."""
    count = math.prod(call.operands[0].shape[k] for k in _axes(call))
    # NumPy says where a quantile of 0, 1, 2, … lies: at its place, whichever the method.
    q, method = np.asarray(call.keywords.get("q", 0.5)), call.keywords.get("method", "linear")
    return _between(library, call, np.quantile(np.arange(float(count)), q, method=method))


# --- running along an axis ----------------------------------------------------------------


def _horner(library: Library, call: Expression) -> Call:
    axis = call.keywords["axis"] % len(call.shape)
    stack = library.get("stack")

    def run(steps: Any, g: Any) -> Any:
        def row(x: Any, k: int) -> Any:
            return x[(slice(None),) * axis + (k,)]

        count = int(g.shape[axis])
        if not count:
            return g
        rows = [row(g, count - 1)]
        for k in reversed(range(count - 1)):
            rows.append(row(g, k) + row(steps, k) * rows[-1])
        return stack(rows[::-1], axis=axis)

    return run


def _differences(library: Library, call: Expression) -> Call:
    axis = call.keywords.get("axis", -1) % len(call.shape)
    before = (slice(None),) * axis

    def differ(x: Any) -> Any:
        for _ in range(call.keywords.get("n", 1)):
            x = x[(*before, slice(1, None))] - x[(*before, slice(0, int(x.shape[axis]) - 1))]
        return x

    return differ


BUILDERS: Mapping[str, Callable[[Library, Expression], Call]] = {
    **{name: _reduced(name) for name in ("all", "any", "max", "mean", "min", "prod", "sum")},
    "argmax": _along("argmax"),
    "argmin": _along("argmin"),
    "argsort": _along("argsort", default=-1),
    "average": _average,
    "cumprod": _along("cumulative_prod", "cumprod"),
    "cumsum": _along("cumulative_sum", "cumsum"),
    "diff": _differences,
    "horner": _horner,
    "logaddexp.reduce": _log_sum_exp,
    "median": _quantile,
    "nanmax": _extreme_number("max", -math.inf),
    "nanmean": _without_nan(mean=True),
    "nanmin": _extreme_number("min", math.inf),
    "nansum": _without_nan(mean=False),
    "ptp": _spread,
    "quantile": _quantile,
    "sort": _along("sort", default=-1),
    "std": _deviation,
    "var": _variance,
}

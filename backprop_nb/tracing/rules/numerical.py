"""Numerical analysis: convolve, interpolate, integrate, differentiate, and grids between two ends.

But for the convolution, these are said by what they are made of, step by step as NumPy does it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from backprop_nb.tracing.rules.indexing import taken
from backprop_nb.tracing.rules.masked import as_type
from backprop_nb.tracing.rules.row import (
    RefusedError,
    as_array,
    as_floats,
    for_both,
    row,
    shaped_like,
    stretch,
)
from backprop_nb.tracing.rules.template import PRODUCT, Template

# --- convolution ------------------------------------------------------------------


def _whole(g: Any, n: int, m: int, mode: str) -> Any:
    """Return the adjoint of the full convolution, of which a mode keeps the middle."""
    if mode == "full":
        return g
    start = min(n, m) - 1 if mode == "valid" else (min(n, m) - 1) // 2
    return np.pad(g, (start, n + m - 1 - start - np.shape(g)[0]))


def _convolve(position: int, g: Any, ans: Any, a: Any, v: Any, mode: str = "full") -> Any:
    """Slide the other one, reversed, over the adjoint: where an entry went, times what it met."""
    own, other = (a, v) if position == 0 else (v, a)
    g = _whole(g, np.size(a), np.size(v), mode)
    return shaped_like(np.convolve(g, np.flip(other), mode="valid"), own)


def _correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    """A convolution with ``v`` reversed; NumPy reverses the result where ``v`` is the longer."""
    if np.size(a) >= np.size(v):
        return np.convolve(a, np.flip(v), mode)
    return np.flip(np.convolve(v, np.flip(a), mode))


ROWS = (
    row(
        np.convolve,
        *for_both(_convolve),
        latex=Template("#1 * #2", PRODUCT, (PRODUCT,)),
        symbol="∗",
        multiplications=lambda ans, a, v, mode="full": int(np.size(a) * np.size(v)),
        expected="two vectors, neither of them empty",
    ),
)

# --- between given points ---------------------------------------------------------


def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    x, xp, fp = (as_type(as_array(each), float) for each in (x, xp, fp))
    if period is not None:
        x, xp = np.remainder(x, abs(period)), np.remainder(xp, abs(period))
        order = np.argsort(xp)
        xp, fp = np.take(xp, order), np.take(fp, order)
        xp = np.concatenate([xp[-1:] - abs(period), xp, xp[:1] + abs(period)])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
        left = right = None
    first, last = np.take(fp, 0), np.take(fp, -1)
    if np.size(xp) == 1:
        inside = first
    else:
        k = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, np.size(xp) - 2)
        places = [(taken(xp, each), taken(fp, each)) for each in (k, k + 1)]
        places.append((np.take(xp, -1), last))
        inside = _between(x, places, _is_plain_line(xp, fp))
    above = np.where(np.greater(x, np.take(xp, -1)), last if right is None else right, inside)
    found = np.where(np.less(x, np.take(xp, 0)), first if left is None else left, above)
    if period is not None or np.size(xp) == 1 or isinstance(xp, np.ndarray):
        return found
    # Other arguments may not ascend, of which nobody is asked: NaN, and no meaningless number.
    return np.where(np.all(np.less_equal(xp[:-1], xp[1:])), found, np.nan)


def _is_plain_line(xp: Any, fp: Any) -> bool:
    """Whether no line between two points is NaN, of which traced points cannot be sure."""
    if not (isinstance(xp, np.ndarray) and isinstance(fp, np.ndarray)):
        return False
    return bool(np.all(np.isfinite(xp)) and np.all(np.isfinite(fp)) and xp[-2] < xp[-1])


def _between(x: Any, points: Sequence[tuple[Any, Any]], is_plain: bool) -> Any:
    """Go along a line from the point before, and as NumPy does where infinities make that NaN.

    There it comes from the point after, and has no line to go at the points themselves, of
    which the third is the last, and where both are of one height.
    """
    (x0, y0), (x1, y1), (x2, y2) = points
    slope = (y1 - y0) / (x1 - x0)
    line = slope * np.subtract(x, x0) + y0
    if is_plain:
        return line
    level = np.logical_or(np.equal(x, x0), np.equal(y0, y1))
    other = np.where(level, y0, slope * np.subtract(x, x1) + y1)
    other = np.where(np.equal(x, x2), y2, other)
    is_without = np.logical_and(np.isnan(line), np.equal(x, x))  # and not for want of an x
    return np.where(is_without, other, line)


def _ascends(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> None:
    """Refuse points that do not ascend, for which NumPy gives a number without a meaning."""
    xp = np.asarray(xp, dtype=float)
    if period is not None or xp.ndim != 1:
        return
    wrong = np.flatnonzero(~(xp[:-1] <= xp[1:]))
    if not wrong.size:
        return
    k = int(wrong[0])
    instead = "np.interp(x, np.sort(xp), np.take(fp, np.argsort(xp)))"
    if np.all(xp[:-1] >= xp[1:]):
        instead = "np.interp(x, xp[::-1], fp[::-1])"
    raise RefusedError(
        "xp that ascends, for NumPy's result has no meaning where it does not",
        given=f"xp[{k}] = {xp[k]:g}, and xp[{k + 1}] = {xp[k + 1]:g}",
        instead="" if np.any(np.isnan(xp)) else instead,
    )


# --- areas and slopes -------------------------------------------------------------


def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The width of each strip times the mean of its two heights."""
    y = as_array(y)
    axis = normalize_axis_index(axis, np.ndim(y))
    if x is not None and np.ndim(x) == 1:
        dx = np.reshape(np.diff(x), tuple(-1 if k == axis else 1 for k in range(np.ndim(y))))
    elif x is not None:
        dx = np.diff(x, axis=axis)
    return np.sum(dx * (y[stretch(axis, 1, None)] + y[stretch(axis, None, -1)]) / 2.0, axis=axis)


def _gradient(f: Any, *spacing: Any, axis: Any = None, edge_order: int = 1) -> Any:
    f, ndim = as_array(f), np.ndim(f)
    axes = range(ndim) if axis is None else normalize_axis_tuple(axis, ndim)
    steps = spacing or (1.0,)
    if len(steps) == 1 and np.ndim(steps[0]) == 0:
        steps *= len(axes)
    if len(steps) != len(axes) or edge_order not in (1, 2):
        raise RefusedError("one spacing for each axis, and edge_order 1 or 2")
    found = tuple(_slopes(f, *each, edge_order) for each in zip(axes, steps, strict=True))
    return found[0] if len(axes) == 1 else found


def _slopes(f: Any, axis: int, at: Any, edge_order: int) -> Any:
    """Central differences inside, one-sided ones at both ends, of second order if they shall."""
    length = np.shape(f)[axis]
    if length <= edge_order:
        raise RefusedError("more than edge_order entries along the axis")

    def part(start: int | None, stop: int | None) -> Any:
        return f[stretch(axis, start, stop)]

    if np.ndim(at) == 0:
        inside = (part(2, None) - part(None, -2)) / (2.0 * at)
        first = last = at
        start, end = ((s * -1.5 / at, s * 2.0 / at, s * -0.5 / at) for s in (1, -1))
    else:
        if np.shape(at) != (length,):
            raise RefusedError("one place for each entry along the axis")
        widths = np.diff(at)
        h, k = widths[:-1], widths[1:]
        first, last = widths[0], widths[-1]
        a, b, c = -k / (h * (h + k)), (k - h) / (h * k), h / (k * (h + k))
        wide = tuple(-1 if n == axis else 1 for n in range(np.ndim(f)))
        a, b, c = (np.reshape(each, wide) for each in (a, b, c))
        inside = a * part(None, -2) + b * part(1, -1) + c * part(2, None)
        if edge_order == 2:
            start, end = _one_sided(widths[0], widths[1]), _one_sided(-widths[-1], -widths[-2])
    if edge_order == 1:
        before = (part(1, 2) - part(0, 1)) / first
        after = (part(-1, None) - part(-2, -1)) / last
    else:
        before = start[0] * part(0, 1) + start[1] * part(1, 2) + start[2] * part(2, 3)
        after = end[0] * part(-1, None) + end[1] * part(-2, -1) + end[2] * part(-3, -2)
    return as_type(np.concatenate([before, inside, after], axis=axis), as_floats(f).dtype)


def _one_sided(h: Any, k: Any) -> tuple[Any, Any, Any]:
    """Return what three entries count for in the slope at the first, with steps h and k."""
    return -(2.0 * h + k) / (h * (h + k)), (h + k) / (h * k), -h / (k * (h + k))


# --- grids ------------------------------------------------------------------------


def _linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    num = operator.index(num)
    delta = np.subtract(stop, start)
    parts = num - 1 if endpoint else num
    ends = [as_array(each) if isinstance(each, list | tuple) else each for each in (start, stop)]
    kind = np.result_type(*ends, float(num))
    places = np.reshape(np.arange(num, dtype=kind), (num, *(1,) * np.ndim(delta)))
    step = delta / parts if parts > 0 else np.nan
    grid = start + places * (step if parts > 0 else delta)
    if endpoint and num > 1:  # the last one exactly
        last = np.broadcast_to(stop, np.shape(delta))
        grid = np.concatenate([grid[:-1], np.expand_dims(last, 0)])
    grid = _finished(grid, dtype or kind, axis)
    return (grid, step) if retstep else grid


def _finished(grid: Any, dtype: Any, axis: int) -> Any:
    grid = np.moveaxis(grid, 0, axis) if axis not in (0, -np.ndim(grid)) else grid
    return as_type(grid, dtype)


def _logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    if np.ndim(base):
        raise RefusedError("one base")
    grid = np.power(base, np.linspace(start, stop, num, endpoint, axis=axis))
    return as_type(grid, dtype)


def _geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    start, stop = (as_type(as_array(each), float) for each in (start, stop))
    sign = np.sign(start)
    if np.any(start == 0) or np.any(sign != np.sign(stop)):
        raise RefusedError("two ends of one sign")
    start, stop = np.broadcast_arrays(start * sign, stop * sign)
    grid = np.logspace(np.log10(start), np.log10(stop), num, endpoint)
    count = np.shape(grid)[0]
    ends = [np.expand_dims(each, 0) for each in (start, stop)]
    if count > 1 and endpoint:
        grid = np.concatenate([ends[0], grid[1:-1], ends[1]])
    elif count:
        grid = np.concatenate([ends[0], grid[1:]])
    return _finished(grid * sign, dtype, axis)


# --- running sums -----------------------------------------------------------------


def _cumulative(running: Callable[..., Any], start: float) -> Callable[..., Any]:
    def composite(
        x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False
    ) -> Any:
        if axis is None and np.ndim(x) != 1:
            raise RefusedError("an axis, where there are several")
        axis = normalize_axis_index(axis or 0, np.ndim(x))
        x = x if dtype is None else np.astype(x, dtype)
        sums = running(x, axis=axis) if np.ndim(x) > 1 else running(x)
        if not include_initial:
            return sums
        shape = tuple(1 if k == axis else n for k, n in enumerate(np.shape(x)))
        return np.concatenate([np.full(shape, start, dtype=x.dtype), sums], axis=axis)

    return composite


# --- functions that are handed over ------------------------------------------------


def _apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    axis = normalize_axis_index(axis, np.ndim(arr))
    rows = np.moveaxis(arr, axis, -1)
    outer = np.shape(rows)[:-1]
    results = [func1d(rows[place], *args, **kwargs) for place in np.ndindex(outer)]
    if not results:
        raise RefusedError("at least one row")
    stacked = np.stack(results)
    inner = np.shape(stacked)[1:]
    stacked = np.reshape(stacked, (*outer, *inner))
    order = [*range(axis), *range(len(outer), len(outer) + len(inner)), *range(axis, len(outer))]
    return stacked if order == sorted(order) else np.transpose(stacked, tuple(order))


def _apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    for axis in np.ravel(axes).tolist():
        axis = normalize_axis_index(axis, np.ndim(a))
        result = func(a, axis)
        a = result if np.ndim(result) == np.ndim(a) else np.expand_dims(result, axis)
    return a


def vectorized(call: np.vectorize, *args: Any, **kwargs: Any) -> Any:
    """Do what an object of ``np.vectorize`` does: call its function with one entry of each."""
    excluded = set(call.excluded or ())
    if call.signature is not None or excluded or kwargs:
        raise RefusedError("entries one by one: no signature, nothing excluded, no keywords")
    arrays = np.broadcast_arrays(*args)
    shape = np.shape(arrays[0])
    if 0 in shape:
        raise RefusedError("at least one entry")
    results = [call.pyfunc(*(each[place] for each in arrays)) for place in np.ndindex(shape)]
    several = isinstance(results[0], tuple)
    each = list(zip(*results, strict=True)) if several else [results]
    types = map(np.dtype, call.otypes) if call.otypes else [None] * len(each)
    shaped = (np.reshape(np.stack(one), shape) for one in each)
    found = tuple(map(as_type, shaped, types))
    return found if several else found[0]


def _piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Each function of the entries that its condition picks, later ones over earlier ones."""
    single = not isinstance(condlist, list | tuple) and np.ndim(condlist) == np.ndim(x)
    if single or (np.ndim(condlist[0]) == 0 and np.ndim(x) > 0):
        condlist = [condlist]
    conditions = [np.broadcast_to(each, np.shape(x)) for each in condlist]
    if len(funclist) == len(conditions) + 1:
        anywhere = conditions[0]
        for each in conditions[1:]:
            anywhere = np.logical_or(anywhere, each)
        conditions.append(np.logical_not(anywhere))
    if len(funclist) != len(conditions):
        raise RefusedError("one function for each condition, and perhaps one for all others")
    result = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        if callable(function):
            if not np.any(condition):
                continue
            found = function(x[condition], *args, **kw)
            if np.ndim(found):  # back to the places of the entries
                places = np.cumsum(condition) - 1
                found = np.reshape(np.take(found, np.maximum(places, 0)), np.shape(x))
        else:
            found = function
        result = np.where(condition, found, result)
    return result


CHECKS: dict[Callable[..., Any], Callable[..., None]] = {np.interp: _ascends}
"""What refuses a call for its plain values, of which the trace of its parts asks nothing."""

COMPOSITES: dict[Callable[..., Any], Callable[..., Any]] = {
    np.correlate: _correlate,
    np.interp: _interp,
    np.trapezoid: _trapezoid,
    np.gradient: _gradient,
    np.linspace: _linspace,
    np.logspace: _logspace,
    np.geomspace: _geomspace,
    np.cumulative_sum: _cumulative(np.cumsum, 0.0),
    np.cumulative_prod: _cumulative(np.cumprod, 1.0),
    np.apply_along_axis: _apply_along_axis,
    np.apply_over_axes: _apply_over_axes,
    np.piecewise: _piecewise,
}

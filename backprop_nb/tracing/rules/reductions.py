"""Functions that fold many entries into few, and running sums, products and differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import (
    POSITIVE,
    REAL,
    TAKEN_AS_0,
    Remark,
    dispatched,
    row,
    rows_along,
    shaped_like,
    stretch,
    unbroadcast,
)
from backprop_nb.tracing.rules.template import call_text, latex_call

# --- sums and means ---------------------------------------------------------------


def _expand(g: Any, axis: Any, keepdims: bool) -> Any:
    """Put the folded axes back, with length 1, so that ``g`` stretches to the argument."""
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def _sum(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Give every entry of ``x`` the adjoint of the sum it went into."""
    return np.broadcast_to(_expand(g, axis, keepdims), x.shape)


def _mean(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _sum(g / (x.size // max(ans.size, 1)), ans, x, axis, keepdims)


def _nansum(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.where(np.isnan(x), 0.0, _expand(g, axis, keepdims))


def _nanmean(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    count = np.sum(np.logical_not(np.isnan(x)), axis=axis, keepdims=keepdims)
    return _nansum(g / count, ans, x, axis, keepdims)


def _average_call(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> tuple[list[Any], dict[str, Any]]:
    if returned:
        raise TypeError("two results")
    options = {} if axis is None else {"axis": axis}
    options |= {"keepdims": True} if keepdims is True else {}
    return [a] if weights is None else [a, weights], options


def _average_text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    text = call_text("np.average", arguments[:1], keywords)
    return f"{text[:-1]}, weights={arguments[1]})" if len(arguments) > 1 else text


def _average(
    position: int,
    g: Any,
    ans: Any,
    x: Any,
    weights: Any = None,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    """Σ w x / Σ w: an entry has its weight's share, a weight its entry's distance to the mean."""
    if weights is None:
        return _mean(g, ans, x, axis, keepdims)
    g, ans = _expand(g, axis, keepdims), _expand(ans, axis, keepdims)
    if np.shape(weights) == x.shape:
        w, order = weights, None
    else:  # one weight for each place along the axes, in the order they are named
        axes = [k % x.ndim for k in (axis if isinstance(axis, tuple) else (axis,))]
        order = np.argsort(axes).tolist()
        w = weights if len(axes) == 1 else np.transpose(weights, tuple(order))
        w = np.reshape(w, tuple(n if k in axes else 1 for k, n in enumerate(x.shape)))
    total = np.sum(w, axis=axis, keepdims=axis is not None)
    if position == 0:
        return g * w / total
    slope = unbroadcast(g * (x - ans) / total, w)
    if order is None:
        return slope
    slope = np.reshape(slope, tuple(weights.shape[k] for k in order))
    return slope if len(order) == 1 else np.transpose(slope, tuple(np.argsort(order).tolist()))


# --- logarithms of sums -----------------------------------------------------------


@dispatched
def log_sum_exp(x: Any, *, axis: Any = 0, keepdims: bool = False) -> Any:
    """Return log Σ exp(x) over an axis, without overflow; the function behind the method."""
    reduce: Any = np.logaddexp.reduce
    return reduce(x, axis=axis, keepdims=keepdims)


# It is known, and prints, as what the learner called.
log_sum_exp.__module__, log_sum_exp.__name__ = "numpy", "logaddexp.reduce"


def _log_sum_exp(g: Any, ans: Any, x: Any, *, axis: Any = 0, keepdims: bool = False) -> Any:
    """The softmax: the share of each term in the sum.  A sum of nothing but 0 gives 0."""
    g, ans = _expand(g, axis, keepdims), _expand(ans, axis, keepdims)
    return g * np.exp(x - np.where(np.isfinite(ans), ans, 0.0))


# --- spreads ----------------------------------------------------------------------


def _deviation(x: Any, axis: Any) -> Any:
    return x - np.mean(x, axis=axis, keepdims=axis is not None)


def _var(
    g: Any,
    ans: Any,
    x: Any,
    axis: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float = 0,
) -> Any:
    """``2 (x - mean) / (n - ddof)``; the mean moves too, but the deviations add up to 0."""
    n = x.size // max(ans.size, 1) - ddof - correction
    return 2 * _expand(g, axis, keepdims) * _deviation(x, axis) / n


def _std(
    g: Any,
    ans: Any,
    x: Any,
    axis: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    correction: float = 0,
) -> Any:
    """``(x - mean) / ((n - ddof) std)``, and 0 where all entries are equal."""
    n = x.size // max(ans.size, 1) - ddof - correction
    share = _expand(g / (n * np.where(ans == 0, 1.0, ans)), axis, keepdims)
    return share * _deviation(x, axis)


_NO_SPREAD = Remark(
    "kink",
    lambda ans, x, **options: ans == 0,
    "all entries of {0} are equal{places}, where the standard deviation has a corner: "
    + TAKEN_AS_0,
    "np.var({0}) in place of the square of the standard deviation",
)

# --- products ---------------------------------------------------------------------


def _along(x: Any, axis: int) -> dict[str, Any]:
    """Return the option that says the axis, where there is more than one."""
    return {} if x.ndim == 1 else {"axis": axis}


def _pad_width(x: Any, axis: int, before: int, after: int) -> Any:
    """Return the padding of one axis and of no other, as ``np.pad`` takes it."""
    if x.ndim == 1:
        return (before, after)
    return tuple((before, after) if k == axis else (0, 0) for k in range(x.ndim))


def _shifted(products: Any, axis: int) -> Any:
    """Return running products without the entry itself: 1 first, the last one left out."""
    grown = np.pad(products, _pad_width(products, axis, 1, 0), constant_values=1.0)
    return grown[stretch(axis, None, -1)]


def _others(x: Any, axis: int) -> Any:
    """Return the product of all other entries along an axis: those before, those after."""
    along = _along(x, axis)
    before = _shifted(np.cumprod(x, **along), axis)
    after = _shifted(np.cumprod(np.flip(x, **along), **along), axis)
    return before * np.flip(after, **along)


def _prod(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Each entry has the product of all others for a slope, which is right at 0 too."""
    g = _expand(g, axis, keepdims)
    if x.ndim == 1 and axis != ():
        return g * _others(x, 0)
    if axis is not None and np.ndim(axis) == 0:
        return g * _others(x, axis % x.ndim)
    rows = rows_along(x, axis)
    return g * rows.whole(_others(rows.values, 1))


# --- running sums, products and differences ---------------------------------------


def _cumsum(g: Any, ans: Any, x: Any, axis: int | None = None) -> Any:
    """An entry is part of all later sums: sum the adjoint up from the end."""
    along = _along(ans, 0 if axis is None else axis)
    return shaped_like(np.flip(np.cumsum(np.flip(g, **along), **along), **along), x)


def _cumprod(g: Any, ans: Any, x: Any, axis: int | None = None) -> Any:
    """``∂ans[k]/∂x[i]`` is the product of x[0] … x[k] without x[i].

    What comes before x[i] is a factor of all of them; Horner's scheme adds up
    what comes after.
    """
    along = 0 if axis is None else axis % x.ndim
    entries = x if ans.ndim == x.ndim else np.ravel(x)
    after = horner(entries[stretch(along, 1, None)], g, axis=along)
    return shaped_like(_shifted(ans, along) * after, x)


@dispatched
def horner(steps: Any, g: Any, *, axis: int) -> Any:
    """Return r with r[i] = g[i] + steps[i] * r[i + 1], from the end of an axis to its start.

    Horner's scheme: ``steps`` is one shorter than ``g``, and no division occurs,
    so that zeros among the steps do no harm.
    """
    r = np.array(g, dtype=np.result_type(steps, g))
    rows, steps = np.moveaxis(r, axis, 0), np.moveaxis(steps, axis, 0)
    for i in reversed(range(len(steps))):
        rows[i] += steps[i] * rows[i + 1]
    return r


def _printed_horner(steps: Any, g: Any, *, axis: int) -> Any:
    """Do it row by row: no array is written to, which libraries refuse, or forget."""
    rows, steps = [*np.moveaxis(g, axis, 0)], np.moveaxis(steps, axis, 0)
    for i in reversed(range(len(steps))):
        rows[i] = rows[i] + steps[i] * rows[i + 1]
    return np.stack(rows, axis) if rows else g


def _horner_g(g: Any, ans: Any, steps: Any, last: Any, axis: int) -> Any:
    """The adjoint runs the other way, from the start of the axis to its end."""
    along = _along(g, axis)
    return np.flip(horner(np.flip(steps, **along), np.flip(g, **along), axis=axis), **along)


def _horner_steps(g: Any, ans: Any, steps: Any, last: Any, axis: int) -> Any:
    received = _horner_g(g, ans, steps, last, axis)
    return received[stretch(axis, None, -1)] * ans[stretch(axis, 1, None)]


def _diff(g: Any, ans: Any, x: Any, n: int = 1, axis: int = -1) -> Any:
    """The difference again: an entry was added in one place and subtracted in the next."""
    axis %= x.ndim
    n = min(n, x.shape[axis])
    options = ({} if n == 1 else {"n": n}) | _along(x, axis)
    differences = np.diff(np.pad(g, _pad_width(x, axis, n, n)), **options)
    return differences if n % 2 == 0 else -differences


ROWS = (
    row(
        np.sum,
        _sum,
        symbol="Σ",
        in_words="A sum over entries hands its adjoint on to each of them.",
    ),
    row(
        np.mean,
        _mean,
        in_words="A mean hands each entry its adjoint divided by the number of entries.",
    ),
    row(np.nansum, _nansum, symbol="Σ"),
    row(np.nanmean, _nanmean, symbol="mean"),
    row(
        np.average,
        each=_average,
        numpy=_average_text,
        symbol="mean",
        domain=(REAL, POSITIVE),
        bind=_average_call,
        compute=lambda a, weights=None, **options: np.average(a, weights=weights, **options),
    ),
    row(
        log_sum_exp,
        _log_sum_exp,
        latex=partial(latex_call, r"\log \sum \exp"),
        symbol="log Σexp",
        in_words="The slope of log Σ exp is the softmax: a term's share in the sum.",
    ),
    row(np.var, _var),
    row(np.std, _std, remarks=(_NO_SPREAD,)),
    row(np.prod, _prod, symbol="Π"),
    row(np.cumsum, _cumsum),
    row(np.cumprod, _cumprod),
    row(horner, _horner_steps, _horner_g, printed=_printed_horner),
    row(np.diff, _diff, view=True),
)

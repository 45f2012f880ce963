"""Functions that fold many entries into few."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import (
    POSITIVE,
    REAL,
    Form,
    Remark,
    Row,
    call,
    literal,
    unbroadcast,
)
from backprop_nb.tracing.rules.running import shifted

_SIGNATURE = ("a", "axis", "dtype", "out", "keepdims")
_SPREAD_SIGNATURE = ("a", "axis", "dtype", "out", "ddof", "keepdims", "correction")


def _expand(g: Any, axis: Any, keepdims: bool) -> Any:
    """Put the folded axes back, with length 1, so that ``g`` stretches to the argument."""
    return g if axis is None or keepdims else np.expand_dims(g, axis)


def _spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Give every entry of ``x`` the adjoint of the sum it went into."""
    return np.broadcast_to(_expand(g, axis, keepdims), x.shape)


def _sum(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _spread(g, x, axis, keepdims)


def _mean(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    folded = x.size // max(ans.size, 1)
    return _spread(g / folded, x, axis, keepdims)


def _nansum(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.where(np.isnan(x), 0.0, _expand(g, axis, keepdims))


def _nanmean(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    count = np.sum(np.logical_not(np.isnan(x)), axis=axis, keepdims=keepdims)
    return np.where(np.isnan(x), 0.0, _expand(g / count, axis, keepdims))


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


def _others(x: Any, axis: int) -> Any:
    """Return the product of all other entries along an axis: those before, those after."""
    along: dict[str, Any] = {} if x.ndim == 1 else {"axis": axis}
    before = shifted(np.cumprod(x, **along), axis)
    after = shifted(np.cumprod(np.flip(x, **along), **along), axis)
    return before * np.flip(after, **along)


def _prod(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Each entry has the product of all others for a slope, which is right at 0 too."""
    g = _expand(g, axis, keepdims)
    if x.ndim == 1 and axis != ():
        return g * _others(x, 0)
    if axis is not None and np.ndim(axis) == 0:
        return g * _others(x, axis % x.ndim)
    folded = range(x.ndim) if axis is None else [k % x.ndim for k in axis]
    kept = [k for k in range(x.ndim) if k not in folded]
    order = (*kept, *folded)
    moved = np.transpose(x, order) if kept else x
    rows = np.reshape(moved, (*(x.shape[k] for k in kept), math.prod(x.shape[k] for k in folded)))
    others = np.reshape(_others(rows, len(kept)), moved.shape)
    return g * (np.transpose(others, tuple(np.argsort(order).tolist())) if kept else others)


def _average_call(
    a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> tuple[list[Any], dict[str, Any]]:
    if returned:
        raise TypeError("two results")
    options = {} if axis is None else {"axis": axis}
    options |= {"keepdims": True} if keepdims is True else {}
    return [a] if weights is None else [a, weights], options


def _average_form(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    named = [f"{key}={literal(value)}" for key, value in keywords.items()]
    weights = [f"weights={text}" for text in arguments[1:]]
    return f"np.average({', '.join([arguments[0], *named, *weights])})"


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


ROWS = (
    Row(
        np.sum,
        (_sum,),
        numpy=call("np.sum"),
        latex=Form(r"\mathrm{sum}(#1)"),
        symbol="Σ",
        signature=_SIGNATURE,
    ),
    Row(
        np.mean,
        (_mean,),
        numpy=call("np.mean"),
        latex=Form(r"\mathrm{mean}(#1)"),
        symbol="mean",
        signature=_SIGNATURE,
    ),
    Row(
        np.nansum,
        (_nansum,),
        numpy=call("np.nansum"),
        latex=Form(r"\mathrm{nansum}(#1)"),
        symbol="Σ",
        signature=_SIGNATURE,
    ),
    Row(
        np.nanmean,
        (_nanmean,),
        numpy=call("np.nanmean"),
        latex=Form(r"\mathrm{nanmean}(#1)"),
        symbol="mean",
        signature=_SIGNATURE,
    ),
    Row(
        np.var,
        (_var,),
        numpy=call("np.var"),
        latex=Form(r"\mathrm{var}(#1)"),
        symbol="var",
        signature=_SPREAD_SIGNATURE,
    ),
    Row(
        np.std,
        (_std,),
        numpy=call("np.std"),
        latex=Form(r"\mathrm{std}(#1)"),
        symbol="std",
        signature=_SPREAD_SIGNATURE,
        remarks=(
            Remark(
                "kink",
                lambda ans, x, **options: ans == 0,
                "all entries of {0} are equal{places}, where the standard deviation has a corner: "
                "the slope is taken to be 0",
            ),
        ),
    ),
    Row(
        np.prod,
        (_prod,),
        numpy=call("np.prod"),
        latex=Form(r"\mathrm{prod}(#1)"),
        symbol="Π",
        signature=_SIGNATURE,
    ),
    Row(
        np.average,
        (),
        numpy=Form(_average_form),
        latex=Form(
            lambda arguments, keywords: rf"\mathrm{{average}}({', '.join(arguments)})",
        ),
        symbol="mean",
        domain=(REAL, POSITIVE),
        bind=_average_call,
        compute=lambda a, weights=None, **options: np.average(a, weights=weights, **options),
        each=_average,
    ),
)

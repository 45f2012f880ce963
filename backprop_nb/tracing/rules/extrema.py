"""The larger and the smaller, entry by entry and over an axis; clipping.

A tie is a kink.  The convention here is the fair one: what ties shares the
gradient equally.  The remarks of the rows say it to the reader.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import REAL, Form, Remark, Row, call, unbroadcast


def _to_larger(g: Any, x: Any, y: Any) -> Any:
    """Return what ``x`` receives if the larger of the two was taken."""
    return unbroadcast(np.where(x == y, g / 2, np.where(x > y, g, 0.0)), x)


def _to_smaller(g: Any, x: Any, y: Any) -> Any:
    return unbroadcast(np.where(x == y, g / 2, np.where(x < y, g, 0.0)), x)


def _to_larger_number(g: Any, x: Any, y: Any) -> Any:
    """Return the same for functions that prefer a number to NaN."""
    chosen = np.logical_or(x > y, np.isnan(y))
    return unbroadcast(np.where(x == y, g / 2, np.where(chosen, g, 0.0)), x)


def _to_smaller_number(g: Any, x: Any, y: Any) -> Any:
    chosen = np.logical_or(x < y, np.isnan(y))
    return unbroadcast(np.where(x == y, g / 2, np.where(chosen, g, 0.0)), x)


def _of_two(function: np.ufunc, to_chosen: Callable[..., Any], latex: str) -> Row:
    return Row(
        function,
        (
            lambda g, ans, x, y: to_chosen(g, x, y),
            lambda g, ans, x, y: to_chosen(g, y, x),
        ),
        numpy=call(f"np.{function.__name__}"),
        latex=Form(rf"\{latex}(#1, #2)"),
        symbol=latex,
        domain=(REAL, REAL),
        remarks=(
            Remark(
                "tie",
                lambda ans, x, y: x == y,
                "{0} and {1} are equal{places}: each receives half of the gradient",
            ),
        ),
    )


def _to_extreme(g: Any, x: Any, top: Any, axis: Any, keepdims: bool) -> Any:
    """Give the adjoint to the entries of ``x`` that equal ``top``, in equal shares."""
    chosen = x == top
    share = g / np.sum(chosen, axis=axis, keepdims=keepdims)
    if axis is not None and not keepdims:
        share = np.expand_dims(share, axis)
    return np.where(chosen, share, 0.0)


def _max(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    top = np.max(x, axis=axis, keepdims=axis is not None)
    return _to_extreme(g, x, top, axis, keepdims)


def _min(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    bottom = np.min(x, axis=axis, keepdims=axis is not None)
    return _to_extreme(g, x, bottom, axis, keepdims)


def _ptp(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Peak to peak is the maximum minus the minimum."""
    return _max(g, ans, x, axis, keepdims) - _min(g, ans, x, axis, keepdims)


def has_twin(extreme: Callable[..., Any], x: Any, axis: Any) -> Any:
    """Return whether the largest (or smallest) entry is not the only one."""
    return np.sum(x == extreme(x, axis=axis, keepdims=True), axis=axis) > 1


def shared(at: Callable[..., Any], word: str) -> Remark:
    """Return the remark that several entries are the ``word``, wherever ``at`` finds that."""
    return Remark(
        "tie",
        at,
        f"several entries of {{0}} are the {word}{{places}}: "
        "they share the gradient in equal parts",
    )


def _over_axis(
    function: Callable[..., Any], vjp: Callable[..., Any], latex: str, *remarks: Remark
) -> Row:
    return Row(
        function,
        (vjp,),
        numpy=call(f"np.{function.__name__}"),
        latex=Form(rf"{latex}(#1)"),
        symbol=function.__name__,
        signature=("a", "axis", "out", "keepdims"),
        remarks=remarks,
    )


def _clip_call(
    a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> tuple[list[Any], dict[str, Any]]:
    """Read both spellings of the bounds; one that is not given is infinite."""
    low, high = (
        next((each for each in pair if each is not None and each is not np._NoValue), limit)
        for pair, limit in (((a_min, min), -math.inf), ((a_max, max), math.inf))
    )
    return [a, low, high], {}


def _is_open(bound: Any) -> bool:
    """Whether there is no bound on this side."""
    return isinstance(bound, float) and math.isinf(bound)


def _clip(g: Any, ans: Any, x: Any, low: Any, high: Any) -> Any:
    """Pass on what lies between the bounds or on one of them."""
    if _is_open(low):
        inside = x <= high
    elif _is_open(high):
        inside = x >= low
    else:
        inside = np.logical_and(x >= low, x <= high)
    return unbroadcast(np.where(inside, g, 0.0), x)


# NumPy's clip is minimum(maximum(x, low), high): where the bounds are crossed, high wins.
def _clip_low(g: Any, ans: Any, x: Any, low: Any, high: Any) -> Any:
    return unbroadcast(np.where(np.logical_and(x < low, low <= high), g, 0.0), low)


def _clip_high(g: Any, ans: Any, x: Any, low: Any, high: Any) -> Any:
    return unbroadcast(np.where(np.logical_or(x > high, low > high), g, 0.0), high)


def _on_a_bound(ans: Any, x: Any, low: Any, high: Any) -> Any:
    return ((x == low) | (x == high)) & np.isfinite(x)


_LARGEST = shared(lambda ans, x, axis=None, **_: has_twin(np.max, x, axis), "largest")
_SMALLEST = shared(lambda ans, x, axis=None, **_: has_twin(np.min, x, axis), "smallest")

ROWS = (
    _of_two(np.maximum, _to_larger, "max"),
    _of_two(np.minimum, _to_smaller, "min"),
    _of_two(np.fmax, _to_larger_number, "max"),
    _of_two(np.fmin, _to_smaller_number, "min"),
    _over_axis(np.max, _max, r"\max", _LARGEST),
    _over_axis(np.min, _min, r"\min", _SMALLEST),
    _over_axis(np.ptp, _ptp, r"\mathrm{ptp}", _LARGEST, _SMALLEST),
    Row(
        np.clip,
        (_clip, _clip_low, _clip_high),
        numpy=call("np.clip"),
        latex=Form(r"\mathrm{clip}(#1, #2, #3)"),
        symbol="clip",
        domain=(REAL, (-1.5, -0.5), (0.5, 1.5)),
        bind=_clip_call,
        remarks=(
            Remark(
                "kink",
                _on_a_bound,
                "{0} is on a bound{places}, where the slope jumps: the whole gradient passes",
            ),
        ),
    ),
)

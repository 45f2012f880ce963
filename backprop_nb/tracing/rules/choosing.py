"""Functions that choose between entries: the larger, the smaller, the one a condition picks.

A tie is a kink.  The convention here is the fair one: what ties shares the
gradient equally.  The remarks of the rows say it to the reader.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import REAL, STRETCH, Remark, Row, row, unbroadcast

_IN_WORDS = "A choice: the entry that was chosen receives the adjoint, the other one receives 0."

# --- of two -----------------------------------------------------------------------


_EQUAL = Remark(
    "tie",
    lambda ans, x, y: x == y,
    "{0} and {1} are equal{places}: each receives half of the gradient",
)


def _of_two(function: np.ufunc, wins: Callable[..., Any], name: str, **facts: Any) -> Row:
    """Return the row of a function that takes ``x`` where it ``wins`` over ``y``."""

    def received(g: Any, x: Any, y: Any) -> Any:
        return np.where(x == y, g / 2, np.where(wins(x, y), g, 0.0))

    return row(
        function,
        lambda g, ans, x, y: received(g, x, y),
        lambda g, ans, x, y: received(g, y, x),
        latex=rf"\{name}(#1, #2)",
        symbol=name,
        in_words=_IN_WORDS,
        remarks=(_EQUAL,),
        **facts,
    )


# --- over an axis -----------------------------------------------------------------


def _extreme(
    extreme: Callable[..., Any],
    is_less: np.ufunc,
    g: Any,
    ans: Any,
    x: Any,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    """Give the adjoint to the entries of ``x`` that are extreme, in equal shares."""
    # Where the extreme is NaN nothing is equal to it, and nothing is beyond it either.
    chosen = np.logical_not(is_less(x, extreme(x, axis=axis, keepdims=axis is not None)))
    return _in_shares(g, chosen, axis, keepdims)


def _extreme_number(
    extreme: Callable[..., Any],
    worst: float,
    g: Any,
    ans: Any,
    x: Any,
    axis: Any = None,
    keepdims: bool = False,
) -> Any:
    """Give the adjoint to those that are extreme among the numbers, in equal shares."""
    there = np.logical_not(np.isnan(x))
    numbers = np.where(there, x, worst)
    is_extreme = numbers == extreme(numbers, axis=axis, keepdims=axis is not None)
    return _in_shares(g, np.logical_and(there, is_extreme), axis, keepdims)


def _in_shares(g: Any, chosen: Any, axis: Any, keepdims: bool) -> Any:
    share = g / np.sum(chosen, axis=axis, keepdims=keepdims)
    if axis is not None and not keepdims:
        share = np.expand_dims(share, axis)
    return np.where(chosen, share, 0.0)


_max = partial(_extreme, np.max, np.less)
_min = partial(_extreme, np.min, np.greater)
_nanmax = partial(_extreme_number, np.max, -math.inf)
_nanmin = partial(_extreme_number, np.min, math.inf)


def _ptp(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Peak to peak is the maximum minus the minimum."""
    return _max(g, ans, x, axis, keepdims) - _min(g, ans, x, axis, keepdims)


def has_twin(extreme: Callable[..., Any], x: Any, axis: Any) -> Any:
    """Return whether the largest (or smallest) entry is not the only one."""
    return np.sum(x == extreme(x, axis=axis, keepdims=True), axis=axis) > 1


def shared(at: Callable[..., Any], word: str) -> Remark:
    """Return the remark that several entries are the ``word``, wherever ``at`` finds that."""
    says = f"several entries of {{0}} are the {word}{{places}}: "
    return Remark("tie", at, says + "they share the gradient in equal parts")


_LARGEST = shared(lambda ans, x, axis=None, **_: has_twin(np.max, x, axis), "largest")
_SMALLEST = shared(lambda ans, x, axis=None, **_: has_twin(np.min, x, axis), "smallest")
_LARGEST_NUMBER, _SMALLEST_NUMBER = (
    shared(lambda ans, x, axis=None, of=of, **_: has_twin(of.reduce, x, axis), word)
    for of, word in ((np.fmax, "largest"), (np.fmin, "smallest"))
)

# --- clip -------------------------------------------------------------------------


def _clip_call(
    a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> tuple[list[Any], dict[str, Any]]:
    """Read both ways to give the bounds; one that is not given is infinite."""
    low, high = (
        next((each for each in pair if each is not None and each is not np._NoValue), limit)
        for pair, limit in (((a_min, min), -math.inf), ((a_max, max), math.inf))
    )
    return [a, low, high], {}


def _is_open(bound: Any) -> bool:
    """Whether there is no bound on this side."""
    return isinstance(bound, float) and math.isinf(bound)


def _clip(g: Any, ans: Any, x: Any, low: Any, high: Any) -> Any:
    """Pass on what lies between the bounds or on one of them; nothing where they meet."""
    if _is_open(low):
        inside = x <= high
    elif _is_open(high):
        inside = x >= low
    else:
        inside = np.logical_and(x >= low, x <= high)
        if not (_is_literal(low) and _is_literal(high) and low < high):
            inside = np.logical_and(inside, np.less(low, high))
    return unbroadcast(np.where(inside, g, 0.0), x)


def _is_literal(bound: Any) -> bool:
    return type(bound) in (int, float)


# NumPy's clip is minimum(maximum(x, low), high): where the bounds are crossed, high wins.
def _clip_low(g: Any, ans: Any, x: Any, low: Any, high: Any) -> Any:
    wins = np.where(np.logical_and(x < low, low < high), g, 0.0)
    return unbroadcast(np.where(low == high, g / 2, wins), low)


def _clip_high(g: Any, ans: Any, x: Any, low: Any, high: Any) -> Any:
    wins = np.where(np.logical_or(x > high, low > high), g, 0.0)
    return unbroadcast(np.where(low == high, g / 2, wins), high)


_ON_A_BOUND = Remark(
    "kink",
    lambda ans, x, low, high: ((x == low) | (x == high)) & np.isfinite(x) & np.less(low, high),
    "{0} is on a bound{places}, where the slope jumps: the whole gradient passes",
)
_BOUNDS_MEET = Remark(
    "tie",
    lambda ans, x, low, high: np.equal(low, high) & np.isfinite(ans),
    "{1} and {2} are equal{places}, and {0} decides nothing: each bound receives half",
)

# --- by a condition ---------------------------------------------------------------


def _select_call(
    condlist: Any, choicelist: Any, default: Any = 0
) -> tuple[list[Any], dict[str, Any]]:
    return [*condlist, *choicelist, default], {}


def _select(*arrays: Any) -> Any:
    count = len(arrays) // 2
    return np.select(list(arrays[:count]), list(arrays[count:-1]), arrays[-1])


def _select_each(position: int, g: Any, ans: Any, *arrays: Any) -> Any:
    """Let the adjoint through where this choice was taken; conditions carry no gradient."""
    count = len(arrays) // 2
    conditions: list[Any] = list(arrays[:count])
    choices = [g if count + k == position else 0.0 for k in range(count + 1)]
    if position < 2 * count:
        choices.pop()
    else:  # NumPy looks for what is traced among the choices only
        conditions.append(True)
    return unbroadcast(np.select(conditions, choices, 0.0), arrays[position])


def _select_text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    count = len(arguments) // 2
    conditions, choices = arguments[:count], arguments[count:-1]
    return f"np.select([{', '.join(conditions)}], [{', '.join(choices)}], {arguments[-1]})"


_BOTH = Remark(
    "tie",
    lambda ans, condition, x, y: (x == y) & np.isfinite(ans),
    "{1} and {2} are equal{places}: the condition decides which receives the gradient",
)

ROWS = (
    _of_two(np.maximum, lambda x, y: x > y, "max"),
    _of_two(np.minimum, lambda x, y: x < y, "min"),
    # These prefer a number to NaN.
    _of_two(np.fmax, lambda x, y: np.logical_or(x > y, np.isnan(y)), "max"),
    _of_two(np.fmin, lambda x, y: np.logical_or(x < y, np.isnan(y)), "min"),
    row(np.max, _max, in_words=_IN_WORDS, remarks=(_LARGEST,)),
    row(np.min, _min, in_words=_IN_WORDS, remarks=(_SMALLEST,)),
    row(np.nanmax, _nanmax, in_words=_IN_WORDS, remarks=(_LARGEST_NUMBER,)),
    row(np.nanmin, _nanmin, in_words=_IN_WORDS, remarks=(_SMALLEST_NUMBER,)),
    row(np.ptp, _ptp, remarks=(_LARGEST, _SMALLEST)),
    row(
        np.where,
        None,
        lambda g, ans, condition, x, y: unbroadcast(np.where(condition, g, 0.0), x),
        lambda g, ans, condition, x, y: unbroadcast(np.where(condition, 0.0, g), y),
        in_words=_IN_WORDS,
        expected=STRETCH,
        remarks=(_BOTH,),
    ),
    row(
        np.clip,
        _clip,
        _clip_low,
        _clip_high,
        expected=STRETCH,
        domain=(REAL, (-1.5, -0.5), (0.5, 1.5)),
        bind=_clip_call,
        remarks=(_ON_A_BOUND, _BOUNDS_MEET),
    ),
    row(np.select, each=_select_each, numpy=_select_text, bind=_select_call, compute=_select),
)

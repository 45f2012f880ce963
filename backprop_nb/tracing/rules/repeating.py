"""Functions that write entries several times, or pad and cut around them.

An entry that is used many times receives the sum of what all its copies receive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import Form, Row, call, literal
from backprop_nb.tracing.rules.shaping import scatter_add, shaped_like


def _tile(g: Any, ans: Any, x: Any, reps: Any) -> Any:
    reps = (1,) * (ans.ndim - np.size(reps)) + tuple(np.atleast_1d(reps).tolist())
    lengths = (1,) * (ans.ndim - x.ndim) + x.shape
    apart = np.reshape(g, tuple(n for pair in zip(reps, lengths, strict=True) for n in pair))
    return shaped_like(np.sum(apart, axis=tuple(range(0, apart.ndim, 2))), x)


def _repeat(g: Any, ans: Any, x: Any, repeats: Any, axis: int | None = None) -> Any:
    lengths = (x.size,) if axis is None else x.shape
    k = 0 if axis is None else axis % x.ndim
    if np.size(repeats) == 1:
        times = int(np.ravel(repeats)[0])
        apart = np.reshape(g, (*lengths[: k + 1], times, *lengths[k + 1 :]))
        return shaped_like(np.sum(apart, axis=k + 1), x)
    sources = np.repeat(np.arange(lengths[k]), repeats)
    return shaped_like(scatter_add(g, index=(slice(None),) * k + (sources,), shape=lengths), x)


_COPYING = ("edge", "reflect", "symmetric", "wrap")


def _pad(array: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = 0) -> Any:
    if mode not in ("constant", *_COPYING):
        raise TypeError(f"padding with mode={mode!r} has no differentiation rule")
    if isinstance(pad_width, dict):
        raise TypeError("padding given as a dict has no differentiation rule")
    if mode == "constant":
        return np.pad(array, pad_width, mode, constant_values=constant_values)
    return np.pad(array, pad_width, mode)


def _pad_vjp(
    g: Any,
    ans: Any,
    x: Any,
    pad_width: Any,
    mode: str = "constant",
    constant_values: Any = 0,
) -> Any:
    """Cut the padding off; where it repeats entries of ``x``, add it to them."""
    if mode == "constant":
        before = np.broadcast_to(pad_width, (x.ndim, 2))[:, 0].tolist()
        return g[tuple(slice(k, k + n) for k, n in zip(before, x.shape, strict=True))]
    places = np.reshape(np.arange(x.size), x.shape)
    sources = _pad(places, pad_width, mode)
    return shaped_like(scatter_add(g, index=(sources,), shape=(x.size,)), x)


def _take(x: Any, indices: Any, axis: Any = None, mode: Any = "raise") -> Any:
    return np.take(x, indices, axis=axis, mode=mode)


def _take_vjp(g: Any, ans: Any, x: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    lengths = (x.size,) if axis is None else x.shape
    k = 0 if axis is None else axis % x.ndim
    indices = np.asarray(indices)
    if mode == "wrap":
        indices = indices % lengths[k]
    elif mode == "clip":
        indices = np.clip(indices, 0, lengths[k] - 1)
    return shaped_like(scatter_add(g, index=(slice(None),) * k + (indices,), shape=lengths), x)


def _take_form(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    rest = [literal(np.asarray(keywords["indices"]).tolist())]
    rest += [f"{key}={literal(value)}" for key, value in keywords.items() if key != "indices"]
    return f"np.take({', '.join([*arguments, *rest])})"


ROWS = (
    Row(
        np.tile,
        (_tile,),
        numpy=call("np.tile", "reps"),
        latex=Form(r"\mathrm{tile}(#1)"),
        symbol="tile",
        signature=("A", "reps"),
    ),
    Row(
        np.repeat,
        (_repeat,),
        numpy=call("np.repeat", "repeats"),
        latex=Form(r"\mathrm{repeat}(#1)"),
        symbol="repeat",
        signature=("a", "repeats", "axis"),
    ),
    Row(
        np.pad,
        (_pad_vjp,),
        numpy=call("np.pad", "pad_width"),
        latex=Form(r"\mathrm{pad}(#1)"),
        symbol="pad",
        signature=("array", "pad_width", "mode", "constant_values"),
        compute=_pad,
    ),
    Row(
        np.take,
        (_take_vjp,),
        numpy=Form(_take_form),
        latex=Form(r"\mathrm{take}(#1)"),
        symbol="take",
        signature=("a", "indices", "axis", "out", "mode"),
        compute=_take,
    ),
)

"""Functions that bring entries into another order: reversed, rolled, moved, sorted.

The gradient goes the same way back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import Binding, Form, Remark, Row, call, dispatched
from backprop_nb.tracing.rules.shaping import scatter_add

_TURNED = Form(r"{#1}^{\top}", Binding.POWER, (Binding.ATOM,))


def _function(name: str) -> Form:
    text = name.replace("_", r"\_")
    return Form(rf"\mathrm{{{text}}}(#1)")


# --- axes -----------------------------------------------------------------------


def _rollaxis(g: Any, ans: Any, x: Any, axis: int, start: int = 0) -> Any:
    axis, start = axis % x.ndim, start + x.ndim if start < 0 else start
    return np.moveaxis(g, start - 1 if axis < start else start, axis)


def _roll(g: Any, ans: Any, x: Any, shift: Any, axis: Any = None) -> Any:
    back = tuple(-k for k in shift) if isinstance(shift, tuple) else -shift
    return np.roll(g, back, axis=axis)


def _row(
    function: Callable[..., Any],
    vjp: Callable[..., Any],
    *options: str,
    array: str = "m",
    symbol: str = "",
    latex: Form | None = None,
    positional: tuple[str, ...] = (),
    view: bool = True,
) -> Row:
    name = function.__name__
    return Row(
        function,
        (vjp,),
        numpy=call(f"np.{name}", *positional),
        latex=latex or _function(name),
        symbol=symbol or name,
        signature=(array, *options),
        view=view,
    )


# --- sorting --------------------------------------------------------------------


@dispatched
def add_along_axis(g: Any, indices: Any, axis: int, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``g`` added where ``indices`` say along ``axis``.

    It is the transpose of :func:`numpy.take_along_axis`.
    """
    places = list(np.ogrid[tuple(map(slice, shape))])
    places[axis] = indices
    out = np.zeros(shape, dtype=np.result_type(g))
    np.add.at(out, tuple(places), g)
    return out


def _take_along_axis(g: Any, ans: Any, x: Any, indices: Any, axis: Any = -1) -> Any:
    return add_along_axis(g, indices, axis=axis, shape=x.shape)


def _along_call(arr: Any, indices: Any, axis: int = -1) -> tuple[list[Any], dict[str, Any]]:
    if axis is None:
        raise TypeError("np.ravel(…) of the array first, in place of axis=None")
    return [arr, indices], {"axis": axis}


def _sort_call(
    a: Any, axis: Any = -1, kind: Any = None, order: None = None, *, stable: Any = None
) -> tuple[list[Any], dict[str, Any]]:
    return [a], {} if axis == -1 else {"axis": axis}


def _partition_call(
    a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: None = None
) -> tuple[list[Any], dict[str, Any]]:
    return [a], {"kth": kth, **({} if axis == -1 else {"axis": axis})}


def _sort(g: Any, ans: Any, x: Any, axis: int | None = -1) -> Any:
    """Send the gradient of each place to the entry that went there."""
    if axis is None:
        return np.reshape(_sort(g, ans, np.ravel(x)), x.shape)
    ranks = np.argsort(np.argsort(x, axis=axis, kind="stable"), axis=axis)
    return np.take_along_axis(g, ranks, axis)


def _partition(g: Any, ans: Any, x: Any, kth: Any, axis: int | None = -1) -> Any:
    """Sort out first what partition left in no order, then go back as from sorting."""
    along = -1 if axis is None else axis
    g = np.take_along_axis(g, np.argsort(ans, axis=along, kind="stable"), along)
    return _sort(g, ans, x, axis)


def _ties(ans: Any, x: Any, axis: int | None = -1, **options: Any) -> Any:
    """Return which entries of the result, once in order, have an equal one beside them."""
    rows = np.moveaxis(ans, -1 if axis is None else axis, -1)
    equal = np.diff(np.sort(rows)) == 0
    none = np.zeros((*rows.shape[:-1], 1), dtype=bool)
    return np.concatenate([none, equal], -1) | np.concatenate([equal, none], -1)


_IN_THEIR_ORDER = Remark(
    "tie",
    _ties,
    "entries of {0} are equal{places}: they keep their order, and the gradient follows it back",
)

# --- diagonals ------------------------------------------------------------------


def _diagonal_places(length: int, offset: int) -> tuple[Any, Any]:
    places = np.arange(length)
    return places + max(-offset, 0), places + max(offset, 0)


def _diag(g: Any, ans: Any, x: Any, k: int = 0) -> Any:
    if x.ndim == 1 or x.shape[0] == x.shape[1]:
        return np.diag(g, k)
    return scatter_add(g, index=_diagonal_places(len(ans), k), shape=x.shape)


def _diagonal(g: Any, ans: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    kept = tuple(n for k, n in enumerate(x.shape) if k not in (axis1 % x.ndim, axis2 % x.ndim))
    shape = (*kept, x.shape[axis1], x.shape[axis2])
    rows, columns = _diagonal_places(ans.shape[-1], offset)
    spread = scatter_add(g, index=(..., rows, columns), shape=shape)
    if (axis1 % x.ndim, axis2 % x.ndim) == (x.ndim - 2, x.ndim - 1):
        return spread
    return np.moveaxis(spread, (-2, -1), (axis1, axis2))


def _trace(g: Any, ans: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal: every entry of the diagonal receives the adjoint."""
    length = np.diagonal(np.broadcast_to(0.0, x.shape), offset, axis1, axis2).shape[-1]
    diagonal = np.broadcast_to(np.expand_dims(g, -1) if g.ndim else g, (*g.shape, length))
    if length and x.ndim == 2 and x.shape[0] == x.shape[1] and axis1 % 2 < axis2 % 2:
        return np.diag(diagonal, offset) if offset else np.diag(diagonal)
    return _diagonal(diagonal, diagonal, x, offset, axis1, axis2)


ROWS = (
    _row(
        np.moveaxis,
        lambda g, ans, x, source, destination: np.moveaxis(g, destination, source),
        "source",
        "destination",
        array="a",
        symbol="ᵀ",
        latex=_TURNED,
        positional=("source", "destination"),
    ),
    _row(
        np.rollaxis,
        _rollaxis,
        "axis",
        "start",
        array="a",
        symbol="ᵀ",
        latex=_TURNED,
        positional=("axis",),
    ),
    _row(
        np.roll,
        _roll,
        "shift",
        "axis",
        array="a",
        positional=("shift",),
        view=False,
    ),
    _row(
        np.rot90,
        lambda g, ans, x, k=1, axes=(0, 1): np.rot90(g, -k, axes=axes),
        "k",
        "axes",
    ),
    _row(np.flip, lambda g, ans, x, axis=None: np.flip(g, axis=axis), "axis"),
    _row(np.fliplr, lambda g, ans, x: np.fliplr(g)),
    _row(np.flipud, lambda g, ans, x: np.flipud(g)),
    Row(
        np.take_along_axis,
        (_take_along_axis, None),
        numpy=call("np.take_along_axis", "axis"),
        latex=Form(r"{#1}_{[#2]}", Binding.ATOM, (Binding.ATOM, Binding.LOOSE)),
        symbol="take",
        signature=("arr", "indices", "axis"),
        bind=_along_call,
    ),
    Row(
        add_along_axis,
        (
            lambda g, ans, x, indices, axis, shape: np.take_along_axis(g, indices, axis),
            None,
        ),
        numpy=call("add_along_axis"),
        latex=Form(r"\mathrm{scatter}(#1)"),
        symbol="scatter",
        signature=("g", "indices", "axis", "shape"),
        brings_source=True,
    ),
    Row(
        np.sort,
        (_sort,),
        numpy=call("np.sort"),
        latex=_function("sort"),
        symbol="sort",
        bind=_sort_call,
        remarks=(_IN_THEIR_ORDER,),
    ),
    Row(
        np.partition,
        (_partition,),
        numpy=call("np.partition", "kth"),
        latex=_function("partition"),
        symbol="sort",
        bind=_partition_call,
        remarks=(_IN_THEIR_ORDER,),
    ),
    _row(
        np.diag,
        _diag,
        "k",
        array="v",
    ),
    _row(np.diagonal, _diagonal, "offset", "axis1", "axis2", array="a", symbol="diag"),
    Row(
        np.trace,
        (_trace,),
        numpy=call("np.trace"),
        latex=Form(r"\mathrm{tr}(#1)"),
        symbol="tr",
        signature=("a", "offset", "axis1", "axis2", "dtype", "out"),
    ),
)

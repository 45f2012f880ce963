"""Functions that move entries about and change none of them.

Another shape, another order of the axes or along them: the gradient goes the
same way back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import AXIS, Row, dispatched, row, unbroadcast
from backprop_nb.tracing.rules.template import (
    ATOM,
    LOOSE,
    POWER,
    PRODUCT,
    Template,
    call_text,
    literal,
)

MOVED = "Entries only change places: each takes its adjoint back to where it came from."

_TURNED = Template(r"{#1}^{\top}", POWER, (ATOM,))
_UNCHANGED = Template("#1", LOOSE)


def _moved(function: Callable[..., Any], vjp: Callable[..., Any], **facts: Any) -> Row:
    defaults: dict[str, Any] = {"in_words": MOVED, "view": True}
    return row(function, vjp, **(defaults | facts))


# --- the order of the axes --------------------------------------------------------


def _transpose(g: Any, ans: Any, x: Any, axes: Any = None) -> Any:
    if axes is None:
        return g.T
    axes = axes if isinstance(axes, tuple) else (axes,)
    back = sorted(range(x.ndim), key=[axis % x.ndim for axis in axes].__getitem__)
    return np.transpose(g, tuple(back))


def _transpose_text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    if not keywords:
        return f"{arguments[0]}.T"
    return f"np.transpose({arguments[0]}, {literal(keywords['axes'])})"


def _rollaxis(g: Any, ans: Any, x: Any, axis: int, start: int = 0) -> Any:
    axis, start = axis % x.ndim, start + x.ndim if start < 0 else start
    return np.moveaxis(g, start - 1 if axis < start else start, axis)


# --- the shape --------------------------------------------------------------------


def _back_to_shape(g: Any, ans: Any, x: Any) -> Any:
    return np.reshape(g, x.shape)


def _reshape_text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    options = {key: value for key, value in keywords.items() if key != "shape"}
    return call_text(f"{arguments[0]}.reshape", [literal(keywords["shape"])], options)


# --- the order along an axis ------------------------------------------------------


def _roll(g: Any, ans: Any, x: Any, shift: Any, axis: Any = None) -> Any:
    back = tuple(-k for k in shift) if isinstance(shift, tuple) else -shift
    return np.roll(g, back, axis=axis)


# --- the type ---------------------------------------------------------------------


@dispatched
def astype(x: Any, *, dtype: Any) -> Any:
    """Return ``x`` with entries of another type; the function behind ``x.astype``."""
    return x.astype(dtype)


def _astype_text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    return f"{arguments[0]}.astype(np.{np.dtype(keywords['dtype']).name})"


ROWS = (
    _moved(
        np.transpose,
        _transpose,
        numpy=Template(_transpose_text, ATOM, (ATOM,)),
        latex=_TURNED,
        symbol="ᵀ",
        expected="every axis once",
    ),
    _moved(
        np.matrix_transpose,
        lambda g, ans, x: np.swapaxes(g, -1, -2),
        numpy=Template("#1.mT", ATOM, (ATOM,)),
        latex=_TURNED,
        symbol="ᵀ",
    ),
    _moved(
        np.swapaxes,
        lambda g, ans, x, axis1, axis2: np.swapaxes(g, axis1, axis2),
        latex=_TURNED,
        symbol="ᵀ",
    ),
    _moved(
        np.moveaxis,
        lambda g, ans, x, source, destination: np.moveaxis(g, destination, source),
        latex=_TURNED,
        symbol="ᵀ",
        expected=AXIS,
    ),
    _moved(np.rollaxis, _rollaxis, latex=_TURNED, symbol="ᵀ"),
    _moved(
        np.reshape,
        lambda g, ans, x, shape, order="C": np.reshape(g, x.shape, order=order),
        numpy=Template(_reshape_text, ATOM, (ATOM,)),
        latex=r"\mathrm{reshape}(#1)",
        expected="a shape with as many entries",
    ),
    _moved(
        np.ravel,
        lambda g, ans, x, order="C": np.reshape(g, x.shape, order=order),
        latex=r"\mathrm{vec}(#1)",
    ),
    _moved(
        np.expand_dims,
        lambda g, ans, x, axis: np.reshape(g, x.shape),
        latex=_UNCHANGED,
        symbol="reshape",
    ),
    _moved(
        np.squeeze,
        lambda g, ans, x, axis=None: np.reshape(g, x.shape),
        latex=_UNCHANGED,
        symbol="reshape",
        expected="an axis of length 1",
    ),
    _moved(np.atleast_1d, _back_to_shape, latex=_UNCHANGED, symbol="reshape"),
    _moved(np.atleast_2d, _back_to_shape, latex=_UNCHANGED, symbol="reshape"),
    _moved(np.atleast_3d, _back_to_shape, latex=_UNCHANGED, symbol="reshape"),
    row(
        np.broadcast_to,
        lambda g, ans, x, shape: unbroadcast(g, x),
        latex=Template(r"\mathbf{1} \, #1", PRODUCT, (PRODUCT,)),
        symbol="repeat",
        view=True,
    ),
    _moved(np.roll, _roll, view=False),
    _moved(np.rot90, lambda g, ans, x, k=1, axes=(0, 1): np.rot90(g, -k, axes=axes)),
    _moved(np.flip, lambda g, ans, x, axis=None: np.flip(g, axis=axis)),
    _moved(np.fliplr, lambda g, ans, x: np.fliplr(g)),
    _moved(np.flipud, lambda g, ans, x: np.flipud(g)),
    row(np.tril, lambda g, ans, x, k=0: unbroadcast(np.tril(g, k), x)),
    row(np.triu, lambda g, ans, x, k=0: unbroadcast(np.triu(g, k), x)),
    row(
        astype,
        lambda g, ans, x, dtype: g.astype(x.dtype),
        numpy=Template(_astype_text, ATOM, (ATOM,)),
        latex=_UNCHANGED,
        symbol="type",
    ),
)

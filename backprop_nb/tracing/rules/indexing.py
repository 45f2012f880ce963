"""Functions that pick entries, repeat them, or put them in another order.

An entry that is used many times receives the sum of what all its copies receive.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from backprop_nb.tracing.rules.form import fill, hole, is_array, text_of
from backprop_nb.tracing.rules.row import RefusedError, Remark, dispatched, row, shaped_like
from backprop_nb.tracing.rules.shaping import MOVED
from backprop_nb.tracing.rules.template import (
    ATOM,
    LOOSE,
    Source,
    Template,
    array_name,
    call_text,
    latex_call,
    literal,
)

# --- square brackets --------------------------------------------------------------


def getitem(x: Any, index: Any) -> Any:
    """Return ``x[index]``; the function behind square brackets."""
    return operator.getitem(x, index)


def open_index(index: Any, arrays: list[Any]) -> Any:
    """Return an index with holes for recorded arrays, such as a mask, which join ``arrays``."""

    def opened(item: Any) -> Any:
        is_recorded = is_array(item) and not isinstance(item, np.ndarray)
        return hole(item, arrays) if is_recorded else item

    return tuple(map(opened, index)) if isinstance(index, tuple) else opened(index)


def fill_index(index: Any, arrays: Sequence[Any]) -> Any:
    """Return an index with arrays in its holes."""
    return fill(index, arrays) if arrays else index


def _getitem_call(x: Any, index: Any) -> tuple[list[Any], dict[str, Any]]:
    arrays: list[Any] = []
    index = open_index(index, arrays)
    return [x, *arrays], {"index": index}


def _scatter_add_call(
    g: Any, *, index: Any, shape: tuple[int, ...]
) -> tuple[list[Any], dict[str, Any]]:
    arrays, options = _getitem_call(g, index)
    return arrays, options | {"shape": shape}


def _scatter_add_text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    index = text_of(keywords["index"], arguments[1:])
    return f"scatter_add({arguments[0]}, index={index}, shape={literal(keywords['shape'])})"


@dispatched
def scatter_add(g: Any, *, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``g`` added at ``index``: the transpose of indexing.

    An entry that the index names twice receives both gradients.
    """
    out = np.zeros(shape, dtype=np.result_type(g))
    if isinstance(index, np.ndarray) and index.dtype == bool:
        out[index] = g  # a mask names no entry twice
    else:
        np.add.at(out, index, g)
    return out


def index_text(index: Any, names: Sequence[str], latex: dict[Any, str] | None = None) -> str:
    """Return what stands between square brackets, with names in the holes of an index.

    In LaTeX an array of positions has a name, one of those in ``latex``.
    """
    texts = [
        array_name(item, latex)
        if latex is not None and isinstance(item, np.ndarray) and item.ndim
        else _item_text(item, names)
        for item in (index if isinstance(index, tuple) else (index,))
    ]
    text = ", ".join(texts) or "()"
    if latex is None:
        return text
    return text.replace("...", r"\ldots").replace("None", r"\mathrm{new}")


def _getitem_text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    return f"{arguments[0]}[{index_text(keywords['index'], arguments[1:])}]"


def _getitem_latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    return rf"{{{arguments[0]}}}_{{[{index_text(keywords['index'], arguments[1:], {})}]}}"


def _scatter_add_latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    index = index_text(keywords["index"], arguments[1:], {})
    return rf"\mathrm{{scatter}}_{{[{index}]}}({arguments[0]})"


def _take_latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    indices = keywords["indices"]
    if not isinstance(indices, Source):
        indices = np.asarray(indices)
        indices = array_name(indices, {}) if indices.ndim else literal(indices.item())
    return latex_call(r"\mathrm{take}", [*arguments, indices], keywords)


def _item_text(item: Any, names: Sequence[str]) -> str:
    if isinstance(item, np.ndarray) and item.size and item.dtype.kind in "iu":
        return literal(item.tolist())
    if not isinstance(item, slice):
        return text_of(item, names)
    parts = (item.start, item.stop, item.step)
    start, stop, step = ("" if part is None else literal(part) for part in parts)
    return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"


# --- by positions -----------------------------------------------------------------


def within(places: Any, length: int, mode: str) -> Any:
    """Return positions as a ``mode`` of NumPy's takes those beyond an axis."""
    if mode == "wrap":
        return np.remainder(places, length)
    if mode not in ("clip", "raise"):
        raise RefusedError("mode='raise', 'wrap' or 'clip'")
    return np.clip(places, 0, length - 1) if mode == "clip" else places


def taken(row: Any, places: Any) -> Any:
    """Return the entries of a row at positions of any shape, traced ones too.

    NumPy does not ask a traced position when ``np.take`` has a plain array.
    """
    if np.ndim(places) == 1:
        return np.take_along_axis(row, places, 0)
    found = np.take_along_axis(row, np.reshape(places, -1), 0)
    return np.reshape(found, np.shape(places)) if np.ndim(places) else found[0]


def _with_an_array(name: str, option: str) -> Callable[..., str]:
    """Print several positions or counts as an array: other libraries take no tuple there."""

    def text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        options = dict(keywords)
        entries = np.asarray(options.pop(option))
        written = literal(entries.tolist())
        if entries.ndim:
            written = f"np.asarray({written})" if entries.size else literal(entries)
        return call_text(name, [*arguments, written], options)

    return text


def _take(g: Any, ans: Any, x: Any, indices: Any, axis: Any = None, mode: str = "raise") -> Any:
    lengths = (x.size,) if axis is None else x.shape
    k = 0 if axis is None else axis % x.ndim
    indices = within(np.asarray(indices), lengths[k], mode)
    return shaped_like(scatter_add(g, index=(slice(None),) * k + (indices,), shape=lengths), x)


@dispatched
def add_along_axis(g: Any, indices: Any, *, axis: int | None, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``g`` added where ``indices`` say along ``axis``.

    It is the transpose of :func:`numpy.take_along_axis`.
    """
    out = np.zeros(shape, dtype=np.result_type(g))
    places = list(np.ogrid[tuple(map(slice, shape))])
    if axis is None:
        np.add.at(np.reshape(out, -1), indices, g)
    else:
        places[axis] = indices
        np.add.at(out, tuple(places), g)
    return out


# --- in order ---------------------------------------------------------------------


def _sort(
    g: Any, ans: Any, x: Any, axis: int | None = -1, kind: Any = None, stable: Any = None
) -> Any:
    """Send the gradient of each place to the entry that went there."""
    if axis is None:
        return np.reshape(_sort(g, ans, np.ravel(x)), x.shape)
    ranks = np.argsort(np.argsort(x, axis=axis, stable=True), axis=axis)
    return np.take_along_axis(g, ranks, axis)


def _partition(
    g: Any, ans: Any, x: Any, kth: Any, axis: int | None = -1, kind: str = "introselect"
) -> Any:
    """Sort out first what partition left in no order, then go back as from sorting."""
    along = -1 if axis is None else axis
    g = np.take_along_axis(g, np.argsort(ans, axis=along, stable=True), along)
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

# --- diagonals --------------------------------------------------------------------


def _diagonal_places(length: int, offset: int) -> tuple[Any, Any]:
    places = np.arange(length)
    return places + max(-offset, 0), places + max(offset, 0)


def _diag(g: Any, ans: Any, x: Any, k: int = 0) -> Any:
    if x.ndim == 1 or (x.shape[0] == x.shape[1] and len(ans)):
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


# --- copies and padding -----------------------------------------------------------


def _tile(g: Any, ans: Any, x: Any, reps: Any) -> Any:
    reps = (1,) * (ans.ndim - np.size(reps)) + tuple(np.atleast_1d(reps).tolist())
    lengths = (1,) * (ans.ndim - x.ndim) + x.shape
    copies = np.reshape(g, tuple(n for pair in zip(reps, lengths, strict=True) for n in pair))
    return shaped_like(np.sum(copies, axis=tuple(range(0, copies.ndim, 2))), x)


def _repeat(g: Any, ans: Any, x: Any, repeats: Any, axis: int | None = None) -> Any:
    lengths = (x.size,) if axis is None else x.shape
    k = 0 if axis is None else axis % x.ndim
    if np.size(repeats) == 1:
        times = int(np.ravel(repeats)[0])
        copies = np.reshape(g, (*lengths[: k + 1], times, *lengths[k + 1 :]))
        return shaped_like(np.sum(copies, axis=k + 1), x)
    sources = np.repeat(np.arange(lengths[k]), repeats)
    return shaped_like(scatter_add(g, index=(slice(None),) * k + (sources,), shape=lengths), x)


def _pad(array: Any, pad_width: Any, mode: Any = "constant", **options: Any) -> Any:
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise TypeError(f"padding with mode={mode!r} has no differentiation rule")
    if isinstance(pad_width, dict):
        raise TypeError("padding given as a dict has no differentiation rule")
    return np.pad(array, pad_width, mode, **options)


def _pad_vjp(
    g: Any, ans: Any, x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = 0
) -> Any:
    """Cut the padding off; where it repeats entries of ``x``, add it to them."""
    if mode == "constant":
        before = np.broadcast_to(pad_width, (x.ndim, 2))[:, 0].tolist()
        return g[tuple(slice(k, k + n) for k, n in zip(before, x.shape, strict=True))]
    places = np.reshape(np.arange(x.size), x.shape)
    sources = np.pad(places, pad_width, mode)
    return shaped_like(scatter_add(g, index=(sources,), shape=(x.size,)), x)


def _windows(g: Any, ans: Any, x: Any, window_shape: Any, axis: Any = None) -> Any:
    """Add up what an entry receives in each window that it is in."""
    places = sliding_window_view(np.reshape(np.arange(x.size), x.shape), window_shape, axis)
    return shaped_like(scatter_add(g, index=(np.array(places),), shape=(x.size,)), x)


ROWS = (
    row(
        getitem,
        first=lambda g, ans, x, *arrays, index: scatter_add(
            g, index=fill_index(index, arrays), shape=x.shape
        ),
        bind=_getitem_call,
        picks=lambda x, *arrays, index: fill_index(index, arrays),
        compute=lambda x, *arrays, index: x[fill_index(index, arrays)],
        numpy=Template(_getitem_text, ATOM, (ATOM, LOOSE)),
        latex=Template(_getitem_latex, ATOM, (ATOM, LOOSE)),
        symbol="[ ]",
        title="Indexing",
        in_words=MOVED,
        expected="an index within the shape",
        view=True,
    ),
    row(
        scatter_add,
        first=lambda g, ans, x, *arrays, index, shape: g[fill_index(index, arrays)],
        bind=_scatter_add_call,
        compute=lambda g, *arrays, index, shape: scatter_add(
            g, index=fill_index(index, arrays), shape=shape
        ),
        numpy=_scatter_add_text,
        latex=_scatter_add_latex,
        symbol="scatter",
    ),
    row(
        np.take,
        _take,
        numpy=_with_an_array("np.take", "indices"),
        latex=_take_latex,
        expected="positions within the array",
    ),
    row(
        np.take_along_axis,
        lambda g, ans, x, indices, axis=-1: add_along_axis(g, indices, axis=axis, shape=x.shape),
        None,
        latex=partial(latex_call, r"\mathrm{take}"),
        symbol="take",
    ),
    row(
        add_along_axis,
        lambda g, ans, x, indices, axis, shape: np.take_along_axis(g, indices, axis),
        None,
        latex=partial(latex_call, r"\mathrm{scatter}"),
        symbol="scatter",
    ),
    row(np.sort, _sort, remarks=(_IN_THEIR_ORDER,)),
    row(np.partition, _partition, symbol="sort", remarks=(_IN_THEIR_ORDER,)),
    row(np.diag, _diag, view=True),
    row(np.diagonal, _diagonal, symbol="diag", view=True),
    row(sliding_window_view, _windows, symbol="windows", view=True),
    row(np.trace, _trace, latex=r"\mathrm{tr}(#1)", symbol="tr"),
    row(np.tile, _tile),
    row(np.repeat, _repeat, numpy=_with_an_array("np.repeat", "repeats")),
    row(np.pad, _pad_vjp, compute=_pad),
)

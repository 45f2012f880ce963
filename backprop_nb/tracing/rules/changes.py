"""Functions that change their first argument, as the assignments that they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.indexing import scatter_add, within
from backprop_nb.tracing.rules.masked import as_type
from backprop_nb.tracing.rules.row import as_array


def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    if wrap or (a.ndim > 2 and len(set(a.shape)) > 1):
        raise TypeError("a diagonal that goes around")
    length = min(a.shape)
    if np.size(val):
        a[(np.arange(length),) * a.ndim] = _repeated(val, (length,))


def _put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    places = np.arange(a.size)[within(np.ravel(np.asarray(ind)), a.size, mode)]
    if np.size(v):
        a[np.unravel_index(places, a.shape)] = _repeated(v, places.shape)


def _place(arr: Any, mask: Any, vals: Any) -> None:
    places = np.flatnonzero(np.asarray(mask))
    arr[np.unravel_index(places, arr.shape)] = _repeated(vals, places.shape)


def _repeated(values: Any, shape: tuple[int, ...]) -> Any:
    """Return values in a shape, from the first again where there are too few."""
    if np.size(values) == 1:
        return np.ravel(values)[0]
    return (
        np.reshape(values, shape)
        if np.size(values) == math.prod(shape)
        else np.resize(values, shape)
    )


def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    dst[...] = src if where is True else np.where(where, src, dst)


def _putmask(a: Any, mask: Any, values: Any) -> None:
    if np.size(values):
        a[...] = np.where(mask, _repeated(values, np.shape(a)), a)


def _put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None = -1) -> None:
    if axis is None:
        places: Any = np.unravel_index(indices, arr.shape)
    else:
        places = list(np.ogrid[tuple(map(slice, arr.shape))])
        places[axis] = indices
    arr[tuple(places)] = values


def add_at(a: Any, indices: Any, b: Any = 1.0) -> None:
    """Do what ``np.add.at`` does: every position counts, however often it is named."""
    added = np.broadcast_to(_as_both(a, b), np.shape(a[indices]))
    a[...] = a + scatter_add(added, index=indices, shape=a.shape)


def subtract_at(a: Any, indices: Any, b: Any) -> None:
    """Do what ``np.subtract.at`` does."""
    add_at(a, indices, -_as_both(a, b))


def _as_both(a: Any, b: Any) -> Any:
    """Return what is added in the type of the sum: truth values are counted, and int8 goes on."""
    values = as_array(b)
    return as_type(values, np.result_type(a, b if np.isscalar(b) else values))


def change_at(ufunc: np.ufunc, a: Any, indices: Any, *b: Any) -> None:
    """Do what ``ufunc.at`` does: an entry that is named twice is changed twice, in order."""
    if ufunc in _AT:
        _AT[ufunc](a, indices, *b)
        return
    positions = np.asarray(np.reshape(np.arange(a.size), a.shape)[indices])
    if np.unique(positions).size == positions.size:
        a[indices] = ufunc(a[indices], *b)
        return
    others = [np.broadcast_to(each, positions.shape) for each in b]
    for k, position in np.ndenumerate(positions):
        place = np.unravel_index(position, a.shape)
        a[place] = ufunc(a[place], *(each[k] for each in others))


_AT: dict[np.ufunc, Callable[..., None]] = {np.add: add_at, np.subtract: subtract_at}

CHANGES: dict[Callable[..., Any], Callable[..., None]] = {
    np.fill_diagonal: _fill_diagonal,
    np.put: _put,
    np.place: _place,
    np.copyto: _copyto,
    np.putmask: _putmask,
    np.put_along_axis: _put_along_axis,
}

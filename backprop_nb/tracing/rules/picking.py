"""Entries that are chosen, left out, inserted or repeated, by asking NumPy where they go.

A function that only moves entries moves the numbers 0, 1, 2, … in the same way, so it is
called with those, and what comes back are the positions to take.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from backprop_nb.tracing.rules.form import is_array
from backprop_nb.tracing.rules.indexing import getitem, scatter_add, taken, within
from backprop_nb.tracing.rules.masked import as_type
from backprop_nb.tracing.rules.row import RefusedError, as_array


def _resize(a: Any, new_shape: Any) -> Any:
    """Take the entries by their positions, again and again."""
    a = as_array(a)
    return np.take(a, np.resize(np.arange(np.size(a)), new_shape))


def _take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    """Take entries at positions that are computed, and so are no decision."""
    is_computed = is_array(indices) and not isinstance(indices, np.ndarray | np.generic)
    if out is not None or not is_computed or indices.dtype.kind not in "iu":
        return NotImplemented
    a = as_array(a)
    if axis is not None and np.ndim(a) != 1:
        k = normalize_axis_index(axis, np.ndim(a))
        places = within(indices, np.shape(a)[k], mode)
        # An item for each axis: a shorter index of numbers only picks a view, and is decided.
        index = (*(slice(None),) * k, places, *(slice(None),) * (np.ndim(a) - k - 1))
        picked = places.__array_function__(getitem, (), (a,), {"index": index})
        return picked.copy()  # the index picks a view, which np.take does not
    return taken(a if np.ndim(a) == 1 else np.ravel(a), within(indices, np.size(a), mode))


def _choose(a: Any, choices: Sequence[Any], mode: str = "raise") -> Any:
    a, count = within(as_array(a), len(choices), mode), len(choices)
    a = a.astype(int) if a.dtype.kind == "b" else a
    if a.dtype.kind not in "iu":
        raise RefusedError("whole numbers, which say the choice for each entry")
    if np.any(np.not_equal(np.clip(a, 0, count - 1), a)):
        raise ValueError(f"a choice is a number from 0 to {count - 1}")
    shape = np.broadcast_shapes(np.shape(a), *map(np.shape, choices))
    every = np.stack([np.broadcast_to(each, shape) for each in choices])
    return np.take_along_axis(every, np.expand_dims(np.broadcast_to(a, shape), 0), 0)[0]


def _insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Put the values behind the array, then take all in the order that NumPy puts them in."""
    arr = as_array(arr)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalize_axis_index(axis, np.ndim(arr))
    values = as_type(as_array(values), arr.dtype)
    values = np.reshape(values, (*(1,) * (np.ndim(arr) - np.ndim(values)), *np.shape(values)))
    length = np.shape(arr)[axis]
    obj = _decided(obj)
    if np.ndim(obj) == 0 and not isinstance(obj, slice):
        values = np.moveaxis(values, 0, axis)
        count = np.shape(values)[axis]
    else:
        count = np.size(np.insert(np.arange(length), obj, 0)) - length
    shape = tuple(count if k == axis else n for k, n in enumerate(np.shape(arr)))
    order = np.insert(np.arange(length), obj, length + np.arange(count))
    joined = np.concatenate([arr, np.broadcast_to(values, shape)], axis=axis)
    return np.take(joined, order, axis=axis)


def _delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    length = np.size(arr) if axis is None else np.shape(arr)[axis]
    return np.take(arr, np.delete(np.arange(length), _decided(obj)), axis=axis)


def _decided(obj: Any) -> Any:
    """Return traced positions as the plain ones with which the trace goes on."""
    return np.asarray(obj) if is_array(obj) else obj


def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    differences = np.diff(np.ravel(ary))
    kind = np.result_type(differences)
    ends = [None if each is None else as_type(np.ravel(each), kind) for each in (to_begin, to_end)]
    parts = [each for each in (ends[0], differences, ends[1]) if each is not None]
    return np.concatenate(parts) if len(parts) > 1 else differences


def _bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    """The sum of the weights that fall on each number, or how often it is there."""
    length = max(int(np.max(x)) + 1 if np.size(x) else 0, operator.index(minlength))
    if weights is None:
        return np.sum(np.equal(np.reshape(x, (-1, 1)), np.arange(length)), axis=0)
    return scatter_add(as_type(np.ravel(weights), float), index=(np.asarray(x),), shape=(length,))


def _unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    **options: Any,
) -> Any:
    """Sort, and leave out what is equal to the entry before; the rest is counted from there."""
    if axis is not None or options:
        raise RefusedError("no axis, and none of the newer options")
    flat = np.ravel(ar)
    ordered = np.sort(flat)
    first = np.ones(min(1, np.size(ordered)), dtype=bool)
    values = ordered[np.concatenate([first, np.not_equal(ordered[1:], ordered[:-1])])]
    found = [values]
    begin = np.searchsorted(ordered, values)
    if return_index:
        found.append(np.argsort(flat, stable=True)[begin])
    if return_inverse:
        found.append(np.searchsorted(values, ar))
    if return_counts:
        found.append(np.searchsorted(ordered, values, side="right") - begin)
    return tuple(found) if len(found) > 1 else values


def _members(ar1: Any, ar2: Any, assume_unique: bool, invert: bool) -> Any:
    """Return the entries of one array that are in another, or those that are not."""
    values = np.ravel(ar1) if assume_unique else _unique(ar1)
    return values[np.isin(values, ar2, invert=invert)]


def _setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    return _members(ar1, ar2, assume_unique, invert=True)


def _intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    if return_indices:
        raise RefusedError("no indices, which np.flatnonzero(np.isin(ar1, ar2)) gives")
    return np.sort(_members(ar1, ar2, assume_unique, invert=False))


def _setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    alone = [_members(*each, assume_unique, invert=True) for each in ((ar1, ar2), (ar2, ar1))]
    return np.sort(np.concatenate(alone))


def _ix(*args: Any) -> tuple[Any, ...]:
    axes = []
    for k, each in enumerate(map(as_array, args)):
        if np.ndim(each) != 1:
            raise RefusedError("one sequence for each axis")
        at = np.flatnonzero(each) if each.dtype == bool else each
        at = at if np.size(at) else as_type(at, np.intp)  # as of NumPy: an empty list is of floats
        axes.append(np.reshape(at, (1,) * k + (-1,) + (1,) * (len(args) - k - 1)))
    return tuple(axes)


def _unique_as(function: Callable[..., Any], **wanted: bool) -> Callable[..., Any]:
    """Return what gives the same in a tuple with names."""
    names = type(function(np.zeros(1)))
    return lambda x: names(*_unique(x, **wanted))


def _histogram(
    a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, Any]:
    """Count, or add up the weights, between the places of the edges among the sorted entries."""
    if isinstance(bins, str):
        raise RefusedError("a number of bins, or their edges")
    a = np.ravel(a)
    edges = bins
    if np.ndim(bins) == 0:
        low, high = (np.min(a), np.max(a)) if range is None else range
        if low == high:
            low, high = low - 0.5, high + 0.5
        kind = np.result_type(low, high, a)
        edges = np.linspace(low, high, operator.index(bins) + 1)
        edges = as_type(edges, kind if kind.kind == "f" else float)
    edges = as_array(edges)
    ordered = np.sort(a)
    ends = [np.searchsorted(ordered, edges[:-1]), np.searchsorted(ordered, edges[-1:], "right")]
    places = np.concatenate(ends)
    if weights is not None:
        sums = np.cumsum(np.ravel(weights)[np.argsort(a)])
        places = np.concatenate([np.zeros(1, sums.dtype), sums])[places]
    found = places[1:] - places[:-1]
    widths = as_type(np.diff(edges), float)
    return (found / widths / np.sum(found) if density else found), edges


COMPOSITES: dict[Callable[..., Any], Callable[..., Any]] = {
    np.bincount: _bincount,
    np.choose: _choose,
    np.compress: lambda condition, a, axis=None: np.take(a, np.flatnonzero(condition), axis=axis),
    np.delete: _delete,
    np.diagflat: lambda v, k=0: np.diag(np.ravel(v), k),
    np.ediff1d: _ediff1d,
    np.extract: lambda condition, arr: np.take(np.ravel(arr), np.flatnonzero(condition)),
    np.insert: _insert,
    np.intersect1d: _intersect1d,
    np.ix_: _ix,
    np.resize: _resize,
    np.setdiff1d: _setdiff1d,
    np.setxor1d: _setxor1d,
    np.union1d: lambda ar1, ar2: _unique(np.concatenate([np.ravel(ar1), np.ravel(ar2)])),
    np.unique: _unique,
    np.unique_values: lambda x: _unique(x),
    np.unique_counts: _unique_as(np.unique_counts, return_counts=True),
    np.unique_inverse: _unique_as(np.unique_inverse, return_inverse=True),
    np.unique_all: _unique_as(
        np.unique_all, return_index=True, return_inverse=True, return_counts=True
    ),
    np.histogram: _histogram,
    np.histogram_bin_edges: lambda a, bins=10, range=None, weights=None: _histogram(a, bins, range)[
        1
    ],
}

OTHER_FORMS: dict[Callable[..., Any], Callable[..., Any]] = {np.take: _take}

"""Calls that move entries, or put zeros beside them: where each comes from is known before."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.elsewhere.library import Library
from backprop_nb.tracing.emit.algebra import Expression
from backprop_nb.tracing.rules.adding import count_of_values
from backprop_nb.tracing.rules.form import Hole
from backprop_nb.tracing.rules.indexing import fill_index

Call = Callable[..., Any]


def moved(library: Library, call: Expression) -> Call:
    """Return a call as a choice of entries: NumPy itself does it once, with their numbers."""
    sources, others = _sources(call)
    shape, count = sources.shape, sum(math.prod(each.shape) for each in call.operands)
    reshape = library.get("reshape")
    if len(call.operands) == 1 and np.array_equal(np.ravel(sources), np.arange(count)):
        return lambda x: x if tuple(x.shape) == shape else reshape(x, shape)
    with_others = bool(np.any(sources == count))
    beside = library.array(others, call.value.dtype) if np.any(others) else None

    def move(*given: Any) -> Any:
        rows = [library.flat(each) for each in given]
        if with_others:
            rows.append(library.get("zeros")(1, dtype=rows[0].dtype))
        found = library.taken(library.joined(rows) if len(rows) > 1 else rows[0], sources)
        return found if beside is None else found + beside

    return move


def _sources(call: Expression) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return the number of the entry that comes to each place, and what stands there else.

    The entries of all arrays are numbered through; what comes from none of them, such as
    the border of ``np.pad``, has the number after the last one.
    """
    assert call.row is not None
    count = sum(math.prod(each.shape) for each in call.operands)
    found = []
    for first in (0.0, 1.0 + count):
        arrays = []
        for operand in call.operands:
            size = math.prod(operand.shape)
            arrays.append((first + np.arange(size)).reshape(operand.shape)[()])
            first += size
        found.append(np.asarray(call.row.call(*arrays, **call.keywords)))
    is_entry = found[1] - found[0] == 1.0 + count
    sources = np.where(is_entry, found[0], count).astype(int)
    return sources, np.where(is_entry, 0.0, found[0])


def permuted(library: Library, call: Expression) -> Call:
    """Return a call that puts the axes into another order."""
    lengths = tuple(range(2, 2 + len(call.operands[0].shape)))
    assert call.row is not None
    after = call.row.call(np.broadcast_to(0, lengths), **call.keywords).shape
    order = tuple(lengths.index(n) for n in after)
    permute = library.get("permute_dims", "transpose")
    return lambda x: permute(x, order)


def stretched(library: Library, call: Expression) -> Call:
    """Return ``np.broadcast_to``."""
    stretch, shape = library.get("broadcast_to"), call.shape
    return lambda x: stretch(x, shape)


def joined(library: Library, call: Expression) -> Call:
    """Return ``np.concatenate`` along an axis."""
    axis = call.keywords.get("axis", 0)
    if axis is None:
        return moved(library, call)
    return lambda *arrays: library.joined(arrays, axis)


def stacked(library: Library, call: Expression) -> Call:
    """Return ``np.stack``."""
    stack, axis = library.get("stack"), call.keywords.get("axis", 0)
    return lambda *arrays: stack(list(arrays), axis=axis)


# --- at an index ----------------------------------------------------------------------


def picked(library: Library, call: Expression) -> Call:
    """Return ``x[index]``; arrays in the index may be computed as the program runs."""
    index = call.keywords["index"]
    if len(call.operands) == 1:
        return (lambda x: x[index]) if _is_plain(index) else moved(library, call)
    places = _Places(library, call.operands[0].shape)

    def pick(x: Any, *arrays: Any) -> Any:
        if library.is_lazy(x):
            return library.taken(library.flat(x), places.of(fill_index(index, arrays)))
        return library.picked(x, fill_index(_in_library(library, index), arrays))

    return pick


def _is_plain(index: Any) -> bool:
    """Whether every library takes an index: no arrays, and no slice that goes backwards."""
    items = index if isinstance(index, tuple) else (index,)
    return all(
        item is None
        or item is Ellipsis
        or (type(item) is int)
        or (isinstance(item, slice) and (item.step is None or item.step > 0))
        for item in items
    )


def _in_library(library: Library, index: Any) -> Any:
    """Return an index with arrays of the library in place of NumPy's."""
    if isinstance(index, tuple):
        return tuple(_in_library(library, item) for item in index)
    return library.array(index) if isinstance(index, np.ndarray) else index


class _Places:
    """The numbers of the entries of an array, which an index picks as it picks the entries."""

    def __init__(self, library: Library, shape: tuple[int, ...]) -> None:
        self._library = library
        self._numbers = np.arange(math.prod(shape)).reshape(shape)

    def of(self, index: Any) -> Any:
        """Return the numbers of the entries at an index."""
        items = index if isinstance(index, tuple) else (index,)
        arrays = [item for item in items if hasattr(item, "dtype")]
        if all(isinstance(item, np.ndarray) or self._library.is_lazy(item) for item in arrays):
            plain = tuple(
                self._library.plain(item) if hasattr(item, "dtype") else item for item in items
            )
            return np.asarray(self._numbers[plain if isinstance(index, tuple) else plain[0]])
        numbers = self._library.array(self._numbers)
        return self._library.picked(numbers, _in_library(self._library, index), self._numbers.size)


def _in_a_row(library: Library, places: Any) -> Any:
    return places.reshape(-1) if isinstance(places, np.ndarray) else library.flat(places)


def added_at(library: Library, call: Expression) -> Call:
    """Return zeros with an array added at an index, in the library's own way to write."""
    return _added(library, call, 1, [call.keywords["index"]], False)


def added_up(library: Library, call: Expression) -> Call:
    """Return arrays added at an index each, all in one step: some libraries copy at each."""
    options = call.keywords
    return _added(library, call, count_of_values(options), options["at"], options["shape"] is None)


def _added(
    library: Library, call: Expression, count: int, at: Sequence[Any], has_start: bool
) -> Call:
    shape = call.shape
    places, size = _Places(library, shape), math.prod(shape)
    reshape, stretch = library.get("reshape"), library.get("broadcast_to")
    # Where no array stands in an index, the entries are known before.
    known = {k: places.of(index) for k, index in enumerate(at) if not _has_hole(index)}

    def add(*operands: Any) -> Any:
        start, values = operands[: int(has_start)], operands[int(has_start) : count]
        parts, rows = [], []
        for k, (index, g) in enumerate(zip(at, values, strict=True)):
            found = known[k] if k in known else places.of(fill_index(index, operands[count:]))
            g = g if tuple(g.shape) == tuple(found.shape) else stretch(g, tuple(found.shape))
            parts.append(library.flat(g))
            rows.append(_in_a_row(library, found))
        total = library.added(_in_one(library, parts), _joined_rows(library, rows), size)
        total = reshape(total, shape)
        return start[0] + total if start else total

    return add


def _in_one(library: Library, parts: Sequence[Any]) -> Any:
    return library.joined(parts) if len(parts) > 1 else parts[0]


def _joined_rows(library: Library, rows: Sequence[Any]) -> Any:
    """Return the numbers of entries in one row: NumPy's, unless some are computed."""
    if all(isinstance(row, np.ndarray) for row in rows):
        return np.concatenate(rows) if len(rows) > 1 else rows[0]
    return _in_one(library, [library.array(x) if isinstance(x, np.ndarray) else x for x in rows])


def _has_hole(index: Any) -> bool:
    items = index if isinstance(index, tuple) else (index,)
    return any(isinstance(item, Hole) for item in items)


def assigned(library: Library, call: Expression) -> Call:
    """Return a copy after assignments, in the library's own way to write."""
    at = call.keywords["at"]
    if len(call.operands) == 1 + len(at):
        return moved(library, call)
    shape = call.shape
    places = _Places(library, shape)
    reshape, stretch = library.get("reshape"), library.get("broadcast_to")
    where, truth = library.get("where"), library.dtype(np.dtype(bool))

    def assign(x: Any, *rest: Any) -> Any:
        values, arrays = rest[: len(at)], rest[len(at) :]
        for index, value in zip(at, values, strict=True):
            place = fill_index(index, arrays)
            is_mask = getattr(place, "dtype", None) == truth and tuple(place.shape) == shape
            if is_mask and tuple(value.shape) == ():
                x = where(place, value, x)
                continue
            found = places.of(place)
            if more := max(0, len(value.shape) - len(found.shape)):  # axes of length 1
                value = reshape(value, tuple(value.shape)[more:])
            row, value = _in_a_row(library, found), stretch(value, tuple(found.shape))
            x = reshape(library.written(library.flat(x), row, library.flat(value)), shape)
        return x

    return assign


# --- along an axis ---------------------------------------------------------------------


def _along(library: Library, shape: tuple[int, ...], axis: int | None, like: Any) -> Any:
    """Return where in one row the entries are that positions along an axis name.

    What lies outside of the axis is put behind the row, where no library finds an entry.
    """
    size, where = math.prod(shape), library.get("where")
    length, stride, offsets = size, 1, np.asarray(0)
    if axis is not None:
        axis %= len(shape)
        length, stride = shape[axis], math.prod(shape[axis + 1 :])
        first = [slice(1 if k == axis else n) for k, n in enumerate(shape)]
        offsets = np.arange(size).reshape(shape)[tuple(first)]
    positions = where(like < 0, like + length, like)
    found = positions * stride + library.array(offsets)
    return where((positions < 0) | (positions >= length), size, found)


def taken_along(library: Library, call: Expression) -> Call:
    """Return ``np.take_along_axis``."""
    shape, axis = call.operands[0].shape, call.keywords.get("axis", -1)
    return lambda x, indices: library.taken(library.flat(x), _along(library, shape, axis, indices))


def added_along(library: Library, call: Expression) -> Call:
    """Return zeros with an array added where positions along an axis say."""
    shape, axis = call.keywords["shape"], call.keywords["axis"]
    reshape, stretch = library.get("reshape"), library.get("broadcast_to")

    def add(g: Any, indices: Any) -> Any:
        positions = _along(library, shape, axis, indices)
        g = stretch(g, tuple(positions.shape))
        size = math.prod(shape)
        return reshape(library.added(library.flat(g), library.flat(positions), size), shape)

    return add

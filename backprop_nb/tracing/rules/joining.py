"""Functions that put arrays side by side, and those that cut one into parts.

Joined with others, an array fills one stretch of the result, and its gradient
is that stretch of the adjoint.  Cutting is the reverse: what flows back is
zeros with the part's adjoint in its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from inspect import Signature
from itertools import accumulate
from typing import Any

import numpy as np

from backprop_nb.tracing import pytree
from backprop_nb.tracing.rules.form import Hole, fill
from backprop_nb.tracing.rules.indexing import scatter_add
from backprop_nb.tracing.rules.lists import Nested
from backprop_nb.tracing.rules.row import (
    Row,
    as_array,
    for_both,
    row,
    shaped_like,
    signature_of,
    stretch,
)
from backprop_nb.tracing.rules.shaping import MOVED
from backprop_nb.tracing.rules.template import call_text

Shape = tuple[int, ...]


def _cut_out(
    g: Any, arrays: Sequence[Any], axis: int, grown: Callable[[Shape], Shape]
) -> Callable[[int], Any]:
    """Return what gives the stretch of ``g`` that one of the joined arrays fills.

    ``grown`` gives the shape that an array had when it was joined.
    """
    lengths = (grown(as_array(each).shape)[axis] for each in arrays)
    ends = [*accumulate(lengths, initial=0)]

    def part(position: int) -> Any:
        index = stretch(axis, ends[position], ends[position + 1])
        return shaped_like(g[index], arrays[position])

    return part


# --- joining ----------------------------------------------------------------------


def _concatenate(g: Any, ans: Any, *arrays: Any, axis: int | None = 0) -> Callable[[int], Any]:
    if axis is None:
        return _cut_out(g, arrays, 0, lambda shape: (math.prod(shape),))
    return _cut_out(g, arrays, axis % g.ndim, lambda shape: shape)


def _stack(g: Any, ans: Any, *arrays: Any, axis: int = 0) -> Callable[[int], Any]:
    before = (slice(None),) * (axis % g.ndim)
    return lambda position: g[(*before, position)]


def _fixed(axis: int, grown: Callable[[Shape], Shape]) -> Callable[..., Callable[[int], Any]]:
    """Return the rule of a function that joins along one axis; vectors along their only one."""
    return lambda g, ans, *arrays: _cut_out(g, arrays, min(axis, g.ndim - 1), grown)


def _at_least_2d(shape: Shape) -> Shape:
    return (1,) * (2 - len(shape)) + shape


def _at_least_3d(shape: Shape) -> Shape:
    return (*_at_least_2d(shape), *(1,) * (len(shape) < 3))


def _columns(shape: Shape) -> Shape:
    return shape if len(shape) > 1 else (math.prod(shape), 1)


def _block_call(arrays: Any) -> tuple[list[Any], dict[str, Any]]:
    flat = pytree.flatten(arrays)
    holes = map(Hole, range(len(flat)))
    return flat, {"nested": Nested(pytree.rebuild(arrays, lambda _, leaf: next(holes)))}


def _block(*arrays: Any, nested: Nested) -> Any:
    return np.block(fill(nested.items, arrays))


def _block_each(position: int, g: Any, ans: Any, *arrays: Any, nested: Nested) -> Any:
    # Laid out in the same way, markers show which box of the result the array fills.
    markers = [np.full(np.shape(each), k == position) for k, each in enumerate(arrays)]
    places = np.argwhere(_block(*markers, nested=nested))
    if not len(places):
        return shaped_like(g[(slice(0, 0),) * g.ndim], arrays[position])
    first, last = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    part = g[tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))]
    return shaped_like(part, arrays[position])


def _joined(
    function: Callable[..., Any], joint: Callable[..., Callable[[int], Any]], **facts: Any
) -> Row:
    """Return the row of a function that takes its arrays in one list."""

    def text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        return call_text(f"np.{function.__name__}", [f"[{', '.join(arguments)}]"], keywords)

    @cache
    def signature() -> Signature:  # reading it takes longer than importing this file
        return signature_of(function)

    def bind(*args: Any, **kwargs: Any) -> tuple[list[Any], dict[str, Any]]:
        arrays, *axis = (given := signature().bind(*args, **kwargs)).args
        usual = {"dtype": None, "casting": "same_kind", "out": None}
        if given.kwargs.items() - usual.items() or len(axis) > 1:
            raise TypeError("dtype, casting or out")
        return list(arrays), {} if axis in ([], [0]) else {"axis": axis[0]}

    return row(
        function,
        joint=joint,
        numpy=text,
        bind=bind,
        compute=lambda *arrays, **options: function(arrays, **options),
        **{"symbol": "join", "in_words": MOVED, "expected": _JOINED} | facts,
    )


_JOINED = "equal lengths along every axis but the joined one"

# --- splitting --------------------------------------------------------------------


def _part(x: Any, sections: Any, output: int, axis: int) -> tuple[slice, ...]:
    """Return where the part lies: equal lengths, the first ones longer by 1, or given cuts."""
    length = x.shape[axis]
    if isinstance(sections, int | np.integer):
        each, longer = divmod(length, int(sections))
        start = output * each + min(output, longer)
        return stretch(axis % x.ndim, start, start + each + (output < longer))
    start = sections[output - 1] if output else 0
    stop = sections[output] if output < len(sections) else length
    first, stop, _ = slice(start, stop).indices(length)
    return stretch(axis % x.ndim, first, max(first, stop))


def _cut(
    function: Callable[..., Any],
    along: int | None = None,
    expected: str = "a number of parts that divides the length, or the positions of the cuts",
) -> Row:
    """Return the row of a function that cuts along its option ``axis``, or always along one."""

    def place(x: Any, sections: Any, output: int, axis: int = 0) -> tuple[slice, ...]:
        return _part(x, sections, output, axis if along is None else min(along, x.ndim - 1))

    def vjp(g: Any, ans: Any, x: Any, indices_or_sections: Any, output: int) -> Any:
        return scatter_add(g, index=place(x, indices_or_sections, output), shape=x.shape)

    def with_axis(
        g: Any, ans: Any, x: Any, indices_or_sections: Any, output: int, axis: int = 0
    ) -> Any:
        return scatter_add(g, index=place(x, indices_or_sections, output, axis), shape=x.shape)

    def compute(x: Any, indices_or_sections: Any, output: int | None = None, **options: Any) -> Any:
        if output is None:
            return function(x, indices_or_sections, **options)
        return x[place(x, indices_or_sections, output, **options)]

    return row(
        function,
        with_axis if along is None else vjp,
        symbol="split",
        view=True,
        outputs=True,
        expected=expected,
        picks=lambda x, indices_or_sections, **options: place(x, indices_or_sections, **options),
        compute=compute,
    )


ROWS = (
    _joined(np.concatenate, _concatenate),
    _joined(np.stack, _stack, symbol="stack", expected="equal shapes"),
    _joined(np.hstack, _fixed(1, lambda shape: shape or (1,))),
    _joined(np.vstack, _fixed(0, _at_least_2d)),
    _joined(np.dstack, _fixed(2, _at_least_3d)),
    _joined(np.column_stack, _fixed(1, _columns)),
    row(
        np.append,
        *for_both(lambda k, g, ans, x, y, axis=None: _concatenate(g, ans, x, y, axis=axis)(k)),
        symbol="join",
        expected=_JOINED,
    ),
    row(
        np.block,
        each=_block_each,
        numpy=lambda arguments, keywords: f"np.block({keywords['nested'].text(arguments)})",
        symbol="join",
        expected=_JOINED,
        bind=_block_call,
        compute=_block,
    ),
    _cut(np.split),
    _cut(np.array_split, expected="at least one part"),
    _cut(np.hsplit, 1),
    _cut(np.vsplit, 0),
    _cut(np.dsplit, 2),
)

"""Functions that put arrays side by side, and those that cut one into pieces.

Joined with others, an array fills one stretch of the result, and its gradient
is that stretch of the adjoint.  Cutting is the reverse: what flows back is
zeros with the piece's adjoint in its place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import Binding, Form, Row, literal
from backprop_nb.tracing.rules.shaping import scatter_add, shaped_like

Shape = tuple[int, ...]


def _stretch(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    """Return the index of everything from ``start`` to ``stop`` along ``axis``."""
    return (slice(None),) * axis + (slice(start, stop),)


def _cut_out(
    position: int, g: Any, arrays: Sequence[Any], axis: int, grown: Callable[[Shape], Shape]
) -> Any:
    """Return the stretch of ``g`` that one of the joined arrays fills.

    ``grown`` gives the shape that an array had when it was joined.
    """
    lengths = [grown(np.shape(each))[axis] for each in arrays]
    start = sum(lengths[:position])
    piece = g[_stretch(axis, start, start + lengths[position])]
    return shaped_like(piece, arrays[position])


# --- joining --------------------------------------------------------------------


def _join_call(arrays: Any, axis: Any = 0) -> tuple[list[Any], dict[str, Any]]:
    return list(arrays), {} if axis == 0 and axis is not None else {"axis": axis}


def _join_without_axis(tup: Any) -> tuple[list[Any], dict[str, Any]]:
    return list(tup), {}


def _append_call(arr: Any, values: Any, axis: Any = None) -> tuple[list[Any], dict[str, Any]]:
    return [arr, values], {} if axis is None else {"axis": axis}


def _concatenate_each(position: int, g: Any, ans: Any, *arrays: Any, axis: int | None = 0) -> Any:
    if axis is None:
        return _cut_out(position, g, arrays, 0, lambda shape: (math.prod(shape),))
    return _cut_out(position, g, arrays, axis % g.ndim, lambda shape: shape)


def _append_each(position: int, g: Any, ans: Any, *arrays: Any, axis: int | None = None) -> Any:
    return _concatenate_each(position, g, ans, *arrays, axis=axis)


def _stack_each(position: int, g: Any, ans: Any, *arrays: Any, axis: int = 0) -> Any:
    return g[(slice(None),) * (axis % g.ndim) + (position,)]


def _hstack_each(position: int, g: Any, ans: Any, *arrays: Any) -> Any:
    return _cut_out(position, g, arrays, 0 if g.ndim == 1 else 1, lambda shape: shape or (1,))


def _vstack_each(position: int, g: Any, ans: Any, *arrays: Any) -> Any:
    return _cut_out(position, g, arrays, 0, _at_least_2d)


def _dstack_each(position: int, g: Any, ans: Any, *arrays: Any) -> Any:
    return _cut_out(
        position, g, arrays, 2, lambda shape: (*_at_least_2d(shape), *(1,) * (len(shape) < 3))
    )


def _column_stack_each(position: int, g: Any, ans: Any, *arrays: Any) -> Any:
    return _cut_out(
        position, g, arrays, 1, lambda shape: shape if len(shape) > 1 else (math.prod(shape), 1)
    )


def _at_least_2d(shape: Shape) -> Shape:
    return (1,) * (2 - len(shape)) + shape


def _nested(arrays: Any) -> tuple[list[Any], Any]:
    """Return the arrays of nested lists in one row, and how they were nested."""
    if not isinstance(arrays, list):
        return [arrays], True
    inner = [_nested(each) for each in arrays]
    return [each for flat, _ in inner for each in flat], tuple(plan for _, plan in inner)


def _nest(arrays: Any, plan: Any) -> Any:
    """Nest the arrays of an iterator as ``plan`` says."""
    return next(arrays) if plan is True else [_nest(arrays, each) for each in plan]


def _block_call(arrays: Any) -> tuple[list[Any], dict[str, Any]]:
    flat, plan = _nested(arrays)
    return flat, {"plan": plan}


def _block(*arrays: Any, plan: Any) -> Any:
    return np.block(_nest(iter(arrays), plan))


def _block_each(position: int, g: Any, ans: Any, *arrays: Any, plan: Any) -> Any:
    # Laid out in the same way, markers show which box of the result the array fills.
    markers = [np.full(np.shape(each), k == position) for k, each in enumerate(arrays)]
    places = np.argwhere(_block(*markers, plan=plan))
    if not len(places):
        return shaped_like(g[(slice(0, 0),) * g.ndim], arrays[position])
    first, last = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    piece = g[tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))]
    return shaped_like(piece, arrays[position])


def _list_form(name: str) -> Form:
    """Return the form of a call that takes its arrays in one list."""

    def fill(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        options = "".join(f", {key}={literal(value)}" for key, value in keywords.items())
        return f"{name}([{', '.join(arguments)}]{options})"

    return Form(fill)


def _append_form(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    options = [f"{key}={literal(value)}" for key, value in keywords.items()]
    return f"np.append({', '.join([*arguments, *options])})"


def _block_form(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    def text(nested: Any) -> str:
        return nested if isinstance(nested, str) else f"[{', '.join(map(text, nested))}]"

    return f"np.block({text(_nest(iter(arguments), keywords['plan']))})"


def _joined(
    function: Callable[..., Any],
    each: Callable[..., Any],
    symbol: str = "join",
    bind: Callable[..., Any] = _join_without_axis,
) -> Row:
    name = function.__name__
    return Row(
        function,
        (),
        numpy=_list_form(f"np.{name}"),
        latex=_listed_latex(name),
        symbol=symbol,
        bind=bind,
        compute=lambda *arrays, **options: function(arrays, **options),
        each=each,
    )


def _listed_latex(name: str) -> Form:
    text = name.replace("_", r"\_")
    return Form(lambda arguments, keywords: rf"\mathrm{{{text}}}({', '.join(arguments)})")


# --- splitting ------------------------------------------------------------------


def _piece_index(x: Any, sections: Any, piece: int, axis: int) -> tuple[slice, ...]:
    """Return where the piece lies: equal lengths, the first ones longer by 1, or given cuts."""
    length = x.shape[axis]
    if isinstance(sections, int | np.integer):
        each, longer = divmod(length, int(sections))
        start = piece * each + min(piece, longer)
        return _stretch(axis % x.ndim, start, start + each + (piece < longer))
    cuts = [0, *map(int, sections), length]
    first, stop, _ = slice(cuts[piece], cuts[piece + 1]).indices(length)
    return _stretch(axis % x.ndim, first, max(first, stop))


def _split(function: Callable[..., Any], axis_of: Callable[[Any], int] | None = None) -> Row:
    """Return the row of a function that cuts; ``axis_of`` gives the axis if it has no option."""

    def bind(ary: Any, indices_or_sections: Any, axis: int = 0) -> tuple[list[Any], dict[str, Any]]:
        return [ary], {"sections": indices_or_sections, **({} if axis == 0 else {"axis": axis})}

    def bind_without_axis(ary: Any, indices_or_sections: Any) -> tuple[list[Any], dict[str, Any]]:
        return [ary], {"sections": indices_or_sections}

    def pieces(x: Any, sections: Any, **axis: int) -> int:
        return len(function(x, sections, **axis))

    def compute(x: Any, sections: Any, piece: int, **axis: int) -> Any:
        return function(x, sections, **axis)[piece]

    def vjp(g: Any, ans: Any, x: Any, sections: Any, piece: int, axis: int = 0) -> Any:
        if axis_of is not None:
            axis = axis_of(x)
        return scatter_add(g, index=_piece_index(x, sections, piece, axis), shape=x.shape)

    def text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        rest = [*arguments, literal(_as_list(keywords["sections"]))]
        rest += [f"axis={literal(keywords['axis'])}"] if "axis" in keywords else []
        return f"np.{name}({', '.join(rest)})[{keywords['piece']}]"

    def latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        return rf"\mathrm{{{formula}}}({arguments[0]})_{{[{keywords['piece']}]}}"

    name = function.__name__
    formula = name.replace("_", r"\_")
    return Row(
        function,
        (vjp,),
        numpy=Form(text),
        latex=Form(latex, Binding.ATOM),
        symbol="split",
        view=True,
        bind=bind if axis_of is None else bind_without_axis,
        compute=compute,
        pieces=pieces,
    )


def _as_list(sections: Any) -> Any:
    return list(sections) if isinstance(sections, tuple) else sections


ROWS = (
    _joined(np.concatenate, _concatenate_each, bind=_join_call),
    _joined(np.stack, _stack_each, "stack", bind=_join_call),
    _joined(np.hstack, _hstack_each),
    _joined(np.vstack, _vstack_each),
    _joined(np.dstack, _dstack_each),
    _joined(np.column_stack, _column_stack_each),
    Row(
        np.append,
        (),
        numpy=Form(_append_form),
        latex=_listed_latex("append"),
        symbol="join",
        bind=_append_call,
        each=_append_each,
    ),
    Row(
        np.block,
        (),
        numpy=Form(_block_form),
        latex=_listed_latex("block"),
        symbol="join",
        bind=_block_call,
        compute=_block,
        each=_block_each,
    ),
    _split(np.split),
    _split(np.array_split),
    _split(np.hsplit, lambda x: 0 if x.ndim == 1 else 1),
    _split(np.vsplit, lambda x: 0),
    _split(np.dsplit, lambda x: 2),
)

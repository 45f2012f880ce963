"""Functions that move entries about and change none of them."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import (
    REAL,
    Binding,
    Form,
    Row,
    call,
    dispatched,
    literal,
    unbroadcast,
)


def getitem(x: Any, index: Any) -> Any:
    """Return ``x[index]``; the function behind square brackets."""
    return operator.getitem(x, index)


@dispatched
def scatter_add(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``g`` added at ``index``: the transpose of indexing.

    An entry that the index names twice receives both gradients.
    """
    out = np.zeros(shape, dtype=np.result_type(g))
    np.add.at(out, index, g)
    return out


def _index_text(index: Any) -> str:
    """Return an index as it stands between square brackets."""
    items = index if isinstance(index, tuple) else (index,)
    return ", ".join(map(_item_text, items)) or "()"


def _item_text(item: Any) -> str:
    if not isinstance(item, slice):
        return literal(item)
    start, stop, step = ("" if part is None else literal(part) for part in _parts(item))
    return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"


def _parts(item: slice) -> tuple[Any, Any, Any]:
    return item.start, item.stop, item.step


def _bracket_form(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    return f"{arguments[0]}[{_index_text(keywords['index'])}]"


def _transpose_form(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    if keywords.get("axes") is None:
        return f"{arguments[0]}.T"
    return f"np.transpose({arguments[0]}, {literal(keywords['axes'])})"


def _reshape_form(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    rest = [literal(keywords["shape"])]
    rest += [f"{key}={literal(value)}" for key, value in keywords.items() if key != "shape"]
    return f"{arguments[0]}.reshape({', '.join(rest)})"


def _transpose(g: Any, ans: Any, x: Any, axes: Any = None) -> Any:
    if axes is None:
        return g.T
    back = sorted(range(x.ndim), key=[axis % x.ndim for axis in axes].__getitem__)
    return np.transpose(g, tuple(back))


def _reshape(g: Any, ans: Any, x: Any, shape: Any, order: Any = "C") -> Any:
    return np.reshape(g, x.shape, order=order)


_LATEX_UNCHANGED = Form("#1", Binding.LOOSE)

ROWS = (
    Row(
        np.transpose,
        (_transpose,),
        numpy=Form(_transpose_form, Binding.ATOM, (Binding.ATOM,)),
        latex=Form(r"{#1}^{\top}", Binding.POWER, (Binding.ATOM,)),
        symbol="ᵀ",
        signature=("a", "axes"),
        view=True,
    ),
    Row(
        np.swapaxes,
        (lambda g, ans, x, axis1, axis2: np.swapaxes(g, axis1, axis2),),
        numpy=call("np.swapaxes", "axis1", "axis2"),
        latex=Form(r"{#1}^{\top}", Binding.POWER, (Binding.ATOM,)),
        symbol="ᵀ",
        signature=("a", "axis1", "axis2"),
        view=True,
    ),
    Row(
        np.reshape,
        (_reshape,),
        numpy=Form(_reshape_form, Binding.ATOM, (Binding.ATOM,)),
        latex=Form(r"\mathrm{reshape}(#1)"),
        symbol="reshape",
        signature=("a", "shape", "order"),
        view=True,
    ),
    Row(
        np.ravel,
        (lambda g, ans, x, order="C": np.reshape(g, x.shape, order=order),),
        numpy=call("np.ravel"),
        latex=Form(r"\mathrm{vec}(#1)"),
        symbol="ravel",
        signature=("a", "order"),
        view=True,
    ),
    Row(
        np.expand_dims,
        (lambda g, ans, x, axis: np.reshape(g, x.shape),),
        numpy=call("np.expand_dims", "axis"),
        latex=_LATEX_UNCHANGED,
        symbol="reshape",
        signature=("a", "axis"),
        view=True,
    ),
    Row(
        np.broadcast_to,
        (lambda g, ans, x, shape: unbroadcast(g, x),),
        numpy=call("np.broadcast_to", "shape"),
        latex=Form(r"\mathbf{1} \, #1", Binding.PRODUCT, (Binding.PRODUCT,)),
        symbol="repeat",
        signature=("array", "shape"),
        view=True,
    ),
    Row(
        getitem,
        (lambda g, ans, x, index: scatter_add(g, index=index, shape=x.shape),),
        numpy=Form(_bracket_form, Binding.ATOM, (Binding.ATOM,)),
        latex=Form(
            lambda arguments, keywords: (
                rf"{{{arguments[0]}}}_{{[{_index_text(keywords['index'])}]}}"
            ),
            Binding.ATOM,
            (Binding.ATOM,),
        ),
        symbol="[ ]",
        signature=("x", "index"),
        view=True,
    ),
    Row(
        scatter_add,
        (lambda g, ans, x, index, shape: g[index],),
        numpy=call("scatter_add"),
        latex=Form(r"\mathrm{scatter}(#1)"),
        symbol="scatter",
        signature=("g", "index", "shape"),
    ),
    Row(
        np.where,
        (
            None,
            lambda g, ans, condition, x, y: unbroadcast(np.where(condition, g, 0.0), x),
            lambda g, ans, condition, x, y: unbroadcast(np.where(condition, 0.0, g), y),
        ),
        numpy=call("np.where"),
        latex=Form(r"\mathrm{where}(#1, #2, #3)"),
        symbol="where",
        signature=("condition", "x", "y"),
        domain=(REAL, REAL, REAL),
    ),
)

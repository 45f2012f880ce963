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
    Remark,
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
def astype(x: Any, dtype: Any) -> Any:
    """Return ``x`` with entries of another type; the function behind ``x.astype``."""
    return x.astype(dtype)


@dispatched
def scatter_add(g: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of ``shape`` with ``g`` added at ``index``: the transpose of indexing.

    An entry that the index names twice receives both gradients.
    """
    out = np.zeros(shape, dtype=np.result_type(g))
    np.add.at(out, index, g)
    return out


def shaped_like(g: Any, x: Any) -> Any:
    """Return the entries of ``g`` in the shape of ``x``."""
    return g if g.shape == x.shape else np.reshape(g, x.shape)


def _index_text(index: Any) -> str:
    """Return an index as it stands between square brackets."""
    items = index if isinstance(index, tuple) else (index,)
    return ", ".join(map(_item_text, items)) or "()"


def _index_latex(index: Any) -> str:
    r"""Return an index as it stands in a formula; an array of positions is a bold i."""
    items = index if isinstance(index, tuple) else (index,)
    texts = [r"\mathbf{i}" if isinstance(item, np.ndarray) else _item_text(item) for item in items]
    return ", ".join(texts).replace("...", r"\ldots").replace("None", r"\mathrm{new}")


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
    axes = axes if isinstance(axes, tuple) else (axes,)
    back = sorted(range(x.ndim), key=[axis % x.ndim for axis in axes].__getitem__)
    return np.transpose(g, tuple(back))


def _reshape(g: Any, ans: Any, x: Any, shape: Any, order: Any = "C") -> Any:
    return np.reshape(g, x.shape, order=order)


def _select_call(
    condlist: Any, choicelist: Any, default: Any = 0
) -> tuple[list[Any], dict[str, Any]]:
    return [*condlist, *choicelist, default], {}


def _select(*arrays: Any) -> Any:
    count = len(arrays) // 2
    return np.select(list(arrays[:count]), list(arrays[count:-1]), arrays[-1])[()]


def _select_each(position: int, g: Any, ans: Any, *arrays: Any) -> Any:
    """Let the adjoint through where this choice was taken; conditions carry no gradient."""
    count = len(arrays) // 2
    choices = [g if count + k == position else 0.0 for k in range(count + 1)]
    chosen = np.select(list(arrays[:count]), choices[:-1], choices[-1])
    return unbroadcast(chosen, arrays[position])


def _select_form(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    count = len(arguments) // 2
    conditions, choices = arguments[:count], arguments[count:-1]
    return f"np.select([{', '.join(conditions)}], [{', '.join(choices)}], {arguments[-1]})"


def _back_to_shape(g: Any, ans: Any, x: Any, axis: Any = None) -> Any:
    return np.reshape(g, x.shape)


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
        # NumPy 2.0 has another name for the shape.
        compute=lambda a, shape, order="C": np.reshape(a, shape, order),
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
                rf"{{{arguments[0]}}}_{{[{_index_latex(keywords['index'])}]}}"
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
        brings_source=True,
    ),
    Row(
        astype,
        (lambda g, ans, x, dtype: g.astype(x.dtype),),
        numpy=Form(
            lambda arguments, keywords: (
                f"{arguments[0]}.astype(np.{np.dtype(keywords['dtype']).name})"
            ),
            Binding.ATOM,
            (Binding.ATOM,),
        ),
        latex=_LATEX_UNCHANGED,
        symbol="type",
        signature=("x", "dtype"),
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
        remarks=(
            Remark(
                "tie",
                lambda ans, condition, x, y: (x == y) & np.isfinite(ans),
                "{1} and {2} are equal{places}: the condition decides which receives the gradient",
            ),
        ),
    ),
    Row(
        np.select,
        (),
        numpy=Form(_select_form),
        latex=Form(
            lambda arguments, keywords: rf"\mathrm{{select}}({', '.join(arguments)})",
        ),
        symbol="select",
        bind=_select_call,
        compute=_select,
        each=_select_each,
    ),
    Row(
        np.matrix_transpose,
        (lambda g, ans, x: np.swapaxes(g, -1, -2),),
        numpy=Form("#1.mT", Binding.ATOM, (Binding.ATOM,)),
        latex=Form(r"{#1}^{\top}", Binding.POWER, (Binding.ATOM,)),
        symbol="ᵀ",
        signature=("x",),
        view=True,
    ),
    Row(
        np.squeeze,
        (_back_to_shape,),
        numpy=call("np.squeeze"),
        latex=_LATEX_UNCHANGED,
        symbol="reshape",
        signature=("a", "axis"),
        view=True,
    ),
    *(
        Row(
            function,
            (_back_to_shape,),
            numpy=call(f"np.{function.__name__}"),
            latex=_LATEX_UNCHANGED,
            symbol="reshape",
            view=True,
            bind=lambda ary: ([ary], {}),
        )
        for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d)
    ),
    *(
        Row(
            function,
            (vjp,),
            numpy=call(f"np.{function.__name__}"),
            latex=Form(rf"\mathrm{{{function.__name__}}}(#1)"),
            symbol=function.__name__,
            signature=("m", "k"),
        )
        for function, vjp in (
            (np.tril, lambda g, ans, x, k=0: unbroadcast(np.tril(g, k), x)),
            (np.triu, lambda g, ans, x, k=0: unbroadcast(np.triu(g, k), x)),
        )
    ),
)

"""Products: matrices, outer, dot, inner, tensordot, einsum, kron and cross.

With y = A x and a scalar L, the chain rule in numerator layout reads
∂L/∂x = ∂L/∂y · A: a row vector times A.  Stored as a plain vector that is
``A.T @ g``, which is where every transpose below comes from.

Each product is linear in either argument.  What flows back to one of them is
the adjoint times the other, summed over the axes that only those two share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import for_both, row, shaped_like, unbroadcast
from backprop_nb.tracing.rules.template import (
    ATOM,
    PRODUCT,
    Template,
    infix,
    latex_product,
    literal,
)

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# --- matmul -----------------------------------------------------------------------


def swapped(x: Any) -> Any:
    """Transpose the last two axes."""
    return x.T if x.ndim == 2 else np.swapaxes(x, -1, -2)


def _matmul_left(g: Any, ans: Any, x: Any, y: Any) -> Any:
    """Return what flows back to the left factor of ``x @ y``."""
    if x.ndim == 1 and y.ndim == 1:
        return g * y
    if y.ndim == 1:
        grown = np.outer(g, y) if x.ndim == 2 else np.expand_dims(g, -1) * y
        return unbroadcast(grown, x)
    if x.ndim == 1:
        row = y @ g if y.ndim == 2 else (y @ np.expand_dims(g, -1))[..., 0]
        return unbroadcast(row, x)
    return unbroadcast(g @ swapped(y), x)


def _matmul_right(g: Any, ans: Any, x: Any, y: Any) -> Any:
    """Return what flows back to the right factor of ``x @ y``."""
    if x.ndim == 1 and y.ndim == 1:
        return g * x
    if x.ndim == 1:
        grown = np.outer(x, g) if y.ndim == 2 else np.expand_dims(x, -1) * np.expand_dims(g, -2)
        return unbroadcast(grown, y)
    if y.ndim == 1:
        column = x.T @ g if x.ndim == 2 else (swapped(x) @ np.expand_dims(g, -1))[..., 0]
        return unbroadcast(column, y)
    return unbroadcast(swapped(x) @ g, y)


# --- dot and inner --------------------------------------------------------------


def _is_scaled(x: Any, y: Any) -> bool:
    return np.ndim(x) == 0 or np.ndim(y) == 0


def _dot(position: int, g: Any, ans: Any, x: Any, y: Any) -> Any:
    if _is_scaled(x, y):
        return unbroadcast(g * (y, x)[position], (x, y)[position])
    if x.ndim == 1 or y.ndim <= 2:
        return (_matmul_left, _matmul_right)[position](g, ans, x, y)
    return _tensordot(position, g, ans, x, y, axes=(-1, -2))


def _inner(position: int, g: Any, ans: Any, x: Any, y: Any) -> Any:
    own, other = (x, y) if position == 0 else (y, x)
    if _is_scaled(x, y):
        return unbroadcast(g * other, own)
    if x.ndim == 1 and y.ndim == 1:
        return g * other
    if other.ndim == 2:
        if position:
            g = g.T if g.ndim == 2 else np.moveaxis(g, 0, -1)
        return g @ other
    return _tensordot(position, g, ans, x, y, axes=(-1, -1))


# --- tensordot ------------------------------------------------------------------


def _contracted(x: Any, y: Any, axes: Any) -> tuple[list[int], list[int]]:
    """Return the axes of ``x`` and of ``y`` that are summed over, pair by pair."""
    n, m = np.ndim(x), np.ndim(y)
    if isinstance(axes, int | np.integer):
        return list(range(n - int(axes), n)), list(range(int(axes)))
    left, right = (list(np.atleast_1d(each)) for each in axes)
    return [int(axis) % n for axis in left], [int(axis) % m for axis in right]


def _others(x: Any, axes: Sequence[int]) -> list[int]:
    return [axis for axis in range(np.ndim(x)) if axis not in axes]


def _in_order(x: Any, axes: Sequence[int]) -> Any:
    """Return ``x`` with its axes in order, where ``axes`` says which axis stands where."""
    back = tuple(sorted(range(len(axes)), key=axes.__getitem__))
    return x if back == tuple(range(len(axes))) else np.transpose(x, back)


def _tensordot(position: int, g: Any, ans: Any, x: Any, y: Any, axes: Any = 2) -> Any:
    left, right = _contracted(x, y, axes)
    own, mine, other, theirs = (x, left, y, right) if position == 0 else (y, right, x, left)
    if g.ndim == 0:
        return g * _in_order(other, [mine[theirs.index(axis)] for axis in range(np.ndim(other))])
    kept, free = _others(own, mine), _others(other, theirs)
    partners = [mine[theirs.index(axis)] for axis in sorted(theirs)]
    if position == 0:
        shared = (tuple(range(len(kept), g.ndim)), tuple(free))
        return _in_order(np.tensordot(g, y, axes=shared), kept + partners)
    shared = (tuple(free), tuple(range(len(free))))
    return _in_order(np.tensordot(x, g, axes=shared), partners + kept)


# --- einsum ---------------------------------------------------------------------


def _einsum_call(*operands: Any, optimize: Any = False) -> tuple[list[Any], dict[str, Any]]:
    """Take ``("ij,j->i", A, x)`` apart, or ``(A, [0, 1], x, [1], [0])``, which means the same."""
    if isinstance(operands[0], str):
        return list(operands[1:]), {"subscripts": operands[0].replace(" ", "")}
    arrays, labels = list(operands[0::2]), list(operands[1::2])
    out = [arrays.pop()] if len(arrays) > len(labels) else []
    texts = [
        "".join("..." if label is Ellipsis else _LETTERS[label] for label in each)
        for each in labels + out
    ]
    arrow = [f"->{texts.pop()}"] if out else [""]
    return arrays, {"subscripts": ",".join(texts) + arrow[0]}


def _complete(subscripts: str, arrays: Sequence[Any]) -> tuple[list[str], str]:
    """Return each array's labels and the result's: no ellipsis, no implicit result."""
    text, arrow, out = subscripts.partition("->")
    specs = text.split(",")
    if not arrow:
        named = text.replace(",", "").replace(".", "")
        out = "..." * ("..." in text) + "".join(
            c for c in sorted(set(named)) if named.count(c) == 1
        )
    unused = "".join(letter for letter in _LETTERS if letter not in subscripts)
    hidden = [
        unused[: np.ndim(x) - len(spec.replace("...", ""))][::-1]
        for spec, x in zip(specs, arrays, strict=True)
    ]
    specs = [spec.replace("...", axes) for spec, axes in zip(specs, hidden, strict=True)]
    return specs, out.replace("...", max(hidden, key=len))


def _einsum_each(position: int, g: Any, ans: Any, *arrays: Any, subscripts: str) -> Any:
    """Contract the adjoint with all other arrays, leaving the labels of this one.

    A label that stands in this array alone was summed over, so the adjoint is
    the same all along it.  A label that stands twice names a diagonal: the
    adjoint goes onto it, and zeros beside it.
    """
    specs, out = _complete(subscripts, arrays)
    own, x = specs.pop(position), arrays[position]
    labels = "".join(dict.fromkeys(own))
    found = "".join(label for label in labels if label in out + "".join(specs))
    if out != found or specs:
        others = [*arrays[:position], *arrays[position + 1 :]]
        g = np.einsum(f"{','.join([out, *specs])}->{found}", g, *others)
    if labels != found:
        g = np.expand_dims(g, tuple(k for k, label in enumerate(labels) if label not in found))
    lengths = tuple(x.shape[own.index(label)] for label in labels)
    g = unbroadcast(g, np.broadcast_to(0, lengths))
    if g.shape != lengths:
        g = np.broadcast_to(g, lengths)
    return g if labels == own else _onto_diagonal(g, own)


def _onto_diagonal(g: Any, own: str) -> Any:
    """Return zeros, with ``g`` where the axes that carry the same label have the same index."""
    labels = "".join(dict.fromkeys(own))
    unused = (letter for letter in _LETTERS if letter not in own)
    specs, target, eyes = [labels], "", []
    for label in own:
        if label in target:
            fresh = next(unused)
            eyes.append(np.eye(g.shape[labels.index(label)], dtype=g.dtype))
            specs.append(label + fresh)
            label = fresh
        target += label
    return np.einsum(f"{','.join(specs)}->{target}", g, *eyes)


def _einsum_text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    return f"np.einsum({', '.join([literal(keywords['subscripts']), *arguments])})"


def _einsum_latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    subscripts = keywords["subscripts"].replace("->", r" \to ").replace("...", r"\ldots ")
    return rf"\mathrm{{einsum}}_{{{subscripts}}}({', '.join(arguments)})"


# --- kron and cross -------------------------------------------------------------


def _kron(position: int, g: Any, ans: Any, x: Any, y: Any) -> Any:
    """Take each axis of ``g`` apart into x's and y's, and sum over that of the other array."""
    m = (1,) * (g.ndim - np.ndim(x)) + np.shape(x)
    n = (1,) * (g.ndim - np.ndim(y)) + np.shape(y)
    blocks = np.reshape(g, tuple(length for pair in zip(m, n, strict=True) for length in pair))
    if position == 0:
        own, other, shape = x, y, tuple(length for k in n for length in (1, k))
    else:
        own, other, shape = y, x, tuple(length for k in m for length in (k, 1))
    axes = tuple(range(1 - position, blocks.ndim, 2))
    return shaped_like(np.sum(blocks * np.reshape(other, shape), axis=axes), own)


def _cross(x: Any, y: Any, **axes: int) -> Any:
    a, b, _ = _cross_axes(**axes)
    if np.shape(x)[a] != 3 or np.shape(y)[b] != 3:
        raise ValueError("a cross product takes vectors of 3 entries")
    return np.cross(x, y, **axes)


def _cross_axes(
    axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> tuple[int, int, int]:
    return (axisa, axisb, axisc) if axis is None else (axis, axis, axis)


def _last(x: Any, axis: int) -> Any:
    """Return ``x`` with ``axis`` at the end."""
    return x if axis in (-1, np.ndim(x) - 1) else np.moveaxis(x, axis, -1)


def _back(g: Any, x: Any, axis: int) -> Any:
    """Return ``g``, whose last axis is the ``axis`` of ``x``, in the shape of ``x``."""
    g = unbroadcast(g, _last(x, axis))
    return g if axis in (-1, x.ndim - 1) else np.moveaxis(g, -1, axis)


def _cross_vjp(position: int, g: Any, ans: Any, x: Any, y: Any, **axes: int) -> Any:
    a, b, c = _cross_axes(**axes)
    if position == 0:
        return _back(np.cross(_last(y, b), _last(g, c)), x, a)
    return _back(np.cross(_last(g, c), _last(x, a)), y, b)


def _vecdot(position: int, g: Any, ans: Any, x: Any, y: Any, axis: int = -1) -> Any:
    own, other = (x, y) if position == 0 else (y, x)
    return _back(np.expand_dims(g, -1) * _last(other, axis), own, axis)


# --- what a call takes ------------------------------------------------------------


def _inner_lengths(left: tuple[int, ...], right: tuple[int, ...]) -> str:
    """Say which two lengths of a matrix product differ."""
    if not left or not right:
        return "a number cannot be multiplied with @"
    rows = right[-2] if len(right) > 1 else right[0]
    if left[-1] == rows:
        return f"stacks of {left[:-2]} and {right[:-2]} matrices do not broadcast"
    return f"{left[-1]} columns on the left meet {rows} rows on the right"


def _count(ans: Any, x: Any, y: Any, **options: Any) -> int:
    """m·k, k·n and m·n entries take m·k·n products: the root of all three multiplied."""
    return math.isqrt(int(np.size(x)) * int(np.size(y)) * int(np.size(ans)))


def _einsum_count(ans: Any, *arrays: Any, subscripts: str) -> int:
    """Return the size of the loop over all labels, for every factor after the first."""
    specs, _ = _complete(subscripts, arrays)
    lengths: dict[str, int] = {}
    for spec, x in zip(specs, arrays, strict=True):
        for label, length in zip(spec, np.shape(x), strict=True):
            lengths[label] = max(length, lengths.get(label, 1))
    return math.prod(lengths.values()) * (len(arrays) - 1)


_IN_WORDS = (
    "A matrix product: a factor receives the adjoint times the other factor, which is "
    "transposed so that the shapes fit."
)
_SUMMED = "equal lengths along the axes that are summed over"
_INNER = r"\langle #1, #2 \rangle"

ROWS = (
    row(
        np.matmul,
        _matmul_left,
        _matmul_right,
        numpy=infix("#1 @ #2", PRODUCT),
        latex=latex_product(r"#1 \, #2"),
        symbol="@",
        operator="matmul",
        product="@",
        multiplications=lambda ans, x, y: int(np.size(ans) * np.shape(x)[-1]),
        in_words=_IN_WORDS,
        expected="as many columns on the left as rows on the right: "
        "(n, k) @ (k,) or (n, k) @ (k, m)",
        misfit=_inner_lengths,
    ),
    row(
        np.outer,
        lambda g, ans, x, y: np.reshape(g @ np.ravel(y), x.shape),
        lambda g, ans, x, y: np.reshape(np.ravel(x) @ g, y.shape),
        latex=Template(r"#1 \, {#2}^{\top}", PRODUCT, (PRODUCT, ATOM)),
        product="⊗",
        multiplications=_count,
        in_words=_IN_WORDS,
    ),
    row(
        np.dot,
        *for_both(_dot),
        latex=latex_product(r"#1 \, #2"),
        symbol="·",
        multiplications=_count,
        in_words=_IN_WORDS,
        expected=_SUMMED,
    ),
    row(
        np.vdot,
        lambda g, ans, x, y: shaped_like(g * y, x),
        lambda g, ans, x, y: shaped_like(g * x, y),
        latex=_INNER,
        symbol="·",
        multiplications=_count,
        expected=_SUMMED,
    ),
    row(
        np.inner,
        *for_both(_inner),
        latex=_INNER,
        symbol="·",
        multiplications=_count,
        in_words=_IN_WORDS,
        expected=_SUMMED,
    ),
    row(np.vecdot, *for_both(_vecdot), latex=_INNER, symbol="·", expected=_SUMMED),
    row(
        np.tensordot,
        *for_both(_tensordot),
        latex=latex_product(r"#1 \cdot #2"),
        symbol="⋅",
        multiplications=_count,
        expected=_SUMMED,
    ),
    row(
        np.einsum,
        each=_einsum_each,
        numpy=_einsum_text,
        latex=_einsum_latex,
        bind=_einsum_call,
        compute=lambda *arrays, subscripts: np.einsum(subscripts, *arrays),
        view=True,
        multiplications=_einsum_count,
        expected="one label for each axis, and equal lengths under one label",
    ),
    row(
        np.kron,
        *for_both(_kron),
        latex=latex_product(r"#1 \otimes #2"),
        symbol="⊗",
        multiplications=_count,
    ),
    row(
        np.cross,
        *for_both(_cross_vjp),
        latex=latex_product(r"#1 \times #2"),
        symbol="×",
        compute=_cross,
        expected="vectors of 3 entries",
    ),
)

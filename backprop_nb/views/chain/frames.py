"""The product of a chain's factors as a replay, from the left or from the right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_nb.network import Gradient
from backprop_nb.network.chain import Chain, PartialProduct, Side
from backprop_nb.network.tables import residual_text
from backprop_nb.views import numbers
from backprop_nb.views.chain.matrix_picture import Matrix
from backprop_nb.views.chain.store import BUILT, Shelf, Theta, lit_by, shape_words

SPOKEN = 12
"""So many numbers of a result are said with a step."""

Frame = dict[str, Any]
Array = NDArray[Any]


def frame(words: str, title: Sequence[str] = (), **more: Any) -> Frame:
    """Return one moment of a replay.

    Parameters
    ----------
    words
        What a screen reader says.
    title
        Names of matrices and what stands between them.
    **more
        ``lines`` of matrices, ``notes`` below them; which factors are met ``now`` and
        which are ``done``; the multiplications it costs and the ``total`` so far.
    """
    empty = {"lines": [], "notes": [words], "now": [], "done": [], "cost": 0, "total": 0}
    return {"words": words, "title": list(title)} | empty | more


def line(title: str, *items: str) -> dict[str, Any]:
    """Return a line of matrices and of signs between them."""
    return {"title": title, "items": list(items)}


def product_frames(chain: Chain, side: Side, shelf: Shelf, gradient: Gradient) -> Iterator[Frame]:
    """Yield the moments from the first factor alone to the gradient.

    Parameters
    ----------
    chain
        The factors.
    side
        Where the multiplication begins.
    shelf
        Where the matrices are kept.
    gradient
        What ``net.backward`` found for the same input, to compare.
    """
    i = chain.i
    theta = (i, *chain.A[i].shape)
    partial = chain.partial_products(side)
    arrays = _products(partial)
    multiplied = arrays[-1] is not None
    if not multiplied:
        arrays[-1] = _row(gradient, i)
    names = [_keep(each, array, shelf, theta) for each, array in zip(partial, arrays, strict=True)]
    yield _first(chain, side, names[0])
    for step in range(1, len(partial)):
        yield _product(chain, partial[step - 1], partial[step], shelf)
    product = arrays[-1] if multiplied else None
    yield _last(chain, partial[-1], product, gradient, shelf)


def _row(gradient: Gradient, i: int) -> Array:
    """Return ∂L/∂θ_i as the backward pass finds it, as a row."""
    return np.concatenate([gradient.A[i].ravel(), gradient.b[i]])[np.newaxis]


def _products(partial: Sequence[PartialProduct]) -> list[Array | None]:
    """Return the partial products; None where it, or what it needs, is too large."""
    arrays: list[Array | None] = []
    for product in partial:
        left = product.side == "left"
        factor = product.factors[-1 if left else 0]
        small = max(factor.entries, product.shape[0] * product.shape[1]) <= BUILT
        if not small or (arrays and arrays[-1] is None):
            arrays.append(None)
        elif not arrays:
            arrays.append(factor.matrix)
        else:
            arrays.append(_times(arrays[-1], factor.matrix, left))
    return arrays


def _times(so_far: Array | None, factor: Array, left: bool) -> Array:
    product: Array = so_far @ factor if left else factor @ so_far
    return product


def _keep(product: PartialProduct, array: Array | None, shelf: Shelf, theta: Theta) -> str:
    above, below = product.factors[0].numerator, product.factors[-1].denominator
    by_theta = theta if below.startswith("θ") else None
    return shelf.derivative(above, below, product.shape, array, theta=by_theta)


# --- the moments ------------------------------------------------------------


def _first(chain: Chain, side: Side, name: str) -> Frame:
    i = chain.i
    begin = (
        "From the left: begin with the derivative of L, a single row. A row times a matrix is "
        "a row again, so there is never more than a row to carry."
        if side == "left"
        else f"From the right: begin with the derivative by θ_{i}. Each product is as wide "
        f"as there are numbers in θ_{i}: {chain.factors[-1].shape[1]:,}."
    )
    index = 0 if side == "left" else len(chain.factors) - 1
    return frame(begin, [chain.symbol, "begins with", name], now=[index], lines=[line("", name)])


def _product(chain: Chain, before: PartialProduct, after: PartialProduct, shelf: Shelf) -> Frame:
    left, last = after.side == "left", len(chain.factors) - 1
    index = len(before.factors) if left else last - len(before.factors)
    factor = chain.factors[index]
    a, b = (before, factor) if left else (factor, before)
    items = [a.symbol, "·", b.symbol, "=", after.symbol]
    cost = f"{a.shape[0]:,} · {a.shape[1]:,} · {b.shape[1]:,} = {multiplications(after.cost)}"
    cost += f"; {after.total:,} so far."
    return frame(
        f"{a.symbol} ({shape_words(a.shape)}) times {b.symbol} ({shape_words(b.shape)}) is "
        f"{_result(after.symbol, shelf)}. {cost}",
        items,
        lines=[line("", *items)],
        notes=[_fit(a.shape[1]), cost],
        now=[index],
        done=[*range(index)] if left else [*range(index + 1, last + 1)],
        cost=after.cost,
        total=after.total,
    )


def _fit(inner: int) -> str:
    """Return why two matrices can be multiplied."""
    if inner == 1:
        return "The one column of the first meets the one row of the second."
    return f"The {inner:,} columns of the first meet the {inner:,} rows of the second."


def _result(name: str, shelf: Shelf) -> str:
    matrix = shelf.held[name][0]
    if matrix.array is None or matrix.array.size > SPOKEN:
        return f"{name} ({shape_words(matrix.shape)})"
    return f"{name} = {numbers.words(matrix.array)}"


def _last(
    chain: Chain, whole: PartialProduct, product: Array | None, gradient: Gradient, shelf: Shelf
) -> Frame:
    """Return the comparison with the backward pass, in the shapes of A_i and b_i."""
    i, A, b = chain.i, gradient.A[chain.i], gradient.b[chain.i]
    own = [
        shelf.derivative("L", f"{letter}_{i}", (part.shape[0], part.shape[1]), part)
        for letter, part in zip("Ab", _cut(_row(gradient, i) if product is None else product, A),
                                strict=True)
    ]  # fmt: skip
    theirs = [
        shelf.put(
            f"d{letter}[{i}] of net.backward",
            rf"\mathrm{{d{letter}}}_{{{i}}}",
            Matrix((part.shape[0], part.shape[1]), part, "adjoint"),
            lit_by("L", f"A_{i}", chain.K),
        )
        for letter, part in zip("Ab", [A, b[np.newaxis]], strict=True)
    ]
    cost = (
        f"{multiplications(whole.total)} from the {whole.side}, "
        f"{chain.cost_of_backward:,} by net.backward."
    )
    if product is None:
        check = (
            "A matrix is too large to be built here, so nothing was multiplied: the numbers are "
            "those of net.backward, which needs no Jacobian."
        )
        lines = [line("net.backward", *theirs)]
    else:
        difference = float(np.max(np.abs(product - _row(gradient, i))))
        check = (
            f"The row, cut into the shapes of A_{i} and b_{i}, is what net.backward finds. "
            f"Largest difference: {residual_text(difference, A.dtype)}."
        )
        lines = [line("the product, cut", *own), line("net.backward", *theirs)]
    return frame(
        f"{check} {cost}",
        [chain.symbol, "holds", *own],
        lines=lines,
        notes=[check, cost],
        done=[*range(len(chain.factors))],
        total=whole.total,
    )


def _cut(row: Array, A: Array) -> list[Array]:
    """Return the row ∂L/∂θ_i as ∂L/∂A_i, in the shape of A_i, and ∂L/∂b_i."""
    return [row[0, : A.size].reshape(A.shape), row[:, A.size :]]


def multiplications(count: int) -> str:
    """Return a number of multiplications.

    >>> multiplications(1), multiplications(12870272)
    ('1 multiplication', '12,870,272 multiplications')
    """
    return f"{count:,} multiplication" + ("" if count == 1 else "s")

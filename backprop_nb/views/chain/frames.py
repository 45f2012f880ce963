"""The steps of a chain rule's replay: the product from either side, and the way to the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backprop_nb.network import Gradient
from backprop_nb.network.chain import Chain, PartialProduct
from backprop_nb.network.jacobians import Jacobian, derivative_text
from backprop_nb.network.tables import residual_text
from backprop_nb.network.theta import flatten
from backprop_nb.network.transposes import TransposeStep, transpose_steps
from backprop_nb.tracing.emit.notation import derivative_to_latex
from backprop_nb.views import numbers
from backprop_nb.views.chain.matrices import BUILT, Array, Matrices, lit_by, shape_words
from backprop_nb.views.chain.schema import ChainFrame

SPOKEN = 12
"""So many numbers of a result are said with a step."""


def frame(
    words: str,
    title: Sequence[str] = (),
    lines: Sequence[tuple[str, Sequence[str]]] = (),
    notes: Sequence[str] = (),
) -> ChainFrame:
    """Return a step; a line is a title, then names of matrices and signs between them.

    Without notes the words are what is said below.
    """
    return {
        "words": words,
        "title": list(title),
        "lines": [{"title": name, "items": list(items)} for name, items in lines],
        "notes": list(notes) or [words],
        "paid": {},
    }


# --- the product ------------------------------------------------------------


def product_frames(
    chain: Chain, products: Sequence[PartialProduct], matrices: Matrices, gradient: Gradient
) -> Iterator[ChainFrame]:
    """Yield the steps from the first factor alone to ``gradient``, with which they end.

    The partial products begin at one side; the matrices are stored as they are met.
    """
    arrays = _multiplied(products)
    whole = arrays[-1]
    if whole is None:
        arrays[-1] = _row(gradient, chain.i)
    for product, array in zip(products, arrays, strict=True):
        above, below = product.factors[0].numerator, product.factors[-1].denominator
        matrices.derivative(above, below, array, product.shape)
    yield _first(chain, products[0])
    for step in range(1, len(products)):
        yield _product(chain, products[step - 1], products[step], matrices)
    yield _last(chain, products[-1], whole, gradient, matrices)


def _row(gradient: Gradient, i: int) -> Array:
    """Return ∂L/∂θ_i as the backward pass finds it, as a row."""
    return flatten([gradient.A[i]], [gradient.b[i]])[np.newaxis]


def _multiplied(products: Sequence[PartialProduct]) -> list[Array | None]:
    """Return the partial products; None where one, or what it needs, is too large."""
    arrays: list[Array | None] = []
    for product in products:
        left = product.side == "left"
        factor = product.factors[-1 if left else 0]
        before = arrays[-1] if arrays else None
        small = max(factor.entries, product.shape[0] * product.shape[1]) <= BUILT
        if not small or (arrays and before is None):
            arrays.append(None)
        elif before is None:
            arrays.append(factor.matrix)
        else:
            arrays.append(before @ factor.matrix if left else factor.matrix @ before)
    return arrays


def _first(chain: Chain, product: PartialProduct) -> ChainFrame:
    words = (
        "From the left: begin with the derivative of L, a single row. A row times a matrix is "
        "a row again, so there is never more than a row to carry."
        if product.side == "left"
        else f"From the right: begin with the derivative by θ_{chain.i}. Each product is as wide "
        f"as there are numbers in θ_{chain.i}: {product.shape[1]:,}."
    )
    name = product.symbol
    return frame(words, [chain.symbol, "begins with", name], [("", [name])])


def _product(
    chain: Chain, before: PartialProduct, after: PartialProduct, matrices: Matrices
) -> ChainFrame:
    a: PartialProduct | Jacobian = before
    b: PartialProduct | Jacobian = after.factors[-1]
    if after.side == "right":
        a, b = after.factors[0], before
    items = [a.symbol, "·", b.symbol, "=", after.symbol]
    inner = a.shape[1]
    fit = (
        f"The {inner:,} columns of the first meet the {inner:,} rows of the second."
        if inner > 1
        else "The one column of the first meets the one row of the second."
    )
    cost = f"{a.shape[0]:,} · {inner:,} · {b.shape[1]:,} = {multiplications(after.cost)}"
    cost += f"; {after.total:,} so far."
    result, array = after.symbol, matrices[after.symbol].array
    known = array is not None and array.size <= SPOKEN
    result += f" = {numbers.words(array)}" if known else f" ({shape_words(after.shape)})"
    words = (
        f"{a.symbol} ({shape_words(a.shape)}) times {b.symbol} ({shape_words(b.shape)}) is "
        f"{result}. {cost}"
    )
    return frame(words, items, [("", items)], [fit, cost])


def _last(
    chain: Chain, last: PartialProduct, whole: Array | None, gradient: Gradient, matrices: Matrices
) -> ChainFrame:
    """Return the comparison with the backward pass, in the shapes of A_i and b_i."""
    i, A, row = chain.i, gradient.A[chain.i], _row(gradient, chain.i)
    product = row if whole is None else whole
    parts = {"A": product[0, : A.size].reshape(A.shape), "b": product[:, A.size :]}
    own = [matrices.derivative("L", f"{name}_{i}", part) for name, part in parts.items()]
    theirs = [
        matrices.put(
            f"d{name}[{i}] of net.backward",
            rf"\mathrm{{d{name}}}_{{{i}}}",
            part,
            "adjoint",
            lit_by("L", f"A_{i}", chain.K),
        )
        for name, part in {"A": A, "b": gradient.b[i][np.newaxis]}.items()
    ]
    lines = [("net.backward", theirs)]
    if whole is None:
        check = (
            "A matrix is too large to be built here, so nothing was multiplied: the numbers are "
            "those of net.backward, which needs no Jacobian."
        )
    else:
        lines.insert(0, ("the product, cut", own))
        difference = float(np.max(np.abs(whole - row)))
        check = (
            f"The row, cut into the shapes of A_{i} and b_{i}, is what net.backward finds. "
            f"Largest difference: {residual_text(difference, A.dtype)}."
        )
    cost = (
        f"{multiplications(last.total)} from the {last.side}, "
        f"{chain.cost_of_backward:,} by net.backward."
    )
    return frame(f"{check} {cost}", [chain.symbol, "holds", *own], lines, [check, cost])


def multiplications(count: int) -> str:
    """Return a number of multiplications.

    >>> multiplications(1), multiplications(12870272)
    ('1 multiplication', '12,870,272 multiplications')
    """
    return f"{count:,} multiplication" + ("" if count == 1 else "s")


# --- where the transpose comes from -----------------------------------------


def transpose_frames(
    chain: Chain, matrices: Matrices
) -> tuple[list[TransposeStep], list[ChainFrame]]:
    """Return the steps through z, and for each a row times a Jacobian beside the code it becomes.

    There are none of a network whose Jacobians are too large; then one frame says so.
    """
    widest = max(chain.widths[chain.i + 1 :])
    if widest**2 > BUILT:
        text = (
            f"A layer of {widest:,} units has Jacobians too large to be built here. A narrower "
            "network shows the same steps."
        )
        return [], [frame(text)]
    steps = [*transpose_steps(chain.A, chain.f, chain.y, chain.i)]
    return steps, [_transpose(step, matrices) for step in steps]


def _transpose(step: TransposeStep, matrices: Matrices) -> ChainFrame:
    factor, value = step.factor, step.value
    symbol, built = matrices.factor(factor), factor.entries <= BUILT
    row = _row_after(step, matrices)
    if factor.numerator != "L":
        before = derivative_text("L", factor.numerator)
        row = [before, "·", symbol, "=", *row]
    compared = (
        f"Largest difference: {residual_text(step.difference, value.dtype)}."
        if built
        else f"{symbol} is not built, so there is nothing to compare."
    )
    many = value.size > SPOKEN
    spoken = " × ".join(map("{:,}".format, value.shape)) + " numbers" if many else ""
    words = f"{symbol}: {step.statement} gives {spoken or numbers.words(value)}."
    lines = [("chain rule", row), (step.statement, _coded(step, matrices))]
    return frame(f"{words} {step.why} {compared}", row, lines, [step.why, compared])


def _row_after(step: TransposeStep, matrices: Matrices) -> list[str]:
    """Store the row g times the Jacobian; what the code gives holds the same numbers."""
    below, built = step.factor.denominator, step.factor.entries <= BUILT
    row = step.row if built else step.value.ravel()[np.newaxis]
    if step.value.ndim == 1:
        return [matrices.derivative("L", below, row)]
    name, latex = derivative_text("L", below), derivative_to_latex("L", below)
    lit = lit_by("L", below, matrices.K)
    return [matrices.put(f"{name}, as a row", latex, row, "adjoint", lit)]


def _coded(step: TransposeStep, matrices: Matrices) -> list[str]:
    """Return the line of code as matrices: where it transposes, a matrix times a column."""
    above, below = step.factor.numerator, step.factor.denominator
    lit, value = lit_by(above, below, matrices.K), step.value
    # g is assigned again and again; its name says which one it is.
    name = f"g for {below}" if step.target == "g" else step.target
    # NumPy takes a vector for a column.
    column = value[:, np.newaxis] if value.ndim == 1 else value
    target = matrices.put(name, _latex(step.target), column, "adjoint", lit)
    if not step.transposed or step.factor.entries > BUILT:
        return [target]
    j = int(above.partition("_")[2])
    name, latex = f"A[{j - 1}].T", rf"A_{{{j - 1}}}^{{\top}}"
    transposed = matrices.put(name, latex, step.jacobian.T, "value", lit)
    return [transposed, "·", f"delta[{j}]", "=", target]


def _latex(target: str) -> str:
    r"""Return the left side of a line of code as a formula.

    >>> _latex("delta[2]"), _latex("g"), _latex("dA[0]")
    ('\\delta_{2}', 'g', '\\mathrm{dA}_{0}')
    """
    name, _, index = target.partition("[")
    stem = {"delta": r"\delta", "g": "g"}.get(name, rf"\mathrm{{{name}}}")
    return rf"{stem}_{{{index[:-1]}}}" if index else stem

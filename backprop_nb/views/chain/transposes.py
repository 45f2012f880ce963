"""Where the transpose comes from, as a replay: each step as a row times a Jacobian and as code."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_nb.network.chain import Chain
from backprop_nb.network.factors import derivative_latex, derivative_text
from backprop_nb.network.tables import residual_text
from backprop_nb.network.transposes import INTRODUCTION, TransposeStep, transpose_steps
from backprop_nb.views import numbers
from backprop_nb.views.chain.frames import SPOKEN, Frame, frame, line
from backprop_nb.views.chain.matrix_picture import Matrix
from backprop_nb.views.chain.store import BUILT, Shelf, keep_factor, lit_by


def transposes(chain: Chain, shelf: Shelf) -> dict[str, Any]:
    """Return the steps through z: names of their Jacobians, frames, and the code they become."""
    if max(chain.widths[chain.i + 1 :]) ** 2 > BUILT:
        text = (
            f"A layer of {max(chain.widths):,} units has Jacobians too large to be built here. "
            "A narrower network shows the same steps."
        )
        steps: list[TransposeStep] = []
        frames = [frame(text)]
    else:
        steps = [*transpose_steps(chain.A, chain.f, chain.y, chain.i)]
        frames = [_frame(step, index, shelf, chain.K) for index, step in enumerate(steps)]
    return {
        "steps": [keep_factor(step.factor, shelf) for step in steps],
        "code": [step.statement for step in steps],
        "transposes": frames,
        "introduction": INTRODUCTION,
    }


def _frame(step: TransposeStep, index: int, shelf: Shelf, K: int) -> Frame:
    factor, built = step.factor, step.factor.entries <= BUILT
    after = _row_after(step, shelf, K, built)
    before = derivative_text("L", factor.numerator)
    row = [before, "·", factor.symbol, "=", after] if index else [after]
    compared = (
        f"Largest difference: {residual_text(step.difference, step.value.dtype)}."
        if built
        else f"{factor.symbol} is not built, so there is nothing to compare."
    )
    return frame(
        f"{factor.symbol}: {step.statement} gives {_spoken(step.value)}. {step.why} {compared}",
        row,
        lines=[line("chain rule", *row), line(step.statement, *_coded(step, shelf, K, built))],
        notes=[step.why, compared],
        now=[index],
        done=[*range(index)],
        code=index,
    )


def _row_after(step: TransposeStep, shelf: Shelf, K: int, built: bool) -> str:
    """Keep the row g times the Jacobian; what the code gives holds the same numbers."""
    below = step.factor.denominator
    row = step.row if built else step.value.ravel()[np.newaxis]
    name = derivative_text("L", below)
    return shelf.put(
        f"{name}, as a row" if step.value.ndim == 2 else name,
        derivative_latex("L", below),
        Matrix((1, row.shape[1]), row, "adjoint"),
        lit_by("L", below, K),
    )


def _coded(step: TransposeStep, shelf: Shelf, K: int, built: bool) -> list[str]:
    """Return the line of code as matrices: where it transposes, a matrix times a column."""
    above, below = step.factor.numerator, step.factor.denominator
    lit = lit_by(above, below, K)
    # g is assigned again and again; its name says which one it is.
    name = f"g for {below}" if step.target == "g" else step.target
    target = shelf.put(name, _latex(step.target), _upright(step.value), lit)
    if not (step.transposed and built):
        return [target]
    j = int(above.partition("_")[2])
    transpose = shelf.put(
        f"A[{j - 1}].T",
        rf"A_{{{j - 1}}}^{{\top}}",
        Matrix((step.jacobian.shape[1], step.jacobian.shape[0]), step.jacobian.T, "value"),
        lit,
    )
    return [transpose, "·", f"delta[{j}]", "=", target]


def _upright(value: NDArray[Any]) -> Matrix:
    """Return a vector as the column that NumPy takes it for; a matrix as it is."""
    table = value[:, np.newaxis] if value.ndim == 1 else value
    return Matrix((table.shape[0], table.shape[1]), table, "adjoint")


def _latex(target: str) -> str:
    r"""Return the left side of a line of code as a formula.

    >>> _latex("delta[2]"), _latex("g"), _latex("dA[0]")
    ('\\delta_{2}', 'g', '\\mathrm{dA}_{0}')
    """
    name, _, index = target.partition("[")
    stem = {"delta": r"\delta", "g": "g"}.get(name, rf"\mathrm{{{name}}}")
    return rf"{stem}_{{{index[:-1]}}}" if index else stem


def _spoken(array: NDArray[Any]) -> str:
    if array.size > SPOKEN:
        return " × ".join(f"{n:,}" for n in array.shape) + " numbers"
    return numbers.words(array)

"""Where the transpose comes from: each step back as a Jacobian and as code, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backprop_nb import display
from backprop_nb.network import jacobians
from backprop_nb.network.jacobians import Jacobian, derivative_text
from backprop_nb.network.passes import sigma_slope
from backprop_nb.network.tables import (
    matrix_latex,
    matrix_text,
    prose,
    residual_text,
    wrapped,
)
from backprop_nb.network.validation import FloatArray
from backprop_nb.tracing.emit.notation import derivative_to_latex

WIDE = 9
"""So many numbers side by side are too wide for half a window."""

INTRODUCTION = (
    "In the chain rule the derivative so far is a row, g, and the next Jacobian stands on its "
    "right. In code g is a plain vector, which NumPy takes for a column where a matrix stands "
    "on its left. Both hold the same numbers."
)

# Why the code may leave the Jacobian out, one sentence for each kind of step.
WHY_START = "L is one number, so its derivative is one row; the code keeps it as a vector."
WHY_SLOPES = (
    "Each entry of f has to do with its own z only, so the Jacobian is diagonal, and a row times "
    "a diagonal matrix multiplies entry by entry."
)
WHY_TRANSPOSE = (
    "Here is the transpose: a row times a matrix is the transposed matrix times the column, "
    "(g A)ᵀ = Aᵀ gᵀ."
)
WHY_OUTER = (
    "Entry r of z has to do with row r of A only, so all but one block of each row is zero. What "
    "is left, g_r times f_c, is an outer product, in the shape of A at once."
)
WHY_BIAS = "The bias is added to z as it is, so the Jacobian is the identity."


@dataclass(frozen=True, eq=False, repr=False)
class TransposeStep:
    """One step back, as a row times a Jacobian and as the code that does the same.

    Attributes
    ----------
    factor : Jacobian
        The Jacobian, in numerator layout.
    before : array of shape (1, number of the Jacobian's rows)
        The row g that meets it.
    target, code : str
        The code: the name that is assigned, and the expression.
    value : array
        What the code gives.
    why : str
        Why both are the same.
    transposed : bool
        Whether the code multiplies by the transposed Jacobian.
    """

    factor: Jacobian
    before: FloatArray
    target: str
    code: str
    value: FloatArray
    why: str
    transposed: bool = False

    @property
    def jacobian(self) -> FloatArray:
        """The matrix of ``factor``."""
        return self.factor.matrix

    @cached_property
    def row(self) -> FloatArray:
        """The row g times the Jacobian, of shape (1, number of its columns)."""
        return self.before @ self.jacobian

    @property
    def difference(self) -> float:
        """The largest difference between an entry of ``row`` and the same entry of ``value``."""
        return float(np.max(np.abs(self.row.ravel() - self.value.ravel())))

    @property
    def statement(self) -> str:
        """The line of code, such as ``g = A[1].T @ delta[2]``."""
        return f"{self.target} = {self.code}"

    def __repr__(self) -> str:
        return f"<TransposeStep {self.factor.symbol}: {self.statement}>"

    def __str__(self) -> str:
        return self.describe()

    def describe(self) -> str:
        """Return the step as text: row, Jacobian, product, code, value, difference."""
        return "\n".join(
            [
                f"{self.factor.symbol}, of shape {self.factor.shape}",
                *_block("row g", self.before),
                *_block("Jacobian", self.jacobian),
                *_block("product", self.row),
                f"  code      {self.statement}",
                *(_block("transpose", self.jacobian.T) if self.transposed else []),
                *_block("value", self.value),
                f"  {self._compared()}",
                wrapped(self.why, indent="  "),
            ]
        )

    def _repr_markdown_(self) -> str:
        return "\n\n".join(
            [
                rf"$\displaystyle {self.factor.latex}$, of shape {self.factor.shape}",
                self._product_latex(),
                f"`{self.statement}` gives",
                f"$${self._value_latex()}$$",
                prose(f"{self._compared()} {self.why}"),
            ]
        )

    def _product_latex(self) -> str:
        """Return the row times the Jacobian, in two lines where one is wide for a narrow window."""
        row, jacobian, product = map(matrix_latex, (self.before, self.jacobian, self.row))
        numbers = self.before.size + 2 * self.row.size
        if numbers < WIDE:
            return f"$${row} {jacobian} = {product}$$"
        lines = rf"& {row} {jacobian} \\[1ex] & = {product}"
        return rf"$$\begin{{aligned}} {lines} \end{{aligned}}$$"

    def _value_latex(self) -> str:
        """Return what the code gives; where it transposes, as a matrix times a column."""
        if not self.transposed:
            return matrix_latex(self.value)
        columns = map(matrix_latex, (self.jacobian.T, self.before.T, self.value[:, np.newaxis]))
        return "{} {} = {}".format(*columns)

    def _compared(self) -> str:
        return f"Largest difference: {residual_text(self.difference, self.value.dtype)}."


@dataclass(frozen=True, eq=False, repr=False)
class Transposes:
    """The steps from the loss back to θ_i, each as a Jacobian and as code.

    Made by :meth:`backprop_nb.network.chain.Chain.transposes`.

    Attributes
    ----------
    i : int
        Which θ_i.
    widths : tuple of int
        Those of the network.
    steps : tuple of TransposeStep
        From the output down to layer i + 1, then into A_i and b_i.
    """

    i: int
    widths: tuple[int, ...]
    steps: tuple[TransposeStep, ...]

    @property
    def code(self) -> str:
        """The coded steps as lines that run, given ``A, f, z, y`` and ``sigma_prime``."""
        made = ["delta, dA, db = {}, {}, {}"]
        return "\n".join(made + [step.statement for step in self.steps])

    @property
    def difference(self) -> float:
        """The largest difference of any step."""
        return float(np.max([step.difference for step in self.steps]))

    def __repr__(self) -> str:
        symbol = derivative_text("L", f"θ_{self.i}")
        return f"<Transposes of {symbol}: {len(self.steps)} steps, widths {self.widths}>"

    def __str__(self) -> str:
        return self.describe()

    def describe(self) -> str:
        """Return all steps as text."""
        head = f"Where the transpose comes from: {derivative_text('L', f'θ_{self.i}')}, "
        head += f"widths {self.widths}"
        steps = [f"{n}. {step.describe()}" for n, step in enumerate(self.steps, 1)]
        return "\n\n".join([display.folded([head]), wrapped(INTRODUCTION), *steps])

    def _repr_markdown_(self) -> str:
        symbol = derivative_to_latex("L", f"θ_{self.i}")
        head = rf"**Where the transpose comes from:** $\displaystyle {symbol}$, "
        head += f"widths {self.widths}"
        steps = [f"**{n}.** {step._repr_markdown_()}" for n, step in enumerate(self.steps, 1)]
        return "\n\n".join([head, prose(INTRODUCTION), *steps])


def transpose_steps(
    A: Sequence[FloatArray], f: Sequence[FloatArray], y: FloatArray, i: int
) -> Iterator[TransposeStep]:
    """Yield the steps from the loss back to θ_i, for the f_0, …, f_K of one input.

    >>> A, f = [np.ones((1, 1)), np.ones((1, 1))], [np.ones(1)] * 3
    >>> for step in transpose_steps(A, f, np.zeros(1), 0):
    ...     print(step.statement)
    g = 2 * (f[2] - y)
    delta[2] = g * sigma_prime(z[2])
    g = A[1].T @ delta[2]
    delta[1] = g * sigma_prime(z[1])
    dA[0] = np.outer(delta[1], f[0])
    db[0] = delta[1]
    """
    K = len(A)
    g = 2 * (f[K] - y)
    factor, row = jacobians.loss_by_output(f[K], y, K), np.ones((1, 1), g.dtype)
    step = TransposeStep(factor, row, "g", f"2 * (f[{K}] - y)", g, WHY_START)
    yield step
    for j in range(K, i, -1):
        delta = g * sigma_slope(f[j])
        factor, code = jacobians.output_by_preactivation(f[j], j), f"g * sigma_prime(z[{j}])"
        step = TransposeStep(factor, step.row, f"delta[{j}]", code, delta, WHY_SLOPES)
        yield step
        if j > i + 1:
            g = A[j - 1].T @ delta
            factor = jacobians.preactivation_by_input(A[j - 1], j)
            code = f"A[{j - 1}].T @ delta[{j}]"
            step = TransposeStep(factor, step.row, "g", code, g, WHY_TRANSPOSE, True)
            yield step
    # The two last steps turn off into A_i and b_i from the same row.
    factor = jacobians.preactivation_by_weights(f[i], delta.size, i)
    code = f"np.outer(delta[{i + 1}], f[{i}])"
    yield TransposeStep(factor, step.row, f"dA[{i}]", code, np.outer(delta, f[i]), WHY_OUTER)
    factor = jacobians.preactivation_by_bias(delta.size, delta.dtype, i)
    yield TransposeStep(factor, step.row, f"db[{i}]", f"delta[{i + 1}]", delta, WHY_BIAS)


def _block(name: str, array: FloatArray) -> list[str]:
    """Return an array with its name in front of the first line."""
    first, *others = matrix_text(array).splitlines()
    return [f"  {name:<9} {first}", *(f"{'':12}{line}" for line in others)]

"""The matrices of a chain rule, each once and by name, with what a view shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_nb.network.jacobians import Jacobian, derivative_text
from backprop_nb.tracing.emit.notation import derivative_to_latex
from backprop_nb.views import numbers
from backprop_nb.views.chain.matrix_picture import Lengths, matrix_picture
from backprop_nb.views.chain.schema import ChainMatrix
from backprop_nb.views.formula import mathml
from backprop_nb.views.numbers import Scale, fit_scale
from backprop_nb.views.schema import Family, Tensor

BUILT = 2**20
"""So many entries at most has a matrix that is built to be shown: 8 MB in float64."""

READ = 24
"""So many numbers at most are read out with a matrix; the text twin has more."""

Array = NDArray[Any]
Shape = tuple[int, int]


@dataclass(frozen=True)
class Matrix:
    """A matrix that is shown."""

    name: str
    latex: str
    """What it is called."""
    shape: Shape
    """Rows and columns."""
    array: Array | None
    """Its entries, or None where it is too large to be built."""
    family: Family
    """``"adjoint"`` for a derivative of L, else ``"value"``."""
    lit: list[str]
    """The beginnings of the keys of what it has to do with in the network."""
    theta: tuple[int, int, int] | None = None
    """Of a derivative by θ_i: i, n_{i+1} and n_i, so that the columns can be told apart."""
    factor: Jacobian | None = None
    """The factor of the chain that it is, if it is one."""


class Matrices(dict[str, Matrix]):
    """The matrices of a network's chains by name; what adds one returns its name.

    >>> matrices = Matrices((2, 3, 1))
    >>> matrices.derivative("f_2", "θ_1", np.ones((1, 4)))
    '∂f_2/∂θ_1'
    >>> matrices["∂f_2/∂θ_1"].theta
    (1, 1, 3)
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.widths, self.K = widths, len(widths) - 1

    def put(self, name: str, latex: str, array: Array, family: Family, lit: list[str]) -> str:
        """Store a matrix that is no derivative by itself, unless it is there."""
        rows, columns = array.shape
        self.setdefault(name, Matrix(name, latex, (rows, columns), array, family, lit))
        return name

    def derivative(
        self,
        above: str,
        below: str,
        array: Array | None,
        shape: Shape = (0, 0),
        factor: Jacobian | None = None,
    ) -> str:
        """Store ∂above/∂below, unless it is there; one that is not built needs its ``shape``."""
        name, latex = derivative_text(above, below), derivative_to_latex(above, below)
        if name not in self:
            rows, columns = shape if array is None else array.shape
            family: Family = "adjoint" if above == "L" else "value"
            lit = lit_by(above, below, self.K)
            letter, i = _place(below)
            theta = (i, self.widths[i + 1], self.widths[i]) if letter == "θ" else None
            self[name] = Matrix(name, latex, (rows, columns), array, family, lit, theta, factor)
        return name

    def factor(self, factor: Jacobian) -> str:
        """Store a factor, unless it is there."""
        above, below = factor.numerator, factor.denominator
        return self.derivative(above, below, built(factor), factor.shape, factor)

    def scales(self) -> dict[str, Scale]:
        """Return one scale for the derivatives of L and one for all others."""
        arrays: dict[str, list[Array]] = {"value": [], "adjoint": []}
        for matrix in self.values():
            if matrix.array is not None:
                arrays[matrix.family].append(matrix.array)
        return {family: fit_scale(each, log=True) for family, each in arrays.items()}

    def data(self, lengths: Lengths, scales: dict[str, Scale]) -> dict[str, ChainMatrix]:
        """Return all matrices as a view shows them."""
        return {
            name: _data(matrix, lengths, scales[matrix.family]) for name, matrix in self.items()
        }


def built(factor: Jacobian) -> Array | None:
    """Return the matrix of a factor, or None if it is too large to be built here."""
    return factor.matrix if factor.entries <= BUILT else None


def lit_by(above: str, below: str, K: int) -> list[str]:
    """Return the beginnings of the keys of what a derivative has to do with in the network.

    >>> lit_by("f_2", "f_1", 2)
    ['A:1', 'f:1', 'layer:1', 'f:2', 'layer:2']
    >>> lit_by("f_1", "θ_0", 2)
    ['A:0', 'theta:0', 'f:0', 'layer:0', 'f:1', 'layer:1']
    """
    (letter, first), last = _place(below), K if above == "L" else _place(above)[1]
    start = first + (letter == "b")  # a bias has nothing to do with the layer before
    weights = [f"A:{j}" for j in range(start, last)]
    if letter in "Abθ":
        weights.append(f"theta:{first}")
    layers = [key for j in range(start, last + 1) for key in (f"f:{j}", f"layer:{j}")]
    return [*weights, *layers, *(["L"] if above == "L" else [])]


def _place(name: str) -> tuple[str, int]:
    letter, _, index = name.partition("_")
    return letter, int(index)


# --- what a view shows of a matrix --------------------------------------------


def _data(matrix: Matrix, lengths: Lengths, scale: Scale) -> ChainMatrix:
    array, factor = matrix.array, matrix.factor
    picture = matrix_picture(array, matrix.shape, lengths, scale, matrix.family, matrix.theta)
    notes = [_meaning(factor, matrix.theta) if factor else "", _not_built(matrix)]
    return {
        "name": matrix.name,
        "math": mathml(matrix.latex),
        "family": matrix.family,
        "shape": shape_words(matrix.shape),
        "words": f"{matrix.name}, {shape_words(matrix.shape)}: {_entries(array)}",
        "lit": matrix.lit,
        "picture": picture.data(),
        "numbers": None if array is None else _first_entries(array, scale),
        "layout": factor.layout if factor else "",
        "notes": [*filter(None, [*notes, _zeros(factor) if factor else ""])],
    }


def _first_entries(array: Array, scale: Scale) -> Tensor:
    """Return the entries that are shown as numbers; the picture shows all of them."""
    shown = array[: numbers.ROWS, : numbers.COLUMNS]
    return {**numbers.tensor(shown, scale), "shape": numbers.shape_text(array.shape)}


def shape_words(shape: Shape) -> str:
    """Return a shape as ``rows × columns``."""
    return f"{shape[0]:,} × {shape[1]:,}"


def _entries(array: Array | None) -> str:
    """Return the numbers of a matrix, or of a large one what its heat map shows.

    >>> _entries(np.array([[1.0, -2.0]])), _entries(np.eye(6))
    ('[1, −2]', 'from 0 to 1, 30 of 36 are zeros')
    """
    if array is None:
        return "not built"
    if array.size <= READ:
        return numbers.words(array)
    low, high = numbers.long(float(array.min())), numbers.long(float(array.max()))
    zeros = array.size - int(np.count_nonzero(array))
    return f"from {low} to {high}" + (f", {zeros:,} of {array.size:,} are zeros" if zeros else "")


def _meaning(factor: Jacobian, theta: tuple[int, int, int] | None) -> str:
    above, below = factor.numerator, factor.denominator
    if above == "L":
        return f"Column c says how L changes with entry c of {below}."
    parts = f", A_{theta[0]} row by row, then b_{theta[0]}" if theta else ""
    return f"Row r, column c says how entry r of {above} changes with entry c of {below}{parts}."


def _not_built(matrix: Matrix) -> str:
    if matrix.array is not None:
        return ""
    entries = matrix.shape[0] * matrix.shape[1]
    return f"Not built here: {entries:,} entries would fill {bytes_text(8 * entries)} in float64."


def _zeros(factor: Jacobian) -> str:
    """Return how much of ∂f_{i+1}/∂θ_i is zero whatever the numbers are."""
    zeros = forced_zeros(factor)
    if not zeros:
        return ""
    share = 100 * zeros / factor.entries
    return (
        f"{zeros:,} of its {factor.entries:,} entries, {share:.3g} %, are zeros: entry r of "
        f"{factor.numerator} has to do with row r of A and entry r of b only."
    )


def forced_zeros(factor: Jacobian) -> int:
    """Return how many entries of a factor of the chain are zeros because of the shapes alone."""
    return factor.entries - factor.shape[1] if factor.denominator.startswith("θ") else 0


def bytes_text(count: int) -> str:
    """Return a size in memory.

    >>> bytes_text(280), bytes_text(103_000_000)
    ('280 bytes', '103 MB')
    """
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"

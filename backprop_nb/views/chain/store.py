"""The matrices of a chain rule, each once and by name, with what a view tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_nb.network.factors import Factor, derivative_latex, derivative_text
from backprop_nb.views import numbers
from backprop_nb.views.chain.matrix_picture import Lengths, Matrix, matrix_picture
from backprop_nb.views.formula import mathml
from backprop_nb.views.numbers import Scale, fit_scale

BUILT = 2**20
"""So many entries at most has a matrix that is built to be shown: 8 MB in float64."""

READ = 24
"""So many numbers at most are read out with a matrix; the text twin has more."""

Theta = tuple[int, int, int]
"""Of a derivative by θ_i: i, n_{i+1} and n_i."""


@dataclass
class Shelf:
    """The matrices that are shown, each once, by name."""

    K: int
    held: dict[str, tuple[Matrix, dict[str, Any]]] = field(default_factory=dict)

    def put(self, name: str, latex: str, matrix: Matrix, lit: list[str], **more: Any) -> str:
        """Keep a matrix, unless it is there, and return its name."""
        if name not in self.held:
            about = {"name": name, "latex": latex, "lit": lit, "family": matrix.family}
            self.held[name] = matrix, about | more
        return name

    def derivative(
        self, above: str, below: str, shape: tuple[int, int], array: NDArray[Any] | None,
        **more: Any,
    ) -> str:  # fmt: skip
        """Keep ∂above/∂below and return its name."""
        family = "adjoint" if above == "L" else "value"
        theta = more.pop("theta", None)
        return self.put(
            derivative_text(above, below),
            derivative_latex(above, below),
            Matrix(shape, array, family, theta),
            lit_by(above, below, self.K),
            **more,
        )

    def scales(self) -> dict[str, Scale]:
        """Return one scale for the derivatives of L and one for all others."""
        return {
            family: fit_scale(
                (
                    matrix.array
                    for matrix, _ in self.held.values()
                    if matrix.family == family and matrix.array is not None
                ),
                log=True,
            )
            for family in ("value", "adjoint")
        }

    def data(
        self, lengths: Lengths, scales: dict[str, Scale], *, all_numbers: bool = True
    ) -> dict[str, Any]:
        """Return all matrices as plain data; their numbers in full, or those of factors only."""
        return {
            name: about
            | {
                "math": mathml(about["latex"]),
                "shape": shape_words(matrix.shape),
                "words": _words(name, matrix),
                "picture": matrix_picture(matrix, lengths, scales[matrix.family]).data(),
                "numbers": _numbers(matrix, scales) if all_numbers or "layout" in about else None,
                "note": _note(matrix),
            }
            for name, (matrix, about) in self.held.items()
        }


def keep_factor(factor: Factor, shelf: Shelf, theta: Theta | None = None) -> str:
    """Keep a factor; ``theta`` says which columns of a derivative by θ_i are whose."""
    above, below = factor.numerator, factor.denominator
    theta = theta if below.startswith("θ") else None
    of_below = f"{below}, A_{theta[0]} row by row, then b_{theta[0]}" if theta else below
    meaning = (
        f"Column c says how L changes with entry c of {below}."
        if above == "L"
        else f"Row r, column c says how entry r of {above} changes with entry c of {of_below}."
    )
    array = built(factor)
    return shelf.derivative(
        above, below, factor.shape, array,
        theta=theta,
        layout=factor.layout,
        meaning=meaning,
        zeros=_zeros(factor),
    )  # fmt: skip


def shape_words(shape: tuple[int, int]) -> str:
    """Return a shape as ``rows × columns``."""
    return f"{shape[0]:,} × {shape[1]:,}"


def _words(name: str, matrix: Matrix) -> str:
    """Return what a screen reader says of a matrix."""
    return f"{name}, {shape_words(matrix.shape)}: {_entries(matrix.array)}"


def _entries(array: NDArray[Any] | None) -> str:
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


def built(factor: Factor) -> NDArray[Any] | None:
    """Return the matrix of a factor, or None if it is too large to be built here."""
    return factor.matrix if factor.entries <= BUILT else None


def _numbers(matrix: Matrix, scales: dict[str, Scale]) -> dict[str, Any] | None:
    """Return the first entries in four digits, for the panel of one matrix."""
    if matrix.array is None:
        return None
    tensor = numbers.tensor(matrix.array, scales[matrix.family])
    return {key: tensor[key] for key in ("rows", "columns", "long", "heat", "omitted", "shape")}


def _note(matrix: Matrix) -> str:
    """Return why a matrix is not there, if it is not."""
    if matrix.array is not None:
        return ""
    entries = matrix.shape[0] * matrix.shape[1]
    return f"Not built here: {entries:,} entries would fill {bytes_text(8 * entries)} in float64."


def _zeros(factor: Factor) -> str:
    """Return how much of ∂f_{i+1}/∂θ_i is zero whatever the numbers are."""
    zeros = forced_zeros(factor)
    if not zeros:
        return ""
    share = 100 * zeros / factor.entries
    return (
        f"{zeros:,} of its {factor.entries:,} entries, {share:.3g} %, are zeros: entry r of "
        f"{factor.numerator} has to do with row r of A and entry r of b only."
    )


def forced_zeros(factor: Factor) -> int:
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

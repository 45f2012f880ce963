"""The Jacobians of the document's network, each built only when somebody looks at it.

All are in numerator layout: one row for each number above the fraction line,
one column for each number below it.  The loss L is one number, so its
derivative is a single row.  θ_i is A_i row by row, then b_i.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from backprop_nb.errors import InvalidValueError
from backprop_nb.network.passes import sigma_slope
from backprop_nb.network.validation import FloatArray
from backprop_nb.tracing.emit.notation import derivative_to_latex

MAX_ENTRIES = 2**27
"""How many entries a Jacobian may have to be built: 1.1 GB in float64."""


@dataclass(frozen=True, eq=False, repr=False)
class Jacobian:
    """One Jacobian of the chain rule, in numerator layout.

    Its name, its shape and its layout cost nothing; the numbers are computed
    when ``matrix`` is first asked for, and stored.

    Attributes
    ----------
    numerator, denominator : str
        What is differentiated, and with respect to what: ``"f_3"``, ``"f_2"``.
    shape : tuple of int
        (numbers above the fraction line, numbers below it).
    dtype : numpy.dtype
        That of the parameters.
    layout : str
        What stands in row r and column c.

    Examples
    --------
    >>> factor = output_by_input(np.array([[1.0, 2.0]]), np.array([0.5]), 2)
    >>> factor
    <Jacobian ∂f_2/∂f_1, shape (1, 2)>
    >>> factor.layout
    '[r, c] = σ′(z_2)_r (A_1)_rc'
    >>> factor.matrix
    array([[0.25, 0.5 ]])
    """

    numerator: str
    denominator: str
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    layout: str
    build: Callable[[], FloatArray]

    @property
    def symbol(self) -> str:
        """Its name as plain text, such as ``∂f_3/∂f_2``."""
        return derivative_text(self.numerator, self.denominator)

    @property
    def latex(self) -> str:
        """Its name as LaTeX."""
        return derivative_to_latex(self.numerator, self.denominator)

    @property
    def entries(self) -> int:
        """How many numbers the matrix holds, zeros included."""
        return self.shape[0] * self.shape[1]

    @cached_property
    def matrix(self) -> FloatArray:
        """The Jacobian, an array that cannot be written to.

        Raises
        ------
        InvalidValueError
            It would have more than ``MAX_ENTRIES`` entries.
        """
        check_size(self.symbol, self.shape, self.dtype)
        matrix = self.build()
        matrix.flags.writeable = False
        return matrix

    def __repr__(self) -> str:
        return f"<Jacobian {self.symbol}, shape {self.shape}>"


def check_size(symbol: str, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
    """Raise ``InvalidValueError`` if a matrix is too large to be built."""
    entries = shape[0] * shape[1]
    if entries > MAX_ENTRIES:
        raise InvalidValueError(
            f"{symbol} would fill {entries * dtype.itemsize / 1e9:,.1f} GB, so it is not built.",
            given=f"shape {shape}, {entries:,} entries",
            expected=f"at most {MAX_ENTRIES:,} entries",
            instead="net.backward(x, y), which finds the gradient without any Jacobian",
        )


# --- names ------------------------------------------------------------------


def derivative_text(numerator: str, denominator: str) -> str:
    """Return the symbol of a derivative as plain text.

    >>> derivative_text("f_3", "f_2")
    '∂f_3/∂f_2'
    """
    return f"∂{numerator}/∂{denominator}"


# --- the factors of equation [chain-general] --------------------------------


def loss_by_output(f: FloatArray, y: FloatArray, K: int) -> Jacobian:
    """Return ∂L/∂f_K, from equation [loss].

    >>> loss_by_output(np.array([0.5, 0.5]), np.array([1.0, 0.0]), 2).matrix
    array([[-1.,  1.]])
    """
    row = (2 * (f - y))[np.newaxis]
    layout = f"[0, c] = 2 (f_{K} − y)_c"
    return Jacobian("L", f"f_{K}", (1, f.size), f.dtype, layout, row.copy)


def output_by_input(A: FloatArray, f: FloatArray, j: int) -> Jacobian:
    """Return ∂f_j/∂f_{j−1} = diag(σ′(z_j)) A_{j−1}, from A_{j−1} and f_j: equation [layer].

    >>> output_by_input(np.array([[1.0, 2.0]]), np.array([0.5]), 2).matrix
    array([[0.25, 0.5 ]])
    """
    layout = f"[r, c] = σ′(z_{j})_r (A_{j - 1})_rc"
    build = partial(np.multiply, sigma_slope(f)[:, np.newaxis], A)  # without the zeros of diag
    return Jacobian(f"f_{j}", f"f_{j - 1}", (f.size, A.shape[1]), A.dtype, layout, build)


def output_by_parameters(f_in: FloatArray, f_out: FloatArray, i: int) -> Jacobian:
    """Return ∂f_{i+1}/∂θ_i, from f_i and f_{i+1}: the columns of A_i row by row, then those of b_i.

    Entry r of f_{i+1} has to do with row r of A_i and entry r of b_i only.  So

    - ∂f_{i+1}/∂A_i has [r, r′ n_i + c] = σ′(z_{i+1})_r (f_i)_c if r = r′, else 0;
    - ∂f_{i+1}/∂b_i, to the right of it, has [r, r′] = σ′(z_{i+1})_r if r = r′, else 0.

    >>> f_0, f_1 = np.array([1.0, 2.0]), np.array([0.5, 0.5])
    >>> output_by_parameters(f_0, f_1, 0).matrix
    array([[0.25, 0.5 , 0.  , 0.  , 0.25, 0.  ],
           [0.  , 0.  , 0.25, 0.5 , 0.  , 0.25]])
    """
    n_in, n_out = f_in.size, f_out.size
    layout = (
        f"[r, {n_in} r′ + c] = σ′(z_{i + 1})_r (f_{i})_c if r = r′, else 0; "
        f"then [r, {n_out * n_in} + r′] = σ′(z_{i + 1})_r if r = r′, else 0"
    )
    shape = n_out, n_out * n_in + n_out
    build = partial(_unit_by_unit, f_in, sigma_slope(f_out))
    return Jacobian(f"f_{i + 1}", f"θ_{i}", shape, f_out.dtype, layout, build)


def _unit_by_unit(f: FloatArray, slope: FloatArray) -> FloatArray:
    n_in, n_out = f.size, slope.size
    matrix = np.zeros((n_out, n_out * n_in + n_out), slope.dtype)
    for r in range(n_out):
        matrix[r, r * n_in : (r + 1) * n_in] = slope[r] * f  # row r of A_i
        matrix[r, n_out * n_in + r] = slope[r]  # entry r of b_i
    return matrix


# --- the same in smaller steps, through z -----------------------------------


def output_by_preactivation(f: FloatArray, j: int) -> Jacobian:
    """Return ∂f_j/∂z_j = diag(σ′(z_j)), from f_j.

    >>> output_by_preactivation(np.array([0.5, 0.0]), 1).matrix
    array([[0.25, 0.  ],
           [0.  , 0.  ]])
    """
    layout = f"[r, c] = σ′(z_{j})_r if r = c, else 0"
    build = partial(np.diag, sigma_slope(f))
    return Jacobian(f"f_{j}", f"z_{j}", (f.size, f.size), f.dtype, layout, build)


def preactivation_by_input(A: FloatArray, j: int) -> Jacobian:
    """Return ∂z_j/∂f_{j−1}, which is A_{j−1}."""
    layout = f"[r, c] = (A_{j - 1})_rc"
    return Jacobian(f"z_{j}", f"f_{j - 1}", (len(A), A.shape[1]), A.dtype, layout, A.copy)


def preactivation_by_weights(f: FloatArray, n_out: int, i: int) -> Jacobian:
    """Return ∂z_{i+1}/∂A_i, with A_i row by row, from f_i.

    >>> preactivation_by_weights(np.array([3.0, 4.0]), 2, 0).matrix
    array([[3., 4., 0., 0.],
           [0., 0., 3., 4.]])
    """
    layout = f"[r, {f.size} r′ + c] = (f_{i})_c if r = r′, else 0"
    shape, build = (n_out, n_out * f.size), partial(_rows_of, f, n_out)
    return Jacobian(f"z_{i + 1}", f"A_{i}", shape, f.dtype, layout, build)


def _rows_of(f: FloatArray, n_out: int) -> FloatArray:
    return np.kron(np.eye(n_out, dtype=f.dtype), f)


def preactivation_by_bias(n_out: int, dtype: np.dtype[Any], i: int) -> Jacobian:
    """Return ∂z_{i+1}/∂b_i, the identity."""
    build = partial(np.eye, n_out, dtype=dtype)
    layout = "[r, c] = 1 if r = c, else 0"
    return Jacobian(f"z_{i + 1}", f"b_{i}", (n_out, n_out), dtype, layout, build)

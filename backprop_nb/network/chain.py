"""The chain rule for one θ_i, equation [chain-general], as matrices and as their product.

A :class:`Chain` knows the name and the shape of each factor, and what their
product costs from either side, without building a matrix.  So it can be asked
about networks whose Jacobians would not fit into memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import accumulate
from typing import Literal

import numpy as np

from backprop_nb import display
from backprop_nb.meant import Suggesting, one_of
from backprop_nb.network import validation
from backprop_nb.network.jacobians import (
    Jacobian,
    check_size,
    derivative_text,
    loss_by_output,
    output_by_input,
    output_by_parameters,
)
from backprop_nb.network.passes import forward_pass
from backprop_nb.network.tables import Cells, markdown_table, prose, text_table, wrapped
from backprop_nb.network.transposes import Transposes, transpose_steps
from backprop_nb.network.validation import FloatArray
from backprop_nb.tracing.emit.notation import derivative_to_latex

Side = Literal["left", "right"]

MAX_SHOWN = 8
"""How many factors a one-line display has room for."""


@dataclass(frozen=True, eq=False, repr=False)
class PartialProduct:
    """Neighbouring factors multiplied, on the way from one side to the other.

    From the left it is always a derivative of L, a single row; from the right a
    derivative by θ_i, as wide as there are parameters.

    Attributes
    ----------
    factors : tuple of Jacobian
        What has been multiplied so far, in the order of the formula.
    side : "left" or "right"
        Where the multiplication began.
    cost : int
        Multiplications of numbers in the last product of two matrices.
    total : int
        Multiplications of numbers so far.
    """

    factors: tuple[Jacobian, ...]
    side: Side
    cost: int
    total: int

    @property
    def symbol(self) -> str:
        """What it is, by the chain rule: such as ``∂L/∂f_1``."""
        return derivative_text(self.factors[0].numerator, self.factors[-1].denominator)

    @property
    def latex(self) -> str:
        """Its name as LaTeX."""
        return derivative_to_latex(self.factors[0].numerator, self.factors[-1].denominator)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows of the first factor, columns of the last."""
        return self.factors[0].shape[0], self.factors[-1].shape[1]

    @cached_property
    def matrix(self) -> FloatArray:
        """The product; raises ``InvalidValueError`` if it, or a factor, is too large."""
        check_size(self.symbol, self.shape, self.factors[0].dtype)
        matrices = [factor.matrix for factor in self.factors]
        if self.side == "left":
            return reduce(np.matmul, matrices)
        return reduce(lambda product, matrix: matrix @ product, reversed(matrices))

    def __repr__(self) -> str:
        return f"<PartialProduct {self.symbol}, shape {self.shape}, {self.total:,} multiplications>"


@dataclass(frozen=True, eq=False, repr=False)
class Chain(Suggesting):
    """The factors of ∂L/∂θ_i, equation [chain-general], for one input.

    Made by :meth:`backprop_nb.Network.chain`.  It copies what it is made from, so
    later changes of the network do not reach it.

    Attributes
    ----------
    A : tuple of arrays, ``A[j]`` of shape (n_{j+1}, n_j)
    f : tuple of arrays f_0, ..., f_K
    y : array of shape (n_K,)
    i : int
        Which θ_i.

    Examples
    --------
    >>> from backprop_nb import SigmoidNetwork
    >>> chain = SigmoidNetwork((2, 3, 2), seed=0).chain([1, 2], [0, 1], 0)
    >>> chain
    <Chain ∂L/∂θ_0 = ∂L/∂f_2 · ∂f_2/∂f_1 · ∂f_1/∂θ_0, widths (2, 3, 2)>
    >>> [factor.shape for factor in chain.factors]
    [(1, 2), (2, 3), (3, 9)]
    >>> chain.product().shape, chain.cost_from_left, chain.cost_from_right
    ((1, 9), 33, 72)
    """

    A: tuple[FloatArray, ...]
    f: tuple[FloatArray, ...]
    y: FloatArray
    i: int

    @property
    def K(self) -> int:
        """The number of layers of the network."""
        return len(self.A)

    @property
    def widths(self) -> tuple[int, ...]:
        """The widths of the network."""
        return tuple(f_j.size for f_j in self.f)

    @property
    def symbol(self) -> str:
        """The left side, such as ``∂L/∂θ_0``."""
        return derivative_text("L", f"θ_{self.i}")

    @property
    def latex(self) -> str:
        """The left side as LaTeX."""
        return derivative_to_latex("L", f"θ_{self.i}")

    @cached_property
    def factors(self) -> tuple[Jacobian, ...]:
        """∂L/∂f_K, ∂f_K/∂f_{K−1}, …, ∂f_{i+2}/∂f_{i+1}, ∂f_{i+1}/∂θ_i, in this order."""
        K, i, A, f = self.K, self.i, self.A, self.f
        return (
            loss_by_output(f[K], self.y, K),
            *(output_by_input(A[j - 1], f[j], j) for j in range(K, i + 1, -1)),
            output_by_parameters(f[i], f[i + 1], i),
        )

    # --- the product ------------------------------------------------------------

    def product(self) -> FloatArray:
        """Return ∂L/∂θ_i, the product of the factors: a row, of shape (1, numbers in θ_i).

        Raises
        ------
        InvalidValueError
            A factor is too large to be built.
        """
        return self.partial_products("left")[-1].matrix

    def gradient(self) -> tuple[FloatArray, FloatArray]:
        """Return ∂L/∂A_i and ∂L/∂b_i: the product, in the shapes of A_i and b_i.

        Raises
        ------
        InvalidValueError
            A factor is too large to be built.

        Examples
        --------
        >>> from backprop_nb import SigmoidNetwork
        >>> net = SigmoidNetwork((2, 3, 2), seed=0)
        >>> dA, db = net.chain([1, 2], [0, 1], 0).gradient()
        >>> bool(np.allclose(dA, net.backward([1, 2], [0, 1]).A[0]))
        True
        """
        row, shape = self.product()[0], self.A[self.i].shape
        weights = shape[0] * shape[1]
        return row[:weights].reshape(shape), row[weights:]

    # --- its cost ---------------------------------------------------------------

    @property
    def cost_from_left(self) -> int:
        """Multiplications of numbers if a row meets one matrix after the other."""
        return sum(self._costs("left"))

    @property
    def cost_from_right(self) -> int:
        """Multiplications of numbers if the last two factors are multiplied first, and so on."""
        return sum(self._costs("right"))

    @property
    def cost_of_backward(self) -> int:
        """Multiplications that ``net.backward`` needs in place of these products.

        One product of A_jᵀ and a vector for each factor in the middle, and an
        outer product at the end.  The slopes σ′ are counted nowhere here: the
        Jacobians have them in already.
        """
        middle = sum(factor.entries for factor in self.factors[1:-1])
        return middle + self.A[self.i].size

    def partial_products(self, side: Side = "left") -> tuple[PartialProduct, ...]:
        """Return the products on the way, from the first factor alone to ∂L/∂θ_i.

        Their names, shapes and costs are there without building a matrix.

        Parameters
        ----------
        side : "left" or "right"
            Where the multiplication begins.

        Raises
        ------
        InvalidValueError
            Another side.

        Examples
        --------
        >>> from backprop_nb import SigmoidNetwork
        >>> chain = SigmoidNetwork((2, 3, 2), seed=0).chain([1, 2], [0, 1], 0)
        >>> for product in chain.partial_products("right"):
        ...     print(product.symbol, product.shape, product.cost, product.total)
        ∂f_1/∂θ_0 (3, 9) 0 0
        ∂f_2/∂θ_0 (2, 9) 54 54
        ∂L/∂θ_0 (1, 9) 18 72
        """
        one_of("side", side, ("left", "right"))
        lengths = range(1, len(self.factors) + 1)
        if side == "left":
            multiplied, costs = [self.factors[:n] for n in lengths], self._costs("left")
        else:
            multiplied, costs = [self.factors[-n:] for n in lengths], self._costs("right")[::-1]
        return tuple(
            PartialProduct(factors, side, cost, total)
            for factors, cost, total in zip(multiplied, costs, accumulate(costs), strict=True)
        )

    def _costs(self, side: Side) -> list[int]:
        """Return what it costs to multiply each factor onto the product so far."""
        n_theta = self.factors[-1].shape[1]
        if side == "left":
            return [0, *(factor.entries for factor in self.factors[1:])]
        return [*(factor.entries * n_theta for factor in self.factors[:-1]), 0]

    # --- the way to code --------------------------------------------------------

    def transposes(self) -> Transposes:
        """Return each step back as a row times a Jacobian and as code, with both results.

        Raises
        ------
        InvalidValueError
            A Jacobian is too large to be built.

        Examples
        --------
        >>> from backprop_nb import SigmoidNetwork
        >>> transposes = SigmoidNetwork((2, 3, 2), seed=0).chain([1, 2], [0, 1], 0).transposes()
        >>> transposes.steps[2]
        <TransposeStep ∂z_2/∂f_1: g = A[1].T @ delta[2]>
        >>> transposes.difference < 1e-12
        True
        """
        steps = tuple(transpose_steps(self.A, self.f, self.y, self.i))
        for step in steps:
            check_size(step.factor.symbol, step.factor.shape, step.factor.dtype)
        return Transposes(self.i, self.widths, steps)

    # --- what is to be seen -----------------------------------------------------

    def __repr__(self) -> str:
        symbols = " · ".join(_shortened([factor.symbol for factor in self.factors], "…"))
        return f"<Chain {self.symbol} = {symbols}, widths {self.widths}>"

    def __str__(self) -> str:
        return self.describe()

    def describe(self) -> str:
        """Return the factors as a table: symbol, shape, entries, and cost from either side.

        The cost beside a factor is that of multiplying it onto the product so
        far.
        """
        symbols = " · ".join(factor.symbol for factor in self.factors)
        head = f"Equation [chain-general], i = {self.i}, widths {self.widths}:"
        table = text_table(self._table([factor.symbol for factor in self.factors]), "<<>>>")
        lines = (display.folded([line]) for line in (head, f"{self.symbol} = {symbols}"))
        return "\n\n".join([*lines, table, wrapped(self._conclusion())])

    def _repr_latex_(self) -> str:
        factors = [
            rf"\underbrace{{{factor.latex}}}_{{{factor.shape[0]} \times {factor.shape[1]}}}"
            for factor in self.factors
        ]
        product = r" \; ".join(_shortened(factors, r"\cdots"))  # else the shapes touch
        return f"$${self.latex} = {product}$$"

    def _repr_markdown_(self) -> str:
        symbols = [rf"$\displaystyle {factor.latex}$" for factor in self.factors]
        table = markdown_table(self._table(symbols), "<<>>>")
        return "\n\n".join([self._repr_latex_(), table, prose(self._conclusion())])

    def _table(self, symbols: Sequence[str]) -> Cells:
        rows: list[tuple[str, ...]] = [
            ("factor", "shape", "entries", "cost from the left", "from the right")
        ]
        left, right = self._costs("left"), self._costs("right")
        for symbol, factor, *costs in zip(symbols, self.factors, left, right, strict=True):
            cells = [f"{cost:,}" if cost else "" for cost in costs]
            rows.append((symbol, str(factor.shape), f"{factor.entries:,}", *cells))
        shape = (1, self.factors[-1].shape[1])
        totals = f"{self.cost_from_left:,}", f"{self.cost_from_right:,}"
        rows.append(("product", str(shape), f"{shape[1]:,}", *totals))
        return rows

    def _conclusion(self) -> str:
        """Return why programs go from the left, and build none of these matrices."""
        left, right, last = self.cost_from_left, self.cost_from_right, self.factors[-1]
        zeros = last.entries - last.shape[1]  # r ≠ r′: what belongs to another unit
        sides = (
            f"From the left there is only a row to carry: {left:,} multiplications. "
            f"From the right it takes {right:,}."
            if left < right
            else f"Two factors have only one product: {left:,} multiplications."
        )
        empty = f"{zeros:,} of the {last.entries:,} entries of {last.symbol} are zeros, and "
        return (
            f"{sides} Programs build none of these matrices: {empty if zeros else ''}"
            f"net.backward finds the same numbers in {self.cost_of_backward:,}."
        )


def make_chain(
    A: Sequence[FloatArray], b: Sequence[FloatArray], x: FloatArray, y: FloatArray, i: object
) -> Chain:
    """Return the chain for θ_i, from arrays that fit; see :meth:`backprop_nb.Network.chain`."""
    validation.check_single(x, y)
    layer = validation.checked_layer(i, len(A))
    f = forward_pass(A, b, x).f
    return Chain(tuple(map(_frozen, A)), tuple(map(_frozen, f)), _frozen(y), layer)


def _frozen(array: FloatArray) -> FloatArray:
    """Return a copy that cannot be written to: all that a chain shows is made from it."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _shortened(texts: list[str], ellipsis: str) -> list[str]:
    if len(texts) <= MAX_SHOWN:
        return texts
    return [*texts[: MAX_SHOWN // 2], ellipsis, *texts[-MAX_SHOWN // 2 :]]

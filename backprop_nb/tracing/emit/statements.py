"""A program as statements: which expression gets a line, its name, and the step it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_nb.tracing.emit.algebra import Operand
from backprop_nb.tracing.emit.expression import Notation, Printed, atom, print_form
from backprop_nb.tracing.emit.program import Program
from backprop_nb.tracing.graph import Node
from backprop_nb.tracing.rules.row import Binding, typed


@dataclass(frozen=True, slots=True)
class Statement:
    """One line, ``name = text``.

    Attributes
    ----------
    index
        The position of its expression.
    through
        On the way back, the forward statements that the gradient came through.
    """

    index: int
    name: str
    text: str
    through: tuple[str, ...] = ()


class Printer:
    """Prints the expressions of a program; those that have a name become statements.

    Parameters
    ----------
    program
        What to print.
    names
        How each expression that has a name is written.
    notation
        Which of the rows' two forms to use.
    number
        How literals print.
    """

    def __init__(
        self,
        program: Program,
        names: Mapping[int, str],
        notation: Notation,
        number: Callable[[Any], str],
    ) -> None:
        self._program = program
        self._names = names
        self._notation: Notation = notation
        self._number = number
        self._printed: dict[int, Printed] = {}
        self._forward: dict[int, str] = {}
        statements = list(self._statements())
        self.forward = [s for s in statements if s.index < program.turn]
        self.backward = [s for s in statements if s.index >= program.turn]

    def text(self, operand: Operand) -> str:
        """Return a literal, the name of an expression, or the expression itself."""
        return self._print(operand)[0]

    def _print(self, operand: Operand) -> Printed:
        if isinstance(operand, int):
            return self._printed[operand]
        return atom(self._number(operand.number))

    def _statements(self) -> Iterator[Statement]:
        for index in self._program.needed:
            name = self._names.get(index)
            if name is not None:
                self._printed[index] = (name, Binding.ATOM)
            if self._program.expressions[index].row is None:
                continue
            printed = self._call(index)
            if name is None:
                self._printed[index] = printed
                continue
            self._forward[index] = f"{name} = {printed[0]}"
            node = self._program.adjoint_of.get(index)
            through = () if node is None else self.through(node)
            yield Statement(index, name, printed[0], through)

    def _call(self, index: int) -> Printed:
        expression = self._program.expressions[index]
        assert expression.row is not None  # leaves have no call
        operands = expression.operands
        with_number = any(self._program.algebra.shape(operand) == () for operand in operands)
        return print_form(
            expression.row,
            [self._operand(index, operand) for operand in operands],
            expression.keywords,
            self._notation,
            with_number,
        )

    def _operand(self, index: int, operand: Operand) -> Printed:
        """Return an operand; a number takes the type of its result where NumPy would not give it.

        Beside an array an element-wise function makes a plain number fit; elsewhere,
        as in ``np.broadcast_to(1, (3,))``, the number alone decides.
        """
        if isinstance(operand, int) or self._notation == "latex" or self._is_fitted(index):
            return self._print(operand)
        expression = self._program.expressions[index]
        return typed(operand.number, expression.value.dtype), Binding.ATOM

    def _is_fitted(self, index: int) -> bool:
        """Whether a plain number is right as it is: the learner wrote it, or an array fits it."""
        if index < self._program.turn:
            return True
        expression = self._program.expressions[index]
        function = expression.row.function if expression.row else None
        if not (isinstance(function, np.ufunc) or function is np.where):
            return False
        places = (operand for operand in expression.operands if isinstance(operand, int))
        beside = {self._program.expressions[place].value.dtype for place in places}
        return expression.value.dtype in beside or expression.value.dtype == bool

    def through(self, node: Node) -> tuple[str, ...]:
        """Return the forward statements through which the gradient of ``node`` came."""
        places = [self._program.forward[user.index] for user in self._program.users(node)]
        texts = (self._forward.get(place) for place in places if isinstance(place, int))
        return tuple(text for text in texts if text)

"""Expressions of a program, made simple as they are made.

The rules of the table are written for every shape and every seed.  Put into one
program they leave traces that no teacher would write: a factor of 1, a minus
before a minus, a number stretched to an array that would stretch by itself.
Here they fall away, and an expression that was made before is found again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_nb.tracing.rules import TABLE, Row


@dataclass(frozen=True, slots=True)
class Literal:
    """A number that stands in the program as it is."""

    number: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """A literal is a number."""
        return ()


Operand = int | Literal
"""The position of an expression, or a literal."""


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """One value: a leaf (``row`` is ``None``) or a call on earlier ones."""

    row: Row | None
    operands: tuple[Operand, ...]
    keywords: Mapping[str, Any]
    value: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        shape: tuple[int, ...] = self.value.shape
        return shape


class Algebra:
    """A growing list of expressions, each written once and in its simplest form."""

    def __init__(self) -> None:
        self.expressions: list[Expression] = []
        self._known: dict[Any, int] = {}

    def leaf(self, value: Any) -> int:
        """Add an input or a constant."""
        return self._append(Expression(None, (), {}, value))

    def call(
        self, row: Row, operands: Sequence[Operand], keywords: Mapping[str, Any], value: Any
    ) -> Operand:
        """Return what stands for a call: something simpler, something known, or a new one."""
        simplify = _SIMPLER.get(row.function)
        if simplify is not None:
            found = simplify(self, operands, value)
            if found is not None:
                return found
            if row.function in _ELEMENTWISE:
                operands = self._unstretched(operands, value.shape)
        return self.keep(row, operands, keywords, value)

    def shape(self, operand: Operand) -> tuple[int, ...]:
        """Return the shape of an operand."""
        return operand.shape if isinstance(operand, Literal) else self.expressions[operand].shape

    def keep(
        self, row: Row, operands: Sequence[Operand], keywords: Mapping[str, Any], value: Any
    ) -> int:
        """Return the expression of a call as it is, the same one for the same call."""
        expression = Expression(row, tuple(operands), keywords, value)
        options = tuple((key, _fingerprint(option)) for key, option in keywords.items())
        key = (row.function, expression.operands, options)
        if key not in self._known:
            self._known[key] = self._append(expression)
        return self._known[key]

    def _append(self, expression: Expression) -> int:
        self.expressions.append(expression)
        return len(self.expressions) - 1

    def _is(self, operand: Operand, function: Callable[..., Any]) -> bool:
        row = None if isinstance(operand, Literal) else self.expressions[operand].row
        return row is not None and row.function is function

    def _is_plain(self, operand: Operand, function: Callable[..., Any]) -> bool:
        """Whether an operand is a call of a function without options."""
        if isinstance(operand, Literal) or not self._is(operand, function):
            return False
        return not self.expressions[operand].keywords

    def _value(self, operand: Operand) -> Any:
        return operand.number if isinstance(operand, Literal) else self.expressions[operand].value

    def _operands(self, operand: Operand) -> tuple[Operand, ...]:
        return () if isinstance(operand, Literal) else self.expressions[operand].operands

    def _stretched(self, operand: Operand) -> Operand | None:
        """Return what ``np.broadcast_to`` stretched, if the operand is such a call."""
        return self._operands(operand)[0] if self._is(operand, np.broadcast_to) else None

    def _unstretched(self, operands: Sequence[Operand], shape: tuple[int, ...]) -> list[Operand]:
        """Leave out a stretching that the other operand brings about anyway."""
        simple = list(operands)
        for k, operand in enumerate(operands):
            inner = self._stretched(operand)
            others = [self.shape(o) for j, o in enumerate(simple) if j != k]
            if inner is not None and shape in others:
                simple[k] = inner
        return simple

    def _number(self, operand: Operand) -> Any:
        """Return the number that an operand is, everywhere, or ``None``."""
        inner = self._stretched(operand)
        operand = operand if inner is None else inner
        return operand.number if isinstance(operand, Literal) else None

    def _like(self, operand: Operand, value: Any) -> bool:
        """Whether an operand has the shape and the type of ``value``."""
        if isinstance(operand, Literal):
            return bool(value.shape == ())
        held = self.expressions[operand].value
        return bool(held.shape == value.shape and held.dtype == value.dtype)

    # -- what is simpler -----------------------------------------------------

    def _multiply(self, operands: Sequence[Operand], value: Any) -> Operand | None:
        for number, other in ((0, 1), (1, 0)):
            factor, rest = self._number(operands[number]), operands[other]
            if factor is None or not self._like(rest, value):
                continue
            return self._times(factor, rest, value)
        return None

    def _times(self, factor: Any, rest: Operand, value: Any) -> Operand:
        """Return a number times an operand of the same shape."""
        if isinstance(rest, Literal):
            return Literal(factor * rest.number)
        if self._is(rest, np.multiply):
            first, second = self._operands(rest)
            if isinstance(first, Literal):
                return self._times(factor * first.number, second, value)
        inner = self._stretched(rest)
        if isinstance(inner, Literal):
            stretched = self.expressions[rest]
            return self.keep(
                TABLE[np.broadcast_to], (Literal(factor * inner.number),), stretched.keywords, value
            )
        if factor == 1 and self._like(rest, value):
            return rest
        if factor == -1:
            return self.call(TABLE[np.negative], (rest,), {}, value)
        return self.keep(TABLE[np.multiply], (Literal(factor), rest), {}, value)

    def _negative(self, operands: Sequence[Operand], value: Any) -> Operand | None:
        (operand,) = operands
        if self._is(operand, np.negative):
            return self._operands(operand)[0]
        first = self._operands(operand)[:1]
        scaled = self._is(operand, np.multiply) and isinstance(first[0], Literal)
        if self._number(operand) is not None or scaled:
            return self._times(-1, operand, value)
        return None

    def _transpose(self, operands: Sequence[Operand], value: Any) -> Operand | None:
        (operand,) = operands
        if value.ndim < 2:
            return operand
        if self._is_plain(operand, np.transpose):
            return self._operands(operand)[0]
        if value.ndim == 2 and self._is(operand, np.matmul):
            left, right = self._operands(operand)
            if self._is_plain(left, np.transpose):  # (xᵀ d)ᵀ = dᵀ x
                swapped = self.call(TABLE[np.transpose], (right,), {}, self._value(right).T)
                return self.keep(TABLE[np.matmul], (swapped, self._operands(left)[0]), {}, value)
        return None

    def _divide(self, operands: Sequence[Operand], value: Any) -> Operand | None:
        first, second = operands
        if isinstance(first, Literal) and isinstance(second, Literal):
            return Literal(first.number / second.number)
        return None

    def _same_shape(self, operands: Sequence[Operand], value: Any) -> Operand | None:
        """Leave out a change of shape that changes nothing, or that only makes room."""
        if self.shape(operands[0]) == value.shape:
            return operands[0]
        inner = operands[0] if isinstance(operands[0], Literal) else self._stretched(operands[0])
        if isinstance(inner, Literal):
            return self.keep(TABLE[np.broadcast_to], (inner,), {"shape": value.shape}, value)
        return None

    def _nothing(self, operands: Sequence[Operand], value: Any) -> Operand | None:
        return None


_Simplify = Callable[[Algebra, Sequence[Operand], Any], Operand | None]

_ELEMENTWISE = frozenset({np.add, np.subtract, np.multiply, np.true_divide, np.power})

_SIMPLER: dict[Callable[..., Any], _Simplify] = {
    np.multiply: Algebra._multiply,
    np.negative: Algebra._negative,
    np.transpose: Algebra._transpose,
    np.broadcast_to: Algebra._same_shape,
    np.reshape: Algebra._same_shape,
    np.ravel: Algebra._same_shape,
    np.expand_dims: Algebra._same_shape,
    np.true_divide: Algebra._divide,
} | dict.fromkeys(_ELEMENTWISE - {np.multiply, np.true_divide}, Algebra._nothing)


def _fingerprint(option: Any) -> Any:
    """Return what tells options apart: arrays have no hash, and their text is cut short."""
    if isinstance(option, tuple | list):
        return tuple(map(_fingerprint, option))
    if isinstance(option, np.ndarray):
        return option.shape, option.dtype.str, option.tobytes()
    return repr(option)

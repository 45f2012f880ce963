"""Expressions of a program, made simple as they are made.

The rules of the table are written for every shape and every seed.  Put into one
program they leave traces that no teacher would write: a factor of 1, a minus
before a minus, a number stretched to an array that would stretch by itself.
Here they fall away, and an expression that was made before is found again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop_nb.tracing.rules import TABLE, Row
from backprop_nb.tracing.rules.adding import added_at, count_of_values


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """One value: a number, a leaf, or a call on other expressions.

    Attributes
    ----------
    value
        What it computes; for a number the number itself.
    position
        Where it stands in the program; a number, which stands in no line, has -1.
    row, operands, keywords
        The call; a number and a leaf, which is an input or an array, have no row.
    """

    value: Any
    position: int = -1
    row: Row | None = None
    operands: tuple[Expression, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_number(self) -> bool:
        """Whether it is written as a number."""
        return self.position < 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return np.shape(self.value)

    def calls(self, function: Callable[..., Any]) -> bool:
        """Whether it is a call of a function."""
        return self.row is not None and self.row.function is function

    @property
    def is_statement(self) -> bool:
        """Whether it takes lines of its own, as an assignment in place does."""
        return self.row is not None and self.row.statement is not None

    @property
    def unstretched(self) -> Expression:
        """What ``np.broadcast_to`` stretched, or the expression itself."""
        return self.operands[0] if self.calls(np.broadcast_to) else self


class Algebra:
    """A growing list of expressions, each written once and in its simplest form."""

    def __init__(self) -> None:
        self.expressions: list[Expression] = []
        self._known: dict[Any, Expression] = {}

    def leaf(self, value: Any) -> Expression:
        """Add an input or a constant."""
        return self._add(value)

    def call(
        self, row: Row, operands: Sequence[Expression], keywords: Mapping[str, Any], value: Any
    ) -> Expression:
        """Return what stands for a call: something simpler, something known, or a new one."""
        simplify = _SIMPLER.get(row.function)
        found = simplify(self, *operands, value) if simplify else None
        if found is not None:
            return found
        if row.function in _STRETCHING:
            operands = _without_stretching(operands, value.shape)
        elif row.function is added_at:  # what is added in place stretches by itself
            first, count = int(keywords["shape"] is None), count_of_values(keywords)
            values = [each.unstretched for each in operands[first:count]]
            operands = [*operands[:first], *values, *operands[count:]]
        return self.store(row, operands, keywords, value)

    def store(
        self, row: Row, operands: Sequence[Expression], keywords: Mapping[str, Any], value: Any
    ) -> Expression:
        """Return the expression of a call as it is, the same one for the same call."""
        used = tuple([(each.position, each.position < 0 and each.value) for each in operands])
        options = tuple([(key, fingerprint(option)) for key, option in keywords.items()])
        key = (row.function, used, options)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._add(value, row, tuple(operands), keywords)
        return found

    def _add(self, value: Any, *call: Any) -> Expression:
        self.expressions.append(Expression(value, len(self.expressions), *call))
        return self.expressions[-1]


def fingerprint(option: Any) -> Any:
    """Return what tells options apart: arrays have no hash, and their text is cut short."""
    if isinstance(option, tuple | list):
        return tuple(map(fingerprint, option))
    if isinstance(option, np.ndarray):
        return option.shape, option.dtype.str, option.tobytes()
    return repr(option)


# --- what is simpler ------------------------------------------------------------------


def _without_stretching(
    operands: Sequence[Expression], shape: tuple[int, ...]
) -> Sequence[Expression]:
    """Leave out a stretching that the other operand brings about anyway."""
    simple = list(operands)
    for k, operand in enumerate(operands):
        if any(other.shape == shape for j, other in enumerate(simple) if j != k):
            simple[k] = operand.unstretched
    return simple


def _is_like(operand: Expression, value: Any) -> bool:
    """Whether an operand has the shape and the type of ``value``."""
    same_type = operand.is_number or operand.value.dtype == value.dtype
    return bool(operand.shape == value.shape and same_type)


def _multiply(algebra: Algebra, x: Expression, y: Expression, value: Any) -> Expression | None:
    for factor, rest in ((x.unstretched, y), (y.unstretched, x)):
        if factor.is_number and _is_like(rest, value):
            return _times(algebra, factor.value, rest, value)
    return None


def _times(algebra: Algebra, factor: Any, rest: Expression, value: Any) -> Expression:
    """Return a number times an operand of the same shape."""
    if rest.is_number:
        return Expression(factor * rest.value)
    if rest.row and rest.operands and rest.operands[0].is_number:
        first = factor * rest.operands[0].value
        if rest.calls(np.multiply):
            return _times(algebra, first, rest.operands[1], value)
        if rest.calls(np.broadcast_to):
            return algebra.store(rest.row, (Expression(first),), rest.keywords, value)
    if factor == 1 and _is_like(rest, value):
        return rest
    if factor == -1:
        return algebra.call(TABLE[np.negative], (rest,), {}, value)
    return algebra.store(TABLE[np.multiply], (Expression(factor), rest), {}, value)


def _negative(algebra: Algebra, x: Expression, value: Any) -> Expression | None:
    if x.calls(np.negative):
        return x.operands[0]
    scaled = x.calls(np.multiply) and x.operands[0].is_number
    return _times(algebra, -1, x, value) if scaled or x.unstretched.is_number else None


def _divide(algebra: Algebra, x: Expression, y: Expression, value: Any) -> Expression | None:
    if not (x.is_number and y.is_number):
        return None
    with np.errstate(all="ignore"):
        return Expression(float(np.divide(x.value, y.value)))


def _transpose(algebra: Algebra, x: Expression, value: Any) -> Expression | None:
    if value.ndim < 2:
        return x
    if _is_transpose(x):
        return x.operands[0]
    if value.ndim == 2 and x.calls(np.matmul) and _is_transpose(x.operands[0]):
        left, right = x.operands  # (xᵀ d)ᵀ = dᵀ x
        turned = algebra.call(TABLE[np.transpose], (right,), {}, right.value.T)
        return algebra.store(TABLE[np.matmul], (turned, left.operands[0]), {}, value)
    return None


def _is_transpose(operand: Expression) -> bool:
    return operand.calls(np.transpose) and not operand.keywords


def _same_shape(algebra: Algebra, x: Expression, value: Any) -> Expression | None:
    """Leave out a change of shape that changes nothing, or that only makes room."""
    if x.shape == value.shape:
        return x
    if x.unstretched.is_number:
        options = {"shape": value.shape}
        return algebra.store(TABLE[np.broadcast_to], (x.unstretched,), options, value)
    return None


_STRETCHING = frozenset({np.add, np.subtract, np.multiply, np.true_divide, np.power})

_SIMPLER: dict[Callable[..., Any], Callable[..., Expression | None]] = {
    np.multiply: _multiply,
    np.negative: _negative,
    np.true_divide: _divide,
    np.transpose: _transpose,
    np.broadcast_to: _same_shape,
    np.reshape: _same_shape,
    np.ravel: _same_shape,
    np.expand_dims: _same_shape,
}

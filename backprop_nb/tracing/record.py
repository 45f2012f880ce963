"""What tracing writes down: one record for each call, input and constant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final, NamedTuple

import numpy as np

CONSTANT: Final = "constant"
"""The ``op`` of a node that holds an array which is not an input."""


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """One call of one of the learner's functions.

    ``lasti`` is the instruction in the *calling* function, so that a value which
    is returned at once can take the name that the caller gives it.
    """

    parent: Scope | None
    code: CodeType
    lasti: int


class Record(NamedTuple):
    """What tracing writes down for one call, an input or a constant.

    ``row`` is the row of the rule table, ``None`` for an input and
    :data:`CONSTANT` for a constant.  ``args`` are the argument values as plain
    NumPy, ``parents`` the index of the record that made each of them (``None``
    for a literal).  ``scope`` and ``lasti`` say where in the learner's code.
    """

    row: Any
    args: tuple[Any, ...]
    parents: tuple[int | None, ...]
    keywords: dict[str, Any]
    value: Any
    scope: Scope | None
    lasti: int


_LARGE = 64
"""So many entries take little more memory than the array around them."""


def outline(record: Record) -> Record:
    """Return the record of a call without its large values, for which nobody asks."""
    if record.row is CONSTANT or not any(map(_is_large, (record.value, *record.args))):
        return record
    args = (
        arg if parent is None else _outline(arg)
        for arg, parent in zip(record.args, record.parents, strict=True)
    )
    return record._replace(args=tuple(args), value=_outline(record.value))


def _outline(value: Any) -> Any:
    """Return an array of the same shape and type that takes no room."""
    return np.broadcast_to(np.zeros((), value.dtype), value.shape) if _is_large(value) else value


def _is_large(value: Any) -> bool:
    return type(value) is np.ndarray and value.size > _LARGE


class Guard(NamedTuple):
    """A decision that Python took on a traced value, such as ``if x > 0``.

    The trace stands for other arguments only as long as it falls out the same.

    Attributes
    ----------
    position
        The record of the value.
    asked
        ``"truth"``, ``"value"``, ``"text"`` (of the value) or ``"shape"``: what was looked at.
    answer
        What was found, as plain Python or NumPy.
    scope, lasti
        Where in the learner's code.
    """

    position: int
    asked: str
    answer: Any
    scope: Scope | None
    lasti: int

    def holds(self, value: Any) -> bool:
        """Whether ``value`` leads to the same decision."""
        found = _ASKED[self.asked](value) if self.asked in _ASKED else value
        return bool(np.array_equal(found, self.answer, equal_nan=True))


_ASKED: dict[str, Callable[[Any], Any]] = {"truth": bool, "shape": np.shape}


def is_piecewise_constant(record: Record) -> bool:
    """Whether no gradient passes: a constant, a whole number or truth value, a step of one."""
    if record.row is None:
        return False
    flat = record.row is CONSTANT or record.row.is_flat
    return flat or record.value.dtype.kind in "biu"

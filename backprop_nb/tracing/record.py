"""What tracing writes down: one record for each call, input and constant."""

from __future__ import annotations

from dataclasses import dataclass
from types import CodeType
from typing import Any, Final, NamedTuple

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

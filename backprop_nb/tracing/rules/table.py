"""The one table of rules: every row by its function, no function twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from backprop_nb.tracing.rules import (
    arithmetic,
    elementwise,
    linear_algebra,
    reductions,
    shaping,
)
from backprop_nb.tracing.rules.row import Row


def join(rows: Iterable[Row]) -> dict[Callable[..., Any], Row]:
    """Return the rows by function.

    Raises
    ------
    ValueError
        If two rows claim one function: the second would silently win.
    """
    table: dict[Callable[..., Any], Row] = {}
    for row in rows:
        if row.function in table:
            raise ValueError(f"two rows for {row.name}")
        table[row.function] = row
    return table


TABLE = join(
    [
        *arithmetic.ROWS,
        *elementwise.ROWS,
        *reductions.ROWS,
        *linear_algebra.ROWS,
        *shaping.ROWS,
    ]
)

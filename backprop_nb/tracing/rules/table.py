"""The one table of rules: every row by its function, no function twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from backprop_nb.tracing.rules import (
    arithmetic,
    elementwise,
    exponential,
    extrema,
    joining,
    linear_algebra,
    matrices,
    ordering,
    products,
    reductions,
    repeating,
    running,
    shaping,
    trigonometry,
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
        *exponential.ROWS,
        *trigonometry.ROWS,
        *extrema.ROWS,
        *reductions.ROWS,
        *running.ROWS,
        *linear_algebra.ROWS,
        *products.ROWS,
        *matrices.ROWS,
        *shaping.ROWS,
        *joining.ROWS,
        *ordering.ROWS,
        *repeating.ROWS,
    ]
)

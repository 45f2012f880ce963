"""The one table of rules: every row by its function, no function twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from backprop_nb.tracing.rules import (
    adding,
    assignment,
    choosing,
    decompositions,
    determinants,
    elementwise,
    indexing,
    joining,
    linear_algebra,
    lists,
    numerical,
    piecewise_constant,
    products,
    quantiles,
    reductions,
    shaping,
)
from backprop_nb.tracing.rules.composites import COMPOSITES
from backprop_nb.tracing.rules.row import Row, full_name


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
        *elementwise.ROWS,
        *choosing.ROWS,
        *reductions.ROWS,
        *products.ROWS,
        *linear_algebra.ROWS,
        *decompositions.ROWS,
        *determinants.ROWS,
        *shaping.ROWS,
        *indexing.ROWS,
        *assignment.ROWS,
        *adding.ROWS,
        *joining.ROWS,
        *numerical.ROWS,
        *quantiles.ROWS,
        *lists.ROWS,
    ]
)

PIECEWISE_CONSTANT = join(piecewise_constant.ROWS)


def row_of(function: Callable[..., Any]) -> Row | None:
    """Return the row of a function: from the table, or from ``define_rule``."""
    return TABLE.get(function) or getattr(function, "__row__", None)


def supported_functions() -> list[str]:
    """Return the names of the functions that can be traced: by a rule, or made of such.

    Returns
    -------
    list of str
        Such as ``"np.sum"`` and ``"np.linalg.inv"``, in alphabetical order.  Operators,
        indexing, ``astype`` and the methods of an array are recorded as these.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> bp.supported_functions()[:4]
    ['bp.sigmoid', 'np.absolute', 'np.add', 'np.amax']
    """
    native = [row.function for row in TABLE.values() if row.is_native]
    return sorted({"bp.sigmoid", *map(full_name, [*native, *COMPOSITES])})

"""A broadcast that nobody means: ``pred - y`` of shapes ``(4, 1)`` and ``(4,)`` gives ``(4, 4)``.

NumPy stretches both, so each prediction meets each target; a mean over the result
is a number like any other, and its gradient is that of another loss.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol, Self

from backprop_nb.tracing.health import Mark
from backprop_nb.tracing.rules.row import STRETCH

BROADCAST: Final = "broadcast"

_MEANT = re.compile(r"\bNone\b|\bnewaxis\b|\bexpand_dims\b|\bouter\b")
"""What somebody writes who wants an axis to stretch."""


class _Node(Protocol):
    """What is looked at of a node."""

    @property
    def name(self) -> str: ...
    @property
    def op(self) -> str | None: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def source(self) -> str | None: ...
    @property
    def record(self) -> Any: ...
    @property
    def parents(self) -> Sequence[Self]: ...


def both_stretched(node: _Node) -> Iterator[Mark]:
    """Yield a mark if a vector (n,) and a column (n, 1) meet entry by entry, and none is meant to.

    A row (1, n) and a column (n, 1) never get one: such shapes are made on purpose,
    for all pairs.  Nor do lengths that differ: then the pairs are meant, since
    nothing else could be.  Nor does ``x[:, None] - x``: whoever adds an axis wants it
    to stretch, be it in the same expression or on the way to the column.
    """
    shape = node.shape
    if len(shape) != 2 or shape[0] != shape[1] or shape[0] < 2:
        return
    if getattr(node.record.row, "expects", "") != STRETCH:
        return
    n = shape[0]
    vector = next((p for p in node.parents if p.shape == (n,)), None)
    column = next((p for p in node.parents if p.shape == (n, 1)), None)
    if vector is None or column is None or any(p.shape == shape for p in node.parents):
        return
    if _MEANT.search(node.source or "") or _is_meant(column, vector):
        return
    yield Mark(
        BROADCAST,
        f"{column.name} of shape {column.shape} and {vector.name} of shape {vector.shape} are "
        f"both stretched to {shape}, so each entry of one meets every entry of the other; "
        f"entry by entry it is {column.name}[:, 0], or {vector.name}[:, None]",
    )


def _is_meant(column: _Node, vector: _Node) -> bool:
    """Whether a column was made to stretch, or is that very vector upright."""
    if column.op == vector.op and column.record.keywords.get("keepdims"):
        return True  # the same reduction twice, once with its axis: all pairs of rows
    while True:
        if column.op == "expand_dims" or _adds_axis(column.record.keywords.get("index")):
            return True
        if column.op in ("reshape", "atleast_2d", "transpose") and vector in column.parents:
            return True
        upright = [p for p in column.parents if p.shape == column.shape]
        if len(upright) != 1:
            return False
        [column] = upright


def _adds_axis(index: Any) -> bool:
    return isinstance(index, tuple) and any(part is None for part in index)

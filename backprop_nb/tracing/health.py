"""Health marks: what to beware of at a node, worked out when somebody asks.

A saturated entry passes hardly any gradient; at a kink or a tie the slope
follows a convention; NaN and infinity spread.  What is remarkable about a
function, and what its rule does there, stands in its row of the rule table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from backprop_nb.tracing.record import Record
from backprop_nb.tracing.rules.row import Remark
from backprop_nb.tracing.rules.template import literal

NOT_FINITE: Final = "not finite"


class Mark(NamedTuple):
    """One thing to beware of at a node; ``str(mark)`` says it.

    Attributes
    ----------
    kind
        ``"saturated"``, ``"kink"``, ``"tie"``, ``"broadcast"`` or ``"not finite"``.
    text
        One sentence: where, and which convention the gradient follows there.
    handed_on
        Whether a NaN or an infinity came from another node, which has the cause.
    """

    kind: str
    text: str
    handed_on: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def health(record: Record, names: Sequence[str | None]) -> tuple[Mark, ...]:
    """Return the marks of what was recorded; none at all if it is healthy.

    ``names`` has the name of each argument, ``None`` for a literal.
    """
    remarks = getattr(record.row, "remarks", ())
    if not remarks and np.isfinite(record.value).all():  # as most nodes are
        return ()
    with np.errstate(all="ignore"):
        return (*_not_finite(record, names), *_remarks(record, names, remarks))


def _not_finite(record: Record, names: Sequence[str | None]) -> Iterator[Mark]:
    """Yield a mark for each of NaN and infinity that begins here, or is handed on."""
    if np.all(np.isfinite(record.value)):
        return
    parents = [(name, arg) for name, arg in zip(names, record.args, strict=True) if name]
    for what, test in (("NaN", np.isnan), ("infinity", np.isinf)):
        at = test(record.value)
        from_parents = [test(value) for _, value in parents]
        if getattr(record.row, "is_elementwise", False):
            reached = np.logical_or.reduce([np.broadcast_to(p, at.shape) for p in from_parents])
        else:
            reached = any(map(np.any, from_parents))
        if np.any(at & ~reached):
            yield Mark(NOT_FINITE, f"{what} appears here first{_places(at & ~reached)}")
        if np.any(at & reached):
            givers = dict.fromkeys(name for name, value in parents if np.any(test(value)))
            text = f"{what}{_places(at & reached)}, handed on from {' and '.join(givers)}"
            yield Mark(NOT_FINITE, text, handed_on=True)


def _remarks(
    record: Record, names: Sequence[str | None], remarks: Sequence[Remark]
) -> Iterator[Mark]:
    """Yield what the row of the node's function has to remark at these values."""
    said = [
        name or ("the array" if np.ndim(arg) else literal(arg))
        for name, arg in zip(names, record.args, strict=True)
    ]
    for remark in remarks:
        at = remark.at(record.value, *record.args, **record.keywords)
        if np.any(at):
            yield Mark(remark.kind, remark.says.format(*said, places=_places(at)))


def _places(at: Any) -> str:
    """Say in how many entries something is so, if there are several."""
    size, count = np.size(at), int(np.count_nonzero(at))
    if size == 1:
        return ""
    return f" in all {size} entries" if count == size else f" in {count} of {size} entries"

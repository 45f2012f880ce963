"""Health marks: what to beware of at a node, worked out when somebody asks.

A saturated entry passes hardly any gradient; at a kink or a tie the slope
follows a convention; NaN and infinity spread.  What is remarkable about a
function, and what its rule does there, stands in its row of the rule table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from backprop_nb.tracing.record import CONSTANT, Record
from backprop_nb.tracing.rules.row import literal

NOT_FINITE: Final = "not finite"


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing to beware of at a node; ``str(mark)`` says it.

    Attributes
    ----------
    kind
        ``"saturated"``, ``"kink"``, ``"tie"`` or ``"not finite"``.
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


class Parent(Protocol):
    """What is asked of a node that a value was computed from."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def value(self) -> Any:
        """Its value."""


def health(record: Record, parents: Sequence[Parent]) -> tuple[Mark, ...]:
    """Return the marks of what was recorded; none at all if it is healthy."""
    with np.errstate(all="ignore"):
        return (*_not_finite(record, parents), *_remarks(record, parents))


def _not_finite(record: Record, parents: Sequence[Parent]) -> Iterator[Mark]:
    """Yield a mark for each of NaN and infinity that begins here, or is handed on."""
    value = record.value
    if np.all(np.isfinite(value)):
        return
    for name, test in (("NaN", np.isnan), ("infinity", np.isinf)):
        at = test(value)
        handed_on = at & _reached(record, parents, test)
        if np.any(at & ~handed_on):
            yield Mark(NOT_FINITE, f"{name} appears here first{_places(at & ~handed_on)}")
        if np.any(handed_on):
            givers = dict.fromkeys(p.name for p in parents if np.any(test(p.value)))
            text = f"{name}{_places(handed_on)}, handed on from {' and '.join(givers)}"
            yield Mark(NOT_FINITE, text, handed_on=True)


def _reached(record: Record, parents: Sequence[Parent], test: Callable[[Any], Any]) -> Any:
    """Return which entries may have it from a parent: entry by entry, or from anywhere."""
    at = [test(parent.value) for parent in parents]
    function = getattr(record.row, "function", None)
    if isinstance(function, np.ufunc) and function.signature is None:
        return np.logical_or.reduce([np.broadcast_to(each, np.shape(record.value)) for each in at])
    return any(np.any(each) for each in at)


def _remarks(record: Record, parents: Sequence[Parent]) -> Iterator[Mark]:
    """Yield what the row of the node's function has to remark at these values."""
    row, args, _, keywords, value, _, _ = record
    if row is None or row is CONSTANT:
        return
    for remark in row.remarks:
        at = remark.at(value, *args, **keywords)
        if np.any(at):
            yield Mark(
                remark.kind, remark.says.format(*_names(record, parents), places=_places(at))
            )


def _names(record: Record, parents: Sequence[Parent]) -> list[str]:
    """Return how to call each argument: by its name, or as the number that it is."""
    givers = iter(parents)
    names = []
    for parent, value in zip(record.parents, record.args, strict=True):
        if parent is not None:
            names.append(next(givers).name)
        else:
            names.append("the array" if np.ndim(value) else literal(value))
    return names


def _places(at: Any) -> str:
    """Say in how many entries something is so, if there are several."""
    size, count = np.size(at), int(np.count_nonzero(at))
    if size == 1:
        return ""
    return f" in all {size} entries" if count == size else f" in {count} of {size} entries"

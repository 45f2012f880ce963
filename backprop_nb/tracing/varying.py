"""Whether it matters how many entries a mask picks.

``x[x > 0]`` has another length for other inputs.  Where its mean is taken, the rules
hold the length of the trace, so that this length is a decision like any other.  In
``h[h < 0] *= 0.1`` nobody asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backprop_nb.tracing.record import Guard, Record
from backprop_nb.tracing.rules.adding import added_at, count_of_values
from backprop_nb.tracing.rules.assignment import assigned
from backprop_nb.tracing.rules.indexing import scatter_add

_ASKING = frozenset({"shape", "size", "len", "ndim", "nbytes", "range", "enumerate", "zip"})
"""Names in the code that may ask for a length."""


def that_matter(guards: Sequence[Guard], records: Sequence[Record]) -> list[Guard]:
    """Return the decisions without those about a length on which nothing depends."""
    if not any(guard.asked == "shape" for guard in guards):
        return [*guards]
    users: list[list[int]] = [[] for _ in records]
    for index, record in enumerate(records):
        for parent in {*record.parents} - {None}:
            users[parent].append(index)  # type: ignore[index]
    return [
        guard
        for guard in guards
        if guard.asked != "shape" or _matters(guard.position, records, users)
    ]


def _matters(start: int, records: Sequence[Record], users: Sequence[Sequence[int]]) -> bool:
    shape = np.shape(records[start].value)
    pending, seen = [start], {start}
    while pending:
        index = pending.pop()
        scope = records[index].scope
        if not users[index] or (scope is not None and _ASKING & {*scope.code.co_names}):
            return True
        for user in users[index]:
            if _takes_any_length(records[user], index):
                continue
            if not _keeps_the_length(records[user], shape):
                return True
            if user not in seen:
                seen.add(user)
                pending.append(user)
    return False


def _takes_any_length(record: Record, parent: int) -> bool:
    """Whether a value goes back into the places that it was picked from."""
    function = getattr(record.row, "function", None)
    if function is assigned:
        values = record.parents[1 : 1 + len(record.keywords["at"])]
        return parent in values and record.parents.count(parent) == 1
    if function is added_at:
        start = int(record.keywords["shape"] is None)
        values = record.parents[start : count_of_values(record.keywords)]
        return parent in values and parent not in record.parents[:start]
    return function is scatter_add and record.parents[0] == parent


def _keeps_the_length(record: Record, shape: tuple[int, ...]) -> bool:
    shapes = [np.shape(each) for each in (*record.args, record.value)]
    return bool(record.row.is_elementwise and all(each in ((), shape) for each in shapes))

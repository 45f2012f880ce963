"""The reverse pass itself: adjoints from the output back to every record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop_nb.errors import BackpropError, InvalidValueError, ShapeError
from backprop_nb.tracing import messages
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import Record
from backprop_nb.tracing.rules.adding import add_at, added_at
from backprop_nb.tracing.rules.indexing import scatter_add
from backprop_nb.tracing.rules.row import EachVjp
from backprop_nb.tracing.source import describe_place
from backprop_nb.tracing.tape import is_live, taken_in

Contributed = tuple[int, int, int, Any]
"""The record that gives, which of its arguments receives, that argument's record, and the value."""


def reverse(
    trace: Trace,
    records: Sequence[Record],
    start: Any,
    contributions: list[Contributed] | None = None,
    reversed_one: Callable[[int], None] | None = None,
) -> list[Any]:
    """Return the adjoint of every record, ``None`` where none arrives.

    ``records`` are the trace's own, or the same with traced values in them.
    What is handed on is added to ``contributions``, if somebody wants to know, and
    ``reversed_one`` is told each record that has handed something on.
    """
    carries = trace.carries
    adjoints: list[Any] = [None] * len(records)
    adjoints[trace.output_index] = start
    # Sums that nobody else holds: what picks a few entries is added there in place, or a
    # loop over the entries of an array would take time with the square of their number.
    sums: set[int] = set()
    # Traced values are not changed in place: what such entries receive waits for one call.
    waiting: dict[int, list[tuple[Any, Any]]] = {}
    # Every node comes after its parents, so going through the list from the end
    # meets a node only when all contributions to it have arrived.
    try:
        for index in range(trace.output_index, trace.input_count - 1, -1):
            if index in waiting:
                _add_up(adjoints, index, waiting, records)
            g = adjoints[index]
            row, args, parents, keywords, value, _, _ = records[index]
            if g is None or not carries[index]:
                continue
            vjps = row.vjps
            each = vjps.of_call(g, value, *args, **keywords) if type(vjps) is EachVjp else None
            for k, parent in enumerate(parents):
                if parent is None or not carries[parent]:
                    continue
                vjp: Any = each or vjps[k]
                if vjp is None:
                    continue
                if row.picks and contributions is None:
                    at = row.picks(*args, **keywords)
                    if parent not in waiting and _is_plain(g, adjoints[parent], args):
                        if parent not in sums:
                            adjoints[parent] = _own_sum(adjoints[parent], args[k])
                            sums.add(parent)
                        add_at(adjoints[parent], g, at)
                    else:
                        waiting.setdefault(parent, []).append((g, at))
                    continue
                if each is not None:
                    contribution = each(k)
                elif keywords:
                    contribution = vjp(g, value, *args, **keywords)
                else:
                    contribution = vjp(g, value, *args)
                if type(contribution) is not np.float64 or type(args[k]) is not np.float64:
                    contribution = typed_like(args[k], contribution)
                if parent in waiting:
                    if len(waiting[parent]) > 1:
                        waiting[parent].append((contribution, ...))
                        continue
                    _add_up(adjoints, parent, waiting, records)
                known = adjoints[parent]
                adjoints[parent] = contribution if known is None else known + contribution
                if sums:
                    sums.discard(parent)
                if contributions is not None:
                    contributions.append((index, k, parent, contribution))
            if reversed_one is not None:
                reversed_one(index)
        for index in [*waiting]:
            _add_up(adjoints, index, waiting, records)
    except (np.linalg.LinAlgError, BackpropError) as error:
        raise _no_gradient(trace, index, error) from None
    for index in range(trace.input_count):
        adjoints[index] = number_of(adjoints[index])
    return adjoints


def typed_like(x: Any, contribution: Any) -> Any:
    """Return a contribution in the type of what it is the contribution to."""
    return contribution if contribution.dtype == x.dtype else contribution.astype(x.dtype)


_PLAIN = (np.ndarray, np.float64, np.float32)


def _is_plain(g: Any, known: Any, args: tuple[Any, ...]) -> bool:
    """Whether no value is one of another trace, which would not see the sum grow."""
    return type(g) in _PLAIN and not any(map(is_live, (known, *args)))


def _own_sum(known: Any, like: Any) -> Any:
    """Return an array of one's own with the contributions so far."""
    return np.zeros(like.shape, like.dtype) if known is None else np.array(known)


def _add_up(
    adjoints: list[Any],
    index: int,
    waiting: dict[int, list[tuple[Any, Any]]],
    records: Sequence[Record],
) -> None:
    """Add to an adjoint what waits for it."""
    known, added = adjoints[index], waiting.pop(index)
    values, at = zip(*added, strict=True)
    x = records[index].value
    if len(at) > 1 and known is None:
        adjoints[index] = added_at(*values, at=at, shape=x.shape)
    elif len(at) > 1:
        adjoints[index] = added_at(known, *values, at=at)
    else:
        alone = typed_like(x, scatter_add(*values, index=at[0], shape=x.shape))
        adjoints[index] = alone if known is None else known + alone


def number_of(value: Any) -> Any:
    """Return an array without axes, as ``np.where`` gives it, as a number of NumPy's."""
    return value[()] if type(value) is np.ndarray and value.ndim == 0 else value


def _no_gradient(trace: Trace, index: int, error: Exception) -> Exception:
    """Return what a learner is told where a rule fails, as at a singular matrix."""
    cause = error.__context__ if isinstance(error, BackpropError) else error
    if not isinstance(cause, np.linalg.LinAlgError):  # it has said everything
        return error
    record = trace.records[index]
    scope = record.scope
    return InvalidValueError(
        f"{messages.name_of(record.row)} has no gradient here: {cause}.",
        given=f"{trace.nodes[index].parents[0].name} of shape {np.shape(record.args[0])}",
        expected=record.row.expects,
        at=describe_place(scope.code, record.lasti) if scope else None,
    )


def start_of(trace: Trace, seed: Any) -> Any:
    """Return the adjoint of the output.

    Raises
    ------
    ShapeError
        If the output is not a number and there is no seed, or the shapes differ.
    """
    value = trace.value
    if seed is None:
        if value.shape != ():
            raise ShapeError(
                "The output is not a single number, so it has no gradient.",
                given=f"{trace.output.name} of shape {value.shape}",
                expected="shape ()",
                instead="return a number, for example np.sum(…), "
                "or pass the adjoint of the output: backward(seed=…)",
            )
        return np.ones_like(value)[()]
    seed = taken_in(seed, "`seed`")
    seed = seed if is_live(seed) else seed.astype(value.dtype)[()]
    if seed.shape != value.shape:
        raise ShapeError(
            "`seed` must have the shape of the output.",
            given=f"a seed of shape {seed.shape}",
            expected=f"shape {value.shape}, that of {trace.output.name}",
        )
    return seed

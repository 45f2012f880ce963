"""The value of a trace on new arguments: the same calls, computed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backprop_nb.errors import ShapeError, UnsupportedError, counted
from backprop_nb.tracing import pytree
from backprop_nb.tracing.graph import Node, Trace, fits, laid
from backprop_nb.tracing.purity import is_impure, traced_again
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.tracing.tape import BY_VALUE, Recorded, is_live, is_other_float, taken_in


def evaluate(trace: Trace, args: Sequence[Any]) -> Any:
    """Compute ``trace`` on new arguments; see :meth:`Graph.evaluate`."""
    inputs = inputs_of(trace, args)
    is_plain = not any(isinstance(each, Recorded) for each in inputs)  # else it nests
    pairs = zip(inputs, trace.inputs, strict=True)
    holds = (
        is_plain
        and fits(trace.given, args)
        and trace.laid in (None, laid(args))
        and not any(is_other_float(each, node.value.dtype) for each, node in pairs)
        and not is_impure(trace)
    )
    values = replayed(trace, inputs) if holds else None
    if values is None:  # Python decides otherwise here
        return traced_again(trace, args).value
    return values[trace.output_index]


def replayed(trace: Trace, inputs: Sequence[Any]) -> dict[int, Any] | None:
    """Return the value of every record, ``None`` where a decision falls out otherwise."""
    values = dict(enumerate(inputs))
    on_inputs = (guard for guard in trace.guards if guard.position in values)
    if not all(guard.holds(values[guard.position]) for guard in on_inputs):
        return None
    for index, record in trace.steps():
        if record.row is CONSTANT:
            values[index] = record.value
            continue
        operands = [
            arg if parent is None else values[parent]
            for arg, parent in zip(record.args, record.parents, strict=True)
        ]
        try:
            values[index] = record.row.call(*operands, **record.keywords)
        except BY_VALUE:  # which the learner may catch
            return None
        if not all(guard.holds(values[index]) for guard in trace.decisions.get(index, ())):
            return None
    return values


def inputs_of(trace: Trace, args: Sequence[Any]) -> list[Any]:
    """Return the new value of every input.

    Raises
    ------
    ShapeError
        If their number, their structure or a shape differs from the trace.
    UnsupportedError
        If one of them is not made of real numbers.
    """
    check_count(args, [name for name, _ in trace.arguments])
    leaves = pytree.flatten(list(args))
    traced = pytree.flatten([tree for _, tree in trace.arguments])
    if len(leaves) != len(traced):
        raise ShapeError(
            "The arguments must have the structure that they have in the trace.",
            given=f"{len(leaves)} numbers and arrays",
            expected=f"{len(traced)}, as in {', '.join(node.name for node in trace.inputs)}",
            instead="np.array([…]) where the trace had an array",
        )
    new = [leaf for leaf, is_input in zip(leaves, traced, strict=True) if is_input]
    return [_checked(value, node) for value, node in zip(new, trace.inputs, strict=True)]


def refuse_keywords(trace: Trace, options: dict[str, Any], who: str) -> None:
    """Refuse an argument by name: those that are traced have a place, others are the trace's."""
    if not options:
        return
    name, value = next(iter(options.items()))
    names = [each for each, _ in trace.arguments]
    raise UnsupportedError(
        f"{who} takes its arguments by position; `{name}` is the one of the trace.",
        given=f"{name}={value!r}",
        instead=f"the arguments {', '.join(names)} in this order"
        if name in names
        else f"bp.trace({trace.function_name}, …, {name}={value!r})",
    )


def check_count(args: Sequence[Any], names: Sequence[str]) -> None:
    """Refuse another number of arguments than those of a trace."""
    if len(args) != len(names):
        raise ShapeError(
            "The number of arguments must be that of the trace.",
            given=counted(len(args), "argument"),
            expected=f"{len(names)}: {', '.join(names)}",
        )


def _checked(value: Any, node: Node) -> Any:
    array = taken_in(value, f"`{node.name}`")
    if array.shape != node.shape:
        raise ShapeError(
            f"`{node.name}` must have the shape that it has in the trace.",
            given=f"shape {array.shape}",
            expected=f"shape {node.shape}",
            instead="trace the function again for another shape",
        )
    if is_live(array) or is_other_float(value, node.value.dtype):
        return array
    return array.astype(node.value.dtype, copy=False)[()]

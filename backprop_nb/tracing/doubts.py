"""What is worth a warning about a reverse pass: slopes without a value, and tips.

A pole that ``np.where`` leaves out is not left out of the way back: 0 times an infinite
slope is NaN.  And where a function has a tip, there is no second derivative.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from backprop_nb.errors import warn
from backprop_nb.tracing.graph import Node, Trace
from backprop_nb.tracing.messages import WITHOUT_EXP
from backprop_nb.tracing.reverse import reverse
from backprop_nb.tracing.source import describe_place
from backprop_nb.tracing.tape import Recorded, plain


def reverse_and_warn(trace: Trace, start: Any) -> list[Any]:
    """Return the adjoint of every node, and say where a gradient is not finite."""
    with np.errstate(all="ignore"):  # NumPy would warn at a line of a rule
        adjoints = reverse(trace, trace.records, start)
    _warn_of_gradients(trace, start, adjoints)
    return adjoints


def _warn_of_gradients(trace: Trace, start: Any, adjoints: Sequence[Any]) -> None:
    """Say where a gradient has its first NaN or infinity, if the value itself has none."""
    values = adjoints[: trace.input_count]
    if all(each is None or isinstance(each, Recorded) or _is_finite(each) for each in values):
        return
    if not (_is_finite(trace.value) and _is_finite(start)):  # it was said about the value
        return
    received: list[tuple[int, int, int, Any]] = []
    with np.errstate(all="ignore"):
        reverse(trace, trace.records, start, received)
    found = next(((i, k, g) for i, k, _, g in received if not _is_finite(g)), None)
    if found is None:  # it is the sum that overflows
        return
    index, position, given = found
    node = trace.nodes[index]
    what = "NaN" if np.any(np.isnan(given)) else "infinite"
    adjoint = adjoints[index]
    mask = np.broadcast_to(adjoint, given.shape) if np.ndim(adjoint) <= given.ndim else adjoint
    lost = np.shape(mask) == given.shape and np.any(np.isnan(given) & (mask == 0))
    names = ", ".join(
        each.name
        for each, g in zip(trace.inputs, values, strict=True)
        if g is not None and not _is_finite(g)
    )
    text = f"The gradient of {names} is {what}; it becomes so at {_said(node)}"
    if lost:
        text += ": an infinite slope times an adjoint of 0"
    text += ", where the slope is infinite or does not exist." if not lost else "."
    choice = next(_choices(trace, node), None) if lost else None
    if choice is not None:
        text += "\n  What np.where leaves out of the result it does not leave out of the way back."
        text += f"\n  instead:  {_without_pole(node, position, *choice)}"
    elif node.op == "exp":
        text += f"\n  instead:  {WITHOUT_EXP}"
    warn(text + _at(node))


def warn_of_tangent(trace: Trace, tangent: Any) -> None:
    """Say that a derivative in a direction is not finite, if the value is."""
    if isinstance(tangent, Recorded) or _is_finite(tangent) or not _is_finite(trace.value):
        return
    warn(
        f"The derivative of {trace.function_name} in this direction is NaN or infinite; "
        "bp.jacobian tells at which step it becomes so."
    )


def warn_of_tips(trace: Trace) -> None:
    """Say where a second derivative is taken at a tip: what is traced is traced again.

    Of the square of a norm it exists, and the rule of the norm, which knows nothing of the
    square, gives 0.
    """
    if not any(isinstance(each.value, Recorded) for each in trace.records[: trace.input_count]):
        return
    for index in _needed(trace):
        record = trace.records[index]
        for remark in getattr(record.row, "remarks", ()):
            if not remark.instead:
                continue
            args = [plain(arg) for arg in record.args]
            with np.errstate(all="ignore"):
                at = remark.at(plain(record.value), *args, **record.keywords)
            if np.any(at):
                node = trace.nodes[index]
                names = [_name(each) for each in node.arguments]
                reason = remark.says.format(*names, places="")
                advice = remark.instead.format(*names)
                text = f"A second derivative at {_said(node)}: {reason}."
                warn(f"{text}\n  instead:  {advice}{_at(node)}")


def _needed(trace: Trace) -> list[int]:
    """Return the nodes that the output is computed from, not what only decisions looked at."""
    needed = {trace.output_index}
    for index in range(trace.output_index, -1, -1):
        if index in needed:
            needed.update(each for each in trace.records[index].parents if each is not None)
    return sorted(needed)


def cut_at(trace: Trace, index: int) -> str:
    """Say at which node an input's way to the output ends in steps, such as ``x.astype(int)``."""
    reached = {index}
    for node in trace.nodes[trace.input_count :]:
        if reached.isdisjoint(each.index for each in node.parents):
            continue
        if not trace.carries[node.index]:
            return f"\n  It ends at {_said(node)}, whose slope is 0 wherever it has one.{_at(node)}"
        reached.add(node.index)
    return ""


def _is_finite(value: Any) -> bool:
    return bool(np.all(np.isfinite(value)))


def _name(node: Node | None) -> str:
    return node.name if node is not None else "x"


def _said(node: Node) -> str:
    source = " ".join(str(node.source).split()) if node.source is not None else ""
    return source if 0 < len(source) < 60 else node.name


def _at(node: Node) -> str:
    scope = node.record.scope
    return f"\n  at:       {describe_place(scope.code, node.record.lasti)}" if scope else ""


def _without_pole(node: Node, position: int, condition: str, is_first: bool) -> str:
    """Return the learner's expression with a harmless number where it has a pole."""
    position = 1 if node.op == "divide" else position  # the numerator has no pole
    argument = node.arguments[position]
    low, high = node.record.row.domain[min(position, len(node.record.row.domain) - 1)]
    harmless = next((each for each in (1.0, 0.0, 2.0) if low < each < high), low)
    inner = (argument.source or argument.name) if argument is not None else "x"
    inner = inner if argument is None or argument.op is not None else argument.name
    branches = f"{inner}, {harmless}" if is_first else f"{harmless}, {inner}"
    safe = f"safe = np.where({condition}, {branches})"
    return f"{safe}, and safe in place of {inner} in {_said(node)}"


def _choices(trace: Trace, node: Node) -> Iterator[tuple[str, bool]]:
    """Yield the condition of each ``np.where`` that a node goes into, and whether as the first."""
    reached = {node}
    for later in trace.nodes[node.index + 1 :]:
        taken = [k for k, each in enumerate(later.arguments) if each in reached]
        if not taken:
            continue
        reached.add(later)
        if later.op == "where" and later.source is not None:
            match ast.parse(later.source, mode="eval").body:
                case ast.Call(args=[condition, _, _]):
                    yield ast.unparse(condition), taken[0] == 1

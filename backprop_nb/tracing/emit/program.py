"""The forward and the backward pass of a trace as one straight program.

The trace is computed once more on traced values, and its rules are run on them.
What is written down is one flat list of NumPy calls, from the inputs to the
value and to every gradient.  :class:`Algebra` makes it simple, and what the
learner named gets its name back.  The NumPy source and the LaTeX derivation are
both printed from it.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from backprop_nb.tracing.array import Traced
from backprop_nb.tracing.emit.algebra import Algebra, Expression
from backprop_nb.tracing.graph import Node, Trace
from backprop_nb.tracing.record import CONSTANT, Guard, Record, outline
from backprop_nb.tracing.reverse import reverse, start_of
from backprop_nb.tracing.rules.adding import added_at
from backprop_nb.tracing.rules.indexing import scatter_add
from backprop_nb.tracing.tape import Tape
from backprop_nb.tracing.varying import that_matter

MAX_CALLS = 24
"""A text holds about so many calls at most."""


class Program:
    """A straight program: expressions, and which of them is what.

    Parameters
    ----------
    trace
        A trace whose output is a single number.

    Attributes
    ----------
    forward
        For each node of the trace, what holds its value.
    adjoints
        For each node of the trace, what holds its adjoint; ``None`` where no
        gradient arrives.
    turn
        The position of the first expression of the way back.
    decisions
        What Python looked at when it took a decision, and the decision.

    Raises
    ------
    ShapeError
        If the output is not a single number.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        records, values, adjoints, seed, guards = _trace_both_ways(trace)
        self._algebra = Algebra()
        self._numbers = {values[index] for index in _captured_numbers(trace)}
        self.turn = 0
        made: list[Expression] = []
        for index, record in enumerate(records):
            if index == seed:
                self.turn = len(self._algebra.expressions)
                made.append(Expression(1))
            elif index in self._numbers:
                made.append(Expression(record.value.item()))
            else:
                made.append(self._express(record, made))
        self.forward = [made[index] for index in values]
        self.decisions = [(made[guard.position], guard) for guard in guards]
        self.adjoints = [None if index is None else made[index] for index in adjoints]

    def _express(self, record: Record, made: Sequence[Expression]) -> Expression:
        if record.row is CONSTANT and record.value.shape == ():
            return Expression(record.value.item())
        if _is_leaf(record):
            return self._algebra.leaf(record.value)
        operands = [
            Expression(arg) if parent is None else made[parent]
            for arg, parent in zip(record.args, record.parents, strict=True)
        ]
        # What the learner wrote stays as it is; only what the rules wrote is made simpler.
        make = self._algebra.call if self.turn else self._algebra.store
        return make(record.row, operands, record.keywords, record.value)

    @property
    def value(self) -> Expression:
        """What holds the value."""
        return self.forward[self.trace.output_index]

    @cached_property
    def gradients(self) -> list[Expression | None]:
        """What holds the gradient of each input."""
        return self.adjoints[: self.trace.input_count]

    @cached_property
    def needed(self) -> list[Expression]:
        """The expressions that the value or a gradient depends on, in order."""
        looked_at = (expression for expression, _ in self.decisions)
        pending = [self.value, *filter(None, self.gradients), *looked_at]
        found: dict[int, Expression] = {}
        while pending:
            expression = pending.pop()
            if not expression.is_number and expression.position not in found:
                found[expression.position] = expression
                pending.extend(expression.operands)
        return [found[position] for position in sorted(found)]

    @cached_property
    def extra_constants(self) -> list[Expression]:
        """The arrays that the rules brought along; the learner has no name for them."""
        known = set(self.forward[: len(self.trace.records)])
        return [each for each in self.needed if each.row is None and each not in known]

    @cached_property
    def unpacked(self) -> dict[Expression, list[Expression]]:
        """The several arrays that a call returns, by the first, where all of them are needed."""
        calls: dict[Expression, list[Expression]] = {}
        arrays: list[Expression] = []
        for each in self.forward:
            output = each.keywords.get("output")
            if output == 0:
                arrays = calls.setdefault(each, [each])
            elif output is not None and output == len(arrays):
                arrays.append(each)
        needed = set(self.needed)
        return {
            first: arrays
            for first, arrays in calls.items()
            if len(arrays) > 1 and needed.issuperset(arrays)
        }

    @cached_property
    def shared(self) -> list[list[Expression]]:
        """The arrays that one call of the others returns, where several are needed."""
        named = {each for arrays in self.unpacked.values() for each in arrays}
        calls: dict[tuple[Any, ...], list[Expression]] = {}
        for each in self.needed:
            if each.row is not None and each.row.outputs and each not in named:
                options = {key: value for key, value in each.keywords.items() if key != "output"}
                calls.setdefault((each.row, *each.operands, repr(options)), []).append(each)
        return [parts for parts in calls.values() if len(parts) > 1]

    @cached_property
    def names(self) -> dict[Expression, str]:
        """The name of each expression that the learner, or a gradient, gives one."""
        names: dict[Expression, str] = {}
        for expression, name in self._offers():
            if expression is not None and not expression.is_number:
                names.setdefault(expression, name)
        return names | self._cut(names)

    def _cut(self, names: Mapping[Expression, str]) -> dict[Expression, str]:
        """Return names for some more expressions, so that no text holds too many calls.

        Each text stands within the next one: a sum over a list would print in quadratic
        time, and Python reads no more than 200 nested brackets.
        """
        called = {e: node.adjoint_name for e, node in self.adjoint_of.items()}
        called |= dict(zip(self.forward, [node.name for node in self.trace.nodes], strict=False))
        cut: dict[Expression, str] = {}
        calls: dict[Expression, int] = {}
        for each in self.needed:
            if each in names or each.row is None:
                continue
            calls[each] = 1 + sum(calls.get(operand, 0) for operand in each.operands)
            if calls[each] > MAX_CALLS:
                cut[each] = called.get(each, f"t{each.position}")
                del calls[each]
        return cut

    def _offers(self) -> Iterator[tuple[Expression | None, str]]:
        """Yield every expression that should have a name; the first offer counts."""
        nodes, named = self.trace.nodes, self.trace.named
        for node in nodes:
            if node.index in named or node.index == self.trace.output_index or not node.parents:
                yield self.forward[node.index], node.name
        for node in reversed(nodes):
            if node.index in named or node.op is None:
                yield self.adjoints[node.index], node.adjoint_name
        uses = Counter(operand for each in self.needed for operand in each.operands)
        parts = {each for arrays in self.unpacked.values() for each in arrays}
        for node in nodes:
            value = self.forward[node.index]
            if uses[value] > 1 or value.is_statement or value in parts:
                yield value, node.name
        for node in nodes:  # of x * y the adjoint of x is y, which has a name of its own
            adjoint = self.adjoints[node.index]
            if adjoint is not None and (uses[adjoint] > 1 or adjoint.is_statement):
                yield adjoint, node.adjoint_name
        for number, each in enumerate(self.extra_constants, start=1):
            yield each, f"k{number}"
        # What the rules compute twice, such as 1 - f, has no node; it gets a name of its own.
        for each in self.needed:
            if (uses[each] > 1 and each.row is not None) or each.is_statement:
                yield each, f"t{each.position}"

    @cached_property
    def adjoint_of(self) -> dict[Expression, Node]:
        """The first node, on the way back, whose adjoint an expression is."""
        found: dict[Expression, Node] = {}
        for node in reversed(self.trace.nodes):
            adjoint = self.adjoints[node.index]
            if adjoint is not None and adjoint.position >= self.turn:
                found.setdefault(adjoint, node)
        return found

    @cached_property
    def _children(self) -> dict[Node, list[Node]]:
        children: dict[Node, list[Node]] = {node: [] for node in self.trace.nodes}
        for child in self.trace.nodes:
            if self.trace.carries[child.index]:  # no gradient comes back through a comparison
                for parent in child.parents:
                    children[parent].append(child)
        return children

    def users(self, node: Node, most: int) -> list[Node]:
        """Return the named nodes that ``node`` goes into, through unnamed ones or at once.

        The search ends with the ``most`` nearest, so that a long sum prints in linear time.
        """
        found: dict[int, Node] = {}
        seen, pending = {node}, deque(self._children[node])
        while pending and len(found) < most:
            child = pending.popleft()
            if child in seen:
                continue
            seen.add(child)
            has_line = self.forward[child.index] in self.names
            if has_line:
                found[child.index] = child
            # Where the value or its gradient has no line, the step goes on to the next.
            if not has_line or self.adjoints[child.index] not in self.names:
                pending.extend(self._children[child])
        return [found[index] for index in sorted(found)]


def all_of_one_type(trace: Trace) -> bool:
    """Whether all floats are float64, so that a number may be written as a literal.

    Beside a narrower type it may not: ``np.float64(2)`` would widen the result.
    """
    kinds = {record.value.dtype for record in trace.records}
    return all(kind.kind != "f" or kind == np.float64 for kind in kinds)


def _captured_numbers(trace: Trace) -> Iterator[int]:
    """Yield the nodes that are numbers without a name, and are as good as literals."""
    if not all_of_one_type(trace):
        return
    for index, record in enumerate(trace.records):
        if record.row is CONSTANT and record.value.shape == () and index not in trace.named:
            yield index


def _is_leaf(record: Record) -> bool:
    return record.row is None or record.row is CONSTANT


def _trace_both_ways(
    trace: Trace,
) -> tuple[Sequence[Record], list[int], list[int | None], int, list[Guard]]:
    """Compute a trace and its reverse pass on traced values.

    Returns all records; the positions among them of each node's value, of each
    node's adjoint, and of the seed; and the decisions of the trace and of its rules.
    """
    seed = start_of(trace, None)
    frame = sys._getframe(0)
    tape = Tape(Traced, frame)
    # The trace's records, with values of the new tape in them.
    inputs = enumerate(trace.records[: trace.input_count])
    traced = {k: each._replace(value=tape.input(each.value)) for k, each in inputs}
    try:
        for index, record in trace.steps():
            args = tuple(
                arg if parent is None else traced[parent].value
                for arg, parent in zip(record.args, record.parents, strict=True)
            )
            value = (
                tape.input(record.value)
                if _is_leaf(record)
                else tape.apply(record.row, record.row.call, args, record.keywords, frame)
            )
            traced[index] = record._replace(args=args, value=value)
        start = tape.input(seed)
        handed_on = _HandedOn(tape, trace)
        every = [traced[k] for k in range(len(trace.records))]
        adjoints = reverse(trace, every, start, reversed_one=handed_on.take_note)
    finally:
        records = tape.close()
    values = [tape.index(traced[k].value) for k in range(len(traced))]
    back = [None if adjoint is None else tape.index(adjoint) for adjoint in adjoints]
    guards = [guard._replace(position=values[guard.position]) for guard in trace.guards]
    if handed_on.guards:
        # Whose code the rules are called from does not matter: they ask for no length.
        guards += that_matter(handed_on.guards, [each._replace(scope=None) for each in records])
    return records, values, back, tape.index(start), guards


class _HandedOn:
    """Looks at what the rules hand on, and keeps none of it.

    Attributes
    ----------
    guards
        The decisions that rules take, each at the learner's line that its rule reverses.
    """

    def __init__(self, tape: Tape, trace: Trace) -> None:
        self.guards: list[Guard] = []
        self._tape, self._trace, self._seen = tape, trace, len(tape.records)

    def take_note(self, index: int) -> None:
        """Take note of the rules of a record, which have just been run."""
        record, made = self._trace.records[index], self._tape.records
        for guard in self._tape.guards[len(self.guards) :]:
            self.guards.append(guard._replace(scope=record.scope, lasti=record.lasti))
        # The entries of an array hand on an array each, and they add up one by one.
        for k in range(self._seen, len(made)):
            if getattr(made[k].row, "function", None) in (scatter_add, added_at, np.add):
                made[k] = outline(made[k])
        self._seen = len(made)

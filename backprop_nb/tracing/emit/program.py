"""The forward and the backward pass of a graph as one straight program.

The graph is computed once more on traced values, and its rules are run on them.
What is written down is one flat list of NumPy calls, from the inputs to the
value and to every gradient.  :class:`Algebra` makes it simple, and what the
learner named gets its name back.  The NumPy source and the LaTeX derivation are
both printed from it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property

from backprop_nb.tracing.array import Traced
from backprop_nb.tracing.emit.algebra import Algebra, Expression, Literal, Operand
from backprop_nb.tracing.graph import Node, Trace
from backprop_nb.tracing.record import CONSTANT, Record
from backprop_nb.tracing.reverse import reverse, start_of
from backprop_nb.tracing.tape import Tape


class Program:
    """A straight program: expressions, and which of them is what.

    Parameters
    ----------
    graph
        A graph whose output is a single number.

    Attributes
    ----------
    algebra
        The expressions, each after those it uses.
    forward
        For each node of the graph, what holds its value.
    adjoints
        For each node of the graph, what holds its adjoint; ``None`` where no
        gradient arrives.
    turn
        The position of the first expression of the way back.

    Raises
    ------
    ShapeError
        If the output is not a single number.
    """

    def __init__(self, graph: Trace) -> None:
        self.graph = graph
        records, values, adjoints, seed = _trace_both_ways(graph)
        self.algebra = Algebra()
        place: list[Operand] = []
        self.turn = 0
        for index, record in enumerate(records):
            if index == seed:
                self.turn = len(self.algebra.expressions)
                place.append(Literal(1))
            else:
                place.append(self._add(record, place))
        self.forward = [place[index] for index in values]
        self.adjoints = [None if index is None else place[index] for index in adjoints]

    def _add(self, record: Record, place: Sequence[Operand]) -> Operand:
        if record.row is CONSTANT and record.value.shape == ():
            return Literal(record.value.item())
        if _is_leaf(record):
            return self.algebra.leaf(record.value)
        operands: list[Operand] = [
            Literal(arg) if parent is None else place[parent]
            for arg, parent in zip(record.args, record.parents, strict=True)
        ]
        # What the learner wrote stays as it is; only what the rules wrote is made simpler.
        make = self.algebra.call if self.turn else self.algebra.keep
        return make(record.row, operands, record.keywords, record.value)

    @property
    def expressions(self) -> list[Expression]:
        """All expressions, each after those it uses."""
        return self.algebra.expressions

    @property
    def value(self) -> Operand:
        """What holds the value."""
        return self.forward[self.graph.output_index]

    @property
    def gradients(self) -> list[Operand | None]:
        """What holds the gradient of each input."""
        return self.adjoints[: self.graph.input_count]

    @cached_property
    def needed(self) -> list[int]:
        """The expressions that the value or a gradient depends on, in order."""
        pending = [self.value, *self.gradients]
        found: set[int] = set()
        while pending:
            operand = pending.pop()
            if isinstance(operand, int) and operand not in found:
                found.add(operand)
                pending.extend(self.expressions[operand].operands)
        return sorted(found)

    @cached_property
    def extra_constants(self) -> list[int]:
        """The arrays that the rules brought along; the learner has no name for them."""
        known = set(self.forward)
        leaves = [index for index in self.needed if self.expressions[index].row is None]
        return [index for index in leaves if index not in known]

    @cached_property
    def names(self) -> dict[int, str]:
        """The name of each expression that the learner, or a gradient, gives one."""
        names: dict[int, str] = {}
        for operand, name in self._offers():
            if isinstance(operand, int):
                names.setdefault(operand, name)
        return names

    @cached_property
    def adjoint_of(self) -> dict[int, Node]:
        """The first node, on the way back, whose adjoint an expression is."""
        found: dict[int, Node] = {}
        for node in reversed(self.graph.nodes):
            operand = self.adjoints[node.index]
            if isinstance(operand, int) and operand >= self.turn:
                found.setdefault(operand, node)
        return found

    def _offers(self) -> Iterator[tuple[Operand | None, str]]:
        """Yield every expression that should have a name; the first offer counts."""
        nodes, named = self.graph.nodes, self.graph.named
        for node in nodes:
            if node.index in named or node.index == self.graph.output_index or not node.parents:
                yield self.forward[node.index], node.name
        for node in reversed(nodes):
            if node.index in named or node.op is None:
                yield self.adjoints[node.index], f"d_{node.name}"
        uses = Counter(
            operand for index in self.needed for operand in self.expressions[index].operands
        )
        for node in nodes:
            if uses[self.forward[node.index]] > 1:
                yield self.forward[node.index], node.name
            adjoint = self.adjoints[node.index]
            if adjoint is not None and uses[adjoint] > 1:
                yield adjoint, f"d_{node.name}"
        for number, index in enumerate(self.extra_constants, start=1):
            yield index, f"k{number}"
        # What the rules compute twice, such as 1 - f, has no node; it gets a name of its own.
        for index in self.needed:
            if uses[index] > 1 and self.expressions[index].row is not None:
                yield index, f"t{index}"

    def users(self, node: Node) -> list[Node]:
        """Return the named nodes that ``node`` goes into, through unnamed ones or at once."""
        children: dict[int, list[Node]] = {}
        for child in self.graph.nodes:
            for parent in child.parents:
                children.setdefault(parent.index, []).append(child)
        found: dict[int, Node] = {}
        pending = list(children.get(node.index, []))
        while pending:
            child = pending.pop()
            has_line = self.forward[child.index] in self.names
            if has_line:
                found[child.index] = child
            # Where the value or its gradient has no line, the step goes on to the next.
            if not has_line or self.adjoints[child.index] not in self.names:
                pending.extend(children.get(child.index, []))
        return [found[index] for index in sorted(found)]


def _is_leaf(record: Record) -> bool:
    return record.row is None or record.row is CONSTANT


def _trace_both_ways(
    graph: Trace,
) -> tuple[Sequence[Record], list[int], list[int | None], int]:
    """Compute the graph and its reverse pass on traced values.

    Returns all records, and the positions among them of each node's value, of
    each node's adjoint, and of the seed.
    """
    seed = start_of(graph, None)
    tape = Tape(Traced, sys._getframe(0), keeps_comparisons=True)
    try:
        values = _replay(tape, graph.records)
        start = tape.input(seed)
        adjoints = reverse(graph, _on(graph.records, values), start)
    finally:
        records = tape.close()
    at = tape.index
    back = [None if adjoint is None else at(adjoint) for adjoint in adjoints]
    return records, list(map(at, values)), back, at(start)


def _replay(tape: Tape, records: Sequence[Record]) -> list[Traced]:
    """Compute every record once more, on traced values."""
    values: list[Traced] = []
    frame = sys._getframe(0)
    for record in records:
        if _is_leaf(record):
            values.append(tape.input(record.value))
            continue
        operands = [
            arg if parent is None else values[parent]
            for arg, parent in zip(record.args, record.parents, strict=True)
        ]
        row = record.row
        values.append(tape.apply(row, row.call, operands, record.keywords, frame))
    return values


def _on(records: Sequence[Record], values: Sequence[Traced]) -> list[Record]:
    """Return the records with traced values in them, so that the rules run on those."""
    return [
        record._replace(
            value=value,
            args=tuple(
                arg if parent is None else values[parent]
                for arg, parent in zip(record.args, record.parents, strict=True)
            ),
        )
        for record, value in zip(records, values, strict=True)
    ]

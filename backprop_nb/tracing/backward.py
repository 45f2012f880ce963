"""The reverse pass: the chain rule from the output back to the inputs, step by step.

A step takes one node whose adjoint ∂L/∂node is complete, and hands each of its
parents a contribution: the adjoint times the local derivative.  A node used
twice receives two contributions, and they add up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop_nb.errors import NotFoundError, warn
from backprop_nb.meant import Suggesting
from backprop_nb.tracing import doubts
from backprop_nb.tracing.collector import young_only
from backprop_nb.tracing.graph import Node, Trace, read_only
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.tracing.reverse import number_of, start_of, typed_like

if TYPE_CHECKING:
    from backprop_nb.tracing.emit.rule import Marker, Pattern, Rule, Rules


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """What one step hands to one parent.

    Attributes
    ----------
    rules
        The rules of the node that gives.
    parent
        The node that receives.
    position
        Which argument of the call the parent was.
    """

    rules: Rules
    parent: Node
    position: int

    @property
    def output(self) -> str:
        """The name of the output, which everything is a derivative of."""
        return self.rules.output

    @property
    def node(self) -> Node:
        """The node that gives."""
        return self.rules.node

    @property
    def adjoint(self) -> Any:
        """The derivative of the output with respect to the node that gives."""
        return self.rules.adjoint

    @property
    def value(self) -> Any:
        """The contribution, of the parent's shape."""
        # Not kept: a loop over the entries of an array hands on an array for each.
        with np.errstate(all="ignore"):  # what there is to say was said the first time
            value = self.rules.handed_on(self.position)
        return read_only(number_of(typed_like(self.node.record.args[self.position], value)))

    @property
    def rule(self) -> str:
        """The rule as NumPy text in the learner's names, such as ``A1.T @ d_z2``."""
        return self.explain().numpy

    def explain(self, mark: Marker | None = None) -> Rule:
        """Return the rule itself: as NumPy, as LaTeX, and as factors with numbers.

        Every printed name goes through ``mark(text, node, is_adjoint)``.
        """
        from backprop_nb.tracing.emit.rule import Rule, unmarked

        return Rule(self.rules, self.position, mark or unmarked)

    def __repr__(self) -> str:
        return f"<Contribution {self.parent.adjoint_name} += {self.rule}>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Step:
    """One step back: a node whose adjoint is complete gives to its parents.

    Attributes
    ----------
    node
        The node that is left.
    adjoint
        The derivative of the output with respect to it, of its shape.
    contributions
        What each of its parents receives, in the order of the arguments.
        Constants receive nothing.
    """

    node: Node
    adjoint: Any
    contributions: tuple[Contribution, ...]

    def __repr__(self) -> str:
        received = ", ".join(f"{c.parent.adjoint_name} += {c.rule}" for c in self.contributions)
        return f"<Step at {self.node.name}: {received}>"


class Backward(Suggesting):
    """The result of a reverse pass over a graph: adjoints, gradients and the steps.

    Attributes
    ----------
    graph
        The graph that was reversed.
    """

    def __init__(self, graph: Trace, seed: Any = None) -> None:
        self.graph = graph
        self._start = start_of(graph, seed)
        doubts.warn_of_tips(graph)
        self._adjoints = doubts.reverse_and_warn(graph, self._start)
        unused = [k for k in range(graph.input_count) if self._adjoints[k] is None]
        if unused:  # probably a forgotten use
            names = ", ".join(graph.nodes[k].name for k in unused)
            cut = doubts.cut_at(graph, unused[0])
            warn(f"The output does not depend on {names}: the gradient there is zero.{cut}")

    @cached_property
    def gradients(self) -> tuple[Any, ...]:
        """One gradient per argument, each with the structure of its argument.

        Positional arguments come first, then the traced keyword arguments.
        Arguments that are not traced have ``None``.
        """
        leaves = [self._adjoint(k) for k in range(self.graph.input_count)]
        # An array of the caller's own, which may be written to.
        return self.graph.restore([np.array(g) if isinstance(g, np.ndarray) else g for g in leaves])

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps in the order of the reverse pass, ready to be replayed."""
        with young_only():
            return tuple(self._steps())

    def _steps(self) -> Iterator[Step]:
        from backprop_nb.tracing.emit.rule import Rules

        nodes, output, carries = self.graph.nodes, self.graph.output.name, self.graph.carries
        known: dict[Any, dict[int, Pattern]] = {}
        for index in self._left():
            node, adjoint, record = nodes[index], self._adjoint(index), nodes[index].record
            parents = {
                position: nodes[parent]
                for position, parent in enumerate(record.parents)
                if parent is not None and carries[parent] and record.row.vjps[position]
            }
            rules = Rules(output, node, adjoint, [*parents], known)
            given = (Contribution(rules, parent, at) for at, parent in parents.items())
            yield Step(node, adjoint, tuple(given))

    def _left(self) -> Iterator[int]:
        """Yield the positions of the nodes that hand something on, in the order of the steps."""
        for index in range(self.graph.output_index, self.graph.input_count - 1, -1):
            if self._adjoints[index] is not None and self.graph.carries[index]:
                yield index

    def adjoint(self, node: Node | str) -> Any:
        """Return the derivative of the output with respect to a node, of its shape.

        Raises
        ------
        NotFoundError
            If the node is not one of this graph, or is a constant.
        """
        # What is neither a name nor a node is no name that the graph has.
        found = node if isinstance(node, Node) else self.graph.node(node)
        if self.graph.nodes[found.index : found.index + 1] != (found,):
            raise NotFoundError(
                f"The node `{found.name}` belongs to another graph.",
                expected=f"a node of this one, the trace of {self.graph.function_name}",
                instead=f"adjoint({found.name!r}), by its name",
            )
        if found.op == CONSTANT:
            raise NotFoundError(
                f"{found.name} is a constant of the trace; no gradient is computed for it.",
                instead=f"pass it as an argument of {self.graph.function_name}",
            )
        return self._adjoint(found.index)

    def _adjoint(self, index: int) -> Any:
        adjoint = self._adjoints[index]
        if adjoint is None:
            adjoint = np.zeros_like(self.graph.records[index].value)[()]
        return read_only(number_of(adjoint))

    def __repr__(self) -> str:
        return f"<Backward of {self.graph.function_name}: {len(list(self._left()))} steps>"

"""The reverse pass: the chain rule from the output back to the inputs, step by step.

A step takes one node whose adjoint ∂L/∂node is complete, and hands each of its
parents a contribution: the adjoint times the local derivative.  A node used
twice receives two contributions, and they add up.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop_nb.errors import BackpropWarning, NotFoundError, ShapeError
from backprop_nb.tracing.graph import CONSTANT, Graph, Node

if TYPE_CHECKING:
    from backprop_nb.tracing.emit.rule import Rule


@dataclass(frozen=True, slots=True, eq=False)
class Contribution:
    """What one step hands to one parent.

    Attributes
    ----------
    node, adjoint
        The node that gives, and the derivative of the output with respect to it.
    parent
        The node that receives.
    position
        Which argument of the call the parent was.
    value
        The contribution, of the parent's shape.
    """

    graph: Graph
    node: Node
    adjoint: Any
    parent: Node
    position: int
    value: Any

    @property
    def rule(self) -> str:
        """The rule as NumPy text in the learner's names, such as ``A1.T @ d_z2``."""
        return self.explain().numpy

    def explain(self) -> Rule:
        """Return the rule itself: as NumPy, as LaTeX, and as factors with numbers."""
        from backprop_nb.tracing.emit.rule import Rule

        return Rule(self.graph, self.node, self.position, self.adjoint)

    def __repr__(self) -> str:
        return f"<Contribution d_{self.parent.name} += {self.rule}>"


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
        gifts = ", ".join(f"d_{c.parent.name} += {c.rule}" for c in self.contributions)
        return f"<Step at {self.node.name}: {gifts}>"


class Backward:
    """The result of a reverse pass over a graph: adjoints, gradients and the steps.

    Attributes
    ----------
    graph
        The graph that was reversed.
    """

    def __init__(
        self, graph: Graph, adjoints: list[Any], trail: list[tuple[int, list[tuple[int, Any]]]]
    ) -> None:
        self.graph = graph
        self._adjoints = adjoints
        self._trail = trail

    @cached_property
    def gradients(self) -> tuple[Any, ...]:
        """One gradient per argument, each with the structure of its argument.

        Positional arguments come first, then the traced keyword arguments.
        Arguments that are not traced have ``None``.
        """
        leaves = [_own(self._adjoint(i)) for i in range(self.graph.input_count)]
        return self.graph.restore(leaves)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps in the order of the reverse pass, ready to be replayed."""
        nodes = self.graph.nodes
        steps = []
        for index, gifts in self._trail:
            parents = self.graph.records[index].parents
            contributions = tuple(
                Contribution(
                    self.graph,
                    nodes[index],
                    self._adjoint(index),
                    nodes[_some(parents[k])],
                    k,
                    value,
                )
                for k, value in gifts
            )
            steps.append(Step(nodes[index], self._adjoint(index), contributions))
        return tuple(steps)

    def adjoint(self, node: Node | str) -> Any:
        """Return the derivative of the output with respect to a node, of its shape.

        Raises
        ------
        NotFoundError
            If there is no such node, or if it is a constant.
        """
        found = self.graph.node(node if isinstance(node, str) else node.name)
        if found.op == CONSTANT:
            raise NotFoundError(
                f"{found.name} is a constant of the trace; no gradient is computed for it.",
                instead=f"pass it as an argument of {self.graph.function_name}",
            )
        return self._adjoint(found.index)

    def _adjoint(self, index: int) -> Any:
        adjoint = self._adjoints[index]
        return np.zeros_like(self.graph.records[index].value) if adjoint is None else adjoint

    def __repr__(self) -> str:
        return f"<Backward of {self.graph.function_name}: {len(self._trail)} steps>"


def backward(graph: Graph, seed: Any = None) -> Backward:
    """Run the reverse pass; see :meth:`Graph.backward`."""
    records = graph.records
    adjoints: list[Any] = [None] * len(records)
    adjoints[graph.output_index] = _seed(graph, seed)
    trail: list[tuple[int, list[tuple[int, Any]]]] = []
    # Every node comes after its parents, so going through the list from the end
    # meets a node only when all contributions to it have arrived.
    for index in range(graph.output_index, graph.input_count - 1, -1):
        g = adjoints[index]
        row, args, parents, keywords, value, _, _ = records[index]
        if g is None or row is CONSTANT:
            continue
        gifts = []
        for k, parent in enumerate(parents):
            if parent is None or records[parent].row is CONSTANT or row.vjps[k] is None:
                continue
            gift = row.vjps[k](g, value, *args, **keywords)
            if gift.dtype != args[k].dtype:
                gift = gift.astype(args[k].dtype)
            known = adjoints[parent]
            adjoints[parent] = gift if known is None else known + gift
            gifts.append((k, gift))
        trail.append((index, gifts))
    result = Backward(graph, adjoints, trail)
    _warn_unused(result)
    return result


def _seed(graph: Graph, seed: Any) -> Any:
    """Return the adjoint of the output.

    Raises
    ------
    ShapeError
        If the output is not a number and there is no seed, or the shapes differ.
    """
    value = graph.value
    if seed is None:
        if value.shape != ():
            raise ShapeError(
                "The output is not a single number, so it has no gradient.",
                given=f"{graph.output.name} of shape {value.shape}",
                expected="shape ()",
                instead="return a number, for example np.sum(…), "
                "or pass the adjoint of the output: backward(seed=…)",
            )
        return np.ones_like(value)[()]
    seed = np.asarray(seed, dtype=value.dtype)[()]
    if seed.shape != value.shape:
        raise ShapeError(
            "The seed must have the shape of the output.",
            given=f"a seed of shape {seed.shape}",
            expected=f"shape {value.shape}, that of {graph.output.name}",
        )
    return seed


def _warn_unused(result: Backward) -> None:
    """Name the inputs that the output does not depend on: probably a forgotten use."""
    unused = [i for i in range(result.graph.input_count) if result._adjoints[i] is None]
    if unused:
        names = ", ".join(result.graph.nodes[i].name for i in unused)
        warnings.warn(
            BackpropWarning(f"The output does not depend on {names}: the gradient there is zero."),
            stacklevel=4,
        )


def _own(gradient: Any) -> Any:
    """Return an array that nobody else holds and that may be written to."""
    return np.array(gradient) if isinstance(gradient, np.ndarray) else gradient


def _some(index: int | None) -> int:
    assert index is not None  # a contribution always has a parent
    return index

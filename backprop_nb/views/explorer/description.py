"""What there is to say of a graph, worked out once: how each node is made, what each step hands on.

Scene, text twin and cost are made from it.  Every name in its texts is marked with
its node, as :mod:`backprop_nb.views.links` says; ``links.read`` takes the marks out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from backprop_nb.tracing import Backward, Contribution, Graph, Node, Step
from backprop_nb.tracing.emit.notation import adjoint_to_latex
from backprop_nb.tracing.emit.rule import Rule, call_text
from backprop_nb.tracing.health import Mark
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.views import links
from backprop_nb.views.explorer.cost import Cost, cost
from backprop_nb.views.links import Name


@dataclass(frozen=True, slots=True)
class DescribedNode:
    """A node, how it is computed as NumPy (empty for an input), and what to beware of there."""

    node: Node
    call: str
    marks: tuple[Mark, ...]

    @property
    def kind(self) -> Literal["input", "constant", "operation"]:
        """What made it."""
        if self.node.op is None:
            return "input"
        return "constant" if self.node.op == CONSTANT else "operation"

    @property
    def latex(self) -> str:
        """The call as LaTeX."""
        return call_text(self.node, "latex", links.mark)

    @property
    def text(self) -> str:
        """The call without marks."""
        return links.read(self.call)[0]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A contribution as it arrives at its parent, the ``number``-th of ``count`` there.

    ``before`` is what had arrived before, ``None`` at the first; ``total`` what has now.
    """

    contribution: Contribution
    rule: Rule
    number: int
    count: int
    before: Any
    total: Any

    @property
    def completes_a_sum(self) -> bool:
        """Whether it is the last of several, so that the adjoint is known as a whole."""
        return self.count == self.number > 1

    @property
    def line(self) -> tuple[str, list[Name]]:
        """The line of the backward pass, and where names stand in it."""
        parent = self.contribution.parent
        target = links.mark(f"d_{parent.name}", parent, True)
        return links.read(f"{target} {'=' if self.number == 1 else '+='} {self.rule.numpy}")

    @property
    def target(self) -> str:
        """The adjoint that it adds to, as LaTeX."""
        parent = self.contribution.parent
        latex = adjoint_to_latex(self.contribution.output, parent.name)
        return links.mark(latex, parent, True)

    @property
    def text(self) -> str:
        """The rule as NumPy, without marks."""
        return links.read(self.rule.numpy)[0]


class Description:
    """A graph, its nodes and the steps back with what each hands on.

    Attributes
    ----------
    graph
        The graph.
    backward
        The reverse pass, ``None`` where the output is an array.
    note
        Why there is no reverse pass; empty where there is one.
    nodes
        One for each node.
    steps
        Each step back with what arrives.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.backward: Backward | None = None
        self.note = ""
        if graph.value.shape == ():
            self.backward = graph.backward()
        else:
            self.note = (
                f"The output {graph.output.name} has shape {graph.value.shape}. A backward pass "
                "starts from a single number, or needs a seed: graph.backward(seed=…)."
            )
        self.nodes = [
            DescribedNode(node, call_text(node, mark=links.mark), node.health)
            for node in graph.nodes
        ]
        self.steps = list(_steps(self.backward)) if self.backward else []

    def cost(self) -> Cost:
        """Return what the gradient costs in either direction."""
        arrivals = (arrival for _, each in self.steps for arrival in each)
        return cost(self.graph, ((a.contribution.parent.index, a.rule) for a in arrivals))


def _steps(backward: Backward) -> Iterator[tuple[Step, list[Arrival]]]:
    counts = Counter(c.parent.index for step in backward.steps for c in step.contributions)
    numbers: Counter[int] = Counter()
    totals: dict[int, Any] = {}
    for step in backward.steps:
        arrivals = []
        for contribution in step.contributions:
            parent, value = contribution.parent.index, contribution.value
            numbers[parent] += 1
            before = totals.get(parent)
            totals[parent] = value if before is None else before + value
            rule = contribution.explain(links.mark)
            count = counts[parent]
            arrivals.append(
                Arrival(contribution, rule, numbers[parent], count, before, totals[parent])
            )
        yield step, arrivals

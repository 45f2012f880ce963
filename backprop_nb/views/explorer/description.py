"""What there is to say of a graph, worked out once: how each node is made, what each step hands on.

Scene, text twin and cost are made from it.  Every name in its texts is marked with
its node, as :mod:`backprop_nb.views.links` says; ``links.read`` takes the marks out.
The second half is the text twin.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from backprop_nb import display
from backprop_nb.errors import counted
from backprop_nb.tracing import Backward, Contribution, Graph, Node, Step
from backprop_nb.tracing.emit.notation import derivative_to_latex
from backprop_nb.tracing.emit.rule import Rule, call_text
from backprop_nb.tracing.health import Mark
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.views import links, numbers
from backprop_nb.views.explorer import badges
from backprop_nb.views.explorer.cost import Cost, cost
from backprop_nb.views.explorer.grouping import groups_of, hidden_in, innermost
from backprop_nb.views.links import Name


@dataclass(frozen=True)
class DescribedNode:
    """A node, and what to beware of there."""

    node: Node
    marks: tuple[Mark, ...]

    @cached_property
    def call(self) -> str:
        """How it is computed, as NumPy; empty for an input."""
        return call_text(self.node, mark=links.mark)

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
        return call_text(self.node)


@dataclass(frozen=True)
class Arrival:
    """A contribution as it arrives at its parent, the ``number``-th of ``count`` there."""

    contribution: Contribution
    number: int
    count: int
    sums: Sums

    @property
    def value(self) -> Any:
        """The contribution as an array or a number."""
        return self.sums.value(self.contribution)

    @property
    def before(self) -> Any:
        """What had arrived before, ``None`` at the first."""
        return self.sums.of(self.contribution.parent, self.number)[0]

    @property
    def total(self) -> Any:
        """What has arrived now."""
        return self.sums.of(self.contribution.parent, self.number)[1]

    @cached_property
    def rule(self) -> Rule:
        """The rule that it comes from."""
        return self.contribution.explain(links.mark)

    @property
    def completes_a_sum(self) -> bool:
        """Whether it is the last of several, so that the adjoint is known as a whole."""
        return self.count == self.number > 1

    @property
    def line(self) -> tuple[str, list[Name]]:
        """The line of the backward pass, and where names stand in it."""
        parent = self.contribution.parent
        target = links.mark(parent.adjoint_name, parent, True)
        return links.read(f"{target} {self.sign} {self.rule.numpy}")

    @property
    def sign(self) -> str:
        """How it is assigned: what comes later is added."""
        return "=" if self.number == 1 else "+="

    @property
    def target(self) -> str:
        """The adjoint that it adds to, as LaTeX."""
        parent = self.contribution.parent
        latex = derivative_to_latex(self.contribution.output, parent.name)
        return links.mark(latex, parent, True)

    @property
    def text(self) -> str:
        """The rule as NumPy, without marks."""
        return self.contribution.rule


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
        self.nodes = [DescribedNode(node, node.health) for node in graph.nodes]
        self.steps = list(_steps(self.backward)) if self.backward else []

    def forward_words(self, node: Node, most: int | None = None) -> list[Any]:
        """Say a step forward in a sentence: texts, and arrays where their words stand.

        A call of more than ``most`` nodes is not spelled out.
        """
        described = self.nodes[node.index]
        call = "" if most and len(node.parents) > most else f"{described.text} = "
        return [f"Forward. {node.name} = {call}", node.value, f".{badges.words(described.marks)}"]

    def step_words(
        self, step: Step, arrivals: Sequence[Arrival], most: int | None = None
    ) -> list[Any]:
        """Say a step back in a sentence or two, with ``most`` of its contributions."""
        said = [f"Backward from {step.node.name}, adjoint ", step.adjoint]
        for each in arrivals[:most]:
            name, before = each.contribution.parent.name, ". " if each is arrivals[0] else "; "
            said += [f"{before}{name} receives {each.text} = ", each.value]
        if more := len(arrivals) - len(arrivals[:most]):
            said.append(f"; and {more} more receive theirs")
        return [*said, f".{badges.words(self.nodes[step.node.index].marks)}"]

    def cost(self) -> Cost:
        """Return what the gradient costs in either direction."""
        return cost(self.graph, (c for step, _ in self.steps for c in step.contributions))


class Sums:
    """What has arrived at each node by and by, in the order of the steps.

    A sum is made when it is asked for: an array of which every entry is used has as many
    of them as entries.
    """

    def __init__(self, backward: Backward) -> None:
        self.given: dict[Node, list[Contribution]] = defaultdict(list)
        for step in backward.steps:
            for each in step.contributions:
                self.given[each.parent].append(each)
        self._last: dict[Node, tuple[int, Any, Any]] = {}
        self._node: Node | None = None
        self._values: dict[Contribution, Any] = {}

    def value(self, given: Contribution) -> Any:
        """Return the value of a contribution; those of a node are kept until another's is asked."""
        if given.node is not self._node:
            self._node, self._values = given.node, {}
        if given not in self._values:
            self._values[given] = given.value
        return self._values[given]

    def of(self, node: Node, number: int) -> tuple[Any, Any]:
        """Return what had arrived before the ``number``-th contribution, and what has with it."""
        known, before, total = self._last.get(node, (0, None, None))
        if known > number:
            known, before, total = 0, None, None
        for each in self.given[node][known:number]:
            before, total = total, each.value if total is None else total + each.value
        self._last[node] = number, before, total
        return before, total


def _steps(backward: Backward) -> Iterator[tuple[Step, list[Arrival]]]:
    sums, arrived = Sums(backward), Counter[Node]()
    for step in backward.steps:
        arrivals = []
        for each in step.contributions:
            arrived[each.parent] += 1
            count = len(sums.given[each.parent])
            arrivals.append(Arrival(each, arrived[each.parent], count, sums))
        yield step, arrivals


# --- the text twin ------------------------------------------------------------------


def alt_text(graph: Graph, folded: int = 0) -> str:
    """Return one sentence that stands for the picture, in which some groups are folded."""
    inputs = [node.name for node in graph.inputs]
    names = ", ".join(inputs[:12]) + (f" and {len(inputs) - 12} more" if len(inputs) > 12 else "")
    shape = graph.value.shape
    result = f" of shape {shape}" if shape else f" = {numbers.long(float(graph.value))}"
    given = "input" if len(inputs) == 1 else "inputs"
    groups = "group is" if folded == 1 else "groups are"
    cards = f"; {folded} {groups} folded to one card each" if folded else ""
    return (
        f"Computation graph of {graph.function_name} with {counted(len(graph.nodes), 'node')}, "
        f"from the {given} {names} to {graph.output.name}{result}{cards}."
    )


def describe_graph(graph: Graph, folded: Collection[str] = ()) -> str:
    """Return the text twin of a graph: what it computes, forward and back, with numbers.

    Of a folded group it tells what the folded card shows: how many nodes there are,
    the result, and what is handed out of the group on the way back.
    """
    description = Description(graph)
    groups = groups_of(graph) if folded else []
    hidden = hidden_in(
        [group.parent for group in groups],
        innermost(groups, len(graph.nodes)),
        {number for number, group in enumerate(groups) if group.id in folded},
    )
    lines = [
        f"Computation graph of {graph.function_name}: {counted(len(graph.nodes), 'node')}, "
        f"{counted(len(graph.inputs), 'input')}; "
        f"{graph.output.name} = {numbers.words(graph.value)}.",
        *([graph.missing_source] if graph.missing_source else []),
        "",
        "Forward",
    ]
    last = {group: index for index, group in enumerate(hidden) if group is not None}
    for described, group in zip(description.nodes, hidden, strict=True):
        if group is None:
            lines += _node_lines(described)
        elif last[group] == described.node.index:
            members = [each for each in description.nodes if hidden[each.node.index] == group]
            lines += _group_lines(groups[group].name, members)
    if description.backward is None:
        lines += ["", "Backward", f"  {description.note}"]
        return display.folded(lines)
    d_z = next((node.adjoint_name for node in graph.nodes if node.name == "z"), "d_z")
    lines += ["", f"Backward ({d_z} is the derivative of {graph.output.name} with respect to z)"]
    lines += [
        f"  {given.parent.adjoint_name} {each.sign} {each.text}: {numbers.words(each.value)}"
        for step, arrivals in description.steps
        for each in arrivals
        for given in [each.contribution]
        if hidden[step.node.index] is None or hidden[step.node.index] != hidden[given.parent.index]
    ]
    lines += ["", "Cost of all derivatives, counted in multiplications by a local derivative"]
    lines += [f"  {way}: {text}" for way, text, _ in description.cost().ways]
    return display.folded(lines)


def _node_lines(described: DescribedNode) -> Iterator[str]:
    node = described.node
    made = f"{node.name} = {described.text or described.kind}"
    yield f"  {made}, {numbers.shape_text(node.shape)}: {numbers.words(node.value)}"
    yield from (f"    {mark}" for mark in described.marks)


def _group_lines(name: str, members: list[DescribedNode]) -> Iterator[str]:
    """Say what a folded card says, at the last node of its group."""
    node = members[-1].node
    result = f"{node.name}, {numbers.shape_text(node.shape)}: {numbers.words(node.value)}"
    yield f"  [{name}] {counted(len(members), 'node')}, folded; the last is {result}"
    marks = Counter(mark.kind for member in members for mark in member.marks)
    yield from (f"    {kind} at {count} of them" for kind, count in marks.items())

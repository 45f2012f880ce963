"""A graph in words: the sentences of a replay, the text twin and what stands for a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from backprop_nb.tracing import Backward, Graph, Step
from backprop_nb.views import numbers
from backprop_nb.views.explorer import badges
from backprop_nb.views.explorer.description import Arrival, DescribedNode, Description
from backprop_nb.views.explorer.grouping import groups_of, hidden_in, innermost

START = "Start. The inputs are known, nothing is computed yet."


def forward_words(described: DescribedNode) -> str:
    """Say a call in a sentence."""
    node = described.node
    made = f"{node.name} = {described.text} = {numbers.words(node.value)}."
    return f"Forward. {made}{badges.words(described.marks)}"


def seed_words(backward: Backward) -> str:
    """Say how the way back begins."""
    output = backward.graph.output
    seed = numbers.words(backward.adjoint(output))
    return f"Backward. The adjoint of {output.name} itself is {seed}."


def step_words(step: Step, described: DescribedNode, arrivals: Collection[Arrival]) -> str:
    """Say a step back in a sentence or two."""
    given = "; ".join(
        f"{a.contribution.parent.name} receives {a.text} = {numbers.words(a.contribution.value)}"
        for a in arrivals
    )
    has = f"Backward from {step.node.name}, adjoint {numbers.words(step.adjoint)}."
    return f"{has}{f' {given}.' if given else ''}{badges.words(described.marks)}"


def alt_text(graph: Graph, folded: int = 0) -> str:
    """Return one sentence that stands for the picture, in which some groups are folded."""
    inputs = [node.name for node in graph.inputs]
    names = ", ".join(inputs[:12]) + (f" and {len(inputs) - 12} more" if len(inputs) > 12 else "")
    shape = graph.value.shape
    result = f" of shape {shape}" if shape else f" = {numbers.long(float(graph.value))}"
    groups = "group is" if folded == 1 else "groups are"
    cards = f"; {folded} {groups} folded to one card each" if folded else ""
    return (
        f"Computation graph of {graph.function_name} with {len(graph.nodes)} nodes, "
        f"from the inputs {names} to {graph.output.name}{result}{cards}."
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
        f"Computation graph of {graph.function_name}: {len(graph.nodes)} nodes, "
        f"{len(graph.inputs)} inputs; {graph.output.name} = {numbers.words(graph.value)}.",
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
        return "\n".join([*lines, "", "Backward", f"  {description.note}"])
    lines += ["", f"Backward (d_z is the derivative of {graph.output.name} with respect to z)"]
    lines += [
        f"  {arrival.line[0]}: {numbers.words(arrival.contribution.value)}"
        for step, arrivals in description.steps
        for arrival in arrivals
        if hidden[step.node.index] is None
        or hidden[step.node.index] != hidden[arrival.contribution.parent.index]
    ]
    lines += ["", "Cost of all derivatives, counted in multiplications by a local derivative"]
    lines += [f"  {way}: {text}" for way, text, _ in description.cost().ways]
    return "\n".join(lines)


def _node_lines(described: DescribedNode) -> Iterator[str]:
    node = described.node
    made = f"{node.name} = {described.text or described.kind}"
    yield f"  {made}, {numbers.shape_text(node.shape)}: {numbers.words(node.value)}"
    yield from (f"    {mark}" for mark in described.marks)


def _group_lines(name: str, members: list[DescribedNode]) -> Iterator[str]:
    """Say what a folded card says, at the last node of its group."""
    node = members[-1].node
    result = f"{node.name}, {numbers.shape_text(node.shape)}: {numbers.words(node.value)}"
    yield f"  [{name}] {len(members)} nodes, folded; the last is {result}"
    marks = Counter(mark.kind for member in members for mark in member.marks)
    yield from (f"    {kind} at {count} of them" for kind, count in marks.items())

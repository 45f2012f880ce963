"""A computation graph as a picture in plain data, and its replay frame by frame.

The scene is the one thing that the live view, the static figure and the text
twin are all made from, so they can never disagree.
"""

from __future__ import annotations

import io
import linecache
import tokenize
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_nb.tracing import Graph, Node, Source
from backprop_nb.tracing.backward import Backward, Contribution, Step
from backprop_nb.tracing.emit.notation import adjoint_to_latex, name_to_latex
from backprop_nb.tracing.emit.rule import Operand, call_text
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.views import links, numbers
from backprop_nb.views.explorer import marks
from backprop_nb.views.explorer.cost import cost, cost_scene
from backprop_nb.views.explorer.geometry import CARD, CONSTANT_CARD
from backprop_nb.views.explorer.grouping import ROOM, folded_at_first, groups_of, outermost
from backprop_nb.views.explorer.questions import question, seed_question
from backprop_nb.views.formula import mathml
from backprop_nb.views.numbers import Scale, fit_scale, fit_value_scale, long, tensor

Scene = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all numbers and hints of a scene have in common."""

    value: Scale
    adjoint: Scale
    hints: dict[str, int]
    told: bool
    known: dict[tuple[int, str, bool], tuple[Any, dict[str, Any]]]

    def tensor(self, value: Any, family: str, column: bool = False) -> dict[str, Any]:
        """Return an array as plain data; one that occurs again is the same data again."""
        key = id(value), family, column
        if key not in self.known:
            scale = self.adjoint if family == "adjoint" else self.value
            # The value is kept too, so that no other one can take over its identity.
            self.known[key] = value, tensor(value, scale, column, self.told)
        return self.known[key][1]


def graph_scene(graph: Graph, backward: Backward) -> Scene:
    """Return the scene of a graph: nodes, edges, groups, code, frames and scales.

    Everything in it is a dict, a list, a number or a text.  Where things lie depends
    on which groups are folded, and is in the scene's geometry.
    """
    nodes = graph.nodes
    edges = _edges(graph)
    groups = groups_of(graph)
    group_of = {index: k for k, group in enumerate(groups) for index in group.own}
    code = _Code(nodes)
    differentiable = [node for node in nodes if node.op != CONSTANT]
    shared = _Shared(
        fit_value_scale([node.value for node in nodes]),
        fit_scale((backward.adjoint(node) for node in differentiable), log=True),
        {},
        len(nodes) <= ROOM,
        {},
    )
    health = {node.index: node.health for node in nodes}
    looks = marks.looks(mark for each in health.values() for mark in each)
    scene: Scene = {
        "name": graph.function_name,
        "alt": alt_text(graph),
        "output": graph.output.index,
        "nodes": [
            _node(graph, backward, node, shared)
            | {"group": group_of.get(node.index), "code": code.place(node)}
            for node in nodes
        ],
        "edges": [{"tail": tail, "head": head} for tail, head, _ in edges],
        "groups": [
            {"id": group.id, "name": group.name, "parent": group.parent, "depth": group.depth}
            for group in groups
        ],
        "folded": folded_at_first(groups, len(nodes)),
        "code": code.blocks,
        "frames": [*_frames(graph, backward, shared, edges)],
        "hints": list(shared.hints),
        "cost": cost_scene(backward),
        "legend": {"value": shared.value.text, "adjoint": shared.adjoint.text},
    }
    _sum_up_groups(scene)
    # A healthy graph knows nothing of marks.
    if looks:
        scene["marks"] = marks.legend(looks)
    for node in nodes:
        if health[node.index]:
            width = CONSTANT_CARD[0] if node.op == CONSTANT else CARD[0]
            scene["nodes"][node.index]["marks"] = marks.badges(health[node.index], looks, width)
    return scene


def _sum_up_groups(scene: Scene) -> None:
    """Tell of each group how many nodes it has and which of them hands its result out."""
    sizes = [0] * len(scene["groups"])
    outputs: list[int | None] = [None] * len(scene["groups"])
    around = [_around(scene, node["group"]) for node in scene["nodes"]]
    for index, chain in enumerate(around):
        for group in chain:
            sizes[group] += 1
            if index == scene["output"]:
                outputs[group] = index
    for edge in scene["edges"]:
        tail, head = edge["tail"], edge["head"]
        if scene["nodes"][tail]["kind"] == "operation":
            for group in around[tail]:
                if group not in around[head]:
                    outputs[group] = max(tail, outputs[group] or 0)
    for group, size, output in zip(scene["groups"], sizes, outputs, strict=True):
        group["size"], group["output"] = size, output


def _around(scene: Scene, group: int | None) -> list[int]:
    """Return a group and all groups around it."""
    chain = []
    while group is not None:
        chain.append(group)
        group = scene["groups"][group]["parent"]
    return chain


def _edges(graph: Graph) -> list[tuple[int, int, int]]:
    """Return every edge as tail, head and the argument of the head's call that it is."""
    return [
        (parent, head, position)
        for head, record in enumerate(graph.records)
        for position, parent in enumerate(record.parents)
        if parent is not None
    ]


def _node(graph: Graph, backward: Backward, node: Node, shared: _Shared) -> dict[str, Any]:
    row = graph.records[node.index].row
    constant = node.op == CONSTANT
    latex = name_to_latex(node.name)
    text, names = links.read(call_text(node, mark=links.mark))
    formula = call_text(node, "latex", links.mark)
    return {
        "name": node.name,
        "latex": latex,
        "title": mathml(links.mark(latex, node, False)),
        "kind": "input" if node.op is None else "constant" if constant else "operation",
        "op": node.op or "input",
        "symbol": getattr(row, "symbol", ""),
        "text": text,
        "names": names,
        "formula": mathml(formula) if row and not constant else None,
        "source": str(node.source) if node.source else "",
        "parents": [parent.index for parent in node.parents],
        "value": shared.tensor(node.value, "value"),
        "adjoint": None if constant else shared.tensor(backward.adjoint(node), "adjoint"),
    }


class _Code:
    """The learner's source: the functions that made the nodes, each once."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        places = dict.fromkeys(
            (node.source.filename, node.source.block) for node in nodes if node.source
        )
        # The traced function first, then what it calls, each in its file's order.
        self._blocks = list(places)
        self.blocks: list[dict[str, Any]] = []
        for filename, (first, last) in self._blocks:
            lines = self._lines(filename, first, last)
            self.blocks.append({"first": first, "lines": lines, "comments": comments(lines)})

    @staticmethod
    def _lines(filename: str, first: int, last: int) -> list[str]:
        lines = [
            linecache.getline(filename, number).rstrip("\n") for number in range(first, last + 1)
        ]
        indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
        return [line[min(indents, default=0) :] for line in lines]

    def place(self, node: Node) -> dict[str, Any] | None:
        """Return where the expression of a node stands in the blocks."""
        source = node.source
        if source is None:
            return None
        block = self._blocks.index((source.filename, source.block))
        return {
            "block": block,
            "start": self._inside(source, block, source.start),
            "end": self._inside(source, block, source.end),
        }

    def _inside(self, source: Source, block: int, place: tuple[int, int]) -> list[int]:
        line, column = place
        full = linecache.getline(source.filename, line).rstrip("\n")
        kept = self.blocks[block]["lines"][line - source.block[0]]
        return [line - source.block[0], max(0, column - (len(full) - len(kept)))]


def comments(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Return where comments begin in source: line and column, both from 0.

    >>> comments(["x = (  # the sum", "    'no # comment')"])
    [(0, 7)]
    """
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline))
    except (tokenize.TokenError, SyntaxError):  # a part of a source may be none by itself
        return []
    begins = [token.start for token in tokens if token.type == tokenize.COMMENT]
    return [(line - 1, column) for line, column in begins]


def _frames(
    graph: Graph, backward: Backward, shared: _Shared, edges: Sequence[tuple[int, int, int]]
) -> Iterator[dict[str, Any]]:
    """Yield every moment of the replay: the start, each call forward, each step back."""
    yield _frame("start", None, "Start. The inputs are known, nothing is computed yet.")
    for node in graph.nodes:
        if node.op not in (None, CONSTANT):
            text = f"{node.name} = {call_text(node)} = {numbers.words(node.value)}."
            yield _frame("forward", node, f"Forward. {text}{marks.words(node.health)}")
    output = graph.output
    if output.op == CONSTANT:
        return
    seed = numbers.words(backward.adjoint(output))
    frame = _frame("seed", output, f"Backward. The adjoint of {output.name} itself is {seed}.")
    yield frame | {"ask": seed_question(output.name, shared.hints)}
    gifts = _Gifts(graph, backward.steps, shared, edges)
    for step in backward.steps:
        given = [gifts.describe(gift) for gift in step.contributions]
        yield _frame("backward", step.node, _step_words(step), given)


def _frame(
    phase: str, node: Node | None, words: str, gifts: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    return {
        "phase": phase,
        "node": None if node is None else node.index,
        "words": words,
        "gifts": list(gifts),
    }


class _Gifts:
    """Describes contributions in the order in which they arrive, and adds them up."""

    def __init__(
        self,
        graph: Graph,
        steps: Sequence[Step],
        shared: _Shared,
        edges: Sequence[tuple[int, int, int]],
    ) -> None:
        self._output = graph.output.name
        self._shared = shared
        self._edge = {(head, position): k for k, (_, head, position) in enumerate(edges)}
        self._expected = Counter(gift.parent.index for step in steps for gift in step.contributions)
        self._arrived: dict[int, list[Any]] = {}

    def describe(self, gift: Contribution) -> dict[str, Any]:
        """Return one contribution with its rule, its factors and the sum so far."""
        parent, rule = gift.parent, gift.explain(links.mark)
        arrived = self._arrived.setdefault(parent.index, [])
        before = sum(arrived) if arrived else None
        arrived.append(gift.value)
        is_last = len(arrived) == self._expected[parent.index]
        first = len(arrived) == 1
        target = links.mark(adjoint_to_latex(self._output, parent.name), parent, True)
        sign = "=" if first else r"\; \text{+=} \;"
        symbol, factors = rule.product
        name = links.mark(f"d_{parent.name}", parent, True)
        line, names = links.read(f"{name} {'=' if first else '+='} {rule.numpy}")
        return {
            "parent": parent.index,
            "edge": self._edge[gift.node.index, gift.position],
            "line": line,
            "names": names,
            "formula": mathml(rf"{target} {sign} {rule.latex}"),
            "symbol": symbol,
            "factors": [
                self._factor(factor, symbol, position, factors)
                for position, factor in enumerate(factors)
            ],
            "value": self._shared.tensor(
                gift.value,
                "adjoint",
                column=symbol == "@" and np.ndim(factors[1].value) == 1,
            ),
            "arrival": len(arrived),
            "arrivals": self._expected[parent.index],
            "sum": self._shared.tensor(sum(arrived), "adjoint"),
            "ask": question(gift, rule, before, is_last, self._shared.hints),
        }

    def _factor(
        self, factor: Operand, symbol: str, position: int, factors: Sequence[Operand]
    ) -> dict[str, Any]:
        """Return a factor; the vector on the right of a matrix, or left of ⊗, stands upright."""
        upright = {"@": 1, "⊗": 0}.get(symbol) == position
        text, names = links.read(factor.numpy)
        adjoint = bool(names) and names[0][0] == 0 and names[0][2].startswith("a")
        family = "adjoint" if adjoint else "value"
        return {
            "text": text,
            "names": names,
            "family": family,
            "value": self._shared.tensor(factor.value, family, column=upright),
        }


def _step_words(step: Step) -> str:
    """Say a step back in a sentence or two."""
    gifts = [
        f"{gift.parent.name} receives {gift.rule} = {numbers.words(gift.value)}"
        for gift in step.contributions
    ]
    has = f"Backward from {step.node.name}, adjoint {numbers.words(step.adjoint)}"
    handed = f" {'; '.join(gifts)}." if gifts else ""
    return f"{has}.{handed}{marks.words(step.node.health)}"


def describe_graph(graph: Graph, folded: Collection[str] = ()) -> str:
    """Return the text twin of a graph: what it computes, forward and back, with numbers.

    Of a folded group it tells what the folded card shows: how many nodes there are,
    the result, and what is handed out of the group on the way back.
    """
    backward = _backward_or_none(graph)
    within = _Folded(graph, folded)
    lines = [
        f"Computation graph of {graph.function_name}: {len(graph.nodes)} nodes, "
        f"{len(graph.inputs)} inputs; {graph.output.name} = {numbers.words(graph.value)}.",
        "",
        "Forward",
    ]
    for node in graph.nodes:
        lines += within.card(node) if node.index in within.group_of else _forward_lines(graph, node)
    if backward is None:
        return "\n".join(lines)
    lines += ["", f"Backward (d_z is the derivative of {graph.output.name} with respect to z)"]
    seen: set[int] = set()
    for step in backward.steps:
        for gift in step.contributions:
            sign = "+=" if gift.parent.index in seen else "="
            seen.add(gift.parent.index)
            if not within.hides(gift):
                rule = f"d_{gift.parent.name} {sign} {gift.rule}"
                lines.append(f"  {rule}: {numbers.words(gift.value)}")
    lines += ["", "Cost of all derivatives, counted in multiplications by a local derivative"]
    lines += [f"  {line}" for line in cost(backward).lines]
    return "\n".join(lines)


def _forward_lines(graph: Graph, node: Node) -> list[str]:
    made = call_text(node) or ("constant" if node.op == CONSTANT else "input")
    shape = numbers.shape_text(node.shape)
    marked = [f"    {mark}" for mark in node.health]
    return [f"  {node.name} = {made}, {shape}: {numbers.words(node.value)}", *marked]


class _Folded:
    """What the text twin says of folded groups, each at the node that is its result."""

    def __init__(self, graph: Graph, folded: Collection[str]) -> None:
        groups = groups_of(graph) if folded else []
        hidden = outermost(
            [group.parent for group in groups],
            [k for k, group in enumerate(groups) if group.id in folded],
        )
        self.group_of = {
            index: out
            for group, out in zip(groups, hidden, strict=True)
            if out is not None
            for index in group.own
        }
        self._names = [group.name for group in groups]
        members: dict[int, list[Node]] = {}
        for index in sorted(self.group_of):
            members.setdefault(self.group_of[index], []).append(graph.nodes[index])
        self._members = {nodes[-1].index: nodes for nodes in members.values()}

    def card(self, node: Node) -> list[str]:
        """Return the lines of a group at its last node, and none at the others."""
        members = self._members.get(node.index)
        if members is None:
            return []
        name = self._names[self.group_of[node.index]]
        shape = numbers.shape_text(node.shape)
        last = f"{node.name}, {shape}: {numbers.words(node.value)}"
        marks = Counter(mark.kind for member in members for mark in member.health)
        return [
            f"  [{name}] {len(members)} nodes, folded; the last is {last}",
            *(f"    {kind} at {count} of them" for kind, count in marks.items()),
        ]

    def hides(self, gift: Contribution) -> bool:
        """Whether a contribution stays inside one folded group."""
        group = self.group_of.get(gift.node.index)
        return group is not None and group == self.group_of.get(gift.parent.index)


def _backward_or_none(graph: Graph) -> Backward | None:
    """Return the reverse pass where the output is a number; else there is none to tell."""
    return graph.backward() if graph.value.shape == () else None


def alt_text(graph: Graph, folded: int = 0) -> str:
    """Return one sentence that stands for the picture, in which some groups are folded."""
    inputs = [node.name for node in graph.inputs]
    names = ", ".join(inputs[:12]) + (f" and {len(inputs) - 12} more" if len(inputs) > 12 else "")
    groups = "group is" if folded == 1 else "groups are"
    cards = f"; {folded} {groups} folded to one card each" if folded else ""
    text = f"Computation graph of {graph.function_name} with {len(graph.nodes)} nodes"
    if graph.value.shape == ():
        text += f", from the inputs {names} to {graph.output.name} = {long(float(graph.value))}"
    return f"{text}{cards}."

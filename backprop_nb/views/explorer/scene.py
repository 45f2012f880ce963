"""A computation graph as a picture in plain data, and its replay frame by frame.

The scene is the one thing that the live view and the static figure are made from, so
they can never disagree; what it says comes from the same description as the text twin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

from backprop_nb.errors import counted
from backprop_nb.tracing import Graph, Node
from backprop_nb.tracing.collector import young_only
from backprop_nb.tracing.emit.notation import name_to_latex
from backprop_nb.tracing.emit.rule import Operand
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.views import links, numbers
from backprop_nb.views.explorer.badges import style_of, styles_of
from backprop_nb.views.explorer.description import (
    Arrival,
    DescribedNode,
    Description,
    alt_text,
)
from backprop_nb.views.explorer.grouping import (
    PART,
    ROOM,
    Group,
    folded_at_first,
    groups_of,
    innermost,
)
from backprop_nb.views.explorer.questions import question, seed_question
from backprop_nb.views.explorer.source_blocks import source_blocks
from backprop_nb.views.formula import Formulas
from backprop_nb.views.numbers import fit_scale, fit_value_scale, tensor
from backprop_nb.views.schema import (
    ExplorerContribution,
    ExplorerFactor,
    ExplorerFrame,
    ExplorerGroup,
    ExplorerLegend,
    ExplorerNode,
    ExplorerScene,
    Family,
    Tensor,
)


@young_only()
def graph_scene(graph: Graph, on_paper: bool = False) -> ExplorerScene:
    """Return the scene of a graph: nodes, edges, groups, code, frames and scales.

    Where things lie depends on which groups are folded, and is in the scene's geometry.
    Of a graph whose output is an array the scene has the way forward alone.  A scene for
    paper lacks what is not drawn there: words, formulas, code and questions.
    """
    description = Description(graph)
    groups = groups_of(graph)
    group_of = innermost(groups, len(graph.nodes))
    writer = (_PaperWriter if on_paper else _Writer)(description)
    return {
        "name": graph.function_name,
        "alt": alt_text(graph),
        "output": graph.output_index,
        "note": description.note,
        "nodes": [
            writer.node(described, group)
            for described, group in zip(description.nodes, group_of, strict=True)
        ],
        "edges": [{"tail": tail, "head": head} for tail, head, _ in writer.edges],
        "groups": _groups(graph, groups, group_of),
        "folded": folded_at_first(groups, len(graph.nodes)),
        "code": [] if on_paper else source_blocks(graph.nodes),
        "missing_source": graph.missing_source,
        "frames": list(writer.frames()),
        "cost": description.cost().scene() if description.steps and not on_paper else None,
        "tensors": writer.tensors,
        "shapes": writer.formulas.shapes,
        "marks": writer.styles,
        "legend": writer.legend,
    }


def _groups(
    graph: Graph, groups: Sequence[Group], group_of: Sequence[int | None]
) -> list[ExplorerGroup]:
    """Return each group with how many nodes it has, and which of them hands its result out."""
    around: list[list[int]] = []  # all groups that a node is in
    for group in group_of:
        chain = []
        while group is not None:
            chain.append(group)
            group = groups[group].parent
        around.append(chain)
    sizes = Counter(group for chain in around for group in chain)
    outputs: dict[int, int] = {}
    for node in graph.nodes:
        for parent in node.parents:
            if parent.op not in (None, CONSTANT):
                for number in set(around[parent.index]).difference(around[node.index]):
                    outputs[number] = max(parent.index, outputs.get(number, 0))
    outputs |= dict.fromkeys(around[graph.output_index], graph.output_index)
    return [
        {
            "id": group.id,
            "name": group.name,
            "title": group.name.partition(PART)[0],
            "below": group.name.partition(PART)[2] or counted(sizes[number], "node"),
            "parent": group.parent,
            "size": sizes[number],
            "output": outputs.get(number),
        }
        for number, group in enumerate(groups)
    ]


class _PaperWriter:
    """Writes as plain data what is drawn; an array that occurs again is there once."""

    def __init__(self, description: Description) -> None:
        self._description = description
        graph, backward = description.graph, description.backward
        self._scales = {"value": fit_value_scale([node.value for node in graph.nodes])}
        self.legend: ExplorerLegend = {"value": self._scales["value"].text, "adjoint": ""}
        if backward:
            adjoints = [backward.adjoint(node) for node in graph.nodes if graph.carries[node.index]]
            self._scales["adjoint"] = fit_scale(adjoints, log=True)
            self.legend["adjoint"] = self._scales["adjoint"].text
        self._numbered = len(graph.nodes) <= ROOM
        self._arrays: list[tuple[Any, Family, bool]] = []
        self.formulas = Formulas()
        self._objects: dict[tuple[Any, ...], tuple[Any, int]] = {}
        self._known: dict[tuple[Any, ...], int] = {}
        self.styles = styles_of(mark for node in description.nodes for mark in node.marks)
        self.edges = [
            (parent, head, position)
            for head, record in enumerate(graph.records)
            for position, parent in enumerate(record.parents)
            if parent is not None
        ]
        self._edge = {(head, position): k for k, (_, head, position) in enumerate(self.edges)}

    def _tensor(self, value: Any, family: Family, column: bool = False) -> int:
        """Return the number of an array; ``column`` stands a vector upright.

        An array is known by what is in it, and one that comes again by itself, which is faster.
        """
        same = (id(value), family, column)
        if same not in self._objects:
            array = np.ascontiguousarray(value, dtype=np.float64)
            key = (blake2b(array.tobytes()).digest(), np.shape(value), family, column)
            if key not in self._known:
                self._known[key] = len(self._arrays)
                self._arrays.append((value, family, column))
            self._objects[same] = value, self._known[key]
        return self._objects[same][1]

    @property
    def tensors(self) -> Sequence[Tensor]:
        """All arrays of the scene as plain data."""
        return _OnDemand(len(self._arrays), self.tensor)

    def tensor(self, number: int) -> Tensor:
        """Return one of the arrays as plain data."""
        value, family, column = self._arrays[number]
        return tensor(value, self._scales[family], column, self._numbered)

    def node(self, described: DescribedNode, group: int | None) -> ExplorerNode:
        """Return a node without the texts about it."""
        node, backward = described.node, self._description.backward
        # No gradient comes back to a constant, and none through a comparison.
        has_adjoint = backward is not None and self._description.graph.carries[node.index]
        adjoint = backward.adjoint(node) if backward is not None and has_adjoint else None
        return {
            "name": node.name,
            "latex": name_to_latex(node.name),
            "title": [],
            "kind": described.kind,
            "symbol": getattr(node.record.row, "symbol", ""),
            "text": "",
            "names": [],
            "formula": None,
            "source": "",
            "parents": [parent.index for parent in node.parents],
            "value": self._tensor(node.value, "value"),
            "adjoint": None if adjoint is None else self._tensor(adjoint, "adjoint"),
            "marks": [
                {"text": str(mark), "style": self.styles.index(style_of(mark))}
                for mark in described.marks
            ],
            "group": group,
            "line": node.source.start[0] if node.source else None,
        }

    def frames(self) -> Iterator[ExplorerFrame]:
        """Yield every step of the replay: the start, each call forward, each step back."""
        description = self._description
        start = "Start. The inputs are known, nothing is computed yet."
        yield _frame("start", None, self._said([start], "value"))
        for described in description.nodes:
            if described.kind == "operation":
                words = self._said(described.words, "value")
                yield _frame("forward", described.node, words)
        output = description.graph.output
        if description.backward is None or output.op == CONSTANT:
            return
        itself = f"Backward. The adjoint of {output.name} itself is "
        said = self._said([itself, description.backward.adjoint(output), "."], "adjoint")
        yield {**_frame("seed", output, said), "ask": seed_question(output.name)}
        for step, arrivals in description.steps:
            said = self._said(description.step_words(step, arrivals), "adjoint")
            frame = _frame("backward", step.node, said)
            yield {**frame, "contributions": [self._contribution(each) for each in arrivals]}

    def _said(self, words: Sequence[Any], family: Family) -> list[str | int]:
        """Return words with the number of each array in its place; on paper there are none."""
        return []

    def _contribution(self, arrival: Arrival) -> ExplorerContribution:
        return self._drawn_contribution(arrival)

    def _drawn_contribution(self, arrival: Arrival, upright: bool = False) -> ExplorerContribution:
        contribution = arrival.contribution
        return {
            "parent": contribution.parent.index,
            "edge": self._edge[contribution.node.index, contribution.position],
            "line": "",
            "names": [],
            "target": [],
            "rule": [],
            "symbol": "",
            "factors": [],
            "value": self._tensor(contribution.value, "adjoint", upright),
            "arrival": arrival.number,
            "arrivals": arrival.count,
            "total": self._tensor(arrival.total, "adjoint"),
            "ask": None,
        }


class _Writer(_PaperWriter):
    """Writes nodes and frames with all that is said about them."""

    @property
    def tensors(self) -> Sequence[Tensor]:
        made: list[Any] = [None] * len(self._arrays)
        for family, scale in self._scales.items():
            own = [k for k, each in enumerate(self._arrays) if each[1] == family]
            arrays = [self._arrays[k][::2] for k in own]
            shown = numbers.tensors(arrays, scale, self._numbered)
            for k, each in zip(own, shown, strict=True):
                made[k] = each
        return made

    def node(self, described: DescribedNode, group: int | None) -> ExplorerNode:
        drawn = super().node(described, group)
        text, names = links.read(described.call)
        formula = described.latex
        return {
            **drawn,
            "title": self.formulas.formula(links.mark(drawn["latex"], described.node, False)),
            "text": text,
            "names": names,
            "formula": self.formulas.formula(formula) if formula else None,
            "source": str(described.node.source or ""),
        }

    def _said(self, words: Sequence[Any], family: Family) -> list[str | int]:
        return [each if isinstance(each, str) else self._tensor(each, family) for each in words]

    def _contribution(self, arrival: Arrival) -> ExplorerContribution:
        rule = arrival.rule
        symbol, factors = rule.product
        line, names = arrival.line
        upright = symbol == "@" and np.ndim(factors[1].value) == 1
        return {
            **self._drawn_contribution(arrival, upright),
            "line": line,
            "names": names,
            "target": self.formulas.formula(arrival.target),
            "rule": self.formulas.formula(rule.latex),
            "symbol": symbol,
            # The vector on the right of a matrix, or left of ⊗, stands upright.
            "factors": [
                self._factor(factor, column={"@": 1, "⊗": 0}.get(symbol) == position)
                for position, factor in enumerate(factors)
            ],
            "ask": question(arrival),
        }

    def _factor(self, factor: Operand, column: bool) -> ExplorerFactor:
        text, names = links.read(factor.numpy)
        begins_with_adjoint = bool(names) and names[0][0] == 0 and names[0][2].startswith("a")
        family: Family = "adjoint" if begins_with_adjoint else "value"
        value = self._tensor(factor.value, family, column)
        return {"text": text, "names": names, "family": family, "value": value}


class _OnDemand(Sequence[Any]):
    """A sequence whose items are made when they are asked for."""

    def __init__(self, length: int, item: Callable[[int], Any]) -> None:
        self._length, self._item = length, item

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        return self._item(range(self._length)[index])


def _frame(phase: Any, node: Node | None, said: Sequence[str | int]) -> ExplorerFrame:
    return {
        "phase": phase,
        "node": None if node is None else node.index,
        "words": said,
        "contributions": [],
        "ask": None,
    }

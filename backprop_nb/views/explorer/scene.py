"""A computation graph as a picture in plain data, and its replay frame by frame.

The scene is the one thing that the live view and the static figure are made from, so
they can never disagree; what it says comes from the same description as the text twin.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import cached_property
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
from backprop_nb.views.explorer.schema import (
    ExplorerContribution,
    ExplorerFactor,
    ExplorerFrame,
    ExplorerGroup,
    ExplorerLegend,
    ExplorerNode,
    ExplorerScene,
    Told,
)
from backprop_nb.views.explorer.source_blocks import source_blocks
from backprop_nb.views.formula import Formulas
from backprop_nb.views.links import Name
from backprop_nb.views.numbers import fit_scale, fit_value_scale, tensor
from backprop_nb.views.schema import Family, Tensor

_ARRIVALS = 8
"""So many contributions to a node are shown one by one, as in ``node_numbers.mjs``."""

TOLD = 3000
"""Of a graph with more nodes the words and formulas of what is folded away come later."""


def graph_scene(graph: Graph, on_paper: bool = False) -> ExplorerScene:
    """Return the scene of a graph: nodes, edges, groups, code, frames and scales.

    Where things lie depends on which groups are folded, and is in the scene's geometry.
    Of a graph whose output is an array the scene has the way forward alone.  A scene for
    paper lacks what is not drawn there: words, formulas, code and questions.
    """
    return GraphScene(graph, on_paper, in_full=True).data


class GraphScene:
    """The scene of a graph, whose nodes and steps are told of now, or once they show.

    Attributes
    ----------
    data
        The scene as plain data, with all that has been told so far.
    in_full
        Whether nothing is left to be told.
    """

    @young_only()
    def __init__(self, graph: Graph, on_paper: bool = False, in_full: bool | None = None) -> None:
        self.in_full = len(graph.nodes) <= TOLD if in_full is None else in_full
        description = Description(graph)
        groups = groups_of(graph)
        self._group_of = innermost(groups, len(graph.nodes))
        self._writer = writer = _Writer(description, on_paper, not on_paper and self.in_full)
        self.data: ExplorerScene = {
            "name": graph.function_name,
            "alt": alt_text(graph),
            "output": graph.output_index,
            "note": description.note,
            "nodes": [writer.node(*each) for each in enumerate(self._group_of)],
            "edges": [{"tail": tail, "head": head} for tail, head, _ in writer.edges],
            "groups": _groups(graph, groups, self._group_of),
            "folded": folded_at_first(groups, len(graph.nodes)),
            "code": [] if on_paper else source_blocks(graph.nodes),
            "missing_source": graph.missing_source,
            "frames": [writer.frame(step) for step in range(writer.count)],
            "cost": description.cost().scene() if description.steps and not on_paper else None,
            "tensors": writer.drawn_tensors() if on_paper else writer.tensors(),
            "shapes": writer.formulas.shapes,
            "marks": writer.styles,
            "legend": writer.legend,
        }
        self._told: set[int] = set()  # nodes
        self._said: set[int] = set()  # steps

    @cached_property
    def _reaching(self) -> dict[int, list[int]]:
        """By node the steps at which something reaches it, the earliest first."""
        found: dict[int, list[int]] = {}
        for step, frame in enumerate(self.data["frames"]):
            for given in frame["contributions"]:
                found.setdefault(given["parent"], []).append(step)
        return found

    def steps_to(self, nodes: Iterable[int], step: int) -> Iterator[int]:
        """Yield the last steps, up to a step, at which something has reached nodes."""
        for node in nodes:
            steps = self._reaching.get(node, [])
            end = bisect_right(steps, step)
            yield from steps[max(0, end - _ARRIVALS) : end]

    def _under_way(self, nodes: Iterable[int], steps: Collection[int]) -> Iterator[int]:
        """Yield the steps whose sums show on the cards of nodes, the whole adjoint left out."""
        for reaching in filter(None, map(self._reaching.get, nodes)):
            ends = {bisect_right(reaching, step) for step in steps} - {0, len(reaching)}
            yield from (reaching[end - 1] for end in ends)

    def tell(self, steps: Collection[int], nodes: Collection[int] = ()) -> Told | None:
        """Tell of steps with what had reached their nodes, and of nodes; return what is new."""
        data, writer = self.data, self._writer
        if self.in_full:
            return None
        nodes_at = {step: data["frames"][step]["node"] for step in steps}
        at = {step: node for step, node in nodes_at.items() if node is not None}
        reached = (one for step, node in at.items() for one in self.steps_to([node], step))
        new_steps = {*steps, *reached, *self._under_way(nodes, steps)} - self._said
        new_nodes = {*nodes, *at.values()} - self._told
        if not (new_nodes or new_steps):
            return None
        self._told |= new_nodes
        self._said |= new_steps
        after = len(data["tensors"]), len(data["shapes"])
        writer.tells = True
        told: Told = {
            "nodes": {str(k): writer.node(k, self._group_of[k], ROOM) for k in sorted(new_nodes)},
            "frames": {str(step): writer.frame(step, ROOM) for step in sorted(new_steps)},
            "tensors": writer.tensors(after[0]),
            "shapes": writer.formulas.shapes[after[1] :],
            "after": after,
        }
        for number, known in told["nodes"].items():
            data["nodes"][int(number)].update(known)
        for number, frame in told["frames"].items():
            here = data["frames"][int(number)]
            rest = here["contributions"][ROOM:]
            here.update({**frame, "contributions": [*frame["contributions"], *rest]})
        data["tensors"] = [*data["tensors"], *told["tensors"]]
        data["shapes"] = [*data["shapes"], *told["shapes"]]
        return told


def _groups(
    graph: Graph, groups: Sequence[Group], group_of: Sequence[int | None]
) -> list[ExplorerGroup]:
    """Return each group with how many nodes it has, and which of them hands its result out."""
    sizes = [len(group.own) for group in groups]
    for number, group in reversed([*enumerate(groups)]):
        if group.parent is not None:
            sizes[group.parent] += sizes[number]
    outputs = _results(graph, groups, group_of)
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


def _results(
    graph: Graph, groups: Sequence[Group], group_of: Sequence[int | None]
) -> dict[int, int]:
    """Return for each group the last of its nodes that is used outside of it, or is the output."""
    # In a walk through the groups each has a number, and those inside it have the next ones.
    size = [1] * len(groups)
    for number in reversed(range(len(groups))):
        if (parent := groups[number].parent) is not None:
            size[parent] += size[number]
    begin: list[int] = []
    free: dict[int | None, int] = {None: 0}
    for number, group in enumerate(groups):
        begin.append(free[group.parent])
        free[group.parent] += size[number]
        free[number] = begin[number] + 1
    # The first and the last number at which a node is used; -1 is outside of all groups.
    at = [-1 if group is None else begin[group] for group in group_of]
    first, last = [len(groups)] * len(at), [-1] * len(at)
    for node in graph.nodes:
        for used in node.parents:
            first[used.index] = min(first[used.index], at[node.index])
            last[used.index] = max(last[used.index], at[node.index])
    first[graph.output_index] = -1
    found: dict[int, int] = {}
    around = {number: group.parent for number, group in enumerate(groups)}

    def without(group: int | None) -> int | None:
        """Return the nearest group around that has no such node yet; steps are left out later."""
        while group in found:
            above = around[group]
            if above in found:
                around[group] = around[above]
            group = above
        return group

    made = [node.index for node in reversed(graph.nodes) if node.op not in (None, CONSTANT)]
    for index in [graph.output_index, *made]:
        inner = without(group_of[index])
        while inner is not None and not (
            begin[inner] <= first[index] and last[index] < begin[inner] + size[inner]
        ):
            found[inner] = index
            inner = without(inner)
    return found


class _Writer:
    """Writes nodes and frames as plain data, and if it ``tells``, all that is said about them.

    An array that occurs again is there once.
    """

    def __init__(self, description: Description, on_paper: bool, tells: bool) -> None:
        self._description, self._on_paper, self.tells = description, on_paper, tells
        graph, backward = description.graph, description.backward
        self._scales = {"value": fit_value_scale([node.value for node in graph.nodes])}
        self.legend: ExplorerLegend = {"value": self._scales["value"].text, "adjoint": ""}
        if backward:
            adjoints = [backward.adjoint(node) for node in graph.nodes if graph.carries[node.index]]
            self._scales["adjoint"] = fit_scale(adjoints, log=True)
            self.legend["adjoint"] = self._scales["adjoint"].text
        self._operations = [node for node in description.nodes if node.kind == "operation"]
        goes_back = backward is not None and graph.output.op != CONSTANT
        self.count = 1 + len(self._operations) + (1 + len(description.steps)) * goes_back
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

    def drawn_tensors(self) -> Sequence[Tensor]:
        """Return all arrays of the scene, as plain data once they are drawn."""
        return _OnDemand(len(self._arrays), self.tensor)

    def tensors(self, after: int = 0) -> list[Tensor]:
        """Return the arrays of the scene as plain data, those after so many."""
        made: list[Any] = [None] * len(self._arrays)
        for family, scale in self._scales.items():
            own = [k for k in range(after, len(made)) if self._arrays[k][1] == family]
            arrays = [self._arrays[k][::2] for k in own]
            shown = numbers.tensors(arrays, scale, self._numbered)
            for k, each in zip(own, shown, strict=True):
                made[k] = each
        return made[after:]

    def tensor(self, number: int) -> Tensor:
        """Return one of the arrays as plain data."""
        value, family, column = self._arrays[number]
        value = value.total if isinstance(value, Arrival) else value
        return tensor(value, self._scales[family], column, self._numbered)

    def node(self, index: int, group: int | None, most: int | None = None) -> ExplorerNode:
        """Return a node; of ``most`` parents a text names all."""
        described = self._description.nodes[index]
        node, backward = described.node, self._description.backward
        # No gradient comes back to a constant, and none through a comparison.
        has_adjoint = backward is not None and self._description.graph.carries[node.index]
        adjoint = backward.adjoint(node) if backward is not None and has_adjoint else None
        latex = name_to_latex(node.name)
        text, names, formula = "", list[Name](), ""
        if self.tells and most and len(node.parents) > most:  # nobody reads so many names
            text = f"{node.op} of {len(node.parents)} values"
        elif self.tells:
            (text, names), formula = links.read(described.call), described.latex
        written = self.formulas.formula
        return {
            "name": node.name,
            "latex": latex,
            "title": written(links.mark(latex, node, False)) if self.tells else [],
            "kind": described.kind,
            "symbol": getattr(node.record.row, "symbol", ""),
            "text": text,
            "names": names,
            "formula": written(formula) if formula else None,
            "source": str(node.source or "") if self.tells else "",
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

    def frame(self, step: int, most: int | None = None) -> ExplorerFrame:
        """Return a step of the replay: the start, a call forward, or a step back.

        Of many contributions it has so many as are wanted at most.
        """
        description, turn = self._description, len(self._operations) + 1
        if step == 0:
            start = ["Start. ", "The inputs are known, nothing is computed yet."]
            return _frame("start", None, self._said(lambda: start, "value"))
        if step < turn:
            node = self._operations[step - 1].node
            said = self._said(lambda: description.forward_words(node, most), "value")
            return _frame("forward", node, said)
        if step == turn and description.backward:
            output, seed = description.graph.output, description.backward.adjoint
            itself = f"Backward. The adjoint of {output.name} itself is "
            said = self._said(lambda: [itself, seed(output), "."], "adjoint")
            return {**_frame("seed", output, said), "ask": seed_question(output.name)}
        back, arrivals = description.steps[step - turn - 1]
        said = self._said(lambda: description.step_words(back, arrivals, most), "adjoint")
        given = [self._contribution(each) for each in arrivals[:most]]
        return {**_frame("backward", back.node, said), "contributions": given}

    def _said(self, words: Callable[[], Sequence[Any]], family: Family) -> list[str | int]:
        """Return words with the number of each array in its place."""
        said = words() if self.tells else ()
        return [each if isinstance(each, str) else self._tensor(each, family) for each in said]

    def _contribution(self, arrival: Arrival) -> ExplorerContribution:
        contribution = arrival.contribution
        drawn: ExplorerContribution = {
            "parent": contribution.parent.index,
            "edge": self._edge[contribution.node.index, contribution.position],
            "line": "",
            "names": [],
            "target": [],
            "rule": [],
            "symbol": "",
            "factors": [],
            "value": None,
            "before": None,
            "arrival": arrival.number,
            "arrivals": arrival.count,
            "total": self._sum(arrival),
            "ask": None,
        }
        if not self.tells:
            return drawn
        line, names = arrival.line
        symbol, factors = arrival.rule.product
        upright = symbol == "@" and np.ndim(factors[1].value) == 1
        return {
            **drawn,
            "line": line,
            "names": names,
            "target": self.formulas.formula(arrival.target),
            "rule": self.formulas.formula(arrival.rule.latex),
            "symbol": symbol,
            # The vector on the right of a matrix, or left of ⊗, stands upright.
            "factors": [
                self._factor(factor, column={"@": 1, "⊗": 0}.get(symbol) == position)
                for position, factor in enumerate(factors)
            ],
            "value": self._tensor(arrival.value, "adjoint", upright),
            "before": None if arrival.number == 1 else self._tensor(arrival.before, "adjoint"),
            "total": self._tensor(arrival.total, "adjoint"),
            "ask": question(arrival),
        }

    def _sum(self, arrival: Arrival) -> int | None:
        """Return the number of what has arrived; a part is added up on paper, once it is drawn."""
        backward = self._description.backward
        if arrival.number == arrival.count and backward:
            return self._tensor(backward.adjoint(arrival.contribution.parent), "adjoint")
        if not self._on_paper:
            return None
        self._arrays.append((arrival, "adjoint", False))
        return len(self._arrays) - 1

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

"""Which nodes belong together: the learner's function calls, and runs of a long computation.

A group can be folded to one card.  Where a function does more than fits into one
picture, what it does is cut into runs: so many rounds of a loop, so many lines.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from backprop_nb.tracing import Graph, Node
from backprop_nb.tracing.record import CONSTANT

ROOM = 60
"""So many cards can be looked at together: six rows of ten, the most that a screen shows."""

Chain = tuple[str, ...]


@dataclass(slots=True)
class Group:
    """Nodes that can be folded to one card.

    Attributes
    ----------
    id
        Unique in its graph; what a program writes into ``folded``.
    name
        What the card says.
    parent
        The position of the group around it, ``None`` for an outermost one.
    depth
        How many groups are around it.
    own
        The nodes in it that are in none of the groups inside it.
    """

    id: str
    name: str
    parent: int | None
    depth: int
    own: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Item:
    """One thing that a function does itself: a node, or a call with all that is in it.

    ``key`` says which expression it is, and ``time`` how often that has come by then.
    """

    nodes: tuple[int, ...]
    key: Hashable
    time: int
    line: int | None
    name: str
    chain: Chain | None = None


def groups_of(graph: Graph) -> list[Group]:
    """Return the groups of a graph, each after the one around it.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> def square(x):
    ...     return x**2
    >>> [group.id for group in groups_of(bp.trace(lambda x: square(x) + square(x + 1), 2.0))]
    ['square 1', 'square 2']
    """
    return _Grouping(graph).groups


class _Grouping:
    """Makes the groups of a graph, from the outermost inward."""

    def __init__(self, graph: Graph) -> None:
        self._nodes = graph.nodes
        self._heads: list[list[int]] = [[] for _ in graph.nodes]
        for node in graph.nodes:
            for parent in node.parents:
                self._heads[parent.index].append(node.index)
        self.groups: list[Group] = []
        self._taken: set[str] = set()
        # One entry for each function that is still to be looked at: its nodes, the
        # chain of calls that leads to it, and its group.
        self._pending: list[tuple[Sequence[Node], Chain, int | None]] = [(graph.nodes, (), None)]
        while self._pending:
            self._function(*self._pending.pop(0))

    def _add(self, name: str, parent: int | None, prefix: str = "") -> int:
        depth = 0 if parent is None else self.groups[parent].depth + 1
        wanted = f"{prefix}: {name}" if prefix else name
        unique, number = wanted, 1
        while unique in self._taken:
            number += 1
            unique = f"{wanted} ({number})"
        self._taken.add(unique)
        self.groups.append(Group(unique, unique[len(wanted) - len(name) :], parent, depth))
        return len(self.groups) - 1

    def _function(self, nodes: Sequence[Node], chain: Chain, parent: int | None) -> None:
        """Group what one function does: its calls, and runs if there is much."""
        leaves: list[Node] = []
        others: list[Node] = []
        for node in nodes:
            is_leaf = node.scope == chain and node.op in (None, CONSTANT)
            (leaves if is_leaf else others).append(node)
        items = self._items(others, chain)
        self._place(items, [leaf.index for leaf in leaves], chain, parent)

    def _items(self, nodes: Sequence[Node], chain: Chain) -> list[_Item]:
        """Return what a function does itself, in the order in which it does it."""
        calls: dict[Chain, list[int]] = {}
        order: dict[Chain | int, None] = {}
        for node in nodes:
            if node.scope == chain:
                order[node.index] = None
            else:
                inner = node.scope[: len(chain) + 1]
                calls.setdefault(inner, []).append(node.index)
                order[inner] = None
        times: Counter[Hashable] = Counter()
        items = []
        for one in order:
            key = self._key(one)
            times[key] += 1
            items.append(
                self._node_item(self._nodes[one], key, times[key])
                if isinstance(one, int)
                else _Item(tuple(calls[one]), key, times[key], None, one[-1], one)
            )
        return items

    def _key(self, one: Chain | int) -> Hashable:
        """Return the same for the same expression: the called function, or the place."""
        if not isinstance(one, int):
            return one[-1].rpartition(" ")[0] or one[-1]
        node = self._nodes[one]
        source = node.source
        return (source.filename, source.start, source.end) if source else node.op

    @staticmethod
    def _node_item(node: Node, key: Hashable, time: int) -> _Item:
        line = node.source.start[0] if node.source else None
        return _Item((node.index,), key, time, line, node.name)

    def _place(
        self, items: Sequence[_Item], leaves: Sequence[int], chain: Chain, parent: int | None
    ) -> None:
        """Put items and leaves into a group, or into runs in it where they are many."""
        if len(items) + len(leaves) > ROOM:
            items, leaves = self._runs(items, leaves, chain, parent)
        if len(leaves) > ROOM:
            leaves = self._runs_of_leaves(leaves, chain, parent)
        for index in leaves:
            self._own(index, parent)
        for item in items:
            if item.chain is None:
                self._own(item.nodes[0], parent)
            else:
                inside = [self._nodes[index] for index in item.nodes]
                self._pending.append((inside, item.chain, self._add(item.name, parent)))

    def _own(self, index: int, group: int | None) -> None:
        if group is not None:
            self.groups[group].own.append(index)

    def _runs(
        self, items: Sequence[_Item], leaves: Sequence[int], chain: Chain, parent: int | None
    ) -> tuple[list[_Item], list[int]]:
        """Cut items into runs, each with the leaves that nobody else uses; return the rest."""
        at = {index: k for k, item in enumerate(items) for index in item.nodes}
        users = {leaf: [at.get(head, -1) for head in self._heads[leaf]] for leaf in leaves}
        weights = [1] * len(items)
        for used in users.values():
            if len(set(used)) == 1 and used[0] >= 0:
                weights[used[0]] += 1
        alone: list[_Item] = []
        rest = set(leaves)
        for start, stop in _cuts([item.key for item in items], weights):
            run = items[start:stop]
            own = [
                leaf
                for leaf in leaves
                if users[leaf] and start <= min(users[leaf]) <= max(users[leaf]) < stop
            ]
            if len(run) + len(own) == 1 or (start, stop) == (0, len(items)):
                alone += run
                continue
            rest -= set(own)
            name = _run_name(run)
            self._place(run, own, chain, self._add(name, parent, chain[-1] if chain else ""))
        return alone, [leaf for leaf in leaves if leaf in rest]

    def _runs_of_leaves(self, leaves: Sequence[int], chain: Chain, parent: int | None) -> list[int]:
        """Cut leaves that are used all over into runs of their own."""
        names = [self._nodes[leaf].name for leaf in leaves]
        cuts = _cuts([None] * len(leaves), [1] * len(leaves))
        if len(cuts) == 1:
            return list(leaves)
        for start, stop in cuts:
            name = f"{names[start]} to {names[stop - 1]}"
            group = self._add(name, parent, chain[-1] if chain else "")
            self.groups[group].own += leaves[start:stop]
        return []


def _cuts(keys: Sequence[Hashable], weights: Sequence[int]) -> list[tuple[int, int]]:
    """Cut a sequence into runs of about the same weight, where a round of a loop begins.

    There are as many runs as each then has parts, so that every level of a deep
    nest shows the same number of cards.
    """
    total = sum(weights)
    levels = max(2, math.ceil(math.log(max(total, 2)) / math.log(ROOM)))
    count = max(2, round(total ** (1 / levels)))
    # A round ends where an expression comes for the second time.
    seen: set[Hashable] = set()
    begins = []
    for position, key in enumerate(keys):
        if key in seen:
            begins.append(position)
            seen.clear()
        seen.add(key)
    candidates = begins if len(begins) >= count else range(1, len(keys))
    wanted = 0.9 * total / count  # rather a round too few than a round too many
    cuts, weight, candidate = [0], 0, set(candidates)
    for position, part in enumerate(weights):
        if weight >= wanted and position in candidate:
            cuts.append(position)
            weight = 0
        weight += part
    return list(zip(cuts, [*cuts[1:], len(keys)], strict=True))


def _run_name(items: Sequence[_Item]) -> str:
    """Return the name of a run: its lines and rounds, or where it begins and ends."""
    lines = [item.line for item in items if item.line is not None]
    if len(lines) < len(items):  # a call has no line of its own
        return f"{items[0].name} to {items[-1].name}"
    first, last = min(lines), max(lines)
    text = f"line {first}" if first == last else f"lines {first} to {last}"
    begin, end = min(item.time for item in items), max(item.time for item in items)
    if end == 1:
        return text
    return f"{text}, time {end}" if begin == end else f"{text}, times {begin} to {end}"


# --- which groups are folded --------------------------------------------------------


def outermost(parents: Sequence[int | None], folded: Iterable[int]) -> list[int | None]:
    """Return for each group the outermost folded one that it is in, itself included.

    >>> outermost([None, 0, 1], [1, 2])
    [None, 1, 1]
    """
    is_folded = set(folded)
    found: list[int | None] = []
    for group, parent in enumerate(parents):
        above = None if parent is None else found[parent]
        found.append(above if above is not None else group if group in is_folded else None)
    return found


def folded_at_first(groups: Sequence[Group], node_count: int) -> list[str]:
    """Return the groups that a large graph begins with folded.

    Groups stand open level by level, the outermost first, as long as no more than
    :data:`ROOM` cards are to be seen.  So a small graph stands open as a whole.
    """
    grouped = sum(len(group.own) for group in groups)
    cards = node_count - grouped + sum(group.parent is None for group in groups)
    for level in range(1 + max((group.depth for group in groups), default=-1)):
        opened = [group for group in groups if group.depth == level]
        inside = sum(group.depth == level + 1 for group in groups)
        cards += sum(len(group.own) for group in opened) + inside - len(opened)
        if cards > ROOM:
            return [group.id for group in groups if group.depth >= level]
    return []

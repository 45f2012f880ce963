"""Which nodes belong together: function calls, rounds of loops, and runs of a long computation.

A group can be folded to one card.  Each round of a loop is a group from three rounds on; what
comes before and after the loop, and the inputs that it uses, stay outside.  Where a function does
more than fits into one picture, what it does is cut into runs: so many rounds, so many lines.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from backprop_nb.tracing import Graph, Node
from backprop_nb.tracing.graph import calls_of
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.views.explorer.loops import Spot, computes_always, rounds, spot

ROOM = 60
"""So many cards can be looked at together: six rows of ten, the most that a screen shows."""

ROUNDS = 3
"""From so many rounds on, those of a loop are groups."""

PART = " \u00b7 "
"""Stands between the loop and the round in the name of a group."""

Chain = tuple[str, ...]


@dataclass(slots=True)
class Group:
    """Nodes that can be folded to one card."""

    id: str
    """Unique in its graph; what a program writes into ``folded``."""
    name: str
    """What the card says."""
    parent: int | None
    """The position of the group around it, ``None`` for an outermost one."""
    depth: int
    """How many groups are around it."""
    own: list[int] = field(default_factory=list)
    """The nodes in it that are in none of the groups inside it."""


@dataclass(frozen=True, slots=True)
class _Loop:
    """One execution of a loop: how it begins, and how many rounds there are, 0 if unknown."""

    header: str
    count: int

    @property
    def end(self) -> str:
        """What follows the number of a round; before it may be some that compute nothing."""
        return f"of {self.count}" if self.count else "or later"


@dataclass(frozen=True, slots=True)
class _Item:
    """One thing that a function does itself: a node, a call, or a round of a loop.

    ``first`` is the first of its nodes, and ``parts`` are its keys in the call around it.
    ``key`` says which expression it is, and ``time`` how often that has come by then;
    of a round they are the loop and its number.  ``inner`` is what a round does.
    """

    first: Node
    parts: Sequence[int | str]
    key: Hashable
    time: int
    chain: Chain | None
    spot: Spot
    loop: _Loop | None = None
    inner: Sequence[_Item] = ()

    @property
    def line(self) -> int | None:
        """The line of a node; nothing else has one of its own."""
        source = self.first.source
        return source.start[0] if source and not self.chain and not self.loop else None

    @property
    def name(self) -> str:
        """The name of the node, the call or the round."""
        if self.loop:
            return f"{self.loop.header}{PART}round {self.time} {self.loop.end}"
        return self.chain[-1] if self.chain else self.first.name


def groups_of(graph: Graph) -> list[Group]:
    """Return the groups of a graph, each after the one around it.

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
        # In which part of the traced function each node is used.
        self._users: list[list[int | str]] = [[] for _ in graph.nodes]
        for user in graph.nodes:
            for used in user.parents:
                self._users[used.index].append(user.scope[0] if user.scope else user.index)
        self.groups: list[Group] = []
        self._times: dict[str, int] = {}  # how often a name was wanted, by each that is taken
        leaves = [node for node in graph.nodes if node.op in (None, CONSTANT)]
        self._calls = calls_of(node for node in graph.nodes if node.op not in (None, CONSTANT))
        # One entry for each call that is still to be looked at: the chain to it, and its group.
        self._pending: list[tuple[Chain, int | None]] = [((), None)]
        for chain, parent in self._pending:  # which grows while it is read
            # Inputs and constants are outside of every call.
            own = [] if chain else leaves
            self._place(_folded(_items(self._calls[chain], chain), 0), own, chain, parent)

    def _add(self, name: str, parent: int | None, prefix: str = "") -> int:
        depth = 0 if parent is None else self.groups[parent].depth + 1
        wanted = f"{prefix}: {name}" if prefix else name
        unique = wanted
        while unique in self._times:
            self._times[wanted] += 1
            unique = f"{wanted} ({self._times[wanted]})"
        self._times[unique] = 1
        self.groups.append(Group(unique, unique[len(wanted) - len(name) :], parent, depth))
        return len(self.groups) - 1

    def _place(
        self, items: Sequence[_Item], leaves: Sequence[Node], chain: Chain, parent: int | None
    ) -> None:
        """Put items and leaves into a group, or into runs in it where they are many."""
        within = self._within_rounds(items, leaves)
        if len(items) + len(leaves) - len(within) > ROOM:
            items, leaves = self._runs(items, leaves, chain, parent)
            within = self._within_rounds(items, leaves)
        rest: Sequence[Node] = [leaf for leaf in leaves if leaf not in within]
        if len(items) + len(rest) > ROOM:
            rest = self._runs_of_leaves(rest, chain, parent)
        if parent is not None:
            self.groups[parent].own += [leaf.index for leaf in rest]
        for k, item in enumerate(items):
            self._place_one(item, [leaf for leaf in within if within[leaf] == k], chain, parent)

    def _within_rounds(self, items: Sequence[_Item], leaves: Sequence[Node]) -> dict[Node, int]:
        """Return the constants that one round alone uses; an input comes from outside."""
        used = self._used(items, [leaf for leaf in leaves if leaf.op == CONSTANT])
        at = {leaf: first for leaf, (first, last) in used.items() if first == last >= 0}
        return {leaf: k for leaf, k in at.items() if len(items[k].inner) > 1}

    def _place_one(
        self, item: _Item, leaves: Sequence[Node], chain: Chain, parent: int | None
    ) -> None:
        """Put a node into a group, or make a group of a call, or of a round of several items."""
        while len(item.inner) == 1:
            (item,) = item.inner
        if item.loop:
            group = self._add(item.name, parent, chain[-1] if chain else "")
            self._place(item.inner, leaves, chain, group)
        elif item.chain is not None:
            self._pending.append((item.chain, self._add(item.name, parent)))
        elif parent is not None:
            self.groups[parent].own.append(item.first.index)

    def _used(self, items: Sequence[_Item], leaves: Sequence[Node]) -> dict[Node, tuple[int, int]]:
        """Return the first and the last item that uses each leaf; -1 stands for somebody else."""
        at = {part: k for k, item in enumerate(items) for part in item.parts}
        return {
            leaf: (min(users), max(users))
            for leaf in leaves
            if (users := [at.get(user, -1) for user in self._users[leaf.index]])
        }

    def _runs(
        self, items: Sequence[_Item], leaves: Sequence[Node], chain: Chain, parent: int | None
    ) -> tuple[list[_Item], list[Node]]:
        """Cut items into runs; return what is in none.

        A run takes along the leaves that nobody else uses: it stands for many of them.
        """
        used = self._used(items, leaves)
        runs = _loops_cut(items) or self._cut(items, used)
        single: list[_Item] = []
        rest = dict.fromkeys(leaves)
        for start, stop in runs:
            run = items[start:stop]
            if len(run) in (1, len(items)):
                single += run
                continue
            own = [leaf for leaf, (first, last) in used.items() if start <= first <= last < stop]
            for leaf in own:
                del rest[leaf]
            group = self._add(_run_name(run), parent, chain[-1] if chain else "")
            self._place(run, own, chain, group)
        return single, list(rest)

    def _cut(
        self, items: Sequence[_Item], used: dict[Node, tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """Cut items into runs of about the same weight, which counts the leaves of each."""
        weights = [1] * len(items)
        for first, last in used.values():
            if first == last >= 0:
                weights[first] += 1
        return _cuts([item.key for item in items], weights)

    def _runs_of_leaves(
        self, leaves: Sequence[Node], chain: Chain, parent: int | None
    ) -> Sequence[Node]:
        """Cut leaves that are used all over into runs of their own."""
        cuts = _cuts([None] * len(leaves), [1] * len(leaves))
        if len(cuts) == 1:
            return leaves
        for start, stop in cuts:
            name = f"{leaves[start].name} to {leaves[stop - 1].name}"
            group = self._add(name, parent, chain[-1] if chain else "")
            self.groups[group].own += [leaf.index for leaf in leaves[start:stop]]
        return []


def _items(parts: Mapping[int | str, Node], chain: Chain) -> list[_Item]:
    """Return what a function does itself, in the order in which it does it."""
    times: Counter[Hashable] = Counter()
    items = []
    for part, first in parts.items():
        call = None if isinstance(part, int) else (*chain, part)
        key = _key(first, call)
        times[key] += 1
        items.append(_Item(first, [part], key, times[key], call, spot(first, len(chain))))
    return items


def _folded(items: Sequence[_Item], level: int, before: str = "") -> list[_Item]:
    """Put what is done in each round of a loop together, at a level of nested loops."""
    found: list[_Item] = []
    for loop, of_it in groupby(items, lambda item: item.spot.loop(level)):
        run = list(of_it)
        if loop is None:
            found += run
            continue
        header = before + run[0].spot.loops[level].header
        begins = rounds([item.spot for item in run], level)
        parts = [run[a:b] for a, b in pairwise([*begins, len(run)])]
        after: list[_Item] = []
        last = parts[-1]  # which keeps something, or it would be no round
        while len(last) > 1 and _collects(last[-1].first, parts[0][0].first, last[0].first):
            after.insert(0, last.pop())
        inner = {item.spot.loop(level + 1) for item in run}
        # Where nothing tells the rounds of two loops apart, they are counted together.
        shared = f"{header}, " if len(parts) == len(inner) == 1 and None not in inner else ""
        each = [_folded(part, level + 1, shared) for part in parts]
        if len(parts) < ROUNDS:
            found += [item for inside in each for item in inside] + after
            continue
        is_known = computes_always([item.spot for item in run], level)
        whole = _Loop(header, len(parts) if is_known else 0)
        for time, (part, inside) in enumerate(zip(parts, each, strict=True), 1):
            keys = [key for item in part for key in item.parts]
            first = part[0]
            found.append(_Item(first.first, keys, loop, time, None, first.spot, whole, inside))
        found += after
    return found


def _collects(node: Node, first: Node, last: Node) -> bool:
    """Whether a node assigns what several rounds made, from the first to the last one's begin."""
    made = node.parents[1:] if node.op == "assigned" else ()
    return any(first.index <= each.index < last.index and each.op != CONSTANT for each in made)


def _key(node: Node, call: Chain | None) -> Hashable:
    """Return the same for the same expression: the called function, or the place."""
    if call is not None:
        return call[-1].rpartition(" ")[0] or call[-1]
    source = node.source
    return (source.filename, source.start, source.end) if source else node.op


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
    candidates = set(begins if len(begins) >= count else range(1, len(keys)))
    wanted = 0.9 * total / count  # rather a round too few than a round too many
    cuts, weight = [0], 0
    for position, part in enumerate(weights):
        if weight >= wanted and position in candidates:
            cuts.append(position)
            weight = 0
        weight += part
    return list(zip(cuts, [*cuts[1:], len(keys)], strict=True))


_FEW = 8
"""The rounds of a loop with no more of them are not cut into runs."""


def _loops_cut(items: Sequence[_Item]) -> list[tuple[int, int]]:
    """Cut the rounds of long loops into runs, and nothing else; empty if that is not enough."""
    cuts: list[tuple[int, int]] = []
    for _, group in groupby(items, lambda item: item.loop and id(item.loop)):
        count, start = len(list(group)), cuts[-1][1] if cuts else 0
        few = items[start].loop is None or count <= _FEW
        runs = [(k, k + 1) for k in range(count)] if few else _cuts([None] * count, [1] * count)
        cuts += [(start + a, start + b) for a, b in runs]
    return cuts if len(cuts) < min(len(items), ROOM) else []


def _run_name(items: Sequence[_Item]) -> str:
    """Return the name of a run: its lines and rounds, or where it begins and ends."""
    loop = items[0].loop
    if loop and loop is items[-1].loop:
        return f"{loop.header}{PART}rounds {items[0].time} to {items[-1].time} {loop.end}"
    lines = [item.line for item in items if item.line is not None]
    if len(lines) < len(items):
        return f"{items[0].name} to {items[-1].name}"
    first, last = min(lines), max(lines)
    text = f"line {first}" if first == last else f"lines {first} to {last}"
    begin, end = min(item.time for item in items), max(item.time for item in items)
    if end == 1:
        return text
    return f"{text}, time {end}" if begin == end else f"{text}, times {begin} to {end}"


# --- which groups are folded --------------------------------------------------------


def innermost(groups: Sequence[Group], node_count: int) -> list[int | None]:
    """Return for each node the innermost group that it is in, if there is one."""
    found: list[int | None] = [None] * node_count
    for number, group in enumerate(groups):
        for index in group.own:
            found[index] = number
    return found


def hidden_in(
    parents: Sequence[int | None], group_of: Sequence[int | None], folded: Collection[int]
) -> list[int | None]:
    """Return for each node the outermost folded group that it is in, if there is one.

    ``parents`` has for each group the one around it, which comes before it, and ``group_of``
    for each node the innermost group that it is in.

    >>> hidden_in([None, 0, 1], [None, 0, 1, 2], {1, 2})
    [None, None, 1, 1]
    """
    outermost: list[int | None] = []
    for group, parent in enumerate(parents):
        around = None if parent is None else outermost[parent]
        outermost.append(group if around is None and group in folded else around)
    return [None if group is None else outermost[group] for group in group_of]


def folded_at_first(groups: Sequence[Group], node_count: int) -> list[str]:
    """Return the groups that a large graph begins with folded.

    Groups stand open level by level, the outermost first, as long as no more than
    :data:`ROOM` cards are to be seen.  So a small graph stands open as a whole.
    """
    grouped = sum(len(group.own) for group in groups)
    cards = node_count - grouped + sum(group.parent is None for group in groups)
    count = Counter(group.depth for group in groups)
    own: Counter[int] = Counter()
    for group in groups:
        own[group.depth] += len(group.own)
    for level in range(len(count)):
        cards += own[level] + count[level + 1] - count[level]
        if cards > ROOM:
            return [group.id for group in groups if group.depth >= level]
    return []

"""Positions in plain Python, for computers that pygraphviz has no wheel for.

Sugiyama, Tagawa and Toda (1981) in four steps: every card gets a column behind those
of all that it uses; in each column the cards, and the edges that pass it, are ordered
so that few edges cross; what an edge connects is moved to one height where there is
room; edges are drawn from point to point.

A group keeps its cards together in every column.  All that the heights must obey, that
one thing lies so far below another, is a list of such pairs, in which the borders of a
group occur like cards; so cards, passing edges and nested groups need no cases.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import accumulate, pairwise
from operator import itemgetter

from backprop_nb.views.explorer.placement import (
    COLUMN_GAP,
    MARGIN,
    NODE_GAP,
    Box,
    Group,
    Layout,
    Point,
)

_EDGE_GAP = 9.0
"""Between two edges that pass a column."""
_PORT_GAP = 13.0
"""The most that edges lie apart at the side of a card."""
_SWEEPS = 24
_ROUNDS = 60
_TURNS = 18
_MANY = 4000
"""With so many places in all columns, each further sweep and round costs more than it gains."""

Edge = tuple[int, int]


def placed(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[Edge],
    weights: Sequence[int],
    groups: Sequence[Group],
) -> Layout:
    """Lay a directed graph out from left to right; the arguments are those of ``layered``."""
    return _Picture(sizes, edges, weights, groups).layout()


def columns_of(count: int, edges: Sequence[Edge], weights: Sequence[int]) -> list[int]:
    """Return a column for each node: behind all before it, near to those with the most weight."""
    heads, used = _heads(count, edges), {head for _, head in edges}
    column = [0] * count
    for tail in _in_order(heads):
        for head in heads[tail]:
            column[head] = max(column[head], column[tail] + 1)
    for source in set(range(count)) - used:
        column[source] = min((column[head] for head in heads[source]), default=1) - 1
    return _pulled(column, edges, weights)


def without_circles(count: int, edges: Sequence[Edge]) -> list[Edge]:
    """Return the edges, those turned round that close a circle, as folded groups can."""
    place = {node: k for k, node in enumerate(_in_order(_heads(count, edges)))}
    return [(t, h) if place[t] < place[h] else (h, t) for t, h in edges]


def _heads(count: int, edges: Sequence[Edge]) -> list[list[int]]:
    heads: list[list[int]] = [[] for _ in range(count)]
    for tail, head in edges:
        heads[tail].append(head)
    return heads


def _in_order(heads: Sequence[Collection[int]]) -> list[int]:
    """Return all things, each before those that it leads to.

    Where a circle keeps all from being ready, its first one goes first.
    """
    waiting = Counter(head for each in heads for head in each)
    order: dict[int, None] = {}
    ready = [thing for thing in range(len(heads)) if not waiting[thing]]
    for first in range(len(heads)):
        ready.append(first)
        while ready:
            thing = ready.pop()
            if thing not in order:
                order[thing] = None
                for head in heads[thing]:
                    waiting[head] -= 1
                    if not waiting[head]:
                        ready.append(head)
    return list(order)


class _Picture:
    """One layout in the making.

    A leaf is what takes room in one column: first the nodes, then a place for each edge
    that passes the column, then one for each group that is around the column but has
    nothing in it.
    """

    def __init__(
        self,
        sizes: Sequence[tuple[float, float]],
        edges: Sequence[Edge],
        weights: Sequence[int],
        groups: Sequence[Group],
    ) -> None:
        self._sizes, self._edges, self._groups = sizes, edges, groups
        count = len(sizes)
        around = self._around(count)
        turned = without_circles(count, edges)
        self._column = columns_of(count, turned, weights)
        self._chain = list(around)
        # For each edge its leaves from left to right.
        self._ways: list[list[int]] = []
        self._links: list[tuple[int, int, int]] = []
        for (left, right), weight in zip(turned, weights, strict=True):
            shared = around[left][: _shared(around[left], around[right])]
            passed = range(self._column[left] + 1, self._column[right])
            way = [left, *[self._new_leaf(column, shared) for column in passed], right]
            self._ways.append(way)
            self._links += [(a, b, weight) for a, b in pairwise(way)]
        self._fill_groups()
        # For each group how many nested ones begin in its first column, and end in its last.
        self._borders = ([1] * len(groups), [1] * len(groups))
        for number in reversed(range(len(groups))):
            parent = groups[number][0]
            if parent is not None:
                for end, counts in enumerate(self._borders):
                    if self._spans[number][end] == self._spans[parent][end]:
                        counts[parent] = max(counts[parent], counts[number] + 1)
        self._before: list[list[tuple[int, int]]] = [[] for _ in self._column]
        self._after: list[list[tuple[int, int]]] = [[] for _ in self._column]
        for a, b, weight in self._links:
            self._after[a].append((b, weight))
            self._before[b].append((a, weight))

    def _around(self, count: int) -> list[tuple[int, ...]]:
        """Return for each node the groups that it is in, the outermost first."""
        chains: list[tuple[int, ...]] = []
        found: list[tuple[int, ...]] = [()] * count
        for number, (parent, members) in enumerate(self._groups):
            chains.append(((*chains[parent], number)) if parent is not None else (number,))
            for node in members:
                found[node] = chains[-1]
        return found

    def _new_leaf(self, column: int, chain: tuple[int, ...]) -> int:
        self._column.append(column)
        self._chain.append(chain)
        return len(self._column) - 1

    def _fill_groups(self) -> None:
        """Give each group a leaf in every column from its first to its last."""
        taken: list[set[int]] = [set() for _ in self._groups]
        chains: dict[int, tuple[int, ...]] = {}
        for column, chain in zip(self._column, self._chain, strict=True):
            for depth, group in enumerate(chain):
                taken[group].add(column)
                chains[group] = chain[: depth + 1]
        self._spans = [(min(each), max(each)) for each in taken]
        for group, each in sorted(enumerate(taken), key=lambda one: -len(chains[one[0]])):
            first, last = self._spans[group]
            for column in set(range(first, last)) - each:
                self._new_leaf(column, chains[group])
                for outer in chains[group]:
                    taken[outer].add(column)

    # --- the order in each column -----------------------------------------------------

    def _ordered(self) -> list[list[int]]:
        """Return the leaves of each column from top to bottom, with few crossings."""
        rows: list[list[int]] = [[] for _ in range(1 + max(self._column))]
        for leaf, column in enumerate(self._column):
            rows[column].append(leaf)
        place = [0.0] * len(self._column)
        best, fewest = rows, -1
        for sweep in range(_SWEEPS if len(place) < _MANY else 4):
            to_right = sweep % 2 == 0
            # A group keeps its height for a whole sweep, so that it goes the same way past
            # whatever is beside it in each of its columns.
            heights = self._group_heights(place)
            new: list[list[int]] = []
            for row in rows if to_right else reversed(rows):
                keys = {leaf: self._key(leaf, to_right, place, heights) for leaf in row}
                new.append(sorted(row, key=keys.__getitem__))
                for rank, leaf in enumerate(new[-1]):
                    place[leaf] = rank - (len(row) - 1) / 2
            rows = new if to_right else new[::-1]
            crossings = self._crossings(rows, place)
            if fewest < 0 or crossings < fewest:
                best, fewest = rows, crossings
        return best

    def _group_heights(self, place: Sequence[float]) -> list[float]:
        sums, counts = [0.0] * len(self._groups), [0] * len(self._groups)
        for chain, height in zip(self._chain, place, strict=True):
            for group in chain:
                sums[group] += height
                counts[group] += 1
        return [total / count for total, count in zip(sums, counts, strict=True)]

    def _key(
        self, leaf: int, to_right: bool, place: Sequence[float], heights: Sequence[float]
    ) -> tuple[tuple[float, int, float], ...]:
        """Return what sorts a leaf in its column: first by its groups, then by its neighbours."""
        neighbours = (self._before if to_right else self._after)[leaf]
        own = place[leaf]
        if neighbours:
            own = sum(place[other] for other, _ in neighbours) / len(neighbours)
        groups = ((heights[group], 1, float(group)) for group in self._chain[leaf])
        return (*groups, (own, 0, place[leaf]))

    def _crossings(self, rows: Sequence[Sequence[int]], place: Sequence[float]) -> int:
        total = 0
        for row in rows:
            seen: list[float] = []
            for leaf in row:
                ends = sorted(place[other] for other, _ in self._after[leaf])
                total += sum(len(seen) - bisect_right(seen, end) for end in ends)
                for end in ends:
                    insort(seen, end)
        return total

    # --- heights ----------------------------------------------------------------------
    #
    # What has a height is a number: a leaf, by its centre, and after the leaves the upper
    # and the lower border of each group.

    def _upper(self, group: int) -> int:
        return len(self._column) + 2 * group

    def _lower(self, group: int) -> int:
        return len(self._column) + 2 * group + 1

    def _half(self, leaf: int) -> float:
        return self._sizes[leaf][1] / 2 if leaf < len(self._sizes) else 0.0

    def _insides(self) -> list[list[tuple[int, int, float]]]:
        """Return for each group the highest and lowest of each thing in it, and the distance."""
        found: list[list[tuple[int, int, float]]] = [[] for _ in self._groups]
        for number, (parent, _) in enumerate(self._groups):
            if parent is not None:
                found[parent].append((self._upper(number), self._lower(number), MARGIN))
        for leaf, chain in enumerate(self._chain):
            if chain:
                found[chain[-1]].append((leaf, leaf, MARGIN + self._half(leaf)))
        return found

    def _gaps(
        self, rows: Sequence[Sequence[int]], insides: Sequence[Sequence[tuple[int, int, float]]]
    ) -> list[tuple[int, int, float]]:
        """Return pairs of things, and by how much the second must lie below the first."""
        gaps: list[tuple[int, int, float]] = []
        for group, inside in enumerate(insides):
            for first, last, gap in inside:
                gaps += [(self._upper(group), first, gap), (last, self._lower(group), gap)]
        for row in rows:
            for above, under in pairwise(row):
                ends, gap = [above, under], 0.0
                shared = _shared(self._chain[above], self._chain[under])
                for end, leaf, border in ((0, above, self._lower), (1, under, self._upper)):
                    if len(self._chain[leaf]) > shared:
                        ends[end] = border(self._chain[leaf][shared])
                        gap += NODE_GAP / 2
                    else:
                        own = NODE_GAP if leaf < len(self._sizes) else _EDGE_GAP
                        gap += own / 2 + self._half(leaf)
                gaps.append((ends[0], ends[1], gap))
        return gaps

    def _heights(self, rows: Sequence[Sequence[int]]) -> list[float]:
        """Return the height of each thing."""
        insides = self._insides()
        count = len(self._column)
        above: list[dict[int, float]] = [{} for _ in range(count + 2 * len(self._groups))]
        below: list[dict[int, float]] = [{} for _ in above]
        for first, second, gap in self._gaps(rows, insides):
            above[second][first] = below[first][second] = max(gap, below[first].get(second, 0.0))
        order = _in_order(below)
        beside = [[*a, *b] for a, b in zip(self._before, self._after, strict=True)]
        height = [0.0] * len(above)
        _push_down(height, order, above)
        best, least = height, self._length(height)
        for _ in range(_ROUNDS if count < _MANY else 10):
            wanted = list(height)
            for leaf, others in enumerate(beside):
                if others:
                    total = sum(height[other] * weight for other, weight in others)
                    mean = total / sum(weight for _, weight in others)
                    wanted[leaf] += 0.75 * (mean - wanted[leaf])
            self._fit_borders(wanted, insides)
            # Pushed down all gaps are kept, and pushed up too; so they are half-way between.
            pushed = [-each for each in wanted]
            _push_down(wanted, order, above)
            _push_down(pushed, order[::-1], below)
            height = [(down - up) / 2 for down, up in zip(wanted, pushed, strict=True)]
            best, least = min((best, least), (height, self._length(height)), key=itemgetter(1))
        # Now one after the other, as far as there is room: first a column follows the one on its
        # left, then the one on its right, then each leaf both.
        to_right = sorted(range(count), key=self._column.__getitem__)
        height = list(best)
        for turn in range(_TURNS):
            neighbours = (self._before, self._after, beside)[turn % 3]
            for leaf in to_right[::-1] if turn % 3 == 1 else to_right:
                if neighbours[leaf]:
                    highest = [height[other] + gap for other, gap in above[leaf].items()]
                    lowest = [height[other] - gap for other, gap in below[leaf].items()]
                    middle = max(_median(height, neighbours[leaf]), *highest, -math.inf)
                    height[leaf] = min(middle, *lowest, math.inf)
            self._fit_borders(height, insides)
            best, least = min(
                (best, least), (list(height), self._length(height)), key=itemgetter(1)
            )
        return best

    def _fit_borders(
        self, height: list[float], insides: Sequence[Sequence[tuple[int, int, float]]]
    ) -> None:
        """Draw the borders of each group as near to what is in it as they can be."""
        for group in reversed(range(len(insides))):
            inside = insides[group]
            height[self._upper(group)] = min(height[first] - gap for first, _, gap in inside)
            height[self._lower(group)] = max(height[last] + gap for _, last, gap in inside)

    def _length(self, height: Sequence[float]) -> float:
        """Return how far all edges go up and down."""
        return sum(abs(height[a] - height[b]) * weight for a, b, weight in self._links)

    # --- the picture ------------------------------------------------------------------

    def layout(self) -> Layout:
        """Return where everything lies."""
        height = self._heights(self._ordered())
        highest, lowest = self._reach(height)
        sides, width = self._sides(height)
        nodes: list[Box] = []
        for node, (w, h) in enumerate(self._sizes):
            left, right = sides[self._column[node]]
            nodes.append(((left + right - w) / 2, height[node] - h / 2 - highest, w, h))
        height = [each - highest for each in height]
        groups: list[Box] = []
        for number, (first, last) in enumerate(self._spans):
            left = sides[first][0] - MARGIN * self._borders[0][number]
            right = sides[last][1] + MARGIN * self._borders[1][number]
            upper = height[self._upper(number)]
            groups.append((left, upper, right - left, height[self._lower(number)] - upper))
        return Layout(width, lowest - highest, nodes, self._paths(nodes, height, sides), groups)

    def _reach(self, height: Sequence[float]) -> tuple[float, float]:
        """Return how high and how low the picture reaches."""
        count = len(self._sizes)
        halves = [self._half(node) for node in range(count)]
        highest = min(a - b for a, b in zip(height, halves, strict=False))
        lowest = max(a + b for a, b in zip(height, halves, strict=False))
        return min(highest, *height[count:], highest), max(lowest, *height[count:], lowest)

    def _sides(self, height: Sequence[float]) -> tuple[list[tuple[float, float]], float]:
        """Return the left and the right side of each column, and the width of the picture."""
        steep = [0.0] * (1 + max(self._column))
        for a, b, _ in self._links:
            column = self._column[a]
            steep[column] = max(steep[column], abs(height[a] - height[b]))
        widths = [0.0] * (1 + max(self._column))
        for (width, _), column in zip(self._sizes, self._column, strict=False):
            widths[column] = max(width, widths[column])
        borders = [[0, 0] for _ in widths]
        for number, span in enumerate(self._spans):
            for end in (0, 1):
                borders[span[end]][end] = max(borders[span[end]][end], self._borders[end][number])
        sides: list[tuple[float, float]] = []
        x = 0.0
        for width, (begin, finish), rise in zip(widths, borders, steep, strict=True):
            left = x + MARGIN * begin
            sides.append((left, left + width))
            gap = COLUMN_GAP + min(rise / 8, COLUMN_GAP)
            x = left + width + MARGIN * finish + gap
        return sides, x - gap

    def _paths(
        self, nodes: Sequence[Box], height: Sequence[float], sides: Sequence[tuple[float, float]]
    ) -> list[list[Point]]:
        """Return the edges: level through columns, and curves between them."""
        leaving, arriving = self._ports(height, 0), self._ports(height, -1)
        paths: list[list[Point]] = []
        for key, ((tail, _), way) in enumerate(zip(self._edges, self._ways, strict=True)):
            (x, _, w, _), (to_x, *_) = nodes[way[0]], nodes[way[-1]]
            y, to_y = height[way[0]] + leaving[key], height[way[-1]] + arriving[key]
            runs = [((x + w, y), (sides[self._column[way[0]]][1], y))]
            for leaf in way[1:-1]:
                left, right = sides[self._column[leaf]]
                runs.append(((left, height[leaf]), (right, height[leaf])))
            runs.append(((sides[self._column[way[-1]]][0], to_y), (to_x, to_y)))
            path = [runs[0][0]]
            for (start, end), following in zip(runs, [*runs[1:], None], strict=True):
                if end[0] > start[0] + 1:
                    third = (end[0] - start[0]) / 3
                    path += [(start[0] + third, start[1]), (end[0] - third, end[1]), end]
                if following is not None:
                    middle = (end[0] + following[0][0]) / 2
                    path += [(middle, end[1]), (middle, following[0][1]), following[0]]
            paths.append(path if way[0] == tail else path[::-1])
        return paths

    def _ports(self, height: Sequence[float], end: int) -> list[float]:
        """Return how far below the middle of a card's side each edge leaves it (or arrives)."""
        at: dict[int, list[tuple[float, int]]] = {}
        for key, way in enumerate(self._ways):
            at.setdefault(way[end], []).append((height[way[1 if end == 0 else -2]], key))
        ports = [0.0] * len(self._ways)
        for node, edges in at.items():
            edges.sort()
            # The edge that can be straight is.
            middle = min(range(len(edges)), key=lambda k: abs(edges[k][0] - height[node]))
            most = max(middle, len(edges) - 1 - middle)
            gap = min(_PORT_GAP, 0.8 * self._half(node) / max(most, 1))
            for k, (_, key) in enumerate(edges):
                ports[key] = (k - middle) * gap
        return ports


def _pulled(column: list[int], edges: Sequence[Edge], weights: Sequence[int]) -> list[int]:
    """Move nodes right that are used more than they use, as far as they can."""
    heads, pull = _heads(len(column), edges), [0] * len(column)
    for (tail, head), weight in zip(edges, weights, strict=True):
        pull[tail] += weight
        pull[head] -= weight
    from_left = sorted(range(len(column)), key=column.__getitem__)
    for node in from_left:  # the one that keeps a node from moving is drawn along
        tight = {head for head in heads[node] if column[head] == column[node] + 1}
        if len(tight) == 1:
            pull[tight.pop()] += max(0, pull[node])
    for node in reversed(from_left):
        if heads[node] and pull[node] > 0:
            column[node] = min(column[head] for head in heads[node]) - 1
    return column


def _shared(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many of the outermost groups two chains have in common."""
    pairs = enumerate(zip(first, second, strict=False))
    least = min(len(first), len(second))
    return next((k for k, (a, b) in pairs if a != b), least)


def _push_down(
    height: list[float], order: Sequence[int], above: Sequence[dict[int, float]]
) -> None:
    """Move things down, as little as will keep every gap."""
    for thing in order:
        for other, gap in above[thing].items():
            height[thing] = max(height[thing], height[other] + gap)


def _median(height: Sequence[float], others: Sequence[tuple[int, int]]) -> float:
    """Return the height to which the way from all others is shortest."""
    ordered = sorted((height[other], weight) for other, weight in others)
    half = sum(weight for _, weight in others) / 2
    sums = accumulate(weight for _, weight in ordered)
    return next(found for (found, _), reached in zip(ordered, sums, strict=True) if reached >= half)

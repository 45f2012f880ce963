"""Positions of cards, edges and groups: a picture's geometry and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

from backprop_nb.views.explorer import columns
from backprop_nb.views.explorer.placement import Box, Group, Layout, Point

try:
    from backprop_nb.views.explorer.dot import placed
except ImportError:  # pygraphviz has no wheel for this computer
    placed = columns.placed


def layered(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    weights: Sequence[int],
    groups: Sequence[Group],
) -> Layout:
    """Lay a directed graph out from left to right.

    Graphviz' ``dot`` does it where pygraphviz can be imported, else ``columns.py``.

    Parameters
    ----------
    sizes
        Width and height of each node in pixels.
    edges
        Pairs of node indices; a pair may occur more than once.
    weights
        For each edge how much it should be short and straight.
    groups
        Nested groups, each after the one around it.
    """
    far, hubs = _far_edges(len(sizes), edges, weights)
    near = [key for key in range(len(edges)) if key not in far]
    picture = placed(sizes, [edges[key] for key in near], [weights[key] for key in near], groups)
    paths: list[list[Point]] = [[] for _ in edges]
    for key, path in zip(near, picture.edges, strict=True):
        paths[key] = path
    bottom = _lead_by_lanes(paths, picture.nodes, edges, far, hubs, picture.height)
    layout = Layout(picture.width, bottom, picture.nodes, paths, picture.groups)
    _put_in_order(layout, edges, weights, groups)
    return layout


# --- edges that run past many columns -----------------------------------------------

_CROWDED = 800
"""From so many columns passed by edges, taken together, ``dot`` would need minutes."""
_FAR = 8
"""So many columns may an edge pass in a crowded picture before it leaves the rows of cards."""
_BUSY = 6
"""From so many edges that pass columns a node sends them all through one lane."""
_LANE = 14.0


def _far_edges(
    count: int, edges: Sequence[tuple[int, int]], weights: Sequence[int]
) -> tuple[set[int], list[int]]:
    """Return the edges that the engine is spared, and for each edge the end that has more.

    A value that many calls use has many long edges, for each of which an engine
    seeks a way of its own through all columns between: a tall picture, and a slow
    one.  What near edges do not connect, the shortest of the others do, so that every
    node stays where it belongs.
    """
    uses = [Counter(edge[end] for edge in edges) for end in (0, 1)]
    hubs = [tail if uses[0][tail] >= uses[1][head] else head for tail, head in edges]
    most = [max(uses[0][tail], uses[1][head]) for tail, head in edges]
    light = [1 if busy >= _BUSY else weight for busy, weight in zip(most, weights, strict=True)]
    column = columns.columns_of(count, columns.without_circles(count, edges), light)
    spans = [abs(column[head] - column[tail]) for tail, head in edges]
    passing = Counter(hub for hub, span in zip(hubs, spans, strict=True) if span > 1)
    limit = _FAR if sum(spans) > _CROWDED else count
    far, part = set[int](), list(range(count))

    def whole(node: int) -> int:
        while part[node] != node:
            part[node] = node = part[part[node]]
        return node

    for key in sorted(range(len(edges)), key=spans.__getitem__):
        tail, head = map(whole, edges[key])
        if tail == head and spans[key] > (1 if passing[hubs[key]] >= _BUSY else limit):
            far.add(key)
        part[tail] = head
    return far, hubs


def _lead_by_lanes(
    paths: list[list[Point]],
    nodes: Sequence[Box],
    edges: Sequence[tuple[int, int]],
    far: set[int],
    hubs: Sequence[int],
    height: float,
) -> float:
    """Lead far edges through lanes below the picture, one for each hub; return its height."""
    lanes: dict[int, float] = {}
    for key in sorted(far):
        (left, top, width, tall), (to_left, to_top, to_width, to_tall) = (
            nodes[end] for end in edges[key]
        )
        x, y, to_x, to_y = left + width / 2, top + tall, to_left + to_width / 2, to_top + to_tall
        lane = lanes.setdefault(hubs[key], height + _LANE * (len(lanes) + 1))
        side = max(-40.0, min(40.0, (to_x - x) / 2))
        paths[key] = [
            *((x, y), (x, lane), (x, lane), (x + side, lane)),
            *((x + side, lane), (to_x - side, lane), (to_x - side, lane)),
            *((to_x, lane), (to_x, lane), (to_x, to_y)),
        ]
    return height + _LANE * (len(lanes) + 1) if lanes else height


# --- what is alike stands in order ----------------------------------------------------

_Part = tuple[list[int], list[int], list[int]]
"""A node, or a group with all that is in it: positions of nodes, groups and edges."""


def _put_in_order(
    layout: Layout,
    edges: Sequence[tuple[int, int]],
    weights: Sequence[int],
    groups: Sequence[Group],
) -> None:
    """Let parts that are connected alike change places, until the first to be computed is first.

    Nothing tells an engine the rounds of a loop apart, and it puts them in any order.
    """
    at: list[set[int]] = [set() for _ in layout.nodes]
    for key, ends in enumerate(edges):
        for node in ends:
            at[node].add(key)

    def part(nodes: Sequence[int], inner: list[int]) -> _Part:
        return sorted(nodes), inner, sorted({key for node in nodes for key in at[node]})

    def kind(of: _Part) -> Hashable:
        own = {node: -1 - k for k, node in enumerate(of[0])}
        ends = [(*(own.get(end, end) for end in edges[key]), weights[key]) for key in of[2]]
        inner = [tuple(own[node] for node in groups[group][1]) for group in of[1]]
        return tuple(ends), tuple(inner), tuple(layout.nodes[node][2:] for node in of[0])

    def corner(of: _Part) -> Box:
        return layout.groups[of[1][0]] if of[1] else layout.nodes[of[0][0]]

    def swap(parts: Sequence[_Part]) -> None:
        all_places: tuple[list[Any], ...] = (layout.nodes, layout.groups, layout.edges)
        alike: dict[Hashable, list[_Part]] = {}
        for each in sorted(parts):
            alike.setdefault(kind(each), []).append(each)
        for those in alike.values():
            places = sorted(those, key=corner)
            for k, found in enumerate(all_places):
                values = [found[index] for place in places for index in place[k]]
                indices = [index for each in those for index in each[k]]
                for index, value in zip(indices, values, strict=True):
                    found[index] = value

    free = {*range(len(layout.nodes))}.difference(*(own for _, own in groups))
    parts: dict[int | None, list[_Part]] = {None: [part([node], []) for node in free]}
    for number in reversed(range(len(groups))):  # from the innermost
        around, own = groups[number]
        inside = parts.get(number, []) + [part([node], []) for node in own]
        swap(inside)
        nodes = [node for each in inside for node in each[0]]
        inner = sorted(group for each in inside for group in each[1])
        parts.setdefault(around, []).append(part(nodes, [number, *inner]))
    swap(parts[None])

"""Positions from Graphviz, in process: a picture's geometry and nothing else.

All nodes have a fixed size and no text, so the result does not depend on any
font, and Graphviz has nothing to complain about on stderr.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, width, height."""
Group = tuple[int | None, Sequence[int]]
"""The position of the group around it, and the nodes that are in it and in no group inside it."""

_STYLE = """digraph { rankdir=LR nodesep=0.22 ranksep=0.3 pad=0 nslimit=4 nslimit1=4
node [shape=box fixedsize=true label=""] edge [arrowhead=none]"""
"""In 4 n rounds the simplex finds what there is to find; on some graphs it would never stop."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies, in pixels from the top left corner.

    Attributes
    ----------
    width, height
        The size of the whole picture.
    nodes
        The box of each node.
    edges
        For each edge the control points of a cubic Bézier path, end to end.
    groups
        The box of each group.
    """

    width: float
    height: float
    nodes: list[Box]
    edges: list[list[Point]]
    groups: list[Box]


def layered(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    weights: Sequence[int],
    groups: Sequence[Group],
) -> Layout:
    """Lay a directed graph out from left to right with Graphviz ``dot``.

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
    import pygraphviz

    far = _far_edges(len(sizes), edges)
    near = [key for key in range(len(edges)) if key not in far]
    lines = [_STYLE]
    for index, (width, height) in enumerate(sizes):
        lines.append(f"{index} [width={width / 72:.9g} height={height / 72:.9g}]")
    for key in near:
        tail, head = edges[key]
        lines.append(f'{tail} -> {head} [key="{key}" weight={weights[key]}]')
    graph = pygraphviz.AGraph(string="\n".join([*lines, *_clusters(groups), "}"]))
    graph.layout(prog="dot")

    # The y axis of Graphviz points up.
    _, _, width, height = _numbers(graph.graph_attr["bb"])
    nodes: list[Box] = []
    for index, (w, h) in enumerate(sizes):
        x, y = _numbers(graph.get_node(str(index)).attr["pos"])
        nodes.append((x - w / 2, height - y - h / 2, w, h))
    paths: list[list[Point]] = [[] for _ in edges]
    for key in near:
        text = graph.get_edge(*map(str, edges[key]), str(key)).attr["pos"]
        points = [_numbers(pair) for pair in text.replace("\\\n", "").split()]
        paths[key] = [(x, height - y) for x, y in points]
    boxes = _cluster_boxes(graph, len(groups), height)
    bottom = _lead_by_lanes(paths, nodes, edges, far, height)
    return Layout(width, bottom, nodes, paths, boxes)


def _clusters(groups: Sequence[Group]) -> list[str]:
    """Return the groups in Graphviz' language: clusters, each inside the one around it."""
    inside: dict[int | None, list[int]] = {}
    for position, (parent, _) in enumerate(groups):
        inside.setdefault(parent, []).append(position)
    lines: list[str] = []
    pending: list[int | None] = [*inside.get(None, [])[::-1]]
    while pending:
        number = pending.pop()
        if number is None:
            lines.append("}")
            continue
        members = " ".join(map(str, groups[number][1]))
        lines.append(f'subgraph cluster_{number} {{ label="" margin=14 {members}')
        pending += [None, *inside.get(number, [])[::-1]]
    return lines


def _cluster_boxes(graph: Any, count: int, height: float) -> list[Box]:
    boxes: list[Box] = [(0.0, 0.0, 0.0, 0.0)] * count
    clusters = graph.subgraphs()
    for cluster in clusters:  # which grows while it is read: a cluster may hold others
        clusters += cluster.subgraphs()
        left, bottom, right, top = _numbers(cluster.graph_attr["bb"])
        number = int(cluster.name.removeprefix("cluster_"))
        boxes[number] = (left, height - top, right - left, top - bottom)
    return boxes


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))


# --- edges that run past many columns -----------------------------------------------

_CROWDED = 800
"""From so many columns passed by edges, taken together, ``dot`` would need minutes."""
_FAR = 8
"""So many columns may an edge pass in a crowded picture before it leaves the rows of cards."""
_BUSY = 6
"""From so many edges that pass columns a node sends them all through one lane."""
_LANE = 14.0


def _far_edges(count: int, edges: Sequence[tuple[int, int]]) -> set[int]:
    """Return the edges that Graphviz is spared.

    A value that many calls use has many long edges, for each of which Graphviz
    seeks a way of its own through all columns between: a tall picture, and a slow
    one.  Every node keeps its shortest edges, so that it stays where it belongs.
    """
    column = _columns(count, edges)
    spans = [column[head] - column[tail] for tail, head in edges]
    passing = Counter(tail for (tail, _), span in zip(edges, spans, strict=True) if span > 1)
    limit = _FAR if sum(spans) > _CROWDED else count
    far = {
        key
        for key, (tail, _) in enumerate(edges)
        if spans[key] > (1 if passing[tail] >= _BUSY else limit)
    }
    longest_first = sorted(range(len(edges)), key=spans.__getitem__)[::-1]
    nearest = [{edges[key][end]: key for key in longest_first} for end in (0, 1)]
    return far.difference(*(each.values() for each in nearest))


def _columns(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return a column for each node: behind all before it, a source just before its first use."""
    heads: list[list[int]] = [[] for _ in range(count)]
    waiting = Counter(head for _, head in edges)
    for tail, head in edges:
        heads[tail].append(head)
    column = [0] * count
    sources = [index for index in range(count) if not waiting[index]]
    ready = list(sources)
    while ready:
        tail = ready.pop()
        for head in heads[tail]:
            column[head] = max(column[head], column[tail] + 1)
            waiting[head] -= 1
            if not waiting[head]:
                ready.append(head)
    for source in sources:
        column[source] = min((column[head] for head in heads[source]), default=1) - 1
    return column


def _lead_by_lanes(
    paths: list[list[Point]],
    nodes: Sequence[Box],
    edges: Sequence[tuple[int, int]],
    far: set[int],
    height: float,
) -> float:
    """Lead far edges through lanes below the picture, one a node they leave; return its height."""
    lanes: dict[int, float] = {}
    for key in sorted(far):
        (left, top, width, tall), (to_left, to_top, to_width, to_tall) = (
            nodes[end] for end in edges[key]
        )
        x, y, to_x, to_y = left + width / 2, top + tall, to_left + to_width / 2, to_top + to_tall
        lane = lanes.setdefault(edges[key][0], height + _LANE * (len(lanes) + 1))
        side = max(-40.0, min(40.0, (to_x - x) / 2))
        paths[key] = [
            *((x, y), (x, lane), (x, lane), (x + side, lane)),
            *((x + side, lane), (to_x - side, lane), (to_x - side, lane)),
            *((to_x, lane), (to_x, lane), (to_x, to_y)),
        ]
    return height + _LANE * (len(lanes) + 1) if lanes else height

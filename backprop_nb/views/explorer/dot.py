"""Positions from Graphviz' ``dot``, in process, by pygraphviz.

All nodes have a fixed size and no text, so the result does not depend on any
font, and Graphviz has nothing to complain about on stderr.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pygraphviz

from backprop_nb.views.explorer.placement import (
    COLUMN_GAP,
    MARGIN,
    NODE_GAP,
    Box,
    Group,
    Layout,
    Point,
)

_STYLE = f"""digraph {{ rankdir=LR pad=0
nodesep={NODE_GAP / 72:.9g} ranksep={COLUMN_GAP / 72:.9g}
node [shape=box fixedsize=true label=""] edge [arrowhead=none]"""
_ALL = "nslimit=4 nslimit1=4"
"""In 4 n rounds the simplex finds what there is to find; on some graphs it would never stop."""
_LESS = "nslimit=0.1 nslimit1=0.1 mclimit=0.1"
_MANY = 1000
"""With so many cards each further round costs more than it gains."""


def placed(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    weights: Sequence[int],
    groups: Sequence[Group],
) -> Layout:
    """Lay a directed graph out from left to right; the arguments are those of ``layered``."""
    lines = [_STYLE, _ALL if len(sizes) < _MANY else _LESS]
    for index, (width, height) in enumerate(sizes):
        lines.append(f"{index} [width={width / 72:.9g} height={height / 72:.9g}]")
    for key, (tail, head) in enumerate(edges):
        lines.append(f'{tail} -> {head} [key="{key}" weight={weights[key]}]')
    graph = pygraphviz.AGraph(string="\n".join([*lines, *_clusters(groups), "}"]))
    graph.layout(prog="dot")

    # The y axis of Graphviz points up.
    _, _, width, height = _numbers(graph.graph_attr["bb"])
    nodes: list[Box] = []
    for index, (w, h) in enumerate(sizes):
        x, y = _numbers(graph.get_node(str(index)).attr["pos"])
        nodes.append((x - w / 2, height - y - h / 2, w, h))
    paths: list[list[Point]] = []
    for key, (tail, head) in enumerate(edges):
        text = graph.get_edge(str(tail), str(head), str(key)).attr["pos"]
        points = [_numbers(pair) for pair in text.replace("\\\n", "").split()]
        paths.append([(x, height - y) for x, y in points])
    return Layout(width, height, nodes, paths, _cluster_boxes(graph, len(groups), height))


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
        lines.append(f'subgraph cluster_{number} {{ label="" margin={MARGIN} {members}')
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

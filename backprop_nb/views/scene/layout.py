"""Positions from Graphviz, in process: a picture's geometry and nothing else.

All nodes have a fixed size and no text, so the result does not depend on any
font, and Graphviz has nothing to complain about on stderr.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, width, height."""


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
    groups: dict[tuple[str, ...], Box]


def layered(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    weights: Sequence[int],
    groups: Mapping[tuple[str, ...], Sequence[int]],
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
        The nodes of each nested group, by its chain of names, outermost first.
    """
    import pygraphviz

    graph = pygraphviz.AGraph(
        directed=True, strict=False, rankdir="LR", nodesep="0.22", ranksep="0.3", pad="0"
    )
    graph.node_attr.update(shape="box", fixedsize="true", label="")
    graph.edge_attr.update(arrowhead="none")
    for index, (width, height) in enumerate(sizes):
        graph.add_node(str(index), width=width / 72, height=height / 72)
    for key, (tail, head) in enumerate(edges):
        graph.add_edge(str(tail), str(head), key=str(key), weight=weights[key])
    clusters: dict[tuple[str, ...], Any] = {}
    for chain in sorted(groups, key=len):
        above = clusters.get(chain[:-1], graph)
        clusters[chain] = above.add_subgraph(
            [
                str(index)
                for inner in groups
                if inner[: len(chain)] == chain
                for index in groups[inner]
            ],
            name=f"cluster_{len(clusters)}",
            label="",
            margin="14",
        )
    graph.layout(prog="dot")
    return _read(graph, sizes, edges, clusters)


def _read(
    graph: Any,
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    clusters: Mapping[tuple[str, ...], Any],
) -> Layout:
    """Turn Graphviz' answer, whose y axis points up, into boxes and paths."""
    _, _, width, height = _numbers(graph.graph_attr["bb"])
    nodes: list[Box] = []
    for index, (w, h) in enumerate(sizes):
        x, y = _numbers(graph.get_node(str(index)).attr["pos"])
        nodes.append((x - w / 2, height - y - h / 2, w, h))
    paths = []
    for key, (tail, head) in enumerate(edges):
        text = graph.get_edge(str(tail), str(head), str(key)).attr["pos"]
        points = [_numbers(pair) for pair in text.replace("\\\n", "").split()]
        paths.append([(x, height - y) for x, y in points])
    boxes: dict[tuple[str, ...], Box] = {}
    for chain, cluster in clusters.items():
        left, bottom, right, top = _numbers(cluster.graph_attr["bb"])
        boxes[chain] = (left, height - top, right - left, top - bottom)
    return Layout(width, height, nodes, paths, boxes)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in text.split(","))

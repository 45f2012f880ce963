"""Positions from Graphviz, in process: a picture's geometry and nothing else.

All nodes have a fixed size and no text, so the result does not depend on any
font, and Graphviz has nothing to complain about on stderr.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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

    far = _far_edges(len(sizes), edges)
    near = [key for key in range(len(edges)) if key not in far]
    text, chains = _source(sizes, edges, weights, groups, near)
    graph = pygraphviz.AGraph(string=text)
    graph.layout(prog="dot")
    layout = _read(graph, sizes, edges, near, chains)
    return _with_far_edges(layout, edges, far) if far else layout


def _source(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    weights: Sequence[int],
    groups: Mapping[tuple[str, ...], Sequence[int]],
    near: Sequence[int],
) -> tuple[str, list[tuple[str, ...]]]:
    """Return the graph in Graphviz' language, and the chain of each cluster in it."""
    # In 4 n rounds the simplex finds what there is to find; on odd graphs it would never stop.
    lines = [
        "digraph { rankdir=LR nodesep=0.22 ranksep=0.3 pad=0 nslimit=4 nslimit1=4",
        'node [shape=box fixedsize=true label=""]',
        "edge [arrowhead=none]",
    ]
    for index, (width, height) in enumerate(sizes):
        lines.append(f"{index} [width={width / 72:.9g} height={height / 72:.9g}]")
    for key in near:
        tail, head = edges[key]
        lines.append(f'{tail} -> {head} [key="{key}" weight={weights[key]}]')
    inside: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for chain in groups:
        inside.setdefault(chain[:-1], []).append(chain)
    chains: list[tuple[str, ...]] = []
    pending: list[tuple[str, ...] | None] = list(reversed(inside.get((), ())))
    while pending:
        chain_now = pending.pop()
        if chain_now is None:
            lines.append("}")
            continue
        members = " ".join(map(str, groups[chain_now]))
        lines.append(f'subgraph cluster_{len(chains)} {{ label="" margin=14 {members}')
        chains.append(chain_now)
        pending += [None, *reversed(inside.get(chain_now, ()))]
    return "\n".join([*lines, "}"]), chains


def _read(
    graph: Any,
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    near: Sequence[int],
    chains: Sequence[tuple[str, ...]],
) -> Layout:
    """Turn Graphviz' answer, whose y axis points up, into boxes and paths."""
    _, _, width, height = _numbers(graph.graph_attr["bb"])
    nodes: list[Box] = []
    for index, (w, h) in enumerate(sizes):
        x, y = _numbers(graph.get_node(str(index)).attr["pos"])
        nodes.append((x - w / 2, height - y - h / 2, w, h))
    paths: list[list[Point]] = [[] for _ in edges]
    for key in near:
        tail, head = edges[key]
        text = graph.get_edge(str(tail), str(head), str(key)).attr["pos"]
        points = [_numbers(pair) for pair in text.replace("\\\n", "").split()]
        paths[key] = [(x, height - y) for x, y in points]
    boxes: dict[tuple[str, ...], Box] = {}
    clusters = graph.subgraphs()
    for cluster in clusters:  # which grows while it is read: a cluster may hold others
        clusters += cluster.subgraphs()
        left, bottom, right, top = _numbers(cluster.graph_attr["bb"])
        chain = chains[int(cluster.name.removeprefix("cluster_"))]
        boxes[chain] = (left, height - top, right - left, top - bottom)
    return Layout(width, height, nodes, paths, boxes)


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


def _far_edges(count: int, edges: Sequence[tuple[int, int]]) -> frozenset[int]:
    """Return the edges that Graphviz is spared.

    A value that many calls use has many long edges, for each of which Graphviz
    seeks a way of its own through all columns between: a tall picture, and a slow
    one.  Every node keeps its shortest edges, so that it stays where it belongs.
    """
    column = _columns(count, edges)
    spans = [column[head] - column[tail] for tail, head in edges]
    passing = Counter(tail for (tail, _), span in zip(edges, spans, strict=True) if span > 1)
    limit = _FAR if sum(spans) > _CROWDED else len(column)
    nearest_in: dict[int, int] = {}
    nearest_out: dict[int, int] = {}
    for key in sorted(range(len(edges)), key=spans.__getitem__):
        tail, head = edges[key]
        nearest_out.setdefault(tail, key)
        nearest_in.setdefault(head, key)
    kept = {*nearest_in.values(), *nearest_out.values()}
    return frozenset(
        key
        for key, span in enumerate(spans)
        if span > (1 if passing[edges[key][0]] >= _BUSY else limit) and key not in kept
    )


def _columns(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return a column for each node: behind all before it, a source just before its first use."""
    heads: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for tail, head in edges:
        heads[tail].append(head)
        waiting[head] += 1
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


def _with_far_edges(
    layout: Layout, edges: Sequence[tuple[int, int]], far: frozenset[int]
) -> Layout:
    """Lead far edges through lanes below the picture, one for each node that they leave."""
    lanes: dict[int, float] = {}
    for key in sorted(far):
        tail, head = edges[key]
        lane = lanes.setdefault(tail, layout.height + _LANE * (len(lanes) + 1))
        layout.edges[key] = _by_lane(layout.nodes[tail], layout.nodes[head], lane)
    return replace(layout, height=layout.height + _LANE * (len(lanes) + 1))


def _by_lane(tail: Box, head: Box, lane: float) -> list[Point]:
    """Return a path from below one card along a lane to below another."""
    x, y = tail[0] + tail[2] / 2, tail[1] + tail[3]
    to_x, to_y = head[0] + head[2] / 2, head[1] + head[3]
    bend = min(40.0, abs(to_x - x) / 2)
    side = bend if to_x > x else -bend
    return [
        *((x, y), (x, lane), (x, lane), (x + side, lane)),
        *((x + side, lane), (to_x - side, lane), (to_x - side, lane)),
        *((to_x, lane), (to_x, lane), (to_x, to_y)),
    ]

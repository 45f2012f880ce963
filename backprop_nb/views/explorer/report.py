"""A checked gradient function in the explorer, at the expression that is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop_nb.checking.report import Finding, Report
from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing import Graph, Node
from backprop_nb.views.explorer.scene import graph_scene
from backprop_nb.views.explorer.widget import GraphExplorer


def explore_report(report: Report, **options: Any) -> GraphExplorer:
    """Return the gradient function in the explorer, where its first wrong expression stands.

    Raises
    ------
    UnsupportedError
        If the report has no trace of it.
    """
    graph = report.graph
    if not isinstance(graph, Graph):
        raise _nothing_to_explore(report)
    node = _wrong_node(graph, report.findings)
    if node is None:
        return GraphExplorer(graph, **options)
    scene = graph_scene(graph)
    forward = [
        k for k, each in enumerate(scene["frames"])
        if each["phase"] == "forward" and each["node"] == node.index
    ]  # fmt: skip
    around, group = set[str](), scene["nodes"][node.index]["group"]
    while group is not None:
        around.add(scene["groups"][group]["id"])
        group = scene["groups"][group]["parent"]
    folded = [each for each in scene["folded"] if each not in around]
    at: dict[str, Any] = {
        "step": forward[0] if forward else 0,
        "selected": node.name,
        "folded": folded,
    }
    return GraphExplorer(graph, **(at | options))


def _wrong_node(graph: Graph, findings: tuple[Finding, ...]) -> Node | None:
    """Return the node that the best finding with a line is about."""
    for finding in findings:
        place, given = finding.place, finding.given
        if place is None or given is None:
            continue
        there = [
            node
            for node in graph.nodes
            if node.source is not None
            and (node.source.filename, node.source.start, node.source.end)
            == (place.filename, place.start, place.end)
        ]
        # In a loop one round may be wrong; what a helper was handed has a place in another line.
        same = [node for node in there or graph.nodes if np.array_equal(node.value, given)]
        if same or there:
            return (same or there)[-1]
    return None


def _nothing_to_explore(report: Report) -> UnsupportedError:
    if report.ok:
        return UnsupportedError(
            "There is nothing wrong to explore.",
            given=f"a report that says {report.headline!r}",
            instead="bp.trace(loss, …).explore() for the loss itself",
        )
    return UnsupportedError(
        "This report has no traced gradient function that could be explored.",
        given=repr(report),
        expected="the report of bp.check_gradient on a wrong gradient function in plain NumPy",
        instead="bp.check_gradient(loss, gradient, …).explore() with the function, not its result; "
        "or bp.trace(loss, …).explore() for the loss itself",
    )

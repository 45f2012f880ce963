"""What a graph costs grows with its length, and no faster."""

import sys

import pytest
from growing import programs

import backprop_nb as bp

NODES = 60

COSTS = {
    "backward": lambda graph: graph.backward().gradients,
    "steps": lambda graph: graph.backward().steps,
    "rules": lambda graph: [c.rule for step in graph.backward().steps for c in step.contributions],
    "to_numpy": lambda graph: graph.to_numpy(),
    "to_latex": lambda graph: graph.to_latex(),
    "compile": lambda graph: graph.compile(),
    "describe": lambda graph: str(graph.describe()),
}


def calls(function, *args, **options):
    """Return how many functions are called, those in C included, and the result."""
    count = 0

    def called(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        result = function(*args, **options)
    finally:
        sys.setprofile(None)
    return count, result


@pytest.mark.parametrize("name", programs(NODES))
def test_four_times_the_nodes_take_about_four_times_the_calls(name):
    counts = []
    for nodes in (NODES, NODES, 4 * NODES):  # the first fills what is kept
        f, args, options = programs(nodes)[name]
        count, graph = calls(bp.trace, f, *args, **options)
        found = {"trace": count} | {
            what: calls(cost, bp.trace(f, *args, **options))[0] for what, cost in COSTS.items()
        }
        counts.append({what: each / len(graph.nodes) for what, each in found.items()})
    _, few, many = counts
    assert {what: many[what] / few[what] for what in few if many[what] > 1.15 * few[what]} == {}

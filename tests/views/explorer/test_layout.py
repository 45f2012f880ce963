"""Graphviz lays out in process: nothing overlaps, nothing is printed, nothing depends on fonts."""

import subprocess
import sys
from itertools import combinations

from backprop_nb.views.explorer.layout import layered

SIZES = [(100.0, 80.0)] * 5
EDGES = [(0, 2), (1, 2), (2, 3), (2, 4), (3, 4)]
WEIGHTS = [1] * len(EDGES)


def overlap(first, second):
    (a, b, w, h), (c, d, v, g) = first, second
    return a < c + v and c < a + w and b < d + g and d < b + h


def inside(point, box, slack=2.0):
    (x, y), (left, top, width, height) = point, box
    return left - slack <= x <= left + width + slack and top - slack <= y <= top + height + slack


def test_no_two_nodes_overlap_and_all_lie_in_the_picture():
    layout = layered(SIZES, EDGES, WEIGHTS, [])
    assert not any(overlap(a, b) for a, b in combinations(layout.nodes, 2))
    for x, y, w, h in layout.nodes:
        assert -1 <= x <= x + w <= layout.width + 1
        assert -1 <= y <= y + h <= layout.height + 1


def test_an_edge_runs_from_its_tail_to_its_head_as_cubic_curves():
    layout = layered(SIZES, EDGES, WEIGHTS, [])
    for (tail, head), path in zip(EDGES, layout.edges, strict=True):
        assert len(path) % 3 == 1
        assert inside(path[0], layout.nodes[tail])
        assert inside(path[-1], layout.nodes[head])


def test_computation_runs_from_left_to_right():
    layout = layered(SIZES, EDGES, WEIGHTS, [])
    assert all(layout.nodes[tail][0] < layout.nodes[head][0] for tail, head in EDGES)


def test_two_edges_between_the_same_nodes_are_two_paths():
    layout = layered(SIZES[:2], [(0, 1), (0, 1)], [1, 1], [])
    assert layout.edges[0] != layout.edges[1]


def test_a_group_holds_its_nodes_and_the_groups_inside_it():
    groups = [(None, [2]), (0, [3])]
    layout = layered(SIZES, EDGES, WEIGHTS, groups)
    outer, inner = layout.groups
    left, top, width, height = inner
    for corner in ((left, top), (left + width, top + height)):
        assert inside(corner, outer)
    x, y, w, h = layout.nodes[3]
    assert inside((x, y), inner)
    assert inside((x + w, y + h), inner)


def test_a_layout_is_the_same_every_time():
    groups = [(None, [2, 3])]
    assert layered(SIZES, EDGES, WEIGHTS, groups) == layered(SIZES, EDGES, WEIGHTS, groups)


def test_a_single_node_needs_no_edges():
    assert len(layered([(100.0, 80.0)], [], [], []).nodes) == 1


def test_graphviz_prints_nothing():
    # In a graded cell any text on stderr costs all points.
    code = (
        "import backprop_nb as bp; from backprop_nb.views.explorer.scene import graph_scene; "
        "g = bp.trace(lambda x: x**2 + x, 3.0); graph_scene(g)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def bus(count):
    """A chain, each node of which uses node 0."""
    edges = [(k, k + 1) for k in range(count)] + [(0, k) for k in range(2, count + 1)]
    return layered([(100.0, 80.0)] * (count + 1), edges, [1] * len(edges), []), edges


def test_a_value_that_everything_uses_hands_itself_on_through_one_lane_below():
    layout, edges = bus(12)
    rows = max(y + h for _, y, _, h in layout.nodes)
    lanes = {max(y for _, y in path) for path in layout.edges}
    assert max(lanes) > rows
    assert len([lane for lane in lanes if lane > rows]) == 1
    assert layout.height < rows + 100
    for (tail, head), path in zip(edges, layout.edges, strict=True):
        assert len(path) % 3 == 1
        assert inside(path[0], layout.nodes[tail])
        assert inside(path[-1], layout.nodes[head])


def test_thousands_of_nodes_that_use_one_value_are_laid_out_at_all():
    # Graphviz alone needs minutes for 300 of them.
    layout, _ = bus(2000)
    assert not any(overlap(a, b) for a, b in zip(layout.nodes, layout.nodes[1:], strict=False))


def test_a_value_with_few_uses_is_left_to_graphviz():
    layout, _ = bus(4)
    assert max(y for path in layout.edges for _, y in path) <= layout.height

"""What belongs together: calls, and runs of a long computation, named after the learner's code."""

import math
from itertools import pairwise

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.explorer.grouping import ROOM, folded_at_first, groups_of


def layer(A, b, x):
    z = A @ x + b
    return bp.sigmoid(z)


def block(A, b, x):
    return layer(A, b, layer(A, b, x))


def nested(A, b, x):
    return np.sum(block(A, b, block(A, b, x)))


def loop(x):
    for _ in range(500):
        x = x * 1.001
        x = x + 0.5
    return x


def deep(A, b, x):
    for i in range(len(A)):
        x = layer(A[i], b[i], x)
    return np.sum(x)


def terms(xs):
    total = 0.0
    for x in xs:
        total = total + np.exp(x)
    return total


def stacked(xs):
    return np.sum(np.stack(xs) * 2.0)


def within(x):
    return loop(x) + 1.0


def deep_graph(count):
    return bp.trace(deep, [np.eye(2)] * count, [np.ones(2)] * count, np.ones(2))


def nodes_in(groups, index):
    inside = [k for k, group in enumerate(groups) if group.parent == index]
    return sorted(groups[index].own + [n for k in inside for n in nodes_in(groups, k)])


def shown(groups, count, parent=None):
    """How many cards an open group, or the whole picture, has with all in it folded."""
    inside = sum(group.parent == parent for group in groups)
    if parent is None:
        return inside + count - sum(len(group.own) for group in groups)
    return inside + len(groups[parent].own)


def test_calls_are_groups_inside_the_calls_around_them():
    groups = groups_of(bp.trace(nested, np.eye(2), np.ones(2), np.ones(2)))
    names = {group.id: group.parent for group in groups}
    assert set(names) == {"block 1", "block 2", "layer 1", "layer 2", "layer 3", "layer 4"}
    assert {groups[names[f"layer {k}"]].id for k in (1, 2)} == {"block 1"}
    assert [group.depth for group in groups] == [0, 0, 1, 1, 1, 1]


def test_a_small_graph_has_no_runs_and_begins_open():
    graph = deep_graph(8)
    groups = groups_of(graph)
    assert [group.id for group in groups] == [f"layer {k}" for k in range(1, 9)]
    assert folded_at_first(groups, len(graph.nodes)) == []


@pytest.mark.parametrize(
    "graph",
    [
        pytest.param(bp.trace(loop, 1.0), id="loop"),
        pytest.param(bp.trace(within, 1.0), id="loop in a call"),
        pytest.param(deep_graph(300), id="calls"),
        pytest.param(bp.trace(terms, [0.1] * 700), id="terms"),
        pytest.param(bp.trace(stacked, [0.1] * 700), id="inputs"),
    ],
)
def test_a_large_graph_never_shows_more_than_there_is_room_for(graph):
    groups = groups_of(graph)
    assert shown(groups, len(graph.nodes)) <= ROOM
    assert all(shown(groups, 0, index) <= ROOM for index in range(len(groups)))
    assert len({group.id for group in groups}) == len(groups)
    # Every node is in one group at most, and none is lost.
    own = [index for group in groups for index in group.own]
    assert len(own) == len(set(own))


def over_an_array(w, xs):
    h = 0.0
    for x in xs:
        h = np.tanh(w * h + x)
    return h


def over_two(w, xs):
    h = 0.0
    for x, (k, y) in zip(xs[:, 0], enumerate(xs[:, 1]), strict=True):
        h = np.tanh(w * h + x) - k * y
    return h


def over_neighbours(w, xs):
    h = 0.0
    for x, y in pairwise(xs):
        h = np.tanh(w * h + x) - y
    return h


def over_some(w, xs):
    h = 0.0
    for k, x in enumerate(xs):
        if k % 3:
            h = np.tanh(w * h + x)
    return h


def over_the_shorter(w, xs):
    h = 0.0
    for x, _ in zip(xs, range(19), strict=False):
        h = np.tanh(w * h + x)
    return h


def in_a_list(w, xs):
    return sum([np.tanh(w * x) for x in xs])


def twice_over(w, xs):
    h = 0.0
    for _ in range(3):
        h = h * w
        for x in xs:
            h = np.tanh(h + x)
    return h


@pytest.mark.parametrize(
    ("f", "header", "count"),
    [
        (over_an_array, "for x in xs", 20),
        (over_two, "for x, (k, y) in zip(xs[:, 0], enumerate(xs…", 20),
        (in_a_list, "for x in xs", 20),
        (twice_over, "for _ in range(3)", 3),
    ],
)
def test_a_round_begins_with_the_element_that_a_loop_takes_of_an_array(f, header, count):
    shape = (20, 2) if f is over_two else (20,)
    graph = bp.trace(f, 0.5, np.linspace(-1, 1, math.prod(shape)).reshape(shape))
    titles = [group.name for group in groups_of(graph) if group.name.startswith(header)]
    assert titles[0].endswith(f" · round 1 of {count}")
    assert titles[-1].endswith(f"round {count} of {count}")


@pytest.mark.parametrize("f", [over_neighbours, over_some, over_the_shorter])
def test_no_round_is_counted_where_elements_do_not_tell_it(f):
    groups = groups_of(bp.trace(f, 0.5, np.linspace(-1, 1, 20)))
    assert not [group.name for group in groups if group.name.endswith(("of 20", "of 21"))]


def test_each_round_of_a_loop_is_a_group_and_all_else_stays_outside():
    def rnn(W, U, xs, h):
        for x in xs:
            h = np.tanh(W @ h + U @ x * np.full(2, 0.5))
        return (h**2).sum()

    rng = np.random.default_rng(0)
    xs = [rng.normal(size=2) for _ in range(20)]
    graph = bp.trace(rnn, rng.normal(size=(2, 2)), rng.normal(size=(2, 2)), xs, np.zeros(2))
    groups = groups_of(graph)
    assert [group.name for group in groups] == [
        f"for x in xs · round {k} of 20" for k in range(1, 21)
    ]
    inside = [[graph.nodes[index].name for index in group.own] for group in groups]
    assert inside[2][-1] == "h3"
    assert {len(names) for names in inside} == {6}  # with the constant of the round
    outside = {node.name for node in graph.nodes} - {name for names in inside for name in names}
    assert outside == {
        *(node.name for node in graph.inputs),
        *(node.name for node in graph.nodes[-2:]),
    }
    # So the folded picture is one that can be looked at.
    assert folded_at_first(groups, len(graph.nodes)) == [group.id for group in groups]


def test_what_collects_the_rounds_of_a_loop_stands_behind_the_last():
    def convolved(x, kernel):
        out = np.zeros(5)
        for i in range(5):
            out[i] = np.sum(x[i : i + 3] * kernel)
        return np.sum(out**2)

    graph = bp.trace(convolved, np.arange(7.0), np.ones(3))
    groups = groups_of(graph)
    assert [group.name for group in groups] == [
        f"for i in range(5) · round {k} of 5" for k in range(1, 6)
    ]
    assert {len(group.own) for group in groups} == {3}
    assert not any(graph.node("out2").index in group.own for group in groups)


def test_a_last_round_that_only_collects_is_a_round_all_the_same():
    def normalised(A):
        for i in range(len(A)):
            A[i] /= np.sqrt(np.sum(A[i] ** 2))
        return np.sum(A @ A.T)

    graph = bp.trace(normalised, np.random.default_rng(0).normal(size=(3, 4)))
    assert groups_of(graph)


def twice(x):
    for _ in range(2):
        x = np.sin(x) * x
    return x


def branches(x):
    for k in range(6):
        if k % 2:
            x = np.sin(x)
            x = x + 1.0
        else:
            x = np.cos(x) * 2.0
    return x


def inner(W, x):
    total = 0.0
    for i in range(3):
        for j in range(4):
            total = total + W[i, j] * x[j]
    return total


def both(W, x):
    total = 0.0
    for i in range(3):
        row = 0.0
        for j in range(4):
            row = row + W[i, j] * x[j]
        total = total + row * row
    return total


def until(x):
    count = 0
    while count < 5:
        count += 1
        x = np.sin(x) * x
    return x


def listed(x):
    return np.sum(np.stack([np.tanh(x * k) * k for k in range(1, 5)]))


def in_lines(x):
    for k in range(3):
        y = np.sin(x)
        if k:
            y = y * 2.0
        x = y + x
    return x


def either(x):
    for k in range(6):
        x = x * 1.5 + 1.0 if k % 3 else np.sin(x) * 2.0
    return x


def several(x):
    for k in range(4):
        x = (x * 1.5 if k % 2 else np.sin(x)) + (
            np.cos(x) if (x < 1.5 if k else x > 2.0) else 2 * x
        )
    return np.exp(x)


def matched(x):
    for k in range(6):
        match k % 3:
            case 0:
                x = np.sin(x) * x
            case 1:
                x = np.cos(x) * x
            case _:
                x = x * 2.0 + x
    return x


SQUARE, ROW = np.ones((3, 4)), np.ones(4)


@pytest.mark.parametrize(
    ("f", "args", "rounds"),
    [
        (twice, (0.5,), {}),  # two rounds are looked at as they are
        (branches, (0.5,), {"for k in range(6)": 6}),
        # Nothing tells where the outer loop goes on, so it is not said.
        (inner, (SQUARE, ROW), {"for i in range(3), for j in range(4)": 12}),
        (both, (SQUARE, ROW), {"for i in range(3)": 3, "for j in range(4)": 12}),
        (until, (0.5,), {"while count < 5": 5}),
        (listed, (0.5,), {"for k in range(1, 5)": 4}),
        (in_lines, (0.5,), {"for k in range(3)": 3}),
        (either, (0.5,), {"for k in range(6)": 6}),
        (several, (0.5,), {"for k in range(4)": 4}),
        (matched, (0.5,), {"for k in range(6)": 6}),
    ],
)
def test_rounds_are_told_from_the_code(f, args, rounds):
    titles = [group.name.partition(" · ")[0] for group in groups_of(bp.trace(f, *args))]
    assert {title: titles.count(title) for title in titles} == rounds


def skipping(x):
    for k in range(8):
        if k % 2:
            x = np.sin(x) * x
    return np.exp(x)


def going_on(x):
    for k in range(8):
        if k % 2:
            continue
        x = np.sin(x) * x
    return np.exp(x)


def keeping(x):
    for k in range(8):
        x = np.sin(x) * x if k % 2 else x
    return np.exp(x)


def filtered(x):
    return sum([np.sin(x * k) * k for k in range(8) if k % 2])


def some_cases(x):
    for k in range(8):
        match k % 2:
            case 0:
                x = np.sin(x) * x
    return np.exp(x)


def triangle(x):
    for i in range(5):
        for _ in range(i):
            x = x * 0.5
        for _ in range(i):
            x = x + 0.5
    return np.exp(x)


@pytest.mark.parametrize("f", [skipping, going_on, keeping, filtered, some_cases, triangle])
def test_where_a_round_may_compute_nothing_no_number_is_said_that_could_be_false(f):
    names = [group.name for group in groups_of(bp.trace(f, 0.5))]
    first, *others = [name for name in names if name.partition(" · ")[0] in names[0]]
    assert first.endswith(" · round 1 or later")
    assert others[-1].endswith(f" · round {len(others) + 1} or later")


def test_many_rounds_are_runs_named_after_the_loop():
    groups = groups_of(bp.trace(loop, 1.0))
    assert groups[0].name == "for _ in range(500) · rounds 1 to 21 of 500"
    assert groups[-1].name == "for _ in range(500) · round 500 of 500"
    # A run ends where a round does.
    inside = [[index for index in nodes_in(groups, k) if index] for k in range(len(groups))]
    assert {len(each) % 2 for each in inside} == {0}


def test_a_run_of_calls_takes_their_parameters_along():
    graph = deep_graph(300)
    groups = groups_of(graph)
    assert groups[0].name.startswith("for i in range(len(A)) · rounds 1 to ")
    names = {graph.nodes[index].name for index in nodes_in(groups, 0)}
    assert {"A0", "b0"} <= names
    assert "x" in names  # only the first layer uses it
    assert "layer 1" in {group.id for group in groups}
    last = {graph.nodes[index].name for group in groups for index in group.own}
    assert graph.output.name not in last  # what follows the loop stays outside


def test_inputs_that_one_call_uses_are_runs_of_their_own():
    names = [group.name for group in groups_of(bp.trace(stacked, [0.1] * 700))]
    assert any(name.startswith("xs0 to xs") for name in names)
    assert len(set(names)) == len(names)


def test_rounds_are_counted_over_the_whole_loop_at_every_level():
    graph = bp.trace(lambda x: [x := x * 1.001 for _ in range(5000)][-1], 1.0)
    groups = groups_of(graph)
    assert max(group.depth for group in groups) == 1
    last = [group for group in groups if group.depth == 1][-1]
    assert last.name.startswith("for _ in range(5000) · rounds ")
    assert last.name.endswith(" to 5000 of 5000")


def test_code_without_source_is_grouped_by_the_names_of_its_nodes():
    space = {}
    exec("def f(x):\n    for _ in range(200): x = x * 1.01\n    return x", space)
    names = [group.name for group in groups_of(bp.trace(space["f"], 1.0))]
    assert names[0].startswith("v1 to v")


def test_a_large_graph_opens_level_by_level_while_there_is_room():
    # One call around everything says nothing when it is folded.
    def outer(A, b, x):
        return deep(A, b, x)

    graph = bp.trace(outer, [np.eye(2)] * 30, [np.ones(2)] * 30, np.ones(2))
    groups = groups_of(graph)
    folded = folded_at_first(groups, len(graph.nodes))
    assert folded
    assert len(folded) < len(groups) or groups[0].depth == 0

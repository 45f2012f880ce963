"""What a graph costs grows with its length, and no faster."""

import sys
from pathlib import Path

import numpy as np
import pytest
from growing import others, programs

import backprop_nb as bp
from backprop_nb.tracing.emit import statements
from backprop_nb.views.explorer.scene import GraphScene

NODES = 60

COSTS = {
    "backward": lambda graph: graph.backward().gradients,
    "steps": lambda graph: graph.backward().steps,
    "rules": lambda graph: [c.rule for step in graph.backward().steps for c in step.contributions],
    "to_numpy": lambda graph: graph.to_numpy(),
    "to_latex": lambda graph: graph.to_latex(),
    "compile": lambda graph: graph.compile(),
    "to_dot": lambda graph: graph.to_dot(),
    "describe": lambda graph: str(graph.describe()),
    "scene": lambda graph: GraphScene(graph, in_full=True),
    "scene to be told": lambda graph: GraphScene(graph, in_full=False),
}

MOST = {"scene": 1.5}
"""A scene has a formula of each call, and a long one takes longer; nothing else grows so much."""
ON_THE_WAY_OUT = {"scene to be told": 2.0}
"""There each call looks for its line from the first node within, which is in the innermost one."""


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


@pytest.mark.parametrize("name", programs(NODES) | others(NODES))
def test_four_times_the_nodes_take_about_four_times_the_calls(name):
    counts = []
    for nodes in (NODES // 2, NODES, 4 * NODES):  # the first fills what is kept of the code
        f, args, options = (programs(nodes) | others(nodes))[name]
        count, graph = calls(bp.trace, f, *args, **options)
        found = {"trace": count} | {
            what: calls(cost, bp.trace(f, *args, **options))[0] for what, cost in COSTS.items()
        }
        counts.append({what: each / len(graph.nodes) for what, each in found.items()})
    _, few, many = counts
    grown = {what: many[what] / few[what] for what in few}
    most = ON_THE_WAY_OUT | MOST if "way out" in name else MOST
    assert {what: by for what, by in grown.items() if by > most.get(what, 1.15)} == {}


def test_a_function_of_one_number_is_recorded_in_few_calls():
    # As in a recurrence, of which there are a million in three seconds.
    def bounded(x, steps):
        for _ in range(steps):
            x = np.tanh(x)
        return x

    _, few, many = (calls(bp.trace, bounded, 0.5, steps=n)[0] for n in (0, 0, 100))
    assert (many - few) / 100 < 16


@pytest.mark.parametrize("name", programs(NODES))
def test_a_statement_is_shortened_once_however_many_steps_name_it(name, monkeypatch):
    # One call in C, whose time is that of the statement's length: calls do not tell.
    lengths = []

    def brief(line, as_before=statements._brief):
        lengths.append(len(line))
        return as_before(line)

    monkeypatch.setattr(statements, "_brief", brief)
    f, args, options = programs(4 * NODES)[name]
    for text in bp.trace(f, *args, **options).to_numpy, bp.trace(f, *args, **options).to_latex:
        lengths.clear()
        printed = text()
        assert 0 < sum(lengths) < len(printed)


def test_a_column_that_is_made_of_the_last_one_takes_few_calls():
    # Such a loop runs twice more where a program is printed: to see that it draws nothing.
    def columns(x, steps):
        a = np.zeros((3, steps + 1))
        a[:, 0] = x
        for k in range(steps):
            a[:, k + 1] = np.sin(a[:, k])
        return a[0, -1]

    x = np.array([0.1, 0.2, 0.3])
    _, few, many = (calls(bp.trace, columns, x, steps=n)[0] for n in (0, 0, 100))
    assert (many - few) / 100 < 170


def test_an_entry_of_an_array_that_is_written_to_is_read_in_few_calls():
    # A table of dynamic programming is read twice for each entry that it is written.
    def table(x, reads):
        out = np.zeros((2, 2))
        out[0, 0] = x
        for _ in range(reads):
            out[0, 1]
        return out[0, 0]

    _, few, many = (calls(bp.trace, table, 1.0, reads=n)[0] for n in (0, 0, 100))
    assert (many - few) / 100 < 120


def test_an_array_that_is_captured_is_recorded_in_few_calls():
    # The line that an error would name is looked for when there is one.
    arrays = [np.array([1.0, k, 2.0]) for k in range(100)]

    def sums(x, count):
        return sum(np.sum(x * each) for each in arrays[:count])

    x = np.array([0.3, 0.2, 0.1])
    _, few, many = (calls(bp.trace, sums, x, count=n)[0] for n in (1, 1, 100))
    assert (many - few) / 99 < 145


def measured():
    """Return the two tables of the benchmark, as cells."""
    text = Path(__file__).parents[1].joinpath("benchmarks", "tracing.md").read_text("utf-8")
    lines = (line.split("|")[1:-1] for line in text.splitlines() if line.startswith("|"))
    rows = [[cell.strip() for cell in cells] for cells in lines]
    cut = next(k for k, row in enumerate(rows) if "scalar operations" in row[0])
    return rows[2:cut], rows[cut + 2 :]


def test_the_table_has_every_program_and_one_of_a_hundred_thousand_nodes():
    found = {}
    for name, nodes, *costs, _ in measured()[0]:
        if name in programs(NODES):
            found.setdefault(name, []).append((int(nodes.replace(" ", "")), *map(float, costs)))
    assert [*found] == [*programs(NODES)]
    lengths = [[nodes for nodes, *_ in rows] for rows in found.values()]
    assert [row for row in lengths if row[0] > 150 or row[-1] < 700] == []
    assert max(map(max, lengths)) > 90_000
    # At no length does a node cost twice what it costs in a shorter graph, or anything 20 s.
    costs = {
        (name, k): [row[k] for row in rows]
        for name, rows in found.items()
        for k in range(1, len(rows[0]))
    }
    grown = {
        name: each
        for name, each in costs.items()
        if any(cost > 2 * min(each[:k]) for k, cost in enumerate(each) if k)
    }
    assert grown == {}
    slowest = max(row[0] * max(row[1:]) / 1e6 for rows in found.values() for row in rows)
    assert slowest < 20


def test_the_table_has_a_million_operations_in_less_than_3_seconds_and_400_megabytes():
    _, seconds, megabytes = next(row for row in measured()[1] if row[0] == "backprop_nb, here")
    assert float(seconds) < 3
    assert float(megabytes) < 400

"""The learner's code, cut into parts that know their nodes; nothing of it is lost."""

import linecache
from pathlib import Path

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.network.activations import ACTIVATIONS
from backprop_nb.views.explorer.source_blocks import comments, cut_lines, source_blocks


def cut(lines, *places):
    """Return for each line its parts: the text, the innermost nodes and all nodes."""
    found = cut_lines(lines, 1, places)
    return [[(part["text"], part["inner"], part["nodes"]) for part in line] for line in found]


def test_source_is_cut_into_parts_that_know_the_innermost_node():
    assert cut(["z = A @ x + b"], (7, (1, 4), (1, 13)), (5, (1, 4), (1, 9))) == [
        [("z = ", [], []), ("A @ x", [5], [5, 7]), (" + b", [7], [7])]
    ]


def test_an_expression_over_several_lines_is_on_each_of_them_but_not_before_they_begin():
    assert cut(["a = f(", "  x)"], (1, (1, 4), (2, 4))) == [
        [("a = ", [], []), ("f(", [1], [1])],
        [("  ", [], []), ("x)", [1], [1])],
    ]


def test_of_nested_calls_over_several_lines_the_innermost_is_known_on_each_line():
    lines = ["f(", "  g(", "    x,", "  )", ")"]
    found = cut(lines, (1, (2, 2), (4, 3)), (2, (1, 0), (5, 1)))
    assert [parts[-1][1] for parts in found] == [[2], [1], [1], [1], [2]]


def test_a_line_that_is_executed_several_times_knows_all_its_nodes():
    ((_, part),) = cut(["z = A @ x"], *((node, (1, 4), (1, 9)) for node in (3, 8)))
    assert part == ("A @ x", [3, 8], [3, 8])


def test_columns_count_characters():
    line = 'say("\U0001f600"); z = x * x'
    start = line.index("z") + 4
    ((*_, last),) = cut([line], (1, (1, start), (1, start + 5)))
    assert last == ("x * x", [1], [1])


def test_no_text_of_a_line_is_lost_or_doubled():
    line = "return np.sum((y - f) ** 2)"
    spans = [(7, 27), (14, 26), (15, 20), (0, 99)]
    (parts,) = cut([line], *((node, (1, a), (1, b)) for node, (a, b) in enumerate(spans)))
    assert "".join(text for text, _, _ in parts) == line


def test_a_comment_belongs_to_no_expression_nor_does_a_line_of_comment_inside_of_one():
    lines = ["z = f(  # outer", "  # all of a line", "  x  # inner", ")"]
    found = cut(lines, (2, (1, 4), (4, 1)), (1, (3, 2), (3, 3)))
    marked = [[text for text, _, nodes in parts if 2 in nodes] for parts in found]
    assert marked == [["f("], [], ["x"], [")"]]
    assert ["".join(text for text, _, _ in parts) for parts in found] == lines


def test_comments_are_told_from_code_and_from_texts():
    lines = ["def f(x):", "    # a line of its own", "    return g(x, '#')  # é and the rest"]
    assert comments(lines) == [(1, 4), (2, 22)]
    assert comments(["x = (  # never closed"]) == []


def test_the_parts_of_a_node_are_its_exact_expression():
    def loss(A, x):
        z = A @ x
        return np.sum(z * z)

    graph = bp.trace(loss, np.ones((2, 2)), np.ones(2))
    (block,) = source_blocks(graph.nodes)
    parts = [part for line in block["lines"] for part in line]
    sources = [node.source for node in graph.nodes if node.source]
    assert len(sources) == 3
    assert block["own"]
    first = test_the_parts_of_a_node_are_its_exact_expression.__code__.co_firstlineno + 1
    assert block["first"] == first
    for node in graph.nodes[2:]:
        shown = "".join(part["text"] for part in parts if node.index in part["nodes"])
        assert shown == node.source


def test_indented_code_is_shown_from_its_own_margin(tmp_path):
    script = tmp_path / "indented.py"
    script.write_text("if True:\n    def f(x):\n        return x * x\n", encoding="utf-8")
    space = {}
    exec(compile(script.read_text(), str(script), "exec"), space)
    (block,) = source_blocks(bp.trace(space["f"], 2.0).nodes)
    linecache.clearcache()
    assert [[part["text"] for part in line] for line in block["lines"]] == [
        ["def f(x):"],
        ["    return ", "x * x"],
    ]
    assert block["lines"][1][1]["inner"] == [1]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_code_of_a_network_is_that_of_functions(activation):
    net = bp.Network((2, 3, 2), activation=activation, output="softmax", bias=False, seed=0)
    blocks = source_blocks(net.trace([1.0, -2.0], [1.0, 0.0]).nodes)
    first_lines = ["".join(part["text"] for part in block["lines"][0]) for block in blocks]
    assert "def loss(A):" in first_lines
    assert not any(block["own"] for block in blocks)
    assert all(line.startswith("def ") for line in first_lines), first_lines


def test_a_folder_that_begins_like_the_packages_is_the_learners():
    filename = f"{Path(bp.__file__).parent}_course/homework.py"
    text = "def f(x):\n    return x**2\n"
    linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
    space = {}
    exec(compile(text, filename, "exec"), space)
    assert [each["own"] for each in source_blocks(bp.trace(space["f"], 3.0).nodes)] == [True]

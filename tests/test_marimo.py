"""marimo's notebooks: Python files in which a cell is a function that is compiled without it."""

import ast
import contextlib
import io
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import backprop_nb as bp

ROOT = Path(__file__).parent.parent

SET_UP = """\
import json
import numpy as np
import backprop_nb as bp

def twice(x):
    doubled = x * 2
    return doubled

def show(graph):
    nodes = [(each.name, each.source, each.source.start) for each in graph.nodes[1:]]
    print(json.dumps([*nodes, graph.missing_source]))
"""
FUNCTION = """\
def shifted(x):
    above = x + 1
    return above
"""
CELLS = {
    "a function": """\
def f(x):
    u = x * 2
    return np.exp(u)

show(bp.trace(f, 1.0))
""",
    "a function within another": '''\
# What stands above the first statement is a line of the cell, too.

power = 3

def same(g):
    return g

def outer(k):
    text = """
        A string loses the indent of the cell.

    """; σ = len(text)

    @same
    def inner(x):
        if k:
            s = np.sin(
                x
            ) + σ * x
        return s ** power
    return inner

show(bp.trace(outer(2), 1.0))
''',
    "lambdas": """\
one, two = lambda x: x * 2, lambda x: x * 2
show(bp.trace(two, 1.0))
""",
    "other cells' functions": """\
show(bp.trace(lambda x: twice(x) + shifted(f(x)), 1.0))
""",
    "an error": """\
try:
    bp.trace(lambda x: float(x), 1.0)
except TypeError as error:
    print(json.dumps(error.at))
""",
    "a wrong line": """\
def loss(w):
    p = bp.sigmoid(w)
    return np.sum(p**2)

def gradient(w):
    p = bp.sigmoid(w)
    dp = 2 * p
    return dp * (1 - p)

finding = bp.check_gradient(loss, gradient, np.array([0.5, -1.0])).findings[0]
print(json.dumps([finding.line, finding.source]))
""",
}


def as_file():
    """Return the notebook as marimo stores it, and the first line of each of its parts."""
    text, first = "import marimo\n\napp = marimo.App()\n\n", []

    def add(head, code, indent):
        nonlocal text
        text += head
        first.append(text.count("\n") + 1)
        text += textwrap.indent(code, indent)

    add("with app.setup:\n", SET_UP, "    ")
    add("\n\n@app.function\n", FUNCTION, "")
    for code in CELLS.values():
        add("\n\n@app.cell\ndef _(\n    bp,\n    np,\n):\n", code, "    ")
        text += "    return (f,)\n" if "def f(" in code else "    return\n"
    return text + '\n\nif __name__ == "__main__":\n    app.run()\n', first


FILE, FIRST_LINES = as_file()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("marimo") / "notebook.py"
    path.write_text(FILE, "utf-8")
    return path


def compiled_as_marimo_does(path):
    """Run the cells, whose code is compiled alone and then moved to its lines in the file."""
    space = {}
    for line, code in zip(FIRST_LINES, (SET_UP, FUNCTION, *CELLS.values()), strict=True):
        tree = ast.increment_lineno(ast.parse(code), line - 1)
        exec(compile(tree, str(path), "exec", dont_inherit=True), space)


def run_by_marimo(path):
    pytest.importorskip("marimo")
    where = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=where)
    print(done.stdout)


@pytest.fixture(scope="module", params=[compiled_as_marimo_does, run_by_marimo])
def said(request, path):
    """What every cell says."""
    with contextlib.redirect_stdout(io.StringIO()) as stream:
        request.param(path)
    lines = [json.loads(line) for line in stream.getvalue().splitlines() if line]
    return dict(zip(CELLS, lines, strict=True))


def line_of(text):
    """Return the line of the file in which a text stands first."""
    return FILE[: FILE.index(text)].count("\n") + 1


@pytest.mark.parametrize(
    ("cell", "nodes"),
    [
        ("a function", [("u", "x * 2"), ("f", "np.exp(u)")]),
        (
            "a function within another",
            [
                ("v1", "np.sin(\n                x\n            )"),
                ("v2", "σ * x"),
                ("s", "np.sin(\n                x\n            ) + σ * x"),
                ("inner", "s ** power"),
            ],
        ),
        ("lambdas", [("v1", "x * 2")]),
        (
            "other cells' functions",
            [
                ("doubled", "x * 2"),
                ("u", "x * 2"),
                ("v1", "np.exp(u)"),
                ("above", "x + 1"),
                ("v2", "twice(x) + shifted(f(x))"),
            ],
        ),
    ],
)
def test_a_cell_has_its_names_and_its_expressions(said, cell, nodes):
    *found, missing = said[cell]
    assert [(name, text) for name, text, _ in found] == nodes
    assert missing == ""


def test_an_expression_stands_at_its_line_of_the_file_and_its_column_of_the_cell(said):
    assert said["a function"][0][2] == [line_of("u = x * 2"), 8]
    assert said["a function within another"][0][2] == [line_of("s = np.sin("), 16]
    assert said["lambdas"][0][2] == [line_of("one, two"), 38]
    assert said["other cells' functions"][3][2] == [line_of("above = x + 1"), 12]


def test_an_error_says_the_line(said):
    where = f"(line {line_of('float(x)')} of <lambda> in notebook.py)"
    assert said["an error"] == f"bp.trace(lambda x: float(x), 1.0)   {where}"


def test_the_wrong_line_of_a_gradient_is_found(said):
    assert said["a wrong line"] == [line_of("return dp * (1 - p)"), "1 - p"]


INDENTED_LESS = """\
@app.cell
def _():
    def f(x):
        y = x * len('''
  two
''')
        return y
    return (f,)
"""
CELL = """\
def f(x):
    y = x * len('''
  two
''')
    return y
"""


def test_a_string_that_was_indented_less_by_hand_keeps_its_lines(tmp_path):
    path = tmp_path / "notebook.py"
    path.write_text(INDENTED_LESS, "utf-8")
    space = {}
    exec(compile(ast.increment_lineno(ast.parse(CELL), 2), str(path), "exec"), space)
    graph = bp.trace(space["f"], 1.0)
    assert [each.source for each in graph.nodes[1:]] == ["x * len('''\n  two\n''')"]

"""Write the assignment in otter-grader's form, from the notebook that nbgrader reads.

    python notebooks/assignment/make_otter.py otter/backprop.ipynb
    otter assign otter/backprop.ipynb otter/dist

There is one source, ``backprop.ipynb`` beside this file. Its cells carry nbgrader's
metadata: a cell for the student, and below it a cell that tests it. Such a pair
becomes a question of otter's, under the same name and with the same points.

nbgrader gives a part of the points by the last line of a test, ``6 * report.score``.
otter gives the points of a test case or none. So the check becomes a case without
points, which shows the report, and there follow six cases of one point each: the
first passes if there is at least one point to give, the second if there are two, …
Where nbgrader gives 5.14 points, as for changed arguments, otter gives 5.
"""

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_raw_cell

SOURCE = Path(__file__).parent / "backprop.ipynb"

CONFIG = """\
# ASSIGNMENT CONFIG
name: {name}
requirements: [backprop-nb]
show_question_points: true
tests:
  ok_format: false
export_cell:
  pdf: false"""

HIDDEN = re.compile(
    r"^### BEGIN HIDDEN TESTS\n(.*?)^### END HIDDEN TESTS\n", re.DOTALL | re.MULTILINE
)
LAST_LINE = re.compile(r"^(\d+) \* report\.score$")
CONFIGURED = '''""" # BEGIN TEST CONFIG
points: {points}
hidden: {hidden}
""" # END TEST CONFIG
{code}'''
CHECK = """\
def {name}({names}):
{code}
    assert report.ok, report"""
# The cases of a question share what is global.
JUDGED = "global report\n"
POINT = """\
def point_{k}():
    assert {points} * report.score >= {k}"""


def main(target: str) -> None:
    """Write the assignment to a new notebook."""
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(converted(nbformat.read(SOURCE, as_version=4), path.stem), path)
    print(path)


def converted(notebook: NotebookNode, name: str) -> NotebookNode:
    """Return the notebook as ``otter assign`` reads it."""
    cells = [new_raw_cell(CONFIG.format(name=name)), *otter_cells(notebook.cells)]
    for k, cell in enumerate(cells):
        cell.id = f"otter-{k:03}"
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def otter_cells(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """Yield otter's cells; a question begins with a solution and ends with its test."""
    for cell in cells:
        of_nbgrader = cell.metadata.pop("nbgrader", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        if of_nbgrader is None:
            yield cell
        elif of_nbgrader["solution"]:
            manual = of_nbgrader["grade"]
            yield from question_begins(of_nbgrader, manual)
            yield from solution(cell)
            if manual:
                yield new_raw_cell("# END QUESTION")
        else:
            yield new_raw_cell("# BEGIN TESTS")
            yield from map(new_code_cell, cases(cell.source, of_nbgrader["points"]))
            yield new_raw_cell("# END TESTS")
            yield new_raw_cell("# END QUESTION")


def question_begins(of_nbgrader: NotebookNode, manual: bool) -> Iterator[NotebookNode]:
    """Yield the raw cell in which otter reads what the question is."""
    lines = ["# BEGIN QUESTION", f"name: {of_nbgrader['grade_id']}"]
    if manual:
        lines += ["manual: true", f"points: {of_nbgrader['points']}"]
    yield new_raw_cell("\n".join(lines))


def solution(cell: NotebookNode) -> Iterator[NotebookNode]:
    """Yield a solution with otter's marks in place of nbgrader's."""
    if cell.cell_type == "code":
        cell.source = cell.source.replace("### BEGIN", "# BEGIN").replace("### END", "# END")
    else:  # all of a text is the solution
        cell.source = re.sub(r"^### (BEGIN|END) SOLUTION\n?", "", cell.source, flags=re.MULTILINE)
    yield new_raw_cell("# BEGIN SOLUTION")
    yield cell
    yield new_raw_cell("# END SOLUTION")


def cases(source: str, points: int) -> Iterator[str]:
    """Yield the test cases for what nbgrader has as one cell.

    Raises
    ------
    ValueError
        The cell does not end with as many points times the score as it has.
    """
    *lines, last = source.splitlines()
    found = LAST_LINE.match(last)
    if not found or int(found[1]) != points:
        raise ValueError(
            f"A test of {points} points ends with {points} * report.score, not {last!r}"
        )
    shown = "".join(f"{line}\n" for line in lines if not line.startswith("display("))
    hidden = HIDDEN.search(shown)
    if hidden:
        yield case(check("shown", HIDDEN.sub("", shown)), 0, hidden=False)
        defined = "".join(re.findall(r"^def .*?\n\n", shown, re.DOTALL | re.MULTILINE))
        yield case(check("with_other_numbers", JUDGED + defined + hidden[1]), 0, hidden=True)
    else:
        yield case(check("shown", JUDGED + shown), 0, hidden=False)
    for k in range(1, points + 1):
        yield case(POINT.format(k=k, points=points), 1, hidden=True)  # the report says it all


def case(code: str, points: int, hidden: bool) -> str:
    """Return a test case with what otter has to know of it."""
    return CONFIGURED.format(points=points, hidden=str(hidden).lower(), code=code)


def check(name: str, code: str) -> str:
    """Return a case that makes a report and shows it if something is wrong."""
    names = ", ".join(sorted(needed(code)))
    return CHECK.format(name=name, names=names, code=indent(code.strip(), "    "))


def needed(code: str) -> set[str]:
    """Return the names that code takes from the notebook: otter hands over what a case lists."""
    nodes = list(ast.walk(ast.parse(code)))
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.asname or node.name for node in nodes if isinstance(node, ast.alias)}
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return {node.id for node in names} - own - set(dir(builtins))


if __name__ == "__main__":
    main(*sys.argv[1:])

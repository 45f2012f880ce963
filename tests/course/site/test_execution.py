"""Notebooks that become pages: run in kernels of their own, which store every view whole."""

import base64
import json
import zlib

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import backprop_nb as bp
from backprop_nb.course.site import execution
from backprop_nb.course.site.execution import executed
from backprop_nb.course.site.kernel import SNAPSHOT
from backprop_nb.views.page import Snapshot, page

GRAPH = "import backprop_nb as bp\ngraph = bp.trace(lambda x: x**2, 3.0)\ngraph"
AGAIN = "import os\nexplorer = bp.GraphExplorer(graph)\nexplorer.step = 2\nexplorer"
WHERE = "print(os.getcwd())"


def written(path, *cells):
    made = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    nbformat.write(made, path)
    return path


def test_a_view_is_stored_as_it_was_when_it_was_shown(tmp_path):
    first = written(tmp_path / "first.ipynb", GRAPH, AGAIN, "explorer.step = 3", WHERE)
    before, done = first.read_bytes(), []
    [notebook] = executed([first], done.append)
    outputs = [cell.outputs[0] for cell in notebook.cells if cell.outputs]
    snapshots = [Snapshot(**output.data[SNAPSHOT]) for output in outputs[:2]]
    states = [json.loads(zlib.decompress(base64.b64decode(each.state))) for each in snapshots]
    assert [state["step"] for state in states] == [0, 2]
    assert snapshots[0].kind == "GraphExplorer"
    assert b"Computation graph of" in page(snapshots[0])
    assert outputs[2].text.strip() == str(tmp_path)
    assert done == [first]
    assert first.read_bytes() == before


def test_what_raises_is_named_with_its_line_and_ends_the_others(tmp_path):
    wrong = written(tmp_path / "wrong.ipynb", "1", "x = 1\n1 / 0")
    endless = written(tmp_path / "endless.ipynb", "while True: pass")
    with pytest.raises(
        bp.InvalidValueError, match=r"wrong\.ipynb raises ZeroDivisionError"
    ) as caught:
        executed([endless, wrong], print)
    assert caught.value.at == "cell 2, line 2: 1 / 0"


@pytest.mark.parametrize(
    ("cells", "place"),
    [
        (
            ["\n \ndef f(x):\n    return round(\n        1 / x)", "1", "f(0)"],
            "cell 1, line 5: 1 / x)",
        ),
        (
            ["import fractions", "fractions.Fraction(1, 0)"],
            "cell 2, line 1: fractions.Fraction(1, 0)",
        ),
        (["x = 1\ny = = 2"], "cell 1, line 2: y = = 2"),
    ],
)
def test_the_line_is_the_innermost_one_of_a_cell(tmp_path, cells, place):
    wrong = written(tmp_path / "wrong.ipynb", *cells)
    with pytest.raises(bp.InvalidValueError, match=r"raises") as caught:
        executed([wrong], print)
    assert caught.value.at == place


def test_what_does_not_end_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(execution, "SECONDS", 1)
    endless = written(tmp_path / "endless.ipynb", "while True: pass")
    with pytest.raises(bp.EndedError, match=r"endless\.ipynb does not end") as caught:
        executed([endless], print)
    assert caught.value.at == "cell 1: while True: pass"


def test_what_ends_its_kernel_is_named(tmp_path):
    deadly = written(tmp_path / "deadly.ipynb", "import os\nos._exit(1)")
    with pytest.raises(bp.EndedError, match=r"deadly\.ipynb ends its kernel"):
        executed([deadly], print)


def test_what_is_no_notebook_is_refused(tmp_path):
    text = tmp_path / "text.ipynb"
    text.write_text("no JSON", encoding="utf-8")
    with pytest.raises(bp.InvalidValueError, match=r"text\.ipynb cannot be read"):
        executed([text], print)

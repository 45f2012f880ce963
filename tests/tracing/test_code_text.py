"""The text behind a function: the one it was compiled from, or none and the reason."""

import ast
import contextlib
import doctest
import io
import json
import linecache
import marshal
import os
import subprocess
import sys
import textwrap
import warnings
import zipfile
from itertools import permutations

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nonempty import nonempty

from backprop_nb.errors import DetachedError
from backprop_nb.tracing import trace
from backprop_nb.tracing.code_text import find_text, function_text

CHANGED = "lesson.py has changed since it was imported"
NOT_KEPT = "Python keeps no text of what exec runs or what is typed at its prompt"


class Lesson:
    """A file on disk that is imported, edited, and imported again."""

    def __init__(self, folder):
        self.path = folder / "lesson.py"
        self._seconds = 1e9

    def write(self, text):
        self._seconds += 1  # every edit has a time of its own, however quick it is
        self.path.write_text(textwrap.dedent(text), "utf-8")
        os.utime(self.path, (self._seconds, self._seconds))

    def load(self, text):
        self.write(text)
        space = {"np": np}
        exec(compile(self.path.read_text("utf-8"), str(self.path), "exec"), space)
        return space["f"]


@pytest.fixture
def lesson(tmp_path):
    return Lesson(tmp_path)


def found(graph):
    return [(node.name, node.source) for node in graph.nodes[graph.input_count :]]


SQUARE = "def f(w):\n    a = w**2\n    return a * 3\n"


# --- files that change --------------------------------------------------------


def test_a_file_that_changed_since_it_was_imported_gives_no_names_but_the_reason(lesson):
    f = lesson.load(SQUARE)
    lesson.write("def f(a):\n    q = a**5\n    return q * 3\n")
    graph = trace(f, 2.0)
    assert found(graph) == [("v1", None), ("f", None)]
    advice = f"No names and no code for f: {CHANGED}. Import it again and trace anew."
    assert graph.missing_source == advice
    assert advice in " ".join(graph.describe().split())
    assert graph.explore().scene["missing_source"] == advice
    assert graph.explore().scene["code"] == []


def test_following_that_advice_shows_the_new_text(lesson):
    lesson.load(SQUARE)
    graph = trace(lesson.load("def f(a):\n    q = a**5\n    return q * 3\n"), 2.0)
    assert found(graph) == [("q", "a**5"), ("f", "q * 3")]
    assert graph.missing_source == ""


def test_a_trace_keeps_the_text_that_it_ran(lesson):
    graph = trace(lesson.load(SQUARE), 2.0)
    again = lesson.load("def f(w):\n    b = w**3\n    return b\n")
    assert found(graph) == [("a", "w**2"), ("f", "a * 3")]
    block = graph.explore().scene["code"][0]["lines"]
    assert "".join(part["text"] for part in block[1]) == "    a = w**2"
    assert found(trace(again, 2.0)) == [("b", "w**3")]


def test_a_file_that_was_changed_back_is_believed_again(lesson):
    f = lesson.load(SQUARE)
    lesson.write("# nothing\n")
    assert trace(f, 2.0).missing_source
    lesson.write(SQUARE)
    assert found(trace(f, 2.0)) == [("a", "w**2"), ("f", "a * 3")]


def test_a_file_that_is_gone_is_named(lesson):
    f = lesson.load(SQUARE)
    lesson.path.unlink()
    assert "f: lesson.py cannot be read" in trace(f, 2.0).missing_source


EDITS = [
    "def f(x, y):\n    a = x * y\n    return a - y\n",
    "def f(x, y):\n    a = x / y\n    return a - y\n",  # an operator
    "def f(x, y):\n    b = x * y\n    return b - y\n",  # a name
    "def f(x, y):\n    a = y * x\n    return a - y\n",  # the order
    "def f(y, x):\n    a = x * y\n    return a - y\n",  # the parameters
    "def f(x, y):\n    a = x *  y\n    return a - y\n",  # the columns
    "def f(x, y):\n\n    a = x * y\n    return a - y\n",  # the lines
    "def f(x, y):\n    a = x * 2\n    return a - y\n",  # a number
    "def f(x, y):\n    a = x * 3\n    return a - y\n",
    "def f(x, y):\n    a = np.exp(x)\n    return a - y\n",  # a call
    "def f(x, y):\n    a = np.sin(x)\n    return a - y\n",
    "def g(x, y):\n    a = x * y\n    return a - y\nf = g\n",  # the function's name
    "def f(x, y): return x * y; a = x\nf(1, 2)\n",
    "def f(x, y):\n    a = x * y\n    return a - y\n    return a * y\n",  # code that never runs
    "x = 1\ndef f(x, y):\n    a = x * y\n    return a - y\n",  # what stands above
    "def f(x, y:\n    a = x * y\n",  # what does not parse
    "",
]


def test_no_edit_at_all_shows_an_expression_that_did_not_run(lesson):
    outcomes = []
    for before, after in permutations(EDITS, 2):
        try:
            compile(before, "", "exec")
            f = lesson.load(before)
        except (SyntaxError, KeyError):
            continue
        lesson.write(after)
        shown = found(trace(f, 2.0, 3.0))
        right = found(trace(lesson.load(before), 2.0, 3.0))
        outcomes.append((shown, right))
    for shown, right in nonempty(outcomes):
        nothing = all(source is None for _, source in shown)
        assert shown == right or nothing, (shown, right)
    # Only of code that never runs can the same program be made.
    assert sum(shown == right for shown, right in outcomes) == 2


def test_an_error_says_the_line_of_the_text_that_ran_or_its_number_alone(lesson):
    f = lesson.load("def f(x):\n    return float(x)\n")
    with pytest.raises(DetachedError, match=r"return float\(x\)   \(line 2 of f in lesson.py\)"):
        trace(f, 1.0)
    g = lesson.load("def f(x):\n    return complex(x)\n")
    lesson.write("def f(x):\n    return x + 12345678\n")
    with pytest.raises(DetachedError) as caught:
        trace(g, 1.0)
    assert caught.value.at == "line 2 of f in lesson.py"


def test_functions_of_several_files_each_have_their_own_reason(lesson):
    inner = lesson.load(SQUARE)
    lesson.write("")
    space = {}
    exec("def g(x): return x + 1", space)

    def f(x):
        y = inner(x) + space["g"](x)
        return y * 2

    graph = trace(f, 2.0)
    assert found(graph)[-2:] == [("y", 'inner(x) + space["g"](x)'), ("f", "y * 2")]
    assert f"f: {CHANGED}" in graph.missing_source
    assert f"g: {NOT_KEPT}" in graph.missing_source


def test_a_rule_of_ones_own_is_printed_as_it_was_defined(lesson):
    f = lesson.load("def f(g, ans, x):\n    return g * np.exp(x)\n")
    assert function_text(f) == "def f(g, ans, x):\n    return g * np.exp(x)\n"
    lesson.write("def f(g, ans, x):\n    return g * np.cos(x)\n")
    again = lesson.load("def f(g, ans, x):\n    return g * np.sin(x)\n")
    lesson.write("def f(g, ans, x):\n    return g * np.cos(x)\n")
    assert function_text(f) is not None
    assert function_text(again) is None
    assert function_text(np.exp) is None


# --- how else code comes to be --------------------------------------------------


def test_an_assert_that_pytest_rewrites_is_no_obstacle():
    def f(x):
        assert x.shape == (2,), "two numbers"
        y = x * 2
        assert y.ndim == 1
        return np.sum(y)

    assert "@pytest_ar" in f.__code__.co_names
    assert found(trace(f, np.ones(2))) == [("y", "x * 2"), ("f", "np.sum(y)")]


def test_what_exec_ran_says_so_even_where_its_made_up_name_has_a_text():
    linecache.cache["<string>"] = (1, None, ["def f(x): return x - 2\n"], "<string>")
    try:
        space = {}
        exec("def f(x): return x * 2", space)
        graph = trace(space["f"], 3.0)
    finally:
        del linecache.cache["<string>"]
    assert found(graph) == [("f", None)]
    assert graph.missing_source.startswith(f"No names and no code for f: {NOT_KEPT}.")


def test_a_function_of_numpy_misses_nothing():
    assert trace(np.exp, 1.0).missing_source == ""
    assert trace(lambda x: np.exp(x), 1.0).missing_source == ""


def test_a_text_that_warns_when_compiled_warns_nobody_again(lesson):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        f = lesson.load('def f(x):\n    """Of \\d."""\n    y = x * 2\n    return y\n')
    assert found(trace(f, 1.0)) == [("y", "x * 2")]


def test_a_future_import_of_an_earlier_cell_is_no_obstacle(lesson):
    import __future__

    lesson.write("def f(x):\n    def g(y: int) -> int:\n        return y * 2\n    return g(x)\n")
    text, flags = lesson.path.read_text(), __future__.annotations.compiler_flag
    space = {}
    exec(compile(text, str(lesson.path), "exec", flags, dont_inherit=True), space)
    assert found(trace(space["f"], 1.0)) == [("f", "y * 2")]


def test_an_import_that_was_compiled_by_itself_is_no_obstacle():
    """Up to Python 3.11, ``np.sum(x, axis=0)`` is other code below ``import numpy as np``."""
    text = "import numpy as np\ndef f(x):\n    return np.sum(x, axis=0)\n"
    linecache.cache["a cell"] = (len(text), None, text.splitlines(keepends=True), "a cell")
    space = {}
    for statement in ast.parse(text).body:
        exec(compile(ast.Module([statement], []), "a cell", "exec"), space)
    assert find_text(space["f"].__code__).text == text


def test_a_module_in_a_zip_archive_has_its_text(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "lessons.zip", "w") as archive:
        archive.writestr("zipped_lesson.py", SQUARE)
    monkeypatch.syspath_prepend(tmp_path / "lessons.zip")
    import zipped_lesson

    assert found(trace(zipped_lesson.f, 2.0)) == [("a", "w**2"), ("f", "a * 3")]


def test_a_doctest_has_its_text_also_when_it_is_over():
    graphs = []
    text = ">>> def f(w):\n...     a = w**2\n...     return a * 3\n>>> keep(trace(f, 2.0))\n"
    space = {"trace": trace, "keep": graphs.append}
    example = doctest.DocTestParser().get_doctest(text, space, "lesson", None, 0)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        doctest.DocTestRunner().run(example)
    assert said.getvalue() == ""
    assert found(graphs[0]) == [("a", "w**2"), ("f", "a * 3")]


# --- Python started in other ways ---------------------------------------------

PROGRAM = """\
import backprop_nb as bp
def f(w):
    a = w**2
    return a * 3

graph = bp.trace(f, 2.0)
print([node.name for node in graph.nodes], [str(n.source) for n in graph.nodes[1:]])
print(graph.missing_source)
"""
SHOWN = ["['w', 'a', 'f'] ['w**2', 'a * 3']", ""]
NOT_SHOWN = "['w', 'v1', 'f'] ['None', 'None']"


def run_python(*options, given="", **environment):
    command = [sys.executable, "-W", "error", *options]
    done = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("how", [("-X", "no_debug_ranges"), ()], ids=["option", "variable"])
def test_python_without_columns_says_why_there_are_no_names(lesson, how):
    lesson.write(PROGRAM)
    variable = {} if how else {"PYTHONNODEBUGRANGES": "1"}
    names, reason = run_python(*how, str(lesson.path), **variable)
    assert names == NOT_SHOWN
    assert "f: Python was started with -X no_debug_ranges or PYTHONNODEBUGRANGES" in reason
    assert run_python(str(lesson.path)) == SHOWN


def test_a_compiled_file_without_columns_takes_them_from_its_text(lesson):
    lesson.write(SQUARE)
    text = (
        "import marshal, sys; path = sys.argv[1]\n"
        "code = compile(open(path).read(), path, 'exec')\n"
        "sys.stdout.buffer.write(marshal.dumps(code))"
    )
    command = [sys.executable, "-X", "no_debug_ranges", "-c", text, str(lesson.path)]
    code = marshal.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    space = {}
    exec(code, space)
    assert all(position[2] is None for position in nonempty(space["f"].__code__.co_positions()))
    assert found(trace(space["f"], 2.0)) == [("a", "w**2"), ("f", "a * 3")]


def test_the_prompt_has_names_where_python_keeps_what_is_typed():
    names, reason = run_python("-i", "-q", given=PROGRAM)
    if sys.version_info >= (3, 13):
        assert [names, reason] == SHOWN
    else:
        assert names == NOT_SHOWN
        assert NOT_KEPT in reason


def test_a_program_on_the_command_line_is_right_or_says_why():
    program = PROGRAM + "exec('def f(x): return x - 2')\nprint(bp.trace(f, 1.0).missing_source)"
    names, reason, of_exec = run_python("-c", program)
    assert [names, reason] == SHOWN or (names == NOT_SHOWN and NOT_KEPT in reason)
    assert NOT_KEPT in of_exec


# --- notebooks ----------------------------------------------------------------

DEFINITION = "def f(w):\n    a = w**2\n    return a * 3\n"
EDITED = """\
import functools
OLD = 1
def same(f):
    return functools.wraps(f)(lambda *args: f(*args))

class Model:
    def forward(self, x):
        b  =  x**3    # a comment
        return (lambda v: v*2)(b)

@same
def f(x):
    return Model().forward(x)*5
"""
CELLS = {
    "a cell": f"{DEFINITION}show(bp.trace(f, 2.0))",
    "its own import": "import numpy as np\ndef f(w):\n    a = np.exp(w)\n    return np.sin(a)\n"
    "show(bp.trace(f, 2.0))",
    "%%time": f"%%time\n{DEFINITION}show(bp.trace(f, 2.0))",
    "a later cell": "show(bp.trace(f, 2.0))",
    "%%timeit": f"%%timeit -n1 -r1\nk = 3\n{DEFINITION.replace('3', 'k')}show(bp.trace(f, 2.0))",
    "a magic inside": f"%%time\nhere = %pwd\n{DEFINITION}show(bp.trace(f, 2.0))",
    "%time": "%time show(bp.trace(lambda w: w**2, 2.0))",
    "%timeit": "%timeit -n1 -r 1 show(bp.trace(lambda w: w**2, 2.0))",
    "%%capture": "%%capture\ngraph = bp.trace(lambda w: w**2, 2.0)",
    "after it": "show(graph)",
    "%%prun": "%%prun -q\nshow(bp.trace(lambda w: w**2, 2.0))",
    "exec": "exec('f = lambda w: w**2')\nshow(bp.trace(f, 2.0))",
    "an import": "%load_ext autoreload\n%autoreload 2\nimport edited\n"
    "graph = bp.trace(edited.f, 2.0)\nshow(graph)",
    "an edit": "write('def f(w):\\n    b = w**3\\n    return b + 1\\n')",
    "autoreload": "show(bp.trace(edited.f, 2.0))",
    "the old trace": "show(graph)",
    "an edit of a class": f"write({EDITED!r})",
    "autoreload of it": "show(bp.trace(edited.f, 2.0))",
    "another edit of it": f"write({EDITED.replace('3', '4').replace('v*2', 'v *2')!r})",
    "another one": "show(bp.trace(edited.f, 2.0))",
    "an edit in the cell": "write('def f(w):\\n    c = w**4\\n    return c + 1\\n')\n"
    "graph = bp.trace(edited.f, 2.0)\nshow(graph)",
}
SET_UP = """\
import json, os
import backprop_nb as bp

def show(graph):
    print("shown", json.dumps([[n.name, n.source] for n in graph.nodes[1:]]), graph.missing_source)

def write(text, seconds=[1e9]):
    seconds[0] += 1
    with open("edited.py", "w") as file:
        file.write(text)
    os.utime("edited.py", (seconds[0], seconds[0]))

write("def f(w):\\n    a = w**2\\n    return a + 1\\n")
"""


@pytest.fixture(scope="module")
def shown_in_notebook(tmp_path_factory):
    """What every cell shows, run by a kernel of Jupyter: its nodes, and why some lack a name."""
    cells = [nbformat.v4.new_code_cell(text) for text in (SET_UP, *CELLS.values())]
    notebook = nbformat.v4.new_notebook(cells=cells)
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}).execute()
    shown = {}
    for name, cell in zip(CELLS, cells[1:], strict=True):
        lines = "".join(out.get("text", "") for out in cell.outputs).splitlines()
        for line in lines:
            if line.startswith("shown"):
                end = line.index("]]") + 2
                shown[name] = (json.loads(line[6:end]), line[end:].strip())
    return shown


SQUARED = [["a", "w**2"], ["f", "a * 3"]]
LAMBDA = [["v1", "w**2"]]


@pytest.mark.parametrize(
    ("cell", "nodes"),
    [
        ("a cell", SQUARED),
        ("%%time", SQUARED),
        ("a later cell", SQUARED),
        ("its own import", [["a", "np.exp(w)"], ["f", "np.sin(a)"]]),
        ("%%timeit", [["a", "w**2"], ["f", "a * k"]]),
        ("a magic inside", SQUARED),
        ("%time", LAMBDA),
        ("%timeit", LAMBDA),
        ("after it", LAMBDA),
        ("%%prun", LAMBDA),
        ("an import", [["a", "w**2"], ["f", "a + 1"]]),
        ("autoreload", [["b", "w**3"], ["f", "b + 1"]]),
        ("autoreload of it", [["b", "x**3"], ["v1", "v*2"], ["f", "Model().forward(x)*5"]]),
        (
            "another one",
            [["b", "x**4"], ["v1", "v *2"], ["f", "Model().forward(x)*5"]],
        ),
        ("the old trace", [["a", "w**2"], ["f", "a + 1"]]),
    ],
)
def test_a_notebook_shows_the_text_that_ran(shown_in_notebook, cell, nodes):
    assert shown_in_notebook[cell] == (nodes, "")


def test_a_notebook_says_why_there_is_no_text(shown_in_notebook):
    nodes, reason = shown_in_notebook["exec"]
    assert nodes == [["v1", None]]
    assert NOT_KEPT in reason


def test_an_edit_that_was_not_loaded_yet_is_never_shown(shown_in_notebook):
    # The old text is known from an earlier trace of the same function.
    cell, before = "an edit in the cell", "another one"
    assert shown_in_notebook[cell] == shown_in_notebook[before]

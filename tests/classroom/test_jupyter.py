"""What IPython makes Python of, line by line where it was written."""

import pytest

from backprop_nb.classroom import jupyter
from backprop_nb.classroom.jupyter import NEEDS_IPYTHON, CellMagic, cell_magic, parse, parts


def line_magic(name, rest=""):
    return f"get_ipython().run_line_magic({name!r}, {rest!r})"


PYTHON = [
    "x = (7\n% 3)",
    "'''\n%matplotlib\n!ls\nwhat?\n'''",
    "x = 7 \\\n  % 3",
    "f'''\n% {1}\n'''",
    "await f()",
    "async with a as b: pass",
]


@pytest.mark.parametrize("source", PYTHON)
def test_what_is_python_stays_as_it_is(source):
    assert parse(source)[1] == source


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%load_ext a\nx = 1", f"{line_magic('load_ext', 'a')}\nx = 1"),
        ("%time eps = 1.0", line_magic("time", "eps = 1.0")),
        ("y = %time f(x)", f"y = {line_magic('time', 'f(x)')}"),
        ("%matplotlib inline\nx = (7\n% 3)", f"{line_magic('matplotlib', 'inline')}\nx = (7\n% 3)"),
        ("%time x = f(1, \\\n  2)\ny = 1", f"{line_magic('time', 'x = f(1,    2)')}\n\ny = 1"),
        ("if x:\n    !ls", "if x:\n    get_ipython().system('ls')"),
        ("!pip install a \\\n  b\nx", "get_ipython().system('pip install a    b')\n\nx"),
        ("files = !ls\nx = 1", "files = get_ipython().getoutput('ls')\nx = 1"),
        ("?print\nx", f"{line_magic('pinfo', 'print')}\nx"),
        ("np.sum??\nx", f"{line_magic('pinfo2', 'np.sum')}\nx"),
        ("\n\n%pwd\nx", f"\n\n{line_magic('pwd')}\nx"),
        ("  x = 1\n  y = 2", "x = 1\ny = 2"),
        (">>> x = 1\n>>> y = 2", "x = 1\ny = 2"),
        ("In [1]: x = 1", "x = 1"),
        ("!ls\nx = '''\n%a\n'''", "get_ipython().system('ls')\nx = '''\n%a\n'''"),
        ("def f():\n    %time g()\n    return 1", f"def f():\n    {line_magic('time', 'g()')}\n"
         "    return 1"),
    ],
)  # fmt: skip
def test_what_only_ipython_understands_is_python_in_the_same_lines(source, python):
    assert parse(source)[1].rstrip() == python.rstrip()
    assert NEEDS_IPYTHON.search(source)


@pytest.mark.parametrize("source", ["def f(:", "x = \n!ls", "x = '\0'", "%time\nx ="])
def test_what_nobody_understands_is_refused(source):
    with pytest.raises((SyntaxError, ValueError)):
        parse(source)


def test_ipython_is_not_loaded_for_what_has_nothing_of_it(monkeypatch):
    """It takes ten times as long as all the rest, and many hand in a slip of the keyboard."""
    monkeypatch.setattr(jupyter, "_transformed", None)
    with pytest.raises(SyntaxError, match="expected ':'"):
        parse("def f()\n    return 1")


@pytest.mark.parametrize(
    ("source", "magic"),
    [
        ("%%time\nx = 1", CellMagic("time", "", "x = 1", 1)),
        ("\n \n%%capture out --no-stderr\n\nx", CellMagic("capture", "out --no-stderr", "\nx", 3)),
        ("%%bash", CellMagic("bash", "", "", 1)),
        ("%time x", None),
        ("x\n%%time", None),
        ("%%time?", None),
    ],
)
def test_a_magic_for_a_whole_cell_is_told_from_that_for_a_line(source, magic):
    assert cell_magic(source) == magic


@pytest.mark.parametrize("mark", ["# %%", "#%%", "# In[3]:", "# In [ ]:", "# <codecell>"])
def test_a_file_made_from_a_notebook_falls_into_its_cells(mark):
    first, second = parts(f"x = 1\n{mark}\n%%time\ny = 2\n")
    assert first.rstrip() == "x = 1"
    assert second == "\n\n%%time\ny = 2\n"

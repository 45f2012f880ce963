r"""The Python in a cell, as IPython would run it, with every line where its student wrote it.

Text that is Python stays as it is.  Of any other one IPython's own transformation
makes Python: ``%time f()``, ``!ls`` and ``f?`` become calls of ``get_ipython()``, for
which ``shell.py`` stands in.

A magic with ``%%`` is for the whole cell, and is told apart before.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

_AWAIT: Final = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST

NEEDS_IPYTHON: Final = re.compile(
    r"\A\s*^[ \t]|^[ \t]*(?:[%!?/,;]|>>>|In \[)|=[ \t]*[%!]|\?[ \t\r]*$|\bIPython\b", re.MULTILINE
)
"""Found in every text for which IPython is needed, and in few others."""

_MAX_LENGTH: Final = 100_000
_PROMPT: Final = re.compile(r"\s*In \[\d+\]: ")

# How editors that write notebooks as .py files begin a cell.
_MARK: Final = re.compile(r"# ?%%|# In ?\[[\d ]*\]:|# <codecell>|# COMMAND ----------")


class CellMagic(NamedTuple):
    """A cell that begins with ``%%``."""

    name: str
    line: str
    """What stands behind the name."""
    body: str
    """What stands below."""
    above: int = 0
    """So many lines are above that."""

    @property
    def text(self) -> str:
        """What stands below, in the lines in which it stands in the cell."""
        return "\n" * self.above + self.body


def cell_magic(source: str) -> CellMagic | None:
    r"""Return the magic that a cell begins with, if there is one for all of it.

    >>> cell_magic("\n%%writefile -a back.py\nx = 1")
    CellMagic(name='writefile', line='-a back.py', body='x = 1', above=2)
    """
    empty = len(source) - len(source.lstrip())
    if not source.startswith("%%", empty):  # most cells: a pattern takes longer to say so
        return None
    first, _, rest = source[empty:].partition("\n")
    found = re.match(r"%%(\w+)(?:[ \t]+(.*))?$", first.rstrip())
    if found is None:
        return None
    return CellMagic(found[1], found[2] or "", rest, source[:empty].count("\n") + 1)


def parse(source: str, name: str = "cell", flags: int = 0) -> tuple[ast.Module, str]:
    r"""Return the statements of a cell, and its text as Python.

    Its file is called ``name``; the flags are of the ``from __future__ import`` of cells before.

    Raises ``SyntaxError`` or ``ValueError``: it is neither Python nor what IPython makes Python of.

    >>> parse("x = (7\n  % 3)\n%matplotlib inline")[1]
    "x = (7\n  % 3)\nget_ipython().run_line_magic('matplotlib', 'inline')\n"
    >>> parse("!pip install numpy \\\n  scipy\nx = 1")[1].split("\n")[1:]
    ['', 'x = 1', '']
    """
    first: Exception = SyntaxError("a prompt")
    if not _PROMPT.match(source):  # which could be Python, too
        try:
            return _parsed(source, name, flags), source
        except (SyntaxError, ValueError) as error:
            first = error
    if not NEEDS_IPYTHON.search(source):  # which takes ten times as long to load as to grade
        raise first
    try:
        text = _transformed(source)
    except (SyntaxError, RuntimeError, ValueError):
        raise first from None
    if text.rstrip() == source.rstrip():
        raise first
    return _parsed(text, name, flags), text


def body(source: str, name: str) -> ast.Module:
    """Return the statements of a cell, or of what stands below its ``%%`` magic."""
    magic = cell_magic(source)
    return parse(source if magic is None else magic.text, name)[0]


def _parsed(source: str, name: str, flags: int) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape is its student's business
        tree = compile(source, name, "exec", flags | _AWAIT, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def _transformed(source: str) -> str:
    """Return what IPython makes of a cell, line by line where it was."""
    if len(source) > _MAX_LENGTH:  # each magic is looked for in all of the text again
        raise SyntaxError("a cell of so many characters cannot have magics")
    from IPython.core.inputtransformer2 import TransformerManager  # loads all of IPython

    make: Callable[[], Any] = TransformerManager
    manager = make()
    one_more = manager.do_one_token_transform

    def in_place(lines: list[str]) -> tuple[bool, list[str]]:
        changed, new = one_more(lines)
        if lost := len(lines) - len(new):  # several lines have become one
            pairs = enumerate(zip(lines, new, strict=False))
            at = next((k for k, (old, now) in pairs if old != now), 0)
            new[at + 1 : at + 1] = ["\n"] * lost
        return changed, new

    manager.do_one_token_transform = in_place
    empty = re.match(r"(?:[ \t]*\n)*", source)
    above = empty.group().count("\n") if empty else 0
    text: str = manager.transform_cell(source)
    return "\n" * above + text


def parts(source: str) -> Iterator[str]:
    r"""Yield the cells of a ``.py`` file, each under as many empty lines as stand above it.

    >>> list(parts("x = 1\n# %%\n%%bash\nls"))
    ['x = 1\n', '\n\n%%bash\nls']
    """
    lines = source.splitlines(keepends=True)
    starts = [k for k, line in enumerate(lines) if k == 0 or _MARK.match(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        part = "".join("\n" if _MARK.match(line) else line for line in lines[start:end])
        if part.strip():
            yield "\n" * start + part

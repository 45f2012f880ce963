"""Which node a name belongs to, wherever the name is printed.

Two names may look alike in a formula, so nobody searches for names in finished
text.  A printer is told to mark every name while it writes, in code and in
LaTeX alike; here the marks become places in a text or elements of a formula.

A *link* says what is lit together: ``v3`` is the value of node 3, ``a3`` its
adjoint.  Several links are written one after the other, as classes are.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from backprop_nb.tracing.graph import Node

Name = tuple[int, int, str]
"""First character of a name, the one after its last, and the link."""

# Characters for private use: they occur in no name, no number and no rule.
_OPEN, _MIDDLE, _CLOSE = "\ue000", "\ue001", "\ue002"
_MARKED = re.compile(f"{_OPEN}([av]\\d+){_MIDDLE}(.*?){_CLOSE}", re.DOTALL)


def link(node: Node, is_adjoint: bool = False) -> str:
    """Return the link of a node's value or of its adjoint."""
    return f"{'a' if is_adjoint else 'v'}{node.index}"


def mark(text: str, node: Node, is_adjoint: bool) -> str:
    """Return a printed name with a mark around it."""
    return f"{_OPEN}{link(node, is_adjoint)}{_MIDDLE}{text}{_CLOSE}"


def read(marked: str) -> tuple[str, list[Name]]:
    """Return a text without its marks, and where the names stand in it.

    >>> from types import SimpleNamespace
    >>> z = SimpleNamespace(index=3)
    >>> read(mark("d_z", z, True) + " * 2")
    ('d_z * 2', [(0, 3, 'a3')])
    """
    parts: list[str] = []
    names: list[Name] = []
    end = length = 0
    for found in _MARKED.finditer(marked):
        before = marked[end : found.start()]
        start = length + len(before)
        length, end = start + len(found[2]), found.end()
        parts += [before, found[2]]
        names.append((start, length, found[1]))
    return "".join([*parts, marked[end:]]), names


def replaced(marked: str, text_of: Callable[[str], str]) -> str:
    """Return a text in which something else stands for every name, by its link."""
    return _MARKED.sub(lambda found: text_of(found[1]), marked)


def as_classes(marked: str) -> str:
    r"""Return marked LaTeX with a class around every name.

    >>> from types import SimpleNamespace
    >>> print(as_classes("2 " + mark("z_{1}", SimpleNamespace(index=3), False)))
    2 \class{v3}{z_{1}}
    """
    return _MARKED.sub(lambda found: rf"\class{{{found[1]}}}{{{found[2]}}}", marked)

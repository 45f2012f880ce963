"""What a statement reads: whether that may be wrong in its place.

A line that is mended may make up for one before it.  What it reads is known to be right if the
loss has it, if it is given as it stands, or if other statements read it too: they would be wrong.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from backprop_nb.checking.lines.followed import is_float
from backprop_nb.checking.lines.scope import PLACES, Scope, line_of, text_of
from backprop_nb.tracing import pytree

_OF_ARRAYS = ("T", "shape", "size", "ndim")


def may_be_wrong(
    scope: Scope,
    statement: ast.AST,
    is_true: Callable[[Any], bool],
    at: tuple[int, int] = (0, 0),
) -> bool:
    """Whether something that only this statement reads may be wrong; ``is_true`` knows arrays.

    Of several values in a row it is the one that stands ``at`` a line and a column.
    """
    row = getattr(getattr(statement, "value", None), "elts", [])
    here = [e for e in row if (e.lineno, e.col_offset) <= at < (e.end_lineno, e.end_col_offset)]
    others = {_which(node) for each in row if here and each not in here for node in _read(each)}
    return any(
        not _is_right(scope, node, statement, is_true)
        for node in _read(here[0] if here else statement)
        if _is_given(scope, node)
        and _which(node) not in others
        and not _is_read_elsewhere(scope, node, statement)
    )


def is_all_that_reads(scope: Scope, name: ast.AST | None, statement: ast.AST) -> bool:
    """Whether a name has its value in the function, or from its caller, and no other reads it."""
    return (
        isinstance(name, ast.Name)
        and _is_given(scope, name)
        and not _is_read_elsewhere(scope, name, statement)
    )


def _is_right(
    scope: Scope, node: ast.expr, statement: ast.AST, is_true: Callable[[Any], bool]
) -> bool:
    line = line_of(statement)
    names = scope.block.seen.get(line, {})
    value: Any = names.get(node.id) if isinstance(node, ast.Name) else scope.value(node, line)
    if isinstance(value, list | tuple | dict):
        floats = [each for each in pytree.flatten(value) if is_float(each)]
        return all(map(is_true, floats))
    if is_float(value) and (is_true(value) or not np.any(value)):
        return True
    given = max(_givers(scope, node, statement, False), key=line_of, default=None)
    if isinstance(given, ast.For):  # it is right if what the loop goes through is
        return not may_be_wrong(scope, given, is_true)
    return not (is_float(value) and np.size(value) > 1) and not _is_computed(given, _base(node))


def _is_computed(given: ast.AST | None, name: str | None) -> bool:
    """Whether a statement does more than to take something, such as a length or an entry."""
    value = getattr(given, "value", None)
    match given:  # each name of a row has its own
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            pairs = zip(names, values, strict=False)
            value = next((its for each, its in pairs if _base(each) == name), value)
    return value is not None and any(
        isinstance(each, ast.BinOp | ast.Compare | ast.BoolOp)
        or (isinstance(each, ast.Call) and not hasattr(builtins, text_of(each.func)))
        for each in ast.walk(value)
    )


def _own(statement: ast.AST) -> Iterator[ast.AST]:
    """Yield what a statement is made of, without the statements in it."""
    pending = [statement]
    while pending:
        node = pending.pop()
        yield node
        inner = ast.iter_child_nodes(node)
        pending += [each for each in inner if not isinstance(each, ast.stmt)]


def _read(statement: ast.AST) -> Iterator[ast.expr]:
    """Yield the names, with the attributes and entries of them, that a statement reads."""
    nodes = list(_own(statement))
    methods = {each.func for each in nodes if isinstance(each, ast.Call)}
    within, inner = set[ast.AST](), set[str]()
    for node in nodes:
        sized = (node, getattr(node, "value", None))  # h.T, and h.shape[0]
        if any(isinstance(e, ast.Attribute) and e.attr in _OF_ARRAYS for e in sized) or (
            node in methods and isinstance(node, ast.Attribute)
        ):
            within.add(node)
        elif isinstance(node, ast.Attribute | ast.Subscript):
            within.add(node.value)
        if isinstance(node, PLACES) and isinstance(node.ctx, ast.Store):
            within |= {node} | ({node.value} if not isinstance(node, ast.Name) else set())
        if isinstance(node, ast.comprehension):
            inner |= {each.id for each in ast.walk(node.target) if isinstance(each, ast.Name)}
    for node in nodes:
        if isinstance(node, PLACES) and node not in within and _base(node) not in (None, *inner):
            yield node
    if isinstance(statement, ast.AugAssign) and not isinstance(statement.op, ast.Add | ast.Sub):
        yield statement.target


def _base(node: ast.AST) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _is_given(scope: Scope, node: ast.AST) -> bool:
    """Whether a value comes from the function itself, or from its caller."""
    names = (each for each in ast.walk(scope.block.node) if isinstance(each, ast.Name | ast.arg))
    base = _base(node)
    return any(
        each.arg == base
        if isinstance(each, ast.arg)
        else each.id == base and isinstance(each.ctx, ast.Store)
        for each in names
    )


def _givers(scope: Scope, node: ast.AST, statement: ast.AST, after: bool) -> list[ast.AST]:
    """Return the statements before another one, or after it, that give a name its value."""
    base, at = _base(node), line_of(statement)
    return [
        each
        for each in scope.block.statements
        if (line_of(each) > at if after else line_of(each) < at)
        and not isinstance(each, ast.AugAssign)
        and any(
            isinstance(x, ast.Name) and x.id == base and isinstance(x.ctx, ast.Store)
            for x in _own(each)
        )
    ]


def _is_read_elsewhere(scope: Scope, node: ast.AST, statement: ast.AST) -> bool:
    """Whether another statement reads what a name holds when this one does."""
    first = max(map(line_of, _givers(scope, node, statement, False)), default=0)
    last = min(map(line_of, _givers(scope, node, statement, True)), default=1 << 30)
    text = _which(node)
    return any(
        first < line_of(each) <= last and any(_which(other) == text for other in _read(each))
        for each in scope.block.statements
        if each is not statement
    )


def _which(node: ast.AST) -> str:
    """Return what is read, whichever entry it is, unless that has a name."""
    while isinstance(node, ast.Subscript) and not _has_text(node.slice):
        node = node.value
    return text_of(node)


def _has_text(node: ast.AST) -> bool:
    return any(
        isinstance(each, ast.Constant) and isinstance(each.value, str) for each in ast.walk(node)
    )

"""A way to write an expression otherwise, and how its formula is put together."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from backprop_nb.checking.lines.program import placed
from backprop_nb.checking.lines.rewrites import Put, Rewrite
from backprop_nb.checking.lines.scope import Scope, text_of


class Way(NamedTuple):
    """What may stand in the place of something, of what kind that is, and how unlikely."""

    new: ast.AST
    kind: str
    cost: float
    words: str = ""
    """What a person would do, unless it is to write the one in place of the other."""


def formula(text: str, **parts: ast.AST) -> Any:
    """Return an expression with others in the place of names in it, and no place of its own.

    >>> text_of(formula("x * (1 - x)", x=formula("h[-1]")))
    'h[-1] * (1 - h[-1])'
    """
    return _filled(_parsed(text), parts)


@cache
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _filled(node: Any, parts: Mapping[str, ast.AST]) -> Any:
    if isinstance(node, list):
        return [_filled(each, parts) for each in node]
    if isinstance(node, ast.Name) and node.id in parts:
        return parts[node.id]
    if not isinstance(node, ast.AST):
        return node
    return type(node)(**{name: _filled(value, parts) for name, value in ast.iter_fields(node)})


def constant(value: float) -> ast.expr:
    """Return a number as it is written."""
    if value < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def rewrite(part: ast.expr, root: ast.AST, put: Put, node: ast.expr, way: Way) -> Rewrite:
    """Return a way as one of a whole statement."""
    new, kind, cost, said = way
    # What is stored is wrong more often than where.
    cost += 0.1 * isinstance(getattr(part, "ctx", None), ast.Store)
    return Rewrite(root, part, put, node, placed(new, node), kind, cost, said)


def is_factor(scope: Scope, node: ast.expr) -> bool:
    """Whether an expression stands in a product."""
    above = scope.block.module.parent.get(node)
    return isinstance(above, ast.BinOp | ast.AugAssign) and isinstance(above.op, ast.Mult)


def is_called(node: ast.expr, parent: ast.AST | None) -> bool:
    """Whether an expression is what is called."""
    return isinstance(parent, ast.Call) and parent.func is node


def likeness(one: str, other: str) -> float:
    """Return how easily one name is taken for another, from 0 to 1."""
    stem = str.maketrans("", "", "0123456789_[]-+'\"")
    if one.translate(stem) == other.translate(stem):
        return 1.0
    if len(one) == len(other) and one[1:] == other[1:]:
        return 0.8
    return 0.4 if one[:1] == other[:1] or one[-1:] == other[-1:] else 0.0


def sign(operator: ast.operator) -> str:
    """Return how an operator is written, a minus as in a sentence."""
    whole = text_of(ast.BinOp(ast.Name("a"), operator, ast.Name("b")))
    return whole.split()[1].replace("-", "−") if " " in whole else "**"

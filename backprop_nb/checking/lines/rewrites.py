"""A statement that is written otherwise: how it is put together, run, and said."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from backprop_nb.checking.lines.program import Block, exchanged, kept
from backprop_nb.checking.lines.scope import PLACES, as_read, fitted, line_of, text_of, text_within

Put: TypeAlias = Callable[[Any], ast.AST]


@dataclass(frozen=True, eq=False)
class Rewrite:
    """A statement, and how it is written otherwise."""

    root: ast.AST
    """What is written otherwise: a statement, the head of a loop, the body of a lambda."""
    part: ast.AST
    put: Put
    """An expression of it, and what writes the whole with another one."""
    node: ast.AST
    new: ast.AST
    """What is exchanged in that expression, and for what."""
    kind: str
    cost: float
    """How unlikely it is that this was meant."""
    said: str
    """What a person would do, unless it is to write the one in place of the other."""

    def words(self, shown: ast.AST) -> str:
        """Return what a person would do to what is shown of the statement."""
        around = next(
            (each for each in ast.walk(self.root) if self.node in ast.iter_child_nodes(each)), None
        )
        new, old = fitted(self.new, self.node, around), text_within(self.node, shown)
        if isinstance(self.node, ast.Tuple):  # which as an index has no brackets
            old = fitted(self.node, self.node, around)
        what = self.said.partition(" ")[0]
        is_sum = isinstance(around, ast.BinOp) and isinstance(around.op, ast.Add | ast.Sub)
        is_added = what in ("add", "subtract") and new[:1] == "(" and not is_sum
        # "It" is what is shown; and who is to square h must know which one.
        is_for_a_part = (what in _OF_ALL or " it " in self.said) and not self._is_all(shown)
        is_one_of_more = what == "square" or ", for " in self.said
        is_one_of_more = is_one_of_more and old != text_of(self.node)
        if self.said and not (is_added or is_for_a_part or is_one_of_more):
            return self.said
        return f"{new} in place of {old}"

    def _is_all(self, shown: ast.AST) -> bool:
        """Whether what is done to the expression may as well be done to what is shown."""
        around = {each: node for node in ast.walk(shown) for each in ast.iter_child_nodes(node)}
        node, is_number = self.node, self.kind == "constant"
        while node is not shown:
            above = around.get(node)
            match above:
                case ast.BinOp(op=ast.Mult()):
                    node = above
                case ast.BinOp(op=ast.Div(), left=left) if left is node:
                    node = above
                case ast.BinOp(op=ast.MatMult()) | ast.UnaryOp() | ast.Attribute() if is_number:
                    node = above
                case _:
                    return False
        return self.said.startswith(("multiply", "divide")) or shown is self.node

    @property
    def way(self) -> ast.AST:
        """What is written instead."""
        return self.put(exchanged(self.part, self.node, self.new))


RETURNED = "what is returned"
_OF_ALL = ("add", "subtract", "write")
_FORMULAS = (ast.BinOp, ast.UnaryOp, ast.Call, ast.Compare, ast.Attribute)


@dataclass(frozen=True, eq=False)
class Written:
    """A line written otherwise, and what that makes right."""

    block: Block
    rewrite: Rewrite
    fixed: frozenset[int]
    """The gradients that are right then and were not before, by their positions."""

    @property
    def line(self) -> int:
        """The line of what is written otherwise."""
        return line_of(self.rewrite.node)

    @cached_property
    def shown(self) -> ast.AST:
        """What is said to be wrong: of a name or a number the formula that it stands in."""
        node, above = self.rewrite.node, self.block.module.parent
        if isinstance(node, ast.Name | ast.Constant | ast.Attribute):
            while node is not self.rewrite.part and isinstance(above[node], _FORMULAS):
                node = above[node]
        return node

    @property
    def gives_a_value(self) -> bool:
        """Whether what is wrong has a value, other than an index or a line to be left out."""
        is_index = isinstance(getattr(self.rewrite.part, "ctx", None), ast.Store)
        return self.rewrite.kind != "statement" and not is_index

    @property
    def is_of_another(self) -> bool:
        """Whether entries of another array are set, so that no value is there to compare."""
        targets = target_of(self.rewrite.root), target_of(self.rewrite.way)
        own, other = (getattr(each, "value", None) for each in targets)
        return own is not None and other is not None and text_of(own) != text_of(other)

    @property
    def computes(self) -> bool:
        """Whether the statement does more than to hand something on."""
        match getattr(self.rewrite.root, "value", None):
            case ast.UnaryOp(operand=ast.Constant()) | ast.Call(func=ast.Attribute(attr="copy")):
                return False
            case value:
                return isinstance(value, ast.BinOp | ast.UnaryOp | ast.Call | ast.Compare)


def together(several: Sequence[Rewrite]) -> ast.AST:
    """Return one statement that is written otherwise in several places."""
    part = several[0].part
    for each in several:
        part = exchanged(part, each.node, each.new)
    return several[0].put(part)


def read(
    rewrite: Rewrite, shown: ast.AST, mended: bool
) -> Iterator[tuple[ast.AST | list[ast.AST], str]]:
    """Yield ways to write a statement as it is or mended, so that a value is kept, and whose it is.

    That of an expression around what is exchanged, which has no name here, or else of the whole
    statement.
    """
    value = exchanged(shown, rewrite.node, rewrite.new) if mended else shown
    if isinstance(value, ast.expr):
        yield rewrite.put(exchanged(rewrite.part, shown, kept(value))), ""
    statement = rewrite.way if mended else rewrite.root
    if isinstance(rewrite.part, ast.Subscript) and isinstance(rewrite.part.ctx, ast.Store):
        # Another index picks other entries: what all of them are afterwards can be compared.
        whole = ast.copy_location(ast.Expr(kept(rewrite.part.value)), rewrite.root)
        yield [statement, whole], text_of(rewrite.part.value)
    kept_too = read_target(rewrite.root, statement)
    if kept_too is not None:
        target = target_of(rewrite.root)
        of = text_of(target) if isinstance(target, PLACES) else ""
        of = RETURNED if isinstance(rewrite.root, ast.Return) else of
        # What dh *= h < 0 gives is dh, and not what is to its right.
        is_it = getattr(rewrite.root, "value", None) is shown and not isinstance(
            rewrite.root, ast.AugAssign
        )
        yield kept_too, "" if shown is rewrite.root or is_it else of


def target_of(statement: ast.AST) -> ast.AST | None:
    """Return what a statement gives a value to, or the first of several."""
    target: ast.AST | None = getattr(statement, "target", None)
    return target or next(iter(getattr(statement, "targets", ())), None)


def read_target(root: ast.AST, statement: ast.AST) -> ast.AST | list[ast.AST] | None:
    """Return a statement so that what it gives is kept, and what ``keep`` returns put there.

    ``None`` where it gives nothing.
    """
    target = target_of(root)
    if isinstance(statement, ast.stmt) and isinstance(target, PLACES):
        return [statement, ast.copy_location(ast.Assign([target], kept(as_read(target))), root)]
    value = getattr(statement, "value", None)
    if isinstance(value, ast.expr):
        made = copy.copy(statement)
        vars(made)["value"] = kept(value)
        return made
    return None


def parts_of(statement: ast.AST) -> Iterator[tuple[ast.expr, ast.AST, Put]]:
    """Yield the expressions of a statement, what is written anew with each, and how."""
    if isinstance(statement, ast.expr):
        yield statement, statement, lambda new: new
        return
    is_simple = not hasattr(statement, "body")
    for name, value in ast.iter_fields(statement):
        if name in ("body", "orelse", "finalbody", "handlers"):
            continue
        if isinstance(value, ast.expr) and is_simple:
            yield value, statement, _putting(statement, name, None)
        elif isinstance(value, ast.expr) and not isinstance(getattr(value, "ctx", None), ast.Store):
            yield value, value, lambda new: new
        elif isinstance(value, list) and is_simple:
            for k, each in enumerate(value):
                if isinstance(each, ast.expr):
                    yield each, statement, _putting(statement, name, k)


def _putting(statement: ast.AST, name: str, k: int | None) -> Put:
    def put(new: Any) -> ast.AST:
        made, row = copy.copy(statement), getattr(statement, name)
        setattr(made, name, new if k is None else [*row[:k], new, *row[k + 1 :]])
        return made

    return put


def walk(root: ast.AST) -> Iterator[tuple[ast.expr, ast.AST | None]]:
    """Yield the expressions in one, each with the one around it.

    What an entry or an attribute is stored in is none of them: nobody means to store it elsewhere,
    least of all in an argument.
    """
    pending: list[tuple[ast.AST, ast.AST | None, bool]] = [(root, None, False)]
    while pending:
        node, parent, is_owner = pending.pop()
        if isinstance(node, ast.expr) and not is_owner:
            yield node, parent
        stores = is_owner or isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
        owner = getattr(node, "value", None) if stores else None
        pending += [(child, node, child is owner) for child in ast.iter_child_nodes(node)]


def in_place(new: ast.AST, old: str) -> str:
    """Say what to write in the place of what."""
    return f"{text_of(new)} in place of {old}"

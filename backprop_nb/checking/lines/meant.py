"""What is true and may have been meant: what is put where, and how likely that is."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.checking.lines.followed import Array
from backprop_nb.checking.lines.known import Key, Known
from backprop_nb.checking.lines.program import Block, exchanged, kept
from backprop_nb.checking.lines.rewrites import parts_of, read_target, target_of, walk
from backprop_nb.checking.lines.runs import same
from backprop_nb.checking.lines.scope import PLACES, Scope, as_read, as_stored, text_of

LIKELY = 1.5
"""What costs less is an explanation after which no other one is looked for."""


class Piece(NamedTuple):
    """A true quantity, transposed or one row of it, times a number."""

    key: Key
    transposed: bool = False
    row: tuple[int, int] | None = None
    """The axis and the position."""
    factor: str = "1"
    """How the number is said."""

    def of(self, known: Known, shape: tuple[int, ...]) -> Any:
        """Return it in a shape, if it fits."""
        array = known.arrays[self.key]
        array = np.take(array, self.row[1], self.row[0]) if self.row is not None else array
        scale = known.numbers.get(self.factor, np.nan)
        array = scale * (array.T if self.transposed else array)
        return array.reshape(shape)[()] if array.size == np.prod(shape, dtype=int) else array


@dataclass(frozen=True, eq=False)
class Slot:
    """What gives a value: an expression, or a statement such as ``d *= h`` that changes one."""

    block: Block
    scope: Scope
    statement: ast.stmt | ast.expr
    node: ast.stmt | ast.expr
    code: CodeType
    number: int
    """Which way of the code keeps the value."""

    @property
    def line(self) -> int:
        """The line of what gives the value."""
        return self.node.lineno

    @property
    def shown(self) -> ast.AST:
        """What is said to be wrong: of a line that only hands something on, all of it."""
        is_whole = getattr(self.statement, "value", None) is self.node
        return self.statement if is_whole and isinstance(self.node, PLACES) else self.node

    @property
    def pronoun(self) -> str:
        """What stands for it in a sentence."""
        return "each of them" if isinstance(self.node, ast.ListComp) else "it"

    def name_of(self, ndim: int) -> str:
        """Return what a statement changes: an entry, or all of it; empty if both may be meant."""
        target = target_of(self.node)
        names = []
        for each in (target, getattr(target, "value", None)):
            if isinstance(each, PLACES):
                value = self.scope.evaluated(as_read(each), self.line)
                names += [text_of(each)] if value is not None and np.ndim(value) == ndim else []
        return names[0] if len(names) == 1 else ""


@dataclass(frozen=True, eq=False)
class Meant:
    """An expression, and what is true that makes gradients right in its place."""

    slot: Slot
    pieces: Sequence[Piece | None]
    """What is put there in each round."""
    given: Array
    expected: Array
    """What it gave where it was wrong first, and what it should give."""
    fixed: frozenset[int]
    """The gradients that are right then and were not before, by their positions."""
    was_true: bool
    """Whether it gave what is true, too, only another one."""
    has_odd_input: bool
    """Whether it is made of something that the loss does not have."""
    has_earlier: bool
    """Whether a line within a function that it calls may be wrong, or one of a round before; or
    whether something that is needed before this in the loss's backward pass explains as much in
    another line, and is made of what is true."""
    is_scaled: bool = True
    """Whether all is right, too, with what it gives times one number in each round."""
    hides_others: bool = False
    """Whether it is made, in some round, of what is not true even after all rounds before have
    given what is: then something else is wrong as well, and to put the truth here hides it."""
    is_effect: bool = False
    """Whether it is right in its first round all the same: only what it is made of is wrong."""

    @property
    def piece(self) -> Piece:
        """The first of what is put there."""
        return next(each for each in self.pieces if each is not None)

    @property
    def cost(self) -> float:
        """How unlikely it is that this was meant."""
        cost = {"adjoint": 1.7, "value": 1.8, "slope": 1.9}[self.piece.key.kind]
        cost += 0.3 * (self.piece.factor != "1") + 0.2 * (len(self.pieces) > 1)
        cost += 0.3 * (None in self.pieces)  # the others of its rounds were right
        cost += 0.7 * self.hides_others
        if self.was_true:
            return cost + 0.6
        if not self.has_odd_input:  # the first that is wrong
            return cost - 0.6 * (None not in self.pieces)
        return cost + (self.piece.key.kind == "value")

    @property
    def is_first(self) -> bool:
        """Whether it is known to be the first that is wrong."""
        return self.may_be_first and not self.has_earlier

    @property
    def may_be_first(self) -> bool:
        """Whether what it is made of may be right."""
        return self.cost < LIKELY and not self.has_odd_input

    def is_before(self, other: Meant) -> bool:
        """Whether it is a reason for what another expression gives, and may be the only one."""
        (kind, one), (its, two) = self.piece.key, other.piece.key
        is_earlier = one > two if kind == its == "adjoint" else its == "adjoint" != kind
        return is_earlier and self.line != other.line and not self.has_odd_input

    @property
    def line(self) -> int:
        """The line of the expression."""
        return self.slot.line


def values_in(statement: ast.stmt | ast.expr) -> Iterator[tuple[ast.AST, ast.stmt | ast.expr, Any]]:
    """Yield what is written anew, what gives a value in it, and the way in which that is kept."""
    for part, root, put in parts_of(statement):
        is_read = isinstance(getattr(part, "ctx", ast.Load()), ast.Load)
        for node, parent in walk(part) if is_read else ():
            is_whole = node is part or isinstance(parent, ast.Tuple | ast.List | ast.Dict)
            is_formula = isinstance(node, ast.BinOp | ast.Call | ast.UnaryOp | ast.ListComp)
            if is_formula or (is_whole and isinstance(node, PLACES)):
                yield root, node, put(exchanged(part, node, kept(node)))
    if isinstance(statement, ast.AugAssign):
        yield statement, statement, read_target(statement, statement)
    match statement:  # of what is written into, all of it afterwards
        case (
            ast.Assign(targets=[ast.Subscript(value=ast.Name() | ast.Attribute() as whole)])
            | ast.AugAssign(target=ast.Subscript(value=ast.Name() | ast.Attribute() as whole))
        ):
            after = ast.copy_location(ast.Assign([as_stored(whole)], kept(whole)), statement)
            yield statement, statement, [statement, after]


def ratio(given: Any, expected: Array, without: Any = 0.0) -> float:
    """Return how many times an array the right one is; NaN if it is no multiple.

    What both have anyway is left out.
    """
    given = np.asarray(given)  # which a student may give as a list
    if given.dtype.kind not in "fiu" or given.shape != np.shape(expected):
        return np.nan
    if np.shape(without) in ((), np.shape(expected)):
        given, expected = given - without, expected - without
    if not np.any(given):
        return np.nan
    found = float(np.sum(given * expected) / np.sum(given * given))
    return found if same(found * given, expected) else np.nan

"""Which loops of the learner's code a value is made in, and where one of their rounds ends.

Tracing writes down expressions, not rounds.  A round ends where an expression comes for
the second time, where an earlier statement follows a later one, or where the other branch
of an ``if`` does, in a statement, an expression or a ``match``.  What computes nothing is
no round, and where there may be such, no number of rounds is told.  Where all that an outer
loop does is in one inner loop, nothing tells their rounds apart: both are counted as one.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from backprop_nb.tracing.graph import Node
from backprop_nb.tracing.source import Place, place_in

_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_LETTERS = 26
"""So much of what is looped over is shown."""


@dataclass(frozen=True, slots=True)
class Around:
    """A loop around an expression."""

    loop: ast.AST
    """Its syntax tree, by which it is known."""
    header: str
    """How it begins, such as ``for x in xs``."""
    position: tuple[int, ...]
    """Where in its body the expression stands: numbers of statements, from the outermost inward; a
    branch of an ``if`` and a conditional expression count as one."""


@dataclass(frozen=True, slots=True)
class Spot:
    """An expression, and the loops around it in its own function, the outermost first.

    What a loop takes an element ``of``, at the beginning of a round, is a node's number.
    """

    expression: ast.AST | None
    loops: tuple[Around, ...]
    of: int | None = None

    def loop(self, level: int) -> ast.AST | None:
        """Return the loop at a level, if there is one."""
        return self.loops[level].loop if len(self.loops) > level else None


_NOWHERE = Spot(None, ())


def spot(node: Node, depth: int) -> Spot:
    """Return where a node is made, as seen from the ``depth``-th of the calls around it."""
    place = place_in(node.record, depth, len(node.scope))
    if not place:
        return _NOWHERE
    # The nodes of a generator of the learner's are one call, whichever round asks for them.
    if place.iterates and len(node.scope) == depth and node.parents:
        return replace(_spot(place), of=node.parents[0].index)
    return _spot(place)


@lru_cache(maxsize=4096)
def _spot(place: Place) -> Spot:
    module, node = place.module, place.node
    taker = module.parent.get(node)
    if place.iterates and isinstance(taker, ast.For):
        node = taker.body[0]
    elif place.iterates and isinstance(taker, ast.comprehension):
        made = module.parent[taker]
        node = made.key if isinstance(made, ast.DictComp) else getattr(made, "elt", node)
    loops: list[Around] = []
    position: list[int] = []
    while not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        node = module.widest(node)
        parent = module.parent.get(node)
        if parent is None:
            break
        position[:0] = _statements(parent).get(node, ())
        if isinstance(parent, ast.IfExp) and node is not parent.test:
            # One is over before another that ends later in the text begins.
            end = (parent.end_lineno or 0, parent.end_col_offset or 0)
            position[:0] = [0, end[0] << 20 | end[1], int(node is parent.orelse), 0]
        if isinstance(parent, ast.Match) and isinstance(node, ast.match_case):
            position[:0] = [2 + parent.cases.index(node), 0]  # which may not be all there are
        header = _header(place, parent, node)
        if header:
            loops.insert(0, Around(parent, header, tuple(position)))
            position = []
        node = parent
    return Spot(place.node, tuple(loops))


@lru_cache(maxsize=256)
def _statements(parent: ast.AST) -> dict[ast.AST, tuple[int, int]]:
    """Return the branch and the number of each statement in a compound one."""
    branches = (getattr(parent, field, None) for field in ("body", "orelse"))
    return {
        node: (branch, k)
        for branch, statements in enumerate(branches)
        if isinstance(statements, list)  # the branches of `a if c else b` are no lists
        for k, node in enumerate(statements)
    }


def _header(place: Place, loop: ast.AST, inside: ast.AST) -> str:
    """Return how a loop begins if something is done in every round of it; else nothing."""

    def text(node: ast.AST) -> str:
        return " ".join(place.module.text(node).split())

    def each(target: ast.AST, values: ast.AST) -> str:
        over = text(values)
        return f"for {text(target)} in {over[:_LETTERS]}{'…' if len(over) > _LETTERS else ''}"

    in_body = _statements(loop).get(inside, (1,))[0] == 0
    match loop:
        case ast.For(target=target, iter=values) if in_body:
            return each(target, values)
        case ast.While(test=test) if in_body:
            over = text(test)
            return f"while {over[:_LETTERS]}{'…' if len(over) > _LETTERS else ''}"
        case _ if isinstance(loop, _Comprehension) and inside is not loop.generators[0]:
            return " ".join(each(one.target, one.iter) for one in loop.generators)
    return ""


def rounds(spots: Sequence[Spot], level: int) -> list[int]:
    """Return where rounds begin among expressions that are all in one loop at a level.

    Two elements of one array in a row are of two rounds, or of one (``pairwise``), and one at the
    end may have come to nothing (``zip``): nothing tells, and all is one round.
    """
    taken = [each.of if each.loop(level + 1) is None else None for each in spots]
    if taken[-1] is not None or any(a is not None and a == b for a, b in pairwise(taken)):
        return [0]
    begins = [0]
    seen: set[Hashable] = set()
    before: ast.AST | None = None
    positions: set[tuple[int, ...]] = set()
    for k, each in enumerate(spots):
        here = each.loops[level].position
        inner = each.loop(level + 1)
        if inner is None or inner is not before:  # else it is the same inner loop, going on
            key = inner or (each.expression, each.of)
            if key in seen or any(_is_over(done, here) for done in positions):
                begins.append(k)
                seen.clear()
                positions.clear()
            seen.add(key)
        positions.add(here)
        before = inner
    return begins


def computes_always(spots: Sequence[Spot], level: int) -> bool:
    """Whether every round of a loop is sure to do one of the expressions in it."""
    loop = spots[0].loop(level)
    assert loop is not None
    may_skip = any(
        isinstance(each, ast.Continue) or (isinstance(each, ast.comprehension) and each.ifs)
        for each in ast.walk(loop)
    )
    inner = level + 1
    found = {each.loops[level].position for each in spots if each.loop(inner) is None}
    return not may_skip and _covers(found)


def _covers(positions: Collection[tuple[int, ...]]) -> bool:
    """Whether one of the positions is come to, whichever branches are taken."""
    below: dict[tuple[int, ...], dict[int, set[tuple[int, ...]]]] = {}
    for each in positions:
        if len(each) <= 2:
            return True
        below.setdefault(each[:2], {}).setdefault(each[2], set()).add(each[2:])
    return any({0, 1} <= set(of) and all(map(_covers, of.values())) for of in below.values())


def _is_over(last: tuple[int, ...], here: tuple[int, ...]) -> bool:
    """Whether a statement cannot follow another one in the same round."""
    for k, (a, b) in enumerate(zip(last, here, strict=False)):
        if a != b:
            return b < a or (k > 0 and k % 2 == 0)  # another branch of the same statement
    return False

"""The search for the line by writing one after the other otherwise.

Whatever the student's function does, it can be run again with one of its lines written in
another way.  So this needs no trace, and covers what no trace shows: which function is called,
how often a loop turns, what a list is indexed with.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.checking.lines.followed import Array
from backprop_nb.checking.lines.mended import same
from backprop_nb.checking.lines.program import (
    MAX_WAYS,
    Block,
    Held,
    Turns,
    blocks,
    chosen,
    quiet,
    running,
)
from backprop_nb.checking.lines.rewrites import Rewrite, additions, read, rewrites, together
from backprop_nb.checking.lines.scope import Scope, computes_only, texts_in

_MAX_RUNS = 5_000
"""The function is run no more often for the ways of one sort."""
_MAX_TURNS = 50_000
"""The loops of a function turn no more often in one run."""
_MAX_PARTS = 24
_BEGINNINGS = 3
_MAX_HELPERS = 8


_FORMULAS = (ast.BinOp, ast.UnaryOp, ast.Call, ast.Compare, ast.Attribute)


class Trial(NamedTuple):
    """Arguments, and the right gradients there."""

    args: Sequence[Any]
    expected: Sequence[Array]


@dataclass(frozen=True, eq=False)
class Written:
    """A line written otherwise, and what that makes right.

    Attributes
    ----------
    fixed
        The gradients that are right then and were not before, by their positions.
    """

    block: Block
    rewrite: Rewrite
    fixed: frozenset[int]

    @property
    def line(self) -> int:
        """The line of what is written otherwise."""
        return int(self.rewrite.node.lineno)  # type: ignore[attr-defined]

    @cached_property
    def shown(self) -> ast.AST:
        """What is said to be wrong: of a name or a number the formula that it stands in."""
        node, above = self.rewrite.node, self.block.module.parent
        if isinstance(node, ast.Name | ast.Constant | ast.Attribute):
            while node is not self.rewrite.part and isinstance(above[node], _FORMULAS):
                node = above[node]
        return node

    @property
    def computes(self) -> bool:
        """Whether the statement does more than to hand something on."""
        value = getattr(self.rewrite.root, "value", None)
        return isinstance(value, ast.BinOp | ast.UnaryOp | ast.Call | ast.Compare)


class Rewriting:
    """Runs a gradient function with one line after the other written otherwise."""

    def __init__(
        self,
        gradient: Callable[..., Sequence[Any]],
        here: Trial,
        others: Sequence[Trial],
        constants: dict[float, str],
        may_be_wrong: Callable[[str, int, int], bool],
    ) -> None:
        self.may_be_wrong = may_be_wrong
        self.gradient, self.here, self.others = gradient, here, others
        self.constants = constants
        self.runs, self.turns = 0, Turns(_MAX_TURNS)
        self.blocks = blocks(gradient, _copied(here.args))

    @cached_property
    def scopes(self) -> list[Scope]:
        """What the lines of each block can be made of."""
        functions: dict[str, None] = {}
        texts: dict[str, None] = {}
        for block in self.blocks:
            texts |= dict.fromkeys(each for each in texts_in(block.node) if len(each) < 20)
            for name, each in block.functions[0].__globals__.items():
                if isinstance(each, FunctionType) and each.__code__.co_argcount == 1:
                    ran = any(each in other.functions for other in self.blocks)
                    if len(functions) < _MAX_HELPERS and (ran or computes_only(each)):
                        functions[name] = None
        return [Scope(each, list(functions), self.constants, list(texts)) for each in self.blocks]

    def alone(self) -> list[Written]:
        """Return the lines of which each alone explains everything."""
        with self._apart():
            before = self._right(self.here)
            return self._whole(self._either((), before, self.may_be_wrong), (), before)

    def pairs(self) -> list[list[Written]]:
        """Return two lines each that together explain everything."""
        with self._apart():
            before = self._right(self.here)
            return self._pairs(list(self._found(rewrites, (), before)), before)

    def _whole(
        self, found: Sequence[Written], path: Sequence[Written], before: frozenset[int]
    ) -> list[Written]:
        wrong = frozenset(range(len(self.here.expected))) - before
        whole = [each for each in found if each.fixed == wrong and self._holds([*path, each])]
        best: dict[int, Written] = {}
        for each in sorted(whole, key=lambda e: e.rewrite.cost):
            best.setdefault(each.line, each)
        return list(best.values())

    def _pairs(self, found: Sequence[Written], before: frozenset[int]) -> list[list[Written]]:
        """Return two lines that together explain everything."""
        wrong = frozenset(range(len(self.here.expected))) - before
        parts: dict[tuple[int, frozenset[int]], Written] = {}
        for each in sorted(found, key=lambda e: e.rewrite.cost):
            parts.setdefault((each.line, each.fixed), each)
        best = sorted(parts.values(), key=lambda e: (-len(e.fixed), e.rewrite.cost))[:_MAX_PARTS]
        ways = [
            [one, other]
            for one, other in itertools.combinations(best, 2)
            if one.fixed | other.fixed == wrong and _can_both_be(one.rewrite, other.rewrite)
        ]
        ways.sort(key=lambda way: sum(each.rewrite.cost for each in way))
        held = [way for way in ways[:_MAX_PARTS] if self._holds(way)]
        if held:
            return held
        for one in best[:_BEGINNINGS]:
            after = before | one.fixed
            rest = self._whole(self._either((one,), after), (one,), after)
            if rest:
                return [[one, each] for each in rest]
        return []

    @contextlib.contextmanager
    def _apart(self) -> Iterator[None]:
        """Nothing of what the runs print or change is left."""
        self.held, self.runs = Held(self.blocks), 0
        try:
            with quiet(), contextlib.ExitStack() as stack:
                for block in self.blocks:
                    code = block.compiled({}, {}) if block.may_be_endless else None
                    if code is not None:
                        stack.enter_context(running(block, chosen(code, 0, self.turns)))
                yield
        finally:
            self.held.release()

    # -- running it ----------------------------------------------------------------

    def _right(self, trial: Trial) -> frozenset[int]:
        """Return which gradients are right, as the function stands."""
        self.runs += 1
        self.turns.reset()
        self.held.restore()
        try:
            given = self.gradient(*_copied(trial.args))
        except KeyboardInterrupt:
            raise
        except BaseException:  # whatever it does, sys.exit too
            return frozenset()
        pairs = zip(given, trial.expected, strict=True)
        return frozenset(
            j for j, (one, other) in enumerate(pairs) if one is not None and same(one, other)
        )

    def _either(
        self,
        path: Sequence[Written],
        before: frozenset[int],
        matters: Callable[[str, int, int], bool] = lambda *_: True,
    ) -> list[Written]:
        """Return the lines that, written otherwise, make more gradients right than before."""
        found: list[Written] = []
        for ways in (rewrites, additions):
            self.runs = 0
            found += self._found(ways, path, before, matters)
        return found

    def _found(
        self,
        ways: Callable[[Scope, ast.AST], Iterator[Rewrite]],
        path: Sequence[Written],
        before: frozenset[int],
        matters: Callable[[str, int, int], bool] = lambda *_: True,
    ) -> Iterator[Written]:
        taken = {each.rewrite.root for each in path}
        for block, scope in zip(self.blocks, self.scopes, strict=True):
            fixed = [each for each in path if each.block is block]
            with self._mended([each for each in path if each.block is not block]):
                for statement in block.statements:
                    if not matters(block.code.co_filename, *block.lines(statement)):
                        continue
                    by_root: dict[ast.AST, list[Rewrite]] = {}
                    for rewrite in ways(scope, statement):
                        by_root.setdefault(rewrite.root, []).append(rewrite)
                    for root, each in by_root.items():
                        if root not in taken:
                            yield from self._tried(block, root, each, fixed, before)

    def _tried(
        self,
        block: Block,
        root: ast.AST,
        ways: Sequence[Rewrite],
        fixed: Sequence[Written],
        before: frozenset[int],
    ) -> Iterator[Written]:
        own = {each.rewrite.root: each.rewrite.way for each in fixed}
        pending = [ways[k : k + MAX_WAYS] for k in range(0, len(ways), MAX_WAYS)]
        while pending and self.runs < _MAX_RUNS:
            part = pending.pop(0)
            code = block.compiled({root: [each.way for each in part]}, own)
            if code is None:  # one of them is no Python
                half = len(part) // 2
                pending += [part[:half], part[half:]] if half else []
                continue
            for k, each in enumerate(part, start=1):
                with running(block, chosen(code, k, self.turns)):
                    right = self._right(self.here)
                if right > before:
                    yield Written(block, each, right - before)

    @contextlib.contextmanager
    def _mended(self, path: Sequence[Written]) -> Iterator[None]:
        """The function runs with some lines written otherwise for a while."""
        with contextlib.ExitStack() as stack:
            for block in dict.fromkeys(each.block for each in path):
                own: dict[ast.AST, list[Rewrite]] = {}
                for each in path:
                    if each.block is block:
                        own.setdefault(each.rewrite.root, []).append(each.rewrite)
                fixed = {root: together(several) for root, several in own.items()}
                code = block.compiled({}, fixed)
                if code is not None:
                    stack.enter_context(running(block, chosen(code, 0, self.turns)))
            yield

    def _holds(self, path: Sequence[Written]) -> bool:
        """Whether all gradients are right then, at other arguments, too."""
        with self._mended(path):
            return all(
                len(self._right(each)) == len(each.expected) for each in (self.here, *self.others)
            )

    # -- what it gives ---------------------------------------------------------------

    def values(self, written: Written, whole: bool = False) -> tuple[Array, Array]:
        """Return what an expression, or the whole statement, gave last, and gives then."""
        with self._apart():
            return self._value(written, False, whole), self._value(written, True, whole)

    def _value(self, written: Written, mended: bool, whole: bool) -> Array:
        for way in list(read(written.rewrite, written.shown, mended))[-1 if whole else 0 :]:
            code = written.block.compiled({}, {written.rewrite.root: way})
            if code is None:
                continue
            found: list[Array] = []

            def keep(value: Any, found: list[Array] = found) -> Any:
                if getattr(value, "dtype", np.dtype("O")).kind == "f" or isinstance(value, float):
                    found.append(np.array(value))
                return value

            with running(written.block, chosen(code, 0, self.turns, keep)):
                self._right(self.here)
            if found:
                return found[-1]
        return np.zeros(0)


def _can_both_be(one: Rewrite, other: Rewrite) -> bool:
    """Whether two ways to write otherwise do not get into each other's way."""
    if one.root is not other.root:
        return True
    inside = set(ast.walk(one.node)) | set(ast.walk(other.node))
    is_apart = not (other.node in ast.walk(one.node) or one.node in ast.walk(other.node))
    return one.part is other.part and one.part not in inside and is_apart


def _copied(args: Any) -> Any:
    """Return arguments that can be written into."""
    if isinstance(args, np.ndarray):
        return args.copy()
    if type(args) is dict:
        return {key: _copied(each) for key, each in args.items()}
    if type(args) in (list, tuple):
        return type(args)(map(_copied, args))
    return args if isinstance(args, _ATOMS) else copy.deepcopy(args)


_ATOMS = (int, float, str, bytes, type(None), np.generic)

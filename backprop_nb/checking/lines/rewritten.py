"""The search for the line by writing one after the other otherwise.

Whatever the student's function does, it can be run again with one of its lines written in
another way.  So this needs no trace, and covers what no trace shows: which function is called,
how often a loop turns, what a list is indexed with.
"""

from __future__ import annotations

import ast
import itertools
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cached_property
from types import CodeType
from typing import Any, TypeAlias

import numpy as np

from backprop_nb.checking.lines.followed import Array
from backprop_nb.checking.lines.inputs import is_all_that_reads
from backprop_nb.checking.lines.missing import additions
from backprop_nb.checking.lines.program import MAX_WAYS, Block, chosen, kept, running
from backprop_nb.checking.lines.rewrites import Rewrite, Written, read_target, target_of
from backprop_nb.checking.lines.runs import Runs
from backprop_nb.checking.lines.scope import Scope, as_read, text_of
from backprop_nb.checking.lines.ways import rewrites

_MAX_PARTS = 24
_BEGINNINGS = 3
_STEPS = 6
Truth: TypeAlias = Callable[[Any], Hashable]


class Rewriting(Runs):
    """Looks for the lines that, written otherwise, make all gradients right."""

    parts: Sequence[Written] = ()
    """What makes gradients right, of all that was tried so far."""

    @cached_property
    def _matter(self) -> dict[tuple[Block, ast.AST], bool]:
        """Whether each statement may have a part in what is wrong, as far as this was asked."""
        return {}

    def alone(self) -> list[Written]:
        """Return the lines of which each alone explains everything."""
        with self.apart():
            before = self.as_it_stands()
            self.parts = self._either((), before, self._may_be_wrong)
            return self._whole(self.parts, (), before)

    def pairs(self, truth: Truth) -> list[list[Written]]:
        """Return two lines each that together explain everything.

        The first of them makes gradients right, or what its own line gives: ``truth`` says
        which true quantity an array is, if it is one.
        """
        with self.apart():
            before = self.as_it_stands()
            idle = self._either((), before, lambda *at: not self._may_be_wrong(*at))
            self.parts = [*self.parts, *idle]
            found = self._pairs(self.parts, before)
            return found or self._rest(self._truer(truth, before), before)

    def _whole(
        self, found: Sequence[Written], path: Sequence[Written], before: frozenset[int]
    ) -> list[Written]:
        wrong = self.wrong(before)
        whole = [each for each in found if each.fixed == wrong and self.holds([*path, each])]
        best: dict[int, Written] = {}
        for each in sorted(whole, key=lambda e: e.rewrite.cost):
            best.setdefault(each.line, each)
        return list(best.values())

    def best(self, found: Sequence[Written]) -> list[Written]:
        """Return of each line the likeliest ways that each make something else right."""
        parts: dict[tuple[int, frozenset[int]], Written] = {}
        for each in sorted(found, key=lambda e: e.rewrite.cost):
            parts.setdefault((each.line, each.fixed), each)

        def rank(each: Written) -> tuple[float, ...]:
            # Some number or other makes up for much that is wrong elsewhere.
            return -len(each.fixed), each.rewrite.cost, each.rewrite.kind == "constant"

        return sorted(parts.values(), key=rank)[:_MAX_PARTS]

    def _pairs(self, found: Sequence[Written], before: frozenset[int]) -> list[list[Written]]:
        """Return two lines that together explain everything."""
        wrong, best = self.wrong(before), self.best(found)
        ways = [
            [one, other]
            for one, other in itertools.combinations(best, 2)
            if one.fixed | other.fixed == wrong and _can_both_be(one.rewrite, other.rewrite)
        ]
        ways.sort(key=lambda way: sum(each.rewrite.cost for each in way))
        held = [way for way in ways[:_MAX_PARTS] if self.holds(way)]
        if held:
            return held
        return self._rest(best[:_BEGINNINGS], before)

    def _rest(self, firsts: Sequence[Written], before: frozenset[int]) -> list[list[Written]]:
        """Return lines each with another one that explains what the first one leaves."""
        self.in_all = 0
        for one in firsts:
            if self.in_all > self.max_runs or self.is_over:
                break
            after = before | one.fixed
            rest = self._whole(self._either((one,), after), (one,), after)
            if rest:
                # A runs' limit may have come before the line that explains everything alone.
                return [[each] if self.holds([each]) else [one, each] for each in rest]
        return []

    def _truer(self, truth: Truth, before: frozenset[int]) -> list[Written]:
        """Return lines that, written otherwise, give what is true and did not before."""
        held = {truth(array) for array in self.held_arrays()}

        def new(values: Sequence[Array]) -> list[Hashable]:
            """Return what is true of some values, without what names hold anyway."""
            found = [truth(value) if value.size > 1 else None for value in values]
            return [None if each in held else each for each in found]

        best: dict[tuple[int, tuple[Hashable, ...]], Written] = {}
        order: dict[int, int] = {}
        self.count = 0
        for block, scope in zip(self.blocks, self.scopes, strict=True):
            for statement in self.statements(block):
                ways = [*rewrites(scope, statement), *additions(scope, statement)]
                own = [each for each in ways if each.root is statement]
                for each, now in self._made_true(block, statement, own, new, before):
                    key = each.line, tuple(now)
                    order.setdefault(each.line, block.order.get(each.line, 0))
                    if key not in best or each.rewrite.cost < best[key].rewrite.cost:
                        best[key] = each
        gain = {each: sum(truth is not None for truth in now) for (_, now), each in best.items()}
        found = sorted(best.values(), key=lambda e: (order[e.line], -gain[e], e.rewrite.cost))
        by_line = {line: [e for e in found if e.line == line][:2] for line in order}
        return [each for each in found if each in by_line[each.line]][:_STEPS]

    def _made_true(
        self,
        block: Block,
        statement: ast.AST,
        ways: Sequence[Rewrite],
        new: Callable[[Sequence[Array]], list[Hashable]],
        before: frozenset[int],
    ) -> Iterator[tuple[Written, list[Hashable]]]:
        plain = read_target(statement, statement)
        was = new(self.kept(block, {statement: plain})) if plain is not None and ways else []
        if all(was):
            return

        def compiled(part: Sequence[Rewrite]) -> CodeType | None:
            read = [read_target(statement, each.way) or each.way for each in part]
            return block.compiled({statement: read}, {})

        for code, k, each in self._compiled(ways, compiled):
            found, right = self.keeping(block, code, k)
            now = new(found)
            is_truer = len(now) == len(was) and now != was and right >= before
            if is_truer and all(b == a or a is None for a, b in zip(was, now, strict=True)):
                yield Written(block, each, right - before), now

    def _either(
        self,
        path: Sequence[Written],
        before: frozenset[int],
        matters: Callable[[Block, ast.AST], bool] = lambda *_: True,
    ) -> list[Written]:
        """Return the lines that, written otherwise, make more gradients right than before."""
        found: list[Written] = []
        for ways in (rewrites, additions):
            self.count = 0
            found += self._found(ways, path, before, matters)
        return found

    def _found(
        self,
        ways: Callable[[Scope, ast.AST], Iterator[Rewrite]],
        path: Sequence[Written],
        before: frozenset[int],
        matters: Callable[[Block, ast.AST], bool] = lambda *_: True,
    ) -> Iterator[Written]:
        taken = {each.rewrite.root for each in path}
        for block, scope in zip(self.blocks, self.scopes, strict=True):
            fixed = [each for each in path if each.block is block]
            with self.mended([each for each in path if each.block is not block]):
                for statement in self.statements(block):
                    if not matters(block, statement):
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

        def compiled(part: Sequence[Rewrite]) -> CodeType | None:
            return block.compiled({root: [each.way for each in part]}, own)

        for code, k, each in self._compiled(ways, compiled):
            with running(block, chosen(code, k, self.turns)):
                right = self.right(self.here)
            # Who writes into the arguments makes it right once, and spoils what comes after.
            if right > before and (self.changes or not self.has_changed()):
                yield Written(block, each, right - before)

    def _compiled(
        self, ways: Sequence[Rewrite], compiled: Callable[[Sequence[Rewrite]], CodeType | None]
    ) -> Iterator[tuple[CodeType, int, Rewrite]]:
        """Yield each way with the code that has it, many in one, and its number there."""
        pending = [ways[k : k + MAX_WAYS] for k in range(0, len(ways), MAX_WAYS)]
        while pending and not self.is_over:
            part = pending.pop(0)
            code = compiled(part)
            if code is not None:
                every = ((code, k, each) for k, each in enumerate(part, start=1))
                yield from itertools.takewhile(lambda _: not self.is_over, every)
            elif len(part) > 1:  # one of them is no Python
                half = len(part) // 2
                pending += [part[:half], part[half:]]

    def holds_in_part(self, written: Written) -> bool:
        """Whether it makes the same gradients right at other arguments, too."""
        with self.apart(), self.mended([written]):
            return all(self.right(each) >= written.fixed for each in self.others)

    def is_idle(self, written: Written) -> bool:
        """Whether a statement changes nothing as it stands, such as what its index picks."""
        root = written.rewrite.root
        target, plain = target_of(root), read_target(root, root)
        if plain is None or not isinstance(target, ast.Subscript):
            return False
        before = ast.copy_location(ast.Expr(kept(as_read(target))), root)
        with self.apart():
            found, was = (self.kept(written.block, {root: way}) for way in (plain, [before, root]))
        pairs = zip(was, found, strict=False)
        return bool(found) and all(np.array_equal(*pair) for pair in pairs)

    def is_for_the_called(self, written: Written) -> bool:
        """Whether rather a function lacks a sign or a number, or a factor of what it is given."""
        node, new = written.rewrite.node, written.rewrite.new
        if not (isinstance(node, ast.Call) and self.is_own(node)):
            return False
        given = {text_of(each) for each in node.args if isinstance(each, ast.Name)}
        factor = getattr(new, "right", None) if getattr(new, "left", None) is node else None
        read = {text_of(each) for each in ast.walk(factor or ast.Pass())}
        return written.rewrite.kind in ("sign", "constant") or not given.isdisjoint(read)

    def turns_a_name(self, written: Written) -> bool:
        """Whether a name is turned where it is read, which could be done where it is given.

        So could what is left out of a line that then does nothing but to read a name.
        """
        rewrite, scope = written.rewrite, self.scope_of(written)
        drops = rewrite.kind == "operand alone"
        node = getattr(rewrite.way, "value", None) if drops else rewrite.node
        is_turned = drops or rewrite.kind in ("transpose", "sign")
        return is_turned and is_all_that_reads(scope, node, rewrite.root)

    def adds_to_an_answer(self, written: Written) -> bool:
        """Whether a term is brought in that could be where the name is returned, and only there."""
        root, scope = written.rewrite.root, self.scope_of(written)
        is_whole = getattr(root, "value", None) is written.rewrite.node
        if written.rewrite.kind != "term" or not (is_whole and isinstance(root, ast.Assign)):
            return False
        returns = (each for each in written.block.statements if isinstance(each, ast.Return))
        read = Counter(text_of(node) for each in returns for node in ast.walk(each))
        name = text_of(root.targets[0])
        return 0 < read[name] == scope.reads.get(name)

    def _may_be_wrong(self, block: Block, statement: ast.AST) -> bool:
        """Whether a statement may have a part in each gradient that is wrong."""
        acts = hasattr(statement, "body") or isinstance(statement, ast.Expr)
        is_whole = not (acts or _hands_on(statement))
        if (block, statement) not in self._matter:
            read = read_target(statement, statement) if is_whole else None
            code = None if read is None else block.compiled({}, {statement: read})
            self._matter[block, statement] = code is None or self.matters(block, code, 0)
        return self._matter[block, statement]


def _hands_on(statement: ast.AST) -> bool:
    """Whether a statement may have a part in more than what it computes.

    Entries that a mask picks may have been meant to be set in another array.
    """
    match statement:
        case ast.Return():
            return True
        case (
            ast.Assign(targets=[ast.Subscript(slice=index)], value=ast.Constant())
            | ast.AugAssign(target=ast.Subscript(slice=index))
        ):
            return isinstance(index, ast.Compare | ast.UnaryOp | ast.Name)
    return any(
        isinstance(node, ast.Tuple | ast.List | ast.Dict)
        for node in ast.walk(getattr(statement, "value", None) or ast.Pass())
    )


def _can_both_be(one: Rewrite, other: Rewrite) -> bool:
    """Whether two ways to write otherwise do not get into each other's way."""
    if one.root is not other.root:
        return True
    inside = set(ast.walk(one.node)) | set(ast.walk(other.node))
    is_apart = not (other.node in ast.walk(one.node) or one.node in ast.walk(other.node))
    return one.part is other.part and one.part not in inside and is_apart

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
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from backprop_nb.checking.compare import agrees, changed
from backprop_nb.checking.lines.followed import Array
from backprop_nb.checking.lines.inputs import is_all_that_reads
from backprop_nb.checking.lines.program import (
    MAX_WAYS,
    Block,
    Held,
    Turns,
    blocks,
    chosen,
    quiet,
    reachable,
    running,
)
from backprop_nb.checking.lines.rewrites import (
    Rewrite,
    additions,
    read,
    read_target,
    rewrites,
    together,
)
from backprop_nb.checking.lines.scope import Scope, computes_only, text_of, texts_in

_MAX_RUNS = 5_000
"""The function is run no more often for the ways of one sort."""
_LARGE = 20_000
"""With more entries in its arrays every run takes longer, and there are fewer."""
_SECONDS = 10.0
"""Nor does one search take longer, in time of the processor."""
_MAX_TURNS = 50_000
"""The loops of a function turn no more often in one run."""
_MAX_PARTS = 24
_BEGINNINGS = 3
_STEPS = 6
_MAX_HELPERS = 8


_FORMULAS = (ast.BinOp, ast.UnaryOp, ast.Call, ast.Compare, ast.Attribute)


Truth: TypeAlias = Callable[[Any], Hashable]


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
    def gives_a_value(self) -> bool:
        """Whether what is wrong has a value, other than an index or a line to be left out."""
        is_index = isinstance(getattr(self.rewrite.part, "ctx", None), ast.Store)
        return self.rewrite.kind != "statement" and not is_index

    @property
    def is_of_another(self) -> bool:
        """Whether entries of another array are set, so that no value is there to compare."""
        match self.rewrite.root, self.rewrite.way:
            case (
                ast.Assign(targets=[ast.Subscript(value=own)]),
                ast.Assign(targets=[ast.Subscript(value=other)]),
            ):
                return text_of(own) != text_of(other)
        return False

    @property
    def computes(self) -> bool:
        """Whether the statement does more than to hand something on."""
        match getattr(self.rewrite.root, "value", None):
            case ast.UnaryOp(operand=ast.Constant()) | ast.Call(func=ast.Attribute(attr="copy")):
                return False
            case value:
                return isinstance(value, ast.BinOp | ast.UnaryOp | ast.Call | ast.Compare)


class Rewriting:
    """Runs a gradient function with one line after the other written otherwise."""

    def __init__(
        self,
        gradient: Callable[..., Sequence[Any]],
        here: Trial,
        others: Sequence[Trial],
        constants: dict[float, str],
        data: Sequence[str] = (),
    ) -> None:
        self.data = data
        self.gradient, self.here, self.others = gradient, here, others
        self.constants = constants
        self.runs = self.all_runs = 0
        self.parts: list[Written] = []
        self._rounds: dict[Written, tuple[list[Array], list[Array]]] = {}
        self._matter: dict[tuple[Block, ast.AST], bool] = {}
        self.turns = Turns(_MAX_TURNS)
        self.blocks = blocks(gradient, _copied(here.args))
        seen = {
            id(value): value.size
            for block in self.blocks
            for names in block.seen.values()
            for value in names.values()
            if isinstance(value, np.ndarray)
        }
        self.max_runs = _MAX_RUNS * _LARGE // max(_LARGE, sum(seen.values()))

    @cached_property
    def scopes(self) -> list[Scope]:
        """What the lines of each block can be made of."""
        functions: dict[str, FunctionType] = {}
        texts: dict[str, None] = {}
        for block in self.blocks:
            texts |= dict.fromkeys(each for each in texts_in(block.node) if len(each) < 20)
            for name, each in block.functions[0].__globals__.items():
                if isinstance(each, FunctionType) and each.__code__.co_argcount == 1:
                    ran = any(each in other.functions for other in self.blocks)
                    if len(functions) < _MAX_HELPERS and (ran or computes_only(each)):
                        functions[name] = each
        return [
            Scope(each, _without_return_to(each, functions), self.constants, list(texts), self.data)
            for each in self.blocks
        ]

    def scope_of(self, written: Written) -> Scope:
        """Return what the lines around one that is written otherwise can be made of."""
        return self.scopes[self.blocks.index(written.block)]

    @property
    def numbers(self) -> set[float]:
        """The numbers that stand in the text, or are globals there."""
        found: set[Any] = set()
        for block in self.blocks:
            space = block.functions[0].__globals__
            nodes = list(ast.walk(block.node))
            found |= {each.value for each in nodes if isinstance(each, ast.Constant)}
            names = [space.get(each.id) for each in nodes if isinstance(each, ast.Name)]
            found |= {each for each in names if isinstance(each, int | float)}
        return found

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
            self.parts += self._either((), before, lambda *at: not self._may_be_wrong(*at))
            found = self._pairs(self.parts, before)
            return found or self._rest(self._truer(truth, before), before)

    def _whole(
        self, found: Sequence[Written], path: Sequence[Written], before: frozenset[int]
    ) -> list[Written]:
        wrong = self.wrong(before)
        whole = [each for each in found if each.fixed == wrong and self._holds([*path, each])]
        best: dict[int, Written] = {}
        for each in sorted(whole, key=lambda e: e.rewrite.cost):
            best.setdefault(each.line, each)
        return list(best.values())

    def wrong(self, right: frozenset[int]) -> frozenset[int]:
        """Return the gradients that are not right."""
        return frozenset(range(len(self.here.expected))) - right

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
        held = [way for way in ways[:_MAX_PARTS] if self._holds(way)]
        if held:
            return held
        return self._rest(best[:_BEGINNINGS], before)

    def _rest(self, firsts: Sequence[Written], before: frozenset[int]) -> list[list[Written]]:
        """Return lines each with another one that explains what the first one leaves."""
        self.all_runs = 0
        for one in firsts:
            if self.all_runs > self.max_runs or self.is_over:
                break
            after = before | one.fixed
            rest = self._whole(self._either((one,), after), (one,), after)
            if rest:
                # A runs' limit may have come before the line that explains everything alone.
                return [[each] if self._holds([each]) else [one, each] for each in rest]
        return []

    def _truer(self, truth: Truth, before: frozenset[int]) -> list[Written]:
        """Return lines that, written otherwise, give what is true and did not before."""
        held = {
            truth(value)
            for block in self.blocks
            for names in block.seen.values()
            for value in names.values()
            if isinstance(value, np.ndarray)
        }

        def new(values: Sequence[Array]) -> list[Hashable]:
            """Return what is true of some values, without what names hold anyway."""
            found = [truth(value) if value.size > 1 else None for value in values]
            return [None if each in held else each for each in found]

        best: dict[tuple[int, tuple[Hashable, ...]], Written] = {}
        order: dict[int, int] = {}
        self.runs = 0
        for block, scope in zip(self.blocks, self.scopes, strict=True):
            for statement in block.statements:
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

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """Nothing of what the runs print or change is left."""
        self.held, self.runs = Held(self.blocks), 0
        self.began = time.thread_time()
        try:
            with quiet(), contextlib.ExitStack() as stack:
                for block in self.blocks:
                    code = block.compiled({}, {}) if block.may_be_endless else None
                    if code is not None:
                        stack.enter_context(running(block, chosen(code, 0, self.turns)))
                yield
        finally:
            self.held.release()

    @property
    def is_over(self) -> bool:
        """Whether the function has run often enough, or for long enough."""
        return self.runs >= self.max_runs or time.thread_time() - self.began > _SECONDS

    # -- running it ----------------------------------------------------------------

    def as_it_stands(self) -> frozenset[int]:
        """Return which gradients are right at first, and note whether arguments are changed."""
        right = self._right(self.here)
        self.changes, self.at_first = self._changes(), (right, self.gave)
        return right

    def is_alike(self, short: Trial) -> bool:
        """Whether the same gradients are right with arguments that are shorter."""
        with self.apart():
            found = {
                (self._right(each), tuple(given is None for given in self.gave))
                for each in (self.here, *self.others, short)
            }
        return len(found) == 1

    def _changes(self) -> bool:
        """Whether the last run changed its arguments, which were those here."""
        return bool(changed(self.given, list(self.here.args), "x"))

    def _right(self, trial: Trial) -> frozenset[int]:
        """Return which gradients are right, as the function is now."""
        self.runs += 1
        self.all_runs += 1
        self.turns.reset()
        self.held.restore()
        self.given = _copied(list(trial.args))
        try:
            self.gave = list(self.gradient(*self.given))
            pairs = zip(self.gave, trial.expected, strict=True)
            return frozenset(
                j for j, (one, other) in enumerate(pairs) if one is not None and same(one, other)
            )
        except KeyboardInterrupt:
            raise
        except BaseException:  # whatever it does or gives, sys.exit and uneven lists too
            self.gave = [None] * len(trial.expected)
            return frozenset()

    def _either(
        self,
        path: Sequence[Written],
        before: frozenset[int],
        matters: Callable[[Block, ast.AST], bool] = lambda *_: True,
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
        matters: Callable[[Block, ast.AST], bool] = lambda *_: True,
    ) -> Iterator[Written]:
        taken = {each.rewrite.root for each in path}
        for block, scope in zip(self.blocks, self.scopes, strict=True):
            fixed = [each for each in path if each.block is block]
            with self.mended([each for each in path if each.block is not block]):
                for statement in block.statements:
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
                right = self._right(self.here)
            # Who writes into the arguments makes it right once, and spoils what comes after.
            if right > before and (self.changes or not self._changes()):
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

    @contextlib.contextmanager
    def mended(self, path: Sequence[Written]) -> Iterator[None]:
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
        with self.mended(path):
            return all(
                len(self._right(each)) == len(each.expected) for each in (self.here, *self.others)
            )

    # -- what it gives ---------------------------------------------------------------

    def values(self, written: Written, at: Trial) -> tuple[Array, Array]:
        """Return what an expression gave when it was wrong first, and gives written otherwise."""
        there = copy.copy(self)
        there.here = at
        was, now = there._first_kept(written)
        pairs = zip(was, now, strict=False)  # a round may be there only now
        return next((pair for pair in pairs if not same(*pair)), (was[-1], now[-1]))

    def rounds(self, written: Written) -> tuple[list[Array], list[Array]]:
        """Return what a statement gave each time it ran, and what it gives then."""
        if written not in self._rounds:
            self._rounds[written] = self._first_kept(written, whole=True)
        return self._rounds[written]

    def is_idle(self, written: Written) -> bool:
        """Whether a statement writes nothing as it stands, for its index picks no entry."""
        root = written.rewrite.root
        plain = read_target(root, root)
        with self.apart():
            found = self.kept(written.block, {root: plain}) if plain is not None else []
        return bool(found) and not any(each.size for each in found)

    def is_for_the_called(self, written: Written) -> bool:
        """Whether rather a function lacks a sign, or a factor made of what it is given."""
        node, new = written.rewrite.node, written.rewrite.new
        if not (isinstance(node, ast.Call) and self.is_own(node)):
            return False
        given = {text_of(each) for each in node.args if isinstance(each, ast.Name)}
        factor = getattr(new, "right", None) if getattr(new, "left", None) is node else None
        read = {text_of(each) for each in ast.walk(factor or ast.Pass())}
        return written.rewrite.kind == "sign" or not given.isdisjoint(read)

    def is_own(self, node: ast.AST) -> bool:
        """Whether an expression calls a function of the student's that runs."""
        function = getattr(node, "func", None)
        return getattr(function, "id", getattr(function, "attr", None)) in self._own

    @cached_property
    def _own(self) -> frozenset[str]:
        every = (each for block in self.blocks for each in ast.walk(block.node))
        return frozenset(each.name for each in every if isinstance(each, ast.FunctionDef))

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

    def _first_kept(self, written: Written, whole: bool = False) -> tuple[list[Array], list[Array]]:
        """Return what is kept of the same expression as it is and mended, or of what gives it."""
        root, none = written.rewrite.root, [np.zeros(0)]
        ways = [list(read(written.rewrite, written.shown, mended)) for mended in (False, True)]
        kept: list[tuple[list[Array], list[Array]]] = []
        with self.apart():
            for pair in list(zip(*ways, strict=False))[-1 if whole else 0 :]:
                was, now = (self.kept(written.block, {root: way}) for way in pair)
                if was and now:
                    return was, now
                kept.append((was, now))
        first = [next((each[k] for each in kept if each[k]), none) for k in (0, 1)]
        return first[0], first[1]

    def kept(self, block: Block, ways: Mapping[ast.AST, ast.AST | list[ast.AST]]) -> list[Array]:
        """Return the floats that are kept in one run."""
        code = block.compiled({}, ways)
        return self.keeping(block, code, 0)[0] if code is not None else []

    def keeping(
        self, block: Block, code: CodeType, k: int, trial: Trial | None = None
    ) -> tuple[list[Array], frozenset[int]]:
        """Return the floats that are kept in one run, and which gradients are right in it."""
        found: list[Array] = []

        def keep(value: Any) -> Any:
            floats = floats_in(value)
            if floats is not None:
                found.append(floats.copy())
            return value

        with running(block, chosen(code, k, self.turns, keep)):
            return found, self._right(trial or self.here)

    def putting(
        self,
        block: Block,
        code: CodeType,
        k: int,
        put: Callable[[int, Any], Any],
        trial: Trial | None = None,
    ) -> frozenset[int]:
        """Return which gradients are right if something is put in the place of what is kept."""
        rounds = itertools.count()
        with running(block, chosen(code, k, self.turns, lambda value: put(next(rounds), value))):
            return self._right(trial or self.here)

    def matters(self, block: Block, code: CodeType, k: int) -> bool:
        """Whether each gradient that is wrong becomes another one with what is kept.

        What only decides, such as a margin, may have to change its sign.
        """
        right, gave = self.at_first
        felt, rounds = set[int](right), itertools.count()
        for change in (lambda x: x * 1.37 + 0.11, np.negative):

            def put(_: int, value: Any, change: Callable[[Any], Any] = change) -> Any:
                if np.size(value):  # what an index picks may be nothing, and that is what is wrong
                    next(rounds)
                return change(np.array(value) if isinstance(value, list) else value)

            self.putting(block, code, k, put)
            pairs = enumerate(zip(self.gave, gave, strict=True))
            felt |= {j for j, (a, b) in pairs if a is None or not np.array_equal(a, b)}
            if len(felt) == len(gave):
                return True
        return next(rounds) == 0  # nothing is kept, and so nothing known

    def _may_be_wrong(self, block: Block, statement: ast.AST) -> bool:
        """Whether a statement may have a part in each gradient that is wrong."""
        acts = hasattr(statement, "body") or isinstance(statement, ast.Expr)
        is_whole = not (acts or _hands_on(statement))
        if (block, statement) not in self._matter:
            read = read_target(statement, statement) if is_whole else None
            code = None if read is None else block.compiled({}, {statement: read})
            self._matter[block, statement] = code is None or self.matters(block, code, 0)
        return self._matter[block, statement]


def _without_return_to(block: Block, functions: Mapping[str, FunctionType]) -> list[str]:
    """Return the functions that do not lead to the block: a line that calls itself has no end."""
    return [
        name
        for name, function in functions.items()
        if all(each.__code__ is not block.code for each in reachable(function))
    ]


def _hands_on(statement: ast.AST) -> bool:
    """Whether a statement may have a part in more than what it computes.

    Entries that a mask picks may have been meant to be set in another array.
    """
    match statement:
        case ast.Return():
            return True
        case ast.Assign(targets=[ast.Subscript(slice=index)], value=ast.Constant()):
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


def floats_in(value: Any) -> Array | None:
    """Return an array, a number or a list of numbers as an array of floats, if it is one."""
    if isinstance(value, list) and not any(isinstance(each, np.ndarray) for each in value):
        with contextlib.suppress(ValueError):  # of rows that are not equally long
            made = np.array(value)
            return made if made.dtype.kind == "f" else None
    is_array = isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f"
    return np.asarray(value) if is_array or isinstance(value, float) else None


def _copied(args: Any) -> Any:
    """Return arguments that can be written into."""
    if isinstance(args, np.ndarray):
        return args.copy()
    if type(args) is dict:
        return {key: _copied(each) for key, each in args.items()}
    if type(args) in (list, tuple):
        return type(args)(map(_copied, args))
    return args if isinstance(args, _ATOMS) else copy.deepcopy(args)


def same(given: Any, expected: Any) -> bool:
    """Whether a gradient is right."""
    given = np.asarray(given)
    if given.shape != np.shape(expected) or given.dtype.kind not in "fiub":
        return False
    if given.dtype == bool:  # which cannot be subtracted
        return bool(np.array_equal(given, expected))
    if given.size and not abs(given.flat[0] - expected.flat[0]) <= 1e-3 * (
        1e-6 + np.max(np.abs(expected))
    ):
        return False
    return bool(np.all(np.isfinite(given))) and agrees(given, expected)


_ATOMS = (int, float, str, bytes, type(None), np.generic)

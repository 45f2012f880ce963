"""A gradient function that runs again and again: with lines written otherwise, and looked into.

Whatever the student's function does, it can be run again with one of its lines written in
another way, with what an expression gives noted, or with something else put in its place.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import itertools
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.checking.compare import agrees, changed
from backprop_nb.checking.lines.followed import Array
from backprop_nb.checking.lines.program import (
    Block,
    Held,
    Turns,
    blocks,
    chosen,
    reachable,
    running,
    unseen,
)
from backprop_nb.checking.lines.rewrites import Rewrite, Written, read, together
from backprop_nb.checking.lines.scope import Scope, computes_only, texts_in
from backprop_nb.checking.report import says_a_number

_MAX_RUNS = 5_000
"""The function is run no more often for the ways of one sort."""
_LARGE = 20_000
"""With more entries in its arrays every run takes longer, and there are fewer."""
_SECONDS = 10.0
"""Nor does one search take longer, in time of the processor."""
_MAX_TURNS = 50_000
"""The loops of a function turn no more often in one run."""
_MAX_HELPERS = 8
_ATOMS = (int, float, str, bytes, type(None), np.generic)


class Trial(NamedTuple):
    """Arguments, and the right gradients there.

    What reads the gradient function's answer is its own where the shapes are others.
    """

    args: Sequence[Any]
    expected: Sequence[Array]
    gradient: Callable[..., Sequence[Any]] | None = None


class Runs:
    """Runs a gradient function, and nothing of what it does is left.

    Attributes
    ----------
    count, in_all
        How often it ran since this was set to 0, and ever.
    given, gave
        The arguments of the last run, as it left them, and what it returned.
    """

    def __init__(
        self,
        gradient: Callable[..., Sequence[Any]],
        here: Trial,
        others: Sequence[Trial],
        constants: dict[float, str],
        data: Sequence[str] = (),
        means: Sequence[float] = (),
        lines: Collection[int] = (),
        elsewhere: Sequence[Trial] = (),
    ) -> None:
        self.data, self.means, self.lines = data, means, lines
        self.elsewhere = elsewhere
        self.gradient, self.here, self.others = gradient, here, others
        self.constants = constants
        self.count = self.in_all = 0
        self._rounds: dict[Written, tuple[list[Array], list[Array]]] = {}
        self.turns = Turns(_MAX_TURNS)
        self.blocks = blocks(gradient, _copied(here.args))
        sizes = {id(array): array.size for array in self.held_arrays()}
        self.max_runs = _MAX_RUNS * _LARGE // max(_LARGE, sum(sizes.values()))

    def held_arrays(self) -> Iterator[Array]:
        """Yield the arrays that names hold when a line runs first."""
        held = (names for block in self.blocks for names in block.seen.values())
        return (each for names in held for each in names.values() if isinstance(each, np.ndarray))

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
        rest = self.constants, list(texts), self.data, self.means
        return [Scope(each, _without_return_to(each, functions), *rest) for each in self.blocks]

    def statements(self, block: Block) -> list[ast.stmt | ast.expr]:
        """Return the statements of a block in which what is wrong is looked for."""

        def is_there(each: ast.stmt | ast.expr) -> bool:
            first, last = block.lines(each)
            return any(first <= line <= last for line in self.lines)

        return [each for each in block.statements if not self.lines or is_there(each)]

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

    def wrong(self, right: frozenset[int]) -> frozenset[int]:
        """Return the gradients that are not right."""
        return frozenset(range(len(self.here.expected))) - right

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """Nothing of what the runs print or change is left."""
        self.held, self.count = Held(self.blocks), 0
        self.began = time.thread_time()
        try:
            with unseen(), contextlib.ExitStack() as stack:
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
        return self.count >= self.max_runs or time.thread_time() - self.began > _SECONDS

    def as_it_stands(self) -> frozenset[int]:
        """Return which gradients are right at first, and note whether arguments are changed."""
        right = self.right(self.here)
        self.changes, self.at_first = self.has_changed(), (right, self.gave)
        return right

    def is_alike(self, short: Trial) -> bool:
        """Whether the same gradients are right with arguments that are shorter."""
        with self.apart():
            found = {
                (self.right(each), tuple(given is None for given in self.gave))
                for each in (self.here, *self.others, short)
            }
        return len(found) == 1

    def has_changed(self) -> bool:
        """Whether the last run changed its arguments, which were those here."""
        return bool(changed(self.given, list(self.here.args), "x"))

    def right(self, trial: Trial) -> frozenset[int]:
        """Return which gradients are right, as the function is now."""
        self.count += 1
        self.in_all += 1
        self.turns.reset()
        self.held.restore()
        self.given = _copied(list(trial.args))
        try:
            self.gave = list((trial.gradient or self.gradient)(*self.given))
            pairs = zip(self.gave, trial.expected, strict=True)
            return frozenset(
                j for j, (one, other) in enumerate(pairs) if one is not None and same(one, other)
            )
        except KeyboardInterrupt:
            raise
        except BaseException:  # whatever it does or gives, sys.exit and uneven lists too
            self.gave = [None] * len(trial.expected)
            return frozenset()

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

    def holds(self, path: Sequence[Written]) -> bool:
        """Whether all gradients are right then, at other arguments, too.

        Those of other sizes count where no number is said, which may be another one there.
        """
        trials = [self.here, *self.others]
        if not any(says_a_number(each.rewrite.words(each.shown)) for each in path):
            trials += self.elsewhere
        with self.mended(path):
            return all(len(self.right(each)) == len(each.expected) for each in trials)

    def values(self, written: Written, at: Trial) -> tuple[Array, Array, str]:
        """Return what an expression gave when it was wrong first, and gives written otherwise.

        And the name of what has these values, if the expression itself, such as a mask, has none.
        """
        there = copy.copy(self)
        there.here = at
        was, now, of = there._first_kept(written)
        pairs = zip(was, now, strict=False)  # a round may be there only now
        return *next((pair for pair in pairs if not same(*pair)), (was[-1], now[-1])), of

    def rounds(self, written: Written) -> tuple[list[Array], list[Array]]:
        """Return what a statement gave each time it ran, and what it gives then."""
        if written not in self._rounds:
            self._rounds[written] = self._first_kept(written, whole=True)[:2]
        return self._rounds[written]

    def is_own(self, node: ast.AST) -> bool:
        """Whether an expression calls a function of the student's that runs."""
        function = getattr(node, "func", None)
        return getattr(function, "id", getattr(function, "attr", None)) in self._own

    @cached_property
    def _own(self) -> frozenset[str]:
        every = (each for block in self.blocks for each in ast.walk(block.node))
        return frozenset(each.name for each in every if isinstance(each, ast.FunctionDef))

    def _first_kept(
        self, written: Written, whole: bool = False
    ) -> tuple[list[Array], list[Array], str]:
        """Return what is kept of the same expression as it is and mended, or of what gives it."""
        root, none = written.rewrite.root, [np.zeros(0)]
        ways = [list(read(written.rewrite, written.shown, mended)) for mended in (False, True)]
        kept: list[tuple[list[Array], list[Array]]] = []
        with self.apart():
            for (old, of), (new, _) in list(zip(*ways, strict=False))[-1 if whole else 0 :]:
                was, now = (self.kept(written.block, {root: way}) for way in (old, new))
                if was and now:
                    return was, now, of
                kept.append((was, now))
        first = [next((each[k] for each in kept if each[k]), none) for k in (0, 1)]
        return first[0], first[1], ""

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
            return found, self.right(trial or self.here)

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
            return self.right(trial or self.here)

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


def _without_return_to(block: Block, functions: Mapping[str, FunctionType]) -> list[str]:
    """Return the functions that do not lead to the block: a line that calls itself has no end."""
    return [
        name
        for name, function in functions.items()
        if all(each.__code__ is not block.code for each in reachable(function))
    ]


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

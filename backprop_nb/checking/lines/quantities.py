"""The search for the line by what is true: put in the place of what one expression gives.

Where no line that is written otherwise makes all gradients right, the loss still tells what a
line should give.  So the function runs again with a value, an adjoint or a slope of the loss in
the place of one expression after the other, in each round of a loop.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from backprop_nb.checking.lines.followed import Array
from backprop_nb.checking.lines.known import SAME, Key, Known
from backprop_nb.checking.lines.meant import Meant, Piece, Slot, ratio, values_in
from backprop_nb.checking.lines.program import exchanged, kept
from backprop_nb.checking.lines.rewrites import Written, parts_of, read_target
from backprop_nb.checking.lines.runs import Runs, Trial, floats_in, same
from backprop_nb.checking.lines.scope import PLACES, Scope, as_read, line_of, text_of

_MAX_ROUNDS = 12
"""So many rounds of a loop are looked at one by one."""
_MAX_RUNS = 3_000
"""None are any more once the function has run so often."""


class Quantities:
    """Puts what is true in the place of what one expression after the other gives.

    It is told of the arguments in ``told``, which are those as given where shorter ones are run.
    """

    def __init__(self, runs: Runs, knowns: Sequence[Known], told: tuple[Known, Trial]) -> None:
        self.runs, self.known, self.others = runs, knowns[0], knowns[1:]
        self.told = told

    def alone(
        self, wanted: Callable[[Slot], bool] = lambda _: True, rounds: float = np.inf
    ) -> list[Meant]:
        """Return the expressions of which each alone explains everything, in their order.

        Those that run more often than ``rounds`` are left out.
        """
        with self.runs.apart():
            before = self.runs.as_it_stands()
            kept = {slot: self._kept(slot) for slot in self._slots() if wanted(slot)}
            # With large arrays there are few runs: what gives something true can wait.
            first = sorted(kept, key=lambda slot: self._is_true(kept[slot]))
            found = {slot: [*self._meant(slot, kept[slot], before, rounds)] for slot in first}
        return _ordered([each for slot in kept for each in found[slot]])

    def scaled(self, scale: float, line: int | None) -> list[tuple[Slot, Array]]:
        """Return what in other lines makes everything right, multiplied by a number, and its value.

        A name that is only handed on is left out, and so are several values in a row.
        """
        trials = (self.runs.here, *self.runs.others)

        def put(_: int, value: Any) -> Any:
            return value if isinstance(value, tuple) else _times(scale, value)

        def is_right(slot: Slot) -> bool:
            at = slot.block, slot.code, slot.number, put
            rights = ((self.runs.putting(*at, each), each.expected) for each in trials)
            return all(len(right) == len(expected) for right, expected in rights)

        with self.runs.apart():
            found = [
                (slot, (self._kept(slot, self.told[1]) or [np.zeros(0)])[-1])
                for slot in self._slots()
                if slot.line != line and isinstance(slot.node, ast.expr)
                if not isinstance(slot.node, PLACES) and is_right(slot)
            ]
        # Rather a function lacks it than the line that calls it.
        return [each for each in found if not self.runs.is_own(each[0].node)] or found

    def sums_up(self, scope: Scope, statement: ast.AST) -> bool:
        """Whether a line adds to 0 again and again: a factor can be brought in after all of it."""
        whole = read_target(statement, statement)
        match statement, whole:
            case ast.AugAssign(op=ast.Add() | ast.Sub()), list():
                own = copy.copy(statement)
                own.value = kept(own.value)
            case _:
                return False
        with self.runs.apart():
            added, sums = (self.runs.kept(scope.block, {statement: e}) for e in (own, whole))
        is_first = [
            same(np.abs(one), np.abs(other)) for one, other in zip(added, sums, strict=False)
        ]
        return any(is_first) and not all(is_first)

    def after(self, first: Written) -> list[Meant]:
        """Return the expressions that explain what a line written otherwise leaves."""
        with self.runs.apart(), self.runs.mended([first]):
            before = self.runs.as_it_stands()
            kept = ((slot, self._kept(slot)) for slot in self._slots(first))
            return [each for slot, was in kept for each in self._meant(slot, was, before, 1)]

    def pairs(self) -> list[tuple[Meant, Meant]]:
        """Return two expressions each that are the first to be wrong, one of each gradient."""
        pairs = itertools.combinations(self.firsts, 2)
        wrong = self.runs.wrong(self.runs.at_first[0])
        ways = [
            (one, other)
            for one, other in pairs
            if one.slot.line != other.slot.line and one.fixed | other.fixed == wrong
        ]
        return sorted(ways, key=lambda way: way[0].cost + way[1].cost)

    def several(self) -> list[Meant]:
        """Return the expressions that are the first to be wrong of all that is wrong, in order.

        What is made of them may be wrong as well, and is not known before they are mended.
        """
        found: dict[int, Meant] = {}
        order = {each: each.slot.block.order.get(each.line, 0) for each in self.firsts}
        for each in sorted(order, key=lambda each: (-len(each.fixed), each.cost, order[each])):
            if not any(each.fixed <= other.fixed for other in found.values()):
                found.setdefault(each.line, each)
        return sorted(found.values(), key=lambda each: order[each])

    @cached_property
    def firsts(self) -> list[Meant]:
        """What explains some of what is wrong, and may be the first of it that is: once a line."""
        with self.runs.apart():
            before = self.runs.as_it_stands()
            parts = _ordered([m for each in self._slots() for m in self._part(each, before)])
        first = {
            (each.slot.line, each.fixed): each for each in reversed(parts) if each.may_be_first
        }
        return list(first.values())

    def _slots(self, first: Written | None = None) -> Iterator[Slot]:
        for block, scope in zip(self.runs.blocks, self.runs.scopes, strict=True):
            is_in_it = first is not None and first.block is block
            own = {first.rewrite.root: first.rewrite.way} if first and is_in_it else {}
            for statement in self.runs.statements(block):
                ways: dict[ast.AST, list[tuple[ast.stmt | ast.expr, Any]]] = {}
                for root, node, way in values_in(statement):
                    ways.setdefault(root, []).append((node, way))
                for root, those in ways.items():
                    if root in own:
                        continue
                    code = block.compiled({root: [way for _, way in those]}, own)
                    for k in range(len(those), 0, -1):  # what others are made of first
                        if code is not None and not self.runs.is_over:
                            yield Slot(block, scope, statement, those[k - 1][0], code, k)

    def _meant(
        self, slot: Slot, was: Sequence[Array], before: frozenset[int], rounds: float
    ) -> Iterator[Meant]:
        """Yield what is true and makes everything right in one place, if something does."""
        wrong = self.runs.wrong(before)
        is_possible = wrong and 0 < len(was) <= rounds
        is_possible = is_possible and self.runs.matters(slot.block, slot.code, slot.number)
        for pieces in self._pieces(slot, was, before, wrong) if is_possible else ():
            right = self._right(slot, self.known, pieces)
            if right == before | wrong and self._holds(slot, pieces, right):
                meant = self._put(slot, self._named(pieces), was, wrong)
                yield from () if meant.is_effect else (meant,)
                return

    def _part(self, slot: Slot, before: frozenset[int]) -> Iterator[Meant]:
        """Yield what is true and makes most of what is wrong right in one place."""
        was, best = self._kept(slot), before
        if not was or self.has_odd_input(slot.scope, slot.node):
            return
        found: Sequence[Piece | None] = ()
        for pieces in self._pieces(slot, was, before, frozenset()):
            right = self._right(slot, self.known, pieces)
            if right > best and self._holds(slot, pieces, right):
                found, best = pieces, right
        if found:
            meant = self._put(slot, found, was, best - before)
            yield from () if meant.is_effect else (meant,)

    def _kept(self, slot: Slot, trial: Trial | None = None) -> Sequence[Array]:
        """Return what a place gives."""
        return self.runs.keeping(slot.block, slot.code, slot.number, trial)[0]

    def _is_true(self, was: Sequence[Array]) -> bool:
        return all(map(self.known.is_exact, was))

    def _put(
        self,
        slot: Slot,
        pieces: Sequence[Piece | None],
        was: Sequence[Array],
        fixed: frozenset[int],
    ) -> Meant:
        was_true = self._is_true(was)
        known, trial = self.told
        if trial is not self.runs.here:
            was = self._kept(slot, trial)
        now = [
            old if piece is None else np.asarray(piece.of(known, old.shape))
            for piece, old in zip(pieces, was, strict=False)
        ]
        odd = (k for k, pair in enumerate(zip(was, now, strict=False)) if not same(*pair))
        at = next(odd, len(now) - 1)
        odd_input = self.has_odd_input(slot.scope, slot.node) or self._changes_what_is_odd(slot)
        # Nobody means a multiple where entries are written; what is held there is wrong already.
        is_scaled = any(piece is not None and piece.factor != "1" for piece in pieces)
        odd_input = odd_input or (is_scaled and isinstance(slot.node, ast.Assign))
        # What a later round of a loop is made of is not known.
        has_earlier = at > 0 or self._calls_what_is_odd(slot)
        meant = Meant(slot, pieces, was[at], now[at], fixed, was_true, odd_input, has_earlier)
        if len(pieces) == 1:
            return meant
        scale = ratio(meant.given, meant.expected)
        is_scaled = scale == scale and self._is_right_times(scale, slot, fixed)
        hides_others = not is_scaled and self._reads_what_is_odd(slot, pieces)
        is_effect = hides_others and at > 0
        return replace(meant, is_scaled=is_scaled, hides_others=hides_others, is_effect=is_effect)

    def _is_right_times(self, scale: float, slot: Slot, fixed: frozenset[int]) -> bool:
        """Whether gradients are right if what is given there is multiplied in each round."""
        at, scaled = (slot.block, slot.code, slot.number), partial(_times, scale)
        return self.runs.putting(*at, lambda _, value: scaled(value), self.told[1]) >= fixed

    def _reads_what_is_odd(self, slot: Slot, pieces: Sequence[Piece | None]) -> bool:
        """Whether a round reads what is not true though the rounds before have given what is."""
        if any(isinstance(each, _NOT_ALWAYS) for each in ast.walk(slot.node)):
            return False  # nobody knows which values are kept
        inside = set(ast.walk(slot.node))
        parts = [each for each in parts_of(slot.statement) if inside <= set(ast.walk(each[0]))]
        reads = [*_places_in(slot.node)] if isinstance(slot.node, ast.expr) else []
        values = [floats_in(slot.scope.evaluated(each, slot.line)) for each in reads]
        reads = [e for e, value in zip(reads, values, strict=True) if value is not None]
        if not parts or not reads or slot.node in reads:
            return False
        part, root, put_in = parts[0]
        whole = slot.node
        for each in reads:
            whole = exchanged(whole, each, kept(each))
        way = put_in(exchanged(part, slot.node, kept(whole)))  # type: ignore[arg-type]
        code, odd = slot.block.compiled({root: [way]}, {}), list[Any]()
        if code is None:
            return False

        def put(k: int, value: Any) -> Any:
            k, at = divmod(k, len(reads) + 1)
            if at < len(reads):
                floats = floats_in(value)
                if floats is not None and floats.ndim and not self._is_true_or_a_sample(floats):
                    odd.append(value)
                return value
            piece = pieces[k] if k < len(pieces) else None
            return value if piece is None else piece.of(self.known, np.shape(value))

        self.runs.putting(slot.block, code, 1, put)
        return bool(odd)

    # -- what may stand there ------------------------------------------------------

    def _pieces(
        self, slot: Slot, was: Sequence[Array], before: frozenset[int], wrong: frozenset[int]
    ) -> Iterator[Sequence[Piece | None]]:
        count, size = len(was), was[0].size
        is_start = not was[0].any()  # of a sum, which nobody means to be a multiple
        arrays = self.known.arrays
        if count == 1:
            without = self._without(slot)
            for piece, array in self._every():
                if array.size == size:
                    scaled = self._scaled(slot, piece, wrong, without)
                    yield from (e for e in scaled if not is_start or e[0].factor == "1")
                elif self._is_meant_for(slot, array, wrong) and not piece.transposed:
                    yield [piece]
            return
        yield from self._loops(count)
        for key, array in arrays.items():
            for axis in range(min(array.ndim, 2)):
                if array.shape[axis] == count and array.size == count * size:
                    rows = [Piece(key, row=(axis, k)) for k in range(count)]
                    yield rows
                    yield rows[::-1]
        if count <= _MAX_ROUNDS and self.runs.count < _MAX_RUNS:
            yield self._one_by_one(slot, was, before)

    def _is_meant_for(self, slot: Slot, array: Array, wrong: frozenset[int]) -> bool:
        """Whether a name is handed on, as in ``db1 = db2``, where another gradient is right."""
        is_name = isinstance(slot.node, ast.Name) and isinstance(slot.statement, ast.Assign)
        return (
            is_name
            and len(wrong) == 1
            and all(np.array_equal(array, self.runs.here.expected[k]) for k in wrong)
        )

    def _every(self) -> Iterator[tuple[Piece, Array]]:
        """Yield what is true, as it is and transposed, until the function has run often enough."""
        for key, array in self.known.arrays.items():
            for turned in (False, True) if array.ndim == 2 else (False,):
                if not self.runs.is_over:
                    yield Piece(key, turned), array.T if turned else array

    def _without(self, slot: Slot) -> Sequence[Any]:
        """Return the gradients with zeros there: what is added to what is made of it."""

        def put(_: int, value: Any) -> Any:
            zeros = np.zeros(np.shape(value))
            return zeros.tolist() if isinstance(value, list) else zeros[()]

        self.runs.putting(slot.block, slot.code, slot.number, put)
        return [0.0 if each is None else each for each in self.runs.gave]

    def _scaled(
        self, slot: Slot, piece: Piece, wrong: frozenset[int], without: Sequence[Any]
    ) -> Iterator[Sequence[Piece]]:
        """Yield a quantity, times the number that makes right what is wrong."""
        if not wrong:
            yield [piece]
            return
        self._right(slot, self.known, [piece])
        gave, expected = self.runs.gave, self.runs.here.expected
        ratios = [ratio(gave[j], expected[j], without[j]) for j in wrong]
        scale = ratios[0]
        if not np.all(np.abs(np.subtract(ratios, scale)) <= 1e-7 * abs(scale)):
            return  # or it is no multiple, and NaN
        if abs(scale - 1) < 1e-7:
            yield [piece]
            return
        factor = self.known.factor(scale)
        if factor is not None and self.known.arrays[piece.key].size > 1:
            yield [piece._replace(factor=factor)]

    def _named(self, pieces: Sequence[Piece | None]) -> Sequence[Piece | None]:
        """Return the quantity with a name that is the same, and rather one than a multiple."""
        piece = pieces[0]
        if piece is None or piece.row is not None or len(pieces) > 1:
            return pieces
        expected = self.known.arrays[piece.key] * self.known.numbers[piece.factor]
        match = self.known.matches(expected)[0]
        is_one = abs(match.scale - 1) < SAME and not match.transposed
        return [Piece(match.key, piece.transposed)] if is_one else pieces

    def _loops(self, count: int) -> Iterator[Sequence[Piece]]:
        """Yield the quantities of a loop of the loss that has as many rounds, both ways."""
        loops: dict[Hashable, list[int]] = defaultdict(list)
        for index, record in enumerate(self.known.trace.records):
            if record.scope is not None:
                name = getattr(record.row, "name", "")
                loops[record.scope.code, record.lasti, name].append(index)
        for indices in loops.values():
            for kind in ("adjoint", "slope", "value"):
                keys = [Key(kind, index) for index in indices]
                if len(keys) == count and all(key in self.known.arrays for key in keys):
                    yield [Piece(key) for key in keys]
                    yield [Piece(key) for key in reversed(keys)]

    def _one_by_one(
        self, slot: Slot, was: Sequence[Array], right: frozenset[int]
    ) -> Sequence[Piece | None]:
        """Return for each round the quantity that makes more gradients right than before."""
        chosen: list[Piece | None] = [None] * len(was)
        for k, value in enumerate(was):
            best = None
            for piece, array in self._every():
                if _without_ones(array.shape) == _without_ones(value.shape):
                    chosen[k] = piece
                    found = self._right(slot, self.known, chosen)
                    if found > right:
                        best, right = piece, found
            chosen[k] = best
        return chosen if any(chosen) else ()

    # -- running it ----------------------------------------------------------------

    def _right(
        self,
        slot: Slot,
        known: Known,
        pieces: Sequence[Piece | None],
        trial: Trial | None = None,
    ) -> frozenset[int]:
        """Return which gradients are right with what is true there."""

        def put(k: int, value: Any) -> Any:
            piece = pieces[k] if k < len(pieces) else None
            made = value if piece is None else piece.of(known, np.shape(value))
            return made.tolist() if isinstance(value, list) and made is not value else made

        return self.runs.putting(slot.block, slot.code, slot.number, put, trial)

    def _holds(self, slot: Slot, pieces: Sequence[Piece | None], right: frozenset[int]) -> bool:
        """Whether it makes the same gradients right at other arguments, too."""
        there = zip(self.others, self.runs.others, strict=True)
        return all(
            all(each is None or each.key in known.arrays for each in pieces)
            and self._right(slot, known, pieces, trial) >= right
            for known, trial in there
        )

    # -- what it is made of --------------------------------------------------------

    def has_odd_input(self, scope: Scope, node: ast.AST) -> bool:
        """Whether what is made here is made of something that the loss does not have."""
        line = line_of(node)
        # What is written into holds by now what is wrong.
        made_of = node.value if isinstance(node, ast.Assign | ast.AugAssign) else node
        reads = (
            each
            for each in ast.walk(made_of)
            if isinstance(each, PLACES) and not isinstance(each.ctx, ast.Store)
        )
        values = ((each, floats_in(scope.evaluated(each, line))) for each in reads)
        return not all(
            self.is_fine(value)
            for each, value in values
            if value is not None and (value.ndim or text_of(each) in scope.given_anew)
        )

    def _changes_what_is_odd(self, slot: Slot) -> bool:
        """Whether a statement such as ``d /= n`` changes something that the loss does not have."""
        if not isinstance(slot.node, ast.AugAssign) or isinstance(slot.node.op, ast.Add | ast.Sub):
            return False  # a sum of what is right may be the first that the loss has
        target = slot.node.target
        before = ast.copy_location(ast.Assign([target], kept(as_read(target))), slot.node)
        held = self.runs.kept(slot.block, {slot.statement: [before, slot.statement]})
        return not all(self.is_fine(value) for value in held[:1] if value.ndim)

    def _calls_what_is_odd(self, slot: Slot) -> bool:
        """Whether a function of the student's gives in it what the loss does not have."""
        inside = set(ast.walk(slot.node))
        given = (
            self.runs.kept(slot.block, {root: way})
            for root, node, way in values_in(slot.statement)
            if node in inside and self.runs.is_own(node)
        )
        return not all(self.is_fine(value) for values in given for value in values if value.ndim)

    def is_fine(self, value: Any) -> bool:
        """Whether a value is an array that the loss has, or a likely multiple of one.

        A multiple of what only the forward pass computes is as wrong as anything else.
        """
        count = self.known.trace.input_count
        return np.ndim(value) > 0 and (
            self._is_true_or_a_sample(value)
            or any(
                (each.key.kind != "value" or each.key.record < count)
                and self.known.factor(each.scale) is not None
                for each in self.known.matches(value)
            )
        )

    def _is_true_or_a_sample(self, value: Any) -> bool:
        is_sample = np.ravel(np.asarray(value, np.float64)).tobytes() in self._samples
        return is_sample or self.known.truth(value) is not None

    @cached_property
    def _samples(self) -> frozenset[bytes]:
        """The rows and columns of what the loss is given."""
        records, found = self.known.trace.records, set[bytes]()
        for key, array in self.known.arrays.items():
            if key.kind == "value" and array.ndim == 2 and not records[key.record].parents:
                found |= {row.tobytes() for rows in (array, array.T) for row in rows}
        return frozenset(found)


def _ordered(found: Sequence[Meant]) -> list[Meant]:
    """Return what was found, each with whether another one comes before it."""

    def has_earlier(each: Meant) -> bool:
        return any(other.is_before(each) and other.fixed >= each.fixed for other in found)

    return [replace(each, has_earlier=each.has_earlier or has_earlier(each)) for each in found]


_NOT_ALWAYS = (ast.IfExp, ast.BoolOp, ast.Lambda, ast.comprehension)
"""In these an expression may run at another time than what it stands in, or not at all."""


def _places_in(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the names, entries and attributes that are read in an expression, each as a whole."""
    if isinstance(node, PLACES):
        if isinstance(node.ctx, ast.Load):
            yield node
        return
    for each in ast.iter_child_nodes(node):
        yield from _places_in(each)


def _without_ones(shape: Sequence[int]) -> list[int]:
    """Return a shape as it is for one sample, which may be a row or a vector."""
    return [n for n in shape if n != 1]


def _times(scale: float, value: Any) -> Any:
    """Return a value, or each entry of a list, multiplied by a number."""
    if isinstance(value, list | tuple):
        return type(value)(_times(scale, each) for each in value)
    return value if floats_in(value) is None else scale * value

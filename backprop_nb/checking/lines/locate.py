"""From a loss and a wrong gradient function to the lines that are wrong."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

import numpy as np

from backprop_nb.checking.compare import is_plain
from backprop_nb.checking.lines.followed import Array, moved, shortened, traceable_leaves
from backprop_nb.checking.lines.followed import traced as trace_of
from backprop_nb.checking.lines.inputs import may_be_wrong
from backprop_nb.checking.lines.known import SAME, Known
from backprop_nb.checking.lines.meant import LIKELY, Meant, Slot, ratio
from backprop_nb.checking.lines.quantities import Quantities
from backprop_nb.checking.lines.rewrites import Written
from backprop_nb.checking.lines.rewritten import Rewriting
from backprop_nb.checking.lines.runs import Trial, same
from backprop_nb.checking.lines.scope import PLACES
from backprop_nb.checking.report import in_advice, scaling
from backprop_nb.checking.rounding import without_rounding
from backprop_nb.tracing import pytree
from backprop_nb.tracing.source import Source

P = ParamSpec("P")
T = TypeVar("T")

_FIRSTS = 3
"""With so many lines written otherwise a quantity is looked for in another line."""
_TIES = 0.25
"""Explanations that are no further apart in their cost explain equally well."""
_MAX_FAULTS = 4
_FAILURES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_MAX_CONSTANTS = 12


@dataclass(frozen=True, eq=False)
class Fault:
    """An expression of a gradient function that is wrong.

    Attributes
    ----------
    source
        The expression, which knows its file and its line; None where no text is known.
    quantity
        What it should be, such as ``"∂L/∂z1"``; empty where it has no name.
    repair
        What to write, in words; empty where none was found.
    proved
        Whether every gradient is right with the right quantity there, what it is computed
        from is right, and no other line explains it as well.
    given, expected
        What it gave, and what it should give.
    spoils
        The gradients that are wrong because of it, by their positions.
    rank
        1 is best.
    number
        Which of several mistakes made at once it explains, from 1.
    lacks_a_factor
        Whether what to write is a factor that is brought in.
    has_values
        Whether ``given`` and ``expected`` are of one thing, which a person can compare.
    counts
        How many it counts in the place of how many others; 0 where that is not what is wrong.
    is_part
        Whether more may be wrong beside all that is found.
    of
        The name of what has these values where the expression has none, such as a mask.
    """

    source: Source | None
    quantity: str
    repair: str
    proved: bool
    given: Array
    expected: Array
    spoils: tuple[int, ...]
    rank: int = 1
    number: int = 1
    lacks_a_factor: bool = False
    has_values: bool = True
    of: str = ""
    counts: float = 0
    is_part: bool = False

    @property
    def line(self) -> int | None:
        """The line in the student's file or cell, from 1."""
        return self.source.start[0] if self.source is not None else None


def find_faults(
    loss: Callable[..., Any],
    gradient: Callable[..., Sequence[Any]],
    args: Sequence[Any],
    wrt: Sequence[int],
    alone: bool = False,
) -> list[Fault]:
    """Return the expressions that explain what is wrong, the best first; none if nothing does.

    Parameters
    ----------
    loss
        A function in NumPy that returns a number.
    gradient
        Returns the gradients by the leaves of ``wrt``, in that order.
    args
        What both are called with.
    wrt
        The leaves of the arguments by which the loss is differentiated, in the order of
        ``pytree.flatten``.
    alone
        Whether only what explains everything alone is looked for, which takes half as long.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, -1.0])
    >>> def loss(w, b):
    ...     return np.sum((w * x + b) ** 2)
    >>> def gradient(w, b):
    ...     e = w * x + b
    ...     return [np.sum(2 * e * x), np.sum(e)]
    >>> [fault] = find_faults(loss, gradient, [0.5, 0.1], [0, 1])
    >>> fault.repair, fault.spoils, fault.proved
    ('multiply it by 2', (1,), True)
    """
    return Search(loss, gradient, args, wrt).faults(alone)


@dataclass(frozen=True, eq=False)
class _Way:
    """What explains everything: one or two expressions, each with what it is told by."""

    parts: Sequence[tuple[float, Callable[[int], list[Fault]]]]
    drops: bool = False
    """Whether something that stands there is left out."""

    @property
    def cost(self) -> float:
        return sum(cost for cost, _ in self.parts)

    def faults(self) -> list[Fault]:
        """Return the expressions as faults."""
        return [fault for k, (_, told) in enumerate(self.parts, start=1) for fault in told(k)]


def _or_nothing(search: Callable[P, list[T]]) -> Callable[P, list[T]]:
    """Find nothing where a search fails: the report without a line is worth more than none."""

    @functools.wraps(search)
    def found(*args: P.args, **kwargs: P.kwargs) -> list[T]:
        try:
            return search(*args, **kwargs)
        except _FAILURES:
            return []

    return found


class Search:
    """What :func:`find_faults` does, to be asked once for one line and then for several.

    In ``lines`` alone it looks for what is wrong, if there are any.
    """

    def __init__(
        self,
        loss: Callable[..., Any],
        gradient: Callable[..., Sequence[Any]],
        args: Sequence[Any],
        wrt: Sequence[int],
        lines: Collection[int] = (),
    ) -> None:
        self.whole = _Search(loss, gradient, [args, moved(args, wrt)], wrt, lines)

    @cached_property
    def _short(self) -> _Search | None:
        return self.whole.shortened()

    def faults(self, alone: bool) -> list[Fault]:
        """Return the expressions that explain what is wrong, each alone or not."""
        search, ways = self.whole, list[_Way]()
        for search in filter(None, (self._short, self.whole)):
            ways = search.ways(alone)
            if ways:
                break
        if not ways:
            return []
        best = min(way.cost for way in ways)
        near = [way for way in ways if way.cost <= best + _TIES]
        faults = search.without_right([fault for way in near for fault in way.faults()])
        faults = search.without_right([*faults, *search.scaled_elsewhere(faults)])
        faults = search.where_counted(search.where_made(faults))
        # Of each line the best that says what to write, if there is one.
        told = sorted(faults, key=lambda fault: not fault.repair)
        first = {(fault.line, fault.number): fault for fault in reversed(told)}
        kept = [first[at] for at in dict.fromkeys((fault.line, fault.number) for fault in faults)]
        # What another line explains as well, or only together with this one, is not proved.
        is_only = len(kept) == 1
        return [
            replace(each, proved=each.proved and is_only and search.is_made_of_right(each))
            for each in kept[:_MAX_FAULTS]
        ]


class _Search:
    """Looks for the lines both ways: by how they are written, and by what is true there."""

    def __init__(
        self,
        loss: Callable[..., Any],
        gradient: Callable[..., Sequence[Any]],
        args: Sequence[Sequence[Any]],
        wrt: Sequence[int],
        lines: Collection[int],
        whole: _Search | None = None,
    ) -> None:
        # What is found must hold at the other arguments, too, and is told of those as given.
        self.loss, self.gradient, self.args, self.wrt = loss, gradient, args, wrt
        self.lines, self.whole = lines, whole or self

    @cached_property
    def truths(self) -> list[tuple[Known, list[Array]]]:
        """What is true here and at other arguments: the quantities, and the gradients."""
        if self.whole is not self:
            here = _truth(self.loss, self.args[0], self.wrt, self._lengths)
            return [here, *reversed(self.whole.truths)]
        return [_truth(self.loss, each, self.wrt) for each in self.args]

    @cached_property
    def trials(self) -> list[Trial]:
        """The arguments here and the others, each with the right gradients."""
        pairs = zip(self.args, self.truths, strict=True)
        return [Trial(args, expected) for args, (_, expected) in pairs]

    def shortened(self) -> _Search | None:
        """Return the same search with long arguments cut down; ``None`` where that is another.

        It is where other gradients are right then, or where a length is written as a number.
        """
        short = shortened(self.args[0])
        if short is None or not self._is_known() or not self.rewriting.blocks:
            return None
        args = [short, *reversed(self.args)]
        found = _Search(self.loss, self.gradient, args, self.wrt, self.lines, self)
        is_fixed = not self.rewriting.numbers.isdisjoint(found._lengths.values())
        if is_fixed or not found._is_known() or not self.rewriting.is_alike(found.trials[0]):
            return None
        return found

    @property
    def _lengths(self) -> dict[int, int]:
        """How long each axis of the arguments was that is cut down."""
        leaves = (pytree.flatten(list(each)) for each in (self.args[0], self.whole.args[0]))
        shapes = [map(np.shape, each) for each in leaves]
        pairs = [pair for both in zip(*shapes, strict=True) for pair in zip(*both, strict=True)]
        return {n: whole for n, whole in pairs if n != whole}

    @cached_property
    def rewriting(self) -> Rewriting:
        """The function to be run otherwise; without blocks where no text is known."""
        here, *others = self.trials
        constants = self.told.factors  # those alone that are right whatever the length
        few = dict(itertools.islice(constants.items(), _MAX_CONSTANTS))
        few |= {x: text for x, text in constants.items() if "." in text and "/" not in text}
        data = getattr(getattr(self.loss, "__code__", None), "co_names", ())
        means = [n for n in self.told.averaged if n % 1 == 0 and not few.keys() & {n, 1 / n}]
        return Rewriting(self.gradient, here, others, few, data, sorted(means), self.lines)

    @property
    def known(self) -> Known:
        """The quantities of the loss here."""
        return self.truths[0][0]

    @property
    def told(self) -> Known:
        """The quantities of the loss with the arguments as given."""
        return self.whole.truths[0][0]

    @cached_property
    def quantities(self) -> Quantities:
        """The search by what is true."""
        told = self.told, self.whole.trials[0]
        return Quantities(self.rewriting, [known for known, _ in self.truths], told)

    def ways(self, alone: bool) -> list[_Way]:
        """Return what explains everything, the likeliest first."""
        if not self._is_known() or not self.rewriting.blocks:
            return []
        found = self._alone
        if not alone and not any(way.cost < LIKELY for way in found):
            # Two lines to be written otherwise are likelier than a quantity at the very end.
            found = self._written(pairs=True) or found or self._meant(pairs=True) or self._mixed()
            found = found or self._several()
        return sorted(found, key=lambda way: way.cost)

    @cached_property
    def _alone(self) -> list[_Way]:
        """What explains everything alone."""
        found = self._written()
        more = self._before(found) if any(e.cost < LIKELY - _TIES for e in found) else self._meant()
        return [*found, *more]

    @_or_nothing
    def _before(self, found: Sequence[_Way]) -> list[_Way]:
        """Return what explains as well as the best way, since it comes before it.

        What is written otherwise may make up for something that was wrong already.
        """
        best = min(way.cost for way in found)
        near = [way for way in found if way.cost <= best + _TIES]
        named = [fault.line for way in near for fault in way.faults()]
        # Who leaves a factor out takes away what somebody thought of: more may be wrong before.
        drops = all(way.drops for way in near)
        order = {line: k for b in self.rewriting.blocks for line, k in b.order.items()}
        first = min((order.get(line or 0, 0) for line in named), default=0)

        def comes_before(slot: Slot) -> bool:
            start = slot.block.order.get(slot.line, first)
            # What it calls is no later line.
            end = min((k for k in slot.block.order.values() if k > start), default=start + 1)
            return (
                slot.line not in named
                and end <= first
                and not isinstance(slot.statement, ast.Return)
                and not self.quantities.has_odd_input(slot.scope, slot.node)
            )

        return [
            _Way([(best, partial(self._told_meant, each))])
            for each in self.quantities.alone(comes_before, rounds=1)
            if (drops or not each.was_true)
            and not isinstance(each.slot.shown, ast.stmt)
            and not any(same(each.expected, true) for true in self.whole.truths[0][1])
        ]

    def _is_known(self) -> bool:
        """Whether the loss can be traced."""
        try:
            return bool(self.truths)
        except Exception:  # whatever it does
            return False

    @_or_nothing
    def _meant(self, pairs: bool = False) -> list[_Way]:
        alone = [] if pairs else [(each,) for each in self.quantities.alone()]
        found = self.quantities.pairs() if pairs else alone
        return [_Way([(e.cost, partial(self._told_meant, e)) for e in way]) for way in found]

    @_or_nothing
    def _mixed(self) -> list[_Way]:
        """Return a line to be written otherwise, with a quantity that explains the rest."""
        for first in self.rewriting.best(self.rewriting.parts)[:_FIRSTS]:
            found = self.quantities.after(first)
            if found:
                one = self._cost(first), partial(self._told, first)
                return [_Way([one, (e.cost, partial(self._told_meant, e))]) for e in found]
        return []

    @_or_nothing
    def _several(self) -> list[_Way]:
        """Return the first lines that are wrong where three or more are: each with what it is.

        That all of them together make everything right is not known.
        """

        def told(meant: Meant, number: int) -> list[Fault]:
            ways = [
                each
                for each in self.rewriting.parts
                if each.line == meant.line and each.fixed >= meant.fixed
            ]
            ways.sort(key=self._cost)
            held = next((e for e in ways if self.rewriting.holds_in_part(e)), None)
            faults = self._told_meant(meant, number) if held is None else self._told(held, number)
            return [replace(each, proved=False, is_part=True) for each in faults]

        if any(each is None for each in self.rewriting.at_first[1]):  # one is missing, or it raised
            return []
        found = [each for each in self.quantities.several() if each.given.any()]
        found = [
            each for each in found if each.piece.key.kind == "adjoint"
        ]  # and no start of a sum
        return [_Way([(e.cost, partial(told, e)) for e in found])] if found else []

    def _told_meant(self, meant: Meant, number: int) -> list[Fault]:
        slot, piece, scale = meant.slot, meant.piece, ratio(meant.given, meant.expected)
        key = piece.key if piece.row else self.told.best_named(piece.key, len(meant.fixed) > 1)
        symbol = self.told.symbol_apart(key) + ".T" * piece.transposed
        size = self.told.numbers.get(piece.factor, np.nan)
        times = in_advice(size) if size % 1 == 0 else piece.factor  # 64, and not 128/2
        factor = self.told.factor(scale)
        if factor is None and meant.given.size > 1 and np.isfinite(scale):
            factor = self.told.advice(scale)
        it = "it" if isinstance(slot.node, ast.expr) else slot.name_of(meant.given.ndim)
        words = scaling(it, factor) if factor and it and meant.is_scaled else ""
        return [
            Fault(
                slot.block.source(slot.shown),
                symbol if piece.factor == "1" else f"{times} · {symbol}",
                words if it == "it" or not words else f"after this line, {words}",
                meant.is_first,
                meant.given,
                meant.expected,
                tuple(sorted(meant.fixed)),
                number=number,
                lacks_a_factor=bool(words),
            )
        ]

    @_or_nothing
    def _written(self, pairs: bool = False) -> list[_Way]:
        if pairs:
            return [self._way(way) for way in self.rewriting.pairs(self.known.truth)]
        return [self._way([each]) for each in self.rewriting.alone()]

    def _way(self, written: Sequence[Written]) -> _Way:
        drops = any(each.rewrite.kind == "operand alone" for each in written)
        parts = [(self._cost(each), partial(self._told, each)) for each in written]
        return _Way(parts, drops)

    def _cost(self, written: Written) -> float:
        """Return how unlikely it is that this line is wrong."""
        known = self.known
        was, now = self.rewriting.rounds(written)
        # A multiple of what is true is no more so for being another one.
        before, after = known.matches(was[-1])[:1], known.matches(now[-1])[:1]
        is_same = [each.key for each in before] == [each.key for each in after]
        is_turned = bool(before and after) and after[0].scale > 0 > before[0].scale
        is_truer = is_turned or known.exactness(now[-1]) > known.exactness(was[-1])
        # Any number is a multiple of any other.
        is_told = now[-1].size > 1 or known.is_exact(now[-1])
        is_now = bool(after) and is_told and (not is_same or is_truer)
        cost = written.rewrite.cost - 0.2 * is_now - 0.5 * self.rewriting.is_idle(written)
        cost += 0.15 * self.rewriting.is_for_the_called(written)
        inputs = known.trace.input_count  # a multiple of what is asked for is wrong
        is_right = all(
            known.exactness(x)
            or (
                self.quantities.is_fine(x) and all(m.key.record >= inputs for m in known.matches(x))
            )
            for x in was
        )
        is_of_that_shape = was[-1].shape == now[-1].shape
        # It gave what is true, and in its shape.
        if written.computes and is_right and is_of_that_shape and not is_truer:
            cost += 0.1 if is_now else 0.7
        return cost

    def _is_proof(self, written: Written) -> bool:
        """Whether a line that is written otherwise is known to be the one that is wrong.

        It is not if it gave what is true and then gives nothing that is; if it makes up for what
        another line gave and the loss does not have, or for what is not known; or if it
        transposes what an earlier line may have had to, or adds what a later one may have to.
        """
        was, now = self.rewriting.rounds(written)
        spoils = self.known.exactness(now[-1]) < min(map(self.known.exactness, was))
        node, new = written.rewrite.node, written.rewrite.new
        if written.rewrite.kind == "operand alone":
            # What an earlier line gave is all of it then, and may be what this one did to it.
            makes_up = isinstance(new, ast.Name) and bool(np.isnan(ratio(was[-1], now[-1])))
            scope = self.rewriting.scope_of(written)
            makes_up = makes_up or self.quantities.has_odd_input(scope, node)
        else:
            is_scaled = written.rewrite.kind == "constant" and node in ast.walk(new)
            makes_up = is_scaled and isinstance(node, PLACES) and not was[-1].size
        makes_up = makes_up or self.rewriting.turns_a_name(written)
        makes_up = makes_up or self.rewriting.adds_to_an_answer(written)
        return self._cost(written) < LIKELY and not spoils and not makes_up

    def _told(self, written: Written, number: int) -> list[Fault]:
        known = self.told
        given, expected, of = self.rewriting.values(written, self.whole.trials[0])
        quantity = ""
        for match in known.matches(expected)[:1]:
            says = written.gives_a_value and not np.all(expected == 1)
            if says and abs(match.scale - 1) < SAME:
                quantity = known.symbol_apart(match.key) + ".T" * match.transposed
        return [
            Fault(
                written.block.source(written.shown),
                quantity,
                written.rewrite.words(written.shown),
                self._is_proof(written),
                given,
                expected,
                tuple(sorted(written.fixed)),
                number=number,
                lacks_a_factor=written.rewrite.kind in ("constant", "factor"),
                has_values=not written.is_of_another,
                of=of,
                counts=self._count_in(written) if written.rewrite.kind == "count" else 0,
            )
        ]

    def _count_in(self, written: Written) -> float:
        """Return what is counted by an expression such as ``X.size``."""
        node = written.rewrite.node
        assert isinstance(node, ast.expr)
        found = self.rewriting.scope_of(written).evaluated(node, node.lineno)
        return found if isinstance(found, int) else 0

    @_or_nothing
    def scaled_elsewhere(self, faults: Sequence[Fault]) -> list[Fault]:
        """Return what else could have the factor that the only line found is said to lack."""
        if len(faults) != 1:
            return []
        (fault,) = faults
        scale = ratio(fault.given, fault.expected)
        if not fault.lacks_a_factor or np.isnan(scale):
            return []
        if self._is_computed_in_loss(fault.expected):  # which tells where it belongs
            return []
        factor = self.told.advice(scale)
        places = self.quantities.scaled(self.known.numbers.get(factor, scale), fault.line)
        return [
            replace(
                fault,
                source=slot.block.source(slot.shown),
                quantity="",
                repair=scaling(slot.pronoun, factor),
                proved=False,
                given=was,
                expected=scale * was,
            )
            for slot, was in places
            if not self._is_computed_in_loss(was)
        ]

    def _is_computed_in_loss(self, array: Array) -> bool:
        """Whether an array is a value of the loss's forward pass, with either sign."""
        return any(
            match.key.kind == "value" and abs(abs(match.scale) - 1) < SAME
            for match in self.told.matches(array)
        )

    def without_right(self, faults: list[Fault]) -> list[Fault]:
        """Leave out lines that give what they should, while others explain it as well.

        Those stand in the loss too, with that value, and there is nothing to write there; or what
        they give is true, and what they would give is not.
        """
        known = self.told

        def is_right(fault: Fault) -> bool:
            is_as_in_loss = not fault.repair and any(
                match.key.kind == "value"
                and abs(match.scale - 1) < SAME
                and known.trace.nodes[match.key.record].source == fault.source
                for match in known.matches(fault.given)
            )
            spoils = known.is_exact(fault.given) and not known.is_exact(fault.expected)
            return is_as_in_loss or (spoils and bool(fault.expected.any()))

        if any(fault.number > 1 for fault in faults):  # each is needed
            return faults
        return [each for each in faults if not is_right(each)] or faults

    def is_made_of_right(self, fault: Fault) -> bool:
        """Whether nothing that the line reads may be wrong in its place."""
        known, line = self.known, fault.line
        if fault.source is None or line is None:
            return True  # nothing more is known of it
        there = [
            (last - first, k, scope, statement)
            for k, scope in enumerate(self.rewriting.scopes)
            for statement in scope.block.statements
            for first, last in [scope.block.lines(statement)]
            if first <= line <= last
            and scope.block.source(statement).filename == fault.source.filename
        ]
        if not there:
            return False
        *_, scope, statement = min(there, key=lambda each: each[:2])
        # A multiple of what is true is made up for by another multiple alone.
        is_scaled = not np.isnan(ratio(fault.given, fault.expected))
        if is_scaled and fault.lacks_a_factor and self.quantities.sums_up(scope, statement):
            return False

        def is_true(value: Any) -> bool:
            is_fine = not is_scaled and self.quantities.is_fine(value)
            return is_fine or known.truth(value) is not None

        try:
            return not may_be_wrong(scope, statement, is_true, fault.source.start)
        except _FAILURES:  # such as of traced values in a list, once their trace has ended
            return False

    def where_made(self, faults: Sequence[Fault]) -> list[Fault]:
        """Blame the line that gives a name the wrong value, not one that returns or renames it.

        A right value that gets another name is right, and the line that renames it is wrong.
        """
        found, renamed = list[Fault](), set[int]()
        for fault in faults:
            is_returned, made = self._origin(fault)
            if made is None or (self._is_right(fault) and not made.isidentifier()):
                found.append(fault)
                renamed |= {made.start[0]} if made and not is_returned else set()
            elif not is_returned:
                found.append(fault)
            elif not any(each.line == made.start[0] for each in faults):
                is_named = re.search(rf"\b{fault.source}\b", fault.repair)
                found.append(replace(fault, source=made, repair="" if is_named else fault.repair))
        return [each for each in found if each.line not in renamed]

    def where_counted(self, faults: list[Fault]) -> list[Fault]:
        """Blame the line that counts something else, not one that divides by that count.

        A 2 or a sign that is missing there is no count, unless the loss takes a mean over as many.
        """
        if any(fault.number > 1 for fault in faults):  # each is needed
            return faults
        counts = {name: (n, fault) for fault in faults for name, n in self._counted_by(fault)}
        counts |= {str(e.source): (e.counts, e) for e in faults if e.counts and e.source}
        scales = [ratio(fault.given, fault.expected) for fault in faults]
        scale = next((each for each in scales if each == each), np.nan)
        means = self.known.averaged
        right = [name for name, (n, _) in counts.items() if n in means]
        wrong = {
            name for name, (n, _) in counts.items() if not means.isdisjoint((n * scale, n / scale))
        }
        wrong.difference_update(right)
        innocent = [counts[name][1] for name in right] if len(faults) > len(counts) else []

        def makes_up(fault: Fault, scale: float) -> bool:
            if any(fault is each for _, each in counts.values()):
                return any(fault is each for each in innocent)
            if wrong:  # it is known which count is wrong, and any multiple makes up for it
                return scale == scale
            if fault.source is None or is_plain(scale):
                return False
            read = {e for e in counts if re.search(rf"\b{re.escape(e)}\b", str(fault.source))}
            is_for_it = any(fault.repair.endswith(f"in place of {each}") for each in read)
            is_named = fault.repair.partition(" in place of ")[0].isidentifier()
            return bool(read) and (fault.lacks_a_factor or (is_for_it and not is_named))

        return [e for e, scale in zip(faults, scales, strict=True) if not makes_up(e, scale)]

    def _counted_by(self, fault: Fault) -> Iterator[tuple[str, Any]]:
        """Yield the name to which a line gives a whole number, and it, if it is to be another."""
        if not fault.repair or fault.lacks_a_factor:
            return
        for scope in self.rewriting.scopes:
            for each in scope.block.statements:
                match each:
                    case ast.Assign(targets=[ast.Name(id=name)], value=value):
                        is_here = scope.block.source(value) == fault.source
                        held = [names[name] for names in scope.block.seen.values() if name in names]
                        if is_here and held and scope.kinds.get(name) == "int":
                            yield name, held[0]

    def _is_right(self, fault: Fault) -> bool:
        """Whether a line gives a true quantity, in its shape."""
        known = self.told
        return any(
            abs(match.scale - 1) < SAME and known.arrays[match.key].shape == fault.given.shape
            for match in known.matches(fault.given)
        )

    def _origin(self, fault: Fault) -> tuple[bool, Source | None]:
        """Return whether a line returns the name that it reads, and what gave the name its value.

        Nothing where others read that name, or nothing but the name is not what is blamed.
        """
        name = str(fault.source).rpartition("=")[-1].strip()
        for scope in self.rewriting.scopes if name.isidentifier() else ():
            block = scope.block
            reads = [
                each
                for each in ast.walk(block.node)
                if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
            ]
            here = [e for e in block.statements if block.source(e).start[0] == fault.line]
            is_passed_on = len(reads) == 1 and name not in scope.given_anew
            for each in block.statements if here and is_passed_on else ():
                match each:
                    case ast.Assign(targets=[ast.Name(id=its)], value=value) if its == name:
                        return isinstance(here[0], ast.Return), block.source(value)
        return False, None


def _truth(
    loss: Callable[..., Any],
    args: Sequence[Any],
    wrt: Sequence[int],
    lengths: Mapping[int, int] = MappingProxyType({}),
) -> tuple[Known, list[Array]]:
    """Return the quantities of a loss, and its gradients."""
    leaves = pytree.flatten(list(args))
    which = traceable_leaves(leaves, wrt)
    order = sorted(which)
    known = Known(trace_of(loss, args, which), lengths)
    adjoints = {k: known.adjoints[order.index(k)] for k in wrt}
    gradients = [
        np.zeros(np.shape(leaves[k])) if each is None else each for k, each in adjoints.items()
    ]
    return known, without_rounding(gradients, loss, args, wrt)

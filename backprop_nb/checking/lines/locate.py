"""From a loss and a wrong gradient function to the lines that are wrong."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, TypeAlias

import numpy as np

from backprop_nb.checking.lines.blame import Blame, Fault, or_nothing
from backprop_nb.checking.lines.followed import Array, moved, shortened, traceable_leaves
from backprop_nb.checking.lines.followed import traced as trace_of
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

_FIRSTS = 3
"""With so many lines written otherwise a quantity is looked for in another line."""
_TIES = 0.25
"""Explanations that are no further apart in their cost explain equally well."""
_MAX_CONSTANTS = 12


Elsewhere: TypeAlias = tuple[Callable[..., Any], Callable[..., Sequence[Any]], Sequence[Any]]


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


class Search:
    """Looks for the expressions that explain what is wrong: for one line, and then for several.

    The loss is differentiated by the leaves ``wrt`` of the arguments, in the order of
    ``pytree.flatten``, and the gradient function returns theirs in that order.  In ``lines`` alone
    is looked for what is wrong, if there are any.  What is to be written must be right
    ``elsewhere``, too: there is the same loss and gradient function for arguments of other sizes.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0, -1.0])
    >>> def loss(w, b):
    ...     return np.sum((w * x + b) ** 2)
    >>> def gradient(w, b):
    ...     e = w * x + b
    ...     return [np.sum(2 * e * x), np.sum(e)]
    >>> [fault] = Search(loss, gradient, [0.5, 0.1], [0, 1]).faults()
    >>> fault.repair, fault.spoils, fault.proved
    ('multiply it by 2', (1,), True)
    """

    def __init__(
        self,
        loss: Callable[..., Any],
        gradient: Callable[..., Sequence[Any]],
        args: Sequence[Any],
        wrt: Sequence[int],
        lines: Collection[int] = (),
        elsewhere: Sequence[Elsewhere] = (),
    ) -> None:
        both = [args, moved(args, wrt)]
        self.whole = _Search(loss, gradient, both, wrt, lines, elsewhere=elsewhere)

    def faults(self, alone: bool = False) -> list[Fault]:
        """Return the expressions that explain what is wrong, the best first; none if nothing does.

        To look only for those that explain everything ``alone`` takes half as long.
        """
        search, ways = self.whole, list[_Way]()
        for search in filter(None, (self.whole.shortened, self.whole)):
            ways = search.ways(alone)
            if ways:
                break
        if not ways:
            return []
        best = min(way.cost for way in ways)
        near = [way for way in ways if way.cost <= best + _TIES]
        return search.blame.decided([fault for way in near for fault in way.faults()])


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
        elsewhere: Sequence[Elsewhere] = (),
    ) -> None:
        # What is found must hold at the other arguments, too, and is told of those as given.
        self.loss, self.gradient, self.args, self.wrt = loss, gradient, args, wrt
        self.lines, self.whole, self.elsewhere = lines, whole or self, elsewhere

    @cached_property
    def truths(self) -> list[tuple[Known, list[Array]]]:
        """What is true here and at other arguments: the quantities, and the gradients."""
        is_whole = self.whole is self
        own = self.args if is_whole else self.args[:1]  # what was cut down alone
        found = [_truth(self.loss, each, self.wrt, self._lengths) for each in own]
        return found if is_whole else [*found, *reversed(self.whole.truths)]

    @cached_property
    def trials(self) -> list[Trial]:
        """The arguments here and the others, each with the right gradients."""
        pairs = zip(self.args, self.truths, strict=True)
        return [Trial(args, expected) for args, (_, expected) in pairs]

    @cached_property
    def shortened(self) -> _Search | None:
        """The same search with long arguments cut down; ``None`` where that is another.

        It is where other gradients are right then, or where a length is written as a number.
        """
        short = shortened(self.args[0])
        if short is None or not self._is_known() or not self.rewriting.blocks:
            return None
        args = [short, *reversed(self.args)]
        found = _Search(self.loss, self.gradient, args, self.wrt, self.lines, self, self.elsewhere)
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
        elsewhere = [
            Trial(args, _truth(loss, args, self.wrt, {})[1], gradient)
            for loss, gradient, args in self.elsewhere
        ]
        means = sorted(self.known.averaged)
        asked = self.gradient, here, others, few, data, means, self.lines
        return Rewriting(*asked, elsewhere)

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

    @cached_property
    def blame(self) -> Blame:
        """What decides which lines are told."""
        return Blame(self.quantities)

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

    @or_nothing
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

    @or_nothing
    def _meant(self, pairs: bool = False) -> list[_Way]:
        found = self.quantities.pairs() if pairs else [(e,) for e in self.quantities.alone()]
        return [_Way([(e.cost, partial(self._told_meant, e)) for e in way]) for way in found]

    @or_nothing
    def _mixed(self) -> list[_Way]:
        """Return a line to be written otherwise, with a quantity that explains the rest."""
        for first in self.rewriting.best(self.rewriting.parts)[:_FIRSTS]:
            found = self.quantities.after(first)
            if found:
                one = self._cost(first), partial(self._told, first)
                return [_Way([one, (e.cost, partial(self._told_meant, e))]) for e in found]
        return []

    @or_nothing
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
        # An adjoint, and no start of a sum.
        several = (each for each in self.quantities.several() if each.given.any())
        found = [each for each in several if each.piece.key.kind == "adjoint"]
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

    @or_nothing
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
        gain = known.exactness(now[-1]) - known.exactness(was[-1])
        is_truer = is_turned or gain > 0
        is_spoilt = gain < 0 and not np.isnan(ratio(was[-1], now[-1]))
        # Any number is a multiple of any other.
        is_told = now[-1].size > 1 or known.is_exact(now[-1])
        is_now = bool(after) and is_told and (is_truer or not (is_same or is_spoilt))
        cost = written.rewrite.cost - 0.2 * is_now - 0.5 * self.rewriting.is_idle(written)
        cost += 0.15 * self.rewriting.is_for_the_called(written)
        # The loss has that value, too, and a second name for what is read is nothing to mean.
        root, node = written.rewrite.root, written.rewrite.node
        is_whole = isinstance(root, ast.Assign) and root.value is node
        if is_whole and isinstance(written.rewrite.new, ast.Name) and isinstance(node, ast.Call):
            cost += 0.7 * all(map(known.is_computed, was))
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


def _truth(
    loss: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int], lengths: Mapping[int, int]
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

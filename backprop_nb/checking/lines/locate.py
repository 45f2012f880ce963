"""From a loss and a wrong gradient function to the lines that are wrong."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from backprop_nb.checking.lines.aliases import is_alias, text_of
from backprop_nb.checking.lines.blame import LIKELY, Blame
from backprop_nb.checking.lines.facts import Facts, path_of
from backprop_nb.checking.lines.followed import Array, Followed, moved, shortened
from backprop_nb.checking.lines.followed import traced as trace_of
from backprop_nb.checking.lines.inputs import may_be_wrong
from backprop_nb.checking.lines.known import SAME, Known
from backprop_nb.checking.lines.mended import Explanation, Mended, same
from backprop_nb.checking.lines.rewritten import Rewriting, Trial, Written
from backprop_nb.checking.lines.scope import in_brackets
from backprop_nb.checking.lines.untraced import suspects
from backprop_nb.checking.rounding import without_rounding
from backprop_nb.tracing import pytree
from backprop_nb.tracing.code_text import find_text
from backprop_nb.tracing.record import CONSTANT, Record
from backprop_nb.tracing.source import Place as SourcePlace
from backprop_nb.tracing.source import Source, locate, operand

_TIES = 0.25
"""Explanations that are no further apart in their cost explain equally well."""
_MAX_FAULTS = 4
_MAX_CONSTANTS = 12
_LARGE = 20_000
"""Arguments with more entries make every run of a function dear."""


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
        Whether every gradient is right with the right quantity there alone, what it is computed
        from is right, and no other line explains it as well.
    given, expected
        What it gave, and what it should give.
    spoils
        The gradients that are wrong because of it, by their positions.
    rank
        1 is best.
    number
        Which of several mistakes made at once it explains, from 1.
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

    @property
    def line(self) -> int | None:
        """The line in the student's file or cell, from 1."""
        return self.source.start[0] if self.source is not None else None


def find_faults(
    loss: Callable[..., Any],
    gradient: Callable[..., Sequence[Any]],
    args: Sequence[Any],
    wrt: Sequence[int],
    traced: bool = True,
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
    traced
        Whether ``gradient`` is traced, too; not if it gives none for some of the leaves.
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
    whole = _Search(loss, gradient, args, wrt, traced)
    search, ways = whole, list[_Way]()
    short = whole.shortened()
    if short is not None:
        search, ways = short, short.ways(alone)
    if not ways:
        search, ways = whole, whole.ways(alone)
    if not ways:
        return whole.by_values() if traced and not alone else []
    best = min(way.cost for way in ways)
    near = [way for way in ways if way.cost <= best + _TIES]
    faults = search.without_right([fault for way in near for fault in way.faults()])
    faults = search.where_made(faults)
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


class _Search:
    """Looks for the lines both ways: by what they compute, and by how they are written."""

    def __init__(
        self,
        loss: Callable[..., Any],
        gradient: Callable[..., Sequence[Any]],
        args: Sequence[Any],
        wrt: Sequence[int],
        traced: bool,
        whole: _Search | None = None,
    ) -> None:
        self.traced = traced
        self.loss, self.gradient, self.args, self.wrt = loss, gradient, args, wrt
        # What is found must hold at other arguments, too, and it is told of those as given.
        self.others: list[Sequence[Any]] = (
            [moved(args, wrt)] if whole is None else [*whole.others, whole.args]
        )
        self.whole = whole or self

    @cached_property
    def truths(self) -> list[tuple[Known, list[Array]]]:
        """What is true here and at other arguments: the quantities, and the gradients."""
        here = _truth(self.loss, self.args, self.wrt)
        if self.whole is not self:
            return [here, *reversed(self.whole.truths)]
        return [here, *(_truth(self.loss, each, self.wrt) for each in self.others)]

    @cached_property
    def trials(self) -> list[Trial]:
        """The arguments here and the others, each with the right gradients."""
        pairs = zip([self.args, *self.others], self.truths, strict=True)
        return [Trial(args, expected) for args, (_, expected) in pairs]

    def shortened(self) -> _Search | None:
        """Return the same search with long arguments cut down; ``None`` where that is another.

        It is where other gradients are right then, or where a length is written as a number.
        """
        short = shortened(self.args)
        if short is None or not self._is_known() or self.rewriting is None:
            return None
        found = _Search(self.loss, self.gradient, short, self.wrt, self.traced, self)
        is_fixed = not self.rewriting.numbers.isdisjoint(found._lengths.values())
        if is_fixed or not found._is_known() or not self.rewriting.is_alike(found.trials[0]):
            return None
        return found

    @cached_property
    def facts(self) -> Facts | None:
        """What the function computes here; ``None`` where that cannot be traced."""
        return self._facts(0) if self.traced else None

    @cached_property
    def blame(self) -> Blame | None:
        """The search by what is computed; ``None`` where that cannot be traced."""
        others = self._other_facts if self.facts is not None else []
        if self.facts is None or not others:
            return None
        # What is written otherwise in the text needs no edits of what was computed.
        is_written = self.rewriting is not None and not self.is_large
        return Blame(self.facts, others, edits=not is_written)

    @cached_property
    def _other_facts(self) -> list[Facts]:
        """What the function computes at the others; nothing where one cannot be traced."""
        is_whole = self.whole is self
        found = [self._facts(1)] if is_whole else [*self.whole._other_facts, self.whole.facts]
        return [each for each in found if each is not None] if all(found) else []

    def _facts(self, k: int) -> Facts | None:
        which = traceable_leaves(pytree.flatten(list(self.args)), self.wrt)
        try:
            followed = Followed(self.gradient, self.trials[k].args, which)
        except Exception:  # whatever the student's function does
            return None
        # A gradient that no argument has a part in is none of the trace's.
        is_whole = len(followed.leaves) == len(self.wrt)
        return Facts(followed, *self.truths[k], self._lengths) if is_whole else None

    @property
    def _lengths(self) -> dict[int, int]:
        """How long each axis of the arguments was that is cut down."""
        leaves = (pytree.flatten(list(each)) for each in (self.args, self.whole.args))
        shapes = [map(np.shape, each) for each in leaves]
        pairs = [pair for both in zip(*shapes, strict=True) for pair in zip(*both, strict=True)]
        return {n: whole for n, whole in pairs if n != whole}

    @cached_property
    def rewriting(self) -> Rewriting | None:
        """The search by how the lines are written; ``None`` where no text is known."""
        here, *others = self.trials
        facts = self.whole.facts  # of numbers those alone that are right whatever the length
        constants = facts.constants if facts is not None else {2.0: "2", 0.5: "1/2"}
        few = dict(itertools.islice(constants.items(), _MAX_CONSTANTS))
        data = getattr(getattr(self.loss, "__code__", None), "co_names", ())
        found = Rewriting(self.gradient, here, others, few, self._may_be_wrong, data)
        return found if found.blocks else None

    def _may_be_wrong(self, filename: str, first: int, last: int) -> bool:
        """Whether some lines have a part in every gradient that is wrong, as far as is known."""
        if self.facts is None:
            return True
        known = [
            reach
            for (its, line), reach in self._reached.items()
            if its == filename and first <= line <= last
        ]
        return not known or self._wrong <= frozenset[int]().union(*known)

    @cached_property
    def _wrong(self) -> frozenset[int]:
        """The gradients that are wrong."""
        assert self.facts is not None
        return frozenset(range(len(self.facts.expected))) - Mended(self.facts).right

    @cached_property
    def _reached(self) -> dict[tuple[str, int], frozenset[int]]:
        """By line the gradients that what it computes has a part in."""
        assert self.facts is not None
        followed, found = self.facts.followed, dict[tuple[str, int], frozenset[int]]()
        after: list[frozenset[int]] = [frozenset()] * len(followed.records)
        everything = frozenset(range(len(self.facts.expected)))
        for index in reversed(range(len(followed.records))):
            ends, children = followed.ends.get(index, ()), followed.children[index]
            after[index] = frozenset(ends).union(*(after[child] for child in children))
            if not ends and not children:  # what is decided by it is not known
                after[index] = everything
            record = followed.records[index]
            if record.scope is not None and record.row is not CONSTANT:
                code = record.scope.code
                at = code.co_filename, find_text(code).span(record.lasti)[0] or 0
                found[at] = found.get(at, frozenset()) | after[index]
        return found

    @property
    def is_large(self) -> bool:
        """Whether the function takes too long to be run thousands of times."""
        return sum(np.size(leaf) for leaf in pytree.flatten(list(self.args))) > _LARGE

    def ways(self, alone: bool) -> list[_Way]:
        """Return what explains everything, the likeliest first."""
        if not self._is_known():
            return []
        is_written = self.rewriting is not None and not self.is_large
        found = self._written() if is_written else []
        if any(way.cost < LIKELY - _TIES for way in found):
            found += self._before(found)
        else:
            found += self._computed(depth=1)
        if not alone and not any(way.cost < LIKELY for way in found):
            # Two lines to be written otherwise are likelier than a quantity at the very end.
            found = (self._written(pairs=True) if is_written else []) or found
            found = found or self._computed(depth=2)
        return sorted(found, key=lambda way: way.cost)

    def _before(self, found: Sequence[_Way]) -> list[_Way]:
        """Return what explains as well as the best way, since it comes before it.

        What is written otherwise may make up for something that was wrong already.
        """
        if self.blame is None:
            return []
        facts, best = self.blame.facts, min(way.cost for way in found)
        named = {fault.line for way in found if way.cost <= best + _TIES for fault in way.faults()}
        ways = []
        # Who leaves a factor out takes away what somebody thought of: more may be wrong before.
        drops = all(way.drops for way in found if way.cost <= best + _TIES)
        for each in self.blame.firsts(of_known=drops):
            after = facts.followed.downstream(each.at)
            later = {self._line(facts, index) for index in after if index not in each.at}
            if named <= later and self._line(facts, each.at[0]) not in named:
                ways.append(_Way([(best, partial(_faults, self._told_of, each, True))]))
        return ways

    def _line(self, facts: Facts, index: int) -> int | None:
        record = facts.followed.records[index]
        if record.scope is None:
            return None
        return find_text(record.scope.code).span(record.lasti)[0]

    def _is_known(self) -> bool:
        """Whether the loss can be traced."""
        try:
            return bool(self.truths)
        except Exception:  # whatever it does
            return False

    def _computed(self, depth: int) -> list[_Way]:
        if self.blame is None:
            return []
        told = partial(_faults, self._told_of)
        try:
            found = self.blame.explain(depth=depth)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return []  # the report without a line is worth more than none
        return [
            _Way([(each.cost, partial(told, each, self._is_first(each))) for each in way])
            for way in found
        ]

    @property
    def _told_of(self) -> Facts:
        """What the function computes with the arguments as given."""
        assert self.whole.facts is not None
        return self.whole.facts

    def _is_first(self, found: Explanation) -> bool:
        """Whether an expression is known to be the first that is wrong.

        It is if something is to be written otherwise there, or what it is made of is right.
        """
        assert self.blame is not None
        said = found.repair.words(self.blame.facts, found.at[-1])
        return bool(said) or not any(map(self.blame.has_odd_input, found.at))

    def _written(self, pairs: bool = False) -> list[_Way]:
        assert self.rewriting is not None
        try:
            if pairs:
                return [self._way(way) for way in self.rewriting.pairs(self.truths[0][0].truth)]
            return [self._way([each]) for each in self.rewriting.alone()]
        except (
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ):
            return []  # nor is it worth an error

    def _way(self, written: Sequence[Written]) -> _Way:
        drops = any(each.rewrite.kind == "operand alone" for each in written)
        return _Way([(self._cost(each), partial(self._told, each)) for each in written], drops)

    def _cost(self, written: Written) -> float:
        """Return how unlikely it is that this line is wrong."""
        assert self.rewriting is not None
        known, _ = self.truths[0]
        was, now = self.rewriting.rounds(written)
        # A multiple of what is true is no more so for being another one.
        before, after = known.matches(was[-1])[:1], known.matches(now[-1])[:1]
        is_same = [each.key for each in before] == [each.key for each in after]
        is_truer = known.exactness(now[-1]) > known.exactness(was[-1])
        is_now = bool(after) and (not is_same or is_truer)
        cost = written.rewrite.cost - 0.2 * is_now
        if written.computes and all(map(known.exactness, was)):  # it gave what is true
            cost += 0.1 if is_now else 0.7
        return cost

    def _is_proof(self, written: Written) -> bool:
        """Whether a line that is written otherwise is known to be the one that is wrong.

        It is not if it gave what is true and then gives nothing that is, if it leaves out
        a factor of what the loss does not have, which may have been wrong before, or if it
        transposes what an earlier line may have had to.
        """
        assert self.rewriting is not None
        known, _ = self.truths[0]
        was, now = self.rewriting.rounds(written)
        spoils = known.exactness(now[-1]) < min(map(known.exactness, was))
        makes_up = written.rewrite.kind == "operand alone" and self._is_made_of_odd(written)
        makes_up = makes_up or self.rewriting.turns_a_name(written)
        return self._cost(written) < LIKELY and not spoils and not makes_up

    def _is_made_of_odd(self, written: Written) -> bool:
        """Whether a line computes from what an earlier one gave and the loss does not have."""
        if self.blame is None:
            return False
        facts, line = self.blame.facts, written.line
        there = [k for k, _ in enumerate(facts.followed.records) if self._line(facts, k) == line]
        inputs = {p for k in there for p in facts.followed.records[k].parents if p is not None}
        return any(self.blame.is_odd(p) for p in inputs if self._line(facts, p) != line)

    def _told(self, written: Written, number: int) -> list[Fault]:
        assert self.rewriting is not None
        known, _ = self.whole.truths[0]
        given, expected = self.rewriting.values(written, self.whole.trials[0])
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
            )
        ]

    def without_right(self, faults: list[Fault]) -> list[Fault]:
        """Leave out lines that give what they should, while others explain it as well.

        Those stand in the loss too, with that value, and there is nothing to write there; or what
        they give is true, and what they would give is not.
        """
        known, _ = self.whole.truths[0]

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
        known, line = self.truths[0][0], fault.line
        if self.rewriting is None or fault.source is None or line is None:
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
        return not may_be_wrong(
            scope, statement, lambda value: known.truth(value) is not None, fault.source.start
        )

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

    def _is_right(self, fault: Fault) -> bool:
        """Whether a line gives a true quantity, in its shape."""
        known = self.whole.truths[0][0]
        return any(
            abs(match.scale - 1) < SAME and known.arrays[match.key].shape == fault.given.shape
            for match in known.matches(fault.given)
        )

    def _origin(self, fault: Fault) -> tuple[bool, Source | None]:
        """Return whether a line returns the name that it reads, and what gave the name its value.

        Nothing where others read that name, or nothing but the name is not what is blamed.
        """
        name = str(fault.source).rpartition("=")[-1].strip()
        for block in self.rewriting.blocks if self.rewriting and name.isidentifier() else ():
            reads = [
                each
                for each in ast.walk(block.node)
                if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
            ]
            here = [e for e in block.statements if block.source(e).start[0] == fault.line]
            for each in block.statements if here and len(reads) == 1 else ():
                match each:
                    case ast.Assign(targets=[ast.Name(id=its)], value=value) if its == name:
                        return isinstance(here[0], ast.Return), block.source(value)
        return False, None

    def by_values(self) -> list[Fault]:
        """Return the lines that are suspect by the values that names take."""
        try:
            found = suspects(self.truths[0][0], self.gradient, self.args)
        except Exception:  # whatever the student's functions do
            return []
        empty = np.zeros(0)
        return [
            Fault(each.source, "", "", False, each.given, empty, (), rank)
            for rank, each in enumerate(found[:_MAX_FAULTS], start=1)
        ]


def _truth(
    loss: Callable[..., Any], args: Sequence[Any], wrt: Sequence[int]
) -> tuple[Known, list[Array]]:
    """Return the quantities of a loss, and its gradients."""
    leaves = pytree.flatten(list(args))
    which = traceable_leaves(leaves, wrt)
    order = sorted(which)
    known = Known(trace_of(loss, args, which))
    adjoints = {k: known.adjoints[order.index(k)] for k in wrt}
    gradients = [
        np.zeros(np.shape(leaves[k])) if each is None else each for k, each in adjoints.items()
    ]
    return known, without_rounding(gradients, loss, args, wrt)


def traceable_leaves(leaves: Sequence[Any], wrt: Collection[int]) -> set[int]:
    """Return the positions of the leaves of some arguments that are traced: floats alone."""
    return {k for k, leaf in enumerate(leaves) if k in wrt or _is_float(leaf)}


def _is_float(leaf: Any) -> bool:
    """Whether a leaf holds floats; integers are counts, sizes or labels."""
    return isinstance(leaf, float) or getattr(getattr(leaf, "dtype", None), "kind", "") == "f"


def _faults(facts: Facts, found: Explanation, is_first: bool, number: int) -> list[Fault]:
    at = found.group.at(facts)
    changes = {index: found.repair.change(facts, index) for index in at}
    values, mended = facts.followed.values, facts.followed.replay(changes)
    # Of several rounds the first that is wrong; the last may be right all the same.
    index = next((k for k in at if not same(values[k], mended[k])), at[-1])
    given, expected = np.asarray(values[index]), np.asarray(mended[index])
    matches = facts.known.matches(expected)
    quantity = ""
    if found.repair.key is not None and not matches:
        quantity = facts.known.symbol_apart(found.repair.key)
    elif matches:
        scale = facts.constant(matches[0].scale)
        symbol = facts.known.symbol_apart(matches[0].key)
        if scale is not None:
            quantity = symbol if scale == "1" else f"{scale} · {symbol}"
    record, words = facts.followed.records[index], found.repair.words(facts, at[-1])
    computes = not is_alias(record) or found.group.path is not None
    places = _places(facts, found)
    into = [_written_into(each, record) if found.group.path is None else None for each in places]
    return [
        Fault(
            place.source() if computes and target is None else text_of(place),
            quantity,
            _around(words, place) if target is None else _afterwards(words, ast.unparse(target)),
            is_first and found.cost < LIKELY,
            given,
            expected,
            tuple(sorted(found.fixed)),
            number=number,
        )
        for place, target in zip(places, into, strict=True)
    ]


def _written_into(place: SourcePlace, record: Record) -> ast.AST | None:
    """Return what a statement writes into, if that is what gives a record: ``d`` of ``d -= y``."""
    writes = place.stores or isinstance(place.node, ast.AugAssign)
    if not (writes or getattr(record.row, "statement", None)):
        return None
    return operand(place, record.row, 0, len(record.args))


def _around(words: str, place: SourcePlace) -> str:
    """Say with brackets what is added to an expression that is a factor."""
    text = " ".join(place.module.text(place.node).split())
    return in_brackets(words, text, place.module.parent.get(place.node))


def _afterwards(words: str, target: str) -> str:
    """Say of what a statement writes into what is said of the value of an expression.

    >>> _afterwards("multiply it by 1/N", "d"), _afterwards("add −h", "d")
    ('after this line, multiply d by 1/N', 'after this line, add −h to d')
    """
    said = re.sub(r"\bit\b", target, words)
    said = re.sub(r"^leave out the factor (.*)", rf"divide {target} by \1", said)
    said = re.sub(r"^add (.*)", rf"add \1 to {target}", said)
    return words if said == words else f"after this line, {said}"


def _places(facts: Facts, found: Explanation) -> list[SourcePlace]:
    """Return the expression to blame, and the call where a helper was handed something wrong.

    What is called, if it was handed over, is the call's; of an operand both may be meant.
    """
    record = facts.followed.records[found.group.at(facts)[-1]]
    place = locate(*found.group.reported[:2])
    if place is None:
        return []
    path = path_of(record)
    if not path or found.group.path:
        return [place]
    handed: ast.AST | None
    which = found.repair.operand
    if which is None or which < 0:
        handed = place.node.func if isinstance(place.node, ast.Call) else None
    else:
        handed = operand(place, record.row, which, len(record.args))
    code, call = place.code, locate(*path[0][:2])
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if call is None or not (isinstance(handed, ast.Name) and handed.id in parameters):
        return [place]
    return [call] if which is not None and which < 0 else [place, call]

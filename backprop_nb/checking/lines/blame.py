"""Whom to blame: of what explains a wrong gradient, the lines that are told."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, TypeVar

import numpy as np

from backprop_nb.checking.compare import is_plain
from backprop_nb.checking.lines.followed import Array
from backprop_nb.checking.lines.inputs import may_be_wrong
from backprop_nb.checking.lines.known import SAME
from backprop_nb.checking.lines.meant import ratio
from backprop_nb.checking.lines.quantities import Quantities
from backprop_nb.checking.report import scaling
from backprop_nb.tracing.source import Source

P = ParamSpec("P")
T = TypeVar("T")

_MAX_FAULTS = 4
_FAILURES = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, eq=False)
class Fault:
    """An expression of a gradient function that is wrong; what is not said here, as of a Finding.

    It is proved only if what it is computed from is right, too, and no other line explains it
    as well; ``source`` is None where no text is known.
    """

    source: Source | None
    quantity: str
    repair: str
    proved: bool
    given: Array
    expected: Array
    spoils: tuple[int, ...]
    """The gradients that are wrong because of it, by their positions."""
    number: int = 1
    lacks_a_factor: bool = False
    """Whether what to write is a factor that is brought in."""
    has_values: bool = True
    """Whether ``given`` and ``expected`` are of one thing, which a person can compare."""
    of: str = ""
    counts: float = 0
    """How many it counts in the place of how many others; 0 where that is not what is wrong."""
    is_part: bool = False
    """Whether more may be wrong beside all that is found."""

    @property
    def line(self) -> int | None:
        """The line in the student's file or cell, from 1."""
        return self.source.start[0] if self.source is not None else None


def or_nothing(search: Callable[P, list[T]]) -> Callable[P, list[T]]:
    """Find nothing where a search fails: the report without a line is worth more than none."""

    @functools.wraps(search)
    def found(*args: P.args, **kwargs: P.kwargs) -> list[T]:
        try:
            return search(*args, **kwargs)
        except _FAILURES:
            return []

    return found


class Blame:
    """Decides which of the expressions that explain everything are told, and which are proved."""

    def __init__(self, quantities: Quantities) -> None:
        self.quantities, self.scopes = quantities, quantities.runs.scopes
        self.known, (self.told, _) = quantities.known, quantities.told

    def decided(self, faults: list[Fault]) -> list[Fault]:
        """Return the expressions to be told, of each line the best, the likeliest first."""
        faults = self._without_right(faults)
        faults = self._without_right([*faults, *self._scaled_elsewhere(faults)])
        faults = self._where_counted(self._where_made(faults))
        # Of each line the best that says what to write, if there is one.
        told = sorted(faults, key=lambda fault: not fault.repair)
        first = {(fault.line, fault.number): fault for fault in reversed(told)}
        kept = [first[at] for at in dict.fromkeys((fault.line, fault.number) for fault in faults)]
        # What another line explains as well, or only together with this one, is not proved.
        is_only = len(kept) == 1
        return [
            replace(each, proved=each.proved and is_only and self._is_made_of_right(each))
            for each in kept[:_MAX_FAULTS]
        ]

    @or_nothing
    def _scaled_elsewhere(self, faults: Sequence[Fault]) -> list[Fault]:
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

    def _without_right(self, faults: list[Fault]) -> list[Fault]:
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

    def _is_made_of_right(self, fault: Fault) -> bool:
        """Whether nothing that the line reads may be wrong in its place."""
        known, line = self.known, fault.line
        if fault.source is None or line is None:
            return True  # nothing more is known of it
        there = [
            (last - first, k, scope, statement)
            for k, scope in enumerate(self.scopes)
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

    def _where_made(self, faults: Sequence[Fault]) -> list[Fault]:
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

    def _where_counted(self, faults: list[Fault]) -> list[Fault]:
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
        has_more = len(faults) > len({id(fault) for _, fault in counts.values()})
        innocent = [counts[name][1] for name in right] if has_more else []

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
        for scope in self.scopes:
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
        for scope in self.scopes if name.isidentifier() else ():
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

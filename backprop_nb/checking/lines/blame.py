"""The search for the line: which expression, put right, makes every gradient right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from types import CodeType
from typing import Any, TypeAlias

import numpy as np

from backprop_nb.checking.lines.aliases import is_alias, is_handed_on, is_returned
from backprop_nb.checking.lines.facts import (
    Facts,
    Group,
    Place,
    is_own,
    own,
    path_of,
    place_of,
    refs,
    walks,
)
from backprop_nb.checking.lines.followed import Change
from backprop_nb.checking.lines.known import SAME, Key
from backprop_nb.checking.lines.mended import Explanation, Mended, constantly, stretches
from backprop_nb.checking.lines.repairs import (
    Repair,
    edits,
    exchanges,
    over,
    plus,
    quantity,
    said,
    scaled,
    times,
)
from backprop_nb.checking.report import in_advice

LIKELY = 1.5
"""What costs less is an explanation after which no other one is looked for."""


_MAX_WORK, _LESS_WORK = 150_000, 60_000
"""So many records are computed again in one search; fewer if another search was made before."""


_MAX_GROUP_WORK = 15_000
"""And so many for one expression."""


_KEEPS_SHAPE = frozenset({"operand", "factor", "term", "constant", "number", "function"})
"""Repairs after which a quantity has the shape that it had, unless it is a gradient itself."""


_MAX_ROUNDS = 12
"""So many rounds of a loop are looked at one by one."""


Tier: TypeAlias = Callable[[Mended, Group, tuple[int, ...]], Iterator[Repair]]


class Blame:
    """Looks for the expressions that explain what is wrong."""

    def __init__(self, facts: Facts, others: Sequence[Facts], edits: bool = True) -> None:
        self.facts, self.others, self.edits = facts, others, edits

    @cached_property
    def stages(self) -> list[list[Group]]:
        """The expressions of the student's: whole, those of single calls, those of single rounds.

        What the loss computes as well is most likely right, and comes with the second.
        """
        records = self.facts.followed.records
        first: list[Group] = []
        second: list[Group] = []
        third: list[Group] = []
        mended = Mended(self.facts)
        for place, at in self.facts.places.items():
            if not isinstance(place[0], CodeType) or is_own(place[0]):
                continue
            group = Group(place)
            is_right = not self._is_chosen(at[0]) and self._is_as_in_loss(mended, group)
            (second if is_right else first).append(group)
            paths = dict.fromkeys(path_of(records[k]) for k in at)
            if len(paths) > 1:
                second += [Group(place, path) for path in paths if path]
            if 1 < len(at) <= _MAX_ROUNDS:
                third += [Group(place, round=k) for k in (*range(len(at) - 1), -1)]
        return [first, second, third]

    def explain(self, mended: Mended | None = None, depth: int = 2) -> list[list[Explanation]]:
        """Return what explains everything: ways, each of one or more expressions."""
        mended = mended or Mended(self.facts)
        wrong = frozenset(range(len(self.facts.expected))) - mended.right
        found: list[Explanation] = []
        whole: list[Explanation] = []
        for groups in self.stages:
            there = [each for each in groups if self._reaches(each, wrong)]
            for tier in (self._small, self._with_others, self._in_turn):
                if tier == self._in_turn and any(each.cost < LIKELY for each in whole):
                    break
                for group in there:
                    if mended.work > (_MAX_WORK if self.edits else _LESS_WORK):
                        break
                    new = list(self._explanations(mended, group, tier))
                    found += new
                    whole += [e for e in new if e.fixed == wrong and self._confirmed(mended, e)]
            if any(each.cost < LIKELY for each in whole):
                break
        if whole:
            return [[each] for each in self._ranked(self._first(whole))]
        if depth <= 1:
            return []
        parts = sorted(self._ranked(found), key=lambda e: (-len(e.fixed), e.cost))
        for part in parts[:6]:
            rest = self.explain(Mended(self.facts, [*mended.path, part]), depth - 1)
            if rest:
                return [[part, *each] for each in rest]
        return []

    def firsts(self, of_known: bool) -> list[Explanation]:
        """Return the expressions that are the first to be wrong, if a true quantity mends all.

        They are computed once, from what is right; unless it is ``of_known``, they are nothing
        that the loss has.
        """
        mended = Mended(self.facts)
        wrong = frozenset(range(len(self.facts.expected))) - mended.right
        found = []
        for group in map(Group, self.facts.places):
            at = group.at(self.facts)
            if len(at) != 1 or not self._reaches(group, wrong):
                continue
            if (of_known or self.is_odd(at[0])) and self._is_first(at[0]):
                each = self._explanations(mended, group, self._truths)
                found += [e for e in each if e.fixed == wrong and self._confirmed(mended, e)]
        return self._ranked(found)

    def _is_first(self, index: int) -> bool:
        records = self.facts.followed.records
        place = self.facts.place_at[index][0]
        if not isinstance(place, CodeType) or is_own(place) or is_alias(records[index]):
            return False
        is_float = self.facts.followed.values[index].dtype.kind == "f"
        return is_float and index not in self._ends and not self.has_odd_input(index)

    def _truths(self, mended: Mended, _: Group, at: tuple[int, ...]) -> Iterator[Repair]:
        """Yield the true quantities that may stand in the place of one value."""
        yield from self._quantities(mended, at)

    def _is_chosen(self, index: int) -> bool:
        """Whether a record is that of a line which hands on what was computed: which, may err."""
        records, origin = self.facts.followed.records, index
        while is_alias(records[origin]):
            [parent] = records[origin].parents
            if parent is None:
                return False
            origin = parent
        return is_handed_on(records[index]) and records[origin].row is not None

    def _is_as_in_loss(self, mended: Mended, group: Group) -> bool:
        """Whether each value of a group, and what is made of it, are values that the loss has."""
        children = self.facts.followed.children
        return all(
            self._is_value(mended.values[index])
            and any(self._is_value(mended.values[child]) for child in children[index])
            for index in group.at(self.facts)
        )

    def _is_value(self, array: Any) -> bool:
        return any(
            match.key.kind == "value" and abs(match.scale - 1) < SAME
            for match in self.facts.known.matches(array)
        )

    def _reaches(self, group: Group, wrong: frozenset[int]) -> bool:
        after = set(self.facts.followed.downstream(group.at(self.facts)))
        return any(self.facts.followed.leaves[j] in after for j in wrong)

    # -- one expression ------------------------------------------------------------

    def _explanations(self, mended: Mended, group: Group, tier: Tier) -> Iterator[Explanation]:
        at = group.at(self.facts)
        until = mended.work + _MAX_GROUP_WORK
        for repair in tier(mended, group, at):
            if mended.work > until:
                break
            changes = {index: repair.change(self.facts, index) for index in at}
            found = mended.improved(changes)
            if found is not None:
                values, right = found
                cost = repair.cost + self._doubt(repair, group, at, values)
                yield Explanation(group, repair, right - mended.right, cost, changes, at)

    def _doubt(
        self, repair: Repair, group: Group, at: Sequence[int], values: Sequence[Any]
    ) -> float:
        """Return how unlikely it is that just this expression is wrong."""
        doubt = 0.3 * (group.path is not None) + 0.6 * (group.round is not None)
        known = self.facts.known
        was = all(known.is_exact(self.facts.followed.values[k]) for k in at)
        now = [known.matches(values[k]) for k in at]
        is_now = all(each and abs(each[0].scale - 1) < SAME for each in now)
        # Who hands on a true quantity may have meant another one.
        if was and not all(is_handed_on(self.facts.followed.records[k]) for k in at):
            doubt += 2.0 if not is_now else 0.6 if repair.kind == "quantity" else 0.3
        # What comes to the return as nothing true was wrong before.
        records = self.facts.followed.records
        is_sum = repair.kind == "term"  # it may have been left out there
        if not was and not is_sum and all(is_returned(records[k]) for k in at):
            doubt += 1.0
        if is_now and not set(at) <= self._ends:
            doubt -= 0.3  # a gradient put right is a true quantity in any case
        is_forward = all(each and each[0].key.kind == "value" for each in now)
        has_odd_input = any(self.has_odd_input(k) for k in at)
        if is_forward and has_odd_input:
            doubt += 1.0
        if is_now and not was and repair.kind == "quantity" and not has_odd_input:
            doubt -= 0.6  # the first that is wrong: what it is computed from is right
        return doubt

    @cached_property
    def _ends(self) -> set[int]:
        """The records of the gradients: what is returned, and what it hands on unchanged."""
        records, found, pending = self.facts.followed.records, set[int](), []
        pending += self.facts.followed.leaves
        while pending:
            index = pending.pop()
            found.add(index)
            if is_alias(records[index]):
                pending += [parent for parent in records[index].parents if parent is not None]
        return found

    def has_odd_input(self, index: int) -> bool:
        """Whether a record is computed from a quantity that the loss does not have."""
        parents = self.facts.followed.records[index].parents
        return any(self.is_odd(each) for each in parents if each is not None and each != index)

    def is_odd(self, index: int) -> bool:
        """Whether a record gives an array that the loss does not have."""
        value = self.facts.followed.values[index]
        return value.dtype.kind == "f" and value.ndim > 0 and not self._is_known(value)

    def _is_known(self, array: Any) -> bool:
        """Whether the loss has a quantity, or a likely multiple of it."""
        return any(
            self.facts.constant(match.scale) is not None
            for match in self.facts.known.matches(array)
        )

    def _small(self, mended: Mended, group: Group, at: tuple[int, ...]) -> Iterator[Repair]:
        """Yield the repairs that bring in no other quantity of the student's."""
        if mended.values[at[-1]].dtype.kind == "f":
            followed = self.facts.followed
            # The right gradient in the place of what is handed over would explain anything.
            is_end = at[-1] in followed.leaves and is_alias(followed.records[at[-1]])
            if len(at) == 1 and not is_end:
                yield from self._quantities(mended, at)
            yield from self._factors(mended, at)
        if group.path is None and self.edits:
            for repair in edits(self.facts, at[-1]):
                if repair.kind == "accumulation":  # each round needs the one before it
                    yield repair
                else:
                    yield from self._checked(mended, at, repair)

    def _with_others(self, mended: Mended, group: Group, at: tuple[int, ...]) -> Iterator[Repair]:
        """Yield the repairs by another quantity."""
        if mended.values[at[-1]].dtype.kind == "f":
            yield from self._products(mended, at)
        if group.path is None and self.edits:
            for repair in exchanges(self.facts, at):
                yield from self._checked(mended, at, repair)

    def _in_turn(self, mended: Mended, group: Group, at: tuple[int, ...]) -> Iterator[Repair]:
        """Yield true quantities for a loop, another one in each round."""
        if len(at) > 1 and mended.values[at[-1]].dtype.kind == "f":
            yield from self._sequences(mended, group, at)

    def _quantities(self, mended: Mended, at: tuple[int, ...]) -> Iterator[Repair]:
        """Yield the true quantities that may stand here."""
        last = at[-1]
        old = np.asarray(mended.values[last])
        for key, array in self.facts.known.arrays.items():
            for transposed in (False, True):
                if transposed and array.ndim != 2:
                    continue
                value = array.T if transposed else array
                is_end = any(last == leaf for leaf in self.facts.followed.leaves)
                if value.shape != old.shape:
                    if value.size == old.size:
                        value = value.reshape(old.shape)
                    elif not is_end:
                        continue
                shape = value.shape
                for scale in mended.scales(last, value):
                    text = self.facts.constant(scale)
                    if text is None or (old.size == 1 and text != "1"):
                        continue
                    if not mended.may_help(last, scale * value):
                        continue
                    cost = 2.0 + 0.3 * (text != "1")
                    cost += {"adjoint": 0, "value": 0.1, "slope": 0.2}[key.kind]
                    new = partial(quantity, cost, key, transposed, shape)
                    yield self._by_number(scale, text, new)

    def _sequences(self, mended: Mended, group: Group, at: tuple[int, ...]) -> Iterator[Repair]:
        """Yield the true quantities that may stand here in turn, one for each round."""
        for keys in self._loops(len(at)):
            yield _in_turn(group, keys, "quantity")
        n = len(at)
        for key, array in self.facts.known.arrays.items():
            for axis in range(min(array.ndim, 2)):
                if array.shape[axis] == n:
                    yield _in_turn(group, [(key, axis, k) for k in range(n)], "quantity")
                    yield _in_turn(group, [(key, axis, n - 1 - k) for k in range(n)], "quantity")
        found = self._one_by_one(mended, at)
        if found:
            yield _in_turn(group, found, "quantity")

    def _loops(self, count: int) -> Iterator[list[tuple[Key, int, int] | None]]:
        """Yield the quantities of a loop of the loss that has as many rounds, both ways."""
        loops: dict[Place, list[int]] = defaultdict(list)
        for index, record in enumerate(self.facts.known.trace.records):
            if record.scope is not None:
                loops[place_of(record, index)].append(index)
        arrays = self.facts.known.arrays
        for indices in loops.values():
            for kind in ("adjoint", "slope", "value"):
                keys = [Key(kind, index) for index in indices]
                if len(keys) == count and all(key in arrays for key in keys):
                    yield [(key, -1, 0) for key in keys]
                    yield [(key, -1, 0) for key in reversed(keys)]

    def _one_by_one(self, mended: Mended, at: tuple[int, ...]) -> list[tuple[Key, int, int] | None]:
        """Return for each round the quantity that makes more gradients right than before."""
        if len(at) > _MAX_ROUNDS:
            return []
        chosen: list[tuple[Key, int, int] | None] = []
        changes: dict[int, Change] = {}
        right = mended.right
        for index in at:
            best = None
            shape = np.shape(mended.values[index])
            for key, array in self.facts.known.arrays.items():
                for axis in (-1, -2):
                    value = array.T if axis == -2 else array
                    if value.shape != shape or (axis == -2 and array.ndim != 2):
                        continue
                    found = mended.improved({**changes, index: constantly(value)})
                    if (
                        found is not None
                        and found[1] > right
                        and (best is None or found[1] > best[1])
                    ):
                        best = ((key, axis, 0), found[1], value)
            if best is not None:
                right = best[1]
                changes[index] = constantly(best[2])
            chosen.append(best and best[0])
        return chosen if any(chosen) else []

    def _products(self, mended: Mended, at: tuple[int, ...]) -> Iterator[Repair]:
        """Yield what the value may have to be multiplied by, or what may have to be added."""
        last = at[-1]
        old = np.asarray(mended.values[at[0]])
        for ref, value, cost in walks(self.facts, at):
            if old.ndim and stretches(np.shape(value), old.shape):
                new = [times(1.0 + cost, ref)] + [plus(1.1 + cost, ref, 1.0, "")] * (not ref.slope)
                yield from self._checked(mended, at, *new)
        old = np.asarray(mended.values[last])
        for ref, value, cost in refs(self.facts, at):
            if old.ndim == 0 or not stretches(np.shape(value), old.shape):
                continue
            yield from self._checked(
                mended,
                at,
                times(1.0 + cost, ref),
                times(1.3 + cost, ref, rest=True),
                over(1.4 + cost, ref),
                plus(1.2 + cost, ref, 1.0, ""),
                plus(1.2 + cost, ref, -1.0, "−"),
            )
            # To add some of what is right says nothing.
            is_adjoint = ref.key is not None and ref.key.kind == "adjoint"
            if len(at) == 1 and not is_adjoint and mended.is_affine(last):
                for scale in mended.terms(last, value):
                    text = self.facts.constant(scale)
                    if text is not None and text not in ("1", "−1"):
                        added = partial(plus, 1.3 + cost, ref, text=text)
                        yield from self._checked(mended, at, self._by_number(scale, text, added))

    def _checked(self, mended: Mended, at: tuple[int, ...], *repairs: Repair) -> Iterator[Repair]:
        """Yield repairs, but for those of which it shows already that they do not help."""
        return (each for each in repairs if self._may_help(mended, at, each))

    def _may_help(self, mended: Mended, at: tuple[int, ...], repair: Repair) -> bool:
        try:
            values = [repair.make(self.facts, index, mended.values) for index in at]
        except Exception:  # it cannot be computed
            return False
        if any(np.asarray(value).dtype.kind not in "fiub" for value in values):
            return False
        if any(mended.values[k].dtype.kind != "f" for k in at):
            return True
        fits = all(
            np.shape(v) == np.shape(mended.values[k]) for k, v in zip(at, values, strict=True)
        )
        is_end = set(at) <= set(self.facts.followed.leaves)
        if repair.kind in _KEEPS_SHAPE and not fits and not is_end:
            return False
        if len(at) == 1:
            return mended.may_help(at[0], values[0])
        return mended.may_help_together(at, values)

    def _factors(self, mended: Mended, at: tuple[int, ...]) -> Iterator[Repair]:
        last = at[-1]
        old = np.asarray(mended.values[last])
        if len(at) == 1 and mended.is_affine(last):
            scales = list(mended.scales(last, old))
        else:
            scales = [
                sign * each
                for each in list(self.facts.constants)[:12]
                for sign in (1, -1)
                if sign * each != 1
            ]
        for scale in scales:
            text = self.facts.constant(scale)
            wild = text is None
            if wild and (old.size < 2 or len(at) > 1):
                continue
            new = partial(scaled, 2.6 if wild else 0.9, text=text or in_advice(scale))
            yield from self._checked(mended, at, self._by_number(scale, text, new))

    def _by_number(
        self, scale: float, text: str | None, repair: Callable[[float], Repair]
    ) -> Repair:
        """Return a repair by a number, for arguments as long as they are where it is made."""
        found = repair(scale)
        if not self.facts.lengths or text is None:
            return found

        def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
            return repair(facts.numbers.get(text, scale)).make(facts, index, values)

        return replace(found, make=make)

    # -- elsewhere --------------------------------------------------------------------

    def _confirmed(self, mended: Mended, explanation: Explanation) -> bool:
        """Whether it makes all gradients right on other arguments, too."""
        return all(confirms(other, [*mended.path, explanation]) for other in self.others)

    def _first(self, found: Sequence[Explanation]) -> list[Explanation]:
        """Leave out where a true quantity merely hides what is wrong before it."""
        known, values = self.facts.known, self.facts.followed.values
        odd = [e for e in found if not all(known.matches(values[k]) for k in e.at)]
        odd = [e for e in odd if e.group.path is None]

        def is_hidden(each: Explanation) -> bool:
            return each.repair.kind == "quantity" and any(
                other is not each
                and other.group.place != each.group.place
                and other.cost <= each.cost + 0.7
                and set(each.at) <= set(self.facts.followed.downstream(other.at)) - set(other.at)
                for other in odd
            )

        return [each for each in found if not is_hidden(each)]

    def _ranked(self, found: Sequence[Explanation]) -> list[Explanation]:
        best: dict[tuple[Group, frozenset[int]], Explanation] = {}
        worded: dict[tuple[Group, frozenset[int]], Explanation] = {}
        for each in found:
            key = (each.group, each.fixed)
            if key not in best or each.cost < best[key].cost:
                best[key] = each
            # The same put in words is worth more than that it is a certain quantity.
            if each.repair.kind != "quantity":
                worded.setdefault(key, each)
                if each.cost < worded[key].cost:
                    worded[key] = each
        for key, each in worded.items():
            if best[key].repair.kind == "quantity" and each.at == best[key].at:
                best[key] = replace(each, cost=min(each.cost, best[key].cost))
        return sorted(best.values(), key=lambda e: (e.cost, e.at[0]))


def confirms(facts: Facts, explanations: Sequence[Explanation]) -> bool:
    """Whether explanations hold on other arguments."""
    changes: dict[int, Change] = {}
    for each in explanations:
        for index in each.group.at(facts):
            changes[index] = each.repair.change(facts, index)
    mended = Mended(facts)
    values = mended.replay(changes)
    return values is not None and len(mended.right_in(values)) == len(facts.expected)


def _in_turn(group: Group, keys: Sequence[Any], kind: str) -> Repair:
    """Return the repair that puts one true quantity after the other in the place of a loop's."""

    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        chosen = keys[group.at(facts).index(index)]
        if chosen is None:
            return own(facts, index, values)
        key, axis, k = chosen
        array = facts.known.arrays[key]
        array = array if axis == -1 else array.T if axis == -2 else np.take(array, k, axis)
        shape = np.shape(facts.followed.values[index])
        return array.reshape(shape)[()] if array.size == np.prod(shape, dtype=int) else array

    first = next(each for each in keys if each is not None)
    return Repair(kind, 2.2, make, said(""), first[0])

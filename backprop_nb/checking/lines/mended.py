"""A gradient function with some of it put right, and what else could help it.

Most repairs can be told not to help without computing anything again: where the gradients are
linear in a quantity, one backward pass through the gradient function itself says what a change
of it does to each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from backprop_nb.checking.compare import agrees
from backprop_nb.checking.lines.facts import Facts, Group
from backprop_nb.checking.lines.followed import Array, Change, computed, operands_of
from backprop_nb.checking.lines.repairs import Repair
from backprop_nb.tracing.reverse import reverse


@dataclass(frozen=True, eq=False)
class Explanation:
    """An expression that, put right, makes gradients right.

    Attributes
    ----------
    group, at
        The expression, and its records for the arguments at hand.
    repair, changes
        What puts it right, and what that does to each of the records.
    fixed
        The gradients that are right then and were not before, by their positions.
    cost
        How unlikely it is; the least is best.
    """

    group: Group
    repair: Repair
    fixed: frozenset[int]
    cost: float
    changes: Mapping[int, Change]
    at: tuple[int, ...]


class Mended:
    """The gradient function as it is, or with what was found put right already."""

    def __init__(self, facts: Facts, path: Sequence[Explanation] = ()) -> None:
        self.facts, self.path = facts, list(path)
        self.work = 0
        self.changes: dict[int, Change] = {}
        for each in path:
            self.changes |= each.changes
        followed = facts.followed
        self.values = followed.replay(self.changes) if path else list(followed.values)
        self.right = self.right_in(self.values)

    def right_in(self, values: Sequence[Any]) -> frozenset[int]:
        """Return which gradients are right."""
        pairs = zip(self.facts.followed.gradients(values), self.facts.expected, strict=True)
        return frozenset(j for j, (given, expected) in enumerate(pairs) if same(given, expected))

    def replay(self, changes: Mapping[int, Change]) -> list[Any] | None:
        """Return the values with more of it changed; None where that cannot be computed."""
        try:
            return self.facts.followed.replay({**self.changes, **changes})
        except Exception:
            return None

    def improved(self, changes: Mapping[int, Change]) -> tuple[list[Any], frozenset[int]] | None:
        """Return the values with more changed, and which gradients are right then.

        None where one that was right is no longer, or the first one that was wrong still is:
        that shows long before everything is computed again.
        """
        followed, all_changes = self.facts.followed, {**self.changes, **changes}
        values = list(self.values)
        right, seen_wrong = set(self.right), False
        try:
            for index in followed.downstream(tuple(changes)):
                self.work += followed.costs[index]
                change = all_changes.get(index)
                values[index] = (
                    change(values) if change else computed(followed.records[index], values)
                )
                for j in followed.ends.get(index, ()):
                    if same(values[index], self.facts.expected[j]):
                        seen_wrong = seen_wrong or j not in self.right
                        right.add(j)
                    elif j in self.right or not seen_wrong:
                        return None
        except Exception:
            return None
        return (values, frozenset(right)) if len(right) > len(self.right) else None

    # -- the first order, which tells of most repairs that they do not help -------------

    @cached_property
    def directions(self) -> list[Array]:
        """For each gradient a random direction."""
        random = np.random.default_rng(0)
        return [
            random.standard_normal(np.shape(each))
            for each in self.facts.followed.gradients(self.values)
        ]

    @cached_property
    def records(self) -> list[Any]:
        """The records with the values as they are now."""
        if not self.changes:
            return list(self.facts.followed.records)
        return [
            record._replace(value=value, args=tuple(operands_of(record, self.values)))
            for record, value in zip(self.facts.followed.records, self.values, strict=True)
        ]

    @cached_property
    def sensitivities(self) -> list[list[Any]]:
        """For each gradient how much its direction feels a change of each record."""
        followed = self.facts.followed
        return [
            reverse(
                replace(followed.trace, output_index=leaf), self.records, np.asarray(direction)[()]
            )
            for leaf, direction in zip(followed.leaves, self.directions, strict=True)
        ]

    @cached_property
    def gaps(self) -> list[float | None]:
        """For each gradient what is missing along its direction; None where shapes differ."""
        found: list[float | None] = []
        for given, expected, direction in zip(
            self.facts.followed.gradients(self.values),
            self.facts.expected,
            self.directions,
            strict=True,
        ):
            fits = np.shape(given) == np.shape(expected)
            found.append(float(np.sum(direction * (expected - given))) if fits else None)
        return found

    def is_affine(self, index: int) -> bool:
        """Whether the gradients are linear in a record."""
        if index not in self._affine:
            self._affine[index] = self._find_affine(index)
        return self._affine[index]

    @cached_property
    def _affine(self) -> dict[int, bool]:
        return {}

    def _find_affine(self, index: int) -> bool:
        value = np.asarray(self.values[index])
        if value.dtype.kind != "f" or any(gap is None for gap in self.gaps):
            return False
        if any(other > index for other in self.changes):
            return False
        step = np.random.default_rng(1).standard_normal(value.shape) * (np.abs(value).max() or 1.0)
        values = self.replay({index: lambda _: value + step})
        if values is None:
            return False
        for j, direction in enumerate(self.directions):
            leaf = self.facts.followed.leaves[j]
            moved = np.asarray(values[leaf]) - self.values[leaf]
            found, size = float(np.sum(direction * moved)), float(np.sum(np.abs(direction * moved)))
            felt = self.sensitivities[j][index]
            told = 0.0 if felt is None else float(np.sum(felt * step))
            if abs(found - told) > 1e-7 * (size + abs(told)) + 1e-300:
                return False
        return True

    def _felt(self, index: int) -> tuple[Array, Array]:
        """Return for each gradient how much it feels each entry of a record."""
        if index not in self._feelings:
            size = np.size(self.values[index])
            rows = np.zeros((len(self.gaps), size))
            for j, each in enumerate(self.sensitivities):
                if each[index] is not None:
                    rows[j] = np.ravel(each[index])
            self._feelings[index] = rows, rows @ np.ravel(self.values[index])
        return self._feelings[index]

    @cached_property
    def _feelings(self) -> dict[int, tuple[Array, Array]]:
        return {}

    @cached_property
    def _is_right(self) -> Array:
        return np.array([j in self.right for j in range(len(self.gaps))])

    def may_help(self, index: int, value: Any) -> bool:
        """Whether another value of a record can make gradients right, to first order."""
        old = self.values[index]
        if np.shape(value) != np.shape(old) or not self.is_affine(index):
            return True
        rows, _ = self._felt(index)
        step = np.ravel(value - old)
        gaps = np.array(self.gaps, float)
        room = 1e-6 * (np.sqrt((rows * rows) @ (step * step)) + np.abs(gaps)) + 1e-12
        fits = np.abs(rows @ step - gaps) <= room
        return bool(fits[self._is_right].all() and fits[~self._is_right].any())

    def told(self, at: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
        """Return the gradients that are linear in some records together, each with its own.

        None of the records of one gradient may need another one.
        """
        if at not in self._told:
            self._told[at] = self._find_told(at)
        return self._told[at]

    @cached_property
    def _told(self) -> dict[tuple[int, ...], dict[int, tuple[int, ...]]]:
        return {}

    def _find_told(self, at: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
        followed = self.facts.followed
        after = {k: set(followed.downstream((k,))) - {k} for k in at}
        found: dict[int, tuple[int, ...]] = {}
        moved: dict[tuple[int, ...], list[Any] | None] = {}
        random = np.random.default_rng(2)
        steps = {k: random.standard_normal(np.shape(self.values[k])) for k in at}
        for j, leaf in enumerate(followed.leaves):
            own = tuple(k for k in at if leaf in after[k] or leaf == k)
            if self.gaps[j] is None or any(not after[k].isdisjoint(own) for k in own):
                continue
            if own not in moved:
                moved[own] = self.replay({k: constantly(self.values[k] + steps[k]) for k in own})
            values = moved[own]
            if values is None or np.shape(values[leaf]) != np.shape(self.values[leaf]):
                continue
            direction = self.directions[j]
            way = float(np.sum(direction * (np.asarray(values[leaf]) - self.values[leaf])))
            told = sum(float(self._felt(k)[0][j] @ np.ravel(steps[k])) for k in own)
            size = abs(way) + sum(
                float(np.abs(self._felt(k)[0][j] * np.ravel(steps[k])).sum()) for k in own
            )
            if abs(told - way) <= 1e-7 * size + 1e-300:
                found[j] = own
        return found

    def may_help_together(self, at: tuple[int, ...], values: Sequence[Any]) -> bool:
        """Whether other values of some records can make gradients right, to first order."""
        if any(np.shape(v) != np.shape(self.values[k]) for k, v in zip(at, values, strict=True)):
            return True
        new = dict(zip(at, values, strict=True))
        steps: dict[int, Array] = {}
        first_wrong = True
        told = self.told(at)
        for j in sorted(told, key=lambda j: self.facts.followed.leaves[j]):
            if not told[j]:
                continue
            way = size = 0.0
            for k in told[j]:
                if k not in steps:
                    steps[k] = np.ravel(new[k] - self.values[k])
                row = self._felt(k)[0][j]
                way += float(row @ steps[k])
                size += float(np.abs(row) @ np.abs(steps[k]))
            gap = self.gaps[j]
            assert gap is not None
            fits = abs(way - gap) <= 1e-6 * (size + abs(gap)) + 1e-12
            if j in self.right:
                if not fits:
                    return False
            elif first_wrong:
                if not fits and self._is_first(j, at):
                    return False
                first_wrong = False
        return True

    def _is_first(self, j: int, at: tuple[int, ...]) -> bool:
        """Whether a wrong gradient is the first that some records have a part in."""
        followed = self.facts.followed
        after = set(followed.downstream(at))
        wrong = [
            leaf for i, leaf in enumerate(followed.leaves) if i not in self.right and leaf in after
        ]
        return followed.leaves[j] == min(wrong, default=-1)

    def scales(self, index: int, value: Any) -> Iterator[float]:
        """Yield the numbers times which a value in the place of a record can help."""
        old = self.values[index]
        if np.shape(value) != np.shape(old) or not self.is_affine(index):
            yield 1.0
            return
        rows, has = self._felt(index)
        yield from self._fitting(rows @ np.ravel(value), np.array(self.gaps, float) + has)

    def terms(self, index: int, value: Any) -> Iterator[float]:
        """Yield the numbers times which a value added to a record can help."""
        value = np.broadcast_to(value, np.shape(self.values[index]))
        if np.shape(value) == np.shape(self.values[index]) and self.is_affine(index):
            rows, _ = self._felt(index)
            yield from self._fitting(rows @ np.ravel(value), np.array(self.gaps, float))

    def _fitting(self, per: Array, needed: Array) -> Iterator[float]:
        """Yield the multiples of what one unit does to each gradient that give what is needed."""
        seen: list[float] = []
        fits = ~self._is_right & (np.abs(per) > 1e-12)
        for scale in (needed[fits] / per[fits]).tolist():
            new = not any(abs(scale - each) < 1e-9 * abs(each) for each in seen)
            if np.isfinite(scale) and scale and new:
                seen.append(scale)
                # What is right must stay so.
                has, gets = needed[self._is_right], scale * per[self._is_right]
                if np.all(np.abs(has - gets) <= 1e-6 * (np.abs(has) + np.abs(gets)) + 1e-12):
                    yield scale


def constantly(value: Any) -> Change:
    """Return the change to one value, whatever came before."""
    return lambda _: value


def stretches(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether an array of one shape is stretched to another one, or has it already."""
    try:
        return bool(shape) and np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


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

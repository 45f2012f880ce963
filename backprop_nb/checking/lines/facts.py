"""What a gradient function computed beside what is true, and how a place in it is told."""

from __future__ import annotations

import ast
import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any, TypeAlias

import numpy as np

from backprop_nb.checking.lines.aliases import is_alias
from backprop_nb.checking.lines.followed import Array, Followed, computed
from backprop_nb.checking.lines.known import Key, Known
from backprop_nb.checking.lines.scope import text_within
from backprop_nb.checking.report import in_advice
from backprop_nb.errors import PACKAGE
from backprop_nb.tracing import pytree
from backprop_nb.tracing.record import CONSTANT, Record
from backprop_nb.tracing.source import locate, operand

Place: TypeAlias = tuple[Any, int, str]
"""An expression: its code, the instruction, and what is computed there; a statement such as
``dW[i] += g`` computes a sum and an assignment."""


@dataclass(frozen=True, eq=False)
class Facts:
    """A followed gradient function beside the true quantities, for one choice of arguments."""

    followed: Followed
    known: Known
    expected: Sequence[Array]
    """The right gradients."""
    lengths: Mapping[int, int] = field(default_factory=dict)
    """How long an axis of the arguments was before it was cut down, by its length here."""

    @cached_property
    def places(self) -> dict[Place, list[int]]:
        """The records of each expression, in order; an input is one too."""
        found: dict[Place, list[int]] = defaultdict(list)
        used: dict[int, Place] = {}
        records = self.followed.records
        for record in records:  # what is not traced is known by where it is used first
            for k, parent in enumerate(record.parents):
                if parent is not None and records[parent].row is CONSTANT and record.scope:
                    used.setdefault(parent, (("constant", record.scope.code, k), record.lasti, ""))
        for index, record in enumerate(records):
            found[used.get(index) or place_of(record, index)].append(index)
        return dict(found)

    def latest(self, place: Place, before: int) -> int | None:
        """Return the record that an expression made last, before another one."""
        indices = self.places.get(place, [])
        k = bisect_left(indices, before)
        return indices[k - 1] if k else None

    def round_of(self, index: int) -> int:
        """Return how often the expression of a record ran before in the same call."""
        scope = self.followed.records[index].scope
        there = self.places[self.place_at[index]]
        return sum(1 for k in there if k < index and self.followed.records[k].scope is scope)

    @cached_property
    def place_at(self) -> dict[int, Place]:
        """The expression of every record."""
        return {k: place for place, indices in self.places.items() for k in indices}

    def family(self, place: Place, before: int) -> list[int]:
        """Return what an expression gave in the same call, or all inputs of one list."""
        records = self.followed.records
        if place[0] == "list":
            return [k for k, each in enumerate(self.input_lists) if each == place[1]]
        scope = records[before].scope
        found = [k for k in self.places.get(place, []) if k < before and records[k].scope is scope]
        if not found and scope is not None:
            # What a helper gave that was called from here.
            found = [
                k
                for k in self.places.get(place, [])
                if k < before and getattr(records[k].scope, "parent", None) is scope
            ]
        return found

    @cached_property
    def input_lists(self) -> list[int]:
        """For each input the number of the argument that it belongs to."""
        found: list[int] = []
        for number, (_, tree) in enumerate(self.followed.trace.arguments):
            found += [number] * sum(map(bool, pytree.flatten(tree)))
        return found

    def walked(self, place: Place, before: int, start: int, step: int) -> int | None:
        """Return the member of a family that belongs to a round."""
        family = self.family(place, before)
        k = start + step * self.round_of(before)
        return family[k] if -len(family) <= k < len(family) else None

    @cached_property
    def slopes(self) -> dict[int, tuple[int, Any]]:
        """The slope of what the student computes entry by entry from one other record."""
        return Known(self.followed.trace).slopes

    @cached_property
    def refs(self) -> dict[int, list[tuple[Ref, Any, float]]]:
        """What repairs may take at a record."""
        return {}

    @cached_property
    def sizes(self) -> frozenset[int]:
        """The lengths that the arguments have."""
        shapes = [each.value.shape for each in self.followed.trace.inputs]
        shapes += [np.shape(each) for each in self.expected]
        return frozenset(n for shape in shapes for n in shape if n > 1)

    @cached_property
    def constants(self) -> dict[float, str]:
        """The numbers that are likely factors, and how they are said."""
        found = {1.0: "1", 2.0: "2", 0.5: "1/2"}
        sizes = [(n, self.lengths.get(n, n)) for n in sorted(self.sizes)]
        for n, whole in sizes:
            for value, text in (
                (n, f"{whole}"),
                (1 / n, f"1/{whole}"),
                (2 / n, f"2/{whole}"),
                (n / 2, f"{whole}/2"),
                (1 / (2 * n), f"1/(2·{whole})"),
                (2 * n, f"2·{whole}"),
            ):
                found.setdefault(float(value), text)
        for (n, one), (m, other) in itertools.product(sizes, repeat=2):
            found.setdefault(float(n * m), f"{one}·{other}")
            found.setdefault(1 / (n * m), f"1/({one}·{other})")
            found.setdefault(n / m, f"{one}/{other}")
        for trace in (self.followed.trace, self.known.trace):
            for record in trace.records:
                numbers = [
                    arg
                    for arg, parent in zip(record.args, record.parents, strict=True)
                    if parent is None and isinstance(arg, int | float)
                ]
                if record.row is CONSTANT and np.ndim(record.value) == 0:
                    numbers.append(float(record.value))
                for number in (abs(float(each)) for each in numbers if each):
                    said = in_advice(number)
                    for value, text in ((number, said), (1 / number, f"1/{said}")):
                        # A number that stands there is no product: 4, and not 2·2.
                        if "·" in found.get(value, "·"):
                            found[value] = text
        return {value: text for value, text in found.items() if np.isfinite(value)}

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The likely factors by how they are said, and with a minus."""
        known = self.constants.items()
        return {text: x for x, text in known} | {f"−{text}": -x for x, text in known}

    def constant(self, value: float) -> str | None:
        """Return how a likely factor is said; None for a number that is none."""
        sign = "−" if value < 0 else ""
        for each, text in self.constants.items():
            if abs(abs(value) - each) <= 1e-7 * each:
                return f"{sign}{text}"
        return None


def place_of(record: Record, index: int) -> Place:
    """Return where a record was made."""
    if record.scope is None:
        return ("constant" if record.row is CONSTANT else "input", index, "")
    return (record.scope.code, record.lasti, getattr(record.row, "name", ""))


@dataclass(frozen=True)
class Group:
    """The records of one expression: one for each time that it ran, or some of them."""

    place: Place
    path: tuple[Place, ...] | None = None
    """Only those of calls that were made here, the innermost call first."""
    round: int | None = None
    """Only the one of this round of a loop; counted from the end where below 0."""

    @property
    def reported(self) -> Place:
        """The expression that is to blame."""
        return self.path[0] if self.path else self.place

    def at(self, facts: Facts) -> tuple[int, ...]:
        """Return the records, for some arguments."""
        indices = facts.places.get(self.place, [])
        if self.path is not None:
            indices = [k for k in indices if path_of(facts.followed.records[k]) == self.path]
        if self.round is not None:
            return (indices[self.round],) if -len(indices) <= self.round < len(indices) else ()
        return tuple(indices)


def path_of(record: Record) -> tuple[Place, ...]:
    """Return the calls in the student's code around a record, the innermost first."""
    path, scope = [], record.scope
    while scope is not None and scope.parent is not None:
        if not is_own(scope.parent.code):
            path.append((scope.parent.code, scope.lasti, "()"))
        scope = scope.parent
    return tuple(path)


def is_own(code: Any) -> bool:
    """Whether code is the package's, and not the student's."""
    return str(code.co_filename).startswith(PACKAGE)


@dataclass(frozen=True, eq=False)
class Ref:
    """A value that a repair takes: what an expression gave last, or a true quantity."""

    place: Place | None = None
    key: Key | None = None
    transposed: bool = False
    slope: bool = False
    """Whether it is the slope of what the expression computes, and not its value."""
    walk: tuple[int, int] | None = None
    """Of what a loop computed, where to begin and which way to go, from round to round."""

    def get(self, facts: Facts, before: int, values: Sequence[Any]) -> Any:
        """Return it at one place."""
        if self.key is not None:
            value = facts.known.arrays[self.key]
        else:
            assert self.place is not None
            index = facts.latest(self.place, before)
            if self.walk is not None:
                index = facts.walked(self.place, before, *self.walk)
            if index is None:
                raise LookupError
            value = facts.slopes[index][1] if self.slope else values[index]
        return np.transpose(value) if self.transposed else value


def own(facts: Facts, index: int, values: Sequence[Any]) -> Any:
    """Return what a record computes as it stands."""
    return computed(facts.followed.records[index], values)


def name_of(facts: Facts, index: int) -> str:
    """Return what the student calls a value."""
    trace = facts.followed.trace
    node = trace.nodes[index]
    if index in trace.named or index < trace.input_count or node.source is None:
        return node.name
    return str(node.source)


def argument_texts(facts: Facts, index: int, apart: bool = False) -> list[str]:
    """Return the operands of a record as the student has written them there.

    Where the source does not say, as for ``functools.reduce``, they are called by their names.
    ``apart`` says of one that stands there more than once which of them it is.
    """
    record = facts.followed.records[index]
    place = None
    if record.scope is not None and not is_alias(record):
        place = locate(record.scope.code, record.lasti)
    texts = []
    for k, (arg, parent) in enumerate(zip(record.args, record.parents, strict=True)):
        node = operand(place, record.row, k, len(record.args)) if place is not None else None
        if isinstance(node, ast.expr):
            texts.append(text_within(node, place.node if apart and place else node))
        else:
            texts.append(f"{arg}" if parent is None else name_of(facts, parent))
    return texts


def _as_written(facts: Facts, index: int, value: int) -> str:
    """Return what a value is called in the expression of a record; empty if it is not in it."""
    texts = zip(argument_texts(facts, index), facts.followed.records[index].parents, strict=True)
    return next((text for text, parent in texts if parent == value), "")


def ref_text(facts: Facts, index: int, ref: Ref) -> str:
    """Return what a repair takes, in words."""
    if ref.key is not None:
        text = facts.known.symbol_apart(ref.key)
    else:
        assert ref.place is not None
        latest = facts.latest(ref.place, index)
        if ref.walk is not None:
            latest = facts.walked(ref.place, index, *ref.walk)
        trace = facts.followed.trace
        text = "" if latest is None else _as_written(facts, index, latest)
        if not text and latest is not None:
            text = name_of(facts, latest)
            if ref.walk is not None and not ref.slope and latest >= trace.input_count:
                text = f"{closed(text)} as it was in that round"  # its names hold others by now
        if ref.slope and latest is not None:
            text = f"∂{closed(text)}/∂{closed(name_of(facts, facts.slopes[latest][0]))}"
    return f"{closed(text)}.T" if ref.transposed else text


def closed(text: str) -> str:
    """Return an expression in brackets, unless it needs none."""
    simple = text.replace(".", "a").replace("_", "a").isalnum()
    return text if simple or (text.endswith((")", "]")) and text[0].isalpha()) else f"({text})"


def pool(facts: Facts, index: int) -> list[Place]:
    """Return the expressions that have a value before a record."""
    return [place for place, indices in facts.places.items() if indices[0] < index]


def refs(facts: Facts, at: Sequence[int]) -> list[tuple[Ref, Any, float]]:
    """Return what a repair may take at the last of some records, its value there, and its cost.

    A true quantity is one array: in a loop it is hardly what each round needs.
    """
    index = at[-1]
    if index not in facts.refs:
        facts.refs[index] = list(_refs(facts, index))
    if len(at) <= 2:
        return facts.refs[index]
    return [each for each in facts.refs[index] if each[0].key is None]


def _refs(facts: Facts, index: int) -> Iterator[tuple[Ref, Any, float]]:
    values, records = facts.followed.values, facts.followed.records
    seen = set[Any]()
    for place in pool(facts, index):
        latest = facts.latest(place, index)
        assert latest is not None
        value = values[latest]
        if value.dtype.kind != "f" or not _is_new(value, seen):
            continue
        named = latest in facts.followed.trace.named or latest < facts.followed.trace.input_count
        scope, own = records[latest].scope, records[index].scope
        if not (named or scope in (None, own) or getattr(scope, "parent", None) is own):
            continue  # within another function
        # What stands in another function has to be handed over first.
        is_here = scope is own or getattr(scope, "parent", None) is own
        is_far = not is_here and getattr(own, "parent", None) is not None
        yield Ref(place=place), value, (0.0 if named else 0.15) + 0.35 * is_far
    for place in pool(facts, index):
        latest = facts.latest(place, index)
        if latest in facts.slopes and _is_slope(facts.slopes[latest][1], seen):
            yield Ref(place=place, slope=True), facts.slopes[latest][1], 0.1
    for key, array in facts.known.arrays.items():
        if _is_slope(array, seen) if key.kind == "slope" else _is_new(array, seen):
            yield Ref(key=key), array, {"slope": 0.05, "value": 0.25, "adjoint": 0.5}[key.kind]


def walks(facts: Facts, at: Sequence[int]) -> Iterator[tuple[Ref, Any, float]]:
    """Yield what a repair of a loop may take that is another one in each round."""
    first, values = at[0], facts.followed.values
    if len(at) < 2 or (facts.round_of(at[-1]) == 0 and facts.round_of(at[1]) == 0):
        return
    places: list[Place] = [("list", n, "") for n in sorted(set(facts.input_lists))]
    places += [place for place in pool(facts, first) if isinstance(place[0], CodeType)]
    for place in places:
        family = facts.family(place, first)
        if len(family) < 2:
            continue
        for step in (1, -1):
            for start in range(len(family)):
                index = family[start]
                if values[index].dtype.kind != "f":
                    continue
                yield Ref(place=place, walk=(start, step)), values[index], 0.1
                if index in facts.slopes:
                    ref = Ref(place=place, slope=True, walk=(start, step))
                    yield ref, facts.slopes[index][1], 0.1


def _is_slope(value: Any, seen: set[Any]) -> bool:
    """Whether a slope is new, and not the same everywhere, as that of a multiple."""
    return bool(np.size(value) and np.ptp(value)) and _is_new(value, seen)


def _is_new(value: Any, seen: set[Any]) -> bool:
    """Whether an array has not been seen before; remembers it."""
    mark = (np.shape(value), value.tobytes())
    is_new = mark not in seen
    seen.add(mark)
    return is_new

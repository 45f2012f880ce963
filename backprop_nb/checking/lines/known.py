"""The true quantities of a loss, by name: every value, every adjoint, every slope."""

from __future__ import annotations

import ast
import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.report import in_advice, in_digits
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT, Record
from backprop_nb.tracing.reverse import reverse

Array: TypeAlias = NDArray[Any]
Kind: TypeAlias = Literal["value", "adjoint", "slope"]

_LONG = 6
"""A number of more characters is said by where it comes from, if that is known."""
SAME = 1e-9
"""So close to 1 is the cosine of two arrays of which one is a multiple of the other."""


class Key(NamedTuple):
    """Which quantity of a loss, whatever its arguments are."""

    kind: Kind
    record: int


class Match(NamedTuple):
    """A true quantity that an array is, perhaps transposed, times a number."""

    key: Key
    transposed: bool
    scale: float


@dataclass(frozen=True, eq=False)
class Known:
    """The true quantities of a traced loss: values, adjoints and slopes, each with its symbol.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> def loss(w, x):
    ...     z = w * x
    ...     return np.sum(np.tanh(z))
    >>> known = Known(bp.trace(loss, np.array([0.5, -1.0]), np.array([2.0, 3.0])))
    >>> [known.symbol(key) for key in known.arrays if key.kind == "adjoint"][:3]
    ['∂L/∂w', '∂L/∂x', '∂L/∂z']
    >>> [match] = known.matches(-2 * np.array([1.0, -3.0]))
    >>> known.symbol(match.key), match.scale
    ('z', -2.0)
    """

    trace: Trace
    lengths: Mapping[int, int] = field(default_factory=dict)
    """How long an axis of the inputs was before it was cut down, by its length here."""

    @cached_property
    def arrays(self) -> dict[Key, Any]:
        """Every quantity; of those with equal entries the first."""
        found: dict[Key, Any] = {}
        for key, array in self._all():
            size = np.size(array)
            if size and np.all(np.isfinite(array)) and np.any(array):
                found[key] = np.asarray(array, np.float64)
        return found

    @cached_property
    def adjoints(self) -> Sequence[Any]:
        """The adjoint of every record; None where the loss does not depend on it."""
        return reverse(self.trace, self.trace.records, np.ones_like(self.trace.value)[()])

    def _all(self) -> Iterator[tuple[Key, Any]]:
        records = self.trace.records
        for index, adjoint in enumerate(self.adjoints):
            if adjoint is not None:
                yield Key("adjoint", index), adjoint
        for index, (_, slope) in self.slopes.items():
            yield Key("slope", index), slope
        for index, record in enumerate(records):
            if record.value.dtype.kind == "f":
                yield Key("value", index), record.value

    @cached_property
    def slopes(self) -> dict[int, tuple[int, Any]]:
        """By record that is computed entry by entry from one other: that one, and the slope."""
        bases: dict[int, tuple[int, Any]] = {}
        carries, records = self.trace.carries, self.trace.records
        for index, record in enumerate(records):
            if record.row is None or not carries[index] or not _by_entry(record):
                continue
            parents = [(k, p) for k, p in enumerate(record.parents) if p is not None and carries[p]]
            starts = {bases[p][0] if p in bases else p for _, p in parents}
            if len(starts) != 1:
                continue
            start = starts.pop()
            if records[start].value.shape != record.value.shape:
                continue
            total: Any = 0.0
            for k, parent in parents:
                vjp = record.row.vjps[k]
                slope = bases[parent][1] if parent in bases else np.ones_like(record.value)
                if vjp is not None:
                    total = total + vjp(slope, record.value, *record.args, **record.keywords)
            bases[index] = (start, np.asarray(total))
        return bases

    def symbol(self, key: Key) -> str:
        """Return what a quantity is called, such as ``∂L/∂z1``."""
        name = self.name(key.record)
        if key.kind == "value":
            return name
        if key.kind == "slope":
            return f"∂{_closed(name)}/∂{_closed(self.name(self.slopes[key.record][0]))}"
        return f"∂L/∂{_closed(name)}"

    def symbol_apart(self, key: Key) -> str:
        """Return what a quantity is called beside code that may give its name to another one."""
        is_computed = key.kind == "value" and key.record >= self.trace.input_count
        return f"the loss's {_closed(self.name(key.record))}" if is_computed else self.symbol(key)

    def best_named(self, key: Key, is_on_the_way: bool = False) -> Key:
        """Return a quantity of equal value, rather one with a name: ``z`` for ``h @ W + b``.

        ``is_on_the_way`` prefers what is computed: of ∂L/∂z and ∂L/∂b, which are equal for a
        single sample, that from which other gradients are made.
        """
        equal = [
            each.key
            for each in self.matches(self.arrays[key])
            if abs(each.scale - 1) < SAME and not each.transposed and each.key.kind == key.kind
        ]
        inputs = self.trace.input_count
        named = [each for each in equal if each.record in self._named]
        computed = [each for each in named if each.record >= inputs] if is_on_the_way else []
        return next(iter([*computed, *named, *equal]), key)

    def name(self, index: int) -> str:
        """Return the learner's name of a record, or the expression that made it."""
        node = self.trace.nodes[index]
        return node.name if index in self._named or node.source is None else str(node.source)

    @cached_property
    def _named(self) -> frozenset[int]:
        return self.trace.named | frozenset(range(self.trace.input_count))

    @cached_property
    def _stacks(self) -> Mapping[int, tuple[list[tuple[Key, bool]], Array]]:
        """By size the quantities as unit vectors, each as it is and transposed."""
        rows: dict[int, list[tuple[tuple[Key, bool], Array]]] = defaultdict(list)
        for key, array in self.arrays.items():
            unit = array / np.linalg.norm(array)
            rows[array.size].append(((key, False), unit.ravel()))
            if array.ndim == 2 and 1 not in array.shape:
                rows[array.size].append(((key, True), unit.T.ravel()))
        return {
            size: ([each for each, _ in found], np.array([row for _, row in found]))
            for size, found in rows.items()
        }

    def matches(self, array: Any) -> list[Match]:
        """Return the quantities of which an array is a multiple; those it equals come first."""
        array = np.asarray(array)
        if array.size not in self._stacks or array.dtype.kind != "f":
            return []
        keys, units = self._stacks[array.size]
        flat = array.ravel().astype(np.float64)
        size = float(np.linalg.norm(flat))
        if not size or not np.isfinite(size):
            return []
        cosines = units @ (flat / size)
        near = np.flatnonzero(np.abs(np.abs(cosines) - 1) < SAME)
        found = []
        for k in near:
            key, transposed = keys[k]
            norm = float(np.linalg.norm(self.arrays[key]))
            if transposed and array.ndim != 2:
                continue
            found.append(Match(key, transposed, float(np.sign(cosines[k]) * size / norm)))
        return sorted(found, key=self._preference)

    @cached_property
    def factors(self) -> dict[float, str]:
        """The numbers that are likely factors, and how they are said."""
        found = self._of_lengths(self.trace.records[: self.trace.input_count])
        for record, node in zip(self.trace.records, self.trace.nodes, strict=True):
            pairs = zip(record.args, record.parents, strict=True)
            numbers = [x for x, p in pairs if p is None and isinstance(x, int | float)]
            if record.row is CONSTANT and np.ndim(record.value) == 0:
                numbers.append(float(record.value))
            for each in numbers:
                if not each or not np.isfinite(each):
                    continue
                number = abs(float(each))
                said = in_digits(number, 1e-7 * number)
                if len(said) > _LONG:  # which tells nobody where it comes from
                    is_made = record.row is CONSTANT and node.source and each > 0
                    said = f"the loss's {node.source}" if is_made else in_advice(number)
                inverse = in_advice(1 / number) if "/" in said else f"1/{said}"
                for value, text in ((number, said), (1 / number, inverse)):
                    found.setdefault(value, text)
        return found

    def _of_lengths(self, records: Sequence[Record]) -> dict[float, str]:
        """Return the numbers made of the lengths of some values, and how they are said."""
        found = {1.0: "1", 2.0: "2", 0.5: "1/2"}
        axes = sorted({n for each in records for n in each.value.shape if n > 1})
        sizes = [(n, self.lengths.get(n, n)) for n in axes]
        for n, whole in sizes:
            values = n, 1 / n, 2 / n, n / 2, 1 / (2 * n), 2 * n
            texts = "{0}", "1/{0}", "2/{0}", "{0}/2", "1/{1}", "{1}"
            for value, text in zip(values, texts, strict=True):
                found.setdefault(float(value), text.format(whole, 2 * whole))
        for (n, one), (m, other) in itertools.product(sizes, repeat=2):
            if f"{one * other}" not in found.values():  # of another length, before it was cut
                found.setdefault(float(n * m), f"{one * other}")
                found.setdefault(1 / (n * m), f"1/{one * other}")
            found.setdefault(n / m, f"{one}/{other}")
        return found

    @cached_property
    def averaged(self) -> frozenset[float]:
        """How many the loss takes means over: no number that is written in its formula.

        A ``np.mean``, and a division by ``len(X)`` or by a name.
        """
        found = set[float]()
        for record, node in zip(self.trace.records, self.trace.nodes, strict=True):
            name, parents = getattr(record.row, "name", ""), record.parents
            if name in _MEANS and parents[0] is not None:
                before = self.trace.records[parents[0]].value.size
                found.add(before / record.value.size)
            elif name in ("divide", "multiply") and None in parents:
                at = parents.index(None)
                number, written = record.args[at], _number_beside_a_name(node.source, at)
                if written and isinstance(number, int | float) and number:
                    count = number / written
                    found.add(float(count if name == "divide" else 1 / count))
        return frozenset(each for each in found if each > 1)

    def advice(self, value: float) -> str:
        """Return how a factor is said that may be none of the likely ones."""
        every = self._of_lengths(self.trace.records)
        return self.factor(value) or _among(every, value) or in_advice(value).replace("-", "−")

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The likely factors by how they are said, and with a minus."""
        known = self.factors.items()
        return {text: x for x, text in known} | {f"−{text}": -x for x, text in known}

    def factor(self, value: float) -> str | None:
        """Return how a likely factor is said; ``None`` for a number that is none."""
        return _among(self.factors, value)

    def is_exact(self, array: Any) -> bool:
        """Whether an array is a true quantity, and no mere multiple of one."""
        return self.exactness(array) > 0

    def exactness(self, array: Any) -> int:
        """Return 2 if an array is a true quantity, 1 if it is one transposed, or else 0."""
        for match in self.matches(array)[:1]:
            if abs(match.scale - 1) < SAME:
                return 1 if match.transposed else 2
        return 0

    def is_computed(self, array: Any) -> bool:
        """Whether an array is a value that the loss computes on its way forward."""
        return any(
            match.key.kind == "value"
            and match.key.record >= self.trace.input_count
            and abs(match.scale - 1) < SAME
            for match in self.matches(array)
        )

    def truth(self, array: Any) -> Hashable:
        """Return which true quantity an array is, or which row of one; ``None`` if it is none.

        Who goes through the samples one by one computes rows.
        """
        array = np.asarray(array)
        for match in self.matches(array)[:1]:
            if abs(match.scale - 1) < SAME:
                return match.key
        is_row = array.dtype.kind == "f" and max(array.shape, default=1) == array.size
        if not is_row or array.size not in self._rows:
            return None
        keys, rows = self._rows[array.size]
        flat = array.ravel().astype(np.float64)
        size = float(np.linalg.norm(flat))
        near = np.flatnonzero(np.linalg.norm(rows - flat, axis=1) <= SAME * size)
        return keys[near[0]] if size and len(near) else None

    @cached_property
    def _rows(self) -> Mapping[int, tuple[list[Hashable], Array]]:
        """By size the rows and the columns of all quantities."""
        found: dict[int, list[tuple[Hashable, Array]]] = defaultdict(list)
        for key, array in self.arrays.items():
            is_computed = key.kind != "value" or self.trace.records[key.record].parents
            if is_computed and array.ndim == 2 and 1 not in array.shape:
                for axis, rows in enumerate((array, array.T)):
                    found[len(rows[0])] += [((key, axis, k), row) for k, row in enumerate(rows)]
        return {
            size: ([key for key, _ in pairs], np.array([row for _, row in pairs]))
            for size, pairs in found.items()
        }

    def _preference(self, match: Match) -> tuple[bool, bool, bool]:
        """Return what sorts first what an array most likely stands for."""
        is_named = match.key.record in self._named
        return abs(match.scale - 1) > SAME, not is_named, match.transposed


_MEANS = ("mean", "nanmean", "average", "var", "std")


def _number_beside_a_name(source: str | None, side: int) -> float:
    """Return the 2 of a quotient by ``2 * len(X)``: 1 of one by a name alone, 0 without a name."""
    try:
        whole = ast.parse(f"({source})", mode="eval").body
    except SyntaxError:
        return 0.0
    sides = (whole.left, whole.right) if isinstance(whole, ast.BinOp) else ()
    names = [any(isinstance(each, ast.Name) for each in ast.walk(side)) for side in sides]
    return _number_in(sides[side]) if names == [True, True] else 0.0


def _number_in(node: ast.expr) -> float:
    match node:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _number_in(left) * _number_in(right)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _number_in(left) / (_number_in(right) or 1.0)
        case ast.Constant(value=int() | float() as value):
            return float(value)
    return 1.0


def _by_entry(record: Record) -> bool:
    row = record.row
    return bool(getattr(row, "is_elementwise", False) or getattr(row, "name", "") in ENTRY_BY_ENTRY)


ENTRY_BY_ENTRY = frozenset({"sigmoid", "where", "clip", "astype", "copy"})


def _closed(name: str) -> str:
    return name if name.isidentifier() else f"({name})"


def _among(factors: Mapping[float, str], value: float) -> str | None:
    for each, text in factors.items():
        if abs(abs(value) - each) <= 1e-7 * each:
            return f"{'−' if value < 0 else ''}{text}"
    return None

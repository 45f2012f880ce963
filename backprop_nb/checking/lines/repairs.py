"""What could be meant by an expression: the small edits that a person would make to it.

Each repair gives another value for one expression of a gradient function, from what the
function knows at that place and from the true quantities of the loss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import CodeType
from typing import Any, TypeAlias

import numpy as np

from backprop_nb.checking.lines.aliases import is_alias
from backprop_nb.checking.lines.facts import (
    Facts,
    Ref,
    argument_texts,
    closed,
    operands_of,
    own,
    place_of,
    ref_text,
    refs,
    walks,
)
from backprop_nb.checking.lines.followed import Change
from backprop_nb.checking.lines.known import Key
from backprop_nb.network.passes import sigma
from backprop_nb.tracing.record import Record

Make: TypeAlias = Callable[[Facts, int, Sequence[Any]], Any]
"""From the facts, a record and the values so far to the value after an edit."""
Words: TypeAlias = Callable[[Facts, int], str]
"""From the facts and a record to what a person would do."""


@dataclass(frozen=True, eq=False)
class Repair:
    """One edit of an expression."""

    kind: str
    cost: float
    make: Make
    words: Words
    key: Key | None = None
    operand: int | None = None
    """Which operand is exchanged, or −1 for what is called."""

    def change(self, facts: Facts, index: int) -> Change:
        """Return the change of one record."""
        return lambda values: self.make(facts, index, values)


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "*": np.multiply,
    "@": np.matmul,
    "+": np.add,
    "-": np.subtract,
    "/": np.divide,
    "outer": np.outer,
}


_SIGN = {
    "multiply": "*",
    "matmul": "@",
    "dot": "@",
    "add": "+",
    "subtract": "-",
    "divide": "/",
    "outer": "outer",
}


_ALIKE = ({"*", "@", "outer"}, {"+", "-"}, {"*", "/"})
"""Signs that are taken for each other."""


_MAX_OUTER = 10_000
"""An outer product of large arrays is huge."""
_UNARY: dict[str, Callable[[Any], Any]] = {
    "sigmoid": sigma,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "exp": np.exp,
    "the argument itself": lambda z: z,
    "log": np.log,
    "abs": np.abs,
}


_COMPARISONS = {
    "greater": np.greater,
    "less": np.less,
    "greater_equal": np.greater_equal,
    "less_equal": np.less_equal,
    "equal": np.equal,
    "not_equal": np.not_equal,
}


def edits(facts: Facts, index: int) -> Iterator[Repair]:
    """Yield the edits of the expression of one record that bring in nothing new."""
    record = facts.followed.records[index]
    yield from _operator_edits(facts, index, record)
    if len(facts.places[place_of(record, index)]) > 1:
        yield Repair("accumulation", 0.8, _added_up, said("write += in place of ="))
    yield from _option_edits(facts, index, record)
    for k, operand in enumerate(record.args):
        is_number = isinstance(operand, int | float) and not isinstance(operand, bool)
        if is_number and record.parents[k] is None:
            yield from _literal_edits(facts, record, k, operand)


def said(text: str) -> Words:
    """Return the words of a repair that are the same wherever it is made."""
    return lambda facts, index: text


def _added_up(facts: Facts, index: int, values: Sequence[Any]) -> Any:
    """Return the sum of what an expression has given in one call so far."""
    records = facts.followed.records
    before = facts.latest(place_of(records[index], index), index)
    value = own(facts, index, values)
    if before is None or records[before].scope is not records[index].scope:
        return value
    return values[before] + value


def _changed(k: int, change: Callable[[Any, Facts, int, Sequence[Any]], Any]) -> Make:
    """Return what computes an expression again after a change of one operand."""

    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        record = facts.followed.records[index]
        operands = operands_of(record, values)
        operands[k] = change(operands[k], facts, index, values)
        return record.row.call(*operands, **record.keywords)

    return make


def _with(k: int, ref: Ref) -> Make:
    """Return what takes another quantity as an operand."""
    return _changed(k, lambda _, facts, index, values: ref.get(facts, index, values))


def _operator_edits(facts: Facts, index: int, record: Record) -> Iterator[Repair]:
    name = getattr(record.row, "name", "")
    count = len(record.args)
    if count == 2 and name in _SIGN:
        entries = np.size(record.args[0]) * np.size(record.args[1])
        for sign, function in _BINARY.items():
            if sign == "outer" and entries > max(_MAX_OUTER, np.size(record.value)):
                continue
            for flip in (False, True):
                for left in (False, True):
                    for right in (False, True):
                        plainly = not (flip or left or right)
                        if plainly and sign == _SIGN[name]:
                            continue
                        if flip and sign in "*+":
                            continue
                        cost = 0.9 + 0.2 * (flip + left + right) + 0.1 * (sign != _SIGN[name])
                        cost += 0.5 * (not _are_alike(sign, _SIGN[name]))
                        yield Repair(
                            "operator",
                            cost,
                            _binary(function, flip, left, right),
                            _binary_words(sign, flip, left, right),
                        )
        for k in (0, 1) if name in ("add", "subtract") else ():
            yield Repair("operand", 1.1, _changed(k, lambda x, *_: x**2), _squared_words(k))
        for k in (0, 1):
            yield Repair("operand alone", 1.2, _operand(k), _operand_words(k))
            yield Repair("operand alone", 1.4, _transposed(_operand(k)), _operand_words(k, ".T"))
    if count == 1 and not is_alias(record) and getattr(record.row, "is_elementwise", False):
        for text, unary in _UNARY.items():
            if text != name:
                yield Repair("function", 1.0, _unary(unary), said(f"use {text} here"), operand=-1)
        yield Repair(
            "function", 1.0, _changed(0, lambda x, *_: -x), said("take it of the negative")
        )
    if name in _COMPARISONS and count == 2:
        for text, compare in _COMPARISONS.items():
            if text != name:
                yield Repair(
                    "comparison",
                    0.9,
                    _binary(compare, False, False, False),
                    said(f"np.{text} in place of np.{name}"),
                )


def _are_alike(sign: str, other: str) -> bool:
    return sign == other or any({sign, other} <= each for each in _ALIKE)


def _binary(function: Callable[[Any, Any], Any], flip: bool, left: bool, right: bool) -> Make:
    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        a, b = operands_of(facts.followed.records[index], values)
        a, b = (np.transpose(a) if left else a), (np.transpose(b) if right else b)
        return function(b, a) if flip else function(a, b)

    return make


def _binary_words(sign: str, flip: bool, left: bool, right: bool) -> Words:
    def words(facts: Facts, index: int) -> str:
        a, b = argument_texts(facts, index)
        a, b = f"{closed(a)}.T" if left else closed(a), f"{closed(b)}.T" if right else closed(b)
        a, b = (b, a) if flip else (a, b)
        text = f"np.outer({a}, {b})" if sign == "outer" else f"{a} {sign} {b}"
        return f"write {text}"

    return words


def _squared_words(k: int) -> Words:
    return lambda facts, index: f"square {argument_texts(facts, index)[k]}"


def _operand(k: int) -> Make:
    return lambda facts, index, values: operands_of(facts.followed.records[index], values)[k]


def _transposed(make: Make) -> Make:
    return lambda facts, index, values: np.transpose(make(facts, index, values))


def _operand_words(k: int, more: str = "") -> Words:
    return lambda facts, index: f"write {argument_texts(facts, index)[k]}{more} alone"


def _unary(function: Callable[[Any], Any]) -> Make:
    return lambda facts, index, values: function(
        operands_of(facts.followed.records[index], values)[0]
    )


def _option_edits(facts: Facts, index: int, record: Record) -> Iterator[Repair]:
    name = getattr(record.row, "name", "")
    if name in ("sum", "mean", "max", "min"):
        ndim = np.ndim(record.args[0])
        reductions = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min}
        for text, reduce in reductions.items():
            for axis in (None, *range(ndim)):
                for keep in (False, True):
                    option = {"axis": axis, "keepdims": keep}
                    yield Repair(
                        "axis",
                        0.9 + 0.2 * (text != name),
                        _reduced(reduce, option),
                        said(f"write np.{text}(…, axis={axis}{', keepdims=True' if keep else ''})"),
                    )
        yield Repair("operand alone", 1.2, _operand(0), _operand_words(0))
    if getattr(record.value, "ndim", 0) and record.value.dtype.kind == "f":
        for axis in (None, *range(record.value.ndim)):
            for keep in (False, True):
                yield Repair("axis", 1.1, _summed(axis, keep), _summed_words(axis, keep))
    if name == "assigned" and len(record.args) == 1 + len(record.keywords["at"]):
        yield Repair("accumulation", 0.9, _added, said("write += in place of ="))
    if "index" in record.keywords:
        at = record.keywords["index"]
        items = at if isinstance(at, tuple) else (at,)
        for position, item in enumerate(items):
            is_whole = isinstance(item, int | np.integer) and not isinstance(item, bool | np.bool_)
            if is_whole or (isinstance(item, np.ndarray) and item.dtype.kind in "iu"):
                for step in (-1, 1):
                    yield Repair(
                        "index",
                        1.1,
                        _picked(position, step),
                        said(f"the index is off by one ({step:+d})"),
                    )


def _summed(axis: int | None, keep: bool) -> Make:
    return lambda facts, index, values: np.sum(own(facts, index, values), axis=axis, keepdims=keep)


def _summed_words(axis: int | None, keep: bool) -> Words:
    where = "" if axis is None else f" over axis {axis}"
    return lambda facts, index: f"sum it{where}{', with keepdims=True' if keep else ''}"


def _added(facts: Facts, index: int, values: Sequence[Any]) -> Any:
    """Return an array after what is assigned to it has been added to what was there."""
    record = facts.followed.records[index]
    x, *new = operands_of(record, values)
    x = np.array(x)
    for place, value in zip(record.keywords["at"], new, strict=True):
        np.add.at(x, place, value)
    return x


def _reduced(reduce: Any, option: dict[str, Any]) -> Make:
    return lambda facts, index, values: reduce(
        operands_of(facts.followed.records[index], values)[0], **option
    )


def _picked(position: int, step: int) -> Make:
    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        record = facts.followed.records[index]
        at = record.keywords["index"]
        items = list(at) if isinstance(at, tuple) else [at]
        items[position] = items[position] + step
        if np.ndim(items[position]) == 0 and items[position] < 0 <= items[position] - step:
            raise IndexError
        new = tuple(items) if isinstance(at, tuple) else items[0]
        operands = operands_of(record, values)
        return record.row.call(*operands, **{**record.keywords, "index": new})

    return make


def exchanges(facts: Facts, at: Sequence[int]) -> Iterator[Repair]:
    """Yield the edits that exchange an operand for another quantity."""
    index = at[-1]
    first = operands_of(facts.followed.records[at[0]], facts.followed.values)
    for k, operand in enumerate(first):
        for ref, value, cost in walks(facts, at):
            for transposed in (False, True) if np.ndim(value) == 2 else (False,):
                if (np.shape(value)[::-1] if transposed else np.shape(value)) == np.shape(operand):
                    used = Ref(ref.place, None, transposed, ref.slope, ref.walk)
                    yield Repair(
                        "operand", 1.0 + cost, _with(k, used), _with_words(k, used), operand=k
                    )
    record = facts.followed.records[index]
    values = facts.followed.values
    operands = operands_of(record, values)
    is_odd = [
        parent is not None
        and isinstance(place_of(facts.followed.records[parent], parent)[0], CodeType)
        and not facts.known.is_exact(values[parent])
        for parent in record.parents
    ]
    for k, operand in enumerate(operands):
        shape = np.shape(operand)
        if shape == () and record.parents[k] is None:
            if isinstance(operand, int | float) and not isinstance(operand, bool):
                for ref, value, cost in refs(facts, at):
                    if (
                        ref.key is None
                        and not ref.slope
                        and np.ndim(value) <= np.ndim(record.value)
                    ):
                        yield Repair("operand", 1.1 + cost, _with(k, ref), _with_words(k, ref))
            continue
        for ref, value, cost in refs(facts, at):
            for transposed in (False, True):
                if transposed and np.ndim(value) != 2:
                    continue
                new = np.shape(value)[::-1] if transposed else np.shape(value)
                if new != shape and not (len(new) == len(shape) and len(record.args) == 2):
                    continue
                used = Ref(ref.place, ref.key, transposed, ref.slope)
                if is_alias(record) and ref.key is not None and ref.key.kind == "adjoint":
                    continue  # which says nothing, least of all of what is handed over
                # To put a true value in the place of an operand is to say that this is wrong.
                blames = 0.0
                if ref.key is not None:
                    blames = 1.5 if ref.key.kind != "slope" else 0.0
                if ref.slope or (ref.key is not None and ref.key.kind == "slope"):
                    blames = 1.0 * is_odd[k]
                if new == shape and ref.slope and len(record.args) == 2 and not transposed:
                    yield Repair(
                        "factor",
                        1.2 + cost,
                        _changed(k, partial(_scaled_by, used)),
                        _scaled_words(k, used),
                    )
                yield Repair(
                    "operand",
                    1.0 + cost + 0.2 * transposed + blames,
                    _with(k, used),
                    _with_words(k, used),
                    operand=k,
                )


def _literal_edits(facts: Facts, record: Record, k: int, operand: float) -> Iterator[Repair]:
    for value in {0.0, 1.0, 2.0, 0.5, -operand, 1 - operand, *facts.constants}:
        if value != operand:
            yield Repair(
                "number",
                1.0 if value else 1.4,
                _changed(k, partial(_constantly, value)),
                said(f"{facts.constant(value) or f'{value:g}'} in place of {operand:g}"),
            )


def _constantly(number: float, *_: Any) -> float:
    return number


def _scaled_by(ref: Ref, x: Any, facts: Facts, index: int, values: Sequence[Any]) -> Any:
    return x * ref.get(facts, index, values)


def _scaled_words(k: int, ref: Ref) -> Words:
    return lambda facts, index: (
        f"multiply {argument_texts(facts, index)[k]} by {ref_text(facts, index, ref)}"
    )


def _with_words(k: int, ref: Ref) -> Words:
    return lambda facts, index: (
        f"{ref_text(facts, index, ref)} in place of {argument_texts(facts, index)[k]}"
    )


def quantity(key: Key, transposed: bool, scale: float, shape: tuple[int, ...]) -> Make:
    """Return what puts a true quantity there."""

    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        array = facts.known.arrays[key]
        array = array.T if transposed else array
        return (scale * array).reshape(shape)[()]

    return make


def times(ref: Ref, rest: bool = False) -> Make:
    """Return what multiplies by a quantity, or by 1 minus it."""

    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        factor = ref.get(facts, index, values)
        return own(facts, index, values) * (1 - factor if rest else factor)

    return make


def times_words(ref: Ref, rest: bool = False) -> Words:
    """Return how that is said."""

    def words(facts: Facts, index: int) -> str:
        text = ref_text(facts, index, ref)
        return f"multiply it by {f'(1 − {text})' if rest else text}"

    return words


def over(ref: Ref) -> Make:
    """Return what divides by a quantity."""
    return lambda facts, index, values: own(facts, index, values) / ref.get(facts, index, values)


def over_words(ref: Ref) -> Words:
    """Return how that is said."""
    return lambda facts, index: f"leave out the factor {ref_text(facts, index, ref)}"


def plus(ref: Ref, scale: float) -> Make:
    """Return what adds a multiple of a quantity."""
    return lambda facts, index, values: (
        own(facts, index, values) + scale * ref.get(facts, index, values)
    )


def plus_words(ref: Ref, text: str) -> Words:
    """Return how that is said."""
    return lambda facts, index: f"add {text}{ref_text(facts, index, ref)}"


def scaled(scale: float) -> Make:
    """Return what multiplies by a number."""
    return lambda facts, index, values: scale * own(facts, index, values)

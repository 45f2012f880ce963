"""What could be meant by an expression: the small edits that a person would make to it.

Each repair gives another value for one expression of a gradient function, from what the
function knows at that place and from the true quantities of the loss.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from types import CodeType
from typing import Any, TypeAlias

import numpy as np

from backprop_nb.checking.lines.aliases import is_alias
from backprop_nb.checking.lines.facts import (
    Facts,
    Ref,
    argument_texts,
    closed,
    own,
    place_of,
    ref_text,
    refs,
    walks,
)
from backprop_nb.checking.lines.followed import Change, operands_of
from backprop_nb.checking.lines.known import Key
from backprop_nb.checking.report import in_advice
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


def said(template: str, k: int | None = None, ref: Ref | None = None) -> Words:
    """Return the words of a repair, with ``{x}`` for its operand and ``{ref}`` for a quantity."""

    def words(facts: Facts, index: int) -> str:
        x = "" if k is None else argument_texts(facts, index, apart=True)[k]
        return template.format(x=x, ref="" if ref is None else ref_text(facts, index, ref))

    return words


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


def _operator_edits(facts: Facts, index: int, record: Record) -> Iterator[Repair]:
    name = getattr(record.row, "name", "")
    count = len(record.args)
    if count == 2 and name in _SIGN:
        entries = np.size(record.args[0]) * np.size(record.args[1])
        for sign, function in _BINARY.items():
            if sign == "outer" and entries > max(_MAX_OUTER, np.size(record.value)):
                continue
            for how in product((False, True), repeat=3):
                flip, *_ = how
                if (not any(how) and sign == _SIGN[name]) or (flip and sign in "*+"):
                    continue
                cost = 0.9 + 0.2 * sum(how) + 0.1 * (sign != _SIGN[name])
                cost += 0.5 * (not _are_alike(sign, _SIGN[name]))
                yield Repair("operator", cost, _binary(function, *how), _binary_words(sign, *how))
        for k in (0, 1) if name in ("add", "subtract") else ():
            yield Repair("operand", 1.1, _changed(k, lambda x, *_: x**2), said("square {x}", k))
        for k in (0, 1):
            yield Repair("operand alone", 1.2, _operand(k), said("write {x} alone", k))
            transposed = _applied(np.transpose, k)
            yield Repair("operand alone", 1.4, transposed, said("write {x}.T alone", k))
    if count == 1 and not is_alias(record) and getattr(record.row, "is_elementwise", False):
        for text, unary in _UNARY.items():
            if text != name:
                yield Repair("function", 1.0, _applied(unary), said(f"use {text} here"), operand=-1)
        negative = _changed(0, lambda x, *_: -x)
        yield Repair("function", 1.0, negative, said("take it of the negative"))
    if name in _COMPARISONS and count == 2:
        for text, compare in _COMPARISONS.items():
            if text != name:
                words = said(f"np.{text} in place of np.{name}")
                yield Repair("comparison", 0.9, _binary(compare), words)


def _are_alike(sign: str, other: str) -> bool:
    return sign == other or any({sign, other} <= each for each in _ALIKE)


def _binary(
    function: Callable[[Any, Any], Any],
    flip: bool = False,
    left: bool = False,
    right: bool = False,
) -> Make:
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


def _operand(k: int) -> Make:
    return lambda facts, index, values: operands_of(facts.followed.records[index], values)[k]


def _applied(function: Callable[..., Any], k: int = 0, **options: Any) -> Make:
    """Return what applies a function to one operand."""
    return lambda facts, index, values: function(_operand(k)(facts, index, values), **options)


def _option_edits(facts: Facts, index: int, record: Record) -> Iterator[Repair]:
    name = getattr(record.row, "name", "")
    if name in ("sum", "mean", "max", "min"):
        ndim = np.ndim(record.args[0])
        reductions: dict[str, Callable[..., Any]] = {
            "sum": np.sum,
            "mean": np.mean,
            "max": np.max,
            "min": np.min,
        }
        axes = (None, *range(ndim))
        for (text, reduce), axis, keep in product(reductions.items(), axes, (False, True)):
            words = said(f"write np.{text}(…, axis={axis}{', keepdims=True' if keep else ''})")
            reduced = _applied(reduce, axis=axis, keepdims=keep)
            yield Repair("axis", 0.9 + 0.2 * (text != name), reduced, words)
        yield Repair("operand alone", 1.2, _operand(0), said("write {x} alone", 0))
    if getattr(record.value, "ndim", 0) and record.value.dtype.kind == "f":
        for axis, keep in product((None, *range(record.value.ndim)), (False, True)):
            where = "" if axis is None else f" over axis {axis}"
            words = said(f"sum it{where}{', with keepdims=True' if keep else ''}")
            yield Repair("axis", 1.1, _summed(axis, keep), words)
    if name == "assigned" and len(record.args) == 1 + len(record.keywords["at"]):
        yield Repair("accumulation", 0.9, _added, said("write += in place of ="))
    if "index" in record.keywords:
        at = record.keywords["index"]
        items = at if isinstance(at, tuple) else (at,)
        for position, item in enumerate(items):
            is_whole = isinstance(item, int | np.integer) and not isinstance(item, bool | np.bool_)
            if is_whole or (isinstance(item, np.ndarray) and item.dtype.kind in "iu"):
                for step in (-1, 1):
                    words = said(f"the index is off by one ({step:+d})")
                    yield Repair("index", 1.1, _picked(position, step), words)


def _summed(axis: int | None, keep: bool) -> Make:
    return lambda facts, index, values: np.sum(own(facts, index, values), axis=axis, keepdims=keep)


def _added(facts: Facts, index: int, values: Sequence[Any]) -> Any:
    """Return an array after what is assigned to it has been added to what was there."""
    record = facts.followed.records[index]
    x, *new = operands_of(record, values)
    x = np.array(x)
    for place, value in zip(record.keywords["at"], new, strict=True):
        np.add.at(x, place, value)
    return x


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
                    yield _exchange(1.0 + cost, k, used, operand=k)
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
                    is_none = ref.key is None and not ref.slope
                    if is_none and np.ndim(value) <= np.ndim(record.value):
                        yield _exchange(1.1 + cost, k, ref)
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
                    make = _changed(k, partial(_scaled_by, used))
                    yield Repair("factor", 1.2 + cost, make, said("multiply {x} by {ref}", k, used))
                yield _exchange(1.0 + cost + 0.2 * transposed + blames, k, used, operand=k)


def _exchange(cost: float, k: int, ref: Ref, operand: int | None = None) -> Repair:
    """Return the repair that takes another quantity as an operand."""
    make = _changed(k, lambda _, facts, index, values: ref.get(facts, index, values))
    return Repair("operand", cost, make, said("{ref} in place of {x}", k, ref), operand=operand)


def _literal_edits(facts: Facts, record: Record, k: int, operand: float) -> Iterator[Repair]:
    for value in {0.0, 1.0, 2.0, 0.5, -operand, 1 - operand, *facts.constants}:
        if value != operand:
            words = said(f"{facts.constant(value) or in_advice(value)} in place of {{x}}", k)
            make = _changed(k, lambda *_, value=value: value)
            yield Repair("number", 1.0 if value else 1.4, make, words)


def _scaled_by(ref: Ref, x: Any, facts: Facts, index: int, values: Sequence[Any]) -> Any:
    return x * ref.get(facts, index, values)


def quantity(
    cost: float, key: Key, transposed: bool, shape: tuple[int, ...], scale: float
) -> Repair:
    """Return the repair that puts a multiple of a true quantity there."""

    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        array = facts.known.arrays[key]
        array = array.T if transposed else array
        is_as_long = array.size == math.prod(shape)
        its = shape if is_as_long else np.shape(facts.followed.values[index])
        return (scale * array).reshape(its)[()]

    return Repair("quantity", cost, make, said(""), key)


def times(cost: float, ref: Ref, rest: bool = False) -> Repair:
    """Return the repair that multiplies by a quantity, or by 1 minus it."""

    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        factor = ref.get(facts, index, values)
        return own(facts, index, values) * (1 - factor if rest else factor)

    words = "multiply it by (1 − {ref})" if rest else "multiply it by {ref}"
    return Repair("factor", cost, make, said(words, ref=ref))


def over(cost: float, ref: Ref) -> Repair:
    """Return the repair that divides by a quantity."""

    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        return own(facts, index, values) / ref.get(facts, index, values)

    return Repair("factor", cost, make, said("leave out the factor {ref}", ref=ref))


def plus(cost: float, ref: Ref, scale: float, text: str) -> Repair:
    """Return the repair that adds a multiple of a quantity, which is said as ``text``."""

    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        return own(facts, index, values) + scale * ref.get(facts, index, values)

    return Repair("term", cost, make, said(f"add {text}{{ref}}", ref=ref))


def scaled(cost: float, scale: float, text: str) -> Repair:
    """Return the repair that multiplies by a number."""

    def make(facts: Facts, index: int, values: Sequence[Any]) -> Any:
        return scale * own(facts, index, values)

    return Repair("constant", cost, make, said(f"multiply it by {text}"))

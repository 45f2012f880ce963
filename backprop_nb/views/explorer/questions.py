"""What a reader is asked before a step back is shown, with everything that judges the answer.

A page has no kernel to ask, so a question carries the number that is right, the
wrong ones that have a name, and its hints.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.backward import Contribution
from backprop_nb.tracing.emit.rule import Operand, Rule
from backprop_nb.views import links, numbers
from backprop_nb.views.explorer.description import Arrival
from backprop_nb.views.explorer.schema import Question
from backprop_nb.views.numbers import COLUMNS, ROWS, long

_NOISE = 1e-12
"""A number so much smaller than what it is made of is zero but for rounding."""
_DISTINCT = 0.02
"""Wrong answers nearer to each other than this share cannot be told apart."""
_TERMS = 4
"""How many terms of a sum of products a hint spells out."""

_SLOPES = "A function of each entry: the adjoint times the slope, entry by entry."
_CHAIN = "The chain rule: the adjoint of {node} times the derivative of {call} by {parent}."


def question(arrival: Arrival) -> Question | None:
    """Return what is asked about a contribution, or ``None`` where no entry is a number.

    The last of several contributions is asked for together with the others, as
    the whole adjoint.
    """
    contribution, rule = arrival.contribution, arrival.rule
    value = np.asarray(arrival.value, dtype=np.float64)
    whole = arrival.completes_a_sum
    asked = np.asarray(arrival.total, dtype=np.float64) if whole else value
    place = _place(asked)
    if place is None:
        return None
    entry, index = place
    text = _numbers(contribution, rule, index)
    size = max(abs(value[index]), np.abs(contribution.adjoint).max(initial=0.0))
    if whole:
        before = float(np.asarray(arrival.before)[index])
        size = max(size, abs(before))
        text = f"{_bracketed(before)} + {text}"
    return {
        "entry": entry,
        "at": f"[{', '.join(map(str, index))}]" if index else "",
        "value": _rounded(float(asked[index]), float(size)),
        "wrong": _wrong(asked, index, _mistakes(arrival)),
        "rule": _first_hint(contribution),
        "numbers": text,
    }


def seed_question(name: str) -> Question:
    """Return what is asked about the adjoint of the output itself."""
    return {
        "entry": 0,
        "at": "",
        "value": 1.0,
        "wrong": {},
        "rule": f"By how much does {name} change when {name} changes by 1?",
        "numbers": f"{name} changes by 1 when {name} changes by 1",
    }


def _place(array: Any) -> tuple[int, tuple[int, ...]] | None:
    """Return the largest entry among those that a view shows: its number there, and its index."""
    sizes = np.abs(numbers.table(array)[:ROWS, :COLUMNS])
    entry = int(sizes.argmax()) if sizes.size else 0
    if not sizes.size or not math.isfinite(sizes.flat[entry]):  # one that is not is the largest
        sizes[~np.isfinite(sizes)] = -1.0
        if sizes.max(initial=-1.0) < 0:
            return None
        entry = int(sizes.argmax())
    row, column = divmod(entry, sizes.shape[1])
    if array.ndim <= 2:
        return entry, (row, column)[2 - array.ndim :]
    return entry, (*map(int, np.unravel_index(row, array.shape[:-1])), column)


def _rounded(number: float, size: float) -> float:
    return 0.0 if abs(number) <= _NOISE * size else float(f"{number:.6g}")


def _mistakes(arrival: Arrival) -> dict[str, Any]:
    """Return what named mistakes give, as arrays."""
    contribution = arrival.contribution
    if arrival.completes_a_sum:
        return {"last": arrival.value, "before": arrival.before}
    found: dict[str, Any] = {}
    if np.ndim(contribution.adjoint) in (0, np.ndim(arrival.value)):
        found["incoming"] = contribution.adjoint
    if arrival.rule.product[0] not in ("@", "⊗"):
        local = arrival.rule.applied(np.ones_like(contribution.adjoint)[()])
        found |= {} if local is None else {"local": local}
    return found


def _wrong(asked: Any, index: tuple[int, ...], mistakes: Mapping[str, Any]) -> dict[str, float]:
    """Return the wrong numbers that are certain: far from right, its opposite, and each other."""
    right = float(asked[index])
    given = {
        name: float(value if np.ndim(value) == 0 else np.asarray(value)[index])
        for name, value in mistakes.items()
        if np.shape(value) in ((), asked.shape)
    }
    return {
        name: _rounded(number, 0.0)
        for name, number in given.items()
        if np.isfinite(number)
        and _are_distinct(abs(number), abs(right))
        and all(_are_distinct(number, other) for key, other in given.items() if key != name)
    }


def _are_distinct(a: float, b: float) -> bool:
    return not abs(a - b) <= _DISTINCT * max(abs(a), abs(b))


def _first_hint(contribution: Contribution) -> str:
    node = contribution.node
    row = node.record.row
    if row.in_words:
        return str(row.in_words)
    if row.is_elementwise and len(node.parents) == 1:
        return _SLOPES
    call = str(node.source or node.op)
    return _CHAIN.format(node=node.name, call=call, parent=contribution.parent.name)


# --- the last hint: the rule with numbers in place ------------------------------


def _numbers(contribution: Contribution, rule: Rule, index: tuple[int, ...]) -> str:
    symbol, factors = rule.product
    if symbol == "×" and all(_reaches(factor.value, index) for factor in factors):
        return " × ".join(_bracketed(_entry(factor.value, index)) for factor in factors)
    if symbol == "⊗" and len(index) == 2:
        left, right = (np.ravel(factor.value)[k] for factor, k in zip(factors, index, strict=True))
        return f"{_bracketed(left)} × {_bracketed(right)}"
    if symbol == "@":
        return _sum_of_products(factors, index) or _with_values(contribution, rule)
    return _entrywise(contribution, rule, index) or _with_values(contribution, rule)


def _reaches(value: Any, index: tuple[int, ...]) -> bool:
    return np.ndim(value) in (0, len(index)) and not any(
        k >= n for k, n in zip(index, np.shape(value), strict=False)
    )


def _entry(value: Any, index: tuple[int, ...]) -> float:
    return float(value if np.ndim(value) == 0 else np.asarray(value)[index])


def _sum_of_products(factors: Sequence[Operand], index: tuple[int, ...]) -> str:
    """Spell out one entry of a matrix product; empty where there are more axes than two."""
    left, right = (np.asarray(factor.value) for factor in factors)
    if not (1 <= left.ndim <= 2 and 1 <= right.ndim <= 2):
        return ""
    row = left[index[0]] if left.ndim == 2 else left
    column = right[:, index[-1]] if right.ndim == 2 else right
    count = len(row)
    spelled = count if count <= _TERMS else _TERMS - 1
    pairs = zip(row[:spelled].tolist(), column[:spelled].tolist(), strict=True)
    terms = [f"{_bracketed(a)} × {_bracketed(b)}" for a, b in pairs]
    return " + ".join(terms if spelled == count else [*terms, f"… ({count} products)"])


def _entrywise(contribution: Contribution, rule: Rule, index: tuple[int, ...]) -> str:
    """Put numbers in place of names where every entry is computed by itself; else empty."""
    shape = np.shape(contribution.value)
    records = rule.traced.records[rule.traced.input_count :]
    by_entry = all(getattr(record.row, "is_elementwise", False) for record in records)
    values = _values(contribution, rule)
    if not by_entry or any(np.shape(value) not in ((), shape) for value in values.values()):
        return ""
    if len(records) == 0:
        return long(_entry(contribution.adjoint, index))
    text = links.replaced(rule.numpy, lambda link: _bracketed(_entry(values[link], index)))
    return text.replace(" * ", " × ").replace("-", numbers.MINUS)


def _with_values(contribution: Contribution, rule: Rule) -> str:
    text, names = links.read(rule.numpy)
    values = _values(contribution, rule)
    known = {text[start:end]: values[link] for start, end, link in names}
    return ", ".join([text, *(f"{name} {_briefly(value)}" for name, value in known.items())])


def _briefly(value: Any) -> str:
    few = np.size(value) <= COLUMNS
    return f"= {numbers.words(value)}" if few else f"of shape {numbers.shape_text(value.shape)}"


def _values(contribution: Contribution, rule: Rule) -> dict[str, Any]:
    """Return the value behind every link that the rule names."""
    node, held = contribution.node, contribution.rules.values
    return {
        links.link(node.parents[leaf - 2] if leaf > 1 else node, leaf == 0): held[leaf]
        for leaf in rule.leaves
    }


def _bracketed(number: float) -> str:
    text = long(float(number))
    return f"({text})" if text.startswith(numbers.MINUS) else text

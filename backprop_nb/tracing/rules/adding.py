"""What the entries of one array receive, added where they lie: the transpose of many picks.

A loop over the columns of a table picks one after the other.  An array of the whole size for
each, all added up, would take time with the square of their number; here there is one array.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.form import is_array, text_of
from backprop_nb.tracing.rules.indexing import fill_index, index_text, open_index
from backprop_nb.tracing.rules.row import dispatched, row
from backprop_nb.tracing.rules.template import (
    ATOM,
    LOOSE,
    PRODUCT,
    SUM,
    UNARY,
    Printed,
    Template,
    literal,
)


def names_no_entry_twice(index: Any) -> bool:
    """Whether an index is made of whole numbers, slices and masks."""
    items = index if isinstance(index, tuple) else (index,)
    return not any(is_array(item) and item.dtype != bool for item in items)


def add_at(total: Any, g: Any, index: Any) -> None:
    """Add ``g`` to the entries of ``total`` at an index, in place."""
    if names_no_entry_twice(index):
        total[index] += g
    else:
        np.add.at(total, index, g)  # ``+=`` would add only the last one


@dispatched
def added_at(*values: Any, at: Sequence[Any], shape: tuple[int, ...] | None = None) -> Any:
    """Return zeros of ``shape`` after ``total[at[0]] += values[0]`` and so on.

    Without a shape the first of the values is what the others are added to.
    """
    if shape is None:
        total, values = np.array(values[0]), values[1:]
    else:
        total = np.zeros(shape, dtype=np.result_type(*values))
    for index, value in zip(at, values, strict=True):
        add_at(total, value, index)
    return total


def _bind(
    *values: Any, at: Sequence[Any], shape: tuple[int, ...] | None = None
) -> tuple[list[Any], dict[str, Any]]:
    arrays: list[Any] = []
    places = tuple(open_index(index, arrays) for index in at)
    once = tuple(map(names_no_entry_twice, at))
    dtype = np.result_type(*(getattr(value, "dtype", value) for value in values)).name
    return [*values, *arrays], {"at": places, "once": once, "shape": shape, "dtype": dtype}


def count_of_values(options: Mapping[str, Any]) -> int:
    """Return how many operands are added up; those after them stand in the places."""
    return len(options["at"]) + (options["shape"] is None)


def _compute(*operands: Any, **options: Any) -> Any:
    count = count_of_values(options)
    places = [fill_index(index, operands[count:]) for index in options["at"]]
    return added_at(*operands[:count], at=places, shape=options["shape"])


def _vjps(g: Any, ans: Any, *operands: Any, **options: Any) -> Callable[[int], Any]:
    """Hand to each value the adjoint of the entries that it was added to."""
    count, first = count_of_values(options), int(options["shape"] is None)

    def vjp(position: int) -> Any:
        if position < first:
            return g
        return g[fill_index(options["at"][position - first], operands[count:])]

    return vjp


def statement(
    name: str, arguments: Sequence[Printed], keywords: Mapping[str, Any], shape: tuple[int, ...]
) -> list[str]:
    """Return the lines that do it as a person would write it."""
    start, values, arrays = _parts(arguments, keywords)
    lines = [f"{name} = {_start(start, keywords, shape)}"]
    for index, once, (value, precedence) in zip(
        keywords["at"], keywords["once"], values, strict=True
    ):
        whole = index is ... and shape
        place = name if whole else f"{name}[{index_text(index, arrays)}]"
        if not once:
            lines.append(f"np.add.at({name}, {text_of(index, arrays)}, {value})")
        elif value.startswith("-") and precedence in (UNARY, PRODUCT) and not _rounds(value):
            lines.append(f"{place} -= {_without_brackets(value[1:])}")
        else:
            lines.append(f"{place} += {value}")
    return lines


def _rounds(value: str) -> bool:
    """Whether ``-a // b`` or ``-a % b`` may stand in a text, which is not ``-(a // b)``."""
    return "//" in value or "%" in value


def _without_brackets(text: str) -> str:
    """Return an expression without the brackets around all of it."""
    # Python counts brackets to what they stand around only where it is no tuple.
    is_around = text.startswith("(") and ast.parse(text, mode="eval").body.col_offset > 0
    return text[1:-1] if is_around else text


def _parts(
    arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> tuple[Any, Sequence[Any], list[str]]:
    """Return what is added to, what is added, and the names of what stands in the places."""
    count, first = count_of_values(keywords), int(keywords["shape"] is None)
    arrays = [each if isinstance(each, str) else each[0] for each in arguments[count:]]
    return arguments[0] if first else None, arguments[first:count], arrays


def _start(start: Printed | None, keywords: Mapping[str, Any], shape: tuple[int, ...]) -> str:
    """Return the text of an array that nobody else holds."""
    dtype = "" if keywords["dtype"] == "float64" else f", dtype=np.{keywords['dtype']}"
    if start is None:
        return f"np.zeros({literal(shape)}{dtype})"
    text, precedence = start
    if not shape:  # NumPy's copy may be a number, which cannot be added to in place
        return f"np.array({text}, dtype=np.{keywords['dtype']})"
    return f"{text}.copy()" if precedence is ATOM else text  # an operator makes an array anew


def _text(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    """Return how it reads inside of a sentence; as source it takes lines of its own."""
    start, values, arrays = _parts(arguments, keywords)
    places = (index_text(index, arrays) for index in keywords["at"])
    changes = [f"[{place}] += {value}" for place, value in zip(places, values, strict=True)]
    zeros = f"np.zeros({literal(keywords['shape'])})"
    return f"{start or zeros} with {', '.join(changes)}"


def _latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    start, values, arrays = _parts(arguments, keywords)
    places = (index_text(index, arrays, {}) for index in keywords["at"])
    texts = [
        value if index is ... else rf"\mathrm{{scatter}}_{{[{place}]}}({value})"
        for index, place, value in zip(keywords["at"], places, values, strict=True)
    ]
    return " + ".join([*([start] if start else []), *texts])


ROWS = (
    row(
        added_at,
        joint=_vjps,
        bind=_bind,
        compute=_compute,
        numpy=Template(_text, LOOSE, (LOOSE,)),
        latex=Template(_latex, SUM, (LOOSE,)),
        statement=statement,
        symbol="[ ] +=",
        title="The sum at places",
    ),
)

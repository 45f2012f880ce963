"""Print a graph as one nested expression: precedence and substitution for both notations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT, Record
from backprop_nb.tracing.rules.row import Binding, Row

Notation = Literal["numpy", "latex"]
Printed = tuple[str, Binding]
"""A text, and how tightly it holds together."""


def print_records(
    graph: Trace,
    leaves: Sequence[Printed],
    notation: Notation,
    number: Callable[[Any], str],
) -> list[Printed]:
    """Return every node of ``graph`` as one expression in its inputs.

    Parameters
    ----------
    graph
        What to print; its nodes are put into each other.
    leaves
        What stands for each input.
    notation
        Which of the rows' two forms to use.
    number
        How literals and constants print.
    """
    printed: list[Printed] = list(leaves)
    for record in graph.records[len(leaves) :]:
        if record.row is CONSTANT:
            printed.append(atom(number(record.value)))
            continue
        arguments = [
            atom(number(value)) if parent is None else printed[parent]
            for parent, value in zip(record.parents, record.args, strict=True)
        ]
        printed.append(print_call(record, arguments, notation))
    return printed


def print_call(record: Record, arguments: Sequence[Printed], notation: Notation) -> Printed:
    """Return one recorded call with its arguments put in."""
    with_number = any(np.ndim(value) == 0 for value in record.args)
    return print_form(record.row, arguments, record.keywords, notation, with_number)


def print_form(
    row: Row,
    arguments: Sequence[Printed],
    keywords: Mapping[str, Any],
    notation: Notation,
    with_number: bool,
) -> Printed:
    """Return a call with its arguments put in, and brackets where they are needed.

    ``with_number`` says whether one of the arguments is a number.
    """
    form = row.numpy if notation == "numpy" else row.latex
    if notation == "latex" and with_number and row.latex_with_number is not None:
        form = row.latex_with_number
    texts = [
        f"({text})" if binding < form.need(k) else text
        for k, (text, binding) in enumerate(arguments)
    ]
    return form.fill(texts, keywords), form.binding


def atom(text: str) -> Printed:
    """Return a printed number with its binding: a sign or a power of ten is no atom."""
    if "^" in text:
        return text, Binding.PRODUCT
    return text, Binding.UNARY if text.startswith("-") else Binding.ATOM

"""Print a graph as one nested expression: precedence and substitution for both notations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from backprop_nb.tracing.graph import CONSTANT, Graph, Record
from backprop_nb.tracing.rules.row import Binding, Form

Notation = Literal["numpy", "latex"]
Printed = tuple[str, Binding]
"""A text, and how tightly it holds together."""


def print_records(
    graph: Graph,
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
            printed.append(_atom(number(record.value)))
            continue
        arguments = [
            _atom(number(value)) if parent is None else printed[parent]
            for parent, value in zip(record.parents, record.args, strict=True)
        ]
        printed.append(print_call(record, arguments, notation))
    return printed


def print_call(record: Record, arguments: Sequence[Printed], notation: Notation) -> Printed:
    """Return one call with its arguments put in, and brackets where they are needed."""
    form = _form(record, notation)
    texts = [
        f"({text})" if binding < form.need(k) else text
        for k, (text, binding) in enumerate(arguments)
    ]
    return form.fill(texts, record.keywords), form.binding


def _form(record: Record, notation: Notation) -> Form:
    form: Form = record.row.numpy if notation == "numpy" else record.row.latex
    special: Form | None = record.row.latex_with_number
    if notation == "latex" and special and any(np.ndim(value) == 0 for value in record.args):
        return special
    return form


def _atom(text: str) -> Printed:
    return text, Binding.UNARY if text.startswith("-") else Binding.ATOM

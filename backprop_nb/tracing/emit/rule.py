"""Calls and rules as text in the learner's names: NumPy source and LaTeX.

A rule is plain NumPy, so tracing it on the node's own values gives a small trace
of its own.  Printed with the learner's names it reads as the rule's text; there
is no second, hand-written form that could drift.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from backprop_nb.tracing.emit.notation import LATEX, NUMPY, Notation, Printed
from backprop_nb.tracing.graph import Node, Trace
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.tracing.rules.template import ATOM
from backprop_nb.tracing.trace import trace_rule

_NOTATIONS = {"numpy": NUMPY, "latex": LATEX}

Marker = Callable[[str, Node, bool], str]
"""Makes a printed name findable: the name, whose it is, and whether it is the adjoint's."""


def unmarked(text: str, node: Node, is_adjoint: bool) -> str:
    """Leave a name as it is."""
    return text


def call_text(
    node: Node, notation: Literal["numpy", "latex"] = "numpy", mark: Marker = unmarked
) -> str:
    """Return how ``node`` is computed from its parents' names, such as ``A1 @ f1``.

    Every name goes through ``mark``.  Inputs and constants give the empty text.
    """
    record, form = node.record, _NOTATIONS[notation]
    if record.row is None or record.row is CONSTANT:
        return ""
    arguments = [
        _named(each, form, mark) if each else form.literal(value)
        for each, value in zip(node.arguments, record.args, strict=True)
    ]
    with_number = any(np.ndim(value) == 0 for value in record.args)
    return form.call(record.row, arguments, record.keywords, with_number)[0]


def _named(node: Node, notation: Notation, mark: Marker) -> Printed:
    return mark(notation.name(node.name), node, False), ATOM


class Operand(NamedTuple):
    """One factor of a rule that is a product: its text in both notations and its value."""

    numpy: str
    latex: str
    value: Any


class Rule:
    """The vector-Jacobian product of one argument of one node, with numbers.

    Parameters
    ----------
    output
        The name of the output, which the adjoint is a derivative of.
    node
        Where the rule is applied.
    position
        Which argument of the node receives the contribution.
    adjoint
        The adjoint of the node.
    mark
        What every printed name goes through.
    """

    def __init__(
        self, output: str, node: Node, position: int, adjoint: Any, mark: Marker = unmarked
    ) -> None:
        self._output = output
        self._node = node
        self._mark = mark
        record = node.record
        held = [k for k, parent in enumerate(record.parents) if parent is not None]

        def rule(g: Any, ans: Any, *traced: Any) -> Any:
            args = list(record.args)
            for k, value in zip(held, traced, strict=True):
                args[k] = value
            return record.row.vjps[position](g, ans, *args, **record.keywords)

        values = (adjoint, record.value, *(record.args[k] for k in held))
        self.traced: Trace = trace_rule(rule, values)

    @property
    def numpy(self) -> str:
        """The rule as NumPy source; the adjoint of ``z`` is written ``d_z``."""
        return self._numpy[self.traced.output_index][0]

    @property
    def latex(self) -> str:
        """The rule in the document's notation."""
        return self._latex[self.traced.output_index][0]

    @cached_property
    def _numpy(self) -> list[Printed]:
        return self._printed(NUMPY)

    @cached_property
    def _latex(self) -> list[Printed]:
        return self._printed(LATEX)

    def _printed(self, notation: Notation) -> list[Printed]:
        """Return every value of the rule in its arguments: ``g``, ``ans``, the node's own."""
        text = notation.adjoint(self._output, self._node)
        adjoint = self._mark(text, self._node, True), ATOM
        around = (self._node, *self._node.parents)
        leaves = [adjoint, *(_named(node, notation, self._mark) for node in around)]
        return notation.expressions(self.traced, leaves)

    @cached_property
    def product(self) -> tuple[str, tuple[Operand, ...]]:
        """The operation and the factors, if the rule is a product; else no factors.

        Nested products count as one, so that ``d_f * f * (1 - f)`` has three.
        """
        output = self.traced.output_index
        sign = self._sign(output)
        return (sign, tuple(self._operands(output, sign))) if sign else ("", ())

    def _sign(self, index: int) -> str:
        return getattr(self.traced.records[index].row, "product", "")

    def _operands(self, index: int, sign: str) -> list[Operand]:
        record = self.traced.records[index]
        operands: list[Operand] = []
        for parent, value in zip(record.parents, record.args, strict=True):
            if parent is None:
                operands.append(Operand(NUMPY.number(value), LATEX.number(value), value))
            elif sign == "×" and self._sign(parent) == sign:
                operands += self._operands(parent, sign)
            else:
                operands.append(Operand(self._numpy[parent][0], self._latex[parent][0], value))
        return operands

"""Calls and rules as text in the learner's names: NumPy source and LaTeX.

A rule is plain NumPy, so tracing it on the node's own values gives a small graph
of its own.  Printed with the learner's names it reads as the rule's text; there
is no second, hand-written form that could drift.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backprop_nb.tracing.emit.expression import Notation, Printed, atom, print_call, print_records
from backprop_nb.tracing.emit.latex import adjoint_to_latex, name_to_latex, number_to_latex
from backprop_nb.tracing.graph import Node, Trace
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.tracing.rules.row import Binding, literal
from backprop_nb.tracing.trace import trace_rule

_FACTORS = {"multiply": "×", "matmul": "@", "outer": "⊗"}


Mark = Callable[[str, Node, bool], str]
"""Makes a printed name findable: the name, whose it is, and whether it is the adjoint's."""


def unmarked(text: str, node: Node, is_adjoint: bool) -> str:
    """Leave a name as it is."""
    return text


def call_text(graph: Trace, node: Node, notation: Notation = "numpy", mark: Mark = unmarked) -> str:
    """Return how ``node`` is computed from its parents' names, such as ``A1 @ f1``.

    Every name goes through ``mark``.  Inputs and constants give the empty text.
    """
    record = graph.records[node.index]
    if record.row is None or record.row is CONSTANT:
        return ""
    number = literal if notation == "numpy" else number_to_latex
    parents = iter(node.parents)
    arguments = [
        atom(number(value))
        if parent is None
        else (_name(next(parents), notation, mark), Binding.ATOM)
        for parent, value in zip(record.parents, record.args, strict=True)
    ]
    return print_call(record, arguments, notation)[0]


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of a product: its text in both notations and its value."""

    numpy: str
    latex: str
    value: Any


class Rule:
    """The vector-Jacobian product of one argument of one node, with numbers.

    Parameters
    ----------
    graph, node
        Where the rule is applied.
    position
        Which argument of the node receives the contribution.
    adjoint
        The adjoint of the node.
    mark
        What every printed name goes through.
    """

    def __init__(
        self, graph: Trace, node: Node, position: int, adjoint: Any, mark: Mark = unmarked
    ) -> None:
        self._graph = graph
        self._node = node
        self._mark = mark
        record = graph.records[node.index]
        held = [k for k, parent in enumerate(record.parents) if parent is not None]

        def rule(g: Any, ans: Any, *traced: Any) -> Any:
            args = list(record.args)
            for k, value in zip(held, traced, strict=True):
                args[k] = value
            return record.row.vjp(position)(g, ans, *args, **record.keywords)

        values = (adjoint, record.value, *(record.args[k] for k in held))
        self.traced = trace_rule(rule, values)

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
        adjoint = self._mark(f"d_{self._node.name}", self._node, True)
        return print_records(self.traced, self._leaves(adjoint, "numpy"), "numpy", literal)

    @cached_property
    def _latex(self) -> list[Printed]:
        fraction = adjoint_to_latex(self._graph.output.name, self._node.name)
        adjoint = self._mark(fraction, self._node, True)
        return print_records(self.traced, self._leaves(adjoint, "latex"), "latex", number_to_latex)

    def _leaves(self, adjoint: str, notation: Notation) -> list[Printed]:
        """Return what stands for the rule's arguments: ``g``, ``ans`` and the node's own."""
        around = (self._node, *self._node.parents)
        texts = [adjoint, *(_name(node, notation, self._mark) for node in around)]
        return [(text, Binding.ATOM) for text in texts]

    @property
    def product(self) -> tuple[str, tuple[Factor, ...]]:
        """The operation and the factors, if the rule is a product; else no factors.

        Nested products count as one, so that ``d_f * f * (1 - f)`` has three.
        """
        record = self.traced.records[self.traced.output_index]
        name = getattr(record.row, "name", "")
        if name not in _FACTORS:
            return "", ()
        return _FACTORS[name], tuple(self._factors(self.traced.output_index, name))

    def _factors(self, index: int, name: str) -> list[Factor]:
        record = self.traced.records[index]
        if getattr(record.row, "name", "") != name:
            return [Factor(self._numpy[index][0], self._latex[index][0], record.value)]
        factors: list[Factor] = []
        for parent, value in zip(record.parents, record.args, strict=True):
            if parent is None:
                factors.append(Factor(literal(value), number_to_latex(value), value))
            elif name == "multiply":
                factors += self._factors(parent, name)
            else:
                text, formula = self._numpy[parent][0], self._latex[parent][0]
                factors.append(Factor(text, formula, value))
        return factors


def _name(node: Node, notation: Notation, mark: Mark) -> str:
    return mark(node.name if notation == "numpy" else name_to_latex(node.name), node, False)

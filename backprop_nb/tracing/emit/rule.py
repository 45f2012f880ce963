"""Calls and rules as text in the learner's names: NumPy source and LaTeX.

A rule is plain NumPy, so tracing it on the node's own values gives a small trace
of its own.  Printed with the learner's names it reads as the rule's text; there
is no second, hand-written form that could drift.  What is traced once serves every
call like it: only the names are others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from backprop_nb.tracing.emit.algebra import fingerprint
from backprop_nb.tracing.emit.notation import LATEX, NUMPY, Notation
from backprop_nb.tracing.evaluate import replayed
from backprop_nb.tracing.graph import Node, Trace
from backprop_nb.tracing.record import CONSTANT, Record
from backprop_nb.tracing.rules.row import EachVjp
from backprop_nb.tracing.rules.template import ATOM, Printed
from backprop_nb.tracing.tracer import trace_rules

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


@dataclass(frozen=True, eq=False)
class Pattern:
    """How a rule reads, whatever the names and the numbers.

    Attributes
    ----------
    traced
        The rule as it was traced; its inputs are those of the leaves that it uses.
    leaves
        Which they are: 0 is the adjoint, 1 the node, then come the node's parents.
    """

    traced: Trace
    leaves: tuple[int, ...]

    @cached_property
    def numpy(self) -> list[Printed]:
        """Every value of it as NumPy source, with a hole for each leaf."""
        return NUMPY.expressions(self.traced, self._holes)

    @cached_property
    def latex(self) -> list[Printed]:
        """The same as LaTeX."""
        return LATEX.expressions(self.traced, self._holes)

    @property
    def _holes(self) -> list[Printed]:
        return [(f"{_OPEN}{k}{_CLOSE}", ATOM) for k in self.leaves]


@dataclass(frozen=True, eq=False)
class Rules:
    """The rules of one node, for each of its arguments that receives something.

    Attributes
    ----------
    output
        The name of the output, which the adjoint is a derivative of.
    node, adjoint
        Where the rules are applied, and the adjoint there.
    positions
        Which arguments of the node receive something.
    known
        The rules of other calls, to which these are added.  Two calls of one function on
        arguments of the same shapes and types have the same rules but for the names.
    """

    output: str
    node: Node
    adjoint: Any
    positions: Sequence[int]
    known: dict[Any, dict[int, Pattern]]

    def pattern(self, position: int) -> Pattern:
        """Return how the rule of an argument reads."""
        few = self.positions[:_FEW]
        return (self._first if position <= few[-1] else self._others)[position]

    @cached_property
    def _first(self) -> dict[int, Pattern]:
        return self._patterns(self.positions[:_FEW])

    @cached_property
    def _others(self) -> dict[int, Pattern]:
        return self._patterns(self.positions[_FEW:])

    def _patterns(self, positions: Sequence[int]) -> dict[int, Pattern]:
        """Return how some of the rules read, by the position of the argument."""
        record = self.node.record
        args = zip(record.args, record.parents, strict=True)
        key = (
            *(record.row, *positions, _looks(self.adjoint), _looks(record.value)),
            *(repr(arg) if parent is None else _looks(arg) for arg, parent in args),
            *((name, fingerprint(option)) for name, option in record.keywords.items()),
        )
        found = self.known.get(key)
        if found is None:
            found, is_general = self._traced(positions)
            if is_general:
                self.known[key] = found
        return found

    @cached_property
    def values(self) -> tuple[Any, ...]:
        """The numbers at the leaves."""
        record = self.node.record
        args = zip(record.args, record.parents, strict=True)
        held = (arg for arg, parent in args if parent is not None)
        return (self.adjoint, record.value, *held)

    @cached_property
    def handed_on(self) -> Callable[[int], Any]:
        """What an argument receives, by its position."""
        record = self.node.record
        return _vjp_of_call(record, self.adjoint, record.value, record.args)

    def _traced(self, positions: Sequence[int]) -> tuple[dict[int, Pattern], bool]:
        """Return some rules, and whether no number but those in the call had a say in them."""
        record = self.node.record

        def rules(g: Any, ans: Any, *traced: Any) -> Iterator[Any]:
            given = iter(traced)
            args = [
                arg if parent is None else next(given)
                for arg, parent in zip(record.args, record.parents, strict=True)
            ]
            yield from map(_vjp_of_call(record, g, ans, args), positions)

        values = self.values
        traces, is_general = trace_rules(rules, values)
        patterns = (Pattern(*each) for each in traces)
        return dict(zip(positions, patterns, strict=True)), is_general


def _vjp_of_call(record: Record, g: Any, ans: Any, args: Sequence[Any]) -> Callable[[int], Any]:
    """Return what gives the gradient of each argument of a call, for an adjoint."""
    vjps, options = record.row.vjps, record.keywords
    if type(vjps) is EachVjp:
        return vjps.of_call(g, ans, *args, **options)
    return lambda position: vjps[position](g, ans, *args, **options)


_FEW = 60
"""Of many arrays that are joined, a reader sees the first."""

_OPEN, _CLOSE = "\ue003", "\ue004"  # for private use: they occur in no name and in no rule
_HOLE = re.compile(f"{_OPEN}(\\d+){_CLOSE}")


def _looks(value: Any) -> tuple[Any, ...]:
    """Return what a rule may look at while it is traced."""
    return type(value), value.shape, value.dtype


class Rule:
    """The vector-Jacobian product of one argument of one node, with numbers.

    Parameters
    ----------
    rules
        Those of the node.
    position
        Which argument of the node receives the contribution.
    mark
        What every printed name goes through.

    Attributes
    ----------
    traced
        The rule as data; the numbers in it are those of this node, or of one like it.
    leaves
        What its inputs are: 0 the adjoint, 1 the node, from 2 on the node's parents.
    """

    def __init__(self, rules: Rules, position: int, mark: Marker) -> None:
        self._rules = rules
        self._pattern = rules.pattern(position)
        self._mark = mark
        self.traced = self._pattern.traced
        self.leaves = self._pattern.leaves

    @property
    def numpy(self) -> str:
        """The rule as NumPy source; the adjoint of ``z`` is written ``d_z``."""
        return self._text(self.traced.output_index, NUMPY)

    @property
    def latex(self) -> str:
        """The rule in the document's notation."""
        return self._text(self.traced.output_index, LATEX)

    def _text(self, index: int, notation: Notation) -> str:
        """Return one value of the rule, with the names put in."""
        node = self._rules.node

        def name(hole: re.Match[str]) -> str:
            leaf = int(hole[1])
            if leaf == 0:
                return self._mark(notation.adjoint(self._rules.output, node), node, True)
            return _named(node if leaf == 1 else node.parents[leaf - 2], notation, self._mark)[0]

        printed = self._pattern.numpy if notation is NUMPY else self._pattern.latex
        return _HOLE.sub(name, printed[index][0])

    @cached_property
    def product(self) -> tuple[str, tuple[Operand, ...]]:
        """The operation and the factors, if the rule is a product; else no factors.

        Nested products count as one, so that ``d_f * f * (1 - f)`` has three.
        """
        output = self.traced.output_index
        sign = self._sign(output)
        return (sign, tuple(self._operands(output, sign))) if sign else ("", ())

    @cached_property
    def _values(self) -> Mapping[int, Any]:
        """The numbers of this node, in every place of the rule."""
        return self._replayed(self._rules.adjoint)

    def applied(self, adjoint: Any) -> Any:
        """Return what the rule gives for another adjoint; ``None`` where it decides otherwise."""
        return self._replayed(adjoint).get(self.traced.output_index)

    def _replayed(self, adjoint: Any) -> Mapping[int, Any]:
        leaves = self._rules.values
        with np.errstate(all="ignore"):
            return replayed(self.traced, [leaves[k] if k else adjoint for k in self.leaves]) or {}

    def _sign(self, index: int) -> str:
        return getattr(self.traced.records[index].row, "product", "")

    def _operands(self, index: int, sign: str) -> Iterator[Operand]:
        record = self.traced.records[index]
        for parent, value in zip(record.parents, record.args, strict=True):
            if parent is None:
                yield Operand(NUMPY.number(value), LATEX.number(value), value)
            elif sign == "×" and self._sign(parent) == sign:
                yield from self._operands(parent, sign)
            else:
                texts = self._text(parent, NUMPY), self._text(parent, LATEX)
                yield Operand(*texts, self._values[parent])

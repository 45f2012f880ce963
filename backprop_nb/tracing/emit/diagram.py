"""What a diagram of a graph says, in whatever language: cards of text, edges, and calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from backprop_nb.errors import either, must_be
from backprop_nb.tracing.emit.notation import name_to_latex, number_to_latex
from backprop_nb.tracing.emit.rule import call_text
from backprop_nb.tracing.graph import Node, Trace, calls_of
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.tracing.reverse import reverse, start_of

Direction = Literal["right", "down"]

_ROWS, _COLUMNS = 3, 4
"""An array of more entries is told by its shape alone: a card is no table."""
_MANY = 6
"""A call of more arguments, such as ``np.stack``, is told by its name alone."""


class Writing(NamedTuple):
    """How the parts of a card are written.

    Attributes
    ----------
    notation
        That of the calls.
    name
        From a node's name to its text.
    number
        From one entry to its text.
    vector, matrix
        From the texts of the entries of an array to its own text.
    adjoint
        From the texts of the output's name and of the node's to that of the derivative.
    formula
        From a formula to how it stands among words.
    dots
        What stands for arguments that are left out.
    """

    notation: Literal["numpy", "latex"]
    name: Callable[[str], str]
    number: Callable[[Any], str]
    vector: Callable[[Sequence[str]], str]
    matrix: Callable[[Sequence[Sequence[str]]], str]
    adjoint: Callable[[str, str], str]
    formula: Callable[[str], str]
    dots: str


def _few_digits(entry: Any) -> str:
    """Return an entry with three digits that matter, and no fewer than it has before the point.

    >>> [_few_digits(np.float64(each)) for each in (-0.04213456, 1234.5, -0.0, 3e8)]
    ['-0.0421', '1234', '0', '3e+08']
    >>> _few_digits(np.bool(True))
    'true'
    """
    if isinstance(entry, bool | np.bool):
        return str(entry).lower()
    return f"{entry:.0f}" if 1000 <= abs(entry) < 1_000_000 else f"{entry + 0:.3g}"


def _few_digits_latex(entry: Any) -> str:
    is_bool = isinstance(entry, bool | np.bool)
    return number_to_latex(entry if is_bool else float(_few_digits(entry)))


def _matrix_latex(rows: Sequence[Sequence[str]]) -> str:
    lines = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{pmatrix}} {lines} \end{{pmatrix}}"


def _in_brackets(entries: Sequence[str]) -> str:
    return f"[{', '.join(entries)}]"


TEXT: Final = Writing(
    notation="numpy",
    name=str,
    number=_few_digits,
    vector=_in_brackets,
    matrix=lambda rows: _in_brackets([_in_brackets(row) for row in rows]),
    adjoint=lambda output, name: f"∂{output}/∂{name}",
    formula=str,
    dots="…",
)
LATEX: Final = Writing(
    notation="latex",
    name=name_to_latex,
    number=_few_digits_latex,
    vector=lambda entries: f"({', '.join(entries)})",
    matrix=_matrix_latex,
    adjoint=lambda output, name: rf"\frac{{\partial {output}}}{{\partial {name}}}",
    formula=lambda formula: f"${formula}$",
    dots=r"\dots",
)


class Card(NamedTuple):
    """What a diagram says of a node.

    Attributes
    ----------
    node
        The node.
    kind
        ``"input"``, ``"constant"``, ``"operation"`` or ``"output"``.
    id
        What the edges call it.
    said
        Its formula and its value, a line each.
    adjoint
        The derivative of the output by it, or the empty text.
    """

    node: Node
    kind: Literal["input", "constant", "operation", "output"]
    id: str
    said: tuple[str, ...]
    adjoint: str

    @property
    def lines(self) -> tuple[str, ...]:
        """All that it says."""
        return (*self.said, self.adjoint) if self.adjoint else self.said


@dataclass(frozen=True)
class Diagram:
    """A graph as cards and edges.

    Parameters
    ----------
    trace
        Any trace.
    writing
        How the cards are written.
    values, adjoints
        Whether the cards have them; of adjoints ``None`` stands for whether the output
        is a number.
    direction
        Where the computation goes.

    Raises
    ------
    InvalidValueError
        If there is no such direction.
    ShapeError
        If adjoints are asked for and the output is not a single number.
    """

    trace: Trace
    writing: Writing
    values: bool
    adjoints: bool | None
    direction: Direction

    def __post_init__(self) -> None:
        if self.direction not in ("right", "down"):
            raise must_be(either(["right", "down"]), "direction", self.direction)
        assert self.cards  # whatever is wrong with the choices is told now

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        """One card for each node, in the order of computation."""
        adjoints = self._adjoints
        return tuple(
            Card(
                node,
                self._kind(node),
                f"n{node.index}",
                self._said(node),
                self._derivative(node, adjoints[node.index]) if node.index in adjoints else "",
            )
            for node in self.trace.nodes
        )

    @property
    def edges(self) -> Iterator[tuple[Card, Card]]:
        """Each pair of a card and one that is computed from it, once."""
        for card in self.cards:
            for index in dict.fromkeys(parent.index for parent in card.node.parents):
                yield self.cards[index], card

    @property
    def _adjoints(self) -> Mapping[int, Any]:
        """The adjoint of each node that is shown with one."""
        trace = self.trace
        if not (trace.value.shape == () if self.adjoints is None else self.adjoints):
            return {}
        with np.errstate(all="ignore"):  # `backward` is who warns
            found = reverse(trace, trace.records, start_of(trace, None))
        carried = enumerate(zip(found, trace.carries, strict=True))
        return {
            index: np.zeros_like(trace.records[index].value) if adjoint is None else adjoint
            for index, (adjoint, carries) in carried
            if carries
        }

    def _kind(self, node: Node) -> Literal["input", "constant", "operation", "output"]:
        if node.op is None:
            return "input"
        if node.op == CONSTANT:
            return "constant"
        return "output" if node.index == self.trace.output_index else "operation"

    def _said(self, node: Node) -> tuple[str, ...]:
        writing, name = self.writing, self.writing.name(node.name)
        if not node.parents:
            return (self._value(name, node.value) if self.values else writing.formula(name),)
        formula = writing.formula(f"{name} = {self._call(node)}")
        return (formula, self._value("", node.value)) if self.values else (formula,)

    def _derivative(self, node: Node, adjoint: Any) -> str:
        name, output = map(self.writing.name, (node.name, self.trace.output.name))
        return self._value(self.writing.adjoint(output, name), adjoint)

    def _call(self, node: Node) -> str:
        if len(node.parents) <= _MANY:
            return call_text(node, self.writing.notation)
        return f"{self.writing.name(str(node.op))}({self.writing.dots})"

    def _value(self, name: str, value: Any) -> str:
        """Return an equation; of what is large, its shape."""
        value, writing = np.asarray(value), self.writing
        if value.ndim > 2 or 0 in value.shape or not _is_small(value.shape):
            words = f"shape {value.shape}"
            return f"{writing.formula(name)}: {words}" if name else words
        if value.ndim == 2:
            text = writing.matrix([[writing.number(entry) for entry in row] for row in value])
        elif value.ndim == 1:
            text = writing.vector([writing.number(entry) for entry in value])
        else:
            text = writing.number(value[()])
        return writing.formula(f"{name} = {text}".lstrip())


def _is_small(shape: tuple[int, ...]) -> bool:
    *rows, columns = shape or (1,)
    return columns <= _COLUMNS and all(count <= _ROWS for count in rows)


def nested(
    diagram: Diagram,
    card: Callable[[Card], str],
    begin: Callable[[int, str], Sequence[str]],
    end: str,
) -> Iterator[str]:
    """Yield the lines of a language that nests: the cards, each in the calls around it.

    Parameters
    ----------
    card
        The line of a card.
    begin
        The line that opens a call, by its number and its name, and what stands first in it.
    end
        The line that closes one.
    """
    calls = calls_of(each.node for each in diagram.cards)
    pending: list[tuple[str, ...] | None] = [()]
    opened, indent = 0, "  "
    while pending:
        chain = pending.pop()
        if chain is None:
            indent = indent[2:]
            yield f"{indent}{end}"
            continue
        if chain:
            opening, *first = begin(opened, chain[-1])
            yield f"{indent}{opening}"
            opened, indent = opened + 1, f"{indent}  "
            yield from (f"{indent}{line}" for line in first)
            pending.append(None)
        parts = calls[chain]
        own = (diagram.cards[part] for part in parts if isinstance(part, int))
        yield from (f"{indent}{card(each)}" for each in own)
        pending += [(*chain, part) for part in reversed(parts) if isinstance(part, str)]

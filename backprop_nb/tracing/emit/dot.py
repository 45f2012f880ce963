"""A graph in DOT, the language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from backprop_nb.tracing.emit.diagram import TEXT, Diagram, Direction, nested
from backprop_nb.tracing.graph import Trace

_STYLES: Final = {
    "input": ' style="rounded,filled" fillcolor="#e8f0fa"',
    "constant": ' style="rounded,dashed"',
    "operation": "",
    "output": " penwidth=2",
}


def to_dot(trace: Trace, values: bool, adjoints: bool | None, direction: Direction) -> str:
    """Return a graph in DOT; see :meth:`Graph.to_dot`."""
    diagram = Diagram(trace, TEXT, values, adjoints, direction)
    return "\n".join([*_lines(diagram), ""])


def _lines(diagram: Diagram) -> Iterator[str]:
    yield f"digraph {_quoted(diagram.trace.function_name)} {{"
    yield f"  rankdir={'LR' if diagram.direction == 'right' else 'TB'}"
    yield '  node [shape=box style=rounded fontname="sans-serif" fontsize=11]'
    yield '  graph [fontname="sans-serif" fontsize=10 style=dashed color=gray]'
    yield from nested(
        diagram,
        lambda card: f"{card.id} [label={_quoted(*card.lines)}{_STYLES[card.kind]}]",
        lambda number, name: [f"subgraph cluster_{number} {{", f"label={_quoted(name)}"],
        "}",
    )
    for tail, head in diagram.edges:
        yield f"  {tail.id} -> {head.id}"
    yield "}"


def _quoted(*lines: str) -> str:
    r"""Return lines as one text of DOT.

    >>> print(_quoted('say("x\\n")', "= 1"))
    "say(\"x\\n\")\n= 1"
    """
    escaped = (line.replace("\\", r"\\").replace('"', r"\"") for line in lines)
    return '"' + r"\n".join(escaped) + '"'

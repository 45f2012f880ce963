"""A graph as a flowchart of Mermaid, which GitHub, MyST and many wikis draw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from backprop_nb.errors import warn
from backprop_nb.tracing.emit.diagram import TEXT, Diagram, Direction, nested
from backprop_nb.tracing.graph import Trace

_MOST_EDGES: Final = 500
_MOST_CHARACTERS: Final = 50_000
"""What Mermaid draws unless the page that uses it says otherwise."""

_STYLES: Final = {
    "input": "fill:#e8f0fa,stroke:#6b7f99,color:#111",
    "constant": "fill:#f5f5f5,stroke:#888,stroke-dasharray:4 3,color:#111",
    "operation": "fill:#fff,stroke:#666,color:#111",
    "output": "fill:#fff,stroke:#111,stroke-width:2px,color:#111",
}


def to_mermaid(trace: Trace, values: bool, adjoints: bool | None, direction: Direction) -> str:
    """Return a graph as a flowchart; see :meth:`Graph.to_mermaid`."""
    diagram = Diagram(trace, TEXT, values, adjoints, direction)
    edges = [f"  {tail.id} --> {head.id}" for tail, head in diagram.edges]
    text = "\n".join([*_lines(diagram), *edges, ""])
    if len(edges) > _MOST_EDGES or len(text) > _MOST_CHARACTERS:
        warn(
            f"This flowchart has {len(edges):,} edges and {len(text):,} characters. Unless its "
            f"`maxEdges` and `maxTextSize` are raised, Mermaid draws {_MOST_EDGES:,} and "
            f"{_MOST_CHARACTERS:,} at most; Graphviz draws `to_dot()`."
        )
    return text


def _lines(diagram: Diagram) -> Iterator[str]:
    yield f"flowchart {'LR' if diagram.direction == 'right' else 'TB'}"
    yield from nested(
        diagram,
        lambda card: f'{card.id}["{"<br/>".join(map(_escaped, card.lines))}"]:::{card.kind}',
        lambda number, name: [f'subgraph g{number}["{_escaped(name)}"]'],
        "end",
    )
    for kind in dict.fromkeys(card.kind for card in diagram.cards):
        yield f"  classDef {kind} {_STYLES[kind]}"


def _escaped(text: str) -> str:
    """Return a text without what Mermaid, Markdown and HTML read as theirs.

    >>> _escaped('x ** 2 < "a"')
    'x #42;#42; 2 #60; #34;a#34;'
    """
    return re.sub(r"[^\w\s.,:=+/()@∂…-]|_", lambda found: f"#{ord(found[0])};", text)

r"""A graph as a picture of TikZ, for lecture notes.

A TikZ matrix makes its columns as wide as what stands in them, so it is enough to say
which card stands in which cell: the column follows from the depth, the row keeps the main
path straight.  Where an arrow passes a column, a cell is kept free for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from backprop_nb.errors import InvalidValueError
from backprop_nb.tracing.emit.diagram import LATEX, Card, Diagram, Direction
from backprop_nb.tracing.graph import Trace

_MOST: Final = 150
"""A page has no room for more cards, and TeX measures nothing longer than 5.75 m."""

_PICTURE: Final = r"""\begin{tikzpicture}[
  card/.style={draw, rounded corners=2pt, inner sep=4pt, align=center, font=\small},
  input/.style={card, fill=blue!7},
  constant/.style={card, densely dashed},
  operation/.style={card},
  output/.style={card, thick},
  flow/.style={-{Stealth[length=5pt]}, semithick, rounded corners=3pt, draw=black!60},
]"""

_GAP: Final = 10.0
"""Millimetres from one step of the computation to the next, in which arrows turn."""

_WAYS: Final = {
    # How a matrix is set, where a card ends, the turn of an arrow, and where the next begins.
    "right": (f"column sep={_GAP:g}mm, row sep=4mm, nodes={{anchor=east}}", "east", "|-", "west"),
    "down": (f"row sep={_GAP:g}mm, column sep=4mm, nodes={{anchor=south}}", "south", "-|", "north"),
}
"""Cards end flush, so that nothing stands in the gap after them."""

_DOCUMENT: Final = r"""\documentclass[border=4pt]{standalone}
\usepackage{amsmath,tikz}
\usetikzlibrary{arrows.meta}
\begin{document}
"""


class _Wire(NamedTuple):
    """Where the arrows that leave a card pass a column."""

    card: Card
    column: int

    @property
    def id(self) -> str:
        """What the edges call it."""
        return f"{self.card.id}at{self.column}"


def to_tikz(
    trace: Trace, values: bool, adjoints: bool | None, direction: Direction, standalone: bool
) -> str:
    """Return a graph as a ``tikzpicture``; see :meth:`Graph.to_tikz`."""
    if len(trace.records) > _MOST:
        raise InvalidValueError(
            "A picture of so many nodes has no room on a page.",
            given=f"{trace!r}",
            expected=f"at most {_MOST:,} nodes",
            instead="graph.to_dot(), which Graphviz draws at any size, or a trace of one layer "
            "or of fewer rounds",
        )
    diagram = Diagram(trace, LATEX, values, adjoints, direction)
    text = "\n".join([*_lines(diagram), ""])
    return f"{_DOCUMENT}{text}\\end{{document}}\n" if standalone else text


def _lines(diagram: Diagram) -> Iterator[str]:
    columns = _columns(diagram)
    rows = _rows(diagram, columns)
    yield r"% Needs \usepackage{amsmath,tikz} and \usetikzlibrary{arrows.meta}."
    yield _PICTURE
    # Cells are parted by \&, since a frame of beamer does not let & through.
    yield rf"\matrix[ampersand replacement=\&, {_WAYS[diagram.direction][0]}] {{"
    yield from _cells(columns, rows, diagram.direction)
    yield "};"
    yield from _arrows(diagram, columns, rows)
    yield r"\end{tikzpicture}"


# --- what stands where --------------------------------------------------------


def _columns(diagram: Diagram) -> list[list[Card | _Wire]]:
    """Return what stands in each column; what is given stands just before its first use."""
    depth = [0] * len(diagram.cards)
    last: dict[int, int] = {}
    for card in diagram.cards:
        if card.node.parents:
            depth[card.node.index] = 1 + max(depth[p.index] for p in card.node.parents)
    first: dict[int, int] = {}
    for tail, head in diagram.edges:
        at = depth[head.node.index]
        first[tail.node.index] = min(first.get(tail.node.index, at), at)
        last[tail.node.index] = max(last.get(tail.node.index, at), at)
    columns: list[list[Card | _Wire]] = [[] for _ in range(max(depth) + 1)]
    for card in diagram.cards:
        index = card.node.index
        if not card.node.parents and index in first:
            depth[index] = first[index] - 1
        columns[depth[index]].append(card)
        for column in range(depth[index] + 1, last.get(index, 0)):
            columns[column].append(_Wire(card, column))
    return columns


def _rows(diagram: Diagram, columns: Sequence[Sequence[Card | _Wire]]) -> dict[str, int]:
    """Return the row of each card and wire, from the output back: near to where it goes."""
    goals: dict[str, list[str]] = defaultdict(list)
    for path in _paths(diagram, columns):
        for here, there in pairwise(path):
            goals[here].append(there)
    rows: dict[str, int] = {}
    for column in reversed(columns):
        taken: set[int] = set()
        for each in sorted(column, key=_late):
            known = sorted(rows[goal] for goal in goals[each.id])
            wanted = known[(len(known) - 1) // 2] if known else 0
            rows[each.id] = next(row for row in _nearest(wanted) if row not in taken)
            taken.add(rows[each.id])
    return rows


def _late(each: Card | _Wire) -> int:
    """Whether something leaves the straight row to others: the main path has it first."""
    return 1 if isinstance(each, _Wire) else 0 if each.node.parents else 2


def _nearest(row: int) -> Iterator[int]:
    """Yield a row, then those below and above it, further and further away."""
    yield row
    for distance in range(1, 2 * _MOST * _MOST):
        yield row + distance
        yield row - distance


def _paths(diagram: Diagram, columns: Sequence[Sequence[Card | _Wire]]) -> Iterator[list[str]]:
    """Yield for each edge what its arrow passes: a card, perhaps wires, a card."""
    at = {each.id: number for number, column in enumerate(columns) for each in column}
    for tail, head in diagram.edges:
        passed = range(at[tail.id] + 1, at[head.id])
        yield [tail.id, *(_Wire(tail, column).id for column in passed), head.id]


# --- how it is written --------------------------------------------------------


def _cells(
    columns: Sequence[Sequence[Card | _Wire]], rows: dict[str, int], direction: Direction
) -> Iterator[str]:
    """Yield the rows of the matrix."""
    top = min(rows.values())
    cells = {
        (rows[each.id] - top, number): _cell(each)
        for number, column in enumerate(columns)
        for each in column
    }
    if direction == "down":
        cells = {(column, row): text for (row, column), text in cells.items()}
    for row in range(max(row for row, _ in cells) + 1):
        filled = [column for each, column in cells if each == row]
        texts = [cells.get((row, column), "") for column in range(max(filled, default=0) + 1)]
        yield "  " + r" \& ".join(texts) + r" \\"


def _cell(each: Card | _Wire) -> str:
    if isinstance(each, _Wire):
        return rf"\coordinate ({each.id});"
    coloured = [rf"\textcolor{{violet}}{{{each.adjoint}}}"] if each.adjoint else []
    text = r" \\ ".join([*each.said, *coloured])
    return rf"\node[{each.kind}] ({each.id}) {{{text}}};"


def _arrows(
    diagram: Diagram, columns: Sequence[Sequence[Card | _Wire]], rows: dict[str, int]
) -> Iterator[str]:
    """Yield the arrows; each turns in the gap after a card, those of one card at one place."""
    _, end, turn, begin = _WAYS[diagram.direction]
    paths = list(_paths(diagram, columns))
    steps = dict.fromkeys(step for path in paths for step in pairwise(path))
    places = _turns(columns, [here for here, there in steps if rows[here] != rows[there]])
    cards = {card.id for card in diagram.cards}
    for here, there in steps:
        start = f"{here}.{end}" if here in cards else here
        goal = f"{there}.{begin}" if there in cards else there
        style = "flow" if there in cards else "flow, -"
        on = "--"
        if rows[here] != rows[there]:
            out = f"{places[here]:.3g}mm"
            on = f"-- ++({out}, 0) {turn}" if turn == "|-" else f"-- ++(0, -{out}) {turn}"
        yield rf"\draw[{style}] ({start}) {on} ({goal});"


def _turns(columns: Sequence[Sequence[Card | _Wire]], turning: Sequence[str]) -> dict[str, float]:
    """Return how far into the gap after its column an arrow turns, so that no two meet."""
    places: dict[str, float] = {}
    who = set(turning)
    for column in columns:
        here = [each.id for each in column if each.id in who]
        places |= {each: _GAP * (k + 1) / (len(here) + 1.5) for k, each in enumerate(here)}
    return places

"""What ``GraphExplorer`` is handed: see ``views/schema.py``."""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from backprop_nb.views.schema import Box, Family, Formula, FormulaShape, Point, Tensor

Name = Sequence[Any]
"""A name in a text: its first character, the one after its last, and its link, such as ``v3``."""


class BadgeStyle(TypedDict):
    """How a kind of health mark looks: roles of the palette, and lines in a unit square."""

    legend: str
    ground: str
    ink: str
    rim: str
    outline: Sequence[Point]
    sign: Sequence[Sequence[Point]]


class NodeMark(TypedDict):
    """Something to beware of at a node, and the number of its badge style."""

    text: str
    style: int


class ExplorerNode(TypedDict):
    """A node of the graph; arrays are numbers of tensors."""

    name: str
    latex: str
    kind: Literal["input", "constant", "operation"]
    symbol: str
    text: str
    """How it is computed, empty for an input and a constant."""
    names: Sequence[Name]
    title: Formula
    formula: Formula | None
    source: str
    parents: Sequence[int]
    value: int
    adjoint: int | None
    marks: Sequence[NodeMark]
    group: int | None
    line: int | None
    """Of the source, from 1."""


class ExplorerEdge(TypedDict):
    """A use of a node's value by another one."""

    tail: int
    head: int


class ExplorerGroup(TypedDict):
    """Nodes that can be folded to one card; ``output`` hands out their result."""

    id: str
    name: str
    title: str
    """The name without which round it is of a loop."""
    below: str
    """What a folded card says below its title: that round, or how many nodes there are."""
    parent: int | None
    size: int
    output: int | None


class CodePart(TypedDict):
    """A part of a line of source, and the nodes whose expressions it is in.

    Those of the innermost expression are several where a line is executed several times.
    """

    text: str
    inner: Sequence[int]
    nodes: Sequence[int]


class CodeBlock(TypedDict):
    """A function, line by line: the number of the first, and whether the learner wrote it."""

    first: int
    own: bool
    lines: Sequence[Sequence[CodePart]]


class Question(TypedDict):
    """What a reader is asked before a contribution is shown, and what judges the answer."""

    entry: int
    """Which of the shown entries is asked for."""
    at: str
    value: float
    wrong: dict[str, float]
    """What named mistakes give."""
    rule: str
    """The first hint."""
    numbers: str
    """The last hint."""


class ExplorerFactor(TypedDict):
    """A factor of a product that makes a contribution."""

    text: str
    names: Sequence[Name]
    family: Family
    value: int


class ExplorerContribution(TypedDict):
    """What a step back hands to a parent: the ``arrival``-th of so many ``arrivals`` there."""

    parent: int
    edge: int
    line: str
    names: Sequence[Name]
    target: Formula
    """The left side of its equation; the right side is the rule."""
    rule: Formula
    symbol: str
    factors: Sequence[ExplorerFactor]
    value: int | None
    """Its array; none, as other numbers of what is folded away in a large graph."""
    before: int | None
    """What had arrived before, added up."""
    arrival: int
    arrivals: int
    total: int | None
    """What has arrived by then, added up."""
    ask: Question | None


class ExplorerFrame(TypedDict):
    """A step of the replay: what happens, at which node, in words."""

    phase: Literal["start", "forward", "seed", "backward"]
    node: int | None
    words: Sequence[str | int]
    """Texts, and numbers of tensors whose words stand there."""
    contributions: Sequence[ExplorerContribution]
    ask: Question | None


class CostBar(TypedDict):
    """One direction in which derivatives can be computed, on one scale with the other."""

    way: Literal["backward", "forward"]
    text: str
    share: float


class CostScene(TypedDict):
    """What the gradient costs backward and forward."""

    headline: str
    bars: Sequence[CostBar]
    sentences: str
    size: str


class ExplorerLegend(TypedDict):
    """What the scales reach from and to."""

    value: str
    adjoint: str


class ExplorerScene(TypedDict):
    """What ``GraphExplorer`` shows, however its groups are folded."""

    name: str
    alt: str
    output: int
    note: str
    """Why there is no way back; empty where there is one."""
    nodes: Sequence[ExplorerNode]
    edges: Sequence[ExplorerEdge]
    groups: Sequence[ExplorerGroup]
    folded: Sequence[str]
    """What a large graph begins with folded."""
    code: Sequence[CodeBlock]
    missing_source: str
    """Why nodes have neither names nor code; empty where none lacks them."""
    frames: Sequence[ExplorerFrame]
    cost: CostScene | None
    tensors: Sequence[Tensor]
    shapes: Sequence[FormulaShape]
    marks: Sequence[BadgeStyle]
    legend: ExplorerLegend


class Told(TypedDict):
    """What is put into the scene of a large graph once it shows: nodes and frames by their numbers.

    A frame has its first contributions; tensors and shapes come ``after`` so many.
    """

    nodes: dict[str, ExplorerNode]
    frames: dict[str, ExplorerFrame]
    tensors: Sequence[Tensor]
    shapes: Sequence[FormulaShape]
    after: Sequence[int]


class CardMark(TypedDict):
    """A badge on a card, and the nodes that it is about."""

    style: int
    text: str
    nodes: Sequence[int]
    box: Box


class ExplorerCard(TypedDict):
    """A node, or a folded group with the node that is its result if there is one."""

    group: int | None
    node: int | None
    box: Box
    marks: Sequence[CardMark]


class CardEdge(TypedDict):
    """A line from card to card: control points of Bézier curves, and the edges it stands for."""

    tail: int
    head: int
    of: Sequence[int]
    path: Sequence[Point]


class OpenGroup(TypedDict):
    """The border of a group that is not folded."""

    group: int
    box: Box


class ExplorerGeometry(TypedDict):
    """Where everything lies when some groups are folded."""

    folded: Sequence[str]
    width: float
    height: float
    card_of: Sequence[int]
    """For each node the number of the card that it is on."""
    cards: Sequence[ExplorerCard]
    edges: Sequence[CardEdge]
    groups: Sequence[OpenGroup]


class FoldedState(TypedDict):
    """What a page without a kernel can show."""

    geometry: ExplorerGeometry
    turned: dict[str, int]
    """For each group that shows, the number of the state to go to when it is turned over."""

"""What Python hands to the browser: the contract between the scenes and the ES modules.

What the views share comes first, then a section for each view.  A scene is plain data
that JSON can hold; a tuple is an array there.  A key that is ``NotRequired`` may be absent:
then the thing is false, empty or none.
"""

# No postponed annotations here: with them Python 3.11 would not see what is NotRequired.
from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict

# --- what the views share -------------------------------------------------------

Element = list[Any]
"""An element of a formula: ``[tag, text, attributes, children]``; the children are elements.

What is empty at the end is left out.
"""

Formula = list[Any]
"""The number of a formula's shape, and the texts in its gaps."""

FormulaShape = tuple[str | int, ...]
"""An element as JSON, cut at its gaps: between the pieces, which of the texts belongs there."""

Family = Literal["value", "adjoint"]
"""The two scales of colours: values and weights, or gradients."""

Colour = str | Sequence[Any]
"""A role of the palette, or a heat: a family and where on its scale, from -1 to 1."""

Point = Sequence[float]
"""x and y in pixels; the y axis points down."""

Box = Sequence[float]
"""Left, top, width, height."""


class Part(TypedDict):
    """What every shape of a picture may have."""

    key: NotRequired[str]
    """By which a view finds it again."""
    since: NotRequired[int]
    """The first step of a replay at which it is there."""
    until: NotRequired[int]
    """The last one."""


class Outlined(Part):
    """A shape with a line around it, and something in it."""

    fill: NotRequired[Colour]
    stroke: NotRequired[Colour]
    width: NotRequired[float]
    dash: NotRequired[Sequence[float]]


class LineShape(Outlined):
    """Straight lines from point to point."""

    kind: Literal["line"]
    points: NotRequired[Sequence[Point]]
    close: NotRequired[bool]


class CurveShape(Outlined):
    """Cubic Bézier curves, end to end, through their control points."""

    kind: Literal["curve"]
    points: Sequence[Point]


class RectShape(Outlined):
    """A rectangle, with round corners if there is a radius."""

    kind: Literal["rect"]
    box: Box
    radius: NotRequired[float]


class CircleShape(Outlined):
    """A circle."""

    kind: Literal["circle"]
    centre: Point
    radius: NotRequired[float]


class TextShape(Part):
    """A line of text, whose middle is at the height of ``at``."""

    kind: Literal["text"]
    at: Point
    text: NotRequired[str]
    sub: NotRequired[str]
    fill: NotRequired[Colour]
    on: NotRequired[Colour]
    size: float
    anchor: Literal["start", "middle", "end"]
    italic: NotRequired[bool]
    bold: NotRequired[bool]
    turned: NotRequired[bool]


class HeatShape(Part):
    """Cells row by row, each on its family's scale, with a text in it if there are texts."""

    kind: Literal["heat"]
    box: Box
    columns: int
    heats: NotRequired[Sequence[float]]
    family: Family
    gap: NotRequired[float]
    texts: NotRequired[Sequence[str]]
    size: NotRequired[float]


class FieldShape(Part):
    """A smooth field of heat: one byte for each cell, as Base64."""

    kind: Literal["field"]
    box: Box
    rows: int
    columns: int
    family: Family
    levels: str


Shape = LineShape | CurveShape | RectShape | CircleShape | TextShape | HeatShape | FieldShape


class PictureData(TypedDict):
    """A surface in pixels and its shapes, from back to front; see ``views/picture.py``."""

    width: float
    height: float
    alt: str
    shapes: Sequence[Shape]
    cut: NotRequired[bool]
    """Whether shapes end at its border, beyond which they go on in another picture."""


class HeatMap(TypedDict):
    """A large array, as few enough cells to be seen at once."""

    rows: int
    columns: int
    block: Sequence[int]
    """A cell stands for so many rows and columns of the array."""
    heat: str
    """The heat of each cell in thousandths, two bytes each, as Base64."""
    long: Sequence[str]
    """The number of each cell; empty if they did not come along."""


class Tensor(TypedDict):
    """An array as a reader sees it: its first entries, and a map of all if there are more."""

    shape: str
    single: bool
    rows: int
    columns: int
    heat: str
    """The heat of each entry in thousandths, two bytes each, as Base64."""
    short: Sequence[str]
    """The entries, as short as a card needs them; empty where it has no room for them."""
    words: str
    """The entries as they are read out, from which ``entriesOf`` in arrays.mjs takes each."""
    map: HeatMap | None


# --- the explorer of the sigmoid ------------------------------------------------


class SigmoidPlaces(TypedDict):
    """What moves with z: for each place on the grid one entry."""

    value: Sequence[str]
    slope: Sequence[str]
    share: Sequence[str]
    saturated: Sequence[bool]
    dots: Sequence[Sequence[Point]]
    """On the curve, and on that of the slope."""
    tangent: Sequence[Sequence[Point]]
    bar: Sequence[float]
    path: Sequence[Sequence[Point]]
    """Through the powers that are not 0."""
    powers: Sequence[Sequence[str]]


class SigmoidCurve(TypedDict):
    """One activation: its pictures at a place where nothing is missing, and what moves in them."""

    name: str
    slopeName: str
    best: str
    formulas: Sequence[Element]
    alt: str
    pictures: Sequence[PictureData]
    plot: Sequence[float]
    """Left and width of the plot."""
    across: Sequence[float]
    """The x of each number of units."""
    bestTexts: Sequence[str]
    places: SigmoidPlaces


class SigmoidScene(TypedDict):
    """What ``SigmoidExplorer`` shows, for each activation."""

    low: float
    high: float
    perOne: int
    units: int
    z: Sequence[str]
    curves: dict[str, SigmoidCurve]


# --- the chain rule -------------------------------------------------------------

Patch = dict[str, dict[str, Any]]
"""By the key of a shape what is different of it at a step; see ``picture.patched``."""


class ChainMatrix(TypedDict):
    """A matrix, as a heat map and in words."""

    name: str
    math: Element
    family: Family
    shape: str
    words: str
    lit: Sequence[str]
    """The beginnings of the keys of what it has to do with in the network."""
    picture: PictureData
    numbers: Tensor | None
    """None where it is not built."""
    layout: str
    """What stands in row r and column c; empty unless it is a factor."""
    notes: Sequence[str]


class ChainLine(TypedDict):
    """Names of matrices, and signs between them."""

    title: str
    items: Sequence[str]


class ChainFrame(TypedDict):
    """A step of the product, or of the way to the code."""

    words: str
    title: Sequence[str]
    lines: Sequence[ChainLine]
    notes: Sequence[str]
    paid: Patch
    """Of the picture of the costs; empty on the way to the code."""


class ChainProduct(TypedDict):
    """The chain of one θ_i; factors and steps are names of matrices."""

    name: str
    math: Element
    factors: Sequence[str]
    steps: Sequence[str]
    code: Sequence[str]
    costs: PictureData
    why: Sequence[str]
    introduction: str
    frames: dict[str, Sequence[ChainFrame]]
    """By "left", "right" and "transposes"."""


class ChainScene(TypedDict):
    """What ``ChainRule`` shows."""

    alt: str
    K: int
    row: int
    rows: int
    """Of the batch; 0 of a single input."""
    batch: str
    """Which row it is, and what is too large for its type."""
    complete: bool
    """Whether the chains of all θ_i are here."""
    equation: Element
    network: PictureData
    matrices: dict[str, ChainMatrix]
    chains: dict[str, ChainProduct]
    wide: bool
    """Whether the factors need all the room from side to side."""
    legend: dict[str, str]


# --- the gradient's flow --------------------------------------------------------


class FlowFrame(TypedDict):
    """A step of the replay: what is computed, and what to watch for."""

    phase: Literal["Start", "Forward", "Loss", "Backward"]
    words: str
    formulas: Sequence[Element]
    watch: str


class FlowFactor(TypedDict):
    """A factor of the whole way back."""

    kind: str
    text: str


class FlowVerdict(TypedDict):
    """What became of the gradient in the end."""

    text: str
    start: str
    ratio: str
    factors: Sequence[FlowFactor]


class FlowRow(TypedDict):
    """A layer of the table, and since which step it is known."""

    layer: int
    since: int
    cells: Sequence[str]


class FlowTable(TypedDict):
    """The table, layer by layer backward."""

    columns: Sequence[str]
    rows: Sequence[FlowRow]


class FlowFact(TypedDict):
    """A number that is printed, and the step since which it is known."""

    name: str
    text: str
    since: int


class FlowNumbers(TypedDict):
    """What is printed of a weight or bias."""

    value: str
    slope: str
    since: int
    """The step since which the slope is known."""
    rule: str
    """How the slope is computed, with names; ``worked`` is the same with numbers."""
    worked: str


class FlowParameter(FlowNumbers):
    """What is printed of a weight or bias and of the units at its ends."""

    facts: Sequence[FlowFact]


class FlowDrawn(FlowNumbers):
    """The same of one that is drawn; its facts are numbers of the scene's."""

    facts: Sequence[int]


class FlowTexts(TypedDict):
    """What is printed of a weight that is moved."""

    weight: str
    epsilon: str
    loss: str
    change: str
    linear: str
    difference: str


class LossCurve(TypedDict):
    """The loss as a weight or bias is moved."""

    picture: PictureData
    epsilons: Sequence[float]
    """How far the weight is moved at each place; what follows has an entry for each."""
    places: Sequence[Sequence[float]]
    """x, y of the curve and y of the tangent."""
    base: float
    """The y of no change."""
    texts: Sequence[FlowTexts]


class FlowCurve(LossCurve):
    """The loss along a parameter, which travels beside the scene, and what is printed of it."""

    about: FlowParameter


class FlowSign(TypedDict):
    """What a sign means: a heat's family, a dashed edge, a factor's bar, a norm, a bound."""

    kind: Literal["value", "adjoint", "negative", "A", "steepest", "saturation", "norm", "bound"]
    text: str


class FlowLegend(TypedDict):
    """The signs of the pictures."""

    units: Sequence[FlowSign]
    edges: dict[str, Sequence[FlowSign]]
    """For "weight" and "gradient"."""
    bars: Sequence[FlowSign]


class FlowScene(TypedDict):
    """What ``GradientFlow`` shows."""

    alt: str
    frames: Sequence[FlowFrame]
    turn: int
    """The first step back."""
    units: PictureData
    edges: dict[str, PictureData]
    """For "weight" and "gradient"."""
    waterfall: PictureData
    legend: FlowLegend
    verdict: FlowVerdict
    table: FlowTable
    facts: Sequence[FlowFact]
    parameters: dict[str, FlowDrawn]
    """By name, of what is drawn."""
    activations: Sequence[str]
    rows: int
    batch: str


# --- the game -------------------------------------------------------------------


class BugChoice(TypedDict):
    """A mistake to choose, or a line, whose id is its number."""

    id: str
    title: str


class BugStage(TypedDict):
    """The choices of a stage of the backward pass; the stage is "" where they are few."""

    stage: str
    choices: Sequence[BugChoice]


class BugFrame(TypedDict):
    """An epoch: what is different of the charts, by the keys of their shapes."""

    words: str
    patch: dict[str, dict[str, Any]]


class BugScene(TypedDict):
    """A round of ``FindTheBug``, without its answer."""

    asks: Literal["mistake", "line"]
    setting: str
    levels: Sequence[tuple[str, str]]
    choices: Sequence[BugStage]
    hints: int
    """How many there are."""
    costs: dict[str, str]
    """Of measuring and of a hint, in words."""
    loss: PictureData | None
    flow: PictureData | None
    """Of the training; none where a line is asked for."""
    gradients: PictureData
    code: Sequence[str]
    """The lines of the pass; none unless it is shown."""
    frames: Sequence[BugFrame]


class BugNote(TypedDict):
    """Something that is told."""

    kind: str
    """"measured", "hint", "wrong", "right" or "solution"."""
    title: str
    words: str
    formula: NotRequired[Element]


class BugSolution(TypedDict):
    """What is told in the end."""

    id: str
    notes: Sequence[BugNote]
    picture: PictureData | None
    """What the wrong line gives beside what it should give; none of a mistake."""
    code: Sequence[tuple[str, str]]
    """The lines of the pass; each is "wrong", "right" or neither, which is ""."""


class BugFound(TypedDict):
    """What has been told so far."""

    picture: PictureData | None
    """The gradients with the measured ones."""
    notes: Sequence[BugNote]
    solved: bool
    solution: BugSolution | None
    worth: int
    """What a right answer is worth by now."""


class BugSecret(TypedDict):
    """All that can be told; only a page without a kernel has it."""

    picture: PictureData
    measured: BugNote
    hints: Sequence[BugNote]
    verdicts: dict[str, BugNote]
    solution: BugSolution
    worth: Sequence[Sequence[Sequence[int]]]
    """By whether it is measured, the number of hints, and that of wrong answers."""


# --- the playground -------------------------------------------------------------


class PlaygroundPictures(TypedDict):
    """What of a training stays as long as data and network do."""

    alt: str
    plane: PictureData
    network: PictureData
    units: Sequence[str]
    """The keys of the fields of the units; in this order a frame has their tiles."""
    edges: Sequence[str]
    """The keys of the edges; in this order a frame has their levels."""
    edgeStyles: Sequence[dict[str, Any]]
    """Stroke, width and dash of each level, from the most negative."""
    bars: Sequence[str]
    floor: float
    """The y on which the bars stand."""
    legend: PictureData


class PlaygroundScene(PlaygroundPictures):
    """What ``Playground`` shows besides its frames and curves."""

    options: dict[str, Sequence[Any]]
    """By the name of a setting what can be chosen."""


class PlaygroundFrame(TypedDict):
    """A training at one epoch; the map and the tiles are bytes as Base64."""

    epoch: int
    map: str
    tiles: Sequence[str]
    boundary: str
    """The lines on which the output is ½, as the ``d`` of an SVG path."""
    edges: Sequence[int]
    weights: str
    norms: Sequence[str]
    bars: Sequence[float]
    saturated: Sequence[str]
    loss: str
    heldOut: str
    accuracy: str
    heldOutAccuracy: str
    words: str
    serial: NotRequired[int]
    """So many frames there have been."""
    run: NotRequired[int]
    """So many trainings there have been."""


class PlaygroundCurves(TypedDict):
    """The charts of a training; their lines come apart, by their keys, as SVG paths."""

    pictures: Sequence[PictureData]
    plot: Sequence[float]
    """Left and width of the plots."""
    last: float
    """The last epoch of their axis."""


# --- the explorer of a graph ----------------------------------------------------

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

"""What ``GradientFlow`` is handed: see ``views/schema.py``."""

from collections.abc import Sequence
from typing import Literal, TypedDict

from backprop_nb.views.schema import Element, PictureData


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

"""What ``FindTheBug`` is handed: see ``views/schema.py``."""

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from backprop_nb.views.schema import Element, Patch, PictureData


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
    patch: Patch


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

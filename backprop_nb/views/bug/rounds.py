"""The two kinds of round: which mistake is it, and which line is it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from backprop_nb.checking.line_puzzle import make_line_puzzle
from backprop_nb.checking.mistake import Mistake
from backprop_nb.checking.puzzle import CHOICES, PLAYABLE, choices, make_puzzle
from backprop_nb.views.bug.answers import secret
from backprop_nb.views.bug.lines import (
    FINE,
    FOUND,
    OPEN,
    code_picture,
    describe_lines,
    line_scene,
    line_secret,
)
from backprop_nb.views.bug.scene import bug_scene, describe_round
from backprop_nb.views.bug.schema import BugFound, BugSecret
from backprop_nb.views.picture import patched

Pictures: TypeAlias = list[list[Mapping[str, Any]]]
"""Rows of pictures as plain data."""


class MistakeRound:
    """The document's own pass in training, and the mistake in it to be named.

    Attributes
    ----------
    asked
        What there is to be found, as the end of a sentence.
    heading
        What a page of its own is called.
    keys
        What the keys do.
    key
        What tells it from other rounds that have another answer.
    scene
        What is seen, without the answer.
    """

    asked = "one mistake is in this pass"
    heading = "Find the bug in this backward pass"
    keys = (
        "arrow keys choose a mistake and Enter answers; [ and ] step through the epochs, "
        "Home and End jump, Space plays."
    )

    def __init__(self, level: str, seed: int, number: int, mistakes: Sequence[Mistake]) -> None:
        self.key = "document", number
        self._number = number
        self._puzzle = make_puzzle(seed, number, mistakes)
        count = len(PLAYABLE) if level == "hard" else CHOICES
        self._offered = choices(self._puzzle, seed, number, count)
        self.scene = bug_scene(self._puzzle, self._offered, code=level == "easy")

    @cached_property
    def secret(self) -> BugSecret:
        """All that can be told."""
        return secret(self._puzzle, self._offered)

    def describe(self, *, measured: bool) -> list[str]:
        """Return in words what is seen."""
        return describe_round(self._puzzle, self.scene, measured=measured)

    def pictures(self, found: BugFound, tried: Sequence[str], step: int) -> Pictures:
        """Return the charts of the training at an epoch, and below them the gradients."""
        patch = self.scene["frames"][step]["patch"]
        charts: list[Mapping[str, Any]] = [
            patched(each, patch) for each in (self.scene["loss"], self.scene["flow"]) if each
        ]
        return [charts, [found["picture"] or self.scene["gradients"]]]

    def alt(self) -> str:
        """Return what stands for the pictures."""
        words = self.scene["frames"][-1]["words"]
        return f"A backward pass with a mistake, round {self._number}. {words}"


class LineRound:
    """The pass of a course, and the wrong line of it to be picked; else as the other round."""

    asked = "one line of this pass is wrong"
    heading = "Find the wrong line of this backward pass"
    keys = "arrow keys choose a line, and Enter answers."

    def __init__(self, level: str, seed: int, number: int, courses: Collection[str]) -> None:
        forward = level == "hard"
        self.key = tuple(courses), forward, number
        self._number = number
        self._puzzle = make_line_puzzle(seed, number, courses, forward=forward)
        few = level == "easy"
        self._offered = self._puzzle.offered(seed, number) if few else self._puzzle.pickable
        self.scene = line_scene(self._puzzle, self._offered)

    @cached_property
    def secret(self) -> BugSecret:
        """All that can be told."""
        return line_secret(self._puzzle, self._offered)

    def describe(self, *, measured: bool) -> list[str]:
        """Return in words what is seen."""
        return describe_lines(self._puzzle, self.scene, measured=measured)

    def pictures(self, found: BugFound, tried: Sequence[str], step: int) -> Pictures:
        """Return the code with what has been told of its lines, the gradients, the two values."""
        solution = found["solution"]
        marks = dict.fromkeys(self._offered, OPEN) | {int(each): FINE for each in tried}
        if solution is not None:
            marks[int(solution["id"])] = FOUND
        values = solution["picture"] if solution is not None else None
        numbers = values or found["picture"] or self.scene["gradients"]
        return [[code_picture(self._puzzle, marks).data()], [numbers]]

    def alt(self) -> str:
        """Return what stands for the pictures."""
        return f"A backward pass with a wrong line, round {self._number}. {self.scene['setting']}"


Round: TypeAlias = MistakeRound | LineRound

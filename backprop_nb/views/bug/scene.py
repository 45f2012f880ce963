"""A round of the game as a scene: the training with a broken pass, and its gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from backprop_nb import display
from backprop_nb.checking.mistake import Mistake
from backprop_nb.checking.mistakes import stage_of
from backprop_nb.checking.puzzle import (
    CHOICES,
    EPOCHS,
    LEARNING_RATE,
    WIDTHS,
    Puzzle,
)
from backprop_nb.checking.reference import Gradients
from backprop_nb.errors import counted, in_words
from backprop_nb.network.validation import FloatArray
from backprop_nb.views import numbers
from backprop_nb.views.bug.schema import BugScene
from backprop_nb.views.chart import Axis, Chart, Series, legend, span
from backprop_nb.views.numbers import Scale
from backprop_nb.views.picture import SOLID, Picture
from backprop_nb.views.schema import Family

K = len(WIDTHS) - 1
HEIGHT = 262.0

LEVELS = {
    "easy": "easy · with code",
    "medium": "medium · six choices",
    "hard": "hard · all mistakes",
}
HINTS = 3
POINTS = {"start": 6, "measure": 1, "hint": 1, "wrong": 2, "least": 1}
"""What a round is worth, what each help and each wrong answer costs, and what is left at least."""
COSTS = {name: f"{counted(POINTS[name], 'point')} less" for name in ("measure", "hint", "wrong")}

SETTING = (
    "Three layers of three units, three samples, and the loss is the mean of ‖y\u00a0−\u00a0f_K‖²: "
    "all sizes are equal, so no shape betrays the mistake."
)


def bug_scene(puzzle: Puzzle, choices: Sequence[Mistake], *, code: bool) -> BugScene:
    """Return a round as plain data; which mistake it is does not occur in it.

    Many choices come with their stage of the pass; ``code`` shows the pass as NumPy.
    """
    training, many = _Training(puzzle), len(choices) > CHOICES
    stages = groupby(choices, stage_of if many else lambda _: "")
    return {
        "asks": "mistake",
        "setting": SETTING,
        "levels": list(LEVELS.items()),
        "choices": [
            {"stage": stage, "choices": [{"id": each.id, "title": each.title} for each in group]}
            for stage, group in stages
        ],
        "hints": HINTS,
        "costs": COSTS,
        "loss": training.loss.picture.data(),
        "flow": training.flow.picture.data(),
        "gradients": gradient_picture(puzzle, measured=False).data(),
        "code": [line.text for line in puzzle.broken().listing()] if code else [],
        "frames": [
            {"words": training.words(epoch), "patch": training.patch(epoch)}
            for epoch in range(EPOCHS + 1)
        ],
    }


# --- training ---------------------------------------------------------------


_PASSES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("broken", "this pass", {"stroke": "backward", "dash": SOLID, "fill": "backward"}),
    ("right", "the right pass", {"stroke": "muted", "dash": (5.0, 3.0), "fill": None}),
)
"""Each pass: its part of a key, its name, and how its bars are drawn."""
_BAR = 16.0


class _Training:
    """The training with both passes: two charts, and what is different of them at an epoch."""

    def __init__(self, puzzle: Puzzle) -> None:
        self.logs = puzzle.runs
        self.loss = self._loss_chart()
        self.flow = self._flow_chart()

    def patch(self, epoch: int) -> dict[str, dict[str, Any]]:
        """Return what is different at an epoch, by the keys of the shapes."""
        patch: dict[str, dict[str, Any]] = {}
        for (key, _, _), log, above in zip(_PASSES, self.logs, (True, False), strict=True):
            last = min(epoch, len(log.loss) - 1)
            x, y = self.loss.at(last, log.loss[last])
            patch[f"loss:{key}"] = {"cut": last + 1}
            patch[f"now:{key}"] = {"centre": [round(x, 1), round(y, 1)]}
            # After a training has ended there is no gradient.
            norms = log.norms[epoch] if epoch < len(log.norms) else [math.nan] * K
            for i, norm in enumerate(norms):
                patch |= self._bar(f"{i}:{key}", norm, K - i - 0.5, above)
        return patch

    def _bar(self, key: str, norm: float, y: float, above: bool) -> dict[str, dict[str, Any]]:
        """Return a bar and its number, above or below a place of the axis."""
        there = math.isfinite(norm) and norm > 0
        left = self.flow.plot[0]
        end, middle = self.flow.at(norm if there else self.flow.x.low, y)
        top = round(middle - _BAR - 1.5 if above else middle + 1.5, 1)
        text = "none" if math.isnan(norm) else numbers.short(norm)
        return {
            f"bar:{key}": {"box": [left, top, round(end - left, 1), _BAR]},
            f"norm:{key}": {"text": text, "at": [round(end + 5, 1), top + _BAR / 2]},
        }

    def words(self, epoch: int) -> str:
        """Return an epoch in a sentence."""
        broken, right = self.logs
        other = f"the loss is {numbers.long(right.loss[epoch])} with the right pass"
        if epoch >= len(broken.loss):
            return f"Epoch {epoch}: {other}; with this one the weights are infinite or NaN."
        return f"Epoch {epoch}: {other} and {numbers.long(broken.loss[epoch])} with this one."

    def _loss_chart(self) -> Chart:
        picture = Picture(372, HEIGHT, "The loss in training, with this pass and the right one.")
        low, high = span([0.0, *(value for log in self.logs for value in log.loss)])
        axes = Axis("epoch", 0, EPOCHS), Axis("", max(0.0, low), high)
        chart = Chart(picture, (0, 0, picture.width, HEIGHT - 22), "loss", *axes)
        entries = []
        for (key, name, style), log in zip(_PASSES, self.logs, strict=True):
            line = range(len(log.loss)), log.loss, style["stroke"], style["dash"]
            # All of it thin, and on top of that, in its full width, what has been by now.
            chart.add(Series(name, *line, width=0.9))
            entries.append(Series(name, *line, width=2.4, key=f"loss:{key}"))
        for (key, _, style), entry in zip(_PASSES[::-1], entries[::-1], strict=True):
            chart.add(entry)
            chart.dot(0, 0, style["stroke"], key=f"now:{key}")
        legend(picture, (46, HEIGHT - 10), entries)
        return chart

    def _flow_chart(self) -> Chart:
        picture = Picture(302, HEIGHT, "The length of each layer's gradient, for both passes.")
        axes = self._flow_axis(), Axis("", 0, K, bare=True)
        # On the right there is room for the numbers behind the bars.
        chart = Chart(picture, (0, 0, picture.width - 36, HEIGHT - 22), "gradient flow", *axes)
        for value in chart.x_ticks:
            chart.rule(x=value, stroke="line", dash=SOLID)
        for i in range(K):
            at = chart.plot[0] - 6, chart.at(chart.x.low, K - i - 0.5)[1]
            picture.text(at, "θ", sub=str(i), italic=True, size=14, anchor="end")
        for place, (key, name, style) in enumerate(_PASSES):
            for i in range(K):  # how long they are, and where, an epoch says
                picture.rect((0, 0, 0, 0), key=f"bar:{i}:{key}", **style)
                picture.text((0, 0), "", size=10.5, key=f"norm:{i}:{key}")
            x, y = 46 + 102 * place, HEIGHT - 10
            picture.rect((x, y - 5, 20, 10), **style)
            picture.text((x + 26, y), name, fill="muted", size=11)
        return chart

    def _flow_axis(self) -> Axis:
        norms = np.array([norm for log in self.logs for row in log.norms for norm in row])
        sizes = norms[np.isfinite(norms) & (norms > 0)]
        # What explodes or dies out altogether must not squeeze the rest.
        middle = float(np.median(sizes))
        low, high = span(np.clip(sizes, middle * 1e-4, middle * 1e3), log=True)
        return Axis("‖∂L/∂θ‖, log scale", low, high, log=True)


# --- gradients --------------------------------------------------------------

_CELL, _LINE, _LETTER, _SIDE, _FIRST = 44.0, 24.0, 7.0, 70.0, 46.0
"""A cell's width and height, the width of a letter, the room for the rows' titles, and the top
of the first arrays."""


@dataclass(frozen=True)
class Compared:
    """Arrays beside what they should be, as two rows of heat maps."""

    title: str
    """What is above the picture."""
    rows: tuple[str, str]
    """What the two rows are called."""
    titles: Mapping[str, tuple[str, str]]
    """By the name of each array its title, and a subscript of it."""
    given: Mapping[str, FloatArray]
    right: Mapping[str, FloatArray]
    """The arrays by name; none are right where that is not known yet."""
    remarks: Mapping[str, str]
    """By name how the two compare."""
    family: Family = "adjoint"
    """The colours."""

    def picture(self, alt: str) -> Picture:
        """Return the heat maps on one scale."""
        arrays = [*self.given.values(), *self.right.values()]
        height = _LINE * max(len(_upright(each)) for each in arrays)
        second, below = _FIRST + height + 14, _FIRST + 2 * height + 14
        scale = numbers.fit_scale(arrays, log=True)
        legend = f"{_SIGNS[self.family]}: {scale.text}"
        ends = [right for _, right in self._places.values()]
        wide = max(*ends, _SIDE + 96 + 6 * len(legend), _LETTER * len(self.title))
        picture = Picture(wide + 2, below + 42, alt)
        picture.text((4, 10), self.title, bold=True, size=12)
        for name, (text, sub) in self.titles.items():
            at = self._middle(name), 32.0
            picture.text(at, text, sub=sub, size=12, anchor="middle")
        self._draw(picture, _FIRST, height, self.rows[0], self.given, scale)
        self._draw(picture, second, height, self.rows[1], self.right, scale)
        if self.remarks:
            picture.text((4, below + 11), "compared", fill="muted", size=12)
        for name, text in self.remarks.items():
            at = self._middle(name), below + 11
            picture.text(at, text, size=11, anchor="middle", bold=text != "equal")
        ramp = np.linspace(-1, 1, 11).tolist()
        picture.heat((_SIDE, below + 27, 88, 10), len(ramp), ramp, self.family, gap=0)
        picture.text((_SIDE + 96, below + 32), legend, fill="muted", size=11)
        return picture

    @cached_property
    def _places(self) -> dict[str, tuple[float, float]]:
        """The left and the right edge of each array: vectors stand near what is before them."""
        places: dict[str, tuple[float, float]] = {}
        right = _SIDE
        for name, array in self.given.items():
            both = array, self.right.get(name, array)
            columns = max(_upright(each).shape[1] for each in both)
            wide = columns * _CELL
            room = max(wide, _LETTER * len("".join(self.titles[name])))
            left = right + (0.0 if not places else 8 if columns == 1 else 20)
            right = left + room
            places[name] = left + (room - wide) / 2, right - (room - wide) / 2
        return places

    def _middle(self, name: str) -> float:
        return sum(self._places[name]) / 2

    def _draw(
        self,
        picture: Picture,
        top: float,
        height: float,
        title: str,
        arrays: Mapping[str, FloatArray],
        scale: Scale,
    ) -> None:
        fill = "text" if arrays else "muted"
        picture.text((4, top + height / 2), title, fill=fill, size=12)
        for name, (left, right) in self._places.items():
            if name in arrays:
                array = _upright(arrays[name])
                picture.heat(
                    (left, top, array.shape[1] * _CELL, len(array) * _LINE),
                    array.shape[1],
                    numbers.heats(array, scale),
                    self.family,
                    texts=[numbers.short(entry) for entry in array.ravel().tolist()],
                    size=10.5,
                )
            else:
                box = (left, top, right - left - 1, height - 1)
                picture.rect(box, stroke="line", radius=4, dash=(4, 3))
                at = (self._middle(name), top + height / 2)
                picture.text(at, "?", fill="muted", size=14, anchor="middle")


_SIGNS = {
    "adjoint": "green negative, purple positive",
    "value": "orange negative, blue positive",
}


def _upright(array: FloatArray) -> FloatArray:
    """Return an array as a table, in which a vector is a column."""
    table = numbers.table(array)
    return table.T if np.ndim(array) == 1 else table


def gradient_picture(puzzle: Puzzle, *, measured: bool) -> Picture:
    """Return the gradients before training as heat maps, beside what is measured once it is."""
    given = by_name(puzzle.gradient())
    return Compared(
        "gradients before training",
        ("this pass", "measured"),
        {name: (f"∂L/∂{name[0]}", name[2:]) for name in given},
        given,
        by_name(puzzle.measured) if measured else {},
        remarks(puzzle.factors()) if measured else {},
    ).picture(" ".join(gradients_in_words(puzzle, measured=measured)))


def remarks(factors: Mapping[str, float | None]) -> dict[str, str]:
    """Return by the name of each array how it compares with the right one, in a word."""
    return {
        name: "differs" if each is None else "equal" if each == 1.0 else f"{numbers.long(each)} ×"
        for name, each in factors.items()
    }


# --- in words ---------------------------------------------------------------


def by_name(pair: Gradients) -> dict[str, FloatArray]:
    """Return the arrays of a gradient by their names: A_0, b_0, A_1, and so on."""
    dA, db = pair
    return {f"{symbol}_{i}": side[i] for i in range(K) for symbol, side in (("A", dA), ("b", db))}


def gradients_in_words(puzzle: Puzzle, *, measured: bool) -> list[str]:
    """Return the gradients before training, with what is measured, and how they compare."""
    shown = {"this pass": puzzle.gradient()} | ({"measured": puzzle.measured} if measured else {})
    lines = []
    for title, pair in shown.items():
        arrays = [f"∂L/∂{name} = {numbers.words(each)}" for name, each in by_name(pair).items()]
        lines.append(f"Gradients before training, {title}: {', '.join(arrays)}.")
    return lines + ([comparison_in_words(puzzle)] if measured else [])


def comparison_in_words(puzzle: Puzzle) -> str:
    """Return how each array of the gradient compares with the measured one."""
    factors = {f"∂L/∂{name}": factor for name, factor in puzzle.factors().items()}
    return f"By central differences, last layer first: {compared_in_words(factors)}."


def compared_in_words(factors: Mapping[str, float | None]) -> str:
    """Return how arrays compare with the right ones, by what they are called."""
    names: dict[float | None, list[str]] = {}
    for name, factor in factors.items():
        names.setdefault(factor, []).append(name)
    parts = []
    for factor, those in names.items():
        verbs = ("are", "differ") if len(those) > 1 else ("is", "differs")
        parts.append(f"{in_words(those)} {clause(factor, *verbs)}")
    return "; ".join(parts)


def clause(factor: float | None, be: str, differ: str) -> str:
    """Return how an array compares as the end of a sentence, with these forms of its two verbs."""
    if factor == 1.0:
        return f"{be} right"
    if factor is None:
        return f"{differ} in direction"
    return f"{be} {numbers.long(factor)} times what is right"


def describe_round(puzzle: Puzzle, scene: Mapping[str, Any], *, measured: bool) -> list[str]:
    """Return a round in words, line by line, without its answer."""
    frames = scene["frames"]
    said = [
        scene["setting"],
        f"Training: {EPOCHS} epochs with a learning rate of {numbers.short(LEARNING_RATE)}.",
        *(f"  {frames[epoch]['words']}" for epoch in (0, EPOCHS // 3, EPOCHS)),
        "Gradient flow, ‖∂L/∂θ‖ of each layer with this pass and with the right one:",
        *(f"  epoch {epoch}: {_flow_words(frames[epoch]['patch'])}" for epoch in (0, EPOCHS)),
        *gradients_in_words(puzzle, measured=measured),
    ]
    lines = [display.folded(said)]
    if scene["code"]:
        lines += ["The pass, one sample per column:", *(f"  {line}" for line in scene["code"])]
    lines.append("Which mistake is in it?")
    for group in scene["choices"]:
        lines += [f"{group['stage']}:"] if group["stage"] else []
        lines += [f"  {each['title']}" for each in group["choices"]]
    return lines


def _flow_words(patch: Mapping[str, Mapping[str, Any]]) -> str:
    texts = [
        f"θ_{i} {patch[f'norm:{i}:broken']['text']} and {patch[f'norm:{i}:right']['text']}"
        for i in range(K)
    ]
    return ", ".join(texts)

"""A broken backward pass as a scene: its training, its gradients, and what is known of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from backprop_nb.checking.mistakes import Mistake, combined
from backprop_nb.checking.puzzle import (
    CHOICES,
    EPOCHS,
    LEARNING_RATE,
    WIDTHS,
    Contrast,
    Puzzle,
    Relation,
    stage_of,
)
from backprop_nb.checking.recipe import Gradients, Line, listing, recipe
from backprop_nb.network.document import equation
from backprop_nb.views import numbers
from backprop_nb.views.chart import Axis, Chart, Series, legend, span
from backprop_nb.views.formula import mathml
from backprop_nb.views.numbers import Scale
from backprop_nb.views.picture import SOLID, Colour, Picture

K = len(WIDTHS) - 1
HEIGHT = 262.0

POINTS = {"start": 6, "measure": 1, "hint": 1, "wrong": 2, "least": 1}
"""What a round is worth, what each help and each wrong answer costs, and what is left at least."""

SETTING = (
    "The network has three layers of three units, the data are three samples, and the loss is the "
    "mean of ‖y\u00a0−\u00a0f_K‖². All sizes are equal, so no shape betrays the mistake."
)


@dataclass(frozen=True)
class _Look:
    """One of the two passes in a chart: the broken one, or the right one."""

    key: str
    name: str
    stroke: Colour
    dash: Sequence[float]
    fill: Colour | None


_BROKEN = _Look("broken", "this pass", "backward", SOLID, "backward")
_RIGHT = _Look("right", "the right pass", "muted", (5.0, 3.0), None)


def bug_scene(puzzle: Puzzle, choices: Sequence[Mistake], *, code: bool) -> dict[str, Any]:
    """Return a round as plain data; which mistake it is does not occur in it.

    Parameters
    ----------
    puzzle
        The network and its broken pass.
    choices
        The mistakes to choose from; many of them come with the stage of the pass.
    code
        Whether the pass is shown as NumPy.
    """
    mistake, training, many = puzzle.mistake.id, _Training(puzzle), len(choices) > CHOICES
    return {
        "setting": SETTING,
        "choices": [
            {"id": each.id, "title": each.title, "stage": stage_of(each) if many else ""}
            for each in choices
        ],
        "points": POINTS,
        "loss": training.loss.data(),
        "flow": training.flow.data(),
        "gradients": gradient_picture(puzzle, measured=False).data(),
        "code": [line.text for line in listing(combined([mistake]))] if code else [],
        "frames": [
            {"words": training.words(epoch), "patch": training.patch(epoch)}
            for epoch in range(EPOCHS + 1)
        ],
    }


# --- training ---------------------------------------------------------------

_ROW, _BAR, _LEFT, _RIGHT_SIDE = 54.0, 16.0, 34.0, 254.0


class _Training:
    """The training with both passes: two pictures, and what is different of them at an epoch."""

    def __init__(self, puzzle: Puzzle) -> None:
        broken, right = puzzle.runs
        self.runs = [(_BROKEN, broken), (_RIGHT, right)]
        self.axis = self._flow_axis()
        self.loss = self._loss_picture()
        self.flow = self._flow_picture()

    def patch(self, epoch: int) -> dict[str, dict[str, Any]]:
        """Return what is different at an epoch, by the keys of the shapes."""
        patch = self._bars(epoch)
        for look, run in self.runs:
            last = min(epoch, len(run.loss) - 1)
            x, y = self.chart.at(last, run.loss[last])
            patch[f"loss:{look.key}"] = {"cut": last + 1}
            patch[f"now:{look.key}"] = {"centre": [round(x, 1), round(y, 1)]}
        return patch

    def words(self, epoch: int) -> str:
        """Return an epoch in a sentence."""
        (_, broken), (_, right) = self.runs
        other = f"the loss is {numbers.long(right.loss[epoch])} with the right pass"
        if epoch >= len(broken.loss):
            return f"Epoch {epoch}: {other}; with this one the weights are infinite or NaN."
        return f"Epoch {epoch}: {other} and {numbers.long(broken.loss[epoch])} with this one."

    def _loss_picture(self) -> Picture:
        picture = Picture(372, HEIGHT, "The loss in training, with this pass and the right one.")
        low, high = span([0.0, *(value for _, run in self.runs for value in run.loss)])
        axes = Axis("epoch", 0, EPOCHS), Axis("", max(0.0, low), high)
        self.chart = Chart(picture, (0, 0, picture.width, HEIGHT - 22), "loss", *axes)
        entries = []
        for look, run in self.runs:
            line = np.arange(len(run.loss)), np.array(run.loss), look.stroke, look.dash
            # All of it thin, and on top of that, in its full width, what has been by now.
            self.chart.add(Series(look.name, *line, width=0.9))
            entries.append(Series(look.name, *line, width=2.4, key=f"loss:{look.key}"))
        for (look, run), entry in zip(self.runs[::-1], entries[::-1], strict=True):
            self.chart.add(entry)
            self.chart.dot(0, run.loss[0], look.stroke, key=f"now:{look.key}")
        legend(picture, (46, HEIGHT - 10), entries)
        return picture

    def _flow_axis(self) -> Axis:
        norms = np.array([norm for _, run in self.runs for row in run.norms for norm in row])
        sizes = norms[np.isfinite(norms) & (norms > 0)]
        # What explodes or dies out altogether must not squeeze the rest.
        middle = float(np.median(sizes))
        low, high = span(np.clip(sizes, middle * 1e-4, middle * 1e3), log=True)
        return Axis("‖∂L/∂θ‖, log scale", low, high, log=True)

    def _flow_picture(self) -> Picture:
        picture = Picture(302, HEIGHT, "The length of each layer's gradient, for both passes.")
        picture.text((4, 10), "gradient flow", bold=True, size=12)
        self._draw_flow_axis(picture)
        for look, _ in self.runs:
            style: dict[str, Any] = {"fill": look.fill, "stroke": look.stroke, "dash": look.dash}
            for key, bar in self._bars(0).items():
                if key.endswith(look.key) and "box" in bar:
                    picture.rect(bar["box"], key=key, **style)
                elif key.endswith(look.key):
                    picture.text(bar["at"], bar["text"], size=10.5, key=key)
            x, y = _LEFT + 102 * (look is _RIGHT), HEIGHT - 10
            picture.rect((x, y - 5, 20, 10), **style)
            picture.text((x + 26, y), look.name, fill="muted", size=11)
        return picture

    def _draw_flow_axis(self, picture: Picture) -> None:
        top, bottom = 26.0, 26.0 + K * _ROW
        for value in self.axis.ticks(4):
            x = _LEFT + self.axis.place(value) * (_RIGHT_SIDE - _LEFT)
            picture.line([(x, top), (x, bottom)], stroke="line", width=0.6)
            text = numbers.short(value)
            picture.text((x, bottom + 12), text, fill="muted", size=10.5, anchor="middle")
        edge = [(_LEFT, top), (_LEFT, bottom), (_RIGHT_SIDE, bottom)]
        picture.line(edge, stroke="muted", width=1)
        label = ((_LEFT + _RIGHT_SIDE) / 2, bottom + 27)
        picture.text(label, self.axis.label, fill="muted", size=11, anchor="middle")
        for i in range(K):
            at = (_LEFT - 6, top + (i + 0.5) * _ROW)
            picture.text(at, "θ", sub=str(i), italic=True, size=14, anchor="end")

    def _bars(self, epoch: int) -> dict[str, dict[str, Any]]:
        """Return each bar and its number at an epoch."""
        bars: dict[str, dict[str, Any]] = {}
        for place, (look, run) in enumerate(self.runs):
            for i in range(K):
                norm = run.norms[epoch][i] if epoch < len(run.norms) else math.nan
                there = math.isfinite(norm) and norm > 0
                width = self.axis.place(norm) * (_RIGHT_SIDE - _LEFT) if there else 0.0
                y = 27.5 + (i + 0.5) * _ROW + (place - 1) * (_BAR + 3)
                bars[f"bar:{i}:{look.key}"] = {"box": [_LEFT, y, round(width, 1), _BAR]}
                bars[f"norm:{i}:{look.key}"] = {
                    "text": "none" if math.isnan(norm) else numbers.short(norm),
                    "at": [round(_LEFT + width + 5, 1), y + _BAR / 2],
                }
        return bars


# --- gradients --------------------------------------------------------------

_CELL, _LINE, _SIDE = 44.0, 24.0, 70.0
_WIDE = 4 * _CELL + 8
_ARRAYS = 20.0
_RAMP = 236.0


def gradient_picture(puzzle: Puzzle, *, measured: bool) -> Picture:
    """Return the gradients before training as heat maps, beside what is measured once it is."""
    given = puzzle.gradient()
    shown = [given, puzzle.measured] if measured else [given]
    scale = numbers.fit_scale(
        [array for pair in shown for side in pair for array in side], log=True
    )
    width = _SIDE + K * _WIDE + (K - 1) * _ARRAYS + 2
    picture = Picture(width, _RAMP + 10, _gradient_words(puzzle, measured))
    picture.text((4, 10), "gradients before training", bold=True, size=12)
    for i in range(K):
        left = _left(i)
        for x, name in ((left + 1.5 * _CELL, "∂L/∂A"), (left + 3.5 * _CELL + 8, "∂L/∂b")):
            picture.text((x, 32), name, sub=str(i), size=12, anchor="middle")
    _draw_arrays(picture, 46, "this pass", given, scale)
    second = 46 + 3 * _LINE + 14
    if measured:
        _draw_arrays(picture, second, "measured", puzzle.measured, scale)
        _draw_relations(picture, second + 3 * _LINE + 11, puzzle)
    else:
        _draw_unknown(picture, second)
    _draw_ramp(picture, scale)
    return picture


def _left(i: int) -> float:
    return _SIDE + i * (_WIDE + _ARRAYS)


def _columns(i: int) -> list[tuple[float, int]]:
    """Return where the arrays of a layer stand, and how many columns they have."""
    return [(_left(i), 3), (_left(i) + 3 * _CELL + 8, 1)]


def _draw_arrays(picture: Picture, top: float, name: str, pair: Gradients, scale: Scale) -> None:
    picture.text((4, top + 1.5 * _LINE), name, size=12)
    for i in range(K):
        for (left, columns), side in zip(_columns(i), pair, strict=True):
            for k, number in enumerate(side[i].ravel().tolist()):
                heat = ("adjoint", numbers.heat(number, scale))
                x, y = left + k % columns * _CELL, top + k // columns * _LINE
                picture.rect((x, y, _CELL - 1, _LINE - 1), fill=heat, radius=2)
                middle = (x + (_CELL - 1) / 2, y + (_LINE - 1) / 2)
                picture.text(middle, numbers.short(number), on=heat, size=10.5, anchor="middle")


def _draw_unknown(picture: Picture, top: float) -> None:
    picture.text((4, top + 1.5 * _LINE), "measured", fill="muted", size=12)
    for i in range(K):
        for left, columns in _columns(i):
            width = columns * _CELL - 1
            picture.rect((left, top, width, 3 * _LINE - 1), stroke="line", radius=4, dash=(4, 3))
            middle = (left + width / 2, top + 1.5 * _LINE)
            picture.text(middle, "?", fill="muted", size=14, anchor="middle")


def _draw_relations(picture: Picture, y: float, puzzle: Puzzle) -> None:
    picture.text((4, y), "compared", fill="muted", size=12)
    relations = dict(puzzle.relations())
    for i in range(K):
        for (left, columns), name in zip(_columns(i), "Ab", strict=True):
            text = _in_a_word(relations[f"{name}_{i}"])
            x = left + columns * _CELL / 2
            picture.text((x, y), text, size=11, anchor="middle", bold=text != "equal")


def _in_a_word(relation: Relation) -> str:
    if relation.factor is None:
        return "differs"
    return "equal" if relation.equal else f"{numbers.long(relation.factor)} ×"


def _draw_ramp(picture: Picture, scale: Scale) -> None:
    x, y = _SIDE, _RAMP
    for k in range(11):
        picture.rect((x + 8 * k, y - 5, 8, 10), fill=("adjoint", k / 5 - 1))
    picture.text(
        (x + 96, y), f"green negative, purple positive: {scale.text}", fill="muted", size=11
    )


# --- what is said -----------------------------------------------------------


def verdict(puzzle: Puzzle, chosen: Mistake) -> dict[str, Any]:
    """Return whether a choice is right, and if not what tells it from what is there."""
    if chosen is puzzle.mistake:
        return {"right": True, "words": f"Right: {_lower(chosen.title)}."}
    contrast = puzzle.contrast(chosen)
    return {"right": False, "words": f"Not “{chosen.title}”. {_contrast_words(contrast)}"}


def _lower(title: str) -> str:
    """Return a title inside a sentence; a symbol stays as it is."""
    return title[0].lower() + title[1:] if title[1:2].islower() or title[1:2] == " " else title


def _contrast_words(contrast: Contrast) -> str:
    if contrast.entry is not None:
        index, theirs, ours = contrast.entry
        place = " and ".join(
            f"{name} {k + 1}" for name, k in zip(("row", "column"), index, strict=False)
        )
        return (
            f"With it ∂L/∂{contrast.name} would have {numbers.long(theirs)} in {place}; "
            f"here it has {numbers.long(ours)}."
        )
    return (
        f"With it ∂L/∂{contrast.name} would {_as_clause(contrast.chosen, 'be', 'differ')}; "
        f"here it {_as_clause(contrast.given, 'is', 'differs')}."
    )


def _as_clause(relation: Relation, be: str, differ: str) -> str:
    if relation.equal:
        return f"{be} right"
    if relation.factor is None:
        return f"{differ} in direction"
    return f"{be} {numbers.long(relation.factor)} times what is right"


def solution(puzzle: Puzzle) -> dict[str, Any]:
    """Return what is told in the end: the mistake, its lines, and the equation it breaks."""
    mistake = puzzle.mistake
    found = equation(mistake.equation) if mistake.equation else None
    return {
        "id": mistake.id,
        "title": mistake.title,
        "explanation": mistake.explanation,
        "first": f"What is wrong first, on the way back: {mistake.first.title}.",
        "equation": found
        and {"tag": found.tag, "formula": mathml(found.latex), "latex": found.latex},
        "code": [list(pair) for pair in _marked(mistake)],
    }


def _marked(mistake: Mistake) -> list[tuple[str, str]]:
    """Return the lines of the pass; where it is wrong, each is followed by what is right."""
    wrong, right = listing(combined([mistake.id])), listing(recipe())
    mended = {name: [line for line in right if line.quantity == name] for name in mistake.changes}
    lines: list[tuple[str, str]] = []
    for k, line in enumerate(wrong):
        if line.quantity not in mended:
            lines.append(("", line.text))
            continue
        lines.append(("wrong", line.text))
        if _is_last(wrong, k):
            lines += [("right", each.text) for each in mended[line.quantity]]
    return lines


def _is_last(lines: Sequence[Line], k: int) -> bool:
    return k + 1 == len(lines) or lines[k + 1].quantity != lines[k].quantity


def measurement(puzzle: Puzzle) -> dict[str, Any]:
    """Return what measuring shows: the heat maps of both, and the comparison in words."""
    return {
        "picture": gradient_picture(puzzle, measured=True).data(),
        "words": _comparison_words(puzzle),
    }


def _comparison_words(puzzle: Puzzle) -> str:
    names: dict[tuple[str, str], list[str]] = {}
    for name, each in puzzle.relations():
        clauses = _as_clause(each, "is", "differs"), _as_clause(each, "are", "differ")
        names.setdefault(clauses, []).append(f"∂L/∂{name}")
    parts = [
        f"{' and '.join(filter(None, [', '.join(each[:-1]), each[-1]]))} {clauses[len(each) > 1]}"
        for clauses, each in names.items()
    ]
    return f"By central differences, last layer first: {'; '.join(parts)}."


# --- the text twin ----------------------------------------------------------


def _gradient_words(puzzle: Puzzle, measured: bool) -> str:
    said = [_gradients_in_words("this pass", puzzle.gradient())]
    if measured:
        said += [_gradients_in_words("measured", puzzle.measured), _comparison_words(puzzle)]
    return " ".join(said)


def _gradients_in_words(name: str, pair: Gradients) -> str:
    arrays = [
        f"∂L/∂{symbol}_{i} = {numbers.words(side[i])}"
        for i in range(K)
        for symbol, side in zip("Ab", pair, strict=True)
    ]
    return f"Gradients before training, {name}: {', '.join(arrays)}."


def describe_round(puzzle: Puzzle, scene: Mapping[str, Any], *, measured: bool) -> list[str]:
    """Return a round in words, line by line, without its answer."""
    frames = scene["frames"]
    lines = [
        scene["setting"],
        f"Training: {EPOCHS} epochs with a learning rate of {numbers.short(LEARNING_RATE)}.",
        *(f"  {frames[epoch]['words']}" for epoch in (0, EPOCHS // 3, EPOCHS)),
        "Gradient flow, ‖∂L/∂θ‖ of each layer with this pass and with the right one:",
        *(f"  epoch {epoch}: {_flow_words(frames[epoch]['patch'])}" for epoch in (0, EPOCHS)),
        _gradients_in_words("this pass", puzzle.gradient()),
    ]
    if measured:
        lines += [_gradients_in_words("measured", puzzle.measured), _comparison_words(puzzle)]
    if scene["code"]:
        lines += ["The pass, one sample per column:", *(f"  {line}" for line in scene["code"])]
    lines.append("Which mistake is in it?")
    for stage, choices in groupby(scene["choices"], lambda each: str(each["stage"])):
        lines += [f"{stage}:"] if stage else []
        lines += [f"  {each['title']}" for each in choices]
    return lines


def _flow_words(patch: Mapping[str, Mapping[str, Any]]) -> str:
    texts = [
        f"θ_{i} {patch[f'norm:{i}:broken']['text']} and {patch[f'norm:{i}:right']['text']}"
        for i in range(K)
    ]
    return ", ".join(texts)

"""The gradients of many passes on one network, computed layer by layer and never twice.

The catalogue's mistakes, and pairs of them, are hundreds of passes, and most of them have
their first steps in common.  So a pass is cut before the way back, and before and after each
layer's gradients; what is known at a cut is kept by the wrong code that came before it.  Whoever
looks for a pass that gives some gradients can also stop at the first layer at which it does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.convention import Convention, Course
from backprop_nb.checking.mistake import Mistake, PlacedMistake
from backprop_nb.checking.probes import make_probes
from backprop_nb.checking.reference import (
    LEARNING_RATE,
    STEP,
    PassStep,
    Situation,
    biases_out,
    names_in,
    right_code,
    schedule,
    take,
    weights_out,
)

Array: TypeAlias = NDArray[Any]
NamedGradients: TypeAlias = Mapping[str, Array]
"""The gradients of one network by name, dA[0], db[0], …"""
Wrong: TypeAlias = frozenset[tuple[str, int, str]]
"""Wrong code: the name of a step, the i at which it stands, and the code."""
Cuts: TypeAlias = tuple[Wrong, ...]
"""The wrong code of a mistake up to each cut."""
Key: TypeAlias = tuple[Wrong, ...]
"""The wrong code of all mistakes up to one cut."""

_MAX_KEPT = 5_000
_TABLES = ("f", "z", "delta", "dA", "db")


class StagedPasses:
    """Passes with mistakes on one network of a course.

    Examples
    --------
    >>> from backprop_nb.checking.mistakes import find
    >>> passes = StagedPasses(Course(), 0)
    >>> right, halved = (
    ...     passes.gradients(each) for each in ((), (PlacedMistake(find("missing_factor_2")),))
    ... )
    >>> bool(np.allclose(right["dA[0]"], 2 * halved["dA[0]"]))
    True
    """

    def __init__(self, course: Course, k: int) -> None:
        self.course = course
        self.probe = make_probes(course)[k]
        self.situation = Situation(self.probe.widths, self.probe.N, course)
        self.right = right_code(course)
        self._kept: dict[tuple[int, Key], dict[str, Any] | None] = {}
        self._given: dict[tuple[int, Key], NamedGradients] = {}
        self._possible: dict[Mistake, bool] = {}
        self._cuts: dict[tuple[PlacedMistake, float], Cuts] = {}

    def can_make(self, placed: Sequence[PlacedMistake]) -> bool:
        """Return whether mistakes can be made here, each by itself."""
        for mistake in (each.mistake for each in placed):
            if mistake not in self._possible:
                self._possible[mistake] = mistake.applies(self.situation)
        return all(self._possible[each.mistake] for each in placed)

    def wrong(
        self, placed: Sequence[PlacedMistake], learning_rate: float = LEARNING_RATE
    ) -> tuple[Cuts, ...]:
        """Return the wrong code of each mistake."""
        found = []
        for each in placed:
            key = each, learning_rate if each.mistake.has_learning_rate else 0.0
            if key not in self._cuts:
                cuts = _replaced(self.course, self.course.layers, each)
                rated = each.mistake.has_learning_rate
                self._cuts[key] = _with_rate(cuts, learning_rate) if rated else cuts
            found.append(self._cuts[key])
        return tuple(found)

    @staticmethod
    def key(cut: int, wrong: Sequence[Cuts]) -> Key:
        """Return what decides what is known at a cut."""
        return tuple([cuts[cut] for cuts in wrong if cuts[cut]])

    def cut(self, layer: int) -> int:
        """Return the cut at which the gradients of a layer, 1 to K, are known."""
        return 2 + 2 * (self.course.layers - layer)

    def layer_gradients(self, layer: int, wrong: Sequence[Cuts]) -> NamedGradients:
        """Return the gradients of a layer, 1 to K; none if the pass fails before them."""
        cut = self.cut(layer)
        key = layer, self.key(cut, wrong)
        if key not in self._given:
            names = self._state(cut, wrong)
            self._given[key] = {} if names is None else self._handed_over(layer - 1, names)
        return self._given[key]

    def gradients(
        self, placed: tuple[PlacedMistake, ...], learning_rate: float = LEARNING_RATE
    ) -> NamedGradients:
        """Return the gradients of a pass with mistakes; none where they cannot be made."""
        if not self.can_make(placed):
            return {}
        wrong = self.wrong(placed, learning_rate)
        layers = [self.layer_gradients(k, wrong) for k in range(1, self.course.layers + 1)]
        if not all(layers):  # each can be made here, but not both: shapes do not fit
            return {}
        return {name: gradient for each in layers for name, gradient in each.items()}

    def _handed_over(self, i: int, names: dict[str, Any]) -> NamedGradients:
        found = {f"dA[{i}]": weights_out(self.course, names["dA"][i])}
        if i in names["db"]:
            found[f"db[{i}]"] = biases_out(self.course, names["db"][i])
        return found

    def _state(self, cut: int, wrong: Sequence[Cuts]) -> dict[str, Any] | None:
        """Return what a pass knows at a cut; None if it fails before."""
        key = cut, self.key(cut, wrong)
        if key in self._kept:
            return self._kept[key]
        before = self._state(cut - 1, wrong) if cut else self._start()
        names = None
        if before is not None:
            names = {**before, **{each: dict(before[each]) for each in _TABLES}}
            codes = {(name, i): code for each in key[1] for name, i, code in each}
            try:
                for step, i in _between(self.course.layers)[cut]:
                    code = codes.get((step.name, i)) or self.right.get(step.name)
                    if code is not None:
                        step.assign(names, take(step, i, code, names))
            except ValueError:
                names = None
        if len(self._kept) > _MAX_KEPT:
            self._kept.clear()
        self._kept[key] = names
        return names

    def _start(self) -> dict[str, Any]:
        probe = self.probe
        b = probe.b or [np.zeros(n) for n in probe.widths[1:]]
        x = probe.x.copy()  # one of the mistakes is to change it
        return names_in(self.course, probe.A, b, x, probe.y)


@lru_cache(maxsize=32)
def staged_passes(course: Course, k: int) -> StagedPasses:
    """Return the passes on one probe of a course; the same ones for the same."""
    return StagedPasses(course, k)


@cache
def _between(K: int) -> tuple[tuple[tuple[PassStep, int], ...], ...]:
    """Return the steps of a pass up to each cut; what is handed over is none of them."""
    parts: list[list[tuple[PassStep, int]]] = [[]]
    for step, i in schedule(K):
        last = parts[-1][-1][0].phase if parts[-1] else ""
        if step.phase != last and step.phase in ("loss", "layer", "below"):
            parts.append([])
        if step.phase != "end":
            parts[-1].append((step, i))
    return tuple(map(tuple, parts))


@lru_cache(maxsize=4096)
def _replaced(convention: Convention, K: int, placed: PlacedMistake) -> Cuts:
    """Return the wrong code of a mistake up to each cut."""
    code = placed.mistake.code(convention)
    at = {
        name: {STEP[name].index(layer) for layer in placed.layers}
        for name in code
        if placed.layers is not None
    }
    found: list[Wrong] = []
    so_far: Wrong = frozenset()
    for steps in _between(K):
        here = {
            (step.name, i, code[step.name])
            for step, i in steps
            if step.name in code and i in at.get(step.name, {i})
        }
        so_far = so_far | here
        found.append(so_far)
    return tuple(found)


def _with_rate(cuts: Cuts, learning_rate: float) -> Cuts:
    """Return wrong code in which the learning rate is a number."""
    return tuple(
        frozenset(
            (name, i, code.replace("learning_rate", repr(learning_rate))) for name, i, code in wrong
        )
        for wrong in cuts
    )

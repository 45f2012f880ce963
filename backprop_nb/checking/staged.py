"""The gradients of many passes on one network, computed layer by layer and never twice.

The catalogue's mistakes, and pairs of them, are hundreds of passes, and most of them have
their first steps in common.  So a pass is cut before the way back and after each layer's
gradients, and what is known at a cut is kept by the wrong code that came before it.  Whoever
looks for a pass that gives some gradients can also stop at the first layer at which it does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.convention import Convention, Course
from backprop_nb.checking.mistakes import Mistake, PlacedMistake
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

_MAX_KEPT = 20_000
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
        self._kept: dict[tuple[int, Wrong], dict[str, Any] | None] = {}
        self._given: dict[tuple[int, Wrong], NamedGradients] = {}
        self._possible: dict[Mistake, bool] = {}
        self._wrong: dict[tuple[tuple[PlacedMistake, ...], float], tuple[Wrong, ...]] = {}

    def can_make(self, placed: Sequence[PlacedMistake]) -> bool:
        """Return whether mistakes can be made here, each by itself."""
        for each in placed:
            possible = self._possible.get(each.mistake)
            if possible is None:
                possible = self._possible[each.mistake] = each.mistake.applies(self.situation)
            if not possible:
                return False
        return True

    def wrong(
        self, placed: tuple[PlacedMistake, ...], learning_rate: float = LEARNING_RATE
    ) -> tuple[Wrong, ...]:
        """Return the wrong code up to each cut, from that before the way back on."""
        key = placed, learning_rate
        if key not in self._wrong:
            cuts = [_replaced(self.course, self.course.layers, each) for each in placed]
            if any(each.mistake.has_learning_rate for each in placed):
                cuts = [_with_rate(each, learning_rate) for each in cuts]
            self._wrong[key] = tuple(
                frozenset().union(*(each[cut] for each in cuts))
                for cut in range(self.course.layers + 1)
            )
        return self._wrong[key]

    def layer_gradients(self, layer: int, wrong: Sequence[Wrong]) -> NamedGradients:
        """Return the gradients of a layer, 1 to K; none if the pass fails before them."""
        key = layer, wrong[self.course.layers - layer + 1]
        if key not in self._given:
            names = self._state(self.course.layers - layer + 1, wrong)
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

    def _state(self, cut: int, wrong: Sequence[Wrong]) -> dict[str, Any] | None:
        """Return what a pass knows at a cut; None if it fails before."""
        key = cut, wrong[cut]
        if key in self._kept:
            return self._kept[key]
        before = self._state(cut - 1, wrong) if cut else self._start()
        names = None
        if before is not None:
            names = {**before, **{each: dict(before[each]) for each in _TABLES}}
            codes = {(name, i): code for name, i, code in wrong[cut]}
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


@lru_cache(maxsize=64)
def staged_passes(course: Course, k: int) -> StagedPasses:
    """Return the passes on one probe of a course; the same ones for the same."""
    return StagedPasses(course, k)


@cache
def _between(K: int) -> tuple[tuple[tuple[PassStep, int], ...], ...]:
    """Return the steps of a pass up to each cut; what is handed over is none of them."""
    parts: list[list[tuple[PassStep, int]]] = [[]]
    for step, i in schedule(K):
        last = parts[-1][-1][0].phase if parts[-1] else ""
        if (step.phase == "loss" and last == "forward") or (
            step.phase == "below" and last == "layer"
        ):
            parts.append([])
        if step.phase != "end":
            parts[-1].append((step, i))
    return tuple(map(tuple, parts))


@lru_cache(maxsize=4096)
def _replaced(convention: Convention, K: int, placed: PlacedMistake) -> tuple[Wrong, ...]:
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


def _with_rate(cuts: tuple[Wrong, ...], learning_rate: float) -> tuple[Wrong, ...]:
    """Return wrong code in which the learning rate is a number."""
    return tuple(
        frozenset(
            (name, i, code.replace("learning_rate", repr(learning_rate))) for name, i, code in wrong
        )
        for wrong in cuts
    )

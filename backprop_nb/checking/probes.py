"""Networks on which a backward pass is asked for its gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count, cycle, islice, pairwise
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.convention import Course
from backprop_nb.checking.packing import arguments, widths_of
from backprop_nb.checking.reference import ReferencePass

Array: TypeAlias = NDArray[Any]

N: Final = (4, 4, 4, 7)
"""Inputs of each probe that is a batch: not always as many, or a 4 in place of N would do."""

# In a rectangular network a transpose shows in the shape, in one of equal widths in the values.
# Everything is asked of two and confirmed on two others, so that no coincidence counts.
_WIDTHS: Final = ((4, 3, 5, 2), (3, 3, 3, 3), (2, 5, 3, 4), (4, 4, 4, 4))
_LINE_WIDTHS: Final = (_WIDTHS[0], (5, 6, 7, 9))
"""Of the second network no width is a number that formulas have in them."""
_WIDE: Final = 8
"""Sums of more products than these are scaled, so that wide layers do not saturate."""
_LARGEST_Z: Final = {"sigmoid": 10.0, "tanh": 7.0}
"""Beyond these a slope has lost half of its digits, and right passes would differ."""
_SUREST: Final = 1 - 1e-5
"""The same for an output of a softmax."""
_MAX_DRAWS: Final = 1000


@dataclass(frozen=True, eq=False)
class Probe:
    """A network with data, laid out as the convention says."""

    A: tuple[Array, ...]
    b: tuple[Array, ...]
    x: Array
    y: Array
    N: int
    """The number of samples."""
    course: Course

    @property
    def widths(self) -> tuple[int, ...]:
        """The units of each layer."""
        return widths_of(self.course, self.A)

    @property
    def arguments(self) -> list[Any]:
        """What the course's backward pass is called with."""
        return arguments(self.course, list(self.A), list(self.b), self.x, self.y)

    @property
    def K(self) -> int:
        """The number of layers."""
        return len(self.A)


def gradient_names(K: int, bias: bool = True) -> list[str]:
    """Return the names of the gradients of K layers.

    >>> gradient_names(2)
    ['dA[0]', 'db[0]', 'dA[1]', 'db[1]']
    """
    return [f"{part}[{i}]" for i in range(K) for part in ("dA", "db")[: 1 + bias]]


@cache
def make_probes(course: Course) -> tuple[Probe, ...]:
    """Return the networks that a backward pass is asked about, the same for the same course.

    Parameters and data are drawn from N(0, 1), targets of a cross-entropy are 0 and 1.

    Examples
    --------
    >>> [probe.x.shape for probe in make_probes(Course("columns"))]
    [(4, 4), (3, 4), (2, 4), (4, 7)]
    """
    random = np.random.default_rng(course.seed)
    return tuple(
        _probe(widths, many, course, random) for widths, many in zip(_WIDTHS, N, strict=True)
    )


def line_probes(course: Course) -> list[Probe]:
    """Return two networks of other widths, with batches whose sizes are those of nothing else.

    What a line has to be multiplied by on both says whether it is N, 2/N or a width.
    """
    sizes = (n for n in count(N[-1]) if n not in (course.widths or ()))
    random = np.random.default_rng(course.seed)
    return [_probe(widths, next(sizes), course, random) for widths in _LINE_WIDTHS]


def _probe(widths: Sequence[int], many: int, course: Course, random: np.random.Generator) -> Probe:
    """Return a network on which every part of the pass can be seen."""
    widths = course.widths or list(islice(cycle(widths), course.layers + 1))
    many = 1 if course.N_is_1 else many
    for _ in range(_MAX_DRAWS):
        probe = _drawn(widths, many, course, random)
        if _shows_all(probe):
            break
    return probe


def _drawn(widths: Sequence[int], many: int, course: Course, random: np.random.Generator) -> Probe:
    normal = random.standard_normal
    A = tuple(
        normal(course.weight_shape(n_in, n_out)) / _scale(n_in, course)
        for n_in, n_out in pairwise(widths)
    )
    b = tuple(normal(course.bias_shape(n)) for n in widths[1:] if course.has_bias)
    x, y = (normal(course.data_shape(n, many)) for n in (widths[0], widths[-1]))
    if course.loss == "cross-entropy":
        y = (y > 0).astype(float)
        if course.output == "softmax":
            classes = np.eye(widths[-1])[random.integers(widths[-1], size=many)]
            y = (classes.T if course.columns else classes).reshape(y.shape)
    return Probe(A, b, x, y, many, course)


def _scale(n_in: int, course: Course) -> float:
    """Return what weights are divided by, so that no layer has all too large a z."""
    if course.activation not in ("sigmoid", "tanh"):  # what comes in is not bounded
        return max(1.0, math.sqrt(n_in / 2))
    return math.sqrt(n_in / 4) if n_in > _WIDE else 1.0


def _shows_all(probe: Probe) -> bool:
    """Whether no layer of ReLUs is silent, nor passes on everything, and none saturates."""
    course = probe.course
    names = (course.activation, course.output)
    if names == ("sigmoid", "sigmoid") and max(probe.widths) <= _WIDE:
        return True  # there is none that does
    b = probe.b or [np.zeros(n) for n in probe.widths[1:]]
    for each in ReferencePass(course).intermediates(probe.A, b, probe.x, probe.y):
        if each.step.name == "pre_activation":
            name, z = names[each.i == probe.K], each.value
            if name in ("relu", "leaky relu") and not _is_mixed(z, probe, each.i == probe.K):
                return False
            if np.abs(z).max() > _LARGEST_Z.get(name, np.inf):
                return False
        if each.step.name == "activation" and each.i == probe.K and course.output == "softmax":
            return bool(each.value.max() < _SUREST)
    return True


def _is_mixed(z: Array, probe: Probe, output: bool) -> bool:
    """Whether some ReLUs of a layer are active for each sample, and not all of them always."""
    active, n = z > 0, len(z)
    least = min(2, n) if probe.N == 1 and not output else 1
    return bool(active.sum(axis=0).min() >= least and not (n > 2 and active.all()))

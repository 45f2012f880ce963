"""The loss as one weight moves: the curve, its tangent, and how far they are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb.network import Network
from backprop_nb.views import numbers
from backprop_nb.views.chart import Axis, Chart, Series, legend
from backprop_nb.views.flow.flow import Parameter, losses_along
from backprop_nb.views.flow.steps import indexed
from backprop_nb.views.picture import Picture

WIDTH, HEIGHT = 430.0, 262.0
POSITIONS = 16
"""A weight can be dragged so many positions to either side."""
_NARROWEST = 2.0
"""At least so far to either side: there a sigmoid bends."""


@dataclass(frozen=True)
class Curve:
    """The loss as a function of one weight or bias.

    Attributes
    ----------
    parameter : Parameter
    value : its present value
    slope : the gradient, ∂L/∂w
    epsilons : how far it is moved at each of the sampled places, 0 among them
    losses : the loss at each of these places
    """

    parameter: Parameter
    value: float
    slope: float
    epsilons: tuple[float, ...]
    losses: tuple[float, ...]

    @property
    def start(self) -> int:
        """Where in the samples the present value is."""
        return self.epsilons.index(0.0)

    def changes(self) -> list[float]:
        """Return the actual ΔL = L(w + ε) − L(w) at every place."""
        now = self.losses[self.start]
        return [loss - now for loss in self.losses]

    def linear(self) -> list[float]:
        """Return what the gradient says, ∂L/∂w · ε, at every place."""
        return [self.slope * epsilon for epsilon in self.epsilons]


def weight_curve(
    net: Network,
    x: ArrayLike,
    y: ArrayLike,
    parameter: Parameter,
    slope: float,
    epsilon: float = 0.0,
) -> Curve:
    """Return the loss at places to both sides of the present value, ``epsilon`` among them."""
    value = parameter.of(net.A, net.b)
    epsilons = places(value, epsilon)
    losses = losses_along(net, x, y, parameter, epsilons)
    return Curve(parameter, value, slope, epsilons, tuple(losses))


def places(value: float, epsilon: float = 0.0) -> tuple[float, ...]:
    """Return by how much a weight can be moved: in even steps, far enough to see a curve.

    A weight larger than 2 can be moved across 0.

    >>> places(0.5)[:3], places(0.5)[-1], len(places(0.5))
    ((-2.0, -1.875, -1.75), 2.0, 33)
    >>> 0.1 in places(0.5, 0.1), places(-3.0)[-1]
    (True, 4.0)
    """
    size = max(_NARROWEST, abs(value) if math.isfinite(value) else 0.0)
    reach = max(2.0 ** math.ceil(math.log2(size)), abs(epsilon))
    even = {k * reach / POSITIONS for k in range(-POSITIONS, POSITIONS + 1)}
    return tuple(sorted(even | {float(epsilon)}))


def curve_data(curve: Curve, epsilon: float) -> dict[str, Any]:
    """Return the picture of a curve and, for every place, what is printed there.

    Parameters
    ----------
    curve
        The losses.
    epsilon
        One of its places: where the picture has its marks.

    Returns
    -------
    dict
        ``picture``; ``places``, for each ``[ε, x, y of the curve, y of the
        tangent]`` with x and y in the picture; ``texts``, for each the weight,
        ε, the loss, ΔL, gradient × ε, and their difference; ``start``, the
        index of the present value.
    """
    chart, unit = _chart(curve)
    changes, linear = curve.changes(), curve.linear()
    at = curve.epsilons.index(epsilon)
    base = chart.at(curve.value, 0)[1]
    marks = []
    for k, eps in enumerate(curve.epsilons):
        x, y = chart.at(curve.value + eps, _finite(changes[k]) / unit)
        tangent = chart.at(curve.value, _finite(linear[k]) / unit)[1]
        marks.append([eps, round(x, 1), round(y, 1), round(tangent, 1)])
    _draw_marks(chart.picture, marks[at], base)
    return {
        "picture": chart.picture.data(),
        "places": marks,
        "texts": [
            [
                *map(numbers.long, (curve.value + eps, eps, loss, change, line)),
                numbers.long(change - line),
            ]
            for eps, loss, change, line in zip(
                curve.epsilons, curve.losses, changes, linear, strict=True
            )
        ],
        "base": round(base, 1),
        "start": curve.start,
    }


def _chart(curve: Curve) -> tuple[Chart, float]:
    changes = np.array(curve.changes())
    weights = curve.value + np.array(curve.epsilons)
    finite = changes[np.isfinite(changes)]
    unit = _unit(float(np.abs(finite).max()) if finite.size else 0.0)
    low, high = _span(finite / unit, curve, unit)
    name = indexed(*_parts(curve.parameter))
    picture = Picture(WIDTH, HEIGHT, alt_text(curve))
    scale = "" if unit == 1 else f", in units of {numbers.short(unit)}"
    chart = Chart(
        picture,
        (0, 0, WIDTH, HEIGHT - 22),
        f"ΔL as {name} moves{scale}",
        Axis(name, float(weights[0]), float(weights[-1])),
        Axis("", low, high),
    )
    chart.rule(x=curve.value)
    chart.rule(y=0.0)
    series = [
        Series("actual ΔL", weights.tolist(), (changes / unit).tolist(), "forward", width=2.2),
        Series("gradient × ε", *_tangent(curve, unit, low, high), "backward", dash=(6, 4)),
    ]
    for each in series:
        chart.add(each)
    legend(picture, (46, HEIGHT - 12), series)
    return chart, unit


def _parts(parameter: Parameter) -> tuple[Any, ...]:
    entry = (parameter.j,) if parameter.k is None else (parameter.j, parameter.k)
    return ("b" if parameter.k is None else "A", parameter.i, *entry)


def _unit(largest: float) -> float:
    """Return the power of ten that makes the axis readable, 1 if it is so by itself."""
    if 0.02 <= largest < 1000 or largest == 0:
        return 1.0
    return 10.0 ** math.floor(math.log10(largest))


def _span(changes: Any, curve: Curve, unit: float) -> tuple[float, float]:
    """Return the ends of the axis: the curve, and a good part of the tangent."""
    low, high = (float(changes.min()), float(changes.max())) if changes.size else (0.0, 0.0)
    spread = (high - low) or 1.0
    reach = abs(curve.slope) * curve.epsilons[-1] / unit
    room = min(reach, 0.5 * spread) if math.isfinite(reach) else 0.0
    return min(low, -room) - 0.06 * spread, max(high, room) + 0.06 * spread


def _tangent(
    curve: Curve, unit: float, low: float, high: float
) -> tuple[Sequence[float], Sequence[float]]:
    """Return the two ends of the tangent inside the plot."""
    rise, reach = curve.slope / unit, curve.epsilons[-1]
    if not math.isfinite(rise):
        return [], []
    ends = sorted(
        min(max(end, -reach), reach) for end in ((low / rise, high / rise) if rise else (-9e9, 9e9))
    )
    return [curve.value + end for end in ends], [rise * end for end in ends]


def _draw_marks(picture: Picture, place: Sequence[float], base: float) -> None:
    """Add what moves with the weight: both changes, as a line with a dot at its end."""
    _, x, y, tangent = place
    picture.line(
        [(x + 4, base), (x + 4, tangent)], stroke="backward", width=2, dash=(4, 3),
        key="mark:tangent-line",
    )  # fmt: skip
    picture.line([(x, base), (x, y)], stroke="forward", width=3, key="mark:line")
    picture.circle(
        (x + 4, tangent), 4.5, fill="backward", stroke="paper", width=1.5, key="mark:tangent"
    )
    picture.circle((x, y), 7, fill="forward", stroke="paper", width=2, key="mark:dot")


def _finite(number: float) -> float:
    return number if math.isfinite(number) else 0.0


def alt_text(curve: Curve) -> str:
    """Return what stands for the picture."""
    name, slope = indexed(*_parts(curve.parameter)), numbers.long(curve.slope)
    return f"The loss as {name} = {numbers.long(curve.value)} moves; its gradient is {slope}."

"""The loss as one weight moves: the curve, its tangent, and how far they are apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop_nb.network.general import GeneralPasses
from backprop_nb.network.losses import LOSSES
from backprop_nb.network.validation import FloatArray
from backprop_nb.views import numbers
from backprop_nb.views.chart import Axis, Chart, Series, legend
from backprop_nb.views.flow.flow import Flow
from backprop_nb.views.flow.parameter import Parameter
from backprop_nb.views.flow.schema import FlowTexts, LossCurve
from backprop_nb.views.overflow import quietly
from backprop_nb.views.picture import Picture
from backprop_nb.views.schema import Patch

WIDTH, HEIGHT = 430.0, 176.0
POSITIONS = 16
"""A weight can be dragged so many positions to either side."""
_NARROWEST = 2.0
"""At least so far to either side: there a sigmoid bends."""
_MOST = 2**22
"""Arrays are no longer, so that the losses of a large network need no gigabytes."""


@dataclass(frozen=True)
class WeightCurve:
    """The loss as a function of one weight or bias."""

    parameter: Parameter
    value: float
    """Its present value."""
    slope: float
    """The gradient, ∂L/∂w."""
    epsilons: tuple[float, ...]
    """How far it is moved at each of the sampled places, 0 among them."""
    losses: tuple[float, ...]
    """The loss at each of these places."""

    def changes(self) -> list[float]:
        """Return the actual ΔL = L(w + ε) − L(w) at every place."""
        now = self.losses[self.epsilons.index(0.0)]
        return [loss - now for loss in self.losses]

    def linear(self) -> list[float]:
        """Return what the gradient says, ∂L/∂w · ε, at every place."""
        return [self.slope * epsilon for epsilon in self.epsilons]

    def texts(self) -> list[FlowTexts]:
        """Return what is printed at every place."""
        columns = zip(self.epsilons, self.losses, self.changes(), self.linear(), strict=True)
        return [
            {
                "weight": numbers.long(self.value + epsilon),
                "epsilon": numbers.long(epsilon),
                "loss": numbers.long(loss),
                "change": numbers.long(change),
                "linear": numbers.long(linear),
                "difference": numbers.long(change - linear),
            }
            for epsilon, loss, change, linear in columns
        ]


def weight_curve(flow: Flow, parameter: Parameter, epsilon: float = 0.0) -> WeightCurve:
    """Return the loss at places to both sides of the present value, ``epsilon`` among them.

    >>> from backprop_nb.network import Network
    >>> curve = weight_curve(Flow(Network((1, 1), scale=0), [1.0], [1.0]), Parameter(0, 0, 0))
    >>> curve.losses[curve.epsilons.index(0.0)], len(curve.losses)
    (0.25, 33)
    """
    value, slope = (parameter.of(each.A, each.b) for each in (flow.net, flow.gradient))
    epsilons = places(value, epsilon)
    size = max(np.size(flow.net.A[parameter.i]), np.size(flow.x), *map(np.size, flow.forward.f))
    runs = np.array_split(np.array(epsilons), math.ceil(len(epsilons) * size / _MOST))
    with quietly():
        losses = np.concatenate([_losses(flow, parameter, value + run) for run in runs])
    return WeightCurve(parameter, value, slope, epsilons, tuple(losses.tolist()))


def _losses(flow: Flow, parameter: Parameter, values: FloatArray) -> FloatArray:
    """Return the loss for each value of a parameter: the layers behind it, once for all values."""
    net, i = flow.net, parameter.i
    A = np.tile(net.A[i], (len(values), 1, 1))
    b = np.tile(net.b[i] if net.bias else 0.0, (len(values), 1))
    if parameter.k is None:
        b[:, parameter.j] = values
    else:
        A[:, parameter.j, parameter.k] = values
    z = np.atleast_2d(flow.forward.f[i]) @ A.swapaxes(1, 2) + b[:, None]
    if behind := net.A[i + 1 :]:
        passes = GeneralPasses(net.activation, net.output, net.loss_name, net.bias)
        f = net.activations[i].of(z)
        z = passes.forward(behind, net.b[i + 1 :], f).z[len(behind)]
    loss, y = LOSSES[net.loss_name], np.atleast_2d(flow.y)
    losses: FloatArray = loss.rows(z, y, net.activations[-1]).mean(axis=-1)
    return losses


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


def curve_data(curve: WeightCurve) -> LossCurve:
    """Return the picture, with its marks at the present value, and what moves with the weight."""
    chart, unit = _chart(curve)
    base = round(chart.at(curve.value, 0)[1], 1)
    places = []
    for epsilon, change, linear in zip(
        curve.epsilons, curve.changes(), curve.linear(), strict=True
    ):
        x, y = chart.at(curve.value + epsilon, _finite(change) / unit)
        tangent = chart.at(curve.value, _finite(linear) / unit)[1]
        places.append([round(each, 1) for each in (x, y, tangent)])
    _draw_marks(chart.picture, marks_at(places[curve.epsilons.index(0.0)], base))
    return {
        "picture": chart.picture.data(),
        "epsilons": curve.epsilons,
        "places": places,
        "base": base,
        "texts": curve.texts(),
    }


def marks_at(place: Sequence[float], base: float) -> Patch:
    """Return where both changes are drawn, each as a line with a dot at its end.

    It is a patch of the curve's picture, see :func:`~backprop_nb.views.picture.patched`;
    ``marksAt`` in ``widget.mjs`` returns the same.
    """
    x, y, tangent = place
    beside = round(x + 4, 1)
    return {
        "mark:tangent-line": {"points": [[beside, base], [beside, tangent]]},
        "mark:line": {"points": [[x, base], [x, y]]},
        "mark:tangent": {"centre": [beside, tangent]},
        "mark:dot": {"centre": [x, y]},
    }


def _draw_marks(picture: Picture, marks: Patch) -> None:
    looks: list[dict[str, Any]] = [
        {"stroke": "backward", "width": 2, "dash": (4, 3)},
        {"stroke": "forward", "width": 3},
        {"radius": 4.5, "fill": "backward", "stroke": "paper", "width": 1.5},
        {"radius": 7, "fill": "forward", "stroke": "paper", "width": 2},
    ]
    for (key, place), look in zip(marks.items(), looks, strict=True):
        if "points" in place:
            picture.line(place["points"], key=key, **look)
        else:
            picture.circle(place["centre"], key=key, **look)


def _chart(curve: WeightCurve) -> tuple[Chart, float]:
    changes = np.array(curve.changes())
    weights = curve.value + np.array(curve.epsilons)
    finite = changes[np.isfinite(changes)]
    unit = _unit(float(np.abs(finite).max()) if finite.size else 0.0)
    low, high = _span(finite / unit, curve, unit)
    name = curve.parameter.symbol
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


def _unit(largest: float) -> float:
    """Return the power of ten that makes the axis readable, 1 if it is so by itself."""
    if 0.02 <= largest < 1000 or largest == 0:
        return 1.0
    return 10.0 ** math.floor(math.log10(largest))


def _span(changes: Any, curve: WeightCurve, unit: float) -> tuple[float, float]:
    """Return the ends of the axis: the curve, and a good part of the tangent."""
    low, high = (float(changes.min()), float(changes.max())) if changes.size else (0.0, 0.0)
    spread = (high - low) or 1.0
    reach = abs(curve.slope) * curve.epsilons[-1] / unit
    room = min(reach, 0.5 * spread) if math.isfinite(reach) else 0.0
    return min(low, -room) - 0.06 * spread, max(high, room) + 0.06 * spread


def _tangent(
    curve: WeightCurve, unit: float, low: float, high: float
) -> tuple[Sequence[float], Sequence[float]]:
    """Return the two ends of the tangent inside the plot."""
    rise, reach = curve.slope / unit, curve.epsilons[-1]
    if not math.isfinite(rise):
        return [], []
    ends = np.clip([low / rise, high / rise] if rise else [-reach, reach], -reach, reach)
    ends.sort()
    return (curve.value + ends).tolist(), (rise * ends).tolist()


def _finite(number: float) -> float:
    return number if math.isfinite(number) else 0.0


def alt_text(curve: WeightCurve) -> str:
    """Return what stands for the picture."""
    value, slope = numbers.long(curve.value), numbers.long(curve.slope)
    return f"The loss as {curve.parameter.symbol} = {value} moves; its gradient is {slope}."

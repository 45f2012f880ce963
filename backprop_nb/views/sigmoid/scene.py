"""An activation and its slope at every place of a fine grid: what to see, to move and to say.

A view moves a few shapes from place to place.  Where to, and every number and
word, is worked out here, so that it needs no mathematics of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np

from backprop_nb import display
from backprop_nb.network.activations import ACTIVATIONS
from backprop_nb.network.validation import FloatArray
from backprop_nb.tracing.rules.row import SATURATED
from backprop_nb.views.chart import Axis, Chart, Series, legend
from backprop_nb.views.formula import mathml
from backprop_nb.views.numbers import long
from backprop_nb.views.picture import Picture, Point
from backprop_nb.views.sigmoid.schema import SigmoidCurve, SigmoidPlaces, SigmoidScene

PER_ONE: Final = 10
"""So many places from one integer to the next."""
REACH: Final = 6
"""z goes from −6 to 6."""
PLACES: FloatArray = np.arange(-REACH * PER_ONE, REACH * PER_ONE + 1) / PER_ONE
UNITS: Final = 10
"""A gradient is followed through so many units at most."""

_COUNTS = np.arange(1, UNITS + 1)
_SIZE = (660.0, 377.0)
_EFFECT = (470.0, 356.0)
_BAR = (46.0, 28.0, 408.0, 16.0)
_POWERS_TOP = 84.0
_LEGEND = 26.0
_SHARE = f"{100 * SATURATED:.0f} %"
_TANGENT = 1.6
"""How far a tangent reaches to either side."""
_DASH, _DOTS = (7.0, 3.5), (2.0, 3.0)
_VALUE, _SLOPE = "value-positive", "adjoint-positive"


class Plot(NamedTuple):
    """How one activation is drawn: its formulas, the upright axis, where it is steepest."""

    formula: str
    slope_formula: str
    low: float
    high: float
    where: str = "at z = 0"


CURVES: Final = {
    "sigmoid": Plot(
        r"\sigma(z) = \frac{1}{1 + e^{-z}}",
        r"\sigma′(z) = \sigma(z)\,(1 - \sigma(z))",
        *(-0.1, 1.1),
    ),
    "tanh": Plot(
        r"\tanh(z) = \frac{e^{z} - e^{-z}}{e^{z} + e^{-z}}",
        r"\tanh′(z) = 1 - \tanh^2(z)",
        *(-1.2, 1.2),
    ),
    "relu": Plot(
        r"\mathrm{relu}(z) = \max(z, 0)",
        r"\mathrm{relu}′(z) = 1\ (z > 0),\quad 0\ (z \le 0)",
        *(-0.6, 6.6),
        where="for z > 0",
    ),
}


class Samples:
    """One activation on the grid: values, slopes, where it is saturated, and their names."""

    def __init__(self, activation: str) -> None:
        rule = ACTIVATIONS[activation]
        self.plot = CURVES[activation]
        self.name, self.slope_name = rule.sign, f"{rule.sign}′"
        self.steepest = rule.steepest
        self.steepest_text = {0.25: "¼"}.get(rule.steepest) or long(rule.steepest)
        self.value: FloatArray = rule.of(PLACES)
        self.slope: FloatArray = rule.slope(self.value)
        self.saturated = self.slope < SATURATED * self.steepest
        fine = np.linspace(-REACH, REACH, 12001)
        self.bands = _ranges(fine, rule.slope(rule.of(fine)) < SATURATED * self.steepest)
        self.powers = self.slope[:, None] ** _COUNTS
        self.best = self.steepest**_COUNTS


def _ranges(places: FloatArray, chosen: Any) -> list[tuple[float, float]]:
    """Return from where to where all of the places are chosen."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(int)))
    return [(float(places[a]), float(places[b - 1])) for a, b in ends.reshape(-1, 2)]


def index_of(z: float) -> int:
    """Return the place that is nearest to z.

    >>> index_of(0), float(PLACES[index_of(-1.23)])
    (60, -1.2)
    """
    return round((z + REACH) * PER_ONE)


# --- the pictures ------------------------------------------------------------


def curve_picture(samples: Samples, k: int) -> tuple[Picture, Chart]:
    """Return the activation and its slope, with the tangent at place ``k``."""
    plot = samples.plot
    picture = Picture(*_SIZE, _alt(samples))
    title = f"{samples.name}(z) and its slope {samples.slope_name}(z)"
    box = (0.0, 0.0, _SIZE[0], _EFFECT[1] - _LEGEND)
    x, y = Axis("z", -REACH, REACH), Axis("", plot.low, plot.high)
    chart = Chart(picture, box, title, x, y, samples.bands)
    series = _series(samples)
    for each in series[:2]:
        chart.add(each)
    chart.rule(y=samples.steepest, stroke=_SLOPE, dash=_DOTS)
    _name_maximum(picture, chart, samples)
    if plot.where == "at z = 0":
        chart.dot(0, samples.steepest, "paper", radius=3)
        picture.circle(chart.at(0, samples.steepest), 4.5, stroke=_SLOPE, width=1.8)
    _mark(picture, chart, samples, k)
    # Letters of twice this size, as on a telephone, have room, too.
    legend(picture, (46, _SIZE[1] - 32), series, gap=40)
    _shade_key(picture, 46, _SIZE[1] - 11)
    return picture, chart


def _series(samples: Samples) -> list[Series]:
    z = PLACES.tolist()
    # A slope that jumps is no line there.
    jumps = np.flatnonzero(np.abs(np.diff(samples.slope)) > samples.steepest / 2) + 1
    broken_z, slope = (np.insert(a, jumps, np.nan).tolist() for a in (PLACES, samples.slope))
    return [
        Series(f"{samples.name}(z)", z, samples.value.tolist(), _VALUE, width=2.4),
        Series(f"{samples.slope_name}(z)", broken_z, slope, _SLOPE, _DASH, width=2.4),
        Series("tangent at z", [], [], "text", width=1.8),
    ]


def _name_maximum(picture: Picture, chart: Chart, samples: Samples) -> None:
    """Say what the dotted line is, above the plot: inside, the line at z would cross it."""
    left, top, width, _ = chart.plot
    x, y = left + width, top - 16
    label = f"slope at most {samples.steepest_text}, {samples.plot.where}"
    picture.text((x, y), label, fill=_SLOPE, size=12, anchor="end")


def _shade_key(picture: Picture, x: float, y: float) -> None:
    picture.rect((x, y - 6, 22, 12), fill="value-zero", stroke="line")
    text = f"saturated: slope below {_SHARE} of its maximum"
    picture.text((x + 28, y), text, fill="muted", size=11)


def _mark(picture: Picture, chart: Chart, samples: Samples, k: int) -> None:
    """Add what moves with z."""
    z, value, slope = (float(a[k]) for a in (PLACES, samples.value, samples.slope))
    foot = chart.at(z, chart.y.low)
    picture.line([chart.at(z, chart.y.high), foot], stroke="text", width=1, dash=_DOTS, key="at")
    picture.line(_tangent(chart, z, value, slope), stroke="text", width=2, key="tangent")
    chart.dot(z, value, _VALUE, radius=6, key="value")
    chart.dot(z, slope, _SLOPE, radius=6, key="slope")


def _tangent(chart: Chart, z: float, value: float, slope: float) -> list[Point]:
    """Return the ends of the tangent, both inside of the plot."""
    ends = []
    for side, edge in [(-1, chart.y.low), (1, chart.y.high)]:
        reach = min(_TANGENT, REACH - side * z)
        if slope:
            reach = min(reach, side * (edge - value) / slope)
        ends.append(chart.at(z + side * reach, value + side * reach * slope))
    return ends


def effect_picture(samples: Samples, k: int, layers: int) -> tuple[Picture, Chart]:
    """Return the slope as a bar, and what n units in a row leave of a gradient."""
    picture = Picture(*_EFFECT)
    _draw_bar(picture, samples, k)
    return picture, _draw_powers(picture, samples, k, layers)


def _draw_bar(picture: Picture, samples: Samples, k: int) -> None:
    left, top, width, height = _BAR
    picture.text((4, 10), f"a gradient is multiplied by {samples.slope_name}(z)", bold=True)
    picture.rect(_BAR, fill="value-zero", stroke="line")
    picture.rect((left, top, _bar(samples, k), height), fill=_SLOPE, key="bar")
    most = f"maximum {samples.steepest_text}"
    for share, text in [(0.0, "0"), (SATURATED, "saturated below"), (1.0, most)]:
        x = left + share * width
        picture.line([(x, top - 2), (x, top + height + 5)], stroke="text", width=1.2)
        anchor = "end" if share == 1 else "middle"
        picture.text((x, top + height + 14), text, fill="muted", size=11, anchor=anchor)


def _bar(samples: Samples, k: int) -> float:
    return round(float(samples.slope[k]) / samples.steepest * _BAR[2], 1)


def _draw_powers(picture: Picture, samples: Samples, k: int, layers: int) -> Chart:
    box = (0.0, _POWERS_TOP, _EFFECT[0], _EFFECT[1] - _POWERS_TOP - _LEGEND)
    x, y = (
        Axis("n, units passed", 0.5, UNITS + 0.5),
        Axis("log scale", _lowest(samples), 1, log=True),
    )
    chart = Chart(picture, box, "what n such units leave of it", x, y)
    best = Series(f"at best {samples.steepest_text}ⁿ", _COUNTS, samples.best, "muted", _DASH)
    here = Series(f"at this z: {samples.slope_name}(z)ⁿ", [], [], _SLOPE, width=2.2)
    chart.add(best)
    chart.rule(x=layers, stroke="text", dash=_DOTS, key="layers")
    path = _path(chart, samples.powers[k])
    if path:
        picture.line(path, stroke=_SLOPE, width=2.2, key="powers")
    for n, at in enumerate(path, start=1):
        radius = 6.0 if n == layers else 3.5
        picture.circle(at, radius, fill=_SLOPE, stroke="paper", key=f"power:{n}")
    legend(picture, (46, _EFFECT[1] - 12), [here, best])
    return chart


def _lowest(samples: Samples) -> float:
    """Return where the axis of the powers ends: one decade for all places, below each of them."""
    smallest = samples.powers[samples.powers > 0].min()
    return float(10.0 ** min(np.floor(np.log10(smallest)), -1.0))


def _path(chart: Chart, powers: FloatArray) -> list[Point]:
    """Return the line through the powers; a 0 has no place on a logarithmic axis."""
    return [chart.at(n, float(power)) for n, power in enumerate(powers, start=1) if power > 0]


# --- the scene ---------------------------------------------------------------


def sigmoid_scene() -> SigmoidScene:
    """Return everything that the explorer of the sigmoid shows, for each activation."""
    return {
        "low": -REACH,
        "high": REACH,
        "perOne": PER_ONE,
        "units": UNITS,
        "z": [long(z) for z in PLACES],
        "curves": {name: _curve_scene(Samples(name)) for name in CURVES},
    }


def _curve_scene(samples: Samples) -> SigmoidCurve:
    # A place where nothing is missing: of a relu at rest there are no powers to be seen.
    somewhere = index_of(1)
    picture, chart = curve_picture(samples, somewhere)
    effect, powers_chart = effect_picture(samples, somewhere, 1)
    left, _, width, _ = chart.plot
    return {
        "name": samples.name,
        "slopeName": samples.slope_name,
        "best": samples.steepest_text,
        "formulas": [mathml(samples.plot.formula), mathml(samples.plot.slope_formula)],
        "alt": _alt(samples),
        "pictures": [picture.data(), effect.data()],
        "plot": [left, width],
        "across": [round(powers_chart.at(n, 1)[0], 1) for n in range(1, UNITS + 1)],
        "bestTexts": [long(power) for power in samples.best],
        "places": _places(samples, chart, powers_chart),
    }


def _places(samples: Samples, chart: Chart, powers: Chart) -> SigmoidPlaces:
    """Return what moves with z, one list for each thing: so its name is said only once."""
    every = range(len(PLACES))
    z, value, slope = (a.tolist() for a in (PLACES, samples.value, samples.slope))
    return {
        "value": [long(each) for each in value],
        "slope": [long(each) for each in slope],
        "share": [share_text(samples, k) for k in every],
        "saturated": samples.saturated.tolist(),
        "dots": [_rounded([chart.at(z[k], value[k]), chart.at(z[k], slope[k])]) for k in every],
        "tangent": [_rounded(_tangent(chart, z[k], value[k], slope[k])) for k in every],
        "bar": [_bar(samples, k) for k in every],
        "path": [_rounded(_path(powers, powers_there)) for powers_there in samples.powers],
        "powers": [[long(power) for power in row] for row in samples.powers.tolist()],
    }


def _rounded(points: Iterable[Point]) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in points]


def share_text(samples: Samples, k: int) -> str:
    """Return the slope as a share of the largest, in percent."""
    return f"{long(float(f'{100 * samples.slope[k] / samples.steepest:.3g}'))} %"


def _alt(samples: Samples) -> str:
    return (
        f"{samples.name}(z) and its slope {samples.slope_name}(z) for z from −{REACH} to {REACH}; "
        f"the slope is at most {samples.steepest_text}, {samples.plot.where}."
    )


def describe_place(activation: str, z: float, layers: int) -> str:
    """Return the text twin at one place.

    >>> print(describe_place("sigmoid", 2, 3))
    At z = 2: σ(z) = 0.8808, σ′(z) = 0.105, 42 % of the maximum ¼, which it has at z = 0.
    Not saturated: the slope is not below 20 % of its maximum.
    n units in a row multiply a gradient by σ′(z)ⁿ, at best by ¼ⁿ:
    n =  1: 0.105, at best 0.25
    n =  2: 0.01102, at best 0.0625
    n =  3: 0.001157, at best 0.01562
    """
    samples, k = Samples(activation), index_of(z)
    slope, best = samples.slope_name, samples.steepest_text
    saturated, is_not = ("Saturated", "is") if samples.saturated[k] else ("Not saturated", "is not")
    return display.folded(
        [
            f"At z = {long(float(PLACES[k]))}: {samples.name}(z) = {long(samples.value[k])}, "
            f"{slope}(z) = {long(samples.slope[k])}, {share_text(samples, k)} of the maximum "
            f"{best}, which it has {samples.plot.where}.",
            f"{saturated}: the slope {is_not} below {_SHARE} of its maximum.",
            f"n units in a row multiply a gradient by {slope}(z)ⁿ, at best by {best}ⁿ:",
            *(
                f"n = {n + 1:2}: {long(samples.powers[k][n])}, at best {long(samples.best[n])}"
                for n in range(layers)
            ),
        ]
    )

"""How ‖δ‖ falls on its way back: a bar for every factor, on a logarithmic axis.

On that axis a product is a sum, so the bars of a layer, one for A and one for
σ′, together are exactly the way from one ‖δ‖ to the next.
"""

from __future__ import annotations

import math

from backprop_nb.views import numbers
from backprop_nb.views.chart import LEFT, RIGHT, Axis, Chart
from backprop_nb.views.flow.flow import Flow, StepBack
from backprop_nb.views.flow.legend import COLOURS
from backprop_nb.views.flow.network import MARGIN
from backprop_nb.views.network_picture import NetworkLayout
from backprop_nb.views.picture import Picture

HEIGHT = 218.0
_ROOM = 0.15
"""Beyond the largest and the smallest norm there is room for a label: so much of the axis."""
_DECADES = 3.0
"""The axis is never shorter, so that a small change looks small."""


def waterfall_picture(flow: Flow, layout: NetworkLayout, alt: str) -> Picture:
    """Return the bars, each layer's below its units in the network's picture."""
    picture = Picture(layout.width, HEIGHT, alt)
    bars = _Bars(flow, layout, picture)
    for i in range(1, flow.K + 1):
        at = (layout.x(i), HEIGHT - 26)
        picture.text(at, "δ", sub=str(i), italic=True, size=13, anchor="middle")
    for step in flow.steps:
        with picture.during(flow.step_back_to(step.layer)):
            bars.add(step)
    for i, norm in flow.norms.items():
        if norm > 0 and math.isfinite(norm):
            with picture.during(flow.step_back_to(i)):
                bars.chart.dot(i, norm, "backward", key=f"norm:{i}")
    return picture


class _Bars:
    """The bars of the steps back, above a logarithmic axis."""

    def __init__(self, flow: Flow, layout: NetworkLayout, picture: Picture) -> None:
        self.layout, self.picture, self.K = layout, picture, flow.K
        self.column = (layout.x(self.K) - layout.x(0)) / self.K
        self.width = min(26.0, 0.27 * self.column)
        left, right = [(x - layout.x(0)) / self.column for x in (LEFT, layout.width - RIGHT)]
        self.chart = Chart(
            picture,
            (0, 0, layout.width, HEIGHT),
            "‖δ‖ from layer to layer, log scale",
            Axis("", left, right, bare=True),
            Axis("← the gradient goes this way", *_range(flow), log=True),
        )

    def _y(self, value: float) -> float:
        return self.chart.at(0, value)[1]

    def add(self, step: StepBack) -> None:
        """Add the bars from ‖δ_{i+1}‖ to ‖δ_i‖; from a 0 nothing can go on, nor to NaN."""
        if not 0 < step.before < math.inf or math.isnan(step.between + step.after):
            return
        x, level, room = self.layout.x(step.layer), self._y(step.before), self.column
        if step.layer == self.K:
            # The bar of σ′ of the last layer has only the margin to stand in.
            room = min(room, MARGIN + 10)
            at_slope = x + 0.29 * room
            at = (self.layout.width - 2, level - 11)
            self.picture.text(at, "‖∂L/∂f‖", fill="muted", size=10.5, anchor="end")
            self._connect(x + 0.62 * room, at_slope, level)
        else:
            at_slope, at_A = x + 0.29 * room, x + 0.68 * room
            self._connect(x + room, at_A, level)
            self._connect(at_A, at_slope, self._y(step.between))
            self._bar(at_A, step.before, step.between, "A", step.layer)
            # Above all of it; those of σ′ stand below, so that no two are side by side.
            above = max(step.before, step.between, bound := step.before * step.spectral)
            self._label(at_A, step.before, step.between, self._y(above) - 8)
            self._bound(at_A, bound)
        self._connect(at_slope, x, self._y(step.after))
        floor = step.between * step.steepest
        self._bar(at_slope, step.between, floor, "steepest", step.layer)
        self._bar(at_slope, floor, step.after, "saturation", step.layer)
        self._label(at_slope, step.between, step.after, self._y(min(step.between, step.after)) + 10)
        self._bound(at_slope, step.between * step.largest)

    def _connect(self, start: float, end: float, y: float) -> None:
        self.picture.line([(start, y), (end, y)], stroke="muted", width=1)

    def _bar(self, x: float, start: float, end: float, kind: str, layer: int) -> None:
        top, bottom = sorted((self._y(start), self._y(end)))
        if not start > 0 or bottom - top < 0.05:
            return
        left, key = x - self.width / 2, f"{kind}:{layer}"
        box = (left, top, self.width, bottom - top)
        self.picture.rect(box, fill=COLOURS[kind], stroke="muted", width=0.8, key=key)
        if kind == "saturation" and bottom - top > 6:  # so that colour is not alone
            last = top + 5 * math.ceil((bottom - top - 1) / 5) - 4.4
            ends = [(x, top + 4.4), (x, last)]
            self.picture.line(ends, stroke="paper", width=self.width, dash=(1.2, 3.8))

    def _label(self, x: float, start: float, end: float, y: float) -> None:
        if not start > 0:
            return
        factor = end / start
        if 0.995 <= factor < 9.95:  # two digits have room; the table has more
            text = f"{factor:.1f}"  # and 1.03 is not 1
        else:
            text = numbers.short(float(f"{factor:.2g}") if factor > 1 else factor)
        self.picture.text((x, y), f"×{text}", size=10, anchor="middle")

    def _bound(self, x: float, value: float) -> None:
        if value > 0 and math.isfinite(value):
            half, y = self.width / 2 + 4, self._y(value)
            self.picture.line([(x - half, y), (x + half, y)], stroke="text", width=1.6)


def _range(flow: Flow) -> tuple[float, float]:
    levels = [x for step in flow.steps for x in (step.before, step.between, step.after)]
    levels = [x for x in [*levels, *flow.norms.values()] if x > 0 and math.isfinite(x)]
    if not levels:
        return 1e-3, 1.0
    low, high = math.log10(min(levels)), math.log10(max(levels))
    low = min(low, high - _DECADES)
    room = _ROOM * (high - low)
    return 10 ** max(low - room, -300.0), 10 ** min(high + room, 300.0)

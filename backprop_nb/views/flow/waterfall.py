"""How ‖δ‖ falls on its way back: a bar for every factor, on a logarithmic axis.

On that axis a product is a sum, so the bars of a layer, one for A and one for
σ′, together are exactly the way from one ‖δ‖ to the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from backprop_nb.views import numbers
from backprop_nb.views.chart import LEFT, RIGHT, Axis, Chart
from backprop_nb.views.flow.flow import Flow, StepBack
from backprop_nb.views.flow.network import MARGIN
from backprop_nb.views.flow.steps import Moments, indexed
from backprop_nb.views.network_picture import NetworkLayout
from backprop_nb.views.picture import Picture

HEIGHT = 316.0
_LEGEND = 40.0
_ROOM = 0.1
"""Beyond the largest and the smallest norm there is room for a label: so much of the axis."""
_DECADES = 3.0
"""The axis is never shorter, so that a small change looks small."""
COLOURS = {"A": "forward", "steepest": "note", "saturation": "alarm"}


def waterfall_picture(flow: Flow, layout: NetworkLayout) -> Picture:
    """Return the bars, each layer's below its units in the network's picture.

    Parameters
    ----------
    flow
        The two passes.
    layout
        Where the network's layers stand.
    """
    picture = Picture(layout.width, HEIGHT, verdict(flow).text)
    return _Waterfall(flow, layout, picture).picture


class _Waterfall:
    """Draws the bars of all steps back."""

    def __init__(self, flow: Flow, layout: NetworkLayout, picture: Picture) -> None:
        self.flow, self.layout, self.picture = flow, layout, picture
        self.K = len(flow.theta_norms)
        self.column = (layout.x(self.K) - layout.x(0)) / self.K
        self.bar = min(26.0, 0.27 * self.column)
        self.moments = Moments(self.K)
        low, high = _range(flow)
        left, right = [(x - layout.x(0)) / self.column for x in (LEFT, layout.width - RIGHT)]
        self.chart = Chart(
            picture,
            (0, 0, layout.width, HEIGHT - _LEGEND),
            "‖δ‖ from layer to layer, log scale",
            Axis("", left, right, bare=True),
            Axis("← the gradient goes this way", low, high, log=True),
        )
        self._names()
        for step in flow.steps:
            with picture.during(self.moments.backward(step.layer)):
                self._step(step)
        for i, norm in flow.norms.items():
            if norm > 0 and math.isfinite(norm):
                with picture.during(self.moments.backward(i)):
                    self.chart.dot(i, norm, "backward", key=f"norm:{i}")
        self._legend()

    def _y(self, value: float) -> float:
        return self.chart.at(0, value)[1]

    def _names(self) -> None:
        bottom = HEIGHT - _LEGEND - 26
        for i in range(1, self.K + 1):
            at = (self.layout.x(i), bottom)
            self.picture.text(at, "δ", sub=str(i), italic=True, size=13, anchor="middle")

    def _step(self, step: StepBack) -> None:
        """Add the bars from ‖δ_{i+1}‖ to ‖δ_i‖; from a 0 nothing can go on."""
        if not (step.before > 0 and math.isfinite(step.before)):
            return
        x, last = self.layout.x(step.layer), step.layer == self.K
        margin = min(self.column, MARGIN + 10)
        from_x = x + (0.62 * margin if last else self.column)
        # The bar of σ′ of the last layer has only the margin to stand in.
        at_A, at_slope = x + 0.68 * self.column, x + 0.29 * (margin if last else self.column)
        level = self._y(step.before)
        if last:
            at = (self.layout.width - 2, level - 11)
            self.picture.text(at, "‖∂L/∂f‖", fill="muted", size=10.5, anchor="end")
            self._connect(from_x, at_slope, level)
        else:
            self._connect(from_x, at_A, level)
            self._connect(at_A, at_slope, self._y(step.between))
            self._bar(at_A, step.before, step.between, "A", step.layer)
            self._label(at_A + 5, step.before, step.between)  # clear of the next bar
            self._bound(at_A, step.before * step.spectral)
        self._connect(at_slope, x, self._y(step.after))
        floor = step.between * step.steepest
        self._bar(at_slope, step.between, floor, "steepest", step.layer)
        self._bar(at_slope, floor, step.after, "saturation", step.layer)
        self._label(at_slope, step.between, step.after)
        self._bound(at_slope, step.between * step.largest)

    def _connect(self, start: float, end: float, y: float) -> None:
        self.picture.line([(start, y), (end, y)], stroke="muted", width=1)

    def _bar(self, x: float, start: float, end: float, kind: str, layer: int) -> None:
        if not start > 0:
            return
        top, bottom = sorted((self._y(start), self._y(end)))
        if bottom - top < 0.05:
            return
        box = (x - self.bar / 2, top, self.bar, bottom - top)
        key = f"{kind}:{layer}"
        self.picture.rect(box, fill=COLOURS[kind], stroke="muted", width=0.8, key=key)
        if kind == "saturation":  # so that colour is not alone
            for k in range(1, int((bottom - top) / 5) + 1):
                y = top + 5 * k
                if y < bottom - 1:
                    ends = [(x - self.bar / 2, y), (x + self.bar / 2, y)]
                    self.picture.line(ends, stroke="paper", width=1.2)

    def _label(self, x: float, start: float, end: float) -> None:
        if not start > 0:
            return
        y = max(self._y(start), self._y(end)) + 10
        factor = end / start
        if factor >= 1:  # two digits have room; the table has more
            factor = float(f"{factor:.2g}")
        self.picture.text((x, y), f"×{numbers.short(factor)}", size=10, anchor="middle")

    def _bound(self, x: float, value: float) -> None:
        if value > 0 and math.isfinite(value):
            half, y = self.bar / 2 + 4, self._y(value)
            self.picture.line([(x - half, y), (x + half, y)], stroke="text", width=1.6)

    def _legend(self) -> None:
        y = HEIGHT - _LEGEND + 8
        entries = [("A", "× A: ‖Aᵀδ‖ / ‖δ‖")]
        if any(step.steepest < 1 for step in self.flow.steps):
            entries.append(("steepest", f"× σ′ at its steepest: {steepest_text(self.flow)}"))
            entries.append(("saturation", "what σ′ lacks to that: saturation"))
        else:
            entries.append(("saturation", "× σ′, which is at most 1: saturation"))
        x = 24.0
        for kind, text in entries:
            self.picture.rect((x, y - 5, 14, 10), fill=COLOURS[kind], stroke="muted", width=0.8)
            if kind == "saturation":
                self.picture.line([(x, y), (x + 14, y)], stroke="paper", width=1.2)
            self.picture.text((x + 20, y), text, fill="muted", size=11)
            x += 20 + 6.1 * len(text) + 16
        y += 19
        self.picture.circle((31, y), 4.5, fill="backward")
        self.picture.text((44, y), "‖δ‖ = ‖∂L/∂z‖", fill="muted", size=11)
        self.picture.line([(154, y), (172, y)], stroke="text", width=1.6)
        text = "no bar can end above its line: ‖A‖₂ and the largest σ′ of the layer"
        self.picture.text((178, y), text, fill="muted", size=11)


def _range(flow: Flow) -> tuple[float, float]:
    levels = [x for step in flow.steps for x in (step.before, step.between, step.after)]
    levels = [x for x in [*levels, *flow.norms.values()] if x > 0 and math.isfinite(x)]
    if not levels:
        return 1e-3, 1.0
    low, high = math.log10(min(levels)), math.log10(max(levels))
    low = min(low, high - _DECADES)
    room = _ROOM * (high - low)
    return 10 ** max(low - room, -300.0), 10 ** min(high + room, 300.0)


def steepest_text(flow: Flow) -> str:
    """Return the largest slopes there are, which a network may have two of."""
    found = sorted({step.steepest for step in flow.steps}, reverse=True)
    texts = {0.25: "¼", 1.0: "1"}
    return " or ".join(texts.get(each, numbers.short(each)) for each in found) or "1"


# --- in words -----------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """What happens to the gradient between δ_K and δ_1, and what of it each kind of factor does.

    Attributes
    ----------
    text
        One or two sentences.
    ratio
        ‖δ_1‖ / ‖δ_K‖; NaN if there is nothing to compare.
    factors
        What the ratio is the product of: ``"A"``, ``"steepest"`` unless that is
        1, and ``"saturation"``.
    """

    text: str
    ratio: float
    factors: dict[str, float]


_SMALL, _LARGE = 1e-2, 1e2


def verdict(flow: Flow) -> Verdict:
    """Return what happens to the gradient on its way back, and what is to blame.

    Examples
    --------
    >>> from backprop_nb.network import SigmoidNetwork
    >>> from backprop_nb.views.flow.flow import flow
    >>> net = SigmoidNetwork((2, 4, 4, 4, 4, 4, 1), seed=0)
    >>> verdict(flow(net, [1, 2], [1])).text
    'The gradient vanishes: ‖δ₁‖ is 0.0005978 of ‖δ₆‖. The slope σ′ is to blame: it is at most ¼.'
    """
    K, through = len(flow.theta_norms), flow.through_layers
    if not through:
        return Verdict("There is one layer, so there is nothing to go back through.", math.nan, {})
    if not flow.norms[K] > 0:
        text = f"{indexed('δ', K)} is 0, so nothing goes back: "
        text += "the output is exactly the target, or its units are fully saturated."
        return Verdict(text, math.nan, {})
    if not flow.norms[1] > 0:
        return Verdict(_death(through), 0.0, {})
    steepest = math.prod(step.steepest for step in through)
    factors = {
        "A": math.prod(step.times_A for step in through),
        **({"steepest": steepest} if steepest < 1 else {}),
        "saturation": math.prod(step.times_saturation for step in through),
    }
    ratio = flow.norms[1] / flow.norms[K]
    part = f"{indexed('‖δ', 1)}‖ is {numbers.long(ratio)} of {indexed('‖δ', K)}‖."
    if ratio > _LARGE:
        text = f"The gradient explodes: {part} The matrices A are to blame: they stretch it."
    elif ratio < _SMALL:
        text = f"The gradient vanishes: {part} {_blame(factors, through)}"
    else:
        text = f"The gradient arrives: {part}"
    return Verdict(text, ratio, factors)


def _blame(factors: dict[str, float], through: Sequence[StepBack]) -> str:
    kind = min(factors, key=lambda name: factors[name])
    most = "¼" if all(step.steepest == 0.25 for step in through) else "1"
    return {
        "A": "The matrices A are to blame: they shrink it.",
        "steepest": f"The slope σ′ is to blame: it is at most {most}.",
        "saturation": f"Saturation is to blame: σ′ is far below {most}.",
    }[kind]


def _death(through: Sequence[StepBack]) -> str:
    dead = next(step for step in through if not step.after > 0)
    delta, z = indexed("δ", dead.layer), indexed("z", dead.layer)
    if dead.between > 0:
        why = f"σ′({z}) is 0 wherever something arrives"
    else:
        why = f"{indexed('A', dead.layer)} lets nothing through"
    return f"The gradient dies: {delta} is 0, because {why}."

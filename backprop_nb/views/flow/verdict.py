"""What becomes of the gradient between δ_K and δ_1, and what is to blame, in a sentence or two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from backprop_nb.views import numbers
from backprop_nb.views.flow.flow import Flow, StepBack
from backprop_nb.views.flow.parameter import indexed

_SMALL, _LARGE = 1e-2, 1e2
_FACTORS = {"A": "all × A", "steepest": "σ′ at its steepest", "saturation": "saturation"}


@dataclass(frozen=True)
class Verdict:
    """What happens to the gradient, and what of it each kind of factor does."""

    text: str
    """One or two sentences."""
    ratio: float = math.nan
    """‖δ_1‖ / ‖δ_K‖; NaN if there is nothing to compare."""
    factors: dict[str, float] = field(default_factory=dict)
    """What the ratio is the product of: ``"A"``, ``"steepest"`` unless that is 1, and
    ``"saturation"``."""

    @property
    def named_factors(self) -> dict[str, str]:
        """The factors as texts, each with what it is."""
        return {
            kind: f"{numbers.long(factor)} ({_FACTORS[kind]})"
            for kind, factor in self.factors.items()
        }


def verdict(flow: Flow) -> Verdict:
    """Return what happens to the gradient on its way back, what is to blame, what overflows.

    >>> from backprop_nb.network import Network
    >>> flow = Flow(Network((2, 4, 4, 4, 4, 4, 1), seed=0), [1, 2], [1])
    >>> verdict(flow).text
    'The gradient vanishes: ‖δ₁‖ is 0.0005978 of ‖δ₆‖. The slope σ′ is to blame: it is at most ¼.'
    """
    K, norms = flow.K, flow.norms
    if all(map(math.isfinite, norms.values())):
        found = _verdict(flow)
        return replace(found, text=" ".join(filter(None, [found.text, flow.too_large])))
    start = "The gradient explodes. " if math.isfinite(norms[K]) else ""
    return Verdict(start + flow.too_large)


def _verdict(flow: Flow) -> Verdict:
    K, norms, through = flow.K, flow.norms, flow.through_layers
    if not through:
        return Verdict("There is one layer, so there is nothing to go back through.")
    if not norms[K] > 0:
        text = f"{indexed('δ', K)} is 0, so nothing goes back: "
        return Verdict(text + "the output is exactly the target, or its units are fully saturated.")
    if not norms[1] > 0:
        return Verdict(_death(through), 0.0)
    steepest = math.prod(step.steepest for step in through)
    factors = {
        "A": math.prod(step.times_A for step in through),
        **({"steepest": steepest} if steepest < 1 else {}),
        "saturation": math.prod(step.times_saturation for step in through),
    }
    ratio = norms[1] / norms[K]
    part = f"{indexed('‖δ', 1)}‖ is {numbers.long(ratio)} of {indexed('‖δ', K)}‖."
    if ratio > _LARGE:
        text = f"The gradient explodes: {part} The matrices A are to blame: they stretch it."
    elif ratio < _SMALL:
        text = f"The gradient vanishes: {part} {_blame(factors, through)}"
    else:
        text = f"The gradient arrives: {part}"
    return Verdict(text, ratio, factors)


def start_text(flow: Flow) -> str:
    """Return where the way back begins, as the bars do: before σ′ of the last layer, if δ_K has it.

    >>> from backprop_nb.network import Network
    >>> start_text(Flow(Network((2, 4, 1), seed=0), [1, 2], [1]))
    'It starts as ‖∂L/∂f₂‖ = 1.42; σ′ leaves ‖δ₂‖ = 0.2924.'
    """
    delta = f"{indexed('‖δ', flow.K)}‖ = {numbers.long(flow.norms[flow.K])}"
    first = next(iter(flow.steps), None)
    if first is None or first.layer < flow.K:
        return f"It starts as {delta}."
    start = f"{indexed('‖∂L/∂f', flow.K)}‖ = {numbers.long(first.before)}"
    return f"It starts as {start}; σ′ leaves {delta}."


def _blame(factors: dict[str, float], through: Sequence[StepBack]) -> str:
    most = "¼" if all(step.steepest == 0.25 for step in through) else "1"
    return {
        "A": "The matrices A are to blame: they shrink it.",
        "steepest": f"The slope σ′ is to blame: it is at most {most}.",
        "saturation": f"Saturation is to blame: σ′ is far below {most}.",
    }[min(factors, key=lambda name: factors[name])]


def _death(through: Sequence[StepBack]) -> str:
    dead = next(step for step in through if not step.after > 0)
    delta, z = indexed("δ", dead.layer), indexed("z", dead.layer)
    if dead.between > 0:
        why = f"σ′({z}) is 0 wherever something arrives"
    else:
        why = f"{indexed('A', dead.layer)} lets nothing through"
    return f"The gradient dies: {delta} is 0, because {why}."

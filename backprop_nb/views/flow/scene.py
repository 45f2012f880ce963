"""All that ``GradientFlow`` shows, as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from backprop_nb.network import Network
from backprop_nb.network.activations import ACTIVATIONS, OUTPUTS
from backprop_nb.network.losses import LOSSES
from backprop_nb.views import numbers
from backprop_nb.views.flow.flow import Flow, StepBack, has_slope_at_output
from backprop_nb.views.flow.legend import legend
from backprop_nb.views.flow.network import edge_picture, flow_layout, unit_picture
from backprop_nb.views.flow.parameter import Parameter, indexed
from backprop_nb.views.flow.schema import (
    FlowCurve,
    FlowDrawn,
    FlowFact,
    FlowFactor,
    FlowFrame,
    FlowParameter,
    FlowRow,
    FlowScene,
)
from backprop_nb.views.flow.verdict import start_text, verdict
from backprop_nb.views.flow.waterfall import waterfall_picture
from backprop_nb.views.flow.weight_curve import curve_data, weight_curve
from backprop_nb.views.formula import mathml
from backprop_nb.views.schema import Element

_text = lru_cache(maxsize=4096)(numbers.long)  # of a unit each of its weights shows the same

COLUMNS = ("", "‖δ‖", "× A", "≤ ‖A‖₂", "× σ′", "≤ max σ′", "saturation", "‖∂L/∂θ‖")
UNKNOWN = "–"


def flow_scene(flow: Flow) -> FlowScene:
    """Return the scene as plain data; the shapes of its pictures say since when they are there."""
    layout, found, alt = flow_layout(flow.net.widths), verdict(flow), alt_text(flow)
    drawn = [list(layer) for layer in layout.units]
    factors: list[FlowFactor]
    factors = [{"kind": kind, "text": text} for kind, text in found.named_factors.items()]
    known: dict[tuple[int, int], list[FlowFact]] = {}
    told = {str(each): about(flow, each, known) for each in _drawn(flow.net, drawn)}
    facts, parameters = _shared(told)
    ratio = f"‖{indexed('δ', 1)}‖ / ‖{indexed('δ', flow.K)}‖ = {numbers.long(found.ratio)}"
    return {
        "alt": alt,
        "frames": list(_frames(flow)),
        "turn": flow.loss_step + 1,
        "units": unit_picture(layout, flow, alt).data(),
        "edges": {
            "weight": edge_picture(layout, flow, "value").data(),
            "gradient": edge_picture(layout, flow, "adjoint").data(),
        },
        "waterfall": waterfall_picture(flow, layout, found.text).data(),
        "legend": legend(flow),
        "verdict": {
            "text": found.text,
            "start": start_text(flow),
            "ratio": ratio if factors else "",
            "factors": factors,
        },
        "table": {"columns": COLUMNS, "rows": list(table(flow))},
        "facts": facts,
        "parameters": parameters,
        "activations": list(ACTIVATIONS),
        "rows": flow.rows,
        "batch": batch_text(flow),
    }


def flow_curve(flow: Flow, parameter: Parameter, epsilon: float = 0.0) -> FlowCurve:
    """Return the loss along a weight or bias, with ``epsilon`` among its places.

    What is printed of it comes along, since it may be one that is not drawn.
    """
    data = curve_data(weight_curve(flow, parameter, epsilon))
    return {**data, "about": about(flow, parameter)}


def alt_text(flow: Flow) -> str:
    """Return what stands for the whole."""
    return f"Gradient flow through a network {flow.about}. {verdict(flow).text}"


def batch_text(flow: Flow) -> str:
    """Return what the units show of a batch."""
    if flow.rows == 1:
        return ""
    return (
        f"The units show input {flow.row} of the batch, its δ with the 1/{flow.rows} of the "
        "mean; norms and gradients are those of the whole batch, over which Σ adds."
    )


# --- the replay ---------------------------------------------------------------


def _frames(flow: Flow) -> Iterator[FlowFrame]:
    net, K = flow.net, flow.K
    watch = f"Watch the units: {_WATCH[net.activation]}"
    words = f"The input is known: x = {numbers.words(flow.shown(flow.forward.f[0]))}."
    yield _frame("Start", words, [], watch)
    for i in range(1, K + 1):
        f = numbers.words(flow.shown(flow.forward.f[i]))
        words = f"Forward, layer {i}: {indexed('f', i)} = {f}."
        activation = net.activation if i < K else net.output
        yield _frame("Forward", words, _forward_formulas(i, activation, net.bias), watch)
    words = f"The loss: L = {numbers.long(flow.loss)}."
    formulas = _loss_formulas(K, net.loss_name, net.output, flow.rows)
    yield _frame("Loss", words, formulas, f"Now the way back. {_BARS}")
    steps = {step.layer: step for step in flow.steps}
    for i in range(K, 0, -1):
        norm = f"‖{indexed('δ', i)}‖ = {numbers.long(flow.norms[i])}"
        words = f"Backward, layer {i}: {norm}{_factor_words(i, K, steps.get(i))}."
        formulas = _backward_formulas(i, _delta(net, i, flow.rows > 1), flow.rows > 1, net.bias)
        yield _frame("Backward", words, formulas, _so_far(flow, i))


def _frame(phase: Any, words: str, formulas: list[Element], watch: str) -> FlowFrame:
    return {"phase": phase, "words": words, "formulas": formulas, "watch": watch}


_BARS = "Watch the bars: one shows what A makes of ‖δ‖, the next one what σ′ leaves of it."
_WATCH = {
    "sigmoid": "near 0 and near 1 a unit is saturated; its σ′ lets little of a gradient back.",
    "tanh": "near −1 and near 1 a unit is saturated; its slope lets little of a gradient back.",
    "relu": "a unit at 0 is off; its slope is 0 and lets nothing of a gradient back.",
    "leaky relu": "below 0 a unit leaks; its slope lets a hundredth of a gradient back.",
    "identity": "hidden units have slope 1 everywhere; on the way back A alone counts.",
}


def _so_far(flow: Flow, i: int) -> str:
    """Return what can be said before the way back has come to its end."""
    K, norms = flow.K, flow.norms
    if i == K or not norms[K] > 0:
        return f"{start_text(flow)} {_BARS}"
    if not math.isfinite(norms[i]):
        return f"So far: ‖{indexed('δ', i)}‖ is {numbers.long(norms[i])}. {_BARS}"
    share = numbers.long(norms[i] / norms[K])
    return f"So far: ‖{indexed('δ', i)}‖ is {share} of ‖{indexed('δ', K)}‖. {_BARS}"


def _factor_words(i: int, K: int, step: StepBack | None) -> str:
    if step is None or not step.before > 0:
        return ""
    slope = f"{numbers.long(step.times_slope)} for σ′"
    if i == K:
        return f", that is ‖∂L/∂f‖ = {numbers.long(step.before)} times {slope}"
    before = f"‖{indexed('δ', i + 1)}‖ = {numbers.long(step.before)}"
    A = f"{numbers.long(step.times_A)} for {indexed('A', i)}"
    return f", that is {before} times {A} times {slope}"


@cache
def _forward_formulas(i: int, activation: str, bias: bool) -> list[Element]:
    z, symbol = f"z_{{{i}}}", OUTPUTS[activation].symbol
    of_z = f"{symbol}({z})" if symbol else z
    added = f" + b_{{{i - 1}}}" if bias else ""
    formulas = [f"{z} = A_{{{i - 1}}} {_input(i)}{added}", f"f_{{{i}}} = {of_z}"]
    return [mathml(formula) for formula in formulas]


@cache
def _loss_formulas(K: int, loss: str, output: str, rows: int) -> list[Element]:
    of = LOSSES[loss].latex(f"f_{{{K}}}", OUTPUTS[output])
    mean = rf"\frac{{1}}{{{rows}}} \sum_n " if rows > 1 else ""
    return [mathml(f"L = {mean}{of}")]


@cache
def _backward_formulas(i: int, delta: str, batch: bool, bias: bool) -> list[Element]:
    delta_i, partial = rf"\delta_{{{i}}}", r"\frac{{\partial L}}{{\partial {}_{{{}}}}}".format
    total = r"\sum_n " if batch else ""
    formulas = [
        f"{delta_i} = {delta}",
        rf"{partial('A', i - 1)} = {total}{delta_i} {_input(i)}^\top",
        *([f"{partial('b', i - 1)} = {total}{delta_i}"] if bias else []),
    ]
    return [mathml(formula) for formula in formulas]


def _delta(net: Network, i: int, batch: bool) -> str:
    """Return what δ_i is, as LaTeX."""
    symbol = net.activations[i - 1].symbol
    slope = rf" \odot {symbol}'(z_{{{i}}})" if symbol else ""
    if i < net.K:
        return rf"A_{{{i}}}^\top \delta_{{{i + 1}}}{slope}"
    share, error = r"\frac{1}{N} " if batch else "", f"(f_{{{i}}} - y)"
    if net.loss_name == "cross-entropy":
        return f"{share}{error}"
    if has_slope_at_output(net):
        return f"{share}2 {error}{slope}"
    jacobian = rf"\left( \frac{{\partial f_{{{i}}}}}{{\partial z_{{{i}}}}} \right)"
    return rf"{share}2 {jacobian}^\top {error}"


def _input(i: int) -> str:
    return "x" if i == 1 else f"f_{{{i - 1}}}"


# --- the numbers --------------------------------------------------------------


def _drawn(net: Network, units: Sequence[Sequence[int]]) -> Iterator[Parameter]:
    """Yield the parameters between units that are drawn."""
    for i in range(net.K):
        yield from (Parameter(i, j, k) for j in units[i + 1] for k in units[i])
        yield from (Parameter(i, j) for j in (units[i + 1] if net.bias else ()))


def _shared(
    parameters: Mapping[str, FlowParameter],
) -> tuple[list[FlowFact], dict[str, FlowDrawn]]:
    """Return each fact once, and the parameters with the numbers of theirs: most are of units."""
    facts = {id(fact): fact for told in parameters.values() for fact in told["facts"]}
    places = {of: n for n, of in enumerate(facts)}
    shared: dict[str, FlowDrawn] = {
        name: {**told, "facts": [places[id(fact)] for fact in told["facts"]]}
        for name, told in parameters.items()
    }
    return list(facts.values()), shared


def about(
    flow: Flow, parameter: Parameter, known: dict[tuple[int, int], list[FlowFact]] | None = None
) -> FlowParameter:
    """Return what is printed of a weight or bias, and of the units at its ends.

    ``known`` keeps the facts of units for the parameters that come after.
    """
    i, j, k, layer = parameter.i, parameter.j, parameter.k, parameter.i + 1
    known = {} if known is None else known
    for unit in [(layer, j)] if k is None else [(layer, j), (i, k)]:
        if unit not in known:
            known[unit] = _unit_facts(flow, *unit)
    facts = known[layer, j]
    since, delta = facts[3]["since"], facts[3]
    value, factors, worked = _text(parameter.of(flow.net.A, flow.net.b)), delta["name"], ""
    if k is None:
        facts = facts[:5]
    else:
        source = known[i, k][1 if i else 0]
        factors += f" · {source['name']}"
        worked = f"{delta['text']} · {source['text']} = " if flow.rows == 1 else ""
        facts = [{"name": parameter.symbol, "text": value, "since": 0}, source, *facts]
    sum_of_rows = "Σ " if flow.rows > 1 else ""
    return {
        "value": value,
        "slope": _text(parameter.of(flow.gradient.A, flow.gradient.b)),
        "since": since,
        "facts": facts,
        "rule": f"∂L/∂{parameter.symbol} = {sum_of_rows}{factors} = ",
        "worked": worked,
    }


def _unit_facts(flow: Flow, i: int, j: int) -> list[FlowFact]:
    """Return what is printed of a unit: z, f, σ′(z), δ, b and ∂L/∂b; of an input, its value."""
    net, since = flow.net, flow.step_back_to(i)
    if not i:
        found = [(f"x[{j}]", flow.shown(flow.forward.f[0])[j], 0)]
    else:
        z, f, slope, delta = flow.units[i][j]
        found = [
            (indexed("z", i, j), z, i),
            (indexed("f", i, j), f, i),
            (f"{net.activations[i - 1].sign}′(z)", slope, i),
            (indexed("δ", i, j), delta, since),
        ]
        if net.bias:
            b = indexed("b", i - 1, j)
            found += [(b, net.b[i - 1][j], 0), (f"∂L/∂{b}", flow.gradient.b[i - 1][j], since)]
    return [{"name": name, "text": _text(float(x)), "since": step} for name, x, step in found]


def table(flow: Flow) -> Iterator[FlowRow]:
    """Yield a row for each layer, in the order of the backward pass."""
    steps = {step.layer: step for step in flow.steps}
    for i in range(flow.K, 0, -1):
        factors = _factor_cells(steps[i]) if i in steps else [UNKNOWN] * 5
        ends = numbers.long(flow.norms[i]), numbers.long(flow.theta_norms[i - 1])
        cells = [ends[0], *factors, ends[1]]
        yield {"layer": i, "since": flow.step_back_to(i), "cells": cells}


def _factor_cells(step: StepBack) -> list[str]:
    first = math.isnan(step.spectral)  # the step from ∂L/∂f_K goes through no A
    A = (math.nan if first else step.times_A, step.spectral)
    slope = (step.times_slope, step.largest, step.times_saturation)
    # Of what does not arrive there is no factor.
    return [UNKNOWN if math.isnan(each) else numbers.long(each) for each in (*A, *slope)]

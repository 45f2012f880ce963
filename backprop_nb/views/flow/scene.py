"""All that ``GradientFlow`` shows, as plain data, and its text twin."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from backprop_nb.network import Network
from backprop_nb.network.activations import OUTPUTS
from backprop_nb.network.losses import LOSSES
from backprop_nb.views import numbers
from backprop_nb.views.flow.flow import Parameter, StepBack, flow, has_slope_at_output
from backprop_nb.views.flow.network import Row, edge_picture, flow_layout, unit_picture
from backprop_nb.views.flow.steps import Moments, indexed
from backprop_nb.views.flow.waterfall import verdict, waterfall_picture
from backprop_nb.views.flow.weight_curve import Curve, curve_data, weight_curve
from backprop_nb.views.formula import mathml
from backprop_nb.views.picture import Picture, at_step
from backprop_nb.views.schema import Element

COLUMNS = ("", "‖δ‖", "× A", "≤ ‖A‖₂", "× σ′", "≤ max σ′", "saturation", "‖∂L/∂θ‖")
_UNKNOWN = "–"
_TABLE_WIDTH = 430.0


class Passes:
    """One network, one x and y, and the passes through it: what every picture is made from.

    Parameters
    ----------
    net : Network
    x, y : arrays, one input or a batch
    row : which input of a batch the units show
    """

    def __init__(self, net: Network, x: Any, y: Any, row: int = 0) -> None:
        self.net, self.x, self.y, self.row = net, x, y, row
        self.flow = flow(net, x, y)
        self.shown = Row.of(self.flow, y, row)
        self.rows = 1 if np.ndim(x) == 1 else len(x)
        self.moments = Moments(net.K)
        self.activation = net.activation

    @property
    def about(self) -> str:
        """The network and its data, in a few words."""
        widths = "-".join(map(str, self.net.widths))
        net = self.net
        more = f", {net.output} at the output" if net.output != "sigmoid" else ""
        more += ", cross-entropy" if net.loss_name == "cross-entropy" else ""
        more += "" if net.bias else ", no bias"
        inputs = "one input" if self.rows == 1 else f"{self.rows} inputs"
        return f"{widths}, {self.activation}{more}, {inputs}"

    def slope_of(self, parameter: Parameter) -> float:
        """Return ∂L/∂w of one weight or bias."""
        return parameter.of(self.flow.gradient.A, self.flow.gradient.b)

    def curve(self, parameter: Parameter, epsilon: float = 0.0) -> Curve:
        """Return the loss as one parameter moves."""
        slope = self.slope_of(parameter)
        return weight_curve(self.net, self.x, self.y, parameter, slope, epsilon)


def flow_scene(passes: Passes) -> dict[str, Any]:
    """Return the scene as plain data.

    Parameters
    ----------
    passes
        What is shown.

    Returns
    -------
    dict
        ``frames`` for the replay; the pictures ``units``, ``edges`` (one for
        ``"weight"``, one for ``"gradient"``) and ``waterfall``, whose shapes say
        since which step they are there; ``verdict``; ``table``; ``numbers`` by
        the key of the unit, weight or bias; ``turn``, the first step back.
    """
    layout = flow_layout(passes.net.widths)
    gradient = passes.flow.gradient
    edges = {
        "weight": edge_picture(layout, passes.net.A, "value", "weight", known=True),
        "gradient": edge_picture(layout, gradient.A, "adjoint", "∂L/∂A", known=False),
    }
    units = [list(layer) for layer in layout.units]
    return {
        "widths": passes.net.widths,
        "signs": [activation.sign for activation in passes.net.activations],
        "alt": _alt(passes),
        "about": passes.about,
        "frames": list(_frames(passes)),
        "turn": passes.moments.loss + 1,
        "units": unit_picture(layout, passes.shown, passes.flow, _alt(passes)).data(),
        "edges": {kind: picture.data() for kind, picture in edges.items()},
        "waterfall": waterfall_picture(passes.flow, layout).data(),
        "verdict": _verdict(passes),
        "table": {"columns": COLUMNS, "rows": list(_table(passes))},
        "numbers": _numbers(passes, units),
        "rows": passes.rows,
    }


def curve_scene(passes: Passes, parameter: Parameter, epsilon: float = 0.0) -> dict[str, Any]:
    """Return the picture of the loss along a weight or bias, and what is printed there.

    Parameters
    ----------
    passes
        What is shown.
    parameter
        The weight or bias.
    epsilon
        By how much it is moved in the picture.

    Returns
    -------
    dict
        See :func:`curve_data`; and ``numbers`` as in the scene, of this
        parameter and the units at its ends, which may not be drawn.
    """
    i, j, k = parameter.i, parameter.j, parameter.k
    units: list[list[int]] = [[] for _ in passes.net.widths]
    units[i + 1], units[i] = [j], [] if k is None else [k]
    numbers_here = _numbers(passes, units)
    return curve_data(passes.curve(parameter, epsilon), epsilon) | {"numbers": numbers_here}


def parameters(net: Network) -> Iterator[Parameter]:
    """Yield every weight, then every bias, layer by layer."""
    for i, A in enumerate(net.A):
        for j, k in np.ndindex(A.shape):
            yield Parameter(i, j, k)
        for j in range(len(A) if net.bias else 0):
            yield Parameter(i, j)


def _alt(passes: Passes) -> str:
    return f"Gradient flow through a network {passes.about}. {verdict(passes.flow).text}"


# --- the replay ---------------------------------------------------------------


def _frames(passes: Passes) -> Iterator[dict[str, Any]]:
    K, f = passes.net.K, passes.shown.f
    words = f"The input is known: x = {numbers.words(f[0])}."
    watch = f"Watch the units: {_WATCH[passes.activation]}"
    yield _frame("start", words, [], watch)
    for i in range(1, K + 1):
        words = f"Forward, layer {i}: {indexed('f', i)} = {numbers.words(f[i])}."
        activation = passes.activation if i < K else passes.net.output
        yield _frame("forward", words, _forward_formulas(i, activation, passes.net.bias), watch)
    words = f"The loss: L = {numbers.long(passes.flow.loss)}."
    formulas = _loss_formulas(K, passes.net.loss_name, passes.net.output, passes.rows)
    yield _frame("loss", words, formulas, f"Now the way back. {_BARS}")
    steps = {step.layer: step for step in passes.flow.steps}
    for i in range(K, 0, -1):
        norm = f"‖{indexed('δ', i)}‖ = {numbers.long(passes.flow.norms[i])}"
        words = f"Backward, layer {i}: {norm}{_factor_words(i, K, steps.get(i))}."
        delta = _delta(passes.net, i, passes.rows > 1)
        formulas = _backward_formulas(i, delta, passes.rows > 1, passes.net.bias)
        yield _frame("backward", words, formulas, _so_far(passes, i))


def _frame(phase: str, words: str, formulas: list[Element], watch: str) -> dict[str, Any]:
    return {"phase": phase, "words": words, "formulas": formulas, "watch": watch}


_BARS = "Watch the bars: one shows what A makes of ‖δ‖, the next one what σ′ leaves of it."
_WATCH = {
    "sigmoid": "near 0 and near 1 a unit is saturated; its σ′ lets little of a gradient back.",
    "tanh": "near −1 and near 1 a unit is saturated; its slope lets little of a gradient back.",
    "relu": "a unit at 0 is off; its slope is 0 and lets nothing of a gradient back.",
    "leaky relu": "below 0 a unit leaks; its slope lets a hundredth of a gradient back.",
    "identity": "hidden units have slope 1 everywhere; on the way back A alone counts.",
}


def _so_far(passes: Passes, i: int) -> str:
    """Return what can be said before the way back has come to its end."""
    K, norms = passes.net.K, passes.flow.norms
    if i == K or not norms[K] > 0:
        return f"The way back begins with ‖{indexed('δ', K)}‖ = {numbers.long(norms[K])}. {_BARS}"
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
    f = "x" if i == 1 else f"f_{{{i - 1}}}"
    z = f"z_{{{i}}}"
    symbol = OUTPUTS[activation].symbol
    of_z = f"{symbol}({z})" if symbol else z
    added = f" + b_{{{i - 1}}}" if bias else ""
    return [
        mathml(f"{z} = A_{{{i - 1}}} {f}{added}"),
        mathml(f"f_{{{i}}} = {of_z}"),
    ]


@cache
def _loss_formulas(K: int, loss: str, output: str, rows: int) -> list[Element]:
    of = LOSSES[loss].latex(f"f_{{{K}}}", OUTPUTS[output])
    mean = rf"\frac{{1}}{{{rows}}} \sum_n " if rows > 1 else ""
    return [mathml(f"L = {mean}{of}")]


def _delta(net: Network, i: int, batch: bool) -> str:
    """Return what δ_i is, as LaTeX."""
    layer = net.activations[i - 1]
    slope = rf" \odot {layer.symbol}'(z_{{{i}}})" if layer.symbol else ""
    if i < net.K:
        return rf"A_{{{i}}}^\top \delta_{{{i + 1}}}{slope}"
    share, error = r"\frac{1}{N} " if batch else "", f"(f_{{{i}}} - y)"
    if net.loss_name == "cross-entropy":
        return f"{share}{error}"
    if has_slope_at_output(net):
        return f"{share}2 {error}{slope}"
    return (
        rf"{share}2 \left( \frac{{\partial f_{{{i}}}}}{{\partial z_{{{i}}}}} \right)^\top {error}"
    )


@cache
def _backward_formulas(i: int, delta: str, batch: bool, bias: bool) -> list[Element]:
    f, total = "x" if i == 1 else f"f_{{{i - 1}}}", r"\sum_n " if batch else ""
    delta_i, partial = rf"\delta_{{{i}}}", r"\frac{{\partial L}}{{\partial {}_{{{}}}}}".format
    formulas = [f"{delta_i} = {delta}", rf"{partial('A', i - 1)} = {total}{delta_i} {f}^\top"]
    if bias:
        formulas.append(f"{partial('b', i - 1)} = {total}{delta_i}")
    return [mathml(formula) for formula in formulas]


# --- the numbers --------------------------------------------------------------


def _numbers(passes: Passes, units: Sequence[Sequence[int]]) -> dict[str, list[str]]:
    """Return what is printed of these units of each layer and of the parameters between them.

    Of a unit these are z, f, σ′ and δ; of a parameter its value and gradient.
    """
    printed = {f"f:0:{k}": [numbers.long(float(passes.shown.f[0][k]))] for k in units[0]}
    for i in range(1, passes.net.K + 1):
        for j in units[i]:
            printed[f"f:{i}:{j}"] = [numbers.long(x) for x in _unit(passes, i, j)]
    for i in range(passes.net.K):
        for j in units[i + 1]:
            for k in units[i]:
                printed[f"A:{i}:{j}:{k}"] = _value_and_slope(passes, Parameter(i, j, k))
        for j in units[i + 1] if passes.net.bias else ():
            printed[f"b:{i}:{j}"] = _value_and_slope(passes, Parameter(i, j))
    return printed


def _unit(passes: Passes, i: int, j: int) -> tuple[float, float, float, float]:
    z = np.atleast_2d(passes.flow.forward.z[i])[passes.row, j]
    slope = np.atleast_2d(passes.flow.slopes[i])[passes.row, j]
    return float(z), float(passes.shown.f[i][j]), float(slope), float(passes.shown.delta[i][j])


def _value_and_slope(passes: Passes, parameter: Parameter) -> list[str]:
    value = parameter.of(passes.net.A, passes.net.b)
    return [numbers.long(value), numbers.long(passes.slope_of(parameter))]


def _verdict(passes: Passes) -> dict[str, Any]:
    found = verdict(passes.flow)
    what = {"A": "all × A", "steepest": "σ′ at its steepest", "saturation": "saturation"}
    factors = [
        {"kind": kind, "text": f"{numbers.long(factor)} ({what[kind]})"}
        for kind, factor in found.factors.items()
    ]
    K = passes.net.K
    ratio = f"‖{indexed('δ', 1)}‖ / ‖{indexed('δ', K)}‖ = {numbers.long(found.ratio)}"
    return {"text": found.text, "ratio": ratio if factors else "", "factors": factors}


def _table(passes: Passes) -> Iterator[dict[str, Any]]:
    """Yield a row for each layer, in the order of the backward pass."""
    K, found = passes.net.K, passes.flow
    steps = {step.layer: step for step in found.steps}
    for i in range(K, 0, -1):
        cells = [numbers.long(found.norms[i])]
        cells += _factor_cells(steps[i], i == K) if i in steps else [_UNKNOWN] * 5
        cells.append(numbers.long(found.theta_norms[i - 1]))
        yield {"layer": i, "since": passes.moments.backward(i), "cells": cells}


def _factor_cells(step: StepBack, last: bool) -> list[str]:
    A = (math.nan, math.nan) if last else (step.times_A, step.spectral)
    slope = (step.times_slope, step.largest, step.times_saturation)
    # Of what does not arrive there is no factor.
    return [_UNKNOWN if math.isnan(each) else numbers.long(each) for each in (*A, *slope)]


# --- the static picture -------------------------------------------------------


def still_pictures(
    scene: dict[str, Any], curve: dict[str, Any], *, edges: str, selected: str, step: int
) -> list[list[dict[str, Any]]]:
    """Return the pictures of a figure in rows: network and table, waterfall and curve."""
    units, lines = scene["units"], scene["edges"][edges]
    below = _below_edges(scene["edges"]["weight"], selected)
    network = {**units, "shapes": [*below, *lines["shapes"], *units["shapes"]]}
    table = _table_picture(scene, step).data()
    rows = [[network, table], [scene["waterfall"], curve]]
    return [[at_step(picture, step) for picture in row] for row in rows]


def _below_edges(picture: dict[str, Any], selected: str) -> list[dict[str, Any]]:
    """Return a faint line where each edge will be, and a broad one below the one that is chosen."""
    key = "A:" + selected[2:-1].replace("[", ":").replace(", ", ":")
    edges = [s for s in picture["shapes"] if s.get("key", "").startswith("A:")]
    faint = [_below(edge, "line", 0.8) for edge in edges]
    chosen = [_below(edge, "note", 9.0) for edge in edges if edge["key"] == key]
    return faint + (chosen if selected.startswith("A") else [])


def _below(edge: dict[str, Any], stroke: str, width: float) -> dict[str, Any]:
    return {"kind": "line", "points": edge["points"], "stroke": stroke, "width": width}


def _table_picture(scene: dict[str, Any], step: int) -> Picture:
    """Return the verdict and the table as a picture, for a figure."""
    rows = scene["table"]["rows"]
    picture = Picture(_TABLE_WIDTH, scene["units"]["height"])
    y = 14.0
    at_end = step == len(scene["frames"]) - 1
    for line in _wrapped(
        scene["verdict"]["text"] if at_end else scene["frames"][step]["watch"], 62
    ):
        picture.text((4, y), line, bold=at_end, size=12)
        y += 18
    for line in filter(None, [scene["verdict"]["ratio"], *_products(scene)] if at_end else []):
        picture.text((4, y), line, fill="muted", size=11)
        y += 17
    y += 10
    pitch = min(20.0, (picture.height - y - 20) / max(len(rows), 1))
    columns = [4.0, 100.0, 148.0, 198.0, 250.0, 300.0, 360.0, _TABLE_WIDTH]
    heads = ("", "‖δ‖", "× A", "≤ ‖A‖₂", "× σ′", "≤ max", "saturation", "‖∂L/∂θ‖")
    _table_line(picture, columns, y, heads, "muted")
    for number, row in enumerate(rows, start=1):
        with picture.during(row["since"]):
            cells = [f"layer {row['layer']}", *row["cells"]]
            _table_line(picture, columns, y + 4 + number * pitch, cells, "text")
    return picture


def _table_line(
    picture: Picture, columns: Sequence[float], y: float, cells: Sequence[str], fill: str
) -> None:
    for x, cell in zip(columns, cells, strict=True):
        if not cell:
            continue
        picture.text((x, y), cell, fill=fill, size=10, anchor="end" if x > 4 else "start")


def _products(scene: dict[str, Any]) -> list[str]:
    texts = [factor["text"] for factor in scene["verdict"]["factors"]]
    return ["= " + " × ".join(texts)] if texts else []


def _wrapped(text: str, characters: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > characters:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


# --- the text twin ------------------------------------------------------------


def describe_flow(passes: Passes, parameter: Parameter, epsilon: float = 0.0) -> str:
    """Return all that the view shows, as text."""
    scene_verdict = _verdict(passes)
    parts = [
        f"Gradient flow, {passes.about}; loss L = {numbers.long(passes.flow.loss)}",
        _row_words(passes),
        scene_verdict["text"],
        *_products({"verdict": scene_verdict}),
        "",
        *_aligned(_lines_of_table(passes)),
        "",
        *_layers(passes),
        *_moved(passes, parameter, epsilon),
    ]
    return "\n".join(part.rstrip() for part in parts if part is not None)


def _row_words(passes: Passes) -> str | None:
    if passes.rows == 1:
        return None
    return (
        f"The units show input {passes.row} of the batch, its δ with the 1/{passes.rows} of the "
        "mean; norms and gradients are those of the whole batch."
    )


def _lines_of_table(passes: Passes) -> list[list[str]]:
    head = ["back to", *COLUMNS[1:]]
    return [head, *([f"layer {r['layer']}", *r["cells"]] for r in _table(passes))]


def _aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    rows = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]


def _layers(passes: Passes) -> Iterator[str]:
    forward, gradient = passes.flow.forward, passes.flow.gradient
    yield f"x = {numbers.words(passes.shown.f[0])}"
    for i in range(1, passes.net.K + 1):
        z, slope = (np.atleast_2d(each[i])[passes.row] for each in (forward.z, passes.flow.slopes))
        A, b = (indexed(symbol, i - 1) for symbol in "Ab")
        sign = passes.net.activations[i - 1].sign
        lines = [
            (A, passes.net.A[i - 1]),
            *((b, b_i) for b_i in passes.net.b[i - 1 : i]),  # none without a bias
            (indexed("z", i), z),
            (f"{indexed('f', i)} = {sign}(z)", passes.shown.f[i]),
            (f"{sign}′(z)", slope),
            (f"{indexed('δ', i)} = ∂L/∂z", passes.shown.delta[i]),
            (f"∂L/∂{A}", gradient.A[i - 1]),
            *((f"∂L/∂{b}", db) for db in gradient.b[i - 1 : i]),
        ]
        yield f"layer {i}"
        width = max(len(name) for name, _ in lines) + 1
        for name, value in lines:
            yield f"  {name:<{width}}= {numbers.words(value)}"
    yield ""


def _moved(passes: Passes, parameter: Parameter, epsilon: float) -> Iterator[str]:
    """Yield what moving one weight does: ε in halves, beside what the gradient says."""
    curve = passes.curve(parameter, epsilon)
    changes, linear = curve.changes(), curve.linear()
    name = indexed(*_symbols(parameter))
    yield f"{name} = {numbers.long(curve.value)}, ∂L/∂{name} = {numbers.long(curve.slope)}"
    wanted = [curve.epsilons[-1] / 2**m for m in range(5)]
    chosen = sorted({epsilon or wanted[0], *wanted}, reverse=True)
    rows = [["ε", "L", "actual ΔL", "gradient × ε", "difference"]]
    for k in map(curve.epsilons.index, chosen):
        values = (curve.epsilons[k], curve.losses[k], changes[k], linear[k], changes[k] - linear[k])
        rows.append([numbers.long(value) for value in values])
    yield from _aligned(rows)


def _symbols(parameter: Parameter) -> tuple[Any, ...]:
    entry = (parameter.j,) if parameter.k is None else (parameter.j, parameter.k)
    return ("b" if parameter.k is None else "A", parameter.i, *entry)

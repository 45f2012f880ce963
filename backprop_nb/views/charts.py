"""Training, and a derivative by finite differences, as charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from backprop_nb.checking.step_error import StepCurve
from backprop_nb.network import History
from backprop_nb.network.validation import FloatArray
from backprop_nb.views.chart import Axis, Chart, Series, legend, some, span
from backprop_nb.views.paper import GAP, Drawing, draw_pictures
from backprop_nb.views.picture import Colour, Picture
from backprop_nb.views.schema import Family, PictureData

_WIDTH, _HEIGHT, _BESIDE, _BELOW = 224.0, 176.0, 64.0, 42.0
"""A chart of a training, and the room for a legend beside or below it: two of them are as wide as a
notebook in a window of 700 pixels, or their texts would be drawn smaller than can be read."""

_LABELLED = 5
"""So many layers at most are named beside their lines."""

_DASHES: tuple[tuple[float, ...], ...] = ((), (9, 4), (2, 3), (9, 3, 2, 3))
"""Colour is never alone: each layer's line is dashed in its own way, in turn."""

_PALE = 0.45
"""The first layer's line, on the scale from a neutral grey to the last layer's colour."""


def draw_history(history: History, *, theme: Literal["light", "dark"] = "light") -> Drawing:
    """Draw loss, gradient norms and saturation, epoch by epoch.

    Parameters
    ----------
    history
        At least one epoch.
    theme
        ``"light"`` or ``"dark"``.

    Returns
    -------
    Drawing
        A matplotlib figure with an ``alt`` text.

    Examples
    --------
    >>> from backprop_nb import SigmoidNetwork
    >>> net = SigmoidNetwork((1, 2, 1), seed=0)
    >>> history = net.fit([[0], [1]], [[1], [0]], epochs=20, seed=0, progress=False)
    >>> draw_history(history).alt
    'Training over 20 epochs: the loss goes from 0.257 to 0.249.'
    """
    alt = (
        f"Training over {history.epochs} epochs: the loss goes from {history.loss[0]:.3g} "
        f"to {history.loss[-1]:.3g}."
    )
    loss, norms, saturation = history_pictures(history)
    return draw_pictures([[loss, norms], [saturation]], alt=alt, theme=theme)


def history_pictures(history: History) -> list[PictureData]:
    """Return the charts of a training: loss, gradient norms and saturation."""
    K = history.gradient_norms.shape[1]
    norms = np.where(history.gradient_norms > 0, history.gradient_norms, np.nan)  # none on a log
    return [
        _loss_picture(history),
        _layers_picture(
            "gradient norm, log scale",
            norms,
            Axis("", *span(norms, log=True), log=True),
            "adjoint",
            [("θ", str(i)) for i in range(K)],
            _WIDTH,
        ),
        _layers_picture(
            "saturated units",
            100 * history.saturation,
            Axis("%", -3, 103),
            "value",
            [(f"layer {i + 1}", "") for i in range(K)],
            2 * _WIDTH + GAP,
        ),
    ]


def _epochs(count: int) -> Axis:
    return Axis("epoch", 0.5, count + 0.5, whole=True)


def _loss_picture(history: History) -> PictureData:
    losses: list[tuple[str, FloatArray, Colour, Sequence[float]]] = [
        ("training", history.loss, "value-positive", _DASHES[0])
    ]
    if history.validation_loss is not None:
        losses.append(("held out", history.validation_loss, "value-negative", _DASHES[1]))
    highest = max(float(values.max()) for _, values, _, _ in losses)
    picture = Picture(_WIDTH, _HEIGHT + _BELOW)
    box = (0.0, 0.0, _WIDTH, _HEIGHT)
    chart = Chart(picture, box, "loss", _epochs(history.epochs), Axis("", 0, 1.08 * highest or 1))
    lines = [_line(chart, *each) for each in losses]
    legend(picture, (4, _HEIGHT + 12), lines, gap=10)
    if history.validation_loss is not None:
        best = history.best_epoch
        chart.rule(x=best, dash=_DASHES[2])
        lowest = Series(f"lowest after {best}", (), (), "muted", _DASHES[2], 1.0)
        legend(picture, (4, _HEIGHT + 32), [lowest])
    return picture.data()


def _layers_picture(
    title: str,
    values: FloatArray,
    y: Axis,
    family: Family,
    names: Sequence[tuple[str, str]],
    width: float,
) -> PictureData:
    """Return one line for each layer, from a pale first to a strong last one."""
    epochs, K = values.shape
    picture = Picture(width + _BESIDE, _HEIGHT)
    chart = Chart(picture, (0, 0, width, _HEIGHT), title, _epochs(epochs), y)
    heats = np.linspace(_PALE, 1, K).tolist() if K > 1 else [1.0]
    for i, heat in enumerate(heats):
        _line(chart, "", values[:, i], (family, heat), _DASHES[i % len(_DASHES)])
    # Beside the lines, which may be anywhere; the last layer on top, as its norms mostly are.
    named = some(K, _LABELLED)[::-1]
    top = chart.plot[1] + chart.plot[3] / 2 - 10 * (len(named) - 1)
    for row, i in enumerate(named):
        (name, sub), dash = names[i], _DASHES[i % len(_DASHES)]
        entry = Series(name, (), (), (family, heats[i]), dash, sub=sub)
        legend(picture, (width, top + 20 * row), [entry])
    return picture.data()


def _line(
    chart: Chart, name: str, values: FloatArray, stroke: Colour, dash: Sequence[float]
) -> Series:
    """Add a value for each epoch; one epoch alone is a point, and needs a dot to be seen."""
    series = Series(name, np.arange(1, len(values) + 1), values, stroke, dash)
    if len(values) == 1 and np.isfinite(values[0]):
        chart.dot(1, float(values[0]), stroke, radius=3)
    else:
        chart.add(series)
    return series


def draw_step_curve(curve: StepCurve, *, theme: Literal["light", "dark"] = "light") -> Drawing:
    """Draw the error of finite differences against their step, both axes logarithmic.

    Examples
    --------
    >>> from backprop_nb.checking import step_curve
    >>> draw_step_curve(step_curve(np.sin, 1.0)).alt
    'Relative error of finite differences: central differences are best near a step of 3e-05.'
    """
    width, height = 560.0, 320.0
    picture = Picture(width, height)
    errors = np.maximum(np.concatenate([curve.central, curve.forward]), 1e-16)
    chart = Chart(
        picture,
        (0, 0, width, height),
        "error of finite differences",
        Axis("step h, log scale", float(curve.steps.min()), float(curve.steps.max()), log=True),
        Axis("relative to the tracer's derivative, log scale", *span(errors, log=True), log=True),
    )
    lines = [
        Series("central", curve.steps, np.maximum(curve.central, 1e-16), "forward"),
        Series("forward", curve.steps, np.maximum(curve.forward, 1e-16), "value-negative", (5, 3)),
    ]
    for line in lines:
        chart.add(line)
    chart.rule(x=curve.best)
    chart.dot(curve.best, float(curve.central.min()), "forward")
    legend(picture, (110, 40), lines)  # left of the best step, above the curves
    alt = (
        "Relative error of finite differences: central differences are best near a step of "
        f"{curve.best:.0e}."
    )
    return draw_pictures([[picture.data()]], alt=alt, theme=theme)

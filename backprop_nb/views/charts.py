"""Training as a picture: what changed from epoch to epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from backprop_nb.checking.differences import StepCurve
from backprop_nb.network import History
from backprop_nb.network.validation import FloatArray
from backprop_nb.views.chart import Axis, Chart, Series, legend, span
from backprop_nb.views.palette import Theme, mix
from backprop_nb.views.paper import Drawing, draw_pictures, theme_named
from backprop_nb.views.picture import Picture

__all__ = ["Drawing", "draw_history", "draw_step_curve"]

_FONT = 10.0
_LABELLED = 5
"""So many layers at most are named beside their lines."""

_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))
"""Colour is never alone: each layer's line is dashed in its own way, in turn."""


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
    colours = theme_named(theme)
    figure = Drawing(figsize=(9.6, 3.2), facecolor=colours["paper"], layout="constrained")
    figure.alt = (
        f"Training over {history.epochs} epochs: the loss goes from {history.loss[0]:.3g} "
        f"to {history.loss[-1]:.3g}."
    )
    loss, norms, saturation = figure.subplots(1, 3)
    for axes, title in [
        (loss, "loss"),
        (norms, "gradient norm, log scale"),
        (saturation, "saturated units"),
    ]:
        _style(axes, title, colours)
        axes.set_xlim(0.5, history.epochs + 0.5)
    _draw_loss(loss, history, colours)
    _draw_layers(norms, history.gradient_norms, colours, "adjoint", lambda i: f"$θ_{{{i}}}$")
    _draw_layers(saturation, history.saturation, colours, "value", lambda i: f"layer {i + 1}")
    _log_scale(norms, history.gradient_norms)
    saturation.set_ylim(-0.03, 1.03)
    saturation.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0%}"))
    return figure


def _style(axes: Axes, title: str, theme: Theme) -> None:
    axes.set_facecolor(theme["paper"])
    axes.set_title(title, fontsize=_FONT + 1, color=theme["text"], loc="left")
    axes.set_xlabel("epoch", fontsize=_FONT, color=theme["muted"])
    axes.tick_params(labelsize=_FONT, colors=theme["muted"], which="both")
    axes.grid(color=theme["line"], linewidth=0.5, alpha=0.6)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    for side, spine in axes.spines.items():
        spine.set_visible(side in {"left", "bottom"})
        spine.set_color(theme["line"])


def _epochs(values: FloatArray) -> FloatArray:
    return np.arange(1.0, len(values) + 1)


def _line_style(values: FloatArray) -> dict[str, Any]:
    """One epoch alone is a point, and needs a marker to be seen."""
    return {"linewidth": 1.8, "marker": "o" if len(values) == 1 else None, "markersize": 4}


def _draw_loss(axes: Axes, history: History, theme: Theme) -> None:
    lines: list[tuple[str, FloatArray, str, Any]] = [
        ("training", history.loss, theme["value-positive"], "-")
    ]
    if history.validation_loss is not None:
        dashed = _DASHES[1]
        lines.append(("held out", history.validation_loss, theme["value-negative"], dashed))
        best, dotted = history.best_epoch, _DASHES[2]
        label = f"lowest after {best}"
        axes.axvline(best, color=theme["muted"], linewidth=1.0, linestyle=dotted, label=label)
    for name, values, colour, dashes in lines:
        style = _line_style(values)
        axes.plot(_epochs(values), values, color=colour, linestyle=dashes, label=name, **style)
    axes.set_ylim(0, 1.08 * max(values.max() for _, values, _, _ in lines) or 1)
    axes.legend(fontsize=_FONT, labelcolor=theme["text"], frameon=False, loc="best")


def _draw_layers(
    axes: Axes, values: FloatArray, theme: Theme, family: str, name: Callable[[int], str]
) -> None:
    """Draw one line per layer, from a pale first to a strong last."""
    K = values.shape[1]
    strong = theme[f"{family}-positive"]
    pale = mix(theme["paper"], strong, 0.55)
    named = _named_layers(K)
    for i in range(K):
        colour = mix(pale, strong, i / (K - 1) if K > 1 else 1.0)
        axes.plot(
            _epochs(values),
            values[:, i],
            color=colour,
            linestyle=_DASHES[i % len(_DASHES)],
            label=name(i) if i in named else None,
            **_line_style(values),
        )
    # Beside the lines, which may be anywhere; the last layer on top, as its norms mostly are.
    axes.legend(
        fontsize=_FONT,
        labelcolor=theme["text"],
        frameon=False,
        loc="center left",
        bbox_to_anchor=(1, 0.5),
        handlelength=2.4,
        reverse=True,
    )


def _named_layers(K: int) -> Sequence[int]:
    return sorted({round(i) for i in np.linspace(0, K - 1, min(K, _LABELLED))})


def _log_scale(axes: Axes, values: FloatArray) -> None:
    """Use a logarithmic axis, wide enough for two decades' names to be read."""
    positive = values[values > 0]
    if not positive.size:
        return
    axes.set_yscale("log")
    low, high = np.log10(positive.min()), np.log10(positive.max())
    middle, reach = (low + high) / 2, max(1.1, (high - low) / 2 * 1.08)
    axes.set_ylim(10 ** (middle - reach), 10 ** (middle + reach))
    axes.yaxis.set_minor_formatter(NullFormatter())


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

"""``SigmoidExplorer``: σ and σ′, where they saturate, and what that leaves of a gradient."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

from backprop_nb import display
from backprop_nb.views.live_view import LiveView
from backprop_nb.views.numbers import long
from backprop_nb.views.paper import Drawing, draw_pictures
from backprop_nb.views.sigmoid import scene as scenes
from backprop_nb.views.sigmoid.schema import SigmoidScene
from backprop_nb.views.state import State, integer, number, one_of
from backprop_nb.views.style import module, style_sheet

_in_range = number(-scenes.REACH, scenes.REACH)


def _on_the_grid(view: Any, name: str, value: Any) -> float:
    """Return the place that is nearest to z."""
    return float(scenes.PLACES[scenes.index_of(_in_range(view, name, value))])


@cache
def _scene() -> SigmoidScene:
    return scenes.sigmoid_scene()


class SigmoidExplorer(LiveView):
    """σ(z) and its slope σ′(z), at a z that can be moved, and what the slope does to a gradient.

    A gradient on its way back is multiplied by σ′(z) at every unit.  That is ¼ at
    most, at z = 0, and next to nothing where σ is saturated: n units leave
    σ′(z)ⁿ of it, ¼ⁿ at best.

    Parameters
    ----------
    z
        Where to look, from −6 to 6, in tenths.
    layers
        How many units the gradient passes, from 1 to 10.
    activation
        ``"sigmoid"``, or ``"tanh"`` or ``"relu"`` to compare.

    Attributes
    ----------
    z, layers, activation
        As above; assign them, and every view follows.

    Raises
    ------
    InvalidValueError
        If one of them is outside of its range; nothing is changed then.

    Notes
    -----
    By keyboard: the arrow keys to the left and to the right move z, 0 takes it to
    zero, the arrow keys up and down change the number of units.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> explorer = bp.SigmoidExplorer(z=3)
    >>> explorer
    SigmoidExplorer(sigmoid, z = 3, layers = 5)
    >>> explorer.z = 0
    >>> print(explorer.describe().splitlines()[0])
    At z = 0: σ(z) = 0.5, σ′(z) = 0.25, 100 % of the maximum ¼, which it has at z = 0.
    """

    _esm = module("sigmoid")
    _css = style_sheet("sigmoid", "sigmoid_explorer")
    hint = (
        "the arrow keys to the left and to the right move z, 0 takes it to zero, "
        "the arrow keys up and down change the number of units."
    )

    z = State(_on_the_grid, 0.0, "Where to look.")
    layers = State(integer(1, scenes.UNITS), 5, "How many units a gradient passes.")
    activation = State(one_of(scenes.CURVES), "sigmoid", "Which activation is shown.")

    def __init__(
        self, z: float = 0.0, *, layers: int = 5, activation: str = "sigmoid", **kwargs: Any
    ) -> None:
        super().__init__(
            copy.deepcopy(_scene()), z=z, layers=layers, activation=activation, **kwargs
        )

    @display.words
    def describe(self) -> str:
        """Return the text twin: the numbers at this z, and the powers of the slope."""
        return scenes.describe_place(self.activation, self.z, self.layers)

    def draw(self, *, theme: Any = "light") -> Drawing:
        """Return the picture at this z as a matplotlib figure; ``theme`` is light or dark."""
        samples, k = scenes.Samples(self.activation), scenes.index_of(self.z)
        pictures = [
            scenes.curve_picture(samples, k)[0].data(),
            scenes.effect_picture(samples, k, self.layers)[0].data(),
        ]
        return draw_pictures([pictures], alt=self.describe().splitlines()[0], theme=theme)

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return "The sigmoid and its slope"

    def __repr__(self) -> str:
        return f"SigmoidExplorer({self.activation}, z = {long(self.z)}, layers = {self.layers})"

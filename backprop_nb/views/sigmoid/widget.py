"""``SigmoidExplorer``: σ and σ′, where they saturate, and what that leaves of a gradient."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import traitlets

from backprop_nb.errors import InvalidValueError
from backprop_nb.views.live_view import LiveView, Setting
from backprop_nb.views.numbers import long
from backprop_nb.views.paper import Drawing, draw_pictures
from backprop_nb.views.sigmoid import scene as scenes
from backprop_nb.views.style import module, style_sheet


def _is_number(value: Any, kind: type = numbers.Real) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _z(value: Any) -> float | None:
    """Return the place that is nearest to z, None for what is no z."""
    if not _is_number(value) or not math.isfinite(value) or abs(value) > scenes.REACH:
        return None
    return float(scenes.PLACES[scenes.index_of(float(value))])


def _layers(value: Any) -> int | None:
    fine = _is_number(value, numbers.Integral) and 1 <= value <= scenes.UNITS
    return int(value) if fine else None


def _activation(value: Any) -> str | None:
    return value if isinstance(value, str) and value in scenes.CURVES else None


_RULES: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "z": (f"a number from −{scenes.REACH} to {scenes.REACH}", _z),
    "layers": (f"an integer from 1 to {scenes.UNITS}", _layers),
    "activation": (", ".join(f'"{name}"' for name in scenes.CURVES), _activation),
}


@cache
def _scene() -> dict[str, Any]:
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

    z = Setting(0.0, help="Where to look.").tag(sync=True)
    layers = Setting(5, help="How many units a gradient passes.").tag(sync=True)
    activation = Setting("sigmoid", help="Which activation is shown.").tag(sync=True)

    def __init__(
        self, z: float = 0.0, *, layers: int = 5, activation: str = "sigmoid", **kwargs: Any
    ) -> None:
        super().__init__(scene=_scene(), z=z, layers=layers, activation=activation, **kwargs)

    @traitlets.validate("z", "layers", "activation")
    def _check(self, proposal: Any) -> Any:
        name, given = proposal["trait"].name, proposal["value"]
        expected, checked = _RULES[name]
        value = checked(given)
        if value is None:
            raise InvalidValueError(
                f"This {name} cannot be shown.", given=f"{name} = {given!r}", expected=expected
            )
        return value

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

    def still(self) -> Drawing:
        """Return the picture at this z."""
        return self.draw()

    def heading(self) -> str:
        """Return what a page of its own is called."""
        return "The sigmoid and its slope"

    def __repr__(self) -> str:
        return f"SigmoidExplorer({self.activation}, z = {long(self.z)}, layers = {self.layers})"

"""How far finite differences can be trusted: their error against their step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from backprop_nb import display
from backprop_nb.checking.differences import Floats, Point
from backprop_nb.errors import InvalidValueError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class StepCurve:
    """The error of finite differences against their step.

    A large step sees the function's curve, a tiny one the rounding of its values.
    The error of central differences falls with h², that of forward differences with
    h, until rounding, which grows like 1/h, takes over.

    Attributes
    ----------
    steps
        The steps h.
    central, forward
        The relative errors of (f(x + h) − f(x − h)) / 2h and (f(x + h) − f(x)) / h
        against the tracer's derivative, along one direction through all arguments.
    """

    steps: Floats
    central: Floats
    forward: Floats

    @property
    def best(self) -> float:
        """The step with the smallest error of central differences."""
        return float(self.steps[self.central.argmin()])

    @display.words
    def describe(self) -> str:
        """Return the curve as a table, and what it says."""
        table = zip(self.steps, self.central, self.forward, strict=True)
        return "\n".join(
            [
                "Relative error of finite differences",
                f"  {'step h':>7}  {'central':>10}  {'forward':>10}",
                *(f"  {h:7.0e}  {central:10.1e}  {forward:10.1e}" for h, central, forward in table),
                f"Central differences are best near h = {self.best:.0e}, with an error of "
                f"{self.central.min():.0e};",
                f"forward differences near h = {self.steps[self.forward.argmin()]:.0e}, with "
                f"{self.forward.min():.0e}.",
            ]
        )

    def draw(self, *, theme: Literal["light", "dark"] = "light") -> Figure:
        """Return the curve as a matplotlib figure, both axes logarithmic."""
        figure: Figure = display.draw(self, theme=theme)
        return figure

    __str__ = describe

    def __repr__(self) -> str:
        return f"StepCurve({len(self.steps)} steps, best {self.best:.0e})"


def step_curve(f: Callable[..., Any], *args: Any, seed: int = 0) -> StepCurve:
    """Return the error of finite differences of ``f`` for steps from 0.1 down to 1e-14.

    Parameters
    ----------
    f
        A function in plain NumPy that returns a single number.
    *args
        Where; as for :func:`check_gradient`.
    seed
        Of the direction through all arguments along which it is differentiated.

    Raises
    ------
    BackpropError
        Whatever :func:`backprop_nb.trace` refuses: the tracer gives the right value.
    InvalidValueError
        If the derivative along the direction is 0, so that no error is relative to it.

    Examples
    --------
    >>> curve = step_curve(np.sin, 1.0)
    >>> 1e-7 < curve.best < 1e-4
    True
    """
    point = Point(f, args, "step_curve({f}, {args})")
    random = np.random.default_rng(seed)
    direction = [random.standard_normal(leaf.shape) for leaf in point.leaves]
    gradients = point.traced_gradients()
    slope = sum(float(np.sum(g * d)) for g, d in zip(gradients, direction, strict=True))
    if slope == 0:
        raise InvalidValueError(
            "The derivative is 0 here, so no error can be relative to it.",
            given="a derivative of 0 along a random direction",
        )
    start, middle = [leaf.copy() for leaf in point.leaves], point.value()

    def at(h: float) -> float:
        for leaf, origin, d in zip(point.leaves, start, direction, strict=True):
            leaf[...] = origin + h * d
        return point.value()

    steps = 10.0 ** -np.arange(1.0, 14.5, 0.5)
    central = [abs((at(h) - at(-h)) / (2 * h) - slope) / abs(slope) for h in steps]
    forward = [abs((at(h) - middle) / h - slope) / abs(slope) for h in steps]
    return StepCurve(steps, np.array(central), np.array(forward))

"""The state of a live view: what may be assigned, checked, and refused in the package's words."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import traitlets

from backprop_nb import meant
from backprop_nb.errors import must_be
from backprop_nb.views.numbers import long

Rule = Callable[[Any, str, Any], Any]
"""Gets the view, the name of the state and what was assigned; returns what is kept, or raises.
What it returns it accepts as well, since traitlets asks again when several values have changed."""
End = float | Callable[[Any], float]
"""One end of a range; it may depend on the view."""


class State(traitlets.TraitType[Any, Any]):
    """A piece of a view's state, with the rule that says what it may be.

    It goes to every display, and comes back from them.  When a view is made, its state is
    assigned in the order in which its class declares it, and then that of the base classes:
    so a rule may ask for what is declared above.

    >>> class View(traitlets.HasTraits):
    ...     layers = State(integer(1, 10), 5, "How many units a gradient passes.")
    >>> view = View()
    >>> view.layers = 11
    Traceback (most recent call last):
        ...
    backprop_nb.errors.InvalidValueError: `layers` must be an integer from 1 to 10.
      given:    layers = 11
    >>> view.layers
    5
    """

    def __init__(self, rule: Rule, default: Any, help: str) -> None:
        super().__init__(default, help=help)
        self.tag(sync=True)
        self.rule = rule

    def validate(self, obj: Any, value: Any) -> Any:
        """Return what is kept of a value."""
        return self.rule(obj, str(self.name), value)


def number(low: End, high: End) -> Rule:
    """Return the rule for a number between two ends."""

    def rule(view: Any, name: str, value: Any) -> float:
        ends = _end(low, view), _end(high, view)
        if not (is_real(value) and ends[0] <= value <= ends[1]):
            raise must_be(f"a number from {long(ends[0])} to {long(ends[1])}", name, value)
        return float(value)

    return rule


def integer(low: End, high: End = math.inf) -> Rule:
    """Return the rule for an integer between two ends, or of at least so much."""

    def rule(view: Any, name: str, value: Any) -> int:
        least, most = _end(low, view), _end(high, view)
        if not is_whole(value, least, most):
            ends = f"of at least {least}" if most == math.inf else f"from {least} to {most}"
            raise must_be(f"an integer {ends}", name, value)
        return int(value)

    return rule


def one_of(values: Iterable[str] | Callable[[Any], Iterable[str]]) -> Rule:
    """Return the rule for one of a few texts."""

    def rule(view: Any, name: str, value: Any) -> str:
        return meant.one_of(name, value, values(view) if callable(values) else values)

    return rule


def flag(view: Any, name: str, value: Any) -> bool:
    """The rule for True or False."""
    if not isinstance(value, bool | np.bool_):
        raise must_be("True or False", name, value)
    return bool(value)


def text(view: Any, name: str, value: Any) -> str:
    """The rule for any text."""
    if not isinstance(value, str):
        raise must_be("text", name, value)
    return value


def _end(end: End, view: Any) -> float:
    return end(view) if callable(end) else end


def is_whole(value: Any, least: float, most: float = math.inf) -> bool:
    """Return whether a value is an integer between two ends; True is none."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return whole and least <= value <= most


def is_real(value: Any) -> bool:
    """Return whether a value is a number; True is none."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)

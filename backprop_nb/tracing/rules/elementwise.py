"""Functions of one argument, applied to each element by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import (
    POSITIVE,
    Binding,
    Form,
    Remark,
    Row,
    call,
    dispatched,
    saturated,
)


@dispatched
def sigmoid(x: Any) -> Any:
    """Return the sigmoid 1 / (1 + exp(-x)) of each element, without overflow.

    Parameters
    ----------
    x
        A number or an array of any shape; integers count as floats.

    Returns
    -------
    number or array
        Of the shape and float type of ``x``, between 0 and 1.

    Notes
    -----
    In a traced function this is one node, with the rule σ′ = σ (1 − σ).  Far
    on the negative side exp(-x) is infinite, and 1 / (1 + ∞) = 0 is the right
    answer, so the overflow is no reason for a warning.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> bp.sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-1.0 * np.asarray(x)))


def _sigmoid(g: Any, ans: Any, x: Any) -> Any:
    return g * ans * (1 - ans)


def _nan_to_num(g: Any, ans: Any, x: Any, **replacements: Any) -> Any:
    """Pass on where the entry was finite; a replaced entry is a constant."""
    return np.where(np.isfinite(x), g, 0.0)


_STEEP = Remark(
    "kink",
    lambda ans, x: x == 0,
    "{0} is 0{places}, where the root rises vertically: the slope is infinite",
)
_CORNER = Remark(
    "kink",
    lambda ans, x: x == 0,
    "{0} is 0{places}, where |{0}| has a corner: the slope is taken to be 0",
)

ROWS = (
    Row(
        np.sqrt,
        (lambda g, ans, x: g / (2 * ans),),
        numpy=call("np.sqrt"),
        latex=Form(r"\sqrt{#1}"),
        symbol="√",
        domain=(POSITIVE,),
        remarks=(_STEEP,),
    ),
    Row(
        np.square,
        (lambda g, ans, x: 2 * g * x,),
        numpy=call("np.square"),
        latex=Form("#1^2", Binding.POWER, (Binding.ATOM,)),
        symbol="x²",
    ),
    Row(
        np.cbrt,
        (lambda g, ans, x: g / (3 * ans**2),),
        numpy=call("np.cbrt"),
        latex=Form(r"\sqrt[3]{#1}"),
        symbol="∛",
        domain=(POSITIVE,),
        remarks=(_STEEP,),
    ),
    Row(
        np.reciprocal,
        (lambda g, ans, x: -g * ans**2,),
        numpy=call("np.reciprocal"),
        latex=Form(r"\frac{1}{#1}", Binding.POWER),
        symbol="1/x",
        domain=(POSITIVE,),
    ),
    Row(
        np.absolute,
        (lambda g, ans, x: g * np.sign(x),),
        numpy=call("np.abs"),
        latex=Form("|#1|"),
        symbol="|x|",
        remarks=(_CORNER,),
    ),
    Row(
        np.fabs,
        (lambda g, ans, x: g * np.sign(x),),
        numpy=call("np.fabs"),
        latex=Form("|#1|"),
        symbol="|x|",
        remarks=(_CORNER,),
    ),
    Row(
        np.nan_to_num,
        (_nan_to_num,),
        numpy=call("np.nan_to_num"),
        latex=Form(r"\mathrm{finite}(#1)"),
        symbol="finite",
        # The second parameter, copy=False, would write into the argument as out= does.
        signature=("x", "out", "nan", "posinf", "neginf"),
    ),
    Row(
        sigmoid,
        (_sigmoid,),
        numpy=call("sigmoid"),
        latex=Form(r"\sigma(#1)"),
        symbol="σ",
        signature=("x",),
        brings_source=True,
        remarks=(saturated(_sigmoid, largest=0.25),),
    ),
)

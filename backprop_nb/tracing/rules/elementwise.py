"""Functions of one argument, applied to each element by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import POSITIVE, Binding, Form, Row, call, dispatched


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
    In a traced function this is one node, with the rule σ′ = σ (1 − σ).  Both
    halves use ``exp`` of a negative number only, so ±1000 give 1 and 0 and far
    negative arguments keep their relative precision.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> bp.sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    x = np.asarray(x)
    if not np.issubdtype(x.dtype, np.inexact):
        x = x.astype(np.float64)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


ROWS = (
    Row(
        np.exp,
        (lambda g, ans, x: g * ans,),
        numpy=call("np.exp"),
        latex=Form(r"\exp(#1)"),
        symbol="exp",
    ),
    Row(
        np.log,
        (lambda g, ans, x: g / x,),
        numpy=call("np.log"),
        latex=Form(r"\log(#1)"),
        symbol="log",
        domain=(POSITIVE,),
    ),
    Row(
        np.sqrt,
        (lambda g, ans, x: g / (2 * ans),),
        numpy=call("np.sqrt"),
        latex=Form(r"\sqrt{#1}"),
        symbol="√",
        domain=(POSITIVE,),
    ),
    Row(
        np.square,
        (lambda g, ans, x: 2 * g * x,),
        numpy=call("np.square"),
        latex=Form("#1^2", Binding.POWER, (Binding.ATOM,)),
        symbol="x²",
    ),
    Row(
        np.sin,
        (lambda g, ans, x: g * np.cos(x),),
        numpy=call("np.sin"),
        latex=Form(r"\sin(#1)"),
        symbol="sin",
    ),
    Row(
        np.cos,
        (lambda g, ans, x: -g * np.sin(x),),
        numpy=call("np.cos"),
        latex=Form(r"\cos(#1)"),
        symbol="cos",
    ),
    Row(
        np.tanh,
        (lambda g, ans, x: g * (1 - ans**2),),
        numpy=call("np.tanh"),
        latex=Form(r"\tanh(#1)"),
        symbol="tanh",
    ),
    Row(
        sigmoid,
        (lambda g, ans, x: g * ans * (1 - ans),),
        numpy=call("sigmoid"),
        latex=Form(r"\sigma(#1)"),
        symbol="σ",
    ),
)

"""Trigonometric and hyperbolic functions, their inverses, and angles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import (
    REAL,
    Binding,
    Form,
    Remark,
    Row,
    call,
    saturated,
    unbroadcast,
)

INSIDE = (-0.9, 0.9)
ABOVE_1 = (1.2, 3.0)


def _sinc(g: Any, ans: Any, x: Any) -> Any:
    """``(cos πx - sinc x) / x``.

    Both terms are 1 at 0 and cancel near it, so there the series of the slope
    takes over: -π²x/3 + π⁴x³/30 - π⁶x⁵/840.  It makes the higher derivatives
    right at 0 as well.
    """
    t = np.square(np.pi * x)
    near = -(np.pi**2) * x * (1 / 3 - t / 30 + t**2 / 840)
    far = (np.cos(np.pi * x) - ans) / np.where(x == 0, 1.0, x)
    return g * np.where(np.abs(x) < 0.01, near, far)


def _tanh(g: Any, ans: Any, x: Any) -> Any:
    return g * (1 - ans**2)


def _steep(at: Callable[..., Any], end: str) -> Remark:
    """Return the remark of an inverse at an end of its domain."""
    says = f"{{0}} is {end}{{places}}, where the curve rises or falls vertically: "
    return Remark("kink", at, says + "the slope is infinite")


_ENDS = _steep(lambda ans, x: np.abs(x) == 1, "1 or −1")

ROWS = (
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
        np.tan,
        (lambda g, ans, x: g * (1 + ans**2),),
        numpy=call("np.tan"),
        latex=Form(r"\tan(#1)"),
        symbol="tan",
        domain=((-1.2, 1.2),),
    ),
    Row(
        np.arcsin,
        (lambda g, ans, x: g / np.sqrt(1 - x**2),),
        numpy=call("np.arcsin"),
        latex=Form(r"\arcsin(#1)"),
        symbol="arcsin",
        domain=(INSIDE,),
        remarks=(_ENDS,),
    ),
    Row(
        np.arccos,
        (lambda g, ans, x: -g / np.sqrt(1 - x**2),),
        numpy=call("np.arccos"),
        latex=Form(r"\arccos(#1)"),
        symbol="arccos",
        domain=(INSIDE,),
        remarks=(_ENDS,),
    ),
    Row(
        np.arctan,
        (lambda g, ans, x: g / (1 + x**2),),
        numpy=call("np.arctan"),
        latex=Form(r"\arctan(#1)"),
        symbol="arctan",
    ),
    Row(
        np.arctan2,
        (
            lambda g, ans, y, x: unbroadcast(g * x / (x**2 + y**2), y),
            lambda g, ans, y, x: unbroadcast(-g * y / (x**2 + y**2), x),
        ),
        numpy=call("np.arctan2"),
        latex=Form(r"\mathrm{atan2}(#1, #2)"),
        symbol="atan2",
        domain=((0.5, 2.0), REAL),
        remarks=(
            Remark(
                "kink",
                lambda ans, y, x: np.logical_and(y == 0, x == 0),
                "{0} and {1} are both 0{places}, where there is no angle: the slope is NaN",
            ),
        ),
    ),
    Row(
        np.sinh,
        (lambda g, ans, x: g * np.cosh(x),),
        numpy=call("np.sinh"),
        latex=Form(r"\sinh(#1)"),
        symbol="sinh",
    ),
    Row(
        np.cosh,
        (lambda g, ans, x: g * np.sinh(x),),
        numpy=call("np.cosh"),
        latex=Form(r"\cosh(#1)"),
        symbol="cosh",
    ),
    Row(
        np.tanh,
        (_tanh,),
        numpy=call("np.tanh"),
        latex=Form(r"\tanh(#1)"),
        symbol="tanh",
        remarks=(saturated(_tanh, largest=1.0),),
    ),
    # The slope of an inverse is one over the slope of the function, taken at the result.
    Row(
        np.arcsinh,
        (lambda g, ans, x: g / np.cosh(ans),),
        numpy=call("np.arcsinh"),
        latex=Form(r"\mathrm{arsinh}(#1)"),
        symbol="arsinh",
    ),
    Row(
        np.arccosh,
        (lambda g, ans, x: g / np.sinh(ans),),
        numpy=call("np.arccosh"),
        latex=Form(r"\mathrm{arcosh}(#1)"),
        symbol="arcosh",
        domain=(ABOVE_1,),
        remarks=(_steep(lambda ans, x: x == 1, "1"),),
    ),
    Row(
        np.arctanh,
        (lambda g, ans, x: g / (1 - x**2),),
        numpy=call("np.arctanh"),
        latex=Form(r"\mathrm{artanh}(#1)"),
        symbol="artanh",
        domain=(INSIDE,),
    ),
    Row(
        np.sinc,
        (_sinc,),
        numpy=call("np.sinc"),
        latex=Form(r"\mathrm{sinc}(#1)"),
        symbol="sinc",
        signature=("x",),
    ),
    # A change of unit is linear: the adjoint changes its unit alike.
    *(
        Row(
            function,
            (lambda g, ans, x, function=function: function(g),),
            numpy=call(f"np.{function.__name__}"),
            latex=Form(rf"{factor} \, #1", Binding.PRODUCT, (Binding.POWER,)),
            symbol=symbol,
        )
        for function, factor, symbol in (
            (np.degrees, r"\frac{180}{\pi}", "deg"),
            (np.rad2deg, r"\frac{180}{\pi}", "deg"),
            (np.radians, r"\frac{\pi}{180}", "rad"),
            (np.deg2rad, r"\frac{\pi}{180}", "rad"),
        )
    ),
)

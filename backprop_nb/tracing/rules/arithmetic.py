"""Sums, products, quotients and powers: two arguments that broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import (
    POSITIVE,
    REAL,
    Binding,
    Form,
    Remark,
    Row,
    call,
    unbroadcast,
)

SUM, PRODUCT, UNARY, POWER, ATOM = (
    Binding.SUM,
    Binding.PRODUCT,
    Binding.UNARY,
    Binding.POWER,
    Binding.ATOM,
)


def _power_base(g: Any, ans: Any, x: Any, y: Any) -> Any:
    """``y x^(y-1)``, with the exponents that every course uses written as a course would."""
    if isinstance(y, int | float):
        if y in (0, 1):
            return g * y
        return y * g * (x if y == 2 else x ** (y - 1))
    # The slope of x^0 is 0, also at x = 0, where x^(y-1) is infinite.
    return unbroadcast(g * y * x ** np.where(np.logical_and(x == 0, y == 0), 1.0, y - 1.0), x)


def _power_exponent(g: Any, ans: Any, x: Any, y: Any) -> Any:
    """``x^y log x``; at x = 0 the limit 0 is taken."""
    if isinstance(x, int | float):
        return unbroadcast(g * ans * (np.log(x) if x else 0.0), y)
    return unbroadcast(g * ans * np.log(np.where(x == 0, 1.0, x)), y)


def _hypot(g: Any, ans: Any, x: Any) -> Any:
    """``x / hypot(x, y)``, and 0 at the tip of the cone."""
    return unbroadcast(g * x / np.where(ans == 0, 1.0, ans), x)


def _is_root_of_zero(ans: Any, x: Any, y: Any) -> Any:
    return (x == 0) & (y > 0) & (y < 1)


def _is_jump(ans: Any, x: Any, y: Any) -> Any:
    # np.remainder jumps at 0 too; np.fmod, which takes the sign of x, does not.
    return (ans == 0) & np.isfinite(y)


_ROOT = Remark(
    "kink",
    _is_root_of_zero,
    "{0} is 0{places}, where a power below 1 rises vertically: the slope is infinite",
)
_JUMP = "{0} is a multiple of {1}{places}, where the remainder jumps: the slope beside it is taken"

ROWS = (
    Row(
        np.add,
        (
            lambda g, ans, x, y: unbroadcast(g, x),
            lambda g, ans, x, y: unbroadcast(g, y),
        ),
        numpy=Form("#1 + #2", SUM, (SUM, PRODUCT)),
        latex=Form("#1 + #2", SUM, (SUM, PRODUCT)),
        symbol="+",
        domain=(REAL, REAL),
    ),
    Row(
        np.subtract,
        (
            lambda g, ans, x, y: unbroadcast(g, x),
            lambda g, ans, x, y: unbroadcast(-g, y),
        ),
        numpy=Form("#1 - #2", SUM, (SUM, PRODUCT)),
        latex=Form("#1 - #2", SUM, (SUM, PRODUCT)),
        symbol="−",
        domain=(REAL, REAL),
    ),
    Row(
        np.multiply,
        (
            lambda g, ans, x, y: unbroadcast(g * y, x),
            lambda g, ans, x, y: unbroadcast(g * x, y),
        ),
        numpy=Form("#1 * #2", PRODUCT, (PRODUCT, UNARY)),
        latex=Form(r"#1 \odot #2", PRODUCT, (PRODUCT, POWER)),
        symbol="×",
        latex_with_number=Form(r"#1 \, #2", PRODUCT, (PRODUCT, POWER)),
        domain=(REAL, REAL),
    ),
    Row(
        np.true_divide,
        (
            lambda g, ans, x, y: unbroadcast(g / y, x),
            lambda g, ans, x, y: unbroadcast(-g * ans / y, y),
        ),
        numpy=Form("#1 / #2", PRODUCT, (PRODUCT, UNARY)),
        latex=Form(r"\frac{#1}{#2}", POWER),
        symbol="÷",
        domain=(REAL, POSITIVE),
    ),
    Row(
        np.power,
        (_power_base, _power_exponent),
        numpy=Form("#1 ** #2", POWER, (ATOM, UNARY)),
        latex=Form("#1^{#2}", POWER, (ATOM, Binding.LOOSE)),
        symbol="xʸ",
        domain=(POSITIVE, REAL),
        remarks=(_ROOT,),
    ),
    Row(
        np.negative,
        (lambda g, ans, x: -g,),
        numpy=Form("-#1", UNARY, (UNARY,)),
        latex=Form("-#1", UNARY, (POWER,)),
        symbol="−",
    ),
    Row(
        np.positive,
        (lambda g, ans, x: g,),
        numpy=Form("+#1", UNARY, (UNARY,)),
        latex=Form("+#1", UNARY, (POWER,)),
        symbol="+",
    ),
    # What is left of a division: x = y · floor(x / y) + remainder.
    Row(
        np.remainder,
        (
            lambda g, ans, x, y: unbroadcast(g, x),
            lambda g, ans, x, y: unbroadcast(-g * (x // y), y),
        ),
        numpy=Form("#1 % #2", PRODUCT, (PRODUCT, UNARY)),
        latex=Form(r"#1 \; \mathrm{mod} \; #2", PRODUCT, (PRODUCT, POWER)),
        symbol="mod",
        domain=(REAL, POSITIVE),
        remarks=(Remark("kink", _is_jump, _JUMP),),
    ),
    Row(
        np.fmod,
        (
            lambda g, ans, x, y: unbroadcast(g, x),
            lambda g, ans, x, y: unbroadcast(-g * np.trunc(x / y), y),
        ),
        numpy=call("np.fmod"),
        latex=Form(r"\mathrm{fmod}(#1, #2)"),
        symbol="fmod",
        domain=(REAL, POSITIVE),
        remarks=(Remark("kink", lambda ans, x, y: _is_jump(ans, x, y) & (x != 0), _JUMP),),
    ),
    Row(
        np.float_power,
        (_power_base, _power_exponent),
        numpy=call("np.float_power"),
        latex=Form("#1^{#2}", POWER, (ATOM, Binding.LOOSE)),
        symbol="xʸ",
        domain=(POSITIVE, REAL),
        remarks=(_ROOT,),
    ),
    Row(
        np.hypot,
        (
            lambda g, ans, x, y: _hypot(g, ans, x),
            lambda g, ans, x, y: _hypot(g, ans, y),
        ),
        numpy=call("np.hypot"),
        latex=Form(r"\sqrt{#1^2 + #2^2}", needs=(ATOM,)),
        symbol="hypot",
        domain=(REAL, REAL),
        remarks=(
            Remark(
                "kink",
                lambda ans, x, y: ans == 0,
                "{0} and {1} are both 0{places}, the tip of a cone: the slope is taken to be 0",
            ),
        ),
    ),
)

"""Exponentials and logarithms to every base, and sums inside a logarithm."""

from __future__ import annotations

import math

import numpy as np

from backprop_nb.tracing.rules.row import POSITIVE, REAL, Binding, Form, Row, call, unbroadcast

LOG_2 = math.log(2.0)
LOG_10 = math.log(10.0)

ROWS = (
    Row(
        np.exp,
        (lambda g, ans, x: g * ans,),
        numpy=call("np.exp"),
        latex=Form(r"\exp(#1)"),
        symbol="exp",
    ),
    Row(
        np.exp2,
        (lambda g, ans, x: g * ans * LOG_2,),
        numpy=call("np.exp2"),
        latex=Form("2^{#1}", Binding.POWER),
        symbol="2ˣ",
    ),
    Row(
        np.expm1,
        (lambda g, ans, x: g * (ans + 1),),
        numpy=call("np.expm1"),
        latex=Form(r"\exp(#1) - 1", Binding.SUM),
        symbol="exp−1",
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
        np.log2,
        (lambda g, ans, x: g / (x * LOG_2),),
        numpy=call("np.log2"),
        latex=Form(r"\log_2(#1)"),
        symbol="log₂",
        domain=(POSITIVE,),
    ),
    Row(
        np.log10,
        (lambda g, ans, x: g / (x * LOG_10),),
        numpy=call("np.log10"),
        latex=Form(r"\log_{10}(#1)"),
        symbol="log₁₀",
        domain=(POSITIVE,),
    ),
    Row(
        np.log1p,
        (lambda g, ans, x: g / (1 + x),),
        numpy=call("np.log1p"),
        latex=Form(r"\log(1 + #1)", needs=(Binding.PRODUCT,)),
        symbol="log(1+x)",
        domain=(POSITIVE,),
    ),
    # The share of each term in the sum; a difference of exponents cannot overflow.
    Row(
        np.logaddexp,
        (
            lambda g, ans, x, y: unbroadcast(g * np.exp(x - ans), x),
            lambda g, ans, x, y: unbroadcast(g * np.exp(y - ans), y),
        ),
        numpy=call("np.logaddexp"),
        latex=Form(r"\log(\exp(#1) + \exp(#2))"),
        symbol="log Σexp",
        domain=(REAL, REAL),
    ),
    Row(
        np.logaddexp2,
        (
            lambda g, ans, x, y: unbroadcast(g * np.exp2(x - ans), x),
            lambda g, ans, x, y: unbroadcast(g * np.exp2(y - ans), y),
        ),
        numpy=call("np.logaddexp2"),
        latex=Form(r"\log_2(2^{#1} + 2^{#2})"),
        symbol="log₂ Σ2ˣ",
        domain=(REAL, REAL),
    ),
)

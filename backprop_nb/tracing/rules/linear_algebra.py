"""Products of vectors and matrices.

With y = A x and a scalar L, the chain rule in numerator layout reads
∂L/∂x = ∂L/∂y · A: a row vector times A.  Stored as a plain vector that is
``A.T @ g``, which is where every transpose below comes from.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import REAL, Binding, Form, Row, call, unbroadcast


def swapped(x: Any) -> Any:
    """Transpose the last two axes."""
    return x.T if x.ndim == 2 else np.swapaxes(x, -1, -2)


def matmul_left(g: Any, ans: Any, x: Any, y: Any) -> Any:
    """Return what flows back to the left factor of ``x @ y``."""
    if x.ndim == 1 and y.ndim == 1:
        return g * y
    if y.ndim == 1:
        grown = np.outer(g, y) if x.ndim == 2 else np.expand_dims(g, -1) * y
        return unbroadcast(grown, x)
    if x.ndim == 1:
        row = y @ g if y.ndim == 2 else (y @ np.expand_dims(g, -1))[..., 0]
        return unbroadcast(row, x)
    return unbroadcast(g @ swapped(y), x)


def matmul_right(g: Any, ans: Any, x: Any, y: Any) -> Any:
    """Return what flows back to the right factor of ``x @ y``."""
    if x.ndim == 1 and y.ndim == 1:
        return g * x
    if x.ndim == 1:
        grown = np.outer(x, g) if y.ndim == 2 else np.expand_dims(x, -1) * np.expand_dims(g, -2)
        return unbroadcast(grown, y)
    if y.ndim == 1:
        column = x.T @ g if x.ndim == 2 else (swapped(x) @ np.expand_dims(g, -1))[..., 0]
        return unbroadcast(column, y)
    return unbroadcast(swapped(x) @ g, y)


ROWS = (
    Row(
        np.matmul,
        (matmul_left, matmul_right),
        numpy=Form("#1 @ #2", Binding.PRODUCT, (Binding.PRODUCT, Binding.UNARY)),
        latex=Form(r"#1 \, #2", Binding.PRODUCT, (Binding.PRODUCT, Binding.POWER)),
        symbol="@",
        domain=(REAL, REAL),
    ),
    Row(
        np.outer,
        (
            lambda g, ans, x, y: np.reshape(g @ np.ravel(y), x.shape),
            lambda g, ans, x, y: np.reshape(np.ravel(x) @ g, y.shape),
        ),
        numpy=call("np.outer"),
        latex=Form(r"#1 \, {#2}^{\top}", Binding.PRODUCT, (Binding.PRODUCT, Binding.ATOM)),
        symbol="outer",
        signature=("a", "b"),
        domain=(REAL, REAL),
    ),
)

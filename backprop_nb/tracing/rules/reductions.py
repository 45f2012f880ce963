"""Functions that fold many entries into few."""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import Form, Row, call

_SIGNATURE = ("a", "axis", "dtype", "out", "keepdims")


def _spread(g: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """Give every entry of ``x`` the adjoint of the sum it went into."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape)


def _sum(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _spread(g, x, axis, keepdims)


def _mean(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    folded = x.size // max(ans.size, 1)
    return _spread(g / folded, x, axis, keepdims)


ROWS = (
    Row(
        np.sum,
        (_sum,),
        numpy=call("np.sum"),
        latex=Form(r"\mathrm{sum}(#1)"),
        symbol="Σ",
        signature=_SIGNATURE,
    ),
    Row(
        np.mean,
        (_mean,),
        numpy=call("np.mean"),
        latex=Form(r"\mathrm{mean}(#1)"),
        symbol="mean",
        signature=_SIGNATURE,
    ),
)

"""The median and other quantiles: a share of the entry below, and the rest of the one above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.indexing import add_along_axis
from backprop_nb.tracing.rules.row import RefusedError, Remark, row, rows_along

# --- rules ------------------------------------------------------------------------


def _quantile(
    g: Any,
    ans: Any,
    x: Any,
    q: Any,
    axis: Any = None,
    method: str = "linear",
    keepdims: bool = False,
) -> Any:
    """Give the adjoint to the two entries around the quantile, in the shares they have in it."""
    rows = rows_along(x, axis)
    shape = np.shape(rows.values)
    order = np.argsort(rows.values, stable=True)
    received = [
        add_along_axis(np.reshape(each, (-1, 1)) * share, order[:, k : k + 1], axis=-1, shape=shape)
        for each, place in zip(_each(g, q), _places(shape[1], q, method), strict=True)
        for k, share in _shares(place)
    ]
    return rows.whole(sum(received[1:], received[0]))


def _median(g: Any, ans: Any, x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return _quantile(g, ans, x, 0.5, axis, keepdims=keepdims)


def _places(length: int, q: Any, method: Any) -> list[float]:
    """Return where the quantiles lie among so many sorted entries: 2.5 is between two of them."""
    # Every method is linear in these two entries, so it can be asked about 0, 1, 2, …
    found = np.quantile(np.arange(length), q, method=method)
    return [float(place) for place in np.ravel(found)]


def _shares(place: float) -> list[tuple[int, float]]:
    low = int(place)
    share = place - low
    return [(low, 1 - share)] + ([(low + 1, share)] if share else [])


def _each(g: Any, q: Any) -> list[Any]:
    """Return the adjoint of each quantile; several stand along the first axes."""
    if np.ndim(q) == 0:
        return [g]
    return [g[k] for k in np.ndindex(np.shape(q))]


# --- where they are ambiguous -----------------------------------------------------


def _ties(ans: Any, x: Any, q: Any = 0.5, axis: Any = None, **options: Any) -> Any:
    """Return for each row whether an entry in use has an equal one that is not."""
    ordered = np.sort(rows_along(x, axis).values)
    found = np.zeros(len(ordered), dtype=bool)
    method = options.get("method", "linear")
    for place in _places(ordered.shape[1], q, method):
        used = [k for k, _ in _shares(place)]
        for inner, outer in ((used[0], used[0] - 1), (used[-1], used[-1] + 1)):
            if 0 <= outer < ordered.shape[1]:
                found |= ordered[:, inner] == ordered[:, outer]
    return found


_EQUAL = Remark(
    "tie",
    _ties,
    "entries of {0} are equal where the quantile lies{places}: "
    "they keep their order, and the gradient follows it back",
)

ROWS = (
    row(np.median, _median, remarks=(_EQUAL,)),
    row(np.quantile, _quantile, symbol="quant", remarks=(_EQUAL,)),
)


# --- those that are made of them --------------------------------------------------


def _percentile(a: Any, q: Any, *args: Any, **options: Any) -> Any:
    share = q / 100 if isinstance(q, int | float) else np.true_divide(q, 100.0)
    return np.quantile(a, share, *args, **options)


def _traced_quantile(a: Any, q: Any, *args: Any, **options: Any) -> Any:
    """A quantile whose ``q`` is traced: the sorted entries, joined by straight lines."""
    if isinstance(q, np.ndarray | np.generic | int | float | list | tuple):
        return NotImplemented
    axis = options.pop("axis", args[0] if args else None)
    if options or len(args) > 1 or (axis is not None and np.ndim(a) > 1):
        raise RefusedError(
            "a plain q where there is an axis: pass it as a keyword or from outside of the function"
        )
    ordered = np.sort(np.ravel(a))
    return np.interp(q * (np.size(a) - 1), np.arange(float(np.size(a))), ordered)


COMPOSITES: dict[Callable[..., Any], Callable[..., Any]] = {np.percentile: _percentile}

OTHER_FORMS: dict[Callable[..., Any], Callable[..., Any]] = {np.quantile: _traced_quantile}

"""Polynomials by their coefficients, the highest power first, and what is fitted with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.form import is_array
from backprop_nb.tracing.rules.masked import as_type
from backprop_nb.tracing.rules.row import RefusedError, as_array, as_floats


def _polyval(p: Any, x: Any) -> Any:
    """Horner's scheme."""
    if isinstance(x, np.poly1d) or isinstance(p, np.poly1d):
        raise RefusedError("coefficients and places as arrays")
    y: Any = np.zeros_like(as_array(x))
    if isinstance(p, list | tuple) and not any(map(is_array, p)):
        p = np.array(p)
    for coefficient in p:
        y = y * x + coefficient
    return y


def _aligned(combine: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of coefficients that belong to the same powers."""

    def composite(a1: Any, a2: Any) -> Any:
        a1, a2 = np.atleast_1d(a1), np.atleast_1d(a2)
        more = np.shape(a1)[0] - np.shape(a2)[0]
        a1, a2 = (
            np.concatenate([np.zeros(n, each.dtype), each]) if n > 0 else each
            for n, each in ((-more, a1), (more, a2))
        )
        return combine(a1, a2)

    return composite


def _polyder(p: Any, m: int = 1) -> Any:
    for _ in range(m):
        p = p[:-1] * np.arange(np.shape(p)[0] - 1, 0, -1)
    return p


def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    constants = np.zeros(m) if k is None else np.broadcast_to(k, (m,))
    for n in range(m):
        powers = np.arange(np.shape(p)[0], 0, -1)
        p = np.concatenate([p / powers, constants[n : n + 1]])
    return p


def _poly(seq_of_zeros: Any) -> Any:
    if np.ndim(seq_of_zeros) != 1:
        raise RefusedError("a vector of zeros")
    one = np.ones(1, np.result_type(seq_of_zeros))
    p: Any = one
    for zero in seq_of_zeros:
        p = np.convolve(p, np.concatenate([one, np.reshape(-zero, (1,))]))
    return p


def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    x = as_type(as_array(x), np.result_type(x, int))
    powers: list[Any] = [np.ones_like(x)]
    for _ in range(1, np.size(x) if N is None else N):
        powers.append(powers[-1] * x)
    powers = powers[: np.size(x) if N is None else N]
    return np.stack(powers if increasing else powers[::-1], axis=-1)


def _polyfit(
    x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """Least squares, with columns of the same length."""
    if full or cov:
        raise RefusedError("full=False and cov=False")
    x, y = as_floats(x), as_array(y)
    rcond = np.size(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    left = np.vander(x, int(deg) + 1)
    if w is not None:
        left, y = left * np.expand_dims(w, -1), (y.T * w).T
    scale = np.sqrt(np.sum(left * left, axis=0))
    return ((np.linalg.pinv(left / scale, rcond) @ as_floats(y)).T / scale).T


COMPOSITES: dict[Callable[..., Any], Callable[..., Any]] = {
    np.poly: _poly,
    np.polyadd: _aligned(np.add),
    np.polyder: _polyder,
    np.polyfit: _polyfit,
    np.polyint: _polyint,
    np.polymul: lambda a1, a2: np.convolve(np.atleast_1d(a1), np.atleast_1d(a2)),
    np.polysub: _aligned(np.subtract),
    np.polyval: _polyval,
    np.vander: _vander,
}

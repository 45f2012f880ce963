"""Functions that are others under a second name, or a few others in a row.

A trace records what they are made of, so they need no rules of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop_nb.tracing.rules import decompositions, masked, numerical, quantiles
from backprop_nb.tracing.rules.row import RefusedError


def _broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(each, shape) for each in args)


def _meshgrid(
    *xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> tuple[Any, ...]:
    order = list(range(len(xi)))
    if indexing == "xy":
        order[:2] = order[1::-1]
    grids = [
        np.reshape(x, tuple(-1 if k == place else 1 for k in range(len(xi))))
        for x, place in zip(xi, order, strict=True)
    ]
    return tuple(grids) if sparse else _broadcast_arrays(*grids)


def _full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    dtype = np.dtype(a.dtype if dtype is None else dtype)
    shape = a.shape if shape is None else shape
    if isinstance(fill_value, np.ndarray | np.generic | int | float | list | tuple):
        return np.full(shape, fill_value, dtype)
    full = np.broadcast_to(fill_value, shape)
    return full if full.dtype == dtype else full.astype(dtype)


def _unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    first = np.moveaxis(x, axis, 0)
    return tuple(first[k] for k in range(len(first)))


def _outer(x1: Any, x2: Any, /) -> Any:
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise RefusedError("two vectors")
    return np.outer(x1, x2)


def _matvec(x1: Any, x2: Any, /) -> Any:
    return x1 @ x2 if np.ndim(x2) == 1 else (x1 @ np.expand_dims(x2, -1))[..., 0]


def _vecmat(x1: Any, x2: Any, /) -> Any:
    return x1 @ x2 if np.ndim(x1) == 1 else (np.expand_dims(x1, -2) @ x2)[..., 0, :]


COMPOSITES: dict[Callable[..., Any], Callable[..., Any]] = {
    **decompositions.COMPOSITES,
    **masked.COMPOSITES,
    **numerical.COMPOSITES,
    **quantiles.COMPOSITES,
    np.copy: lambda a, order="K", subok=False: a.copy(),
    np.amax: np.max,
    np.amin: np.min,
    np.full_like: _full_like,
    np.broadcast_arrays: _broadcast_arrays,
    np.meshgrid: _meshgrid,
    np.linalg.matrix_transpose: np.matrix_transpose,
    np.linalg.matmul: np.matmul,
    np.linalg.outer: _outer,
    np.linalg.tensordot: np.tensordot,
    np.linalg.vecdot: np.vecdot,
    np.linalg.cross: np.cross,
    np.linalg.trace: lambda x, /, *, offset=0: np.trace(x, offset, -2, -1),
    np.linalg.diagonal: lambda x, /, *, offset=0: np.diagonal(x, offset, -2, -1),
    np.linalg.matrix_norm: lambda x, /, *, keepdims=False, ord="fro": np.linalg.norm(
        x, ord, (-2, -1), keepdims
    ),
    np.astype: lambda x, dtype, /, *, copy=True, device=None: x.astype(dtype, copy=copy),
    np.unstack: _unstack,
    np.matvec: _matvec,
    np.vecmat: _vecmat,
    np.divmod: lambda x1, x2, /: (x1 // x2, x1 % x2),
}

OTHER_FORMS: dict[Callable[..., Any], Callable[..., Any]] = {
    **decompositions.OTHER_FORMS,
    **masked.OTHER_FORMS,
    **quantiles.OTHER_FORMS,
}
"""Calls with options that the row of the function does not take; else ``NotImplemented``."""

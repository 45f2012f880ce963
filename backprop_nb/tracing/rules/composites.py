"""Functions that are others under a second name, or a few others in a row.

A trace records what they are made of, so they need no rules of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from backprop_nb.tracing import pytree
from backprop_nb.tracing.rules import (
    decompositions,
    masked,
    numerical,
    picking,
    polynomials,
    quantiles,
)
from backprop_nb.tracing.rules.form import is_array
from backprop_nb.tracing.rules.lists import stacked
from backprop_nb.tracing.rules.row import RefusedError, as_array, as_floats


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
    if not sparse:
        grids = list(_broadcast_arrays(*grids))
    return tuple(grid.copy() for grid in grids) if copy else tuple(grids)


def _full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    like = np.empty_like(a, dtype, order, subok, shape)
    if isinstance(fill_value, np.ndarray | np.generic | int | float | list | tuple):
        like[...] = fill_value
        return like
    full: Any = np.broadcast_to(fill_value, like.shape).copy()
    return (full if full.dtype == like.dtype else full.astype(like.dtype)).laid_as(like)


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


def _diff(
    a: Any, n: int = 1, axis: int = -1, prepend: Any = np._NoValue, append: Any = np._NoValue
) -> Any:
    """Put what comes before and after at the ends, one entry long if it is a number."""
    if prepend is np._NoValue and append is np._NoValue:
        return NotImplemented
    axis = normalize_axis_index(axis, np.ndim(a))
    one = tuple(1 if k == axis else length for k, length in enumerate(np.shape(a)))
    parts = [
        each if np.ndim(each) else np.broadcast_to(each, one)
        for each in (prepend, a, append)
        if each is not np._NoValue
    ]
    return np.diff(np.concatenate(parts, axis=axis), n, axis)


def _reshape(a: Any, /, shape: Any, order: Any = "C", *, copy: bool | None = None) -> Any:
    if copy is None:
        return NotImplemented
    reshaped = np.reshape(a, shape, order)
    return reshaped.copy(order) if copy else reshaped


def _where_alone(condition: Any, *choices: Any, **options: Any) -> Any:
    if len(choices) == 1:
        raise RefusedError("both or neither of x and y beside the condition")
    return NotImplemented if choices or options else np.nonzero(condition)


def _copysign(x1: Any, x2: Any, /) -> Any:
    sign = np.where(np.signbit(x2), -1.0, 1.0)
    return np.abs(x1) * masked.as_type(sign, np.result_type(x1, x2))


def _cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, **more: Any
) -> Any:
    if any(value is not None for value in more.values()):
        raise RefusedError("no weights and no dtype")
    rows = np.atleast_2d(m)
    rows = masked.as_type(rows, np.result_type(rows, float))
    rows = rows if rowvar or np.shape(rows)[0] == 1 else rows.T
    if y is not None:
        others = np.atleast_2d(y)
        others = others if rowvar or np.shape(others)[0] == 1 else others.T
        rows = np.concatenate([rows, others])
    rows = rows - np.mean(rows, axis=1, keepdims=True)
    less = int(not bias) if ddof is None else ddof
    return np.squeeze(rows @ rows.T / (np.shape(rows)[1] - less))


def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, **more: Any) -> Any:
    covariance = _cov(x, y, rowvar, **more)
    if np.ndim(covariance) == 0:
        return covariance / covariance
    spread = np.sqrt(np.diag(covariance))
    return covariance / np.expand_dims(spread, 1) / spread


def _real_only(
    function: Callable[..., Any], outside: Callable[..., Any], names: str = "x"
) -> Callable[..., Any]:
    """Return a function of ``np.emath``, its arguments named, where ``x`` gives real results."""

    def composite(*args: Any, **named: Any) -> Any:
        given = dict(zip(names, args, strict=False)) | named
        if np.any(outside(given["x"])):
            raise RefusedError("arguments with a real result")
        return function(*(given[name] for name in names))

    return composite


def _angle(z: Any, deg: bool = False) -> Any:
    z = as_floats(z)
    return masked.as_type(np.where(np.less(z, 0), 180.0 if deg else np.pi, 0.0), z.dtype)


def _negative(x: Any) -> Any:
    return np.less(x, 0)


def _outside_1(x: Any) -> Any:
    return np.greater(np.abs(x), 1)


COMPOSITES: dict[Callable[..., Any], Callable[..., Any]] = {
    **decompositions.COMPOSITES,
    **masked.COMPOSITES,
    **numerical.COMPOSITES,
    **picking.COMPOSITES,
    **polynomials.COMPOSITES,
    **quantiles.COMPOSITES,
    np.copy: lambda a, order="K", subok=False: a.copy(order),
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
    np.divmod: lambda x1, x2, /: (x1 // x2, x1 % x2),
    np.copysign: _copysign,
    np.ldexp: lambda x1, x2, /: x1 * masked.as_type(np.exp2(x2), np.result_type(x1)),
    np.modf: lambda x, /: (np.fmod(x, 1.0), np.trunc(x)),
    np.cov: _cov,
    np.corrcoef: _corrcoef,
    # of real numbers
    np.real: lambda val: val,
    np.imag: lambda val: np.zeros_like(val).imag[()],  # read-only, as of NumPy
    np.conjugate: np.positive,
    np.real_if_close: lambda a, tol=100: a,
    np.angle: _angle,
    np.emath.sqrt: _real_only(np.sqrt, _negative),
    np.emath.log: _real_only(np.log, _negative),
    np.emath.log2: _real_only(np.log2, _negative),
    np.emath.log10: _real_only(np.log10, _negative),
    np.emath.logn: _real_only(lambda n, x: np.log(x) / np.log(n), _negative, "nx"),
    np.emath.power: _real_only(lambda x, p: np.power(x, as_array(p)), _negative, "xp"),
    np.emath.arcsin: _real_only(np.arcsin, _outside_1),
    np.emath.arccos: _real_only(np.arccos, _outside_1),
    np.emath.arctanh: _real_only(np.arctanh, _outside_1),
}


def _pad(array: Any, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0) -> Any:
    """Join the padding axis by axis, as NumPy does: the later axes have the corners."""
    if mode != "constant" or not any(map(is_array, pytree.flatten(constant_values))):
        return NotImplemented
    ndim = np.ndim(array)
    widths = np.broadcast_to(pad_width, (ndim, 2)).tolist()
    values = np.broadcast_to(stacked(constant_values), (ndim, 2))
    values = masked.as_type(values, np.result_type(array))
    for axis in range(ndim):
        sides = [
            np.broadcast_to(value, (*array.shape[:axis], width, *array.shape[axis + 1 :]))
            for value, width in zip(values[axis], widths[axis], strict=True)
        ]
        array = np.concatenate([sides[0], array, sides[1]], axis=axis)
    return array


OTHER_FORMS: dict[Callable[..., Any], Callable[..., Any]] = {
    **decompositions.OTHER_FORMS,
    **masked.OTHER_FORMS,
    np.diff: _diff,
    np.pad: _pad,
    np.reshape: _reshape,
    np.where: _where_alone,
    **picking.OTHER_FORMS,
    **quantiles.OTHER_FORMS,
}
"""Calls with options that the row of the function does not take; else ``NotImplemented``."""
if hasattr(np, "matvec"):  # not before NumPy 2.2
    COMPOSITES |= {np.matvec: _matvec, np.vecmat: _vecmat}

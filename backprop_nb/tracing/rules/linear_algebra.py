"""Norms, inverses and linear systems.

Every rule follows from d(A B) = dA B + A dB: from A⁻¹ A = 1 comes
dA⁻¹ = −A⁻¹ dA A⁻¹.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.choosing import has_twin, shared
from backprop_nb.tracing.rules.products import swapped
from backprop_nb.tracing.rules.row import TAKEN_AS_0, Remark, row, unbroadcast
from backprop_nb.tracing.rules.template import ATOM, POWER, PRODUCT, Template

# --- norms ----------------------------------------------------------------------


def _is_matrix_norm(x: Any, axis: Any) -> bool:
    return np.ndim(x) == 2 if axis is None else isinstance(axis, tuple) and len(axis) == 2


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    known = (None, "fro") if _is_matrix_norm(x, axis) else (None,)
    if ord not in known and (isinstance(ord, str) or _is_matrix_norm(x, axis)):
        kind = "a matrix" if _is_matrix_norm(x, axis) else "a vector"
        raise TypeError(f"the norm of {kind} with ord={ord!r} has no differentiation rule")
    return np.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)


def _norm_vjp(
    g: Any, ans: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """Return g x / ‖x‖ for the 2-norm, g sign x for the 1-norm, and g sign x (|x| / ‖x‖)^(p-1).

    The ∞-norm passes the gradient to the entry that is largest in size.
    """
    if axis is not None and not keepdims:
        g, ans = np.expand_dims(g, axis), np.expand_dims(ans, axis)
    if ord == 1:
        return g * np.sign(x)
    if ord in (np.inf, -np.inf):
        extreme, is_less = (np.max, np.less) if ord > 0 else (np.min, np.greater)
        size, over = np.abs(x), {"axis": axis, "keepdims": axis is not None}
        chosen = np.logical_not(is_less(size, extreme(size, **over)))
        return np.where(chosen, g * np.sign(x) / np.sum(chosen, **over), 0.0)
    if ord == 0:  # a count
        return 0.0 * g * x
    ans = np.where(ans == 0, 1.0, ans)
    if ord in (None, 2, "fro"):
        return g * x / ans
    return g * np.sign(x) * (np.abs(x) / ans) ** (ord - 1)


def _has_twin_in_size(ans: Any, x: Any, axis: Any = None, **options: Any) -> Any:
    twin = has_twin(np.max, np.abs(x), axis)
    return twin & (np.reshape(ans, np.shape(twin)) != 0)  # at the tip nothing is shared


_TIP = Remark(
    "kink",
    lambda ans, x, ord=None, **options: (ans == 0) & (ord not in (0, 1)),
    "{0} is 0{places}, the tip of the norm: " + TAKEN_AS_0,
    "np.sum({0}**2) in place of the square of the norm",
)
_CORNER = Remark(
    "kink",
    lambda ans, x, ord=None, **options: (x == 0) & (ord == 1),
    "{0} is 0{places}, where the 1-norm has a corner: " + TAKEN_AS_0,
    "np.abs({0}) only where no entry is 0",
)
_LARGEST = shared(
    lambda ans, x, ord=None, **options: ord == np.inf and _has_twin_in_size(ans, x, **options),
    "largest in size",
)


def _norm_latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    order = keywords.get("ord")
    index = {None: "", np.inf: r"_{\infty}", -np.inf: r"_{-\infty}", "fro": "_F"}
    return rf"\|{arguments[0]}\|{index.get(order, f'_{{{order}}}')}"


# --- inverses and systems -------------------------------------------------------


def _solve_right(g: Any, ans: Any, a: Any, b: Any) -> Any:
    if b.ndim == 1 and a.ndim > 2:
        g = np.linalg.solve(swapped(a), np.expand_dims(g, -1))[..., 0]
    else:
        g = np.linalg.solve(swapped(a), g)
    return unbroadcast(g, b)


def _solve_left(g: Any, ans: Any, a: Any, b: Any) -> Any:
    if np.ndim(b) > 1:
        return unbroadcast(-np.linalg.solve(swapped(a), g) @ swapped(ans), a)
    if a.ndim == 2:
        return -np.outer(np.linalg.solve(a.T, g), ans)
    column = np.linalg.solve(swapped(a), np.expand_dims(g, -1))
    return -column * np.expand_dims(ans, -2)


INVERTIBLE = "an invertible square matrix"

ROWS = (
    row(
        np.linalg.norm,
        _norm_vjp,
        latex=_norm_latex,
        symbol="‖ ‖",
        compute=_norm,
        remarks=(_TIP, _CORNER, _LARGEST),
    ),
    row(
        np.linalg.inv,
        lambda g, ans, x: -swapped(ans) @ g @ swapped(ans),
        latex=Template("{#1}^{-1}", POWER, (ATOM,)),
        symbol="⁻¹",
        expected=INVERTIBLE,
    ),
    row(
        np.linalg.solve,
        _solve_left,
        _solve_right,
        latex=Template(r"{#1}^{-1} \, #2", PRODUCT, (ATOM, POWER)),
        # Two triangles, with the factors known.
        multiplications=lambda ans, a, b: int(np.size(ans) * np.shape(a)[-1]),
        expected=INVERTIBLE,
    ),
)

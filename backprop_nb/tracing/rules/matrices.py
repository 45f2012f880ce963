"""Norms, inverses, linear systems and determinants.

Every rule follows from d(A B) = dA B + A dB: from A⁻¹ A = 1 comes
dA⁻¹ = −A⁻¹ dA A⁻¹, and Jacobi's formula is d det A = det A · tr(A⁻¹ dA).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.extrema import has_twin, shared
from backprop_nb.tracing.rules.linear_algebra import swapped
from backprop_nb.tracing.rules.row import REAL, Binding, Form, Remark, Row, call, unbroadcast

# --- norms ----------------------------------------------------------------------


def _is_matrix_norm(x: Any, axis: Any) -> bool:
    return np.ndim(x) == 2 if axis is None else isinstance(axis, tuple) and len(axis) == 2


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    known = (None, "fro") if _is_matrix_norm(x, axis) else (None, 1, 2, np.inf)
    if ord not in known:
        kind = "a matrix" if _is_matrix_norm(x, axis) else "a vector"
        raise TypeError(f"the norm of {kind} with ord={ord!r} has no differentiation rule")
    return np.linalg.norm(x, ord=ord, axis=axis, keepdims=keepdims)


def _norm_vjp(
    g: Any, ans: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """Return g x / ‖x‖ for the 2-norm and g sign x for the 1-norm.

    The ∞-norm passes the gradient to the entry that is largest in size.
    """
    if axis is not None and not keepdims:
        g, ans = np.expand_dims(g, axis), np.expand_dims(ans, axis)
    if ord == 1:
        return g * np.sign(x)
    if ord == np.inf:
        size = np.abs(x)
        largest = size == np.max(size, axis=axis, keepdims=axis is not None)
        shares = np.sum(largest, axis=axis, keepdims=axis is not None)
        return np.where(largest, g * np.sign(x) / shares, 0.0)
    return g * x / np.where(ans == 0, 1.0, ans)


def _of_norm(remark: Remark, *orders: Any) -> Remark:
    """Return a remark that applies to the norms of some orders only."""

    def at(ans: Any, x: Any, ord: Any = None, **options: Any) -> Any:
        return remark.at(ans, x, **options) if ord in orders else False

    return Remark(remark.kind, at, remark.says)


def _has_twin_in_size(ans: Any, x: Any, axis: Any = None, **options: Any) -> Any:
    twin = has_twin(np.max, np.abs(x), axis)
    return twin & (np.reshape(ans, np.shape(twin)) != 0)  # at the tip nothing is shared


_NORM_KINKS = (
    _of_norm(
        Remark(
            "kink",
            lambda ans, x, **options: ans == 0,
            "{0} is 0{places}, the tip of the norm: the slope is taken to be 0",
        ),
        *(None, "fro", 2, np.inf),
    ),
    _of_norm(
        Remark(
            "kink",
            lambda ans, x, **options: x == 0,
            "{0} is 0{places}, where the 1-norm has a corner: the slope is taken to be 0",
        ),
        1,
    ),
    _of_norm(shared(_has_twin_in_size, "largest in size"), np.inf),
)


def _norm_latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    index = {None: "", 1: "_1", 2: "_2", np.inf: r"_{\infty}", "fro": "_F"}
    return rf"\|{arguments[0]}\|{index[keywords.get('ord')]}"


# --- inverses and systems -------------------------------------------------------


def _inv(g: Any, ans: Any, x: Any) -> Any:
    return -swapped(ans) @ g @ swapped(ans)


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


# --- determinants ---------------------------------------------------------------


def _stretched(g: Any) -> Any:
    """Return one number for each matrix, ready to multiply all its entries."""
    return g if g.ndim == 0 else np.expand_dims(g, (-2, -1))


def _det(g: Any, ans: Any, x: Any) -> Any:
    return _stretched(g * ans) * swapped(np.linalg.inv(x))


def _slogdet(g: Any, ans: Any, x: Any, piece: int) -> Any:
    if piece == 0:  # the sign is a step function
        return 0.0 * x
    return _stretched(g) * swapped(np.linalg.inv(x))


ROWS = (
    Row(
        np.linalg.norm,
        (_norm_vjp,),
        numpy=call("np.linalg.norm"),
        latex=Form(_norm_latex),
        symbol="‖ ‖",
        signature=("x", "ord", "axis", "keepdims"),
        compute=_norm,
        remarks=_NORM_KINKS,
    ),
    Row(
        np.linalg.inv,
        (_inv,),
        numpy=call("np.linalg.inv"),
        latex=Form("{#1}^{-1}", Binding.POWER, (Binding.ATOM,)),
        symbol="⁻¹",
        signature=("a",),
    ),
    Row(
        np.linalg.solve,
        (_solve_left, _solve_right),
        numpy=call("np.linalg.solve"),
        latex=Form(r"{#1}^{-1} \, #2", Binding.PRODUCT, (Binding.ATOM, Binding.POWER)),
        symbol="solve",
        signature=("a", "b"),
        domain=(REAL, REAL),
    ),
    Row(
        np.linalg.det,
        (_det,),
        numpy=call("np.linalg.det"),
        latex=Form(r"\det(#1)"),
        symbol="det",
        signature=("a",),
    ),
    Row(
        np.linalg.slogdet,
        (_slogdet,),
        numpy=Form(
            lambda arguments, keywords: f"np.linalg.slogdet({arguments[0]})[{keywords['piece']}]"
        ),
        latex=Form(
            lambda arguments, keywords: (
                rf"\log |\det({arguments[0]})|"
                if keywords["piece"]
                else rf"\mathrm{{sign}}(\det({arguments[0]}))"
            )
        ),
        symbol="log det",
        signature=("a",),
        compute=lambda x, piece: np.linalg.slogdet(x)[piece],
        pieces=lambda x: 2,
        gather=lambda pieces: type(np.linalg.slogdet(np.eye(1)))(*pieces),
    ),
)

"""Determinants and their logarithms.

The slope of a determinant is the matrix of cofactors, d det A = Σ C_ij dA_ij.  For an
invertible A it is C = det A · A⁻ᵀ, Jacobi's formula; but a singular A has one too, so it
is computed without the inverse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.linear_algebra import INVERTIBLE
from backprop_nb.tracing.rules.products import swapped
from backprop_nb.tracing.rules.row import dispatched, row
from backprop_nb.tracing.rules.template import ATOM, Template


@dispatched
def cofactors(x: Any) -> Any:
    """Return the cofactors of square matrices, of the shape of ``x``.

    With x = U S Vᵀ they are those of S, turned by U and V: a cofactor of S is the
    product of all other singular values.
    """
    if not x.shape[-1]:
        return np.zeros(x.shape, dtype=x.dtype)
    u, s, vt = np.linalg.svd(x)
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    others = [np.prod(np.delete(s, k, axis=-1), axis=-1) for k in range(s.shape[-1])]
    return np.expand_dims(sign, (-2, -1)) * (u * np.expand_dims(np.stack(others, -1), -2)) @ vt


@dispatched
def cofactors_along(x: Any, d: Any) -> Any:
    """Return how the cofactors of ``x`` change in the direction ``d``, of the same shape.

    In the frame of the singular values s the direction is f = Uᵀ d V, and with p_ij the
    product of all s but two, cofactor ij changes by -f_ji p_ij, and ii by Σ f_kk p_ik.
    """
    u, s, vt = np.linalg.svd(x)
    sign = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    n = s.shape[-1]
    products = np.zeros(x.shape, dtype=s.dtype)
    for i in range(n):
        for j in range(n):
            if i != j:
                products[..., i, j] = np.prod(np.delete(s, (i, j), axis=-1), axis=-1)
    f = np.swapaxes(u, -1, -2) @ d @ np.swapaxes(vt, -1, -2)
    diagonal = products @ np.expand_dims(np.diagonal(f, axis1=-2, axis2=-1), -1)
    change = diagonal * np.eye(n, dtype=s.dtype) - np.swapaxes(f, -1, -2) * products
    return np.expand_dims(sign, (-2, -1)) * u @ change @ vt


def _third(g: Any, ans: Any, x: Any, d: Any) -> Any:
    """The third derivative of the determinant, by d and g, from x⁻¹."""
    inverse = np.linalg.inv(x)
    along_d, along_g = inverse @ d, inverse @ g
    both = along_d @ along_g
    turned = (_trace(along_d) * _trace(along_g) - _trace(both)) * inverse
    turned = turned - (_trace(along_g) * along_d + _trace(along_d) * along_g) @ inverse
    turned = turned + (both + along_g @ along_d) @ inverse
    return swapped(_stretched(np.linalg.det(x)) * turned)


def _trace(x: Any) -> Any:
    return _stretched(np.trace(x, axis1=-2, axis2=-1))


def _stretched(g: Any) -> Any:
    """Return one number for each matrix, ready to multiply all its entries."""
    return g if g.ndim == 0 else np.expand_dims(g, (-2, -1))


def _slogdet(g: Any, ans: Any, x: Any, output: int) -> Any:
    if output == 0:  # the sign is piecewise constant
        return 0.0 * x
    return _stretched(g) * swapped(np.linalg.inv(x))


def _slogdet_latex(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
    determinant = rf"\det({arguments[0]})"
    return rf"\log |{determinant}|" if keywords["output"] else rf"\mathrm{{sign}}({determinant})"


_SQUARE = "a square matrix"

ROWS = (
    row(np.linalg.det, lambda g, ans, x: _stretched(g) * cofactors(x), expected=_SQUARE),
    row(
        np.linalg.slogdet,
        _slogdet,
        latex=_slogdet_latex,
        symbol="log det",
        outputs=True,
        expected=INVERTIBLE,
    ),
    row(
        cofactors,
        lambda g, ans, x: cofactors_along(x, g),
        latex=r"\mathrm{cof}(#1)",
        symbol="cof",
        expected=_SQUARE,
    ),
    row(
        cofactors_along,
        _third,
        lambda g, ans, x, d: cofactors_along(x, g),
        latex=Template(r"\mathrm{cof}'(#1)[#2]", ATOM),
        symbol="cof′",
        expected=_SQUARE,
    ),
)

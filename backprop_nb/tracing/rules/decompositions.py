"""Factors of a matrix, and what is made of them: Cholesky, eigenvalues, singular values, QR.

A symmetric matrix has each entry off the diagonal twice, and NumPy reads one of them.  Its
gradient here is symmetric: both receive half of what the entry is worth, as in
``∂λ/∂A = v vᵀ``.  It is the gradient by A for any symmetric A that is computed itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop_nb.tracing.rules.masked import as_type
from backprop_nb.tracing.rules.products import swapped
from backprop_nb.tracing.rules.row import RefusedError, Remark, as_array, as_floats, row, rows_along
from backprop_nb.tracing.rules.template import ATOM, POWER, Template

_SYMMETRIC = (
    "The matrix counts as symmetric: an entry and its mirror image receive half of the slope each."
)


def _halved(g: Any) -> Any:
    """Return the symmetric part."""
    return (g + swapped(g)) / 2


def _columns(v: Any) -> Any:
    """Return numbers ready to multiply the columns of a matrix."""
    return np.expand_dims(v, -2)


def _rows(v: Any) -> Any:
    return np.expand_dims(v, -1)


def _one_over_differences(v: Any) -> Any:
    """Return 1 / (v[j] - v[i]), and 0 on the diagonal."""
    eye = np.eye(np.shape(v)[-1])
    return 1 / (_columns(v) - _rows(v) + eye) - eye


# --- symmetric matrices -----------------------------------------------------------


def _cholesky(g: Any, ans: Any, a: Any, *, upper: bool = False) -> Any:
    """With A = L Lᵀ: L⁻ᵀ Φ(Lᵀ g) L⁻¹, where Φ takes the lower triangle and half the diagonal."""
    lower = swapped(ans) if upper else ans
    inner = np.tril(swapped(lower) @ (swapped(g) if upper else g))
    inner = inner - _diagonal(inner) / 2
    left = np.linalg.solve(swapped(lower), inner)
    return _halved(swapped(np.linalg.solve(swapped(lower), swapped(left))))


def _diagonal(a: Any) -> Any:
    """Return a matrix without what is off its diagonal."""
    return a * np.eye(np.shape(a)[-1])


def _eigh(g: Any, ans: Any, a: Any, output: int, UPLO: str = "L") -> Any:
    """V diag(g) Vᵀ for the eigenvalues; V (F ⊙ Vᵀ g) Vᵀ for the vectors, F = 1 / (λⱼ − λᵢ)."""
    options: Any = {} if UPLO == "L" else {"UPLO": UPLO}
    if output == 0:
        vectors = np.linalg.eigh(a, **options)[1]
        return vectors * _columns(g) @ swapped(vectors)
    values = np.linalg.eigh(a, **options)[0]
    inner = _one_over_differences(values) * (swapped(ans) @ g)
    return _halved(ans @ inner @ swapped(ans))


def _has_equal_eigenvalues(ans: Any, a: Any, UPLO: Any = "L", output: int = 0) -> Any:
    return np.any(np.diff(np.linalg.eigvalsh(a, UPLO)) == 0, axis=-1)


_EQUAL_EIGENVALUES = Remark(
    "tie",
    _has_equal_eigenvalues,
    "eigenvalues of {0} are equal{places}: their vectors are not determined, and what flows "
    "back depends on the choice that NumPy made",
)

# --- any matrix -------------------------------------------------------------------


def _svd(g: Any, ans: Any, a: Any, output: int, full_matrices: bool = True) -> Any:
    """With A = U diag(s) Vᵀ: U diag(g) Vᵀ for the singular values.

    For the vectors, the rotation within the ones kept, and the turn towards the others:
    U (F ⊙ (Uᵀg − gᵀU)) S Vᵀ + (1 − U Uᵀ) g S⁻¹ Vᵀ, with F = 1 / (sⱼ² − sᵢ²).
    """
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    if output == 1:
        return u * _columns(g) @ vt
    if output == 0:
        return _turned(g, u, s) @ vt
    return u @ swapped(_turned(swapped(g), swapped(vt), s))


def _turned(g: Any, u: Any, s: Any) -> Any:
    """Return what flows back to the singular vectors ``u``, times those on the other side."""
    inner = swapped(u) @ g
    turned = u @ (_one_over_differences(s**2) * (inner - swapped(inner)) * _columns(s))
    if np.shape(u)[-2] > np.shape(u)[-1]:
        turned = turned + (g - u @ inner) / _columns(s)
    return turned


def _svd_form(
    a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False
) -> Any:
    if hermitian:
        raise RefusedError("hermitian=False")
    if not compute_uv:
        return np.linalg.svdvals(a)
    if full_matrices and np.shape(a)[-2] != np.shape(a)[-1]:
        raise RefusedError("full_matrices=False: the other vectors of a matrix are not determined")
    return NotImplemented


_EQUAL_SINGULAR_VALUES = Remark(
    "tie",
    lambda ans, a, **options: np.any(np.diff(np.linalg.svdvals(a)) == 0, axis=-1),
    "singular values of {0} are equal{places}: their vectors are not determined, and what "
    "flows back depends on the choice that NumPy made",
)


def _qr(g: Any, ans: Any, a: Any, output: int) -> Any:
    """(g − Q copyltu(gᵀQ)) R⁻ᵀ for Q and Q copyltu(R gᵀ) R⁻ᵀ for R.

    copyltu(M) is symmetric, with the lower triangle of M.
    """
    q, r = np.linalg.qr(a)
    inner = -(swapped(g) @ q) if output == 0 else r @ swapped(np.triu(g))
    inner = np.tril(inner) + swapped(np.tril(inner, -1))
    turned = g + q @ inner if output == 0 else q @ inner
    return swapped(np.linalg.solve(r, swapped(turned)))


def _qr_form(a: Any, mode: str = "reduced") -> Any:
    if mode == "r" and np.shape(a)[-2] >= np.shape(a)[-1]:
        return np.linalg.qr(a)[1]
    if mode != "reduced" or np.shape(a)[-2] < np.shape(a)[-1]:
        raise RefusedError("mode='reduced' or 'r', and no fewer rows than columns")
    return NotImplemented


def _pinv(g: Any, ans: Any, a: Any, rcond: Any = None, *, rtol: Any = np._NoValue) -> Any:
    """−Pᵀ g Pᵀ + (1 − A P) gᵀ P Pᵀ + Pᵀ P gᵀ (1 − P A), as long as the rank stays the same."""
    p, pt, gt = ans, swapped(ans), swapped(g)
    right, left = gt @ p @ pt, pt @ p @ gt
    return -pt @ g @ pt + right - a @ (p @ right) + left - left @ p @ a


def _pinv_form(
    a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = np._NoValue
) -> Any:
    if hermitian:
        raise RefusedError("hermitian=False")
    for cut in (rcond, rtol):
        if cut is not None and cut is not np._NoValue and np.max(cut) > _ROUNDING:
            raise RefusedError(
                f"singular values that count as 0 up to a share of {_ROUNDING:g}, which is rounding"
            )
    return NotImplemented


_ROUNDING = 1e-6
"""Of larger singular values that are left out the slope of the pseudoinverse would have to know."""

_SHORT_OF_RANK = Remark(
    "kink",
    lambda ans, x, **options: np.linalg.matrix_rank(x) < min(np.shape(x)[-2:]),
    "{0} does not have full rank{places}, where the pseudoinverse jumps: "
    "the slope among matrices of the same rank is taken",
)

ROWS = (
    row(
        np.linalg.cholesky,
        _cholesky,
        latex=r"\mathrm{chol}(#1)",
        symbol="chol",
        in_words=_SYMMETRIC,
        expected="a symmetric matrix with positive eigenvalues",
    ),
    row(
        np.linalg.eigh,
        _eigh,
        symbol="eig",
        outputs=True,
        in_words=_SYMMETRIC,
        expected="a symmetric matrix",
        remarks=(_EQUAL_EIGENVALUES,),
    ),
    row(
        np.linalg.eigvalsh,
        lambda g, ans, a, UPLO="L": _eigh(g, ans, a, 0, UPLO),
        latex=r"\lambda(#1)",
        symbol="λ",
        in_words=_SYMMETRIC,
        expected="a symmetric matrix",
        remarks=(_EQUAL_EIGENVALUES,),
    ),
    row(
        np.linalg.svd,
        _svd,
        outputs=True,
        expected="a matrix",
        remarks=(_EQUAL_SINGULAR_VALUES,),
    ),
    row(
        np.linalg.svdvals,
        lambda g, ans, a: _svd(g, ans, a, 1),
        latex=r"s(#1)",
        symbol="s",
        expected="a matrix",
        remarks=(_EQUAL_SINGULAR_VALUES,),
    ),
    row(np.linalg.qr, _qr, outputs=True, expected="a matrix"),
    row(
        np.linalg.pinv,
        _pinv,
        latex=Template("{#1}^{+}", POWER, (ATOM,)),
        symbol="⁺",
        expected="a matrix",
        remarks=(_SHORT_OF_RANK,),
    ),
)

# --- norms and condition numbers of matrices --------------------------------------


def _norm_form(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norms of a matrix that are made of others: of rows, columns or singular values."""
    x = as_array(x)
    pair = (0, 1) if axis is None and np.ndim(x) == 2 else axis
    if not isinstance(pair, tuple) or len(pair) != 2 or ord in (None, "fro"):
        return NotImplemented
    if ord == "f":
        return np.linalg.norm(x, "fro", pair, keepdims)
    matrices = np.moveaxis(x, pair, (-2, -1)) if np.ndim(x) > 2 or pair != (0, 1) else x
    if ord in (1, -1, np.inf, -np.inf):
        sums = np.sum(np.abs(matrices), axis=-2 if abs(ord) == 1 else -1)
        found = np.max(sums, axis=-1) if ord > 0 else np.min(sums, axis=-1)
    elif ord in (2, -2, "nuc"):
        values = np.linalg.svdvals(matrices)
        found = np.sum(values, axis=-1) if ord == "nuc" else values[..., 0 if ord == 2 else -1]
    else:
        raise RefusedError("ord=1, -1, 2, -2, np.inf, -np.inf, 'fro' or 'nuc' for a matrix")
    return rows_along(x, pair).one_each(found, keepdims) if keepdims else found


def _vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    if isinstance(axis, int):
        return np.linalg.norm(x, ord, axis, keepdims)
    if axis is None:
        found = np.linalg.norm(np.ravel(x), ord)
        return np.reshape(found, (1,) * np.ndim(x)) if keepdims else found
    rows = rows_along(x, axis)
    return rows.one_each(np.linalg.norm(rows.values, ord, axis=-1), keepdims)


def _cond(x: Any, p: Any = None) -> Any:
    if p in (None, 2, -2):
        s = np.linalg.svdvals(x)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    both = (np.linalg.norm(each, p, axis=(-2, -1)) for each in (x, np.linalg.inv(x)))
    return np.multiply(*both)


# --- systems and powers -----------------------------------------------------------


def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """Solve with the pseudo-inverse; the residuals are there for full rank only, as in NumPy."""
    a, b = as_floats(a), as_floats(b)
    common = np.result_type(a, b)  # which counts where a singular value is rounding
    a, b = as_type(a, common), as_type(b, common)
    given = {"rtol": None} if rcond is None else {"rcond": rcond}
    x = np.linalg.pinv(a, **given) @ b
    rank = np.linalg.matrix_rank(a) if rcond is None else np.linalg.matrix_rank(a, rtol=rcond)
    rows, columns = np.shape(a)
    residuals: Any = np.zeros(0)
    if columns < rows and rank == columns:  # a decision only where it matters
        residuals = np.sum((b - a @ x) ** 2, axis=0, keepdims=np.ndim(b) == 1)
    return x, residuals, rank, np.linalg.svdvals(a)


def _matrix_power(a: Any, n: Any) -> Any:
    """Square again and again: as many products as n has binary digits, and as it has ones."""
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return np.full_like(a, np.eye(np.shape(a)[-1]))
    if n == 3:
        return (a @ a) @ a
    result = square = None
    while n > 0:
        square = a if square is None else square @ square
        n, odd = divmod(n, 2)
        if odd:
            result = square if result is None else result @ square
    return result


def _multi_dot(arrays: Sequence[Any]) -> Any:
    """Multiply in the order that takes the fewest multiplications."""
    if len(arrays) < 2:
        raise RefusedError("two arrays or more")
    first = np.reshape(arrays[0], (1, -1)) if np.ndim(arrays[0]) == 1 else arrays[0]
    last = np.reshape(arrays[-1], (-1, 1)) if np.ndim(arrays[-1]) == 1 else arrays[-1]
    chain = [first, *arrays[1:-1], last]
    widths = [np.shape(first)[0], *(np.shape(each)[-1] for each in chain)]
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for length in range(2, len(chain) + 1):
        for i in range(len(chain) - length + 1):
            j = i + length - 1
            best[i, j] = min(
                (
                    best.get((i, k), (0, 0))[0]
                    + best.get((k + 1, j), (0, 0))[0]
                    + widths[i] * widths[k + 1] * widths[j + 1],
                    k,
                )
                for k in range(i, j)
            )

    def product(i: int, j: int) -> Any:
        if i == j:
            return chain[i]
        k = best[i, j][1]
        return np.dot(product(i, k), product(k + 1, j))

    result = product(0, len(chain) - 1)
    if np.ndim(arrays[0]) == np.ndim(arrays[-1]) == 1:
        return result[0, 0]
    return np.ravel(result) if 1 in (np.ndim(arrays[0]), np.ndim(arrays[-1])) else result


def _tensorinv(a: Any, ind: int = 2) -> Any:
    shape = np.shape(a)
    square = np.reshape(a, (int(np.prod(shape[ind:])), -1))
    return np.reshape(np.linalg.inv(square), (*shape[ind:], *shape[:ind]))


def _tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    if axes is not None:
        raise RefusedError("axes=None")
    unknown = np.shape(a)[np.ndim(b) :]
    square = np.reshape(a, (np.size(b), -1))
    return np.reshape(np.linalg.solve(square, np.ravel(b)), unknown)


# --- cross products of vectors in the plane ---------------------------------------


def _cross_form(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    lengths = np.shape(a)[axisa], np.shape(b)[axisb]
    if 2 not in lengths:
        return NotImplemented
    try:
        np.cross(
            np.zeros(lengths[0]), np.zeros(lengths[1])
        )  # NumPy says that this is over, or soon will be
    except ValueError:
        raise RefusedError("vectors of 3 entries") from None
    a, b = (
        np.concatenate([each, np.zeros((*np.shape(each)[:-1], 1))], axis=-1)
        if np.shape(each)[-1] == 2
        else each
        for each in (np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1))
    )
    product = np.cross(a, b)
    return product[..., 2] if lengths == (2, 2) else np.moveaxis(product, -1, axisc)


COMPOSITES: dict[Callable[..., Any], Callable[..., Any]] = {
    np.linalg.vector_norm: _vector_norm,
    np.linalg.cond: _cond,
    np.linalg.lstsq: _lstsq,
    np.linalg.matrix_power: _matrix_power,
    np.linalg.multi_dot: _multi_dot,
    np.linalg.tensorinv: _tensorinv,
    np.linalg.tensorsolve: _tensorsolve,
}

OTHER_FORMS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.cross: _cross_form,
    np.linalg.norm: _norm_form,
    np.linalg.pinv: _pinv_form,
    np.linalg.qr: _qr_form,
    np.linalg.svd: _svd_form,
}

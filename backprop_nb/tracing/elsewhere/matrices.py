"""Products and linear algebra, in what the Array API has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backprop_nb.tracing.elsewhere.library import LackingError, Library
from backprop_nb.tracing.emit.algebra import Expression

Call = Callable[..., Any]
Builder = Callable[[Library, Expression], Call]


# --- products -----------------------------------------------------------------------------


def _contracted(library: Library, call: Expression, axes: tuple[Any, Any]) -> Call:
    """Return the sum of products over pairs of axes; with no pair, every product."""
    x, y = (each.shape for each in call.operands)
    if not (x and y):
        return lambda x, y: x * y
    pairs = tuple(
        tuple(k % len(shape) for k in np.atleast_1d(each).tolist())
        for shape, each in zip((x, y), axes, strict=True)
    )
    if not pairs[0]:
        reshape = library.get("reshape")
        return lambda a, b: reshape(a, x + (1,) * len(y)) * b
    product = library.get("tensordot")
    return lambda a, b: product(a, b, axes=pairs)


def _dot(library: Library, call: Expression) -> Call:
    x, y = (len(each.shape) for each in call.operands)
    if 0 < x <= 2 and 0 < y <= 2:
        return library.get("matmul")
    return _contracted(library, call, (-1, -2 if y > 1 else -1))


def _tensordot(library: Library, call: Expression) -> Call:
    axes, count = call.keywords.get("axes", 2), len(call.operands[0].shape)
    if isinstance(axes, int):
        axes = tuple(range(count - axes, count)), tuple(range(axes))
    return _contracted(library, call, axes)


def _outer(library: Library, call: Expression) -> Call:
    reshape = library.get("reshape")
    return lambda x, y: reshape(x, (-1, 1)) * reshape(y, (1, -1))


def _vdot(library: Library, call: Expression) -> Call:
    total = library.get("sum")
    return lambda x, y: total(library.flat(x) * library.flat(y))


def _vecdot(library: Library, call: Expression) -> Call:
    total, axis = library.get("sum"), call.keywords.get("axis", -1)
    return lambda x, y: total(x * y, axis=axis)


def _kron(library: Library, call: Expression) -> Call:
    x, y = (each.shape for each in call.operands)
    ndim = max(len(x), len(y))
    x, y = (1,) * (ndim - len(x)) + x, (1,) * (ndim - len(y)) + y
    wide = tuple(n for length in x for n in (length, 1))
    close = tuple(n for length in y for n in (1, length))
    reshape, shape = library.get("reshape"), call.shape
    return lambda a, b: reshape(reshape(a, wide) * reshape(b, close), shape)


def _einsum(library: Library, call: Expression) -> Call:
    einsum, subscripts = library.get("einsum"), call.keywords["subscripts"]
    return lambda *arrays: einsum(subscripts, *arrays)


def _cross(library: Library, call: Expression) -> Call:
    axis = call.keywords.get("axis")
    a, b, c = (
        axis if axis is not None else call.keywords.get(name, -1)
        for name in ("axisa", "axisb", "axisc")
    )
    move, stack = _to_end(library), library.get("stack")

    def cross(x: Any, y: Any) -> Any:
        x, y = move(x, a), move(y, b)
        u, v = ([each[..., k] for k in range(3)] for each in (x, y))
        parts = [u[k - 2] * v[k - 1] - u[k - 1] * v[k - 2] for k in range(3)]
        return stack(parts, axis=c)

    return cross


def _to_end(library: Library) -> Call:
    permute = library.get("permute_dims", "transpose")

    def move(x: Any, axis: int) -> Any:
        axis %= x.ndim
        order = (*(k for k in range(x.ndim) if k != axis), axis)
        return x if order == tuple(range(x.ndim)) else permute(x, order)

    return move


def _convolve(library: Library, call: Expression) -> Call:
    """Return a convolution as a product with the windows of the first row."""
    (m,), (n,) = (each.shape or (1,) for each in call.operands)
    mode = call.keywords.get("mode", "full")
    # NumPy says which entry of a full convolution an entry of another mode is.
    rows = np.arange(m + n - 1)
    if mode != "full":
        short, long = min(m, n), max(m, n)
        length = long if mode == "same" else long - short + 1
        first = (short - 1) // 2 if mode == "same" else short - 1
        rows = rows[first : first + length]
    sources = rows[:, None] - np.arange(n)[None, :]
    sources = np.where((sources < 0) | (sources >= m), m, sources)
    zeros, multiply = library.get("zeros"), library.get("matmul")

    def convolve(x: Any, y: Any) -> Any:
        padded = library.joined([library.flat(x), zeros(1, dtype=x.dtype)])
        return multiply(library.taken(padded, sources), library.flat(y))

    return convolve


# --- matrices ------------------------------------------------------------------------------


def _flipped(library: Library) -> Call:
    permute = library.get("permute_dims", "transpose")

    def flip(x: Any) -> Any:
        return permute(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))

    return flip


def _trace(library: Library, call: Expression) -> Call:
    shape = call.operands[0].shape
    options = {"axis1": 0, "axis2": 1, "offset": 0} | dict(call.keywords)
    numbers = np.arange(math.prod(shape)).reshape(shape)
    sources = np.diagonal(numbers, options["offset"], options["axis1"], options["axis2"])
    total = library.get("sum")
    return lambda x: total(library.taken(library.flat(x), sources), axis=-1)


def _norm(library: Library, call: Expression) -> Call:
    """Return the norm of vectors, or of all entries: other norms of matrices are made of others."""
    kind, axis, dtype = call.keywords.get("ord"), call.keywords.get("axis"), call.value.dtype
    every = range(len(call.operands[0].shape))
    axes = tuple(every) if axis is None else tuple(np.atleast_1d(axis).tolist())
    options = {"axis": axes, "keepdims": bool(call.keywords.get("keepdims", False))}
    largest, smallest, total, size, root = map(library.get, ("max", "min", "sum", "abs", "sqrt"))
    if kind in (None, 2, "fro"):
        return lambda x: root(total(x * x, **options))
    if kind in (np.inf, -np.inf):
        reduce = largest if kind > 0 else smallest
        return lambda x: reduce(size(x), **options)
    if kind == 0:
        return lambda x: total(library.as_type(x != 0, dtype), **options)
    if kind == 1:
        return lambda x: total(size(x), **options)
    return lambda x: total(size(x) ** kind, **options) ** (1.0 / kind)


def singular_values(library: Library) -> Call:
    """Return what gives the singular values."""
    try:
        return library.get("linalg.svdvals")
    except LackingError:
        svd = library.get("linalg.svd")
        return lambda x: svd(x, full_matrices=False)[1]


def _output_of(name: str, **defaults: Any) -> Builder:
    """Return what builds one of the results of a decomposition."""

    def build(library: Library, call: Expression) -> Call:
        decompose, output = library.get(name), call.keywords["output"]
        options = {key: call.keywords.get(key, default) for key, default in defaults.items()}
        return lambda x: decompose(x, **options)[output]

    return build


def _symmetric(library: Library, call: Expression, upper: bool) -> Call:
    """Return what makes a symmetric matrix of the one triangle that NumPy reads."""
    shape = call.operands[0].shape
    n = shape[-1]
    i, j = np.indices((n, n))
    row, column = (
        (np.minimum(i, j), np.maximum(i, j)) if upper else (np.maximum(i, j), np.minimum(i, j))
    )
    numbers = np.arange(math.prod(shape)).reshape(shape)
    sources = numbers[..., row, column]
    return lambda x: library.taken(library.flat(x), sources)


def _eigen(library: Library, call: Expression) -> Call:
    output = call.keywords.get("output")
    decompose = library.get("linalg.eigvalsh" if output is None else "linalg.eigh")
    whole = _symmetric(library, call, call.keywords.get("UPLO", "L") == "U")
    return lambda x: decompose(whole(x)) if output is None else decompose(whole(x))[output]


def _cholesky(library: Library, call: Expression) -> Call:
    root, upper = library.get("linalg.cholesky"), bool(call.keywords.get("upper", False))
    whole, flip = _symmetric(library, call, upper), _flipped(library)
    return (lambda x: flip(root(whole(x)))) if upper else (lambda x: root(whole(x)))


def _pseudo_inverse(library: Library, call: Expression) -> Call:
    svd, where, largest = map(library.get, ("linalg.svd", "where", "max"))
    smallest, flip = call.keywords.get("rcond", 1e-15), _flipped(library)

    def invert(x: Any) -> Any:
        u, s, vt = svd(x, full_matrices=False)
        held = s > smallest * largest(s, axis=-1, keepdims=True)
        inverse = where(held, 1.0 / where(held, s, s * 0.0 + 1.0), s * 0.0)
        return (flip(vt) * inverse[..., None, :]) @ flip(u)

    return invert


def _signed_values(library: Library) -> Call:
    """Return what gives the sign of the determinant, and the singular values and vectors."""
    svd, det, sign = map(library.get, ("linalg.svd", "linalg.det", "sign"))

    def decompose(x: Any) -> tuple[Any, Any, Any, Any]:
        u, s, vt = svd(x, full_matrices=True)
        return sign(det(u) * det(vt)), u, s, vt

    return decompose


def _product_but(s: Any, left_out: tuple[int, ...]) -> Any:
    """Return the product of all singular values but some."""
    product = s[..., 0] * 0.0 + 1.0
    for k in range(int(s.shape[-1])):
        product = product if k in left_out else product * s[..., k]
    return product


def _cofactors(library: Library, call: Expression) -> Call:
    stack, decompose = library.get("stack"), _signed_values(library)

    def cofactors(x: Any) -> Any:
        sign, u, s, vt = decompose(x)
        others = [_product_but(s, (k,)) for k in range(int(s.shape[-1]))]
        return sign[..., None, None] * (u * stack(others, axis=-1)[..., None, :]) @ vt

    return cofactors


def _cofactors_along(library: Library, call: Expression) -> Call:
    stack, flip, decompose = library.get("stack"), _flipped(library), _signed_values(library)

    def along(x: Any, d: Any) -> Any:
        sign, u, s, vt = decompose(x)
        n = int(s.shape[-1])
        none = s[..., 0] * 0.0
        rows = [
            stack([none if i == j else _product_but(s, (i, j)) for j in range(n)], axis=-1)
            for i in range(n)
        ]
        products = stack(rows, axis=-2)
        f = flip(u) @ d @ flip(vt)
        own = stack([f[..., k, k] for k in range(n)], axis=-1)
        one = library.array(np.eye(n))
        change = (products @ own[..., None]) * one - flip(f) * products
        return sign[..., None, None] * u @ change @ vt

    return along


BUILDERS: Mapping[str, Builder] = {
    "cofactors": _cofactors,
    "cofactors_along": _cofactors_along,
    "convolve": _convolve,
    "cross": _cross,
    "dot": _dot,
    "einsum": _einsum,
    "inner": lambda library, call: _contracted(library, call, (-1, -1)),
    "kron": _kron,
    "linalg.cholesky": _cholesky,
    "linalg.eigh": _eigen,
    "linalg.eigvalsh": _eigen,
    "linalg.norm": _norm,
    "linalg.pinv": _pseudo_inverse,
    "linalg.qr": _output_of("linalg.qr"),
    "linalg.slogdet": _output_of("linalg.slogdet"),
    "linalg.solve": lambda library, call: library.get("linalg.solve"),
    "linalg.svd": _output_of("linalg.svd", full_matrices=True),
    "linalg.svdvals": lambda library, call: singular_values(library),
    "matmul": lambda library, call: library.get("matmul"),
    "outer": _outer,
    "tensordot": _tensordot,
    "trace": _trace,
    "vdot": _vdot,
    "vecdot": _vecdot,
}

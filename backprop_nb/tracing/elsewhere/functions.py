"""How each function of the rule table is computed with another library.

What the Array API names is asked of the library; the rest is made of that here, so
that one text serves every library.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

import numpy as np

from backprop_nb.tracing.elsewhere import matrices, moving, reducing
from backprop_nb.tracing.elsewhere.library import LackingError, Library
from backprop_nb.tracing.emit.algebra import Expression
from backprop_nb.tracing.rules import PIECEWISE_CONSTANT, TABLE
from backprop_nb.tracing.rules.row import full_name

Call = Callable[..., Any]
Builder = Callable[[Library, Expression], Call]
_SMALL = np.dtype(np.float32)


def built(library: Library, call: Expression) -> Call:
    """Return what computes a call from arrays of the library.

    Raises
    ------
    LackingError
        If the library has no such function.
    """
    assert call.row is not None
    name = full_name(call.row.function).removeprefix("np.")
    if name in OPERATORS:
        return OPERATORS[name]
    if "form" in call.keywords:
        return _as_written(library, call, name)
    if name in BUILDERS:
        return BUILDERS[name](library, call)
    is_asked = isinstance(call.row.function, np.ufunc) and name not in _OF_ARRAYS
    if not call.keywords and (is_asked or name in _NO_UFUNCS):
        try:
            return library.get(_NAMES.get(name, name), name)
        except LackingError:
            pass
    if not call.keywords and name in MADE:
        return MADE[name](library)
    raise LackingError(full_name(call.row.function))


def missing(library: Library, call: Expression, compute: Call) -> Call | None:
    """Return what tells whether a call asks for an entry that is not there, if nothing else does.

    JAX takes NaN for it, which a comparison hides, or of whole numbers the smallest one.
    """
    assert call.row is not None
    name = full_name(call.row.function).removeprefix("np.")
    if name == "unravel_index":
        return _missing_of_shape(library, call)
    values = len(call.keywords.get("at", ()))
    at = call.operands[1 + values :]
    if name not in _AT_PLACES or all(np.asarray(each.value).dtype == bool for each in at):
        return None
    zeros, is_nan, any_of = (library.get(each) for each in ("zeros", "isnan", "any"))
    if not hasattr(zeros(1), "at"):
        return None

    def missed(*arrays: Any) -> Any:
        blank = [zeros(x.shape, dtype=library.dtype(_SMALL)) for x in arrays[: 1 + values]]
        return any_of(is_nan(compute(*blank, *arrays[1 + values :])))

    return missed


def _missing_of_shape(library: Library, call: Expression) -> Call:
    assert call.row is not None

    def missed(*arrays: Any) -> Any:
        args, options = call.keywords["form"].filled(arrays)
        given = dict(zip(("indices", "shape"), args, strict=False)) | options
        at, size = given["indices"], math.prod(np.atleast_1d(given["shape"]).tolist())
        return library.get("any")((at < 0) | (at >= size))

    return missed


def _as_written(library: Library, call: Expression, name: str) -> Call:
    """Return a call that carries no gradient, with options by their names."""
    assert call.row is not None
    form, output = call.keywords["form"], call.keywords.get("output")
    made = FLAT_MADE[name](library) if name in FLAT_MADE else None
    if made is None and name not in FLAT:
        raise LackingError(f"np.{name}")
    if made is not None:
        try:
            signature(made).bind(*form.args, **form.kwargs)
        except TypeError:  # an option that it has not
            raise LackingError(f"np.{name}") from None
    function = made or library.get(_NAMES.get(name, name), name)
    names, varies = list(call.row.parameters), call.row.shape_varies

    def compute(*arrays: Any) -> Any:
        args, options = form.filled(arrays)
        if made is None:
            count = len(arrays)
            options |= dict(zip(names[count:], args[count:], strict=False))
            args = args[:count]
        found = function(*args, **options)
        found = found if output is None else found[output]
        return library.sized(found) if varies else found

    return compute


FLAT = (
    *("all", "any", "argmax", "argmin", "ceil", "count_nonzero", "floor", "isinf"),
    *("logical_xor", "nonzero", "rint", "signbit"),
)
"""Functions without a slope that libraries have under NumPy's name, and with its options."""


def _round(library: Library) -> Call:
    to_whole = library.get("round")

    def divided(x: Any, scale: float) -> Any:
        # By a number JAX does not divide: it multiplies, and 3 / 10 is not 0.3 then.
        return x / (library.as_type(x != x, library.dtype_of(x)) + scale)

    def round_to(a: Any, decimals: int = 0) -> Any:
        scale = 10.0 ** abs(decimals)
        if decimals < 0:
            return to_whole(divided(a, scale)) * scale
        return divided(to_whole(a * scale), scale) if decimals else to_whole(a)

    return round_to


def _is_close(library: Library) -> Call:
    def is_close(
        a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
    ) -> Any:
        a, b = (library.array(x) if isinstance(x, list | tuple) else x for x in (a, b))
        near = (abs(a - b) <= atol + rtol * abs(b)) & (abs(b) < math.inf) | (a == b)
        return near | (a != a) & (b != b) if equal_nan else near

    return is_close


def _digitize(library: Library) -> Call:
    total = library.get("sum")

    def digitize(x: Any, bins: Any, right: bool = False) -> Any:
        # Under jax.jit an array of the library's own cannot be looked at.
        edges = (
            np.asarray(bins) if isinstance(bins, list | tuple | np.ndarray) else library.plain(bins)
        )
        each, bins = _of_one_type(library, x[..., None], bins)
        if edges.size and edges[0] > edges[-1]:
            passed = bins >= each if right else bins > each
        else:  # NaN comes last
            passed = ~(bins >= each) if right else ~(bins > each)
        return total(library.as_type(passed, np.dtype(int)), axis=-1)

    return digitize


def _matrix_rank(library: Library) -> Call:
    total, largest, values = (
        library.get("sum"),
        library.get("max"),
        matrices.singular_values(library),
    )

    def matrix_rank(A: Any, tol: Any = None, *, rtol: Any = None) -> Any:
        s = values(A)
        if rtol is None:
            rtol = max(A.shape[-2:]) * np.finfo(library.dtype_of(A)).eps
        least = rtol * largest(s, axis=-1, keepdims=True) if tol is None else tol
        return total(library.as_type(s > least, np.dtype(int)), axis=-1)

    return matrix_rank


def _of_one_type(library: Library, *arrays: Any) -> list[Any]:
    """Return arrays, or lists, in the type in which NumPy compares them: floats only if one is."""
    arrays = tuple(library.array(x) for x in arrays)
    wanted = np.result_type(*map(library.dtype_of, arrays))
    if wanted.kind == "b":  # no library searches among truth values
        wanted = np.dtype(int)
    return [library.as_type(x, wanted) for x in arrays]


def _search(library: Library) -> Call:
    search = library.get("searchsorted")

    def searched(a: Any, v: Any, side: str = "left") -> Any:
        a, v = _of_one_type(library, a, v)
        if library.is_lazy(v) and not v.shape:  # Dask looks for arrays only
            return search(a, v[None], side=side)[0]
        return search(a, v, side=side)

    return searched


def _is_in(library: Library) -> Call:
    any_of = library.get("any")

    def is_in(element: Any, test_elements: Any, *, invert: bool = False) -> Any:
        element, among = _of_one_type(library, element, test_elements)
        found = any_of(element[..., None] == library.flat(among), axis=-1)
        return ~found if invert else found

    return is_in


def _all_close(library: Library) -> Call:
    every, is_close = library.get("all"), _is_close(library)
    return lambda a, b, rtol=1e-05, atol=1e-08: every(is_close(a, b, rtol, atol))


def _array_equal(library: Library) -> Call:
    every = library.get("all")

    def array_equal(a1: Any, a2: Any) -> Any:
        a1, a2 = _of_one_type(library, a1, a2)
        return every(a1 == a2) if a1.shape == a2.shape else library.array(False)

    return array_equal


def _unravel_index(library: Library) -> Call:
    def unravel_index(indices: Any, shape: Any) -> Any:
        lengths = (shape,) if isinstance(shape, int) else shape
        steps = [math.prod(lengths[k + 1 :]) for k in range(len(lengths))]
        return [indices // step % n for step, n in zip(steps, lengths, strict=True)]

    return unravel_index


def _arg_where(library: Library) -> Call:
    places, stack = library.get("nonzero"), library.get("stack")
    return lambda a: stack([library.sized(each) for each in places(a)], axis=-1)


def _flat_nonzero(library: Library) -> Call:
    places = library.get("nonzero")
    return lambda a: places(library.flat(a))[0]


FLAT_MADE: Mapping[str, Callable[[Library], Call]] = {
    "allclose": _all_close,
    "around": _round,
    "argwhere": _arg_where,
    "array_equal": _array_equal,
    "digitize": _digitize,
    "fix": lambda library: lambda x: library.get("trunc")(x),
    "flatnonzero": _flat_nonzero,
    "isclose": _is_close,
    "isin": _is_in,
    "isneginf": lambda library: lambda x: x == -math.inf,
    "isposinf": lambda library: lambda x: x == math.inf,
    "linalg.matrix_rank": _matrix_rank,
    "round": _round,
    "searchsorted": _search,
    "unravel_index": _unravel_index,
}
"""Functions without a slope that libraries lack, or have with other options."""

OPERATORS: Mapping[str, Call] = {
    **{
        row.name: getattr(operator, f"__{row.operator}__")
        for row in (*TABLE.values(), *PIECEWISE_CONSTANT.values())
        if row.operator and row.function is not np.matmul
    },
    "float_power": operator.pow,
    "square": lambda x: x * x,
    "reciprocal": lambda x: 1.0 / x,
    **dict.fromkeys(("degrees", "rad2deg"), lambda x: x * (180.0 / math.pi)),
    **dict.fromkeys(("radians", "deg2rad"), lambda x: x * (math.pi / 180.0)),
}
"""What is an operator in every library; numbers beside it stay numbers of Python's."""

_NAMES = {
    "fabs": "abs",
    "arccos": "acos",
    "arccosh": "acosh",
    "arcsin": "asin",
    "arcsinh": "asinh",
    "arctan": "atan",
    "arctan2": "atan2",
    "arctanh": "atanh",
    "rint": "round",
}
_NO_UFUNCS = ("where", "sinc", "linalg.det", "linalg.inv")
"""What libraries have under NumPy's name besides the ufuncs."""
_OF_ARRAYS = ("fmax", "fmin", "heaviside")
"""What takes two arrays in PyTorch, where NumPy takes a number for one of them."""


def _made(f: Callable[..., Any]) -> Callable[[Library], Call]:
    """Return a function of the library and of arrays as one of the library."""
    return lambda library: lambda *arrays: f(library.get, *arrays)


def _sinc(get: Any, x: Any) -> Any:
    turned = get("where")(x == 0, 1e-20, math.pi * x)
    return get("sin")(turned) / turned


def _cube_root(get: Any, x: Any) -> Any:
    return get("sign")(x) * get("abs")(x) ** (1.0 / 3.0)


def _heaviside(get: Any, x: Any, half: Any) -> Any:
    zero, where = get("zeros_like")(x), get("where")
    step = where(x > 0, zero + 1.0, where(x < 0, zero, x))  # of NaN it is NaN
    return where(x == 0, half, step)


def _sigmoid(get: Any, x: Any) -> Any:
    small = get("exp")(-get("abs")(x))
    return get("where")(x >= 0, 1.0 / (1.0 + small), small / (1.0 + small))


def _prefers(choose: str) -> Callable[..., Any]:
    def either(get: Any, x: Any, y: Any) -> Any:
        nan_x, nan_y, where = get("isnan")(x), get("isnan")(y), get("where")
        return get(choose)(where(nan_x, y, x), where(nan_y, x, y))

    return either


MADE: Mapping[str, Callable[[Library], Call]] = {
    "cbrt": _made(_cube_root),
    "exp2": _made(lambda get, x: get("exp")(x * math.log(2.0))),
    "fmax": _made(_prefers("maximum")),
    "fmin": _made(_prefers("minimum")),
    "fmod": _made(lambda get, x, y: x - get("trunc")(x / y) * y),
    "heaviside": _made(_heaviside),
    "hypot": _made(lambda get, x, y: get("sqrt")(x * x + y * y)),
    "logaddexp2": _made(
        lambda get, x, y: get("logaddexp")(x * math.log(2.0), y * math.log(2.0)) / math.log(2.0)
    ),
    "sigmoid": _made(_sigmoid),
    "sinc": _made(_sinc),
}
"""What the Array API does not name, made of what it does."""


# --- element by element -----------------------------------------------------------------


def _clip(library: Library, call: Expression) -> Call:
    larger, smaller = library.get("maximum"), library.get("minimum")

    def clip(x: Any, low: Any = None, high: Any = None) -> Any:
        x = x if low is None else larger(x, low)
        return x if high is None else smaller(x, high)

    return clip


def _nan_to_num(library: Library, call: Expression) -> Call:
    where, is_nan = library.get("where"), library.get("isnan")
    limits = np.finfo(call.value.dtype)
    nan = call.keywords.get("nan", 0.0)
    top, bottom = call.keywords.get("posinf"), call.keywords.get("neginf")
    most = library.array(limits.max if top is None else top, call.value.dtype)
    least = library.array(limits.min if bottom is None else bottom, call.value.dtype)
    instead = library.array(nan, call.value.dtype)

    def replace(x: Any) -> Any:
        x = where(is_nan(x), instead, x)
        return where(x == math.inf, most, where(x == -math.inf, least, x))

    return replace


def _select(library: Library, call: Expression) -> Call:
    count, where = len(call.operands) // 2, library.get("where")

    def select(*arrays: Any) -> Any:
        chosen = arrays[-1]
        for k in reversed(range(count)):
            chosen = where(arrays[k], arrays[count + k], chosen)
        return chosen

    return select


def _astype(library: Library, call: Expression) -> Call:
    dtype = np.dtype(call.keywords["dtype"])
    library.dtype(dtype)  # which it may lack
    return lambda x: library.as_type(x, dtype)


_MOVING = (
    *("append", "array", "array_split", "atleast_1d", "atleast_2d", "atleast_3d", "block"),
    *("column_stack", "diag", "diagonal", "dsplit", "dstack", "expand_dims", "flip", "fliplr"),
    *("flipud", "hsplit", "hstack", "pad", "ravel", "repeat", "reshape", "roll", "rot90"),
    *("split", "squeeze", "take", "tile", "tril", "triu", "vsplit", "vstack"),
    "lib.stride_tricks.sliding_window_view",
)
_PERMUTING = ("matrix_transpose", "moveaxis", "rollaxis", "swapaxes", "transpose")

_AT_PLACES = ("assigned", "getitem", "take_along_axis")
"""What takes, or writes, entries at places that are computed as the program runs."""

BUILDERS: Mapping[str, Builder] = {
    **reducing.BUILDERS,
    **matrices.BUILDERS,
    **dict.fromkeys(_MOVING, moving.moved),
    **dict.fromkeys(_PERMUTING, moving.permuted),
    "add_along_axis": moving.added_along,
    "added_at": moving.added_up,
    "assigned": moving.assigned,
    "astype": _astype,
    "broadcast_to": moving.stretched,
    "clip": _clip,
    "concatenate": moving.joined,
    "getitem": moving.picked,
    "nan_to_num": _nan_to_num,
    "scatter_add": moving.added_at,
    "select": _select,
    "stack": moving.stacked,
    "take_along_axis": moving.taken_along,
}

"""Every public callable of the installed NumPy, called with traced arguments.

``python tests/tracing/sweep.py`` prints what came of each.  A callable without a line in
``FORMS`` is called in the general forms, those of them that plain NumPy accepts; so a
newer NumPy may bring callables that nobody here has heard of.
"""

import inspect
import io
import operator
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import trace
from backprop_nb.tracing.tape import Recorded, is_live, plain

STEP = 1e-6

# --- arguments ----------------------------------------------------------------------

ONE = np.array(0.6)
V = np.array([0.317, 0.843, 0.572])
M = np.array([[0.731, 0.241, 0.418], [0.167, 0.934, 0.339], [0.471, 0.212, 0.836]])
WIDE = np.array([[0.731, 0.241, 0.418, 0.623], [0.167, 0.934, 0.339, 0.512]])
CUBE = np.linspace(0.1, 0.9, 12).reshape(2, 3, 2) ** 1.5
SPD = M @ M.T + np.eye(3)
RISING = np.array([0.2, 0.45, 0.95])
MASK = np.array([True, False, True])
PLACES = np.array([0, 2, 0])
OF_BOTH_SIGNS = np.array([-0.7, 0.35, -0.2])


@dataclass(frozen=True)
class Form:
    """One call; every float array among the arguments, at any depth, is traced."""

    args: tuple
    kwargs: dict = field(default_factory=dict)


def form(*args, **kwargs):
    return Form(args, kwargs)


GENERAL = [
    *(form(V), form(M), form(V, V[::-1] + 0.1), form(M, M[::-1] + 0.1), form(M, V), form(M, 1)),
    *(form(V, 2), form(V + 1), form(V + 1, V[::-1] + 1), form(V, axis=0), form(ONE)),
    *(form([V, V]), form(V, V + 1, V + 2), form(CUBE), form(OF_BOTH_SIGNS)),
]
MOST = 4  # of the general forms

LINALG = {
    "cholesky": [form(SPD), form(SPD, upper=True)],
    "eigh": [form(SPD), form(SPD, "U")],
    "eigvalsh": [form(SPD)],
    "eig": [form(SPD)],
    "eigvals": [form(SPD)],
    "matrix_power": [form(M, 3), form(M, -1), form(M, 0)],
    "multi_dot": [form([M, M, V])],
    "norm": [form(M, k) for k in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)]
    + [form(V, k) for k in (None, 0, 1, 2, 3, 0.5, np.inf, -np.inf)]
    + [form(M, axis=1), form(M, None, 0, True)],
    "solve": [form(M, V), form(M, M)],
    "lstsq": [form(WIDE.T, V[[0, 1, 2, 0]]), form(WIDE.T, V[[0, 1, 2, 0]], rcond=None)],
    "svd": [form(M), form(WIDE, full_matrices=False), form(M, compute_uv=False)],
    "tensorinv": [form(np.eye(6).reshape(2, 3, 6) + 0.1)],
    "tensorsolve": [form(np.eye(6).reshape(2, 3, 6) + 0.1, CUBE[:, :, 0])],
    "qr": [form(M), form(WIDE.T), form(M, mode="r")],
    "pinv": [form(WIDE), form(M)],
    "cross": [form(V, V[::-1]), form(M, M[::-1])],
    "diagonal": [form(M), form(CUBE, offset=1)],
    "matrix_norm": [form(M), form(M, ord=2)],
    "vector_norm": [form(M), form(M, axis=1, ord=3)],
    "trace": [form(M), form(CUBE)],
}

POLYNOMIAL = {
    "polyval2d": [form(V, V, M)],
    "polyval3d": [form(V, V, V, CUBE)],
    "polygrid2d": [form(V, V, M)],
    "polygrid3d": [form(V, V, V, CUBE)],
    "polyvander2d": [form(V, V, [1, 2])],
    "polyvander3d": [form(V, V, V, [1, 1, 1])],
    "polyvander": [form(V, 2)],
    "polyfit": [form(RISING, V, 1)],
    "polyval": [form(V, V), form(ONE, V), form(V, M)],
    "polyvalfromroots": [form(V, V), form(ONE, [1.0, 2.0, 3.0])],
    "polyline": [form(ONE, 2.0), form(0.5, ONE)],
    "polypow": [form(V, 2)],
}

STRIDES = {
    "sliding_window_view": [form(V, 2), form(M, (2, 2)), form(M, 2, axis=0)],
    "as_strided": [form(V), form(V, (2, 2), (8, 8))],
}

FORMS = {
    "append": [form(V, V), form(M, M, axis=0), form(V, 1.0)],
    "apply_along_axis": [form(np.sum, 0, M), form(np.sort, 1, M)],
    "apply_over_axes": [form(np.sum, M, [0, 1])],
    "arange": [form(ONE), form(ONE, 3.0), form(0.0, 3.0, ONE)],
    "array": [form(V), form([ONE, 2.0]), form([V, V]), form(V, dtype=float), form(V, ndmin=2)],
    "asarray": [form(V), form([ONE, 2.0])],
    "array2string": [form(V)],
    "array_split": [form(V, 2), form(M, 2, axis=1)],
    "astype": [form(V, np.float32), form(V, int)],
    "average": [form(M), form(M, axis=0, weights=V), form(V, weights=V)],
    "base_repr": [form(5)],
    "bincount": [form(PLACES, V), form(PLACES, weights=V, minlength=4)],
    "block": [form([V, V]), form([[M, M], [M, M]])],
    "bmat": [form([[M, M]])],
    "broadcast_to": [form(V, (2, 3)), form(ONE, (2,))],
    "choose": [form(PLACES, [V, V + 1, V + 2])],
    "clip": [form(V, 0.4, 0.6), form(V, ONE, None), form(V, min=0.4)],
    "compress": [form(MASK, V), form(MASK, M, axis=1)],
    "concatenate": [form([V, V]), form([M, M], axis=1), form((V, [1.0]))],
    "convolve": [form(V, V), form(V, [1.0, -1.0], "valid")],
    "copyto": [form(V, V + 1), form(V, 0.0), form(np.zeros(3), V), form(V, 1.0, where=MASK)],
    "correlate": [form(V, V), form(V, V[:2], "full")],
    "cov": [form(M), form(V, V + 1)],
    "cross": [form(V, V[::-1]), form(M, M[::-1])],
    "cumulative_sum": [form(V), form(M, axis=0, include_initial=True)],
    "cumulative_prod": [form(V), form(M, axis=0)],
    "delete": [
        *(form(V, 1), form(M, [0, 2], axis=1), form(WIDE, 1, 1), form(WIDE, [0, 2], 1)),
        *(form(WIDE, slice(1, 3), 1), form(CUBE, [1], 1)),
    ],
    "diff": [form(V), form(M, 2, 0), form(V, prepend=0.0), form(V, append=ONE)],
    "digitize": [form(V, RISING)],
    "dsplit": [form(CUBE, 2)],
    "ediff1d": [form(V), form(V, 1.0, 2.0)],
    "einsum": [form("ij,j->i", M, V), form("ii", M), form(M, [0, 1], V, [1], [0])],
    "einsum_path": [form("ij,j->i", M, V)],
    "expand_dims": [form(V, 0), form(V, (0, 2))],
    "extract": [form(MASK, V)],
    "eye": [form(3)],
    "fill_diagonal": [form(M, 0.0), form(M, ONE), form(np.zeros((3, 3)), ONE)],
    "format_float_positional": [form(ONE)],
    "format_float_scientific": [form(ONE)],
    "frombuffer": [form(V)],
    "fromiter": [form(V, float)],
    "full": [form(3, ONE), form((2, 3), V), form(3, 1.0)],
    "full_like": [form(V, ONE), form(np.zeros(3), ONE), form(V, 1.0)],
    "geomspace": [form(ONE, 3.0, 4), form(V, V + 1, 3, axis=-1)],
    "gradient": [form(V), form(M), form(V, RISING), form(V, ONE), form(M, axis=0, edge_order=2)],
    "histogram": [form(V, 3), form(V, 2, (0.0, 1.0), weights=V), form(V, [0.0, 0.5, 1.0])],
    "histogram2d": [form(V, V, 2)],
    "histogram_bin_edges": [form(V, 2)],
    "histogramdd": [form(M, 2)],
    "hsplit": [form(WIDE, 2)],
    "insert": [
        *(form(V, 1, 0.5), form(V, 1, ONE), form(M, 1, V, axis=1), form(M, 0, V, axis=0)),
        *(form(M, [0, 2], V[:2], axis=1), form(CUBE, 1, 0.5, axis=1)),
    ],
    "interp": [form(V, RISING, V), form(ONE, [0.0, 1.0], [2.0, 3.0]), form([0.5], RISING, V)],
    "fix": [form(V), form(OF_BOTH_SIGNS)],
    "isin": [form(V, V)],
    "isneginf": [form(V)],
    "isposinf": [form(V)],
    "kron": [form(M, M), form(V, V)],
    "linspace": [form(ONE, 3.0, 4), form(0, ONE, 4), form(V, V + 1, 3), form(ONE, 2.0, 3, False)],
    "logspace": [form(ONE, 2.0, 4), form(0, ONE, 3, base=2.0)],
    "matvec": [form(M, V)],
    "vecmat": [form(V, M)],
    "max": [form(M), form(M, 0), form(V, initial=0.1), form(V, initial=0.1, where=MASK)],
    "min": [form(M), form(M, 0), form(V, initial=0.1), form(V, initial=0.1, where=MASK)],
    "mean": [form(M), form(M, 0), form(M, axis=1, keepdims=True), form(V, where=MASK)],
    "meshgrid": [form(V, V), form(V, V, indexing="ij")],
    "median": [form(V), form(M, axis=0)],
    "moveaxis": [form(CUBE, 0, -1)],
    "nan_to_num": [form(V), form(V, nan=1.0), form(V, copy=False)],
    "nancumsum": [form(V)],
    "nanpercentile": [form(V, 40), form(M, 30, axis=0)],
    "nanquantile": [form(V, 0.4), form(M, 0.3, axis=0)],
    "ndenumerate": [form(V)],
    "ones_like": [form(V)],
    "pad": [form(V, 1), form(M, ((1, 0), (0, 2)), "edge"), form(V, 1, constant_values=2.0)]
    + [form(V, 2, mode) for mode in ("reflect", "wrap", "symmetric", "mean", "linear_ramp")],
    "partition": [form(V, 1)],
    "argpartition": [form(V, 1)],
    "percentile": [form(V, 40), form(M, [20, 70], axis=1), form(V, 30, method="nearest")],
    "piecewise": [
        *(form(V, [V < 0.5, V >= 0.5], [np.square, np.sin]), form(V, [V < 0.5], [1, 2])),
        form(M, [M < 0.5], [np.square, 2.0]),
    ],
    "place": [form(V, MASK, [0.0]), form(V, MASK, V), form(np.zeros(3), MASK, V)],
    "polyadd": [form(V, V)],
    "polydiv": [form(V, V[:2])],
    "polyfit": [form(RISING, V, 1)],
    "polyval": [form(V, V), form(V, ONE), form([1.0, 2.0], V)],
    "prod": [form(M), form(M, 0), form(V, where=MASK), form(V, initial=2.0)],
    "put": [form(V, [0, 1], [0.5, 0.7]), form(V, 0, ONE), form(np.zeros(3), [0, 1], V[:2])],
    "put_along_axis": [form(M, PLACES[None], 0.0, 0), form(M, PLACES[None], V[None], 0)],
    "putmask": [form(V, MASK, 0.0), form(V, MASK, V), form(np.zeros(3), MASK, V)],
    "quantile": [form(V, 0.4), form(M, [0.2, 0.7], axis=1), form(V, ONE)],
    "ravel_multi_index": [form(([0, 1], [1, 0]), (2, 2))],
    "repeat": [form(V, 2), form(M, [1, 0, 2], axis=0)],
    "require": [form(V)],
    "reshape": [form(M, (9,)), form(V, (3, 1)), form(M, -1, order="F"), form(V, (3, 1), copy=True)],
    "resize": [form(V, (2, 3)), form(V, 5)],
    "roll": [form(V, 1), form(M, 1, axis=0)],
    "rollaxis": [form(CUBE, 2)],
    "round": [form(V), form(V, 1)],
    "save": [form(io.BytesIO(), V)],
    "savetxt": [form(io.StringIO(), V)],
    "savez": [form(io.BytesIO(), V)],
    "savez_compressed": [form(io.BytesIO(), V)],
    "searchsorted": [form(RISING, V), form(RISING, ONE), form([0.1, 0.9], V)],
    "select": [form([MASK, ~MASK], [V, V + 1]), form([MASK], [V], 2.0), form([MASK], [V], V)],
    # What two arrays share has no slope; what is removed, and stays, is in test_picking.py.
    "setdiff1d": [form(V, V + 1), form(M, [9.0]), form(V, V + 1, True)],
    "setxor1d": [form(V, V + 1), form(M, V + 1)],
    "intersect1d": [form(V, V + 1)],
    "split": [form(V, 3), form(M, [1], axis=1)],
    "std": [form(M), form(M, 0), form(V, ddof=1), form(V, where=MASK)],
    "var": [form(M), form(M, 0), form(V, ddof=1), form(V, where=MASK), form(V, mean=0.5)],
    "sum": [form(M), form(M, 0), form(V, where=MASK), form(V, initial=1.0), form(V, dtype=float)],
    "swapaxes": [form(CUBE, 0, 1)],
    "take": [form(V, [0, 2]), form(M, PLACES, axis=1), form(V, 5, mode="wrap")],
    "take_along_axis": [form(M, PLACES[None], 0)],
    "tensordot": [form(M, M), form(M, M, 1), form(M, V, axes=([1], [0]))],
    "tile": [form(V, 2), form(V, (2, 1))],
    "trapezoid": [form(V), form(V, RISING), form(M, dx=ONE), form(M, axis=0)],
    "transpose": [form(M), form(CUBE, (1, 2, 0))],
    "unravel_index": [form(3, (2, 2))],
    "unstack": [form(M), form(M, axis=1)],
    "vander": [form(V), form(V, 2, increasing=True)],
    "vdot": [form(V, V), form(M, M)],
    "vsplit": [form(M, 3)],
    "where": [form(MASK, V, V + 1), form(MASK, V, 0.0), form(V)],
    "zeros_like": [form(V)],
    "copysign": [form(V, OF_BOTH_SIGNS)],
    "ldexp": [form(V, 2)],
    "unwrap": [form(V * 9)],
    "sort_complex": [form(V)],
    "trim_zeros": [form(V)],
    "ix_": [form(MASK, [0, 1])],
    "i0": [form(V), form(ONE)],
    "kaiser": [form(3, ONE)],
    "mask_indices": [form(3, np.triu)],
    "cumsum": [form(V), form(M, 0), form(M, dtype=float)],
    "isclose": [form(V, V)],
    "poly1d": [form(V)],
}

METHODS = {
    "astype": [form(np.float32), form(int)],
    "byteswap": [form()],
    "choose": [form([V, V + 1, V + 2])],
    "clip": [form(0.4, 0.6), form(min=0.4)],
    "compress": [form(MASK)],
    "dot": [form(V)],
    "fill": [form(0.0), form(ONE)],
    "item": [form(0)],
    "partition": [form(1)],
    "argpartition": [form(1)],
    "put": [form([0, 1], [0.5, 0.7])],
    "repeat": [form(2)],
    "reshape": [form(3, 1), form((3, 1)), form(-1, order="F"), form(3, 1, copy=True)],
    "resize": [form(3, 1)],
    "round": [form(), form(1)],
    "searchsorted": [form(ONE)],
    "setfield": [form(1.0, float)],
    "getfield": [form(float)],
    "swapaxes": [form(0, -1)],
    "take": [form([0, 2])],
    "tofile": [],
    "dump": [],
    "view": [form(), form(float), form(np.uint8)],
    "transpose": [form(), form(0)],
    "to_device": [form("cpu")],
}

# Calls as a learner writes them out: what takes a function, and what is written in C and says
# nothing of the value that it cannot take.
WRITTEN_OUT = {
    "nditer": lambda x: list(np.nditer(x)),
    "frompyfunc": lambda x: np.frompyfunc(operator.neg, 1, 1)(x),
    "vectorize": lambda x: np.vectorize(lambda v: v * v)(x),
    "fromfunction": lambda x: np.fromfunction(lambda i, j: x[0, 0] * i + j, (2, 2)),
}

# They read or write files and settings, start something, or print.
LEFT_OUT = {
    *("test", "info", "show_config", "show_runtime", "get_include", "load", "loadtxt"),
    *("genfromtxt", "fromfile", "fromregex", "memmap", "set_printoptions", "seterr", "seterrcall"),
    *("setbufsize", "errstate", "printoptions", "iterable", "from_dlpack", "set_string_function"),
    *("nested_iters", "ndarray", "broadcast", "flatiter", "recarray", "record", "busdaycalendar"),
    *(
        "set_default_printstyle",
        "finfo",
        "iinfo",
        "ufunc",
        "void",
        "mintypecode",
        "character",
        "flexible",
        "empty_like",
    ),
}


# --- what is called -----------------------------------------------------------------


def callables() -> Iterator[tuple[str, object, list[Form]]]:
    """Yield each callable once: its name, itself, and the forms it is called in."""
    places: list[tuple[str, ModuleType, dict]] = [
        ("np", np, FORMS),
        ("np.linalg", np.linalg, LINALG),
        ("np.fft", np.fft, {}),
        ("np.polynomial", np.polynomial, {}),
        ("np.polynomial.polynomial", np.polynomial.polynomial, POLYNOMIAL),
        ("np.lib.stride_tricks", np.lib.stride_tricks, STRIDES),
        ("np.emath", np.emath, {"logn": [form(2, V)], "power": [form(V, 2)]}),
    ]
    seen: set[int] = set()
    for place, module, forms in places:
        for name in public(module):
            f = getattr(module, name)
            if not callable(f) or inspect.ismodule(f) or name in LEFT_OUT or id(f) in seen:
                continue
            seen.add(id(f))
            if name in WRITTEN_OUT:
                yield f"{place}.{name}", WRITTEN_OUT[name], [form(V), form(M)]
                continue
            yield f"{place}.{name}", f, [*forms.get(name, GENERAL), *_with_options(f)]
            if isinstance(f, np.ufunc) and f.nin == 2 and f.nout == 1 and not f.signature:
                yield from _ufunc_methods(f"{place}.{name}", f)
    for name in public(np.ndarray):
        if name not in LEFT_OUT:
            forms = METHODS.get(name, [form(), form(0)])
            yield f"ndarray.{name}", _method(name), [*_on(V, forms), *_on(M, forms)]


def _with_options(f) -> list[Form]:
    """Return forms of a ufunc with what every ufunc takes."""
    if not isinstance(f, np.ufunc) or f.nout > 1 or f.signature:
        return []
    args = (V + 0.1, V[::-1])[: f.nin]
    return [
        *(form(*args, dtype=float), form(*args, where=True), form(*args, casting="same_kind")),
        *(form(*args, out=V + 1), form(*args, out=V + 1, where=MASK), form(*args, None)),
    ]


def public(module) -> list[str]:
    return [name for name in sorted(dir(module)) if not name.startswith("_")]


def _ufunc_methods(name, ufunc) -> Iterator[tuple[str, object, list[Form]]]:
    yield f"{name}.reduce", ufunc.reduce, [form(M), form(M, axis=1, keepdims=True)]
    yield f"{name}.accumulate", ufunc.accumulate, [form(M), form(M, axis=1)]
    yield f"{name}.reduceat", ufunc.reduceat, [form(M, [0, 2, 1])]
    yield f"{name}.outer", ufunc.outer, [form(V, V[::-1] + 0.1), form(V, 2.0)]
    yield f"{name}.at", ufunc.at, [form(V, [0, 2, 0], ONE), form(V, 1, 0.5)]


def _method(name):
    member_of = operator.attrgetter(name)  # who uses getattr is run without a trace, too

    def call(x, *args, **kwargs):
        member = member_of(x)
        if name == "flat":  # an object of its own
            return member[:]
        return member(*args, **kwargs) if callable(member) else member

    return call


def _on(x, forms):
    return [Form((x, *each.args), each.kwargs) for each in forms]


# --- what comes of it ---------------------------------------------------------------


class WrongError(AssertionError):
    """A call with traced arguments that is neither right nor refused as it has to be."""


def outcomes(f, forms) -> list[str]:
    """Return what came of each form: ``"right"``, ``"flat"`` or ``"refused"``."""
    found = []
    used = 0
    for each in forms:
        is_general = any(each is known for known in GENERAL)
        if is_general and used == MOST:
            continue
        count = len(inputs_of(each))
        traced = [range(count), *([k] for k in range(count) if count > 1)]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            outcomes = [one_outcome(f, each, which) for which in traced]
        found += filter(None, outcomes)
        used += is_general and any(outcomes)
    return found


def inputs_of(call: Form) -> list:
    return [leaf for leaf in leaves([call.args, call.kwargs]) if is_input(leaf)]


def one_outcome(f, call: Form, which=None) -> str | None:
    """Call ``f`` plainly and traced, and compare; ``None`` if plain NumPy refuses the call.

    ``which`` says which of the float arrays are traced, if not all.
    """
    arrays = inputs_of(call)
    which = range(len(arrays)) if which is None else which
    inputs = [arrays[k] for k in which]

    def run(*given):
        """Return all that the call gives or changes."""
        chosen = dict(zip(which, given, strict=True))
        held = iter([chosen.get(k, each).copy() for k, each in enumerate(arrays)])
        args, kwargs = rebuilt([call.args, call.kwargs], held)
        result = f(*args, **kwargs)
        if isinstance(result, Iterator):
            result = list(result)
        return [*leaves(result), *(leaf for leaf in leaves([args, kwargs]) if is_input(leaf))]

    try:
        expected = run(*inputs)
    except Exception:
        return None
    if not all(map(_is_finite, expected)):
        return None
    kept = {}

    def whole(*given):
        # What an array holds that is written to is asked while the trace runs.
        found = [each.now() if is_live(each) else each for each in run(*given)]
        kept.setdefault("found", found)  # of the first run: a second one is without the tracer
        return sum(np.sum(each) for each in given) if given else 0.0

    try:
        trace(whole, *inputs)
    except BackpropError as error:
        if error.at is None or "sweep.py" not in error.at:
            raise WrongError(f"{call}: refused, but not at the line: {error}") from error
        return "refused"
    except Exception as error:
        raise WrongError(f"{call}: {type(error).__name__}: {error}") from error
    found = kept["found"]
    if len(found) != len(expected):
        raise WrongError(f"{call}: {len(found)} results in place of {len(expected)}")
    kinds = [
        _judge(call, run, inputs, k, each, right)
        for k, (each, right) in enumerate(zip(found, expected, strict=True))
    ]
    first = len(expected) - len(arrays)
    for k, (before, left) in enumerate(zip(arrays, expected[first:], strict=True)):
        if np.array_equal(before, left):  # an argument, and no result
            kinds[first + k] = "flat"
    return "right" if "right" in kinds else "flat"


def _judge(call, run, inputs, k, found, expected) -> str:
    """Compare one result with NumPy's, and its slope with central differences."""
    value = plain(found)
    if not isinstance(expected, np.ndarray | np.generic | int | float):
        if type(value) is not type(expected):
            raise WrongError(f"{call}: a {type(value).__name__}, not a {type(expected).__name__}")
        if isinstance(value, str) and value != expected:
            raise WrongError(f"{call}: {value!r} in place of {expected!r}")
        return "flat"
    kind = np.asarray(expected).dtype.kind
    same = np.asarray(value).dtype == np.asarray(expected).dtype if kind == "f" else True
    if np.shape(value) != np.shape(expected) or np.asarray(value).dtype.kind != kind or not same:
        raise WrongError(f"{call}: {value!r} in place of {expected!r}")
    if np.asarray(expected).dtype.kind not in "biuf":
        if np.asarray(expected).dtype.kind != "O" and not np.array_equal(value, expected):
            raise WrongError(f"{call}: {value!r} in place of {expected!r}")
        return "flat"
    tolerance = 1e-5 if np.asarray(expected).dtype == np.float32 else 1e-9
    if not np.allclose(value, expected, tolerance, tolerance):
        raise WrongError(f"{call}: {value!r} in place of {expected!r}")
    if np.asarray(expected).dtype.kind != "f" or not inputs:
        return "flat"
    rng = np.random.default_rng(k)
    seed = rng.normal(size=np.shape(expected))
    directions = [_direction(rng, each) for each in inputs]
    if isinstance(found, Recorded):
        graph = trace(lambda *given: run(*given)[k], *inputs)
        gradients = graph.backward(seed[()].astype(graph.value.dtype)).gradients
    else:
        gradients = [np.zeros(np.shape(each)) for each in inputs]
    if _is_single(expected):
        return "right"
    for place, (gradient, direction) in enumerate(zip(gradients, directions, strict=True)):
        ends = []
        for sign in (1, -1):
            moved = list(inputs)
            moved[place] = np.asarray(inputs[place] + sign * STEP * direction)
            ends.append(run(*moved)[k])
        slope = np.sum(seed * (np.subtract(*ends))) / (2 * STEP)
        if not np.allclose(np.sum(gradient * direction), slope, 1e-4, 1e-6):
            how = (
                "the slope" if isinstance(found, Recorded) else "detached without a word: the slope"
            )
            raise WrongError(f"{call}: {how} is {np.sum(gradient * direction)}, not {slope}")
    return "right" if isinstance(found, Recorded) else "flat"


def _direction(rng, x):
    """Return where to take a slope: what is symmetric stays so, by the stated convention."""
    direction = rng.normal(size=np.shape(x))
    symmetric = np.ndim(x) == 2 and len(x) == len(x.T) and np.array_equal(x, x.T)
    return direction + direction.T if symmetric else direction


def _is_single(value):
    return np.asarray(value).dtype == np.float32


def leaves(tree) -> list:
    """Return what lists, tuples and dicts hold, at any depth."""
    if isinstance(tree, list | tuple):
        return [leaf for each in tree for leaf in leaves(each)]
    if isinstance(tree, dict):
        return leaves(list(tree.values()))
    return [tree]


def rebuilt(tree, held):
    """Return the tree with the next of ``held`` in place of each input."""
    if isinstance(tree, list | tuple):
        return type(tree)(rebuilt(each, held) for each in tree)
    if isinstance(tree, dict):
        return {key: rebuilt(each, held) for key, each in tree.items()}
    if is_input(tree):
        return next(held)
    return tree.copy() if isinstance(tree, np.ndarray) else tree


def is_input(leaf) -> bool:
    return isinstance(leaf, np.ndarray | Recorded) and np.asarray(plain(leaf)).dtype.kind == "f"


def _is_finite(leaf) -> bool:
    floats = isinstance(leaf, np.ndarray | np.generic | float)
    return not floats or np.asarray(leaf).dtype.kind != "f" or bool(np.all(np.isfinite(leaf)))


# --- the table ----------------------------------------------------------------------


def summary(found: list[str]) -> str:
    """Return one word for a callable."""
    if not found:
        return "not called"
    kinds = set(found)
    if "refused" not in kinds:
        return "right" if "right" in kinds else "flat"
    return "refused" if kinds == {"refused"} else "right, some forms refused"


def main() -> None:
    counts: Counter[str] = Counter()
    lines: dict[str, list[str]] = {}
    for name, f, forms in callables():
        try:
            word = summary(outcomes(f, forms))
        except WrongError as error:
            word = "WRONG"
            print(f"{name}: {str(error)[:300]}", file=sys.stderr)
        counts[word] += 1
        lines.setdefault(word, []).append(name)
    print(f"NumPy {np.__version__}: {sum(counts.values())} callables")
    for word, count in counts.most_common():
        print(f"| {word} | {count} |")
    if "-v" in sys.argv:
        for word, names in lines.items():
            print(f"\n{word}: {', '.join(names)}")


if __name__ == "__main__":
    main()

"""Every row of the rule table: value, gradient, dtype, printed code, formula, second derivative."""

import functools
import inspect
import operator
import warnings
from dataclasses import dataclass, field

import matplotlib.mathtext
import numpy as np
import pytest

from backprop_nb.errors import BackpropWarning
from backprop_nb.tracing import sigmoid, trace
from backprop_nb.tracing.emit.rule import call_text
from backprop_nb.tracing.rules import TABLE, Form, Row
from backprop_nb.tracing.rules.ordering import add_along_axis
from backprop_nb.tracing.rules.running import horner
from backprop_nb.tracing.rules.shaping import getitem, scatter_add
from backprop_nb.tracing.rules.table import join

# What printed code may use besides the learner's names.
PRINTED_WITH = {
    "np": np,
    "sigmoid": sigmoid,
    "scatter_add": scatter_add,
    "horner": horner,
    "add_along_axis": add_along_axis,
}
STEP = 1e-5


@dataclass(frozen=True)
class Case:
    """One call of a row: the shape of each argument, or a float for a literal; and options."""

    arguments: tuple
    options: dict = field(default_factory=dict)


def case(*arguments, **options):
    return Case(arguments, options)


ONE_ARGUMENT = [case(()), case((3,)), case((2, 3)), case((0, 2))]
BROADCAST = [
    case((), ()),
    case((3,), (3,)),
    case((2, 3), (3,)),
    case((3,), (2, 3)),
    case((2, 1), (1, 3)),
    case((2, 3), ()),
    case((), (2, 3)),
    case((1,), (2, 3)),
    case((2, 1, 3), (4, 1)),
    case((0,), (1,)),
    case(2.0, (2, 3)),
    case((2, 3), 2.0),
    case((), 2.0),
    case(2.0, ()),
]
REDUCTION = [
    case(()),
    case((3,)),
    case((2, 3)),
    *(case((2, 3, 4), axis=axis) for axis in (0, -1, (0, 2), (-1, 0), ())),
    case((2, 3), keepdims=True),
    case((2, 3), axis=1, keepdims=True),
    case((2, 3, 4), axis=(2, 0), keepdims=True),
]
SPREADS = [
    case((3,)),
    case((2, 3)),
    *(case((4, 3, 5), axis=axis) for axis in (0, -1, (0, 2), (-1, 0))),
    case((2, 3), ddof=1),
    case((2, 3), axis=1, ddof=1, keepdims=True),
    case((2, 3, 4), axis=(2, 0), correction=1),
]
RUNNING = [
    *ONE_ARGUMENT,
    *(case((2, 3, 4), axis=axis) for axis in (0, 1, -1)),
    case((5,), axis=0),
    case((1,)),
]
ROWS_TWICE = np.array([0, 2, 0])
MASK = np.array([True, False, True])
INDEX = [
    case((4,), index=2),
    case((4,), index=-1),
    case((4,), index=slice(None, None, -2)),
    case((3, 4), index=(slice(1, 3), 0)),
    case((3, 4), index=(..., None, slice(0, 2))),
    case((3, 4), index=ROWS_TWICE),
    case((3, 4), index=(ROWS_TWICE, ROWS_TWICE)),
    case((3, 4), index=(slice(None), ROWS_TWICE)),
    case((3, 4), index=MASK),
    case((3, 4), index=MASK[:, None] & np.array([True, False, True, True])),
    case((3, 4), index=[2, 0, 2]),
    case((3, 4), index=[True, False, True]),
    case((3, 4), index=[]),
    case((3, 4), index=range(2)),
    case((3, 4), index=((0, 2, 0),)),
    case((3, 4), index=(slice(None), [0, 0])),
    case((3, 4), index=np.int64(1)),
    case((3, 4), index=np.array(1)),
    case((3,), index=True),
    case((3,), index=()),
    case((), index=()),
    case((), index=None),
]

# The functions of NumPy that work element by element.
PLAIN_UFUNCS = {
    row.name: row.function
    for row in TABLE.values()
    if isinstance(row.function, np.ufunc) and row.function.signature is None
}
ELEMENTWISE = {name: f for name, f in PLAIN_UFUNCS.items() if f.nin == 1}
PAIRWISE = {name: f for name, f in PLAIN_UFUNCS.items() if f.nin == 2}

CASES = {
    "power": [*BROADCAST, *(case((3,), exponent) for exponent in (0, 1, 2, 3, -1, 0.5))],
    **dict.fromkeys([*ELEMENTWISE, "sinc", "sigmoid"], ONE_ARGUMENT),
    **dict.fromkeys(PAIRWISE, BROADCAST),
    "nan_to_num": [*ONE_ARGUMENT, case((3,), nan=1.0, posinf=2.0, neginf=-2.0)],
    "sum": REDUCTION,
    "mean": REDUCTION,
    **dict.fromkeys(["max", "min", "ptp", "nansum", "nanmean"], REDUCTION),
    "prod": [
        *REDUCTION,
        case((0, 2), axis=1),
        case((2, 0)),
        case((3,), axis=(0,)),
        case((3,), axis=()),
        case((2, 3), axis=np.int64(1)),
    ],
    **dict.fromkeys(["var", "std"], SPREADS),
    **dict.fromkeys(["cumsum", "cumprod"], RUNNING),
    "horner": [
        case((2,), (3,), axis=0),
        case((0,), (1,), axis=0),
        case((2, 2), (3, 2), axis=0),
        case((2, 3), (2, 4), axis=1),
    ],
    "diff": [
        case((4,)),
        case((1,)),
        case((4,), n=2),
        case((4,), n=0),
        case((2,), n=3),
        case((3, 4)),
        case((3, 4), axis=0),
        case((3, 4, 2), n=3, axis=1),
    ],
    "trace": [
        case((3, 3)),
        case((2, 3)),
        case((0, 2)),
        *(case((3, 3), offset=k) for k in (1, -2, 4)),
        case((3, 2), offset=-1),
        case((3, 3), offset=1, axis1=1, axis2=0),
        case((2, 3, 4)),
        case((2, 3, 4), offset=1, axis1=-1, axis2=0),
    ],
    "average": [
        case((3,)),
        case((2, 3), axis=0),
        case((2, 3), (2, 3)),
        case((3,), (3,)),
        case((3,), [1.0, 2.0, 3.0]),
        case((2, 3), (2, 3), axis=1),
        case((2, 3), (3,), axis=1),
        case((2, 3), (2,), axis=0, keepdims=True),
        case((2, 3, 4), (4, 2), axis=(2, 0)),
        case((2, 3, 4), (3,), axis=-2),
    ],
    "clip": [
        case((), (), ()),
        case((2, 3), -1.0, 1.0),
        case((2, 3), (3,), (2, 1)),
        case((3,), (2, 3), 1.0),
        case((1,), -1.0, (2, 3)),
        case((3,), None, 1.0),
        case((3,), -1.0, None),
        case((3,), 2.0, -1.0),
    ],
    "matmul": [
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (3, 4)),
        case((2, 3), (3, 4)),
        case((1, 3), (3, 1)),
        case((5, 2, 3), (3,)),
        case((3,), (5, 3, 4)),
        case((5, 2, 3), (3, 4)),
        case((2, 3), (5, 3, 4)),
        case((5, 2, 3), (1, 3, 4)),
        case((6, 1, 2, 3), (5, 3, 4)),
    ],
    "outer": [case((2,), (3,)), case((), (3,)), case((2,), ()), case((2, 2), (3, 1))],
    "transpose": [
        case((3,)),
        case((2, 3)),
        case((2, 3, 4)),
        case((3,), axes=0),
        case((2, 3, 4), axes=(2, 0, 1)),
        case((2, 3, 4), axes=[2, 0, 1]),
        case((2, 3, 4), axes=np.array([2, 0, 1])),
        case((2, 3, 4), axes=(-1, 0, -2)),
    ],
    "swapaxes": [case((2, 3), axis1=0, axis2=1), case((2, 3, 4), axis1=-1, axis2=0)],
    "reshape": [
        case((), shape=(1, 1)),
        case((6,), shape=(2, 3)),
        case((6,), shape=[2, 3]),
        case((6,), shape=np.array([2, 3])),
        case((2, 3), shape=-1),
        case((2, 3, 2), shape=(3, -1)),
        case((2, 3), shape=(3, 2), order="F"),
    ],
    "ravel": [case(()), case((2, 3)), case((2, 3), order="F")],
    "expand_dims": [
        case((), axis=0),
        case((3,), axis=-1),
        case((3,), axis=(0, 2)),
        case((2, 3), axis=1),
    ],
    "broadcast_to": [
        case((), shape=(2, 3)),
        case((3,), shape=(2, 3)),
        case((2, 1), shape=(4, 2, 3)),
        case((3,), shape=(3,)),
    ],
    "getitem": INDEX,
    "astype": [case((), dtype=float), case((2, 3), dtype=np.float64)],
    "scatter_add": [
        case((), index=2, shape=(4,)),
        case((2,), index=slice(1, 3), shape=(4,)),
        case((3, 4), index=ROWS_TWICE, shape=(3, 4)),
        case((3,), index=(ROWS_TWICE, ROWS_TWICE), shape=(3, 4)),
        case((2, 4), index=MASK, shape=(3, 4)),
        case((3, 4), index=[0, 2, 0], shape=(3, 4)),
        case((), index=(), shape=()),
    ],
    "where": [
        case((), (), ()),
        case((3,), (3,), (3,)),
        case((3,), (), (3,)),
        case((3,), (3,), ()),
        case((3,), (), ()),
        case((), (3,), (2, 1)),
        case((2, 1), (3,), (1, 3)),
        case((2, 3), (2, 3), 0.0),
        case((2, 3), -1.0, ()),
    ],
}

# Every row, each way to write one and the same call.
FORMS = {
    **{
        name: [lambda x, f=f: f(x), lambda x, f=f: f(x, None, where=True, dtype=None)]
        for name, f in ELEMENTWISE.items()
    },
    **{
        name: [lambda x, y, f=f: f(x, y), lambda x, y, f=f: f(x, y, out=None, where=True)]
        for name, f in PAIRWISE.items()
    },
    "sinc": [lambda x: np.sinc(x), lambda x: np.sinc(x=x)],
    "absolute": [lambda x: np.abs(x), lambda x: np.absolute(x), lambda x: abs(x)],
    "remainder": [
        lambda x, y: x % y,
        lambda x, y: np.mod(x, y),
        lambda x, y: np.remainder(x, y),
    ],
    "nan_to_num": [lambda x: np.nan_to_num(x), lambda x: np.nan_to_num(x=x)],
    "add": [lambda x, y: x + y, lambda x, y: np.add(x, y)],
    "subtract": [lambda x, y: x - y, lambda x, y: np.subtract(x, y)],
    "multiply": [lambda x, y: x * y, lambda x, y: np.multiply(x, y)],
    "divide": [
        lambda x, y: x / y,
        lambda x, y: np.divide(x, y),
        lambda x, y: np.true_divide(x, y),
    ],
    "power": [lambda x, y: x**y, lambda x, y: np.power(x, y), lambda x, y: pow(x, y)],
    "negative": [lambda x: -x, lambda x: np.negative(x)],
    "positive": [lambda x: +x, lambda x: np.positive(x)],
    "sigmoid": [lambda x: sigmoid(x), lambda x: sigmoid(x=x)],
    **{
        name: [
            lambda x, f=f: f(x, 0),
            lambda x, f=f: f(x, axis=0),
            lambda x, f=f: f(a=x, axis=0),
            lambda x, f=f: f(x, 0, None, None, False),
            lambda x, name=name: getattr(x, name)(0),
            lambda x, name=name: getattr(x, name)(axis=0, keepdims=False),
        ]
        for name, f in {"sum": np.sum, "mean": np.mean}.items()
    },
    **{
        name: [
            lambda x, f=f: f(x, 0),
            lambda x, f=f: f(x, axis=0),
            lambda x, f=f: f(a=x, axis=0),
            lambda x, f=f: f(x, 0, None, False),
            lambda x, alias=alias: alias(x, axis=0),
            lambda x, name=name: getattr(x, name)(0),
            lambda x, name=name: getattr(x, name)(axis=0, keepdims=False),
        ]
        for name, f, alias in (("max", np.max, np.amax), ("min", np.min, np.amin))
    },
    **{
        name: [
            lambda x, f=f: f(x, 0),
            lambda x, f=f: f(x, axis=0),
            lambda x, f=f: f(a=x, axis=0, dtype=None, out=None),
        ]
        for name, f in {"nansum": np.nansum, "nanmean": np.nanmean}.items()
    },
    **{
        name: [
            lambda x, f=f: f(x, 0),
            lambda x, f=f: f(x, axis=0),
            lambda x, f=f: f(a=x, axis=0, dtype=None, out=None),
            lambda x, name=name: getattr(x, name)(0),
            lambda x, name=name: getattr(x, name)(axis=0),
        ]
        for name, f in {"prod": np.prod, "cumsum": np.cumsum, "cumprod": np.cumprod}.items()
    },
    **{
        name: [
            lambda x, f=f: f(x, 0, None, None, 1),
            lambda x, f=f: f(x, axis=0, ddof=1),
            lambda x, f=f: f(a=x, ddof=1, axis=0, keepdims=False),
            lambda x, name=name: getattr(x, name)(0, ddof=1),
            lambda x, name=name: getattr(x, name)(axis=0, ddof=1),
        ]
        for name, f in {"var": np.var, "std": np.std}.items()
    },
    "horner": [
        lambda x, y: horner(x[1:], y, 0),
        lambda x, y: horner(x[1:], y, axis=0),
        lambda x, y: horner(steps=x[1:], g=y, axis=0),
    ],
    "diff": [lambda x: np.diff(x, 2, 0), lambda x: np.diff(x, axis=0, n=2)],
    "trace": [
        lambda x: np.trace(x, 1),
        lambda x: np.trace(x, offset=1),
        lambda x: np.trace(a=x, offset=1, dtype=None),
        lambda x: x.trace(1),
        lambda x: x.trace(offset=1),
    ],
    "average": [
        lambda x, y: np.average(x, 0, y),
        lambda x, y: np.average(x, axis=0, weights=y),
        lambda x, y: np.average(a=x, weights=y, axis=0, returned=False, keepdims=False),
    ],
    "ptp": [
        lambda x: np.ptp(x, 0),
        lambda x: np.ptp(x, axis=0),
        lambda x: np.ptp(a=x, axis=0, out=None, keepdims=False),
    ],
    "clip": [
        lambda x: np.clip(x, -1.0, 1.0),
        lambda x: np.clip(x, a_min=-1.0, a_max=1.0),
        lambda x: np.clip(a=x, a_max=1.0, a_min=-1.0),
        lambda x: x.clip(-1.0, 1.0),
        lambda x: x.clip(max=1.0, min=-1.0),
    ],
    "matmul": [lambda x, y: x @ y.T, lambda x, y: np.matmul(x, y.T)],
    "outer": [
        lambda x, y: np.outer(x, y),
        lambda x, y: np.outer(x, b=y),
        lambda x, y: np.outer(b=y, a=x),
    ],
    "transpose": [
        lambda x: x.T,
        lambda x: x.transpose(),
        lambda x: x.transpose(None),
        lambda x: np.transpose(x),
        lambda x: np.transpose(x, None),
        lambda x: np.transpose(a=x, axes=None),
    ],
    "swapaxes": [
        lambda x: x.swapaxes(0, 1),
        lambda x: np.swapaxes(x, 0, 1),
        lambda x: np.swapaxes(x, axis2=1, axis1=0),
    ],
    "reshape": [
        lambda x: x.reshape(3, 2),
        lambda x: x.reshape((3, 2)),
        lambda x: x.reshape([3, 2], order="C"),
        lambda x: np.reshape(x, (3, 2)),
        lambda x: np.reshape(x, shape=np.array([3, 2])),
        lambda x: np.reshape(x, (3, 2), "C"),
    ],
    "ravel": [
        lambda x: x.ravel(),
        lambda x: x.ravel("C"),
        lambda x: x.flatten(),
        lambda x: np.ravel(x),
        lambda x: np.ravel(a=x, order="C"),
    ],
    "expand_dims": [
        lambda x: np.expand_dims(x, 0),
        lambda x: np.expand_dims(x, axis=0),
        lambda x: np.expand_dims(axis=0, a=x),
    ],
    "broadcast_to": [
        lambda x: np.broadcast_to(x, (4, 2, 3)),
        lambda x: np.broadcast_to(x, shape=[4, 2, 3]),
        lambda x: np.broadcast_to(array=x, shape=(4, 2, 3), subok=False),
    ],
    "astype": [lambda x: x.astype(np.float32), lambda x: x.astype(dtype=np.float32)],
    "getitem": [lambda x: x[(0,)], lambda x: x.__getitem__((0,))],
    "scatter_add": [
        lambda x: scatter_add(x, 0, (2, 2, 3)),
        lambda x: scatter_add(x, index=0, shape=(2, 2, 3)),
        lambda x: scatter_add(g=x, index=0, shape=(2, 2, 3)),
    ],
    "where": [lambda x, y: np.where(np.ones(3, bool), x, y)],
}


JOINED = [case((3,), (3,)), case((2, 3), (2, 3)), case((2, 3), (2, 3), (2, 3))]
PIECES = [
    case((6,), indices_or_sections=3, piece=1),
    case((6, 2), indices_or_sections=[1, 4], piece=2),
]
ORDERED = np.array([[2, 0, 1], [1, 1, 0]])

CASES |= {
    "dot": [
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (3, 4)),
        case((2, 3), (3, 4)),
        case((), (2, 3)),
        case((2, 3), ()),
        case(2.0, (2, 3)),
        case((3,), 2.0),
        case((5, 2, 3), (3,)),
        case((3,), (5, 3, 4)),
        case((5, 2, 3), (3, 4)),
        case((2, 3), (5, 3, 4)),
        case((2, 5, 3), (4, 3, 2)),
    ],
    "vdot": [case((3,), (3,)), case((2, 3), (3, 2)), case((), ()), case(2.0, ())],
    "inner": [
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (2, 3)),
        case((2, 3), (4, 3)),
        case((), (2, 3)),
        case((2, 3), 2.0),
        case((5, 2, 3), (3,)),
        case((5, 2, 3), (4, 3)),
        case((2, 3), (5, 4, 3)),
        case((3,), (5, 4, 3)),
    ],
    "vecdot": [
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3,), (2, 3)),
        case((2, 1, 3), (4, 3)),
        case((3, 2), (3, 2), axis=0),
    ],
    "tensordot": [
        case((2, 3, 4), (3, 4, 2)),
        case((2, 3), (3, 4), axes=1),
        case((2,), (3,), axes=0),
        case((2, 3, 4), (4, 5, 3), axes=((1, 2), (2, 0))),
        case((2, 3, 4), (4, 5, 3), axes=([-1, 1], [0, -1])),
        case((2, 3), (4, 3), axes=(-1, -1)),
        case((2, 3), (2, 3), axes=2),
    ],
    "einsum": [
        case((2, 3), (3,), subscripts="ij,j"),
        case((2, 3), (3, 4), subscripts="ij,jk->ik"),
        case((2, 3), (3, 4), subscripts="ij, jk -> ki"),
        case((3,), (4,), subscripts="i,j->ji"),
        case((2, 3), subscripts="ij->ji"),
        case((2, 3), subscripts="ij->i"),
        case((2, 3), subscripts="ij->"),
        case((3, 3), subscripts="ii"),
        case((3, 3), subscripts="ii->i"),
        case((3, 3, 2), (3,), subscripts="iij,i->j"),
        case((5, 2, 3), (5, 3, 4), subscripts="...ij,...jk->...ik"),
        case((5, 2, 3), (3, 4), subscripts="...ij,...jk"),
        case((1, 2, 3), (5, 3), subscripts="...ij,...j->i..."),
        case((2, 3), (3,), (2,), subscripts="ij,j,i->"),
        case((2, 3), (), subscripts="ij,->j"),
        case((2, 3), 2.0, subscripts="ij,->ij"),
    ],
    "kron": [
        case((2,), (3,)),
        case((2, 2), (1, 3)),
        case((2, 3), (2,)),
        case((2,), (3, 2)),
        case((), (2,)),
        case((2,), 2.0),
    ],
    "cross": [
        case((3,), (3,)),
        case((4, 3), (3,)),
        case((3,), (4, 3)),
        case((3, 4), (3, 4), axis=0),
        case((3, 4), (4, 3), axisa=0, axisc=0),
        case((2, 1, 3), (3, 4), axisb=0),
    ],
    "norm": [
        case((3,)),
        case((2, 3)),
        case((2, 3, 4)),
        case((3,), ord=2),
        case((3,), ord=1),
        case((3,), ord=np.inf),
        case((2, 3), ord="fro"),
        case((2, 3), axis=1),
        case((2, 3), ord=1, axis=0),
        case((2, 3), ord=np.inf, axis=-1, keepdims=True),
        case((2, 3, 4), axis=(0, 2)),
        case((2, 3), keepdims=True),
    ],
    "inv": [case((2, 2)), case((3, 3)), case((4, 2, 2))],
    "solve": [
        case((2, 2), (2,)),
        case((2, 2), (2, 3)),
        case((4, 2, 2), (2,)),
        case((4, 2, 2), (4, 2, 3)),
        case((4, 2, 2), (2, 3)),
        case((2, 2), (4, 2, 3)),
    ],
    "det": [case((2, 2)), case((3, 3)), case((4, 2, 2))],
    "slogdet": [case((2, 2), piece=1), case((3, 3), piece=1), case((4, 2, 2), piece=1)],
    "matrix_transpose": [case((2, 3)), case((4, 2, 3))],
    "concatenate": [
        *JOINED,
        case((2, 3), (1, 3)),
        case((2, 3), (2, 1), axis=1),
        case((2, 3), (2, 0), (2, 1), axis=-1),
        case((2, 3), (2,), axis=None),
    ],
    "stack": [*JOINED, case((), ()), case((), 1.0), case((2, 3), (2, 3), axis=-1)],
    "hstack": [*JOINED, case((), (3,)), case((2, 3), (2, 1)), case((), 1.0)],
    "vstack": [*JOINED, case((3,), (2, 3)), case((), ())],
    "dstack": [*JOINED, case((2, 3), (2, 3, 2)), case((), ())],
    "column_stack": [*JOINED, case((3,), (3, 2)), case((), ())],
    "append": [case((3,), ()), case((2, 3), (4,)), case((2, 3), (1, 3), axis=0), case((3,), 1.0)],
    "block": [
        case((2, 2), (2, 1), (1, 2), (1, 1), plan=lambda a, b, c, d: [[a, b], [c, d]]),
        case((2,), (), plan=lambda a, b: [a, b]),
        case((3,), plan=lambda a: a),
        case((2, 0), (2, 1), plan=lambda a, b: [a, b]),
    ],
    "split": [
        *PIECES,
        case((2, 6), indices_or_sections=2, axis=-1, piece=0),
        case((6,), indices_or_sections=np.array([2, 9]), piece=1),
        case((6,), indices_or_sections=(4, 2, -1), piece=2),
        case((6,), indices_or_sections=(4, 2, -1), piece=1),
    ],
    "array_split": [*PIECES, *(case((8,), indices_or_sections=3, piece=k) for k in range(3))],
    "hsplit": [*PIECES[:1], case((2, 6), indices_or_sections=[2], piece=1)],
    "vsplit": [case((6, 2), indices_or_sections=3, piece=1)],
    "dsplit": [case((2, 1, 6), indices_or_sections=3, piece=1)],
    "squeeze": [
        case((1, 3, 1)),
        case((1, 3, 1), axis=0),
        case((1, 3, 1), axis=(0, -1)),
        case((2, 3)),
        case((1, 1)),
    ],
    **{f"atleast_{n}d": [case(()), case((3,)), case((2, 3)), case((2, 3, 4))] for n in (1, 2, 3)},
    "tril": [case((3, 3)), case((2, 3), k=1), case((2, 3, 3), k=-1), case((3,))],
    "triu": [case((3, 3)), case((2, 3), k=1), case((2, 3, 3), k=-1), case((3,))],
    "select": [
        case(MASK, (3,), (), conditions=1),
        case(MASK, (3,), 0, conditions=1),
        case(MASK, ~MASK, (3,), (2, 3), 1.0, conditions=2),
        case(MASK, MASK, (2, 1), 0.0, (), conditions=2),
    ],
    "moveaxis": [
        case((2, 3, 4), source=0, destination=-1),
        case((2, 3, 4), source=(0, 1), destination=(2, 0)),
        case((2, 3, 4), source=[0, 1], destination=[-1, -2]),
    ],
    "rollaxis": [
        *(case((2, 3, 4), axis=axis, start=k) for axis in (0, 1, -1) for k in (0, 1, 3, -1)),
        case((2, 3, 4), axis=2),
    ],
    "roll": [
        case((5,), shift=2),
        case((2, 3), shift=-1),
        case((2, 3), shift=1, axis=-1),
        case((2, 3), shift=(1, 2), axis=(0, 1)),
        case((2, 3), shift=2, axis=(0, 1)),
    ],
    "rot90": [case((2, 3)), case((2, 3), k=2), case((2, 3, 4), k=-1, axes=(1, 2))],
    "flip": [case((3,)), case((2, 3)), case((2, 3), axis=-1), case((2, 3, 4), axis=(0, 2))],
    "fliplr": [case((2, 3))],
    "flipud": [case((2, 3)), case((3,))],
    "take_along_axis": [
        case((2, 3), ORDERED),
        case((3, 2), ORDERED.T, axis=0),
        case((2, 3), np.array([[1]]), axis=1),
        case((2, 3), np.array([[0, -1]]), axis=-1),
    ],
    "add_along_axis": [
        case((2, 3), ORDERED, axis=-1, shape=(2, 3)),
        case((3, 2), ORDERED.T, axis=0, shape=(4, 2)),
        case((2, 1), np.array([[1]]), axis=1, shape=(2, 3)),
    ],
    "sort": [case((4,)), case((2, 3)), case((4, 2), axis=0), case((2, 3), axis=None)],
    "partition": [
        case((5,), kth=2),
        case((3, 5), kth=(1, -1)),
        case((5, 2), kth=1, axis=0),
        case((2, 3), kth=2, axis=None),
    ],
    "diag": [
        case((3,)),
        case((3,), k=-1),
        case((3, 3)),
        case((3, 3), k=1),
        case((2, 4), k=1),
        case((4, 2), k=-1),
    ],
    "diagonal": [
        case((3, 3)),
        case((2, 4), offset=1),
        case((4, 2), offset=-1),
        case((2, 3, 4), axis1=0, axis2=2),
        case((2, 3, 4), axis1=-1, axis2=1, offset=1),
    ],
    "tile": [
        case((3,), reps=2),
        case((3,), reps=(2, 2)),
        case((2, 3), reps=2),
        case((2, 3), reps=(2, 1, 3)),
        case((), reps=3),
    ],
    "repeat": [
        case((3,), repeats=2),
        case((2, 3), repeats=2),
        case((2, 3), repeats=2, axis=-1),
        case((2, 3), repeats=[2, 0, 1], axis=1),
        case((3,), repeats=np.array([0, 2, 1])),
        case((3,), repeats=[2]),
        case((), repeats=3),
        case((3,), repeats=0),
    ],
    "pad": [
        case((3,), pad_width=1),
        case((3,), pad_width=(1, 2), constant_values=1.5),
        case((2, 3), pad_width=((1, 0), (0, 2))),
        case((2, 3), pad_width=((1, 2),)),
        *(
            case((3, 4), pad_width=((1, 0), (2, 3)), mode=mode)
            for mode in ("edge", "reflect", "symmetric", "wrap")
        ),
    ],
    "take": [
        case((4,), indices=2),
        case((4,), indices=[0, 2, 0]),
        case((2, 3), indices=[5, 0, -1]),
        case((3, 4), indices=ROWS_TWICE, axis=0),
        case((3, 4), indices=[[0, 1], [1, 1]], axis=-1),
        case((3, 4), indices=np.array(1), axis=1),
        case((3,), indices=[4, -4], mode="wrap"),
        case((3,), indices=[4, -4], mode="clip"),
    ],
}

# Functions that are not called with one array after the other.
CALLED = {
    "average": lambda x, weights=None, **options: np.average(x, weights=weights, **options),
    "einsum": lambda *arrays, subscripts: np.einsum(subscripts, *arrays),
    "append": np.append,
    "block": lambda *arrays, plan: np.block(plan(*arrays)),
    "select": lambda *arrays, conditions: np.select(
        list(arrays[:conditions]), list(arrays[conditions:-1]), arrays[-1]
    ),
    "slogdet": lambda x, piece: np.linalg.slogdet(x)[piece],
    **{
        f.__name__: lambda *arrays, f=f, **options: f(arrays, **options)
        for f in (np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.column_stack)
    },
    **{
        f.__name__: lambda x, piece, f=f, **options: f(x, **options)[piece]
        for f in (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit)
    },
}

FORMS |= {
    "dot": [
        lambda x, y: np.dot(x, y.T),
        lambda x, y: np.dot(a=x, b=y.T),
        lambda x, y: np.dot(x, y.T, out=None),
        lambda x, y: x.dot(y.T),
    ],
    "vdot": [lambda x, y: np.vdot(x, y)],
    "inner": [lambda x, y: np.inner(x, y)],
    "vecdot": [lambda x, y: np.vecdot(x, y), lambda x, y: np.linalg.vecdot(x, y)],
    "tensordot": [
        lambda x, y: np.tensordot(x, y, (1, 1)),
        lambda x, y: np.tensordot(a=x, b=y, axes=[1, 1]),
        lambda x, y: np.linalg.tensordot(x, y, axes=(1, 1)),
    ],
    "einsum": [
        lambda x, y: np.einsum("ij,kj->ik", x, y),
        lambda x, y: np.einsum(" ij, kj -> ik ", x, y, optimize=False),
    ],
    "kron": [lambda x, y: np.kron(x, y), lambda x, y: np.kron(a=x, b=y)],
    "cross": [
        lambda x, y: np.cross(x, y),
        lambda x, y: np.cross(a=x, b=y),
        lambda x, y: np.cross(x, y, axis=None),
    ],
    "norm": [
        lambda x: np.linalg.norm(x, 2, 1, True),
        lambda x: np.linalg.norm(x, ord=2, axis=1, keepdims=True),
        lambda x: np.linalg.norm(x=x, axis=1, keepdims=True, ord=2),
    ],
    "inv": [lambda x: np.linalg.inv(x[:, :2]), lambda x: np.linalg.inv(a=x[:, :2])],
    "solve": [
        lambda x, y: np.linalg.solve(x[:, :2], y),
        lambda x, y: np.linalg.solve(b=y, a=x[:, :2]),
    ],
    "det": [lambda x: np.linalg.det(x[:, :2]), lambda x: np.linalg.det(a=x[:, :2])],
    "slogdet": [
        lambda x: np.linalg.slogdet(x[:, :2])[1],
        lambda x: np.linalg.slogdet(a=x[:, :2]).logabsdet,
    ],
    "matrix_transpose": [
        lambda x: x.mT,
        lambda x: np.matrix_transpose(x),
        lambda x: np.linalg.matrix_transpose(x),
    ],
    "concatenate": [
        lambda x, y: np.concatenate([x, y], 1),
        lambda x, y: np.concatenate((x, y), axis=1),
        lambda x, y: np.concat([x, y], axis=1),
    ],
    "stack": [
        lambda x, y: np.stack([x, y], 1),
        lambda x, y: np.stack((x, y), axis=1, out=None),
        lambda x, y: np.stack(arrays=[x, y], axis=1),
    ],
    "hstack": [lambda x, y: np.hstack([x, y]), lambda x, y: np.hstack(tup=(x, y))],
    "vstack": [lambda x, y: np.vstack([x, y]), lambda x, y: np.vstack(tup=(x, y))],
    "dstack": [lambda x, y: np.dstack([x, y]), lambda x, y: np.dstack(tup=(x, y))],
    "column_stack": [
        lambda x, y: np.column_stack([x, y]),
        lambda x, y: np.column_stack(tup=(x, y)),
    ],
    "append": [
        lambda x, y: np.append(x, y, 0),
        lambda x, y: np.append(arr=x, values=y, axis=0),
    ],
    "block": [lambda x, y: np.block([x, y]), lambda x, y: np.block(arrays=[x, y])],
    "split": [
        lambda x: np.split(x, 3, 1)[2],
        lambda x: np.split(x, axis=1, indices_or_sections=3)[-1],
        lambda x: np.split(ary=x, indices_or_sections=3, axis=1)[2],
    ],
    "array_split": [
        lambda x: np.array_split(x, 2, 1)[1],
        lambda x: np.array_split(ary=x, indices_or_sections=2, axis=1)[1],
    ],
    "hsplit": [lambda x: np.hsplit(x, [1])[1], lambda x: np.hsplit(x, np.array([1]))[1]],
    "vsplit": [lambda x: np.vsplit(x, 2)[1], lambda x: np.vsplit(x, indices_or_sections=2)[1]],
    "dsplit": [lambda x: np.dsplit(x[None], 3)[2]],
    "squeeze": [
        lambda x: np.squeeze(x[None], 0),
        lambda x: np.squeeze(a=x[None], axis=0),
        lambda x: x[None].squeeze(0),
        lambda x: x[None].squeeze(axis=0),
    ],
    **{f.__name__: [lambda x, f=f: f(x)] for f in (np.atleast_1d, np.atleast_2d, np.atleast_3d)},
    "tril": [lambda x: np.tril(x, 1), lambda x: np.tril(m=x, k=1)],
    "triu": [lambda x: np.triu(x, 1), lambda x: np.triu(m=x, k=1)],
    "select": [
        lambda x, y: np.select([MASK, ~MASK], [x, y], 0),
        lambda x, y: np.select((MASK, ~MASK), (x, y)),
        lambda x, y: np.select(condlist=[MASK, ~MASK], choicelist=[x, y], default=0),
    ],
    "moveaxis": [
        lambda x: np.moveaxis(x, 0, 1),
        lambda x: np.moveaxis(a=x, source=0, destination=1),
    ],
    "rollaxis": [lambda x: np.rollaxis(x, 1, 0), lambda x: np.rollaxis(a=x, axis=1, start=0)],
    "roll": [lambda x: np.roll(x, 1, 0), lambda x: np.roll(a=x, shift=1, axis=0)],
    "rot90": [lambda x: np.rot90(x, 3, (1, 0)), lambda x: np.rot90(m=x, k=3, axes=[1, 0])],
    "flip": [lambda x: np.flip(x, 0), lambda x: np.flip(m=x, axis=0)],
    "fliplr": [lambda x: np.fliplr(x), lambda x: np.fliplr(m=x)],
    "flipud": [lambda x: np.flipud(x), lambda x: np.flipud(m=x)],
    "take_along_axis": [
        lambda x: np.take_along_axis(x, ORDERED, 1),
        lambda x: np.take_along_axis(arr=x, indices=ORDERED, axis=1),
    ],
    "add_along_axis": [
        lambda x: add_along_axis(x, ORDERED, 1, (2, 3)),
        lambda x: add_along_axis(g=x, indices=ORDERED, axis=1, shape=[2, 3]),
    ],
    "sort": [
        lambda x: np.sort(x, 0),
        lambda x: np.sort(a=x, axis=0, kind="stable"),
        lambda x: np.sort(x, 0, None, None),
    ],
    "partition": [
        lambda x: np.partition(x, 1, 0),
        lambda x: np.partition(a=x, kth=1, axis=0, kind="introselect"),
    ],
    "diag": [lambda x: np.diag(x, 1), lambda x: np.diag(v=x, k=1)],
    "diagonal": [
        lambda x: np.diagonal(x, 1, 0, 1),
        lambda x: np.diagonal(a=x, offset=1, axis1=0, axis2=1),
        lambda x: x.diagonal(1, 0, 1),
        lambda x: x.diagonal(offset=1, axis1=0, axis2=1),
    ],
    "tile": [lambda x: np.tile(x, (2, 1)), lambda x: np.tile(A=x, reps=[2, 1])],
    "repeat": [
        lambda x: np.repeat(x, 2, 0),
        lambda x: np.repeat(a=x, repeats=2, axis=0),
        lambda x: x.repeat(2, 0),
        lambda x: x.repeat(repeats=2, axis=0),
    ],
    "pad": [
        lambda x: np.pad(x, 1, "edge"),
        lambda x: np.pad(array=x, pad_width=1, mode="edge"),
    ],
    "take": [
        lambda x: np.take(x, [0, 1], 1),
        lambda x: np.take(a=x, indices=np.array([0, 1]), axis=1),
        lambda x: np.take(x, (0, 1), axis=1, out=None),
        lambda x: x.take([0, 1], 1),
        lambda x: x.take(indices=[0, 1], axis=1),
    ],
}


def pairs(cases):
    """Pair every row with each of its cases, for a parametrised test."""
    return [
        pytest.param(row, call, id=f"{row.name}-{k}")
        for row in TABLE.values()
        for k, call in enumerate(cases.get(row.name, []))
    ]


every_case = pytest.mark.parametrize(("row", "call"), pairs(CASES))


def compute(row, arguments, options):
    if row.function is getitem:
        return arguments[0][options["index"]]
    return CALLED.get(row.name, row.function)(*arguments, **options)


class Call:
    """A case with its numbers drawn from the row's domain; ``f`` takes the arrays only."""

    def __init__(self, row, call, dtype=np.float64, seed=0):
        self.row, self.options = row, call.options
        self.rng = np.random.default_rng([seed, len(row.name), *map(ord, row.name)])
        self.arguments = [self._draw(k, each, dtype) for k, each in enumerate(call.arguments)]
        self.traced = [
            k for k, each in enumerate(self.arguments) if getattr(each, "dtype", None) == dtype
        ]
        self.inputs = [self.arguments[k] for k in self.traced]
        self.value = compute(row, self.arguments, self.options)
        self.seed = self.normal(self.value)

    def _draw(self, k, shape, dtype):
        if not isinstance(shape, tuple):
            return shape
        if self.row.vjp(k) is None:
            return self.rng.random(shape) < 0.5
        domain = self.row.domain[min(k, len(self.row.domain) - 1)]
        return np.asarray(self.rng.uniform(*domain, shape)).astype(dtype)[()]

    def normal(self, like):
        return np.asarray(self.rng.normal(size=np.shape(like)))[()]

    def f(self, *inputs):
        arguments = list(self.arguments)
        for k, value in zip(self.traced, inputs, strict=True):
            arguments[k] = value
        return compute(self.row, arguments, self.options)

    def graph(self):
        return trace(self.f, *self.inputs)

    def gradients(self, *inputs):
        return trace(self.f, *inputs).backward(self.seed).gradients


def slopes(f, inputs, directions):
    """Yield the central difference of ``f`` along each direction, one input at a time."""
    for k, direction in enumerate(directions):
        ahead, behind = list(inputs), list(inputs)
        ahead[k], behind[k] = inputs[k] + STEP * direction, inputs[k] - STEP * direction
        yield (f(*ahead) - f(*behind)) / (2 * STEP)


@functools.cache  # most shapes of a row have one and the same formula
def parse(formula):
    matplotlib.mathtext.MathTextParser("agg").parse(f"${formula}$")


def assert_same(found, expected, rtol=0.0, atol=0.0):
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol)


# --- the table itself ---------------------------------------------------------


def test_every_row_has_a_case_and_its_call_forms_and_no_case_is_left_over():
    names = {row.name for row in TABLE.values()}
    assert sorted(names - CASES.keys()) == []
    assert sorted(names - FORMS.keys()) == []
    assert sorted({*CASES, *FORMS} - names) == []


def test_every_row_is_found_by_its_function():
    assert all(TABLE[row.function] is row for row in TABLE.values())


def test_two_rows_for_one_function_are_refused():
    row = Row(np.exp, (lambda g, ans, x: g,), Form("#1"), Form("#1"), "exp")
    with pytest.raises(ValueError, match="two rows for exp"):
        join([row, row])


# --- every case of every row --------------------------------------------------


@every_case
def test_one_call_is_one_node_with_numpys_value(row, call):
    drawn = Call(row, call)
    graph = drawn.graph()
    computed = [node.op for node in graph.nodes if node.op not in (None, "constant")]
    assert computed == [row.name] * (1 if row.pieces is None else len(computed))
    assert graph.output.op == row.name
    assert_same(graph.value, drawn.value)
    assert graph.value.dtype == np.asarray(drawn.value).dtype


@every_case
def test_every_gradient_agrees_with_central_differences(row, call):
    drawn = Call(row, call)
    directions = [drawn.normal(each) for each in drawn.inputs]
    gradients = drawn.gradients(*drawn.inputs)
    measured = slopes(lambda *x: np.sum(drawn.seed * drawn.f(*x)), drawn.inputs, directions)
    for value, gradient, direction, slope in zip(
        drawn.inputs, gradients, directions, measured, strict=True
    ):
        assert gradient.shape == value.shape
        assert gradient.dtype == value.dtype
        np.testing.assert_allclose(np.sum(gradient * direction), slope, rtol=1e-7, atol=1e-8)


@every_case
def test_float32_stays_float32_as_far_as_numpy_keeps_it(row, call):
    drawn = Call(row, call, np.float32)
    graph = drawn.graph()
    assert graph.value.dtype == np.asarray(drawn.value).dtype
    result = graph.backward(drawn.seed)
    assert result.adjoint(graph.output).dtype == graph.value.dtype
    gifts = [gift.value for step in result.steps for gift in step.contributions]
    assert {each.dtype for each in (*gifts, *result.gradients)} == {np.dtype("float32")}


@every_case
def test_a_float32_argument_beside_a_float64_one_has_a_float32_gradient(row, call):
    wide = Call(row, call)
    for k in range(len(wide.inputs)):
        inputs = list(wide.inputs)
        inputs[k] = inputs[k].astype(np.float32)
        gradients = wide.gradients(*inputs)
        assert [each.dtype for each in gradients] == [each.dtype for each in inputs]
        assert [each.shape for each in gradients] == [each.shape for each in inputs]


@every_case
def test_the_printed_call_evaluates_to_the_value(row, call):
    graph = Call(row, call).graph()
    names = {node.name: node.value for node in graph.nodes}
    assert_same(eval(call_text(graph.output), PRINTED_WITH, names), graph.value)


@every_case
def test_every_printed_rule_evaluates_to_its_contribution(row, call):
    drawn = Call(row, call)
    graph = drawn.graph()
    names = {node.name: node.value for node in graph.nodes}
    [step] = graph.backward(drawn.seed).steps
    names[f"d_{step.node.name}"] = step.adjoint
    assert len(step.contributions) == len(drawn.inputs)
    for gift in step.contributions:
        assert_same(eval(gift.rule, PRINTED_WITH, names), gift.value, 1e-13, 1e-300)


@every_case
@pytest.mark.parametrize("weighted", [True, False], ids=["weighted", "summed"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_the_printed_program_and_the_compiled_one_give_value_and_gradients(
    row, call, weighted, dtype
):
    drawn = Call(row, call, dtype)
    weights = drawn.seed.astype(dtype)[()]
    graph = trace(
        lambda *x: np.sum(drawn.f(*x) * weights) if weighted else np.sum(drawn.f(*x)),
        *drawn.inputs,
    )
    space = {}
    exec(graph.to_numpy(), space)
    last = list(space)[-1]
    expected = graph.backward().gradients
    rtol = 1e-12 if dtype is np.float64 else 2e-5
    for value, gradients in (space[last](*drawn.inputs), graph.compile()(*drawn.inputs)):
        np.testing.assert_allclose(value, graph.value, rtol=rtol, atol=rtol)
        assert len(gradients) == len(expected)
        for found, right in zip(gradients, expected, strict=True):
            assert np.shape(found) == np.shape(right)
            np.testing.assert_allclose(found, right, rtol=rtol, atol=rtol)
            if right.shape:
                assert found.dtype == right.dtype
    np.testing.assert_allclose(graph.evaluate(*drawn.inputs), graph.value, rtol=rtol, atol=rtol)
    assert graph.to_latex().startswith(r"\begin{aligned}")


@every_case
def test_the_formulas_are_latex_that_mathtext_reads(row, call):
    drawn = Call(row, call)
    graph = drawn.graph()
    [step] = graph.backward(drawn.seed).steps
    formulas = [call_text(graph.output, "latex")]
    formulas += [gift.explain().latex for gift in step.contributions]
    assert all(formulas)
    for formula in formulas:
        parse(formula)


@every_case
def test_a_traced_rule_reverses_to_its_own_derivative(row, call):
    drawn = Call(row, call)
    graph = drawn.graph()
    [step] = graph.backward(drawn.seed).steps
    record = graph.records[graph.output_index]
    for gift in step.contributions:
        traced = gift.explain().traced
        inputs = [node.value for node in traced.inputs]
        floats = [k for k, value in enumerate(inputs) if value.dtype == np.float64]
        seed = drawn.normal(gift.value)

        def rule(*chosen, gift=gift, inputs=inputs, floats=floats, seed=seed):
            g, ans, *rest = (
                dict(enumerate(inputs)) | dict(zip(floats, chosen, strict=True))
            ).values()
            held = iter(rest)
            arguments = [
                literal if parent is None else next(held)
                for literal, parent in zip(record.args, record.parents, strict=True)
            ]
            return np.sum(seed * row.vjp(gift.position)(g, ans, *arguments, **record.keywords))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BackpropWarning)  # few rules use all their arguments
            gradients = traced.backward(seed).gradients
        directions = [drawn.normal(inputs[k]) for k in floats]
        measured = slopes(rule, [inputs[k] for k in floats], directions)
        for k, direction, slope in zip(floats, directions, measured, strict=True):
            found = np.sum(gradients[k] * direction)
            np.testing.assert_allclose(found, slope, rtol=1e-6, atol=1e-7)


@every_case
def test_second_derivatives_come_from_a_trace_inside_a_trace(row, call):
    drawn = Call(row, call)
    for k, value in enumerate(drawn.inputs):
        weights = drawn.normal(value)

        def weighted(*inputs, k=k, weights=weights):
            return np.sum(weights * drawn.gradients(*inputs)[k])

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BackpropWarning)  # a linear row has constant gradients
            gradients = trace(weighted, *drawn.inputs).backward().gradients
        directions = [drawn.normal(each) for each in drawn.inputs]
        measured = slopes(weighted, drawn.inputs, directions)
        for gradient, direction, slope in zip(gradients, directions, measured, strict=True):
            found = np.sum(gradient * direction)
            np.testing.assert_allclose(found, slope, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", FORMS)
def test_every_call_form_gives_the_same_node(name):
    rng = np.random.default_rng(3)
    row = next(row for row in TABLE.values() if row.name == name)
    parameters = inspect.signature(FORMS[name][0]).parameters.values()
    count = sum(each.default is each.empty for each in parameters)
    domains = [row.domain[min(k, len(row.domain) - 1)] for k in range(count)]
    inputs = [rng.uniform(*domain, (2, 3)) for domain in domains]
    seen = []
    for form in FORMS[name]:
        graph = trace(form, *inputs)
        record = graph.records[graph.output_index]
        assert record.row is row
        options = {key: (type(value), str(value)) for key, value in record.keywords.items()}
        seen.append((record.parents, options, graph.value.tolist()))
        assert_same(graph.value, form(*inputs))
    assert all(each == seen[0] for each in seen)


OPERATORS = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.true_divide,
    operator.pow: np.power,
    operator.matmul: np.matmul,
}


@pytest.mark.parametrize("form", OPERATORS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("kind", ["array", "list", "numpy number", "int", "float"])
def test_a_plain_left_operand_is_recorded_in_its_place(form, kind):
    x = np.array([0.5, 1.5])
    left = {
        "array": np.array([2.0, 3.0]),
        "list": [2.0, 3.0],
        "numpy number": np.float64(2.0),
        "int": 2,
        "float": 2.5,
    }[kind]
    if form is operator.matmul:
        left = np.reshape(left, -1) * np.ones(2)  # a number has no matrix product
    graph = trace(lambda x: form(left, x), x)
    assert graph.records[-1].row is TABLE[OPERATORS[form]]
    assert graph.records[-1].parents[1] == 0
    assert_same(graph.value, form(np.asarray(left), x))

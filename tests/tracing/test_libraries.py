"""A traced value in the hands of Python's modules and of other libraries."""

import cmath
import datetime
import decimal
import fractions
import functools
import json
import math
import pickle
import statistics
import struct
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
from numpy import full, full_like
from numpy.lib.stride_tricks import as_strided

import backprop_nb as bp
from backprop_nb.tracing.libraries import is_learners_code

pd = pytest.importorskip("pandas")
SERIES = pd.Series([1.0, 2.0, 3.0])
TABLE = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]})
X = np.array([1.0, 2.0, 3.0])

CACHED = functools.cache(lambda x: x * x)

# What plain NumPy takes and a trace cannot follow, and a part of what helps.
REFUSED = {
    "json": (lambda x: json.dumps(x[0]), "graph.value"),
    "json of a list": (lambda x: json.dumps([x[0], 1]), "graph.value"),
    "pickle": (lambda x: pickle.dumps(x), "graph.value"),
    "fraction": (lambda x: fractions.Fraction(x[0]), "graph.value"),
    "decimal": (lambda x: decimal.Decimal(x[0]), "graph.value"),
    "mean": (lambda x: statistics.mean(x), "np.mean"),
    "mean of a list": (lambda x: statistics.mean(list(x)), "np.mean"),
    "fmean": (lambda x: statistics.fmean(x), "np.mean(x)"),
    "stdev": (lambda x: statistics.stdev(x), "np.std(x, ddof=1)"),
    "fsum": (lambda x: math.fsum(x), "np.sum(x)"),
    "cmath": (lambda x: cmath.exp(x[0]), "np.exp"),
    "trunc": (lambda x: math.trunc(x[0]), "np.trunc"),
    "pack": (lambda x: struct.pack("d", x[0]), "as it is"),
    "is_integer": (lambda x: x[0].is_integer(), "as it is"),
    "hex": (lambda x: x[0].hex(), "as it is"),
    "in a set": (lambda x: x[0] if x[0] in {1.0, 2.0} else x[1], "any(x == each"),
    "key": (lambda x: {1.0: 2.0}[x[0]] * x[1], "any(x == each"),
    "set": (lambda x: len({x[0], x[1]}) * x[0], "any(x == each"),
    "hash": (lambda x: hash(x), "any(x == each"),
    "cache": (lambda x: CACHED(x[0]), "any(x == each"),
    "series * x": (lambda x: (SERIES * x).sum(), "SERIES.to_numpy()"),
    "series - number": (lambda x: np.sum(SERIES - x[0]), "SERIES.to_numpy()"),
    "column - x": (lambda x: np.sum((TABLE["a"] - x) ** 2), 'TABLE["a"].to_numpy()'),
    "table @ x": (lambda x: np.sum(TABLE.T @ x), "TABLE.T.to_numpy()"),
    "mean of a series": (lambda x: pd.Series(list(x)).mean(), "pandas sees only plain"),
    "mul": (lambda x: TABLE.mul(x, axis=0).sum().sum(), "TABLE.to_numpy()"),
    "x * series": (lambda x: np.sum(x * SERIES), "np.asarray"),
    "erf": (lambda x: math.erf(x[0]), "bp.define_rule(np.vectorize(math.erf)"),
    "strides": (lambda x: as_strided(x, (2, 2), x.strides * 2), "sliding_window_view(x"),
    "as_strided": (lambda x: as_strided(x, (2, 2), (8, 8)), "sliding_window_view(x"),
    "save": (lambda x: np.save("x.npy", x), "graph.value"),
    "savetxt": (lambda x: np.savetxt("x.txt", x), "graph.value"),
    "polynomial": (lambda x: np.sum(np.polynomial.polynomial.polyadd(x, [1.0])), "as it is"),
}


@pytest.mark.parametrize(("f", "helps"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_followed_is_told_at_the_learners_line(f, helps):
    with pytest.raises(bp.BackpropError) as caught:
        bp.trace(f, X)
    assert isinstance(caught.value, TypeError)
    assert "of <lambda> in test_libraries.py" in caught.value.at
    assert "lambda x:" in caught.value.at
    assert helps in caught.value.instead
    assert "Traced" not in str(caught.value)
    last = caught.value.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    assert last.tb_frame.f_code.co_filename == __file__


def test_what_is_said_to_help_helps():
    for f in (
        lambda x: np.sum(SERIES.to_numpy() * x),
        lambda x: np.sum((TABLE["a"].to_numpy() - x) ** 2),
        lambda x: np.sum(TABLE.T.to_numpy() @ x),
        lambda x: np.sum(x * np.asarray(SERIES)),
        lambda x: np.std(x, ddof=1),
        lambda x: x[0] if any(x[0] == each for each in (1.0, 2.0)) else x[1],
    ):
        assert bp.trace(f, X).value == pytest.approx(f(X))


def test_a_library_without_a_table_is_named():
    special = pytest.importorskip("scipy.special")
    for f, helps in (
        (lambda x: special.expit(x[0]), "bp.sigmoid(x)"),
        (lambda x: special.logsumexp(x), "np.log(np.sum(np.exp(x - m)))"),
        (lambda x: special.softmax(x)[0], "e / np.sum(e)"),
        (lambda x: special.log_softmax(x)[0], "scipy sees only plain arrays"),
    ):
        with pytest.raises(bp.UnsupportedError.__mro__[1], match="at:  ") as caught:
            bp.trace(f, X)
        assert helps in caught.value.instead
        assert "test_libraries.py" in caught.value.at


def of_torch(name, kind):
    """Return what is written in C, is a type of Python's, and says that it is torch's."""
    return type(name, (kind,), {"__module__": "torch"})


torch = SimpleNamespace(  # a timedelta takes no array, and a list no single number
    sin=of_torch("sin", datetime.timedelta),
    mm=of_torch("mm", datetime.timedelta),
    tensor=of_torch("tensor", datetime.timedelta),
    FloatTensor=of_torch("FloatTensor", list),
)


@pytest.mark.parametrize(
    ("f", "helps"),
    [
        (lambda x: torch.sin(x), "np.sin, because torch sees only arrays of its own"),
        (lambda x: np.sum(torch.sin(x)), "np.sin, because torch sees only arrays of its own"),
        (
            lambda x: torch.mm(x),
            "the same in NumPy, and a gradient by bp.grad(f)(x), because torch",
        ),
        (lambda x: torch.tensor(x * 2), "the value as it is, which counts as an array of NumPy's"),
        (lambda x: torch.FloatTensor(x[0]), "the value as it is, which counts as an array"),
    ],
    ids=["function", "inside of NumPy's", "without a twin", "array", "number"],
)
def test_a_library_that_is_written_in_c_is_named(f, helps):
    with pytest.raises(bp.DetachedError, match="torch can do nothing with a traced") as caught:
        bp.trace(f, X)
    assert caught.value.instead.startswith(helps)
    assert "lambda x: " in caught.value.at


def functional(source):
    """Return a module that stands where PyTorch's functions are."""
    names = {"__name__": "torch.nn.functional"}
    exec(compile(source, "/lib/python3/site-packages/torch/nn/functional.py", "exec"), names)
    return SimpleNamespace(**names)


def test_a_librarys_function_that_asks_for_a_method_is_told_of_its_argument():
    F = functional("def softmax(input, dim):\n    return input.softmax(dim)")
    with pytest.raises(bp.UnsupportedError, match=r"no attribute \.softmax, which torch") as caught:
        bp.trace(lambda x: F.softmax(x, dim=0)[0], X)
    assert caught.value.instead == "e / np.sum(e), with e = np.exp(x - np.max(x))"
    assert "F.softmax(x, dim=0)" in caught.value.at


def test_a_kind_that_a_library_names_has_one_article():
    F = functional("def put(x):\n    raise TypeError(f'cannot assign a {type(x).__name__}')")
    with pytest.raises(bp.DetachedError, match="torch can do nothing") as caught:
        bp.trace(lambda x: F.put(x), X)
    assert caught.value.given == "cannot assign a traced value"


class Pair(NamedTuple):
    first: float
    second: float


@pytest.mark.parametrize(
    ("f", "text"),
    [(lambda x: list(x[0]), "itera"), (lambda x: Pair(x[0]), "missing 1 required")],
    ids=["list", "tuple"],
)
def test_what_fails_in_the_same_way_without_a_trace_keeps_its_error(f, text):
    for run in (f, lambda x: bp.trace(f, x)):
        with pytest.raises(TypeError, match=text) as caught:
            run(X)
        assert not isinstance(caught.value, bp.BackpropError)


def test_an_estimator_is_told_at_the_learners_line():
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = linear_model.LinearRegression().fit(np.eye(3), X)
    with pytest.raises(bp.DetachedError, match="sklearn sees only plain arrays") as caught:
        bp.trace(lambda x: model.predict(x[None])[0], X)
    assert "model.predict(x[None])" in caught.value.at


def broken(x):
    raise ValueError(f"not {x!r}")


@pytest.mark.parametrize(
    ("f", "kind", "text"),
    [
        (lambda x: x.summe(), AttributeError, "summe"),
        (lambda x: broken(x), ValueError, "not "),
        (lambda x: broken(), TypeError, "missing 1 required"),
        (lambda x: json.loads("{"), json.JSONDecodeError, "Expecting"),
        (lambda x: {}["a"] * x, KeyError, "a"),
        (lambda x: [1.0][3] * x, IndexError, "out of range"),
    ],
    ids=["attribute", "raised", "call", "json", "key", "index"],
)
def test_an_error_for_another_reason_stays_as_it_is(f, kind, text):
    with pytest.raises(kind, match=text) as caught:
        bp.trace(f, X)
    assert not isinstance(caught.value, bp.BackpropError)


CONDITION = np.array([True, False, True])
WITH_NAN = np.array([1.0, np.nan, 2.0])
UNSEEN = [
    (lambda x: np.sum(full_like(X, x)), lambda x: np.sum(np.broadcast_to(x, np.shape(X)))),
    (
        lambda x: np.sum(np.nan_to_num(WITH_NAN, nan=x)),
        lambda x: np.sum(np.where(np.isnan(WITH_NAN), x, WITH_NAN)),
    ),
    (
        lambda x: np.sum(np.select([CONDITION], [X], default=x)),
        lambda x: np.sum(np.select([CONDITION, True], [X, x])),
    ),
    (lambda x: np.sum(full(3, x)), lambda x: np.sum(np.broadcast_to(x, 3))),
]


@pytest.mark.parametrize(
    ("f", "instead"), UNSEEN, ids=["full_like", "nan_to_num", "select", "full"]
)
def test_where_numpy_overlooks_a_traced_value_it_is_told_with_what_helps(f, instead):
    x = 2.0
    with pytest.raises(bp.UnsupportedError, match="NumPy does not see it there") as caught:
        bp.trace(f, x)
    assert "test_libraries.py" in caught.value.at
    right = bp.trace(instead, x)
    assert right.value == f(x)
    [slope] = right.backward().gradients
    assert slope == pytest.approx((f(x + 0.5) - f(x)) / 0.5)


def test_a_derivative_in_a_direction_goes_through_every_choice():
    def f(first, second, default):
        return np.sum(np.select([X < 1.5, X < 2.5], [first, second], default) * X)

    args = (X, 2.0 * X, np.array(0.5))
    for k in range(3):
        tangents = [np.zeros_like(each) for each in args]
        tangents[k] = np.ones_like(args[k])
        assert bp.jvp(f, args, tangents) == (f(*args), X[k])


def test_numpy_warns_at_the_learners_line():
    def f(x):
        return np.sum(np.sqrt(x))  # this one

    with np.errstate(all="warn"), pytest.warns() as caught:
        bp.trace(f, -X)
    told = next(each for each in caught if each.category is RuntimeWarning)
    assert (told.filename, told.lineno) == (__file__, f.__code__.co_firstlineno + 1)


def test_who_has_said_how_numpy_warns_is_followed():
    told = []
    asked = np.errstate(invalid="call", call=lambda what, _: told.append(what))
    with asked, pytest.warns(bp.BackpropWarning):
        bp.trace(lambda x: np.sum(np.sqrt(x)), -X)
    assert set(told) == {"invalid value"}
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        bp.trace(lambda x: np.sum(np.sqrt(x)), -X)
    with np.errstate(all="ignore"), pytest.warns(bp.BackpropWarning) as caught:
        bp.trace(lambda x: np.sum(np.sqrt(x)), -X)
    assert {each.category for each in caught} == {bp.BackpropWarning}


def test_code_is_told_by_its_file_from_the_same_text_in_a_library():
    theirs, own = (compile("x = 1", name, "exec") for name in ("/a/site-packages/b.py", "own.py"))
    assert theirs == own  # for Python
    assert [is_learners_code(each) for each in (theirs, own)] == [False, True]


LIBRARY = """
from functools import wraps

def refuse(x):
    if len(x):  # which a number has not
        raise TypeError(f"Argument '{x}' of type {type(x)} is not a valid JAX type.")

def filtered(f):
    @wraps(f)
    def reraise(x):
        return f(x)
    return reraise

def grad(f):
    @filtered
    @wraps(f)
    def grad_f(x):
        refuse(x)
    return grad_f

def mse_loss(x, y):
    return x.size()
"""


@pytest.fixture
def jax():
    """Return a library that is installed, and wraps functions as JAX does."""
    module = ModuleType("jax")
    path = Path(pytest.__file__).parent.with_name("jax") / "api.py"
    exec(compile(LIBRARY, path, "exec"), vars(module))
    return module


def refused(f, x=X):
    with pytest.raises(bp.DetachedError, match=r"^jax can do nothing") as caught:
        bp.trace(f, x)
    assert "test_libraries.py" in caught.value.at
    return caught.value


def square(x):
    return np.sum(x**2)


def test_a_gradient_of_another_library_is_told_with_the_one_that_can_be_traced(jax):
    slope = jax.grad(square)
    error = refused(lambda x: np.sum(jax.grad(square)(x)))
    assert error.instead.startswith("bp.grad(f)(x), with f written in NumPy")
    assert "of type a traced value is not" in error.given
    assert "a gradient by bp.grad(f)(x)" in refused(lambda x: np.sum(slope(x))).instead
    assert bp.trace(lambda x: np.sum(bp.grad(square)(x)), X).value == np.sum(2 * X)


def test_what_fails_inside_of_a_library_is_not_put_down_to_the_learners_brackets(jax):
    error = refused(lambda x: jax.mse_loss(x, x))
    assert error.instead.startswith("the same in NumPy")
    # Nor to the tracer, which the library has asked.
    assert "bp.grad(f)(x)" in refused(lambda x: np.sum(jax.grad(square)(x)), 2.0).instead

"""A function that asks what a value is, or makes text of it, is right or refused."""

import contextlib
import copy
import io
import json
import math
import operator
import pprint
import sys
from collections.abc import Iterable

import numpy as np
import pytest

import backprop_nb as bp

rng = np.random.default_rng(0)


def by_any_error(x):
    try:
        return x.sum() * 2.0
    except:  # noqa: E722
        return x * 3.0


def by_error_of_a_helper(x):
    return x * rank(x)


def rank(x):
    try:
        return x.ndim + 0.0 * x
    except AttributeError:
        return 7.0


def by_suppressed_error(x):
    n = 7.0
    with contextlib.suppress(AttributeError):
        n = x.ndim
    return x * n


def unharmed(x):
    assert type(x) is not str
    return np.sum(x**2)


def noisy(x):
    assert type(x) is not str
    return np.sum(x) * rng.normal()


def by_type(x):
    return x * 2.0 if type(x) is float else x * 3.0


ANSWERED_OTHERWISE = {
    "type": (by_type, 1.5),
    "array": (lambda x: np.sum(x) if type(x) is np.ndarray else np.sum(x) * 2.0, np.ones(2)),
    "length": (lambda x: np.sum(x) if hasattr(x, "__len__") else x * 2.0, 1.5),
    "protocol": (lambda x: np.sum(x) if isinstance(x, Iterable) else x * 2.0, 1.5),
    "attribute": (lambda x: x * (2.0 if getattr(x, "ndim", None) is None else 3.0), 1.5),
    "error": (by_any_error, 1.5),
    "helper": (by_error_of_a_helper, 1.5),
    "suppressed": (by_suppressed_error, 1.5),
}
OTHER_WAYS = {
    "grad": lambda f, x: bp.grad(f)(x),
    "value_and_grad": lambda f, x: bp.value_and_grad(f)(x),
    "jvp": lambda f, x: bp.jvp(f, (x,), (1.0,)),
}


@pytest.mark.parametrize(
    ("name", "asked"),
    [*((name, "trace") for name in ANSWERED_OTHERWISE), *(("type", asked) for asked in OTHER_WAYS)],
)
def test_a_function_that_would_be_another_is_refused(name, asked):
    with pytest.raises(bp.UnsupportedError, match="another value when it is traced") as caught:
        OTHER_WAYS.get(asked, bp.trace)(*ANSWERED_OTHERWISE[name])
    assert "isinstance(x, np.ndarray), isinstance(x, float)" in caught.value.instead


def by_truth(x):
    return x**2 if (x > 0) is True else x


def by_case(x):
    match x > 0:
        case True:
            return x**2
        case _:
            return x


def by_truth_of_numpys(x):
    return x if (x > 0) is np.True_ else x**2


@pytest.mark.parametrize("f", [by_truth, by_case])
def test_a_comparison_that_is_compared_with_true_is_told_where_it_matters(f):
    with pytest.raises(bp.UnsupportedError, match="compares with True or False") as told:
        bp.trace(f, 0.5)
    assert told.value.given == "0.5 in the trace, 0.25 without"
    assert "if x > 0:" in told.value.instead
    assert f.__name__ in told.value.at
    assert bp.grad(f)(np.float64(0.5)) == 1.0  # of NumPy's own numbers neither is True
    assert bp.grad(lambda x: x**2 if x > 0 else x)(0.5) == 1.0
    with pytest.raises(bp.UnsupportedError, match="compares with True or False"):
        bp.trace(by_truth_of_numpys, np.float64(0.5))


def test_what_is_said_to_help_helps():
    by_class = bp.value_and_grad(lambda x: x * 2.0 if isinstance(x, float) else x * 3.0)
    assert by_class(1.5) == (3.0, 2.0)


@pytest.mark.parametrize("f", [unharmed, noisy])
def test_what_only_looks_is_traced(f):
    x = np.array([1.0, 2.0])
    assert bp.trace(f, x).value.shape == ()
    assert np.array_equal(x, [1.0, 2.0])
    assert bp.jacobian(bp.grad(unharmed))(x).tolist() == [[2.0, 0.0], [0.0, 2.0]]


# --- refusals that are caught -----------------------------------------------------------


def caught(ask):
    """Return a function that goes on with another slope where ``ask`` is refused."""

    def f(x):
        with contextlib.suppress(Exception):
            return ask(x) * 5.0
        return np.sum(x) * 3.0

    return f


ASKED = {
    "float": float,
    "exp": math.exp,
    "item": lambda x: x.item(),
    "fft": lambda x: np.real(np.fft.fft(np.ravel(x)))[0],
    "tobytes": lambda x: len(np.atleast_1d(x).tobytes()),
    "text": lambda x: len(f"{float(x):.3f}"),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_a_refusal_that_was_caught_is_told_at_its_line(ask):
    f, x = caught(ask), np.array(2.0)
    for run in (bp.trace, lambda f, x: bp.grad(f)(x), lambda f, x: bp.grad(bp.grad(f))(x)):
        with pytest.raises(bp.BackpropError) as told:
            run(f, x)
        assert "test_agreement.py" in told.value.at


def test_a_refusal_that_changes_nothing_may_be_caught():
    def f(x):
        with contextlib.suppress(TypeError):
            x = float(x)
        return x**2

    assert bp.grad(f)(1.5) == 3.0
    assert bp.grad(bp.grad(f))(1.5) == 2.0
    with pytest.raises(bp.DetachedError):
        bp.grad(lambda x: bp.grad(caught(float))(x))(2.0)


@pytest.mark.parametrize("ask", [np.linalg.inv, np.linalg.cholesky])
def test_a_matrix_that_numpy_refuses_may_be_caught_as_in_numpy(ask):
    def f(x):
        try:
            return np.sum(ask(-np.ones((2, 2)) * x))
        except np.linalg.LinAlgError:
            return x**2

    assert bp.value_and_grad(f)(3.0) == (f(3.0), 6.0)


FINE = np.array([[2.0, 0.5], [0.5, 3.0]])
REFUSED = [
    pytest.param(lambda x: np.linalg.inv(x), np.ones((2, 2)), id="inv"),
    pytest.param(lambda x: np.linalg.matrix_power(x, -1), np.ones((2, 2)), id="power"),
    pytest.param(lambda x: np.linalg.solve(x, np.ones(2)), np.ones((2, 2)), id="solve"),
    pytest.param(np.linalg.cholesky, np.array([[1.0, 2.0], [2.0, 1.0]]), id="cholesky"),
    pytest.param(lambda x: np.linalg.svd(x)[1], np.array([[0.0, 1.0], [1.0, 1.0]]), id="svd"),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("ask", "refused"), REFUSED)
def test_whether_numpy_refuses_a_matrix_is_a_decision(ask, refused):
    def f(x):
        try:
            return np.sum(ask(x * np.abs(x) / np.abs(x)))  # the svd is of a matrix with a NaN in it
        except np.linalg.LinAlgError:
            return np.sum(x) - 100.0

    for first, later in ((refused, FINE), (FINE, refused)):
        graph = bp.trace(f, first)
        assert graph.evaluate(later) == graph.compile()(later)[0] == f(later)


def picked(x):
    return x[np.argmax(x) + 1]


def assigned_beside(x):
    out = np.zeros(2) * x
    out[np.argmax(x) + 1] = 1.0
    return out @ x


@pytest.mark.parametrize("ask", [picked, assigned_beside])
def test_whether_an_index_is_out_of_range_is_a_decision(ask):
    def f(x):
        try:
            return ask(x)
        except IndexError:
            return np.sum(x) - 100.0

    ends, begins = np.array([1.0, 5.0]), np.array([5.0, 1.0])
    for first, later in ((ends, begins), (begins, ends)):
        graph = bp.trace(f, first)
        assert graph.evaluate(later) == graph.compile()(later)[0] == f(later)
    with pytest.raises(bp.BackpropError, match="does not fit"):
        bp.trace(ask, begins).evaluate(ends)


@pytest.mark.parametrize(
    ("f", "error"),
    [
        (lambda x: x / len(x) if hasattr(x, "__len__") else x * 4, "has no len"),
        (lambda x: sum(x) if hasattr(x, "__iter__") else x * 3, "iteration over a 0-d array"),
    ],
    ids=["length", "iteration"],
)
def test_a_function_that_asks_and_then_fails_in_the_trace_alone_says_so(f, error):
    assert f(0.7) > 2
    with pytest.raises(bp.UnsupportedError, match="it asks what a value is") as told:
        bp.trace(f, 0.7)
    assert error in told.value.given
    assert "hasattr" in told.value.at


def test_what_fails_without_a_trace_too_keeps_its_error():
    with pytest.raises(TypeError, match="has no len") as told:
        bp.trace(lambda x: x / len(x) if hasattr(x, "shape") else x, np.float64(0.7))
    assert not isinstance(told.value, bp.BackpropError)


# --- numbers of Python's beside narrower types -------------------------------------------

SMALL = np.linspace(-1, 2, 6, dtype=np.float32)


@pytest.mark.parametrize(
    "f",
    [
        lambda a, s: np.sum(a * s),
        lambda a, s: np.sum(s - a) / s,
        lambda a, s: np.sum(np.abs(a) ** s),
        lambda a, s: np.mean(np.tanh(a @ a - 3 * s)),
        lambda a, s: np.sum(np.where(a > s, a, s)),
        lambda a, s: np.sum(np.clip(a, -s, s)),
    ],
    ids=["product", "quotient", "power", "tanh", "where", "clip"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("s", [0.1, 2])
def test_a_number_of_pythons_takes_the_type_of_the_array_beside_it(f, dtype, s):
    a, space = SMALL.astype(dtype), {}
    graph = bp.trace(f, a, s)
    exec(graph.to_numpy(), space)
    assert graph.value == f(a, s)
    compiled, printed = graph.compile()(a, s), space["f_and_gradient"](a, s)
    for value in (graph.value, graph.evaluate(a, s), compiled[0], printed[0]):
        assert value.dtype == f(a, s).dtype == dtype
    gradients = (graph.backward().gradients, compiled[1], printed[1], bp.grad(f, (0, 1))(a, s))
    for gradient, _ in gradients:
        assert gradient.dtype == dtype


@pytest.mark.parametrize(
    "f",
    [
        lambda a, s: np.sum(a * np.exp(s)),
        lambda a, s: np.sum(a.astype(float) * s),
        lambda a, s: s * 3.0,
    ],
    ids=["function", "wider", "alone"],
)
def test_a_number_of_pythons_of_several_types_is_refused(f):
    with pytest.raises(bp.UnsupportedError, match="takes the type of each array") as told:
        bp.trace(f, SMALL, 0.1)
    assert "np.float64(…) of the number" in told.value.instead
    assert bp.trace(f, SMALL, np.float64(0.1)).value == f(SMALL, np.float64(0.1))


CAPTURED = [
    lambda s: np.sum(SMALL * s),
    lambda s: np.sum((SMALL + s**2) * (s / 3)),
    lambda s: np.sum(np.where(s < SMALL, SMALL, s)),
    lambda s: np.sum(np.sin(s) * SMALL + s),
]


@pytest.mark.parametrize("f", CAPTURED, ids=["product", "polynomial", "where", "function"])
@pytest.mark.parametrize("s", [0.1, 2])
def test_a_number_of_pythons_takes_the_type_of_a_captured_array(f, s):
    graph = bp.trace(f, s)
    for value in (graph.value, graph.evaluate(s), graph.compile()(s)[0]):
        assert value.dtype == f(s).dtype
        np.testing.assert_allclose(value, f(s), rtol=1e-15 if value.dtype == float else 3e-7)


def test_a_number_of_several_types_beside_captured_arrays_is_refused():
    with pytest.raises(bp.UnsupportedError, match="takes the type of each array"):
        bp.trace(lambda s: np.sum(SMALL * s) + np.sum(np.arange(3.0) * s), 0.1)


# --- arguments that are captured, too -----------------------------------------------------

HELD = np.array([1.0, 2.0, 3.0])


def doubled_first(x):
    x[0] *= 2
    return np.sum(x * HELD)


def doubled_in_a_copy(x):
    x = x.copy()
    return doubled_first(x)


@pytest.mark.parametrize("same", [HELD, HELD[:]], ids=["itself", "view"])
def test_an_argument_that_is_captured_is_not_written_to(same):
    with pytest.raises(bp.UnsupportedError, match="shares entries with") as told:
        bp.trace(doubled_first, same)
    assert told.value.given == "15.0 in the trace, 17.0 without"
    assert list(HELD) == [1, 2, 3]
    assert bp.trace(doubled_first, same.copy()).value == 15


def test_a_captured_argument_that_stays_as_it_is_may_be_given():
    assert bp.trace(doubled_in_a_copy, HELD).value == doubled_in_a_copy(HELD) == 15


def test_random_numbers_are_no_sign_of_a_captured_argument():
    rng = np.random.default_rng(0)

    def scaled_at_random(x):
        x *= rng.random(len(x))
        return np.sum(HELD[: len(x)] * x) + np.sum(HELD[-len(x) :] * x)

    for given in (HELD, np.ones(2)):  # two views that are captured share entries, too
        assert bp.trace(scaled_at_random, given).value > 0


# --- whatever is asked, right or refused --------------------------------------------------

X, LATER = np.array([1.26, -0.7, 2.4]), np.array([17.4123, 0.6, -1.1])
WHOLE, MORE = np.array([1, 2, 4]), np.array([3, 5, 4])
SHORT, SHORTER = WHOLE.astype("i4"), MORE.astype("i4")
BYTES, OTHERS = np.array([100, 3], "i1"), np.array([90, 2], "i1")


def is_whole(x):
    return x.dtype.kind in "iu"


def name_of_type(x):
    return type(x).__name__


def half_of_the_first(x):
    z = np.zeros_like(x)
    z[0] = x[0] * 0.5
    return z.sum() + x.sum()


def shown_in(x):
    buffer = io.StringIO()
    print(x[0], "of", x, file=buffer)
    return x.sum() * len(buffer.getvalue())


def redirected(x):
    with contextlib.redirect_stdout(io.StringIO()) as buffer:
        print(f"{x[0]}")
    return x.sum() * len(buffer.getvalue())


def matched(x):
    match x:
        case float():
            return x * 2.0
        case int():
            return x * 3.0
    return x * 5.0


ASKING = {
    # whether two values are one
    "may_share": (lambda x: x.sum() * (2.0 if np.may_share_memory(x, x.copy()) else 3), X, LATER),
    "shares": (lambda x: x[0].sum() * (2.0 if np.shares_memory(*x) else 3.0), [X, X], [X, LATER]),
    "is": (lambda x: (x[0] * x[1]).sum() * (2.0 if x[0] is x[1] else 3.0), [X, X], [X, LATER]),
    "id": (lambda x: x[0].sum() * (2.0 if id(x[0]) == id(x[1]) else 3.0), [X, X], [X, LATER]),
    # what whole numbers are
    "kind": (lambda x: x.sum() * (2.0 if x.dtype.kind == "i" else 3.0), WHOLE, MORE),
    "dtype": (lambda x: x.sum() * (2.0 if x.dtype == int else 3.0), WHOLE, MORE),
    "subdtype": (
        lambda x: x.sum() * (2.0 if np.issubdtype(x.dtype, np.integer) else 3.0), WHOLE, MORE,
    ),
    "result_type": (lambda x: x.sum() * np.result_type(x, 1).itemsize, SHORT, SHORTER),
    "can_cast": (lambda x: x.sum() * (2.0 if np.can_cast(x.dtype, int) else 3.0), WHOLE, MORE),
    "entry": (lambda x: x.sum() * (2.0 if isinstance(x[0], np.integer) else 3.0), WHOLE, MORE),
    "itemsize": (lambda x: x.sum() * x.itemsize, SHORT, SHORTER),
    "zeros_like": (half_of_the_first, WHOLE, MORE),
    "astype": (lambda x: (x * 1.5).astype(x.dtype).sum() * 1.0, WHOLE, MORE),
    "helper": (lambda x: x.sum() * (2.0 if is_whole(x) else 3.0), WHOLE, MORE),
    "wrap": (lambda x: (x * x).sum() * 1.0, BYTES, OTHERS),
    "derived": (lambda x: x * (2.0 if isinstance(x * 2, int) else 3.0), 3, 4),
    "match": (matched, 2, 4),
    # what a number is
    "type in a helper": (lambda x: x * (2.0 if name_of_type(x) == "float" else 3.0), 1.5, 2.5),
    "class": (lambda x: x * (2.0 if x.__class__.__name__ == "float" else 3.0), 1.5, 2.5),
    "floating": (lambda x: x * (2.0 if isinstance(x * 2, np.floating) else 3.0), 1.5, 2.5),
    "bytes": (lambda x: x.sum() * sys.getsizeof(x), X, LATER),
    # text
    "f-string": (lambda x: x.sum() * len(f"{x[0]:.1f}"), X, LATER),
    "read again": (lambda x: x.sum() * float(f"{x[0]:.1f}"), X, LATER),
    "str": (lambda x: x.sum() * len(str(x)), X, LATER),
    "repr": (lambda x: x.sum() * len(repr(x)), X, LATER),
    "mask": (lambda x: x.sum() * repr(x > 0).count("True"), X, LATER),
    "percent": (lambda x: x.sum() * len("%s" % x[0]), X, LATER),  # noqa: UP031
    "percent of a float": (lambda x: x.sum() * len("%.1f" % x[0]), X, LATER),  # noqa: UP031
    "format": (lambda x: x.sum() * len(format(x[0], ".2g")), X, LATER),
    "list": (lambda x: x.sum() * len(str([x[0], x[1]])), X, LATER),
    "join": (lambda x: x.sum() * len(",".join(map(str, x))), X, LATER),
    "key": (lambda x: {"1.3": 2.0}.get(f"{x[0]:.1f}", 5.0) * x.sum(), X, LATER),
    "number": (lambda x: x * len(str(x)), 1.5, 2.25),
    "number of Python's": (lambda x: x * len(repr(x)), 1.5, 2.25),
    "whole number": (lambda x: x * len(str(x)), 2, 14),
    "computed number": (lambda x: x * len(repr(x * 2)), 1.5, 2.25),
    "array_str": (lambda x: x.sum() * len(np.array_str(x)), X, LATER),
    "array2string": (lambda x: x.sum() * len(np.array2string(x, precision=2)), X, LATER),
    "json": (lambda x: x.sum() * len(json.dumps({"a": x}, default=str)), X, LATER),
    "pprint": (lambda x: x.sum() * len(pprint.pformat([x])), X, LATER),
    "printed": (shown_in, X, LATER),
    "redirected": (redirected, X, LATER),
    "written": (lambda x: x.sum() * io.StringIO().write(f"{x[0]}"), X, LATER),
    "filled": (lambda x: x.sum() * len(str(np.append(np.zeros(2), x))), X, LATER),
    "tolist": (lambda x: x.sum() * sum((x > 0).tolist()), X, LATER),
    # one value of two branches at the first point
    "types meet": (lambda x: x**2 if type(x) is float else 2 * x, 2.0, 3.0),
    "errors meet": (lambda x: x**2 if by_any_error(x) == 2 * x else 2 * x, 2.0, 3.0),
    "copies meet": (lambda x: x[0] ** 2 if np.may_share_memory(x, x.copy()) else 2 * x[0],
                    np.array([2.0, 1.0]), np.array([3.0, 1.0])),
    "kinds meet": (lambda x: x[0] ** 2 if x.dtype.kind == "i" else 2 * x[0],
                   np.array([2, 1]), np.array([3, 1])),
    "texts meet": (lambda x: x[0] ** 2 if str(x[0]) == "2.0" else 2 * x[0],
                   np.array([2.0, 1.0]), np.array([3.0, 1.0])),
    "true numbers": (lambda x: x * 2 if x else x + 3, 1.0, 0.0),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*it will be traced anew")
@pytest.mark.parametrize("name", ASKING)
def test_what_a_function_asks_is_answered_as_without_a_tracer_or_refused(name):
    f, first, second = ASKING[name]
    refused = None
    try:
        graph = bp.trace(f, first)
    except bp.BackpropError as error:
        refused = error
    if refused is not None:
        assert name == "wrap" or "test_agreement.py" in refused.at
        return
    assert graph.value == pytest.approx(f(copy.deepcopy(first)), rel=1e-12)
    for other in (first, second):
        right = pytest.approx(f(copy.deepcopy(other)), rel=1e-12)
        assert graph.evaluate(other) == right
        assert graph.compile()(other)[0] == right


def test_text_for_the_screen_is_no_decision(capsys):
    def f(x):
        print("x is", x, f"or {x[0]:.2f}", str(x), end="")
        return np.sum(x**2)

    fast = bp.trace(f, X).compile()
    capsys.readouterr()
    assert fast(LATER)[0] == np.sum(LATER**2)
    assert capsys.readouterr().out == ""


def test_text_is_that_of_the_plain_value():
    texts = []

    def f(x, n, s):
        texts.append([repr(x), str(x > 0), f"{s}", repr(n), repr(s)])
        return operator.mul(np.sum(x), n) * s

    bp.trace(f, X, 2, 1.5)
    assert texts[0] == [repr(X), str(X > 0), "1.5", "2", "1.5"]


def test_the_last_run_of_a_function_that_asks_has_its_own_arguments():
    seen = []

    def f(x):
        seen.append(x)
        return x * 2.0 if type(x) is not str else x

    bp.trace(f, 1.5)
    assert seen[-1] == 1.5


def change_first(a, b):
    a *= 2.0
    return np.sum(a * b)


def change_entry(a, b):
    b[0] = 5.0
    return np.sum(a * b)


def count_calls(a, b):
    for layer in (a, b):
        layer["n"] = layer.get("n", 0) + 1
    return sum(layer["n"] * np.sum(layer["W"]) for layer in (a, b))


TIED = {"W": np.ones(2)}
SHARED = {
    "one array": (change_first, X, X),
    "one array, the second": (change_entry, X, X),
    "two views": (change_first, LONG := np.arange(5.0), LONG[::-1]),
    "views side by side": (change_first, LONG[:2], LONG[2:4]),
    "equal copies": (change_first, X, X.copy()),
    "only read": (lambda a, b: np.sum(a * b), X, X),
    "one dict": (count_calls, TIED, TIED),
    "equal dicts": (count_calls, TIED, {**TIED}),
}


@pytest.mark.parametrize("name", SHARED)
def test_arguments_that_share_entries_are_right_or_refused(name):
    f, *args = SHARED[name]
    if name in ("one array", "one array, the second", "two views", "one dict"):
        with pytest.raises(bp.UnsupportedError, match="shares entries with") as caught:
            bp.trace(f, *args)
        assert "a copy for one of the two" in caught.value.instead
    else:
        graph = bp.trace(f, *args)
        for asked in (graph.value, graph.evaluate(*args), graph.compile()(*args)[0]):
            assert asked == f(*copy.deepcopy(args))


def test_arguments_that_share_entries_are_refused_in_a_replay_too():
    graph = bp.trace(change_first, X, X + 1.0)
    for ask in (graph.evaluate, graph.compile()):
        with pytest.raises(bp.UnsupportedError, match="shares entries with"):
            ask(X, X)


@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
@pytest.mark.parametrize("f", [change_first, change_entry])
def test_arguments_that_share_entries_are_refused_by_derivatives(f, argnums):
    def slopes(a, b):
        return np.sum(bp.grad(f)(a, b))

    for derivative in (bp.grad(f, argnums), bp.jacobian(f, argnums), bp.grad(slopes, argnums)):
        x = X.copy()
        with pytest.raises(bp.UnsupportedError, match="shares entries with"):
            derivative(x, x)
    for read in (lambda a, b: np.sum(a * b), lambda a, b: np.sum(np.add(a, b, out=np.zeros(3)))):
        assert bp.value_and_grad(read, argnums)(X, X)[0] == read(X, X)


def in_a_row(A):
    A.reshape(-1)[1] = 7.0
    return np.sum(A * A[0])


def in_columns(A):
    A.T.ravel()[1] += 7.0
    return np.sum(A * A[0])


def halves(A):
    first, _ = np.split(A.T, 2)
    first *= 2.0
    return np.sum(A * A[0])


LYING = {
    "rows": lambda: np.arange(12.0).reshape(3, 4),
    "columns": lambda: np.arange(12.0).reshape(4, 3).T,
    "cut": lambda: np.arange(20.0).reshape(4, 5)[:3, :4],
    "steps": lambda: np.arange(48.0).reshape(6, 8)[::2, ::2],
    "backwards": lambda: np.arange(12.0).reshape(3, 4)[:, ::-1],
}


@pytest.mark.parametrize("f", [in_a_row, in_columns, halves])
@pytest.mark.parametrize("lying", LYING)
def test_writing_through_a_view_is_right_however_an_argument_lies_in_memory(f, lying):
    if f is in_a_row and lying in ("cut", "steps", "backwards"):
        with pytest.raises(bp.UnsupportedError, match="a part of a larger array") as caught:
            bp.trace(f, LYING[lying]())
        assert caught.value.instead == "x.copy() as the argument"
        return
    graph = bp.trace(f, LYING[lying]())
    assert graph.value == f(LYING[lying]())
    fast = graph.compile()
    for other in ("rows", "columns", "rows"):
        assert graph.evaluate(LYING[other]()) == fast(LYING[other]())[0] == f(LYING[other]())


@pytest.mark.parametrize("n", [2**60, np.int64(2**60), np.array([2**60, 3])])
def test_whole_numbers_that_no_float_holds_are_refused_where_it_shows(n):
    with pytest.raises(bp.UnsupportedError, match="as large are rounded as floats"):
        bp.trace(lambda x, n: np.sum(x * (n + 1 - n)), np.ones(2), n)
    assert bp.trace(lambda x, n: np.sum(x * n), np.ones(2), n).value == np.sum(np.ones(2) * n)
    assert bp.trace(lambda x, n: np.sum(x * (n + 1 - n)), np.ones(2), n // 2**10).value == 2.0

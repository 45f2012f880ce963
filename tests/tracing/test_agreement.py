"""A function that asks ``type(x)`` is right or refused."""

import contextlib
import math
from collections.abc import Iterable

import numpy as np
import pytest

import backprop_nb as bp

rng = np.random.default_rng(0)


def by_type(x):
    return x * 2.0 if type(x) is float else x * 3.0


def by_class(x):
    return x * 2.0 if isinstance(x, float) else x * 3.0


def array_by_type(x):
    if type(x) is np.ndarray:
        return np.sum(x)
    return np.sum(x) * 2.0


def by_length(x):
    return np.sum(x) if hasattr(x, "__len__") else x * 2.0


def by_protocol(x):
    return np.sum(x) if isinstance(x, Iterable) else x * 2.0


def by_attribute(x):
    return x * 2.0 if getattr(x, "ndim", None) is None else x * 3.0


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


@pytest.mark.parametrize(
    "ask",
    [
        lambda: bp.trace(by_type, 1.5),
        lambda: bp.grad(by_type)(1.5),
        lambda: bp.value_and_grad(by_type)(1.5),
        lambda: bp.jvp(by_type, (1.5,), (1.0,)),
        lambda: bp.trace(array_by_type, np.ones(2)),
        lambda: bp.trace(by_length, 1.5),
        lambda: bp.trace(by_protocol, 1.5),
        lambda: bp.trace(by_attribute, 1.5),
        lambda: bp.trace(by_any_error, 1.5),
        lambda: bp.trace(by_error_of_a_helper, 1.5),
        lambda: bp.trace(by_suppressed_error, 1.5),
    ],
    ids=[
        *("trace", "grad", "value_and_grad", "jvp", "array", "length", "protocol"),
        *("attribute", "error", "helper", "suppressed"),
    ],
)
def test_a_function_that_would_be_another_is_refused(ask):
    with pytest.raises(bp.UnsupportedError, match="another value when it is traced") as caught:
        ask()
    assert "isinstance(x, np.ndarray), isinstance(x, float)" in caught.value.instead


def test_what_is_said_to_help_helps():
    assert bp.value_and_grad(by_class)(1.5) == (3.0, 2.0)


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

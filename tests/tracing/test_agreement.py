"""A function that asks ``type(x)`` is right or refused."""

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
    ],
    ids=["trace", "grad", "value_and_grad", "jvp", "array", "length", "protocol"],
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

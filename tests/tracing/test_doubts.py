"""Warnings of a reverse pass: a pole that is left out, and a second derivative at a tip."""

import inspect
import re
import warnings

import numpy as np
import pytest

import backprop_nb as bp


def log_of_positive(x):
    return np.sum(np.where(x > 0, np.log(x), 0.0))


def safe_log_of_positive(x):
    safe = np.where(x > 0, x, 1.0)
    return np.sum(np.where(x > 0, np.log(safe), 0.0))


def sinc(x):
    return np.sum(np.where(x == 0, 1.0, np.sin(x) / x))


def safe_sinc(x):
    safe = np.where(x == 0, 1.0, x)
    return np.sum(np.where(x == 0, 1.0, np.sin(x) / safe))


def root(x):
    y = np.sqrt(x)
    return np.sum(np.where(x > 0.5, y, 2.0))


def safe_root(x):
    safe = np.where(x > 0.5, x, 1.0)
    y = np.sqrt(safe)
    return np.sum(np.where(x > 0.5, y, 2.0))


POLES = [
    (log_of_positive, safe_log_of_positive, "np.log(x)", "[nan, 1.0]"),
    (sinc, safe_sinc, "np.sin(x) / x", None),
    (root, safe_root, "np.sqrt(x)", "[nan, 0.5]"),
]


def quiet(f, *args):
    with np.errstate(all="ignore"):
        return bp.trace(f, *args)


@pytest.mark.parametrize(("f", "safe", "pole", "gradient"), POLES)
def test_a_pole_that_where_leaves_out_is_told_with_what_helps(f, safe, pole, gradient):
    x = np.array([0.0, 1.0])
    with pytest.warns(bp.BackpropWarning, match="is NaN") as caught:
        [found] = quiet(f, x).backward().gradients
    assert np.isnan(found[0])
    text = str(caught[0].message)
    assert f"it becomes so at {pole}: " in text
    assert caught[0].filename == __file__
    advice = re.search(r"instead:  (safe = .*), and safe in place of (\w+) in", text)
    assert f"    {advice[1]}\n" in inspect.getsource(safe)
    [mended] = bp.trace(safe, x).backward().gradients
    np.testing.assert_allclose(mended[1], found[1])
    assert np.all(np.isfinite(mended))
    assert bp.trace(safe, x).value == quiet(f, x).value
    assert gradient is None or str(found.tolist()) == gradient


@pytest.mark.parametrize(
    ("f", "stable"),
    [
        (lambda z: np.sum(1 / (1 + np.exp(-z))), lambda z: np.sum(bp.sigmoid(z))),
        (lambda z: np.sum(np.log(1 + np.exp(-z))), lambda z: np.sum(np.logaddexp(0, -z))),
    ],
    ids=["sigmoid", "softplus"],
)
def test_an_exponential_that_overflows_is_told_with_what_helps(f, stable):
    z = np.array([-800.0, 1.0])
    with pytest.warns(bp.BackpropWarning) as caught:
        [found] = quiet(f, z).backward().gradients
    [mended] = bp.trace(stable, z).backward().gradients
    np.testing.assert_allclose(mended[1], found[1])
    assert np.all(np.isfinite(mended))
    assert any("bp.sigmoid(z) for 1 / (1 + np.exp(-z))" in str(each.message) for each in caught)


def test_an_infinite_slope_is_told_with_its_place():
    with pytest.warns(bp.BackpropWarning, match=r"infinite; it becomes so at np.sqrt\(x\)"):
        bp.grad(lambda x: np.sqrt(x))(0.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.norm(x) ** 2,
        lambda x: np.sum(np.linalg.norm(np.stack([x, x + 1.0]), axis=1) ** 2),
        lambda x: np.sum(np.hypot(x, x) ** 2),
        lambda x: np.sum(np.abs(x) ** 2),
        lambda x: np.sum(np.fabs(x) * np.fabs(x)),
        lambda x: np.std(x) ** 2,
        lambda x: np.linalg.norm(x, 1) ** 2,
        lambda x: np.linalg.norm(x, np.inf) ** 2,
    ],
    ids=["norm", "rows", "hypot", "abs", "fabs", "std", "1-norm", "inf-norm"],
)
@pytest.mark.parametrize(
    "second",
    [
        lambda f: bp.jacobian(bp.grad(f)),
        lambda f: bp.grad(lambda x: np.sum(bp.grad(f)(x))),
        lambda f: lambda x: bp.jvp(bp.grad(f), (x,), (np.ones(2),)),
        lambda f: lambda x: bp.jacobian(bp.jacobian(f))(x),
        lambda f: bp.grad(lambda x: bp.jvp(f, (x,), (np.ones(2),))[1]),
    ],
    ids=["jacobian of grad", "grad of grad", "jvp of grad", "jacobian twice", "grad of jvp"],
)
def test_a_second_derivative_at_a_tip_is_told(f, second):
    with pytest.warns(bp.BackpropWarning, match="A second derivative at .*\n  instead:  "):
        second(f)(np.zeros(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        second(f)(np.array([0.5, 1.5]))
        bp.grad(f)(np.zeros(2))
        bp.trace(f, np.zeros(2)).to_numpy()
        bp.jvp(f, (np.zeros(2),), (np.ones(2),))


def test_a_tip_that_only_a_decision_looked_at_is_none():
    def root(a):
        x = a
        for _ in range(20):
            before, x = x, 0.5 * (x + a / x)
            if abs(x - before) < 1e-15:
                break
        return x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert bp.grad(bp.grad(root))(4.0) == pytest.approx(-1 / 32)


@pytest.mark.parametrize(
    ("f", "hessian"),
    [
        (lambda x: np.sum(x**2), 2 * np.eye(2)),
        (lambda x: np.sum(x**2 + x**2), 4 * np.eye(2)),
        (lambda x: np.var(x), [[0.5, -0.5], [-0.5, 0.5]]),
    ],
    ids=["norm", "hypot", "std"],
)
def test_what_stands_in_its_place_is_right(f, hessian):
    np.testing.assert_allclose(bp.jacobian(bp.grad(f))(np.zeros(2)), hessian)


def test_a_derivative_in_a_direction_that_is_not_finite_is_told():
    with pytest.warns(bp.BackpropWarning, match="in this direction is NaN or infinite"):
        assert bp.jvp(np.sqrt, (0.0,), (1.0,))[1] == np.inf
    with pytest.warns(bp.BackpropWarning, match=r"becomes so at np.sqrt\(x\)"):
        bp.jacobian(lambda x: np.sqrt(x))(np.array([0.0, 1.0]))

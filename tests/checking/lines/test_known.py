"""The true quantities of a loss: which there are, what they are called, and what equals them."""

import numpy as np
import pytest
from nonempty import nonempty

from backprop_nb.checking.lines.followed import traced
from backprop_nb.checking.lines.known import Key, Known

rng = np.random.default_rng(0)
W1, W2 = rng.standard_normal((3, 2)), rng.standard_normal((2, 3))
X, T = rng.standard_normal((2, 4)), rng.standard_normal((2, 4))


def loss(W1, W2):
    z1 = W1 @ X
    h = 1 / (1 + np.exp(-z1))
    out = W2 @ h
    return np.sum((out - T) ** 2)


@pytest.fixture(scope="module")
def known():
    return Known(traced(loss, [W1, W2], {0, 1}))


@pytest.fixture(scope="module")
def by_symbol(known):
    return {known.symbol(key): array for key, array in known.arrays.items()}


H = 1 / (1 + np.exp(-W1 @ X))
E = 2 * (W2 @ H - T)


@pytest.mark.parametrize(
    ("symbol", "value"),
    [
        ("z1", W1 @ X),
        ("h", H),
        ("out", W2 @ H),
        ("out - T", W2 @ H - T),
        ("∂L/∂out", E),
        ("∂L/∂h", W2.T @ E),
        ("∂L/∂z1", W2.T @ E * H * (1 - H)),
        ("∂L/∂W1", W2.T @ E * H * (1 - H) @ X.T),
        ("∂L/∂W2", E @ H.T),
        ("∂h/∂z1", H * (1 - H)),
    ],
)
def test_a_quantity_has_its_symbol(by_symbol, symbol, value):
    np.testing.assert_allclose(by_symbol[symbol], value)


@pytest.mark.parametrize(
    ("activation", "slope"),
    [
        (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
        (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
        (lambda z: np.where(z > 0, z, 0.1 * z), lambda z: np.where(z > 0, 1, 0.1)),
        (lambda z: z * (1 / (1 + np.exp(-z))), lambda z: _silu_slope(z)),
        (lambda z: np.log(1 + np.exp(z)), lambda z: 1 / (1 + np.exp(-z))),
        (lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)), lambda z: _sech2(z)),
    ],
    ids=["tanh", "relu", "leaky", "silu", "softplus", "tanh by hand"],
)
def test_the_slope_of_an_activation_is_known_however_it_is_composed(activation, slope):
    def loss(w):
        z = w * X
        a = activation(z)
        return np.sum(a**3)

    w = rng.standard_normal((2, 1))
    known = Known(traced(loss, [w], {0}))
    found = {known.symbol(key): array for key, array in known.arrays.items()}
    np.testing.assert_allclose(found["∂a/∂z"], slope(w * X))


def _silu_slope(z):
    s = 1 / (1 + np.exp(-z))
    return s + z * s * (1 - s)


def _sech2(z):
    return 1 - np.tanh(z) ** 2


def test_what_is_mixed_has_no_slope_by_entry():
    """A softmax depends on all entries of a column; a product of two on two records."""

    def loss(w, v):
        p = np.exp(w) / np.sum(np.exp(w))
        q = w * v
        return np.sum(p * q)

    known = Known(traced(loss, [np.ones(3), np.arange(3.0)], {0, 1}))
    symbols = {known.symbol(key) for key in known.arrays}
    assert "∂L/∂p" in symbols
    assert not any(symbol.startswith(("∂p/", "∂q/")) for symbol in symbols)


def test_what_is_zero_or_not_finite_is_no_quantity():
    def loss(w):
        nothing = w * 0.0
        return np.sum(w + nothing)

    known = Known(traced(loss, [np.ones(3)], {0}))
    assert "nothing" not in {known.symbol(key) for key in known.arrays}
    assert all(np.any(array) for array in nonempty(known.arrays.values()))


@pytest.mark.parametrize("transposed", [False, True], ids=["as it is", "transposed"])
@pytest.mark.parametrize("scale", [1.0, -1.0, 0.25])
def test_a_multiple_is_matched_perhaps_transposed(known, transposed, scale):
    array = W2.T @ E * H * (1 - H)
    found = known.matches(scale * (array.T if transposed else array))
    [match] = [each for each in found if known.symbol(each.key) == "∂L/∂z1"]
    assert scale != 1 or match is found[0]
    assert match.transposed is transposed
    assert match.scale == pytest.approx(scale)


def test_exact_is_what_is_no_mere_multiple(known):
    assert known.is_exact(E)
    assert not known.is_exact(2 * E)
    assert not known.is_exact(E + 1e-3)
    assert not known.is_exact(np.ones(17))


def test_who_goes_through_the_samples_computes_rows():
    def loss(w):
        h = np.tanh(X @ w)
        return np.sum(h**2)

    X = rng.standard_normal((4, 3))
    w = rng.standard_normal((3, 2))
    known = Known(traced(loss, [w], {0}))
    h = np.tanh(X @ w)
    assert known.truth(h) is not None
    assert known.truth(h[2]) is not None
    assert known.truth(h[2]) != known.truth(h[1])
    assert known.truth(w[1]) is None  # an argument is nothing that anybody computes
    assert known.truth(3 * h[2]) is None


def test_a_quantity_that_equals_comes_before_those_it_is_a_multiple_of(known):
    """The error without the 2 is a value of the loss, and half of an adjoint."""
    first, *others = known.matches(W2 @ H - T)
    assert (known.symbol(first.key), first.scale) == ("out - T", pytest.approx(1))
    assert known.symbol_apart(first.key) == "the loss's (out - T)"
    assert any(
        known.symbol(each.key) == "∂L/∂out" and each.scale == pytest.approx(0.5) for each in others
    )


@pytest.mark.parametrize(
    "array", [np.zeros((3, 4)), np.full((3, 4), np.nan), np.ones((3, 4), int), np.ones(999)]
)
def test_what_can_be_no_quantity_matches_none(known, array):
    assert known.matches(array) == []


def test_a_parameter_that_the_loss_does_not_use_has_no_adjoint():
    known = Known(traced(lambda a, b: np.sum(a**2), [np.ones(2), np.ones(2)], {0, 1}))
    assert known.adjoints[1] is None
    assert Key("adjoint", 1) not in known.arrays
    assert Key("value", 1) in known.arrays


def test_a_factor_is_said_by_what_it_stands_for():
    X = rng.standard_normal((30, 3))

    def loss(w):
        return np.mean((X @ w) ** 2) * np.sin(0.3) * 0.013

    known = Known(traced(loss, [rng.standard_normal(3)], {0}))
    said = {  # 30 is the length of no argument
        1 / 30: "1/30",
        -2 / 30: "−2/30",
        1 / np.sin(0.3): "1/the loss's np.sin(0.3)",
        0.013: "0.013",
        5 / 7: "5/7",
        0.2468101: "0.2468101",
    }
    assert {value: known.advice(value) for value in said} == said


def test_what_the_loss_takes_means_over_is_known_from_numbers_in_its_formula():
    x, n = np.ones((6, 3)), 6

    def loss(w):
        e = x @ w
        return 0.5 * np.mean(e**2, axis=1).sum() / n + np.sum(w**2) / 4 + np.sum(w) * (1 / len(e.T))

    assert Known(traced(loss, [np.ones((3, 2))], [0])).averaged == {2.0, 6.0}


@pytest.mark.parametrize(
    "mean",
    [
        lambda total, x: total / (2 * len(x)),
        lambda total, x: 1 / (2 * len(x)) * total,
        lambda total, x: total * (0.5 / len(x)),
    ],
    ids=["divided", "multiplied before", "multiplied behind"],
)
def test_a_half_beside_a_mean_is_no_part_of_its_count(mean):
    x = np.ones((6, 3))
    known = Known(traced(lambda w: mean(np.sum((x @ w) ** 2), x), [np.ones((3, 2))], [0]))
    assert known.averaged == {6.0}

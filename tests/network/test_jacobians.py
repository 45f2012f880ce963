"""Each Jacobian against central differences of the function that it belongs to."""

import math
import pickle

import numpy as np
import pytest
from examples import nudged

from backprop_nb.errors import InvalidValueError
from backprop_nb.network import jacobians
from backprop_nb.network.jacobians import MAX_ENTRIES, Jacobian

SHAPES = [(1, 1), (3, 3), (4, 2), (2, 5), (1, 3), (3, 1)]
"""Numbers that come in and out of a layer."""


def layer_by_layer(A, b, x):
    """Return z and f of one layer as lists, one number at a time."""
    rows = zip(A.tolist(), b.tolist(), strict=True)
    z = [sum(a * v for a, v in zip(row, x, strict=True)) + c for row, c in rows]
    return z, [1 / (1 + math.exp(-v)) for v in z]


@pytest.fixture(params=SHAPES, ids=lambda shape: f"{shape[0]}-{shape[1]}")
def layer(request):
    """A, b, x and what the layer makes of x."""
    n_in, n_out = request.param
    rng = np.random.default_rng(3)
    A, b, x = rng.normal(size=(n_out, n_in)), rng.normal(size=n_out), rng.normal(size=n_in)
    return A, b, x, np.array(layer_by_layer(A, b, x)[1])


def from_theta(theta, x):
    """Return z and f of a layer whose parameters are A row by row, then b."""
    n_out = len(theta) // (len(x) + 1)
    A = np.array(theta[: n_out * len(x)]).reshape(n_out, len(x))
    return layer_by_layer(A, np.array(theta[n_out * len(x) :]), x)


def assert_is(factor, jacobian):
    assert factor.shape == factor.matrix.shape == jacobian.shape
    np.testing.assert_allclose(factor.matrix, jacobian, rtol=0, atol=1e-9)


def test_loss_by_output(layer):
    *_, f = layer
    y = np.random.default_rng(4).uniform(size=f.size)
    squares = nudged(lambda f: [sum((u - v) ** 2 for u, v in zip(y, f, strict=True))], f)
    assert_is(jacobians.loss_by_output(f, y, 2), squares)


def test_output_by_input(layer):
    A, b, x, f = layer
    assert_is(jacobians.output_by_input(A, f, 2), nudged(lambda x: layer_by_layer(A, b, x)[1], x))


def test_output_by_parameters_has_the_weights_row_by_row_and_then_the_biases(layer):
    A, b, x, f = layer
    jacobian = nudged(lambda theta: from_theta(theta, x)[1], [*A.ravel(), *b])
    assert_is(jacobians.output_by_parameters(x, f, 0), jacobian)


def test_output_by_preactivation(layer):
    A, b, x, f = layer
    z = layer_by_layer(A, b, x)[0]
    jacobian = nudged(lambda z: [1 / (1 + math.exp(-v)) for v in z], z)
    assert_is(jacobians.output_by_preactivation(f, 1), jacobian)


def test_preactivation_by_input(layer):
    A, b, x, _ = layer
    jacobian = nudged(lambda x: layer_by_layer(A, b, x)[0], x)
    assert_is(jacobians.preactivation_by_input(A, 1), jacobian)


def test_preactivation_by_weights_and_bias(layer):
    A, b, x, _ = layer
    jacobian = nudged(lambda theta: from_theta(theta, x)[0], [*A.ravel(), *b])
    assert_is(jacobians.preactivation_by_weights(x, b.size, 0), jacobian[:, : A.size])
    assert_is(jacobians.preactivation_by_bias(b.size, b.dtype, 0), jacobian[:, A.size :])


def every_factor(dtype=float):
    A, x, f = np.ones((2, 3), dtype), np.ones(3, dtype), np.full(2, 0.25, dtype)
    return [
        jacobians.loss_by_output(f, np.zeros(2, dtype), 2),
        jacobians.output_by_input(A, f, 2),
        jacobians.output_by_parameters(x, f, 1),
        jacobians.output_by_preactivation(f, 2),
        jacobians.preactivation_by_input(A, 2),
        jacobians.preactivation_by_weights(x, 2, 1),
        jacobians.preactivation_by_bias(2, np.dtype(dtype), 1),
    ]


def test_names_as_text_and_as_latex():
    symbols = " · ".join(factor.symbol for factor in every_factor())
    assert symbols == (
        "∂L/∂f_2 · ∂f_2/∂f_1 · ∂f_2/∂θ_1 · ∂f_2/∂z_2 · ∂z_2/∂f_1 · ∂z_2/∂A_1 · ∂z_2/∂b_1"
    )
    latex = every_factor()[2].latex
    assert latex == r"\frac{\partial f_{2}}{\partial \theta_{1}}"
    assert every_factor()[0].latex == r"\frac{\partial L}{\partial f_{2}}"
    assert repr(every_factor()[2]) == "<Jacobian ∂f_2/∂θ_1, shape (2, 8)>"


@pytest.mark.parametrize("position", range(7))
def test_the_layout_says_where_each_number_stands(position):
    factor = every_factor()[position]
    assert (
        factor.layout
        == [
            "[0, c] = 2 (f_2 − y)_c",
            "[r, c] = σ′(z_2)_r (A_1)_rc",
            "[r, 3 r′ + c] = σ′(z_2)_r (f_1)_c if r = r′, else 0; "
            "then [r, 6 + r′] = σ′(z_2)_r if r = r′, else 0",
            "[r, c] = σ′(z_2)_r if r = c, else 0",
            "[r, c] = (A_1)_rc",
            "[r, 3 r′ + c] = (f_1)_c if r = r′, else 0",
            "[r, c] = 1 if r = c, else 0",
        ][position]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("position", range(7))
def test_a_factor_keeps_the_dtype_and_cannot_be_changed(position, dtype):
    factor = every_factor(dtype)[position]
    assert factor.dtype == factor.matrix.dtype == dtype
    with pytest.raises(ValueError, match="read-only"):
        factor.matrix[0, 0] = 5
    assert factor.entries == factor.matrix.size


@pytest.mark.parametrize("position", range(7))
def test_a_factor_can_be_pickled(position):
    factor = every_factor()[position]
    assert np.array_equal(pickle.loads(pickle.dumps(factor)).matrix, factor.matrix)


def test_a_matrix_is_built_when_it_is_asked_for_and_only_once():
    calls = []

    def build():
        calls.append("built")
        return np.ones((1, 2))

    factor = Jacobian("L", "f_1", (1, 2), np.dtype(float), "", build)
    assert (factor.shape, factor.entries, calls) == ((1, 2), 2, [])
    assert factor.matrix is factor.matrix
    assert calls == ["built"]


@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float32, "0.5 GB"), (np.float64, "1.1 GB")], ids=["32", "64"]
)
def test_a_matrix_that_is_too_large_is_refused_in_gigabytes(dtype, size):
    def build():
        raise AssertionError("it must not be built")

    with pytest.raises(InvalidValueError) as caught:
        _ = Jacobian("f_1", "θ_0", (1, MAX_ENTRIES + 1), np.dtype(dtype), "", build).matrix
    assert str(caught.value) == (
        f"∂f_1/∂θ_0 would fill {size}, so it is not built.\n"
        "  given:    shape (1, 134217729), 134,217,729 entries\n"
        "  expected: at most 134,217,728 entries\n"
        "  instead:  net.backward(x, y), which finds the gradient without any Jacobian"
    )


def test_the_largest_matrix_is_not_refused():
    small = np.ones((1, 1))  # stands for it: only the shape is looked at
    assert Jacobian("L", "f_1", (1, MAX_ENTRIES), np.dtype(float), "", small.copy).matrix.size == 1

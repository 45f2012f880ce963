"""The chain of Jacobians against central differences, the backward pass and the tracer."""

import math
import pickle

import numpy as np
import pytest
from examples import error_of, example, nudged

from backprop_nb.errors import (
    BackpropWarning,
    InvalidValueError,
    NotFoundError,
    ShapeError,
    UnsupportedError,
)
from backprop_nb.network import Jacobian, PartialProduct, SigmoidNetwork

WIDTHS = [
    (1, 1),
    (4, 2),
    (3, 3),
    (4, 3, 1),
    (3, 3, 3),
    (1, 1, 1),
    (2, 5, 1, 3),
    (3, 3, 3, 3),
    (4, 2, 3, 2, 3),
]
CASES = [
    pytest.param(widths, i, id=f"{'-'.join(map(str, widths))} i={i}")
    for widths in WIDTHS
    for i in range(len(widths) - 1)
]


def flat(dA, db):
    return np.concatenate([dA.ravel(), db])[np.newaxis]


# --- the factors ------------------------------------------------------------


def naive_layer(theta, f):
    """Return σ(A f + b), one number at a time; theta is A row by row, then b."""
    n_out, n_in = len(theta) // (len(f) + 1), len(f)
    z = [
        sum(theta[r * n_in + c] * f[c] for c in range(n_in)) + theta[n_out * n_in + r]
        for r in range(n_out)
    ]
    return [1 / (1 + math.exp(-v)) for v in z]


def naive_jacobians(net, x, y, i):
    """Return every factor by nudging: the loss, the layers K, ..., i + 2, and θ_i."""
    theta = [[*A.ravel().tolist(), *b.tolist()] for A, b in zip(net.A, net.b, strict=True)]
    f = [x.tolist()]
    for theta_i in theta:
        f.append(naive_layer(theta_i, f[-1]))

    def loss(f_K):
        return [sum((u - v) ** 2 for u, v in zip(y, f_K, strict=True))]

    yield nudged(loss, f[-1])
    for j in range(net.K, i + 1, -1):
        yield nudged(lambda f, theta_j=theta[j - 1]: naive_layer(theta_j, f), f[j - 1])
    yield nudged(lambda theta_i: naive_layer(theta_i, f[i]), theta[i])


@pytest.mark.parametrize(("widths", "i"), CASES)
def test_every_factor_agrees_with_central_differences(widths, i):
    net, x, y = example(widths)
    chain = net.chain(x, y, i)
    expected = list(naive_jacobians(net, x, y, i))
    assert len(chain.factors) == len(expected) == net.K - i + 1
    for factor, jacobian in zip(chain.factors, expected, strict=True):
        assert factor.shape == jacobian.shape
        np.testing.assert_allclose(factor.matrix, jacobian, rtol=0, atol=1e-9)


def test_the_factors_are_those_of_the_documents_last_equation():
    net, x, y = example((4, 2, 3, 2))
    symbols = [[factor.symbol for factor in net.chain(x, y, i).factors] for i in range(3)]
    assert symbols == [
        ["∂L/∂f_3", "∂f_3/∂f_2", "∂f_2/∂f_1", "∂f_1/∂θ_0"],
        ["∂L/∂f_3", "∂f_3/∂f_2", "∂f_2/∂θ_1"],
        ["∂L/∂f_3", "∂f_3/∂θ_2"],
    ]


# --- the product ------------------------------------------------------------


@pytest.mark.parametrize(("widths", "i"), CASES)
def test_the_product_is_the_gradient_of_the_backward_pass_and_of_the_tracer(widths, i):
    net, x, y = example(widths)
    chain, gradient = net.chain(x, y, i), net.backward(x, y)
    (traced_A, traced_b), (dA, db) = net.trace(x, y).backward().gradients, chain.gradient()
    assert (dA.shape, db.shape) == (net.A[i].shape, net.b[i].shape)
    assert chain.product().shape == (1, widths[i + 1] * (widths[i] + 1))
    for expected in (gradient.A[i], gradient.b[i]), (traced_A[i], traced_b[i]), (dA, db):
        np.testing.assert_allclose(chain.product(), flat(*expected), rtol=0, atol=1e-14)


@pytest.mark.parametrize("i", [0, 1, 2])
def test_float32_stays_float32(i):
    net, x, y = example((4, 2, 3, 2), dtype=np.float32)
    chain = net.chain(x.astype(float), y.tolist(), i)
    arrays = [*(factor.matrix for factor in chain.factors), chain.product(), *chain.gradient()]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    gradient = net.backward(x, y)
    expected = flat(gradient.A[i], gradient.b[i])
    np.testing.assert_allclose(chain.product(), expected, rtol=0, atol=1e-6)


def test_a_chain_does_not_follow_later_changes():
    net, x, y = example((3, 3, 3))
    chain, gradient = net.chain(x, y, 0), net.backward(x, y)
    for array in (*net.A, *net.b, x, y):
        array += 1
    expected = flat(gradient.A[0], gradient.b[0])
    np.testing.assert_allclose(chain.product(), expected, rtol=0, atol=1e-14)


def test_what_a_chain_is_made_from_cannot_be_changed():
    chain = example((3, 3, 3))[0].chain([1, 2, 3], [1, 0, 0], 0)
    for array in (*chain.A, *chain.f, chain.y):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


def test_a_product_may_be_changed_and_the_next_one_is_right():
    net, x, y = example((3, 3, 3))
    chain = net.chain(x, y, 0)
    before = chain.product().copy()
    chain.product()[:] = 0
    assert np.array_equal(chain.product(), before)


def test_a_chain_can_be_pickled():
    net, x, y = example((3, 2, 2))
    chain = net.chain(x, y, 0)
    assert np.array_equal(pickle.loads(pickle.dumps(chain)).product(), chain.product())


def test_a_chain_may_be_long():
    net, x, y = example((1,) * 1500)
    chain = net.chain(x, y, 0)
    assert len(chain.factors) == 1500
    assert chain.product().shape == (1, 2)
    assert chain.partial_products("right")[-1].total == chain.cost_from_right


# --- the cost ---------------------------------------------------------------


class Counter:
    """Multiplies matrices one number at a time, and counts."""

    def __init__(self):
        self.count = 0

    def times(self, left, right):
        rows, inner, columns = len(left), len(right), len(right[0])
        product = [[0.0] * columns for _ in range(rows)]
        for r in range(rows):
            for c in range(columns):
                for k in range(inner):
                    product[r][c] += left[r][k] * right[k][c]
                    self.count += 1
        return product


@pytest.mark.parametrize(("widths", "i"), CASES)
def test_the_costs_are_those_of_counting(widths, i):
    net, x, y = example(widths)
    chain = net.chain(x, y, i)
    matrices = [factor.matrix.tolist() for factor in chain.factors]

    counter, product = Counter(), matrices[0]
    left = chain.partial_products("left")
    for partial, matrix in zip(left[1:], matrices[1:], strict=True):
        before, product = counter.count, counter.times(product, matrix)
        assert (partial.cost, partial.total) == (counter.count - before, counter.count)
        np.testing.assert_allclose(partial.matrix, product, rtol=0, atol=1e-14)
    assert chain.cost_from_left == counter.count

    counter, product = Counter(), matrices[-1]
    right = chain.partial_products("right")
    for partial, matrix in zip(right[1:], reversed(matrices[:-1]), strict=True):
        before, product = counter.count, counter.times(matrix, product)
        assert (partial.cost, partial.total) == (counter.count - before, counter.count)
        np.testing.assert_allclose(partial.matrix, product, rtol=0, atol=1e-14)
    assert chain.cost_from_right == counter.count


@pytest.mark.parametrize(("widths", "i"), CASES)
def test_the_backward_pass_costs_a_product_with_each_matrix_and_an_outer_one(widths, i):
    net, x, y = example(widths)
    counter, delta = Counter(), [[1.0]] * widths[-1]
    for j in range(net.K - 1, i, -1):
        delta = counter.times(net.A[j].T.tolist(), delta)
    counter.times(delta, [net.forward(x).f[i].tolist()])
    assert net.chain(x, y, i).cost_of_backward == counter.count


def test_the_costs_of_a_network_for_small_pictures():
    chain = SigmoidNetwork((784, 128, 64, 10), seed=0).chain(np.ones(784), np.ones(10), 0)
    costs = chain.cost_from_left, chain.cost_from_right, chain.cost_of_backward
    assert costs == (12_870_272, 888_444_160, 109_184)
    assert {type(cost) for cost in costs} == {int}


def test_a_partial_product_is_named_by_the_chain_rule():
    net, x, y = example((4, 2, 3, 2))
    chain = net.chain(x, y, 0)
    left, right = chain.partial_products(), chain.partial_products("right")
    assert [p.symbol for p in left] == ["∂L/∂f_3", "∂L/∂f_2", "∂L/∂f_1", "∂L/∂θ_0"]
    assert [p.symbol for p in right] == ["∂f_1/∂θ_0", "∂f_2/∂θ_0", "∂f_3/∂θ_0", "∂L/∂θ_0"]
    assert [p.shape for p in left] == [(1, 2), (1, 3), (1, 2), (1, 10)]
    assert [p.shape for p in right] == [(2, 10), (3, 10), (2, 10), (1, 10)]
    assert left[1].latex == r"\frac{\partial L}{\partial f_{2}}"
    assert repr(left[1]) == "<PartialProduct ∂L/∂f_2, shape (1, 3), 6 multiplications>"


@pytest.mark.parametrize(
    ("side", "numbers"), [("left", [1e-300, 1e200, 1e200]), ("right", [1e200, 1e200, 1e-300])]
)
def test_the_matrices_are_multiplied_from_the_side_that_is_named(side, numbers):
    # From the other side the first product is 1e400, which is no float any more.
    factors = [
        Jacobian("L", "f_1", (1, 1), np.dtype(float), "", np.array([[number]]).copy)
        for number in numbers
    ]
    product = PartialProduct(tuple(factors), side, 0, 0)
    assert product.matrix.item() == pytest.approx(1e100)


def test_a_product_begins_at_the_left_or_the_right():
    net, x, y = example((3, 3))
    assert error_of(lambda: net.chain(x, y, 0).partial_products("middle"), InvalidValueError) == (
        '`side` must be "left" or "right".\n  given:    side = \'middle\''
    )


# --- networks whose Jacobians are too large ---------------------------------


@pytest.fixture(scope="module")
def wide():
    net = SigmoidNetwork((1024, 1024, 1024), seed=0)
    return net.chain(np.ones(1024), np.ones(1024), 0)


def test_shapes_costs_and_text_need_no_matrix(wide):
    assert [factor.shape for factor in wide.factors] == [(1, 1024), (1024, 1024), (1024, 1049600)]
    assert wide.cost_from_left == 1024**2 + 1024 * 1049600
    assert wide.cost_from_right == (1024 + 1024**2) * 1049600
    assert [p.shape for p in wide.partial_products("right")][1] == (1024, 1049600)
    for text in (repr(wide), wide.describe(), wide._repr_markdown_(), wide._repr_latex_()):
        assert "f_" in text
    assert not any("matrix" in vars(factor) for factor in wide.factors)


REFUSED = (
    "∂f_1/∂θ_0 would fill 8.6 GB, so it is not built.\n"
    "  given:    shape (1024, 1049600), 1,074,790,400 entries\n"
    "  expected: at most 134,217,728 entries\n"
    "  instead:  net.backward(x, y), which finds the gradient without any Jacobian"
)


def test_a_jacobian_of_gigabytes_is_refused(wide):
    assert error_of(lambda: wide.factors[-1].matrix, InvalidValueError) == REFUSED
    assert error_of(wide.product, InvalidValueError) == REFUSED
    assert error_of(wide.gradient, InvalidValueError) == REFUSED
    assert "∂z_1/∂A_0 would fill 8.6 GB" in error_of(wide.transposes, InvalidValueError)


def test_a_partial_product_of_gigabytes_is_refused():
    # Each factor is small enough, but the product of the two last ones is not.
    net = SigmoidNetwork((2047, 1, 1, 70_000), seed=0)
    product = net.chain(np.ones(2047), np.ones(70_000), 0).partial_products("right")[2]
    assert "∂f_3/∂θ_0 would fill 1.1 GB" in error_of(lambda: product.matrix, InvalidValueError)


# --- what does not fit ------------------------------------------------------


def test_a_chain_is_that_of_one_input():
    net, x, y = example((4, 3, 2))
    rows = np.stack([x] * 5), np.stack([y] * 5)
    assert error_of(lambda: net.chain(*rows, 0), ShapeError) == (
        "`x` is a batch of 5 rows, and a chain is that of a single input.\n"
        "  given:    x of shape (5, 4), y of shape (5, 2)\n"
        "  expected: x of shape (4,), y of shape (2,)\n"
        "  instead:  x[0], y[0]"
    )


def test_what_does_not_fit_the_network_is_said_as_everywhere():
    net, x, y = example((4, 3, 2))
    for data in [(x[:3], y), (x, y[:1]), (np.stack([x, x]), y)]:
        expected = error_of(lambda data=data: net.backward(*data), ShapeError)
        assert error_of(lambda data=data: net.chain(*data, 0), ShapeError) == expected


@pytest.mark.parametrize("i", [-1, 2, 100, np.int64(2)])
def test_there_is_no_theta_outside_of_the_network(i):
    net, x, y = example((4, 3, 2))
    assert error_of(lambda: net.chain(x, y, i), NotFoundError) == (
        f"A network of 2 layers has no θ_{i}.\n"
        f"  given:    i = {i}\n"
        "  expected: i from 0 to 1, numbered as in the document"
    )


def test_one_layer_has_one_theta():
    net, x, y = example((4, 2))
    assert error_of(lambda: net.chain(x, y, 1), NotFoundError) == (
        "A network of 1 layer has no θ_1.\n  given:    i = 1\n  expected: i = 0"
    )


@pytest.mark.parametrize("i", [0.0, "0", None, True])
def test_i_is_an_integer(i):
    net, x, y = example((4, 3, 2))
    assert error_of(lambda: net.chain(x, y, i), UnsupportedError) == (
        "`i` must be an integer.\n"
        f"  given:    i = {i!r}\n"
        "  expected: i from 0 to 1, numbered as in the document"
    )


def test_an_integer_of_numpy_will_do():
    net, x, y = example((4, 3, 2))
    chain = net.chain(x, y, np.int8(1))
    assert (chain.i, type(chain.i)) == (1, int)


def test_nan_warns_and_stays_nan():
    net, x, y = example((4, 3, 2))
    x[2] = np.nan
    with pytest.warns(BackpropWarning, match=r"`x\[2\]` is nan"):
        chain = net.chain(x, y, 0)
    assert np.isnan(chain.product()).any()


# --- what is to be seen -----------------------------------------------------


@pytest.fixture
def small():
    return SigmoidNetwork((2, 3, 2), seed=0).chain([1, 2], [0, 1], 0)


def test_the_description(small):
    assert small.describe() == str(small)
    assert str(small) == (
        "Equation [chain-general], i = 0, widths (2, 3, 2):\n"
        "\n"
        "∂L/∂θ_0 = ∂L/∂f_2 · ∂f_2/∂f_1 · ∂f_1/∂θ_0\n"
        "\n"
        "factor     shape   entries  cost from the left  from the right\n"
        "∂L/∂f_2    (1, 2)        2                                  18\n"
        "∂f_2/∂f_1  (2, 3)        6                   6              54\n"
        "∂f_1/∂θ_0  (3, 9)       27                  27\n"
        "product    (1, 9)        9                  33              72\n"
        "\n"
        "From the left there is only a row to carry: 33 multiplications. From the right it takes\n"
        "72. Programs build none of these matrices: 18 of the 27 entries of ∂f_1/∂θ_0 are zeros,\n"
        "and net.backward finds the same numbers in 12."
    )


@pytest.mark.parametrize(("widths", "i"), CASES)
def test_the_zeros_are_counted(widths, i):
    net, x, y = example(widths)
    chain = net.chain(x, y, i)
    last = chain.factors[-1]
    zeros = int(np.count_nonzero(last.matrix == 0))
    said = f"{zeros} of the {last.entries} entries" in " ".join(chain.describe().split())
    assert said == bool(zeros)


def test_the_last_layer_has_one_product():
    net, x, y = example((4, 1))
    assert (
        net.chain(x, y, 0)
        .describe()
        .endswith(
            "Two factors have only one product: 5 multiplications. Programs build none of these\n"
            "matrices: net.backward finds the same numbers in 4."
        )
    )


def test_it_displays_as_a_formula_and_a_table(small):
    formula, table, words = small._repr_markdown_().split("\n\n")
    assert (
        formula
        == small._repr_latex_()
        == (
            r"$$\frac{\partial L}{\partial \theta_{0}} = "
            r"\underbrace{\frac{\partial L}{\partial f_{2}}}_{1 \times 2} \; "
            r"\underbrace{\frac{\partial f_{2}}{\partial f_{1}}}_{2 \times 3} \; "
            r"\underbrace{\frac{\partial f_{1}}{\partial \theta_{0}}}_{3 \times 9}$$"
        )
    )
    assert table.splitlines()[3] == (
        r"| $\displaystyle \frac{\partial f_{2}}{\partial f_{1}}$ | (2, 3) | 6 | 6 | 54 |"
    )
    assert r"$\partial f_{1}/\partial \theta_{0}$" in words


def test_the_repr_is_short_however_long_the_chain(small):
    assert repr(small) == ("<Chain ∂L/∂θ_0 = ∂L/∂f_2 · ∂f_2/∂f_1 · ∂f_1/∂θ_0, widths (2, 3, 2)>")
    net, x, y = example((1,) * 30)
    chain = net.chain(x, y, 0)
    assert "∂f_27/∂f_26 · … · ∂f_4/∂f_3" in repr(chain)
    assert r"\cdots" in chain._repr_latex_()
    assert len(repr(chain).split(" · ")) == 9

"""The explicit network against a naive second one, central differences and the tracer."""

import math
import pickle

import numpy as np
import pytest
from examples import example
from hypothesis import given, settings
from hypothesis import strategies as st
from nonempty import nonempty

from backprop_nb.errors import NotFoundError
from backprop_nb.network import SigmoidNetwork, sigma

WIDTHS = [
    (1, 1),
    (4, 1),
    (1, 3),
    (3, 3),
    (4, 3, 1),
    (3, 3, 3),
    (1, 1, 1),
    (2, 5, 1, 3),
    (3, 3, 3, 3),
    (4, 2, 3, 2, 3),
]
ROWS = [None, 1, 5]
CASES = [
    pytest.param(widths, rows, id=f"{'-'.join(map(str, widths))} N={rows}")
    for widths in WIDTHS
    for rows in ROWS
]


def naive_forward(net, x):
    """Return z_1..z_K and f_0..f_K of one input, as lists of Python floats."""
    f, z = [[float(v) for v in x]], [None]
    for A, b in zip(net.A, net.b, strict=True):
        rows = range(len(b))
        z.append([sum(A[r, c] * f[-1][c] for c in range(len(f[-1]))) + b[r] for r in rows])
        f.append([1 / (1 + math.exp(-v)) for v in z[-1]])
    return z, f


def naive_loss(net, x, y):
    """Return the mean over the rows of the sum of squares, element by element."""
    squares = [
        sum((yj - fj) ** 2 for yj, fj in zip(y_row, naive_forward(net, x_row)[1][-1], strict=True))
        for x_row, y_row in zip(np.atleast_2d(x), np.atleast_2d(y), strict=True)
    ]
    return sum(squares) / len(squares)


def central_differences(net, x, y, h=1e-5):
    """Return ∂L/∂A and ∂L/∂b from the naive loss, nudging one parameter at a time."""

    def gradient(parameter):
        slopes = np.empty_like(parameter)
        for place in np.ndindex(parameter.shape):
            before = parameter[place]
            parameter[place] = before + h
            above = naive_loss(net, x, y)
            parameter[place] = before - h
            below = naive_loss(net, x, y)
            parameter[place] = before
            slopes[place] = (above - below) / (2 * h)
        return slopes

    return [gradient(a) for a in net.A], [gradient(c) for c in net.b]


def assert_same(actual, expected, **tolerance):
    assert len(actual) == len(expected)
    for left, right in zip(actual, expected, strict=True):
        assert left.shape == np.shape(right)
        np.testing.assert_allclose(left, right, **tolerance)


# --- the forward pass and the loss ------------------------------------------


@pytest.mark.parametrize(("widths", "rows"), CASES)
def test_forward_agrees_with_the_naive_network(widths, rows):
    net, x, _ = example(widths, rows)
    forward = net.forward(x)
    for n, row in nonempty(enumerate(np.atleast_2d(x))):
        z, f = naive_forward(net, row)
        for i in nonempty(range(net.K + 1)):
            np.testing.assert_allclose(np.atleast_2d(forward.f[i])[n], f[i], rtol=1e-12)
        for i in nonempty(range(1, net.K + 1)):
            np.testing.assert_allclose(np.atleast_2d(forward.z[i])[n], z[i], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("widths", "rows"), CASES)
def test_forward_is_indexed_as_in_the_document(widths, rows):
    net, x, _ = example(widths, rows)
    forward = net.forward(x)
    assert np.array_equal(forward.f[0], x)
    assert [f_i.shape[-1] for f_i in forward.f] == list(widths)
    assert list(forward.z) == list(range(1, net.K + 1))
    for i in range(1, net.K + 1):
        assert forward.z[i].shape == forward.f[i].shape == (*x.shape[:-1], widths[i])
        assert np.array_equal(forward.f[i], sigma(forward.z[i]))


@pytest.mark.parametrize("i", [0, -1, 3])
def test_there_is_no_z_outside_of_the_layers(i):
    net, x, _ = example((4, 3, 1), None)
    with pytest.raises(NotFoundError) as caught:
        net.forward(x).z[i]
    assert str(caught.value) == (
        f"`[{i}]` is not a layer.\n  expected: [1] to [2], numbered as in the document"
    )


def test_calling_the_network_gives_the_last_f():
    net, x, _ = example((4, 3, 2), 5)
    assert np.array_equal(net(x), net.forward(x).f[2])


def test_a_forward_pass_does_not_follow_a_later_change_of_x():
    net, x, _ = example((4, 3, 2), 5)
    forward, before = net.forward(x), x.copy()
    x += 1
    assert np.array_equal(forward.f[0], before)


@pytest.mark.parametrize(("widths", "rows"), CASES)
def test_loss_agrees_with_the_naive_loss(widths, rows):
    net, x, y = example(widths, rows)
    assert type(net.loss(x, y)) is float
    assert net.loss(x, y) == pytest.approx(naive_loss(net, x, y), rel=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("widths", WIDTHS)
def test_the_loss_of_one_row_is_exactly_the_single_loss(widths, dtype):
    net, x, y = example(widths, None, dtype=dtype)
    assert net.loss(x[None], y[None]) == net.loss(x, y)


# --- the gradient -----------------------------------------------------------


@pytest.mark.parametrize(("widths", "rows"), CASES)
def test_gradient_agrees_with_central_differences(widths, rows):
    net, x, y = example(widths, rows)
    dA, db = central_differences(net, x, y)
    gradient = net.backward(x, y)
    assert_same(gradient.A, dA, atol=1e-9, rtol=0)
    assert_same(gradient.b, db, atol=1e-9, rtol=0)


@pytest.mark.parametrize("widths", WIDTHS)
def test_gradient_of_a_batch_is_the_mean_of_its_rows(widths):
    net, x, y = example(widths, 5)
    batch = net.backward(x, y)
    rows = [net.backward(x_row, y_row) for x_row, y_row in zip(x, y, strict=True)]
    for i in nonempty(range(net.K)):
        np.testing.assert_allclose(batch.A[i], np.mean([g.A[i] for g in rows], 0), atol=1e-15)
        np.testing.assert_allclose(batch.b[i], np.mean([g.b[i] for g in rows], 0), atol=1e-15)
        delta = [g.delta[i + 1] / 5 for g in rows]
        np.testing.assert_allclose(batch.delta[i + 1], delta, atol=1e-15)


@pytest.mark.parametrize(("widths", "rows"), CASES)
def test_delta_is_the_derivative_by_the_pre_activation(widths, rows):
    # A bias is added to z_i and to nothing else: ∂L/∂b_{i−1} sums the rows of ∂L/∂z_i.
    net, x, y = example(widths, rows)
    gradient = net.backward(x, y)
    assert list(gradient.delta) == list(range(1, net.K + 1))
    for i in range(1, net.K + 1):
        assert gradient.delta[i].shape == net.forward(x).z[i].shape
        delta = np.atleast_2d(gradient.delta[i])
        np.testing.assert_allclose(delta.sum(0), gradient.b[i - 1], atol=1e-15)


@pytest.mark.parametrize(("widths", "rows"), CASES)
def test_loss_and_gradient_are_those_of_loss_and_backward(widths, rows):
    net, x, y = example(widths, rows)
    loss, gradient = net.loss_and_gradient(x, y)
    assert type(loss) is float
    assert loss == pytest.approx(net.loss(x, y), rel=1e-14)
    assert_same(gradient.A, net.backward(x, y).A, atol=1e-15)
    assert_same(gradient.b, net.backward(x, y).b, atol=1e-15)


@settings(deadline=None)
@given(
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=5),
    rows=st.none() | st.integers(1, 7),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_shape_descends_along_its_gradient(widths, rows, seed):
    net, x, y = example(widths, rows, seed)
    loss, gradient = net.loss_and_gradient(x, y)
    assert [g.shape for g in gradient.A] == [a.shape for a in net.A]
    assert [g.shape for g in gradient.b] == [c.shape for c in net.b]
    # The loss along −∇L falls, to first order, by ‖∇L‖² for each unit of the step.
    step = 1e-5
    slope = sum(float(np.sum(g**2)) for g in (*gradient.A, *gradient.b))
    for i in range(net.K):
        net.A[i] = net.A[i] - step * gradient.A[i]
        net.b[i] = net.b[i] - step * gradient.b[i]
    assert (loss - net.loss(x, y)) / step == pytest.approx(slope, rel=1e-2, abs=1e-9)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("data", [np.float32, np.float64])
def test_the_parameters_decide_the_dtype(rows, data):
    net, x, y = example((4, 3, 2), rows, dtype=np.float32)
    x, y = x.astype(data), y.astype(data)
    forward, gradient = net.forward(x), net.loss_and_gradient(x, y)[1]
    arrays = [*forward.f, *forward.z.values(), *gradient.A, *gradient.b, *gradient.delta.values()]
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}


def test_gradient_in_float32_agrees_with_float64():
    net, x, y = example((4, 3, 2), 5, dtype=np.float32)
    wide = SigmoidNetwork.from_parameters(
        [a.astype(float) for a in net.A], [c.astype(float) for c in net.b]
    )
    assert_same(net.backward(x, y).A, wide.backward(x, y).A, atol=1e-6)


def test_a_saturated_network_has_a_finite_gradient():
    net = SigmoidNetwork.from_parameters([[[1000.0]], [[-1000.0]]], [[0], [0]])
    loss, gradient = net.loss_and_gradient([5], [1])
    assert (loss, gradient.A[0].item(), gradient.A[1].item()) == (1, 0, 0)


# --- the tracer finds the same ----------------------------------------------


@pytest.mark.parametrize(("widths", "rows"), CASES)
def test_the_tracer_finds_the_same_loss_and_gradient(widths, rows):
    net, x, y = example(widths, rows)
    graph = net.trace(x, y)
    loss, gradient = net.loss_and_gradient(x, y)
    assert float(graph.value) == pytest.approx(loss, rel=1e-13)
    dA, db = graph.backward().gradients
    assert_same(gradient.A, dA, atol=1e-12, rtol=0)
    assert_same(gradient.b, db, atol=1e-12, rtol=0)


@pytest.mark.parametrize("rows", ROWS)
def test_a_trace_names_its_nodes_as_the_document_does(rows):
    net, x, y = example((4, 3, 1), rows)
    graph = net.trace(x, y)
    assert [node.name for node in graph.inputs] == ["A0", "A1", "b0", "b1"]
    assert np.array_equal(graph.node("x").value, x)
    assert np.array_equal(graph.node("y").value, y)
    assert graph.output.name == "L"
    forward = net.forward(x)
    for i in (1, 2):
        np.testing.assert_allclose(graph.node(f"z{i}").value, forward.z[i], rtol=1e-13)
        np.testing.assert_allclose(graph.node(f"f{i}").value, forward.f[i], rtol=1e-13)


@pytest.mark.parametrize("rows", ROWS)
def test_a_trace_groups_its_nodes_by_layer(rows):
    net, x, y = example((4, 3, 1), rows)
    graph = net.trace(x, y)
    for i in (1, 2):
        for name in (f"z{i}", f"f{i}"):
            assert graph.node(name).scope == (f"layer {i}",)


def test_a_trace_does_not_follow_later_changes():
    net, x, y = example((4, 3, 1), 5)
    graph, gradient = net.trace(x, y), net.backward(x, y)
    for array in (*net.A, *net.b, x, y):
        array += 1
    dA, db = graph.backward().gradients
    assert_same(gradient.A, dA, atol=1e-15)
    assert_same(gradient.b, db, atol=1e-15)


@pytest.mark.parametrize("rows", ROWS)
def test_the_adjoints_of_a_trace_are_the_deltas(rows):
    net, x, y = example((4, 3, 1), rows)
    backward = net.trace(x, y).backward()
    delta = net.backward(x, y).delta
    for i in (1, 2):
        np.testing.assert_allclose(backward.adjoint(f"z{i}"), delta[i], atol=1e-15)


def test_a_trace_in_float32_stays_in_float32():
    net, x, y = example((4, 3, 1), 5, dtype=np.float32)
    graph = net.trace(x.astype(float), y.tolist())
    assert {node.value.dtype for node in graph.nodes if node.value.ndim} == {np.dtype(np.float32)}


# --- the network as an object -----------------------------------------------


def test_a_new_network_has_the_documents_shapes():
    net = SigmoidNetwork((4, 3, 1), seed=0)
    assert (net.K, net.widths) == (2, (4, 3, 1))
    assert [a.shape for a in net.A] == [(3, 4), (1, 3)]
    assert [c.tolist() for c in net.b] == [[0, 0, 0], [0]]


def test_the_same_seed_gives_the_same_network():
    first, second = (SigmoidNetwork((4, 3, 1), seed=7) for _ in range(2))
    assert_same(first.A, second.A, atol=0, rtol=0)
    assert not np.array_equal(first.A[0], SigmoidNetwork((4, 3, 1), seed=8).A[0])
    generator = SigmoidNetwork((4, 3, 1), seed=np.random.default_rng(7))
    assert_same(first.A, generator.A, atol=0, rtol=0)


def test_initial_weights_are_as_wide_as_xavier_or_as_told():
    widths = (300, 500, 100)
    for a in SigmoidNetwork(widths, seed=0).A:
        assert a.std() == pytest.approx(np.sqrt(2 / sum(a.shape)), rel=0.02)
    for a in SigmoidNetwork(widths, seed=0, scale=3).A:
        assert a.std() == pytest.approx(3, rel=0.02)
    assert not SigmoidNetwork((4, 3), scale=0).A[0].any()


def test_repr_is_what_makes_such_a_network():
    net = SigmoidNetwork(np.array([4, 3, 1]))
    assert repr(net) == "SigmoidNetwork(widths=(4, 3, 1))"
    assert eval(repr(net)).widths == net.widths


def test_from_parameters_copies():
    A, b = [np.ones((1, 2))], [np.zeros(1)]
    net = SigmoidNetwork.from_parameters(A, b)
    A[0][0, 0], b[0][0] = 5, 5
    assert net.A[0].tolist() == [[1, 1]]
    assert net.b[0].tolist() == [0]


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        ((np.float32, np.float32), np.float32),
        ((np.float32, np.float64), np.float64),
        ((np.int32, np.int32), np.float64),
        ((np.float16, np.float16), np.float16),
    ],
)
def test_from_parameters_makes_one_float_dtype(dtypes, expected):
    net = SigmoidNetwork.from_parameters([np.ones((1, 2), dtypes[0])], [np.zeros(1, dtypes[1])])
    assert {p.dtype for p in (*net.A, *net.b)} == {np.dtype(expected)}


def test_an_assigned_parameter_is_used():
    net = SigmoidNetwork((2, 1), scale=0)
    net.A[0] = [[1, 2]]
    net.b[0] = [-3]
    assert net([1, 1]).tolist() == [0.5]


def test_numbers_and_lists_are_inputs_and_targets():
    net = SigmoidNetwork((1, 1), scale=0)
    assert net(3).tolist() == [0.5]
    assert net.loss(3, 1) == net.loss([3], [True]) == net.loss([[3]], [[1]]) == 0.25


def test_nothing_given_is_changed():
    net, x, y = example((4, 3, 1), 5)
    before = [a.copy() for a in (*net.A, *net.b, x, y)]
    net.forward(x), net.loss(x, y), net.backward(x, y), net.loss_and_gradient(x, y)
    assert_same([*net.A, *net.b, x, y], before, atol=0, rtol=0)


def test_network_and_results_can_be_pickled():
    net, x, y = example((4, 3, 1), 5)
    copy, gradient = pickle.loads(pickle.dumps((net, net.backward(x, y))))
    assert copy.loss(x, y) == net.loss(x, y)
    assert np.array_equal(gradient.delta[1], net.backward(x, y).delta[1])

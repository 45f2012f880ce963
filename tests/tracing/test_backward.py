"""The reverse pass: steps in order, contributions that add up, gradients of one's own."""

import contextlib
import re
import warnings

import numpy as np
import pytest

from backprop_nb.errors import BackpropWarning, NotFoundError, ShapeError
from backprop_nb.tracing import sigmoid, trace

A, b, x = np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 2.0]]), np.ones(2), np.array([1.0, -2.0, 0.5])


def net(A, b, x):
    z = A @ x + b
    f = sigmoid(z)
    return np.sum((f - 0.5) ** 2)


@pytest.fixture
def result():
    return trace(net, A, b, x).backward()


# --- steps --------------------------------------------------------------------


def test_steps_go_from_the_output_back_and_each_node_is_complete_when_it_is_left(result):
    order = [step.node.name for step in result.steps]
    assert order == ["net", "v3", "v2", "f", "z", "v1"]
    received = {"net": 1.0}
    for step in result.steps:
        np.testing.assert_array_equal(step.adjoint, received[step.node.name])
        for each in step.contributions:
            name = each.parent.name
            received[name] = received.get(name, 0.0) + each.value
    for name in ("A", "b", "x"):
        np.testing.assert_array_equal(result.adjoint(name), received[name])


def test_a_value_used_twice_adds_up_what_it_receives():
    def f(x):
        y = x * 3
        return y * y + np.sin(y)

    result = trace(f, 0.5).backward()
    contributions = [g for step in result.steps for g in step.contributions if g.parent.name == "y"]
    assert [(each.node.name, each.position) for each in contributions] == [
        ("v2", 0),
        ("v1", 0),
        ("v1", 1),
    ]
    assert result.adjoint("y") == sum(each.value for each in contributions) == np.cos(1.5) + 3.0


def test_a_contribution_says_who_gives_to_whom_and_by_which_rule(result):
    step = result.steps[-1]
    to_a, to_x = step.contributions
    assert (to_a.node.name, to_a.parent.name, to_a.position) == ("v1", "A", 0)
    assert (to_x.parent.name, to_x.position) == ("x", 1)
    assert (to_a.rule, to_x.rule) == ("np.outer(d_v1, x)", "A.T @ d_v1")
    assert to_a.value.shape == A.shape
    np.testing.assert_array_equal(to_a.adjoint, step.adjoint)
    assert repr(to_a) == "<Contribution d_A += np.outer(d_v1, x)>"
    assert repr(step) == "<Step at v1: d_A += np.outer(d_v1, x), d_x += A.T @ d_v1>"


def test_constants_and_literals_receive_nothing():
    result = trace(lambda x: np.sum(2 * x * A[0]), x).backward()
    assert [each.parent.name for step in result.steps for each in step.contributions] == [
        "v2", "v1", "x"
    ]  # fmt: skip


def test_what_does_not_lead_to_the_output_is_no_step():
    def f(x):
        unused = np.exp(x)
        return x * 2 if unused.ndim == 0 else unused

    result = trace(f, 1.0).backward()
    assert [step.node.name for step in result.steps] == ["f"]
    assert result.adjoint("unused") == 0.0


def test_a_graph_can_be_reversed_again_and_again():
    graph = trace(net, A, b, x)
    first, second = graph.backward(), graph.backward()
    for one, other in zip(first.gradients, second.gradients, strict=True):
        np.testing.assert_array_equal(one, other)
    assert repr(first.steps) == repr(second.steps)
    assert repr(first) == "<Backward of net: 6 steps>"


# --- seeds --------------------------------------------------------------------


def test_without_a_seed_the_output_counts_as_1(result):
    assert result.steps[0].adjoint == 1.0
    assert result.adjoint("net") == 1.0


def test_a_seed_weights_the_entries_of_the_output():
    graph = trace(lambda x: x * x, x)
    seed = np.array([1.0, 0.0, -2.0])
    np.testing.assert_array_equal(graph.backward(seed).gradients[0], 2 * x * seed)
    np.testing.assert_array_equal(graph.backward([1, 0, -2]).gradients[0], 2 * x * seed)


@pytest.mark.parametrize("seed", [1.0, np.ones(2), np.ones((3, 1)), np.ones((1, 3))], ids=repr)
def test_a_seed_of_another_shape_is_refused_and_never_stretched(seed):
    graph = trace(lambda x: x * 2, x)
    with pytest.raises(ShapeError) as caught:
        graph.backward(seed)
    assert str(caught.value) == (
        "`seed` must have the shape of the output.\n"
        f"  given:    a seed of shape {np.shape(seed)}\n"
        "  expected: shape (3,), that of v1"
    )


def test_an_output_that_is_no_number_needs_a_seed():
    def f(x):
        return A @ x

    with pytest.raises(ShapeError) as caught:
        trace(f, x).backward()
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == (
        "The output is not a single number, so it has no gradient.\n"
        "  given:    f of shape (2,)\n"
        "  expected: shape ()\n"
        "  instead:  return a number, for example np.sum(…), "
        "or pass the adjoint of the output: backward(seed=…)"
    )


@pytest.mark.parametrize("name", ["Q", 3, None])
def test_the_adjoint_of_what_is_no_node_is_refused(name):
    with pytest.raises(NotFoundError, match=f"The graph has no node {name!r}"):
        trace(lambda x: x**2, 3.0).backward().adjoint(name)


@pytest.mark.parametrize("shape", [(1,), (1, 1)])
def test_only_shape_nothing_is_a_number(shape):
    with pytest.raises(ShapeError, match="not a single number"):
        trace(lambda x: x * 2, np.ones(shape)).backward()


def test_a_seed_may_change_after_it_was_passed():
    seed = np.ones(3)
    result = trace(lambda x: x * x, x).backward(seed)
    seed[:] = np.nan
    np.testing.assert_array_equal(result.steps[0].adjoint, np.ones(3))
    np.testing.assert_array_equal(result.gradients[0], 2 * x)
    seed[0] = 1.0  # and it is still the learner's to write to


# --- what the output does not depend on ---------------------------------------


def test_an_unused_input_has_a_zero_gradient_and_a_warning_on_the_learners_line():
    graph = trace(lambda x, unused, also: x * 2, 1.0, np.ones((2, 3), np.float32), [4.0])
    with pytest.warns(BackpropWarning) as caught:
        gradients = graph.backward().gradients
    [warning] = caught
    assert str(warning.message) == (
        "The output does not depend on unused, also0: the gradient there is zero."
    )
    assert warning.filename == __file__
    np.testing.assert_array_equal(gradients[1], np.zeros((2, 3)))
    assert gradients[1].dtype == np.float32
    assert gradients[2] == [0.0]


def test_an_input_that_only_steers_a_branch_is_an_unused_one():
    with pytest.warns(BackpropWarning, match="does not depend on switch"):
        trace(lambda x, switch: x * 2 if switch > 0 else x, 1.0, 2.0).backward()


def test_using_every_input_is_no_reason_to_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace(net, A, b, x).backward()


# --- adjoints -----------------------------------------------------------------


def test_an_adjoint_is_found_by_name_and_by_node(result):
    node = result.graph.node("z")
    np.testing.assert_array_equal(result.adjoint(node), result.adjoint("z"))
    assert result.adjoint("z").shape == node.shape


def test_a_node_of_another_graph_is_refused_although_this_one_has_its_name(result):
    other = trace(net, A, b, x)
    assert other.node("z").name == result.graph.node("z").name
    with pytest.raises(NotFoundError) as caught:
        result.adjoint(other.node("z"))
    assert str(caught.value) == (
        "The node `z` belongs to another graph.\n"
        "  expected: a node of this one, the trace of net\n"
        "  instead:  adjoint('z'), by its name"
    )


def test_a_constant_has_no_adjoint():
    def scaled(x):
        weights = A[0]
        return np.sum(x * weights)

    result = trace(scaled, x).backward()
    with pytest.raises(NotFoundError) as caught:
        result.adjoint("weights")
    assert str(caught.value) == (
        "weights is a constant of the trace; no gradient is computed for it.\n"
        "  instead:  pass it as an argument of scaled"
    )
    with pytest.raises(NotFoundError, match="The graph has no node 'wieghts'"):
        result.adjoint("wieghts")


def test_what_the_steps_show_cannot_be_written_to():
    result = trace(lambda x: np.sum((x * x) * np.ones(3)), x).backward()
    shown = [result.adjoint("x"), result.adjoint("v2")]
    shown += [step.adjoint for step in result.steps[1:]]
    shown += [each.value for step in result.steps for each in step.contributions]
    assert len(shown) == 8
    for array in shown:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


# --- gradients ----------------------------------------------------------------


def test_every_gradient_is_the_callers_to_write_to():
    def f(x, y, z):
        return np.sum(x + y) + np.sum(z)

    result = trace(f, np.ones(3), np.ones(3), np.ones((2, 2))).backward()
    first, second, third = result.gradients
    first += 5.0
    third[0, 0] = 7.0
    np.testing.assert_array_equal(second, np.ones(3))
    np.testing.assert_array_equal(result.adjoint("x"), np.ones(3))
    np.testing.assert_array_equal(result.adjoint("z"), np.ones((2, 2)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f8"])
def test_gradients_have_the_dtype_of_their_arguments(dtype):
    arguments = [each.astype(dtype) for each in (A, b, x)]
    result = trace(net, *arguments).backward()
    assert [each.dtype for each in result.gradients] == [each.dtype for each in arguments]
    assert result.adjoint("z").dtype == np.dtype(dtype).newbyteorder("=")


def test_a_number_has_a_number_as_its_gradient():
    [gradient] = trace(lambda x: x**2, 3).backward().gradients
    assert isinstance(gradient, np.float64)


@contextlib.contextmanager
def within():
    yield


@pytest.mark.parametrize(
    ("f", "source"),
    [
        (lambda x: x.astype(int).sum() * 1.0, "x.astype(int)"),
        (lambda x: np.sum(np.floor(2 * x)), "np.floor(2 * x)"),
        (lambda x: np.sum(x > 1) * 1.0, "x > 1"),
    ],
)
def test_a_lost_dependence_is_told_at_the_learners_line_with_what_ends_it(f, source):
    with pytest.warns(BackpropWarning, match=re.escape(f"It ends at {source}, ")) as caught:
        within()(trace(f, np.array([1.2, 2.7])).backward)()  # it is called in contextlib
    assert caught[0].filename == __file__

"""The cost in either direction, against counts done by hand and passes done in earnest."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.explorer.cost import cost


def counted(f, *args):
    return cost_of(bp.trace(f, *args))


def cost_of(graph, seed=None):
    steps = graph.backward(seed).steps
    return cost(graph, [one for step in steps for one in step.contributions])


def network(A0, b0, A1, b1, x):
    f1 = bp.sigmoid(A0 @ x + b0)
    f2 = bp.sigmoid(A1 @ f1 + b1)
    return np.sum((1.0 - f2) ** 2)


def test_a_network_counted_by_hand():
    shapes = (3, 4), (3,), (2, 3), (2,), (4,)
    found = counted(network, *map(np.ones, shapes))
    # Back to A0 and x, through sigmoid, to A1 and f1, through sigmoid, the square.
    edges = {"A0": 12, "x": 12, "z1": 6, "A1": 6, "f1": 6, "z2": 4, "v": 4}
    behind = {"A0": 12, "x": 4, "z1": 19, "A1": 6, "f1": 19, "z2": 27, "v": 27}
    assert found.backward == sum(edges.values())
    assert found.forward == sum(edges[name] * behind[name] for name in edges)
    assert (found.inputs, found.outputs, found.operations) == (27, 1, 9)


@pytest.mark.parametrize(
    ("product", "shapes", "back"),
    [
        (lambda A, x: A @ x, [(3, 2), (2,)], 6 + 6),
        (lambda A, B: A @ B, [(3, 2), (2, 5)], 30 + 30),
        (lambda A, B: A @ B, [(4, 3, 2), (4, 2, 5)], 120 + 120),
        (np.dot, [(3, 2), (2,)], 6 + 6),
        (np.inner, [(3, 2), (5, 2)], 30 + 30),
        (np.outer, [(3,), (4,)], 12 + 12),
        (lambda A, B: np.tensordot(A, B, axes=1), [(3, 2), (2, 5)], 30 + 30),
        (lambda A, B: np.einsum("ij,jk->ik", A, B), [(3, 2), (2, 5)], 30 + 30),
        (lambda A, B: A * B, [(3, 2), (3, 2)], 6 + 6),
        (lambda A, b: A / b, [(3, 2), ()], 6 + 12),
        (lambda A, b: A + b, [(3, 2), (2,)], 0),
    ],
    ids=[
        "vector",
        "matrix",
        "batch",
        "dot",
        "inner",
        "outer",
        "tensordot",
        "einsum",
        "entries",
        "quotient",
        "sum",
    ],
)
def test_products_are_counted_from_their_shapes(product, shapes, back):
    rng = np.random.default_rng(0)
    arguments = [rng.uniform(1.0, 2.0, size=shape) for shape in shapes]
    assert counted(lambda *args: np.sum(product(*args)), *arguments).backward == back


def test_products_of_local_derivatives_do_not_count():
    # Of g * f * (1 - f) both products count: in this order each has the adjoint in it.
    assert counted(lambda x: bp.sigmoid(x), 0.5).backward == 2
    assert counted(lambda x: np.tanh(x), 0.5).backward == 1


def test_a_forward_pass_leaves_out_what_its_input_does_not_reach():
    chain = counted(lambda x: np.sin(np.exp(x)), 0.5)
    assert (chain.backward, chain.forward) == (2, 2)
    two = counted(lambda x, y: np.sin(x) * np.exp(y), 0.5, 0.1)
    # sine and exponential: an edge with one input behind each; so has either factor.
    assert (two.backward, two.forward) == (4, 4)
    shared = counted(lambda x, y: np.sin(x * y), 0.5, 0.1)
    assert (shared.backward, shared.forward) == (3, 4)


def test_an_output_of_many_numbers_takes_as_many_passes_backward():
    graph = bp.trace(lambda x: np.exp(x) * np.ones(5), 0.5)
    found = cost_of(graph, np.ones(5))
    assert (found.outputs, found.inputs) == (5, 1)
    assert found.backward == 5 * found.forward
    assert found.headline == "Why forward? 6 multiplications in place of 30 backward"


def test_the_headline_says_which_way_is_cheaper():
    assert counted(lambda x: np.sum(x**2), np.ones(3)).headline == (
        "Why backward? 6 multiplications in place of 18 forward"
    )
    assert counted(lambda x: np.exp(x), 0.0).headline == (
        "Backward or forward: 1 multiplication either way"
    )


def test_where_nothing_is_multiplied_it_says_so():
    scene = counted(lambda x: np.sum(x), np.ones(3)).scene()
    assert [bar["share"] for bar in scene["bars"]] == [0, 0]
    assert scene["sentences"].startswith("Every local derivative here is 1")


def test_a_single_input_number_is_not_all_of_them():
    said = counted(lambda x: np.sin(x) ** 2, 0.3).sentences
    assert "reaches the only input number; a pass forward starts at that one." in said
    assert "reaches all 2 input numbers" in counted(lambda x: np.sum(x**2), np.ones(2)).sentences


def test_the_bars_are_drawn_to_one_scale():
    scene = counted(lambda x: np.sum(x**2), np.ones(4)).scene()
    assert [(bar["way"], bar["share"], bar["text"]) for bar in scene["bars"]] == [
        ("backward", 0.25, "1 pass, 8 multiplications"),
        ("forward", 1, "4 passes, 32 multiplications"),
    ]
    assert scene["size"] == "4 input numbers, 1 output number, 2 operations"


def test_the_text_twin_ends_with_it():
    graph = bp.trace(lambda x: np.sum(x**2), np.ones(4))
    assert graph.describe().splitlines()[-2:] == [
        "  backward: 1 pass, 8 multiplications",
        "  forward: 4 passes, 32 multiplications",
    ]


def test_a_pass_forward_multiplies_as_often_as_a_pass_backward():
    """The unit is fair: a Jacobian and its transpose have the same entries to multiply by."""
    A, g, t = np.arange(6.0).reshape(3, 2), np.ones(3), np.ones(2)
    _, tangent = bp.jvp(lambda x: A @ x, (np.ones(2),), (t,))
    _, pullback = bp.vjp(lambda x: A @ x, np.ones(2))
    np.testing.assert_allclose(g @ tangent, pullback(g)[0] @ t)

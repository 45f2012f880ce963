"""What a diagram says of a graph, before it is written in any language."""

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.tracing.emit.diagram import LATEX, TEXT, Diagram, nested


def diagram(graph, writing=TEXT, values=True, adjoints=None, direction="right"):
    return Diagram(graph, writing, values, adjoints, direction)


def card(graph, name, writing=TEXT, **options):
    return diagram(graph, writing, **options).cards[graph.node(name).index]


def cell(h, x):
    return np.tanh(h + x)


def loop(xs):
    h = np.zeros(2)
    for x in xs:
        h = cell(h, x)
    return np.sum(h)


def test_a_card_says_formula_value_and_derivative():
    graph = bp.trace(lambda x, w: np.exp(w * x), 2.0, 0.0)
    assert card(graph, "x").lines == ("x = 2", "∂v2/∂x = 0")
    assert card(graph, "v1").lines == ("v1 = w * x", "= 0", "∂v2/∂v1 = 1")
    assert card(graph, "v1", LATEX).said == (r"$v_{1} = w \, x$", "$= 0$")


def test_values_and_adjoints_are_options():
    graph = bp.trace(lambda x: x**2, 3.0)
    assert card(graph, "v1", values=False, adjoints=False).lines == ("v1 = x ** 2",)
    assert card(graph, "x", values=False).lines == ("x", "∂v1/∂x = 6")


def test_the_derivatives_are_those_of_the_backward_pass():
    graph = bp.trace(lambda x: np.sum(np.sin(x) * x), np.array([0.5, -1.0, 2.0]))
    back = graph.backward()
    for each in nonempty(diagram(graph).cards):
        texts = each.adjoint.partition(" = ")[2].strip("[]").split(", ")
        np.testing.assert_allclose([float(t) for t in texts], back.adjoint(each.node), rtol=5e-3)


def test_an_output_that_is_an_array_has_values_alone():
    graph = bp.trace(lambda x: x * 2, np.ones(2))
    assert [each.adjoint for each in diagram(graph).cards] == ["", ""]
    with pytest.raises(bp.ShapeError):
        diagram(graph, adjoints=True)


def test_what_carries_no_gradient_has_no_derivative():
    graph = bp.trace(lambda x: np.sum(x * (x > 0)), np.array([1.0, -1.0]))
    said = {each.node.op: each.adjoint for each in diagram(graph).cards}
    assert said["greater"] == ""
    assert said["multiply"] == "∂v3/∂v2 = [1, 1]"


def test_an_input_that_is_not_used_has_the_derivative_zero_without_a_warning():
    graph = bp.trace(lambda x, unused: x * 2, 1.0, np.ones((2, 2)))
    assert card(graph, "unused").adjoint == "∂v1/∂unused = [[0, 0], [0, 0]]"


@pytest.mark.parametrize(
    ("value", "text", "latex"),
    [
        (np.array([[1.0, -2.5]]), "= [[1, -2.5]]", r"$= \begin{pmatrix} 1 & -2.5 \end{pmatrix}$"),
        (np.array([1e-7, 0.0]), "= [1e-07, 0]", r"$= (1 \cdot 10^{-7}, 0)$"),
        (np.ones((4, 4)), "shape (4, 4)", "shape (4, 4)"),
        (np.ones(5), "shape (5,)", "shape (5,)"),
        (np.ones((1, 2, 1)), "shape (1, 2, 1)", "shape (1, 2, 1)"),
        (np.zeros((0, 3)), "shape (0, 3)", "shape (0, 3)"),
        (np.zeros(0), "shape (0,)", "shape (0,)"),
    ],
)
def test_a_small_array_is_written_out_and_of_another_its_shape(value, text, latex):
    graph = bp.trace(lambda x: +x, value)
    assert card(graph, "v1").said[1] == text
    assert card(graph, "v1", LATEX).said[1] == latex


def test_a_call_of_many_arguments_is_told_by_its_name():
    graph = bp.trace(lambda *xs: np.stack(xs), *map(float, range(9)))
    [output] = [each for each in diagram(graph).cards if each.kind == "output"]
    assert output.said[0].endswith(" = stack(…)")


def test_each_pair_has_one_edge():
    graph = bp.trace(lambda x: x * x + x, 2.0)
    edges = [(tail.node.name, head.node.name) for tail, head in diagram(graph).edges]
    assert edges == [("x", "v1"), ("v1", "v2"), ("x", "v2")]


def test_calls_enclose_their_nodes():
    told = diagram(bp.trace(loop, [np.ones(2)] * 2))
    lines = nested(told, lambda card: card.node.name, lambda number, name: [f"{number} {name}"], "")
    start = ["  xs0", "  xs1", "  h1", "  loop"]
    assert [*lines] == [
        *start,
        "  0 cell 1",
        "    v1",
        "    h2",
        "  ",
        "  1 cell 2",
        "    v2",
        "    h3",
        "  ",
    ]


def test_a_direction_that_does_not_exist_is_refused():
    graph = bp.trace(lambda x: x * 2, 1.0)
    for write in (graph.to_tikz, graph.to_mermaid, graph.to_dot):
        with pytest.raises(bp.InvalidValueError, match='`direction` must be "right" or "down"'):
            write(direction="left")

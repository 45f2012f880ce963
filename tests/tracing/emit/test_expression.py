"""A graph as one nested expression: no bracket too few, in both notations."""

import matplotlib.mathtext
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_nb.tracing import sigmoid, trace
from backprop_nb.tracing.emit.expression import atom, print_records
from backprop_nb.tracing.emit.latex import number_to_latex
from backprop_nb.tracing.rules import Binding
from backprop_nb.tracing.rules.row import literal


def printed(f, *args, notation="numpy"):
    graph = trace(f, *args)
    leaves = [(node.name, Binding.ATOM) for node in graph.inputs]
    number = literal if notation == "numpy" else number_to_latex
    return print_records(graph, leaves, notation, number)[graph.output_index][0]


NUMPY = [
    (lambda x, y: x - (y - x), "x - (y - x)"),
    (lambda x, y: (x - y) - x, "x - y - x"),
    (lambda x, y: x / (y * x), "x / (y * x)"),
    (lambda x, y: x / y * x, "x / y * x"),
    (lambda x, y: (x + y) * (x - y), "(x + y) * (x - y)"),
    (lambda x, y: -(x**2), "-x ** 2"),
    (lambda x, y: (-x) ** 2, "(-x) ** 2"),
    (lambda x, y: 2 ** (-x), "2 ** -x"),
    (lambda x, y: (-2.5) ** x, "(-2.5) ** x"),
    (lambda x, y: (x**y) ** x, "(x ** y) ** x"),
    (lambda x, y: x ** (y**x), "x ** y ** x"),
    (lambda x, y: x ** (y + x), "x ** (y + x)"),
    (lambda x, y: -(x + y), "-(x + y)"),
    (lambda x, y: x * -y, "x * -y"),
    (lambda x, y: x - -3, "x - -3"),
    (lambda x, y: (x + y)[None].T, "(x + y)[None].T"),
    (lambda x, y: np.exp(x + y), "np.exp(x + y)"),
    (lambda x, y: (-x).reshape((1, 1)), "(-x).reshape((1, 1))"),
    (lambda x, y: x * np.array([1.0, -2.0]), "x * np.array([1.0, -2.0], dtype='float64')"),
]


@pytest.mark.parametrize(("f", "text"), NUMPY, ids=[text for _, text in NUMPY])
def test_brackets_stand_where_python_needs_them_and_nowhere_else(f, text):
    assert printed(f, 2.0, 3.0) == text


LATEX = [
    (lambda x, y: x * y, r"x \, y"),
    (lambda x, y: x * -y, r"x \, (-y)"),
    (lambda x, y: 2 * x, r"2 \, x"),
    (lambda x, y: x * -2, r"x \, (-2)"),
    (lambda x, y: -np.negative(x), "-(-x)"),
    (lambda x, y: (x / y) ** 2, r"(\frac{x}{y})^{2}"),
    (lambda x, y: (x + y) / (x - y), r"\frac{x + y}{x - y}"),
    (lambda x, y: x / y * x, r"\frac{x}{y} \, x"),
    (lambda x, y: x ** (y + 1), "x^{y + 1}"),
    (lambda x, y: (x**2) ** y, "(x^{2})^{y}"),
    (lambda x, y: (x + y) * x, r"(x + y) \, x"),
    (lambda x, y: np.square(x + y), "(x + y)^2"),
    (lambda x, y: np.sqrt(x + y), r"\sqrt{x + y}"),
    (lambda x, y: (x + y)[None].T, r"{{(x + y)}_{[\mathrm{new}]}}^{\top}"),
    (lambda x, y: 1e-5**x, r"(1 \cdot 10^{-5})^{x}"),
    (lambda x, y: x * np.array([1.0, 2.0]), r"x \, \mathbf{c}"),
]


@pytest.mark.parametrize(("f", "text"), LATEX, ids=[text for _, text in LATEX])
def test_brackets_stand_where_a_formula_would_be_misread_without_them(f, text):
    assert printed(f, 1.5, 2.0, notation="latex") == text
    matplotlib.mathtext.MathTextParser("agg").parse(f"${text}$")


def test_a_product_of_a_matrix_and_a_negative_vector_does_not_read_as_a_difference():
    text = printed(lambda A, x: A @ -x, np.eye(2), np.ones(2), notation="latex")
    assert text == r"A \, (-x)"


def test_elementwise_products_of_arrays_have_a_sign_of_their_own():
    text = printed(lambda x, y: x * y, np.ones(2), np.ones(2), notation="latex")
    assert text == r"x \odot y"


@pytest.mark.parametrize(
    ("text", "binding"),
    [("2", Binding.ATOM), ("-2", Binding.UNARY), (r"1 \cdot 10^{5}", Binding.PRODUCT)],
)
def test_a_printed_number_knows_how_tightly_it_holds(text, binding):
    assert atom(text) == (text, binding)


# --- random programs ----------------------------------------------------------

BINARY = [np.add, np.subtract, np.multiply, np.divide]
UNARY = [np.negative, np.positive, np.square, np.sin, np.tanh, sigmoid]
numbers = st.sampled_from([2, -3, 0.5, -1.5])
programs = st.recursive(
    st.sampled_from(["x", "y"]) | numbers,
    lambda inner: (
        st.tuples(st.sampled_from(UNARY), inner)
        | st.tuples(st.sampled_from(BINARY), inner, inner)
        | st.tuples(st.just(np.power), inner, st.sampled_from([2, 3]))
    ),
    max_leaves=12,
)


def run(program, **values):
    if isinstance(program, tuple):
        function, *arguments = program
        return function(*(run(each, **values) for each in arguments))
    return values.get(program, program) if isinstance(program, str) else program


@given(programs)
def test_the_text_of_any_program_evaluates_to_its_value(program):
    def f(x, y):
        return x * 1 + run(program, x=x, y=y)

    with np.errstate(all="ignore"):
        text = printed(f, 0.7, -1.3)
        names = {"np": np, "sigmoid": sigmoid, "x": np.float64(0.7), "y": np.float64(-1.3)}
        np.testing.assert_array_equal(eval(text, names), f(np.float64(0.7), np.float64(-1.3)))


@given(programs)
def test_the_formula_of_any_program_is_latex_that_mathtext_reads(program):
    with np.errstate(all="ignore"):
        formula = printed(lambda x, y: x + run(program, x=x, y=y), 0.7, -1.3, notation="latex")
    matplotlib.mathtext.MathTextParser("agg").parse(f"${formula}$")

"""Names, numbers and nested calls in both notations: no bracket too few."""

import matplotlib.mathtext
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backprop_nb.tracing import sigmoid, trace
from backprop_nb.tracing.emit import notation
from backprop_nb.tracing.emit.notation import derivative_to_latex, name_to_latex, number_to_latex
from backprop_nb.tracing.rules import Precedence


def printed(f, *args, to=notation.NUMPY):
    graph = trace(f, *args)
    leaves = [(node.name, Precedence.ATOM) for node in graph.inputs]
    return to.expressions(graph, leaves)[graph.output_index][0]


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
    (lambda x, y: x * np.array([1.0, -2.0]), "x * np.asarray([1.0, -2.0], dtype=np.float64)"),
]


@pytest.mark.parametrize(("f", "text"), NUMPY, ids=[text for _, text in NUMPY])
def test_brackets_stand_where_python_needs_them_and_nowhere_else(f, text):
    assert printed(f, 2.0, 3.0) == text


LATEX = [
    (lambda x, y: x * y, r"x \, y"),
    (lambda x, y: x * -y, r"x \, (-y)"),
    (lambda x, y: 2 * x, r"2 \, x"),
    (lambda x, y: x * -2, r"x \, (-2)"),
    (lambda x, y: x * 2, r"x \cdot 2"),
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
    assert printed(f, 1.5, 2.0, to=notation.LATEX) == text
    matplotlib.mathtext.MathTextParser("agg").parse(f"${text}$")


def test_a_product_of_a_matrix_and_a_negative_vector_does_not_read_as_a_difference():
    text = printed(lambda A, x: A @ -x, np.eye(2), np.ones(2), to=notation.LATEX)
    assert text == r"A \, (-x)"


def test_elementwise_products_of_arrays_have_a_sign_of_their_own():
    text = printed(lambda x, y: x * y, np.ones(2), np.ones(2), to=notation.LATEX)
    assert text == r"x \odot y"


@pytest.mark.parametrize(
    ("number", "text", "precedence"),
    [
        (2, "2", Precedence.ATOM),
        (-2, "-2", Precedence.UNARY),
        (1e20, r"1 \cdot 10^{20}", Precedence.PRODUCT),
    ],
)
def test_a_printed_number_knows_how_tightly_it_holds(number, text, precedence):
    assert notation.LATEX.literal(number) == (text, precedence)


# --- names and numbers in LaTeX -------------------------------------------------

NAMES = {
    "x": "x",
    "L": "L",
    "A0": "A_{0}",
    "b_12": "b_{12}",
    "theta": r"\theta",
    "Sigma1": r"\Sigma_{1}",
    "loss": r"\mathrm{loss}",
    "loss2": r"\mathrm{loss}_{2}",
    "my_loss": r"\mathrm{my\_loss}",
    "_": r"\mathrm{\_}",
    "__1": r"\mathrm{\_}_{1}",
    "σ": r"\sigma",
    "dθ_1": r"\mathrm{d{\theta}}_{1}",
    "größe": r"\mathrm{gr\ddot{o}\text{ß}e}",
    "ŷ_1": r"\hat{y}_{1}",
    "d_θ̂": r"\mathrm{d\_\hat{{\theta}}}",
    "Å": r"\text{Å}",
    "한": r"\text{한}",
}


@pytest.mark.parametrize(("name", "formula"), NAMES.items())
def test_a_name_reads_as_mathematics(name, formula):
    assert name_to_latex(name) == formula


NUMBERS = [
    (2, "2"),
    (-2.5, "-2.5"),
    (np.float64(0.1), "0.1"),
    (np.float32(0.1), "0.1"),
    (np.array(3.0), "3"),
    (1e-5, r"1 \cdot 10^{-5}"),
    (-2.5e20, r"-2.5 \cdot 10^{20}"),
    (True, r"\mathrm{true}"),
    (np.False_, r"\mathrm{false}"),
    (float("inf"), r"\infty"),
    (-float("inf"), r"-\infty"),
    (float("nan"), r"\mathrm{NaN}"),
    (np.ones(2), r"\mathbf{c}"),
]


@pytest.mark.parametrize(("value", "formula"), NUMBERS, ids=[repr(value) for value, _ in NUMBERS])
def test_a_number_reads_as_mathematics(value, formula):
    assert number_to_latex(value) == formula


def test_the_adjoint_is_a_partial_derivative_of_the_output():
    assert derivative_to_latex("L", "A0") == r"\frac{\partial L}{\partial A_{0}}"


def test_every_formula_is_latex_that_mathtext_reads():
    parser = matplotlib.mathtext.MathTextParser("agg")
    for formula in [*NAMES.values(), *(text for _, text in NUMBERS)]:
        parser.parse(f"${formula}$")
    for name in NAMES:
        parser.parse(f"${derivative_to_latex('L', name)}$")


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
        formula = printed(lambda x, y: x + run(program, x=x, y=y), 0.7, -1.3, to=notation.LATEX)
    matplotlib.mathtext.MathTextParser("agg").parse(f"${formula}$")

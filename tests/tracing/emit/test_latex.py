"""Names and numbers as mathematics."""

import matplotlib.mathtext
import numpy as np
import pytest

from backprop_nb.tracing.emit.latex import adjoint_to_latex, name_to_latex, number_to_latex

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
    "σ": "σ",
    "größe": r"\mathrm{größe}",
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
    assert adjoint_to_latex("L", "A0") == r"\frac{\partial L}{\partial A_{0}}"


def test_every_formula_is_latex_that_mathtext_reads():
    parser = matplotlib.mathtext.MathTextParser("agg")
    for formula in [*NAMES.values(), *(text for _, text in NUMBERS)]:
        parser.parse(f"${formula}$")
    for name in NAMES:
        parser.parse(f"${adjoint_to_latex('L', name)}$")

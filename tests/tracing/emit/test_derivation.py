"""The derivation in LaTeX: one aligned line a step, readable by MathJax and by mathtext."""

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import backprop_nb as bp


def L(A0, b0, x, y):
    z1 = A0 @ x + b0
    f1 = bp.sigmoid(z1)
    return np.sum((y - f1) ** 2)


@pytest.fixture
def latex():
    ones = np.ones
    return bp.trace(L, ones((2, 3)), ones(2), ones(3), ones(2)).to_latex()


def lines(latex):
    return latex.splitlines()[1:-1]


def test_each_line_is_aligned_at_its_equals_sign(latex):
    assert latex.startswith(r"\begin{aligned}")
    assert latex.endswith(r"\end{aligned}")
    signs = [line.count("&=") for line in lines(latex)]
    assert len(signs) >= 8
    assert set(signs) == {1}


def test_it_is_in_the_documents_notation(latex):
    assert r"z_{1} &= A_{0} \, x + b_{0} \\" in latex
    assert r"f_{1} &= \sigma(z_{1}) \\" in latex
    assert (
        r"\frac{\partial L}{\partial z_{1}} &= "
        r"\frac{\partial L}{\partial f_{1}} \odot f_{1} \odot (1 - f_{1}) \\"
    ) in latex
    assert (
        r"\frac{\partial L}{\partial A_{0}} &= \frac{\partial L}{\partial z_{1}} \, {x}^{\top}"
        in latex
    )


def test_every_input_has_its_gradient(latex):
    for name in ("A_{0}", "b_{0}", "x", "y"):
        assert rf"\frac{{\partial L}}{{\partial {name}}} &=" in latex


def test_mathtext_accepts_every_line(latex):
    parser = MathTextParser("agg")
    assert lines(latex)
    for line in lines(latex):
        parser.parse("$" + line.removesuffix(r" \\").replace("&", "") + "$")


def test_brackets_and_braces_are_balanced(latex):
    assert latex.count("{") == latex.count("}")
    assert latex.count("(") == latex.count(")")


def test_an_input_without_influence_has_the_gradient_zero():
    text = bp.trace(lambda x, y: x * 2.0, 1.0, 2.0).to_latex()
    assert r"{\partial y} &= 0" in text

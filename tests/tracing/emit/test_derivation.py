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


def softmax_loss(W, c, x):
    s = x @ W + c
    e = np.exp(s - np.max(s, axis=-1, keepdims=True))
    p = e / np.sum(e, axis=1, keepdims=True)
    return -np.sum(np.log(p[np.arange(3), np.array([0, 1, 0])])) / 3


def test_a_sum_says_its_axis():
    text = bp.trace(softmax_loss, np.ones((2, 2)), np.ones(2), np.ones((3, 2))).to_latex()
    assert r"\mathrm{sum}_{\mathrm{axis}\,1}(e)" in text
    assert r"\max_{\mathrm{axis}\,{-1}}(s)" in text
    gradient = r"\frac{\partial \mathrm{softmax\_loss}}{\partial %s}"
    assert (gradient % "c" + r" &= \mathrm{sum}_{\mathrm{axis}\,0}(" + gradient % "s" + ")") in text
    both = bp.trace(lambda x: np.sum(x, axis=(0, 1)) ** 2, np.ones((2, 2))).to_latex()
    assert r"\mathrm{sum}_{\mathrm{axes}\,0, 1}(x)" in both
    net = bp.SigmoidNetwork([2, 3, 1], seed=0)
    assert (
        r"\mathrm{sum}_{\mathrm{axis}\,0}" in net.trace(np.ones((4, 2)), np.ones((4, 1))).to_latex()
    )


def test_two_arrays_of_positions_have_two_names():
    text = bp.trace(softmax_loss, np.ones((2, 2)), np.ones(2), np.ones((3, 2))).to_latex()
    assert r"{p}_{[\mathbf{i}, \mathbf{j}]}" in text
    assert r"\mathrm{scatter}_{[\mathbf{i}, \mathbf{j}]}" in text

    first, last = np.array([0, 1]), np.array([2, 1])

    def f(x):
        y = x * 2
        y[first], y[last] = x[last], 1.0
        return np.sum(y * x) + np.sum(np.take(x, first)) + np.sum(x[first, None])

    text = bp.trace(f, np.arange(3.0)).to_latex()
    assert r"{x}_{[\mathbf{i}]}" in text
    assert r"{[\mathbf{j}]} \leftarrow" in text
    assert r"{[\mathbf{i}]} \leftarrow 1" in text
    assert r"\mathrm{take}(x, \mathbf{j})" in text
    assert r"[\mathbf{j}, \mathrm{new}]" in text


def test_what_names_positions_can_be_converted():
    convert = pytest.importorskip("latex2mathml.converter").convert
    text = bp.trace(softmax_loss, np.ones((2, 2)), np.ones(2), np.ones((3, 2))).to_latex()
    assert convert(text.replace("aligned", "align*")).startswith("<math")
    parser = MathTextParser("agg")
    for line in lines(text):
        parser.parse("$" + line.removesuffix(r" \\").replace("&", "") + "$")

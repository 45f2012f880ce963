"""Each step back as Jacobian and as code: two ways, the same numbers."""

from itertools import pairwise

import numpy as np
import pytest
from examples import example

from backprop_nb.network import SigmoidNetwork, sigma_prime

WIDTHS = [(1, 1), (4, 2), (3, 3), (4, 3, 1), (2, 5, 1, 3), (3, 3, 3, 3)]
CASES = [
    pytest.param(widths, i, id=f"{'-'.join(map(str, widths))} i={i}")
    for widths in WIDTHS
    for i in range(len(widths) - 1)
]


def transposed(widths, i, dtype=float):
    """Return a network, data for it, and its transposes."""
    net, x, y = example(widths, dtype=dtype)
    return net, x, y, net.chain(x, y, i).transposes()


@pytest.mark.parametrize(("widths", "i"), CASES)
def test_row_times_jacobian_and_code_give_the_same_at_each_step(widths, i):
    *_, transposes = transposed(widths, i)
    for step in transposes.steps:
        assert step.row.shape == (1, step.factor.shape[1])
        np.testing.assert_allclose(step.row, step.before @ step.jacobian, rtol=0, atol=0)
        np.testing.assert_allclose(step.row.ravel(), step.value.ravel(), rtol=0, atol=1e-14)
        largest = np.max(np.abs(step.row.ravel() - step.value.ravel()))
        assert step.difference == largest
    assert transposes.difference == max(step.difference for step in transposes.steps)


@pytest.mark.parametrize(("widths", "i"), CASES)
def test_the_code_runs_and_gives_the_values_and_the_gradient(widths, i):
    net, x, y, transposes = transposed(widths, i)
    forward = net.forward(x)
    space = {
        "np": np,
        "A": net.A,
        "f": forward.f,
        "z": forward.z,
        "y": y,
        "sigma_prime": sigma_prime,
    }
    exec(transposes.code, space)
    gradient = net.backward(x, y)
    np.testing.assert_allclose(space["dA"][i], gradient.A[i], rtol=0, atol=1e-14)
    np.testing.assert_allclose(space["db"][i], gradient.b[i], rtol=0, atol=1e-14)

    space |= {"delta": {}, "dA": {}, "db": {}}
    for step in transposes.steps:
        exec(step.statement, space)
        value = eval(step.target, space)
        assert value.shape == step.value.shape
        np.testing.assert_allclose(step.value, value, rtol=0, atol=1e-15)


@pytest.mark.parametrize(("widths", "i"), CASES)
def test_the_rows_on_the_way_are_the_derivatives_that_the_tracer_finds(widths, i):
    net, x, y, transposes = transposed(widths, i)
    backward = net.trace(x, y).backward()
    assert len(transposes.steps) == 2 * (net.K - i) + 2
    for step in transposes.steps:
        name = step.factor.denominator.replace("_", "")
        name = {"z1": "z", "f1": "f"}.get(name, name) if net.K == 1 else name  # not made again
        np.testing.assert_allclose(
            step.row.ravel(), backward.adjoint(name).ravel(), rtol=0, atol=1e-14
        )


def test_each_step_goes_on_from_the_one_before():
    *_, transposes = transposed((4, 2, 3, 2), 0)
    by_A, by_b = transposes.steps[-2:]
    assert transposes.steps[0].before.tolist() == [[1]]
    for before, step in pairwise(transposes.steps[:-1]):
        assert step.before is before.row
    assert by_b.before is by_A.before


def test_the_steps_and_their_code_go_from_the_output_down_to_the_layer():
    *_, transposes = transposed((4, 2, 3, 2), 1)
    assert [(step.factor.symbol, step.statement) for step in transposes.steps] == [
        ("∂L/∂f_3", "g = 2 * (f[3] - y)"),
        ("∂f_3/∂z_3", "delta[3] = g * sigma_prime(z[3])"),
        ("∂z_3/∂f_2", "g = A[2].T @ delta[3]"),
        ("∂f_2/∂z_2", "delta[2] = g * sigma_prime(z[2])"),
        ("∂z_2/∂A_1", "dA[1] = np.outer(delta[2], f[1])"),
        ("∂z_2/∂b_1", "db[1] = delta[2]"),
    ]
    assert [step.transposed for step in transposes.steps] == [False, False, True, *[False] * 3]


def test_float32_stays_float32():
    *_, transposes = transposed((4, 2, 3, 2), 0, np.float32)
    for step in transposes.steps:
        arrays = step.before, step.jacobian, step.row, step.value
        assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    assert transposes.difference < 1e-6
    assert "Largest difference: < 1e-4." in transposes.describe()


@pytest.fixture
def simple():
    """Numbers that can be followed with a pencil: every slope is a quarter."""
    net = SigmoidNetwork.from_parameters([np.zeros((2, 1)), [[8.0, -4.0]]], [np.zeros(2), [-2.0]])
    return net.chain([3.0], [1.0], 0).transposes()


def test_a_step_in_words(simple):
    assert str(simple.steps[2]) == simple.steps[2].describe()
    assert str(simple.steps[2]) == (
        "∂z_2/∂f_1, of shape (1, 2)\n"
        "  row g     [-0.25]\n"
        "  Jacobian  [8  -4]\n"
        "  product   [-2  1]\n"
        "  code      g = A[1].T @ delta[2]\n"
        "  transpose [ 8]\n"
        "            [-4]\n"
        "  value     [-2  1]\n"
        "  Largest difference: < 1e-12.\n"
        "  Here is the transpose: a row times a matrix is the transposed matrix times the column,\n"
        "  (g A)ᵀ = Aᵀ gᵀ."
    )


def test_a_difference_is_shown_when_there_is_one(simple):
    step = simple.steps[2]
    wrong = type(step)(step.factor, step.before, "g", "0 * g", 0 * step.value, step.why)
    assert wrong.difference == 2
    assert "Largest difference: 2." in wrong.describe()


def test_all_of_it_in_words(simple):
    text = simple.describe()
    assert text == str(simple)
    assert text.startswith("Where the transpose comes from: ∂L/∂θ_0, widths (1, 2, 1)\n\nIn the ")
    for n, step in enumerate(simple.steps, 1):
        assert f"\n\n{n}. {step.describe()}" in text
    assert max(map(len, text.splitlines())) <= 100


def test_it_displays_as_formulas_and_code(simple):
    markdown = simple._repr_markdown_()
    for step in simple.steps:
        assert step._repr_markdown_() in markdown
        assert f"`{step.statement}` gives" in markdown
    row = r"$$\begin{bmatrix} -0.25 \end{bmatrix} \begin{bmatrix} 8 & -4 \end{bmatrix}"
    column = r"$$\begin{bmatrix} 8 \\ -4 \end{bmatrix} \begin{bmatrix} -0.25 \end{bmatrix}"
    assert f"{row} = \\begin{{bmatrix}} -2 & 1 \\end{{bmatrix}}$$" in markdown
    assert f"{column} = \\begin{{bmatrix}} -2 \\\\ 1 \\end{{bmatrix}}$$" in markdown


def test_a_long_row_goes_on_in_a_second_line():
    net, x, y = SigmoidNetwork((2, 3, 2), seed=0), [1.0, 2.0], [0.0, 1.0]
    steps = net.chain(x, y, 0).transposes().steps
    broken = [r" \\[1ex] & = " in step._repr_markdown_() for step in steps]
    assert broken == [False, False, False, True, True, True]


def test_text_reaches_the_page_as_text(simple):
    markdown = simple._repr_markdown_()
    assert "Largest difference: &lt; 1e-12." in markdown
    assert "$g_{r}$ times $f_{c}$" in markdown


def test_the_reprs(simple):
    assert repr(simple) == "<Transposes of ∂L/∂θ_0: 6 steps, widths (1, 2, 1)>"
    assert repr(simple.steps[2]) == "<TransposeStep ∂z_2/∂f_1: g = A[1].T @ delta[2]>"

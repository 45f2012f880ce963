"""What a call calls is known without a source text, or not at all."""

import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.tracing.bytecode import called_attributes


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("np.zeros(3)", ["zeros"]),
        ("np.zeros((2, n), dtype=float)", ["zeros"]),
        ("np.array([x[0], np.exp(x[1])])", ["exp", "array"]),
        ("np.ones(n)[1:] * np.zeros(n - 1) + f(np.eye(2))", ["ones", "zeros", "eye"]),
        ("np.random.rand(3)", []),
        ("zeros(3)", []),
        ("a.b.zeros(3)", []),
    ],
)
def test_the_attributes_of_a_name_that_are_called(text, calls):
    found = called_attributes(compile(text, "<text>", "eval"))
    assert [name for owner, name in dict.fromkeys(found.values()) if owner == "np"] == calls


@pytest.mark.parametrize(
    "body",
    [
        "out = np.zeros(3)\n for i in range(3): out[i] = x[i] ** 2\n return np.sum(out)",
        "rows = [x[i] ** 2 for i in range(3)]\n return np.sum(np.array(rows))",
        "out = np.empty_like(x); out[:] = x * x\n noise = np.random.rand(3) * 0\n"
        " return np.sum(out + noise)",
    ],
)
def test_a_function_without_a_source_text_prepares_its_arrays(body):
    space = {"np": np}
    exec(f"def f(x):\n {body}\n", space)
    graph = bp.trace(space["f"], np.array([1.0, -2.0, 3.0]))
    assert graph.value == 14.0
    for gradient in nonempty(graph.backward().gradients):
        np.testing.assert_array_equal(gradient, [2.0, -4.0, 6.0])

"""Calls and rules in the learner's names."""

import numpy as np
import pytest

from backprop_nb.errors import BackpropWarning
from backprop_nb.tracing import define_rule, sigmoid, trace
from backprop_nb.tracing.emit import rule as module
from backprop_nb.tracing.emit.rule import Rule, Rules, call_text, unmarked

A, x, b = np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 2.0]]), np.array([1.0, -2.0, 0.5]), np.ones(2)


def layer(A, x, b):
    z = A @ x + b
    f = sigmoid(z)
    return np.sum((1 - f) ** 2)


def rules(f, *args, seed=None):
    steps = trace(f, *args).backward(seed).steps
    return {f"d_{c.parent.name}": c.explain() for step in steps for c in step.contributions}


def test_calls_read_as_in_the_learners_code():
    graph = trace(layer, A, x, b)
    assert [f"{n.name} = {call_text(n)}" for n in graph.nodes if n.parents] == [
        "v1 = A @ x",
        "z = v1 + b",
        "f = sigmoid(z)",
        "v2 = 1 - f",
        "v3 = v2 ** 2",
        "layer = np.sum(v3)",
    ]


def test_calls_read_as_mathematics():
    graph = trace(layer, A, x, b)
    assert [call_text(node, "latex") for node in graph.nodes if node.parents] == [
        r"A \, x",
        "v_{1} + b",
        r"\sigma(z)",
        "1 - f",
        "v_{2}^{2}",
        r"\mathrm{sum}(v_{3})",
    ]


def test_a_literal_prints_as_each_notation_writes_it():
    graph = trace(lambda x: 1e-5 * x, 2.0)
    assert call_text(graph.output) == "1e-05 * x"
    assert call_text(graph.output, "latex") == r"1 \cdot 10^{-5} \, x"


def test_an_input_and_a_constant_are_not_computed():
    graph = trace(lambda x: x + A[0], x)
    assert [call_text(node) for node in graph.nodes[:2]] == ["", ""]


def test_rules_are_what_a_course_writes():
    assert {name: rule.numpy for name, rule in rules(layer, A, x, b).items()} == {
        "d_v3": "np.broadcast_to(d_layer, (2,))",
        "d_v2": "2 * d_v3 * v2",
        "d_f": "-d_v2",
        "d_z": "d_f * f * (1 - f)",
        "d_v1": "d_z",
        "d_b": "d_z",
        "d_A": "np.outer(d_v1, x)",
        "d_x": "A.T @ d_v1",
    }


def test_rules_read_as_mathematics():
    found = rules(layer, A, x, b)
    adjoint = r"\frac{\partial \mathrm{layer}}{\partial v_{1}}"
    assert found["d_A"].latex == rf"{adjoint} \, {{x}}^{{\top}}"
    assert found["d_x"].latex == rf"{{A}}^{{\top}} \, {adjoint}"


def test_a_rule_names_the_condition_it_uses():
    def relu(z):
        mask = z > 0
        return np.where(mask, z, 0.0)

    [rule] = rules(relu, x, seed=np.ones(3)).values()
    assert rule.numpy == "np.where(mask, d_relu, 0.0)"
    adjoint = r"\frac{\partial \mathrm{relu}}{\partial \mathrm{relu}}"
    assert rule.latex == rf"\mathrm{{where}}(\mathrm{{mask}}, {adjoint}, 0)"


def test_a_value_used_twice_in_one_call_has_a_rule_for_each_place():
    [step] = trace(lambda x, y: x / y / x, 2.0, 4.0).backward().steps[:1]
    assert [each.rule for each in step.contributions] == ["d_v2 / x", "-d_v2 * v2 / x"]


# --- products -----------------------------------------------------------------


def factors(rule):
    sign, parts = rule.product
    return sign, [part.numpy for part in parts]


def test_a_product_comes_apart_into_factors_with_numbers():
    found = rules(layer, A, x, b)
    sign, parts = found["d_z"].product
    assert (sign, [part.numpy for part in parts]) == ("×", ["d_f", "f", "1 - f"])
    f = sigmoid(A @ x + b)
    np.testing.assert_allclose(parts[1].value, f)
    np.testing.assert_allclose(parts[2].value, 1 - f)
    np.testing.assert_allclose(
        np.prod([part.value for part in parts], axis=0), -2 * (1 - f) ** 2 * f
    )


def test_each_kind_of_product_has_its_sign():
    found = rules(layer, A, x, b)
    assert factors(found["d_v2"]) == ("×", ["2", "d_v3", "v2"])
    assert factors(found["d_x"]) == ("@", ["A.T", "d_v1"])
    assert factors(found["d_A"]) == ("⊗", ["d_v1", "x"])
    assert factors(found["d_v1"]) == ("", [])


def test_factors_print_as_mathematics_too():
    [rule] = rules(lambda x: np.sin(x), 0.5).values()
    assert [part.latex for part in rule.product[1]] == [
        r"\frac{\partial v_{1}}{\partial v_{1}}",
        r"\cos(x)",
    ]


# --- quiet and exact ----------------------------------------------------------


def test_printing_a_rule_never_warns():
    def f(x):
        return np.sqrt(x)

    with pytest.warns(BackpropWarning, match="the slope is infinite"):
        result = trace(f, 0.0).backward()
    assert repr(result.steps[0]) == "<Step at f: d_x += d_f / (2 * f)>"


def test_a_rule_prints_in_the_same_way_for_any_thread_and_any_number_of_times():
    [step] = trace(lambda x: x**3, 2.0).backward().steps
    [contribution] = step.contributions
    assert [contribution.rule for _ in range(3)] == ["3 * d_v1 * x ** 2"] * 3


@pytest.mark.parametrize("constant", [np.arange(3), np.array([True, False, True])])
def test_constants_that_are_no_floats_keep_their_names_in_rules(constant):
    def f(x):
        return np.sum(x * constant)

    graph = trace(f, x)
    step = graph.backward().steps[1]
    assert [each.rule for each in step.contributions] == ["d_v1 * constant"]


# --- once for equal calls -----------------------------------------------------


def alone(given):
    """Return the rule of a contribution as if there were no other one."""
    rules = Rules(given.output, given.node, given.adjoint, [given.position], {})
    return Rule(rules, given.position, unmarked)


def everything(rule):
    sign, parts = rule.product
    values = [np.asarray(part.value).tolist() for part in parts]
    return rule.numpy, rule.latex, sign, [part[:2] for part in parts], values


def test_equal_calls_share_a_rule_and_each_has_its_own_names_and_numbers(monkeypatch):
    traced = []
    real = module.trace_rules
    monkeypatch.setattr(module, "trace_rules", lambda *args: traced.append(1) or real(*args))

    def loop(A, h):
        for _ in range(30):
            h = np.tanh(A @ h) * 2.0
        return np.sum(np.stack([*h, *h]) ** 2)

    steps = trace(loop, np.array([[1.0, -2.0], [0.5, 3.0]]), np.ones(2)).backward().steps
    given = [each for step in steps for each in step.contributions]
    shared = [everything(each.explain()) for each in given]
    # @, tanh, *, stack, **, sum; and [0] and [1], the first that arrives at h and the other.
    assert len(traced) == 8
    assert shared == [everything(alone(each)) for each in given]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[0] ** 2 + x[1] ** 2.0 + x[0] ** 3,
        lambda x: (x[0] * -0.0) * 0.0 * True * 1 * 1.0,
        lambda x: np.sum(x, axis=0) + np.sum(x[:, None], axis=0)[0] + np.sum(x.astype("f4")),
        lambda x: np.sum(x * x[:1]) + np.sum(x * x) + np.sum(x[:1]) + np.sum(x[:1] * x),
        lambda x: np.sum(x[np.array([0, 1])]) + np.sum(x[np.array([1, 0])]),
    ],
    ids=["numbers", "zeros", "options", "shapes", "indices"],
)
def test_calls_that_differ_in_a_number_a_shape_or_an_option_share_nothing(f):
    steps = trace(f, np.array([1.0, 2.0])).backward().steps
    given = [each for step in steps for each in step.contributions]
    assert [each.rule for each in given] == [alone(each).numpy for each in given]


def test_a_rule_that_decides_by_a_value_is_traced_at_every_call():
    def hinge(x):
        return x if x > 0 else 0.1 * x

    hinge = define_rule(hinge, lambda g, ans, x: g if x > 0 else 0.1 * g)
    steps = trace(lambda x, y: hinge(x) + hinge(y), 2.0, -2.0).backward().steps
    assert [step.contributions[0].rule for step in steps[1:]] == ["0.1 * d_v2", "d_v1"]

"""``define_rule``: a function of the learner's own is one node like any other."""

import gc
import re
import weakref

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

import backprop_nb as bp
from backprop_nb.tracing.rules import TABLE


def soft_plus(x):
    return np.logaddexp(0.0, x)


def scaled_dot(x, y, factor=1.0):
    return factor * (x @ y)


def define_soft_plus():
    return bp.define_rule(soft_plus, lambda g, ans, x: g * bp.sigmoid(x))


def define_scaled_dot():
    return bp.define_rule(
        scaled_dot,
        lambda g, ans, x, y, factor=1.0: g * factor * y,
        lambda g, ans, x, y, factor=1.0: g * factor * x,
    )


def test_it_is_one_node_with_the_given_rule():
    known = define_soft_plus()
    graph = bp.trace(lambda x: np.sum(known(x) ** 2), np.array([0.5, -1.0]))
    assert [node.op for node in graph.nodes] == [None, "soft_plus", "power", "sum"]
    np.testing.assert_allclose(
        graph.backward().gradients[0],
        bp.grad(lambda x: np.sum(np.logaddexp(0.0, x) ** 2))(np.array([0.5, -1.0])),
    )


def test_plain_arrays_take_the_short_way():
    np.testing.assert_array_equal(define_soft_plus()(np.ones(2)), soft_plus(np.ones(2)))


def test_several_arguments_and_an_option():
    known = define_scaled_dot()
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    graph = bp.trace(lambda x, y: known(x, y, factor=2.0), x, y)
    d_x, d_y = graph.backward().gradients
    np.testing.assert_array_equal(d_x, 2 * y)
    np.testing.assert_array_equal(d_y, 2 * x)


def test_it_prints_compiles_and_explains_itself():
    known = define_scaled_dot()
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    graph = bp.trace(lambda x, y: known(x, y, factor=2.0) ** 2, x, y)
    space = {}
    exec(graph.to_numpy(), space)
    last = re.findall(r"^def (\w+)\(", graph.to_numpy(), re.MULTILINE)[-1]
    for value, gradients in (space[last](x, y), graph.compile()(x, y)):
        assert value == graph.value
        np.testing.assert_allclose(gradients[0], graph.backward().gradients[0])
    assert r"\mathrm{scaled\_dot}(x, y)" in graph.to_latex()
    for line in graph.to_latex().splitlines()[1:-1]:
        MathTextParser("agg").parse("$" + line.removesuffix(r" \\").replace("&", "") + "$")


def test_a_function_within_a_function_prints():
    def cubed(x):
        return x**3

    taught = bp.define_rule(cubed, lambda g, ans, x: g * 3.0 * x**2)
    source = bp.trace(lambda x: taught(x) + 1.0, 2.0).to_numpy()
    assert "def cubed(x):\n    return x ** 3" in source
    space = {}
    exec(source, space)
    assert list(space.values())[-1](2.0) == (9.0, (12.0,))


def test_a_function_without_source_text_compiles_but_does_not_print():
    space = {}
    exec("def cubed(x):\n    return x**3", space)
    taught = bp.define_rule(space["cubed"], lambda g, ans, x: g * 3.0 * x**2)
    graph = bp.trace(lambda x: taught(x) * 1.0, 2.0)
    with pytest.raises(bp.UnsupportedError, match="cubed has no source text that could be printed"):
        graph.to_numpy()
    assert graph.compile()(2.0) == (8.0, (12.0,))


def test_second_derivatives_go_through_the_rule():
    known = define_soft_plus()
    s = float(bp.sigmoid(0.3))
    assert bp.grad(bp.grad(known))(0.3) == pytest.approx(s * (1 - s), rel=1e-12)


def test_a_numpy_function_without_a_rule_can_be_taught():
    with pytest.raises(bp.UnsupportedError, match=r"np\.i0 has no differentiation rule"):
        bp.grad(np.i0)(1.0)
    h = 1e-6
    i0 = bp.define_rule(np.i0, lambda g, ans, x: g * (i0(x + h) - i0(x - h)) / (2 * h))
    assert bp.grad(i0)(1.0) == pytest.approx(0.5651591, abs=1e-6)
    assert "np.i0(x)" in bp.trace(lambda x: i0(x) ** 2, 1.0).to_numpy()


def test_the_rule_stays_with_the_function_that_carries_it():
    before = dict(TABLE)
    known = define_soft_plus()
    assert before == TABLE
    assert bp.trace(known, 1.0).output.op == "soft_plus"
    assert bp.trace(soft_plus, 1.0).output.op == "logaddexp"


def test_a_function_that_is_defined_anew_is_let_go():
    known = define_soft_plus()
    bp.trace(known, 1.0).backward()
    gone = weakref.ref(known)
    del known
    gc.collect()
    assert gone() is None


def test_an_argument_without_a_rule_receives_nothing():
    known = bp.define_rule(scaled_dot, lambda g, ans, x, y: g * y, None)
    graph = bp.trace(known, np.ones(2), np.ones(2))
    with pytest.warns(bp.BackpropWarning, match="does not depend on y"):
        _, d_y = graph.backward().gradients
    np.testing.assert_array_equal(d_y, np.zeros(2))


@pytest.mark.parametrize(
    ("function", "vjps", "message"),
    [
        (np.sin, (lambda g, ans, x: g,), "sin has a rule already"),
        (soft_plus, (), "needs a rule for at least one argument of soft_plus"),
        (soft_plus, (None,), "needs a rule for at least one argument of soft_plus"),
        (lambda x: x, (lambda g, ans, x: g,), "needs a name"),
        (soft_plus, (3,), "A rule must be a function.\n  given:    3\n"),
        ("f", (lambda g, ans, x: g,), "A rule must be a function.\n  given:    'f'\n"),
    ],
    ids=["known", "none", "only None", "lambda", "no rule", "no function"],
)
def test_a_definition_that_cannot_work_is_refused_and_changes_nothing(function, vjps, message):
    before = len(TABLE)
    with pytest.raises(bp.InvalidValueError, match=message):
        bp.define_rule(function, *vjps)
    assert len(TABLE) == before


@pytest.mark.parametrize(
    ("rule", "given"),
    [
        (lambda g: g, "(g)"),
        (lambda g, ans: g, "(g, ans)"),
        (lambda g, ans, x: g, "(g, ans, x)"),
        (lambda g, ans, x, y, more: g, "(g, ans, x, y, more)"),
    ],
    ids=["1", "2", "3", "5"],
)
def test_a_rule_that_does_not_take_the_arguments_is_refused(rule, given):
    before = len(TABLE)
    with pytest.raises(bp.InvalidValueError) as caught:
        bp.define_rule(scaled_dot, rule, None)
    assert str(caught.value) == (
        "A rule cannot be called with the adjoint, the result and the arguments.\n"
        f"  given:    a rule {given}\n"
        "  expected: a rule (g, ans, x, y)"
    )
    assert len(TABLE) == before


def test_a_rule_may_ask_for_an_option():
    bp.define_rule(scaled_dot, lambda g, ans, x, y, factor: g * factor * y, None)

"""A report opens the student's own pass, at the expression that is wrong."""

import numpy as np
import pytest

import backprop_nb as bp

W, X = np.array([1.0, 2.0]), np.array([3.0, 4.0])


def f(w, x):
    return np.sum((w * x) ** 2)


def wrong(w, x):
    error = w * x
    dw = 2 * error * x
    dx = 2 * error * x
    return dw, dx


def test_it_opens_at_the_wrong_expression():
    report = bp.check_gradient(f, wrong, W, X)
    explorer = report.explore()
    assert explorer.selected == "dx"
    frame = explorer.scene["frames"][explorer.step]
    assert explorer.scene["nodes"][frame["node"]]["name"] == "dx"
    node = explorer.graph.node("dx")
    assert node.source == report.findings[0].source
    np.testing.assert_array_equal(node.value, report.findings[0].given)


def test_only_the_students_own_nodes_are_there():
    explorer = bp.check_gradient(f, wrong, W, X).explore()
    assert explorer.groups == []
    graph = explorer.graph
    assert graph.function_name == "wrong"
    assert [node.name for node in graph.inputs] == ["w", "x"]
    assert [node.op for node in graph.nodes if node.op] == ["multiply"] * 5
    assert graph.output.name == "dx"  # the gradient that is wrong


def test_the_students_own_calls_are_groups():
    def product(a, b):
        return 2 * a * b

    def calling(w, x):
        return product(w, x) * x, product(w, x) * x

    explorer = bp.check_gradient(f, calling, W, X).explore()
    assert explorer.groups == ["product 1", "product 2"]


def test_in_a_loop_it_opens_at_the_round_that_is_wrong():
    def loss(w):
        return np.sum(w**2)

    def rounds(w):
        total = np.zeros(2)
        for scale in (1.0, 0.5):
            total = total + scale * w
        return total

    report = bp.check_gradient(loss, rounds, W)
    (best, *_) = report.findings
    explorer = report.explore()
    node = explorer.graph.node(explorer.selected)
    np.testing.assert_array_equal(node.value, best.given)
    assert node.source == best.source


def test_a_group_that_is_folded_at_first_is_open_around_the_wrong_expression():
    def loss(w):
        return np.sum(w**2)

    def long(w):
        v = w
        for _ in range(70):
            v = v + 1.0
            v = v - 1.0
        return 3 * v

    report = bp.check_gradient(loss, long, W)
    explorer = report.explore()
    assert explorer.selected
    groups = {group["id"]: group for group in explorer.scene["groups"]}
    group = explorer.scene["nodes"][explorer.graph.node(explorer.selected).index]["group"]
    assert explorer.scene["folded"]
    assert group is None or explorer.scene["groups"][group]["id"] not in explorer.folded
    assert set(explorer.folded) <= set(groups)


@pytest.mark.parametrize("hints", ["none", "vague"])
def test_hints_that_hide_the_line_open_no_node(hints):
    explorer = bp.check_gradient(f, wrong, W, X, hints=hints).explore()
    assert (explorer.selected, explorer.step) == ("", 0)


def test_options_of_the_explorer_are_its_own():
    from backprop_nb import display

    report = bp.check_gradient(f, wrong, W, X)
    assert display.explore(report, step=0, notation="formulas").notation == "formulas"


def test_without_a_traced_pass_it_says_what_to_do():
    for report in (
        bp.check_gradient(f, (W, X), W, X),
        bp.check_gradient(f, lambda w, x: (np.array(w.tolist()), x), W, X),
        bp.check_gradient(f, lambda w, x: 1 / 0, W, X),
    ):
        assert not report.ok
        with pytest.raises(bp.UnsupportedError, match="no traced gradient function") as raised:
            report.explore()
        assert "bp.check_gradient(loss, gradient, …).explore()" in str(raised.value)
    right = bp.check_gradient(f, bp.grad(f, (0, 1)), W, X)
    with pytest.raises(bp.UnsupportedError, match="nothing wrong to explore"):
        right.explore()

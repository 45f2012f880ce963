import ast

import numpy as np
import pytest

from backprop_nb.checking.lines.missing import additions
from backprop_nb.checking.lines.program import blocks
from backprop_nb.checking.lines.scope import Scope, computes_only
from backprop_nb.checking.lines.ways import rewrites


def slope(z):
    return 1 - np.tanh(z) ** 2


def student(W, x, sums):
    z = W @ x
    a = np.tanh(z)
    d = W.T @ a
    zs = [z, a]
    for k in range(1, 2):
        d = zs[-1] - zs[k]
    sums["d"] = d
    return np.sum(d * a, axis=0)


def shaped(W, x, activation=np.tanh):
    n = len(x)
    J = np.diag(x) * n
    start = np.zeros(n)
    h = apply(np.tanh, W @ x + start)
    flat = W.ravel("F") / W.shape[0]
    rows = [h, h]
    turned = W.T / flat.max()
    return J, rows, turned


def apply(f, z):
    return f(z)


ARGUMENTS = [np.eye(2), np.ones(2), {}]


def written(ways, line, function=student, args=ARGUMENTS):
    """Return how a line can be written."""
    block = next(b for b in blocks(function, args) if function in b.functions)
    scope = Scope(block, ["slope"], {2.0: "2"})
    first = block.node.lineno
    [statement] = [each for each in block.statements if each.lineno == first + line]
    return {ast.unparse(each.way) for each in ways(scope, statement)}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (1, "z = x @ W"),
        (1, "z = W.T @ x"),
        (1, "z = W * x"),
        (1, "z = W @ z"),
        (2, "a = z"),
        (2, "a = np.exp(z)"),
        (2, "a = slope(z)"),
        (2, "a = np.tanh(-z)"),
        (3, "d = W @ a"),
        (5, "range(0, 2)"),
        (6, "d = zs[k] - zs[k]"),
        (6, "d = zs[-1] + zs[k]"),
        (6, "d = zs[-1] - zs[k - 1]"),
        (6, "d += zs[-1] - zs[k]"),
        (6, "d = zs[-1]"),
        (8, "return np.sum(d * a, axis=1)"),
        (8, "return np.mean(d * a, axis=0)"),
    ],
)
def test_a_line_is_written_as_a_person_would(line, text):
    assert text in written(rewrites, line)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (3, "d = (W.T @ a) * slope(z)"),
        (3, "d = (W.T @ a) * (1 - a ** 2)"),
        (3, "d = (W.T @ a) * 2.0"),
        (2, "a = np.tanh(z) + x"),
    ],
)
def test_what_is_missing_is_taken_from_what_is_there(line, text):
    text = ast.unparse(ast.parse(text))
    assert text in written(additions, line)


def squashed(z, deriv=False):
    return 1 - np.tanh(z) ** 2 if deriv else np.tanh(z)


def counted(Ws, zs):
    for k in range(2, 3):
        d = squashed(zs[-1], deriv=True)
        d = Ws[-1] @ (squashed(zs[-k]) + d)
    return d


@pytest.mark.parametrize(
    "text",
    [
        "d = Ws[-k + 1] @ (squashed(zs[-k]) + d)",
        "d = Ws[-1] @ (squashed(zs[-k], deriv=True) + d)",
    ],
)
def test_layers_are_counted_from_the_end_and_options_taken_from_other_calls(text):
    assert text in written(rewrites, 3, counted, [[np.eye(2)] * 2, [np.ones(2)] * 2])


@pytest.mark.parametrize(
    ("ways", "line", "text"),
    [
        (additions, 2, "J = np.diag(x) * n - np.outer(x, x)"),
        (additions, 8, "return (J, [each * 2.0 for each in rows], turned)"),
        (rewrites, 3, "start = np.ones(n)"),
        (rewrites, 4, "h = apply(slope, W @ x + start)"),
        (rewrites, 5, "flat = W.ravel() / W.shape[0]"),
        (rewrites, 5, "flat = W.ravel('F') / n"),
        (rewrites, 7, "turned = W[::-1, ::-1] / flat.max()"),
        (rewrites, 7, "turned = W.T / np.sum(flat)"),
    ],
)
def test_shapes_sizes_and_functions_are_exchanged(ways, line, text):
    found = written(ways, line, shaped, [np.eye(2), np.ones(2)])
    assert ast.unparse(ast.parse(text)) in found


def unread(x, y):
    slope = x * y
    return x + slope


def costs(statement, function=unread):
    """Return what the ways to write a line of a small function cost."""
    [block] = blocks(function, [np.ones(2)] * function.__code__.co_argcount)
    [line] = [each for each in block.statements if ast.unparse(each) == statement]
    return {each.words(each.part): each.cost for each in rewrites(Scope(block, [], {}), line)}


def test_what_is_computed_is_read():
    found = costs("return x + slope")
    assert found["y in place of slope"] > found["y in place of x"] + 0.5


def test_a_sign_is_missing_where_something_is_computed_rather_than_where_it_is_handed_on():
    found = costs("return x + slope")
    assert found["-(x + slope) in place of x + slope"] < found["-x in place of x"]


def test_only_arrays_that_fit_are_added():
    assert not any("+ W" in each for each in written(additions, 2))


def shouts(z):
    print(z)
    return z


def through_a_helper(z):
    return slope(z) * 2


@pytest.mark.parametrize(
    ("function", "expected"), [(slope, True), (through_a_helper, True), (shouts, False)]
)
def test_a_function_that_did_not_run_is_tried_if_it_is_nothing_but_formulas(function, expected):
    assert computes_only(function) == expected


def storing(p, g, made):
    g["W"] = g["W"] * 2
    g["W"][:, 0] = p["W"][:, 0]
    g["W"] *= 2
    made.W = g["W"] + p["W"]
    made.g["b"] -= p["W"]
    g["W"], made.W = g["W"], p["W"]


def owners(target):
    """Return the names of what a target, or each of several, is stored in."""
    targets = target.elts if isinstance(target, ast.Tuple) else [target]
    for each in targets:
        while isinstance(each, ast.Subscript | ast.Attribute):
            each = each.value
        yield ast.unparse(each)


@pytest.mark.parametrize("line", range(1, 7))
def test_no_line_is_written_to_store_what_it_computes_elsewhere(line):
    W = np.eye(2)
    made = type("Made", (), {"g": {"b": W.copy()}})()
    ways = written(rewrites, line, storing, [{"W": W}, {"W": W.copy()}, made])
    stored = [
        {*owners(target)}
        for way in ways
        for statement in ast.parse(way).body
        for target in getattr(statement, "targets", [getattr(statement, "target", None)])
        if target is not None
    ]
    assert stored
    assert all(each <= {"g", "made"} for each in stored)


def windows(image, H, K):
    for i in range(H - K):
        patch = image[i : i + K, :]
    return patch


def test_names_in_a_slice_are_tried_in_the_order_in_which_they_were_given_values():
    """Not in that of a set, which is another one in every run of Python."""
    [block] = blocks(windows, [np.ones((4, 1)), 3, 2])
    [line] = [each for each in block.statements if isinstance(each, ast.Assign)]
    words = [each.words(each.part) for each in rewrites(Scope(block, [], {}), line)]
    tried = [each.partition(",")[0] for each in words if each.startswith("image[")]
    those = ["image[i:i + H", "image[i:i + i", "image[H:H + K", "image[K:K + K"]
    assert [each for each in tried if each in those] == those


def masked(X, w, y):
    n = len(w) - 1
    d = np.mean(X @ w - y)
    h = np.tanh(w) - 1
    h[h <= 0] = 0
    return n, d, h


def test_what_counts_is_no_function_of_a_formula():
    args = [np.eye(3, 2), np.ones(2), np.ones(3)]
    ways = [written(rewrites, line, masked, args) for line in range(1, 4)]
    assert "n = len(w)" in ways[0]
    assert "n = len(w - 1)" not in ways[0]
    assert "d = (X @ w - y) / len(y)" in ways[1]
    assert "d = (X @ w - y) / len(X @ w - y)" not in ways[1]
    assert "h = np.tanh(w - 1)" in ways[2]


def test_a_mask_is_put_on_another_array():
    args = [np.eye(3, 2), np.ones(2), np.ones(3)]
    assert "w[h <= 0] = 0" in written(rewrites, 4, masked, args)


def negative(W, x):
    a = -W.T @ x
    return -x + a


def test_a_sign_at_the_start_of_a_product_is_left_out_and_no_second_one_put_before_it():
    product, total = (written(rewrites, k, negative, [np.eye(2), np.ones(2)]) for k in (1, 2))
    assert "a = W.T @ x" in product
    assert "a = -(-W.T @ x)" not in product
    assert "return -(-x + a)" in total


def chosen(z):
    return np.where(z > 0, 1, 0.01)


def test_what_chooses_between_two_numbers_changes_places_with_neither():
    ways = written(rewrites, 1, chosen, [np.ones(2)])
    assert "return np.where(z > 0, 0.01, 1)" in ways
    assert "return np.where(1, z > 0, 0.01)" not in ways


def test_the_slope_of_relu_is_0_rather_than_any_other_number():
    found = costs("return np.where(z > 0, 1, 0.01)", chosen)
    assert found["0 in place of 0.01"] < min(x for say, x in found.items() if "z)" in say)


def shifted(z):
    return z - z.max(axis=0)


def test_the_largest_along_an_axis_is_meant_along_one():
    found = costs("return z - z.max(axis=0)", shifted)
    along, of_all = "np.max(z, axis=1, keepdims=True)", "np.max(z)"
    in_place = " in place of z.max(axis=0)"
    assert found[along + in_place] < found[of_all + in_place]

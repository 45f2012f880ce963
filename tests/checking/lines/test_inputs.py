"""What a line reads decides whether it is proved to be wrong: that may be wrong in its place."""

import ast

import numpy as np
import pytest

from backprop_nb.checking.lines.inputs import is_all_that_reads, may_be_wrong
from backprop_nb.checking.lines.program import blocks
from backprop_nb.checking.lines.scope import Scope

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7], [0.2, 0.9, 1.1], [-0.4, 0.8, 0.6]])
W = np.array([0.7, -0.2, 0.4])


def passes(w):
    n = len(X)
    k = n // 2 + 1
    f = np.exp(X @ w)
    odd = 3 * f
    once = 5 * f
    here = odd + n / odd.shape[0]
    there = odd + once
    mask = f > 1
    last = there[mask][:k]
    f = f - there
    return here.sum() + last.sum() + f


def scope_of(function, *args):
    [block] = blocks(function, list(args))
    return Scope(block, [])


def statement(scope, text):
    [found] = [each for each in scope.block.statements if ast.unparse(each).startswith(text)]
    return found


def is_true(value):
    return np.array_equal(value, W) or np.array_equal(value, np.exp(X @ W))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f = np.exp", False),  # of what is handed over, and is true
        ("odd =", False),
        ("here =", False),  # two lines read what is odd; a length is taken as it is
        ("there =", True),  # nothing else reads what comes to it
        ("last =", True),  # a mask and a number that are computed
        ("f = f - there", False),  # another line read it before
        ("return", True),
    ],
)
def test_what_only_one_line_reads_may_be_wrong_in_its_place(text, expected):
    scope = scope_of(passes, W)
    assert may_be_wrong(scope, statement(scope, text), is_true) is expected


def test_a_name_that_another_line_reads_too_is_not_all_of_one():
    scope = scope_of(passes, W)
    names = {name: ast.Name(name, ast.Load()) for name in ("odd", "once", "X")}
    there = statement(scope, "there =")
    assert not is_all_that_reads(scope, names["odd"], there)
    assert is_all_that_reads(scope, names["once"], there)
    assert not is_all_that_reads(scope, names["X"], there)  # which is nothing of its own
    assert not is_all_that_reads(scope, None, there)


def in_a_row(w):
    odd = 3 * np.exp(X @ w)
    once = 2 * odd
    return odd + once, odd + 1, odd


def test_of_several_values_in_a_row_each_reads_for_itself():
    scope = scope_of(in_a_row, W)
    returned = statement(scope, "return")
    first, second, _ = ((each.lineno, each.col_offset) for each in returned.value.elts)
    assert may_be_wrong(scope, returned, is_true, first)
    assert not may_be_wrong(scope, returned, is_true, second)

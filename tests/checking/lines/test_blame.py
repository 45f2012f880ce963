"""Whom to blame: of what explains a wrong gradient, the lines that are told."""

import numpy as np
import pytest

from backprop_nb.checking.lines.blame import Fault
from backprop_nb.checking.lines.locate import Search


def test_a_fault_without_text_has_no_line():
    nothing = np.zeros(0)
    assert Fault(None, "", "", False, nothing, nothing, ()).line is None


COUNTED = """import numpy as np

X, Y = np.split(np.random.default_rng(1).normal(size=(6, 7)), [3], axis=1)


def loss(W):
    return np.sum((X @ W - Y) ** 2) / len(X)


def gradient(W):
    N = len(X)
    R = X @ W - Y
    return [2 * X.T @ R / N]
"""


@pytest.fixture
def faults_of(written):
    """Return what finds the faults of the pass with some of its text changed."""

    def find(*changes):
        head, tail = COUNTED.split("def gradient")
        for right, wrong in changes:
            assert tail.count(right) == 1
            tail = tail.replace(right, wrong)
        module = written(f"{head}def gradient{tail}")
        W = np.random.default_rng(0).normal(size=(3, 4))
        return Search(module.loss, module.gradient, [W], [0]).faults()

    return find


OVER_ROWS = ", for the mean is over the rows and not over"


@pytest.mark.parametrize(
    ("count", "repair"),
    [
        ("X.size", f"len(X) in place of X.size{OVER_ROWS} all numbers"),
        ("Y.shape[1]", f"Y.shape[0] in place of Y.shape[1]{OVER_ROWS} the columns"),
        ("len(X) - 1", "leave out − 1"),
        ("10", "len(X) in place of 10"),
        ("1", "len(X) in place of 1"),
    ],
)
def test_a_wrong_count_is_named_and_not_the_line_that_divides_by_it(count, repair, faults_of):
    [fault] = faults_of(("len(X)", count))
    assert (fault.line, fault.repair, fault.proved) == (11, repair, True)


@pytest.mark.parametrize("count", ["N", "len(X)", "X.shape[0]"])
def test_a_2_that_is_missing_beside_a_right_count_is_no_other_count(count, faults_of):
    """X.shape[1] is half as much, and the loss takes no mean over the columns."""
    faults = faults_of(("2 * X.T @ R / N", f"X.T @ R / {count}"))
    assert {fault.repair for fault in faults} == {"multiply it by 2"}
    assert {fault.line for fault in faults} <= {12, 13}

"""Exponentials and logarithms where the plain formula would overflow or lose digits."""

import numpy as np
import pytest

from backprop_nb.tracing import trace


def slopes(f, *args):
    return trace(f, *args).backward().gradients


@pytest.mark.parametrize("f", [np.logaddexp, np.logaddexp2])
def test_far_apart_and_huge_exponents_neither_overflow_nor_warn(f):
    assert slopes(f, 1000.0, -1000.0) == (1.0, 0.0)
    assert slopes(f, 5000.0, 5000.0) == pytest.approx((0.5, 0.5))
    assert slopes(f, -np.inf, 2.0) == (0.0, 1.0)


def test_small_arguments_keep_their_digits():
    assert slopes(np.expm1, 1e-20) == (1.0,)
    assert slopes(np.log1p, 1e-20) == (1.0,)

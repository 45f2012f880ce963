"""A marked NaN is known wherever NumPy carries it, and no other NaN passes for one."""

import numpy as np
import pytest

from backprop_nb.tracing.marked import marked, number_in

CARRIED = {
    "itself": lambda nan: np.full(3, nan),
    "number": lambda nan: nan,
    "copied": lambda nan: np.array([1.0, nan]).copy(),
    "assigned": lambda nan: np.put(a := np.zeros(3), 1, nan) or a,
    "negative": lambda nan: -np.full(3, nan),
    "sum": lambda nan: np.sum(np.full(20, nan)),
    "product": lambda nan: np.ones((4, 3)) @ np.full((3, 2), nan),
    "arithmetic": lambda nan: 2.0 * np.array([nan, 1.0]) - 1.0,
    "float32": lambda nan: np.full(3, nan).astype(np.float32),
    "product of float32": lambda nan: np.ones((2, 3), "f") @ np.full(3, nan, "f"),
}


@pytest.mark.parametrize("name", CARRIED)
@pytest.mark.parametrize("number", [0, 1, 4097, 8191])
def test_a_number_is_carried_along(name, number):
    assert number_in(CARRIED[name](marked(number))) == number


def test_great_numbers_are_one():
    assert number_in(marked(10**6)) == number_in(marked(8191)) == 8191


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
def test_other_values_bear_none(kind):
    with np.errstate(invalid="ignore"):
        made = np.array([0.0, np.inf]) - np.array([0.0, np.inf])
    values = [*made, -np.nan, np.nan, np.inf, 1.0]
    assert number_in(np.array(values, dtype=kind)) is None
    assert number_in(np.arange(3)) is None

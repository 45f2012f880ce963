"""A matrix as a heat map: what fits is drawn as long, what is too large is pooled or left out."""

import numpy as np
import pytest

from backprop_nb.views.chain.matrix_picture import Lengths, fit_lengths, matrix_picture
from backprop_nb.views.numbers import Scale

ONE = Scale(1.0, 1.0)


def picture_of(array, lengths, scale=ONE, family="value", theta=None):
    return matrix_picture(array, array.shape, lengths, scale, family, theta)


def heat_of(picture):
    return next(shape for shape in picture.shapes if shape["kind"] == "heat")


@pytest.mark.parametrize("lengths", [Lengths(20), fit_lengths(100_480, 128, 300_000)])
def test_the_columns_of_one_are_as_long_as_the_rows_of_the_next(lengths):
    first = picture_of(np.ones((2, 5)), lengths)
    second = picture_of(np.ones((5, 3)), lengths)
    assert heat_of(first)["box"][2] == heat_of(second)["box"][3]


def test_a_longer_side_is_longer_even_where_nothing_is_in_proportion():
    lengths = fit_lengths(100_480, 128, 300_000)
    sides = [lengths(n) for n in (1, 10, 64, 128, 100_480)]
    assert sides == sorted(sides)
    assert sides[0] >= 10
    assert sides[-1] <= 320.1


def test_numbers_stand_in_the_cells_if_each_has_room():
    matrix = np.array([[0.123, -0.0042], [0.0, 2.0]])
    shown = heat_of(picture_of(matrix, Lengths(34)))
    assert shown["texts"] == ["0.12", "−4e-3", "0", "2"]
    narrow = heat_of(picture_of(matrix, Lengths(20)))
    assert "texts" not in narrow


def test_zeros_are_neutral_and_a_sign_is_a_colour():
    array = np.array([[0.0, 1.0, -1.0]])
    shown = heat_of(picture_of(array, Lengths(34), family="adjoint"))
    assert (shown["heats"], shown["family"]) == ([0, 1, -1], "adjoint")


def test_a_cell_of_a_large_matrix_shows_the_largest_of_its_entries():
    matrix = np.zeros((200, 300))
    matrix[150, 299] = -7.0
    matrix[0, 0] = 3.0
    lengths = fit_lengths(300, 200, 3000)
    shown = heat_of(picture_of(matrix, lengths, Scale(1, 7)))
    assert shown["columns"] == lengths.cells(300) < 300
    assert (shown["heats"][0], shown["heats"][-1]) != (0, 0)
    assert min(shown["heats"]) == -1


def test_a_matrix_that_is_not_built_says_so_and_shows_where_its_entries_are():
    lengths = fit_lengths(100_480, 128, 300_000)
    picture = matrix_picture(None, (128, 100_480), lengths, ONE, "value", (0, 128, 784))
    assert "not built" in [shape.get("text") for shape in picture.shapes]
    assert not [shape for shape in picture.shapes if shape["kind"] == "heat"]


def test_the_columns_of_a_derivative_by_theta_are_named():
    picture = picture_of(np.ones((2, 6)), Lengths(20), theta=(3, 2, 2))
    names = [(s["text"], s["sub"]) for s in picture.shapes if s["kind"] == "text"]
    assert names == [("A", "3"), ("b", "3")]

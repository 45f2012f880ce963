"""A matrix as a heat map: what fits is drawn as long, what is too large is pooled or left out."""

import numpy as np
import pytest

from backprop_nb.views.chain.matrix_picture import (
    Lengths,
    Matrix,
    fit_lengths,
    fraction,
    matrix_picture,
)
from backprop_nb.views.numbers import Scale
from backprop_nb.views.picture import Picture

ONE = Scale(1.0, 1.0)


def heat_of(picture):
    return next(shape for shape in picture.shapes if shape["kind"] == "heat")


@pytest.mark.parametrize("lengths", [Lengths(20), fit_lengths(100_480, 128, 300_000)])
def test_the_columns_of_one_are_as_long_as_the_rows_of_the_next(lengths):
    first = matrix_picture(Matrix((2, 5), np.ones((2, 5)), "value"), lengths, ONE)
    second = matrix_picture(Matrix((5, 3), np.ones((5, 3)), "value"), lengths, ONE)
    assert heat_of(first)["box"][2] == heat_of(second)["box"][3]


def test_a_longer_side_is_longer_even_where_nothing_is_in_proportion():
    lengths = fit_lengths(100_480, 128, 300_000)
    sides = [lengths(n) for n in (1, 10, 64, 128, 100_480)]
    assert sides == sorted(sides)
    assert sides[0] >= 10
    assert sides[-1] <= 320.1


def test_numbers_stand_in_the_cells_if_each_has_room():
    matrix = np.array([[0.123, -0.0042], [0.0, 2.0]])
    shown = heat_of(matrix_picture(Matrix((2, 2), matrix, "value"), Lengths(34), ONE))
    assert shown["texts"] == ["0.12", "−4e-3", "0", "2"]
    narrow = heat_of(matrix_picture(Matrix((2, 2), matrix, "value"), Lengths(20), ONE))
    assert "texts" not in narrow


def test_zeros_are_neutral_and_a_sign_is_a_colour():
    shown = heat_of(
        matrix_picture(Matrix((1, 3), np.array([[0.0, 1.0, -1.0]]), "adjoint"), Lengths(34), ONE)
    )
    assert (shown["heats"], shown["family"]) == ([0, 1, -1], "adjoint")


def test_a_cell_of_a_large_matrix_shows_the_largest_of_its_entries():
    matrix = np.zeros((200, 300))
    matrix[150, 299] = -7.0
    matrix[0, 0] = 3.0
    lengths = fit_lengths(300, 200, 3000)
    shown = heat_of(matrix_picture(Matrix((200, 300), matrix, "value"), lengths, Scale(1, 7)))
    assert shown["columns"] == lengths.cells(300) < 300
    assert (shown["heats"][0], shown["heats"][-1]) != (0, 0)
    assert min(shown["heats"]) == -1


def test_a_matrix_that_is_not_built_says_so_and_shows_where_its_entries_are():
    matrix = Matrix((128, 100_480), None, "value", (0, 128, 784))
    picture = matrix_picture(matrix, fit_lengths(100_480, 128, 300_000), ONE)
    assert "not built" in [shape.get("text") for shape in picture.shapes]
    assert not [shape for shape in picture.shapes if shape["kind"] == "heat"]


def test_the_columns_of_a_derivative_by_theta_are_named():
    matrix = Matrix((2, 6), np.ones((2, 6)), "value", (3, 2, 2))
    picture = matrix_picture(matrix, Lengths(20), ONE)
    names = [(s["text"], s["sub"]) for s in picture.shapes if s["kind"] == "text"]
    assert names == [("A", "3"), ("b", "3")]


def test_a_fraction_has_a_bar_between_its_names():
    picture = Picture(60, 60)
    fraction(picture, (0, 30), "f_12", "θ_11")
    above, below, bar = picture.shapes
    assert (above["text"], above["sub"], below["text"], below["sub"]) == ("∂f", "12", "∂θ", "11")
    assert above["at"][1] < bar["points"][0][1] < below["at"][1]

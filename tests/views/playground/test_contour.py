"""The line of a map lies where the function has the value, and only there."""

import numpy as np

from backprop_nb.views.playground.contour import chained, contour


def grid(f, n=41):
    x, y = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n))
    return f(x, y)


def places(pieces, n=41):
    """Columns and rows as coordinates from -1 to 1."""
    return pieces * 2 / (n - 1) - 1


def test_a_straight_line_is_found_exactly():
    ends = places(contour(grid(lambda x, y: 0.3 * x - 0.7 * y), 0.11))
    np.testing.assert_allclose(0.3 * ends[..., 0] - 0.7 * ends[..., 1], 0.11, atol=1e-12)


def test_a_circle_has_its_length():
    ends = places(contour(grid(np.hypot), 0.6))
    length = np.hypot(*(ends[:, 1] - ends[:, 0]).T).sum()
    np.testing.assert_allclose(length, 2 * np.pi * 0.6, rtol=0.01)
    np.testing.assert_allclose(np.hypot(ends[..., 0], ends[..., 1]), 0.6, atol=0.002)


def test_the_pieces_of_a_closed_line_meet():
    ends = contour(grid(np.hypot), 0.61).reshape(-1, 2).round(9)
    _, count = np.unique(ends, axis=0, return_counts=True)
    assert (count == 2).all()


def test_where_nothing_is_crossed_there_is_no_line():
    assert contour(np.zeros((5, 6)), 0.5).shape == (0, 2, 2)
    assert contour(np.full((5, 6), 0.5), 0.5).shape == (0, 2, 2)
    assert contour(np.full((5, 6), np.nan), 0.5).shape == (0, 2, 2)


def test_nan_leaves_a_hole_and_no_more():
    values = grid(lambda x, y: x + 0.01)
    whole = contour(values, 0)
    values[10, 20] = np.nan
    holed = contour(values, 0)
    assert 0 < len(whole) - len(holed) <= 6


def rounded(pieces):
    whole = np.rint(100 * pieces).astype(int)
    return [tuple(tuple(end) for end in piece) for piece in whole.tolist()]


def test_a_circle_is_one_closed_line_and_two_are_two():
    pieces = rounded(contour(grid(np.hypot), 0.61))
    (line,) = chained(pieces)
    assert line[0] == line[-1]
    assert len(line) == len([p for p in pieces if p[0] != p[1]]) + 1
    two = rounded(contour(grid(lambda x, y: np.abs(np.hypot(x, y) - 0.6)), 0.2))
    assert [line[0] == line[-1] for line in chained(two)] == [True, True]


def test_an_open_line_goes_from_edge_to_edge():
    (line,) = chained(rounded(contour(grid(lambda x, y: x - 0.013), 0)))
    assert {line[0][1], line[-1][1]} == {0, 4000}


def test_no_pieces_make_no_lines():
    assert chained([]) == []

"""The network's picture: every unit and weight that is drawn says which one it is."""

import numpy as np
import pytest

from backprop_nb.views.network_picture import (
    RADIUS,
    draw_edges,
    draw_headers,
    draw_units,
    network_layout,
)
from backprop_nb.views.numbers import fit_scale
from backprop_nb.views.picture import Picture

A = [np.array([[1.0, -2.0], [0.5, 0.0], [0.1, -0.1]]), np.array([[3.0, -0.3, 0.0]])]


def by_key(picture):
    return {shape["key"]: shape for shape in picture.shapes if "key" in shape}


def test_every_weight_is_an_edge_with_its_sign_as_colour_and_dash():
    layout = network_layout((2, 3, 1))
    picture = Picture(layout.width, layout.height)
    draw_edges(picture, layout, A, fit_scale(A))
    edges = by_key(picture)
    assert len(edges) == 9
    for i, matrix in enumerate(A):
        for (j, k), weight in np.ndenumerate(matrix):
            edge = edges[f"A:{i}:{j}:{k}"]
            assert ("dash" in edge) == (weight < 0)
            assert np.sign(edge["stroke"][1]) == (np.sign(weight) or 1)
    assert edges["A:1:0:0"]["width"] == max(edge["width"] for edge in edges.values())
    assert picture.shapes[-1]["key"] == "A:1:0:0"  # the strongest lies on top


def test_every_unit_shows_its_number():
    layout = network_layout((2, 1))
    picture = Picture(layout.width, layout.height)
    values = [np.array([1.0, -0.25]), np.array([0.5])]
    draw_units(picture, layout, values, fit_scale(values))
    assert {"f:0:0", "f:0:1", "f:1:0"} == set(by_key(picture))
    texts = {shape["key"]: shape["text"] for shape in picture.shapes if shape["kind"] == "text"}
    assert texts == {"f:0:0": "1", "f:0:1": "−0.25", "f:1:0": "0.5"}  # dimmed with its circle


def test_a_wide_layer_shows_its_ends_and_says_how_many_are_left_out():
    layout = network_layout((20, 1))
    assert list(layout.units[0]) == [0, 1, 2, 3, 4, 5, 19]
    picture = Picture(layout.width, layout.height)
    draw_units(picture, layout, [np.zeros(20), np.zeros(1)], fit_scale([]))
    assert "⋮ 13 more" in [shape.get("text") for shape in picture.shapes]


def test_of_one_layer_alone_nothing_is_said_of_the_others():
    layout = network_layout((20, 20, 1))
    picture = Picture(layout.width, layout.height)
    for i in range(3):
        draw_units(
            picture, layout, [np.zeros(20), np.zeros(20), np.zeros(1)], fit_scale([]), only=[i]
        )
    assert [shape.get("text") for shape in picture.shapes].count("⋮ 13 more") == 2


@pytest.mark.parametrize("widths", [(1, 1), (4, 3, 3), (8, 8, 8, 8), (100, 2, 50)])
def test_no_two_units_touch_and_all_lie_inside(widths):
    layout = network_layout(widths, width=700)
    points = np.array([point for layer in layout.units for point in layer.values()])
    for k, point in enumerate(points):
        others = np.delete(points, k, axis=0)
        assert np.linalg.norm(others - point, axis=1).min() >= 2 * RADIUS
    assert points.min() >= RADIUS
    assert (points.max(axis=0) <= np.array([layout.width, layout.height]) - RADIUS).all()


def test_layers_and_parameters_carry_the_documents_names():
    layout = network_layout((2, 3, 1))
    picture = Picture(layout.width, layout.height)
    draw_headers(picture, layout)
    names = [(shape["text"], shape.get("sub", "")) for shape in picture.shapes]
    assert names == [("x", ""), ("f", "1"), ("f", "2"), ("θ", "0"), ("θ", "1")]


def test_one_layer_can_be_drawn_alone():
    layout = network_layout((2, 3, 1))
    picture = Picture(layout.width, layout.height)
    draw_edges(picture, layout, A, fit_scale(A), only=(1,))
    draw_units(picture, layout, [np.zeros(2), np.zeros(3), np.zeros(1)], fit_scale([]), only=(0,))
    keys = {"A:1:0:0", "A:1:0:1", "A:1:0:2", "f:0:0", "f:0:1"}
    assert set(by_key(picture)) == keys


def test_with_room_for_more_units_the_height_stays_and_few_stand_further_apart():
    few, many = (network_layout((2, n, 1), slots=6) for n in (3, 6))
    assert few.height == many.height > network_layout((2, 3, 1)).height

    def pitch(layout):
        return layout.units[1][1][1] - layout.units[1][0][1]

    assert pitch(few) > pitch(many) >= 2 * RADIUS


def test_of_a_deep_network_fewer_units_can_be_drawn():
    layout = network_layout((20, 3), shown=5)
    assert [list(units) for units in layout.units] == [[0, 1, 2, 19], [0, 1, 2]]
    picture = Picture(layout.width, layout.height)
    draw_units(picture, layout, [np.zeros(20), np.zeros(3)], fit_scale([np.ones(1)]))
    assert "⋮ 16 more" in [shape.get("text") for shape in picture.shapes]

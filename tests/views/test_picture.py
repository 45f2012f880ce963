"""A picture is plain data: what is not there is left out, and every number is short."""

import json

import numpy as np
import pytest

from backprop_nb.views.picture import Picture, at_step, heat_levels, patched, unpacked


def test_shapes_are_plain_data_in_the_order_in_which_they_were_added():
    picture = Picture(200, 100.04, "Three shapes.")
    picture.rect((0, 0, 20, 10), fill=("value", 0.12345), radius=4)
    picture.line([(0, 1 / 3), (10, 20)], stroke="edge", dash=(4, 2), key="edge:0")
    picture.circle((5, 5), 2.5, fill="card", stroke="line")
    data = picture.data()
    assert json.loads(json.dumps(data)) == data
    assert (data["width"], data["height"], data["alt"]) == (200, 100, "Three shapes.")
    assert [shape["kind"] for shape in data["shapes"]] == ["rect", "line", "circle"]
    assert data["shapes"][0] == {
        "kind": "rect",
        "box": [0, 0, 20, 10],
        "radius": 4,
        "fill": ["value", 0.123],
        "width": 1.0,
    }
    assert data["shapes"][1]["points"] == [[0, 0.3], [10, 20]]


def test_a_text_is_kept_as_it_is():
    picture = Picture(10, 10)
    picture.text((0, 0), "</script>$x$", sub="1", on=("adjoint", -1))
    (shape,) = picture.shapes
    assert (shape["text"], shape["sub"], shape["on"]) == ("</script>$x$", "1", ["adjoint", -1])


def test_a_field_is_a_text_from_which_its_bytes_come_back():
    levels = heat_levels(np.linspace(-1, 1, 12).reshape(3, 4))
    picture = Picture(10, 10)
    picture.field((0, 0, 10, 10), levels, key="map")
    (shape,) = json.loads(json.dumps(picture.shapes))
    assert (shape["kind"], shape["rows"], shape["columns"], shape["key"]) == ("field", 3, 4, "map")
    np.testing.assert_array_equal(unpacked(shape["levels"], shape["rows"]), levels)


def test_a_heat_map_is_one_shape_however_many_cells_it_has():
    picture = Picture(60, 20)
    picture.heat((0, 0, 60, 20), 3, [0.123456, 0.0, -1.0], "adjoint", texts=("1", "0", "−9"))
    (shape,) = picture.shapes
    assert shape == {
        "kind": "heat",
        "box": [0, 0, 60, 20],
        "columns": 3,
        "heats": [0.12, 0, -1],
        "family": "adjoint",
        "gap": 1.0,
        "texts": ["1", "0", "−9"],
        "size": 10.0,
    }


def test_a_picture_inside_another_is_moved_and_stays_as_it_is():
    small = Picture(20, 20)
    small.rect((1, 2, 10, 10), fill="card")
    small.line([(0, 0), (5, 5)], stroke="edge")
    small.text((3, 4), "x")
    before = json.dumps(small.data())
    large = Picture(100, 100)
    large.place(small.data(), (50, 60))
    rect, line, text = large.shapes
    assert rect["box"] == [51, 62, 10, 10]
    assert (line["points"], text["at"]) == ([[50, 60], [55, 65]], [53, 64])
    assert json.dumps(small.data()) == before


def test_shapes_come_and_go_with_the_steps_of_a_replay():
    picture = Picture(10, 10)
    picture.circle((1, 1), 1, key="always")
    with picture.during(1):
        picture.circle((1, 1), 1, key="later")
    with picture.during(0, 1):
        picture.circle((1, 1), 1, key="first")
    with pytest.raises(ZeroDivisionError), picture.during(2):
        _ = 1 / 0
    picture.circle((1, 1), 1, key="always too")
    shown = [[s["key"] for s in at_step(picture.data(), step)["shapes"]] for step in range(3)]
    assert shown == [
        ["always", "first", "always too"],
        ["always", "later", "first", "always too"],
        ["always", "later", "always too"],
    ]


def test_a_step_changes_what_it_names_and_leaves_the_picture_as_it_was():
    picture = Picture(100, 50)
    picture.line([(0, 0), (1, 1), (2, 0)], stroke="text", key="loss")
    picture.rect((0, 0, 5, 5), fill="text", key="bar")
    picture.text((0, 0), "loss")
    data = picture.data()
    line, bar, text = patched(data, {"loss": {"cut": 2}, "bar": {"box": [0, 0, 8, 5]}})["shapes"]
    assert line["points"] == [[0, 0], [1, 1]]
    assert (bar["box"], bar["fill"]) == ([0, 0, 8, 5], "text")
    assert text == data["shapes"][2]
    assert len(data["shapes"][0]["points"]) == 3

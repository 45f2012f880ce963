"""Axes: where a value lies, which numbers stand at them, and what is left out."""

import numpy as np
import pytest

from backprop_nb.views.chart import Axis, Chart, Series, legend, span
from backprop_nb.views.picture import Picture


@pytest.mark.parametrize(
    ("axis", "count", "ticks"),
    [
        (Axis("", 0, 1), 5, [0, 0.5, 1]),
        (Axis("", -1, 1), 5, [-1, -0.5, 0, 0.5, 1]),
        (Axis("", 0, 7), 5, [0, 2, 4, 6]),
        (Axis("", 3, 3), 5, [3]),
        (Axis("", 1e-6, 1, log=True), 4, [1e-6, 1e-4, 1e-2, 1]),
        (Axis("", 0.5, 20, log=True), 4, [1, 10]),
    ],
)
def test_ticks_are_round_numbers_between_the_ends(axis, count, ticks):
    np.testing.assert_allclose(axis.ticks(count), ticks, rtol=1e-12)


def test_a_narrow_plot_still_names_each_of_three_decades():
    axes = Axis("", 1e-3, 1, log=True), Axis("", 0, 1)
    chart = Chart(Picture(266, 200), (0, 0, 266, 200), "", *axes)
    np.testing.assert_allclose(chart.x_ticks, [1e-3, 1e-2, 1e-1, 1])


def test_an_axis_whose_places_are_named_otherwise_has_no_numbers_and_no_label():
    assert Axis("", 0, 8, bare=True).ticks() == []
    picture = Picture(300, 200)
    Chart(picture, (0, 0, 300, 200), "title", Axis("", 0, 8, bare=True), Axis("", 0, 1))
    texts = [shape.get("text") for shape in picture.shapes if shape["kind"] == "text"]
    assert texts == ["title", "0", "0.5", "1"]


def test_a_value_beyond_the_ends_stays_at_the_edge():
    assert Axis("", 0, 1).place(7) == 1
    assert Axis("", 1e-3, 1, log=True).place(0) == 0


def test_up_is_up():
    chart = Chart(Picture(300, 200), (0, 0, 300, 200), "", Axis("", 0, 1), Axis("", 0, 1))
    assert chart.at(0, 1)[1] < chart.at(0, 0)[1]
    assert chart.at(0, 0)[0] < chart.at(1, 0)[0]


def test_a_line_breaks_where_there_is_no_number():
    picture = Picture(300, 200)
    chart = Chart(picture, (0, 0, 300, 200), "", Axis("", 0, 4), Axis("", 0, 1))
    before = len(picture.shapes)
    chart.add(Series("", range(5), [0, 1, np.nan, 1, np.inf], "text"))
    assert [len(shape["points"]) for shape in picture.shapes[before:]] == [2, 1]


def test_nothing_of_a_chart_leaves_its_picture():
    picture = Picture(300, 200)
    chart = Chart(picture, (0, 0, 300, 200), "title", Axis("epoch", 0, 9), Axis("", 0, 1))
    chart.add(Series("a", [0, 20], [-3, 8], "text"))
    chart.rule(x=4)
    chart.rule(y=0.5)
    chart.dot(4, 0.5, "forward")
    assert {shape["kind"] for shape in picture.shapes} == {"line", "text", "circle"}
    for shape in picture.shapes:
        for x, y in shape.get("points", [shape.get("at") or shape.get("centre")]):
            assert 0 <= x <= 300
            assert 0 <= y <= 200


def test_the_legend_names_each_line_behind_a_piece_of_it():
    picture = Picture(300, 40)
    entries = [Series("σ", [], [], "forward"), Series("σ′", [], [], "backward", (5, 3))]
    end = legend(picture, (0, 10), entries)
    assert [shape["text"] for shape in picture.shapes if shape["kind"] == "text"] == ["σ", "σ′"]
    assert [shape.get("dash") for shape in picture.shapes if shape["kind"] == "line"] == [
        None,
        [5, 3],
    ]
    assert end < 300


@pytest.mark.parametrize(
    ("values", "log", "ends"),
    [
        ([], False, (0, 1)),
        ([np.nan], True, (0.1, 1)),
        ([0.0, -1.0], True, (0.1, 1)),
        ([2.0], False, (1.88, 2.12)),
        ([0.0], False, (-0.06, 0.06)),
        ([0.01], True, (0.001, 0.01)),
    ],
)
def test_an_axis_has_two_ends_whatever_there_is_to_show(values, log, ends):
    assert span(values, log=log) == pytest.approx(ends)


def test_a_band_is_shaded_behind_everything_over_the_whole_height():
    picture = Picture(300, 200)
    x, y = Axis("", 0, 4), Axis("", 0, 1)
    chart = Chart(picture, (0, 0, 300, 200), "a title", x, y, bands=[(1, 3)])
    left, top, width, height = picture.shapes[0]["box"]
    assert [left, top] == pytest.approx(chart.at(1, 1))
    assert [left + width, top + height] == pytest.approx(chart.at(3, 0))


@pytest.mark.parametrize("high", [1.5, 2.5, 3.5, 500.5])
def test_an_axis_of_whole_numbers_has_no_others(high):
    ticks = Axis("epoch", 0.5, high, whole=True).ticks()
    assert ticks
    assert all(tick == round(tick) for tick in ticks)

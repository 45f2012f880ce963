"""The playground's pictures: what is drawn is the network's, and small enough to be sent often."""

import json
from dataclasses import replace

import numpy as np
import pytest
from nonempty import nonempty
from snapshots import shapes

import backprop_nb as bp
from backprop_nb.views.chart import round_up
from backprop_nb.views.numbers import long
from backprop_nb.views.picture import unpacked
from backprop_nb.views.playground import scene as scenes
from backprop_nb.views.playground.plane_data import plane_data
from backprop_nb.views.playground.training import WatchedTraining


def trained(widths=(2, 5, 3, 1), epochs=5, *, activation="sigmoid", seed=1, learning_rate=2.0):
    net = bp.Network(widths, seed, activation=activation)
    data = plane_data("circles", seed=0)
    run = WatchedTraining(net, *data, learning_rate=learning_rate, batch_size=10, seed=seed)
    for _ in range(epochs):
        run.advance()
    return run


@pytest.fixture(scope="module")
def run():
    return trained()


@pytest.fixture(scope="module")
def stage(run):
    return scenes.Stage(run)


@pytest.fixture(scope="module")
def frame(run, stage):
    return stage.frame(run.measures[-1], run.epoch)


def heats(text, rows):
    return unpacked(text, rows) / 127.5 - 1


def test_the_map_is_the_output_at_the_middles_of_its_cells(run, stage, frame):
    shown = heats(frame["map"], scenes.CELLS) / scenes._STRONGEST
    f_K = run.net(stage.grid).reshape(scenes.CELLS, scenes.CELLS)
    np.testing.assert_allclose(shown, 2 * f_K - 1, atol=0.01)
    across, up = stage.axes
    corner = np.array([across.low, up.high])
    size = (across.high - across.low) / scenes.CELLS
    np.testing.assert_allclose(stage.grid[0], corner + np.array([size / 2, -size / 2]))


def test_a_tile_is_the_output_of_its_unit(run, stage, frame):
    f = run.net.forward(stage.grid).f
    for (i, j), tile in nonempty(zip(stage.units, frame["tiles"], strict=True)):
        shown = heats(tile, 16) / scenes._STRONGEST
        whole = f[i][:, j].reshape(scenes.CELLS, scenes.CELLS)[1::3, 1::3]
        expected = 2 * whole - 1 if i else whole / np.abs(whole).max()
        np.testing.assert_allclose(shown, expected, atol=0.01)


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
def test_a_tile_of_another_activation_has_zero_in_the_middle(activation):
    run = trained((2, 3, 1), 2, activation=activation, seed=2, learning_rate=0.1)
    stage = scenes.Stage(run)
    frame = stage.frame(run.measures[-1], run.epoch)
    f = run.net.forward(stage.grid).f[1][:, 0].reshape(scenes.CELLS, scenes.CELLS)[1::3, 1::3]
    shown = heats(frame["tiles"][stage.units.index((1, 0))], 16)
    clear = np.abs(f) > 0.05 * np.abs(f).max()
    np.testing.assert_array_equal(np.sign(shown)[clear], np.sign(f)[clear])


def test_on_the_line_the_output_is_one_half():
    run = trained((2, 6, 1), 60)
    stage = scenes.Stage(run)
    frame = stage.frame(run.measures[-1], run.epoch)
    left, top, width, height = scenes.MAP
    places = np.concatenate(scenes.along(frame["boundary"]))
    share = (places - [left, top]) / [width, height]
    across, up = stage.axes
    x = np.array([across.low, up.high]) + share * [across.high - across.low, up.low - up.high]
    np.testing.assert_allclose(run.net(x), 0.5, atol=0.02)


def test_an_edge_has_the_strength_and_the_sign_of_its_weight(run, stage, frame):
    largest = max(np.abs(A).max() for A in run.net.A)
    high = round_up(largest)
    assert high >= largest
    for (i, j, k), level in zip(stage.edges, frame["edges"], strict=True):
        assert level / scenes.LEVELS == pytest.approx(run.net.A[i][j, k] / high, abs=0.026)
    assert frame["weights"] == f"weight −{high:g} … 0 … +{high:g}"


def test_a_bar_is_as_high_as_its_norm_on_a_log_scale():
    assert [scenes._bar(norm) for norm in (0.0, 1e-9, 1e-6, 1e-3, 1.0, 50.0)] == [
        0, 0, 0, 27, 54, 54,
    ]  # fmt: skip
    assert scenes._bar(float("nan")) == 0


def test_the_texts_are_the_measures(run, frame):
    measure = run.measures[-1]
    assert (frame["loss"], frame["heldOut"]) == (long(measure.loss), long(measure.held_out))
    assert frame["accuracy"] == f"{100 * measure.accuracy:.0f} %"
    assert frame["words"] == (
        f"Epoch 5: loss {frame['loss']}, held out {frame['heldOut']}; "
        f"accuracy {frame['accuracy']}, held out {frame['heldOutAccuracy']}."
    )


def at(stage, place):
    """Where a point of the plane lies in the picture, by the corners of the map."""
    left, top, width, height = scenes.MAP
    across, up = stage.axes
    return (
        left + width * (place[0] - across.low) / (across.high - across.low),
        top + height * (up.high - place[1]) / (up.high - up.low),
    )


def test_every_point_lies_where_it_is_and_shows_its_class_by_shape(run, stage, frame):
    picture = stage.plane_picture(frame)
    marks = [s for s in picture.shapes if s["kind"] in ("circle", "rect")][1:]  # the map's frame
    x = np.vstack([run.data.x, run.held_out.x])
    y = np.vstack([run.data.y, run.held_out.y])[:, 0]
    assert len(marks) == len(x)
    for place, one, mark in zip(x, y, marks, strict=True):
        assert (mark["kind"] == "circle") == bool(one)
        if one:
            assert mark["centre"] == pytest.approx(at(stage, place), abs=0.06)
    hollow = [mark for mark in marks if mark["fill"] == "paper"]
    assert len(hollow) == len(run.held_out.x)


def test_a_frame_is_small_and_plain(frame):
    assert len(json.dumps(frame, allow_nan=False)) < 12_000


def test_every_key_of_the_scene_is_a_shape_of_its_pictures(stage):
    scene = stage.scene()
    keys = {s.get("key") for s in scene["plane"]["shapes"] + scene["network"]["shapes"]}
    layers = range(3)
    wanted = {"map", "boundary", *scene["units"], *scene["edges"], *scene["bars"]}
    wanted |= {f"norm:{i}" for i in layers} | {f"saturated:{i}" for i in layers}
    assert wanted <= keys
    assert len(scene["edgeStyles"]) == 2 * scenes.LEVELS + 1
    json.dumps(scene, allow_nan=False)


def test_a_wide_layer_shows_some_of_its_units_and_says_how_many_are_left_out():
    run = trained((2, 30, 1), 0)
    stage = scenes.Stage(run)
    frame = stage.frame(run.measures[0], 0)
    assert len(frame["tiles"]) == 2 + 7 + 1
    texts = [shape.get("text") for shape in stage.network_picture(frame).shapes]
    assert "⋮ 23 more" in texts


def test_numbers_out_of_range_leave_a_frame_that_can_be_shown():
    run = trained((2, 3, 1), 1, activation="relu", learning_rate=0.5)
    run.net.A[0][:] = np.nan
    frame = scenes.Stage(run).frame(run.measures[-1], 1)
    assert frame["boundary"] == ""
    assert set(frame["edges"][:6]) == {0}
    json.dumps(frame, allow_nan=False)


@pytest.mark.parametrize(("count", "last"), [(0, 50), (50, 50), (51, 100), (700, 1000)])
def test_the_axis_of_epochs_grows_in_leaps(run, count, last):
    curves, lines = scenes.curves(run.measures[:1] * (count + 1))
    assert curves["last"] == last
    assert len(lines) == 2 + 3 + 3
    json.dumps([curves, lines], allow_nan=False)


def test_charts_stay_the_same_while_their_axes_do_so_that_only_lines_are_sent(run):
    before, lines = scenes.curves(run.measures[:1] * 30)
    after, longer = scenes.curves(run.measures[:1] * 31)
    assert before == after
    assert all(longer[key].startswith(line) and longer[key] > line for key, line in lines.items())
    assert len(json.dumps(longer)) < 5_000


def test_a_curve_has_its_first_and_its_last_point_and_not_too_many(run):
    measures = [run.measures[k % 6] for k in range(1000)]
    curves, lines = scenes.curves(measures)
    left, width = curves["plot"]
    for picture in nonempty(scenes.curve_pictures(curves, lines, 999)):
        drawn = [s["points"] for s in picture["shapes"] if s.get("key") in lines]
        assert drawn
        for points in nonempty(drawn):
            assert 32 <= len(points) <= 66
            assert points[0][0] == left
            assert points[-1][0] == pytest.approx(left + width * 0.999, abs=0.06)


def test_a_curve_breaks_where_there_is_no_number(run):
    measures = [run.measures[0]] * 5
    measures[2] = replace(measures[2], loss=float("nan"))
    curves, lines = scenes.curves(measures)
    assert [len(line) for line in scenes.along(lines["loss: training"])] == [2, 2]
    (loss, *_) = scenes.curve_pictures(curves, lines, 4)
    drawn = [len(s["points"]) for s in loss["shapes"] if s.get("key") == "loss: training"]
    assert drawn == [2, 2]


def test_the_line_of_now_stands_at_the_epoch_that_is_shown(run):
    curves, lines = scenes.curves(run.measures[:1] * 51)
    left, width = curves["plot"]
    for shown in (0, 20, 50):
        for picture in nonempty(scenes.curve_pictures(curves, lines, shown)):
            (now,) = [s for s in picture["shapes"] if s.get("key") == "now"]
            assert now["points"][0][0] == pytest.approx(left + width * shown / 50, abs=0.06)


def test_the_text_twin_has_every_layer(run):
    lines = scenes.describe_run(run, 3).splitlines()
    assert lines[0] == "Network of widths (2, 5, 3, 1); 140 points to train on, 60 held out."
    assert lines[1].startswith("Epoch 3: loss ")
    for i, line in enumerate(lines[3:]):
        assert line.split()[:2] == [str(i + 1), long(run.measures[3].norms[i])]
    assert len(lines) == 6


def snapshot(stage, frame, curves, lines):
    """What is to be seen of a training."""
    yield from shapes(stage.network_picture(frame).data())
    yield from [line for line in shapes(stage.plane_picture(frame).data()) if "circle" not in line]
    for name, value in frame.items():
        if name in ("map", "tiles"):
            fields = [unpacked(each, 16) for each in ([value] if name == "map" else value)]
            yield f"{name}, mean heat: " + ", ".join(f"{field.mean():.0f}" for field in fields)
        elif name != "boundary":
            yield f"{name}: {value}"
    for picture in scenes.curve_pictures(curves, lines, 4):
        yield from shapes(picture)


def test_the_scene_is_what_it_was(same_as_before):
    run = trained((2, 3, 1), 4, seed=0)
    stage = scenes.Stage(run)
    frame = stage.frame(run.measures[-1], 4)
    same_as_before("scene", snapshot(stage, frame, *scenes.curves(run.measures)))

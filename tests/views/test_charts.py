"""Training as a picture: every number of the record is in it, and nothing hides another."""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.views.charts import draw_history, history_pictures
from backprop_nb.views.paper import png


def record(epochs=6, layers=2, held_out=True):
    rng = np.random.default_rng(0)
    history = bp.History((3,) * (layers + 1), learning_rate=1)
    for k in range(epochs):
        norms, shares = 10.0 ** -np.arange(layers), rng.uniform(size=layers)
        history.add(1 / (k + 1), norms / (k + 1), shares, 1.1 / (k + 1) if held_out else None)
    return history


def series(picture):
    """The lines of a chart; a rule, an axis and a piece in a legend have two or three points."""
    lines = [shape for shape in picture["shapes"] if shape["kind"] == "line"]
    return [line for line in lines if len(line["points"]) > 3]


def texts(picture):
    return [shape["text"] for shape in picture["shapes"] if shape["kind"] == "text"]


def named(picture):
    """The names of the legend, each with its subscript."""
    found = [shape for shape in picture["shapes"] if shape["kind"] == "text"]
    return [f"{each['text']}{each.get('sub', '')}" for each in found if each["size"] == 11][
        1:  # after the axis
    ]


def values(picture, line, log=False):
    """What the points of a line stand for, as a reader takes it from the numbers at the axis."""
    ticks = {
        float(shape["text"].replace("−", "-")): shape["at"][1]
        for shape in picture["shapes"]
        if shape["kind"] == "text" and shape["anchor"] == "end" and shape["size"] == 10.5
    }
    assert len(ticks) >= 2
    low, high = min(ticks), max(ticks)
    ends = np.log10([low, high]) if log else (low, high)
    y = np.array([point[1] for point in line["points"]])
    found = ends[0] + (y - ticks[low]) * (ends[1] - ends[0]) / (ticks[high] - ticks[low])
    return 10**found if log else found


def test_it_shows_every_number_of_the_record():
    history = record()
    loss, norms, saturation = history_pictures(history)
    for line, shown in nonempty(
        zip(series(loss), (history.loss, history.validation_loss), strict=True)
    ):
        np.testing.assert_allclose(values(loss, line), shown, atol=0.005)
    for line, shown in nonempty(zip(series(norms), history.gradient_norms.T, strict=True)):
        np.testing.assert_allclose(values(norms, line, log=True), shown, rtol=0.01)
    for line, shown in nonempty(zip(series(saturation), history.saturation.T, strict=True)):
        np.testing.assert_allclose(values(saturation, line), 100 * shown, atol=0.5)


def test_legends_name_every_kind_of_line():
    loss, norms, saturation = history_pictures(record())
    assert named(loss) == ["training", "held out", "lowest after 6"]
    assert named(norms) == ["θ1", "θ0"]
    assert named(saturation)[-2:] == ["layer 2", "layer 1"]


def test_without_held_out_rows_there_is_one_loss():
    assert named(history_pictures(record(held_out=False))[0]) == ["training"]


def test_of_many_layers_a_few_are_named_the_first_and_the_last_among_them():
    layers = [name for name in texts(history_pictures(record(layers=30))[2]) if "layer" in name]
    assert len(layers) == 5
    assert {"layer 1", "layer 30"} <= set(layers)


def test_neighbouring_layers_differ_in_more_than_their_colour():
    lines = series(history_pictures(record(layers=9))[2])
    assert len(lines) == 9
    assert all(a.get("dash") != b.get("dash") for a, b in itertools.pairwise(lines))


def test_its_letters_can_be_read_in_a_window_of_700_pixels():
    """JupyterLab leaves an output 540 of them, and makes what is wider smaller."""
    history = record()
    width = draw_history(history).get_size_inches()[0] * 100
    sizes = {
        each["size"] for p in history_pictures(history) for each in p["shapes"] if "text" in each
    }
    assert min(sizes) * min(540 / width, 1.1) >= 10


@pytest.mark.parametrize("epochs", [1, 2, 500])
@pytest.mark.parametrize("layers", [1, 30])
def test_nothing_is_clipped_or_hidden(epochs, layers):
    figure = draw_history(record(epochs, layers))
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    width, height = figure.get_size_inches() * figure.dpi
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    assert len(boxes) > 10
    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    assert all(0 <= box.x0 <= box.x1 <= width and 0 <= box.y0 <= box.y1 <= height for box in boxes)


@pytest.mark.parametrize("epochs", [1, 2, 3, 500])
def test_an_epoch_is_a_whole_number(epochs):
    pictures = history_pictures(record(epochs))
    assert len(pictures) == 3
    for picture in pictures:
        ticks = [
            shape["text"]
            for shape in picture["shapes"]
            if shape["kind"] == "text" and shape["anchor"] == "middle" and shape["size"] == 10.5
        ]
        assert ticks
        assert all(tick.isdecimal() for tick in ticks)


def test_one_epoch_alone_is_a_dot():
    for picture in nonempty(history_pictures(record(epochs=1, layers=1, held_out=False))):
        (dot,) = [shape for shape in picture["shapes"] if shape["kind"] == "circle"]
        assert dot["radius"] == 3


def test_a_loss_of_zero_and_gradients_of_zero_can_be_drawn():
    history = bp.History((1, 1), learning_rate=1)
    history.add(0.0, np.zeros(1), np.zeros(1))
    assert png(draw_history(history)).startswith(b"\x89PNG")


def test_a_history_shows_itself_with_its_text_twin_and_its_alt_text():
    data, metadata = record()._repr_mimebundle_()
    assert data["text/plain"] == record().describe()
    assert data["image/png"].startswith(b"\x89PNG")
    alt = "Training over 6 epochs: the loss goes from 1 to 0.167."
    assert metadata["image/png"]["alt"] == alt


@pytest.mark.parametrize("epochs", [7, 30, 62, 70, 99, 149])
def test_no_axis_of_epochs_has_but_one_number(epochs):
    for picture in nonempty(history_pictures(record(epochs))):
        texts = [shape for shape in picture["shapes"] if shape["kind"] == "text"]
        [below] = [each["at"][1] - 15 for each in texts if each["text"] == "epoch"]
        assert sum(each["at"][1] == below for each in texts) >= 2

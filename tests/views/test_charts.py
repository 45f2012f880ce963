"""Training as a picture: every number of the record is in it, and nothing hides another."""

import io
import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread

import backprop_nb as bp
from backprop_nb.errors import InvalidValueError
from backprop_nb.views.charts import draw_history
from backprop_nb.views.palette import DARK, LIGHT
from backprop_nb.views.paper import png


def record(epochs=6, layers=2, held_out=True):
    rng = np.random.default_rng(0)
    history = bp.History((3,) * (layers + 1), learning_rate=1)
    for k in range(epochs):
        norms, shares = 10.0 ** -np.arange(layers), rng.uniform(size=layers)
        history.add(1 / (k + 1), norms / (k + 1), shares, 1.1 / (k + 1) if held_out else None)
    return history


def lines(axes):
    """Return the curves of a panel, without the line that marks the best epoch."""
    return [line for line in axes.get_lines() if not line.get_label().startswith("lowest")]


def curves(axes):
    return [np.asarray(line.get_ydata()).tolist() for line in lines(axes)]


def test_it_shows_every_number_of_the_record():
    history = record()
    loss, norms, saturation = draw_history(history).axes
    assert curves(loss) == [history.loss.tolist(), history.validation_loss.tolist()]
    assert curves(norms) == history.gradient_norms.T.tolist()
    assert curves(saturation) == history.saturation.T.tolist()


def test_legends_name_every_kind_of_line():
    named = [
        [text.get_text() for text in axes.get_legend().get_texts()]
        for axes in draw_history(record()).axes
    ]
    assert sorted(named[0]) == ["held out", "lowest after 6", "training"]
    assert named[1:] == [["$θ_{1}$", "$θ_{0}$"], ["layer 2", "layer 1"]]


def test_of_many_layers_a_few_are_named_the_first_and_the_last_among_them():
    figure = draw_history(record(layers=30))
    named = [text.get_text() for text in figure.axes[2].get_legend().get_texts()]
    assert len(named) == 5
    assert {"layer 1", "layer 30"} <= set(named)


def test_neighbouring_layers_differ_in_more_than_their_colour():
    patterns = [line._dash_pattern for line in lines(draw_history(record(layers=9)).axes[2])]
    assert len(patterns) == 9
    assert all(a != b for a, b in itertools.pairwise(patterns))


@pytest.mark.parametrize("epochs", [1, 2, 500])
@pytest.mark.parametrize("layers", [1, 30])
def test_nothing_is_clipped_or_hidden(epochs, layers):
    figure = draw_history(record(epochs, layers))
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    width, height = figure.get_size_inches() * figure.dpi
    boxes = [axes.get_window_extent() for axes in figure.axes]
    for axes in figure.axes[1:]:
        legend = axes.get_legend().get_window_extent(renderer)
        assert not any(legend.overlaps(box) for box in boxes)
        assert 0 <= legend.x0 <= legend.x1 <= width
        assert 0 <= legend.y0 <= legend.y1 <= height
    for axes in figure.axes:
        low, high = axes.get_ylim()
        drawn = np.concatenate(curves(axes))
        assert low <= drawn.min() <= drawn.max() <= high
        assert all(tick == round(tick) for tick in axes.get_xticks())


def test_a_loss_of_zero_and_gradients_of_zero_can_be_drawn():
    history = bp.History((1, 1), learning_rate=1)
    history.add(0.0, np.zeros(1), np.zeros(1))
    assert png(draw_history(history)).startswith(b"\x89PNG")


@pytest.mark.parametrize(("theme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_the_paper_is_the_themes(theme, palette):
    corner = imread(io.BytesIO(png(draw_history(record(), theme=theme))))[0, 0, :3]
    expected = [int(palette["paper"][i : i + 2], 16) / 255 for i in (1, 3, 5)]
    np.testing.assert_allclose(corner, expected, atol=0.01)


def test_an_unknown_theme_is_refused():
    with pytest.raises(InvalidValueError, match="There is no such theme"):
        draw_history(record(), theme="sepia")


def test_a_history_shows_itself_with_its_text_twin_and_its_alt_text():
    data, metadata = record()._repr_mimebundle_()
    assert data["text/plain"] == record().describe()
    assert data["image/png"].startswith(b"\x89PNG")
    alt = "Training over 6 epochs: the loss goes from 1 to 0.167."
    assert metadata["image/png"]["alt"] == alt

"""The static figure shows the same picture, and says in words what it shows."""

import io
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.image import imread
from snapshots import drawn

import backprop_nb as bp
from backprop_nb.views.palette import LIGHT
from backprop_nb.views.paper import png


def f(x):
    u = x**2
    return u * np.exp(u)


@pytest.fixture
def graph():
    return bp.trace(f, np.float64(0.5))


def pixels(figure):
    return imread(io.BytesIO(png(figure)))


def test_every_node_is_named_and_a_legend_is_there(graph):
    shown = drawn(graph.draw())
    assert {"$x$", "$u$", "$f$"} <= set(shown)
    assert any(text.startswith("value ") for text in shown)
    assert any(text.startswith("adjoint ") for text in shown)


def _named_at_length(weights_of_the_only_layer, p_line_break, ŵ):
    difference_to_the_target_of_this_input = np.maximum(weights_of_the_only_layer - p_line_break, 0)
    return difference_to_the_target_of_this_input * ŵ * schicht(p_line_break)


def schicht(größe_der_schicht):
    return größe_der_schicht + 1


def test_no_text_reaches_over_another_or_over_its_card():
    figure = bp.trace(_named_at_length, 0.5, 0.25, 2.0).draw()
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer).padded(-1) for text in figure.axes[0].texts]
    assert len(boxes) > 20
    assert all(one.x0 > 0 for one in boxes)
    assert not [
        (one, other) for k, one in enumerate(boxes) for other in boxes[:k] if one.overlaps(other)
    ]


def test_the_numbers_are_those_of_the_graph(graph):
    shown = drawn(graph.draw())
    assert "0.5" in shown
    assert "0.25" in shown
    assert "1.61" in shown  # d f / d x = 2 x (1 + u) exp(u)


def test_a_step_shows_only_what_is_known_by_then(graph):
    at_start, at_end = drawn(graph.draw(step=0)), drawn(graph.draw())
    assert "0.25" not in at_start
    assert len(at_start) < len(at_end)


def test_how_large_adjoints_get_is_not_told_before_the_way_back(graph):
    told = [any("adjoint" in each for each in drawn(graph.draw(step=k))) for k in range(8)]
    assert told == [False] * 4 + [True] * 4


def test_nothing_is_clipped(graph):
    image = pixels(graph.draw())[..., :3]
    for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert np.ptp(edge) == 0


def test_the_same_graph_gives_the_same_bytes(graph):
    assert png(graph.draw()) == png(graph.draw())


def test_a_dollar_sign_in_a_name_is_a_dollar_sign():
    graph = bp.trace(lambda p: p["$x$"] * 2.0, {"$x$": 1.0})
    assert pixels(graph.draw()).size


def test_an_unknown_step_is_refused(graph):
    for step in (99, 1.5, "last"):
        with pytest.raises(
            bp.InvalidValueError, match="`step` must be an integer from 0 to 7"
        ) as caught:
            graph.draw(step=step)
        assert caught.value.given == f"step = {step!r}"


def test_drawing_leaves_no_figure_open_in_pyplot(graph):
    from matplotlib import pyplot

    graph.draw()
    assert pyplot.get_fignums() == []


def chain(x):
    for _ in range(200):
        x = x * 1.01
    return x


def test_a_long_chain_goes_on_in_lines_with_every_card_and_its_name_once():
    figure = bp.trace(chain, 1.0).draw(folded=[])
    width, height = 100 * figure.get_size_inches()
    assert width < 1750
    assert height > 1500
    shown = drawn(figure)
    assert [each for each in shown if each.startswith("$x")] == ["$x$"] + [
        f"$x_{{{k}}}$" for k in range(1, 201)
    ]
    assert sum("gradient has passed" in each for each in shown) == 1
    rows = [each.get_position()[1] for each in figure.axes[0].texts if each.get_text()[:2] == "$x"]
    assert rows == sorted(rows)
    assert len(set(rows)) > 15
    renderer = FigureCanvasAgg(figure).get_renderer()  # else each text makes one, of 12 MB
    for text in figure.axes[0].texts:
        box = text.get_window_extent(renderer)
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height


@pytest.mark.parametrize("rounds", [5, 20, 30, 40, 45, 46, 47, 48])
def test_a_chain_of_any_length_can_be_read_on_a_screen(rounds):
    def some(x):
        for _ in range(rounds):
            x = x * 1.01
        return x

    figure = bp.trace(some, 1.0).draw(folded=[])
    assert f"$x_{{{rounds}}}$" in drawn(figure)
    size = min(text.get_fontsize() for text in figure.axes[0].texts) * 100 / 72
    assert size * min(1, 1920 / (100 * figure.get_figwidth())) > 5  # pixels


def windows(figure):
    """Where the shapes of a figure may be seen, from top to bottom, without the whole."""
    boxes = {tuple(np.round(p.get_clip_box().bounds, 3)) for p in figure.axes[0].patches}
    return sorted(boxes - {tuple(np.round(figure.bbox.bounds, 3))}, key=lambda box: -box[1])


def test_an_edge_ends_at_the_border_of_its_line_and_goes_on_in_the_next():
    lines = windows(bp.trace(chain, 1.0).draw(folded=[]))
    assert len(lines) > 15
    assert all(above[1] >= below[1] + below[3] - 0.01 for above, below in pairwise(lines))
    assert windows(bp.trace(lambda x: x * 2.0, 1.0).draw()) == []


def test_what_needs_too_many_lines_is_drawn_smaller_without_texts_too_small_to_read(monkeypatch):
    monkeypatch.setattr("backprop_nb.views.explorer.figure._MOST_LINES", 2)
    figure = bp.trace(chain, 1.0).draw(folded=[])
    assert figure.get_figwidth() < 30.01
    assert drawn(figure) == []


def test_a_mark_is_drawn_with_its_node_and_explained_in_the_legend(graph):
    assert "kink" not in drawn(graph.draw())
    marked = bp.trace(lambda x: np.abs(x) + 1.0, 0.0)
    before, after = marked.draw(step=0), marked.draw(step=1)
    assert "kink" in drawn(before)
    # One badge in the legend, and one more on the card once its value is known.
    plates = [count_of(figure, LIGHT["note"]) for figure in (before, after)]
    assert plates == [1, 2]


def count_of(figure, colour):
    """How many shapes of a figure are filled with a colour."""
    return sum(to_hex(patch.get_facecolor()) == colour for patch in figure.axes[0].patches)


def test_an_array_without_entries_is_a_card_without_cells():
    graph = bp.trace(lambda x: np.sum(x[x < 0]) + np.sum(x), np.ones(3))
    assert "$x$" in drawn(graph.draw())
    assert graph.explore().static_figure().axes


def test_a_figure_says_how_much_is_folded_away_and_how_to_see_it():
    def square(x):
        return x**2 + 1.0

    graph = bp.trace(lambda x: square(square(x)), 3.0)
    shown = drawn(graph.draw(folded=["square 1"]))
    assert [text for text in shown if "folded away" in text] == [
        "2 of 5 nodes are folded away: graph.explore() opens them, "
        "graph.draw(folded=[…]) folds only what it names."
    ]
    assert not any("folded away" in text.get_text() for text in graph.draw().axes[0].texts)

"""The static figure shows the same picture, and says in words what it shows."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.image import imread

import backprop_nb as bp
from backprop_nb.views.palette import DARK, LIGHT
from backprop_nb.views.paper import png


def f(x):
    u = x**2
    return u * np.exp(u)


@pytest.fixture
def graph():
    return bp.trace(f, np.float64(0.5))


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def pixels(figure):
    return imread(io.BytesIO(png(figure)))


def test_every_node_is_named_and_a_legend_is_there(graph):
    shown = texts(graph.draw())
    assert {"$x$", "$u$", "$f$"} <= set(shown)
    assert any(text.startswith("value ") for text in shown)
    assert any(text.startswith("adjoint ") for text in shown)


def test_the_numbers_are_those_of_the_graph(graph):
    shown = texts(graph.draw())
    assert "0.5" in shown
    assert "0.25" in shown
    assert "1.61" in shown  # d f / d x = 2 x (1 + u) exp(u)


def test_a_step_shows_only_what_is_known_by_then(graph):
    at_start, at_end = texts(graph.draw(step=0)), texts(graph.draw())
    assert "0.25" not in at_start
    assert len(at_start) < len(at_end)


def test_how_large_adjoints_get_is_not_told_before_the_way_back(graph):
    told = [any("adjoint" in each for each in texts(graph.draw(step=k))) for k in range(8)]
    assert told == [False] * 4 + [True] * 4


@pytest.mark.parametrize(("theme", "palette"), [("light", LIGHT), ("dark", DARK)])
def test_the_paper_is_the_themes(graph, theme, palette):
    corner = pixels(graph.draw(theme=theme))[0, 0, :3]
    expected = [int(palette["paper"][i : i + 2], 16) / 255 for i in (1, 3, 5)]
    np.testing.assert_allclose(corner, expected, atol=0.01)


def test_nothing_is_clipped(graph):
    image = pixels(graph.draw())[..., :3]
    for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert np.ptp(edge) == 0


def test_the_same_graph_gives_the_same_bytes(graph):
    assert png(graph.draw()) == png(graph.draw())


def test_a_figure_shows_itself_with_its_alt_text(graph):
    data, metadata = graph.draw()._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == metadata["image/png"]["alt"] == graph.draw().alt
    assert "Computation graph of f" in graph.draw().alt


def test_a_dollar_sign_in_a_name_is_a_dollar_sign():
    graph = bp.trace(lambda p: p["$x$"] * 2.0, {"$x$": 1.0})
    assert pixels(graph.draw()).size


def test_an_unknown_step_or_theme_is_refused(graph):
    with pytest.raises(
        bp.InvalidValueError, match="`step` must be an integer from 0 to 7"
    ) as caught:
        graph.draw(step=99)
    assert caught.value.given == "step = 99"
    with pytest.raises(ValueError, match="`theme` must be"):
        graph.draw(theme="blue")


def test_drawing_leaves_no_figure_open_in_pyplot(graph):
    from matplotlib import pyplot

    graph.draw()
    assert pyplot.get_fignums() == []


def test_a_long_chain_is_drawn_smaller_and_without_texts_too_small_to_read():
    def chain(x):
        for _ in range(200):
            x = x * 1.01
        return x

    figure = bp.trace(chain, 1.0).draw(folded=[])
    assert figure.get_figwidth() <= 30
    assert texts(figure) == []


def test_a_mark_is_drawn_with_its_node_and_explained_in_the_legend(graph):
    assert "kink" not in texts(graph.draw())
    marked = bp.trace(lambda x: np.abs(x) + 1.0, 0.0)
    before, after = marked.draw(step=0), marked.draw(step=1)
    assert "kink" in texts(before)
    # One badge in the legend, and one more on the card once its value is known.
    plates = [count_of(figure, LIGHT["note"]) for figure in (before, after)]
    assert plates == [1, 2]


def count_of(figure, colour):
    """How many shapes of a figure are filled with a colour."""
    return sum(to_hex(patch.get_facecolor()) == colour for patch in figure.axes[0].patches)


def test_an_array_without_entries_is_a_card_without_cells():
    graph = bp.trace(lambda x: np.sum(x[x < 0]) + np.sum(x), np.ones(3))
    assert "$x$" in texts(graph.draw())
    assert graph.explore().static_figure().axes


def test_a_figure_says_how_much_is_folded_away_and_how_to_see_it():
    def square(x):
        return x**2 + 1.0

    graph = bp.trace(lambda x: square(square(x)), 3.0)
    shown = [text.get_text() for text in graph.draw(folded=["square 1"]).axes[0].texts]
    assert [text for text in shown if "folded away" in text] == [
        "2 of 5 nodes are folded away: graph.explore() opens them, "
        "graph.draw(folded=[…]) folds only what it names."
    ]
    assert not any("folded away" in text.get_text() for text in graph.draw().axes[0].texts)

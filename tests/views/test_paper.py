"""Pictures on paper: the same shapes, colours and texts as in the browser."""

import base64
import io
import re
import warnings

import matplotlib.colors as colors
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from IPython.core.pylabtools import select_figure_formats
from matplotlib_inline.config import InlineBackend
from PIL import Image
from snapshots import drawn
from traitlets.config import Config

import backprop_nb as bp
from backprop_nb.views import paper
from backprop_nb.views.palette import THEMES, diverging, ink
from backprop_nb.views.paper import compact, draw_pictures, few_colours, png
from backprop_nb.views.picture import Picture, heat_levels


def some_picture():
    picture = Picture(200, 100)
    picture.rect((0, 0, 40, 20), fill=("adjoint", -0.5), radius=4)
    picture.line([(0, 0), (50, 50)], stroke="edge", width=2, dash=(4, 2))
    picture.circle((100, 50), 10, fill="card")
    picture.text((100, 50), "f", sub="1", italic=True, anchor="middle", size=20)
    picture.text((10, 80), r"100 $ \x", fill="muted")
    return picture.data()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_shapes_have_the_colours_of_the_theme(theme):
    figure = draw_pictures([[some_picture()]], alt="Some shapes.", theme=theme)
    colours = THEMES[theme]
    rect, line, circle = figure.axes[0].patches
    assert colors.to_hex(rect.get_facecolor()) == diverging(colours, "adjoint", -0.5)
    assert colors.to_hex(line.get_edgecolor()) == colours["edge"]
    assert colors.to_hex(circle.get_facecolor()) == colours["card"]
    assert colors.to_hex(figure.get_facecolor()) == colours["paper"]


def test_symbols_are_formulas_and_texts_are_texts():
    figure = draw_pictures([[some_picture()]], alt="")
    assert drawn(figure) == ["$f_{1}$", r"100 \$ \x"]
    png(figure)  # a text that is no formula must not be read as one


def test_a_text_may_be_empty_as_in_the_browser():
    picture = Picture(20, 20)
    picture.text((0, 0), "")  # such as the name of what has none
    figure = draw_pictures([[picture.data()]], alt="")
    assert drawn(figure) == [""]


def test_pictures_stand_beside_and_below_each_other():
    figure = draw_pictures([[some_picture(), some_picture()], [some_picture()]], alt="")
    first, second, third = [
        patch.get_center() for patch in figure.axes[0].patches if hasattr(patch, "get_radius")
    ]
    assert first[1] == second[1] < third[1]
    assert first[0] == third[0] < second[0]
    width, height = figure.get_size_inches() * 100
    assert (round(width), round(height)) == (2 * 200 + 12 + 24, 2 * 100 + 12 + 24)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_field_has_the_colours_of_its_heats_and_its_first_row_on_top(theme):
    picture = Picture(100, 100)
    picture.field((10, 20, 40, 60), heat_levels(np.array([[-1.0, 1.0], [0.0, 0.0]])))
    (image,) = draw_pictures([[picture.data()]], alt="", theme=theme).axes[0].get_images()
    shown = [[colors.to_hex(cell) for cell in row] for row in image.to_rgba(image.get_array())]
    palette = THEMES[theme]
    assert shown[0] == [palette["value-negative"], palette["value-positive"]]
    assert shown[1] == [palette["value-zero"]] * 2
    assert image.get_extent() == (22, 62, 92, 32)  # left, right, bottom, top, with the margin


def trained():
    net = bp.SigmoidNetwork((1, 2, 1), seed=0)
    return net.fit([[0], [1]], [[1], [0]], epochs=2, seed=0, progress=False)


DRAWN = {
    "pictures": lambda **theme: draw_pictures([[some_picture()]], alt="", **theme),
    "a graph": lambda **theme: bp.trace(lambda x: x**2, 3.0).draw(**theme),
    "a training": lambda **theme: trained().draw(**theme),
}


@pytest.mark.parametrize("name", DRAWN)
def test_the_paper_is_that_of_a_theme_that_there_is(name):
    for theme in ("light", "dark"):
        with Image.open(io.BytesIO(png(DRAWN[name](theme=theme)))) as image:
            corner = np.array(image.convert("RGB").getpixel((0, 0)))
        np.testing.assert_allclose(corner / 255, colors.to_rgb(THEMES[theme]["paper"]), atol=0.01)
    with pytest.raises(bp.InvalidValueError, match="`theme` must be"):
        DRAWN[name](theme="blue")


def test_each_cell_of_a_heat_map_has_its_colour_and_a_number_that_can_be_read():
    picture = Picture(40, 20)
    picture.heat((0, 0, 40, 20), 2, [1.0, 0.0], "value", texts=("9", "0"), gap=2)
    axes = draw_pictures([[picture.data()]], alt="").axes[0]
    (cells,) = axes.collections
    theme = THEMES["light"]
    shown = [colors.to_hex(colour) for colour in cells.get_facecolor()]
    assert shown == [theme["value-positive"], theme["value-zero"]]
    first, second = (path.get_extents() for path in cells.get_paths())
    assert (first.width, second.x0 - first.x1) == (18, 2)
    assert [(text.get_text(), text.get_color()) for text in axes.texts] == [
        ("9", ink(theme["value-positive"])),
        ("0", ink(theme["value-zero"])),
    ]


# --- in a notebook --------------------------------------------------------------


class Shell:
    """Stands for IPython, with its own way to show objects, and what it was told."""

    def __init__(self):
        self.display_formatter = DisplayFormatter()
        self.config = Config()


@pytest.fixture
def shown(monkeypatch):
    """What a notebook stores of a drawing where ``%config InlineBackend`` asks for a format.

    Before the first figure of pyplot IPython only notes it, then it has printers for figures.
    """
    monkeypatch.setattr(paper, "get_ipython", lambda: shell)
    shell = Shell()

    def show(figure_format, noted=False):
        shell.config.InlineBackend.figure_format = figure_format
        if not noted:
            with warnings.catch_warnings(action="ignore"):  # it is declared in an old way
                backend = InlineBackend.instance()
                backend.figure_formats = {figure_format}
            select_figure_formats(shell, backend.figure_formats, **backend.print_figure_kwargs)
        drawing = draw_pictures([[some_picture()]], alt='"Some" shapes & <texts>.')
        return shell.display_formatter.format(drawing)

    yield show
    InlineBackend.clear_instance()


def image_in(text):
    """Return the attributes of the image that a text in HTML is."""
    return dict(re.findall(r'(\w+)="([^"]*)"', text))


ALT = "&quot;Some&quot; shapes &amp; &lt;texts&gt;."


@pytest.mark.parametrize("figure_format", ["png", "retina", "svg", "jpeg", "pdf"])
def test_its_words_go_with_it_in_whatever_format(shown, figure_format):
    data, metadata = shown(figure_format)
    assert image_in(data["text/html"])["alt"] == ALT
    assert metadata["image/png"]["alt"] == data["text/plain"] == '"Some" shapes & <texts>.'
    assert shown(figure_format) == (data, metadata)  # the same every time


@pytest.mark.parametrize("figure_format", ["png", "retina", "svg"])
def test_a_format_counts_before_the_first_figure_of_pyplot(shown, figure_format):
    before = shown(figure_format, noted=True)
    assert before == shown(figure_format)


def test_a_sharp_picture_has_twice_the_points_on_the_same_space(shown):
    (plain, _), (sharp, metadata) = shown("png"), shown("retina")
    sizes = [Image.open(io.BytesIO(data["image/png"])).size for data in (plain, sharp)]
    size = {"width": sizes[0][0], "height": sizes[0][1]}
    assert sizes[1] == (2 * size["width"], 2 * size["height"])
    assert metadata["image/png"].items() >= size.items()
    assert image_in(sharp["text/html"])["width"] == str(size["width"])
    assert "width" not in image_in(plain["text/html"])


def test_a_picture_of_lines_is_asked_for_and_stored(shown):
    data, _ = shown("svg")
    kind, _, encoded = image_in(data["text/html"])["src"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(encoded).decode() == data["image/svg+xml"]
    assert "<path" in data["image/svg+xml"]
    assert "<text" in data["image/svg+xml"]
    assert "image/svg+xml" not in shown("png")[0]


def test_what_has_few_colours_keeps_its_bytes(shown):
    picture = shown("png")[0]["image/png"]
    assert compact(picture) == picture


def test_a_large_area_keeps_its_colour_and_a_rare_one_is_still_seen():
    points = np.random.default_rng(0).integers(150, 256, (100, 100, 3), dtype=np.uint8)
    points[:40], points[50, 50] = (251, 250, 253), (255, 0, 0)
    few = np.asarray(few_colours(Image.fromarray(points)).convert("RGB")).astype(int)
    assert len(np.unique(few.reshape(-1, 3), axis=0)) <= 256
    assert np.all(few[:40] == (251, 250, 253))
    assert np.abs(few[50, 50] - (255, 0, 0)).max() < 40
    assert np.abs(few - points).max() < 40


def test_marimo_is_given_the_words_too():
    kind, text = draw_pictures([[some_picture()]], alt='"Some" shapes & <texts>.')._mime_()
    assert kind == "text/html"
    assert image_in(text)["alt"] == ALT


@pytest.mark.parametrize(("theme", "turned"), [("light", True), ("dark", False)])
def test_of_the_light_theme_alone_it_is_dark_where_a_notebook_is(theme, turned):
    data, _ = draw_pictures([[some_picture()]], alt="A.", theme=theme)._repr_mimebundle_()
    assert ("data-jp-theme-light" in data["text/html"]) is turned

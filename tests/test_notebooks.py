"""What every committed notebook owes its readers, and the tests that compare it."""

import base64
import importlib.util
import io
import re
import sys
from html import unescape
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter, SlidesExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nonempty import nonempty
from PIL import Image

from backprop_nb.display import WIDTH
from backprop_nb.views.paper import as_html

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
NOTEBOOKS = [*LESSONS, *sorted(FOLDER.glob("assignment/*.ipynb"))]

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
NOT_COMPARED = re.compile(r"^\s*#\s*(NBVAL_IGNORE_OUTPUT|NBVAL_SKIP)\s*$", re.MULTILINE)
NOT_COMPARED_TAGS = {"nbval-ignore-output", "nbval-skip"}
NOT_COMPARED_AT_MOST = 0.15

# Absolute folders of Unix, macOS and Windows, and the kernel's own files.
MACHINE_PATH = re.compile(
    r"(?<![\w.~/:<])/(home|root|tmp|usr|opt|var|mnt|private|Users)/|\b[A-Z]:\\\w|ipykernel_\d"
)
OUR_PATHS = [str(ROOT), sys.prefix, str(Path.home())]

MARKDOWN_IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(|<img\b(?P<attributes>[^>]*)>")
ALT_ATTRIBUTE = re.compile(r"""\balt\s*=\s*(["'])\s*(?!\1)\S""")
PRINTED = re.compile(r"<pre[^>]*>(.*?)</pre>", re.DOTALL)
SWALLOWED = re.compile(r"</details>\n(?=[^\n<])(.*)")


# --- the rules: each yields what is wrong with a notebook ----------------------


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def not_run_once_in_order(notebook):
    """Without a count, nbval compares nothing: a stripped notebook passes with any outputs."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}"


def live_widgets(notebook):
    """A reopened notebook would show "model not found" in place of the figure."""
    if "widgets" in notebook.metadata:
        yield "the notebook's metadata holds widget state"
    for output in outputs(notebook):
        if WIDGET_VIEW in output.get("data", {}):
            yield "an output holds a widget's view"


def stderr(notebook):
    for output in outputs(notebook):
        if output.get("name") == "stderr":
            yield output.text


def too_much_uncompared(notebook):
    cells = code_cells(notebook)
    ignored = [
        cell
        for cell in cells
        if NOT_COMPARED.search(cell.source)
        or NOT_COMPARED_TAGS & set(cell.metadata.get("tags", []))
    ]
    if len(ignored) >= NOT_COMPARED_AT_MOST * max(len(cells), 1) and ignored:
        yield f"nbval ignores {len(ignored)} of {len(cells)} cells"


def images_without_alt_text(notebook):
    """A picture that comes out has a form in HTML, the only one whose words anybody hands on."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield from markdown_images_without_alt_text(cell)
            continue
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            in_html = re.findall(r"<img\b[^>]*>", data.get("text/html", ""))
            for mime in data:
                if mime.startswith("image/") and not in_html:
                    yield f"{mime} of cell [{cell.execution_count}] has no form in HTML"
            for image in in_html:
                if not ALT_ATTRIBUTE.search(image):
                    yield f"the image of cell [{cell.execution_count}] has no alt text"


def markdown_images_without_alt_text(cell):
    for image in MARKDOWN_IMAGE.finditer(cell.source):
        described = image["alt"] or ALT_ATTRIBUTE.search(image["attributes"] or "")
        if not described:
            yield f"{image[0]} has no alt text"


def machine_paths(notebook):
    """Yield the paths that only one machine has, wherever in the texts they stand."""
    texts = [cell.source for cell in notebook.cells]
    for output in outputs(notebook):
        texts += [output.get("text", ""), *output.get("traceback", [])]
        texts += [
            str(value)
            for mime, value in output.get("data", {}).items()
            if mime not in {"image/png", "image/jpeg"}
        ]
    for text in texts:
        if MACHINE_PATH.search(text) or any(path in text for path in OUR_PATHS):
            yield text


def swallowed_markdown(notebook):
    """HTML ends at an empty line; what follows before one is shown as it is written."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield from SWALLOWED.findall(cell.source)


def long_lines(notebook):
    """A cell cuts them, or breaks them in the middle of a number."""
    # The sentence of an error is one line, as logs and tests read it.
    cells = [cell for cell in code_cells(notebook) if "print(error)" not in cell.source]
    for output in (output for cell in cells for output in cell.outputs):
        data = output.get("data", {"text/plain": output.get("text", "")})
        twins = [unescape(each) for each in PRINTED.findall(data.get("text/html", ""))]
        for text in [data.get("text/plain", ""), *twins]:
            yield from (line for line in text.splitlines() if len(line) > WIDTH)


def no_licence(notebook):
    said = " ".join(cell.source for cell in (notebook.cells[:1] + notebook.cells[-1:]))
    if "CC BY 4.0" not in said and notebook.metadata.get("license") != "CC-BY-4.0":
        yield "neither the first cell, nor the last, nor metadata.license names CC BY 4.0"


RULES = [
    not_run_once_in_order,
    live_widgets,
    stderr,
    too_much_uncompared,
    images_without_alt_text,
    machine_paths,
    swallowed_markdown,
    long_lines,
    no_licence,
]


@pytest.fixture(scope="module")
def execute():
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path):
    return nbformat.read(path, as_version=4)


# --- the committed notebooks --------------------------------------------------


def test_there_is_a_first_notebook():
    assert FOLDER / "00_start_here.ipynb" in NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_notebook_keeps_the_rule(path, rule):
    notebook = nbformat.read(path, as_version=4)
    assert list(rule(notebook)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_valid(path):
    nbformat.validate(nbformat.read(path, as_version=nbformat.NO_CONVERT))


# --- the lessons, handed on by nbconvert ----------------------------------------


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_picture_has_its_words_on_a_page(path):
    page, _ = HTMLExporter().from_filename(path)
    images = re.findall(r"<img\b[^>]*>", page)
    assert "No description has been provided for this image" not in page
    assert all(ALT_ATTRIBUTE.search(image) for image in images)
    stored = re.findall(r'alt="([^"]*)"', "".join(map(html_of, outputs(read(path)))))
    assert [unescape(alt) for alt in re.findall(r'alt="([^"]*)"', "".join(images))] == [
        unescape(alt) for alt in stored
    ]


def html_of(output):
    return output.get("data", {}).get("text/html", "")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_slides_are_those_of_the_lesson_as_it_is(execute, path):
    lesson, anew = read(path), read(path)
    execute.set_slides(anew)
    assert anew == lesson


def test_a_lesson_becomes_slides(execute):
    page, _ = SlidesExporter().from_filename(FOLDER / "00_start_here.ipynb")
    # A stack of slides stands in a section, each in one of its own.
    stacks = re.split(r"<section>\s*<section>", page)[1:]
    headings = [re.findall(r"<h[12][^>]*>([^<]+)", stack) for stack in stacks]
    assert [len(each) for each in headings] == [1] * len(nonempty(headings))
    slides = [slide for stack in stacks for slide in stack.split("</section>")[:-2]]
    assert max(slide.count("<img") for slide in nonempty(slides)) == 1
    assert "Try it yourself" not in page  # that is for the notebook


# --- the rules themselves: each must be able to fail --------------------------


def shown(data, **metadata):
    return new_output("display_data", data=data, metadata=metadata)


def ran(source="1", *outputs, count=1, **metadata):
    return new_code_cell(source, execution_count=count, outputs=list(outputs), metadata=metadata)


GOOD = [
    ran("print(1)", new_output("stream", text="1\n")),
    ran("plot()", shown({"image/png": "", "text/html": "<img src='' alt='A line'>"}), count=2),
    new_markdown_cell("![A cat](cat.png) <img src='a.png' alt='A dog'> CC BY 4.0, not ~/tmp/x"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_notebook_breaks_no_rule(rule):
    assert list(rule(new_notebook(cells=GOOD))) == []


@pytest.mark.parametrize(
    ("rule", "cells"),
    [
        (not_run_once_in_order, [ran(count=None)]),
        (not_run_once_in_order, [ran(count=2)]),
        (live_widgets, [ran("w", shown({WIDGET_VIEW: {}}))]),
        (stderr, [ran("w", new_output("stream", name="stderr", text="oh"))]),
        (too_much_uncompared, [ran("# NBVAL_IGNORE_OUTPUT\n1")]),
        (too_much_uncompared, [ran(tags=["nbval-skip"])]),
        (images_without_alt_text, [ran("p", shown({"image/png": ""}))]),
        (
            images_without_alt_text,
            [ran("p", shown({"image/svg+xml": "", "text/html": "<b>a</b>"}))],
        ),
        (images_without_alt_text, [ran("p", shown({"text/html": "<img src='' alt=''>"}))]),
        (images_without_alt_text, [new_markdown_cell("![](cat.png)")]),
        (images_without_alt_text, [new_markdown_cell("<img src='cat.png' alt=''>")]),
        (machine_paths, [ran("p", new_output("stream", text=f"{ROOT}/a.py"))]),
        (machine_paths, [ran("p", shown({"text/plain": "'/home/someone/a'"}))]),
        (machine_paths, [ran("p", shown({"text/html": r"C:\Users"}))]),
        (machine_paths, [new_markdown_cell("see /usr/share/x")]),
        (swallowed_markdown, [new_markdown_cell("<details>\n\nYes.\n\n</details>\n## Next")]),
        (long_lines, [ran("p", new_output("stream", text="a " * 51))]),
        (long_lines, [ran("p", shown({"text/plain": "a " * 51}))]),
        (long_lines, [ran("p", shown({"text/html": f"<pre>{'a ' * 51}</pre>"}))]),
        (no_licence, [new_markdown_cell("Hello")]),
    ],
)
def test_a_breach_is_caught(rule, cells):
    assert list(rule(new_notebook(cells=cells))) != []


# --- execute.py, which makes them so ------------------------------------------


WIDGET = "import ipywidgets\nipywidgets.IntSlider()"
FIGURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
VIEW = "import backprop_nb as bp\nbp.SigmoidExplorer()"
DRAWING = "bp.trace(lambda x: x**2, 3.0).draw()"


@pytest.fixture(scope="module")
def executed(execute, tmp_path_factory):
    """A notebook of widgets, figures and an expected error, after ``execute.py``."""
    sources = ["print('σ')", WIDGET, FIGURE, VIEW, DRAWING]
    cells = [new_code_cell(source) for source in sources]
    cells.append(new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]}))
    path = tmp_path_factory.mktemp("executed") / "lesson.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    execute.main([str(path)])
    return path


def test_execute_keeps_the_figure_and_the_text_and_drops_the_widget(executed):
    notebook = nbformat.read(executed, as_version=4)
    for rule in [not_run_once_in_order, live_widgets, stderr, machine_paths]:
        assert list(rule(notebook)) == []
    text, widget, figure, view, drawing, error = (cell.outputs[0] for cell in notebook.cells)
    assert text.text == "σ\n"
    assert set(widget.data) == {"text/plain"}
    assert "image/png" in figure.data
    for ours in (view, drawing):
        picture, alt = ours.data["image/png"], ours.metadata["image/png"]["alt"]
        assert alt
        assert ours.data["text/html"] == as_html(base64.b64decode(picture), alt)
    assert error.traceback == ["ZeroDivisionError: division by zero"]


def test_execute_twice_writes_the_same_bytes(execute, executed):
    once = executed.read_bytes()
    execute.main([str(executed)])
    assert executed.read_bytes() == once


def as_png(pixels, mode):
    Image.fromarray(pixels, mode).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def test_execute_makes_a_figure_small_and_keeps_a_rare_colour(execute):
    shades = np.random.default_rng(0).integers(0, 256, (200, 300, 1)).repeat(3, axis=2)
    pixels = shades.astype(np.uint8)
    pixels[:3, :3] = 194, 30, 40  # nine red points among greys
    pixels[100:] = 247, 248, 250  # paper
    png = as_png(pixels, "RGB")
    small = execute.compact(png)
    kept = np.asarray(Image.open(io.BytesIO(small)).convert("RGB")).astype(int)
    assert len(small) < 0.6 * len(png)
    assert np.abs(kept - pixels).max() <= 16
    assert np.abs(kept - pixels)[100:].max() <= 1


def test_execute_leaves_a_figure_with_transparent_parts_as_it_is(execute):
    png = as_png(np.zeros((2, 2, 4), np.uint8), "RGBA")
    assert execute.compact(png) == png


def test_execute_leaves_a_notebook_that_fails_as_it_was(execute, tmp_path):
    path = tmp_path / "lesson.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("oops")]), path)
    before = path.read_bytes()
    with pytest.raises(CellExecutionError):
        execute.main([str(path)])
    assert path.read_bytes() == before


SLIDES = [
    (new_markdown_cell("# One\n\nWords."), "slide"),
    (ran("print(1)", new_output("stream", text="1\n")), "-"),
    (ran("print(2)", new_output("stream", text="2\n" * 20)), "subslide"),  # no room beside it
    (new_markdown_cell("It is 2."), "subslide"),
    (new_markdown_cell("In full:"), "skip"),
    (ran("print(3)", new_output("stream", text="3\n" * 60)), "skip"),
    (ran("print(4)", new_output("stream", text="4\n")), "subslide"),
    (new_markdown_cell("And so on.\n\n## Two"), "slide"),
    (ran("1"), "-"),
    (new_markdown_cell("## Exercises\n" + "\nMore.\n" * 60), "skip"),
    (new_markdown_cell("## Three\n<details>" + "\nFolded.\n" * 60 + "</details>"), "slide"),
]


def test_each_heading_and_each_text_begins_a_slide_and_code_joins_it_where_it_fits(execute):
    notebook = new_notebook(cells=[cell for cell, _ in SLIDES])
    execute.set_slides(notebook)
    kinds = [cell.metadata.slideshow.slide_type for cell in notebook.cells]
    assert kinds == [kind for _, kind in SLIDES]


def test_a_picture_is_never_left_out(execute):
    png = base64.b64encode(as_png(np.zeros((2000, 900, 3), np.uint8), "RGB")).decode()
    cell = ran("plot()", shown({"image/png": png}))
    execute.set_slides(new_notebook(cells=[new_markdown_cell("# One"), cell]))
    assert cell.metadata.slideshow.slide_type == "subslide"

"""A notebook that was saved and is opened the next day: every view is a picture, or steps."""

import json
import re

import nbformat
import pytest
from jupyterlab_page import NotebookPage
from nbconvert import HTMLExporter
from page_tools import expect
from test_together import START, VIEWS

import backprop_nb as bp
from backprop_nb.views.still import still

CELLS = {name: VIEWS[name] for name in bp.widgets.__all__}
"""One cell for each view."""
BEGIN = f"{START}\nnet.fit([x], [y], epochs=3)"
"""A bar, and a figure that is no view's."""
PICTURES = len(CELLS) + 1
SAVE_STATE = "@jupyter-widgets/jupyterlab-manager:saveWidgetState"
# Use whatever can be used, once, and tell what changed nothing but itself.
IN_VAIN = """async root => {
    const all = (selector) => [...root.querySelectorAll(selector)];
    const rest = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const values = () => all("input[type=range]").map(each => each.value);
    const shown = () => [root.innerHTML, ...values()].join();
    const found = [];
    for (const each of all("button, input, select")) {
        if (each.disabled || each.checked || !each.isConnected || !each.checkVisibility()) continue;
        await rest();
        const before = shown();
        if (each.type === "range") {
            each.value = each.value === each.max ? each.min : each.max;
            each.dispatchEvent(new Event("input"));
        } else if (each.tagName === "SELECT") {
            each.selectedIndex += each.selectedIndex ? -1 : 1;
            each.dispatchEvent(new Event("change"));
        } else each.click();
        await rest();
        await rest();
        const name = each.getAttribute("aria-label") || each.closest("label, button").textContent;
        if (shown() === before) found.push(name);
        if (name === "Pause") each.click();
    }
    return found;
}"""


RIGHTLY = {"To the start", "Step back", "Fit the whole graph", "from the right", "Presentation"}
"""At the start there is nothing before; what fits is fitted; a transpose has no sides; and a
presentation waits for the whole screen first."""

LEFT = dict.fromkeys(CELLS, "What is shown can still be stepped") | {
    "SigmoidExplorer": "What is shown can still be moved",
    "FindTheBug": "What is shown can still be stepped, but not answered",
    "Playground": "Of its run the last frame is left",
}


@pytest.fixture(scope="module")
def saved(lab, chromium):
    """The bytes of a notebook with all views, as JupyterLab saves it: as it is, and with state."""
    lab.write("first.ipynb", [BEGIN, *CELLS.values()])
    page = chromium.new_page(viewport={"width": 1400, "height": 900})
    notebook = NotebookPage(page, "first.ipynb")
    notebook.open(lab)
    notebook.run_all()
    assert page.locator(".bpnb:visible").count() == len(CELLS)
    assert page.locator(".bpnb-still").count() == len(CELLS)
    assert page.locator(".bpnb-still:visible").count() == 0  # so nobody is told the same twice

    notebook.command("docmanager:save")
    plain = (lab.root / "first.ipynb").read_bytes()
    with page.expect_response(re.compile("api/settings/.*jupyterlab-manager")):
        notebook.command(SAVE_STATE)
    notebook.command("docmanager:save")
    with_state = (lab.root / "first.ipynb").read_bytes()
    with page.expect_response(re.compile("api/settings/.*jupyterlab-manager")):
        notebook.command(SAVE_STATE)  # which is off again for other tests

    # Who reloads the page comes back to a view that has its kernel.
    page.goto(f"{lab.url}/doc/tree/first.ipynb?reset")
    notebook.wait_until_idle()
    page.locator(".bpnb").nth(len(CELLS) - 1).wait_for()
    assert page.locator(".bpnb-notice:visible").count() == 0
    assert notebook.errors == []
    page.close()
    lab.end_sessions()
    return plain, with_state


def forgive_missing_models(notebook):
    """JupyterLab's own words for a view without a kernel are the only errors."""
    assert [error for error in notebook.errors if "widget model not found" not in error] == []
    notebook.errors.clear()


def expect_pictures(page):
    """Each view is a picture with a text, and nothing else is told of it; a bar is a text."""
    expect(page.get_by_text("| 3/3 [")).to_be_visible()
    pictures = page.locator(".jp-OutputArea img:visible")
    expect(pictures).to_have_count(PICTURES)
    loaded = (
        "all => all.every(each => each.complete && each.naturalWidth > 300 && each.alt.length > 30)"
    )
    assert pictures.evaluate_all(loaded)
    assert page.locator(".bpnb").count() == 0
    assert page.get_by_text("Error displaying widget").locator("visible=true").count() == 0
    assert page.get_by_text("Loading widget").locator("visible=true").count() == 0


def test_every_view_is_a_picture_in_jupyterlab(open_notebook, saved):
    notebook = open_notebook("next_day.ipynb", content=saved[0])
    page = notebook.page
    page.get_by_text("Error displaying widget").nth(len(CELLS) - 1).wait_for(state="attached")
    expect_pictures(page)
    forgive_missing_models(notebook)
    light_in = "all => all.map(each => getComputedStyle(each).filter)"
    pictures = page.locator(".jp-OutputArea img")
    assert set(pictures.evaluate_all(light_in)) == {"none"}
    notebook.set_theme("dark")  # where a white picture would dazzle
    assert all(each.startswith("invert") for each in pictures.evaluate_all(light_in))
    notebook.set_theme("light")


def test_somebody_elses_notebook_shows_each_picture_once(open_notebook, saved):
    content = json.loads(saved[0])
    content["metadata"]["owner"] = "another"  # so JupyterLab does not know it, nor trusts it
    notebook = open_notebook("unknown.ipynb", content=json.dumps(content).encode())
    expect(notebook.page.locator(".jp-OutputArea img:visible")).to_have_count(PICTURES)
    assert notebook.page.get_by_text("Error displaying widget").count() == 0


def test_every_view_is_a_picture_in_notebook_7(chromium, saved, lab):
    (lab.root / "in_seven.ipynb").write_bytes(saved[0])
    notebook = NotebookPage(chromium.new_page(), "in_seven.ipynb")
    page = notebook.page
    page.goto(f"{lab.url}/notebooks/in_seven.ipynb?token={lab.token}")
    notebook.wait_until_idle()
    page.get_by_text("Error displaying widget").nth(len(CELLS) - 1).wait_for(state="attached")
    expect_pictures(page)
    notebook.run_all()  # and here, too, they come to life again
    assert page.locator(".bpnb:visible").count() == len(CELLS)
    assert page.locator(".bpnb-still:visible").count() == 0
    assert [error for error in notebook.errors if "blob:" in error] == []  # others are its own
    page.close()
    lab.end_sessions()


def test_every_view_is_a_picture_in_an_exported_page(open_page, saved, tmp_path):
    exporter = HTMLExporter(embed_images=True, require_js_url="", mathjax_url="", jquery_url="")
    text, _ = exporter.from_notebook_node(nbformat.reads(saved[0].decode(), 4))
    (file := tmp_path / "exported.html").write_text(text, encoding="utf-8")
    expect_pictures(open_page(file))


def test_where_nobody_knows_the_outputs_a_live_view_hides_the_pictures(open_page, tmp_path):
    (file := tmp_path / "elsewhere.html").write_text(still(b"", "A graph."), encoding="utf-8")
    page = open_page(file)
    assert page.locator(".bpnb-still").is_visible()
    view = open_page(bp.SigmoidExplorer().to_html(tmp_path / "view"))
    view.locator(".bpnb").wait_for()
    marks = view.evaluate("document.documentElement.className")
    page.evaluate("marks => { document.documentElement.className = marks; }", marks)
    assert page.locator(".bpnb-still").is_hidden()


def test_a_display_that_is_updated_shows_the_other_view(open_notebook):
    cell = """
handle = display(bp.SigmoidExplorer(z=1), display_id=True)
handle.update(bp.SigmoidExplorer(z=2))
"""
    notebook = open_notebook("updated.ipynb", cells=[START, cell])
    notebook.run_all()
    page = notebook.page
    assert page.locator(".bpnb:visible").count() == 1
    assert page.locator(".bpnb-still:visible").count() == 0
    assert "2" in page.locator(".bpnb input[type=range]").first.get_attribute("aria-valuetext")


# Draw what was told that its model is missing once more; tell whether every view is there.
DRAWN = """count => {
    const panel = window.jupyterapp.shell.currentWidget;
    for (const cell of panel.content.widgets) {
        if (!cell.node.querySelector(".jupyter-widgets")?.textContent.includes("model not found"))
            continue;
        const { outputs } = cell.model;
        outputs.fromJSON(outputs.toJSON());
    }
    return document.querySelectorAll(".bpnb").length === count;
}"""


def wait_for_saved_views(notebook):
    """Wait until every view shows the state that is in the file.

    JupyterLab asks the kernel for models twice while it opens a notebook, and says that all are
    restored after the second answer, though it may still read those of the file: a view that is
    drawn in between is told for good that its model is missing (jupyterlab_widgets 3.0.17,
    `restoreWidgets`). So it is drawn again.
    """
    notebook.page.wait_for_function(DRAWN, arg=len(CELLS), polling=200)


def test_with_its_state_a_view_steps_and_says_what_it_cannot_do(open_notebook, saved):
    assert "widgets" not in json.loads(saved[0])["metadata"]
    notebook = open_notebook("with_state.ipynb", content=saved[1])
    page = notebook.page
    wait_for_saved_views(notebook)
    assert page.locator(".bpnb-still:visible").count() == 0
    for number, name in enumerate(CELLS, start=1):
        view = notebook.cell(number).locator(".bpnb")
        expect(view.locator(".bpnb-notice").first).to_contain_text(
            f"This view was saved with its notebook, and its kernel has ended. {LEFT[name]}. "
            "For all of it, run the cells above again, and then this one."
        )
        assert set(view.evaluate(IN_VAIN)) <= RIGHTLY, name
        enabled = view.locator("button:enabled, input:enabled").count()
        assert enabled > 1 or name == "Playground"  # of whose run the last frame is saved
    forgive_missing_models(notebook)

"""All live views in one notebook, as a lesson shows them: none disturbs another."""

from accessibility import violations
from every_view import CUT_LINES

import backprop_nb as bp

START = """
import numpy as np
import backprop_nb as bp

net = bp.SigmoidNetwork((3, 3, 2), seed=0)
x, y = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0])
"""
VIEWS = {
    "GraphExplorer": "bp.GraphExplorer(net.trace(x, y), step=15)",
    "GraphExplorer-again": "_",
    "GraphExplorer-formulas": 'bp.GraphExplorer(net.trace(x, y), step=18, notation="formulas")',
    "GradientFlow": "flow = bp.GradientFlow(more=True, detail='one weight')\nflow",
    "ChainRule": "chain = bp.ChainRule(net, x, y)\nchain.step = 2\nchain",
    "SigmoidExplorer": "bp.SigmoidExplorer(z=2)",
    "Playground": "playground = bp.Playground(learning_rate=2)\nplayground.train(60)\nplayground",
    "FindTheBug": 'bp.FindTheBug("easy", seed=0)',
}
VIEWS |= {name: f"bp.{name}()" for name in bp.widgets.__all__ if name not in VIEWS}

# A choice in one view is not taken away by the choices in another.
UNDECIDED = (
    """all => all.filter(each => each.querySelectorAll("input:checked").length !== 1).length"""
)
# Whichever style sheet comes last, since views come in any order.
LOOKS = """() => [...document.querySelectorAll(".bpnb *:not(option)")].map(element => {
    const { margin, padding, fontSize, display, color, borderTopWidth } = getComputedStyle(element);
    const looks = [margin, padding, fontSize, display, color, borderTopWidth].join("; ");
    return `${element.tagName} ${element.getAttribute("class")}: ${looks}`;
})"""
PUT_FIRST_SHEET_LAST = """() => {
    const sheets = [...document.querySelectorAll("style")]
        .filter(sheet => sheet.textContent.includes("--bpnb-serif"));
    sheets.at(-1).after(sheets[0]);
    return sheets.length;
}"""

# How many models the page has, as soon as it has so many, or after a minute.
MODELS = """async expected => {
    const { rendermime } = window.jupyterapp.shell.currentWidget.content;
    const shown = rendermime.createRenderer("application/vnd.jupyter.widget-view+json");
    const { _models } = await shown._manager.promise;
    const count = () => _models.size ?? Object.keys(_models).length;
    for (let tenths = 0; tenths < 600 && count() !== expected; tenths++) {
        await new Promise(resolve => setTimeout(resolve, 100));
    }
    return count();
}"""


def test_cells_that_run_again_leave_no_models_behind(open_notebook):
    shown = ["graph = net.trace(x, y)\ngraph", "view = graph.explore()\nview", "view"]
    asked = ["from ipywidgets.widgets import widget", "print(len(widget._instances))"]
    notebook = open_notebook("again.ipynb", cells=[START, *shown, *asked])
    for _ in range(3):
        notebook.run_all()
        assert notebook.page.locator(".bpnb").count() == len(shown)
    # Two views, each with its layout; that it shows the old ones no more the page tells later.
    assert notebook.page.evaluate(MODELS, 4) == 4
    notebook.command("notebook:run-cell")  # the last one
    notebook.wait_until_idle()
    assert notebook.cell(len(shown) + 2).locator(".jp-OutputArea-output").inner_text() == "4\n"


def test_all_views_live_in_one_notebook(open_notebook):
    notebook = open_notebook("all.ipynb", height=2400, cells=[START, *VIEWS.values()])
    notebook.run_all()
    page, views = notebook.page, notebook.page.locator(".bpnb")
    assert views.count() == len(VIEWS)
    assert page.locator(".bpnb-choice").count() > 8
    # Ids are the page's, not a view's.
    ids = page.locator(".bpnb [id]").evaluate_all("all => all.map(each => each.id)")
    assert len(ids) == len(set(ids))

    # A view that begins in the middle shows it, though it had no size when it was made.
    line = views.nth(2).locator(".bpnb-now").first
    box, panel = (
        line.bounding_box(),
        views.nth(2).locator(".bpnb-pass:last-child .bpnb-panel").bounding_box(),
    )
    assert panel["y"] <= box["y"] < box["y"] + box["height"] <= panel["y"] + panel["height"]

    looks = page.evaluate(LOOKS)
    for _ in range(page.evaluate(PUT_FIRST_SHEET_LAST)):
        assert page.evaluate(LOOKS) == looks
        assert page.evaluate(PUT_FIRST_SHEET_LAST) >= 6

    for theme, width in (("light", 1400), ("dark", 700)):
        page.set_viewport_size({"width": width, "height": 2400})
        notebook.set_theme(theme)
        assert page.locator(".bpnb-choice").evaluate_all(UNDECIDED) == 0
        assert views.evaluate_all("all => all.every(each => each.scrollWidth <= each.clientWidth)")
        assert violations(page, ".bpnb") == []
        assert page.evaluate(CUT_LINES) == []

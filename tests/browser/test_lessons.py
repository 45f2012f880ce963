"""The lessons run in a real, narrow JupyterLab: formulas are set, and nothing is cut off."""

import pytest

from backprop_nb.network.document import EQUATIONS

pytestmark = pytest.mark.slow

NARROW = {"theme": "dark", "width": 700}


def wait_for_formulas(page):
    """They are set a moment after the text that they stand in."""
    page.wait_for_function(
        """() => ![...document.querySelectorAll(".jp-RenderedHTMLCommon")]
            .some(each => each.innerText.includes("$"))"""
    )


def cut_off(page):
    """The beginnings of the outputs that are wider than their place."""
    return page.locator(".jp-OutputArea-output").evaluate_all(
        """outputs => outputs.filter(each => each.scrollWidth > each.clientWidth + 2)
            .map(each => each.innerText.slice(0, 60))"""
    )


def test_the_derivation_shows_every_equation_with_its_tag(open_notebook):
    from playwright.sync_api import expect

    notebook = open_notebook("01_derivation.ipynb", **NARROW)
    notebook.run_all()
    wait_for_formulas(notebook.page)
    formulas = notebook.page.locator(".jp-OutputArea-output mjx-container")
    for equation in EQUATIONS:
        tag = notebook.page.get_by_text(f"({equation.tag})", exact=True)
        expect(formulas.filter(has=tag)).to_have_count(1)
    assert notebook.page.locator("mjx-merror").count() == 0
    assert cut_off(notebook.page) == []


def test_the_training_lesson_shows_its_pictures(open_notebook):
    notebook = open_notebook("02_training.ipynb", **NARROW)
    notebook.run_all()
    wait_for_formulas(notebook.page)
    pictures = notebook.page.locator(".jp-OutputArea-output img")
    assert pictures.count() == 3
    assert all(pictures.evaluate_all("images => images.map(each => each.naturalWidth > 700)"))
    assert all(pictures.evaluate_all("images => images.map(each => each.alt.length > 30)"))
    assert notebook.page.locator("mjx-merror").count() == 0
    assert cut_off(notebook.page) == []


def widgets_of(notebook):
    return notebook.page.locator(".jp-OutputArea-output .bpnb:not(.bpnb-report)")


def test_the_lesson_on_vanishing_gradients_shows_live_views(open_notebook):
    from playwright.sync_api import expect

    notebook = open_notebook("03_gradient_flow.ipynb", **NARROW)
    notebook.run_all()
    wait_for_formulas(notebook.page)
    assert widgets_of(notebook).count() == 4
    assert notebook.page.locator("mjx-merror").count() == 0
    assert cut_off(notebook.page) == []

    # One flow, shown twice: what the reader opens and chooses in one view, the other shows.
    notebook.page.locator("summary", has_text="more: settings").first.click()
    notebook.page.get_by_role("radio", name="one weight").first.check()
    upper, lower = notebook.page.get_by_label("Weight or bias").all()
    upper.select_option("b_6[2]")
    expect(lower).to_have_value("b_6[2]")


def test_the_lesson_on_mistakes_shows_reports_and_the_game(open_notebook):
    notebook = open_notebook("04_find_the_mistake.ipynb", **NARROW)
    notebook.run_all()
    wait_for_formulas(notebook.page)
    assert notebook.page.locator(".bpnb-report").count() == 3
    assert widgets_of(notebook).count() == 3
    assert notebook.page.locator("mjx-merror").count() == 0
    assert cut_off(notebook.page) == []


def test_the_lesson_on_the_graph_asks_for_each_move(open_notebook):
    from playwright.sync_api import expect

    notebook = open_notebook("05_computation_graph.ipynb", **NARROW)
    notebook.run_all()
    wait_for_formulas(notebook.page)
    assert cut_off(notebook.page) == []
    assert notebook.page.locator("mjx-merror").count() == 0

    _, asking = widgets_of(notebook).all()
    asking.get_by_role("textbox").fill("1")
    asking.get_by_role("textbox").press("Enter")
    expect(asking).to_contain_text("Right. The answer is 1.")


def test_the_lesson_on_a_courses_network_shows_table_curve_and_game(open_notebook):
    notebook = open_notebook("06_a_real_network.ipynb", **NARROW)
    notebook.run_all()
    wait_for_formulas(notebook.page)
    assert cut_off(notebook.page) == []
    assert notebook.page.locator("mjx-merror").count() == 0
    assert notebook.page.locator(".bpnb-report").count() == 3
    assert widgets_of(notebook).count() == 1

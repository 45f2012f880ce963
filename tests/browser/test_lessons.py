"""The lessons run in a real, narrow JupyterLab: formulas are set, and nothing is cut off."""

import pytest
from page_tools import expect

from backprop_nb.network.document import EQUATIONS

pytestmark = pytest.mark.slow


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


@pytest.fixture
def open_lesson(open_notebook):
    """A function that runs a lesson on a narrow page, of which nothing may be cut off."""

    def open_one(name):
        notebook = open_notebook(name, theme="dark", width=700)
        notebook.run_all()
        wait_for_formulas(notebook.page)
        assert notebook.page.locator("mjx-merror").count() == 0
        assert cut_off(notebook.page) == []
        return notebook.page

    return open_one


def test_the_derivation_shows_every_equation_with_its_tag(open_lesson):
    page = open_lesson("01_derivation.ipynb")
    formulas = page.locator(".jp-OutputArea-output mjx-container")
    for equation in EQUATIONS:
        tag = page.get_by_text(f"({equation.tag})", exact=True)
        expect(formulas.filter(has=tag)).to_have_count(1)


def test_the_training_lesson_shows_its_pictures(open_lesson):
    page = open_lesson("02_training.ipynb")
    pictures = page.locator(".jp-OutputArea-output img")
    assert pictures.count() == 3
    assert all(pictures.evaluate_all("images => images.map(each => each.naturalWidth > 500)"))
    assert all(pictures.evaluate_all("images => images.map(each => each.alt.length > 30)"))


def widgets_of(page):
    return page.locator(".jp-OutputArea-output .bpnb:not(.bpnb-report)")


def test_the_lesson_on_vanishing_gradients_shows_live_views(open_lesson):
    page = open_lesson("03_gradient_flow.ipynb")
    assert widgets_of(page).count() == 4

    # One flow, shown twice: what the reader opens and chooses in one view, the other shows.
    page.locator("summary", has_text="more: settings").first.click()
    page.get_by_role("radio", name="one weight").first.check()
    upper, lower = page.get_by_label("Weight or bias").all()
    upper.select_option("b_6[2]")
    expect(lower).to_have_value("b_6[2]")


def test_the_lesson_on_mistakes_shows_reports_and_the_game(open_lesson):
    page = open_lesson("04_find_the_mistake.ipynb")
    assert page.locator(".bpnb-report").count() == 3
    assert widgets_of(page).count() == 3


def test_the_lesson_on_the_graph_asks_for_each_move(open_lesson):
    page = open_lesson("05_computation_graph.ipynb")

    _, asking = widgets_of(page).all()
    asking.get_by_role("textbox").fill("1")
    asking.get_by_role("textbox").press("Enter")
    expect(asking).to_contain_text("Right. The answer is 1.")


def test_the_lesson_on_a_courses_network_shows_table_curve_and_game(open_lesson):
    page = open_lesson("06_a_real_network.ipynb")
    assert page.locator(".bpnb-report").count() == 3
    assert widgets_of(page).count() == 1

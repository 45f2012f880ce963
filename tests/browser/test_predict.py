"""Predict, then reveal: by keyboard alone, without a kernel, and nothing seen too early."""

import re

import pytest
from accessibility import violations
from page_tools import expect, graph_of, open_as_in_a_notebook

from backprop_nb.views.numbers import long

PROGRAM = """
import numpy as np
import backprop_nb as bp

def loss(A, x):
    u = np.tanh(A @ x)
    return np.sum(u * u)

graph = bp.trace(loss, np.array([[1.0, -2.0], [0.5, 0.5]]), np.array([0.5, 0.375]))
"""


@pytest.fixture(scope="module")
def used_twice(tmp_path_factory):
    return graph_of(PROGRAM, tmp_path_factory.mktemp("used_twice"))


def quiz(page):
    return page.locator(".bpnb-quiz")


def said(page):
    return page.locator(".bpnb-live").inner_text()


def everything(page):
    """All that can be seen or heard in the view, texts that the style sheet draws included."""
    return page.evaluate(
        """() => [...document.querySelectorAll(".bpnb, .bpnb *")].flatMap(element => [
            ...[...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data),
            element.dataset?.text ?? "",
            ...["aria-label", "aria-valuetext", "title"].map(a => element.getAttribute(a) ?? ""),
        ]).join(" ")"""
    )


def answers(scene):
    """The text of the right answer to every question, in order."""
    for frame in scene["frames"]:
        if frame["ask"]:
            yield "1"
        for one in frame["contributions"]:
            whole = one["arrivals"] > 1 and one["arrival"] == one["arrivals"]
            tensor = scene["tensors"][one["total" if whole else "value"]]
            yield re.split("[,;] ", tensor["words"].strip("[]"))[one["ask"]["entry"]]


ASKED_OUT_OF_SIGHT = """() => {
    const inner = document.querySelector(".bpnb-asked").getBoundingClientRect();
    const outer = document.querySelector(".bpnb-stage").getBoundingClientRect();
    return Math.max(outer.left - inner.left, inner.right - outer.right, outer.top - inner.top);
}"""


@pytest.mark.parametrize("width", [1400, 330])
def test_every_value_can_be_predicted_by_keyboard_alone(open_page, used_twice, tmp_path, width):
    explorer = used_twice.explore(predict="value")
    page = open_page(explorer.to_html(tmp_path / "page"), width=width, reduced_motion="reduce")
    press = page.keyboard.press
    first = next(k for k, f in enumerate(explorer.scene["frames"]) if f["phase"] == "seed")
    page.get_by_role("button", name="Step forward").focus()
    for _ in range(first - 1):
        press("]")
    assert "The way back begins" in said(page)
    page.locator(".bpnb-quiz input").focus()
    questions = list(answers(explorer.scene))
    for number, text in enumerate(questions):
        assert page.evaluate(ASKED_OUT_OF_SIGHT) <= 0
        if number == 2:  # a first try that goes wrong
            page.keyboard.type("1000")
            press("Enter")
            assert "too large" in said(page)
            page.locator(".bpnb-quiz input").fill("")
        page.keyboard.type(text.replace("\u2212", "-").replace(".", ","))
        press("Enter")
        assert f"The answer is {text}." in said(page)
        press("Enter")
    total = len(questions)
    assert f"The end: {total - 1} of {total} right at the first try." in said(page)
    assert page.get_by_role("slider").input_value() == str(explorer.last_step)


def test_nothing_shows_before_it_is_predicted(open_page, graph, scene, tmp_path):
    f2, z2 = graph.node("f2"), graph.node("z2")
    step = next(
        k
        for k, frame in enumerate(scene["frames"])
        if frame["phase"] == "backward" and frame["node"] == f2.index
    )
    secret = [long(x) for x in graph.backward().adjoint(z2)]
    page = open_page(graph.explore(predict="value", step=step - 1).to_html(tmp_path / "page"))
    assert f"{scene['legend']['adjoint']}" not in everything(page)
    for reveal in ("", "Hint", "Hint"):
        if reveal:
            page.get_by_role("button", name=reveal).click()
        assert not [number for number in secret if number in everything(page)]
    # The line to come is veiled too, until a step forward reveals.
    lines = page.locator(".bpnb-codes .bpnb-panel").nth(1).locator(".bpnb-line").all_inner_texts()
    assert "d_z2 = \u2026" in lines
    # Only the asked entry is marked on its card.
    card = page.locator(".bpnb-card.bpnb-asked")
    assert card.get_attribute("data-node") == "z2"
    assert card.locator(".bpnb-question").count() == 1
    page.get_by_role("button", name="Step forward").click()
    assert all(number in everything(page) for number in secret)
    assert "d_z2 = d_f2 * f2 * (1 - f2)" in page.locator(".bpnb-codes").inner_text()
    assert "0 of 1 right at the first try" in quiz(page).inner_text()


def test_formulas_give_no_prediction_away(open_page, graph, scene, tmp_path):
    step = next(k for k, frame in enumerate(scene["frames"]) if frame["phase"] == "seed")
    explorer = graph.explore(predict="value", step=step, notation="formulas")
    page = open_page(explorer.to_html(tmp_path / "page"))
    lines = page.locator(".bpnb-as-formulas .bpnb-line")
    later = lines.locator("xpath=self::*[contains(@class, 'bpnb-later')]")
    total = lines.count()
    assert later.count() == total
    for line in later.all():
        assert line.locator("math").count() == 2  # the left side and the sign
        assert line.inner_text().endswith("\u2026")
    page.get_by_role("button", name="Step forward").click()
    shown = total - later.count()
    assert shown == len(scene["frames"][step + 1]["contributions"])
    assert page.locator(".bpnb-now").first.locator("math").count() == 3


def test_the_strip_neither_jumps_nor_stands_empty(open_page, used_twice, tmp_path):
    path = used_twice.explore(predict="value", step=5).to_html(tmp_path / "page")
    for width in (1400, 700):
        page = open_page(path, width=width)
        field, strip = page.locator(".bpnb-quiz input"), quiz(page)
        heights = {strip.bounding_box()["height"]}
        assert "It counts within 1 %" in page.locator(".bpnb-verdict").inner_text()
        assert "three hints" in page.locator(".bpnb-hint-text").inner_text()
        assert not said(page).endswith("three hints")
        field.fill("1000")
        field.press("Enter")
        heights.add(strip.bounding_box()["height"])
        for _ in range(3):
            page.get_by_role("button", name="Hint").click()
            heights.add(strip.bounding_box()["height"])
        page.get_by_role("button", name="Reveal").click()
        heights.add(strip.bounding_box()["height"])
        assert page.locator(".bpnb-hint-text").inner_text().startswith("Rule:")
        assert max(heights) - min(heights) <= 2


def test_what_was_found_at_the_end_is_above_the_fold(open_page, graph, tmp_path):
    """Where nothing is asked, the strip has one row."""
    path = graph.explore(predict="value").to_html(tmp_path / "page")
    page, fold = open_as_in_a_notebook(open_page, path)
    for end in ("start", "end"):
        page.get_by_role("button", name=f"To the {end}").click()
        assert page.locator(".bpnb-verdict").is_hidden()
        assert quiz(page).bounding_box()["height"] < 50
        below = page.locator(".bpnb-numbers .bpnb-big").last.bounding_box()
        assert below["y"] + below["height"] < fold


def test_a_button_leads_to_where_something_is_asked(open_page, used_twice, tmp_path):
    page = open_page(used_twice.explore(predict="sign").to_html(tmp_path / "page"))
    page.get_by_role("button", name="To the next question").click()
    assert "The way back begins" in page.locator(".bpnb-asks").inner_text()
    assert page.evaluate("document.activeElement.ariaLabel") == "negative"
    page.get_by_role("button", name="To the end").click()
    assert "The end" in page.locator(".bpnb-asks").inner_text()
    page.get_by_role("button", name="Begin again").click()
    assert "The way back begins" in page.locator(".bpnb-asks").inner_text()
    assert "right at the first try" not in quiz(page).inner_text()


def test_signs_have_keys_and_shapes_many_spellings(open_page, used_twice, tmp_path):
    page = open_page(used_twice.explore(predict="sign", step=4).to_html(tmp_path / "page"))
    page.get_by_role("button", name="negative").focus()
    page.keyboard.press("-")
    assert "Not yet" in said(page)
    page.keyboard.press("+")
    assert said(page).startswith("Right. The answer is positive.")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.ariaLabel") == "negative"
    # By keyboard to another kind of question: begun anew.
    page.locator("select").focus()
    page.keyboard.press("ArrowDown")
    assert page.locator("select").input_value() == "shape"
    assert "right at the first try" not in quiz(page).inner_text()
    field = page.locator(".bpnb-quiz input")
    for text, answer in (("()", "Not yet"), ("two", "This is not a shape"), ("[2]", "Right.")):
        field.fill(text)
        field.press("Enter")
        assert said(page).startswith(answer)
    for hint in range(3):
        page.locator("select").select_option("value")
        for _ in range(hint + 1):
            page.get_by_role("button", name="Hint").click()
        assert f"Hint {hint + 1} of 3" in said(page)
        page.locator("select").select_option("off")
    assert quiz(page).is_hidden()


def test_play_waits_for_the_answer(open_page, used_twice, tmp_path):
    explorer = used_twice.explore(predict="value", interval=100)
    page = open_page(explorer.to_html(tmp_path / "page"))
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".bpnb-asks")).to_contain_text("The way back begins")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    before = page.get_by_role("slider").input_value()
    page.get_by_role("button", name="Play").click()
    assert page.get_by_role("slider").input_value() == before


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 700)])
def test_axe_finds_nothing_to_mend(open_page, used_twice, tmp_path, theme, width):
    path = used_twice.explore(predict="value", step=5).to_html(tmp_path / "page")
    page = open_page(path, theme, width)
    for button in ("Hint", "Reveal"):
        page.get_by_role("button", name=button).click()
        assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


TWICE = """
import backprop_nb as bp
explorer = bp.trace(lambda x: x**2 + x, 3.0).explore(predict="value", step=2)
display(explorer, explorer)
"""


def test_two_displays_and_the_program_agree_on_the_answers(open_notebook):
    notebook = open_notebook("predict.ipynb", cells=[TWICE, "pass"])
    notebook.run_all()
    first, second = (notebook.page.locator(".bpnb").nth(k) for k in (0, 1))
    first.get_by_role("textbox").fill("1")
    first.get_by_role("textbox").press("Enter")
    expect(second.locator(".bpnb-verdict")).to_have_text("Right. The answer is 1.")
    second.get_by_role("button", name="Continue").click()
    expect(first.locator(".bpnb-asks")).to_contain_text("what does v1 receive")
    expect(first.locator(".bpnb-quiz")).to_contain_text("1 of 1 right at the first try")
    notebook.restart_kernel()  # it is not needed for an answer
    first.get_by_role("textbox").fill("1")
    first.get_by_role("textbox").press("Enter")
    expect(first.locator(".bpnb-verdict")).to_contain_text("Right.")

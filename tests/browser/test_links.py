"""Linked views: what is lit by mouse and by keyboard, in all of them and the reverse."""

import numpy as np
import pytest
from page_tools import graph_of

import backprop_nb as bp

PROGRAM = """
import numpy as np
import backprop_nb as bp

def loss(A, x):
    f = x
    for _ in range(2):
        f = bp.sigmoid(
            A @ f  # the same line twice
        )
    r = np.maximum(f - f[0], 0.0)
    return np.sum(r * f)

graph = bp.trace(loss, np.array([[1.0, -2.0], [0.5, 0.5]]), np.array([0.5, 0.25]))
"""


@pytest.fixture(scope="module")
def looped(tmp_path_factory):
    return graph_of(PROGRAM, tmp_path_factory.mktemp("looped"))


def lit(page, selector):
    """The texts of what is lit, without what is lit inside of something lit."""
    return page.locator(f"{selector} .bpnb-lit").evaluate_all(
        "all => all.filter(e => !e.parentElement.closest('.bpnb-lit')).map(e => e.textContent)"
    )


def lit_cards(page):
    cards = page.locator(".bpnb-card.bpnb-lit")
    return sorted(cards.evaluate_all("cards => cards.map(card => card.dataset.node)"))


def step_of(scene, node, phase="backward"):
    frames = scene["frames"]
    return next(k for k, f in enumerate(frames) if f["phase"] == phase and f["node"] == node)


def source(page):
    return page.locator(".bpnb-codes .bpnb-panel").nth(0)


def backward_pass(page):
    return page.locator(".bpnb-codes .bpnb-panel").nth(1)


def test_a_name_lights_in_every_view_and_the_reverse(open_page, graph, scene, tmp_path):
    node = {name: graph.node(name).index for name in ("z2", "f2", "A1")}
    explorer = graph.explore(step=step_of(scene, node["f2"]))
    page = open_page(explorer.to_html(tmp_path / "page"))
    formula, numbers = page.locator(".bpnb-formulas"), page.locator(".bpnb-numbers")

    # An adjoint in the formula: its card, its numbers, the lines that name it.
    formula.locator(f"[data-link=a{node['f2']}]").hover()
    assert lit_cards(page) == ["f2"]
    assert page.locator(".bpnb-slot.bpnb-lit").count() == 1
    assert "bp.sigmoid(z2)" in lit(page, ".bpnb-block")
    assert lit(page, ".bpnb-codes > :last-child") == ["d_f2 = -d_v3", "d_f2"]
    assert any("adjoint \u2202L/\u2202f2" in text for text in lit(page, ".bpnb-numbers"))
    # A value in the formula is another thing than its adjoint.
    formula.locator(f"[data-link=v{node['f2']}]").first.hover()
    assert any(text.startswith("value") for text in lit(page, ".bpnb-numbers"))
    assert "d_f2" not in lit(page, ".bpnb-codes > :last-child")

    # And the reverse, from the numbers, from the code and from the picture.
    target = f"a{node['z2']}"
    for thing in (
        numbers.locator(f"small [data-link={target}]").first,
        backward_pass(page).locator(f"[data-link={target}]").first,
        page.locator(".bpnb-card[data-node=z2]"),
        source(page).locator("[data-link]", has_text="+ b1").first,
    ):
        thing.hover()
        assert lit_cards(page) == ["z2"]
        assert len(lit(page, ".bpnb-formulas")) == 1
        assert any("d_z2" in text for text in lit(page, ".bpnb-numbers"))
        assert any(text.startswith("d_z2 = ") for text in lit(page, ".bpnb-codes"))
    page.mouse.move(5, 5)
    assert page.locator(".bpnb-lit, .bpnb-dim").count() == 0


def test_the_keyboard_walks_through_formula_code_and_numbers(open_page, graph, scene, tmp_path):
    f2 = graph.node("f2").index
    page = open_page(graph.explore(step=step_of(scene, f2)).to_html(tmp_path / "page"))
    press, shown = page.keyboard.press, page.locator(".bpnb-node .bpnb-name")

    def focused():
        return page.evaluate("document.activeElement.textContent")

    # The formula: one stop for Tab, the arrows go from term to term.
    page.locator("select").focus()
    press("Tab")
    assert page.evaluate("document.activeElement.className") == "bpnb-formulas"
    press("ArrowRight")
    press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('data-link')") == f"a{f2}"
    assert lit_cards(page) == ["f2"]
    press("]")  # a step renews the formula, which keeps the focus
    assert page.evaluate("document.activeElement.className") == "bpnb-formulas"
    press("[")

    # The learner's code, line by line; Enter keeps the node.
    source(page).focus()
    press("ArrowDown")
    assert focused() == "bp.sigmoid(z2)"  # the current expression
    press("ArrowUp")
    assert focused() == "A1 @ f1"
    assert page.locator(".bpnb-live").inner_text().startswith("v2 = A1 @ f1: value")
    press("Enter")
    assert lit_cards(page) == [shown.inner_text()] == ["v2"]

    # The backward pass; Enter goes to its step.
    backward_pass(page).focus()
    press("ArrowDown")
    press("ArrowDown")
    assert focused() == "d_v2"
    press("Enter")
    assert page.locator(".bpnb-now").first.inner_text() == "d_v2 = d_z2"
    assert focused() == "d_v2"

    # The numbers: their names.
    press("Escape")
    page.locator(".bpnb-numbers").focus()
    press("ArrowRight")
    stops = [focused()]
    for _ in range(30):
        press("ArrowRight")
        stops.append(focused())
    assert {"d_v2", "d_z2"} <= set(stops)
    assert stops[-1] == stops[-2]  # it ends where the panel ends


def test_a_line_in_a_loop_stands_for_every_round(open_page, looped, tmp_path):
    page = open_page(looped.explore().to_html(tmp_path / "page"))
    rounds = [node.name for node in looped.nodes if node.op == "matmul"]
    assert len(rounds) == 2
    expression = source(page).locator("[data-link]", has_text="A @ f")
    expression.hover()
    assert lit_cards(page) == sorted(rounds)
    # Clicks go from round to round.
    shown = []
    for _ in range(3):
        expression.click()
        shown.append(page.locator(".bpnb-node .bpnb-name").inner_text())
    assert shown == [rounds[0], rounds[1], rounds[0]]
    # While one of them is current, its expression is marked on all its lines, and no more.
    sigmoid = [node for node in looped.nodes if node.op == "sigmoid"][1]
    frames = looped.explore().scene["frames"]
    page.get_by_role("slider").fill(str(step_of({"frames": frames}, sigmoid.index, "forward")))
    marked = page.locator(".bpnb-mark").all_inner_texts()
    assert "".join(marked) == "bp.sigmoid(A @ f)"  # and not the comment in it
    assert not any(text.isspace() for text in marked)


def test_a_mark_lights_its_words_and_the_reverse(open_page, looped, tmp_path):
    explorer = looped.explore(selected="r")
    explorer.step = explorer.last_step
    page = open_page(explorer.to_html(tmp_path / "page"))
    (words,) = [str(mark) for mark in looped.node("r").health]
    badge = page.locator(".bpnb-card[data-node=r] .bpnb-card-mark")
    badge.hover()
    assert badge.get_attribute("title") == words
    assert page.locator(".bpnb-health.bpnb-lit").inner_text() == words
    page.locator(".bpnb-health").hover()
    assert "bpnb-lit" in badge.get_attribute("class")
    assert lit_cards(page) == ["r"]
    assert words in page.locator(".bpnb-card[data-node=r]").get_attribute("aria-label")


def test_the_cost_folds_by_keyboard_and_is_open_where_there_is_room(open_page, graph, tmp_path):
    path = graph.explore().to_html(tmp_path / "page")
    cost = graph.explore().scene["cost"]
    wide = open_page(path)
    details = wide.locator(".bpnb-cost")
    assert details.evaluate("e => e.open")
    assert details.locator("summary").inner_text() == cost["headline"]
    for bar in cost["bars"]:
        assert bar["text"] in details.inner_text()
    widths = details.locator("i").evaluate_all("all => all.map(e => e.offsetWidth)")
    assert widths[0] / widths[1] == pytest.approx(cost["bars"][0]["share"], abs=0.02)
    details.locator("summary").focus()
    wide.keyboard.press("Space")
    assert not details.evaluate("e => e.open")
    assert "Step 0" in wide.locator(".bpnb-live").inner_text()  # and nothing plays
    narrow = open_page(path, width=700)
    assert not narrow.locator(".bpnb-cost").evaluate("e => e.open")


def test_the_backward_pass_is_written_as_formulas_too(open_page, graph, scene, tmp_path):
    f2, z2 = graph.node("f2").index, graph.node("z2").index
    step = step_of(scene, f2)
    explorer = graph.explore(step=step)
    page = open_page(explorer.to_html(tmp_path / "page"))
    lines = backward_pass(page).locator(".bpnb-line")
    given = [one for frame in scene["frames"] for one in frame["contributions"]]
    assert lines.all_inner_texts() == [one["line"] for one in given]
    assert page.locator(".bpnb-pass math").count() == 0

    # By keyboard: the choice stands before the lines, and its arrows choose.
    page.get_by_role("radio", name="NumPy").focus()
    page.keyboard.press("ArrowRight")
    assert lines.count() == len(given)
    assert page.locator(".bpnb-pass .bpnb-line > math").count() == 3 * len(given)
    page.keyboard.press("]")  # and a step is still a step
    page.keyboard.press("[")
    assert page.locator(".bpnb-live").inner_text().startswith(f"Step {step} of")

    # It grows line by line: the current one is marked, and can be seen.
    now = page.locator(".bpnb-pass .bpnb-now")
    assert now.count() == len(scene["frames"][step]["contributions"]) == 1
    assert now.get_attribute("data-link") == f"a{z2}"
    assert in_sight(now)
    passed = sum(len(frame["contributions"]) for frame in scene["frames"][: step + 1])
    assert page.locator(".bpnb-pass .bpnb-later").count() == len(given) - passed

    # Each name in it is linked, as in the code, and the keyboard walks over them.
    now.locator(f"math [data-link=a{f2}]").hover()
    assert lit_cards(page) == ["f2"]
    backward_pass(page).focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('data-link')") == f"a{z2}"
    page.keyboard.press("Home")
    assert page.locator(".bpnb-pass .bpnb-now").count() == 0
    lines.first.click()
    assert page.locator(".bpnb-pass .bpnb-now").first.get_attribute("data-link") == link_of(
        given[0]
    )


def link_of(one):
    return f"a{one['parent']}"


def in_sight(line):
    """Whether a line is wholly inside of its panel."""
    return line.evaluate(
        """line => {
            const box = line.getBoundingClientRect();
            const around = line.closest(".bpnb-panel").getBoundingClientRect();
            return around.top <= box.top && box.bottom <= around.bottom;
        }"""
    )


@pytest.mark.parametrize("notation", ["numpy", "formulas"])
def test_of_a_long_backward_pass_the_current_line_is_in_sight(open_page, tmp_path, notation):
    def long_loop(x):
        for _ in range(200):
            x = np.sin(x)
        return x

    explorer = bp.trace(long_loop, 1.0).explore(notation=notation, folded=[])
    page = open_page(explorer.to_html(tmp_path / "page"))
    slider = page.get_by_role("slider")
    for step in (205, 395, 300, 401):
        slider.fill(str(step))
        now = page.locator(".bpnb-pass .bpnb-now")
        frame = explorer.scene["frames"][step]
        assert now.get_attribute("data-link") == link_of(frame["contributions"][0])
        assert in_sight(now)

"""``ChainRule`` in a real JupyterLab, by mouse and by keyboard, and as a page of its own."""

import pytest
from accessibility import violations
from page_tools import expect

import backprop_nb as bp
from backprop_nb.views.numbers import long

X = [[1.0, 0.5], [-1.0, 2.0]]
Y = [[0.9, 0.2], [0.1, 0.8]]

NOTEBOOK = f"""
import backprop_nb as bp
rule = bp.ChainRule(bp.SigmoidNetwork((2, 3, 2), seed=0), {X}, {Y})
display(rule, rule)
"""

DEEP = """
import backprop_nb as bp, numpy as np
rule = bp.ChainRule(bp.SigmoidNetwork((20,) * 9, seed=0), np.ones(20), np.zeros(20), i=7)
rule
"""


@pytest.fixture
def rule():
    return bp.ChainRule(bp.SigmoidNetwork((2, 3, 2), seed=0), X, Y)


def view(notebook, index=0):
    root = notebook.page.locator(".bpnb").nth(index)
    root.wait_for()
    root.evaluate("element => element.scrollIntoView()")
    return root


def expect_frame(root, frames, step):
    """Wait until the view says that it is at a step of these frames."""
    text = f"Step {step} of {len(frames) - 1}. {frames[step]['words']}"
    expect(root.locator(".bpnb-live")).to_have_text(text)


def numbers_of_panel(root):
    """The numbers of the one factor that is shown in full."""
    return root.locator(".bpnb-cr-factor .bpnb-cr-about .bpnb-grid span").all_inner_texts()


def lit(root):
    """The keys of what is not dimmed in the network."""
    return set(
        root.locator(".bpnb-cr-network [data-key]:not(.bpnb-cr-dim)").evaluate_all(
            "parts => parts.map(part => part.dataset.key)"
        )
    )


def choose(root, text):
    root.locator(".bpnb-choice label", has_text=text).click()


def multiply_by_mouse(root, rule):
    """Go from factor to factor, from both sides, and compare with the library's numbers."""
    chain = rule.scene["chains"]["0"]["frames"]
    expect_frame(root, chain["left"], 0)
    for step, factor in enumerate(rule.chain.factors[1:], 1):
        root.get_by_role("button", name="Step forward").click()
        expect_frame(root, chain["left"], step)
        assert numbers_of_panel(root) == [long(x) for x in factor.matrix.ravel()]
        assert (
            root.locator(".bpnb-cr-block.bpnb-cr-now").get_attribute("data-factor") == factor.symbol
        )
        shown = root.locator(".bpnb-cr-stage .bpnb-cr-step")
        assert chain["left"][step]["notes"][-1] in shown.inner_text()
    assert violations(root.page, ".bpnb") == []
    choose(root, "from the right")
    expect_frame(root, chain["right"], 2)
    count = root.locator("[data-key='count:right']")
    expect(count).to_have_text("72")
    root.get_by_role("button", name="Step back").click()
    expect(count).to_have_text("54 of 72")
    expect(root.locator("[data-key='count:left']")).to_have_text("33")
    choose(root, "θ₁")
    expect_frame(root, rule.scene["chains"]["1"]["frames"]["right"], 1)
    choose(root, "where the transpose comes from")
    expect_frame(root, rule.scene["chains"]["1"]["frames"]["transposes"], 0)


def test_in_a_notebook_by_mouse_then_by_keyboard_and_without_a_kernel(open_notebook, rule):
    notebook = open_notebook("chain.ipynb", cells=[NOTEBOOK, DEEP])
    notebook.run_all()
    page, root = notebook.page, view(notebook)
    multiply_by_mouse(root, rule)
    # The other display of the same chain has come along; both go back to the beginning.
    expect_frame(page.locator(".bpnb").nth(1), rule.scene["chains"]["1"]["frames"]["transposes"], 0)
    for text in ("the product", "θ₀", "from the left"):
        choose(root, text)
    expect_frame(root, rule.scene["chains"]["0"]["frames"]["left"], 0)

    # Of a deep network each chain comes when it is chosen.
    deep = view(notebook, 2)
    expect(deep.locator(".bpnb-cr-block")).to_have_count(2)
    slider = deep.get_by_role("slider", name="θ_i")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(deep.locator("[data-factor='∂f_7/∂θ_6']")).to_be_visible()
    assert slider.evaluate("element => element === document.activeElement")

    root = view(notebook)  # back in sight
    last = root.locator("[data-factor='∂f_1/∂θ_0']")
    last.hover()
    expect(root.locator(".bpnb-cr-factor .bpnb-cr-head")).to_contain_text("3 × 9")
    weights = {f"A:0:{j}:{k}" for j in range(3) for k in range(2)}
    assert lit(root) >= weights | {"theta:0", "f:0:0", "layer:1"}
    assert not lit(root) & {"A:1:0:0", "theta:1", "f:2:0", "L"}
    root.locator(".bpnb-cr-network [data-key='theta:1']").hover()
    pointed = root.locator(".bpnb-cr-pointed").evaluate_all("all => all.map(e => e.dataset.factor)")
    assert pointed == []  # no factor of this chain is a derivative by θ_1
    root.locator(".bpnb-cr-network [data-key='f:2:0']").last.hover()
    pointed = root.locator(".bpnb-cr-pointed").evaluate_all("all => all.map(e => e.dataset.factor)")
    assert pointed == ["∂L/∂f_2", "∂f_2/∂f_1"]

    # By keyboard alone: from the slider over the controls to the first factor.
    page.mouse.move(0, 0)
    root.get_by_role("slider", name="Step").focus()
    while not page.evaluate("document.activeElement.dataset.factor"):
        page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.dataset.factor") == "∂f_2/∂f_1"
    assert numbers_of_panel(root) == [long(x) for x in rule.chain.factors[1].matrix.ravel()]
    page.keyboard.press("Enter")
    chosen = page.locator("[data-factor='∂f_2/∂f_1'][aria-pressed='true']")
    expect(chosen).to_have_count(2)  # in both displays
    page.keyboard.press("]")
    expect_frame(root, rule.scene["chains"]["0"]["frames"]["left"], 1)
    page.keyboard.press("Escape")
    expect(chosen).to_have_count(0)
    page.keyboard.press("End")
    expect_frame(root, rule.scene["chains"]["0"]["frames"]["left"], 3)

    # Another row needs the kernel; the slider keeps the focus.
    row = root.get_by_role("slider", name="row")
    row.focus()
    page.keyboard.press("ArrowRight")
    rule.row = 1
    rule.step = 3
    expect_frame(root, rule.scene["chains"]["0"]["frames"]["left"], 3)
    expect(root.locator(".bpnb-cr-block").nth(1)).to_have_attribute(
        "aria-label", rule.scene["matrices"]["∂f_2/∂f_1"]["words"]
    )
    assert row.evaluate("element => element === document.activeElement")

    notebook.restart_kernel()
    expect(root.locator(".bpnb-notice")).to_be_visible()
    expect(row).to_be_disabled()
    choose(root, "from the right")
    expect_frame(root, rule.scene["chains"]["0"]["frames"]["right"], 3)


@pytest.mark.parametrize(("theme", "width"), [("light", 700), ("dark", 1400)])
def test_a_page_of_its_own_needs_no_kernel(open_page, rule, tmp_path, theme, width):
    rule.interval = 100
    page = open_page(rule.to_html(tmp_path / "chain"), theme, width)
    root = page.locator(".bpnb")
    multiply_by_mouse(root, rule)
    for text in ("the product", "θ₀"):
        choose(root, text)
    expect(root.get_by_role("slider", name="row")).to_be_disabled()
    choose(root, "from the right")
    choose(root, "θ₁")
    page.get_by_role("button", name="Play").click()
    expect_frame(
        root, rule.scene["chains"]["1"]["frames"]["right"], 2
    )  # where the chosen side ends
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    choose(root, "where the transpose comes from")
    page.keyboard.press("End")
    expect_frame(root, rule.scene["chains"]["1"]["frames"]["transposes"], 3)
    assert root.locator(".bpnb-cr-code.bpnb-cr-now").inner_text() == "db[1] = delta[2]"
    assert violations(page, ".bpnb") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "room"), [(1400, 300), (916, 300), (700, 400)])
def test_nothing_moves_and_nothing_stays_empty_from_step_to_step(open_page, tmp_path, width, room):
    net = bp.SigmoidNetwork((3, 3, 2), seed=0)
    shown = bp.ChainRule(net, [0.5, -1.0, 2.0], [1.0, 0.0])
    page = open_page(shown.to_html(tmp_path / "chain"), width=width)
    panels = page.locator(".bpnb-panel")
    empty = """all => all.map(panel => {
        const bottom = each => each.getBoundingClientRect().bottom;
        return bottom(panel) - Math.max(...[...panel.querySelectorAll("*")].map(bottom));
    })"""
    shown = page.locator(".bpnb-cr-stage, .bpnb-cr-factor")
    for section in ("product", "transposes"):
        if section == "transposes":
            choose(page.locator(".bpnb"), "where the transpose comes from")
            page.keyboard.press("Home")
        places = panels.evaluate_all("all => all.map(each => each.offsetTop)")
        assert page.locator(".bpnb-cr-room").first.bounding_box()["height"] < room
        for _ in range(4):
            # Where all stand below each other, a frame has what the largest step needs: no hole.
            assert max(shown.evaluate_all(empty)) < (20 if width > 980 else room)
            page.keyboard.press("]")
            assert panels.evaluate_all("all => all.map(each => each.offsetTop)") == places


@pytest.mark.parametrize(
    ("section", "width", "stage_ends", "ends"),
    [
        ("product", 1112, 570, 950),  # of 720, of which JupyterLab takes a part
        ("transposes", 1112, 600, 950),
        ("product", 700, 640, 1220),
        ("transposes", 700, 800, 1400),
    ],
)
def test_a_step_is_in_sight_below_its_factors(
    open_page, tmp_path, section, width, stage_ends, ends
):
    net = bp.SigmoidNetwork((4, 3, 3), seed=0)
    rule = bp.ChainRule(net, [5.1, 3.5, 1.4, 0.2], [1.0, 0.0, 0.0], section=section)
    page = open_page(rule.to_html(tmp_path / section), width=width, reduced_motion="reduce")
    top = page.locator(".bpnb").bounding_box()["y"]
    for place, most in ((".bpnb-cr-stage", stage_ends), (".bpnb", ends)):
        box = page.locator(place).bounding_box()
        assert box["y"] + box["height"] - top < most


@pytest.mark.parametrize("width", [640, 700, 780, 883])
def test_no_factor_of_a_small_network_is_cut(open_page, tmp_path, width):
    net = bp.SigmoidNetwork((4, 3, 3), seed=0)
    rule = bp.ChainRule(net, [5.1, 3.5, 1.4, 0.2], [1.0, 0.0, 0.0])
    page = open_page(rule.to_html(tmp_path / "chain"), width=width)
    strip = page.locator(".bpnb-cr-strip")
    assert strip.evaluate("each => each.scrollWidth - each.clientWidth") <= 0
    # And there is no hole between what stands below each other.
    holes = """all => {
        const boxes = all.map(each => each.getBoundingClientRect()).sort((a, b) => a.top - b.top);
        return boxes.slice(1).map((box, k) =>
            box.top - Math.max(...boxes.slice(0, k + 1).map(each => each.bottom)));
    }"""
    shown = page.locator(".bpnb-cr-grid > :not(.bpnb-cr-room)")
    assert max(shown.evaluate_all(holes)) < 10


def test_of_many_layers_the_factor_of_the_step_is_in_sight(open_page, tmp_path):
    net = bp.SigmoidNetwork((4,) * 25, seed=0)
    shown = bp.ChainRule(net, [0.5] * 4, [0.0] * 4, section="transposes", step=34)
    page = open_page(shown.to_html(tmp_path / "deep"))
    inside = """element => {
        const frame = element.parentElement.closest(".bpnb-cr-strip, .bpnb-panel");
        const [inner, outer] = [element.getBoundingClientRect(), frame.getBoundingClientRect()];
        return inner.top >= outer.top && inner.bottom <= outer.bottom && outer.height < 500;
    }"""
    for place in (".bpnb-cr-block.bpnb-cr-now", ".bpnb-cr-code.bpnb-cr-now"):
        assert page.locator(place).evaluate(inside)
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    for place in (".bpnb-cr-block.bpnb-cr-now", ".bpnb-cr-code.bpnb-cr-now"):
        assert page.locator(place).evaluate(inside)


def test_a_resting_pointer_gives_way_to_a_step(open_page, rule, tmp_path):
    page = open_page(rule.to_html(tmp_path / "chain"))
    root = page.locator(".bpnb")
    first, second, _ = rule.chain.factors
    root.focus()
    root.locator(f".bpnb-cr-block[data-factor='{first.symbol}']").hover()
    assert numbers_of_panel(root) == [long(x) for x in first.matrix.ravel()]
    page.keyboard.press("]")
    assert numbers_of_panel(root) == [long(x) for x in second.matrix.ravel()]
    root.locator(".bpnb-cr-stage [data-matrix]").first.hover()
    page.keyboard.press("[")
    page.keyboard.press("]")
    assert numbers_of_panel(root) == [long(x) for x in second.matrix.ravel()]

"""What a lecture room asks of every view: large type, and all that matters at 1280 by 720."""

from functools import partial

import numpy as np
import pytest
from accessibility import violations
from every_view import VIEWS
from jupyterlab_page import NotebookPage
from nonempty import nonempty
from page_tools import BESIDE_FILES, NOTEBOOK, SEEN, WINDOW, expect, open_as_in_a_notebook

import backprop_nb as bp
from backprop_nb.checking.line_puzzle import COURSES

ESSENTIAL = {
    "GradientFlow": [f".bpnb-flow-{part}" for part in ("verdict", "net", "waterfall", "more")],
    "SigmoidExplorer": [".bpnb-sigmoid-pictures svg:first-child", "svg:last-child"],
    "Playground": [".bpnb-play-controls", ".bpnb-play-stage svg", ".bpnb-readings"],
    "FindTheBug": [
        ".bpnb-bug-gradients svg",
        ".bpnb-bug-code",
        ".bpnb-bug-question button:last-child",
    ],
    "GraphExplorer": [".bpnb-stage", ".bpnb-numbers"],
    "ChainRule": [".bpnb-cr-strip", ".bpnb-cr-stage .bpnb-cr-step .bpnb-cr-matrix"],
}
"""What each view is about, which nobody should have to scroll to."""

X, Y = [0.5, -1.0, 2.0, 1.0, 0.3, -0.7, 0.2, 0.9], [1.0, 0.0] * 4


def _of_network(view, *widths, **state):
    net = bp.SigmoidNetwork(widths, seed=0)
    return view(net, X[: widths[0]], Y[: widths[-1]], **state)


def _named_at_length():
    def loss(weights_of_the_only_layer, input_of_the_network, target_of_this_input):
        prediction_of_the_network = weights_of_the_only_layer @ input_of_the_network
        difference_to_the_target = prediction_of_the_network - target_of_this_input
        return difference_to_the_target @ difference_to_the_target

    return bp.GraphExplorer(
        bp.trace(loss, np.array([[0.5, -1.0], [1.0, 2.0]]), np.ones(2), np.zeros(2))
    )


SIZES = [(2, 2, 2), (3, 4, 4, 4, 4, 4), (8, 8, 8, 8, 8, 2)]
VARIANTS = {
    "GradientFlow of nine layers": bp.GradientFlow,
    "GraphExplorer with long names": _named_at_length,
    "FindTheBug at its hardest": partial(bp.FindTheBug, "hard", seed=1),
}
for widths in SIZES:
    of = "-".join(map(str, widths))
    VARIANTS |= {
        f"GradientFlow {of}": partial(_of_network, bp.GradientFlow, *widths),
        f"ChainRule {of}": partial(_of_network, bp.ChainRule, *widths),
        f"ChainRule {of}, transposes": partial(
            _of_network, bp.ChainRule, *widths, section="transposes"
        ),
        f"Playground {of}": partial(bp.Playground, widths=[2, *widths[1:-1], 1]),
    }
"""From two units a layer to eight, from two layers to five."""
DETAILS = {
    f"GradientFlow, {detail}": partial(bp.GradientFlow, more=True, detail=detail)
    for detail in ("settings", "one weight", "layer by layer")
}

# How far the worst part of what the steps of a chain are about is cut off by what scrolls.
CUT = """async () => {
    const all = [];
    const root = document.querySelector(".bpnb");
    const inside = ".bpnb-cr-stage .bpnb-cr-step :is(.bpnb-cr-matrix, .bpnb-cr-notes)";
    const next = root.querySelector('[aria-label="Step forward"]');
    const last = Number(root.querySelector("input[type=range]").max);
    for (let k = 0; k <= last; k++) {
        const around = root.querySelector(".bpnb-cr-stage").getBoundingClientRect();
        for (const part of root.querySelectorAll(inside)) {
            const { right, bottom } = part.getBoundingClientRect();
            all.push(Math.max(right - around.right, bottom - around.bottom));
        }
        next.click();
    }
    return Math.max(...all);
}"""

# The size at which each visible text is seen, for those below a size.
SMALLER = """async least => {
    // Sizes are observed after a frame.
    for (let k = 0; k < 2; k++) await new Promise(requestAnimationFrame);
    const found = [];
    const walker = document.createTreeWalker(document.querySelector(".bpnb"), NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const { parentElement: parent, textContent: text } = walker.currentNode;
        if (!text.trim() || parent.closest(".bpnb-live") || !parent.checkVisibility()) continue;
        let scale = 1;
        const picture = parent.closest("svg");
        if (picture) scale = picture.getScreenCTM().a;
        const world = parent.closest(".bpnb-world");
        if (world) scale = new DOMMatrix(getComputedStyle(world).transform).a;
        const size = parseFloat(getComputedStyle(parent).fontSize) * scale;
        if (size < least - 0.01) found.push(`${size.toFixed(1)}: ${text}, ${parent.outerHTML}`);
    }
    return found;
}"""
# The names of which the subscript is as large as what it stands below.
BELOW = """() => {
    const size = element => parseFloat(getComputedStyle(element).fontSize);
    const all = [...document.querySelectorAll(".bpnb sub")].filter(each => each.checkVisibility());
    return all.map(each => each.parentElement).filter(
        each => size(each.querySelector("sub")) >= size(each)).map(each => each.outerHTML);
}"""
ENDS = "all => all.map(each => Math.ceil(each.getBoundingClientRect().bottom))"
SIDES = """() => [document.querySelector(".bpnb"), document.querySelector("dialog")].map(
    each => each.scrollWidth - each.clientWidth)"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Each view as a page of its own, as it is first seen; and what is behind "more"."""
    folder = tmp_path_factory.mktemp("presentation")
    return {name: make().to_html(folder / name) for name, make in (VIEWS | DETAILS).items()}


def ends(page, name):
    places = ESSENTIAL[name.partition(",")[0]]
    found = [page.locator(f".bpnb {place}").evaluate_all(ENDS) for place in places]
    assert all(found)
    return {place: max(each) for place, each in zip(places, found, strict=True)}


@pytest.mark.parametrize("name", VIEWS | DETAILS)
def test_it_is_read_from_the_last_row_without_scrolling(open_page, pages, name):
    page = open_page(pages[name], width=1280, reduced_motion="reduce")
    page.set_viewport_size({"width": 1280, "height": 720})
    assert max(ends(page, name).values()) <= 720, "on its page"
    present(page)
    assert page.evaluate(SMALLER, 14) == []
    assert max(ends(page, name).values()) <= 720, "in the presentation"
    assert max(page.evaluate(SIDES)) <= 0
    assert violations(page, "dialog") == []


def present(page, width=1280, height=720):
    page.get_by_role("button", name="Presentation").click()
    page.locator("dialog[open] .bpnb-presenting").wait_for()
    page.set_viewport_size({"width": width, "height": height})


@pytest.mark.parametrize("name", VIEWS)
def test_on_a_large_screen_a_subscript_is_smaller_than_its_letter(open_page, pages, name):
    page = open_page(pages[name], width=1920, reduced_motion="reduce")
    present(page, 1920, 1080)
    assert page.evaluate(SMALLER, 14) == []
    assert page.evaluate(BELOW) == []


@pytest.mark.parametrize("name", VARIANTS)
def test_so_is_any_size_of_it(open_page, tmp_path, name):
    view, _, _ = name.partition(" ")
    page = open_page(VARIANTS[name]().to_html(tmp_path / "page"), reduced_motion="reduce")
    present(page)
    assert page.evaluate(SMALLER, 14) == []
    assert max(ends(page, view).values()) <= 720
    assert max(page.evaluate(SIDES)) <= 0
    if view == "ChainRule":
        assert page.evaluate(CUT) <= 12  # the margin of a matrix


def test_a_program_begins_it_and_escape_leaves_it(open_page, tmp_path):
    view = VIEWS["SigmoidExplorer"]()
    view.presenting = True
    page = open_page(view.to_html(tmp_path / "page"))
    presenting = page.locator("dialog[open] .bpnb")
    expect(presenting).to_be_focused()  # so that its keys work at once
    page.keyboard.press("ArrowUp")
    expect(page.locator(".bpnb-live")).to_contain_text("σ′(z)⁶")
    page.keyboard.press("Escape")
    expect(presenting).to_have_count(0)
    button = page.get_by_role("button", name="Presentation")
    button.focus()
    page.keyboard.press("Enter")
    expect(presenting).to_be_visible()
    leave = page.get_by_role("button", name="Leave the presentation")
    expect(leave).to_be_focused()
    leave.click()
    expect(page.locator("#bpnb-view > .bpnb")).to_be_visible()
    expect(button).to_be_focused()


CUT_CARDS = """() => {
    const edge = document.querySelector(".bpnb-stage").getBoundingClientRect();
    const cards = [...document.querySelectorAll(".bpnb-card")];
    const ends = cards.map(card => card.getBoundingClientRect());
    const cut = ends.filter(({ top, bottom }) => top < edge.top || bottom > edge.bottom);
    return [cut.length, ends.length];
}"""


@pytest.mark.parametrize("widths", [(1, 1), (4, 3, 3), (3, 4, 4, 4, 4)])
def test_of_a_network_no_row_of_cards_is_cut(open_page, tmp_path, widths):
    explorer = _of_network(lambda *args: bp.SigmoidNetwork.trace(*args).explore(), *widths)
    page = open_page(explorer.to_html(tmp_path / "page"), reduced_motion="reduce")
    present(page)
    for key in ("Home", "]", "End", "["):
        page.keyboard.press(key)
        assert page.evaluate(CUT_CARDS) == [0, len(explorer.graph.nodes)]


HANDED_ON = """root => {
    const [panel, part] = [".bpnb-numbers", ".bpnb-event > :last-child"].map(each =>
        root.querySelector(each).getBoundingClientRect());
    return [part.bottom - panel.bottom, panel.bottom - innerHeight, panel.bottom - panel.top];
}"""


@pytest.fixture
def fan():
    def fan(x):
        a = np.sin(x)
        return np.sum(a * x) + np.sum(np.exp(a)) + np.sum(np.cos(a) * x)

    return bp.trace(fan, np.array([0.1, 0.7, 1.2]))


@pytest.mark.parametrize("course", COURSES)
def test_a_solved_pass_is_read_beside_what_is_wrong_with_it(open_page, tmp_path, course):
    game = bp.FindTheBug(course=course, seed=1)
    game.given_up = True
    page = open_page(game.to_html(tmp_path / "page"), reduced_motion="reduce")
    present(page)
    assert max(page.evaluate(SIDES)) <= 0
    assert max(ends(page, "FindTheBug").values()) <= 720
    for place in ("question", "notes"):
        assert page.locator(f".bpnb-bug-{place}").bounding_box()["width"] > 450


def test_jupyterlab_leaves_a_view_as_much_room_as_these_tests_assume(chromium, lab):
    name = "room.ipynb"
    lab.write(name, ["import backprop_nb as bp\nbp.SigmoidExplorer()"])
    page = chromium.new_page(viewport=WINDOW)
    page.goto(f"{lab.url}/lab/tree/{name}?token={lab.token}&reset")
    notebook = NotebookPage(page, name)
    notebook.wait_until_idle()
    notebook.run_all()
    panel, view = page.locator(".jp-WindowedPanel-outer"), page.locator(".bpnb")
    assert (panel.bounding_box()["height"], view.bounding_box()["width"]) == (SEEN, BESIDE_FILES)
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    page.wait_for_function(f"document.querySelector('.bpnb').offsetWidth === {NOTEBOOK}")
    page.close()
    lab.end_sessions()


def test_in_a_notebook_three_contributions_are_added_up_and_handed_on_in_sight(
    open_page, fan, tmp_path
):
    explorer = fan.explore()
    explorer.step = explorer.last_step  # sin, which receives from three
    page, end = open_as_in_a_notebook(open_page, explorer.to_html(tmp_path / "fan"))
    added, _ = page.locator(".bpnb-event .bpnb-whole").evaluate_all(ENDS)
    last = page.locator(".bpnb-event > :last-child .bpnb-contribution .bpnb-big")
    assert max(added, *last.evaluate_all(ENDS)) < end


def test_beside_the_list_of_files_the_numbers_and_the_code_of_a_network_are_in_sight(
    open_page, tmp_path
):
    """As in lesson 00: the panels at the start, and each number of each step."""
    x, y = np.array([5.1, 3.5, 1.4, 0.2]), np.eye(3)[0]

    def loss(A0, b0, A1, b1):
        f1 = bp.sigmoid(A0 @ x + b0)
        return np.sum((y - bp.sigmoid(A1 @ f1 + b1)) ** 2)

    net = bp.SigmoidNetwork((4, 3, 3), seed=3)
    explorer = bp.trace(loss, net.A[0], net.b[0], net.A[1], net.b[1]).explore()
    file = explorer.to_html(tmp_path / "network")
    page, end = open_as_in_a_notebook(open_page, file, BESIDE_FILES)
    bottoms = page.locator(".bpnb-numbers, .bpnb-codes").evaluate_all(ENDS)
    for step in range(1, explorer.last_step + 1):
        page.get_by_role("slider").fill(str(step))
        bottoms += page.locator(".bpnb-numbers > div > *, .bpnb-event *").evaluate_all(ENDS)
    assert max(bottoms) <= end


# Of an explorer the numbers are as high as the code beside them.
@pytest.mark.parametrize("width", [NOTEBOOK, BESIDE_FILES])
@pytest.mark.parametrize("name", [name for name in VIEWS if name != "GraphExplorer"])
def test_in_a_notebook_what_a_view_is_about_is_in_sight(open_page, pages, name, width):
    page, end = open_as_in_a_notebook(open_page, pages[name], width)
    # On a page without a kernel a line says so.
    page.locator(".bpnb-rests").evaluate_all("all => all.forEach(each => each.remove())")
    assert max(ends(page, name).values()) <= end


@pytest.mark.parametrize("width", [NOTEBOOK, BESIDE_FILES])
@pytest.mark.parametrize("section", ["product", "transposes"])
def test_in_a_notebook_each_step_of_a_chain_is_in_sight(open_page, tmp_path, section, width):
    net = bp.SigmoidNetwork((4, 3, 3), seed=0)
    rule = bp.ChainRule(net, [5.1, 3.5, 1.4, 0.2], [1.0, 0.0, 0.0], section=section)
    page, end = open_as_in_a_notebook(open_page, rule.to_html(tmp_path / section), width)
    found = []
    for step in range(rule.last_step + 1):
        page.get_by_role("slider").fill(str(step))
        found += page.locator(".bpnb-cr-stage, .bpnb-cr-stage *").evaluate_all(ENDS)
    assert max(found) <= end


@pytest.mark.parametrize("name", DETAILS)
def test_in_a_notebook_so_is_all_that_is_behind_more(open_page, pages, name):
    page, end = open_as_in_a_notebook(open_page, pages[name])
    assert max(page.locator(".bpnb-flow-more").evaluate_all(ENDS)) <= end


def test_what_a_step_hands_on_is_in_sight(open_page, fan, tmp_path):
    explorer = fan.explore()
    page = open_page(explorer.to_html(tmp_path / "fan"), width=1280, reduced_motion="reduce")
    present(page)
    root, phases = page.locator(".bpnb"), [frame["phase"] for frame in explorer.scene["frames"]]
    page.keyboard.press("End")
    ends = []
    for step in range(explorer.last_step, phases.index("backward"), -1):
        root.get_by_text(f"step {step} of {explorer.last_step}", exact=True).wait_for()
        ends.append(root.evaluate(HANDED_ON))
        page.keyboard.press("[")
    below, outside, high = zip(*nonempty(ends), strict=True)
    assert max(below + outside) < 0
    assert min(high) > 150


@pytest.mark.parametrize("name", VIEWS | DETAILS)
def test_on_a_telephone_it_is_read_and_nothing_lies_beside_it(open_page, pages, name):
    page = open_page(pages[name], width=330, reduced_motion="reduce")
    assert page.evaluate("document.documentElement.scrollWidth") <= 330
    assert page.evaluate(SMALLER, 8) == []
    assert violations(page) == []

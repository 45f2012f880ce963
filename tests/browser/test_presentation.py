"""What a lecture room asks of every view: large type, and all that matters at 1280 by 720."""

import pytest
from accessibility import violations
from every_view import VIEWS

ESSENTIAL = {
    "GradientFlow": [".bpnb-flow-verdict", ".bpnb-flow-net", ".bpnb-flow-waterfall"],
    "SigmoidExplorer": [".bpnb-sigmoid-pictures svg:first-child", "svg:last-child"],
    "Playground": [".bpnb-play-stage svg", ".bpnb-readings"],
    "FindTheBug": [".bpnb-bug-gradients svg", ".bpnb-bug-question button:last-child"],
    "GraphExplorer": [".bpnb-stage", ".bpnb-numbers"],
    "ChainRule": [".bpnb-cr-strip", ".bpnb-cr-stage .bpnb-cr-shown .bpnb-cr-matrix"],
}
"""What each view is about, which nobody should have to scroll to."""

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
ENDS = "all => all.map(each => Math.ceil(each.getBoundingClientRect().bottom))"
SIDES = """() => [document.querySelector(".bpnb"), document.querySelector("dialog")].map(
    each => each.scrollWidth - each.clientWidth)"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Each view as a page of its own, as it is first seen."""
    folder = tmp_path_factory.mktemp("presentation")
    return {name: make().to_html(folder / name) for name, make in VIEWS.items()}


def ends(page, name):
    found = [page.locator(f".bpnb {place}").evaluate_all(ENDS) for place in ESSENTIAL[name]]
    assert all(found)
    return {place: max(each) for place, each in zip(ESSENTIAL[name], found, strict=True)}


@pytest.mark.parametrize("name", VIEWS)
def test_it_is_read_from_the_last_row_without_scrolling(open_page, pages, name):
    page = open_page(pages[name], width=1280, reduced_motion="reduce")
    page.set_viewport_size({"width": 1280, "height": 720})
    assert max(ends(page, name).values()) <= 720, "on its page"
    page.get_by_role("button", name="Presentation").click()
    page.locator("dialog[open] .bpnb-presenting").wait_for()
    page.set_viewport_size({"width": 1280, "height": 720})
    assert page.evaluate(SMALLER, 14) == []
    assert max(ends(page, name).values()) <= 720, "in the presentation"
    assert max(page.evaluate(SIDES)) <= 0
    assert violations(page, "dialog") == []


def test_a_program_begins_it_and_escape_leaves_it(open_page, tmp_path):
    from playwright.sync_api import expect

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

"""Nothing moves from step to step: who watches a number finds it where it was."""

import pytest
from every_view import VIEWS

import backprop_nb as bp

STEPPED = {name: make for name, make in VIEWS.items() if name != "SigmoidExplorer"} | {
    "FindTheBug, hard": lambda: bp.FindTheBug("hard", seed=0),
}
"""Each with its steps."""

WIDTHS = (330, 400, 700, 790, 820, 850, 883, 1000, 1280)

# Where the parts of a view stand at each of its steps, if that is not where they did at the first.
MOVED = """async parts => {
    const frame = () => new Promise(requestAnimationFrame);
    const root = document.querySelector(".bpnb");
    const tops = () => [...root.querySelectorAll(parts)].map(
        each => [each.className, each.getBoundingClientRect().top + scrollY]);
    const press = key => root.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    press("Home");
    await frame(); await frame(); // for what watches its width
    const first = tops();
    const moved = {};
    const slider = root.querySelector(".bpnb-bar input[type=range]");
    for (let step = 1; step <= Number(slider.max); step++) {
        press("]"); // what it shows is laid out when it is asked for
        tops().forEach(([name, top], k) => {
            if (Math.abs(top - first[k]?.[1]) > 1) moved[`${step} ${name}`] = top - first[k][1];
        });
    }
    return moved;
}"""
PARTS = (
    ".bpnb-bar > *, .bpnb-bar ~ :not(.bpnb-live, .bpnb-cost), .bpnb-flow > *, "
    ".bpnb-codes > :first-child"
)
"""Not what an explorer costs, which on a narrow page stands below numbers of any length."""


@pytest.mark.parametrize("name", STEPPED)
def test_nothing_moves_from_step_to_step(open_page, tmp_path, name):
    page = open_page(STEPPED[name]().to_html(tmp_path / "page"), reduced_motion="reduce")
    page.locator(".bpnb input").first.wait_for()
    found = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 720})
        if moved := page.evaluate(MOVED, PARTS):
            found[width] = moved
    assert found == {}


# Whether the last button has a row of its own below the others.
ALONE = """() => {
    const boxes = [...document.querySelectorAll(".bpnb-bar > *")].map(
        each => each.getBoundingClientRect());
    const last = boxes.pop();
    return !boxes.some(({ top, bottom }) => top < last.bottom && bottom > last.top);
}"""


@pytest.mark.parametrize("name", STEPPED)
def test_the_last_button_has_no_row_of_its_own(open_page, tmp_path, name):
    page = open_page(STEPPED[name]().to_html(tmp_path / "page"))
    page.locator(".bpnb input").first.wait_for()
    for width in range(580, 1000, 20):
        page.set_viewport_size({"width": width, "height": 720})
        assert not page.evaluate(ALONE), width

"""What every live view owes who watches it for a whole lecture, each as a page of its own."""

import pytest
from every_view import VIEWS
from page_tools import expect


@pytest.fixture
def open_view(open_page, tmp_path):
    """A function that opens the page of a view, once it is there."""

    def open_one(view, **options):
        page = open_page(view.to_html(tmp_path / "page"), **options)
        page.locator(".bpnb input").first.wait_for()
        return page

    return open_one


# Ten steps there and ten back, again and again; what has no steps has a slider.
STEP = """count => {
    const root = document.querySelector(".bpnb");
    const button = name => root.querySelector(`[aria-label="${name}"]`);
    const slider = root.querySelector("input[type=range]");
    const slide = value => {
        slider.value = Number(slider.min) + value * Number(slider.step || 1);
        slider.dispatchEvent(new Event("input"));
    };
    const stepped = button("Step forward") !== null;
    for (let k = 0; k < count; k++) {
        if (stepped) button(k % 20 < 10 ? "Step forward" : "Step back").click();
        else slide(k % 20);
    }
}"""


@pytest.mark.slow
@pytest.mark.parametrize("name", VIEWS)
def test_memory_does_not_grow_over_a_thousand_steps(open_view, name):
    page = open_view(VIEWS[name]())
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def used():
        session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        found = {each["name"]: each["value"] for each in metrics}
        return {key: found[key] for key in ("Nodes", "JSEventListeners", "JSHeapUsedSize")}

    page.evaluate(STEP, 100)  # whatever is made at first use is made
    before = used()
    page.evaluate(STEP, 1000)
    after = used()
    assert after["Nodes"] <= before["Nodes"] * 1.05 + 50
    assert after["JSEventListeners"] <= before["JSEventListeners"] * 1.05 + 20
    assert after["JSHeapUsedSize"] <= before["JSHeapUsedSize"] + 1_000_000


# Whatever would move, now or at the next change.
MOVING = """() => [...document.querySelectorAll(".bpnb, .bpnb *")].filter(each => {
    const style = getComputedStyle(each);
    const long = style.transitionDuration.split(",").some(time => parseFloat(time) > 0);
    return long || style.animationName !== "none";
}).map(each => each.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_moves_for_those_who_asked_for_that(open_view, name):
    page = open_view(VIEWS[name](), reduced_motion="reduce")
    for steps in (0, 3, 7):
        page.evaluate(STEP, steps)
        assert page.evaluate(MOVING) == []
        assert page.evaluate("document.getAnimations().length") == 0


# What of the parts that are dragged or pressed could be selected as text meanwhile.
SELECTABLE = """() => [...document.querySelectorAll(
    ".bpnb :is(svg text, button, .bpnb-slider span, .bpnb-choice span, .bpnb-card span)"
)].filter(each => getComputedStyle(each).userSelect !== "none").map(each => each.outerHTML)"""


@pytest.mark.parametrize("name", VIEWS)
def test_what_is_dragged_is_no_text_and_what_rests_says_why(open_view, name):
    page = open_view(VIEWS[name]())
    assert page.evaluate(SELECTABLE) == []
    resting = page.locator(".bpnb [data-kernel] input:disabled").count()
    assert page.locator(".bpnb-rests").count() == min(resting, 1)


# The buttons that lose the focus when they are pressed, and again: then no key is the view's.
# Those that a press puts in the place of others are found, too.
LOSING = """async () => {
    const root = document.querySelector(".bpnb");
    const lost = [];
    const tried = new Set();
    const frame = () => new Promise(requestAnimationFrame);
    for (let k = 0; k < 60; k++) {
        const button = [...root.querySelectorAll("button:enabled")].find(
            each => each.checkVisibility() && !tried.has(each.textContent + each.ariaLabel));
        if (!button) return lost;
        const name = button.textContent + button.ariaLabel;
        tried.add(name);
        if (/Presentation|Play|follow/.test(name)) continue;
        for (let times = 0; times < 3 && button.isConnected && !button.disabled; times++) {
            button.focus();
            button.click();
            await frame();
            await frame();
            if (!root.contains(document.activeElement)) lost.push(name);
        }
    }
    throw new Error("the buttons have no end");
}"""
ASKING = {"GraphExplorer that asks": lambda: VIEWS["GraphExplorer"](predict="value", step=10)}


@pytest.mark.parametrize("name", VIEWS | ASKING)
def test_the_focus_stays_in_the_view_whatever_is_pressed(open_view, name):
    page = open_view((VIEWS | ASKING)[name]())
    assert page.evaluate(LOSING) == []


@pytest.mark.parametrize("name", VIEWS)
def test_a_step_beyond_an_end_is_told(open_view, name):
    page = open_view(VIEWS[name]())
    told = page.locator(".bpnb-end em")
    if not page.locator(".bpnb-end").count():
        assert name == "SigmoidExplorer"  # which has no steps
        return
    ends = [("Home", "[", "]", "This is the first step.")]
    ends += [("End", "]", "[", "This is the last step.")]
    page.locator(".bpnb [aria-label='Step forward']").focus()
    for end, on, back, words in ends:
        page.keyboard.press(end)
        page.keyboard.press(on)
        expect(told).to_have_text(words)
        expect(page.locator(".bpnb-live")).to_have_text(words)
        box = told.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1400
        slider = page.locator(".bpnb-buttons + input").bounding_box()  # which leads away from here
        assert box["y"] >= slider["y"] + slider["height"]
        page.keyboard.press(back)
        expect(told).to_have_count(0)


# What can be pressed or read as a legend and lies beside the page; a stage moves what is in it.
# But for the factors of a chain, whose row scrolls to the present one.
OUTSIDE = """() => [...document.querySelectorAll(
    ".bpnb > :not(.bpnb-stage) :is(button, input, select, summary, .bpnb-scale)"
)].filter(each => {
    const { left, right } = each.getBoundingClientRect();
    if (each.matches(".bpnb-cr-strip *")) return false;
    return each.checkVisibility() && (left < 0 || right > window.innerWidth + 0.5);
}).map(each => each.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("width", [330, 700])
@pytest.mark.parametrize("name", VIEWS)
def test_every_control_is_in_sight_on_a_narrow_page(open_view, name, width):
    page = open_view(VIEWS[name](), width=width)
    assert page.evaluate(OUTSIDE) == []


# What of the bar lies below its last button, so that a slider's end could not be grasped.
BELOW_LAST = """() => {
    const bar = document.querySelector(".bpnb-bar");
    const last = bar.lastElementChild.getBoundingClientRect();
    return [...bar.querySelectorAll(":is(button, input, select, strong, b)")].filter(each => {
        const { left, right, top, bottom } = each.getBoundingClientRect();
        const seen = each.checkVisibility() && right > left && each !== bar.lastElementChild;
        const beside = right <= last.left || left >= last.right;
        return seen && !beside && bottom > last.top && top < last.bottom;
    }).map(each => each.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("name", VIEWS)
def test_nothing_in_the_bar_lies_below_its_last_button(open_view, name):
    page = open_view(VIEWS[name]())
    found = {}
    for width in (*range(330, 620, 20), 848, 1100):
        page.set_viewport_size({"width": width, "height": 800})
        if below := page.evaluate(BELOW_LAST):
            found[width] = below
    assert found == {}

"""The formula in an explorer's headline is seen in full at each step, however high or long."""

import numpy as np
import pytest
from page_tools import BESIDE_FILES, NOTEBOOK, expect

import backprop_nb as bp


def f(x):
    u = x**2
    v = u + np.exp(u)
    return np.sqrt(v) + np.cos(v)


def sm(W, x):
    z = W @ x
    e = np.exp(z - np.max(z))
    p = e / np.sum(e)
    return -np.log(p[1])


def g(a, b):
    q = np.sqrt(a / b)
    r = np.log(q) / (1 + np.exp(-q))
    s = np.sum(r / np.sqrt(q + b))
    return np.tanh(s / q.mean()) ** 3


def total(x):
    u = 3 * x + 1
    v = u**2
    w = 5 * u
    return v + w


def _graphs():
    x, y = np.array([5.1, 3.5, 1.4, 0.2]), np.eye(3)[0]
    yield "README's", bp.trace(f, 0.7)
    yield "softmax", bp.trace(sm, np.array([[0.1, 0.2], [0.3, -0.4], [1, 2]]), np.ones(2))
    yield "fractions", bp.trace(g, np.array([1.0, 2, 3]), np.array([2.0, 0.5, 1]))
    yield "lesson 01, two paths", bp.trace(total, 2.0)
    yield "lesson 01, network", bp.SigmoidNetwork((4, 3, 3), seed=0).trace(x, y)


GRAPHS = dict(_graphs())
WIDTHS = [round(width / 0.96) for width in (NOTEBOOK, BESIDE_FILES)] + [1400, 1280, 700, 400]

# The steps at which a formula reaches beyond its place, and how far to the left, up, right
# and down; how high the headline is; how small the type of a formula gets.
CUT = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    const root = document.querySelector(".bpnb");
    const place = root.querySelector(".bpnb-formulas");
    const press = key => root.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    press("Home");
    await frame(); await frame(); // for what watches its width
    const [found, heights] = [{}, new Set()];
    let [seen, least] = [0, Infinity];
    const slider = root.querySelector(".bpnb-bar input[type=range]");
    for (let step = 1; step <= Number(slider.max); step++) {
        press("]");
        const around = place.getBoundingClientRect();
        heights.add(root.querySelector(".bpnb-title").offsetHeight);
        for (const formula of place.querySelectorAll("math")) {
            seen++;
            least = Math.min(least, parseFloat(getComputedStyle(formula).fontSize));
            for (const part of [formula, ...formula.querySelectorAll("mi, mn, mo, mfrac")]) {
                const { left, top, right, bottom } = part.getBoundingClientRect();
                const over = [around.left - left, around.top - top,
                    right - around.right, bottom - around.top - place.clientHeight];
                if (Math.max(...over) > 1) found[step] = over.map(Math.round);
            }
        }
    }
    return { found, heights: [...heights], seen, least };
}"""


@pytest.mark.parametrize("name", GRAPHS)
def test_no_step_has_a_formula_that_is_cut(open_page, tmp_path, name):
    page = open_page(GRAPHS[name].explore().to_html(tmp_path / "page"), reduced_motion="reduce")
    page.locator(".bpnb input").first.wait_for()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 720})
        _is_whole(page, f"{width} wide", least=14 * 0.69)
    page.get_by_role("button", name="Presentation").click()
    page.locator("dialog[open] .bpnb-presenting").wait_for()
    for width, height in ((1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        _is_whole(page, f"presented {width} wide", least=14)


def _is_whole(page, where, least):
    told = page.evaluate(CUT)
    assert told["seen"] > 20
    assert told["found"] == {}, where
    assert len(told["heights"]) == 1, where
    assert told["least"] >= least, where


def test_one_that_is_longer_than_any_row_fades_and_scrolls_to_its_end(open_page, tmp_path):
    def long(input_of_the_network, weights_of_the_only_layer):
        return np.where(
            input_of_the_network < np.max(input_of_the_network),
            input_of_the_network * weights_of_the_only_layer,
            weights_of_the_only_layer / input_of_the_network,
        ).sum()

    explorer = bp.trace(long, np.array([1.0, 2]), np.ones(2)).explore()
    explorer.step = explorer.last_step
    page = open_page(explorer.to_html(tmp_path / "page"), width=400, reduced_motion="reduce")
    formulas = page.locator(".bpnb-formulas")
    expect(formulas).to_have_class("bpnb-formulas bpnb-beyond")
    formulas.evaluate("each => each.scrollTo(each.scrollWidth, 0)")
    expect(formulas).to_have_class("bpnb-formulas")

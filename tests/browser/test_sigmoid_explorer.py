"""``SigmoidExplorer`` in a real browser: moved by mouse and keyboard, its numbers checked."""

import numpy as np
import pytest
from accessibility import violations
from page_tools import expect

import backprop_nb as bp
from backprop_nb.network import sigma
from backprop_nb.views.numbers import long

TWICE = """
import backprop_nb as bp
explorer = bp.SigmoidExplorer(z=1.5)
display(explorer, explorer)
"""


def readings(root):
    return root.locator(".bpnb-readings b").all_inner_texts()


def expect_z(root, z, n):
    """Wait until the view says what the library says of z."""
    f = sigma(np.float64(z))
    slope = f * (1 - f)
    expect(root.locator(".bpnb-readings b").first).to_have_text(long(z))
    shown = readings(root)
    assert shown[1] == long(f)
    assert shown[2].startswith(f"{long(slope)}, {100 * 4 * slope:.3g}".rstrip("0"))
    assert ("saturated" in shown[2]) == (slope < 0.05)
    assert shown[3:] == [long(slope**n), long(0.25**n)]
    expect(root.locator(".bpnb-live")).to_contain_text(f"z = {long(z)};")


def place_of(root, key):
    """Where a dot is, as shares of the picture's width and height."""
    return root.evaluate(
        """(root, key) => {
            const dot = root.querySelector(`[data-key="${key}"]`);
            const { width, height } = dot.ownerSVGElement.viewBox.baseVal;
            return [dot.cx.baseVal.value / width, dot.cy.baseVal.value / height];
        }""",
        key,
    )


def test_two_displays_follow_mouse_keyboard_and_program_and_outlive_the_kernel(open_notebook):
    notebook = open_notebook("sigmoid.ipynb", cells=[TWICE], theme="dark")
    notebook.run_all()
    page = notebook.page
    first, second = page.locator(".bpnb").nth(0), page.locator(".bpnb").nth(1)
    first.wait_for()
    expect_z(first, 1.5, 5)

    # By mouse: drag in the chart to its middle, where the slope is largest.
    chart = first.locator(".bpnb-draggable")
    box = chart.bounding_box()
    left, width = 46 / 660, (660 - 58) / 660
    across = [box["x"] + box["width"] * (left + width * share) for share in (0.8, 0.6, 0.5)]
    page.mouse.move(across[0], box["y"] + 150)
    page.mouse.down()
    page.mouse.move(across[1], box["y"] + 150)
    page.mouse.move(across[2], box["y"] + 150)
    page.mouse.up()
    expect_z(first, 0, 5)
    expect_z(second, 0, 5)
    assert place_of(first, "value")[0] == pytest.approx(left + width / 2, abs=1e-3)

    # By keyboard, which the chart has after the click.
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft"):
        page.keyboard.press(key)
    expect_z(first, 0.1, 6)
    slider = second.get_by_role("slider", name="z", exact=True)
    slider.focus()
    page.keyboard.press("End")
    expect_z(second, 6, 6)
    expect_z(first, 6, 6)
    assert slider.evaluate("slider => slider === document.activeElement")

    second.get_by_role("radio", name="tanh", exact=True).check()
    expect(first.locator(".bpnb-readings span").nth(1)).to_have_text("tanh(z)")
    assert readings(first)[1] == long(np.tanh(6.0))

    notebook.restart_kernel()
    expect(first.locator(".bpnb-notice")).to_be_visible()
    first.get_by_role("radio", name="σ", exact=True).check()
    first.locator(".bpnb-draggable").click(position={"x": 5, "y": 100})
    expect_z(first, -6, 6)
    expect_z(second, -6, 6)


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 700)])
def test_its_page_is_live_without_a_kernel_and_axe_finds_nothing(open_page, theme, width, tmp_path):
    page = open_page(bp.SigmoidExplorer(z=-3, layers=4).to_html(tmp_path / "z"), theme, width)
    root = page.locator(".bpnb")
    expect_z(root, -3, 4)
    assert violations(page) == []
    for activation in ("relu", "tanh", "σ"):
        root.get_by_role("radio", name=activation, exact=True).check()
    root.get_by_role("slider", name="n, units passed").fill("10")
    expect_z(root, -3, 10)
    assert page.evaluate("document.documentElement.scrollWidth") <= width

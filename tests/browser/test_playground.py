"""``Playground`` in a real JupyterLab: trained by mouse and by keyboard, its numbers checked."""

import numpy as np
import pytest
from accessibility import violations
from page_tools import BESIDE_FILES, NOTEBOOK, expect, open_as_in_a_notebook

import backprop_nb as bp
from backprop_nb.views.palette import THEMES, diverging
from backprop_nb.views.picture import unpacked
from backprop_nb.views.playground.scene import CELLS

TWICE = """
import backprop_nb as bp
playground = bp.Playground("circles", widths=(2, 6, 1), learning_rate=2, seed=1)
display(playground, playground)
"""


def in_kernel(notebook, code):
    """Run code in the kernel, after all that it was told before, and return what it prints."""
    return notebook.page.evaluate(
        """async code => {
            const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
            const run = kernel.requestExecute({ code });
            let text = "";
            run.onIOPub = ({ header, content }) => {
                if (header.msg_type === "stream") text += content.text;
            };
            await run.done;
            return text;
        }""",
        code,
    )


def epoch_when_paused(notebook):
    """The last epoch, once the kernel has heard of a pause: a change of state may wait in the page
    until an earlier one has been answered, which what runs in the kernel does not."""
    for _ in range(100):
        playing, epoch = in_kernel(
            notebook, "print(playground.playing, playground.last_epoch)"
        ).split()
        if playing == "False":
            return int(epoch)
    raise AssertionError("The kernel has not heard of the pause.")


def same_playground(epochs):
    playground = bp.Playground("circles", widths=(2, 6, 1), learning_rate=2, seed=1)
    if epochs:
        playground.train(epochs)
    return playground


def readings(root):
    return root.locator(".bpnb-readings b").all_inner_texts()


def expect_epoch(root, epoch):
    """Wait until the view shows an epoch, and check its numbers against the library's."""
    expect(root.locator(".bpnb-readings b").first).to_have_text(str(epoch))
    frame = same_playground(epoch).frame
    names = ("loss", "heldOut", "accuracy", "heldOutAccuracy")
    assert readings(root)[1:] == [frame[name] for name in names]
    shown = [root.locator(f"[data-key='norm:{i}']").text_content() for i in range(2)]
    assert shown == frame["norms"]
    expect(root.locator(".bpnb-live")).to_have_text(frame["words"])


def expect_colours(root, playground, theme):
    """Check the whole map: each cell has the colour that the palette gives to its output."""
    shown = root.locator("canvas").first.evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
    )
    levels = unpacked(playground.frame["map"], CELLS).ravel()
    colours = [diverging(THEMES[theme], "value", level / 127.5 - 1) for level in levels]
    expected = [[*bytes.fromhex(colour[1:]), 255] for colour in colours]
    np.testing.assert_allclose(np.reshape(shown, (-1, 4)), expected, atol=1)


def test_two_displays_train_one_network_by_mouse_keyboard_and_program(open_notebook):
    notebook = open_notebook("playground.ipynb", cells=[TWICE], theme="light")
    notebook.run_all()
    page = notebook.page
    first, second = page.locator(".bpnb").nth(0), page.locator(".bpnb").nth(1)
    first.wait_for()
    expect_epoch(first, 0)

    # One epoch, ten epochs, back, and on again.
    first.get_by_role("button", name="Step forward").click()
    expect_epoch(first, 1)
    expect_epoch(second, 1)
    second.get_by_role("button", name="Train for ten epochs").click()
    expect_epoch(first, 11)
    page.keyboard.press("[")
    expect_epoch(second, 1)
    expect_epoch(first, 1)
    in_kernel(notebook, "playground.train(3)")  # a program's frames reach the views too
    expect_epoch(first, 14)
    page.keyboard.press("[")
    expect_epoch(second, 13)
    page.keyboard.press("Home")
    expect_epoch(first, 0)
    page.keyboard.press("End")
    expect_epoch(first, 14)

    # Play by keyboard; a second view does not make it faster, and a pause stops at once.
    first.get_by_role("slider", name="Recorded epoch").focus()
    page.keyboard.press("Space")
    page.wait_for_function("Number(document.querySelector('.bpnb-readings b').textContent) >= 20")
    # A finger rests on the button for a while: frames that come meanwhile must not take it away.
    first.get_by_role("button", name="Pause").hover()
    page.mouse.down()
    at = int(readings(first)[0])
    page.wait_for_function(
        "at => Number(document.querySelector('.bpnb-readings b').textContent) > at + 1", arg=at
    )
    page.mouse.up()
    expect(first.get_by_role("button", name="Play", exact=True)).to_be_visible()
    stopped = epoch_when_paused(notebook)
    expect_epoch(first, stopped)
    expect_epoch(second, stopped)
    assert int(in_kernel(notebook, "print(playground.last_epoch)")) == stopped

    expect_colours(first, same_playground(stopped), "light")

    # Rewound and played again it is the same training.
    second.get_by_role("button", name="Rewind").click()
    expect_epoch(first, 0)
    in_kernel(notebook, "playground.train(10)")
    expect_epoch(first, 10)

    # In the dark the same map has other colours.
    notebook.set_theme("dark")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    expect_colours(first, same_playground(10), "dark")
    assert violations(page, ".bpnb") == []

    # Without a kernel the recorded frames remain, and nothing else can be turned.
    notebook.restart_kernel()
    expect(first.locator(".bpnb-notice").first).to_be_visible()
    expect(first.get_by_role("button", name="Rewind")).to_be_disabled()
    first.get_by_role("slider", name="Recorded epoch").fill("4")
    expect_epoch(first, 4)
    expect_epoch(second, 4)
    second.get_by_role("button", name="Play", exact=True).click()
    expect_epoch(first, 10)
    expect(second.get_by_role("button", name="Play", exact=True)).to_be_visible()


DIVERGING = """
import backprop_nb as bp
playground = bp.Playground("circles", activation="relu", learning_rate=1e9)
playground
"""


def test_a_diverging_training_says_so_and_its_controls_go_on_working(open_notebook):
    notebook = open_notebook("diverging.ipynb", cells=[DIVERGING], theme="dark", width=700)
    notebook.run_all()
    page, root = notebook.page, notebook.page.locator(".bpnb").first
    root.get_by_role("button", name="Play", exact=True).click()
    problem = root.get_by_role("alert")
    expect(problem).to_contain_text("Try learning_rate=1")
    expect(root.get_by_role("button", name="Play", exact=True)).to_be_visible()

    # By keyboard alone to a smaller rate: with it a new run begins.
    rate = root.get_by_role("slider", name="learning rate")
    rate.focus()
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    expect(problem).to_be_hidden()
    assert rate.evaluate("rate => rate === document.activeElement")
    page.keyboard.press("]")
    expect(root.locator(".bpnb-readings b").first).to_have_text("1")

    # Another network is drawn, and the controls say which.
    units = root.get_by_role("slider", name="units a layer")
    units.fill("2")
    expect(root.locator("[data-key='A:1:0:2']")).to_have_count(1)
    expect(root.locator("[data-key='A:1:0:3']")).to_have_count(0)
    root.get_by_role("radio", name="spiral").check()
    expect(root.locator(".bpnb-readings b").first).to_have_text("0")
    assert root.evaluate("root => root.scrollWidth <= root.clientWidth")


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 700)])
def test_its_page_replays_the_run_without_a_kernel(open_page, theme, width, tmp_path):
    playground = same_playground(30)
    page = open_page(playground.to_html(tmp_path / "run"), theme, width)
    root = page.locator(".bpnb")
    expect(root.locator(".bpnb-readings b").first).to_have_text("30")
    assert violations(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    expect_epoch(root, 0)
    page.keyboard.press("]")
    expect_epoch(root, int(playground.recorded[1]))
    root.get_by_role("button", name="Play", exact=True).focus()
    page.keyboard.press("Space")
    expect(root.locator(".bpnb-readings b").first).to_have_text("30")
    expect_colours(root, playground, theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "plane"), [(BESIDE_FILES, 320), (NOTEBOOK, 370)])
def test_in_a_notebook_the_plane_is_large_and_in_sight_below_its_code(
    open_page, tmp_path, width, plane
):
    file = same_playground(5).to_html(tmp_path / "run")
    page, end = open_as_in_a_notebook(open_page, file, width)
    pictures = [each.bounding_box() for each in page.locator(".bpnb-play-stage svg").all()]
    assert pictures[0]["width"] > plane
    code = 80
    for each in pictures:
        assert each["y"] + each["height"] < end - code

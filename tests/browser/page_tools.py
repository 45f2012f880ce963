"""What tests of views in a browser share: programs to be traced, what is said."""

import runpy

from frame_words import frame_words

from backprop_nb.views.numbers import long

WINDOW = {"width": 1280, "height": 720}
SEEN, NOTEBOOK, BESIDE_FILES = 599, 1100, 848
"""What JupyterLab leaves a view of that window: in height, in width, in width beside its files."""


def open_as_in_a_notebook(open_page, file, width=NOTEBOOK):
    """Return a page on which a view has so much room, and where what is seen of it ends."""
    page = open_page(file, width=round(width / 0.96), reduced_motion="reduce")  # the page's margins
    page.set_viewport_size({"width": round(width / 0.96), "height": WINDOW["height"]})
    page.reload()
    box = page.locator(".bpnb").bounding_box()
    assert abs(box["width"] - width) < 1
    return page, box["y"] + SEEN


def graph_of(program, folder):
    """The graph that a program calls ``graph``; it is run as a file, so that it has its source."""
    script = folder / "program.py"
    script.write_text(program, encoding="utf-8")
    return runpy.run_path(str(script))["graph"]


def view_in(page, index=0):
    """One of the views of a page, once it is there."""
    root = page.locator(".bpnb").nth(index)
    root.wait_for()
    root.scroll_into_view_if_needed()
    return root


def spoken(root):
    """What a screen reader is told: the live region."""
    return root.locator(".bpnb-live")


def expect(target):
    """Playwright's own, imported when a test runs: without it the tests are skipped."""
    from playwright import sync_api

    return sync_api.expect(target)


def expect_step(root, scene, step):
    """Wait until an explorer says that it is at a step."""
    text = f"Step {step} of {len(scene['frames']) - 1}. {frame_words(scene, step)}"
    expect(spoken(root)).to_have_text(text)


def steps_back(root, graph, scene):
    """Step through an explorer, and yield at each step back, which shows the library's numbers."""
    backward, forward = graph.backward(), root.get_by_role("button", name="Step forward")
    first = next(k for k, frame in enumerate(scene["frames"]) if frame["phase"] == "backward")
    for _ in range(first):
        forward.click()
    for number, step in enumerate(backward.steps):
        expect_step(root, scene, first + number)
        adjoint = root.locator(".bpnb-whole").first.locator("span").all_inner_texts()
        assert adjoint == [long(x) for x in step.adjoint.ravel()]
        for one in step.contributions:
            card = root.locator(f".bpnb-card[data-node='{one.parent.name}']")
            shown = card.locator(".bpnb-slot").nth(1).locator(".bpnb-grid")
            expected = ", ".join(long(x) for x in one.value.ravel())
            assert shown.get_attribute("aria-label").endswith(expected)
        yield
        forward.click()

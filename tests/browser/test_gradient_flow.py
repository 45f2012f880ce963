"""``GradientFlow`` in a real JupyterLab, by mouse and by keyboard, and as a page of its own."""

import pytest
from accessibility import violations
from page_tools import expect, view_in

import backprop_nb as bp
from backprop_nb.views.numbers import long

ONE = """
import pytest

import backprop_nb as bp
view = bp.GradientFlow(more=True)
display(view, view)
"""


def control(root, name):
    return root.get_by_role("slider", name=name, exact=True)


def show(root, detail):
    root.get_by_role("radio", name=detail, exact=True).check()


def facts(root):
    """The printed numbers of the chosen weight, name by name."""
    rows = root.locator(".bpnb-flow-facts > div")
    return dict(
        zip(*(rows.locator(part).all_text_contents() for part in ("span", "b")), strict=True)
    )


def slider_to_repaint(root):
    """How long it takes, in milliseconds, from a slider's move to the new picture, seven times."""
    return root.evaluate(
        """async root => {
            const slider = [...root.querySelectorAll(".bpnb-slider")]
                .find(label => label.textContent.startsWith("weight scale")).querySelector("input");
            const net = root.querySelector(".bpnb-flow-net");
            const times = [];
            for (let value = -6; value <= 0; value++) {
                const start = performance.now();
                const painted = new Promise(resolve => {
                    const observer = new MutationObserver(() => {
                        observer.disconnect();
                        requestAnimationFrame(() => setTimeout(resolve));
                    });
                    observer.observe(net, { characterData: true, subtree: true });
                });
                slider.value = value;
                slider.dispatchEvent(new Event("input"));
                await painted;
                times.push(performance.now() - start);
            }
            return times;
        }"""
    )


def test_it_steps_slides_and_drags(open_notebook):
    notebook = open_notebook("flow.ipynb", cells=[ONE], height=1200)
    notebook.run_all()
    root, other, page = view_in(notebook.page), view_in(notebook.page, 1), notebook.page
    view = bp.GradientFlow()
    gradient = view._flow.gradient
    spoken = root.locator(".bpnb-live")

    # At the end, all is known; one step earlier the first layer's gradient is not.
    last_row = root.locator(".bpnb-flow-table tbody tr").last
    assert last_row.locator("td").first.inner_text() == long(view._flow.norms[1])
    assert facts(root)["δ₁[0]"] == long(gradient.delta[1][0])
    control(root, "Step").focus()
    page.keyboard.press("[")
    expect(spoken).to_have_text(f"Step 16 of 17. {view.scene['frames'][16]['words']}")
    assert last_row.locator("td").first.inner_text() == "·"
    assert facts(root)["δ₁[0]"] == "–"
    expect(root.locator("[data-key='delta:1:0']")).to_be_hidden()
    expect(other.locator(".bpnb-live")).to_contain_text("Step 16 of 17.")
    page.keyboard.press("End")
    expect(root.locator("[data-key='delta:1:0']")).to_be_visible()

    # A slider draws a new network, keeps the focus, and both displays follow.
    slider = control(root, "layers")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    view.depth = 7
    for each in (root, other):
        expect(each.locator(".bpnb-flow-verdict")).to_contain_text(view.scene["verdict"]["text"])
        expect(each.locator(".bpnb-flow-table tbody tr")).to_have_count(7)
    assert slider.evaluate("element => element === document.activeElement")
    root.get_by_role("radio", name="tanh").check()
    view.activation = "tanh"
    expect(root.locator(".bpnb-flow-verdict")).to_contain_text(view.scene["verdict"]["text"])
    # What stays the same is not made anew, but for numbers in it.
    cell, formula = last_row.locator("td").first, root.locator(".bpnb-title math").first
    kept = [each.element_handle() for each in (cell, formula)]
    control(root, "weight scale").press("ArrowLeft")
    view.scale = 0.79
    expect(cell).to_have_text(long(view._flow.norms[1]))
    assert all(each.evaluate("element => element.isConnected") for each in kept)
    root.get_by_role("button", name="Back to what was given").click()
    expect(root.locator(".bpnb-flow-table tbody tr")).to_have_count(8)
    view.given = True

    # Choose an edge with the mouse and drag it up: eight places in all.
    edge = root.locator(".bpnb-flow-net path[data-key='A:7:0:0']")
    x, y = edge.evaluate(
        """path => {
            const middle = path.getPointAtLength(path.getTotalLength() / 3);
            const { x, y } = middle.matrixTransform(path.getScreenCTM());
            return [x, y];
        }"""
    )
    page.mouse.move(x, y)
    page.mouse.down()
    expect(root.get_by_label("Weight or bias")).to_have_value("A_7[0, 0]")
    expect(root.locator(".bpnb-flow-curve svg")).to_have_attribute(
        "aria-label", f"The loss as A₇[0, 0] = {long(view._flow.net.A[7][0, 0])} moves; "
        f"its gradient is {long(gradient.A[7][0, 0])}."
    )  # fmt: skip
    page.mouse.move(x, y - 2)
    page.mouse.move(x, y - 20)
    page.mouse.up()
    view.selected = "A_7[0, 0]"
    curve = view.curves["A_7[0, 0]"]
    start = curve["epsilons"].index(0.0)
    weight, _, loss, change, linear, difference = curve["texts"][start + 4].values()
    expect(root.locator(".bpnb-flow-change b")).to_have_text([loss, change, linear, difference])
    expect(other.locator(".bpnb-flow-change b")).to_have_text([loss, change, linear, difference])

    # The same by keyboard alone, and then for good.
    net = root.locator(".bpnb-flow-net")
    net.focus()
    page.keyboard.press("+")
    page.keyboard.press("-")
    expect(spoken).to_have_text(
        f"A_7[0, 0] at {weight}: actual change {change}, gradient times epsilon {linear}, "
        f"difference {difference}."
    )
    root.get_by_role("button", name="Keep this weight").click()
    view.weight = curve["epsilons"][start + 4] + view.weight
    expect(root.locator(".bpnb-flow-verdict")).to_contain_text(view.scene["verdict"]["ratio"])
    assert facts(root)["A₇[0, 0]"] == weight
    net.focus()
    for key in ("b", "a"):  # JupyterLab's own: insert a cell below, above
        page.keyboard.press(key)
    page.keyboard.press("ArrowDown")
    expect(root.get_by_label("Weight or bias")).to_have_value("A_7[0, 1]")
    page.keyboard.press("ArrowLeft")
    expect(root.get_by_label("Weight or bias")).to_have_value("A_6[0, 1]")
    assert violations(page, ".bpnb") == []
    assert page.locator(".jp-Notebook .jp-Cell").count() == 1
    times = slider_to_repaint(root)
    print("slider to repaint, ms:", [round(each) for each in times])
    # The aim is 100 ms on a machine that has nothing else to do; this only catches a collapse.
    assert min(times) <= 1500
    notebook.set_theme("dark")
    page.set_viewport_size({"width": 700, "height": 1200})
    assert violations(page, ".bpnb") == []

    # Without its kernel it can still be stepped and dragged, but not drawn anew.
    view.scale = 0.5
    view.scale, view.selected = 1.0, "A_6[0, 1]"  # as the slider, which ended where it began
    expect(root.locator(".bpnb-flow-curve svg")).to_have_attribute(
        "aria-label", view.curves["A_6[0, 1]"]["picture"]["alt"]
    )
    notebook.restart_kernel()
    expect(root.locator(".bpnb-notice")).to_be_visible()
    show(root, "settings")
    expect(control(root, "layers")).to_be_disabled()
    show(root, "one weight")
    control(root, "ε").fill("20")
    texts = list(view.curves["A_6[0, 1]"]["texts"][20].values())
    expect(root.locator(".bpnb-flow-change b")).to_have_text(texts[2:])


def test_a_page_of_its_own_drags_every_weight(open_page, tmp_path):
    view = bp.GradientFlow(step=12, edges="gradient")
    page = open_page(view.to_html(tmp_path / "flow"), "dark", 700)
    root = page.locator(".bpnb")
    expect(root.locator(".bpnb-live")).to_contain_text("Step 12 of 17.")
    settings = control(root, "layers")
    expect(settings).to_be_hidden()  # at first there are the network, a sentence and the bars
    root.get_by_text("more: settings").click()
    expect(settings).to_be_disabled()
    show(root, "one weight")
    root.get_by_label("Weight or bias").select_option("b_6[2]")
    view.selected = "b_6[2]"
    curve = view.curves["b_6[2]"]
    control(root, "ε").fill("3")
    expect(root.locator(".bpnb-flow-change b")).to_have_text(list(curve["texts"][3].values())[2:])
    dot = root.locator("[data-key='mark:dot']")
    assert [float(dot.get_attribute(name)) for name in ("cx", "cy")] == curve["places"][3][:2]
    # A press into the curve moves the weight there.
    box = root.locator(".bpnb-flow-curve svg").bounding_box()
    share = curve["places"][25][0] / curve["picture"]["width"]
    page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    expect(root.locator(".bpnb-flow-change b")).to_have_text(list(curve["texts"][25].values())[2:])
    show(root, "settings")
    root.get_by_role("radio", name="weight", exact=True).check()
    for detail, step in (("one weight", 0), ("settings", 17), ("layer by layer", 17)):
        show(root, detail)
        control(root, "Step").fill(str(step))
        expect(root.locator(".bpnb-live")).to_contain_text(f"Step {step} of 17.")
        assert violations(page, ".bpnb") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_a_picture_that_is_edited_is_the_one_that_a_new_display_draws(open_notebook):
    made = "import backprop_nb as bp\nview = bp.GradientFlow(more=True)\nview"
    notebook = open_notebook("edited.ipynb", cells=[made, "view"], height=1200)
    notebook.run_all()
    root, page = view_in(notebook.page), notebook.page
    control(root, "units a layer").fill("6")
    control(root, "weight scale").fill("4")
    root.get_by_role("radio", name="gradient", exact=True).check()
    show(root, "one weight")
    root.get_by_label("Weight or bias").select_option("b_3[5]")
    control(root, "ε").fill("20")
    root.get_by_role("button", name="Step back").click()
    page.evaluate("window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1")
    notebook.command("notebook:run-cell")
    new = view_in(notebook.page, 1)
    expect(new.locator(".bpnb-live")).to_contain_text("Step 16 of 17.")
    expect(new.get_by_label("Weight or bias")).to_have_value("b_3[5]")
    same = """([one, two]) => {
        const pictures = root => [...root.querySelectorAll("svg.bpnb-picture")];
        return pictures(one).map((each, k) => each.isEqualNode(pictures(two)[k]));
    }"""
    roots = [each.element_handle() for each in (root, new)]
    assert page.evaluate(same, roots) == [True] * 3


@pytest.mark.parametrize("width", [610, 850, 1120])
def test_an_edge_is_dragged_beside_its_curve(open_page, tmp_path, width):
    page = open_page(bp.GradientFlow().to_html(tmp_path / "flow"), width=width)
    root = page.locator(".bpnb")
    edge = root.locator(".bpnb-flow-net path[data-key='A:7:0:0']")
    at = edge.evaluate(
        """path => {
            const middle = path.getPointAtLength(path.getTotalLength() / 3);
            const { x, y } = middle.matrixTransform(path.getScreenCTM());
            return [x, y];
        }"""
    )
    # A click for the focus chooses; the next one, and any drag, opens.
    page.mouse.click(*at)
    change = root.locator(".bpnb-flow-change")
    expect(root.get_by_label("Weight or bias")).to_have_value("A_7[0, 0]")
    expect(change).to_be_hidden()
    page.mouse.click(*at)
    expect(change).to_be_visible()
    net, below = root.locator(".bpnb-flow-net").bounding_box(), change.bounding_box()
    # So much has room in JupyterLab at 720.
    assert below["y"] + below["height"] - net["y"] <= 560


def test_nothing_of_the_network_is_cut_in_a_narrow_notebook(open_page, tmp_path):
    page = open_page(bp.GradientFlow().to_html(tmp_path / "flow"))
    for width in range(520, 700, 30):
        page.set_viewport_size({"width": width, "height": 900})
        over = "stack => stack.scrollWidth - stack.clientWidth"
        assert page.locator(".bpnb-flow-stack").evaluate(over) <= 0

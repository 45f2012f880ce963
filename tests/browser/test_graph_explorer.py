"""``GraphExplorer`` in JupyterLab and on a page: by mouse and by keyboard, numbers checked."""

import numpy as np
import pytest
from accessibility import violations
from every_view import CUT_LINES
from page_tools import expect, expect_step, graph_of, spoken, steps_back, view_in

import backprop_nb as bp
from backprop_nb.views.numbers import long

LESSON = "00_start_here.ipynb"


@pytest.fixture(scope="module")
def written(graph, tmp_path_factory):
    """The page of the first lesson's graph."""
    return graph.explore().to_html(tmp_path_factory.mktemp("page") / "lesson")


def cells(locator):
    return locator.locator(".bpnb-grid span").all_inner_texts()


def off_stage(root):
    """The names of the cards that are not wholly inside the stage."""
    return root.evaluate(
        """root => {
            const stage = root.querySelector(".bpnb-stage").getBoundingClientRect();
            return [...root.querySelectorAll(".bpnb-card")]
                .filter(card => {
                    const box = card.getBoundingClientRect();
                    return box.left < stage.left || box.right > stage.right;
                })
                .map(card => card.dataset.node);
        }"""
    )


def test_every_step_back_shows_the_librarys_numbers(open_notebook, graph, scene):
    notebook = open_notebook(LESSON)
    notebook.run_all()
    root = view_in(notebook.page)
    for _ in steps_back(root, graph, scene):
        assert off_stage(root) == []  # there is room for all of it
    notebook.set_theme("dark")
    assert violations(notebook.page, ".bpnb") == []


def test_the_keyboard_alone_reaches_every_step_and_every_node(open_page, written, scene):
    page = open_page(written)
    root = view_in(page)
    last = len(scene["frames"]) - 1
    page.keyboard.press("Tab")
    for step in range(1, last + 1):
        page.keyboard.press("]")
        expect_step(root, scene, step)
    page.keyboard.press("[")
    expect_step(root, scene, last - 1)
    page.keyboard.press("Home")
    expect_step(root, scene, 0)
    page.keyboard.press("End")
    expect_step(root, scene, last)

    # From the first step back, an arrow to the left follows the edge to a parent.
    walked = [scene["nodes"][scene["output"]]["name"]]
    root.locator(f".bpnb-card[data-node='{walked[0]}']").focus()
    while not walked[-1].startswith(("A", "b", "x")):
        page.keyboard.press("ArrowLeft")
        focused = page.evaluate("document.activeElement.dataset.node")
        assert focused != walked[-1]
        walked.append(focused)
        expect(root.locator(".bpnb-node .bpnb-name")).to_have_text(focused)
    assert len(walked) > 5
    page.keyboard.press("Escape")
    expect(root.locator(".bpnb-focus")).to_have_count(0)


TWICE = """
import backprop_nb as bp
explorer = bp.trace(lambda x: x**2 + x, 3.0).explore(interval=100)
display(explorer, explorer)
"""
HOSTILE = """
import backprop_nb as bp

def loss(p):
    return p["<img src=x onerror=alert(1)>"] * 2.0  # <img src=y onerror="alert(2)"> </script>

bp.trace(loss, {"<img src=x onerror=alert(1)>": 1.5})
"""


def test_two_displays_stay_in_step_and_leave_jupyterlab_alone(open_notebook):
    notebook = open_notebook("twice.ipynb", cells=[TWICE, HOSTILE])
    notebook.run_all()
    page = notebook.page
    first, second, hostile = (view_in(page, k) for k in range(3))
    first.get_by_role("button", name="Step forward").click()
    expect(spoken(second)).to_contain_text("Step 1 of 5")
    second.get_by_role("button", name="Step forward").click()
    expect(spoken(first)).to_contain_text("Step 2 of 5")

    # What would edit the cells, or collapse headings, is the view's while it has the focus.
    cells_before = page.locator(".jp-Notebook .jp-Cell").count()
    slider = first.get_by_role("slider", name="Step")
    for part in (first.locator(".bpnb-card[tabindex='0']"), slider):
        part.focus()
        for key in ("b", "a", "x", "d", "d"):  # insert below, above, cut, delete
            page.keyboard.press(key)
    page.keyboard.press("ArrowRight")  # collapse what is below a heading
    assert slider.input_value() == "3"
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells_before

    second.get_by_role("button", name="Play").click()
    expect(spoken(first)).to_contain_text("Step 5 of 5")
    expect(second.get_by_role("button", name="Play")).to_be_visible()

    assert page.locator(".jp-OutputArea img:visible").count() == 0
    assert '<img src=y onerror="alert(2)">' in hostile.locator(".bpnb-block").inner_text()

    # Without its kernel it says so, and goes on stepping.
    expect(first.locator(".bpnb-notice")).to_be_hidden()
    notebook.restart_kernel()
    expect(first.locator(".bpnb-notice")).to_have_text(
        "The kernel behind this view has ended. What is shown can still be stepped. "
        "For all of it, run the cells above again, and then this one."
    )
    for step in (4, 3):
        first.get_by_role("button", name="Step back").click()
        expect(spoken(first)).to_contain_text(f"Step {step} of 5")


FAN_OUT = """
import numpy as np
import backprop_nb as bp

def f(x):
    u = x**2
    v = u + np.exp(u)
    return np.sqrt(v) + np.cos(v)

graph = bp.trace(f, 0.7)
"""


def test_contributions_add_up_at_a_fan_out(open_page, tmp_path):
    graph = graph_of(FAN_OUT, tmp_path)
    page = open_page(graph.explore(step=9).to_html(tmp_path / "page"))
    root, backward = view_in(page), graph.backward()
    given = [c.value for step in backward.steps for c in step.contributions if c.parent.name == "v"]
    card = root.locator(".bpnb-card[data-node='v']")
    assert card.locator(".bpnb-badge").inner_text() == "1 of 2"
    card.click()
    root.get_by_role("button", name="Step forward").click()
    assert card.locator(".bpnb-badge").inner_text() == "2 of 2"
    assert len(given) == 2
    assert cells(root.locator(".bpnb-sum")) == [long(g) for g in (*given, sum(given))]
    # The sum looks like what it is the sum of.
    heights = [e.bounding_box()["height"] for e in root.locator(".bpnb-sum .bpnb-big").all()]
    assert len(heights) == 3
    assert len(set(heights)) == 1


def test_a_sum_shows_vectors_of_one_form(open_page, tmp_path):
    def f(x):
        return np.sum(np.array([[1.0, 2.0, 0.5], [0.0, 1.0, 3.0], [2.0, 1.0, 1.0]]) @ x * x)

    view = bp.trace(f, np.array([0.5, -1.0, 2.0])).explore()
    view.step = view.last_step  # a product of a matrix, an upright vector, is added to another
    root = view_in(open_page(view.to_html(tmp_path / "page")))
    heights = [e.bounding_box()["height"] for e in root.locator(".bpnb-sum .bpnb-big").all()]
    assert len(heights) == 3
    assert len(set(heights)) == 1


def test_hovering_lights_the_lineage_and_the_code(open_page, written, scene):
    root = view_in(open_page(written))
    root.locator(".bpnb-card[data-node='f1']").hover()
    dimmed = root.locator(".bpnb-card.bpnb-dim").evaluate_all(
        "cards => cards.map(c => c.dataset.node)"
    )
    assert sorted(dimmed) == ["A1", "b1", "y"]
    lit = root.locator(".bpnb-codes .bpnb-lit").all_inner_texts()
    assert "bp.sigmoid(z1)" in lit
    assert any(text.startswith("d_f1 = ") for text in lit)
    # And the reverse: an expression in the code lights its card.
    root.locator(".bpnb-block span span", has_text="A1 @ f1").first.hover()
    assert root.locator(".bpnb-card.bpnb-lit").get_attribute("data-node") == name_of(
        scene, "A1 @ f1"
    )


TWO_FRAMES = """() => new Promise(
    done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"""


def test_a_resting_pointer_fades_no_step(open_page, written):
    page = open_page(written)
    root = view_in(page)
    root.focus()
    dimmed = root.locator(".bpnb-dim")
    for name in ("A0", "z2"):
        root.locator(f".bpnb-card[data-node='{name}']").hover()
        assert dimmed.count()
        for _ in range(8):  # the picture moves, and other things come below the pointer
            page.keyboard.press("]")
            page.evaluate(TWO_FRAMES)
            assert dimmed.count() == 0


def name_of(scene, source):
    return next(node["name"] for node in scene["nodes"] if node["source"] == source)


def test_the_dashes_move_for_who_has_not_asked_for_less(open_page, written):
    root = view_in(open_page(written))
    root.get_by_role("button", name="Step forward").click()
    moving = root.locator(".bpnb-edge.bpnb-forward").first
    animation = moving.evaluate("edge => getComputedStyle(edge).animationName")
    assert animation != "none"


UNHEALTHY = """
import numpy as np
import backprop_nb as bp

def loss(A, x):
    z = A @ x
    r = np.maximum(z, 0.0)
    s = bp.sigmoid(8.0 * r - 3.0)
    return np.sum(np.abs(s - 0.5)) + np.abs(r[1])

graph = bp.trace(loss, np.array([[1.0, 2.0], [1.0, -1.0], [0.5, 0.5]]), np.array([0.5, 0.5]))
"""


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 700)])
def test_marks_show_with_their_value_and_are_said(open_page, theme, width, tmp_path):
    graph = graph_of(UNHEALTHY, tmp_path)
    marks = {node.name: [str(mark) for mark in node.health] for node in graph.nodes if node.health}
    kinds = [text.split(":")[0] for texts in marks.values() for text in texts]
    assert set(kinds) == {"saturated", "kink", "tie"}

    page = open_page(graph.explore().to_html(tmp_path / "page"), theme, width)
    root = view_in(page)
    expect(root.locator(".bpnb-legend .bpnb-mark-badge")).to_have_count(3)
    visible = root.locator(".bpnb-card-mark:visible")
    expect(visible).to_have_count(0)  # nothing is computed yet

    # By keyboard alone: step until the tie is there, and hear it.
    root.get_by_role("button", name="To the start").focus()
    tie = marks["r"][0]
    for _ in range(2):
        page.keyboard.press("]")
    expect(spoken(root)).to_contain_text(tie.removeprefix("tie: "))
    expect(visible).to_have_count(1)
    page.keyboard.press("End")
    expect(visible).to_have_count(len(kinds))

    for name, texts in marks.items():
        card = root.locator(f".bpnb-card[data-node='{name}']")
        card.focus()
        page.keyboard.press("Enter")
        expect(root.locator(".bpnb-health")).to_have_text(texts)
        for text in texts:
            assert text in card.get_attribute("aria-label")
    assert overlapping_marks(root) == []
    root.evaluate("element => element.scrollIntoView()")
    page.keyboard.press("Home")
    expect(visible).to_have_count(0)


def overlapping_marks(root):
    """Badges that cover a text or a number of a card, or one another."""
    return root.evaluate(
        """root => {
            const box = element => element.getBoundingClientRect();
            const apart = (a, b) =>
                a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
            const texts = ".bpnb-symbol, .bpnb-card .bpnb-name, .bpnb-slot, .bpnb-group-name";
            const marks = [...root.querySelectorAll(".bpnb-card-mark")];
            const others = [...marks, ...root.querySelectorAll(texts)];
            return marks.flatMap(mark => others
                .filter(other => other !== mark && (other.textContent || marks.includes(other)))
                .filter(other => !apart(box(mark), box(other)))
                .map(other => `${mark.title} on ${other.textContent || other.title}`));
        }"""
    )


def test_a_picture_a_little_too_wide_is_shown_whole(open_page, tmp_path):
    rng = np.random.default_rng(0)
    net = bp.SigmoidNetwork((64, 32, 10), seed=0)
    graph = net.trace(rng.normal(size=(20, 64)), rng.random((20, 10)))
    path = graph.explore().to_html(tmp_path / "page")
    assert off_stage(open_page(path).locator(".bpnb")) == []
    small = bp.SigmoidNetwork((4, 3, 3), seed=0).trace(np.ones(4), np.zeros(3)).explore()
    path = small.to_html(tmp_path / "small")
    # As wide as in JupyterLab at 1400, beside its list of files.
    assert off_stage(open_page(path, width=1010).locator(".bpnb")) == []
    # Where the texts would be too small it keeps its size, and follows the steps.
    assert off_stage(open_page(path, width=700).locator(".bpnb")) != []


def test_no_head_of_code_is_cut_at_any_width(open_page, tmp_path, graph):
    page = open_page(graph.explore().to_html(tmp_path / "page"))
    beside = "all => all.map(each => each.scrollWidth - each.clientWidth)"
    for width in range(340, 1400, 53):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator(".bpnb-pass-head").evaluate_all(beside) == [0, 0]


# What of the numbers is cut off, or below the fold.
HIDDEN = """() => {
    const panel = document.querySelector(".bpnb-numbers");
    const { bottom } = panel.getBoundingClientRect();
    const inside = panel.scrollHeight - panel.clientHeight;
    return [inside, Math.max(0, bottom - window.innerHeight)];
}"""


def test_a_batch_on_its_way_forward_is_in_sight_on_a_short_page(open_page, tmp_path):
    x, y = np.ones((5, 4)), np.ones((5, 3))
    explorer = bp.SigmoidNetwork((4, 3, 3), seed=0).trace(x, y).explore()
    page = open_page(explorer.to_html(tmp_path / "page"))
    page.set_viewport_size({"width": 1280, "height": 720})
    found = []
    for number, frame in enumerate(explorer.scene["frames"]):
        page.get_by_role("slider").fill(str(number))
        found += [page.evaluate(HIDDEN)] if frame["phase"] in ("start", "forward") else []
    assert len(found) > 10
    assert set(map(tuple, found)) == {(0, 0)}


def test_the_event_is_told_in_its_order_and_all_of_it_is_in_sight(open_page, tmp_path):
    graph = graph_of(FAN_OUT, tmp_path)
    explorer = graph.explore()
    page = open_page(explorer.to_html(tmp_path / "page"))
    page.set_viewport_size({"width": 1280, "height": 720})
    numbers, slider = page.locator(".bpnb-numbers"), page.get_by_role("slider")
    for number, frame in enumerate(explorer.scene["frames"]):
        slider.fill(str(number))
        assert page.evaluate(HIDDEN) == [0, 0]
        if frame["phase"] == "forward":  # the call with its numbers
            node = graph.nodes[frame["node"]]
            values = [long(float(each.value)) for each in (*node.parents, node)]
            assert cells(numbers.locator(".bpnb-computed")) == values
    # Step by step back through the node that is used twice.
    v, backward = graph.node("v"), graph.backward()
    phases = [(frame["phase"], frame["node"]) for frame in explorer.scene["frames"]]
    slider.fill(str(phases.index(("backward", v.index))))
    told = ["receives 2 contributions", "adds up", "hands on"]
    assert numbers.locator("h3").all_inner_texts() == told
    given = [c for step in backward.steps for c in step.contributions if c.parent is v]
    received, added, handed = numbers.locator(".bpnb-event > div").all()
    shown = [cells(each)[-1] for each in received.locator(".bpnb-contribution").all()]
    assert shown == [long(c.value) for c in given]
    assert cells(added)[-1] == long(backward.adjoint(v))
    names = handed.locator(".bpnb-lead .bpnb-name").all_inner_texts()
    assert names == [parent.name for parent in v.parents]
    # In formulas, each of several contributions is added.
    signs = page.locator(".bpnb-formulas > span").all_inner_texts()
    assert ["+=" in "".join(text.split()) for text in signs] == [True, False]


def _of_few_lines(x):
    a = np.sin(x)
    return np.sum(a * x) + np.sum(np.exp(a)) + np.sum(np.cos(a) * x) + np.prod(np.tanh(a) / 2)


@pytest.mark.parametrize("width", [1280, 700, 330, "presenting"])
@pytest.mark.parametrize("few", [False, True])
def test_no_line_of_code_is_cut(open_page, tmp_path, graph, width, few):
    explorer = (bp.trace(_of_few_lines, np.array([0.1, 0.7, 1.2])) if few else graph).explore()
    page = open_page(explorer.to_html(tmp_path / "page"), reduced_motion="reduce")
    if width == "presenting":
        page.get_by_role("button", name="Presentation").click()
    page.set_viewport_size({"width": 1280 if width == "presenting" else width, "height": 720})
    expect_step(page, explorer.scene, 0)
    for step in range(explorer.last_step + 1):
        page.get_by_role("slider").fill(str(step))
        assert page.evaluate(CUT_LINES) == []
    assert page.locator(".bpnb-codes .bpnb-panel .bpnb-line").count() > 12


def test_a_kept_card_says_so_and_lets_go(open_page, written, graph):
    page = open_page(written)
    root, kept = view_in(page), page.locator(".bpnb-kept")
    expect(kept).to_be_hidden()
    name = root.locator(".bpnb-node .bpnb-name")
    # Who clicked for the focus alone sees the steps.
    root.locator(".bpnb-card[data-node='f1']").click()
    expect(name).to_have_text("f1")
    page.keyboard.press("]")
    expect(name).to_have_text(next(node.name for node in graph.nodes if node.parents))
    page.keyboard.press("[")
    root.locator(".bpnb-card[data-node='f1']").click()
    expect(kept).to_have_text("f1 is kept · follow the steps ×")
    page.keyboard.press("]")
    expect(spoken(root)).to_contain_text("f1 is kept.")
    expect(name).to_have_text("f1")
    # By keyboard: the button is the first stop in the panel; Escape does the same.
    root.locator(".bpnb-numbers").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "follow the steps ×"
    page.keyboard.press("]")
    assert page.evaluate("document.activeElement.textContent") == "follow the steps ×"
    page.keyboard.press("Enter")
    expect(kept).to_be_hidden()
    expect(name).to_have_text([node.name for node in graph.nodes if node.parents][1])
    assert page.evaluate("document.activeElement.closest('.bpnb') !== null")
    # Who walks to a card sees its numbers until the next step, or keeps them.
    root.locator(".bpnb-card[data-node='f1']").focus()
    for key, shown in (("ArrowRight", True), ("]", False)):
        page.keyboard.press(key)
        walked = page.evaluate("document.activeElement.dataset.node")
        assert walked != "f1"
        (expect(name).to_have_text if shown else expect(name).not_to_have_text)(walked)
        expect(kept).to_be_hidden()
    page.keyboard.press("Enter")
    expect(kept).to_have_text(f"{walked} is kept · follow the steps ×")
    page.keyboard.press("Escape")
    expect(kept).to_be_hidden()


def test_what_is_below_the_headline_stays_where_it_is(open_page, tmp_path):
    def wide(*xs):
        return np.sum(np.stack(xs) ** 2)

    explorer = bp.trace(wide, *np.linspace(0, 1, 12)).explore()
    page = open_page(explorer.to_html(tmp_path / "page"))
    slider, stage = page.get_by_role("slider"), page.locator(".bpnb-stage")
    tops = set()
    for step in range(explorer.last_step + 1):
        slider.fill(str(step))
        tops.add(stage.bounding_box()["y"])
    assert len(tops) == 1
    # A drag moves the picture and selects nothing.
    box = stage.bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 700, steps=3)
    page.mouse.up()
    assert page.evaluate("String(getSelection())") == ""

"""Folded groups of ``GraphExplorer`` in a real JupyterLab and on a page of their own."""

import numpy as np
import pytest
from accessibility import violations
from page_tools import BESIDE_FILES, expect, graph_of, open_as_in_a_notebook, spoken

import backprop_nb as bp
from backprop_nb.views.numbers import long

DEEP = """
import numpy as np
import backprop_nb as bp

def layer(A, b, x):
    z = A @ x + b
    return bp.sigmoid(z)

def loss(A, b, x, y):
    f = x
    for i in range(len(A)):
        f = layer(A[i], b[i], f)
    return np.sum((y - f) ** 2)

rng = np.random.default_rng(0)
A = [rng.normal(size=(3, 3)) for _ in range(LAYERS)]
b = [rng.normal(size=3) for _ in range(LAYERS)]
graph = bp.trace(loss, A, b, np.ones(3), np.zeros(3))
"""


def deep(layers):
    return DEEP.replace("LAYERS", str(layers))


def deep_graph(folder, layers):
    return graph_of(deep(layers), folder)


def turner(root, name):
    return root.locator(f".bpnb-turner[data-group='{name}']")


def heat_texts(card, slot):
    shown = card.locator(".bpnb-slot").nth(slot).locator(".bpnb-grid")
    return shown.get_attribute("aria-label").split(": ")[1].split(", ")


def test_a_large_graph_opens_and_folds_by_mouse_and_by_keyboard(open_notebook, tmp_path):
    graph = deep_graph(tmp_path, 20)
    show = "explorer = graph.explore()\ndisplay(explorer, explorer)"
    notebook = open_notebook("folding.ipynb", cells=[deep(20) + show], theme="dark")
    notebook.run_all()
    page = notebook.page
    root, other = (page.locator(".bpnb").nth(k) for k in range(2))
    run = graph.explore().groups[0]
    expect(turner(root, run)).to_have_attribute("aria-expanded", "false")
    expect(turner(root, "layer 1")).to_have_count(0)
    assert violations(page, ".bpnb") == []

    # By mouse: open the run of layers; the other display follows, and back again by the key f.
    turner(root, run).click()
    expect(turner(root, run)).to_have_attribute("aria-expanded", "true")
    expect(turner(other, "layer 1")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("f")
    expect(turner(root, run)).to_have_attribute("aria-expanded", "false")
    expect(turner(root, run)).to_be_focused()
    page.keyboard.press("Enter")
    expect(turner(root, run)).to_be_focused()
    expect(turner(root, run)).to_have_attribute("aria-expanded", "true")
    assert violations(page, ".bpnb") == []

    # A step passes a folded group, whose card is the current one and shows the result.
    page.keyboard.press("]")
    card = root.locator(".bpnb-card[data-group='layer 1']")
    expect(card).to_have_class(r"bpnb-card bpnb-folded bpnb-healthy bpnb-current")
    expect(spoken(root)).to_contain_text("Step 3 of")
    expect(spoken(root)).to_contain_text("layer 1, 3 of 3.")
    assert heat_texts(card, 0) == [long(x) for x in graph.node("f1").value]
    page.keyboard.press("[")
    expect(spoken(root)).to_contain_text("Step 0 of")
    root.get_by_role("slider").fill("2")  # the slider reaches every frame
    expect(card.locator(".bpnb-badge")).to_have_text("2 of 3")
    page.keyboard.press("End")
    adjoint = graph.backward().adjoint("f1")
    assert heat_texts(card, 1) == [long(x) for x in adjoint]

    # What was seen can be shown again without a kernel, and nothing else.
    notebook.restart_kernel()
    expect(root.locator(".bpnb-notice")).to_be_visible()
    expect(turner(root, "layer 1")).to_be_disabled()
    turner(root, run).click()
    expect(turner(root, run)).to_have_attribute("aria-expanded", "false")


def test_of_a_very_large_graph_what_is_folded_away_comes_when_it_is_opened(open_notebook, tmp_path):
    graph = deep_graph(tmp_path, 20)
    small = "import backprop_nb.views.explorer.scene as scenes\nscenes.TOLD = 50\n"
    show = "explorer = graph.explore()\ndisplay(explorer, explorer)"
    notebook = open_notebook("told.ipynb", cells=[deep(20) + small + show])
    notebook.run_all()
    root, other = (notebook.page.locator(".bpnb").nth(k) for k in range(2))
    run = graph.explore().groups[0]
    lines = root.locator(".bpnb-as-numpy .bpnb-line")
    expect(lines.filter(has_text="folded away")).not_to_have_count(0)
    inside = lines.filter(has_text="d_b1 = d_z2")
    expect(inside).to_have_count(0)
    turner(root, run).click()
    expect(turner(other, "layer 1")).to_have_attribute("aria-expanded", "false")
    turner(root, "layer 2").click()
    for view in root, other:
        expect(view.locator(".bpnb-pass .bpnb-line").filter(has_text="d_b1 = d_z2")).to_have_count(
            1
        )
    # The slider reaches every frame; what is said of it comes from Python.
    hidden = graph.node("z18").index - len(graph.inputs)
    root.get_by_role("slider").first.fill(str(hidden))
    expect(spoken(root)).to_contain_text(f"Step {hidden} of")
    expect(spoken(root)).to_contain_text("Forward. ")
    expect(spoken(root)).not_to_contain_text("is folded away")


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 700)])
def test_a_page_of_its_own_folds_without_a_kernel(open_page, tmp_path, theme, width):
    graph = deep_graph(tmp_path, 3)
    path = graph.explore().to_html(tmp_path / "page")
    # With reduced motion the picture is where it is going to be.
    page = open_page(path, theme, width, reduced_motion="reduce")
    root = page.locator(".bpnb")
    before = root.locator(".bpnb-card").count()
    shown = root.locator(".bpnb-numbers .bpnb-grid span").all_inner_texts()
    assert shown == [long(x) for node in graph.inputs for x in node.value.ravel()]
    page.get_by_role("button", name="Fold all groups").click()
    expect(root.locator(".bpnb-folded")).to_have_count(3)
    expect(root.locator(".bpnb-card")).to_have_count(before - 9 + 3)
    assert violations(page, ".bpnb") == []
    # By keyboard alone: what has the focus is in sight, and the stage itself never scrolls.
    turner(root, "layer 3").focus()
    page.keyboard.press("Space")
    expect(turner(root, "layer 3")).to_have_attribute("aria-expanded", "true")
    expect(root.locator(".bpnb-folded")).to_have_count(2)
    for name in [node.name for node in graph.nodes if node.scope == ("layer 3",)]:
        root.locator(f".bpnb-card[data-node='{name}']").focus()
        stage, card = (
            page.locator(selector).bounding_box() for selector in (".bpnb-stage", "*:focus")
        )
        assert stage["x"] <= card["x"]
        assert card["x"] + card["width"] <= stage["x"] + stage["width"]
        assert root.locator(".bpnb-stage").evaluate("stage => stage.scrollLeft") == 0
    page.get_by_role("button", name="Open all groups").click()
    expect(root.locator(".bpnb-card")).to_have_count(before)


DRAWN = """() => [...document.querySelectorAll(".bpnb-card")]
    .filter(card => card.firstChild).map(card => card.dataset.node)"""


def test_of_hundreds_of_cards_those_in_sight_are_drawn_and_all_are_found(open_page, tmp_path):
    explorer = deep_graph(tmp_path, 60).explore(folded=[])
    page = open_page(explorer.to_html(tmp_path / "page"))
    root, names = page.locator(".bpnb"), [node.name for node in explorer.graph.nodes]
    assert root.locator(".bpnb-card").count() == len(names) > 300
    assert names[-1] not in page.evaluate(DRAWN)
    # Out of sight is not gone: for a screen reader, for the focus.
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    buttons = {each["name"]["value"] for each in tree if each["role"]["value"] == "button"}
    labels = root.locator(".bpnb-card").evaluate_all("all => all.map(card => card.ariaLabel)")
    assert set(labels) <= buttons

    last = explorer.last_step
    for key, step in [("]", 1), ("End", last), ("[", last - 1)]:
        root.locator(".bpnb-card[tabindex='0']").focus()
        page.keyboard.press(key)
        expect(spoken(root)).to_contain_text(f"Step {step} of {last}.")
        expect(root.locator(".bpnb-current")).to_be_in_viewport()
    page.keyboard.press("End")
    far = root.locator(f".bpnb-card[data-node='{names[-1]}']")
    far.focus()
    expect(far).to_be_in_viewport()
    assert names[-1] in page.evaluate(DRAWN)
    assert set(names) - set(page.evaluate(DRAWN))

    # What comes into sight late is what a view shows that begins there.
    shown = "card => [card.className, card.innerHTML, card.ariaLabel]"
    late = far.evaluate(shown)
    explorer.step = last
    page = open_page(explorer.to_html(tmp_path / "end"))
    far = page.locator(f".bpnb-card[data-node='{names[-1]}']")
    far.evaluate("card => card.focus({ focusVisible: true })")
    assert far.evaluate(shown) == late
    assert "bpnb-grid" in late[1]


OVERLAPS = """() => {
    const names = [...document.querySelectorAll(".bpnb-group-name")];
    const all = names.map(name => name.getBoundingClientRect());
    const apart = (one, other) => one.right <= other.left + 1 || other.right <= one.left + 1
        || one.bottom <= other.top + 4 || other.bottom <= one.top + 4;
    return all.flatMap((one, k) => all.slice(k + 1).filter(other => !apart(one, other))).length;
}"""


def test_the_name_of_a_group_covers_no_other(open_page, tmp_path):
    def rounds(x):
        for _ in range(12):
            x = np.tanh(np.sin(x))
        return x

    page = open_page(bp.trace(rounds, 0.5).explore(folded=[]).to_html(tmp_path / "page"))
    for _ in range(24):
        page.get_by_role("button", name="Step forward").click()
        assert page.evaluate(OVERLAPS) == 0
    page.get_by_role("button", name="fit").click()
    assert page.evaluate(OVERLAPS) == 0


def test_a_card_is_found_by_its_name_and_by_its_code(open_page, tmp_path):
    explorer = deep_graph(tmp_path, 60).explore(folded=[])
    page = open_page(explorer.to_html(tmp_path / "page"), reduced_motion="reduce")
    root, field = page.locator(".bpnb"), page.get_by_role("textbox", name="Find a card")
    nodes = [node for node in explorer.graph.nodes if node.op]

    def search(words):
        field.fill(words)
        field.press("Enter")

    far = nodes[-4]
    search(far.name)
    card = root.locator(f".bpnb-card[data-node='{far.name}']")
    expect(card).to_be_in_viewport()
    expect(card).to_have_attribute("aria-pressed", "true")
    expect(card.locator(".bpnb-grid").first).to_have_count(0)  # its value comes later
    expect(root.locator(".bpnb-numbers")).to_contain_text(far.name)
    # By code: one after the other, and after the last the first.
    some = [node for node in nodes if "sigmoid(" in str(node.source)]
    assert far == some[-1]
    field.fill("sigmoid(")
    for node in some[:3]:
        field.press("Enter")
        expect(root.locator(".bpnb-card[aria-pressed='true']")).to_have_attribute(
            "data-node", node.name
        )
    search("nothing of that name")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(spoken(root)).to_have_text("No card has nothing of that name.")
    expect(root.locator(".bpnb-kept")).to_contain_text(some[2].name)
    assert violations(page) == []


def test_of_a_large_picture_an_overview_says_where_one_is(open_page, tmp_path):
    explorer = deep_graph(tmp_path, 12).explore()
    page = open_page(explorer.to_html(tmp_path / "page"), reduced_motion="reduce")
    root, overview = page.locator(".bpnb"), page.locator(".bpnb-overview")
    frame = overview.locator(".bpnb-in-sight")
    expect(overview).to_be_visible()
    begin = frame.bounding_box()["x"]
    root.locator(".bpnb-card").first.focus()
    page.keyboard.press("End")
    expect(overview.locator(".bpnb-seen-back")).not_to_have_attribute("d", "")
    # A press goes there.
    box = overview.bounding_box()
    picture = overview.locator(".bpnb-seen-back").bounding_box()
    page.mouse.click(picture["x"] + picture["width"] - 4, box["y"] + 18)
    assert frame.bounding_box()["x"] > begin + 20
    # "fit" shows all of it, with names that can be read; once more, and it follows again.
    fit = page.get_by_role("button", name="Fit the whole graph")
    fit.click()
    expect(fit).to_have_attribute("aria-pressed", "true")
    expect(overview).to_be_hidden()
    stage = page.locator(".bpnb-stage").bounding_box()
    boxes = [card.bounding_box() for card in root.locator(".bpnb-card").all()]
    assert all(stage["x"] <= each["x"] for each in boxes)
    assert all(each["x"] + each["width"] <= stage["x"] + stage["width"] for each in boxes)
    name = root.locator(".bpnb-card .bpnb-name").first
    size = name.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    scale = root.locator(".bpnb-world").evaluate(
        "e => new DOMMatrix(getComputedStyle(e).transform).a"
    )
    assert size * scale >= 11
    fit.click()
    expect(overview).to_be_visible()


SEQUENCE = """
import numpy as np
import backprop_nb as bp

def run(Wxh, Whh, bh, xs, targets):
    h = np.zeros(5)
    loss = 0.0
    for x, t in zip(xs, targets):
        h = np.tanh(Wxh @ x + Whh @ h + bh)
        loss += np.sum((h - t) ** 2)
    return loss

rng = np.random.default_rng(0)
xs, targets = rng.normal(size=(12, 3)), rng.normal(size=(12, 5))
graph = bp.trace(run, np.ones((5, 3)), np.ones((5, 5)), np.zeros(5), xs, targets)
"""


def test_beside_a_list_of_files_the_formula_and_the_name_of_a_folded_group_are_whole(
    open_page, tmp_path
):
    explorer = graph_of(SEQUENCE, tmp_path).explore()
    assert explorer.folded
    page, _ = open_as_in_a_notebook(open_page, explorer.to_html(tmp_path / "page"), BESIDE_FILES)
    page.locator(".bpnb [aria-label='To the end']").click()
    fits = "parts => parts.map(each => each.scrollWidth <= each.clientWidth)"
    for _ in range(4):
        names = page.locator(".bpnb-title > :is(.bpnb-passing, .bpnb-formulas):not(:empty)")
        assert names.count() == 2
        assert names.evaluate_all(fits) == [True, True]
        page.locator(".bpnb [aria-label='Step back']").click()


@pytest.fixture
def convolution():
    def conv(image, kernel):
        out = np.zeros((3, 3))
        for i in range(3):
            for j in range(3):
                out[i, j] = np.sum(image[i : i + 2, j : j + 2] * kernel)
        return np.mean(np.maximum(out, 0))

    return bp.trace(conv, np.arange(16.0).reshape(4, 4), np.ones((2, 2))).explore()


OUT_OF_SIGHT = """names => {
    const { top, bottom } = document.querySelector(".bpnb-stage").getBoundingClientRect();
    return names.filter(name => {
        const box = document.querySelector(`[data-node=${name}]`).getBoundingClientRect();
        return box.top < top || box.bottom > bottom;
    });
}"""


def test_at_the_start_the_inputs_are_in_sight(open_page, convolution, tmp_path):
    page = open_page(convolution.to_html(tmp_path / "page"), width=1280, reduced_motion="reduce")
    for key in ("Home", "End", "Home"):
        page.locator(".bpnb").press(key)
        if key == "Home":
            assert page.evaluate(OUT_OF_SIGHT, ["image", "kernel"]) == []


COVERS = """name => {
    const box = each => each.getBoundingClientRect();
    const card = box(document.querySelector(`[data-node=${name}]`));
    return [...document.querySelectorAll(".bpnb-group-name button")].filter(each =>
        box(each).right > card.left && box(each).bottom > card.top && box(each).top < card.bottom
    ).map(each => each.textContent);
}"""


def test_from_far_away_the_name_of_a_loop_covers_no_card_beside_it(
    open_page, convolution, tmp_path
):
    page = open_page(convolution.to_html(tmp_path / "page"), width=1280, reduced_motion="reduce")
    page.get_by_role("button", name="Fit the whole graph").click()
    assert page.locator(".bpnb-far").count() == 1
    assert page.evaluate(COVERS, "out2") == []

"""``to_html`` in a real browser: a file that is live without a kernel and without a network."""

import pytest
from accessibility import violations
from every_view import KEYS, VIEWS
from page_tools import expect, expect_step, graph_of, steps_back

import backprop_nb as bp


@pytest.fixture(scope="module")
def written(graph, tmp_path_factory):
    """The page of the first lesson's graph."""
    return graph.explore().to_html(tmp_path_factory.mktemp("page") / "lesson")


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 700)])
def test_every_step_back_shows_the_librarys_numbers(open_page, written, graph, scene, theme, width):
    page = open_page(written, theme, width)
    expect_step(page, scene, 0)
    for _ in steps_back(page, graph, scene):
        pass
    # The picture moves inside its frame; the page itself never scrolls sideways.
    page.locator(".bpnb-words summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_plays_by_itself_to_the_end(open_page, graph, scene, tmp_path):
    page = open_page(graph.explore(interval=100, step=14).to_html(tmp_path / "play"))
    page.get_by_role("button", name="Play").click()
    expect_step(page, scene, len(scene["frames"]) - 1)
    expect(page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.parametrize(
    ("theme", "paper"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(17, 20, 24)")]
)
def test_the_theme_is_the_readers(open_page, written, theme, paper):
    page = open_page(written, theme)
    for place in ("body", ".bpnb"):
        colour = page.locator(place).evaluate("e => getComputedStyle(e).backgroundColor")
        assert colour == paper
    # And it follows when the reader changes it.
    page.emulate_media(color_scheme="light" if theme == "dark" else "dark")
    colour = page.locator(".bpnb").evaluate("e => getComputedStyle(e).backgroundColor")
    assert colour != paper


def test_without_scripts_the_picture_and_the_words_are_shown(open_page, written, graph):
    page = open_page(written, java_script_enabled=False)
    picture = page.get_by_role("img", name=graph.draw().alt)
    assert picture.bounding_box()["width"] > 600
    page.locator(".bpnb-words summary").click()
    assert page.locator("pre").inner_text().strip() == graph.describe()


IN_A_SHADOW_TREE = """async ([source, dark]) => {
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    const { default: widget } = await import(address);
    document.documentElement.className = dark ? "dark" : "";
    const host = document.body.appendChild(document.createElement("div"));
    const el = host.attachShadow({ mode: "open" }).appendChild(document.createElement("div"));
    const dispose = await widget.render({ el, model: { get: () => undefined } });
    return typeof dispose;
}"""


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_works_as_a_module_in_a_shadow_tree(open_page, tmp_path, name):
    """As on a page of MyST, whose theme is a class of its root."""
    view = VIEWS[name]()
    empty = tmp_path / "empty.html"
    empty.write_text('<!doctype html><html lang="en"><title>Book</title><main></main>', "utf-8")
    page = open_page(empty, width=1100)
    source = view.to_mjs(tmp_path / "view").read_text(encoding="utf-8")
    assert page.evaluate(IN_A_SHADOW_TREE, [source, True]) == "function"
    root = page.locator(".bpnb")
    expect(root).to_have_css("background-color", "rgb(17, 20, 24)")
    page.evaluate("document.documentElement.className = 'light'")
    expect(root).to_have_css("background-color", "rgb(255, 255, 255)")
    before = page.locator(".bpnb-live").inner_text()
    root.focus()
    page.keyboard.press(KEYS.get(name, "]"))
    expect(page.locator(".bpnb-live")).not_to_have_text(before)


ATTACK = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"

HOSTILE = f'''
import backprop_nb as bp

def loss(p):
    return p["{ATTACK}"] * 2.0  # {ATTACK}

loss.__name__ = "{ATTACK}"
graph = bp.trace(loss, {{"{ATTACK}": 1.5}})
'''


def test_a_hostile_text_shows_as_text(open_page, tmp_path):
    graph = graph_of(HOSTILE, tmp_path)
    page = open_page(graph.explore().to_html(tmp_path / "hostile"), width=700)
    expect(page.locator("h1")).to_have_text(f"Computation graph of {ATTACK}")
    assert page.locator(".bpnb-block").inner_text().count(ATTACK) == 2
    assert page.locator("img").count() == 0  # the one in <noscript> is not an element here
    assert page.locator("script").count() == 2
    assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_the_policy_lets_nothing_else_run_or_load(chromium, written):
    page = chromium.new_page()
    messages = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(written.as_uri())
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.intruder = true";
            const image = new Image();
            image.src = "http://127.0.0.1:9/pixel.png";
            document.body.append(script, image);
            return fetch("http://127.0.0.1:9/").catch(() => {});
        }"""
    )
    assert page.evaluate("window.intruder") is None
    assert sum("Content Security Policy" in text for text in messages) >= 3
    page.close()


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 700)])
def test_axe_finds_nothing_to_mend(open_page, written, scene, theme, width):
    page = open_page(written, theme, width)
    last = len(scene["frames"]) - 1
    for step in (0, last // 2, last):
        page.get_by_role("slider").fill(str(step))
        expect_step(page, scene, step)
        assert violations(page) == []


def test_a_page_says_why_there_is_no_code(open_page, tmp_path):
    space = {}
    exec("def f(x):\n    return x * 2", space)
    explorer = bp.trace(space["f"], 3.0).explore()
    page = open_page(explorer.to_html(tmp_path / "exec"), width=700)
    code = page.locator(".bpnb-codes > :first-child")
    expect(code).to_have_text(f"your code{explorer.scene['missing_source']}")
    assert page.locator(".bpnb-block").count() == 0


def repeated(x):
    for _ in range(200):
        x = x * 1.01
    return x


@pytest.mark.parametrize("width", [700, 900, 1000, 1100])
def test_nothing_of_the_headline_is_cut_or_covered(open_page, tmp_path, width):
    explorer = bp.trace(repeated, 1.0).explore()
    page = open_page(explorer.to_html(tmp_path / "page"), width=width)
    formulas, button = page.locator(".bpnb-title .bpnb-formulas"), page.get_by_label("Presentation")
    assert formulas.evaluate("each => each.scrollWidth <= each.clientWidth")  # a whole sentence
    page.get_by_role("button", name="Step forward").click()
    passing = page.locator(".bpnb-passing").bounding_box()
    assert passing["width"] > 50
    covering = button.first.bounding_box()
    beside = passing["x"] + passing["width"] <= covering["x"]
    assert beside or passing["y"] >= covering["y"] + covering["height"]

"""``to_html``: one file that fetches nothing, is always the same, and shows names as text."""

import base64
import dataclasses
import hashlib
import json
import re
import runpy
import shutil
import subprocess
import zlib
from html.parser import HTMLParser

import pytest
import traitlets

import backprop_nb as bp
from backprop_nb.views.live_view import LiveView
from backprop_nb.views.page import script
from backprop_nb.views.paper import Drawing
from backprop_nb.views.style import module, page_style_sheet, style_sheet


def f(x):
    u = x**2
    return u + x


@pytest.fixture
def explorer():
    return bp.trace(f, 3.0).explore()


def state_of(text):
    """What stands in the page as its state."""
    return json.loads(zlib.decompress(base64.b64decode(text, validate=True)))


class Reader(HTMLParser):
    """What a browser would find in a page: its elements, and the texts inside them."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self._open = [], {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in {"meta", "link", "img"}:
            self._open.append(self._key(tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self._open.pop().partition("#")[0] == tag

    def handle_data(self, data):
        if self._open:
            self.texts[self._open[-1]] = self.texts.get(self._open[-1], "") + data

    @staticmethod
    def _key(tag, attributes):
        return f"{tag}#{attributes['id']}" if "id" in attributes else tag

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def read(path):
    return Reader(path.read_text(encoding="utf-8"))


# --- the file -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "written"),
    [("page", "page.html"), ("page.html", "page.html"), ("week.2", "week.2.html")],
)
def test_the_ending_is_added_unless_it_is_there(explorer, tmp_path, given, written):
    assert explorer.to_html(tmp_path / given) == tmp_path / written
    assert explorer.to_html(str(tmp_path / given)) == tmp_path / written
    assert [file.name for file in tmp_path.iterdir()] == [written]


def test_a_folder_that_is_not_there_is_pythons_own_error(explorer, tmp_path):
    with pytest.raises(FileNotFoundError):
        explorer.to_html(tmp_path / "nowhere" / "page.html")


def test_what_cannot_be_drawn_leaves_the_old_page(explorer, tmp_path, monkeypatch):
    path = explorer.to_html(tmp_path / "page.html")
    before = path.read_bytes()
    monkeypatch.setattr(explorer, "describe", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        explorer.to_html(path, title="new")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# --- what is in it ------------------------------------------------------------


def test_nothing_in_it_leads_out_of_the_file(explorer, tmp_path):
    page = read(explorer.to_html(tmp_path / "page"))
    for _, attributes in page.elements:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        for name in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(name, "data:").startswith("data:")
    assert not page.all("base")
    assert not page.all("iframe")
    assert not re.search(r"url\(|@import", page.texts["style"])


def test_the_policy_allows_this_script_and_this_style_and_nothing_else(explorer, tmp_path):
    path = explorer.to_html(tmp_path / "page")
    page = read(path)

    def hashed(tag):
        content = re.search(rf"<{tag}>(.*?)</{tag.split()[0]}>", path.read_text(), re.DOTALL)[1]
        digest = hashlib.sha256(content.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"

    script, style = hashed('script type="module"'), hashed("style")
    assert page.all("meta")[1] == {
        "http-equiv": "Content-Security-Policy",
        "content": f"default-src 'none'; script-src {script}; style-src {style}; "
        "img-src data:; base-uri 'none'; form-action 'none'",
    }
    # It governs only what follows it.
    tags = [tag for tag, _ in page.elements]
    assert tags[:4] == ["html", "head", "meta", "meta"]


def test_the_packages_own_texts_cannot_end_their_element():
    assert not re.search(r"</script|<!--|<script", module("explorer"), re.IGNORECASE)
    assert "</style" not in (style_sheet("explorer", "graph_explorer") + page_style_sheet()).lower()


def test_the_state_is_the_widgets(explorer, tmp_path):
    explorer.step = 2
    page = read(explorer.to_html(tmp_path / "page"))
    # As a browser receives it: a tuple is an array there.
    scene = json.loads(json.dumps(explorer.scene))
    assert state_of(page.texts["script#bpnb-state"]) == {
        "folded": [],
        "geometry": explorer.geometry,
        "interval": 1200,
        "notation": "numpy",
        "playing": False,
        "predict": "off",
        "predictions": {},
        "presenting": False,
        "scene": scene,
        "score": {"asked": 0, "right": 0},
        "selected": "",
        "states": [{"geometry": explorer.geometry, "turned": {}}],
        "step": 2,
        "told": {},
    }


def test_the_words_and_the_picture_are_there_for_those_without_the_view(explorer, tmp_path):
    page = read(explorer.to_html(tmp_path / "page"))
    assert page.texts["pre"] == explorer.describe()
    (image,) = page.all("img")
    assert image["alt"] == explorer.scene["alt"]
    header, _, data = image["src"].partition(",")
    assert header == "data:image/png;base64"
    assert base64.b64decode(data, validate=True).startswith(b"\x89PNG")


def test_the_page_says_what_it_is(explorer, tmp_path):
    page = read(explorer.to_html(tmp_path / "page"))
    assert page.all("html") == [{"lang": "en"}]
    assert page.all("meta")[2] == {
        "name": "viewport",
        "content": "width=device-width, initial-scale=1",
    }
    assert page.texts["title"] == page.texts["h1"] == "Computation graph of f"
    titled = read(explorer.to_html(tmp_path / "titled", title="Week 3"))
    assert titled.texts["title"] == titled.texts["h1"] == "Week 3"


def test_the_dark_theme_follows_the_reader():
    light, dark = page_style_sheet().split("@media screen and (prefers-color-scheme: dark)")
    assert "--bpnb-paper: var(--jp-layout-color0, #ffffff)" in light
    # More specific than the rule of the style sheet that every host gets.
    assert ".bpnb-page .bpnb {" in dark
    assert "--bpnb-paper: var(--jp-layout-color0, #111418)" in dark


class Counter(LiveView):
    """The smallest live view."""

    _esm = "const widget = { render() {} };\nexport default widget;\n"
    _css = ".counter { color: red; }"
    count = traitlets.Int(7).tag(sync=True)

    def describe(self):
        return "seven"

    def static_figure(self):
        return Drawing(figsize=(1, 1))

    def heading(self):
        return "A counter"


def test_a_later_widget_gets_it_for_free(tmp_path):
    page = read(Counter().to_html(tmp_path / "counter"))
    state = {"count": 7, "presenting": False, "scene": {}}
    assert state_of(page.texts["script#bpnb-state"]) == state
    assert page.texts["title"] == "A counter"
    assert ".counter" in page.texts["style"]


# --- as a module, and many on one page ----------------------------------------


def test_the_module_has_all_that_the_view_needs(explorer, tmp_path):
    path = explorer.to_mjs(tmp_path / "week.2")
    assert path == tmp_path / "week.2.mjs"
    source = path.read_text(encoding="utf-8")
    snapshot = explorer.snapshot()
    assert json.dumps(snapshot.state) in source
    assert json.dumps(snapshot.style) in source
    # One default export and nothing else: a host may take another for its own.
    assert re.findall(r"^export \w+ \w+", source, re.MULTILINE) == ["export default embedded"]
    assert not re.search(r"^import\b|\bimport\(|https?://(?!www\.w3\.org/)", source, re.MULTILINE)
    before = path.read_bytes()
    assert explorer.to_mjs(path).read_bytes() == before


def test_myst_takes_the_module_to_its_site(explorer, tmp_path):
    myst = shutil.which("myst") or pytest.skip("mystmd is not installed: npm install -g mystmd")
    module = explorer.to_mjs(tmp_path / "explorer").read_bytes()
    # A template of its own, or MyST would look for one in the network.
    (tmp_path / "template.yml").write_text("jtex: v1\ntitle: none\n", encoding="utf-8")
    settings = "version: 1\nproject:\n  toc:\n    - file: index.md\nsite:\n  template: ./\n"
    (tmp_path / "myst.yml").write_text(settings, encoding="utf-8")
    text = "# A page\n\n```{anywidget} explorer.mjs\n```\n"
    (tmp_path / "index.md").write_text(text, encoding="utf-8")
    command = [myst, "build", "--site", "--strict"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    site = tmp_path / "_build/site"
    [node] = re.findall(
        r'\{"type":"anywidget","esm":"/(.+?)"', (site / "content/index.json").read_text("utf-8")
    )
    assert (site / "public" / node).read_bytes() == module


def test_the_script_of_a_page_with_many_views_is_the_same_for_all_of_a_kind(explorer):
    other = bp.trace(lambda x: x * 2.0, 1.0).explore()
    source = script(explorer.snapshot())
    assert source == script(other.snapshot())
    assert b'mountAll(widget, "GraphExplorer", document);' in source
    assert not re.search(rb"^(export|import)\b", source, re.MULTILINE)


def test_a_snapshot_is_of_now_and_of_texts_alone(explorer):
    before = explorer.snapshot()
    explorer.step = 2
    assert state_of(before.state)["step"] == 0
    assert state_of(explorer.snapshot().state)["step"] == 2
    assert {type(value) for value in dataclasses.asdict(before).values()} == {str}


def test_a_notebook_can_be_given_another_form_of_each_view(explorer, monkeypatch):
    monkeypatch.setitem(LiveView.formats, "text/x-title", lambda view: view.heading())
    data, _ = explorer._repr_mimebundle_()
    assert data["text/x-title"] == "Computation graph of f"


# --- hostile texts ------------------------------------------------------------

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>alert(2)</script><!--"
TITLE = f"</title>{IMAGE}{SCRIPT}{{{{ $state \"quoted\" 'once' & &lt; \u2028 \ud800"

HOSTILE = f'''
import numpy as np
import backprop_nb as bp

def loss(p):
    kept = "{SCRIPT}"  # {IMAGE} {{{{ $title ]]> \u2028
    a = p["{IMAGE}"] * p["{SCRIPT}"] + p["{{{{"] * p["\\ud800"]
    return np.tanh(a + p["$x$ $title &lt;"]) * p["'"]

loss.__name__ = """{SCRIPT}{IMAGE}$title"""
names = ["{IMAGE}", "{SCRIPT}", "{{{{", "\\ud800", "$x$ $title &lt;", "'"]
graph = bp.trace(loss, dict.fromkeys(names, 1.5))
'''


@pytest.fixture(scope="module")
def hostile_graph(tmp_path_factory):
    script = tmp_path_factory.mktemp("hostile") / "hostile.py"
    script.write_text(HOSTILE, encoding="utf-8")
    return runpy.run_path(str(script))["graph"]


def test_hostile_texts_change_nothing_but_texts(hostile_graph, explorer, tmp_path):
    tame = read(explorer.to_html(tmp_path / "tame"))
    path = hostile_graph.explore().to_html(tmp_path / "hostile", title=TITLE)
    page = read(path)
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in tame.elements]
    for name in ("script", "style"):
        assert page.texts[name] == tame.texts[name]
    # A surrogate alone is no character: a parser puts U+FFFD in its place.
    assert page.texts["title"] == page.texts["h1"] == TITLE.replace("\ud800", "\ufffd")
    assert page.texts["pre"] == hostile_graph.describe()
    assert page.all("img")[0]["alt"] == hostile_graph.draw().alt
    assert SCRIPT in page.texts["pre"]


def test_hostile_texts_cannot_leave_the_state(hostile_graph, tmp_path):
    explorer = hostile_graph.explore()
    text = explorer.to_html(tmp_path / "hostile").read_text(encoding="utf-8")
    state = text.split('id="bpnb-state">')[1].split("</script>")[0]
    scene = state_of(state)["scene"]  # which reads Base64 alone
    assert scene == json.loads(json.dumps(explorer.scene))
    lines = [line for block in scene["code"] for line in block["lines"]]
    assert any(SCRIPT in "".join(piece["text"] for piece in line) for line in lines)


def test_the_figure_shows_hostile_texts_as_text(hostile_graph):
    figure = hostile_graph.draw()
    figure.canvas.draw()  # a text that were taken for a formula would raise here
    assert figure.alt.startswith(f"Computation graph of {SCRIPT}{IMAGE}$title with ")

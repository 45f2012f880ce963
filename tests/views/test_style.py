"""The style sheet carries the palette, and nothing in it is fetched."""

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest
from nonempty import nonempty

from backprop_nb.views import widgets
from backprop_nb.views.palette import DARK, LIGHT
from backprop_nb.views.style import _collect, module, page_module, read, style_sheet

WIDGETS = [getattr(widgets, name) for name in widgets.__all__]
each_widget = pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: widget.__name__)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_of_the_palette_is_a_custom_property(theme):
    sheet = style_sheet("explorer", "graph_explorer")
    for role, colour in nonempty(theme.items()):
        assert re.search(rf"--bpnb-{role}: (var\(--jp-[\w-]+, )?{colour}\)?;", sheet)


@each_widget
def test_every_custom_property_that_is_used_is_defined(widget):
    text = widget._css + widget._esm
    # pictures.mjs builds --bpnb-<family>-<end> out of these parts.
    used = set(re.findall(r"var\(--bpnb-([\w-]+)[,)]", text))
    defined = set(re.findall(r"--bpnb-([\w-]+):", text))
    assert used <= defined


@each_widget
def test_every_class_that_the_view_sets_has_a_rule(widget):
    classes = set(re.findall(r'class: "(bpnb-[\w-]+)"', widget._esm))
    assert classes
    assert {name for name in classes if f".{name}" not in widget._css} <= {"bpnb-codes"}


@each_widget
def test_its_own_rules_hold_within_it_alone(widget):
    kind = re.search(r'\.stand\(\s*"(\w+)"', widget._esm)[1]
    shared, nest, own = widget._css.partition(f"\n.bpnb-{kind} {{\n")
    assert nest
    assert own.count("}") - own.count("{") == 1  # and it is closed at the end
    common = read("view.css")
    without = [re.sub(r"@keyframes .*", "", each).rstrip() for each in (shared, common)]
    assert without[0].endswith(without[1])
    # A state of the root is told of the root, since nothing in it has that class.
    for state in re.findall(r'root\.classList\.toggle\("(bpnb-[\w-]+)"', widget._esm):
        assert not re.search(rf"(?<!&)(?<!&:not\()\.{state}\b", own), state


@each_widget
def test_nothing_is_fetched(widget):
    for text in (widget._esm, widget._css):
        without_namespaces = re.sub(r"http://www\.w3\.org/\S+", "", text)
        assert not re.search(
            r"https?://|@import|url\(|\bfetch\(|\bimport\b.*from", without_namespaces
        )


@each_widget
def test_the_view_never_writes_markup(widget):
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", widget._esm)


@each_widget
def test_the_view_stays_small(widget):
    # Every instance of a widget carries the module in its state.
    assert len(widget._esm.encode()) < 96_000


@each_widget
def test_no_comment_of_its_own_lines_is_carried_along(widget):
    lines = widget._esm.splitlines()
    assert not [line for line in lines if not line or line[0].isspace()]
    assert not [line for line in lines if line.startswith(("//", "/*"))]
    assert not [line for line in lines if re.search(r"; // [\w ,]+$", line)]


def test_a_module_stands_after_what_it_imports_and_each_stands_once():
    source = module("explorer")
    assert source.index("class Replay") < source.index("class Explorer")
    assert source.count("class Replay extends") == 1
    assert not re.search(r"^import ", source, re.MULTILINE)
    assert source.rstrip().endswith("export default widget;")


def declared(source):
    """The names that a module declares outside of everything."""
    kinds = r"^(?:export )?(?:async )?(?:function|class|const|let) (\w+)"
    return set(re.findall(kinds, source, re.MULTILINE))


@each_widget
def test_no_two_of_the_modules_that_a_widget_joins_name_something_alike(widget):
    joined = {}
    _collect(Path(inspect.getfile(widget)).with_suffix(".mjs"), joined)
    names = Counter(name for source in nonempty(joined.values()) for name in declared(source))
    assert [name for name, count in names.items() if count > 1] == []


@each_widget
def test_no_function_is_carried_along_that_other_views_use_alone(widget):
    mentions = Counter(re.findall(r"\w+", widget._esm + read("page.mjs")))
    assert [name for name in nonempty(declared(widget._esm)) if mentions[name] == 1] == []


def test_a_page_has_its_own_script_behind_any_widgets_so_it_names_nothing_as_one_does():
    own = declared(read("page.mjs"))
    assert own == {"DARK", "Model", "embedded", "mount", "mountAll", "show"}
    others = [p for p in Path(widgets.__file__).parent.rglob("*.mjs") if p.name != "page.mjs"]
    assert len(others) > 12
    for file in others:
        assert not own & declared(file.read_text(encoding="utf-8")), file.name


def test_a_page_finds_in_any_widgets_script_what_it_imports():
    lists = re.findall(r"^import \{([^}]*)\}", read("page.mjs"), re.MULTILINE)
    imported = {name.strip() for names in nonempty(lists) for name in names.split(",")}
    for room in ("explorer", "chain", "flow", "playground", "bug", "sigmoid"):
        assert imported <= declared(module(room)), room
    assert "import {" not in page_module()

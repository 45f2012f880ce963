"""The picture after a live view, for whoever opens its notebook the next day."""

import base64
import re

import pytest

import backprop_nb as bp
from backprop_nb.views import cells
from backprop_nb.views import still as module
from backprop_nb.views.still import still

VIEW = "application/vnd.jupyter.widget-view+json"


class Shell:
    """Stands for IPython in a kernel that was asked to run a cell."""

    def __init__(self, metadata):
        self.kernel = self.display_pub = self.events = self
        self.metadata, self.published = metadata, []

    def get_parent(self):
        return {"metadata": self.metadata, "header": {"msg_id": "1"}}

    def register(self, event, function):
        pass

    def publish(self, data, metadata):
        self.published.append(data)


def test_it_holds_the_picture_and_says_what_it_shows():
    text = still(b"\x89PNG", 'A graph of "x" & <y>.')
    assert base64.b64decode(re.search('base64,([^"]+)"', text)[1]) == b"\x89PNG"
    assert 'alt="A graph of &quot;x&quot; &amp; &lt;y&gt;."' in text


def test_it_is_seen_where_its_style_sheet_is_taken_away():
    assert "hidden" not in re.sub("<style>.*</style>", "", still(b"", ""), flags=re.DOTALL)


@pytest.mark.parametrize("metadata", [{"cellId": "a1"}, {}, None])
def test_a_view_that_somebody_sees_is_there_before_its_picture_is_drawn(monkeypatch, metadata):
    for each in (module, cells):
        monkeypatch.setattr(each, "get_ipython", lambda: shell)
    shell = Shell(metadata)
    if metadata is None:  # in a terminal
        del shell.kernel
    view = bp.SigmoidExplorer()
    figure, order = view.static_figure(), []
    monkeypatch.setattr(view, "static_figure", lambda: order.append(len(shell.published)) or figure)
    data, _ = view._repr_mimebundle_()
    live = [] if metadata else [data]
    for each in shell.published + live:
        assert each[VIEW]["model_id"]
    assert order == [len(shell.published)] == [1 if metadata else 0]
    assert (VIEW in data, "bpnb-still" in data["text/html"]) == (not metadata, bool(metadata))
    assert data["image/png"].startswith(b"\x89PNG")
    assert [each["text/plain"] for each in shell.published] == [""] * len(shell.published)


def test_a_browser_finds_a_live_view_without_searching_it():
    """It would go through thousands of elements at each step of the view."""
    found = re.findall(r":has\(([.>+][^()[\]]*)\)", still(b"", ""))
    selectors = [each.strip() for some in found for each in some.split(",")]
    assert any("bpnb-place" in each for each in selectors)
    assert all(re.fullmatch(r"[>+] \.[\w-]+( > \.[\w-]+)*", each) for each in selectors)

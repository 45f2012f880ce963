"""The picture beside a live view, for whoever opens its notebook the next day."""

import base64
import re

import pytest

from backprop_nb.views import cells
from backprop_nb.views import still as module
from backprop_nb.views.still import publish_still, still


class Shell:
    """Stands for IPython in a kernel that was asked to run a cell."""

    def __init__(self, metadata):
        self.kernel = self.display_pub = self
        self.metadata, self.published = metadata, []

    def get_parent(self):
        return {"metadata": self.metadata, "header": {"msg_id": "1"}}

    def publish(self, data):
        self.published.append(data)


def test_it_holds_the_picture_and_says_what_it_shows():
    text = still(b"\x89PNG", 'A graph of "x" & <y>.')
    assert base64.b64decode(re.search('base64,([^"]+)"', text)[1]) == b"\x89PNG"
    assert 'alt="A graph of &quot;x&quot; &amp; &lt;y&gt;."' in text


def test_it_is_hidden_where_nobody_knows_when_to_show_it():
    assert re.match(r'<div class="[\w-]+" hidden="hidden">', still(b"", ""))


@pytest.mark.parametrize(("metadata", "count"), [({"cellId": "a1"}, 1), ({}, 0), (None, 0)])
def test_it_is_published_for_a_notebook_that_somebody_sees(monkeypatch, metadata, count):
    for each in (module, cells):
        monkeypatch.setattr(each, "get_ipython", lambda: shell)
    shell = Shell(metadata)
    if metadata is None:  # in a terminal
        del shell.kernel
    assert publish_still(b"", "") == bool(count)
    assert shell.published == [{"text/html": still(b"", "")}] * count


def test_a_browser_finds_a_live_view_without_searching_it():
    """It would go through thousands of elements at each step of the view."""
    found = re.findall(r":has\(([.>+][^()[\]]*)\)", still(b"", ""))
    selectors = [each.strip() for some in found for each in some.split(",")]
    assert any("bpnb-place" in each for each in selectors)
    assert all(re.fullmatch(r"[>+] \.[\w-]+( > \.[\w-]+)*", each) for each in selectors)

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
        self.metadata, self.published, self.callbacks = metadata, [], []

    def get_parent(self):
        return {"metadata": self.metadata, "header": {"msg_id": "1"}}

    def register(self, event, function):
        assert event == "post_run_cell"
        self.callbacks.append(function)

    def unregister(self, event, function):
        self.callbacks.remove(function)

    def publish(self, data, metadata=None, *, transient, update=False):
        self.published.append((data, transient["display_id"], update))

    def end_cell(self):
        for function in [*self.callbacks]:
            function(None)


def test_it_holds_the_picture_and_says_what_it_shows():
    text = still(b"\x89PNG", 'A graph of "x" & <y>.')
    assert base64.b64decode(re.search('base64,([^"]+)"', text)[1]) == b"\x89PNG"
    assert 'alt="A graph of &quot;x&quot; &amp; &lt;y&gt;."' in text
    # The next day's kernel knows none of the names that this cell uses.
    assert "run the cells above again, and then this one" in text


def test_it_is_seen_where_its_style_sheet_is_taken_away():
    assert "hidden" not in re.sub("<style>.*</style>", "", still(b"", ""), flags=re.DOTALL)


@pytest.fixture
def shell(monkeypatch, request):
    shell = Shell(request.param)
    if request.param is None:  # in a terminal
        del shell.kernel
    for each in (module, cells):
        monkeypatch.setattr(each, "get_ipython", lambda: shell)
    return shell


@pytest.mark.parametrize("shell", [{"cellId": "a1"}], indirect=True)
def test_a_view_that_somebody_sees_does_not_wait_for_its_picture(monkeypatch, shell):
    views, drawn = [bp.SigmoidExplorer(z=z) for z in (1, 2)], []
    figure = views[0].static_figure()
    monkeypatch.setattr(
        bp.SigmoidExplorer, "static_figure", lambda self: drawn.append(self) or figure
    )
    for view in views:
        data, metadata = view._repr_mimebundle_()
        assert data[VIEW]["model_id"]
        assert (data["text/plain"], data["text/html"], metadata) == ("", "", {})
    places = [place for _, place, _ in shell.published]
    assert len({*places}) == 2
    assert drawn == []

    shell.end_cell()
    assert drawn == views
    assert [place for _, place, update in shell.published if update] == places
    for (data, _, _), view in zip(shell.published[2:], views, strict=True):
        assert data["image/png"].startswith(b"\x89PNG")
        assert data["text/html"] == still(data["image/png"], figure.alt)
        assert data["text/plain"] == repr(view)
    shell.end_cell()  # another one
    assert len(shell.published) == 4


@pytest.mark.parametrize(
    ("shell", "asked"),
    [({}, {}), (None, {}), ({"cellId": "a1"}, {"include": {VIEW}})],
    indirect=["shell"],
)
def test_where_nobody_looks_picture_and_view_are_one(shell, asked):
    data, metadata = bp.SigmoidExplorer()._repr_mimebundle_(**asked)
    assert data[VIEW]["model_id"]
    assert data["image/png"].startswith(b"\x89PNG")
    assert "bpnb-still" not in data["text/html"]
    assert metadata["image/png"]["alt"]
    assert (shell.published, shell.callbacks) == ([], [])


def test_a_browser_finds_a_live_view_without_searching_it():
    """It would go through thousands of elements at each step of the view."""
    found = re.findall(r":has\(([.>+][^()[\]]*)\)", still(b"", ""))
    selectors = [each.strip() for some in found for each in some.split(",")]
    assert any("bpnb-place" in each for each in selectors)
    assert all(re.fullmatch(r"[>+] \.[\w-]+( > \.[\w-]+)*", each) for each in selectors)

"""A view goes when no cell shows it any more, and nothing that somebody may see or use is lost."""

import ipywidgets
import pytest
from IPython.core.events import EventManager, available_events

import backprop_nb as bp
from backprop_nb.views import cells, still


class Lab:
    """Stands for IPython in a kernel of JupyterLab, and for the page."""

    def __init__(self):
        self.kernel = self.display_pub = self
        self.events = EventManager(self, available_events)
        self.runs, self.metadata = 0, {}

    def get_parent(self):
        return {"metadata": self.metadata, "header": {"msg_id": str(self.runs)}}

    def publish(self, data, metadata=None, **options):
        pass

    def run(self, cell, *shown):
        """Run a cell, or with None what tells no cell, that shows some views."""
        self.runs, self.metadata = self.runs + 1, {} if cell is None else {"cellId": cell}
        for view in shown:
            data, _ = view._repr_mimebundle_()
            assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_name
        if cell is not None:
            self.events.trigger("post_run_cell", None)


class View(bp.SigmoidExplorer):
    @property
    def model_name(self):  # without asking as a box does
        return self._model_id

    @property
    def is_open(self):
        return self.comm is not None and self.layout.comm is not None


@pytest.fixture
def lab(monkeypatch):
    lab = Lab()
    for module in (cells, still):
        monkeypatch.setattr(module, "get_ipython", lambda: lab)
    return lab


def count(view, views):
    """Let the page say how many of a view it shows."""
    view.set_state({"_view_count": views})


def test_what_a_cell_has_shown_goes_when_it_runs_again(lab):
    old, other, new = View(), View(), View()
    lab.run("a", old)
    lab.run("b", other)
    for view in (old, other):
        count(view, 1)
    lab.run("a", new)
    assert old.is_open  # the page has not said yet that it is gone
    count(old, 0)
    assert (old.comm, old.layout.comm) == (None, None)
    assert other.is_open
    assert new.is_open
    lab.run("b")  # which shows nothing now, and the page has said so before
    count(other, 0)
    assert not other.is_open
    lab.run("a", new)
    assert new.is_open


@pytest.mark.parametrize(
    ("elsewhere", "until"),
    [
        (lambda lab, view: lab.run("b", view), lambda lab, view: lab.run("b")),
        (lambda lab, view: count(view, 1), lambda lab, view: count(view, 0)),
        (lambda lab, view: lab.run(None, view), None),
        (lambda lab, view: ipywidgets.VBox([view]).get_state(), None),
        (lambda lab, view: ipywidgets.jslink((view, "z"), (ipywidgets.FloatText(), "value")), None),
    ],
    ids=["another cell", "a copy of the output", "a button's output", "a box", "a link"],
)
def test_it_stays_while_something_else_shows_it(lab, elsewhere, until):
    view = View()
    lab.run("a", view)
    elsewhere(lab, view)
    lab.run("a")
    assert view.is_open
    if until is not None:
        until(lab, view)
        assert not view.is_open


def test_one_that_has_gone_can_be_used_and_shown_again(lab):
    view = View(z=1.0)
    name, words = view.model_name, view.describe()
    for show in (lambda: lab.run("b", view), lambda: ipywidgets.VBox([view]).get_state()):
        lab.run("a", view)
        lab.run("a")
        lab.run("b")
        assert not view.is_open
        view.z = 2.0
        assert view.z == 2.0
        assert view.describe() != words
        show()
        assert view.is_open
        assert view.model_name == name  # by which its module finds it
        assert view.get_state("z") == {"z": 2.0}


def test_a_layout_of_others_stays(lab):
    layout = ipywidgets.Layout(width="50%")
    view = View(layout=layout)
    lab.run("a", view)
    lab.run("a")
    assert view.comm is None
    assert layout.comm is not None


def test_where_no_cell_is_told_it_stays_and_the_page_counts_nothing(lab):
    view = View()
    lab.run(None, view)
    lab.run(None)
    assert view.is_open
    assert view._view_count is None

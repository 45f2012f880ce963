"""What a learner sees of an error in a notebook: their own lines, and what to write."""

import re

import numpy as np
import pytest
from IPython.core.ultratb import AutoFormattedTB

import backprop_nb as bp
from backprop_nb.errors import learners_lines


@pytest.fixture
def shown(monkeypatch):
    """Return what IPython's own formatter makes of an error."""

    class Shell:
        InteractiveTB = AutoFormattedTB(mode="Context", tb_offset=1)

    monkeypatch.setattr("IPython.get_ipython", Shell)

    def in_a_shell(error):
        monkeypatch.setattr("sys.last_value", error, raising=False)  # as it does itself
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error._render_traceback_()))

    return in_a_shell


def typo(x):
    return np.sum(y)  # noqa: F821


GRAPH = bp.trace(lambda x: x * 2.0, np.ones(3))
NET = bp.SigmoidNetwork((2, 1), seed=0)
SLIPS = {
    "backward": lambda: GRAPH.backward(),
    "node": lambda: GRAPH.node("z"),
    "explore": lambda: GRAPH.explore(zoom=2),
    "draw": lambda: GRAPH.draw(step=99),
    "compile": lambda: bp.trace(np.sum, np.ones(3)).compile()(1.0, 2.0),
    "grad": lambda: bp.grad(lambda x: np.fft.fft(x))(np.ones(3)),
    "network": lambda: bp.SigmoidNetwork((2, 0)),
    "call": lambda: NET(np.ones(3)),
    "fit": lambda: NET.fit([[1, 2]], [[1]], epochs=-1),
    "check": lambda: bp.check_backward(3),
    "view": lambda: bp.GradientFlow(depth=-1),
}


@pytest.mark.parametrize("slip", SLIPS.values(), ids=SLIPS)
def test_the_traceback_of_each_entry_shows_the_learners_lines_alone(slip, shown):
    with pytest.raises(bp.BackpropError) as caught:
        slip()
    text = shown(caught.value)
    assert "test_errors.py" in text
    assert "backprop_nb/" not in text
    assert str(caught.value) in text


def test_an_error_of_the_learners_own_is_shown_without_the_tracer_too(shown):
    with pytest.raises(NameError) as caught:
        bp.grad(typo)(1.0)
    text = shown(caught.value)
    assert "return np.sum(y)" in text
    assert "transforms.py" not in text


def test_an_error_that_met_no_line_of_the_learners_is_shown_as_it_is(shown):
    error = bp.ShapeError("x does not fit.")
    assert learners_lines(error) is None
    assert "x does not fit." in shown(error)

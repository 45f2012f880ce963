"""What the README promises is true: its code runs, its numbers are right, its files exist."""

import re
from pathlib import Path

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.tracing.refusals import supported_functions

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
FIRST, FLOW, PLAYGROUND, LIBRARY, NETWORK_TOUR = BLOCKS


def test_the_first_example_gives_the_number_that_stands_beside_it():
    first = {}
    exec(FIRST, first)
    written = re.search(r"gradients\s+# \((-?[\d.]+),\)", FIRST)[1]
    assert float(first["graph"].backward().gradients[0]) == pytest.approx(float(written), abs=5e-4)


@pytest.mark.usefixtures("table_as_before")
def test_the_tour_of_the_library_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(FIRST, space)
    script = tmp_path / "tour.py"  # a file, because names come from the source
    script.write_text("def f(x):\n    z1 = x * 2.0\n    return z1 * z1 * x\n", encoding="utf-8")
    exec(compile(script.read_text(encoding="utf-8"), script, "exec"), space)
    space["softplus"] = lambda x: np.logaddexp(0.0, x)
    space["softplus"].__name__ = "softplus"
    space["args"] = (1.5,)
    exec(LIBRARY, space)
    assert space["fast"](1.5)[0] == pytest.approx(13.5)
    assert (tmp_path / "page.html").exists()


def test_the_tour_of_the_network_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    space = {"bp": bp, "x": rng.normal(size=(20, 4)), "y": rng.uniform(size=(20, 3))}
    exec(NETWORK_TOUR, space)
    assert space["history"].loss[-1] < space["loss"]
    assert bp.SigmoidNetwork.load("iris.npz").widths == (4, 3, 3)


def test_the_tour_of_the_gradients_flow_runs(capsys):
    net = bp.SigmoidNetwork((4, 3, 3), seed=0)
    space = {"bp": bp, "net": net, "x": np.ones(4), "y": np.zeros(3)}
    exec(FLOW, space)
    assert "tanh" in capsys.readouterr().out.splitlines()[0]
    assert space["view"].scene["about"] == "4-3-3, sigmoid, one input"


def test_the_tour_of_the_playground_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = {"bp": bp}
    exec(PLAYGROUND, space)
    assert space["playground"].last_epoch == 50
    assert (tmp_path / "run.html").exists()


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)\)", README))
def test_every_link_into_the_project_leads_somewhere(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize(
    "command",
    [
        'python -m pip install -e ".[lab]" && jupyter lab notebooks/00_start_here.ipynb',
        'python -m pip install -e ".[test]" && pytest -n auto --dist loadfile',
    ],
)
def test_the_two_commands_that_do_all_the_setup_are_there(command):
    assert command in README


NETWORK = """
import numpy as np
import backprop_nb as bp

x, y = np.ones(2), np.zeros(2)

def loss(A0, b0, A1, b1):
    z1 = A0 @ x + b0
    f1 = bp.sigmoid(z1)
    z2 = A1 @ f1 + b1
    f2 = bp.sigmoid(z2)
    L = np.sum((y - f2) ** 2)
    return L

graph = bp.trace(loss, np.ones((3, 2)), np.ones(3), np.ones((2, 3)), np.ones(2))
"""


def test_the_printed_backward_pass_is_what_the_library_prints(tmp_path):
    script = tmp_path / "network.py"
    script.write_text(NETWORK, encoding="utf-8")
    space = {}
    exec(compile(NETWORK, script, "exec"), space)
    shown = re.search(r"```text\n(def .*?)```", README, re.DOTALL)[1]
    assert space["graph"].to_numpy().endswith(shown)


def test_the_list_of_functions_is_the_table():
    section = README.split("### The functions that have a rule")[1].split("Several others")[0]
    listed = re.findall(r"`([\w]+)`", section.split("and `astype`.")[1])
    assert listed == supported_functions()


def test_the_table_of_speed_is_the_one_that_was_measured():
    measured = (ROOT / "tests/benchmarks/network.md").read_text(encoding="utf-8")
    rows = [line for line in measured.splitlines() if line.startswith("|")]
    assert len(rows) == 12
    assert "\n".join(rows) in README

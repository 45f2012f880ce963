"""The fronts of the wings have their names, and load no more than is asked for."""

import importlib
import subprocess
import sys

import pytest

from backprop_nb.fronts import later

FRONTS = ["tracing", "network", "checking", "classroom"]


@pytest.mark.parametrize("wing", FRONTS)
def test_every_name_of_a_front_is_there(wing):
    front = importlib.import_module(f"backprop_nb.{wing}")
    assert [getattr(front, name).__name__ for name in front.__all__] == front.__all__


def test_a_name_that_no_module_has_is_told():
    load = later("backprop_nb.tracing", {"graph": ["Node"]})
    with pytest.raises(AttributeError, match=r"'backprop_nb\.tracing' has no attribute 'Graph'"):
        load("Graph")


def test_the_process_that_is_copied_for_each_submission_loads_no_tracer():
    code = "import sys, backprop_nb.classroom.supervisor; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.removeprefix("backprop_nb.") for name in done.stdout.split()}
    assert "checking.probes" in loaded
    heavy = {"tracing.api", "tracing.rules", "network.network", "checking.diagnosis", "IPython"}
    assert loaded & heavy == set()

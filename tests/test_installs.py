"""Where the package can be installed: what it declares, and that it needs no more."""

import runpy
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from matrix import CUT, main, table, versions
from nonempty import nonempty
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENTS = list(map(Requirement, PROJECT["dependencies"]))


def needed(sys_platform, platform_machine):
    """Return the names of the dependencies on another computer."""
    there = {"sys_platform": sys_platform, "platform_machine": platform_machine}
    return {each.name for each in REQUIREMENTS if not each.marker or each.marker.evaluate(there)}


@pytest.mark.parametrize(
    ("sys_platform", "platform_machine", "has_wheel"),
    [
        # As `pip download --no-deps --only-binary :all: --platform …` finds pygraphviz 2.0.4.
        ("linux", "x86_64", True),
        ("linux", "aarch64", True),
        ("darwin", "x86_64", True),
        ("darwin", "arm64", True),
        ("win32", "AMD64", True),
        ("win32", "ARM64", False),
        ("win32", "x86", False),
        ("linux", "riscv64", False),
        ("linux", "ppc64le", False),
        ("linux", "i686", False),
        ("emscripten", "wasm32", False),
        ("emscripten", "", False),
    ],
)
def test_pygraphviz_is_needed_where_it_has_a_wheel(sys_platform, platform_machine, has_wheel):
    assert ("pygraphviz" in needed(sys_platform, platform_machine)) is has_wheel


def test_what_webassembly_needs_is_plain_python_or_in_pyodide():
    compiled = {"contourpy", "matplotlib", "numpy"}  # Pyodide builds them
    plain = needed("emscripten", "wasm32") - compiled
    tags = [distribution(name).read_text("WHEEL") for name in plain]
    assert all("-none-any" in tag for tag in nonempty(tags))


def test_every_dependency_has_a_lowest_version_which_the_matrix_tries():
    bounds = [[each.operator for each in one.specifier] for one in REQUIREMENTS]
    assert all(">=" in operators for operators in nonempty(bounds))


def test_jupyterlab_comes_with_the_widgets_that_it_can_show():
    # Those of ipywidgets 7 are for Colab, Notebook 6 and JupyterLab 3.
    lab = {each.name: each for each in map(Requirement, PROJECT["optional-dependencies"]["lab"])}
    assert "3.6" not in lab["jupyterlab"].specifier
    assert "7.7.1" not in lab["ipywidgets"].specifier


def test_the_declared_versions_of_python_begin_with_the_lowest_and_leave_none_out():
    minors = [int(version.removeprefix("3.")) for version in versions()]
    assert minors == list(range(minors[0], minors[-1] + 1))
    lowest = SpecifierSet(PROJECT["requires-python"])
    assert Version(f"3.{minors[0]}") in lowest
    assert Version(f"3.{minors[0] - 1}") not in lowest


def test_the_readme_names_the_same_versions_of_python():
    *first, last = versions()
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"Python {', '.join(first)} or {last}" in readme


def test_the_matrix_cuts_through_every_wing_with_tests_that_exist():
    assert all((ROOT / path).exists() for path in nonempty(CUT))
    assert {path.split("/")[1] for path in CUT} >= {"tracing", "network", "checking", "views"}


def test_the_table_of_the_matrix_lines_up():
    lines = table([("Python", "tests"), ("3.11", "12 passed")]).splitlines()
    assert lines == [
        "| Python | tests     |",
        "|--------|-----------|",
        "| 3.11   | 12 passed |",
    ]


def test_the_matrix_says_which_python_is_missing_and_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["matrix.py", "--bound", "oldest", "-x"])
    monkeypatch.setattr(runpy, "run_path", lambda path: {"interpreter": lambda version: None})
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    rows = capsys.readouterr().out.splitlines()[2:]
    assert len(rows) == len(versions())
    assert all("skipped: no such Python here" in row for row in nonempty(rows))


def test_ci_runs_the_newest_libraries_on_the_newest_python():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f"tests/matrix.py --python {versions()[-1]} --bound newest" in script


WITHOUT = """
import sys
# What WebAssembly or Windows lacks.
missing = ("pygraphviz", "resource", "fcntl", "_multiprocessing", "sklearn", "dask", "distributed")
sys.modules.update(dict.fromkeys(missing))
import numpy as np
import backprop_nb as bp
for name in bp.__all__:
    getattr(bp, name)
def half(x):
    return np.tanh(x) / 2
graph = bp.trace(lambda x: np.sum(half(x) * x), np.ones(2))
explorer = graph.explore()
explorer.folded = ["half"]
explorer.draw()
assert len(explorer.to_html("page").read_text(encoding="utf-8")) > 10_000
report = bp.check_gradient(lambda x: np.sum(x**2), lambda x: 3 * x, np.ones(2))
assert not report.ok
"""


@pytest.mark.slow
def test_it_explores_draws_and_checks_without_what_other_systems_lack(tmp_path):
    command = [sys.executable, "-c", WITHOUT]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

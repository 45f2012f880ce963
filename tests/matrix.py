"""Run tests on the oldest and the newest libraries, on every Python, and print a table.

    python tests/matrix.py                                  # a cut through all wings, some minutes
    python tests/matrix.py --python 3.13 --bound newest tests/network -x
    python tests/matrix.py tests/tracing backprop_nb/tracing

Each cell of the matrix is an environment of its own, removed afterwards.  "oldest" has the lowest
version of each dependency that pyproject.toml admits and that has a wheel for the Python; what
those need in turn is new, as it would be for whoever holds one of them back.  An interpreter that
this machine lacks is skipped, in words.  Needs uv (``pip install uv``) and a package registry.
"""

from __future__ import annotations

import argparse
import os
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
BOUNDS = {"oldest": "lowest-direct", "newest": "highest"}
TOOLS = (
    *("hatchling", "hypothesis", "nbclient", "nbval", "packaging", "pytest>=9", "pytest-xdist"),
    *("jupyter-server", "jupyterlite-core", "jupyterlite-pyodide-kernel", "scikit-learn"),
)
SHOWN = ("numpy", "matplotlib", "ipywidgets", "anywidget", "latex2mathml", "pygraphviz")
CUT = (
    "tests/tracing/rules/test_row.py",
    "tests/tracing/rules/test_indexing.py",
    "tests/tracing/rules/test_joining.py",
    "tests/tracing/test_tracer.py",
    "tests/tracing/test_calling.py",
    "tests/network/test_network.py",
    "tests/network/test_chunks.py",
    "tests/checking/test_differences.py",
    "tests/checking/test_convention.py",
    "tests/views/test_live_view.py",
    "tests/views/test_formula.py",
    "tests/views/test_charts.py",
    "tests/views/explorer/test_columns.py",
    "tests/views/explorer/test_geometry.py",
    "tests/test_installs.py",
    "tests/test_jupyterlite.py",
)
"""Where versions can differ: NumPy's functions and signatures, threads, widgets, figures,
formulas, layout."""


def versions() -> list[str]:
    """Return the versions of Python that pyproject.toml declares, as "3.11"."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    found = [each for each in project["classifiers"] if each.startswith(prefix)]
    return [each.rpartition(":")[2].strip() for each in found]


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table of Markdown, the first as its heading.

    Examples
    --------
    >>> print(table([("Python", "NumPy"), ("3.11", "2.1.0")]))
    | Python | NumPy |
    |--------|-------|
    | 3.11   | 2.1.0 |
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def uv() -> str:
    """Return the command uv, of this environment or on the PATH."""
    found = shutil.which(
        "uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if found is None:
        sys.exit("uv is missing, which resolves the oldest versions: python -m pip install uv")
    return found


def environment(folder: Path, python: str, bound: str) -> tuple[Path, dict[str, str]]:
    """Make an environment; return its Python, and the versions in it."""
    own, chosen = folder / "environment", folder / "chosen.txt"
    pip = [uv(), "pip"]
    subprocess.run([uv(), "venv", "--quiet", "--python", python, own], check=True)
    inside = own / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    resolve = ["--no-build", "--resolution", BOUNDS[bound], "--extra", "cluster", "--quiet"]
    wanted = [*pip, "compile", *resolve, "--python", inside, "-o", chosen, ROOT / "pyproject.toml"]
    subprocess.run(wanted, check=True)
    install = [*pip, "install", "--quiet", "--python", inside]
    subprocess.run([*install, "-r", chosen, *TOOLS], check=True)
    subprocess.run([*install, "--no-deps", "-e", ROOT], check=True)
    pins = re.findall(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", chosen.read_text(encoding="utf-8"), re.M)
    return inside, dict(pins)


def run(python: str, bound: str, arguments: Sequence[str]) -> tuple[list[str], bool]:
    """Run tests in one environment; return the end of its row, and whether all is well."""
    with tempfile.TemporaryDirectory() as folder:
        inside, pins = environment(Path(folder), python, bound)
        # What is old says that what it uses is deprecated, and cannot help it.
        mild = ["-W", "default::DeprecationWarning"] if bound == "oldest" else []
        command = [
            inside,
            "-m",
            "pytest",
            "-q",
            "-n",
            "auto",
            "--dist",
            "loadfile",
            *mild,
            *arguments,
        ]
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        seconds = time.monotonic() - began
    last = done.stdout.rstrip().rpartition("\n")[2]
    if done.returncode:
        print(done.stdout)
    said = re.sub(r" in [\d.]+s.*", "", last.strip("= "))
    return [
        *(pins.get(name, "none") for name in SHOWN),
        said,
        f"{seconds:.0f}",
    ], not done.returncode


def main() -> None:
    """Run what was asked for, cell by cell, and print the table at the end."""
    parser = argparse.ArgumentParser(
        description="Run tests on the oldest and the newest libraries, and print a table."
    )
    parser.add_argument("--python", action="append", choices=versions(), help="by default all")
    parser.add_argument("--bound", action="append", choices=BOUNDS, help="by default both")
    options, arguments = parser.parse_known_args()
    find = runpy.run_path(str(ROOT / "binder" / "pins.py"))["interpreter"]
    rows = [["Python", "libraries", *SHOWN, "tests", "seconds"]]
    is_well = True
    for version in options.python or versions():
        python = find(version)
        for bound in options.bound or BOUNDS:
            if python is None:
                rows.append(
                    [version, bound, *("" for _ in SHOWN), "skipped: no such Python here", ""]
                )
                continue
            row, passed = run(python, bound, arguments or CUT)
            rows.append([version, bound, *row])
            is_well = is_well and passed
    print(table(rows))
    sys.exit(not is_well)


if __name__ == "__main__":
    main()

"""Imports run downward only and never in a circle; late ones and those for types count too.

The source is read, not imported, so that an import which works only thanks to
the order of other imports is found all the same.
"""

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = "backprop_nb"
ROOT = Path(__file__).parent.parent / PACKAGE

# The wings from the ground floor up. A module imports from its own wing and from those
# below. The package's own front, "", offers all but the classroom and the course.
WINGS = (
    *("errors", "meant", "files", "data", "fronts", "display"),
    *("tracing", "network", "checking", "views", "", "classroom", "course", "__main__"),
)

# The rooms of `views`: each may use what they share, none another room.
ROOMS = {f"views.{path.parent.name}" for path in ROOT.glob("views/*/__init__.py")}

# The document's own passes and the tracer check each other, so they share nothing.
WITHOUT_TRACER = ("network.passes", "network.fast")

# What may be imported at first use, by a string or inside of a function: the views when
# something is shown, what was meant when a name is missing, Dask when there are chunks, what prints
# and compiles a graph, the way to other array libraries, and what the process of a submission may
# do without.
DOORS = {
    ("", "meant"),
    ("display", "views"),
    ("network.training", "network.chunks"),
    ("tracing.api", "tracing.compiled"),
    ("tracing.api", "tracing.emit"),
    ("tracing.backward", "tracing.emit"),
    ("tracing.compiled", "tracing.elsewhere"),
    ("network.activations", "tracing.rules"),
    ("classroom.child", "checking.wrong_line"),
    ("classroom.supervisor", "checking.wrong_line"),
    ("course.site.command", "course.site.build"),
}

# The front of the package, that of the views, and what makes the fronts of the other wings, put off
# what is heavy to first use.
FRONTS = {"", "views", "fronts"}

# NumPy and the standard library are everywhere; each other package has its place.
THIRD_PARTY = {
    "network.chunks": {"dask", "distributed"},
    "display": {"tqdm"},
    "classroom.running": {"distributed"},
    "course.lab": {"jupyterlab"},
    "course.notebooks": {"jupyter_core", "nbformat"},
    "course.site": {"jinja2", "jupyter_client", "latex2mathml", "nbclient", "nbconvert", "nbformat"}
    | {"traitlets"},
    "classroom.jupyter": {"IPython"},
    "classroom.supervisor": {"IPython", "matplotlib"},
    "views": {"PIL", "contourpy", "latex2mathml", "matplotlib", "pygraphviz"}
    | {"IPython", "anywidget", "ipywidgets", "traitlets"},
}

# What ``import backprop_nb`` leaves for first use.
OWN = {f"{PACKAGE}.{wing}" for wing in ("tracing", "network", "checking", "views")}
HEAVY = sorted(set().union(*THIRD_PARTY.values()) | {"sklearn"} | OWN)


# --- reading the source -------------------------------------------------------


class Import(NamedTuple):
    """One imported module: of this package without its name, of another the top of it."""

    module: str
    target: str
    line: int
    late: bool = False
    for_types: bool = False
    ours: bool = True


def name_of(path: Path) -> str:
    """Return a module's name in the package; a folder's is that of its `__init__`."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix("__init__").removesuffix(".")


SOURCES = {name_of(path): path.read_text("utf-8") for path in sorted(ROOT.rglob("*.py"))}


def imports(sources: dict[str, str]) -> Iterator[Import]:
    """Yield every import of every module."""
    for module, text in sources.items():
        yield from imports_of(module, text)


@cache
def imports_of(module: str, text: str) -> list[Import]:
    return list(found_in(ast.parse(text), module))


def found_in(
    tree: ast.AST, module: str, late: bool = False, typing: bool = False
) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        for name in imported(node):
            ours = name.partition(".")[0] == PACKAGE
            target = name.removeprefix(PACKAGE).lstrip(".") if ours else name.partition(".")[0]
            yield Import(module, target, node.lineno, late, typing, ours)
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        yield from found_in(node, module, late or inside, typing or types)


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the full names of the modules that a statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, "an import says the whole name"
        for alias in node.names:
            name = f"{node.module}.{alias.name}"
            yield name if name.removeprefix(f"{PACKAGE}.") in SOURCES else node.module


def imports_by_string(sources: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Yield the places that import a module by a string, which no reader can follow."""
    for module, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).rpartition(".")[2]
                if name in {"import_module", "__import__", "resolve_name"}:
                    yield module, node.lineno


# --- judging it ---------------------------------------------------------------


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def wing(module: str) -> int | None:
    head = module.partition(".")[0]
    return WINGS.index(head) if head in WINGS else None


def is_door(found: Import) -> bool:
    return any(found.module == door and within(found.target, to) for door, to in DOORS)


def fault(found: Import) -> str | None:
    """Say what is wrong with an import, if anything."""
    module, target = found.module, found.target
    if not found.ours:
        free = found.for_types or target == "numpy" or target in sys.stdlib_module_names
        homes = [room for room, packages in THIRD_PARTY.items() if target in packages]
        return None if free or any(within(module, home) for home in homes) else "has no place here"
    if found.late and not is_door(found):
        return "is imported late"
    if wing(module) is None:
        return "is imported from a module of no wing"
    if wing(target) is None or wing(target) > wing(module):
        return "stands above"
    rooms = {room for room in ROOMS if within(target, room) and not within(module, room)}
    if rooms and any(within(module, room) for room in ROOMS):
        return "is another room"
    return None


def faults(sources: dict[str, str]) -> list[str]:
    """Return every breach of the tables, as a line that says where it is."""
    wrong = [
        f"{each.module}:{each.line} {each.target or PACKAGE} {said}"
        for each in imports(sources)
        if (said := fault(each))
    ]
    doors = {door for door, _ in DOORS} | FRONTS
    by_string = [each for each in imports_by_string(sources) if each[0] not in doors]
    return wrong + [f"{module}:{line} imports by a string" for module, line in by_string]


def needs(sources: dict[str, str]) -> dict[str, set[str]]:
    """Return for each module those of the package that it imports, but for the doors."""
    table: dict[str, set[str]] = {module: set() for module in sources}
    for each in imports(sources):
        if each.ours and each.target in SOURCES and not is_door(each):
            table[each.module].add(each.target)
    return table


def check_no_circle(sources: dict[str, str]) -> None:
    """Raise ``CycleError``, which names the circle, if a module needs itself."""
    graphlib.TopologicalSorter(needs(sources)).prepare()


# --- the tests ----------------------------------------------------------------


def test_every_import_runs_downward():
    assert list(faults(SOURCES)) == []


def test_there_is_no_circle():
    check_no_circle(SOURCES)


@pytest.mark.parametrize("module", WITHOUT_TRACER)
def test_the_documents_own_passes_do_not_know_the_tracer(module):
    table = needs(SOURCES)
    reached, pending = set(), [module]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += table[name]
    assert module in reached
    assert [name for name in reached if within(name, "tracing")] == []


@pytest.mark.parametrize(("door", "target"), sorted(DOORS))
def test_every_door_is_used(door, target):
    used = imports({door: SOURCES[door]})
    late = any(each.late and within(each.target, target) for each in used)
    assert late or f'"{PACKAGE}.{target}"' in SOURCES[door]


def test_every_third_party_package_is_declared():
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"]]
    lines += [
        line for extra in ("cluster", "lab") for line in project["optional-dependencies"][extra]
    ]
    declared = {re.match(r"[\w-]+", line)[0] for line in lines}
    # They come with ipywidgets and matplotlib, and with JupyterLab.
    with_these = {"IPython", "traitlets", "jupyter_core"} | {"PIL"}
    with_these |= {"jinja2", "jupyter_client", "nbclient", "nbconvert", "nbformat"}
    assert set().union(*THIRD_PARTY.values()) <= declared | with_these


def test_importing_the_package_loads_nothing_heavy():
    code = f"import {PACKAGE}, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("errors", "import backprop_nb.tracing.graph"),
        ("errors", "import numpy, pandas"),
        ("tracing", "from backprop_nb.views import charts"),
        ("tracing.graph", "from backprop_nb import Graph"),
        ("tracing.graph", "if ready:\n    import backprop_nb.views"),
        ("tracing.graph", "def draw(graph):\n    from backprop_nb.views import charts"),
        ("tracing.graph", "def record(graph):\n    from backprop_nb.tracing import record"),
        ("tracing.graph", "if TYPE_CHECKING:\n    from backprop_nb.views.charts import Drawing"),
        ("tracing.graph", "importlib.import_module('backprop_nb.views')"),
        ("tracing.graph", "import matplotlib.pyplot as plt"),
        ("tracing.graph", "def later():\n    import matplotlib"),
        ("network.fast", "from backprop_nb.checking import report"),
        ("views.flow.widget", "from backprop_nb.views.chain.scene import Scene"),
        ("nowhere", "from backprop_nb import errors"),
    ],
)
def test_a_breach_is_caught(module, source):
    [said] = faults({module: source})
    assert said.startswith(f"{module}:")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("tracing", "from backprop_nb.tracing.graph import Trace"),
        ("tracing.graph", "import math\nimport numpy as np\nfrom backprop_nb.errors import warn"),
        ("tracing.graph", "if TYPE_CHECKING:\n    from matplotlib.figure import Figure"),
        ("network.sigmoid", "from backprop_nb.tracing import trace"),
        ("views.charts", "import matplotlib"),
        ("views.flow.scene", "from backprop_nb.views.flow.widget import GradientFlow"),
        ("views.flow.scene", "from backprop_nb.views.palette import LIGHT"),
    ],
)
def test_what_the_tables_allow_is_no_breach(module, source):
    assert faults({module: source}) == []


@pytest.mark.parametrize(
    "source",
    [
        "from backprop_nb.tracing import api",
        "def later():\n    from backprop_nb.tracing.api import Graph",
        "if TYPE_CHECKING:\n    from backprop_nb.tracing.api import Graph",
    ],
)
def test_a_circle_is_caught(source):
    with pytest.raises(graphlib.CycleError):
        check_no_circle(SOURCES | {"tracing.graph": source})

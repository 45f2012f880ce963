"""Imports run downward only: the table of the rooms, and what enforces it.

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
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from backprop_nb._doors import DOORS

PACKAGE = "backprop_nb"
ROOT = Path(__file__).parent.parent / PACKAGE

# Each room, from the ground floor up, and what it may import of this package.
# A room is a module, or a folder with all that is in it; to name a wing is to
# allow all of it. Inside one room anything goes that is not a cycle.
ROOMS: dict[str, set[str]] = {
    "_doors": set(),
    "errors": set(),
    "files": set(),
    "tracing.graph": {"errors"},
    "tracing.structure": {"errors"},
    "tracing.rules.row": set(),
    "tracing.rules": {"errors"},
    "tracing.source": {"errors", "tracing.graph"},
    "tracing.calling": {"errors"},
    "tracing.refusals": {"errors", "tracing.rules", "tracing.source"},
    "tracing.traced": {"errors", "tracing.graph", "tracing.rules", "tracing.source"}
    | {"tracing.structure", "tracing.refusals"},
    "tracing.trace": {"errors", "tracing.graph", "tracing.rules", "tracing.source"}
    | {"tracing.calling", "tracing.structure", "tracing.refusals", "tracing.traced"},
    "tracing.backward": {"errors", "tracing.graph", "tracing.rules"},
    "tracing.health": {"tracing.graph", "tracing.rules"},
    "tracing.define": {"errors", "tracing.rules"},
    "tracing.replay": {"errors", "tracing.graph", "tracing.structure"},
    "tracing.transforms": {"errors", "tracing.calling", "tracing.graph", "tracing.structure"}
    | {"tracing.trace", "tracing.backward"},
    "tracing.emit": {"errors", "tracing.graph", "tracing.rules", "tracing.structure"}
    | {"tracing.traced", "tracing.trace", "tracing.backward"},
    "network.validation": {"errors"},
    "network.fast": {"network.validation"},
    "network.theta": {"network.validation"},
    "network.storage": {"errors", "files", "network.validation"},
    "network.written": set(),
    "network.history": {"network.validation"},
    "network.passes": {"errors", "network.validation"},
    "network.sigmoid": {"errors", "network.validation", "network.passes", "network.fast"}
    | {"network.history", "network.storage", "network.written"},
    "network.comparison": {"errors", "network.validation", "network.passes", "network.fast"}
    | {"network.sigmoid", "network.written"},
    "network.flow": {"errors", "network.validation", "network.passes", "network.sigmoid"}
    | {"network.comparison"},
    "network.chunks": {"errors", "network.validation", "network.fast", "network.theta"}
    | {"network.history", "network.sigmoid"},
    "network.tables": {"network.validation"},
    "network.plane_data": {"errors", "network.validation"},
    "network.run": {"errors", "network.validation", "network.sigmoid", "network.comparison"}
    | {"network.history", "network.training"},
    "network.factors": {"errors", "network.validation", "network.passes"},
    "network.transposes": {"network.validation", "network.passes"}
    | {"network.tables", "network.factors"},
    "network.chain": {"errors", "network.validation", "network.passes"}
    | {"network.tables", "network.factors", "network.transposes"},
    "network.document": {"errors", "network.validation", "network.passes", "network.sigmoid"}
    | {"network.tables", "network.theta", "network.chain"},
    "network.training": {"errors", "network.validation", "network.sigmoid"}
    | {"network.theta", "network.history"},
    "checking.arrays": set(),
    "checking.process": {"errors"},
    "checking.report": {"errors"},
    "checking.numeric": {"errors", "tracing", "checking.arrays", "checking.report"},
    "checking.recipe": {"errors", "network"},
    "checking.mistakes": {"errors", "network", "checking.recipe"},
    "checking.probes": {"errors", "checking.arrays", "checking.recipe"},
    "checking.diagnosis": {"errors", "tracing", "network"}
    | {
        f"checking.{room}"
        for room in ("arrays", "process", "recipe", "mistakes", "probes", "numeric", "report")
    },
    "checking.exercises": {"errors", "network"}
    | {f"checking.{room}" for room in ("recipe", "mistakes", "diagnosis", "report")},
    "checking.puzzle": {"errors", "network"}
    | {f"checking.{room}" for room in ("recipe", "mistakes", "numeric")},
    "checking": {"errors", "tracing", "network"},
    "views": {"errors", "files", "tracing", "network", "checking"},
    "classroom": {"", "errors", "files", "checking", "views"},
    "__main__": {"classroom"},
}

# The front of a wing, its ``__init__``, offers what is inside it, and only it
# may put that off to first use. The package's own front offers everything.
FRONTS: dict[str, set[str]] = {
    "": {"errors", "tracing", "network", "checking", "views", "classroom"},
    "tracing": {"tracing"},
    "network": {"network"},
    "views": {"views"},
}

# NumPy and the standard library are everywhere; each other package has its place.
THIRD_PARTY: dict[str, set[str]] = {
    "network.chunks": {"dask"},
    "network.training": {"tqdm"},
    "classroom.running": {"distributed"},
    "classroom.grading": {"tqdm"},
    "views": {"latex2mathml", "matplotlib", "pygraphviz"}
    | {"IPython", "anywidget", "ipywidgets", "traitlets"},
}

# What ``import backprop_nb`` leaves for first use.
HEAVY = sorted(set().union(*THIRD_PARTY.values()) | {"sklearn"})

# A door imports and hands over. So many statements may it have, docstring aside.
DOOR_STATEMENTS = 5


# --- reading the source -------------------------------------------------------


@dataclass(frozen=True)
class File:
    """A module's source; a package's is its ``__init__``."""

    text: str
    is_package: bool = False


@dataclass(frozen=True)
class Place:
    """Where a statement stands: the qualname around it, and how it is reached."""

    path: tuple[str, ...] = ()
    in_function: bool = False
    typing_only: bool = False


@dataclass(frozen=True)
class Import:
    """One imported module, and where the import stands."""

    target: str
    line: int
    place: Place

    @property
    def function(self) -> str | None:
        return ".".join(self.place.path) if self.place.in_function else None


def package_files() -> dict[str, File]:
    """Every module of the package by its dotted name."""
    files = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = [PACKAGE, *path.relative_to(ROOT).with_suffix("").parts]
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        files[name] = File(path.read_text(encoding="utf-8"), is_package)
    return files


def nodes(tree: ast.AST, place: Place = Place()) -> Iterator[tuple[ast.AST, Place]]:
    """Yield every node below the tree, with its place."""
    for node in ast.iter_child_nodes(tree):
        yield node, place
        match node:
            case ast.ClassDef(name=name):
                inside = replace(place, path=(*place.path, name))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                inside = replace(place, path=(*place.path, name), in_function=True)
            case ast.If(test=test) if "TYPE_CHECKING" in ast.unparse(test):
                inside = replace(place, typing_only=True)
            case _:
                inside = place
        yield from nodes(node, inside)


def imports(name: str, files: dict[str, File]) -> Iterator[Import]:
    """Yield every import of a module, each target an absolute module name."""
    for node, place in nodes(ast.parse(files[name].text)):
        match node:
            case ast.Import(names=aliases):
                for alias in aliases:
                    yield Import(alias.name, node.lineno, place)
            case ast.ImportFrom(names=aliases):
                base = absolute(node, name, files[name].is_package)
                for alias in aliases:
                    module = f"{base}.{alias.name}"
                    yield Import(module if module in files else base, node.lineno, place)


def absolute(node: ast.ImportFrom, name: str, is_package: bool) -> str:
    """Return the module in ``from <module> import``, its leading dots resolved."""
    if not node.level:
        return node.module
    here = name.split(".")
    base = here[: len(here) - node.level + is_package]
    return ".".join(base + ([node.module] if node.module else []))


def run_time_imports(file: File) -> Iterator[int]:
    """Yield the lines that import a module by a string, which no reader can follow."""
    for node, _ in nodes(ast.parse(file.text)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in {"import_module", "__import__"}:
                yield node.lineno


# --- judging it ---------------------------------------------------------------


def within(name: str) -> str | None:
    """Return a module's name in this package (``tracing.graph``), None for another package's."""
    if name == PACKAGE:
        return ""
    return name.removeprefix(f"{PACKAGE}.") if name.startswith(f"{PACKAGE}.") else None


def lies_in(module: str, rooms: set[str]) -> bool:
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def permitted(module: str) -> set[str] | None:
    """Return what a module may import of this package; None if no room of the table holds it."""
    if module in FRONTS:
        return FRONTS[module]
    room = max((room for room in ROOMS if lies_in(module, {room})), key=len, default=None)
    return None if room is None else ROOMS[room] | {room}


def faults(files: dict[str, File]) -> Iterator[str]:
    """Yield every breach of the table, as a line that says where it is."""
    for name, file in files.items():
        if permitted(within(name)) is None:
            yield f"{name} has no row in ROOMS"
            continue
        for found in imports(name, files):
            if fault := judge(name, found):
                yield f"{name}:{found.line} {fault}"
        if within(name) not in FRONTS:
            for line in run_time_imports(file):
                yield f"{name}:{line} imports by a string"


def judge(name: str, found: Import) -> str | None:
    """Return what is wrong with one import, if anything."""
    module, target = within(name), within(found.target)
    if target is None:
        if found.place.typing_only:
            return None  # a name for a type loads nothing
        return judge_third_party(module, found.target.partition(".")[0])
    if found.function and module not in FRONTS:
        if is_door(f"{name}:{found.function}", found.target):
            return None
        return f"imports {target} in {found.function}, which is no door of _doors.py"
    if found.place.typing_only and any(is_door(place, found.target) for place in places(name)):
        return None  # so that the door can name the type it returns
    return None if lies_in(target, permitted(module)) else f"may not import {target or PACKAGE}"


def judge_third_party(module: str, package: str) -> str | None:
    if package == "numpy" or package in sys.stdlib_module_names:
        return None
    homes = {room for room, packages in THIRD_PARTY.items() if package in packages}
    return None if lies_in(module, homes) else f"may not import {package}"


def is_door(place: str, target: str) -> bool:
    return any(place == door and lies_in(target, {goal}) for door, goal in DOORS)


def places(name: str) -> list[str]:
    """Return the doors that stand in a module."""
    return [door for door, _ in DOORS if door.startswith(f"{name}:")]


def check_no_cycle(files: dict[str, File]) -> None:
    """Raise ``CycleError``, which names the cycle, if importing one module needs itself."""
    needs = {
        name: {
            found.target
            for found in imports(name, files)
            if found.target in files and not found.function and not found.place.typing_only
        }
        for name in files
    }
    graphlib.TopologicalSorter(needs).prepare()


# --- the tests ----------------------------------------------------------------


def test_every_import_runs_downward():
    assert list(faults(package_files())) == []


def test_every_third_party_package_is_declared():
    project = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["cluster"]
    declared = {re.match(r"[\w-]+", line)[0] for line in lines}
    with_ipywidgets = {"IPython", "traitlets"}
    assert set().union(*THIRD_PARTY.values()) <= declared | with_ipywidgets


def test_there_is_no_cycle():
    check_no_cycle(package_files())


@pytest.mark.parametrize(("place", "target"), DOORS, ids=[place for place, _ in DOORS])
def test_every_listed_door_exists_and_is_short(place, target):
    name, _, qualname = place.partition(":")
    files = package_files()
    found = [each for each in imports(name, files) if each.function == qualname]
    assert any(lies_in(each.target, {target}) for each in found), "the list has gone stale"
    inside = [
        node
        for node, where in nodes(ast.parse(files[name].text))
        if isinstance(node, ast.stmt) and lies_in(".".join(where.path), {qualname})
    ]
    assert len(inside) <= DOOR_STATEMENTS + 1  # its docstring is a statement too


SMALL = {
    PACKAGE: File("", True),
    f"{PACKAGE}.errors": File(""),
    f"{PACKAGE}.tracing": File("", True),
    f"{PACKAGE}.tracing.graph": File(""),
    f"{PACKAGE}.tracing.trace": File(""),
    f"{PACKAGE}.views": File("", True),
    f"{PACKAGE}.views.charts": File(""),
    f"{PACKAGE}.views.explorer": File("", True),
    f"{PACKAGE}.views.explorer.figure": File(""),
}


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("errors", "import backprop_nb.tracing.graph"),
        ("errors", "import numpy, pandas"),
        ("tracing", "from ..views import figures"),
        ("tracing.graph", "from ..views import figures"),
        ("tracing.graph", "from backprop_nb import sigmoid"),
        ("tracing.graph", "from . import Graph"),
        ("tracing.graph", "if ready:\n    import backprop_nb.views"),
        (
            "tracing.graph",
            "class Graph:\n    def other(self):\n        from ..views import figures",
        ),
        ("tracing.graph", "if TYPE_CHECKING:\n    from .trace import TracedArray"),
        ("tracing.graph", "importlib.import_module('backprop_nb.views')"),
        ("tracing.graph", "import matplotlib.pyplot as plt"),
        ("tracing.graph", "def later():\n    import matplotlib"),
        ("tracing.rules.row", "from ...errors import BackpropError"),
        ("tracing.backward", "from .trace import trace"),
        ("tracing.nowhere", ""),
        ("network.sigmoid", "from ..tracing import trace"),
    ],
)
def test_a_breach_is_caught(module, source):
    name = f"{PACKAGE}.{module}"
    [fault] = faults(SMALL | {name: File(source, SMALL.get(name, File("")).is_package)})
    assert fault.startswith(name)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("tracing", "from .graph import Graph"),
        ("tracing.graph", "import math\nimport numpy as np\nfrom ..errors import BackpropError"),
        (
            "tracing.graph",
            "class Graph:\n    def draw(self):\n        from ..views.explorer import figure",
        ),
        ("tracing.graph", "if TYPE_CHECKING:\n    from ..views.explorer.figure import Figure"),
        ("tracing.graph", "if TYPE_CHECKING:\n    from matplotlib.figure import Figure"),
        ("tracing.rules.table", "from .row import Row"),
        ("tracing.trace", "from .graph import Graph"),
        ("views.charts", "import matplotlib"),
        ("checking.diagnosis", "from ..tracing import trace"),
    ],
)
def test_what_the_table_allows_is_no_breach(module, source):
    name = f"{PACKAGE}.{module}"
    small = SMALL | {name: File(source, SMALL.get(name, File("")).is_package)}
    assert list(faults(small)) == []


def test_a_cycle_is_caught():
    graph, trace = f"{PACKAGE}.tracing.graph", f"{PACKAGE}.tracing.trace"
    with pytest.raises(graphlib.CycleError):
        check_no_cycle({graph: File("from . import trace"), trace: File("from . import graph")})


def test_importing_the_package_loads_nothing_heavy():
    code = f"import {PACKAGE}, sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

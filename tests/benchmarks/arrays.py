"""Every case of every rule, traced with NumPy and computed by other array libraries.

    python -m pip install -e ".[bench,test]"
    python tests/benchmarks/arrays.py [--only jax ...] [--failures] [--write]

A program is the value and the gradients of a case of tests/tracing/rules, twice over.
--write puts the table into arrays.md; CuPy, which needs a GPU, has a table of its own:

    python tests/benchmarks/arrays.py --only cupy --write

which takes less than four minutes, and says so where there is no GPU.
"""

import argparse
import datetime
import importlib
import importlib.util
import platform
import sys
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import numpy as np

from backprop_nb.errors import UnsupportedError

FOLDER = Path(__file__).parent
RULES = FOLDER.parent / "tracing" / "rules"
TOLERANCE = 1e-8
RIGHT, LACKING, WRONG, FAILED = "right", "lacking", "wrong", "failed"
SIGNED = ("eigh", "svd")
"""Of these a library is free to return each vector, or the one opposite to it."""
GPU = ("cupy",)


def _jax() -> ModuleType:
    import jax

    jax.config.update("jax_enable_x64", True)
    return importlib.import_module("jax.numpy")


LIBRARIES = {
    "numpy": lambda: np,
    "torch": lambda: importlib.import_module("array_api_compat.torch"),
    "dask": lambda: importlib.import_module("dask.array"),
    "jax": _jax,
    "cupy": lambda: importlib.import_module("cupy"),
}


@dataclass(frozen=True)
class Program:
    """A case of a rule: its function, what it is called with, and what is right."""

    name: str
    graph: object
    inputs: list
    value: object
    gradients: tuple
    directions: list


def programs(rules: list[str] | None = None) -> Iterator[Program]:
    """Yield every case of every rule, or of some."""
    sys.path[:0] = map(
        str, (FOLDER.parent, RULES.parent, RULES)
    )  # what the tests of the rules import
    rule_checks = importlib.import_module("rule_checks")
    for path in sorted(RULES.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        if not hasattr(module, "CASES"):
            continue
        module_rows = importlib.import_module(f"backprop_nb.tracing.rules.{path.stem[5:]}")
        called = getattr(module, "CALLED", {})
        for row in module_rows.ROWS:
            wanted = rules is None or row.name in rules
            for call in module.CASES.get(row.name, []) if wanted else []:
                drawn = rule_checks.Drawn(row, call, called=called.get(row.name))
                graph = rule_checks.twice(drawn)
                inputs = [*drawn.inputs, *drawn.inputs]
                right = graph.value, graph.backward().gradients
                directions = [drawn.direction(each) for each in inputs]
                yield Program(row.name, graph, inputs, *right, directions)


def outcome(program: Program, xp: ModuleType) -> tuple[str, str]:
    """Return how a library fares with a program, and what it says."""
    try:
        compiled = program.graph.compile(xp=xp)
    except UnsupportedError as error:
        return LACKING, str(error)
    try:
        inputs = [np.copy(each) for each in program.inputs]
        given = inputs if xp is np else [xp.asarray(each) for each in inputs]
        value, gradients = compiled(*given)
        found = [plain(each) for each in (value, *gradients)]
    except Exception as error:  # of the library, whichever it raises
        return FAILED, f"{type(error).__name__}: {error}"
    for one, right in zip(found, (program.value, *program.gradients), strict=True):
        if one.shape != np.shape(right):
            return WRONG, f"shape {one.shape} in place of {np.shape(right)}"
        if one.dtype != right.dtype:
            return WRONG, f"type {one.dtype} in place of {right.dtype}"
        if not np.allclose(one, right, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
            if program.name in SIGNED and agrees_with_slopes(program, xp, compiled, found[1:]):
                return RIGHT, "with other signs"
            return WRONG, f"off by {np.max(np.abs(one - right)):.1e}"
    return RIGHT, ""


def agrees_with_slopes(program: Program, xp: ModuleType, compiled, gradients: list) -> bool:
    """Whether gradients are those of the value that the library itself computes."""
    step = 1e-6
    ahead, behind = (
        float(
            plain(
                compiled(
                    *[
                        xp.asarray(x + sign * step * d)
                        for x, d in zip(program.inputs, program.directions, strict=True)
                    ]
                )[0]
            )
        )
        for sign in (1, -1)
    )
    found = sum(np.sum(g * d) for g, d in zip(gradients, program.directions, strict=True))
    return bool(np.isclose(found, (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-6))


def plain(array) -> np.ndarray:
    """Return an array of any library as one of NumPy's."""
    array = array.compute() if hasattr(array, "compute") else array
    return np.asarray(array.get() if hasattr(array, "get") else array)


def measured(every: list[Program], name: str, with_failures: bool) -> dict[str, Counter]:
    """Return for each rule how many of its programs ended how."""
    xp, found = LIBRARIES[name](), {}
    for program in every:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the libraries, about zeros and infinities
            ended, says = outcome(program, xp)
        found.setdefault(program.name, Counter())[ended] += 1
        if with_failures and ended != RIGHT:
            print(f"{name:6} {program.name:20} {ended:8} {' '.join(says.split())[:150]}")
    return found


def cell(counts: Counter) -> str:
    """Return how many of how many are right, and how the others end."""
    total = sum(counts.values())
    others = [f"{counts[each]} {each}" for each in (LACKING, FAILED, WRONG) if counts[each]]
    return f"{counts[RIGHT]}/{total}" + (f" ({', '.join(others)})" if others else "")


def table(found: dict[str, dict[str, Counter]]) -> str:
    """Return the Markdown table: all programs, then each rule that some library lacks."""
    names = list(found)
    every = {name: sum(rules.values(), Counter()) for name, rules in found.items()}
    lines = [f"| rule | {' | '.join(names)} |", f"| --- |{' --: |' * len(names)}"]
    lines.append(f"| **all** | {' | '.join(f'**{cell(every[name])}**' for name in names)} |")
    for rule in sorted(next(iter(found.values()))):
        cells = [found[name][rule] for name in names]
        if any(set(each) != {RIGHT} for each in cells):
            lines.append(f"| `{rule}` | {' | '.join(map(cell, cells))} |")
    return "\n".join(lines)


def text(found: dict[str, dict[str, Counter]]) -> str:
    """Return the whole document."""
    packages = {"torch": ["torch", "array-api-compat"], "cupy": ["cupy"]}
    used = [pack for name in found for pack in packages.get(name, [name])]
    versions = ", ".join(f"{each} {_version(each)}" for each in dict.fromkeys(used))
    about = f"""
        How many of the programs, the cases of a rule computed and reversed, are right to
        {TOLERANCE:.0e} with `graph.compile(xp=…)`. Rules that are right in every library are in
        the first line only. What is *lacking* is refused by name when it is compiled; what has
        *failed* raised an error of the library. Vectors of `eigh` and `svd` may come out with the
        opposite sign; then the gradients are held against the slopes of the library's own value.
        {datetime.date.today():%B %Y},
        Python {platform.python_version()}, {versions}."""
    body = textwrap.fill(" ".join(about.split()), 100, break_on_hyphens=False)
    return f"# The rules in other array libraries\n\n{table(found)}\n\n{body}\n"


def _version(package: str) -> str:
    found = [each for each in (package, f"{package}-cuda12x", f"{package}-cuda13x") if _has(each)]
    return version(found[0]) if found else "(none)"


def _has(package: str) -> bool:
    try:
        version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=LIBRARIES, default=None)
    parser.add_argument("--rules", nargs="+", default=None)
    parser.add_argument("--failures", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    names = options.only or [name for name in LIBRARIES if name not in GPU]
    if "cupy" in names:
        if importlib.util.find_spec("cupy") is None:
            raise SystemExit("CuPy is not installed: python -m pip install cupy-cuda12x")
        import cupy

        if not cupy.cuda.is_available():
            raise SystemExit("CuPy needs a GPU, and there is none.")
    every = list(programs(options.rules))
    found = {name: measured(every, name, options.failures) for name in names}
    if options.write:
        file = FOLDER / ("arrays_cupy.md" if names == ["cupy"] else "arrays.md")
        file.write_text(text(found), encoding="utf-8")
    print(text(found))


if __name__ == "__main__":
    main()

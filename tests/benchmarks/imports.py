"""What `import backprop_nb` costs beside `import numpy`, and what is left for first use.

    python tests/benchmarks/imports.py [--rounds ...] [--beside FOLDER] [--write]

The processor's time, user and system, of a fresh Python for each, in turn; Python's own start
is subtracted. Without bytecode is the first import after an installation by some tools, and each
one on a disk that cannot be written: the package is compiled, NumPy is not. --beside is the
folder of another build's `backprop_nb`; --write puts the table into imports.md.
"""

import argparse
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from network import line
from timing import publish

FILE = Path(__file__).with_suffix(".md")
HERE = Path(__file__).parents[2]
CODES = {
    "import backprop_nb": "import backprop_nb",
    "… and backprop_nb.trace": "import backprop_nb; backprop_nb.trace",
    "… and backprop_nb.SigmoidNetwork": "import backprop_nb; backprop_nb.SigmoidNetwork",
}


def seconds(code: str, environment: dict[str, str]) -> float:
    """Return the processor's time of a fresh Python that runs a line of code."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], env=environment, cwd="/", check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def environments(builds: dict[str, Path], folder: Path) -> dict[str, dict[str, str]]:
    """Return for each build, with bytecode and without, where Python finds it."""
    found = {}
    for k, (build, root) in enumerate(builds.items()):
        for title, without in (("", ""), (", without bytecode", "1")):
            copy = folder / f"{k}{without}"
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(root / "backprop_nb", copy / "backprop_nb", ignore=ignored)
            found[build + title] = os.environ | {
                "PYTHONPATH": str(copy),
                "PYTHONDONTWRITEBYTECODE": without,
                "OPENBLAS_NUM_THREADS": "1",
            }
    return found


def report(builds: dict[str, Path], rounds: int):
    """Yield the lines of the report, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        places = environments(builds, Path(folder))
        some = next(iter(places.values()))
        runs = {
            (title, place): (CODES[title], places[place]) for place in places for title in CODES
        }
        runs |= {("", "Python"): ("", some), ("import numpy", ""): ("import numpy", some)}
        times: dict[tuple[str, str], list[float]] = {name: [] for name in runs}
        for k in range(1 + rounds):  # the first compiles, and does not count
            for name, run in runs.items():
                taken = seconds(*run)
                times[name] += [taken] if k else []
    start = statistics.median(times.pop(("", "Python")))
    numpy = statistics.median(times["import numpy", ""]) - start
    yield line("", "processor", "to NumPy's", "middle half")
    yield line("---", "--:", "--:", "--:")
    for (title, place), each in times.items():
        low, middle, high = statistics.quantiles([taken - start for taken in each], n=4)
        name = f"`{title}`{place and f', {place}'}".replace(", here", "")
        spread = f"{low / numpy:.2f} to {high / numpy:.2f}"
        yield line(name, f"{1e3 * middle:.0f} ms", f"{middle / numpy:.2f} ×", spread)
    yield (
        f"\nMedians of {rounds} rounds; {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, numpy {version('numpy')}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="of another build")
    parser.add_argument("--write", action="store_true", help=f"the table into {FILE.name}")
    given = parser.parse_args()
    builds = {"here": HERE} | ({given.beside.name: given.beside} if given.beside else {})
    title = "What importing the package costs, beside NumPy"
    publish(title, report(builds, given.rounds), FILE if given.write else None)


if __name__ == "__main__":
    main()

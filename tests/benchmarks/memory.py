"""How much memory the kernel of each lesson takes, at its highest, in MB (on Linux).

python tests/benchmarks/memory.py [LESSON ...]
"""

import os
import sys
from pathlib import Path

# The kernel of this environment, whatever other "python3" kernel the user has.
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
ASK = "import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"  # in KiB


def peak(lesson: Path) -> float:
    """Run a lesson in a kernel of its own, and return the most that it had."""
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells.append(new_code_cell(ASK))
    client = NotebookClient(
        notebook,
        timeout=300,
        resources={"metadata": {"path": str(lesson.parent)}},
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute()
    return int(notebook.cells[-1].outputs[0].text) * 1024 / 1e6


if __name__ == "__main__":
    for each in map(Path, sys.argv[1:] or sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))):
        print(f"{peak(each):4.0f} MB  {each.name}")

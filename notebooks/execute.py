"""Run notebooks in place and store them as they are to be committed.

    python notebooks/execute.py                      # every lesson, and the assignment
    python notebooks/execute.py notebooks/00_start_here.ipynb

A committed notebook keeps its figures and its texts, which GitHub shows and the
tests compare. It drops what is of use only while a kernel lives (a widget's
view and state, which would reopen as "model not found") and what differs from
one run to the next, so that running twice writes the same bytes.  A figure
keeps 256 colours, which makes it a quarter of its size. A cell that
raises stops everything, unless it is tagged ``raises-exception``; the file is
then left as it was.
"""

import base64
import os
import sys
from pathlib import Path

# The kernel of this environment, whatever other "python3" kernel the user has.
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from backprop_nb.views.paper import compact

FOLDER = Path(__file__).parent
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


def main(names: list[str]) -> None:
    """Run and store the named notebooks, or the lessons and the assignment."""
    everything = [*FOLDER.glob("*.ipynb"), *FOLDER.glob("assignment/*.ipynb")]
    for path in map(Path, names or sorted(everything)):
        notebook = nbformat.read(path, as_version=4)
        execute(notebook, path.parent)
        clean(notebook)
        nbformat.write(notebook, path)
        print(f"{path}: {len(notebook.cells)} cells")


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run every cell, in a new kernel that works in the notebook's folder."""
    client = NotebookClient(
        notebook,
        kernel_name=KERNEL["name"],
        timeout=120,
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],  # it warns of every unencrypted local socket
    )
    client.execute()


def clean(notebook: NotebookNode) -> None:
    """Drop what belongs to one run or to one machine."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.kernelspec = KERNEL
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if keep(output)]


def keep(output: NotebookNode) -> bool:
    """Clean one output and tell whether anything of it is left."""
    if output.output_type == "error":
        # The rest of a traceback names files and lines of this machine.
        output.traceback = [f"{output.ename}: {output.evalue}"]
    if "data" in output:
        output.data.pop(WIDGET_VIEW, None)
        output.metadata.pop(WIDGET_VIEW, None)
        if png := output.data.get("image/png"):
            output.data["image/png"] = base64.b64encode(compact(base64.b64decode(png))).decode()
        return bool(output.data)
    return True


if __name__ == "__main__":
    main(sys.argv[1:])

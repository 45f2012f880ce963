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
import io
import os
import re
import sys
from pathlib import Path

# The kernel of this environment, whatever other "python3" kernel the user has.
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

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
        if path.parent.name != "assignment":
            set_slides(notebook)
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


ROWS, COLUMNS = 24, 88
"""How many rows fit on a slide, and how many characters on a row."""
ROW, WIDTH = 29, 900
"""How high a row is, and how wide a slide, in pixels."""


def set_slides(notebook: NotebookNode) -> None:
    """Say what is a slide, one idea on each: a heading begins one, and a text goes on below it.

    Code goes on the slide of the text above it where there is room.  A text that no slide has
    room for, exercises and long outputs, is left to the notebook, with what announces it.
    """
    room, announced = 0.0, None
    for cell in notebook.cells:
        rows, is_text = rows_of(cell), cell.cell_type == "markdown"
        room -= rows
        if rows > ROWS and not pictures(cell):
            kind, room = "skip", -1.0
            if announced is not None and announced.slide_type == "subslide":
                announced.slide_type = "skip"
        elif is_text or room < 0:
            kind, room = "subslide", ROWS - rows
            if is_text and HEADING.search(cell.source):
                kind = "slide"
        else:
            kind = "-"
        cell.metadata.slideshow = NotebookNode(slide_type=kind)
        announced = cell.metadata.slideshow if is_text else None


HEADING = re.compile("^#+ ", re.MULTILINE)
FOLDED = re.compile("<details>.*?</details>", re.DOTALL)


def rows_of(cell: NotebookNode) -> float:
    """Return about how many rows of a slide a cell takes, with what comes out of it."""
    rows = 1.0 + rows_of_text(FOLDED.sub("Answer", cell.source))
    for picture in pictures(cell):
        rows += 1 + picture.height * min(1, WIDTH / picture.width) / ROW
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/png" in data:
            continue
        if "text/html" in data:
            rows += 16  # a report
        else:
            shown = output.get("text") or data.get("text/markdown") or data.get("text/plain", "")
            rows += rows_of_text(shown)
    return rows


def rows_of_text(text: str) -> int:
    """Return how many rows a text takes on a slide, where long lines go on in the next row."""
    return sum(1 + len(line) // COLUMNS for line in text.splitlines())


def pictures(cell: NotebookNode) -> list[Image.Image]:
    """Return the pictures that come out of a cell."""
    stored = (output.get("data", {}).get("image/png") for output in cell.get("outputs", []))
    return [Image.open(io.BytesIO(base64.b64decode(each))) for each in stored if each]


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

"""Notebooks, run as they are, with a snapshot of every view in their outputs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
import traitlets
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode

from backprop_nb.course.site import kernel
from backprop_nb.errors import EndedError, InvalidValueError

SECONDS = 600
"""How long a cell may take."""

AT_ONCE = 2
"""So many kernels run at the same time, each with up to 300 MB."""


_LINE = re.compile(r"Cell In\[(\d+)\], line (\d+)")
"""A cell by its count, and its line, in a traceback of IPython's."""


class _ThisPython(AsyncKernelManager):
    """Starts the kernel of this Python, whatever other "python3" kernel the user has."""

    @traitlets.default("kernel_spec_manager")
    def _none_of_the_users(self) -> KernelSpecManager:
        return KernelSpecManager(kernel_dirs=[])


def executed(paths: Sequence[Path], done: Callable[[Path], Any]) -> list[NotebookNode]:
    """Run notebooks, each in a kernel of its own that works in the notebook's folder.

    Parameters
    ----------
    paths
        The notebooks; their files stay as they are.
    done
        Is called with the path of each as soon as it has run.

    Raises ``InvalidValueError`` if a cell raises that is not tagged ``raises-exception``, or a file
    is no notebook.
    Raises ``EndedError`` if a cell takes more than ten minutes, or ends its kernel.
    """
    return asyncio.run(_all(paths, done))


async def _all(paths: Sequence[Path], done: Callable[[Path], Any]) -> list[NotebookNode]:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(path: Path) -> NotebookNode:
        async with places:
            notebook = await _run(path)
        done(path)
        return notebook

    tasks = [asyncio.ensure_future(one(path)) for path in paths]
    try:
        return await asyncio.gather(*tasks)
    finally:  # the first error ends the other kernels as well
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run(path: Path) -> NotebookNode:
    try:
        notebook: NotebookNode = nbformat.read(path, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, UnicodeDecodeError) as error:
        raise InvalidValueError(
            f"{path.name} cannot be read as a notebook.", given=str(error).partition("\n")[0]
        ) from error
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=_ThisPython,
        timeout=SECONDS,
        resources={"metadata": {"path": str(path.parent)}},
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=[
            "--log-level=ERROR",  # it warns of every unencrypted local socket
            f"--IPKernelApp.extensions={kernel.__name__}",
        ],
    )
    try:
        await client.async_execute()
    except CellExecutionError as error:
        raise InvalidValueError(
            f"A cell of {path.name} raises {error.ename}.",
            given=error.evalue,
            instead='a cell that does not raise, or the tag "raises-exception" if it should',
            at=_line_that_raised(notebook, error.traceback) or _last_run(notebook),
        ) from error
    except (CellTimeoutError, DeadKernelError) as error:
        what = "ends its kernel" if isinstance(error, DeadKernelError) else "does not end"
        raise EndedError(
            f"A cell of {path.name} {what}.",
            expected=f"a cell that ends within {SECONDS} seconds",
            at=_last_run(notebook),
        ) from error
    return notebook


def _line_that_raised(notebook: NotebookNode, traceback: str) -> str | None:
    """Return the innermost line of a traceback that stands in a cell."""
    for count, line in reversed(_LINE.findall(strip_ansi(traceback))):
        for number, cell in enumerate(notebook.cells, start=1):
            if cell.get("execution_count") == int(count):
                lines = cell.source.splitlines()
                # Python is not shown the empty lines at the top.
                k = int(line) - 1 + next(k for k, text in enumerate(lines) if text.strip())
                return f"cell {number}, line {k + 1}: {lines[k].strip()}"
    return None


def _last_run(notebook: NotebookNode) -> str:
    """Return the first line of the cell that ran last."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    counts = [cell for cell in code if cell.execution_count]
    place = counts[-1] if counts else code[0]
    line: str = place.source.strip().partition("\n")[0]
    return f"cell {notebook.cells.index(place) + 1}: {line}"

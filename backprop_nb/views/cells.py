"""The cells that show a view, so that it can go when no cell shows it any more.

A cell that runs again makes new views.  Those of its last run, each with its layout, would stay in
the kernel and in the page for as long as both live.  Only who shows a notebook to people, as
JupyterLab does, tells which cell runs; elsewhere a view stays.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol
from weakref import WeakSet

from IPython.core.getipython import get_ipython


class Run(NamedTuple):
    """A cell's id, and which of its runs it is."""

    cell: str
    message: str


class Shown(Protocol):
    """What cells show."""

    def cell_has_run(self, run: Run) -> None:
        """Hear that a cell has run."""


_FOLLOWED: Final[WeakSet[Shown]] = WeakSet()


def running() -> Run | None:
    """Return the run of a cell in which this is asked, if somebody tells."""
    kernel = getattr(get_ipython(), "kernel", None)
    parent = {} if kernel is None else kernel.get_parent()
    cell = parent.get("metadata", {}).get("cellId")
    return None if cell is None else Run(cell, parent["header"]["msg_id"])


def follow(view: Shown) -> None:
    """Tell a view, from now on, which cells have run."""
    shell: Any = get_ipython()
    shell.events.register("post_run_cell", _tell)  # once, however often it is asked
    _FOLLOWED.add(view)


def _tell(result: Any) -> None:
    if run := running():
        for view in [*_FOLLOWED]:
            view.cell_has_run(run)

"""The command ``backprop-nb lab``: JupyterLab at the first lesson."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from backprop_nb.course.notebooks import lessons, no_folder, quoted, trust, write
from backprop_nb.errors import NotFoundError, must_be

OPTIONS = ("--jupyter",)


def add_with(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command's own parser."""
    one = add_parser(
        "lab",
        help="open JupyterLab at the first lesson",
        description="Open JupyterLab at the first lesson. The notebooks are written into the "
        "folder if it has none.",
        allow_abbrev=False,
    )
    one.add_argument(
        "folder", nargs="?", metavar="DIR", default="backprop", help="the folder (%(default)s)"
    )
    one.add_argument(
        "--jupyter",
        type=shlex.split,
        default=[],
        metavar="OPTIONS",
        help='options of JupyterLab, as --jupyter="--no-browser --port=9000"',
    )


def run(folder: str, jupyter: list[str]) -> int:
    """Open JupyterLab, and come back when it has ended.

    Raises ``NotFoundError`` if JupyterLab is not installed.
    Raises ``InvalidValueError`` if the folder is a file, has a notebook's name, or cannot be
    written.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise NotFoundError(
            "This Python has no JupyterLab.",
            given=sys.executable,
            instead='python -m pip install "backprop-nb[lab]", and then the same command again',
        )
    place = Path(folder).expanduser()
    if no_folder(place):
        command = "jupyter lab" if place.is_file() else "nothing is there; backprop-nb lab"
        there = folder if place.is_file() else str(Path(folder).parent)
        raise must_be("a folder", "DIR", folder, instead=f"{command} {quoted(there)}")
    first = lessons()[0].name
    if not (place / first).exists():
        written = write(place)
        trust(place, written)
        print(f"{place.resolve()}: {written}")

    # The kernel of this environment, whatever other "python3" kernel the user has.
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    from jupyterlab.labapp import LabApp

    # An address rather than a file, so that the one that is printed leads to the lesson too.
    where = (f"--ServerApp.root_dir={place.resolve()}", f"--LabApp.default_url=/lab/tree/{first}")
    LabApp.launch_instance([*where, *jupyter])
    return 0

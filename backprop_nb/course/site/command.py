"""The command ``backprop-nb site``."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from backprop_nb.errors import NotFoundError, in_words, must_be

OPTIONS = ("--notebooks", "--title", "--address")

NEEDED = ("nbconvert", "ipykernel")
"""What the extra `lab` brings."""


def add_with(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command's own parser."""
    one = add_parser(
        "site",
        help="write the lessons as a web site that needs no kernel",
        description="Run the lessons, and write them as pages on which every view steps, "
        "without a kernel and without a network. They can be opened from disk.",
        allow_abbrev=False,
    )
    one.add_argument("out", metavar="OUT", help="the folder; it is made if it does not exist")
    one.add_argument(
        "--notebooks", metavar="DIR", help="a folder of your own notebooks, in place of the lessons"
    )
    one.add_argument(
        "--title", metavar="TEXT", default="Backpropagation, step by step", help="(%(default)s)"
    )
    one.add_argument(
        "--address",
        metavar="URL",
        help="where the site will be, as https://name.github.io/course: for search engines, "
        "and for the lines that embed a view in another page",
    )


def run(out: str, notebooks: str | None, title: str, address: str | None) -> int:
    """Write the site, and say where it begins and what could not be shown.

    Raises ``NotFoundError`` if what it needs is not installed.
    Raises ``InvalidValueError`` if an argument does not fit, or a notebook raises.
    Raises ``EndedError`` if a notebook does not end, or ends its kernel.
    """
    missing = [name for name in NEEDED if not importlib.util.find_spec(name)]
    if missing:
        raise NotFoundError(
            f"The site needs {in_words(missing)}, which this Python does not have.",
            given=sys.executable,
            instead='python -m pip install "backprop-nb[lab]", and then the same command again',
        )
    if address is not None and not address.startswith(("https://", "http://")):
        raise must_be("a whole address", "--address", address, instead=f"https://{address}")
    from backprop_nb.course.site.build import build

    built = build(
        Path(out),
        notebooks=None if notebooks is None else Path(notebooks),
        title=title,
        address=address,
        tell=lambda line: print(line, file=sys.stderr),
    )
    print(built)
    return 1 if built.doubts else 0

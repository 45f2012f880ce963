"""The command ``backprop-nb``, also as ``python -m backprop_nb``."""

from __future__ import annotations

import argparse
import difflib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

DONE, INCOMPLETE, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def _end(*_: object) -> None:
    """End at once: until all is loaded an interrupt has nothing to keep, and needs no traceback."""
    print("Stopped before it began.", file=sys.stderr, flush=True)
    os._exit(INTERRUPTED)


_MAIN = threading.current_thread() is threading.main_thread()
_BEFORE = signal.signal(signal.SIGINT, _end) if _MAIN else None

from backprop_nb import __version__
from backprop_nb.classroom import command as grade
from backprop_nb.course import lab, notebooks
from backprop_nb.course.site import command as site
from backprop_nb.errors import BackpropError

if _MAIN:
    signal.signal(signal.SIGINT, _BEFORE)

__all__ = ["main", "parser"]


class Command(Protocol):
    """What the module of a command has."""

    @property
    def OPTIONS(self) -> Sequence[str]:
        """The options, one of which a mistyped one may have meant."""

    def add_with(self, add_parser: Callable[..., argparse.ArgumentParser]) -> None:
        """Add the command's own parser."""

    def run(self, *arguments: Any, **options: Any) -> int:
        """Do what the options say, and return 0, or 1 if something is left undone."""


COMMANDS: dict[str, Command] = {"notebooks": notebooks, "lab": lab, "site": site, "grade": grade}

_KEPT = "What is done is kept; the same command goes on from here."


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    whole = argparse.ArgumentParser(
        prog="backprop-nb", description="Learn and teach backpropagation."
    )
    whole.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = whole.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    for module in COMMANDS.values():
        module.add_with(commands.add_parser)
    return whole


def _unknown(word: str, command: str) -> str:
    """Say that an option does not exist, and which one may have been meant."""
    options = ("--version", *COMMANDS[command].OPTIONS)
    close = difflib.get_close_matches(word.split("=")[0], options, n=1)
    meant = f"did you mean {close[0]}?" if close else f"see backprop-nb {command} --help"
    if not close and word.startswith("-") and "--jupyter" in options:
        meant = f'for one of JupyterLab\'s write --jupyter="{word}"'
    return f"{word} is not an option; {meant}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code.

    0: done. 1: something is left undone. 2: wrong use. 130: interrupted.
    """
    whole = parser()
    found, unknown = whole.parse_known_args(arguments)
    options = vars(found)
    command = options.pop("command")
    if command is None:
        whole.error(f"a COMMAND is missing; choose from {', '.join(COMMANDS)}, or see --help")
    if unknown:
        whole.error(_unknown(unknown[0], command))
    try:
        return COMMANDS[command].run(**options)
    except BackpropError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except OSError as error:  # no room on the disk, most likely
        print(f"Stopped: {error}. {_KEPT}", file=sys.stderr)
        return INCOMPLETE
    except KeyboardInterrupt:
        print(f"Stopped. {_KEPT}", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())

"""The command ``backprop-nb``."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from typing import NoReturn

from backprop_nb import __version__
from backprop_nb.checking.convention import REDUCTIONS, SAMPLES
from backprop_nb.checking.report import HINTS
from backprop_nb.classroom.grading import grade
from backprop_nb.classroom.limits import absent
from backprop_nb.classroom.running import INSTALL, has_dask
from backprop_nb.errors import BackpropError

DONE, INCOMPLETE, WRONG_USE, INTERRUPTED = 0, 1, 2, 130

_EPILOG = """\
Everything is written as it arrives; the same command again grades only what is
missing or has changed. A process of its own protects from accidents, not from
malice: see `python -c "help('backprop_nb.classroom')"` for what needs a container.
"""
_KEPT = "What is done is kept; the same command goes on from here."


def _refuse(whole: argparse.ArgumentParser, word: str) -> NoReturn:
    """Say that there is no such option, and which one may have been meant."""
    known = [option for action in _options(whole) for option in action.option_strings]
    close = difflib.get_close_matches(word.split("=")[0], known, n=1)
    whole.error(f"there is no {word}{f'; did you mean {close[0]}?' if close else ''}")


def _options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Return the options of a parser and of its commands."""
    options = []
    for action in parser._actions:
        options.append(action)
        if isinstance(action, argparse._SubParsersAction):
            options += [each for command in action.choices.values() for each in command._actions]
    return options


def parser() -> argparse.ArgumentParser:
    """Return the parser; what is not given is absent, and the library's default holds."""
    whole = argparse.ArgumentParser(prog="backprop-nb", description="Backpropagation for a class.")
    whole.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = whole.add_subparsers(
        dest="command", required=True, title="commands", metavar="COMMAND"
    )
    one = commands.add_parser(
        "grade",
        help="grade a folder of submissions",
        description="Grade every .py and .ipynb in a folder, each in a process of its own.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    one.add_argument("submissions", metavar="SUBMISSIONS", help="the folder of submissions")
    one.add_argument("--out", required=True, metavar="DIR", help="the folder for the results")
    course = one.add_argument_group("how the course writes it")
    course.add_argument("--samples", choices=SAMPLES, help="how data are laid out (single)")
    course.add_argument("--reduction", choices=REDUCTIONS, help="over the samples (mean)")
    course.add_argument("--half", action="store_true", help="the loss has ½ in front of it")
    course.add_argument("--layers", type=int, metavar="K", help="of the networks (3)")
    course.add_argument("--function", metavar="NAME", help="what to call (backward)")
    course.add_argument("--hints", choices=HINTS, help="what the feedback gives away (plain)")
    course.add_argument("--seed", type=int, metavar="N", help="of the networks and data (0)")
    running = one.add_argument_group("how it runs")
    running.add_argument(
        "--timeout", type=float, metavar="S", help="seconds of the processor for each (10)"
    )
    running.add_argument("--memory", type=int, metavar="MB", help="megabytes for each (1024)")
    running.add_argument(
        "--workers", "--jobs", type=int, metavar="N", help="at the same time (processors)"
    )
    running.add_argument(
        "--scheduler", metavar="ADDRESS", help='of a Dask cluster, or "threads" for none'
    )
    running.add_argument("--pattern", metavar="GLOB", help='only these paths, as "*/a1.ipynb"')
    running.add_argument("--force", action="store_true", help="also what has not changed")
    one.add_argument("--names", action="store_true", help="say in the summary whose is whose")
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit code.

    0: done. 1: some submissions have no result. 2: wrong use. 130: interrupted.
    """
    whole = parser()
    found, unknown = whole.parse_known_args(arguments)
    if unknown:
        _refuse(whole, unknown[0])
    options = vars(found)
    del options["command"]
    for sentence in absent():
        print(f"Note: {sentence}", file=sys.stderr)
    if not has_dask() and "scheduler" not in options:
        print(f"Note: Dask is not installed, so this runs on threads. {INSTALL}", file=sys.stderr)
    try:
        graded = grade(**options)
    except BackpropError as error:
        print(error, file=sys.stderr)
        return WRONG_USE
    except OSError as error:  # no room on the disk, most likely
        print(f"Stopped: {error}. {_KEPT}", file=sys.stderr)
        return INCOMPLETE
    except KeyboardInterrupt:
        print(f"Stopped. {_KEPT}", file=sys.stderr)
        return INTERRUPTED
    print(graded)
    return INCOMPLETE if graded.lost else DONE

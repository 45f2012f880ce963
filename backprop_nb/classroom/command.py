"""The command ``backprop-nb grade``."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from backprop_nb.checking.convention import Course
from backprop_nb.checking.report import HINTS
from backprop_nb.classroom.assignment import options_in
from backprop_nb.classroom.autograder import autograder_zip
from backprop_nb.classroom.formats import FORMATS
from backprop_nb.classroom.gather import ATTEMPTS, gathered
from backprop_nb.classroom.gradebook import COLUMN
from backprop_nb.classroom.grading import grade, grade_one
from backprop_nb.classroom.limits import absent
from backprop_nb.classroom.owners import LAYOUTS
from backprop_nb.classroom.running import INSTALL, has_dask
from backprop_nb.classroom.verdict import make_settings
from backprop_nb.errors import InvalidValueError, counted
from backprop_nb.files import write

_EPILOG = """\
Everything is written as it arrives; the same command again grades only what is
missing or has changed. A process of its own protects from accidents, not from
malice: see `python -c "help('backprop_nb.classroom')"` for what needs a container.
"""

_MEANINGS = {
    "samples": "how data are laid out",
    "reduction": "over the samples",
    "half": "the loss has ½ in front of it",
    "activation": "of the hidden layers",
    "output": "of the last layer",
    "loss": "of a sample",
    "l2": "the weight of the penalty",
    "l2_factor": "in front of the sum of squares",
    "weights": "W @ x, or x @ W",
    "bias": "False, or its shape: flat, matrix, in_weights",
    "layers": "of the networks",
    "seed": "of networks and data, if not of the class",
    "widths": "the only ones that the code is for, as 3,4,2",
    "parameters": "how they are handed over",
    "names": "of the parameters, as ('W{i}', 'b{i}')",
    "order": "of the parameters, as 'W1 W2 b1 b2'",
    "calls": "the arguments",
    "returns": "what comes back, if not as it came",
    "labels": "targets are numbers of classes",
}
"""What each option of a course is about; what it may be stands in the course itself."""


def _literal(text: str) -> Any:
    """Return the value that a text stands for, or the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _of_course() -> dict[str, dict[str, Any]]:
    """Return the options that a course has, with their choices and defaults."""
    hints, options = get_type_hints(Course), {}
    for each in fields(Course):
        hint, said = hints[each.name], _MEANINGS[each.name]
        default = "" if each.default in (None, False) else f" ({each.default})"
        settings: dict[str, Any] = {"help": said + default}
        if hint is bool:
            settings["action"] = "store_true"
        elif get_origin(hint) is Literal:
            settings["choices"] = get_args(hint)
        else:
            kind = hint if hint in (int, float) else _literal
            settings |= {"type": kind, "metavar": "N" if hint in (int, float) else "…"}
        options[f"--{each.name.replace('_', '-')}"] = settings
    return options


_OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "how the course writes it": {
        "--course": {
            "metavar": "FILE",
            "help": "an assignment, .py or .ipynb: what its call of check_backward says",
        },
        **_of_course(),
        "--function": {"metavar": "NAME", "help": "what to call (backward)"},
        "--own-work": {
            "action": "store_true", "help": "no points where a library computes the gradient"
        },
        "--hints": {"choices": HINTS, "help": "what the feedback gives away (plain)"},
    },
    "what counts": {
        "--pattern": {"metavar": "GLOB", "help": 'only these paths, as "*/a1.ipynb"'},
        "--attempts": {"choices": ATTEMPTS, "help": "which of a student's attempts (newest)"},
        "--layout": {"choices": LAYOUTS, "help": "whose a file is, if its name does not show it"},
    },
    "how it runs": {
        "--timeout": {
            "type": float, "metavar": "S", "help": "seconds of the processor for a statement (10)",
        },
        "--memory": {"type": int, "metavar": "MB", "help": "megabytes for each (1024)"},
        "--workers --jobs": {"type": int, "metavar": "N", "help": "at the same time (processors)"},
        "--scheduler": {
            "metavar": "ADDRESS", "help": 'of a Dask cluster, or "threads" for none',
        },
        "--force": {"action": "store_true", "help": "also what has not changed"},
    },
    "what it says": {
        "--format": {
            "choices": FORMATS,
            "help": "of one student's submission, for a system that grades each by itself",
        },
        "--points": {"type": float, "metavar": "N", "help": "what full marks are (100)"},
        "--roster": {
            "metavar": "CSV", "help": "a line for each student, as a platform exports it"
        },
        "--column": {
            "metavar": "NAME", "help": f"of Canvas' or Blackboard's gradebook ({COLUMN})"
        },
        "--with-names": {"action": "store_true", "help": "say in the summary whose is whose"},
    },
}  # fmt: skip
"""The options of ``grade`` by groups; what is not given is absent, and the library's default holds.
"""

_OF_A_CLASS = (
    *("pattern", "layout", "workers", "scheduler", "force"),
    *("roster", "column", "with_names"),
)

OPTIONS = (
    *("--out", "--autograder"),
    *(name for group in _OPTIONS.values() for names in group for name in names.split()),
)
"""What a mistyped option may have meant."""


def add_with(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command's own parser."""
    one = add_parser(
        "grade",
        help="grade a folder of submissions",
        description="Grade what each student has handed in, in a process of its own.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    one.add_argument(
        "submissions",
        metavar="SUBMISSIONS",
        nargs="?",
        help="a folder or a zip, as a platform delivers it, or one file",
    )
    one.add_argument(
        "--out", metavar="DIR", help="the folder for the results; with --format, a file"
    )
    one.add_argument(
        "--autograder", metavar="ZIP", help="write a zip for Gradescope that grades like this"
    )
    for title, options in _OPTIONS.items():
        group = one.add_argument_group(title)
        for names, settings in options.items():
            group.add_argument(*names.split(), **settings)


def run(**options: Any) -> int:
    """Grade, say what was found, and return 1 if some submissions have no result."""
    if "autograder" in options:
        return _build(**options)
    if "submissions" not in options:
        raise InvalidValueError(
            "SUBMISSIONS is missing.", expected="a folder, a zip, or a file, or --autograder ZIP"
        )
    for sentence in absent():
        print(f"Note: {sentence}", file=sys.stderr)
    if "format" in options:  # of a system, which hands over one student's at a time
        return _grade_one(**options)
    if "out" not in options and not Path(options["submissions"]).is_dir():
        _check_alone(options["submissions"])
        return _grade_one(**options)
    if "out" not in options:
        raise InvalidValueError(
            "--out is missing.",
            expected="a folder for the results",
            instead="backprop-nb grade SUBMISSIONS --out DIR",
        )
    if not has_dask() and "scheduler" not in options:
        print(f"Note: Dask is not installed, so this runs on threads. {INSTALL}", file=sys.stderr)
    graded = grade(**options)
    print(graded)
    return int(bool(graded.lost))


def _grade_one(submissions: str, out: str | None = None, **options: Any) -> int:
    """Grade one student's submission, and write what a system reads."""
    _check_fit(options, "one submission")
    text = grade_one(submissions, **options)
    if out is None:
        print(text, end="")
    else:
        write(Path(out), text.encode("utf-8", "replace"))
    return 0


def _check_alone(submissions: str) -> None:
    """Raise an error for a zip of many students', of whom one would get the points of all."""
    if Path(submissions).suffix.lower() != ".zip":
        return
    with gathered(submissions) as handed_in:
        graded = {each.student for each in handed_in.submissions}
        students = graded | {each for each in handed_in.without if each.platform}
    if len(students) > 1:
        raise InvalidValueError(
            f"This zip is a class: it has files of {counted(len(students), 'student')}.",
            given=submissions,
            expected="--out DIR, a folder for the results",
            instead="backprop-nb grade SUBMISSIONS --out DIR, or --format text if all of it is one "
            "student's",
        )


def _build(autograder: str, submissions: str = "", out: str = "", **options: Any) -> int:
    """Write a zip for Gradescope."""
    if submissions or out or "format" in options:
        raise InvalidValueError(
            "--autograder goes without SUBMISSIONS, --out and --format.",
            instead="backprop-nb grade --autograder OUT.zip, and how the course writes it",
        )
    _check_fit(options, "Gradescope")
    kept = {name: value for name, value in options.items() if name != "course"}
    course = options.get("course")
    said = {} if course is None else options_in(course)
    make_settings(**said | {name: kept[name] for name in kept.keys() - {"points", "attempts"}})
    write(Path(autograder), autograder_zip(kept, None if course is None else Path(course)))
    print(f"Wrote {autograder}. In Gradescope: Configure Autograder, Zip file upload.")
    return 0


def _check_fit(options: Mapping[str, Any], what: str) -> None:
    """Raise an error for an option that only a class has."""
    for name in options:
        if name in _OF_A_CLASS:
            raise InvalidValueError(
                f"--{name.replace('_', '-')} is for a class, and not for {what}.",
                given=f"--{name.replace('_', '-')}",
            )

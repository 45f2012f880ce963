"""A round in which the wrong line is to be picked: its scene, what can be told of it, its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backprop_nb import display
from backprop_nb.checking.line_puzzle import LinePuzzle
from backprop_nb.checking.report import are_numbers
from backprop_nb.errors import in_words
from backprop_nb.network.validation import FloatArray
from backprop_nb.views import numbers
from backprop_nb.views.bug.answers import note, worth_table
from backprop_nb.views.bug.scene import COSTS, HINTS, Compared, compared_in_words, remarks
from backprop_nb.views.bug.schema import BugChoice, BugNote, BugScene, BugSecret, BugSolution
from backprop_nb.views.picture import Picture
from backprop_nb.views.report import family_of

LEVELS = {
    "easy": "easy · six lines",
    "medium": "medium · all lines",
    "hard": "hard · forward pass too",
}
_INDENT, _HEIGHT = 6.5, 17.0
"""The room that a space and a line take in the picture of the code."""


def line_scene(puzzle: LinePuzzle, offered: Sequence[int]) -> BugScene:
    """Return a round as plain data; which line is wrong does not occur in it."""
    choices: list[BugChoice] = [
        {"id": str(k), "title": puzzle.lines[k - 1].strip()} for k in offered
    ]
    return {
        "asks": "line",
        "setting": puzzle.setting,
        "levels": list(LEVELS.items()),
        "choices": [{"stage": "", "choices": choices}],
        "hints": HINTS,
        "costs": COSTS,
        "loss": None,
        "flow": None,
        "gradients": gradient_picture(puzzle, measured=False).data(),
        "code": puzzle.lines,
        "frames": [{"words": "", "patch": {}}],
    }


def line_secret(puzzle: LinePuzzle, offered: Sequence[int]) -> BugSecret:
    """Return all that a round can tell, and what a right answer is worth in every case."""
    return {
        "picture": gradient_picture(puzzle, measured=True).data(),
        "measured": note("measured", "The gradients:", comparison_in_words(puzzle)),
        "hints": [
            note("hint", f"Hint {k}:", text) for k, text in enumerate(_hints(puzzle, offered), 1)
        ],
        "verdicts": {str(k): verdict(puzzle, k) for k in offered},
        "solution": solution(puzzle),
        "worth": worth_table(len(offered)),
    }


# --- what is told ---------------------------------------------------------------


def _hints(puzzle: LinePuzzle, offered: Sequence[int]) -> list[str]:
    """Return the hints: where the line is about, what it should give, and what makes it right."""
    middle = len(offered) // 2
    half = offered[:middle] if puzzle.number in offered[:middle] else offered[middle:]
    quantities = puzzle.facts[puzzle.number].quantities
    wanted = (
        f"Look for the line that should give {in_words(quantities)}, and does not."
        if quantities
        else "What the line should give is not in the loss: it is a step on the way back."
    )
    repair = f"Its repair, in words: {puzzle.finding.repair}."
    return [f"It is one of the lines {half[0]} to {half[-1]}.", wanted, repair]


def verdict(puzzle: LinePuzzle, line: int) -> BugNote:
    """Return whether a line is the wrong one, and if not why it is fine."""
    text = puzzle.lines[line - 1].strip()
    if line == puzzle.number:
        return note("right", "✓", f"Right: line {line}, {text}, is wrong.")
    facts = puzzle.facts[line]
    what = in_words(facts.quantities) if facts.quantities else ""
    if not facts.is_right:
        gives = f"With the right values it gives {what}; some" if what else "Some"
        why = f"{gives} that it uses are wrong already."
    else:
        why = (
            f"It gives {what}, as it should." if what else "It stands like this in the right pass."
        )
    return note("wrong", "No.", f"Line {line}, {text}, is fine. {why}")


def solution(puzzle: LinePuzzle) -> BugSolution:
    """Return what is told in the end: the line, what it gives and should give, and its repair."""
    finding, number = puzzle.finding, puzzle.number
    text = puzzle.lines[number - 1].strip()
    values = values_picture(puzzle)
    lines = [("wrong" if k == number else "", each) for k, each in enumerate(puzzle.lines, 1)]
    lines.insert(number, ("right", puzzle.right_line))
    return {
        "id": str(number),
        "notes": [
            note("solution", "It is:", f"line {number}, {text}"),
            note("solution", "Right is:", puzzle.right_line.strip()),
            note("solution", "Why:", f"{finding.message} {finding.difference}".strip()),
        ],
        "picture": values.data() if values is not None else None,
        "code": lines,
    }


# --- pictures ---------------------------------------------------------------------


def gradient_picture(puzzle: LinePuzzle, *, measured: bool) -> Picture:
    """Return the gradients of the pass as heat maps, beside the right ones once they are known."""
    given = _given(puzzle)
    return Compared(
        "gradients",
        ("this pass", "right"),
        {name: (name, "") for name in given},
        given,
        {each.name: each.expected for each in puzzle.report.parameters} if measured else {},
        remarks(puzzle.factors()) if measured else {},
    ).picture(" ".join(_gradients_in_words(puzzle, measured=measured)))


def values_picture(puzzle: LinePuzzle) -> Picture | None:
    """Return what the wrong expression gives beside what it should give, as heat maps."""
    finding = puzzle.finding
    if not (are_numbers(finding.given) and are_numbers(finding.expected)):
        return None
    name = f"line {finding.line}"
    return Compared(
        f"line {finding.line}: {finding.source}",
        ("it gives", "it should"),
        {name: (finding.quantity, "")},
        {name: finding.given},
        {name: finding.expected},
        {},
        family_of(finding),
    ).picture(finding.difference)


def code_picture(puzzle: LinePuzzle, marks: Mapping[int, str]) -> Picture:
    """Return the pass as a picture, with what has been told of its lines."""
    longest = max(map(len, puzzle.lines))
    picture = Picture(60 + 7.2 * longest + 90, _HEIGHT * len(puzzle.lines) + 8, "The pass.")
    for k, line in enumerate(puzzle.lines, start=1):
        y = _HEIGHT * k - 4
        mark = marks.get(k, "")
        if mark == OPEN:
            picture.text((14, y), mark, size=12, bold=True, anchor="middle")
        elif mark:
            picture.text((picture.width - 20, y), mark, size=12, bold=True, anchor="end")
        picture.text((44, y), str(k), fill="muted", size=11, anchor="end")
        indent = len(line) - len(line.lstrip())
        bold = mark == FOUND
        if line:
            picture.text((56 + _INDENT * indent, y), line.strip(), size=12, bold=bold)
    return picture


FOUND, FINE, OPEN = "✓ this one", "✗ not this", "○"
"""The marks of the line that is wrong, of one that was picked and is fine, of one to pick."""


def _given(puzzle: LinePuzzle) -> dict[str, FloatArray]:
    return {
        each.name: np.zeros(each.expected.shape) if each.given is None else each.given
        for each in puzzle.report.parameters
    }


# --- in words -----------------------------------------------------------------


def comparison_in_words(puzzle: LinePuzzle) -> str:
    """Return how each gradient of the pass compares with the right one."""
    return f"{compared_in_words(puzzle.factors())}."


def _gradients_in_words(puzzle: LinePuzzle, *, measured: bool) -> list[str]:
    shown = {"this pass": _given(puzzle)}
    if measured:
        shown["right"] = {each.name: each.expected for each in puzzle.report.parameters}
    lines = []
    for title, arrays in shown.items():
        texts = [f"{name} = {numbers.words(each)}" for name, each in arrays.items()]
        lines.append(f"Gradients, {title}: {', '.join(texts)}.")
    return lines + ([comparison_in_words(puzzle)] if measured else [])


def describe_lines(puzzle: LinePuzzle, scene: Mapping[str, Any], *, measured: bool) -> list[str]:
    """Return a round in words, line by line, without its answer."""
    offered = [each["id"] for each in scene["choices"][0]["choices"]]
    width = len(str(len(puzzle.lines)))
    few = f" It is {in_words(offered, 'or')}." if len(offered) < len(puzzle.pickable) else ""
    return [
        display.folded([scene["setting"], *_gradients_in_words(puzzle, measured=measured)]),
        "The pass:",
        *(f"  {k:>{width}}  {line}".rstrip() for k, line in enumerate(puzzle.lines, start=1)),
        f"Which line is wrong?{few}",
    ]

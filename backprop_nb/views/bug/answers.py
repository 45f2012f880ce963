"""What a round can tell: what is measured, what an answer is told, and the solution."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from backprop_nb.checking.mistake import Mistake
from backprop_nb.checking.mistakes import make_backward
from backprop_nb.checking.puzzle import Contrast, Puzzle
from backprop_nb.network.document import equation
from backprop_nb.views import numbers
from backprop_nb.views.bug.scene import HINTS, POINTS, clause, comparison_in_words, gradient_picture
from backprop_nb.views.bug.schema import BugFound, BugNote, BugSecret, BugSolution
from backprop_nb.views.formula import mathml


def secret(puzzle: Puzzle, choices: Sequence[Mistake]) -> BugSecret:
    """Return all that a round can tell, and what a right answer is worth in every case."""
    return {
        "picture": gradient_picture(puzzle, measured=True).data(),
        "measured": note("measured", "Measured:", comparison_in_words(puzzle)),
        "hints": [
            note("hint", f"Hint {k}:", text) for k, text in enumerate(puzzle.mistake.hints, start=1)
        ],
        "verdicts": {each.id: verdict(puzzle, each) for each in choices},
        "solution": solution(puzzle.mistake),
        "worth": worth_table(len(choices)),
    }


def note(kind: str, title: str, words: str) -> BugNote:
    """Return something that is told; its kind gives it its colour."""
    return {"kind": kind, "title": title, "words": words}


def worth(measured: int, hints: int, wrong: int) -> int:
    """Return what a right answer is worth after so much help and so many wrong answers.

    >>> worth(0, 0, 0), worth(1, 2, 0), worth(1, 3, 4)
    (6, 3, 1)
    """
    lost = POINTS["measure"] * measured + POINTS["hint"] * hints + POINTS["wrong"] * wrong
    return max(POINTS["least"], POINTS["start"] - lost)


def worth_table(count: int) -> list[list[list[int]]]:
    """Return what a right answer is worth: measured or not, by hints and by wrong answers."""
    return [
        [[worth(m, k, wrong) for wrong in range(count)] for k in range(HINTS + 1)] for m in range(2)
    ]


def reveal(
    secret: BugSecret, *, measured: bool, hints: int, tried: Sequence[str], given_up: bool
) -> BugFound:
    """Return of all that can be told what has been asked for; ``reveal`` in widget.mjs does too."""
    verdicts = [secret["verdicts"][each] for each in tried]
    solved = any(each["kind"] == "right" for each in verdicts)
    over = solved or given_up
    solution = secret["solution"]
    return {
        "picture": secret["picture"] if measured else None,
        "notes": [
            *([secret["measured"]] if measured else []),
            *secret["hints"][:hints],
            *verdicts,
            # Who has found it needs not be told what it is.
            *(solution["notes"][solved:] if over else []),
        ],
        "solved": solved,
        "solution": solution if over else None,
        "worth": secret["worth"][measured][hints][len(verdicts) - solved],
    }


# --- an answer --------------------------------------------------------------


def verdict(puzzle: Puzzle, chosen: Mistake) -> BugNote:
    """Return whether a choice is right, and if not what tells it from what is there."""
    if chosen is puzzle.mistake:
        return note("right", "✓", f"Right: {_lower(chosen.title)}.")
    contrast = _contrast_in_words(puzzle.contrast(chosen))
    return note("wrong", "✗", f"Not “{chosen.title}”. {contrast}")


def _lower(title: str) -> str:
    """Return a title inside a sentence; a symbol stays as it is."""
    return title[0].lower() + title[1:] if title[1:2].islower() or title[1:2] == " " else title


def _contrast_in_words(contrast: Contrast) -> str:
    name = f"∂L/∂{contrast.name}"
    if contrast.entry is None:
        chosen = clause(contrast.chosen, "be", "differ")
        given = clause(contrast.given, "is", "differs")
        return f"With it {name} would {chosen}; here it {given}."
    index, theirs, ours = (contrast.entry[0], *map(numbers.long, contrast.entry[1:]))
    axes = zip(("row", "column"), index, strict=False)
    place = " and ".join(f"{axis} {k + 1}" for axis, k in axes)
    return f"With it {name} would have {theirs} in {place}; here it has {ours}."


# --- the solution -----------------------------------------------------------


def solution(mistake: Mistake) -> BugSolution:
    """Return what is told in the end: the mistake, its lines, and the equation it breaks."""
    first = f"What is wrong first, on the way back: {mistake.first.title}."
    notes = [
        note("solution", "It is:", f"{mistake.title}."),
        note("solution", "Why:", f"{mistake.explanation} {first}"),
    ]
    if mistake.equation:
        broken = equation(mistake.equation)
        formula = note("solution", "It breaks", f"equation [{broken.tag}]:")
        notes.append(formula | {"formula": mathml(broken.latex)})
    return {"id": mistake.id, "notes": notes, "picture": None, "code": _marked(mistake)}


def _marked(mistake: Mistake) -> list[tuple[str, str]]:
    """Return the lines of the pass; where it is wrong, they are followed by what is right."""
    lines: list[tuple[str, str]] = []
    right = make_backward().listing()
    for step, group in groupby(make_backward(mistake.id).listing(), lambda line: line.step):
        wrong = step in mistake.steps
        lines += [("wrong" if wrong else "", line.text) for line in group]
        if wrong:
            lines += [("right", line.text) for line in right if line.step == step]
    return lines

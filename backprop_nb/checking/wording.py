"""The catalogue's words as a course says them: its own names, its letters, its activations.

The catalogue and the judge speak as the document does: A[0], dA[0], σ′.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from backprop_nb.checking.convention import Course
from backprop_nb.checking.report import Finding, Report


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return a text in which things have other names, also as part of ∂A1.

    >>> renamed("∂L/∂A2 and A21", {"A2": "A[2]"})
    '∂L/∂A[2] and A21'
    """
    every = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.sub(rf"(?<![^\W\d_])({every})(?!\w)", lambda found: names[found[1]], text)


def spoken(text: str, course: Course) -> str:
    """Return a text in which parameters are called as a course calls them.

    >>> course = Course(parameters="dict", activation="tanh", layers=2)
    >>> spoken("dA[1] is wrong: A_1ᵀ δ_2 is right, and so is σ′(z_1). A hint: look at A.", course)
    'dW2 is wrong: W2ᵀ δ_2 is right, and so is the slope at z_1. A hint: look at W.'
    """
    W, b = course.symbols
    if (W, b) == ("A", "b") and course.plain:
        return text
    names = {"A": course.weight_names, "b": course.bias_names}

    def named(found: re.Match[str]) -> str:
        before, kind, i = found.groups()
        own = names[kind]
        return f"{before}{own[int(i)]}" if int(i) < len(own) else found[0]

    text = re.sub(r"\b(d?)([Ab])\[(\d+)\]", named, text)
    text = re.sub(r"(?<![\w])()([Ab])_(\d+)", named, text)
    text = re.sub(r"\bd([Ab])\b(?!\[)", lambda found: f"d{W if found[1] == 'A' else b}", text)
    text = re.sub(r"(?<!\w)A(_i)?ᵀ", W if course.weights == "in_out" else f"{W}ᵀ", text)
    # An A that begins a sentence is the article.
    text = re.sub(r"(?<=[^.?:“] )A(_i)?\b|(?<=[(∂])A(_i)?\b", W, text)
    if course.activation != "sigmoid" or course.output != "sigmoid":
        text = re.sub(r"σ′\((z_\d+)\)", r"the slope at \1", text)
        text = text.replace("σ′", "the slope")
    return text


def spoken_report(report: Report, course: Course, own: Sequence[str] = ()) -> Report:
    """Return a report in a course's own words; ``own`` is text of the student's code."""
    kept = re.compile("|".join(map(re.escape, filter(None, own))) or "(?!)")

    def around(text: str) -> str:
        """Return a text with what is around the student's own, whose A is no matrix of weights."""
        parts = [spoken(each, course) for each in kept.split(text)]
        return "".join(map("".join, zip_longest(parts, kept.findall(text), fillvalue="")))

    def said(finding: Finding) -> Finding:
        return replace(
            finding,
            parameter=spoken(finding.parameter, course),
            message=around(finding.message),
        )

    return replace(
        report,
        parameters=tuple(
            replace(each, name=spoken(each.name, course)) for each in report.parameters
        ),
        findings=tuple(map(said, report.findings)),
        offences=tuple(map(said, report.offences)),
        notes=tuple(spoken(note, course) for note in report.notes),
    )

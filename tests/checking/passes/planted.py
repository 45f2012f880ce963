"""Mistakes planted by rule: one known edit in one line of a right pass."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from entry import NOT_THE_PASS, Entry

EDITS = (
    (r"(?<![=+*/<>!-])\+= ", "= "),
    (r" - ", " + "),
    (r" \+ ", " - "),
    (r" @ ", " * "),
    (r" / [\w.]+$", ""),
    (r"\.T\b", ""),
    (r"\baxis=0", "axis=1"),
    (r"\baxis=1", "axis=0"),
    (r"\.sum\(", ".mean("),
    (r"\bnp\.sum\(", "np.mean("),
    (r"(\w+) \* stride, (\w+) \* stride", r"\1, \2"),
    (r"(\w+) \* (\w+)", r"\1"),
    (r"(\w+) \* (\w+)", r"\2"),
    (r"\bnp\.zeros", "np.ones"),
    (r"\*\*2", ""),
    (r" > 0", " < 0"),
    (r"\breversed\((.*)\):", r"\1:"),
    (r"\[(\w) - 1\]", r"[\1]"),
    (r"\[(\w)\]", r"[\1 - 1]"),
    (r"= (.*\w.*)$", r"= np.abs(\1)"),
    (r"= (.*\w.*)$", r"= 2 * (\1)"),
    (r"= (.*\w.*)$", r"= (\1)[..., ::-1]"),
)
"""What stands there, and what is written instead."""


def planted(right: Entry) -> Iterator[Entry]:
    """Yield what becomes of a pass where one line of it is edited; some are right all the same."""
    lines = right.text.splitlines(keepends=True)
    for part in ast.parse(right.text).body:
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and part.name not in NOT_THE_PASS:
            for k in range(part.lineno, part.end_lineno):
                for number, (old, new) in enumerate(EDITS):
                    text = re.sub(old, new, lines[k], count=1)
                    if text != lines[k]:
                        yield replace(
                            right,
                            name=f"{right.name}.planted.{k + 1}.{number}",
                            text="".join([*lines[:k], text, *lines[k + 1 :]]),
                            lines=(k + 1,),
                            changes=((lines[k].strip(), text.strip()),),
                        )

"""What a report says to write, written: its words applied to what it marks, and no more known.

Code that is told is pasted as it is told, without a bracket more.
"""

import re
from typing import Any

ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3}


def followed(text: str, finding: Any) -> str | None:
    """Return a text after what is marked was written as the repair says; None if it says no code.

    Raises
    ------
    ValueError
        The words can be followed in more than one way, or in none.
    """
    words = finding.repair.replace("−", "-").replace("·", "*").replace("'", '"')
    words = words.partition(", for ")[0]
    if not words or "∂" in words or 'the loss"s' in words:
        return None
    mark, lines = finding.source, text.splitlines()
    (first, start), (last, end) = mark.start, mark.end
    around = "\n".join(lines[first - 1 : last])
    stop = len(around) - len(lines[last - 1]) + end
    marked = around[start:stop].replace("'", '"')
    if words == "leave the line out":
        new = f"{around[:start]}pass{around[stop:]}"
    elif after := re.fullmatch("after this line, (.*)", words):
        indent = re.match(" *", around)[0]
        new = f"{around}\n{indent}{_statement(after[1])}"
    else:
        new = around[:start] + _expression(marked, words) + around[stop:]
    lines[first - 1 : last] = new.splitlines()
    return "\n".join(lines) + "\n"


def _expression(marked: str, words: str) -> str:
    if found := re.fullmatch("(multiply|divide) it by (.*)", words):
        return f"(({marked}) {'*' if found[1] == 'multiply' else '/'} ({found[2]}))"
    if found := re.fullmatch("(add|subtract) (.*)", words):
        return f"(({marked}) {'+' if found[1] == 'add' else '-'} ({found[2]}))"
    if found := re.fullmatch("leave out the sign: (.*)", words):
        return f"({found[1]})"
    if found := re.fullmatch("leave out (.*?)( at the end| at the start)?", words):
        return _exchanged(marked, found[1], "", {None: None, " at the end": -1}.get(found[2], 0))
    if found := re.fullmatch("square (the (\\w+) )?(.*)", words):
        return _exchanged(marked, found[3], f"({found[3]})**2", ORDINALS.get(found[2]))
    if found := re.fullmatch("(.*) in place of every (.*)", words):
        return re.sub(rf"(?<![\w.]){re.escape(found[2])}(?!\w)", found[1], marked)
    if found := re.fullmatch("(?:write )?(.*) in place of (?:the (\\w+) )?(.*)", words):
        return _exchanged(marked, found[3], found[1], ORDINALS.get(found[2]))
    if found := re.fullmatch("write (.*)", words):
        return found[1]
    raise ValueError(f"{words!r} says nothing that could be followed")


def _exchanged(marked: str, old: str, new: str, which: int | None) -> str:
    """Return a text with one part exchanged: the only one that reads so, or one of several."""
    pattern = r"\s*".join(map(re.escape, re.findall(r"\w+|\S", old)))
    pattern = (
        (r"(?<![\w.])" if old[0].isalnum() else r"")
        + pattern
        + (r"(?!\w)" if old[-1].isalnum() else "")
    )
    if old in ("=", "+=", "-=", "*="):
        pattern = rf"(?<= ){re.escape(old)}(?= )"
    places = [each.span() for each in re.finditer(pattern, marked)]
    if len(places) != 1 and which is None:
        raise ValueError(f"{len(places)} places read {old!r} in {marked!r}")
    start, end = places[which or 0]
    return f"{marked[:start]}{new}{marked[end:]}"


def _statement(words: str) -> str:
    if found := re.fullmatch("(multiply|divide) (.*) by (.*)", words):
        return f"{found[2]} {'*' if found[1] == 'multiply' else '/'}= {found[3]}"
    if found := re.fullmatch("add (.*) to (.*)", words):
        return f"{found[2]} += {found[1]}"
    raise ValueError(f"{words!r} says nothing that could be followed")

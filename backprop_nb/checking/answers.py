"""Questions of a lesson, answered before the answer is seen.

The notebook asks, and this keeps the answers out of its sight: they stand in a file, with the
reason why a wrong one is wrong.  Nothing here raises on account of what a learner writes, so that
a notebook runs to its end with every answer still open.
"""

from __future__ import annotations

import io
import sys
import tokenize
import tomllib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from backprop_nb import display
from backprop_nb.checking.reading import as_numbers, as_set, as_text, two_readings
from backprop_nb.data import QUESTIONS
from backprop_nb.errors import InvalidValueError, NotFoundError, either, in_words

Right: TypeAlias = str | float | list[str] | list[float]

GIVE_UP = "?"
"""What is answered by somebody who wants to see the answer."""
_WITHIN = 0.01
"""A number may be off by this share of its size, if nothing else is said."""
_WITHIN_WRONG = 0.05
"""A wrong number is told from others within this share of its size, however much may be right."""
_SHOWN = 60
"""So many characters of what was given are shown."""
_IN_NUMBERS = {*"+-*/()[].,^%", "**"}
"""The signs of an answer in numbers."""


@dataclass(frozen=True)
class Question:
    """What is right, and what is to be said to whoever answers something else.

    Attributes
    ----------
    right : text, number, list of texts, or list of numbers
        The right answer.  Texts are compared without regard to capitals, spaces, quotation
        marks and hyphens, and a list of them in any order; a list of numbers, such as a shape,
        in this one.
    because : text
        Why it is right, said after the right answer.
    also : list
        Other right answers, in its form.
    wrong : table
        By wrong answer, as text, why it is wrong.  Where the right one is a text, and nothing
        else is expected, the answer is a choice between these and the right one.
    otherwise : text
        What is said to every other answer.  Without it a text that is none of the known answers
        cannot be read as one.
    expects : text
        What an answer looks like, such as ``"+" or "-"``; from the answers if not given.
    within : number
        By how much a number may be off; by default a hundredth of its size.
    """

    right: Right
    because: str = ""
    also: Sequence[str] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""
    expects: str = ""
    within: float | None = None

    @property
    def form(self) -> str:
        """What an answer looks like."""
        if self.expects:
            return self.expects
        if isinstance(self.right, str):
            choices = sorted({self.right, *self.wrong}, key=lambda each: (each != "yes", each))
            return either(choices) if self.wrong else "a text"
        if not isinstance(self.right, list):
            return "a number"
        if isinstance(self.right[0], str):
            return "a list of texts"
        return (
            f"{len(self.right)} numbers in brackets, such as ({', '.join('0' for _ in self.right)})"
        )

    @property
    def is_in_numbers(self) -> bool:
        """Whether an answer is made of numbers."""
        first = self.right[0] if isinstance(self.right, list) else self.right
        return not isinstance(first, str)

    def is_right(self, given: Any) -> bool:
        """Whether an answer is right.

        Examples
        --------
        >>> Question([3, 2]).is_right((3, 2)), Question("-").is_right(" − ")
        (True, True)
        """
        return any(self._is(each, given) for each in (self.right, *self.also))

    def reason(self, given: Any) -> str:
        """Return why a wrong answer is wrong."""
        for answer, why in self.wrong.items():
            if self._is(_as_written(answer, self.right), given, _WITHIN_WRONG):
                return why
        return self.otherwise

    def fits(self, given: Any) -> bool:
        """Whether an answer has the form of one: a text, a number, or as many numbers."""
        if isinstance(self.right, str):
            is_open = not self.wrong and not self.expects
            known = is_open or self.is_right(given) or bool(self.reason(given))
            return known and bool(as_text(given))
        if isinstance(self.right, list) and isinstance(self.right[0], str):
            texts = as_set(given, self.right)
            return bool(texts) and all(texts)
        return as_numbers(given, np.shape(self.right)) is not None

    def _is(self, expected: Right, given: Any, at_most: float | None = None) -> bool:
        if isinstance(expected, str):
            return as_text(given) == as_text(expected)
        if isinstance(expected, list) and isinstance(expected[0], str):
            return as_set(given, expected) == as_set(expected, expected)
        array = as_numbers(given, np.shape(expected))
        if array is None:
            return False
        size = np.abs(expected)
        room = _WITHIN * size if self.within is None else self.within
        if at_most is not None:
            room = np.minimum(room, at_most * size)
        # 0.3 is not three times 0.1, to the last bit; but 0 is not one of a billion.
        last_bits = 1e-9 * np.maximum(size, room)
        return bool(np.all(np.abs(array - expected) <= room + last_bits))


class Answer:
    """What has become of an answer: true where the way to the reveal is open."""

    def __init__(self, name: str, given: Any, question: Question) -> None:
        self.name = name
        entries = given if isinstance(given, list | tuple) else [given]
        self.is_open = any(each is ... for each in entries) or _is_blank(given)
        self.is_right = question.is_right(given)
        self.gave_up = isinstance(given, str) and given.strip() == GIVE_UP
        self.text = f"{name}: {self._said(given, question)}"

    def _said(self, given: Any, question: Question) -> str:
        because = f" {question.because}".rstrip()
        if self.is_open:
            return f'not answered yet. Write {question.form}, or "{GIVE_UP}" to see the answer.'
        if self.gave_up:
            right = question.right
            shown = _shown(tuple(right) if isinstance(right, list) else right)
            return f"the answer is {shown}.{because}"
        if self.is_right:
            return f"right.{because}"
        if not question.fits(given):
            form = f"{question.form}{_instead(given, question)}"
            return f"{_shown(given)} cannot be read as an answer. Write {form}."
        why = question.reason(given) or "Try again."
        return f"not {_shown(given)}{_read_as(given, question)}. {why}"

    def __bool__(self) -> bool:
        return self.is_right or self.gave_up

    def __repr__(self) -> str:
        return f"Answer({self.text!r})"

    def _ipython_display_(self) -> None:
        """Show nothing more: the text has been printed."""


def _is_blank(given: Any) -> bool:
    """Whether nothing was given, or nothing but dots between quotation marks."""
    if isinstance(given, tuple):
        return not given
    return isinstance(given, str) and not given.strip(" .…\"'")


def _read_as(given: Any, question: Question) -> str:
    """Say how a number was read that may be a thousand, too."""
    is_one = question.is_in_numbers and not isinstance(question.right, list)
    both = two_readings(given) if is_one and isinstance(given, str) else ()
    return f", read as {both[1]} and not as {both[0]}" if both else ""


def _instead(given: Any, question: Question) -> str:
    """Say how an answer is written, to whoever wrote it otherwise."""
    if not question.is_in_numbers:
        return "" if isinstance(given, str) else ", in quotation marks"
    has_comma = isinstance(given, tuple) or (isinstance(given, str) and "," in given)
    notes = []
    if has_comma and not isinstance(question.right, list):
        notes.append("with a point in place of a comma")
    elif isinstance(given, str):
        notes.append("in digits")
    if isinstance(given, str):
        notes.append("without quotation marks")
    return f", {' and '.join(notes)}" if notes else ""


class Questions:
    """The questions of a lesson, by their names; :func:`questions` makes it."""

    def __init__(self, asked: Mapping[str, Question]) -> None:
        self._asked = dict(asked)
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        if shell is not None and _in_python not in shell.input_transformers_post:
            shell.input_transformers_post.append(_in_python)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the questions, in their order."""
        return tuple(self._asked)

    def __getitem__(self, name: str) -> Question:
        """Return a question, with its answer.

        Raises
        ------
        NotFoundError
            If there is none of this name.
        """
        if name not in self._asked:
            raise NotFoundError(
                f"There is no question {name!r}.", given=repr(name), expected=in_words(self.names)
            )
        return self._asked[name]

    def __call__(self, name: str, *answer: Any) -> Answer:
        """Say what is to be said of an answer, and return whether it opens the way.

        Parameters
        ----------
        name : str
            The question.
        *answer
            What the learner has written, several numbers with or without brackets; nothing,
            ``...`` and ``"..."`` are no answer yet, and ``"?"`` asks for it.

        Returns
        -------
        Answer
            True in an ``if``, where the answer is right or has been asked for.

        Raises
        ------
        NotFoundError
            If there is no such question.  Whatever the *answer* is, nothing raises.
        """
        found = Answer(name, answer[0] if len(answer) == 1 else answer, self[name])
        print(display.folded([found.text]))
        return found

    def __repr__(self) -> str:
        return f"Questions({in_words(self.names)})"


_BARE = ("yes", "no", "minus", "plus")
"""Answers that are read without quotation marks, too, where nothing has their name."""


def _in_python(lines: list[str]) -> list[str]:
    """Return a cell's lines with answers that Python refuses, 10 % and -, or misreads, 2^10."""
    space = sys.modules["IPython"].get_ipython().user_ns
    try:
        found = tokenize.generate_tokens(io.StringIO("".join(lines)).readline)
        tokens = [each for each in found if each.type not in (tokenize.NL, tokenize.COMMENT)]
    except (tokenize.TokenError, SyntaxError):
        return lines
    lines = [*lines]
    texts = [each.string for each in tokens]
    alone = {"+", "-"} | {each for each in _BARE if each not in space and texts.count(each) == 1}
    # From the end, for what is put in moves what comes behind it in its line.
    for k in reversed(range(len(tokens) - 4)):
        name, bracket, question, comma = tokens[k : k + 4]
        is_call = (bracket.string, question.type, comma.string) == ("(", tokenize.STRING, ",")
        if is_call and isinstance(space.get(name.string), Questions):
            for token, written in reversed(_signs(tokens[k + 4 :], alone)):
                row, column = token.start
                line = lines[row - 1]
                lines[row - 1] = f"{line[:column]}{written}{line[column + len(token.string) :]}"
    return lines


def _signs(
    tokens: Sequence[tokenize.TokenInfo], alone: Container[str]
) -> list[tuple[tokenize.TokenInfo, str]]:
    """Return the signs up to the end of a call that Python writes otherwise, if all are numbers.

    What stands ``alone``, such as a minus, has lost its quotation marks with the dots.
    """
    word, end = tokens[:2]
    if word.string in alone and end.string == ")":
        return [(word, f'"{word.string}"')]
    found: list[tuple[tokenize.TokenInfo, str]] = []
    depth = 1
    for token, after in pairwise(tokens):
        depth += (token.string == "(") - (token.string == ")")
        if depth == 0:
            return found
        if token.type != tokenize.NUMBER and token.string not in _IN_NUMBERS:
            break
        if token.string == "^":
            found.append((token, "**"))
        elif token.string == "%" and after.string in (")", "]", ","):
            found.append((token, "/100"))
    return []


def questions(source: str | Path | Mapping[str, Mapping[str, Any]]) -> Questions:
    """Return the questions of a lesson, to be answered in its cells.

    Parameters
    ----------
    source : str, Path or mapping
        The name of a lesson of the course, such as ``"00_start_here"``; a file of your own
        that ends in ``.toml``; or what would be in it.  By the name of each question a table
        with ``right`` and, where you like, ``because``, ``wrong``, ``otherwise``, ``expects``
        and ``within``, as :class:`Question` has them.

    Returns
    -------
    Questions
        Called with the name of a question and an answer it prints what is to be said of it,
        and is true where the answer is right.

    Raises
    ------
    NotFoundError
        If there is neither a lesson nor a file of this name.
    InvalidValueError
        If a question is not written as it must be.

    Notes
    -----
    Write ``if check("name", ...):`` with what the answer reveals below it, and ``" ... "`` where
    the answer is a text.  The dots are the learner's to replace.  A notebook that is run as it
    is says "not answered yet", gives nothing away, and goes on.  Who looks into the file finds
    the answers: they are for learning, not for grading.

    Examples
    --------
    >>> check = questions({"slope": {"right": 0.25, "wrong": {"1": "That is tanh's."}}})
    >>> if check("slope", ...):
    ...     print("σ′(0) = σ(0) (1 − σ(0))")
    slope: not answered yet. Write a number, or "?" to see the answer.
    >>> bool(check("slope", 1)), bool(check("slope", 0.25))
    slope: not 1. That is tanh's.
    slope: right.
    (False, True)
    """
    if isinstance(source, Mapping):
        if not source:
            raise InvalidValueError("There is no question in it.", expected=_TABLE)
        return Questions({name: _question(name, table) for name, table in source.items()})
    path = Path(source)
    if path.suffix != ".toml":
        path = QUESTIONS / f"{source}.toml"
    if not path.is_file():
        lessons = sorted(each.stem for each in QUESTIONS.glob("*.toml"))
        raise NotFoundError(
            f"There are no questions {str(source)!r}.",
            given=repr(str(source)),
            expected=f"a file that ends in .toml, or a lesson: {in_words(lessons, 'or')}",
        )
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InvalidValueError(
            f"{path.name} is not written as TOML is.", given=str(error)
        ) from None
    return questions(tables)


_KNOWN = [each.name for each in fields(Question)]
_TABLE = f"by the name of each question a table with {in_words([f'`{each}`' for each in _KNOWN])}"


def _question(name: str, table: Any) -> Question:
    problem = ""
    if not isinstance(table, Mapping):
        problem = "is no table"
    elif "right" not in table:
        problem = "has no `right`, the right answer"
    elif unknown := [key for key in table if key not in _KNOWN]:
        problem = f"has {in_words([f'`{key}`' for key in unknown])}, which says nothing"
    elif not _is_answer(table["right"]):
        problem = "has a `right` that is neither a text, a number, nor a list of one of them"
    elif not _is_also(table.get("also", []), table["right"]):
        problem = "has an `also` that is no list of answers as `right` is one"
    elif not all(isinstance(why, str) for why in _texts(table)):
        problem = 'has a reason that is no text (a number in `wrong` is written as "0.5" = "…")'
    if problem:
        raise InvalidValueError(
            f"The question {name!r} {problem}.",
            given=repr(table)[:200],
            expected=_TABLE,
        )
    wrong = {str(key): why for key, why in table.get("wrong", {}).items()}
    question = Question(**{**table, "wrong": wrong})
    for answer in wrong:
        if not _is_wrong(answer, question):
            raise InvalidValueError(
                f"The question {name!r} has a wrong answer that is none.",
                given=answer,
                expected=f"what differs from the right one, {_shown(question.right)}, in its form",
            )
    return question


def _is_wrong(answer: str, question: Question) -> bool:
    try:
        given = _as_written(answer, question.right)
    except ValueError:
        return False
    return question.fits(given) and not question.is_right(given)


def _texts(table: Mapping[str, Any]) -> list[Any]:
    said = [table.get(name, "") for name in ("because", "otherwise", "expects")]
    return [*said, *dict(table.get("wrong", {})).values()]


def _is_answer(right: Any) -> bool:
    entries = right if isinstance(right, list) and right else [right]
    is_text = [isinstance(each, str) for each in entries]
    is_number = [isinstance(each, int | float) and not isinstance(each, bool) for each in entries]
    return all(is_text) or all(is_number)


def _is_also(also: Any, right: Any) -> bool:
    return isinstance(also, list) and all(
        _is_answer(each) and isinstance(each, list) == isinstance(right, list) for each in also
    )


def _as_written(answer: str, right: Right) -> Right:
    """Return a wrong answer as it stands in a table's key, in the form of the right one.

    >>> _as_written("(2, 3)", [3, 2]), _as_written("24", 27), _as_written("dA, db", ["dA"])
    ([2.0, 3.0], 24.0, ['dA', 'db'])
    """
    if not isinstance(right, list):
        return answer if isinstance(right, str) else float(answer)
    parts = [each.strip() for each in answer.strip("() ").split(",") if each.strip()]
    return parts if isinstance(right[0], str) else [float(each) for each in parts]


def _shown(given: Any) -> str:
    """Return an answer as it is written.

    >>> _shown("+"), _shown([3, 2]), _shown((3, 2)), _shown(["a"]), _shown(1 / 3)
    ('"+"', '[3, 2]', '(3, 2)', '"a"', '0.333333')
    """
    if isinstance(given, str):
        return f'"{_shortened(given)}"'
    if isinstance(given, list | tuple) and given and all(isinstance(each, str) for each in given):
        return in_words([f'"{each}"' for each in given])
    if isinstance(given, float):  # one in NumPy's form is one, too
        return f"{given:.6g}"
    if isinstance(given, list | tuple):
        entries = ", ".join(each if isinstance(each, str) else _shown(each) for each in given)
        return _shortened(f"[{entries}]" if isinstance(given, list) else f"({entries})")
    return _shortened(" ".join(str(given).split()))


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

"""A network and numbers of one's own, small enough for a pencil, and the key to them.

Everything follows from a seed, or from a student's number, by way of SHA-256 and
of whole numbers, so it is the same on every machine and with every NumPy.  An
exercise is passed over if its answers are too small to be seen in three digits,
or if a mistake of the catalogue would lead to them as well.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.compare import compare, is_real, reshaped
from backprop_nb.checking.diagnosis import message
from backprop_nb.checking.mistake import Mistake, PlacedMistake
from backprop_nb.checking.mistakes import MISTAKES, find, make_backward
from backprop_nb.checking.reference import ReferencePass, Situation
from backprop_nb.checking.report import NOT_ANSWERED, Checked, Finding, Hints, Report, check_hints
from backprop_nb.errors import InvalidValueError, NotFoundError, UnsupportedError, in_words
from backprop_nb.meant import suggesting
from backprop_nb.network.tables import markdown_table, matrix_latex, matrix_text, text_table

Array: TypeAlias = NDArray[Any]
Values: TypeAlias = dict[str, Array]
T = TypeVar("T")

WIDTHS: Final = (2, 2, 1)
_K: Final = len(WIDTHS) - 1
MISTAKE: Final = "mistake"
"""The name of the last question: which mistake is in the listing?"""
ROUNDING: Final = 0.002, 0.005
"""An answer may be off by so much, and by so much of its size: rounded to three digits."""
_SMALLEST = 0.01
"""No entry of an answer is nearer to zero."""
_DIGITS = 12
"""A calculator shows fewer digits, and a program more."""
_ROUND = "They are asked for with three digits after the point."
_CLEARLY = 3.0
"""A mistake must be seen in an answer, by so many times the rounding."""


# --- questions --------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """One number, or a few, to be computed by hand."""

    name: str
    """Its name in the answers, such as ``"delta[1]"``."""
    shape: tuple[int, ...]
    symbol: str
    """What it stands for in the document."""
    hint: str
    """The formula for it."""

    @property
    def size(self) -> int:
        """Of how many numbers the answer is made."""
        return int(np.prod(self.shape))

    @property
    def latex(self) -> str:
        """Its symbol as LaTeX."""
        return self.symbol.translate(_LATEX)


_LATEX = str.maketrans({"σ": r"\sigma", "′": "'", "δ": r"\delta", "∂": r"\partial "})

QUESTIONS: Final = (
    Question("z[1]", (2,), "z_1", "z_1 = A_0 x + b_0"),
    Question("f[1]", (2,), "f_1", "f_1 = σ(z_1)"),
    Question("z[2]", (1,), "z_2", "z_2 = A_1 f_1 + b_1"),
    Question("f[2]", (1,), "f_2", "f_2 = σ(z_2)"),
    Question("L", (), "L", "L = ‖y − f_2‖²"),
    Question("sigma_prime[2]", (1,), "σ′(z_2)", "σ′(z_2) = f_2 (1 − f_2)"),
    Question("delta[2]", (1,), "δ_2 = ∂L/∂z_2", "δ_2 = 2 (f_2 − y) σ′(z_2)"),
    Question("dA[1]", (1, 2), "∂L/∂A_1", "∂L/∂A_1 = δ_2 f_1ᵀ"),
    Question("sigma_prime[1]", (2,), "σ′(z_1)", "σ′(z_1) = f_1 (1 − f_1)"),
    Question("delta[1]", (2,), "δ_1 = ∂L/∂z_1", "δ_1 = A_1ᵀ δ_2 times σ′(z_1), entry by entry"),
    Question("dA[0]", (2, 2), "∂L/∂A_0", "∂L/∂A_0 = δ_1 xᵀ"),
)
"""The questions about numbers, in the order in which they are answered."""

_BY_NAME = {question.name: question for question in QUESTIONS}
_HEAD = ("answer", "numbers", "stands for")


# --- the exercise -----------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Exercise:
    """A network of two layers with one input, and a wrong backward pass to be read.

    Attributes
    ----------
    seed : str
        What it was made from.
    A, b : tuples of arrays
        The parameters, of the widths (2, 2, 1).
    x, y : arrays of shape (2,) and (1,)
        The input and the target.
    choices : dict
        By letter the title of a mistake; one of them is in the listing.

    Notes
    -----
    An exercise has no key: see :func:`answer_key`.
    """

    seed: str
    A: tuple[Array, Array]
    b: tuple[Array, Array]
    x: Array
    y: Array
    choices: Mapping[str, str]
    _mistake: str

    @property
    def questions(self) -> dict[str, str]:
        """What is asked, in order: for the name of each answer what it stands for."""
        which = f"which mistake is in the listing: {', '.join(self.choices)}"
        return {question.name: question.symbol for question in QUESTIONS} | {MISTAKE: which}

    @property
    def listing(self) -> str:
        """A backward pass as NumPy, with one mistake in it."""
        return "\n".join(line.text for line in make_backward(self._mistake).listing())

    def check(
        self,
        answers: Mapping[str, Any],
        *,
        only: Sequence[str] | None = None,
        hints: Hints = "vague",
    ) -> Report:
        """Check answers, and say which mistake of the catalogue leads to them.

        An answer that follows from an earlier wrong one is right: one mistake costs
        one answer.

        Parameters
        ----------
        answers : mapping
            By the names of :attr:`questions` a number, a list or an array, rounded to
            three digits after the point; for ``"mistake"`` a letter.  What is missing, or has
            dots in it, is not answered yet and earns nothing.
        only : sequence of str, optional
            The questions that count, if not all of them do.
        hints : "none", "vague", "clear" or "plain"
            How much the report gives away; no level shows the right answers.

        Raises
        ------
        UnsupportedError
            The answers are no mapping.
        NotFoundError
            ``only`` names a question that is not in the exercise.

        Examples
        --------
        >>> mine = exercise(7)
        >>> print(mine.check({"z[1]": [1.5, -1.5], "f[1]": [0.5, 0.5]}, only=["z[1]", "f[1]"]))
        exercise: 1 of 2 answers right.
          z[1]  right
          f[1]  wrong, farthest off f[1][0], which is 0.5
        <BLANKLINE>
        f[1] is the first answer that is wrong.
        """
        check_hints(hints)
        if not isinstance(answers, Mapping):
            raise UnsupportedError(
                "`answers` must be a dict: the answers by their names.",
                given=type(answers).__name__,
                expected='a dict such as {"z[1]": [0.5, -1.0]}',
            )
        names = self._asked(only)
        key = answer_key(self)
        given = {
            name: array
            for name, question in _BY_NAME.items()
            if (array := _as_array(answers.get(name), question)) is not None
        }
        with np.errstate(all="ignore"):
            following = following_answers(self, given)
        parameters = [
            _checked(name, answers.get(name), given.get(name), key[name], following[name])
            for name in names
            if name != MISTAKE
        ]
        findings = tuple(self._findings(parameters, given, hints))
        if MISTAKE in names:
            parameters.append(self._checked_letter(answers.get(MISTAKE), key[MISTAKE]))
        notes = [_not_asked(name, key) for name in answers if name not in key]
        exact = [each.name for each in parameters if _is_computed(each)]
        if exact and only is None:  # a part may be asked of a program
            notes.append(f"{in_words(exact)}: to more digits than a pencil writes. {_ROUND}")
        return Report(
            "exercise",
            tuple(replace(e, expected=np.full_like(e.expected, np.nan)) for e in parameters),
            findings,
            notes=tuple(notes),
            hints="clear" if hints == "plain" else hints,
            things="answers",
        )

    def _asked(self, only: Sequence[str] | None) -> list[str]:
        names = list(self.questions)
        for name in only or ():
            if name not in names:
                raise NotFoundError(
                    f"`only` names a question {name!r}, which this exercise does not ask.",
                    given=repr(name),
                    expected=", ".join(names),
                )
        return [name for name in names if only is None or name in only]

    def _checked_letter(self, written: Any, right: str) -> Checked:
        letter = _as_letter(written)
        letters = [*self.choices]
        none = f"expected one letter from {letters[0]} to {letters[-1]}"
        ok = letter == right
        remark = "" if ok else "it is a different one" if letter in letters else none
        remark = NOT_ANSWERED if _is_open(written) else remark
        return Checked(MISTAKE, ok, 0.0 if ok else np.inf, None, None, np.asarray(right), remark)

    def _findings(
        self, parameters: Sequence[Checked], given: Values, hints: Hints
    ) -> Iterator[Finding]:
        wrong = [each.name for each in parameters if not each.ok and each.name in given]
        if not wrong:
            return
        first = f"{wrong[0]} is the first answer that is wrong."
        explanations = [mistake for mistake in visible_mistakes() if self._leads_to(mistake, given)]
        if wrong == ["L"]:  # which no mistake in a backward pass makes
            explanations = []
        instead = f"Or it is another mistake: {wrong[0]} is the first answer that it makes wrong."
        for k, mistake in enumerate(explanations):
            ties = [(PlacedMistake(each),) for each in explanations if each is not mistake]
            lead = first if k == 0 or hints == "none" else instead
            placed = PlacedMistake(mistake)
            text = message(placed, _K, wrong[0], [], ties, hints, lead, first=k == 0)
            yield Finding(mistake.id, wrong[0], 1, text)
        if not explanations:
            more = f" {_BY_NAME[wrong[0]].hint}." if hints in ("clear", "plain") else ""
            yield Finding("not_recognised", wrong[0], 1, f"{first}{more}")

    def _leads_to(self, mistake: Mistake, given: Values) -> bool:
        """Whether somebody who makes a mistake, and no other, gets the given answers."""
        wrong = answers_with(self, mistake)
        return all(_near(given[name], wrong[name]) for name in given if name in wrong)

    def __repr__(self) -> str:
        return f"Exercise({self.seed!r})"

    def __str__(self) -> str:
        numbers = [f"{name} =\n{matrix_text(array)}" for name, array in self._given()]
        rows = [_HEAD, *((each.name, str(each.size), each.symbol) for each in QUESTIONS)]
        choices = [f"  {letter}: {title}" for letter, title in self.choices.items()]
        return "\n".join(
            [
                "A network with the widths (2, 2, 1), an input x and a target y:",
                *numbers,
                "",
                "Compute, to three digits after the point:",
                text_table(rows, "<><"),
                "",
                f"And read this backward pass. Which mistake is in it? (answer {MISTAKE!r})",
                *(f"    {line}" for line in self.listing.split("\n")),
                *choices,
            ]
        )

    def _repr_markdown_(self) -> str:
        numbers = r",\quad ".join(
            f"{name} = {matrix_latex(array)}" for name, array in self._given()
        )
        lines = ((f'`"{each.name}"`', str(each.size), f"${each.latex}$") for each in QUESTIONS)
        choices = [f"- **{letter}**: {title}" for letter, title in self.choices.items()]
        return "\n\n".join(
            [
                f"A network with the widths (2, 2, 1), an input and a target:\n\n$${numbers}$$",
                "Compute, to three digits after the point:",
                markdown_table([_HEAD, *lines], "<><"),
                f'And read this backward pass. Which mistake is in it? Answer `"{MISTAKE}"` with '
                "a letter.",
                f"```python\n{self.listing}\n```",
                "\n".join(choices),
            ]
        )

    def _given(self) -> list[tuple[str, Array]]:
        """Return what the exercise gives, as matrices."""
        names = ("A_0", "b_0", "A_1", "b_1", "x", "y")
        arrays = (self.A[0], self.b[0], self.A[1], self.b[1], self.x, self.y)
        return [
            (name, array if array.ndim == 2 else array[:, np.newaxis])
            for name, array in zip(names, arrays, strict=True)
        ]


# --- the key ----------------------------------------------------------------


def answer_key(exercise: Exercise) -> dict[str, Any]:
    """Return the right answers by name: an array each, and a letter.

    Examples
    --------
    >>> key = answer_key(exercise(7))
    >>> key["z[1]"], key["mistake"]
    (array([ 1.5, -1.5]), 'c')
    """
    title = find(exercise._mistake).title
    letter = next(letter for letter, each in exercise.choices.items() if each == title)
    return {**following_answers(exercise, {}), MISTAKE: letter}


def following_answers(exercise: Exercise, given: Mapping[str, Array]) -> Values:
    """Return the right answers of somebody who goes on with those that are given.

    Those that have another shape are passed over.

    >>> following_answers(exercise(7), {"z[1]": np.zeros(2)})["f[1]"]
    array([0.5, 0.5])
    """
    given = {name: a for name, a in given.items() if a.shape == _BY_NAME[name].shape}
    values = _values(exercise, make_backward(samples="single"), given)
    values["L"] = np.sum((exercise.y - given.get("f[2]", values["f[2]"])) ** 2)
    return {name: values[name] for name in _BY_NAME}


def answers_with(exercise: Exercise, mistake: Mistake) -> Values:
    """Return the answers of somebody who makes a mistake; the loss is not among them."""
    return _values(exercise, make_backward(mistake.id, samples="single"), {})


def _values(exercise: Exercise, backward: ReferencePass, given: Mapping[str, Array]) -> Values:
    columns = {
        name.replace("sigma_prime", "slope"): array if array.ndim == 2 else array.reshape(-1, 1)
        for name, array in given.items()
    }
    x = exercise.x.copy()
    values: Values = {}
    for each in backward.intermediates(exercise.A, exercise.b, x, exercise.y, columns):
        question = _BY_NAME.get(each.name.replace("slope", "sigma_prime"))
        if question:
            # A factor may be the number 1, and a transposed row is still a row of answers.
            value = np.broadcast_to(np.ravel(each.value), question.size)
            values[question.name] = value.reshape(question.shape)
    return values


# --- making one -------------------------------------------------------------


@suggesting
def exercise(seed: int | str) -> Exercise:
    """Return the exercise that belongs to a seed, always and everywhere the same.

    Parameters
    ----------
    seed : int or str
        A number, or a student's number or name.  Neither spaces around it nor
        capitals matter.  It is not stored anywhere.

    Returns
    -------
    Exercise
        A network with small numbers, and questions about it.

    Raises
    ------
    UnsupportedError
        The seed is neither a whole number nor a text.
    InvalidValueError
        The seed is empty.

    Notes
    -----
    Who can program a backward pass has the key: the exercise makes copying from a
    neighbour pointless, and is no secret.  A version of the package that knows of other mistakes
    may give other exercises, so a course stays with one version.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> mine = bp.exercise("s1234567")
    >>> mine.A[1], mine.x
    (array([[ 1., -2.]]), array([-2.,  1.]))
    >>> mine.check({"z[1]": [-1.5, -3.0]}).score
    0.0
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer | str):
        raise UnsupportedError(
            "`seed` must be a whole number or a text.",
            given=type(seed).__name__,
            expected="a whole number or a text, such as a student's number",
        )
    name = str(seed).strip().casefold()
    if not name:
        raise InvalidValueError("`seed` must have at least one character.", given=repr(seed))
    return _made(name)


@cache
def _made(seed: str) -> Exercise:
    return next(each for each in _candidates(seed) if _is_good(each))


def _candidates(seed: str) -> Iterator[Exercise]:
    for attempt in count():
        draw = _Draw(f"{seed}:{attempt}")
        n_0, n_1, n_2 = WIDTHS
        A = (draw.array(_WEIGHTS, n_1, n_0), draw.array(_LARGE, n_2, n_1))
        b = (draw.array(_BIASES, n_1), draw.array(_BIASES, n_2))
        x, y = draw.array(_INPUTS, n_0), draw.array(_TARGET, n_2)
        mistake, choices = _choices(draw)
        yield Exercise(seed, A, b, x, y, choices, mistake)


# In halves, so that nothing is rounded.
_WEIGHTS = (-1.5, -1.0, -0.5, 0.5, 1.0, 1.5)
_LARGE = (-2.0, -1.5, -1.0, 1.0, 1.5, 2.0)
_BIASES = (-1.0, -0.5, 0.5, 1.0)
_INPUTS = (-2.0, -1.0, 1.0, 2.0)
_TARGET = (0.0, 1.0)


class _Draw:
    """Draws from what a text hashes to, without end."""

    def __init__(self, text: str) -> None:
        blocks = (f"backprop_nb exercise {text}:{block}".encode() for block in count())
        self._digits = (digit for each in blocks for digit in hashlib.sha256(each).digest())

    def one(self, options: Sequence[T]) -> T:
        """Return one of a few options; those at the front are a little likelier."""
        return options[next(self._digits) % len(options)]

    def array(self, options: Sequence[float], *shape: int) -> Array:
        size = int(np.prod(shape))
        return np.array([self.one(options) for _ in range(size)]).reshape(shape)


def _choices(draw: _Draw) -> tuple[str, dict[str, str]]:
    """Return a mistake, and four titles by letter, of which only its own is true."""
    chosen = [draw.one(readable_mistakes())]
    while len(chosen) < 4:
        others = (e for e in readable_mistakes() if all(map(e.combines_with, chosen)))
        chosen.append(draw.one([*others]))
    place = draw.one(range(4))
    first, *titles = [each.title for each in chosen]
    titles.insert(place, first)
    return chosen[0].id, dict(zip("abcd", titles, strict=True))


@cache
def readable_mistakes() -> tuple[Mistake, ...]:
    """Return the mistakes that a listing for one sample shows, and that no reader mixes up."""
    situation = Situation((2, 2, 2), N=1, calls=1)
    return tuple(
        each for each in MISTAKES if each.in_game and each.applies(situation) and not each.ambiguous
    )


@cache
def visible_mistakes() -> tuple[Mistake, ...]:
    """Return the mistakes that can be made in an exercise, and show in its answers."""
    situation = Situation(WIDTHS, N=1, calls=1)
    return tuple(
        each
        for each in MISTAKES
        if each.in_game and each.applies(situation) and not each.has_learning_rate
    )


def _is_good(candidate: Exercise) -> bool:
    """Whether every answer can be seen in three digits, and every mistake in an answer."""
    key = following_answers(candidate, {})
    if any(np.abs(value).min() < _SMALLEST for value in key.values()):
        return False
    # Equal entries would hide which row is which.
    if any(len(set(array.tolist())) < 2 for array in (candidate.x, key["z[1]"])):
        return False
    if np.abs(key["z[1]"]).max() > 2.5:
        return False
    return all(
        any(
            not _near(value, key[name], _CLEARLY)
            for name, value in answers_with(candidate, each).items()
        )
        for each in visible_mistakes()
    )


# --- one answer -------------------------------------------------------------


def _checked(
    name: str, written: Any, given: Array | None, expected: Array, following: Array
) -> Checked:
    """Compare an answer with the right one, and with what follows from those before it."""
    if given is None:
        remark = NOT_ANSWERED if _is_open(written) else _no_number(written)
        return Checked.wrong(name, expected, remark)
    checked = compare(name, given, expected)
    if given.shape != expected.shape:
        # 0,5 for 0.5 is two whole numbers.
        if given.size == 2 * expected.size and (given == np.round(given)).all():
            remark = f"{checked.remark}: write 0.5 with a point, as 0,5 is two numbers"
            return replace(checked, remark=remark)
        return checked
    if _near(given, expected):
        shape = np.shape(written)
        is_turned = len(shape) == expected.ndim and shape != expected.shape
        remark = f"but {name} is {expected.shape}, and this is {shape}" if is_turned else ""
        return replace(checked, ok=True, remark=remark)
    # From zeros there follow zeros: that is no work, and earns nothing.
    if np.abs(following).min() >= _SMALLEST and _near(given, following):
        return replace(checked, ok=True, remark="it follows from an earlier answer")
    return checked


def _is_computed(checked: Checked) -> bool:
    """Whether a right answer stands there to more digits than anybody copies from a calculator."""
    given = checked.given
    return checked.ok and given is not None and bool((given != np.round(given, _DIGITS)).any())


def _near(one: Array, other: Array, times: float = 1.0) -> bool:
    """Whether two answers are the same up to rounding."""
    if one.shape != other.shape:
        return False
    absolute, relative = ROUNDING
    return bool(np.all(np.abs(one - other) <= times * (absolute + relative * np.abs(other))))


def _as_array(value: Any, question: Question) -> Array | None:
    """Return an answer as floats, in the question's shape if it can be; None if it is no answer."""
    try:
        array = np.asarray(value)
    except Exception:  # whatever a student writes there
        return None
    if not (is_real(array) and array.size):
        return None
    return reshaped(array.astype(np.float64), question.shape)


def _is_open(written: Any, depth: int = 3) -> bool:
    """Whether an answer, or a part of it, is still to be written."""
    parts = written if depth and isinstance(written, list | tuple) else ()
    return written is None or written is ... or any(_is_open(part, depth - 1) for part in parts)


def _no_number(written: Any) -> str:
    """Say why an answer is no array of numbers."""
    texts = _as_texts(written)
    try:
        for text in texts:
            float(text.replace(",", "."))
    except ValueError:
        texts = []
    if not texts:
        return "it has no number"
    comma = ", and with a point, not a comma" if any("," in text for text in texts) else ""
    return f"a text: write the number without quotes{comma}"


def _not_asked(name: Any, key: Iterable[str]) -> str:
    """Say that there is no such question, and which one is meant, if it is spelled alike."""
    close = difflib.get_close_matches(str(name), list(key), n=1)
    return f"There is no question {name!r}.{f' Did you mean {close[0]!r}?' if close else ''}"


def _as_letter(written: Any) -> str:
    """Return the letter of an answer such as "b", "B)" or ["(b)"]; another text if there is none.

    >>> _as_letter("B)"), _as_letter(["a"]), _as_letter(3)
    ('b', 'a', '')
    """
    texts = _as_texts(written)
    return texts[0].strip(" \t\n.:()'\"").lower() if len(texts) == 1 else ""


def _as_texts(written: Any) -> list[str]:
    """Return an answer as a list of texts; an empty one if it is none."""
    try:
        array = np.asarray(written)
    except Exception:  # whatever a student writes there
        return []
    return [str(each) for each in array.ravel()] if array.dtype.kind == "U" else []

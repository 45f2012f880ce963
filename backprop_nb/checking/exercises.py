"""A network and numbers of one's own, small enough for a pencil, and the key to them.

Everything follows from a seed, or from a student's number, by way of SHA-256 and
of whole numbers, so it is the same on every machine and with every NumPy.  An
exercise is passed over if its answers are too small to be seen in three digits,
or if a mistake of the catalogue would lead to them as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.diagnosis import message
from backprop_nb.checking.mistakes import (
    HALF,
    MEAN,
    MISTAKES,
    SEVERAL,
    SUM,
    Mistake,
    Slip,
    combined,
    find,
)
from backprop_nb.checking.recipe import Backward, Setting, listing
from backprop_nb.checking.report import Checked, Finding, Hints, Report, checked_hints
from backprop_nb.errors import InvalidValueError, NotFoundError, UnsupportedError
from backprop_nb.network.passes import sigma
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
_APART = 3.0
"""A mistake must be seen in an answer, by so many times the rounding."""


# --- questions ------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """One number, or a few, to be computed by hand.

    Attributes
    ----------
    name : str
        Its name in the answers, such as ``"delta[1]"``.
    symbol : str
        Its symbol in the document, as text.
    latex : str
        The same as LaTeX.
    hint : str
        The formula for it.
    shape : tuple of int
        Of the answer: ``()`` for one number.
    formula : function
        Of the exercise and of the answers before it.
    """

    name: str
    symbol: str
    latex: str
    hint: str
    shape: tuple[int, ...]
    formula: Callable[[Exercise, Values], Array]


def _slope(i: int) -> Callable[[Exercise, Values], Array]:
    return lambda e, v: v[f"f[{i}]"] * (1 - v[f"f[{i}]"])


QUESTIONS: Final = (
    Question("z[1]", "z_1", "z_1", "z_1 = A_0 x + b_0", (2,), lambda e, v: e.A[0] @ e.x + e.b[0]),
    Question("f[1]", "f_1", "f_1", "f_1 = σ(z_1)", (2,), lambda e, v: sigma(v["z[1]"])),
    Question(
        "z[2]", "z_2", "z_2", "z_2 = A_1 f_1 + b_1", (1,), lambda e, v: e.A[1] @ v["f[1]"] + e.b[1]
    ),
    Question("f[2]", "f_2", "f_2", "f_2 = σ(z_2)", (1,), lambda e, v: sigma(v["z[2]"])),
    Question(
        "L", "L", "L", "L = ‖y − f_2‖²", (), lambda e, v: np.asarray(((e.y - v["f[2]"]) ** 2).sum())
    ),
    Question(
        "sigma_prime[2]", "σ′(z_2)", r"\sigma'(z_2)", "σ′(z_2) = f_2 (1 − f_2)", (1,), _slope(2)
    ),
    Question(
        "delta[2]",
        "δ_2 = ∂L/∂z_2",
        r"\delta_2 = \partial L/\partial z_2",
        "δ_2 = 2 (f_2 − y) σ′(z_2)",
        (1,),
        lambda e, v: 2 * (v["f[2]"] - e.y) * v["sigma_prime[2]"],
    ),
    Question(
        "dA[1]",
        "∂L/∂A_1",
        r"\partial L/\partial A_1",
        "∂L/∂A_1 = δ_2 f_1ᵀ",
        (1, 2),
        lambda e, v: np.outer(v["delta[2]"], v["f[1]"]),
    ),
    Question(
        "sigma_prime[1]", "σ′(z_1)", r"\sigma'(z_1)", "σ′(z_1) = f_1 (1 − f_1)", (2,), _slope(1)
    ),
    Question(
        "delta[1]",
        "δ_1 = ∂L/∂z_1",
        r"\delta_1 = \partial L/\partial z_1",
        "δ_1 = A_1ᵀ δ_2 times σ′(z_1), entry by entry",
        (2,),
        lambda e, v: e.A[1].T @ v["delta[2]"] * v["sigma_prime[1]"],
    ),
    Question(
        "dA[0]",
        "∂L/∂A_0",
        r"\partial L/\partial A_0",
        "∂L/∂A_0 = δ_1 xᵀ",
        (2, 2),
        lambda e, v: np.outer(v["delta[1]"], e.x),
    ),
)
"""The questions about numbers, in the order in which they are answered."""

_BY_NAME = {question.name: question for question in QUESTIONS}


# --- the exercise ------------------------------------------------------------------


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
    mistake : str
        The mistake in :attr:`listing`, by its id in the catalogue.
    choices : dict
        By letter the title of a mistake; one of them is in the listing.
    """

    seed: str
    A: tuple[Array, Array]
    b: tuple[Array, Array]
    x: Array
    y: Array
    mistake: str
    choices: Mapping[str, str]

    @property
    def questions(self) -> dict[str, str]:
        """What is asked, in order: for the name of each answer what it stands for."""
        which = f"which mistake is in the listing: {', '.join(self.choices)}"
        return {question.name: question.symbol for question in QUESTIONS} | {MISTAKE: which}

    @property
    def listing(self) -> str:
        """A backward pass as NumPy, with one mistake in it."""
        return "\n".join(line.text for line in listing(combined([self.mistake])))

    def key(self) -> dict[str, Any]:
        """Return the right answers by name: an array each, and a letter.

        Examples
        --------
        >>> key = exercise(7).key()
        >>> key["z[1]"], key["mistake"]
        (array([ 1.5, -1.5]), 'c')
        """
        values: Values = {}
        for question in QUESTIONS:
            values[question.name] = question.formula(self, values)
        title = find(self.mistake).title
        letter = next(letter for letter, each in self.choices.items() if each == title)
        return {**values, MISTAKE: letter}

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
            three digits after the point; for ``"mistake"`` a letter.  What is missing
            counts as wrong.
        only : sequence of str, optional
            The questions that count, if not all of them do.
        hints : "none", "vague", "clear" or "plain"
            How much the report gives away.  Only ``"plain"`` shows the right answers.

        Raises
        ------
        UnsupportedError
            The answers are no mapping.
        NotFoundError
            ``only`` has a question that there is not.

        Examples
        --------
        >>> mine = exercise(7)
        >>> print(mine.check({"z[1]": [1.5, -1.5], "f[1]": [0.5, 0.5]}, only=["z[1]", "f[1]"]))
        exercise: 1 of 2 answers right.
          z[1]  right
          f[1]  wrong, most of all f[1][0], which is 0.5
        <BLANKLINE>
        f[1] is the first answer that is wrong.
        """
        checked_hints(hints)
        if not isinstance(answers, Mapping):
            raise UnsupportedError(
                "Answers are given by name.",
                given=type(answers).__name__,
                expected='a dict such as {"z[1]": [0.5, -1.0]}',
            )
        names = self._asked(only)
        key = self.key()
        given = {name: _as_array(value) for name, value in answers.items() if name in _BY_NAME}
        parameters = [
            self._checked(name, answers.get(name), given, key) for name in names if name != MISTAKE
        ]
        findings = tuple(self._findings(parameters, given, hints))
        if MISTAKE in names:
            parameters.append(self._checked_letter(answers.get(MISTAKE), key[MISTAKE]))
        unknown = [f"There is no question {name!r}." for name in answers if name not in key]
        return Report(
            "exercise",
            tuple(parameters),
            findings,
            notes=tuple(unknown),
            hints=hints,
            things="answers",
        )

    def _checked_letter(self, written: Any, right: str) -> Checked:
        letter = _as_letter(written)
        letters = [*self.choices]
        none = f"there is no letter from {letters[0]} to {letters[-1]}"
        ok = letter == right
        remark = "" if ok else "it is another one" if letter in letters else none
        return Checked(MISTAKE, ok, 0.0 if ok else np.inf, None, None, np.asarray(right), remark)

    def _asked(self, only: Sequence[str] | None) -> list[str]:
        names = list(self.questions)
        for name in only or ():
            if name not in names:
                raise NotFoundError(
                    "There is no such question.", given=repr(name), expected=", ".join(names)
                )
        return [name for name in names if only is None or name in only]

    def _checked(
        self, name: str, written: Any, given: Mapping[str, Array | None], key: Values
    ) -> Checked:
        """Compare an answer with the right one, and with what follows from those before it."""
        array, expected = given.get(name), key[name]
        if array is None:
            return Checked(name, False, np.inf, None, None, expected, _no_number(written))
        array = _laid_out(array, expected.shape)
        if array.shape != expected.shape:
            remark = f"its shape is {array.shape}, expected {expected.shape}"
            if _has_commas(array, expected):
                remark += ": write 0.5 with a point, as 0,5 is two numbers"
            return Checked(name, False, np.inf, None, array, expected, remark)
        if not np.isfinite(array).all():
            return Checked(name, False, np.inf, None, array, expected, "not finite")
        differences = np.abs(array - expected)
        worst = tuple(int(k) for k in np.unravel_index(differences.argmax(), array.shape))
        error = float(differences.max() / np.abs(expected).max())
        if _near(array, expected):
            return Checked(name, True, error, worst, array, expected)
        follows = self._following(name, given, key)
        # From zeros there follow zeros: that is no work, and earns nothing.
        if np.abs(follows).min() >= _SMALLEST and _near(array, follows):
            remark = "it follows from an earlier answer"
            return Checked(name, True, error, worst, array, expected, remark)
        return Checked(name, False, error, worst, array, expected)

    def _following(self, name: str, given: Mapping[str, Array | None], key: Values) -> Array:
        """Return the answer to a question if those that were given before it were right."""
        before = dict(key)
        for question in QUESTIONS:
            array = given.get(question.name)
            if question.name == name:
                break
            if array is not None and _laid_out(array, question.shape).shape == question.shape:
                before[question.name] = _laid_out(array, question.shape)
            else:
                before[question.name] = question.formula(self, before)
        with np.errstate(all="ignore"):
            return _BY_NAME[name].formula(self, before)

    def _findings(
        self, parameters: Sequence[Checked], given: Mapping[str, Array | None], hints: Hints
    ) -> Iterator[Finding]:
        wrong = [each.name for each in parameters if not each.ok]
        if not wrong or all(array is None for array in given.values()):
            return
        first = f"{wrong[0]} is the first answer that is wrong."
        explanations = [mistake for mistake in _visible() if self._leads_to(mistake, given)]
        instead = f"Or it is another mistake: {wrong[0]} is the first answer that it makes wrong."
        for k, mistake in enumerate(explanations):
            ties = [(Slip(each),) for each in explanations if each is not mistake]
            lead = first if k == 0 or hints == "none" else instead
            text = message(Slip(mistake), _K, wrong[0], [], ties, hints, lead, first=k == 0)
            yield Finding(mistake.id, wrong[0], 1, text)
        if not explanations:
            more = f" {_BY_NAME[wrong[0]].hint}." if hints in ("clear", "plain") else ""
            yield Finding("not_recognised", wrong[0], 1, f"{first}{more}")

    def _leads_to(self, mistake: Mistake, given: Mapping[str, Array | None]) -> bool:
        """Whether somebody who makes a mistake, and no other, gets the given answers."""
        wrong = self._with(mistake)
        return all(
            array is not None and _near(_laid_out(array, wrong[name].shape), wrong[name])
            for name, array in given.items()
            if name in wrong
        )

    def _with(self, *mistakes: Mistake) -> Values:
        """Return the answers of a pass with some mistakes, without the loss, which it has not."""
        backward = Backward(combined([each.id for each in mistakes]), samples="single")
        values: Values = {}
        for record in backward.trail(self.A, self.b, self.x.copy(), self.y):
            name = f"{_TARGETS.get(record.quantity.name, '')}[{record.i}]"
            if name in _BY_NAME:
                shape = _BY_NAME[name].shape
                # A factor may be the number 1, and a transposed row is still a row of answers.
                value = np.ravel(record.value)
                values[name] = np.broadcast_to(value, int(np.prod(shape))).reshape(shape)
        return values

    # -- saying ------------------------------------------------------------------

    def __repr__(self) -> str:
        return f"Exercise({self.seed!r})"

    def __str__(self) -> str:
        numbers = [f"{name} =\n{matrix_text(array)}" for name, _, array in self._given()]
        rows = [("answer", "numbers", "stands for")]
        rows += [(each.name, str(int(np.prod(each.shape))), each.symbol) for each in QUESTIONS]
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
            f"{latex} = {matrix_latex(array)}" for _, latex, array in self._given()
        )
        rows = [("answer", "numbers", "stands for")]
        rows += [
            (f'`"{each.name}"`', str(int(np.prod(each.shape))), f"${each.latex}$")
            for each in QUESTIONS
        ]
        choices = [f"- **{letter}**: {title}" for letter, title in self.choices.items()]
        return "\n\n".join(
            [
                f"A network with the widths (2, 2, 1), an input and a target:\n\n$${numbers}$$",
                "Compute, to three digits after the point:",
                markdown_table(rows, "<><"),
                f'And read this backward pass. Which mistake is in it? Answer `"{MISTAKE}"` with '
                "a letter.",
                f"```python\n{self.listing}\n```",
                "\n".join(choices),
            ]
        )

    def _given(self) -> Iterator[tuple[str, str, Array]]:
        for name, array in (
            ("A_0", self.A[0]),
            ("b_0", self.b[0]),
            ("A_1", self.A[1]),
            ("b_1", self.b[1]),
            ("x", self.x),
            ("y", self.y),
        ):
            yield name, name, array if array.ndim == 2 else array[:, np.newaxis]


_TARGETS = {
    "pre_activation": "z",
    "activation": "f",
    "output_slope": "sigma_prime",
    "hidden_slope": "sigma_prime",
    "output_delta": "delta",
    "hidden_delta": "delta",
    "weight_gradient": "dA",
}


# --- making one ----------------------------------------------------------------------


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
        A network with small numbers, questions about it, and the key to them.

    Raises
    ------
    UnsupportedError
        The seed is neither a whole number nor a text.
    InvalidValueError
        The seed is empty.

    Notes
    -----
    Who has the package has the key: the exercise makes copying from a neighbour
    pointless, and is no secret.  A version of the package that knows of other mistakes
    may give other exercises, so a course stays with one version.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> mine = bp.exercise("s1234567")
    >>> mine.A[1], mine.x
    (array([[ 1., -2.]]), array([-2.,  1.]))
    >>> mine.check(mine.key()).score
    1.0
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer | str):
        raise UnsupportedError(
            "An exercise is made from a number or a text.",
            given=type(seed).__name__,
            expected="a whole number or a text, such as a student's number",
        )
    name = str(seed).strip().casefold()
    if not name:
        raise InvalidValueError(
            "An exercise is made from a number or a text.",
            given=repr(seed),
            expected="at least one character",
        )
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
        yield Exercise(seed, A, b, x, y, mistake, choices)


# In halves, so that nothing is rounded.
_WEIGHTS = (-1.5, -1.0, -0.5, 0.5, 1.0, 1.5)
_LARGE = (-2.0, -1.5, -1.0, 1.0, 1.5, 2.0)
_BIASES = (-1.0, -0.5, 0.5, 1.0)
_INPUTS = (-2.0, -1.0, 1.0, 2.0)
_TARGET = (0.0, 1.0)


class _Draw:
    """Draws from what a text hashes to, without end."""

    def __init__(self, text: str) -> None:
        self._digits = self._stream(text)

    @staticmethod
    def _stream(text: str) -> Iterator[int]:
        for block in count():
            yield from hashlib.sha256(f"backprop_nb exercise {text}:{block}".encode()).digest()

    def one(self, options: Sequence[T]) -> T:
        """Return one of a few options; those at the front are a little likelier."""
        return options[next(self._digits) % len(options)]

    def array(self, options: Sequence[float], *shape: int) -> Array:
        size = int(np.prod(shape))
        return np.array([self.one(options) for _ in range(size)]).reshape(shape)


def _choices(draw: _Draw) -> tuple[str, dict[str, str]]:
    """Return a mistake, and four titles by letter, of which only its own is true."""
    first = draw.one(_readable())
    others: list[Mistake] = []
    while len(others) < 3:
        apart = [
            each
            for each in _readable()
            if all(each.combines_with(chosen) for chosen in (first, *others))
        ]
        others.append(draw.one(apart))
    place = draw.one(range(4))
    titles = [each.title for each in others]
    titles.insert(place, first.title)
    return first.id, dict(zip("abcd", titles, strict=True))


@cache
def _readable() -> tuple[Mistake, ...]:
    """Return the mistakes that a listing for one sample shows."""
    several = {SEVERAL, MEAN, SUM, HALF}
    # The first has more than one quantity wrong; the second shows in no single call.
    unclear = {"cross_entropy_delta", "state_kept_between_calls"}
    return tuple(
        each for each in MISTAKES if not several & set(each.needs) and each.id not in unclear
    )


@cache
def _visible() -> tuple[Mistake, ...]:
    """Return the mistakes that can be made in an exercise."""
    setting = Setting(WIDTHS, N=1)
    # These depend on the number of calls, and on a learning rate.
    unseen = {"state_kept_between_calls", "updated_before_use"}
    return tuple(each for each in MISTAKES if each.applies(setting) and each.id not in unseen)


def _is_good(candidate: Exercise) -> bool:
    """Whether every answer can be seen in three digits, and every mistake in an answer."""
    key = candidate.key()
    numbers = {name: value for name, value in key.items() if name in _BY_NAME}
    if any(np.abs(value).min() < _SMALLEST for value in numbers.values()):
        return False
    # Equal entries would hide which row is which.
    if any(len(set(array.tolist())) < 2 for array in (candidate.x, numbers["z[1]"])):
        return False
    if np.abs(numbers["z[1]"]).max() > 2.5:
        return False
    return all(
        any(not _near(value, key[name], _APART) for name, value in candidate._with(each).items())
        for each in _visible()
    )


# --- small helpers -----------------------------------------------------------------------


def _near(one: Array, other: Array, times: float = 1.0) -> bool:
    """Whether two answers are the same up to rounding."""
    if one.shape != other.shape:
        return False
    absolute, relative = ROUNDING
    return bool(np.all(np.abs(one - other) <= times * (absolute + relative * np.abs(other))))


def _as_array(value: Any) -> Array | None:
    """Return an answer as floats, or None if it is no answer."""
    try:
        array = np.asarray(value)
    except Exception:  # whatever a student writes there
        return None
    return array.astype(np.float64) if array.dtype.kind in "fiub" and array.size else None


def _laid_out(array: Array, shape: tuple[int, ...]) -> Array:
    """Return an answer in a shape if the two differ only in axes of length 1."""
    same = np.squeeze(array).shape == tuple(n for n in shape if n != 1)
    return array.reshape(shape) if same else array


def _no_number(written: Any) -> str:
    """Say why an answer is no array of numbers."""
    texts = _as_texts(written)
    try:
        for text in texts:
            float(text.replace(",", "."))
    except ValueError:
        texts = []
    if not texts:
        return "there is no number"
    comma = ", and with a point, not a comma" if any("," in text for text in texts) else ""
    return f"a text: write the number without quotes{comma}"


def _has_commas(array: Array, expected: Array) -> bool:
    """Whether an answer looks as if it had been written with decimal commas, as 0,5 for 0.5."""
    return array.size == 2 * expected.size and bool((array == np.round(array)).all())


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

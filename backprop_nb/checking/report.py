"""What a check found: per parameter right or wrong, and which mistakes explain it."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias, TypeGuard, get_args

import numpy as np
from numpy.typing import NDArray

from backprop_nb import display
from backprop_nb.checking.excerpt import caret_lines, is_placed
from backprop_nb.errors import WrongGradientError
from backprop_nb.meant import Suggesting, one_of
from backprop_nb.tracing.source import Source

Array: TypeAlias = NDArray[Any]

Hints: TypeAlias = Literal["none", "vague", "clear", "plain"]
"""How much a report gives away, from right or wrong alone to the name of the mistake."""
HINTS: Final = get_args(Hints)

# What was given is the student's own; what was expected would be the solution.
_SHOWS_EXPECTED: Final = ("plain",)
_SHOWS_GIVEN: Final = ("vague", "clear", "plain")
SHOWS_LINE: Final = ("clear", "plain")

NOT_WRITTEN: Final = "not written yet"
NOT_ANSWERED: Final = "not answered yet"
"""The remarks on what a learner has left as it was handed out."""
NOT_KNOWN: Final = "nobody can tell, beside a loss as large as this"
"""The remark on a gradient that differences cannot judge."""

_MAX_PRINTED = 2000
"""So many characters of what a submission printed are shown."""
_WIDTH = 88


def are_numbers(array: Array | None) -> TypeGuard[Array]:
    """Whether there are real numbers to look at."""
    return array is not None and array.size > 0 and array.dtype.kind in "fiub"


def in_digits(number: float, off: float, least: int = 6) -> str:
    """Return a number with as many digits as it takes to be off by no more.

    >>> in_digits(0.99995345, 1e-5), in_digits(2.0, 1e-7)
    ('0.999953', '2')
    """
    digits = (n for n in range(least, 17) if abs(float(f"{number:.{n}g}") - number) <= off)
    return f"{number:.{next(digits, 17)}g}"


def in_advice(number: float) -> str:
    """Return a number with which a gradient is right if it is written as it is said.

    >>> in_advice(5 / 7), in_advice(784.0), in_advice(0.2955202)
    ('5/7', '784', '0.2955202')
    """
    return simply(number, in_digits(number, 1e-7 * abs(number)), 1e-9)


def simply(number: float, digits: str, within: float) -> str:
    """Return a number as a fraction that it is within some share of it, if that is as short.

    >>> simply(1 / 30, "0.03333", 1e-9), simply(-0.25, "-0.25", 1e-9), simply(0.1, "0.1", 1e-9)
    ('1/30', '-1/4', '0.1')
    """
    if not (number and math.isfinite(number) and math.isfinite(1 / number)):
        return digits
    near = [Fraction(each).limit_denominator(99) for each in (number, 1 / number)]
    fraction = near[0] if abs(number) > 1 else 1 / near[1]
    text = str(fraction)
    # Of 1, 2 and 1/2 every digit is told that is off.
    is_simple = fraction.denominator > 2 and math.isclose(fraction, number, rel_tol=within)
    is_shorter = len(text) < len(digits) + (abs(fraction.numerator) == 1)
    return text if is_simple and is_shorter else digits


NUMBERS = re.compile(r"(?<![\w.\[])(−?[\d(][\d./·()]*)(?![\w\]])")


def says_a_number(text: str, but: str = "") -> bool:
    """Whether there is a number in what is said, which may be one network's alone.

    Those in ``but`` are the code's own.

    >>> says_a_number("multiply it by 1/7"), says_a_number("∂f1/∂z1 f[i + 1]")
    (True, False)
    >>> says_a_number("f - 1 in place of 1 - f", but="1 - f")
    False
    """
    return not {*NUMBERS.findall(text)} <= {*NUMBERS.findall(but)}


def scaling(it: str, factor: str) -> str:
    """Return the advice to multiply something by a factor, as it would be said.

    >>> scaling("it", "2"), scaling("it", "1/30"), scaling("z", "1/(5·2)"), scaling("it", "−1")
    ('multiply it by 2', 'divide it by 30', 'divide z by 5·2', 'change its sign')
    """
    if factor == "−1":
        return "change its sign" if it == "it" else f"change the sign of {it}"
    sign, one, divisor = factor.rpartition("1/")
    if one and sign in ("", "−"):
        return f"divide {it} by {sign}{divisor.removeprefix('(').removesuffix(')')}"
    return f"multiply {it} by {factor}"


def both_in_digits(one: float, other: float) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to tell them apart.

    >>> both_in_digits(1.0000015, 1.0), both_in_digits(2.0, -0.0), both_in_digits(0.268, np.nan)
    (('1.0000015', '1'), ('2', '0'), ('0.268', 'nan'))
    """
    # A zero has no sign that anybody would want to read.
    one, other = float(one) + 0.0, float(other) + 0.0
    off = 0.1 * abs(one - other)
    off = off if off == off else np.inf  # one that is kept secret is NaN
    return in_digits(one, off), in_digits(other, off)


def check_hints(hints: str) -> None:
    """Raise ``InvalidValueError`` unless it is a level of hints."""
    one_of("hints", hints, HINTS)


@dataclass(frozen=True, eq=False)
class Checked:
    """One parameter's gradient beside the right one.

    Attributes
    ----------
    name
        Such as ``"dA[0]"``.
    ok
        Whether it is right.
    error
        The largest difference of an entry, relative to the largest entry of the right
        gradient; where that is small, the largest one relative to the entry itself, or to a
        hundredth of the largest.  Infinite where there is nothing to compare.
    worst
        The index of that entry, or None.
    given, expected
        The two, as arrays; ``given`` is None where nothing of use was given.
    remark
        What else there is to say, in a few words.
    """

    name: str
    ok: bool
    error: float
    worst: tuple[int, ...] | None
    given: Array | None
    expected: Array
    remark: str = ""

    @classmethod
    def wrong(
        cls,
        name: str,
        expected: Array,
        remark: str,
        given: Array | None = None,
        worst: tuple[int, ...] | None = None,
    ) -> Checked:
        """Return one that cannot be compared, and is wrong."""
        return cls(name, False, np.inf, worst, given, expected, remark)

    @property
    def is_open(self) -> bool:
        """Whether it has been left as it was handed out, or nobody can tell."""
        return self.remark in (NOT_WRITTEN, NOT_ANSWERED, NOT_KNOWN)

    def __repr__(self) -> str:
        return f"Checked({self.name}, {'right' if self.ok else 'wrong'}, error {self.error:.2g})"

    @property
    def place(self) -> str:
        """The worst entry by name, such as ``"dA[0][1, 2]"``; of a number, its name."""
        has_others = self.worst and np.size(self.expected) > 1
        inside = f"[{', '.join(map(str, self.worst or ()))}]" if has_others else ""
        return f"{self.name}{inside}"

    @property
    def text(self) -> str:
        """One line on it: right, or how wrong and where."""
        return self.summary("plain")

    def summary(self, hints: Hints) -> str:
        """Return one line on it that says no more than the hints allow."""
        if self.ok:
            return f"right{f' ({self.remark})' if self.remark else ''}"
        if self.is_open:
            return self.remark
        if hints not in _SHOWS_GIVEN:
            return "wrong"
        if self.worst is None or self.given is None:
            return f"wrong: {self.remark}"
        given, expected = both_in_digits(self.given[self.worst], self.expected[self.worst])
        if hints not in _SHOWS_EXPECTED:
            if np.size(self.expected) == 1:
                return f"wrong: {self.place} is {given}"
            return f"wrong, farthest off {self.place}, which is {given}"
        text = f"wrong: {self.place} is {given}, expected {expected}"
        if not np.isfinite(self.error):
            return text
        return f"{text}{self._error_in_words()}"

    def _error_in_words(self) -> str:
        """Say how large the error is, relative to the entry itself or to the largest one."""
        assert self.given is not None
        given, expected = (float(each[self.worst]) for each in (self.given, self.expected))
        largest, off = float(np.abs(self.expected).max()), abs(given - expected)
        if not largest:
            return ""
        is_of_largest = math.isclose(off, self.error * largest, rel_tol=1e-6)
        if not expected or (is_of_largest and abs(expected) < largest):
            return f" (error {off / largest:.2g} of the largest entry)"
        return f" (relative error {off / abs(expected):.2g})"


_NOT_STORED = ("given", "expected", "of", "elsewhere")


@dataclass(frozen=True)
class Finding(Suggesting):
    """A mistake that explains what is wrong.

    Attributes
    ----------
    mistake
        Its id in the catalogue of mistakes.
    parameter
        The first gradient that it spoils, in the order of the backward pass.
    rank
        1 is best; findings that explain equally well share a rank.
    message
        As much as the hints allow to say, always with the parameter's name.
    layers
        The layers, 1 to K, at which it is made; empty where it belongs to none.
    line
        The line of the student's file or cell that is wrong, from 1; None where none is known.
    source
        The expression there; it knows its place and the text around it.
    quantity
        What it should be, such as ``"∂L/∂z1"``, if that has a name.
    repair
        What to write instead, in words, where that was found.
    proved
        Whether every gradient comes out right with the right quantity there.
    given, expected
        What the expression gives, and what it should give, as arrays.
    of
        The name of what has these values, where the expression, such as a mask, has none.
    elsewhere
        Whether these values are those of another batch than what is said of the gradients.
    number
        Which mistake it is where several were made at once, from 1.  Findings of one number
        are alternatives: each explains that mistake.
    """

    mistake: str
    parameter: str
    rank: int
    message: str
    layers: tuple[int, ...] = ()
    line: int | None = None
    source: str = ""
    quantity: str = ""
    repair: str = ""
    proved: bool = False
    given: Array | None = field(default=None, repr=False, compare=False)
    expected: Array | None = field(default=None, repr=False, compare=False)
    of: str = field(default="", repr=False, compare=False)
    elsewhere: bool = field(default=False, repr=False, compare=False)
    number: int = 1

    @property
    def place(self) -> Source | None:
        """The expression, if the text that it stands in is known."""
        return self.source if is_placed(self.source) else None

    @property
    def worst(self) -> tuple[int, ...] | None:
        """The index at which the two values differ most; None where they cannot be compared."""
        given, expected = self.given, self.expected
        if not (are_numbers(given) and are_numbers(expected)) or given.shape != expected.shape:
            return None
        with np.errstate(invalid="ignore", over="ignore"):
            away = np.abs(np.subtract(given, expected, dtype=np.float64))
        at = np.unravel_index(np.argmax(np.nan_to_num(away, nan=np.inf)), given.shape)
        return tuple(map(int, at))

    @property
    def difference(self) -> str:
        """What the expression gives and should give where that differs most, in a sentence."""
        given, expected, worst = self.given, self.expected, self.worst
        if self.line is None or not (are_numbers(given) and are_numbers(expected)):
            return ""
        if given.shape != expected.shape:
            return self._should_give(f"shape {given.shape}", f"{expected.shape}")
        assert worst is not None
        at = f" at [{', '.join(map(str, worst))}]" if worst else ""
        gives, should = both_in_digits(given[worst], expected[worst])
        if gives == should:  # it was right, and is changed in place later
            return ""
        return self._should_give(f"{gives}{at}", should)

    def _should_give(self, one: str, other: str) -> str:
        text = f"what is marked gives {one}, and should give {other}."
        if self.of:
            of = self.of if self.of[:4] == "what" else f"after line {self.line}, {self.of}"
            text = f"{of} has {one}, and should have {other}."
        text = f"on another batch than above, {text}" if self.elsewhere else text
        return text[0].upper() + text[1:]

    @property
    def at_line(self) -> tuple[str, ...]:
        """What there is to say on its line beside the message: what belongs there, and values."""
        return tuple(filter(None, (self.advice, self.difference)))

    @property
    def advice(self) -> str:
        """What should stand in its line, unless the message begins with that line."""
        if self.line is None or f"ine {self.line}, " in self.message[:20]:
            return ""
        if self.mistake == "raised_exception":  # and its message says where
            return ""
        marked = f"What is marked in line {self.line}"
        if not (self.quantity or self.repair):
            return f"{marked} is where it goes wrong first."
        seems, should = ("is", "should") if self.proved else ("seems to be", "should probably")
        parts = [f"{marked} {seems} wrong"]
        if self.quantity:
            what = f"In line {self.line}, {self.of}" if self.of else marked
            parts = [f"{what} {should} be {self.quantity}"]
        text = f"{'; '.join([*parts, *filter(None, [self.repair])])}."
        return f"{text} With it, every gradient is right." if self.proved else text

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it, without the arrays."""
        kept = (each.name for each in fields(self) if each.name not in _NOT_STORED)
        return {name: getattr(self, name) for name in kept} | {
            "layers": list(self.layers),
            "source": str(self.source),
        }


@dataclass(frozen=True, eq=False)
class Report(Suggesting):
    """The outcome of a check, for the student, the teacher and the machine that grades.

    Attributes
    ----------
    subject
        What was checked, in a few words.
    parameters
        One entry for each gradient that was asked for.
    findings
        What explains the errors, best first; empty if all is right.
    offences
        Findings that are not about values, such as inputs that were modified.
    notes
        What else deserves to be said.
    printed
        What was printed meanwhile.
    hints
        How much it gives away.  What was expected is shown with ``"plain"`` only, what
        was given with all but ``"none"``, and which gradients are wrong always.
    things
        What the parameters are: gradients, or answers.
    graph
        The gradient function as the tracer saw it, up to one of the wrong gradients, for
        :meth:`explore`; None where it could not be traced.
    """

    subject: str
    parameters: tuple[Checked, ...]
    findings: tuple[Finding, ...] = ()
    offences: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    printed: str = ""
    hints: Hints = "plain"
    things: str = "gradients"
    graph: Any = field(default=None, repr=False)

    @property
    def shows_given(self) -> bool:
        """Whether the given numbers may be shown."""
        return self.hints in _SHOWS_GIVEN

    @property
    def shows_expected(self) -> bool:
        """Whether the right numbers may be shown."""
        return self.hints in _SHOWS_EXPECTED

    @property
    def ok(self) -> bool:
        """Whether all is right."""
        return all(each.ok for each in self.parameters) and not self.offences

    @property
    def score(self) -> float:
        """The share that is right, from 0.0 to 1.0: one point a parameter, one lost an offence.

        It is a plain ``float``, as a cell's last value must be for nbgrader's partial credit,
        and 1.0 exactly when :attr:`ok`.
        """
        right = sum(each.ok for each in self.parameters)
        return right / max(len(self.parameters) + len(self.offences), 1)

    def raise_if_wrong(self) -> None:
        """Do nothing if all is right.

        Raises
        ------
        WrongGradientError
            It says what this report says.
        """
        if not self.ok:
            raise WrongGradientError(str(self))

    def explore(self) -> Any:
        """Open the gradient function in the explorer, at the expression that is wrong.

        Raises
        ------
        UnsupportedError
            If there is nothing to open: all is right, or no function was given that can be
            traced.
        """
        return display.explore(self)

    def to_dict(self) -> dict[str, Any]:
        """Return what is needed to store or to collect reports, as JSON can hold it."""
        return {
            "subject": self.subject,
            "ok": self.ok,
            "score": self.score,
            "parameters": [
                {
                    "name": each.name,
                    "ok": each.ok,
                    "error": each.error if np.isfinite(each.error) else None,
                    "worst": None if each.worst is None else list(each.worst),
                    "remark": each.remark,
                }
                for each in self.parameters
            ],
            "findings": [each.to_dict() for each in (*self.findings, *self.offences)],
            "notes": list(self.notes),
        }

    def __getstate__(self) -> dict[str, Any]:
        # A graph stays in its process; all else of a report can be sent and stored.
        return self.__dict__ | {"graph": None}

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = display.mimebundle(self)
        return bundle

    def __repr__(self) -> str:
        right = sum(each.ok for each in self.parameters)
        return f"Report({self.subject}: {right} of {len(self.parameters)} right)"

    def __str__(self) -> str:
        lines = [display.folded([self.headline]), *self._table()]
        if self.messages:
            lines += ["", *(_wrapped(self.choice, "") if self.choice else ())]
        for message in self.messages:
            lines += _wrapped(message, "")
            said = [each for each in self.findings if each.message == message]
            lines += caret_lines([place for each in said if (place := each.place) is not None])
            at_line = dict.fromkeys(text for each in said for text in each.at_line)
            again = {each.difference for each in said if self.shown_in(each)}
            for text in [each for each in at_line if each not in again]:
                lines += _wrapped(text, "")
        lines += [line for note in self.notes for line in _wrapped(note, "Note: ")]
        if self.printed:
            lines += ["", "It printed:", textwrap.indent(beginning_of(self.printed), "  ")]
        return "\n".join(lines)

    def shown_in(self, finding: Finding) -> Checked | None:
        """Return the parameter with the numbers of a finding's expression; None if none has."""
        given = finding.given
        if not self.shows_given or not are_numbers(given):
            return None
        for each in self.parameters:
            if not each.ok and are_numbers(each.given) and np.array_equal(each.given, given):
                return each
        return None

    @property
    def is_open(self) -> bool:
        """Whether nothing has been written yet, so that there is nothing to be judged."""
        return bool(self.parameters) and all(each.is_open for each in self.parameters)

    @property
    def headline(self) -> str:
        """How much is right, in one line."""
        if self.is_open:
            return f"{self.subject}: {self.parameters[0].remark}."
        right, count = sum(each.ok for each in self.parameters), len(self.parameters)
        if self.ok:
            what = f", all {count} {self.things}" if count > 1 else ""
            return f"{self.subject}: right{what}."
        more = ", but something else is wrong" if right == count else ""
        return f"{self.subject}: {right} of {count} {self.things} right{more}."

    @property
    def messages(self) -> tuple[str, ...]:
        """What the findings and offences say; what several say alike stands there once."""
        return tuple(dict.fromkeys(each.message for each in (*self.findings, *self.offences)))

    @property
    def choice(self) -> str:
        """How the lines of several findings belong together, in a sentence; empty for one."""
        lines = [each for each in self.findings if each.line is not None]
        best = [each for each in lines if each.rank == lines[0].rank]
        if len(best) < 2:
            return ""
        numbers = sorted({each.number for each in best})
        places = [
            list(dict.fromkeys(f"line {each.line}" for each in best if each.number == number))
            for number in numbers
        ]
        taken = {each[0] for each in places if len(each) == 1}  # by another mistake
        places = [[at for at in each if at not in taken] or each for each in places]
        if len(places) > 1:
            what = ", and ".join(f"one in {_either(each)}" for each in places)
            if all(each == places[0] for each in places):
                what = f"both in {_either(places[0])}"
            return f"There seem to be {len(places)} mistakes: {what}."
        if len(places[0]) < 2:
            return ""
        return f"As far as this can be told, the mistake is in {_either(places[0])}."

    def _table(self) -> list[str]:
        if self.is_open:
            return []
        width = max((len(each.name) for each in self.parameters), default=0)
        rows = [f"  {each.name:<{width}}  {each.summary(self.hints)}" for each in self.parameters]
        return [display.folded([row], " " * (width + 4)) for row in rows]


def _either(places: Sequence[str]) -> str:
    """Return alternatives in words."""
    return f"either {' or '.join(places)}" if len(places) > 1 else places[0]


def _wrapped(text: str, prefix: str) -> list[str]:
    return textwrap.wrap(f"{prefix}{text}", _WIDTH, break_long_words=False) or [""]


def beginning_of(text: str) -> str:
    """Return the beginning of a long text, and how much more there is."""
    if len(text) <= _MAX_PRINTED:
        return text.rstrip("\n")
    return f"{text[:_MAX_PRINTED]}\n… {len(text) - _MAX_PRINTED} more characters"

"""Every error and warning of the package.

An error says what happened, what was given, what was expected, what to write
instead and where, each on a line of its own, so that a learner can find the
part they need.  All errors derive from :class:`BackpropError` *and* from the
built-in that fits, so ``except ValueError`` keeps working.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from types import FrameType, TracebackType

_listening = threading.local()


@contextlib.contextmanager
def noticed() -> Iterator[list[BackpropError]]:
    """Give a list of the errors that the package has raised in this thread, those caught too.

    >>> with noticed() as raised, contextlib.suppress(ShapeError):
    ...     raise ShapeError("x does not fit.")
    >>> raised
    [ShapeError('x does not fit.')]
    """
    outer, heard = getattr(_listening, "heard", None), list[BackpropError]()
    _listening.heard = heard
    try:
        yield heard
    finally:
        _listening.heard = outer
        if outer is not None:
            outer += heard
        if sys.exc_info()[0] is not None:  # what went wrong would hold its frames, and they it
            heard.clear()


class BackpropError(Exception):
    """The base of every error this package raises on purpose.

    Parameters
    ----------
    problem
        One sentence: what went wrong.
    given, expected, instead, at
        What was given, what was expected, what to write instead, and the
        learner's own line.  Each is optional and prints on its own line.

    Examples
    --------
    >>> print(BackpropError("x does not fit.", given="shape (3,)", expected="shape (4,)"))
    x does not fit.
      given:    shape (3,)
      expected: shape (4,)
    """

    def __init__(
        self,
        problem: str,
        *,
        given: str | None = None,
        expected: str | None = None,
        instead: str | None = None,
        at: str | None = None,
    ) -> None:
        self.problem = problem
        self.given = given
        self.expected = expected
        self.instead = instead
        self.at = at
        super().__init__(problem)
        heard = getattr(_listening, "heard", None)
        if heard is not None:
            heard.append(self)

    def __str__(self) -> str:
        parts = [(key, getattr(self, key)) for key in ("given", "expected", "instead", "at")]
        lines = [f"  {key + ':':<9} {text}" for key, text in parts if text]
        return "\n".join([self.problem, *lines])

    def _render_traceback_(self) -> list[str]:
        return rendered(self)

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and an
        # error must be able to leave the process it was raised in.
        return (_rebuild, (type(self), self.problem, self.__dict__.copy()))


def _rebuild(kind: type[BackpropError], problem: str, state: dict[str, str]) -> BackpropError:
    error = kind(problem)
    error.__dict__.update(state)
    return error


class UnsupportedError(BackpropError, TypeError):
    """A function, a call form or a type that the package does not handle."""


class DetachedError(BackpropError, TypeError):
    """A traced value would leave the computation graph (``float(x)``, ``np.asarray(x)``)."""


class InPlaceError(BackpropError, TypeError):
    """A traced value would be changed in place (``x[0] = 1``, ``out=x``)."""


class ShapeError(BackpropError, ValueError):
    """Shapes that do not fit together."""


class InvalidValueError(BackpropError, ValueError):
    """A value outside of what is allowed: an empty batch, an unknown option, NaN."""


class NotFoundError(BackpropError, LookupError):
    """A name or an index that does not exist."""


class DivergenceError(BackpropError, ArithmeticError):
    """Training that has stopped making sense: NaN, infinity, or no gradient left.

    Attributes
    ----------
    history
        What training had recorded until then.
    """

    history: object = None


class WrongGradientError(BackpropError, AssertionError):
    """A gradient that a check has found wrong; ``report.raise_if_wrong()`` raises it."""


class EndedError(BackpropError, RuntimeError):
    """Code that ran in a process of its own did not come to an end, or ended its process."""


class BackpropWarning(UserWarning):
    """Something that is allowed and probably not meant."""


def must_be(expected: str, name: str, value: object, **more: str) -> InvalidValueError:
    """Return the error for an argument that is outside of what is allowed.

    >>> print(must_be("a positive number", "scale", -1))
    `scale` must be a positive number.
      given:    scale = -1
    """
    return InvalidValueError(f"`{name}` must be {expected}.", given=f"{name} = {value!r}", **more)


def either(values: Iterable[str]) -> str:
    """Return texts as a choice, in words.

    >>> print(either(["single", "rows", "columns"]))
    "single", "rows" or "columns"
    """
    return in_words([f'"{value}"' for value in values], "or")


def in_words(names: Sequence[str], last: str = "and") -> str:
    """Return names as a list in words.

    >>> in_words(["A", "b", "x"]), in_words(["A"])
    ('A, b and x', 'A')
    """
    *others, final = names
    return f"{', '.join(others)} {last} {final}" if others else final


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "point"), counted(6000, "point")
    ('1 point', '6,000 points')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


_STANDARD = os.__file__.rpartition(os.sep)[0] + os.sep
_PACKAGES = tuple(f"{os.sep}{name}{os.sep}" for name in ("site-packages", "dist-packages"))


def is_installed(filename: str) -> bool:
    """Whether a file is one of Python's modules, or of a library that is installed."""
    return filename.startswith(_STANDARD) or any(folder in filename for folder in _PACKAGES)


def learners_lines(error: BaseException) -> TracebackType | None:
    """Return the way of an error through the learner's lines alone; None if it met none."""
    passed, link = list[TracebackType](), error.__traceback__
    while link is not None:
        if not (is_own(link.tb_frame) or is_installed(link.tb_frame.f_code.co_filename)):
            passed.append(link)
        link = link.tb_next
    short: TracebackType | None = None
    for each in reversed(passed):
        short = TracebackType(short, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return short


def rendered(error: BaseException | None = None) -> list[str]:
    """Return what IPython shows, which asks an error for it: the learner's lines alone.

    Without an error it is the one that is handled; to hold it here would keep both alive.
    """
    shown = error or sys.exc_info()[1] or sys.last_value
    assert shown is not None
    shell = sys.modules["IPython"].get_ipython()
    lines: list[str] = shell.InteractiveTB.structured_traceback(
        type(shown), shown, learners_lines(shown) or shown.__traceback__, tb_offset=0
    )
    return lines


PACKAGE = __file__.removesuffix("errors.py")
"""The folder of this package's own code, with the separator: not one that begins alike."""
_NAME = __name__.partition(".")[0]


def is_own(frame: FrameType) -> bool:
    """Whether a frame is of this package's own code."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == _NAME


def warn(text: str) -> None:
    """Warn at the user's own line: the nearest one outside of this package and of libraries.

    Where all code is installed, it is the nearest that is not this package's.
    """
    outside, level, frame = list[int](), 1, sys._getframe(0)
    while frame.f_back:
        level, frame = level + 1, frame.f_back
        if not is_own(frame):
            outside.append(level)
            if not is_installed(frame.f_code.co_filename):
                break
    else:
        level = (outside or [level])[0]
    warnings.warn(BackpropWarning(text), stacklevel=level)

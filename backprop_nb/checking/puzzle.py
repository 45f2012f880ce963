"""A broken backward pass to be found out: a small network, its data, and what can be seen.

All widths and the number of samples are equal, so that no mistake is betrayed by
a shape: every one of them runs, and has to be found by its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from backprop_nb.checking.differences import central_differences
from backprop_nb.checking.mistake import Mistake
from backprop_nb.checking.mistakes import MISTAKES, find, make_backward
from backprop_nb.checking.reference import Gradients, ReferencePass, Situation
from backprop_nb.errors import InvalidValueError, must_be
from backprop_nb.network.passes import forward_pass, squared_error
from backprop_nb.network.validation import FloatArray

WIDTHS = (3, 3, 3, 3)
N = 3
LEARNING_RATE = 4.0
EPOCHS = 60
CHOICES = 6

_SITUATION = Situation(WIDTHS, N)
_SCALE = 1.5
_LEARNED = 0.3
"""The right pass must bring the loss below this share of where it starts."""
_MAX_ATTEMPTS = 200

PLAYABLE: tuple[Mistake, ...] = tuple(
    each for each in MISTAKES if each.in_game and each.applies(_SITUATION)
)
"""The mistakes that can be made in a puzzle."""


def checked_mistakes(mistakes: Sequence[str] | None) -> tuple[Mistake, ...]:
    """Return the mistakes with these ids, all that can be played without any.

    Raises
    ------
    NotFoundError
        A mistake is not in the catalogue.
    InvalidValueError
        None are named, or one of them cannot be made here.
    """
    if mistakes is None:
        return PLAYABLE
    named = tuple(find(each) for each in mistakes)
    if not named:
        raise must_be("None, or name at least one", "mistakes", [])
    for mistake in named:
        if mistake not in PLAYABLE:
            needs = (each.words for each in mistake.needs if not each.holds(_SITUATION))
            raise InvalidValueError(
                f"`mistakes` names {mistake.id!r}, which cannot be made in this game.",
                given=str(_SITUATION),
                expected="; ".join(needs) or "one of those that the game has",
            )
    return named


# --- what a pass does in training -------------------------------------------


@dataclass(frozen=True)
class TrainingLog:
    """The course of gradient descent with a pass."""

    loss: list[float]
    """Before each epoch, and after the last; shorter if the parameters stop being finite."""
    norms: list[list[float]]
    """For each of them and each layer ‖∂L/∂θ_i‖, as the pass gives it."""


def train(backward: ReferencePass, data: Problem) -> TrainingLog:
    """Return the course of gradient descent with a pass, from the start of a problem."""
    A, b, x = [a.copy() for a in data.A], [c.copy() for c in data.b], data.x.copy()
    log = TrainingLog([], [])
    # A mistake may blow up, and that is to be seen, not to be warned of.
    with np.errstate(all="ignore"):
        while len(log.loss) <= EPOCHS and _finite(A, b):
            log.loss.append(squared_error(data.y, forward_pass(A, b, data.x).f[-1]))
            dA, db = backward(A, b, x, data.y)
            log.norms.append([_norm(*pair) for pair in zip(dA, db, strict=True)])
            A = [a - LEARNING_RATE * g for a, g in zip(A, dA, strict=True)]
            b = [c - LEARNING_RATE * g for c, g in zip(b, db, strict=True)]
    return log


def _finite(A: list[FloatArray], b: list[FloatArray]) -> bool:
    return all(bool(np.isfinite(each).all()) for each in A + b)


def _norm(*arrays: FloatArray) -> float:
    return float(np.sqrt(sum(float(np.sum(each**2)) for each in arrays)))


# --- a network with data ----------------------------------------------------


@dataclass(frozen=True, eq=False)
class Problem:
    """Parameters and data: ``x`` and ``y`` have one sample per row."""

    A: list[FloatArray]
    b: list[FloatArray]
    x: FloatArray
    y: FloatArray

    @classmethod
    def drawn(cls, *seed: int) -> Problem:
        """Return the first problem that the right pass can solve."""
        for attempt in range(_MAX_ATTEMPTS):
            random = np.random.default_rng([*seed, attempt])
            problem = cls(
                [random.normal(scale=_SCALE, size=(n, m)) for m, n in pairwise(WIDTHS)],
                [random.normal(scale=0.5, size=n) for n in WIDTHS[1:]],
                random.normal(size=(N, WIDTHS[0])),
                np.where(np.eye(N) > 0, 0.9, 0.1)[random.permutation(N)],
            )
            loss = train(make_backward(), problem).loss
            if loss[-1] < _LEARNED * loss[0]:
                break
        return problem

    def measured(self) -> Gradients:
        """Return the gradient by central differences: the loss decides, and nothing of a pass."""

        def loss(A: list[FloatArray], b: list[FloatArray]) -> float:
            return squared_error(self.y, forward_pass(A, b, self.x).f[-1])

        dA, db = central_differences(loss, self.A, self.b)
        return dA, db


# --- how two gradients compare ----------------------------------------------


def factor_between(given: FloatArray, right: FloatArray) -> float | None:
    """Return how many times the right array another one is, as far as measuring can tell.

    It is 1.0 if they are equal, and None if no factor makes them equal.

    Examples
    --------
    >>> factor_between(np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    0.5
    >>> factor_between(np.array([2.0, 1.0]), np.array([2.0, 4.0])) is None
    True
    """
    size, rtol = float(np.linalg.norm(right)), 1e-4
    if np.linalg.norm(given - right) <= rtol * size:
        return 1.0
    factor = float(np.sum(given * right)) / size**2 if size else 0.0
    fits = np.linalg.norm(given - factor * right) <= rtol * np.linalg.norm(given)
    # What measuring has as noise is cut off.
    return float(f"{factor:.4g}") if fits else None


@dataclass(frozen=True)
class Contrast:
    """Where the gradients of two mistakes differ."""

    name: str
    """The array, as "A_2"."""
    chosen: float | None
    given: float | None
    """So many times the measured one it is with the one mistake, and with the other."""
    entry: tuple[tuple[int, ...], float, float] | None = None
    """Where the factors say nothing: the index of an entry and its two values."""


# --- the puzzle -------------------------------------------------------------


class Puzzle:
    """A problem and a broken pass.

    Examples
    --------
    >>> puzzle = Puzzle(find("sign_flipped"), Problem.drawn(0))
    >>> set(puzzle.factors().values())
    {-1.0}
    """

    def __init__(self, mistake: Mistake, problem: Problem) -> None:
        self.mistake, self.problem = mistake, problem

    def broken(self, mistake: Mistake | None = None) -> ReferencePass:
        """Return a new pass with the mistake, or with another one."""
        return make_backward((mistake or self.mistake).id, learning_rate=LEARNING_RATE)

    def gradient(self, mistake: Mistake | None = None) -> Gradients:
        """Return what the first call of the broken pass gives."""
        data = self.problem
        return self.broken(mistake)(data.A, data.b, data.x.copy(), data.y)

    @cached_property
    def measured(self) -> Gradients:
        """The gradient by central differences."""
        return self.problem.measured()

    @cached_property
    def runs(self) -> tuple[TrainingLog, TrainingLog]:
        """The training with the broken pass, and with the right one."""
        right = make_backward(learning_rate=LEARNING_RATE)
        return train(self.broken(), self.problem), train(right, self.problem)

    def factors(self, mistake: Mistake | None = None) -> dict[str, float | None]:
        """Return by each array's name how many times the measured one it is, last layer first."""
        given = self.gradient(mistake)
        return {
            f"{name}_{i}": factor_between(given[k][i], self.measured[k][i])
            for i in reversed(range(len(WIDTHS) - 1))
            for k, name in enumerate("Ab")
        }

    def contrast(self, chosen: Mistake) -> Contrast:
        """Return what tells a mistake that was named from the one that is there."""
        ours = self.factors()
        for name, theirs in self.factors(chosen).items():
            if not _alike(theirs, ours[name]):
                return Contrast(name, theirs, ours[name])
        return self._contrast_of_entries(chosen)

    def _contrast_of_entries(self, chosen: Mistake) -> Contrast:
        pairs = [
            (f"{name}_{i}", theirs, ours)
            for name, *both in zip("Ab", self.gradient(chosen), self.gradient(), strict=True)
            for i, (theirs, ours) in enumerate(zip(*both, strict=True))
        ]
        name, theirs, ours = max(pairs, key=lambda pair: float(np.abs(pair[1] - pair[2]).max()))
        index = tuple(map(int, np.unravel_index(np.argmax(np.abs(theirs - ours)), ours.shape)))
        return Contrast(name, None, None, (index, float(theirs[index]), float(ours[index])))


def _alike(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return bool(np.isclose(first, second, rtol=1e-3))


def make_puzzle(seed: int, number: int, mistakes: Sequence[Mistake] = PLAYABLE) -> Puzzle:
    """Return the puzzle of a round; the rounds go through the mistakes in an order of their own.

    Rounds count from 1, and each of the mistakes comes once before any comes again.

    Examples
    --------
    >>> len({make_puzzle(0, number).mistake.id for number in range(1, 6)})
    5
    """
    lap, place = divmod(number - 1, len(mistakes))
    order = np.random.default_rng([seed, lap]).permutation(len(mistakes))
    return Puzzle(mistakes[int(order[place])], Problem.drawn(seed, number))


def choices(puzzle: Puzzle, seed: int, number: int, count: int = CHOICES) -> list[Mistake]:
    """Return mistakes to choose from, that of the puzzle among them, in catalogue order.

    Those that go wrong in the same places come first: they are the plausible ones.
    """
    random = np.random.default_rng([seed, number, count])
    own = [factor == 1.0 for factor in puzzle.factors().values()]

    def distance(mistake: Mistake) -> float:
        other = [factor == 1.0 for factor in puzzle.factors(mistake).values()]
        return sum(a != b for a, b in zip(own, other, strict=True)) + 2 * float(random.uniform())

    others = sorted((each for each in PLAYABLE if each is not puzzle.mistake), key=distance)
    offered = {each.id for each in others[: count - 1]} | {puzzle.mistake.id}
    return [each for each in PLAYABLE if each.id in offered]

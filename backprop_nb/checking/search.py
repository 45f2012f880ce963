"""The search through the catalogue for what explains the gradients of a submission.

Every mistake of the catalogue, and every pair of them, is itself a backward pass.
The one whose gradients a submission reproduces, to the last digits and on
networks that have nothing to do with each other, is what the submission does.

A mistake may be made at some layers and not at others.  There are too many ways to
do so to try them all, and no need: the gradients of a layer depend on the layers
above it only.  So the layers are gone through from the last to the first, and at
each it shows whether the mistake is made there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from itertools import chain, combinations, islice
from typing import TypeAlias

from backprop_nb.checking.compare import agrees, is_empty, same_numbers
from backprop_nb.checking.convention import Course
from backprop_nb.checking.mistake import Mistake, PlacedMistake
from backprop_nb.checking.mistakes import MISTAKES
from backprop_nb.checking.probes import gradient_names, make_probes
from backprop_nb.checking.reference import LEARNING_RATE
from backprop_nb.checking.returned import Answer
from backprop_nb.checking.staged import Cuts, Key, NamedGradients, staged_passes

Explanation: TypeAlias = tuple[PlacedMistake, ...]
"""Mistakes that are made together."""


# --- what the catalogue gives -----------------------------------------------


def gradients_of(
    course: Course, k: int, placed: Explanation = (), learning_rate: float = LEARNING_RATE
) -> NamedGradients:
    """Return the gradients that a pass with some mistakes gives on one probe of a course.

    They are empty where one of the mistakes cannot be made.
    """
    return staged_passes(course, k).gradients(placed, learning_rate)


@cache
def whole_mistakes(course: Course) -> tuple[Mistake, ...]:
    """Return the mistakes that can be made in a course, and change something on a first call."""
    return tuple(each for each in MISTAKES if _changes(course, (PlacedMistake(each),)))


@cache
def local_mistakes(course: Course) -> tuple[Mistake, ...]:
    """Return the mistakes that can be made at some of their layers only.

    A mistake that is two others made together is not among them, as they are.
    """
    whole = whole_mistakes(course)
    code = {each: each.code(course) for each in whole}
    sums = [
        {**code[one], **code[two]} for one, two in combinations(whole, 2) if one.combines_with(two)
    ]
    some = (each for each in whole if len(each.layers(course.layers, course)) > 1)
    return tuple(each for each in some if code[each] not in sums and not each.only_everywhere)


@cache
def mistake_pairs(course: Course) -> tuple[Explanation, ...]:
    """Return the pairs that combine; a few of them cancel, and explain nothing that is wrong."""
    pairs = combinations(whole_mistakes(course), 2)
    placed = ((PlacedMistake(one), PlacedMistake(two)) for one, two in pairs)
    return tuple(pair for pair in placed if not pair[0].meets(pair[1]))


def _changes(course: Course, placed: Explanation) -> bool:
    """Whether a pass with these mistakes is wrong anywhere."""
    return any(
        not agrees(wrong, gradients_of(course, k)[name])
        for k in range(len(make_probes(course)))
        for name, wrong in gradients_of(course, k, placed).items()
    )


def is_right(course: Course, k: int, answer: Answer) -> bool:
    """Whether all gradients that were given on one probe are right."""
    right, given = gradients_of(course, k), answer.gradients
    names = gradient_names(course.layers, course.has_bias)
    return all(name in given and agrees(given[name], right[name]) for name in names)


def backward_order(names: Sequence[str]) -> list[str]:
    """Return the names dA[0], db[0], dA[1], … as dA[K−1], db[K−1], dA[K−2], … instead.

    >>> backward_order(["dA[0]", "db[0]", "dA[1]", "db[1]"])
    ['dA[1]', 'db[1]', 'dA[0]', 'db[0]']
    """
    return sorted(names, key=lambda name: -int(name[3:-1]))


# --- what a submission gives ------------------------------------------------


class Search:
    """Looks for the mistakes that explain the answers of a submission.

    Its attributes are ``right``, for each probe the right gradients, and ``there``, for each
    answer the gradients that are there, and not zero where they should not be.
    """

    def __init__(self, course: Course, answers: Sequence[Answer]) -> None:
        self.course, self.answers = course, answers
        self.names = gradient_names(course.layers, course.has_bias)
        self.right = [gradients_of(course, k) for k in range(len(make_probes(course)))]
        self.there = [
            {name: g for name, g in answer.gradients.items() if not is_empty(g, right[name])}
            for answer, right in zip(answers, self.right, strict=False)
        ]
        # With equal widths every mistake can be made, and shows in the values.
        probes = make_probes(course)
        self._order = sorted(range(len(self.answers)), key=lambda k: len(set(probes[k].widths)))
        first = self._order[0]
        self._quick = len(set(probes[first].widths)) == 1 and not answers[first].failure
        self._fitting: dict[tuple[int, int, Key], bool] = {}
        self._local = frozenset(local_mistakes(course))
        self._passes = [staged_passes(course, k) for k in range(len(probes))]

    def explanations(self) -> list[Explanation]:
        """Return the mistakes that explain everything, in as few words as possible.

        That is one mistake before two, and at all of its layers before some of them.
        """
        if all(self._agree(k, self.right[k]) for k in range(len(self.answers))):
            return []  # what is missing, and nothing else, is no mistake in the values
        for candidates in (
            self._singles,
            self._singles_at_some,
            self._pairs,
            self._pairs_at_some,
        ):
            told = (each for each in candidates() if not self._blames_right(each))
            found = [each for each in told if self._explains(each)]
            if found:
                # A gradient that is zero may have been forgotten; or a mistake made it so.
                return [each for each in found if self._explains_zeros(each)] or found
        return []

    def first_spoiled(self, placed: PlacedMistake) -> str:
        """Return the first gradient, in the order of the backward pass, that a mistake changes."""
        for k, right in enumerate(self.right):
            wrong = gradients_of(self.course, k, (placed,))
            for name in backward_order(self.names):
                if wrong and not agrees(wrong[name], right[name]):
                    return name
        return backward_order(self.names)[0]

    def fits_as(self, other: Mapping[str, str]) -> bool:
        """Whether the gradients would be right by other names."""
        return all(
            name in there and agrees(there[name], right[other[name]])
            for there, right in zip(self.there, self.right, strict=False)
            for name in self.names
        )

    # -- candidates ----------------------------------------------------------

    def _singles(self) -> Iterable[Explanation]:
        return ((PlacedMistake(each),) for each in whole_mistakes(self.course))

    def _singles_at_some(self) -> Iterable[Explanation]:
        return self._best_places((each,) for each in local_mistakes(self.course))

    def _pairs(self) -> Iterable[Explanation]:
        return mistake_pairs(self.course)

    def _pairs_at_some(self) -> Iterable[Explanation]:
        local = [each for each in whole_mistakes(self.course) if each in self._local]
        others = [each for each in whole_mistakes(self.course) if each not in self._local]
        mixed = ((one, two) for one in local for two in others if one.combines_with(two))
        return self._best_places(chain(combinations(local, 2), mixed))

    def _best_places(self, groups: Iterable[tuple[Mistake, ...]]) -> Iterator[Explanation]:
        """Yield mistakes with the first choice of their layers that explains everything, if any."""
        for mistakes in groups:
            yield from islice(filter(self._explains, self._places(mistakes)), 1)

    def _places(self, mistakes: Sequence[Mistake]) -> Iterator[Explanation]:
        """Yield at which layers mistakes must be made to give what was given on one probe.

        Those that have one place only are made there.
        """
        k = next((k for k in self._order if not self.answers[k].failure), None)
        if k is None:
            return
        local = [each for each in mistakes if each in self._local]
        fixed = tuple(PlacedMistake(each) for each in mistakes if each not in local)
        yield from self._places_from(self.course.layers, fixed, dict.fromkeys(local, ()), k)

    def _places_from(
        self, layer: int, fixed: Explanation, made: dict[Mistake, tuple[int, ...]], k: int
    ) -> Iterator[Explanation]:
        """Go on from a layer down, with the layers above it where ``made`` says."""
        if layer == 0:
            if all(made.values()):
                yield fixed + _placed(made)
            return
        here = [each for each in made if layer in each.layers(self.course.layers, self.course)]
        for some in chain.from_iterable(combinations(here, n) for n in range(len(here) + 1)):
            if len(some) == 2 and not some[0].combines_with(some[1]):
                continue
            now = {each: (layer, *at) if each in some else at for each, at in made.items()}
            if self._fits_at(layer, fixed + _placed(now), k):
                yield from self._places_from(layer - 1, fixed, now, k)

    # -- comparing -----------------------------------------------------------

    def _fits_at(self, layer: int, placed: Explanation, k: int) -> bool:
        """Whether the gradients of a layer are on a probe what these mistakes make them."""
        passes = self._passes[k]
        if not passes.can_make(placed):
            return False
        return self._agrees_at(k, layer, passes.wrong(placed, self._learning_rate(placed)))

    def _agrees_at(self, k: int, layer: int, wrong: Sequence[Cuts]) -> bool:
        """Whether a pass with some wrong code gives what was given at a layer."""
        passes = self._passes[k]
        key = k, layer, passes.key(passes.cut(layer), wrong)
        if key not in self._fitting:
            expected = passes.layer_gradients(layer, wrong)
            self._fitting[key] = bool(expected) and self._agree(k, expected)
        return self._fitting[key]

    def _explains(self, placed: Explanation) -> bool:
        """Whether a submission does what a pass with these mistakes does, wherever that can be."""
        if self._quick and not self._can_explain(placed):
            return False
        rate = self._learning_rate(placed)
        seen = False
        for k in self._order:
            answer = self.answers[k]
            expected = gradients_of(self.course, k, placed, rate)
            if not expected:  # it cannot be made here, so the submission must not be right either
                if not answer.failure and is_right(self.course, k, answer):
                    return False
            elif answer.failure or not self._fits_on(k, expected):
                return False
            else:
                seen = True
        return seen

    def _can_explain(self, placed: Explanation) -> bool:
        """Whether mistakes give what was given on one network, as far as the last layer goes.

        What can be made on equal widths cannot fail there, so nothing else is left to be seen.
        """
        if any(each.mistake.has_learning_rate for each in placed):
            return True
        passes = self._passes[self._order[0]]
        if not passes.can_make(placed):
            return True
        wrong = passes.wrong(placed)
        return all(
            self._agrees_at(self._order[0], layer, wrong)
            for layer in reversed(range(1, self.course.layers + 1))
        )

    def _blames_right(self, placed: Explanation) -> bool:
        """Whether one of some mistakes spoils what is right, and another one makes up for it."""
        return len(placed) > 1 and any(
            not agrees(wrong[name], self.right[k][name])
            for k in range(len(self.answers) if self._right_names else 0)
            for each in placed
            if (wrong := gradients_of(self.course, k, (each,)))
            for name in self._right_names
        )

    @cached_property
    def _right_names(self) -> list[str]:
        """The gradients that are right on every network."""
        pairs = list(zip(self.there, self.right, strict=False))
        return [
            name
            for name in self.names
            if all(name in there and agrees(there[name], right[name]) for there, right in pairs)
        ]

    def _explains_zeros(self, placed: Explanation) -> bool:
        """Whether what is zero, and should not be, is zero with these mistakes, too."""
        rate = self._learning_rate(placed)
        return all(
            answer.failure or self._same_zeros(k, gradients_of(self.course, k, placed, rate))
            for k, answer in enumerate(self.answers)
        )

    def _fits_on(self, k: int, expected: NamedGradients) -> bool:
        """Whether what was given on a probe is what is expected; if all is zero, zeros are."""
        fits = self._agree if self.there[k] else self._same_zeros
        return fits(k, expected)

    def _same_zeros(self, k: int, expected: NamedGradients) -> bool:
        """Whether all that was given is what is expected, what is zero too."""
        given = self.answers[k].gradients
        return bool(given) and all(
            same_numbers(given[name], expected[name]) for name in expected if name in given
        )

    def _agree(self, k: int, expected: NamedGradients) -> bool:
        """Whether of the expected gradients those that are there are right."""
        there = self.there[k]
        return all(same_numbers(there[name], expected[name]) for name in expected if name in there)

    # -- an update that comes too early --------------------------------------

    def _learning_rate(self, placed: Explanation) -> float:
        """Return the step that a pass must have taken if it updates weights before their use."""
        for early in (each for each in placed if each.mistake.has_learning_rate):
            name = f"db[{early.made_at(self.course.layers, self.course)[-1] - 1}]"
            for k in range(len(self.there)):
                rate = self._fitted_rate(placed, k, name)
                if rate is not None:
                    return rate
        return LEARNING_RATE

    def _fitted_rate(self, placed: Explanation, k: int, name: str) -> float | None:
        """Return the learning rate that explains the first gradient that an early update spoils.

        That is linear in the rate, so two rates tell all.
        """
        given = self.there[k].get(name)
        low, high = (gradients_of(self.course, k, placed, rate).get(name) for rate in (0.0, 1.0))
        if given is None or low is None or high is None or given.size != low.size:
            return None
        way = (high - low).ravel()
        rate = float((given.ravel() - low.ravel()) @ way / (way @ way)) if way.any() else 0.0
        # Rounded, as a learning rate is a round number; and what is none is refused later.
        return float(f"{rate:.6g}") if 1e-6 < abs(rate) < 1e3 else None


def _placed(made: Mapping[Mistake, tuple[int, ...]]) -> Explanation:
    return tuple(PlacedMistake(mistake, at) for mistake, at in made.items() if at)

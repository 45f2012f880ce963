"""A mistake: its words, and the steps of a backward pass that it replaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple, TypeAlias

from backprop_nb.checking.convention import DEFAULT, Convention
from backprop_nb.checking.reference import (
    STEP,
    STEPS,
    Condition,
    PassStep,
    Situation,
    right_code,
    schedule,
)
from backprop_nb.errors import in_words


class Right(NamedTuple):
    """The step of a right pass that a mistake replaces, for mistakes that depend on it."""

    convention: Convention
    step: str

    @property
    def code(self) -> str:
        """The right code."""
        return right_code(self.convention)[self.step]

    @property
    def activation(self) -> str:
        """The activation whose slope it is."""
        return self.convention.output if self.step == "output_slope" else self.convention.activation

    @property
    def has_slope(self) -> bool:
        """Whether a slope occurs there that depends on z."""
        keeps = self.convention.loss == "squared error" or self.step != "output_slope"
        return keeps and self.activation not in ("identity", "softmax")


Code: TypeAlias = str | Callable[[Right], str]
"""The code of a step, or how it is made from the right one."""


class Words(NamedTuple):
    """What is said of a mistake."""

    title: str
    explanation: str
    hints: tuple[str, ...] = ()
    at_one: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Mistake:
    """One mistake in a backward pass: an entry of the catalogue."""

    id: str
    title: str
    """Its name in sentences."""
    explanation: str
    """What goes wrong, and what is right."""
    hints: tuple[str, str, str]
    """From vague to plain."""
    steps: Mapping[str, Code]
    """By the name of each step that it replaces the wrong code."""
    equation: str = ""
    """The tag of the document's equation that it breaks."""
    needs: tuple[Condition, ...] = ()
    """Where it can be made, and be seen."""
    at_one: str = ""
    """Its title where it is made at some layers only, if another; "at layer 1" follows."""
    first_layer: int = 1
    """The first layer at which it makes a difference."""
    spared: int = 0
    """So many layers, counted from the last one, at which it makes none."""
    only_everywhere: bool = False
    """Whether at some of its layers only it would be another mistake."""
    ambiguous: bool = False
    """Whether who reads it in a listing could take it for others."""
    otherwise: Words | None = None
    """What is said of it where the network is not the document's, if something else; its hints
    only where others are needed."""
    in_game: bool = True
    """Whether the game and the exercises draw it; what they draw should stay the same."""

    @property
    def first(self) -> PassStep:
        """The first step of the pass that it makes wrong."""
        return next(step for step in STEPS if step.name in self.steps)

    @cached_property
    def has_learning_rate(self) -> bool:
        """Whether what it computes depends on a learning rate."""
        codes = (code for code in self.steps.values() if isinstance(code, str))
        return any("learning_rate" in code for code in codes)

    @cache  # noqa: B019 - a mistake lives as long as the catalogue
    def code(self, convention: Convention) -> Mapping[str, str]:
        """Return by the name of each step the wrong code, of those that a convention has.

        >>> from backprop_nb.checking.mistakes import find
        >>> find("sigma_prime_twice").code(Convention(activation="tanh"))["hidden_slope"]
        '(1 - f[i] ** 2) ** 2'
        """
        right = right_code(convention)
        return {
            name: code if isinstance(code, str) else code(Right(convention, name))
            for name, code in self.steps.items()
            if name in right
        }

    def words(self, convention: Convention) -> Words:
        """Return what is said of it in a course."""
        if self.otherwise is not None and not convention.plain:
            return self.otherwise._replace(hints=self.otherwise.hints or self.hints)
        return Words(self.title, self.explanation, self.hints, self.at_one)

    def first_in(self, convention: Convention) -> PassStep:
        """Return the first step that it makes wrong in a course."""
        wrong = self._wrong(convention)
        return next((step for step in STEPS if step.name in wrong), self.first)

    def _wrong(self, convention: Convention) -> tuple[str, ...]:
        """Return the names of the steps that it makes wrong in a course."""
        right = right_code(convention)
        return tuple(name for name, code in self.code(convention).items() if code != right[name])

    @cache  # noqa: B019 - a mistake lives as long as the catalogue
    def layers(self, K: int, convention: Convention = DEFAULT) -> tuple[int, ...]:
        """Return the layers, 1 to K, at which it is made; none if it belongs to no layer.

        >>> from backprop_nb.checking.mistakes import find
        >>> find("sigma_prime_missing_in_hidden").layers(3), find("sign_flipped").layers(3)
        ((1, 2), ())
        """
        # In a course in which it cannot be made it would be made where its steps are.
        wrong = self._wrong(convention) or tuple(self.steps)
        at = {step.layer(i) for step, i in schedule(K) if step.name in wrong}
        span = range(self.first_layer, K + 1 - self.spared)
        return tuple(layer for layer in span if layer in at)

    def title_at(self, layers: str, convention: Convention = DEFAULT) -> str:
        """Return its title where it is made at some layers only, which a text names."""
        words = self.words(convention)
        return f"{words.at_one or words.title} at {layers}"

    def applies(self, situation: Situation) -> bool:
        """Return whether it can be made and seen in a situation.

        >>> from backprop_nb.checking.mistakes import find
        >>> find("only_first_sample").applies(Situation(widths=(3, 3), N=1))
        False
        """
        return bool(self.code(situation.convention)) and all(
            condition.holds(situation) for condition in self.needs
        )

    def combines_with(self, other: Mistake) -> bool:
        """Return whether a pass can have both: no step may be replaced twice."""
        return self.steps.keys().isdisjoint(other.steps)

    def __repr__(self) -> str:
        return f"<Mistake {self.id}: {self.title}>"


@dataclass(frozen=True)
class PlacedMistake:
    """A mistake where it is made: at all its layers, or at some of them only.

    >>> from backprop_nb.checking.mistakes import find
    >>> placed = PlacedMistake(find("sigma_prime_missing_in_hidden"), (1,))
    >>> placed.title(3), placed.symbols(3)
    ('σ′ is missing at layer 1', 'σ′(z_1)')
    """

    mistake: Mistake
    layers: tuple[int, ...] | None = None
    """Of 1 to K; None for all that the mistake has."""

    def made_at(self, K: int, convention: Convention = DEFAULT) -> tuple[int, ...]:
        """Return the layers at which it is made."""
        return self.mistake.layers(K, convention) if self.layers is None else self.layers

    def is_whole(self, K: int, convention: Convention = DEFAULT) -> bool:
        """Return whether it is made wherever it can be."""
        return self.made_at(K, convention) == self.mistake.layers(K, convention)

    def title(self, K: int, convention: Convention = DEFAULT) -> str:
        """Return the mistake's title, with the layers if it is made at some only."""
        if self.is_whole(K, convention):
            return self.mistake.words(convention).title
        at = layers_in_words(self.made_at(K, convention))
        return self.mistake.title_at(at, convention)

    def symbols(self, K: int) -> str:
        """Return what is wrong first at each of its layers, as symbols."""
        return in_words([self._first(layer, K).symbol_at(layer) for layer in self.made_at(K)])

    def _first(self, layer: int, K: int) -> PassStep:
        return next(
            step
            for step, i in schedule(K)
            if step.name in self.mistake.steps and step.layer(i) == layer
        )

    def meets(self, other: PlacedMistake) -> bool:
        """Return whether both replace one step at one layer."""
        if self.mistake.combines_with(other.mistake):
            return False
        if self.layers is None or other.layers is None:
            return True
        return not set(self.layers).isdisjoint(other.layers)

    def replace_in(self, code: dict[str, str], convention: Convention) -> None:
        """Replace the code of its steps, at its layers."""
        for name, wrong in self.mistake.code(convention).items():
            if self.layers is not None:
                at = tuple(STEP[name].index(layer) for layer in self.layers)
                wrong = f"({wrong}) if i in {at} else ({code[name]})"
            code[name] = wrong

    @property
    def needs(self) -> tuple[Condition, ...]:
        """Where it can be made, and be seen."""
        if self.layers is None:
            return self.mistake.needs
        there = Condition(
            f"{layers_in_words(self.layers)} among those where it can be made",
            lambda s: set(self.layers or ()) <= set(self.mistake.layers(s.K, s.convention)),
        )
        return (*self.mistake.needs, there)


def layers_in_words(layers: Sequence[int]) -> str:
    """Return layers in words.

    >>> layers_in_words([1]), layers_in_words([1, 2, 3])
    ('layer 1', 'layers 1, 2 and 3')
    """
    return f"layer{'s' if len(layers) > 1 else ''} {in_words([*map(str, layers)])}"

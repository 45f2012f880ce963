"""The mistakes that people make in a backward pass: for each its words, and the step it replaces.

An entry of the catalogue says everything about its mistake: what is wrong, hints, the
equation that it breaks, and the code that makes it, in place of a step of the pass in
``reference.py``.  So two mistakes combine, unless they replace the same step, and the
first quantity that is wrong is known.

Examples
--------
>>> import numpy as np
>>> from backprop_nb import SigmoidNetwork
>>> net, x, y = SigmoidNetwork((3, 3, 3), seed=0), [[1.0, 2.0, 3.0]], [[0.0, 1.0, 0.0]]
>>> dA, db = make_backward("missing_factor_2")(net.A, net.b, x, y)
>>> bool(np.allclose(2 * dA[0], net.backward(x, y).A[0]))
True
>>> find("missing_factor_2").first.title
'the factor of the square'
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from backprop_nb.checking.convention import DEFAULT, Convention
from backprop_nb.checking.reference import (
    LEARNING_RATE,
    STEP,
    STEPS,
    Condition,
    PassStep,
    ReferencePass,
    Situation,
    activation_code,
    right_code,
    schedule,
    slope_code,
)
from backprop_nb.errors import InvalidValueError, NotFoundError, in_words

# --- what mistakes need -----------------------------------------------------


def _all_equal(widths: tuple[int, ...]) -> bool:
    return len(set(widths)) == 1


SEVERAL = Condition("more than one sample", lambda s: s.N > 1)
SEVERAL_CALLS = Condition("more than one call", lambda s: s.calls > 1)
HIDDEN = Condition("a hidden layer", lambda s: s.K > 1)
WIDE = Condition("a layer with more than one input or unit", lambda s: max(s.widths) > 1)
EQUAL_HIDDEN = Condition(
    "a hidden layer, and as many units in every layer",
    lambda s: s.K > 1 and _all_equal(s.widths[1:]),
)
SEVERAL_UNITS = Condition("layers of more than one unit", lambda s: min(s.widths[1:]) > 1)
EQUAL = Condition("as many inputs as units in every layer", lambda s: _all_equal(s.widths))
DEEP = Condition("two hidden layers", lambda s: s.K > 2)
ONE_SAMPLE = Condition("a single sample", lambda s: s.N == 1)
WIDE_LAYER = Condition("a layer of more than one unit", lambda s: max(s.widths[1:]) > 1)
WIDE_OUTPUT = Condition("more than one output", lambda s: s.widths[-1] > 1)
MEAN = Condition('reduction = "mean"', lambda s: s.convention.reduction != "sum")
SUM = Condition('reduction = "sum"', lambda s: s.convention.reduction == "sum")
OVER_ENTRIES = Condition(
    'reduction = "mean_entries"', lambda s: s.convention.reduction == "mean_entries"
)
OVER_SAMPLES = Condition(
    'reduction = "mean" or "sum"', lambda s: s.convention.reduction != "mean_entries"
)
SQUARES = Condition('loss = "squared error"', lambda s: s.convention.loss == "squared error")
CROSS_ENTROPY = Condition('loss = "cross-entropy"', lambda s: s.convention.loss == "cross-entropy")
WHOLE = Condition(
    "half = False", lambda s: not s.convention.half and s.convention.loss == "squared error"
)
HALF = Condition("half = True", lambda s: s.convention.half)
PROBABILITY = Condition(
    "an output that is a probability", lambda s: s.convention.output in ("sigmoid", "softmax")
)
CURVED_HIDDEN = Condition(
    "a hidden layer that is not linear",
    lambda s: s.K > 1 and s.convention.activation != "identity",
)
CURVED_OUTPUT = Condition(
    "a loss that keeps the slope of an output",
    lambda s: (
        s.convention.loss == "squared error" and s.convention.output not in ("identity", "softmax")
    ),
)
CURVED = Condition(
    "a layer that is not linear", lambda s: CURVED_HIDDEN.holds(s) or CURVED_OUTPUT.holds(s)
)
BIASES = Condition("biases", lambda s: s.convention.has_bias)
PENALTY = Condition("l2 above 0", lambda s: s.convention.l2 > 0)
HALF_PENALTY = Condition("l2_factor with a half", lambda s: s.convention.l2_factor[:3] == "1/2")
WHOLE_PENALTY = Condition("l2_factor without a half", lambda s: s.convention.l2_factor[:3] != "1/2")


def _uses(*names: str) -> Condition:
    """Return the need of a slope that belongs to one of some activations."""

    def holds(s: Situation) -> bool:
        hidden = CURVED_HIDDEN.holds(s) and s.convention.activation in names
        return hidden or (CURVED_OUTPUT.holds(s) and s.convention.output in names)

    return Condition(f"a slope of {' or '.join(names)}", holds)


# --- a mistake --------------------------------------------------------------


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
    hints: tuple[str, str, str]
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
    """What is said of it where the network is not the document's, if something else."""
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
            return self.otherwise
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


# --- the catalogue ----------------------------------------------------------


def _both_slopes(form: Callable[[Right], str], *only: str) -> dict[str, Code]:
    """Return the code for both slopes, where there is one; ``only`` those of some activations."""

    def code(right: Right) -> str:
        if not right.has_slope or (only and right.activation not in only):
            return right.code
        return form(right)

    return {"output_slope": code, "hidden_slope": code}


def _slope_at(value: str) -> Callable[[Right], str]:
    """Return the slope at a value that stands in place of z."""
    return lambda right: slope_code(
        right.activation, activation_code(right.activation, value), value
    )


_ABOVE = "back if i < K - 1 else factor * share * error"
"""∂L/∂f of the layer above, where the error has come to layer i."""


def _slope_at_error(right: Right, error: str) -> str:
    return _slope_at(error)(right) if right.has_slope else right.code


def _slope_of_layer(i: str) -> Callable[[Right], str]:
    """Return the slope of another layer."""
    return lambda right: slope_code(right.activation, f"f[{i}]", f"z[{i}]")


def _activations(change: Callable[[str], str]) -> dict[str, Code]:
    """Return the code of the activations with each sigmoid in it changed."""
    return {"activation": lambda right: change(right.code)}


SIGMOIDS = Condition(
    "a layer of sigmoids",
    lambda s: (
        s.convention.output == "sigmoid" or (s.K > 1 and s.convention.activation == "sigmoid")
    ),
)

_FORWARD = (
    Mistake(
        "bias_missing_in_forward",
        "The biases are missing in the forward pass",
        "A layer computes z = A f + b, and here the b is left out. So every activation is that of "
        "another network, and so is every gradient, though the way back may be right in each step.",
        hints=(
            "Look at the forward pass first.",
            "The pass goes back rightly through a network that is not the given one.",
            "What would change if all biases were zero?",
        ),
        equation="layer",
        steps={"pre_activation": "A[i - 1] @ f[i - 1]"},
        needs=(BIASES,),
        in_game=False,
    ),
    Mistake(
        "sigmoid_of_minus_z",
        "The sigmoid is taken of −z",
        "σ(z) = 1 / (1 + e^(−z)). Without the minus in the exponent, or with one too many, that is "
        "σ(−z) = 1 − σ(z): each layer then hands on the opposite of what it should.",
        hints=(
            "Look at the forward pass first.",
            "What should be large is small, and the other way round.",
            "Look at the sign in the exponent of the sigmoid.",
        ),
        equation="sigmoid",
        steps=_activations(lambda code: code.replace("sigma(z", "sigma(-z")),
        needs=(SIGMOIDS,),
        in_game=False,
    ),
    Mistake(
        "tanh_in_place_of_sigmoid",
        "tanh stands in place of the sigmoid",
        "The forward pass applies tanh where the network has a sigmoid. Both are S-shaped, but "
        "tanh goes from −1 to 1 and is four times as steep, so all that follows is off.",
        hints=(
            "Look at the forward pass first.",
            "Some activations are negative.",
            "Which function lies between 0 and 1, and which between −1 and 1?",
        ),
        equation="sigmoid",
        steps=_activations(lambda code: code.replace("sigma(", "np.tanh(")),
        needs=(SIGMOIDS,),
        in_game=False,
    ),
    Mistake(
        "softmax_in_place_of_sigmoid",
        "A softmax stands in place of the sigmoid",
        "A sigmoid looks at each unit alone. A softmax divides by the sum over all units of a "
        "layer, so that its activations add up to 1, and each depends on all the others.",
        hints=(
            "Look at the forward pass first.",
            "Add up the activations of one layer.",
            "Does one unit of a sigmoid layer depend on the z of another?",
        ),
        equation="sigmoid",
        steps=_activations(lambda code: code.replace("sigma(", "softmax(")),
        needs=(SIGMOIDS, WIDE_LAYER),
        in_game=False,
    ),
    Mistake(
        "output_left_linear",
        "The output is left linear",
        "The last layer has an activation, too. Here its z is handed on as it is, so the error is "
        "that of another output, and so is the slope.",
        hints=(
            "Look at the end of the forward pass.",
            "All activations are right but those of one layer.",
            "What does the last layer do with its z?",
        ),
        equation="layer",
        steps={
            "activation": lambda right: (
                f"{activation_code(right.convention.activation)} if i < K else z[i]"
            )
        },
        needs=(
            Condition("an output that is not linear", lambda s: s.convention.output != "identity"),
        ),
        in_game=False,
    ),
    Mistake(
        "pre_activation_clipped",
        "z is clipped",
        "The pass cuts z off at −1 and 1 before the activation. That is a layer of its own: where "
        "it cuts, nothing of z gets through, and the slope there is 0.",
        hints=(
            "Look at the forward pass first.",
            "No activation is as extreme as it should be.",
            "What happens to a z that is far from 0?",
        ),
        equation="layer",
        steps={
            "pre_activation": lambda right: f"np.clip({right.code}, -1, 1)",
        },
        in_game=False,
    ),
)

_OUTPUT_ERROR = (
    Mistake(
        "missing_factor_2",
        "The factor 2 is missing",
        "The loss is the squared distance ‖y − f‖², whose derivative is 2 (f − y). Without the 2 "
        "every gradient has the right direction and half the right length. Only a loss with ½ in "
        "front of it has no 2.",
        hints=(
            "Look at the very first factor, before any layer.",
            "Compare the length of the gradient with what is measured, and then its direction.",
            "Write down the derivative of the square by hand, and count the factors.",
        ),
        equation="loss",
        steps={"factor": "1"},
        needs=(WHOLE,),
    ),
    Mistake(
        "extra_factor_2",
        "There is a 2 that the ½ cancels",
        "The loss is ½‖y − f‖². Its derivative is f − y: the ½ is there to cancel the 2 of the "
        "square. With the 2 every gradient is twice as long as it should be.",
        hints=(
            "Look at the very first factor, before any layer.",
            "Compare the length of the gradient with what is measured, and then its direction.",
            "Write down the derivative of ½ times a square by hand.",
        ),
        equation="loss",
        steps={"factor": "2"},
        needs=(HALF,),
    ),
    Mistake(
        "sign_flipped",
        "The sign is flipped",
        "The pass starts from y − f where f − y is right, so every gradient points the wrong way: "
        "a step of gradient descent then climbs. The minus of y − f is cancelled by the inner "
        "derivative, ∂(y − f)/∂f = −1.",
        hints=(
            "Does the loss go where it should go?",
            "Every size is right. What else does a number have?",
            "Look at the order of the two terms in the output error.",
        ),
        equation="loss",
        steps={"error": "y - f[K]"},
    ),
    Mistake(
        "output_in_place_of_error",
        "The output stands in place of the error",
        "The pass starts from f where f − y is right. The target y does not occur in it, so the "
        "network is taught to say 0, whatever it should say.",
        hints=(
            "What does the network learn, in the end?",
            "Ask what would change if all targets were different.",
            "The target does not occur in this pass.",
        ),
        equation="loss",
        steps={"error": "f[K]"},
    ),
    Mistake(
        "slope_kept_with_cross_entropy",
        "The slope is kept with the cross-entropy",
        "The derivative of the cross-entropy has f (1 − f) in its denominator, and the slope of "
        "the output cancels that: δ_K = f − y, up to the share of a sample. With the slope the "
        "pass follows another loss, and units that are wrong and saturated hardly learn.",
        hints=(
            "Begin at the end: look at δ at the output.",
            "One factor is there that should not be.",
            "What is ∂L/∂z at the output, if the loss is the cross-entropy?",
        ),
        steps={"output_slope": "f[i] * (1 - f[i])"},
        needs=(CROSS_ENTROPY,),
        in_game=False,
    ),
    Mistake(
        "cross_entropy_delta",
        "δ at the output is that of the cross-entropy",
        "δ_K = f − y is right for the cross-entropy, where σ′ cancels. The squared error keeps it: "
        "δ_K = 2 (f − y) σ′. So the pass follows the gradient of another loss.",
        hints=(
            "Look at δ at the output, and at all of it.",
            "More than one factor is missing there. It would be right for another loss.",
            "Which loss has f − y as its δ at a sigmoid output?",
        ),
        equation="loss",
        steps={"output_delta": "share * error"},
        needs=(SQUARES, PROBABILITY),
        ambiguous=True,
    ),
)

_SLOPE = (
    Mistake(
        "sigma_prime_missing_everywhere",
        "σ′ is missing everywhere",
        "Going back through a sigmoid multiplies by its slope, σ′ = f (1 − f), at most ¼. Without "
        "it the pass is that of a network of straight lines, and its gradients are far too long, "
        "the more so the further back.",
        hints=(
            "Look at the lengths of the gradients, from the last layer to the first.",
            "At every layer the pass loses a factor that is never above ¼.",
            "What does going back through a sigmoid multiply by? It occurs nowhere.",
        ),
        equation="sigmoid",
        steps=_both_slopes(lambda right: "1"),
        needs=(CURVED_HIDDEN, CURVED_OUTPUT),
        otherwise=Words(
            "The slope of the activation is missing everywhere",
            "Going back through an activation multiplies by its slope at z. Without it the pass "
            "is that of a network of straight lines.",
            (
                "Look at the gradients of every layer, the last one too.",
                "Each layer loses a factor, and the same one.",
                "What does going back through an activation multiply by? It occurs nowhere.",
            ),
        ),
    ),
    Mistake(
        "sigma_prime_missing_at_output",
        "σ′ is missing at the output",
        "The output goes through a sigmoid too, so δ_K = 2 (f − y) σ′(z_K). Without that σ′ all "
        "gradients are too long, and units that are wrong and saturated weigh far too much.",
        hints=(
            "Begin at the end: one layer is treated unlike the others.",
            "In the hidden layers all is well. What comes before them on the way back?",
            "The output has a sigmoid too.",
        ),
        equation="sigmoid",
        steps={"output_slope": "1"},
        needs=(CURVED_OUTPUT,),
        otherwise=Words(
            "The slope is missing at the output",
            "The output goes through an activation too, so its δ = ∂L/∂z is ∂L/∂f times the slope "
            "there. Only for the cross-entropy it cancels.",
            (
                "Begin at the end: one layer is treated unlike the others.",
                "In the hidden layers all is well. What comes before them on the way back?",
                "The output has an activation too.",
            ),
        ),
    ),
    Mistake(
        "sigma_prime_missing_in_hidden",
        "σ′ is missing in the hidden layers",
        "The error sent back, Aᵀ δ, is ∂L/∂f of the layer below. To become its δ = ∂L/∂z it must "
        "be multiplied by σ′(z) there. Without it the gradients from there on back are too long, "
        "and the last layer's is right.",
        hints=(
            "The last layer is right.",
            "Below the last layer the gradients are too long.",
            "What stands between ∂L/∂f and ∂L/∂z of one layer?",
        ),
        equation="sigmoid",
        steps={"hidden_slope": "1"},
        needs=(CURVED_HIDDEN,),
        at_one="σ′ is missing",
        otherwise=Words(
            "The slope is missing in the hidden layers",
            "The error sent back, Aᵀ δ, is ∂L/∂f of the layer below. To become its δ = ∂L/∂z it "
            "must be multiplied by the slope of the activation there, at z. Without it the "
            "gradients from there on back are wrong, and the last layer's is right.",
            (
                "The last layer is right.",
                "Below the last layer a factor is lost.",
                "What stands between ∂L/∂f and ∂L/∂z of one layer?",
            ),
            "The slope is missing",
        ),
    ),
    Mistake(
        "sigma_prime_of_activation",
        "σ′ is taken at the activation f",
        "The slope is that of σ at z. A function sigma_prime(z) that is handed f computes "
        "σ(f) (1 − σ(f)): the sigmoid is applied twice. For f between 0 and 1 that is always "
        "between 0.19 and 0.25, so no unit seems saturated.",
        hints=(
            "Something is nearly constant that should not be.",
            "Saturated units learn here as fast as the others.",
            "At which number is the slope taken, before the sigmoid or after it?",
        ),
        equation="sigmoid",
        steps=_both_slopes(_slope_at("f[i]")),
        needs=(CURVED,),
        otherwise=Words(
            "The slope is taken at the activation f",
            "The slope is that of the activation at z. A function that expects z and is handed f "
            "applies the activation twice.",
            (
                "The slope is not what it should be, at all units.",
                "Every part is there, and one of them is asked at the wrong number.",
                "At which number is the slope taken, before the activation or after it?",
            ),
        ),
    ),
    Mistake(
        "sigma_prime_formula_on_z",
        "f (1 − f) is computed with z",
        "σ′ = f (1 − f) is written in terms of the activation f. With the pre-activation z in its "
        "place, z (1 − z) is no slope at all: it is negative wherever z is below 0 or above 1, "
        "and large where the sigmoid is flat.",
        hints=(
            "Some signs are right and some are not.",
            "A slope of the sigmoid is never negative. Here one is.",
            "Which of the two, z or f, belongs into f (1 − f)?",
        ),
        equation="sigmoid",
        steps=_both_slopes(lambda right: slope_code(right.activation, "z[i]"), "sigmoid", "tanh"),
        needs=(_uses("sigmoid", "tanh"),),
        otherwise=Words(
            "The slope's formula in f is computed with z",
            "The slope can be written in terms of the activation: f (1 − f) for a sigmoid, 1 − f² "
            "for tanh. With the pre-activation z in its place that is no slope at all, and can be "
            "negative.",
            (
                "Some signs are right and some are not.",
                "A slope of these activations is never negative. Here one is.",
                "Which of the two, z or f, belongs into that formula?",
            ),
        ),
    ),
    Mistake(
        "one_minus_sigma_only",
        "Only 1 − σ is left of σ′",
        "σ′ = σ (1 − σ) has two factors, and one is lost. Units whose output is near 0 then seem "
        "to have the slope 1, though they are saturated.",
        hints=(
            "Look at units whose output is close to 0.",
            "Units at the upper end are treated nearly right, those at the lower end are not.",
            "The slope has two factors. One of them is here.",
        ),
        equation="sigmoid",
        steps=_both_slopes(lambda right: "1 - f[i]", "sigmoid"),
        needs=(_uses("sigmoid"),),
    ),
    Mistake(
        "sigma_prime_twice",
        "σ′ is applied twice",
        "Going back through a sigmoid multiplies by its slope once. Here it does so twice. σ′ is "
        "at most ¼, so the gradients are too short, the more so the further back.",
        hints=(
            "Look at the lengths of the gradients, from the last layer to the first.",
            "At every layer the gradient loses a factor of 4 or more that it should keep.",
            "Count how often the slope occurs at one layer.",
        ),
        equation="sigmoid",
        steps=_both_slopes(lambda right: f"({right.code}) ** 2"),
        needs=(CURVED,),
        otherwise=Words(
            "The slope is applied twice",
            "Going back through an activation multiplies by its slope once. Here it does so twice, "
            "at every layer.",
            (
                "Look at the lengths of the gradients, from the last layer to the first.",
                "At every layer one factor is there that should not be.",
                "Count how often the slope occurs at one layer.",
            ),
        ),
    ),
    Mistake(
        "sigma_prime_of_wrong_layer",
        "σ′ comes from the layer above",
        "δ_i belongs to layer i and needs the slope there, σ′(z_i). The pass takes σ′(z_{i+1}): "
        "an index that is one off. In layers of equal width nothing complains.",
        hints=(
            "The last layer is right.",
            "Every part is there, but one does not belong to its layer.",
            "Look at the index of the slope.",
        ),
        equation="chain-general",
        steps={"hidden_slope": _slope_of_layer("i + 1")},
        needs=(EQUAL_HIDDEN, CURVED_HIDDEN),
        otherwise=Words(
            "The slope comes from the layer above",
            "δ_i belongs to layer i and needs the slope there, at z_i. The pass takes it at "
            "z_{i+1}: an index that is one off. In layers of equal width nothing complains.",
            (
                "The last layer is right.",
                "Every part is there, but one does not belong to its layer.",
                "Look at the index of the slope.",
            ),
        ),
    ),
    Mistake(
        "sigma_prime_of_layer_below",
        "σ′ comes from the layer below",
        "δ_i belongs to layer i and needs the slope there. The pass takes that of the layer below: "
        "an index that is one off. In layers of equal width nothing complains.",
        hints=(
            "The last layer is right.",
            "Every part is there, but one does not belong to its layer.",
            "Look at the index of the slope.",
        ),
        equation="chain-general",
        steps={
            "hidden_slope": lambda right: slope_code(right.activation, "f[i - 1]", "f[i - 1]"),
        },
        needs=(EQUAL, CURVED_HIDDEN),
        in_game=False,
    ),
    Mistake(
        "output_slope_in_every_layer",
        "The output's σ′ is used in every layer",
        "Each layer has slopes of its own. The pass computes those of the output once and uses "
        "them all the way back: an index that stays where it should count down.",
        hints=(
            "The last layer is right.",
            "One factor is the same in all layers.",
            "Which index of the slope changes from layer to layer, and does it?",
        ),
        equation="chain-general",
        steps={"hidden_slope": _slope_of_layer("K")},
        only_everywhere=True,
        needs=(DEEP, EQUAL_HIDDEN, CURVED_HIDDEN),
        in_game=False,
    ),
    Mistake(
        "activation_as_slope",
        "f stands in place of its slope",
        "Going back through an activation multiplies by its derivative, and here it is multiplied "
        "by the activation itself. A unit that is fully on then passes everything back, though a "
        "small change of its z changes nothing.",
        hints=(
            "Look at what the error is multiplied by at each layer.",
            "The units that are most active have the largest gradients.",
            "Which of the two is there, the activation or its derivative?",
        ),
        equation="sigmoid",
        steps=_both_slopes(lambda right: "f[i]"),
        needs=(CURVED,),
        in_game=False,
    ),
    Mistake(
        "slope_of_tanh",
        "The slope is that of tanh",
        "1 − f² is the derivative of tanh. The network has another activation, whose slope is "
        "another function of f.",
        hints=(
            "Look at what the error is multiplied by at each layer.",
            "The slope is one, but not of this network.",
            "Of which function is 1 − f² the derivative?",
        ),
        equation="sigmoid",
        steps=_both_slopes(lambda right: "1 - f[i] ** 2", "sigmoid", "relu", "leaky relu"),
        needs=(_uses("sigmoid", "relu", "leaky relu"),),
        in_game=False,
    ),
    Mistake(
        "slope_of_sigmoid",
        "The slope is that of the sigmoid",
        "f (1 − f) is the derivative of the sigmoid. The network has another activation, whose "
        "slope is another function of f.",
        hints=(
            "Look at what the error is multiplied by at each layer.",
            "The slope is one, but not of this network.",
            "Of which function is f (1 − f) the derivative?",
        ),
        steps=_both_slopes(lambda right: "f[i] * (1 - f[i])", "tanh", "relu", "leaky relu"),
        needs=(_uses("tanh", "relu", "leaky relu"),),
        in_game=False,
    ),
    Mistake(
        "slope_of_relu",
        "The slope is that of a ReLU",
        "A ReLU has the slope 1 where z is positive, and 0 elsewhere. The network has another "
        "activation, which has a slope on both sides.",
        hints=(
            "Look at what the error is multiplied by at each layer.",
            "Some units pass back nothing, and others everything.",
            "Which activation has only the slopes 0 and 1?",
        ),
        equation="sigmoid",
        steps=_both_slopes(lambda right: "z[i] > 0", "sigmoid", "tanh", "leaky relu"),
        needs=(_uses("sigmoid", "tanh", "leaky relu"),),
        in_game=False,
    ),
    Mistake(
        "slope_of_error",
        "The slope is taken at the error",
        "The slope of an activation is asked at its z. Here it is asked at the error that comes "
        "back, which says nothing on where the unit stands on its curve.",
        hints=(
            "Look at what the error is multiplied by at each layer.",
            "The slope would change if the targets did.",
            "What is handed to the function that computes the slope?",
        ),
        equation="sigmoid",
        steps={
            "output_slope": lambda right: _slope_at_error(right, "error"),
            "hidden_slope": lambda right: _slope_at_error(right, "back"),
        },
        needs=(CURVED,),
        in_game=False,
    ),
)

_BACK = (
    Mistake(
        "weights_not_transposed",
        "The weights are not transposed",
        "Forward, A maps the lower layer to the upper one. Backward, Aᵀ maps the upper layer's δ "
        "to the lower one. With A itself the error reaches the wrong units; with layers of equal "
        "width nothing complains.",
        hints=(
            "The last layer is right.",
            "The error gets through the weights to the wrong units.",
            "On the way back rows and columns of A change places.",
        ),
        equation="chain-second",
        steps={"back": "weights @ delta[i + 1]"},
        needs=(EQUAL_HIDDEN, SEVERAL_UNITS),
        otherwise=Words(
            "The weights are not transposed",
            "Forward, the weights map the lower layer to the upper one. Backward, it is their "
            "transpose that maps the upper layer's δ to the lower one. In the same form as on the "
            "way forward they send the error to the wrong units; with layers of equal width "
            "nothing complains.",
            (
                "The last layer is right.",
                "The error gets through the weights to the wrong units.",
                "On the way back rows and columns of the weights change places.",
            ),
        ),
    ),
    Mistake(
        "elementwise_in_place_of_matmul",
        "An elementwise product in place of Aᵀ δ",
        "Aᵀ δ is a matrix product: each unit below collects the errors of all units above, each "
        "through its weight. Aᵀ * δ multiplies entry by entry, and its sums then mix weights and "
        "not errors: each unit sees one δ only.",
        hints=(
            "The last layer is right.",
            "Below it, each unit hears from one unit only.",
            "There are two products in NumPy, * and @.",
        ),
        equation="chain-second",
        steps={"back": "weights.T.sum(axis=1, keepdims=True) * delta[i + 1]"},
        needs=(EQUAL_HIDDEN, SEVERAL_UNITS),
    ),
    Mistake(
        "output_error_reused",
        "The output error is used again in every layer",
        "Each layer must get the error that has come back through the weights, Aᵀ δ. Here a hidden "
        "layer gets ∂L/∂f of the output, as if its units were the outputs.",
        hints=(
            "The last layer is right.",
            "Ask what the weights have to do with the gradient below them.",
            "The same error arrives at every layer.",
        ),
        equation="chain-general",
        steps={"back": "factor * share * error"},
        needs=(EQUAL_HIDDEN,),
        at_one="The output error is used again",
    ),
    Mistake(
        "gradient_used_as_weights",
        "The gradient dA stands in place of A",
        "The error goes back through the weights A, not through their gradient. The two have one "
        "shape, so nothing complains. The gradient is much smaller, so next to nothing arrives.",
        hints=(
            "The last layer is right.",
            "Hardly anything gets back through the weights.",
            "Two arrays of the same shape and with similar names have been mixed up.",
        ),
        equation="chain-second",
        steps={"weights": "dA[i]"},
        needs=(HIDDEN,),
    ),
    Mistake(
        "updated_before_use",
        "The weights are updated before they are used",
        "The pass takes its step in A_i and only then sends the error back through it. But the "
        "gradient belongs to the weights of the forward pass. It is nearly right, and the more "
        "wrong the larger the learning rate.",
        hints=(
            "The last layer is right, and the others are nearly so.",
            "The size of the difference depends on the learning rate.",
            "Look at when the weights change.",
        ),
        equation="chain-general",
        steps={"weights": "A[i] - learning_rate * dA[i]"},
        needs=(HIDDEN,),
    ),
    Mistake(
        "error_sent_back_without_slope",
        "The error is sent back without σ′",
        "What goes back through the weights is δ = ∂L/∂z, the error times σ′. Here σ′ is applied "
        "for the layer's own gradient, but what is sent on, Aᵀ (f − y), lacks it. Each layer has "
        "its own σ′, and none of those above it.",
        hints=(
            "The last layer is right.",
            "Each layer has its own slope. What of the layers above it?",
            "Which of the two goes back through the weights, ∂L/∂f or ∂L/∂z?",
        ),
        equation="chain-general",
        steps={"back": f"weights.T @ ({_ABOVE})"},
        needs=(HIDDEN, CURVED),
        at_one="The error from the layer above comes without σ′",
        otherwise=Words(
            "The error is sent back without the slope",
            "What goes back through the weights is δ = ∂L/∂z, the error times the slope. Here the "
            "slope is applied for the layer's own gradient, but what is sent on lacks it. Each "
            "layer has its own slope, and none of those above it.",
            (
                "The last layer is right.",
                "Each layer has its own slope. What of the layers above it?",
                "Which of the two goes back through the weights, ∂L/∂f or ∂L/∂z?",
            ),
            "The error from the layer above comes without the slope",
        ),
        in_game=False,
    ),
    Mistake(
        "output_delta_sent_back",
        "δ of the output is sent back to every layer",
        "Each layer gets the δ of the layer above it, through the weights between the two. Here "
        "that is δ of the output at every layer: it is never replaced by the one just computed.",
        hints=(
            "The last two layers are right.",
            "Each layer should hear from its neighbour above.",
            "Is δ replaced by the new one on the way back?",
        ),
        equation="chain-general",
        steps={"back": "weights.T @ delta[K]"},
        needs=(DEEP, EQUAL_HIDDEN),
        at_one="δ of the output is sent back",
        spared=2,
        in_game=False,
    ),
    Mistake(
        "weights_of_layer_below",
        "The weights of the layer below are used",
        "The error goes back through the weights that lead from the layer to the one above. The "
        "pass takes those that lead into the layer: an index that is one off.",
        hints=(
            "The last layer is right.",
            "The error gets through weights, but through which?",
            "Look at the index of the weights on the way back.",
        ),
        equation="chain-general",
        steps={"weights": "A[i - 1]"},
        needs=(HIDDEN, EQUAL),
        in_game=False,
    ),
    Mistake(
        "last_weights_in_every_layer",
        "The last weights are used in every layer",
        "The error goes back through the weights of each layer in turn. The pass takes those of "
        "the last layer all the way: an index that stays where it should count down.",
        hints=(
            "The last two layers are right.",
            "The error gets through the same weights again and again.",
            "Look at the index of the weights on the way back.",
        ),
        equation="chain-general",
        steps={"weights": "A[K - 1]"},
        spared=2,
        needs=(DEEP, EQUAL_HIDDEN),
        in_game=False,
    ),
)

_PARAMETERS = (
    Mistake(
        "weight_gradient_transposed",
        "The weight gradient is transposed",
        "∂L/∂A = δ fᵀ has a row for each unit and a column for each of its inputs, as A has. f δᵀ "
        "has them the other way round; in a square layer nothing complains.",
        hints=(
            "The bias gradients are right, and so is every δ.",
            "All numbers are there.",
            "Look at rows and columns of the weight gradients.",
        ),
        equation="chain-general",
        steps={"weight_gradient": "inputs @ delta[i + 1].T"},
        needs=(WIDE,),
        otherwise=Words(
            "The weight gradient is transposed",
            "The gradient of the weights has an entry for each weight, in the same place. Here "
            "rows and columns are exchanged; in a square layer nothing complains.",
            (
                "The gradients of the biases, if there are any, and every δ are right.",
                "All numbers are there.",
                "Look at rows and columns of the weight gradients.",
            ),
        ),
    ),
    Mistake(
        "layer_input_off_by_one",
        "The layer's output stands in place of its input",
        "∂L/∂A_i = δ fᵀ needs what the layer was given, f_i. The pass takes what the layer made of "
        "it, f_{i+1}: an index that is one off.",
        hints=(
            "The bias gradients are right, and so is every δ.",
            "In the weight gradients one of the two factors belongs to another layer.",
            "Look at the index of f in δ fᵀ.",
        ),
        equation="layer",
        steps={"layer_input": "f[i + 1]"},
    ),
    Mistake(
        "pre_activation_as_input",
        "z stands in place of the layer's input f",
        "∂L/∂A_i = δ fᵀ needs what the layer was given. That is f_i = σ(z_i), not z_i. The first "
        "layer, which is given x, is right.",
        hints=(
            "The first layer is right.",
            "The bias gradients are right; the weight gradients are so in the first layer only.",
            "What is a layer given, what stands before the sigmoid or what stands behind it?",
        ),
        equation="layer",
        steps={"layer_input": "z[i] if i > 0 else x"},
        needs=(CURVED_HIDDEN,),
        first_layer=2,
        otherwise=Words(
            "z stands in place of the layer's input f",
            "∂L/∂A_i = δ fᵀ needs what the layer was given. That is the activation f_i, not z_i. "
            "The first layer, which is given x, is right.",
            (
                "The first layer is right.",
                "The bias gradients are right; the weight gradients are so in the first layer "
                "only.",
                "What is a layer given, what stands before the activation or behind it?",
            ),
        ),
    ),
    Mistake(
        "bias_gradient_uses_input",
        "The bias gradient is multiplied by the input",
        "A bias is added, so ∂z/∂b = 1 and ∂L/∂b is δ itself. Only the weights' gradient has the "
        "input as a factor.",
        hints=(
            "The weight gradients are right.",
            "The bias gradients have a factor that they should not have.",
            "What does the input of a layer do to the effect of its bias?",
        ),
        equation="layer",
        steps={"bias_gradient": "(delta[i + 1] * inputs).sum(axis=1, keepdims=True)"},
        needs=(EQUAL, BIASES),
    ),
    Mistake(
        "bias_summed_over_wrong_axis",
        "The bias gradient is summed over the wrong axis",
        "There is one bias for each unit, and what all samples say about it is added. The pass "
        "adds over the units and keeps the samples. With as many samples as units nothing "
        "complains.",
        hints=(
            "The weight gradients are right.",
            "The bias gradients have one number for each of something, but not of the units.",
            "Look at the axis of the sum.",
        ),
        equation="layer",
        steps={"bias_gradient": "delta[i + 1].sum(axis=0, keepdims=True)"},
        needs=(SEVERAL, BIASES),
    ),
    Mistake(
        "bias_gradient_averaged",
        "The bias gradient is averaged once more",
        "The share 1/N of a mean, where there is one, is in δ already. The bias gradient is then "
        "the sum of δ over the samples; their mean divides by N once too often.",
        hints=(
            "The weight gradients are right.",
            "The bias gradients have the right direction.",
            "Count how often a bias gradient is divided by N.",
        ),
        steps={"bias_gradient": "delta[i + 1].mean(axis=1, keepdims=True)"},
        needs=(SEVERAL, BIASES),
    ),
    Mistake(
        "input_of_first_layer",
        "The first layer's input is used in every layer",
        "∂L/∂A_i = δ fᵀ needs what the layer was given. The pass takes x, which only the first "
        "layer was given; the others were given the activations of the layer below.",
        hints=(
            "The first layer is right.",
            "The bias gradients are right; the weight gradients are so in the first layer only.",
            "What was each layer given?",
        ),
        equation="layer",
        steps={"layer_input": "f[0]"},
        needs=(HIDDEN,),
        first_layer=2,
        in_game=False,
    ),
    Mistake(
        "weights_in_place_of_input",
        "The weights stand in place of the layer's input",
        "z = A f + b, so the derivative of z by A is f, and that by f is A. The weight gradient "
        "needs f. With A in its place nothing complains, as the shape is that of A.",
        hints=(
            "The bias gradients are right, and so is every δ.",
            "The weight gradients would not change if the data did, but for δ.",
            "z is a product. What is its derivative by the first factor?",
        ),
        equation="layer",
        steps={"weight_gradient": "delta[i + 1].sum(axis=1, keepdims=True) * A[i]"},
        in_game=False,
    ),
    Mistake(
        "elementwise_in_place_of_outer",
        "An elementwise product in place of δ fᵀ",
        "δ fᵀ is an outer product: an entry for each pair of a unit and an input. δ * f multiplies "
        "entry by entry and has one number for each unit only; assigned to a matrix, it is the "
        "same in each of its rows.",
        hints=(
            "The bias gradients are right, and so is every δ.",
            "The weight gradients have too few different numbers.",
            "There are several products in NumPy: *, @ and np.outer.",
        ),
        equation="layer",
        steps={"weight_gradient": "delta[i + 1] * inputs"},
        needs=(ONE_SAMPLE, EQUAL, WIDE_LAYER),
        in_game=False,
    ),
    Mistake(
        "output_delta_in_every_gradient",
        "δ of the output is in the gradients of every layer",
        "Each layer's gradients are made of its own δ. Here they are made of δ of the output, "
        "whatever the layer: an index that stays where it should count down.",
        hints=(
            "The last layer is right.",
            "The bias gradients are the same in all layers.",
            "Look at the index of δ in the gradients.",
        ),
        equation="chain-general",
        steps={
            "weight_gradient": "delta[K] @ inputs.T",
            "bias_gradient": "delta[K].sum(axis=1, keepdims=True)",
        },
        needs=(EQUAL_HIDDEN,),
        at_one="δ of the output is in the gradients",
        spared=1,
        in_game=False,
    ),
    Mistake(
        "bias_gradient_not_summed",
        "The bias gradient is not summed over the samples",
        "All samples share one bias, so its gradient is the sum of what each of them says. Here it "
        "is δ itself, with one number for each unit and each sample.",
        hints=(
            "The weight gradients are right.",
            "The bias gradients have too many numbers.",
            "How many biases are there, and how many samples?",
        ),
        equation="layer",
        steps={"bias_gradient": "delta[i + 1]"},
        needs=(SEVERAL, BIASES),
        in_game=False,
    ),
    Mistake(
        "bias_gradient_summed_to_one_number",
        "The bias gradient is summed to one number",
        "There is one bias for each unit, so the sum is over the samples only. Without an axis "
        "np.sum adds up the units as well, and all of them get the same gradient.",
        hints=(
            "The weight gradients are right.",
            "All units of a layer have the same bias gradient.",
            "Over which axis is the sum?",
        ),
        equation="layer",
        steps={"bias_gradient": "delta[i + 1].sum(keepdims=True)"},
        needs=(WIDE_LAYER, BIASES),
        in_game=False,
    ),
    Mistake(
        "bias_gradient_before_slope",
        "The bias gradient is taken before the slope",
        "∂L/∂b is δ = ∂L/∂z, the error times the slope of the activation. The pass takes the "
        "error before it is multiplied, ∂L/∂f.",
        hints=(
            "The weight gradients are right.",
            "A factor is missing in the bias gradients, another one for each unit.",
            "Which of the two is ∂L/∂b, ∂L/∂f or ∂L/∂z?",
        ),
        equation="layer",
        steps={"bias_gradient": f"({_ABOVE}).sum(axis=1, keepdims=True)"},
        needs=(CURVED, BIASES),
        in_game=False,
    ),
    Mistake(
        "weight_gradient_before_slope",
        "The weight gradient is taken before the slope",
        "∂L/∂A = δ fᵀ is made of δ = ∂L/∂z, the error times the slope of the activation. The pass "
        "makes it of the error before it is multiplied, ∂L/∂f.",
        hints=(
            "The bias gradients are right, if there are any, and so is every δ.",
            "A factor is missing in the weight gradients, another one for each unit.",
            "Which of the two is in the weight gradient, ∂L/∂f or ∂L/∂z?",
        ),
        equation="layer",
        steps={"weight_gradient": f"({_ABOVE}) @ inputs.T"},
        needs=(CURVED,),
        in_game=False,
    ),
    Mistake(
        "gradients_before_slope",
        "The gradients are taken before the slope",
        "The gradients of a layer are made of δ = ∂L/∂z, the error times the slope of the "
        "activation. The pass makes them of the error before it is multiplied, ∂L/∂f; what it "
        "sends back is right.",
        hints=(
            "What is sent back from layer to layer is right.",
            "A factor is missing in the gradients of a layer, another one for each unit.",
            "Of which of the two are they made, ∂L/∂f or ∂L/∂z?",
        ),
        equation="layer",
        steps={
            "weight_gradient": f"({_ABOVE}) @ inputs.T",
            "bias_gradient": f"({_ABOVE}).sum(axis=1, keepdims=True)",
        },
        needs=(HIDDEN, CURVED_OUTPUT, BIASES),
        only_everywhere=True,
        in_game=False,
    ),
    Mistake(
        "bias_gradient_sums_weight_gradient",
        "The bias gradient is the sum of dA",
        "∂L/∂b is δ, summed over the samples. The sum over a row of dA is δ times the sum of the "
        "inputs: it is right only where the inputs add up to 1.",
        hints=(
            "The weight gradients are right.",
            "The bias gradients have a factor that depends on the input.",
            "Of what is the bias gradient made?",
        ),
        equation="layer",
        steps={"bias_gradient": "dA[i].sum(axis=1, keepdims=True)"},
        needs=(BIASES,),
        in_game=False,
    ),
    Mistake(
        "penalty_missing",
        "The penalty on the weights is missing",
        "The loss has a term with the squared weights, and each weight gradient a term with the "
        "weight itself. Here it is left out.",
        hints=(
            "The bias gradients are right.",
            "Subtract what is given from what is right, and compare it with the weights.",
            "Which terms does the loss have?",
        ),
        steps={"penalty": "dA[i]"},
        needs=(PENALTY,),
        in_game=False,
    ),
    Mistake(
        "penalty_doubled",
        "The 2 of the penalty is not cancelled",
        "The penalty has a ½ in front of the squared weights, which cancels the 2 of the "
        "derivative. Here the term is twice as large.",
        hints=(
            "The bias gradients are right.",
            "Subtract what is given from what is right, and compare it with the weights.",
            "Write down the derivative of the penalty by hand, and count the factors.",
        ),
        steps={
            "penalty": lambda right: right.code.replace("dA[i] + l2", "dA[i] + 2 * l2"),
        },
        needs=(PENALTY, HALF_PENALTY),
        in_game=False,
    ),
    Mistake(
        "penalty_halved",
        "The 2 of the penalty is missing",
        "The penalty has no ½ in front of the squared weights, so its derivative has a 2. Here the "
        "term is half as large as it should be.",
        hints=(
            "The bias gradients are right.",
            "Subtract what is given from what is right, and compare it with the weights.",
            "Write down the derivative of the penalty by hand, and count the factors.",
        ),
        steps={
            "penalty": lambda right: right.code.replace("dA[i] + 2 * l2", "dA[i] + l2"),
        },
        needs=(PENALTY, WHOLE_PENALTY),
        in_game=False,
    ),
)

_BATCH = (
    Mistake(
        "batch_not_averaged",
        "The batch is summed, not averaged",
        "The loss is the mean over the samples, so every gradient has the factor 1/N. Without it "
        "the gradients are N times too long: right for the sum of the losses.",
        hints=(
            "Look at the length of the gradients, and not at their direction.",
            "The length would change if there were more samples.",
            "Is the loss of a batch a sum or a mean?",
        ),
        steps={
            "share": lambda right: "1" if right.convention.reduction == "mean" else "1 / y.shape[0]"
        },
        needs=(SEVERAL, MEAN),
    ),
    Mistake(
        "batch_averaged",
        "The batch is averaged, not summed",
        "The loss is the sum over the samples, so no gradient has the factor 1/N. With it the "
        "gradients are N times too short: right for the mean of the losses.",
        hints=(
            "Look at the length of the gradients, and not at their direction.",
            "The length should change if there were more samples.",
            "Is the loss of a batch a sum or a mean?",
        ),
        steps={"share": "1 / N"},
        needs=(SEVERAL, SUM),
    ),
    Mistake(
        "averaged_once_per_layer",
        "The batch is averaged once for each layer",
        "The factor 1/N belongs to the loss and occurs once. Here it divides δ again on the way "
        "back, so the gradients from there on are N times too short.",
        hints=(
            "Look at the lengths of the gradients, from the last layer to the first.",
            "Every layer has the right direction; the length is lost by one factor at each step.",
            "How does that factor depend on the number of samples?",
        ),
        steps={"hidden_delta": "back * slope / N"},
        needs=(SEVERAL, HIDDEN),
        at_one="The batch is averaged once more",
    ),
    Mistake(
        "only_first_sample",
        "Only the first sample is used",
        "The gradient of a batch adds up what all samples say. Here only the first one is heard, "
        "and the others make no difference.",
        hints=(
            "Ask which samples the network learns.",
            "Most of the data make no difference.",
            "Which rows of the batch are in the sum?",
        ),
        steps={
            "weight_gradient": "delta[i + 1][:, :1] @ inputs[:, :1].T",
            "bias_gradient": "delta[i + 1][:, :1]",
        },
        needs=(SEVERAL,),
    ),
    Mistake(
        "only_last_sample",
        "Only the last sample is used",
        "The gradient of a batch adds up what all samples say. A loop with = in place of += keeps "
        "only what the last one says.",
        hints=(
            "Ask which samples the network learns.",
            "Most of the data make no difference.",
            "In a loop over the samples, what is the difference between = and +=?",
        ),
        steps={
            "weight_gradient": "delta[i + 1][:, -1:] @ inputs[:, -1:].T",
            "bias_gradient": "delta[i + 1][:, -1:]",
        },
        needs=(SEVERAL,),
    ),
    Mistake(
        "averaged_twice",
        "The batch is averaged twice",
        "The factor 1/N belongs to the loss and occurs once: in δ, or where the gradients are "
        "made. Here it is in both, so every gradient is N times too short.",
        hints=(
            "Look at the length of the gradients, and not at their direction.",
            "The length would change if there were more samples.",
            "Count how often a gradient is divided by the number of samples.",
        ),
        steps={"share": lambda right: f"{right.code} / N"},
        needs=(SEVERAL, MEAN),
        in_game=False,
    ),
    Mistake(
        "averaged_over_outputs",
        "The loss is averaged over the outputs, too",
        "The loss of a sample is the sum over its outputs. Here every gradient is divided by their "
        "number n_K as well, as np.mean does it without an axis.",
        hints=(
            "Look at the length of the gradients, and not at their direction.",
            "The length would change if there were more outputs.",
            "Is the loss of one sample a sum or a mean over its outputs?",
        ),
        steps={"share": lambda right: f"{right.code} / y.shape[0]"},
        needs=(OVER_SAMPLES, WIDE_OUTPUT),
        in_game=False,
    ),
    Mistake(
        "summed_over_outputs",
        "The loss is summed over the outputs, not averaged",
        "The loss is the mean over all samples and outputs, so every gradient has the factors 1/N "
        "and 1/n_K. Here the second one is missing.",
        hints=(
            "Look at the length of the gradients, and not at their direction.",
            "The length should change if there were more outputs.",
            "Over how many numbers is the mean of the loss?",
        ),
        steps={"share": "1 / N"},
        needs=(OVER_ENTRIES, WIDE_OUTPUT),
        in_game=False,
    ),
)

_STATE = (
    Mistake(
        "input_modified",
        "The input is changed in place",
        "The pass prepares its input in place: x -= x.mean() writes into the caller's own array. "
        "So the gradient is that of other data, and whoever uses x afterwards has other data too. "
        "x = x - x.mean() makes a new array.",
        hints=(
            "Look at the first layer, and at what it is given.",
            "After the call something is not what it was before.",
            "Compare x before the call with x after it.",
        ),
        steps={"input": "x -= x.mean()\nx"},
    ),
    Mistake(
        "state_kept_between_calls",
        "The last call's gradient is kept and added to",
        "The arrays for the gradient live outside of the pass and are never set to zero, so each "
        "call adds to the last one. The first call is right; from the second on the gradient is "
        "a sum over the past.",
        hints=(
            "Call it more than once.",
            "The first call is right.",
            "Where do the arrays come from to which each sample's gradient is added?",
        ),
        steps={"result": "add_to_last_call(dA, db)"},
        needs=(SEVERAL_CALLS,),
    ),
)

STAGES: Mapping[str, tuple[Mistake, ...]] = {
    "the forward pass": _FORWARD,
    "the output error": _OUTPUT_ERROR,
    "the slope σ′": _SLOPE,
    "back through the weights A": _BACK,
    "the gradients of A and b": _PARAMETERS,
    "the batch": _BATCH,
    "what Python keeps": _STATE,
}
"""The mistakes by the stage of the backward pass that they belong to."""

MISTAKES: tuple[Mistake, ...] = tuple(chain.from_iterable(STAGES.values()))
"""Every mistake, in the order in which a backward pass meets what it makes wrong, by and large."""

CATALOGUE: Mapping[str, Mistake] = {mistake.id: mistake for mistake in MISTAKES}
"""Every mistake by its id."""


def find(mistake: str) -> Mistake:
    """Return the mistake with this id.

    Raises
    ------
    NotFoundError
        There is none.
    """
    if mistake not in CATALOGUE:
        close = difflib.get_close_matches(str(mistake), CATALOGUE, n=1)
        raise NotFoundError(
            f"The catalogue has no mistake {mistake!r}.",
            given=f"id = {mistake!r}",
            expected="one of backprop_nb.checking.mistakes.CATALOGUE",
            instead=repr(close[0]) if close else None,
        )
    return CATALOGUE[mistake]


def stage_of(mistake: Mistake) -> str:
    """Return the stage of the backward pass to which a mistake belongs.

    >>> stage_of(find("sigma_prime_twice")), stage_of(find("only_last_sample"))
    ('the slope σ′', 'the batch')
    """
    return next(stage for stage, mistakes in STAGES.items() if mistake in mistakes)


# --- a pass with mistakes ---------------------------------------------------


def make_backward(
    *ids: str,
    learning_rate: float = LEARNING_RATE,
    layers: Mapping[str, Iterable[int]] | None = None,
    **convention: Any,
) -> ReferencePass:
    """Return a backward pass with the named mistakes; without any it is right.

    Parameters
    ----------
    *ids : str
    learning_rate : float
        Only "updated_before_use" looks at it.
    layers : mapping, optional
        By a mistake's id the layers, 1 to K, at which it is made; at all without.
    **convention
        ``samples``, ``reduction``, ``activation`` and whatever else a
        :class:`~backprop_nb.checking.convention.Convention` has.  ``check_backward`` must be
        told the same; here samples are "rows" by default.

    Returns
    -------
    ReferencePass
        A function (A, b, x, y) → (dA, db).  It raises ``InvalidValueError`` where one
        of the mistakes cannot be made, as a transpose in layers of unequal width.

    Raises
    ------
    NotFoundError
        A mistake is not in the catalogue.
    InvalidValueError
        Two mistakes in one step, or an unknown convention.

    Examples
    --------
    >>> backward = make_backward("sign_flipped", samples="single")
    >>> backward(A=[[[1.0]]], b=[[0.0]], x=[0.0], y=[1.0])
    ([array([[0.]])], [array([0.25])])

    >>> import numpy as np
    >>> from backprop_nb import SigmoidNetwork
    >>> forgotten = "sigma_prime_missing_in_hidden"
    >>> net = SigmoidNetwork((2, 3, 3, 1), seed=0)
    >>> backward = make_backward(forgotten, samples="single", layers={forgotten: [1]})
    >>> given, right = backward(net.A, net.b, [1, 0], [1])[0], net.backward([1, 0], [1]).A
    >>> [bool(np.allclose(*each)) for each in zip(given, right)]
    [False, True, True]
    """
    at = {each: tuple(sorted(set(those))) for each, those in (layers or {}).items()}
    for each in at.keys() - set(ids):
        raise InvalidValueError(
            f"`layers` names the mistake {each!r}, which this pass does not have.",
            given=f"layers of {each!r}",
            expected=f"layers of {' or of '.join(map(repr, ids)) or 'no mistake'}",
        )
    placed = [PlacedMistake(find(each), at.get(each)) for each in ids]
    return pass_with(placed, Convention(**{"samples": "rows", **convention}), learning_rate)


def pass_with(
    placed: Sequence[PlacedMistake],
    convention: Convention,
    learning_rate: float = LEARNING_RATE,
) -> ReferencePass:
    """Return a backward pass with mistakes where they are made; see :func:`make_backward`."""
    code = right_code(convention)
    for k, each in enumerate(placed):
        for other in filter(each.meets, placed[:k]):
            name = next(name for name in each.mistake.steps if name in other.mistake.steps)
            raise InvalidValueError(
                "These two mistakes do not combine: both replace one step.",
                given=f"{other.mistake.id!r} and {each.mistake.id!r}, which both replace "
                f"{STEP[name].title}",
                expected="mistakes in different steps",
            )
        each.replace_in(code, convention)
    needs = [condition for each in placed for condition in each.needs]
    return ReferencePass(convention, code, needs=needs, learning_rate=learning_rate)

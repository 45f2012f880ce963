"""Mistakes in σ′, by which every layer multiplies."""

from __future__ import annotations

from collections.abc import Callable

from backprop_nb.checking.catalogue.needs import (
    CURVED,
    CURVED_HIDDEN,
    CURVED_OUTPUT,
    DEEP,
    EQUAL,
    EQUAL_HIDDEN,
    uses,
)
from backprop_nb.checking.mistake import Code, Mistake, Right, Words
from backprop_nb.checking.reference import activation_code, slope_code


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


def _slope_at_error(right: Right, error: str) -> str:
    return _slope_at(error)(right) if right.has_slope else right.code


def _slope_of_layer(i: str) -> Callable[[Right], str]:
    """Return the slope of another layer."""
    return lambda right: slope_code(right.activation, f"f[{i}]", f"z[{i}]")


MISTAKES = (
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
            "Begin at the end of the network, with its output.",
            "Every other step of the way back is right. What is the very first one?",
            "The output has an activation too.",
        ),
        equation="sigmoid",
        steps={"output_slope": "1"},
        needs=(CURVED_OUTPUT,),
        otherwise=Words(
            "The slope is missing at the output",
            "The output goes through an activation too, so its δ = ∂L/∂z is ∂L/∂f times the slope "
            "there. Only for the cross-entropy it cancels.",
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
            "A slope of this activation is never negative. Here one is.",
            "Which of the two, z or f, belongs into the formula of the slope?",
        ),
        equation="sigmoid",
        steps=_both_slopes(lambda right: slope_code(right.activation, "z[i]"), "sigmoid", "tanh"),
        needs=(uses("sigmoid", "tanh"),),
        otherwise=Words(
            "The slope's formula in f is computed with z",
            "The slope can be written in terms of the activation: f (1 − f) for a sigmoid, 1 − f² "
            "for tanh. With the pre-activation z in its place that is no slope at all, and can be "
            "negative.",
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
        needs=(uses("sigmoid"),),
    ),
    Mistake(
        "sigma_prime_twice",
        "σ′ is applied twice",
        "Going back through a sigmoid multiplies by its slope once. Here it does so twice. σ′ is "
        "at most ¼, so the gradients are too short, the more so the further back.",
        hints=(
            "Look at the lengths of the gradients, from the last layer to the first.",
            "At every layer one factor is there that should not be.",
            "Count how often the slope occurs at one layer.",
        ),
        equation="sigmoid",
        steps=_both_slopes(lambda right: f"({right.code}) ** 2"),
        needs=(CURVED,),
        otherwise=Words(
            "The slope is applied twice",
            "Going back through an activation multiplies by its slope once. Here it does so twice, "
            "at every layer.",
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
        ),
    ),
    Mistake(
        "sigma_prime_of_layer_below",
        "The slope comes from the layer below",
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
        "The output's slope is used in every layer",
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
        otherwise=Words(
            "f stands in place of its slope",
            "Going back through an activation multiplies by its derivative, and here it is "
            "multiplied by the activation itself: the larger f is, the more comes back, whatever "
            "the slope is there.",
        ),
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
        needs=(uses("sigmoid", "relu", "leaky relu"),),
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
        needs=(uses("tanh", "relu", "leaky relu"),),
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
        needs=(uses("sigmoid", "tanh", "leaky relu"),),
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

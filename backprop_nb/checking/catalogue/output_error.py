"""Mistakes in the error at the output, with which the way back begins."""

from __future__ import annotations

from backprop_nb.checking.catalogue.needs import CROSS_ENTROPY, HALF, PROBABILITY, SQUARES, WHOLE
from backprop_nb.checking.mistake import Mistake, Words

MISTAKES = (
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
            "Every number is as large as it should be. What else does a number have?",
            "Look at the order of the two terms in the output error.",
        ),
        equation="loss",
        steps={"error": "y - f[K]"},
        otherwise=Words(
            "The sign is flipped",
            "The pass starts from y − f where f − y is right, so every gradient points the wrong "
            "way: a step of gradient descent then climbs.",
        ),
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
        "The derivative of the cross-entropy has the probabilities in its denominator, and going "
        "back through the output cancels them: δ_K = ∂L/∂z is f − y, up to the share of a sample. "
        "With a slope, too, the pass follows another loss, and outputs that are wrong and sure of "
        "it hardly learn.",
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

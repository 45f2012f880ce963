"""Mistakes on the way back through the weights."""

from __future__ import annotations

from backprop_nb.checking.catalogue.needs import (
    CURVED,
    DEEP,
    EQUAL,
    EQUAL_HIDDEN,
    HIDDEN,
    SEVERAL_UNITS,
)
from backprop_nb.checking.mistake import Mistake, Words

ABOVE = "back if i < K - 1 else factor * share * error"
"""∂L/∂f of the layer above, where the error has come to layer i."""

MISTAKES = (
    Mistake(
        "weights_not_transposed",
        "The weights are not transposed",
        "Forward, A maps the lower layer to the upper one. Backward, Aᵀ maps the upper layer's δ "
        "to the lower one. With A itself the error reaches the wrong units; with layers of equal "
        "width nothing complains.",
        hints=(
            "The last layer is right.",
            "The error gets through the weights to the wrong units.",
            "On the way back rows and columns of the weights change places.",
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
        steps={"back": f"weights.T @ ({ABOVE})"},
        needs=(HIDDEN, CURVED),
        at_one="The error from the layer above comes without σ′",
        otherwise=Words(
            "The error is sent back without the slope",
            "What goes back through the weights is δ = ∂L/∂z, the error times the slope. Here the "
            "slope is applied for the layer's own gradient, but what is sent on lacks it. Each "
            "layer has its own slope, and none of those above it.",
            at_one="The error from the layer above comes without the slope",
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

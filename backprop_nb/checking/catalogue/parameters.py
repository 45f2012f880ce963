"""Mistakes in the gradients of A and b."""

from __future__ import annotations

from backprop_nb.checking.catalogue.back import ABOVE
from backprop_nb.checking.catalogue.needs import (
    BIASES,
    CURVED,
    CURVED_HIDDEN,
    CURVED_OUTPUT,
    EQUAL,
    EQUAL_HIDDEN,
    HALF_PENALTY,
    HIDDEN,
    ONE_SAMPLE,
    PENALTY,
    SEVERAL,
    WHOLE_PENALTY,
    WIDE,
    WIDE_LAYER,
)
from backprop_nb.checking.mistake import Mistake, Words

MISTAKES = (
    Mistake(
        "weight_gradient_transposed",
        "The weight gradient is transposed",
        "∂L/∂A = δ fᵀ has a row for each unit and a column for each of its inputs, as A has. f δᵀ "
        "has them the other way round; in a square layer nothing complains.",
        hints=(
            "The bias gradients are right, if there are any, and so is every δ.",
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
            "What is a layer given, what stands before the activation or behind it?",
        ),
        equation="layer",
        steps={"layer_input": "z[i] if i > 0 else x"},
        needs=(CURVED_HIDDEN,),
        first_layer=2,
        otherwise=Words(
            "z stands in place of the layer's input f",
            "∂L/∂A_i = δ fᵀ needs what the layer was given. That is the activation f_i, not z_i. "
            "The first layer, which is given x, is right.",
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
        steps={"bias_gradient": f"({ABOVE}).sum(axis=1, keepdims=True)"},
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
        steps={"weight_gradient": f"({ABOVE}) @ inputs.T"},
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
            "weight_gradient": f"({ABOVE}) @ inputs.T",
            "bias_gradient": f"({ABOVE}).sum(axis=1, keepdims=True)",
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

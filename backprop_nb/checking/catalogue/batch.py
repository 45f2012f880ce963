"""Mistakes in how samples come together."""

from __future__ import annotations

from backprop_nb.checking.catalogue.needs import (
    HIDDEN,
    MEAN,
    OVER_ENTRIES,
    OVER_SAMPLES,
    SEVERAL,
    SUM,
    WIDE_OUTPUT,
)
from backprop_nb.checking.mistake import Mistake

MISTAKES = (
    Mistake(
        "batch_not_averaged",
        "The batch is summed, not averaged",
        "The loss is the mean over the samples, so every gradient has the factor 1/N. Without it "
        "the gradients are N times too long: right for the sum of the losses.",
        hints=(
            "Look at the length of the gradients, and not at their direction.",
            "The gradient's length would change if there were more samples.",
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
            "The gradient's length should change if there were more samples.",
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
            "The gradient's length would change if there were more samples.",
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
            "The gradient's length would change if there were more outputs.",
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
            "The gradient's length should change if there were more outputs.",
            "Over how many numbers is the mean of the loss?",
        ),
        steps={"share": "1 / N"},
        needs=(OVER_ENTRIES, WIDE_OUTPUT),
        in_game=False,
    ),
)

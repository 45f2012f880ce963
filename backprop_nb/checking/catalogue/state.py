"""Mistakes in what Python keeps between lines and calls."""

from __future__ import annotations

from backprop_nb.checking.catalogue.needs import SEVERAL_CALLS
from backprop_nb.checking.mistake import Mistake

MISTAKES = (
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

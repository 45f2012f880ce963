"""What a mistake needs, to be made and to be seen."""

from __future__ import annotations

from backprop_nb.checking.reference import Condition, Situation


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
NOT_LINEAR = Condition("an output that is not linear", lambda s: s.convention.output != "identity")
BIASES = Condition("biases", lambda s: s.convention.has_bias)
PENALTY = Condition("l2 above 0", lambda s: s.convention.l2 > 0)
HALF_PENALTY = Condition("l2_factor with a half", lambda s: s.convention.l2_factor[:3] == "1/2")
WHOLE_PENALTY = Condition("l2_factor without a half", lambda s: s.convention.l2_factor[:3] != "1/2")


def uses(*names: str) -> Condition:
    """Return the need of a slope that belongs to one of some activations."""

    def holds(s: Situation) -> bool:
        hidden = CURVED_HIDDEN.holds(s) and s.convention.activation in names
        return hidden or (CURVED_OUTPUT.holds(s) and s.convention.output in names)

    return Condition(f"a slope of {' or '.join(names)}", holds)


SIGMOIDS = Condition(
    "a layer of sigmoids",
    lambda s: (
        s.convention.output == "sigmoid" or (s.K > 1 and s.convention.activation == "sigmoid")
    ),
)

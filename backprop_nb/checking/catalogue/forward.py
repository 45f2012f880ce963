"""Mistakes on the way forward."""

from __future__ import annotations

from collections.abc import Callable

from backprop_nb.checking.catalogue.needs import BIASES, NOT_LINEAR, SIGMOIDS, WIDE_LAYER
from backprop_nb.checking.mistake import Code, Mistake
from backprop_nb.checking.reference import activation_code


def _activations(change: Callable[[str], str]) -> dict[str, Code]:
    """Return the code of the activations with each sigmoid in it changed."""
    return {"activation": lambda right: change(right.code)}


MISTAKES = (
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
        needs=(NOT_LINEAR,),
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

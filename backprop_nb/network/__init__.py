"""The document's network, without the tracer: the two check each other."""

from backprop_nb.network.comparison import ComparisonNetwork
from backprop_nb.network.history import History
from backprop_nb.network.sigmoid import (
    Forward,
    Gradient,
    SigmoidNetwork,
    sigma,
    sigma_prime,
)

__all__ = [
    "ComparisonNetwork",
    "Forward",
    "Gradient",
    "History",
    "SigmoidNetwork",
    "sigma",
    "sigma_prime",
]

"""The document's network, without the tracer: the two check each other."""

from backprop_nb.network.sigmoid import (
    Forward,
    Gradient,
    SigmoidNetwork,
    sigma,
    sigma_prime,
)

__all__ = ["Forward", "Gradient", "SigmoidNetwork", "sigma", "sigma_prime"]

"""The document's network and its general form.

The document's own passes know no tracer, so each can check the other.
"""

from backprop_nb.network.chain import Chain, PartialProduct
from backprop_nb.network.history import History
from backprop_nb.network.jacobians import Jacobian
from backprop_nb.network.network import Network
from backprop_nb.network.passes import Forward, Gradient, sigma, sigma_prime
from backprop_nb.network.sigmoid import SigmoidNetwork
from backprop_nb.network.transposes import Transposes, TransposeStep

__all__ = [
    "Chain",
    "Forward",
    "Gradient",
    "History",
    "Jacobian",
    "Network",
    "PartialProduct",
    "SigmoidNetwork",
    "TransposeStep",
    "Transposes",
    "sigma",
    "sigma_prime",
]

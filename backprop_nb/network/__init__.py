"""The document's network and its general form.

The document's own passes know no tracer, so each can check the other.
"""

from typing import TYPE_CHECKING

from backprop_nb.fronts import later

if TYPE_CHECKING:
    from backprop_nb.network.chain import Chain as Chain
    from backprop_nb.network.chain import PartialProduct as PartialProduct
    from backprop_nb.network.history import History as History
    from backprop_nb.network.jacobians import Jacobian as Jacobian
    from backprop_nb.network.network import Network as Network
    from backprop_nb.network.passes import Forward as Forward
    from backprop_nb.network.passes import Gradient as Gradient
    from backprop_nb.network.passes import sigma as sigma
    from backprop_nb.network.passes import sigma_prime as sigma_prime
    from backprop_nb.network.sigmoid import SigmoidNetwork as SigmoidNetwork
    from backprop_nb.network.transposes import Transposes as Transposes
    from backprop_nb.network.transposes import TransposeStep as TransposeStep

_NAMES = {
    "chain": ["Chain", "PartialProduct"],
    "history": ["History"],
    "jacobians": ["Jacobian"],
    "network": ["Network"],
    "passes": ["Forward", "Gradient", "sigma", "sigma_prime"],
    "sigmoid": ["SigmoidNetwork"],
    "transposes": ["Transposes", "TransposeStep"],
}
__all__ = [name for names in _NAMES.values() for name in names]
__getattr__ = later(__name__, _NAMES)

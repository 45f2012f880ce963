"""When something becomes known as a network is stepped through: forward, the loss, backward."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Moments:
    """The steps of a replay through ``K`` layers.

    Step 0 is before anything is computed; at step i layer i has its f_i; then
    comes the loss; then δ_K, …, δ_1, each with the gradient of the parameters
    before it.

    >>> moments = Moments(3)
    >>> [moments.forward(i) for i in (1, 2, 3)], moments.loss
    ([1, 2, 3], 4)
    >>> [moments.backward(i) for i in (3, 2, 1)], moments.last
    ([5, 6, 7], 7)
    """

    K: int

    def forward(self, i: int) -> int:
        """Return the step at which z_i and f_i are known; the input, f_0, always is."""
        return i

    @property
    def loss(self) -> int:
        """The step at which the loss is known."""
        return self.K + 1

    def backward(self, i: int) -> int:
        """Return the step at which δ_i and ∂L/∂θ_{i−1} are known."""
        return 2 * self.K + 2 - i

    @property
    def last(self) -> int:
        """The step at which all is known."""
        return 2 * self.K + 1


_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def indexed(symbol: str, i: int, *entry: int) -> str:
    """Return a symbol with its index, and which of its entries is meant.

    >>> indexed("δ", 12), indexed("A", 1, 0, 2)
    ('δ₁₂', 'A₁[0, 2]')
    """
    of = f"[{', '.join(map(str, entry))}]" if entry else ""
    return f"{symbol}{str(i).translate(_DIGITS)}{of}"

"""The document's network: a case of the general one, whose choices are made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop_nb.errors import ShapeError, UnsupportedError
from backprop_nb.meant import suggesting
from backprop_nb.network.network import Network


class SigmoidNetwork(Network):
    """The document's network: K layers f_i = σ(A_{i−1} f_{i−1} + b_{i−1}), equation [layer].

    Its loss is L(θ) = ‖y − f_K(θ, x)‖² with θ = {A_0, b_0, …, A_{K−1}, b_{K−1}},
    equations [loss], [theta].  All it can do, it can as a :class:`Network`.

    Parameters
    ----------
    widths : sequence of int
        (n_0, ..., n_K): the number of inputs, then of the units of each layer.
    seed : int or numpy.random.Generator, optional
        Where the initial weights come from.
    scale : "xavier", "document" or float, optional
        Standard deviation of the initial weights: √(2 / (n_in + n_out)) for
        "xavier" or None (Glorot and Bengio, 2010), 1 for "document".
    dtype : float64 or float32, optional
        As for a :class:`Network`.

    Attributes
    ----------
    A, b : lists of arrays
        ``A[i]`` of shape (n_{i+1}, n_i) and ``b[i]`` of shape (n_{i+1},), for
        i = 0, ..., K−1; ``b[i]`` is zero to begin with.
    widths : tuple of int
    K : int
        The number of layers.

    Raises
    ------
    InvalidValueError
        Fewer than two widths, a width below 1, a scale that is negative or not
        finite.
    UnsupportedError
        A width that is not an integer.

    Examples
    --------
    >>> net = SigmoidNetwork((4, 3, 1), seed=0)
    >>> net
    SigmoidNetwork(widths=(4, 3, 1))
    >>> x, y = [5.1, 3.5, 1.4, 0.2], [1]
    >>> net(x).shape
    (1,)
    >>> before, gradient = net.loss_and_gradient(x, y)
    >>> for i in range(net.K):
    ...     net.A[i] = net.A[i] - 0.1 * gradient.A[i]
    ...     net.b[i] = net.b[i] - 0.1 * gradient.b[i]
    >>> net.loss(x, y) < before
    True
    """

    @suggesting
    def __init__(
        self,
        widths: Iterable[int],
        seed: int | np.random.Generator | None = None,
        scale: float | Literal["xavier", "document"] | None = None,
        *,
        dtype: DTypeLike | None = None,
    ) -> None:
        super().__init__(widths, seed, scale, dtype=dtype)

    @classmethod
    def from_parameters(
        cls, A: Iterable[ArrayLike], b: Iterable[ArrayLike] = (), **choices: Any
    ) -> Self:
        """Return the network with these parameters, copied.

        ``A[i]`` is of shape (n_{i+1}, n_i), ``b[i]`` of shape (n_{i+1},).  It raises
        what :meth:`Network.from_parameters` does, and ``UnsupportedError`` for a choice.

        Examples
        --------
        >>> net = SigmoidNetwork.from_parameters(A=[[[1, 2]], [[3], [4]]], b=[[0], [0, 1]])
        >>> net.widths
        (2, 1, 2)
        """
        if choices:
            raise UnsupportedError(
                f"A `SigmoidNetwork` has no `{next(iter(choices))}`: it is the document's network.",
                given=", ".join(f"{name} = {value!r}" for name, value in choices.items()),
                expected="A and b",
                instead=f"Network.from_parameters(A, b, {', '.join(f'{n}=...' for n in choices)})",
            )
        net = super().from_parameters(A, b)
        if not net.bias:
            raise ShapeError(
                "`A` and `b` must hold one array for each layer.",
                given=f"{len(net.A)} in A, 0 in b",
                expected="as many in both",
                instead="Network.from_parameters(A), which has no bias",
            )
        return net

    def _choices(self) -> dict[str, Any]:
        return {}

"""The document, line by line: its equations as NumPy, made to be read next to it.

``sigma``, ``forward_pass``, ``squared_error`` and ``backward_pass`` are plain
functions; "equation [loss]" is the one with that tag in ``document.py``.  What
they are given is checked before, by the network.

Nothing here uses the tracer, so each can check the other.

Everything is written for one input per row.  The document's A f is therefore
``f @ A.T``, which for a single input f, a vector, is the same numbers as
``A @ f``; its Aᵀδ is ``delta @ A``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb.errors import NotFoundError
from backprop_nb.meant import Suggesting
from backprop_nb.network import validation
from backprop_nb.network.validation import FloatArray

# --- what the passes return -------------------------------------------------


class PerLayer(dict[int, FloatArray]):
    """One array per layer, numbered 1, ..., K as in the document.

    A mapping and not a list, because a list would start at 0, and there is no
    z_0: the input is given, not computed.

    Examples
    --------
    >>> z = PerLayer({1: np.zeros(3), 2: np.zeros(1)})
    >>> z[2]
    array([0.])
    >>> {i: z_i.shape for i, z_i in z.items()}
    {1: (3,), 2: (1,)}
    >>> z[0]
    Traceback (most recent call last):
        ...
    backprop_nb.errors.NotFoundError: `[0]` is not a layer.
      expected: [1] to [2], numbered as in the document
    """

    def __missing__(self, i: object) -> FloatArray:
        raise NotFoundError(
            f"`[{i!r}]` is not a layer.",
            expected=f"[1] to [{len(self)}], numbered as in the document",
        )


@dataclass(frozen=True, eq=False)
class Forward(Suggesting):
    """All values of a forward pass, indexed as in the document.

    Attributes
    ----------
    f : tuple of arrays
        ``f[0]`` is the input x, ``f[i]`` the output of layer i, ``f[K]`` that of
        the network.  Each is ``(n_i,)``, or ``(N, n_i)`` for a batch.
    z : PerLayer
        ``z[i]``, for i = 1, ..., K, is what layer i hands to σ: the
        pre-activation, of the shape of ``f[i]``.  There is no ``z[0]``.
    """

    f: tuple[FloatArray, ...]
    z: PerLayer


@dataclass(slots=True, eq=False)  # not frozen: that would take longer than a product
class Gradient(Suggesting):
    """The gradient of the loss, indexed as in the document.

    Attributes
    ----------
    A : tuple of arrays
        ``A[i]`` is ∂L/∂A_i, of the shape of A_i.
    b : tuple of arrays
        ``b[i]`` is ∂L/∂b_i, of the shape of b_i; empty if the network has no bias.
    delta : PerLayer
        ``delta[i]``, for i = 1, ..., K, is ∂L/∂z_i, with z_i the pre-activation
        of layer i.  It has the shape of z_i; in a batch, row n belongs to input
        n and carries the 1/N of the mean.  Only the plain ``backward`` stores it.
    """

    A: tuple[FloatArray, ...]
    b: tuple[FloatArray, ...]
    delta: PerLayer = field(default_factory=lambda: NOT_STORED)


class _NotStored(PerLayer):
    """The delta of a pass that writes over it."""

    def __missing__(self, i: object) -> FloatArray:
        raise NotFoundError(
            "The fast pass does not store `delta`.",
            given=f"delta[{i!r}] of the gradient from loss_and_gradient",
            instead=f"net.backward(x, y).delta[{i!r}]",
        )


NOT_STORED: PerLayer = _NotStored()

# --- the document, line by line ---------------------------------------------


@overload
def sigma(z: float) -> np.floating[Any]: ...
@overload
def sigma(z: ArrayLike) -> FloatArray: ...
def sigma(z: ArrayLike) -> FloatArray | np.floating[Any]:
    """Return the sigmoid σ(z) = 1 / (1 + e^(−z)), element by element: equation [sigmoid].

    As it stands the formula overflows for z = −1000.  Multiplied above and below
    by e^z it reads e^z / (1 + e^z), which is safe there and keeps its precision
    however close σ comes to 0.  So each element takes the form whose
    exponential is at most 1.

    Parameters
    ----------
    z : array_like of real numbers, any shape

    Returns
    -------
    A scalar for a scalar, else an array of the shape of `z`; float32 stays
    float32, and integers become float64.

    Examples
    --------
    >>> print(sigma(0.0))
    0.5
    >>> sigma([-1000, 0, 1000])
    array([0. , 0.5, 1. ])
    """
    z = validation.as_floats("z", z)
    with np.errstate(under="ignore"):  # e^-1000 is 0, and 0 is right
        e = np.exp(-np.abs(z))
        sigmoid: FloatArray = np.where(z >= 0, 1, e) / (1 + e)
    return sigmoid


def sigma_prime(z: ArrayLike) -> FloatArray:
    """Return σ′(z) = σ(z) (1 − σ(z)), of equation [sigmoid].

    Its argument is the pre-activation z.  Who has f = σ(z) already writes f * (1 − f).

    Parameters
    ----------
    z : array_like of real numbers, any shape

    Examples
    --------
    >>> print(sigma_prime(0.0))
    0.25
    """
    return sigma_slope(sigma(z))


def sigma_slope(f: FloatArray) -> FloatArray:
    """Return σ′(z) from f = σ(z), which a forward pass keeps.

    Examples
    --------
    >>> print(sigma_slope(sigma(0.0)))
    0.25
    """
    return f * (1 - f)


def forward_pass(A: Sequence[FloatArray], b: Sequence[FloatArray], x: FloatArray) -> Forward:
    """Return every f_i and z_i on the way from x to f_K: equations [composition], [layer].

    Parameters
    ----------
    A, b : sequences of arrays, ``A[i]`` of shape (n_{i+1}, n_i) and ``b[i]`` (n_{i+1},)
    x : array of shape (n_0,) or (N, n_0)

    Examples
    --------
    >>> forward = forward_pass([np.ones((3, 2)), np.zeros((1, 3))], [0, 0], np.ones(2))
    >>> forward.z[1], forward.f[2]
    (array([2., 2., 2.]), array([0.5]))
    """
    f, z = [x], PerLayer()
    for i in range(1, len(A) + 1):
        z[i] = f[i - 1] @ A[i - 1].T + b[i - 1]  # z_i = A_{i−1} f_{i−1} + b_{i−1}
        f.append(sigma(z[i]))  # f_i = σ(z_i)
    return Forward(tuple(f), z)


def squared_error(y: FloatArray, f_K: FloatArray) -> float:
    """Return L = ‖y − f_K‖², equation [loss]; of a batch the mean over its rows.

    Parameters
    ----------
    y, f_K : arrays of one shape, (n_K,) or (N, n_K)

    Examples
    --------
    >>> squared_error(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
    0.5
    """
    return float(np.mean(np.sum((y - f_K) ** 2, axis=-1)))


def backward_pass(A: Sequence[FloatArray], f: Sequence[FloatArray], y: FloatArray) -> Gradient:
    """Return ∂L/∂θ_i for every i, by the document's chain rule.

    Equation [chain-general] is

        ∂L/∂θ_i = ∂L/∂f_K · ∂f_K/∂f_{K−1} · … · ∂f_{i+2}/∂f_{i+1} · ∂f_{i+1}/∂θ_i.

    Every i needs the factors on the left again, so they are multiplied once,
    from the left, and stored.  What is stored for layer i is δ_i = ∂L/∂z_i, in which
    the σ′ of layer i is already included: ∂f_i/∂z_i = diag(σ′(z_i)).

    Parameters
    ----------
    A : sequence of arrays, ``A[i]`` of shape (n_{i+1}, n_i)
    f : sequence of arrays f_0, ..., f_K, from :func:`forward_pass`
    y : array of the shape of f_K

    Examples
    --------
    One unit, worked by hand: f_1 = σ(0) = 0.5, so δ_1 = 2 (0.5 − 1) · 0.25.

    >>> A, b, x, y = [np.array([[0.0]])], [np.array([0.0])], np.array([3.0]), np.array([1.0])
    >>> gradient = backward_pass(A, forward_pass(A, b, x).f, y)
    >>> gradient.delta[1], gradient.A[0], gradient.b[0]
    (array([-0.25]), array([[-0.75]]), array([-0.25]))
    """
    K = len(A)
    N = len(y) if y.ndim == 2 else 1
    delta = PerLayer()

    # ∂L/∂f_K = 2 (f_K − y), because L = ‖y − f_K‖²; a batch takes the mean.
    delta[K] = 2 / N * (f[K] - y) * sigma_slope(f[K])

    # Next factor, ∂f_{i+1}/∂f_i: through z_{i+1} = A_i f_i + b_i, so ∂z_{i+1}/∂f_i = A_i.
    for i in reversed(range(1, K)):
        delta[i] = (delta[i + 1] @ A[i]) * sigma_slope(f[i])

    # Last factor, ∂f_{i+1}/∂θ_i: ∂z_{i+1}/∂b_i is the identity, and A_i meets f_i.
    dA = [sum_of_outer(delta[i + 1], f[i]) for i in range(K)]
    db = [sum_of_rows(delta[i + 1]) for i in range(K)]
    return Gradient(tuple(dA), tuple(db), PerLayer(sorted(delta.items())))


def sum_of_outer(delta: FloatArray, f: FloatArray) -> FloatArray:
    """Return δ fᵀ, added over the rows of a batch.

    Examples
    --------
    >>> sum_of_outer(np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0]))
    array([[ 3.,  4.,  5.],
           [ 6.,  8., 10.]])
    """
    product: FloatArray = np.atleast_2d(delta).T @ np.atleast_2d(f)
    return product


def sum_of_rows(delta: FloatArray) -> FloatArray:
    """Return δ, added over the rows of a batch.

    Examples
    --------
    >>> sum_of_rows(np.array([[1.0, 2.0], [10.0, 20.0]]))
    array([11., 22.])
    """
    total: FloatArray = np.atleast_2d(delta).sum(axis=0)
    return total

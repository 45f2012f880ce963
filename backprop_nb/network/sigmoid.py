"""The document's network: its parameters, what it computes, and how it learns.

:class:`SigmoidNetwork` holds the parameters and checks what it is given.  The
equations are in ``passes.py``, line by line, and in ``fast.py`` once more for
speed; training, storage and the rest stand in files of their own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb.errors import InvalidValueError
from backprop_nb.network import validation
from backprop_nb.network.fast import FastPass, Pass
from backprop_nb.network.history import History
from backprop_nb.network.passes import (
    NOT_KEPT,
    Forward,
    Gradient,
    backward_pass,
    forward_pass,
    sigma_prime,
    squared_error,
)
from backprop_nb.network.storage import read_parameters, write_parameters
from backprop_nb.network.validation import FloatArray
from backprop_nb.network.written import loss_of_one, loss_of_rows

if TYPE_CHECKING:
    from backprop_nb.network.chain import Chain
    from backprop_nb.tracing import Graph

SATURATED = 0.2
"""A unit whose slope is below this share of the largest slope is saturated."""


class SigmoidNetwork:
    """The document's network: K layers f_i = σ(A_{i−1} f_{i−1} + b_{i−1}), equation [layer].

    Its loss is L(θ) = ‖y − f_K(θ, x)‖² with θ = {A_0, b_0, …, A_{K−1}, b_{K−1}},
    equations [loss], [theta].

    Parameters
    ----------
    widths : sequence of int
        (n_0, ..., n_K): the number of inputs, then of the units of each layer.
    seed : int or numpy.random.Generator, optional
        Where the initial weights come from.
    scale : "xavier", "document" or float, optional
        Standard deviation of the initial weights.  "xavier", which is also what
        None means, gives each layer its own, √(2 / (n_in + n_out)) (Glorot and
        Bengio, 2010); "document" is the standard normal distribution, 1.

    Attributes
    ----------
    A : list of arrays
        ``A[i]``, of shape (n_{i+1}, n_i), for i = 0, ..., K−1.
    b : list of arrays
        ``b[i]``, of shape (n_{i+1},), for i = 0, ..., K−1; zero to begin with.
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

    Notes
    -----
    ``x`` is one input, ``(n_0,)``, or a batch with one input per row,
    ``(N, n_0)``; ``y`` is ``(n_K,)`` or ``(N, n_K)`` alike.  Both may be lists or
    numbers, and are converted to the parameters' dtype.  Every method raises
    ``ShapeError`` if they do not fit, ``InvalidValueError`` if they are empty,
    ``UnsupportedError`` if they are not real numbers, and warns of NaN and
    infinity.

    ``A[i]`` and ``b[i]`` may be assigned, as in a training step by hand.

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

    A: list[FloatArray]
    b: list[FloatArray]
    widths: tuple[int, ...]
    _fast: Pass

    def __init__(
        self,
        widths: Iterable[int],
        seed: int | np.random.Generator | None = None,
        scale: float | Literal["xavier", "document"] | None = None,
    ) -> None:
        self.widths = validation.checked_widths(widths, seed, scale)
        random = validation.checked_generator(seed)
        self.A, self.b = [], []
        for n_in, n_out in pairwise(self.widths):
            deviation = validation.checked_scale(scale, n_in, n_out)
            self.A.append(deviation * random.standard_normal((n_out, n_in)))
            self.b.append(np.zeros(n_out))
        self._fast = FastPass(self.widths)

    @classmethod
    def from_parameters(cls, A: Iterable[ArrayLike], b: Iterable[ArrayLike]) -> Self:
        """Return the network with these parameters, copied.

        Parameters
        ----------
        A : sequence of array_like, ``A[i]`` of shape (n_{i+1}, n_i)
        b : sequence of array_like, ``b[i]`` of shape (n_{i+1},)
            Integers become floats.  All parameters get one dtype, the widest of
            those given: float32 alone stays float32.

        Raises
        ------
        ShapeError
            An ``A[i]`` that does not fit the one before, a ``b[i]`` that does not
            fit its ``A[i]``, or one without the other.
        InvalidValueError
            A layer without units.
        UnsupportedError
            Complex numbers, objects, text.

        Examples
        --------
        >>> net = SigmoidNetwork.from_parameters(A=[[[1, 2]], [[3], [4]]], b=[[0], [0, 1]])
        >>> net.widths
        (2, 1, 2)
        """
        net = cls.__new__(cls)
        net.A, net.b = validation.new_parameters(A, b)
        net.widths = validation.widths_of(net.A)
        net._fast = FastPass(net.widths)
        return net

    def __repr__(self) -> str:
        return f"SigmoidNetwork(widths={self.widths})"

    @property
    def K(self) -> int:
        """The number of layers."""
        return len(self.widths) - 1

    def __call__(self, x: ArrayLike) -> FloatArray:
        """Return the output f_K(θ, x), of shape (n_K,) or (N, n_K)."""
        return self.forward(x).f[-1]

    def forward(self, x: ArrayLike) -> Forward:
        """Return every value on the way: f_i = σ(z_i), z_i = A_{i−1} f_{i−1} + b_{i−1}.

        Parameters
        ----------
        x : array_like of shape (n_0,) or (N, n_0)

        Examples
        --------
        >>> net = SigmoidNetwork((4, 3, 1), seed=0)
        >>> forward = net.forward(np.ones((10, 4)))
        >>> [f_i.shape for f_i in forward.f]
        [(10, 4), (10, 3), (10, 1)]
        >>> bool(np.allclose(forward.f[2], 1 / (1 + np.exp(-forward.z[2]))))
        True
        """
        A, b = self._parameters()
        x = validation.checked_input(x, A)
        return forward_pass(A, b, x.copy())  # f[0] must not follow a later change of x

    def loss(self, x: ArrayLike, y: ArrayLike) -> float:
        """Return L = ‖y − f_K(θ, x)‖², for a batch the mean over its rows.

        This is equation [loss] as corrected.

        Parameters
        ----------
        x : array_like of shape (n_0,) or (N, n_0)
        y : array_like of shape (n_K,) or (N, n_K)

        Examples
        --------
        >>> net = SigmoidNetwork((4, 3, 2), scale=0)
        >>> net.loss([1, 2, 3, 4], [0, 1])
        0.5
        """
        A, b, x, y = self._checked(x, y)
        return squared_error(y, forward_pass(A, b, x).f[-1])

    def backward(self, x: ArrayLike, y: ArrayLike) -> Gradient:
        """Return ∂L/∂θ_i = ∂L/∂f_K · ∂f_K/∂f_{K−1} · … · ∂f_{i+1}/∂θ_i for every i.

        This is equation [chain-general]; :func:`backward_pass` goes through it line
        by line.

        Parameters
        ----------
        x : array_like of shape (n_0,) or (N, n_0)
        y : array_like of shape (n_K,) or (N, n_K)

        Returns
        -------
        Gradient
            ``A[i]`` = ∂L/∂A_i, ``b[i]`` = ∂L/∂b_i, and ``delta[i]`` = ∂L/∂z_i.

        Examples
        --------
        >>> net = SigmoidNetwork((4, 3, 1), seed=0)
        >>> gradient = net.backward([1, 2, 3, 4], [1])
        >>> gradient.A[0].shape, gradient.b[0].shape, gradient.delta[1].shape
        ((3, 4), (3,), (3,))
        """
        A, b, x, y = self._checked(x, y)
        return backward_pass(A, forward_pass(A, b, x).f, y)

    def loss_and_gradient(self, x: ArrayLike, y: ArrayLike) -> tuple[float, Gradient]:
        """Return the loss and its gradient from one forward pass: the fast way to both.

        The numbers are those of :meth:`loss` and :meth:`backward`, up to
        rounding; ``gradient.delta`` is not kept.  See
        :mod:`backprop_nb.network.fast` for what makes it fast.

        Parameters
        ----------
        x : array_like or Dask array of shape (n_0,) or (N, n_0)
        y : array_like or Dask array of shape (n_K,) or (N, n_K)
            A Dask array may be larger than memory, see the notes.

        Returns
        -------
        loss : float
        gradient : Gradient
            Arrays of its own, in the parameters' dtype.

        Notes
        -----
        Of a Dask array, the pass goes to each chunk of rows, and the sums come
        back.  It runs on the cluster of the active ``dask.distributed.Client``, or
        else on this machine's threads.  There NumPy's own threads fight with Dask's:
        it is twice as quick, and more on a busy machine, if
        ``OPENBLAS_NUM_THREADS=1`` (or that of another BLAS) is set before Python
        starts.  For the workers of a cluster, be it ``Client()`` on this machine,
        Dask does so itself.

        The other array, in memory or in other chunks, is cut alike.  If Dask does
        not know the lengths of the chunks, both must have the same ones.

        Examples
        --------
        >>> net = SigmoidNetwork((4, 3, 1), seed=0)
        >>> loss, gradient = net.loss_and_gradient([1, 2, 3, 4], [1])
        >>> bool(np.isclose(loss, net.loss([1, 2, 3, 4], [1]), rtol=1e-12))
        True
        """
        if self._fast.fits(self.A, self.b, x, y):
            fit_x: Any = x  # which is an array, as `fits` has found
            fit_y: Any = y
            loss, dA, db, finite = self._fast(self.A, self.b, fit_x, fit_y)
            if not finite:
                self._checked(x, y)  # it warns, and names the place
        elif validation.is_chunked(x, y):
            return self._chunked_loss_and_gradient(x, y)
        else:
            A, b, x, y = self._checked(x, y)
            self._fast.remember(A, b)
            loss, dA, db, _ = self._fast(A, b, x, y)
        return loss, Gradient(tuple(dA), tuple(db), NOT_KEPT)

    def _chunked_loss_and_gradient(self, x: Any, y: Any) -> tuple[float, Gradient]:
        from backprop_nb.network.chunks import loss_and_gradient

        loss, dA, db = loss_and_gradient(self, x, y)
        return loss, Gradient(tuple(dA), tuple(db))

    def saturation(self, x: ArrayLike) -> FloatArray:
        """Return the share of each layer's outputs that are saturated, of shape (K,).

        Saturated means that σ′ is less than a fifth of its maximum, ¼: there the
        gradient hardly passes.

        Parameters
        ----------
        x : array_like of shape (n_0,) or (N, n_0)

        Examples
        --------
        >>> net = SigmoidNetwork.from_parameters(A=[[[1], [10]]], b=[[0, 0]])
        >>> net.saturation([1])
        array([0.5])
        """
        return np.array([float(np.mean(slope < SATURATED)) for slope in self._slopes(x)])

    def _slopes(self, x: ArrayLike) -> list[FloatArray]:
        """Return, for each layer, its slope as a share of the largest there is."""
        return [4 * sigma_prime(f_i) for f_i in self.forward(x).f[1:]]

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        learning_rate: float = 0.5,
        epochs: int = 100,
        batch_size: int | None = 32,
        momentum: float = 0.0,
        validation: float | tuple[ArrayLike, ArrayLike] | None = None,
        patience: int | None = None,
        seed: int | np.random.Generator | None = None,
        progress: bool = True,
    ) -> History:
        """Train by gradient descent, and return the record of it.

        Each step moves every parameter by v ← momentum · v − learning_rate · ∂L/∂θ.

        Parameters
        ----------
        x : array_like or Dask array of shape (N, n_0), or (n_0,)
        y : array_like or Dask array of shape (N, n_K), or (n_K,)
        learning_rate : float
            The length of a step for a gradient of 1.
        epochs : int
            How often every row is used.
        batch_size : int or None
            Rows per step, drawn at random without return; None takes all rows at
            every step.  Of a Dask array a step takes whole chunks, drawn at random
            without return: as many as it takes to hold so many rows.  Only the
            chunks of one step are computed side by side.
        momentum : float
            How much of the last step the next one keeps, 0 ≤ momentum < 1.  Steps in
            one direction add up, to 1 / (1 − momentum) of a single one: with 0.9
            begin with a tenth of the learning rate.
        validation : float or (x, y), optional
            A share of the rows to hold out, drawn at random, or other rows: the
            loss on them is recorded, and nothing is learned from them.  No share
            can be drawn from a Dask array; other rows may be one.
        patience : int, optional
            Stop once the loss, that on the rows held out if there are, has not
            been better for so many epochs, and return to the best parameters.
        seed : int or numpy.random.Generator, optional
            Where the order of the rows comes from.
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        History
            Loss, gradient norms and saturation of every epoch.  It draws itself.

        Raises
        ------
        DivergenceError
            NaN or infinity have appeared, or saturation has left no gradient.  It
            names the layer and the likely cause.  The network has the parameters
            of its best epoch back, and ``error.history`` is the record.
        InvalidValueError
            NaN or infinity in the data, no rows, an option out of its range.
        ShapeError
            Data that do not fit the network.

        Notes
        -----
        An interrupt (Ctrl-C, or JupyterLab's stop button) ends the training after
        a whole step, and keeps what was learned.

        Dask arrays may be larger than memory; how they are used is told at
        :meth:`loss_and_gradient`.  Each epoch reads each chunk once, and takes it
        again from the start: ``x.persist()`` keeps on a cluster what is costly to
        make.  What is wrong with the data of a chunk is raised when the chunk is
        met, and the network then has the parameters from before the training.

        Examples
        --------
        >>> net = SigmoidNetwork((2, 4, 1), seed=0)
        >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
        >>> options = {"learning_rate": 2, "momentum": 0.9, "seed": 0, "progress": False}
        >>> history = net.fit(x, y, epochs=500, **options)
        >>> net(x).round().ravel().tolist()
        [0.0, 1.0, 1.0, 0.0]
        """
        from backprop_nb.network.training import Settings, train

        settings = Settings(learning_rate, epochs, batch_size, momentum, patience, seed, progress)
        return train(self, x, y, validation, settings)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the parameters to a ``.npz`` file, and return its path.

        The file holds plain arrays and no pickle, so that loading it runs nothing.

        Parameters
        ----------
        path
            ``.npz`` is added unless it is there.

        Examples
        --------
        >>> import tempfile
        >>> net = SigmoidNetwork((4, 3, 1), seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = net.save(f"{folder}/iris")
        ...     again = SigmoidNetwork.load(file)
        >>> file.name, np.array_equal(again.A[0], net.A[0])
        ('iris.npz', True)
        """
        return write_parameters(path, *self._parameters(), self._about())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the network that :meth:`save` has written.

        Raises
        ------
        FileNotFoundError
            No such file.
        InvalidValueError
            A file that holds no network, or a network of another kind.
        """
        A, b, about = read_parameters(path)
        return cls._restored(A, b, about, path)

    def _about(self) -> dict[str, str]:
        """What else than the parameters makes this network."""
        return {"kind": type(self).__name__}

    @classmethod
    def _restored(
        cls,
        A: list[FloatArray],
        b: list[FloatArray],
        about: dict[str, str],
        path: str | os.PathLike[str],
    ) -> Self:
        if about.get("kind") != cls.__name__:
            raise InvalidValueError(
                f"This file holds a {about.get('kind')}.",
                given=f"{os.fspath(path)}",
                expected=f"a {cls.__name__}",
                instead=f"{about.get('kind')}.load(path)",
            )
        return cls.from_parameters(A, b)

    def chain(self, x: ArrayLike, y: ArrayLike, i: int) -> Chain:
        """Return the factors of ∂L/∂θ_i, equation [chain-general], as explicit Jacobians.

        They are in numerator layout: one row for each number above the fraction
        line, one column for each number below it.  θ_i is A_i row by row, then
        b_i.  No matrix is built before it is asked for.

        Parameters
        ----------
        x : array_like of shape (n_0,)
        y : array_like of shape (n_K,)
        i : int
            Which θ_i, from 0 to K−1.

        Raises
        ------
        ShapeError
            A batch: a chain is that of a single input.
        NotFoundError
            There is no θ_i.
        UnsupportedError
            `i` is not an integer.

        Examples
        --------
        >>> net = SigmoidNetwork((4, 3, 1), seed=0)
        >>> chain = net.chain([1, 2, 3, 4], [1], 0)
        >>> [(factor.symbol, factor.shape) for factor in chain.factors]
        [('∂L/∂f_2', (1, 1)), ('∂f_2/∂f_1', (1, 3)), ('∂f_1/∂θ_0', (3, 15))]
        >>> bool(np.allclose(chain.gradient()[0], net.backward([1, 2, 3, 4], [1]).A[0]))
        True
        """
        from backprop_nb.network.chain import make_chain

        return make_chain(*self._checked(x, y), i)

    def trace(self, x: ArrayLike, y: ArrayLike) -> Graph:
        """Return the computation graph of the loss as a function of ``A`` and ``b``.

        Parameters
        ----------
        x : array_like of shape (n_0,) or (N, n_0)
        y : array_like of shape (n_K,) or (N, n_K)

        Examples
        --------
        >>> net = SigmoidNetwork((4, 3, 1), seed=0)
        >>> graph = net.trace([1, 2, 3, 4], [1])
        >>> bool(np.isclose(graph.value, net.loss([1, 2, 3, 4], [1])))
        True
        """
        from backprop_nb.tracing import sigmoid, trace

        A, b, x, y = self._checked(x, y)
        loss = loss_of_one(x, y, sigmoid) if x.ndim == 1 else loss_of_rows(x, y, sigmoid)
        return trace(loss, A, b)

    def _parameters(self) -> tuple[list[FloatArray], list[FloatArray]]:
        return validation.used_parameters(self.A, self.b, self.widths)

    def _checked(
        self,
        x: ArrayLike,
        y: ArrayLike,
        names: tuple[str, str] = ("x", "y"),
        unless_finite: Callable[[str, FloatArray], None] = validation.warn_unless_finite,
    ) -> tuple[list[FloatArray], list[FloatArray], FloatArray, FloatArray]:
        """Return A, b, x and y as arrays of one dtype that fit together."""
        A, b = self._parameters()
        x = validation.checked_input(x, A, names[0], unless_finite)
        return A, b, x, validation.checked_target(y, x, A, names, unless_finite)

"""A network of any activations and loss: its parameters, what it computes, and how it learns.

:class:`Network` holds the parameters and checks what it is given.  Its passes are
in ``general.py``; of the document's network they are in ``passes.py``, line by
line, and in ``fast.py`` once more for speed.  Training, storage and the rest
stand in files of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop_nb.errors import InvalidValueError, UnsupportedError, either, must_be
from backprop_nb.meant import one_of, suggesting
from backprop_nb.network import traceable, validation
from backprop_nb.network.activations import (
    ACTIVATIONS,
    OUTPUTS,
    ActivationName,
    OutputName,
)
from backprop_nb.network.base import Parameters
from backprop_nb.network.chain import Chain, make_chain
from backprop_nb.network.fast import FastPass
from backprop_nb.network.general import DOCUMENT, DocumentPasses, GeneralPasses
from backprop_nb.network.history import History
from backprop_nb.network.losses import LOSSES, LossName
from backprop_nb.network.passes import NOT_STORED, Gradient
from backprop_nb.network.protocols import BatchSize
from backprop_nb.network.storage import read_parameters, write_parameters
from backprop_nb.network.training import FitOptions, chunks_of, outputs_of, train
from backprop_nb.network.validation import FloatArray
from backprop_nb.tracing import Graph, sigmoid, trace


class Network(Parameters):
    """A network of K layers f_i = σ_i(A_{i−1} f_{i−1} + b_{i−1}), with activations to choose from.

    Its loss is that of f_K(θ, x) and y, with θ = {A_0, b_0, …, A_{K−1}, b_{K−1}}.
    With what it takes by default it is the document's, :class:`SigmoidNetwork`.

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
    activation : "sigmoid", "tanh", "relu", "leaky relu" or "identity"
        What the hidden layers apply to z.
    output : one of these, or "softmax"
        What the last layer applies; "identity" makes it linear.
    loss : "squared error" or "cross-entropy"
        The document's ‖y − f_K‖²; or, of outputs that are probabilities,
        −Σ y ln f_K after "softmax", and −Σ y ln f_K + (1 − y) ln(1 − f_K) after
        "sigmoid".  Of a batch each is the mean over the rows.
    bias : bool
        Whether there are any b_i.  Without, ``b`` and a gradient's ``b`` are empty,
        and θ = {A_0, …, A_{K−1}}.
    dtype : float64 or float32, optional
        That of the parameters.  None begins with float64, and takes float32 with the
        first data to learn from, if they are; see :meth:`fit`.

    Attributes
    ----------
    A : list of arrays
        ``A[i]``, of shape (n_{i+1}, n_i), for i = 0, ..., K−1.
    b : list of arrays
        ``b[i]``, of shape (n_{i+1},), for i = 0, ..., K−1; zero to begin with.
    widths : tuple of int
    K : int
        The number of layers.
    activation, output, loss_name : str
    bias : bool

    Raises
    ------
    InvalidValueError
        Fewer than two widths, a width below 1, a scale that is negative or not
        finite; an unknown activation, output or loss; the cross-entropy of outputs
        that are no probabilities.
    UnsupportedError
        A width that is not an integer.

    Notes
    -----
    ``x`` is one input, ``(n_0,)``, or a batch with one input per row,
    ``(N, n_0)``; ``y`` is ``(n_K,)`` or ``(N, n_K)`` alike.  Both may be lists or
    numbers, and are converted to the parameters' dtype.  Every method raises
    ``ShapeError`` if they do not fit, ``InvalidValueError`` if they are empty or,
    for the cross-entropy, ``y`` holds no probabilities, ``UnsupportedError`` if
    they are not real numbers, and warns of NaN and infinity.

    ``A[i]`` and ``b[i]`` may be assigned, as in a training step by hand.

    Examples
    --------
    >>> net = Network((4, 3, 2), seed=0, activation="tanh", output="softmax", loss="cross-entropy")
    >>> net
    Network(widths=(4, 3, 2), activation='tanh', output='softmax', loss='cross-entropy')
    >>> x, y = [5.1, 3.5, 1.4, 0.2], [1, 0]
    >>> net(x).sum().round(6)
    np.float64(1.0)
    >>> before, gradient = net.loss_and_gradient(x, y)
    >>> for i in range(net.K):
    ...     net.A[i] = net.A[i] - 0.1 * gradient.A[i]
    ...     net.b[i] = net.b[i] - 0.1 * gradient.b[i]
    >>> net.loss(x, y) < before
    True

    Ten layers in, the gradient of the document's network has all but vanished.

    >>> widths, x, y = (10,) * 11, np.linspace(-1, 1, 10), np.ones(10)
    >>> for activation in ("sigmoid", "tanh"):
    ...     dA = Network(widths, seed=0, activation=activation).backward(x, y).A
    ...     print(f"{activation:8} {np.linalg.norm(dA[0]) / np.linalg.norm(dA[-1]):.0e}")
    sigmoid  2e-06
    tanh     3e+00
    """

    @suggesting
    def __init__(
        self,
        widths: Iterable[int],
        seed: int | np.random.Generator | None = None,
        scale: float | Literal["xavier", "document"] | None = None,
        *,
        activation: ActivationName = "sigmoid",
        output: OutputName = "sigmoid",
        loss: LossName = "squared error",
        bias: bool = True,
        dtype: DTypeLike | None = None,
    ) -> None:
        kind = type(self).__name__
        self.takes_dtype = dtype is None
        dtype = validation.checked_dtype(dtype)
        self.widths = validation.checked_widths(widths, seed, scale, kind=kind)
        random = validation.checked_generator(seed)
        self.A, self.b = [], []
        for n_in, n_out in pairwise(self.widths):
            deviation = validation.checked_scale(scale, n_in, n_out)
            weights = deviation * random.standard_normal((n_out, n_in))
            self.A.append(weights.astype(dtype, copy=False))
            if bias:
                self.b.append(np.zeros(n_out, dtype))
        self._choose(activation, output, loss, bias)

    def _choose(
        self, activation: ActivationName, output: OutputName, loss: LossName, bias: bool
    ) -> None:
        one_of("activation", activation, ACTIVATIONS)
        one_of("output", output, OUTPUTS)
        one_of("loss", loss, LOSSES)
        if not isinstance(bias, bool):
            raise must_be("True or False", "bias", bias)
        if output not in LOSSES[loss].outputs:
            raise InvalidValueError(
                f"The {loss} needs outputs that are probabilities.",
                given=f"output = {output!r}",
                expected=f"`output` as {either(LOSSES[loss].outputs)}",
            )
        choices = (activation, output, loss, bias)
        is_document = choices == DOCUMENT
        self._passes = DocumentPasses(*DOCUMENT) if is_document else GeneralPasses(*choices)
        self.compute = FastPass(self.widths, self._passes)

    @classmethod
    def from_parameters(
        cls,
        A: Iterable[ArrayLike],
        b: Iterable[ArrayLike] = (),
        *,
        activation: ActivationName = "sigmoid",
        output: OutputName = "sigmoid",
        loss: LossName = "squared error",
    ) -> Self:
        """Return the network with these parameters, copied.

        Parameters
        ----------
        A : sequence of array_like, ``A[i]`` of shape (n_{i+1}, n_i)
        b : sequence of array_like, ``b[i]`` of shape (n_{i+1},)
            Without any the network has no bias.  Integers become floats.  All
            parameters get one dtype, the widest of those given: float32 alone
            stays float32.
        activation, output, loss
            As for a new network.

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
        >>> net = Network.from_parameters(A=[[[1, 2]], [[3], [4]]], output="identity")
        >>> net.widths, net.bias
        ((2, 1, 2), False)
        """
        net = cls.__new__(cls)
        net.takes_dtype = False
        net.A, net.b = validation.new_parameters(A, b)
        net.widths = (net.A[0].shape[1], *(len(A_i) for A_i in net.A))
        net._choose(activation, output, loss, bool(net.b))
        return net

    def __repr__(self) -> str:
        choices = "".join(f", {name}={value!r}" for name, value in self._choices().items())
        return f"{type(self).__name__}(widths={self.widths}{choices})"

    def _choices(self) -> dict[str, Any]:
        """Return what else than the widths this network was made with."""
        chosen = {"activation": self.activation, "output": self.output, "loss": self.loss_name}
        return chosen if self.bias else chosen | {"bias": False}

    def __call__(self, x: ArrayLike) -> FloatArray:
        """Return the output f_K(θ, x), of shape (n_K,) or (N, n_K).

        Of a Dask array it is one too, computed by chunk when it is asked for, with the
        parameters of now; NaN and infinity in it are then not warned of.
        """
        if validation.is_chunked(x):
            outputs: FloatArray = outputs_of(self._passes.outputs, *self.parameters(), x)
            return outputs
        A, b = self.parameters()
        return self._passes.outputs(A, b, validation.stored_input(x, A))

    def loss(self, x: ArrayLike, y: ArrayLike) -> float:
        """Return the loss, for a batch the mean over its rows.

        In the document L = ‖y − f_K(θ, x)‖², equation [loss] as corrected.

        Parameters
        ----------
        x : array_like or Dask array of shape (n_0,) or (N, n_0)
        y : array_like or Dask array of shape (n_K,) or (N, n_K)

        Examples
        --------
        >>> net = Network((4, 3, 2), scale=0)
        >>> net.loss([1, 2, 3, 4], [0, 1])
        0.5
        """
        if validation.is_chunked(x, y):
            return chunks_of(self, x, y).loss(validation.warn_unless_finite)
        A, b, x, y = self.stored(x, y)
        return self._passes.mean_loss(A, b, x, y)

    def backward(self, x: ArrayLike, y: ArrayLike) -> Gradient:
        """Return ∂L/∂θ_i = ∂L/∂f_K · ∂f_K/∂f_{K−1} · … · ∂f_{i+1}/∂θ_i for every i.

        This is equation [chain-general]; :func:`backprop_nb.network.passes.backward_pass`
        goes through it line by line, for the document's network.

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
        >>> net = Network((4, 3, 1), seed=0)
        >>> gradient = net.backward([1, 2, 3, 4], [1])
        >>> gradient.A[0].shape, gradient.b[0].shape, gradient.delta[1].shape
        ((3, 4), (3,), (3,))
        """
        A, b, x, y = self.checked(x, y)
        return self._passes.backward(A, self._passes.forward(A, b, x), y)

    def loss_and_gradient(self, x: ArrayLike, y: ArrayLike) -> tuple[float, Gradient]:
        """Return the loss and its gradient from one forward pass: the fast way to both.

        The numbers are those of :meth:`loss` and :meth:`backward`, up to
        rounding; ``gradient.delta`` is not stored.  See
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
        >>> net = Network((4, 3, 1), seed=0)
        >>> loss, gradient = net.loss_and_gradient([1, 2, 3, 4], [1])
        >>> bool(np.isclose(loss, net.loss([1, 2, 3, 4], [1]), rtol=1e-12))
        True
        """
        if self.compute.fits(self.A, self.b, x, y):
            fit_x: Any = x  # which is an array, as `fits` has found
            fit_y: Any = y
            loss, dA, db, finite = self.compute(self.A, self.b, fit_x, fit_y)
            if not finite:
                self.checked(x, y)  # it warns or raises, and names the place
                validation.warn_of_overflow(loss, self.A[0].dtype, fit_x, fit_y)
        elif validation.is_chunked(x, y):
            loss, dA, db = chunks_of(self, x, y).loss_and_gradient()
        else:
            A, b, x, y = self.stored(x, y)
            self.compute.remember(A, b)
            loss, dA, db = self.compute.of_stored(A, b, x, y)
            validation.warn_of_overflow(loss, A[0].dtype, x, y)
        return loss, Gradient(tuple(dA), tuple(db), NOT_STORED)

    @suggesting
    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        learning_rate: float = 0.5,
        epochs: int = 100,
        batch_size: BatchSize = "auto",
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
        batch_size : "auto", int or None
            Rows per step, drawn at random without return; "auto" takes 32, and None
            all rows at every step.  Of a Dask array a step takes whole chunks, drawn
            at random without return and computed side by side: "auto" takes eight of
            them, on however many workers, and a number as many as hold so many rows,
            so that 1 is a step for each chunk.
        momentum : float
            How much of the last step the next one repeats, 0 ≤ momentum < 1.  Steps in
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

        Warns
        -----
        BackpropWarning
            Before the first step, with what to write instead: targets that the output
            cannot reach, a layer 1 that is saturated, units of a hidden layer that can
            only stay equal, ReLUs that are all 0, rows of `x` that are all alike.

        Notes
        -----
        An interrupt (Ctrl-C, or JupyterLab's stop button) ends the training after
        a whole step, and keeps what was learned.

        Data stay as they are, and are read a few rows at a time.  If `x` is float32, as data
        often come, so are the parameters from then on, and a step costs half as much; a
        network that was made with a ``dtype``, or from parameters, keeps its own.

        Dask arrays may be larger than memory; :meth:`loss_and_gradient` says how they
        are used.  The numbers are the same on any number of workers.  Each epoch reads each
        chunk once, and takes it again from the start: ``x.persist()`` stores on a cluster
        what is costly to make.  What is wrong with the data of a chunk is raised when the chunk is
        met, and the network then has the parameters from before the training.

        Examples
        --------
        >>> net = Network((2, 4, 1), seed=0)
        >>> x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
        >>> options = {"learning_rate": 2, "momentum": 0.9, "seed": 0, "progress": False}
        >>> history = net.fit(x, y, epochs=500, **options)
        >>> net(x).round().ravel().tolist()
        [0.0, 1.0, 1.0, 0.0]
        """
        options = FitOptions(learning_rate, epochs, batch_size, momentum, patience, seed, progress)
        return train(self, x, y, validation, options)

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
        >>> net = Network((4, 3, 1), seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = net.save(f"{folder}/iris")
        ...     again = Network.load(file)
        >>> file.name, np.array_equal(again.A[0], net.A[0])
        ('iris.npz', True)
        """
        about = {"kind": type(self).__name__} | self._choices()
        return write_parameters(path, *self.parameters(), about)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return the network that :meth:`save` has written; ``.npz`` may be left out.

        Raises
        ------
        FileNotFoundError
            No such file.
        InvalidValueError
            A file that holds no network, or a network of another class.
        """
        A, b, about = read_parameters(path)
        kind = about.pop("kind", None)
        if kind != cls.__name__:
            raise InvalidValueError(
                f"This file holds a {kind}.",
                given=os.fspath(path),
                expected=f"a {cls.__name__}",
                instead=f"{kind}.load(path)",
            )
        about.pop("bias", None)  # which the parameters tell
        options: dict[str, Any] = about
        return cls.from_parameters(A, b, **options)

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
            `i` is not the index of a layer.
        UnsupportedError
            `i` is not an integer; a network with other choices than the document's.

        Examples
        --------
        >>> net = Network((4, 3, 1), seed=0)
        >>> chain = net.chain([1, 2, 3, 4], [1], 0)
        >>> [(factor.symbol, factor.shape) for factor in chain.factors]
        [('∂L/∂f_2', (1, 1)), ('∂f_2/∂f_1', (1, 3)), ('∂f_1/∂θ_0', (3, 15))]
        >>> bool(np.allclose(chain.gradient()[0], net.backward([1, 2, 3, 4], [1]).A[0]))
        True
        """
        self.check_is_document("The chain of Jacobians")
        return make_chain(*self.checked(x, y), i)

    def trace(self, x: ArrayLike, y: ArrayLike) -> Graph:
        """Return the computation graph of the loss as a function of ``A`` and ``b``.

        Parameters
        ----------
        x : array_like of shape (n_0,) or (N, n_0)
        y : array_like of shape (n_K,) or (N, n_K)

        Examples
        --------
        >>> net = Network((4, 3, 1), seed=0)
        >>> graph = net.trace([1, 2, 3, 4], [1])
        >>> bool(np.isclose(graph.value, net.loss([1, 2, 3, 4], [1])))
        True
        """
        A, b, x, y = self.checked(x, y)
        if self.is_document:
            if x.ndim == 1:
                return trace(traceable.loss_of_one(x, y, sigmoid), A, b)
            return trace(traceable.loss_of_rows(x, y, sigmoid), A, b)
        hidden, output = (each.for_tracer() for each in (self.activations[0], self.activations[-1]))

        def cost(z: Any, y: Any) -> Any:
            return LOSSES[self.loss_name].rows(z, y, output)

        if not self.bias:
            return trace(traceable.loss_without_bias(x, y, hidden.of, cost), A)
        return trace(traceable.loss_with_bias(x, y, hidden.of, cost), A, b)

    @property
    def is_document(self) -> bool:
        """Whether this is the document's network: σ everywhere, the squared error, a bias."""
        return isinstance(self._passes, DocumentPasses)

    def check_is_document(self, what: str) -> None:
        """Raise ``UnsupportedError`` if this is not the document's network; say what needs it."""
        if not self.is_document:
            raise UnsupportedError(
                f"{what} holds for the document's network: σ in every layer, the squared error, "
                "and a bias.",
                given=repr(self),
                expected="a SigmoidNetwork",
            )

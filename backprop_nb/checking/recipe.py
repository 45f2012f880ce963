"""One backward pass, taken apart into its quantities, each of which can be replaced.

Each quantity is computed by a small function of what is known so far, a
:class:`Pass`.  A mistake replaces one or more of them (see ``mistakes.py``), so
that mistakes combine, and so that it can be said which quantity is wrong first.
The listing that a learner reads is made from the same functions.

Everything in here is written for one sample per column, as the document writes
it: A f, Aᵀ δ, δ fᵀ.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from backprop_nb.errors import InvalidValueError, ShapeError
from backprop_nb.network.passes import sigma
from backprop_nb.network.validation import FloatArray

Samples: TypeAlias = Literal["single", "rows", "columns"]
Reduction: TypeAlias = Literal["sum", "mean"]
Gradients: TypeAlias = tuple[list[FloatArray], list[FloatArray]]

LEARNING_RATE = 0.1
"""The step of a pass that updates the weights before it has finished with them."""


# --- what a pass knows ------------------------------------------------------


@dataclass
class Pass:
    """What is known while a pass is computed, in the names of the document.

    Attributes
    ----------
    A, b : lists of arrays, ``A[i]`` of shape (n_{i+1}, n_i) and ``b[i]`` (n_{i+1}, 1)
    x, y : arrays of shape (n_0, N) and (n_K, N)
    i : int
        The layer the pass is at.
    f, z, delta, dA, db : dicts of arrays
        By layer; they fill as the pass goes on.
    factor, share, error, slope, inputs, weights, back
        The parts of the line that is being computed.
    """

    A: Sequence[FloatArray]
    b: Sequence[FloatArray]
    x: FloatArray
    y: FloatArray
    learning_rate: float
    add_to_last_call: Callable[..., Any]
    i: int = 0
    f: dict[int, FloatArray] = field(default_factory=dict)
    z: dict[int, FloatArray] = field(default_factory=dict)
    delta: dict[int, FloatArray] = field(default_factory=dict)
    dA: dict[int, FloatArray] = field(default_factory=dict)
    db: dict[int, FloatArray] = field(default_factory=dict)
    factor: Any = None
    share: Any = None
    error: Any = None
    slope: Any = None
    inputs: Any = None
    weights: Any = None
    back: Any = None
    result: Any = None

    @property
    def K(self) -> int:
        """The number of layers."""
        return len(self.A)

    @property
    def N(self) -> int:
        """The number of samples."""
        return int(self.x.shape[1])


Piece: TypeAlias = Callable[[Pass], Any]

# --- the right pass, piece by piece -----------------------------------------


def input_as_given(p: Pass) -> Any:
    """Return f_0 = x."""
    return p.x


def pre_activation(p: Pass) -> Any:
    """Return z_i = A_{i−1} f_{i−1} + b_{i−1}."""
    return p.A[p.i - 1] @ p.f[p.i - 1] + p.b[p.i - 1]


def activation(p: Pass) -> Any:
    """Return f_i = σ(z_i)."""
    return sigma(p.z[p.i])


def error(p: Pass) -> Any:
    """Return f_K − y."""
    return p.f[p.K] - p.y


def one(p: Pass) -> Any:
    """Return 1: a factor that changes nothing."""
    return 1


def two(p: Pass) -> Any:
    """Return the 2 that the derivative of the square brings."""
    return 2


def one_over_N(p: Pass) -> Any:
    """Return 1/N, for the mean over the samples."""
    return 1 / p.N


def slope(p: Pass) -> Any:
    """Return σ′(z_i) = f_i (1 − f_i)."""
    return p.f[p.i] * (1 - p.f[p.i])


def output_delta(p: Pass) -> Any:
    """Return δ_K."""
    return p.factor * p.share * p.error * p.slope


def layer_input(p: Pass) -> Any:
    """Return f_i, which layer i + 1 was given."""
    return p.f[p.i]


def weight_gradient(p: Pass) -> Any:
    """Return ∂L/∂A_i = δ_{i+1} f_iᵀ, added over the samples."""
    return p.delta[p.i + 1] @ p.inputs.T


def bias_gradient(p: Pass) -> Any:
    """Return ∂L/∂b_i = δ_{i+1}, added over the samples."""
    return p.delta[p.i + 1].sum(axis=1, keepdims=True)


def weights(p: Pass) -> Any:
    """Return A_i."""
    return p.A[p.i]


def back(p: Pass) -> Any:
    """Return A_iᵀ δ_{i+1}."""
    return p.weights.T @ p.delta[p.i + 1]


def hidden_delta(p: Pass) -> Any:
    """Return δ_i."""
    return p.back * p.slope


def result(p: Pass) -> Any:
    """Return what the pass hands over."""
    return (p.dA, p.db)


# --- its order --------------------------------------------------------------

Phase: TypeAlias = Literal["start", "forward", "loss", "output", "layer", "below", "end"]


@dataclass(frozen=True)
class Quantity:
    """One quantity of the pass.

    Attributes
    ----------
    name : str
    title : str
        The same in words.
    target : str
        Where it is kept: an attribute of :class:`Pass`, perhaps with the layer.
    phase : str
        When it is computed: "start" and "end" once, "loss" and "output" for layer K,
        "forward" for i = 1, …, K, "layer" for i = K−1, …, 0, and "below" for those
        of them that have a layer below.
    right : function
        How it is computed.
    symbol : str
        What it is at one layer, with {i} and {above} for the indices i and i + 1; ""
        for what is at no layer.
    """

    name: str
    title: str
    target: str
    phase: Phase
    right: Piece
    symbol: str = ""

    def layer(self, i: int) -> int | None:
        """Return the layer, 1 to K, that it belongs to where the pass is at i; None if to none.

        It is the layer whose gradients, ``dA[layer - 1]`` and ``db[layer - 1]``, are the
        first that it has a part in.

        Examples
        --------
        >>> [(quantity.name, quantity.layer(i)) for quantity, i in schedule(2)][-4:-1]
        [('layer_input', 1), ('weight_gradient', 1), ('bias_gradient', 1)]
        """
        if self.phase in ("start", "loss", "end"):
            return None
        return i + 1 if self.phase == "layer" else i

    def symbol_at(self, layer: int) -> str:
        """Return its symbol at one layer."""
        i = layer - 1 if self.phase == "layer" else layer
        return self.symbol.format(i=i, above=i + 1)

    def keep(self, p: Pass, value: Any) -> None:
        """Put its value where the later pieces look for it."""
        attribute, _, layer = self.target.partition("[")
        if layer:
            getattr(p, attribute)[p.i] = value
        else:
            setattr(p, attribute, value)


QUANTITIES: tuple[Quantity, ...] = (
    Quantity("input", "the input f_0 = x", "f[0]", "start", input_as_given),
    Quantity("pre_activation", "the pre-activation z", "z[i]", "forward", pre_activation, "z_{i}"),
    Quantity("activation", "the activation f", "f[i]", "forward", activation, "f_{i}"),
    Quantity("error", "the output error f_K − y", "error", "loss", error),
    Quantity("factor", "the factor of the square", "factor", "loss", two),
    Quantity("share", "the share of one sample", "share", "loss", one_over_N),
    Quantity("output_slope", "σ′ at the output", "slope", "output", slope, "σ′(z_{i})"),
    Quantity("output_delta", "δ at the output", "delta[K]", "output", output_delta, "δ_{i}"),
    Quantity(
        "layer_input",
        "the input of the layer",
        "inputs",
        "layer",
        layer_input,
        "f_{i} in δ_{above} f_{i}ᵀ",
    ),
    Quantity(
        "weight_gradient", "the weight gradient δ fᵀ", "dA[i]", "layer", weight_gradient, "dA[{i}]"
    ),
    Quantity("bias_gradient", "the bias gradient", "db[i]", "layer", bias_gradient, "db[{i}]"),
    Quantity(
        "weights",
        "the weights the error goes back through",
        "weights",
        "below",
        weights,
        "A_{i} in A_{i}ᵀ δ_{above}",
    ),
    Quantity("back", "the error sent back, Aᵀ δ", "back", "below", back, "A_{i}ᵀ δ_{above}"),
    Quantity("hidden_slope", "σ′ in a hidden layer", "slope", "below", slope, "σ′(z_{i})"),
    Quantity("hidden_delta", "δ in a hidden layer", "delta[i]", "below", hidden_delta, "δ_{i}"),
    Quantity("result", "what is handed over", "result", "end", result),
)
"""Every quantity, in the order in which a pass computes it."""

_NAMES = [quantity.name for quantity in QUANTITIES]


def _in(phase: Phase) -> list[Quantity]:
    return [quantity for quantity in QUANTITIES if quantity.phase == phase]


@cache
def schedule(K: int) -> tuple[tuple[Quantity, int], ...]:
    """Return every quantity with the i at which it is computed, in order.

    Examples
    --------
    >>> [f"{quantity.name} {i}" for quantity, i in schedule(1)][-4:]
    ['layer_input 0', 'weight_gradient 0', 'bias_gradient 0', 'result 0']
    """
    order = [(quantity, 0) for quantity in _in("start")]
    for i in range(1, K + 1):
        order += [(quantity, i) for quantity in _in("forward")]
    order += [(quantity, K) for quantity in _in("loss") + _in("output")]
    for i in reversed(range(K)):
        order += [(quantity, i) for quantity in _in("layer") + (_in("below") if i else [])]
    return (*order, *((quantity, 0) for quantity in _in("end")))


# --- a pass with pieces replaced --------------------------------------------


@dataclass(frozen=True)
class Setting:
    """What decides whether a mistake can be made, and whether it can be seen.

    Attributes
    ----------
    widths : tuple of int
        n_0, …, n_K.
    N : int
        The number of samples.
    reduction : "mean" or "sum"
        Over the samples.
    half : bool
        Whether the loss is ½‖y − f_K‖², and not ‖y − f_K‖².
    """

    widths: tuple[int, ...]
    N: int = 1
    reduction: Reduction = "mean"
    half: bool = False

    @property
    def K(self) -> int:
        """The number of layers."""
        return len(self.widths) - 1


@dataclass(frozen=True)
class Condition:
    """What a mistake needs in order to be one, in words and as a test of the setting."""

    words: str
    holds: Callable[[Setting], bool]


def recipe(*, reduction: Reduction = "mean", half: bool = False) -> dict[str, Piece]:
    """Return the right piece of every quantity, by the quantity's name.

    Raises
    ------
    InvalidValueError
        There is no such reduction.
    """
    if reduction not in ("mean", "sum"):
        raise InvalidValueError(
            "There is no such reduction.",
            given=f"reduction = {reduction!r}",
            expected='"mean" or "sum"',
        )
    pieces = {quantity.name: quantity.right for quantity in QUANTITIES}
    if half:
        pieces["factor"] = one
    if reduction == "sum":
        pieces["share"] = one
    return pieces


@dataclass(frozen=True)
class Record:
    """One value on the way through a pass."""

    quantity: Quantity
    i: int
    value: Any


class Backward:
    """A backward pass put together from pieces, as a function of (A, b, x, y).

    Parameters
    ----------
    pieces : mapping
        For each quantity's name how it is computed.
    samples : "single", "rows" or "columns"
        "single" is x (n_0,), y (n_K,); "rows" x (N, n_0), y (N, n_K); both with b[i]
        (n_{i+1},).  "columns" is x (n_0, N), y (n_K, N), b[i] (n_{i+1}, 1).
    needs : sequence of Condition
        What must hold of the widths and of N; looked at when it is called.
    reduction, half
        The loss that the pieces are for; only the conditions look at them.
    learning_rate : float
        For a pass that updates the weights in its midst.

    Notes
    -----
    A pass may change its input, or keep something from call to call: those are
    mistakes that it can be made to contain.  Make a new one to begin anew.
    """

    def __init__(
        self,
        pieces: Mapping[str, Piece],
        *,
        samples: Samples = "rows",
        needs: Sequence[Condition] = (),
        reduction: Reduction = "mean",
        half: bool = False,
        learning_rate: float = LEARNING_RATE,
    ) -> None:
        if samples not in _IN_COLUMNS:
            raise InvalidValueError(
                "There is no such way to hand over samples.",
                given=f"samples = {samples!r}",
                expected='"single", "rows" or "columns"',
            )
        self.pieces, self.samples, self.needs = dict(pieces), samples, tuple(needs)
        self.reduction, self.half, self.learning_rate = reduction, half, learning_rate
        self._kept: Any = None

    def __call__(
        self, A: Sequence[ArrayLike], b: Sequence[ArrayLike], x: ArrayLike, y: ArrayLike
    ) -> Gradients:
        """Return (dA, db), lists of arrays in the order of A and b.

        Raises
        ------
        InvalidValueError
            A mistake in it cannot be made on these shapes.
        ShapeError
            The data are handed over in another way than ``samples`` says.
        """
        dA, db = self.trail(A, b, x, y)[-1].value
        flat = self.samples != "columns"
        return (
            [dA[i] for i in range(len(A))],
            [db[i].ravel() if flat else db[i] for i in range(len(A))],
        )

    def trail(
        self, A: Sequence[ArrayLike], b: Sequence[ArrayLike], x: ArrayLike, y: ArrayLike
    ) -> list[Record]:
        """Return every value on the way, in the order in which it is computed."""
        p = self._begun(A, b, x, y)
        self._check(p)
        records = []
        for quantity, i in schedule(p.K):
            p.i = i
            value = self.pieces[quantity.name](p)
            quantity.keep(p, value)
            records.append(Record(quantity, i, value))
        return records

    def _begun(
        self, A: Sequence[ArrayLike], b: Sequence[ArrayLike], x: ArrayLike, y: ArrayLike
    ) -> Pass:
        of_data, of_bias = _IN_COLUMNS[self.samples]
        self._check_axes(x)
        return Pass(
            [np.asarray(A_i) for A_i in A],
            [of_bias(b_i) for b_i in b],
            of_data(x),
            of_data(y),
            self.learning_rate,
            self._add_to_last_call,
        )

    def _check_axes(self, x: ArrayLike) -> None:
        """Refuse data of another convention, which would fail somewhere in the midst."""
        single = self.samples == "single"
        if np.ndim(x) != (1 if single else 2):
            raise ShapeError(
                f'x does not fit samples="{self.samples}".',
                given=f"x of shape {np.shape(x)}",
                expected={"single": "(n_0,)", "rows": "(N, n_0)", "columns": "(n_0, N)"}[
                    self.samples
                ],
                instead='samples="rows" or "columns" for a batch'
                if single
                else 'samples="single" for one sample, of shape (n_0,)',
            )

    def _check(self, p: Pass) -> None:
        widths = (p.A[0].shape[1], *(A_i.shape[0] for A_i in p.A))
        setting = Setting(widths, p.N, self.reduction, self.half)
        for condition in self.needs:
            if not condition.holds(setting):
                raise InvalidValueError(
                    "This mistake cannot be made, or not be seen, here.",
                    given=f"widths {widths}, N = {p.N}, reduction = {self.reduction!r}, "
                    f"half = {self.half}",
                    expected=condition.words,
                )

    def _add_to_last_call(self, *gradients: dict[int, FloatArray]) -> Any:
        if self._kept is not None:
            gradients = tuple(
                {i: last[i] + now[i] for i in now}
                for last, now in zip(self._kept, gradients, strict=True)
            )
        self._kept = gradients
        return gradients


def _as_column(values: ArrayLike) -> FloatArray:
    return np.asarray(values)[:, np.newaxis]


def _turned(values: ArrayLike) -> FloatArray:
    return np.asarray(values).T


def _as_it_is(values: ArrayLike) -> FloatArray:
    return np.asarray(values)


# How the data and the biases of each convention come to stand in columns; nothing is copied.
_IN_COLUMNS = {
    "single": (_as_column, _as_column),
    "rows": (_turned, _as_column),
    "columns": (_as_it_is, _as_it_is),
}


def first_difference(
    right: Sequence[Record], other: Sequence[Record], *, rtol: float = 1e-9
) -> Record | None:
    """Return where two trails part: the first record of ``other`` that is not right.

    What is handed over in the end is not looked at: it is made of what came before.

    Examples
    --------
    >>> data = [np.ones((2, 2))] * 2, [np.ones(2)] * 2, np.ones((1, 2)), np.zeros((1, 2))
    >>> right, wrong = recipe(), recipe() | {"factor": one}
    >>> first = first_difference(Backward(right).trail(*data), Backward(wrong).trail(*data))
    >>> first.quantity.title, first.value
    ('the factor of the square', 1)
    """
    for mine, theirs in zip(right, other, strict=True):
        if mine.quantity.phase != "end" and not _close(mine.value, theirs.value, rtol):
            return theirs
    return None


def _close(right: ArrayLike, other: ArrayLike, rtol: float) -> bool:
    if np.shape(right) != np.shape(other):
        return False
    size = float(np.max(np.abs(right), initial=0.0))
    return bool(np.allclose(right, other, rtol=rtol, atol=rtol * size))


# --- the listing ------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line of a pass as NumPy.

    Attributes
    ----------
    text : str
    quantity : str
        The name of what it computes; "" for the line of a loop.
    """

    text: str
    quantity: str = ""


_INDENT = {"start": 0, "forward": 1, "loss": 0, "output": 0, "layer": 1, "below": 2, "end": 0}
_LOOPS = {
    "forward": "for i in range(1, K + 1):",
    "layer": "for i in reversed(range(K)):",
    "below": "    if i > 0:",
}


def listing(pieces: Mapping[str, Piece]) -> list[Line]:
    r"""Return a pass as NumPy that runs, one sample per column, made from its pieces.

    It is the body of a function of A, b, x and y, and uses the numbers K of layers
    and N of samples, ``sigma``, and the empty dicts f, z, delta, dA and db.

    Examples
    --------
    >>> print(*(line.text for line in listing(recipe())[4:9]), sep="\n")
    error = f[K] - y
    factor = 2
    share = 1 / N
    slope = f[K] * (1 - f[K])
    delta[K] = factor * share * error * slope
    """
    lines, phase = [], "start"
    for quantity in QUANTITIES:
        if quantity.phase != phase and quantity.phase in _LOOPS:
            lines.append(Line(_LOOPS[quantity.phase]))
        phase = quantity.phase
        indent = "    " * _INDENT[phase]
        texts = _code(pieces[quantity.name], quantity)
        lines.extend(Line(indent + text, quantity.name) for text in texts)
    return lines


@cache
def _code(piece: Piece, quantity: Quantity) -> list[str]:
    """Return a piece's own source as lines, without the p. in front of every name."""
    function = ast.parse(textwrap.dedent(inspect.getsource(piece))).body[0]
    assert isinstance(function, ast.FunctionDef)
    layer = "K" if quantity.phase in ("loss", "output") else "i"
    lines = []
    for statement in function.body:
        bare = _Bare(layer).visit(statement)
        if isinstance(bare, ast.Return) and bare.value is not None:
            text = ast.unparse(bare.value)
            start = "return" if quantity.phase == "end" else f"{quantity.target} ="
            lines.append(f"{start} {text}")
        elif not (isinstance(bare, ast.Expr) and isinstance(bare.value, ast.Constant)):
            lines.append(ast.unparse(bare))
    return lines


class _Bare(ast.NodeTransformer):
    """Turns p.f[p.i] into f[i]."""

    def __init__(self, layer: str) -> None:
        self.layer = layer

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == "p":
            return ast.Name(self.layer if node.attr == "i" else node.attr, node.ctx)
        return node

"""The reference pass: a backward pass in named steps, each of which can be replaced.

A step is a line of NumPy with a name, such as ``delta[i] = back * slope``.  A mistake
(see ``catalogue/``) replaces the code of one step or of a few, so that mistakes
combine, and so that it can be said which quantity is wrong first.  What a learner
reads, :meth:`ReferencePass.listing`, is the very text that runs.

Everything in here is written for one sample per column, as the document writes
it: A f, Aᵀ δ, δ fᵀ.  What a course has otherwise, its activations, its loss, or no
biases, is in the code of a few steps; how it lays out its arrays is seen to where
they come in and go out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from types import CodeType
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop_nb.checking.convention import DEFAULT, Convention
from backprop_nb.errors import InvalidValueError, ShapeError
from backprop_nb.network.activations import LEAK, leaky_relu, relu, softmax
from backprop_nb.network.passes import sigma

Array: TypeAlias = NDArray[Any]
Gradients: TypeAlias = tuple[list[Array], list[Array]]
Phase: TypeAlias = Literal["start", "forward", "loss", "output", "layer", "below", "end"]

LEARNING_RATE = 0.1
"""The step of a pass that updates the weights before it has finished with them."""


# --- the steps, in order ----------------------------------------------------


@dataclass(frozen=True)
class PassStep:
    """One step of the pass, and the quantity that it computes."""

    name: str
    title: str
    """The quantity in words."""
    phase: Phase
    """When: "start" and "end" once, "loss" and "output" for layer K, "forward" for i = 1, …, K,
    "layer" for i = K−1, …, 0, and "below" for those of them that have a layer below."""
    line: str
    """The right line of the pass, an assignment."""
    symbol: str = ""
    """What it is at one layer, with {i} and {above} for i and i + 1; "" if it is at no layer."""

    @cached_property
    def target(self) -> str:
        """The variable that its line assigns to."""
        return self.line.partition(" = ")[0]

    @cached_property
    def code(self) -> str:
        """The right expression for it."""
        return self.line.partition(" = ")[2]

    @cached_property
    def variable(self) -> str:
        """The target without its index."""
        return self.target.partition("[")[0]

    def layer(self, i: int) -> int | None:
        """Return the layer, 1 to K, that it belongs to where the pass is at i; None if to none.

        It is the layer whose gradients, ``dA[layer - 1]`` and ``db[layer - 1]``, are the
        first that it has a part in.  The way forward has a part in all of them.
        """
        if self.phase in ("start", "forward", "loss", "end"):
            return None
        return i + 1 if self.phase == "layer" else i

    def index(self, layer: int) -> int:
        """Return the i at which it is computed for a layer."""
        return layer - 1 if self.phase == "layer" else layer

    def symbol_at(self, layer: int) -> str:
        """Return its symbol at one layer."""
        i = self.index(layer)
        return self.symbol.format(i=i, above=i + 1)

    def assign(self, names: dict[str, Any], value: Any) -> None:
        """Put its value where the later steps look for it."""
        if self.target.endswith("]"):
            names[self.variable][names["i"]] = value
        else:
            names[self.variable] = value

    def lines(self, code: str) -> list[str]:
        """Return the lines of the pass in which some code computes it."""
        *before, last = code.split("\n")
        start = "return" if self.phase == "end" else f"{self.target} ="
        lines = [*before, f"{start} {last}"]
        if self.phase == "output":
            lines = [re.sub(r"\bi\b", "K", line) for line in lines]
        return lines


_BY_PHASE: Mapping[Phase, Sequence[tuple[str, str, str, str]]] = {
    "start": [("input", "the input f_0 = x", "f[0] = x", "")],
    "forward": [
        (
            "pre_activation",
            "the pre-activation z",
            "z[i] = A[i - 1] @ f[i - 1] + b[i - 1]",
            "z_{i}",
        ),
        ("activation", "the activation f", "f[i] = sigma(z[i])", "f_{i}"),
    ],
    "loss": [
        ("error", "the output error f_K − y", "error = f[K] - y", ""),
        ("factor", "the factor of the square", "factor = 2", ""),
        ("share", "the share of one sample", "share = 1 / N", ""),
    ],
    "output": [
        ("output_slope", "σ′ at the output", "slope = f[i] * (1 - f[i])", "σ′(z_{i})"),
        ("output_delta", "δ at the output", "delta[i] = factor * share * error * slope", "δ_{i}"),
    ],
    "layer": [
        ("layer_input", "the input of the layer", "inputs = f[i]", "f_{i} in δ_{above} f_{i}ᵀ"),
        (
            "weight_gradient",
            "the weight gradient δ fᵀ",
            "dA[i] = delta[i + 1] @ inputs.T",
            "dA[{i}]",
        ),
        ("penalty", "what the penalty on the weights adds", "dA[i] = dA[i]", "dA[{i}]"),
        (
            "bias_gradient",
            "the bias gradient",
            "db[i] = delta[i + 1].sum(axis=1, keepdims=True)",
            "db[{i}]",
        ),
    ],
    "below": [
        (
            "weights",
            "the weights the error goes back through",
            "weights = A[i]",
            "A_{i} in A_{i}ᵀ δ_{above}",
        ),
        (
            "back",
            "the error sent back, Aᵀ δ",
            "back = weights.T @ delta[i + 1]",
            "A_{i}ᵀ δ_{above}",
        ),
        ("hidden_slope", "σ′ in a hidden layer", "slope = f[i] * (1 - f[i])", "σ′(z_{i})"),
        ("hidden_delta", "δ in a hidden layer", "delta[i] = back * slope", "δ_{i}"),
    ],
    "end": [("result", "what is handed over", "result = (dA, db)", "")],
}
STEPS: tuple[PassStep, ...] = tuple(
    PassStep(name, title, phase, line, symbol)
    for phase, rows in _BY_PHASE.items()
    for name, title, line, symbol in rows
)
"""Every step, in the order in which a pass takes it."""

STEP: Mapping[str, PassStep] = {step.name: step for step in STEPS}
"""Every step by its name."""


@cache
def schedule(K: int) -> tuple[tuple[PassStep, int], ...]:
    """Return every step with the i at which it is taken, in order.

    Examples
    --------
    >>> [f"{step.name} {i}" for step, i in schedule(1)][-4:]
    ['weight_gradient 0', 'penalty 0', 'bias_gradient 0', 'result 0']
    """
    phases: list[tuple[Phase, int]] = [("start", 0)]
    phases += [("forward", i) for i in range(1, K + 1)]
    phases += [("loss", K), ("output", K)]
    for i in reversed(range(K)):
        phases += [("layer", i), ("below", i)] if i else [("layer", i)]
    phases.append(("end", 0))
    return tuple((step, i) for phase, i in phases for step in STEPS if step.phase == phase)


def right_code(convention: Convention) -> dict[str, str]:
    """Return the right code of every step that a convention has, by the step's name."""
    hidden, output = convention.activation, convention.output
    code = {step.name: step.code for step in STEPS}
    code["activation"] = activation_code(hidden)
    if output != hidden:
        code["activation"] += f" if i < K else {activation_code(output)}"
    code["hidden_slope"], code["output_slope"] = slope_code(hidden), slope_code(output)
    code["share"] = {"sum": "1", "mean": "1 / N", "mean_entries": "1 / N / y.shape[0]"}[
        convention.reduction
    ]
    if convention.half:
        code["factor"] = "1"
    if convention.loss == "cross-entropy":  # whose slope the output's cancels
        code["factor"] = code["output_slope"] = "1"
    elif output == "softmax":  # whose slope is a matrix, diag(f) − f fᵀ
        code["output_delta"] = "factor * share * slope * (error - (f[i] * error).sum(axis=0))"
        code["output_slope"] = "f[i]"
    if convention.l2:
        code["penalty"] = {
            "1/2": "dA[i] + l2 * A[i]",
            "1": "dA[i] + 2 * l2 * A[i]",
            "1/2N": "dA[i] + l2 / N * A[i]",
            "1/N": "dA[i] + 2 * l2 / N * A[i]",
        }[convention.l2_factor]
    else:
        del code["penalty"]
    if not convention.has_bias:
        code["pre_activation"] = "A[i - 1] @ f[i - 1]"
        del code["bias_gradient"]
    return code


def activation_code(name: str, z: str = "z[i]") -> str:
    """Return what a layer makes of its pre-activation, as code.

    >>> activation_code("tanh")
    'np.tanh(z[i])'
    """
    forms = {
        "sigmoid": "sigma({z})",
        "tanh": "np.tanh({z})",
        "relu": "relu({z})",
        "leaky relu": "leaky_relu({z})",
        "identity": "{z}",
        "softmax": "softmax({z})",
    }
    return forms[name].format(z=z)


def slope_code(name: str, f: str = "f[i]", z: str = "z[i]") -> str:
    """Return the slope of an activation, as code in terms of f or of z.

    >>> slope_code("tanh"), slope_code("relu", z="z[i + 1]")
    ('1 - f[i] ** 2', 'z[i + 1] > 0')
    """
    forms = {
        "sigmoid": "{f} * (1 - {f})",
        "tanh": "1 - {f} ** 2",
        "relu": "{z} > 0",
        "leaky relu": f"np.where({{z}} > 0, 1, {LEAK:g})",
        "identity": "1",
        "softmax": "{f} * (1 - {f})",
    }
    return forms[name].format(f=f, z=z)


def _softmax(z: Array) -> Array:
    """Return the softmax of each column."""
    return np.asarray(softmax(z.T)).T


@lru_cache(maxsize=4096)
def _compiled(code: str) -> tuple[CodeType | None, CodeType]:
    """Return the statements that come first, if any, and the expression on the last line."""
    *before, last = code.split("\n")
    statements = compile("\n".join(before), "<step>", "exec") if before else None
    return statements, compile(last, "<step>", "eval")


# --- what comes in and goes out -----------------------------------------------


def names_in(
    convention: Convention, A: Sequence[ArrayLike], b: Sequence[ArrayLike], x: ArrayLike, y: Any
) -> dict[str, Any]:
    """Return what the steps know at first: all in columns, and nothing of it copied."""
    weights = [np.asarray(each) for each in A]
    x, y = (_in_columns(convention, data) for data in (x, y))
    return {
        "A": weights if convention.weights == "out_in" else [each.T for each in weights],
        "b": [np.asarray(each).reshape(-1, 1) for each in b],
        "x": x,
        "y": y,
        **{name: {} for name in ("f", "z", "delta", "dA", "db")},
        "K": len(A),
        "N": x.shape[1],
        "l2": convention.l2,
        **_FUNCTIONS,
    }


_FUNCTIONS = {
    "np": np,
    "sigma": sigma,
    "relu": relu,
    "leaky_relu": leaky_relu,
    "softmax": _softmax,
}


def _in_columns(convention: Convention, data: ArrayLike) -> Array:
    array = np.asarray(data)
    if convention.samples == "single":
        return array[:, np.newaxis]
    return array.T if convention.samples == "rows" else array


def weights_out(convention: Convention, gradient: Array) -> Array:
    """Return a gradient of weights as the course lays it out."""
    return gradient if convention.weights == "out_in" else gradient.T


def biases_out(convention: Convention, gradient: Array) -> Array:
    """Return a gradient of biases as the course lays it out; a wrong one may have two axes."""
    if not convention.columns:
        gradient = gradient.T
    one_axis = len(convention.bias_shape(1)) == 1
    return gradient.ravel() if one_axis and 1 in gradient.shape else gradient


def take(step: PassStep, i: int, code: str, names: dict[str, Any]) -> Any:
    """Return what some code for a step computes at i; its value is not yet assigned."""
    names["i"] = i
    statements, expression = _compiled(code)
    if statements:
        exec(statements, names)
    return eval(expression, names)


# --- the pass ---------------------------------------------------------------


@dataclass(frozen=True)
class Situation:
    """What decides whether a mistake can be made, and whether it can be seen."""

    widths: tuple[int, ...]
    N: int = 1
    convention: Convention = DEFAULT
    calls: int = 2
    """How often the pass is called."""

    @property
    def K(self) -> int:
        """The number of layers."""
        return len(self.widths) - 1

    def __str__(self) -> str:
        return (
            f"widths {self.widths}, N = {self.N}, reduction = {self.convention.reduction!r}, "
            f"half = {self.convention.half}"
        )


@dataclass(frozen=True)
class Condition:
    """What a mistake needs in order to be one, in words and as a test of the situation."""

    words: str
    holds: Callable[[Situation], bool]


class Intermediate(NamedTuple):
    """One value on the way through a pass."""

    step: PassStep
    i: int
    value: Any

    @property
    def name(self) -> str:
        """Its name with the layer, such as ``"delta[1]"``."""
        return f"{self.step.variable}[{self.i}]"


class Line(NamedTuple):
    """One line of the listing, and the name of its step; "" for the line of a loop."""

    text: str
    step: str = ""


_INDENT = {"start": 0, "forward": 1, "loss": 0, "output": 0, "layer": 1, "below": 2, "end": 0}
_LOOPS = {
    "forward": "for i in range(1, K + 1):",
    "layer": "for i in reversed(range(K)):",
    "below": "    if i > 0:",
}


class ReferencePass:
    """A backward pass as a function of (A, b, x, y), right but for the steps that are replaced.

    What is ``replaced`` is by a step's name the code in its place: all but its last line are
    statements, the last is an expression.  What it ``needs`` of the widths and of N is looked at
    when it is called.  The learning rate is for a pass that updates the weights in its midst.

    Notes
    -----
    A pass may change its input, or store something from call to call: those are
    mistakes that it can be made to contain.  Make a new one to begin anew.

    Examples
    --------
    >>> right, halved = ReferencePass(), ReferencePass(replaced={"factor": "1"})
    >>> data = [np.ones((1, 2))], [np.zeros(1)], np.ones(2), np.zeros(1)
    >>> right(*data)[0][0] / halved(*data)[0][0]
    array([[2., 2.]])
    """

    def __init__(
        self,
        convention: Convention = DEFAULT,
        replaced: Mapping[str, str] | None = None,
        *,
        needs: Sequence[Condition] = (),
        learning_rate: float = LEARNING_RATE,
    ) -> None:
        self.convention, self.needs, self.learning_rate = convention, tuple(needs), learning_rate
        self.code = {**right_code(convention), **(replaced or {})}
        self._last: tuple[dict[int, Array], ...] = ()

    def __call__(
        self, A: Sequence[ArrayLike], b: Sequence[ArrayLike], x: ArrayLike, y: ArrayLike
    ) -> Gradients:
        """Return (dA, db), lists of arrays in the order of A and b.

        Raises
        ------
        InvalidValueError
            A mistake in it cannot be made on these shapes.
        ShapeError
            The data are laid out in another way than ``samples`` says.
        """
        dA, db = self.intermediates(A, b, x, y)[-1].value
        return (
            [weights_out(self.convention, dA[i]) for i in range(len(A))],
            [biases_out(self.convention, db[i]) for i in range(len(A)) if i in db],
        )

    def intermediates(
        self,
        A: Sequence[ArrayLike],
        b: Sequence[ArrayLike],
        x: ArrayLike,
        y: ArrayLike,
        given: Mapping[str, Array] | None = None,
    ) -> list[Intermediate]:
        """Return every value on the way, in the order in which it is computed.

        Where ``given`` has a value by the name of an intermediate, the later steps go on
        with that one, in place of what was computed.
        """
        self._check_axes(x)
        names = names_in(self.convention, A, b, x, y)
        names |= {"learning_rate": self.learning_rate, "add_to_last_call": self._add_to_last_call}
        self._check_needs(names)
        values = []
        for step, i in schedule(names["K"]):
            if step.name in self.code:
                found = Intermediate(step, i, take(step, i, self.code[step.name], names))
                step.assign(names, given.get(found.name, found.value) if given else found.value)
                values.append(found)
        return values

    def listing(self) -> list[Line]:
        r"""Return the pass as NumPy that runs, one sample per column.

        It is the body of a function of A, b, x and y, and uses the numbers K of layers
        and N of samples, ``sigma``, and the empty dicts f, z, delta, dA and db.

        Examples
        --------
        >>> print(*(line.text for line in ReferencePass().listing()[4:9]), sep="\n")
        error = f[K] - y
        factor = 2
        share = 1 / N
        slope = f[K] * (1 - f[K])
        delta[K] = factor * share * error * slope
        """
        lines, phase = [], "start"
        for step in (each for each in STEPS if each.name in self.code):
            if step.phase != phase and step.phase in _LOOPS:
                lines.append(Line(_LOOPS[step.phase]))
            phase = step.phase
            indent = "    " * _INDENT[phase]
            lines += [Line(indent + text, step.name) for text in step.lines(self.code[step.name])]
        return lines

    def _check_axes(self, x: ArrayLike) -> None:
        """Refuse data of another convention, which would fail somewhere in the midst."""
        expected = self.convention.data_shape("n_0", "1" if self.convention.N_is_1 else "N")
        if np.ndim(x) != len(expected):
            single = self.convention.samples == "single"
            raise ShapeError(
                f'x does not fit samples="{self.convention.samples}".',
                given=f"x of shape {np.shape(x)}",
                expected=f"({', '.join(map(str, expected))}{',' * single})",
                instead='samples="rows" or "columns" for a batch'
                if single
                else 'samples="single" for one sample, of shape (n_0,)',
            )

    def _check_needs(self, names: Mapping[str, Any]) -> None:
        if not self.needs:
            return
        widths = (names["A"][0].shape[1], *(each.shape[0] for each in names["A"]))
        situation = Situation(widths, names["N"], self.convention)
        for condition in self.needs:
            if not condition.holds(situation):
                raise InvalidValueError(
                    "This mistake cannot be made here, or would not show.",
                    given=str(situation),
                    expected=condition.words,
                )

    def _add_to_last_call(self, *gradients: dict[int, Array]) -> tuple[dict[int, Array], ...]:
        if self._last:
            gradients = tuple(
                {i: last[i] + now[i] for i in now}
                for last, now in zip(self._last, gradients, strict=True)
            )
        self._last = gradients
        return gradients

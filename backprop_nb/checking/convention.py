"""How a course writes the backward pass: the conventions, and the one place that checks them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal, TypeAlias, TypeVar, get_args

from backprop_nb.errors import InvalidValueError, must_be
from backprop_nb.meant import one_of
from backprop_nb.network import validation
from backprop_nb.network.activations import ACTIVATIONS, OUTPUTS, ActivationName, OutputName
from backprop_nb.network.losses import LOSSES, LossName

Samples: TypeAlias = Literal["single", "column", "rows", "columns"]
Reduction: TypeAlias = Literal["mean", "sum", "mean_entries"]
Weights: TypeAlias = Literal["out_in", "in_out"]
Bias: TypeAlias = bool | Literal["flat", "matrix", "in_weights"]
Penalty: TypeAlias = Literal["1/2", "1", "1/2N", "1/N"]
Parameters: TypeAlias = Literal["lists", "pairs", "dicts", "dict", "list", "flat", "separate"]
Names: TypeAlias = str | Sequence[str | Sequence[str]]
Shape: TypeAlias = tuple[int, ...]

T = TypeVar("T")

SAMPLES: tuple[str, ...] = get_args(Samples)
REDUCTIONS: tuple[str, ...] = get_args(Reduction)
PARAMETERS: tuple[str, ...] = get_args(Parameters)


@dataclass(frozen=True)
class Convention:
    """How a course lays out its data and parameters, which network it has, and which loss.

    Attributes
    ----------
    samples, reduction, half, activation, output, loss, l2, l2_factor, weights, bias
        As of :func:`~backprop_nb.checking.check_backward`.

    Raises
    ------
    InvalidValueError
        A value that is none of these, or two that do not go together.
    """

    samples: Samples = "single"
    reduction: Reduction = "mean"
    half: bool = False
    activation: ActivationName = "sigmoid"
    output: OutputName = "sigmoid"
    loss: LossName = "squared error"
    l2: float = 0.0
    l2_factor: Penalty = "1/2"
    weights: Weights = "out_in"
    bias: Bias = True

    def __post_init__(self) -> None:
        choices: dict[str, Sequence[str]] = {
            "samples": SAMPLES,
            "reduction": REDUCTIONS,
            "activation": [*ACTIVATIONS],
            "output": [*OUTPUTS],
            "loss": [*LOSSES],
            "l2_factor": get_args(Penalty),
            "weights": get_args(Weights),
        }
        for name, known in choices.items():
            one_of(name, getattr(self, name), known)
        if self.half not in (False, True):
            raise must_be("True or False", "half", self.half)
        if self.bias not in (False, True):
            if self.bias not in ("flat", "matrix", "in_weights"):
                expected = 'True, False, "flat", "matrix" or "in_weights"'
                raise must_be(expected, "bias", self.bias)
            if self.bias == "matrix" and self.samples == "single":
                raise InvalidValueError(
                    "Biases with two axes do not add to a vector.",
                    given='samples="single" and bias="matrix"',
                    instead='samples="column" for a sample of shape (n_0, 1)',
                )
        if isinstance(self.l2, bool) or not (
            isinstance(self.l2, int | float) and 0 <= self.l2 < math.inf
        ):
            raise must_be("a number that is not negative", "l2", self.l2)
        self._check_loss()

    def _check_loss(self) -> None:
        outputs = LOSSES[self.loss].outputs
        if self.output not in outputs:
            raise InvalidValueError(
                f"The {self.loss} needs an output that is a probability.",
                given=f"loss={self.loss!r} and output={self.output!r}",
                instead=" or ".join(f"output={each!r}" for each in outputs),
            )
        if self.half and self.loss != "squared error":
            raise InvalidValueError(
                "Only the squared error is halved.",
                given=f"loss={self.loss!r} and half=True",
                instead="half=False",
            )

    @property
    def N_is_1(self) -> bool:
        """Whether there is always one sample."""
        return self.samples in ("single", "column")

    @property
    def columns(self) -> bool:
        """Whether each sample is a column."""
        return self.samples in ("column", "columns")

    @property
    def has_bias(self) -> bool:
        """Whether the layers have biases."""
        return self.bias is not False

    @property
    def plain(self) -> bool:
        """Whether the document's words fit: sigmoids, the squared error, and A f + b."""
        network = (self.activation, self.output, self.loss)
        return network == ("sigmoid", "sigmoid", "squared error") and self.weights == "out_in"

    def data_shape(self, n: T, N: T) -> tuple[T, ...]:
        """Return the shape of N samples of n numbers each.

        >>> Convention("columns").data_shape(3, 4)
        (3, 4)
        """
        shapes = {"single": (n,), "column": (n, N), "rows": (N, n), "columns": (n, N)}
        return shapes[self.samples]

    def weight_shape(self, n_in: int, n_out: int) -> Shape:
        """Return the shape of the weights of a layer, without a bias among them.

        >>> Convention(weights="in_out").weight_shape(3, 4)
        (3, 4)
        """
        return (n_out, n_in) if self.weights == "out_in" else (n_in, n_out)

    def bias_shape(self, n: int) -> Shape:
        """Return the shape of the biases of n units.

        >>> Convention("columns").bias_shape(4), Convention("rows", bias="matrix").bias_shape(4)
        ((4, 1), (1, 4))
        """
        flat = self.bias in ("flat", "in_weights") or (self.bias is True and not self.columns)
        if flat:
            return (n,)
        return (n, 1) if self.columns else (1, n)


DEFAULT = Convention()
"""A single sample, and the document's own network and loss."""


@dataclass(frozen=True)
class Course(Convention):
    """A convention, how a backward pass is called, and the networks that it is asked about.

    Attributes
    ----------
    layers : int
        K, of each network.
    seed : int
        Of the parameters and the data.
    widths, parameters, names, order, calls, returns, labels
        As of :func:`~backprop_nb.checking.check_backward`.

    Raises
    ------
    InvalidValueError
        No layer, a seed below 0, or a way to hand over parameters that does not exist.
    """

    layers: int = 3
    seed: int = 0
    widths: Shape | None = None
    parameters: Parameters = "lists"
    names: Names | None = None
    order: str | Sequence[str] | None = None
    calls: str | Sequence[str] = "parameters x y"
    returns: str | None = None
    labels: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.widths is not None:
            widths = validation.checked_widths(self.widths, kind="check_backward")
            self._set("widths", widths)
            self._set("layers", len(widths) - 1)
        for name, least in (("layers", 1), ("seed", 0)):
            if not getattr(self, name) >= least:
                raise must_be(f"at least {least}", name, getattr(self, name))
        one_of("parameters", self.parameters, PARAMETERS)
        if self.returns is not None:
            one_of("returns", self.returns, (*PARAMETERS, "biases weights"))
        # Lists come back from JSON, and a course must be hashable.
        self._set("names", _hashable(self.names))
        self._set("calls", " ".join(_words(self.calls)))
        self._set("order", None if self.order is None else _words(self.order))
        if self.labels and (self.loss, self.output) != ("cross-entropy", "softmax"):
            raise InvalidValueError(
                "Targets are labels where the outputs are the probabilities of classes.",
                given=f"labels=True, loss={self.loss!r} and output={self.output!r}",
                instead='labels=True, loss="cross-entropy", output="softmax"',
            )
        if self.output == "softmax" and self.widths is not None and self.widths[-1] < 2:
            raise InvalidValueError(
                "A softmax of one unit is always 1.",
                given=f"widths={self.widths}",
                instead='output="sigmoid"',
            )
        self._check_names()

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @property
    def plain(self) -> bool:
        """Whether the document's words fit, and its names."""
        return super().plain and self.symbols == ("A", "b")

    @cached_property
    def called_with(self) -> tuple[str, ...]:
        """The words of ``calls``, in order."""
        return _words(self.calls)

    # -- names ---------------------------------------------------------------

    @property
    def weight_names(self) -> tuple[str, ...]:
        """What the course calls the weights of each layer.

        >>> Course().weight_names, Course(parameters="dict", layers=2).weight_names
        (('A[0]', 'A[1]', 'A[2]'), ('W1', 'W2'))
        """
        names = self._names(0)
        if self.bias == "in_weights":
            rest = "[:, 1:]" if self.weights == "out_in" else "[1:]"
            return tuple(f"{name}{rest}" for name in names)
        return names

    @property
    def bias_names(self) -> tuple[str, ...]:
        """What the course calls the biases of each layer; empty if it has none.

        >>> Course(parameters="dict", layers=2, names=("theta{i}", "beta{i}")).bias_names
        ('beta1', 'beta2')
        """
        if not self.has_bias:
            return ()
        if self.bias == "in_weights":
            first = "[:, 0]" if self.weights == "out_in" else "[0]"
            return tuple(f"{name}{first}" for name in self._names(0))
        return self._names(1)

    @cached_property
    def leaf_names(self) -> dict[tuple[str, int], str]:
        """The name of each array that a backward pass gets, by ("A", i) and ("b", i), in order."""
        kinds = "Ab" if self.has_bias and self.bias != "in_weights" else "A"
        names = {kind: self._names("Ab".index(kind)) for kind in kinds}
        if self.parameters == "lists":
            places = [(kind, i) for kind, i in product(kinds, range(self.layers))]
        else:
            places = [(kind, i) for i, kind in product(range(self.layers), kinds)]
        if self.order is not None:
            order = list(self.order)
            places.sort(key=lambda place: order.index(names[place[0]][place[1]]))
        return {(kind, i): names[kind][i] for kind, i in places}

    @cached_property
    def symbols(self) -> tuple[str, str]:
        """The letters for weights and biases in a formula.

        >>> Course(parameters="dict").symbols
        ('W', 'b')
        """
        one, other = (self._template(k) for k in (0, 1))
        letters = [
            each.replace("{i}", "").replace("{i-1}", "").strip("_[] ")
            if isinstance(each, str)
            else fallback
            for each, fallback in ((one, "W"), (other, "b"))
        ]
        return letters[0] or "W", letters[1] or "b"

    def _template(self, kind: int) -> str | Sequence[str]:
        lists = self.parameters in ("lists", "dicts")
        default = ("A", "b") if self.parameters == "lists" else ("W", "b")
        if not lists:
            default = ("W{i}", "b{i}")
        if self.names is None:
            return default[kind]
        if isinstance(self.names, str):
            return (self.names, default[1])[kind]
        given: Sequence[str | Sequence[str]] = self.names
        return given[kind] if len(given) > kind else default[kind]

    @property
    def _is_keyed(self) -> bool:
        """Whether each parameter has a name of its own, and not a place in a list."""
        return self.parameters not in ("lists", "dicts", "pairs")

    def _names(self, kind: int) -> tuple[str, ...]:
        template = self._template(kind)
        if not isinstance(template, str):
            return tuple(template)
        if not _counts(template):
            if self._is_keyed:  # then there is a single layer
                return (template,)
            return tuple(f"{template}[{i}]" for i in range(self.layers))
        return tuple(
            template.replace("{i}", str(i + 1)).replace("{i-1}", str(i)) for i in range(self.layers)
        )

    def _check_names(self) -> None:
        if self.names is not None and not isinstance(self.names, str | tuple):
            raise must_be('text such as "W{i}", or a pair of such texts', "names", self.names)
        kinds = (0, 1) if self.has_bias and self.bias != "in_weights" else (0,)
        for kind in kinds:
            template = self._template(kind)
            if isinstance(template, str) and len(words := _words(template)) > 1:
                raise InvalidValueError(
                    "A pattern is that of one name.",
                    given=f"names = {self.names!r}",
                    instead=f"names={words}",
                )
            if not isinstance(template, str) and len(template) != self.layers:
                expected = f"a name for each of the {self.layers} layers"
                raise InvalidValueError(
                    "There must be as many names as layers.",
                    given=f"names = {self.names!r}",
                    expected=expected,
                    instead=f"layers={len(template)}",
                )
            is_one_name = isinstance(template, str) and not _counts(template)
            if self._is_keyed and is_one_name and self.layers > 1:
                raise InvalidValueError(
                    "Each layer needs a name of its own.",
                    given=f"names = {self.names!r}",
                    expected="{i} where the number of the layer stands, {i-1} to count from 0",
                    instead=f'"{template}{{i}}"',
                )
        if self.order is not None:
            known = [name for kind in kinds for name in self._names(kind)]
            if sorted(self.order) != sorted(known):
                raise InvalidValueError(
                    "`order` must have the name of every parameter once.",
                    given=f"order = {' '.join(self.order)!r}",
                    expected=" ".join(known),
                )


def _counts(template: str) -> bool:
    """Whether a name has the number of its layer in it."""
    return "{i}" in template or "{i-1}" in template


def _words(text: str | Sequence[str]) -> tuple[str, ...]:
    """Return words that stand in one text, or one by one."""
    return tuple(text.replace(",", " ").split() if isinstance(text, str) else text)


def _hashable(names: Any) -> Any:
    if isinstance(names, list | tuple):
        return tuple(map(_hashable, names))
    return names

"""How a course writes the backward pass: the conventions, and the one place that checks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar, get_args

from backprop_nb.errors import must_be
from backprop_nb.network import validation

Samples: TypeAlias = Literal["single", "rows", "columns"]
Reduction: TypeAlias = Literal["mean", "sum"]

T = TypeVar("T")

SAMPLES: tuple[str, ...] = get_args(Samples)
REDUCTIONS: tuple[str, ...] = get_args(Reduction)


@dataclass(frozen=True)
class Convention:
    """How a course lays out its data, and which loss it takes.

    Attributes
    ----------
    samples, reduction, half
        As of :func:`~backprop_nb.checking.check_backward`.

    Raises
    ------
    InvalidValueError
        A value that is none of these.
    """

    samples: Samples = "single"
    reduction: Reduction = "mean"
    half: bool = False

    def __post_init__(self) -> None:
        validation.one_of("samples", self.samples, SAMPLES)
        validation.one_of("reduction", self.reduction, REDUCTIONS)
        if self.half not in (False, True):
            raise must_be("True or False", "half", self.half)

    def data_shape(self, n: T, N: T) -> tuple[T, ...]:
        """Return the shape of N samples of n numbers each.

        >>> Convention("columns").data_shape(3, 4)
        (3, 4)
        """
        return {"single": (n,), "rows": (N, n), "columns": (n, N)}[self.samples]


DEFAULT = Convention()
"""A single sample, and the document's own loss."""


@dataclass(frozen=True)
class Course(Convention):
    """A convention, and the networks that a backward pass is asked about.

    Attributes
    ----------
    layers : int
        K, of each network.
    seed : int
        Of the parameters and the data.

    Raises
    ------
    InvalidValueError
        No layer, or a seed below 0.
    """

    layers: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("layers", 1), ("seed", 0)):
            if not getattr(self, name) >= least:
                raise must_be(f"at least {least}", name, getattr(self, name))

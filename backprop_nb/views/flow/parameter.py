"""One number of θ by its name: a weight or a bias."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from backprop_nb.errors import NotFoundError
from backprop_nb.network import Network
from backprop_nb.network.validation import FloatArray
from backprop_nb.views.numbers import subscript
from backprop_nb.views.state import is_whole


@dataclass(frozen=True)
class Parameter:
    """One number of θ: the entry in row j and column k of A_i, or, without a k, entry j of b_i.

    >>> str(Parameter(1, 0, 2)), str(Parameter(1, 0)), Parameter(1, 0, 2).symbol
    ('A_1[0, 2]', 'b_1[0]', 'A₁[0, 2]')
    """

    i: int
    j: int
    k: int | None = None

    def __str__(self) -> str:
        return f"{self.letter}_{self.i}{list(self.entry)}"

    @property
    def letter(self) -> str:
        """``"A"`` or ``"b"``."""
        return "b" if self.k is None else "A"

    @property
    def entry(self) -> tuple[int, ...]:
        """Its index in A_i or b_i."""
        return (self.j,) if self.k is None else (self.j, self.k)

    @property
    def symbol(self) -> str:
        """Its name in a text."""
        return indexed(self.letter, self.i, *self.entry)

    def of(self, A: Sequence[FloatArray], b: Sequence[FloatArray]) -> float:
        """Return this entry of ``A`` and ``b``, which may be a gradient's."""
        return float((b if self.k is None else A)[self.i][self.entry])

    def set(self, A: Sequence[FloatArray], b: Sequence[FloatArray], value: float) -> None:
        """Write a value into this entry of ``A`` and ``b``."""
        (b if self.k is None else A)[self.i][self.entry] = value


def parameters(net: Network) -> Iterator[Parameter]:
    """Yield every weight, then every bias, layer by layer."""
    for i, A in enumerate(net.A):
        yield from (Parameter(i, j, k) for j, k in np.ndindex(A.shape))
        yield from (Parameter(i, j) for j in range(len(A) if net.bias else 0))


def parameter_named(net: Network, name: object) -> Parameter:
    """Return the parameter with a name such as ``"A_1[0, 2]"``, or a tuple such as ``(1, 0, 2)``.

    Raises ``NotFoundError`` if the network has no such parameter.

    >>> net = Network((2, 3, 1))
    >>> parameter_named(net, "A_1[0, 2]"), parameter_named(net, (0, 2))
    (Parameter(i=1, j=0, k=2), Parameter(i=0, j=2, k=None))
    """
    found = _parsed(name)
    if found is None:
        raise NotFoundError(
            "That is not the name of a weight or a bias.",
            given=repr(name),
            expected='"A_1[0, 2]" or (1, 0, 2) for a weight, "b_1[0]" or (1, 0) for a bias',
        )
    of = f"{found.letter}_{found.i}"
    if found.k is None and not net.bias:
        problem, expected = "This network has no biases.", "a weight, such as A_0[0, 0]"
    elif found.i >= net.K:
        last = net.K - 1
        problem, expected = f"This network has no {found}.", f"A_0 to A_{last}, or b_0 to b_{last}"
    else:
        shape = (net.b if found.k is None else net.A)[found.i].shape
        if all(n < size for n, size in zip(found.entry, shape, strict=True)):
            return found
        problem = f"This network has no {found}."
        expected = f"an entry of {of}, of shape {shape}, counted from 0"
    raise NotFoundError(problem, given=repr(name), expected=expected)


_NAME = re.compile(r"\s*(?:A_?(\d+)\[\s*(\d+)\s*,\s*(\d+)\s*\]|b_?(\d+)\[\s*(\d+)\s*\])\s*")


def _parsed(name: object) -> Parameter | None:
    if isinstance(name, str):
        match = _NAME.fullmatch(name)
        name = [int(text) for text in match.groups() if text] if match else []
    if not isinstance(name, (tuple, list)) or len(name) not in (2, 3):
        return None
    return Parameter(*map(int, name)) if all(is_whole(n, 0) for n in name) else None


@cache
def indexed(symbol: str, i: int, *entry: int) -> str:
    """Return a symbol with its index, and which of its entries is meant.

    >>> indexed("δ", 12), indexed("A", 1, 0, 2)
    ('δ₁₂', 'A₁[0, 2]')
    """
    of = str(list(entry)) if entry else ""
    return f"{symbol}{subscript(i)}{of}"

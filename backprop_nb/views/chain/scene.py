"""The chain rule for θ_i as plain data: its factors, their product step by step, its cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_nb.network import Gradient, SigmoidNetwork
from backprop_nb.network.chain import Chain, Side
from backprop_nb.network.document import equation
from backprop_nb.network.transposes import INTRODUCTION
from backprop_nb.views import numbers
from backprop_nb.views.chain.cost_picture import cost_picture, paid
from backprop_nb.views.chain.frames import multiplications, product_frames, transpose_frames
from backprop_nb.views.chain.matrices import Matrices, bytes_text, forced_zeros
from backprop_nb.views.chain.matrix_picture import Lengths, fit_lengths
from backprop_nb.views.chain.schema import ChainFrame, ChainProduct, ChainScene
from backprop_nb.views.formula import mathml
from backprop_nb.views.network_picture import (
    PITCH,
    SHOWN,
    draw_edges,
    draw_headers,
    draw_units,
    network_layout,
)
from backprop_nb.views.numbers import fit_scale
from backprop_nb.views.overflow import quietly, too_large
from backprop_nb.views.picture import Picture

SHIPPED = 20_000
"""So many cells at most go to the browser for all θ_i at once; else those of one θ_i."""
BESIDE = 860.0
"""So wide at most are the factors if the network is to stand beside them, in pixels."""
DEEP, FEW = 12, 5
"""Of more layers than this so many units each are drawn: fifty are 800 edges, not 2,450."""
SIDES: tuple[Side, ...] = ("left", "right")
SECTIONS = ("product", "transposes")
PICTURES = (784, 128, 64, 10)
"""The widths of a network for small pictures, in which the Jacobians are already large."""


@dataclass(frozen=True)
class Sample:
    """One network and one input: what all chains of a view are made from."""

    net: SigmoidNetwork
    x: NDArray[Any]
    y: NDArray[Any]
    """Arrays of shape (n_0,) and (n_K,)."""
    row: int = 0
    rows: int = 0
    """Which row of a batch of how many it is; 0 rows is a single input."""

    @property
    def alt(self) -> str:
        """A sentence that stands for the whole."""
        return f"The chain rule of a {widths_text(self.net.widths)} network, factor by factor."

    @property
    def place(self) -> str:
        """Which row of a batch it is, and what it has to do with the batch."""
        if not self.rows:
            return ""
        return (
            f"Row {self.row} of a batch of {self.rows}; the gradient of the batch is the mean "
            "over its rows."
        )

    @property
    def too_large(self) -> str:
        """What is said of numbers that are not finite; empty if all are."""
        net, x, y = self.net, self.x, self.y
        with quietly():
            return too_large(net, net.forward(x), net.loss(x, y), net.backward(x, y))

    def chain(self, i: int) -> Chain:
        """Return the chain for θ_i."""
        return self.net.chain(self.x, self.y, i)


@quietly()
def chain_scene(sample: Sample, i: int) -> ChainScene:
    """Return the scene of a network's chains: matrices, frames, network and costs.

    The chain for θ_i is in it, and if all are small together, all are.

    >>> net = SigmoidNetwork((2, 3, 2), seed=0)
    >>> scene = chain_scene(Sample(net, np.array([1.0, 2.0]), np.array([0.0, 1.0])), 0)
    >>> sorted(scene["chains"]), scene["chains"]["0"]["factors"]
    (['0', '1'], ['∂L/∂f_2', '∂f_2/∂f_1', '∂f_1/∂θ_0'])
    >>> {way: len(frames) for way, frames in scene["chains"]["0"]["frames"].items()}
    {'left': 4, 'right': 4, 'transposes': 6}
    """
    net, widths = sample.net, sample.net.widths
    lengths, complete = lengths_of(widths), fits_whole(widths)
    matrices, gradient = Matrices(widths), net.backward(sample.x, sample.y)
    shown = range(net.K) if complete else [i]
    chains = {str(k): _chain(sample.chain(k), matrices, gradient) for k in shown}
    scales = matrices.scales()
    return {
        "alt": sample.alt,
        "K": net.K,
        "row": sample.row,
        "rows": sample.rows,
        "batch": " ".join(filter(None, [sample.place, sample.too_large])),
        "complete": complete,
        "equation": mathml(equation("chain-general").latex),
        "network": _network(sample).data(),
        "matrices": matrices.data(lengths, scales),
        "chains": chains,
        "wide": _strip_width(widths, lengths) > BESIDE,
        "legend": {
            "value": f"derivative of f {scales['value'].text}",
            "adjoint": f"derivative of L {scales['adjoint'].text}",
            "sizes": lengths.text,
        },
    }


def widths_text(widths: Sequence[int]) -> str:
    """Return widths as they are spoken of; of many, the ends.

    >>> widths_text((2, 3, 2)), widths_text((32,) * 51)
    ('2-3-2', '32-32-…-32 (50-layer)')
    """
    if len(widths) <= 8:
        return "-".join(map(str, widths))
    return f"{widths[0]}-{widths[1]}-…-{widths[-1]} ({len(widths) - 1}-layer)"


@cache
def lengths_of(widths: tuple[int, ...]) -> Lengths:
    """Return how long the sides of all matrices of a network are drawn.

    >>> lengths_of((2, 3, 2)).cell, lengths_of(PICTURES).cell
    (34.0, 0.0)
    """
    thetas = [n_out * (n_in + 1) for n_in, n_out in pairwise(widths)]
    widest = max(thetas)
    # The factors of θ_0 side by side, or two products from the right.
    together = max(sum(widths[1:]) + thetas[0], 2 * widest + max(widths[1:]))
    return fit_lengths(widest, max(widths[1:]), together)


@cache
def fits_whole(widths: tuple[int, ...]) -> bool:
    """Return whether the matrices of all θ_i are few and small enough to be sent at once.

    >>> fits_whole((4, 3, 3)), fits_whole((32,) * 51)
    (True, False)
    """
    lengths, cells = lengths_of(widths), 0
    for i, (n_in, n_out) in enumerate(pairwise(widths)):
        columns = lengths.cells(n_out * (n_in + 1))
        cells += sum(lengths.cells(n) * (columns + lengths.cells(n)) for n in widths[i + 1 :])
    return cells <= SHIPPED


def _strip_width(widths: tuple[int, ...], lengths: Lengths) -> float:
    """Return about how wide the factors of the widest chain are, side by side."""
    ways = [
        [*widths[i + 1 :], n_out * (n_in + 1)] for i, (n_in, n_out) in enumerate(pairwise(widths))
    ]
    return max(sum(max(lengths(n), 36.0) + 34.0 for n in way) for way in ways) + 60


# --- one chain --------------------------------------------------------------


def _chain(chain: Chain, matrices: Matrices, gradient: Gradient) -> ChainProduct:
    factors = [matrices.factor(factor) for factor in chain.factors]
    frames: dict[str, list[ChainFrame]] = {}
    for side in SIDES:
        products = chain.partial_products(side)
        frames[side] = [*product_frames(chain, products, matrices, gradient)]
        for frame, product in zip(frames[side], [*products, products[-1]], strict=True):
            frame["paid"] = paid(chain, side, product.total)
    steps, transposes = transpose_frames(chain, matrices)
    return {
        "name": chain.symbol,
        "math": mathml(chain.latex),
        "factors": factors,
        "steps": [step.factor.symbol for step in steps],
        "code": [step.statement for step in steps],
        "costs": cost_picture(chain).data(),
        "why": why_never_built(chain),
        "introduction": INTRODUCTION,
        "frames": {**frames, "transposes": transposes},
    }


# --- why nobody builds them -------------------------------------------------


@cache
def _small_pictures() -> Chain:
    """Return a chain that is large, made without any number of it being computed."""
    net = SigmoidNetwork.from_parameters(
        [np.zeros((n_out, n_in)) for n_in, n_out in pairwise(PICTURES)],
        [np.zeros(n) for n in PICTURES[1:]],
    )
    return net.chain(np.zeros(PICTURES[0]), np.zeros(PICTURES[-1]), 0)


def why_never_built(chain: Chain) -> list[str]:
    """Return, in sentences with numbers, why programs build none of these matrices.

    >>> net = SigmoidNetwork((2, 3, 2), seed=0)
    >>> print(why_never_built(net.chain([1.0, 2.0], [0.0, 1.0], 0))[0])
    These 3 factors have 35 entries, 18 of them forced zeros; the gradient has 9.
    """
    own, zeros = _entries(chain), sum(map(forced_zeros, chain.factors))
    forced = f", {zeros:,} of them forced zeros" if zeros else ""
    size = own * chain.factors[0].dtype.itemsize
    return [
        f"These {len(chain.factors)} factors have {own:,} entries{forced}; the gradient has "
        f"{chain.factors[-1].shape[1]:,}.",
        f"That is {bytes_text(size)} for one input. Each row of a batch has factors of its own: "
        f"128 rows fill {bytes_text(128 * size)}.",
        *([] if chain.widths == PICTURES else [_of_pictures()]),
        "net.backward keeps one row and multiplies it by each A_j as it stands: "
        f"{multiplications(chain.cost_of_backward)} here.",
    ]


def _of_pictures() -> str:
    large, widths = _small_pictures(), widths_text(PICTURES)
    size = 8 * _entries(large)
    return (
        f"A network for small pictures, {widths}, has {_entries(large):,} entries for i = 0: "
        f"{bytes_text(size)} an input, {bytes_text(128 * size)} for 128 rows. From the left "
        f"{multiplications(large.cost_from_left)}, from the right {large.cost_from_right:,}, by "
        f"net.backward {large.cost_of_backward:,}."
    )


def _entries(chain: Chain) -> int:
    return sum(factor.entries for factor in chain.factors)


# --- the network ------------------------------------------------------------


def _network(sample: Sample) -> Picture:
    """Return the network with the loss at its end; layers have keys, to be lit."""
    net = sample.net
    f, loss = net.forward(sample.x).f, net.loss(sample.x, sample.y)
    layout = network_layout(
        net.widths,
        width=max(400.0, 140.0 * min(net.K, 4), 74.0 * net.K + 72),
        shown=SHOWN if net.K <= DEEP else FEW,
    )
    units = f"{widths_text(net.widths)} units from left to right"
    alt = f"The network, {units}, and the loss, {numbers.long(loss)}."
    picture = Picture(layout.width + 74, layout.height, alt)
    draw_headers(picture, layout)
    draw_edges(picture, layout, net.A, fit_scale(net.A))
    left, middle = layout.width + 8, layout.height / 2 + PITCH / 2 - 3
    for x, y in layout.units[-1].values():
        picture.line([(x + 16, y), (left, middle)], stroke="edge", width=1.2, key="L")
    draw_units(picture, layout, f, fit_scale(f))
    box = (left, middle - 15, 58.0, 30.0)
    picture.rect(box, fill="card", stroke="backward", width=1.6, radius=6, key="L")
    text = numbers.short(loss)
    picture.text((left + 29, middle), text, size=10.5, anchor="middle", key="L")
    picture.text((left + 29, 12), "L", italic=True, size=15, anchor="middle", key="L")
    return picture

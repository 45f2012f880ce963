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
from backprop_nb.views import numbers
from backprop_nb.views.chain.cost_picture import BAR, cost_axis, cost_picture
from backprop_nb.views.chain.frames import multiplications, product_frames
from backprop_nb.views.chain.matrix_picture import LARGEST_CELL, Lengths, fit_lengths
from backprop_nb.views.chain.store import Shelf, bytes_text, forced_zeros, keep_factor
from backprop_nb.views.chain.transposes import transposes
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

Scene = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One network and one input: what all chains of a view are made from.

    Attributes
    ----------
    net : SigmoidNetwork
    x, y : arrays of shape (n_0,) and (n_K,)
    row, rows : int
        Which row of a batch of how many it is; 0 rows is a single input.
    """

    net: SigmoidNetwork
    x: NDArray[Any]
    y: NDArray[Any]
    row: int = 0
    rows: int = 0

    def chain(self, i: int) -> Chain:
        """Return the chain for θ_i."""
        return self.net.chain(self.x, self.y, i)


def chain_scene(case: Case, which: Sequence[int] | None = None) -> Scene:
    """Return the scene of a network's chains: matrices, frames, network and costs.

    Parameters
    ----------
    case
        The network and its input.
    which
        The θ_i that are in it; by default all, if they are small, else only θ_0.

    Returns
    -------
    dict
        ``matrices`` by their name, ``chains`` by i; of each chain the names of its
        factors, and its frames by side and for the transposes.

    Examples
    --------
    >>> net = SigmoidNetwork((2, 3, 2), seed=0)
    >>> scene = chain_scene(Case(net, np.array([1.0, 2.0]), np.array([0.0, 1.0])))
    >>> sorted(scene["chains"]), scene["chains"]["0"]["factors"]
    (['0', '1'], ['∂L/∂f_2', '∂f_2/∂f_1', '∂f_1/∂θ_0'])
    >>> [frame["cost"] for frame in scene["chains"]["0"]["left"]]
    [0, 6, 27, 0]
    """
    K = case.net.K
    lengths = lengths_of(case.net.widths)
    complete = fits_whole(case.net.widths)
    shown = tuple(which) if which is not None else tuple(range(K)) if complete else (0,)
    shelf = Shelf(K)
    gradient = case.net.backward(case.x, case.y)
    chains = {str(i): _chain(case.chain(i), shelf, gradient) for i in shown}
    scales = shelf.scales()
    return {
        "alt": alt_text(case),
        "widths": list(case.net.widths),
        "K": K,
        "row": case.row,
        "rows": case.rows,
        "batch": batch_text(case),
        "complete": complete,
        "equation": mathml(equation("chain-general").latex),
        "network": _network(case).data(),
        "matrices": shelf.data(lengths, scales, all_numbers=complete),
        "chains": chains,
        "bar": BAR,
        "tall": lengths.cell == LARGEST_CELL,
        "wide": _strip_width(case.net.widths, lengths) > BESIDE,
        "legend": {
            "value": f"derivative of f {scales['value'].text}",
            "adjoint": f"derivative of L {scales['adjoint'].text}",
            "sizes": lengths.text,
        },
    }


def alt_text(case: Case) -> str:
    """Return a sentence that stands for the whole."""
    return f"The chain rule of a {widths_text(case.net.widths)} network, factor by factor."


def batch_text(case: Case) -> str:
    """Return which row of a batch is shown, and what it has to do with the batch."""
    if not case.rows:
        return ""
    return (
        f"Row {case.row} of a batch of {case.rows}; the gradient of the batch is the mean over "
        "its rows."
    )


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


def _chain(chain: Chain, shelf: Shelf, gradient: Gradient) -> Scene:
    theta = (chain.i, chain.A[chain.i].shape[0], chain.A[chain.i].shape[1])
    factors = [keep_factor(factor, shelf, theta) for factor in chain.factors]
    axis = cost_axis(chain)
    scene: Scene = {
        "i": chain.i,
        "name": chain.symbol,
        "math": mathml(chain.latex),
        "factors": factors,
        "costs": cost_picture(chain, axis).data(),
        "why": why_never_built(chain),
    }
    for side in SIDES:
        scene[side] = [*product_frames(chain, side, shelf, gradient)]
        for frame in scene[side]:
            # Where the bar of this side ends so far; the total is in the picture.
            frame["run"] = round(axis.place(frame["total"]), 4)
    return scene | transposes(chain, shelf)


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


def _network(case: Case) -> Picture:
    """Return the network with the loss at its end; layers have keys, to be lit."""
    net = case.net
    f, loss = net.forward(case.x).f, net.loss(case.x, case.y)
    layout = network_layout(
        net.widths,
        width=max(400.0, 140.0 * min(net.K, 4), 74.0 * net.K + 72),
        shown=SHOWN if net.K <= DEEP else FEW,
    )
    picture = Picture(layout.width + 74, layout.height, _network_alt(net, loss))
    draw_headers(picture, layout)
    draw_edges(picture, layout, net.A, fit_scale(net.A))
    middle = layout.height / 2 + PITCH / 2 - 3
    for x, y in layout.units[-1].values():
        picture.line([(x + 16, y), (layout.width + 8, middle)], stroke="edge", width=1.2, key="L")
    draw_units(picture, layout, f, fit_scale(f))
    box = (layout.width + 8, middle - 15, 58.0, 30.0)
    picture.rect(box, fill="card", stroke="backward", width=1.6, radius=6, key="L")
    at = (layout.width + 37, middle)
    picture.text(at, numbers.short(loss), size=10.5, anchor="middle", key="L")
    picture.text((at[0], 12), "L", italic=True, size=15, anchor="middle", key="L")
    return picture


def _network_alt(net: SigmoidNetwork, loss: float) -> str:
    units = f"{widths_text(net.widths)} units from left to right"
    return f"The network, {units}, and the loss, {numbers.long(loss)}."

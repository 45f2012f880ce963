"""What a product of Jacobians costs from either side, beside the pass that builds none: bars."""

from __future__ import annotations

from backprop_nb.network.chain import Chain, Side
from backprop_nb.views.chart import Axis
from backprop_nb.views.picture import Picture
from backprop_nb.views.schema import Patch

WIDTH, LABEL, PITCH, TOP = 274.0, 96.0, 42.0, 42.0
LOG_FROM = 50
"""Costs so many times apart are shown on a logarithmic axis."""

ROWS = {
    "left": ("from the left", "backward"),
    "right": ("from the right", "forward"),
    "backward": ("net.backward", "muted"),
}
"""What each bar is, and its colour: from the left one goes backward, from the right forward."""


def costs(chain: Chain) -> dict[str, int]:
    """Return the multiplications of each way.

    >>> from backprop_nb import SigmoidNetwork
    >>> costs(SigmoidNetwork((2, 3, 2), seed=0).chain([1, 2], [0, 1], 0))
    {'left': 33, 'right': 72, 'backward': 12}
    """
    return {
        "left": chain.cost_from_left,
        "right": chain.cost_from_right,
        "backward": chain.cost_of_backward,
    }


def cost_axis(chain: Chain) -> Axis:
    """Return the axis of the bars: from 0, or from 1 if the costs are far apart."""
    values = costs(chain).values()
    log = max(values) > LOG_FROM * min(values)
    return Axis("multiplications", 1 if log else 0, max(values), log)


def cost_picture(chain: Chain) -> Picture:
    """Return three bars with their numbers.

    An outline is a total.  The bars with the keys ``"run:left"`` and ``"run:right"``
    have no width yet: :func:`paid` says how much of one is paid at a step.
    """
    total, axis = costs(chain), cost_axis(chain)
    words = ", ".join(f"{ROWS[name][0]} {cost:,}" for name, cost in total.items())
    picture = Picture(WIDTH, TOP + 3 * PITCH - 8, f"Multiplications: {words}.")
    title = "multiplications of numbers" + (", log scale" if axis.log else "")
    picture.text((0, 11), title, fill="muted", size=12, bold=True)
    for row, (name, cost) in enumerate(total.items()):
        label, colour = ROWS[name]
        x, y, width, height = _bar(row, axis.place(cost))
        picture.text((0, y - 9), label, size=12)
        run = 0 if name != "backward" else width
        picture.rect((x, y, run, height), fill=colour, radius=2, key=f"run:{name}")
        picture.rect((x, y, width, height), stroke=colour, width=1.4, radius=2)
        picture.text((LABEL, y - 9), f"{cost:,}", size=12, key=f"count:{name}")
    return picture


def paid(chain: Chain, side: Side, total: int) -> Patch:
    """Return what is different in the picture once ``total`` is paid; see ``picture.patched``."""
    whole, share = costs(chain)[side], cost_axis(chain).place(total)
    text = f"{whole:,}" if total == whole else f"{total:,} of {whole:,}"
    box = [round(x, 1) for x in _bar([*ROWS].index(side), share)]
    return {f"run:{side}": {"box": box}, f"count:{side}": {"text": text}}


def _bar(row: int, share: float) -> tuple[float, float, float, float]:
    return 0.0, TOP + row * PITCH, share * WIDTH, 16.0

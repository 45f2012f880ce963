"""The text twin of the chain rule: every factor and every step, with numbers and cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backprop_nb import display
from backprop_nb.network.chain import Chain, Side
from backprop_nb.network.tables import wrapped
from backprop_nb.views import numbers
from backprop_nb.views.chain.matrices import built, forced_zeros
from backprop_nb.views.chain.scene import Sample, chain_scene
from backprop_nb.views.overflow import quietly


@quietly()
def describe_chain(sample: Sample, i: int, side: Side) -> str:
    """Return the chain for θ_i as text: factors, product from one side, cost, transposes.

    >>> import numpy as np
    >>> from backprop_nb import SigmoidNetwork
    >>> net = SigmoidNetwork.from_parameters([[[1.0]], [[2.0]]], [[0.0], [-1.0]])
    >>> sample = Sample(net, np.array([0.0]), np.array([1.0]))
    >>> print(describe_chain(sample, 1, "left"))  # doctest: +ELLIPSIS
    The chain rule of a 1-1-1 network, factor by factor.
    ...
    """
    chain, shown = sample.chain(i), chain_scene(sample, i)["chains"][str(i)]
    product, transposes = (
        [frame["words"] for frame in shown["frames"][way]] for way in (side, "transposes")
    )
    parts = [
        [display.folded(_head(sample))],
        [chain.describe()],
        _factors(chain),
        [f"The product from the {side}:", *_items(product, "{}. ")],
        ["Why nobody builds them:", *_items(shown["why"], "- ")],
        ["Where the transpose comes from:", *_items(transposes, "{}. ")],
    ]
    return "\n\n".join("\n".join(part) for part in parts)


def _head(sample: Sample) -> Iterator[str]:
    net, x, y = sample.net, sample.x, sample.y
    yield sample.alt
    if sample.rows:
        yield sample.place
    yield from filter(None, [sample.too_large])
    yield f"L = {numbers.long(net.loss(x, y))}, y = {numbers.words(y)}"
    for j, f_j in enumerate(net.forward(x).f):
        yield f"f_{j} = {numbers.words(f_j)}"


def _factors(chain: Chain) -> Iterator[str]:
    yield "The factors:"
    width = max(len(factor.symbol) for factor in chain.factors)
    indent = " " * (width + 4)
    for factor in chain.factors:
        rows, columns = factor.shape
        line = f"  {factor.symbol:<{width}}  {rows:,} × {columns:,}  {factor.layout}"
        yield display.folded([line], indent)
        matrix = built(factor)
        missing = f"not built: {factor.entries:,} entries"
        yield display.folded([indent + (missing if matrix is None else numbers.words(matrix))])
        if zeros := forced_zeros(factor):
            yield f"{indent}{zeros:,} of {factor.entries:,} entries are forced zeros"


def _items(texts: Iterable[str], mark: str) -> Iterator[str]:
    for number, text in enumerate(texts):
        here = mark.format(number)
        yield f"  {here}{wrapped(text, ' ' * (2 + len(here))).lstrip()}"

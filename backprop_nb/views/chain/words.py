"""The text twin of the chain rule: every factor and every step, with numbers and cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backprop_nb.network.chain import Chain, Side
from backprop_nb.network.factors import Factor
from backprop_nb.network.tables import wrapped
from backprop_nb.views import numbers
from backprop_nb.views.chain.scene import Case, alt_text, batch_text, chain_scene
from backprop_nb.views.chain.store import BUILT, forced_zeros


def describe_chain(case: Case, i: int, side: Side) -> str:
    """Return the chain for θ_i as text: factors, product from one side, cost, transposes.

    Examples
    --------
    >>> from backprop_nb import SigmoidNetwork
    >>> net = SigmoidNetwork.from_parameters([[[1.0]], [[2.0]]], [[0.0], [-1.0]])
    >>> import numpy as np
    >>> case = Case(net, np.array([0.0]), np.array([1.0]))
    >>> print(describe_chain(case, 1, "left"))  # doctest: +ELLIPSIS
    The chain rule of a 1-1-1 network, factor by factor.
    ...
    """
    chain = case.chain(i)
    shown = chain_scene(case, (i,))["chains"][str(i)]
    parts = [_head(case), chain.describe(), "\n".join(_factors(chain))]
    parts.append("\n".join(_steps(f"The product from the {side}:", shown[side])))
    parts.append("\n".join(["Why nobody builds them:", *map(_item, shown["why"])]))
    parts.append("\n".join(_steps("Where the transpose comes from:", shown["transposes"])))
    return "\n\n".join(parts)


def _head(case: Case) -> str:
    lines = [alt_text(case)]
    if case.rows:
        lines.append(batch_text(case))
    net = case.net
    loss = numbers.long(net.loss(case.x, case.y))
    lines.append(f"L = {loss}, y = {numbers.words(case.y)}")
    lines += [f"f_{j} = {numbers.words(f_j)}" for j, f_j in enumerate(net.forward(case.x).f)]
    return "\n".join(lines)


def _factors(chain: Chain) -> Iterator[str]:
    yield "The factors:"
    width = max(len(factor.symbol) for factor in chain.factors)
    for factor in chain.factors:
        rows, columns = factor.shape
        yield f"  {factor.symbol:<{width}}  {rows:,} × {columns:,}  {factor.layout}"
        yield f"  {'':<{width}}  {_entries(factor)}"
        if zeros := forced_zeros(factor):
            yield f"  {'':<{width}}  {zeros:,} of {factor.entries:,} entries are forced zeros"


def _entries(factor: Factor) -> str:
    if factor.entries > BUILT:
        return f"not built: {factor.entries:,} entries"
    return numbers.words(factor.matrix)


def _steps(title: str, frames: list[dict[str, Any]]) -> Iterator[str]:
    yield title
    for step, frame in enumerate(frames):
        yield _item(frame["words"], f"{step}. ")


def _item(text: str, mark: str = "- ") -> str:
    first, *others = wrapped(text, " " * (2 + len(mark))).splitlines()
    return "\n".join([f"  {mark}{first.strip()}", *others])

"""What a gradient costs backward and forward on one graph, and why backpropagation goes backward.

The unit is one multiplication of a number by a local derivative.  To run an
edge of the graph once takes the same number of them in either direction: a
vector-Jacobian product and a Jacobian-vector product do the same multiplications
turned around (for a matrix, Aᵀg and Ax).  The local derivatives themselves are
the same for all passes, so they are left out, and so are additions.

What differs is the number of passes: backward one for each number among the
outputs, forward one for each number among the inputs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Literal

from backprop_nb.errors import counted
from backprop_nb.tracing import Contribution, Graph
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT, Record
from backprop_nb.views.explorer.schema import CostScene

Way = Literal["backward", "forward"]


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of all derivatives of the output with respect to the inputs."""

    inputs: int
    outputs: int
    """How many numbers there are among the inputs and in the output: so many passes there are
    forward and backward."""
    operations: int
    """How many calls the graph has."""
    backward: int
    forward: int
    """Multiplications by local derivatives, all passes together.  A pass forward leaves out what
    its input number does not reach."""

    @property
    def headline(self) -> str:
        """The comparison in one line."""
        if self.backward == self.forward:
            return f"Backward or forward: {_times(self.backward)} either way"
        (better, _, cheap), (other, _, dear) = sorted(self.ways, key=itemgetter(2))
        return f"Why {better}? {_times(cheap)} in place of {dear:,} {other}"

    @property
    def sentences(self) -> str:
        """Why, in words."""
        if not self.forward:
            return "Every local derivative here is 1 or \u22121, so there is nothing to multiply."
        reached, start = f"all {counted(self.inputs, 'input number')}", "one input number"
        if self.inputs == 1:
            reached, start = "the only input number", "that one"
        return (
            f"A pass backward starts at one number of the output and reaches {reached}; a pass "
            f"forward starts at {start}. So it takes {_passes(self.outputs)} backward or "
            f"{_passes(self.inputs)} forward, over the same edges with the same local derivatives."
        )

    @property
    def ways(self) -> tuple[tuple[Way, str, int], ...]:
        """Each direction with its passes and multiplications in words, and the latter's number."""
        back = f"{_passes(self.outputs)}, {_times(self.backward)}"
        forth = f"{_passes(self.inputs)}, {_times(self.forward)}"
        return ("backward", back, self.backward), ("forward", forth, self.forward)

    def scene(self) -> CostScene:
        """Return the comparison as plain data: a headline, two bars and a few sentences."""
        most = max(self.backward, self.forward, 1)
        return {
            "headline": self.headline,
            "bars": [
                {"way": way, "text": text, "share": round(number / most, 4)}
                for way, text, number in self.ways
            ],
            "sentences": self.sentences,
            "size": f"{counted(self.inputs, 'input number')}, "
            f"{counted(self.outputs, 'output number')}, {counted(self.operations, 'operation')}",
        }


def _passes(number: int) -> str:
    return f"{number:,} {'pass' if number == 1 else 'passes'}"


def _times(number: int) -> str:
    return counted(number, "multiplication")


def cost(graph: Graph, contributions: Iterable[Contribution]) -> Cost:
    """Return what the gradient of a graph, whose steps hand on these, costs in either direction.

    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> graph = bp.trace(lambda A, x: np.sum((A @ x) ** 2), np.ones((3, 2)), np.ones(2))
    >>> cost(graph, [c for step in graph.backward().steps for c in step.contributions]).forward
    96
    """
    behind = _inputs_behind(graph)
    once = forward = 0
    count = cache(multiplications)
    for given in contributions:
        products = without_trace(given.node.record)
        if products is None:
            products = count(given.explain().traced)
        once += products
        forward += products * behind[given.parent.index]
    outputs = int(graph.value.size)
    operations = sum(node.op not in (None, CONSTANT) for node in graph.nodes)
    inputs = sum(node.value.size for node in graph.inputs)
    return Cost(inputs, outputs, operations, once * outputs, forward)


def without_trace(record: Record) -> int | None:
    """Return what any rule of a call multiplies, if its row says so; tracing takes longer."""
    row = record.row
    if row.product:  # as often as forward, whichever factor the adjoint stands in for
        return int(row.multiplications(record.value, *record.args, **record.keywords))
    return 0 if row.picks or getattr(row.vjps, "moves", False) else None


def _inputs_behind(graph: Graph) -> list[int]:
    """Return for each node how many numbers among the inputs it depends on."""
    sizes = [node.value.size for node in graph.inputs]
    # Sets of inputs are the bits of a number: those of each size, and those behind a node.
    alike: dict[int, int] = {}
    for index, size in enumerate(sizes):
        alike[size] = alike.get(size, 0) | 1 << index
    parents = [{p for p in record.parents if p is not None} for record in graph.records]
    last = {parent: index for index, each in enumerate(parents) for parent in each}
    reached: dict[int, int] = {}
    behind = list(sizes)
    for index in range(len(sizes), len(parents)):
        mask = 0
        for parent in parents[index]:
            mask |= 1 << parent if parent < len(sizes) else reached[parent]
            if last[parent] == index:  # thousands of inputs fill a long number
                reached.pop(parent, None)
        reached[index] = mask
        behind.append(sum(size * (mask & those).bit_count() for size, those in alike.items()))
    return behind


def multiplications(rule: Trace) -> int:
    """Return how often a traced rule multiplies what comes from the adjoint, its first input.

    Products of two local derivatives, such as ``f * (1 - f)``, do not count.
    """
    touched = [index == 0 for index in range(rule.input_count)]
    total = 0
    for record in rule.records[rule.input_count :]:
        comes_from_adjoint = any(p is not None and touched[p] for p in record.parents)
        touched.append(comes_from_adjoint)
        if comes_from_adjoint:
            total += record.row.multiplications(record.value, *record.args, **record.keywords)
    return total

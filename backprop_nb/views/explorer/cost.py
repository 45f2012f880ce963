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

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from backprop_nb.tracing.backward import Backward
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT, Record

_PRODUCTS = frozenset({"dot", "inner", "vdot", "outer", "tensordot", "kron"})


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of all derivatives of the output with respect to the inputs.

    Attributes
    ----------
    inputs, outputs
        How many numbers there are among the inputs and in the output: so many
        passes there are forward and backward.
    operations
        How many calls the graph has.
    backward, forward
        Multiplications by local derivatives, all passes together.  A pass
        forward leaves out what its input number does not reach.
    """

    inputs: int
    outputs: int
    operations: int
    backward: int
    forward: int

    @property
    def headline(self) -> str:
        """The comparison in one line."""
        if self.backward == self.forward:
            return f"Backward or forward: {_times(self.backward)} either way"
        first, second = ("backward", "forward") if self.is_backward_cheaper else _TURNED
        cheap, dear = sorted((self.backward, self.forward))
        return f"Why {first}? {_times(cheap)} in place of {dear:,} {second}"

    @property
    def is_backward_cheaper(self) -> bool:
        """Whether going backward takes fewer multiplications."""
        return self.backward < self.forward

    @property
    def sentences(self) -> str:
        """Why, in words."""
        if not self.forward:
            return "Every local derivative here is 1 or \u22121, so there is nothing to multiply."
        back = _count(self.outputs, "pass", "passes")
        forth = _count(self.inputs, "pass", "passes")
        return (
            f"A pass backward starts at one number of the output and reaches all "
            f"{_count(self.inputs, 'input number')}; a pass forward starts at one input number. "
            f"So it takes {back} backward or {forth} forward, over the same edges with the same "
            f"local derivatives."
        )

    @property
    def lines(self) -> list[str]:
        """The comparison as text, a line for each direction."""
        return [
            f"backward: {_count(self.outputs, 'pass', 'passes')}, {_times(self.backward)}",
            f"forward: {_count(self.inputs, 'pass', 'passes')}, {_times(self.forward)}",
        ]


_TURNED = ("forward", "backward")


def _count(number: int, singular: str, plural: str = "") -> str:
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def _times(number: int) -> str:
    return _count(number, "multiplication")


def cost(backward: Backward) -> Cost:
    """Return what the gradient of a graph costs in either direction.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> graph = bp.trace(lambda A, x: np.sum((A @ x) ** 2), np.ones((3, 2)), np.ones(2))
    >>> cost(graph.backward()).lines
    ['backward: 1 pass, 18 multiplications', 'forward: 8 passes, 96 multiplications']
    """
    graph = backward.graph
    reached = _reached(graph)
    sizes = [int(node.value.size) for node in graph.inputs]
    inputs_behind = cache(lambda mask: sum(n for k, n in enumerate(sizes) if mask >> k & 1))
    once = forward = 0
    for step in backward.steps:
        for gift in step.contributions:
            products = multiplications(gift.explain().traced)
            once += products
            forward += products * inputs_behind(reached[gift.parent.index])
    outputs = int(graph.value.size)
    operations = sum(node.op not in (None, CONSTANT) for node in graph.nodes)
    return Cost(sum(sizes), outputs, operations, once * outputs, forward)


def _reached(graph: Trace) -> list[int]:
    """Return for every node which inputs it depends on, as the bits of a number."""
    masks: list[int] = []
    for index, record in enumerate(graph.records):
        mask = 1 << index if index < graph.input_count else 0
        for parent in record.parents:
            mask |= 0 if parent is None else masks[parent]
        masks.append(mask)
    return masks


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
            total += _products(record)
    return total


def _products(record: Record) -> int:
    """Return the multiplications of numbers in one call; a division is one, too."""
    name, size = getattr(record.row, "name", ""), int(np.size(record.value))
    shapes: list[tuple[int, ...]] = [np.shape(value) for value in record.args]
    if name in ("multiply", "divide"):
        return size
    if name == "matmul":
        return size * shapes[0][-1]
    if name in _PRODUCTS:
        # m·k, k·n and m·n entries take m·k·n products: the root of all three multiplied.
        return round((np.prod([float(np.prod(s)) for s in shapes]) * size) ** 0.5)
    if name == "einsum":
        return _einsum_products(record.keywords["subscripts"], shapes)
    if name == "solve":  # two triangles, with the factors known
        return size * shapes[0][-1]
    return 0


def _einsum_products(subscripts: str, shapes: list[tuple[int, ...]]) -> int:
    """Return the size of the loop over all letters, for every factor after the first."""
    extents: dict[Any, int] = {}
    for spec, shape in zip(subscripts.split("->")[0].split(","), shapes, strict=True):
        before, dots, after = spec.strip().partition("...")
        middle = len(shape) - len(before) - len(after)
        letters = [*before, *(range(-middle, 0) if dots else ()), *after]
        for letter, extent in zip(letters, shape, strict=True):
            extents[letter] = max(extent, extents.get(letter, 1))
    return int(np.prod(list(extents.values()), dtype=np.int64)) * (len(shapes) - 1)


def cost_scene(backward: Backward) -> dict[str, Any]:
    """Return the comparison as plain data: a headline, two bars and a few sentences."""
    found = cost(backward)
    most = max(found.backward, found.forward, 1)
    bars = zip(("backward", "forward"), (found.backward, found.forward), found.lines, strict=True)
    return {
        "headline": found.headline,
        "bars": [
            {"way": way, "text": line.partition(": ")[2], "share": round(number / most, 4)}
            for way, number, line in bars
        ],
        "sentences": found.sentences,
        "size": f"{_count(found.inputs, 'input number')}, "
        f"{_count(found.outputs, 'output number')}, {_count(found.operations, 'operation')}",
    }

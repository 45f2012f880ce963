"""A computation as data: nodes in the order of computation, and how they belong together.

A trace is frozen.  It is made from *records*, the bare minimum that tracing
writes down for each call; names, source expressions and the nodes themselves
are worked out when somebody first asks for them.
"""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any, NamedTuple, NoReturn, Self

import numpy as np

from backprop_nb.errors import NotFoundError, UnsupportedError, counted
from backprop_nb.meant import Suggesting
from backprop_nb.tracing import pytree
from backprop_nb.tracing.collector import young_only
from backprop_nb.tracing.health import Mark, health
from backprop_nb.tracing.record import CONSTANT, Guard, Record, is_piecewise_constant
from backprop_nb.tracing.source import Label, Source, label_records, missing_source
from backprop_nb.tracing.stretching import both_stretched


def read_only(value: Any) -> Any:
    """Return an array of a trace so that writing into it fails: every view is drawn from it."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    return value


class _Frozen(Suggesting):
    """What nobody can change, and what stays in its process."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise UnsupportedError(
            "A graph cannot be pickled or sent to another process: "
            "its steps refer to the lines of the function that was traced.",
            given=repr(self),
            instead="graph.to_numpy(), which is text, or the numbers: graph.value and "
            "graph.backward().gradients; or trace the function there",
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node(_Frozen):
    """One value of the computation.

    Attributes
    ----------
    index
        Position in the order of computation, from 0.
    name
        Unique in its graph: the parameter's name, or the name it was assigned to.
    op
        ``None`` for an input, ``"constant"`` for a constant, else the name of the
        NumPy function that made it.
    value
        A NumPy scalar or array.
    parents
        The nodes it was computed from, in the order of the arguments.
    source
        The learner's own expression, or ``None`` where no source text exists.
    scope
        The chain of the learner's function calls around it, outermost first.
    record
        What tracing wrote down for it.
    adjoint_name
        What the derivative of the output with respect to it is called, ``d_z``
        for ``z``, and ``d_z_`` where another node has that name.
    """

    index: int
    name: str
    op: str | None
    value: Any
    parents: tuple[Node, ...]
    source: Source | None
    scope: tuple[str, ...]
    record: Record
    adjoint_name: str

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; ``()`` for a number."""
        shape: tuple[int, ...] = self.value.shape
        return shape

    @property
    def arguments(self) -> tuple[Node | None, ...]:
        """For each argument of the call the parent that it is, ``None`` for a literal."""
        parents = iter(self.parents)
        return tuple(None if p is None else next(parents) for p in self.record.parents)

    @property
    def health(self) -> tuple[Mark, ...]:
        """What to beware of at this node, such as saturation, a kink, NaN, a broadcast of both.

        Worked out when asked for; empty for most nodes.

        Examples
        --------
        >>> import numpy as np
        >>> import backprop_nb as bp
        >>> print(*bp.trace(np.sqrt, 0.0).output.health)
        kink: x is 0, where the root rises vertically: the slope is infinite
        """
        marks = health(self.record, [p.name if p else None for p in self.arguments])
        return (*marks, *both_stretched(self))

    def __repr__(self) -> str:
        made = self.op or "input"
        arguments = ", ".join(parent.name for parent in self.parents)
        return f"<Node {self.name} = {made}({arguments}), shape {self.shape}>"


def calls_of(nodes: Iterable[Node]) -> dict[tuple[str, ...], dict[int | str, Node]]:
    """Return what each of the learner's calls does itself, by the chain of calls that leads to it.

    Nodes are there by their indices, and a call by its name, with the first node in it.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> def square(x):
    ...     return x**2
    >>> calls = calls_of(bp.trace(lambda x: square(x) + 1, 3.0).nodes)
    >>> {chain: [*parts] for chain, parts in calls.items()}
    {(): [0, 'square', 2], ('square',): [1]}
    """
    calls: dict[tuple[str, ...], dict[int | str, Node]] = {(): {}}
    known: dict[int, dict[int | str, Node]] = {}  # nodes of one call share a chain
    for node in nodes:
        chain = node.scope
        if id(chain) not in known:
            depth = next(k for k in range(len(chain), -1, -1) if chain[:k] in calls)
            for k in range(depth, len(chain)):
                calls[chain[:k]][chain[k]] = node
                calls[chain[: k + 1]] = {}
            known[id(chain)] = calls[chain]
        known[id(chain)][node.index] = node
    return calls


def _adjoint_name(name: str, names: Collection[str]) -> str:
    """Return ``d_`` and the name, so that it is no node's name and no other node's adjoint.

    >>> _adjoint_name("z", {"z", "x"}), _adjoint_name("z", {"z", "d_z"})
    ('d_z', 'd_z_')
    """
    called = name
    while f"d_{called}" in names or (called != name and called in names):
        called += "_"
    return f"d_{called}"


class _Leaf(Enum):
    """What stands for a traced leaf in the structure of an argument."""

    TRACED = "traced"


TRACED = _Leaf.TRACED


def fits(given: Any, new: Any) -> bool:
    """Whether a new argument has the structure, and the flags, of the one that was traced."""
    if given is TRACED:
        return new is not None and not isinstance(new, str | dict)
    if isinstance(given, dict):
        same = isinstance(new, dict) and given.keys() == new.keys()
        return same and all(fits(given[key], new[key]) for key in given)
    if isinstance(given, list | tuple):
        same = isinstance(new, list | tuple) and len(given) == len(new)
        return same and all(map(fits, given, new))
    if isinstance(given, np.ndarray) or isinstance(new, np.ndarray):
        return bool(np.array_equal(given, new))
    if isinstance(given, bool | np.bool_) and not isinstance(new, bool | np.bool_):
        return False  # 1.0 is equal to True, and a number to be differentiated by
    return given is new or bool(given == new)


def laid(args: Sequence[Any]) -> tuple[Any, ...]:
    """Return how arrays lie in memory, and whether none is a part of another's.

    Where a function writes into its arguments, it shows.
    """
    arrays = [each for each in pytree.flatten(args) if type(each) is np.ndarray]
    owners = {id(each if each.base is None else owner(each)) for each in arrays}
    lying = [each.flags.c_contiguous or each.strides for each in arrays]
    return (len(owners) == len(arrays), *lying)


def owner(array: Any) -> Any:
    """Return the array that an array is a view of, itself if it is none."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


class Check(NamedTuple):
    """What was computed for a decision only, such as the ``x > 0`` of an ``if``.

    Attributes
    ----------
    after
        How many records of the computation came before it.
    record
        The call.  Its parents count through the records, then through the checks.
    """

    after: int
    record: Record


@dataclass(frozen=True, eq=False, repr=False)
class Trace(_Frozen):
    """A computation that has been traced once and can be looked at and replayed at will.

    Two looks at one trace always agree, because everything is drawn from the
    same records.

    Attributes
    ----------
    records
        What was written down, in order; the inputs come first.
    output_index
        The position of what the function returned.
    guards
        The decisions that Python took on traced values.
    checks
        What was computed for a decision only.
    input_names
        The name of each input.
    arguments
        The name of each argument, and its structure with ``True`` for every
        leaf that is an input.
    function_name
        The name of the traced function.
    given
        The structure of each argument: :data:`TRACED`, or what was not traced, such as a flag.
    laid
        How the arguments lay in memory, if one may have been written to: see :func:`laid`.
    from_integers
        The positions of the inputs that were given as integers.
    is_smooth
        Whether a gradient flows through everything but the constants.
    is_stopped
        Whether a value was taken out by :func:`backprop_nb.stop_gradient`.
    again
        ``again(args)`` traces the function on other arguments.
    """

    records: tuple[Record, ...]
    output_index: int
    guards: tuple[Guard, ...] = ()
    checks: tuple[Check, ...] = ()
    input_names: tuple[str, ...] = field(kw_only=True)
    arguments: tuple[tuple[str, Any], ...] = field(kw_only=True)
    function_name: str = field(kw_only=True)
    given: tuple[Any, ...] = field(default=(), kw_only=True)
    laid: tuple[Any, ...] | None = field(default=None, kw_only=True)
    from_integers: frozenset[int] = field(default=frozenset(), kw_only=True)
    is_smooth: bool = field(default=False, kw_only=True)
    is_stopped: bool = field(default=False, kw_only=True)
    again: Any = field(default=None, kw_only=True)

    @cached_property
    def carries(self) -> Sequence[bool]:
        """For each record whether a gradient flows through it."""
        if self.is_smooth:
            return [record[0] is not CONSTANT for record in self.records]
        carries: list[bool] = []
        for record in self.records:
            from_parents = any(carries[p] for p in record.parents if p is not None)
            made = from_parents and not is_piecewise_constant(record)
            carries.append(record.row is None or made)
        return carries

    def steps(self) -> Iterator[tuple[int, Record]]:
        """Yield each record after the inputs in the order of computation, checks included.

        With each comes its position among the records and the checks after them.
        """
        checks = deque(enumerate(self.checks, start=len(self.records)))
        for index in range(self.input_count, len(self.records) + 1):
            while checks and checks[0][1].after <= index:
                position, check = checks.popleft()
                yield position, check.record
            if index < len(self.records):
                yield index, self.records[index]

    @cached_property
    def decisions(self) -> dict[int, list[Guard]]:
        """The guards of each record that has one, by its position as in :meth:`steps`."""
        found: dict[int, list[Guard]] = {}
        for guard in self.guards:
            found.setdefault(guard.position, []).append(guard)
        return found

    @cached_property
    def _labels(self) -> Sequence[Label]:
        return label_records(self.records, self.input_names, self.output_index, self.function_name)

    @cached_property
    def missing_source(self) -> str:
        """Why nodes have neither names nor source, in a sentence or two; empty where none lacks."""
        return missing_source(self.records)

    @cached_property
    def named(self) -> frozenset[int]:
        """The positions of the nodes that the learner gave a name."""
        return frozenset(index for index, label in enumerate(self._labels) if label.given)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes in the order of computation."""
        with young_only():
            return tuple(self._nodes())

    def _nodes(self) -> list[Node]:
        nodes: list[Node] = []
        names = {label.name for label in self._labels}
        for index, (record, label) in enumerate(zip(self.records, self._labels, strict=True)):
            op = getattr(record.row, "name", record.row)
            parents = tuple(nodes[p] for p in record.parents if p is not None)
            value = read_only(record.value)
            place = (label.source, label.scope)
            adjoint = _adjoint_name(label.name, names)
            nodes.append(Node(index, label.name, op, value, parents, *place, record, adjoint))
        return nodes

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes of the arguments, in the order of the signature."""
        return self.nodes[: self.input_count]

    @property
    def output(self) -> Node:
        """The node that the traced function returned."""
        return self.nodes[self.output_index]

    @property
    def input_count(self) -> int:
        """How many inputs there are; they are the first records."""
        return len(self.input_names)

    @property
    def value(self) -> Any:
        """The value that the traced function returned."""
        return read_only(self.records[self.output_index].value)

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    def node(self, name: str) -> Node:
        """Return the node called ``name``.

        Raises
        ------
        NotFoundError
            If there is none; the message lists the closest names.
        """
        found = self._by_name.get(name)
        if found is None:
            same = [each for each in self._by_name if each.lower() == str(name).lower()]
            close = same or difflib.get_close_matches(str(name), self._by_name, n=3, cutoff=0.4)
            raise NotFoundError(
                f"The graph has no node {name!r}.",
                expected=f"one of {', '.join(list(self._by_name)[:12])}"
                + (", …" if len(self._by_name) > 12 else ""),
                instead=f"did you mean {' or '.join(close)}?" if close else None,
            )
        return found

    def restore(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """Return one tree per argument, with one of ``leaves`` in place of each input."""
        rest = iter(leaves)
        return tuple(
            pytree.rebuild(tree, lambda _, traced: next(rest) if traced else None)
            for _, tree in self.arguments
        )

    def __str__(self) -> str:
        return "\n".join(map(self._line, self.nodes))

    def _line(self, node: Node) -> str:
        """Return one node as a line of a program, literals and options included."""
        arguments = [
            each.name if each else repr(value)
            for each, value in zip(node.arguments, node.record.args, strict=True)
        ]
        arguments += [f"{key}={value!r}" for key, value in node.record.keywords.items()]
        return f"{node.name} = {node.op or 'input'}({', '.join(arguments)})  {node.shape}"

    def __repr__(self) -> str:
        size = f"{counted(self.input_count, 'input')}, {counted(len(self.records), 'node')}"
        shape = f"output shape {self.value.shape}"
        return f"<{type(self).__name__} of {self.function_name}: {size}, {shape}>"

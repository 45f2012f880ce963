"""The trace as data: nodes in the order of computation, and the graph they form.

A graph is frozen.  It is made from *records*, the bare minimum that tracing
writes down for each call; names, source expressions and the nodes themselves
are worked out when somebody first asks for them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from backprop_nb.errors import NotFoundError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from backprop_nb.tracing.backward import Backward
    from backprop_nb.tracing.health import Mark
    from backprop_nb.views.widgets import GraphExplorer

CONSTANT: Final = "constant"
"""The ``op`` of a node that holds an array which is not an input."""


class Record(NamedTuple):
    """What tracing writes down for one call, an input or a constant.

    ``row`` is the row of the rule table, ``None`` for an input and
    :data:`CONSTANT` for a constant.  ``args`` are the argument values as plain
    NumPy, ``parents`` the index of the record that made each of them (``None``
    for a literal).  ``scope`` and ``lasti`` say where in the learner's code.
    """

    row: Any
    args: tuple[Any, ...]
    parents: tuple[int | None, ...]
    keywords: dict[str, Any]
    value: Any
    scope: Any
    lasti: int


class Source(str):
    """The text of an expression that knows where it stands.

    Attributes
    ----------
    filename
        The file, or the name under which a notebook cell was compiled.
    start, end
        ``(line, column)`` of the first character and of the one after the last;
        lines count from 1, columns from 0.
    block
        First and last line of the function around it.
    """

    filename: str
    start: tuple[int, int]
    end: tuple[int, int]
    block: tuple[int, int]

    def __new__(
        cls,
        text: str,
        filename: str = "",
        start: tuple[int, int] = (0, 0),
        end: tuple[int, int] = (0, 0),
        block: tuple[int, int] = (0, 0),
    ) -> Source:
        """Return the text with its place attached."""
        self = super().__new__(cls, text)
        self.filename, self.start, self.end, self.block = filename, start, end, block
        return self


class Label(NamedTuple):
    """What the learner's source says about one record."""

    name: str
    source: Source | None
    scope: tuple[str, ...]
    given: bool


def read_only(value: Any) -> Any:
    """Return an array of a trace so that writing into it fails: every view is drawn from it."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    return value


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
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
    """

    index: int
    name: str
    op: str | None
    value: Any
    parents: tuple[Node, ...]
    source: Source | None
    scope: tuple[str, ...]
    record: Record

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value; ``()`` for a number."""
        shape: tuple[int, ...] = self.value.shape
        return shape

    @property
    def health(self) -> tuple[Mark, ...]:
        """What to beware of at this node: saturation, kinks, ties, NaN and infinity.

        Worked out when asked for; empty for most nodes.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> print(*bp.trace(abs, 0.0).output.health)
        kink: x is 0, where |x| has a corner: the slope is taken to be 0
        """
        from backprop_nb.tracing.health import health

        return health(self)

    def __repr__(self) -> str:
        made = self.op or "input"
        arguments = ", ".join(parent.name for parent in self.parents)
        return f"<Node {self.name} = {made}({arguments}), shape {self.shape}>"


class Graph:
    """A computation that has been traced once and can be replayed at will.

    Made by :func:`backprop_nb.trace`.  Two looks at one graph always agree,
    because everything is drawn from the same records.

    Attributes
    ----------
    records
        What the trace wrote down, in order.
    arguments
        The name of each argument, and its structure with ``True`` for every
        leaf that is an input.
    restore
        Puts a list with one leaf per input back into that structure.
    """

    def __init__(
        self,
        records: Sequence[Record],
        inputs: int,
        output: int,
        label: Callable[[Graph], Sequence[Label]],
        arguments: Sequence[tuple[str, Any]],
        restore: Callable[[Sequence[Any]], tuple[Any, ...]],
        function_name: str,
    ) -> None:
        self.records = tuple(records)
        self.arguments = tuple(arguments)
        self.restore = restore
        self.function_name = function_name
        self._inputs = inputs
        self._output = output
        self._label = label

    @cached_property
    def _labels(self) -> Sequence[Label]:
        return self._label(self)

    @cached_property
    def named(self) -> frozenset[int]:
        """The positions of the nodes that the learner gave a name."""
        return frozenset(index for index, label in enumerate(self._labels) if label.given)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes in the order of computation."""
        nodes: list[Node] = []
        for index, (record, label) in enumerate(zip(self.records, self._labels, strict=True)):
            op = getattr(record.row, "name", record.row)
            parents = tuple(nodes[p] for p in record.parents if p is not None)
            value = read_only(record.value)
            place = (label.source, label.scope)
            nodes.append(Node(index, label.name, op, value, parents, *place, record))
        return tuple(nodes)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes of the arguments, in the order of the signature."""
        return self.nodes[: self._inputs]

    @property
    def output(self) -> Node:
        """The node that the traced function returned."""
        return self.nodes[self._output]

    @property
    def output_index(self) -> int:
        """The position of the output, without building any node."""
        return self._output

    @property
    def input_count(self) -> int:
        """How many inputs there are; they are the first records."""
        return self._inputs

    @property
    def value(self) -> Any:
        """The value that the traced function returned."""
        return read_only(self.records[self._output].value)

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

    def backward(self, seed: Any = None) -> Backward:
        """Run the chain rule from the output back to every input.

        Parameters
        ----------
        seed
            The adjoint of the output, of its shape.  Without one the output
            must be a single number, and the seed is 1.

        Returns
        -------
        Backward
            Adjoints, gradients and the replayable steps.  Calling it twice
            gives the same numbers; nothing accumulates in the graph.

        Raises
        ------
        ShapeError
            If the output is not a number and no seed is given, or the seed has
            another shape.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> bp.trace(lambda x: x**2 + x, 3.0).backward().gradients
        (np.float64(7.0),)
        """
        from backprop_nb.tracing.backward import backward

        return backward(self, seed)

    def to_numpy(self) -> str:
        """Return Python source that runs with NumPy alone.

        Its last function takes the arguments of the traced function and returns
        ``(value, gradients)``, one gradient per argument.  Names are the
        learner's; the gradient with respect to ``z1`` is ``d_z1``.  Captured
        arrays and masks are those of the trace.

        Raises
        ------
        ShapeError
            If the output is not a single number.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> print(bp.trace(lambda x: x**2 * 3.0, 2.0).to_numpy())
        import numpy as np
        <BLANKLINE>
        <BLANKLINE>
        def f_and_gradient(x):
            # forward
            v2 = x ** 2 * 3.0
            # back through v2 = x ** 2 * 3.0
            d_x = 6.0 * x
            return v2, (d_x,)
        <BLANKLINE>
        """
        from backprop_nb.tracing.emit.numpy_code import to_numpy

        return to_numpy(self)

    def to_latex(self) -> str:
        r"""Return the derivation in LaTeX, one aligned line a step.

        Each line is also accepted by matplotlib's mathtext, without the ``&``.

        Raises
        ------
        ShapeError
            If the output is not a single number.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> print(bp.trace(lambda x: x**2, 3.0).to_latex())
        \begin{aligned}
        v_{1} &= x^{2} \\
        \frac{\partial v_{1}}{\partial x} &= 2 \, x
        \end{aligned}
        """
        from backprop_nb.tracing.emit.derivation import to_latex

        return to_latex(self)

    def evaluate(self, *args: Any) -> Any:
        """Return the value of the same trace on new arguments of the same shapes.

        The calls are those of the trace: a branch that was taken stays taken,
        and a mask that came from a comparison keeps its value.

        Raises
        ------
        ShapeError
            If the arguments do not have the structure and shapes of the trace.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> bp.trace(lambda x, y: x * y, 2.0, 3.0).evaluate(4.0, 5.0)
        np.float64(20.0)
        """
        from backprop_nb.tracing.replay import evaluate

        return evaluate(self, args)

    def compile(self) -> Callable[..., tuple[Any, tuple[Any, ...]]]:
        """Return a fast function ``(*args) -> (value, gradients)``.

        It runs the source of :meth:`to_numpy` on new arguments of the same
        structure and shapes, with one gradient per argument.

        Raises
        ------
        ShapeError
            If the output is not a single number.

        Examples
        --------
        >>> import backprop_nb as bp
        >>> f = bp.trace(lambda x: x**2, 3.0).compile()
        >>> f(5.0)
        (25.0, (10.0,))
        """
        from backprop_nb.tracing.emit.numpy_code import compiled

        return compiled(self)

    def describe(self) -> str:
        """Return the text twin of the picture: every node with its value, in order."""
        from backprop_nb.views.explorer.scene import describe_graph

        return describe_graph(self)

    def draw(self, **options: Any) -> Figure:
        """Return the computation graph as a matplotlib figure; see ``draw_graph``."""
        from backprop_nb.views.explorer.figure import draw_graph

        return draw_graph(self, **options)

    def explore(self, **options: Any) -> GraphExplorer:
        """Return the interactive view; see ``GraphExplorer``."""
        from backprop_nb.views.widgets import GraphExplorer

        return GraphExplorer(self, **options)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        # A graph left as a cell's last line shows itself.
        return self.explore()._repr_mimebundle_(**kwargs)

    def __str__(self) -> str:
        return "\n".join(map(self._line, self.nodes))

    def _line(self, node: Node) -> str:
        """Return one node as a line of a program, literals and options included."""
        record = self.records[node.index]
        parents = iter(node.parents)
        arguments = [
            repr(value) if parent is None else next(parents).name
            for parent, value in zip(record.parents, record.args, strict=True)
        ]
        arguments += [f"{key}={value!r}" for key, value in record.keywords.items()]
        return f"{node.name} = {node.op or 'input'}({', '.join(arguments)})  {node.shape}"

    def __repr__(self) -> str:
        return (
            f"<Graph of {self.function_name}: {self._inputs} inputs, "
            f"{len(self.records)} nodes, output shape {self.value.shape}>"
        )

"""The forward and the backward pass as NumPy source that runs by itself."""

from __future__ import annotations

import ast
import inspect
import keyword
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from backprop_nb.tracing.emit.algebra import Literal, Operand
from backprop_nb.tracing.emit.program import Program
from backprop_nb.tracing.emit.statements import Printer, Statement
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.tracing.rules.row import literal, typed


def to_numpy(graph: Trace) -> str:
    """Return source whose last function computes the value and the gradients.

    See :meth:`Graph.to_numpy`.
    """
    code = _Code(graph)
    constants = "\n".join(f"{name} = {_constant(value)}" for name, value in code.constants())
    parts = ["import numpy as np", *map(_source, code.helpers), constants, code.function()]
    return "\n\n\n".join(part for part in parts if part) + "\n"


def compiled(graph: Trace) -> Callable[..., tuple[Any, tuple[Any, ...]]]:
    """Return a fast function ``(*args) -> (value, gradients)``; see :meth:`Graph.compile`."""
    code = _Code(graph)
    space: dict[str, Any] = {"np": np, **dict(code.constants())}
    space |= {helper.__name__: inspect.unwrap(helper) for helper in code.helpers}
    exec(compile(code.function(), f"<{code.name}>", "exec"), space)
    function: Callable[..., tuple[Any, tuple[Any, ...]]] = space[code.name]
    return function


class _Code:
    """The pieces of the source, under names that are identifiers and hide nothing."""

    def __init__(self, graph: Trace) -> None:
        self.graph = graph
        self.program = Program(graph)
        self.helpers = list(dict.fromkeys(_helpers(self.program)))
        self._taken = {"np", *keyword.kwlist, *(helper.__name__ for helper in self.helpers)}
        stem = graph.function_name if graph.function_name.isidentifier() else "f"
        self.name = self._unique(f"{stem}_and_gradient")
        self._names = {index: self._unique(name) for index, name in self.program.names.items()}
        self.parameters = [
            self._place(first) if tree is True else self._unique(name)
            for name, tree, first in self._arguments()
        ]
        self._printer = Printer(self.program, self._names, "numpy", literal)

    def _unique(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def _place(self, index: int) -> str:
        place = self.program.forward[index]
        assert isinstance(place, int)  # an input is never a literal
        return self._names[place]

    def _arguments(self) -> Iterator[tuple[str, Any, int]]:
        """Yield each argument's name, its structure, and the position of its first input."""
        first = 0
        for name, tree in self.graph.arguments:
            yield name, tree, first
            first += sum(traced for _, traced in _paths(tree))

    def constants(self) -> Iterator[tuple[str, Any]]:
        """Yield the name and the value of each captured array that is needed."""
        needed = set(self.program.needed)
        for node in self.graph.nodes:
            if node.op == CONSTANT and self.program.forward[node.index] in needed:
                yield self._place(node.index), node.value
        for index in self.program.extra_constants:
            yield self._names[index], self.program.expressions[index].value

    def function(self) -> str:
        """Return the source of the function."""
        lines = [f"def {self.name}({', '.join(self.parameters)}):", *self._body()]
        return "\n    ".join(lines)

    def _body(self) -> Iterator[str]:
        yield from self._unpacking()
        if self._printer.forward:
            yield "# forward"
        for statement in self._printer.forward:
            yield f"{statement.name} = {statement.text}"
        yield from self._way_back()
        gradients = self.graph.restore([self._gradient_name(k) for k in self._inputs()])
        value = self._printer.text(self.program.value)
        yield f"return {value}, {_tree_source(gradients)}"

    def _inputs(self) -> range:
        return range(self.graph.input_count)

    def _unpacking(self) -> Iterator[str]:
        """Yield the lines that take lists, tuples and dicts apart."""
        for (_, tree, first), parameter in zip(self._arguments(), self.parameters, strict=True):
            leaves = iter(range(first, self.graph.input_count))
            paths = [path for path, traced in _paths(tree) if traced]
            names = [self._place(leaf) for leaf, _ in zip(leaves, paths, strict=False)]
            if isinstance(tree, list | tuple) and tree and all(item is True for item in tree):
                yield f"{', '.join(names)}{',' * (len(tree) == 1)} = {parameter}"
                continue
            for name, path in zip(names, paths, strict=True):
                if path:
                    yield f"{name} = {parameter}{path}"

    def _way_back(self) -> Iterator[str]:
        last: tuple[str, ...] = ()
        for through, line in self._steps():
            if through and through != last:
                yield f"# back through {', and '.join(through)}"
                last = through
            yield line
        for k in self._inputs():
            yield from self._plain_gradient(k)

    def _steps(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield each line of the way back with the forward statements that it reverses."""
        for statement in self._printer.backward:
            yield statement.through, f"{statement.name} = {self._own(statement)}"
            for k in self._inputs():
                name = self._gradient_name(k)
                if self.program.gradients[k] == statement.index and name != statement.name:
                    node = self.graph.nodes[k]
                    yield self._printer.through(node), f"{name} = {statement.name}"

    def _own(self, statement: Statement) -> str:
        """Return the text of a statement; a gradient that is only a view becomes an array."""
        expression = self.program.expressions[statement.index]
        is_view = expression.row is not None and expression.row.function is np.broadcast_to
        if not is_view or statement.index not in self.program.gradients:
            return statement.text
        (inner,) = expression.operands
        if not isinstance(inner, Literal):
            return f"{statement.text}.copy()"
        like = self._place(self.program.gradients.index(statement.index))
        return f"np.full_like({like}, {literal(inner.number)})"

    def _gradient_name(self, k: int) -> str:
        return f"d_{self._place(k)}"

    def _plain_gradient(self, k: int) -> Iterator[str]:
        """Yield the gradient of an input that no step back computes."""
        gradient: Operand | None = self.program.gradients[k]
        name = self._gradient_name(k)
        if gradient is None:
            yield f"{name} = np.zeros_like({self._place(k)})"
        elif isinstance(gradient, Literal):
            yield f"{name} = {float(gradient.number)}"
        elif gradient < self.program.turn:
            is_array = self.program.algebra.shape(gradient) != ()
            yield f"{name} = {self._printer.text(gradient)}{'.copy()' * is_array}"


def _helpers(program: Program) -> Iterator[Callable[..., Any]]:
    """Yield the functions that NumPy lacks and the source must bring along."""
    for index in program.needed:
        row = program.expressions[index].row
        if row is not None and row.brings_source:
            yield row.function


def _constant(value: Any) -> str:
    return literal(value) if np.ndim(value) else typed(value, value.dtype)


def _source(function: Callable[..., Any]) -> str:
    """Return the bare source of a helper: no decorator, no docstring, no annotations."""
    tree = ast.parse(inspect.getsource(inspect.unwrap(function)))
    (definition,) = tree.body
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    definition.returns = None
    for argument in definition.args.args:
        argument.annotation = None
    if ast.get_docstring(definition) is not None:
        definition.body = definition.body[1:]
    return ast.unparse(definition)


def _paths(tree: Any, path: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the subscript that leads to each leaf, and whether the leaf is traced."""
    if isinstance(tree, dict):
        for key, item in tree.items():
            yield from _paths(item, f"{path}[{literal(key)}]")
    elif isinstance(tree, list | tuple):
        for position, item in enumerate(tree):
            yield from _paths(item, f"{path}[{position}]")
    else:
        yield path, tree


def _tree_source(tree: Any) -> str:
    """Return source for lists, tuples and dicts of names."""
    if isinstance(tree, dict):
        pairs = [f"{literal(key)}: {_tree_source(item)}" for key, item in tree.items()]
        return f"{{{', '.join(pairs)}}}"
    if not isinstance(tree, list | tuple):
        return str(tree)
    items = ", ".join(map(_tree_source, tree))
    if isinstance(tree, list):
        return f"[{items}]"
    return f"({items},)" if len(tree) == 1 else f"({items})"

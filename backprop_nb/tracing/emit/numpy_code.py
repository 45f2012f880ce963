"""The forward and the backward pass as NumPy source that runs by itself."""

from __future__ import annotations

import ast
import inspect
import keyword
import re
import textwrap
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing.emit.algebra import Expression
from backprop_nb.tracing.emit.notation import NUMPY
from backprop_nb.tracing.emit.program import Program
from backprop_nb.tracing.emit.statements import Printer, Statement
from backprop_nb.tracing.graph import Trace
from backprop_nb.tracing.record import CONSTANT
from backprop_nb.tracing.rules.template import literal, typed


def to_numpy(trace: Trace) -> str:
    """Return source whose last function computes the value and the gradients.

    See :meth:`Graph.to_numpy`.
    """
    code = _Function(trace)
    constants = "\n".join(f"{name} = {_constant(value)}" for name, value in code.constants.items())
    parts = ["import numpy as np", *map(_source, code.helpers), constants, code.source]
    return "\n\n\n".join(part for part in parts if part) + "\n"


def compiled(trace: Trace) -> Callable[..., tuple[Any, tuple[Any, ...]]]:
    """Return a fast function ``(*args) -> (value, gradients)``; see :meth:`Graph.compile`."""
    code = _Function(trace)
    space: dict[str, Any] = {"np": np, **code.constants}
    space |= {helper.__name__: inspect.unwrap(helper) for helper in code.helpers}
    exec(compile(code.source, f"<{code.name}>", "exec"), space)
    function: Callable[..., tuple[Any, tuple[Any, ...]]] = space[code.name]
    return function


class _Function:
    """The source of one function, under names that are identifiers and hide nothing.

    Attributes
    ----------
    name, source
        The function.
    helpers
        The functions that NumPy lacks and the source must bring along.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.program = Program(trace)
        rows = [each.row for each in self.program.needed if each.row and not each.row.is_native]
        foreign = {row.name: row.function for row in rows}
        self._taken = {"np", *keyword.kwlist, *foreign}
        stem = trace.function_name if trace.function_name.isidentifier() else "f"
        self.name = self._unique(f"{stem}_and_gradient")
        self._names = {each: self._unique(name) for each, name in self.program.names.items()}
        self._inputs = [self._names[each] for each in self.program.forward[: trace.input_count]]
        self._gradients = [f"d_{name}" for name in self._inputs]
        trees = trace.restore(self._inputs)
        self._parameters = [
            tree if traced is True else self._unique(name)
            for (name, traced), tree in zip(trace.arguments, trees, strict=True)
        ]
        self._printer = Printer(self.program, self._names, NUMPY)
        lines = [f"def {self.name}({', '.join(self._parameters)}):", *self._body()]
        self.source = "\n    ".join(lines)
        # What prints as x[…] or x.astype(…) is not called by its name.
        called = set(re.findall(r"(?<![\w.])(\w+)\(", self.source))
        self.helpers = [function for name, function in foreign.items() if name in called]

    def _unique(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    @cached_property
    def constants(self) -> dict[str, Any]:
        """The name and the value of each captured array that is needed."""
        needed = set(self.program.needed)
        values = zip(self.program.forward, self.trace.records, strict=True)
        captured = [each for each, record in values if record.row is CONSTANT and each in needed]
        arrays = [*captured, *self.program.extra_constants]
        return {self._names[each]: each.value for each in arrays}

    def _body(self) -> Iterator[str]:
        trees = self.trace.restore(self._inputs)
        for tree, parameter in zip(trees, self._parameters, strict=True):
            yield from _unpacked(tree, parameter)
        if self._printer.forward:
            yield "# forward"
        for statement in self._printer.forward:
            yield f"{statement.name} = {statement.text}"
        yield from self._way_back()
        value = self._printer.text(self.program.value)
        yield f"return {value}, {_tree_source(self.trace.restore(self._gradients))}"

    def _way_back(self) -> Iterator[str]:
        last: tuple[str, ...] = ()
        for through, line in self._steps():
            if through and through != last:
                yield f"# back through {', and '.join(through)}"
                last = through
            yield line
        for each in zip(self.program.gradients, self._gradients, self._inputs, strict=True):
            yield from self._plain_gradient(*each)

    def _steps(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield each line of the way back with the forward statements that it reverses."""
        inputs: dict[Expression | None, list[int]] = {}
        for k, gradient in enumerate(self.program.gradients):
            inputs.setdefault(gradient, []).append(k)
        for statement in self._printer.backward:
            yield statement.through, f"{statement.name} = {self._own(statement)}"
            for k in inputs.get(statement.expression, ()):
                if self._gradients[k] != statement.name:
                    through = self._printer.through(self.trace.nodes[k])
                    yield through, f"{self._gradients[k]} = {statement.name}"

    def _own(self, statement: Statement) -> str:
        """Return the text of a statement; a gradient that is only a view becomes an array."""
        expression, gradients = statement.expression, self.program.gradients
        if not expression.calls(np.broadcast_to) or expression not in gradients:
            return statement.text
        inner = expression.unstretched
        if not inner.is_number:
            return f"{statement.text}.copy()"
        like = self._inputs[gradients.index(expression)]
        return f"np.full_like({like}, {literal(inner.value)})"

    def _plain_gradient(self, gradient: Expression | None, name: str, like: str) -> Iterator[str]:
        """Yield the gradient of an input that no step back computes."""
        if gradient is None:
            yield f"{name} = np.zeros_like({like})"
        elif gradient.is_number:
            yield f"{name} = {float(gradient.value)}"
        elif gradient.position < self.program.turn:
            is_array = gradient.shape != ()
            yield f"{name} = {self._printer.text(gradient)}{'.copy()' * is_array}"


def _constant(value: Any) -> str:
    return literal(value) if np.ndim(value) else typed(value, value.dtype)


def _source(function: Callable[..., Any]) -> str:
    """Return the bare source of a helper: no decorator, no docstring, no annotations."""
    try:
        text = textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    except (OSError, TypeError):  # it was not written in Python, or its text is gone
        raise UnsupportedError(
            f"{function.__name__} has no source text that could be printed.",
            expected="a function that is written in Python",
            instead="graph.compile(), which calls the function as it is",
        ) from None
    (definition,) = ast.parse(text).body
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    definition.returns = None
    for argument in (*definition.args.args, *definition.args.kwonlyargs):
        argument.annotation = None
    if ast.get_docstring(definition) is not None:
        definition.body = definition.body[1:]
    return ast.unparse(definition)


def _unpacked(tree: Any, parameter: str) -> Iterator[str]:
    """Yield the lines that take a list, a tuple or a dict apart; ``None`` is no input."""
    if isinstance(tree, list | tuple) and tree and all(isinstance(name, str) for name in tree):
        yield f"{', '.join(tree)}{',' * (len(tree) == 1)} = {parameter}"
        return
    for path, name in _paths(tree):
        if path and name is not None:
            yield f"{name} = {parameter}{path}"


def _paths(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the subscript that leads to each leaf, and the leaf."""
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

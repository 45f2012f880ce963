"""The forward and the backward pass as NumPy source that runs by itself."""

from __future__ import annotations

import ast
import inspect
import keyword
import re
import textwrap
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from backprop_nb.errors import UnsupportedError
from backprop_nb.tracing import pytree
from backprop_nb.tracing.code_text import function_text
from backprop_nb.tracing.emit.algebra import Expression
from backprop_nb.tracing.emit.notation import NUMPY
from backprop_nb.tracing.emit.program import Program, all_of_one_type
from backprop_nb.tracing.emit.statements import Printer, Statement
from backprop_nb.tracing.emit.wrapping import wrapped
from backprop_nb.tracing.graph import Node, Trace
from backprop_nb.tracing.purity import is_impure
from backprop_nb.tracing.record import CONSTANT, Guard
from backprop_nb.tracing.rules.form import written
from backprop_nb.tracing.rules.indexing import getitem
from backprop_nb.tracing.rules.template import literal, number_text, typed
from backprop_nb.tracing.source import Source, describe_place
from backprop_nb.tracing.tape import is_foreign, is_other_float, taken_in


def to_numpy(trace: Trace) -> str:
    """Return source whose last function computes the value and the gradients.

    See :meth:`Graph.to_numpy`.
    """
    code = _Function(trace)
    constants = "\n".join(wrapped(line) for line in code.definitions())
    source = "\n".join(map(wrapped, code.source.split("\n")))
    if is_impure(trace):
        source = f"{_STOPPED if trace.is_stopped else _DRAWN}\n{source}"
    helpers = [_source(row.printed or row.function, row.name) for row in code.helpers]
    imports = "import numpy as np" if not code.left_out else "import zlib\n\nimport numpy as np"
    parts = [imports, *helpers, constants, source]
    return "\n\n\n".join(part for part in parts if part) + "\n"


MAX_PRINTED = 10_000
"""A captured array of more entries is not printed: it would be megabytes that nobody reads."""
_DRAWN = """# What is drawn at random, or kept from call to call, has the values of the traced run:
# pass it as an argument to draw it anew."""
_STOPPED = """# What bp.stop_gradient took out has its value at the traced arguments here, on others
# too, and so has what is drawn at random: pass it as an argument to choose it.
# graph.evaluate and graph.compile compute it anew."""


class OffPathError(Exception):
    """The arguments lead to other shapes, or to another decision, than those of the trace."""


def path_of(trace: Trace) -> Callable[..., tuple[Any, tuple[Any, ...]]]:
    """Return the program as a function ``(*args) -> (value, gradients)``.

    It raises :class:`OffPathError` where the trace does not hold.
    """
    code = _Function(trace, is_compiled=True)
    space: dict[str, Any] = {"np": np, OffPathError.__name__: OffPathError, **code.constants}
    space |= {convert.__name__: convert for convert in code.converters.values()}
    space |= {row.name: inspect.unwrap(row.function) for row in code.helpers}
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
        The rows of the functions that NumPy lacks and the source must bring along.
    converters
        For each type of number in the arguments what gives it to them; a compiled
        function calls these.
    """

    def __init__(self, trace: Trace, is_compiled: bool = False) -> None:
        self.trace = trace
        self.program = Program(trace)
        self._is_compiled = is_compiled
        self._checked: set[str] = set()
        self._unpackings: dict[str, str] = {}  # from m = theta[0] to m, b = theta
        rows = [each.row for each in self.program.needed if each.row and not each.row.is_native]
        foreign = {row.name: row for row in rows}
        kinds = (node.value.dtype.newbyteorder("=") for node in trace.inputs)
        dtypes = {kind.name: kind for kind in kinds}
        self.converters = {name: _converter(dtype) for name, dtype in dtypes.items()}
        called = {"map", *(each.__name__ for each in self.converters.values())}
        self._taken = {"np", "zlib", "globals", *keyword.kwlist, *foreign, *called}
        stem = trace.function_name if trace.function_name.isidentifier() else "f"
        self.name = self._unique(f"{stem}_and_gradient")
        self._names = {each: self._unique(name) for each, name in self.program.names.items()}
        self._inputs = [self._names[each] for each in self.program.forward[: trace.input_count]]
        self._gradients = [
            self._names[gradient]
            if gradient is not None and self.program.names.get(gradient) == node.adjoint_name
            else self._unique(node.adjoint_name)
            for node, gradient in zip(trace.inputs, self.program.gradients, strict=True)
        ]
        trees = trace.restore(self._inputs)
        self._parameters = [
            tree if traced is True else self._unique(name)
            for (name, traced), tree in zip(trace.arguments, trees, strict=True)
        ]
        calls = [self._unique(parts[0].row.name) for parts in self.program.shared if parts[0].row]
        self._printer = Printer(self.program, self._names, NUMPY, calls, self._unique)
        self._decisions = deque(sorted(self.program.decisions, key=lambda each: each[0].position))
        lines = [f"def {self.name}({', '.join(self._parameters)}):", *self._body()]
        self.source = "\n    ".join(lines)
        # What prints as x[…] or x.astype(…) is not called by its name.
        self.helpers = [row for name, row in foreign.items() if self._calls(name)]

    def _calls(self, name: str) -> bool:
        # To look for the text alone is faster.
        call = f"{name}("
        return call in self.source and bool(re.search(rf"(?<![\w.]){name}\(", self.source))

    def _unique(self, name: str) -> str:
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    @cached_property
    def constants(self) -> dict[str, Any]:
        """The name and the value of each captured array that is needed."""
        needed = set(self.program.needed)
        values = zip(self.program.forward, self.trace.records, strict=False)
        captured = [each for each, record in values if record.row is CONSTANT and each in needed]
        arrays = [*captured, *self.program.extra_constants]
        return {self._names[each]: each.value for each in arrays} | self._printer.indices

    @cached_property
    def left_out(self) -> dict[str, Node]:
        """By their names in the source, the captured arrays that are too large to be printed."""
        pairs = zip(self.program.forward, self.trace.nodes, strict=False)
        names = {self._names.get(each): node for each, node in pairs if not each.is_number}
        return {
            name: names[name]
            for name, value in self.constants.items()
            if name in names and value.size > MAX_PRINTED and not _is_zeros(value)
        }

    def definitions(self) -> Iterator[str]:
        """Yield the lines that define the constants, or ask for those that are too large."""
        for name, value in self.constants.items():
            if name not in self.left_out:
                yield f"{name} = {_constant(value, name in self.literals)}"
                continue
            of_trace = f"{name} = graph.node({self.left_out[name].name!r}).value"
            kind = f"{value.dtype.name} of shape {value.shape}"
            told = f"{name} must be as in the trace: {of_trace}, {kind}"
            is_array = f'{name}.__class__.__name__ == "ndarray" and {name}.shape == {value.shape}'
            yield f"# {name} is too large to be printed; before it runs, where the graph is:"
            yield f"# {of_trace}"
            yield f'if "{name}" not in globals() or not ({is_array} and'
            yield f"        zlib.crc32({name}.tobytes()) == {zlib.crc32(value.tobytes())}):"
            yield f"    raise NameError({told!r})"

    @cached_property
    def literals(self) -> set[str]:
        """The names of what may be one of Python's numbers, which every library takes."""
        if not self.constants or not all_of_one_type(self.trace):
            return set()
        return {*self.constants} - set(re.findall(r"\b(\w++)[.\[]", self.source))

    def _body(self) -> Iterator[str]:
        trees = self.trace.restore(self._inputs)
        for tree, parameter in zip(trees, self._parameters, strict=True):
            yield from _unpacked(tree, parameter)
        if not self._is_compiled:
            for given, parameter in zip(self.trace.given, self._parameters, strict=False):
                yield from self._as_given(given, parameter)
        yield from self._converted()
        if self._printer.forward:
            yield "# forward"
        yield from self._way_there()
        yield from self._way_back()
        value = self.program.value
        text = typed(value.value, float) if value.is_number else self._printer.text(value)
        yield f"return {text}, {written(self.trace.restore(self._gradients), str)}"

    def _as_given(self, given: Any, parameter: str) -> Iterator[str]:
        """Yield the check of what is not traced: the program is that of one flag, or one mask."""
        for keys, value in pytree.paths(given):
            if isinstance(value, bool | str | int | float | np.bool | np.ndarray | None):
                entry = _entry(parameter, keys)
                differs = f"{entry} != {literal(value)}"
                if isinstance(value, np.ndarray):
                    differs = f"not np.array_equal({entry}, {literal(self._printer.array(value))})"
                yield f"if {differs}:"
                yield f'    raise ValueError("another {entry} than in the trace")'

    def _converted(self) -> Iterator[str]:
        """Yield what gives the arguments the types that they have in the trace.

        NumPy's numbers divide by 0 and have a shape; those of Python do not.
        """
        numbers: dict[str, list[str]] = {}
        for name, node in zip(self._inputs, self.trace.inputs, strict=True):
            dtype = node.value.dtype.name
            if self._is_compiled:
                yield f"{name} = {self.converters[dtype].__name__}({name})"
                yield f"if {name}.shape != {node.shape}: raise {OffPathError.__name__}"
            elif node.shape == ():
                numbers.setdefault(dtype, []).append(name)
            elif node.index in self.trace.from_integers:
                yield f"{name} = np.asarray({name}, dtype=np.{dtype})"
        for dtype, names in numbers.items():
            listed = ", ".join(names)
            few = f"np.{dtype}({listed})"
            yield f"{listed} = {few if len(names) == 1 else f'map(np.{dtype}, ({listed}))'}"

    def _way_there(self) -> Iterator[str]:
        """Yield the forward statements; ``m, b = theta`` is one, as it was written."""
        nodes = zip(self.program.forward, self.trace.nodes, strict=False)
        sources = {each: node.source for each, node in nodes}
        statements = self._printer.forward
        start = 0
        while start < len(statements):
            first = statements[start]
            yield from self._checks(first.expression.position)
            outputs = self.program.unpacked.get(first.expression, [])
            count = len(outputs) or _unpacked_count(first)
            group = statements[start : start + count]
            if outputs and [each.expression for each in group] == outputs:
                whole = first.text.removesuffix("[0]")
            elif count and not outputs and _belong_together(group, sources):
                whole = self._printer.text(first.expression.operands[0])
            else:
                yield from first.lines
                start += 1
                continue
            line = f"{', '.join(each.name for each in group)} = {whole}"
            self._unpackings |= {f"{each.name} = {each.text}": line for each in group}
            yield line
            start += count
        yield from self._checks(self.program.turn)

    def _checks(self, before: int) -> Iterator[str]:
        """Yield the decisions that have to fall out as in the trace, up to an expression."""
        while self._decisions and self._decisions[0][0].position < before:
            expression, guard = self._decisions.popleft()
            if expression.is_number:
                continue
            condition = _otherwise(self._printer.text(expression), guard)
            if condition not in self._checked:
                self._checked.add(condition)
                yield f"if {condition}:"
                yield f"    raise {self._reason(guard)}"

    def _reason(self, guard: Guard) -> str:
        """Return what is raised where a decision falls out otherwise."""
        if self._is_compiled:
            return OffPathError.__name__
        place = describe_place(guard.scope.code, guard.lasti) if guard.scope else "a rule"
        why = f"another decision than in the trace: {' '.join(place.split())}"
        return f"ValueError({why!r})"

    def _way_back(self) -> Iterator[str]:
        last: tuple[str, ...] = ()
        for through, line in self._steps():
            through = tuple(dict.fromkeys(self._unpackings.get(each, each) for each in through))
            if through and through != last:
                yield f"# back through {', and '.join(through)}"
                last = through
            yield line
        for node, gradient in zip(self.trace.inputs, self.program.gradients, strict=True):
            yield from self._plain_gradient(node, gradient)

    def _steps(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield each line of the way back with the forward statements that it reverses."""
        inputs: dict[Expression | None, list[int]] = {}
        for k, gradient in enumerate(self.program.gradients):
            inputs.setdefault(gradient, []).append(k)
        for statement in self._printer.backward:
            for check in self._checks(statement.expression.position):
                yield (), check
            for line in statement.lines[:-1]:
                yield statement.through, line
            own = self._own(statement)
            if own == statement.text or statement.in_place:
                yield statement.through, statement.lines[-1]
            if own != statement.text:  # after an assignment in place it is what has the name
                own = f"{statement.name}[()]" if statement.in_place else own
                yield statement.through, f"{statement.name} = {own}"
            alike = inputs.get(statement.expression, [])
            named = (k for k in alike if self._gradients[k] == statement.name)
            first = next(named, min(alike, default=0))
            for k in alike:
                if self._gradients[k] != statement.name:
                    copy = ".copy()" * (k != first and statement.expression.shape != ())
                    through = self._printer.through(self.trace.nodes[k])
                    yield through, f"{self._gradients[k]} = {statement.name}{copy}"

    def _own(self, statement: Statement) -> str:
        """Return the text of a statement; a gradient that is only a view becomes an array."""
        expression = statement.expression
        if expression not in self._input_of:
            return statement.text
        if expression.shape == () and isinstance(expression.value, np.ndarray):
            return f"{statement.text}[()]"
        inner = expression.unstretched
        if expression.calls(np.broadcast_to) and inner.is_number:
            like = self._inputs[self._input_of[expression]]
            return f"np.full_like({like}, {number_text(inner.value)})"
        return statement.text + ".copy()" * self._is_shared(expression)

    def _is_shared(self, expression: Expression) -> bool:
        """Whether a gradient is a view of what is read-only, not its own, or another gradient."""
        whole = _whole(expression)
        if whole.calls(np.broadcast_to):
            return expression.shape != ()
        is_fresh = whole.row is not None and whole.position >= self.program.turn
        has_own = is_fresh and self._first_of[whole] is expression
        return whole is not expression and expression.shape != () and not has_own

    @cached_property
    def _first_of(self) -> dict[Expression, Expression]:
        """For each array in which gradients lie the one that may keep it: best the array itself."""
        gradients = [each for each in self._input_of if each is not None and not each.is_number]
        whole = {_whole(each): each for each in reversed(gradients)}
        return whole | {each: each for each in gradients if each in whole}

    @cached_property
    def _input_of(self) -> dict[Expression | None, int]:
        """The first input whose gradient an expression is."""
        found: dict[Expression | None, int] = {}
        for k, gradient in enumerate(self.program.gradients):
            found.setdefault(gradient, k)
        return found

    def _plain_gradient(self, node: Node, gradient: Expression | None) -> Iterator[str]:
        """Yield the gradient of an input that no step back computes."""
        name, like = self._gradients[node.index], self._inputs[node.index]
        if gradient is None:
            yield f"{name} = np.zeros_like({like}){'[()]' * (node.shape == ())}"
        elif gradient.is_number:
            yield f"{name} = {typed(float(gradient.value), node.value.dtype)}"
        elif gradient.position < self.program.turn or gradient.row is None:
            text = self._printer.text(gradient) + ".copy()" * (gradient.shape != ())
            if text != name:
                yield f"{name} = {text}"


def _whole(expression: Expression) -> Expression:
    """Return the array of which an expression may be a view, or the expression itself.

    The way ends at an array that is stretched, since it is read-only.
    """
    while not expression.calls(np.broadcast_to):
        operand = _looked_at(expression)
        if operand is None or operand.is_number:
            break
        expression = operand
    return expression


def _looked_at(expression: Expression) -> Expression | None:
    """Return the operand with which the value of a call may share its entries."""
    if expression.row is None or isinstance(expression.row.function, np.ufunc):
        return None
    if expression.row.function in (np.reshape, np.ravel):  # it depends on the order in memory
        return expression.operands[0]
    values = [np.asarray(operand.value)[()] for operand in expression.operands]
    with np.errstate(all="ignore"):  # NumPy has warned before
        value = expression.row.call(*values, **expression.keywords)
    pairs = zip(expression.operands, values, strict=True)
    return next((each for each, part in pairs if np.may_share_memory(value, part)), None)


def _otherwise(text: str, guard: Guard) -> str:
    """Return the condition under which a decision falls out otherwise."""
    if guard.asked == "truth":
        return f"not ({text})" if guard.answer else text
    if guard.asked == "shape":
        return f"np.shape({text}) != {literal(guard.answer)}"
    if np.any(guard.answer != guard.answer):  # NaN is not itself
        return f"not np.array_equal({text}, {literal(guard.answer)}, equal_nan=True)"
    if np.ndim(guard.answer):
        return f"not np.array_equal({text}, {literal(guard.answer)})"
    return f"({text}) != {literal(guard.answer)}"


def _converter(dtype: np.dtype[Any]) -> Callable[[Any], Any]:
    """Return what makes an argument an array, or a number of NumPy's, of this type."""
    number = dtype.type

    def convert(value: Any) -> Any:
        kind = type(value)
        if kind is np.ndarray:
            return value if value.dtype == dtype else _real(value, dtype)
        if kind is float or kind is int:
            return number(value)
        if kind is number or is_foreign(value):
            return value
        return _real(value, dtype)[()]

    convert.__name__ = f"as_{dtype.name}"
    return convert


def _real(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return an argument in the type of the trace; what the trace refuses is refused."""
    if is_other_float(value, dtype):
        raise OffPathError
    return taken_in(value, "An argument").astype(dtype, copy=False)


def _takes(expression: Expression, position: int) -> bool:
    """Whether an expression is ``array[position]``."""
    index = expression.keywords.get("index")
    return expression.calls(getitem) and type(index) is int and index == position


def _unpacked_count(statement: Statement) -> int:
    """Return how many entries an array has of which this statement takes the first."""
    expression = statement.expression
    if not _takes(expression, 0):
        return 0
    count = expression.operands[0].shape[0]
    return count if count > 1 else 0


def _belong_together(
    group: Sequence[Statement], sources: Mapping[Expression, Source | None]
) -> bool:
    """Whether statements take all entries of one array, one after the other, by one expression."""
    expressions = [each.expression for each in group]
    array, source = expressions[0].operands[0], sources.get(expressions[0])
    return len(group) == array.shape[0] and all(
        _takes(each, position) and each.operands[0] is array and sources.get(each) == source
        for position, each in enumerate(expressions)
    )


def _constant(value: Any, is_literal: bool) -> str:
    if not np.ndim(value):
        is_float = value.dtype == np.float64
        return literal(value) if is_literal and is_float else typed(value, value.dtype)
    return f"np.zeros({value.shape})" if _is_zeros(value) else literal(value)


def _is_zeros(value: Any) -> bool:
    """Whether an array is that of ``np.zeros``, which has no -0.0."""
    return (
        value.size > 0
        and value.dtype == float
        and not np.any(value)
        and not np.any(np.signbit(value))
    )


def _source(function: Callable[..., Any], name: str) -> str:
    """Return the bare source of a helper: no decorator, no docstring, no annotations."""
    text = function_text(inspect.unwrap(function))
    if text is None:  # it was not written in Python, or its text is gone
        raise UnsupportedError(
            f"{name} has no source text that could be printed.",
            expected="a function that is written in Python",
            instead="graph.compile(), which calls the function as it is",
        )
    (definition,) = ast.parse(textwrap.dedent(text)).body
    assert isinstance(definition, ast.FunctionDef)
    definition.name, definition.decorator_list = name, []
    definition.returns = None
    given = definition.args
    for argument in (*given.args, *given.kwonlyargs, given.vararg, given.kwarg):
        if argument is not None:
            argument.annotation = None
    if ast.get_docstring(definition) is not None:
        definition.body = definition.body[1:]
    return ast.unparse(definition)


def _unpacked(tree: Any, parameter: str) -> Iterator[str]:
    """Yield the lines that take a list, a tuple or a dict apart; ``None`` is no input."""
    if isinstance(tree, list | tuple) and tree and all(isinstance(name, str) for name in tree):
        yield f"{', '.join(tree)}{',' * (len(tree) == 1)} = {parameter}"
        return
    for keys, name in pytree.paths(tree):
        if keys and name is not None:
            yield f"{name} = {_entry(parameter, keys)}"


def _entry(parameter: str, keys: Sequence[Any]) -> str:
    try:
        return parameter + "".join(f"[{literal(key)}]" for key in keys)
    except TypeError:
        raise UnsupportedError(
            f"A key of {parameter} cannot be printed.",
            given=f"the keys {', '.join(map(repr, keys))}",
            expected="text, numbers, and tuples of them",
        ) from None

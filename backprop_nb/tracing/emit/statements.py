"""A program as statements: which expression gets a line, its name, and the step it belongs to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from backprop_nb.tracing import pytree
from backprop_nb.tracing.emit.algebra import Expression
from backprop_nb.tracing.emit.notation import NUMPY, Notation
from backprop_nb.tracing.emit.program import Program
from backprop_nb.tracing.graph import Node
from backprop_nb.tracing.rules import TABLE
from backprop_nb.tracing.rules.template import (
    ATOM,
    PRODUCT,
    SUM,
    UNARY,
    Printed,
    Source,
    array_name,
    literal,
    typed,
)

_WHERE = np.where  # while a trace runs there is another one

MAX_THROUGH = 4
"""A step back names so many forward statements at most."""
MAX_LINE = 240
"""And of each so many characters."""
MAX_INDEX = 24
"""An index of more entries has a name of its own."""


class Statement(NamedTuple):
    """One value that has a name: ``name = text``, or the lines of an assignment in place.

    Attributes
    ----------
    expression
        What it computes.
    through
        On the way back, the forward statements that the gradient came through.
    """

    expression: Expression
    name: str
    text: str
    through: tuple[str, ...] = ()
    in_place: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The statement as source."""
        return self.in_place or (f"{self.name} = {self.text}",)


class Printer:
    """Prints the expressions of a program; those that have a name become statements.

    Attributes
    ----------
    forward, backward
        The statements of the way there, and of the way back.
    indices
        By their names, the arrays of indices that are too long to stand in a line.

    Parameters
    ----------
    calls
        What the calls are called of which several arrays are needed.
    unique
        Makes a name unique.
    """

    def __init__(
        self,
        program: Program,
        names: Mapping[Expression, str],
        notation: Notation,
        calls: Sequence[str] = (),
        unique: Callable[[str], str] = str,
    ) -> None:
        self._program = program
        self._names = names
        self._notation = notation
        shared = zip(calls, program.shared, strict=True) if calls else ()
        self._calls = {part: name for name, parts in shared for part in parts}
        self._unique = unique
        self.indices: dict[str, np.ndarray[Any, Any]] = {}
        self._letters: dict[Any, str] = {}
        self._names_of: dict[tuple[Any, ...], str] = {}
        self._printed: dict[Expression, Printed] = {}
        self._brief: dict[Expression, str] = {}
        statements = list(self._statements())
        self.forward = [s for s in statements if s.expression.position < program.turn]
        self.backward = [s for s in statements if s.expression.position >= program.turn]

    def text(self, expression: Expression) -> str:
        """Return a number, the name of an expression, or the expression itself."""
        return self._print(expression)[0]

    def _print(self, expression: Expression) -> Printed:
        if expression.is_number:
            return self._notation.literal(expression.value)
        return self._printed[expression]

    def _statements(self) -> Iterator[Statement]:
        seen: set[str] = set()
        for each in self._program.needed:
            name = self._names.get(each)
            call = self._call(each) if each.row is not None else None
            if call is not None and (whole := self._calls.get(each)):
                if whole not in seen:
                    seen.add(whole)
                    yield Statement(each, whole, self._call(each, is_whole=True)[0])
                call = f"{whole}[{each.keywords['output']}]", ATOM
            if call is not None and name is not None:
                node = self._program.adjoint_of.get(each)
                through = self.through(node) if node else ()
                in_place = self._in_place(each, name)
                if each.position < self._program.turn:
                    self._brief[each] = _brief(in_place[-1] if in_place else f"{name} = {call[0]}")
                yield Statement(each, name, call[0], through, in_place)
            if name is not None:
                call = name, ATOM
            if call is not None:
                self._printed[each] = call

    def _in_place(self, expression: Expression, name: str) -> tuple[str, ...]:
        """Return the lines of a call that is said in several."""
        if not expression.is_statement or self._notation is not NUMPY:
            return ()
        assert expression.row is not None
        assert expression.row.statement is not None
        operands = [self._operand(expression, operand) for operand in expression.operands]
        options = self._portable(expression)
        return tuple(expression.row.statement(name, operands, options, expression.shape))

    def _call(self, expression: Expression, is_whole: bool = False) -> Printed:
        assert expression.row is not None  # leaves have no call
        arguments = [self._operand(expression, operand) for operand in expression.operands]
        with_number = any(operand.shape == () for operand in expression.operands)
        is_source = self._notation is NUMPY
        keywords = self._portable(expression) if is_source else self._lettered(expression.keywords)
        if is_whole:
            keywords = {key: value for key, value in keywords.items() if key != "output"}
        if _adds_a_negative(expression) and arguments[1][1] is UNARY:
            # As a loss that begins with 0 and takes -log away: the same number, to the last bit.
            arguments[1] = arguments[1][0][1:], PRODUCT
            return self._notation.call(TABLE[np.subtract], arguments, keywords, with_number)
        return self._notation.call(expression.row, arguments, keywords, with_number)

    def _operand(self, expression: Expression, operand: Expression) -> Printed:
        """Return an operand; a number takes the type of its result where NumPy would not give it.

        Beside an array an element-wise function makes a plain number fit; elsewhere,
        as in ``np.broadcast_to(1, (3,))``, the number alone decides.
        """
        is_typed = operand.is_number and not isinstance(operand.value, bool)
        if is_typed and self._notation is NUMPY and not self._fits(expression):
            is_double = expression.value.dtype == np.float64
            kinds = {each.kind for each in _types_beside(expression)}
            if is_double and kinds and kinds <= {*"biu"}:  # which a plain float makes doubles
                return self._notation.literal(float(operand.value))
            return typed(operand.value, expression.value.dtype), ATOM
        function = expression.row and expression.row.function
        if self._notation is NUMPY and function in _OF_ONE_TRIANGLE:
            return _symmetric(self._print(operand), operand.value, expression.keywords)
        return self._print(operand)

    def _fits(self, expression: Expression) -> bool:
        """Whether a plain number is right as it is: the learner wrote it, or an array fits it."""
        if expression.position < self._program.turn:
            return True
        if expression.is_statement:
            return True
        dtype, beside = expression.value.dtype, _types_beside(expression)
        return bool(beside) and (dtype.kind == "b" or dtype in beside)

    def through(self, node: Node) -> tuple[str, ...]:
        """Return the forward statements through which the gradient of ``node`` came."""
        users = self._program.users(node, most=MAX_THROUGH + 1)
        expressions = [self._program.forward[user.index] for user in users]
        lines = [self._brief[each] for each in expressions if each in self._brief]
        return tuple([*lines[:MAX_THROUGH], "…"] if len(lines) > MAX_THROUGH else lines)

    def _portable(self, call: Expression) -> Mapping[str, Any]:
        """Return the options of a call as other array libraries take them, or refuse them.

        They take arrays where NumPy takes lists, and Dask's ``cholesky`` gives the other triangle.
        """
        if call.calls(np.linalg.cholesky):
            return {"upper": False, **call.keywords}
        if not call.keywords:  # the most frequent
            return call.keywords
        keywords = dict(call.keywords)
        for name in {"index", "at", "q"} & keywords.keys():
            keywords[name] = pytree.rebuild(keywords[name], lambda _, leaf: self.array(leaf))
        if isinstance(keywords.get("q"), tuple):
            keywords["q"] = self.array(np.array(keywords["q"]))
        if call.calls(np.searchsorted) or call.calls(np.digitize):
            form = keywords["form"]
            arrays = (np.array(x) if isinstance(x, list | tuple) else x for x in form.args)
            keywords["form"] = replace(form, args=tuple(map(self.array, arrays)))
        return keywords

    def _lettered(self, keywords: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the options of a call with letters for its arrays of positions, one for each."""
        letters = {
            name: pytree.rebuild(keywords[name], lambda _, leaf: self._letter(leaf))
            for name in {"index", "at"} & keywords.keys()
        }
        if "indices" in keywords:  # of np.take, which may be a list
            letters["indices"] = self._letter(np.asarray(keywords["indices"]))
        return {**keywords, **letters} if letters else keywords

    def _letter(self, leaf: Any) -> Any:
        is_array = isinstance(leaf, np.ndarray) and leaf.ndim > 0
        return Source(array_name(leaf, self._letters)) if is_array else leaf

    def array(self, leaf: Any) -> Any:
        """Return how an array prints within a line: by a name if it is long."""
        if not isinstance(leaf, np.ndarray) or not leaf.size:
            return leaf
        if leaf.size > MAX_INDEX:
            if np.array_equal(leaf, np.arange(leaf.size)) and leaf.dtype == int:
                return Source(f"np.arange({leaf.size})")
            key = leaf.dtype.name, leaf.shape, leaf.tobytes()
            if key not in self._names_of:
                name = self._names_of[key] = self._unique(f"i{len(self.indices) + 1}")
                self.indices[name] = leaf
            return Source(self._names_of[key])
        is_number = leaf.dtype in (np.dtype(int), np.dtype(float))
        return Source(f"np.asarray({literal(leaf.tolist())})") if is_number else leaf


_POSITIONS = re.compile(r"np\.asarray\((\[+)([^,()]*, [^,()]*), [^,()]*, [^()]*\]\)")
_OF_ONE_TRIANGLE = np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh


def _adds_a_negative(expression: Expression) -> bool:
    return expression.calls(np.add) and expression.operands[1].calls(np.negative)


def _symmetric(matrix: Printed, value: Any, options: Mapping[str, Any]) -> Printed:
    """Return a matrix as it is or, if it is not symmetric, made of the triangle NumPy reads.

    JAX would take the mean of the two.
    """
    if np.allclose(value, np.matrix_transpose(value), rtol=1e-12, atol=0.0, equal_nan=True):
        return matrix
    triangle = "triu" if options.get("upper") or options.get("UPLO") == "U" else "tril"
    other = f"np.{triangle}({matrix[0]}, {1 if triangle == 'triu' else -1})"
    return f"np.{triangle}({matrix[0]}) + np.swapaxes({other}, -1, -2)", SUM


def _types_beside(expression: Expression) -> set[np.dtype[Any]]:
    """Return the types of the arrays in a call that is done entry by entry."""
    function = expression.row and expression.row.function
    if not (isinstance(function, np.ufunc) or function is _WHERE):
        return set()
    return {each.value.dtype for each in expression.operands if not each.is_number}


def _brief(line: str) -> str:
    """Return a statement, and of a very long one its beginning: many may come back through it.

    Of an array of positions a reader needs to see that there is one.
    """
    line = _POSITIONS.sub(r"\1\2, …]", line)
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"

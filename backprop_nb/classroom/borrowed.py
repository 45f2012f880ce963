"""Whether a gradient is somebody's own work: what it calls, and how its results behave.

A backward pass that asks a library for the gradient, or takes differences of the loss, gives right
numbers and shows nothing of what was to be learnt.  Two things tell it: what the graded function
reaches by name, and that differences are right to a few digits, where arithmetic in float64 is
right to fourteen.  Neither is proof; somebody looks at what is noted here.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from backprop_nb.checking.report import Report
from backprop_nb.classroom.jupyter import body

LIBRARIES: Final = {
    *("aesara", "algopy", "autograd", "casadi", "chainer", "flax", "haiku", "jax", "keras"),
    *("micrograd", "mindspore", "mxnet", "mygrad", "numdifftools", "optax", "paddle", "pytensor"),
    *("sklearn", "sympy", "tensorflow", "theano", "tinygrad", "torch"),
}
"""Modules that differentiate, or train networks."""
FUNCTIONS: Final = {
    "backprop_nb": {
        *("Network", "SigmoidNetwork", "checking", "document", "grad", "jacobian", "jvp"),
        *("network", "trace", "tracing", "value_and_grad", "vjp"),
    },
    "scipy": {"approx_derivative", "approx_fprime", "derivative", "differentiate", "jacobian"},
}
"""Of modules that do other things as well, what differentiates."""
ARRAYS: Final = {"autograd.numpy", "jax.numpy"}
"""What of such a module only stands in for NumPy."""

_DYNAMIC: Final = {"__builtins__", "__import__", "eval", "exec", "import_module"}
_OPEN: Final = {"builtins.__import__", "gc.get_objects", "sys._getframe", "sys.modules"}
"""Where any module, or what the grader holds, may be had from."""
_NAMES: Final = {*LIBRARIES, *FUNCTIONS, *_DYNAMIC, *(each.split(".")[0] for each in _OPEN)}
_SIGNS: Final = re.compile(rf"\b(?:{'|'.join(sorted(_NAMES))})\b|[\d.][jJ]\b")
"""What is borrowed has one of them in its text, unless its names are not written in ASCII."""
_OTHERS: Final = {*LIBRARIES, *FUNCTIONS, "numpy", *sys.stdlib_module_names}
"""Modules that are no file of a submission."""
_LEAST: Final = 1e-12
"""Arithmetic in float64 is a hundred times nearer, and differences are never so near."""


def borrowed(cells: Sequence[tuple[str, str]], function: str) -> tuple[str, ...]:
    r"""Say what a function uses, itself or in what it calls, that differentiates for it.

    The cells are pairs: what to call each piece of code, and its source.

    >>> borrowed([("cell 1", "import torch\ndef backward(A): return torch.ones(3)")], "backward")
    ('`backward` uses torch, which differentiates (cell 1, line 2).',)
    >>> borrowed([("cell 1", "import torch\ndef backward(A): return A")], "backward")
    ()
    """
    if not any(_SIGNS.search(source) or not source.isascii() for _, source in cells):
        return ()
    code = _Code(cells)
    found: dict[str, str] = {}
    for cell, node, scope in code.reached_from(function):
        for what, why in code.differentiating(node, scope):
            where = f"({cell}, line {getattr(node, 'lineno', 0)})"
            found.setdefault(what, f"`{function}` uses {what}, {why} {where}.")
    return tuple(found.values())


def differenced(report: Report) -> tuple[str, ...]:
    """Say that gradients are right to a few digits only, as differences of the loss are."""
    errors = [each.error for each in report.parameters]
    in_float64 = not any(each.remark for each in report.parameters)
    if not (report.ok and errors and in_float64 and min(errors) > _LEAST):
        return ()
    digits = len(f"{1 / max(errors):.0f}") - 1
    return (
        f"Every gradient is right to about {digits} digits only, as differences of the loss are; "
        "what is computed as it is derived is right to 14.",
    )


class _Import(NamedTuple):
    """What a name was imported as: from a module, perhaps one thing of it."""

    module: str
    name: str


_Scope = tuple["_Local", ...]
"""The functions around a place, the outermost first."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class _Local:
    """What names mean in a function that stand for something of its own."""

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        self.imported: dict[str, _Import] = {}
        own = [*_written_in(function)]
        given = [each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)]
        found = (each for each in own if isinstance(getattr(each, "ctx", None), ast.Store))
        named = (getattr(each, "name", None) for each in own)  # functions, classes, errors, matches
        names = {*given, *(each.id for each in found if isinstance(each, ast.Name)), *named}
        of_all = {name for each in own if isinstance(each, ast.Global) for name in each.names}
        self.names = names - of_all
        for each in own:
            self.imported.update(_imports(each))
        self.imported = {k: each for k, each in self.imported.items() if k not in of_all}


def _written_in(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield each node of a scope, but not what is inside of its functions."""
    pending = [*ast.iter_child_nodes(scope)]
    while pending:
        each = pending.pop()
        yield each
        if not isinstance(each, _FUNCTIONS):
            pending += ast.iter_child_nodes(each)


def _scoped(node: ast.AST) -> Iterator[tuple[ast.AST, _Scope]]:
    """Yield a node and each one in it, with the functions around it that are in it, too."""
    pending: list[tuple[ast.AST, _Scope]] = [(node, ())]
    while pending:
        each, scope = pending.pop()
        yield each, scope
        inside = (*scope, _Local(each)) if isinstance(each, _FUNCTIONS) else scope
        pending += ((child, inside) for child in ast.iter_child_nodes(each))


def _imports(node: ast.AST) -> Iterator[tuple[str, _Import]]:
    """Yield what a statement imports, by the names that it gives it."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            whole = alias.name if alias.asname else alias.name.split(".")[0]
            yield alias.asname or whole, _Import(whole, "")
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            yield alias.asname or alias.name, _Import(node.module, alias.name)


class _Code:
    """The definitions and imports of a submission, by the names that it gives them."""

    def __init__(self, cells: Sequence[tuple[str, str]]) -> None:
        self._defined: dict[str, list[tuple[str, ast.AST]]] = defaultdict(list)
        self._imported: dict[str, _Import] = {}
        self._starred: list[str] = []
        for cell, source in cells:
            try:
                tree = body(source, cell)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue  # it does not run either
            for node, scope in _scoped(tree):
                self._note(cell, node, scope)

    def _note(self, cell: str, node: ast.AST, scope: _Scope) -> None:
        """Note what a statement gives a name that is read elsewhere: in another function, too."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not _is_local(node.name, scope):
                self._defined[node.name].append((cell, node))
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for each in (each for target in targets for each in ast.walk(target)):
                if isinstance(each, ast.Name) and not _is_local(each.id, scope):
                    self._defined[each.id].append((cell, node.value))
        for name, imported in _imports(node):
            if name == "*":
                self._starred.append(imported.module)
            elif not _is_local(name, scope):
                self._imported[name] = imported

    def reached_from(self, function: str) -> Iterator[tuple[str, ast.AST, _Scope]]:
        """Yield each node of a function and of what it reaches by name, with its cell and scope."""
        pending, seen = [*self._defined.get(function, [])], set[int]()
        while pending:
            cell, definition = pending.pop()
            if id(definition) in seen:
                continue
            seen.add(id(definition))
            for node, scope in _scoped(definition):
                yield cell, node, scope
                pending += self._behind(node, scope)

    def _behind(self, node: ast.AST, scope: _Scope) -> Iterator[tuple[str, ast.AST]]:
        """Yield the definitions that a name may stand for; those of a class are in it."""
        for module, name in self._meant(node, scope):
            if module.split(".")[0] not in _OTHERS:  # it may be another file of the submission
                yield from self._defined.get(name, [])
        if isinstance(node, ast.Name) and not _is_local(node.id, scope):
            yield from self._defined.get(node.id, [])

    def differentiating(self, node: ast.AST, scope: _Scope) -> Iterator[tuple[str, str]]:
        """Yield what a name, or an attribute of one, stands for that differentiates, and why."""
        if isinstance(node, ast.Name) and node.id in _DYNAMIC:
            yield node.id, "which may import anything"
        if isinstance(node, ast.Attribute) and node.attr == "import_module":
            yield node.attr, "which may import anything"
        if isinstance(node, ast.Constant) and isinstance(node.value, complex):
            yield "complex numbers", "as a difference with a complex step does"
        for module, name in self._meant(node, scope):
            root, *parts = f"{module}.{name}".strip(".").split(".")
            if root in LIBRARIES and not {module, f"{module}.{name}"} & ARRAYS:
                yield root, "which differentiates"
            elif FUNCTIONS.get(root, set()).intersection(parts):
                yield f"{root}.{parts[-1]}", "which differentiates"
            elif ".".join([root, *parts]) in _OPEN:
                yield f"{root}.{parts[-1]}", "which may reach anything"

    def _meant(self, node: ast.AST, scope: _Scope) -> Iterator[_Import]:
        """Yield what an expression may stand for, of what is imported."""
        if isinstance(node, ast.Name):
            if imported := self._import(node.id, scope):
                yield imported
            elif not _is_local(node.id, scope):
                yield from (_Import(module, node.id) for module in self._starred)
        elif isinstance(node, ast.Attribute):
            base: ast.AST = node.value
            while isinstance(base, ast.Attribute):
                base = base.value
            imported = self._import(base.id, scope) if isinstance(base, ast.Name) else None
            if imported:
                yield _Import(f"{imported.module}.{imported.name}".strip("."), node.attr)

    def _import(self, name: str, scope: _Scope) -> _Import | None:
        """Return what a name is imported as, in the innermost function that gives it a meaning."""
        for each in reversed(scope):
            if name in each.imported or name in each.names:
                return each.imported.get(name)
        return self._imported.get(name)


def _is_local(name: str, scope: _Scope) -> bool:
    """Whether a name is a function's own: a parameter, or what is assigned or imported there."""
    return any(name in each.names or name in each.imported for each in scope)

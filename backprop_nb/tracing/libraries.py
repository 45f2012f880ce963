"""Where the learner's own code ends, and what helps beyond: Python's modules and libraries."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from opcode import opmap
from types import BuiltinFunctionType, CodeType, FrameType
from typing import Any

import numpy as np

from backprop_nb.errors import BackpropError, DetachedError, is_installed
from backprop_nb.tracing.source import FOLDER, Place, describe_place, links, locate

_NUMPY = np.__path__[0]

# What NumPy has for functions of Python's modules that take plain numbers only.
_TWINS = {
    "fmean": "np.mean(x)",
    "fsum": "np.sum(x)",
    "stdev": "np.std(x, ddof=1)",
    "pstdev": "np.std(x)",
    "variance": "np.var(x, ddof=1)",
    "pvariance": "np.var(x)",
    "dist": "np.linalg.norm(x - y)",
    "gcd": "",
}
# What to write for functions of NumPy and of libraries that courses use.
_WINDOWS = "np.lib.stride_tricks.sliding_window_view(x, window_shape), which is traced"
_SAVED = "it afterwards, outside of the function: graph.value, or graph.node(name).value"
_COSINES = (
    "np.cos(K) @ x for the real part and -np.sin(K) @ x for the imaginary one, with n = len(x) "
    "and K = 2 * np.pi * np.outer(np.arange({}), np.arange(n)) / n; complex numbers have no rules"
)
_IN_NUMPY = {
    "as_strided": _WINDOWS,
    "strides": _WINDOWS,
    "view": "x.reshape(…) for another shape, x.astype(…) for another type",
    **dict.fromkeys(("save", "savez", "savez_compressed", "savetxt"), _SAVED),
    "fromiter": "np.array([*values])",
    "fft": _COSINES.format("n"),
    "rfft": _COSINES.format("n // 2 + 1"),
    "erf": "bp.define_rule(np.vectorize(math.erf), lambda g, ans, x: "
    "g * 2 / np.sqrt(np.pi) * np.exp(-(x**2))), under a name of its own",
    "expit": "bp.sigmoid(x)",
    **dict.fromkeys(("sigmoid", "logistic"), "1 / (1 + np.exp(-x)), or bp.sigmoid(x)"),
    "relu": "np.maximum(x, 0)",
    "softplus": "np.logaddexp(0, x)",
    "logsumexp": "m + np.log(np.sum(np.exp(x - m))), with m = np.max(x)",
    "softmax": "e / np.sum(e), with e = np.exp(x - np.max(x))",
    "stop_gradient": "bp.stop_gradient(x)",
}
# What other libraries make of a function, which can be had here, within a trace too.
_OF_FUNCTIONS = {
    name: text
    for names, text in {
        "grad gradient": "bp.grad(f)(x)",
        "value_and_grad": "bp.value_and_grad(f)(x)",
        "jacobian jacfwd jacrev": "bp.jacobian(f)(x)",
        "hessian": "bp.jacobian(bp.grad(f))(x)",
        "elementwise_grad": "bp.grad(lambda x: np.sum(f(x)))(x)",
        "vjp": "bp.vjp(f, x)",
        "jvp": "bp.jvp(f, (x,), (v,))",
        "jit compile": "f(x) as it is",
        "vmap": "np.stack([f(row) for row in x])",
    }.items()
    for name in names.split()
}
# Of these a function of NumPy's has the same name, if there is one.
_LIKE_NUMPY = {"torch", "jax", "tensorflow", "cupy", "autograd"}
_MAKING_ARRAYS = {"tensor", "as_tensor", "from_numpy", "Tensor", "FloatTensor", "DoubleTensor"}
# What arrays of other libraries have, and those of NumPy have not.
_OF_OTHERS = {
    "{x}**2, for the power": "pow",
    "{x} @ y": "matmul mm bmm mv",
    "{x}.T": "t adjoint",
    "np.transpose({x}, axes)": "permute",
    "np.expand_dims({x}, 0)": "unsqueeze",
    "np.broadcast_to({x}, shape)": "expand expand_as broadcast_to",
    "np.linalg.norm({x})": "norm",
    "np.linalg.inv({x})": "inverse",
    "np.linalg.det({x})": "det",
    "np.median({x})": "median",
    "np.clip({x}, low, high)": "clamp",
    "bp.stop_gradient({x})": "detach stop_gradient",
    "{x} as it is, which counts as an array of NumPy's": "numpy cpu cuda to contiguous data_ptr",
    "{x}.copy()": "clone",
    "{x}.astype(float)": "float double",
    "{x}.astype(int)": "long int",
    "{x}.ndim": "dim",
    "{x}.size": "numel",
    "{x}[i] = …, or np.add.at({x}, i, …)": "at",
    "{x} += …, {x} *= … and their kin": "add_ sub_ mul_ div_",
    "{x}[...] = …": "zero_ fill_ copy_",
    "bp.grad(f)(x), or bp.trace(f, x).backward(): an array keeps no gradient": (
        "backward grad requires_grad requires_grad_ retain_grad zero_grad grad_fn is_leaf"
    ),
}
OF_OTHERS = {word: text for text, words in _OF_OTHERS.items() for word in words.split()} | {
    name: re.sub(r"\bx\b", "{x}", _IN_NUMPY[name])
    for name in ("sigmoid", "relu", "softplus", "softmax", "logsumexp")
}
"""What to write for an attribute that NumPy's arrays lack, with ``{x}`` for the array."""


def is_inside(frame: FrameType) -> bool:
    """Whether the frame is the tracer's or NumPy's."""
    return frame.f_code.co_filename.startswith((FOLDER, _NUMPY))


def is_learners_code(code: CodeType) -> bool:
    """Whether code is neither the tracer's or NumPy's nor a library's."""
    return _is_learners(code.co_filename)


@lru_cache(maxsize=4096)
def _is_learners(filename: str) -> bool:
    # Kept by file: two codes with the same text are equal, wherever they stand.
    return not (filename.startswith((FOLDER, _NUMPY)) or is_installed(filename))


def learner_frame(frame: FrameType) -> FrameType:
    """Return the nearest frame of the learner's code.

    Where all code is installed, it is the nearest that is neither the tracer's nor NumPy's.
    """
    outside: FrameType | None = None
    each: FrameType | None = frame
    while each is not None:
        if _is_learners(each.f_code.co_filename):
            return each
        if outside is None and not is_inside(each):
            outside = each
        each = each.f_back
    return outside or frame


def warned_at_the_line() -> np.errstate:
    """Let NumPy warn of an overflow, and its like, at the learner's line, not at the tracer's."""
    modes = dict(np.geterr())
    if "call" in modes.values():  # somebody wants to be told in another way
        return np.errstate()
    asked: dict[str, Any] = {kind: "call" for kind, mode in modes.items() if mode == "warn"}
    return np.errstate(call=_warn_at_the_line, **asked)


def _warn_at_the_line(what: str, _: int) -> None:
    frame = learner_frame(sys._getframe(1))
    names = frame.f_globals
    warnings.warn_explicit(
        f"{what} encountered",
        RuntimeWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        names.get("__name__"),
        names.setdefault("__warningregistry__", {}),
    )


def library_of(frame: FrameType) -> str:
    """Return the name of the library that the learner's line called; empty for none."""
    called = [each for each in _on_the_way(frame) if not is_inside(each)]
    return _module(called[-1]) if called else ""


def numpy_function(frame: FrameType) -> str:
    """Return the name of NumPy's function that the learner's line called; empty for none."""
    codes = [each.f_code for each in _on_the_way(frame)]
    names = [each.co_name for each in codes if each.co_filename.startswith(_NUMPY)]
    return names[-1] if names else ""


def _on_the_way(frame: FrameType) -> Iterator[FrameType]:
    """Yield the frames up to the learner's line, the innermost first."""
    line, each = learner_frame(frame), frame
    while each is not line and each.f_back is not None:
        yield each
        each = each.f_back


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def advice(name: str, place: Place | None, frame: FrameType) -> str:
    """Say what to write where a library wants a plain array.

    ``name`` is the library, ``place`` the learner's expression, ``frame`` its frame.
    """
    table = _table(place.node, frame) if place is not None else None
    if place is not None and table is not None:
        return f"{place.module.text(table)}.to_numpy() in place of {place.module.text(table)}"
    if place is not None and (method := _as_function(place.node)):
        return method
    called = _called(place.node) if place is not None else ""
    if called == "pow":
        return "x**y % z in place of pow(x, y, z)"
    if name in ("math", "statistics", "cmath") and twin(called):
        return twin(called)
    if name in ("", *sys.stdlib_module_names):
        return "the value as it is; afterwards graph.value has the number"
    if name in _LIKE_NUMPY and called in _OF_FUNCTIONS:
        of_numpy = f"with f written in NumPy, because {name} sees only arrays of its own"
        return f"{_OF_FUNCTIONS[called]}, {of_numpy}"
    if name in _LIKE_NUMPY and called in _MAKING_ARRAYS:
        return "the value as it is, which counts as an array of NumPy's"
    if name in _LIKE_NUMPY and callable(getattr(np, called, None)):
        return f"np.{called}, because {name} sees only arrays of its own"
    slope = ", and a gradient by bp.grad(f)(x)" if name in _LIKE_NUMPY else ""
    return in_numpy(called) or (
        f"the same in NumPy{slope}, because {name} sees only plain arrays; "
        "bp.define_rule makes a function of your own one step with a slope"
    )


def in_numpy(name: str) -> str:
    """Return how NumPy computes a library's function of this name; empty if nobody knows."""
    return _IN_NUMPY.get(name.rpartition(".")[2], "")


def to_write(error: BaseException) -> str:
    """Return what to write for ``np.sigmoid``, ``x^2`` or ``2(x + 1)``; empty for other errors."""
    if isinstance(error, AttributeError) and error.obj is np:
        return in_numpy(str(error.name))
    if isinstance(error, TypeError) and re.search(r"bitwise_xor|for \^", str(error)):
        return "** for a power"
    if isinstance(error, TypeError) and _NOT_CALLED.search(str(error)):
        return "* for a product, or [ ] for an entry"
    return ""


_NOT_CALLED = re.compile(r"'(int|float|list|tuple|numpy\.\w+)' object is not callable")


def twin(name: str) -> str:
    """Return NumPy's function for one of ``math`` or ``statistics``; empty for none."""
    return _TWINS.get(name) or (f"np.{name}" if hasattr(np, name) else "")


def _as_function(node: ast.AST) -> str:
    """Return ``X.dot(W, out=a)``, which sees plain arrays only, as a function of NumPy's."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=args, keywords=options) if (
            any(option.arg == "out" for option in options) and hasattr(np, name)
        ):
            function = ast.Attribute(ast.Name("np"), name)
            return ast.unparse(ast.Call(function, [owner, *args], options))
    return ""


def _called(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name
        case ast.Call(func=ast.Call() as made):  # jax.grad(f)(x)
            return _called(made)
    return ""


def _table(node: ast.AST, frame: FrameType) -> ast.AST | None:
    """Return the part of an expression that is a table or a column of pandas, if one is."""
    match node:
        case ast.BinOp(left=left, right=right):
            return _table(left, frame) or _table(right, frame)
        case ast.Compare(left=left, comparators=[right]):
            return _table(left, frame) or _table(right, frame)
        case ast.Call(args=args) if found := next(
            filter(None, (_table(each, frame) for each in args)), None
        ):
            return found
        case ast.Call(func=ast.Attribute(value=owner)):
            return _table(owner, frame)
        case ast.Name() | ast.Attribute() | ast.Subscript():
            root: ast.AST = node
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            names = {**frame.f_globals, **frame.f_locals}
            value = names.get(root.id) if isinstance(root, ast.Name) else None
            kind = type(value)
            is_table = kind.__module__.startswith("pandas") and hasattr(kind, "to_numpy")
            return node if is_table else None
    return None


def from_library(error: Exception, is_traced: Callable[[Any], bool]) -> BackpropError | None:
    """Return what to tell a learner when other code could make nothing of a traced value.

    ``None`` if the error has another reason: then it stays as it is.
    """
    passed = [*links(error)]
    own = [k for k, each in enumerate(passed) if is_learners_code(each.tb_frame.f_code)]
    if not own or isinstance(error, BackpropError):
        return None
    line, last = passed[own[-1]], passed[-1].tb_frame
    called = [each.tb_frame for each in passed[own[-1] + 1 :] if not is_inside(each.tb_frame)]
    reason = str(error)
    place = locate(line.tb_frame.f_code, line.tb_lasti)
    function = _function_called(place, line.tb_frame)
    library = _library_of(function)
    is_other = library in _LIKE_NUMPY
    hands_on = _is_in_c(function, library) and _is_handed_on(place, line.tb_frame, is_traced)
    ours = isinstance(error.__cause__ or error.__context__, BackpropError)
    names_it = ours or re.search(r"\bTraced\b", reason) is not None
    if line is not passed[-1]:
        held = bool(called) and any(map(is_traced, called[-1].f_locals.values()))
        # A library in C may ask a traced value what it is, and that raises here.
        is_handed = names_it or held or (hands_on and is_other)
    elif last.f_code.co_code[line.tb_lasti] == opmap["RAISE_VARARGS"]:
        return None  # the learner's own
    else:
        is_handed = names_it or hands_on
    if not is_handed or isinstance(error, AttributeError):
        return None
    name = library if is_other else _module(called[0]) if called else ""
    return DetachedError(
        f"{name or 'Python'} can do nothing with a traced value.",
        given=_TRACED.sub("a traced value", reason).strip(),
        instead=("" if called else _brackets(reason, place)) or advice(name, place, line.tb_frame),
        at=describe_place(line.tb_frame.f_code, line.tb_lasti),
    )


_TRACED = re.compile(r"'?<class '[\w.]+\.Traced'>'?|(?:\ban? )?(?:'Traced'|\bTraced\b)")


def _brackets(reason: str, place: Place | None) -> str:
    """Say what to write for an array that is called, such as ``x.T()`` or ``x(0)``."""
    if "not callable" not in reason or place is None or not isinstance(place.node, ast.Call):
        return ""
    called, entries = (", ".join(map(ast.unparse, x)) for x in ([place.node.func], place.node.args))
    return f"{called}[{entries}]" if entries else f"{called} without parentheses"


def _function_called(place: Place | None, frame: FrameType) -> Any:
    """Return the function that an expression calls by a name; ``None`` if it is none."""
    if place is None or not isinstance(place.node, ast.Call):
        return None
    names = {**frame.f_globals, **frame.f_locals}
    function: Any = names
    node: ast.AST = place.node
    while isinstance(node, ast.Call):  # of jax.grad(f)(x) the first one
        node = node.func
    for part in ast.unparse(node).split("."):
        function = function.get(part) if function is names else getattr(function, part, None)
    return function


def _library_of(function: Any) -> str:
    """Return the name of the library that a function was made in, whatever it says of itself."""
    function = getattr(function, "__func__", function)
    made_in = getattr(function, "__globals__", {}).get("__name__")
    name = made_in or getattr(function, "__module__", None) or type(function).__module__
    return str(name).partition(".")[0].replace("jaxlib", "jax")


def _is_in_c(function: Any, library: str) -> bool:
    """Whether a function is not written in Python."""
    is_type = isinstance(function, type) and library in {"numpy", *_LIKE_NUMPY}
    return is_type or isinstance(function, BuiltinFunctionType)


def _is_handed_on(place: Place | None, frame: FrameType, is_traced: Callable[[Any], bool]) -> bool:
    """Whether there is a traced value in an expression."""
    names = {**frame.f_globals, **frame.f_locals}
    used = (each.id for each in ast.walk(place.node) if isinstance(each, ast.Name)) if place else ()
    return any(is_traced(names.get(name)) for name in used)

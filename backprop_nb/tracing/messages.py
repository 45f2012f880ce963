"""What a learner is told when the tracer cannot go on.

Every message names the learner's own line and says what to write instead.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from opcode import opmap
from types import CodeType, FrameType, ModuleType
from typing import Any, NoReturn

import numpy as np

from backprop_nb.errors import (
    BackpropError,
    DetachedError,
    InPlaceError,
    InvalidValueError,
    ShapeError,
    UnsupportedError,
)
from backprop_nb.meant import no_argument
from backprop_nb.tracing.advice import (
    attached,
    copied_first,
    node_of,
    owner_of,
    place_of,
    stored_into,
    to_receive,
    written_into,
)
from backprop_nb.tracing.libraries import (
    in_numpy,
    is_inside,
    learner_frame,
    library_of,
    numpy_function,
)
from backprop_nb.tracing.rules import Row, supported_functions
from backprop_nb.tracing.rules.row import RefusedError, full_name, parameters_of
from backprop_nb.tracing.source import describe_place, links, locate, operand

_KINDS = {"c": "complex", "O": "object", "U": "text", "S": "bytes"}
_OPTIONS = {
    "where": "choose the entries with np.where(mask, …, 0.0)",
    "dtype": "x.astype(…) in place of x",
    "initial": "the result combined with it afterwards",
}


# What NumPy does not look at when it asks who computes a call.
_UNSEEN = {
    "full": ("fill_value", "np.broadcast_to(fill_value, shape)"),
    "full_like": ("fill_value", "np.broadcast_to(fill_value, np.shape(a))"),
    "nan_to_num": ("nan, posinf or neginf", "np.where(np.isnan(x), nan, x)"),
    "pad": (
        "constant_values",
        "np.pad(x, width) + value * np.pad(np.zeros(x.shape), width, constant_values=1.0)",
    ),
    "select": (
        "default",
        "np.select([*condlist, True], [*choicelist, default]), with it as the last choice",
    ),
}

WITHOUT_EXP = (
    "bp.sigmoid(z) for 1 / (1 + np.exp(-z)), np.tanh(z) for its quotient, "
    "np.logaddexp(0, z) for np.log(1 + np.exp(z)); in a softmax np.exp(z - np.max(z))"
)
"""What to write where an exponential overflows."""


READING = frozenset(
    {
        *("float", "int", "complex", "eval", "exec", "literal_eval", "loads", "fromstring"),
        *("array", "asarray", "astype", "float32", "float64", "genfromtxt", "loadtxt"),
        *("Decimal", "Fraction"),
    }
)
"""What makes numbers of text."""
_JOINING = frozenset({"concatenate", "concat", "stack"})


class UnsupportedMethodError(UnsupportedError, AttributeError):
    """An array method without a rule, so that ``hasattr`` answers no."""


class OutOfRangeError(ShapeError, IndexError):
    """An index or an axis that does not exist."""


class SingularError(ShapeError, np.linalg.LinAlgError):
    """A matrix without an inverse, or an iteration that does not end: a program may catch it."""


def is_learners(error: BaseException) -> bool:
    """Whether an error was raised by code that is neither the tracer's nor NumPy's."""
    passed = [*links(error)]
    return bool(passed) and not is_inside(passed[-1].tb_frame)


def _at(frame: FrameType) -> str:
    """Return the learner's line as a message says it."""
    frame = learner_frame(frame)
    return describe_place(frame.f_code, frame.f_lasti)


def name_of(row: Row) -> str:
    """Return how a message calls the function of a row."""
    return row.title or full_name(row.function)


# --- no rule ----------------------------------------------------------------------


def unsupported(what: str, frame: FrameType, instead: str | None = None) -> NoReturn:
    """Refuse a call that has no differentiation rule."""
    _refuse_unseen(frame)
    raise UnsupportedError(
        f"{what} has no differentiation rule.",
        instead=instead or _something_else(what),
        at=_at(frame),
    )


def form_refused(name: str, refused: RefusedError, frame: FrameType) -> NoReturn:
    """Refuse a call of a function that is traced in other forms."""
    raise UnsupportedError(
        f"{name} cannot be traced with these arguments.",
        given=refused.given,
        expected=str(refused),
        instead=refused.instead,
        at=_at(frame),
    )


def odd_refused(name: str, options: dict[str, Any], frame: FrameType) -> NoReturn:
    """Refuse options that NumPy takes, and that no rule does."""
    expected = "whole numbers where entries, axes and times are counted"
    if all(type(each) is int for each in options.values()):  # so it is the arrays
        expected = "arrays of floats"
    raise UnsupportedError(
        f"{name} cannot be traced with these arguments.",
        given=_listed(options),
        expected=expected,
        at=_at(frame),
    )


def not_taken(
    name: str, options: dict[str, Any], error: Exception, frame: FrameType
) -> BackpropError:
    """Return NumPy's complaint about an option, at the learner's line."""
    return _kind(error)(
        f"{name} does not fit: {_complaint(error)}.", given=_listed(options), at=_at(frame)
    )


def _listed(options: dict[str, Any]) -> str:
    return ", ".join(f"{key} = {value!r}" for key, value in options.items())


def _refuse_unseen(frame: FrameType) -> None:
    """Refuse a traced value where NumPy overlooks it, and name the function of the learner."""
    name = numpy_function(frame)
    if name in _UNSEEN:
        argument, instead = _UNSEEN[name]
        raise UnsupportedError(
            f"np.{name} cannot be traced with a traced {argument}: NumPy does not see it there.",
            instead=instead,
            at=_at(frame),
        )


def unsupported_method(name: str, frame: FrameType) -> NoReturn:
    """Refuse a method of an array that has no rule."""
    if library_of(frame):  # which takes the array for a plain one
        detached("A plain array", (), frame)
    raise UnsupportedMethodError(
        f"The array method .{name} has no differentiation rule.",
        instead=_something_else(name),
        at=_at(frame),
    )


def no_attribute_of_numpys(name: str, instead: str, frame: FrameType) -> NoReturn:
    """Refuse what arrays of other libraries have, with NumPy's way."""
    library = library_of(frame)  # whose function asks for it, as softmax of PyTorch does
    raise UnsupportedMethodError(
        f"An array of NumPy's has no attribute .{name}{library and f', which {library} asks for'}.",
        instead=instead.format(x="x" if library else owner_of(frame)),
        at=_at(frame),
    )


def attribute_assigned(name: str, value: Any, frame: FrameType) -> NoReturn:
    """Refuse ``x.shape = (3, 1)`` and its kin."""
    array = owner_of(frame)
    instead = {
        "shape": f"{array} = {array}.reshape({', '.join(map(str, np.atleast_1d(value)))})",
        "dtype": f"{array} = {array}.astype(…), which converts the numbers",
    }
    raise UnsupportedMethodError(
        f"A trace cannot follow an assignment to .{name} of an array.",
        given=f"{value!r:.60}",
        instead=instead.get(name, f"a new array in place of {array}"),
        at=_at(frame),
    )


def _something_else(what: str) -> str:
    """Say where to look for a function that has a rule, the closest names first."""
    if in_numpy(what):
        return in_numpy(what)
    if what.endswith("(vectorized)"):
        return "np.vectorize(f) in place of np.frompyfunc(f, 1, 1)"
    names = supported_functions()
    supported = {name.rpartition(".")[2]: name for name in sorted(names, key=len, reverse=True)}
    close = difflib.get_close_matches(what.rpartition(".")[2], supported, n=3, cutoff=0.8)
    hint = f"such as {', '.join(supported[name] for name in close)}; " if close else ""
    return f"a function that has one, {hint}bp.supported_functions() lists all {len(names)}"


def check_keywords(function: Callable[..., Any], options: dict[str, Any], frame: FrameType) -> None:
    """Refuse a keyword that NumPy's function does not have, such as ``dim``."""
    for key, value in options.items():
        names = list(parameters_of(function))
        if key not in names:
            raise no_argument(full_name(function), names, key, value, _at(frame))


def unsupported_option(row: Row, option: str, value: Any, frame: FrameType) -> NoReturn:
    """Refuse a keyword that a rule does not know, or a traced value for one that it does."""
    check_keywords(row.function, {option: value}, frame)
    if option == "axis" or option in row.options:
        as_index(getattr(value, "shape", ()), frame)
    raise UnsupportedError(
        f"{name_of(row)} cannot be traced with `{option}`.",
        expected="only " + ", ".join(f"`{key}`" for key in row.options)
        if row.options
        else "no options",
        instead=_OPTIONS.get(option),
        at=_at(frame),
    )


def order_of_memory(row: Row, order: Any, frame: FrameType) -> NoReturn:
    """Refuse an order of entries that depends on how the array lies in memory."""
    raise UnsupportedError(
        f"{name_of(row)} cannot be traced with order={order!r}: "
        "the result depends on how the array lies in memory.",
        expected="order='C', row by row, or order='F', column by column",
        instead="one tuple for the shape" if isinstance(order, int) else None,
        at=_at(frame),
    )


_OF_BITS = ("In Python, ^ is bitwise XOR, not a power.", "x**2 for the square of x")
_OF_MASKS = (
    "The operators & and | join truth values, not floats.",
    "(x > 0) & (x < 1), with brackets around the comparisons",
)


def no_mask(symbol: str, shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse ``x & y`` of numbers, and ``x^2``, which is a power in mathematics only."""
    problem, instead = _OF_BITS if symbol == "^" else _OF_MASKS
    raise UnsupportedError(
        problem, given=f"a traced value of shape {shape}", instead=instead, at=_at(frame)
    )


# --- detached ---------------------------------------------------------------------


def detached(how: str, shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse what would turn a traced value into a plain one."""
    _refuse_unseen(frame)
    match node_of(frame):
        case ast.Subscript(ctx=ast.Load()):  # an array asks for the index as an array
            as_index(shape, frame)
        case ast.Subscript():
            how = "An assignment into a plain array"
        case ast.Call(func=ast.Attribute() as function) if how == "float(x)":
            how = f"{ast.unparse(function)}(x)"  # as math.sin, which asks for a float
    raise DetachedError(
        f"{how} would disconnect x from the computation graph.",
        given=f"a traced value of shape {shape}",
        instead=attached(frame),
        at=_at(frame),
    )


NOT_AS_TEXT = "the value itself in place of its text; np.round(x, 3) for three digits of it"
"""What to write where a number is read from text."""


def read_from_text(shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse ``float(f"{x}")`` and its kin."""
    raise DetachedError(
        "A number read from the text of x would be disconnected from the computation graph.",
        given=f"text of a traced value of shape {shape}",
        instead=NOT_AS_TEXT,
        at=_at(frame),
    )


def as_index(shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse a traced value where Python or NumPy wants a plain integer."""
    raise DetachedError(
        "An index or a count must be a plain integer: "
        "a traced value would be disconnected from the computation graph.",
        given=f"a traced value of shape {shape}",
        instead="pass counts and indices as keyword arguments: integers among those are not traced",
        at=_at(frame),
    )


def as_key(shape: tuple[int, ...], is_decided: bool, frame: FrameType) -> NoReturn:
    """Refuse a traced value as the key of a dict, or in a set."""
    instead = (
        "any(x == each for each in …) in place of x in {…}, and a plain number or a name as the key"
    )
    match node_of(frame):
        case ast.Subscript(slice=key) if is_decided:
            instead = f"int({ast.unparse(key)}) as the key, a decision that the graph remembers"
        case _ if is_decided:
            instead = "int(x) in place of x, a decision that the graph remembers"
    raise DetachedError(
        "A traced value cannot be a key of a dict, or stand in a set: "
        "what is found there would not follow its value.",
        given=f"a traced value of shape {shape}",
        instead=instead,
        at=_at(frame),
    )


def only_looks_up(frame: FrameType) -> bool:
    """Whether a line asks a dict or a set for a key, and does not store it there."""
    match node_of(frame):
        case (
            ast.Subscript(ctx=ast.Load())
            | ast.Compare(ops=[ast.In() | ast.NotIn()])
            | ast.Call(func=ast.Attribute(attr="get"))
        ):
            return True
    return False


def is_only_printed(frame: FrameType) -> bool:
    """Whether a line makes text for the screen alone, where nothing is computed with it."""
    place = place_of(frame)
    node: ast.AST | None = place.node if place else None
    while place is not None and isinstance(node, ast.expr | ast.keyword):
        match node:
            case ast.Call(func=ast.Name("print"), keywords=options):
                is_screen = not isinstance(sys.stdout, io.StringIO)
                return is_screen and all(option.arg != "file" for option in options)
        node = place.module.parent.get(node)
    return False


def is_only_kept(code: CodeType, lasti: int) -> bool:
    """Whether a line makes text that is printed, shown or kept, and no number is read from it.

    So it is for ``bar.set_description(f"{x:.3f}")``, ``seen[f"{x}"] = 1``, and for
    ``title = f"{x}"`` where all that is done with ``title`` is of that kind.
    """
    place = locate(code, lasti)
    return place is not None and _is_handed_on(place.module.parent, place.node)


def _is_handed_on(above: Mapping[ast.AST, ast.AST], node: ast.AST, again: bool = True) -> bool:
    below = node
    while isinstance(node, ast.expr | ast.keyword):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in READING:
            return False
        below, node = node, above[node]
    match node:
        case ast.Expr(ast.Call()):
            return True
        case ast.Assign(targets=targets) if below in targets:
            return True
        case ast.Assign(targets=[ast.Name(name)]) if again:
            while not isinstance(node, ast.FunctionDef | ast.Lambda | ast.Module):
                node = above[node]
            loads = [
                each
                for each in ast.walk(node)
                if isinstance(each, ast.Name) and each.id == name and isinstance(each.ctx, ast.Load)
            ]
            return all(_is_handed_on(above, each, again=False) for each in loads)
    return False


def ambiguous(shape: tuple[int, ...], frame: FrameType) -> NoReturn:
    """Refuse ``if x:`` for an array that is not a single number."""
    match node_of(frame):
        case ast.Call(func=ast.Attribute(attr=name) as function, args=[first, second]) if (
            name in _JOINING
        ):
            path = ast.unparse(function)
            raise UnsupportedError(
                f"{path} takes its arrays in one list; what comes second is the axis.",
                given=f"a traced array of shape {shape} for the axis",
                instead=f"{path}([{ast.unparse(first)}, {ast.unparse(second)}])",
                at=_at(frame),
            )
    raise ShapeError(
        "An array is neither true nor false.",
        given=f"a traced array of shape {shape}",
        expected="a single number",
        instead="np.any(…) or np.all(…) of a comparison",
        at=_at(frame),
    )


def of_product(error: Exception, stood_in: Sequence[tuple[CodeType, int]]) -> BackpropError | None:
    """Return what to tell where NumPy complains about what stands in for ``X.dot(W)``."""
    passed = [*links(error)]
    if not passed or not stood_in or not isinstance(error, ValueError):
        return None
    code, lasti = passed[-1].tb_frame.f_code, passed[-1].tb_lasti
    if code.co_code[lasti] == opmap["STORE_SUBSCR"]:  # an array of the caller's does not take it
        return read_past(*stood_in[-1]) if stood_in[-1][0] is code else None
    lengths = re.match(r"shapes \((.*)\) and \((\d+),", str(error))
    place = locate(code, lasti)
    match place.node if place else None:
        case ast.Call(func=ast.Attribute(value=owner), args=[factor]) if lengths and stood_in[
            -1
        ] == (code, lasti):
            shape, length = lengths.groups()
            return ShapeError(
                "np.dot does not fit: the lengths differ along the axis that is summed over.",
                given=f"{ast.unparse(owner)} of shape ({shape}), "
                f"{ast.unparse(factor)} of length {length} there",
                expected="equal lengths along the axes that are summed over",
                at=describe_place(code, lasti),
            )
    return None


def read_past(code: CodeType, lasti: int) -> BackpropError:
    """Return what to tell where ``X.dot(W)`` was read without asking for the traced value."""
    place = locate(code, lasti)
    product, instead, taken = "X.dot(W)", "np.dot(X, W)", "A plain array, or another library,"
    if place is not None:
        product = place.module.text(place.node)
        match place.node:
            case ast.Call(func=ast.Attribute(value=owner), args=[factor]):
                instead = f"np.dot({ast.unparse(owner)}, {ast.unparse(factor)})"
        instead += f" in place of {product}"
        array = stored_into(place)
        if array is not None:
            local = not isinstance(array, ast.Name) or array.id in code.co_varnames
            instead, taken = copied_first(array, local), "An array that is not traced"
    return DetachedError(
        f"{taken} took {product} for plain numbers and would disconnect it "
        "from the computation graph.",
        instead=instead,
        at=describe_place(code, lasti),
    )


def ended(frame: FrameType) -> NoReturn:
    """Refuse a traced value that has left the function it was traced in."""
    raise DetachedError(
        "A traced value was used after its trace had ended.",
        instead="keep bp.stop_gradient(x), the plain value of x, "
        "or return x from the traced function",
        at=_at(frame),
    )


# --- in place ---------------------------------------------------------------------


def number_assigned(frame: FrameType) -> NoReturn:
    """Refuse ``x[i] = value`` for a number."""
    raise InPlaceError(
        "A number has no entries that could be assigned.",
        given="a traced value of shape ()",
        instead="x = …, or an array to begin with",
        at=_at(frame),
    )


def out_given(name: str, out: Any, frame: FrameType) -> NoReturn:
    """Refuse ``out=``, and ``plain_array += traced``, which is the same to NumPy."""
    array = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if isinstance(array, int | float):
        raise UnsupportedError(
            f"{name} takes an array to write into at this place.",
            given=f"out = {array!r}",
            instead="axis=(…, …), for several axes" if array is out else f"{name} of two at a time",
            at=_at(frame),
        )
    kind = f"an array of {array.dtype}" if isinstance(array, np.ndarray) else "several arrays"
    raise InPlaceError(
        f"{name} would write traced values where they cannot be kept.",
        given=f"{kind} to write into",
        expected="one array of floats, made in the traced function by np.zeros(…) or its kin",
        instead=f"{name}(…) without out=" if isinstance(array, tuple) else to_receive(frame),
        at=_at(frame),
    )


def lent(name: str, frame: FrameType) -> NoReturn:
    """Refuse to write a traced value into an array of which something holds a plain view."""
    array = ast.unparse(written_into(frame) or ast.Name("a"))
    raise InPlaceError(
        f"This array was handed to {name} as a plain one, which would not see a traced value.",
        given="an array that was made in the traced function, and a plain view of it",
        instead=f"{array}.copy() where it is handed on",
        at=_at(frame),
    )


def changed_in_place(
    problem: str, given: str, frame: FrameType, instead: str = "x = x + … in place of x += …"
) -> NoReturn:
    """Refuse ``+=`` and its kin where they would differ from what NumPy does."""
    raise InPlaceError(problem, given=given, instead=instead, at=_at(frame))


# --- what does not fit ------------------------------------------------------------


def misfit(
    row: Row, shapes: Sequence[tuple[int, ...]], error: Exception, frame: FrameType
) -> BackpropError:
    """Return NumPy's complaint about a call with the learner's names in it."""
    if "read-only" in str(error):  # as np.broadcast_to gives it
        array = ast.unparse(written_into(frame) or ast.Name("a"))
        return InvalidValueError(
            "This array is read-only: it shows the entries of another one.",
            given=f"{array} of shape {shapes[0]}",
            instead=f"{array} = {array}.copy() first",
            at=_at(frame),
        )
    place = place_of(frame)
    method = place is not None and _is_method(place.node, learner_frame(frame))
    given = []
    for position, shape in enumerate(shapes):
        node = operand(place, row, position, len(shapes), method) if place else None
        text = place.module.text(node) if place and node is not None else "an argument"
        given.append(f"{' '.join(text.split())} of shape {shape}")
    complaint = row.misfit(*shapes) if row.misfit else _complaint(error)
    kind = _kind(error)
    return kind(
        f"{name_of(row)} does not fit: {complaint}.",
        given=", ".join(given),
        expected=None if kind is UnsupportedError else row.expects,
        at=_at(frame),
    )


def _kind(error: Exception) -> type[BackpropError]:
    if isinstance(error, TypeError):
        return UnsupportedError
    if isinstance(error, np.linalg.LinAlgError):
        return SingularError
    return OutOfRangeError if isinstance(error, IndexError) else ShapeError


def _is_method(node: ast.AST, frame: FrameType) -> bool:
    """Whether a call is one of a method, such as ``x.sum()``, and not ``np.sum(x)``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner: ast.AST = node.func.value
    while isinstance(owner, ast.Attribute):
        owner = owner.value
    names = {**frame.f_globals, **frame.f_locals}
    return not (isinstance(owner, ast.Name) and isinstance(names.get(owner.id), ModuleType))


def _complaint(error: Exception) -> str:
    """Return NumPy's own words without its internal signature notation."""
    text = re.sub(r"^\w+: ", "", str(error).split("\n")[0])
    return re.sub(r", with gufunc signature \S+ ", " ", text).strip(" .")


# --- what goes in and what comes out -----------------------------------------------


def real_copy(value: Any, what: str, frame: FrameType | None = None) -> Any:
    """Return ``value`` as an array of real numbers that nobody else holds.

    Raises
    ------
    UnsupportedError
        For complex numbers, objects, text and ragged lists, and for arrays that
        are not plain, such as a masked one: its mask would be lost.
    """
    plain = type(value) is np.ndarray or isinstance(value, np.generic | np.memmap)
    if hasattr(type(value), "__array__") and not plain:
        raise UnsupportedError(
            f"{what} must be a plain NumPy array.",
            given=f"a {type(value).__name__}",
            instead="np.asarray(…) of it",
            at=frame and _at(frame),
        )
    try:
        copy = np.array(value)
    except ValueError as error:
        raise find_own(error) or UnsupportedError(
            f"{what} must be rectangular.", given="rows of unequal length", at=frame and _at(frame)
        ) from None
    if copy.dtype.kind not in "biuf":
        kind = _KINDS.get(copy.dtype.kind, copy.dtype.name)
        raise UnsupportedError(
            f"{what} must hold real numbers.",
            given=f"{kind} values of shape {copy.shape}",
            expected="floats or integers",
            instead="np.real(…), np.imag(…) or np.abs(…) of it" if kind == "complex" else None,
            at=frame and _at(frame),
        )
    return copy


def find_own(error: BaseException) -> BackpropError | None:
    """Return the error of ours that NumPy may have wrapped in one of its own.

    What the learner's own ``raise`` says stays as it is.
    """
    seen: BaseException | None = error
    while seen is not None and not (seen is not error and _is_raised(error)):
        if isinstance(seen, BackpropError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _is_raised(error: BaseException) -> bool:
    """Whether a ``raise`` statement made the error, and not a function of NumPy's."""
    ops = [each.tb_frame.f_code.co_code[each.tb_lasti] for each in links(error)]
    return ops[-1:] == [opmap["RAISE_VARARGS"]]

"""What one row of the rule table says about a NumPy function: everything.

How it is computed, prints and differentiates, which convention its slope follows
at a kink, which shapes it takes, what it costs, and from which numbers its test
may draw.  Nothing else in the package is keyed by a function, so a new function
is one new row; whatever NumPy's own signature says already is read from there.

Every vector-Jacobian product is plain NumPy on ``(g, ans, *args, **options)``,
in that order: ``g`` is the adjoint of the result, ``ans`` the result, and the
rest is what the function was called with.  Plain NumPy can be traced, which is
how the backward pass prints itself.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from backprop_nb.tracing.rules.template import (
    Template,
    Text,
    call_text,
    latex_call,
    latex_name,
    literal,
)

Vjp = Callable[..., Any]
"""A vector-Jacobian product ``(g, ans, *args, **options) -> gradient of one argument``."""

Interval = tuple[float, float]

REAL: Interval = (-2.0, 2.0)
POSITIVE: Interval = (0.5, 3.0)

AXIS = "an axis that the array has"
STRETCH = "equal shapes, or axes of length 1 that stretch"

TAKEN_AS_0 = "the slope is taken to be 0, and the second derivative too"
"""What is taken where a function has a corner or a tip, and no slope."""

SATURATED = 0.2
"""An entry whose slope is below this share of the largest slope is saturated."""


class Remark(NamedTuple):
    """What a reader is told about a call at certain points, such as a kink.

    Parameters
    ----------
    kind
        ``"kink"``, ``"tie"`` or ``"saturated"``.
    at
        Where it applies: ``(ans, *args, **options) -> booleans``, called with
        what a vector-Jacobian product gets, ``g`` left out.
    says
        The convention that the rule follows there, in one sentence.  ``{0}`` and
        ``{1}`` stand for the arguments, ``{places}`` for how many of how many.
    instead
        What to write where a second derivative is wanted: there is none at this
        point, but there may be one of the square.  Empty where nobody asks.
    """

    kind: str
    at: Callable[..., Any]
    says: str
    instead: str = ""


def saturated(vjp: Vjp, largest: float) -> Remark:
    """Return the remark of a function that flattens out and whose slope is ``largest`` at most."""
    return Remark(
        "saturated",
        lambda ans, x: vjp(1.0, ans, x) < SATURATED * largest,
        "the slope is below a fifth of its maximum{places}, so hardly any gradient passes",
    )


class EachVjp:
    """The rules of a function of any number of arrays: ``vjps[k]`` is that of the k-th.

    Attributes
    ----------
    of_call
        ``(g, ans, *arrays, **options)`` to ``k -> gradient of the k-th array``: what all of
        them need is worked out once, or a call of n arrays would take n² steps.
    moves
        Whether the arrays only go to places in the result, so that no rule multiplies.
    """

    def __init__(self, of_call: Callable[..., Callable[[int], Any]], moves: bool) -> None:
        self.of_call = of_call
        self.moves = moves

    def __getitem__(self, position: int) -> Vjp:
        return lambda *call, **options: self.of_call(*call, **options)(position)


class FirstVjp:
    """The rules of a function whose first array alone carries a gradient."""

    def __init__(self, rule: Vjp) -> None:
        self._rule = rule

    def __getitem__(self, position: int) -> Vjp | None:
        return None if position else self._rule


@dataclass(frozen=True, eq=False)
class Row:
    """One NumPy function: computed, printed, reversed, explained, tested.

    Parameters
    ----------
    function
        The function itself; calling it is how the row is computed.
    vjps
        One vector-Jacobian product for each array argument, in order; ``None``
        for an argument that carries no gradient, such as a condition.  The
        parameters after the arrays are the options that the row understands.
    numpy, latex
        How a call prints in the two notations, if not as an ordinary call.
    latex_with_number
        The LaTeX form when one of the arguments is a number, if that differs.
    symbol
        The few characters that a card in the picture has room for.
    operator
        The Python operator that calls the function, such as ``"add"`` for ``+``.
    product
        The sign between the factors, if the function multiplies them.
    title
        What messages call the function, if not by its name.
    in_words
        What its rule does, in a sentence that is a hint to a learner.
    remarks
        The points where the slope follows a convention, or hardly exists.
    expected
        What a call needs to fit, if the signature does not say it.
    misfit
        Says which lengths of the arrays' shapes do not fit, if NumPy does not.
    multiplications
        How many multiplications of numbers a call takes: ``(ans, *args,
        **options)``, called as a remark is; a division counts as one.
    domain
        For each array argument the interval from which tests draw.  The last one
        counts for all further arguments.
    view
        Whether NumPy may return a view of the first argument; writing into
        either would then change both.
    statement
        ``(name, arguments, keywords, shape)`` to the lines of source that give the result
        this name, for a call that no single expression says as a person would.  Each
        argument is a text and how tightly it holds together.
    picks
        For a function that picks entries of its first argument: the arguments and the
        options to the index that picks them, ``x[index]``.
    shape_varies
        Whether the shape of the result depends on the entries, as that of ``x[x > 0]``.
    outputs
        Whether the function returns several arrays.  Each is a node of its own,
        and the option ``output=k`` says which.
    printed
        What stands for the function in a printed program, if it is not NumPy's and says in
        its own text more than any array library understands.
    bind, compute
        For a function whose arrays do not stand one by one (``np.stack([x, y])``,
        ``np.einsum("ij,j", A, x)``): ``bind(*args, **kwargs)``, called as the
        function is, gives the list of arrays and a dict of everything else, and
        ``compute(*arrays, **options)`` is the function on those.
    """

    function: Callable[..., Any]
    vjps: tuple[Vjp | None, ...] | EachVjp | FirstVjp
    numpy: Template
    latex: Template
    symbol: str
    latex_with_number: Template | None = None
    operator: str = ""
    product: str = ""
    title: str = ""
    in_words: str = ""
    remarks: tuple[Remark, ...] = ()
    expected: str = ""
    misfit: Callable[..., str] | None = None
    multiplications: Callable[..., int] = lambda ans, *args, **options: 0
    domain: tuple[Interval, ...] = (REAL,)
    view: bool = False
    shape_varies: bool = False
    statement: Callable[..., list[str]] | None = None
    picks: Callable[..., Any] | None = None
    outputs: bool = False
    printed: Callable[..., Any] | None = None
    bind: Callable[..., tuple[list[Any], dict[str, Any]]] | None = None
    compute: Callable[..., Any] | None = None

    @property
    def name(self) -> str:
        """The function's NumPy name, such as ``"add"``."""
        return str(self.function.__name__)

    @cached_property
    def arrays(self) -> int:
        """The number of array arguments, if the function takes one after the other."""
        return len(self.vjps) if isinstance(self.vjps, tuple) else 0

    @cached_property
    def is_flat(self) -> bool:
        """Whether no argument carries a gradient, as in a comparison."""
        return isinstance(self.vjps, tuple) and not any(self.vjps)

    @cached_property
    def is_elementwise(self) -> bool:
        """Whether each entry of the result is computed from one entry of every argument."""
        return isinstance(self.function, np.ufunc) and self.function.signature is None

    @cached_property
    def is_native(self) -> bool:
        """Whether NumPy has the function; printed code carries the source of any other one."""
        return full_name(self.function).startswith("np.")

    @cached_property
    def call(self) -> Callable[..., Any]:
        """What computes the row from its arrays and options."""
        if self.compute is not None:
            return self.compute
        if self.outputs:
            return lambda *arrays, output, **options: self.function(*arrays, **options)[output]
        return self.function

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The function's own parameters in order, and their defaults."""
        return {name: p.default for name, p in parameters_of(self.function).items()}

    @cached_property
    def options(self) -> dict[str, Any]:
        """The options that every rule of the row understands, and their defaults."""
        if not isinstance(self.vjps, tuple):
            return {}
        count = self.arrays
        known = dict(list(self.parameters.items())[count:])
        for vjp in filter(None, self.vjps):
            taken = list(parameters_of(vjp).values())[2 + count :]
            if not any(p.kind is p.VAR_KEYWORD for p in taken):
                known = {p.name: p.default for p in taken if p.name != "output"}
        return known

    @property
    def expects(self) -> str:
        """What a call needs to fit."""
        if self.expected:
            return self.expected
        has_axis = any(option.startswith("ax") for option in self.options)
        return AXIS if has_axis else "shapes that NumPy can combine"

    def is_default(self, option: str, value: Any) -> bool:
        """Whether an option says what happens anyway; such an option is not recorded."""
        own = self.parameters.get(option)
        if own is inspect.Parameter.empty:  # a rule has a default that this NumPy lacks
            return False
        default = self.options.get(option, own)
        if default is np._NoValue:
            default = option == "where"  # the masks of NumPy's reductions
        return value is np._NoValue or (type(value) is type(default) and bool(value == default))


def row(
    function: Callable[..., Any],
    *vjps: Vjp | None,
    each: Vjp | None = None,
    joint: Callable[..., Callable[[int], Any]] | None = None,
    first: Vjp | None = None,
    numpy: Text | Template | None = None,
    latex: Text | Template | None = None,
    symbol: str = "",
    fitted: bool = False,
    **facts: Any,
) -> Row:
    """Return a row, with what the function itself says filled in.

    The rules of an element-wise function need not care about broadcasting, unless
    they are ``fitted`` because a power is so common that a call less is worth it.
    ``each`` is one rule ``(k, g, ans, *arrays, **options)`` for any number of
    arrays, ``joint`` one in the form of :class:`EachVjp` for many that go to places in
    the result, ``first`` one for the first of any number.  Texts are templates that need
    no brackets.
    """
    name = function.__name__
    many = joint or (_one_by_one(each) if each else None)
    if isinstance(function, np.ufunc) and function.signature is None and function.nin == 2:
        facts = {"expected": STRETCH} | facts
        vjps = vjps if fitted else tuple(map(_with_broadcast, vjps, (0, 1)))
    return Row(
        function,
        EachVjp(many, moves=joint is not None) if many else FirstVjp(first) if first else vjps,
        numpy=_template(numpy or _numpy_call(function, len(vjps))),
        latex=_template(latex or _latex_call(name)),
        symbol=symbol or (name if len(name) <= 7 else f"{name[:6]}…"),
        **facts,
    )


def _one_by_one(each: Vjp) -> Callable[..., Callable[[int], Any]]:
    """Return a rule of one array at a time in the form of :class:`EachVjp`."""
    return lambda *call, **options: lambda k: each(k, *call, **options)


def _template(text: Text | Template) -> Template:
    return text if isinstance(text, Template) else Template(text)


def _with_broadcast(vjp: Vjp | None, position: int) -> Vjp | None:
    """Let a rule of two arguments sum its gradient down to the shape of one of them."""
    if vjp is None:
        return None

    def left(g: Any, ans: Any, x: Any, y: Any) -> Any:
        g = vjp(g, ans, x, y)
        return g if type(g) is np.float64 or g.shape == x.shape else unbroadcast(g, x)

    def right(g: Any, ans: Any, x: Any, y: Any) -> Any:
        g = vjp(g, ans, x, y)
        return g if type(g) is np.float64 or g.shape == y.shape else unbroadcast(g, y)

    return (left, right)[position]


def unbroadcast(g: Any, like: Any) -> Any:
    """Sum ``g`` down to the shape of ``like``: the transpose of broadcasting.

    Where NumPy stretched an argument, one entry was used many times, so the
    gradients of all its uses add up.  An assignment also takes values with more
    axes than it has room for, each of length 1.

    >>> unbroadcast(np.ones((2, 3)), np.zeros((3,)))
    array([2., 2., 2.])
    """
    shape: tuple[int, ...] = like.shape
    if g.shape == shape:
        return g
    extra = g.ndim - len(shape)
    if extra < 0:
        g = np.reshape(g, (1,) * -extra + g.shape)
    elif extra:
        g = np.sum(g, axis=0 if extra == 1 else tuple(range(extra)))
    stretched = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    if stretched:
        g = np.sum(g, axis=stretched[0] if len(stretched) == 1 else stretched, keepdims=True)
    return g


def for_both(rule: Vjp) -> tuple[Vjp, Vjp]:
    """Return the rules of two arguments from one, ``(k, g, ans, x, y)``, that is told which."""
    return functools.partial(rule, 0), functools.partial(rule, 1)


def stretch(axis: int, start: int | None, stop: int | None) -> tuple[slice, ...]:
    """Return the index of everything from ``start`` to ``stop`` along ``axis``."""
    return (slice(None),) * axis + (slice(start, stop),)


def shaped_like(g: Any, x: Any) -> Any:
    """Return the entries of ``g`` in the shape of ``x``."""
    return g if g.shape == x.shape else np.reshape(g, x.shape)


class RefusedError(TypeError):
    """A form of a call that cannot be traced; its text says what is expected instead."""

    def __init__(self, expected: str, *, given: str = "", instead: str = "") -> None:
        super().__init__(expected)
        self.given, self.instead = given, instead


def as_array(x: Any) -> Any:
    """Return a list as an array, and whatever is an array already as it is."""
    return x if hasattr(x, "shape") else np.asarray(x)


def as_floats(x: Any) -> Any:
    """Return a list as an array, and whole numbers as floats."""
    x = as_array(x)
    return x if x.dtype.kind == "f" else x + 0.0


class Rows(NamedTuple):
    """An array with its entries along some axes in one row each; see :func:`rows_along`.

    Attributes
    ----------
    values
        The rows, of shape (rows, entries).
    shape
        The shape of the array.
    folded, kept
        The axes that a row goes along, and all others.
    """

    values: Any
    shape: tuple[int, ...]
    folded: tuple[int, ...]
    kept: tuple[int, ...]

    def one_each(self, values: Any, keepdims: bool) -> Any:
        """Return one value for each row in the shape of a reduction."""
        if keepdims:
            shape = tuple(1 if k in self.folded else n for k, n in enumerate(self.shape))
        else:
            shape = tuple(self.shape[k] for k in self.kept)
        return values if np.shape(values) == shape else np.reshape(values, shape)[()]

    def whole(self, rows: Any) -> Any:
        """Return rows in the shape of the array."""
        order = (*self.kept, *self.folded)
        moved = tuple(self.shape[k] for k in order)
        rows = rows if np.shape(rows) == moved else np.reshape(rows, moved)
        back = tuple(np.argsort(order).tolist())
        return rows if back == tuple(range(len(back))) else np.transpose(rows, back)


def rows_along(x: Any, axis: Any) -> Rows:
    """Return ``x`` with one row for all entries along ``axis``, which may be several.

    >>> rows = rows_along(np.arange(24).reshape(2, 3, 4), (0, 2))
    >>> rows.values.shape, rows.one_each(rows.values[:, 0], True).shape
    ((3, 8), (1, 3, 1))
    >>> np.array_equal(rows.whole(rows.values), np.arange(24).reshape(2, 3, 4))
    True
    """
    shape = np.shape(x)
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    folded = tuple(normalize_axis_index(k, len(shape)) for k in axes)
    kept = tuple(k for k in range(len(shape)) if k not in folded)
    order = (*kept, *folded)
    moved = x if order == tuple(range(len(shape))) else np.transpose(x, order)
    lengths = (math.prod(shape[k] for k in kept), math.prod(shape[k] for k in folded))
    values = moved if np.shape(moved) == lengths else np.reshape(moved, lengths)
    return Rows(values, shape, folded, kept)


# --- what the function itself says ------------------------------------------------


def full_name(function: Callable[..., Any]) -> str:
    """Return ``np.linalg.inv`` for a function of NumPy, else the bare name."""
    name = function.__name__
    if isinstance(function, np.ufunc):
        return f"np.{name}" if getattr(np, name, None) == function else name
    module = getattr(function, "__module__", None) or ""
    module = module.replace("numpy.lib.scimath", "numpy.emath")
    return f"{module.replace('numpy', 'np', 1)}.{name}" if module.startswith("numpy") else name


def signature_of(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function, be it one that NumPy says nothing about.

    Raises
    ------
    ValueError, TypeError
        If nothing says how the function is called, as for some that are written in C.
    """
    try:
        return inspect.signature(function)
    except ValueError:
        if isinstance(function, np.ufunc):
            return _signature_of_ufunc(function)
        return inspect.signature(_WRITTEN_IN_C.get(function, function))


# NumPy itself says the following since version 2.4 only.

_WRITTEN_IN_C: dict[Callable[..., Any], Callable[..., Any]] = {
    np.concatenate: lambda arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind": None,
    np.dot: lambda a, b, out=None: None,
    np.inner: lambda a, b, /: None,
    np.vdot: lambda a, b, /: None,
    np.where: lambda condition, x=None, y=None, /: None,
}
"""What has the signature of a function that has none."""


def _signature_of_ufunc(function: np.ufunc) -> inspect.Signature:
    names = ["x"] if function.nin == 1 else [f"x{k + 1}" for k in range(function.nin)]
    axes = {"axes": np._NoValue, "axis": np._NoValue, "keepdims": False}
    options: dict[str, Any] = {"where": True} if function.signature is None else axes
    options |= {"casting": "same_kind", "order": "K", "dtype": None}
    options |= {"subok": True, "signature": None}
    kinds, out = inspect.Parameter, None if function.nout == 1 else (None,) * function.nout
    return inspect.Signature(
        [
            *(kinds(name, kinds.POSITIONAL_ONLY) for name in names),
            kinds("out", kinds.POSITIONAL_OR_KEYWORD, default=out),
            *(kinds(key, kinds.KEYWORD_ONLY, default=each) for key, each in options.items()),
        ]
    )


def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a function by name, as far as Python knows them."""
    try:
        return signature_of(function).parameters
    except (TypeError, ValueError):  # some functions written in C have no signature
        return {}


def _numpy_call(function: Callable[..., Any], arrays: int) -> Callable[..., str]:
    """Return what prints an ordinary call: what must be given stands without its name."""

    @functools.cache
    def required() -> list[str]:
        options = list(parameters_of(function).values())[arrays:]
        given = [p for p in options if p.default is p.empty]
        return [p.name for p in given if p.kind is p.POSITIONAL_OR_KEYWORD]

    def fill(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        named = dict(keywords)
        output = named.pop("output", None)
        first = [literal(named.pop(name)) for name in required() if name in named]
        text = call_text(full_name(function), [*arguments, *first], named)
        return text if output is None else f"{text}[{output}]"

    return fill


def _latex_call(name: str) -> Callable[..., str]:
    def fill(arguments: Sequence[str], keywords: Mapping[str, Any]) -> str:
        text = latex_call(latex_name(name), arguments, keywords)
        return f"{text}_{{[{keywords['output']}]}}" if "output" in keywords else text

    return fill


def dispatched(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let ``function`` honour ``__array_function__`` as NumPy's own functions do.

    A traced array then sees the call as one node, one in an index among the options too.
    Arrays and numbers take the short way straight into ``function``.
    """

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for arg in (*args, *_items(kwargs.values())) if kwargs else args:
            kind = type(arg)
            if kind is not np.ndarray and not isinstance(arg, np.generic | float | int):
                handler = getattr(kind, "__array_function__", None)
                if handler not in (None, np.ndarray.__array_function__):
                    return handler(arg, wrapper, (kind,), args, kwargs)
        return function(*args, **kwargs)

    return wrapper


def _items(options: Iterable[Any]) -> Iterator[Any]:
    """Yield options, and in place of a list or tuple what stands in it."""
    for option in options:
        if isinstance(option, list | tuple):
            yield from _items(option)
        else:
            yield option

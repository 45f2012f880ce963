"""Is this gradient right?  Central differences, the tracer, and how far the two can be trusted.

Central differences know nothing of the chain rule: they ask the function itself,
a little to the left and a little to the right.  So they are the judge that does
not share the mistakes of whoever derived a gradient; but they are exact to some
eight digits only, and :func:`step_curve` shows why.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from backprop_nb import display
from backprop_nb.checking.arrays import is_empty, is_narrow, is_real, laid_out, not_real
from backprop_nb.checking.report import Array, Checked, Finding, Report
from backprop_nb.errors import (
    BackpropError,
    BackpropWarning,
    InvalidValueError,
    ShapeError,
    UnsupportedError,
)
from backprop_nb.tracing import calling, pytree, trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

TOLERANCE = 1e-6
"""A gradient counts as right if no entry is further off, relative to the largest entry."""
TOLERANCE_FLOAT32 = 1e-4
"""The same for a gradient that was computed in float32."""

_STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
"""The step that balances the two errors of central differences, for entries of size 1."""


def central_differences(
    f: Callable[..., Any], *args: Any, step: float | None = None
) -> tuple[Any, ...]:
    """Return the gradient of ``f`` by central differences: (f(x + h) − f(x − h)) / 2h.

    Parameters
    ----------
    f
        A function that returns a single number; it need not be traceable.
    *args
        Numbers, arrays, or lists, tuples and dicts of them; all count as float64.
        Each entry costs two calls of ``f``.
    step
        The step h for an entry of size up to 1, larger entries take a larger one in
        proportion.  By default about 6e-6, the cube root of the machine's precision.

    Returns
    -------
    tuple
        One gradient for each argument, with its structure and shapes.

    Raises
    ------
    ShapeError
        If ``f`` returns anything but a single number.
    UnsupportedError
        If an argument is not made of real numbers.
    InvalidValueError
        If ``step`` is not above 0.

    Examples
    --------
    >>> import numpy as np
    >>> (gradient,) = central_differences(lambda x: np.sum(x**3), np.array([1.0, 2.0]))
    >>> print(np.round(gradient, 6))
    [ 3. 12.]
    """
    if step is not None and not step > 0:
        raise InvalidValueError("The step must be above 0.", given=f"step={step!r}")
    names = _names(f, args)
    point = _Point(f, args, names, "central_differences({f}, {args})")
    gradients = [point.slopes(k, _STEP if step is None else step) for k in range(len(point.leaves))]
    rest = iter(gradients)
    return tuple(pytree.rebuild(list(args), lambda _, __: next(rest)[()]))


class _Point:
    """A function and where it is asked: a copy of the arguments, leaf by leaf, in float64."""

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], names: Sequence[str], form: str
    ) -> None:
        calling.check_callable(f, form)
        self._f, self._args, self._form = f, list(args), form
        self.names: list[str] = []
        self.leaves: list[Floats] = []
        for name, tree in zip(names, self._args, strict=True):
            pytree.rebuild(tree, self._keep, name)

    def _keep(self, name: str, leaf: Any) -> None:
        self.names.append(name)
        self.leaves.append(_as_floats(name, leaf))

    def value(self) -> float:
        """Return f here; it gets copies, so whatever it does to them stays with it."""
        rest = iter([leaf.copy()[()] for leaf in self.leaves])
        args = pytree.rebuild(self._args, lambda _, __: next(rest))
        try:
            value = np.asarray(self._f(*args))
        except TypeError as error:
            calling.check_bound(error, self._f, args, {}, self._form)
            raise
        if value.shape != ():
            raise ShapeError(
                "A gradient needs a function that returns a single number.",
                given=f"a result of shape {value.shape}",
                instead="np.sum(…) of it, if that is what is meant",
            )
        return float(value)

    def slopes(self, k: int, step: float) -> Floats:
        """Return the central differences for every entry of one leaf."""
        leaf = self.leaves[k]
        slopes = np.empty_like(leaf)
        for index in np.ndindex(leaf.shape):
            slopes[index] = self._slope(leaf, index, step)
        return slopes

    def sides(self, k: int, index: tuple[int, ...]) -> tuple[float, float]:
        """Return the slopes left and right of a kink, the smaller first; NaN if there is none.

        A curve's two slopes come together as the step shrinks, those of a kink stay apart.
        """
        leaf, here = self.leaves[k], self.value()
        at, slopes = leaf[index], []
        try:
            for step in (_STEP, _STEP / 10):
                h = step * max(1.0, abs(at))
                for side in (h, -h):
                    leaf[index] = moved = at + side
                    slopes.append((self.value() - here) / (moved - at))
        finally:
            leaf[index] = at
        wide, narrow = slopes[0] - slopes[1], slopes[2] - slopes[3]
        size = max(map(abs, slopes))
        apart = abs(narrow) > 1e-3 * size and abs(narrow - wide) < 0.5 * abs(wide)
        if not apart:
            return (np.nan, np.nan)
        return (min(slopes[2:]), max(slopes[2:]))

    def _slope(self, leaf: Floats, index: tuple[int, ...], step: float) -> float:
        at = leaf[index]
        h = step * max(1.0, abs(at))
        try:
            leaf[index] = right = at + h
            above = self.value()
            leaf[index] = left = at - h
            below = self.value()
        finally:
            leaf[index] = at
        return float((above - below) / (right - left))  # of the numbers that were really used


def _as_floats(name: str, leaf: Any) -> Floats:
    array = np.asarray(leaf)
    if not is_real(array):
        raise UnsupportedError(
            "A gradient is taken with respect to real numbers.",
            given=f"{name} of type {array.dtype}",
            expected="a number or an array of numbers",
        )
    return array.astype(np.float64)  # always a copy


def _names(f: Callable[..., Any], args: Sequence[Any]) -> list[str]:
    """Return the names of the positional parameters, or arg0, arg1, … where there are none."""
    try:
        bound = inspect.signature(f).bind(*args)
    except (TypeError, ValueError):
        return [f"arg{k}" for k in range(len(args))]
    names: list[str] = []
    for name, value in bound.arguments.items():
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            names += [f"{name}{k}" for k in range(len(value))]
        else:
            names.append(name)
    return names


# --- a check ------------------------------------------------------------------


def check_gradient(f: Callable[..., Any], gradient: Any, *args: Any) -> Report:
    """Check a gradient of ``f`` against the tracer *and* central differences.

    Parameters
    ----------
    f
        A function in NumPy that returns a single number.
    gradient
        What to check: the gradients themselves, or a function that returns them when
        it is called with ``args``.  One gradient for each argument, as a tuple or a
        list, with the argument's own structure; for a single argument its gradient
        alone will do.
    *args
        The arguments of ``f``: numbers, arrays, or lists, tuples and dicts of them.

    Returns
    -------
    Report
        Per parameter whether its gradient is right, the largest relative error and
        where it lies.  A gradient in float32 counts as right if it is right to that
        precision, with a remark.

    Raises
    ------
    ShapeError, UnsupportedError
        If ``f`` or its arguments are none that have a gradient.  What is wrong with
        ``gradient`` never raises; the report says it.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> def f(w, x):
    ...     return np.sum((w * x) ** 2)
    >>> w, x = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    >>> print(bp.check_gradient(f, lambda w, x: (2 * w * x**2, -2 * w**2 * x), w, x))
    f: 1 of 2 gradients right.
      dw  right
      dx  wrong: dx[1] is -32, expected 32 (largest relative error 2)
    <BLANKLINE>
    dx has the opposite sign: it is −1 times the right one.
    """
    subject = getattr(f, "__name__", type(f).__name__)
    form = "bp.check_gradient({f}, gradient, {args})"
    point = _Point(f, args, _names(f, args), form)
    if not point.leaves:
        raise InvalidValueError(
            "There is nothing to differentiate by.",
            given="no numbers after f and its gradient",
            instead=calling.right_call(f, form),
        )
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a grader a line on standard error costs all points
        return _checked(subject, f, gradient, args, point)


def _checked(
    subject: str, f: Callable[..., Any], gradient: Any, args: Sequence[Any], point: _Point
) -> Report:
    expected, notes = _expected(f, args, point)
    given, failure = _given(gradient, args)
    names = [f"d{name}" for name in point.names]
    if failure:
        parameters = [
            Checked(name, False, np.inf, None, None, right, failure)
            for name, right in zip(names, expected, strict=True)
        ]
        finding = Finding("raised_exception", names[0], 1, f"{names[0]}: {failure}.")
        return Report(subject, tuple(parameters), (finding,), notes=tuple(notes))
    found = _leaves_like(list(args), given, expected)
    parameters = [
        _at_kinks(compare(name, one, right), point, k)
        for k, (name, one, right) in enumerate(zip(names, found, expected, strict=True))
    ]
    findings, offences = _explained(parameters), []
    many = len(given) if isinstance(given, list | tuple) else 1
    if len(args) > 1 and many != len(args):
        text = f"{names[0]} and the others: {_structure(given)}, expected {len(args)} gradients"
        if many > len(args):
            offences = [Finding("wrong_shape", names[0], 1, f"{text}, one for each argument.")]
        elif all(each is None for each in found):
            text += ", one for each argument."
            findings = [Finding("missing_gradient", names[0], 1, text)]
    return Report(subject, tuple(parameters), tuple(findings), tuple(offences), tuple(notes))


def _structure(given: Any) -> str:
    if given is None:
        return "nothing was given"
    kind = type(given).__name__
    return f"a {kind} of {len(given)}" if isinstance(given, list | tuple) else f"one {kind}"


def _at_kinks(checked: Checked, point: _Point, k: int) -> Checked:
    """Count a gradient as right whose wrong entries all are slopes that a kink has."""
    given, expected = checked.given, checked.expected
    if checked.ok or given is None or given.shape != expected.shape:
        return checked
    wrong = _wrong_entries(given, expected)
    for index in wrong:
        low, high = point.sides(k, index)
        room = TOLERANCE_FLOAT32 * max(abs(low), abs(high))
        if not (low < high and low - room <= given[index] <= high + room):
            return checked
    place = Checked(point.names[k], True, 0.0, wrong[0], None, expected).place
    remark = f"{place} is at a kink, where any slope between those of its two sides will do"
    return replace(checked, ok=True, remark=remark)


def _wrong_entries(given: Array, expected: Array) -> list[tuple[int, ...]]:
    """Return the indices of the entries that are off by more than the tolerance."""
    size = float(np.abs(expected).max(initial=0.0)) or 1.0
    off = ~(np.abs(given - expected) <= TOLERANCE * size)
    return [tuple(map(int, each)) for each in np.argwhere(off)]


def compare(name: str, given: Any, expected: Array) -> Checked:
    """Compare one gradient with the right one: its shape first, then its values.

    Examples
    --------
    >>> compare("dx", [1.0, 2.5], np.array([1.0, 2.0]))
    Checked(dx, wrong, error 0.25)
    """
    if given is None:
        return Checked(name, False, np.inf, None, None, expected, "there is none")
    try:
        array = np.asarray(given)
    except Exception as error:  # whatever a student's object does
        remark = f"not an array ({type(error).__name__})"
        return Checked(name, False, np.inf, None, None, expected, remark)
    if not is_real(array):
        return Checked(name, False, np.inf, None, None, expected, not_real(array))
    if array.shape != expected.shape:
        remark = f"its shape is {array.shape}, expected {expected.shape}"
        return Checked(name, False, np.inf, None, array, expected, remark)
    return _compare_values(name, array, expected)


def _compare_values(name: str, array: Array, expected: Array) -> Checked:
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        worst = tuple(int(k) for k in np.argwhere(~np.isfinite(values))[0])
        remark = "not finite"
        return Checked(name, False, np.inf, worst, values, expected, remark)
    if not values.size:
        return Checked(name, True, 0.0, None, values, expected)
    largest = float(np.abs(expected).max())
    differences = np.abs(values - expected)
    worst = tuple(int(k) for k in np.unravel_index(differences.argmax(), differences.shape))
    # A gradient that is zero everywhere has no size to relate to; then 1 is the measure.
    error = float(differences.max()) / (largest or 1.0)
    narrow = is_narrow(array)
    remark = f"to the precision of {array.dtype if narrow else 'float32'}"
    if not _tolerated(array, error):
        return Checked(name, False, error, worst, values, expected)
    if not narrow and error <= TOLERANCE:
        remark = ""
    return Checked(name, True, error, worst, values, expected, remark)


def agrees(array: Array, expected: Array) -> bool:
    """Return what ``compare`` says of an array of real numbers, without the rest of it."""
    if array.shape != expected.shape:
        return False
    if not array.size:
        return True
    largest = float(np.abs(expected).max()) or 1.0
    return _tolerated(array, float(np.abs(array - expected).max()) / largest)


def _tolerated(array: Array, error: float) -> bool:
    """Whether an error is no more than that of the precision that a gradient was computed in."""
    if error <= TOLERANCE:
        return True
    return error <= TOLERANCE_FLOAT32 and (
        is_narrow(array) or _fits_float32(array.astype(np.float64))
    )


def _fits_float32(values: Floats) -> bool:
    """Whether numbers were computed in float32, even if they were put into a wider array."""
    with np.errstate(over="ignore"):
        return bool(values.any()) and values.astype(np.float32).tolist() == values.tolist()


def _expected(
    f: Callable[..., Any], args: Sequence[Any], point: _Point
) -> tuple[list[Array], list[str]]:
    """Return the right gradients, by the tracer if it can, and what the judges disagree on."""
    slopes = [point.slopes(k, _STEP) for k in range(len(point.leaves))]
    wide = pytree.rebuild(list(args), lambda name, leaf: _as_floats(name, leaf)[()])
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", BackpropWarning)
            traced = trace(f, *wide).backward().gradients
    except BackpropError as error:
        why = "The tracer cannot follow this function, so central differences alone judge."
        return list(slopes), [f"{why} {error.problem}"]
    gradients = [np.asarray(leaf, dtype=np.float64) for leaf in pytree.flatten(list(traced))]
    value = point.value()
    if not np.isfinite(value):
        return gradients, [f"The function is {value} here, and what changes that says nothing."]
    return gradients, [*_disagreements(point.names, gradients, slopes)]


def _disagreements(
    names: Sequence[str], gradients: Sequence[Array], slopes: Sequence[Array]
) -> Iterator[str]:
    for name, one, other in zip(names, gradients, slopes, strict=True):
        size = max(float(np.abs(one).max(initial=0)), 1e-6)
        if not np.all(np.abs(one - other) <= 1e-4 * size):
            yield (
                f"The tracer and central differences do not agree on d{name}: there may be a kink "
                "or a jump within the step, or a sharp bend. The tracer's value is taken."
            )


def _given(gradient: Any, args: Sequence[Any]) -> tuple[Any, str]:
    """Return what is to be checked, or what its function failed with."""
    if not callable(gradient):
        return gradient, ""
    copies = pytree.rebuild(list(args), lambda _, leaf: np.array(leaf)[()])
    try:
        return gradient(*copies), ""
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit too; the report says what went wrong
        return None, f"calling the gradient raised {type(error).__name__}: {error}".rstrip(": ")


def _leaves_like(trees: Sequence[Any], given: Any, expected: Sequence[Array]) -> list[Any]:
    """Return the given gradients leaf by leaf; None for each that is missing."""
    count = len(expected)
    if len(trees) == 1 and not _is_one(given, trees[0], expected[0]):
        given = (given,)
    leaves: list[Any] = []
    items = given if isinstance(given, list | tuple) else ()
    for k, tree in enumerate(trees):
        _collect(tree, items[k] if k < len(items) else None, leaves)
    return leaves[:count]


def _is_one(given: Any, tree: Any, expected: Array) -> bool:
    """Whether a gradient stands in a tuple or a list with nothing else in it."""
    if not (isinstance(given, list | tuple) and len(given) == 1):
        return False
    if isinstance(given, tuple):
        return True
    # [[1.0, 2.0]] may be an array with one row, or have the structure of a list.
    return not isinstance(tree, list | tuple) and np.ndim(given[0]) == expected.ndim


def _collect(tree: Any, given: Any, leaves: list[Any]) -> None:
    if isinstance(tree, dict):
        for key, item in tree.items():
            _collect(item, given.get(key) if isinstance(given, dict) else None, leaves)
    elif isinstance(tree, list | tuple):
        items = given if isinstance(given, list | tuple) else ()
        for k, item in enumerate(tree):
            _collect(item, items[k] if k < len(items) else None, leaves)
    else:
        leaves.append(given)


# --- what is wrong with one of them --------------------------------------------

_FACTORS = {-1.0: "sign_flipped", 0.5: "missing_factor_2"}
_SAID = {
    -1.0: "has the opposite sign: it is −1 times the right one",
    0.5: "is half of the right one",
    2.0: "is twice the right one",
}


def factor_of(given: Array, expected: Array) -> float | None:
    """Return how many times the right gradient a wrong one is, if it is so in every entry."""
    for factor in _SAID:
        if agrees(given / factor, expected):
            return factor
    size = float(np.sum(expected**2))
    if expected.size < 2 or not size:  # one number is always a multiple of another
        return None
    factor = float(np.sum(given * expected)) / size
    return factor if factor and agrees(given / factor, expected) else None


def factor_in_words(factor: float) -> str:
    """Say that a gradient is a multiple of the right one.

    >>> factor_in_words(0.5), factor_in_words(-3.0)
    ('is half of the right one', 'is −3 times the right one')
    """
    return _SAID.get(factor, f"is {factor:.4g} times the right one".replace("-", "−"))


def fault_of(checked: Checked) -> tuple[str, str]:
    """Return the kind of fault that shows in a single gradient, and what to say about it."""
    given, expected = checked.given, checked.expected
    if given is None:
        none = checked.remark.startswith("there is none")
        return ("missing_gradient" if none else "wrong_shape"), ""
    if given.shape != expected.shape:
        if agrees(laid_out(given, expected), expected):
            return "wrong_shape", "The numbers are right, and only lie otherwise."
        if given.ndim == 2 and agrees(given.T, expected):
            return "wrong_shape", "Its transpose would be right."
        return "wrong_shape", ""
    if not np.isfinite(given).all():
        return "not_finite", ""
    if is_empty(given, expected):
        return "missing_gradient", "is zero everywhere: nothing has been put into it"
    return "not_recognised", ""


def _explained(parameters: Sequence[Checked]) -> list[Finding]:
    return [_explain(each, parameters) for each in parameters if not each.ok]


def _explain(checked: Checked, parameters: Sequence[Checked]) -> Finding:
    """Say what is wrong with one parameter, as far as that shows in its values alone."""
    name, given, expected = checked.name, checked.given, checked.expected
    kind, reason = fault_of(checked)
    if given is None or kind == "wrong_shape":
        swapped = given is not None and [
            each.name for each in parameters if agrees(given, each.expected)
        ]
        if swapped:
            reason = f"It would be right as {swapped[0]}: the order is that of the arguments."
        return Finding(kind, name, 1, f"{name}: {checked.remark}. {reason}".rstrip())
    if kind == "not_finite":
        text = f"{name} has entries that are not finite: {checked.place} is {given[checked.worst]}."
        return Finding(kind, name, 1, text)
    if reason:
        return Finding(kind, name, 1, f"{name} {reason}.")
    factor = factor_of(given, expected)
    if factor is not None:
        kind = _FACTORS.get(factor, "not_recognised")
        return Finding(kind, name, 1, f"{name} {factor_in_words(factor)}.")
    return Finding(kind, name, 1, _which_entries(checked, _wrong_entries(given, expected)))


def _which_entries(checked: Checked, wrong: Sequence[tuple[int, ...]]) -> str:
    """Say how many entries are wrong, and where if they lie together."""
    name, size = checked.name, checked.expected.size
    if len(wrong) == size:
        all_of_it = "in every entry" if size > 1 else "from the right one"
        return f"{name} differs {all_of_it}; no simple factor explains it."
    if len(wrong) == 1:
        return f"{name} is right but for one of its {size} entries, {checked.place}."
    where = ""
    for axis, line in enumerate(("row", "column")):
        lines = {index[axis] for index in wrong if len(index) == 2}
        if len(lines) == 1:
            where = f", all of them in {line} {lines.pop()}"
    return f"{name} is wrong in {len(wrong)} of its {size} entries{where}."


# --- how good central differences are -----------------------------------------


@dataclass(frozen=True, eq=False)
class StepCurve:
    """The error of finite differences against their step.

    A large step sees the function's curve, a tiny one the rounding of its values.
    The error of central differences falls with h², that of forward differences with
    h, until rounding, which grows like 1/h, takes over.

    Attributes
    ----------
    steps
        The steps h.
    central, forward
        The relative errors of (f(x + h) − f(x − h)) / 2h and (f(x + h) − f(x)) / h
        against the tracer's derivative, along one direction through all arguments.
    """

    steps: Floats
    central: Floats
    forward: Floats

    @property
    def best(self) -> float:
        """The step with the smallest error of central differences."""
        return float(self.steps[self.central.argmin()])

    def describe(self) -> str:
        """Return the curve as a table, and what it says."""
        rows = [
            f"  {h:7.0e}  {central:10.1e}  {forward:10.1e}"
            for h, central, forward in zip(self.steps, self.central, self.forward, strict=True)
        ]
        return "\n".join(
            [
                "Relative error of finite differences",
                f"  {'step h':>7}  {'central':>10}  {'forward':>10}",
                *rows,
                f"Central differences are best near h = {self.best:.0e}, with an error of "
                f"{self.central.min():.0e};",
                f"forward differences near h = {self.steps[self.forward.argmin()]:.0e}, with "
                f"{self.forward.min():.0e}.",
            ]
        )

    def draw(self, *, theme: Literal["light", "dark"] = "light") -> Figure:
        """Return the curve as a matplotlib figure, both axes logarithmic."""
        figure: Figure = display.draw(self, theme=theme)
        return figure

    __str__ = describe

    def __repr__(self) -> str:
        return f"StepCurve({len(self.steps)} steps, best {self.best:.0e})"


def step_curve(f: Callable[..., Any], *args: Any, seed: int = 0) -> StepCurve:
    """Return the error of finite differences of ``f`` for steps from 0.1 down to 1e-14.

    Parameters
    ----------
    f
        A function in plain NumPy that returns a single number.
    *args
        Where; as for :func:`check_gradient`.
    seed
        Of the direction through all arguments along which it is differentiated.

    Raises
    ------
    BackpropError
        Whatever :func:`backprop_nb.trace` refuses: the tracer gives the right value.
    InvalidValueError
        If the derivative along the direction is 0, so that no error is relative to it.

    Examples
    --------
    >>> curve = step_curve(np.sin, 1.0)
    >>> 1e-7 < curve.best < 1e-4
    True
    """
    point = _Point(f, args, _names(f, args), "step_curve({f}, {args})")
    random = np.random.default_rng(seed)
    direction = [random.standard_normal(leaf.shape) for leaf in point.leaves]
    wide = pytree.rebuild(list(args), lambda name, leaf: _as_floats(name, leaf)[()])
    gradients = pytree.flatten(list(trace(f, *wide).backward().gradients))
    slope = sum(float(np.sum(g * d)) for g, d in zip(gradients, direction, strict=True))
    if slope == 0:
        raise InvalidValueError(
            "The function does not change here, so no error is relative to its derivative.",
            given="a derivative of 0",
        )
    start, middle = [leaf.copy() for leaf in point.leaves], point.value()

    def at(h: float) -> float:
        for leaf, origin, d in zip(point.leaves, start, direction, strict=True):
            leaf[...] = origin + h * d
        return point.value()

    steps = 10.0 ** -np.arange(1.0, 14.5, 0.5)
    central = [abs((at(h) - at(-h)) / (2 * h) - slope) / abs(slope) for h in steps]
    forward = [abs((at(h) - middle) / h - slope) / abs(slope) for h in steps]
    return StepCurve(steps, np.array(central), np.array(forward))

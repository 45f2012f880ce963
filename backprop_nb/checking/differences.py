"""Central differences: a judge that knows nothing of the chain rule.

They ask the function itself, a little to the left and a little to the right.  So they do not
share the mistakes of whoever derived a gradient; but they are exact to some eight digits only,
and ``step_error.py`` shows why.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Collection, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backprop_nb.checking.compare import is_real
from backprop_nb.checking.limits import quiet
from backprop_nb.checking.report import both_in_digits
from backprop_nb.checking.rounding import gradients_by, without_rounding
from backprop_nb.errors import ShapeError, UnsupportedError, must_be
from backprop_nb.tracing import calling, pytree

Floats = NDArray[np.float64]
Places = NDArray[np.intp]

_STEP: float = float(np.finfo(np.float64).eps) ** (1 / 3)
"""The step that balances the two errors of central differences, for entries of size 1."""

LOOKED_AT, DIRECTIONS = 300, 3
"""So many entries of a large array are moved one by one, and all of them so many times."""

_SETTLED = 3e-7
"""Two steps give the same slope if no more of it is between them ..."""

_ROUNDED = 8
"""... but for so many times the rounding of f, divided by the step."""


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
        Each entry costs two calls of ``f``, and as many for each other step that is tried.
    step
        The step h for an entry of size up to 1, larger entries take a larger one in
        proportion.  By default about 6e-6, the cube root of the machine's precision, or that of
        the precision in which f is computed; a tenth of it must give the same, or it is that.

    Returns
    -------
    tuple
        One gradient for each argument, with its structure and shapes.

    Raises
    ------
    ShapeError
        If ``f`` returns anything but a single number.
    UnsupportedError
        If an argument is not made of real numbers, or ``f`` draws random ones.
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
        raise must_be("above 0", "step", step)
    point = Point(f, args, "central_differences({f}, {args})")
    slopes = iter(point.slopes(step))
    return tuple(pytree.rebuild(list(args), lambda _, __: next(slopes)[()]))


def _decimals_of(values: Sequence[float]) -> int | None:
    """Return to how many decimals values are rounded that have no reason to be round; or None.

    >>> _decimals_of([0.1235, 3.5, 7.25]), _decimals_of([0.5, 0.5, 0.5])
    (4, None)
    """
    size = max(map(abs, values))
    if len(set(values)) < 2 or not size < np.inf:  # what is flat has a slope, which is 0
        return None
    if all(round(v) == v for v in values):  # of a function that jumps, such as a count
        return None
    for decimals in range(1, 10):
        is_coarse = 10.0**-decimals > 1e4 * np.finfo(np.float64).eps * size
        if is_coarse and all(round(v, decimals) == v for v in values):
            return decimals
    return None


class Point:
    """A function and where it is asked: a copy of the arguments, leaf by leaf, in float64.

    Attributes
    ----------
    names : list of str
        Of the leaves as the function reads them, such as ``A[0]`` and ``params["W1"]``.
    leaves : list of arrays
    places : list of int
        Where they stand among all leaves of the arguments.

    Arguments whose position is in ``data`` are handed to the function as they are.
    """

    def __init__(
        self, f: Callable[..., Any], args: Sequence[Any], form: str, data: Collection[int] = ()
    ) -> None:
        calling.check_callable(f, form)
        self._f, self._args, self._form = f, list(args), form
        self.names: list[str] = []
        self.leaves: list[Floats] = []
        self.places: list[int] = []
        count = 0
        for k, (name, tree) in enumerate(zip(parameter_names(f, args), self._args, strict=True)):
            for read_as, leaf in pytree.entries(name, tree):
                if k not in data:
                    self._add(read_as, leaf)
                    self.places.append(count)
                count += 1
        self._check_that_it_repeats()

    def _check_that_it_repeats(self) -> None:
        """Raise ``UnsupportedError`` if f is another function each time that it is called.

        Few numbers are drawn alike now and then: so it is called more than twice.
        """
        first = self.value()
        with quiet():  # what f prints has been printed
            values = [self.value() for _ in range(3)]
        for value in values:
            if not np.isclose(value, first, rtol=1e-9, atol=1e-12, equal_nan=True):
                one, other = both_in_digits(first, value)
                raise UnsupportedError(
                    "A function that draws random numbers, or keeps something from call to call, "
                    "has no gradient to compare with.",
                    given=f"{one} and {other} for the same arguments",
                    instead="rng = np.random.default_rng(0) inside the function; or hand what is "
                    "drawn, such as the mask of a dropout, to it as an argument",
                )

    def _add(self, name: str, leaf: Any) -> None:
        array = np.asarray(leaf)
        if type(leaf) is int and array.dtype != np.asarray(0).dtype:
            raise UnsupportedError(
                "NumPy has no whole numbers of this size.",
                given=f"{name}, of {leaf.bit_length()} bits",
                instead=f"float({name}), as a gradient is taken by floats",
            )
        if not is_real(array):
            raise UnsupportedError(
                "A gradient is taken with respect to real numbers.",
                given=f"{name} of type {array.dtype}",
                expected="a number or an array of numbers",
            )
        self.names.append(name)
        self.leaves.append(array.astype(np.float64))  # always a copy

    def arguments(self) -> list[Any]:
        """Return the arguments here: copies, so whatever f does to them stays with it."""
        own = dict(zip(self.places, self.leaves, strict=True))
        place = itertools.count()

        def copied(_: str, leaf: Any) -> Any:
            k = next(place)
            if k in own:
                return own[k].copy()[()]
            return leaf.copy() if isinstance(leaf, np.ndarray) else leaf

        return list(pytree.rebuild(self._args, copied))

    def value(self) -> float:
        """Return f here."""
        args = self.arguments()
        try:
            result = self._f(*args)
            value = np.asarray(result)
        except TypeError as error:
            calling.check_bound(error, self._f, args, {}, self._form)
            raise
        if value.shape == () and not is_real(value):
            raise UnsupportedError(
                "A gradient needs a function that returns a single number.",
                given=f"a result of type {type(result).__name__}",
                instead=f"the loss first: {self._form.format(f='loss', args='…')}",
            )
        if value.shape != ():
            raise ShapeError(
                "A gradient needs a function that returns a single number.",
                given=f"a result of shape {value.shape}",
                instead="np.sum(…) of it, if that is what is meant",
            )
        return float(value)

    def traced_gradients(self) -> list[Floats]:
        """Return the tracer's gradient for every leaf."""
        args = self.arguments()
        return without_rounding(
            gradients_by(self._f, args, self.places), self._f, args, self.places
        )

    def slopes(self, step: float | None = None) -> list[Floats]:
        """Return the central differences for every leaf; without a step, by those that settle."""
        if step is None:
            return [self.slopes_and_rounding(k)[0] for k in range(len(self.leaves))]
        slopes = (
            [self._slope(leaf, index, step) for index in np.ndindex(leaf.shape)]
            for leaf in self.leaves
        )
        return [np.array(e).reshape(x.shape) for e, x in zip(slopes, self.leaves, strict=True)]

    def slopes_and_rounding(self, k: int) -> tuple[Floats, Floats]:
        """Return the central differences for one leaf, and what rounding may add to each."""
        leaf = self.leaves[k]
        ways = (partial(self._slope, leaf, index) for index in np.ndindex(leaf.shape))
        settled = np.array([self._settled(way) for way in ways]).reshape(-1, 2)
        slopes, rounding = (each.reshape(leaf.shape) for each in settled.T)
        return slopes, rounding

    def slopes_beside(self, k: int, given: Floats) -> tuple[Floats, Floats]:
        """Return the same of a large leaf, looked at in some entries and along some directions.

        The other entries are those of a gradient that is given, by the factor that it has where it
        was looked at; but for one that is wrong, if a direction tells that there is any.
        """
        leaf, random = self.leaves[k], np.random.default_rng(k)
        chosen = np.sort(random.choice(leaf.size, LOOKED_AT, replace=False))
        slopes, rounding = given.astype(np.float64).ravel(), np.zeros(leaf.size)

        def look_at(which: Places) -> Floats:
            ways = [partial(self._slope, leaf, np.unravel_index(i, leaf.shape)) for i in which]
            found: Floats
            found, rounding[which] = np.array([self._settled(way) for way in ways]).T
            return found

        right = look_at(chosen)
        factor = float(slopes[chosen] @ right) / (float(right @ right) or 1.0)
        if factor and np.allclose(slopes[chosen] / factor, right, 1e-5, 1e-7 * np.abs(right).max()):
            slopes /= factor
        slopes[chosen] = right
        for _ in range(DIRECTIONS):
            way = random.choice([-1.0, 1.0], leaf.size)
            if (wrong := self._off_along(k, slopes, way)) is not None:
                slopes[wrong] = look_at(wrong)
                break
        return slopes.reshape(leaf.shape), rounding.reshape(leaf.shape)

    def agrees_along(self, k: int, given: Floats) -> bool:
        """Whether a gradient is right to 5 % along some directions, as far as float32 tells.

        The kinks of many ReLUs even out there, and so does rounding.
        """
        leaf, random, step = self.leaves[k], np.random.default_rng(k), self._step / 3
        ways = random.choice([-1.0, 1.0], (4 * DIRECTIONS, *leaf.shape))
        found = np.array([self._slope_along(leaf, way, step) for way in ways])
        off = np.array([np.sum(given * way) for way in ways]) - found
        rounding = 2 * self._noise * float(np.linalg.norm(ways)) / step
        slopes = float(np.linalg.norm(found))
        return bool(rounding <= slopes and np.linalg.norm(off) <= 0.05 * slopes + rounding)

    def _off_along(self, k: int, slopes: Floats, way: Floats) -> Places | None:
        """Return the place of a slope that is wrong, if those along a way do not add up."""

        def off(which: Places) -> float:
            part = np.zeros_like(way)
            part[which] = way[which]
            along, _ = self.slope_along(k, part.reshape(self.leaves[k].shape))
            return along - float(slopes @ part)

        places, room = np.arange(len(way)), 1e-5 * float(np.linalg.norm(slopes))
        room += _ROUNDED * self._noise * float(np.sqrt(len(way))) / self._step
        all_of_it = off(places)
        if abs(all_of_it) <= room:
            return None
        while len(places) > 1:
            half = places[: len(places) // 2]
            of_half = off(half)
            is_there = abs(of_half) >= abs(all_of_it - of_half)
            places = half if is_there else places[len(half) :]
            all_of_it = of_half if is_there else all_of_it - of_half
        return places

    def slope_along(self, k: int, direction: Floats) -> tuple[float, float]:
        """Return the central difference along a direction of one leaf, and what it may be off."""
        slope, rounding = self._settled(partial(self._slope_along, self.leaves[k], direction))
        return slope, rounding * max(1.0, float(np.linalg.norm(direction)))

    def _settled(self, slope: Callable[[float], float]) -> tuple[float, float]:
        """Return the slope by the first step whose tenth gives the same, and how far it may be off.

        Within the usual step may lie the kink of one of many ReLUs.
        """
        steps, apart = [self._step], list[float]()
        slopes = [slope(self._step)]
        for _ in range(6):
            steps.append(steps[-1] / 10)
            slopes.append(slope(steps[-1]))
            rounding = _ROUNDED * self._noise / steps[-1]
            off = abs(slopes[-1] - slopes[-2])
            if off <= _SETTLED * max(map(abs, slopes[-2:])) + rounding:
                return slopes[-2], off + rounding / 10
            apart.append(off if np.isfinite(off) else np.inf)  # beyond where f is defined
        best = int(np.argmin(apart))
        return slopes[best], _ROUNDED * self._noise / steps[best]

    @cached_property
    def is_narrow(self) -> bool:
        """Whether f is computed in float32, as its values show."""
        with np.errstate(over="ignore"):
            narrow = all(float(np.float32(v)) == v for v in self._around)
        return narrow and not all(np.round(v) == v for v in self._around)

    @cached_property
    def _around(self) -> list[float]:
        """The values of f here and close by, as far as it has any."""
        values, random = [self.value()], np.random.default_rng(0)
        kept = [leaf.copy() for leaf in self.leaves]
        try:
            for far in (1e-3, 1e-3, 1e-2, 1e-2, 0.1, 0.1):
                for leaf, was in zip(self.leaves, kept, strict=True):
                    leaf[...] = was + far * random.standard_normal(was.shape)
                values.append(self.value())
        except Exception:  # it has none there, such as a logarithm
            pass
        finally:
            for leaf, was in zip(self.leaves, kept, strict=True):
                leaf[...] = was
        return [v for v in values if np.isfinite(v)] or [0.0]

    def check_that_it_is_not_rounded(self) -> None:
        """Raise ``UnsupportedError`` if f rounds its value to decimals."""
        decimals = _decimals_of(self._around)
        if decimals is not None:
            raise UnsupportedError(
                "A function that rounds its value is flat between two steps, and has no gradient "
                "to compare with.",
                given=f"values of {decimals} decimals, such as {self._around[0]:.{decimals}f}",
                instead="the loss without round(…); it can be rounded where it is printed",
            )

    @property
    def _noise(self) -> float:
        """How much of a value of f may be lost by rounding."""
        eps = np.finfo(np.float32 if self.is_narrow else np.float64).eps
        return float(eps) * abs(self._around[0])

    @property
    def _step(self) -> float:
        """The step that balances the two errors, for values as rough as these."""
        return float(np.finfo(np.float32).eps) ** (1 / 3) if self.is_narrow else _STEP

    def _slope_along(self, leaf: Floats, direction: Floats, step: float) -> float:
        start, h = leaf.copy(), step / max(1.0, float(np.linalg.norm(direction)))
        try:
            sides = []
            for sign in (1, -1):
                leaf[...] = start + sign * h * direction
                sides.append(self.value())
            return (sides[0] - sides[1]) / (2 * h)
        finally:
            leaf[...] = start

    def _slope(self, leaf: Floats, index: tuple[int, ...], step: float) -> float:
        (left, below), (right, above) = (self._moved(leaf, index, h) for h in (-step, step))
        return (above - below) / (right - left)  # of the numbers that were really used

    def _moved(self, leaf: Floats, index: tuple[int, ...], step: float) -> tuple[float, float]:
        """Return an entry moved by a step in proportion to its size, and f there."""
        at = leaf[index]
        try:
            leaf[index] = moved = at + step * max(1.0, abs(at))
            return float(moved), self.value()
        finally:
            leaf[index] = at

    def sides(self, k: int, index: tuple[int, ...]) -> tuple[float, float]:
        """Return the slopes left and right of a kink, the smaller first; NaN if there is none.

        A curve's two slopes come together as the step shrinks, those of a kink stay apart.
        """
        leaf, here = self.leaves[k], self.value()
        slopes = []
        for step in (_STEP, -_STEP, _STEP / 10, -_STEP / 10):
            moved, value = self._moved(leaf, index, step)
            slopes.append((value - here) / (moved - float(leaf[index])))
        wide, narrow = slopes[0] - slopes[1], slopes[2] - slopes[3]
        size = max(map(abs, slopes))
        if abs(narrow) > 1e-3 * size and abs(narrow - wide) < 0.5 * abs(wide):
            return (min(slopes[2:]), max(slopes[2:]))
        return (np.nan, np.nan)


def parameter_names(f: Callable[..., Any], args: Sequence[Any]) -> list[str]:
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

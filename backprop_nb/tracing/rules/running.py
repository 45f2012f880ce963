"""Running sums, running products and differences along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from backprop_nb.tracing.rules.row import REAL, Form, Row, call, dispatched


@dispatched
def horner(steps: Any, g: Any, axis: int) -> Any:
    """Return r with r[i] = g[i] + steps[i] * r[i + 1], from the end of an axis to its start.

    Horner's scheme: ``steps`` is one shorter than ``g``, and no division occurs,
    so that zeros among the steps do no harm.
    """
    r = np.array(g, dtype=np.result_type(steps, g))
    rows, steps = np.moveaxis(r, axis, 0), np.moveaxis(steps, axis, 0)
    for i in reversed(range(len(steps))):
        rows[i] += steps[i] * rows[i + 1]
    return r


def cut(axis: int, start: int | None, stop: int | None) -> tuple[slice, ...]:
    """Return the index of the entries from ``start`` to ``stop`` along an axis."""
    return (slice(None),) * axis + (slice(start, stop),)


def pad_width(x: Any, axis: int, before: int, after: int) -> Any:
    """Return the padding of one axis and of no other, as ``np.pad`` takes it."""
    if x.ndim == 1:
        return (before, after)
    return tuple((before, after) if k == axis else (0, 0) for k in range(x.ndim))


def shifted(products: Any, axis: int) -> Any:
    """Return running products without the entry itself: 1 first, the last one left out."""
    grown = np.pad(products, pad_width(products, axis, 1, 0), constant_values=1.0)
    return grown[cut(axis, None, -1)]


def _flip(x: Any, axis: int) -> Any:
    return np.flip(x) if x.ndim == 1 else np.flip(x, axis=axis)


def _cumsum(g: Any, ans: Any, x: Any, axis: int | None = None) -> Any:
    """An entry is part of all later sums: sum the adjoint up from the end."""
    if ans.ndim == 1:
        return _as(np.flip(np.cumsum(np.flip(g))), x)
    assert axis is not None  # without an axis the result has one
    return np.flip(np.cumsum(np.flip(g, axis=axis), axis=axis), axis=axis)


def _cumprod(g: Any, ans: Any, x: Any, axis: int | None = None) -> Any:
    """``∂ans[k]/∂x[i]`` is the product of x[0] … x[k] without x[i].

    What comes before x[i] is a factor of all of them; Horner's scheme adds up
    what comes after.
    """
    along = 0 if axis is None else axis % x.ndim
    entries = x if ans.ndim == x.ndim else np.ravel(x)
    after = horner(entries[cut(along, 1, None)], g, axis=along)
    return _as(shifted(ans, along) * after, x)


def _horner_g(g: Any, ans: Any, steps: Any, last: Any, axis: int) -> Any:
    """The adjoint runs the other way, from the start of the axis to its end."""
    return _flip(horner(_flip(steps, axis), _flip(g, axis), axis=axis), axis)


def _horner_steps(g: Any, ans: Any, steps: Any, last: Any, axis: int) -> Any:
    received = _horner_g(g, ans, steps, last, axis)
    return received[cut(axis, None, -1)] * ans[cut(axis, 1, None)]


def _diff(g: Any, ans: Any, x: Any, n: int = 1, axis: int = -1) -> Any:
    """The difference again: an entry was added in one place and subtracted in the next."""
    axis %= x.ndim
    n = min(n, x.shape[axis])
    options = ({} if n == 1 else {"n": n}) | ({} if x.ndim == 1 else {"axis": axis})
    differences = np.diff(np.pad(g, pad_width(x, axis, n, n)), **options)
    return differences if n % 2 == 0 else -differences


def _as(g: Any, x: Any) -> Any:
    """Give a result without an axis the shape of ``x`` again."""
    return g if g.shape == x.shape else np.reshape(g, x.shape)


ROWS = (
    Row(
        np.cumsum,
        (_cumsum,),
        numpy=call("np.cumsum"),
        latex=Form(r"\mathrm{cumsum}(#1)"),
        symbol="cumsum",
        signature=("a", "axis", "dtype", "out"),
    ),
    Row(
        np.cumprod,
        (_cumprod,),
        numpy=call("np.cumprod"),
        latex=Form(r"\mathrm{cumprod}(#1)"),
        symbol="cumprod",
        signature=("a", "axis", "dtype", "out"),
    ),
    Row(
        horner,
        (_horner_steps, _horner_g),
        numpy=call("horner"),
        latex=Form(r"\mathrm{horner}(#1, #2)"),
        symbol="horner",
        signature=("steps", "g", "axis"),
        domain=(REAL, REAL),
        brings_source=True,
    ),
    Row(
        np.diff,
        (_diff,),
        numpy=call("np.diff"),
        latex=Form(r"\mathrm{diff}(#1)"),
        symbol="diff",
        signature=("a", "n", "axis"),
        view=True,
    ),
)

"""Derivatives of a function as functions: ``grad``, ``jacobian``, ``vjp``, ``jvp``.

Each runs the function once, traced, and reads what it needs off the graph.  They
nest, because the reverse pass is NumPy that can itself be traced.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from backprop_nb.errors import InvalidValueError, ShapeError, UnsupportedError, counted
from backprop_nb.meant import suggesting
from backprop_nb.tracing import calling, doubts, pytree
from backprop_nb.tracing.agreement import check_shared, copied
from backprop_nb.tracing.api import Graph, trace
from backprop_nb.tracing.array import prepared
from backprop_nb.tracing.graph import laid
from backprop_nb.tracing.reverse import number_of, reverse
from backprop_nb.tracing.tape import taken_out, writes
from backprop_nb.tracing.tracer import trace_rule

Argnums = int | tuple[int, ...]
"""One position among the arguments, or several."""


@suggesting
def grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the function that computes the gradient of ``f``.

    Parameters
    ----------
    f
        A function in plain NumPy that returns a single number, shape ``()``.
    argnums
        Which argument to differentiate with respect to; a tuple for several.
        The other arguments are constants and are passed on as they are.

    Returns
    -------
    function
        It takes the arguments of ``f`` and returns the gradient, with the
        structure of the argument; a tuple of gradients for a tuple of argnums.

    Raises
    ------
    ShapeError
        When called, if ``f`` returns anything but a single number.
    InvalidValueError
        When called, if `argnums` is not the position of an argument, or names one twice.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> bp.grad(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    array([ 3., 12.])
    >>> bp.grad(bp.grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    """
    return _derivative(f, argnums, "bp.grad({f})({args})", _gradients)


@suggesting
def value_and_grad(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., tuple[Any, Any]]:
    """Return the function that computes the value of ``f`` and its gradient in one run.

    Parameters, structure and errors are those of :func:`grad`.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> bp.value_and_grad(lambda x, y: x * y, argnums=(0, 1))(3.0, 4.0)
    (np.float64(12.0), (np.float64(4.0), np.float64(3.0)))
    """
    form = "bp.value_and_grad({f})({args})"
    return _derivative(f, argnums, form, _gradients, with_value=True)


@suggesting
def jacobian(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """Return the function that computes all derivatives of all results of ``f``.

    Parameters
    ----------
    f
        A function in plain NumPy that returns a number or an array.
    argnums
        As in :func:`grad`.

    Returns
    -------
    function
        Its result has the shape of the result of ``f``, then the shape of the
        argument: entry ``[i, j]`` is ∂f_i/∂x_j (numerator layout).

    Raises
    ------
    InvalidValueError
        When called, if `argnums` is not the position of an argument.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> A = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> bp.jacobian(lambda x: A @ x)(np.ones(2))
    array([[1., 2.],
           [3., 4.],
           [5., 6.]])
    """
    return _derivative(f, argnums, "bp.jacobian({f})({args})", _jacobians)


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return the value of ``f`` and its pullback: the vector-Jacobian product.

    Parameters
    ----------
    f
        A function in plain NumPy that returns a number or an array.
    *args
        Its arguments; all of them are differentiated.

    Returns
    -------
    value
        What ``f`` returns.
    pullback
        ``pullback(cotangent)``, with a cotangent of the shape of the value,
        returns a tuple with one gradient per argument.  It may be called again.

    Raises
    ------
    ShapeError
        When the pullback is called with another shape.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> value, pullback = bp.vjp(lambda A, x: A @ x, np.eye(2), np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 0.0]))
    (array([[1., 2.],
           [0., 0.]]), array([1., 0.]))
    """
    form = "bp.vjp({f}, {args})"
    calling.check_callable(f, form)
    graph = _trace_some(f, args, {}, tuple(range(len(args))), form)

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        return graph.backward(cotangent).gradients

    return graph.value, pullback


def jvp(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return the value of ``f`` and its derivative in one direction.

    The pullback is a linear function of the cotangent, so its own pullback is
    the Jacobian-vector product: no second table of rules is needed.

    Parameters
    ----------
    f
        A function in plain NumPy that returns a number or an array.
    args
        Its arguments.
    tangents
        For each argument the direction, of the same structure and shapes.

    Returns
    -------
    value
        What ``f`` returns.
    tangent
        The derivative of the value, of its shape.

    Raises
    ------
    ShapeError
        If a tangent does not have the shape of its argument.

    Examples
    --------
    >>> import numpy as np
    >>> import backprop_nb as bp
    >>> bp.jvp(np.sin, (0.0,), (2.0,))
    (np.float64(0.0), np.float64(2.0))
    """
    form = "bp.jvp({f}, ({args},), tangents)"
    calling.check_callable(f, form)
    args = tuple(_each("args", args))
    graph = _trace_some(f, args, {}, tuple(range(len(args))), form)
    directions = _directions(graph, tangents)
    doubts.warn_of_tips(graph)

    def along(cotangent: Any) -> Any:
        adjoints = reverse(graph, graph.records, cotangent)[: graph.input_count]
        flows = zip(adjoints, directions, strict=True)
        return sum(np.sum(adjoint * t) for adjoint, t in flows if adjoint is not None)

    # Truth values and integers have a slope all the same: it is 0.
    kind = np.result_type(graph.value, 1.0)
    with np.errstate(all="ignore"):  # NumPy would warn at a line of a rule
        pulled = trace_rule(along, [np.zeros(graph.value.shape, kind)[()]])
        tangent = reverse(pulled, pulled.records, np.ones_like(pulled.value)[()])[0]
    tangent = np.zeros_like(pulled.inputs[0].value)[()] if tangent is None else tangent
    doubts.warn_of_tangent(graph, tangent)
    return graph.value, tangent


def stop_gradient(x: Any) -> Any:
    """Return the plain array behind a traced one: a constant from here on.

    For what is kept between calls (running means, a log, state on ``self``): a traced
    value ends with its trace, a plain one does not.

    Parameters
    ----------
    x
        A traced value, or lists, tuples and dicts of them; anything else is returned as it is.

    Returns
    -------
    array or number
        A copy, which no later change of ``x`` reaches.  What is computed with it is
        captured by the trace, so ``evaluate`` and ``compile`` run the function anew.

    Examples
    --------
    >>> import backprop_nb as bp
    >>> bp.grad(lambda x: x * bp.stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    return pytree.rebuild(x, lambda _, leaf: taken_out(leaf))


def _each(name: str, values: Any) -> Sequence[Any]:
    """Return one value for each argument, as a tuple or a list.

    Raises
    ------
    UnsupportedError
        If it is the value itself: of an array each row would count as an argument.
    """
    if not isinstance(values, tuple | list):
        raise UnsupportedError(
            f"`{name}` must hold one value for each argument.",
            given=f"{name} of type {type(values).__name__}",
            expected="a tuple or a list",
            instead="bp.jvp(f, (x,), (t,)), with the comma, for a single argument",
        )
    return values


def _directions(graph: Graph, tangents: Sequence[Any]) -> list[Any]:
    """Return one tangent for each input of the graph.

    Raises
    ------
    ShapeError
        If the tangents do not fit the arguments.
    """
    directions = pytree.flatten(list(_each("tangents", tangents)))
    values = [record.value for record in graph.records[: graph.input_count]]
    if len(directions) != len(values):
        raise ShapeError(
            "`tangents` must hold one tangent for each argument.",
            given=f"{len(directions)} tangents",
            expected=f"{len(values)}, for {', '.join(node.name for node in graph.inputs)}",
        )
    for node, value, t in zip(graph.inputs, values, directions, strict=True):
        if np.shape(t) != value.shape:
            raise ShapeError(
                f"The tangent of `{node.name}` must have the shape of `{node.name}`.",
                given=f"a tangent of shape {np.shape(t)}",
                expected=f"shape {value.shape}",
            )
    return directions


def _derivative(
    f: Callable[..., Any],
    argnums: Argnums,
    form: str,
    derive: Callable[[Graph], tuple[Any, ...]],
    with_value: bool = False,
) -> Callable[..., Any]:
    """Return, as a function of f's arguments, what ``derive`` makes of the graph of ``f``.

    ``derive`` gives one derivative for each argument that was asked for.
    """
    calling.check_callable(f, form)
    positions = argnums if isinstance(argnums, tuple) else (argnums,)
    for position in positions:
        if isinstance(position, bool) or not isinstance(position, int | np.integer):
            raise InvalidValueError(
                "`argnums` must be the position of an argument, or a tuple of positions.",
                given=f"argnums = {argnums!r}",
                expected="0, or (0, 1)",
                instead=f"argnums={tuple(argnums)}"
                if isinstance(argnums, list)
                else calling.right_call(f, form),
            )

    @functools.wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        graph = _trace_some(f, args, kwargs, positions, form)
        for position, (name, _) in zip(positions, graph.arguments, strict=True):
            calling.check_slope(args[position], name)
        found = derive(graph)
        chosen = found if isinstance(argnums, tuple) else found[0]
        return (graph.value, chosen) if with_value else chosen

    return derivative


def _gradients(graph: Graph) -> tuple[Any, ...]:
    if graph.value.shape != ():
        raise ShapeError(
            f"{graph.function_name} does not return a single number, so it has no gradient.",
            given=f"a result of shape {graph.value.shape}",
            expected="shape ()",
            instead="return a number, for example np.sum(…), or take bp.jacobian",
        )
    return graph.backward().gradients


def _jacobians(graph: Graph) -> tuple[Any, ...]:
    """Return all derivatives: one reverse pass for each entry of the value."""
    doubts.warn_of_tips(graph)
    shape = graph.value.shape
    seeds = np.eye(graph.value.size, dtype=graph.value.dtype)
    pulled = [_leaf_gradients(graph, seed.reshape(shape)[()]) for seed in seeds]
    none = [np.zeros(0, graph.value.dtype)] * graph.input_count
    leaves = [
        number_of(np.reshape(rows, (*shape, *record.value.shape)))
        for rows, record in zip(
            map(np.stack, zip(*pulled, strict=True)) if pulled else none,
            graph.records[: graph.input_count],
            strict=True,
        )
    ]
    return graph.restore(leaves)


def _leaf_gradients(graph: Graph, seed: Any) -> list[Any]:
    """Return the gradient of each input, zeros where nothing arrives, and no warning."""
    adjoints = doubts.reverse_and_warn(graph, seed)[: graph.input_count]
    return [
        np.zeros_like(record.value)[()] if adjoint is None else adjoint
        for adjoint, record in zip(adjoints, graph.records, strict=False)
    ]


def _trace_some(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    positions: Sequence[int],
    form: str,
) -> Graph:
    """Trace ``f`` with respect to some of its arguments; the others stay as they are."""
    for position in positions:
        if not -len(args) <= position < len(args):
            count = counted(len(args), "positional argument")
            raise InvalidValueError(
                "`argnums` must be the position of an argument in the call.",
                given=f"argnums {position} and {count}",
                expected=_POSITIONS.get(len(args), f"an integer from 0 to {len(args) - 1}"),
                instead=None if args else calling.right_call(f, form),
            )
    chosen = [position % len(args) for position in positions]
    if len(set(chosen)) < len(chosen):  # the function has it once, the graph would have it twice
        raise InvalidValueError(
            "`argnums` must name each argument once.",
            given=f"argnums {tuple(positions)} and {counted(len(args), 'positional argument')}",
            expected=f"{tuple(dict.fromkeys(chosen))}",
        )

    def of_some(*some: Any) -> Any:
        # A plain array here is one that the function can write to, and whose methods see
        # traced values: X.dot(W).
        filled = [prepared(arg) for arg in args]
        for position, value in zip(chosen, some, strict=True):
            filled[position] = value
        try:
            return f(*filled, **kwargs)
        except TypeError as error:
            calling.check_bound(error, f, filled, kwargs, form)
            raise

    names = calling.parameter_names(f, len(args))
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    of_some.__name__ = calling.function_name(f)
    of_some.__wrapped__ = f  # type: ignore[attr-defined]
    of_some.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, kind) for name in dict.fromkeys(names[k] for k in chosen)]
    )
    before, begun = None if laid(args)[0] else copied(args), writes()
    graph = trace(of_some, *(args[position] for position in chosen))
    if before is not None and (writes() > begun or not _is_as_before(args, before)):
        check_shared(f, before, graph, **kwargs)
    return graph


def _is_as_before(args: Sequence[Any], before: Sequence[Any]) -> bool:
    pairs = zip(pytree.flatten(args), pytree.flatten(before), strict=True)
    return all(np.array_equal(*pair) for pair in pairs if type(pair[0]) is np.ndarray)


_POSITIONS = {0: "at least one positional argument", 1: "argnums 0"}

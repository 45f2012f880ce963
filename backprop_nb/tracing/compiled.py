"""A traced function as fast NumPy, right on every argument.

A trace holds for the shapes and the decisions that it met.  Where arguments have other
ones, the function is traced anew and the new path is kept beside the old ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from backprop_nb.errors import UnsupportedError, warn
from backprop_nb.tracing import pytree
from backprop_nb.tracing.backward import Backward
from backprop_nb.tracing.emit.numpy_code import OffPathError, path_of
from backprop_nb.tracing.evaluate import check_count, refuse_keywords
from backprop_nb.tracing.graph import TRACED, Trace, fits, laid
from backprop_nb.tracing.purity import is_impure, traced_again
from backprop_nb.tracing.tape import BY_VALUE, is_live, is_tracing

MAX_PATHS = 64
"""So many paths are kept; the one that was used least recently goes first."""

Function = Callable[..., tuple[Any, tuple[Any, ...]]]


def compiled(trace: Trace, xp: ModuleType = np) -> Function:
    """Return a function ``(*args) -> (value, gradients)``; see :meth:`Graph.compile`."""
    if xp is np:
        return _compiled(trace, path_of, list, laid)
    if reason := _never_replayed(trace):
        what, instead = reason
        raise UnsupportedError(
            f"{trace.function_name} {what}: that is done by NumPy alone.", instead=instead
        )
    # Few ask for another library, and import pays for all.
    from backprop_nb.tracing.elsewhere.library import Library
    from backprop_nb.tracing.elsewhere.program import path_elsewhere

    library = Library(xp)
    library.warn_of_narrow(record.value.dtype for record in trace.records)
    return _compiled(
        trace,
        lambda new: path_elsewhere(new, library),
        library.plain_arguments,
        lambda args: laid(library.stand_ins(pytree.flatten(args))),
    )


def _compiled(
    trace: Trace,
    path_of: Callable[[Trace], Function],
    plain: Callable[[Any], list[Any]],
    laid: Callable[[Any], tuple[Any, ...]],
) -> Function:
    """Return a function that keeps a path for each way that its arguments may take."""
    if reason := _never_replayed(trace):
        what, instead = reason
        warn(
            f"{trace.function_name} {what}: it will be traced anew at every call.\n"
            f"  instead:  {instead}"
        )
        return _traced_anew(trace)
    paths = [_Path(trace, path_of(trace))]
    names = [name for name, _ in trace.arguments][: len(trace.given)]

    def call(*args: Any, **options: Any) -> tuple[Any, tuple[Any, ...]]:
        refuse_keywords(trace, options, "A compiled function")
        if is_tracing() and any(map(is_live, pytree.flatten(args))):
            return _traced_anew(trace)(*args)  # the program writes into plain arrays
        for position, path in enumerate(paths):
            if not path.takes(args):
                continue
            if path.trace.laid is not None and path.trace.laid != laid(args):
                continue
            try:
                result = path.compute(*args)
            except (OffPathError, *BY_VALUE):  # which the learner may catch
                continue
            if position:
                paths.insert(0, paths.pop(position))
            return result
        check_count(args, names)
        new = traced_again(trace, plain(list(args)))
        paths.insert(0, _Path(new, path_of(new)))
        del paths[MAX_PATHS:]
        try:
            return paths[0].compute(*args)
        except OffPathError as error:
            kinds = ", ".join(type(arg).__name__ for arg in args)
            raise UnsupportedError(
                f"{trace.function_name} is not compiled for arguments like these.",
                given=f"arguments of type {kinds}",
                instead="np.asarray(…) of each",
            ) from error

    call.__name__ = call.__qualname__ = f"{trace.function_name}_and_gradient"
    return call


class _Path:
    """A way that arguments may take: its trace, and what computes it."""

    def __init__(self, trace: Trace, compute: Function) -> None:
        self.trace = trace
        self.compute = compute
        # Then nothing is a flag of this path, which most calls need not be asked for.
        self._all_traced = all(given is TRACED for given in trace.given)
        # Then numbers without a float type of their own have that of the path.
        self._all_doubles = all(node.value.dtype == np.float64 for node in trace.inputs)

    def takes(self, args: Sequence[Any]) -> bool:
        """Whether arguments have the structure, the flags and the types of those of the trace."""
        is_plain = self._all_traced and len(args) == len(self.trace.given)
        has_flags = (is_plain and _NEVER_TRACED.isdisjoint(map(type, args))) or fits(
            self.trace.given, args
        )
        return has_flags and (
            self._all_doubles or self.trace.again.has_types_of(args, self.trace.inputs)
        )


_NEVER_TRACED = frozenset({type(None), dict})  # text is refused as what it is


def _never_replayed(trace: Trace) -> tuple[str, str] | None:
    """Return why each call needs a trace of its own, and what to write instead, if it does."""
    if trace.is_stopped:
        what = "holds what bp.stop_gradient took out, which each run has anew"
        return what, "pass it as an argument"
    if is_impure(trace):
        what = "draws random numbers, or keeps values from run to run"
        return what, "pass what is drawn or counted, such as a dropout mask, as an argument"
    if any(guard.asked == "text" for guard in trace.guards):
        return "computes with text made of a value", "print(…) of it, or a comparison of numbers"
    return None


def _traced_anew(trace: Trace) -> Function:
    def call(*args: Any) -> tuple[Any, tuple[Any, ...]]:
        new = trace.again(args)
        return new.value, Backward(new).gradients

    return call

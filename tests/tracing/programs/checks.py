"""What each program is asked, and the figure: right, refused, wrong, stale."""

import copy
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
from program import Program
from widths import assert_breaks_change_nothing

import backprop_nb as bp
from backprop_nb.errors import BackpropError
from backprop_nb.tracing import pytree
from backprop_nb.tracing.stretching import BROADCAST
from backprop_nb.views.explorer.scene import graph_scene

OTHERS = (1, 2, 3)
"""The draws on which a trace of draw 0 is replayed."""


SHOWN = 60
"""So many nodes have their scene made; larger ones have theirs in the tests of the views."""


class StaleError(AssertionError):
    """An answer that was right for the arguments of the trace only."""


def leaves(tree: Any) -> list[np.ndarray]:
    return [np.asarray(leaf, dtype=float) for leaf in pytree.flatten(tree)]


def plain_call(program: Program, args: Sequence[Any]) -> Any:
    return program.function(*copy.deepcopy(list(args)))


def moved(args: Sequence[Any], step: float, direction: Sequence[Any]) -> list[Any]:
    """Return ``args + step * direction``, leaf by leaf."""
    steps = iter(pytree.flatten(direction))
    return pytree.rebuild(list(args), lambda _, leaf: leaf + step * next(steps))


def direction_like(args: Sequence[Any], seed: int) -> list[Any]:
    rng = np.random.default_rng(seed)
    return pytree.rebuild(list(args), lambda _, leaf: rng.normal(size=np.shape(leaf))[()])


def inner(tree: Any, other: Any) -> Any:
    pairs = zip(pytree.flatten(tree), pytree.flatten(other), strict=True)
    return sum(np.sum(a * b) for a, b in pairs)


def slope(f: Callable[[float], Any], step: float = 1e-4) -> float:
    """Return the derivative at 0 by two central differences, extrapolated."""
    wide, near = (float((f(h) - f(-h)) / (2 * h)) for h in (2 * step, step))
    return (4 * near - wide) / 3


def gradients(f: Callable[..., Any], args: Sequence[Any]) -> tuple[Any, ...]:
    return bp.grad(f, argnums=tuple(range(len(args))))(*copy.deepcopy(list(args)))


def assert_close(given: Any, expected: Any, tolerance: float = 1e-9) -> None:
    pairs = zip(leaves(given), leaves(expected), strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def assert_own(found: Any, args: Any) -> None:
    """Each gradient can be written to, and nothing else changes with it."""
    arrays = [each for each in leaves(found) if np.ndim(each)]
    assert all(each.flags.writeable for each in arrays)
    for one, other in [*combinations(arrays, 2), *product(arrays, leaves(args))]:
        assert not np.may_share_memory(one, other)
    for each in arrays:
        each[...] = np.nan


# --- the checks -----------------------------------------------------------------------------


def check_value(program: Program) -> None:
    """The value is NumPy's, and the arguments are left as the plain call leaves them."""
    mine, plain = copy.deepcopy(program.args(0)), copy.deepcopy(program.args(0))
    np.random.seed(0)
    expected = program.function(*plain)
    np.random.seed(0)
    graph = bp.trace(program.function, *mine)
    assert_close(graph.value, expected, 1e-12)
    assert np.shape(graph.value) == np.shape(expected)
    assert_close(mine, program.args(0), 0)


def check_gradient(program: Program) -> None:
    """Central differences along a random direction of each argument agree."""
    if program.draws_random:
        return
    for k in (0, 1):
        args = program.args(k)
        found = gradients(program.function, args)
        for position in range(len(args)):
            v = direction_like(args, position)
            for other in range(len(args)):
                if other != position:
                    v[other] = pytree.rebuild(v[other], lambda _, leaf: 0 * leaf)
            expected = slope(lambda h, v=v, args=args: plain_call(program, moved(args, h, v)))
            np.testing.assert_allclose(float(inner(found, v)), expected, rtol=2e-6, atol=2e-7)


def check_second(program: Program) -> None:
    """The gradient of the slope along a direction is the change of the gradient."""
    if program.draws_random or not program.is_smooth:
        return
    args = program.args(0)
    v, w = direction_like(args, 7), direction_like(args, 8)

    def along(*xs: Any) -> Any:
        return inner(bp.grad(program.function, argnums=tuple(range(len(xs))))(*xs), v)

    with warnings.catch_warnings():  # of a function that is linear somewhere, or has a tip
        warnings.filterwarnings("ignore", message="The output does not depend on")
        warnings.filterwarnings("ignore", message="A second derivative at")
        found = inner(gradients(along, args), w)
    expected = slope(lambda h: inner(gradients(program.function, moved(args, h, w)), v))
    np.testing.assert_allclose(float(found), expected, rtol=5e-6, atol=1e-6)


def check_forward(program: Program) -> None:
    """Forward mode agrees with reverse mode."""
    args = program.args(0)
    v = direction_like(args, 9)
    np.random.seed(0)
    value, tangent = bp.jvp(program.function, tuple(copy.deepcopy(args)), tuple(v))
    np.random.seed(0)
    graph = bp.trace(program.function, *copy.deepcopy(args))
    expected = inner(graph.backward().gradients, v)
    assert_close(value, graph.value, 1e-12)
    np.testing.assert_allclose(float(tangent), float(expected), rtol=1e-9, atol=1e-10)


def check_replay(program: Program) -> None:
    """``evaluate()`` and ``compile()`` on other draws are what a fresh trace is."""
    graph = bp.trace(program.function, *copy.deepcopy(program.args(0)))
    call = graph.compile()
    for k in (0, *OTHERS, 0):
        args = program.args(k)
        np.random.seed(k)
        expected = plain_call(program, args)
        np.random.seed(k)
        fresh = gradients(program.function, args)
        np.random.seed(k)
        evaluated = graph.evaluate(*copy.deepcopy(args))
        np.random.seed(k)
        given = copy.deepcopy(args)
        value, compiled = call(*given)
        try:
            assert_close(evaluated, expected, 1e-10)
            assert_close(value, expected, 1e-10)
            assert_close(compiled, fresh, 1e-8)
            assert_own(compiled, given)
        except AssertionError as error:
            raise StaleError(f"draw {k}: {error}") from None


def check_source(program: Program) -> None:
    """The printed source alone gives the same, or says that another path was taken."""
    np.random.seed(0)
    graph = bp.trace(program.function, *copy.deepcopy(program.args(0)))
    assert_breaks_change_nothing(graph)
    space: dict[str, Any] = {}
    exec(graph.to_numpy(), space)
    printed = [value for key, value in space.items() if key.endswith("_and_gradient")][-1]
    for _ in range(2):  # what is done to the gradients does not reach the program
        args = copy.deepcopy(program.args(0))
        value, found = printed(*args)
        assert_close(value, graph.value, 1e-10)
        assert_close(found, graph.backward().gradients, 1e-8)
        assert_own(found, args)
    if program.draws_random:
        return
    for k in OTHERS:
        args = program.args(k)
        try:
            value, found = printed(*copy.deepcopy(args))
        except ValueError as error:
            if "another decision" not in str(error):
                raise
            continue
        try:
            assert_close(value, plain_call(program, args), 1e-10)
            assert_close(found, gradients(program.function, args), 1e-8)
        except AssertionError as error:
            raise StaleError(f"draw {k}: {error}") from None


def check_views(program: Program) -> None:
    """It can be said, printed and shown."""
    graph = bp.trace(program.function, *copy.deepcopy(program.args(0)))
    # Whatever they stretch, these programs mean it.
    assert BROADCAST not in {mark.kind for node in graph.nodes for mark in node.health}
    assert graph.describe()
    assert graph.to_latex().startswith(r"\begin{aligned}")
    if len(graph.nodes) <= SHOWN:
        assert graph_scene(graph)


CHECKS = (
    check_value,
    check_gradient,
    check_second,
    check_forward,
    check_replay,
    check_source,
    check_views,
)


# --- the figure -----------------------------------------------------------------------------


def outcome(program: Program) -> tuple[str, str]:
    """Return ``right``, ``refused``, ``stale`` or ``wrong``, and the first reason."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*traced anew at every call")
        for check in CHECKS:
            try:
                check(program)
            except StaleError as error:
                return "stale", f"{check.__name__}: {error}"
            except BackpropError as error:
                return "refused", f"{check.__name__}: {error}"
            except Exception as error:
                return "wrong", f"{check.__name__}: {type(error).__name__}: {error}"
    return "right", ""


def figure(programs: Sequence[Program]) -> Counter[str]:
    """Count the programs by what came of them, and print the reasons."""
    counts = Counter({"right": 0, "refused": 0, "wrong": 0, "stale": 0})
    for program in programs:
        what, why = outcome(program)
        counts[what] += 1
        if why:
            print(f"{what:8s} {program.name}\n    " + why.replace("\n", "\n    "))
    print(", ".join(f"{count} {what}" for what, count in counts.items()), f"of {len(programs)}")
    return counts

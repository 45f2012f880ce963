"""What is right, by central differences alone: nothing here knows the code under test."""

import copy
import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from entry import Entry

STEP = 1e-5
TOLERANCE = 1e-6
"""An error relative to the largest entry of a gradient; central differences reach 1e-9."""


def named_leaves(tree: Any, name: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays of a tree, each with the innermost key or name that it stands under."""
    if isinstance(tree, dict):
        for key, item in tree.items():
            yield from named_leaves(item, key)
    elif isinstance(tree, list | tuple):
        for item in tree:
            yield from named_leaves(item)
    else:
        yield name, tree


def parameters(right: Entry, args: Sequence[Any]) -> list[tuple[str, np.ndarray]]:
    """Return what is differentiated by, leaf by leaf."""
    names = list(inspect.signature(right.loss).parameters)
    own = zip(names[: len(args) - right.data], args)
    return [leaf for name, arg in own for leaf in named_leaves(arg, name)]


def slopes(right: Entry, args: Sequence[Any]) -> list[np.ndarray]:
    """Return the gradient of the loss for each leaf, by central differences."""
    args = copy.deepcopy([np.asarray(a) if isinstance(a, float) else a for a in args])
    found = []
    for _, leaf in parameters(right, args):
        slope = np.zeros(leaf.shape)
        for index in np.ndindex(leaf.shape):
            at, sides = leaf[index], []
            for step in (STEP, -STEP):
                leaf[index] = at + step
                sides.append(float(right.loss(*copy.deepcopy(args))))
            leaf[index] = at
            slope[index] = (sides[0] - sides[1]) / (2 * STEP)
        found.append(slope)
    return found


def given(entry: Entry, args: Sequence[Any]) -> list[np.ndarray | None]:
    """Return what a pass gives for each leaf, whatever the shape of its answer."""
    with np.errstate(all="ignore"):
        answer = entry.gradient(*copy.deepcopy(list(args)))
    leaves, found = parameters(entry, args), list(named_leaves(answer))
    if isinstance(answer, tuple) and len(answer) == 2 and len(found) != len(leaves):
        parts = [list(named_leaves(each)) for each in answer if not _is_number(each)]
        [found] = parts  # a pair of the loss and its gradients
    if any(name for name, _ in found):
        by_name = {
            bare(name): [leaf for other, leaf in found if other == name] for name, _ in found
        }
        return [by_name[name].pop(0) if by_name.get(name) else None for name, _ in leaves]
    if len(found) < len(leaves):
        [(_, flat)] = found
        ends = np.cumsum([np.size(leaf) for _, leaf in leaves])[:-1]
        parts = np.split(np.ravel(flat), ends)
        return [part.reshape(np.shape(leaf)) for part, (_, leaf) in zip(parts, leaves)]
    assert len(found) == len(leaves), f"{len(found)} gradients for {len(leaves)} parameters"
    return _in_order([leaf for _, leaf in found], [np.shape(leaf) for _, leaf in leaves])


def _in_order(found: list[np.ndarray], shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    """Return what stands in another order where the shapes tell which is which."""
    by_shape = {np.shape(each): each for each in found}
    if set(by_shape) == set(shapes) and len(by_shape) == len(found):
        return [by_shape[shape] for shape in shapes]
    return found


def _is_number(thing: Any) -> bool:
    return not isinstance(thing, dict | list | tuple) and np.ndim(thing) == 0


def bare(name: str) -> str:
    """Return ``W1`` for ``dW1``, ``grad_W1`` or ``dL_dW1``."""
    for prefix in ("grad_", "dL_d", "dl_d", "d_", "d"):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def error(given: Sequence[Any], expected: Sequence[np.ndarray]) -> float:
    """Return the largest relative error; infinite where a gradient is missing or has no fit."""
    errors = [0.0]
    for one, other in zip(given, expected, strict=True):
        if one is None or np.shape(one) != np.shape(other):
            return np.inf
        size = np.max(np.abs(other), initial=0)
        errors.append(float(np.max(np.abs(one - other), initial=0) / max(size, 1e-3)))
    return max(errors)

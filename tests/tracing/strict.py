"""A library that computes with numbers of one type at a time, as no learner should need to know."""

from types import SimpleNamespace

import numpy as np
from standard import STANDARD

from backprop_nb.tracing import pytree


class StrictArray(np.ndarray):
    """An array that refuses a partner of another type."""

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        _check(ufunc.__name__, inputs if method != "at" else inputs[::2])
        return _strict(getattr(ufunc, method)(*map(_plain, inputs), **options))

    def __array_function__(self, function, types, args, kwargs):
        given = pytree.flatten(list(args))
        if function.__name__ == "where":
            given = given[1:]
        if function.__name__ == "tensordot":
            given = given[:2]
        if function.__name__ != "take":
            _check(function.__name__, given)
        if function.__name__ == "mean" and given[0].dtype.kind != "f":
            raise TypeError("mean: of floats only")
        return _strict(function(*pytree.rebuild(args, lambda _, leaf: _plain(leaf)), **kwargs))

    def __setitem__(self, index, value):
        _check("assignment", [self, value])
        super().__setitem__(index, value)


def _check(name, given):
    types = {each.dtype for each in given if isinstance(each, StrictArray)}
    if len(types) > 1:
        raise TypeError(f"{name}: {' beside '.join(sorted(map(str, types)))}")
    if np.dtype(bool) not in types and any(isinstance(each, bool) for each in given):
        raise TypeError(f"{name}: a truth value beside numbers")


def _plain(leaf):
    return leaf.view(np.ndarray) if isinstance(leaf, StrictArray) else leaf


def _strict(value):
    if isinstance(value, tuple):
        return tuple(map(_strict, value))
    return np.asarray(value).view(StrictArray)


STRICT = SimpleNamespace(
    **vars(STANDARD)
    | {
        "__name__": "strict",
        "asarray": lambda x, dtype=None: _strict(np.array(_plain(x), dtype)),
        "zeros": lambda *args, **options: _strict(np.zeros(*args, **options)),
        "argsort": lambda x, *, axis=-1: _strict(np.argsort(_plain(x), axis=axis, stable=True)),
    }
)

"""Whether plain data are what a ``schema.py`` of the views says, down to the last key."""

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict


def departures(value: Any, declared: Any, at: str = "scene") -> Iterator[str]:
    """Yield where a value is not of a type of the schema, each as one line.

    >>> from backprop_nb.views.schema import HeatMap
    >>> found = {"rows": 1, "columns": "2", "block": [1, 1], "heat": "", "size": 3}
    >>> print(*departures(found, HeatMap), sep="\\n")
    scene: no 'long'
    scene: nobody declares 'size'
    scene.columns: '2' is no int
    """
    origin, arguments = get_origin(declared), get_args(declared)
    if declared is Any:
        return
    if is_typeddict(declared):
        yield from _of_keys(value, declared, at)
    elif origin in (Union, types.UnionType):
        yield from _of_union(value, arguments, at)
    elif origin is Literal:
        if value not in arguments:
            yield f"{at}: {value!r} is not one of {', '.join(map(repr, arguments))}"
    elif origin is not None and issubclass(origin, Mapping):
        yield from _of_mapping(value, arguments, at)
    elif origin is not None and issubclass(origin, Sequence):
        yield from _of_sequence(value, arguments, at)
    elif not _is_plain(value, declared):
        yield f"{at}: {value!r} is no {getattr(declared, '__name__', declared)}"


def _of_keys(value: Any, declared: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r:.60} is no {declared.__name__}"
        return
    hints = get_type_hints(declared)
    for key in sorted(declared.__required_keys__ - value.keys()):
        yield f"{at}: no {key!r}"
    for key in sorted(value.keys() - hints.keys()):
        yield f"{at}: nobody declares {key!r}"
    for key in value.keys() & hints.keys():
        yield from departures(value[key], hints[key], f"{at}.{key}")


def _of_union(value: Any, kinds: tuple[Any, ...], at: str) -> Iterator[str]:
    tried = [list(departures(value, kind, at)) for kind in kinds]
    # What fits best says best what is missing: a shape is told by its kind.
    yield from min(tried, key=len)


def _of_mapping(value: Any, arguments: tuple[Any, ...], at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r:.60} is no dict"
        return
    for key, each in value.items():
        yield from departures(key, arguments[0], f"{at} key")
        yield from departures(each, arguments[1], f"{at}[{key!r}]")


def _of_sequence(value: Any, arguments: tuple[Any, ...], at: str) -> Iterator[str]:
    if not isinstance(value, (list, tuple)):
        yield f"{at}: {value!r:.60} is no list"
        return
    for k, each in enumerate(value):
        yield from departures(each, arguments[0], f"{at}[{k}]")


def _is_plain(value: Any, declared: Any) -> bool:
    """Whether a number, a text or None is of its type; an integer is a number, a bool is none."""
    if declared in (int, float):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole or (declared is float and isinstance(value, float))
    return isinstance(value, declared)

"""Programs as a first-year course writes them, each with arguments to run it on."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Draw = Callable[[np.random.Generator], Any]
"""Makes one argument: a number, an array, or a list or dict of them."""


@dataclass(frozen=True)
class Program:
    """A function and its arguments.

    Attributes
    ----------
    draws_random
        Whether it draws random numbers of its own, so that two calls differ.
    is_smooth
        Whether its second derivative exists where it is asked for.
    instead
        What the refusal of a program that is refused tells to write.
    """

    name: str
    function: Callable[..., Any]
    arguments: tuple[Draw, ...]
    draws_random: bool = False
    is_smooth: bool = True
    instead: str = ""

    def args(self, k: int) -> list[Any]:
        """Return the ``k``-th arguments; each is another draw, so that masks flip."""
        rng = np.random.default_rng([k, zlib.crc32(self.name.encode())])
        return [draw(rng) for draw in self.arguments]


PROGRAMS: list[Program] = []


def add(new: Program) -> None:
    """Add a program, once: pytest imports a module again to look for doctests in it."""
    if all(known.name != new.name for known in PROGRAMS):
        PROGRAMS.append(new)


def program(*arguments: Draw, **facts: Any) -> Callable[[Any], Any]:
    """Register a function with the draws of its arguments; it stays what it is."""

    def register(function: Any) -> Any:
        add(Program(function.__name__, function, arguments, **facts))
        return function

    return register


def normal(*shape: int, scale: float = 1.0) -> Draw:
    """Draw an array, or a number, around 0."""
    return lambda rng: scale * rng.normal(size=shape) if shape else scale * float(rng.normal())


def positive(*shape: int, low: float = 0.3, high: float = 2.0) -> Draw:
    """Draw an array, or a number, between two positive bounds."""
    return lambda rng: rng.uniform(low, high, shape) if shape else float(rng.uniform(low, high))


def list_of(*draws: Draw) -> Draw:
    """Draw a list."""
    return lambda rng: [draw(rng) for draw in draws]


def dict_of(**draws: Draw) -> Draw:
    """Draw a dict."""
    return lambda rng: {key: draw(rng) for key, draw in draws.items()}

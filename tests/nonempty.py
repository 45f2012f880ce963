"""Loops over what a test is about: a test that goes through nothing has tested nothing."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


def nonempty(things: Iterable[T]) -> list[T]:
    """Return what there is, and fail if there is nothing."""
    found = list(things)
    assert found, "there is nothing to go through"
    return found

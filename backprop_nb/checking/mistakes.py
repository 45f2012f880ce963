"""The mistakes that people make in a backward pass, and passes that make them.

An entry of the ``catalogue/`` says everything about its mistake: what is wrong, hints, the
equation that it breaks, and the code that makes it, in place of a step of the pass in
``reference.py``.  So two mistakes combine, unless they replace the same step, and the
first quantity that is wrong is known.

Examples
--------
>>> import numpy as np
>>> from backprop_nb import SigmoidNetwork
>>> net, x, y = SigmoidNetwork((3, 3, 3), seed=0), [[1.0, 2.0, 3.0]], [[0.0, 1.0, 0.0]]
>>> dA, db = make_backward("missing_factor_2")(net.A, net.b, x, y)
>>> bool(np.allclose(2 * dA[0], net.backward(x, y).A[0]))
True
>>> find("missing_factor_2").first.title
'the factor of the square'
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from backprop_nb.checking.catalogue import (
    back,
    batch,
    forward,
    output_error,
    parameters,
    slope,
    state,
)
from backprop_nb.checking.convention import Convention
from backprop_nb.checking.mistake import Mistake, PlacedMistake
from backprop_nb.checking.reference import LEARNING_RATE, STEP, ReferencePass, right_code
from backprop_nb.errors import InvalidValueError, NotFoundError

STAGES: Mapping[str, tuple[Mistake, ...]] = {
    "the forward pass": forward.MISTAKES,
    "the output error": output_error.MISTAKES,
    "the slope σ′": slope.MISTAKES,
    "back through the weights A": back.MISTAKES,
    "the gradients of A and b": parameters.MISTAKES,
    "the batch": batch.MISTAKES,
    "what Python keeps": state.MISTAKES,
}
"""The mistakes by the stage of the backward pass that they belong to."""

MISTAKES: tuple[Mistake, ...] = tuple(chain.from_iterable(STAGES.values()))
"""Every mistake, in the order in which a backward pass meets what it makes wrong, by and large."""

CATALOGUE: Mapping[str, Mistake] = {mistake.id: mistake for mistake in MISTAKES}
"""Every mistake by its id."""


def find(mistake: str) -> Mistake:
    """Return the mistake with this id.

    Raises
    ------
    NotFoundError
        There is none.
    """
    if mistake not in CATALOGUE:
        close = difflib.get_close_matches(str(mistake), CATALOGUE, n=1)
        raise NotFoundError(
            f"The catalogue has no mistake {mistake!r}.",
            given=f"id = {mistake!r}",
            expected="one of backprop_nb.checking.mistakes.CATALOGUE",
            instead=repr(close[0]) if close else None,
        )
    return CATALOGUE[mistake]


def stage_of(mistake: Mistake) -> str:
    """Return the stage of the backward pass to which a mistake belongs.

    >>> stage_of(find("sigma_prime_twice")), stage_of(find("only_last_sample"))
    ('the slope σ′', 'the batch')
    """
    return next(stage for stage, mistakes in STAGES.items() if mistake in mistakes)


def make_backward(
    *ids: str,
    learning_rate: float = LEARNING_RATE,
    layers: Mapping[str, Iterable[int]] | None = None,
    **convention: Any,
) -> ReferencePass:
    """Return a backward pass with the named mistakes; without any it is right.

    ``layers`` has by a mistake's id those, 1 to K, at which it is made; at all without.  The
    convention is that of :class:`~backprop_nb.checking.convention.Convention`, with samples in
    "rows" by default, and ``check_backward`` must be told the same.  Where one of the mistakes
    cannot be made, as a transpose in layers of unequal width, the pass raises.

    Raises
    ------
    NotFoundError
        A mistake is not in the catalogue.
    InvalidValueError
        Two mistakes in one step, or an unknown convention.

    Examples
    --------
    >>> backward = make_backward("sign_flipped", samples="single")
    >>> backward(A=[[[1.0]]], b=[[0.0]], x=[0.0], y=[1.0])
    ([array([[0.]])], [array([0.25])])

    >>> import numpy as np
    >>> from backprop_nb import SigmoidNetwork
    >>> forgotten = "sigma_prime_missing_in_hidden"
    >>> net = SigmoidNetwork((2, 3, 3, 1), seed=0)
    >>> backward = make_backward(forgotten, samples="single", layers={forgotten: [1]})
    >>> given, right = backward(net.A, net.b, [1, 0], [1])[0], net.backward([1, 0], [1]).A
    >>> [bool(np.allclose(*each)) for each in zip(given, right)]
    [False, True, True]
    """
    at = {each: tuple(sorted(set(those))) for each, those in (layers or {}).items()}
    for each in at.keys() - set(ids):
        raise InvalidValueError(
            f"`layers` names the mistake {each!r}, which this pass does not have.",
            given=f"layers of {each!r}",
            expected=f"layers of {' or of '.join(map(repr, ids)) or 'no mistake'}",
        )
    placed = [PlacedMistake(find(each), at.get(each)) for each in ids]
    return pass_with(placed, Convention(**{"samples": "rows", **convention}), learning_rate)


def pass_with(
    placed: Sequence[PlacedMistake],
    convention: Convention,
    learning_rate: float = LEARNING_RATE,
) -> ReferencePass:
    """Return a backward pass with mistakes where they are made; see :func:`make_backward`."""
    code = right_code(convention)
    for k, each in enumerate(placed):
        for other in filter(each.meets, placed[:k]):
            name = next(name for name in each.mistake.steps if name in other.mistake.steps)
            raise InvalidValueError(
                "These two mistakes do not combine: both replace one step.",
                given=f"{other.mistake.id!r} and {each.mistake.id!r}, which both replace "
                f"{STEP[name].title}",
                expected="mistakes in different steps",
            )
        each.replace_in(code, convention)
    needs = [condition for each in placed for condition in each.needs]
    return ReferencePass(convention, code, needs=needs, learning_rate=learning_rate)

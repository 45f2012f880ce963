"""All passes: right ones, those with one line changed, and those with two."""

import zlib
from pathlib import Path

import numpy as np
from entry import Entry, pairs, right_passes, wrong_passes

HERE = Path(__file__).parent

RIGHT = [
    each
    for folder in ("seen", "held_out")
    for path in sorted((HERE / folder).glob("*.py"))
    for each in right_passes(path)
]
WRONG = [each for right in RIGHT for each in wrong_passes(right)]


def _some_pairs() -> list[Entry]:
    """Take up to two pairs of each pass, so that no long table weighs more than the others."""
    chosen = []
    for right in RIGHT:
        possible = [each for each in pairs(right) if each.name not in IDLE]
        order = np.random.default_rng(zlib.crc32(right.name.encode())).permutation(len(possible))
        chosen += [possible[place] for place in sorted(order[:2])]
    return chosen


IDLE = {
    "radial.gradient.1+4",
    "softmax_classifier.gradient_by_the_jacobian.1+4",
    "svm.gradient_in_arrays.1+3",
    "svm.gradient_in_arrays.2+3",
    "tied_weights.gradient.1+2",
}
"""Pairs in which one change hides the other: there is one mistake to find, not two."""

PAIRS = _some_pairs()

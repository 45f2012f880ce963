"""Passes that are computed in parts: the same gradients as those of the whole passes."""

from itertools import chain, combinations

import numpy as np
import pytest
from courses import COURSES
from nonempty import nonempty

from backprop_nb.checking.mistake import PlacedMistake
from backprop_nb.checking.mistakes import pass_with
from backprop_nb.checking.probes import gradient_names, make_probes
from backprop_nb.checking.search import local_mistakes, whole_mistakes
from backprop_nb.checking.staged import StagedPasses


def by_the_whole_pass(course, probe, placed):
    """The same by one run of the pass; nothing where it cannot be made."""
    b = probe.b or [np.zeros(n) for n in probe.widths[1:]]
    try:
        dA, db = pass_with(placed, course)(probe.A, b, probe.x.copy(), probe.y)
    except ValueError:
        return {}
    pairs = chain.from_iterable(zip(dA, db, strict=True)) if db else dA
    return dict(zip(gradient_names(probe.K, bool(db)), pairs, strict=True))


@pytest.mark.parametrize("name", COURSES)
def test_they_are_those_of_whole_passes(name):
    course = COURSES[name]
    passes = StagedPasses(course, 1)
    whole = [(PlacedMistake(each),) for each in whole_mistakes(course)]
    some = [(PlacedMistake(each, (1,)),) for each in local_mistakes(course) if 1 in each.layers(2)]
    pairs = [
        (one[0], other[0]) for one, other in combinations(whole, 2) if not one[0].meets(other[0])
    ]
    for placed in nonempty([(), *whole, *some, *pairs[::9]]):
        given, expected = passes.gradients(placed), by_the_whole_pass(course, passes.probe, placed)
        assert list(given) == list(expected), placed
        for key in given:
            np.testing.assert_array_equal(given[key], expected[key])


def test_a_learning_rate_is_a_number_in_the_code():
    course = COURSES["columns, two lists"]
    early = next(each for each in whole_mistakes(course) if each.has_learning_rate)
    passes, placed = StagedPasses(course, 1), (PlacedMistake(early),)
    probe = make_probes(course)[1]
    for rate in (0.0, 0.25):
        dA, _ = pass_with(placed, course, rate)(probe.A, probe.b, probe.x, probe.y)
        np.testing.assert_array_equal(passes.gradients(placed, rate)["dA[0]"], dA[0])
    assert not np.array_equal(*(passes.gradients(placed, rate)["dA[0]"] for rate in (0.0, 0.25)))

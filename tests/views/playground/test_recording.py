"""A recording stays small, spread out, and ends with the latest frame."""

import copy
from itertools import pairwise

import pytest
from nonempty import nonempty

from backprop_nb.views.playground.recording import Recording


def recorded(count, limit=10, every=1):
    recording = Recording(limit)
    for k in range(count):
        recording.add({"epoch": k * every})
    return recording


@pytest.mark.parametrize("every", [1, 7])
@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 500, 1000, 1023])
def test_it_is_never_longer_than_its_limit_and_has_first_and_last(count, every):
    epochs = recorded(count, every=every).epochs
    assert len(epochs) <= 10
    assert epochs == sorted(set(epochs))
    assert (epochs[0], epochs[-1]) == (0, (count - 1) * every)


@pytest.mark.parametrize("every", [1, 7])
def test_what_is_kept_is_spread_evenly(every):
    epochs = recorded(1000, every=every).epochs[:-1]
    gaps = {b - a for a, b in pairwise(epochs)}
    assert len(gaps) == 1
    assert len(epochs) >= 4


def test_nothing_is_thrown_away_before_the_limit():
    assert recorded(9).epochs == list(range(9))


def test_the_nearest_frame_is_found():
    recording = recorded(100)
    for epoch in range(100):
        found = recording.at(epoch)["epoch"]
        assert all(abs(found - epoch) <= abs(other - epoch) for other in nonempty(recording.epochs))


def test_whether_a_frame_would_be_kept_is_known_before():
    recording, seen = recorded(100), set()
    for epoch in range(100, 200):
        wanted = recording.wants(epoch)
        recording.add({"epoch": epoch})
        after = copy.deepcopy(recording)
        after.add({"epoch": epoch + 1})
        thinned = len(after.epochs) < len(recording.epochs)
        assert thinned or wanted == (epoch in after.epochs)
        seen.add(wanted)
    assert seen == {True, False}


@pytest.mark.parametrize("start", [1, 2, 3, 5])
def test_steps_that_begin_at_an_odd_epoch_are_kept_too(start):
    recording = recorded(start + 1)
    for k in range(1, 500):
        recording.add({"epoch": start + 10 * k})
    assert len(recording.epochs) >= 5

"""The collector of garbage is left alone but for full walks, and only for a while."""

import gc
import threading
import weakref

import pytest

import backprop_nb as bp
from backprop_nb.tracing.collector import young_only


@pytest.fixture(autouse=True)
def own_thresholds():
    """Choose thresholds that nobody else has, and give the old ones back."""
    before = gc.get_threshold()
    gc.set_threshold(701, 11, 12)
    yield
    gc.set_threshold(*before)


def full_walks(function):
    """Return how often Python walks over all new objects meanwhile, as it would over all."""
    gc.collect()
    gc.freeze()
    gc.collect()
    before = gc.get_stats()[2]["collections"]
    try:
        _ = function()
        return gc.get_stats()[2]["collections"] - before
    finally:
        gc.unfreeze()


def scalar_chain(x):
    for _ in range(3000):
        x = x * 0.9 + 0.1
    return x


@pytest.mark.parametrize(
    "cost",
    [
        lambda graph: bp.trace(scalar_chain, 1.0),
        lambda graph: graph.nodes,
        lambda graph: graph.backward().steps,
        lambda graph: graph.to_numpy(),
        lambda graph: graph.to_latex(),
        lambda graph: graph.compile(),
        lambda graph: graph.describe(),
    ],
    ids=["trace", "nodes", "steps", "to_numpy", "to_latex", "compile", "describe"],
)
def test_a_growing_graph_is_not_walked_over(cost):
    gc.set_threshold(701, 2, 1)  # at every occasion
    graph = bp.trace(scalar_chain, 1.0)
    assert full_walks(lambda: cost(graph)) <= 1  # one at the end
    assert gc.get_threshold() == (701, 2, 1)


class Ring:
    """Garbage that only the collector finds."""


def test_young_garbage_of_a_traced_function_is_collected():
    def f(x):
        lives = []
        for _ in range(3000):
            ring = Ring()
            ring.itself = ring
            lives.append(weakref.ref(ring))
        alive.append(sum(each() is not None for each in lives))
        return x * 2.0

    alive = []
    bp.trace(f, 1.0)
    assert alive[0] < 2000


def test_an_error_restores_the_thresholds():
    with pytest.raises(ZeroDivisionError):
        bp.trace(lambda x: x * (1 // 0), 1.0)
    assert gc.get_threshold() == (701, 11, 12)


def test_what_the_function_sets_itself_stays():
    bp.trace(lambda x: (gc.set_threshold(801, 12, 13), x * 2.0)[1], 1.0)
    assert gc.get_threshold() == (801, 12, 13)


def test_blocks_that_overlap_in_threads_restore_them_too():
    entered, may_end = threading.Event(), threading.Event()

    def other():
        with young_only():
            entered.set()
            may_end.wait(10)

    thread = threading.Thread(target=other)
    with young_only():
        thread.start()
        assert entered.wait(10)
    assert gc.get_threshold()[2] > 12  # the other one goes on
    may_end.set()
    thread.join(10)
    assert gc.get_threshold() == (701, 11, 12)


def test_a_collector_that_is_switched_off_stays_off():
    gc.disable()
    try:
        bp.trace(scalar_chain, 1.0).to_numpy()
        assert not gc.isenabled()
    finally:
        gc.enable()

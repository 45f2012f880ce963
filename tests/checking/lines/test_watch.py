"""Which line gave which value to which name."""

import contextlib
import sys
import threading

import numpy as np
from nonempty import nonempty

from backprop_nb.checking.lines.watch import Watch


class Layer:
    def forward(self, x):
        self.x = x
        return x


def helper(x, cache):
    y = x * 2
    cache["h"] = y
    return x


def program(a):
    b = a
    cache = {"A": b}
    zs = [a]
    zs.append(a + 1)
    d = helper(b, cache)
    for value in cache.values():
        last = value
    p, q = zs
    layer = Layer()
    layer.forward(d)
    total = np.zeros(2)
    total += p
    return {"dW": last, "q": q}


FIRST = program.__code__.co_firstlineno


def watched(f, *args, **options):
    watch = Watch(**options)
    watch.run(f, *args)
    return watch


def bound(watch, function):
    """Return the lines of a function, from 1, and what each gave a value to."""
    return [
        (event.line - function.__code__.co_firstlineno, event.slot[1])
        for event in watch.events
        if event.kind == "bind" and watch.calls[event.frame].code is function.__code__
    ]


def test_a_line_binds_names_and_entries():
    found = bound(watched(program, np.ones(2)), program)
    assert found[:6] == [(1, "b"), (2, "A"), (2, "cache"), (3, 0), (3, "zs"), (4, 1)]


def test_a_loop_binds_in_each_round():
    found = bound(watched(program, np.ones(2)), program)
    assert found.count((6, "value")) == found.count((7, "last")) == 2


def test_what_is_unpacked_has_two_names():
    found = bound(watched(program, np.ones(2)), program)
    assert (8, "p") in found
    assert (8, "q") in found


def test_a_helper_binds_entries_of_what_it_is_handed_and_attributes():
    watch = watched(program, np.ones(2))
    assert (2, "h") in bound(watch, helper)
    assert (1, "x") in bound(watch, Layer.forward)


def test_parameters_come_with_the_call_and_are_bound_by_no_line():
    watch = watched(program, np.ones(2))
    calls = [event for event in watch.events if event.kind == "call"]
    assert [sorted(each.value) for each in calls] == [["a"], ["cache", "x"], ["self", "x"]]
    assert (0, "a") not in bound(watch, program)


def test_a_call_knows_its_caller():
    watch = watched(program, np.ones(2))
    assert [each.caller for each in watch.calls] == [None, 0, 0]


def test_the_end_of_each_call_is_told():
    watch = watched(program, np.ones(2))
    ended = [event.frame for event in watch.events if event.kind == "return"]
    assert ended == [1, 2, 0]


def test_what_is_changed_in_place_shows_in_its_mark():
    def mark(value):
        return value.tobytes() if isinstance(value, np.ndarray) else None

    assert (12, "total") in bound(watched(program, np.ones(2), mark=mark), program)
    assert (12, "total") not in bound(watched(program, np.ones(2)), program)


def test_the_clock_is_read_at_each_event():
    ticks = iter(range(10_000))
    watch = watched(program, np.ones(2), clock=lambda: next(ticks))
    clocks = [event.clock for event in watch.events]
    assert clocks == sorted(clocks)
    assert all(event.start <= event.clock for event in nonempty(watch.events))


def test_code_of_libraries_is_not_watched():
    def f(x):
        return np.linalg.norm(np.broadcast_to(x, (2, 2)))

    assert [each.code for each in watched(f, np.ones(2)).calls] == [f.__code__]


def test_whoever_watched_before_goes_on():
    seen = []

    def tracer(frame, what, value):
        seen.append(what)

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        watched(program, np.ones(2))
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)


def test_an_error_ends_the_watch_too():
    def f(x):
        raise KeyError(x)

    before = sys.gettrace()
    with contextlib.suppress(KeyError):
        watched(f, 1.0)
    assert sys.gettrace() is before


def test_a_recursive_function_and_a_generator_are_followed():
    def halves(x, n):
        for _ in range(n):
            x = x / 2
            yield x

    def f(x, n):
        if n:
            return f(x * 2, n - 1)
        total = 0.0
        for each in halves(x, 3):
            total = total + each
        return total

    watch = Watch()
    assert watch.run(f, 1.0, 2) == 3.5
    frames = [event.frame for event in watch.events if event.slot and event.slot[1] == "total"]
    assert len(set(frames)) == 1
    assert len(frames) == 4


def test_other_threads_are_left_alone():
    def f(x):
        thread = threading.Thread(target=helper, args=(x, {}))
        thread.start()
        thread.join()
        return x

    codes = [each.code for each in watched(f, np.ones(2)).calls]
    assert codes == [f.__code__]


def test_too_much_is_not_written_down(monkeypatch):
    monkeypatch.setattr("backprop_nb.checking.lines.watch._MAX_LOOKS", 20)
    watch = watched(program, np.ones(2))
    assert not watch.is_complete
    assert watch.events == []

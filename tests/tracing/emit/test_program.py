"""Programs of long traces: what they cost grows with the trace, and no text grows out of hand."""

import sys
import tracemalloc

import numpy as np
import pytest
from nonempty import nonempty

from backprop_nb.tracing import trace


def in_a_variable(n):
    def f(x):
        y = x
        for _ in range(n):
            y = np.sin(y) * 1.01
        return y

    return trace(f, 0.7)


def in_a_list(n):
    def f(x):
        values = [x]
        for _ in range(n):
            values.append(np.sin(values[-1]) * 1.01)
        return values[-1]

    return trace(f, 0.7)


def by_many_inputs(n):
    return trace(lambda p: sum(each * each for each in p), [0.1 + k / n for k in range(n)])


def with_decisions(n):
    def f(x):
        y = x
        for _ in range(n):
            y = np.sin(y) * 1.01 if y > 0 else -y
        return y

    return trace(f, 0.7)


def with_captured_arrays(n):
    captured = [np.array([1.0, k]) for k in range(n)]
    return trace(lambda x: sum(np.sum(x * each) for each in captured), np.array([0.3, 0.2]))


def with_assignments(n):
    def f(x):
        out = np.zeros(5)
        for k in range(n):
            out[k % 5] = out[(k + 1) % 5] * 0.5 + x
        return np.sum(out)

    return trace(f, 0.7)


def by_calls(n):
    def cell(h, x):
        return np.tanh(h * 0.9 + x)

    def f(x):
        h = x
        for _ in range(n):
            h = cell(h, x)
        return h

    return trace(f, 0.7)


GROWING = [
    *(in_a_variable, in_a_list, by_many_inputs, with_decisions, with_captured_arrays),
    *(with_assignments, by_calls),
]


def calls_of(do):
    """Return how many functions, of Python and of C, are called."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        do()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("growing", GROWING, ids=lambda each: each.__name__)
def test_twice_the_trace_takes_twice_the_calls(growing):
    for written in nonempty(["to_numpy", "to_latex", "compile", "describe", "backward"]):
        getattr(growing(10), written)()  # what is done once is done
        few, many = (calls_of(getattr(growing(n), written)) for n in (40, 80))
        assert many < 2.15 * few, written


def test_a_long_call_is_not_written_out_wherever_something_comes_back_through_it():
    def f(x, rounds):
        sums = [x]
        for _ in range(rounds):
            sums.append(sums[-1] + x)
        return np.sum(np.stack(sums))

    few, many = (len(trace(f, 0.7, rounds=rounds).to_numpy()) for rounds in (100, 200))
    assert many < 2.2 * few


def test_a_program_of_many_nested_calls_can_be_read_and_compiled():
    graph = in_a_list(600)
    value, gradients = graph.compile()(0.7)
    np.testing.assert_allclose(value, graph.value, rtol=1e-12)
    np.testing.assert_allclose(gradients, graph.backward().gradients, rtol=1e-12)
    space = {}
    exec(graph.to_numpy(), space)
    assert space["f_and_gradient"](0.7)[0] == graph.value


def test_the_entries_of_an_array_are_not_kept_as_an_array_each():
    def peak(entries):
        graph = trace(lambda x: sum(each * each for each in x), np.ones(entries))
        tracemalloc.start()
        graph.to_numpy()
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most / entries

    peak(10)  # what is done once is done
    assert peak(600) < 1.3 * peak(150)

"""Programs of long traces: no text grows out of hand, and none takes too much memory."""

import tracemalloc

import numpy as np

from backprop_nb.tracing import trace


def test_a_long_call_is_not_written_out_wherever_something_comes_back_through_it():
    def f(x, rounds):
        sums = [x]
        for _ in range(rounds):
            sums.append(sums[-1] + x)
        return np.sum(np.stack(sums))

    few, many = (len(trace(f, 0.7, rounds=rounds).to_numpy()) for rounds in (100, 200))
    assert many < 2.2 * few


def test_a_program_of_many_nested_calls_can_be_read_and_compiled():
    def f(x):
        values = [x]
        for _ in range(600):
            values.append(np.sin(values[-1]) * 1.01)
        return values[-1]

    graph = trace(f, 0.7)
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

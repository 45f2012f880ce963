"""What is traced by some arguments alone, and answers handed back to the tracer."""

import builtins
import functools
import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from backprop_nb.checking.lines.followed import (
    keeping_traces,
    plain_answer,
    shortened,
    traceable_leaves,
    traced,
)
from backprop_nb.tracing.tape import is_live

rng = np.random.default_rng(0)
W, B, X = rng.standard_normal((2, 3)), rng.standard_normal(2), rng.standard_normal(3)


def gradient(W, b):
    d = 2 * (W @ X + b)
    gW = np.outer(d, X)
    return [gW, d]


def test_what_is_not_chosen_is_not_traced():
    seen = []

    def f(w, labels):
        seen.append((is_live(w), is_live(labels)))
        return np.sum(w[labels])

    trace = traced(f, [np.ones(3), np.array([0, 2])], {0})
    assert seen[0] == (True, False)
    assert trace.input_count == 1


def test_floats_are_traced_and_labels_are_not():
    leaves = [np.ones(2), 0.5, 3, np.array([1, 2]), "relu", np.float32(1), True]
    assert traceable_leaves(leaves, []) == {0, 1, 5}
    assert traceable_leaves(leaves, [2]) == {0, 1, 2, 5}


def test_long_axes_of_one_length_are_one_short_length_again():
    x, labels = np.zeros((40, 300)), np.arange(40) % 3
    x[:, ::9] = rng.uniform(1, 2, (40, 34))
    given = {"W": rng.standard_normal((300, 3)), "b": np.zeros(3)}
    args = [given, x, labels, np.array(2.0), "tanh"]
    parameters, short, classes, *others = shortened(args)
    assert others == [args[3], "tanh"]
    assert parameters["W"].shape == (short.shape[1], 3)
    assert parameters["b"].shape == (3,)
    assert classes.shape == short.shape[:1]
    assert len({*short.shape, 3}) == 3
    assert max(short.shape) < 10
    assert isinstance(others[0], np.ndarray)
    assert np.all(short > 0)  # what is zero everywhere tells nothing


def test_small_arguments_stay_as_long_as_they_are():
    assert shortened([rng.standard_normal((40, 50)), "tanh"]) is None
    assert shortened([0.5]) is None


# --- answers ----------------------------------------------------------------------------


class Layer:
    def __init__(self, dW, db):
        self.dW, self.db = dW, db


def flat(gW, d):
    return np.concatenate([gW.ravel(), d])


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        (lambda gW, d: [gW, d], lambda a: (a[0], a[1])),
        (lambda gW, d: {"dW": gW, "db": d}, lambda a: (a["dW"], a["db"])),
        (lambda gW, d: (0.5, {"W": [gW], "b": [d]}), lambda a: (a[1]["W"][0], a[1]["b"][0])),
        (Layer, lambda a: (a.dW, a.db)),
        (lambda gW, d: [Layer(gW, None), Layer(None, d)], lambda a: (a[0].dW, a[1].db)),
        (flat, lambda a: (a[:6].reshape(2, 3), a[6:])),
    ],
    ids=["list", "dict", "pair with nested dicts", "object", "objects", "flat vector"],
)
def test_a_plain_answer_leads_back_to_what_is_traced(answer, taken):
    """Whatever its shape; else the gradients would be constants, and no line could be found."""

    def read(W, b):
        plain, own = plain_answer(answer(*gradient(W, b)))
        found = taken(plain)
        assert all(type(each) is np.ndarray for each in found)
        return [own(each) for each in found]

    def second(W, b):
        return np.sum(read(W, b)[1])

    graph = traced(second, [W, B], {0, 1})
    np.testing.assert_allclose(graph.value, gradient(W, B)[1].sum())
    np.testing.assert_allclose(graph.backward().gradients[1], [2.0, 2.0])  # they depend on b


def test_a_plain_answer_without_traced_values_leads_back_to_itself():
    array, text = np.ones(3), "loss"
    plain, own = plain_answer([array, text, None, SimpleNamespace(a=1), array])
    assert plain[0] is not plain[4]  # which of the two is asked for can be told
    assert own(plain[0]) is own(plain[4]) is array
    assert plain[1:3] == [text, None]
    assert plain[3].a == 1


def test_a_float_that_is_more_than_a_call_stays_what_it_is():
    def loss(x):
        return float(np.sum(np.asarray(x, dtype=float)))

    def inner(x):
        return sum(float(each) for each in x)

    assert keeping_traces(loss) is loss
    assert keeping_traces(inner) is inner
    assert keeping_traces(np.sum) is np.sum
    assert keeping_traces(functools.partial(loss, 1.0))() == 1.0


def test_a_function_with_its_own_float_is_what_it_was():
    def loss(x, *, scale=2.0):
        return float(x) * scale

    own = keeping_traces(loss)
    assert own is not loss
    assert (own(3.0), own.__name__, inspect.signature(own)) == (
        6.0,
        "loss",
        inspect.signature(loss),
    )


called = 0


def counted(x):
    global called
    called += 1
    return float(x)


def test_the_globals_of_a_function_stay_its_own():
    own = keeping_traces(counted)
    assert own is not counted
    own(1.0)
    assert (called, own.__globals__ is counted.__globals__) == (1, True)
    assert "float" not in counted.__globals__
    assert counted.__globals__["__builtins__"] in (builtins, vars(builtins))

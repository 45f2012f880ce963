"""Every public callable of NumPy's with traced arguments: right, or refused at its line."""

import contextlib
import functools
import itertools
import warnings

import numpy as np
import pytest
import sweep
from sweep import Form, WrongError, form

from backprop_nb.errors import BackpropError
from backprop_nb.tracing import trace

CALLABLES = {name: (f, forms) for name, f, forms in sweep.callables()}


@functools.cache
def outcomes(name):
    return sweep.outcomes(*CALLABLES[name])


@pytest.mark.parametrize("name", CALLABLES)
def test_a_call_is_right_or_refused_in_our_words_at_the_line(name):
    assert set(outcomes(name)) <= {"right", "flat", "refused"}


LIES = {
    "in rows": (np.copy, lambda x: x),
    "in columns": (lambda x: x.T.copy(), lambda x: x.T),
    "apart": (lambda x: np.repeat(x, 2, axis=-1), lambda x: x[..., ::2]),
    "backwards": (lambda x: x[::-1].copy(), lambda x: x[::-1]),
}
"""How the entries of an argument lie in memory: the block, and the view of it."""
READ_ONLY = {"np.broadcast_arrays"}
WITH_ARRAYS = {
    name: [each for each in forms if all(x.ndim for x in sweep.inputs_of(each))]
    for name, (_, forms) in CALLABLES.items()
    if name not in READ_ONLY and not name.startswith("np.empty")
}


@pytest.mark.parametrize("name", [name for name, forms in WITH_ARRAYS.items() if forms])
def test_a_view_of_a_result_shows_what_it_shows_in_numpy(name):
    f, wrong = CALLABLES[name][0], []
    for (block, view), each in itertools.product(LIES.values(), WITH_ARRAYS[name]):
        inputs = [block(x) for x in sweep.inputs_of(each)]
        runs = []

        def run(*given, each=each, runs=runs, view=view):
            held = iter([view(x * 1.0) for x in given])
            called = sweep.rebuilt([each.args, each.kwargs], held)
            results = [x for x in sweep.leaves(f(*called[0], **called[1])) if is_changeable(x)]
            for result in results:
                row, again = result.ravel(), result.reshape(-1)
                row *= 3.0
                again += 1.0
            arrays = [*results, *filter(is_changeable, sweep.leaves(called))]
            runs.append([np.array(plain(x)) for x in arrays])
            return sum(np.sum(x) for x in given)

        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(Exception):
                run(*inputs)
            with contextlib.suppress(BackpropError):
                trace(run, *inputs) if runs and inputs else None
        pairs = zip(*runs[:2], strict=True) if len(runs) > 1 else ()
        if not all(itertools.starmap(functools.partial(np.allclose, equal_nan=True), pairs)):
            wrong.append(each)
    assert wrong == []


def is_changeable(x):
    return getattr(x, "ndim", 0) and x.dtype.kind == "f" and hasattr(x, "ravel")


def test_the_forms_are_those_of_callables_that_exist_here_or_did_in_an_older_numpy():
    names = {name.rpartition(".")[2] for name in CALLABLES}
    listed = {*sweep.FORMS, *sweep.LINALG, *sweep.POLYNOMIAL, *sweep.STRIDES, *sweep.METHODS}
    assert len(listed - names) < 8


def test_most_of_what_takes_arrays_is_right():
    words = [sweep.summary(outcomes(name)) for name in CALLABLES]
    assert len(words) > 650
    assert words.count("right") + words.count("right, some forms refused") > 300


# --- the sweep itself ------------------------------------------------------------------


def halved(x):
    """Detach half of the value."""
    return x / 2 + np.array([float(plain(each)) for each in x]) / 2


def plain(x):
    return sweep.plain(x)


class Deaf:
    """Ask for the plain values, as a function written in C might."""

    def __call__(self, x):
        return plain(x) ** 2


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (halved, "gives another value when it is traced"),
        (Deaf(), "detached without a word"),
        (lambda x: x + isinstance(x, sweep.Recorded), "in place of"),
        (lambda x: [x][isinstance(x, sweep.Recorded) :], "1 results in place of 2"),
        (lambda x: "ab"[isinstance(x, sweep.Recorded)] * x.size, "'bbb' in place of 'aaa'"),
        (lambda x: x if type(x) is np.ndarray else {}["x"], "KeyError: 'x'"),
    ],
    ids=["half", "all", "value", "number", "text", "raw error"],
)
def test_what_is_wrong_is_found(f, says):
    with pytest.raises((WrongError, BackpropError), match=says):
        sweep.one_outcome(f, form(sweep.V))


def test_a_form_that_numpy_refuses_is_no_form():
    assert sweep.one_outcome(np.dot, form(sweep.V, sweep.M[:2])) is None
    assert sweep.outcomes(np.fft.fftfreq, [Form((sweep.M,))]) == []


def test_every_array_is_traced_alone_too():
    def deaf_to_the_second(x, y):
        return x * plain(y)

    assert sweep.outcomes(np.multiply, [form(sweep.V, sweep.V + 1)]) == ["right"] * 3
    with pytest.raises(WrongError, match="detached without a word"):
        sweep.one_outcome(deaf_to_the_second, form(sweep.V, sweep.V + 1), [1])


def test_a_refusal_needs_the_line_of_the_call():
    assert sweep.one_outcome(np.fft.fft, form(sweep.V)) == "refused"
    assert sweep.one_outcome(lambda x: np.exp(x), form(sweep.V)) == "right"
    assert sweep.one_outcome(lambda x: np.argmax(x), form(sweep.V)) == "flat"

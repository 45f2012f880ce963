"""``graph.evaluate``: the same calls on new arguments, and a refusal where they do not fit."""

import numpy as np
import pytest

import backprop_nb as bp


def f(A, p):
    return np.sum(np.tanh(A @ p["x"])) * p["s"]


ARGS = (np.ones((2, 3)), {"x": np.ones(3), "s": 2.0})


def test_it_equals_the_function_on_new_arguments():
    new = (np.full((2, 3), 0.1), {"x": np.arange(3.0), "s": -1.0})
    np.testing.assert_allclose(bp.trace(f, *ARGS).evaluate(*new), f(*new), rtol=1e-15)


def test_the_trace_itself_does_not_change():
    graph = bp.trace(f, *ARGS)
    before = graph.value
    graph.evaluate(np.zeros((2, 3)), {"x": np.zeros(3), "s": 0.0})
    assert graph.value == before


def test_integers_count_as_floats_and_float32_stays():
    graph = bp.trace(lambda x: x / 2, np.ones(2, np.float32))
    value = graph.evaluate(np.array([1, 3]))
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value, [0.5, 1.5])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((ARGS[0],), "number of arguments must be that of the trace"),
        ((ARGS[0], {"x": np.ones(3)}), "must have the structure"),
        ((np.ones((3, 3)), ARGS[1]), "`A` must have the shape that it has in the trace"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(args, message):
    with pytest.raises(bp.ShapeError, match=message):
        bp.trace(f, *ARGS).evaluate(*args)


@pytest.mark.parametrize(
    ("given", "kind"), [("a", "text"), (None, "object"), (1j, "complex")], ids=repr
)
def test_what_is_no_number_is_refused_by_the_name_of_the_argument(given, kind):
    with pytest.raises(bp.UnsupportedError) as caught:
        bp.trace(lambda x: x**2, 3.0).evaluate(given)
    assert str(caught.value).startswith(
        f"`x` must hold real numbers.\n  given:    {kind} values of shape ()\n"
        "  expected: floats or integers"
    )


@pytest.mark.parametrize(
    "given",
    [
        np.array([1 + 2j, 1j]),
        np.array(["1", "2"]),
        np.array(["2020-01-01", "2020-01-02"], "M8[D]"),
        np.array([1.0, None]),
        np.ma.array([1.0, 2.0], mask=[True, False]),
        [[1.0], [1.0, 2.0]],
    ],
    ids=["complex", "text", "dates", "objects", "masked", "ragged"],
)
def test_an_array_of_no_real_numbers_is_refused_wherever_it_is_given(given):
    graph = bp.trace(lambda w: np.sum(w**2), np.ones(2))
    seeded = bp.trace(lambda w: w**2, np.ones(2)).backward
    asked = [graph.compile(), seeded, graph.evaluate]
    for each in asked[: 2 if isinstance(given, list) else 3]:
        with pytest.raises(bp.UnsupportedError, match=r"must (hold real|be rect|be a plain)"):
            each(given)
    for number in (1 + 2j, "1", np.complex64(1j)):
        with pytest.raises(bp.UnsupportedError, match="must hold real numbers"):
            bp.trace(lambda w: w**2, 1.0).compile()(number)


def test_a_list_in_place_of_an_array_is_refused_with_the_array():
    with pytest.raises(bp.ShapeError, match="must have the structure") as caught:
        bp.trace(np.sum, np.ones(2)).evaluate([1.0, 2.0])
    assert caught.value.instead == "np.array([…]) where the trace had an array"


@pytest.mark.parametrize("other", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_function_computes_in_the_float_type_of_its_new_arguments(dtype, other):
    def f(x, w):
        return np.sum(x / 3) * w

    args = (np.arange(4).astype(other), other(0.1))
    graph, right = bp.trace(f, np.ones(4, dtype), dtype(2)), f(*args)
    value, (slope, _) = graph.compile()(*args)
    for found in (graph.evaluate(*args), value):
        assert found == right
        assert found.dtype == right.dtype
    assert slope.dtype == other


@pytest.mark.parametrize("who", ["graph.evaluate", "A compiled function"])
def test_an_argument_by_name_is_refused_with_its_place(who):
    graph = bp.trace(lambda x, rate: rate * x, 3.0, rate=0.5)
    call = graph.evaluate if who == "graph.evaluate" else graph.compile()
    with pytest.raises(bp.UnsupportedError, match=f"{who} takes its arguments by pos") as caught:
        call(3.0, rate=0.5)
    assert caught.value.instead == "the arguments x, rate in this order"
    with pytest.raises(bp.UnsupportedError, match="`n` is the one of the trace") as caught:
        call(3.0, n=2)
    assert "n=2)" in caught.value.instead

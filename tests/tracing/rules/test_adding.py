"""What entries receive, added where they lie."""

import numpy as np
import pytest
from rule_checks import MASK, RowTests, case

import backprop_nb as bp
from backprop_nb.tracing.rules.adding import added_at, statement
from backprop_nb.tracing.rules.template import PRODUCT

TWICE = np.array([0, 2, 0])

CASES = {
    "added_at": [
        case((), (), at=[1, 1], shape=(3,)),
        case((2,), (3,), at=[slice(1, None), ...], shape=(3,)),
        case((3,), (2,), at=[0, (slice(None), 1)], shape=(2, 3)),
        case((3,), (2,), at=[TWICE, MASK], shape=(3,)),
        case((2, 3), (3,), (2,), at=[0, (..., -1)]),
        case((3,), (3,), at=[TWICE]),
        case((), (), (), at=[(), ()]),
    ],
}

FORMS = {
    "added_at": [
        lambda x, y: added_at(x, y, at=[...]),
        lambda x, y: added_at(x, y, at=(...,)),
    ],
}


class TestRows(RowTests):
    """The tests that every row shares."""


def columns(T, count):
    s = 0.0
    for j in range(count):
        s = s + np.sum(T[:, j] ** 2)
    return s


def rows(T, count):
    s = 0.0
    for j in range(count):
        s = s + np.sum(np.sin(T.T[j]))
    return s


def windows(T, count):
    x = T.ravel()
    s = 0.0
    for j in range(count):
        s = s + np.sum(x[j : j + 2] * x[j + 1 : j + 3])
    return s


def entries(T, count):
    c = np.cumsum(T)
    s = 0.0
    for j in range(count):
        s = s + c[j] * T[1, j]
    return s


def looked_up(T, count):
    s = np.sum(T)
    for j in range(count):
        s = s + np.sum(T[[0, 1, 0], [j, 0, j]] ** 2)
    return s


def split(T, count):
    s = 0.0
    for part in np.split(T, count, axis=1):
        s = s + np.sum(part**2)
    return s


def masked(T, count):
    s = 0.0
    for j in range(count):
        s = s + np.sum(T[0.1 * j < T] ** 2)
    return s


LOOPS = [columns, rows, windows, entries, looked_up, split, masked]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_over_an_array_makes_no_whole_array_for_each_step(loop, monkeypatch):
    T = np.random.default_rng(0).normal(size=(2, 120))
    made, zeros = [], np.zeros

    def counted(shape, *args, **options):
        array = zeros(shape, *args, **options)
        made[-1] += array.size >= T.size
        return array

    monkeypatch.setattr(np, "zeros", counted)
    for count in (4, 12):
        graph = bp.trace(loop, T, count=count)
        expected = graph.backward().gradients[0]
        made.append(0)
        source = graph.to_numpy()
        compute = graph.compile()
        _, (gradient,) = compute(T)
        np.testing.assert_array_equal(gradient, expected)
        exec(source, space := {})
        _, (gradient,) = space[f"{loop.__name__}_and_gradient"](T)
        np.testing.assert_array_equal(gradient, expected)
    assert made[0] == made[1] < 8


@pytest.mark.parametrize("loop", LOOPS)
def test_so_does_a_second_derivative(loop):
    T = np.random.default_rng(0).normal(size=(2, 12))
    direction = np.random.default_rng(1).normal(size=T.shape)

    def slope(T):
        return np.sum(bp.grad(lambda T: loop(T, 3))(T) * direction)

    found = bp.grad(slope)(T)
    step = 1e-6 * direction
    ahead, behind = (bp.grad(lambda T: loop(T, 3))(T + s) for s in (step, -step))
    np.testing.assert_allclose(found, (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-6)


# Each picks entries of ``a``; most where ``x`` says.
PLACES = {
    "one": lambda x: (0, 1),
    "row": lambda x: 1,
    "greatest": lambda x: (np.argmax(x[:, 0]), 1),
    "row of the least": lambda x: np.argmin(x[:, 1]),
    "rest of a row": lambda x: (np.argmax(x[:, 0]), slice(1, None)),
    "in order": lambda x: np.argsort(x[:, 0]),
    "in each row": lambda x: (np.arange(3), np.argmax(x, axis=1)),
    "mask": lambda x: x > 0,
    "rows": lambda x: x[:, 0] > 0,
}


@pytest.mark.parametrize("first", PLACES)
@pytest.mark.parametrize("second", PLACES)
def test_ones_are_added_where_the_values_say_in_a_second_derivative(first, second):
    def f(x):
        a = x**2
        return np.sum(a[PLACES[first](x)]) + np.sum(a[PLACES[second](x)])

    x = np.array([[0.3, -1.2], [1.4, 0.6], [-0.7, 0.9]])
    ones = np.zeros_like(x)
    for place in (first, second):
        ones[PLACES[place](x)] += 1.0
    hessian = bp.jacobian(bp.grad(f))(x).reshape(6, 6)
    np.testing.assert_allclose(hessian, np.diag(2.0 * ones.ravel()))
    graph = bp.trace(lambda x: np.sum(bp.grad(f)(x) ** 2), x)
    np.testing.assert_allclose(graph.evaluate(-x), np.sum(bp.grad(f)(-x) ** 2))


def test_what_is_added_prints_as_it_is_written_by_hand():
    def f(x):
        return x[0] * x[1] - x[2] + np.sum(x[x > 1]) + np.sum(x[[0, 0, 1]] ** 2) + np.sum(x**2)

    lines = bp.trace(f, np.array([0.5, 2.0, 3.0])).to_numpy().split("\n")
    start = lines.index("    d_x = 2 * x")
    assert [line.strip() for line in lines[start + 1 : -2]] == [
        "np.add.at(d_x, np.asarray([0, 0, 1]), 2 * v10)",
        "d_x[v6] += 1",
        "d_x[2] -= 1",
        "d_x[1] += v1",
        "d_x[0] += v2",
    ]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("-a * b", "d[0] -= a * b"),
        ("-a % b", "d[0] += -a % b"),
        ("-a // b", "d[0] += -a // b"),
        ("-(a + b)", "d[0] -= a + b"),
        ("-(a + b) * (c)", "d[0] -= (a + b) * (c)"),
        ("-(a, b)[0]", "d[0] -= (a, b)[0]"),
    ],
)
def test_a_sign_moves_only_where_the_value_stays_the_same(value, line):
    options = {"at": [0], "once": [True], "shape": (2,), "dtype": "float64"}
    assert statement("d", [(value, PRODUCT)], options, (2,)) == ["d = np.zeros((2,))", line]


def test_what_is_added_to_stays_as_it_was():
    x = np.ones(3)
    assert added_at(x, 5.0, at=[1]).tolist() == [1.0, 6.0, 1.0]
    assert x.tolist() == [1.0, 1.0, 1.0]
    assert added_at(np.ones(3), at=[TWICE], shape=(3,)).tolist() == [2.0, 0.0, 1.0]


@pytest.mark.parametrize("x", [np.array(1.5), np.array(1.5, np.float32), 1.5])
def test_what_a_number_receives_as_an_array_is_a_number(x):
    def f(x):
        return x[()] * x[()] + x * 2 + x[...] * 3 + x[None][0]

    graph = bp.trace(f, x)
    exec(graph.to_numpy(), space := {})
    for compute in (graph.compile(), space["f_and_gradient"]):
        value, (gradient,) = compute(x)
        assert value == graph.value
        assert gradient == graph.backward().gradients[0] == 9.0
        assert type(gradient) is type(graph.backward().gradients[0])

"""Arrays that are written to: every alias sees exactly what NumPy's would."""

import copy
import functools
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_checks import assert_differentiable

import backprop_nb as bp
from backprop_nb.errors import InPlaceError
from backprop_nb.tracing import memory

X = np.array([[1.5, -0.5, 2.5], [0.25, 3.5, -2.0]])
V = np.array([0.5, -1.25, 2.0])
PROGRAMS = []


def program(f):
    """Register a function of ``X`` that assigns in place."""
    PROGRAMS.append(pytest.param(f, id=f.__name__))
    return f


# --- views ------------------------------------------------------------


@program
def rows_in_a_loop(x):
    M = np.zeros((2, 3))
    for row, v in zip(M, x, strict=True):
        row += v * v
        row[0] = v[1]
    return M


@program
def unpacked_rows(x):
    first, second = M = np.zeros((2, 3))
    M[0] = x[0]
    second[:] = x[1] * 2
    return first * M


@program
def a_reshape_that_copies(x):
    M = np.zeros((2, 3))
    flat = M.T.reshape(-1)
    flat[:] = x.ravel()
    return M + np.sum(flat**2)


@program
def every_way_to_look_at_it(x):
    M = x * 1
    flipped, swapped, deeper = M[::-1], np.swapaxes(M, 0, 1), M[:, None, :]
    flipped[0] *= x[0]
    swapped[0] += 1.0
    deeper[0, 0] = x[1]
    np.flipud(M)[0, 1] = np.sin(x[0, 0])
    np.ravel(M)[2] = 3.0
    np.rot90(M)[0, 0] *= 2.0
    np.rollaxis(M, 1)[1] /= 3.0
    np.squeeze(M[None])[0] += x[1]
    return M + flipped * swapped.T + deeper[:, 0]


@program
def pieces(x):
    M = x * 1
    left, right = np.split(M, [1], axis=1)
    right *= left
    left[:] = x[:, 2:]
    return M * M


@program
def pieces_of_zeros(x):
    M = np.zeros((2, 3))
    top, bottom = np.vsplit(M, 2)
    top[0] = x[1]
    M[1] = top[0] * x[0]
    return M + bottom


@program
def read_only_views_follow(x):
    M = np.zeros((3, 3))
    diagonal, wide = np.diagonal(M), np.broadcast_to(M[0], (2, 3))
    M[0] = x[0]
    M[1, 1] = x[1, 0]
    return wide * diagonal


# --- what overlaps ------------------------------------------------------------


@program
def the_right_side_is_read_first(x):
    o = np.ravel(x) * 1
    o[1:-1] = o[2:] - o[:-2]
    o[1:] += o[:-1]
    return o * o


@program
def rows_that_look_swapped(x):
    M = x * 1
    M[0], M[1] = M[1], M[0]  # both are views, so that both rows become the second
    return M * [1.0, 2.0, 3.0]


@program
def the_whole_array(x):
    M = np.zeros((2, 3))
    same = M
    M += x
    M *= M
    M[...] = M[::-1] + 1.0
    M[:] = M - x
    return same


# --- indices ------------------------------------------------------------


@program
def a_position_named_twice_is_added_to_once(x):
    v = x[1] * 1
    v[[0, 0, 1]] += x[0]
    return v * v


@program
def rows_and_columns(x):
    M = x * 1
    M[range(2), [1, 0]] -= 1.0
    M[np.arange(2), [2, 2]] = x[0, :2]
    M[np.ix_([0, 1], [0, 2])] *= x[0, 0]
    M[[True, False], 1:] = x[1, :2]
    M[-1, -3] = V[0]
    return M * M


@program
def masks(x):
    M = x * 1
    M[M <= 0] = 0.1
    M[x > 1] *= x[0, 0]
    M[:, 1:][M[:, 1:] > 2] -= x[1, 1]
    return M * M


@program
def a_mask_picks_a_copy(x):
    M = x * 1
    M[M > 0][0] = 5.0
    M[[0]][0] = 5.0
    return M * M


@program
def chained_indices(x):
    M = x * 1
    M[0][1] = x[1, 1]
    M[1][:2][0] = 3.0
    M[0][1] *= x[1, 1]
    M[1][1:] -= M[0][:2]
    return M * M


# --- functions that write ------------------------------------------------------------


@program
def out_where(x):
    logs = np.full((2, 3), 5.0)
    np.log(x, out=logs, where=x > 0)
    return logs * np.divide(x, x[::-1], out=np.zeros_like(x), where=x[::-1] > 0)


@program
def flat(x):
    M = np.zeros((2, 3))
    M.flat[1] = x[0, 0]
    M.flat[[3, 5]] = x[1, :2]
    M.T.flat[0] = x[1, 2]
    y = x * 1
    y.flat[::2] = [v * 2 for v in y.flat][::2]
    return M * y


@pytest.mark.parametrize("f", PROGRAMS)
def test_a_program_that_assigns_does_what_numpy_does(f):
    assert_differentiable(f, X)


# --- what is not followed ------------------------------------------------------------


@pytest.mark.parametrize(
    "hand_on",
    [
        lambda a: a.view(),
        lambda a: memoryview(a.data),
    ],
    ids=["view", "data"],
)
def test_a_plain_view_that_would_miss_a_traced_value_is_told_with_the_copy_that_works(hand_on):
    def f(x):
        a = np.zeros((2, 3))
        seen = hand_on(a)
        a[0] = x[0]
        return a * 2 + 0 * len(seen)

    def with_a_copy(x):
        a = np.zeros((2, 3))
        seen = hand_on(a.copy())
        a[0] = x[0]
        return a * 2 + 0 * len(seen)

    def only_plain(x):
        a = np.zeros((2, 3))
        seen = hand_on(a)
        a[0] = 3.0
        return a * x + np.sum(np.asarray(seen))

    with pytest.raises(InPlaceError, match=r"a\.copy\(\) where it is handed on"):
        bp.trace(f, X)
    assert_differentiable(with_a_copy, X)
    np.testing.assert_array_equal(bp.trace(only_plain, X).value, only_plain(X))


# --- the record ------------------------------------------------------------


def ops(f, *args):
    return [node.op for node in bp.trace(f, *args).nodes if node.op not in (None, "constant")]


def test_a_loop_that_fills_an_array_is_one_node():
    def f(x):
        out = np.zeros(50)
        for k in range(50):
            out[k] = 2.0 * k
        out[0] = x
        for k in range(1, 50):
            out[k] = x
        return np.sum(out)

    assert ops(f, 2.0) == ["assigned", "assigned", "sum"]


OF_ITS_SHAPE = [len, np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.result_type]


@pytest.mark.parametrize("asked", OF_ITS_SHAPE)
def test_a_loop_that_fills_entries_from_entries_is_one_node(asked):
    def f(x):
        out = np.ones(9)
        for k in range(1, 9):
            out[k] = out[k - 1] * x
            asked(out)
        return out[8] + np.sum(out)

    made = ops(f, 0.9)
    assert made == [*["multiply"] * (made.count("multiply")), "assigned", "sum", "add"]
    assert_differentiable(f, 0.9)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "look",
    [
        lambda H, i: H[i - 3 : i],
        lambda H, i: H[i - 1 : i - 4 : -1],
        lambda H, i: H[i - 3 : i].T.ravel(order="F").reshape(3, 2),
    ],
    ids=["forward", "backwards", "a view of it"],
)
def test_a_look_at_a_few_rows_takes_no_copy_of_a_long_array(look, order):
    def f(first):
        H = np.zeros((100, 2), order=order)
        H[0], H[1], H[2], H[3] = first
        for i in range(4, 100):
            H[i] = np.tanh(np.array([0.3, 0.5, 0.2]) @ look(H, i))
            H[i - 1 : i + 1][0, 1] = H[i][0]
        return np.sum(H**2)

    def only_filled(first):
        H = np.zeros((100, 2), order=order)
        H[0], H[1], H[2], H[3] = first
        for i in range(4, 100):
            H[i] = np.tanh(np.array([0.3, 0.5, 0.2]) @ look(H, i))
        return np.sum(H**2)

    first = np.linspace(-1, 1, 8).reshape(4, 2)
    step = 1e-6 * np.cos(np.arange(8.0)).reshape(4, 2)
    for each in (f, only_filled):
        value, gradient = bp.value_and_grad(each)(first)
        # The last digit of a product depends on whether an array lies backwards in memory.
        np.testing.assert_allclose(value, each(first), rtol=1e-14)
        slope = (each(first + step) - each(first - step)) / 2
        np.testing.assert_allclose(np.sum(gradient * step), slope, rtol=1e-6)
    assert ops(only_filled, first).count("assigned") == 5  # one for each line


def overlapping(x, n):
    out = np.zeros(n)
    for i in range(n - 2):
        out[i : i + 3] += x[:3]
    return out


def columns(x, n):
    out = np.zeros((3, n))
    for j in range(n):
        out[:, j] += x
    return out


def positions(x, n):
    out = np.zeros(n)
    for i in range(n - 1):
        out[[i + 1, i]] = x[:2] * out[i]
    return out


def both_ends(x, n):
    out = np.zeros(n)
    for i in range(n):
        out[-i - 1] = x[0]
        out[i] *= 0.9
    return out


def rows_of_entries(x, n):
    out = np.zeros((n // 6, 6))
    for i, row in enumerate(out):
        for j in range(6):
            out[i, j] = x[j % 3] + row[j - 1]
        row *= np.tanh(out[i, ::-1])
    return out


def inner_entries(x, n):
    out = np.zeros((n // 6, 6))
    out[0, 1:-1] = x[0]
    for t in range(1, len(out)):
        out[t, 1:-1] = out[t - 1, 1:-1] - 0.1 * (out[t - 1, 2:] - out[t - 1, :-2])
    return out


def patches(x, n):
    out = np.zeros((n // 6 + 3, 6))
    for i in range(n // 6):
        out[i : i + 3, i % 3 : i % 3 + 3] *= x
        out[i : i + 3, i % 3 : i % 3 + 3] += x[:, None]
    return out


def turned(x, n):
    out = np.zeros((6, n // 6)).T
    for i in range(len(out) - 1):
        out[i : i + 2][::-1, 1:4].T[...] += np.outer(x, x[:2])
    return out


LOOPS = [
    overlapping,
    columns,
    positions,
    both_ends,
    rows_of_entries,
    inner_entries,
    patches,
    turned,
]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_that_reads_beside_what_it_writes_keeps_no_array_of_the_block(loop):
    graphs = [bp.trace(loop, V, n=n) for n in (600, 2400)]
    few, many = (sum(node.value.nbytes for node in graph.nodes) for graph in graphs)
    assert many < 4.5 * few
    np.testing.assert_array_equal(graphs[0].value, loop(V, 600))
    np.testing.assert_allclose(graphs[0].evaluate(V[::-1]), loop(V[::-1], 600))
    assert_differentiable(functools.partial(loop, n=120), V)


def test_an_assignment_knows_its_line():
    def f(x):
        out = np.zeros(3)
        out[1] = x[0]
        out[2] = x[1] * out[1]
        return np.sum(out)

    graph = bp.trace(f, V)
    lines = [node.source.start[0] for node in graph.nodes if node.op == "assigned"]
    first = f.__code__.co_firstlineno
    assert lines == [first + 2, first + 3]


def test_the_program_prints_assignments_as_they_were_written():
    def f(x):
        out = np.zeros(3)
        out[1] = x[0] ** 2
        out[:1] = x[2]
        return np.sum(out * out)

    text = bp.trace(f, V).to_numpy()
    assert "out2[1] = v1 ** 2" in text
    assert "out3[:1] = x[2]" in text


def test_the_callers_array_changes_only_where_the_function_itself_would_change_it():
    kept = np.zeros(3)

    def f(x):
        x[0] = 5.0
        kept[1] = 7.0  # a plain value into an array of the caller: NumPy's own assignment
        return np.sum(x)

    x = V.copy()
    assert bp.trace(f, x).value == 5.0 + V[1] + V[2]
    np.testing.assert_array_equal(x, V)
    np.testing.assert_array_equal(kept, [0.0, 7.0, 0.0])


# --- traces inside of traces ------------------------------------------------------------


def cube_by_assignment(x):
    out = np.zeros(3)
    out[:] = x
    out *= out
    out[1:] = out[1:] * x[1:]
    out[0] = out[0] * x[0]
    return np.sum(out)


def test_the_gradient_of_a_gradient_goes_through_assignments():
    first = bp.grad(cube_by_assignment)
    np.testing.assert_allclose(first(V), 3 * V**2)
    np.testing.assert_allclose(bp.jacobian(first)(V), np.diag(6 * V), atol=1e-12)
    third = bp.grad(lambda x: np.sum(bp.grad(lambda y: np.sum(first(y)))(x)))
    np.testing.assert_allclose(third(V), [6.0, 6.0, 6.0])


def test_a_buffer_of_the_outer_function_receives_inner_gradients():
    def f(x):
        slopes = np.zeros(3)
        for k in range(3):
            slopes[k] = bp.grad(lambda v: v**3 + v * x[0])(x[k])
        return np.sum(slopes * slopes)

    right = np.sum((3 * V**2 + V[0]) ** 2)
    np.testing.assert_allclose(bp.trace(f, V).value, right)
    step = 1e-6 * np.eye(3)
    measured = [(f(V + d) - f(V - d)) / 2e-6 for d in step]
    np.testing.assert_allclose(bp.grad(f)(V), measured, rtol=1e-6)


def test_a_buffer_of_the_outer_function_is_written_by_the_inner_one():
    def f(x):
        seen = np.zeros(2)

        def inner(y):
            seen[0] = x * x
            z = np.zeros(2)
            z[0] = y * x
            z[1] = seen[0] * y
            return np.sum(z)

        return bp.grad(inner)(x) * seen[0]

    assert bp.trace(f, 2.0).value == (2.0 + 4.0) * 4.0
    # (x + x²) x² has the slope 3 x² + 4 x³.
    np.testing.assert_allclose(bp.grad(f)(2.0), 12.0 + 32.0)


# --- random programs ------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("view", "view", "set", "set", "set row", "set mask", "set at", "add", "mul"),
                *("copy", "alias", "new", "number", "read", "swap", "zeros", "add.at", "out"),
                "flat",
            ]
        ),
        st.integers(0, 9),
        st.integers(0, 9),
        st.integers(0, 9),
    ),
    min_size=2,
    max_size=14,
)
SHAPE = (2, 3)
LOOKS = (
    lambda a: a[::-1],
    lambda a: a.T,
    lambda a: a[0],
    lambda a: a[..., :1],
    lambda a: a.reshape(-1),
    lambda a: a[..., ::2],
    lambda a: np.flip(a),
    lambda a: a[None],
    lambda a: a[..., -1],
    lambda a: np.swapaxes(a, 0, -1),
)
PARTS = (np.s_[0], np.s_[-1:], np.s_[...], np.s_[..., 0], np.s_[::-1], np.s_[..., 1:], np.s_[1:])


def play(steps, x):
    """Run a random program of assignments through views, masks and positions."""
    held, total = [x * 1, np.zeros(SHAPE), x + 1], 0.0
    for what, i, j, k in steps:
        a, b = held[i % len(held)], held[j % len(held)]
        part = PARTS[k % len(PARTS)]
        number = np.sum(b * 0.1) + 0.3
        if what == "view":
            held.append(LOOKS[k](a) if a.ndim else a)
        elif what == "set" and a.ndim:
            a[part] = b if b.shape == a[part].shape else number
        elif what == "set row" and a.ndim:
            a[part] = a[part][::-1] if np.ndim(a[part]) else number
        elif what == "set mask":
            a[a > 0.4] = number
        elif what == "set at" and a.ndim:
            a[[0, -1, 0]] = number if k % 2 else a[[-1, 0, 0]] * 1.5
        elif what == "add":
            a += b if b.shape == a.shape else number
        elif what == "mul":
            a *= np.tanh(b) if b.shape == a.shape else np.tanh(number)
        elif what == "copy":
            held.append(a.copy())
        elif what == "alias":
            held.append(a)
        elif what == "new":
            held.append(np.sin(a) + number)

        elif what == "number":
            a -= 0.25
        elif what == "read":
            total = total + np.sum(a) * (k + 1)
        elif what == "swap" and a.ndim:
            a[0], a[-1] = a[-1], a[0]
        elif what == "zeros":
            held.append(np.zeros(SHAPE))
        elif what == "add.at" and a.ndim:
            np.add.at(a, [0, 0, -1], number)
        elif what == "out":
            np.multiply(a, 1.5 if b.shape != a.shape else np.cos(b), out=a)
        elif what == "flat":
            a.flat[k % 2] = number if a.size > 1 else 0.5
    return total + sum(np.sum(each * (k + 1)) for k, each in enumerate(held))


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_a_random_program_of_assignments_does_what_numpy_does(steps):
    check(steps)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_it_does_so_where_each_look_is_put_together_from_assignments(steps):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "PER_NODE", 0)
        patch.setattr(memory, "MANY_WRITES", 0)
        check(steps)


def check(steps):
    x = np.array([[0.5, -0.25, 0.125], [0.7, 0.33, -0.6]])
    f = functools.partial(play, steps)
    with np.errstate(all="ignore"):
        value, graph = f(x.copy()), bp.trace(f, x)
        np.testing.assert_allclose(graph.value, value, rtol=1e-13)
        [gradient] = graph.backward().gradients
        direction, step = np.array([[0.3, -0.7, 0.2], [0.5, 0.11, -0.4]]), 1e-6
        ahead, behind = x + step * direction, x - step * direction
        slope = (f(ahead.copy()) - f(behind.copy())) / (2 * step)
        if abs(value) < 1e6:
            # A step may flip a mask: then the value jumps, and says nothing of the slope.
            beside = np.array([f(ahead.copy()), f(behind.copy())])
            if np.all(np.abs(beside - value) < 1e-3):
                found = np.sum(gradient * direction)
                np.testing.assert_allclose(found, slope, rtol=1e-4, atol=1e-4)
        other = x[::-1] * 1.5
        np.testing.assert_allclose(graph.evaluate(other), f(other.copy()), rtol=1e-12)
        again, [compiled] = graph.compile()(other)
        np.testing.assert_allclose(again, f(other.copy()), rtol=1e-12)
        np.testing.assert_allclose(
            compiled, bp.trace(f, other).backward().gradients[0], rtol=1e-9, atol=1e-9
        )


# --- what a call with several arrays hands back -------------------------------------------


# Each looks at entries of an array of shape (2, 3), at a place that is computed.
COMPUTED_PLACES = {
    "rest of a row": lambda a, x: a[np.argmax(x[:, 0]), 1:],
    "column": lambda a, x: a[:, np.argmin(x[0])],
    "every other one": lambda a, x: a[np.argmax(x[:, 0]), ::-2],
    "row with an axis": lambda a, x: a[np.argmax(x[:, 0]), None],
    "row": lambda a, x: a[np.argmax(x[:, 0])],
    "one number as an array": lambda a, x: a[np.argmax(x[:, 0]), 1, ...],
    "one number with an axis": lambda a, x: a[np.argmax(x[:, 0]), None, np.argmin(x[0])],
    "view of a view": lambda a, x: a[np.argmax(x[:, 0]), 1:][::-1],
    "view of a computed view": lambda a, x: a[:, np.argmin(x[0])][np.argmax(x[:, 0]) :],
    "several": lambda a, x: next(a[k, :2] for k in np.argsort(x[:, 0])),
    # and these are copies
    "taken": lambda a, x: np.take(a, np.argmax(x[:, 0]), axis=0),
    "taken columns": lambda a, x: np.take(a, np.argmin(x[0]), axis=1),
    "rows in order": lambda a, x: a[np.argsort(x[:, 0]), 1:],
    "masked": lambda a, x: a[x[:, 0] > 1, 1:],
}
MADE = {
    "computed": lambda x: x * 1.0,
    "zeros": lambda x: np.zeros((2, 3)),
    "written to": lambda x: write(x * 1.0, (0, 1), x[1, 1] ** 2),
    "filled": lambda x: write(np.zeros((2, 3)), (slice(None), slice(1, None)), x[:, :2] ** 2),
}
WRITTEN = {
    "the view": lambda a, view, x: operator.imul(view, x[0, 0]),
    "the view and the array": lambda a, view, x: (operator.iadd(view, x[0, 0]), write(a, 0, x[1])),
    "the array": lambda a, view, x: write(a, (slice(None), 1), x[1, 0]),
    "the view from the array": lambda a, view, x: write(view, ..., x[1, 0]),
}


def write(a, place, value):
    a[place] = value
    return a


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("look", COMPUTED_PLACES)
def test_a_view_at_a_computed_place_stays_a_view(look, made, written):
    def f(x):
        a = MADE[made](x)
        view = COMPUTED_PLACES[look](a, x)
        WRITTEN[written](a, view, x)
        return np.sum(a**2) + np.sum(view**3)

    graph = bp.trace(f, X)
    direction = np.cos(np.arange(6.0)).reshape(2, 3)
    for x in (X, -X):  # where the place is another one
        gradient = bp.grad(f)(x)
        slope = (f(x + 1e-5 * direction) - f(x - 1e-5 * direction)) / 2e-5
        np.testing.assert_allclose(np.sum(gradient * direction), slope, rtol=1e-6, atol=1e-6)
        value, (compiled,) = graph.compile()(x)
        np.testing.assert_allclose((value, graph.evaluate(x)), f(x))
        np.testing.assert_allclose(compiled, gradient)


def change_in_place_beside_a_slice(x):
    a = x * 1.0
    a[np.argmax(x[:, 0]), ::2] += 0.3 * x[0, 1]
    return np.sum(a**3)


def change_in_a_loop_over_an_order(x):
    a = np.zeros((2, 3))
    for k in np.argsort(x[:, 0]):
        a[k, :2] += x[k, 0]
        a[k, 1:] *= x[1 - k, 1]
    return np.sum(a**3)


@pytest.mark.parametrize("f", [change_in_place_beside_a_slice, change_in_a_loop_over_an_order])
def test_entries_beside_a_slice_are_changed_at_a_computed_place(f):
    assert_differentiable(f, X)
    np.testing.assert_allclose(bp.trace(f, X).evaluate(-X), f(-X))


@pytest.mark.parametrize("atleast", [np.atleast_1d, np.atleast_2d, np.atleast_3d])
def test_each_of_several_arrays_stays_an_alias(atleast):
    def f(x):
        made = np.zeros(3)
        left, right = atleast(x, made)
        right[..., 0] = 2 * x[1]
        made[2] = x[2] ** 2
        return np.sum(left) * np.sum(right) + np.sum(made)

    assert_differentiable(f, np.array([0.5, -1.5, 2.0]))


# --- what lay elsewhere in the trace -------------------------------------------------------


@pytest.mark.parametrize("place", ["mask", "position"])
def test_an_entry_that_was_filled_is_read_after_what_a_traced_place_may_have_hit(place):
    def f(x):
        y = np.zeros(3)
        for i in range(3):
            y[i] = x[i]
        if place == "mask":
            y[y > 2.5] = 0.5
        else:
            y[np.argmax(x)] = 0.5
        return y[0] ** 2

    graph, other = bp.trace(f, np.array([1.0, 2.0, 3.0])), np.array([3.0, 2.0, 1.5])
    assert graph.evaluate(other) == f(other) == 0.25
    value, [gradient] = graph.compile()(other)
    assert value == 0.25
    np.testing.assert_array_equal(gradient, np.zeros(3))


def test_a_slice_is_no_position():
    def f(x):
        a = np.full(3, 0.5)
        a[np.argmax(a)] -= x[1] ** 2
        a[:] *= np.maximum(x[::-1], 0)
        return np.sum(a)

    assert_differentiable(f, np.array([1.0, 2.0, 3.0]))


def test_an_array_without_axes_is_assigned_to():
    def f(x):
        s = np.zeros(())
        y = x + s
        s[()] = np.max(x)
        return np.sum(y) * s

    assert_differentiable(f, np.array([1.0, 2.0, 3.0]))
    value, _ = bp.trace(f, np.array([1.0, 2.0, 3.0])).compile()(np.array([4.0, 2.0, 1.0]))
    assert value == 28.0


def test_a_traced_value_at_traced_positions_is_described():
    def f(M):
        A = M * 1
        A[np.arange(2), np.argmax(M, axis=1)] = M[:, 0]
        return np.sum(A**2)

    graph = bp.trace(f, np.array([[1.5, 2.5, 0.5], [3.0, -1.0, 2.0]]))
    assert "with [[0, 1], v" in graph.describe()


# --- copies where NumPy copies, the array itself where it does not ---------------------------

SAME_ENTRIES = {
    "astype": lambda h: h.astype(float, copy=False),
    ".real": lambda h: h.real,
    "np.real": np.real,
    "real_if_close": np.real_if_close,
    "conj": lambda h: h.conj(),
    "broadcast_arrays": lambda h: np.broadcast_arrays(h, h)[0],
    "unstack": lambda h: np.unstack(np.reshape(h, (1, 3)))[0],
    "windows": lambda h: np.lib.stride_tricks.sliding_window_view(h, 3)[0],
}
OWN_ENTRIES = {
    "ascontiguousarray": lambda M: np.ascontiguousarray(M.T),
    "ascontiguousarray of every other": lambda M: np.ascontiguousarray(M[:, ::2]),
    "meshgrid": lambda M: np.meshgrid(M[0], M[1])[0],
    "conjugate": np.conjugate,
}


@pytest.mark.parametrize("name", SAME_ENTRIES)
def test_what_numpy_does_not_copy_sees_a_later_assignment(name):
    def f(x):
        h = np.zeros(3)
        h[:] = x
        same = SAME_ENTRIES[name](h)
        h[0] = x[1] ** 2
        return np.sum(same * np.arange(1.0, 4.0))

    assert_differentiable(f, np.array([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("name", OWN_ENTRIES)
def test_what_numpy_copies_goes_its_own_way(name):
    def f(M):
        M = M * 1.0
        own = OWN_ENTRIES[name](M)
        own[...] = 0.0
        return np.sum(M**2) + np.sum(own)

    assert_differentiable(f, np.array([[1.5, 2.5, 0.5], [3.0, -1.0, 2.0]]))


SEEN = {
    "whole": lambda M: M,
    "turned": lambda M: M.T,
    "columns": lambda M: M[:, :2],
    "one column": lambda M: M[:, 1],
    "flipped": np.flipud,
    "rotated": np.rot90,
    "repeated": lambda M: np.broadcast_to(M[0], (2, 3)),
    "in columns": lambda M: np.copy(M, order="F"),
}
COPIES = {
    "copy()": lambda M: M.copy(),
    "copy('F')": lambda M: M.copy("F"),
    "copy('K')": lambda M: M.copy("K"),
    "copy('A')": lambda M: M.copy("A"),
    "copy.copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "np.copy": lambda M: np.copy(M),
    "np.copy to C": lambda M: np.copy(M, "C"),
    "np.array": lambda M: np.array(M),
    "np.array to C": lambda M: np.array(M, order="C"),
    "np.array of more axes": lambda M: np.array(M, ndmin=3),
    "np.asarray to C": lambda M: np.asarray(M, order="C"),
    "np.asarray to F": lambda M: np.asarray(M, order="F"),
    "np.asarray with a copy": lambda M: np.asarray(M, copy=True),
    "np.ascontiguousarray": lambda M: np.ascontiguousarray(M),
    "astype": lambda M: M.astype(float),
    "astype to C": lambda M: M.astype(float, order="C"),
    "flatten": lambda M: M.flatten(),
    "reshape with a copy": lambda M: M.reshape(-1, 1, copy=True),
    "full_like": lambda M: np.full_like(M, M[0]) * 1.0,
    "full_like of a plain": lambda M: np.full_like(np.ones(M.shape, order="F"), M[0]),
    "ones_like": lambda M: np.ones_like(M) * M,
    "+= in other order": lambda M: operator.iadd(np.copy(M), np.ones(M.shape, order="F")),
}


@pytest.mark.parametrize("is_buffer", [False, True])
@pytest.mark.parametrize("part", SEEN)
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_lies_in_memory_as_numpys_does(name, part, is_buffer):
    def f(x):
        M = np.zeros((2, 3)) if is_buffer else x * 1.0
        M[...] = x
        own = COPIES[name](SEEN[part](M))
        row, other = own.ravel(), own.reshape(-1, 1)
        row[::2] *= 3.0
        other[1] = x[0, 1] ** 2
        weights = np.arange(own.size) + 1.0
        return np.sum(own * weights.reshape(own.shape)) + np.sum(M * row[1])

    for order in "CF":
        x, other = np.asarray(X, order=order), np.asarray(X * 1.5 + 0.25, order=order)
        try:
            expected = f(x)
        except ValueError:  # what is not copied may be read-only
            return
        graph = bp.trace(f, x)
        np.testing.assert_allclose(graph.value, expected)
        np.testing.assert_allclose(graph.evaluate(other), f(other))
        np.testing.assert_allclose(graph.compile()(other)[0], f(other))


VIEWS = {
    "diagonal by einsum": lambda M: np.einsum("ii->i", M),
    "turned by einsum": lambda M: np.einsum("ij->ji", M),
}


@pytest.mark.parametrize("is_buffer", [False, True])
@pytest.mark.parametrize("name", VIEWS)
def test_what_einsum_gives_may_be_a_view(name, is_buffer):
    def f(x):
        M = np.zeros((3, 3)) if is_buffer else np.outer(x, x)
        if is_buffer:
            M[0] = x
        view = VIEWS[name](M)
        view[0] = x[1] ** 2
        return np.sum(M * np.arange(9.0).reshape(3, 3))

    assert_differentiable(f, np.array([1.0, 2.0, 3.0]))


@pytest.mark.parametrize("shape", [(1,), (0, 3), (2, 3, 1), (3, 0)])
@pytest.mark.parametrize("is_buffer", [False, True])
def test_a_piece_without_entries_is_an_array_too(shape, is_buffer):
    def f(x):
        M = np.zeros(shape) if is_buffer else np.ones(shape) * x[0]
        for piece in [*np.array_split(M, 2, axis=-1), M[:0], M.T[:0], M[..., 5:]]:
            piece *= 2
            piece += x[0]
            piece[:] = piece * x[1]
        return np.sum(M) + x[2]

    assert_differentiable(f, np.array([1.0, 2.0, 3.0]))


def test_of_many_assignments_those_that_are_overwritten_make_no_array_of_their_own():
    def f(x, count):
        out = np.zeros(count)
        for k in range(count):
            out[k] = x[k % 3] * 2.0
            out[k] += k
            out[k] *= x[0]
        return np.sum(out**2)

    few, many = (bp.trace(f, V, count=count) for count in (3, 500))
    assigned = [[node.op for node in graph.nodes].count("assigned") for graph in (few, many)]
    assert assigned == [9, 1]
    assert many.value == f(V, 500)
    assert many.evaluate(2 * V) == f(2 * V, 500)
    assert_differentiable(functools.partial(f, count=150), V)


def test_a_row_that_is_filled_and_changed_is_one_entry_of_a_loop():
    def f(x, count):
        M = np.zeros((count, 3))
        for k, row in enumerate(M):
            row[:] = x * float(k)
            row += 1.0
        return np.sum(M**2)

    graph = bp.trace(f, V, count=200)
    assert [node.op for node in graph.nodes].count("assigned") == 1
    assert graph.value == f(V, 200)
    assert_differentiable(functools.partial(f, count=150), V)


def test_an_assignment_to_a_computed_place_covers_no_other():
    def f(x, count):
        out = np.zeros(count)
        for k in range(count):
            out[k] = x[k % 3]
            out[k] += 1.0
        out[:3][x > 0] = x[1] * x[2]
        out[1:] = x[2] * out[1:]
        return np.sum(out**2)

    graph = bp.trace(f, V, count=200)
    for x in (V, -V, V[::-1].copy()):
        assert graph.evaluate(x) == pytest.approx(f(x, 200), rel=1e-14)
        np.testing.assert_allclose(graph.compile()(x)[1][0], bp.grad(f)(x, count=200))

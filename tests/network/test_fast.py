"""The fast pass is pinned to the plain one, which learners read."""

import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from nonempty import nonempty

from backprop_nb.errors import BackpropWarning, NotFoundError, ShapeError
from backprop_nb.network import Network, SigmoidNetwork, fast
from backprop_nb.network.activations import ACTIVATIONS
from backprop_nb.network.fast import FastPass
from backprop_nb.network.general import DOCUMENT, DocumentPasses, GeneralPasses
from backprop_nb.network.losses import LOSSES
from backprop_nb.network.passes import backward_pass, forward_pass, squared_error

SIGMOID = DocumentPasses(*DOCUMENT)
WIDTHS = [(1, 1), (3, 1), (1, 4), (4, 3, 1), (3, 3, 3), (5, 1, 1, 2), (30, 20, 10), (4,) * 30]


def same(arrays, others):
    return len(arrays) == len(others) > 0 and all(map(np.array_equal, arrays, others))


def example(widths, rows, dtype=np.float64, scale=1.0):
    rng = np.random.default_rng(3)
    net = SigmoidNetwork.from_parameters(
        [(scale * rng.normal(size=(m, n))).astype(dtype) for n, m in pairwise(widths)],
        [(scale * rng.normal(size=m)).astype(dtype) for m in widths[1:]],
    )
    lead = () if rows is None else (rows,)
    x = rng.normal(size=(*lead, widths[0])).astype(dtype)
    return net, x, rng.uniform(size=(*lead, widths[-1])).astype(dtype)


def plain(net, x, y):
    f = forward_pass(net.A, net.b, x).f
    return squared_error(y, f[-1]), backward_pass(net.A, f, y)


def assert_pinned(net, x, y, rtol=1e-12):
    expected_loss, expected = plain(net, x, y)
    loss, gradient = net.loss_and_gradient(x, y)
    assert type(loss) is float
    assert loss == pytest.approx(expected_loss, rel=rtol)
    for ours, theirs in [(gradient.A, expected.A), (gradient.b, expected.b)]:
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.shape == other.shape
            assert mine.dtype == x.dtype
            size = float(np.abs(other).max())
            np.testing.assert_allclose(mine, other, rtol=rtol, atol=rtol * size)


@pytest.mark.parametrize("scale", [0.1, 1, 30])
@pytest.mark.parametrize("rows", [None, 1, 2, 17])
@pytest.mark.parametrize("widths", WIDTHS, ids=str)
def test_it_is_pinned_to_the_plain_pass(widths, rows, scale):
    net, x, y = example(widths, rows, scale=scale)
    for _ in range(2):  # with fresh buffers, and with used ones
        assert_pinned(net, x, y)


@pytest.mark.parametrize("rows", [None, 5])
def test_float32_stays_float32(rows):
    assert_pinned(*example((6, 5, 4, 3), rows, np.float32), rtol=2e-6)


@pytest.mark.parametrize("most", [1, 7, 8, 22, 23])
def test_a_large_batch_goes_through_in_blocks(most):
    net, x, y = example((4, 3, 2), 23)
    net.compute.max_rows = most
    assert_pinned(net, x, y)


def test_buffers_of_a_large_batch_stay_small():
    fast = FastPass((2, 64, 1), SIGMOID)
    A, b = [np.ones((64, 2)), np.ones((1, 64))], [np.ones(64), np.ones(1)]
    fast(A, b, np.ones((200_000, 2)), np.ones((200_000, 1)))
    assert max(buffers.all_f.size for buffers in fast._store.values()) <= 2**17


@pytest.mark.parametrize(
    ("widths", "rows"), [((20, 16, 1), 3855), ((1024,) * 4, 1024), ((1, 2**20), 4), ((1, 2**23), 1)]
)
def test_a_block_fits_the_cache_or_has_rows_enough_or_fits_the_memory(widths, rows):
    assert FastPass(widths, SIGMOID).max_rows == rows


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_neither_overflows_nor_warns_however_saturated(dtype):
    net, x, y = example((3, 4, 2), 6, dtype, scale=1e4)
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        loss, gradient = net.loss_and_gradient(x, y)
    assert np.isfinite(loss)
    assert all(np.isfinite(a).all() for a in (*gradient.A, *gradient.b))


def test_a_gradient_is_not_changed_by_the_next_call():
    net, x, y = example((4, 3, 2), 5)
    _, first = net.loss_and_gradient(x, y)
    before = [a.copy() for a in (*first.A, *first.b)]
    net.loss_and_gradient(-x, 1 - y)
    assert same(before, (*first.A, *first.b))


@pytest.mark.parametrize("rows", [1, 5])
def test_a_call_uses_the_arrays_it_is_given_whatever_the_last_one_had(rows):
    net, x, y = example((4, 3, 2), rows)
    other = [2 * a for a in net.A], [c - 1 for c in net.b]
    outs, others = ([np.empty_like(a) for each in other for a in each] for _ in range(2))
    for A, b in [(net.A, net.b), other]:
        for into in [None, outs, others, None]:
            expected = backward_pass(A, forward_pass(A, b, x).f, y)
            _, dA, db, _ = net.compute(A, b, x, y, None, into)
            assert [any(a is out for out in into or ()) for a in dA + db] == [into is not None] * 4
            for mine, theirs in nonempty(zip(dA + db, expected.A + expected.b, strict=True)):
                np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-15)


CHOICES = [
    (activation, output, loss, bias)
    for activation in ACTIVATIONS
    for loss in LOSSES
    for output in LOSSES[loss].outputs
    for bias in (True, False)
]


def general(choices, rows, scale, dtype=np.float64, widths=(5, 4, 4, 3)):
    """A network of any kind, with targets that its loss can judge."""
    activation, output, loss, bias = choices
    document, x, y = example(widths, rows, dtype, scale)
    kinds = {"activation": activation, "output": output, "loss": loss}
    net = Network.from_parameters(document.A, document.b if bias else (), **kinds)
    return net, x, y / y.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("scale", [1, 300])
@pytest.mark.parametrize("rows", [None, 1, 17])
@pytest.mark.parametrize("choices", CHOICES, ids=str)
def test_it_is_pinned_to_the_plain_pass_of_any_network(choices, rows, scale):
    net, x, y = general(choices, rows, scale)
    forward, plain = net.forward(x), GeneralPasses(*choices)
    expected = plain.backward(net.A, forward, y)
    for _ in range(2):  # with fresh buffers, and with used ones
        loss, gradient = net.loss_and_gradient(x, y)
        assert loss == pytest.approx(plain.loss(forward, y), rel=1e-12)
        assert len(gradient.b) == len(net.b)
        pairs = zip((*gradient.A, *gradient.b), (*expected.A, *expected.b), strict=True)
        for ours, theirs in pairs:
            size = float(np.abs(theirs).max())
            np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12 * size)


@pytest.mark.parametrize("together", [1, 20, 2**15])
@pytest.mark.parametrize("rows", [None, 1, 17])
@pytest.mark.parametrize("choices", CHOICES, ids=str)
def test_a_few_rows_at_a_time_of_layers_too_large_for_the_cache_change_nothing(
    choices, rows, together, monkeypatch
):
    net, x, y = general(choices, rows, 1)
    expected = net.loss_and_gradient(x, y)
    monkeypatch.setattr(fast, "IN_CACHE", 0)
    monkeypatch.setattr(fast, "_TOGETHER", together)
    monkeypatch.setattr(fast, "_REPEATED", 0)  # which layers of several parts are too large for
    again, *_ = general(choices, rows, 1)
    for _ in range(2):  # with fresh buffers, and with used ones
        loss, gradient = again.loss_and_gradient(x, y)
        assert loss == expected[0]
        assert same((*gradient.A, *gradient.b), (*expected[1].A, *expected[1].b))


def test_slopes_of_large_layers_are_in_no_memory():
    buffers = fast.Buffers((1, 2**10, 1), 2**10, np.float32, SIGMOID)
    assert not buffers.in_cache
    written = {id(rows.spare.base): rows.spare.size for rows in buffers.rows[0]}
    assert len(buffers.rows[0]) == 32
    assert sum(written.values()) == 2**15


@pytest.mark.parametrize("choices", CHOICES, ids=str)
def test_a_pass_of_any_network_keeps_float32_and_is_divided_by_the_number_of_all(choices):
    net, x, y = general(choices, 6, 1, np.float32)
    whole = net.compute(net.A, net.b, x, y)
    parts = [net.compute(net.A, net.b, x[rows], y[rows], 6) for rows in (slice(4), slice(4, 6))]
    assert sum(loss for loss, *_ in parts) == pytest.approx(whole[0], rel=1e-5)
    for k, array in enumerate((*whole[1], *whole[2])):
        added = sum([*dA, *db][k] for _, dA, db, _ in parts)
        assert added.dtype == array.dtype == np.float32
        np.testing.assert_allclose(added, array, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 2, 17, 3000])
def test_a_bound_pass_does_what_a_call_does_also_between_others(rows):
    net, x, y = example((30, 200, 10), rows)
    into = [np.empty_like(each) for each in (*net.A, *net.b)]
    run = net.compute.bound(net.A, net.b, rows, into)
    for scale in (1.0, 0.5):  # the parameters change in place, as in training
        for A_i in net.A:
            A_i *= scale
        loss, gradient = net.loss_and_gradient(x, y)
        net.loss_and_gradient(x[::-1], y)
        assert run(x, y, rows)[0] == loss
        assert same(into, [*gradient.A, *gradient.b])


def test_neither_the_data_nor_the_parameters_are_written():
    net, x, y = example((4, 3, 2), 5)
    given = [*net.A, *net.b, x, y]
    before = [a.copy() for a in given]
    net.loss_and_gradient(x, y)
    assert same(before, given)


def test_a_parameter_changed_in_place_counts():
    net, x, y = example((4, 3, 2), 5)
    net.loss_and_gradient(x, y)
    net.A[0] *= 2
    net.b[1][0] = 3
    assert_pinned(net, x, y)


def test_an_assigned_parameter_counts_and_is_checked():
    net, x, y = example((4, 3, 2), 5)
    net.loss_and_gradient(x, y)
    net.A[0] = net.A[0] + 1
    assert_pinned(net, x, y)
    net.A[0] = np.ones((3, 5))
    with pytest.raises(ShapeError, match=r"`A\[0\]` does not fit this network"):
        net.loss_and_gradient(x, y)


@pytest.mark.parametrize("other", [np.ones(4), np.ones((5, 3)), np.ones((0, 4)), np.ones((4, 4))])
def test_data_that_does_not_fit_is_checked_after_data_that_did(other):
    net, x, y = example((4, 3, 2), 5)
    net.loss_and_gradient(x, y)
    with pytest.raises(ValueError, match="x"):
        net.loss_and_gradient(other, y)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["x", "y"])
def test_nan_and_infinity_warn_the_second_time_too(name, value):
    net, x, y = example((4, 3, 2), 5)
    net.loss_and_gradient(x, y)
    (x if name == "x" else y)[3, 1] = value
    with pytest.warns(BackpropWarning, match=rf"`{name}\[3, 1\]` is {value}") as caught:
        net.loss_and_gradient(x, y)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("rows", [1, 2, 5, 64])
@pytest.mark.parametrize("widths", [(1, 1), (3, 1), (1, 4), (4, 3, 2), (40, 30, 10)], ids=str)
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_nan_and_infinity_warn_where_no_gradient_passes(activation, widths, rows, dtype, value):
    """Every unit of layer 1 is dead, or so far out that its slope is exactly 0."""
    sizes = list(pairwise(widths))
    A = [np.ones((m, n), dtype) for n, m in sizes]
    b = [np.full(m, -1e4 * (i == 0), dtype) for i, (_, m) in enumerate(sizes)]
    net = Network.from_parameters(A, b, activation=activation, output=activation)
    x, y = np.ones((rows, widths[0]), dtype), np.ones((rows, widths[-1]), dtype)
    net.loss_and_gradient(x, y)
    for place in [(0, 0), (rows - 1, widths[0] - 1)]:
        broken = x.copy()
        broken[place] = value
        with pytest.warns(BackpropWarning, match=rf"`x\[{place[0]}, {place[1]}\]` is {value}"):
            net.loss_and_gradient(broken, y)


def test_views_columns_and_other_dtypes_are_taken():
    net, x, y = example((4, 3, 2), 6)
    expected, _ = plain(net, x, y)
    wide = np.zeros((6, 8))
    wide[:, ::2] = x
    for form in (wide[:, ::2], np.asfortranarray(x), x.tolist(), x[::-1][::-1]):
        assert net.loss_and_gradient(form, y)[0] == pytest.approx(expected, rel=1e-12)


def test_threads_do_not_share_buffers():
    net, x, y = example((20, 30, 10), 40)
    data = [(x * (k + 1), y) for k in range(8)]
    alone = [net.loss_and_gradient(*each) for each in data]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda each: net.loss_and_gradient(*each), data * 25))
    for k, (loss, gradient) in nonempty(enumerate(together)):
        assert loss == alone[k % 8][0]
        assert same(gradient.A, alone[k % 8][1].A)


def test_few_buffers_are_kept():
    net, x, y = example((4, 3, 2), 50)
    for rows in range(2, 50):
        net.loss_and_gradient(x[:rows], y[:rows])
    assert len(net.compute._store) <= 4


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_a_copy_of_a_network_works_by_itself(copied):
    net, x, y = example((4, 3, 2), 5)
    net.loss_and_gradient(x, y)
    other = copied(net)
    assert other.loss_and_gradient(x, y)[0] == net.loss_and_gradient(x, y)[0]
    other.A = [2 * a for a in other.A]
    assert_pinned(other, x, y)
    assert_pinned(net, x, y)


def test_a_pickled_network_leaves_its_buffers_behind():
    net, x, y = example((4, 300, 2), 500)
    net.loss_and_gradient(x, y)
    assert len(pickle.dumps(net)) < 30_000


def test_delta_is_asked_of_the_plain_pass():
    net, x, y = example((4, 3, 2), None)
    with pytest.raises(NotFoundError) as caught:
        net.loss_and_gradient(x, y)[1].delta[2]
    assert str(caught.value) == (
        "The fast pass does not store `delta`.\n"
        "  given:    delta[2] of the gradient from loss_and_gradient\n"
        "  instead:  net.backward(x, y).delta[2]"
    )


def test_large_float32_numbers_are_finite_and_warn_of_nothing():
    net, x, y = example((4, 3, 2), 5, np.float32)
    net.loss_and_gradient(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loss, _ = net.loss_and_gradient(1e30 * x, y)
    assert np.isfinite(loss)

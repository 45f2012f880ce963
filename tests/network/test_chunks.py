"""Dask arrays give the numbers of arrays in memory, wherever the chunks lie."""

import inspect
import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path
from threading import get_ident

import dask
import dask.array as da
import distributed
import numpy as np
import pytest
from dask.delayed import delayed
from distributed import Client, LocalCluster, as_completed

from backprop_nb.errors import (
    BackpropError,
    BackpropWarning,
    DivergenceError,
    InvalidValueError,
    ShapeError,
    UnsupportedError,
)
from backprop_nb.network import Network, SigmoidNetwork, chunks


def same(arrays, others):
    return len(arrays) == len(others) > 0 and all(map(np.array_equal, arrays, others))


def example(rows=40, seed=0, kind=SigmoidNetwork, **options):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 3))
    y = np.stack([x[:, 0] > 0, x[:, 1] > x[:, 2]], axis=1).astype(float)
    return kind((3, 5, 2), seed=seed, **options), x, y


def in_float32(net):
    net.A, net.b = ([a.astype(np.float32) for a in part] for part in (net.A, net.b))
    return net


def cut(array, rows=7, columns=-1):
    return da.from_array(array, (rows, columns)[: array.ndim])


def forget_lengths(array, keep=slice(None)):
    """The same rows, or some of them, as a Dask array that does not know how many there are."""
    mask = np.zeros(array.shape[0], bool)
    mask[keep] = True
    return array[da.from_array(mask, (array.chunks[0],))]


def fit(net, x, y, **options):
    return net.fit(x, y, **{"progress": False, "seed": 1, "batch_size": None} | options)


def parameters(net):
    return np.concatenate([a.ravel() for a in (*net.A, *net.b)])


def assert_same(result, expected, rtol=1e-12):
    assert type(result[0]) is float
    assert result[0] == pytest.approx(expected[0], rel=rtol)
    for name in ("A", "b"):
        for ours, theirs in zip(getattr(result[1], name), getattr(expected[1], name), strict=True):
            assert ours.shape == theirs.shape
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * abs(theirs).max())


def descend(net, x, y, steps, learning_rate=0.5, momentum=0.0):
    """The parameters after one step for each list of rows, written by hand."""
    same = SigmoidNetwork.from_parameters(net.A, net.b)
    velocity = [np.zeros_like(p) for p in (*same.A, *same.b)]
    for rows in steps:
        gradient = same.backward(x[rows], y[rows])
        for p, v, g in zip((*same.A, *same.b), velocity, (*gradient.A, *gradient.b), strict=True):
            v *= momentum
            v -= learning_rate * g
            p += v
    return parameters(same)


# --- the same numbers --------------------------------------------------------


FORMS = {
    "the same chunks": lambda x, y: (cut(x), cut(y)),
    "other chunks": lambda x, y: (cut(x), cut(y, 11)),
    "one chunk": lambda x, y: (cut(x, 40), cut(y, 1)),
    "chunks of columns": lambda x, y: (cut(x, 9, 2), cut(y, 10, 1)),
    "a chunk for each row": lambda x, y: (cut(x, 1), cut(y, 40)),
    "empty chunks": lambda x, y: (cut(x, (0, 11, 0, 29, 0)), cut(y)),
    "x in memory": lambda x, y: (x, cut(y)),
    "y in memory": lambda x, y: (cut(x), y),
    "y a list": lambda x, y: (cut(x), y.tolist()),
    "unknown lengths": lambda x, y: (forget_lengths(cut(x)), forget_lengths(cut(y))),
    "one length unknown": lambda x, y: (cut(x), forget_lengths(cut(y))),
    "unknown, in columns": lambda x, y: (forget_lengths(cut(x, 7, 2)), forget_lengths(cut(y))),
    "computed": lambda x, y: (2 * cut(x) - cut(x), cut(1 - y, 9) == 0),
    "rows the wrong way round": lambda x, y: (cut(x[::-1].copy())[::-1], cut(y)),
    "Fortran's order": lambda x, y: (cut(np.asfortranarray(x)), cut(y)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_loss_and_the_gradient_are_those_of_arrays_in_memory(form):
    net, x, y = example()
    assert_same(net.loss_and_gradient(*form(x, y)), net.loss_and_gradient(x, y))


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_training_on_all_rows_is_that_of_arrays_in_memory(form):
    options = {"epochs": 6, "learning_rate": 2, "momentum": 0.9}
    net, x, y = example()
    expected = fit(net, x, y, **options)
    same, x, y = example()
    history = fit(same, *form(x, y), **options)
    np.testing.assert_allclose(parameters(same), parameters(net), rtol=1e-12)
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-12)
    np.testing.assert_allclose(history.gradient_norms, expected.gradient_norms, rtol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 8, 9, 64, 65])
def test_any_number_of_chunks_is_added_up(n):
    net, x, y = example(rows=n)
    assert_same(net.loss_and_gradient(cut(x, 1), cut(y, 1)), net.loss_and_gradient(x, y))


def test_a_single_input_is_taken_as_in_memory():
    net, x, y = example()
    result = net.loss_and_gradient(cut(x)[3], cut(y)[3])
    assert_same(result, net.loss_and_gradient(x[3], y[3]))
    fit(net, cut(x)[3], y[3], epochs=2)


def test_chunks_that_are_single_inputs_are_rows():
    net, x, y = example(rows=3)
    rows = [da.from_delayed(delayed(row), (1, 3), float) for row in x]
    assert_same(net.loss_and_gradient(da.concatenate(rows), y), net.loss_and_gradient(x, y))


def test_chunks_of_another_shape_than_they_claim_are_named():
    net, x, y = example(rows=2)
    rows = [da.from_delayed(delayed(row), (1, 3), float) for row in (x[0], x[1, :2])]
    with pytest.raises(ShapeError, match=r"^`x\[1:2\]` has 2 entries, `A\[0\]` expects 3"):
        fit(net, da.concatenate(rows), cut(y, 1))


def test_a_single_number_is_taken_as_in_memory():
    net = SigmoidNetwork((1, 1), seed=0)
    assert_same(net.loss_and_gradient(da.asarray(0.3), 1), net.loss_and_gradient(0.3, 1))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float32])
def test_other_dtypes_are_converted(dtype):
    net, x, y = example()
    x, y = np.abs(3 * x).astype(dtype), y.astype(dtype)
    assert_same(net.loss_and_gradient(cut(x), cut(y)), net.loss_and_gradient(x, y))


def test_a_network_of_float32_stays_one():
    net, x, y = example()
    net = in_float32(net)
    assert_same(net.loss_and_gradient(cut(x), cut(y)), net.loss_and_gradient(x, y), rtol=2e-6)
    fit(net, cut(x), cut(y), epochs=2)
    assert {a.dtype for a in (*net.A, *net.b)} == {np.dtype(np.float32)}


KINDS = [
    {"activation": "tanh", "loss": "cross-entropy"},
    {"activation": "relu", "output": "identity", "bias": False},
    {"activation": "leaky relu", "output": "softmax", "loss": "cross-entropy"},
]


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_a_general_network_has_its_own_numbers(options):
    def example_of_classes():
        net, x, y = example(kind=Network, **options)
        return net, x, np.eye(2)[y[:, 0].astype(int)]  # each row adds up to 1, as softmax wants

    net, x, y = example_of_classes()
    assert_same(net.loss_and_gradient(cut(x), cut(y)), net.loss_and_gradient(x, y))
    fit(net, x, y, epochs=3)
    same, x, y = example_of_classes()
    fit(same, cut(x), cut(y), epochs=3)
    np.testing.assert_allclose(parameters(same), parameters(net), rtol=1e-12)


def test_the_gradient_is_not_changed_by_the_next_call():
    net, x, y = example()
    _, first = net.loss_and_gradient(cut(x), cut(y))
    before = [a.copy() for a in (*first.A, *first.b)]
    net.loss_and_gradient(cut(-x), cut(1 - y))
    assert same(before, (*first.A, *first.b))


def test_an_assigned_parameter_counts_and_is_checked():
    net, x, y = example()
    net.loss_and_gradient(cut(x), cut(y))
    net.A[0] = 2 * net.A[0]
    assert_same(net.loss_and_gradient(cut(x), cut(y)), net.loss_and_gradient(x, y))
    net.A[0] = np.ones((5, 4))
    with pytest.raises(ShapeError, match=r"`A\[0\]` does not fit this network"):
        net.loss_and_gradient(cut(x), cut(y))


# --- batches -----------------------------------------------------------------


def batches(net, x, y, size, seed=0):
    data = chunks.Chunks(net, x, y, size)
    return [list(step.args[0]) for step in data.steps(np.random.default_rng(seed))]


@pytest.mark.parametrize(
    ("size", "lengths"), [(1, [1] * 6), (7, [1] * 6), (8, [2] * 3), (15, [3] * 2), (99, [6])]
)
def test_a_step_takes_the_fewest_whole_chunks_that_hold_so_many_rows(size, lengths):
    net, x, y = example(rows=42)
    found = batches(net, cut(x), cut(y), size)
    assert [len(batch) for batch in found] == lengths
    assert sorted(k for batch in found for k in batch) == list(range(6))


def test_chunks_of_different_lengths_count_by_their_rows():
    net, x, y = example(rows=42)
    rows = [1, 20, 1, 20]
    whole = batches(net, cut(x, tuple(rows)), y, 20)[:-1]
    assert whole
    for batch in whole:
        assert sum(rows[k] for k in batch) >= 20
        assert sum(rows[k] for k in batch[:-1]) < 20


def test_a_chunk_of_unknown_length_is_a_step():
    net, x, y = example(rows=42)
    found = batches(net, forget_lengths(cut(x)), forget_lengths(cut(y)), 1000)
    assert sorted(found) == [[k] for k in range(6)]
    assert found != sorted(found)


@pytest.mark.parametrize("unknown", [False, True])
def test_steps_are_what_one_would_write_by_hand(unknown):
    net, x, y = example(rows=42)
    random = np.random.default_rng(1)
    order = [k for _ in range(3) for k in random.permutation(6)]
    steps = [slice(7 * k, 7 * k + 7) for k in order]
    expected = descend(net, x, y, steps, learning_rate=0.7, momentum=0.9)
    x, y = (forget_lengths(cut(each)) if unknown else cut(each) for each in (x, y))
    history = fit(net, x, y, epochs=3, batch_size=5, learning_rate=0.7, momentum=0.9)
    np.testing.assert_allclose(parameters(net), expected, rtol=1e-12)
    assert history.epochs == 3


@pytest.mark.parametrize("unknown", [False, True])
def test_by_default_a_step_takes_eight_chunks_whatever_is_in_them(unknown):
    net, x, y = example(rows=57)
    x, y = (forget_lengths(cut(each, 3)) if unknown else cut(each, 3) for each in (x, y))
    found = batches(net, x, y, "auto")
    assert [len(batch) for batch in found] == [8, 8, 3]
    assert sorted(k for batch in found for k in batch) == list(range(19))
    order = np.random.default_rng(1).permutation(19)
    steps = [
        np.concatenate([np.arange(57)[3 * k : 3 * k + 3] for k in order[i : i + 8]])
        for i in (0, 8, 16)
    ]
    expected = descend(net, *example(rows=57)[1:], steps)
    net.fit(x, y, epochs=1, seed=1, progress=False)
    np.testing.assert_allclose(parameters(net), expected, rtol=1e-12)


def test_by_default_chunks_are_made_and_used_side_by_side():
    net, x, y = example(rows=57)
    both = threading.Barrier(2)  # none comes past it alone

    def make(block):
        both.wait(timeout=60)
        return block

    x = cut(x, 3)[:48].map_blocks(make, dtype=float, meta=np.empty((0, 0)))
    data = chunks.Chunks(net, x, y[:48], "auto")
    with dask.config.set(num_workers=2):
        assert sum(step(0.1)[2] for step in data.steps(np.random.default_rng(0))) == 48


def test_a_seed_makes_training_the_same_on_however_many_workers():
    trained = []
    for seed, workers in ((4, 1), (4, 4), (5, 1)):
        net, x, y = example()
        with dask.config.set(num_workers=workers):
            net.fit(cut(x, 2), cut(y), epochs=3, seed=seed, progress=False)
        trained.append(parameters(net))
    assert np.array_equal(trained[0], trained[1])
    assert not np.array_equal(trained[0], trained[2])


@pytest.mark.parametrize("unknown", [False, True])
def test_a_chunk_without_rows_moves_nothing(unknown):
    net, x, y = example(rows=14)
    random = np.random.default_rng(1)
    order = [k for _ in range(5) for k in random.permutation(3)]
    rows = [slice(0, 7), None, slice(7, 14)]
    steps = [rows[k] for k in order if k != 1]
    expected = descend(net, x, y, steps, momentum=0.9)
    if unknown:
        keep = np.r_[0:7, 14:21]
        x, y = (forget_lengths(cut(np.insert(a, [7] * 7, 0, axis=0)), keep) for a in (x, y))
    else:
        x, y = (cut(a, (7, 0, 7)) for a in (x, y))
    history = fit(net, x, y, epochs=5, batch_size=1, momentum=0.9)
    np.testing.assert_allclose(parameters(net), expected, rtol=1e-12)
    assert np.isfinite(history.loss).all()


# --- what Dask is asked to do ------------------------------------------------


def counted(array, counts):
    """The same array, which notes whenever one of its chunks is made."""

    def make(block, block_id):
        counts.append(block_id[0])
        return block

    return array.map_blocks(make, dtype=array.dtype, meta=np.empty((0, 0)))


def test_each_epoch_reads_each_chunk_once_and_the_sample_one_more():
    net, x, y = example(rows=42)
    read = []
    both = counted(cut(np.hstack([x, y])), read)  # what x and y are made of is read once
    fit(net, both[:, :3], both[:, 3:], epochs=3, batch_size=7)
    assert sorted(read) == sorted([0] + 3 * list(range(6)))
    read.clear()
    net.loss_and_gradient(both[:, :3], both[:, 3:])
    assert sorted(read) == list(range(6))


@pytest.fixture
def sent(monkeypatch):
    """The sizes of the graphs that Dask is given, in bytes; tasks travel one by one."""
    sizes = []

    def compute(*args):
        graphs = [dict(each.dask) for each in args]
        sizes.extend(sum(len(pickle.dumps(task)) for task in graph.values()) for graph in graphs)
        return dask.compute(*args)

    monkeypatch.setattr(chunks, "compute", compute)
    return sizes


def test_the_parameters_are_sent_once_for_all_chunks(sent):
    net = SigmoidNetwork((100, 100, 1), seed=0)
    net.loss_and_gradient(da.zeros((40, 100), chunks=(8, -1)), da.zeros((40, 1), chunks=(8, -1)))
    assert len(pickle.dumps(net)) < sent[0] < 2 * len(pickle.dumps(net))


def test_a_step_sends_only_its_own_chunks(sent):
    net, x, y = example(rows=4000)
    steps = chunks.Chunks(net, cut(x, 100), cut(y, 100), 1).steps(np.random.default_rng(0))
    next(steps)(0.1)
    assert sent[0] < x.nbytes / 5


def test_without_a_client_it_runs_on_the_threads_of_this_process():
    net, x, y = example()
    at = []

    def make(block):
        at.append((os.getpid(), get_ident()))
        return block

    net.loss_and_gradient(cut(x).map_blocks(make, dtype=float, meta=np.empty((0, 0))), cut(y))
    assert {pid for pid, _ in at} == {os.getpid()}
    assert get_ident() not in {ident for _, ident in at}


def test_the_scheduler_of_dasks_settings_is_used():
    net, x, y = example()
    at = []
    x = cut(x).map_blocks(
        lambda block: at.append(get_ident()) or block, dtype=float, meta=np.empty((0, 0))
    )
    with dask.config.set(scheduler="synchronous"):
        net.loss_and_gradient(x, cut(y))
    assert set(at) == {get_ident()}


def test_saturation_is_told_from_the_first_rows():
    net, x, y = example(rows=600)
    history = fit(net, cut(x, (0, 300, 300)), cut(y, 600), epochs=2)
    np.testing.assert_array_equal(history.saturation[-1], net.saturation(x[:256]))


# --- the outputs and the loss ------------------------------------------------


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_loss_is_that_of_arrays_in_memory(form):
    net, x, y = example()
    assert net.loss(*form(x, y)) == pytest.approx(net.loss(x, y), rel=1e-12)


def test_the_loss_warns_of_nan_at_the_users_own_line():
    net, x, y = example()
    with pytest.warns(BackpropWarning, match=r"^`x\[14:21\]\[3, 1\]` is nan") as caught:
        assert np.isnan(net.loss(cut(spoiled(x, 17, 1)), cut(y)))
    assert caught[0].filename == __file__


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_outputs_are_an_array_of_dask_in_the_same_chunks(form):
    net, x, y = example()
    given = form(x, y)[0]
    found = net(given)
    np.testing.assert_allclose(found, net(x), rtol=1e-12)
    if isinstance(given, da.Array):
        assert isinstance(found, da.Array)
        assert found.numblocks == (given.numblocks[0], 1)
        np.testing.assert_equal(found.shape, (given.shape[0], 2))
        assert found.dtype == found.blocks[0].compute().dtype == float


def test_the_outputs_are_computed_when_they_are_asked_for_with_the_parameters_of_before():
    net, x, y = example()
    read = []
    expected, found = net(x), net(counted(cut(x), read))
    fit(net, x, y, epochs=1)
    assert read == []
    np.testing.assert_allclose(found[8:12], expected[8:12], rtol=1e-12)
    assert read == [1]


@pytest.mark.parametrize("options", [{}, *KINDS], ids=str)
def test_the_outputs_of_any_network_of_one_input_and_in_its_own_dtype(options):
    net, x, _ = example(kind=Network, **options)
    found = in_float32(net)(cut(x)[3])
    assert found.dtype == found.compute().dtype == np.float32
    np.testing.assert_allclose(found, net(x[3]), rtol=1e-6)


def test_the_outputs_where_there_is_nan_are_nan():
    net, x, _ = example()
    found = net(cut(spoiled(x, 17, 1))).compute()
    assert np.flatnonzero(np.isnan(found).any(axis=1)).tolist() == [17]


def test_inputs_that_do_not_fit_are_named_at_once():
    with pytest.raises(ShapeError, match=r"^`x` has 2 columns, `A\[0\]` expects 3"):
        NET(cut(X)[:, :2])


IN_CHUNKS = {"__call__", "loss", "loss_and_gradient", "fit"}
OTHERS = [
    name
    for name, method in inspect.getmembers(SigmoidNetwork, inspect.isfunction)
    if name not in IN_CHUNKS
    and "dtype" not in name
    # Who gives A and b has had it all checked.
    and {"x", "A"} & {*inspect.signature(method).parameters} == {"x"}
]


@pytest.mark.parametrize("name", [*OTHERS, "from_parameters"])
def test_what_needs_all_of_an_array_refuses_one_of_dask_and_reads_nothing(name):
    read = []
    given = {"x": counted(cut(X), read), "y": cut(Y), "A": [counted(cut(NET.A[0]), read)]}
    given |= {"b": NET.b[:1], "i": 0, "names": ("x", "y")}
    method = getattr(NET, name)
    with pytest.raises(UnsupportedError) as caught:
        method(**{key: given[key] for key in inspect.signature(method).parameters if key in given})
    assert read == []
    what = "A[0]" if name == "from_parameters" else "x"
    assert str(caught.value) == (
        f"`{what}` may be larger than memory, and this needs all of it there.\n"
        f"  given:    {what} of type dask.array.core.Array\n"
        "  expected: an array in memory\n"
        f"  instead:  {what}.compute(), if it fits; net(x), net.loss(x, y), "
        "net.loss_and_gradient(x, y) and net.fit(x, y) go through it chunk by chunk"
    )


# --- rows held out -----------------------------------------------------------


@pytest.mark.parametrize("train_cut", [False, True])
@pytest.mark.parametrize("other_cut", [False, True])
def test_other_rows_can_be_held_out_wherever_they_are(train_cut, other_cut):
    net, x, y = example()
    _, other_x, other_y = example(seed=9, rows=20)
    train = (cut(x), cut(y)) if train_cut else (x, y)
    other = (cut(other_x), cut(other_y, 3)) if other_cut else (other_x, other_y)
    history = fit(net, *train, epochs=3, validation=other)
    assert history.validation_loss[-1] == pytest.approx(net.loss(other_x, other_y), rel=1e-12)
    same, _, _ = example()
    expected = fit(same, x, y, epochs=3, validation=(other_x, other_y))
    np.testing.assert_allclose(history.validation_loss, expected.validation_loss, rtol=1e-12)
    np.testing.assert_allclose(parameters(net), parameters(same), rtol=1e-12)


# --- what goes wrong on the way ----------------------------------------------


def test_an_interrupt_in_mid_epoch_keeps_whole_steps():
    net, x, y = example(rows=42)
    random = np.random.default_rng(1)
    order = [k for _ in range(2) for k in random.permutation(6).tolist()]
    steps = order[: 6 + order[6:].index(5)]  # all before chunk 5 is met for the second time
    expected = descend(net, x, y, [slice(7 * k, 7 * k + 7) for k in steps])
    seen, interrupted = [], threading.Event()

    def interrupt(*_):
        if not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt

    def make(block, block_id):
        seen.append(block_id[0])
        if seen.count(5) == 2 and block_id[0] == 5:
            # To the thread that waits: sent to the process, any thread might take it.  And again,
            # since one that comes in the moment before it begins to wait does not wake it.
            for _ in range(600):
                signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
                if interrupted.wait(0.1):
                    break
            assert interrupted.is_set()
        return block

    before = signal.signal(signal.SIGINT, interrupt)
    x = cut(x).map_blocks(make, dtype=float, meta=np.empty((0, 0)))
    try:
        history = fit(net, x, cut(y), epochs=9, batch_size=7)
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.stopped == "interrupted"
    assert history.epochs == 1
    np.testing.assert_allclose(parameters(net), expected, rtol=1e-12)


def test_a_chunk_that_cannot_be_read_says_why_and_what_was_learned_stays():
    net, x, y = example(rows=42)
    random = np.random.default_rng(1)
    order = random.permutation(6).tolist()
    steps = order[: order.index(5)]
    expected = descend(net, x, y, [slice(7 * k, 7 * k + 7) for k in steps])

    def make(block, block_id):
        if block_id[0] == 5:
            raise OSError("the disk is gone")
        return block

    x = cut(x).map_blocks(make, dtype=float, meta=np.empty((0, 0)))
    with pytest.raises(OSError, match="the disk is gone"):
        fit(net, x, cut(y), epochs=9, batch_size=7)
    np.testing.assert_allclose(parameters(net), expected, rtol=1e-12)


def test_training_that_diverges_is_told_as_in_memory():
    messages = []
    for form in (np.asarray, cut):
        net, x, y = example()
        before = parameters(net)
        with pytest.raises(DivergenceError) as caught:
            fit(net, form(x), form(y), learning_rate=1e5, epochs=9)
        messages.append(str(caught.value))
        assert np.array_equal(parameters(net), before)
    assert messages[0] == messages[1]


def test_numbers_that_overflow_are_no_fault_of_the_data():
    net = Network((1, 1, 1, 1), activation="identity")
    net.A = [np.array([[1e200]]), np.array([[1e200]]), np.array([[1e-300]])]
    with pytest.raises(DivergenceError, match="diverged at layer"):
        fit(net, cut(np.ones((4, 1)), 2), cut(np.zeros((4, 1)), 2), epochs=2)


# --- NaN and infinity --------------------------------------------------------


def spoiled(array, row, column, value=np.nan):
    array = array.copy()
    array[row, column] = value
    return array


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_in_a_chunk_warns_at_the_users_own_line(value):
    net, x, y = example()
    with pytest.warns(BackpropWarning) as caught:
        loss, _ = net.loss_and_gradient(cut(spoiled(x, 17, 1, value)), cut(y))
    assert [str(each.message) for each in caught] == [
        f"`x[14:21][3, 1]` is {value}: what is computed from it means nothing."
    ]
    assert caught[0].filename == __file__
    assert np.isnan(loss) == np.isnan(value)


def test_the_first_chunk_with_nan_is_named():
    net, x, y = example()
    y = spoiled(spoiled(y, 30, 0), 21, 1)
    with pytest.warns(BackpropWarning, match=r"^`y\[21:28\]\[0, 1\]` is nan") as caught:
        net.loss_and_gradient(cut(x), cut(y, 10))
    assert len(caught) == 1


@pytest.mark.parametrize("size", [None, 7])
@pytest.mark.parametrize("row", [3, 38])  # in the chunk that saturation is told from, or not
@pytest.mark.parametrize("patience", [None, 2])
def test_nan_ends_training_names_the_chunk_and_changes_nothing(size, row, patience):
    net, x, y = example()
    before, arrays = parameters(net), [*net.A, *net.b]
    start = row // 7 * 7
    rows = f"x[{start}:{min(start + 7, 40)}]"
    with pytest.raises(InvalidValueError) as caught:
        fit(net, cut(spoiled(x, row, 1)), cut(y), batch_size=size, epochs=9, patience=patience)
    assert str(caught.value) == (
        f"`{rows}[3, 1]` is nan: nothing can be learned from it, or judged by it.\n"
        f"  given:    {rows} of shape ({min(7, 40 - start)}, 3), 1 not finite\n"
        "  expected: finite numbers\n"
        f"  instead:  np.isfinite({rows}).all(axis=-1) tells which rows to use"
    )
    assert np.array_equal(parameters(net), before)
    assert all(a is b for a, b in zip([*net.A, *net.b], arrays, strict=True))


def test_a_chunk_of_unknown_length_is_named_by_its_block():
    net, x, y = example()
    x, y = forget_lengths(cut(x)), forget_lengths(cut(spoiled(y, 17, 1)))
    with pytest.raises(InvalidValueError, match=r"^`y\.blocks\[2\]\[3, 1\]` is nan"):
        fit(net, x, y)


def test_nan_in_rows_held_out_is_named_and_nothing_is_changed():
    net, x, y = example()
    before = parameters(net)
    with pytest.raises(InvalidValueError, match=r"^`validation\[0\]\[14:21\]\[3, 1\]` is nan"):
        fit(net, x, y, validation=(cut(spoiled(x, 17, 1)), cut(y)))
    assert np.array_equal(parameters(net), before)


def test_what_the_message_advises_helps():
    net, x, y = example()
    x = cut(spoiled(x, 17, 1))
    keep = np.isfinite(x).all(axis=-1)
    assert fit(net, x[keep], cut(y)[keep], epochs=2).epochs == 2


def test_large_float32_numbers_are_finite_and_no_chunk_is_fetched_to_check_them():
    net, x, y = example()
    read = []
    x = counted(cut(1e30 * x), read)
    loss, _ = in_float32(net).loss_and_gradient(x, cut(y))
    assert np.isfinite(loss)
    assert sorted(read) == list(range(6))


def test_a_number_too_large_for_float32_is_infinite_as_in_memory():
    net, x, y = example()
    with pytest.warns(BackpropWarning, match=r"^`x\[14:21\]\[3, 1\]` is inf"):
        in_float32(net).loss_and_gradient(cut(spoiled(x, 17, 1, 1e300)), cut(y))


def test_parameters_that_are_nan_are_no_fault_of_the_data():
    net, x, y = example()
    net.A[0][0, 0] = np.nan
    loss, _ = net.loss_and_gradient(cut(x), cut(y))
    assert np.isnan(loss)


def test_cross_entropy_refuses_a_chunk_with_other_than_probabilities():
    net, x, y = example(kind=Network, loss="cross-entropy")
    y[17, 0] = -2
    before = parameters(net)
    for train in (lambda: fit(net, cut(x), cut(y)), lambda: net.loss_and_gradient(cut(x), cut(y))):
        with pytest.raises(InvalidValueError) as caught:
            train()
        assert str(caught.value) == (
            "`y[14:21]` must hold probabilities: the cross-entropy compares them.\n"
            "  given:    y[14:21] from -2 to 1\n"
            "  expected: y[14:21] from 0 to 1"
        )
    assert np.array_equal(parameters(net), before)


# --- data that do not fit ----------------------------------------------------

NET, X, Y = example()
UNKNOWN_X, UNKNOWN_Y = forget_lengths(cut(X)), forget_lengths(cut(Y))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X[:, :2], Y),
        (X, Y[:39]),
        (X[0].repeat(9), Y),
        (X[None], Y),
        (X[:0], Y[:0]),
        (X.astype(complex), Y),
    ],
    ids=["columns", "rows", "flat", "dimensions", "empty", "complex"],
)
def test_data_that_do_not_fit_are_told_as_in_memory(x, y):
    before = parameters(NET)
    with pytest.raises(BackpropError) as expected:
        NET.loss_and_gradient(x, y)
    calls = (lambda *data: fit(NET, *data, batch_size=1)), NET.loss_and_gradient
    chunked = da.from_array(x, x.shape), da.from_array(y, y.shape)
    for call in calls:
        with pytest.raises(type(expected.value)) as caught:
            call(*chunked)
        assert str(caught.value) == str(expected.value)
    assert np.array_equal(parameters(NET), before)


@pytest.mark.parametrize(
    ("x", "y", "options", "kind", "expected"),
    [
        (
            UNKNOWN_X[:, :1],
            UNKNOWN_Y,
            {},
            ShapeError,
            "`x` has 1 column, `A[0]` expects 3.\n"
            "  given:    x of shape (nan, 1), A[0] of shape (5, 3)\n"
            "  expected: x of shape (3,), or (N, 3) with one input per row",
        ),
        (
            cut(X),
            cut(Y)[:, :1],
            {},
            ShapeError,
            "`y` has 1 column, `A[1]` gives 2.\n"
            "  given:    y of shape (40, 1), x of shape (40, 3), A[1] of shape (2, 5)\n"
            "  expected: y of shape (40, 2), one target per row",
        ),
        (
            cut(X),
            cut(Y)[:, 0],
            {},
            ShapeError,
            "`x` is a batch of 40 rows, `y` is a single target.\n"
            "  given:    y of shape (40,), x of shape (40, 3)\n"
            "  expected: y of shape (40, 2), one target per row",
        ),
        (
            forget_lengths(cut(X), []),
            forget_lengths(cut(Y), []),
            {},
            InvalidValueError,
            "`x` is empty.\n  given:    x of 6 chunks without rows\n  expected: at least one row",
        ),
        (
            UNKNOWN_X,
            Y,
            {},
            ShapeError,
            "`x` and `y` cannot be cut alike, since the lengths of chunks are unknown.\n"
            "  given:    x of shape (nan, 3) in 6 chunks, y of shape (40, 2) in memory\n"
            "  expected: known lengths, or the same chunks of rows in both\n"
            "  instead:  x.compute_chunk_sizes()",
        ),
        (
            UNKNOWN_X,
            forget_lengths(cut(Y, 11)),
            {},
            ShapeError,
            "`x` and `y` cannot be cut alike, since the lengths of chunks are unknown.\n"
            "  given:    x of shape (nan, 3) in 6 chunks, y of shape (nan, 2) in 4 chunks\n"
            "  expected: known lengths, or the same chunks of rows in both\n"
            "  instead:  x.compute_chunk_sizes() and y.compute_chunk_sizes()",
        ),
        (
            UNKNOWN_X,
            forget_lengths(cut(Y), np.r_[0:17, 18:40]),
            {},
            ShapeError,
            "`x.blocks[2]` has 7 rows, `y.blocks[2]` has 6 rows.\n"
            "  given:    y.blocks[2] of shape (6, 2), x.blocks[2] of shape (7, 3)\n"
            "  expected: y.blocks[2] of shape (7, 2), one target per row",
        ),
        (
            cut(X),
            cut(Y.astype(str), 40),
            {},
            UnsupportedError,
            "`y` must hold real numbers.\n"
            "  given:    y of dtype <U32\n"
            "  expected: integers or floats\n"
            "  instead:  y.astype(float)",
        ),
        (
            cut(X),
            delayed(Y),
            {},
            UnsupportedError,
            "`y` must be an array.\n"
            "  given:    y of type DelayedLeaf\n"
            "  expected: a Dask array, or data in memory",
        ),
        (
            X,
            Y,
            {"validation": (cut(X)[:, 1:], cut(Y))},
            ShapeError,
            "`validation[0]` has 2 columns, `A[0]` expects 3.\n"
            "  given:    validation[0] of shape (40, 2), A[0] of shape (5, 3)\n"
            "  expected: validation[0] of shape (3,), or (N, 3) with one input per row",
        ),
        (
            cut(X),
            cut(Y),
            {"validation": 0.2},
            InvalidValueError,
            "`validation` cannot be a share of a Dask array.\n"
            "  given:    validation = 0.2\n"
            "  expected: other rows, as a pair\n"
            "  instead:  validation=(x[:n], y[:n]), and x[n:], y[n:] to train on",
        ),
    ],
)
def test_data_that_do_not_fit_are_named_and_nothing_is_changed(x, y, options, kind, expected):
    before, arrays = parameters(NET), list(NET.A)
    calls = [lambda: fit(NET, x, y, batch_size=1, **options)]
    calls += [] if options else [lambda: NET.loss_and_gradient(x, y)]
    for call in calls:
        with pytest.raises(kind) as caught:
            call()
        assert str(caught.value) == expected
        assert isinstance(caught.value, BackpropError)
    assert np.array_equal(parameters(NET), before)
    assert all(a is b for a, b in zip(NET.A, arrays, strict=True))


@pytest.mark.parametrize("unknown", [False, True])
def test_a_column_without_columns_is_told_what_to_write(unknown):
    net = SigmoidNetwork((1, 1), seed=0)
    x, y = cut(X)[:, 0], cut(Y)[:, :1]
    x = forget_lengths(x) if unknown else x
    write = "x[:, None]" if unknown else "x.reshape(-1, 1)"
    with pytest.raises(ShapeError) as caught:
        net.loss_and_gradient(x, y)
    assert str(caught.value).endswith(f"  instead:  {write}")
    assert_same(net.loss_and_gradient(eval(write), y), net.loss_and_gradient(X[:, :1], Y[:, :1]))


def test_what_the_message_advises_for_a_share_helps():
    net, x, y = example()
    x, y, n = cut(x), cut(y), 10
    history = fit(net, x[n:], y[n:], validation=(x[:n], y[:n]), epochs=2)
    assert history.validation_loss[-1] == pytest.approx(net.loss(X[:10], Y[:10]), rel=1e-12)


def test_a_data_frame_is_told_what_to_write():
    class DataFrame:
        def to_dask_array(self): ...

    DataFrame.__module__ = "dask.dataframe.core"
    with pytest.raises(UnsupportedError) as caught:
        NET.loss_and_gradient(DataFrame(), Y)
    assert str(caught.value) == (
        "`x` must be an array.\n"
        "  given:    x of type DataFrame\n"
        "  expected: a Dask array, or data in memory\n"
        "  instead:  x.to_dask_array()"
    )


# --- memory ------------------------------------------------------------------

TRAIN = r"""
import re, sys
from pathlib import Path
import dask
import dask.array as da
from backprop_nb import SigmoidNetwork

def peak():
    return int(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1]) / 1e3

dask.config.set(num_workers=2)  # each has a chunk in memory
net = SigmoidNetwork((25, 8, 1), seed=0)
for rows in (100_000, 6_000_000):  # the first loads all there is to load
    x = da.random.default_rng(0).random((rows, 25), chunks=(50_000, -1))
    net.fit(x, x[:, :1], epochs=1, batch_size=None, progress=False)
    print(peak())
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
def test_more_data_than_is_kept_in_memory_can_be_learned():
    done = subprocess.run(
        [sys.executable, "-c", TRAIN],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # quicker, see loss_and_gradient
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = map(float, done.stdout.split())
    assert after - before < 200  # of 1200 MB, in chunks of 10 MB


# --- a cluster ---------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster():
    # Any free port: the default one warns if another test has a cluster too.
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with Client(cluster) as client:
        client.wait_for_workers(2)  # one may have been killed just now
        yield client


def noting(array, log, killed=None):
    """The same array; each chunk notes its process, and the second use of `killed` kills it.

    What runs on a worker is defined inside a function: this file cannot be imported there.
    """

    def make(block, block_id):
        k = block_id[0]
        with log.open("a") as file:
            file.write(f"{os.getpid()} {k}\n")
        if k == killed and log.read_text().count(f" {k}\n") == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return block

    return array.map_blocks(make, dtype=array.dtype, meta=np.empty((0, 0)))


def noted(log):
    """The processes, each once, and the chunks."""
    lines = [line.split() for line in log.read_text().splitlines()]
    return {int(pid) for pid, _ in lines}, [int(k) for _, k in lines]


@pytest.mark.slow
def test_a_cluster_computes_the_same_numbers_on_its_workers(client, tmp_path):
    net, x, y = example()
    result = net.loss_and_gradient(noting(cut(x), tmp_path / "log"), cut(y, 11))
    assert_same(result, net.loss_and_gradient(x, y))
    pids, made = noted(tmp_path / "log")
    assert pids <= set(client.run(os.getpid).values())
    assert sorted(made) == list(range(6))


@pytest.mark.slow
def test_a_worker_killed_in_mid_epoch_loses_nothing(client, tmp_path):
    net, x, y = example()
    expected = fit(net, x, y, epochs=4, momentum=0.9)
    same, x, y = example()
    before = set(client.run(os.getpid).values())
    x = noting(cut(x), tmp_path / "log", killed=3)
    history = fit(same, x, cut(y), epochs=4, momentum=0.9)
    np.testing.assert_allclose(parameters(same), parameters(net), rtol=1e-12)
    np.testing.assert_allclose(history.loss, expected.loss, rtol=1e-12)
    _, made = noted(tmp_path / "log")
    assert made.count(3) == 5  # in four epochs, and once in vain
    client.wait_for_workers(2)
    assert len(before & set(client.run(os.getpid).values())) == 1


@pytest.mark.slow
def test_what_has_come_back_is_not_lost_with_a_worker(client, tmp_path, monkeypatch):
    net, x, y = example(rows=24)
    processes = client.run(os.getpid)
    back, holders = [], []

    def deadly(tasks, **options):
        for future, result in as_completed(tasks, **options):
            back.append(tasks.index(future))
            holders.extend(client.who_has(future)[future.key])
            if len(back) == 2:  # of three groups of eight chunks
                os.kill(processes[holders[0]], signal.SIGKILL)
            yield future, result

    monkeypatch.setattr(distributed, "as_completed", deadly)
    made = tmp_path / "log"
    result = net.loss_and_gradient(noting(cut(x, 1), made), cut(y, 1))
    assert_same(result, net.loss_and_gradient(x, y))
    assert sorted(back) == [0, 1, 2]
    times = [noted(made)[1].count(k) for k in range(24)]
    assert [times[8 * group : 8 * group + 8] for group in back[:2]] == 2 * [8 * [1]]


@pytest.mark.slow
def test_arrays_that_a_cluster_keeps_are_made_once(client, tmp_path):
    net, x, y = example()
    kept = noting(cut(x), tmp_path / "log").persist()
    expected = net.loss_and_gradient(x, y)
    assert_same(net.loss_and_gradient(kept, cut(y).persist()), expected)
    assert_same(net.loss_and_gradient(kept + 0, cut(y)), expected)
    fit(net, kept, cut(y), epochs=2, batch_size=7)
    assert len(noted(tmp_path / "log")[1]) == 6


@pytest.mark.slow
def test_a_general_network_can_travel(client):
    net, x, y = example(kind=Network, activation="relu", loss="cross-entropy")
    assert_same(net.loss_and_gradient(cut(x), cut(y)), net.loss_and_gradient(x, y))
    np.testing.assert_allclose(net(cut(x)), net(x), rtol=1e-12)


@pytest.mark.slow
def test_a_cluster_names_the_chunk_with_nan(client):
    net, x, y = example()
    before = parameters(net)
    with pytest.raises(InvalidValueError, match=r"^`x\[14:21\]\[3, 1\]` is nan"):
        fit(net, cut(spoiled(x, 17, 1)), cut(y), batch_size=7)
    assert np.array_equal(parameters(net), before)

"""Gradient descent against a naive second one, and everything that may go wrong on the way."""

import contextlib
import re
import tracemalloc
import warnings
from itertools import pairwise

import numpy as np
import pytest

from backprop_nb.data import load_digits
from backprop_nb.errors import (
    BackpropError,
    BackpropWarning,
    DivergenceError,
    InvalidValueError,
)
from backprop_nb.network import Network, SigmoidNetwork, theta, training
from backprop_nb.network.activations import ACTIVATIONS
from backprop_nb.network.losses import LOSSES


def example(rows=40, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 3)).astype(dtype)
    y = np.stack([x[:, 0] > 0, x[:, 1] > x[:, 2]], axis=1).astype(dtype)
    return SigmoidNetwork((3, 5, 2), seed=seed), x, y


def fit(net, x, y, **options):
    return net.fit(x, y, **{"progress": False, "seed": 1} | options)


def parameters(net):
    return np.concatenate([a.ravel() for a in (*net.A, *net.b)])


# --- the descent -------------------------------------------------------------


def test_epoch_by_epoch_is_the_same_training():
    options = training.FitOptions(0.5, 6, 7, 0.9, None, 3, False)
    net, x, y = example()
    at_once = net.fit(x, y, learning_rate=0.5, epochs=6, batch_size=7, momentum=0.9, seed=3,
                      validation=0.2, progress=False)  # fmt: skip
    again, x, y = example()
    data, held_out = training.data_of(again, x, y, 7).split(0.2, 3)
    descent = training.Descent(again, data, held_out, options)
    descent.take_over()
    for _ in range(6):
        descent.epoch()
    np.testing.assert_array_equal(parameters(again), parameters(net))
    np.testing.assert_array_equal(descent.history.loss, at_once.loss)


@pytest.mark.parametrize("momentum", [0, 0.9])
def test_plain_descent_is_what_one_would_write_by_hand(momentum):
    net, x, y = example()
    A, b = [a.copy() for a in net.A], [c.copy() for c in net.b]
    velocity = [np.zeros_like(p) for p in A + b]
    losses = []
    for _ in range(7):
        same = SigmoidNetwork.from_parameters(A, b)
        losses.append(same.loss(x, y))
        gradient = same.backward(x, y)
        for p, v, g in zip(A + b, velocity, gradient.A + gradient.b, strict=True):
            v *= momentum
            v -= 0.3 * g
            p += v
    history = fit(net, x, y, epochs=7, learning_rate=0.3, momentum=momentum, batch_size=None)
    np.testing.assert_allclose(parameters(net), np.concatenate([p.ravel() for p in A + b]))
    np.testing.assert_allclose(history.loss, losses, rtol=1e-12)


def test_every_row_is_used_once_an_epoch_in_batches():
    net, x, y = example(rows=10)
    data = training.ArrayData(net, x, y, 4)
    batches = [step.args[0].copy() for step in data.steps(np.random.default_rng(0))]
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert sorted(np.concatenate(batches).tolist()) == sorted(x.tolist())
    again = [step.args[0].copy() for step in data.steps(np.random.default_rng(1))]
    assert not np.array_equal(np.concatenate(batches), np.concatenate(again))


def test_a_seed_makes_training_the_same():
    trained = []
    for seed in (4, 4, 5):
        net, x, y = example()
        fit(net, x, y, epochs=3, batch_size=8, seed=seed)
        trained.append(parameters(net))
    assert np.array_equal(trained[0], trained[1])
    assert not np.array_equal(trained[0], trained[2])


def test_a_second_fit_goes_on_from_the_first():
    net, x, y = example()
    fit(net, x, y, epochs=20, learning_rate=1)
    history = fit(net, x, y, epochs=1, learning_rate=1)
    assert history.loss[0] < 0.35


def test_float32_stays_float32():
    net, x, y = example(dtype=np.float32)
    net = SigmoidNetwork.from_parameters(
        [a.astype(np.float32) for a in net.A], [c.astype(np.float32) for c in net.b]
    )
    fit(net, x, y, epochs=2)
    assert {a.dtype for a in (*net.A, *net.b)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("rate", [1e-30, 1e-12, 0.5])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_record_does_not_depend_on_the_length_of_a_step(dtype, rate):
    net, x, y = example(dtype=dtype)
    gradient, loss = net.backward(x, y), net.loss(x, y)
    history = fit(net, x, y, epochs=1, batch_size=None, learning_rate=rate)
    pairs = zip(gradient.A, gradient.b, strict=True)
    norms = [np.hypot(np.linalg.norm(a), np.linalg.norm(c)) for a, c in pairs]
    np.testing.assert_allclose(history.gradient_norms[0], norms, rtol=1e-5)
    assert history.loss[0] == pytest.approx(loss, rel=1e-5)


def test_a_step_too_short_to_be_told_is_refused():
    net, x, y = example()
    for several in ([0.1], np.array([0.1]), np.array([0.1, 0.2])):
        with pytest.raises(InvalidValueError, match="`learning_rate` must be a positive number"):
            fit(net, x, y, learning_rate=several)
    with pytest.raises(InvalidValueError, match="`learning_rate` must be 1e-30 or more"):
        fit(net, x, y, learning_rate=1e-310)


@pytest.mark.parametrize("size", [4, None])
@pytest.mark.parametrize("validation", [None, 0.25])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, ">f4"])
def test_a_network_takes_float32_from_its_data_and_keeps_it(size, validation, dtype):
    net, x, y = example(dtype=dtype)
    options = {"epochs": 2, "batch_size": size, "validation": validation, "seed": 0}
    fit(net, x, y.astype(np.float64), **options)
    assert {a.dtype for a in (*net.A, *net.b)} == {np.dtype(np.float32)}
    fit(net, x.astype(np.float64), y, **options)
    assert net.A[0].dtype == np.float32
    told = SigmoidNetwork(net.widths, seed=0, dtype=np.float64)
    fit(told, x, y, **options)
    assert told.A[0].dtype == np.float64
    given = SigmoidNetwork.from_parameters(told.A, told.b)
    fit(given, x, y, **options)
    assert given.A[0].dtype == np.float64


def test_data_that_are_refused_leave_the_dtype():
    net, x, y = example(dtype=np.float32)
    before = parameters(net)
    x[3, 1] = np.nan
    with pytest.raises(InvalidValueError, match=re.escape("`x[3, 1]` is nan")):
        fit(net, x, y)
    np.testing.assert_array_equal(parameters(net), before)
    assert net.A[0].dtype == np.float64


@pytest.mark.parametrize("size", [4, None])
@pytest.mark.parametrize("validation", [None, 0.25])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float16, bool])
def test_what_the_data_are_stored_in_changes_no_number(dtype, size, validation):
    net, _, y = example(rows=23)
    x = np.random.default_rng(1).integers(0, 2, (23, net.widths[0]))
    nets = [SigmoidNetwork(net.widths, seed=0, dtype=np.float64) for _ in range(2)]
    for each, data in zip(nets, (x.astype(dtype), x.astype(np.float64)), strict=True):
        fit(each, data, y, epochs=3, batch_size=size, validation=validation, seed=0)
    np.testing.assert_allclose(parameters(nets[0]), parameters(nets[1]), rtol=1e-12)


def test_what_is_too_large_for_float32_is_refused_by_its_place():
    _, x, y = example()
    net = SigmoidNetwork((x.shape[1], y.shape[1]), dtype=np.float32)
    x[5, 0] = 1e200
    with pytest.raises(InvalidValueError, match=re.escape("`x[5, 0]` is inf")):
        fit(net, x, y)


KINDS = [
    {"activation": activation, "output": output, "loss": loss}
    for activation in ACTIVATIONS
    for loss in LOSSES
    for output in LOSSES[loss].outputs
]


@pytest.mark.parametrize("width", [1, 5])
@pytest.mark.parametrize("size", [1, 8, None])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(kind.values()))
def test_data_without_sense_are_refused_wherever_training_meets_them(kind, value, size, width):
    _, x, y = example(rows=600)
    x[595, 2] = value  # in no sample, which has every third row
    net = Network((3, width, 2), seed=0, **kind)
    net.A[0][:] = -np.abs(net.A[0])  # ReLUs that stay at 0, whatever large number comes
    before, random = parameters(net), np.random.default_rng(3)
    y /= y.sum(axis=1, keepdims=True).clip(1)
    y[:, 0] += 1 - y.sum(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BackpropWarning)
        with pytest.raises(InvalidValueError, match=re.escape(f"`x[595, 2]` is {value}")):
            fit(net, x, y, epochs=2, batch_size=size, seed=random, learning_rate=1e-3)
    np.testing.assert_array_equal(parameters(net), before)
    assert random.bit_generator.state == np.random.default_rng(3).bit_generator.state


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint8])
def test_data_that_saturate_are_warned_of_in_any_type(dtype):
    x = np.random.default_rng(0).uniform(0, 255, (200, 3)).astype(dtype)
    net = Network((3, 4, 1), seed=0, scale=1.0)
    with pytest.warns(BackpropWarning, match="Layer 1 is saturated before the first step"):
        fit(net, x, np.full((200, 1), 0.3, dtype if dtype != np.uint8 else float), epochs=1)


def test_a_network_whose_data_were_refused_takes_the_type_of_the_next():
    net, x, y = example(rows=600, dtype=np.float32)
    x[595, 2] = np.nan
    with pytest.raises(InvalidValueError):
        fit(net, x, y, epochs=1)
    fit(net, np.nan_to_num(x), y, epochs=1)
    assert net.A[0].dtype == np.float32


@pytest.mark.parametrize("k", [0, 1])
def test_other_rows_are_looked_at_in_the_type_of_the_training(k):
    net, x, y = example(rows=20, dtype=np.float32)
    other = [x.astype(np.float64), y.astype(np.float64)]
    other[k][7, 1] = 1e39
    with pytest.raises(InvalidValueError, match=re.escape(f"`validation[{k}][7, 1]` is inf")):
        fit(net, x, y, validation=tuple(other), epochs=1)


def test_numbers_without_a_loss_are_not_blamed_on_the_learning_rate():
    net, x, y = example(rows=600, dtype=np.float32)
    linear = Network((3, 5, 2), activation="relu", output="identity", seed=0)
    x[595, 2] = 9.97e36  # as files of measurements have where there is none
    with pytest.raises(DivergenceError, match="numbers so large that float32 has no loss of them"):
        fit(linear, x, y, epochs=1, learning_rate=1e-6)
    net.A[0][0, 0] = np.nan
    with pytest.raises(DivergenceError, match="a parameter was NaN or infinite before the first"):
        fit(net, *example(rows=20)[1:], epochs=1)


@pytest.mark.parametrize("share", [0.2, 0.99])
def test_rows_that_are_held_out_are_checked_too(share):
    net, x, y = example(rows=600)
    x[595, 2] = np.inf
    with pytest.raises(InvalidValueError, match=re.escape("`x[595, 2]` is inf")):
        fit(net, x, y, validation=share)
    with pytest.raises(InvalidValueError, match=re.escape("`validation[0][595, 2]` is inf")):
        fit(net, x[:9], y[:9], validation=(x, y))


def test_large_squares_are_no_infinity():
    net, x, y = example()
    x[:] = 1e160 * np.sign(x)
    with pytest.warns(BackpropWarning, match="saturated"), contextlib.suppress(DivergenceError):
        fit(net, x, y, epochs=1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8])
@pytest.mark.parametrize("validation", [None, 0.2])
@pytest.mark.parametrize(
    "lying", [np.asarray, np.asfortranarray, lambda x: np.repeat(x, 2, 0)[::2]]
)
@pytest.mark.parametrize("loss", ["squared error", "cross-entropy"])
def test_data_are_not_copied_however_they_lie(dtype, validation, lying, loss):
    x, y = (
        lying(each.astype(dtype))
        for each in np.eye(500, dtype=int)[np.random.default_rng(0).integers(0, 500, (2, 4000))]
    )
    net = Network((500, 3, 500), output="softmax", loss=loss, seed=0)
    fit(net, x[:50], y[:50], epochs=1)  # what is loaded on first use
    tracemalloc.start()
    try:
        fit(net, x, y, epochs=1, validation=validation)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000  # x and y in float64 have 16 MB each


@pytest.mark.parametrize("end", ["no better for 2 epochs", "interrupted"])
def test_a_bar_that_ends_early_says_why(capsys, monkeypatch, end):
    net, x, y = example()
    if end == "interrupted":

        def interrupt(self):
            raise KeyboardInterrupt

        monkeypatch.setattr(training.Descent, "_is_enough", interrupt)
    history = fit(net, x, y, epochs=50, patience=2, validation=(x, 1 - y), progress=True)
    assert history.stopped == end
    assert capsys.readouterr().err.rstrip().endswith(f"{end}]")


def test_a_bar_of_data_that_are_refused_does_not_say_that_all_is_done(capsys):
    net, x, y = example(rows=600)
    x[595, 2] = np.nan
    with pytest.raises(InvalidValueError):
        fit(net, x, y, progress=True)
    assert capsys.readouterr().err.rstrip().endswith("data refused]")


def test_a_layer_without_slope_is_told_by_its_own_activation():
    net = Network((1, 2, 1), seed=0, activation="relu", output="identity")
    net.A[0], net.b[0] = np.ones((2, 1)), np.array([-5.0, -6.0])
    with (
        pytest.raises(DivergenceError, match="100 % of its outputs are saturated, so relu′ ≈ 0"),
        pytest.warns(BackpropWarning, match="gives 0 for every row"),
    ):
        fit(net, [[1.0], [2.0]], [[1e12], [3e12]], epochs=1, learning_rate=1e-30)


def test_an_epoch_does_not_go_through_those_before(monkeypatch):
    def asked(self):
        raise AssertionError("an array of all epochs, in each of them")

    for name in ("loss", "validation_loss", "gradient_norms", "saturation"):
        monkeypatch.setattr(training.History, name, property(asked))
    net, x, y = example()
    history = fit(net, x, y, epochs=3, validation=0.25, patience=2, progress=True)
    assert history.epochs == 3


def test_one_input_can_be_learned():
    net, x, y = example()
    history = fit(net, x[0], y[0], epochs=50, learning_rate=2)
    assert history.loss[-1] < 0.1 * history.loss[0]


def test_arrays_taken_out_before_stay_as_they_were():
    net, x, y = example()
    before, copy = net.A[0], net.A[0].copy()
    fit(net, x, y, epochs=1)
    assert np.array_equal(before, copy)
    assert not np.array_equal(net.A[0], copy)


def test_a_trained_network_can_be_changed_and_used():
    net, x, y = example()
    fit(net, x, y, epochs=1)
    net.A[0] = net.A[0] * 0
    assert np.ptp(net(x), axis=0) == pytest.approx([0, 0], abs=1e-12)


# --- the record --------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_norm_of_a_long_gradient_leaves_nothing_out(dtype):
    ends = [0, 5, 8195, 30_000, 30_001]
    layers = [slice(*each) for each in pairwise(ends)]
    norms = training.Norms(layers)
    for seed in range(2):  # of another vector, and of the same one changed
        vector = np.random.default_rng(seed).normal(size=ends[-1]).astype(dtype)
        for scale in (1e-30, 1e30, 0.5):
            vector *= dtype(scale)
            expected = [np.linalg.norm(vector[each].astype(float)) for each in layers]
            np.testing.assert_allclose(norms(vector), expected, rtol=1e-6)


def test_of_many_steps_the_norms_of_fewer_are_measured_and_count_for_the_others(monkeypatch):
    found = []

    class Noted(training.Norms):
        def __call__(self, vector):
            found.append(super().__call__(vector))
            return found[-1]

    monkeypatch.setattr(training, "Norms", Noted)
    net, x, y = example(rows=17)
    every_one = fit(net, x, y, epochs=1, batch_size=1).gradient_norms[0]
    norms = np.array(found) / 0.5
    np.testing.assert_allclose(every_one, norms.mean(axis=0), rtol=1e-12)
    monkeypatch.setattr(training, "_MEASURED", 4)
    net, x, y = example(rows=17)
    of_some = fit(net, x, y, epochs=1, batch_size=1).gradient_norms[0]
    steps, weights = [0, 1, 2, 3, 4, 6, 9, 12], [1, 1, 1, 1, 2, 2, 3, 4]
    np.testing.assert_allclose(of_some, np.average(norms[steps], 0, weights), rtol=1e-12)


def test_infinity_that_comes_in_a_step_not_measured_is_told_at_the_next(monkeypatch):
    monkeypatch.setattr(training, "_MEASURED", 1)
    net, x, y = example()
    net = Network((3, 5, 2), seed=0, activation="identity", output="identity")
    x[9] *= 1e160
    before = parameters(net)
    with pytest.raises(DivergenceError, match="Training diverged at layer"):
        fit(net, x, y, epochs=3, batch_size=1)
    assert np.array_equal(parameters(net), before)


def test_no_norm_of_a_step_wakes_the_threads_of_openblas():
    net = SigmoidNetwork((784, 30, 10), seed=0)
    norms = training.Norms(theta.layers(net.widths))
    norms(theta.flatten(net.A, net.b))
    lengths = [len(part) for _, _, part in norms._parts]
    assert sum(lengths) == sum(a.size for a in net.A + net.b)
    assert max(lengths) <= 10_000  # from which its dot product of float64 takes all threads


def test_the_saturation_is_that_of_the_network():
    net, x, y = example()
    history = fit(net, x, y, epochs=30, learning_rate=5)
    np.testing.assert_array_equal(history.saturation[-1], net.saturation(x))
    assert history.saturation[-1, 1] > history.saturation[0, 1]


def test_the_sample_is_small_and_spread_out():
    net, x, y = example(rows=1000)
    sample = training.ArrayData(net, x, y, None).sample()
    assert 200 <= len(sample.x) <= 256
    assert np.array_equal(sample.x, x[::4])
    assert np.array_equal(sample.y, y[::4])
    assert sample.targets is y


# --- rows held out, and an early stop ----------------------------------------


def test_a_share_is_held_out_at_random_and_never_learned_from(monkeypatch):
    net, x, y = example(rows=40)
    seen = []
    step = training._step
    monkeypatch.setattr(
        training, "_step", lambda x, *others: seen.append(x.copy()) or step(x, *others)
    )
    history = fit(net, x, y, epochs=3, validation=0.25)
    learned = {tuple(row) for batch in seen for row in batch}
    assert len(learned) == 30
    held_out = [k for k, row in enumerate(x) if tuple(row) not in learned]
    assert held_out != list(range(30, 40))
    assert history.validation_loss[-1] == pytest.approx(net.loss(x[held_out], y[held_out]))


def test_other_rows_can_be_held_out():
    net, x, y = example()
    _, other_x, other_y = example(seed=9)
    history = fit(net, x, y, epochs=3, validation=(other_x, other_y))
    assert history.validation_loss[-1] == pytest.approx(net.loss(other_x, other_y))


def test_patience_stops_and_goes_back_to_the_best():
    net, x, y = example(rows=12)
    rng = np.random.default_rng(3)
    other = rng.standard_normal((30, 3)), rng.uniform(size=(30, 2))  # nothing to be learned here
    history = fit(net, x, y, epochs=400, learning_rate=3, validation=other, patience=5)
    assert history.stopped == "no better for 5 epochs"
    assert history.epochs == history.best_epoch + 5
    assert net.loss(*other) == pytest.approx(history.validation_loss.min(), rel=1e-12)


def test_patience_without_rows_held_out_watches_the_training_loss():
    net, x, y = example(rows=12)
    history = fit(net, x, y, epochs=400, learning_rate=40, batch_size=None, patience=3)
    assert history.epochs == history.best_epoch + 3
    assert net.loss(x, y) == pytest.approx(history.loss.min(), rel=1e-12)


@pytest.mark.parametrize("size", [4, None])
def test_patience_that_is_not_at_its_end_changes_nothing(size):
    nets = [example()[0] for _ in range(2)]
    for net, patience in zip(nets, (None, 50), strict=True):
        _, x, y = example()
        fit(net, x, y, epochs=5, batch_size=size, patience=patience)
    np.testing.assert_array_equal(*map(parameters, nets))


def test_the_best_parameters_of_batches_are_those_after_the_epoch_that_is_named():
    net, x, _ = example(rows=12)
    y = np.random.default_rng(3).uniform(size=(12, 2))
    how = {"learning_rate": 5, "batch_size": 4}
    history = fit(net, x, y, epochs=400, patience=3, **how)
    assert history.epochs == history.best_epoch + 3
    again, *_ = example(rows=12)
    fit(again, x, y, epochs=history.best_epoch, **how)
    np.testing.assert_array_equal(parameters(net), parameters(again))


def test_what_diverges_goes_back_to_before_the_best_epoch_not_to_its_end():
    net, x, y = example(rows=40)
    before = parameters(net)
    linear = Network.from_parameters(net.A, net.b, activation="identity", output="identity")
    with pytest.raises(DivergenceError) as caught:
        fit(linear, x, y, epochs=500, learning_rate=0.9, batch_size=10)
    assert caught.value.history.best_epoch == 1  # after which the loss only grew
    np.testing.assert_array_equal(parameters(linear), before)


def test_without_patience_the_last_parameters_stay():
    net, x, y = example(rows=12)
    other = np.zeros((1, 3)), np.full((1, 2), 0.5)
    history = fit(net, x, y, epochs=30, learning_rate=3, validation=other)
    assert net.loss(*other) == pytest.approx(history.validation_loss[-1], rel=1e-12)


# --- an interrupt ------------------------------------------------------------


@pytest.mark.parametrize("patience", [None, 3])
@pytest.mark.parametrize("at", [1, 7, 23])
def test_an_interrupt_keeps_what_was_learned_step_for_step(monkeypatch, at, patience):
    steps = []

    def interrupting(self, gradient):
        if len(steps) == at:
            raise KeyboardInterrupt
        steps.append(None)
        move(self, gradient)

    move = training.Descent._move
    monkeypatch.setattr(training.Descent, "_move", interrupting)
    net, x, y = example(rows=40)
    before = parameters(net)
    history = fit(net, x, y, epochs=9, batch_size=8, patience=patience)
    assert history.stopped == "interrupted"
    assert history.epochs == at // 5
    monkeypatch.setattr(training.Descent, "_move", move)
    same, _, _ = example(rows=40)
    whole = at // 5
    if whole:
        fit(same, x, y, epochs=whole, batch_size=8)
    if at % 5 == 0:
        assert np.array_equal(parameters(net), parameters(same))
    else:
        assert not np.array_equal(parameters(net), parameters(same))
    assert not np.array_equal(parameters(net), before)


def test_an_interrupt_before_the_first_step_changes_nothing(monkeypatch):
    def interrupting(self, gradient):
        raise KeyboardInterrupt

    monkeypatch.setattr(training.Descent, "_move", interrupting)
    net, x, y = example()
    before = parameters(net)
    history = fit(net, x, y)
    assert np.array_equal(parameters(net), before)
    assert repr(history) == "History(epochs=0, interrupted)"
    assert history.describe() == "No epoch was finished: interrupted."


# --- training that makes no sense --------------------------------------------


def test_a_rate_too_large_is_said_to_be_with_the_layer_and_the_parameters_are_put_back():
    net, x, y = example()
    before = parameters(net)
    with pytest.raises(DivergenceError) as caught:
        fit(net, x, y, learning_rate=1e5, batch_size=None, epochs=9)
    assert str(caught.value) == (
        "Training is stuck at layer 1: 100 % of its outputs are saturated, so σ′ ≈ 0 and no "
        "gradient is left. Likely cause: the learning rate is too large.\n"
        "  given:    learning_rate = 100000, stopped in epoch 2\n"
        "  expected: finite numbers, and a gradient that moves them\n"
        "  instead:  learning_rate=1; the network has its best parameters back"
    )
    assert caught.value.history.epochs == 2
    assert caught.value.history.stopped == "diverged"
    assert np.array_equal(parameters(net), before)


def test_inputs_too_large_are_told_from_a_rate_too_large():
    net, x, y = example()
    net.A = [1e3 * a for a in net.A]
    stuck = pytest.raises(DivergenceError, match="layer 1 was saturated from the start")
    with pytest.warns(BackpropWarning, match="Layer 1 is saturated before"), stuck:
        fit(net, 1e3 * x, y, learning_rate=1, batch_size=None)


def test_dead_units_are_told_from_inputs_too_large():
    net = Network((3, 4, 2), seed=0, activation="relu", output="identity")
    net.A[0] = np.zeros((4, 3))
    stuck = pytest.raises(DivergenceError, match="every unit of layer 1 was 0 from the start")
    _, x, y = example()
    with pytest.warns(BackpropWarning, match="Layer 1 gives 0"), stuck:
        fit(net, x, y - y.mean(axis=0), batch_size=None)


def test_numbers_that_overflow_are_named_by_their_parameter():
    net = SigmoidNetwork((1, 1), scale=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DivergenceError) as caught:
            fit(net, [100.0], [1.0], learning_rate=1e308)
    assert str(caught.value).startswith(
        "Training diverged at layer 1: its gradient, or the step along it, is not finite. "
        "Likely cause: the learning rate is too large.\n"
    )
    assert net.A[0].tolist() == [[0]]


def test_the_gradient_that_breaks_first_is_named():
    net = Network((1, 1, 1, 1), activation="identity")
    net.A = [np.array([[1e200]]), np.array([[1e200]]), np.array([[1e-300]])]
    with pytest.raises(DivergenceError, match="diverged at layer"):
        fit(net, [[1.0]], [[0.0]], epochs=2)


def test_a_network_that_has_learned_everything_is_not_stuck():
    net = SigmoidNetwork.from_parameters([[[200.0]]], [[-100.0]])
    history = fit(net, [[0], [1]], [[0], [1]], epochs=3)
    assert history.loss[-1] < 1e-40


# --- bad input ---------------------------------------------------------------

NET, X, Y = example(rows=5)


def with_nan(array):
    array = array.copy()
    array[3, 1] = np.nan
    return array


@pytest.mark.parametrize(
    ("x", "y", "options", "kind", "expected"),
    [
        (
            with_nan(X),
            Y,
            {},
            InvalidValueError,
            "`x[3, 1]` is nan: nothing can be learned from it, or judged by it.\n"
            "  given:    x of shape (5, 3), 1 not finite\n"
            "  expected: finite numbers\n"
            "  instead:  np.isfinite(x).all(axis=-1) tells which rows to use",
        ),
        (
            X,
            Y,
            {"validation": (X, with_nan(Y + 0)[:, ::-1])},
            InvalidValueError,
            "`validation[1][3, 0]` is nan: nothing can be learned from it, or judged by it.\n"
            "  given:    validation[1] of shape (5, 2), 1 not finite\n"
            "  expected: finite numbers\n"
            "  instead:  np.isfinite(validation[1]).all(axis=-1) tells which rows to use",
        ),
        (
            X,
            Y,
            {"validation": 1.5},
            InvalidValueError,
            "`validation` must be a share between 0 and 1, or a pair (x, y).\n"
            "  given:    validation = 1.5",
        ),
        (
            X[:1],
            Y[:1],
            {"validation": 0.5},
            InvalidValueError,
            "One row cannot be split into rows to train on and rows to hold out.\n"
            "  given:    validation = 0.5, x of shape (1, 3)\n"
            "  expected: at least two rows\n"
            "  instead:  validation=(other_x, other_y)",
        ),
        (
            X,
            Y,
            {"learning_rate": "fast"},
            InvalidValueError,
            "`learning_rate` must be a positive number.\n  given:    learning_rate = 'fast'",
        ),
        (
            X,
            Y,
            {"momentum": 1},
            InvalidValueError,
            "`momentum` must be a number from 0 to less than 1.\n  given:    momentum = 1",
        ),
        (
            X,
            Y,
            {"batch_size": 2.5},
            InvalidValueError,
            '`batch_size` must be "auto", a positive integer, or None.\n'
            "  given:    batch_size = 2.5",
        ),
    ],
)
def test_bad_input_is_named_and_nothing_is_changed(x, y, options, kind, expected):
    before, arrays = parameters(NET), list(NET.A)
    with pytest.raises(kind) as caught:
        fit(NET, x, y, **options)
    assert str(caught.value) == expected
    assert isinstance(caught.value, BackpropError)
    assert np.array_equal(parameters(NET), before)
    assert all(a is b for a, b in zip(NET.A, arrays, strict=True))


def test_data_that_do_not_fit_are_told_as_everywhere():
    before = parameters(NET)
    for x, y in ((X[:, :2], Y), (X, Y[:, :1]), (X[:0], Y[:0])):
        with pytest.raises(BackpropError) as expected:
            NET.loss(x, y)
        with pytest.raises(type(expected.value)) as caught:
            fit(NET, x, y)
        assert str(caught.value) == str(expected.value)
    assert np.array_equal(parameters(NET), before)


@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": 0},
        {"learning_rate": np.nan},
        {"learning_rate": True},
        {"epochs": 0},
        {"epochs": 2.0},
        {"patience": 0},
        {"patience": "auto"},
        {"batch_size": -1},
        {"batch_size": "all"},
        {"batch_size": X},
        {"momentum": -0.1},
        {"seed": -1},
        {"validation": (X,)},
        {"validation": "some"},
    ],
    ids=str,
)
def test_an_option_out_of_its_range_is_refused_by_its_name(options):
    [name] = options
    with pytest.raises(InvalidValueError, match=f"^`{name}` "):
        fit(NET, X, Y, **options)


# --- the progress bar --------------------------------------------------------


def test_the_bar_shows_epochs_and_loss(capsys):
    net, x, y = example()
    history = fit(net, x, y, epochs=4, progress=True, validation=0.5)
    shown = capsys.readouterr().err
    assert "4/4" in shown
    assert f"loss={history.loss[-1]:.4g}" in shown
    assert "validation=" in shown


def test_without_progress_nothing_is_shown(capsys):
    net, x, y = example()
    fit(net, x, y, epochs=2)
    assert capsys.readouterr() == ("", "")


# --- real data ---------------------------------------------------------------


def test_digits_are_read_right_nineteen_times_in_twenty():
    digits = load_digits()
    x, y = digits.data / 16, np.eye(10)[digits.target]
    order = np.random.default_rng(0).permutation(len(x))
    train, rest = order[:1437], order[1437:]
    net = SigmoidNetwork((64, 32, 10), seed=0)
    fit(net, x[train], y[train], learning_rate=1, epochs=60)
    assert np.mean(net(x[rest]).argmax(axis=1) == digits.target[rest]) >= 0.95

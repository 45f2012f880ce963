"""A training that is watched: the same descent as ``fit``, and measures of one moment."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.playground.plane_data import plane_data
from backprop_nb.views.playground.training import HELD_OUT, WatchedTraining


def parameters(net):
    return np.concatenate([a.ravel() for a in (*net.A, *net.b)])


def advanced(epochs, net, **options):
    run = WatchedTraining(net, *plane_data("circles", seed=1), **options)
    advance(run, epochs)
    return run


def advance(run, epochs):
    for _ in range(epochs):
        run.advance()


@pytest.mark.parametrize(
    ("network", "options"),
    [
        ({"widths": (2, 4, 1), "seed": 5}, {"learning_rate": 2.0, "batch_size": 10, "seed": 5}),
        (
            {"widths": (2, 3, 3, 1), "activation": "tanh", "loss": "cross-entropy", "seed": 6},
            {"learning_rate": 0.1, "batch_size": None, "seed": 6},
        ),
    ],
)
def test_it_is_the_training_that_fit_does(network, options):
    run = advanced(7, bp.Network(**network), **options)
    net = bp.Network(**network)
    x, y = plane_data("circles", seed=1)
    history = net.fit(x, y, epochs=7, validation=HELD_OUT, progress=False, **options)
    np.testing.assert_array_equal(parameters(run.net), parameters(net))
    np.testing.assert_array_equal(run.history.loss, history.loss)
    assert [m.held_out for m in run.measures[1:]] == history.validation_loss.tolist()


def test_a_measure_is_of_the_weights_as_they_are():
    run = advanced(4, bp.Network((2, 5, 1), seed=2), learning_rate=1.0, batch_size=16)
    measure, net = run.measures[-1], run.net
    x, y = run.data.x, run.data.y
    gradient = net.backward(x, y)
    assert measure.loss == pytest.approx(net.loss(x, y), rel=1e-12)
    expected = [
        np.linalg.norm(np.append(dA.ravel(), db))
        for dA, db in zip(gradient.A, gradient.b, strict=True)
    ]
    np.testing.assert_allclose(measure.norms, expected, rtol=1e-9)
    assert measure.accuracy == np.mean(net(x).round() == y)
    np.testing.assert_array_equal(measure.saturation, net.saturation(x))
    held = run.held_out
    assert measure.held_out == pytest.approx(net.loss(held.x, held.y), rel=1e-12)
    assert (len(x), len(held.x)) == (140, 60)


def test_the_first_measure_is_before_any_epoch():
    run = advanced(0, bp.Network((2, 5, 1), seed=2))
    assert (run.epoch, len(run.measures)) == (0, 1)
    np.testing.assert_array_equal(parameters(run.net), parameters(bp.Network((2, 5, 1), seed=2)))


def test_steps_can_be_changed_on_the_way():
    run = advanced(3, bp.Network((2, 4, 1), seed=2), batch_size=10)
    same = advanced(3, bp.Network((2, 4, 1), seed=2), batch_size=10)
    run.change(2.0, None)
    before, gradient = parameters(run.net).copy(), run.net.backward(run.data.x, run.data.y)
    run.advance()
    step = np.concatenate([-2.0 * g.ravel() for g in (*gradient.A, *gradient.b)])
    np.testing.assert_allclose(parameters(run.net), before + step, rtol=1e-9)
    assert not np.array_equal(parameters(run.net), parameters(same.net))
    with pytest.raises(bp.InvalidValueError, match="`learning_rate` must be a positive number"):
        run.change(0.0, None)


def test_a_run_that_has_lost_its_sense_says_so_every_time():
    net = bp.Network((2, 4, 1), seed=0, activation="relu")
    run = WatchedTraining(net, *plane_data("circles"), learning_rate=1e6)
    with pytest.raises(bp.DivergenceError) as first:
        advance(run, 50)
    assert run.ended
    assert np.isfinite(parameters(run.net)).all()
    done = run.epoch
    with pytest.raises(bp.DivergenceError) as again:
        run.advance()
    assert again.value is first.value
    assert run.epoch == done


def test_classes_other_than_two_are_refused():
    with pytest.raises(bp.InvalidValueError) as caught:
        WatchedTraining(bp.Network((2, 2, 1), seed=0), [[0, 0], [1, 1]], [[0], [2]])
    assert str(caught.value) == ("`y` must be 0 or 1 in each row.\n  given:    y from 0 to 2")

"""The record of a training, as numbers and as text."""

import numpy as np
import pytest

from backprop_nb.network import History


def record(losses, held_out=None):
    history = History((2, 3, 1), learning_rate=0.5)
    for k, loss in enumerate(losses):
        history.add(
            loss,
            np.array([0.1 * loss, loss]),
            np.array([0.0, k / 10]),
            held_out[k] if held_out else None,
        )
    return history


def test_it_holds_one_number_an_epoch_or_one_an_epoch_and_layer():
    history = record([3.0, 2.0, 1.0])
    assert history.loss.tolist() == [3, 2, 1]
    assert history.gradient_norms.shape == history.saturation.shape == (3, 2)
    assert history.validation_loss is None


def test_a_history_without_epochs_has_empty_arrays():
    history = record([])
    assert history.loss.shape == (0,)
    assert history.gradient_norms.shape == (0, 2)
    assert history._repr_mimebundle_() == (
        {"text/plain": "History(epochs=0, all epochs done)"},
        {},
    )


@pytest.mark.parametrize(
    ("losses", "held_out", "best"),
    [([3, 1, 2], None, 2), ([3, 2, 1], [2, 1, 5], 2), ([1, 1], None, 1), ([2, 1, np.nan], None, 2)],
)
def test_the_best_epoch_is_that_of_the_rows_held_out_if_there_are(losses, held_out, best):
    history = record(losses, held_out)
    assert history.best_epoch == best
    assert history.epochs_since_best() == len(losses) - best
    assert history.is_best() == (best == len(losses))


def test_the_text_lists_at_most_twelve_epochs_the_first_and_the_last_among_them():
    lines = record([1 / (k + 1) for k in range(100)]).describe().splitlines()
    assert len(lines) == 14
    assert lines[1].split()[0] == "1"
    assert lines[-2].split()[:2] == ["100", "0.01"]
    assert lines[-1] == "all epochs done, lowest loss in epoch 100."
    assert len({len(line) for line in lines[:-1]}) == 1, "columns are aligned"


def test_the_text_has_every_number_of_an_epoch():
    text = record([0.5], held_out=[0.25]).describe()
    assert text == (
        "epoch      loss  validation  ‖∂L/∂θ_0‖  ‖∂L/∂θ_1‖  saturated 1  saturated 2\n"
        "    1       0.5        0.25       0.05        0.5          0 %          0 %\n"
        "all epochs done, lowest loss after epoch 1."
    )


def test_repr_is_the_same_every_time():
    assert repr(record([0.5, 0.1234])) == "History(epochs=2, loss 0.5 → 0.123, all epochs done)"

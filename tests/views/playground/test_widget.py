"""``Playground``: the same training again and again, state in traits, bounded in every way."""

import base64
import json
import sys
import threading
import zlib

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.playground import widget as module
from backprop_nb.views.playground.plane_data import plane_data


def parameters(net):
    return np.concatenate([a.ravel() for a in (*net.A, *net.b)])


def a_playground(**settings):
    return bp.Playground(**{"learning_rate": 2, "widths": (2, 4, 1), "seed": 1} | settings)


@pytest.fixture
def playground():
    return a_playground()


@pytest.fixture
def sent(playground, monkeypatch):
    """What is sent to the views besides traits."""
    messages = []
    monkeypatch.setattr(playground, "send", lambda content: messages.append(content))
    return messages


def painted(playground):
    """A view says that it paints the latest frame."""
    playground._on_message(playground, {"paints": playground.frame["serial"]}, [])


# --- training ----------------------------------------------------------------


def test_it_is_the_training_that_fit_does(playground):
    playground.train(12)
    net = bp.SigmoidNetwork((2, 4, 1), seed=1)
    x, y = plane_data("circles", 200, noise=0.1, seed=0)
    net.fit(x, y, learning_rate=2, epochs=12, batch_size=10, seed=1, validation=0.3, progress=False)
    np.testing.assert_array_equal(parameters(playground.net), parameters(net))
    assert playground.history.epochs == 12


def test_rewinding_leads_to_the_same_weights_and_the_same_future(playground):
    start = parameters(playground.net).copy()
    playground.train(9)
    there, frame = parameters(playground.net).copy(), playground.frame
    playground.rewind()
    assert (playground.last_epoch, playground.epoch, playground.recorded) == (0, 0, [0])
    np.testing.assert_array_equal(parameters(playground.net), start)
    for _ in range(9):
        playground.train()
    np.testing.assert_array_equal(parameters(playground.net), there)
    assert {k: v for k, v in playground.frame.items() if k not in ("serial", "run")} == {
        k: v for k, v in frame.items() if k not in ("serial", "run")
    }


def test_a_page_that_plays_on_another_thread_changes_nothing(playground, monkeypatch):
    plays, trains, threads = threading.Event(), threading.Event(), []
    advance = module.WatchedTraining.advance

    def noted(run):
        threads.append(threading.current_thread())
        if threads[-1] is page:
            plays.set()
            trains.wait()
        advance(run)

    def play():
        for _ in range(9):
            painted(playground)

    page = threading.Thread(target=play)
    monkeypatch.setattr(module.WatchedTraining, "advance", noted)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # so that threads without a rule would meet
    try:
        playground.epochs_per_frame = 20
        playground.playing = True
        page.start()
        plays.wait()  # it is in the midst of a frame,
        trains.set()
        playground.train(40)  # when a cell trains
    finally:
        trains.set()
        page.join()
        sys.setswitchinterval(interval)
    assert not playground.playing  # so it stays where the program has brought it
    last = playground.last_epoch
    assert playground.epoch == last
    assert threads[-40:] == [threading.main_thread()] * 40
    unplayed = a_playground()
    unplayed.train(last)
    np.testing.assert_array_equal(parameters(playground.net), parameters(unplayed.net))
    np.testing.assert_array_equal(playground.history.loss, unplayed.history.loss)
    assert playground.lines == unplayed.lines


def test_what_it_hands_out_stays_as_it_was(playground):
    net, history = playground.net, playground.history
    start = parameters(net).copy()
    playground.train(2)
    np.testing.assert_array_equal(parameters(net), start)
    assert (history.epochs, playground.history.epochs) == (0, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"data": "xor"},
        {"noise": 0.3},
        {"widths": (2, 3, 3, 1)},
        {"activation": "tanh"},
        {"loss": "cross-entropy"},
        {"seed": 7},
    ],
)
def test_another_setting_begins_a_new_run_that_is_the_settings(playground, change):
    playground.train(3)
    ((name, value),) = change.items()
    setattr(playground, name, value)
    assert (playground.last_epoch, playground.epoch) == (0, 0)
    playground.train(2)
    other = a_playground(**change)
    other.train(2)
    np.testing.assert_array_equal(parameters(playground.net), parameters(other.net))


def test_steps_can_be_changed_on_the_way(playground):
    playground.train(3)
    playground.learning_rate, playground.batch_size = 0.1, None
    assert (playground.last_epoch, playground.batch_size) == (3, 0)
    before = parameters(playground.net).copy()
    gradient = playground.net.backward(playground._run.data.x, playground._run.data.y)
    playground.train()
    step = np.concatenate([0.1 * g.ravel() for g in (*gradient.A, *gradient.b)])
    np.testing.assert_allclose(parameters(playground.net), before - step, rtol=1e-9)


def test_own_data_are_learned():
    x = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]] * 5
    playground = bp.Playground((x, [0, 0, 0, 1] * 5), widths=(2, 3, 1), learning_rate=3)
    assert (playground.data, playground.scene["options"]["data"][-1]) == ("own", "own")
    playground.train(80)
    assert playground.net([[1, 1]]) > 0.5 > playground.net([[0, 1]])
    playground.data = "blobs"
    playground.data = "own"
    assert len(playground._run.data.x) == 14


# --- the clock ---------------------------------------------------------------


def test_a_frame_is_computed_only_when_the_one_before_is_painted(playground, sent):
    playground.epochs_per_frame = 5
    playground.playing = True
    assert playground.last_epoch == 5  # the first one needs no asking
    painted(playground)
    assert playground.last_epoch == 10
    stale = playground.frame["serial"] - 1
    for _ in range(5):  # other views of the same frame are later, and change nothing
        playground._on_message(playground, {"paints": stale}, [])
    assert playground.last_epoch == 10
    playground.playing = False
    painted(playground)
    assert playground.last_epoch == 10
    assert sent == []


def test_a_view_can_step_rewind_and_ask_for_the_frames(playground, sent):
    playground._on_message(playground, {"train": 10}, [])
    assert playground.last_epoch == 10
    assert playground.recorded == [0, 10]
    playground.train(5)  # by a program: the views have not seen these frames
    assert playground.recorded == [0, 10, 11, 12, 13, 14, 15]
    playground._on_message(playground, {"wants": [11, 12, 99]}, [])
    assert [frame["epoch"] for frame in sent[0]["frames"]] == [11, 12]
    playground.playing = True
    playground._on_message(playground, {"train": 10}, [])
    assert playground.last_epoch == 16  # who plays does not step
    playground._on_message(playground, {"do": "rewind"}, [])
    assert (playground.last_epoch, playground.playing) == (0, False)


SENSELESS = [{"train": 0}, {"train": 10**9}, {"train": "1"}, {"paints": None}, {"wants": "x"}]


@pytest.mark.parametrize("content", [None, [], "x", {}, *SENSELESS])
def test_a_message_without_sense_does_nothing(playground, content):
    playground.playing = True
    playground._on_message(playground, content, [])
    playground.playing = False
    playground._on_message(playground, content, [])
    assert playground.last_epoch == 1


def test_it_ends_after_its_most_epochs(playground, monkeypatch):
    monkeypatch.setattr(module, "MAX_EPOCHS", 3)
    playground.playing = True
    for _ in range(5):
        painted(playground)
    assert (playground.last_epoch, playground.playing) == (3, False)
    assert playground.problem == "A run ends after 3 epochs: rewind it."
    with pytest.raises(bp.InvalidValueError, match="a run has at most 3 epochs"):
        playground.train()
    playground.rewind()
    assert playground.problem == ""


# --- what goes wrong ---------------------------------------------------------


def diverged():
    playground = a_playground(activation="relu", learning_rate=1e9)
    with pytest.raises(bp.DivergenceError):
        playground.train(50)
    return playground


def test_a_diverged_training_says_so_and_stays_usable():
    playground = diverged()
    assert playground.problem.startswith("Training ")
    assert "Try learning_rate=1" in playground.problem
    json.dumps(playground.get_state(), default=str, allow_nan=False)
    assert playground.problem in " ".join(playground.describe().split())
    playground.learning_rate = 0.1  # begins anew
    assert (playground.problem, playground.last_epoch) == ("", 0)
    playground.train(5)
    assert playground.last_epoch == 5


def test_playing_a_diverged_training_begins_anew_and_stops_again_without_raising():
    playground = diverged()
    playground.playing = True
    for _ in range(60):
        painted(playground)
    assert not playground.playing
    assert playground.problem.startswith("Training ")


SETS = '"blobs", "xor", "circles", "moons" or "spiral"'


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (3, bp.InvalidValueError, f"`data` must be {SETS}, or a pair"),
        (([[0, 0, 0], [1, 1, 1]], [0, 1]), bp.ShapeError, "`x` has 3 columns"),
        (([[0, 0], [1, 1]], [0, 1, 1]), bp.ShapeError, "`x` has 2 rows, `y` has 3 rows"),
        (([[0, 0], [1, 1]], [0, 2]), bp.InvalidValueError, "`y` must be 0 or 1 in each row"),
        (([[0, np.nan], [1, 1]], [0, 1]), bp.InvalidValueError, "is nan"),
    ],
)
def test_data_that_cannot_be_learned_are_refused(data, error, message):
    with pytest.raises(error, match=message):
        bp.Playground(data)


@pytest.mark.parametrize("epochs", [0, -1, 2.5, True, 10_001])
def test_so_many_epochs_cannot_be_trained(playground, epochs):
    with pytest.raises(bp.InvalidValueError) as caught:
        playground.train(epochs)
    assert caught.value.problem == (
        "`epochs` must be an integer from 1 to 10000: a run has at most 10000 epochs."
    )
    assert playground.last_epoch == 0


# --- what is kept ------------------------------------------------------------


def test_of_many_frames_at_most_sixty_stay(playground):
    playground.playing = True
    for _ in range(200):
        painted(playground)
    assert playground.last_epoch == 201
    assert len(playground.recorded) <= 60
    assert (playground.recorded[0], playground.recorded[-1]) == (0, 201)
    assert len(playground._recording.frames) == len(playground.recorded)
    assert len(json.dumps(playground.curves)) < 25_000
    playground.epoch = 123  # the nearest one is shown
    assert playground.epoch in playground.recorded
    assert abs(playground.epoch - 123) == min(abs(e - 123) for e in playground.recorded)


def test_one_can_look_back_and_the_network_stays_where_it_is(playground):
    playground.train(20)
    weights = parameters(playground.net).copy()
    playground.epoch = 5
    assert playground.describe().splitlines()[1].startswith("Epoch 5: loss ")
    assert "Epoch 5: " in playground.draw().alt
    np.testing.assert_array_equal(parameters(playground.net), weights)
    playground.train()
    assert (playground.epoch, playground.last_epoch) == (21, 21)


@pytest.mark.slow
def test_the_page_replays_the_run_and_is_small(playground, tmp_path):
    playground.train(300)
    playground.epoch = 123
    page = playground.to_html(tmp_path / "run").read_bytes()
    assert len(page) < 650_000
    text = page.decode().partition('id="bpnb-state">')[2].partition("</script>")[0]
    state = json.loads(zlib.decompress(base64.b64decode(text)))
    epochs = [frame["epoch"] for frame in state["frames"]]
    assert epochs == state["recorded"]
    assert (epochs[0], epochs[-1], state["playing"]) == (0, 300, False)
    assert state["epoch"] in epochs
    assert len(epochs) >= 20


def test_the_figure_is_of_the_shown_epoch_in_both_themes(playground):
    playground.train(5)
    alt = "tell two classes of points in the plane apart: 140 to train on, 60 held out. Epoch 5: "
    for theme in ("light", "dark"):
        assert alt in playground.draw(theme=theme).alt

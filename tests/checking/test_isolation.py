"""A function in a copy of this process: what comes back, and what it cannot harm."""

import os
import signal
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from backprop_nb.checking.isolation import FORKS, run_isolated
from backprop_nb.errors import BackpropError, EndedError

pytestmark = pytest.mark.skipif(not FORKS, reason="this system cannot copy a process with threads")


def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()


def test_what_is_returned_comes_back():
    z, f = run_isolated(lambda x: ([None, 2 * x], [x, x + 1]), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(z[1], [2.0, 4.0])
    np.testing.assert_array_equal(f[1], [2.0, 3.0])


def test_much_comes_back_whole():
    assert run_isolated(np.ones, 1_000_000).sum() == 1_000_000


def test_what_it_changes_stays_in_the_copy():
    x = np.zeros(2)
    run_isolated(x.fill, 1.0)
    assert x.tolist() == [0.0, 0.0]


def test_what_it_prints_is_shown_once_and_warnings_are_not(capfd):
    def noisy():
        print("half way")
        sys.stderr.write("nbgrader takes all points for this")
        os.write(2, b"and for this")
        warnings.simplefilter("default")
        warnings.warn("and for this", stacklevel=1)
        return 1

    assert run_isolated(noisy) == 1
    assert capfd.readouterr() == ("half way\n", "")


def test_an_error_has_its_own_traceback():
    def loss():
        return 1 / 0

    with pytest.raises(ZeroDivisionError) as caught:
        run_isolated(loss)
    assert caught.traceback[-1].name == "loss"


def test_what_cannot_be_sent_is_returned_all_the_same():
    assert list(run_isolated(lambda: (k for k in range(3)))) == [0, 1, 2]


@pytest.mark.parametrize("seconds", [0.1, 1])
def test_a_loop_without_an_end_is_ended(seconds):
    def forward():
        while True:
            pass

    began = time.monotonic()
    with pytest.raises(EndedError) as caught:
        run_isolated(forward, seconds=seconds)
    assert time.monotonic() - began >= seconds
    assert str(caught.value).splitlines() == [
        "forward did not return.",
        f"  given:    still running after {seconds:g} s",
        "  expected: a function that returns",
    ]


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda: os._exit(0), "the process ended with exit code 0"),
        (sys.exit, "the process ended with exit code 0"),
        (lambda: os._exit(7), "the process ended with exit code 7"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "the process ended by the signal SIGKILL"),
    ],
)
def test_the_end_of_its_process_is_an_error_here(end, said):
    with pytest.raises(EndedError) as caught:
        run_isolated(end)
    assert caught.value.given == said
    assert isinstance(caught.value, BackpropError)
    assert isinstance(caught.value, RuntimeError)


def test_nothing_is_left_of_the_copy_nor_of_what_it_has_started():
    reading, writing = os.pipe()

    def leaves_a_child():
        if os.fork() == 0:
            signal.pause()
        while True:
            signal.pause()

    before = children()
    with pytest.raises(EndedError):
        run_isolated(leaves_a_child, seconds=0.2)
    os.close(writing)
    assert os.read(reading, 1) == b""  # nobody else holds the other end
    os.close(reading)
    assert children() == before


def test_an_interrupt_ends_the_copy(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("multiprocessing.connection.Connection.poll", interrupted)
    before = children()
    with pytest.raises(KeyboardInterrupt):
        run_isolated(signal.pause)
    assert children() == before


def test_where_no_process_can_be_copied_it_is_called_here(monkeypatch):
    monkeypatch.setattr("backprop_nb.checking.isolation.FORKS", False)
    assert run_isolated(os.getpid) == os.getpid()

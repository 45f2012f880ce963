"""Many at the same time: on threads, on Dask's own cluster, on one that is there already."""

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from types import SimpleNamespace
from unittest import mock

import dask
import pytest
from distributed import KilledWorker, LocalCluster, default_client

from backprop_nb.classroom import running
from backprop_nb.classroom.running import run
from backprop_nb.classroom.submissions import Submission
from backprop_nb.classroom.verdict import make_settings
from backprop_nb.errors import BackpropError, NotFoundError, UnsupportedError

SETTINGS = make_settings()
SLOWLY = "import time\ntime.sleep(0.3)\n"


def a_class(*sources):
    return {
        10 * k: Submission(f"s{k}.py", f"d{k}", ((f"s{k}.py", source),))
        for k, source in enumerate(sources)
    }


def scores(results):
    return {number: result["score"] for number, result in results}


def test_threads_do_without_dask(right, sign_flipped):
    submissions = a_class(right, sign_flipped, "import os; os._exit(0)")
    assert scores(run(submissions, SETTINGS, 2, "threads")) == {0: 1.0, 10: 0.0, 20: 0.0}


def test_who_stops_early_does_not_wait_for_the_endless_ones(right):
    endless = "import time\ntime.sleep(600)"
    submissions = a_class(right, endless, endless)
    results = run(submissions, make_settings(timeout=200), 2, "threads")
    assert next(results)[0] == 0
    start = time.monotonic()
    results.close()
    assert time.monotonic() - start < 300


def test_who_has_only_just_begun_is_stopped_too():
    stops, begun, twice = [], threading.Event(), threading.Event()

    def stop():
        stops.append(len(stops))
        if len(stops) == 2:
            twice.set()

    def examine(submission, _):
        if submission.name == "s0.py":
            begun.wait(20)
        else:
            begun.set()
            twice.wait(20)  # not before the second time can it be stopped
        return {}

    with mock.patch.multiple(running, stop=stop, examine=examine):
        results = run(a_class("x", "y"), SETTINGS, 2, "threads")
        next(results)
        results.close()
    assert twice.is_set()


@pytest.mark.slow
def test_a_worker_that_is_killed_half_way_loses_nothing(right, sign_flipped):
    submissions = a_class(*[SLOWLY + right] * 4, *[SLOWLY + sign_flipped] * 4)
    arrived = {}
    with contextlib.closing(run(submissions, SETTINGS, 2)) as results:
        for number, result in results:
            if not arrived:
                workers = [each for each in multiprocessing.active_children() if each.is_alive()]
                assert len(workers) == 2
                os.kill(workers[0].pid, signal.SIGKILL)
            arrived[number] = result
    assert scores(arrived.items()) == {10 * k: float(k < 4) for k in range(8)}
    # The same to the last letter, so that summary and feedback are, too.
    assert arrived == dict(run(submissions, SETTINGS, 2, "threads"))


@pytest.fixture(scope="module")
def cluster():
    """A cluster that is there already; its worker is a thread of this process."""
    with LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        protocol="tcp",
        dashboard_address=":0",
    ) as cluster:
        yield cluster


@pytest.mark.slow
def test_a_cluster_that_is_there_is_used_and_stays(cluster, right):
    for _ in range(2):
        submissions = a_class(right, "x = 1")
        assert scores(run(submissions, SETTINGS, 1, cluster.scheduler_address)) == {0: 1.0, 10: 0.0}


def test_workers_without_this_version_are_refused():
    def without(function):
        raise ModuleNotFoundError("No module named 'backprop_nb'")

    for run_everywhere in (lambda function: {"tcp://a": "0.0", "tcp://b": function()}, without):
        with pytest.raises(UnsupportedError, match="need this version"):
            running._check_versions(SimpleNamespace(run=run_everywhere))


@pytest.mark.slow
def test_who_only_ran_beside_a_killer_is_cleared(cluster, right):
    """Dask blames everybody on the worker; alone, each is asked again."""
    blamed = iter([KilledWorker("task", mock.Mock(), 3)])

    def outcome(future):
        return next(blamed, None) or future.result()

    with mock.patch.object(running, "_outcome", outcome):
        found = scores(run(a_class(right, "x = 1"), SETTINGS, 1, cluster.scheduler_address))
    assert found == {0: 1.0, 10: 0.0}


def test_what_fails_for_want_of_something_else_is_told_and_not_judged(right):
    with mock.patch.object(running, "examine", side_effect=OSError("no room")):
        ((number, why),) = run(a_class(right), SETTINGS, 1, "threads")
    assert (number, why) == (0, "OSError: no room")


def test_without_dask_threads_do_it_and_a_cluster_is_refused(right):
    with mock.patch.object(running, "has_dask", return_value=False):
        assert scores(run(a_class(right), SETTINGS)) == {0: 1.0}
        with pytest.raises(UnsupportedError) as caught:
            list(run(a_class(right), SETTINGS, 1, "tcp://127.0.0.1:1"))
    assert "pip install" in caught.value.instead


def test_a_cluster_that_does_not_start_is_told_with_the_way_round_it(right):
    with (
        mock.patch.object(running, "_local_cluster", side_effect=RuntimeError("Nanny failed.")),
        pytest.raises(UnsupportedError, match="cannot start") as caught,
    ):
        list(run(a_class(right), SETTINGS))
    assert caught.value.given == "RuntimeError: Nanny failed."
    assert "--scheduler threads" in caught.value.instead


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x"])
def test_an_address_without_a_cluster_is_told(address, right):
    with (
        mock.patch.object(running, "_CONNECTING", 1),
        pytest.raises(NotFoundError, match="must be the address of a Dask cluster"),
    ):
        list(run(a_class(right), SETTINGS, 1, address))
    with pytest.raises(ValueError, match="No clients found"):
        default_client()  # or Dask would send there what is computed next
    assert dask.config.get("scheduler", None) is None


def test_nothing_to_do_starts_nothing():
    assert list(run({}, SETTINGS)) == []


def test_threads_keep_no_more_than_they_work_on():
    asked = []
    with (
        mock.patch.object(running, "examine", side_effect=lambda each, _: asked.append(each) or {}),
        contextlib.closing(run(a_class(*["x"] * 50), SETTINGS, 2, "threads")) as results,
    ):
        for count, _ in enumerate(results, 1):
            assert len(asked) <= count + 2 * 2
    assert len(asked) == 50


def test_a_cluster_without_workers_is_told_and_not_waited_for():
    nothing = SimpleNamespace(is_empty=lambda: False, has_ready=lambda: False)
    with (
        mock.patch.object(running, "_CONNECTING", 0.02),
        pytest.raises(BackpropError, match="No worker of the cluster is left"),
    ):
        next(running._as_they_come(nothing, SimpleNamespace(nthreads=dict)))


def test_an_interrupt_waits_until_a_cluster_is_whole_and_a_second_does_not():
    steps, before = [], signal.getsignal(signal.SIGINT)

    def start(*interrupts):
        with running._uninterrupted():
            for interrupt in interrupts:
                interrupt()
            steps.append("whole")

    def once():
        os.kill(os.getpid(), signal.SIGINT)

    def heard():
        signal.getsignal(signal.SIGINT)(signal.SIGINT, None)

    with pytest.raises(KeyboardInterrupt):
        start(once)
    assert steps == ["whole"]
    with pytest.raises(KeyboardInterrupt):
        start(heard, heard)
    assert steps == ["whole"]
    assert signal.getsignal(signal.SIGINT) is before


def test_what_python_starts_beside_its_workers_gets_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    seen = []
    with mock.patch.object(running, "resource_tracker") as tracker:
        tracker.ensure_running.side_effect = lambda: seen.append(dict(os.environ))
        running._start_tracker()
    assert "SECRET_TOKEN" not in seen[0]
    assert os.environ["SECRET_TOKEN"] == "abc"

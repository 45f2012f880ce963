"""Many submissions at the same time: on a cluster of Dask, or on threads where there is none.

Either way each submission has a process of its own.  What Dask adds is other
machines, and that work is done again which a lost worker has taken with it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from importlib.util import find_spec
from itertools import islice
from multiprocessing import resource_tracker
from typing import Any

import backprop_nb
from backprop_nb.classroom.host import close_idle, stop
from backprop_nb.classroom.limits import hidden_memory, hide_memory
from backprop_nb.classroom.submissions import Submission
from backprop_nb.classroom.verdict import GradingSettings, examine
from backprop_nb.errors import BackpropError, NotFoundError, UnsupportedError

Arrivals = Generator[tuple[int, dict[str, Any] | str], None, None]
"""The number of a submission, and its result, or why there is none."""

Submissions = Mapping[int, Submission]

THREADS = "threads"
INSTALL = 'python -m pip install "backprop-nb[cluster]"'
_CONNECTING = 30
_PAUSE = 0.01
_RETRIES = 2
# An interrupt reaches all processes of a terminal, but only the grader knows what to do then;
# and a submission may be curious about what else its user runs.
_AT_START = (
    "import signal\nfrom backprop_nb.classroom.limits import hide_memory\n"
    "signal.signal(signal.SIGINT, signal.SIG_IGN)\nhide_memory()\n"
)
_NEEDED = ("PATH", "LANG", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "TMPDIR")
"""What Python itself wants to find in its environment."""


def default_workers() -> int:
    """Return how many submissions run at the same time unless somebody says so."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    submissions: Submissions,
    settings: GradingSettings,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Arrivals:
    """Yield the results of submissions as they arrive.

    Parameters
    ----------
    submissions
        Each with a number.
    workers
        How many at the same time; on an existing cluster its workers decide.
    scheduler
        The address of an existing cluster; ``"threads"`` does without Dask; None starts a
        cluster on this machine, or takes threads if Dask is not installed.

    Raises ``NotFoundError``: there is no cluster at this address.
    Raises ``UnsupportedError``: Dask is asked for and not installed, or a cluster has no fitting
    ``backprop_nb``.
    """
    if not submissions:
        return
    with hidden_memory():
        yield from _run(submissions, settings, workers, scheduler)


def _run(
    submissions: Submissions, settings: GradingSettings, workers: int | None, scheduler: str | None
) -> Arrivals:
    count = min(workers or default_workers(), len(submissions))
    if scheduler == THREADS or (scheduler is None and not has_dask()):
        yield from _on_threads(submissions, settings, count)
    elif not has_dask():
        raise UnsupportedError(
            "A cluster needs Dask, which is not installed.",
            given=f"scheduler={scheduler!r}",
            instead=INSTALL,
        )
    else:
        with _connected(scheduler, count) as client:
            yield from _on_cluster(submissions, settings, client)


def has_dask() -> bool:
    """Whether the extra ``cluster`` is installed."""
    return find_spec("distributed") is not None


# --- threads ------------------------------------------------------------------------------


def _on_threads(submissions: Submissions, settings: GradingSettings, workers: int) -> Arrivals:
    pool = ThreadPoolExecutor(workers)
    waiting = iter(submissions.items())
    running: dict[Future[dict[str, Any]], int] = {}
    try:
        while True:
            # As many as keep everybody busy: what is done is not kept here any longer.
            for number, submission in islice(waiting, 2 * workers - len(running)):
                running[pool.submit(examine, submission, settings)] = number
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), _result_of(future.exception() or future.result())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        # After an interrupt nobody waits until the endless ones are out of time.  Who has only just
        # begun is not there to be stopped the first time.
        while not all(each.done() for each in running):
            stop()
            wait(running, _PAUSE)
        pool.shutdown()
        close_idle()


# --- Dask ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _connected(scheduler: str | None, workers: int) -> Iterator[Any]:
    """Connect to a cluster, which ends with the connection if it has been started for this."""
    with _silence(), contextlib.ExitStack() as stack:
        yield _start(workers, stack) if scheduler is None else _join(scheduler, stack)


def _examine_hidden(submission: Submission, settings: GradingSettings) -> dict[str, Any]:
    """Examine a submission on a worker that was there before, and is not to be looked into."""
    hide_memory()
    return examine(submission, settings)


def _start_tracker() -> None:
    """Start the process that Python puts beside its workers, which cannot hide what it holds."""
    before = dict(os.environ)
    for name in before.keys() - {*_NEEDED}:
        del os.environ[name]
    try:
        resource_tracker.ensure_running()
    finally:
        os.environ.update(before)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let an interrupt wait, and not reach processes that are started meanwhile; a second is heard.

    Half of a cluster cannot be closed, and its processes would say so at length.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def remember(number: int, _: Any) -> None:
        if arrived:
            raise KeyboardInterrupt
        arrived.append(number)

    before = signal.signal(signal.SIGINT, remember)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, before)
    if arrived:
        raise KeyboardInterrupt


def _start(workers: int, stack: contextlib.ExitStack) -> Any:
    try:
        with _uninterrupted():
            return stack.enter_context(_client(stack.enter_context(_local_cluster(workers))))
    except (OSError, RuntimeError, TimeoutError) as error:
        raise UnsupportedError(
            "Dask cannot start its workers here.",
            given=_described(error),
            instead='scheduler="threads", which does without (--scheduler threads)',
        ) from error


def _join(scheduler: str, stack: contextlib.ExitStack) -> Any:
    try:
        client = stack.enter_context(_client(scheduler))
        client.wait_for_workers(1, timeout=_CONNECTING)
    except (OSError, TimeoutError, ValueError) as error:
        raise NotFoundError(
            "`scheduler` must be the address of a Dask cluster that has workers.",
            given=f"scheduler={scheduler!r}",
            expected="an address such as tcp://host:8786",
        ) from error
    _check_versions(client)
    return client


def _client(cluster: Any) -> Any:
    """Connect to a cluster, and leave to the others in this process the one that they have.

    Above all where nobody is at the address: by default Dask would send there all that it is
    asked from then on, and wait for ever.
    """
    from distributed import Client

    return Client(cluster, timeout=_CONNECTING, set_as_default=False)


def _local_cluster(workers: int) -> Any:
    from distributed import LocalCluster

    _start_tracker()
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",  # any port: the usual one warns if somebody else has a cluster
        scheduler_kwargs={"dashboard": False},
        memory_limit=0,  # the submissions' own limits are what counts
        preload=[_AT_START],
        silence_logs=logging.CRITICAL,
    )


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep from the terminal what Dask logs when a worker ends; results tell what matters."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(distributed|dask|tornado)\b")
            yield
    finally:
        logger.setLevel(before)


def _version() -> str:
    return backprop_nb.__version__


def _check_versions(client: Any) -> None:
    try:
        versions = set(client.run(_version).values())
    except Exception as error:  # whatever a worker without the package raises
        versions = {_described(error)}
    if versions != {_version()}:
        raise UnsupportedError(
            "The cluster's workers need this version of backprop_nb.",
            given=", ".join(sorted(versions)),
            expected=_version(),
        )


def _on_cluster(submissions: Submissions, settings: GradingSettings, client: Any) -> Arrivals:
    from distributed import KilledWorker, as_completed

    def submit(number: int) -> Any:
        submission = submissions[number]
        return client.submit(_examine_hidden, submission, settings, pure=False, retries=_RETRIES)

    suspects = []
    futures = {submit(number): number for number in submissions}
    for future in _as_they_come(as_completed(list(futures), loop=client.loop), client):
        number = futures.pop(future)
        outcome = _outcome(future)
        if isinstance(outcome, KilledWorker):
            suspects.append(number)
        else:
            yield number, _result_of(outcome)
        future.release()
    # Who ran beside a submission that kills workers is suspected too.  By itself it is cleared.
    for number in suspects:
        for future in _as_they_come(as_completed([submit(number)], loop=client.loop), client):
            yield number, _result_of(_outcome(future))


def _as_they_come(completed: Any, client: Any) -> Iterator[Any]:
    """Yield futures as they end.

    Raises ``BackpropError``: for some time no worker is left that could end one.
    """
    heard = time.monotonic()
    while not completed.is_empty():
        if completed.has_ready():
            yield next(completed)
            heard = time.monotonic()
        elif time.monotonic() - heard < _CONNECTING:
            time.sleep(_PAUSE)
        elif client.nthreads():
            heard = time.monotonic()
        else:
            raise BackpropError(
                f"No worker of the cluster is left, for {_CONNECTING} seconds.",
                instead="a worker, and the same command again: what is done is kept",
            )


def _outcome(future: Any) -> Any:
    """Return a future's result, or the exception that stands in its place."""
    from distributed import CancelledError

    try:
        return future.result()
    except CancelledError as error:
        raise BackpropError(
            "The connection to the cluster was lost.",
            instead="the same command again: what is done is kept",
        ) from error
    except Exception as error:
        return error


def _result_of(outcome: Any) -> Any:
    """Return a result as it is, and an exception as the reason why there is none."""
    return _described(outcome) if isinstance(outcome, BaseException) else outcome


def _described(error: BaseException) -> str:
    text = str(error).split("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

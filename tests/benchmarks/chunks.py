"""What a pass and an epoch over more data than memory cost, and what a lost worker costs.

    python -m pip install -e ".[cluster]"
    python tests/benchmarks/chunks.py            # on this machine's threads
    python tests/benchmarks/chunks.py --cluster  # on two workers, of which one is killed on the way

Ten million rows of float32 are made chunk by chunk and never kept.  Beside the time stands what
cannot be avoided: to make the data.  All numbers must be those of the same rows in memory, and
with a worker killed those without.  Threads of NumPy's own stand in the way of Dask's: compare
with ``OPENBLAS_NUM_THREADS=1``, which a cluster's workers have anyway.  --read is for a chunk that
comes from a disk or from a network, so that it is waited for, and with few rows for a machine that
is busy: --rows 1e6 --read 0.2.  --write puts the table of a cluster into chunks.md.
"""

import argparse
import os
import platform
import resource
import signal
import statistics
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib.metadata import version
from pathlib import Path

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster
from network import line, over
from timing import publish

from backprop_nb import SigmoidNetwork

FILE = Path(__file__).with_suffix(".md")
CHUNKS, COLUMNS, SUBSET = 100, 20, 100_000
DEATHS = {"": None, "killed half way": 0.5, "killed at nine tenths": 0.9}


def data(rows, chunks=CHUNKS):
    random = da.random.default_rng(0)
    x = random.standard_normal((rows, COLUMNS), dtype=np.float32, chunks=(rows // chunks, -1))
    return x, (x[:, :1] * x[:, 1:2] > 0).astype(np.float32)


def watched(x, log, wait=0.0, death=None):
    """The same array, which notes each chunk that is made, and dies of the one at that share."""
    fatal = death and round(death * x.numblocks[0])

    def make(block):
        time.sleep(wait)
        with log.open("a") as file:
            file.write("\n")
        if log.stat().st_size == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return block

    return x.map_blocks(make, dtype=x.dtype, meta=np.empty((0, 0), x.dtype))


def network():
    return SigmoidNetwork((COLUMNS, 16, 1), seed=0)


def one_pass(x, y):
    loss, gradient = network().loss_and_gradient(x, y)
    return np.concatenate([[loss], *(part.ravel() for part in (*gradient.A, *gradient.b))])


def one_epoch(x, y, batch_size):
    net = network()
    history = net.fit(x, y, epochs=1, batch_size=batch_size, seed=0, progress=False)
    return np.concatenate([history.loss, *(part.ravel() for part in (*net.A, *net.b))])


RUNS = {
    "the data alone": lambda x, y: np.array(dask.compute(x.sum(), y.sum())),
    "the loss and its gradient": one_pass,
    "an epoch, eight chunks a step": partial(one_epoch, batch_size="auto"),
    "an epoch, a chunk a step": partial(one_epoch, batch_size=1),
}


def difference(ours, theirs):
    return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))


def peak():
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def compare_with_memory():
    """A subset in ten chunks, and the same rows in memory."""
    x, y = data(SUBSET, 10)
    in_memory = dask.compute(x, y)
    for run in (one_pass, partial(one_epoch, batch_size=None)):
        assert difference(run(x, y), run(*in_memory)) < 1e-5


@contextmanager
def two_workers():
    """Yield a client of two workers that have loaded what there is to load."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        compare_with_memory()
        yield client


def timed(run, given, death):
    """Return the seconds of a run, what it returns, how many chunks it had made, and the peak."""
    x, y = data(given.rows)
    workers = two_workers() if given.cluster else nullcontext()
    with workers as client, tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        start = time.perf_counter()
        result = run(watched(x, log, given.read, death), y)
        seconds = time.perf_counter() - start
        peaks = [peak(), *(client.run(peak).values() if client else ())]
        return seconds, result, log.stat().st_size, max(peaks)


def report(given):
    """Yield the lines of the report, in Markdown, as they become known."""
    compare_with_memory()
    deaths = DEATHS if given.cluster else {"": None}
    yield line("", "seconds", "to the data alone", *filter(None, deaths))
    yield line("---", "--:", *("--:" for _ in deaths))
    alone, most = None, 0.0
    for title, run in RUNS.items():
        times, made, expected = defaultdict(list), defaultdict(list), None
        for _ in range(given.rounds):
            for name, death in deaths.items():
                seconds, result, count, most_here = timed(run, given, death)
                expected = result if expected is None else expected
                assert difference(result, expected) < 1e-5
                times[name].append(seconds)
                made[name].append(count)
                most = max(most, most_here)
        middle = statistics.median(times[""])
        alone = alone or middle
        killed = [
            f"{over(times[name], times['']):.2f} ×, {max(made[name]) - made[''][0]} made again"
            for name in filter(None, deaths)
        ]
        yield line(title, f"{middle:.1f}", f"{middle / alone:.2f} ×", *killed)
    size = sum(each.nbytes for each in data(given.rows)) / 1e6
    yield (
        f"\n{given.rows:,} rows, {size:.0f} MB in {CHUNKS} chunks"
        + f", each waited for {given.read:g} s" * (given.read > 0)
        + f"; no process ever had more than {most:.0f} MB.\nMedians of {given.rounds} "
        f"rounds in turn; {os.cpu_count()} cores, Python {platform.python_version()}, dask "
        f"{version('dask')}, numpy {version('numpy')}."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cluster", action="store_true", help="on two worker processes")
    parser.add_argument("--rows", type=lambda text: int(float(text)), default=10_000_000)
    parser.add_argument("--read", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"the table into {FILE.name}")
    given = parser.parse_args()
    title = "Data in chunks, on two workers, and with one of them killed on the way"
    publish(title, report(given), FILE if given.write and given.cluster else None)


if __name__ == "__main__":
    main()

"""What a pass and an epoch over more data than memory cost, and that the numbers are right.

    python -m pip install -e ".[cluster]"
    python tests/benchmarks/chunks.py            # on this machine's threads
    python tests/benchmarks/chunks.py --cluster  # on two workers, one of them killed half way

Ten million rows are made chunk by chunk and never kept.  Beside the time stands
what cannot be avoided: to make the data, and the pass over a chunk in memory,
times the number of chunks.  Threads of NumPy's own stand in the way of Dask's:
compare with ``OPENBLAS_NUM_THREADS=1``, which a cluster's workers have anyway.
"""

import argparse
import os
import resource
import signal
import tempfile
import time
from functools import partial
from pathlib import Path

import dask
import dask.array as da
import numpy as np
from distributed import Client, LocalCluster

from backprop_nb import SigmoidNetwork

ROWS, COLUMNS, CHUNK = 10_000_000, 20, 100_000
SUBSET = 100_000


def data(rows=ROWS, chunk=CHUNK):
    x = da.random.default_rng(0).standard_normal((rows, COLUMNS), chunks=(chunk, -1))
    return x, (x[:, :1] * x[:, 1:2] > 0).astype(float)


def deadly(x, marker):
    """The same array; who first makes its middle chunk, dies of it."""
    middle = x.numblocks[0] // 2

    def make(block, block_id):
        if block_id[0] == middle and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return block

    return x.map_blocks(make, dtype=x.dtype, meta=np.empty((0, 0)))


def network():
    return SigmoidNetwork((COLUMNS, 16, 1), seed=0)


def one_pass(x, y):
    loss, gradient = network().loss_and_gradient(x, y)
    return np.concatenate([[loss], *(part.ravel() for part in (*gradient.A, *gradient.b))])


def one_epoch(x, y, batch_size=None):
    net = network()
    history = net.fit(x, y, epochs=1, batch_size=batch_size, seed=0, progress=False)
    return np.concatenate([history.loss, *(part.ravel() for part in (*net.A, *net.b))])


def difference(ours, theirs):
    return float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))


def peak():
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


RUNS = {
    "loss_and_gradient": one_pass,
    "an epoch, in one step": one_epoch,
    "an epoch, a step per chunk": partial(one_epoch, batch_size=CHUNK),
}


def timed(title, run, *args):
    start = time.perf_counter()
    result = run(*args)
    print(f"{title:<44} {time.perf_counter() - start:8.1f} s")
    return result


def compare_with_memory():
    """A subset in ten chunks, and the same rows in memory."""
    x, y = data(SUBSET, SUBSET // 10)
    in_memory = dask.compute(x, y)
    found = difference(one_pass(x, y), one_pass(*in_memory))
    print(f"{'largest difference to memory, 10⁵ rows':<44} {found:8.0e}")


def measure(peaks):
    x, y = data()
    print(f"{'the data would take':<44} {(x.nbytes + y.nbytes) / 1e6:8.0f} MB")
    one_pass(*data(CHUNK))  # loads what there is to load
    print(f"{'memory before':<44} {max(peaks()):8.0f} MB")
    chunk = dask.compute(*data(CHUNK))
    timed("the data alone", lambda: dask.compute(x.sum(), y.sum()))
    timed("the passes alone, in memory", lambda: [one_pass(*chunk) for _ in x.chunks[0]])
    results = {title: timed(title, run, x, y) for title, run in RUNS.items()}
    print(f"{'memory at its peak':<44} {max(peaks()):8.0f} MB")
    return results


def measure_with_a_death(client, title, expected):
    client.wait_for_workers(2)
    with tempfile.TemporaryDirectory() as folder:
        x, y = data()
        result = timed(f"{title}, a worker killed", RUNS[title], deadly(x, Path(folder) / "met"), y)
    print(f"{'largest difference to the run without':<44} {difference(result, expected):8.0e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cluster", action="store_true", help="on two worker processes")
    if not parser.parse_args().cluster:
        compare_with_memory()
        measure(lambda: [peak()])
        return
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        compare_with_memory()
        results = measure(lambda: [peak(), *client.run(peak).values()])
        for title, expected in results.items():
            measure_with_a_death(client, title, expected)


if __name__ == "__main__":
    main()

"""How long a class takes, how much memory, and whether a lost worker changes anything.

    python tests/benchmarks/classroom.py [SUBMISSIONS [WORKERS]]

A mix of right, wrong and broken submissions is graded by the command itself: on Dask, on Dask
with one worker killed half way, and on threads.  The three summaries have to be equal in every
byte.  Of each submission it says the milliseconds of the processor, which other work on the
machine changes least, of the endless ones too.  Memory is that of all processes together; what
they share counts once.  It needs Linux.
Feedback does not name lines here: to find one takes most of a second of the processor, a hundred
times what the rest takes.
"""

import hashlib
import random
import resource
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

RIGHT = runpy.run_path(str(Path(__file__).parent.parent / "classroom/conftest.py"))["RIGHT"]

# What is replaced by what, and how many of 100 do so.
MIX = [
    (38, "", ""),
    (12, "A[i].T @ delta * f[i] * (1 - f[i])", "A[i].T @ delta"),
    (8, "2 * (f[-1] - y)", "(f[-1] - y)"),
    (6, "(f[-1] - y)", "(y - f[-1])"),
    (6, "(f[-1] - y) * f[-1] * (1 - f[-1])", "(f[-1] - y)"),
    (6, "A[i].T @", "A[i] @"),
    (4, "np.outer(delta, f[i])", "np.outer(f[i], delta)"),
    (4, "f[i] * (1 - f[i])", "f[i] * f[i]"),
    (3, "2 * (f[-1] - y)", "3.7 * (f[-1] - y)"),
    (3, "def sigma(z):", "def sigma(z)"),
    (3, "def backward", "def back_prop"),
    (2, "f = [x]", "print('spam ' * 1_000_000); f = [x]"),
    (1, "f = [x]", "f = [np.ones((40_000, 40_000))]"),
    (1, "f = [x]", "while True: pass"),
    (1, "import numpy as np", "import os; os._exit(0)"),
    (1, "import numpy as np", "import os, numpy as np; [os.fork() for _ in range(3)]"),
    (1, "f = [x]", "return backward(A, b, x, y)"),
]
TIMEOUT = 1


def hand_in(folder, count):
    """Write as many submissions, in an order that is the same every time."""
    sources = [
        RIGHT.replace(old, new, 1) if old else RIGHT for n, old, new in MIX for _ in range(n)
    ]
    order = random.Random(0)
    for k in range(count):
        if k % len(sources) == 0:
            order.shuffle(sources)
        source = f"# Number {k}\n{sources[k % len(sources)]}"
        (folder / f"student {k:04}.py").write_text(source, encoding="utf-8")


def memory(process):
    """Return the megabytes of a process and its offspring, and how many they are."""
    total = count = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_full_info().pss
            count += 1
        except psutil.Error:  # it has ended meanwhile
            pass
    return total / 1e6, count


def a_worker(process):
    """Return a worker of the local cluster: a child of Python's that has a watcher itself."""
    for child in process.children():
        if "spawn_main" in " ".join(child.cmdline()):
            return child
    raise RuntimeError("there is no worker")


def graded(folder, out, workers, *options, kill_at=None):
    """Run the command once; return seconds, those of the processor, megabytes, the most processes,
    and the summary."""
    command = [sys.executable, "-m", "backprop_nb", "grade", folder, "--out", out]
    limits = ["--timeout", str(TIMEOUT), "--workers", str(workers), "--hints", "vague", *options]
    start, before = time.monotonic(), _of_the_processor()
    megabytes = processes = 0
    with psutil.Popen([*map(str, command), *limits], stdout=subprocess.DEVNULL) as process:
        while True:
            try:
                process.wait(0.5)
                break
            except psutil.TimeoutExpired:
                now, count = memory(process)
                megabytes, processes = max(megabytes, now), max(processes, count)
            if kill_at and len([*(out / "results").glob("*.json")]) >= kill_at:
                a_worker(process).kill()
                kill_at = None
    assert process.returncode == 0
    assert not kill_at, "it was over before a worker could be killed"
    summary = b"".join((out / f"summary.{kind}").read_bytes() for kind in ("json", "csv", "html"))
    digest = hashlib.sha256(summary).hexdigest()[:12]
    used = _of_the_processor() - before
    return time.monotonic() - start, used, megabytes, processes, digest


def _of_the_processor():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(count=1000, workers=2):
    """Print a line for each way."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "submissions")
        folder.mkdir()
        hand_in(folder, count)
        print(f"{count} submissions, {workers} workers, {TIMEOUT} s for each")
        print("                            seconds  each   MB  processes  summary")
        for k, (name, options) in enumerate([
            ("Dask", {}),
            ("Dask, a worker killed", {"kill_at": count // 2}),
            ("threads", {}),
        ]):  # fmt: skip
            out = Path(place, f"out{k}")
            words = ["--scheduler", "threads"] if name == "threads" else []
            run = graded(folder, out, workers, *words, **options)
            seconds, used, megabytes, processes, digest = run
            each = 1000 * used / count
            print(
                f"{name:<26} {seconds:8.1f} {each:4.0f}ms {megabytes:5.0f} {processes:8}   {digest}"
            )
            shutil.rmtree(out)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

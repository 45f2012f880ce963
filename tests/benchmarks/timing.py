"""Fair timing: every contender in turn, many rounds, medians, ratios of one run.

``medians`` lets the contenders take turns in this process, ``times_apart`` each in
a process of its own, for libraries whose pools of threads disturb one another.
"""

import gc
import json
import multiprocessing
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
Run = Callable[[], object]  # what is timed
Maker = Callable[[], Run]  # makes it, in the process that will time it
Show = Callable[[object], object]  # picks from a result what can be sent

FRESH = multiprocessing.get_context("spawn")  # a fork would inherit the parent's pools


def medians(contenders: Mapping[str, Run], rounds: int = 15, runs: int = 5) -> dict[str, float]:
    """Return the median time of one run of each contender, in seconds.

    All take turns in every round, and each begins its turn with a clean heap.
    """
    for run in contenders.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            times[name].append(_turn(run, runs))
    return {name: statistics.median(each) for name, each in times.items()}


def times_apart(
    makers: Mapping[str, Maker],
    show: Show,
    check: Callable[[dict[str, object]], None],
    rounds: int = 15,
    seconds: float = 0.03,
) -> dict[str, list[float]]:
    """Return the times of one run of each contender, one a round, in seconds.

    Each maker is called in a process of its own, and what it makes is run there.
    First `show` picks from a result what can be sent, there, and `check` sees that
    of all contenders by name, here, to raise if they do not compute the same.

    In every round all take turns, in another order each time, and a turn makes as
    many runs as fit into `seconds`, at least one. The others sleep meanwhile, their
    threads too. A round before the first finds out how many runs fit, and does not
    count. Makers and `show` must be picklable.
    """
    with ExitStack() as stack:
        pipes = {name: stack.enter_context(_process(make, show)) for name, make in makers.items()}
        check({name: _answer(name, pipe) for name, pipe in pipes.items()})
        times: dict[str, list[float]] = {name: [] for name in pipes}
        shuffle = random.Random(0).shuffle
        order = list(pipes)
        for _ in range(1 + rounds):
            shuffle(order)
            for name in order:
                latest = times[name][-1] if times[name] else seconds
                pipes[name].send(max(1, round(seconds / latest)))
                times[name].append(_answer(name, pipes[name]))
    return {name: each[1:] for name, each in times.items()}


def undisturbed(measure: Callable[[], T], allowed: float = 0.05, tries: int = 2) -> tuple[T, float]:
    """Return what is measured while other programs rest, and their share of the processors.

    One busy program elsewhere makes two threads that wait for each other a thousand
    times slower. If the share is more than is allowed, the measurement is repeated,
    and of all tries the quietest is kept. The share is 0 where the system does not
    tell, which only Linux does.
    """
    found: list[tuple[T, float]] = []
    while len(found) < tries and not any(share <= allowed for _, share in found):
        begin, others = time.perf_counter(), _work_of_others()
        result = measure()
        elapsed = (time.perf_counter() - begin) * (os.cpu_count() or 1)
        found.append((result, max(0.0, _work_of_others() - others) / elapsed))
    return min(found, key=lambda each: each[1])


def table(title: str, rows: Mapping[str, float], unit: str, scale: float, against: str) -> str:
    """Return a Markdown table of times and of ratios against one of the contenders."""
    lines = [f"| {title} | {unit} | ratio to {against} |", "|---|---|---|"]
    for name, seconds in sorted(rows.items(), key=lambda item: item[1]):
        lines.append(f"| {name} | {seconds * scale:.3g} | {seconds / rows[against]:.2f} |")
    return "\n".join(lines)


def with_defaults() -> None:
    """Forget what the environment says of threads and processors: only some libraries follow it.

    OpenBLAS told of an older processor, as on a machine that works around a fault of an older
    OpenBLAS, multiplies at half its speed, and JAX beside it does not.
    """
    for name in [*os.environ]:
        if name.endswith("_NUM_THREADS") or name.startswith("OPENBLAS_"):
            del os.environ[name]


def of_build(build: Path, *command: str) -> object:
    """Return what a script prints as JSON, in a fresh Python that finds a build of the package."""
    path = os.pathsep.join([str(build), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, *command], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(run.stdout)


def publish(title: str, lines: Iterable[str], file: Path | None) -> None:
    """Print the lines of a report as they become known, and write them into a file, if any."""
    known = [f"# {title}\n"]
    for line in lines:
        print(line, flush=True)
        known.append(line)
    if file:
        file.write_text("\n".join(known) + "\n", encoding="utf-8")


def _turn(run: Run, runs: int) -> float:
    """Return the time of one of so many runs, begun with a clean heap."""
    gc.collect()
    start = time.perf_counter()
    for _ in range(runs):
        run()
    return (time.perf_counter() - start) / runs


def _work_of_others() -> float:
    """Return the processors' seconds of work, without this process and its children."""
    statistics_of_all = Path("/proc/stat")
    if not statistics_of_all.exists():
        return 0.0
    first_line = statistics_of_all.read_text(encoding="ascii").partition("\n")[0]
    user, nice, system, _idle, _wait, *interrupts_and_stolen = map(int, first_line.split()[1:9])
    ticks = user + nice + system + sum(interrupts_and_stolen)
    return ticks / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


# --- a process for each contender -------------------------------------------


@contextmanager
def _process(make: Maker, show: Show) -> Iterator[Connection]:
    """Yield the pipe to a new process, which ends with the block."""
    here, there = FRESH.Pipe()
    process = FRESH.Process(target=_take_turns, args=(there, make, show), daemon=True)
    process.start()
    there.close()
    try:
        yield here
    finally:
        process.terminate()
        process.join()


def _take_turns(pipe: Connection, make: Maker, show: Show) -> None:
    """Send what is to be shown, then the time of one run for each number of runs received.

    A process that has waited finds cold caches, so runs without a clock come first.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    run = make()
    run()
    answer = show(run())  # of the second run, which finds what the first has kept
    while True:
        _let_threads_sleep()
        pipe.send(answer)
        runs = pipe.recv()
        for _ in range(max(1, runs // 10)):
            run()
        answer = _turn(run, runs)


def _let_threads_sleep(limit: float = 1.0) -> None:
    """Wait until this process uses no more time of the processor.

    The threads of a pool look out for work for a while (OpenBLAS 0.1 s), and keep
    a core from the contender whose turn is next.
    """
    end = time.perf_counter() + limit
    used = -1.0
    while time.process_time() - used > 5e-4 and time.perf_counter() < end:
        used = time.process_time()
        time.sleep(0.005)


def _answer(name: str, pipe: Connection):
    try:
        return pipe.recv()
    except EOFError:
        raise SystemExit(f"{name} failed; why stands above.") from None

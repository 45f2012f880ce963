"""What tracing and reversing costs, beside its peers in the same process.

    python -m pip install -e ".[bench]"
    python tests/benchmarks/tracing.py [--growth] [--lengths ...] [--beside FOLDER] [--write]

Three questions: the cost of one scalar operation, forward and back; a compiled
network, without and with decisions of Python, against NumPy written by hand; and how
time and memory grow with the length of a graph, for programs of all kinds, each in a
process of its own. --beside is the folder of another build's `backprop_nb`,
which is asked up to 1000 nodes; --write puts
what grows into tracing.md.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import sys
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from network import line
from timing import medians, of_build, publish, table

import backprop_nb as bp

HERE = Path(__file__).parents[2]
FILE = Path(__file__).with_suffix(".md")
sys.path.append(str(HERE / "tests" / "tracing"))

from growing import programs  # noqa: E402

OPERATIONS = 800  # micrograd recurses over the graph and fails at 1000


def scalar_chain(x, operations=OPERATIONS):
    for _ in range(operations // 4):
        x = x * 1.01
        x = x + 0.1
        x = x * x
        x = x / 1.7
    return x


def scalar_contenders():
    """One value and one gradient of the same chain, in each library."""
    contenders = {"backprop_nb": lambda: bp.trace(scalar_chain, 0.1).backward().gradients}
    try:
        from micrograd.engine import Value

        def run_micrograd():
            x = Value(0.1)
            scalar_chain(x).backward()
            return x.grad

        contenders["micrograd"] = run_micrograd
    except ImportError:
        pass
    try:
        import autograd

        contenders["autograd"] = lambda: autograd.grad(scalar_chain)(0.1)
    except ImportError:
        pass
    try:
        import mygrad

        def run_mygrad():
            x = mygrad.tensor(0.1)
            scalar_chain(x).backward()
            return x.grad

        contenders["MyGrad"] = run_mygrad
    except ImportError:
        pass
    try:
        import torch

        def run_torch():
            x = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
            scalar_chain(x).backward()
            return x.grad

        contenders["PyTorch"] = run_torch
    except ImportError:
        pass
    return contenders


def by_hand(A, b, x, y):
    """A sigmoid network and its backward pass as a course writes it."""
    f = [x]
    for A_i, b_i in zip(A, b, strict=True):
        f.append(1.0 / (1.0 + np.exp(-(f[-1] @ A_i.T + b_i))))
    error = f[-1] - y
    loss = np.mean(np.sum(error**2, axis=1))
    delta = (2.0 / len(x)) * error * f[-1] * (1.0 - f[-1])
    d_A, d_b = [], []
    for i in reversed(range(len(A))):
        d_A.insert(0, delta.T @ f[i])
        d_b.insert(0, delta.sum(axis=0))
        if i:
            delta = (delta @ A[i]) * f[i] * (1.0 - f[i])
    return loss, (d_A, d_b)


def network_contenders(widths, rows, dtype):
    """A network as compiled from its trace, and by hand, on the same numbers."""
    rng = np.random.default_rng(0)
    net = bp.SigmoidNetwork(widths, seed=0)
    A = [M.astype(dtype) for M in net.A]
    b = [v.astype(dtype) for v in net.b]
    x = rng.normal(size=(rows, widths[0])).astype(dtype)
    y = rng.uniform(size=(rows, widths[-1])).astype(dtype)
    compiled = bp.SigmoidNetwork.from_parameters(A, b).trace(x, y).compile()
    value, gradients = compiled(A, b)
    expected, right = by_hand(A, b, x, y)
    tolerance = 1e-4 if dtype == np.float32 else 1e-10
    assert abs(value - expected) < tolerance
    for got, want in zip(gradients[0], right[0], strict=True):
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
    return {
        "graph.compile()": lambda: compiled(A, b),
        "NumPy by hand": lambda: by_hand(A, b, x, y),
    }


def guarded_contenders():
    """A leaky network with a decision in it, compiled and by hand."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(128, 784)), rng.normal(size=(128, 10))
    A, B = rng.normal(scale=0.05, size=(784, 128)), rng.normal(scale=0.1, size=(128, 10))

    def loss(A, B):
        h = x @ A
        h[h < 0] *= 0.1
        error = h @ B - y
        return np.sum(error**2) / len(x) if len(error) > 1 else np.sum(error**2)

    def hand(A, B):
        h = x @ A
        slope = np.where(h < 0, 0.1, 1.0)
        h = h * slope
        error = h @ B - y
        d_error = 2.0 / len(x) * error
        return np.sum(error**2) / len(x), (x.T @ (d_error @ B.T * slope), h.T @ d_error)

    compiled = bp.trace(loss, A, B).compile()
    for got, want in zip(compiled(A, B)[1], hand(A, B)[1], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)
    return {"graph.compile()": lambda: compiled(A, B), "NumPy by hand": lambda: hand(A, B)}


# --- from a hundred nodes to a million -----------------------------------------------

COSTS = {
    "backward": lambda graph: graph.backward().gradients,
    "to_numpy": lambda graph: graph.to_numpy(),
    "to_latex": lambda graph: graph.to_latex(),
    "compile": lambda graph: graph.compile(),
    "describe": lambda graph: str(graph.describe()),
    "explore": lambda graph: graph.explore(),
    "draw": lambda graph: graph.draw(),
}
LENGTHS = (10**2, 10**3)
LONGER = {
    "chain of scalars": 10**5,
    "layers with parameters": 10**5,
    "vector recurrence": 10**5,
    "fan-out and a sum": 10**5,
    "entries assigned": 10**4,
    "entries from entries": 10**5,
    "np.concatenate": 10**4,
}
MILLION = 10**6


def cost(program, nodes):
    """Return how long a graph and each thing that is asked of it take the processor, and its size.

    In seconds and bytes, for a process of its own.
    """
    function, args, options = programs(nodes)[program]
    times = {"trace": [], **{name: [] for name in COSTS}}
    for ask in COSTS.values():  # what is done once
        ask(bp.trace(scalar_chain, 0.1, operations=40))
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(max(1, 3000 // nodes)):
        for name, ask in COSTS.items():
            graph = _ = None  # to free the last one takes time, too
            start = time.process_time()
            graph = bp.trace(function, *args, **options)
            made = time.process_time()
            _ = ask(graph)
            times["trace"].append(made - start)
            times[name].append(time.process_time() - made)
    found = {name: statistics.median(each) for name, each in times.items()}
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found | {"nodes": len(graph.nodes), "bytes": (most - begun) * 1024}


def million(library):
    """Return the seconds and the bytes of a million operations, there and back."""
    run = {
        "backprop_nb": lambda: bp.trace(scalar_chain, 0.1, operations=MILLION).backward().gradients,
        "autograd": lambda: autograd.grad(lambda x: scalar_chain(x, MILLION))(0.1),
    }[library]
    if library == "autograd":
        import autograd
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    _ = run()
    seconds = time.process_time() - start
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "bytes": (most - begun) * 1024}


def apart(build, *asked):
    """Return what a function of this file gives in a fresh Python with a build of the package."""
    return of_build(build, __file__, "--ask", json.dumps(asked))


def growth(builds, lengths):
    """Yield a table of what a node costs in graphs of several lengths, for each program."""
    yield line("program", "nodes", "trace", *(f"`{name}`" for name in COSTS), "bytes")
    yield line("---", *["--:"] * (3 + len(COSTS)))
    for program in programs(min(lengths)):
        for build, root in builds.items():
            asked = [*lengths, *filter(None, [LONGER.get(program)])]
            for nodes in asked if build == "here" else [n for n in asked if n <= 10**3]:
                found = apart(root, "cost", program, nodes)
                each = [f"{1e6 * found[name] / found['nodes']:.1f}" for name in ("trace", *COSTS)]
                size = f"{found['bytes'] / found['nodes']:.0f}" if nodes >= 10**4 else ""
                name = program + (f", {build}" if build != "here" else "")
                yield line(name, f"{found['nodes']:,}".replace(",", " "), *each, size)
    yield f"\n| {MILLION:,} scalar operations | seconds | megabytes |\n|---|--:|--:|"
    contenders = {f"backprop_nb, {build}": ("backprop_nb", root) for build, root in builds.items()}
    if find_spec("autograd"):
        contenders["autograd"] = "autograd", builds["here"]
    for name, (library, root) in contenders.items():
        runs = [apart(root, "million", library) for _ in range(3)]
        seconds, size = (
            statistics.median(run[key] for run in runs) for key in ("seconds", "bytes")
        )
        yield line(name, f"{seconds:.2f}", f"{size / 1e6:.0f}")
    yield (
        "\nMicroseconds of the processor for each node, and the most bytes that a graph and what "
        "is asked of it take; medians of several runs, of one from 10 000 nodes on, of 3 of "
        f"the million. Load of {os.getloadavg()[1]:.0f}. Python {platform.python_version()}, "
        f"numpy {version('numpy')}, {os.cpu_count()} cores."
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--growth", action="store_true", help="only how costs grow")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="of another build")
    parser.add_argument("--write", action="store_true", help=f"what grows into {FILE.name}")
    parser.add_argument("--ask", type=json.loads, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        name, *args = given.ask
        print(json.dumps({"cost": cost, "million": million}[name](*args)))
        return
    if not given.growth:
        compare()
    builds = {"here": HERE} | ({given.beside.name: given.beside} if given.beside else {})
    lines = growth(builds, given.lengths)
    publish("What a node costs, in graphs of any length", lines, FILE if given.write else None)


def compare():
    times = medians(scalar_contenders())
    against = "micrograd" if "micrograd" in times else "backprop_nb"
    print(table("one scalar operation, there and back", times, "µs", 1e6 / OPERATIONS, against))
    for dtype in (np.float32, np.float64):
        times = medians(network_contenders((784, 128, 64, 10), 128, dtype), rounds=40)
        title = f"784-128-64-10, N = 128, {np.dtype(dtype).name}"
        print("\n" + table(title, times, "ms", 1e3, "NumPy by hand"))
    times = medians(guarded_contenders(), rounds=40)
    print(
        "\n" + table("784-128-10, leaky ReLU in place, N = 128", times, "ms", 1e3, "NumPy by hand")
    )


if __name__ == "__main__":
    main()

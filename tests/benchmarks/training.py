"""An epoch of `net.fit`, history and checks included, beside NumPy by hand and JAX's scan.

    python -m pip install -e ".[bench]"
    python tests/benchmarks/training.py [--rounds ...] [--beside FOLDER] [--write]

Each in a process of its own, with the threads that it takes by default; all must end
at the same parameters first. Last, the floor: what a step cannot do without, and nothing
else. --write puts the table into training.md.
"""

import argparse
import functools
import os
import platform
import statistics
import sys
import textwrap
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from network import QUIET, digits, line, over, ratio, spread, steadiness
from timing import publish, times_apart, undisturbed, with_defaults

FILE = Path(__file__).with_suffix(".md")
OURS, RATE = "backprop_nb", 0.1


class Case(NamedTuple):
    """A network and how it is trained; the output layer is a softmax where the hidden are ReLUs."""

    widths: str
    size: int
    """So many rows in a batch."""
    relu: bool = False
    rows: int = 50_000
    epochs: int = 1


CASES = [
    Case("784-30-10", 10),
    Case("784-128-64-10", 128),
    Case("784-30-10", 10, relu=True),
    Case("784-128-64-10", 128, relu=True),
    Case("2-3-2", 4, rows=4, epochs=1000),
]


def example(case: Case, dtype: str):
    """Return initial parameters, data and the order of the rows, the same in every process."""
    random, widths = np.random.default_rng(0), [*map(int, case.widths.split("-"))]
    A = [(random.standard_normal((m, n)) / np.sqrt(n)).astype(dtype) for n, m in pairwise(widths)]
    b = [np.zeros(m, dtype) for m in widths[1:]]
    # Around 0: of positive inputs alone every ReLU would soon be 0 for good.
    x = (random.random((case.rows, widths[0]), dtype=np.float32) - np.float32(0.5)).astype(dtype)
    y = np.eye(widths[-1], dtype=dtype)[random.integers(0, widths[-1], case.rows)]
    return A, b, x, y, np.random.default_rng(1).permutation(case.rows)


def in_backprop_nb(case: Case, dtype: str, folder: str | None = None):
    sys.path[:0] = [folder] if folder else []  # another build
    import backprop_nb as bp

    A, b, x, y, _ = example(case, dtype)
    relu = {"activation": "relu", "output": "softmax", "loss": "cross-entropy"}
    how = {"epochs": case.epochs, "batch_size": case.size, "seed": 1, "progress": False}

    def run():
        net = bp.Network.from_parameters(A, b, **relu if case.relu else {})
        net.fit(x, y, learning_rate=RATE, **how)
        return net.A, net.b

    return run


def in_numpy(case: Case, dtype: str):
    A_0, b_0, x, y, order = example(case, dtype)
    K = len(A_0)

    def run():
        A, b = [A_i.copy() for A_i in A_0], [b_i.copy() for b_i in b_0]
        # In one function: memory given back at the end of a step would be asked for at the next.
        for start in [*range(0, case.rows, case.size)] * case.epochs:
            rows = order[start : start + case.size]
            f = [x[rows]]
            for i, (A_i, b_i) in enumerate(zip(A, b, strict=True), start=1):
                z = f[-1] @ A_i.T + b_i
                if not case.relu:
                    f.append(1 / (1 + np.exp(-z)))
                elif i < K:
                    f.append(np.maximum(z, 0))
                else:
                    e = np.exp(z - z.max(axis=1, keepdims=True))
                    f.append(e / e.sum(axis=1, keepdims=True))
            delta = (f[K] - y[rows]) / len(rows)
            if not case.relu:
                delta = 2 * delta * f[K] * (1 - f[K])
            for i in reversed(range(K)):
                dA, db = delta.T @ f[i], delta.sum(axis=0)
                if i > 0:
                    delta = delta @ A[i] * ((f[i] > 0) if case.relu else f[i] * (1 - f[i]))
                A[i] -= RATE * dA
                b[i] -= RATE * db
        return A, b

    return run


def in_jax(case: Case, dtype: str):
    import jax

    jax.config.update("jax_enable_x64", True)
    A, b, x, y, order = example(case, dtype)
    np_ = jax.numpy
    whole = case.rows // case.size * case.size

    def loss(parameters, x, y):
        *hidden, (A_K, b_K) = zip(*parameters, strict=True)
        for A_i, b_i in hidden:
            x = (jax.nn.relu if case.relu else jax.nn.sigmoid)(x @ A_i.T + b_i)
        z = x @ A_K.T + b_K
        if case.relu:
            return -np_.mean(np_.sum(y * jax.nn.log_softmax(z), axis=1))
        return np_.mean(np_.sum((y - jax.nn.sigmoid(z)) ** 2, axis=1))

    def step(parameters, rows, x, y):
        gradient = jax.grad(loss)(parameters, x[rows], y[rows])
        return jax.tree.map(lambda p, g: p - RATE * g, parameters, gradient), None

    @jax.jit
    def epoch(parameters, x, y, order):
        one = functools.partial(step, x=x, y=y)
        parameters, _ = jax.lax.scan(one, parameters, order[:whole].reshape(-1, case.size))
        return parameters if whole == case.rows else one(parameters, order[whole:])[0]

    parameters, *data = jax.device_put(((A, b), x, y, order))

    def run():
        moved = parameters
        for _ in range(case.epochs):
            moved = epoch(moved, *data)
        return jax.block_until_ready(moved)

    return run


def in_floor(case: Case, dtype: str):
    """Gather the rows, multiply and move the parameters, into arrays that are kept."""
    A, _, x, _, order = example(case, dtype)
    K, size, widths = len(A), case.size, [len(A[0].T), *map(len, A)]
    f = [np.full((size, n), 0.01, dtype) for n in widths]
    delta = [f_i.copy() for f_i in f]
    ends = np.cumsum([A_i.size for A_i in A])
    theta, gradient = np.zeros((2, ends[-1]), dtype)
    parts = np.split(gradient, ends[:-1])
    dA = [part.reshape(A_i.shape) for part, A_i in zip(parts, A, strict=True)]
    products = [(f[i], A[i].T, f[i + 1]) for i in range(K)]
    products += [(delta[i + 1], A[i], delta[i]) for i in reversed(range(1, K))]
    products += [(delta[i + 1].T, f[i], dA[i]) for i in range(K)]

    def run():
        for start in [*range(0, case.rows, size)] * case.epochs:
            rows = order[start : start + size]
            np.take(x, rows, axis=0, out=f[0][: len(rows)], mode="clip")
            for left, right, out in products:
                left.dot(right, out)
            np.subtract(theta, gradient, theta)
        return dA, ()

    return run


FLOOR = "floor"
CONTENDERS = {
    OURS: in_backprop_nb,
    "NumPy by hand": in_numpy,
    "JAX's scan": in_jax,
    FLOOR: in_floor,
}
PACKAGES = ["backprop-nb", "numpy", *(["jax"] if find_spec("jax") else [])]


def plain(result):
    """Return parameters as NumPy arrays, to be sent."""
    A, b = result
    return [np.asarray(each) for each in (*A, *b)]


def check(results, dtype: str) -> None:
    """Stop unless all end at the same parameters, and in the dtype of the data."""
    off = 1e-9 if dtype == "float64" else 2e-2  # five thousand steps apart
    for name in results.keys() - {FLOOR}:
        for one, other in zip(results[name], results[OURS], strict=True):
            assert one.dtype == other.dtype == dtype
            np.testing.assert_allclose(one, other, rtol=off, atol=off)


def report(rounds: int, beside: Path | None):
    """Yield the lines of the report, in Markdown, as they become known."""
    contenders = dict(CONTENDERS)
    if "jax" not in PACKAGES:
        del contenders["JAX's scan"]
    if beside:
        contenders[beside.name] = functools.partial(in_backprop_nb, folder=str(beside.resolve()))
    names = list(contenders)
    yield line("network", "layers", "batch", "dtype", *names)
    yield line("---", "---", "--:", "---", *("--:" for _ in names))
    shares, spreads = [], []
    for case in CASES:
        for dtype in ("float64", "float32"):
            makers = {n: functools.partial(contenders[n], case, dtype) for n in names}
            measure = functools.partial(
                times_apart, makers, plain, functools.partial(check, dtype=dtype), rounds
            )
            times, share = undisturbed(measure, QUIET)
            shares.append(share)
            spreads += map(spread, times.values())
            ours = statistics.median(times[OURS])
            others = [ratio(over(times[name], times[OURS])) for name in names[1:]]
            star = " \\*" * (share > QUIET)
            kind = "ReLU, softmax" if case.relu else "σ"
            epoch = f"{digits(1e3 * ours / case.epochs, 3)} ms"
            yield line(case.widths, kind, str(case.size), dtype + star, epoch, *others)
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    busy = f"\\* Other programs used up to {max(shares):.0%} of the processors. "
    text = (
        f"Under `{OURS}`: the time of one epoch over {CASES[0].rows} rows, of 2-3-2 over its "
        f"{CASES[-1].rows}, from {CASES[-1].epochs} in a row. Then what the others take for "
        f"the same: 2 × is twice as long. Medians over {rounds} rounds, each in a process of its "
        "own and with its default threads. The floor gathers the rows, multiplies and moves the "
        f"parameters, without σ, loss, record and checks. {steadiness(spreads)} "
        f"{busy if max(shares) > QUIET else ''}{os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {versions}."
    )
    yield "\n" + textwrap.fill(text, 100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--beside", type=Path, metavar="FOLDER", help="of another build")
    parser.add_argument("--write", action="store_true", help=f"the table into {FILE.name}")
    given = parser.parse_args()
    with_defaults()
    title = "An epoch of training, beside its peers"
    publish(title, report(given.rounds, given.beside), FILE if given.write else None)


if __name__ == "__main__":
    main()

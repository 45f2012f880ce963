"""One call of the loss and gradient of the document's network, beside its peers.

    python -m pip install -e ".[bench]"
    python tests/benchmarks/network.py [--sizes ...] [--only ...] [--rounds ...] [--write]

Each library computes in a process of its own, with the threads that it takes by
default, and all must agree on the numbers first. --write takes no selection: it
puts the whole table into network.md.
"""

import argparse
import functools
import math
import os
import platform
import statistics
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
from timing import publish, times_apart, undisturbed, with_defaults

FILE = Path(__file__).with_suffix(".md")
QUIET = 0.05  # how much of the processors other programs may use meanwhile


@dataclass(frozen=True)
class Size:
    """A network, the number of inputs at once, and how many rounds its time allows."""

    title: str
    widths: tuple[int, ...]
    N: int
    rounds: int = 20


SIZES = {
    "2-3-1": Size("2-3-1", (2, 3, 1), 1),
    "784-30-10": Size("784-30-10", (784, 30, 10), 10),
    "784-128-64-10": Size("784-128-64-10", (784, 128, 64, 10), 128),
    "1024x4": Size("1024-1024-1024-1024", (1024,) * 4, 1024, rounds=7),
    "32x51": Size("50 layers of 32", (32,) * 51, 1),
}


def numbers(size: Size, dtype: str):
    """Return A, b, x and y, the same in every process."""
    normal = np.random.default_rng(0).standard_normal
    A = [(normal((m, n)) / np.sqrt(n)).astype(dtype) for n, m in pairwise(size.widths)]
    b = [(0.1 * normal(m)).astype(dtype) for m in size.widths[1:]]
    x, y = (normal((size.N, n)).astype(dtype) for n in (size.widths[0], size.widths[-1]))
    return A, b, x, y


# --- the contenders ---------------------------------------------------------
#
# Each takes A, b, x and y and returns a function without arguments, which returns the
# loss and the gradients (dA, db). What a training loop does once is done once.


def loss_in(library, layer):
    """Return the loss, the mean over the rows, as a library differentiates it."""

    def loss(parameters, x, y):
        f = x
        for A_i, b_i in zip(*parameters, strict=True):
            f = layer(f, A_i, b_i)
        return library.mean(library.sum((y - f) ** 2, axis=1))

    return loss


def in_backprop_nb(A, b, x, y):
    import backprop_nb as bp

    net = bp.SigmoidNetwork.from_parameters(A, b)
    return lambda: net.loss_and_gradient(x, y)


def in_torch(A, b, x, y):
    import torch

    K = len(A)
    parameters = [torch.tensor(each, requires_grad=True) for each in (*A, *b)]
    A, b, x, y = parameters[:K], parameters[K:], torch.tensor(x), torch.tensor(y)
    linear = torch.nn.functional.linear
    loss_of = loss_in(torch, lambda f, A_i, b_i: torch.sigmoid(linear(f, A_i, b_i)))

    def run():
        loss = loss_of((A, b), x, y)
        gradients = torch.autograd.grad(loss, parameters)
        return loss.item(), (gradients[:K], gradients[K:])

    return run


def in_jax(A, b, x, y):
    import jax

    jax.config.update("jax_enable_x64", True)
    loss_of = loss_in(jax.numpy, lambda f, A_i, b_i: jax.nn.sigmoid(f @ A_i.T + b_i))
    compiled = jax.jit(jax.value_and_grad(loss_of))
    data = jax.device_put(((A, b), x, y))
    return lambda: jax.block_until_ready(compiled(*data))


def in_autograd(A, b, x, y):
    import autograd
    from autograd.scipy.special import expit

    K, parameters, dot = len(A), (*A, *b), autograd.numpy.dot  # its @ is slower
    loss_of = loss_in(autograd.numpy, lambda f, A_i, b_i: expit(dot(f, A_i.T) + b_i))
    both = autograd.value_and_grad(
        lambda *each: loss_of((each[:K], each[K:]), x, y), tuple(range(2 * K))
    )

    def run():
        loss, gradients = both(*parameters)
        return loss, (gradients[:K], gradients[K:])

    return run


def in_mygrad(A, b, x, y):
    import mygrad
    from mygrad.nnet.activations import sigmoid

    mygrad.turn_memory_guarding_off()  # as its manual advises where speed matters
    A, b = [mygrad.tensor(A_i) for A_i in A], [mygrad.tensor(b_i) for b_i in b]
    loss_of = loss_in(mygrad, lambda f, A_i, b_i: sigmoid(mygrad.matmul(f, A_i.T) + b_i))

    def run():
        loss = loss_of((A, b), x, y)
        loss.backward()
        return loss.item(), ([A_i.grad for A_i in A], [b_i.grad for b_i in b])

    return run


def in_numpy(A, b, x, y):
    from tracing import by_hand

    return lambda: by_hand(A, b, x, y)


def products_alone(A, b, x, y, exponentials=False):
    """Only the matrix products of the same passes, into arrays that are kept; or e^(−z), too."""
    import backprop_nb as bp

    net = bp.SigmoidNetwork.from_parameters(A, b)
    f, delta, K = net.forward(x).f, net.backward(x, y).delta, net.K
    kept, dA = [np.empty_like(f_i) for f_i in f], [np.empty_like(A_i) for A_i in A]
    products = [(f[i], A[i].T, kept[i + 1]) for i in range(K)]
    products += [(delta[i + 1], A[i], kept[i]) for i in reversed(range(1, K))]
    products += [(delta[i + 1].T, f[i], dA[i]) for i in range(K)]

    def run():
        for left, right, out in products:
            np.matmul(left, right, out=out)
        if exponentials:
            for f_i, kept_i in zip(f[1:], kept[1:], strict=True):
                np.exp(f_i, out=kept_i)
        return None, (dA, ())

    return run


@dataclass(frozen=True)
class Contender:
    """Its title in the table, how it is made, and the packages that it needs."""

    title: str
    make: Callable
    packages: tuple[str, ...] = ("numpy",)


OURS, PARTS = "backprop_nb", ("products", "exponentials")
CONTENDERS = {
    OURS: Contender("backprop_nb", in_backprop_nb),
    "torch": Contender("PyTorch", in_torch, ("torch",)),
    "jax": Contender("JAX", in_jax, ("jax",)),
    "autograd": Contender("autograd", in_autograd, ("autograd", "scipy")),
    "mygrad": Contender("MyGrad", in_mygrad, ("mygrad",)),
    "numpy": Contender("NumPy by hand", in_numpy),
    "products": Contender("to its products", products_alone),
    "exponentials": Contender(
        "to these and e^(−z)", functools.partial(products_alone, exponentials=True)
    ),
}


def make(name: str, size: Size, dtype: str):
    """Return the function to be timed, in the process that will time it."""
    return CONTENDERS[name].make(*numbers(size, dtype))


# --- the proof that they compute the same -----------------------------------


def plain(result):
    """Return a result as NumPy arrays by name, to be sent."""
    loss, gradient = result
    dA, db = (gradient.A, gradient.b) if hasattr(gradient, "A") else gradient
    arrays = {f"A[{i}]": np.asarray(dA_i) for i, dA_i in enumerate(dA)}
    arrays |= {f"b[{i}]": np.asarray(db_i) for i, db_i in enumerate(db)}
    if loss is not None:
        arrays["loss"] = np.asarray(float(loss))
    return arrays


def check_all(results, size: Size, dtype: str) -> None:
    """Stop the benchmark if a contender does not compute what backprop_nb does."""
    for name, got in results.items():
        wrong = differences(got, results[OURS], dtype, of_all=name not in PARTS)
        if wrong:
            sys.exit(f"{name} and {OURS} differ in {', '.join(wrong)} ({size.title}, {dtype}).")


def differences(got, want, dtype: str, of_all: bool):
    """Return the names of what differs, or is not there."""
    names = want if of_all else got
    return [name for name in names if name not in got or not agree(got, want, name, dtype)]


def agree(got, want, name: str, dtype: str) -> bool:
    """Return whether two arrays are the same, to the precision of their dtype."""
    got, want = got[name], want[name]
    if got.shape != want.shape or (name != "loss" and not got.dtype == want.dtype == dtype):
        return False
    return bool(np.abs(got - want).max() <= 100 * np.finfo(dtype).eps * np.abs(want).max())


# --- the report -------------------------------------------------------------


def report(sizes, names, rounds: int | None) -> Iterator[str]:
    """Yield the lines of the report, in Markdown, as they become known."""
    for name in names:
        if missing := [each for each in CONTENDERS[name].packages if not find_spec(each)]:
            yield f"{CONTENDERS[name].title} is left out: no {' and no '.join(missing)} here.\n"
    names = [name for name in names if all(map(find_spec, CONTENDERS[name].packages))]
    yield line("network", "N", "dtype", *(CONTENDERS[name].title for name in names))
    yield line("---", "--:", "---", *("--:" for _ in names))
    spreads, shares = [], []
    for size in sizes:
        for dtype in ("float32", "float64"):
            times_of_all = functools.partial(measure, size, dtype, names, rounds)
            times, share = undisturbed(times_of_all, QUIET)
            spreads += [spread(each) for each in times.values()]
            shares.append(share)
            yield row(size, dtype + " \\*" * (share > QUIET), times)
    for text in (legend(names, max(shares)), method(names, sizes, rounds, spreads)):
        yield "\n" + textwrap.fill(text, 100)


def measure(size: Size, dtype: str, names, rounds: int | None):
    """Return the times of each contender, one a round."""
    makers = {name: functools.partial(make, name, size, dtype) for name in names}
    check = functools.partial(check_all, size=size, dtype=dtype)
    return times_apart(makers, plain, check, rounds or size.rounds)


def spread(times) -> float:
    """Return how far the middle half of the times lies apart, over their median."""
    if len(times) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(times, method="inclusive")
    return (high - low) / middle


def steadiness(spreads) -> str:
    """Say how far the times of a contender lie apart."""
    usual, worst = statistics.median(spreads), max(spreads)
    return (
        f"The middle half of a contender's times spans {usual:.0%} of their median as a rule, "
        f"{worst:.0%} at worst."
    )


def line(*cells: str) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def row(size: Size, dtype: str, times) -> str:
    """Return a time, then what the others take of it, and it of its products."""
    ours = times[OURS]
    ratios = [
        over(ours, each) if name in PARTS else over(each, ours)
        for name, each in times.items()
        if name != OURS
    ]
    cells = (duration(statistics.median(ours)), *map(ratio, ratios))
    return line(size.title, str(size.N), dtype, *cells)


def over(times, others) -> float:
    """Return the median ratio of one round, which is steadier than that of two medians."""
    return statistics.median(a / b for a, b in zip(times, others, strict=True))


def duration(seconds: float) -> str:
    """Return three digits of it in µs or ms."""
    unit, scale = ("µs", 1e6) if seconds < 1e-3 else ("ms", 1e3)
    return f"{digits(seconds * scale, 3)} {unit}"


def ratio(value: float) -> str:
    """Return three digits of it, below 1 two."""
    return f"{value:.2f} ×" if value < 1 else f"{digits(value, 3)} ×"


def digits(value: float, count: int) -> str:
    """Return a number with so many digits, or all of those before its point."""
    value = float(f"{value:.{count - 1}e}")  # 9.996 has become 10.0, with one digit less to show
    return f"{value:.{max(0, count - 1 - math.floor(math.log10(value)))}f}"


def legend(names, share: float) -> str:
    """Return what the columns mean."""
    text = f"Under `{OURS}`: the time of one `net.loss_and_gradient(x, y)`."
    if not {OURS, *PARTS}.issuperset(names):
        text += f" Then what the others take for the same: 2 × is twice as long as `{OURS}`."
    if set(PARTS) & set(names):
        text += (
            " Last, how many times as long as its matrix products alone it takes itself, and as "
            "these with an e^(−z) for each unit."
        )
    if share > QUIET:
        text += f" \\* Not reliable: other programs used up to {share:.0%} of the processors."
    return text


def method(names, sizes, rounds: int | None, spreads) -> str:
    """Return how it was measured, and with what."""
    packages = dict.fromkeys(each for name in names for each in CONTENDERS[name].packages)
    versions = ", ".join(f"{each} {version(each)}" for each in ("backprop-nb", *packages))
    counts = " or ".join(map(str, sorted({rounds or size.rounds for size in sizes})))
    return (
        f"Medians over {counts} rounds. In a round each has its turn, in a process of its own and "
        "with its default threads, while the others sleep. All had to compute the same loss and "
        f"gradient first. PyTorch is eager, JAX compiled. {steadiness(spreads)} {os.cpu_count()} "
        f"cores, Python {platform.python_version()}, {versions}."
    )


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--rounds", type=int, help="for all sizes; without it, what each allows")
    parser.add_argument("--write", action="store_true", help=f"the whole table into {FILE.name}")
    given = parser.parse_args()
    given.only = [name for name in CONTENDERS if name == OURS or name in given.only]
    if given.write and (len(given.only), len(given.sizes)) != (len(CONTENDERS), len(SIZES)):
        parser.error("--write takes the whole table, without --sizes and --only")
    if given.rounds is not None and given.rounds < 1:
        parser.error("--rounds needs at least 1")
    return given


def main() -> None:
    given = arguments()
    with_defaults()
    lines = report([SIZES[name] for name in given.sizes], given.only, given.rounds)
    title = "The network's loss and gradient, beside its peers"
    publish(title, lines, FILE if given.write else None)


if __name__ == "__main__":
    main()

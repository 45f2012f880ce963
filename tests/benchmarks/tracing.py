"""What tracing and reversing costs, beside its peers in the same process.

    python -m pip install -e ".[bench]"
    python tests/benchmarks/tracing.py

Four questions: the cost of one scalar operation, forward and back; a compiled
network, without and with decisions of Python, against NumPy written by hand; and how
time and memory grow with the length of a chain, and with the number of assignments
into one array.
"""

import time
import tracemalloc

import numpy as np
from timing import medians, table

import backprop_nb as bp

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


def convolution(image, kernel):
    """Fill an array entry by entry, as a first course does."""
    out = np.zeros((len(image) - 2, len(image) - 2))
    for i in range(len(out)):
        for j in range(len(out)):
            out[i, j] = np.sum(image[i : i + 3, j : j + 3] * kernel)
    return np.sum(out**2)


def assignments():
    """Return a table of time and memory for 400 to 20 000 assignments into one array."""
    lines = ["| assignments | µs each, there and back | bytes each |", "|---|---|---|"]
    for n in (20, 70, 141):
        rng = np.random.default_rng(0)
        arguments = rng.normal(size=(n + 2, n + 2)), rng.normal(size=(3, 3))
        start = time.perf_counter()
        bp.trace(convolution, *arguments).backward()
        seconds = time.perf_counter() - start
        tracemalloc.start()
        kept = bp.trace(convolution, *arguments).backward()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del kept
        lines.append(f"| {n * n} | {seconds / n**2 * 1e6:.0f} | {peak / n**2:.0f} |")
    return "\n".join(lines)


def growth():
    """Return a table of seconds and megabytes for chains of 10² to 10⁵ operations."""
    lines = ["| operations | µs an operation | bytes an operation |", "|---|---|---|"]
    for operations in (10**2, 10**3, 10**4, 10**5):
        best = min(_run(operations) for _ in range(3))
        tracemalloc.start()
        kept = bp.trace(scalar_chain, 0.1, operations=operations).backward()
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        del kept
        lines.append(f"| {operations} | {best / operations * 1e6:.2f} | {size / operations:.0f} |")
    return "\n".join(lines)


def _run(operations):
    start = time.perf_counter()
    _ = bp.trace(scalar_chain, 0.1, operations=operations).backward().gradients
    return time.perf_counter() - start


def main():
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
    print("\n" + growth())
    print("\n" + assignments())


if __name__ == "__main__":
    main()

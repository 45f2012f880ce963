"""Fair timing: every contender in turn, many rounds, medians, ratios of one run."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def medians(
    contenders: Mapping[str, Callable[[], object]], rounds: int = 15, runs: int = 5
) -> dict[str, float]:
    """Return the median time of one run of each contender, in seconds.

    All take turns in every round, and each begins its turn with a clean heap.
    """
    for run in contenders.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            gc.collect()
            start = time.perf_counter()
            for _ in range(runs):
                run()
            times[name].append((time.perf_counter() - start) / runs)
    return {name: statistics.median(each) for name, each in times.items()}


def table(title: str, rows: Mapping[str, float], unit: str, scale: float, against: str) -> str:
    """Return a Markdown table of times and of ratios against one of the contenders."""
    lines = [f"| {title} | {unit} | ratio to {against} |", "|---|---|---|"]
    for name, seconds in sorted(rows.items(), key=lambda item: item[1]):
        lines.append(f"| {name} | {seconds * scale:.3g} | {seconds / rows[against]:.2f} |")
    return "\n".join(lines)

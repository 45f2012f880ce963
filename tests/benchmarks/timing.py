"""Fair timing: every contender in turn, many rounds, medians, ratios of one run."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping


def medians(contenders: Mapping[str, Callable[[], object]], rounds: int = 15) -> dict[str, float]:
    """Return the median time of each contender in seconds; all take turns in every round."""
    for run in contenders.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            gc.collect()
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(each) for name, each in times.items()}


def table(title: str, rows: Mapping[str, float], unit: str, scale: float, against: str) -> str:
    """Return a Markdown table of times and of ratios against one of the contenders."""
    lines = [f"| {title} | {unit} | ratio to {against} |", "|---|---|---|"]
    for name, seconds in sorted(rows.items(), key=lambda item: item[1]):
        lines.append(f"| {name} | {seconds * scale:.3g} | {seconds / rows[against]:.2f} |")
    return "\n".join(lines)

"""What the checker says of the passes, and the figures."""

import statistics
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from entry import Entry

import backprop_nb as bp


@dataclass(frozen=True)
class Outcome:
    """What came of one check."""

    entry: Entry
    report: Any
    """``None`` where the check itself raised; ``error`` says what."""
    error: str
    seconds: float
    """Of the check alone, without the import of the pass."""

    @property
    def is_accepted(self) -> bool:
        return self.report is not None and self.report.ok

    @cached_property
    def findings(self) -> list[Any]:
        """The findings that name a line."""
        found = () if self.report is None else self.report.findings
        return [each for each in found if getattr(each, "line", None) is not None]

    @property
    def best(self) -> set[int]:
        """The lines that share the best rank."""
        rank = min((each.rank for each in self.findings), default=0)
        return {each.line for each in self.findings if each.rank == rank}

    @property
    def named(self) -> set[int]:
        return {each.line for each in self.findings}

    @property
    def proved(self) -> set[int]:
        return {each.line for each in self.findings if getattr(each, "proved", False)}

    @property
    def verdict(self) -> str:
        """Of a wrong pass: where its line is named."""
        lines = set(self.entry.lines)
        if self.report is None:
            return "raised"
        if self.is_accepted:
            return "accepted"
        if lines <= self.best:
            return "first"
        if lines <= self.named:
            return "later"
        return "elsewhere" if self.named else "no line"

    @property
    def is_misproved(self) -> bool:
        """Whether lines are proved and none of them is one that was changed."""
        return bool(self.proved) and not self.proved & set(self.entry.lines)


VERDICTS = ("first", "later", "elsewhere", "no line", "accepted", "raised")


def outcome(entry: Entry, large: bool = False) -> Outcome:
    """Check a pass as a student would have it checked."""
    loss, gradient, args = entry.loss, entry.gradient, entry.args(0, large)
    start = time.perf_counter()
    try:
        report, error = bp.check_gradient(loss, gradient, *args), ""
    except Exception as caught:
        report, error = None, f"{type(caught).__name__}: {caught}"
    return Outcome(entry, report, error, time.perf_counter() - start)


def memory_ratio(entry: Entry) -> float:
    """Return how many times the memory of the large pass alone its check takes, at the peak."""
    loss, gradient, args = entry.loss, entry.gradient, entry.args(0, large=True)
    peaks = []
    for call in (lambda: gradient(*args), lambda: bp.check_gradient(loss, gradient, *args)):
        tracemalloc.start()
        try:
            call()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return peaks[1] / peaks[0]


def in_words(found: Outcome) -> str:
    """Return a pass, what was changed in it, and all that the check says of it."""
    entry = found.entry
    lines = [
        f"=== {entry.name} ({found.verdict if entry.lines else 'right'}, {found.seconds:.2f} s)"
    ]
    for line, (old, new), kind in zip(entry.lines, entry.changes, entry.kinds):
        lines += [f"line {line} ({kind})", f"  was  {old}", f"  is   {new}"]
    lines += [found.error or str(found.report)]
    for each in found.findings:
        facts = ("line", "source", "quantity", "repair", "proved")
        said = ", ".join(f"{fact} {getattr(each, fact, None)!r}" for fact in facts)
        lines.append(f"  rank {each.rank}: {said}")
    return "\n".join(lines)


def figure(
    right: Sequence[Outcome], wrong: Sequence[Outcome], two: Sequence[Outcome]
) -> dict[str, float]:
    """Print the table of one half, and return what it is judged by."""
    accused = [each for each in right if not each.is_accepted]
    counts = Counter(each.verdict for each in wrong)
    misproved = [each for each in wrong if each.is_misproved]
    beside = [each for each in wrong if each.proved - set(each.entry.lines)]
    both = [each for each in two if set(each.entry.lines) <= each.named]
    seconds = [each.seconds for each in (*right, *wrong, *two)]
    print(f"  right: {len(right) - len(accused)} accepted, {len(accused)} accused of {len(right)}")
    print(f"  wrong: {_share(counts['first'], wrong)} line named first;", end=" ")
    print(", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS[1:]))
    for where in ("backward", "forward"):
        there = [each for each in wrong if each.entry.where[0] == where]
        first = [each for each in there if each.verdict == "first"]
        print(f"    in the {where} pass: {_share(len(first), there)} first")
    sizes = [len(each.best) for each in wrong if each.best]
    print(
        f"    lines of the best rank: {_middle(sizes):.0f} (median), {max(sizes, default=0)} (most)"
    )
    print(f"    only other lines proved: {len(misproved)}; others proved too: {len(beside)}")
    print(f"  pairs: {_share(len(both), two)} with both lines named")
    print(f"  seconds: {_middle(seconds):.3f} (median), {max(seconds, default=0):.2f} (longest)")
    return {
        "first": counts["first"] / max(len(wrong), 1),
        "accused": len(accused),
        "accepted": counts["accepted"],
        "misproved": len(misproved),
        "both": len(both) / max(len(two), 1),
        "seconds": _middle(seconds),
    }


def misses(found: Iterable[Outcome]) -> Iterable[str]:
    """Yield a line on each pass of which something else is said than should be."""
    for each in found:
        entry = each.entry
        if each.error:
            yield f"{entry.name}: raised {each.error.splitlines()[0]}"
        elif not entry.lines:
            if not each.is_accepted:
                yield f"{entry.name}: accused"
        elif each.verdict != "first" or each.is_misproved:
            changed = "; ".join(
                f"{line}: {new}" for line, (_, new) in zip(entry.lines, entry.changes)
            )
            proved = f", proved {sorted(each.proved)}" if each.proved else ""
            yield f"{entry.name}: {each.verdict}, named {sorted(each.named)}{proved} | {changed}"


def _share(count: int, of: Sequence[Any]) -> str:
    return f"{count} of {len(of)} ({100 * count / max(len(of), 1):.0f} %)"


def _middle(numbers: Sequence[float]) -> float:
    return statistics.median(numbers) if numbers else 0.0

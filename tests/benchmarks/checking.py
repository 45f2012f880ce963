"""How well mistakes are told apart, and how long that takes.

    python tests/benchmarks/checking.py

The table has a line for each mistake of the catalogue, made in each of the three
layouts, both reductions and with and without the ½, and in a few other courses, and says as
what it was found: by
itself, tied with others, or wrongly. A second table has the mistakes made at some of
their layers only; found there means with these layers. Then come the times of one
check: the first of a course, which computes the catalogue's gradients, and any later one.
"""

import statistics
import time
from collections import Counter
from itertools import combinations

import numpy as np

import backprop_nb as bp
from backprop_nb.checking.convention import Course
from backprop_nb.checking.mistakes import MISTAKES, make_backward
from backprop_nb.checking.search import local_mistakes, whole_mistakes

CONVENTIONS = [
    {"samples": samples, "reduction": reduction, "half": half}
    for samples in ("single", "rows", "columns")
    for reduction in ("mean", "sum")
    for half in (False, True)
]
CONVENTIONS += [
    {"samples": "rows", "reduction": "mean_entries"},
    {"samples": "rows", "weights": "in_out", "loss": "cross-entropy"},
    {"samples": "columns", "activation": "tanh", "output": "softmax", "loss": "cross-entropy"},
    {"samples": "rows", "activation": "relu", "output": "identity", "l2": 0.5},
    {"samples": "rows", "activation": "leaky relu", "output": "tanh", "l2": 0.5, "l2_factor": "1"},
]
ROUNDS = 15
LOCAL = "sigma_prime_missing_in_hidden"


def confusion():
    """Return for each mistake how often which mistakes were found at the first rank."""
    found = {mistake.id: Counter() for mistake in MISTAKES}
    for convention in CONVENTIONS:
        for mistake in whole_mistakes(Course(**convention)):
            report = bp.check_backward(make_backward(mistake.id, **convention), **convention)
            found[mistake.id].update(each.mistake for each in report.findings if each.rank == 1)
            found[mistake.id]["checks"] += 1
    return found


def confusion_at_some_layers():
    """Return the same for mistakes at some of their layers; a finding with others has another name.

    A mistake "also named" would be a tie, or the same one with other layers.
    """
    found = {}
    for convention in CONVENTIONS:
        for mistake in local_mistakes(Course(**convention)):
            counts = found.setdefault(mistake.id, Counter())
            layers = mistake.layers(3, Course(**convention))
            for at in (at for n in range(1, len(layers)) for at in combinations(layers, n)):
                backward = make_backward(mistake.id, **convention, layers={mistake.id: at})
                report = bp.check_backward(backward, **convention)
                best = [each for each in report.findings if each.rank == 1]
                counts.update(
                    each.mistake if each.layers == at else f"{each.mistake} at {each.layers}"
                    for each in best
                )
                counts["checks"] += 1
    return found


def print_confusion(title, found):
    print(f"{title:34} {'checks':>6} {'found':>6}  also named")
    for made, counts in found.items():
        others = {name: n for name, n in counts.items() if name not in (made, "checks")}
        also = ", ".join(f"{name} {n}" for name, n in others.items()) or "–"
        print(f"{made:34} {counts['checks']:6} {counts[made]:6}  {also}")


def wrong_beyond_words(A, b, x, y):
    """A pass that no mistake and no pair explains, so that all of them are tried."""
    return [np.cos(each) for each in A], [np.sin(each) for each in b]


def times():
    """Yield the median and longest seconds of a course's first check, and the median later."""
    passes = {
        "right": make_backward(samples="rows"),
        "one mistake": make_backward("weights_not_transposed", samples="rows"),
        "one at one layer": make_backward(LOCAL, samples="rows", layers={LOCAL: [1]}),
        "two mistakes": make_backward("missing_factor_2", "layer_input_off_by_one", samples="rows"),
        "two, one at one layer": make_backward(
            "missing_factor_2", LOCAL, samples="rows", layers={LOCAL: [1]}
        ),
        "none that is known": wrong_beyond_words,
    }
    for k, (name, backward) in enumerate(passes.items()):
        # A course that was not seen before has its catalogue computed in the first check.
        seeds = range(1000 * (k + 1), 1000 * (k + 1) + ROUNDS)
        first = [seconds(backward, seed) for seed in seeds]
        again = [seconds(backward, seed) for seed in seeds]
        yield name, statistics.median(first), max(first), statistics.median(again)


def seconds(backward, seed):
    """Return the time of a check, without what other programs take meanwhile."""
    start = time.process_time()
    bp.check_backward(backward, samples="rows", seed=seed)
    return time.process_time() - start


if __name__ == "__main__":
    print_confusion("made", confusion())
    print()
    print_confusion("made at some layers only", confusion_at_some_layers())
    print(f"\n{'check_backward, rows':22} {'first':>9} {'longest':>9} {'again':>9}")
    for name, first, longest, again in times():
        print(f"{name:22} {first * 1e3:6.0f} ms {longest * 1e3:6.0f} ms {again * 1e3:6.0f} ms")

"""The figures: ``python tests/checking/passes [--misses] [--held-out] [--large] [NAME ...]``.

With names, such as ``nielsen``, ``nielsen.gradient`` or ``nielsen.gradient.3``, what the check says
of these passes.  The misses of the held-out half are shown only if they are asked for: what the
checker is tuned on is the other half.
"""

import argparse

from collection import PAIRS, RIGHT, WRONG
from measure import figure, in_words, memory_ratio, misses, outcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="passes, or courses, to be shown in full")
    parser.add_argument("--misses", action="store_true", help="list the misses of the seen half")
    parser.add_argument("--held-out", action="store_true", help="and those of the held-out half")
    parser.add_argument("--large", action="store_true", help="784-128-10 instead, with its memory")
    chosen = parser.parse_args()
    if chosen.names:
        for each in (*RIGHT, *WRONG, *PAIRS):
            if any(f"{each.name}.".startswith(f"{name}.") for name in chosen.names):
                print(in_words(outcome(each)))
        return
    for title, is_held_out in (("seen", False), ("held out", True)):
        print(title)
        found = [
            [
                outcome(each, chosen.large)
                for each in group
                if each.is_held_out == is_held_out and (each.has_large or not chosen.large)
            ]
            for group in (RIGHT, WRONG, PAIRS)
        ]
        figure(*found)
        if chosen.large:
            ratios = [memory_ratio(each.entry) for group in found for each in group[:2]]
            print(f"  memory: up to {max(ratios):.1f} times that of the pass alone")
        if chosen.held_out if is_held_out else chosen.misses:
            print(*(f"    {miss}" for group in found for miss in misses(group)), sep="\n")


if __name__ == "__main__":
    main()

"""The figure: ``python tests/tracing/programs [NAME ...]``."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "checking/passes"))

from checks import figure
from corpus import PROGRAMS

if __name__ == "__main__":
    chosen = [each for each in PROGRAMS if not sys.argv[1:] or each.name in sys.argv[1:]]
    figure(chosen)

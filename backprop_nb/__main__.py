"""The command ``backprop-nb``, also as ``python -m backprop_nb``."""

from __future__ import annotations

import sys

from backprop_nb.classroom.command import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())

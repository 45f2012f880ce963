#!/usr/bin/env bash
# `X.dot(w)` asks w twice for an array; of two vectors it forgets which class it got.
#
# NumPy 2.4.6 (November 2026): the method ndarray.dot knows neither __array_ufunc__ nor
# __array_function__ (X @ w and np.dot(X, w) do): whatever w is, it is turned into an array
# by w.__array__(), once to find the type and once more to compute.  An object that counts,
# logs or records in __array__ does so twice.  Where a subclass of ndarray is returned, the
# result for a matrix X is of that class, so that it can carry something on; for a vector X
# it is a plain number, without __array_finalize__ or __array_wrap__ being asked.
#
# Seen: "asked 2 times; of a matrix Kept, of a vector float64".
# Fails if one of the three changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check numpy==2.4.6 </dev/null
seen=$("$folder/venv/bin/python" - <<'EOF'
import numpy as np


class Kept(np.ndarray):
    __array_priority__ = 100.0


class Lazy:
    asked = 0

    def __array__(self, dtype=None, copy=None):
        Lazy.asked += 1
        return np.array([1.0, 2.0]).view(Kept)


of_matrix = np.ones((3, 2)).dot(Lazy())
asked = Lazy.asked
of_vector = np.ones(2).dot(Lazy())
print(f"asked {asked} times; of a matrix {type(of_matrix).__name__}, "
      f"of a vector {type(of_vector).__name__}")
EOF
)
echo "$seen"
test "$seen" = "asked 2 times; of a matrix Kept, of a vector float64"

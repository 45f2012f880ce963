#!/usr/bin/env bash
# `x[::2] = x[:3]` reads an entry that the same assignment has already overwritten.
#
# NumPy 2.4.6 and 2.5.5 (November 2026): where the two sides of an assignment share memory,
# NumPy copies the right side first, so that the result is that of `x[::2] = x[:3].copy()`.
# Between two 1-D arrays it saves the copy and goes backwards if the right side starts first.
# That is enough for equal steps, as in x[1:] = x[:-1], but not for unequal ones.  np.copyto
# does the same; np.add(x[:3], 0, out=x[::2]) and the same assignment of rows are right.
#
# Seen: "assigned [1. 2. 2. 4. 2. 6.], of a copy [1. 2. 2. 4. 3. 6.], in 2-D [1. 2. 2. 4. 3. 6.]".
# Fails if one of the three changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check numpy==2.4.6 </dev/null
seen=$("$folder/venv/bin/python" - <<'EOP'
import numpy as np

assigned, of_copy, in_2d = np.arange(1.0, 7), np.arange(1.0, 7), np.arange(1.0, 7)
assigned[::2] = assigned[:3]
of_copy[::2] = of_copy[:3].copy()
two = in_2d.reshape(6, 1).repeat(2, axis=1)
two[::2] = two[:3]
print(f"assigned {assigned}, of a copy {of_copy}, in 2-D {two[:, 0]}")
EOP
)
echo "$seen"
test "$seen" = "assigned [1. 2. 2. 4. 2. 6.], of a copy [1. 2. 2. 4. 3. 6.], in 2-D [1. 2. 2. 4. 3. 6.]"

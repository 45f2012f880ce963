#!/usr/bin/env bash
# dask.array.searchsorted plans the search for a single number, and fails when it is computed.
#
# dask 2026.8.0, numpy 2.4.6 (November 2026): NumPy's searchsorted takes a number and returns a
# number.  Dask takes a 0-d array, too, and promises a result of shape () and type int64; the
# error comes only with compute(), far from the call, and speaks of assignment.  The same number
# in an array of one entry is found.
#
# Seen: "numpy: 2; dask: () int64, then TypeError: 'numpy.int64' object does not support item
# assignment; in a row: [2]".  Fails if one of them changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
  "dask[array]==2026.8.0" numpy==2.4.6 </dev/null
seen=$("$folder/venv/bin/python" - <<'EOF'
import dask.array as da
import numpy as np

edges = np.array([0.0, 0.25, 1.0])
found = da.searchsorted(da.from_array(edges), da.from_array(np.array(0.5)))
try:
    error = f"no error: {found.compute()}"
except TypeError as raised:
    error = f"TypeError: {raised}"
row = da.searchsorted(da.from_array(edges), da.from_array(np.array([0.5]))).compute()
print(f"numpy: {np.searchsorted(edges, 0.5)}; dask: {found.shape} {found.dtype}, then {error}; "
      f"in a row: {row}")
EOF
)
echo "$seen"
test "$seen" = "numpy: 2; dask: () int64, then TypeError: 'numpy.int64' object does not support \
item assignment; in a row: [2]"

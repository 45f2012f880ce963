#!/usr/bin/env bash
# dask.array.linalg.cholesky returns the upper triangle, where NumPy returns the lower one.
#
# dask 2026.8.0, numpy 2.4.6, scipy 1.17.1 (November 2026): dask.array.linalg follows SciPy here
# and numpy.linalg elsewhere.  A namespace that is handed over in NumPy's place
# (xp.linalg.cholesky(A), as array_api_compat.dask.array does, too) gives a factor of the
# same shape, without a warning, whose product L @ L.T is not A.
#
# Seen: "numpy: lower; dask: upper; L @ L.T is A: numpy True, dask False".
# Fails if one of them changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
  "dask[array]==2026.8.0" numpy==2.4.6 scipy==1.17.1 </dev/null
seen=$("$folder/venv/bin/python" - <<'EOF'
import dask.array as da
import numpy as np

A = np.array([[4.0, 2.0], [2.0, 3.0]])
ours, theirs = np.linalg.cholesky(A), da.linalg.cholesky(da.from_array(A)).compute()


def kind(L):
    return "lower" if np.allclose(L, np.tril(L)) else "upper"


print(f"numpy: {kind(ours)}; dask: {kind(theirs)}; L @ L.T is A: "
      f"numpy {np.allclose(ours @ ours.T, A)}, dask {np.allclose(theirs @ theirs.T, A)}")
EOF
)
echo "$seen"
test "$seen" = "numpy: lower; dask: upper; L @ L.T is A: numpy True, dask False"

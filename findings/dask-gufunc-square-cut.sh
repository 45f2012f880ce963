#!/usr/bin/env bash
# dask.array.apply_gufunc fails at a square matrix whose sides are cut differently.
#
# dask 2026.8.0, numpy 2.4.6 (November 2026): with a signature that names one length twice,
# "(n,n)->(n,n)", and allow_rechunk=True an array in 3 times 2 blocks raises
# "Shapes do not align" when it is computed; 3 times 3 blocks, 3 times 1, and a signature with
# two names, "(m,n)->(m,n)", are gathered as the option says.
#
# Seen: "3 x 3: right; 3 x 1: right; 3 x 2: Shapes do not align; two names: right".
# Fails if one of them changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
  "dask[array]==2026.8.0" numpy==2.4.6 </dev/null
seen=$("$folder/venv/bin/python" - <<'EOF'
import dask.array as da
import numpy as np

A = np.arange(25.0).reshape(5, 5)


def found(chunks, signature="(n,n)->(n,n)"):
    x = da.from_array(A, chunks=chunks)
    options = {"output_dtypes": [float], "allow_rechunk": True}
    try:
        result = da.apply_gufunc(lambda x: x + 0.0, signature, x, **options).compute()
    except ValueError as error:
        return str(error).partition(" {")[0]
    return "right" if np.array_equal(result, A) else "wrong"


print(f"3 x 3: {found((2, 2))}; 3 x 1: {found((2, 5))}; 3 x 2: {found((2, 3))}; "
      f"two names: {found((2, 3), '(m,n)->(m,n)')}")
EOF
)
echo "$seen"
test "$seen" = "3 x 3: right; 3 x 1: right; 3 x 2: Shapes do not align; two names: right"

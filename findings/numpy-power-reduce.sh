#!/usr/bin/env bash
# `np.power.reduce([2., 3., 2.])` is 4 on a processor with AVX-512, and 64 on any other.
#
# NumPy 2.4.6 and 2.5.5 (November 2026): a reduction folds from the left, (2 ** 3) ** 2 = 64.
# The AVX-512 loops of power and arctan2 load a whole vector before they write the first
# result, and so fold the first entry with the last one only: 2 ** 2 = 4.  accumulate is
# right everywhere, and so are float_power, hypot, divide and all others that were tried.
#
# Seen: 4.0 and 64.0 on one machine, the second one with AVX-512 switched off.
# Fails where the two agree: NumPy was mended, or the processor has no AVX-512.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check numpy==2.4.6 </dev/null
fold='import numpy as np; print(np.power.reduce(np.array([2.0, 3.0, 2.0])))'
with=$("$folder/venv/bin/python" -c "$fold")
features="AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
without=$(NPY_DISABLE_CPU_FEATURES="$features" "$folder/venv/bin/python" -W ignore -c "$fold")
echo "as it comes: $with, without AVX-512: $without"
test "$with" != "$without"

#!/usr/bin/env bash
# The number of an equation becomes its last factor.
#
# latex2mathml 3.81.1 (November 2026): \tag{7}, which LaTeX, MathJax and KaTeX set apart at the
# margin, is written as text right behind the formula, without space: a = b \tag{7} reads
# a = b(7).  MathML has `mlabeledtr` for it, or it is to be taken off and put beside the formula.
#
# Seen: <mi>b</mi><mtext>(7)</mtext>
# Fails if something stands between the two.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check latex2mathml==3.81.1 </dev/null
said=$("$folder/venv/bin/python" -c 'from latex2mathml.converter import convert
print(convert(r"a = b \tag{7}"))')
echo "$said"
grep -q "<mi>b</mi><mtext>(7)</mtext>" <<<"$said"

#!/usr/bin/env bash
# `import nbformat` takes over a second where a JupyterLab is installed.
#
# nbformat 5.11.1, jsonschema 4.26.0, rfc3987-syntax 1.1.0, lark 1.3.1 (November 2026):
# importing nbformat imports jsonschema, whose optional checks of formats import
# rfc3987_syntax if it is there.  That one compiles a Lark grammar for each rule of RFC 3987
# at import.  jupyter-events, and so every Jupyter server, brings it along with
# jsonschema[format-nongpl].  pytest plugins that read notebooks, such as nbval, pay it in
# every worker of pytest-xdist.
#
# Seen: 0.2 s of processor time without rfc3987-syntax, 2.4 s with it.
# Fails if the import with it is no longer three times as dear as without.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
  nbformat==5.11.1 jsonschema==4.26.0 </dev/null
cost() {
  "$folder/venv/bin/python" - <<'EOF'
import subprocess, sys, resource
subprocess.run([sys.executable, "-c", "import nbformat"], check=True)  # writes the bytecode
before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
for _ in range(3):
    subprocess.run([sys.executable, "-c", "import nbformat"], check=True)
print(f"{(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) / 3:.2f}")
EOF
}
without=$(cost)
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
  rfc3987-syntax==1.1.0 lark==1.3.1 </dev/null
with=$(cost)
echo "import nbformat: ${without} s of processor time, with rfc3987-syntax ${with} s"
python3 -c "import sys; sys.exit(not $with > 3 * $without)"

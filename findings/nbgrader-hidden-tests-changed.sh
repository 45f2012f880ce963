#!/usr/bin/env bash
# nbgrader says that a student has changed each cell with hidden tests that nobody has touched.
#
# nbgrader 0.9.6 (November 2026): generate_assignment stores a checksum of each locked test cell and
# then takes the hidden tests out, so what is handed in never has that checksum.  autograde
# compares, logs "Attribute 'checksum' for cell ... has changed! (should be: ..., got: ...)" as a
# warning for each such cell of each student, and puts the cell back.  A log of a class looks as if
# everybody had tampered with the tests; a cell that was tampered with looks the same.
#
# Seen, of a submission as it was released: "warnings: 1 for the cell with hidden tests, 0 for
# the cell without".
# Fails if one of the two changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check \
  nbgrader==0.9.6 ipykernel==7.4.0 </dev/null
export PATH="$folder/venv/bin:$PATH" JUPYTER_CONFIG_DIR="$folder/config" IPYTHONDIR="$folder/ipython"
export JUPYTER_DATA_DIR="$folder/data" HOME="$folder"
mkdir -p "$folder/course/source/one"
cd "$folder/course"
python - <<'EOF'
import nbformat
from nbformat.v4 import new_code_cell, new_notebook


def cell(name, source, **about):
    about = {"grade": False, "solution": False, "locked": False, "task": False} | about
    return new_code_cell(source, metadata={"nbgrader": about | {"grade_id": name, "schema_version": 3}})


tests = {"grade": True, "locked": True, "points": 1}
cells = [
    cell("answer", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION", solution=True),
    cell("open", "assert x == 1", **tests),
    cell("hidden", "assert x > 0\n### BEGIN HIDDEN TESTS\nassert x == 1\n### END HIDDEN TESTS", **tests),
]
about = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
nbformat.write(new_notebook(cells=cells, metadata=about), "source/one/one.ipynb")
EOF
nbgrader generate_assignment one >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
mkdir -p submitted/ada && cp -r release/one submitted/ada/one
nbgrader autograde one >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
count() { grep -c "'checksum' for cell $1 has changed" "$folder/log" || true; }
seen="warnings: $(count hidden) for the cell with hidden tests, $(count open) for the cell without"
echo "$seen"
test "$seen" = "warnings: 1 for the cell with hidden tests, 0 for the cell without"

#!/usr/bin/env bash
# IPython counts the lines of a cell from its first line that is not empty.
#
# IPython 9.18.1 (November 2026): transform_cell() drops empty lines at the start of a cell, so
# tracebacks, co_positions() and breakpoints are off by as many lines from what the editor of
# the notebook numbers.  The transformed text is Python and has no trace of what was dropped:
# a tool that points at lines of a cell must count the empty ones itself.  Continued lines of a
# shell command (a backslash at the end) become one line as well, and shift all below.
#
# Seen: "the error is in line 5 of the cell; IPython says line 3; after a command of two lines, 2".
# Fails if one of the two changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check ipython==9.18.1 </dev/null
seen=$(IPYTHONDIR="$folder/ipython" "$folder/venv/bin/python" - <<'EOF'
import traceback

from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
shell.showtraceback = lambda *_, **__: None


def line_of_error(cell):
    error = shell.run_cell(cell).error_in_exec
    return traceback.extract_tb(error.__traceback__)[-1].lineno


shifted = line_of_error("\n\nx = 1\ny = 2\n1 / 0")
joined = line_of_error("!true \\\n  x\n1 / 0")
print(f"the error is in line 5 of the cell; IPython says line {shifted}; "
      f"after a command of two lines, {joined}")
EOF
)
echo "$seen"
test "$seen" = "the error is in line 5 of the cell; IPython says line 3; after a command of two lines, 2"

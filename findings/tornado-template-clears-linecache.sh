#!/usr/bin/env bash
# Making one page from a Tornado template takes the text of every notebook cell away.
#
# Tornado 6.6.1, IPython 9.18.1 (November 2026): Template.generate() calls linecache.clearcache(),
# which holds the lines of what has no file: cells, doctests, the methods that dataclass-like
# libraries write. In a process that does both, inspect.getsource finds a cell's function before and
# not afterwards, and tracebacks through it show no lines. Files are read again; only these are lost.
# What helps: put the entries back into linecache.cache before they are needed.
#
# Seen: "before: def f(x): return x; after: could not get source code".
# Fails if the text is still there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q tornado==6.6.1 ipython==9.18.1
seen=$(IPYTHONDIR="$folder" "$folder/env/bin/python" - <<'EOF'
import inspect

from IPython.core.interactiveshell import InteractiveShell
from tornado.template import Template

shell = InteractiveShell.instance()
shell.run_cell("def f(x): return x")
f = shell.user_ns["f"]
print("before:", inspect.getsource(f).strip(), end="; ")
Template("Hello {{ name }}").generate(name="you")
try:
    print("after:", inspect.getsource(f).strip())
except OSError as error:
    print("after:", error)
EOF
)
echo "$seen"
test "$seen" = "before: def f(x): return x; after: could not get source code"

#!/usr/bin/env bash
# `from package import name` hides why a module that loads on first use cannot be loaded.
#
# Python 3.11.7 (November 2026): where a package loads its modules on first use (PEP 562, a
# module's __getattr__), an AttributeError inside of such a module, as of a function that a newer
# NumPy has dropped, is taken for a missing name: "cannot import name 'trace' from 'package'",
# with neither __cause__ nor __context__, so the traceback does not show the line.
# `hasattr(package, "trace")` is False, and `package.trace` alone tells the truth.
# What helps: __getattr__ raises ImportError from the AttributeError.
#
# Seen: "cannot import name 'trace' from 'package'; cause None, context None; hasattr False;
# package.trace: module 'math' has no attribute 'dropped'".
# Fails if Python keeps the reason.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/package"
cat > "$folder/package/__init__.py" <<'EOF'
import importlib


def __getattr__(name):
    if name == "trace":
        return importlib.import_module("package.tracing").trace
    raise AttributeError(name)
EOF
printf 'import math\n\ntrace = math.dropped\n' > "$folder/package/tracing.py"
seen=$(cd "$folder" && python3 - <<'EOF'
try:
    from package import trace
except ImportError as error:
    said = str(error).partition(" (")[0]
    print(f"{said}; cause {error.__cause__}, context {error.__context__}", end="; ")
import package

print(f"hasattr {hasattr(package, 'trace')}", end="; ")
try:
    package.trace
except AttributeError as error:
    print(f"package.trace: {error}")
EOF
)
echo "$seen"
test "$seen" = "cannot import name 'trace' from 'package'; cause None, context None; \
hasattr False; package.trace: module 'math' has no attribute 'dropped'"

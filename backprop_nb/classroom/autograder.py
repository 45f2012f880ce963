"""A zip for Gradescope: it installs what is needed, and grades each submission by itself."""

from __future__ import annotations

import io
import shlex
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import backprop_nb

NEEDS: Final = ("numpy>=2.1", "tqdm>=4.66", "ipython>=8.0")
"""What grading needs besides Python, and no more; IPython for notebooks with magics."""
_DATED: Final = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT: Final = ("__pycache__", "notebooks", "questions")

# The harness unpacks the zip as /autograder/source, runs setup.sh once, and run_autograder for
# each submission, which lies in /autograder/submission.
_SETUP: Final = """\
#!/usr/bin/env bash
set -euo pipefail
root="${{AUTOGRADER_ROOT:-/autograder}}"
python=python3
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    apt-get update
    apt-get install -y python3.11 python3-pip
    python=python3.11
fi
printf '#!/bin/sh\\nexec "%s" "$@"\\n' "$(command -v "$python")" > "$root/python"
chmod +x "$root/python"
"$root/python" -c 'import numpy, tqdm, IPython' 2> /dev/null ||
    "$root/python" -m pip install --target "$root/source/packages" {needs}
"""
_RUN: Final = """\
#!/usr/bin/env bash
set -euo pipefail
root="${{AUTOGRADER_ROOT:-/autograder}}"
mkdir -p "$root/results"
cd "$root/source"
PYTHONPATH="$root/source/packages" exec "$root/python" -m backprop_nb grade \\
    "$root/submission" --format gradescope --out "$root/results/results.json"{words}
"""


def autograder_zip(options: Mapping[str, Any], course: Path | None = None) -> bytes:
    """Return a zip to upload to Gradescope as an autograder.

    Parameters
    ----------
    options
        Of the command ``grade``, by their names in Python.
    course
        The assignment that says how the course writes it; it goes into the zip.
    """
    words = [word for name, value in options.items() for word in _words(name, value)]
    quoted = "".join(f" {shlex.quote(word)}" for word in words)
    if course is not None:
        quoted += f' --course "$root/source/assignment{course.suffix}"'
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "setup.sh", _SETUP.format(needs=shlex.join(NEEDS)).encode(), 0o755)
        _add(archive, "run_autograder", _RUN.format(words=quoted).encode(), 0o755)
        if course is not None:
            _add(archive, f"assignment{course.suffix}", course.read_bytes())
        package = Path(backprop_nb.__file__).parent
        for path in sorted(package.rglob("*")):
            inside = path.relative_to(package)
            if path.is_file() and not set(inside.parts) & set(_LEFT_OUT):
                _add(archive, f"backprop_nb/{inside.as_posix()}", path.read_bytes())
    return stream.getvalue()


def _words(name: str, value: Any) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    if value is True:
        return [option]
    return [f"{option}={value}"]


def _add(archive: zipfile.ZipFile, name: str, data: bytes, mode: int = 0o644) -> None:
    info = zipfile.ZipInfo(name, _DATED)
    info.external_attr = (0o100000 | mode) << 16
    archive.writestr(info, data, zipfile.ZIP_DEFLATED)

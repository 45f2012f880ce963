"""The pure halves of the ES modules are tested by node, without a browser."""

import json
import shutil
import subprocess
from pathlib import Path

TESTS = Path(__file__).parent / "js"


def test_node_finds_the_pure_halves_of_the_modules_right(cannot_run):
    files = sorted(TESTS.glob("*.mjs"))
    assert files, f"no *.mjs in {TESTS}"
    node = shutil.which("node") or cannot_run(
        "node is not installed, so the ES modules are not tested"
    )
    # As `node --test` does, in one process instead of one for each file.
    program = "".join(f"import {json.dumps(file.as_uri())};\n" for file in files)
    done = subprocess.run(
        [node, "--input-type=module"],
        input=program,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"node says:\n{done.stdout}{done.stderr}"
    assert "# pass 0" not in done.stdout

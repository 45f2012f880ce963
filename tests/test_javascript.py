"""The pure halves of the ES modules are tested by node, without a browser."""

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
    done = subprocess.run(
        [node, "--test", *files], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"node --test says:\n{done.stdout}{done.stderr}"

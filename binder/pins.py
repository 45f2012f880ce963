"""Renew the pins in requirements.txt: of all that ``backprop-nb[lab]`` needs, the newest.

    python binder/pins.py    # from any Python; it needs that of runtime.txt, and a package registry

An environment is made in a folder that is removed afterwards, and what pip has chosen for it is
written down. Then look at ``git diff`` and run ``pytest tests/test_binder.py -m ""``, which plays
Binder's steps with these pins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BINDER = Path(__file__).parent
PINS = BINDER / "requirements.txt"


def version() -> str:
    """Return the version of Python that Binder is asked for, as "3.13"."""
    return (BINDER / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")


def interpreter(wanted: str) -> str | None:
    """Return a Python of a version, if this machine has it: from pyenv, or on the PATH."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    found = sorted(map(str, pyenv.glob(f"versions/{wanted}.*/bin/python")), key=len)
    # First: what pyenv puts on the PATH only works for the versions that are switched on.
    return found[-1] if found else shutil.which(f"python{wanted}")


def renewed(old: str, frozen: str) -> str:
    r"""Return the text of the pins: the comments as they were, and what pip has installed.

    Examples
    --------
    >>> print(renewed("# why\na==1\n", "A==2\nb==1"))
    # why
    A==2
    b==1
    <BLANKLINE>
    """
    comments = [line for line in old.splitlines() if line.startswith("#")]
    return "\n".join([*comments, *frozen.splitlines(), ""])


def main() -> None:
    """Install the project for a visitor, and write down which versions it got."""
    python = interpreter(version())
    if python is None:
        sys.exit(f"Python {version()} is not on the PATH. It is what binder/runtime.txt asks for.")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        pip = [Path(folder) / "bin/python", "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", f"{BINDER.parent}[lab]"], check=True)
        frozen = subprocess.run(
            [*pip, "freeze", "--exclude", "backprop-nb"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    PINS.write_text(renewed(PINS.read_text(encoding="utf-8"), frozen.stdout), encoding="utf-8")
    print(f"{PINS}: {len(frozen.stdout.splitlines())} pins")


if __name__ == "__main__":
    main()

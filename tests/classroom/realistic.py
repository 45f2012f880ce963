"""A class as it hands in: twenty styles of notebook and script, three platforms' layouts.

    python tests/classroom/realistic.py [STUDENTS]

Who is right and who is wrong is known by construction.  It prints how many right ones have less
than full marks, how many of them without a word of the reason, and how many are not seen at all.
"""

from __future__ import annotations

import csv
import io
import json
import random
import runpy
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backprop_nb.classroom import grade

RIGHT = runpy.run_path(str(Path(__file__).with_name("conftest.py")))["RIGHT"].strip() + "\n"
_HEAD, _SIGMA, _BACKWARD = RIGHT.split("\n\n")

WRONG = [
    ("A[i].T @ delta * f[i] * (1 - f[i])", "A[i].T @ delta"),
    ("2 * (f[-1] - y)", "(f[-1] - y)"),
    ("(f[-1] - y)", "(y - f[-1])"),
    ("np.outer(delta, f[i])", "np.outer(f[i], delta)"),
    ("f[i] * (1 - f[i])", "f[i] * f[i]"),
    ("(f[-1] - y) * f[-1] * (1 - f[-1])", "(f[-1] - y)"),
]
"""What is replaced by what, to be wrong."""

Files = dict[str, str | bytes]
TRAINING = """
A = [np.ones((3, 2)), np.ones((1, 3))]
b = [np.zeros(3), np.zeros(1)]
for epoch in range({epochs}):
    dA, db = backward(A, b, np.array([1.0, 2.0]), np.array([0.5]))
    A = [each - 0.1 * d for each, d in zip(A, dA)]
    b = [each - 0.1 * d for each, d in zip(b, db)]
"""


def notebook(*cells: str, output: str = "") -> str:
    """Return a notebook of code cells; the last one has printed something."""
    made = [
        {"cell_type": "code", "source": cell.splitlines(keepends=True), "outputs": [],
         "metadata": {}, "execution_count": k}
        for k, cell in enumerate(cells, 1)
    ]  # fmt: skip
    if output:
        made[-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": output}]
    text = {"cell_type": "markdown", "source": "# Homework", "metadata": {}}
    return json.dumps({"cells": [text, *made], "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def zipped(files: Files) -> bytes:
    """Return files in a zip, in a folder."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"homework/{name}", content)
    return stream.getvalue()


def _with_helper(code: str) -> Files:
    head, sigma, backward = code.split("\n\n")
    return {
        "activations.py": f"{head}\n\n{sigma}\n",
        "hw.ipynb": notebook(f"{head}\nfrom activations import sigma", backward),
    }


def _as_a_class(code: str) -> str:
    head, sigma, backward = code.split("\n\n")
    inside = "\n".join(f"    {line}" for line in backward.splitlines())
    return (
        f"{head}\n\n{sigma}\n\n\nclass Model:\n"
        f"{inside.replace('def backward(', 'def backward(self, ')}\n\n\n"
        "model = Model()\n\n\ndef backward(A, b, x, y):\n    return model.backward(A, b, x, y)\n"
    )


STYLES: dict[str, Callable[[str], Files]] = {
    "a script": lambda code: {"hw.py": code},
    "a script with a main": lambda code: {
        "hw.py": f'{code}\nif __name__ == "__main__":\n    print("done")\n'
    },
    "one cell": lambda code: {"hw.ipynb": notebook(code)},
    "three cells": lambda code: {"hw.ipynb": notebook(*code.split("\n\n"), output="ok\n")},
    "magics": lambda code: {
        "hw.ipynb": notebook("%matplotlib inline\n%load_ext autoreload", code, "%timeit 1 + 1")
    },
    "pip over two lines": lambda code: {
        "hw.ipynb": notebook("!pip install numpy \\\n    scipy", code)
    },
    "a line that begins with %": lambda code: {
        "hw.ipynb": notebook("%time eps = 1.0", f"{code}\n%time\nrest = (7\n% 3)\n")
    },
    "help": lambda code: {"hw.ipynb": notebook("import numpy as np\nnp.outer?", code, "?np.dot")},
    "a training loop": lambda code: {"hw.ipynb": notebook(code, TRAINING.format(epochs=300))},
    "a long training loop": lambda code: {
        "hw.ipynb": notebook(code, TRAINING.format(epochs=3_000_000))
    },
    "a helper": _with_helper,
    "a helper in a zip": lambda code: {"hw.zip": zipped(_with_helper(code))},
    "a data file": lambda code: {
        "weights.csv": "1,2\n3,4\n",
        "hw.ipynb": notebook(code, 'W = np.loadtxt("weights.csv", delimiter=",")\nW[1, 1]'),
    },
    "a file beside, by __file__": lambda code: {
        "weights.csv": "1,2\n",
        "hw.py": f"from pathlib import Path\n{code}\n"
        'here = Path(__file__).parent\nassert (here / "weights.csv").is_file()\n',
    },
    "a file written by a cell": lambda code: {
        "hw.ipynb": notebook(f"%%writefile passes.py\n{code}", "from passes import backward")
    },
    "await": lambda code: {
        "hw.ipynb": notebook("import asyncio", "await asyncio.sleep(0)", code)
    },
    "an exported script": lambda code: {
        "hw.py": "#!/usr/bin/env python\n# coding: utf-8\n\n# In[1]:\n\n\n"
        f"get_ipython().system('pip install numpy')\n\n# In[2]:\n\n\n{code}"
    },
    "a script of cells": lambda code: {"hw.py": f"# %%\n!pip install numpy\n# %% [2]\n{code}"},
    "another encoding": lambda code: {
        "hw.py": f"# -*- coding: latin-1 -*-\n# Schöne Lösung\n{code}".encode("latin-1")
    },
    "a class": lambda code: {"hw.py": _as_a_class(code)},
    "a cell that fails": lambda code: {"hw.ipynb": notebook("1 / 0", code, "undefined_name")},
    "two attempts": lambda code: {
        "hw.ipynb": notebook(code.replace("np.outer", "np.inner")),
        "hw(1).ipynb": notebook(code),
    },
    "large outputs": lambda code: {"hw.ipynb": notebook(code, "print()", output="x" * 200_000)},
    "a report beside": lambda code: {"hw.ipynb": notebook(code), "report.pdf": b"%PDF-1.7"},
}  # fmt: skip
NOTHING: dict[str, Callable[[str], Files]] = {
    "a PDF": lambda code: {"hw.pdf": b"%PDF-1.7"},
    "a broken zip": lambda code: {"hw.zip": b"PK\x03\x04"},
    "no code": lambda code: {"hw.ipynb": notebook()},
}
"""What nobody can grade."""


@dataclass(frozen=True)
class Made:
    """A student."""

    key: str
    style: str
    is_right: bool | None
    """None: there is nothing to grade."""
    files: Files


def a_class(students: int, seed: int = 0) -> list[Made]:
    """Return a class in which each style is right mostly, and wrong sometimes."""
    draw = random.Random(seed)
    styles = [*STYLES]
    made = []
    for k in range(students):
        code = f"# The homework of {k}\n{RIGHT}"
        if k % 25 == 24:
            style = [*NOTHING][k // 25 % len(NOTHING)]
            made.append(Made(str(1000 + k), style, None, NOTHING[style](code)))
            continue
        style = styles[k % len(styles)]
        is_right = (k // len(styles) + k) % 5 != 0
        if not is_right:
            code = code.replace(*draw.choice(WRONG), 1)
        made.append(Made(str(1000 + k), style, is_right, STYLES[style](code)))
    return made


def _moodle(one: Made, name: str) -> str:
    return f"Student {one.key}_{one.key}_assignsubmission_file_/{name}"


def _canvas(one: Made, name: str) -> str:
    stem, _, ending = name.rpartition(".")
    again = stem.endswith("(1)")  # Canvas counts for itself, and each file has a number
    number = 5000 + sum(map(ord, name))
    return f"student{one.key}_{one.key}_{number}_{stem.removesuffix('(1)')}{'-1' * again}.{ending}"


def _blackboard(one: Made, name: str) -> str:
    again = "(1)" in name
    stamp = f"2026-01-0{2 + again}-13-14-15"
    return f"HW 1_{one.key}_attempt_{stamp}_{name.replace('(1)', '')}"


LAYOUTS = {"moodle": _moodle, "canvas": _canvas, "blackboard": _blackboard}


def hand_in(folder: Path, made: list[Made], layout: str) -> None:
    """Write what some students hand in as a platform delivers it."""
    for one in made:
        for name, content in one.files.items():
            path = folder / LAYOUTS[layout](one, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if layout == "blackboard":
            receipt = f"Name: Student {one.key} ({one.key})\nAssignment: HW 1\n"
            (folder / f"HW 1_{one.key}_attempt_2026-01-02-13-14-15.txt").write_text(receipt)


@dataclass(frozen=True)
class Found:
    """What was wrong with the grading, by style."""

    below: list[str]
    """Right ones below full marks."""
    without_reason: list[str]
    """Whoever has less than full marks, and no word of why."""
    full: list[str]
    """Wrong ones with full marks."""
    not_seen: list[str]


def graded(place: Path, students: int, **options: object) -> Found:
    """Grade a class in three layouts, and compare it with what is known."""
    found = Found([], [], [], [])
    made = a_class(students)
    for k, layout in enumerate(LAYOUTS):
        some = [one for n, one in enumerate(made) if (n + n // len(STYLES)) % len(LAYOUTS) == k]
        folder, out = place / layout, place / f"{layout}-graded"
        hand_in(folder, some, layout)
        grade(folder, out, points=6, progress=False, **options)  # type: ignore[arg-type]
        table = (out / "grades/grades.csv").read_text(encoding="utf-8-sig")
        rows = {row["student"]: row for row in csv.DictReader(io.StringIO(table))}
        for one in some:
            row = rows.get(one.key)
            said = f"{one.style} ({layout}, {one.key})"
            if row is None:
                found.not_seen.append(said)
            elif one.is_right and row["points"] != "6":
                found.below.append(f"{said}: {row['points']} {row['result']}")
            elif one.is_right is False and row["points"] == "6":
                found.full.append(said)
            if row and row["points"] != "6" and not (row["result"] or row["to be looked at"]):
                found.without_reason.append(said)
    return found


def main(students: int = 200) -> None:
    """Print what was found."""
    with tempfile.TemporaryDirectory() as place:
        found = graded(Path(place), students, scheduler="threads", timeout=2.0)
    print(f"{students} students, {len(STYLES)} styles, {len(LAYOUTS)} layouts")
    for title, names in [
        ("right, below full marks", found.below),
        ("without a word of the reason", found.without_reason),
        ("wrong, with full marks", found.full),
        ("not seen", found.not_seen),
    ]:
        print(f"{title:30} {len(names)}", *names, sep="\n    ")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

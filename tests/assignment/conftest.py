"""Submissions to the assignment, and what each of its questions is worth by the package."""

import importlib.util
import os
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.exercises import answer_key
from backprop_nb.checking.mistakes import make_backward

FOLDER = Path(__file__).parents[2] / "notebooks" / "assignment"
SOURCE = FOLDER / "backprop.ipynb"
WRONG_SLOPE = """
def sigma(z):
    return 1 / (1 + np.exp(-z))


def sigma_prime(z):
    return z * (1 - z)
"""
# σ′ is missing in the hidden layers.
WRONG_BACKWARD = """
def backward(A, b, x, y):
    z, f = forward(A, b, x)
    dA, db = [], []
    delta = output_delta(f[-1], y)
    for i in reversed(range(len(A))):
        dA.insert(0, np.outer(delta, f[i]))
        db.insert(0, delta)
        delta = A[i].T @ delta
    return dA, db
"""
# They sleep, so that the other tests have the processor meanwhile.
ENDLESS_FORWARD = """
import time


def forward(A, b, x):
    while True:
        time.sleep(0.01)
"""
ENDLESS = """
def backward(A, b, x, y):
    while True:
        time.sleep(0.01)
"""
RAISING = """
def loss(f_K, y):
    return 1 / 0


def output_delta(f_K, y):
    return 2 * (f_K - y) * f_K * (1 - f_K)
"""
# As a crash of the kernel, or want of memory.
CRASHING = """
import os


def backward(A, b, x, y):
    os._exit(1)
"""
CRASHING_SIGMOID = """
import os, signal


def sigma(z):
    return 1 / (1 + np.exp(-z))


def sigma_prime(z):
    os.kill(os.getpid(), signal.SIGSEGV)
"""
MODIFYING = """
right = backward


def backward(A, b, x, y):
    gradients = right(A, b, x, y)
    x += 1
    return gradients
"""


# All that a cell can put in the place of the checks without leaving this package.
REPLACING = """
from types import SimpleNamespace
from backprop_nb.checking import diagnosis, exercises
from backprop_nb.checking.report import Report

answers = {}
full = SimpleNamespace(score=1.0, ok=True)
vars(bp).update(check_backward=lambda *_, **__: full, exercise=lambda _: exercise)
type(exercise).check = lambda *_, **__: full
Report.score, Report.ok = property(lambda self: 1.0), property(lambda self: True)
exercises._near = diagnosis._compare = bp.checking.run_isolated = lambda *_, **__: True
"""


def by_hand(student, **changes):
    """Return the cell of a student who has computed everything, and changed something."""
    key = answer_key(bp.exercise(student)) | changes
    texts = {name: np.round(value, 3).tolist() for name, value in key.items() if name != "mistake"}
    texts["mistake"] = key["mistake"]
    return "\n".join(["answers = {}", *(f"answers[{n!r}] = {v!r}" for n, v in texts.items())])


@pytest.fixture(scope="session")
def source():
    """The teacher's notebook."""
    return nbformat.read(SOURCE, as_version=4)


@pytest.fixture(scope="session")
def solutions(source):
    """The teacher's solution of each question, by its name."""
    return {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }


@pytest.fixture(scope="session")
def submissions(solutions):
    """What students wrote, by their names and the questions' names."""

    def right(student, **changes):
        return solutions | {"pencil": by_hand(student)} | changes

    half = answer_key(bp.exercise("wrong"))["delta[2]"] / 2
    return {
        "correct": right("correct"),
        "wrong": right(
            "wrong",
            pencil=by_hand("wrong", **{"delta[2]": half}),
            sigmoid=WRONG_SLOPE,
            loss=RAISING,
            backward=WRONG_BACKWARD,
        ),
        "empty": {},
        "endless": right("endless", forward=ENDLESS_FORWARD, backward=ENDLESS),
        "crashing": right("crashing", sigmoid=CRASHING_SIGMOID, backward=CRASHING),
        "modifying": right("modifying", backward=solutions["backward"] + MODIFYING),
        # No function is to blame here: the kernel itself is told to end.
        "leaving": {"pencil": "exit()"},
        "replacing": {"pencil": REPLACING},
    }


@pytest.fixture(scope="session")
def scores():
    """The points that the package gives, by student and question; none where the kernel ends."""
    wrong = make_backward("sigma_prime_missing_in_hidden", samples="single")
    full = {"pencil": 12.0, "sigmoid": 2.0, "forward": 4.0, "loss": 2.0, "backward": 6.0}
    share = bp.check_backward(wrong).score
    assert 0 < share < 1
    # δ_2 is half of what it should be; what follows from it is right only by the true one.
    half = {"delta[2]": answer_key(bp.exercise("wrong"))["delta[2]"] / 2}
    pencil = bp.exercise("wrong").check(answer_key(bp.exercise("wrong")) | half).score
    assert 0 < pencil < 1
    return {
        "correct": full,
        "wrong": {
            "pencil": 12 * pencil,
            "sigmoid": 1.0,
            "forward": 4.0,
            "loss": 0.0,
            "backward": 6 * share,
        },
        "empty": dict.fromkeys(full, 0.0),
        "endless": full | {"forward": 0.0, "backward": 0.0},
        "crashing": full | {"sigmoid": 0.0, "backward": 0.0},
        "modifying": full | {"backward": 6 * 6 / 7},
        "leaving": None,
        "replacing": dict.fromkeys(full, 0.0),
    }


@pytest.fixture(scope="session")
def make_otter():
    """The script beside the assignment, as a module."""
    spec = importlib.util.spec_from_file_location("make_otter", FOLDER / "make_otter.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """Variables under which a grader finds this environment's kernel, and nobody's settings."""
    home = tmp_path_factory.mktemp("home")
    folders = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    folders += ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "MPLCONFIGDIR"]
    own = {name: str(home / name.lower()) for name in folders}
    own |= {"HOME": str(home), "JUPYTER_PREFER_ENV_PATH": "1", "PYTHONUTF8": "1"}
    own["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    own["PYTHONPATH"] = os.pathsep.join([str(home), *filter(None, [os.environ.get("PYTHONPATH")])])
    # Every process that reads a notebook would compile this grammar for a second, to check a
    # kind of address that no notebook has; jsonschema does without it.
    (home / "rfc3987_syntax.py").write_text("raise ImportError\n", encoding="utf-8")
    return {**os.environ, **own}

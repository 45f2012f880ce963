"""A gradient that a library has computed is noted, and one's own work is not."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.classroom.borrowed import borrowed, differenced

BORROWED = {
    "torch": "import torch\ndef backward(A): return torch.ones(3)",
    "torch.": "import torch.nn.functional as F\ndef backward(A): return F.relu(A)",
    "torch, late": "def backward(A):\n    import torch as t\n    return t.tensor(A)",
    "jax": "import jax, jax.numpy as jnp\ndef backward(A): return jax.grad(f)(jnp.ones(3))",
    "autograd": "from autograd import grad\nbackward = lambda A: grad(A)",
    "autograd, in a class": (
        "class Net:\n    def go(self):\n        import autograd\n        return autograd.grad(1)\n"
        "net = Net()\ndef backward(A): return net.go()"
    ),
    "backprop_nb.grad": (
        "import backprop_nb as bp\ndef helper(A): return bp.grad(A)\n"
        "def backward(A): return helper(A)"
    ),
    "backprop_nb.trace": "from backprop_nb import *\nbackward = lambda A: trace(A)",
    "backprop_nb.vjp": "from backprop_nb.tracing import vjp as v\nbackward = lambda A: v(A)",
    "scipy.approx_fprime": (
        "from scipy import optimize as o\nbackward = lambda A: o.approx_fprime(A)"
    ),
    "backprop_nb.jvp": (
        "import backprop_nb as bp\nclass Net:\n    def __init__(self): self.d = bp.jvp\n"
        "def backward(A): return Net().d(A)"
    ),
    "backprop_nb.jacobian": (
        "from backprop_nb import jacobian\ndef prepare():\n    global d\n    d = jacobian\n"
        "def backward(A): return d(A)"
    ),
    "torch, put into a class": (
        "import torch\nclass Net: pass\nnet = Net()\nnet.d = torch.autograd\n"
        "def backward(A): return net.d(A)"
    ),
    "torch, in another file": (
        "from helpers import d as e\nimport torch\ndef d(A): return torch.ones(A)\n"
        "def backward(A): return e(A)"
    ),
    "torch, in a dict": (
        "import torch\nkept = {}\ndef prepare(): kept['d'] = torch.autograd\n"
        "def backward(A): return kept['d'](A)"
    ),
    "import_module": (
        "import importlib as i\ndef backward(A): return i.import_module('tor' + 'ch')"
    ),
    "sys.modules": "import sys as s\ndef backward(A): return [*s.modules.values()][3].grad(A)",
    "sys._getframe": "from sys import _getframe as f\ndef backward(A): return f(1).f_locals",
    "__builtins__": "def backward(A): return getattr(__builtins__, '__imp' + 'ort__')('torch')",
    "complex numbers": "def backward(A): return f(A + 1e-20j).imag",
}
OWN = {
    "none": "def backward(A): return A",
    "imported, not used": "import torch\ndef backward(A): return A\ntorch.tensor(backward(1))",
    "a check of it": (
        "import backprop_nb as bp\ndef backward(A): return A\nbp.check_backward(backward)"
    ),
    "the sigmoid": "import backprop_nb as bp\ndef backward(A): return bp.sigmoid(A)",
    "arrays alone": "from jax import numpy as jnp\ndef backward(A): return jnp.ones(3)",
    "arrays alone, too": "import autograd.numpy as anp\ndef backward(A): return anp.ones(3)",
    "a function of SciPy": "from scipy.special import expit\ndef backward(A): return expit(A)",
    "a number of Python's": "import sys\ndef backward(A): return A + sys.float_info.eps",
    "a name of one's own": "def grad(A): return A\ndef backward(A): return grad(A)",
    "a method of one's own": "def backward(net): return net.eval()",
    "a name that a check has, too": (
        "import backprop_nb as bp\n\ndef check(A):\n    f = bp.grad(A)\n    return f\n\n"
        "def backward(A):\n    f = A\n    return f"
    ),
    "a parameter of a check's name": (
        "import backprop_nb as bp\ny = bp.grad\ndef backward(A, y): return [y for _ in A]"
    ),
    "an import of a check's": (
        "def check(A):\n    from backprop_nb import grad as d\n    return d(A)\n"
        "def backward(A, d): return d"
    ),
    "an attribute of a name's": (
        "import backprop_nb as bp\nT = bp.trace\ndef backward(A): return A.T"
    ),
    "NumPy's of a name's": (
        "import numpy as np, backprop_nb as bp\ndot = bp.trace\n"
        "def backward(A): return np.dot(A, A)"
    ),
    "code that is none": "def backward(A: return A",
}


@pytest.mark.parametrize("what", BORROWED)
def test_what_differentiates_is_noted_with_its_line(what):
    [note] = borrowed([("cell 1", "x = 1"), ("cell 7", BORROWED[what])], "backward")
    assert note.startswith(f"`backward` uses {what.split(',')[0].strip('.')}, ")
    assert "(cell 7, line " in note


@pytest.mark.parametrize("what", OWN)
def test_ones_own_work_is_not_noted(what):
    assert borrowed([("cell 1", OWN[what])], "backward") == ()


def right(A, b, x, y):
    f = [x]
    for A_i, b_i in zip(A, b, strict=True):
        f.append(bp.sigmoid(A_i @ f[-1] + b_i))
    delta = 2 * (f[-1] - y) * f[-1] * (1 - f[-1])
    dA, db = [], []
    for i in reversed(range(len(A))):
        dA.insert(0, np.outer(delta, f[i]))
        db.insert(0, delta)
        delta = A[i].T @ delta * f[i] * (1 - f[i])
    return dA, db


def loss(A, b, x, y):
    for A_i, b_i in zip(A, b, strict=True):
        x = bp.sigmoid(A_i @ x + b_i)
    return np.sum((y - x) ** 2)


def by_differences(A, b, x, y, step):
    gradients = [np.zeros(each.shape) for each in (*A, *b)]
    for array, gradient in zip((*A, *b), gradients, strict=True):
        for at in np.ndindex(array.shape):
            kept = array[at]
            array[at] = kept + step
            more = loss(A, b, x, y)
            array[at] = kept - step
            gradient[at] = (more - loss(A, b, x, y)) / (2 * step)
            array[at] = kept
    return gradients[: len(A)], gradients[len(A) :]


def test_the_solution_of_the_assignment_is_ones_own_work():
    path = Path(__file__).parents[2] / "notebooks" / "assignment" / "backprop.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [("".join(each["source"])) for each in cells if each["cell_type"] == "code"]
    assert any("backprop_nb" in each for each in code)
    numbered = [(f"cell {k}", each) for k, each in enumerate(code, start=1)]
    assert borrowed(numbered, "backward") == ()
    assert borrowed([*numbered, ("x", "import jax\nloss = jax.grad")], "backward") == ()


@pytest.mark.parametrize("step", [1e-4, 1e-5, 1e-6])
def test_differences_are_told_by_their_digits(step):
    report = bp.check_backward(lambda *given: by_differences(*given, step), widths=(3, 4, 2))
    assert report.ok
    [note] = differenced(report)
    assert "digits only, as differences of the loss are" in note


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_arithmetic_is_no_difference(dtype):
    def typed(*given):
        return tuple([each.astype(dtype) for each in part] for part in right(*given))

    report = bp.check_backward(typed)
    assert report.ok
    assert differenced(report) == ()


def test_a_wrong_pass_has_no_digits():
    report = SimpleNamespace(ok=False, parameters=[SimpleNamespace(error=1e-8, remark="")])
    assert differenced(report) == ()

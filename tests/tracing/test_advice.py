"""What a message tells to write, written as it stands, is a program that works."""

import inspect
import math

import numpy as np
import pytest
from numpy import zeros
from rule_checks import assert_differentiable

import backprop_nb as bp
from backprop_nb.errors import BackpropError

X = np.array([0.5, -1.5, 2.25])
A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
MADE = np.zeros(3)
ADVICE = []


def advised(instead, *edit):
    """Register a program that is refused with an advice.

    ``edit`` is what its text has, and what it has after the advice was followed.
    """

    def register(f):
        ADVICE.append(pytest.param(f, instead, edit, id=f.__name__))
        return f

    return register


def advised_to_make_floats(name, text):
    made = f"{name} = np.array({name}, dtype=float)"
    return advised(f"{made} first, in the traced function", text, f"{made}; {text}")


advised_to_make_anew = advised(
    "new = np.array(MADE, dtype=float) at the start of the traced function, "
    "and new for MADE from there",
    "MADE",
    "new",
    "(x):",
    "(x):\n    new = np.array(MADE, dtype=float)",
)


@advised_to_make_floats("out", "out[0] =")
def imported_by_name(x):
    out = zeros(3)
    out[0] = x[0] * x[1]
    return np.sum(out * x)


@advised_to_make_floats("labels", "labels[0] =")
def computed_from_plain_arrays(x):
    labels = np.where(X > 0, 1.0, X.copy()) + (X == 0.5) * 1.0
    labels[0] = x[0] * x[1]
    return np.sum(labels * x)


@advised(
    'f"{y:.4f}" in place of %, to show the value',
    '"step %d, loss %.4f" % (3, y)',
    'f"step {3}, loss {y:.4f}"',
)
def shown_by_percent(x):
    y = np.sum(x**2)
    print("step %d, loss %.4f" % (3, y))  # noqa: UP031
    return y


@advised_to_make_floats("count", "count[0] =")
def buffer_of_integers(x):
    count = np.zeros(3, dtype=int)
    count[0] = x[0] * x[1]
    return np.sum(count * x)


@advised_to_make_floats("count", "count +=")
def added_to_integers(x):
    count = np.zeros(3, dtype=int)
    count += x * x
    return np.sum(count)


@advised_to_make_floats("z", "z -=")
def plain_array_changed_by_a_product(x):
    z = A[:, 0] * 1.0
    z -= A.dot(x)
    return np.sum(z * z)


@advised_to_make_anew
def buffer_of_the_caller(x):
    MADE[:2] = x[1:] ** 2
    return np.sum(MADE * x)


@advised_to_make_anew
def product_in_a_buffer_of_the_caller(x):
    MADE[:2] = A.dot(x)
    return np.sum(MADE * x)


@advised(
    "int(np.trunc(x[2])), a decision that the graph remembers", "int(x[2])", "int(np.trunc(x[2]))"
)
def number_of_steps(x):
    for _ in range(int(x[2])):
        x = x * 0.5
    return np.sum(x**2)


@advised("total.copy() where it is handed on", "grid(total", "grid(total.copy()")
def plain_view(x):
    total = np.zeros(3)
    seen = np.meshgrid(total, x, copy=False)[0]
    total[0] = x[0] ** 2
    return np.sum(seen) + np.sum(total)


@advised("zip(x.flat, y.flat)", "np.nditer([x, X])", "zip(x.flat, X.flat)")
def several_arrays_in_step(x):
    return sum(a * b**2 for a, b in np.nditer([x, X]))


@advised("np.dot(A, x, out=out)", "A.dot(x, out=out)", "np.dot(A, x, out=out)")
def out_of_a_method(x):
    out = np.zeros(2)
    A.dot(x, out=out)
    return np.sum(out**2)


@advised("np.dot(A.T.copy(), A.dot(x))", "A.T.copy().dot(A.dot(x))", "np.dot(A.T.copy(), A.dot(x))")
def method_of_what_is_computed(x):
    return np.sum(A.T.copy().dot(A.dot(x)) ** 2)


@advised("X * np.array([x[0], 1.0, x[2]])", "[x[0], 1.0, x[2]]", "np.array([x[0], 1.0, x[2]])")
def array_times_a_list(x):
    return np.sum(X * [x[0], 1.0, x[2]])


@advised("np.array([v * v for v in x]) - X", "[v * v for v in x]", "np.array([v * v for v in x])")
def list_minus_an_array(x):
    return np.sum(np.exp([v * v for v in x] - X))


@advised("A @ np.array(weights)", "@ weights", "@ np.array(weights)")
def product_with_a_list_that_has_a_name(x):
    weights = [x[0], x[1] * x[2], 1.0]
    return np.sum((A @ weights) ** 2)


@advised(
    "z = z * np.array([x[0], x[1], 2.0])",
    "z *= [x[0], x[1], 2.0]",
    "z = z * np.array([x[0], x[1], 2.0])",
)
def array_changed_by_a_list(x):
    z = X + 1
    z *= [x[0], x[1], 2.0]
    return np.sum(z * z)


@advised(
    "np.array([x[0], x[1], 2.0]) < X + 0.25",
    "[x[0], x[1], 2.0] < X + 0.25",
    "np.array([x[0], x[1], 2.0]) < X + 0.25",
)
def array_compared_with_a_list(x):
    return np.sum(np.where([x[0], x[1], 2.0] < X + 0.25, x, x * x))


@advised("np.dot(A, [x[0], x[1], 1.0])", "A.dot([x[0], x[1], 1.0])", "np.dot(A, [x[0], x[1], 1.0])")
def method_with_a_list(x):
    return np.sum(A.dot([x[0], x[1], 1.0]) ** 2)


@advised(
    "np.pad(x, width) + value * np.pad(np.zeros(x.shape), width, constant_values=1.0)",
    "np.pad(X, 1, constant_values=x[0])",
    "np.pad(X, 1) + x[0] * np.pad(np.zeros(X.shape), 1, constant_values=1.0)",
)
def plain_array_padded_with_a_value(x):
    return np.sum(np.pad(X, 1, constant_values=x[0]) ** 2)


@advised("int(np.argmax(x)) as the key", "counts[np.argmax(x)]", "counts[int(np.argmax(x))]")
def counted_in_a_dict(x):
    counts = {}
    counts[np.argmax(x)] = x[0] * 2
    return sum(counts.values()) * x[1]


@advised("np.sum(x)", "math.fsum(x)", "np.sum(x)")
def summed_by_python(x):
    return math.fsum(x) ** 2


@advised(
    'activation.__name__ == "tanh" in place of activation is np.tanh',
    "activation is np.tanh",
    'activation.__name__ == "tanh"',
)
def the_very_ufunc(x, activation=np.tanh):
    gain = 5 / 3 if activation is np.tanh else 1.0
    return np.sum(gain * activation(x))


@advised("np.any(…) or np.all(…) of a comparison", "if x > 0", "if np.any(x > 0)")
def neither_true_nor_false(x):
    if x > 0:
        return np.sum(x**2)
    return np.sum(x**3)


@advised("bp.sigmoid(x)", "expit(A.dot(x))", "bp.sigmoid(A.dot(x))")
def function_of_scipy(x):
    from scipy.special import expit

    return np.sum(expit(A.dot(x)))


@advised("np.array([*values])", "np.fromiter(values, float)", "np.array([*values])")
def made_of_a_generator(x):
    values = (v * v for v in x)
    return np.sum(np.fromiter(values, float))


@advised(
    "np.vectorize(f) in place of np.frompyfunc(f, 1, 1)",
    "np.frompyfunc(lambda v: v * v, 1, 1)",
    "np.vectorize(lambda v: v * v)",
)
def made_a_ufunc(x):
    return np.sum(np.frompyfunc(lambda v: v * v, 1, 1)(x))


@advised(
    "{'z': np.zeros((3,)), 'a': np.zeros((3,))}, a dict",
    'np.zeros(3, [("z", float), ("a", float)])',
    "{'z': np.zeros((3,)), 'a': np.zeros((3,))}",
)
def array_with_fields(x):
    layer = np.zeros(3, [("z", float), ("a", float)])
    layer["z"] = x * 2
    layer["a"] = np.tanh(layer["z"])
    return np.sum(layer["a"])


def test_there_are_many():
    assert len(ADVICE) >= 10


def _edited(f, edit, file):
    """Return a program after its text was edited."""
    text = inspect.getsource(f)
    text = text[text.index("def ") :]
    for old, new in zip(edit[::2], edit[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    space = dict(globals())
    file.write_text(text)
    exec(compile(text, str(file), "exec"), space)
    return space[f.__name__]


@pytest.mark.parametrize(("f", "instead", "edit"), ADVICE)
def test_what_is_told_works(f, instead, edit, tmp_path):
    with pytest.raises(BackpropError) as caught:
        bp.trace(f, X)
    assert caught.value.instead.startswith(instead)
    MADE[:] = 0.0
    edited = _edited(f, edit, tmp_path / "edited.py")
    assert_differentiable(edited, X)

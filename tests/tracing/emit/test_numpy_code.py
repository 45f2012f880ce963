"""The printed program runs by itself and gives the graph's value and gradients."""

import ast
import enum
import re
import subprocess
import sys
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
from nonempty import nonempty

import backprop_nb as bp
from backprop_nb.tracing.emit import numpy_code
from backprop_nb.tracing.pytree import flatten

rng = np.random.default_rng(0)
X, Y = rng.normal(size=4), rng.normal(size=2)
A0, A1 = rng.normal(size=(3, 4)), rng.normal(size=(2, 3))
B0, B1 = rng.normal(size=3), rng.normal(size=2)


def loss(A0, b0, A1, b1):
    z1 = A0 @ X + b0
    f1 = bp.sigmoid(z1)
    z2 = A1 @ f1 + b1
    f2 = bp.sigmoid(z2)
    return np.sum((Y - f2) ** 2)


def fan_out(x):
    u = x**2
    v = u + np.exp(u)
    return np.sqrt(v) + np.cos(v)


def nested(parameters, scale):
    w, b = parameters["w"], parameters["b"]
    h = np.tanh(w[0] @ X[:3] + b)
    return scale * np.mean(h * w[1])


def batch(A, b, S):
    z = S @ A.T + b
    f = bp.sigmoid(z)
    return np.mean(np.sum((1.0 - f) ** 2, axis=1))


def unused(x, y):
    return np.sum(x * 2.0)


def plain_sum(x):
    return np.sum(x)


def product(x, w):
    return np.sum(x * w)


def rows(x):
    s = np.sum(x, axis=1)
    return np.sum(s * s)


PROGRAMS = {
    "loss": (loss, (A0, B0, A1, B1)),
    "fan-out": (fan_out, (0.7,)),
    "nested": (nested, ({"w": [rng.normal(size=(2, 3)), rng.normal(size=2)], "b": 0.3}, 1.5)),
    "batch": (batch, (rng.normal(size=(2, 4)), rng.normal(size=2), rng.normal(size=(5, 4)))),
    "rows": (rows, (rng.normal(size=(2, 3)),)),
    "picked rows": (lambda W: np.sum(W[[0, 0]] * W[1:, None, 0]), (rng.normal(size=(3, 3)),)),
    "powers": (lambda x, y: np.sum(x**y) / np.sum(2.0**x), (np.abs(X), X)),
    "the argument": (lambda x: x, (2.0,)),
    "defaults": (lambda x: np.mean(x, axis=(0, 1), keepdims=False), (rng.normal(size=(2, 3)),)),
}


def run_last_function(source, args):
    space = {}
    exec(source, space)
    last = re.findall(r"^def (\w+)\(", source, re.MULTILINE)[-1]
    return space[last](*args)


def compare(result, graph):
    value, gradients = result
    np.testing.assert_allclose(value, graph.value, rtol=1e-12, atol=1e-14)
    expected = graph.backward().gradients
    assert len(gradients) == len(expected)
    for got, right in zip(flatten(list(gradients)), flatten(list(expected)), strict=True):
        assert np.shape(got) == np.shape(right)
        np.testing.assert_allclose(got, right, rtol=1e-12, atol=1e-14)


def test_the_backward_pass_reads_as_a_teacher_would_write_it():
    function = bp.trace(loss, A0, B0, A1, B1).to_numpy().split("\n\n\n")[-1]
    assert function == (
        "def loss_and_gradient(A0, b0, A1, b1):\n"
        "    # forward\n"
        "    z1 = A0 @ X + b0\n"
        "    f1 = sigmoid(z1)\n"
        "    z2 = A1 @ f1 + b1\n"
        "    f2 = sigmoid(z2)\n"
        "    v3 = Y - f2\n"
        "    loss = np.sum(v3 ** 2)\n"
        "    # back through v3 = Y - f2, and loss = np.sum(v3 ** 2)\n"
        "    d_f2 = -2 * v3\n"
        "    # back through f2 = sigmoid(z2)\n"
        "    d_z2 = d_f2 * f2 * (1 - f2)\n"
        "    # back through z2 = A1 @ f1 + b1\n"
        "    d_b1 = d_z2\n"
        "    d_A1 = np.outer(d_z2, f1)\n"
        "    d_f1 = A1.T @ d_z2\n"
        "    # back through f1 = sigmoid(z1)\n"
        "    d_z1 = d_f1 * f1 * (1 - f1)\n"
        "    # back through z1 = A0 @ X + b0\n"
        "    d_b0 = d_z1\n"
        "    d_A0 = np.outer(d_z1, X)\n"
        "    return loss, (d_A0, d_b0, d_A1, d_b1)\n"
    )


def test_the_source_runs_with_numpy_alone(tmp_path):
    graph = bp.trace(loss, A0, B0, A1, B1)
    script = tmp_path / "alone.py"
    call = "print(loss_and_gradient(*[np.ones(s) for s in ((3, 4), 3, (2, 3), 2)])[0])\n"
    script.write_text(
        "import sys\n" + graph.to_numpy() + call + "print('backprop_nb' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", script], capture_output=True, text=True, check=True
    )
    value, loaded = done.stdout.split()
    assert loaded == "False"
    ones = [np.ones(s) for s in ((3, 4), 3, (2, 3), 2)]
    assert float(value) == pytest.approx(float(graph.evaluate(*ones)), rel=1e-12)


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_line_is_trivial_or_dead(name):
    f, args = PROGRAMS[name]
    graph = bp.trace(f, *args)
    compare(run_last_function(graph.to_numpy(), args), graph)
    source = graph.to_numpy().split("\n\n\n")[-1]
    assert not re.search(r"\b1(\.0)? \* |\* 1(\.0)?\b(?! *[-+/*@])|--|- -|\.T\.T", source)
    (function,) = ast.parse(source).body
    lines = [ast.unparse(statement) for statement in function.body]
    made = [(k, line) for k, line in enumerate(lines) if " = " in line]
    for number, line in made:
        for name in line.split(" = ")[0].strip("()").split(", "):
            assert any(re.search(rf"\b{name}\b", later) for later in lines[number + 1 :]), line


def test_an_input_that_is_not_used_has_a_zero_gradient():
    args = (np.ones(2), np.ones(3))
    graph = bp.trace(unused, *args)
    _, (d_x, d_y) = run_last_function(graph.to_numpy(), args)
    np.testing.assert_array_equal(d_x, [2.0, 2.0])
    np.testing.assert_array_equal(d_y, np.zeros(3))


def test_rules_compute_their_comparisons_anew():
    base = np.array([0.0, 2.0])
    compiled = bp.trace(lambda x, y: np.sum(x**y), base, np.array([0.0, 3.0])).compile()
    new = np.array([2.0, 3.0])
    _, (d_x, _) = compiled(new, np.array([2.0, 2.0]))
    np.testing.assert_allclose(d_x, [4.0, 6.0])


HOSTILE = "import os; os.system('x')"


def test_a_hostile_name_cannot_become_code():
    graph = bp.trace(
        lambda p: p[HOSTILE] * p["__import__('os')"], {HOSTILE: 2.0, "__import__('os')": 3.0}
    )
    source = graph.to_numpy()
    args = ({HOSTILE: 2.0, "__import__('os')": 3.0},)
    compare(run_last_function(source, args), graph)
    without_strings = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"", "", source)
    assert "os.system" not in without_strings
    assert "__import__(" not in without_strings


def test_names_that_python_or_the_source_needs_are_left_to_them():
    def f(np_, sigmoid):
        d_np_ = np_ * sigmoid
        loss = bp.sigmoid(d_np_)
        return loss * sigmoid

    args = (0.5, 0.25)
    graph = bp.trace(f, *args)
    compare(run_last_function(graph.to_numpy(), args), graph)


def test_a_vector_has_no_gradient_program():
    with pytest.raises(bp.ShapeError, match="not a single number"):
        bp.trace(lambda x: x * 2.0, np.ones(2)).to_numpy()


@pytest.mark.parametrize(
    ("f", "helpers"),
    [
        (lambda x: x[0] ** 2, ["scatter_add"]),
        (lambda x: x[0] * x[1], []),
        (lambda x: np.sum(x.astype(np.float32)), []),
        (lambda x: np.sum(bp.sigmoid(x)), ["sigmoid"]),
    ],
    ids=["indexing", "indexing twice", "astype", "sigmoid"],
)
def test_the_source_brings_along_the_functions_that_it_calls_and_no_other(f, helpers):
    source = bp.trace(f, np.ones(2)).to_numpy()
    *brought, last = re.findall(r"^def (\w+)\(", source, re.MULTILINE)
    assert brought == helpers
    assert last.endswith("_and_gradient")


class Unwritten(np.ndarray):
    """An array as JAX has them: nothing is written into it, and no list is an index."""

    def __setitem__(self, index, value):
        raise TypeError("immutable")

    def __getitem__(self, index):
        items = index if isinstance(index, tuple) else (index,)
        if any(isinstance(item, list) for item in items):
            raise TypeError("a list is no index")
        return super().__getitem__(index)


def unwritten(function):
    return lambda *args, **options: function(*args, **options).view(Unwritten)


# The sums of scatter_add, which begin with zeros, stay as NumPy writes them.
UNWRITTEN = SimpleNamespace(
    **vars(np) | {name: unwritten(getattr(np, name)) for name in ("array", "arange")}
)


def program_in(library, graph):
    """Return the printed program as another library runs it."""
    space = {"np": library}
    exec(graph.to_numpy().replace("import numpy as np\n", ""), space)
    return [*space.values()][-1]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x[[0, 2]] ** 2) * x[1],
        lambda x: np.sum(np.outer(x, x)[[0, 1, 1], [2, 2, 2]] * x[1:]) if len(x) == 4 else 0.0,
        lambda x: np.sum(x[::-2]) * np.outer(x, x)[1:, :2][0, 1],
        lambda x: np.sum(np.sort(x) * X) + np.take_along_axis(x, np.argsort(x), 0)[1],
        lambda x: np.sum(np.cumprod(x) ** 2),
        lambda x: np.sum(x[x > 0] ** 3) + np.sum(np.quantile(x, [0.25, 0.7])),
        lambda x: np.array([0.5, 2.0, 3.0])[np.searchsorted([0.0, 0.5], x)] @ x,
    ],
    ids=["list", "pairs", "slices", "order", "products", "mask", "search"],
)
def test_the_program_writes_into_no_array_but_sums_at_indices(f):
    graph = bp.trace(f, X)
    compare(program_in(UNWRITTEN, graph)(X.view(Unwritten)), graph)


def test_dask_refuses_what_it_computes_in_another_way():
    S = A0 @ A0.T + np.eye(3)
    run = program_in(da, bp.trace(lambda s: np.sum(np.linalg.cholesky(s)), S))
    with pytest.raises(TypeError, match="upper"):  # its triangle is the upper one
        run(da.asarray(S))


def test_dask_forgets_no_step_of_a_product():
    graph = bp.trace(lambda x: np.sum(np.cumprod(x)), X)
    _, (gradient,) = program_in(da, graph)(da.asarray(X))
    np.testing.assert_allclose(gradient.compute(), graph.backward().gradients[0])


def test_a_rule_that_needs_several_arrays_of_one_call_makes_it_once():
    source = bp.trace(lambda A: np.linalg.norm(A, "nuc"), A0).to_numpy()
    assert source.count("np.linalg.svd(") == 1
    assert "svd = np.linalg.svd(A, full_matrices=False)" in source
    assert "d_A = svd[0] @ svd[2]" in source
    source = bp.trace(lambda svd: np.linalg.norm(svd, "nuc"), A0).to_numpy()
    assert "d_svd = svd_[0] @ svd_[2]" in source


def test_a_long_sum_prints_in_lines_that_do_not_grow_with_it():
    def f(xs):
        total = 0.0
        for x in xs:
            total = total + x * x
        return total

    source = bp.trace(f, [1.0] * 30).to_numpy()
    lines = re.sub(r"\n +#     +", " ", source).splitlines()  # wrapped comments
    steps = [line for line in lines if "# back through" in line]
    assert len(steps) == 30
    assert steps[0].strip() == "# back through total30 = total29 + xs29 * xs29"
    assert steps[-1].endswith("and total4 = total3 + xs3 * xs3, and …")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_number_of_many_digits_prints_as_a_quotient_that_is_the_same(dtype):
    x = np.linspace(0.1, 1.0, 150).astype(dtype)
    graph = bp.trace(lambda w: np.mean((x - w) ** 2), x[::-1])
    source = graph.to_numpy()
    assert "-1 / 75 * " in source
    assert r"-\frac{1}{75} \, " in graph.to_latex()
    value, (gradient,) = run_last_function(source, (x[::-1],))
    assert value == graph.value
    np.testing.assert_array_equal(gradient, graph.compile()(x[::-1])[1][0])


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (2 / 150, "1 / 75 * x"),
        (-1 / 3, "-1 / 3 * x"),
        (0.1, "0.1 * x"),
        (0.12345678901, "0.12345678901 * x"),
        (np.sqrt(2), "1.4142135623730951 * x"),
        (1 / 3e9, "3.333333333333333e-10 * x"),
    ],
)
def test_a_constant_prints_so_that_it_can_be_read(factor, text):
    graph = bp.trace(lambda x: float(factor) * x, 0.7)
    assert f"v1 = {text}\n" in graph.to_numpy()
    assert f"v1 = {text}, a number" in str(graph.describe())
    assert run_last_function(graph.to_numpy(), (0.7,))[1][0] == factor
    cube = bp.trace(lambda x: x ** float(factor), 0.7)
    assert run_last_function(cube.to_numpy(), (0.7,))[0] == cube.value


def test_what_a_rule_computes_twice_is_computed_once():
    source = bp.trace(lambda x: np.sum(np.tanh(x) ** 3), np.ones(2)).to_numpy()
    lines = [line for line in source.splitlines() if "#" not in line]
    assert sum("np.tanh" in line for line in lines) == 1
    assert sum("** 2" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x: x.T * x, (2.0,)),
        (lambda x: np.sum(x[None]), (2.0,)),
        (lambda x: np.prod(x), (2.0,)),
        (lambda x: np.reshape(x, (1,))[0], (2.0,)),
        (lambda x: x.astype(np.float32) * 1.0, (2.0,)),
        (lambda x: np.select([True], [x], 0.0), (2.0,)),
        (lambda x: np.reciprocal(x), (2,)),
        (lambda x: x**-2, (2,)),
        (lambda xs: xs[0] ** -1 + xs[1], ([2, 3],)),
        (lambda p: np.reciprocal(p["a"]) * p["b"].T, ({"a": 2, "b": 3},)),
        (lambda x: np.sum(np.reciprocal(x)), (np.array([2, 3]),)),
        (lambda x: np.sum(x**-2), (np.array([2, 3]),)),
        (lambda x: 0.5 * np.sum(x), (np.array([2, 3]),)),
        (lambda x, y: np.sum(x) * y.T, (np.ones(2, np.float32), 3)),
    ],
    ids=[
        *("T", "None", "prod", "reshape", "astype", "select", "reciprocal", "power", "list"),
        *("dict", "array", "array power", "half", "two types"),
    ],
)
@pytest.mark.parametrize("way", ["compiled", "printed"])
def test_the_argument_that_was_traced_can_be_given(f, args, way):
    graph = bp.trace(f, *args)
    if way == "compiled":
        result = graph.compile()(*args)
    else:
        result = run_last_function(graph.to_numpy(), args)
    compare(result, graph)
    expected = flatten(list(graph.backward().gradients))
    got = flatten(list(result[1]))
    assert [each.dtype for each in got] == [each.dtype for each in expected]
    assert [type(each) for each in got] == [type(each) for each in expected]


@pytest.mark.parametrize(
    ("f", "args", "value", "gradients"),
    [
        (np.log, (0.0,), -np.inf, [np.inf]),
        (np.arctan2, (0.0, 0.0), 0.0, [np.nan, np.nan]),
        (lambda x: 1.0 / x, (0.0,), np.inf, [-np.inf]),
        (lambda x: x / 0.0, (1.0,), np.inf, [np.inf]),
        (lambda x: x**0.5, (-1.0,), np.nan, [np.nan]),
    ],
    ids=["log", "arctan2", "divide", "by zero", "root"],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::backprop_nb.errors.BackpropWarning")
def test_python_numbers_divide_by_zero_as_numpy_does(f, args, value, gradients):
    graph = bp.trace(f, *args)
    for result in (graph.compile()(*args), run_last_function(graph.to_numpy(), args)):
        np.testing.assert_equal(result, (value, tuple(gradients)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_compiled_function_takes_lists_and_integers(dtype):
    graph = bp.trace(lambda x: np.sum(x**-1) * 0.5, np.ones(2, dtype))
    value, (gradient,) = graph.compile()([2, 4])
    assert value == 0.375
    np.testing.assert_array_equal(gradient, np.array([-1 / 8, -1 / 32], dtype), strict=True)


def test_a_compiled_function_can_be_traced():
    compiled = bp.trace(lambda x: x**3, 2.0).compile()
    assert bp.grad(lambda x: compiled(x)[1][0])(2.0) == 12.0


CONSTANT = np.arange(9.0).reshape(3, 3)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: np.sum((x + y) ** 2),
        lambda x, y: np.sum((x.T + y) ** 2),
        lambda x, y: np.sum((x.ravel() + y.reshape(9)) ** 2),
        lambda x, y: np.sum((x[::-1] - 1.0 + y) ** 2),
        lambda x, y: np.sum(np.stack([x, y])),
        lambda x, y: np.sum(np.concatenate([x, y])) + np.mean(x),
        lambda x, y: np.concatenate([x[0], y[0]]) @ np.arange(6.0),
        lambda x, y: np.sum(x * CONSTANT) + np.sum(y.T * CONSTANT),
        lambda x, y: np.sum(x * y.T),
        lambda x, y: np.trace(x + y) + np.einsum("ij,ji->", x, y),
        lambda x, y: np.sum(np.block([[x, y], [y, x]])),
    ],
    ids=[
        *("sum", "T", "reshape", "flip", "stack", "concatenate", "slices"),
        *("constant", "product", "trace", "block"),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_each_gradient_is_an_array_of_its_own(f, order):
    x, y = rng.normal(size=(2, 3, 3))
    graph, space = bp.trace(f, x, y), {}
    exec(graph.to_numpy(), space)
    for call in (graph.compile(), space["f_and_gradient"]):
        for _ in range(2):
            args = [np.array(each, order=order) for each in (x, y)]
            found = call(*args)[1]
            for one, right in zip(found, graph.backward().gradients, strict=True):
                np.testing.assert_allclose(one, right)
            for one in found:  # to change it reaches nothing else, now or in the next call
                one[...] = np.nan
            for arg, given in zip(args, (x, y), strict=True):
                np.testing.assert_array_equal(arg, given)
            assert not np.may_share_memory(*found)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: np.maximum(x, y),
        lambda x, y: np.where(x > 1.0, x, y),
        lambda x, y: np.clip(x, 0.0, 3.0) * y,
        lambda x, y: np.reshape(x, (1,))[0] * y,
        lambda x, y: np.sum(np.outer(x, y)),
        lambda x, y: np.ravel(x)[0] + np.atleast_1d(y)[0],
        lambda x, y: x.T + y.copy(),
        lambda x, y: np.sum(np.broadcast_to(x, (3,))) + y,
        lambda x, y: 2.0,
        lambda x, y: np.nan_to_num(x) + np.fmin(x, y),
        lambda x, y: np.stack([x, y])[1],
    ],
    ids=[
        *("maximum", "where", "clip", "reshape", "outer", "ravel", "T", "broadcast_to"),
        *("unused", "nan_to_num", "stack"),
    ],
)
@pytest.mark.filterwarnings("ignore::backprop_nb.errors.BackpropWarning")
def test_a_gradient_by_a_number_is_a_number_of_numpy(f):
    graph = bp.trace(f, 2.0, 0.5)
    compiled = graph.compile()(2.0, 0.5)
    printed = run_last_function(graph.to_numpy(), (2.0, 0.5))
    kinds = {type(each) for _, gradients in (compiled, printed) for each in gradients}
    assert kinds == {np.float64}
    compare(compiled, graph)
    compare(printed, graph)


def test_a_node_that_is_called_like_an_adjoint_keeps_its_name():
    def f(x, d_z, d_z_):
        z = x * d_z
        return z * z * d_z_

    graph = bp.trace(f, 2.0, 3.0, 0.5)
    assert "    d_z__ = t6 + t6\n" in graph.to_numpy()
    compare(run_last_function(graph.to_numpy(), (2.0, 3.0, 0.5)), graph)
    rules = [c.rule for step in graph.backward().steps for c in step.contributions]
    assert rules[-2:] == ["d_z__ * d_z", "d_z__ * x"]
    text = graph.describe()
    assert "d_x = d_z__ * d_z: " in text
    assert "(d_z__ is the derivative of f with respect to z)" in text


def test_inputs_that_are_called_like_adjoints_keep_their_gradients_apart():
    graph = bp.trace(lambda z, d_z: z * d_z * d_z, 2.0, 3.0)
    compare(graph.compile()(2.0, 3.0), graph)


def long_lists(weights, x):
    return sum(w * x for w in weights)


def long_expression(x):
    return np.sum(np.concatenate([k * np.sin(x) ** 2 + np.cos(k * x) for k in range(1, 40)]))


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (long_lists, ([float(k) for k in range(300)], 2.0)),
        (long_expression, (np.ones(2),)),
        (lambda x: np.sum(x * np.arange(60.0)), (np.ones(60),)),
    ],
    ids=["lists", "expression", "array"],
)
def test_no_line_is_longer_than_a_screen_is_wide(f, args):
    graph = bp.trace(f, *args)
    source = graph.to_numpy()
    assert max(map(len, source.splitlines())) < 100
    compare(run_last_function(source, args), graph)


def gates(z):
    i, f = np.split(z, 2)
    A = np.outer(i, i) + np.diag(f)
    U, S, Vt = np.linalg.svd(A, full_matrices=False)
    return np.sum(U @ Vt * S) + i @ f


def one_of_three(z):
    A = np.outer(z, z) + np.diag(z)
    _, S, _ = np.linalg.svd(A)
    first, *_ = np.split(z, 4)
    return np.sum(S**2) + first[0]


@pytest.mark.parametrize(
    ("f", "lines"),
    [
        (gates, ["i, f = np.split(z, 2)", "U, S, Vt = np.linalg.svd(A, full_matrices=False)"]),
        (one_of_three, ["S = np.linalg.svd(A)[1]", "first = np.split(z, 4)[0]"]),
    ],
)
def test_what_a_call_returns_is_unpacked_as_it_was_written(f, lines):
    z = np.array([0.5, 2.0, -1.0, 3.0])
    source = bp.trace(f, z).to_numpy()
    assert [line for line in map(str.strip, source.splitlines()) if line in lines] == lines
    compare(run_last_function(source, (z + 0.1,)), bp.trace(f, z + 0.1))


def test_a_call_that_returns_many_is_made_once():
    def named(z):
        total = 0.0
        for part in np.split(z, 50):
            total = total + part[0] ** 2
        return total

    def unnamed(z):
        return sum(map(np.sum, np.split(z**2, 50)))

    for f in (named, unnamed):
        source = bp.trace(f, np.arange(50.0)).to_numpy()
        code = [line for line in source.splitlines() if "#" not in line]
        assert "\n".join(code).count("np.split(") == 1


def line_fit(theta, x):
    m, b = theta
    return np.sum((m * x + b) ** 2)


def one_by_one(theta, x):
    m = theta[0]
    b = theta[1]
    return np.sum((m * x + b) ** 2)


def some(theta, x):
    m, b, _ = theta
    return np.sum((m * x + b) ** 2)


@pytest.mark.parametrize(
    ("f", "line"),
    [
        (line_fit, "    m, b = theta\n"),
        (one_by_one, "    m = theta[0]\n    b = theta[1]\n"),
        (some, "    m = theta[0]\n    b = theta[1]\n"),
    ],
    ids=["all", "one by one", "some"],
)
def test_unpacked_parameters_print_as_they_were_written(f, line):
    theta = np.array([1.0, 2.0, 3.0][: 3 if f is some else 2])
    graph = bp.trace(f, theta, np.ones(3))
    source = graph.to_numpy()
    assert line in source
    assert ("# back through m, b = theta\n" in source) == (f is line_fit)
    compare(run_last_function(source, (theta, np.ones(3))), graph)


def test_captured_numbers_print_as_numbers():
    source = bp.trace(lambda x: np.sum(x) / np.sqrt(8) * np.array(2.0), np.ones(2)).to_numpy()
    assert "np.sum(x) / 2.8284271247461903 * 2.0" in source
    assert "c1" not in source


def test_captured_numbers_with_a_name_keep_it():
    eta = np.float64(0.5)
    source = bp.trace(lambda x: np.sum(x) * eta, np.ones(2)).to_numpy()
    assert "\neta = 0.5\n" in source


def test_a_captured_number_whose_axes_are_asked_for_stays_one_of_numpys():
    eta = np.float64(0.5)
    graph = bp.trace(lambda x: np.sum(np.kron(x, eta)), np.ones(2))
    assert "\neta = np.float64(0.5)\n" in graph.to_numpy()
    compare(run_last_function(graph.to_numpy(), (np.ones(2),)), graph)


def test_a_printed_sigmoid_is_silent_far_out():
    for dtype in nonempty([np.float64, np.float32]):
        x = np.array([-1000.0, -40.0, 0.0, 1000.0], dtype)
        graph = bp.trace(lambda x: np.sum(bp.sigmoid(x) * np.arange(4.0)), x)
        source = graph.to_numpy()
        assert "errstate" not in source
        value, (gradient,) = run_last_function(source, (x,))  # a warning is an error here
        np.testing.assert_allclose(value, graph.value, rtol=1e-7)
        np.testing.assert_allclose(gradient, graph.backward().gradients[0], rtol=1e-6)


WITH_WHOLE_NUMBERS = {
    "a product": lambda x: np.sum(x * np.arange(3)),
    "a mask": lambda x: -np.sum((x > 0) * x),
    "a quotient": lambda x: np.sum(x / np.array([1, 2, 3], np.int8)),
    "a choice": lambda x: np.sum(np.where(x > 0, x * np.arange(3), x)),
    "counts": lambda x: np.sum(np.repeat(x, [1, 2, 0])),
}


@pytest.mark.parametrize("name", WITH_WHOLE_NUMBERS)
def test_beside_whole_numbers_a_plain_float_and_an_array_stand_for_themselves(name):
    # Other libraries take no number of NumPy's as a factor, and no tuple of counts.
    for x in (np.array([1.5, -0.5, 2.0]), np.array([1.5, -0.5, 2.0], np.float32)):
        graph = bp.trace(WITH_WHOLE_NUMBERS[name], x)
        source = graph.to_numpy()
        _, (gradient,) = run_last_function(source, (x,))
        np.testing.assert_array_equal(gradient, graph.backward().gradients[0])
        assert gradient.dtype == x.dtype
        assert not re.search(r"np\.float64\(-?1\) [*/]|repeat\(x, \(", source) or x.itemsize < 8


def test_captured_numbers_keep_a_type_that_decides():
    x = np.ones(2, np.float32)
    graph = bp.trace(lambda x: np.sum(x) * np.float64(2.0), x)
    assert graph.value.dtype == np.float64
    value, _ = run_last_function(graph.to_numpy(), (x,))
    assert value.dtype == np.float64


def decided_in_a_loop(x):
    total = 0.0
    for k in range(3):
        if np.argmax(x) == 2:
            total = total + x[k] ** 2
    return total


def test_a_decision_is_checked_once():
    source = bp.trace(decided_in_a_loop, np.array([0.5, -1.5, 2.0])).to_numpy()
    assert source.count("if not (np.argmax(x) == 2):") == source.count("raise ") == 1


def places_that_are_computed(x):
    out = np.zeros(3)
    out[np.argsort(x)] = x * np.arange(3.0)
    return np.sum(out * out)


def test_a_decision_of_a_rule_says_the_line_that_the_rule_reverses():
    source = bp.trace(places_that_are_computed, np.array([0.5, -1.5, 2.0])).to_numpy()
    assert "in the trace: out[np.argsort(x)] = x * np.arange(3.0)" in source


def test_a_program_is_looked_through_once_however_many_arrays_it_captures(monkeypatch):
    looked = []
    real = numpy_code.all_of_one_type
    monkeypatch.setattr(
        numpy_code, "all_of_one_type", lambda trace: looked.append(1) or real(trace)
    )
    graph = bp.trace(lambda x: sum(np.sum(x * np.full(2, k + 0.5)) for k in range(5)), np.ones(2))
    assert graph.to_numpy().count("np.asarray([") == 5
    assert len(looked) == 1


class Layer(enum.IntEnum):
    FIRST, SECOND = 0, 1


class Part(enum.StrEnum):
    WEIGHTS = "W"


class Kind(enum.Enum):
    HIDDEN = 1


def test_enums_are_printed_by_their_values():
    def f(p):
        return np.sum(np.sum(p[Part.WEIGHTS][Layer.SECOND], axis=Layer.FIRST) ** 2)

    p = {Part.WEIGHTS: {Layer.SECOND: np.arange(6.0).reshape(2, 3)}}
    graph = bp.trace(f, p)
    assert graph.compile()(p)[0] == f(p)
    assert "Part" not in graph.to_numpy()
    assert "Layer" not in graph.to_numpy()


def test_a_key_that_cannot_be_printed_is_named():
    graph = bp.trace(lambda p: np.sum(p[Kind.HIDDEN] ** 2), {Kind.HIDDEN: np.ones(2)})
    with pytest.raises(bp.UnsupportedError, match="A key of p cannot be printed") as caught:
        graph.compile()
    assert caught.value.given == "the keys <Kind.HIDDEN: 1>"


def test_options_are_printed_as_other_libraries_take_them():
    def f(x):
        ordered = np.sort(x)[np.argsort(x, stable=True)]
        return np.sum(ordered * np.take(x, [0, 2, 1])) + np.take(x, 1)

    x = np.array([0.3, -1.0, 2.0])
    source = bp.trace(f, x).to_numpy()
    assert "np.take(x, np.asarray([0, 2, 1]))" in source
    assert "np.take(x, 1)" in source
    assert "stable=True" in source
    assert "stable=1" not in source
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    graph = bp.trace(lambda x: np.sum(np.sort(x) * x), x)
    value, (gradient,) = source_for_jax(graph.to_numpy())(x)
    assert value == pytest.approx(graph.value)
    assert gradient == pytest.approx(graph.backward().gradients[0])


def test_a_large_captured_array_is_asked_for_and_never_another_one_taken():
    data = np.random.default_rng(0).normal(size=(200, 60))

    def loss(w):
        return np.mean((data @ w) ** 2)

    graph = bp.trace(loss, np.linspace(-1, 1, 60))
    source = graph.to_numpy()
    assert len(source) < 1500
    for others in (
        {},
        {"data": data + 1e-9},
        {"data": data.astype(np.float32)},
        {"data": data[:, None]},
        {"data": data.tolist()},
        {"data": np.ma.array(data)},
    ):
        with pytest.raises(
            NameError, match=r"data = graph\.node\('data'\)\.value, float64 of shape"
        ):
            exec(source, others)
    space = {"data": graph.node("data").value}
    exec(source, space)
    value, gradients = space["loss_and_gradient"](np.linspace(-1, 1, 60))
    assert value == graph.value
    np.testing.assert_array_equal(gradients[0], graph.backward().gradients[0])


def test_a_large_array_hides_nothing_that_asks_for_it():
    zlib, globals = np.random.default_rng(0).normal(size=(2, 10_001))
    graph = bp.trace(lambda x: np.sum(x * zlib + x * globals), 2.0)
    source = graph.to_numpy()
    space = {f"{name}_": graph.node(name).value for name in ("zlib", "globals")}
    exec(source, space)
    (run,) = (value for name, value in space.items() if name.endswith("_and_gradient"))
    assert run(2.0)[0] == graph.value


def test_zeros_keep_their_signs_and_their_type():
    signed = np.array([-0.0, 0.0, -0.0])
    graph = bp.trace(lambda x: np.sum(np.copysign(1.0, signed * x) * x), np.ones(3))
    value, _ = run_last_function(graph.to_numpy(), (np.ones(3),))
    assert value == graph.value == -1.0
    for large in (np.full(10_001, -0.0), np.zeros(10_001, int)):
        graph = bp.trace(lambda x, large=large: np.sum(x - large), np.ones(10_001))
        assert "large is too large to be printed" in graph.to_numpy()


def test_a_long_index_has_a_name_of_its_own():
    labels = np.random.default_rng(0).integers(0, 3, size=30)

    def loss(z, mask):
        return np.sum(z[np.arange(30), labels] ** 2) + np.sum(z[mask])

    z = np.random.default_rng(1).normal(size=(30, 3))
    graph = bp.trace(loss, z, labels > 0)
    source = graph.to_numpy()
    assert source.count("np.asarray(") == 2
    assert "z[np.arange(30), i1]" in source
    assert "if not np.array_equal(mask, i2):" in source
    value, (gradient, _) = run_last_function(source, (z, labels > 0))
    assert value == pytest.approx(graph.value)
    np.testing.assert_allclose(gradient, graph.backward().gradients[0])
    with pytest.raises(ValueError, match="another mask"):
        run_last_function(source, (z, labels > 1))


TRIANGLES = {
    "eigh": lambda a: np.sum(np.linalg.eigh(a)[0] ** 3),
    "eigvalsh": lambda a: np.sum(np.linalg.eigvalsh(a, UPLO="U") ** 3),
    "cholesky": lambda a: np.sum(np.linalg.cholesky(a + 9 * np.eye(3)) ** 3),
    "upper": lambda a: np.sum(np.linalg.cholesky(np.stack([a, a]) + 9 * np.eye(3), upper=True)),
}


@pytest.mark.parametrize("name", TRIANGLES)
def test_a_matrix_that_is_not_symmetric_is_printed_as_the_triangle_that_numpy_reads(name):
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    a = np.random.default_rng(0).normal(size=(3, 3))
    graph = bp.trace(TRIANGLES[name], a)
    compare(run_last_function(graph.to_numpy(), (a,)), graph)
    compare(source_for_jax(graph.to_numpy())(a), graph)
    assert "+ np.swapaxes(np.tri" in graph.to_numpy()
    assert "+ np.swapaxes(np.tri" not in bp.trace(TRIANGLES[name], a + a.T).to_numpy()


def source_for_jax(source):
    """Return the last function of a program, run by JAX unchanged but for its import."""
    space = {}
    exec(source.replace("import numpy as np", "import jax.numpy as np"), space)
    return list(space.values())[-1]


def test_a_comment_shows_of_an_array_of_positions_its_beginning():
    places = np.array([0, 1, 2, 0, 1])
    source = bp.trace(
        lambda p: -np.sum(np.log(p[np.arange(5), places])), np.ones((5, 3))
    ).to_numpy()
    comments = [line for line in source.splitlines() if "# back through" in line]
    assert any("[[0, 1, …], [0, 1, …]]" in line for line in comments)
    assert "np.asarray" not in "".join(comments)
    assert "np.asarray([0, 1, 2, 0, 1])" in source


def test_to_add_a_negative_is_to_subtract():
    def f(x):
        loss = 0
        for k in range(2):
            loss += -np.log(x[k])
        return loss + -2.0

    x = np.array([0.3, 0.4])
    graph = bp.trace(f, x)
    source = graph.to_numpy()
    assert "= 0 - np.log(" in source
    assert "+ -np.log(" not in source
    assert r"+ -\log" not in graph.to_latex()
    assert r"0 - \log(" in graph.to_latex()
    space = {}
    exec(source, space)
    assert space["f_and_gradient"](x)[0] == f(x)

"""Programs compiled for another array library: right there, or refused by name."""

from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
from nonempty import nonempty
from standard import STANDARD
from strict import STRICT

import backprop_nb as bp
from backprop_nb.errors import ShapeError, UnsupportedError
from backprop_nb.tracing.elsewhere.program import undecided

RNG = np.random.default_rng(5)
X, W, B = RNG.normal(size=(6, 3)), RNG.normal(size=(3, 2)), RNG.normal(size=2)
TARGETS = RNG.uniform(size=(6, 2))
PLACES = np.array([0, 2, 0, 1])


@pytest.fixture
def jax():
    """Return JAX, which computes in 64 bits as NumPy does."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return jax


def loss(parameters, x):
    W, b = parameters["W"], parameters["b"]
    f = bp.sigmoid(x @ W + b)
    return np.mean(np.sum((TARGETS - f) ** 2, axis=1))


def in_place(W, b):
    out = np.zeros((6, 2))
    for k in range(6):
        out[k] = np.tanh(X[k] @ W + b)
    out[out < 0] *= 0.1
    return np.sum(out**2)


def by_positions(W, b):
    rows = W[PLACES]
    largest = np.take_along_axis(rows, np.argmax(rows, axis=1)[:, None], axis=1)
    return np.sum(largest * rows) + np.sum(b[b > 0])


def rows_by_mask(W, b):
    out = np.tanh(X @ W)
    out[out[:, 0] > 0, 1] = b[None, :1]  # more axes than there is room for
    out[np.argmax(out, axis=0)] = b[None, None]
    return np.sum(out**3)


def in_order(W, b):
    return np.sum(W[np.argsort(W[:, 0])][PLACES] * np.sort(b) * np.median(W))


def assert_same(found, right):
    np.testing.assert_allclose(np.asarray(found), right, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("f", "xp"),
    [(f, xp) for f in (in_place, by_positions, rows_by_mask, in_order) for xp in (STANDARD, da)],
    ids=lambda each: each.__name__,
)
def test_a_program_runs_in_another_library(xp, f):
    graph = bp.trace(f, W, B)
    compiled = graph.compile(xp=xp)
    value, gradients = compiled(xp.asarray(W), xp.asarray(B))
    assert_same(value, graph.value)
    for found, right in nonempty(zip(gradients, graph.backward().gradients, strict=True)):
        assert_same(found, right)


def test_arguments_and_gradients_keep_their_structure():
    parameters = {"W": W, "b": B}
    graph = bp.trace(loss, parameters, X)
    value, (gradient, d_x) = graph.compile(xp=STANDARD)(parameters, X)
    right, right_x = graph.backward().gradients
    assert_same(value, graph.value)
    assert gradient.keys() == {"W", "b"}
    assert_same(gradient["W"], right["W"])
    assert_same(gradient["b"], right["b"])
    assert_same(d_x, right_x)


@pytest.mark.parametrize("xp", [STANDARD, da], ids=lambda each: each.__name__)
def test_arrays_without_entries_run_in_another_library(xp):
    def f(x, y):
        order = np.sort(x)
        picked = np.take_along_axis(x, np.argsort(x, axis=-1), axis=-1)
        largest = np.linalg.eigh(x @ x.T)[0]
        spread = np.nanvar(y, axis=0)  # of a number
        return sum(np.sum(each) for each in (order, picked, largest, spread, y * y))

    graph = bp.trace(f, np.zeros((0, 0)), 2.0)
    value, (d_x, d_y) = graph.compile(xp=xp)(xp.asarray(np.zeros((0, 0))), 2.0)
    assert_same(value, 4.0)
    assert (tuple(d_x.shape), float(d_y)) == ((0, 0), 4.0)


def test_nothing_is_computed_before_dask_is_asked():
    graph = bp.trace(loss, {"W": W, "b": B}, X)
    value, (gradient, _) = graph.compile(xp=da)({"W": da.asarray(W), "b": da.asarray(B)}, X)
    assert isinstance(value, da.Array)
    assert isinstance(gradient["W"], da.Array)
    assert_same(value.compute(), graph.value)


def test_captured_arrays_are_converted_once():
    converted = []

    class Counting:
        def __getattr__(self, name):
            return getattr(STANDARD, name)

        def asarray(self, value, **options):
            converted.append(np.shape(value))
            return np.asarray(value, **options)

    compiled = bp.trace(loss, {"W": W, "b": B}, X).compile(xp=Counting())
    assert TARGETS.shape in converted
    converted.clear()
    compiled({"W": W, "b": B}, X)
    assert sorted(converted) == sorted([W.shape, B.shape, X.shape])


def test_another_decision_and_another_shape_are_traced_anew():
    def f(x):
        return np.sum(x**2) if np.sum(x) > 0 else np.sum(x)

    compiled = bp.trace(f, np.ones(3)).compile(xp=STANDARD)
    for x in (np.ones(3), -np.ones(3), np.ones(4), -np.ones((2, 2))):
        value, (gradient,) = compiled(x)
        right = bp.trace(f, x)
        assert_same(value, right.value)
        assert_same(gradient, right.backward().gradients[0])


def test_numbers_become_arrays_of_the_library():
    value, (d_x, d_y) = bp.trace(lambda x, y: x * y, 2.0, 3).compile(xp=da)(4, 5.0)
    assert isinstance(d_y, da.Array)
    assert (float(value), float(d_x), float(d_y)) == (20.0, 5.0, 4.0)


LABELS, MASK = np.array([0, 2, 1, 1, 0, 2]), np.array([1, 0, 1, 1, 0, 1])
WHOLE, WIDE = np.arange(1, 7).reshape(3, 2), np.linspace(0.5, 2.0, 6).reshape(3, 2)
FLAT = np.array([1.5, -0.5, 0.25, 2.0, -1.0, 0.75])
MIXED = {
    "whole numbers beside": lambda x: np.sum(x * MASK + x / (MASK + 1) - x**MASK),
    "a logical mask beside": lambda x: np.sum(x * (MASK > 0)),
    "one truth value beside": lambda x: np.sum((x - (LABELS[0] < 1)) * x),
    "a count": lambda x: np.sum(x) / (np.sum(x > 0) + 1) + np.sum(x) * np.cumsum(x > 0)[2],
    "a mean of a mask": lambda x: np.sum(x) * np.mean(x > 0),
    "functions of a count": lambda x: np.sum(x) * np.sqrt(np.sum(x > 0)) * np.exp(-np.sum(x > 1)),
    "ranks": lambda x: np.sum(x / np.log2(np.argsort(np.argsort(-x)) + 2)),
    "a power of ranks": lambda x: np.sum(x * (np.argsort(x) + 1) ** -1.5),
    "a number of an array": lambda x: np.sum(x * np.max(x)) * np.float64(0.1),
    "a product": lambda x: np.sum(x.reshape(2, 3) @ WHOLE),
    "dot": lambda x: np.sum(np.dot(x.reshape(2, 3), WHOLE) + np.inner(x[:2], WHOLE[0])),
    "einsum": lambda x: np.einsum("ij,jk->", x.reshape(2, 3), WHOLE),
    "tensordot": lambda x: np.sum(np.tensordot(x.reshape(2, 3), WHOLE, 1)),
    "outer": lambda x: np.sum(np.outer(x, MASK)) + np.vdot(x, MASK),
    "convolve": lambda x: np.sum(np.convolve(x, MASK[:3]) ** 2),
    "float64": lambda x: np.sum(x.reshape(2, 3) @ WIDE) + np.sum(np.arctan2(x[:2], WIDE)),
    "where": lambda x: np.sum(np.where(x > 0, x, MASK)) + np.sum(np.where(x > 0, x, FLAT)),
    "maximum": lambda x: np.sum(np.maximum(x, MASK) * np.minimum(FLAT, x)),
    "join": lambda x: np.sum(np.concatenate([x, MASK]) ** 2) + np.sum(np.stack([x, FLAT]) ** 2),
    "compare": lambda x: np.sum(np.where(x > MASK, x, 2 * x)),
    "assign": lambda x: assigned_at(np.zeros(6), np.argsort(x), np.arange(6), x),
    "assign one": lambda x: assigned_at(x * 2, np.argsort(x), 7.0, x),
    "assign others": lambda x: assigned_at(x * 2, np.argsort(x)[:2], FLAT[:2], x),
    "assign by a mask": lambda x: assigned_at(x * 2, x > 0, 7.0, x),
    "picked one by one": lambda x: sum(x[i] * x[i + 1] for i in range(4)) + np.sum(x[LABELS] ** 2),
    "picked beside the whole": lambda x: np.sum(x[x > 0]) + x[np.argsort(x)][1] * x[2] + x @ x,
    "average": lambda x: np.average(x, weights=MASK + 1),
    "solve": lambda x: np.sum(np.linalg.solve(np.outer(x[:2], x[:2]) + np.eye(2), WHOLE[0])),
    "norm": lambda x: np.linalg.norm(x, 0) * np.sum(x),
    "clip": lambda x: np.sum(np.clip(x, 0 * MASK, MASK)),
}


def assigned_at(out, at, value, x):
    out[at] = value
    return np.sum(out * x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("f", MIXED.values(), ids=MIXED)
def test_what_numpy_computes_of_two_types_is_computed_in_the_wider_one(f, dtype):
    x = np.array([0.5, -1.25, 2.0, 0.75, -0.5, 1.5], dtype)
    graph = bp.trace(f, x)
    value, (gradient,) = graph.compile(xp=STRICT)(x)
    (right,) = graph.backward().gradients
    assert (value.dtype, gradient.dtype) == (graph.value.dtype, dtype)
    tolerance = 1e-12 if dtype is np.float64 else 1e-5
    np.testing.assert_allclose(value, graph.value, rtol=tolerance)
    np.testing.assert_allclose(gradient, right, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("xp", [np, STANDARD, da], ids=["numpy", "standard", "dask"])
@pytest.mark.parametrize("traced_in", [np.float64, np.float32])
def test_arguments_of_another_float_type_are_computed_in_it(traced_in, xp):
    compiled = bp.trace(lambda x: np.sum(np.exp(x) * 1.1), B.astype(traced_in)).compile(xp=xp)
    # Whole numbers count as float64, whatever came before.
    for given, wanted in (
        (B.astype(np.float32), np.float32),
        (B, np.float64),
        ([1, 2], np.float64),
        (np.array([1, 2]), np.float64),
    ):
        value, (gradient,) = compiled(given)
        assert (value.dtype, gradient.dtype) == (wanted, wanted)


def test_a_library_of_one_float_type_computes_what_was_traced_in_another():
    narrow = SimpleNamespace(**vars(STANDARD))
    narrow.asarray = lambda x, dtype=None: np.asarray(x, np.float32)
    compiled = bp.trace(lambda x: np.sum(x**2), B).compile(xp=narrow)
    assert compiled(B.astype(np.float32))[0] == pytest.approx(np.sum(B**2))


def test_a_library_whose_arrays_never_fit_is_told_and_does_not_end_without_a_word():
    of_rows = SimpleNamespace(**vars(STANDARD))
    of_rows.asarray = lambda x, dtype=None: np.atleast_1d(np.asarray(x, dtype))
    with pytest.raises(UnsupportedError, match="not compiled for arguments like these"):
        bp.trace(lambda x: x**2, 2.0).compile(xp=of_rows)(np.float64(2.0))


def test_infinities_stay_what_they_are():
    x = np.array([1.0, -2.0, np.inf, -np.inf, np.nan])
    graph = bp.trace(lambda x, w: np.sum(np.heaviside(x, 0.5) * w), np.zeros(5), np.ones(5))
    _, (_, found) = graph.compile(xp=STANDARD)(x, np.ones(5))
    np.testing.assert_array_equal(found, np.heaviside(x, 0.5))
    graph = bp.trace(lambda x: np.median(x), np.arange(3.0))
    assert graph.compile(xp=STANDARD)(np.array([1.0, 2.0, np.inf]))[0] == 2.0


def test_a_function_that_the_library_lacks_is_named_when_compiling():
    few = SimpleNamespace(**vars(STANDARD) | {"__name__": "few", "linalg": SimpleNamespace()})
    graph = bp.trace(lambda x: np.sum(np.linalg.eigvalsh(x @ x.T)), W)
    with pytest.raises(UnsupportedError) as caught:
        graph.compile(xp=few)
    assert "there is no np.linalg.eigvalsh in few" in str(caught.value)


@pytest.mark.parametrize(
    "made",
    [lambda x: x.astype(np.float16), lambda x: np.ones(6, np.float16)],
    ids=["cast", "captured"],
)
def test_a_type_that_the_library_lacks_is_named_when_compiling(made):
    graph = bp.trace(lambda x: np.sum(x * made(x)), FLAT)
    with pytest.raises(UnsupportedError, match=r"no float16 in dask\.array(.|\n)*np\.float32"):
        graph.compile(xp=da)


def test_an_array_of_dask_that_does_not_know_its_shape_is_told_how_it_may():
    compiled = bp.trace(lambda x: np.sum(x**2), FLAT).compile(xp=da)
    x = da.from_array(FLAT, chunks=4)
    x = x[x > -9.0]
    with pytest.raises(UnsupportedError, match=r"shape \(nan,\)(.|\n)*compute_chunk_sizes"):
        compiled(x)
    assert compiled(x.compute_chunk_sizes())[0].compute() == np.sum(FLAT**2)


def test_a_function_that_the_library_has_is_not_said_to_be_missing():
    graph = bp.trace(lambda x: x[np.nanargmax(x)], B)
    with pytest.raises(UnsupportedError, match=r"np\.nanargmax, and it is not known how") as caught:
        graph.compile(xp=da)
    assert "there is no" not in str(caught.value)


def test_a_function_that_takes_arrays_alone_elsewhere_is_not_asked():
    def refuse(*args):
        raise TypeError("as PyTorch's does, if one of the two is a number")

    names = ("heaviside", "fmax", "fmin")
    xp = SimpleNamespace(**vars(STANDARD) | dict.fromkeys(names, refuse))
    graph = bp.trace(lambda b: np.sum(np.heaviside(b, 0.5) * np.fmax(b, 0.1) * np.fmin(2.0, b)), B)
    value, gradients = graph.compile(xp=xp)(B)
    assert_same(value, graph.value)
    assert_same(gradients[0], graph.backward().gradients[0])


def test_an_order_that_is_numpys_own_is_refused():
    with pytest.raises(UnsupportedError, match=r"np\.partition.*\n.*write it with np\.sort\(x\)"):
        bp.trace(lambda x: np.partition(x, 1)[0], B).compile(xp=STANDARD)
    with pytest.raises(UnsupportedError, match=r"np\.argpartition.*\n.*with np\.argsort\(x\)"):
        bp.trace(lambda x: x[np.argpartition(x, 1)[0]], B).compile(xp=STANDARD)


def test_a_function_that_draws_is_refused():
    with pytest.raises(UnsupportedError, match="random"):
        bp.trace(lambda x: x * np.random.default_rng().normal(), 1.0).compile(xp=STANDARD)


def test_a_function_that_takes_a_value_out_is_refused_for_that():
    with pytest.raises(UnsupportedError, match=r"holds what bp\.stop_gradient took out") as refused:
        bp.trace(lambda x: x + bp.stop_gradient(np.round(x) - x), 1.5).compile(xp=STANDARD)
    assert refused.value.instead == "pass it as an argument"


def test_an_error_of_a_plan_is_not_told_as_one_of_a_library_that_compiles():
    def spoilt(block):
        raise TypeError("of this block")

    compiled = bp.trace(lambda x: x[np.argsort(x)[0]], FLAT).compile(xp=da)
    with pytest.raises(TypeError, match="of this block"):
        compiled(da.asarray(FLAT).map_blocks(spoilt, dtype=float, meta=FLAT))[0].compute()


def with_an_if(x):
    if np.logical_not(np.sum(x) > 9):
        return np.sum(x * 2)
    return np.sum(x * 3)


def test_a_decision_cannot_be_checked_while_a_library_compiles():
    class Unknown:
        """A value that is not known yet, as under ``jax.jit``."""

        shape, dtype = (), np.dtype(bool)

        def __bool__(self):
            raise TypeError("no concrete value")

    class Compiling:
        def __getattr__(self, name):
            return getattr(STANDARD, name)

        def logical_not(self, x):
            return Unknown()

    compiled = bp.trace(with_an_if, FLAT).compile(xp=Compiling())
    with pytest.raises(UnsupportedError, match=r"decision.*\n.*logical_not"):
        compiled(FLAT)


UNDECIDED = {
    "np.where(…) in place of an if": with_an_if,
    "np.maximum(a, b) in place of max(a, b)": lambda x: max(x[0], x[1]),
    "a computed place as it is, x[np.argmax(x)], in place of int(…)": lambda x: x[
        int(np.argmax(x))
    ],
    "np.take(x, i, axis=0) in place of x[i] with a computed i": lambda x: np.sum(
        np.outer(x, x)[np.argmax(x)]
    ),
    "": lambda x: np.sum(np.geomspace(x[0], x[3], 4)),
}


@pytest.mark.parametrize("advice", UNDECIDED)
def test_what_to_write_in_place_of_a_decision_fits_the_line(advice):
    last = "call what graph.compile(xp=…) returns as it is"
    guards = nonempty(bp.trace(UNDECIDED[advice], FLAT).guards)
    assert {undecided(guard).instead for guard in guards} == {
        f"{advice}, or {last}" if advice else last
    }


def test_other_shapes_cannot_be_traced_while_a_library_compiles():
    class Unknown:
        shape, dtype = (4,), np.dtype(float)

        def __array__(self, dtype=None, copy=None):
            raise TypeError("no concrete value")

    class Compiling:
        def __getattr__(self, name):
            return getattr(STANDARD, name)

        def asarray(self, value, **options):
            return value if isinstance(value, Unknown) else np.asarray(value, **options)

    compiled = bp.trace(lambda x: np.sum(x**2), B).compile(xp=Compiling())
    with pytest.raises(UnsupportedError, match=r"other shapes.*\n.*shape \(4,\)"):
        compiled(Unknown())


def masked(x):
    return np.sum(x[x > 0])


def scaled_by_mask(x):
    y = x.copy()
    y[x > 0] *= 3
    return np.sum(y)


def found(x):
    return np.sum(x[np.where(x > 0)[0]])


def number_found(x):
    return np.sum(x) / len(np.nonzero(x > 0)[0])


@pytest.mark.parametrize("f", [masked, scaled_by_mask, found, number_found])
def test_a_mask_whose_count_jax_cannot_know_is_told(f, jax):
    picked = "np.nonzero finds" if "found" in f.__name__ else "a mask picks"
    with pytest.raises(UnsupportedError, match=f"How many entries {picked}") as caught:
        jax.jit(bp.trace(f, B).compile(xp=jax.numpy))(B)
    assert f"of {f.__name__} in test_elsewhere.py" in str(caught.value)
    right = bp.trace(lambda x: np.sum(np.where(x > 0, x, 0.0)), B)  # as it says
    assert_same(jax.jit(right.compile(xp=jax.numpy))(B)[0], right.value)


def test_what_changes_under_a_mask_is_chosen_under_jax_as_the_message_says(jax):
    graph = bp.trace(scaled_by_mask, B)
    said = r"x = np\.where\(mask, new, x\) in place of x\[mask\] = new"
    with pytest.raises(UnsupportedError, match=said):
        jax.jit(graph.compile(xp=jax.numpy))(B)
    right = bp.trace(lambda x: np.sum(np.where(x > 0, 3 * x, x)), B)
    assert right.value == graph.value
    assert_same(jax.jit(right.compile(xp=jax.numpy))(B)[0], right.value)


def test_a_row_at_a_computed_place_is_picked_under_jax_as_the_message_says(jax):
    compiled = bp.trace(lambda x: np.sum(x[np.argmax(x[:, 0])]), W).compile(xp=jax.numpy)
    with pytest.raises(UnsupportedError, match=r"np\.take\(x, i, axis=0\) in place of x\[i\]"):
        jax.jit(compiled)(W)
    for f in (
        lambda x: np.sum(np.take(x, np.argmax(x[:, 0]), axis=0)),
        lambda x: np.sum(x[np.argmax(x[:, 0]), :]),
    ):
        right = bp.trace(f, W)
        assert right.value == bp.trace(lambda x: np.sum(x[np.argmax(x[:, 0])]), W).value
        assert_same(jax.jit(right.compile(xp=jax.numpy))(W)[0], right.value)


@pytest.mark.parametrize("xp", [np, STANDARD, da], ids=["numpy", "standard", "dask"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_captured_table_is_read_at_the_places_of_the_new_arguments(xp, axis):
    graph = bp.trace(lambda x: np.sum(np.take(X, np.argsort(x)[:2], axis=axis) ** 3) * x[0], B)
    assert graph.guards == ()
    compiled = graph.compile(xp=xp)
    for x in (B, -B):
        value = np.sum(np.take(X, np.argsort(x)[:2], axis=axis) ** 3) * x[0]
        assert_same(graph.evaluate(x), value)
        assert_same(
            np.asarray(compiled(xp.asarray(x) if xp is not da else da.asarray(x))[0]), value
        )


@pytest.mark.parametrize("name", ["nanmax", "nanmin"])
def test_an_extreme_beside_nan_is_no_decision_under_jax(name, jax):
    f = getattr(np, name)
    x = np.where(X > 1, np.nan, X)
    x[:, 2] = np.arange(6.0)
    graph = bp.trace(lambda x: f(x) * np.sum(f(x, axis=0)) + np.sum(f(x, 1, keepdims=True)), x)
    value, [gradient] = jax.jit(graph.compile(xp=jax.numpy))(x)
    assert_same(value, graph.value)
    np.testing.assert_allclose(gradient, graph.backward().gradients[0], rtol=1e-9, atol=1e-12)


def _kept_in_an_array(x):
    best = np.zeros(len(x), dtype=int)
    for k in range(len(x)):
        best[k] = np.argmax(x[k])
    return np.sum(x**2)


def _kept_in_a_list(x):
    best = [np.argmax(row) for row in x]
    return np.sum(x**2) + 0.0 * len(best)


DECIDING = {
    "piecewise": (
        lambda x: np.sum(np.piecewise(x, [x < 0], [np.exp, np.cos])),
        "np.where(condition, f(x), g(x)) in place of np.piecewise",
        lambda x: np.sum(np.where(x < 0, np.exp(x), np.cos(x))),
    ),
    "a row of a captured table": (
        lambda x: np.sum(X[np.argmax(x[:, 0])]) * x[0, 0],
        "np.take(x, i, axis=0) in place of x[i] with a computed i",
        lambda x: np.sum(np.take(X, np.argmax(x[:, 0]), axis=0)) * x[0, 0],
    ),
    "whole numbers kept": (
        _kept_in_an_array,
        "a list that is appended to in place of an array of whole numbers",
        _kept_in_a_list,
    ),
    "lstsq": (
        lambda x: np.sum(np.linalg.lstsq(x, X[:3, 0])[0]),
        "np.linalg.pinv(A) @ b in place of np.linalg.lstsq(A, b)[0]",
        lambda x: np.sum(np.linalg.pinv(x) @ X[:3, 0]),
    ),
}


@pytest.mark.parametrize("name", DECIDING)
def test_a_function_that_decides_by_the_values_is_replaced_as_the_message_says(name, jax):
    deciding, instead, without = DECIDING[name]
    graph = bp.trace(deciding, W)
    with pytest.raises(UnsupportedError) as caught:
        jax.jit(graph.compile(xp=jax.numpy))(W)
    assert f"instead:  {instead}, or call" in str(caught.value)
    value, [gradient] = jax.jit(bp.trace(without, W).compile(xp=jax.numpy))(W)
    assert_same(value, graph.value)
    np.testing.assert_allclose(gradient, graph.backward().gradients[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("xp", "instead"),
    [("jax", "xp=jax.numpy"), ("numpy", "xp=np"), (None, "xp=np"), (np.linalg, "xp=np")],
    ids=["jax", "numpy", "none", "a part"],
)
def test_what_is_no_library_is_refused_with_the_module(xp, instead):
    with pytest.raises(UnsupportedError, match="`xp` must be a module") as caught:
        bp.trace(np.sum, B).compile(xp=xp)
    assert caught.value.instead == f"{instead}, the module itself"


def test_pytorch_is_taken_through_array_api_compat():
    with pytest.raises(UnsupportedError, match=r"array_api_compat\.torch"):
        bp.trace(np.sum, B).compile(xp=SimpleNamespace(__name__="torch"))


def filled(x, k):
    out = np.zeros(3)
    for i in range(3):
        out[i] = np.sum(x[i : i + 2] * k)
    return np.sum(out**2)


def test_arrays_of_a_library_that_are_written_from_are_not_traced_anew(monkeypatch):
    args = np.arange(4.0), np.array([0.5, -1.0])
    graph = bp.trace(filled, *args)
    compiled = graph.compile(xp=da)
    monkeypatch.delattr("backprop_nb.tracing.compiled.traced_again")
    value, gradients = compiled(*map(da.asarray, args))
    assert_same(value, graph.value)
    for found, right in nonempty(zip(gradients, graph.backward().gradients, strict=True)):
        assert_same(found, right)


def test_one_array_of_a_library_given_twice_is_not_written_to_as_if_it_were_two():
    def write(x, y):
        x[0] = 3 * y[1]
        return np.sum(x * y)

    x = da.asarray(np.array([1.0, 2.0]))
    compiled = bp.trace(write, np.ones(2), np.ones(2)).compile(xp=da)
    assert_same(compiled(x, da.asarray(np.array([1.0, 2.0])))[0], 10.0)
    with pytest.raises(UnsupportedError, match="a copy for one of the two"):
        compiled(x, x)


def test_jax_compiles_the_function(jax):
    graph = bp.trace(loss, {"W": W, "b": B}, X)
    value, (gradient, _) = jax.jit(graph.compile(xp=jax.numpy))({"W": W, "b": B}, X)
    assert_same(value, graph.value)
    assert_same(gradient["W"], graph.backward().gradients[0]["W"])


def test_jax_in_32_bits_is_told_once_and_with_what_to_write():
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", False)
    try:
        graph = bp.trace(by_positions, W, B)
        with pytest.warns(bp.BackpropWarning, match="float32 here") as told:
            fast = graph.compile(xp=jax.numpy)
        assert told[0].filename == __file__
        assert 'jax.config.update("jax_enable_x64", True)' in str(told[0].message)
        value, _ = fast(W, B)  # another warning would be an error
        assert value.dtype == np.float32
        narrow = bp.trace(by_positions, np.float32(W), np.float32(B))
        assert narrow.compile(xp=jax.numpy)(np.float32(W), np.float32(B))[0].dtype == np.float32
        jax.config.update("jax_enable_x64", True)  # as it says
        assert_same(graph.compile(xp=jax.numpy)(W, B)[0], graph.value)
    finally:
        jax.config.update("jax_enable_x64", before)


def test_jax_compiles_what_is_written_in_place(jax):
    graph = bp.trace(filled, np.arange(4.0), np.ones(2))
    value, _ = jax.jit(graph.compile(xp=jax.numpy))(np.arange(4.0), np.ones(2))
    assert_same(value, graph.value)


AT, HEIGHTS = np.linspace(-3.0, 3.0, 7), np.sin(np.arange(7.0))


def raised_by_mask(x):
    y = x.copy()
    y[x > 0] = x[0, 0]
    return np.sum(y**2)


def largest_replaced(x):
    y = np.ravel(x).copy()
    y[np.argmax(y)] = x[0, 0]
    return np.sum(y**2)


def counted(x):
    counts = np.zeros(2)
    np.add.at(counts, [0, 0, 1], x[0, [0, 1, 0]] > -5.0)
    np.subtract.at(counts, [0] * 300, (x[1, 1] > -5.0).astype(np.uint8))
    return np.sum(counts * x[0, :2])


COMPUTED_PLACES = {
    "interpolation": lambda x: np.sum(np.interp(x, AT, HEIGHTS)),
    "interpolation of what is traced": lambda x: np.sum(np.interp(0.3, np.sort(x[:, 0]), x[:, 1])),
    "take": lambda x: np.sum(np.take(x, np.argsort(x[:, 0])) * np.take(x[0], np.argmax(x[0]))),
    "quantile": lambda x: np.quantile(x, bp.sigmoid(x[0, 0])),
    "least squares": lambda x: np.sum(np.linalg.lstsq(x.T @ x, x[0])[0]),
    "polynomial fit": lambda x: np.sum(np.polyfit(x[:, 0], x[:, 1], 1)),
    "a number assigned by a mask": raised_by_mask,
    "a number assigned at the largest": largest_replaced,
    "truth values counted": counted,
}


@pytest.mark.parametrize("name", COMPUTED_PLACES)
def test_places_that_are_computed_are_no_decision(name, jax):
    f = COMPUTED_PLACES[name]
    graph, other = bp.trace(f, W), W[::-1] * 1.1 + 0.2
    right = bp.trace(f, other)
    space = {}
    exec(graph.to_numpy(), space)
    printed = next(each for key, each in space.items() if key.endswith("_and_gradient"))
    for run in (printed, jax.jit(graph.compile(xp=jax.numpy))):
        value, [gradient] = run(other)
        assert_same(value, right.value)
        np.testing.assert_allclose(gradient, right.backward().gradients[0], rtol=1e-9, atol=1e-9)


STEPS, NEARLY = np.arange(3), np.array([1, 0, 0, 2, -1, 1])
LARGE = 2**53  # from where on not every whole number is a float
WITHOUT_A_SLOPE = {
    "round": lambda x: x * (np.round(x) + np.round(x, 1) + np.round(100 * x, decimals=-2)),
    "isclose": lambda x: x * np.isclose(x, -0.5, atol=0.1) * (1 + np.isclose(x, np.inf)),
    "digitize": lambda x: x * np.digitize(x, [-0.5, 0.25, 1.0]) + np.digitize(x, (1.5, 0.25)) * x,
    "right": lambda x: x * np.digitize(x, [-0.5, 0.25], right=True) * np.digitize(x, [2, -1], True),
    "searchsorted": lambda x: x * np.searchsorted([-0.5, 0.25], x) * np.searchsorted(x[:1], [0.5]),
    "one sought": lambda x: x * np.interp(x[1], [-1.0, 0.25, 1.0], [0.0, 1.0, 4.0]),
    "nonzero": lambda x: x[np.nonzero(x > 0)] ** 2,
    "where": lambda x: x[np.where(x > 0)] * len(np.where(x > 1)[0]),
    "argwhere": lambda x: x[np.argwhere(x > 0)[:, 0]] * x[np.argwhere(x > 0).ravel()],
    "isin": lambda x: x * np.isin(x, [-0.5, 2]) * np.isin(LABELS, (0, 2), invert=True) + x,
    "equal": lambda x: x * (2 if np.array_equal(np.sign(x), np.sign(x)) else 1),
    "not equal": lambda x: x * (2 if np.array_equal(x > 0, [1, 0]) else 1),
    "large in": lambda x: x * np.isin(LARGE + np.fix(x).astype(int), [LARGE]),
    "large equal": lambda x: x + np.array_equal(LARGE + np.fix(x).astype(int), LARGE + NEARLY) * x,
    "large sought": lambda x: x * np.searchsorted(LARGE + STEPS, LARGE + np.fix(x).astype(int)),
    "large bins": lambda x: x * np.digitize(LARGE + np.fix(x).astype(int), LARGE + STEPS),
    "truths sought": lambda x: x * np.searchsorted([False, True], x > 0),
    "allclose": lambda x: x * (1 + np.allclose(x, [1.5, -0.5, 0.25, 2, -1, 0.75], atol=1e-3)),
    "fix": lambda x: x * np.fix(2 * x) * np.around(x) + x * np.isposinf(x) * np.isneginf(-x),
    "unravel": lambda x: np.reshape(x, (2, 3))[np.unravel_index(np.argmin(x), (2, 3))] * x,
    "a mask of numbers": lambda x: np.where(LABELS, x, 0) + np.where(np.sign(x) + 1, x, 2) * x,
    "flatnonzero": lambda x: x[np.flatnonzero(x > 0)] * x[np.flatnonzero(x < 0)][0],
    "lstsq": lambda x: np.linalg.lstsq(np.reshape(x, (3, 2)) ** 2, x[:3], rcond=None)[0],
}


@pytest.mark.parametrize("xp", [STANDARD, STRICT, da], ids=["standard", "strict", "dask"])
@pytest.mark.parametrize("name", WITHOUT_A_SLOPE)
def test_what_has_no_slope_is_made_where_a_library_lacks_it(name, xp):
    graph = bp.trace(lambda x: np.sum(WITHOUT_A_SLOPE[name](x)), FLAT)
    value, (gradient,) = graph.compile(xp=xp)(xp.asarray(FLAT))
    np.testing.assert_allclose(np.asarray(value), graph.value, rtol=1e-9)
    np.testing.assert_allclose(np.asarray(gradient), graph.backward().gradients[0], rtol=1e-7)


@pytest.mark.parametrize("xp", [STANDARD, da], ids=["standard", "dask"])
def test_equal_entries_are_sorted_in_their_order(xp):
    x = np.array([2.5, 0.0, -0.0, 1.0, -1.0, -2.5, 0.5] * 40)
    graph = bp.trace(lambda x: np.sum(np.sort(x) * np.arange(280)), x)
    _, (gradient,) = graph.compile(xp=xp)(x)
    np.testing.assert_array_equal(gradient, graph.backward().gradients[0])


@pytest.mark.parametrize("xp", [STANDARD, da], ids=["standard", "dask"])
@pytest.mark.parametrize("given", [B * 1j, "text"], ids=["complex", "text"])
def test_what_is_no_real_number_is_refused_and_not_taken_for_its_real_part(given, xp):
    compiled = bp.trace(lambda x: np.sum(x**2), B).compile(xp=xp)
    with pytest.raises(UnsupportedError, match=r"real numbers|No argument holds a number"):
        compiled(given if isinstance(given, str) else xp.asarray(given))


def added_at(x, at):
    out = np.zeros(6)
    np.add.at(out, at, x[:2])
    return np.sum(out**2)


OUTSIDE = {
    "picked": lambda x, at: np.sum(x[at]),
    "along": lambda x, at: np.sum(np.take_along_axis(x, at, axis=0)),
    "added": added_at,
    "assigned": lambda x, at: assigned_at(x * 1, at, 7.0, x),
    "truths": lambda x, at: np.sum(np.where((x > 0.3)[at], 2.0, 1.0) * x[:2]),
    "whole numbers": lambda x, at: np.sum(x[:2] * np.floor(x).astype(int)[at]),
    "as an index": lambda x, at: np.sum(x[np.floor(x - x).astype(int)[at]]),
    "whole along": lambda x, at: np.sum(x[:2] * np.take_along_axis(np.floor(x).astype(int), at, 0)),
    "compared": lambda x, at: np.sum(np.where(x[at] > 0.3, 1.0, 2.0) * x[:2]),
    "whole assigned": lambda x, at: assigned_at(np.floor(x).astype(int), at, 3, x),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_an_index_out_of_range_is_nan_under_jax_and_not_the_last_entry(name, jax):
    graph = bp.trace(lambda x, at: OUTSIDE[name](x, at.astype(int)), FLAT, np.arange(2.0))
    compiled = graph.compile(xp=jax.numpy)
    for run in (compiled, jax.jit(compiled)):
        assert run(FLAT, np.array([0.0, -1.0]))[0] == graph.evaluate(FLAT, np.array([0.0, -1.0]))
        for outside in (6.0, -7.0):
            value, gradients = run(FLAT, np.array([0.0, outside]))
            assert np.isnan(value)
            assert all(np.all(np.isnan(each)) for each in gradients)
            own = jax.grad(lambda x, at, run=run: run(x, at)[0])(FLAT, np.array([0.0, outside]))
            assert np.any(np.isnan(own))


def test_a_whole_number_that_an_index_out_of_range_spoils_is_an_error_under_jax():
    jax = pytest.importorskip("jax")
    graph = bp.trace(lambda x: np.sum(np.floor(x).astype(int)[np.floor(x).astype(int)]), np.ones(2))
    compiled = graph.compile(xp=jax.numpy)
    assert compiled(np.array([0.0, 1.0]))[0] == 1
    with pytest.raises(IndexError, match="out of bounds"):
        compiled(np.array([0.0, 2.0]))
    with pytest.raises(UnsupportedError, match=r"cannot be NaN(.|\n)*1\.0 \* value"):
        jax.jit(compiled)(np.array([0.0, 1.0]))


@pytest.mark.parametrize("xp", [STANDARD, da], ids=["standard", "dask"])
def test_a_number_out_of_range_has_no_places_elsewhere(xp):
    def picked(x, at):
        i, j = np.unravel_index(at.astype(int), (2, 3))
        return np.sum(x.reshape(2, 3)[i, j]) + np.sum(i * x[:2])

    graph = bp.trace(picked, FLAT, np.arange(2.0))
    compiled, at = graph.compile(xp=xp), np.array([5.0, 0.0])
    assert compiled(FLAT, at)[0] == graph.evaluate(FLAT, at)
    for outside in (6.0, -1.0):
        assert np.isnan(compiled(FLAT, np.array([0.0, outside]))[0])


@pytest.mark.parametrize("xp", [STANDARD, da], ids=["standard", "dask"])
@pytest.mark.parametrize("outside", [3.0, -4.0])
def test_a_place_outside_of_its_row_is_not_one_of_the_next_row(outside, xp):
    graph = bp.trace(
        lambda x, at: np.sum(np.take_along_axis(x, at[:, None].astype(int), axis=1)), X, np.zeros(6)
    )
    compiled = graph.compile(xp=xp)
    with pytest.raises(ShapeError, match="out of bounds for axis 1"):
        compiled(X, np.array([0, 0, outside, 0, 0, 0]))


@pytest.mark.filterwarnings("ignore:torch.asarray")  # which says that the default has changed
def test_what_pytorch_cannot_factor_is_told_as_numpy_tells_it():
    pytest.importorskip("array_api_compat")
    torch = pytest.importorskip("torch")
    xp = pytest.importorskip("array_api_compat.torch")

    def root(a):
        return np.sum(np.linalg.cholesky(a))

    def guarded(a):
        try:
            return root(a)
        except np.linalg.LinAlgError:
            return np.sum(a)

    a = torch.tensor([[1.0, 2.0], [2.0, 1.0]], dtype=torch.float64, requires_grad=True)
    assert bp.trace(guarded, np.eye(2)).compile(xp=xp)(a)[0].item() == 6.0
    with pytest.raises(ShapeError, match="not positive definite"):
        bp.trace(root, np.eye(2)).compile(xp=xp)(a)


def test_rounded_decimals_are_those_of_numpy_under_jax(jax):
    x = np.arange(-50, 50) / 10 + 0.01
    graph = bp.trace(lambda x: np.sum(x * (np.round(x, 1) == np.arange(-50, 50) / 10)), x)
    compiled = graph.compile(xp=jax.numpy)
    for run in (compiled, jax.jit(compiled)):
        np.testing.assert_array_equal(run(x)[1][0], graph.backward().gradients[0])


WHOLE_MATRICES = {
    "argwhere": lambda m: m[tuple(np.argwhere(m > 0.3).T)] * (np.argwhere(m > 0.3).ravel()[1] + 1),
    "cholesky": lambda m: np.linalg.cholesky(m @ m.T + 4 * np.eye(4)),
    "cholesky of one triangle": lambda m: np.linalg.cholesky(m + 9 * np.eye(4)),
    "det": np.linalg.det,
    "eigh": lambda m: np.linalg.eigh(m)[0] * np.linalg.eigvalsh(m + m.T, UPLO="U"),
    "inv": lambda m: np.linalg.inv(m) * m,
    "lstsq": lambda m: np.linalg.lstsq(m[:, :2], m[:, 2:], rcond=None)[0],
    "median": lambda m: np.median(m, axis=0) * np.quantile(m, 0.3, axis=1) * np.sort(m, axis=0),
    "pinv": lambda m: np.linalg.pinv(m[:, :2]),
    "qr": lambda m: np.matmul(*np.linalg.qr(m[:, :3])) * np.linalg.qr(m)[1][:, :3],
    "slogdet": lambda m: np.linalg.slogdet(m)[1],
    "solve": lambda m: np.linalg.solve(m, m[:, 0]) * np.linalg.solve(m, m**2)[0],
    "stack": lambda m: np.linalg.solve(np.stack([m, m.T]), m) * np.linalg.svdvals(m)[0],
    "svd": lambda m: np.linalg.svd(m[:, :3], full_matrices=False)[1] * m[:, :3] ** 2,
}


@pytest.mark.parametrize("name", WHOLE_MATRICES)
def test_dask_arrays_cut_along_both_axes_are_gathered_where_numpy_needs_the_whole(name):
    m = np.random.default_rng(2).normal(size=(4, 4))
    graph = bp.trace(lambda m: np.sum(WHOLE_MATRICES[name](m) ** 2), m)
    compiled = graph.compile(xp=da)
    for chunks in (2, (1, 2)):
        value, (gradient,) = compiled(da.from_array(m, chunks=chunks))
        np.testing.assert_allclose(np.asarray(value), graph.value, rtol=1e-9)
        np.testing.assert_allclose(np.asarray(gradient), graph.backward().gradients[0], rtol=1e-6)


def test_an_option_that_is_not_made_is_refused_by_name():
    graph = bp.trace(lambda x: np.sum(x) * np.linalg.matrix_rank(x, hermitian=True), X.T @ X)
    with pytest.raises(UnsupportedError, match=r"np\.linalg\.matrix_rank"):
        graph.compile(xp=STANDARD)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (lambda x: np.sum(x.reshape(2, 6) ** 2), np.arange(12.0).reshape(4, 3)),
        (lambda x: np.sum(np.reshape(x, (3, 4)) @ np.arange(4.0)), np.ones((2, 6))),
        (lambda x: np.sum(x.ravel() * np.arange(12.0)), np.ones((4, 3))),
        (lambda x: np.sum(x[1:7:2] ** 2), np.arange(8.0)),  # of which a chunk has nothing left
        (lambda x: np.sum(x[7:1:-2] ** 2), np.arange(8.0)),
    ],
)
def test_dask_arrays_are_cut_anew_where_they_must_be(f, x):
    graph = bp.trace(f, x)
    value, gradient = graph.compile(xp=da)(da.from_array(x, chunks=2))
    expected = graph.compile()(x)
    np.testing.assert_allclose(np.asarray(value), expected[0])
    np.testing.assert_allclose(np.asarray(gradient), expected[1])

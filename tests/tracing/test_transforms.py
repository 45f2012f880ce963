"""``grad``, ``jacobian``, ``vjp``, ``jvp`` are right, nest, and say what is wrong."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop_nb as bp

rng = np.random.default_rng(1)
A = rng.normal(size=(3, 2))


def central(f, x, h=1e-5):
    x = np.asarray(x, dtype=float)
    slopes = []
    for i in np.ndindex(x.shape):
        step = np.zeros(x.shape)
        step[i] = h
        slopes.append((f(x + step) - f(x - step)) / (2 * h))
    return np.moveaxis(np.array(slopes), 0, -1).reshape(np.shape(f(x)) + x.shape)


def squash(x):
    return np.tanh(A @ x) * x[0]


def test_grad_is_the_gradient():
    x = rng.normal(size=2)
    np.testing.assert_allclose(
        bp.grad(lambda x: np.sum(squash(x)))(x), central(lambda x: np.sum(squash(x)), x), atol=1e-8
    )


@pytest.mark.parametrize("x", [-1.5, 0.0, 0.7])
def test_grad_nests_to_any_order(x):
    f = np.exp
    for _ in range(4):
        assert f(x) == pytest.approx(np.exp(x), rel=1e-12)
        f = bp.grad(f)


def test_a_captured_variable_of_an_outer_derivative_is_not_confused():
    # d/dx [x · d/dy (x + y)] = d/dx x = 1; a confused tracer says 2.
    outer = bp.grad(lambda x: x * bp.grad(lambda y: x + y)(2.0))
    assert outer(3.0) == 1.0


def test_value_and_grad_gives_both():
    value, gradient = bp.value_and_grad(lambda x: x**3)(2.0)
    assert (value, gradient) == (8.0, 12.0)


def test_a_plain_adjoint_is_added_to_a_traced_one():
    # By x[0], what arrives first is the traced 2 x, and then a 3 that is not.
    f = bp.grad(lambda x: np.sum(3.0 * x[0] + np.sum(x**2)))
    np.testing.assert_array_equal(bp.jacobian(f)(np.ones(2)), 2 * np.eye(2))


def test_argnums_choose_and_keep_their_order():
    def f(x, y, z):
        return x * y**2 * z**3

    assert bp.grad(f, argnums=1)(2.0, 3.0, 1.0) == 12.0
    assert bp.grad(f, argnums=-1)(2.0, 3.0, 1.0) == 54.0
    assert bp.grad(f, argnums=(2, 0))(2.0, 3.0, 1.0) == (54.0, 9.0)


def test_arguments_that_are_not_asked_for_stay_as_they_are():
    def pick(x, position, mode):
        assert mode == "plain"
        return x[position] * 2.0

    np.testing.assert_array_equal(bp.grad(pick)(np.ones(3), 1, mode="plain"), [0.0, 2.0, 0.0])


def test_the_gradient_has_the_structure_of_its_argument():
    def f(p):
        return p["w"][0] * p["w"][1] + p["b"] ** 2

    assert bp.grad(f)({"w": (2.0, 3.0), "b": 4.0}) == {"w": (3.0, 2.0), "b": 8.0}


def test_float32_stays_float32_and_integers_count_as_floats():
    assert bp.grad(np.sum)(np.ones(2, np.float32)).dtype == np.float32
    assert bp.grad(lambda x: x**2)(3) == 6.0


def test_jacobian_has_one_row_per_result():
    x = rng.normal(size=2)
    np.testing.assert_allclose(bp.jacobian(squash)(x), central(squash, x), atol=1e-8)


def test_the_jacobian_of_the_gradient_is_the_hessian():
    def f(x):
        return np.sum(np.exp(x) * x[0])

    x = np.array([0.1, 0.2, -0.3])
    hessian = bp.jacobian(bp.grad(f))(x)
    np.testing.assert_allclose(hessian, central(bp.grad(f), x), atol=1e-8)
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-12)


WHOLE = {
    "astype(int)": lambda x: x.astype(int),
    "astype(int8)": lambda x: x.astype(np.int8),
    "astype(bool)": lambda x: x.astype(bool),
    "np.astype": lambda x: np.astype(x, int),
    "asarray": lambda x: np.asarray(x, dtype=int),
    "there and back": lambda x: x.astype(int).astype(float),
}


@pytest.mark.parametrize("name", WHOLE)
def test_no_derivative_of_any_order_passes_through_whole_numbers(name):
    def f(x):
        return np.sum((x - WHOLE[name](x)) ** 2 * x)

    x = np.array([0.3, 1.7, -2.4])
    slope = 3 * x**2 - 4 * x * WHOLE[name](x) + np.square(WHOLE[name](x))
    curvature = np.diag(6 * x - 4 * WHOLE[name](x))
    np.testing.assert_allclose(bp.grad(f)(x), slope)
    np.testing.assert_allclose(bp.jacobian(bp.grad(f))(x), curvature)
    ones = np.ones(3)
    np.testing.assert_allclose(bp.jvp(bp.grad(f), (x,), (ones,))[1], curvature @ ones)
    np.testing.assert_allclose(
        bp.trace(bp.grad(f), x).backward(seed=ones).gradients[0], curvature @ ones
    )
    third = bp.grad(lambda x: np.sum(bp.jacobian(bp.grad(f))(x)))(x)
    np.testing.assert_allclose(third, 6 * ones)


def test_jacobian_of_matrices_and_of_several_arguments():
    M, v = rng.normal(size=(2, 3)), rng.normal(size=3)
    by_M, by_v = bp.jacobian(lambda M, v: M @ v, argnums=(0, 1))(M, v)
    assert by_M.shape == (2, 2, 3)
    np.testing.assert_allclose(by_v, M)
    np.testing.assert_allclose(by_M, central(lambda M: M @ v, M), atol=1e-8)


def test_the_jacobian_of_no_results_has_no_rows():
    of_both = bp.jacobian(lambda x, y: x[:0] * y, argnums=(0, 1))
    assert [each.shape for each in of_both(np.ones(3), 2.0)] == [(0, 3), (0,)]


def test_jacobian_without_influence_is_zero_and_silent():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(bp.jacobian(lambda x: x[:1] * 0 + 1.0)(np.ones(2)), [[0, 0]])


@given(st.integers(0, 1000))
def test_jvp_and_vjp_agree(seed):
    draw = np.random.default_rng(seed)
    x, t, c = draw.normal(size=2), draw.normal(size=2), draw.normal(size=3)
    value, tangent = bp.jvp(squash, (x,), (t,))
    again, pullback = bp.vjp(squash, x)
    np.testing.assert_array_equal(value, again)
    np.testing.assert_allclose(c @ tangent, pullback(c)[0] @ t, rtol=1e-9, atol=1e-12)


def test_jvp_is_the_derivative_in_a_direction():
    x, t, h = rng.normal(size=2), rng.normal(size=2), 1e-6
    _, tangent = bp.jvp(squash, (x,), (t,))
    np.testing.assert_allclose(
        tangent, (squash(x + h * t) - squash(x - h * t)) / (2 * h), atol=1e-8
    )


def test_jvp_of_trees_and_without_influence():
    _, tangent = bp.jvp(lambda p: p[0] * p[1], ([2.0, 3.0],), ([1.0, 10.0],))
    assert tangent == 23.0
    assert bp.jvp(lambda x: 5.0, (1.0,), (1.0,)) == (5.0, 0.0)


@pytest.mark.parametrize("f", [lambda x: x > 0, np.argmax, np.isnan], ids=["mask", "index", "nan"])
def test_jvp_of_truth_values_and_integers_is_zero(f):
    value, tangent = bp.jvp(f, (np.ones(3),), (np.ones(3),))
    np.testing.assert_array_equal(value, f(np.ones(3)), strict=True)
    np.testing.assert_array_equal(tangent, np.zeros(np.shape(value)), strict=True)


def test_the_pullback_may_be_called_again():
    _, pullback = bp.vjp(lambda x: x * 3.0, np.ones(2))
    np.testing.assert_array_equal(pullback(np.ones(2))[0], pullback(np.ones(2))[0])


def test_grad_of_a_vector_is_refused_with_advice():
    with pytest.raises(bp.ShapeError) as caught:
        bp.grad(squash)(np.ones(2))
    assert str(caught.value) == (
        "squash does not return a single number, so it has no gradient.\n"
        "  given:    a result of shape (3,)\n"
        "  expected: shape ()\n"
        "  instead:  return a number, for example np.sum(…), or take bp.jacobian"
    )


@pytest.mark.parametrize("argnums", [1, -2, "x", (0, 5)])
def test_an_argument_that_does_not_exist_is_refused(argnums):
    with pytest.raises(bp.InvalidValueError, match="`argnums` must be the position"):
        bp.grad(np.sin, argnums)(1.0)


@pytest.mark.parametrize("argnums", [(0, 0), (0, -2), (1, 0, 1)])
@pytest.mark.parametrize("make", [bp.grad, bp.value_and_grad, bp.jacobian])
def test_an_argument_that_is_named_twice_is_refused(make, argnums):
    with pytest.raises(bp.InvalidValueError, match="must name each argument once") as caught:
        make(lambda a, b: a * a * b, argnums)(2.0, 3.0)
    assert caught.value.given == f"argnums {argnums} and 2 positional arguments"
    assert caught.value.expected == str(tuple({k % 2: None for k in argnums}))


@pytest.mark.parametrize("argnums", ["x", 1.0, True, np.ones(2), (0, "x")])
@pytest.mark.parametrize("make", [bp.grad, bp.value_and_grad, bp.jacobian])
def test_argnums_that_are_no_positions_are_refused_at_once(make, argnums):
    with pytest.raises(bp.InvalidValueError) as caught:
        make(squash, argnums)
    assert str(caught.value) == (
        "`argnums` must be the position of an argument, or a tuple of positions.\n"
        f"  given:    argnums = {argnums!r}\n"
        "  expected: 0, or (0, 1)\n"
        f"  instead:  bp.{make.__name__}(squash)(x)"
    )


def test_a_list_of_positions_is_answered_with_the_tuple():
    with pytest.raises(bp.InvalidValueError, match="or a tuple of positions") as caught:
        bp.grad(np.multiply, argnums=[0, 1])
    assert caught.value.instead == "argnums=(0, 1)"


@pytest.mark.parametrize("make", [bp.grad, bp.value_and_grad, bp.jacobian])
@pytest.mark.parametrize("mask", [True, np.True_, np.array([True, False])])
def test_truth_values_have_no_derivative(make, mask):
    def f(x, mask):
        return np.sum(x * mask)

    assert np.all(bp.grad(f)(np.ones(2), mask) == mask)
    with pytest.raises(bp.UnsupportedError, match="mask holds truth values, and there is no slope"):
        make(f, argnums=1)(np.ones(2), mask)
    make(f, argnums=1)(np.ones(2), 1.0 * mask)


def test_a_position_beyond_the_arguments_says_which_there_are():
    with pytest.raises(bp.InvalidValueError) as caught:
        bp.grad(np.sin, 1)(1.0)
    assert caught.value.given == "argnums 1 and 1 positional argument"
    assert caught.value.expected == "argnums 0"
    with pytest.raises(bp.InvalidValueError) as caught:
        bp.grad(np.add, 2)(1.0, 2.0)
    assert caught.value.expected == "an integer from 0 to 1"


def test_a_bare_array_is_no_list_of_arguments():
    for args, tangents, name in ((np.ones(2), (np.ones(2),), "args"), ((1.0,), 2.0, "tangents")):
        with pytest.raises(bp.UnsupportedError) as caught:
            bp.jvp(np.sum, args, tangents)
        assert caught.value.problem == f"`{name}` must hold one value for each argument."
        assert caught.value.instead.startswith("bp.jvp(f, (x,), (t,))")


def test_tangents_that_do_not_fit_are_refused():
    with pytest.raises(bp.ShapeError, match="The tangent of `x` must have the shape of `x`"):
        bp.jvp(squash, (np.ones(2),), (np.ones(3),))
    with pytest.raises(bp.ShapeError, match="one tangent for each argument"):
        bp.jvp(squash, (np.ones(2),), ())


def test_a_cotangent_of_another_shape_is_refused():
    with pytest.raises(bp.ShapeError, match="`seed` must have the shape"):
        bp.vjp(squash, np.ones(2))[1](np.ones(2))


def test_the_warning_of_an_unused_argument_points_at_the_callers_line():
    with pytest.warns(bp.BackpropWarning, match="does not depend on y") as caught:
        bp.grad(lambda x, y: x * 2.0, argnums=1)(1.0, 2.0)
    assert caught[0].filename == __file__


def test_the_derivative_keeps_the_functions_name_and_documentation():
    assert bp.grad(squash).__name__ == "squash"


def rectified(x):
    return np.maximum(x, 0.0) ** 3


@pytest.mark.parametrize(
    "derivative",
    [
        bp.grad(rectified),
        bp.grad(bp.grad(rectified)),
        bp.jacobian(rectified),
        bp.jacobian(bp.jacobian(rectified)),
        lambda x: bp.vjp(np.ravel, x)[1](np.ones(1))[0],
        lambda x: bp.jvp(rectified, (x,), (1.0,))[1],
        lambda x: bp.value_and_grad(np.transpose)(x)[1],
        lambda x: bp.trace(rectified, x).backward().adjoint("x"),
    ],
    ids=["grad", "twice", "jacobian", "jacobian twice", "vjp", "jvp", "value_and_grad", "adjoint"],
)
@pytest.mark.parametrize("x", [2.0, 2, np.float64(2.0), np.array(2.0)], ids=repr)
def test_a_derivative_by_a_number_is_a_number_of_numpy(derivative, x):
    assert type(derivative(x)) is np.float64
    assert round(derivative(x), 1) == derivative(x)


def test_stop_gradient_reaches_into_lists_tuples_and_dicts():
    assert bp.grad(lambda t: t * bp.stop_gradient([t, 2 * t])[1])(3.0) == 6.0
    assert bp.grad(lambda t: t * bp.stop_gradient((t,))[0])(3.0) == 3.0
    assert bp.grad(lambda t: t * bp.stop_gradient({"h": t**2})["h"])(3.0) == 9.0


def _unit(y):
    e = np.zeros(3)
    e[1] = 1
    return e


def _of_traced(y):
    seed = np.zeros_like(y)
    seed[:2] = y[1:]
    return seed


CUBED, SQUARED = bp.trace(lambda q: q**3, np.ones(3)), bp.trace(lambda q: np.sum(q**2), np.ones(3))


@pytest.mark.parametrize(
    ("derive", "expected"),
    [
        (lambda v, y: bp.vjp(lambda q: q**3, y)[1](v)[0], lambda v, y: 3 * y**2 * v),
        (
            lambda v, y: bp.trace(lambda q: q**3, y).backward(v).gradients[0],
            lambda v, y: 3 * y**2 * v,
        ),
        (lambda v, y: y * CUBED.backward(v).gradients[0], lambda v, y: 3 * y * v),
        (lambda v, y: y * SQUARED.evaluate(v), lambda v, y: y * np.sum(v**2)),
        (lambda v, y: y * SQUARED.compile()(v)[0], lambda v, y: y * np.sum(v**2)),
    ],
    ids=["vjp", "backward", "backward of a plain trace", "evaluate", "compile"],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda y: np.ones(3),
        lambda y: np.ones_like(y),
        lambda y: np.eye(3)[1],
        _unit,
        _of_traced,
        lambda y: y,
        lambda y: y * 2,
    ],
    ids=["ones", "like", "row", "unit", "filled", "argument", "traced"],
)
def test_what_a_traced_function_makes_goes_into_a_derivative_within_it(make, derive, expected):
    def f(y):
        y = 1.0 * y
        made = make(y)
        found = derive(made, y)
        made *= 0.0  # which comes too late
        return np.sum(found)

    x = np.array([0.5, -1.5, 2.0])
    value, slope = bp.value_and_grad(f)(x)
    by_hand = bp.value_and_grad(lambda y: np.sum(expected(make(y), y)))(x)
    np.testing.assert_allclose(value, by_hand[0], rtol=1e-13)
    np.testing.assert_allclose(slope, by_hand[1], rtol=1e-13)

"""A function and what it is called with: each mistake, and the call that works."""

import dataclasses
import enum
import functools
from collections import deque

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.differences import central_differences
from backprop_nb.checking.step_error import step_curve

x, w = np.ones(2), np.array([1.0, 2.0])


def f(x, w, *, scale=1.0):
    return np.sum(x * w) * scale


def square(x):
    return np.sum(x**2)


def refusal(call, kind=bp.UnsupportedError):
    with pytest.raises(kind) as caught:
        call()
    return caught.value


# --- what cannot be called ----------------------------------------------------

MAKERS = {
    "bp.trace(f, x)": lambda f: bp.trace(f, x),
    "bp.grad(f)(x)": bp.grad,
    "bp.value_and_grad(f)(x)": bp.value_and_grad,
    "bp.jacobian(f)(x)": bp.jacobian,
    "bp.vjp(f, x)": lambda f: bp.vjp(f, x),
    "bp.jvp(f, (x,), tangents)": lambda f: bp.jvp(f, (x,), (x,)),
    "bp.check_gradient(f, gradient, x)": lambda f: bp.check_gradient(f, 2 * x, x),
    "central_differences(f, x)": lambda f: central_differences(f, x),
    "step_curve(f, x)": lambda f: step_curve(f, x),
}


@pytest.mark.parametrize("written", MAKERS)
def test_a_result_in_place_of_the_function_is_refused_with_the_call_that_works(written):
    assert str(refusal(lambda: MAKERS[written](square(x)))) == (
        "`f` must be a function.\n"
        "  given:    the number 2\n"
        "  expected: the function itself\n"
        f"  instead:  {written}, with f and not f(x)"
    )


@pytest.mark.parametrize(
    ("method", "instead"),
    [
        (np.ndarray.sum, "np.sum"),
        (np.ndarray.tolist, "lambda x: x.tolist()"),
        (np.eye(2).dot, "lambda x: np.dot(A, x), with A for the array"),
        (np.eye(2).sum, "lambda x: x.sum()"),
    ],
    ids=["sum", "tolist", "dot of an array", "sum of an array"],
)
def test_a_method_of_an_array_or_its_type_is_refused_with_a_function_that_does_the_same(
    method, instead
):
    for ask in (bp.grad, lambda f: bp.trace(f, x)):
        assert refusal(lambda ask=ask: ask(method)).instead == instead


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (x, "an array of shape (2,)"),
        (3, "the number 3"),
        (None, "None"),
        ("f", "text"),
        ([1.0], "a list"),
        (True, "a bool"),
        (1 + 2j, "a complex"),
    ],
)
def test_what_was_given_is_named(given, said):
    assert refusal(lambda: bp.trace(given, x)).given == said


# --- arguments that do not fit the function -----------------------------------

TOO_FEW = {
    "bp.trace(f, x, w)": lambda: bp.trace(f, x),
    "bp.grad(f)(x, w)": lambda: bp.grad(f)(x),
    "bp.value_and_grad(f)(x, w)": lambda: bp.value_and_grad(f)(x),
    "bp.jacobian(f)(x, w)": lambda: bp.jacobian(f)(x),
    "bp.vjp(f, x, w)": lambda: bp.vjp(f, x),
    "bp.jvp(f, (x, w,), tangents)": lambda: bp.jvp(f, (x,), (x,)),
    "bp.check_gradient(f, gradient, x, w)": lambda: bp.check_gradient(f, 2 * x, x),
}


@pytest.mark.parametrize("written", TOO_FEW)
def test_a_missing_argument_is_refused_with_the_call_that_works(written):
    assert str(refusal(TOO_FEW[written])) == (
        "f cannot be called like this: missing a required argument: 'w'.\n"
        "  given:    1 argument\n"
        "  expected: f(x, w, *, scale=1.0)\n"
        f"  instead:  {written}"
    )


def test_too_many_arguments_are_refused():
    error = refusal(lambda: bp.trace(square, x, w))
    assert error.problem == "square cannot be called like this: too many positional arguments."
    assert error.given == "2 arguments"
    assert error.instead == "bp.trace(square, x)"


def test_of_a_misspelt_keyword_the_right_one_is_offered():
    error = refusal(lambda: bp.trace(f, x, w, scael=2.0))
    assert error.given == "2 arguments, scael="
    assert error.instead == "scale= in place of scael="


def test_no_argument_at_all():
    assert refusal(lambda: bp.trace(f)).given == "0 arguments"
    assert refusal(lambda: bp.grad(f)(), bp.InvalidValueError).instead == "bp.grad(f)(x, w)"
    error = refusal(lambda: bp.check_gradient(f, 2 * x), bp.InvalidValueError)
    assert error.instead == "bp.check_gradient(f, gradient, x, w)"


def test_a_function_without_a_name_is_called_f():
    assert refusal(lambda: bp.trace(lambda a, b: a, x)).instead == "bp.trace(f, a, b)"
    partial = functools.partial(f, scale=2.0)
    assert refusal(lambda: bp.trace(partial, x)).instead == "bp.trace(f, x, w)"


def test_annotations_are_left_out():
    def typed(x: np.ndarray, w: "float") -> float:
        return np.sum(x * w)

    assert refusal(lambda: bp.trace(typed, x)).expected == "typed(x, w)"


def test_a_keyword_that_must_be_given_is_part_of_the_call():
    def needs(x, *, rate):
        return x * rate

    assert refusal(lambda: bp.trace(needs, x)).instead == "bp.trace(needs, x, rate=…)"


@pytest.mark.parametrize("call", [bp.trace, lambda g, x: bp.grad(g)(x)], ids=["trace", "grad"])
def test_the_learners_own_type_error_comes_out_as_it_is(call):
    def inner(x):
        return f(x)  # an argument is missing here, not above

    with pytest.raises(TypeError, match=r"^f\(\) missing 1 required positional") as caught:
        call(inner, x)
    assert not isinstance(caught.value, bp.BackpropError)
    assert caught.traceback[-1].name == "inner"


def test_a_wrapper_that_shows_another_signature_may_add_arguments():
    @functools.wraps(f)
    def with_weights(x):
        return f(x, w)

    np.testing.assert_array_equal(bp.grad(with_weights)(x), w)


# --- arguments that are no numbers --------------------------------------------


@pytest.mark.parametrize("given", ["a", None, ["b"], {1, 2}, {"w": "c"}])
def test_without_any_number_there_is_nothing_to_differentiate_by(given):
    for call in (bp.trace, bp.vjp, lambda f, x: bp.grad(f)(x)):
        assert str(refusal(functools.partial(call, square, given))) == (
            "No argument holds a number, so there is nothing to differentiate by.\n"
            f"  given:    x = {given!r}\n"
            "  expected: numbers, arrays, or lists, tuples and dicts of them"
        )


class Layer:
    def __init__(self, W):
        self.W, self.name = W, "first"

    def __call__(self, x):
        return self.W @ x


@dataclasses.dataclass(slots=True)
class Settings:
    rate: float = 0.1


class Speed(enum.Enum):
    SLOW = 0.1


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (Layer(np.ones((2, 3))), "model.W"),
        (Layer(Layer([np.ones(2)])), "model.W.W[0]"),
        ([1.0, Layer({"A": 1.0})], "model1.W['A']"),
        (Settings(), "model.rate"),
        (bp.SigmoidNetwork((2, 1), seed=0), "model."),
        ({"A": x}.values(), "model[0]"),
        ([deque([1.0])], "model0[0]"),
        ({0.5}, "model[0]"),
    ],
)
def test_an_object_that_holds_numbers_is_refused_and_not_a_constant(given, where):
    def loss(model, x):
        return np.sum(x)

    label = where.split(".")[0].split("[")[0]
    for call in (bp.trace, bp.vjp, lambda f, *args: bp.grad(f)(*args)):
        text = str(refusal(functools.partial(call, loss, given, x)))
        assert f"{label} is an object with numbers in it" in text
        assert f"which has {where}" in text
    assert bp.grad(lambda x, model: loss(model, x))(x, model=given).tolist() == [1, 1]
    assert bp.grad(loss, argnums=1)(given, x).tolist() == [1, 1]


@pytest.mark.parametrize(
    "given",
    [
        np.tanh,
        bp.sigmoid,
        np.sum,
        Layer,
        np,
        Layer("a"),
        Speed.SLOW,
        np.random.default_rng(0),
        slice(3),
        {1},
        {"A": 0.5}.keys(),
    ],
)
def test_what_holds_no_number_is_handed_on(given):
    seen = []

    def f(option, x):
        seen.append(option)
        return np.sum(x)

    bp.trace(f, given, x)
    assert seen[0] is given


@pytest.mark.parametrize(
    ("given", "note"),
    [
        (
            [1, 2],
            "x is a list, and stays one inside the traced function.\n  instead:  np.array([1, 2])",
        ),
        ((1.0, "b"), "x is a tuple, and stays one inside the traced function."),
        ({"w": 1.0}, "x is a dict, and stays one inside the traced function."),
    ],
)
def test_what_python_says_of_a_list_is_explained(given, note):
    with pytest.raises(TypeError, match="unsupported operand") as caught:
        bp.trace(square, given)
    assert caught.value.__notes__ == [note]


def test_an_error_that_is_not_about_the_list_has_no_note():
    def fails(x):
        return "a" + 1

    with pytest.raises(TypeError) as caught:
        bp.trace(fails, [1.0])
    assert not hasattr(caught.value, "__notes__")


async def waits(x):
    return x


def yields(x):
    yield x


@pytest.mark.parametrize(
    ("f", "instead"),
    [(waits, "def in place of async def"), (yields, "return in place of yield")],
)
@pytest.mark.parametrize(
    "use",
    [bp.trace, lambda f, x: bp.grad(f)(x), lambda f, x: bp.check_gradient(f, 1.0, x)],
    ids=["trace", "grad", "check"],
)
def test_a_call_that_computes_nothing_yet_is_refused(use, f, instead):
    with pytest.raises(bp.UnsupportedError, match="must return its value") as caught:
        use(f, 2.0)
    assert caught.value.instead == instead

"""What is told of a wrong gradient: by its values, of its line, and beside it."""

import json

import numpy as np
import pytest
from of_two import W, X, f, right

import backprop_nb as bp
from backprop_nb.checking.lines.blame import Fault
from backprop_nb.checking.told import fault_sentence
from backprop_nb.tracing.source import Source


def changed(gradient, where):
    gradient = gradient.copy()
    gradient[where] += 0.25
    return gradient


@pytest.mark.parametrize(
    ("change", "mistake", "words"),
    [
        (lambda g: -g, "sign_flipped", "opposite sign"),
        (lambda g: g / 2, "missing_factor_2", "half"),
        (lambda g: 2 * g, "extra_factor_2", "twice"),
        (
            lambda g: -3 * g,
            "batch_not_averaged",
            "is −3 times the right one, and 3 is the number of",
        ),
        (lambda g: -7 * g, "not_recognised", "is −7 times the right one."),
        (lambda g: g / 4, "not_recognised", "is 1/4 times the right one"),
        (lambda g: g.T, "wrong_shape", "transpose would be right"),
        (lambda g: g[0], "wrong_shape", "its shape is (3,), expected (2, 3)"),
        (lambda g: g * np.nan, "not_finite", "not finite"),
        (lambda g: 0 * g, "missing_gradient", "zero everywhere"),
        (lambda g: g + 1, "not_recognised", "dW differs in every entry; no simple factor"),
        (lambda g: changed(g, (1, 2)), "not_recognised", "right but for one of its 6 entries, dW"),
        (lambda g: changed(g, 1), "not_recognised", "wrong in 3 of its 6 entries, all of them in"),
        (lambda g: changed(g, (..., 2)), "not_recognised", "all of them in column 2"),
        (lambda g: g[None], "wrong_shape", "The numbers are right, and only the shape differs"),
        (lambda g: None, "missing_gradient", "it is missing"),
        (lambda g: "text", "wrong_shape", "not made of real numbers"),
    ],
)
def test_what_is_wrong_is_said_with_the_parameters_name(change, mistake, words):
    dW, dx = right(W, X)
    report = bp.check_gradient(f, (change(dW), dx), W, X)
    (finding,) = report.findings
    assert (finding.mistake, finding.parameter, finding.rank) == (mistake, "dW", 1)
    assert "dW" in finding.message
    assert words in finding.message
    assert words.split(",")[0] in str(report)
    json.dumps(report.to_dict())


def test_a_gradient_that_is_missing_may_be_that_of_data():
    def loss(W, b, weight):
        return np.sum(weight * (W @ X + b) ** 2)

    def gradient(W, b, weight):
        d = 2 * weight * (W @ X + b)
        return {"dW": np.outer(d, X), "db": d}

    b, weight = np.array([0.1, 0.2]), np.array([1.0, 2.0])
    report = bp.check_gradient(loss, gradient, W, b, weight)
    assert (
        "it is missing, and all others are right. Return it, too; or if weight is data"
        in report.findings[0].message
    )
    assert report.findings[0].message.endswith("lambda W, b: loss(W, b, weight).")
    assert bp.check_gradient(
        lambda W, b: loss(W, b, weight), lambda W, b: gradient(W, b, weight), W, b
    ).ok


class OnGpu:
    """An array of another library."""

    def __init__(self, values):
        self._values = np.asarray(values)
        self.shape, self.dtype = self._values.shape, self._values.dtype

    def __array__(self, dtype=None, copy=None):
        return self._values.astype(dtype or self.dtype)


def tf32(x):
    """Round float32 to the 10 bits of the mantissa that a tensor core multiplies."""
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0xFFF + (bits >> 13 & 1)) & 0xFFFFE000
    return rounded.astype(np.uint32).view(np.float32)


def coarse(mistake=1.0, wrap=OnGpu, multiply=tf32):
    """Return a loss, its gradient in coarse products with a factor too much, and arguments."""
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(20, 30)), rng.normal(size=(10, 20))
    x, y = rng.normal(size=(30, 64)), rng.normal(size=(10, 64))

    def loss(A, B):
        return np.sum((B @ np.tanh(A @ x) - y) ** 2) / 64

    def gradient(A, B):
        f = np.tanh(multiply(A) @ multiply(x))
        d_z = (2 / 64 * (multiply(B) @ multiply(f) - y)).astype(np.float32)
        d_A = multiply(multiply(B).T @ multiply(d_z) * (1 - f**2)) @ multiply(x).T
        d_B = multiply(d_z) @ multiply(f).T * mistake
        return wrap(d_A.astype(np.float32)), wrap(d_B.astype(np.float32))

    return loss, gradient, A, B


@pytest.mark.parametrize("is_function", [True, False])
def test_products_in_tf32_are_named_in_place_of_a_line(is_function):
    loss, gradient, A, B = coarse()
    report = bp.check_gradient(loss, gradient if is_function else gradient(A, B), A, B)
    assert not report.ok  # nobody knows until it is computed with all digits
    [finding] = report.findings
    assert (finding.mistake, finding.line) == ("coarse_products", None)
    assert 'jax_default_matmul_precision", "highest"' in finding.message
    assert "jax" not in str(bp.check_gradient(loss, gradient, A, B, hints="none"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"mistake": 2.0},
        {"mistake": -1.0},
        {"mistake": 1.002},
        {"wrap": np.asarray},  # NumPy has no such products
        {"wrap": lambda d: OnGpu(d.astype(np.float64))},
        {
            "wrap": lambda d: OnGpu(
                d + 0.02 * abs(d).max() * (np.arange(d.size) == 7).reshape(d.shape)
            )
        },
    ],
    ids=["twice", "sign", "a little more", "NumPy", "float64", "one entry"],
)
def test_another_mistake_is_not_taken_for_coarse_products(wrong):
    loss, gradient, A, B = coarse(**wrong)
    report = bp.check_gradient(loss, gradient(A, B), A, B)
    assert not report.ok
    assert "coarse_products" not in [each.mistake for each in report.findings]


def test_all_digits_of_float32_from_another_library_are_right():
    loss, gradient, A, B = coarse(multiply=np.float32)
    assert bp.check_gradient(loss, gradient, A, B).ok


# --- what all gradients are ---------------------------------------------------------


def sum_of_squares(w, b, x):
    return np.sum((x @ w + b) ** 2)


WEIGHTS, BIAS, DATA = np.array([1.0, -2.0]), np.array([0.5]), np.arange(6.0).reshape(3, 2)


def gradients(w, b):
    residual = 2 * (DATA @ w + b)
    return DATA.T @ residual, np.array([residual.sum()])


def checked(change):
    def loss(w, b):
        return sum_of_squares(w, b, DATA)

    return bp.check_gradient(loss, lambda w, b: change(w, b, *gradients(w, b)), WEIGHTS, BIAS)


@pytest.mark.parametrize(
    ("change", "mistake", "words"),
    [
        (lambda w, b, dw, db: (-0.1 * dw, -0.1 * db), "step_returned", "step of an update, −0.1"),
        (lambda w, b, dw, db: (w - 0.1 * dw, b - 0.1 * db), "update_returned", "w − 0.1 · gradie"),
        (lambda w, b, dw, db: (w + 2 * dw, b + 2 * db), "update_returned", "w + 2 · gradient"),
        (lambda w, b, dw, db: (-dw, -db), "sign_flipped", "the opposite sign"),
        (lambda w, b, dw, db: (7 * dw, 7 * db), "not_recognised", "is 7 times the right one."),
    ],
)
def test_what_all_gradients_are_is_said_once(change, mistake, words):
    findings = checked(change).findings
    (finding,) = (each for each in findings if each.mistake != "wrong_line")
    assert finding.mistake == mistake
    assert finding.message.startswith("Like all others, dw ")
    assert words in finding.message


def test_an_update_has_no_line_that_is_not_proved():
    report = checked(lambda w, b, dw, db: (-0.1 * dw, -0.1 * db))
    assert all(each.proved for each in report.findings[:-1])
    assert report.findings[-1].mistake == "step_returned"


def test_a_single_parameter_that_was_updated_is_said_to_be_so():
    report = bp.check_gradient(lambda w: np.sum(w**4), lambda w: w - 0.1 * 4 * w**3, WEIGHTS)
    (finding,) = report.findings
    assert finding.message.startswith("dw looks like the updated w, w − 0.1 · gradient.")


def test_gradients_that_differ_are_told_one_by_one():
    report = checked(lambda w, b, dw, db: (2 * dw, -db))
    said = [each.message for each in report.findings if each.mistake != "wrong_line"]
    assert "db" in said[-1]
    assert not any("Like all others" in each for each in said)


def test_another_loss_beside_the_gradients_is_a_note():
    def with_loss(times):
        return checked(lambda w, b, dw, db: (times * sum_of_squares(w, b, DATA), (dw, db)))

    assert with_loss(1.0).notes == ()
    for times, words in ((0.5, "half as much"), (3.0, "3 times as much"), (0.123, "the loss is")):
        report = with_loss(times)
        assert report.ok
        (note,) = report.notes
        assert words in note
        assert note.endswith("The gradients are judged without it.")
    assert with_loss(0.0).ok


def test_another_loss_is_said_beside_a_gradient_of_a_wrong_shape_too():
    report = checked(lambda w, b, dw, db: (0.0, {"dw": dw, "db": db.sum()}))
    assert not report.ok
    assert "The number that is returned beside the gradients is 0, and the loss" in report.notes[0]


# --- what is data ---------------------------------------------------------------------


def test_a_key_that_is_misspelt_is_told_with_its_own():
    report = checked(lambda w, b, dw, db: {"dW": dw, "db": db})
    assert report.parameters[0].remark == "it is missing; if 'dW' is it, call it 'dw'"
    assert report.findings[0].message == f"dw: {report.parameters[0].remark}."
    assert checked(lambda w, b, dw, db: {"dw": dw, "db": db}).ok


def three_layers(W1, W2, W3, x):
    return np.sum((W3 @ np.tanh(W2 @ np.tanh(W1 @ x))) ** 2)


def told_of(keys):
    rng = np.random.default_rng(0)
    args = [*rng.normal(size=(3, 3, 3)), rng.normal(size=3)]
    right = bp.grad(three_layers, (0, 1, 2, 3))(*args)
    return bp.check_gradient(three_layers, dict(zip(keys, right, strict=False)), *args).findings


def test_a_misspelt_key_is_offered_to_one_parameter_alone():
    messages = [each.message for each in told_of(["dW1", "dWW", "dWWW"])]
    assert messages[0] == "dW2: it is missing; if 'dWW' is it, call it 'dW2'."
    assert messages[1] == "dW3: it is missing; if 'dWWW' is it, call it 'dW3'."

    def loss(w, b, x):
        return np.sum((w * x + b) ** 2)

    def gradient(w, b, x):
        e = 2 * (w * x + b)
        return {"dw": e * x, "dB": e}

    found = bp.check_gradient(loss, gradient, *np.random.default_rng(0).normal(size=(3, 3)))
    assert found.parameters[1].remark == "it is missing; if 'dB' is it, call it 'db'"
    assert found.parameters[2].remark == "it is missing"


def test_what_has_a_misspelt_gradient_is_kept_where_data_are_left_out():
    misspelt, missing = told_of(["dW1", "dW2", "dw3"])
    assert misspelt.message == "dW3: it is missing; if 'dw3' is it, call it 'dW3'."
    assert missing.message.startswith("dx: it is missing. Return it, too;")
    assert missing.message.endswith("without it: lambda W1, W2, W3: three_layers(W1, W2, W3, x).")


def test_an_input_without_a_target_is_said_to_be_data():
    def loss(w, b, x):
        return sum_of_squares(w, b, x)

    report = bp.check_gradient(loss, lambda w, b, x: gradients(w, b), WEIGHTS, BIAS, DATA)
    assert report.ok
    assert report.notes == ("These are the gradients by w and b; x counts as data.",)


def test_gradients_of_one_shape_in_another_order_are_told_as_such():
    def product(a, b):
        return a**2 * b

    def at_once(a, b):
        return a**2, 2 * a * b

    def by_name(a, b):
        da, db = 2 * a * b, a**2
        return db, da

    finding, *others = bp.check_gradient(product, at_once, 3.0, 5.0).findings
    assert finding.repair == "2 * a * b, a ** 2 in place of a ** 2, 2 * a * b"
    assert finding.proved
    assert not others
    # Two lines could be exchanged here, and no line is known there.
    for gradient in (by_name, at_once(3.0, 5.0)):
        assert [
            each.message for each in bp.check_gradient(product, gradient, 3.0, 5.0).findings
        ] == [
            "da would be right as db: the order is that of the arguments.",
            "db would be right as da: the order is that of the arguments.",
        ]


# --- the line ---------------------------------------------------------------------


def fault(**fields):
    place = Source("a + 1", "cell", (3, 8), (3, 13), (1, 3), "def f(a):\n\n    b = a + 1")
    defaults = {"quantity": "∂L/∂z", "repair": "multiply it by 2", "proved": True, "spoils": (0,)}
    return Fault(place, **(defaults | fields), given=np.ones(2), expected=np.ones(2))


FIRST, SEEMS = "this is where it goes wrong first.", "it seems to go wrong here."
SHOULD, PROBABLY = "this should be ∂L/∂z", "this should probably be ∂L/∂z"
RIGHT = "every gradient is right."


@pytest.mark.parametrize(
    ("fields", "several", "clear", "plain"),
    [
        ({}, False, FIRST, f"{SHOULD}; multiply it by 2. With it, {RIGHT}"),
        (
            {"proved": False},
            True,
            SEEMS,
            f"{PROBABLY}; multiply it by 2. With both mended, {RIGHT}",
        ),
        ({"proved": False, "repair": ""}, False, SEEMS, f"{PROBABLY}."),
        ({"proved": False, "quantity": "", "repair": ""}, False, SEEMS, SEEMS),
    ],
)
def test_no_more_is_said_of_a_line_than_was_proved(fields, several, clear, plain):
    lead = "Line 3, a + 1: "
    assert fault_sentence(fault(**fields), "clear", several) == lead + clear
    assert fault_sentence(fault(**fields), "plain", several) == lead + plain
    vague = fault_sentence(fault(**fields), "vague", several)
    assert ("seems" in vague) == ("seems" in clear and not several)
    assert "3" not in vague
    assert fault_sentence(fault(**fields), "none", several) == ""

"""The text of a traced value is text; a number that is read from it is refused."""

import ast
import copy
import gc
import json
import pickle
import sys
import weakref

import numpy as np
import pytest

import backprop_nb as bp

X = np.array([0.7, 1.3])
SINGLE = X.astype(np.float32)


def within(x):
    text = f"<{x}>"
    return float(text[1:-1]) * x


def kept(x):
    seen = []
    seen.append(f"{x}")
    return float(seen[-1]) * x


def found(x):
    entries = {"a": f"x = {x!r};"}
    return eval(entries["a"][4:-1]) * x


READ = {
    "f-string": (lambda x: float(f"{x}") * x, 0.7),
    "str": (lambda x: float(str(x)) * x, np.float64(0.7)),
    "repr": (lambda x: float(repr(x)) * x, 0.7),
    "format": (lambda x: float(format(x, ".6f")) * x, 0.7),
    "method": (lambda x: float("{}".format(x)) * x, 0.7),  # noqa: UP032
    "percent": (lambda x: float("%s" % x) * x, 0.7),  # noqa: UP031
    "int": (lambda x: int(f"{x:.0f}") * x, 2.7),
    "NumPy's": (lambda x: np.float64(f"{x}") * x, 0.7),
    "array": (lambda x: np.array([f"{x}"], dtype=float)[0] * x, 0.7),
    "astype": (lambda x: np.array(f"{x}").astype(float) * x, 0.7),
    "complex": (lambda x: complex(f"{x}").real * x, 0.7),
    "eval": (lambda x: eval(f"{x}") * x, 0.7),
    "literal": (lambda x: ast.literal_eval(f"({x})") * x, 0.7),
    "json": (lambda x: json.loads(f"[{x}]")[0] * x, 0.7),
    "part": (within, 0.7),
    "kept": (kept, 0.7),
    "found": (found, 0.7),
    "whole number": (lambda x: eval(f"{x}") * x, 2),
    "entry": (lambda x: np.sum(eval(f"{x[0]}") * x), X),
    "single": (lambda x: np.sum(eval(f"{x[0]}") * x), SINGLE),
    "fromstring": (lambda x: np.sum(np.fromstring(str(x)[1:-1], sep=" ") * x), X),
    "array2string": (
        lambda x: np.sum(np.fromstring(np.array2string(x)[1:-1], sep=" ") * x),
        X,
    ),
    "nested": (bp.grad(lambda x: eval(f"{x}") * x * x), 0.7),
}


@pytest.mark.parametrize("name", READ)
def test_a_number_read_from_text_is_refused_at_the_line(name):
    f, x = READ[name]
    with pytest.raises(bp.DetachedError, match=r"from (the )?text") as raised:
        bp.trace(f, x)
    assert "test_text.py" in raised.value.at
    assert "np.round(x, 3)" in str(raised.value)


@pytest.mark.parametrize("precision", [8, 4, 1])
@pytest.mark.parametrize("name", ["fromstring", "array2string"])
def test_a_number_of_few_digits_is_refused_as_well(name, precision):
    f, x = READ[name]
    with (
        np.printoptions(precision=precision, suppress=True),
        pytest.raises(bp.DetachedError, match="from text"),
    ):
        bp.trace(f, x)


@pytest.mark.parametrize("digits", [1, 3, 6])
def test_a_number_within_longer_text_is_refused_with_any_digits(digits):
    with pytest.raises(bp.DetachedError, match="from text"):
        bp.trace(lambda x: float(f"{x:.{digits}f} ") * x, 0.712345678)


def test_the_advice_works():
    assert bp.grad(lambda x: x * x)(0.7) == pytest.approx(1.4)
    assert bp.grad(lambda x: float(f"{np.round(x, 1)}") * x)(0.72) == pytest.approx(0.7)
    assert bp.grad(lambda x: int(f"{np.round(x):.0f}") * x)(0.72) == 1.0


log = []


def logged(x):
    log.append(f"{np.mean(x):.3f}")
    return np.sum(np.array([1.0, 2.0]) * x) * float(3)


def named(x):
    parts = {f"{float(1)} of {x[0]:.2f}": x[0], str(x): x[1]}
    return sum(parts.values())


HARMLESS = {
    "logged": (logged, X),
    "key": (named, X),
    "length": (lambda x: x * len(f"{x:.2f}") * float(2), 0.5),
    "looked up": (lambda x: {"0.7": float(2)}.get(f"{x:.1f}", 1.0) * x, 0.7),
    "of several": (lambda x: x * float({"0.7": 2, "0.8": 5}.get(f"{x:.1f}", 3)), 0.72),
    "no number": (lambda x: x * float(1 + f"{x:.2f}".count("7")), 0.72),
    "index": (lambda x: x[int(f"{np.argmax(x)}")] ** 2, X),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_text_without_a_part_in_the_value_is_left_alone(name):
    f, x = HARMLESS[name]
    step = 1e-6
    differences = (np.asarray(f(x + step)) - f(x - step)) / (2 * step)
    assert np.sum(bp.grad(f)(x)) == pytest.approx(differences, rel=1e-6)


def test_what_a_function_prints_is_printed_once(capsys):
    def f(x):
        message = f"{x:.2f}"
        print(message)
        print(message, file=sys.stderr)
        return x * float(2) * len(message)

    bp.trace(f, 0.7)
    assert capsys.readouterr() == ("0.70\n", "0.70\n")


class Bar:
    def show(self, text):
        self.text = text


BAR, SEEN = Bar(), {}


def shown(x):
    BAR.show(f"{x:.3f}")


def kept_as_key(x):
    SEEN[f"{x:.3f}"] = 1


def titled(x):
    title = f"loss {x:.3f}"
    print(title)
    BAR.show(text=title.rjust(12))


def joined(x):
    print(" ".join([f"{each:.3f}" for each in [x, x]]))


@pytest.mark.parametrize("say", [shown, kept_as_key, titled, joined])
def test_a_function_that_says_how_far_it_is_runs_once(say):
    runs = []

    def f(x):
        runs.append(1)
        y = np.sum(np.array(x) ** 2)
        say(y)
        return y

    bp.grad(f)(X)
    assert len(runs) == 1


def test_a_function_that_makes_text_draws_as_often_as_without_a_tracer():
    def f(x):
        kept = np.random.rand(2) > 0.5
        title = f"{np.sum(x):.2f}"
        return np.sum(np.array(x) * kept) * len(title)

    np.random.seed(1)
    f(X)
    after = np.random.rand()
    np.random.seed(1)
    bp.grad(f)(X)
    assert np.random.rand() == after


@pytest.mark.parametrize("seed", range(20))
def test_what_is_random_is_not_taken_for_a_number_read_from_text(seed):
    def f(w):
        kept = np.random.rand(3) > 0.5
        title = f"{np.sum(w):.2f}"
        return np.sum((np.array(w) * kept - 1) ** 2) * len(title)

    np.random.seed(seed)
    assert set(bp.grad(f)(np.zeros(3))) <= {-0.0, -2.0 * len("0.00")}


def test_a_log_has_one_entry_a_run():
    log.clear()
    bp.grad(logged)(X)
    assert log == ["1.000"]


def test_a_function_that_keeps_text_is_left_with_that_of_its_arguments():
    seen = {}

    def f(x):
        seen["x"] = f"{x[0]:.4f}"
        return np.sum(x) * float(2)

    bp.grad(f)(X)
    assert seen == {"x": "0.7000"}


def test_text_outlives_its_trace_and_does_not_keep_it():
    texts = []

    def f(x):
        texts.append(f"{x[0]:.2f}")
        return np.sum(x**2)

    bp.trace(f, X)
    assert float(texts[0]) == 0.7
    assert [int(each) for each in ("7", copy.copy(texts[0])[2:3])] == [7, 7]
    for other in (pickle.loads(pickle.dumps(texts[0])), copy.deepcopy(texts[0])):
        assert type(other) is str
        assert other == "0.70"
    [(tape, _)] = texts[0]._made_of
    assert isinstance(tape, weakref.ref)
    gc.collect()
    assert tape() is None


def test_text_does_not_read_better_than_python_does():
    with pytest.raises(ValueError, match="could not convert"):
        bp.trace(lambda x: x * float(f"{x} m"), 0.7)
    with pytest.raises(ValueError, match="invalid literal"):
        bp.trace(lambda x: x * int(f"{x}"), 0.7)

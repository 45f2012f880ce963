"""The report on a backward pass: what is wrong with it, in words, and what is not its fault."""

import functools
import json
import math
import re
import sys

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.checking.mistakes import make_backward
from backprop_nb.checking.report import HINTS


def found(report):
    return [each.mistake for each in report.findings if each.rank == 1]


# With ½ in front of the loss, δ_K = (f − y) σ′; without its σ′ it is that of the cross-entropy.
SAME_WITH_HALF = {"cross_entropy_delta", "sigma_prime_missing_at_output"}


# --- several mistakes, and mistakes at some layers -------------------------------


def test_the_two_of_a_pair_share_the_first_rank_and_the_pair_is_named_once():
    backward = make_backward("missing_factor_2", "layer_input_off_by_one", samples="single")
    first, second = bp.check_backward(backward).findings
    assert first.rank == second.rank == 1
    assert "together with “The layer's output stands" in first.message
    assert ", the second of the two. " in second.message
    assert "together with" not in second.message


@pytest.mark.parametrize("hints", HINTS)
def test_of_two_mistakes_only_the_first_gradient_is_called_the_first_that_is_wrong(hints):
    # The catalogue has them the other way round.
    backward = make_backward("sigma_prime_missing_in_hidden", "layer_input_off_by_one")
    report = bp.check_backward(backward, samples="rows", hints=hints)
    first, second = report.findings
    assert (first.mistake, first.parameter) == ("layer_input_off_by_one", "dA[2]")
    assert (second.mistake, second.parameter) == ("sigma_prime_missing_in_hidden", "dA[1]")
    leads = [each.message.partition(". ")[0].rstrip(".") for each in report.findings]
    assert leads == {
        "none": [
            "dA[2] is the first gradient that is wrong, in the order of the backward pass",
            "dA[1] is wrong, too",
        ],
        "plain": [
            "dA[2]: consistent with “The layer's output stands in place of its input”, together "
            "with “σ′ is missing in the hidden layers”",
            "dA[1]: consistent with “σ′ is missing in the hidden layers”, the second of the two",
        ],
    }.get(
        hints,
        [
            "dA[2] is the first gradient that is wrong, in the order of the backward pass",
            "There is a second mistake: dA[1] is the first gradient that it makes wrong",
        ],
    )
    if hints in ("clear", "plain"):
        assert "σ′ in a hidden layer" in second.message
        assert "quantity that is wrong" not in second.message
        assert ". Wrong first" not in second.message
    # Of both together it would not be true that the last layer is right.
    assert ("A hint for this one alone: The last layer is right." in second.message) == (
        hints == "vague"
    )


def test_the_lowest_level_of_hints_does_not_tell_how_many_mistakes_there_are():
    backward = make_backward("sign_flipped", "layer_input_off_by_one", samples="single")
    text = str(bp.check_backward(backward, hints="none"))
    assert text.count("is the first gradient that is wrong") == 1
    assert "too" not in text


def test_of_two_mistakes_that_begin_at_one_gradient_the_second_is_called_so():
    backward = make_backward("sign_flipped", "layer_input_off_by_one", samples="single")
    _, second = bp.check_backward(backward, hints="vague").findings
    assert second.message.startswith(
        "There is a second mistake: dA[2] is the first gradient that it makes wrong. A hint"
    )


def test_what_cannot_be_told_apart_is_said_to_be_so():
    backward = make_backward("cross_entropy_delta", samples="single", half=True)
    report = bp.check_backward(backward, half=True)
    assert set(found(report)) == SAME_WITH_HALF
    assert all("just as consistent with" in each.message for each in report.findings)
    first, second = bp.check_backward(backward, half=True, hints="vague").findings
    assert first.message.startswith("dA[2] is the first gradient that is wrong")
    assert second.message.startswith("Or it is another mistake: dA[2] is the first gradient that")


@pytest.mark.parametrize("hints", HINTS)
def test_a_mistake_at_one_layer_is_said_with_the_layer_as_far_as_hints_allow(hints):
    name = "sigma_prime_missing_in_hidden"
    backward = make_backward(name, samples="single", layers={name: [1]})
    (finding,) = bp.check_backward(backward, hints=hints).findings
    assert finding.message.startswith("dA[0]")
    assert ("“σ′ is missing at layer 1”" in finding.message) == (hints == "plain")
    assert ("σ′(z_1)" in finding.message) == (hints in ("clear", "plain"))
    assert "1" not in finding.message.removeprefix("dA[0]") or hints in ("clear", "plain")


def test_a_mistake_at_all_its_layers_is_said_without_them_and_kept_with_them():
    backward = make_backward("sigma_prime_missing_in_hidden", samples="single")
    report = bp.check_backward(backward)
    assert "“σ′ is missing in the hidden layers”" in report.findings[0].message
    assert report.findings[0].layers == (1, 2)
    assert report.to_dict()["findings"][0]["layers"] == [1, 2]


def test_a_gradient_that_is_missing_does_not_hide_a_mistake_elsewhere():
    name = "sigma_prime_missing_in_hidden"
    wrong = make_backward(name, samples="single", layers={name: [2]})

    def backward(A, b, x, y):
        dA, db = wrong(A, b, x, y)
        db[2] = np.zeros_like(db[2])
        return dA, db

    first = bp.check_backward(backward).findings[0]
    assert (first.mistake, first.layers, first.rank) == (name, (2,), 1)


# --- correct submissions in many styles ------------------------------------------


def sigma(z):
    return 1 / (1 + np.exp(-z))


def by_hand(A, b, x, y):
    f = [x]
    for A_i, b_i in zip(A, b, strict=True):
        f.append(sigma(A_i @ f[-1] + b_i))
    delta = 2 * (f[-1] - y) * f[-1] * (1 - f[-1])
    dA, db = [None] * len(A), [None] * len(A)
    for i in reversed(range(len(A))):
        dA[i], db[i] = np.outer(delta, f[i]), delta
        delta = A[i].T @ delta * f[i] * (1 - f[i])
    return dA, db


def changed(change):
    """A right pass whose gradients are changed afterwards."""

    def backward(A, b, x, y):
        return change(*by_hand(A, b, x, y))

    return backward


def of_each(change):
    """A right pass of which each gradient is changed."""
    return changed(lambda *parts: tuple([change(each) for each in part] for part in parts))


class Callable:
    def __call__(self, *args):
        return by_hand(*args)


class Marked(np.ndarray):
    pass


def in_longdouble(A, b, x, y):
    return by_hand([each.astype(np.longdouble) for each in A], b, x, y)


def with_defaults(weights, biases, inputs, targets, verbose=False):
    return by_hand(weights, biases, inputs, targets)


def as_a_generator(A, b, x, y):
    for part in by_hand(A, b, x, y):
        yield (each for each in part)


def by_the_tracer(A, b, x, y):
    def loss(A, b):
        f = x
        for A_i, b_i in zip(A, b, strict=True):
            f = bp.sigmoid(A_i @ f + b_i)
        return np.sum((y - f) ** 2)

    return bp.grad(loss, argnums=(0, 1))(list(A), list(b))


RIGHT = {
    "a function": by_hand,
    "an object": Callable(),
    "a method": Callable().__call__,
    "any arguments": lambda *args: by_hand(*args),
    "a partial": functools.partial(lambda rate, *args: by_hand(*args), 0.1),
    "other names and a default": with_defaults,
    "long doubles": in_longdouble,
    "a generator": as_a_generator,
    "the tracer": by_the_tracer,
    "lists": of_each(np.ndarray.tolist),
    "views": of_each(lambda each: np.asfortranarray(each)[::1]),
    "a subclass": of_each(lambda each: each.view(Marked)),
    "masked arrays": of_each(np.ma.masked_array),
    "object arrays": changed(lambda *both: tuple(np.array(part, dtype=object) for part in both)),
    "parts of a generator": changed(lambda *both: (part for part in both)),
    "by name": changed(lambda dA, db: {"db": db, "dA": dA}),
    "beside the loss": changed(lambda dA, db: (0.25, (dA, db))),
    "behind the loss": changed(lambda dA, db: (0.25, dA, db)),
}


@pytest.mark.parametrize("backward", RIGHT.values(), ids=RIGHT)
def test_a_right_submission_is_right_however_it_is_written(backward):
    report = bp.check_backward(backward)
    assert report.ok, str(report)


def test_float32_counts_as_right_with_a_note():
    def backward(A, b, x, y):
        return by_hand(*([each.astype(np.float32) for each in part] for part in (A, b)),
                       x.astype(np.float32), y.astype(np.float32))  # fmt: skip

    report = bp.check_backward(backward)
    assert report.ok
    assert "below float64" in report.notes[0]
    assert "to the precision of float32" in str(report)


def test_float32_counts_as_right_in_wider_arrays_too():
    def nearly(A, b, x, y, kind=np.float32):
        parts = by_hand(A, b, x, y)
        return tuple(
            [(each * (1 + 1e-5)).astype(kind).astype(float) for each in part] for part in parts
        )

    report = bp.check_backward(nearly)
    assert report.ok
    assert "below float64" in report.notes[0]
    assert not bp.check_backward(functools.partial(nearly, kind=float)).ok


def test_what_it_prints_is_kept_and_what_it_warns_of_is_not(capfd):
    def backward(A, b, x, y):
        print("z is", 3)
        print("careful", file=sys.stderr)
        np.log(np.zeros(1))
        return by_hand(A, b, x, y)

    report = bp.check_backward(backward)
    assert report.ok
    assert report.printed.startswith("z is 3\n")
    assert "It printed:\n  z is 3" in str(report)
    assert capfd.readouterr() == ("", "")


def test_numbers_near_the_largest_leave_standard_error_silent(capfd):
    report = bp.check_backward(lambda *args: ([np.full_like(each, -1e308) for each in args[0]], []))
    assert report.score == 0.0
    assert capfd.readouterr() == ("", "")


def test_printing_megabytes_does_not_fill_the_report():
    def backward(A, b, x, y):
        print("x" * 10_000_000)
        return by_hand(A, b, x, y)

    report = bp.check_backward(backward)
    assert report.ok
    assert "more characters" in str(report)
    assert len(str(report)) < 5000


# --- what is not about values -------------------------------------------------------


def test_inputs_that_are_modified_are_found_and_do_not_spoil_the_values():
    def backward(A, b, x, y):
        result = by_hand(A, b, x, y)
        x *= 0
        A[1][0, 0] = 7
        b.append(None)
        return result

    report = bp.check_backward(backward)
    assert all(each.ok for each in report.parameters)
    assert not report.ok
    assert 0 < report.score < 1
    (offence,) = report.offences
    assert offence.mistake == "input_modified"
    assert "x = x - 1 makes a new array; x -= 1 and" in offence.message  # can be copied
    assert "A[1], the list b and x are not as before the call" in offence.message
    assert "but something else is wrong" in str(report)


def test_state_between_calls_is_found_and_every_call_counts():
    kept = {}

    def adding(dA, db):
        if kept.get("shape") == dA[0].shape:
            dA = [one + two for one, two in zip(dA, kept["dA"], strict=True)]
        kept.update(shape=dA[0].shape, dA=dA)
        return dA, db

    report = bp.check_backward(changed(adding))
    wrong = [each.name for each in report.parameters if not each.ok]
    assert wrong == ["dA[0]", "dA[1]", "dA[2]"]
    assert not report.findings
    (offence,) = report.offences
    assert (offence.mistake, offence.parameter) == ("state_kept_between_calls", "dA[2]")
    assert "Every call has to be right." in str(report).replace("\n", " ")


def test_the_gradient_that_changes_from_call_to_call_is_named():
    calls = []

    def again(dA, db):
        calls.append(1)
        return dA, [db[0] * len(calls) ** 2, db[1], db[2]]

    (offence,) = bp.check_backward(changed(again)).offences
    assert offence.parameter == "db[0]"
    assert "different db[0]: it stores something between calls" in offence.message


def test_a_mistake_is_recognised_beside_an_offence():
    wrong = make_backward("sign_flipped", samples="single")

    def backward(A, b, x, y):
        result = wrong(A, b, x, y)
        x[:] = 0
        return result

    report = bp.check_backward(backward)
    assert found(report) == ["sign_flipped"]
    assert [each.mistake for each in report.offences] == ["input_modified"]


# --- shapes, and what is no gradient --------------------------------------------------


@pytest.mark.parametrize(
    ("change", "mistake", "words"),
    [
        (lambda dA, db: (dA, None), "missing_gradient", "The same is wrong with db[1] and db[0]"),
        (lambda dA, db: (dA, 1.0), "wrong_shape", "db is one number, not a list"),
        (lambda dA, db: None, "missing_gradient", "returned nothing"),
        (lambda dA, db: [*dA, *db], "missing_gradient", "a list of 6"),
        (lambda dA, db: {"a": dA, "c": db}, "missing_gradient", "'a' and 'c', not a pair (dA, db)"),
        (lambda dA, db: np.float64(1), "missing_gradient", "not a pair"),
        (lambda dA, db: (dA, [None] * 3), "missing_gradient", "db[2]: it is missing"),
        (lambda dA, db: (dA, db[:2]), "missing_gradient", "it is missing"),
        (lambda dA, db: (dA, [0 * each for each in db]), "missing_gradient", "zero everywhere"),
        (
            lambda dA, db: (dA, [each[:, None] for each in db]),
            "wrong_shape",
            "and only the shape differs. The same is wrong with db[1] and db[0].",
        ),
        (lambda dA, db: (db, dA), "wrong_shape", "dA and db have changed places. Return (dA, db)."),
        (lambda dA, db: (dA[::-1], db[::-1]), "wrong_shape", "the lists run backwards"),
        (lambda dA, db: ([each.T for each in dA], db), "weight_gradient_transposed", "dA[2]"),
        (lambda dA, db: (dA, [each[:1] for each in db]), "wrong_shape", "expected (2,)"),
        (lambda dA, db: ([each * np.nan for each in dA], db), "not_finite", "dA[2]"),
        (lambda dA, db: ([each + 1 for each in dA], db), "not_recognised", "db[2] is right, and"),
        (lambda dA, db: (dA, [each + 1 for each in db]), "not_recognised", "dA[2] is right, and"),
        (
            lambda dA, db: (
                [np.cos(each) for each in dA[:2]] + dA[2:],
                [np.cos(each) for each in db[:2]] + db[2:],
            ),
            "not_recognised",
            "look at how δ_2 is made of δ_3",
        ),
        (lambda dA, db: ([dA[0], dA[1] / 2, dA[2]], db), "not_recognised", "It is half of the"),
        (lambda dA, db: (dA, ["a", "b", "c"]), "wrong_shape", "not made of real numbers, but of t"),
    ],
)
def test_what_is_no_gradient_is_said_with_its_name(change, mistake, words):
    report = bp.check_backward(changed(change))
    assert not report.ok
    best = report.findings[0]
    assert len(report.findings) == 1  # what is wrong with all of them is said once
    assert best.mistake == mistake
    assert best.parameter in best.message
    assert words in " ".join(each.message for each in report.findings)


def test_a_list_that_is_missing_costs_its_own_gradients_only():
    assert bp.check_backward(changed(lambda dA, db: (dA, None))).score == pytest.approx(0.5)


def test_entries_that_no_layer_has_are_found_and_the_others_judged():
    report = bp.check_backward(changed(lambda dA, db: ([*dA, dA[0]], db)))
    assert all(each.ok for each in report.parameters)
    (offence,) = report.offences
    assert (offence.mistake, offence.parameter) == ("wrong_shape", "dA[2]")
    assert "dA has 4 entries" in offence.message


def test_a_list_without_an_end_is_not_followed():
    def backward(A, b, x, y):
        return (each for each in iter(lambda: by_hand(A, b, x, y)[0], None)), []

    report = bp.check_backward(backward)
    assert report.score == 0.0
    assert "dA has more than 3 entries" in str(report)


def test_a_generator_that_raises_is_told_with_its_error():
    def backward(A, b, x, y):
        yield by_hand(A, b, x, y)[0]
        raise ZeroDivisionError("late")

    (finding,) = bp.check_backward(backward).findings
    assert finding.mistake == "raised_exception"
    assert "ZeroDivisionError: late (in backward, line" in finding.message


def test_a_wrong_shape_is_said_beside_the_mistake_in_the_values():
    wrong = make_backward("sign_flipped", samples="single")

    def backward(A, b, x, y):
        dA, db = wrong(A, b, x, y)
        return dA, [each[:, None] for each in db]

    findings = bp.check_backward(backward).findings
    assert [(each.mistake, each.rank) for each in findings] == [
        ("sign_flipped", 1),
        ("wrong_shape", 2),
    ]


def test_what_fails_with_some_widths_only_says_with_which():
    wrong = make_backward("weights_not_transposed", samples="single")
    first, second = bp.check_backward(wrong).findings
    assert (first.mistake, second.mistake) == ("weights_not_transposed", "raised_exception")
    assert "with layers of 4, 3, 5 and 2 units; with layers of 3, 3, 3 and 3 units it runs." in (
        second.message
    )
    (always,) = bp.check_backward(lambda *_: 1 / 0).findings
    assert "units" not in always.message


@pytest.mark.parametrize("hints", HINTS)
def test_a_pass_that_is_right_once_is_no_pass_of_another_course(hints):
    report = bp.check_backward(
        make_backward("state_kept_between_calls", samples="single"), hints=hints
    )
    assert not any(each.ok for each in report.parameters)
    assert not report.findings
    assert [each.mistake for each in report.offences] == ["state_kept_between_calls"]


def test_a_sum_over_calls_is_told_as_such():
    kept = {}

    def adding(dA, db):
        before = kept.get(dA[0].shape, [0, 0, 0])
        kept[dA[0].shape] = dA = [one + two for one, two in zip(dA, before, strict=True)]
        return dA, db

    (offence,) = bp.check_backward(changed(adding)).offences
    assert offence.mistake == "state_kept_between_calls"
    assert "different dA[2]: it is twice the first one" in offence.message


@pytest.mark.parametrize(
    ("error", "words"),
    [(ZeroDivisionError("by 0"), "ZeroDivisionError: by 0"), (SystemExit(3), "SystemExit")],
)
def test_what_it_raises_is_in_the_report_with_its_line(error, words):
    def backward(A, b, x, y):
        raise error

    report = bp.check_backward(backward)
    assert report.score == 0.0
    assert report.findings[0].mistake == "raised_exception"
    assert words in str(report)
    assert "in backward, line" in str(report)


def test_deep_recursion_is_an_exception_like_any_other():
    def backward(A, b, x, y):
        return backward(A, b, x, y)

    assert "RecursionError" in str(bp.check_backward(backward))


def test_an_object_that_equals_everything_is_no_gradient():
    class Yes:
        __hash__ = None

        def __eq__(self, other):
            return True

        def __iter__(self):
            return iter([self, self])

        def __len__(self):
            return 2

        def __getitem__(self, key):
            return self

    report = bp.check_backward(lambda A, b, x, y: Yes())
    assert report.score == 0.0


def test_a_pass_that_only_fits_one_network_is_not_right():
    def backward(A, b, x, y):
        if A[0].shape[0] != 3 or A[0].shape[1] != 4:
            raise ValueError("this network only")
        return by_hand(A, b, x, y)

    report = bp.check_backward(backward)
    assert not report.ok
    assert "this network only" in str(report)


def test_a_patched_comparison_changes_nothing(monkeypatch):
    monkeypatch.setattr(np, "allclose", lambda *_, **__: True)
    monkeypatch.setattr(np, "array_equal", lambda *_, **__: True)
    assert found(bp.check_backward(make_backward("sign_flipped", samples="single"))) == [
        "sign_flipped"
    ]


# --- what no mistake of the catalogue explains ------------------------------------------


def said_of(backward, **options):
    report = bp.check_backward(backward, **options)
    assert not report.ok
    return [each.message for each in report.findings]


def test_all_gradients_that_are_a_step_of_an_update_are_said_to_be_so():
    step = of_each(lambda each: -0.1 * each)
    (text,) = said_of(step)
    assert text.startswith("Like all others, dA[2] is −0.1 times the right one: it looks like")
    assert "the step of an update, −0.1 · gradient. Return the gradient itself" in text
    (text,) = said_of(step, hints="clear")
    assert "dA[2] and all others are off by one and the same factor." in text
    assert "0.1" not in text


def test_parameters_that_were_updated_are_said_to_be_so():
    def updated(A, b, x, y):
        return tuple(
            [p - 0.05 * g for p, g in zip(*each, strict=True)]
            for each in zip((A, b), by_hand(A, b, x, y), strict=True)
        )

    report = bp.check_backward(updated)
    (finding,) = report.findings
    assert finding.mistake == "update_returned"
    assert "dA[2] looks like the updated A[2], A[2] − 0.05 · gradient. Return" in finding.message
    (text,) = said_of(updated, hints="clear")
    assert "0.05" not in text
    assert "update" not in text


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (lambda N: 2.0, "twice as much"),
        (lambda N: 0.5, "half as much"),
        (lambda N: N, "N times as much"),
        (lambda N: 1 / N, "1/N times as much"),
        (lambda N: 7.0, "7 times as much"),
    ],
)
def test_another_loss_beside_right_gradients_is_said_and_costs_nothing(times, said):
    right = make_backward(samples="rows")

    def backward(A, b, x, y):
        f = x
        for A_i, b_i in zip(A, b, strict=True):
            f = bp.sigmoid(f @ A_i.T + b_i)
        loss = np.sum((f - y) ** 2) / len(x)
        return loss * times(len(x)), right(A, b, x, y)

    report = bp.check_backward(backward, samples="rows")
    assert (report.ok, report.score, report.findings) == (True, 1.0, ())
    (note,) = report.notes
    assert f"{said}. The gradients are judged without it." in note
    (note,) = bp.check_backward(backward, samples="rows", hints="vague").notes
    assert "which is not the loss" in note
    assert said not in note


def test_the_right_loss_beside_the_gradients_is_no_news():
    def backward(A, b, x, y):
        f = x
        for A_i, b_i in zip(A, b, strict=True):
            f = bp.sigmoid(A_i @ f + b_i)
        return np.sum((f - y) ** 2), by_hand(A, b, x, y)

    assert bp.check_backward(backward).notes == ()
    assert bp.check_backward(lambda *given: (np.nan, by_hand(*given))).ok


def test_each_shape_that_is_wrong_in_its_own_way_is_said():
    right = make_backward(samples="rows")

    def turned(A, b, x, y):
        dA, db = right(A, b, x, y)
        return [2 * each.T + 1 for each in dA], [each.sum() for each in db]

    weights, biases = said_of(turned, samples="rows", widths=(3, 4, 2))
    assert weights == ("dA[1]: its shape is (4, 2), expected (2, 4). The same is wrong with dA[0].")
    assert biases == "db[1]: its shape is (), expected (2,). The same is wrong with db[0]."


def test_a_factor_is_told_in_the_sizes_of_the_network():
    def by_outputs(dA, db, N):  # divided by n_K where N was meant
        n = len(db[-1])
        return [each * N / n for each in dA], db

    right = make_backward(samples="rows")
    texts = said_of(lambda A, b, x, y: by_outputs(*right(A, b, x, y), len(x)), samples="rows")
    assert "It is N/n_K times the right one." in texts[0]
    assert "The same is wrong with dA[1] and dA[0]." in texts[0]
    tenfold = said_of(lambda *given: ([10 * each for each in right(*given)[0]], right(*given)[1]),
                      samples="rows")  # fmt: skip
    assert "It is 10 times the right one." in tenfold[0]


def test_of_two_faults_in_two_gradients_both_are_told():
    two = changed(lambda dA, db: ([np.cos(dA[0]), *dA[1:]], [*db[:2], 3 * db[2]]))
    first, second = said_of(two)
    assert first.startswith("db[2] is the first gradient that is wrong")
    assert "It is 3 times the right one. dA[2] is right, and so is δ_3" in first
    assert second.startswith("dA[0] is wrong, too.")
    assert "db[0] is right, and so is δ_1" in second
    assert len(said_of(two, hints="none")) == 1


def test_what_is_wrong_with_delta_is_told_once_and_spoils_what_is_below():
    (text,) = said_of(of_each(np.cos))
    assert text.startswith("dA[2] is the first gradient that is wrong, in the order of the back")

    class Untold:  # has no text in which a line could be
        def __call__(self, *given):
            return of_each(np.cos)(*given)

    (text,) = said_of(Untold())
    assert text.endswith("db[2] is wrong too: look at δ_3, with which the way back begins.")


def test_delta_is_not_blamed_where_all_below_shows_that_it_is_right():
    at_the_output = changed(lambda dA, db: ([*dA[:2], np.cos(dA[2])], [*db[:2], np.sin(db[2])]))
    text = " ".join(said_of(at_the_output))
    assert "all below is right, and so is δ_3: look at how dA[2] and db[2] are made of δ_3" in text
    assert "look at δ_3, with which" not in text


def test_layers_are_called_right_only_if_they_are():
    def two(dA, db):
        # A shape at layer 3, and a value at layer 2 and below.
        below = [np.cos(each) for each in dA[:2]], [np.cos(each) for each in db[:2]]
        return [*below[0], dA[2].sum()], [*below[1], db[2]]

    text = " ".join(said_of(changed(two)))
    assert "δ_2 is made of δ_3" in text
    assert "the layers above are right" not in text


def test_what_is_rounded_is_called_nearly_right():
    rounded = of_each(lambda each: np.round(each, 3))
    assert any("It is nearly right" in text for text in said_of(rounded))
    assert not any("nearly" in text for text in said_of(rounded, hints="vague"))


@pytest.mark.parametrize(("hints", "more"), [("none", False), ("vague", True)])
def test_no_hint_and_a_vague_one_are_not_the_same(hints, more):
    (text,) = said_of(changed(lambda dA, db: ([dA[0], dA[1] / 3, dA[2]], db)), hints=hints)
    assert (
        "No mistake that has a name here explains it, alone or with another one" in text
    ) == more


def test_code_for_another_number_of_layers_is_told_which_to_say():
    def backward(A, b, x, y):
        W1, W2 = A
        return by_hand([W1, W2], b, x, y)

    assert "If this code is for 2 of them, check it with layers=2." in " ".join(said_of(backward))
    assert bp.check_backward(backward, layers=2).ok


def test_code_that_is_called_otherwise_is_told_how_to_say_so():
    def backward(x, y, weights):
        return weights

    text = " ".join(said_of(backward))
    assert "It is called with (A, b, x, y); `calls` says what else it should be" in text
    options = {"samples": "rows", "parameters": "dict", "layers": 1, "calls": "x y parameters"}
    text = " ".join(said_of(lambda x, y, params: params["w1"], **options))
    assert "The keys of the parameters are 'W1', 'b1'; `names` says" in text
    assert "KeyError" not in " ".join(
        said_of(lambda x, y, params: {"w1": params["w1"]}, **options, names=("w{i}", "b{i}"))
    )


def test_a_misspelt_key_of_a_gradient_is_told_with_the_one_that_is_meant():
    options = {"samples": "rows", "parameters": "dict", "layers": 1, "calls": "x y parameters"}
    pass_of = make_backward(samples="rows")

    def backward(key, x, y, params):
        (dA,), (db,) = pass_of([params["W1"]], [params["b1"]], x, y)
        return {key: dA, "db1": db}

    report = bp.check_backward(functools.partial(backward, "dw"), **options)
    assert [each.ok for each in report.parameters] == [False, True]
    assert report.findings[0].message == "dW1: it is missing; if 'dw' is it, call it 'dW1'."
    assert bp.check_backward(functools.partial(backward, "dW1"), **options).ok


def with_a_cache(x, y, params):
    cache = {"A0": x}
    return cache["A1"]


def with_an_empty_dict(x, y, params):
    def helper(grads):
        return grads["dW1"]

    return helper({})


def with_one_in_another(x, y, params):
    state = {"grads": {}}
    return {"dW1": state["grads"]["dw"], "db1": y}


def with_one_that_is_emptied(x, y, params):
    grads = {}
    return {"dW1": grads.pop("dw"), "db1": y}


def with_gradients_under_the_same_keys(x, y, params):
    g = {key: 2 * value for key, value in params.items()}
    return {"dW1": g["W4"], "db1": y}


@pytest.mark.parametrize(
    ("backward", "dict_of_its_own"),
    [
        (with_gradients_under_the_same_keys, "g"),
        (with_a_cache, "cache"),
        (with_an_empty_dict, "grads"),
        (with_one_in_another, "state['grads']"),
        (with_one_that_is_emptied, "grads"),
    ],
)
def test_a_key_that_a_dict_of_the_pass_lacks_is_not_one_of_the_parameters(
    backward, dict_of_its_own
):
    options = {"samples": "rows", "parameters": "dict", "layers": 1, "calls": "x y parameters"}
    text = " ".join(said_of(backward, **options))
    assert f"{dict_of_its_own} has no such key." in text
    assert "keys of the parameters" not in text


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ("x, y, params", "params"),
        ("x, y, params", "dict(params)"),
        ("x, y, params", "params | {'x': x}"),
        ("*given", "given[2]"),
        ("*given", "dict(given[2])"),
    ],
)
def test_a_key_that_the_parameters_lack_is_told_with_those_that_they_have(arguments, kept):
    names = {}
    exec(f"def backward({arguments}):\n    p = {kept}\n    return p['W9']", names)
    options = {"samples": "rows", "parameters": "dict", "layers": 1, "calls": "x y parameters"}
    [text] = said_of(names["backward"], **options)
    assert "The keys of the parameters are 'W1', 'b1'" in text


def test_where_a_pass_runs_it_is_judged_though_it_fails_elsewhere():
    def square_only(A, b, x, y):
        dA, db = by_hand(A, b, x, y)
        if len({len(x), *map(len, b)}) > 1:
            raise ValueError("shapes do not fit")
        return [dA[0], np.cos(dA[1]), dA[2]], db

    failed, other = said_of(square_only)
    assert "shapes do not fit" in failed
    assert other.startswith("Where it runs: dA[1] is the first gradient that is wrong")

    def right_there(A, b, x, y):
        if len({len(x), *map(len, b)}) > 1:
            raise ValueError("shapes do not fit")
        return by_hand(A, b, x, y)

    (text,) = said_of(right_there)
    assert "with layers of 3, 3, 3 and 3 units it runs. There everything is right: look for" in text


def test_the_output_delta_in_both_of_two_layers_is_one_mistake():
    def backward(A, b, x, y):
        f = [x]
        for A_i, b_i in zip(A, b, strict=True):
            f.append(sigma(A_i @ f[-1] + b_i))
        d = 2 * (f[-1] - y) * f[-1] * (1 - f[-1])
        return [np.outer(d, f[0]), np.outer(d, f[1])], [d, d]

    report = bp.check_backward(backward, layers=2)
    assert found(report) == ["output_delta_in_every_gradient"]


# --- hints, text and refusals -----------------------------------------------------------


@pytest.mark.parametrize("hints", HINTS)
def test_a_report_gives_away_as_much_as_the_hints_allow_and_names_the_parameter(hints):
    report = bp.check_backward(make_backward("sign_flipped", samples="single"), hints=hints)
    (finding,) = report.findings
    assert finding.parameter == "dA[2]"
    assert "dA[2]" in finding.message
    assert finding.message in " ".join(str(report).split())
    text = " ".join(str(report).split())
    assert ("The sign is flipped" in text) == (hints == "plain")
    assert ("The first quantity" in text) == (hints == "clear")
    assert ("the output error f_K − y" in text) == (hints in ("clear", "plain"))


@pytest.mark.parametrize("hints", HINTS)
def test_that_a_transpose_would_be_right_is_a_hint(hints):
    backward = changed(lambda dA, db: ([*dA[:2], dA[2].T], [np.cos(db[0]), *db[1:]]))
    first = bp.check_backward(backward, hints=hints).findings[0]
    assert first.message.startswith("dA[2]: its shape is (5, 2), expected (2, 5).")
    assert ("transpose would be right" in first.message) == (hints != "none")


@pytest.mark.parametrize("hints", HINTS)
def test_what_is_not_recognised_is_hinted_at_with_clear_and_plain_hints_only(hints):
    backward = changed(lambda dA, db: ([dA[0], dA[1] / 3, dA[2]], db))
    (finding,) = bp.check_backward(backward, hints=hints).findings
    assert (finding.mistake, finding.layers) == ("not_recognised", ())
    assert ("db[1] is right" in finding.message) == (hints in ("clear", "plain"))
    assert ("1/3 times" in finding.message) == (hints == "plain")


def test_a_report_can_be_kept_as_json_and_its_score_is_a_plain_float():
    report = bp.check_backward(make_backward("sigma_prime_missing_in_hidden", samples="single"))
    kept = json.loads(json.dumps(report.to_dict()))
    assert type(report.score) is float
    assert kept["score"] == pytest.approx(2 / 6)
    assert kept["findings"][0]["mistake"] == "sigma_prime_missing_in_hidden"
    assert kept["findings"][0]["parameter"] == "dA[1]"
    assert not math.isnan(kept["score"])


def test_raise_if_wrong_says_what_the_report_says():
    report = bp.check_backward(make_backward("sign_flipped", samples="single"))
    with pytest.raises(bp.WrongGradientError) as caught:
        report.raise_if_wrong()
    assert str(caught.value) == str(report)


@pytest.mark.parametrize("hints", HINTS)
def test_the_right_numbers_are_shown_with_plain_hints_only(hints):
    report = bp.check_backward(make_backward("sign_flipped", samples="single"), hints=hints)
    checked = report.parameters[0]
    given, expected = (f"{part[checked.worst]:.6g}" for part in (checked.given, checked.expected))
    assert (f"expected {expected}" in str(report)) == (hints == "plain")
    assert (f"is {given}" in str(report)) == (hints != "none")
    assert report.shows_expected == (hints == "plain")


@pytest.mark.parametrize("inputs", [2, 3, 4])
def test_what_explains_all_networks_but_one_is_no_explanation(inputs):
    one, other = (
        make_backward(mistake, samples="single")
        for mistake in ("sign_flipped", "sigma_prime_missing_in_hidden")
    )
    asked = set()

    def backward(A, b, x, y):
        asked.add(A[0].shape[1])
        return (one if A[0].shape[1] == inputs else other)(A, b, x, y)

    report = bp.check_backward(backward, samples="single")
    assert asked > {inputs}
    assert [each.mistake for each in report.findings] == ["not_recognised"]


ALONE = {
    "samples": "rows", "weights": "in_out", "output": "softmax", "loss": "cross-entropy",
    "bias": False, "parameters": "separate", "names": "W", "calls": "parameters x y", "layers": 1,
}  # fmt: skip


def softmax_gradient(W, X, Y):
    p = np.exp(X @ W)
    p /= p.sum(axis=1, keepdims=True)
    return X.T @ (p - Y) / len(X)


@pytest.mark.parametrize(
    ("change", "l2", "said"),
    [
        (lambda W, X, g: g + 0.1, 0.0, "dW is wrong."),
        (lambda W, X, g: W - 0.1 * g, 0.0, "dW looks like the updated W"),
        (lambda W, X, g: 1 / 0, 0.0, "dW: it raised ZeroDivisionError"),
        (lambda W, X, g: g + 0.1 * W / len(X), 0.1, "dW is right with l2_factor='1/2N'"),
    ],
)
def test_where_there_is_one_gradient_nothing_is_said_of_others(change, l2, said):
    def backward(W, X, Y):
        return change(W, X, softmax_gradient(W, X, Y))

    first, *_ = bp.check_backward(backward, **ALONE, l2=l2).findings
    assert first.message.startswith(said)
    assert "all others" not in first.message
    assert "in the order of" not in first.message


def biases_first(weights, biases, x, y):
    f = [x]
    for w, b in zip(weights, biases, strict=True):
        f.append(bp.sigmoid(w @ f[-1] + b))
    d = (f[-1] - y) * f[-1] * (1 - f[-1])
    dw, db = [None] * len(weights), [None] * len(weights)
    dw[-1], db[-1] = d @ f[-2].T, d
    for i in range(len(weights) - 1, 0, -1):
        d = weights[i].T @ d * f[i] * (1 - f[i])
        dw[i - 1] = d @ f[i].T
        db[i - 1] = d
    return db, dw


def test_biases_that_come_first_are_not_what_is_wrong_where_a_shape_is():
    names = {"names": ("weights", "biases"), "returns": "biases weights"}
    report = bp.check_backward(biases_first, samples="column", half=True, **names)
    first = report.findings[0]
    assert (first.source, first.repair) == ("f[i]", "f[i - 1] in place of f[i]")
    assert first.proved


def test_of_lines_that_explain_it_equally_well_the_first_says_what_to_write():
    def error(f, y):
        return y - f

    def backward(A, b, x, y):
        (A0, A1), (b0, b1) = A, b
        f1 = bp.sigmoid(A0 @ x + b0)
        f2 = bp.sigmoid(A1 @ f1 + b1)
        d2 = error(f2, y) * f2 * (1 - f2)
        d1 = A1.T @ d2 * f1 * (1 - f1)
        return [np.outer(d1, x), np.outer(d2, f1)], [d1, d2]

    finding = bp.check_backward(backward, half=True, layers=2).findings[0]
    assert finding.repair.startswith("f - y in place of y - f; or the mistake is in line ")


def test_names_of_the_students_own_stay_what_they_are():
    def backward(parameters, X, Y):
        W1, W2 = parameters["W1"], parameters["W2"]
        A = np.tanh(W1 @ X + parameters["b1"])
        return W2.T @ A

    course = {"parameters": "dict", "activation": "tanh", "loss": "cross-entropy", "layers": 2}
    report = bp.check_backward(backward, samples="columns", **course)
    assert re.search(r"and A is \(\d, \d\)", str(report).replace("\n", " "))


def test_the_equation_that_a_mistake_breaks_is_written_out():
    report = bp.check_backward(make_backward("missing_factor_2", samples="single"))
    broken = "It breaks equation [loss], L(θ) = ‖y − f_K(θ, x)‖²."
    assert broken in report.findings[0].message

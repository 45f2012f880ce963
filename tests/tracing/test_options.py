"""Options of a kind that NumPy may not take: an axis 1.0, a count True, an index 0.5."""

import contextlib
import warnings

import numpy as np
import pytest
import sweep

import backprop_nb as bp

ODD = (0.0, 0.5, 1.0, True, False, None, np.int64(1), np.float64(1.0), [0], [0.0], (0.0,), "1")
FUNCTIONS = [
    *("take", "tile", "diff", "roll", "repeat", "sum", "swapaxes", "cumsum", "max", "pad"),
    *("linspace", "amax", "sort", "linalg.norm", "delete", "expand_dims", "moveaxis", "tril"),
    *("vander", "linalg.matrix_power", "stack", "meshgrid", "cov", "quantile"),
]
REFUSALS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
FORMS = {
    "np.diff": [sweep.form(sweep.V, 1), sweep.form(sweep.M, 2, 0)],
    "np.linalg.norm": [sweep.form(sweep.M, 2, 1), sweep.form(sweep.V, 2.0, 0)],
    "np.swapaxes": [sweep.form(sweep.M, 0, 1)],
    "np.tril": [sweep.form(sweep.M, 1)],
    "np.stack": [sweep.form([sweep.V, sweep.V], 1)],
}
CALLS = {name: (f, FORMS.get(name, forms)) for name, f, forms in sweep.callables()}


def with_odd(form):
    """Yield a call with each of its options in turn of an odd type."""
    for position, arg in enumerate(form.args):
        if not any(map(sweep.is_input, sweep.leaves(arg))):
            for odd in ODD:
                yield sweep.Form(
                    (*form.args[:position], odd, *form.args[position + 1 :]), form.kwargs
                )
    for key in {*form.kwargs, "axis", "keepdims"}:
        for odd in ODD:
            yield sweep.Form(form.args, form.kwargs | {key: odd})


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_odd_option_is_what_it_is_to_numpy_or_refused_at_the_line(name):
    f, forms = CALLS[f"np.{name}"]
    calls = [each for form in forms[:3] for each in with_odd(form) if sweep.inputs_of(each)]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = [sweep.one_outcome(f, call) or refused_at_the_line(f, call) for call in calls]
    assert {*found} <= {"right", "flat", "refused"}


def refused_at_the_line(f, call):
    """Return ``"refused"`` if what NumPy refuses is refused by a trace, too, where it stands."""
    inputs = sweep.inputs_of(call)

    def run(*held):
        args, kwargs = sweep.rebuilt([call.args, call.kwargs], iter(held))
        f(*args, **kwargs)
        return held[0]

    with contextlib.suppress(Exception):  # a result that is not finite is no refusal
        run(*(each.copy() for each in inputs))
        return "flat"
    try:
        bp.trace(run, *inputs)
    except bp.BackpropError as error:
        return "refused" if "(line" in str(error.at) else "refused elsewhere"
    except REFUSALS:
        return "refused"
    return "taken"


def test_numpys_complaint_stands_at_the_learners_line():
    with pytest.raises(TypeError, match="integer") as caught:
        bp.trace(lambda x: np.sum(x, axis=1.0), np.ones((2, 2)))
    assert caught.value.given == "axis = 1.0"
    assert "np.sum(x, axis=1.0)" in caught.value.at


def test_what_numpy_takes_and_no_rule_does_is_refused_where_it_is_called():
    with pytest.raises(bp.UnsupportedError, match=r"np\.take cannot be traced") as caught:
        bp.trace(lambda x: np.sum(np.take(x, 0.5)), np.ones(3))
    assert caught.value.given == "indices = 0.5"
    assert "whole numbers" in caught.value.expected


def test_beside_whole_numbers_it_is_the_arrays_that_do_not_fit():
    with pytest.raises(bp.UnsupportedError, match="expected: arrays of floats"):
        bp.trace(lambda x: np.histogram(x, bins=3, weights=x > 1.0)[0] @ x[:3], np.arange(6.0))
    graph = bp.trace(lambda x: np.histogram(x, bins=3, weights=x * x)[0] @ x[:3], np.arange(6.0))
    assert graph.value == 95.0


def test_a_truth_value_that_counts_is_the_whole_number():
    graph = bp.trace(lambda x: np.take(x, True) * 2.0, np.array([1.0, 2.0, 3.0]))
    assert graph.backward().gradients[0].tolist() == [0.0, 2.0, 0.0]


@pytest.mark.parametrize("f", [np.sum, np.max, np.prod, np.ptp, np.nansum, np.cumsum, np.cumprod])
def test_a_number_has_the_axes_that_numpy_gives_it(f):
    graph = bp.trace(lambda x: np.sum(f(x, axis=0) * x), 0.7)
    assert graph.backward().gradients[0].shape == ()


def test_a_diagonal_outside_of_the_matrix_gives_it_no_gradient():
    graph = bp.trace(lambda x: np.sum(np.diag(x, 7)) + np.sum(x), np.eye(3))
    assert graph.backward().gradients[0].shape == (3, 3)


@pytest.mark.parametrize("write", [np.save, np.savetxt, np.savez])
def test_what_has_no_rule_is_refused_before_it_does_anything(write, tmp_path):
    with pytest.raises(bp.UnsupportedError, match="no differentiation rule"):
        bp.trace(lambda x: write(tmp_path / "values", x), np.ones(3))
    assert not [*tmp_path.iterdir()]

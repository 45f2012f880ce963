"""The error of finite differences against their step."""

import numpy as np
import pytest
from of_two import W, X, f

import backprop_nb as bp
from backprop_nb.checking import step_curve


def test_the_error_falls_with_the_square_of_the_step_until_rounding_takes_over():
    curve = step_curve(f, W, X)
    large = (curve.steps <= 1e-1) & (curve.steps >= 1e-3)
    slope = np.polyfit(np.log10(curve.steps[large]), np.log10(curve.central[large]), 1)[0]
    assert slope == pytest.approx(2, abs=0.1)
    slope = np.polyfit(np.log10(curve.steps[large]), np.log10(curve.forward[large]), 1)[0]
    assert slope == pytest.approx(1, abs=0.1)
    assert curve.central[-1] > 100 * curve.central.min()
    assert 1e-7 < curve.best < 1e-3


def test_the_curve_is_a_text_and_a_figure():
    curve = step_curve(np.sin, 1.0)
    assert len(str(curve).splitlines()) == len(curve.steps) + 4
    assert f"{curve.best:.0e}" in curve.draw(theme="dark").alt


def test_a_function_that_does_not_change_has_no_curve():
    with pytest.raises(bp.InvalidValueError, match="derivative is 0 here"):
        step_curve(lambda x: np.sum(x * 0.0), X)

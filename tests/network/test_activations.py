"""Each activation's slope, steepest slope and traced form, against its own values."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.network.activations import ACTIVATIONS, OUTPUTS

PLACES = np.linspace(-6, 6, 241) + 0.003  # beside the kinks


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_slope_is_that_of_central_differences(name):
    activation, h = ACTIVATIONS[name], 1e-6
    slopes = (activation.of(PLACES + h) - activation.of(PLACES - h)) / (2 * h)
    found = activation.slope(activation.of(PLACES))
    np.testing.assert_allclose(found, slopes, atol=1e-8)
    assert found.max() == pytest.approx(activation.steepest, rel=1e-4)


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_comes_back_is_what_the_tracer_finds(name):
    activation, rng = OUTPUTS[name], np.random.default_rng(0)
    traced = activation.for_tracer().of
    for shape in [(4,), (5, 4)]:
        z, g = rng.normal(size=shape), rng.normal(size=shape)
        value, pullback = bp.vjp(traced, z)
        np.testing.assert_allclose(activation.of(z), value, rtol=1e-14)
        np.testing.assert_allclose(
            activation.backward(g, activation.of(z)), pullback(g)[0], atol=1e-14
        )


@pytest.mark.parametrize("name", OUTPUTS)
def test_at_zero_the_tracer_takes_the_same_slope(name):
    activation, z = OUTPUTS[name], np.zeros(3)
    _, pullback = bp.vjp(activation.for_tracer().of, z)
    g = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(activation.backward(g, activation.of(z)), pullback(g)[0])


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_float_dtype_stays(name, dtype):
    activation, z = OUTPUTS[name], np.array([-1, 0, 2], dtype)
    f = activation.of(z)
    assert f.dtype == activation.slope(f).dtype == activation.backward(z, f).dtype == dtype


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_nan_stays_nan(name):
    assert np.isnan(ACTIVATIONS[name].of(np.array([np.nan, 1.0]))).tolist() == [True, False]


def test_a_softmax_adds_up_to_1_in_each_row_however_large_its_inputs():
    f = OUTPUTS["softmax"].of(np.array([[1000.0, -1000.0, 1000.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(f, [[0.5, 0, 0.5], [1 / 3] * 3])

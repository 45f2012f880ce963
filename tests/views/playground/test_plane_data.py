"""Data in the plane: two classes, reproducible, and of a shape that their name promises."""

import numpy as np
import pytest

import backprop_nb as bp
from backprop_nb.views.playground.plane_data import PLANE_DATA, REACH, plane_data


@pytest.mark.parametrize("name", PLANE_DATA)
def test_a_seed_gives_the_same_points_again_and_another_gives_others(name):
    x, y = plane_data(name, 101, seed=3)
    again, same = plane_data(name, 101, seed=3)
    np.testing.assert_array_equal(x, again)
    np.testing.assert_array_equal(y, same)
    assert not np.array_equal(x, plane_data(name, 101, seed=4)[0])
    assert (x.shape, y.shape, y.sum()) == ((101, 2), (101, 1), 50)


@pytest.mark.parametrize("name", PLANE_DATA)
def test_without_noise_all_lies_in_the_square_and_fills_most_of_its_width(name):
    x, _ = plane_data(name, 500, noise=0, seed=0)
    assert REACH >= np.abs(x).max() > 0.75 * REACH


@pytest.mark.parametrize("name", PLANE_DATA)
def test_noise_moves_each_point_and_no_class(name):
    x, y = plane_data(name, 200, noise=0, seed=0)
    moved, same = plane_data(name, 200, noise=0.2, seed=0)
    np.testing.assert_array_equal(y, same)
    assert (moved - x).std() == pytest.approx(0.2, rel=0.1)


def classes(name):
    x, y = plane_data(name, 400, noise=0, seed=1)
    return x, y[:, 0] == 1


def test_a_line_tells_blobs_apart():
    x, one = classes("blobs")
    assert np.mean((x.sum(axis=1) > 0) == one) > 0.99


def test_xor_is_one_where_the_signs_differ():
    x, one = classes("xor")
    np.testing.assert_array_equal(x[:, 0] * x[:, 1] < 0, one)
    assert len(np.unique(np.sign(x), axis=0)) == 4


def test_circles_have_class_one_inside():
    x, one = classes("circles")
    radius = np.hypot(*x.T)
    assert radius[one].max() < radius[~one].min()


def test_moons_are_half_circles_about_two_middles():
    x, one = classes("moons")
    for side, middle in [(one, [0.625, 0.3125]), (~one, [-0.625, -0.3125])]:
        np.testing.assert_allclose(np.hypot(*(x[side] - middle).T), 1.25)
    assert x[one][:, 1].max() < 0.32
    assert x[~one][:, 1].min() > -0.32


def test_the_arms_of_the_spiral_are_one_arm_turned_by_half():
    x, one = classes("spiral")
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    turned = angle - 3 * np.pi * radius / 1.9 - np.pi * one
    np.testing.assert_allclose(np.cos(turned), 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"name": "rings"},
            '`data` must be "blobs", "xor", "circles", "moons" or "spiral".\n'
            "  given:    data = 'rings'",
        ),
        (
            {"name": "xor", "points": 1},
            "`points` must be an integer, 2 or more.\n  given:    points = 1",
        ),
        (
            {"name": "xor", "noise": -0.1},
            "`noise` must be a finite number that is not negative.\n  given:    noise = -0.1",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, message):
    with pytest.raises(bp.InvalidValueError) as caught:
        plane_data(**arguments)
    assert str(caught.value) == message

"""The data of the lessons are scikit-learn's, number for number."""

import numpy as np
import pytest

from backprop_nb import data


@pytest.fixture(scope="module")
def theirs():
    datasets = pytest.importorskip("sklearn.datasets")
    return {"iris": datasets.load_iris(), "digits": datasets.load_digits()}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("iris", "data"),
        ("iris", "target"),
        ("digits", "data"),
        ("digits", "target"),
        ("digits", "images"),
    ],
)
def test_the_numbers_are_theirs(theirs, name, field):
    ours = getattr(getattr(data, f"load_{name}")(), field)
    np.testing.assert_array_equal(ours, theirs[name][field])
    assert ours.dtype == theirs[name][field].dtype
    assert ours.flags.c_contiguous
    assert ours.flags.writeable


def test_the_names_are_theirs(theirs):
    ours = data.load_iris()
    assert list(ours.feature_names) == list(theirs["iris"].feature_names)
    assert list(ours.target_names) == list(theirs["iris"].target_names)


def test_what_a_learner_changes_is_nobody_elses():
    data.load_iris().data[0] = 0
    assert data.load_iris().data[0, 0] == 5.1

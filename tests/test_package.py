"""The names of the package, and that they stay what they are."""

import importlib

import pytest

import backprop_nb as bp


@pytest.mark.parametrize("name", bp.__all__)
def test_a_name_cannot_be_replaced(name):
    before = getattr(bp, name)
    with pytest.raises(bp.UnsupportedError, match=rf"`backprop_nb\.{name}` cannot be replaced"):
        setattr(bp, name, lambda *_: None)
    assert getattr(bp, name) is before


def test_what_is_imported_below_is_put_in_its_place():
    assert importlib.import_module("backprop_nb.checking") is bp.checking
    assert importlib.reload(bp) is bp


def test_a_name_of_ones_own_is_kept(monkeypatch):
    monkeypatch.setattr(bp, "mine", 3, raising=False)
    assert bp.mine == 3


@pytest.mark.parametrize("name", ["trace", "tracing", "SigmoidExplorer"])
def test_what_is_wrong_in_a_module_is_not_taken_for_a_missing_name(monkeypatch, name):
    def broken(module):
        raise AttributeError("module 'numpy' has no attribute 'trapz'")

    monkeypatch.delitem(vars(bp), name, raising=False)
    monkeypatch.setattr(importlib, "import_module", broken)
    with pytest.raises(ImportError, match=r"'backprop_nb\.tracing': module 'numpy' has no"):
        getattr(bp, name)


def test_the_data_of_the_lessons_is_found_by_name():
    assert "data" in dir(bp)
    assert bp.data.load_iris().data.shape == (150, 4)

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

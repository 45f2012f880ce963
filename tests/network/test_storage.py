"""Saving and loading a network."""

import numpy as np
import pytest

from backprop_nb.errors import InvalidValueError
from backprop_nb.network import Network, SigmoidNetwork


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_saved_network_comes_back_as_it_was(tmp_path, dtype):
    net = SigmoidNetwork((4, 3, 2), seed=0)
    A, b = [a.astype(dtype) for a in net.A], [np.arange(len(c), dtype=dtype) for c in net.b]
    net = SigmoidNetwork.from_parameters(A, b)
    again = SigmoidNetwork.load(net.save(tmp_path / "net"))
    assert again.widths == net.widths
    for ours, theirs in zip(again.A + again.b, net.A + net.b, strict=True):
        assert ours.dtype == dtype
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["net", "net.npz", "net.v2"])
def test_the_suffix_is_added_unless_it_is_there(tmp_path, name):
    path = SigmoidNetwork((2, 1)).save(tmp_path / name)
    assert path.name == name.removesuffix(".npz") + ".npz"
    assert SigmoidNetwork.load(tmp_path / name).widths == (2, 1)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_comparison_network_keeps_its_activation_and_loss(tmp_path):
    net = Network((2, 3, 1), seed=0, activation="relu", loss="cross-entropy")
    again = Network.load(net.save(tmp_path / "net"))
    assert repr(again) == repr(net)
    assert again([1, 2]).tolist() == net([1, 2]).tolist()


def test_a_network_of_another_kind_is_named(tmp_path):
    path = Network((2, 1)).save(tmp_path / "net")
    with pytest.raises(InvalidValueError) as caught:
        SigmoidNetwork.load(path)
    assert str(caught.value) == (
        "This file holds a Network.\n"
        f"  given:    {path}\n"
        "  expected: a SigmoidNetwork\n"
        "  instead:  Network.load(path)"
    )


def write_text(path):
    path.write_text("not a network", encoding="utf-8")


def write_array(path):
    with path.open("wb") as stream:
        np.save(stream, np.ones(3))


def write_other_arrays(path):
    np.savez(path, weights=np.ones(3))


def write_pickle(path):
    np.savez(path, format=np.array([{"run": "me"}], dtype=object))


@pytest.mark.parametrize("write", [write_text, write_array, write_other_arrays, write_pickle])
def test_a_file_that_holds_no_network_is_refused(tmp_path, write):
    path = tmp_path / "file.npz"
    write(path)
    with pytest.raises(InvalidValueError, match="This file does not hold a network"):
        SigmoidNetwork.load(path)


def test_a_missing_file_raises_as_python_does(tmp_path):
    with pytest.raises(FileNotFoundError):
        SigmoidNetwork.load(tmp_path / "nowhere.npz")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = SigmoidNetwork((2, 1), seed=0).save(tmp_path / "net")
    before = path.read_bytes()

    def full(*args, **arrays):
        args[0].write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="no space left"):
        SigmoidNetwork((2, 1), seed=1).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]

"""Zips that are hostile or broken: nothing gets out of the folder, and there is an end to it."""

import stat
import zipfile

import pytest

from backprop_nb.classroom import archives
from backprop_nb.classroom.archives import unpack
from backprop_nb.errors import InvalidValueError


def packed(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def files_in(folder):
    return {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()}


def test_files_and_folders_come_out(tmp_path):
    archive = packed(tmp_path / "a.zip", ("hw.py", "x"), ("data\\x.csv", "1"), ("empty/", ""))
    assert unpack(archive, tmp_path / "out") == {}
    assert files_in(tmp_path / "out") == {"hw.py", "data/x.csv"}


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    "name", ["../x.py", "a/../../x.py", "/x.py", "C:/x.py", "..\\x.py", link("x.py"), "x" * 300]
)
def test_what_leads_out_of_it_is_refused_and_the_rest_is_there(tmp_path, name):
    archive = packed(tmp_path / "a.zip", (name, "/etc/passwd"), ("hw.py", "x"))
    refused = unpack(archive, tmp_path / "out/in")
    assert [*refused] == [getattr(name, "filename", name)]
    assert files_in(tmp_path) == {"a.zip", "out/in/hw.py"}


def test_a_bomb_ends_whatever_size_it_claims(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 1_000_000)
    archive = packed(tmp_path / "a.zip", ("x.csv", "0" * 1_000_001))
    with pytest.raises(InvalidValueError, match="MB come out of it"):
        unpack(archive, tmp_path / "out")
    monkeypatch.setattr(archives, "MAX_FILES", 2)
    archive = packed(tmp_path / "b.zip", *((f"{k}.py", "") for k in range(3)))
    with pytest.raises(InvalidValueError, match="more than 2 files"):
        unpack(archive, tmp_path / "out2")


@pytest.mark.parametrize("spoil", ["empty", "cut", "other"])
def test_a_damaged_one_says_so(tmp_path, spoil):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hw.py", "hello")
    data = path.read_bytes()
    spoilt = {"empty": b"", "cut": data[:-30], "other": data.replace(b"hello", b"HELLO")}
    path.write_bytes(spoilt[spoil])
    with pytest.raises(InvalidValueError, match="damaged"):
        unpack(path, tmp_path / "out")


def test_two_members_of_one_name_and_a_password_are_told(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        archive = packed(tmp_path / "a.zip", ("hw.py", "1"), ("hw.py", "2"))
    assert unpack(archive, tmp_path / "out") == {"hw.py": "There are two of this name."}
    data = bytearray(packed(tmp_path / "b.zip", ("hw.py", "1")).read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "b.zip").write_bytes(data)
    assert unpack(tmp_path / "b.zip", tmp_path / "out2") == {"hw.py": "It needs a password."}

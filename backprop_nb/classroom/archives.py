"""Zips that somebody else has packed, unpacked with suspicion."""

from __future__ import annotations

import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from backprop_nb.errors import InvalidValueError

MAX_FILES: Final = 5_000
MAX_BYTES: Final = 500_000_000
"""Of all that comes out of one zip."""
_MAX_NAME: Final = 200
_CHUNK: Final = 1 << 16


def unpack(archive: Path, folder: Path) -> dict[str, str]:
    """Unpack a zip into a folder that does not exist yet.

    Nothing is written outside of it, no link is made, and there is an end to how much comes out.

    Returns
    -------
    dict
        For each member that was refused, why.

    Raises ``InvalidValueError``: it is no zip, or nothing can be had of it; the problem says why.
    """
    refused: dict[str, str] = {}
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as whole:
            for each in whole.infolist():  # some programs on Windows write its own separator
                each.filename = each.filename.replace("\\", "/")
            members = [each for each in whole.infolist() if not each.is_dir()]
            if len(members) > MAX_FILES:
                raise InvalidValueError(f"It has more than {MAX_FILES} files.")
            left = MAX_BYTES
            for each in members:
                place = folder.joinpath(*PurePosixPath(each.filename).parts)
                why = _refused(each) or (place.exists() and "There are two of this name.")
                if why:
                    refused[each.orig_filename] = why
                    continue
                left -= _write(whole, each, place, left)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, ValueError) as error:
        if isinstance(error, InvalidValueError):
            raise
        raise InvalidValueError("It is damaged, or no zip.") from error
    except OSError as error:
        raise InvalidValueError(f"It cannot be unpacked: {error.strerror or error}.") from error
    return refused


def _refused(member: zipfile.ZipInfo) -> str:
    """Say why a member of a zip is not unpacked; nothing if it is."""
    name = member.filename
    path = PurePosixPath(name)
    kind = stat.S_IFMT(member.external_attr >> 16)
    if member.flag_bits & 0x1:
        return "It needs a password."
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return "Its path leads out of the zip."
    if kind not in (0, stat.S_IFREG):
        return "It is a link, or something else that is no file."
    if any(len(part.encode("utf-8", "replace")) > _MAX_NAME for part in path.parts):
        return "Its name is too long."
    return ""


def _write(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, most: int) -> int:
    """Write a member, whatever size it claims to have, and return how many bytes it has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with archive.open(member) as source, path.open("xb") as target:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise InvalidValueError(f"More than {MAX_BYTES // 1_000_000} MB come out of it.")
            target.write(chunk)
    return size
